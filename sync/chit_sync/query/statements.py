"""The statements that a compiled query becomes: what is selected, which conditions hold, in which order. Pure."""

from chit_sync.query.compile import Compiled
from chit_sync.query.words import Sql, among, rank

BY_URGENCY = "t.priority, t.updated DESC, t.num"
"""The order of the index tickets_open."""

BY_RECENCY = "t.updated DESC, t.num DESC"

_KEYS = {
    "priority": "t.priority",
    "updated": "t.updated",
    "created": "t.created",
    "number": "t.num",
    "title": "t.title COLLATE NOCASE",
    "rank": "k.rank",
}


def select(
    compiled: Compiled,
    columns: str,
    words: list[Sql] | None = None,
    limit: int = -1,
    offset: int = 0,
    *,
    walk: bool = False,
) -> Sql:
    """The statement that finds the tickets. words: tests in place of the query's words. walk: as for `where`."""
    conditions, values = where(compiled, words, walk=walk)
    order, ordering = _order(compiled)
    ranks, ranking = _ranks(compiled)
    sql = f"SELECT {columns} FROM tickets t{ranks}{conditions} ORDER BY {order} LIMIT ? OFFSET ?"
    return sql, [*ranking, *values, *ordering, limit, offset]


def count(compiled: Compiled, words: list[Sql] | None = None) -> Sql:
    """The statement that counts them."""
    conditions, values = where(compiled, words)
    return f"SELECT count(*) FROM tickets t{conditions}", values


def where(compiled: Compiled, words: list[Sql] | None, *, walk: bool = False) -> Sql:
    """All conditions. walk: SQLite shall go through the tickets from the newest on, not through an index of the open ones (a plus
    before a term keeps it from choosing an index)."""
    tests = [*(map(among, compiled.words) if words is None else words), *compiled.conditions]
    if compiled.open and compiled.offers:
        tests.append(("t.state IN (0, 3)", []))
    elif compiled.open:
        tests.append(("+t.state = 0" if walk else "t.state = 0", []))
    elif not compiled.deleted:
        tests.append(("t.state <> 2" if compiled.anything else "t.state < 2", []))
    if not tests:
        return "", []
    return " WHERE " + " AND ".join(sql for sql, _ in tests), [value for _, values in tests for value in values]


def _order(compiled: Compiled) -> Sql:
    if not compiled.order:
        return (BY_RECENCY if compiled.by_recency else BY_URGENCY), []
    parts: list[str] = []
    values: list[object] = []
    for key, descending in compiled.order:
        after = " DESC" if descending else ""
        if key == "status":
            cases = "".join(f" WHEN ? THEN {place}" for place in range(len(compiled.statuses)))
            parts.append(f"CASE t.status{cases} ELSE {len(compiled.statuses)} END{after}")
            values += compiled.statuses
        elif key == "due":
            parts.append(f"t.due IS NULL, t.due{after}")
        else:
            parts.append(_KEYS[key] + after)
    parts.append(_ties(compiled.order))
    return ", ".join(parts), values


def _ties(order: list[tuple[str, bool]]) -> str:
    """What decides between equals, so that pages do not overlap; as the indexes have it where there is one for the order."""
    if order == [("priority", False), ("updated", True)]:
        return "t.num"
    for key, descending in order:
        if key == "updated":
            return "t.num DESC" if descending else "t.num"
    return "t.updated DESC, t.num" if order == [("priority", False)] else BY_RECENCY


def _ranks(compiled: Compiled) -> Sql:
    if all(key != "rank" for key, _ in compiled.order):
        return "", []
    sql, values = rank(compiled.words)
    return f" JOIN ({sql}) k ON k.num = t.num", values
