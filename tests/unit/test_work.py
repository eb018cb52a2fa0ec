"""Spans of time, and what a handoff comes to: whose work counts, what is left, and what is owed."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chit_sync import checks, money, work
from chit_sync.errors import NotFoundError, UsageError
from chit_sync.handoffs import Handoff
from chit_sync.registers import Registers, Value
from chit_sync.store import worked
from chit_sync.store.database import CHUNK, Store
from chit_sync.ticket import Ticket
from support.stores import NOON, Clock, change, new

HINT = "A span is written like 1h30m, 90m, 1.5h or 1:30."


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("1h30m", 90), ("90m", 90), ("1.5h", 90), ("1,5h", 90), ("1:30", 90), ("1h", 60), ("0:05", 5), ("1h 30m", 90),
        ("1H30M", 90), (" 5m ", 5), ("0h5m", 5), ("1h90m", 150), ("0.25h", 15), ("0.33h", 20), ("168h", 10_080),
        ("1.008333h", 60), ("1.008334h", 61), ("0.025h", 2), ("0.00834h", 1),
    ],
)  # fmt: skip
def test_spans(text: str, minutes: int) -> None:
    """Hours and minutes in the ways that people write them; to the nearest minute, half of one up."""
    assert work.parse_span(text) == minutes


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "'' is not a span of time", HINT),
        ("h", "'h' is not a span of time", HINT),
        ("m", "'m' is not a span of time", HINT),
        ("90", "'90' has no unit", "Write 90m or 90h."),
        ("1.5", "'1.5' is not a span of time", HINT),
        ("-1h", "'-1h' is not a span of time", HINT),
        ("1d", "'1d' is not a span of time", HINT),
        ("30m1h", "'30m1h' is not a span of time", HINT),
        ("1:60", "'1:60' is not a span of time", HINT),
        ("1:5", "'1:5' is not a span of time", HINT),
        ("1:30h", "'1:30h' is not a span of time", HINT),
        ("1.5m", "'1.5m' is not a span of time", HINT),
        ("1h\n30m", "'1h\\n30m' is not a span of time", HINT),
        ("١h", "'١h' is not a span of time", HINT),
        ("1e2m", "'1e2m' is not a span of time", HINT),
        ("soon", "'soon' is not a span of time", HINT),
        ("0m", "'0m' is no time at all", HINT),
        ("0h0m", "'0h0m' is no time at all", HINT),
        ("0:00", "'0:00' is no time at all", HINT),
        ("0.008h", "'0.008h' is no time at all", HINT),
        ("169h", "'169h' is too long", "At most 168h at a time."),
        ("10081m", "'10081m' is too long", "At most 168h at a time."),
        ("9" * 7 + "h", f"'{'9' * 7}h' is too long", "At most 168h at a time."),
        ("9" * 500 + "h", f"'{'9' * 100}' is not a span of time", HINT),
    ],
)
def test_what_is_no_span(text: str, message: str, hint: str) -> None:
    """The sentence names what was typed and what is wrong with it."""
    with pytest.raises(UsageError) as caught:
        work.parse_span(text)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@given(st.integers(1, work.MOST_MINUTES))
def test_a_span_spelled_and_read_again(minutes: int) -> None:
    """What was spelled is read again as the same."""
    assert work.parse_span(work.spell_span(minutes)) == minutes


def test_spans_spelled() -> None:
    """Hours and minutes, without those that are none; what is over a limit has its sign before it."""
    assert [work.spell_span(minutes) for minutes in (0, 1, 60, 90, 600, -45)] == [
        "0m",
        "1m",
        "1h",
        "1h30m",
        "10h",
        "-45m",
    ]


@given(st.text(max_size=12) | st.from_regex(r"[0-9]{0,9}[:.,hm ]?[0-9]{0,9}[hm]?", fullmatch=True))
def test_any_span(text: str) -> None:
    """Whatever is typed is a span that is kept, or a UsageError; nothing else."""
    try:
        minutes = work.parse_span(text)
    except UsageError:
        return
    assert 0 < minutes <= work.MOST_MINUTES


def test_the_paths_of_an_entry() -> None:
    """They are what the schema takes; a note that says nothing is left out."""
    time = work.time_paths("k", 90, NOON, "Replaced it.\n\nTwice.", "internal")
    charge = work.charge_paths("k", 8050, "EUR", "Fuser", "public")
    for path, value in {**time, **charge}.items():
        checks.check(path, value)
    assert time == {
        "time/k/minutes": 90, "time/k/date": NOON, "time/k/visibility": "internal", "time/k/note": "Replaced it.\n\nTwice.",
    }  # fmt: skip
    assert charge == {
        "charge/k/amount": "80.50", "charge/k/currency": "EUR", "charge/k/visibility": "public", "charge/k/note": "Fuser",
    }  # fmt: skip
    assert "time/k/note" not in work.time_paths("k", 90, NOON, " \n", "public")
    assert "charge/k/note" not in work.charge_paths("k", 1, "EUR", "", "public")


LEAD_ONE = "lead@globex"
ONE = "carl@acme"
"""Somebody at the service partner acme, which works for globex."""


def ticket(role: str = "lead", items: dict[str, tuple[str, dict[str, Value]]] | None = None) -> Ticket:
    """A ticket with the handoff h of globex to acme, in the store of the one or the other, and items: KIND/ID to author and values."""
    known: dict[str, tuple[str, dict[str, Value]]] = {
        "handoff/h": (LEAD_ONE, {"role": role, "lead": "globex", "service": "acme"}),
        **(items or {}),
    }
    registers: dict[str, Registers[int]] = {
        key: {name: [(1, value)] for name, value in values.items()} for key, (_, values) in known.items()
    }
    origins = {key: (by, NOON) for key, (by, _) in known.items()}
    return Ticket(1, "k" * 32, NOON, NOON, "anna", "open", {}, registers, [], [], [], [], 1, origins)


def handoff(**terms: Value) -> Handoff:
    """The handoff h with these terms."""
    return Handoff(
        "h", NOON, {"role": "lead", "lead": "globex", "service": "acme", **terms}, (), (), "accepted", "accepted"
    )


def time(minutes: int, **values: Value) -> dict[str, Value]:
    """A time entry for the handoff h."""
    return {"minutes": minutes, "date": NOON, "to": "h", **values}


def charge(amount: str, **values: Value) -> dict[str, Value]:
    """A charge for the handoff h, in euros."""
    return {"amount": amount, "currency": "EUR", "to": "h", **values}


MIXED: dict[str, tuple[str, dict[str, Value]]] = {
    "time/a": (ONE, time(60)),
    "time/b": (ONE, time(30)),
    "time/held": (ONE, time(1000, held="h")),
    "time/deleted": (ONE, time(1000, deleted=True)),
    "time/other": (ONE, time(1000, to="g")),
    "time/local": (ONE, {"minutes": 1000, "date": NOON}),
    "time/lead": (LEAD_ONE, time(1000)),
    "charge/a": (ONE, charge("10")),
    "charge/b": (ONE, charge("0.05")),
    "charge/held": (ONE, charge("1000", held="h")),
    "charge/deleted": (ONE, charge("1000", deleted=True)),
    "charge/other": (ONE, charge("1000", to="g")),
    "charge/local": (ONE, {"amount": "1000", "currency": "EUR"}),
    "charge/lead": (LEAD_ONE, charge("1000")),
    "charge/bundle": (ONE, charge("1000", bundle="h")),
}
"""What counts for the handoff, and with a thousand in it what does not."""


@pytest.mark.parametrize("role", ["lead", "service"])
def test_what_counts(role: str) -> None:
    """On both sides alike: the partner's items of this handoff that are neither held nor deleted, and no bundle."""
    both = ticket(role, MIXED)
    assert work.used_minutes(both, "h") == 90
    assert work.charged(both, "h") == 1005
    assert work.left_minutes(both, handoff()) is None
    assert work.left_charges(both, handoff()) is None
    assert work.left_minutes(both, handoff(authorized_minutes=100)) == 10
    assert work.left_minutes(both, handoff(authorized_minutes=0)) == -90
    assert work.left_charges(both, handoff(authorized_charges="10.00")) == -5
    assert work.left_charges(both, handoff(authorized_charges="0")) == -1005


