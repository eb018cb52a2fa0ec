"""What was put aside for partners, path by path: for whoever wants to see it before it is sent. Decides nothing; `desk` has."""

from typing import NamedTuple

from chit_sync.registers import Value
from chit_sync.store.database import Store, explained


class Leaving(NamedTuple):
    """A path of a ticket (its id), and the value that a partner is to get."""

    partner: str
    ticket: str
    path: str
    value: Value


def leaving(store: Store, after: int) -> list[Leaving]:
    """What the changes behind that place in the log bring to partners, in the order in which they get it."""
    from chit_sync.codec import decode

    with explained(store.path):
        rows = store.db.execute(
            "SELECT p.name, c.body FROM outbound o JOIN partners p ON p.id = o.partner JOIN changes c ON c.seq = o.seq"
            " WHERE o.seq > ? ORDER BY p.name, o.place",
            (after,),
        ).fetchall()
    return [
        Leaving(name, change.ticket, path, value)
        for name, body in rows
        for change in [decode(body)]
        for path, value in change.set.items()
    ]
