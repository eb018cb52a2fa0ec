"""The log of changes: taking changes in, and reading them out in sequence. What they add up to is `project`'s business."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from chit_sync.change import Change
from chit_sync.clock import MAX_AHEAD
from chit_sync.store.database import Connection, Store, chunks, marks
from chit_sync.store.project import number_tickets, project, with_handoffs

HERE = 0
"""The origin of changes made in this store."""


class Record(NamedTuple):
    """A change as it travels: its id (20 bytes), its canonical bytes, and what they say."""

    id: bytes
    body: bytes
    change: Change


class Entry(NamedTuple):
    """A change as it lies in the log. number: this store's number of the ticket. origin: the remote it came from, 0 for here."""

    seq: int
    id: bytes
    number: int
    origin: int
    body: bytes


def append(store: Store, records: Sequence[Record], origin: int = HERE) -> list[int]:
    """Takes changes into the log and into the tables; call it inside a transaction, with records that were checked.

    Returns their places in the sequence, in the order given; 0 for a change that the store has already.
    """
    # Nearly always all of a batch is new. So it is put in without asking, and looked at closely only where that fails.
    first = last_seq(store.db) + 1
    seqs = list(range(first, first + len(records)))
    store.db.execute("SAVEPOINT batch")
    try:
        _put_in(store, records, seqs, origin)
    except sqlite3.IntegrityError:
        store.db.execute("ROLLBACK TO batch")
        seqs = _places(store.db, records)
        fresh = [record for record, seq in zip(records, seqs, strict=True) if seq]
        _put_in(store, fresh, [seq for seq in seqs if seq], origin)
    store.db.execute("RELEASE batch")
    return seqs


def _places(db: Connection, records: Sequence[Record]) -> list[int]:
    """The places that the changes will have; 0 for one that is there already, or twice among them."""
    known = existing(db, [record.id for record in records])
    last = last_seq(db)
    seqs: list[int] = []
    for record in records:
        if record.id in known:
            seqs.append(0)
            continue
        known.add(record.id)
        last += 1
        seqs.append(last)
    return seqs


def _put_in(store: Store, records: Sequence[Record], seqs: Sequence[int], origin: int) -> None:
    """Puts changes at these places into the log and into the tables. Raises IntegrityError if one is there already."""
    if not records:
        return
    db = store.db
    numbers = number_tickets(db, [record.change.ticket for record in records])
    steps = [(seq, ident, change) for seq, (ident, _, change) in zip(seqs, records, strict=True)]
    db.executemany(
        "INSERT INTO changes VALUES (?, ?, ?, ?, ?)",
        [
            (seq, ident, numbers[change.ticket], origin, record.body)
            for (seq, ident, change), record in zip(steps, records, strict=True)
        ],
    )
    again = project(store, steps, numbers)
    if again:
        from chit_sync.store.reproject import reproject  # rare, and not light

        reproject(store, again)
    latest = max([record.change.at for record in records])
    clock = store.meta("clock", 0)
    if latest > clock or clock > store.now() + MAX_AHEAD:  # what came from a clock far ahead does not count any more
        store.set_meta("clock", latest)
    if db.execute("SELECT 1 FROM partners LIMIT 1").fetchone():
        paths = (path for _, _, change in steps for path in change.set)
        outsourced = with_handoffs(db, set(numbers.values()), paths)
        if outsourced:
            from chit_sync.store import desk  # not light, and most tickets are with nobody

            fresh = list(zip(seqs, records, strict=True))
            desk.taken(store, origin, fresh, numbers, outsourced)


def existing(db: Connection, ids: Sequence[bytes]) -> set[bytes]:
    """Those of the change ids that the log has."""
    found: set[bytes] = set()
    for part in chunks(ids):
        found.update(row[0] for row in db.execute(f"SELECT id FROM changes WHERE id IN ({marks(part)})", part))
    return found


def last_seq(db: Connection) -> int:
    """The last place that was ever taken, 0 in an empty log. The place of a change that was undone is not taken again."""
    return int(
        db.execute(
            "SELECT max((SELECT coalesce(max(seq), 0) FROM changes),"
            " coalesce((SELECT value FROM meta WHERE key = 'undone'), 0))"
        ).fetchone()[0]
    )


def read(store: Store, after: int, limit: int) -> list[Entry]:
    """At most `limit` changes after that place in the sequence."""
    rows = store.db.execute(
        "SELECT seq, id, ticket, origin, body FROM changes WHERE seq > ? ORDER BY seq LIMIT ?",
        (after, limit),
    )
    return list(map(Entry._make, rows))
