"""django-helpdesk 2.6 by its REST interface, as a helpdesk that can be followed and written to.

It tells of few changes by itself, so that what is noticed when depends on how many tickets there are:

    a new ticket, comment, status by its pages     by the next pull: each leaves a followup, and those are read from the end
    what another program changes, an edited or     up to 1,000 tickets: by the next pull, which then reads everything at once;
    deleted comment or ticket                      2,000 tickets: by the first pull after 160 seconds; 10,000: after 13 minutes;
                                                   at the latest by the first after an hour. A deletion of a comment or ticket
                                                   changes the number of followups, and is noticed by the next pull all the same

Queues have numbers: `?queue=1&queue=2:Billing` follows two and gives the second a name. A name alone, `?queue=Billing`, is looked up in
the forms that the interface shows to browsers, if the site does; so is who we are, unless the address says so: `?me=7`. People are
told by their numbers. `?query=status=Open,Reopened` follows what has one of these states.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import BinaryIO

from chit_sync.clock import SECOND
from chit_sync.errors import UsageError
from chit_sync.helpdesks.address import Address
from chit_sync.helpdesks.base import (
    BOTH,
    Call,
    Choice,
    Custom,
    Description,
    Feature,
    Found,
    Gone,
    Outcome,
    Page,
    Person,
)
from chit_sync.helpdesks.djhd_asking import LISTED, Asking, Listing
from chit_sync.helpdesks.djhd_cursor import BUCKETS, SMALL, Cursor, Sums, read_cursor
from chit_sync.helpdesks.djhd_reading import is_number
from chit_sync.helpdesks.djhd_writing import Writing
from chit_sync.registers import Value

SINGLY = 4
"""Tickets that are cheaper to ask for one by one than all together."""

FOUND = 100
"""Tickets of a page of what changed."""

FRESH = 1_000
"""New followups after which it is cheaper to read everything than to look at each."""

SHORT = 50
"""Followups that are too few to see what has come while tickets were read."""

MISSING = 50
"""Tickets that are looked for one by one after they were missing from a list; the others wait for the next time."""

MOST_GONE = 40
"""Tickets that are remembered as not there."""

MEANS = {
    "open": "open", "new": "new", "reopened": "open", "resolved": "resolved", "closed": "closed", "duplicate": "rejected",
    "replied": "pending", "waiting": "pending", "pending": "pending", "on hold": "pending", "rejected": "rejected",
}  # fmt: skip
PRIORITIES = ("critical", "high", "normal", "low", "planned")

FEATURES: Mapping[str, Feature] = {
    "title": BOTH,
    "description": BOTH,
    "status": BOTH,
    "priority": BOTH,
    "queue": Feature(
        True, True, "Its interface names no queues: give those that you follow a name in the address, ?queue=1:Support."
    ),
    "assignee": Feature(True, True, "People have numbers; the table of people in the configuration says who is who."),
    "requester": Feature(True, True, "An e-mail address, or nobody."),
    "due": BOTH,
    "labels": Feature(False, False, "django-helpdesk's interface has no tags."),
    "fields": Feature(True, True, "A field that has a value cannot be emptied by the interface."),
    "history": Feature(False, False, "Only changes of the status that were made together with a followup are told."),
    "replies": Feature(True, True, "A new one is by whoever is logged in, and dated when it arrives."),
    "notes": Feature(True, True, "A new one is by whoever is logged in, and dated when it arrives."),
    "comment edits": BOTH,
    "comment deletions": BOTH,
    "attachments": Feature(True, True, "Each hangs on a followup without text. Empty files are refused."),
    "attachment deletions": Feature(True, True, "The followup without text that it hung on stays."),
    "time": Feature(
        True,
        True,
        "The day of the work stands in the last line of the note, since the server dates it by when it arrives.",
    ),
    "time edits": Feature(True, True, "Time of a public reply has no note of its own."),
    "links": Feature(
        False, False, "django-helpdesk's interface has no links but that to what a ticket was merged into."
    ),
    "merges": Feature(True, True, "The comments of the ticket that is merged stay with it."),
    "deletions": Feature(
        True, True, "A ticket of a queue that one may not see any more looks like a deleted one, and leaves no author."
    ),
}


class DjangoHelpdesk:
    """The adapter. secret: a token, or `login:password`."""

    kind = "djhd"

    def __init__(
        self, address: Address, secret: str | None, *, timeout: float = 30.0, ca_file: str | None = None
    ) -> None:
        self.where = f"djhd+{address.base}"
        self._statuses = _states(address.query)
        self._asking = Asking(
            self.where, address.base, secret, [_queue(text) for text in address.queues], timeout, ca_file
        )
        self._name = ""
        if "me" in address.options:
            number, self._name = _queue(address.options["me"])
            if not number:
                raise UsageError(
                    f"me={address.options['me']} is nobody at a django-helpdesk",
                    "It is a number there: me=7 or me=7:anna.",
                )
            self._asking.learn_me(number)
        self._writing = Writing(self._asking)

    def describe(self) -> Description:
        """What it is and who we are there."""
        words, asking = self._asking.words, self._asking
        people = [Person(number, login) for number, login in sorted(asking.people.items(), key=lambda one: int(one[0]))]
        me = asking.me
        numbers = sorted(words.priorities)
        return Description(
            "django-helpdesk", "unknown", Person(me, self._name or asking.people.get(me, "")),
            _statuses(words.statuses.values()),
            [
                Choice(words.priorities[number], PRIORITIES[min(rank, 4) if len(numbers) > 3 else min(rank + 1, 4)])
                for rank, number in enumerate(numbers)
            ],
            people, [*words.queues.values()],
            [
                Custom("x.resolution"), Custom("x.on_hold", ("true",)),
                *(Custom(field.path, field.choices) for key, field in words.fields.items() if key != words.reference),
            ],
            FEATURES, self._limits(), words.reference, next(iter(words.queues.values()), ""),
        )  # fmt: skip

    def _limits(self) -> dict[str, int]:
        words = self._asking.words
        limits = {
            field.path: field.most for key, field in words.fields.items() if field.most and key != words.reference
        }
        return {"title": words.most_title, "requester": 254, "filename": 1_000, **limits}

    def changed(self, cursor: str, known: Collection[int]) -> Iterator[Page]:
        """What changed since the cursor."""
        state = read_cursor(cursor)
        known = frozenset(known)
        if state.full and not state.walk and state.tickets > SMALL:
            touched = self._touched(state)
            if touched is not None and len(touched) <= SINGLY and not state.due(self._now()):
                found = [one for one in self.read(sorted(touched)) if self._follows(one, known)]
                yield Page(found, state.text(), len(found), len(found))
                return
        yield from self._everything(state, known)

    def _now(self) -> float:
        """The time by the server's clock."""
        return time.time() + (self._asking.web.skew or 0.0)

    def _follows(self, one: Found, known: Collection[int]) -> bool:
        if isinstance(one, Gone) or one.number in known:
            return one.number in known
        queues = self._asking.words.queues.values()
        if queues and one.fields.get("queue") not in queues:
            return False
        return not self._statuses or str(one.fields.get("status")).casefold() in self._statuses

    def _touched(self, state: Cursor) -> set[int] | None:
        """The tickets with new followups; None if the followups do not tell it all."""
        fresh = {}
        page = 0
        total = 0
        while True:
            count, number, followups = self._asking.followups(page)
            total = total or count
            for one in followups:
                if state.fresh(one):
                    fresh[one.number] = one
            complete = len(fresh) == total - state.followups
            if complete or number <= 1 or len(fresh) > FRESH or any(one.date <= state.floor for one in followups):
                break
            page = number - 1
        state.learn(list(fresh.values()))
        state.followups = total
        return {one.ticket for one in fresh.values()} if complete else None

    def _everything(self, state: Cursor, known: frozenset[int]) -> Iterator[Page]:
        """All tickets, the newest first; those that may have changed are told of."""
        whole, begun = not state.walk, 0.0
        found: list[Found] = []
        present: set[int] = set()
        sums = ""
        for listing in self._asking.walk(page=state.walk):
            if whole and not begun:
                begun = self._now()
                self._start(state, listing)
            present |= {number for raw in listing.tickets if isinstance(number := raw.get("id"), int)}
            tickets: list[tuple[Found, object]] = [
                (one, raw) for raw in reversed(listing.tickets) if self._follows(one := self._asking.take(raw), known)
            ]
            if whole and listing.total <= LISTED:
                tickets, sums = self._altered(tickets, state.sums, known)
            for one, _ in tickets:
                if not 0 < state.below <= one.number:
                    found.append(one)
                if len(found) == FOUND:
                    yield Page(found, self._until(state, listing.page, one.number), len(present), listing.total)
                    found = []
            state.walk, state.below = listing.page - 1, 0
        # What is missing from a reading that was interrupted is looked for by the next one, which is due at once.
        state.full, state.sums = (begun, sums) if whole else (1.0, "")
        if whole:
            found += self._missing(state, known - present)
        state.walk = state.below = 0
        yield Page(found, state.text(), len(present), len(present))

    def _until(self, state: Cursor, page: int, number: int) -> str:
        """The cursor for going on behind a ticket."""
        rest = read_cursor(state.text())
        rest.walk, rest.below = page, number
        return rest.text()

    def _altered(
        self, tickets: Sequence[tuple[Found, object]], before: str, known: frozenset[int]
    ) -> tuple[list[tuple[Found, object]], str]:
        """Those that may be others than before, and what they all are like now."""
        sums = Sums((self._asking.words, self._statuses))
        for one, raw in tickets:
            sums.add(one.number, raw)
        differs = sums.differs(before)
        return [
            (one, raw) for one, raw in tickets if differs[one.number % BUCKETS] or one.number not in known
        ], sums.text()

    def _start(self, state: Cursor, listing: Listing) -> None:
        """Takes down which followups there are, before or while all tickets are read."""
        state.tickets = listing.total
        listed = [one for raw in listing.tickets for one in self._asking.followups_of(raw)]
        state.seen, state.floor = {}, 0
        if listing.page <= 1:
            state.learn(listed)
            state.followups = len(listed)
            return
        count, page, tail = self._asking.followups()
        if page > 1 and len(tail) < SHORT:
            tail = [*self._asking.followups(page - 1)[2], *tail]
        # What has come to a ticket just after it was read is to be new the next time.
        tickets, there = {raw.get("id") for raw in listing.tickets}, {one.number for one in listed}
        seen = [one for one in tail if one.number in there or one.ticket not in tickets]
        state.learn(seen)
        state.floor = max(state.floor, min((one.date for one in tail), default=0) - 1)
        state.followups = count - (len(tail) - len(seen))

    def _missing(self, state: Cursor, numbers: Collection[int]) -> list[Found]:
        """Those of the tickets that were not in the list that are really not there: each is asked for."""
        state.gone = sorted(set(state.gone) & set(numbers))
        look = sorted(set(numbers) - set(state.gone))[:MISSING]
        gone = [one for one in self._singly(look) if isinstance(one, Gone)]
        state.gone = [*state.gone, *(one.number for one in gone)][-MOST_GONE:]
        return list(gone)

    def numbers(self) -> Collection[int]:
        """All tickets that are followed."""
        found = [self._asking.take(raw) for listing in self._asking.walk() for raw in listing.tickets]
        return {one.number for one in found if not isinstance(one, Gone) and self._follows(one, ())}

    def read(self, numbers: Sequence[int]) -> list[Found]:
        """These tickets, one by one if they are few."""
        if len(numbers) <= SINGLY:
            return self._singly(numbers)
        wanted = set(numbers)
        found: dict[int, Found] = {}
        for listing in self._asking.walk():
            for raw in listing.tickets:
                if raw.get("id") in wanted:
                    one = self._asking.take(raw)
                    found[one.number] = one
            if wanted <= found.keys():
                break
        rest = [number for number in numbers if number not in found]
        found.update(zip(rest, self._singly(rest), strict=True))
        return [found[number] for number in numbers]

    def _singly(self, numbers: Sequence[int]) -> list[Found]:
        """Each asked for by itself; only so is it sure that one is not there."""
        answers = self._asking.web.many([partial(self._asking.ticket, number) for number in numbers])
        return [
            Gone(number, "deleted") if raw is None else self._asking.take(raw)
            for number, raw in zip(numbers, answers, strict=True)
        ]

    def perform(self, call: Call, file: BinaryIO | None = None) -> Outcome:
        """Does one call, once."""
        return self._writing.perform(call, file)

    def find(self, call: Call, known: Collection[str]) -> Outcome | None:
        """Whether a call was done already."""
        return self._writing.find(call, known)

    def download(self, ref: str) -> Iterator[bytes]:
        """The bytes of a file."""
        return self._asking.download(ref)

    def stored(self, path: str, value: Value) -> Value:
        """It strips texts at both ends, and keeps the rest. The day of work is kept to the second, in a line of the note."""
        if path == "time.date" and isinstance(value, int):
            return value - value % SECOND
        return value.strip() or None if isinstance(value, str) else value

    def web(self, number: int) -> str:
        """The address of the ticket for a browser."""
        return f"{self._asking.base}/tickets/{number}/"

    def close(self) -> None:
        """Lets go of the connection."""
        self._asking.close()


