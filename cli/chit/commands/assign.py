"""`chit assign`."""

import click

from chit import fields
from chit.context import App
from chit.framework import command
from chit.params import tickets_argument
from chit.selection import to_write
from chit.written import write
from chit_sync.authoring import Edit


@command()
@click.option("--to", "person", required=True, metavar="PERSON", help="Who works on them; @me is you, none is nobody.")
@tickets_argument
def assign(app: App, person: str, tickets: tuple[str, ...], query: str | None, stdin: bool, every: bool) -> None:
    """Say who works on tickets.

    \b
    chit assign 42 43 --to anna
    chit assign 42 --to none
    """
    value = fields.parse(app, "assignee", person)
    write(app, [Edit(ticket, {"assignee": value}) for ticket in to_write(app, tickets, query, stdin, every)], "assign")
