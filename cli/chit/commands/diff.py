"""`chit diff`."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from chit.commands.log import lines, story
from chit.context import App
from chit.errors import DIFFERENT
from chit.framework import command
from chit.params import TICKET
from chit_sync.store import leaving, partners, remotes
from chit_sync.store.history import Event, unsent
from chit_sync.store.reading import find

if TYPE_CHECKING:
    from chit_sync.store.partners import Partner


@command()
@click.argument("ticket", required=False, type=TICKET)
@click.option("--exit-code", is_flag=True, help="End with 10 if there is anything.")
def diff(app: App, ticket: str | None, exit_code: bool) -> int:
    """Show what has not been sent yet.

    To the default remote, or with --remote NAME to another; without any remote that is everything. Piped, the same lines as
    `chit log`.

    Where NAME is a partner, or its store, it is shown line by line what would leave for it, what stays of what was written since it was
    sent something last, and by which rule. Piped: verdict, ticket, field, rule, value, change, time, author, partner. `chit why` says
    more of each.

    \b
    chit diff
    chit diff 42 --remote acme
    """
    store = app.reading
    number = find(store, ticket) if ticket is not None else None
    readers = leaving.readers(store, app.options.remote) if partners.any_here(store) else []
    if readers:
        return _preview(app, readers, number, exit_code)
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


def _preview(app: App, readers: "Sequence[Partner]", number: int | None, exit_code: bool) -> int:
    """The same for partners."""
    from chit import preview

    lines = preview.lines_for(app, readers, None if number is None else [number])
    if app.output.structured:
        app.output.many(preview.records(lines), str)
    else:
        preview.show(app, lines)
    return DIFFERENT if exit_code and preview.leaves(lines) else 0
