"""The bytes of attachments that came from a helpdesk: fetched when they are asked for. What they are is known here only then.

The hash becomes a change of the helpdesk's, the same in every store that fetches the file, so that others can have the bytes from us.
"""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from chit_sync.change import Change, digest, encode
from chit_sync.errors import NotFoundError, RemoteError
from chit_sync.exchange.mirror.session import Session, alone
from chit_sync.exchange.results import Progress, silent
from chit_sync.helpdesks.agreed import ATTACHMENT
from chit_sync.helpdesks.base import Helpdesk, RefusedError
from chit_sync.helpdesks.drafting import derived_nonce
from chit_sync.registers import Value
from chit_sync.store import bases, blobs, log, reading
from chit_sync.store.database import Store
from chit_sync.store.log import Record
from chit_sync.store.remotes import Remote

MAX_FILE = 4 << 30
"""Most bytes that a file from a helpdesk may have."""


class Wanted(NamedTuple):
    """An attachment whose bytes are asked for. ticket: this store's number. item: its id."""

    ticket: int
    item: str
    name: str


class Fetched(NamedTuple):
    """What came of it. failed: (what, why)."""

    files: int
    bytes: int
    failed: tuple[tuple[Wanted, str], ...]


def wanting(store: Store, remote: Remote) -> list[Wanted]:
    """All attachments of which a helpdesk has the bytes and this store has not."""
    found = []
    rows = store.db.execute("SELECT number, num FROM numbers WHERE remote = ? ORDER BY num", (remote.id,)).fetchall()
    for number, num in rows:
        agreed = bases.base(store, remote.id, number)
        there = {one.item for one in agreed.known(ATTACHMENT).values()} if agreed else set()
        if there:
            for one in reading.load(store, num).attachments:
                if not one.here and one.id in there:
                    found.append(Wanted(num, one.id, one.name))
    return found


def fetch(
    store: Store, remote: Remote, desk: Helpdesk, wanted: Sequence[Wanted], *, progress: Progress = silent
) -> Fetched:
    """Fetches these. One that cannot be had does not stop the others; an unreachable helpdesk does."""
    files = size = 0
    failed: list[tuple[Wanted, str]] = []
    with alone(store, remote):
        session = Session(store, remote, desk)
        for count, one in enumerate(wanted, 1):
            try:
                size += _fetch(session, one)
                files += 1
            except (NotFoundError, RefusedError) as error:
                failed.append((one, error.message))
            progress(count, len(wanted))
    return Fetched(files, size, tuple(failed))


def _fetch(session: Session, one: Wanted) -> int:
    store, remote = session.store, session.remote
    row = store.db.execute(
        "SELECT number FROM numbers WHERE remote = ? AND num = ? ORDER BY 1", (remote.id, one.ticket)
    ).fetchone()
    agreed = bases.base(store, remote.id, row[0]) if row else None
    rid = agreed.there(ATTACHMENT, one.item) if agreed else None
    if agreed is None or rid is None:
        raise NotFoundError(f"{remote.name} does not have {one.name}")
    part = os.path.join(store.path, "blobs", f"{os.getpid()}-{store.entropy(4).hex()}.part")
    try:
        with open(part, "wb") as target:
            for data in _bounded(session.desk.download(agreed.known(ATTACHMENT)[rid].ref), one.name):
                target.write(data)
        blob = blobs.add(store, part)
    finally:
        if os.path.exists(part):
            os.remove(part)
    key = f"attachment/{one.item}"
    sets: dict[str, Value] = {f"{key}/sha256": blob.sha256, f"{key}/size": blob.size}
    identity, mirror = session.identity
    at = reading.load(store, one.ticket).origins[key][1] + 1
    change = Change(
        ticket=agreed.ticket, at=at, by=session.desk.kind, set=sets,
        nonce=derived_nonce(identity, row[0], "bytes", rid), mirror=mirror,
    )  # fmt: skip
    body = encode(change)
    with store.transaction():
        log.append(store, [Record(digest(body), body, change)], remote.id)
    return blob.size


def _bounded(data: Iterator[bytes], name: str) -> Iterator[bytes]:
    size = 0
    for piece in data:
        size += len(piece)
        if size > MAX_FILE:
            raise RemoteError(f"{name} has over {MAX_FILE:,} bytes", "Nothing of it was kept.")
        yield piece
