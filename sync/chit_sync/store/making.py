"""Making changes: from paths and values to a record for the log. What they may be is decided before; when is the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from chit_sync.change import NONCE_BYTES, Change, digest, encode, nonce
from chit_sync.clock import next_stamp
from chit_sync.errors import ConflictError
from chit_sync.ids import ITEM_BYTES, letters
from chit_sync.registers import Heads, Value, every, losers, seen
from chit_sync.schema import split
from chit_sync.store import log
from chit_sync.store.database import Store
from chit_sync.store.log import Record
from chit_sync.ticket import Ticket


class Pen:
    """Writes changes one after the other, each with a later stamp; lives as long as a transaction."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = store.now()
        self.stamp = store.meta("clock", 0)

    def write(
        self, ident: str, by: str, sets: Mapping[str, Value], over: Iterable[int], when: int | None = None
    ) -> Record:
        """A change of the ticket with that id. over: the places in the log of the changes that it replaces."""
        self.stamp = next_stamp(self.now, self.stamp)
        # In the order of the canonical bytes, so that the tables come to the same as when they are made again from the log.
        change = Change(
            ticket=ident, at=self.stamp, by=by, set=dict(sorted(sets.items())), nonce=nonce(self.store.entropy(NONCE_BYTES)),
            over=_ids(self.store, sorted(over)), when=when,
        )  # fmt: skip
        body = encode(change)
        return Record(digest(body), body, change)


def heads(ticket: Ticket, path: str) -> Heads[int] | None:
    """Who wrote what is at a path of the ticket or of one of its items; None if nobody did."""
    kind, ident, name = split(path)
    registers = ticket.item_registers.get(f"{kind}/{ident}", {}) if kind else ticket.registers
    return registers.get(name)


def _ids(store: Store, seqs: Sequence[int]) -> list[str]:
    rows = [store.db.execute("SELECT id FROM changes WHERE seq = ?", (seq,)).fetchone() for seq in seqs]
    if None in rows:
        raise ConflictError("the ticket was changed back by `undo` meanwhile", "Look at it again, then repeat this.")
    return sorted(row[0].hex() for row in rows)


def replaced(paths: Iterable[Heads[int]]) -> set[int]:
    """What a change that says what is shown at these paths replaces: nothing that another one of them keeps in conflict."""
    shown: set[int] = set()
    kept: set[int] = set()
    for written in paths:
        shown.update(seen(written))
        kept.update(key for key in every(written) if key not in seen(written))
    return shown - kept


def new_item(store: Store) -> str:
    """A fresh id for an item."""
    return letters(store.entropy(ITEM_BYTES))


def rewrite(store: Store, ticket: Ticket, sets: Mapping[str, Value], by: str, *, right: str = "") -> None:
    """Writes what this store itself decides, even what is so already; call it inside a transaction.

    What only some may see is a change of its own (with `right`, all of it is for who holds that right), and so is a path in conflict:
    the conflict stays.
    """
    from chit_sync.sharing import right_of  # not for every write

    parts: dict[tuple[str, str], dict[str, Value]] = {}
    for path, value in sets.items():
        written = heads(ticket, path)
        contested = path if written and losers(written) else ""
        parts.setdefault((right or right_of(path), contested), {})[path] = value
    pen = Pen(store)
    records = []
    for _, part in sorted(parts.items()):  # what everybody may see first: it names the handoff
        records.append(pen.write(ticket.id, by, part, _shown_at(ticket, part)))
    if records:
        log.append(store, records)


class Restated(NamedTuple):
    """What is said once more: paths and values as they are shown, who said it first, and when (microseconds since 1970 UTC)."""

    set: Mapping[str, Value]
    by: str
    when: int


def restate(store: Store, ticket: Ticket, told: Iterable[Restated]) -> None:
    """Says again what is shown, each piece in one change, as whoever gets it needs all of it at once; call it inside a transaction."""
    pen = Pen(store)
    records = [pen.write(ticket.id, one.by, one.set, _shown_at(ticket, one.set), one.when) for one in told]
    if records:
        log.append(store, records)


def _shown_at(ticket: Ticket, paths: Iterable[str]) -> set[int]:
    """What a change that writes these paths replaces."""
    return replaced([written for path in paths if (written := heads(ticket, path))])
