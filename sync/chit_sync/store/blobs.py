"""The bytes of attachments, by their SHA-256: taking a file in, receiving one in parts, checking. Whole files only ever appear whole.

Bytes arrive in a file beside the final place, are hashed on the way, and are renamed when the hash is right and they are on the disk.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

from chit_sync.errors import ConflictError, NotFoundError, RemoteError, StoreError, UsageError
from chit_sync.store.database import Store, explained
from chit_sync.store.migrations import ITEM_BITS
from chit_sync.store.reading import blob_path

CHUNK = 1 << 18
_HEX = frozenset("0123456789abcdef")


class Blob(NamedTuple):
    """Bytes that are in the store."""

    sha256: str
    size: int


class Missing(NamedTuple):
    """Bytes of an attachment that are not in the store. ticket: this store's number."""

    sha256: str
    size: int
    name: str
    ticket: int


def is_sha256(text: str) -> bool:
    """Whether the text is a SHA-256 in lower case hexadecimal; nothing else may become part of a path."""
    return len(text) == 64 and _HEX.issuperset(text)


def path(store: Store, sha256: str) -> str:
    """Where those bytes lie. Raises UsageError for what is no SHA-256."""
    if not is_sha256(sha256):
        raise UsageError(f"{sha256[:80]!r} is not a SHA-256")
    return blob_path(store.path, sha256)


def add(store: Store, file: str, *, keep: bool = True) -> Blob:
    """Copies a file into the store; with keep=False only measures it.

    Raises UsageError for a folder, a file that is not there, or one that cannot be read.
    """
    from hashlib import sha256

    folder = os.path.join(store.path, "blobs")
    if os.path.isdir(file):
        raise UsageError(f"{file} is a folder", "Pack it into an archive and attach that.")
    try:
        source = open(file, "rb")  # noqa: SIM115 - closed below; an error of opening is told from one of writing
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from None
    digest, size = sha256(), 0
    part = os.path.join(folder, f"{os.getpid()}-{store.entropy(4).hex()}.part")
    with source:
        try:
            with open(part, "wb") as target:
                for chunk in _chunks(source, file):
                    digest.update(chunk)
                    size += len(chunk)
                    target.write(chunk)
                _to_disk(target)
            if keep:
                _settle(part, blob_path(store.path, digest.hexdigest()))
            else:
                _discard(part)
        except OSError as error:
            _discard(part)
            raise _unwritable(store, error) from None
        except BaseException:
            _discard(part)
            raise
    return Blob(digest.hexdigest(), size)


def _chunks(source: BinaryIO, file: str) -> Iterator[bytes]:
    while True:
        try:
            chunk = source.read(CHUNK)
        except OSError as error:
            raise UsageError(f"cannot read {file}: {error.strerror}") from None
        if not chunk:
            return
        yield chunk


def size_of(store: Store, sha256: str) -> int | None:
    """How many bytes the blob has; None if it is not here."""
    try:
        return os.path.getsize(path(store, sha256))
    except OSError:
        return None


def read(store: Store, sha256: str, offset: int = 0) -> Iterator[bytes]:
    """The bytes from there on. Raises NotFoundError."""
    try:
        source = open(path(store, sha256), "rb")  # noqa: SIM115 - closed by the generator; a missing file must show at once
    except OSError:
        raise NotFoundError(f"the bytes of {sha256} are not in this store") from None
    return _read(source, offset)


def _read(source: BinaryIO, offset: int) -> Iterator[bytes]:
    with source:
        source.seek(offset)
        while chunk := source.read(CHUNK):
            yield chunk


def received(store: Store, sha256: str, apart: int = 0) -> int:
    """How many bytes an interrupted arrival has left. apart: as for `receive`."""
    try:
        return os.path.getsize(_part(path(store, sha256), apart))
    except OSError:
        return 0


def _part(place: str, apart: int) -> str:
    return f"{place}.{apart}.part" if apart else place + ".part"


