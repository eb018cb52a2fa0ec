"""Maps: the TOML files that say what the columns of a foreign file mean. Reads one and checks it; knows no row and no store.

docs/import.md describes the form. A map that is wrong is refused as a whole, with the name of the key at fault.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from chit_sync import checks
from chit_sync.errors import NotFoundError, UsageError
from chit_sync.ids import derived
from chit_sync.transfer.rules import Rule, Spec
from chit_sync.transfer.timestamps import Times

SHIPPED = os.path.join(os.path.dirname(__file__), "maps")
MAX_MAP = 1 << 20

SCHEMA = "chit.map/1"

RULES = 1
"""Raised whenever the same map makes other changes of the same rows than it used to."""


class Columns:
    """The columns that a map names, in the order in which rows hand over their cells."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def place(self, name: str) -> int:
        """The column's place in a row; a new column gets the next one."""
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)


class Event(NamedTuple):
    """One thing that a row says happened: when, by whom, and what was so afterwards."""

    time: Rule
    actor: Rule
    rules: tuple[Rule, ...]
    labels: Spec | None
    always: bool
    """Whether it counts even if it alters nothing: that something was done at that time is worth knowing."""
    by_place: Sequence[Sequence[Rule]] = ()
    """For each column the rules that read it."""


class Items(NamedTuple):
    """Comments or links of a row: a list of objects in one column, or columns of the row itself.

    name: tells the entries of a map apart. place: of the list in the row, or None; then the rules read the row. columns: of the objects.
    """

    name: str
    place: int | None
    columns: Columns
    rules: Mapping[str, Rule]
    separator: str | None


class Map(NamedTuple):
    """A map, ready to be used. rows: 'events' (a row is a ticket after an event) or 'tickets' (a row is a ticket)."""

    name: str
    source: str
    format: str
    delimiter: str
    encoding: str
    rows: str
    empty: frozenset[str]
    key: int
    order: tuple[int, ...]
    columns: Columns
    events: tuple[Event, ...]
    comments: tuple[Items, ...]
    links: tuple[Items, ...]
    digest: str
    """Tells one map from another."""


def shipped() -> list[str]:
    """The names of the maps that come with chit."""
    return sorted(name.removesuffix(".toml") for name in os.listdir(SHIPPED) if name.endswith(".toml"))


def load(name: str, *, source: str | None = None, zone: str | None = None) -> Map:
    """The map in the file `name`, or the one of that name that comes with chit; with another source or time zone if given.

    Raises NotFoundError, or UsageError for a map that cannot be used.
    """
    import tomllib

    path = os.path.join(SHIPPED, name + ".toml") if name in shipped() else name
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_MAP + 1)
    except OSError as error:
        raise NotFoundError(
            f"no map {name!r}: {error.strerror}", f"Name a file, or one of: {', '.join(shipped())}."
        ) from None
    try:
        if len(data) > MAX_MAP:
            raise ValueError("it is over 1 MiB long")
        document = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the map {name} cannot be read: {error}") from None
    return from_document(document, name, source=source, zone=zone)


def from_document(document: Mapping[str, Any], name: str, *, source: str | None = None, zone: str | None = None) -> Map:
    """The map that a TOML document describes. Raises UsageError."""
    return _Reader(name).read(document, source, zone)


