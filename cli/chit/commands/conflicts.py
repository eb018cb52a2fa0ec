"""`chit conflicts`."""

import click

from chit.context import App
from chit.errors import CONFLICT
from chit.framework import command
from chit.text import SHORT_ID
from chit.wording import exact, readable
from chit_sync.store.reading import in_conflict
from chit_sync.ticket import Conflict, Ticket


@command()
@click.option("--exit-code", is_flag=True, help="End with 5 if there are any.")
def conflicts(app: App, exit_code: bool) -> int:
    """List what was written twice.

    By people who did not see each other's writing, that is. `chit resolve` decides.

    Piped: ticket, field, the value that is shown, the other values.
    """
    found = in_conflict(app.reading)
    if app.output.structured:
        app.output.many([record for ticket in found for record in records(ticket)], str)
    else:
        rows = [
            (
                ticket.id[:SHORT_ID] if app.terminal else ticket.id,
                conflict.path,
                *_values(app, conflict),
            )
            for ticket in found
            for conflict in ticket.conflicts
        ]
        if rows:
            app.output.page(app.output.table(("TICKET", "FIELD", "SHOWN", "THE OTHER"), rows))
            app.say("`chit resolve TICKET` decides")
        else:
            app.say("no conflicts")
    return CONFLICT if exit_code and found else 0


def records(ticket: Ticket) -> list[dict[str, object]]:
    """The ticket's conflicts as `chit.conflict/1`."""
    return [{"schema": "chit.conflict/1", "ticket": ticket.id, **conflict.record()} for conflict in ticket.conflicts]


def _values(app: App, conflict: Conflict) -> list[str]:
    """The value that is shown, and the others: side by side for a program, in one column for a person."""
    values = [conflict.shown, *conflict.others]
    if not app.terminal:
        return [exact(conflict.path, value) for value in values]
    shown, *others = (readable(conflict.path, value, app.zone) for value in values)
    return [shown, ", ".join(others)]