def _queue(text: str) -> tuple[int, str]:
    """A number and a name, as the address has them: `1:Support`, `1`, or `Support`, whose number is looked up."""
    number, _, name = text.partition(":")
    if is_number(number):
        return int(number), name.strip()
    if not text.strip():
        raise UsageError(
            "the address names a queue without saying which", "?queue=1, ?queue=1:Support or ?queue=Support."
        )
    return 0, text.strip()


def _statuses(names: Collection[str]) -> list[Choice]:
    """What the states mean. A store needs one that means new: without one of that name it is the one that tickets are made with."""
    means = {name: MEANS.get(name.lower(), "") for name in names}
    opened = [name for name, what in means.items() if what == "open"]
    if "new" not in means.values() and len(opened) > 1:
        means[opened[0]] = "new"
    return [Choice(name, what) for name, what in means.items()]


def _states(query: str) -> frozenset[str]:
    """The states that a query asks for; none for all."""
    name, _, value = query.partition("=")
    states = frozenset(part.strip().casefold() for part in value.split(",") if part.strip())
    if query and (name.strip() != "status" or not states):
        raise UsageError(
            f"django-helpdesk cannot be asked for {query}",
            "It only knows states: ?query=status=Open,Reopened (%3D for the inner =).",
        )
    return states