class _Reader:
    """Reads one document; every complaint names the map and the key."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.columns = Columns()
        self.empty: frozenset[str] = frozenset(("",))
        self.times = Times("iso", "UTC")

    def read(self, document: Mapping[str, Any], source: str | None, zone: str | None) -> Map:
        top = self._table(
            document, "the map",
            ("schema", "source", "format", "rows", "key"),
            ("delimiter", "encoding", "empty", "order", "time", "event", "comments", "links"),
        )  # fmt: skip
        if top["schema"] != SCHEMA:
            self._refuse(f"its schema is {top['schema']!r}, not {SCHEMA!r}")
        form = self._one_of(top, "format", ("csv", "jsonl"))
        rows = self._one_of(top, "rows", ("events", "tickets"))
        delimiter = self._text(top.get("delimiter", ","), "delimiter")
        if len(delimiter) != 1 or delimiter in '"\r\n':
            self._refuse(f"delimiter is one character, not {delimiter!r}")
        self.empty = frozenset(("", *self._texts(top.get("empty", []), "empty")))
        times = self._table(top.get("time", {}), "time", (), ("format", "zone"))
        self.times = Times(
            self._text(times.get("format", "iso"), "time.format"),
            zone or self._text(times.get("zone", "UTC"), "time.zone"),
        )
        key = self.columns.place(self._text(top["key"], "key"))
        order = tuple(self.columns.place(column) for column in self._texts(top.get("order", []), "order"))
        events = self._list(top.get("event", []), "event")
        if not events:
            self._refuse("it has no [[event]]: nothing says when and by whom")
        if rows == "events" and len(events) > 1:
            self._refuse("rows that are events have one [[event]]")
        return Map(
            self.name, source or self._text(top["source"], "source"), form, delimiter, self._encoding(top), rows,
            self.empty, key, order, self.columns, self._events(events),
            tuple(
                self._items(one, f"comments.{place}", ("body",), ("id", "author", "time", "visibility"))
                for place, one in enumerate(self._list(top.get("comments", []), "comments"))
            ),
            tuple(
                self._items(one, f"links.{place}", ("target", "kind"), ("author", "time"))
                for place, one in enumerate(self._list(top.get("links", []), "links"))
            ),
            derived(16, str(RULES), repr(document), zone or "").hex(),
        )  # fmt: skip

    def _encoding(self, top: Mapping[str, Any]) -> str:
        encoding = self._text(top.get("encoding", "utf-8"), "encoding")
        try:
            if "\n".encode(encoding) != b"\n":
                self._refuse(f"encoding {encoding!r} is not one in which a line ends with one byte; convert the file")
        except LookupError:
            self._refuse(f"there is no encoding {encoding!r}")
        return encoding

    def _events(self, documents: Sequence[Any]) -> tuple[Event, ...]:
        events = [self._event(one) for one in documents]
        places = range(len(self.columns.names))
        return tuple(
            one._replace(by_place=[[rule for rule in one.rules if place in rule.columns] for place in places])
            for one in events
        )

    def _event(self, document: Any) -> Event:
        table = self._table(document, "event", ("time", "actor"), ("always", "fields"))
        fields = table.get("fields", {})
        if not isinstance(fields, dict):
            self._refuse("event.fields is a table")
        rules = []
        for path, value in sorted(fields.items()):
            if path == "labels":
                continue
            if "/" in path:
                self._refuse(f"event.fields: {path!r} is not a field")
            try:
                field = checks.field_of(path)
            except UsageError as error:
                self._refuse(f"event.fields: {error.message}")
            rules.append(self._rule(path, field.type, value, f"event.fields.{path}", self.columns))
        labels = fields.get("labels")
        return Event(
            self._rule("", "time", table["time"], "event.time", self.columns),
            self._rule("", "line", table["actor"], "event.actor", self.columns),
            tuple(rules),
            None if labels is None else self._spec(labels, "event.fields.labels", self.columns),
            table.get("always") is True,
        )

    def _items(self, document: Any, name: str, required: Sequence[str], optional: Sequence[str]) -> Items:
        kind = name.partition(".")[0]
        table = self._table(document, kind, required, ("list", "separator", *optional))
        place = None
        columns = self.columns
        if "list" in table:
            place = self.columns.place(self._text(table["list"], f"{kind}.list"))
            columns = Columns()
        types = {"body": "text", "time": "time"}
        separator = table.get("separator")
        return Items(
            name, place, columns,
            {
                part: self._rule("", types.get(part, "line"), table[part], f"{kind}.{part}", columns)
                for part in (*required, *optional)
                if part in table
            },
            None if separator is None else self._text(separator, f"{kind}.separator"),
        )  # fmt: skip

    def _rule(self, path: str, kind: str, value: Any, where: str, columns: Columns) -> Rule:
        return Rule(path, kind, self._spec(value, where, columns), self.empty, self.times)

    def _spec(self, value: Any, where: str, columns: Columns) -> Spec:
        """A column's name, or a table that says more."""
        if isinstance(value, str):
            return Spec((columns.place(value),), (value,))
        table = self._table(
            value,
            where,
            (),
            ("column", "values", "others", "default", "template", "sections", "value", "time", "separator"),
        )
        ways = [key for key in ("column", "template", "sections", "value") if key in table]
        if len(ways) != 1:
            self._refuse(f"{where} has one of column, template, sections and value")
        spec = Spec(default=self._constant(table.get("default"), f"{where}.default"), time=table.get("time") is True)
        if "value" in table:
            return spec._replace(constant=self._constant(table["value"], f"{where}.value"))
        names: Sequence[str]
        if "template" in table:
            literals, names = self._template(table["template"], where)
            spec = spec._replace(template=literals)
        elif "sections" in table:
            pairs = [
                self._texts(pair, f"{where}.sections") for pair in self._list(table["sections"], f"{where}.sections")
            ]
            if any(len(pair) != 2 for pair in pairs):
                self._refuse(f"{where}.sections is a list of pairs of heading and column")
            names = [pair[1] for pair in pairs]
            spec = spec._replace(sections=tuple(pair[0] for pair in pairs))
        else:
            column = table["column"]
            names = [column] if isinstance(column, str) else self._texts(column, f"{where}.column")
        if not names:
            self._refuse(f"{where} names no column")
        values = table.get("values")
        if values is not None:
            if not isinstance(values, dict):
                self._refuse(f"{where}.values is a table")
            values = {text: self._constant(made, f"{where}.values") for text, made in values.items()}
        others = table.get("others", "refuse")
        if others not in ("refuse", "keep"):
            self._refuse(f"{where}.others is refuse or keep")
        separator = table.get("separator")
        return spec._replace(
            columns=tuple(columns.place(column) for column in names), names=tuple(names), values=values,
            keep_others=others == "keep",
            separator=None if separator is None else self._text(separator, f"{where}.separator"),
        )  # fmt: skip

    def _template(self, text: Any, where: str) -> tuple[tuple[str, ...], list[str]]:
        from string import Formatter

        literals: list[str] = []
        names: list[str] = []
        try:
            for literal, name, form, conversion in Formatter().parse(self._text(text, f"{where}.template")):
                literals.append(literal)
                if name is not None:
                    if form or conversion or not name:
                        raise ValueError("only {column} can stand in it")
                    names.append(name)
        except ValueError as error:
            self._refuse(f"{where}.template: {error}")
        if len(literals) == len(names):
            literals.append("")
        return tuple(literals), names

    def _constant(self, value: Any, where: str) -> str | int | bool | None:
        if value is not None and not isinstance(value, str | int):
            self._refuse(f"{where} is a text, a whole number, true or false")
        return value

    def _table(self, value: Any, where: str, required: Sequence[str], optional: Sequence[str]) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self._refuse(f"{where} is a table")
        for key in value:
            if key not in required and key not in optional:
                self._refuse(
                    f"{where} has a key {key!r} that means nothing; it can have {', '.join((*required, *optional))}"
                )
        for key in required:
            if key not in value:
                self._refuse(f"{where} lacks {key!r}")
        return value

    def _one_of(self, table: Mapping[str, Any], key: str, choices: Sequence[str]) -> str:
        if table[key] not in choices:
            self._refuse(f"{key} is {' or '.join(choices)}, not {table[key]!r}")
        return str(table[key])

    def _text(self, value: Any, where: str) -> str:
        if not isinstance(value, str) or not value:
            self._refuse(f"{where} is a text")
        return value

    def _texts(self, value: Any, where: str) -> list[str]:
        found = self._list(value, where)
        if not all(isinstance(text, str) for text in found):
            self._refuse(f"{where} is a list of texts")
        return found

    def _list(self, value: Any, where: str) -> list[Any]:
        if not isinstance(value, list):
            self._refuse(f"{where} is a list")
        return value

    def _refuse(self, why: str) -> NoReturn:
        raise UsageError(f"the map {self.name} cannot be used: {why}", "`chit help import` describes maps.")
