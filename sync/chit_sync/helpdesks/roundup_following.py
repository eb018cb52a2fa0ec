"""What has changed in a Roundup tracker since a cursor, in as few questions as there can be.

Roundup pages slowly, so lists are asked for as a whole and cut up here. A message that is rewritten leaves its ticket's time alone, so
messages are asked about beside tickets. Time logs and files are, too, but only when anything else has changed: so a reading of nothing
takes two questions.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

from chit_sync.helpdesks.base import Page
from chit_sync.helpdesks.roundup_asking import Pairs, Rest
from chit_sync.helpdesks.roundup_cursor import Cursor, Seen, see, time_of
from chit_sync.helpdesks.roundup_reading import (
    FILE_FIELDS,
    TIME_FIELDS,
    Parts,
    Shape,
    date,
    snapshot,
    wanted,
)
from chit_sync.helpdesks.roundup_tracker import account, labels
from chit_sync.helpdesks.rows import Row, text

PAGE = 100
BLOCK = 500
"""Tickets whose parts are held at once, where there are too many for one answer."""

WHOLE = 5_000
"""Most messages that are asked for in one answer."""

LISTS = {"msg": "messages", "file": "files", "timelog": "times"}
"""Class to the field of a ticket that lists things of it."""

Part = TypeVar("Part")


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
        """Things by id, perhaps more than these: all of a class are one question, which is cheap where a good part of them is needed."""
        if not numbers:
            return {}
        fields, verbose = self._fields(klass)
        if len(numbers) <= WHOLE and 3 * len(numbers) >= int(numbers[-1]):
            rows = self._rest.rows(klass, fields, verbose=verbose)
        else:
            rows = self._rest.rows_of(klass, fields, numbers, verbose=verbose)
        return {text(row, "id"): row for row in rows}

    def _fields(self, klass: str) -> tuple[tuple[str, ...], int]:
        """What is asked of things of a class, and how verbosely."""
        if klass == "msg":
            return self._shape.msg_fields(), 3  # below that the content is left out
        return {"file": FILE_FIELDS, "timelog": TIME_FIELDS}.get(klass, self._shape.ticket_fields()), 0

    def _names(self, rows: Sequence[Row]) -> dict[str, dict[str, str]]:
        """The names of what these tickets link to; asked for again when one is missing."""
        fields = [(one.name, one.klass, one.label) for one in self._shape.customs if one.kind == "links"]
        if self._shape.keywords:
            fields.append((self._shape.keywords, "keyword", "name"))
        for name, klass, label in fields:
            self._labels.setdefault(klass, self._rest.named.get((klass, label), {}))
            if wanted(rows, name, self._labels.get(klass, {})):
                self._labels[klass] = labels(self._rest, klass, label)
        return self._labels

    def first(self, cursor: Cursor) -> Iterator[Page]:
        """Everything, from the number after the cursor's on."""
        rows = sorted(self.tickets(self._follow), key=lambda row: int(text(row, "id")))
        if not rows:
            account(self._rest)  # a token that is not good must not look like a tracker without tickets
        klass = self._shape.klass
        begun = max(map(time_of, rows), default=0)
        seen = cursor.seen or {one: Seen(begun) for one in (klass, *LISTS)}
        total = len(rows)
        rows = [row for row in rows if int(text(row, "id")) > cursor.after]
        done = total - len(rows)
        met: dict[str, list[Row]] = {one: [] for one in (klass, *LISTS)}
        size = len(rows) if len(wanted(rows, "messages")) <= WHOLE else BLOCK
        for start in range(0, len(rows), size or 1):
            block = rows[start : start + size]
            parts = self.parts(block)
            for one, found in {klass: block, **_by_class(parts)}.items():
                met[one] += [row for row in found if time_of(row) >= seen[one].bound]
            for page in _pages(block):
                done += len(page)
                if done < total:
                    at = Cursor(seen, int(text(page[-1], "id")), self._shape)
                else:
                    at = Cursor({one: see(met[one], seen[one].since) for one in met}, 0, self._shape)
                yield self._page(page, parts, at, done, total)
        if not rows:
            yield Page([], Cursor(seen, 0, self._shape).write(), total, total)

    def later(self, cursor: Cursor, known: Collection[int]) -> Iterator[Page]:
        """What has changed since the cursor.

        A ticket counts as changed when the latest of its rows did. In that order they are told, so that a cursor between two pages is one
        time for all classes: what is told later has a row that changed later.
        """
        klass = self._shape.klass
        rows = {one: self._since(one, cursor) for one in (klass, "msg")}
        new = {one: cursor.seen.get(one, Seen()).new(found) for one, found in rows.items()}
        if not any(rows.values()):
            account(self._rest)
        if not any(new.values()):
            yield Page([], cursor._replace(shape=self._shape).write())
            return
        for one in ("file", *(("timelog",) if self._shape.times else ())):
            rows[one] = self._since(one, cursor)
            new[one] = cursor.seen.get(one, Seen()).new(rows[one])
        changed = {text(row, "id"): row for row in new[klass]}
        for one, name in LISTS.items():
            told = set(wanted(list(changed.values()), name))
            for some in _pages([number for row in new.get(one, ()) if (number := text(row, "id")) not in told]):
                changed |= {text(row, "id"): row for row in self.tickets([(name, ",".join(some))])}
        moved = {one: {text(row, "id"): time_of(row) for row in found} for one, found in new.items()}

        def when(row: Row) -> tuple[int, int]:
            times = [moved.get(one, {}).get(number, 0) for one, name in LISTS.items() for number in wanted([row], name)]
            return max([time_of(row), *times]), int(text(row, "id"))

        followed = sorted(self._followed(changed, known), key=when)
        parts = self.parts(followed, {text(row, "id"): row for row in new["msg"]})
        pages = _pages(followed) or [[]]
        done = 0
        for page in pages[:-1]:
            done += len(page)
            until = when(page[-1])[0]
            here = {klass: {text(row, "id") for row in page}}
            here |= {one: set(wanted(page, name)) for one, name in LISTS.items()}
            seen = {one: self._seen(one, cursor, found, until, here[one]) for one, found in rows.items()}
            yield self._page(page, parts, Cursor({**cursor.seen, **seen}, 0, self._shape), done, len(followed))
        end = {one: self._seen(one, cursor, found, max(map(time_of, found), default=0)) for one, found in rows.items()}
        at = Cursor({**cursor.seen, **end}, 0, self._shape)
        yield self._page(pages[-1], parts, at, len(followed), len(followed))

    def _since(self, klass: str, cursor: Cursor) -> list[Row]:
        """The rows of a class from shortly before the cursor on."""
        bound = cursor.seen.get(klass, Seen()).bound
        fields, verbose = self._fields(klass)
        filters = [("activity", f"from {date(bound)}")] if bound else []
        rows = self._rest.rows(klass, fields, filters, verbose=verbose)
        # A bound that Roundup does not understand is none to it.
        return [row for row in rows if time_of(row) >= bound]

    def _seen(
        self, klass: str, cursor: Cursor, rows: Sequence[Row], until: int, told: Collection[str] | None = None
    ) -> Seen:
        """What is seen of a class when all is told up to then, and of that very second what is named. Never goes back."""
        since = max(cursor.seen.get(klass, Seen()).since, until)
        return see(
            [
                row
                for row in rows
                if told is None or time_of(row) < until or (time_of(row) == until and text(row, "id") in told)
            ],
            since,
        )

    def _followed(self, changed: Mapping[str, Row], known: Collection[int]) -> list[Row]:
        """Those that the query finds now, or that were known before."""
        if not self._follow:
            return list(changed.values())
        found: set[str] = set()
        for some in _pages([one for one in changed if int(one) not in known]):
            rows = self._rest.rows(self._shape.klass, (), [*self._follow, *(("id", one) for one in some)])
            found |= {text(row, "id") for row in rows}
        return [row for one, row in changed.items() if int(one) in known or one in found]

    def _page(self, rows: Sequence[Row], parts: Parts, cursor: Cursor, done: int, total: int) -> Page:
        found = [snapshot(row, parts, self._shape, self._rest.where) for row in rows]
        return Page(found, cursor.write(), done, total)


def _by_class(parts: Parts) -> dict[str, list[Row]]:
    return {"msg": [*parts.msgs.values()], "file": [*parts.files.values()], "timelog": [*parts.works.values()]}


def _pages(parts: Sequence[Part]) -> list[Sequence[Part]]:
    return [parts[start : start + PAGE] for start in range(0, len(parts), PAGE)]
