"""`chit undo`."""

from chit.context import App
from chit.framework import command
from chit.text import counted
from chit_sync.store.undo import undo as take_back
from chit_sync.ticket import iso


@command()
def undo(app: App) -> None:
    """Take back the last thing done here that was not sent yet. Again for the one before.

    What was pushed, or pulled by somebody, cannot be taken back: do the opposite instead.
    """
    undone = take_back(app.store, dry_run=app.options.dry_run)
    if undone is None:
        if app.output.structured:
            app.output.many([], str)
        app.say("nothing to undo")
        return
    record = {
        "schema": "chit.undone/1",
        "command": undone.command,
        "time": iso(undone.time),
        "changes": undone.changes,
        "tickets": [ticket.id for ticket in undone.tickets],
    }
    if app.output.structured:
        app.output.one(record, str)
        return
    app.output.lines(ticket.id for ticket in undone.tickets)
    would = "would take back" if app.options.dry_run else "took back"
    app.say(
        f"{would} `{undone.command}`: {counted(undone.changes, 'change')} of {counted(len(undone.tickets), 'ticket')}"
    )
