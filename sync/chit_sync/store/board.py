"""What is outsourced, as the lists that people work through. One statement over the rows of handoffs; no ticket is read."""

from collections.abc import Iterator
from typing import NamedTuple

from chit_sync.store.database import Store, explained

LISTS = (
    "drafts", "waiting-for-acceptance", "in-progress", "waiting-for-approval", "declined", "to-re-assign", "done", "earlier",
)  # fmt: skip
"""What each place in `Row.list` is called. A service partner has no drafts, and nothing to give to somebody else."""

ACCEPTANCE, PROGRESS = LISTS.index("waiting-for-acceptance"), LISTS.index("in-progress")


class Row(NamedTuple):
    """A handoff on the board, with its ticket. list: a place in LISTS. status: as it is shown; ruled: as the lead's store has it.

    deadline: to accept, or to complete; overdue: it has passed. authorized, used: minutes. questions: open ones. held: items held back.
    pending: moves that wait for the lead's store. countered: other terms are proposed. Times in microseconds since 1970 UTC.
    """

    role: str
    list: int
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
    overdue: int
    authorized: int | None
    used: int
    questions: int
    held: int
    pending: int
    countered: int


_LIST = """CASE WHEN h.status = 'completed' THEN 6
 WHEN h.current = 0 OR (h.status IN ('declined', 'canceled') AND (h.role = 'service' OR t.state <> 0)) THEN 7
 WHEN h.status = 'unsent' THEN 0 WHEN h.status = 'assigned' THEN 1 WHEN h.status = 'awaiting-approval' THEN 3
 WHEN h.status = 'declined' THEN 4 WHEN h.status = 'canceled' THEN 5 ELSE 2 END"""

_DEADLINE = "CASE h.status WHEN 'assigned' THEN h.accept_by WHEN 'unsent' THEN NULL ELSE h.complete_by END"

_OVERDUE = """(h.current = 1 AND ((h.status = 'assigned' AND h.accept_by < :now)
 OR (h.status IN ('accepted', 'in-progress') AND h.complete_by < :now)))"""

_OPEN = """h.current = 1 AND h.status IN ('unsent', 'assigned', 'accepted', 'in-progress', 'awaiting-approval', 'declined', 'canceled')
 AND (h.status NOT IN ('declined', 'canceled') OR (h.role = 'lead' AND t.state = 0))"""

_SELECT = f"""SELECT h.role, {_LIST} AS list, h.partner, t.id, t.title, h.id, h.status, h.ruled, h.since, h.accept_by, h.complete_by,
 {_DEADLINE}, coalesce({_OVERDUE}, 0), h.authorized, h.used, h.questions, h.held, h.pending, h.countered
 FROM handoffs h JOIN tickets t ON t.num = h.num WHERE t.state <> 2"""


def rows(
    store: Store, now: int, *, role: str | None = None, partner: str | None = None, every: bool = False
) -> Iterator[Row]:
    """The handoffs, list by list, as lead before as service partner, in each list the longest waiting first.

    now: microseconds since 1970 UTC. role: ours. every: what is done, and earlier handoffs of the same tickets, too.
    """
    values: dict[str, object] = {"now": now}
    sql = _SELECT
    if not every:
        sql += f" AND {_OPEN}"
    if role is not None:
        sql += " AND h.role = :role"
        values["role"] = role
    if partner is not None:
        sql += " AND h.partner = :partner COLLATE NOCASE"
        values["partner"] = partner
    with explained(store.path):
        yield from map(Row._make, store.db.execute(sql + " ORDER BY h.role, list, h.since, h.pk", values))
