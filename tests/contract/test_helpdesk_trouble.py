"""What every adapter must do when the server is in trouble. Held against the stand-ins, which misbehave on order.

Nothing is done twice if its caller keeps to the rules: asks `find` after a doubt, repeats after everything else. No question is ever
answered with less than all.
"""

import importlib.util
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chit_sync.clock import HOUR, SECOND
from chit_sync.errors import AccessError, RemoteError
from chit_sync.helpdesks import address
from chit_sync.helpdesks.base import Call, DoubtError, RefusedError, Snapshot
from support.sites import FOLDER, WHEN, Sides, attaching, item_token, same, sides

KINDS = [
    kind
    for kind in address.KINDS
    if (FOLDER / f"{kind}.py").exists() and importlib.util.find_spec(address.KINDS[kind][0])
]
TROUBLES = ("done_then_500", "ok_not_done", "html", "redirect", "half_page", "cut_after")


@pytest.fixture(params=KINDS)
def desk(request: pytest.FixtureRequest) -> Iterator[Sides]:
    """A stand-in of its own for each test, from both sides."""
    with sides(f"{request.param}-standin", None) as found:
        yield found


def _order(desk: Sides, what: str, amount: int = 1) -> None:
    """The next answers (bytes of the next answer, for `cut_after`) are in trouble."""
    there: Any = desk.there
    if what == "rate_limit":
        there.rate_limit(amount)
    else:
        setattr(there, what, amount)


def _calm(desk: Sides) -> None:
    """All is well again."""
    there: Any = desk.there
    for what in TROUBLES:
        setattr(there, what, None if what == "cut_after" else 0)


Making = Callable[[Sides, int], Call]
CALLS: dict[str, tuple[Making, bytes]] = {
    "create": (lambda desk, number: desk.creating("Only once", "Text"), b""),
    "comment": (lambda desk, number: Call("comment", number, item_token(), {"body": "Only once", "public": True}), b""),
    "attach": (lambda desk, number: attaching(number, "once.txt", b"once"), b"once"),
    "time": (
        lambda desk, number: Call("time", number, item_token(), {"minutes": 30, "date": WHEN, "note": "Only once"}),
        b"",
    ),
}


def _items(desk: Sides, number: int, verb: str) -> list[str]:
    """What is there that the call makes, by its id."""
    if verb == "create":
        return [str(other) for other, ticket in desk.there.tickets().items() if ticket["title"] == "Only once"]
    found = desk.read(number)
    items: dict[str, list[str]] = {
        "comment": [each.id for each in found.comments if each.body == "Only once"],
        "attach": [each.id for each in found.files],
        "time": [each.id for each in found.works],
    }
    return items[verb]


@pytest.mark.parametrize("verb", CALLS)
@pytest.mark.parametrize("trouble", [*TROUBLES, "rate_limit"])
def test_nothing_is_done_twice(desk: Sides, verb: str, trouble: str) -> None:
    """Whatever becomes of the answer to a call, it is done once in the end, and is never done twice."""
    making, data = CALLS[verb]
    number = desk.create().number
    call = making(desk, number)
    _order(desk, trouble, 5 if trouble == "cut_after" else 1)
    for attempt in range(4):
        doubtful = False
        try:
            desk.here.perform(call, io.BytesIO(data) if verb == "attach" else None)
        except DoubtError:
            doubtful = True
        except (RemoteError, RefusedError):
            pass
        if attempt == 0:
            _calm(desk)
        done = desk.here.find(call, set()) if doubtful else None  # which may also end what was begun
        there = _items(desk, number, verb)
        assert len(there) <= 1
        if doubtful:
            assert there == ([] if done is None else [str(done.number) if verb == "create" else done.id])
        if there:
            return
    pytest.fail("it was never done")


QUESTIONS: dict[str, Callable[[Sides, int], object]] = {
    "describe": lambda desk, number: desk.here.describe().statuses,
    "changed": lambda desk, number: sorted(
        found.number for page in desk.here.changed("", set()) for found in page.found
    ),
    "numbers": lambda desk, number: sorted(desk.here.numbers()),
    "read": lambda desk, number: desk.read(number),
    "find": lambda desk, number: desk.here.find(
        Call("comment", number, item_token(), {"body": "Not said", "public": True}), set()
    ),
}


ANSWERS = [(what, question) for what in ("html", "redirect", "half_page", "rate_limit") for question in QUESTIONS]
ANSWERS += [
    ("cut_after 7", "numbers"),
    ("cut_after 90", "read"),
]  # each takes its time: the question is asked again after a while


@pytest.mark.parametrize(("trouble", "question"), ANSWERS)
def test_answer_is_whole_or_an_error(desk: Sides, trouble: str, question: str) -> None:
    """A question to a server in trouble is answered as it would be otherwise, or with an error in words; never with less."""
    numbers = [desk.there.add_ticket(f"Ticket {n}", "Text") for n in range(3)]
    desk.there.say(numbers[0], "Said")
    ask = QUESTIONS[question]
    wanted = ask(desk, numbers[0])
    what, _, amount = trouble.partition(" ")
    _order(desk, what, int(amount or 1))
    said = ""
    try:
        told = ask(desk, numbers[0])
    except RemoteError as error:
        said = error.message
        _calm(desk)
        told = ask(desk, numbers[0])
    assert "\n" not in said
    assert same(told, wanted) if isinstance(told, Snapshot) and isinstance(wanted, Snapshot) else told == wanted


@pytest.mark.parametrize("method", ["describe", "numbers", "changed"])
def test_empty_answer_to_a_stranger(desk: Sides, method: str) -> None:
    """Also where the server answers a bad token with an empty list, that is an error about access."""
    desk.there.add_ticket("There is something", "Text")
    if hasattr(desk.there, "empty_on_bad_token"):
        desk.there.empty_on_bad_token = True
    with pytest.raises(AccessError):
        list(getattr(desk.stranger, method)(*(("", set()) if method == "changed" else ())))


@pytest.mark.parametrize("hours", [-13, -1, 1, 13])
def test_clock_that_is_hours_off(desk: Sides, hours: int) -> None:
    """What changes on a server whose clock is wrong is told all the same."""
    there: Any = desk.there
    there.clock_offset = hours * HOUR // (SECOND if there.url.partition("+")[0] != "roundup" else 1)
    number = desk.there.add_ticket("Hours off", "Text")
    desk.caught_up()
    for n in range(2):
        desk.there.edit(number, title=f"Edited {n}")
        desk.caught_up()
        assert desk.seen[number].fields["title"] == f"Edited {n}"
    desk.there.add_ticket("Another", "Text")
    desk.caught_up()
    assert {found.fields["title"] for found in desk.seen.values()} >= {"Edited 1", "Another"}


def test_pages_that_shift(desk: Sides) -> None:
    """Where tickets come and go between two pages, none is left out for good."""
    there: Any = desk.there
    made = [there.add_ticket(f"Ticket {n}", "Text") for n in range(230)]
    there.shift_pages = True
    told: set[int] = set()
    cursor = ""
    for page in desk.here.changed("", set()):
        told |= {found.number for found in page.found}
        cursor = page.cursor
    there.shift_pages = False
    for page in desk.here.changed(cursor, told):
        told |= {found.number for found in page.found}
    assert set(made) & set(there.tickets()) <= told
