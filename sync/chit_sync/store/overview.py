"""What is going on in a store, at a glance: what is open, in conflict, unsent, refused. Counts from indexes; its cost does not grow."""

from typing import TYPE_CHECKING, NamedTuple

from chit_sync.store import remotes
from chit_sync.store.database import Store, explained
from chit_sync.store.remotes import Pending, Refusal, Remote

if TYPE_CHECKING:
    from chit_sync.store.waiting import Kind

MOST_SHOWN = 10


class Stuck(NamedTuple):
    """A value in a helpdesk that could not be taken in. number: the ticket's there. time: since when."""

    number: int
    path: str
    reason: str
    time: int


class Exchange(NamedTuple):
    """How things stand with one remote. stuck: of a helpdesk, what could not be taken in. doubtful: calls to it whose outcome nobody
    knows; the next exchange looks them up."""

    remote: Remote
    pending: Pending
    refusals: list[Refusal]
    stuck: list[Stuck]
    doubtful: int


class InConflict(NamedTuple):
    """A ticket in which something was written twice. fields: how many are in conflict."""

    id: str
    title: str
    fields: int


class Overview(NamedTuple):
    """How things stand. open, overdue: tickets. conflicts: all that were written twice; in_conflict: the first few tickets.
    handoffs: what waits in them, by kind; empty where there are none. partners: whether there is or was one."""

    open: int
    overdue: int
    conflicts: int
    in_conflict: list[InConflict]
    exchanges: list[Exchange]
    handoffs: "dict[str, Kind]"
    partners: bool


def overview(store: Store, now: int) -> Overview:
    """How things stand at `now` (microseconds since 1970 UTC)."""
    db = store.db
    with explained(store.path):
        open_, conflicts, partners, handed = db.execute(
            "SELECT (SELECT count(*) FROM tickets WHERE state = 0), (SELECT count(*) FROM conflicts), EXISTS (SELECT 1 FROM partners),"
            " EXISTS (SELECT 1 FROM handoffs) OR EXISTS (SELECT 1 FROM items WHERE key GLOB 'move/*')"
        ).fetchone()
        overdue = db.execute("SELECT count(*) FROM tickets WHERE due < ? AND state = 0", (now,)).fetchone()[0]
        rows = db.execute(
            "SELECT t.id, coalesce(t.title, ''), count(*) FROM conflicts JOIN tickets t USING (num) GROUP BY num LIMIT ?",
            (MOST_SHOWN,),
        ).fetchall()
    exchanges = []
    for remote in remotes.listing(store):
        pending = remotes.pending(store, remote)
        refused = remotes.refusals(store, [remote.name]) if pending.refused else []
        stuck, doubtful = _of_helpdesk(store, remote)
        exchanges.append(Exchange(remote, pending, refused, stuck, doubtful))
    handoffs: dict[str, Kind] = {}
    if handed:
        from chit_sync.store.waiting import waiting  # most stores have no handoff

        handoffs = waiting(store, now)
    told = [InConflict._make(row) for row in rows]
    return Overview(open_, overdue, conflicts, told, exchanges, handoffs, bool(partners))


def _of_helpdesk(store: Store, remote: Remote) -> tuple[list[Stuck], int]:
    """What could not be taken in, the oldest first, and how many calls are in doubt. Links to tickets that are not here are no trouble."""
    with explained(store.path):
        rows = store.db.execute(
            "SELECT number, path, reason, time FROM troubles WHERE remote = ? AND path NOT LIKE '%:%' ORDER BY time, number",
            (remote.id,),
        ).fetchall()
        doubtful = store.db.execute("SELECT count(*) FROM calls WHERE remote = ?", (remote.id,)).fetchone()[0]
    return list(map(Stuck._make, rows)), doubtful
