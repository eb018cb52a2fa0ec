"""Time entries and charges: spans as people type them, sums, what a partner may still record, and what it is owed.

Pure. What a handoff counts is decided here, once, so that both sides come to the same figures; who may write what, and when, is not.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from chit_sync import money
from chit_sync.checks import MAX_NAME
from chit_sync.errors import NotFoundError, UsageError
from chit_sync.handoffs import AWAITING, LEAD, LIVE, SERVICE, Handoff, speaks_for
from chit_sync.registers import Value
from chit_sync.ticket import Charge, Ticket, Time

MOST_MINUTES = 7 * 24 * 60
"""The longest span that one time entry may have: more is a slip of the fingers."""

HINT = "A span is written like 1h30m, 90m, 1.5h or 1:30."

_UNITS = re.compile(r"(?:([0-9]{1,7})h)? ?(?:([0-9]{1,7})m)?")
_HOURS = re.compile(r"([0-9]{1,7})[.,]([0-9]{1,6})h")
_CLOCK = re.compile(r"([0-9]{1,7}):([0-5][0-9])")


# Spans


def parse_span(text: str, most: int = MOST_MINUTES) -> int:
    """The minutes of a span such as `1h30m`; a fraction of a minute is rounded, half of one up. Raises UsageError."""
    typed = text.strip().lower()
    if found := _UNITS.fullmatch(typed):
        minutes = 60 * int(found[1] or 0) + int(found[2] or 0) if typed else -1
    elif found := _HOURS.fullmatch(typed):
        scale = 10 ** len(found[2])
        minutes = (120 * int(found[1] + found[2]) + scale) // (2 * scale)
    elif found := _CLOCK.fullmatch(typed):
        minutes = 60 * int(found[1]) + int(found[2])
    else:
        minutes = -1
    shown = repr(text[:MAX_NAME])
    if minutes < 0:
        if typed.isascii() and typed.isdecimal() and len(typed) < 8:
            raise UsageError(f"{shown} has no unit", f"Write {typed}m or {typed}h.")
        raise UsageError(f"{shown} is not a span of time", HINT)
    if not minutes:
        raise UsageError(f"{shown} is no time at all", HINT)
    if minutes > most:
        raise UsageError(f"{shown} is too long", f"At most {spell_span(most)} at a time.")
    return minutes


def spell_span(minutes: int) -> str:
    """The span as it is shown: `1h30m`."""
    hours, rest = divmod(abs(minutes), 60)
    text = (f"{hours}h" if hours else "") + (f"{rest}m" if rest or not hours else "")
    return f"-{text}" if minutes < 0 else text


# What is written


def time_paths(item: str, minutes: int, date: int, note: str, visibility: str) -> dict[str, Value]:
    """The paths of a new time entry. date: when the work was done, in microseconds since 1970 UTC."""
    key = f"time/{item}"
    paths: dict[str, Value] = {f"{key}/minutes": minutes, f"{key}/date": date, f"{key}/visibility": visibility}
    return {**paths, f"{key}/note": note} if note.strip() else paths


def charge_paths(item: str, cents: int, currency: str, note: str, visibility: str) -> dict[str, Value]:
    """The paths of a new charge."""
    key = f"charge/{item}"
    paths: dict[str, Value] = {
        f"{key}/amount": money.spell(cents), f"{key}/currency": currency, f"{key}/visibility": visibility,
    }  # fmt: skip
    return {**paths, f"{key}/note": note} if note.strip() else paths


# What counts for a handoff


def _counts(ticket: Ticket, handoff_id: str) -> Callable[[Time | Charge], bool]:
    """Whether an item counts for the handoff: if it is for it, and not held.

    Only the service partner's work does. The lead has the partner's with the partner's name behind the author's, beside its own;
    the service partner has its own, beside what the lead's name is behind.
    """
    values = ticket.item(f"handoff/{handoff_id}")
    ours_is_lead = values.get("role") == LEAD
    theirs = str(values.get(SERVICE if ours_is_lead else LEAD, ""))
    return lambda one: one.to == handoff_id and not one.held and speaks_for(one.author, theirs) == ours_is_lead


def times_of(ticket: Ticket, handoff_id: str) -> Iterator[Time]:
    """The time entries that count for a handoff: the service partner's, without those that are held."""
    return filter(_counts(ticket, handoff_id), ticket.times)


