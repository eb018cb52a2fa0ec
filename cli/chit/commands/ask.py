"""`chit ask`."""

import click

from chit import editor
from chit.context import App
from chit.framework import command
from chit.handing import asked, hand, partner_option
from chit.language import translate
from chit.params import TICKET, text_options
from chit.selection import one
from chit.written import short
from chit_sync import money, outsourcing
from chit_sync.errors import ConflictError, UsageError
from chit_sync.handoffs import Handoff, terms
from chit_sync.registers import Value
from chit_sync.ticket import Ticket


@command()
@click.argument("ticket", type=TICKET)
@click.argument("question", required=False)
@text_options
@click.option("--answer", is_flag=True, help="As the lead, answer QUESTION, or the only one that is open.")
@click.option("--hours", metavar="SPAN", help="With --answer: authorise so much more time.")
@click.option("--charges", metavar="AMOUNT", help="With --answer: authorise so much more to be charged.")
@partner_option
def ask(
    app: App, ticket: str, question: str | None, message: tuple[str, ...], file: str | None, answer: bool, hours: str | None,
    charges: str | None, partner: str,
) -> None:  # fmt: skip
    """Ask the lead of a ticket a question, or answer one as the lead.

    A question stays open until it is answered. QUESTION is the beginning of its id. What --hours and --charges say is added to what is
    authorised already.

    \b
    chit ask 42 -m "May I replace the roller too?"
    chit ask 42 --answer -m "Yes." --hours 1h --charges 40
    """
    if not answer and (hours or charges):
        raise UsageError("--hours and --charges go with --answer", "The lead authorises them.")
    if not answer and question is not None:
        raise UsageError("a question is asked with -m or -F", "QUESTION goes with --answer.")
    found = one(app, ticket)
    handoff = outsourcing.current(found, "answer" if answer else "ask", partner)
    chosen = _chosen(found, handoff, question) if answer else ""
    more, totals = _more(app, handoff, hours, charges) if answer else ({}, "")
    text, buffer = editor.given_text(message, file), ""
    if text is None:
        said = next((each.body for each in found.questions if chosen and each.id.startswith(chosen)), found.title)
        note = "Your answer to: {words}" if answer else "Your question about: {words}"
        text, buffer = asked(app, translate(note, words=said))
    with editor.keeping(buffer):
        if answer:
            edit = outsourcing.answer(app.store, found, chosen, text, more)
        else:
            edit = outsourcing.ask(app.store, found, text, partner=partner)
        hand(app, [edit], "ask", totals)


def _chosen(ticket: Ticket, handoff: Handoff, question: str | None) -> str:
    """The question that is meant: as it was named, or the only one of this handoff that is open."""
    waiting = [one.id for one in ticket.questions if one.to == handoff.id and one.answer is None]
    if question is None and not waiting:
        raise ConflictError(
            f"{handoff.partner} has no open question about {short(ticket.id)}", "Say it with `chit comment`."
        )
    return waiting[0] if question is None and len(waiting) == 1 else question or ""


def _more(app: App, handoff: Handoff, hours: str | None, charges: str | None) -> tuple[dict[str, Value], str]:
    """What is authorised in all with so much more, as terms and in words. Raises ConflictError where there is no limit to raise."""
    from chit.terms import MOST_MINUTES, phrases
    from chit_sync.work import parse_span

    so_far = {**handoff.values}
    for move in handoff.pending:
        so_far |= terms(move) if move.verb == "extend" else {}
    more: dict[str, Value] = {}
    for given, name in ((hours, "authorized_minutes"), (charges, "authorized_charges")):
        if given is not None and so_far.get(name) is None:
            flag = "--hours" if name == "authorized_minutes" else "--charges"
            raise ConflictError(f"{flag} adds to a limit, and none was agreed on", f"Leave {flag} out.")
    if hours is not None:
        before = so_far["authorized_minutes"]
        more["authorized_minutes"] = parse_span(hours, MOST_MINUTES) + (before if isinstance(before, int) else 0)
    if charges is not None:
        before = money.parse(str(so_far["authorized_charges"]))
        more["authorized_charges"] = money.spell(before + money.parse(charges))
    if not more:
        return {}, ""
    words = ", ".join(phrases({**more, "currency": so_far.get("currency") if charges else None}, app.zone))
    return more, translate("authorised in all: {terms}", terms=words)
