"""Taking many changes into a store, a batch a transaction, so that a kill at any moment leaves whole batches and nothing else."""

from collections.abc import Sequence

from chit_sync.store import log
from chit_sync.store.database import Store, chunks, explained, marks
from chit_sync.store.log import Record

BATCH = 10_000
"""Changes in a transaction."""

AT_ONCE = 1_000
"""Changes handed to the log at once: few enough to stay in the processor's cache."""

BATCH_BYTES = 16 << 20


class Taker:
    """Takes changes in batches and counts. dry_run: only counts.

    All that one import adds is one entry of `operations`, so that `undo` takes it back at once, unless another process wrote between
    two batches; then there is an entry for each stretch.
    """

    def __init__(self, store: Store, command: str, *, dry_run: bool = False) -> None:
        self._store = store
        self._command = command
        self._dry_run = dry_run
        self._waiting: list[Record] = []
        self._bytes = 0
        self._operation = 0
        self._new_idents: set[str] = set()
        self.new_changes = 0
        self.new_tickets = 0

    @property
    def full(self) -> bool:
        """Whether the batch is large enough to be written."""
        return len(self._waiting) >= BATCH or self._bytes >= BATCH_BYTES

    def add(self, records: Sequence[Record]) -> None:
        """Keeps the changes for the next batch. They were checked. The changes of one ticket had better come together."""
        self._waiting += records
        self._bytes += sum(len(record.body) for record in records)

    def flush(self) -> list[bool]:
        """Writes the batch; says for each change whether it was new. Raises StoreError."""
        batch, self._waiting, self._bytes = self._waiting, [], 0
        if not batch:
            return []
        return self._count(batch) if self._dry_run else self._take(batch)

    def _take(self, batch: list[Record]) -> list[bool]:
        db = self._store.db
        with self._store.transaction():
            first = log.last_seq(db) + 1
            tickets = _last_ticket(self._store)
            seqs: list[int] = []
            for start in range(0, len(batch), AT_ONCE):
                seqs += log.append(self._store, batch[start : start + AT_ONCE])
            added = sum(map(bool, seqs))
            if added:
                self.new_changes += added
                self.new_tickets += _last_ticket(self._store) - tickets
                self._remember(first, first + added - 1)
        return [bool(seq) for seq in seqs]

    def _remember(self, first: int, last: int) -> None:
        """Extends the entry in `operations`, or begins one."""
        db = self._store.db
        found = db.execute(
            "UPDATE operations SET last = ? WHERE id = ? AND last = ? AND id = (SELECT max(id) FROM operations)",
            (last, self._operation, first - 1),
        )
        if not found.rowcount:
            row = (self._store.now(), self._command, first, last)
            self._operation = (
                db.execute("INSERT INTO operations (time, command, first, last) VALUES (?, ?, ?, ?)", row).lastrowid
                or 0
            )

    def _count(self, batch: list[Record]) -> list[bool]:
        with explained(self._store.path):
            db = self._store.db
            known = log.existing(db, [record.id for record in batch])
            fresh = {record.id: record for record in batch if record.id not in known}
            idents = {record.change.ticket for record in fresh.values()} - self._new_idents
            for part in chunks(sorted(idents)):
                found = db.execute(f"SELECT id FROM tickets WHERE id IN ({marks(part)})", part)
                idents.difference_update(row[0] for row in found.fetchall())
        self._new_idents |= idents
        self.new_tickets += len(idents)
        self.new_changes += len(fresh)
        return [record.id in fresh for record in batch]


def _last_ticket(store: Store) -> int:
    return store.db.execute("SELECT max(num) FROM tickets").fetchone()[0] or 0
