"""Where reading from django-helpdesk goes on. Pure.

It has no list of what changed. Followups are the tail by which most changes are noticed; what leaves none (a change by another
program, a deletion) is found by reading everything, which is done as often as it costs little.
"""

from base64 import b64decode, b64encode

import msgspec

from chit_sync.clock import MINUTE
from chit_sync.helpdesks.djhd_reading import Followup
from chit_sync.ids import derived

OVERLAP = 5 * MINUTE
"""A followup is dated before it is stored, and one may be stored while all is read: it may come this much late."""

SEEN = 40
"""Most followups that are known by their number."""

BUCKETS = 256
"""What tickets were like is kept in that many sums, so that a cursor does not grow with the helpdesk; those of a sum that is no longer
right are told of again."""

SUM_BYTES = 5

SMALL = 1_000
"""Up to that many tickets everything is read each time, so that nothing is noticed late: that takes up to four seconds."""

PAUSE = 0.08
"""Seconds between two readings of everything for each ticket: reading takes the server a twentieth of them."""

LONGEST_PAUSE = 3_600.0
COARSE = 5.0
"""Seconds by which the server's clock may seem to go back: it tells whole seconds, some time after it looked."""


class Cursor(msgspec.Struct, omit_defaults=True):
    """floor: followups up to there were seen. seen: those after it, number to date. newest: the latest date. followups, tickets: how many.

    full: when all was last read, in seconds by the server's clock. walk, below: page and ticket where an unfinished reading is.
    sums: what the tickets were like. gone: tickets that are known not to be there any more.
    """

    floor: int = 0
    seen: dict[int, int] = {}
    newest: int = 0
    followups: int = 0
    tickets: int = 0
    full: float = 0.0
    walk: int = 0
    below: int = 0
    sums: str = ""
    gone: list[int] = []

    def text(self) -> str:
        """As it is kept."""
        return msgspec.json.encode(self).decode()

    def learn(self, followups: list[Followup]) -> None:
        """Takes down that these are known."""
        for one in followups:
            if one.date > self.floor:
                self.seen[one.number] = one.date
        self.newest = max(self.seen.values(), default=self.newest)
        self.floor = max(self.floor, self.newest - OVERLAP)
        kept = sorted(((date, number) for number, date in self.seen.items() if date > self.floor), reverse=True)
        if len(kept) > SEEN:
            self.floor = kept[SEEN][0]
        self.seen = {number: date for date, number in kept[:SEEN] if date > self.floor}

    def fresh(self, one: Followup) -> bool:
        """Whether it was not there before."""
        return one.date > self.floor and one.number not in self.seen

    def due(self, now: float) -> bool:
        """Whether it is time to read everything. now: in seconds by the server's clock."""
        pause = min(LONGEST_PAUSE, self.tickets * PAUSE)
        return not self.full - COARSE <= now < self.full + pause


class Sums:
    """What tickets are like, in a few sums. of: what else the way that they are told of depends on."""

    def __init__(self, of: object) -> None:
        self._of = repr(of)
        self._sums = [0] * BUCKETS

    def add(self, number: int, raw: object) -> None:
        """Takes a ticket in."""
        text = msgspec.json.encode(raw, order="sorted").decode("utf-8", "replace")
        bucket = number % BUCKETS
        mark = int.from_bytes(derived(SUM_BYTES, self._of, text), "big")
        self._sums[bucket] = (self._sums[bucket] + mark) % (1 << 8 * SUM_BYTES)

    def text(self) -> str:
        """As they are kept."""
        return b64encode(b"".join(one.to_bytes(SUM_BYTES, "big") for one in self._sums)).decode()

    def differs(self, before: str) -> list[bool]:
        """For each of them whether it is another than before."""
        try:
            data = b64decode(before, validate=True)
        except ValueError:
            data = b""
        if len(data) != BUCKETS * SUM_BYTES:
            return [True] * BUCKETS
        return [
            int.from_bytes(data[place * SUM_BYTES : (place + 1) * SUM_BYTES], "big") != one
            for place, one in enumerate(self._sums)
        ]


def read_cursor(text: str) -> Cursor:
    """The cursor that was kept; one for the beginning if it is none of ours."""
    try:
        return msgspec.json.decode(text.encode(), type=Cursor)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return Cursor()
