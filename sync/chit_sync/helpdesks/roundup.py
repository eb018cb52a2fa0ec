"""Roundup as a helpdesk, by its REST interface. Puts together who asks, reads and writes; decides nothing itself.

The remote's address ends where the tracker does: `roundup+https://host/helpdesk?queue=KEYWORD&class=issue`. `queue` names keywords to
follow, `query` holds further conditions as Roundup's own URLs have them (`status=open&assignedto=bob`), `class` the class of its tickets.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO
from urllib.parse import parse_qsl

from chit_sync.errors import NotFoundError, UsageError
from chit_sync.helpdesks.address import Address
from chit_sync.helpdesks.base import Call, Description, Found, Gone, Outcome, Page
from chit_sync.helpdesks.roundup_asking import Rest
from chit_sync.helpdesks.roundup_calls import Calls, line
from chit_sync.helpdesks.roundup_following import Cursor, Reader, read_cursor
from chit_sync.helpdesks.roundup_reading import SECOND, Shape, is_id, snapshot, text
from chit_sync.helpdesks.roundup_tracker import account, describe, discover
from chit_sync.registers import Value

AS_WRITTEN = frozenset(("description", "comment"))
"""Texts whose line ends are kept."""


class Roundup:
    """A tracker."""

    kind = "roundup"

    def __init__(
        self, address: Address, secret: str | None, *, timeout: float = 30.0, ca_file: str | None = None
    ) -> None:
        self._rest = Rest(address, secret, timeout=timeout, ca_file=ca_file)
        self.where = self._rest.where
        self._base = address.base
        self._class = address.options.get("class") or "issue"
        if not (self._class.isascii() and self._class.isidentifier()):
            raise UsageError(f"{self._class!r} is no class of a tracker", "It looks like ?class=issue.")
        self._queues = address.queues
        self._query = parse_qsl(address.query, keep_blank_values=True)
        for name, _ in self._query:
            if name.startswith(("@", ":")) or name == "id":
                raise UsageError(
                    f"{name} cannot be in the query of {self.where}", "Name fields and values: status=open."
                )
        self._shape: Shape | None = None
        self._reader: Reader | None = None
        self._calls: Calls | None = None

    def describe(self) -> Description:
        """What the tracker is and who we are there."""
        self._take(discover(self._rest, self._class))
        return describe(self._rest, self._known_shape())

    def changed(self, cursor: str, known: Collection[int]) -> Iterator[Page]:
        """What has changed since the cursor."""
        at = read_cursor(cursor) if cursor else Cursor({}, {})
        if self._shape is None and at.shape is not None and at.shape.klass == self._class:
            self._take(at.shape)
        reader = self._reading()
        if not cursor or at.after:
            return reader.first(at)
        return reader.later(at, known)

    def numbers(self) -> Collection[int]:
        """The numbers of all tickets that are followed now."""
        rows = self._rest.rows(self._class, (), self._follow())
        if not rows:
            account(self._rest)
        return {int(text(row, "id")) for row in rows}

    def read(self, numbers: Sequence[int]) -> list[Found]:
        """These tickets. The entity tag of a single one is asked for before all else: so nothing changes unnoticed after it."""
        reader = self._reading()
        version = ""
        if len(numbers) == 1 and (item := self._rest.item(self._class, str(numbers[0]))):
            version = item.tag
        rows = reader.some(numbers)
        parts = reader.parts(list(rows.values()))
        return [
            snapshot(rows[one], parts, self._known_shape(), self.where, version)
            if one in rows
            else Gone(one, "deleted")
            for one in numbers
        ]

    def perform(self, call: Call, file: BinaryIO | None = None) -> Outcome:
        """Does one call."""
        return self._calling().perform(call, file)

    def find(self, call: Call, known: Collection[str]) -> Outcome | None:
        """Whether a call was done; a message that was made and not linked yet is linked."""
        return self._calling().find(call, known)

    def download(self, ref: str) -> Iterator[bytes]:
        """The bytes of a file."""
        if not is_id(ref):
            raise NotFoundError(f"{ref[:40]!r} is no file at {self.where}")
        return self._rest.stream(f"data/file/{ref}/binary_content")

    def stored(self, path: str, value: Value) -> Value:
        """What Roundup makes of a value: no blanks around texts, its own line ends in all but messages, whole seconds."""
        if path == "due" and isinstance(value, int):
            return value // SECOND * SECOND
        if not isinstance(value, str):
            return value
        if path in AS_WRITTEN:
            return value.strip()
        kept = line(value)
        return kept if kept or path in ("title", "note") else None

    def web(self, number: int) -> str:
        """The address of the ticket for a browser."""
        return f"{self._base}/{self._class}{number}"

    def close(self) -> None:
        """Lets go of the connection."""
        self._rest.web.close()

    def _take(self, shape: Shape) -> None:
        self._shape = shape
        self._reader = Reader(self._rest, shape, self._follow())
        self._calls = Calls(self._rest, shape)

    def _known_shape(self) -> Shape:
        if self._shape is None:
            self._take(discover(self._rest, self._class))
        assert self._shape is not None
        return self._shape

    def _reading(self) -> Reader:
        self._known_shape()
        assert self._reader is not None
        return self._reader

    def _calling(self) -> Calls:
        self._known_shape()
        assert self._calls is not None
        return self._calls

    def _follow(self) -> list[tuple[str, str]]:
        """What the address narrows a question for tickets to."""
        field = "keywords" if self._shape and self._shape.keywords == "keywords" else "keyword"
        return [*((field, name) for name in self._queues), *self._query]
