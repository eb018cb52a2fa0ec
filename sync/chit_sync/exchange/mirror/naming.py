"""Which ticket of ours a ticket of a helpdesk is.

A helpdesk's tickets bear the ids of those that were made from here, but whoever may write there can write any id they know, and a mail
may quote one by mistake. An id alone must not hand a ticket of ours over to a helpdesk that never got it: nothing of it would be
private any more. So an id is believed
    where the number is known: the call that made it told it, or looking up that call did
    of a ticket that is not here: there is nothing to be handed over
    of one of which a store of ours has read that number: the receipt is among its changes
    of one that the helpdesk shows with the title or the story that it has, or had, here: the number is still on its way, or was lost.
    in a copy of a store, of one that our own account filed there: it was the original that did it
Otherwise the ticket there is one of its own.
"""

from chit_sync import ids
from chit_sync.codec import decode
from chit_sync.exchange.mirror.session import Session
from chit_sync.helpdesks.agreed import mark
from chit_sync.helpdesks.base import Snapshot
from chit_sync.helpdesks.drafting import derived_nonce, ticket_of

_TOLD = ("title", "description")


def ticket_for(session: Session, one: Snapshot, first: int) -> str:
    """The id here of a ticket there that was not read before. first: the lowest number that bears its id in what was read with it."""
    known = session.ticket(one.number)
    if known is not None:
        return known
    if ids.is_letters(one.token, 2 * ids.ID_BYTES) and first == one.number and _believed(session, one):
        return one.token
    return ticket_of(session.facing.identity, one.number)


def _believed(session: Session, one: Snapshot) -> bool:
    db, remote = session.store.db, session.remote.id
    if session.number(one.token) is not None:
        return False
    waiting = db.execute(
        "SELECT 1 FROM incoming WHERE remote = ? AND number <> ? AND instr(body, ?)",
        (remote, one.number, f'"ticket":"{one.token}"'.encode()),
    )
    if waiting.fetchone() is not None:  # another one was fetched as this ticket
        return False
    row = db.execute("SELECT num FROM tickets WHERE id = ?", (one.token,)).fetchone()
    if row is None:
        return True
    if session.store.meta("copied", 0) and one.author and one.author == session.about.account.key:
        return True
    facing = session.facing
    read = [
        decode(body)
        for (body,) in db.execute(
            "SELECT body FROM changes WHERE ticket = ? AND instr(body, ?)",
            (row[0], f'"mirror":"{facing.mirror}"'.encode()),
        )
    ]
    if read:
        receipt = derived_nonce(facing.identity, one.number, "created")
        return any(change.mirror == facing.mirror and change.nonce == receipt for change in read)
    ours = session.ours(one.token)
    for path in _TOLD:
        there = {one.fields.get(path)}
        for event in one.events:
            there.update(event.changes.get(path, ()))
        marks = {mark(value) for value in there} - {None}
        if marks and any(facing.kept(path, head.value) in marks for head in ours.written(path)):
            return True
    return False
