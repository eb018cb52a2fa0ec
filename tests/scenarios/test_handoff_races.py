"""Two who act at once on a handoff, each race forced, and what comes back from a backup: one side wins, and the other one is told why."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chit_sync import outsourcing
from chit_sync.authoring import Edit, comment_paths
from chit_sync.clock import DAY, HOUR, MINUTE
from chit_sync.errors import ConflictError, OtherStoreError
from chit_sync.exchange.refusals import drop
from chit_sync.handoffs import read
from chit_sync.registers import Value
from chit_sync.sharing import move_paths
from chit_sync.store import remotes
from chit_sync.store.making import new_item
from chit_sync.store.undo import undo
from chit_sync.work import time_paths
from support.organisations import Place, World, backup, restore, write_unguarded
from support.stores import NOON

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
    ticket = place.ticket()
    found = read(ticket.item_registers, ticket.origins, every=True)
    return [move.ruling or "" for one in found for move in one.moves if move.verb == verb]


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
    with pytest.raises(ConflictError, match="`outsource` is not possible: the handoff is assigned"):
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
    sets = move_paths(acme.handoff(), "recall", new_item(acme.store), reason="not ours to say")
    write_unguarded(acme, acme.ticket().id, "bob@acme", sets)
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


# The races of outsourcing.md


def offered(world: World, **terms: Value) -> tuple[Place, Place]:
    """acme has an offer, which it has pulled."""
    lead, acme = world.places["globex"], world.places["acme"]
    offer(lead, terms={**TERMS, **terms})
    world.exchange(acme, "globex")
    return lead, acme


def accept(place: Place) -> None:
    place.write(outsourcing.accept(place.store, place.ticket()))


def same(*places: Place) -> str:
    """The status that all of them show, ruled on."""
    found = {(place.handoff().status, place.handoff().ruled) for place in places}
    assert len(found) == 1, found
    status, ruled = found.pop()
    assert status == ruled
    return status


@pytest.mark.parametrize("verb", ["accept", "decline"])
def test_cancel_before_an_answer(world: World, verb: str) -> None:
    """Canceled first: the partner's answer, made offline, is refused with what happened meanwhile."""
    lead, acme = offered(world)
    act(lead, "cancel", "found somebody")
    accept(acme) if verb == "accept" else act(acme, verb)
    assert acme.handoff().ruled == "assigned"
    world.settle()
    assert same(lead, acme, world.places["globex-abe"], world.places["acme-bea"]) == "canceled"
    too_late = "it came too late: meanwhile the other side said `cancel` (found somebody); the handoff is canceled"
    assert rulings(acme, verb) == rulings(lead, verb) == [too_late]
    assert acme.handoff().value("reason") == "found somebody"


@pytest.mark.parametrize(("verb", "status"), [("accept", "accepted"), ("decline", "declined")])
def test_an_answer_before_cancel(world: World, verb: str, status: str) -> None:
    """Answered first: a colleague's cancel, made offline, is refused, and the colleague is told."""
    lead, acme = offered(world)
    abe = world.places["globex-abe"]
    world.exchange(abe)
    act(abe, "cancel")
    assert (abe.handoff().status, abe.handoff().ruled) == ("canceled", "assigned")
    accept(acme) if verb == "accept" else act(acme, verb)
    world.exchange(acme, "globex")
    world.settle()
    assert same(lead, acme, abe) == status
    assert rulings(abe, "cancel")[0].startswith(f"it came too late: meanwhile the other side said `{verb}`")
    assert rulings(acme, verb) == ["taken"]


@pytest.mark.parametrize("late", [True, False])
def test_accept_against_expiry(world: World, late: bool) -> None:
    """An acceptance that arrives after its time is declined as expired, unless the lead's grace covers it."""
    lead, acme = world.places["globex"], world.places["acme"]
    until = lead.now() + HOUR
    terms = {**TERMS, "accept_by": until}
    lead.write(outsourcing.offer(lead.store, lead.ticket(), "acme", terms, grace=2 * HOUR))
    world.exchange(acme, "globex")
    accept(acme)
    world.time.now = until + 2 * HOUR + (1 if late else 0)
    world.settle()
    assert same(lead, acme) == ("declined" if late else "accepted")
    if late:
        assert acme.handoff().value("reason") == "expired"
        assert rulings(acme, "accept") == ["it came too late: the time to accept had passed; the handoff is declined"]
    else:
        assert rulings(acme, "accept") == ["taken"]


