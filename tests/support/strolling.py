"""A random walk on a helpdesk with a server: somebody edits in a store, somebody else there, they exchange, and the network is cut.

By lot from a seed, but for the words that are written: each of those is another one in each run, since no real server is set back.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from chit_sync.clock import DAY, SECOND
from chit_sync.errors import ChitError
from chit_sync.helpdesks.agreed import mark
from chit_sync.helpdesks.base import Snapshot
from chit_sync.registers import Value, same
from chit_sync.store import bases, fsck
from chit_sync.store.making import new_item
from chit_sync.ticket import Ticket
from support.cutting import ANSWER, PLACES, REQUEST, Proxy, cut, everything
from support.following import Following, here, there, word
from support.mirroring import quiet
from support.sites import values

FIELDS = ("title", "description", "status", "priority", "assignee", "due", "fields")
"""What is edited here."""

CUTS = [(side, place) for side in (REQUEST, ANSWER) for place in PLACES]
"""Where the network is cut."""


class Stroll:
    """told: what has happened, for whoever wants to know how it came to what is wrong."""

    def __init__(
        self, side: Following, proxy: Proxy, folder: Path, seed: object, cuts: Sequence[tuple[str, str]]
    ) -> None:
        self.side, self.site, self.proxy, self.folder = side, side.site, proxy, folder
        self.chance = random.Random(str(seed))
        self.cuts = cuts
        self.about = side.desk.describe()
        self.words = side.mapping(self.about)
        self.numbers: list[int] = []
        self.made: list[int] = []
        """Tickets that were made here, by this store's numbers."""
        self.said: list[str] = []
        self.filed: list[str] = []
        self.logged = 0
        self.told: list[str] = []

    def run(self, steps: int) -> None:
        """So many things happen, one after the other."""
        for _ in range(2):
            self.theirs_new()
        self.side.pull()
        acts: list[Callable[[], None]] = [
            self.ours_new, self.ours_edit, self.ours_edit, self.ours_edit, self.ours_say, self.ours_attach, self.ours_log,
            self.theirs_new, self.theirs_edit, self.theirs_edit, self.theirs_edit, self.theirs_say, self.theirs_attach,
            self.exchange, self.exchange, self.exchange, self.exchange, self.exchange, self.exchange,
        ]  # fmt: skip
        for _ in range(steps):
            act = self.chance.choice(acts)
            self.told.append(act.__name__)
            act()

    # Here

    def _ticket(self) -> Ticket | None:
        here = {row[1] for row in self._known()} | set(self.made)
        found = [ticket for ticket in self.side.tickets() if ticket.number in here]
        return self.chance.choice(found) if found else None

    def _known(self) -> list[tuple[int, int]]:
        """The numbers there and here of the tickets of this walk."""
        db = self.side.store.db
        known = db.execute("SELECT number, num FROM numbers WHERE remote = ?", (self.side.remote.id,)).fetchall()
        return [(number, num) for number, num in known if number in self.numbers or num in self.made]

    def ours_new(self) -> None:
        self.made.append(self.side.new(title=word(), description=f"{word()}\n\nmore 打印机").number)

    def _value(self, feature: str) -> tuple[str, Value]:
        """A path and a value for it, in the helpdesk's words."""
        path, found = values(self.about, feature)
        if feature in ("title", "description"):
            return path, word()
        if feature in ("due", "assignee"):
            found = [*found, None]
        return path, self.chance.choice(found)

    def ours_edit(self) -> None:
        ticket = self._ticket()
        feature = self.chance.choice([name for name in FIELDS if self.about.features[name].write])
        if ticket and (feature != "fields" or values(self.about, feature)[1]):
            path, value = self.words.to_ours(*self._value(feature))
            self.told[-1] += f" {ticket.number} {path}={value}"
            self.side.edit(ticket, {path: value})

    def ours_say(self) -> None:
        if ticket := self._ticket():
            self.said.append(word())
            notes = self.about.features["notes"].write
            self.side.say(ticket, self.said[-1], self.chance.choice(("public", "internal")) if notes else "public")
            self.told[-1] += f" {ticket.number} {self.said[-1]}"

    def ours_attach(self) -> None:
        if ticket := self._ticket():
            self.filed.append(word() + ".txt")
            file = self.folder / self.filed[-1]
            file.write_bytes(self.chance.randbytes(1 << self.chance.randrange(18)))
            self.side.attach(ticket, file)
            self.told[-1] += f" {ticket.number} {self.filed[-1]}"

    def ours_log(self) -> None:
        ticket = self._ticket()
        if ticket and self.about.features["time"].write:
            key = f"time/{new_item(self.side.store)}"
            date = 1_770_000_000 * SECOND // DAY * DAY
            minutes = 6 * self.chance.randrange(1, 50)  # tenths of hours, which all helpdesks know
            self.side.edit(ticket, {f"{key}/minutes": minutes, f"{key}/date": date, f"{key}/note": "swept"})
            self.logged += 1

    # There

    def theirs_new(self) -> None:
        self.numbers.append(self.site.add_ticket(word(), "As it was filed."))

    def _number(self) -> int:
        return self.chance.choice([*self.numbers, *(number for number, num in self._known() if num in self.made)])

    def theirs_edit(self) -> None:
        number = self._number()
        path, value = self._value(self.chance.choice(("title", "status", "priority")))
        self.told[-1] += f" #{number} {path}={value}"
        self.site.edit(number, **{path: value})

    def theirs_say(self) -> None:
        self.said.append(word())
        number = self._number()
        self.told[-1] += f" #{number} {self.said[-1]}"
        self.site.say(number, self.said[-1], self.chance.random() < 0.5)

    def theirs_attach(self) -> None:
        self.filed.append(word() + ".txt")
        self.site.attach(self._number(), self.filed[-1], self.chance.randbytes(1000))

    # Between the two

    def exchange(self) -> None:
        """A pull or push, whole or cut somewhere."""
        do = self.chance.choice((self.side.pull, self.side.push, self.side.push, self.side.fetch, self.side.bytes))
        self.told[-1] += f" {do.__name__}"
        self.proxy.look(everything)
        if self.chance.random() < 0.6:
            nth, (side, place) = self.chance.randrange(1, 16), self.chance.choice(self.cuts)
            lasting = self.chance.random() < 0.5
            self.told[-1] += f" cut {nth} {side} {place} {lasting}"
            self.proxy.look(cut(nth, side, place, lasting=lasting))
        with suppress(ChitError):
            do()
        self.proxy.look(everything)

    def settle(self) -> None:
        """Conflicts are resolved, what was refused is sent again, until nothing is left to do."""
        side = self.side
        self.proxy.look(everything)
        for _ in range(4):
            side.pull()
            for ticket in side.tickets():
                for conflict in ticket.conflicts:
                    side.edit(ticket, {conflict.path: conflict.shown}, resolve=True)
            side.push(again=True)
        side.pull()
        side.bytes()

    def check(self) -> None:
        """Both sides show the same, each thing once."""
        side = self.side
        quiet(side)
        known = dict(self._known())
        assert set(known.values()) >= set(self.made)
        assert len(known) == len(set(known.values())) == len(self.numbers) + len(self.made)
        tickets = {number: side.ticket(number) for number in known}
        titles = {ticket.title for ticket in tickets.values()}
        found, held = there(self.site, titles), here(side, titles)
        assert found == held, f"there {set(found) - set(held)}, here {set(held) - set(found)}"
        _once([body for one in found for body, _ in one.comments], self.said)
        _once([name for one in found for name, _ in one.files], self.filed)
        assert sum(len(ticket.times) for ticket in tickets.values()) == self.logged
        for number, ticket in tickets.items():
            self._agree(number, ticket)
        assert [one for one in fsck.check(side.store) if not one.harmless] == []
        assert bases.open_calls(side.store, side.remote.id) == []

    def _agree(self, number: int, ticket: Ticket) -> None:
        (read,) = self.side.desk.read([number])
        assert isinstance(read, Snapshot)
        assert not ticket.conflicts
        for path, raw in read.fields.items():
            if not self.words.reads(path):
                continue
            ours, value = self.words.to_ours(path, raw)
            held = ticket.value(ours)
            kept = self.words.to_theirs(ours, held)[1] if self.words.writes(ours) else None
            agree = same(held, value) or mark(self.side.desk.stored(path, kept)) == mark(raw)
            assert agree, f"#{number}: {ours} is {held!r} here, {raw!r} there"
        assert len(read.works) == len(ticket.times)


def _once(found: list[str], wanted: list[str]) -> None:
    """Each is there once, and nothing else."""
    there, here = Counter(found), Counter(wanted)
    assert there == here, f"there too much: {there - here}, missing: {here - there}"
