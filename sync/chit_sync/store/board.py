"""What is outsourced, as the lists that people work through: a walk along an index for each list. No ticket is read."""

from collections.abc import Iterator
from typing import NamedTuple

from chit_sync.store.database import Store, explained

LISTS = (
    "drafts", "waiting-for-acceptance", "in-progress", "waiting-for-approval", "declined", "to-re-assign", "done", "earlier",
)  # fmt: skip
"""The lists in their order. A service partner has no drafts, and nothing to give to somebody else."""

ROLES = ("lead", "service")

Row = tuple[
    str, str, str, str, str | None, str, str, str | None, int | None, int | None, int | None, int | None, bool, int | None, int, int, int,
    int, bool,
]  # fmt: skip
"""What `Entry` names; a board can be long, and to name each row costs as much as to read it."""


class Entry(NamedTuple):
    """A handoff on the board, with its ticket. role: ours. list: one of LISTS. status: as it is shown; ruled: as the lead's store has it.

    deadline: to accept, or to complete; overdue: it has passed. authorized, used: minutes. questions: open ones. held: items held back.
    pending: moves that wait for the lead's store. countered: other terms are proposed. Times in microseconds since 1970 UTC.
    """

    role: str
    list: str
    partner: str
    ticket: str
    title: str | None
    id: str
    status: str
    ruled: str | None
    since: int | None
    accept_by: int | None
    complete_by: int | None
    deadline: int | None
    overdue: bool
    authorized: int | None
    used: int
    questions: int
    held: int
    pending: int
    countered: bool


_ENDED = "h.status IN ('declined', 'canceled')"
TO_DO = "h.role = 'lead' AND h.current = 1 AND t.state = 0"
"""What was declined or canceled is somebody's task while the ticket is open and with nobody else."""

_WHERE = {
    "drafts": ["h.status = 'unsent' AND h.current = 1"],
    "waiting-for-acceptance": ["h.status = 'assigned' AND h.current = 1"],
    "in-progress": ["h.status = 'accepted' AND h.current = 1", "h.status = 'in-progress' AND h.current = 1"],
    "waiting-for-approval": ["h.status = 'awaiting-approval' AND h.current = 1"],
    "declined": [f"h.status = 'declined' AND {TO_DO}"],
    "to-re-assign": [f"h.status = 'canceled' AND {TO_DO}"],
    "done": ["h.status = 'completed'"],
    "earlier": [f"{_ENDED} AND NOT ({TO_DO})"],
}
"""List to conditions, one for each part of it: the index has the rows of a status by time."""

_DEADLINES = {
    "waiting-for-acceptance": "h.accept_by",
    "in-progress": "h.complete_by",
    "waiting-for-approval": "h.complete_by",
}
_CAN_BE_LATE = ("waiting-for-acceptance", "in-progress")
_FROM = "FROM handoffs h CROSS JOIN tickets t ON t.num = h.num WHERE h.role = ? AND t.state <> 2"


def rows(
    store: Store,
    now: int,
    *,
    role: str | None = None,
    partner: str | None = None,
    every: bool = False,
    limit: int | None = None,
) -> Iterator[Row]:
    """The handoffs, list by list, as lead before as service partner; in each list those first that have been in their status longest.

    now: microseconds since 1970 UTC. role: ours. every: what is done, and earlier handoffs of the same tickets, too. limit: at most so
    many of each list.
    """
    for ours in ROLES if role is None else (role,):
        for name in LISTS if every else LISTS[:-2]:
            left = -1 if limit is None else limit
            for condition in _WHERE[name]:
                if left == 0:
                    break
                sql, values = _restricted(condition, ours, partner)
                columns = _columns(ours, name)
                with explained(store.path):
                    for row in store.db.execute(
                        f"SELECT {columns} {sql} ORDER BY h.since, h.pk LIMIT ?", [now, *values, left]
                    ):
                        left -= 1
                        yield row


def count(store: Store, role: str, name: str, partner: str | None = None) -> int:
    """How many handoffs a list has."""
    found = 0
    for condition in _WHERE[name]:
        sql, values = _restricted(condition, role, partner)
        with explained(store.path):
            found += store.db.execute(f"SELECT count(*) {sql}", values).fetchone()[0]
    return found


def _columns(role: str, name: str) -> str:
    deadline = _DEADLINES.get(name, "NULL")
    late = f"coalesce({deadline} < ?, 0)" if name in _CAN_BE_LATE else "? < 0"
    return (
        f"'{role}', '{name}', h.partner, t.id, t.title, h.id, h.status, h.ruled, h.since, h.accept_by, h.complete_by, {deadline}, {late},"
        " h.authorized, h.used, h.questions, h.held, h.pending, h.countered"
    )


def _restricted(condition: str, role: str, partner: str | None) -> tuple[str, list[object]]:
    if partner is None:
        return f"{_FROM} AND {condition}", [role]
    return f"{_FROM} AND {condition} AND h.partner = ? COLLATE NOCASE", [role, partner]