def test_only_the_leads_clock_decides_what_is_late(world: World) -> None:
    """A partner whose clock says that the time is over accepts all the same, and one whose clock is behind gains nothing."""
    lead, acme = world.places["globex"], world.places["acme"]
    acme.shift = 50 * MINUTE
    offered(world, accept_by=lead.now() + 10 * MINUTE)
    accept(acme)
    world.settle()
    assert same(lead, acme) == "accepted"


def test_complete_against_offline_work(world: World) -> None:
    """Completing wins against work recorded offline, which is held at the partner, and the lead's ticket does not change any more."""
    lead, acme = accepted(world)
    early = comment(acme, "before")
    world.exchange(acme, "globex")
    act(lead, "complete", "done by ourselves")
    before = lead.ticket().item_registers
    item = new_item(acme.store)
    acme.write(Edit(acme.ticket(), time_paths(item, 60, acme.now(), "offline", "public")))
    key = comment(acme, "offline")
    acme.write(Edit(acme.ticket(), {f"{early}/body": "changed offline"}))
    submit(acme, "all done")
    world.settle()
    assert same(lead, acme) == "completed"
    assert lead.ticket().item_registers.keys() - before.keys() == {
        f"move/{one.id}" for one in lead.handoff().moves[-1:]
    }
    assert lead.ticket().item(early)["body"] == "before"
    held = {one.key for one in outsourcing.held(acme.ticket())}
    assert {f"time/{item}", key} <= held
    assert len(held) == 4
    assert rulings(acme, "submit")[0].startswith("it came too late: meanwhile the other side said `complete`")
    assert lead.handoff().value("total") == acme.handoff().value("total") == "0.00"


def test_a_comment_of_the_lead_before_the_submission(world: World) -> None:
    """What the lead wrote before its store took the submission crosses."""
    lead, acme = accepted(world)
    submit(acme)
    key = comment(lead, "one more thing")
    world.settle()
    assert same(lead, acme) == "awaiting-approval"
    assert acme.ticket().item(key)["body"] == "one more thing"
    assert outsourcing.held(lead.ticket()) == []


def test_a_comment_of_the_lead_after_the_submission(world: World) -> None:
    """What the lead wrote later is held, and a colleague's who did not know too; it is sent when somebody releases it."""
    lead, acme = accepted(world)
    abe = world.places["globex-abe"]
    world.settle()
    hers = comment(abe, "not knowing")
    submit(acme)
    world.exchange(acme, "globex")
    mine = comment(lead, "too late")
    world.settle()
    assert {one.key for one in outsourcing.held(lead.ticket())} == {mine, hers}
    assert {mine, hers}.isdisjoint(acme.ticket().item_registers)
    act(lead, "reject", "not yet")
    world.settle()
    assert {mine, hers}.isdisjoint(acme.ticket().item_registers)
    lead.write(outsourcing.release(lead.ticket(), [mine, hers]))
    world.settle()
    assert {one.body for one in acme.ticket().comments} == {"not knowing", "too late", "not yet"}


def test_two_colleagues_offer_to_two_partners(world: World) -> None:
    """The desk takes one; the other colleague is told with whom the ticket is, and the other partner never hears of it."""
    lead, abe = world.places["globex"], world.places["globex-abe"]
    offer(abe, "initech")
    offer(lead, "acme")
    world.settle()
    assert same(lead, abe, world.places["acme"]) == "assigned"
    assert "the ticket is with acme already" in rulings(abe, "offer")
    assert world.places["initech"].tickets() == []


def test_a_colleague_approves_what_was_rejected(world: World) -> None:
    """The rejection stands, nothing is bundled, and the colleague is told."""
    lead, acme = accepted(world)
    abe = world.places["globex-abe"]
    submit(acme)
    world.settle()
    act(lead, "reject", "still smokes")
    act(abe, "approve")
    assert abe.handoff().status == "completed"
    world.settle()
    assert same(lead, abe, acme) == "in-progress"
    assert rulings(abe, "approve") == [
        "it came too late: meanwhile a colleague said `reject` (still smokes); the handoff is in-progress"
    ]
    assert [one.bundle for one in lead.ticket().charges] == []


