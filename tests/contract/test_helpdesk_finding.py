"""How every adapter of a helpdesk finds out whether a call whose answer was lost was done: never what was not, never what another did."""

import io
from collections.abc import Callable

import pytest

from chit_sync.helpdesks.base import Call, Outcome
from support.sites import WHEN, Sides, attaching, item_token


def _commenting(number: int) -> Callable[[], Call]:
    return lambda: Call("comment", number, item_token(), {"body": "The same text", "public": True})


def _timing(number: int) -> Callable[[], Call]:
    return lambda: Call("time", number, item_token(), {"minutes": 30, "date": WHEN, "note": "The same note"})


FINDABLE: dict[str, tuple[str, Callable[[int], Callable[[], Call]], bytes]] = {
    "comment": ("replies", _commenting, b""),
    "attach": ("attachments", lambda number: lambda: attaching(number, "same.txt", b"the same"), b"the same"),
    "time": ("time", _timing, b""),
}


@pytest.mark.parametrize("verb", FINDABLE)
def test_found_is_what_was_done(desk: Sides, verb: str) -> None:
    """What was done is found, what was not is not: also if it says the same as something that is known to be another."""
    feature, calls, data = FINDABLE[verb]
    if not desk.writes(feature):
        return
    call = calls(desk.create().number)

    def perform(wanted: Call) -> Outcome:
        return desk.here.perform(wanted, io.BytesIO(data) if verb == "attach" else None)

    def ids(number: int) -> list[str]:
        found = desk.read(number)
        items: dict[str, list[str]] = {
            "comment": [each.id for each in found.comments],
            "attach": [each.id for each in found.files],
            "time": [each.id for each in found.works],
        }
        return items[verb]

    first, second = call(), call()
    assert desk.here.find(first, set()) is None
    perform(first)
    (one,) = ids(first.number)
    done = desk.here.find(first, set())
    assert done is not None
    assert done.id == one
    assert desk.here.find(second, {one}) is None
    perform(second)
    (other,) = set(ids(first.number)) - {one}
    again = desk.here.find(second, {one})
    assert again is not None
    assert again.id == other


def test_not_found_is_what_another_said(desk: Sides) -> None:
    """The same words of somebody else, on the ticket or on another, are not ours."""
    made = desk.create()
    desk.there.say(made.number, "The same text", True)
    call = _commenting(made.number)()
    assert desk.here.find(call, set()) is None
    desk.do("comment", desk.create().number, body="The same text", public=True)
    assert desk.here.find(call, set()) is None


def test_created_ticket_is_found(desk: Sides) -> None:
    """A ticket that was made is found by its token, one that was not is not, though one of the same title and text is there."""
    first, second = (desk.creating("The same title", "The same text") for _ in range(2))
    assert desk.here.find(first, set()) is None
    number = desk.here.perform(first).number
    found = desk.here.find(first, set())
    assert found is not None
    assert found.number == number
    desk.there.add_ticket("The same title", "The same text")
    assert desk.here.find(second, set()) is None
    assert desk.here.find(second, {str(number)}) is None
    other = desk.here.perform(second).number
    assert other != number
    found = desk.here.find(second, {str(number)})
    assert found is not None
    assert found.number == other
