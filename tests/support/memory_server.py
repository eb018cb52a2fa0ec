"""The helpdesk in memory, as a server would be: its tickets, its people, its clock, its rules. Knows nothing of chit but the words of
the protocol (`base`). Tests act on the other side with the same names as in `standins/*_site.py`; adapters on it are `memory_desk`.
"""

import dataclasses
import threading
from collections.abc import Callable, Mapping
from typing import Any

from chit_sync.clock import SECOND
from chit_sync.helpdesks.base import Choice, Comment, Custom, Event, File, Gone, Person, RefusedError, Tie, Work
from chit_sync.ids import ID_BYTES, is_letters
from chit_sync.registers import Value

NOON = 1_772_539_200_000_000
"""3 March 2026, 12:00 UTC: when a desk is opened."""

STATUSES = (
    Choice("new", "new"),
    Choice("open", "open"),
    Choice("stalled", "pending"),
    Choice("resolved", "closed"),
    Choice("rejected", "rejected"),
)
PRIORITIES = (Choice("Low", "low"), Choice("Normal", "normal"), Choice("High", "high"), Choice("Urgent", "critical"))
QUEUES = ("Support", "Billing")
CUSTOMS = (Custom("x.Severity", ("Low", "Medium", "High")), Custom("x.Note"))
PEOPLE = (
    Person("agent1", "Agent One", "agent1@example.com"),
    Person("agent2", "Agent Two", "agent2@example.com"),
    Person("requester", "Réquester Øne", "requester@example.com"),
)
PLAIN = frozenset(("title", "description", "status", "priority", "queue", "assignee", "requester", "due"))


@dataclasses.dataclass(frozen=True)
class Traits:
    """What this helpdesk is able to do, and how it treats what it is given."""

    reference: bool = True
    """It has a field for our ticket's id; otherwise the id stands in the last line of the description."""
    comment_tokens: bool = True
    file_tokens: bool = True
    time_tokens: bool = True
    history: bool = True
    versions: bool = True
    """It can check, with a write, that the ticket is still what was read."""
    answers: bool = True
    """The answer to a write tells what became of the ticket."""
    log: bool = True
    """What changed is read from a log with numbers; otherwise by the time of the last change, as most do."""
    tick: int = 1
    """The clock's step in µs: SECOND for one of whole seconds."""
    strip: bool = False
    line_ends: str = ""
    """What line ends become; empty: they are kept."""
    title_limit: int = 0
    """Where it cuts titles without a word, as its adapter knows."""
    secret_title_limit: int = 0
    """The same, and the adapter does not know."""
    file_limit: int = 0
    tells_gone: bool = True
    """What changed tells of deleted tickets."""
    missing: frozenset[str] = frozenset()
    """Features (`base.FEATURES`) that it does not have: notes, time, merges …"""
    readonly: frozenset[str] = frozenset()
    """Features that it shows and does not let anybody write."""

    def writes(self, feature: str) -> bool:
        return feature not in self.missing | self.readonly


@dataclasses.dataclass
class Record:
    """A ticket as the server has it; `description` as it is kept, with the line for our id where there is one."""

    number: int
    author: str
    created: int
    modified: int
    fields: dict[str, Value]
    token: str = ""
    seq: int = 0
    comments: dict[str, Comment] = dataclasses.field(default_factory=dict)
    files: dict[str, tuple[File, bytes]] = dataclasses.field(default_factory=dict)
    works: dict[str, Work] = dataclasses.field(default_factory=dict)
    ties: list[Tie] = dataclasses.field(default_factory=list)
    events: list[Event] = dataclasses.field(default_factory=list)
    gone: Gone | None = None


class Ticking:
    """A clock of the desk's own: a second later each time somebody looks. `now` may be set; step 0 stops it."""

    def __init__(self, now: int = NOON, step: int = SECOND) -> None:
        self.now = now
        self.step = step

    def __call__(self) -> int:
        self.now += self.step
        return self.now


@dataclasses.dataclass
class Fault:
    """One call that goes wrong; see Desk.fail."""

    error: BaseException
    at: str
    done: bool
    late: bool
    skip: int


