"""Reading what `exporting` wrote: the same changes, byte for byte, and the same attachments.

Each line is checked by itself, as if a stranger had sent it; what is damaged is reported by its line, and the rest goes in. Run again,
it adds nothing.
"""

import zlib
from base64 import b64decode
from collections.abc import Iterator
from io import BufferedReader

import msgspec

from chit_sync import policy
from chit_sync.errors import RemoteError, UsageError
from chit_sync.store import blobs
from chit_sync.store.bulk import bulk
from chit_sync.store.database import Store
from chit_sync.store.log import Record
from chit_sync.transfer.exporting import SCHEMA
from chit_sync.transfer.report import Failure, Imported, Progress
from chit_sync.transfer.source import GZIP, Source
from chit_sync.transfer.taking import Taker

HEADER = b'{"schema":"chit.export/'
OFTEN = 1_000


class _Header(msgspec.Struct):
    schema: str
    store: str


class _Change(msgspec.Struct, gc=False):
    change: msgspec.Raw
    id: str


class _Piece(msgspec.Struct, gc=False):
    blob: str
    data: str
    offset: int
    size: int


class _End(msgspec.Struct):
    end: int


_header = msgspec.json.Decoder(_Header).decode
_change = msgspec.json.Decoder(_Change).decode
_piece = msgspec.json.Decoder(_Piece).decode
_end = msgspec.json.Decoder(_End).decode


def is_export(file: str | BufferedReader) -> bool:
    """Whether the file begins like an export; nothing is taken from an open one."""
    if isinstance(file, str):
        source = Source(file)
        try:
            return source.stream.peek(len(HEADER)).startswith(HEADER)
        except (OSError, EOFError, zlib.error):
            return False
        finally:
            source.close()
    begin = file.peek(1 << 10)
    if begin.startswith(GZIP):
        try:
            begin = zlib.decompressobj(31).decompress(begin)
        except zlib.error:
            return False
    return begin.startswith(HEADER)


def import_log(
    store: Store, file: str | BufferedReader, *, dry_run: bool = False, progress: Progress | None = None
) -> Imported:
    """Takes the changes and attachments of an export, plain or packed, into the store. What is damaged is in the result, line by line.

    dry_run: counts what would be new, and writes nothing. Raises NotFoundError or UsageError for what cannot be read or is no export,
    StoreError.
    """
    source = Source(file)
    try:
        with bulk(store):
            return _Reader(store, source, dry_run, progress).run()
    finally:
        source.close()


class _Reader:
    """One export while it is read."""

    def __init__(self, store: Store, source: Source, dry_run: bool, progress: Progress | None) -> None:
        self.store = store
        self.source = source
        self.dry_run = dry_run
        self.progress = progress
        self.taker = Taker(store, "import", dry_run=dry_run)
        self.now = store.now()
        self.failures: list[Failure] = []
        self.lines = source.lines(self.failures.append)
        self.back: tuple[int, bytes] | None = None
        self.tickets: set[str] = set()
        self.changes = self.attachments = self.line = self.counted = 0
        self.wanted: set[str] | None = None

    def run(self) -> Imported:
        """Reads every line."""
        self._begin()
        ended = False
        while (found := self._next()) is not None:
            number, line = found
            if ended:
                self.failures.append(Failure(number, "it stands after the end of the export"))
                break
            if line.startswith(b'{"change":'):
                self._take_change(number, line)
            elif line.startswith(b'{"blob":'):
                self._take_blob(number, line)
            elif line.startswith(b'{"end":'):
                ended = self._take_end(number, line)
            else:
                self._count()
                self.failures.append(Failure(number, "neither a change nor a piece of an attachment"))
        if not ended:
            self.failures.append(
                Failure(self.line + 1, "the file ends here, before the end of the export: it was cut off")
            )
        self.taker.flush()
        self._report()
        return Imported(
            self.changes, len(self.tickets), self.changes, self.taker.new_tickets, self.taker.new_changes, self.attachments,
            sorted(self.failures),
        )  # fmt: skip

    def _begin(self) -> None:
        _, line = self._next() or (1, b"")
        try:
            schema = _header(line).schema
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise UsageError(
                f"{self.source.name} is not an export of chit", "Name a map with --map to import other files."
            ) from None
        if schema != SCHEMA:
            raise UsageError(
                f"{self.source.name} is an export of the form {schema}; this chit knows {SCHEMA}",
                "Install a newer chit.",
            )

    def _next(self) -> tuple[int, bytes] | None:
        found, self.back = self.back or next(self.lines, None), None
        if found is not None:
            self.line = found[0]
            if self.line % OFTEN == 0:
                self._report()
        return found

    def _count(self) -> None:
        self.counted += 1

    def _take_change(self, number: int, line: bytes) -> None:
        self._count()
        try:
            found = _change(line)
            ident, body = bytes.fromhex(found.id), bytes(found.change)
            change = policy.examine(ident, body)
            reason = policy.ahead(change, self.now)
        except UsageError as error:
            reason = error.message
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            reason = f"not a change: {error}"
        if reason:
            self.failures.append(Failure(number, reason))
            return
        self.changes += 1
        self.tickets.add(change.ticket)
        self.taker.add([Record(ident, body, change)])
        if self.taker.full:
            self.taker.flush()

    def _take_blob(self, number: int, line: bytes) -> None:
        """The pieces of one attachment, from its first one on."""
        try:
            first = _piece(line)
            if not blobs.is_sha256(first.blob) or first.size < 0:
                raise ValueError(f"{first.blob[:80]!r} is not a SHA-256")
        except (msgspec.MsgspecError, ValueError) as error:
            self._count()
            self.failures.append(Failure(number, f"not a piece of an attachment: {error}"))
            return
        self.back = number, line
        reported = len(self.failures)
        here = blobs.size_of(self.store, first.blob) is not None
        pieces = self._pieces(first.blob)
        if here or self.dry_run:
            for _ in pieces:
                continue
            self.attachments += not here
            return
        if self.wanted is None:
            self.taker.flush()
            self.wanted = {sha256 for _, sha256, _, _ in blobs.attachments(self.store)}
        try:
            if first.blob not in self.wanted:
                raise RemoteError(f"no ticket has an attachment {first.blob}")
            blobs.receive(self.store, first.blob, first.size, pieces, sender="the file")
            self.attachments += 1
        except RemoteError as error:
            if len(self.failures) == reported:
                self.failures.append(Failure(number, error.message))
        for _ in pieces:
            continue

    def _pieces(self, sha256: str) -> Iterator[bytes]:
        """The bytes in the lines of that attachment, as far as they follow on one another."""
        offset = 0
        whole = True
        while (found := self._next()) is not None:
            number, line = found
            if not line.startswith(b'{"blob":"%b"' % sha256.encode()):
                self.back = found
                return
            self._count()
            try:
                piece = _piece(line)
                data = b64decode(piece.data, validate=True)
                if piece.offset != offset:
                    raise ValueError(f"the piece before it, from {offset} on, is missing")
            except (msgspec.MsgspecError, ValueError) as error:
                if whole:
                    self.failures.append(Failure(number, f"not the next piece of the attachment: {error}"))
                whole = False
                continue
            offset += len(data)
            if whole:
                yield data

    def _take_end(self, number: int, line: bytes) -> bool:
        try:
            end = _end(line).end
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.failures.append(Failure(number, "not the end of an export"))
            return False
        if end != self.counted:
            self.failures.append(
                Failure(number, f"{self.counted} lines came before the end, and it counts {end}: some are missing")
            )
        return True

    def _report(self) -> None:
        if self.progress is not None:
            self.progress(self.source.done(), self.source.size)
