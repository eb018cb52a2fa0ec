"""How far the transactions and tickets of a Request Tracker were read: the cursor. Pure.

The feed of transactions is read by their numbers. A server whose numbers may become visible out of order (PostgreSQL gives them out
before it commits) may show a lower one late, so the last stretch is read again each time, and the cursor holds what was there already.
"""

import json
from collections.abc import Iterable
from typing import NamedTuple

from chit_sync.errors import UsageError

NEAR = 99
"""How many numbers back every reading looks: less than a page of the server holds, so that looking costs one request."""

DEEP = 400
"""How many numbers back a reading looks that has found something new."""

PAGE = 100
"""Most rows that the server sends in one answer."""

MOST = 1 << 53


class Cursor(NamedTuple):
    """last: the highest transaction that was handled. floor: up to which number all count as handled. seen: those above it, as far as
    readings look back. at, to: the tickets with numbers up to `at` of those up to `to` are read; to is 0 when all are. done, total: of
    tickets, while `to` is set."""

    last: int = 0
    floor: int = 0
    seen: frozenset[int] = frozenset()
    at: int = 0
    to: int = 0
    done: int = 0
    total: int = 0

    def handled(self, ids: Iterable[int], last: int) -> "Cursor":
        """The cursor when these were handled too, up to `last`."""
        last = max(last, self.last)
        seen = {*self.seen, *(ident for ident in ids if ident <= last)}
        return self._replace(last=last, seen=frozenset(ident for ident in seen if ident > max(self.floor, last - DEEP)))

    def is_new(self, ident: int) -> bool:
        """Whether a transaction was not handled yet."""
        return ident > self.floor and ident > self.last - DEEP and ident not in self.seen


def encode(cursor: Cursor) -> str:
    """The cursor as a store keeps it."""
    values = {name: value for name, value in cursor._asdict().items() if value and name != "seen"}
    if cursor.seen:
        values["seen"] = " ".join(f"{start}+{length}" for start, length in _runs(cursor.seen))
    return json.dumps(values)


def decode(text: str) -> Cursor:
    """The cursor that a store kept. Raises UsageError for what is none."""
    try:
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError
        seen: set[int] = set()
        for run in str(values.pop("seen", "")).split():
            start, _, length = run.partition("+")
            seen.update(range(int(start), int(start) + min(int(length), DEEP)))
        numbers = {name: int(value) for name, value in values.items() if name in Cursor._fields}
    except (ValueError, TypeError):
        raise UsageError("what is known of how far Request Tracker was read is damaged", "Run `chit fsck`.") from None
    return Cursor(seen=frozenset(seen), **numbers)


def ranges(cursor: Cursor, most: int) -> list[tuple[int, int]]:
    """The next stretches of ticket numbers (above, up to) to be read at the same time: each for about one answer.

    Asking by numbers, not by pages, leaves nothing out when tickets come and go in between.
    """
    span = cursor.to - cursor.at
    left = max(1, cursor.total - cursor.done)
    width = PAGE if left >= 0.8 * span else max(PAGE, 80 * span // left)
    found: list[tuple[int, int]] = []
    at = cursor.at
    while at < cursor.to and len(found) < most:
        found.append((at, min(at + width, cursor.to)))
        at += width
    return found


def _runs(ids: Iterable[int]) -> Iterable[tuple[int, int]]:
    start = length = 0
    for ident in sorted(ids):
        if length and ident == start + length:
            length += 1
            continue
        if length:
            yield start, length
        start, length = ident, 1
    if length:
        yield start, length
