"""What our own comments and files bring about: a reply makes a helpdesk open a ticket by itself, which the same push is to close.

Told from what others do: the ticket is read before as well, and only what the helpdesk did by itself or by our account, to a field that was
just seen as we had known it, counts. What anybody else did stays a conflict.
"""

from collections.abc import Mapping

from chit_sync.codec import decode
from chit_sync.exchange.mirror.session import Session
from chit_sync.helpdesks.base import UNSAFE
from chit_sync.helpdesks.planning import Plan
from chit_sync.registers import losers
from chit_sync.ticket import Ticket


def may_come(found: Plan) -> bool:
    """Whether a plan has both: something that is said, and a status."""
    verbs = {step.call.verb for step in found.steps}
    sets = any(step.call.verb == "update" and "status" in step.call.fields for step in found.steps)
    return sets and not verbs.isdisjoint(UNSAFE)


def meant(ticket: Ticket, found: Plan) -> dict[str, int]:
    """The fields that a plan for a ticket just read writes, and the changes that wrote them here."""
    seqs = {seq for step in found.steps if step.call.verb == "update" for seq in step.seqs}
    return {path: heads[0][0] for path, heads in ticket.registers.items() if heads[0][0] in seqs and not losers(heads)}


def overridden(session: Session, ticket: Ticket, fields: Mapping[str, int]) -> dict[str, int]:
    """Those of these fields against which stands nothing but what followed from our own calls."""
    told = session.about.features.get("history")
    if told is None or not told.read:
        return {}  # who did it is not known
    facing = session.facing
    ourselves = {facing.name, facing.author(session.about.account.key)}
    found = {}
    for path, seq in fields.items():
        others = [other for other, _ in ticket.registers.get(path, ()) if other != seq]
        if len(others) < len(ticket.registers.get(path, ())) and all(
            change.mirror == facing.mirror and change.by in ourselves
            for change in (decode(_body(session, other)) for other in others)
        ):
            found[path] = seq
    return found


def _body(session: Session, seq: int) -> bytes:
    body: bytes = session.store.db.execute("SELECT body FROM changes WHERE seq = ?", (seq,)).fetchone()[0]
    return body
