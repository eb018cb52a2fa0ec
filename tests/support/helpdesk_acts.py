"""What people with stores, and others in a helpdesk that all of them use, may do; each at random. For `helpdesk_walk`."""

import random
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from chit_sync.authoring import link_paths, unlink_paths
from chit_sync.exchange import pulling, pushing
from chit_sync.helpdesks.base import Tie
from chit_sync.registers import Value
from chit_sync.remotes.registry import open_remote
from chit_sync.store import reading, remotes
from chit_sync.ticket import Ticket
from support.memory_desk import Desk, MemoryDesk
from support.memory_server import Record, Traits
from support.mirroring import Side
from support.mortal import Mortal
from support.stores import Clock, disk_store

SECOND = 1_000_000
DAY = 86_400 * SECOND

STATUSES = ("new", "open", "stalled", "resolved")
PATHS = ("title", "description", "x.note")
WAYS = {
    "rich": Traits(),
    "poor": Traits(
        reference=False, comment_tokens=False, file_tokens=False, time_tokens=False, history=False, versions=False,
        answers=False, log=False, tick=SECOND, strip=True, line_ends="\r\n",
    ),
    "no tokens": Traits(comment_tokens=False, file_tokens=False, time_tokens=False, log=False),
    "no history": Traits(history=False, answers=False),
    "seconds": Traits(tick=SECOND, log=False, versions=False, reference=False),
    "strip": Traits(strip=True, line_ends="\r\n", answers=False),
}  # fmt: skip
"""Helpdesks that can do more and less."""


class Walker(Side):
    """Somebody with a store, whose processes may be ended."""

    def __init__(self, path: Path, desk: MemoryDesk, clock: Clock, name: str) -> None:
        super().__init__(path, desk, clock, name)
        kept = self.store
        kept.db.execute("PRAGMA synchronous = OFF")
        self.store = Mortal(kept.path, kept.db, kept.now, kept.entropy)
        self.path = path

    def steps(self, steps: Callable[[str], None]) -> None:
        assert isinstance(self.store, Mortal)
        self.store.step = steps

    def exchange_team(self) -> None:
        """Pulls from and pushes to the store of the team."""
        remote = remotes.get(self.store, "team")
        with closing(open_remote(remote.url)) as other:
            pulling.pull(self.store, remote, other)
            pushing.push(self.store, remotes.get(self.store, "team"), other)


