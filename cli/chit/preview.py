"""What would leave for a partner, and what stays: lines for a pipe, a table for a person, records for a program."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from chit.context import App
from chit.language import translate
from chit.output import columns
from chit.text import SHORT_ID, cell, clean, width
from chit.wording import exact, sentences
from chit_sync.authoring import Set
from chit_sync.checks import field_of
from chit_sync.crossing import RULES
from chit_sync.registers import Value
from chit_sync.store.leaving import LEAVES, Line, preview
from chit_sync.store.partners import Partner
from chit_sync.ticket import iso

_HEADERS = ("VERDICT", "TICKET", "WHAT", "WHY", "VALUE", "PARTNER")
_WHY = 3
"""The column that says by which rule."""


def lines_for(
    app: App, readers: Iterable[Partner], numbers: Collection[int] | None = None, *, again: bool = False
) -> list[Line]:
    """What there is to show for these partners; of all tickets or of those."""
    return [line for reader in readers for line in preview(app.reading, reader, numbers, again=again)]


def leaves(lines: Iterable[Line]) -> bool:
    """Whether anything would leave."""
    return any(line.verdict == LEAVES for line in lines)


def records(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """The lines as `chit.leaving/1`."""
    return [
        {
            "schema": "chit.leaving/1",
            "verdict": line.verdict,
            "partner": line.partner,
            "ticket": line.ticket,
            "title": line.title,
            "path": line.path,
            "rule": line.rule,
            "why": RULES[line.rule],
            "value": told(line.path, line.value),
            "change": line.change,
            "time": iso(line.time),
            "by": line.by,
        }
        for line in lines
    ]


def told(path: str, value: Value) -> Value:
    """A value as records have it, in items too: times as ISO 8601 UTC."""
    return iso(value) if field_of(path).type == "time" else value


def show(app: App, lines: Sequence[Line]) -> None:
    """Prints the lines; says for a person where there are none."""
    if not app.terminal:
        app.output.lines(map(_piped, lines))
    elif lines:
        several = len({line.partner for line in lines}) > 1
        shown = len(_HEADERS) if several else len(_HEADERS) - 1
        app.output.page(_fitting(app, _HEADERS[:shown], [row[:shown] for row in _rows(app, lines)]))
    if not lines:
        app.say("nothing would leave, and nothing new stays")


def _fitting(app: App, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The rows as a table; on a narrower screen with the rules explained below it, on a very narrow one each row in lines of its own.
    Nothing of what leaves is cut."""
    reasons = dict.fromkeys(row[_WHY] for row in rows)
    brief = [[*row[:_WHY], row[_WHY].partition(":")[0], *row[_WHY + 1 :]] for row in rows]
    for shown, below in ((rows, ""), (brief, "".join(f"{reason}\n" for reason in reasons))):
        table = app.output.table(headers, shown)
        if all(width(line) <= columns() for line in table.splitlines()[1:]):
            return table + below
    return "".join(map(_narrow, rows))


def _narrow(row: Sequence[str]) -> str:
    """A row where the screen is too narrow for a table."""
    from textwrap import wrap

    verdict, ticket, what, why, value, *partner = map(clean, row)
    first = f"{verdict:<6}  {'  '.join([ticket, what, *partner])}"
    indent = " " * 8
    told = [wrap(text, columns(), initial_indent=indent, subsequent_indent=indent) for text in (why, value)]
    return "\n".join([first, *told[0], *told[1]]) + "\n"


def _piped(line: Line) -> str:
    return "\t".join(
        (
            line.verdict, line.ticket, cell(line.path), line.rule, cell(exact(line.path, line.value)), line.change,
            iso(line.time) or "", cell(line.by), cell(line.partner),
        )
    )  # fmt: skip


def _rows(app: App, lines: Sequence[Line]) -> list[tuple[str, ...]]:
    """The fields of one item that one change wrote, and that share a fate, make one row."""
    grouped: dict[tuple[str, ...], list[Line]] = {}
    for line in lines:
        key = line.path.rpartition("/")[0] if line.path.count("/") == 2 else line.path
        grouped.setdefault((line.partner, line.verdict, line.ticket, key, line.rule, line.change), []).append(line)
    rows: list[tuple[str, ...]] = []
    for (partner, verdict, ticket, key, rule, _), found in grouped.items():
        kind, _, ident = key.partition("/")
        what = f"{kind} {ident[:SHORT_ID]}" if key != found[0].path else key
        said = sentences([Set(line.path, None, line.value) for line in found], app.zone)
        why = f"{rule}: {translate(RULES[rule])}"
        fate = translate("leaves") if verdict == LEAVES else translate("stays")
        rows.append((fate, ticket[:SHORT_ID], what, why, ", ".join(said), partner))
    return rows
