"""`chit take`."""

from chit.context import App
from chit.framework import command
from chit.params import tickets_argument
from chit.selection import to_write
from chit.written import write
from chit_sync.authoring import Edit


@command()
@tickets_argument
def take(app: App, tickets: tuple[str, ...], query: str | None, stdin: bool, every: bool) -> None:
    """Assign tickets to yourself.

    \b
    chit take 42
    """
    write(
        app, [Edit(ticket, {"assignee": app.actor}) for ticket in to_write(app, tickets, query, stdin, every)], "take"
    )
