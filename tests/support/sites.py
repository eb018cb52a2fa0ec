"""What the contract of adapters is held against: the helpdesk in memory, each vendor's stand-in, each real server; all looked at the same.

A `Sides` is one helpdesk from both sides: `here` is the adapter, `there` acts as a colleague who uses the helpdesk itself.
"""

import importlib
import importlib.util
import io
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl, urlencode

import pytest

from chit_sync.clock import DAY, SECOND
from chit_sync.helpdesks import address
from chit_sync.helpdesks.base import Call, Description, Helpdesk, Outcome, Page, RefusedError, Snapshot
from chit_sync.ids import ID_BYTES, ITEM_BYTES, letters
from chit_sync.registers import Value
from support.helpdesks import Servers
from support.memory_desk import Desk, MemoryDesk, Traits

WHEN = 1_770_000_000 * SECOND // DAY * DAY
"""A day on which somebody worked."""

FOLDER = Path(__file__).parent / "standins"

MEMORY = {
    "memory": Traits(),
    "memory-poor": Traits(
        reference=False,
        comment_tokens=False,
        file_tokens=False,
        time_tokens=False,
        history=False,
        versions=False,
        answers=False,
        log=False,
        tick=SECOND,
        tells_gone=False,
        readonly=frozenset(("comment edits", "deletions", "links", "requester")),
        missing=frozenset(("labels", "merges")),
    ),
    "memory-marked": Traits(reference=False, comment_tokens=False, log=False, tick=60 * SECOND),
    "memory-strict": Traits(
        strip=True,
        title_limit=50,
        line_ends="\r\n",
        file_limit=4_000_000,
        missing=frozenset(("notes", "time", "time edits", "attachment deletions", "comment deletions")),
    ),
}


class Site(Protocol):
    """The other side of a helpdesk: its stand-in, or the real server through the eyes of another account."""

    url: str
    secret: str

    def add_ticket(self, title: str, description: str = "", **fields: Any) -> int: ...

    def edit(self, number: int, **fields: Any) -> None: ...

    def say(self, number: int, body: str, public: bool = True) -> str: ...

    def attach(self, number: int, name: str, data: bytes) -> str: ...

    def remove(self, number: int) -> None: ...

    def tickets(self) -> dict[int, dict[str, Any]]: ...


