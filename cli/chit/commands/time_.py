"""`chit time`."""

import click

from chit.context import App
from chit.editor import given_text
from chit.entries import (
    ask,
    audience,
    audience_options,
    id_of,
    limited,
    list_options,
    listed,
    over_limit_option,
    show,
    shown_ids,
    told_note,
    who,
)  # fmt: skip
from chit.framework import group, subcommand
from chit.params import TICKET, text_options
from chit.selection import one
from chit.written import write
from chit_sync.authoring import Edit
from chit_sync.clock import HOUR
from chit_sync.errors import UsageError
from chit_sync.handoffs import get
from chit_sync.registers import Value
from chit_sync.store.making import new_item
from chit_sync.store.worked import Entry
from chit_sync.ticket import iso
from chit_sync.times import local, parse
from chit_sync.work import parse_span, refuse_time, spell_span, time_paths

_HEADERS = ("ID", "DATE", "TIME", "BY", "TICKET", "NOTE")


@group()
def time() -> None:
    """Record the time that work on tickets took."""


@subcommand(time)
@click.argument("ticket", type=TICKET)
@click.argument("span")
@text_options
@click.option("--date", "when", metavar="WHEN", help="When the work was done; now, unless you say otherwise.")
@audience_options
def add(
    app: App, ticket: str, span: str, message: tuple[str, ...], file: str | None, when: str | None, internal: bool, partner: str,
    over_limit: bool,
) -> None:  # fmt: skip
    """Record time that you worked on a ticket.

    SPAN is written like 1h30m, 90m, 1.5h or 1:30. Where the ticket was outsourced to you, the lead gets the entry too, unless it is
    internal.

    \b
    chit time add 42 1h30m -m "Replaced the fuser."
    chit time add 42 20m --date yesterday --internal
    """
    minutes, date, note = parse_span(span), _date(app, when), given_text(message, file) or ""
    found = one(app, ticket)
    handoff = audience(found, internal, partner, over_limit)
    if over_limit and handoff is not None and limited(handoff):
        reason = refuse_time(found, handoff, minutes)
        if reason:
            ask(app, found, handoff, reason, note, "time add")
            return
    paths = time_paths(new_item(app.store), minutes, date, note, "internal" if internal else "public")
    write(app, [Edit(found, paths, to=partner)], "time add")


@subcommand(time, "list")
@list_options
def list_(
    app: App,
    tickets: tuple[str, ...],
    query: str | None,
    stdin: bool,
    every: bool,
    since: str | None,
    until: str | None,
) -> None:
    """List time entries, the oldest first; of all tickets unless you name some.

    Piped, a line for each: id, date, minutes, author, ticket, visibility, note.

    \b
    chit time list 42
    chit time list --query organization:acme --all --since 2026-11 --until 2026-11
    """
    found = listed(app, "time", tickets, query, stdin, every, since, until)
    total = spell_span(sum(_minutes(entry) for entry in found))
    show(app, _HEADERS, [_record(entry) for entry in found], [_row(app, entry) for entry in found], [total])
    if not found:
        app.say("no time is recorded")


@subcommand(time)
@click.argument("ticket", type=TICKET)
@click.argument("entry")
@click.argument("span", required=False)
@text_options
@click.option("--date", "when", metavar="WHEN", help="When the work was done.")
@over_limit_option
def edit(
    app: App, ticket: str, entry: str, span: str | None, message: tuple[str, ...], file: str | None, when: str | None,
    over_limit: bool,
) -> None:  # fmt: skip
    """Correct a time entry: its span, its note or its date.

    ENTRY is the beginning of its id. An empty note takes the note away.

    \b
    chit time edit 42 kzxt 2h
    chit time edit 42 kzxt -m "Replaced the fuser and the roller." --date monday
    """
    note = given_text(message, file)
    wanted: dict[str, Value] = {}
    if span is not None:
        wanted["minutes"] = parse_span(span)
    if note is not None:
        wanted["note"] = note if note.strip() else None
    if when is not None:
        wanted["date"] = _date(app, when)
    if not wanted:
        raise UsageError("nothing to change was given", "Give a span, -m, -F or --date.")
    found = one(app, ticket)
    ident = id_of(found, "time", entry)
    handoff = get(found.handoffs, next(time.to for time in found.times if time.id == ident))
    if over_limit and span is not None and handoff is not None and limited(handoff):
        reason = refuse_time(found, handoff, parse_span(span), replaces=ident)
        if reason:
            ask(app, found, handoff, reason, note or "", "time edit")
            return
    write(app, [Edit(found, {f"time/{ident}/{name}": value for name, value in wanted.items()})], "time edit")


@subcommand(time)
@click.argument("ticket", type=TICKET)
@click.argument("entries", nargs=-1, required=True, metavar="ENTRY…")
def rm(app: App, ticket: str, entries: tuple[str, ...]) -> None:
    """Delete time entries; `chit undo` takes that back.

    \b
    chit time rm 42 kzxt
    """
    found = one(app, ticket)
    write(app, [Edit(found, {f"time/{id_of(found, 'time', entry)}/deleted": True for entry in entries})], "time rm")


def _date(app: App, when: str | None) -> int:
    """When the work was done."""
    if when is None:
        return app.now
    given = parse(when, app.now, app.zone)
    if given.start > app.now:
        raise UsageError(f"{when!r} is still to come", "Time is recorded for work that was done.")
    # Noon of a day is on that day for a partner in the next time zones too.
    return min(given.start + 12 * HOUR, app.now) if given.days else given.start


def _minutes(entry: Entry) -> int:
    return int(entry.values.get("minutes", 0))


def _row(app: App, entry: Entry) -> tuple[str, ...]:
    ident, ticket = shown_ids(app, entry.id, entry.ticket)
    note = told_note(app, entry.values)
    if app.terminal:
        date, span = local(entry.time, app.zone)[:10], spell_span(_minutes(entry))
        return ident, date, span, who(app, entry.author), ticket, note
    visibility = entry.values.get("visibility", "public")
    return ident, iso(entry.time) or "", str(_minutes(entry)), entry.author, ticket, visibility, note


def _record(entry: Entry) -> dict[str, object]:
    return {
        "schema": "chit.time/1",
        "id": entry.id,
        "ticket": entry.ticket,
        "author": entry.author,
        "date": iso(entry.time),
        "minutes": _minutes(entry),
        "note": entry.values.get("note", ""),
        "visibility": entry.values.get("visibility", "public"),
        "to": entry.values.get("to"),
        "held": entry.values.get("held"),
    }
