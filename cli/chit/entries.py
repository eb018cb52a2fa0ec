"""What `time` and `charge` have in common: whom an entry is for, finding one by the beginning of its id, and lists of them."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from chit.context import App
from chit.language import translate
from chit.output import Record, aligned, columns
from chit.params import tickets_argument
from chit.selection import numbers
from chit.text import SHORT_ID, shorten
from chit.written import write
from chit_sync.authoring import Edit
from chit_sync.errors import AmbiguousError, NotFoundError, UsageError
from chit_sync.handoffs import SERVICE, Handoff
from chit_sync.store.making import new_item
from chit_sync.store.worked import Entry, entries
from chit_sync.ticket import Ticket
from chit_sync.times import parse
from chit_sync.work import receiving

Function = TypeVar("Function", bound=Callable[..., Any])

_AMOUNTS = 2
"""The column of a list that has the spans or amounts."""


def over_limit_option(function: Function) -> Function:
    """--over-limit"""
    return click.option(
        "--over-limit", is_flag=True, help="Where it is more than the lead has authorised, ask the lead instead."
    )(function)


def audience_options(function: Function) -> Function:
    """--internal, --to and --over-limit: whom a new entry is for."""
    for decorate in (
        over_limit_option,
        click.option(
            "--to", "partner", default="", metavar="PARTNER", help="For this partner, where there are several."
        ),
        click.option("-i", "--internal", is_flag=True, help="Only the own organisation sees it."),
    ):
        function = decorate(function)
    return function


def audience(ticket: Ticket, internal: bool, partner: str, over_limit: bool) -> Handoff | None:
    """The handoff that a new entry is for. Raises UsageError, NotFoundError."""
    if internal and (partner or over_limit):
        flag = "--to" if partner else "--over-limit"
        raise UsageError(f"--internal and {flag} contradict each other", "What is internal is for no partner.")
    return None if internal else receiving(ticket.handoffs, partner)


def limited(handoff: Handoff | None) -> bool:
    """Whether the handoff limits what we may record: only a service partner's work is limited."""
    return handoff is not None and handoff.role == SERVICE


def ask(app: App, ticket: Ticket, handoff: Handoff, reason: str, note: str, command: str) -> None:
    """Asks the lead of a handoff for more than it has authorised, instead of recording it."""
    body = f"{reason}. May it be recorded?" + (f"\n\n{note.strip()}" if note.strip() else "")
    edit = Edit(ticket, {f"question/{new_item(app.store)}/body": body}, to=handoff.partner)
    write(app, [edit], command, next_step="the lead is asked; nothing is recorded until it authorises more")


def id_of(ticket: Ticket, kind: str, prefix: str) -> str:
    """The id of the ticket's one entry of that kind whose id begins so. Raises NotFoundError, AmbiguousError."""
    live = ticket.times if kind == "time" else ticket.charges
    found = [one.id for one in live if prefix and one.id.startswith(prefix)]
    if len(found) == 1:
        return found[0]
    where = ticket.id[:SHORT_ID]
    if not found:
        hint = f"`chit {kind} list {where}` names them."
        if kind == "time":
            raise NotFoundError(f"no time entry {prefix!r} in {where}", hint)
        raise NotFoundError(f"no charge {prefix!r} in {where}", hint)
    raise AmbiguousError(f"{prefix} could be {len(found)} of the entries of {where}", found, "Type more letters.")


def list_options(function: Function) -> Function:
    """Which entries a list has: of some tickets, or of all; between two times."""
    for decorate in (
        click.option("--until", metavar="WHEN", help="Only until then; of a date, the whole day."),
        click.option("--since", metavar="WHEN", help="Only from then on."),
        tickets_argument,
    ):
        function = decorate(function)
    return function


def listed(
    app: App, kind: str, tickets: Sequence[str], query: str | None, stdin: bool, every: bool, since: str | None, until: str | None,
) -> list[Entry]:  # fmt: skip
    """The entries that a list is to have, the oldest first; those of all tickets where none is named."""
    start = None if since is None else parse(since, app.now, app.zone).start
    end = None if until is None else parse(until, app.now, app.zone).end
    if start is not None and end is not None and start >= end:
        raise UsageError(f"--since {since} is after --until {until}", "Nothing can lie between them.")
    wanted = numbers(app, tickets, query, stdin, every) if tickets or query is not None or stdin else None
    return entries(app.reading, kind, wanted, start, end)


def show(
    app: App, headers: Sequence[str], records: Sequence[Record], rows: Sequence[Sequence[str]], totals: Sequence[str]
) -> None:
    """Prints a list: records for a program, lines for a pipe, a table with its totals for a person. The last column gives way."""

    def table() -> str:
        if not rows:
            return ""
        if not app.terminal:
            return app.output.table(headers, rows)
        widest = max(len(row[_AMOUNTS]) for row in rows)
        widest = max(widest, *map(len, totals))
        empty = [""] * (len(headers) - _AMOUNTS - 1)
        lines = [
            *([*row[:_AMOUNTS], row[_AMOUNTS].rjust(widest), *row[_AMOUNTS + 1 :]] for row in rows),
            *(["", translate("total"), total.rjust(widest), *empty] for total in totals),
        ]
        return aligned([*map(translate, headers)], lines, app.colored, columns())

    app.output.many(records, table)


def told_note(app: App, values: Record) -> str:
    """The note of an entry: whole for a program, in one line for a person, who is told too if it is internal."""
    note = str(values.get("note", ""))
    if not app.terminal:
        return note
    seen = values.get("visibility", "public")
    return " ".join(([f"({seen})"] if seen == "internal" else []) + note.split())


def shown_ids(app: App, *idents: str) -> list[str]:
    """Ids whole for a program, short for a person."""
    return [ident[:SHORT_ID] if app.terminal else ident for ident in idents]


def who(app: App, author: str) -> str:
    """An author; a long name is shortened for a person, so that there is room for the note."""
    return shorten(author, 20) if app.terminal else author
