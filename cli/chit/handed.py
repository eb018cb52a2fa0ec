"""What a ticket's page says of its handoffs: a line for each that counts, and below it what there is to know."""

from chit.context import App
from chit.language import translate
from chit.output import columns
from chit.text import SHORT_ID, ago, clean, paint
from chit_sync.handoffs import (
    ASSIGNED,
    LEAD,
    LIVE,
    OPEN,
    SERVICE,
    UNSENT,
    Handoff,
    command,
    commands,
    newest,
    proposed,
    read,
)
from chit_sync.refused import still_refused
from chit_sync.ticket import Question, Ticket
from chit_sync.times import local
from chit_sync.work import spell_span, used_minutes


def block(app: App, ticket: Ticket) -> list[str]:
    """The lines, the ones that matter first."""
    found = ticket.handoffs
    refused = still_refused(ticket, read(ticket.item_registers, ticket.origins, every=True))
    shown = [one for role in (LEAD, SERVICE) if (one := newest(found, role)) is not None]
    lines: list[str] = []
    for handoff in shown:
        lines += _handoff(app, ticket, handoff)
    for handoff, move in refused:
        verb, reason = command(move.verb), clean(translate(move.ruling or ""))
        text = translate(
            "    refused: `{verb}` ({partner}): {reason}", verb=verb, partner=handoff.partner, reason=reason
        )
        lines.append(_style(app, text, "red"))
    earlier = [one for one in found if one not in shown]
    if earlier:
        told = ", ".join(f"{one.partner} {one.status}" for one in earlier)
        lines.append(_style(app, translate("    before: {handoffs}", handoffs=told), "dim"))
    return lines


def _handoff(app: App, ticket: Ticket, handoff: Handoff) -> list[str]:
    lines = [_head(app, handoff)]
    for move in handoff.pending:
        when = ago(move.time, app.now)
        lines.append(
            translate("    not confirmed by the lead's store yet: `{verb}`, {time}", verb=command(move.verb), time=when)
        )
    if handoff.text("reason") and handoff.text("verb"):
        said = " ".join(handoff.text("reason").split())
        lines.append(f"    {command(handoff.text('verb'))}: {clean(said)}")
    for line in (_terms(app, handoff), _offer(app, handoff), _work(ticket, handoff)):
        lines += _indented(app, line)
    for question in ticket.questions:
        if question.to == handoff.id:
            lines.append(_question(app, question))
    held = sum(
        1
        for key in ticket.item_registers
        if ticket.item(key).get("held") == handoff.id and not ticket.item(key).get("deleted")
    )
    if held:
        how = "" if handoff.status in OPEN else " --keep"
        text = translate(
            "    held back: {count}, marked below; `chit release {ticket} --all{how}`",
            count=held,
            ticket=ticket.id[:SHORT_ID],
            how=how,
        )
        lines.append(_style(app, text, "yellow"))
    return lines


def _head(app: App, handoff: Handoff) -> str:
    """Partner, status, deadline, what can be done."""
    names = {"partner": clean(handoff.partner), "status": handoff.status}
    if handoff.role == LEAD:
        text = (
            translate("Draft for {partner}", **names)
            if handoff.status == UNSENT
            else translate("With {partner}: {status}", **names)
        )
    elif handoff.status == ASSIGNED:
        text = translate("Offered by {partner}: {status}", **names)
    else:
        text = translate("For {partner}: {status}", **names)
    text = _style(app, text, "bold")
    since = handoff.time_of("since")
    if since is not None and not handoff.pending:
        text += translate(", since {time}", time=ago(since, app.now))
    deadline = handoff.time_of("accept_by" if handoff.status == ASSIGNED else "complete_by")
    if deadline is not None and (handoff.status == ASSIGNED or handoff.status in LIVE):
        when = f"{local(deadline, app.zone)} ({ago(deadline, app.now)})"
        if deadline < app.now:
            text += _style(app, translate(", overdue: {time}", time=when), "red")
        elif handoff.status == ASSIGNED:
            text += translate(", to be answered by {time}", time=when)
        else:
            text += translate(", to be done by {time}", time=when)
    possible = commands(handoff.status, handoff.role, countered=handoff.countered)
    if possible:
        text += translate("; possible: {commands}", commands=", ".join(possible))
    return text


def _terms(app: App, handoff: Handoff) -> str:
    from chit.terms import phrases

    said = {"accept_by"} if handoff.status != UNSENT else set()
    if handoff.status in LIVE:
        said.add("complete_by")  # in the line above
    values = {name: value for name, value in handoff.values.items() if name not in said}
    return "; ".join(phrases(values, app.zone))


def _offer(app: App, handoff: Handoff) -> str:
    """The counter-offer that waits for an answer."""
    if not handoff.countered:
        return ""
    from chit.terms import phrases

    return translate(
        "{partner} proposes instead: {terms}",
        partner=_service(handoff),
        terms="; ".join(phrases(proposed(handoff), app.zone)),
    )


def _service(handoff: Handoff) -> str:
    return clean(handoff.text("service"))


def _work(ticket: Ticket, handoff: Handoff) -> str:
    """The time that was worked, and what the partner gets."""
    minutes = used_minutes(ticket, handoff.id)
    parts = [translate("{span} worked", span=spell_span(minutes))] if minutes else []
    if handoff.text("total"):
        amount = f"{handoff.text('total')} {handoff.text('currency')}".strip()
        parts.append(translate("{partner} gets {amount}", partner=_service(handoff), amount=amount))
    return ", ".join(parts)


def _question(app: App, question: Question) -> str:
    said, who = clean(" ".join(question.body.split())), clean(question.author)
    if question.answer is None:
        text = translate(
            "    open question {id} by {author}: {words}", id=question.id[:SHORT_ID], author=who, words=said
        )
        return _style(app, text, "yellow")
    reply = clean(" ".join(question.answer.split()))
    return translate(
        "    question {id} by {author}: {words} - answer: {reply}",
        id=question.id[:SHORT_ID],
        author=who,
        words=said,
        reply=reply,
    )


def _indented(app: App, text: str) -> list[str]:
    """A line below the first one; on a terminal in as many as it needs there."""
    if not app.terminal:
        return [f"    {text}"] if text else []
    from textwrap import wrap

    return wrap(text, columns(), initial_indent="    ", subsequent_indent="    ")


def _style(app: App, text: str, how: str) -> str:
    return paint(text, how) if app.colored else text
