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
from chit_sync.errors import ChitError, UsageError
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
    if text is None and title is None:
        buffer, title, text, wanted = _from_editor(app, wanted)
    if title is None:
        title, _, text = (text or "").partition("\n")
    paths: dict[str, Value] = {
        "title": fields.parse(app, "title", title),
        "status": _first_status(app),
        "priority": schema.DEFAULT_PRIORITY,
        **wanted,
    }
    if text and text.strip():
        paths["description"] = text.strip("\n")
    try:
        for name in files:
            paths |= attach_file(app.store, name, dry_run=app.options.dry_run)
        results = record(app.store, [Edit(None, paths)], by=app.actor, command="new", dry_run=app.options.dry_run)
    except ChitError as error:
        if buffer:
            error.hint = f"{error.hint} {editor.kept(buffer)}".strip()
        raise
    if buffer:
        editor.discard(buffer)
    report(app, results)


def _first_status(app: App) -> str:
    return next((name for name, category in app.store.statuses.items() if category == "new"), "new")


def _from_editor(app: App, wanted: dict[str, Value]) -> tuple[str, str, str, dict[str, Value]]:
    """(buffer, title, text, fields) from the editor."""
    given = {"priority": schema.DEFAULT_PRIORITY, **wanted}
    front = {"title": "", **{name: fields.shown(app, name, value) for name, value in given.items() if "/" not in name}}
    levels = "\n".join(f"  {choice.name:<9} {translate(choice.help)}" for choice in schema.PRIORITIES)
    how = "Fill in the title; the description goes below the second +++ line. Any field may be added.\nPriorities:\n{levels}"
    help_text = translate(how, levels=levels)
    buffer, values, body = editor.edited(app, front, "", help_text, "-m, -F or --title")
    title = str(values.get("title", "")).strip()
    if not title:
        raise UsageError("the title is empty", editor.kept(buffer))
    try:
        typed = fields.typed(app, values, front)
    except ChitError as error:
        error.hint = f"{error.hint} {editor.kept(buffer)}".strip()
        raise
    return buffer, title, body, {**wanted, **typed, "title": title}
