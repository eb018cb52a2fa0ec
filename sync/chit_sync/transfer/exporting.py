"""Writing a whole store into one file, exactly: its changes as they are, and the bytes of its attachments.

The file is JSON Lines, packed if its name ends in .gz: a header, a line for each change as logs send them to each other, pieces of
attachments, and last a line that counts the others, so that a file that was cut off is noticed. `log_file` reads it.
"""

import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple, cast

from chit_sync.errors import StoreError, UsageError
from chit_sync.lines import change_lines
from chit_sync.store import blobs, log
from chit_sync.store.database import Store, explained
from chit_sync.transfer.report import Progress
from chit_sync.wire import Sent

SCHEMA = "chit.export/1"
AT_ONCE = 1_000
PIECE = 48 << 10
"""Bytes of an attachment in one line; a multiple of three, so that base64 needs no filling but at the end."""

PACKING = 6
"""gzip's level: a higher one takes twice as long for a few percent."""


class Exported(NamedTuple):
    """What was written. missing: attachments whose bytes are not in this store; the file is without them."""

    changes: int
    attachments: int
    missing: int


def export(
    store: Store, out: str | BinaryIO, *, attachments: bool = True, progress: Progress | None = None
) -> Exported:
    """Writes the store into the file of that name, or to an open one. A file is there whole or not at all.

    progress: is called with changes done, of how many. Raises StoreError, or UsageError if the file cannot be written.
    """
    if not isinstance(out, str):
        return _write(store, out.write, attachments, progress)
    part = f"{out}.part"
    try:
        with open(part, "wb") as file:
            if out.endswith(".gz"):
                import gzip

                with gzip.GzipFile(filename="", mode="wb", compresslevel=PACKING, fileobj=file, mtime=0) as packed:
                    done = _write(store, cast(BinaryIO, packed).write, attachments, progress)
            else:
                done = _write(store, file.write, attachments, progress)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, out)
    except OSError as error:
        _discard(part)
        raise UsageError(f"cannot write {out}: {error.strerror}") from None
    except BaseException:
        _discard(part)
        raise
    return done


def _discard(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def _write(store: Store, write: Callable[[bytes], int], attachments: bool, progress: Progress | None) -> Exported:
    count = lines = there = missing = 0
    with explained(store.path):
        store.db.execute("BEGIN")  # what others write meanwhile does not show
    try:
        with explained(store.path):
            total = log.last_seq(store.db)
            write(b'{"schema":"%b","store":"%b"}\n' % (SCHEMA.encode(), str(store.meta("store")).encode()))
            for page in _pages(store):
                write(change_lines(page))
                count += len(page)
                if progress is not None:
                    progress(page[-1].seq, total)
        lines = count
        for sha256 in _blobs(store) if attachments else ():
            size = blobs.size_of(store, sha256)
            if size is None:
                missing += 1
                continue
            there += 1
            for line in _pieces(store, sha256, size):
                write(line)
                lines += 1
        write(b'{"end":%d}\n' % lines)
    finally:
        if store.db.in_transaction:
            store.db.execute("ROLLBACK")
    return Exported(count, there, missing)


def _pages(store: Store) -> Iterator[list[Sent]]:
    after = 0
    while entries := log.read(store, after, AT_ONCE):
        yield [Sent(entry.seq, entry.number, entry.id, entry.body) for entry in entries]
        after = entries[-1].seq


def _blobs(store: Store) -> list[str]:
    """The hashes of all attachments that were not deleted, each once."""
    return list(dict.fromkeys(sha256 for _, sha256, _, _ in blobs.attachments(store)))


def _pieces(store: Store, sha256: str, size: int) -> Iterator[bytes]:
    """The lines of one attachment; one that is empty has one piece too."""
    offset = 0
    rest = b""
    for chunk in blobs.read(store, sha256):
        rest += chunk
        while len(rest) >= PIECE:
            yield _piece(sha256, size, offset, rest[:PIECE])
            offset, rest = offset + PIECE, rest[PIECE:]
    if rest or not offset:
        yield _piece(sha256, size, offset, rest)
    if offset + len(rest) != size:
        raise StoreError(f"the bytes of {sha256} changed while they were read", "Run `chit fsck`.")


def _piece(sha256: str, size: int, offset: int, data: bytes) -> bytes:
    return b'{"blob":"%b","data":"%b","offset":%d,"size":%d}\n' % (sha256.encode(), b64encode(data), offset, size)
