"""Rules: how a value is made of the cells of a row. A map is a list of them. Pure, apart from what each remembers.

A cell is a text, or (JSON Lines only) Nested. What a rule makes of a cell is remembered, because the rows of an event
log repeat themselves, and checked against the schema once.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from chit_sync import checks
from chit_sync.errors import UsageError
from chit_sync.registers import Value
from chit_sync.transfer.report import Unfit
from chit_sync.transfer.timestamps import Times, iso

Cells = Sequence[Any]


class Nested:
    """A cell that holds a list or an object."""

    __slots__ = ("found",)

    def __init__(self, found: Any) -> None:
        self.found = found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Nested) and self.found == other.found

    def __hash__(self) -> int:
        return hash(repr(self.found))

    def __repr__(self) -> str:
        return repr(self.found)

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return "an object" if isinstance(self.found, dict) else "a list"


REMEMBERED = 20_000
SHORT = 200
"""Cells up to that length are remembered, that many of each rule."""

YES = frozenset(("true", "1", "yes", "y"))
NO = frozenset(("false", "0", "no", "n"))


class Spec(NamedTuple):
    """What a map says about one value. columns: places in the row; the first that is not empty counts (unless there is a template)."""

    columns: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    values: Mapping[str, Value] | None = None
    keep_others: bool = False
    default: Value = None
    template: tuple[str, ...] | None = None
    """The literals around the columns: one more than there are columns."""
    sections: tuple[str, ...] | None = None
    """Headings, one for each column."""
    constant: Value = None
    time: bool = False
    separator: str | None = None


class Rule(dict[Any, Value]):
    """Makes the value of one path. Call it with a row's cells; raises Unfit.

    It is the table of what it made already, from the cell, or the cells, that it looks at. `rule[cells[rule.place]]` is the short way
    for a rule of one column (place >= 0).
    """

    __slots__ = ("_key", "_moment", "_plain", "_times", "_type", "columns", "empty", "path", "place", "spec")

    def __init__(self, path: str, kind: str, spec: Spec, empty: frozenset[str], times: Times) -> None:
        super().__init__()
        self.path = path
        self.spec = spec
        self.columns = spec.columns
        self.empty = empty
        self.place = spec.columns[0] if len(spec.columns) == 1 else -1
        self._type = kind
        self._times = times
        simple = self.place >= 0 and spec._replace(time=False) == Spec(spec.columns, spec.names)
        self._plain = simple and path.startswith("x.") and not spec.time
        self._moment = simple and ((path.startswith("x.") and spec.time) or (not path and kind == "time"))
        self._key: Callable[[Cells], Any] = itemgetter(*spec.columns) if spec.columns else len

    def __call__(self, cells: Cells) -> Value:
        return self[self._key(cells)]

    def __missing__(self, key: Any) -> Value:
        if self._plain and isinstance(key, str) and len(key) <= SHORT:
            found = self[key] = None if key in self.empty else key
            return found
        if self._moment and isinstance(key, str):  # whose days are remembered; the times themselves seldom come again
            return None if key in self.empty else iso(self._times(key)) if self.path else self._times(key)
        value = self._made((key,) if self.place >= 0 else key if self.columns else ())
        if len(self) >= REMEMBERED:
            self.clear()
        if not isinstance(value, str) or len(value) <= SHORT:
            self[key] = value
        return value

    def _made(self, cells: Cells) -> Value:
        """The value that follows from the rule's own columns."""
        value = self._typed(self._picked(cells))
        if value is None:
            return None
        if self.path:
            try:
                checks.check(self.path, value)
            except UsageError as error:
                raise Unfit(said(error)) from None
        elif self._type == "line" and isinstance(value, str):
            if len(value) > checks.MAX_LINE:
                raise Unfit(
                    f"{'/'.join(self.spec.names)} has {len(value)} characters; at most {checks.MAX_LINE} are allowed"
                )
            if not value.isprintable() and checks.has_control(value):
                raise Unfit(f"{'/'.join(self.spec.names)} holds control characters")
        return value

    def _picked(self, cells: Cells) -> Value:
        """What the cells say, before it is turned into the field's type."""
        spec = self.spec
        found: Value = None
        if spec.template is not None:
            found = self._filled(spec.template, cells)
        elif spec.sections is not None:
            parts = [
                f"## {heading}\n\n{text}" if heading else text
                for heading, text in zip(spec.sections, self._texts(cells), strict=True)
                if text
            ]
            found = "\n\n".join(parts) or None
        elif spec.columns:
            found = next((text for text in self._texts(cells) if text), None)
        else:
            return spec.constant
        if isinstance(found, str) and spec.values is not None:
            if found in spec.values:
                found = spec.values[found]
                return None if found is False or found == "" else found
            if not spec.keep_others:
                raise Unfit(f"{'/'.join(spec.names)}: the map has no value for {found[:60]!r}")
        return spec.default if found is None else found

    def _texts(self, cells: Cells) -> list[str]:
        return [self._text(cell, name) for cell, name in zip(cells, self.spec.names, strict=True)]

    def _text(self, cell: Any, name: str) -> str:
        if not isinstance(cell, str):
            raise Unfit(f"{name} is {cell.kind}, not a text")
        return "" if cell in self.empty else cell

    def _filled(self, literals: tuple[str, ...], cells: Cells) -> str | None:
        """The template with the columns in it; what stands before an empty column is left out with it."""
        line = ""
        last = ""
        for place, last in enumerate(self._texts(cells)):
            if last:
                line += (literals[place] if line or place == 0 else "") + last
        return (line + literals[-1] if last else line) or None

    def _typed(self, value: Value) -> Value:
        if value is None or (isinstance(value, int) and self._type in ("flag", "time", "count")):
            return value
        if not isinstance(value, str):
            return str(value)
        if self._type == "text":
            return value
        if self.spec.time or self._type == "time":
            stamp = self._times(value)
            return stamp if self._type == "time" else iso(stamp)
        if self._type == "flag":
            low = value.strip().lower()
            if low not in YES and low not in NO:
                raise Unfit(f"{'/'.join(self.spec.names)}: {value[:40]!r} is neither yes nor no")
            return True if low in YES else None
        return (value if self.path.startswith("x.") else value.strip()) or None


def said(error: UsageError) -> str:
    """An error in one line."""
    return f"{error.message}. {error.hint}" if error.hint else error.message


def labels(spec: Spec, cells: Cells, empty: frozenset[str]) -> set[str]:
    """The labels that a row names: a list, or texts with a separator. Raises Unfit."""
    found: set[str] = set()
    for place, name in zip(spec.columns, spec.names, strict=True):
        cell = cells[place]
        if isinstance(cell, Nested):
            parts = cell.found if isinstance(cell.found, list) else [cell.found]
        else:
            parts = cell.split(spec.separator) if spec.separator else [cell]
        for part in parts:
            if not isinstance(part, str):
                raise Unfit(f"{name}: a label is a text, not {str(part)[:40]}")
            word: Value = part.strip()
            if not word or word in empty:
                continue
            if spec.values is not None:
                if word in spec.values:
                    word = spec.values[str(word)]
                elif not spec.keep_others:
                    raise Unfit(f"{name}: the map has no value for {part[:60]!r}")
            if not isinstance(word, str) or not word:
                continue
            try:
                checks.check_label(word)
            except UsageError as error:
                raise Unfit(said(error)) from None
            found.add(word)
    return found