class Desk:
    """The server. accounts: who may come in. refuse: why it does not take a write of that account (`desk.refuse = lambda who, call: …`);
    ignore: the paths of a write that it drops without a word.
    reopens: whether it opens by itself what somebody replies to. step: called at each step of each adapter with its name."""

    def __init__(
        self, traits: Traits | None = None, clock: Callable[[], int] | None = None, name: str = "desk"
    ) -> None:
        self.traits = traits or Traits()
        self.clock = clock or Ticking()
        self.name = name
        self.accounts = {person.key: person for person in PEOPLE}
        self.records: dict[int, Record] = {}
        self.seq = 0
        self.items = 0
        self.refuse: Callable[[str, Any], str] = lambda account, call: ""
        self.ignore: Callable[[Any], set[str]] = lambda call: set()
        self.reopens = False
        self.step: Callable[[str], None] = lambda name: None
        self.asked: list[tuple[str, Any]] = []
        """Every question and call that came: the name of the method (of the verb, for `perform`) and what was asked."""
        self.faults: list[Fault] = []
        self.under_way: list[Callable[[], Any]] = []
        self.lock = threading.RLock()

    # What tests do to it

    def fail(
        self, error: BaseException, at: str = "", *, done: bool = False, late: bool = False, skip: int = 0
    ) -> None:
        """The next question or call of that name (a verb, `perform` for any verb, a method; empty: whatever comes) fails.

        done: it is done all the same. late: it is done when `arrive` is called. skip: so many go well before.
        """
        self.faults.append(Fault(error, at, done, late, skip))

    def arrive(self) -> None:
        """Calls that were under way get there."""
        waiting, self.under_way = self.under_way, []
        for do in waiting:
            do()

    def add_ticket(
        self, title: str, description: str = "", *, by: str = "agent2", token: str = "", **fields: Any
    ) -> int:
        """Somebody there files a ticket; `x_Severity` stands for x.Severity, `labels_a` for labels/a."""
        return self.create(by, {"title": title, "description": description} | paths(fields), token).number

    def edit(self, number: int, *, by: str = "agent2", **fields: Any) -> None:
        """Somebody there changes fields. Who rewrites a description leaves the line with our id alone."""
        changes = paths(fields)
        token = unmarked(str(self.record(number).fields.get("description") or ""))[1]
        if token and "description" in changes:
            changes["description"] = marked(str(changes["description"] or ""), token)
        self.update(by, number, changes)

    def say(self, number: int, body: str, public: bool = True, *, by: str = "agent2") -> str:
        """Somebody there comments."""
        return self.comment(by, number, body, public, "")

    def attach(self, number: int, name: str, data: bytes, *, by: str = "agent2", public: bool = True) -> str:
        """Somebody there attaches a file."""
        return self.file(by, number, name, data, public, "")

    def remove(self, number: int, *, by: str = "agent2") -> None:
        """Somebody there deletes the ticket."""
        self.delete(by, number)

    def tickets(self) -> dict[int, dict[str, Any]]:
        """What is there, in the words of all sites."""
        return {
            number: {
                "title": record.fields.get("title"),
                "description": unmarked(str(record.fields.get("description") or ""))[0],
                "status": record.fields.get("status"),
                "comments": [(each.body, each.public) for each in record.comments.values()],
                "files": [(each.name, data) for each, data in record.files.values()],
                "token": record.token or unmarked(str(record.fields.get("description") or ""))[1],
            }
            for number, record in self.records.items()
            if record.gone is None
        }

    # What it does

    def now(self) -> int:
        now = self.clock()
        return now - now % self.traits.tick

    def record(self, number: int) -> Record:
        """A ticket that is there."""
        record = self.records.get(number)
        if record is None or record.gone is not None:
            raise RefusedError(f"{self.name} has no ticket {number}", "It may have been deleted or merged there.")
        return record

    def kept(self, path: str, value: Value) -> Value:
        """What becomes of a value when it is kept, as far as its adapter knows."""
        if not isinstance(value, str):
            return value or None
        text = value
        if path == "title":
            text = " ".join(text.splitlines())[: self.traits.title_limit or None]
        if self.traits.line_ends:
            text = self.traits.line_ends.join(text.replace("\r\n", "\n").split("\n"))
        if self.traits.strip:
            text = text.strip()
        return text or (None if path != "comment" else "")

    def touch(self, record: Record) -> int:
        """Something was done to the ticket now."""
        self.seq += 1
        record.seq = self.seq
        record.modified = self.now()
        return record.modified

    def check(self, fields: Mapping[str, Value]) -> None:
        """Refuses values that it does not take."""
        allowed: dict[str, set[Value]] = {
            "status": {choice.name for choice in STATUSES},
            "priority": {choice.name for choice in PRIORITIES} | {None},
            "queue": set(QUEUES),
            "assignee": {*self.accounts, None},
            "requester": {*self.accounts, None},
        }
        allowed |= {custom.path: {*custom.choices, None} for custom in CUSTOMS if custom.choices}
        for path, value in fields.items():
            if path in allowed and (value or None) not in allowed[path]:
                raise RefusedError(
                    f"{value!r} is no {path} in {self.name}", f"Values: {', '.join(map(str, allowed[path]))}."
                )
            if path not in PLAIN and path not in {custom.path for custom in CUSTOMS} and not path.startswith("labels/"):
                raise RefusedError(f"{self.name} has no field {path}")
            if path == "title" and not self.kept("title", value):
                raise RefusedError(f"a ticket in {self.name} needs a title")
            if path == "due" and not (value is None or isinstance(value, int)):
                raise RefusedError(f"{value!r} is no time for {path} in {self.name}")

    def values(self, fields: Mapping[str, Value]) -> dict[str, Value]:
        """The fields as they are kept."""
        found = {path: self.kept(path, value) for path, value in fields.items()}
        if isinstance(title := found.get("title"), str):
            found["title"] = title[: self.traits.secret_title_limit or None]
        return found

    def create(self, by: str, fields: Mapping[str, Value], token: str) -> Record:
        with self.lock:
            filled: dict[str, Value] = {"status": "new", "priority": "Normal", "queue": QUEUES[0], "requester": by}
            filled |= fields
            self.check({"title": None, **filled})
            now = self.now()
            values: dict[str, Value] = {path: value for path, value in self.values(filled).items() if value is not None}
            record = Record(len(self.records) + 1, by, now, now, values, token)
            self.seq += 1
            record.seq = self.seq
            self.records[record.number] = record
            return record

    def update(self, by: str, number: int, fields: Mapping[str, Value]) -> None:
        with self.lock:
            record = self.record(number)
            self.check(fields)
            old = {path: record.fields.get(path) for path in fields}
            changes = {path: (old[path], value) for path, value in self.values(fields).items() if value != old[path]}
            if changes:
                now = self.touch(record)
                record.fields |= {path: new for path, (_, new) in changes.items()}
                record.events.append(Event(str(self.seq), now, by, changes))

    def comment(self, by: str, number: int, body: str, public: bool, token: str) -> str:
        with self.lock:
            record = self.record(number)
            text = str(self.kept("comment", body))
            if not text:
                raise RefusedError(f"{self.name} takes no empty comment")
            ident = self.ident("c")
            record.comments[ident] = Comment(ident, by, self.touch(record), text, public, token)
            if self.reopens and public and record.fields.get("status") != "open":
                self.update("", number, {"status": "open"})
            return ident

    def file(self, by: str, number: int, name: str, data: bytes, public: bool, token: str) -> str:
        with self.lock:
            record = self.record(number)
            if self.traits.file_limit and len(data) > self.traits.file_limit:
                raise RefusedError(f"{name} has more than the {self.traits.file_limit} bytes that {self.name} takes")
            ident = self.ident("f")
            file = File(ident, by, self.touch(record), name, len(data), public, f"{number}/{ident}", token)
            record.files[ident] = (file, bytes(data))
            return ident

    def work(self, by: str, number: int, minutes: int, date: int, note: str, token: str) -> str:
        with self.lock:
            record = self.record(number)
            ident = self.ident("w")
            note = str(self.kept("time.note", note) or "")
            record.works[ident] = Work(ident, by, self.touch(record), minutes, date, note, token)
            return ident

    def merge(self, number: int, into: int, *, by: str = "agent2") -> None:
        """Somebody there merges a ticket into another, which gets all that was on it."""
        with self.lock:
            source, target = self.record(number), self.record(into)
            if source is target:
                raise RefusedError(f"{self.name} does not merge a ticket into itself")
            target.comments |= source.comments
            target.files |= source.files
            target.works |= source.works
            self.touch(target)
            source.gone = Gone(number, "merged", into, by, self.touch(source))

    def delete(self, by: str, number: int) -> None:
        with self.lock:
            record = self.record(number)
            record.gone = Gone(number, "deleted", 0, by, self.touch(record))

    def ident(self, kind: str) -> str:
        self.items += 1
        return f"{kind}{self.items}"


def paths(fields: Mapping[str, Value]) -> dict[str, Value]:
    """Paths from names that Python takes as keywords."""
    return {name.replace("labels_", "labels/").replace("x_", "x."): value for name, value in fields.items()}


def marked(text: str, token: str) -> str:
    """A description with the line for our ticket's id."""
    return f"{text}\n[chit:{token}]"


def unmarked(text: str) -> tuple[str, str]:
    """A description without the line for our ticket's id, and that id, if there is one."""
    head, _, last = text.rpartition("\n")
    ident = last.removeprefix("[chit:").removesuffix("]")
    if last == f"[chit:{ident}]" and is_letters(ident, 2 * ID_BYTES):
        return head.removesuffix("\r"), ident
    return text, ""