def test_whose_work_counts() -> None:
    """At the lead only who bears the partner's name; at the partner everybody but who bears the lead's."""
    entries: dict[str, tuple[str, dict[str, Value]]] = {"time/a": ("anna", time(7)), "time/b": ("x@other", time(40))}
    assert work.used_minutes(ticket("lead", entries), "h") == 0
    assert work.used_minutes(ticket("service", entries), "h") == 47


@pytest.mark.parametrize(
    ("limit", "minutes", "replaces", "reason"),
    [
        (None, 10_000, "", ""),
        (120, 30, "", ""),
        (120, 31, "", "31m is more than is authorised: 30m is left of 2h"),
        (120, 60, "", "1h is more than is authorised: 30m is left of 2h"),
        (120, 60, "b", ""),
        (120, 61, "b", "1h1m is more than is authorised: 1h is left of 2h"),
        (120, 61, "held", "1h1m is more than is authorised: 30m is left of 2h"),
        (90, 1, "", "1m is more than is authorised: nothing is left of 1h30m"),
        (30, 1, "", "1m is more than is authorised: nothing is left of 30m"),
        (0, 1, "", "1m is more than is authorised: nothing is left of 0m"),
    ],
)
def test_more_time_than_authorised(limit: int | None, minutes: int, replaces: str, reason: str) -> None:
    """The limit itself is allowed; beyond it the figure that is left is named. An entry that is edited does not count twice."""
    terms: dict[str, Value] = {"authorized_minutes": limit}
    assert work.refuse_time(ticket(items=MIXED), handoff(**terms), minutes, replaces) == reason


