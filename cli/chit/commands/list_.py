"""`chit list`."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import click

from chit.context import App
from chit.errors import DIFFERENT
from chit.framework import command
from chit.language import translate
from chit.output import Record, aligned, columns, plain
from chit.text import SHORT_ID, ago, cell, shorten, width
from chit_sync.errors import UsageError
from chit_sync.query import listing
from chit_sync.schema import PRIORITIES
from chit_sync.store.reading import called, load_many
from chit_sync.ticket import iso

COLUMNS = ("id", "number", "priority", "status", "assignee", "queue", "updated", "title")
"""The columns of tab-separated output, in this order, for good."""

PRIORITY_STYLES = ("bold red", "yellow", "", "dim", "dim")
"""By priority, the most urgent first."""

_PRIORITY_NAMES = [choice.name for choice in PRIORITIES]
_AT_ONCE = 500
_NAME = 20


@command("list")
@click.argument("query", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Closed ones too.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help="At most N; on a terminal 50 unless you say otherwise, 0 for all.",
)
@click.option("--offset", type=click.IntRange(min=0), default=0, metavar="N", help="Leave out the first N.")
@click.option(
    "--sort", metavar="FIELD", help="Sort by FIELD; -FIELD turns it round. Without it: priority, then the latest first."
)
@click.option("--count", is_flag=True, help="Print how many there are, nothing else.")
@click.option("--style", metavar="STYLE", help="A table to paste elsewhere: github, simple, html, latex, …")
@click.option("--exit-code", is_flag=True, help="End with 10 if there are any.")
def list_(
    app: App, query: tuple[str, ...], every: bool, limit: int | None, offset: int, sort: str | None, count: bool,
    style: str | None, exit_code: bool,
) -> int:  # fmt: skip
    """List tickets, the most urgent first.

    \b
    chit list                                   what is open
    chit list status:open assignee:@me          see `chit help queries`
    chit list NOT assignee:none due:..7d "disk full"
    """
    text = " ".join(query)
    me, now, zone = app.actor if text else "", app.now, app.zone
    if limit is None:
        limit = int(app.config.get("list.limit")) if app.terminal and not app.output.structured else 0
    if not (limit or offset or count or style or app.terminal or app.output.structured):
        rows = listing.rows(app.reading, text, me=me, now=now, tz=zone, all_states=every, sort=sort)
        found_any = app.output.lines(_lines(app, rows))
        return DIFFERENT if exit_code and found_any else 0
    found = listing.page(
        app.reading, text, me=me, now=now, tz=zone, limit=1 if count else limit or None, offset=0 if count else offset,
        all_states=every, sort=sort,
    )  # fmt: skip
    if count:
        total = found.total
        if total is None:
            total = len(listing.numbers(app.reading, text, me=me, now=now, tz=zone, all_states=every))
        app.output.one({"schema": "chit.count/1", "count": total}, lambda: str(total))
        return DIFFERENT if exit_code and total else 0
    if style:
        app.output.page(_styled(found.rows, style))
    elif app.output.structured:
        app.output.many(_records(app, found.rows), str)
    elif app.terminal:
        app.output.page(_table(app, found.rows, called(app.reading, [row.num for row in found.rows])))
        _remark(app, len(found.rows), found.total, offset)
    else:
        app.output.lines(_lines(app, iter(found.rows)))
    return DIFFERENT if exit_code and found.rows else 0


def _lines(app: App, rows: Iterator[listing.Row]) -> Iterator[str]:
    """The rows as tab-separated text; there may be a hundred thousand, so each is looked at as little as can be."""
    known: dict[str | None, str] = {None: ""}
    """Names that were spelled already: there are few, in many rows."""

    def name(text: str | None) -> str:
        spelled = known.get(text)
        if spelled is None:
            spelled = known[text] = cell(text or "")
        return spelled

    while part := list(islice(rows, _AT_ONCE)):
        numbers = called(app.reading, [row.num for row in part])
        for num, ident, title, status, priority, assignee, queue, _, updated in part:
            yield (
                f"{ident}\t{numbers.get(num, '')}\t{_PRIORITY_NAMES[priority - 1]}\t{name(status)}\t{name(assignee)}\t"
                f"{name(queue)}\t{iso(updated)}\t{cell(title or '')}"
            )


def _cells(app: App, row: listing.Row, number: int | None) -> tuple[str, ...]:
    title = row.title or translate("(no title)")
    return (
        row.id[:SHORT_ID], str(number or ""), _PRIORITY_NAMES[row.priority - 1], shorten(row.status or "", _NAME),
        shorten(row.assignee or "", _NAME), ago(row.updated, app.now), f"! {title}" if row.emergency else title,
    )  # fmt: skip


_HEADERS = ("ID", "NO", "PRIORITY", "STATUS", "ASSIGNEE", "UPDATED", "TITLE")
_CAN_GO = ("UPDATED", "ASSIGNEE", "STATUS", "NO", "PRIORITY")
"""The columns that a narrow screen does without, in this order, so that there is room for the title."""

_LEAST_TITLE = 20


def _table(app: App, rows: Sequence[listing.Row], numbers: Mapping[int, int]) -> str:
    if not rows:
        return ""
    styles = [PRIORITY_STYLES[row.priority - 1] for row in rows]
    cells = [tuple(map(translate, _HEADERS)), *(_cells(app, row, numbers.get(row.num)) for row in rows)]
    screen = columns()
    for heading in _CAN_GO:
        wide = sum(max(map(width, column)) + 2 for column in list(zip(*cells, strict=True))[:-1])
        if wide + _LEAST_TITLE <= screen:
            break
        place = cells[0].index(translate(heading))
        cells = [(*line[:place], *line[place + 1 :]) for line in cells]
    return aligned(cells[0], cells[1:], app.colored, screen, styles=styles)


def _remark(app: App, shown: int, total: int | None, offset: int) -> None:
    """A list is never cut silently."""
    if not shown:
        app.say("nothing found")
    elif total is None:
        app.say(f"{shown} shown, there are more: --limit 0 shows all")
    elif shown + offset < total:
        app.say(f"{shown} of {total}: --limit 0 shows all")


def _styled(rows: Sequence[listing.Row], style: str) -> str:
    from tabulate import tabulate, tabulate_formats

    if style not in tabulate_formats:
        raise UsageError(f"there is no table style {style!r}", f"There are: {', '.join(tabulate_formats)}.")
    cells = [
        [
            plain(value)
            for value in (row.id[:SHORT_ID], _PRIORITY_NAMES[row.priority - 1], row.status, row.assignee, row.title)
        ]
        for row in rows
    ]
    return tabulate(cells, ["id", "priority", "status", "assignee", "title"], style, disable_numparse=True)


def _records(app: App, rows: Sequence[listing.Row]) -> Iterator[Record]:
    for start in range(0, len(rows), _AT_ONCE):
        for ticket in load_many(app.reading, [row.num for row in rows[start : start + _AT_ONCE]]):
            yield ticket.record()
