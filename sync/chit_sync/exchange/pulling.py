"""Fetch and pull: reading a remote's log into ours, or beside it. Batch by batch, each with its cursor in one transaction.

A change that does not pass here stays in `incoming`, below the cursor, and is tried again at each pull; the others go on. A change
whose bytes are not those of its id stops the exchange: then the remote, or what lies between, is not to be trusted.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing

from chit_sync import policy
from chit_sync.change import Change
from chit_sync.errors import RemoteError, UsageError
from chit_sync.exchange import cursor
from chit_sync.exchange.results import Conflict, Fetched, Held, Progress, Pulled, silent
from chit_sync.remotes.base import Log, Reading
from chit_sync.store import log, remotes
from chit_sync.store.database import Store
from chit_sync.store.remotes import VISITOR, Remote
from chit_sync.wire import Sent

BATCH = 5_000
"""Changes in one transaction."""

BATCH_BYTES = 8 << 20
"""Bytes in one transaction, roughly."""


def fetch(store: Store, remote: Remote, source: Log, *, progress: Progress = silent) -> Fetched:
    """Reads what the remote has and keeps it beside the log, for the next pull. Raises RemoteError; what came before is kept."""
    remote, reading = _open(store, remote, source)
    start = cursor.place(remote)
    count = 0
    with closing(reading.batches):
        for batch in _gathered(reading.batches):
            good, lie = _honest(batch)
            if good:
                with store.transaction() as db:
                    db.executemany(
                        "INSERT OR IGNORE INTO incoming VALUES (?, ?, ?, ?, ?)",
                        [(remote.id, sent.seq, sent.number, sent.id, sent.body) for sent in good],
                    )
                    cursor.advance(store, remote, fetched=good[-1].seq, tip=good[-1].id)
                count += len(good)
                progress(good[-1].seq - start, reading.info.last - start)
            if lie:
                raise _lied(remote, lie)
    return Fetched(count, remotes.pending(store, remote).fetched)


def pull(store: Store, remote: Remote, source: Log, *, progress: Progress = silent, dry_run: bool = False) -> Pulled:
    """Takes what was fetched, then what the remote has beyond. Raises RemoteError; what came before is kept, the next pull goes on.

    dry_run: counts what would be taken.
    """
    if dry_run:
        return _foresee(store, remote, source)
    taking = _Taking(store, remote)
    taking.waiting()
    remote, reading = _open(store, remote, source)
    taking.remote = remote
    start = cursor.place(remote)
    total = reading.info.last - start
    with closing(reading.batches), cursor.bulk(store, total):
        for batch in _gathered(reading.batches):
            good, lie = _honest(batch)
            if good:
                taking.batch(good)
                progress(good[-1].seq - start, total)
            if lie:
                raise _lied(remote, lie)
    return taking.result()


def _open(store: Store, remote: Remote, source: Log) -> tuple[Remote, Reading]:
    """Starts to read the remote's log where we are; checks that it is the one that it was."""
    remote = remotes.get(store, remote.name)
    with cursor.advised(remote):
        reading = source.read(cursor.place(remote), expect=cursor.expectation(store, remote))
        try:
            cursor.check(store, remote, reading.info)
            return cursor.remember(store, remote, reading.info), reading
        except BaseException:
            reading.batches.close()
            raise


def _gathered(batches: Iterable[list[Sent]]) -> Iterator[list[Sent]]:
    """The changes in batches of the size of a transaction; what had come before an error, before the error."""
    batch: list[Sent] = []
    size = 0
    try:
        for part in batches:
            batch += part
            size += sum([len(sent.body) for sent in part])
            if len(batch) >= BATCH or size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
    except RemoteError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _honest(batch: list[Sent]) -> tuple[list[Sent], Sent | None]:
    """The changes before the first whose id does not match its bytes, and that one."""
    for place, sent in enumerate(batch):
        if not policy.is_genuine(sent.id, sent.body):
            return batch[:place], sent
    return batch, None


def _lied(remote: Remote, sent: Sent) -> RemoteError:
    return RemoteError(
        f"{remote.name} sent the change {sent.id.hex()} (its number {sent.seq}) with bytes of another hash",
        "It was damaged on the way or forged. What came before it is kept, nothing after it was taken; ask whoever runs the remote.",
    )


