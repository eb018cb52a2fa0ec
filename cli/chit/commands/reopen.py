"""`chit reopen`."""

import click

from chit import editor
from chit.context import App
from chit.framework import command
from chit.params import text_options, tickets_argument
from chit.selection import to_write
from chit.statuses import status_of
from chit.written import write
from chit_sync.authoring import Edit, comment_paths
from chit_sync.registers import Value
from chit_sync.schema import OPEN_CATEGORIES
from chit_sync.store.making import new_item


@command()
@tickets_argument
@text_options
@click.option("--status", metavar="STATUS", help="A status that means open; the first of category open if not given.")
def reopen(
    app: App, tickets: tuple[str, ...], query: str | None, stdin: bool, every: bool, message: tuple[str, ...],
    file: str | None, status: str | None,
) -> None:  # fmt: skip
    """Open closed tickets again.

    Deleted and merged ones are brought back. With -m or -F a comment goes along.

    \b
    chit reopen 42 -m "It burns again."
    """
    name = status_of(app, status, "open", OPEN_CATEGORIES)
    text = editor.given_text(message, file)
    edits = []
    for ticket in to_write(app, tickets, query, stdin, every):
        paths: dict[str, Value] = {"deleted": None, "merged": None}
        if ticket.category not in OPEN_CATEGORIES or status is not None:
            paths["status"] = name
        if text is not None:
            paths |= comment_paths(new_item(app.store), text, "public")
        edits.append(Edit(ticket, paths))
    write(app, edits, "reopen")
