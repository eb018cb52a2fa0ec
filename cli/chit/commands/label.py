"""`chit label`."""

import click

from chit import fields
from chit.context import App
from chit.framework import command
from chit.params import tickets_argument
from chit.selection import to_write
from chit.written import write
from chit_sync.authoring import Edit
from chit_sync.errors import UsageError


@command()
@tickets_argument
@click.option("-l", "--add", "added", multiple=True, metavar="LABEL", help="Put this label on.")
@click.option("-r", "--remove", "removed", multiple=True, metavar="LABEL", help="Take this label off.")
def label(
    app: App, tickets: tuple[str, ...], query: str | None, stdin: bool, every: bool,
    added: tuple[str, ...], removed: tuple[str, ...],
) -> None:  # fmt: skip
    """Put labels on tickets or take them off.

    \b
    chit label 42 -l printer -l urgent -r new
    """
    if not added and not removed:
        raise UsageError("no label named", "Give --add LABEL or --remove LABEL.")
    wanted = fields.wanted(app, {}, [*added, *(f"-{name}" for name in removed)], ())
    write(app, [Edit(ticket, wanted) for ticket in to_write(app, tickets, query, stdin, every)], "label")
