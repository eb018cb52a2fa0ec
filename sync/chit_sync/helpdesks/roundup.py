"""Roundup as a helpdesk, by its REST interface. Puts together who asks, reads and writes; decides nothing itself.

The remote's address ends where the tracker does: `roundup+https://host/helpdesk?queue=KEYWORD&class=issue`. `queue` names keywords to
follow, `query` holds further conditions as Roundup's own URLs have them (`status=open&assignedto=bob`), `class` the class of its tickets.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO
from urllib.parse import parse_qsl

from chit_sync.clock import SECOND
from chit_sync.errors import NotFoundError, UsageError
from chit_sync.helpdesks.address import Address
from chit_sync.helpdesks.base import Call, Description, Found, Gone, Outcome, Page
from chit_sync.helpdesks.roundup_asking import FieldError, Rest
from chit_sync.helpdesks.roundup_calls import Calls, line
from chit_sync.helpdesks.roundup_cursor import Cursor, read_cursor
from chit_sync.helpdesks.roundup_following import Reader
from chit_sync.helpdesks.roundup_reading import Shape, ids, snapshot
from chit_sync.helpdesks.roundup_tracker import account, describe, discover, labels
from chit_sync.helpdesks.rows import is_id, text
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
        return describe(self._rest, self._known_shape())._replace(default_queue=self._queues[0] if self._queues else "")

    def changed(self, cursor: str, known: Collection[int]) -> Iterator[Page]:
        """What has changed since the cursor, which also knows the tracker's fields, to save asking for them."""
        at = read_cursor(cursor) if cursor else Cursor({})
        kept = self._shape is None and at.shape is not None and at.shape.klass == self._class
        if kept and at.shape is not None:
            self._take(at.shape)
        try:
            yield from self._pages(at, known, first=not cursor)
        except FieldError:
            if not kept:
                raise
            self._take(discover(self._rest, self._class))
            yield from self._pages(at, known, first=not cursor)

    def _pages(self, at: Cursor, known: Collection[int], *, first: bool) -> Iterator[Page]:
        reader = self._reading()
        return reader.first(at) if first or at.after else reader.later(at, known)

    def numbers(self) -> Collection[int]:
        """The numbers of all tickets that are followed now."""
        follow = self._follow()
        rows = self._rest.rows(self._class, (), follow)
        if not rows:
            account(self._rest)
        return {int(text(row, "id")) for row in rows}

    def read(self, numbers: Sequence[int]) -> list[Found]:
        """These tickets. One that is retired is in no list, and only there that shows."""
        if not numbers:
            return []
        reader = self._reading()
        rows = reader.some(numbers)
        parts = reader.parts(list(rows.values()))
        return [
            snapshot(rows[one], parts, self._known_shape(), self.where) if one in rows else Gone(one, "deleted")
            for one in numbers
        ]

    def perform(self, call: Call, file: BinaryIO | None = None) -> Outcome:
        """Does one call."""
        return self._calling().perform(call, file)

    def find(self, call: Call, known: Collection[str]) -> Outcome | None:
        """Whether a call was done; a message that was made and not linked yet is linked."""
        return self._calling().find(call, known)

    def download(self, ref: str) -> Iterator[bytes]:
        """The bytes of a file, if its ticket still has it: Roundup itself gives out what was taken off."""
        number, _, file = ref.partition("/")
        if not (is_id(number) and is_id(file)):
            raise NotFoundError(f"{ref[:40]!r} is no file at {self.where}")
        ticket = self._rest.item(self._class, number, ("files",))
        if ticket is None or file not in ids(ticket.row, "files"):
            raise NotFoundError(f"ticket {number} at {self.where} has no such file (any more)")
        return self._rest.stream(f"data/file/{file}/binary_content")

    def stored(self, path: str, value: Value) -> Value:
        """What Roundup makes of a value: no blanks around texts, its own line ends in all but messages, whole seconds."""
        if path in ("due", "time.date") and isinstance(value, int):
            return value // SECOND * SECOND
        if not isinstance(value, str):
            return value
        kept = value.strip() if path in AS_WRITTEN else line(value)
        return kept if kept or (path not in ("description", "due") and not path.startswith("x.")) else None

    def web(self, number: int) -> str:
        """The address of the ticket for a browser."""
        return f"{self._base}/{self._class}{number}"

    def close(self) -> None:
        """Lets go of the connection."""
        self._rest.web.close()

    def _take(self, shape: Shape) -> None:
        self._shape = shape
        self._reader = Reader(self._rest, shape, self._follow())
        self._calls = Calls(self._rest, shape, self._queues[0] if self._queues else "")

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
        """What the address narrows a question for tickets to. A keyword that looks like an id is named by its own."""
        field = self._known_shape().keywords
        if self._queues and not field:
            raise UsageError(f"{self.where} has no keywords, so ?queue= can name none", "Leave it out, or use ?query=.")
        names = {name: one for one, name in self._keywords().items()} if any(map(_like_id, self._queues)) else {}
        return [*((field, names.get(name, name)) for name in self._queues), *self._query]

    def _keywords(self) -> dict[str, str]:
        return labels(self._rest, "keyword", "name")


def _like_id(name: str) -> bool:
    return name.lstrip("+-").isdecimal()
