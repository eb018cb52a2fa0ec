"""`chit delete`."""

from chit.context import App
from chit.framework import command
from chit.params import tickets_argument
from chit.selection import to_write
from chit.written import write
from chit_sync.authoring import Edit


@command()
@tickets_argument
def delete(app: App, tickets: tuple[str, ...], query: str | None, stdin: bool, every: bool) -> None:
    """Delete tickets; they can be brought back.

    A deleted ticket leaves the lists, but not the log: `chit reopen` brings it back, `chit list is:deleted` finds it.

    \b
    chit delete 42
    """
    edits = [Edit(ticket, {"deleted": True}) for ticket in to_write(app, tickets, query, stdin, every)]
    write(app, edits, "delete", "`chit undo` takes that back")
