"""What the commands of outsourcing share: the reason, the write, and what is said of it afterwards. Decides nothing: the library does."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from chit import editor
from chit.context import App
from chit.language import translate
from chit.params import text_options, tickets_argument
from chit.selection import to_write
from chit.written import report, short
from chit_sync import outsourcing
from chit_sync.authoring import Done, Edit, record
from chit_sync.errors import ChitError, ConflictError
from chit_sync.handoffs import LEAD, SERVICE, TAKEN, VERBS, Handoff
from chit_sync.store import log
from chit_sync.store.reading import load_many
from chit_sync.ticket import Ticket

if TYPE_CHECKING:
    from chit_sync.store.leaving import Leaving

Function = TypeVar("Function", bound=Callable[..., Any])

TERMS_SHOWN = ("draft", "offer", "agree", "accept")
"""Verbs after which the terms are shown."""


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
    if app.options.json or app.options.jsonl:
        return
    steps: dict[str, None] = {}
    for done, ticket in zip(results, after, strict=True):
        for handoff, verb in _concerned(done, ticket):
            _say_standing(app, ticket, handoff, verb)
            steps[_next(ticket, handoff)] = None
        if app.options.dry_run:
            _say_leaving(app, [one for one in leaves if one.ticket == done.id])
    if app.options.dry_run:
        return
    if note:
        app.say(note, as_is=True)
    for step in steps:
        app.say(step, as_is=True)


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


def _concerned(done: Done, ticket: Ticket) -> list[tuple[Handoff | None, str]]:
    """The handoffs that an edit was about, each with the verb; None for a draft that is no more."""
    verbs = {one.path.split("/")[1]: str(one.new) for one in done.sets if one.path.endswith("/verb")}
    found: dict[str, str] = {}
    for one in done.sets:
        kind, _, rest = one.path.partition("/")
        ident, _, name = rest.partition("/")
        if kind == "move" and name == "handoff":
            found[str(one.new)] = verbs.get(ident, "")
        elif name == "to" and one.new is not None:
            found.setdefault(str(one.new), "")
        elif kind == "question" and name == "answer":
            found.setdefault(str(ticket.item(f"{kind}/{ident}").get("to")), "")
    byid = {handoff.id: handoff for handoff in ticket.handoffs}
    return [(byid.get(ident), verb) for ident, verb in found.items()]


def _say_standing(app: App, ticket: Ticket, handoff: Handoff | None, verb: str) -> None:
    """Where a handoff stands, whether that is certain, and on what terms."""
    ident = short(ticket.id)
    if handoff is None:
        app.say(translate("{id}: not outsourced", id=ident), as_is=True)
        return
    status, partner = handoff.status, handoff.partner
    if handoff.role == LEAD:
        text = translate("{id}: {status}, with {partner}", id=ident, status=status, partner=partner)
    else:
        text = translate("{id}: {status}, for {partner}", id=ident, status=status, partner=partner)
    app.say(text if app.options.dry_run else f"{text}; {_certainty(app, handoff)}", as_is=True)
    if verb in TERMS_SHOWN:
        _say_terms(app, handoff, verb)
    if handoff.text("total") and handoff.role == LEAD and verb in ("approve", "complete"):
        from chit_sync.work import spell_span, used_minutes

        owed = f"{handoff.text('total')} {handoff.text('currency')}".strip()
        span = spell_span(used_minutes(ticket, handoff.id))
        app.say(
            translate("    {partner} gets {amount} for {span}", partner=partner, amount=owed, span=span), as_is=True
        )


def _say_terms(app: App, handoff: Handoff, verb: str) -> None:
    from chit import terms

    agreed = terms.phrases(handoff.values, app.zone)
    if agreed:
        app.say(f"    {'; '.join(agreed)}", as_is=True)
    if handoff.role == LEAD and verb != "agree":
        app.say(f"    {terms.shares(handoff.values)}", as_is=True)
    if handoff.role == LEAD and terms.kept(handoff.values):
        app.say(f"    {terms.kept(handoff.values)}", as_is=True)


def _certainty(app: App, handoff: Handoff) -> str:
    """Whether the lead's store has taken it, and how the other side hears of it."""
    from chit_sync.store import partners, remotes

    partner = handoff.partner
    role = SERVICE if handoff.role == LEAD else LEAD
    row = next((one for one in partners.listing(app.store) if (one.name, one.role) == (partner, role)), None)
    if handoff.role == LEAD and handoff.status == "unsent":
        return translate("{partner} does not see it", partner=partner)
    if row is None:
        if not handoff.pending:
            return translate("`chit push` sends it")
        return translate("not confirmed yet; `chit push` sends it to where {partner} is known", partner=partner)
    if handoff.role == LEAD:
        return translate("{partner} sees it at its next sync", partner=partner)
    remote = next((one.name for one in remotes.listing(app.store) if one.id == row.remote), partner)
    if handoff.pending:
        return translate(
            "not confirmed by {partner} yet; `chit sync --remote {remote}` sends it", partner=partner, remote=remote
        )
    return translate("`chit sync --remote {remote}` sends it", remote=remote)


def _next(ticket: Ticket, handoff: Handoff | None) -> str:
    """What comes next, and for whom."""
    who, ident = ("", short(ticket.id)) if handoff is None else (handoff.partner, short(ticket.id))
    if handoff is None or handoff.status in ("canceled", "declined"):
        if handoff is not None and handoff.role == SERVICE:
            return translate("nothing more is to be done for {partner}", partner=who)
        return translate("`chit outsource {id} PARTNER` offers it again", id=ident)
    if handoff.role == LEAD:
        return _next_for_lead(handoff, who, ident)
    return _next_for_service(handoff, who, ident)


def _next_for_lead(handoff: Handoff, who: str, ident: str) -> str:
    status = handoff.status
    if status == "unsent":
        return translate("next: `chit outsource {id}` sends the offer", id=ident)
    if status == "assigned" and handoff.text("proposal"):
        return translate(
            "next: `chit outsource {id}` agrees to what {partner} proposes, `chit cancel {id}` refuses",
            id=ident, partner=who,
        )  # fmt: skip
    if status == "assigned":
        return translate("next: {partner} accepts, declines, or proposes other terms", partner=who)
    if status == "awaiting-approval":
        return translate("next: `chit approve {id}`, or `chit reject {id} -m WHY`", id=ident)
    if status == "completed":
        return translate("nothing crosses any more")
    return translate("next: {partner} works on it, and submits it", partner=who)


def _next_for_service(handoff: Handoff, who: str, ident: str) -> str:
    status = handoff.status
    if status == "assigned":
        return translate("next: {partner} agrees or cancels", partner=who)
    if status == "awaiting-approval":
        return translate("next: {partner} approves or rejects; what is new is held back until then", partner=who)
    if status == "completed":
        return translate("nothing crosses any more")
    return translate("next: work on it; `chit submit {id}` hands the work in", id=ident)


def _say_leaving(app: App, leaves: Sequence["Leaving"]) -> None:
    """Path by path what would leave, for whom."""
    from chit.wording import exact

    if not leaves:
        app.say("nothing would leave for a partner yet")
    for name in dict.fromkeys(one.partner for one in leaves):
        app.say(translate("would leave for {partner}:", partner=name), as_is=True)
        for one in leaves:
            if one.partner == name:
                text = translate("(empty)") if one.value is None else exact(one.path, one.value)
                lines = text.splitlines() or [""]
                app.say(
                    "\n".join([f"    {one.path}  {lines[0]}", *(f"        {line}" for line in lines[1:])]), as_is=True
                )