def receive(
    store: Store,
    sha256: str,
    size: int,
    chunks: Iterable[bytes],
    offset: int = 0,
    sender: str = "",
    *,
    apart: int = 0,
) -> None:
    """Takes bytes that arrive, from `offset` on, and keeps what came when they are cut off. Nothing else shows the file before it is
    whole and its hash is right.

    apart: whose arrivals are kept apart from everybody else's, so that nobody completes, or spoils, what others began.
    Raises RemoteError for bytes of another hash or number (which are thrown away) and for an offset that does not fit.
    """
    place = path(store, sha256)
    part = _part(place, apart)
    try:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with _alone(part, sha256) as target:
            here = target.seek(0, os.SEEK_END)
            if offset > here:
                raise RemoteError(f"{here} bytes of {sha256} are here, the rest cannot go on from {offset}")
            target.truncate(offset)
            target.seek(offset)
            total = offset
            for chunk in chunks:
                total += len(chunk)
                if total > size:
                    break
                target.write(chunk)
            _to_disk(target)
            if total < size:
                raise RemoteError(f"{total} of {size} bytes of {sha256} came", "Run it again: it goes on from there.")
            if total > size or _hash(part) != sha256:
                _discard(part)
                raise RemoteError(
                    f"{sender or 'the sender'} sent bytes that are not those of {sha256}; they were thrown away"
                )
            _settle(part, place)
    except OSError as error:
        raise _unwritable(store, error) from None


@contextmanager
def _alone(part: str, sha256: str) -> Iterator[BinaryIO]:
    """The file that bytes arrive in, which only one sender at a time writes to."""
    from fcntl import LOCK_EX, LOCK_NB, flock

    with open(os.open(part, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as target:
        try:
            flock(target, LOCK_EX | LOCK_NB)
            still = os.path.samestat(os.fstat(target.fileno()), os.stat(part))
        except (BlockingIOError, FileNotFoundError):
            still = False
        if not still:
            raise ConflictError(f"the bytes of {sha256} are arriving from somebody else just now", "Try again later.")
        yield target


def verify(store: Store, sha256: str) -> bool:
    """Whether the bytes are here and have that hash."""
    try:
        return _hash(path(store, sha256)) == sha256
    except OSError:
        return False


def missing(store: Store, numbers: Iterable[int] | None = None) -> list[Missing]:
    """The attachments (of these tickets, or all) whose bytes are not here, each hash once."""

    wanted = None if numbers is None else set(numbers)
    found: dict[str, Missing] = {}
    for number, sha256, size, name in attachments(store):
        if wanted is not None and number not in wanted:
            continue
        if sha256 not in found and not os.path.exists(blob_path(store.path, sha256)):
            found[sha256] = Missing(sha256, size, name, number)
    return list(found.values())


def attachments(store: Store) -> Iterator[tuple[int, str, int, str]]:
    """(ticket's number, hash, size, name) of all attachments that were not deleted."""
    import json

    with explained(store.path):
        rows = store.db.execute(
            "SELECT pk, fields FROM items WHERE key > 'attachment/' AND key < 'attachment0' ORDER BY pk"
        ).fetchall()
    for pk, fields in rows:
        values = {name: heads[0][1] for name, heads in json.loads(fields).items()}
        sha256 = values.get("sha256")
        if isinstance(sha256, str) and is_sha256(sha256) and not values.get("deleted"):
            yield pk >> ITEM_BITS, sha256, values.get("size") or 0, values.get("name") or ""


def _hash(file: str) -> str:
    from hashlib import file_digest

    with open(file, "rb") as source:
        return file_digest(source, "sha256").hexdigest()


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _settle(part: str, place: str) -> None:
    folder = os.path.dirname(place)
    os.makedirs(folder, exist_ok=True)
    os.replace(part, place)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _discard(file: str) -> None:
    try:
        os.unlink(file)
    except OSError:
        return


def _unwritable(store: Store, error: OSError) -> StoreError:
    return StoreError(
        f"cannot keep the bytes in {store.path}: {error.strerror}",
        "Look at the room on the disk and at the permissions.",
    )
