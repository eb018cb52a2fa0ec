"""A ticket as people and programs see it: what its registers show. Pure.

`Ticket.record()` is the JSON of `chit.ticket/1`. The parts are read-only views; writing is `authoring`'s business.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from chit_sync.registers import Registers, Value, losers
from chit_sync.schema import FIELDS, is_decided, type_of

if TYPE_CHECKING:
    from chit_sync.handoffs import Handoff

SCHEMA = "chit.ticket/1"


class Comment(NamedTuple):
    """Something that was said. time: microseconds since 1970 UTC. to: the handoff that it is for, held: that it is held back from."""

    id: str
    author: str
    time: int
    body: str
    visibility: str
    to: str = ""
    held: str = ""


class Attachment(NamedTuple):
    """A file that belongs to a ticket. size in bytes; here: whether its bytes are in this store. to, held: as of a comment.

    sha256: empty where no store has seen the bytes yet, as only the helpdesk has them that tells of the file.
    """

    id: str
    author: str
    time: int
    name: str
    sha256: str
    size: int
    visibility: str
    here: bool
    to: str = ""
    held: str = ""


class Time(NamedTuple):
    """Work that was done. date: when, microseconds since 1970 UTC. to: the handoff that it is for, held: that it is held back from."""

    id: str
    author: str
    date: int
    minutes: int
    note: str
    visibility: str
    to: str
    held: str


class Charge(NamedTuple):
    """A cost. amount: exact, as text. bundle: the handoff whose time it stands for; empty for any other cost."""

    id: str
    author: str
    time: int
    amount: str
    currency: str
    note: str
    visibility: str
    bundle: str
    to: str
    held: str


class Question(NamedTuple):
    """What a service partner wants to know of its lead. answer: None while it is open."""

    id: str
    author: str
    time: int
    body: str
    answer: str | None
    to: str
    held: str


class Link(NamedTuple):
    """A tie to another ticket, seen from this one. id is empty where the other ticket holds the link."""

    id: str
    kind: str
    ticket: str
    title: str | None


class Elsewhere(NamedTuple):
    """Where else the ticket lives."""

    remote: str
    number: int


class Conflict(NamedTuple):
    """A path that was written twice without either author seeing the other's write."""

    path: str
    shown: Value
    others: list[Value]

    def record(self) -> dict[str, Any]:
        """The conflict as in `chit.ticket/1`."""
        others = [told(self.path, other) for other in self.others]
        return {"path": self.path, "shown": told(self.path, self.shown), "others": others}