def charges_of(ticket: Ticket, handoff_id: str) -> Iterator[Charge]:
    """The charges that count for a handoff; what was bundled stands for time, not for a cost."""
    return filter(_counts(ticket, handoff_id), (charge for charge in ticket.charges if not charge.bundle))


def used_minutes(ticket: Ticket, handoff_id: str, replaces: str = "") -> int:
    """The minutes that were worked for a handoff. replaces: the id of an entry that does not count."""
    return sum(time.minutes for time in times_of(ticket, handoff_id) if time.id != replaces)


def charged(ticket: Ticket, handoff_id: str, replaces: str = "") -> int:
    """The cents that were charged for a handoff, all in the currency agreed. replaces: as for `used_minutes`."""
    return sum(money.parse(charge.amount) for charge in charges_of(ticket, handoff_id) if charge.id != replaces)


def left_minutes(ticket: Ticket, handoff: Handoff, replaces: str = "") -> int | None:
    """The minutes that may still be worked; below zero where the limit was passed, None where there is no limit."""
    limit = handoff.value("authorized_minutes")
    return None if type(limit) is not int else limit - used_minutes(ticket, handoff.id, replaces)


def left_charges(ticket: Ticket, handoff: Handoff, replaces: str = "") -> int | None:
    """The cents that may still be charged; below zero where the limit was passed, None where there is no limit."""
    limit = handoff.value("authorized_charges")
    return None if limit is None else money.parse(str(limit)) - charged(ticket, handoff.id, replaces)


def refuse_time(ticket: Ticket, handoff: Handoff, minutes: int, replaces: str = "") -> str:
    """Why so much time may not be recorded for the handoff; empty if it may. replaces: the id of the entry that is edited."""
    left = left_minutes(ticket, handoff, replaces)
    if left is None or minutes <= left:
        return ""
    span, limit = spell_span(minutes), spell_span(int(handoff.value("authorized_minutes") or 0))
    if left <= 0:
        return f"{span} is more than is authorised: nothing is left of {limit}"
    return f"{span} is more than is authorised: {spell_span(left)} is left of {limit}"


def refuse_charge(ticket: Ticket, handoff: Handoff, cents: int, currency: str, replaces: str = "") -> str:
    """Why an amount may not be charged for the handoff; empty if it may. replaces: the id of the charge that is edited."""
    agreed = handoff.value("currency")
    if agreed is not None and currency != agreed:
        return f"the amount is in {currency}; {agreed} is agreed"
    left = left_charges(ticket, handoff, replaces)
    if left is None or cents <= left:
        return ""
    price, limit = f"{money.spell(cents)} {currency}", money.spell(money.parse(handoff.text("authorized_charges")))
    if left <= 0:
        return f"{price} is more than is authorised: nothing is left of {limit}"
    return f"{price} is more than is authorised: {money.spell(left)} is left of {limit}"


def bundle(ticket: Ticket, handoff: Handoff) -> tuple[int, str] | None:
    """What the service partner's time comes to at the agreed pay, rounded once, as cents and currency; None where no pay is agreed."""
    pay = handoff.value("pay")
    if pay is None:
        return None
    cents = money.parse(str(pay))
    if handoff.value("pay_unit") != "flat":
        cents = money.pay_for(used_minutes(ticket, handoff.id), cents)
    return cents, str(handoff.value("currency") or "")


def receiving(found: Iterable[Handoff], partner: str = "") -> Handoff | None:
    """The handoff of a ticket's that new items are for: where there are several that in which we do the work, unless a partner is named.

    Raises NotFoundError if the ticket is not with that partner.
    """
    running = [one for one in found if one.status in (*LIVE, AWAITING) and partner in ("", one.partner)]
    if partner and not running:
        raise NotFoundError(f"the ticket is not with {partner} now", "`chit board` shows what is with whom.")
    return next((one for one in running if one.role == SERVICE), running[0] if running else None)
