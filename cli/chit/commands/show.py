"""`chit show`."""

import click

from chit.context import App
from chit.framework import command
from chit.params import TICKET
from chit.selection import numbers
from chit_sync.store.reading import load_many


@command()
@click.argument("tickets", nargs=-1, type=TICKET)
@click.option("-Q", "--query", metavar="QUERY", help="All tickets that the query finds.")
@click.option("--stdin", is_flag=True, help="Read tickets from standard input, one a line.")
def show(app: App, tickets: tuple[str, ...], query: str | None, stdin: bool) -> None:
    """Show tickets whole: fields, conversation, attachments, links.

    \b
    chit show kzxt        any unique beginning of an id
    chit show 42          its number
    chit show origin#42   its number at a remote
    """
    from chit.pages import pages

    found = load_many(app.reading, numbers(app, tickets, query, stdin, every=True))
    if not app.several:
        app.output.one(found[0].record(), lambda: pages(app, found))
    else:
        app.output.many((ticket.record() for ticket in found), lambda: pages(app, found))
