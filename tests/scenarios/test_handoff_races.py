"""Two who act at once on a handoff, each race forced, and what comes back from a backup: one side wins, and the other one is told why."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chit_sync import outsourcing
from chit_sync.authoring import Edit
from chit_sync.registers import Value
from support.organisations import Place, World

TERMS: dict[str, Value] = {"pay": "80.00", "pay_unit": "hour", "currency": "EUR", "instructions": "be quick"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """globex hands out to acme and initech; abe and bea are colleagues with copies of their own. One ticket."""
    made = World(tmp_path)
    lead = made.organisation("globex", "anna")
    for name, person in (("acme", "bob"), ("initech", "ivan")):
        made.partnership(lead, made.organisation(name, person))
    lead.write(Edit(None, {"title": "Printer on fire", "status": "new"}))
    made.colleague(lead, "abe")
    made.colleague(made.places["acme"], "bea")
    yield made
    made.close()


def offer(place: Place, partner: str = "acme", terms: dict[str, Value] = TERMS) -> None:
    place.write(outsourcing.offer(place.store, place.ticket(), partner, terms))


def rulings(place: Place, verb: str) -> list[str]:
    """What was decided on the moves of that verb, as this store has it."""
    return [move.ruling or "" for one in place.ticket().handoffs for move in one.moves if move.verb == verb]


def test_a_colleague_offers(world: World) -> None:
    """An offer made in a copy is provisional until the desk has ruled on it, and then reaches the partner."""
    lead, abe, acme = world.places["globex"], world.places["globex-abe"], world.places["acme"]
    offer(abe)
    assert (abe.handoff().status, abe.handoff().ruled, rulings(abe, "offer")) == ("assigned", "none", [""])
    world.exchange(abe)
    assert (lead.handoff().ruled, rulings(lead, "offer")) == ("assigned", ["taken"])
    world.settle()
    assert acme.handoff().ruled == abe.handoff().ruled == "assigned"


def test_an_offer_to_nobody(world: World) -> None:
    """A store that has leads, and no service partner, refuses a colleague's offer instead of leaving it open."""
    acme, bea = world.places["acme"], world.places["acme-bea"]
    bea.write(Edit(None, {"title": "Own", "status": "new"}))
    offer(bea, "initech")
    world.exchange(bea)
    assert acme.ticket().item_registers.keys() == bea.ticket().item_registers.keys()
    key = next(key for key in bea.ticket().item_registers if key.startswith("move/"))
    world.settle()
    assert bea.ticket().item(key)["ruling"] == acme.ticket().item(key)["ruling"] == "there is no partner 'initech'"


def test_a_colleague_goes_on_after_an_offer(world: World) -> None:
    """What the desk ruled between two changes of one push reaches who pushed them."""
    abe = world.places["globex-abe"]
    offer(abe)
    abe.write(Edit(abe.ticket(), {"queue": "second"}))
    world.settle()
    assert rulings(abe, "offer") == ["taken"]
    assert abe.handoff().ruled == "assigned"