def test_a_submission_overtaken_by_a_recall(world: World) -> None:
    """The recall stands, the summary is held at the partner, and the partner is told."""
    lead, acme = accepted(world)
    act(lead, "recall", "customer called")
    submit(acme, "done")
    world.settle()
    assert same(lead, acme) == "canceled"
    assert rulings(acme, "submit") == [
        "it came too late: meanwhile the other side said `recall` (customer called); the handoff is canceled"
    ]
    assert [acme.ticket().item(one.key)["body"] for one in outsourcing.held(acme.ticket())] == ["done"]
    offer(lead)
    world.settle()
    accept(acme)
    world.settle()
    assert same(lead, acme) == "accepted"


def test_withdrawn_while_it_is_approved(world: World) -> None:
    """Approval and withdrawal at once: what the lead's store took first holds, and the pay is fixed by it."""
    lead, acme = accepted(world)
    acme.write(Edit(acme.ticket(), time_paths(new_item(acme.store), 50, acme.now(), "", "public")))
    submit(acme)
    world.settle()
    act(lead, "approve")
    act(acme, "withdraw")
    acme.write(Edit(acme.ticket(), time_paths(new_item(acme.store), 60, acme.now(), "", "public")))
    world.settle()
    assert same(lead, acme) == "completed"
    assert lead.handoff().value("total") == acme.handoff().value("total") == "66.67"
    assert rulings(acme, "withdraw")[0].startswith("it came too late: meanwhile the other side said `approve`")


# Backups


def test_the_lead_restores_a_backup(world: World) -> None:
    """A lead whose store was set back gets all of the partner's work again after `remote reset`, and nothing is doubled."""
    lead, acme = accepted(world)
    first = comment(acme, "first")
    world.settle()
    copy = backup(lead)
    second = comment(acme, "second")
    acme.write(Edit(acme.ticket(), {f"{first}/body": "first, better"}))
    submit(acme, "done")
    world.settle()
    restore(lead, copy)
    with pytest.raises(OtherStoreError):
        world.exchange(acme, "globex")
    remotes.reset(acme.store, "globex")
    for colleague in ("globex-abe",):
        remotes.reset(world.places[colleague].store, "origin")
    world.settle()
    assert same(lead, acme) == "awaiting-approval"
    assert [one.body for one in lead.ticket().comments] == ["first, better", "second", "done"]
    assert [one.body for one in acme.ticket().comments] == ["first, better", "second", "done"]
    act(lead, "approve")
    world.settle()
    assert same(lead, acme, world.places["globex-abe"], world.places["acme-bea"]) == "completed"
    assert len([one for one in lead.ticket().charges if one.bundle]) == 1
    assert second in lead.ticket().item_registers


def test_the_partner_restores_a_backup(world: World) -> None:
    """A partner whose store was set back is where it was after `remote reset`: nothing is doubled at the lead."""
    lead, acme = accepted(world)
    comment(acme, "first")
    world.settle()
    copy = backup(acme)
    comment(lead, "theirs")
    comment(acme, "lost here")
    world.settle()
    restore(acme, copy)
    remotes.reset(acme.store, "globex")
    remotes.reset(world.places["acme-bea"].store, "origin")
    world.settle()
    assert [one.body for one in lead.ticket().comments].count("first") == 1
    assert "theirs" in [one.body for one in acme.ticket().comments]
    submit(acme)
    world.settle()
    act(lead, "approve")
    world.settle()
    assert same(lead, acme) == "completed"


def test_the_partner_restores_a_backup_from_before_its_submission(world: World) -> None:
    """What the lead decided after the backup is visibly not taken, until a decision of the lead's that fits; then both agree."""
    lead, acme = accepted(world)
    copy = backup(acme)
    submit(acme)
    world.settle()
    restore(acme, copy)
    remotes.reset(acme.store, "globex")
    remotes.reset(world.places["acme-bea"].store, "origin")
    world.settle()
    act(lead, "reject", "what now?")
    world.settle()
    assert same(lead, acme) == "in-progress"
    submit(acme)
    world.settle()
    assert same(lead, acme) == "awaiting-approval"


