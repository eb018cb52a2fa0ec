"""Reading foreign files: plain or gzip, CSV or JSON Lines, row by row with line numbers. What a row means is not known here.

Whatever is wrong with one line is reported with its number and costs that line only.
"""

import csv
import gzip
import os
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader
from itertools import islice, tee
from operator import itemgetter
from typing import Any

from chit_sync.errors import NotFoundError, UsageError
from chit_sync.transfer.report import Failure
from chit_sync.transfer.rules import Nested

MAX_LINE = 8 << 20
"""Most bytes in a line; a longer one is reported and left out."""

GZIP = b"\x1f\x8b"

Row = tuple[int, tuple[Any, ...]]
"""Line number, and the cells of the columns that were asked for."""

Fail = Callable[[Failure], None]


class Source:
    """A file to be read once. size: bytes on the disk, None for what is no file; done(): how many of them were read."""

    def __init__(self, file: str | BufferedReader) -> None:
        """Raises NotFoundError or UsageError for what cannot be read."""
        self.size: int | None = None
        self._mine = isinstance(file, str)
        if isinstance(file, str):
            self.name = file
            self._raw = _open(file)
            self.size = os.fstat(self._raw.fileno()).st_size
        else:
            self.name = "the input"
            self._raw = file
        try:
            packed = self._raw.peek(len(GZIP))[: len(GZIP)] == GZIP
        except OSError as error:
            raise UsageError(f"{self.name} cannot be read: {error.strerror}") from None
        self.stream = BufferedReader(gzip.GzipFile(fileobj=self._raw), 1 << 16) if packed else self._raw

    def done(self) -> int:
        """Bytes of the file that were read so far."""
        try:
            return self._raw.tell()
        except OSError:
            return 0

    def close(self) -> None:
        """Closes the file, if it was named and not handed over open."""
        if self._mine:
            self._raw.close()

    def lines(self, fail: Fail) -> Iterator[tuple[int, bytes]]:
        """The lines with their numbers from 1. Too long ones, and the place where a damaged file ends, are reported."""
        number = 0
        read = self.stream.readline
        try:
            while line := read(MAX_LINE):
                number += 1
                if len(line) >= MAX_LINE and not line.endswith(b"\n"):
                    while line and not line.endswith(b"\n"):
                        line = read(MAX_LINE)
                    fail(Failure(number, f"longer than {MAX_LINE >> 20} MiB"))
                    continue
                yield number, line
        except (EOFError, OSError, zlib.error) as error:
            fail(Failure(number + 1, f"the file is damaged or cut off here: {error}"))


def _open(path: str) -> BufferedReader:
    try:
        return open(path, "rb")
    except OSError as error:
        raise NotFoundError(f"cannot read {path}: {error.strerror}") from None


def rows(source: Source, form: str, names: Sequence[str], delimiter: str, encoding: str, fail: Fail) -> Iterator[Row]:
    """The rows of the file with the cells of the named columns. Raises UsageError if a CSV file has no such columns."""
    if form == "csv":
        return csv_rows(source, names, delimiter, encoding, fail)
    return json_rows(source, names, fail)


def csv_rows(source: Source, names: Sequence[str], delimiter: str, encoding: str, fail: Fail) -> Iterator[Row]:
    """A row that is damaged in its first line, as by a quote that never ends, costs that line, not what follows it."""
    csv.field_size_limit(MAX_LINE)
    wrong: dict[int, str] = {}
    # The csv module takes its lines from one of the two; the other says afterwards which ones it took.
    lines, taken = tee(_decoded(source.lines(fail), encoding, wrong))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    """Lines taken by readers before this one, and by this one's rows so far."""
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise UsageError(f"{source.name} is not CSV: {error}") from None
    if header is None:
        raise UsageError(f"{source.name} is empty", "A CSV file begins with a line that names its columns.")
    header = [name.strip() for name in header]
    places = [_place(header, name, source.name) for name in names]
    pick = itemgetter(*places) if len(places) > 1 else (lambda row: (row[places[0]],))
    width = len(header)
    share: dict[str, str] = {}
    used = reader.line_num
    deque(islice(taken, used), 0)
    number = used
    while True:
        try:
            row = next(reader)
            reason = "" if len(row) == width else f"{len(row)} columns instead of {width}"
        except StopIteration:
            return
        except csv.Error as error:
            row, reason = [], f"not CSV: {error}"
        count = reader.line_num - used
        used = reader.line_num
        if reason:
            if row or reason.startswith("not"):
                fail(Failure(number + 1, reason))
            # Only the first line is lost: the others are read again, as rows of their own.
            next(taken, None)
            number += 1
            if count > 1:
                lines, taken = tee(taken)
                reader = csv.reader(lines, delimiter=delimiter, strict=True)
                used = 0
            continue
        first = number + 1
        number += count
        if count == 1:
            next(taken)
        else:
            deque(islice(taken, count), 0)
        if wrong:
            reasons = [wrong.pop(place) for place in range(first, number + 1) if place in wrong]
            if reasons:
                fail(Failure(first, reasons[0]))
                continue
        cells = pick(row)
        if len(share) > 500_000:
            share.clear()
        # One object for equal texts: an event log that repeats itself fits into little memory, and is compared at once.
        yield first, tuple(map(share.setdefault, cells, cells))


def _decoded(lines: Iterator[tuple[int, bytes]], encoding: str, wrong: dict[int, str]) -> Iterator[str]:
    """The lines as text, with an empty one for each that was left out; why a line cannot be decoded goes to `wrong`."""
    last = 0
    for number, line in lines:
        last += 1
        while last < number:
            last += 1
            yield "\n"
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError as error:
            text = line.decode(encoding, "replace")
            wrong[number] = f"not valid {encoding.upper()} at byte {error.start + 1}"
        yield text.removeprefix("\ufeff") if number == 1 else text


def _place(header: list[str], name: str, file: str) -> int:
    if header.count(name) == 1:
        return header.index(name)
    what = "no column" if name not in header else "more than one column"
    raise UsageError(
        f"{file} has {what} {name!r}, which the map names",
        f"Its columns are: {', '.join(header)[:400]}.",
    )


def json_rows(source: Source, names: Sequence[str], fail: Fail) -> Iterator[Row]:
    """An object a line. Numbers, true and false become texts; what is missing or null is empty; lists and objects stay."""
    import msgspec

    decode = msgspec.json.Decoder(dict[str, Any]).decode
    for number, line in source.lines(fail):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip():
            continue
        try:
            found = decode(line)
        except UnicodeDecodeError:
            fail(Failure(number, f"not valid UTF-8 at byte {_undecodable(line)}"))
        except (msgspec.MsgspecError, RecursionError) as error:
            fail(Failure(number, f"not a JSON object: {error}"))
        else:
            yield number, cells_of(found, names)


def _undecodable(line: bytes) -> int:
    """The first byte, from 1, that is not UTF-8."""
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return error.start + 1
    return 0


def cells_of(record: dict[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    """The cells of a JSON object; `a.b` names the member b of the object a, unless there is a member `a.b`."""
    return tuple(_cell(record, name) for name in names)


def _cell(record: dict[str, Any], name: str) -> Any:
    found: Any = record.get(name)
    if found is None and "." in name:
        found = record
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    if found is None:
        return ""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int | float):
        return str(found)
    return found if isinstance(found, str) else Nested(found)
