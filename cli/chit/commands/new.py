"""`chit new`."""

from typing import Any

import click

from chit import editor, fields
from chit.context import App
from chit.framework import command
from chit.language import translate
from chit.params import field_options, text_options
from chit.written import report
from chit_sync import schema
from chit_sync.authoring import Edit, attach_file, record
from chit_sync.registers import Value


@command()
@text_options
@click.option("--title", metavar="TEXT", help="The title; else it is the first line of the text.")
@field_options
@click.option("--attach", "files", multiple=True, metavar="FILE", help="Attach a file.")
def new(
    app: App, message: tuple[str, ...], file: str | None, title: str | None, files: tuple[str, ...],
    labels: tuple[str, ...], custom: tuple[str, ...], **given: Any,
) -> None:  # fmt: skip
    """Write a new ticket.

    The first line of the text is the title, the rest the description. Without -m, -F or --title an editor opens.

    \b
    chit new -m "Printer on fire" -p high -l printer
    chit new --title "Disk full" -F - < report.txt
    """
    wanted = fields.wanted(app, given, labels, custom)
    text = editor.given_text(message, file)
    buffer = ""
    front: dict[str, Any] = {}
    values: dict[str, Any] = {}
    if text is None and title is None:
        front = _front(app, wanted)
        buffer, values, text = editor.edited(app, front, "", _help(), "-m, -F or --title")
        title = str(values.get("title", "")).strip()
    if title is None:
        title, _, text = (text or "").partition("\n")
    with editor.keeping(buffer):
        paths: dict[str, Value] = {
            "title": fields.parse(app, "title", title),
            "status": _first_status(app),
            "priority": schema.DEFAULT_PRIORITY,
            **wanted,
            **fields.typed(app, values, front),
        }
        if text and text.strip():
            paths["description"] = text.strip("\n")
        for name in files:
            paths |= attach_file(app.store, name, dry_run=app.options.dry_run)
        results = record(app.store, [Edit(None, paths)], by=app.actor, command="new", dry_run=app.options.dry_run)
    report(app, results)


def _first_status(app: App) -> str:
    return next((name for name, category in app.store.statuses.items() if category == "new"), "new")


def _front(app: App, wanted: dict[str, Value]) -> dict[str, Any]:
    """The fields that the editor starts with."""
    given = {"priority": schema.DEFAULT_PRIORITY, **wanted}
    return {"title": "", **{name: fields.shown(app, name, value) for name, value in given.items() if "/" not in name}}


def _help() -> str:
    levels = "\n".join(f"  {choice.name:<9} {translate(choice.help)}" for choice in schema.PRIORITIES)
    how = "Fill in the title; the description goes below the second +++ line. Any field may be added.\nPriorities:\n{levels}"
    return translate(how, levels=levels)
