"""`chit diff`."""

from collections.abc import Iterable

import click

from chit.commands.log import lines, story
from chit.context import App
from chit.errors import DIFFERENT
from chit.framework import command
from chit.params import TICKET
from chit_sync.store import remotes
from chit_sync.store.history import Event, unsent
from chit_sync.store.reading import find


@command()
@click.argument("ticket", required=False, type=TICKET)
@click.option("--exit-code", is_flag=True, help="End with 10 if there is anything.")
def diff(app: App, ticket: str | None, exit_code: bool) -> int:
    """Show what has not been sent yet.

    To the default remote, or with --remote NAME to another; without any remote that is everything. Piped, the same lines as
    `chit log`.

    \b
    chit diff
    chit diff 42 --remote partner
    """
    store = app.reading
    number = find(store, ticket) if ticket is not None else None
    remote = remotes.get(store, app.options.remote) if app.options.remote or remotes.listing(store) else None
    events: Iterable[Event] = unsent(store, remote, number)
    found = False

    def noticed() -> Iterable[Event]:
        nonlocal found
        for event in events:
            found = True
            yield event

    if app.output.structured:
        app.output.many((event.record() for event in noticed()), str)
    elif app.terminal:
        app.output.page("\n".join(story(app, event, titled=True) for event in noticed()))
    else:
        app.output.lines(line for event in noticed() for line in lines(event))
    return DIFFERENT if exit_code and found else 0
