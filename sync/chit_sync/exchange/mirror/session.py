"""A helpdesk that a store is exchanging with: who it is, what its words mean here, and that nobody else of this store does the same now.

Two processes of one store with the same helpdesk would each take what the other is just sending for somebody else's: one waits.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from chit_sync import ids
from chit_sync.change import Change, digest, encode
from chit_sync.clock import DAY, MAX_STAMP
from chit_sync.codec import decode
from chit_sync.errors import RemoteError, StoreError
from chit_sync.helpdesks import address
from chit_sync.helpdesks.base import Description, Found, Helpdesk
from chit_sync.helpdesks.facing import Facing, Head
from chit_sync.helpdesks.mapping import Mapping
from chit_sync.registers import Value
from chit_sync.schema import split
from chit_sync.store import log, reading, remotes
from chit_sync.store.database import Store
from chit_sync.store.remotes import Remote
from chit_sync.ticket import Ticket

MappingFor = Callable[[Description], Mapping]
"""Makes the tables from what the helpdesk says of itself."""

FRESH = DAY
"""How long a helpdesk's description is good for."""

WAIT_SECONDS = 30.0

_TOLD = {"comment": "comment deletions", "attachment": "attachment deletions", "time": "time edits"}


class Session:
    """An exchange under way. remote: as it was at its beginning. mapping: not needed where only bytes are exchanged."""

    def __init__(self, store: Store, remote: Remote, desk: Helpdesk, mapping: MappingFor | None = None) -> None:
        self.store = store
        self.remote = remotes.get(store, remote.name)
        self.desk = desk
        self._mapping = mapping
        self._about: Description | None = None
        self._facing: Facing | None = None

    @property
    def about(self) -> Description:
        """What the helpdesk says of itself: asked once a day."""
        if self._about is None:
            kept = self.store.meta(remotes.about_key(self.remote.id))
            self._about = _fresh(kept, self.store.now()) if kept and self.remote.store else None
            if self._about is None:
                self.ask()
        assert self._about is not None
        return self._about

    def ask(self) -> Description:
        """Asks the helpdesk what it is now, and keeps that. Raises AccessError, RemoteError."""
        return self.keep(self.desk.describe())

    def keep(self, about: Description) -> Description:
        """Keeps what the helpdesk has just said of itself."""
        self._about, self._facing = about, None
        now = self.store.now()
        with self.store.transaction() as db:
            self.store.set_meta(remotes.about_key(self.remote.id), msgspec.json.encode((now, about)))
            db.execute(
                "UPDATE remotes SET store = coalesce(store, ?), contact = ? WHERE id = ?",
                (address.parse(self.remote.url).identity, now, self.remote.id),
            )
        self.remote = remotes.get(self.store, self.remote.name)
        return about

    @property
    def identity(self) -> tuple[str, str]:
        """What the helpdesk is in every store, and the mark of its changes."""
        identity = self.remote.store or address.parse(self.remote.url).identity
        return identity, ids.mirror_id(identity)

    def meet(self) -> Facing:
        """Finds out who the helpdesk is, which comes before what it has."""
        return self.facing

    @property
    def facing(self) -> Facing:
        """The helpdesk as what is pure sees it."""
        if self._facing is None:
            about = self.about
            identity, mirror = self.identity
            if self._mapping is None:
                raise AssertionError("without a mapping nothing can be compared")
            deletions = frozenset(kind for kind, name in _TOLD.items() if about.features[name].read)
            self._facing = Facing(
                identity, mirror, self.desk.kind, self._mapping(about), self.desk.stored, self.ticket,
                deletions, self.store.now(), self._organisations(), about.features["history"].read,
            )  # fmt: skip
        return self._facing

    def _organisations(self) -> frozenset[str]:
        """The names of partners, and what they call us."""
        rows = self.store.db.execute("SELECT name, own FROM partners").fetchall()
        return frozenset(name for row in rows for name in row)

    def ticket(self, number: int) -> str | None:
        """The id here of the ticket with a number there."""
        if not 0 < number <= MAX_STAMP:  # no database takes just any
            return None
        row = self.store.db.execute(
            "SELECT t.id FROM numbers n JOIN tickets t USING (num) WHERE n.remote = ? AND n.number = ?",
            (self.remote.id, number),
        ).fetchone()
        return None if row is None else str(row[0])

    def number(self, ticket: str) -> int | None:
        """The number there of the ticket with an id here."""
        row = self.store.db.execute(
            "SELECT n.number FROM numbers n JOIN tickets t USING (num) WHERE n.remote = ? AND t.id = ? ORDER BY 1 LIMIT 1",
            (self.remote.id, ticket),
        ).fetchone()
        return None if row is None else int(row[0])

    def read(self, numbers: Sequence[int]) -> list[Found]:
        """These tickets as they stand there, in that order. Raises RemoteError also where the answer is about others."""
        found = self.desk.read(numbers)
        if [one.number for one in found] != [*numbers]:
            raise RemoteError(
                f"{self.remote.name} answers about other tickets than were asked for",
                "Run it again later; nothing was changed by it.",
            )
        return found

    def ours(self, ident: str, number: int = 0) -> "Here":
        """The ticket with that id as it stands here. number: what the helpdesk calls it, if some of it may have been fetched before."""
        row = self.store.db.execute("SELECT num FROM tickets WHERE id = ?", (ident,)).fetchone()
        here = Here(self.store, reading.load(self.store, row[0]) if row else None, self.facing.mirror)
        if number:
            rows = self.store.db.execute(
                "SELECT body FROM incoming WHERE remote = ? AND number = ? ORDER BY seq", (self.remote.id, number)
            )
            for (body,) in rows.fetchall():
                here.take(decode(body))
        return here


