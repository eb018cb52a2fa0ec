"""Calls whose outcome is not known: looked up at the helpdesk by what they left there, before anything else is asked of it."""

from chit_sync.exchange.mirror.session import Session
from chit_sync.helpdesks.agreed import Agreed, Item
from chit_sync.helpdesks.base import UNSAFE, Call, Outcome
from chit_sync.helpdesks.drafting import item_of
from chit_sync.helpdesks.shaping import said
from chit_sync.store import bases

KINDS = {"comment": "comment", "attach": "attachment", "time": "time"}
"""Verbs that make an item, to its kind."""


def settle(session: Session) -> None:
    """Finds out about every call whose answer was lost. What was done is noted, the rest is planned again by the next push.

    Raises RemoteError if the helpdesk cannot be asked; then nothing is sent.
    """
    for one in bases.open_calls(session.store, session.remote.id):
        outcome = look_up(session, one.ticket, one.call)
        with session.store.transaction():
            if outcome is not None:
                done(session, one.ticket, one.call, outcome)
            bases.close_call(session.store, one.id)


def look_up(session: Session, ticket: int, call: Call, *, twin: bool = False) -> Outcome | None:
    """Whether a call was done. Those that do nothing more when they are repeated are not asked about.

    twin: it may have been done by a store of which this one is a copy, and have come from there as something new since.
    """
    if call.verb not in UNSAFE:
        return None
    store, remote = session.store, session.remote.id
    if call.verb == "create":
        rows = store.db.execute("SELECT number FROM numbers WHERE remote = ? AND num <> ?", (remote, ticket))
        return session.desk.find(call, {str(row[0]) for row in rows})
    agreed = bases.base(store, remote, call.number)
    kind = KINDS[call.verb]
    known = agreed.known(kind) if agreed else {}
    identity = session.identity[0]
    return session.desk.find(
        call,
        {ident for ident, one in known.items() if not twin or one.item != item_of(identity, call.number, kind, ident)},
    )


def done(session: Session, ticket: int, call: Call, outcome: Outcome) -> None:
    """Notes what came of a call; call it inside a transaction. ticket: this store's number.

    What became of fields is read back afterwards, and not noted here.
    """
    store, remote = session.store, session.remote.id
    if call.verb == "create":
        store.db.execute("INSERT OR IGNORE INTO numbers VALUES (?, ?, ?)", (remote, outcome.number, ticket))
        return
    agreed = bases.base(store, remote, call.number)
    if agreed is None:
        agreed = Agreed(str(store.db.execute("SELECT id FROM tickets WHERE num = ?", (ticket,)).fetchone()[0]))
    if call.verb in KINDS and outcome.id:
        kind = KINDS[call.verb]
        agreed.known(kind)[outcome.id] = Item(call.token, said(kind, call.fields, session.desk.stored))
    elif call.verb.startswith("edit-"):
        kind = call.verb.removeprefix("edit-")
        before = agreed.known(kind).get(call.id)
        if before is not None and kind == "time":
            before.mark = said(kind, call.fields, session.desk.stored)
    elif call.verb.startswith("delete-"):
        agreed.known(call.verb.removeprefix("delete-")).pop(call.id, None)
    elif call.verb in ("link", "unlink"):
        tie = f"{call.fields['kind']}:{call.fields['other']}"
        agreed.ties = [one for one in agreed.ties if one != tie] + ([tie] if call.verb == "link" else [])
    elif call.verb in ("merge", "delete"):
        agreed.gone = {"merge": "merged", "delete": "deleted"}[call.verb]
    else:
        return
    bases.put_base(store, remote, call.number, agreed)
