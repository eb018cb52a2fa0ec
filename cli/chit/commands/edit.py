"""`chit edit`."""

from typing import Any

import click

from chit import editor, fields
from chit.context import App
from chit.framework import command
from chit.language import translate
from chit.params import field_options, text_options, tickets_argument
from chit.selection import to_write
from chit.written import report
from chit_sync.authoring import Done, Edit, record
from chit_sync.errors import UsageError
from chit_sync.registers import Value
from chit_sync.schema import FIELDS
from chit_sync.ticket import Ticket


@command()
@tickets_argument
@click.option("--title", metavar="TEXT", help="A new title.")
@text_options
@field_options
def edit(
    app: App, tickets: tuple[str, ...], query: str | None, stdin: bool, every: bool, title: str | None,
    message: tuple[str, ...], file: str | None, labels: tuple[str, ...], custom: tuple[str, ...], **given: Any,
) -> None:  # fmt: skip
    """Change fields of tickets. Without any field an editor opens.

    -m and -F replace the description. An empty value clears a field.

    \b
    chit edit kzxt --priority critical --assignee @me
    chit edit --query "queue:printers" --queue hardware
    """
    wanted = fields.wanted(app, {"title": title, **given}, labels, custom)
    text = editor.given_text(message, file)
    if text is not None:
        wanted["description"] = text
    found = to_write(app, tickets, query, stdin, every)
    if wanted:
        results = _record(app, [Edit(ticket, wanted) for ticket in found])
    elif len(found) == 1:
        results = _in_editor(app, found[0])
    else:
        raise UsageError("no field named", "Give fields to change, or one ticket to edit in an editor.")
    report(app, results)


def _record(app: App, edits: list[Edit]) -> list[Done]:
    return record(app.store, edits, by=app.actor, command="edit", dry_run=app.options.dry_run)


def _in_editor(app: App, ticket: Ticket) -> list[Done]:
    """Writes what a person makes of the ticket in an editor. What is not in the buffer any more is cleared."""
    names = [*(field.name for field in FIELDS.values() if field.writer == "person" and field.type != "text")]
    names += [f"x.{name}" for name in ticket.custom]
    front = {name: fields.shown(app, name, ticket.value(name)) for name in names}
    front["labels"] = ", ".join(ticket.labels)
    old = ticket.text("description").strip("\n")
    help_text = translate("The description is below the second +++ line. Empty fields are cleared.")
    buffer, values, body = editor.edited(app, front, old, help_text, "a field to change")
    with editor.keeping(buffer):
        wanted = _read_back(app, ticket, values, front)
        if body != old:
            wanted["description"] = body or None
        return _record(app, [Edit(ticket, wanted)])


def _read_back(app: App, ticket: Ticket, values: dict[str, Any], front: dict[str, str | bool]) -> dict[str, Value]:
    labels = {name.strip() for name in str(values.pop("labels", "")).split(",") if name.strip()}
    wanted = fields.typed(app, values, {name: text for name, text in front.items() if name != "labels"})
    if "title" in wanted and not wanted["title"]:
        raise UsageError("the title is gone", "A ticket needs one line that says what it is about.")
    wanted |= {f"labels/{name}": True for name in labels - set(ticket.labels)}
    wanted |= {f"labels/{name}": None for name in set(ticket.labels) - labels}
    return wanted
