"""The changes that a reading of a ticket comes to, as they are made: when they count, whose they are, whether other stores take them. Pure.

What a change is named by follows from the helpdesk alone, so that every store that reads the same makes the same.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from chit_sync import ids
from chit_sync.change import NONCE_BYTES, Change, nonce
from chit_sync.clock import MAX_STAMP, MINUTE, SECOND
from chit_sync.helpdesks.agreed import Agreed
from chit_sync.helpdesks.base import Snapshot
from chit_sync.helpdesks.facing import Facing, Head, Ours
from chit_sync.helpdesks.shaping import parts, too_large
from chit_sync.policy import refuse
from chit_sync.registers import Value

AHEAD = 5 * MINUTE
"""How far a helpdesk's clock may be ahead of ours before its times are only shown and no longer order changes."""


def derived_nonce(identity: str, number: int, *key: str) -> str:
    """A nonce that every reader of the same thing comes to."""
    return nonce(ids.derived(NONCE_BYTES, "nonce", identity, str(number), *key))


def item_of(identity: str, number: int, kind: str, ident: str) -> str:
    """The id here of an item that came into being there."""
    return ids.item_id("mirror", identity, str(number), kind, ident)


def ticket_of(identity: str, number: int) -> str:
    """The id here of a ticket that came into being there."""
    return ids.ticket_id("mirror", identity, str(number))


class Draft:
    """What came of a reading so far. troubles: path or `KIND:NUMBER` of a link to why it was not taken."""

    def __init__(self, desk: Facing, there: Snapshot, agreed: Agreed, ours: Ours) -> None:
        self.desk = desk
        self.there = there
        self.agreed = agreed
        self.ours = ours
        self.changes: list[Change] = []
        self.troubles: dict[str, str] = {}

    def earlier(self, path: str, heads: list[Head], is_it: Callable[[Value], bool]) -> bool:
        """Whether what they show is what we had before what we have now: ours got there, and has been rewritten here since.

        That is told once: what they had shown before and show again is a write of theirs.
        """
        if heads[0].mirrored:
            return False
        before = [one for one in self.ours.written(path) if is_it(one.value)]
        return bool(before) and not any(one.mirrored for one in before)

    def stamp(self, time: int) -> int:
        """The time of a change of fields: later than those before it, never ahead of ours by much."""
        self.agreed.at = max(self.sane(time), self.agreed.at + 1)
        return self.agreed.at

    def sane(self, time: int) -> int:
        """A time that orders changes: never before 1970, and never ahead of ours by much."""
        return max(1, time if time <= self.desk.now + AHEAD else self.desk.now)

    def change(
        self, at: int, time: int, by: str, sets: Mapping[str, Value], key: Iterable[str], over: Iterable[str] = ()
    ) -> None:
        """Adds a change by somebody there, if it is one that other stores take."""
        for change in self.made(at, time, by, sets, key, over):
            reason = refuse(change) or too_large(change)
            if reason:  # no store would take it from this one
                self.troubles[next(iter(change.set))] = reason
                continue
            self.changes.append(change)
            self.ours.take(change)

    def made(
        self, at: int, time: int, by: str, sets: Mapping[str, Value], key: Iterable[str], over: Iterable[str]
    ) -> Iterator[Change]:
        """The change that says it, or several if it is too much for one."""
        for part, some in enumerate(parts(sets)):
            yield Change(
                ticket=self.agreed.ticket, at=at, by=self.desk.author(by), set=some,
                nonce=derived_nonce(self.desk.identity, self.there.number, *key, *([str(part)] if part else [])), over=sorted(over),
                when=min(time, MAX_STAMP) if time > 0 and abs(time - at) >= SECOND else None, mirror=self.desk.mirror,
            )  # fmt: skip