@pytest.mark.parametrize(
    ("terms", "amount", "currency", "replaces", "reason"),
    [
        ({}, "999999999999.99", "CHF", "", ""),
        ({"currency": "EUR"}, "1", "EUR", "", ""),
        ({"currency": "EUR"}, "1", "CHF", "", "the amount is in CHF; EUR is agreed"),
        ({"currency": "EUR", "authorized_charges": "20"}, "9.95", "EUR", "", ""),
        (
            {"currency": "EUR", "authorized_charges": "20"}, "9.96", "EUR", "",
            "9.96 EUR is more than is authorised: 9.95 is left of 20.00",
        ),
        ({"currency": "EUR", "authorized_charges": "20"}, "19.95", "EUR", "a", ""),
        (
            {"currency": "EUR", "authorized_charges": "20"}, "19.96", "EUR", "a",
            "19.96 EUR is more than is authorised: 19.95 is left of 20.00",
        ),
        ({"authorized_charges": "10"}, "0.01", "EUR", "", "0.01 EUR is more than is authorised: nothing is left of 10.00"),
        ({"authorized_charges": "10.05"}, "0", "EUR", "", ""),
    ],
)  # fmt: skip
def test_more_charges_than_authorised(
    terms: dict[str, Value], amount: str, currency: str, replaces: str, reason: str
) -> None:
    """The limit itself is allowed; beyond it the figure that is left is named, and so is a currency that was not agreed."""
    refused = work.refuse_charge(ticket(items=MIXED), handoff(**terms), money.parse(amount), currency, replaces)
    assert refused == reason


@pytest.mark.parametrize(
    ("terms", "owed"),
    [
        ({}, None),
        ({"pay": "80", "pay_unit": "hour", "currency": "EUR"}, (12000, "EUR")),
        ({"pay": "80", "currency": "EUR"}, (12000, "EUR")),
        ({"pay": "0.01", "pay_unit": "hour", "currency": "EUR"}, (2, "EUR")),
        ({"pay": "500.50", "pay_unit": "flat", "currency": "CHF"}, (50050, "CHF")),
    ],
)
def test_what_is_owed(terms: dict[str, Value], owed: tuple[int, str] | None) -> None:
    """The partner's time at the agreed rate, or the flat amount, or nothing where no pay is agreed."""
    assert work.bundle(ticket(items=MIXED), handoff(**terms)) == owed


