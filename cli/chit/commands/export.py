"""`chit export`."""

import os
import sys

import click

from chit.context import App
from chit.exchanging import Progress
from chit.framework import command
from chit.text import counted
from chit_sync.errors import ConflictError
from chit_sync.transfer.exporting import Exported
from chit_sync.transfer.exporting import export as write_export


@command()
@click.argument("file", required=False, default="-", type=click.Path(), metavar="[FILE]")
@click.option("--no-attachments", is_flag=True, help="Leave the bytes of attachments out.")
@click.option("--force", is_flag=True, help="FILE may replace one that is there.")
def export(app: App, file: str, no_attachments: bool, force: bool) -> None:
    """Write the whole store as JSON Lines.

    \b
    chit export desk.jsonl.gz
    chit export --jsonl | chit -C copy import -

    Every change as it is, with its history, and the bytes of attachments; packed if the name ends in .gz. `chit import` makes the
    same store of it again. Without FILE, or with -, it goes to standard output; there --json prints the counts alone.
    """
    to_stdout = file == "-"
    counts_only = app.options.dry_run or (to_stdout and app.output.structured and not app.options.jsonl)
    if not to_stdout and os.path.exists(file) and not force:
        raise ConflictError(f"{file} is there already", "Give another name, or --force.")
    if counts_only:
        with open(os.devnull, "wb") as nowhere:
            done = write_export(app.reading, nowhere, attachments=not no_attachments)
    else:
        sys.stdout.flush()
        with Progress(app, "export") as progress:
            done = write_export(
                app.reading, sys.stdout.buffer if to_stdout else file, attachments=not no_attachments, progress=progress
            )
        if to_stdout:
            sys.stdout.buffer.flush()
    if counts_only or not to_stdout:
        record = {"schema": "chit.exported/1", "path": None if to_stdout else file, **done._asdict()}
        app.output.one(record, lambda: "" if to_stdout else file)
    _say(app, file, done)


def _say(app: App, file: str, done: Exported) -> None:
    what = f"{counted(done.changes, 'change')} and {counted(done.attachments, 'attachment')}"
    if app.options.dry_run:
        app.say(f"would write {what}")
    elif file != "-":
        app.say(f"wrote {what} to {file}")
    if done.missing:
        app.say(
            f"warning: the bytes of {counted(done.missing, 'attachment')} are not in this store; "
            "`chit pull --attachments` brings them"
        )
