"""Compares the tables of two databases, one kept and one just made from the same log, side by side. For `fsck` alone.

`main` is the one just made, `kept` the one that is checked; both are read in the same order, so memory stays flat.
"""

import sqlite3
from collections.abc import Iterator
from itertools import chain
from typing import Any

from chit_sync.store.database import Connection
from chit_sync.store.migrations import ITEM_BITS
from chit_sync.store.problems import Problems

REBUILD = "Run `chit fsck --rebuild`: it makes the tables again from the log."

CACHES = (
    ("tickets", 1, "num"),
    ("registers", 1, "num"),
    ("items", 1, f"pk >> {ITEM_BITS}"),
    ("labels", 2, "num"),
    ("conflicts", 2, "num"),
    ("missing", 1, "0"),
    ("handoffs", 1, "num"),
)
"""The tables that are made from the log: name, columns in the key (they come first), number of the row's ticket."""


def text(data: bytes) -> str:
    """Text that may be damaged, so that it can be compared and shown."""
    return data.decode("utf-8", "backslashreplace")


def compare_tables(db: Connection, problems: Problems, doubtful: set[int]) -> None:
    """Compares the tables with what the log says, but for tickets of which the log itself is in doubt."""
    for table, keys, number in CACHES:
        query = f"SELECT *, {number} FROM {{}}.{table} ORDER BY " + ", ".join(str(n + 1) for n in range(keys))
        _compare(db, problems, doubtful, table, query, keys)
    for schema in ("main", "kept"):
        db.execute(f"CREATE VIRTUAL TABLE temp.{schema}_words USING fts5vocab({schema}, search, instance)")
    words = f"SELECT term, doc, col = 'body', offset, doc >> {ITEM_BITS} FROM temp.{{}}_words"
    db.text_factory = bytes  # there are very many words, and nobody reads them here
    _compare(db, problems, doubtful, "search", words, 4)
    sizes = f"SELECT id, sz, id >> {ITEM_BITS} FROM {{}}.search_docsize ORDER BY id"
    _compare(db, problems, doubtful, "search", sizes, 1)
    db.text_factory = text


def _compare(db: Connection, problems: Problems, doubtful: set[int], table: str, query: str, keys: int) -> None:
    last = None
    try:
        for number in _differing(db, query, keys):
            if number != last and number not in doubtful:
                where = f"ticket {number}" if number else table
                problems.add("tables", where, f"the table {table} does not have what the changes say", REBUILD)
            last = number
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        problems.add("tables", table, f"the table {table} cannot be read: {error}", REBUILD)


Row = tuple[Any, ...]

AT_ONCE = 1_000
"""Rows compared at once while they are equal."""


def _differing(db: Connection, query: str, keys: int) -> Iterator[int]:
    """The ticket's number (the last column) of each row that only one of the two databases has, read side by side.

    Both give their rows in the order of the first `keys` columns.
    """
    ours, theirs = db.execute(query.format("main")), db.execute(query.format("kept"))
    while (ours_next := ours.fetchmany(AT_ONCE)) == (theirs_next := theirs.fetchmany(AT_ONCE)):
        if not ours_next:
            return
    ours_left, theirs_left = chain(ours_next, ours), chain(theirs_next, theirs)
    one, other = next(ours_left, None), next(theirs_left, None)
    while one is not None or other is not None:
        if one == other:
            one, other = next(ours_left, None), next(theirs_left, None)
            continue
        here = _order(one, keys)
        there = _order(other, keys)
        if one is not None and here <= there:
            yield one[-1]
        elif other is not None:
            yield other[-1]
        one, other = (
            next(ours_left, None) if here <= there else one,
            next(theirs_left, None) if there <= here else other,
        )


def _order(row: Row | None, keys: int) -> list[tuple[int, Any]]:
    """As SQLite orders values of several types; the end comes after everything."""
    if row is None:
        return [(9, None)]
    return [(_RANKS.get(type(value), 3), value) for value in row[:keys]]


_RANKS = {type(None): 0, int: 1, float: 1, str: 2}
