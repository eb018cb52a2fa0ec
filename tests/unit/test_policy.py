"""What a store takes from another one. The contract suite holds both logs to the reasons; here is the rule itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chit_sync import checks, policy, schema
from chit_sync.change import Change
from chit_sync.clock import DAY, HOUR, MAX_AHEAD, MINUTE
from chit_sync.codec import make
from chit_sync.errors import UsageError
from chit_sync.registers import Value

TICKET = "k" * 32


def _change(sets: dict[str, Value] | None = None, **other: object) -> tuple[Change, bytes, bytes]:
    given_: dict[str, object] = {
        "ticket": TICKET, "at": 1, "by": "anna", "nonce": "n", "over": [], "when": None, **other,
    }  # fmt: skip
    return make(sets={"title": "A"} if sets is None else sets, **given_)  # type: ignore[arg-type]  # one dict for all kinds


def test_a_good_change_passes() -> None:
    """A change that is as it should be is read."""
    change, body, ident = _change(over=["0" * 40], mirror="klmnopqrstuvwxyz")
    assert policy.examine(ident, body).set == change.set


def test_an_id_of_other_bytes_is_a_mismatch() -> None:
    """A change whose id does not follow from its bytes is an error of its own kind, so that `fsck` and a pull can tell it."""
    _, body, ident = _change()
    with pytest.raises(policy.MismatchError, match=f"the id {ident.hex()} does not match the change's bytes"):
        policy.examine(ident, body + b" ")
    assert policy.is_genuine(ident, body)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"ticket": "K" * 32}, f"{'K' * 32!r} is not the id of a ticket"),
        ({"by": "x" * 1_001}, "cannot be the name of an author"),
        ({"by": "a\u2028b"}, "cannot be the name of an author"),
        ({"sets": {}}, "it sets 0 fields"),
        ({"sets": {f"x.{n}": "1" for n in range(10_001)}}, "it sets 10001 fields"),
        ({"over": ["0" * 40] * 10_001}, "what it replaces is not named by ids of changes"),
        ({"over": ["A" * 40]}, "what it replaces is not named by ids of changes"),
        ({"over": ["0" * 40 + "\n"]}, "what it replaces is not named by ids of changes"),
        ({"nonce": "n" * 101}, "the nonce has 101 characters"),
        ({"nonce": "ü"}, "the nonce has 1 characters"),
        ({"mirror": "k" * 15}, f"{'k' * 15!r} cannot name the helpdesk that it was read from"),
        ({"mirror": "k" * 17}, "cannot name the helpdesk that it was read from"),
        ({"mirror": "a" * 16}, "cannot name the helpdesk that it was read from"),
        ({"mirror": "k" * 15 + "\n"}, "cannot name the helpdesk that it was read from"),
        ({"mirror": "k" * 16, "sets": {"handoff/k/status": "completed"}}, "a helpdesk knows nothing of handoffs"),
        ({"mirror": "k" * 16, "sets": {"title": "a", "move/k/verb": "accept"}}, "a helpdesk knows nothing of handoffs"),
        ({"sets": {"deleted": False}}, "deleted is true or empty, not False"),
        ({"sets": {"due": True}}, "due is a whole number, not True"),
        ({"sets": {"title": ""}}, "title has 0 characters"),
        ({"sets": {"labels/a,b": True}}, "'a,b' cannot be a label"),
        ({"sets": {"x.a b": "1"}}, "'a b' cannot name a custom field"),
        ({"sets": {"x.a": 1}}, "x.a is a text, not 1"),
    ],
)
def test_the_reason_names_what_is_wrong(other: dict[str, object], reason: str) -> None:
    """Each thing that is wrong has words for the change's author."""
    assert reason in policy.refuse(_change(**other)[0])  # type: ignore[arg-type]  # one dict for all kinds


def test_authors_may_have_any_printable_name() -> None:
    """Names in any script pass, with blanks and signs."""
    for name in ("Zoë", "李 雷", "anna@example.com", "O'Neil", "a\u00a0b"):
        assert policy.refuse(_change(by=name)[0]) == ""


_paths = st.sampled_from(
    [*schema.FIELDS, "x.a", "x.", "x.a b", "labels/a", "labels/", "comment/kk/body", "comment/kk/visibility", "other"]
)
_values: st.SearchStrategy[Value] = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=5), st.text(min_size=995, max_size=1_005),
    st.sampled_from(["high", "low", "incident", "normal", "public", "open"]),
)  # fmt: skip


@given(_paths, _values)
def test_the_short_way_agrees_with_the_schema(path: str, value: Value) -> None:
    """What most changes hold is not put to the schema one by one, and still never passes where the schema forbids it."""
    try:
        checks.check(path, value)
        expected = ""
    except UsageError as error:
        expected = error.message
    change = Change(ticket=TICKET, at=1, by="a", set={path: value}, nonce="n")
    assert policy.refuse(change) == expected


def test_a_clock_ahead_is_told_by_how_much() -> None:
    """Up to the limit a stamp ahead is taken; beyond, the reason names the span."""
    assert policy.ahead(_change(at=MAX_AHEAD)[0], 0) == ""
    assert policy.ahead(_change(at=MAX_AHEAD + 1)[0], 0) == "its clock is 1 hour ahead of the time here"
    assert policy.ahead(_change(at=400 * DAY)[0], 0) == "its clock is 1 year ahead of the time here"


@pytest.mark.parametrize(
    ("time", "words"),
    [(0, "less than a minute"), (MINUTE, "1 minute"), (90 * MINUTE, "2 hours"), (3 * DAY + HOUR, "3 days")],
)
def test_spans_are_rounded(time: int, words: str) -> None:
    """A span is said in its largest unit."""
    assert policy.span(time) == words


def test_scopes() -> None:
    """A reader reads, an agent and a partner write too, nobody else does anything."""
    allowed = {(scope, action) for scope in (*policy.SCOPES, "other", "") for action in ("read", "append", "admin")}
    assert {pair for pair in allowed if policy.may(*pair)} == {
        ("admin", "read"), ("admin", "append"), ("admin", "admin"), ("agent", "read"), ("agent", "append"), ("reader", "read"),
        ("partner", "read"), ("partner", "append"),
    }  # fmt: skip
