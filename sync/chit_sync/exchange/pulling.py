"""Fetch and pull: reading a remote's log into ours, or beside it. Batch by batch, each with its cursor in one transaction.

A change that does not pass here stays in `incoming`, below the cursor, and is tried again at each pull; the others go on. A change
whose bytes are not those of its id stops the exchange: then the remote, or what lies between, is not to be trusted.

What takes changes in is imported when the first one comes: most pulls find nothing new, and start faster without it.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, cast

from chit_sync.errors import RemoteError, UsageError
from chit_sync.exchange import cursor
from chit_sync.exchange.results import Fetched, Progress, Pulled, joined, silent
from chit_sync.remotes.base import Log, Reading
from chit_sync.store import remotes
from chit_sync.store.bulk import bulk
from chit_sync.store.database import Store, explained
from chit_sync.store.remotes import Remote
from chit_sync.wire import Sent

if TYPE_CHECKING:
    from chit_sync.exchange.mirror.session import MappingFor
    from chit_sync.exchange.taking import Taking
    from chit_sync.helpdesks.base import Helpdesk

BATCH = 5_000
"""Changes in one transaction."""

MANY = 5_000
"""Changes from which on it pays to suit the process to them."""

BATCH_BYTES = 8 << 20
"""Bytes in one transaction, roughly."""


def fetch(
    store: Store,
    remote: Remote,
    source: "Log | Helpdesk",
    *,
    mapping: "MappingFor | None" = None,
    progress: Progress = silent,
) -> Fetched:
    """Reads what the remote has and keeps it beside the log, for the next pull. Raises RemoteError; what came before is kept.

    mapping: for a helpdesk, what its words mean here.
    """
    if mapping is not None:
        from chit_sync.exchange.mirror.reading import fetch as fetch_helpdesk

        return fetch_helpdesk(store, remote, cast("Helpdesk", source), mapping=mapping, progress=progress)
    source = cast("Log", source)
    remote, reading = _open(store, remote, source)
    start = cursor.place(remote)
    count = 0
    with closing(reading.batches):
        for batch in _gathered(reading.batches):
            good, lie = _taking(store, remote).honest(batch)
            if good:
                with store.transaction() as db:
                    db.executemany(
                        "INSERT OR IGNORE INTO incoming VALUES (?, ?, ?, ?, ?)",
                        [(remote.id, sent.seq, sent.number, sent.id, sent.body) for sent in good],
                    )
                    cursor.advance(store, remote.id, fetched=good[-1].seq, tip=good[-1].id)
                count += len(good)
                progress(good[-1].seq - start, reading.info.last - start)
            if lie:
                raise _lied(remote, lie)
    waiting = remotes.pending(store, remote).fetched
    return Fetched(count, waiting, _about_handoffs(store, remote) if waiting else 0)


def _about_handoffs(store: Store, remote: Remote) -> int:
    """How many of the changes that wait are about handoffs."""
    with explained(store.path):
        return int(
            store.db.execute(
                "SELECT count(*) FROM incoming WHERE remote = ? AND seq > ?"
                " AND (instr(body, CAST('\"handoff/' AS BLOB)) OR instr(body, CAST('\"move/' AS BLOB)))",
                (remote.id, remote.pulled),
            ).fetchone()[0]
        )


def pull(
    store: Store,
    remote: Remote,
    source: "Log | Helpdesk",
    *,
    mapping: "MappingFor | None" = None,
    progress: Progress = silent,
    dry_run: bool = False,
) -> Pulled:
    """Takes what was fetched, then what the remote has beyond. Raises RemoteError; what came before is kept, the next pull goes on.

    mapping: for a helpdesk, what its words mean here. dry_run: counts what would be taken.
    """
    if mapping is not None:
        from chit_sync.exchange.mirror.reading import pull as pull_helpdesk

        return pull_helpdesk(
            store, remote, cast("Helpdesk", source), mapping=mapping, progress=progress, dry_run=dry_run
        )
    source = cast("Log", source)
    if dry_run:
        return _foresee(store, remote, source)
    taking: Taking | None = None
    with explained(store.path):
        waiting = store.db.execute("SELECT 1 FROM incoming WHERE remote = ? LIMIT 1", (remote.id,)).fetchone()
    if waiting:
        taking = _taking(store, remote)
        taking.waiting()
    remote, reading = _open(store, remote, source)
    start = cursor.place(remote)
    total = reading.info.last - start
    with closing(reading.batches), bulk(store) if total >= MANY else nullcontext():
        for batch in _gathered(reading.batches):
            taking = taking or _taking(store, remote)
            good, lie = taking.honest(batch)
            if good:
                taking.batch(good)
                progress(good[-1].seq - start, total)
            if lie:
                raise _lied(remote, lie)
    return taking.result() if taking else Pulled()


def recover(store: Store, remote: Remote, source: Log, *, progress: Progress = silent) -> Pulled:
    """Takes what a lead has for us, and with it what we had sent there and have lost, as after restoring a backup.

    That the lead says who said it is all there is to go by: so it is done only when a person asks for it. Raises UsageError for a
    remote that is no lead's.
    """
    if remotes.partner_of(store.db, remote.id) is None:
        raise UsageError(f"{remote.name} is no lead's store", "Only what was sent to a lead can be taken back from it.")
    first = pull(store, remote, source, progress=progress)
    taking = _taking(store, remote)
    own = source.own()
    with closing(own.batches):
        cursor.check(store, remotes.get(store, remote.name), own.info)
        for batch in _gathered(own.batches):
            good, lie = taking.honest(batch)
            taking.back(good)
            if lie:
                raise _lied(remote, lie)
    return joined(joined(first, taking.result()), pull(store, remote, source, progress=progress))


def _taking(store: Store, remote: Remote) -> "Taking":
    from chit_sync.exchange.taking import Taking

    return Taking(store, remote.id)


def _open(store: Store, remote: Remote, source: Log) -> tuple[Remote, Reading]:
    """Starts to read the remote's log where we are; checks that it is the one that it was."""
    remote = remotes.get(store, remote.name)
    with cursor.advised(remote, store):
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
            while len(batch) >= BATCH or size >= BATCH_BYTES:
                yield batch[:BATCH]
                batch = batch[BATCH:]
                size = sum([len(sent.body) for sent in batch])
    except RemoteError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _lied(remote: Remote, sent: Sent) -> RemoteError:
    return RemoteError(
        f"{remote.name} sent the change {sent.id.hex()} (its number {sent.seq}) with bytes of another hash",
        "It was damaged on the way or forged. What came before it is kept, nothing after it was taken; ask whoever runs the remote.",
    )


def _foresee(store: Store, remote: Remote, source: Log) -> Pulled:
    """What a pull would take, as far as it can be told without taking it."""
    from chit_sync.store import log

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