class World:
    """A helpdesk with these traits, and people of these names, who share a store if they are several; what each may do."""

    def __init__(self, folder: Path, traits: Traits, seed: object, names: Sequence[str] = ("anna",)) -> None:
        self.chance = random.Random(str(seed))
        self.folder = folder
        self.clock = Clock()
        self.traits = traits
        self.desk = Desk(traits, lambda: self.clock.now)
        accounts = ("agent1", "agent1") if self.chance.random() < 0.3 else ("agent1", "agent2")
        self.people = [
            Walker(
                folder / name, MemoryDesk(self.desk, account, page=self.chance.choice((1, 2, 100))), self.clock, name
            )
            for name, account in zip(names, accounts, strict=False)
        ]
        if len(self.people) > 1:
            disk_store(folder / "team", "team", self.clock).close()
            for one in self.people:
                remotes.add(one.store, "team", str(folder / "team"))
        self.texts: list[str] = []
        self.excused: set[str] = set()
        self.told: list[str] = []
        self.faults = True

    def close(self) -> None:
        for one in self.people:
            one.store.close()

    def text(self, what: str, who: str) -> str:
        """A text that nobody has written before, with blanks and line ends that a helpdesk may not keep."""
        word = f"{what}{len(self.texts)}by{who}."
        self.texts.append(word)
        return self.chance.choice(("{}", "{}", "{}", " {} ", "{}\n", "{}\nmore\n\nlines ü打")).format(word)

    def line(self, what: str, who: str) -> str:
        return " ".join(self.text(what, who).split())

    def excuse(self, *values: Value) -> None:
        """Somebody replaces or deletes these, and has seen them."""
        for value in values:
            if isinstance(value, str):
                self.excused.update(word for word in self.texts if word in value)

    def someone(self) -> Walker:
        return self.chance.choice(self.people)

    def some(self) -> tuple[Walker, Ticket | None]:
        """Somebody, and a ticket there that is neither deleted nor merged."""
        who = self.someone()
        found = [one for one in who.tickets() if not one.value("merged")]
        return who, self.chance.choice(found) if found else None

    def record(self) -> Record | None:
        """A ticket that is in the helpdesk."""
        found = [record for record in self.desk.records.values() if record.gone is None]
        return self.chance.choice(found) if found else None

    # Here

    def ours_new(self) -> None:
        who = self.someone()
        also: dict[str, Value] = {"labels/ink": True} if self.chance.random() < 0.3 else {}
        who.new(also, title=self.line("title", who.name), description=self.text("story", who.name))

    def ours_edit(self) -> None:
        """A text is rewritten, by somebody who sees what is there."""
        who, ticket = self.some()
        if ticket:
            path = self.chance.choice(PATHS)
            value = self.text("story", who.name) if path == "description" else self.line("value", who.name)
            self.excuse(ticket.value(path))
            who.edit(ticket, {path: value})

    def ours_plain(self) -> None:
        who, ticket = self.some()
        if ticket:
            who.edit(ticket, dict([self.plain(here=True)]))

    def plain(self, *, here: bool) -> tuple[str, Value]:
        """A value that others may have chosen as well."""
        values: dict[str, Sequence[Value]] = {
            "status": STATUSES,
            "priority": ("low", "high", "critical") if here else ("Low", "High", "Urgent"),
            "queue": ("Support", "Billing"),
            "assignee": ("agent1", "agent2", None),
            "due": (DAY * 20_000, DAY * 20_001, None),
            "labels/ink": (True, None),
            "labels/paper": (True, None),
            "x.severity" if here else "x.Severity": ("Low", "High", None),
        }
        path = self.chance.choice(list(values))
        return path, self.chance.choice(values[path])

    def ours_say(self) -> None:
        who, ticket = self.some()
        if ticket:
            who.say(ticket, self.text("said", who.name), self.chance.choice(("public", "internal")))

    def ours_comment(self) -> None:
        """A comment is rewritten or deleted."""
        who, ticket = self.some()
        if ticket and ticket.comments:
            one = self.chance.choice(ticket.comments)
            self.excuse(one.body)
            delete = self.chance.random() < 0.4
            key = f"comment/{one.id}"
            who.edit(ticket, {f"{key}/deleted": True} if delete else {f"{key}/body": self.text("re", who.name)})

    def ours_file(self) -> None:
        who, ticket = self.some()
        if ticket and self.chance.random() < 0.3 and ticket.attachments:
            who.edit(ticket, {f"attachment/{self.chance.choice(ticket.attachments).id}/deleted": True})
        elif ticket:
            file = self.folder / f"{self.chance.choice(('log', 'shot'))}.bin"
            file.write_bytes(self.chance.choice((b"same", self.chance.randbytes(20))))
            who.attach(ticket, file)

    def ours_time(self) -> None:
        who, ticket = self.some()
        if not ticket:
            return
        minutes = self.chance.randrange(1, 90)
        if ticket.times and self.chance.random() < 0.5:
            key = f"time/{self.chance.choice(ticket.times).id}"
            sets: dict[str, Value] = (
                {f"{key}/minutes": minutes} if self.chance.random() < 0.6 else {f"{key}/deleted": True}
            )
            who.edit(ticket, sets)
            return
        key = f"time/{''.join(self.chance.choice('klmnopqrstuvwxyz') for _ in range(16))}"
        who.edit(
            ticket,
            {f"{key}/minutes": minutes, f"{key}/date": DAY * 20_000, f"{key}/note": self.chance.choice(("", "swept"))},
        )

    def ours_link(self) -> None:
        who, ticket = self.some()
        others = [one for one in who.tickets() if ticket and one.id != ticket.id and not one.value("merged")]
        if ticket and others:
            make = self.chance.choice((link_paths, link_paths, unlink_paths))
            who.edit(ticket, make("blocks", ticket.id, self.chance.choice(others).id))

    def ours_end(self) -> None:
        """A ticket is deleted or merged; seldom."""
        who, ticket = self.some()
        if not ticket or self.chance.random() < 0.6:
            return
        others = [one for one in who.tickets() if one.id != ticket.id and not one.value("merged")]
        if others and self.chance.random() < 0.5:
            who.edit(ticket, {"merged": self.chance.choice(others).id, "status": "resolved"})
        else:
            who.edit(ticket, {"deleted": True})

    def ours_resolve(self) -> None:
        who = self.someone()
        found = [(ticket, conflict) for ticket in who.tickets() for conflict in ticket.conflicts]
        if found:
            ticket, conflict = self.chance.choice(found)
            self.resolve(who, ticket, conflict.path)

    def resolve(self, who: Walker, ticket: Ticket, path: str) -> None:
        """Somebody chooses one of the values."""
        conflict = next(one for one in ticket.conflicts if one.path == path)
        values = [conflict.shown, *conflict.others]
        if path == "title" or path.endswith(("/body", "/name")):
            values = [value for value in values if value]
        chosen = self.chance.choice(values)
        self.excuse(*[value for value in values if value != chosen])
        who.edit(ticket, {path: chosen}, resolve=True)

    def unmerge(self, who: Walker, ticket: Ticket) -> None:
        """A merge into what has gone meanwhile is refused, and taken back."""
        if ticket.value("merged"):
            target = reading.load(who.store, reading.find(who.store, ticket.text("merged")))
            there = {one.number for one in ticket.elsewhere if one.remote == "origin"}
            if (target.value("deleted") or target.value("merged")) and there & {
                number for number, record in self.desk.records.items() if record.gone is None
            }:
                who.edit(ticket, {"merged": None})

    # There

    def theirs_new(self) -> None:
        self.desk.add_ticket(self.line("title", "them"), self.text("story", "them"))

    def theirs_edit(self) -> None:
        record = self.record()
        if record:
            path = self.chance.choice(("title", "description", "x.Note"))
            value = self.text("story", "them") if path == "description" else self.line("value", "them")
            self.excuse(record.fields.get(path))
            self.desk.edit(record.number, by="agent2", **{path.replace("x.", "x_"): value})

    def theirs_plain(self) -> None:
        record = self.record()
        if record:
            path, value = self.plain(here=False)
            fields: Any = {path.replace("x.", "x_").replace("labels/", "labels_"): value}
            self.desk.edit(record.number, **fields)

    def theirs_say(self) -> None:
        record = self.record()
        if record:
            self.desk.say(record.number, self.text("said", "them"), self.chance.random() < 0.5)

    def theirs_comment(self) -> None:
        record = self.record()
        if record and record.comments:
            ident = self.chance.choice(list(record.comments))
            self.excuse(record.comments[ident].body)
            if self.chance.random() < 0.4:
                del record.comments[ident]
            else:
                body = str(self.desk.kept("comment", self.text("re", "them")))
                record.comments[ident] = record.comments[ident]._replace(body=body)
            self.desk.touch(record)

    def theirs_file(self) -> None:
        record = self.record()
        if record and record.files and self.chance.random() < 0.3:
            del record.files[self.chance.choice(list(record.files))]
            self.desk.touch(record)
        elif record:
            self.desk.attach(record.number, "log.bin", self.chance.choice((b"same", self.chance.randbytes(20))))

    def theirs_time(self) -> None:
        record = self.record()
        if record:
            self.desk.work("agent2", record.number, self.chance.randrange(1, 90), DAY * 20_000, "", "")

    def theirs_link(self) -> None:
        record, other = self.record(), self.record()
        if record and other and record is not other:
            tie = Tie("blocks", other.number)
            (record.ties.remove if tie in record.ties else record.ties.append)(tie)
            self.desk.touch(record)

    def theirs_end(self) -> None:
        record, other = self.record(), self.record()
        if not record or self.chance.random() < 0.6:
            return
        self.excuse(*record.fields.values())
        if other and other is not record and self.chance.random() < 0.5:
            self.desk.merge(record.number, other.number)
        else:
            self.excuse(*[one.body for one in record.comments.values()])
            self.desk.remove(record.number)
