"""Two who act at once on a handoff, each race forced, and what comes back from a backup: one side wins, and the other one is told why."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chit_sync import outsourcing
from chit_sync.authoring import Edit, comment_paths
from chit_sync.errors import ConflictError
from chit_sync.registers import Value
from chit_sync.sharing import move_paths
from chit_sync.store import remotes
from chit_sync.store.making import new_item
from chit_sync.store.undo import undo
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


def accepted(world: World) -> tuple[Place, Place]:
    """The ticket is with acme, which works on it."""
    lead, acme = world.places["globex"], world.places["acme"]
    offer(lead)
    world.exchange(acme, "globex")
    acme.write(outsourcing.accept(acme.store, acme.ticket()))
    world.exchange(acme, "globex")
    assert (lead.handoff().ruled, acme.handoff().ruled) == ("accepted", "accepted")
    return lead, acme


def comment(place: Place, body: str, visibility: str = "public") -> str:
    """Says something; KIND/ID of it."""
    item = new_item(place.store)
    place.write(Edit(place.ticket(), comment_paths(item, body, visibility)))
    return f"comment/{item}"


def act(place: Place, verb: str, reason: str = "why") -> None:
    place.write(outsourcing.act(place.store, place.ticket(), verb, reason=reason))


def submit(place: Place, summary: str = "") -> None:
    place.write(outsourcing.submit(place.store, place.ticket(), summary=summary))


def test_an_editor_open_while_the_work_is_submitted(world: World) -> None:
    """Who began to edit a shared comment before the submission came cannot save it afterwards."""
    lead, acme = accepted(world)
    key = comment(lead, "as it was")
    seen = lead.ticket()
    submit(acme)
    world.exchange(acme, "globex")
    with pytest.raises(ConflictError, match="cannot change while the work awaits approval"):
        lead.write(Edit(seen, {f"{key}/body": "changed"}))
    world.settle()
    assert [place.ticket().item(key)["body"] for place in (lead, acme)] == ["as it was"] * 2


def test_two_who_offer_the_same_draft(world: World) -> None:
    """The second one's terms do not end up in the offer that the first one sent."""
    lead = world.places["globex"]
    lead.write(outsourcing.offer(lead.store, lead.ticket(), "acme", TERMS, draft=True))
    seen = lead.ticket()
    offer(lead)
    with pytest.raises(ConflictError, match="the terms are locked: the handoff is assigned"):
        lead.write(outsourcing.offer(lead.store, seen, "acme", {**TERMS, "instructions": "other ones"}))
    assert lead.handoff().value("instructions") == "be quick"


def test_an_editor_open_while_the_ticket_is_taken_on(world: World) -> None:
    """Who began to write a comment before there was a handoff sends it to the partner all the same."""
    seen = world.places["globex"].ticket()
    lead, acme = accepted(world)
    lead.write(Edit(seen, comment_paths(new_item(lead.store), "late words", "public")))
    world.settle()
    assert [one.body for one in acme.ticket().comments] == ["late words"]


def test_a_colleague_releases_while_the_desk_submits(world: World) -> None:
    """What a colleague releases, not knowing of a submission, stays held back instead of getting lost between the two."""
    lead, acme = accepted(world)
    bea = world.places["acme-bea"]
    submit(acme)
    key = comment(acme, "while it waits")
    acme.write(outsourcing.act(acme.store, acme.ticket(), "withdraw", reason="one more thing"))
    world.exchange(bea)
    submit(acme)
    bea.write(outsourcing.release(bea.ticket(), [key]))
    world.settle()
    assert acme.handoff().ruled == lead.handoff().ruled == "awaiting-approval"
    assert [one.key for one in outsourcing.held(acme.ticket())] == [key]
    assert key not in lead.ticket().item_registers
    act(lead, "reject")
    world.settle()
    acme.write(outsourcing.release(acme.ticket(), [key]))
    world.settle()
    assert lead.ticket().item(key)["body"] == "while it waits"


def test_undo_of_what_the_lead_refused(world: World) -> None:
    """Who takes back what the lead refused can go on: the next thing reaches the lead."""
    lead, acme = accepted(world)
    acme.write(Edit(acme.ticket(), move_paths(acme.handoff(), "recall", new_item(acme.store), reason="not ours to say")))
    world.exchange(acme, "globex", "push")
    assert [one.reason[-30:] for one in remotes.refusals(acme.store)] == ["is not for the service partner"]
    undo(acme.store)
    comment(acme, "on my way")
    world.settle()
    assert [one.body for one in lead.ticket().comments] == ["on my way"]


def test_a_comment_in_conflict_is_shared(world: World) -> None:
    """A comment that two colleagues changed at once reaches a partner that takes the ticket on, and the conflict stays here."""
    lead, abe, acme = world.places["globex"], world.places["globex-abe"], world.places["acme"]
    key = comment(lead, "it burns")
    world.settle()
    for place, body in ((lead, "it smokes"), (abe, "it glows")):
        place.write(Edit(place.ticket(), {f"{key}/body": body, f"{key}/visibility": "public"}))
    world.settle()
    accepted(world)
    world.settle()
    assert [one.path for one in lead.ticket().conflicts] == [f"{key}/body"]
    assert [one.body for one in acme.ticket().comments] == [one.body for one in lead.ticket().comments]
    assert acme.ticket().conflicts == []


def test_a_held_comment_in_conflict_is_released(world: World) -> None:
    """The same of what was held back and is sent now."""
    lead, acme = accepted(world)
    bea = world.places["acme-bea"]
    submit(acme)
    key = comment(acme, "while it waits")
    world.settle()
    for place, body in ((acme, "one"), (bea, "other")):
        place.write(Edit(place.ticket(), {f"{key}/body": body, f"{key}/visibility": "public"}))
    act(lead, "reject")
    world.settle()
    assert [one.path for one in acme.ticket().conflicts] == [f"{key}/body"]
    acme.write(outsourcing.release(acme.ticket(), [key]))
    world.settle()
    assert lead.ticket().item(key)["body"] == acme.ticket().item(key)["body"]
    assert [one.path for one in acme.ticket().conflicts] == [f"{key}/body"]