def test_the_partner_restores_a_backup_from_before_it_accepted(world: World) -> None:
    """A partner that lost its acceptance, with no copy to bring it back, can go on."""
    world.places.pop("acme-bea").store.close()
    lead, acme = offered(world)
    copy = backup(acme)
    accept(acme)
    comment(acme, "first")
    world.settle()
    restore(acme, copy)
    remotes.reset(acme.store, "globex")
    world.settle()
    accept(acme)
    world.settle()
    assert same(lead, acme) == "in-progress"


def test_a_colleagues_bundle_is_not_doubled(world: World) -> None:
    """A desk that was set back to before an approval, has one charge for the time, though a copy brings back the first one."""
    lead, acme = accepted(world)
    abe = world.places["globex-abe"]
    acme.write(Edit(acme.ticket(), time_paths(new_item(acme.store), 60, acme.now(), "", "public")))
    submit(acme)
    world.settle()
    copy = backup(lead)
    act(lead, "approve")
    world.settle()
    restore(lead, copy)
    remotes.reset(acme.store, "globex")
    remotes.reset(abe.store, "origin")
    world.settle()  # abe's copy brings the approval back, and it is ruled on again
    assert same(lead, acme, abe) == "completed"
    assert [one.amount for one in lead.ticket().charges] == ["80.00"]
    assert [one.amount for one in abe.ticket().charges] == ["80.00"]


# Clocks


def test_a_clock_that_was_once_far_ahead(world: World) -> None:
    """A lead whose clock was wrong by a year for one edit rules as ever, also on the moves of a partner whose clock is a bit fast."""
    lead, acme = offered(world)
    lead.shift = 400 * DAY
    lead.write(Edit(lead.ticket(), {"queue": "second"}))
    lead.shift = 0
    acme.shift = 10 * MINUTE
    accept(acme)
    world.settle()
    assert same(lead, acme) == "accepted"
    assert rulings(acme, "accept") == ["taken"]


def test_a_partner_whose_clock_is_far_ahead(world: World) -> None:
    """Its changes are visibly refused; when the clock is right again and they are dropped, it can go on."""
    lead, acme = offered(world)
    acme.shift = 2 * HOUR
    accept(acme)
    world.exchange(acme, "globex")
    refused = remotes.refusals(acme.store)
    assert [one.reason for one in refused] == ["its clock is 2 hours ahead of the time here"]
    assert lead.handoff().ruled == "assigned"
    acme.shift = 0
    drop(acme.store, remotes.get(acme.store, "globex"), [one.seq for one in refused])
    accept(acme)
    world.settle()
    assert same(lead, acme) == "accepted"


def test_a_partner_whose_clock_is_years_behind(world: World) -> None:
    """The same of one that is years behind."""
    lead, acme = offered(world)
    acme.shift = -3650 * DAY
    accept(acme)
    world.exchange(acme, "globex")
    assert [one.reason for one in remotes.refusals(acme.store)] == [
        "it is dated long before the ticket was made: the clock it was made by is wrong"
    ]
    assert lead.handoff().ruled == "assigned"


@pytest.mark.parametrize(
    "shifts", [(3650 * DAY, 0), (0, -HOUR), (-DAY, -2 * DAY), (500 * DAY, 500 * DAY), (0, 59 * MINUTE)]
)
def test_clocks_that_are_wrong_and_let_through(world: World, shifts: tuple[int, int]) -> None:
    """Moves are ruled on in the order in which the lead's store took them, and the pay is the same."""
    lead, acme = world.places["globex"], world.places["acme"]
    lead.shift, acme.shift = shifts
    accepted(world)
    acme.write(Edit(acme.ticket(), time_paths(new_item(acme.store), 60, NOON, "", "public")))
    submit(acme, "done")
    world.exchange(acme, "globex")
    act(lead, "reject", "no")
    act(acme, "withdraw", "one more thing")
    world.exchange(acme, "globex")
    assert rulings(acme, "withdraw") == [
        "it came too late: meanwhile the other side said `reject` (no); the handoff is in-progress"
    ]
    submit(acme, "again")
    world.exchange(acme, "globex")
    key = next(key for key in lead.ticket().item_registers if key.startswith("time/"))
    lead.write(Edit(lead.ticket(), {f"{key}/visibility": "public"}))
    act(lead, "approve")
    world.exchange(acme, "globex")
    assert same(lead, acme) == "completed"
    assert (lead.handoff().value("total"), acme.handoff().value("total")) == ("80.00", "80.00")
    assert [one.author for one in lead.ticket().times] == ["bob@acme"]


