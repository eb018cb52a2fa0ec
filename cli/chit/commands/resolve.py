"""`chit resolve`."""

from collections.abc import Sequence

import click

from chit import fields
from chit.commands.conflicts import records
from chit.context import App
from chit.framework import command
from chit.language import translate
from chit.params import tickets_argument
from chit.selection import to_write
from chit.text import SHORT_ID
from chit.wording import readable
from chit.written import write
from chit_sync.authoring import Edit
from chit_sync.errors import NotFoundError, UsageError
from chit_sync.registers import Value
from chit_sync.ticket import Conflict, Ticket


@command()
@tickets_argument
@click.option("--shown", "shown", is_flag=True, help="Keep the value that is shown.")
@click.option("--other", "other", is_flag=True, help="Take the other value.")
@click.option("-s", "--set", "values", multiple=True, metavar="FIELD=VALUE", help="Write this value.")
@click.option("--field", "paths", multiple=True, metavar="FIELD", help="Only this field.")
def resolve(
    app: App, tickets: tuple[str, ...], query: str | None, stdin: bool, every: bool, shown: bool, other: bool,
    values: tuple[str, ...], paths: tuple[str, ...],
) -> None:  # fmt: skip
    """Decide what holds where something was written twice. Without a choice, asks for each field.

    The decision is a change like any other: it reaches the others with the next push, and ends the conflict there too.

    \b
    chit resolve kzxt --shown
    chit resolve kzxt --field title --other
    chit resolve kzxt --set title="Printer on fire again"
    """
    if shown and other:
        raise UsageError("--shown and --other contradict each other", "Give one of them, or --set FIELD=VALUE.")
    wanted = dict(_assigned(app, values))
    edits = []
    for ticket in to_write(app, tickets, query, stdin, every):
        conflicts = [one for one in ticket.conflicts if not paths or one.path in paths]
        missing = [path for path in (*paths, *wanted) if path not in [one.path for one in ticket.conflicts]]
        if missing:
            raise NotFoundError(
                f"{missing[0]} of {ticket.id[:SHORT_ID]} is not in conflict", "`chit conflicts` lists what is."
            )
        sets: dict[str, Value] = {}
        for conflict in conflicts:
            if conflict.path in wanted:
                sets[conflict.path] = wanted[conflict.path]
            elif other and len(conflict.others) > 1:
                raise UsageError(
                    f"{conflict.path} of {ticket.id[:SHORT_ID]} has {len(conflict.others)} other values",
                    "Say --set FIELD=VALUE.",
                )
            elif shown or other:
                sets[conflict.path] = conflict.shown if shown else conflict.others[0]
            elif not wanted:
                sets[conflict.path] = _ask(app, ticket, conflict)
        edits.append(Edit(ticket, sets, resolve=True))
    write(app, edits, "resolve", nothing="not in conflict")


def _assigned(app: App, values: Sequence[str]) -> list[tuple[str, Value]]:
    found = []
    for assignment in values:
        name, mark, value = assignment.partition("=")
        if not mark:
            raise UsageError(f"--set takes FIELD=VALUE, not {assignment!r}", "For example --set title=Projector.")
        found.append((name, value if "/" in name else fields.parse(app, name, value)))
    return found


def _ask(app: App, ticket: Ticket, conflict: Conflict) -> Value:
    if not app.interactive:
        names = ", ".join(str(record["path"]) for record in records(ticket))
        raise UsageError(
            f"{ticket.id[:SHORT_ID]} is in conflict at {names}", "Say --shown, --other or --set FIELD=VALUE."
        )
    options = [conflict.shown, *conflict.others]
    app.say(f"{ticket.id[:SHORT_ID]} {ticket.title}: {conflict.path}", as_is=True)
    for number, value in enumerate(options, 1):
        app.say(
            f"  {number}  {readable(conflict.path, value, app.zone)}{translate('  (shown now)') if number == 1 else ''}",
            as_is=True,
        )
    answer: int = click.prompt(translate("Which one holds?"), type=click.IntRange(1, len(options)), default=1, err=True)
    return options[answer - 1]
