"""The terms of an offer on the command line: the options that give them, and their words. What they mean is the library's business."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from chit.context import App
from chit.language import translate
from chit_sync import money
from chit_sync.clock import MINUTE
from chit_sync.errors import UsageError
from chit_sync.registers import Value
from chit_sync.schema import PAY_UNITS, SHARES

if TYPE_CHECKING:
    from datetime import tzinfo

Function = TypeVar("Function", bound=Callable[..., Any])

MOST_MINUTES = 60 * 100_000
"""The most time that can be authorised, more than ten years of it."""

_UNITS = {"h": "hour", **{choice.name: choice.name for choice in PAY_UNITS}}
_SHARED = [choice.name for choice in SHARES]


def terms_options(function: Function) -> Function:
    """The terms that both sides may propose."""
    for decorate in (
        click.option("--charges", metavar="AMOUNT", help="How much may be charged."),
        click.option("--hours", metavar="SPAN", help="How much time may be spent, like 1h30m."),
        click.option(
            "--currency", metavar="CODE", help="The currency of all amounts; else the setting charge.currency."
        ),
        click.option("--pay", metavar="AMOUNT/UNIT", help="What the partner is paid: 80/h, or 500/flat for all of it."),
        click.option("--accept-by", metavar="TIME", help="Until when the offer is good."),
        click.option("--complete-by", metavar="TIME", help="Until when the work is to be done."),
        click.option("--instructions", metavar="TEXT", help="What the partner should know."),
    ):
        function = decorate(function)
    return function


def offer_options(function: Function) -> Function:
    """The terms that only the lead sets."""
    for decorate in (
        click.option("--grace", metavar="SPAN", help="How long an acceptance may come late; else partner.grace."),
        click.option(
            "--bill-rate", metavar="AMOUNT", help="What your customer pays for an hour; the partner never sees it."
        ),
        click.option(
            "--share-attachments",
            type=click.Choice(_SHARED),
            help="Which earlier files the partner gets; public, if nothing is said.",
        ),
        click.option(
            "--share-comments",
            type=click.Choice(_SHARED),
            help="Which earlier comments the partner gets; public, if nothing is said.",
        ),
        click.option("--share-contact/--no-share-contact", default=None, help="Whether the partner learns who asked."),
    ):
        function = decorate(function)
    return terms_options(function)


def read(app: App, given: Mapping[str, Any], before: Mapping[str, Value]) -> dict[str, Value]:
    """The terms that the options ask for; `none` takes one away. before: those that hold so far. Raises UsageError."""
    found: dict[str, Value] = {}
    for name, typed in given.items():
        if typed is not None:
            found |= _one(app, name, typed, before)
    after = {**before, **found}
    amounts = any(after.get(name) is not None for name in ("pay", "authorized_charges"))
    if amounts and after.get("currency") is None and "currency" not in found:
        found["currency"] = money.check_currency(app.config.text("charge.currency"))
    first, last = after.get("accept_by"), after.get("complete_by")
    if isinstance(first, int) and isinstance(last, int) and last < first:
        raise UsageError("the work is to be done before the offer ends", "Say an earlier --accept-by.")
    return found


def _one(app: App, name: str, typed: Any, before: Mapping[str, Value]) -> dict[str, Value]:
    """What one option sets."""
    if name == "share_contact":
        return {name: typed or None}
    field = {"hours": "authorized_minutes", "charges": "authorized_charges"}.get(name, name)
    if typed == "none" and not field.startswith("share_"):
        return {field: None, **({"pay_unit": None} if name == "pay" else {})}
    if name in ("complete_by", "accept_by"):
        return {name: _future(app, name, typed)}
    if name == "pay":
        return _pay(typed, before)
    if name == "currency":
        return {name: money.check_currency(typed)}
    if name in ("charges", "bill_rate"):
        return {field: money.spell(money.parse(typed))}
    if name in ("hours", "grace"):
        from chit_sync.work import parse_span

        minutes = parse_span(typed, MOST_MINUTES)
        return {field: minutes if name == "hours" else minutes * MINUTE}
    return {field: typed if typed.strip() else None}


def _future(app: App, name: str, typed: str) -> int:
    from chit_sync.times import deadline

    moment = deadline(typed, app.now, app.zone)
    if moment <= app.now:
        flag = name.replace("_", "-")
        raise UsageError(f"--{flag} {typed} is past", "Name a time that is to come, like friday or 7d.")
    return moment


def _pay(typed: str, before: Mapping[str, Value]) -> dict[str, Value]:
    """The amount and its unit; without a unit that which holds already."""
    amount, slash, name = typed.partition("/")
    pay = money.spell(money.parse(amount))
    unit = _UNITS.get(name.strip()) if slash else before.get("pay_unit")
    if unit is None:
        raise UsageError(
            f"{typed!r} does not say what for", f"Write {amount}/h for each hour, or {amount}/flat for all of it."
        )
    return {"pay": pay, "pay_unit": unit}


def grace(app: App, given: str | None) -> int:
    """How late an acceptance may come, in microseconds: as given, else as set. Raises UsageError."""
    span = given or app.config.text("partner.grace")
    if not span or span == "none":
        return 0
    from chit_sync.work import parse_span

    return parse_span(span, MOST_MINUTES) * MINUTE


# In words


def phrases(values: Mapping[str, Value], zone: "tzinfo") -> list[str]:
    """What two organisations agree on, a few words each."""
    from chit.wording import brief
    from chit_sync.times import local
    from chit_sync.work import spell_span

    found = []
    currency = str(values.get("currency") or "")
    if values.get("pay") is not None:
        amount = f"{values['pay']} {currency}".strip()
        if values.get("pay_unit") == "flat":
            found.append(translate("{amount} for all of it", amount=amount))
        else:
            found.append(translate("{amount} an hour", amount=amount))
    minutes, charges = values.get("authorized_minutes"), values.get("authorized_charges")
    if isinstance(minutes, int):
        found.append(translate("up to {span} of work", span=spell_span(minutes)))
    if charges is not None:
        found.append(translate("up to {amount} of charges", amount=f"{charges} {currency}".strip()))
    done, answered = values.get("complete_by"), values.get("accept_by")
    if isinstance(done, int):
        found.append(translate("to be done by {time}", time=local(done, zone)))
    if isinstance(answered, int):
        found.append(translate("good until {time}", time=local(answered, zone)))
    if values.get("instructions") is not None:
        found.append(translate("instructions: {words}", words=brief(values["instructions"])))
    return found or ([translate("amounts in {currency}", currency=currency)] if currency else [])


def shares(values: Mapping[str, Value]) -> str:
    """What of the ticket's past the partner gets when it accepts."""
    contact = translate("yes") if values.get("share_contact") else translate("no")
    return translate(
        "shared when it is accepted: comments {comments}, files {files}, who asked {contact}",
        comments=values.get("share_comments") or "none", files=values.get("share_attachments") or "none", contact=contact,
    )  # fmt: skip


def kept(values: Mapping[str, Value]) -> str:
    """What the lead alone knows, in words; empty where there is nothing. The margin is said where it can be told."""
    rate, pay = values.get("bill_rate"), values.get("pay")
    found = []
    if rate is not None:
        found.append(translate("bill rate {amount}", amount=f"{rate} {values.get('currency') or ''}".strip()))
        if pay is not None and values.get("pay_unit") == "hour":
            margin = money.spell(money.parse(str(rate)) - money.parse(str(pay)))
            found.append(translate("margin {amount} an hour", amount=margin))
    late = values.get("grace")
    if isinstance(late, int) and late:
        from chit_sync.work import spell_span

        found.append(translate("{span} of grace", span=spell_span(late // MINUTE)))
    return translate("stays here: {what}", what=", ".join(found)) if found else ""
