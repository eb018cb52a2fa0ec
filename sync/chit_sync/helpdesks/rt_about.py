"""What a Request Tracker is, as far as it tells: who we are there, its people, queues, statuses, custom fields, and what it can do.

Its interface lists neither statuses nor lifecycles, so those are the ones that every Request Tracker has from the start, and whatever the
tickets show and may become.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from chit_sync.errors import RemoteError
from chit_sync.helpdesks.base import BOTH, FEATURES, Choice, Custom, Description, Feature, Person, RefusedError
from chit_sync.helpdesks.marking import is_reference
from chit_sync.helpdesks.rows import Row, items, number, text
from chit_sync.helpdesks.rt_answers import NOBODY
from chit_sync.helpdesks.rt_asking import Asking
from chit_sync.helpdesks.rt_reading import DELETED, TITLE_BYTES

_MEANS = {
    "new": "new", "open": "open", "stalled": "pending", "waiting": "pending", "pending": "pending", "resolved": "closed",
    "closed": "closed", "rejected": "rejected", "approved": "resolved", "denied": "rejected", "review": "review",
}  # fmt: skip
_DEFAULTS = ("new", "open", "stalled", "resolved", "rejected")
_PRIORITIES = (Choice("0", "low"), Choice("50", "normal"), Choice("100", "high"))
_MOST_ROUNDS = 12

_NOT = Feature(read=False, write=False)
_WHY = {
    "description": Feature(True, False, "It is sent with a new ticket and stays as it was filed."),
    "labels": _NOT._replace(
        why="Request Tracker has no labels; a custom field with several values may stand for them."
    ),
    "requester": Feature(True, True, "Of several, the first is read; writing it replaces them all."),
    "replies": Feature(True, True, "Each is mailed to the requester, and reopens a ticket that is new or closed."),
    "history": Feature(True, False, "It writes its history itself."),
    "comment edits": _NOT._replace(why="What was said there stays as it is."),
    "comment deletions": _NOT._replace(why="What was said there stays."),
    "attachments": Feature(
        True, True, "Empty files cannot be attached, and parts of mails without a name are not read."
    ),
    "attachment deletions": _NOT._replace(why="Files stay there."),
    "time": Feature(
        True,
        True,
        "Each piece is a note there; where the time of a ticket was set to less, the latest work is shorter.",
    ),
    "time edits": Feature(True, False, "Time that was booked there stays as it is."),
    "links": Feature(True, True, "It knows blocks, parent-of and relates; links to other places are not read."),
    "merges": Feature(True, True, "They cannot be undone there."),
}


class Field(NamedTuple):
    """A custom field."""

    id: int
    name: str
    choice: bool
    several: bool


class Catalog:
    """The queues and custom fields of a server, asked for when they are needed and kept as long as the adapter."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._queues: dict[int, str] | None = None
        self._lifecycles: dict[int, str] = {}
        self._fields: dict[int, list[Field]] = {}
        self._choices: dict[int, tuple[str, ...]] = {}

    def queues(self) -> dict[int, str]:
        """The queues that we may see, by number."""
        if self._queues is None:
            rows = [
                row
                for row in self._asking.listed("queues/all", "Name,Lifecycle,Disabled")
                if row.get("Disabled") in ("0", 0, "")
            ]
            rows.sort(key=lambda row: text(row, "Name").casefold())
            self._queues = {number(row, "id"): text(row, "Name") for row in rows}
            self._lifecycles = {number(row, "id"): text(row, "Lifecycle") for row in rows}
        return self._queues

    def lifecycles(self, wanted: Sequence[int]) -> dict[str, str]:
        """The lifecycles that these queues have, each with one of them."""
        queues = self.queues()
        return {self._lifecycles[ident]: queues[ident] for ident in reversed(wanted)}

    def fields(self, queue: int) -> list[Field]:
        """The custom fields of tickets of a queue."""
        if queue not in self._fields:
            rows = self._asking.listed(f"queue/{queue}/customfields", "Name,Type,MaxValues")
            self._fields[queue] = [
                Field(
                    number(row, "id"), text(row, "Name"),
                    text(row, "Type") == "Select", number(row, "MaxValues") != 1,
                )
                for row in rows
            ]  # fmt: skip
        return self._fields[queue]

    def every_field(self, queues: Sequence[int]) -> dict[str, Field]:
        """The custom fields of these queues, by name."""
        several = self._asking.web.many([partial(self.fields, queue) for queue in queues])
        return {field.name: field for fields in several for field in fields if field.name}

    def several(self, name: str) -> bool:
        """Whether a custom field holds several values. Raises RefusedError if no queue has it."""
        found = self._known().get(name)
        if found is None:
            raise RefusedError(f"Request Tracker has no custom field {name!r} for tickets")
        return found.several

    def holds_several(self, name: str) -> bool:
        """Whether there is a custom field that holds several values."""
        found = self._known().get(name)
        return found is not None and found.several

    def _known(self) -> dict[str, Field]:
        return self.every_field([*self.queues()])

    def choices(self, field: Field) -> tuple[str, ...]:
        """The values that a field may have; any, if there are none."""
        if not field.choice:
            return ()
        if field.id not in self._choices:
            answer = self._asking.web.ask("GET", f"customfield/{field.id}", accept=(403, 404)).json()
            self._choices[field.id] = tuple(filter(None, map(text, items(answer, "Values"))))
        return self._choices[field.id]

    def reference(self, queue: str) -> str:
        """The name of a queue's custom field for our ticket's id; empty if it has none."""
        for ident, name in self.queues().items():
            if name.casefold() == queue.casefold():
                return next((field.name for field in self.fields(ident) if is_reference(field.name)), "")
        return ""


