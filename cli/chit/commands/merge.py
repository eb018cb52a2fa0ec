"""`chit merge`."""

import click

from chit.context import App
from chit.framework import command
from chit.params import tickets_argument
from chit.selection import one, to_write
from chit.statuses import status_of
from chit.written import write
from chit_sync.authoring import merged


@command()
@click.option("--into", required=True, metavar="TICKET", help="The ticket that stays.")
@tickets_argument
def merge(app: App, into: str, tickets: tuple[str, ...], query: str | None, stdin: bool, every: bool) -> None:
    """Merge tickets into one.

    Each is closed and points to the ticket that stays; its comments stay with it and its labels go along.

    \b
    chit merge 43 44 --into 42
    """
    target = one(app, into)
    closed = status_of(app, None, "closed", ("closed",))
    edits = merged(to_write(app, tickets, query, stdin, every), target, closed)
    app.several = True
    write(app, edits, "merge")