class Ticket(NamedTuple):
    """A whole ticket. number: this store's. state: 0 open, 1 done, 2 deleted. Times in microseconds since 1970 UTC."""

    number: int
    id: str
    created: int
    updated: int
    author: str
    category: str
    registers: Registers[int]
    item_registers: Mapping[str, Registers[int]]
    comments: Sequence[Comment]
    attachments: Sequence[Attachment]
    links: Sequence[Link]
    elsewhere: Sequence[Elsewhere]
    called: int | None = None
    """The number that people know it by: the default remote's, or this store's own while it has no remote."""
    origins: Mapping[str, tuple[str, int]] = {}
    """KIND/ID of each item to who made it and when, in microseconds since 1970 UTC."""

    def value(self, path: str) -> Value:
        """What the ticket shows at a path of its own (not of an item)."""
        heads = self.registers.get(path)
        return None if heads is None else heads[0][1]

    def text(self, path: str) -> str:
        """The same as a text, empty if there is none."""
        value = self.value(path)
        return "" if value is None else str(value)

    @property
    def title(self) -> str:
        return self.text("title")

    @property
    def labels(self) -> list[str]:
        return sorted(path[7:] for path, heads in self.registers.items() if path.startswith("labels/") and heads[0][1])

    @property
    def custom(self) -> dict[str, Value]:
        """Custom field's name (without `x.`) to value."""
        return {
            path[2:]: heads[0][1]
            for path, heads in sorted(self.registers.items())
            if path.startswith("x.") and heads[0][1] is not None
        }

    @property
    def conflicts(self) -> list[Conflict]:
        """All paths in conflict, those of items too."""
        found = [Conflict(path, heads[0][1], losers(heads)) for path, heads in self.registers.items() if len(heads) > 1]
        for key, registers in self.item_registers.items():
            found += [
                Conflict(f"{key}/{name}", heads[0][1], losers(heads))
                for name, heads in registers.items()
                if len(heads) > 1 and not is_decided(f"{key}/{name}")
            ]
        return sorted(conflict for conflict in found if conflict.others)

    def item(self, key: str) -> dict[str, Value]:
        """What the item KIND/ID shows: field to value, without what is empty."""
        return {
            name: heads[0][1] for name, heads in self.item_registers.get(key, {}).items() if heads[0][1] is not None
        }

    def _items(self, kind: str) -> list[tuple[str, str, int, dict[str, Any]]]:
        """(id, author, time, values) of the items of a kind that were not deleted, oldest first."""
        found = [
            (key[len(kind) + 1 :], *self.origins[key], self.item(key))
            for key in self.item_registers
            if key.startswith(kind + "/")
        ]
        return sorted((one for one in found if not one[3].get("deleted")), key=lambda one: (one[2], one[0]))

    @property
    def times(self) -> list[Time]:
        """Time entries, by the date of the work."""
        found = [
            Time(
                ident, by, values.get("date", time), values.get("minutes", 0), values.get("note", ""),
                values.get("visibility", "public"), values.get("to", ""), values.get("held", ""),
            )
            for ident, by, time, values in self._items("time")
        ]  # fmt: skip
        return sorted(found, key=lambda one: (one.date, one.id))

    @property
    def charges(self) -> list[Charge]:
        """Costs, oldest first."""
        return [
            Charge(
                ident, by, time, values.get("amount", "0"), values.get("currency", ""), values.get("note", ""),
                values.get("visibility", "public"), values.get("bundle", ""), values.get("to", ""), values.get("held", ""),
            )
            for ident, by, time, values in self._items("charge")
        ]  # fmt: skip

    @property
    def questions(self) -> list[Question]:
        """Questions to a lead, oldest first."""
        return [
            Question(
                ident, by, time, values.get("body", ""), values.get("answer"), values.get("to", ""), values.get("held", "")
            )
            for ident, by, time, values in self._items("question")
        ]  # fmt: skip

    @property
    def handoffs(self) -> "list[Handoff]":
        """The handoffs to and from partners, oldest first."""
        if not any(key.startswith("handoff/") for key in self.item_registers):
            return []
        from chit_sync.handoffs import read

        return read(self.item_registers, self.origins)

    def record(self) -> dict[str, Any]:
        """The ticket as `chit.ticket/1`, times as ISO 8601 UTC; what is unknown is None, nothing is missing."""
        fields: dict[str, Any] = {name: self.value(name) for name in FIELDS}
        fields["due"] = iso(self.value("due"))
        fields["emergency"] = bool(self.value("emergency"))
        fields["deleted"] = bool(self.value("deleted"))
        found = self.handoffs
        handoff = _foremost(found)
        return {
            "schema": SCHEMA,
            "id": self.id,
            "number": self.called,
            **fields,
            "category": self.category,
            "labels": self.labels,
            "custom": self.custom,
            "created": iso(self.created),
            "updated": iso(self.updated),
            "author": self.author,
            "comments": [{**_told_item(comment), "time": iso(comment.time)} for comment in self.comments],
            "attachments": [{**_told_item(one), "time": iso(one.time)} for one in self.attachments],
            "times": [{**_told_item(time), "date": iso(time.date)} for time in self.times],
            "charges": [{**_told_item(charge), "time": iso(charge.time)} for charge in self.charges],
            "questions": [{**_told_item(question), "time": iso(question.time)} for question in self.questions],
            "partner": None if handoff is None else handoff.partner,
            "handoff": None if handoff is None else handoff.status,
            "handoffs": [told_handoff(handoff) for handoff in found],
            "links": [link._asdict() for link in self.links],
            "remotes": [elsewhere._asdict() for elsewhere in self.elsewhere],
            "conflicts": [conflict.record() for conflict in self.conflicts],
        }


def _told_item(item: Comment | Attachment | Time | Charge | Question) -> dict[str, Any]:
    """An item as a record: what it does not have is None."""
    return {
        name: None if value == "" and name in ("to", "held", "bundle", "sha256") else value
        for name, value in item._asdict().items()
    }


def _foremost(found: "list[Handoff]") -> "Handoff | None":
    """The handoff that one means who names one: the open one, in a chain that in which we are the lead; else the last."""
    if not found:
        return None
    from chit_sync.handoffs import LEAD, OPEN

    return max(
        enumerate(found), key=lambda one: (open_ := one[1].status in OPEN, open_ and one[1].role == LEAD, one[0])
    )[1]


def told_handoff(handoff: "Handoff") -> dict[str, Any]:
    """A handoff as in `chit.ticket/1`."""
    from chit_sync.schema import ITEMS

    fields = {
        name: iso(handoff.value(name)) if field.type == "time" else handoff.value(name)
        for name, field in ITEMS["handoff"].items()
    }
    fields["share_contact"] = bool(fields["share_contact"])
    waiting = [{"verb": move.verb, "by": move.by, "time": iso(move.time)} for move in handoff.pending]
    return {"id": handoff.id, **fields, "partner": handoff.partner, "status": handoff.status, "provisional": waiting}


def told(path: str, value: Value) -> Value:
    """The value at a path as records have it: times as ISO 8601 UTC."""
    return iso(value) if type_of(path) == "time" else value


def iso(stamp: Value) -> str | None:
    """ISO 8601 UTC of microseconds since 1970, to the millisecond; None stays None."""
    if not isinstance(stamp, int):
        return None
    day, left = divmod(stamp, _DAY)
    date = _dates.get(day)
    if date is None:
        from datetime import date as calendar

        date = _dates[day] = calendar.fromordinal(day + _EPOCH).isoformat()
    seconds, micro = divmod(left, 1_000_000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{date}T{hour:02d}:{minute:02d}:{second:02d}.{micro // 1000:03d}Z"


_DAY = 86_400_000_000
_EPOCH = 719_163
"""1970-01-01 in days of datetime."""

_dates: dict[int, str] = {}
"""Days that were spelled already; a list is full of the same ones."""
