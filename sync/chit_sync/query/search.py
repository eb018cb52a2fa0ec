"""Finding the newest tickets that have some words, quickly whether the words are rare or common.

SQLite cannot know how common a word is, so the plan is made here, from a look at the newest texts that have each word:

- rare words: their tickets are read, intersected and sorted; the total comes for little.
- else the tickets are walked from the newest on, and each is looked up in what the index has for a word (`among`), or the index is
  asked about it (`probe`). For each word whichever is cheaper is taken; for common words that is the probe, because a page of
  them is full soon. If it is not, since words shun each other or other conditions are narrow, what was probed is read as well.
"""

import sqlite3
from math import prod
from typing import NamedTuple

from chit_sync.clock import MAX_STAMP
from chit_sync.query.compile import Compiled
from chit_sync.query.statements import select
from chit_sync.query.words import Sql, Word, among, newest, probe

SAMPLE = 1_000
"""Texts that are looked at for each word; a word with fewer is rare."""

FEW = 100
"""Tickets about which the index can be asked one by one, whatever comes of it."""

MOST = 500
"""Tickets about which the index is asked before another way is taken."""

LOOK, PROBE = 0.1, 30.0
"""Microseconds for reading a row of the index or looking a ticket up, and for asking the index about a ticket (5 to 40, by how many
pieces the index is in). Only their ratio counts."""


class Seen(NamedTuple):
    """What a look at a word told. numbers: its tickets, if it is rare. share: of the newest tickets, how many have it, about. texts: how
    many texts have it, about."""

    word: Word
    numbers: set[int] | None
    share: float
    texts: float


class Found(NamedTuple):
    """Rows of a page; tests: conditions for the words by which the rest can be counted cheaply, or None."""

    rows: list[tuple[object, ...]]
    tests: list[Sql] | None


def newest_with_words(db: sqlite3.Connection, compiled: Compiled, columns: str, limit: int, offset: int) -> Found:
    """The page of the newest tickets that the query finds; it must look for words."""
    last = db.execute("SELECT max(num) FROM tickets").fetchone()[0] or 1
    seen = [_look(db, word, last) for word in dict.fromkeys(compiled.words)]
    common = [one for one in seen if one.numbers is None]
    rare = [one.numbers for one in seen if one.numbers is not None]
    candidates = set.intersection(*rare) if rare else None
    if candidates is not None and (not common or len(candidates) <= FEW):
        tests = [_these(candidates), *(_ask(one) if one.numbers is None else ("1", []) for one in common)]
        return Found(db.execute(*select(compiled, columns, tests, limit, offset)).fetchall(), tests)
    first = [] if candidates is None else [_walking(_these(candidates))]
    share = 1.0 if candidates is None else len(candidates) / last
    probed, walked = _plan(common, share, limit + offset, last)
    if probed:
        narrow = bool(compiled.conditions) or compiled.open
        tests = [*first, _among_the_newest(walked * (8 if narrow else 2))]
        tests += [probe(one.word) if one in probed else _walking(among(one.word)) for one in common]
        rows = db.execute(*select(compiled, columns, tests, limit, offset, walk=True)).fetchall()
        if len(rows) == limit:
            return Found(rows, None)
    tests = [*first, *(_walking(among(one.word)) for one in common)]
    return Found(db.execute(*select(compiled, columns, tests, limit, offset, walk=True)).fetchall(), None)


def _look(db: sqlite3.Connection, word: Word, last: int) -> Seen:
    numbers = [number for (number,) in db.execute(*newest(word, SAMPLE + 1))]
    tickets = set(numbers)
    if len(numbers) <= SAMPLE:
        return Seen(word, tickets, len(tickets) / last, len(numbers))
    span = last - numbers[-1] + 1
    return Seen(word, None, len(tickets) / span, len(numbers) / span * last)


def _plan(common: list[Seen], share: float, wanted: int, last: int) -> tuple[list[Seen], int]:
    """The words to probe, and how many tickets will have to be walked; taking words to share no more tickets than by chance."""
    ordered = sorted(common, key=lambda one: (one.word.begins, -one.share))
    walked = min(last, int(wanted / max(share * prod(one.share for one in common), 1e-9)) + 1)
    best: tuple[float, list[Seen]] = (float("inf"), [])
    for split in range(len(ordered) + 1):
        probed, read = ordered[:split], ordered[split:]
        if any(one.word.begins for one in probed):
            break
        asked = walked * share * prod(one.share for one in read)
        cost = LOOK * (walked + sum(one.texts for one in read))
        for one in reversed(probed):
            cost += PROBE * asked
            asked *= one.share
        if cost < best[0] and (not probed or walked * share * prod(one.share for one in read) <= MOST):
            best = (cost, probed)
    return best[1], walked


def _ask(one: Seen) -> Sql:
    return among(one.word) if one.word.begins else probe(one.word)


def _these(numbers: set[int]) -> Sql:
    return "t.num IN (SELECT value FROM json_each(?))", [str(sorted(numbers))]


def _among_the_newest(tickets: int) -> Sql:
    """Bounds the walk to about that many tickets."""
    newest = "SELECT updated FROM tickets ORDER BY updated DESC LIMIT 1 OFFSET ?"
    return f"t.updated >= coalesce(({newest}), -{MAX_STAMP})", [tickets]


def _walking(test: Sql) -> Sql:
    """The same test, but no way by which SQLite would look for the tickets."""
    return f"+{test[0]}", test[1]