def describe(asking: Asking, catalog: Catalog, me: str, followed: Sequence[str]) -> Description:
    """What the server is. me: login or number of our account. followed: the queues that the address names."""
    version = asking.version()  # alone, so that a bad token is told once
    account = asking.user(me)
    queues = catalog.queues()
    people = _people(asking)
    known = {name.casefold(): ident for ident, name in queues.items()}
    for name in followed:
        if name.casefold() not in known:
            raise RemoteError(
                f"{asking.where} has no queue {name!r}, or the account may not see it",
                f"There are: {', '.join(queues.values()) or 'none'}.",
            )
    wanted = [known[name.casefold()] for name in followed] or [*queues]
    fields = catalog.every_field(wanted)
    customs = [field for field in fields.values() if not is_reference(field.name)]
    choices = asking.web.many([partial(catalog.choices, field) for field in customs])
    names = [queues[ident] for ident in wanted]
    return Description(
        title="Request Tracker",
        version=version,
        account=_person(account) or Person(me),
        statuses=[Choice(name, _MEANS.get(name.casefold(), "")) for name in _statuses(asking, catalog, wanted)],
        priorities=_PRIORITIES,
        people=people,
        queues=[*queues.values()],
        customs=[Custom(f"x.{field.name}", values) for field, values in zip(customs, choices, strict=True)],
        features={name: _WHY.get(name, BOTH) for name in FEATURES},
        limits={"title": TITLE_BYTES, "filename": 255},
        reference=next((name for name in fields if is_reference(name)), ""),
        default_queue=names[0] if followed or len(names) == 1 else "",
    )


def _person(row: Row) -> Person | None:
    name = text(row, "Name")
    return Person(name, text(row, "RealName"), text(row, "EmailAddress")) if name else None


def _people(asking: Asking) -> list[Person]:
    """Those that we may know of: the list does not tell staff from customers."""
    answer = asking.listed("users", "Name,RealName,EmailAddress")
    return [one for row in answer if (one := _person(row)) and one.key not in NOBODY]


def _statuses(asking: Asking, catalog: Catalog, wanted: Sequence[int]) -> list[str]:
    """The statuses of these queues: what every server has, what tickets show (in each answer those that are not known yet, until
    nothing is left), and what a ticket of each lifecycle may be given next."""
    found = [*_DEFAULTS]
    for _ in range(_MOST_ROUNDS):
        new = {one.status for one in asking.unlike(found)} - {*found, DELETED}
        if not new:
            break
        found += sorted(new)
    for lifecycle, queue in catalog.lifecycles(wanted).items():
        if lifecycle != "default":
            found += sorted(asking.next_statuses(queue) - {*found, DELETED})
    return found
