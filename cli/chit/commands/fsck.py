"""`chit fsck`."""

import click

from chit.context import App
from chit.framework import command
from chit.language import translate
from chit.text import counted
from chit_sync.errors import StoreError, UsageError
from chit_sync.store import fsck as checking


@command()
@click.option("--rebuild", is_flag=True, help="Make every table again from the log.")
@click.option(
    "--without-damaged", is_flag=True, help="Rebuild even where changes cannot be read; what they said is lost."
)
def fsck(app: App, rebuild: bool, without_damaged: bool) -> None:
    """Look for damage, and rebuild what can be rebuilt.

    Reads the whole log: each change against its hash, the tables against what the changes add up to, attachments against their
    hashes. Nothing is repaired unless --rebuild asks for it.
    """
    if without_damaged and not rebuild:
        raise UsageError("--without-damaged goes with --rebuild")
    if rebuild and not app.options.dry_run:
        checking.rebuild(app.store, without_damaged=without_damaged)
        app.say("every table was made again from the log")
    elif rebuild:
        app.say("would make every table again from the log")
    found = checking.check(app.reading)
    records = [{"schema": "chit.problem/1", **problem._asdict()} for problem in found]
    said = translate if app.terminal else str
    rows = [(problem.kind, problem.where, said(problem.message), said(problem.cure)) for problem in found]
    app.output.many(records, lambda: app.output.table(("KIND", "WHERE", "WHAT", "CURE"), rows) if rows else "")
    damage = [problem for problem in found if not problem.harmless]
    if damage:
        raise StoreError(f"{counted(len(damage), 'problem')} found in {app.store_path}", damage[0].cure)
    app.say("no damage found")
