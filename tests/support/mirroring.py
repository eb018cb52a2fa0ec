"""Stores that follow a helpdesk in memory, as a person's command line would use them; for tests of the engine between the two."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chit_sync.authoring import Edit, attach_file, comment_paths, record
from chit_sync.exchange.mirror import files, sending
from chit_sync.exchange.mirror import reading as engine
from chit_sync.exchange.results import Fetched, Pulled, Pushed
from chit_sync.helpdesks import address
from chit_sync.helpdesks.base import Description
from chit_sync.helpdesks.mapping import Mapping as Words
from chit_sync.helpdesks.mapping import defaults, statuses_for
from chit_sync.helpdesks.settings import NOTHING, Tables
from chit_sync.registers import Value
from chit_sync.store import log, reading, remotes
from chit_sync.store.making import new_item
from chit_sync.store.statuses import set_statuses
from chit_sync.ticket import Ticket
from support.stores import Clock, disk_store

address.KINDS.setdefault("memory", ("support.memory_desk", "MemoryDesk"))

URL = "memory+http://desk.example.com/"


class Side:
    """Somebody's store with a helpdesk as its remote `origin`."""

    def __init__(
        self, path: Path, desk: Any, clock: Clock, name: str = "anna", tables: Tables = NOTHING, url: str = URL
    ) -> None:
        self.store = disk_store(path, name, clock)
        self.name = name
        self.desk = desk
        self.tables = tables
        self.remote = remotes.add(self.store, "origin", url)
        set_statuses(self.store, statuses_for(desk.describe()))

    def mapping(self, about: Description) -> Words:
        """What the helpdesk's words mean in this store."""
        return defaults(about, self.store.statuses, "origin", self.tables)

    def fetch(self) -> Fetched:
        return engine.fetch(self.store, self.remote, self.desk, mapping=self.mapping)

    def pull(self, **options: Any) -> Pulled:
        return engine.pull(self.store, self.remote, self.desk, mapping=self.mapping, **options)

    def push(self, **options: Any) -> Pushed:
        return sending.push(self.store, self.remote, self.desk, mapping=self.mapping, **options)

    def sync(self) -> tuple[Pulled, Pushed]:
        return self.pull(), self.push()

    def bytes(self) -> files.Fetched:
        """Fetches the bytes of all attachments."""
        return files.fetch(self.store, self.remote, self.desk, files.wanting(self.store, self.remote))

    def ticket(self, number: int) -> Ticket:
        """The ticket that the helpdesk calls so."""
        row = self.store.db.execute(
            "SELECT num FROM numbers WHERE remote = ? AND number = ?", (self.remote.id, number)
        ).fetchone()
        assert row, f"#{number} is not here"
        return reading.load(self.store, row[0])

    def tickets(self) -> list[Ticket]:
        """All tickets that are not deleted."""
        rows = self.store.db.execute("SELECT num FROM tickets WHERE state <> 2 ORDER BY num").fetchall()
        return reading.load_many(self.store, [row[0] for row in rows])

    def new(self, also: Mapping[str, Value] | None = None, **fields: Value) -> Ticket:
        done = record(self.store, [Edit(None, {**fields, **(also or {})})], by=self.name, command="test")
        return reading.load(self.store, done[0].number)

    def edit(self, ticket: Ticket, sets: Mapping[str, Value], *, resolve: bool = False) -> Ticket:
        """Edits the ticket as it is now."""
        now = reading.load(self.store, ticket.number)
        record(self.store, [Edit(now, sets, resolve=resolve)], by=self.name, command="test")
        return reading.load(self.store, ticket.number)

    def say(self, ticket: Ticket, body: str, visibility: str = "public") -> str:
        """Comments; returns the comment's id."""
        item = new_item(self.store)
        self.edit(ticket, comment_paths(item, body, visibility))
        return item

    def attach(self, ticket: Ticket, file: Path, visibility: str = "public") -> Ticket:
        return self.edit(ticket, attach_file(self.store, str(file), visibility))


def quiet(side: Side) -> None:
    """Asserts that another push and pull do nothing at all."""
    before = log.last_seq(side.store.db)
    pulled, pushed = side.pull(), side.push()
    assert log.last_seq(side.store.db) == before, (pulled, pushed)
    assert (pulled.taken, pushed.taken, pushed.refused) == (0, 0, ()), (pulled, pushed)
    again = side.pull()
    assert again.taken == 0, again