class Here:
    """A ticket of this store, for comparing; None stands for one that is not here."""

    def __init__(self, store: Store, ticket: Ticket | None, mirror: str) -> None:
        self._store = store
        self._ticket = ticket
        self._mirror = mirror
        self._waiting: dict[str, list[Value]] = {}
        """Path to what the helpdesk wrote there that is not in the log yet."""
        self._over: dict[str, set[str]] = {}
        """Path to what that replaces."""
        self._items: set[str] = set()
        """The items, KIND/ID, of which it wrote something."""

    def knows(self, change: Change) -> bool:
        """Whether this very change is in the log."""
        return bool(log.existing(self._store.db, [digest(encode(change))]))

    @property
    def absent(self) -> bool:
        """Whether there is no such ticket here."""
        return self._ticket is None

    def take(self, change: Change) -> None:
        """Counts a change of the helpdesk in that is about to be taken, or was fetched."""
        for path, value in change.set.items():
            self._waiting.setdefault(path, []).append(value)
            self._items.add(path.rpartition("/")[0])
            if change.over:
                self._over.setdefault(path, set()).update(change.over)

    def heads(self, path: str) -> list[Head]:
        """What is at a path, the shown value first."""
        kind, ident, name = split(path)
        found: list[Head] = []
        if self._ticket is not None:
            registers = self._ticket.item_registers.get(f"{kind}/{ident}", {}) if kind else self._ticket.registers
            found = [self._head(seq, value) for seq, value in registers.get(name, ())]
        waiting = self._waiting.get(path)
        if waiting:  # of what they wrote the latest counts
            over = self._over.get(path, ())
            found = [head for head in found if not head.mirrored and head.id not in over]
            found.append(Head("", waiting[-1], mirrored=True))
        return found

    def has(self, key: str) -> bool:
        """Whether there is an item."""
        known = self._ticket is not None and key in self._ticket.item_registers
        return known or key in self._items

    def written(self, path: str) -> list[Head]:
        """All that was ever written at a path."""
        waiting = [Head("", value, mirrored=True) for value in self._waiting.get(path, ())]
        if self._ticket is None:
            return waiting
        rows = self._store.db.execute(
            "SELECT id, body FROM changes WHERE ticket = ? AND instr(body, ?)",
            (self._ticket.number, f'"{path}":'.encode()),
        )
        read = [(ident, decode(body)) for ident, body in rows]
        return waiting + [
            Head(ident.hex(), change.set[path], change.mirror == self._mirror)
            for ident, change in read
            if path in change.set
        ]

    def _head(self, seq: int, value: "str | int | bool | None") -> Head:
        ident, body = self._store.db.execute("SELECT id, body FROM changes WHERE seq = ?", (seq,)).fetchone()
        mirrored = b'"mirror"' in body and decode(body).mirror == self._mirror
        return Head(ident.hex(), value, mirrored)


def _fresh(kept: bytes, now: int) -> Description | None:
    """A description that was kept, unless it is old, or of another chit."""
    try:
        asked, about = msgspec.json.decode(kept, type=tuple[int, Description])
    except msgspec.MsgspecError:
        return None
    return about if now - FRESH < asked <= now else None


@contextmanager
def alone(store: Store, remote: Remote) -> Iterator[None]:
    """Holds other processes of this store off the helpdesk meanwhile. Raises StoreError when one does not come to an end."""
    import fcntl

    with open(os.path.join(store.path, f"exchange-{remote.id}.lock"), "a") as file:
        waited = 0.0
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if waited >= WAIT_SECONDS:
                    raise StoreError(
                        f"another chit has been exchanging with {remote.name} for over {WAIT_SECONDS:.0f} seconds",
                        "Run it again when that is done; nothing was changed.",
                    ) from None
                time.sleep(0.1)
                waited += 0.1
        yield
