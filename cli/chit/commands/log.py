"""`chit log`."""

from collections.abc import Iterable

import click

from chit.context import App
from chit.framework import command
from chit.params import TICKET
from chit.text import SHORT_ID, cell, clean, paint
from chit.wording import exact, sentences
from chit_sync.store.history import Event, latest, of_ticket
from chit_sync.store.reading import find
from chit_sync.ticket import iso


@command()
@click.argument("ticket", required=False, type=TICKET)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The last N changes only.")
def log(app: App, ticket: str | None, limit: int | None) -> None:
    """Show who changed what, from what to what.

    With a ticket its whole history, the earliest first; without one everything that happened here, the latest first.

    Piped, a line for every field that changed: change, ticket, time, author, field, old value, new value.

    \b
    chit log --limit 20        what happened here last
    chit log 42                the whole history of a ticket
    """
    store = app.reading
    events: Iterable[Event]
    if ticket is not None:
        found = of_ticket(store, find(store, ticket))
        events = found[-limit:] if limit else found
    else:
        if limit is None and app.terminal:
            limit = 200
        events = latest(store, limit)
    if app.output.structured:
        app.output.many((event.record() for event in events), str)
    elif app.terminal:
        app.output.page("\n".join(story(app, event, titled=ticket is None) for event in events))
    else:
        app.output.lines(line for event in events for line in lines(event))


def lines(event: Event) -> Iterable[str]:
    """An event as tab-separated lines, one a path."""
    for step in event.steps:
        values = (cell(exact(step.path, value)) for value in (step.old, step.new))
        yield "\t".join((event.id, event.ticket, iso(event.time) or "", cell(event.by), cell(step.path), *values))


def story(app: App, event: Event, *, titled: bool) -> str:
    """An event for a person."""
    from chit_sync.times import local

    head = f"{local(event.time, app.zone)}  {clean(event.by)}"
    if titled:
        head = f"{event.ticket[:SHORT_ID]}  {head}  {clean(event.title)}"
    if app.colored:
        head = paint(head, "bold")
    return "\n".join([head, *(f"    {line}" for line in sentences(event.steps, app.zone)), ""])