class Sides:
    """One helpdesk from both sides. stranger: the adapter with a secret that is not good."""

    def __init__(self, name: str, here: Helpdesk, there: Site, stranger: Helpdesk, follower: "Follower") -> None:
        self.name = name
        self.here = here
        self.there = there
        self.stranger = stranger
        self.following = follower
        self.about: Description = here.describe()
        self.cursor = ""
        self.seen: dict[int, Snapshot] = {}
        self._first: tuple[list[int], list[Page], set[int]] | None = None
        self._many: tuple[str, set[int], list[int]] | None = None

    @property
    def real(self) -> bool:
        return self.name.endswith("-real")

    def writes(self, feature: str) -> bool:
        return self.about.features[feature].write

    def read(self, number: int) -> Snapshot:
        """A ticket that is there, as the adapter reads it."""
        (found,) = self.here.read([number])
        assert isinstance(found, Snapshot), found
        assert found.number == number
        return found

    def create(self, title: str = "Contract", description: str = "As it was filed.", **more: Value) -> Snapshot:
        """A ticket that we made."""
        return self.read(self.here.perform(self.creating(title, description, **more)).number)

    def creating(self, title: str, description: str, **more: Value) -> Call:
        """The call that makes a ticket; it names a queue, as some helpdesks need."""
        queue = {"queue": self.about.default_queue or queues(self.about)[0]} if self.about.queues else {}
        return Call("create", 0, ticket_token(), {"title": title, "description": description, **queue, **more})

    def do(
        self, verb: str, number: int, token: str = "", *, id: str = "", version: str = "", **fields: Value
    ) -> Outcome:
        """A call without a file."""
        return self.here.perform(Call(verb, number, token or item_token(), fields, id, version))

    def update(self, number: int, fields: Mapping[str, Value], version: str = "") -> Snapshot:
        """Changes fields; the ticket afterwards."""
        self.here.perform(Call("update", number, ticket_token(), fields, version=version))
        return self.read(number)

    def refuses(self, call: Call, **options: Any) -> None:
        """The call is refused, and nothing of its ticket changes by it."""
        before = self.read(call.number)
        with pytest.raises(RefusedError) as caught:
            self.here.perform(call, **options)
        assert caught.value.message
        assert same(self.read(call.number), before)

    def first_reading(self) -> tuple[list[int], list[Page], set[int]]:
        """All that is there, read once as a new follower does: tickets that were made before, the pages, and all numbers then."""
        if self._first is None:
            made = [self.there.add_ticket(f"Ticket {n}", "Text") for n in range(5)]
            self.there.say(made[0], "Said")
            numbers = set(self.here.numbers())
            pages = []
            for page in self.here.changed("", set()):
                self.take(page)
                pages.append(page)
            self._first = (made, pages, numbers)
        return self._first

    def caught_up(self) -> str:
        """Reads all that has changed since the last time; the cursor."""
        self.first_reading()
        for page in self.here.changed(self.cursor, set(self.seen)):
            self.take(page)
        return self.cursor

    def take(self, page: Page) -> None:
        self.cursor = page.cursor
        for found in page.found:
            if isinstance(found, Snapshot):
                self.seen[found.number] = found
            else:
                self.seen.pop(found.number, None)

    def many(self) -> tuple[str, set[int], list[int]]:
        """More tickets of theirs than go on a page, made once: a cursor from before, what was known then, their numbers."""
        if self._many is None:
            cursor = self.caught_up()
            count = 5 if self.name.startswith("memory") else 105
            self._many = (
                cursor,
                set(self.seen),
                [self.there.add_ticket(f"One of many {n}", "Text") for n in range(count)],
            )
        return self._many


class Follower(Protocol):
    """Makes an adapter that follows one queue."""

    def __call__(self, queue: str) -> Helpdesk: ...


def same(one: Snapshot, other: Snapshot) -> bool:
    """Whether nothing differs that people see; a version may count what changed nothing."""
    return one._replace(version="", modified=0) == other._replace(version="", modified=0)


def ticket_token() -> str:
    return letters(secrets.token_bytes(ID_BYTES))


def item_token() -> str:
    return letters(secrets.token_bytes(ITEM_BYTES))


def attaching(number: int, name: str, data: bytes, token: str = "", public: bool = True) -> Call:
    """The call that attaches a file."""
    return Call("attach", number, token or item_token(), {"name": name, "size": len(data), "public": public})


def attach(desk: Sides, number: int, name: str, data: bytes, token: str = "", public: bool = True) -> Outcome:
    """Attaches a file."""
    return desk.here.perform(attaching(number, name, data, token, public), io.BytesIO(data))


def open_adapter(url: str, secret: str | None) -> Helpdesk:
    """The adapter for an address."""
    parts = address.parse(url)
    module, name = address.KINDS[parts.kind]
    return cast(Helpdesk, getattr(importlib.import_module(module), name)(parts, secret))


def with_queue(url: str, queue: str) -> str:
    """The same helpdesk, following one queue, as its address spells that: by name, or with a number before it."""
    base, _, query = url.partition("?")
    named = parse_qsl(query, keep_blank_values=True)
    spelled = [value for name, value in named if name == "queue" and (value == queue or value.endswith(f":{queue}"))]
    others = [(name, value) for name, value in named if name != "queue"]
    return f"{base}?{urlencode([*others, ('queue', (*spelled, queue)[0])])}"


