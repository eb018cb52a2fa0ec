"""How results leave: a table or page for a person, tab-separated lines for a pipe, JSON for a program. Knows no ticket."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from chit.language import translate
from chit.text import cell, clean, pad, paint, shorten, width, write
from chit_sync.errors import UsageError

if TYPE_CHECKING:
    from chit.context import App

Record = Mapping[str, Any]

_PLACE = re.compile(r"\{\{|\}\}|\{([a-z0-9_.]+)(?::([<>^]?)([0-9]{1,3}))?\}|[{}]")
_ENDLESS = 1 << 20
_AT_ONCE = 1_000
"""Lines that are joined before they are written."""


class Output:
    """Prints results in the mode that the options and the terminal ask for."""

    def __init__(self, app: "App") -> None:
        self.app = app
        options = app.options
        given = [name for name in ("json", "jsonl", "format") if getattr(options, name)]
        if len(given) > 1:
            raise UsageError(f"--{given[0]} and --{given[1]} contradict each other", "Give one of them.")
        self.end = "\0" if options.null else "\n"
        self.fields = None if options.fields is None else options.fields.split(",")

    @property
    def structured(self) -> bool:
        """Whether a program asked for records: JSON, a format, or named fields."""
        options = self.app.options
        return bool(options.json or options.jsonl or options.format or self.fields)

    def one(self, record: Record, human: Callable[[], str]) -> None:
        """One result: an object, or what `human` says."""
        if self.structured:
            self._records([record], single=True)
        else:
            self.page(human())

    def many(self, records: Iterable[Record], human: Callable[[], str]) -> None:
        """Several results: an array, or what `human` says."""
        if self.structured:
            self._records(records, single=False)
        else:
            self.page(human())

    def _records(self, records: Iterable[Record], *, single: bool) -> None:
        options = self.app.options
        narrowed = (self._narrow(record) for record in records)
        if options.format:
            self.lines(fill(options.format, record) for record in narrowed)
        elif options.jsonl:
            self.lines(_json(record) for record in narrowed)
        elif options.json and single:
            write(_json(next(iter(narrowed))) + "\n")
        elif options.json:
            self._array(narrowed)
        else:
            self.lines("\t".join(cell(plain(record[name])) for name in self.fields or ()) for record in narrowed)

    def _narrow(self, record: Record) -> Record:
        if not self.fields:
            return record
        unknown = [name for name in self.fields if name not in record]
        if unknown:
            raise UsageError(f"there is no field {unknown[0]!r}", f"There are: {', '.join(record)}.")
        return {name: record[name] for name in self.fields}

    def _array(self, records: Iterator[Record]) -> None:
        separator = "["
        for record in records:
            write(separator + _json(record))
            separator = ",\n "
        write("[]\n" if separator == "[" else "]\n")

    def lines(self, lines: Iterable[str]) -> bool:
        """Lines as they are, many at a time; whether there were any."""
        source = iter(lines)
        any_line = False
        while held := list(islice(source, _AT_ONCE)):
            any_line = True
            write(self.end.join(held) + self.end)
        return any_line

    def page(self, text: str) -> None:
        """Text for a person; on a terminal through the pager if it is longer than the screen."""
        if not text:
            return
        if not text.endswith("\n"):
            text += "\n"
        if self.app.terminal and not self.app.options.no_pager and text.count("\n") >= screen()[1]:
            command = self.app.environ.get("CHIT_PAGER") or self.app.config.text("core.pager")
            command = command or self.app.environ.get("PAGER") or "less"
            if command != "cat" and _through_pager(command, text, self.app.environ):
                return
        write(text)

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        """An aligned table on a terminal, tab-separated lines elsewhere; nothing is cut, the terminal wraps what is too long."""
        if not self.app.terminal:
            return "".join("\t".join(map(cell, row)) + self.end for row in rows)
        return aligned([*map(translate, headers)], rows, self.app.colored, _ENDLESS)


def screen() -> tuple[int, int]:
    """Columns and lines of the terminal. (shutil has the same, and five times the start-up time of what it is needed for.)"""
    try:
        found = os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1)
    except (OSError, ValueError):
        found = os.terminal_size((80, 24))
    named = os.environ.get("COLUMNS", "")
    return int(named) if named.isdecimal() and int(named) else found.columns or 80, found.lines or 24


def columns() -> int:
    """Width of the terminal."""
    return screen()[0]


def aligned(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    colored: bool,
    screen: int,
    *,
    styles: Sequence[str] = (),
) -> str:
    """A table with columns as wide as they need to be; the last gives way on a narrow screen. styles: one a row."""
    cleaned = [[clean(text) for text in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(headers, *cleaned, strict=True)]
    over = sum(widths) + 2 * (len(widths) - 1) - screen
    if over > 0:
        widths[-1] = max(10, widths[-1] - over)
    lines = [paint(_row(headers, widths), "bold" if colored else "")]
    for number, row in enumerate(cleaned):
        style = styles[number] if colored and number < len(styles) else ""
        lines.append(paint(_row(row, widths), style))
    return "\n".join(lines) + "\n"


def _row(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(pad(shorten(text, size), size) for text, size in zip(row, widths, strict=True)).rstrip()


def plain(value: Any) -> str:
    """A value of a record as text: nothing for None, words with commas between for a list of texts, else JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int)):
        return str(value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ",".join(value)
    return _json(value)


def fill(template: str, record: Record) -> str:
    """The template with {field}, {field:<8}, {field:>8}, {field:^8} filled in; {{ and }} for braces. Raises UsageError.

    Not str.format: that would let a template reach into the objects behind the values.
    """

    def put(match: re.Match[str]) -> str:
        whole = match.group(0)
        if whole in ("{{", "}}"):
            return whole[0]
        name = match.group(1)
        if name is None:
            raise UsageError(
                f"--format: a brace that belongs to no field at column {match.start() + 1}", "Write {{ for {."
            )
        value: Any = record
        for part in name.split("."):
            if not isinstance(value, Mapping) or part not in value:
                raise UsageError(f"--format: there is no field {name!r}", f"There are: {', '.join(record)}.")
            value = value[part]
        text = cell(plain(value))
        size = int(match.group(3) or 0)
        match match.group(2):
            case ">":
                return " " * (size - width(text)) + text
            case "^":
                left = max(0, size - width(text)) // 2
                return pad(" " * left + text, size)
            case _:
                return pad(text, size)

    return _PLACE.sub(put, template)


def _json(record: Any) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(", ", ": "))


def _through_pager(command: str, text: str, environ: Mapping[str, str]) -> bool:
    """Shows the text in a pager; False if there is none."""
    import shlex
    import subprocess

    try:
        words = shlex.split(command)
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, text=True, encoding="utf-8", errors="replace",
            env={"LESS": "FIRX", **environ},
        )  # fmt: skip
    except (OSError, ValueError):
        return False
    sys.stdout.flush()
    try:
        process.communicate(text)
    except (BrokenPipeError, KeyboardInterrupt):
        process.wait()
    return True
