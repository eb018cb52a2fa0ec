"""Amounts of money: text outside, whole hundredths ("cents") inside, so that every sum is exact.

Pure, and no fraction in binary anywhere. `decimal` would do, and would cost every command that shows a ticket its import.
A currency with thousandths or without hundredths is kept in hundredths too; nothing is ever converted.
"""

from chit_sync.checks import MAX_DIGITS, MAX_NAME, is_decimal
from chit_sync.errors import UsageError

HINT = "An amount is written like 80 or 80.50, with at most two decimals."

MAX_CENTS = 100 * 10**MAX_DIGITS - 1
"""The largest amount that can be kept."""


def parse(text: str) -> int:
    """The cents of an amount such as `80` or `80.50`. Raises UsageError."""
    typed = text.strip()
    if not is_decimal(typed):
        raise _problem(typed)
    whole, _, part = typed.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0"))


def _problem(text: str) -> UsageError:
    """What is wrong with a text that is no amount."""
    typed = repr(text[:MAX_NAME])
    whole, point, part = text.partition(".")
    if text.startswith("-") and is_decimal(text[1:]):
        return UsageError(f"{typed} is less than nothing", HINT)
    if "," in text and is_decimal(text.replace(",", ".")):
        pointed = text.replace(",", ".")
        return UsageError(f"{typed} is not an amount", f"Write a point: {pointed}.")
    if text.isascii() and whole.isdecimal() and part.isdecimal() and len(part) > 2:
        return UsageError(f"{typed} has more than two decimals", HINT)
    if text.isascii() and whole.isdecimal() and (part.isdecimal() or not point):
        return UsageError(f"{typed} is too large", f"An amount has at most {MAX_DIGITS} digits before the point.")
    return UsageError(f"{typed} is not an amount", HINT)


def spell(cents: int) -> str:
    """The amount as it is kept and shown: `80.00`."""
    whole, part = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{part:02d}"


def check_currency(text: str) -> str:
    """The currency, in capital letters. Raises UsageError for what cannot be one.

    Which currencies there are is not checked: that list changes, and two organisations may agree on any.
    """
    code = text.upper()
    if len(text) != 3 or not (text.isascii() and text.isalpha()):
        raise UsageError(f"{text[:MAX_NAME]!r} is not a currency", "A currency has three letters, like EUR.")
    return code


def pay_for(minutes: int, rate: int) -> int:
    """What so many minutes cost at a rate in cents for an hour, rounded once, half a cent up."""
    return (2 * minutes * rate + 60) // 120
