"""A store whose process can be ended at any step, and a place to which everything can be set back; for tests with a helpdesk in memory.

A step is a question or call that reaches the helpdesk, before and after, and a transaction's beginning and end. After the one at which it
was ended a process does nothing more: each further step ends it again.
"""

import copy
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chit_sync.store import fsck, remotes
from chit_sync.store.database import Connection, Store
from chit_sync.store.opening import open_store
from support.memory_desk import Desk
from support.mirroring import Side
from support.stores import Clock, entropy


class EndedError(BaseException):
    """The process has ended here."""


class Steps:
    """Counts steps, and ends the process at one of them. at: the step, from 1; 0 for none."""

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self.names: list[str] = []

    def __call__(self, name: str) -> None:
        if self.at and len(self.names) >= self.at:
            raise EndedError
        self.names.append(name)
        if len(self.names) == self.at:
            raise EndedError(name)


class Mortal(Store):
    """A store that tells of each transaction, and whether it was kept."""

    step: Callable[[str], None] = staticmethod(lambda name: None)

    @contextmanager
    def transaction(self, *, dry_run: bool = False) -> Iterator[Connection]:
        """See Store."""
        self.step("begin")
        with super().transaction(dry_run=dry_run) as db:
            yield db
            self.step("commit")
        self.step("committed")


class Reopened(Side):
    """A side whose store is there already, opened by another process. seed: of what that draws by lot."""

    def __init__(self, like: Side, seed: object, steps: Callable[[str], None] | None = None) -> None:
        opened = open_store(like.store.path, now=like.store.now, entropy=entropy((like.name, seed)))
        opened.db.execute("PRAGMA synchronous = OFF")  # the process ends, not the machine
        self.store = opened
        if steps is not None:
            self.store = Mortal(opened.path, opened.db, opened.now, opened.entropy)
            self.store.step = steps
        self.name, self.desk, self.tables = like.name, like.desk, like.tables
        self.remote = remotes.get(self.store, like.remote.name)


class Scene:
    """A store and a helpdesk as they are now, to be set back to."""

    def __init__(self, side: Side, desk: Desk, clock: Clock) -> None:
        self.side, self.desk, self.clock = side, desk, clock
        self.folder = Path(side.store.path)
        self.kept = self.folder.with_name(self.folder.name + ".kept")
        side.store.close()
        shutil.copytree(self.folder, self.kept)
        self.state = copy.deepcopy(self._state())
        self.now = clock.now
        self.opened: list[Side] = []

    def _state(self) -> dict[str, Any]:
        desk = self.desk
        return {"records": desk.records, "seq": desk.seq, "items": desk.items, "clock": desk.clock}

    def back(self) -> None:
        """Sets everything back. The file of the store stays the same one: a copy would take a new identity."""
        for side in self.opened:
            side.store.close()
        for name, value in copy.deepcopy(self.state).items():
            setattr(self.desk, name, value)
        self.desk.asked.clear()
        self.clock.now = self.now
        shutil.rmtree(self.folder / "blobs")
        shutil.copytree(self.kept / "blobs", self.folder / "blobs")
        for path in self.folder.iterdir():
            if path.name.startswith("store.db-"):
                path.unlink()
        with open(self.folder / "store.db", "r+b") as file:
            file.write((self.kept / "store.db").read_bytes())
            file.truncate()

    def run(self, do: Callable[[Side], object], at: int = 0, seed: object = "first") -> Steps:
        """Does something in a process of its own, which ends at a step; returns its steps."""
        steps = Steps(at)
        side = Reopened(self.side, seed, steps)
        self.desk.step = steps
        try:
            do(side)
        except EndedError:
            assert at
        finally:
            self.desk.step = lambda name: None
            side.store.close()
        return steps

    def again(self, seed: object = "again") -> Side:
        """The store, opened by the next process."""
        self.opened.append(Reopened(self.side, seed))
        return self.opened[-1]


def whole(side: Side) -> None:
    """Asserts that the store is whole, and that its tables are what its log adds up to."""
    assert [one for one in fsck.check(side.store) if not one.harmless] == []


def here(side: Side) -> list[Any]:
    """What people see of all tickets, without ids: two stores in which the same has happened show the same."""
    titles = {ticket.id: ticket.title for ticket in side.tickets()}
    shown = [
        [
            ticket.title,
            {path: heads[0][1] for path, heads in sorted(ticket.registers.items()) if path != "merged" and heads[0][1] is not None},
            sorted((one.author, one.body, one.visibility) for one in ticket.comments),
            sorted((one.name, one.sha256) for one in ticket.attachments),
            sorted((one.minutes, one.note) for one in ticket.times),
            sorted((one.kind, titles.get(one.ticket, "")) for one in ticket.links),
            [one.path for one in ticket.conflicts],
            len(ticket.elsewhere),
        ]
        for ticket in side.tickets()
    ]  # fmt: skip
    return sorted(shown, key=repr)


def there(desk: Desk) -> list[Any]:
    """What people see in the helpdesk, without numbers and ids."""
    titles = {number: record.fields.get("title") for number, record in desk.records.items()}
    return sorted(
        [
            str(shown["title"]),
            shown["description"],
            sorted((path, value) for path, value in record.fields.items() if path != "description"),
            sorted(shown["comments"]),
            sorted(shown["files"]),
            sorted((one.minutes, one.note) for one in record.works.values()),
            sorted((tie.kind, str(titles[tie.number])) for tie in record.ties),
        ]
        for number, shown in desk.tickets().items()
        for record in [desk.records[number]]
    )
