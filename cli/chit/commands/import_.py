"""`chit import`."""

import sys
from io import BufferedReader
from typing import Any

import click

from chit.context import App
from chit.exchanging import Progress
from chit.framework import command
from chit.language import translate
from chit.text import counted
from chit_sync.errors import PartialError, UsageError
from chit_sync.transfer.report import Imported

SHOWN = 50
"""Most failures that are listed as messages; --json has all."""


@command("import")
@click.argument("file", type=click.Path())
@click.option("--map", "mapping", metavar="MAP", help="The map: a TOML file, or the name of one that comes with chit.")
@click.option("--source", metavar="NAME", help="Where the tickets come from, if not what the map says.")
@click.option("--zone", metavar="ZONE", help="The time zone of times without one, as Europe/Berlin.")
def import_(app: App, file: str, mapping: str | None, source: str | None, zone: str | None) -> None:
    """Read an export, or any CSV or JSON Lines through a map.

    \b
    chit import desk.jsonl.gz
    chit import incidents.csv.gz --map servicenow-incidents --zone Europe/Berlin
    chit import issues.jsonl --map beads
    chit import tickets.csv --map my-map.toml --dry-run

    A map says which column is which field, when and by whom things happened, and what words mean. A row that does not fit is named by
    its line, the rest goes in (exit code 8). Importing a file again, or a longer one, adds only what is new. `chit undo` takes an
    import back. docs/import.md describes maps.
    """
    given: str | BufferedReader = _standard_input() if file == "-" else file
    with Progress(app, "import") as progress:
        if mapping is None:
            from chit_sync.transfer.log_file import import_log

            if source or zone:
                raise UsageError("--source and --zone go with --map")
            done = import_log(app.store, given, dry_run=app.options.dry_run, progress=progress)
        else:
            from chit_sync.transfer.importing import import_file
            from chit_sync.transfer.mapping import load

            done = import_file(
                app.store,
                given,
                load(mapping, source=source, zone=zone),
                dry_run=app.options.dry_run,
                progress=progress,
                in_two=True,
            )
    record = {
        "schema": "chit.imported/1",
        "file": None if file == "-" else file,
        **done._asdict(),
        "failures": [failure._asdict() for failure in done.failures],
    }
    app.output.one(record, lambda: "")
    _say(app, done)


def _standard_input() -> BufferedReader:
    stream: Any = sys.stdin.buffer
    return stream if isinstance(stream, BufferedReader) else BufferedReader(stream)


def _say(app: App, done: Imported) -> None:
    would = app.options.dry_run
    if done.new_changes or done.new_attachments:
        files = f" and {counted(done.new_attachments, 'attachment')}" if done.new_attachments else ""
        app.say(
            f"{'would add' if would else 'added'} {counted(done.new_changes, 'change')}{files}; "
            f"{counted(done.new_tickets, 'ticket')} {'would be' if would else 'is' if done.new_tickets == 1 else 'are'} new"
        )
    else:
        app.say(
            f"nothing new: {counted(done.changes, 'change')} of {counted(done.tickets, 'ticket')} were here already"
        )
    if done.failures:
        listed = [str(failure) for failure in done.failures[:SHOWN]]
        if len(done.failures) > SHOWN:
            listed.append(translate("and {count} more; --json lists all", count=len(done.failures) - SHOWN))
        raise PartialError(
            f"{counted(len(done.failures), 'line')} did not fit; the rest {'would go' if would else 'went'} in",
            listed,
            "Mend the file or the map and import it again: what is in already is not added twice.",
        )