class _Taking:
    """A pull under way, and what it came to so far."""

    def __init__(self, store: Store, remote: Remote) -> None:
        self.store = store
        self.remote = remote
        self.taken = 0
        self.had = 0
        self.held: list[Held] = []
        self.numbered: set[int] = set()
        """What the remote calls the tickets that were noted in this pull."""
        self.tickets: set[int] = set()
        self.conflicts: set[tuple[int, str]] | None = None
        self.first_ticket = 0
        self.ahead: tuple[int, str] = (0, "")

    def waiting(self) -> None:
        """Takes what was fetched, and tries again what was held."""
        db = self.store.db
        last = -1
        while True:
            rows = db.execute(
                "SELECT seq, number, id, body FROM incoming WHERE remote = ? AND seq > ? ORDER BY seq LIMIT ?",
                (self.remote.id, last, BATCH // 5),
            ).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            self.batch([Sent._make(row) for row in rows])

    def batch(self, batch: list[Sent]) -> None:
        """One batch into the log, with its cursor."""
        store, remote = self.store, self.remote
        now = store.now()
        good: list[tuple[Sent, Change]] = []
        held: list[tuple[Sent, str]] = []
        for sent in batch:
            try:
                change = policy.examine_genuine(sent.body)
            except UsageError as error:
                held.append((sent, error.message))
                continue
            if change.at > now:
                self._note_ahead(change, now)
            good.append((sent, change))
        with store.transaction() as db:
            if self.conflicts is None:
                self.conflicts = set(db.execute("SELECT num, path FROM conflicts"))
                self.first_ticket = _last_ticket(store)
            before = log.last_seq(db)
            records = [log.Record(sent.id, sent.body, change) for sent, change in good]
            seqs = log.append(store, records, remote.id)
            taken = sum([1 for seq in seqs if seq])
            if taken < len(seqs):
                db.executemany(
                    "UPDATE changes SET origin = ? WHERE id = ? AND origin = ?",
                    [(remote.id, sent.id, VISITOR) for (sent, _), seq in zip(good, seqs, strict=True) if not seq],
                )
            self._number(good)
            db.execute(
                "DELETE FROM incoming WHERE remote = ? AND seq BETWEEN ? AND ?",
                (remote.id, batch[0].seq, batch[-1].seq),
            )
            if held:
                db.executemany(
                    "INSERT INTO incoming VALUES (?, ?, ?, ?, ?)",
                    [(remote.id, sent.seq, sent.number, sent.id, sent.body) for sent, _ in held],
                )
            cursor.advance(store, remote, pulled=batch[-1].seq, tip=batch[-1].id)
            # Where all of ours had been offered, so has all of this: the remote has it already.
            db.execute(
                "UPDATE remotes SET pushed = ? WHERE id = ? AND pushed >= ?",
                (before + taken, remote.id, before),
            )
            if taken:
                self.tickets.update(
                    row[0] for row in db.execute("SELECT DISTINCT ticket FROM changes WHERE seq > ?", (before,))
                )
        self.taken += taken
        self.had += len(seqs) - taken
        self.held += [Held(sent.seq, sent.id.hex(), reason) for sent, reason in held]

    def _number(self, good: list[tuple[Sent, Change]]) -> None:
        """Notes what the remote calls the tickets."""
        new = {sent.number: sent.id for sent, _ in good if sent.number not in self.numbered}
        self.numbered.update(new)
        self.store.db.executemany(
            "INSERT OR IGNORE INTO numbers SELECT ?, ?, ticket FROM changes WHERE id = ?",
            [(self.remote.id, number, ident) for number, ident in new.items()],
        )

    def _note_ahead(self, change: Change, now: int) -> None:
        if change.at > self.ahead[0] and policy.ahead(change, now):
            self.ahead = change.at, f"a change by {change.by} was taken, but {policy.ahead(change, now)}"

    def result(self) -> Pulled:
        """What the pull came to."""
        store = self.store
        if self.conflicts is None:
            return Pulled()
        arisen = set(store.db.execute("SELECT num, path FROM conflicts")) - self.conflicts
        return Pulled(
            self.taken,
            self.had,
            tuple(sorted(self.tickets)),
            _last_ticket(store) - self.first_ticket,
            tuple(sorted(Conflict(*row) for row in arisen)),
            tuple(self.held),
            (self.ahead[1],) if self.ahead[1] else (),
        )


def _last_ticket(store: Store) -> int:
    return store.db.execute("SELECT max(num) FROM tickets").fetchone()[0] or 0


def _foresee(store: Store, remote: Remote, source: Log) -> Pulled:
    """What a pull would take, as far as it can be told without taking it."""
    remote = remotes.get(store, remote.name)
    waiting = store.db.execute(
        "SELECT id FROM incoming WHERE remote = ? AND seq > ?", (remote.id, remote.pulled)
    ).fetchall()
    known = log.existing(store.db, [row[0] for row in waiting])
    had, taken = len(known), len(waiting) - len(known)
    with cursor.advised(remote):
        reading = source.read(cursor.place(remote), expect=cursor.expectation(store, remote))
    with closing(reading.batches):
        cursor.check(store, remote, reading.info)
        for batch in reading.batches:
            known = log.existing(store.db, [sent.id for sent in batch])
            had += len(known)
            taken += len(batch) - len(known)
    return Pulled(taken, had)
