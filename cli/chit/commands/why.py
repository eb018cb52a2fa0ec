"""`chit why`."""

from typing import Any

import click

from chit.context import App
from chit.framework import command
from chit.language import translate
from chit.params import TICKET
from chit.preview import told
from chit.text import SHORT_ID, cell, clean
from chit.wording import brief, exact, sentences
from chit_sync.authoring import Set
from chit_sync.crossing import RULES
from chit_sync.handoffs import LEAD
from chit_sync.store.reading import find
from chit_sync.store.whereabouts import Place, Side, Why
from chit_sync.store.whereabouts import why as ask
from chit_sync.ticket import iso
from chit_sync.times import local

_SHORT_CHANGE = 12


@command()
@click.argument("ticket", type=TICKET)
@click.argument("what", metavar="ITEM|FIELD")
def why(app: App, ticket: str, what: str) -> None:
    """Explain why something is or is not on a partner's side.

    \b
    chit why 42 title
    chit why 42 kzxt              a comment, file, time entry, charge, question, handoff, move or link
    chit why 42 time/kzxt         where several begin so

    For each partner that the ticket is or was with: whether the partner has it, or it waits, is held back, was refused or stays; by which
    rule, since when, and in which change.

    Piped, a line for every field and partner: partner, handoff, its status, field, state, rule, change, time, author, what the partner
    said when it refused, the change that the partner has instead.
    """
    found = ask(app.reading, find(app.reading, ticket), what)
    if app.output.structured:
        app.output.one(_record(found), str)
    elif app.terminal:
        app.output.page("\n".join(_page(app, found)))
    else:
        app.output.lines(_piped(side, place) for side in found.sides for place in side.places)


def _record(found: Why) -> dict[str, Any]:
    """The answer as `chit.why/1`."""
    return {
        "schema": "chit.why/1",
        "ticket": found.ticket.id,
        "title": found.ticket.title,
        "path": found.path,
        "partners": [
            {
                "partner": side.partner or None,
                "role": side.role or None,
                "handoff": side.handoff or None,
                "status": side.status or None,
                **_place(side.whole),
                "fields": [_place(place) for place in side.places],
            }
            for side in found.sides
        ],
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "path": place.path,
        "value": told(place.path, place.value),
        "state": place.state,
        "rule": place.rule,
        "why": RULES[place.rule],
        "reason": place.reason or None,
        "change": place.change or None,
        "since": iso(place.time),
        "by": place.by or None,
        "earlier": place.earlier or None,
    }


def _piped(side: Side, place: Place) -> str:
    return "\t".join(
        map(
            cell,
            (
                side.partner, side.handoff, side.status, place.path, place.state, place.rule, place.change, iso(place.time) or "",
                place.by, place.reason, place.earlier,
            ),
        )
    )  # fmt: skip


def _page(app: App, found: Why) -> list[str]:
    """The answer for a person: what it is, then a paragraph for each partner."""
    places = found.sides[0].places
    steps = [Set(place.path, None, place.value) for place in places if place.value is not None]
    lines = []
    if found.path.count("/") == 1 and not found.path.startswith("labels/"):
        kind, _, ident = found.path.partition("/")
        lines.append(f"{kind} {ident[:SHORT_ID]}  {'; '.join(sentences(steps, app.zone))}")
    else:
        value = places[0].value
        shown = translate("(empty)") if value is None else brief(exact(found.path, value))
        lines.append(f"{clean(found.path)}  {shown}")
    for side in found.sides:
        lines += ["", *_paragraph(app, side)]
    return lines


def _paragraph(app: App, side: Side) -> list[str]:
    whole = side.whole
    lines = []
    if side.partner:
        with_whom = (
            translate("{partner}, our service partner: the handoff is {status}", partner=side.partner, status=side.status)
            if side.role == LEAD
            else translate("{partner}, our lead: the handoff is {status}", partner=side.partner, status=side.status)
        )  # fmt: skip
        lines.append(with_whom)
    lines.append(f"    {_state(side, whole)}")
    lines.append(f"    {whole.rule}: {translate(RULES[whole.rule])}")
    lines += _since(app, whole)
    others = [
        one for one in side.places if (one.state, one.rule, one.change) != (whole.state, whole.rule, whole.change)
    ]
    for place in others:
        name = place.path.rpartition("/")[2]
        lines.append(f"    {name}: {_state(side, place)} ({place.rule}: {translate(RULES[place.rule])})")
    return lines


def _since(app: App, place: Place) -> list[str]:
    lines = []
    if place.time is not None:
        when, short = local(place.time, app.zone), place.change[:_SHORT_CHANGE]
        said = translate(
            "so since {time}, by {author}, change {change}", time=when, author=clean(place.by), change=short
        )
        lines.append(f"    {said}")
    if place.earlier:
        short = place.earlier[:_SHORT_CHANGE]
        lines.append(f"    {translate('an earlier value is there, of change {change}', change=short)}")
    return lines


def _state(side: Side, place: Place) -> str:
    """Where it is, in a sentence."""
    who = side.partner
    if place.state == "there":
        return translate("{partner} has it", partner=who)
    if place.state == "theirs":
        return translate("it came from {partner}", partner=who)
    if place.state == "waits" and side.role == LEAD:
        return translate("it waits until {partner} fetches it", partner=who)
    if place.state == "waits":
        return translate("it waits for the next push to {partner}", partner=who)
    if place.state == "sent":
        return translate("it was sent to {partner}, and no answer came", partner=who)
    if place.state == "held" and place.reason:
        return translate("it is held back; {partner} refused it: {reason}", partner=who, reason=translate(place.reason))
    if place.state == "held":
        return translate("it is held back from {partner}", partner=who)
    if place.state == "refused":
        return translate("{partner} refused it: {reason}", partner=who, reason=translate(place.reason))
    if place.state == "unknown":
        return translate("the store that exchanges with {partner} knows", partner=who)
    return translate("there is nothing") if place.state == "empty" else translate("it stays here")
