"""What has changed in a Roundup tracker since a cursor, in as few questions as there can be.

Roundup pages slowly, so lists are asked for as a whole and cut up here. Its clock shows whole seconds, and what is written now may
become visible a little later: each reading begins before the end of the last one, and what it saw then is told by digests of rows.
A message that is rewritten leaves its ticket's time alone, so messages are asked about beside tickets. Time logs and files are, too,
but only when anything else has changed, so that a reading of nothing takes two questions.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from chit_sync.errors import UsageError
from chit_sync.helpdesks.base import Page
from chit_sync.helpdesks.roundup_asking import Pairs, Rest
from chit_sync.helpdesks.roundup_reading import (
    FILE_FIELDS,
    SECOND,
    TIME_FIELDS,
    Parts,
    Row,
    Shape,
    date,
    digest,
    ids,
    moment,
    shape_of,
    snapshot,
    text,
    wanted,
)
from chit_sync.helpdesks.roundup_tracker import labels

PAGE = 100
BLOCK = 500
"""Tickets whose parts are held at once, where there are too many for one answer."""

OVERLAP = 15 * SECOND
WHOLE = 5_000
"""Most messages that are asked for in one answer."""

Seen = dict[str, dict[str, str]]
Part = TypeVar("Part")


class Cursor(NamedTuple):
    """since: by class of rows, the latest time that was seen. seen: by class and id, the digests of rows from shortly before that.

    after: during a first reading, the last number that was told.
    """

    since: Mapping[str, int]
    seen: Seen
    after: int = 0
    shape: Shape | None = None

    def write(self) -> str:
        kept: dict[str, object] = {"since": dict(self.since), "seen": self.seen}
        if self.after:
            kept["after"] = self.after
        return json.dumps({**kept, "shape": self.shape}, separators=(",", ":"))


def read_cursor(written: str) -> Cursor:
    """A cursor. One that makes no sense is an error: to begin again is for people to say."""
    try:
        data = json.loads(written)
        since = {str(key): int(value) for key, value in data["since"].items()}
        seen = {str(key): {str(one): str(hash_) for one, hash_ in value.items()} for key, value in data["seen"].items()}
        return Cursor(since, seen, int(data.get("after", 0)), shape_of(data.get("shape")))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError("the place where reading was to go on is damaged", "Read everything anew.") from None


class Reader:
    """Reads tickets of one shape with their parts. follow: what the remote's address narrows its questions for tickets to."""

    def __init__(self, rest: Rest, shape: Shape, follow: Pairs) -> None:
        self._rest = rest
        self._shape = shape
        self._follow = follow
        self._labels: dict[str, dict[str, str]] = {}

    def tickets(self, filters: Pairs = ()) -> list[Row]:
        """Tickets without their parts."""
        return self._rest.rows(self._shape.klass, self._shape.ticket_fields(), filters)

    def some(self, numbers: Sequence[int]) -> dict[int, Row]:
        """These tickets without their parts, as far as they are there."""
        rows = self._rest.rows_of(self._shape.klass, self._shape.ticket_fields(), [str(one) for one in numbers])
        return {int(text(row, "id")): row for row in rows}

    def parts(self, rows: Sequence[Row], have: Mapping[str, Row] | None = None) -> Parts:
        """What these tickets are made of besides. have: messages that were read already."""
        msgs = dict(have or {})
        needed = (
            partial(self._of, "msg", wanted(rows, "messages", msgs)),
            partial(self._of, "file", wanted(rows, "files")),
            partial(self._of, "timelog", wanted(rows, "times")),
        )
        read, files, works = self._rest.web.many(needed)
        return Parts({**msgs, **read}, files, works, self._names(rows))

    def _of(self, klass: str, numbers: Sequence[str]) -> dict[str, Row]:
        """Things by id. All of a class are one question, which is cheap where a good part of them is needed."""
        if not numbers:
            return {}
        fields, verbose = self._fields(klass)
        if len(numbers) <= WHOLE and 3 * len(numbers) >= int(numbers[-1]):
            rows = self._rest.rows(klass, fields, verbose=verbose)
        else:
            rows = self._rest.rows_of(klass, fields, numbers, verbose=verbose)
        needed = set(numbers)
        return {one: row for row in rows if (one := text(row, "id")) in needed}

    def _fields(self, klass: str) -> tuple[tuple[str, ...], int]:
        if klass == "msg":
            return self._shape.msg_fields(), 3  # below that the content is left out
        return (FILE_FIELDS if klass == "file" else TIME_FIELDS), 0

    def _names(self, rows: Sequence[Row]) -> dict[str, dict[str, str]]:
        """The names of what these tickets link to; asked for again when one is missing."""
        fields = [(one.name, one.klass, one.label) for one in self._shape.customs if one.kind == "links"]
        if self._shape.keywords:
            fields.append((self._shape.keywords, "keyword", "name"))
        for name, klass, label in fields:
            known = self._labels.get(klass, {})
            if wanted(rows, name, known):
                self._labels[klass] = labels(self._rest, klass, label)
        return self._labels

    def first(self, cursor: Cursor) -> Iterator[Page]:
        """Everything, from the number after the cursor's on."""
        rows = sorted(self.tickets(self._follow), key=lambda row: int(text(row, "id")))
        since = dict(cursor.since) or {"msg": _latest(rows), self._shape.klass: _latest(rows)}
        total = len(rows)
        rows = [row for row in rows if int(text(row, "id")) > cursor.after]
        done = total - len(rows)
        seen: Seen = {klass: dict(cursor.seen.get(klass, {})) for klass in (self._shape.klass, "msg")}
        together = len(wanted(rows, "messages")) <= WHOLE
        for start in range(0, len(rows), len(rows) if together else BLOCK):
            block = rows[start : start + (len(rows) if together else BLOCK)]
            parts = self.parts(block)
            for page in _pages(block):
                done += len(page)
                self._see(seen, since, self._shape.klass, page)
                self._see(
                    seen, since, "msg", [parts.msgs[one] for one in wanted(page, "messages") if one in parts.msgs]
                )
                after = 0 if done == total else int(text(page[-1], "id"))
                yield self._page(page, parts, Cursor(since, seen, after, self._shape), done, total)
        if not rows:
            yield Page([], Cursor(since, seen, 0, self._shape).write(), total, total)

    def later(self, cursor: Cursor, known: Collection[int]) -> Iterator[Page]:
        """What has changed since the cursor."""
        klass = self._shape.klass
        rows = self._news(klass, cursor)
        news = {"msg": self._news("msg", cursor)}
        if not rows.new and not news["msg"].new:
            yield Page([], cursor._replace(shape=self._shape).write())
            return
        news |= {one: self._news(one, cursor) for one in ("file", *(["timelog"] if self._shape.times else []))}
        msgs = {text(row, "id"): row for row in news["msg"].new}
        changed = {text(row, "id"): row for row in rows.new}
        for one, name in (("msg", "messages"), ("file", "files"), ("timelog", "times")):
            if one in news:
                told = {number for row in changed.values() for number in ids(row, name)}
                left = [number for row in news[one].new if (number := text(row, "id")) not in told]
                for some in _pages(left):
                    changed |= {text(row, "id"): row for row in self.tickets([(name, ",".join(some))])}
        followed = sorted(self._followed(changed, known), key=lambda row: (text(row, "activity"), int(text(row, "id"))))
        parts = self.parts(followed, msgs)
        seen: Seen = {one: dict(values) for one, values in cursor.seen.items()}
        done = 0
        for page in _pages(followed)[:-1]:
            done += len(page)
            seen.setdefault(klass, {}).update((text(row, "id"), digest(row)) for row in page)
            yield self._page(page, parts, cursor._replace(seen=seen, shape=self._shape), done, len(followed))
        since = {one: max(cursor.since.get(one, 0), found.latest) for one, found in {klass: rows, **news}.items()}
        end: Seen = {one: found.seen(since[one]) for one, found in {klass: rows, **news}.items()}
        last = (_pages(followed) or [[]])[-1]
        yield self._page(last, parts, Cursor(since, end, 0, self._shape), len(followed), len(followed))

    def _news(self, klass: str, cursor: Cursor) -> "_News":
        """The rows of a class from shortly before the cursor on."""
        bound = cursor.since.get(klass, cursor.since.get("msg", 0)) - OVERLAP
        filters = [("activity", f"from {date(bound)}")] if bound > 0 else []
        fields, verbose = (self._shape.ticket_fields(), 0) if klass == self._shape.klass else self._fields(klass)
        rows = self._rest.rows(klass, fields, filters, verbose=verbose)
        # A bound that Roundup does not understand is no bound to it.
        rows = [row for row in rows if (moment(row.get("activity")) or 0) >= bound - SECOND]
        old = cursor.seen.get(klass, {})
        return _News(rows, [row for row in rows if old.get(text(row, "id")) != digest(row)])

    def _followed(self, changed: Mapping[str, Row], known: Collection[int]) -> list[Row]:
        """Those that the query finds now, or that were known before."""
        if not self._follow:
            return list(changed.values())
        unknown = [one for one in changed if int(one) not in known]
        found: set[str] = set()
        for some in _pages(unknown):
            rows = self._rest.rows(self._shape.klass, (), [*self._follow, *(("id", one) for one in some)])
            found |= {text(row, "id") for row in rows}
        return [row for one, row in changed.items() if int(one) in known or one in found]

    def _see(self, seen: Seen, since: dict[str, int], klass: str, rows: Sequence[Row]) -> None:
        """Notes rows that the next reading will meet again."""
        for row in rows:
            if (moment(row.get("activity")) or 0) >= since[klass] - OVERLAP - SECOND:
                seen[klass][text(row, "id")] = digest(row)

    def _page(self, rows: Sequence[Row], parts: Parts, cursor: Cursor, done: int, total: int) -> Page:
        found = [snapshot(row, parts, self._shape, self._rest.where) for row in rows]
        return Page(found, cursor.write(), done, total)


class _News(NamedTuple):
    """rows: all that a question told of. new: those that were not seen before."""

    rows: list[Row]
    new: list[Row]

    @property
    def latest(self) -> int:
        return _latest(self.rows)

    def seen(self, since: int) -> dict[str, str]:
        """The digests of what will be told of again."""
        bound = since - OVERLAP - SECOND
        return {text(row, "id"): digest(row) for row in self.rows if (moment(row.get("activity")) or 0) >= bound}


def _latest(rows: Sequence[Row]) -> int:
    return max((moment(row.get("activity")) or 0 for row in rows), default=0)


def _pages(parts: Sequence[Part]) -> list[Sequence[Part]]:
    return [parts[start : start + PAGE] for start in range(0, len(parts), PAGE)]
