"""What is said after a verb of outsourcing: where the handoff stands, whether that is certain, what comes next, and what would leave."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chit.context import App
from chit.language import translate
from chit.written import short
from chit_sync.authoring import Done
from chit_sync.handoffs import (
    ASSIGNED,
    AWAITING,
    CANCELED,
    COMPLETED,
    DECLINED,
    LEAD,
    SERVICE,
    UNSENT,
    Handoff,
    get,
    other_side,
)
from chit_sync.ticket import Ticket

if TYPE_CHECKING:
    from chit_sync.store.leaving import Leaving

TERMS_SHOWN = ("draft", "offer", "agree", "accept")
"""Verbs after which the terms are shown."""


def say(
    app: App, results: Sequence[Done], after: Sequence[Ticket], leaves: Sequence["Leaving"], note: str = ""
) -> None:
    """Says of each ticket how it stands after an edit; what comes next once. after: the tickets then. leaves: with --dry-run, what
    would leave. note: a sentence to say before what comes next."""
    steps: dict[str, None] = {}
    for done, ticket in zip(results, after, strict=True):
        for handoff, verb in _concerned(done, ticket):
            _say_standing(app, ticket, handoff, verb)
            steps[_next(ticket, handoff)] = None
        if app.options.dry_run:
            _say_leaving(app, [one for one in leaves if one.ticket == done.id])
    if app.options.dry_run:
        return
    for step in [note, *steps]:
        if step:
            app.say(step, as_is=True)


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
    return [(get(ticket.handoffs, ident), verb) for ident, verb in found.items()]


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
    if handoff.role == LEAD and handoff.status == UNSENT:
        return translate("{partner} does not see it", partner=partner)
    row = partners.find(app.store, partner, other_side(handoff.role))
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
    if handoff is None or handoff.status in (CANCELED, DECLINED):
        if handoff is not None and handoff.role == SERVICE:
            return translate("nothing more is to be done for {partner}", partner=who)
        return translate("`chit outsource {id} PARTNER` offers it again", id=ident)
    if handoff.role == LEAD:
        return _next_for_lead(handoff, who, ident)
    return _next_for_service(handoff, who, ident)


def _next_for_lead(handoff: Handoff, who: str, ident: str) -> str:
    status = handoff.status
    if status == UNSENT:
        return translate("next: `chit outsource {id}` sends the offer", id=ident)
    if handoff.countered:
        return translate(
            "next: `chit outsource {id}` agrees to what {partner} proposes, `chit cancel {id}` refuses",
            id=ident, partner=who,
        )  # fmt: skip
    if status == ASSIGNED:
        return translate("next: {partner} accepts, declines, or proposes other terms", partner=who)
    if status == AWAITING:
        return translate("next: `chit approve {id}`, or `chit reject {id} -m WHY`", id=ident)
    if status == COMPLETED:
        return translate("nothing crosses any more")
    return translate("next: {partner} works on it, and submits it", partner=who)


def _next_for_service(handoff: Handoff, who: str, ident: str) -> str:
    status = handoff.status
    if status == ASSIGNED:
        return translate("next: {partner} agrees or cancels", partner=who)
    if status == AWAITING:
        return translate("next: {partner} approves or rejects; what is new is held back until then", partner=who)
    if status == COMPLETED:
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