def test_what_is_held_stays_so_after_a_reset(world: World) -> None:
    """Two colleagues together work too much: what the lead refused is held, also when all is offered again, until released."""
    lead, acme = world.places["globex"], world.places["acme"]
    bea = world.places["acme-bea"]
    offered(world, authorized_minutes=60)
    accept(acme)
    world.settle()
    for place in (acme, bea):
        place.write(Edit(place.ticket(), time_paths(new_item(place.store), 40, NOON, "", "public")))
    world.settle()
    held = [one.key for one in outsourcing.held(acme.ticket())]
    assert (len(held), [one.minutes for one in lead.ticket().times]) == (1, [40])
    acme.write(outsourcing.ask(acme.store, acme.ticket(), "more?"))
    world.settle()
    lead.write(outsourcing.answer(lead.store, lead.ticket(), "", "yes", {"authorized_minutes": 90}))
    remotes.reset(acme.store, "globex")
    world.settle()
    assert held[0] not in lead.ticket().item_registers
    acme.write(outsourcing.release(acme.ticket(), held))
    world.settle()
    assert sorted(one.minutes for one in lead.ticket().times) == [40, 40]


def test_reset_and_undo(world: World) -> None:
    """What the lead has is not undone here because it was forgotten how far the lead had read."""
    lead, acme = accepted(world)
    comment(acme, "on my way")
    world.exchange(acme, "globex")
    remotes.reset(acme.store, "globex")
    with pytest.raises(ConflictError, match="cannot be undone"):
        undo(acme.store)
    assert [one.body for one in lead.ticket().comments] == ["on my way"]


def test_an_earlier_cycle_from_the_future(world: World) -> None:
    """A canceled offer that a wrong clock dated a year ahead does not hide the one that is running."""
    lead, acme = world.places["globex"], world.places["acme"]
    lead.shift = 400 * DAY
    offered(world)
    act(lead, "cancel")
    lead.shift = 0
    accepted(world)
    lead.write(Edit(lead.ticket(), {"title": "Printer smokes"}))
    world.settle()
    assert acme.ticket().title == "Printer smokes"
    for place in (lead, acme):
        rows = place.store.db.execute("SELECT status FROM handoffs WHERE current = 1").fetchall()
        assert rows == [("accepted",)]


def test_an_editor_open_while_the_ticket_is_recalled(world: World) -> None:
    """Who wrote the summary of a submission while the ticket was taken back hears that at once, and nothing is written."""
    lead, acme = accepted(world)
    edit = outsourcing.submit(acme.store, acme.ticket(), summary="done")
    act(lead, "recall", "customer called")
    world.exchange(acme, "globex")
    before = acme.ticket().item_registers.keys()
    with pytest.raises(ConflictError, match="`submit` is not possible: the handoff is canceled"):
        acme.write(edit)
    assert acme.ticket().item_registers.keys() == before


def test_terms_of_one_partner_are_not_handed_to_another(world: World) -> None:
    """What acme asked for and the lead agreed to is kept for the next offer to acme, and is not in one to initech."""
    lead, acme = offered(world)
    changed: dict[str, Value] = {"instructions": "words of acme", "pay": "91.00"}
    acme.write(outsourcing.counter(acme.store, acme.ticket(), changed))
    world.settle()
    lead.write(outsourcing.offer(lead.store, lead.ticket(), "acme", {}))
    world.settle()
    act(acme, "decline")
    world.settle()
    offer(lead, "initech", {})
    world.settle()
    ivan = world.places["initech"].handoff()
    assert (ivan.value("instructions"), ivan.value("pay")) == (None, None)
    act(lead, "cancel")
    offer(lead, "acme", {})
    assert lead.handoff().value("pay") == "91.00"
