"""Amounts of money: exact whatever their size, refused with the reason where they are none, and rounded once."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chit_sync import checks, money
from chit_sync.errors import UsageError

HINT = "An amount is written like 80 or 80.50, with at most two decimals."

CENTS = st.integers(0, money.MAX_CENTS)


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("0", 0), ("80", 8000), ("80.5", 8050), ("80.05", 8005), ("80.00", 8000), ("0.01", 1), ("007", 700), (" 80 ", 8000),
        ("999999999999.99", 99_999_999_999_999),
    ],
)  # fmt: skip
def test_amounts(text: str, cents: int) -> None:
    """Whole, with one decimal or with two."""
    assert money.parse(text) == cents


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("80.505", "'80.505' has more than two decimals", HINT),
        ("80.000", "'80.000' has more than two decimals", HINT),
        ("-5", "'-5' is less than nothing", HINT),
        ("-0.01", "'-0.01' is less than nothing", HINT),
        ("80,50", "'80,50' is not an amount", "Write a point: 80.50."),
        ("1,000", "'1,000' is not an amount", HINT),
        ("1,000.00", "'1,000.00' is not an amount", HINT),
        ("1000000000000", "'1000000000000' is too large", "An amount has at most 12 digits before the point."),
        ("1000000000000.00", "'1000000000000.00' is too large", "An amount has at most 12 digits before the point."),
        ("9" * 5000, f"'{'9' * 100}' is too large", "An amount has at most 12 digits before the point."),
        ("", "'' is not an amount", HINT),
        (".", "'.' is not an amount", HINT),
        (".5", "'.5' is not an amount", HINT),
        ("80.", "'80.' is not an amount", HINT),
        ("+80", "'+80' is not an amount", HINT),
        ("--5", "'--5' is not an amount", HINT),
        ("1e3", "'1e3' is not an amount", HINT),
        ("1_000", "'1_000' is not an amount", HINT),
        ("0x10", "'0x10' is not an amount", HINT),
        ("NaN", "'NaN' is not an amount", HINT),
        ("inf", "'inf' is not an amount", HINT),
        ("8 0", "'8 0' is not an amount", HINT),
        ("80\n.5", "'80\\n.5' is not an amount", HINT),
        ("80 EUR", "'80 EUR' is not an amount", HINT),
        ("٨٠", "'٨٠' is not an amount", HINT),
        ("²", "'²' is not an amount", HINT),
        ("1.2.3", "'1.2.3' is not an amount", HINT),
    ],
)
def test_what_is_no_amount(text: str, message: str, hint: str) -> None:
    """The sentence names what was typed and what is wrong with it."""
    with pytest.raises(UsageError) as caught:
        money.parse(text)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@given(CENTS)
def test_spelled_and_read_again(cents: int) -> None:
    """What was spelled is read again as the same, and is what the schema takes."""
    text = money.spell(cents)
    assert money.parse(text) == cents
    checks.check("charge/k/amount", text)


def test_spelled() -> None:
    """Always two decimals; what is over a limit has its sign before it."""
    assert [money.spell(cents) for cents in (0, 1, 10, 8000, -1, -150)] == [
        "0.00", "0.01", "0.10", "80.00", "-0.01", "-1.50",
    ]  # fmt: skip


@given(st.text(max_size=20))
def test_any_text(text: str) -> None:
    """Whatever is typed is an amount that the schema takes, or a UsageError; nothing else."""
    try:
        cents = money.parse(text)
    except UsageError:
        return
    assert 0 <= cents <= money.MAX_CENTS
    checks.check("charge/k/amount", text.strip())


@pytest.mark.parametrize("text", ["EUR", "eur", "ChF"])
def test_currencies(text: str) -> None:
    """Three letters, kept as capitals."""
    assert money.check_currency(text) == text.upper()


@pytest.mark.parametrize("text", ["", "EU", "EURO", "€", "E R", "EU1", "ÄÖÜ", "ßß", "EUR\n", "x" * 500])
def test_what_is_no_currency(text: str) -> None:
    """Anything but three letters is refused by name."""
    with pytest.raises(UsageError) as caught:
        money.check_currency(text)
    assert caught.value.message == f"{text[:100]!r} is not a currency"
    assert caught.value.hint == "A currency has three letters, like EUR."


@pytest.mark.parametrize(
    ("minutes", "rate", "cents"),
    [
        (0, 8000, 0), (60, 8000, 8000), (90, 8000, 12000), (1, 8000, 133), (2, 8000, 267), (20, 100, 33), (40, 100, 67),
        (30, 1, 1), (29, 1, 0), (90, 1, 2), (60, 0, 0),
    ],
)  # fmt: skip
def test_pay(minutes: int, rate: int, cents: int) -> None:
    """A third of a cent falls away, half a cent is one."""
    assert money.pay_for(minutes, rate) == cents


@given(st.integers(0, 10**9), CENTS)
def test_pay_is_exact(minutes: int, rate: int) -> None:
    """The nearest cent to the exact pay, the higher one where two are as near."""
    exact = Fraction(minutes * rate, 60)
    error = money.pay_for(minutes, rate) - exact
    assert -Fraction(1, 2) < error <= Fraction(1, 2)
