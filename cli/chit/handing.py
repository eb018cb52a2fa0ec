"""What the commands of outsourcing share: their options, the reason, and the write. Decides nothing: the library does."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from chit import afterwards, editor
from chit.context import App
from chit.language import translate
from chit.params import text_options, tickets_argument
from chit.selection import to_write
from chit.written import report, short
from chit_sync import outsourcing
from chit_sync.authoring import Done, Edit, record
from chit_sync.errors import ChitError, ConflictError
from chit_sync.handoffs import TAKEN, VERBS
from chit_sync.store import log
from chit_sync.store.reading import load_many
from chit_sync.ticket import Ticket

if TYPE_CHECKING:
    from chit_sync.store.leaving import Leaving

Function = TypeVar("Function", bound=Callable[..., Any])


def partner_option(function: Function) -> Function:
    """--partner"""
    return click.option(
        "--partner", default="", metavar="PARTNER", help="In the handoff with this partner, where there are several."
    )(function)


def verb_options(function: Function) -> Function:
    """What a verb takes that says no more than why: tickets, a reason, a partner."""
    for decorate in (partner_option, text_options, tickets_argument):
        function = decorate(function)
    return function


def act(
    app: App, verb: str, tickets: Sequence[str], query: str | None, stdin: bool, every: bool, message: Sequence[str], file: str | None,
    partner: str,
) -> None:  # fmt: skip
    """Does what a verb does that takes no more than a reason, to each ticket."""
    found = to_write(app, tickets, query, stdin, every)
    each(found, lambda ticket: outsourcing.current(ticket, verb, partner))
    text, buffer = reason(app, verb, found, message, file)
    with editor.keeping(buffer):
        edits = each(found, lambda ticket: outsourcing.act(app.store, ticket, verb, partner=partner, reason=text))
        hand(app, edits, verb)


Result = TypeVar("Result")


def each(tickets: Sequence[Ticket], make: Callable[[Ticket], Result]) -> list[Result]:
    """What comes of each ticket; an error says of which one it is, where there are several."""
    return [_of(ticket, make, len(tickets) > 1) for ticket in tickets]


def _of(ticket: Ticket, make: Callable[[Ticket], Result], several: bool) -> Result:
    with _named(ticket, several):
        return make(ticket)


@contextmanager
def _named(ticket: Ticket, several: bool) -> Iterator[None]:
    try:
        yield
    except ChitError as error:
        if several:
            message = translate(error.message)
            error.message = translate("{id}: {message}", id=short(ticket.id), message=message)
        raise


def reason(app: App, verb: str, tickets: Sequence[Ticket], message: Sequence[str], file: str | None) -> tuple[str, str]:
    """(the reason, the buffer that holds it); an editor asks for one that is required. Raises UsageError."""
    text = editor.given_text(message, file)
    if text is not None or VERBS[verb].reason != "required" or not tickets:
        return text or "", ""
    names = ", ".join(f"{short(ticket.id)} {ticket.title}" for ticket in tickets[:3])
    note = translate("The reason for `{verb}`, which the other side reads: {tickets}", verb=verb, tickets=names)
    return asked(app, note)


def asked(app: App, note: str) -> tuple[str, str]:
    """(a text, the buffer that holds it) from an editor. Raises UsageError where there is nobody to ask."""
    buffer, _, text = editor.edited(app, {}, "", note, "-m or -F")
    return text, buffer


def hand(app: App, edits: Sequence[Edit], command: str, note: str = "") -> None:
    """Writes the edits and says where things stand then. note: a sentence to say before what comes next.

    Raises ConflictError for a move that this store, where it is the one to decide, refuses; then nothing was written.
    """
    before = log.last_seq(app.store.db)
    after: list[Ticket] = []
    leaves: list[Leaving] = []

    def look(results: Sequence[Done]) -> None:
        after.extend(load_many(app.store, [done.number for done in results]))
        for done, ticket in zip(results, after, strict=True):
            _refuse(done, ticket, len(results) > 1)
        if app.options.dry_run:
            from chit_sync.store.leaving import leaving

            leaves.extend(leaving(app.store, before))

    results = record(app.store, edits, by=app.actor, command=command, dry_run=app.options.dry_run, look=look)
    shown = results if app.output.structured else [_brief(done) for done in results]
    report(app, shown, leaves={done.id: [one for one in leaves if one.ticket == done.id] for done in results})
    if not (app.options.json or app.options.jsonl):
        afterwards.say(app, results, after, leaves, note)


def _refuse(done: Done, ticket: Ticket, several: bool) -> None:
    """Raises ConflictError where a move of this edit was ruled out at once."""
    for one in done.sets:
        if one.path.startswith("move/") and one.path.endswith("/verb"):
            ruling = ticket.item(one.path[: -len("/verb")]).get("ruling")
            if ruling not in (None, TAKEN):
                with _named(ticket, several):
                    raise ConflictError(str(ruling))


def _brief(done: Done) -> Done:
    """What was done without the terms, which are shown by themselves."""
    return done._replace(sets=[one for one in done.sets if not one.path.startswith("handoff/")] or done.sets)