def names() -> Iterable[Any]:
    """All that the contract is held against, as parameters of a fixture. What an adapter lacks is told by test_adapter_page."""
    yield from MEMORY
    for kind in address.KINDS:
        if importlib.util.find_spec(address.KINDS[kind][0]) is None:
            continue
        if (FOLDER / f"{kind}.py").exists():
            yield f"{kind}-standin"
        if (FOLDER / f"{kind}_site.py").exists():
            yield pytest.param(f"{kind}-real", marks=pytest.mark.server(kind))


def wrong(secret: str) -> str:
    """A secret of the same form that nobody has."""
    login, colon, password = secret.rpartition(":")
    return (
        f"{login}{colon}{password[::-1]}x"
        if colon
        else secret[:-6] + ("abcdef" if not secret.endswith("abcdef") else "fedcba")
    )


@contextmanager
def sides(name: str, servers: Servers | None) -> Iterator[Sides]:
    """The helpdesk of that name from both sides."""
    if name in MEMORY:
        desk = Desk(MEMORY[name], name=name)
        stranger = MemoryDesk(desk, "nobody")
        yield Sides(
            name, MemoryDesk(desk, page=2), cast(Site, desk), stranger, lambda queue: MemoryDesk(desk, queues=[queue])
        )
        return
    kind, _, sort = name.partition("-")
    if sort == "real":
        assert servers is not None
        there = importlib.import_module(f"support.standins.{kind}_site").Site(servers[kind])
        with _opened(name, there) as found:
            yield found
    else:
        with importlib.import_module(f"support.standins.{kind}").Standin() as there, _opened(name, there) as found:
            yield found


@contextmanager
def _opened(name: str, there: Site) -> Iterator[Sides]:
    opened: list[Helpdesk] = []

    def adapter(url: str, secret: str) -> Helpdesk:
        opened.append(open_adapter(url, secret))
        return opened[-1]

    def following(queue: str) -> Helpdesk:
        return adapter(with_queue(there.url, queue), there.secret)

    try:
        yield Sides(name, adapter(there.url, there.secret), there, adapter(there.url, wrong(there.secret)), following)
    finally:
        for each in opened:
            each.close()
        if close := getattr(there, "close", None):
            close()


def queues(about: Description) -> list[str]:
    """The queues, the seeded one with everything first."""
    return sorted(about.queues, key=lambda name: (name != "Support", name != "Billing"))


def values(about: Description, feature: str) -> tuple[str, list[Value]]:
    """A path of that feature and two values to write there and back, in the helpdesk's words; none where it has not so many."""
    me = about.account.key
    others = [
        person.key for person in about.people if person.key != me and "agent" in f"{person.key} {person.name}".lower()
    ]
    listed: dict[str, list[Value]] = {
        "title": ["Größe & <b>Maß</b> 打印机 🖨", "Another title"],
        "description": ["One line", "Two\nlines, größer 🖨"],
        "status": [choice.name for choice in about.statuses if choice.means in ("open", "pending")],
        "priority": [choice.name for choice in about.priorities],
        "queue": [*queues(about)[:2]],
        "assignee": [me, *others],
        "requester": [*others, me],
        "due": [1_900_000_000 * SECOND // DAY * DAY, 1_910_000_000 * SECOND // DAY * DAY],
    }
    if len(listed["status"]) < 2:
        listed["status"] += [choice.name for choice in about.statuses if choice.means == "resolved"]
    if about.title == "django-helpdesk":  # whoever asked is known there by an address alone
        listed["requester"] = ["anna@example.com", "ben@example.com"]
    if feature == "labels":
        return "labels/contract", [True, True]
    if feature == "fields":
        for custom in about.customs:
            if len(custom.choices) > 1:
                return custom.path, [*custom.choices]
        if any(custom.path == "x.Severity" for custom in about.customs):
            # the list of every seeded server, also where only administrators are told of it
            return "x.Severity", ["Low", "Medium", "High"]
        return (about.customs[0].path, ["One value", "Größe 🖨"]) if about.customs else ("x.", [])
    return feature, listed[feature]
