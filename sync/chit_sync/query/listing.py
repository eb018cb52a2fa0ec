"""Finding tickets: runs queries against a store, a page at a time, as a stream, or for their numbers only.

The view that everybody asks for, the open tickets with no query, is one statement on one index; nothing of the query language is
even imported for it. How long anything takes must not depend on how many
tickets there are, as far as an index can help it; where a total would cost more than the page, there is none.
"""

import sqlite3
from collections.abc import Iterator
from datetime import tzinfo
from typing import TYPE_CHECKING, NamedTuple

from chit_sync.store.database import Store, explained

if TYPE_CHECKING:
    from chit_sync.query.compile import Compiled
    from chit_sync.query.words import Sql

COUNT_STEPS = 50_000
"""How many steps of SQLite's machine a total may cost: a few milliseconds."""


class Row(NamedTuple):
    """A ticket in a list. priority: 1 is the most urgent. updated: microseconds since 1970 UTC."""

    num: int
    id: str
    title: str | None
    status: str | None
    priority: int
    assignee: str | None
    queue: str | None
    emergency: int | None
    updated: int


class Page(NamedTuple):
    """Some of the tickets that a query finds. total: how many it finds; None where there are more than these, and counting costs."""

    rows: list[Row]
    total: int | None


_COLUMNS = ", ".join(f"t.{name}" for name in Row._fields)
_OPEN = (
    f"SELECT {_COLUMNS} FROM tickets t WHERE t.state = 0 ORDER BY t.priority, t.updated DESC, t.num LIMIT ? OFFSET ?"
)
_OPEN_COUNT = "SELECT count(*) FROM tickets WHERE state = 0"


def page(
    store: Store,
    text: str = "",
    *,
    me: str,
    now: int,
    tz: tzinfo,
    limit: int | None = 50,
    offset: int = 0,
    all_states: bool = False,
    sort: str | None = None,
) -> Page:
    """The tickets that the query finds, from `offset` on, at most `limit`, and how many there are.

    me: for `@me` and `is:mine`. tz: the zone in which a date is a day. all_states: a query that says nothing about it finds more
    than open tickets. sort: an order such as `priority,-updated`. Raises QueryError.
    """
    most = -1 if limit is None else limit
    with explained(store.path):
        if _plain(text, all_states, sort):
            found = store.db.execute(_OPEN, (most, offset)).fetchall()
            counting: Sql | None = (_OPEN_COUNT, [])
        else:
            compiled = _compile(store, text, me, now, tz, all_states, sort)
            found, counting = _find(store.db, compiled, most, offset)
        if len(found) != most and (found or not offset):
            total: int | None = offset + len(found)
        else:
            total = _count(store.db, counting) if counting else None
    return Page(list(map(Row._make, found)), total)


def rows(
    store: Store,
    text: str = "",
    *,
    me: str,
    now: int,
    tz: tzinfo,
    all_states: bool = False,
    sort: str | None = None,
) -> Iterator[Row]:
    """All tickets that the query finds, one by one as they are read. Arguments as for `page`. Raises QueryError at once."""
    if _plain(text, all_states, sort):
        statement: Sql = (_OPEN, [-1, 0])
    else:
        from chit_sync.query.statements import select

        statement = select(_compile(store, text, me, now, tz, all_states, sort), _COLUMNS)

    def stream() -> Iterator[Row]:
        with explained(store.path):
            yield from map(Row._make, store.db.execute(*statement))

    return stream()


def numbers(
    store: Store,
    text: str,
    *,
    me: str,
    now: int,
    tz: tzinfo,
    all_states: bool = False,
    sort: str | None = None,
) -> list[int]:
    """This store's numbers of the tickets that the query finds, in the order of a list. Arguments as for `page`. Raises QueryError."""
    from chit_sync.query.statements import select

    compiled = _compile(store, text, me, now, tz, all_states, sort)
    with explained(store.path):
        return [number for (number,) in store.db.execute(*select(compiled, "t.num"))]


def count(
    store: Store,
    text: str = "",
    *,
    me: str,
    now: int,
    tz: tzinfo,
    all_states: bool = False,
) -> int:
    """How many tickets the query finds, whatever it takes to count them. Arguments as for `page`. Raises QueryError."""
    with explained(store.path):
        if _plain(text, all_states, None):
            statement: Sql = (_OPEN_COUNT, [])
        else:
            from chit_sync.query.statements import count

            statement = count(_compile(store, text, me, now, tz, all_states, None))
        return int(store.db.execute(*statement).fetchone()[0])


def _plain(text: str, all_states: bool, sort: str | None) -> bool:
    return not all_states and sort is None and not text.strip()


def _compile(store: Store, text: str, me: str, now: int, tz: tzinfo, all_states: bool, sort: str | None) -> "Compiled":
    from chit_sync.query.compile import compile_query
    from chit_sync.query.values import Context

    return compile_query(text, Context(me, now, tz, store.statuses), all_states=all_states, sort=sort)


def _find(
    db: sqlite3.Connection, compiled: "Compiled", limit: int, offset: int
) -> tuple[list[tuple[object, ...]], "Sql | None"]:
    """The rows, and the statement that counts all, if that is worth its while."""
    from chit_sync.query.statements import count, select

    if compiled.words and limit >= 0 and compiled.by_recency:
        from chit_sync.query.search import newest_with_words

        rows, tests = newest_with_words(db, compiled, _COLUMNS, limit, offset)
        return rows, None if tests is None else count(compiled, tests)
    walk = compiled.by_recency and limit >= 0
    return db.execute(*select(compiled, _COLUMNS, None, limit, offset, walk=walk)).fetchall(), count(compiled)


def _count(db: sqlite3.Connection, counting: "Sql") -> int | None:
    """What the statement counts, unless it takes too long."""
    if counting[0] == _OPEN_COUNT:
        return int(db.execute(*counting).fetchone()[0])
    db.set_progress_handler(lambda: 1, COUNT_STEPS)
    try:
        return int(db.execute(*counting).fetchone()[0])
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname != "SQLITE_INTERRUPT":
            raise
        return None
    finally:
        db.set_progress_handler(None, 0)
