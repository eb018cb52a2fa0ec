"""Where reading goes on in a Roundup tracker: times, and what was seen around them. Pure.

Roundup's clock shows whole seconds, and what is written now may become visible a little later. So each reading begins somewhat before
the end of the last one, and what that one saw there is told by the digests of rows: a row that differs in anything is new.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from chit_sync.clock import SECOND
from chit_sync.errors import UsageError
from chit_sync.helpdesks.roundup_reading import Shape, digest, moment, shape_of
from chit_sync.helpdesks.rows import Row, text
from chit_sync.ids import derived

OVERLAP = 15 * SECOND
KEPT = 100
"""Rows of a class that a cursor knows one by one; of those before them it only knows whether any has changed."""

DIGEST = 8


class Seen(NamedTuple):
    """What was seen of a class. since: the latest time. rows: digests of the last rows. cut: the last place before them; rest: a digest
    of all rows up to there that will be met again."""

    since: int = 0
    rows: frozenset[str] = frozenset()
    cut: tuple[int, int] = (0, 0)
    rest: str = ""

    @property
    def bound(self) -> int:
        """From when on rows are met again."""
        return max(0, self.since // SECOND * SECOND - OVERLAP)

    def new(self, rows: Iterable[Row]) -> list[Row]:
        """The rows that were not seen so."""
        unknown = [row for row in rows if digest(row) not in self.rows]
        if self.rest and _rest(row for row in unknown if _place(row) <= self.cut) == self.rest:
            return [row for row in unknown if _place(row) > self.cut]
        return unknown


def see(rows: Iterable[Row], since: int) -> Seen:
    """That these rows were seen."""
    bound = Seen(since).bound
    met = sorted((row for row in rows if time_of(row) >= bound), key=_place)
    left = met[:-KEPT]
    kept = frozenset(digest(row) for row in met[-KEPT:])
    return Seen(since, kept, _place(left[-1]), _rest(left)) if left else Seen(since, kept)


class Cursor(NamedTuple):
    """seen: by class. after: during a first reading, the last number that was told."""

    seen: Mapping[str, Seen]
    after: int = 0
    shape: Shape | None = None

    def write(self) -> str:
        """The cursor as text; its length does not depend on the tracker's."""
        seen = {key: [one.since, "".join(sorted(one.rows)), *one.cut, one.rest] for key, one in self.seen.items()}
        return json.dumps({"seen": seen, "after": self.after, "shape": self.shape}, separators=(",", ":"))


def read_cursor(written: str) -> Cursor:
    """A cursor. One that makes no sense is an error: to begin again is for people to say."""
    try:
        data = json.loads(written)
        seen = {str(key): _read_seen(*value) for key, value in data["seen"].items()}
        return Cursor(seen, int(data["after"]), shape_of(data["shape"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError("the place where reading was to go on is damaged", "Read everything anew.") from None


def _read_seen(since: int, rows: str, time: int, number: int, rest: str) -> Seen:
    digests = frozenset(rows[start : start + DIGEST] for start in range(0, len(rows), DIGEST))
    return Seen(int(since), digests, (int(time), int(number)), str(rest))


def time_of(row: Row) -> int:
    """When a row changed last; before all times if it does not tell."""
    return moment(row.get("activity")) or 0


def _place(row: Row) -> tuple[int, int]:
    return time_of(row), int(text(row, "id"))


def _rest(rows: Iterable[Row]) -> str:
    found = sorted(map(digest, rows))
    return urlsafe_b64encode(derived(9, *found)).decode() if found else ""
