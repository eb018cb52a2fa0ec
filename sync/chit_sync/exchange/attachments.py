"""The bytes of attachments, between a store and a log: resumed where they broke off, checked by their hash, never sent twice."""

from collections.abc import Sequence
from typing import NamedTuple

from chit_sync.codec import decode
from chit_sync.errors import ConflictError, NotFoundError, PolicyError, RemoteError
from chit_sync.exchange.results import Progress, silent
from chit_sync.remotes.base import Log
from chit_sync.store import blobs
from chit_sync.store.blobs import Missing
from chit_sync.store.database import Store

TRIES = 3
"""How often a transfer that broke off is taken up again."""


class Transferred(NamedTuple):
    """What came of fetching bytes. files, bytes: those that are here now. failed: (what, why)."""

    files: int
    bytes: int
    failed: tuple[tuple[Missing, str], ...]


def named_in(body: bytes) -> list[str]:
    """The hashes of the attachments that a change adds."""
    if b'"attachment/' not in body:
        return []
    sets = decode(body).set
    return [
        value
        for path, value in sets.items()
        if path.startswith("attachment/")
        and path.endswith("/sha256")
        and isinstance(value, str)
        and blobs.is_sha256(value)
    ]


def send(store: Store, target: Log, sha256: str) -> bool:
    """Sends the bytes unless they are there, or are not here; whether any were sent.

    Raises PolicyError for a file that the other side takes none so large of, RemoteError after several tries.
    """
    size = blobs.size_of(store, sha256)
    if size is None:
        return False
    for attempt in range(1, TRIES + 1):
        state = target.has_blob(sha256)
        if state.whole:
            return attempt > 1
        if 0 < state.limit < size:
            raise PolicyError(f"an attachment of {size} bytes; {target.where} takes at most {state.limit}")
        offset = min(state.size, size)
        try:
            with open(blobs.path(store, sha256), "rb") as source:
                source.seek(offset)
                target.put_blob(sha256, source, size, offset)
            return True
        except (RemoteError, ConflictError):  # broken off, or begun by somebody else: has_blob tells how it stands
            if attempt == TRIES:
                raise
    return False


def fetch(store: Store, source: Log, wanted: Sequence[Missing], *, progress: Progress = silent) -> Transferred:
    """Fetches the bytes of these attachments. One that cannot be had does not stop the others; an unreachable remote does."""
    files = done = 0
    total = sum(one.size for one in wanted)
    failed: list[tuple[Missing, str]] = []
    for one in wanted:
        if blobs.size_of(store, one.sha256) is None:
            try:
                _fetch(store, source, one)
            except NotFoundError:
                failed.append((one, f"{source.where} does not have its bytes"))
                continue
            except RemoteError as error:
                source.info()  # raises when it is not this one file that is the trouble
                failed.append((one, error.message))
                continue
            files += 1
        done += one.size
        progress(done, total)
    return Transferred(files, done, tuple(failed))


def _fetch(store: Store, source: Log, one: Missing) -> None:
    """One file, taken up again where it broke off as long as that gets on."""
    for attempt in range(1, TRIES + 1):
        size = one.size or source.has_blob(one.sha256).size
        offset = blobs.received(store, one.sha256)
        if offset >= size:
            offset = 0
        try:
            blobs.receive(store, one.sha256, size, source.get_blob(one.sha256, offset), offset, sender=source.where)
            return
        except RemoteError:
            if attempt == TRIES or blobs.received(store, one.sha256) <= offset:
                raise
