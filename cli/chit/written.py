"""What a write says: the ids on standard output, what changed and what comes next on standard error, or JSON."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from chit.context import App
from chit.language import translate
from chit.output import Record
from chit.text import SHORT_ID
from chit.wording import sentences
from chit_sync.authoring import Done, Edit, record
from chit_sync.store.reading import called, load_many, offered
from chit_sync.ticket import told

if TYPE_CHECKING:
    from chit_sync.store.leaving import Leaving

NOTHING = "nothing to change, it is so already"


def write(app: App, edits: Sequence[Edit], command: str, next_step: str = "", nothing: str = NOTHING) -> list[Done]:
    """Writes the edits and reports them."""
    results = record(app.store, edits, by=app.actor, command=command, dry_run=app.options.dry_run)
    report(app, results, next_step, nothing)
    return results


def report(
    app: App,
    results: Sequence[Done],
    next_step: str = "",
    nothing: str = NOTHING,
    leaves: "Mapping[str, Sequence[Leaving]] | None" = None,
) -> None:
    """Reports what was written, or with --dry-run would have been. nothing: what is said of a ticket where nothing was.

    leaves: ticket to what of it would leave for partners, where that is known.
    """
    would = "would " if app.options.dry_run else ""
    if app.output.structured:
        _records(app, results, leaves)
        return
    app.output.lines(done.id for done in results)
    numbers = called(app.store, [done.number for done in results if done.created and done.number])
    waiting = offered(app.store, [done.number for done in results if _is_own(done)])
    for done in results:
        if done.created:
            number = f" (number {numbers[done.number]})" if done.number in numbers and not would else ""
            what = ", ".join(sentences(done.sets, app.zone))
            planned = translate("would write a new ticket: {what}", what=what)
            app.say(planned if would else f"wrote {short(done.id)}{number}", as_is=bool(would))
        elif not done.sets:
            app.say(f"{short(done.id)}: {translate(nothing)}", as_is=True)
        else:
            what = ", ".join(sentences(done.sets, app.zone))
            what = translate("would do: {what}", what=what) if would else what
            app.say(f"{short(done.id)}: {what}", as_is=True)
            if done.number in waiting:
                app.say(
                    translate("{id}: the offer is not accepted yet: this stays here", id=short(done.id)), as_is=True
                )
    if next_step and not would and any(done.sets for done in results):
        app.say(next_step)


def _is_own(done: Done) -> bool:
    """Whether something was written that is no move: that the lead gets, too."""
    return not done.created and bool(done.sets) and not any(one.path.startswith("move/") for one in done.sets)


def _records(app: App, results: Sequence[Done], leaves: "Mapping[str, Sequence[Leaving]] | None") -> None:
    """The tickets as they are now; with --dry-run, which changes nothing, what would be set."""
    if app.options.dry_run:
        planned = [
            {
                "schema": "chit.plan/1",
                "id": done.id,
                "created": done.created,
                "set": {
                    one.path: {"old": told(one.path, one.old), "new": told(one.path, one.new)} for one in done.sets
                },
                "leaves": None
                if leaves is None
                else [
                    {"partner": one.partner, "path": one.path, "value": told(one.path, one.value)}
                    for one in leaves.get(done.id, ())
                ],
            }
            for done in results
        ]
        _print(app, planned)
        return
    tickets = [ticket.record() for ticket in load_many(app.store, [done.number for done in results])]
    _print(app, tickets)


def _print(app: App, records: Sequence[Record]) -> None:
    if app.several or len(records) != 1:
        app.output.many(records, str)
    else:
        app.output.one(records[0], str)


def short(ident: str) -> str:
    """An id as it is shown to people."""
    return ident[:SHORT_ID]
