"""Stores for tests: a clock that is told the time, entropy from a seed, and stores in memory where nothing is about the disk."""

import random
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from chit_sync.authoring import Done, Edit, record
from chit_sync.registers import Value
from chit_sync.store import log, reading
from chit_sync.store.database import Store
from chit_sync.store.opening import create
from chit_sync.ticket import Ticket

NOON = 1_772_539_200_000_000
"""2026-03-03 12:00 UTC, when the tests' clocks start."""


class Clock:
    """A time of day that moves only when told to, or by `step` at every look."""

    def __init__(self, now: int = NOON, step: int = 0) -> None:
        self.now = now
        self.step = step

    def __call__(self) -> int:
        self.now += self.step
        return self.now


def entropy(seed: object) -> Callable[[int], bytes]:
    """Bytes that look random and are the same for the same seed."""
    return random.Random(str(seed)).randbytes


def disk_store(path: Path, seed: object = "store", clock: Clock | None = None) -> Store:
    """A new store in the folder `path`."""
    return create(str(path), now=clock or Clock(), entropy=entropy(seed))


def memory_store(empty: Store, seed: object, clock: Clock | None = None) -> Store:
    """A new store in memory, as `empty` is; it has no folder."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    empty.db.backup(db)
    return Store(empty.path, db, clock or Clock(), entropy(seed))


def write(store: Store, *edits: Edit, by: str = "anna") -> list[Done]:
    """Writes as a command would."""
    return record(store, edits, by=by, command="test")


def new(store: Store, by: str = "anna", also: Mapping[str, Value] | None = None, **fields: Value) -> Ticket:
    """A new ticket, by default with a title only; `also`: paths that are no Python names."""
    done = write(store, Edit(None, {**fields, **(also or {})} or {"title": "Printer on fire"}), by=by)[0]
    return reading.load(store, done.number)


def change(
    store: Store, ticket: Ticket, sets: Mapping[str, Value], *, by: str = "anna", resolve: bool = False
) -> Ticket:
    """Edits the ticket as it was seen, and reads it again."""
    write(store, Edit(ticket, sets, resolve=resolve), by=by)
    return reading.load(store, ticket.number)


def give(target: Store, records: Iterable[log.Record], origin: int = 1) -> list[int]:
    """Puts changes into another store's log, in one transaction."""
    with target.transaction():
        return log.append(target, list(records), origin)


def records(store: Store, after: int = 0) -> list[log.Record]:
    """All changes of a store, in its order."""
    from chit_sync.codec import decode

    return [log.Record(entry.id, entry.body, decode(entry.body)) for entry in log.read(store, after, 1 << 30)]