@given(st.lists(st.integers(1, work.MOST_MINUTES), max_size=30), st.integers(0, 10**7))
def test_the_bundle_is_rounded_once(spans: list[int], rate: int) -> None:
    """However many entries there are, the bundle is within half a cent of the exact pay; rounding each would add up."""
    items = {f"time/{number}": (ONE, time(minutes)) for number, minutes in enumerate(spans)}
    owed = work.bundle(ticket(items=items), handoff(pay=money.spell(rate), pay_unit="hour", currency="EUR"))
    assert owed is not None
    assert abs(owed[0] - Fraction(sum(spans) * rate, 60)) <= Fraction(1, 2)


def live(ident: str, status: str, **values: Value) -> tuple[str, tuple[str, dict[str, Value]]]:
    """A handoff among a ticket's items."""
    return f"handoff/{ident}", (LEAD_ONE, {"status": status, **values})


def test_the_handoff_that_new_items_are_for() -> None:
    """That in progress; in a chain that in which we are the service partner, unless a partner is named."""
    up = live("u", "accepted", role="service", lead="globex", service="acme")
    down = live("d", "awaiting-approval", role="lead", lead="acme", service="initech")
    over = live("o", "completed", role="service", lead="globex", service="acme")
    offered = live("q", "assigned", role="lead", lead="acme", service="initech")

    def found(*handoffs: tuple[str, tuple[str, dict[str, Value]]], partner: str = "") -> str:
        one = work.receiving(ticket(items=dict(handoffs)).handoffs, partner)
        return "" if one is None else one.id

    assert found() == found(over, offered) == ""
    assert found(down, over) == "d"
    assert found(up, down, over) == found(down, up) == "u"
    assert found(up, down, partner="initech") == "d"
    with pytest.raises(NotFoundError, match="not with nobody now"):
        found(up, down, partner="nobody")


def test_entries_of_many_tickets(store: Store, clock: Clock) -> None:
    """Those of all tickets but deleted ones, or of some, between two times, by their date; what was deleted is left out."""
    hour = 3_600_000_000
    first, second, gone = (new(store, title=title) for title in ("one", "two", "gone"))
    first = change(store, first, work.time_paths("a", 10, NOON - hour, "", "public"))
    change(
        store,
        first,
        {**work.time_paths("b", 20, NOON - 3 * hour, "", "public"), **work.time_paths("c", 5, NOON, "", "public")},
    )
    change(store, second, work.time_paths("d", 30, NOON - 2 * hour, "Looked.", "internal"), by="berta")
    change(store, gone, {**work.time_paths("e", 40, NOON, "", "public"), "deleted": True})
    clock.now += hour
    change(
        store, second, {**work.charge_paths("f", 100, "EUR", "", "public"), "time/d/held": "h", "comment/k/body": "x"}
    )
    taken = change(store, second, work.time_paths("g", 1, NOON, "", "public"))
    change(store, taken, {"time/g/deleted": True})

    def found(*arguments: object, **named: object) -> list[str]:
        return [one.id for one in worked.entries(store, *arguments, **named)]  # type: ignore[arg-type]  # in every combination

    assert found("time") == ["b", "d", "a", "c"]
    assert found("charge") == ["f"]
    assert found("time", [second.number]) == ["d"]
    assert found("time", [gone.number, first.number]) == ["b", "a", "c", "e"]
    assert found("time", []) == []
    assert found("time", [first.number, *range(10, 11 + CHUNK)]) == ["b", "a", "c"]
    assert found("time", since=NOON - 2 * hour) == ["d", "a", "c"]
    assert found("time", until=NOON - 2 * hour) == ["b"]
    assert found("time", since=NOON - 2 * hour, until=NOON) == ["d", "a"]
    assert found("charge", since=NOON + hour) == ["f"]
    assert found("charge", until=NOON + hour) == []
    (one,) = worked.entries(store, "time", [second.number])
    assert (one.ticket, one.author, one.time) == (second.id, "berta", NOON - 2 * hour)
    assert one.values == {
        "minutes": 30, "date": NOON - 2 * hour, "note": "Looked.", "visibility": "internal", "held": "h",
    }  # fmt: skip
