"""Where reading from django-helpdesk goes on. Pure.

It has no list of what changed. Followups are the tail by which most changes are noticed; what leaves none (a change by another
program, a deletion) is found by reading everything, which is done as often as it costs little.
"""

import msgspec

from chit_sync.clock import MINUTE
from chit_sync.helpdesks.djhd_reading import Followup, Words
from chit_sync.ids import derived, letters

OVERLAP = 5 * MINUTE
"""A followup is dated before it is stored, and one may be stored while all is read: it may come this much late."""

SEEN = 300
"""Most followups that are known by their number."""

MARKED = 3_000
"""Most tickets whose state is kept as a mark, so that an unchanged one is not told of again."""

SMALL = 250
"""Up to that many tickets everything is read each time: that takes less than a second."""

PAUSE = 0.08
"""Seconds between two readings of everything for each ticket: reading takes the server a twentieth of them."""

LONGEST_PAUSE = 3_600.0


class Cursor(msgspec.Struct, omit_defaults=True):
    """floor: followups up to there were seen. seen: those after it, number to date. newest: the latest date. followups, tickets: how many.

    full: when all was last read, in seconds by the server's clock. walk, below: page and ticket where an unfinished reading is.
    marks: ticket to mark of its state. gone: tickets that are known not to be there any more.
    """

    floor: int = 0
    seen: dict[int, int] = {}
    newest: int = 0
    followups: int = 0
    tickets: int = 0
    full: float = 0.0
    walk: int = 0
    below: int = 0
    marks: dict[int, str] = {}
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
        return not self.full <= now < self.full + pause

    def changed(self, number: int, raw: object, words: Words) -> bool:
        """Whether a ticket is not as it was when it was last told of; it is taken down as told of."""
        text = msgspec.json.encode(raw, order="sorted").decode("utf-8", "replace")
        mark = letters(derived(6, repr(words), text))
        if self.marks.get(number) == mark:
            return False
        if number in self.marks or len(self.marks) < MARKED:
            self.marks[number] = mark
        return True


def read_cursor(text: str) -> Cursor:
    """The cursor that was kept; one for the beginning if it is none of ours."""
    try:
        return msgspec.json.decode(text.encode(), type=Cursor)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return Cursor()
