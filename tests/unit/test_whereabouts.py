"""What is said of where a thing is is true: held against the other organisation's log, over random stories of outsourcing."""

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chit_sync import outsourcing
from chit_sync.authoring import Edit, comment_paths
from chit_sync.errors import ConflictError, NotFoundError, RemoteError, UsageError
from chit_sync.store import partners, reading, remotes
from chit_sync.store.leaving import preview, readers
from chit_sync.store.making import new_item
from chit_sync.store.undo import undo
from chit_sync.store.whereabouts import STATES, why
from support.organisations import Fault, Place, World
from support.outsourced import Story, fresh, play, stories


def _told(place: Place) -> set[str]:
    """The ids of all changes that a store was told of, those that it keeps aside too."""
    rows = place.store.db.execute("SELECT id FROM changes UNION SELECT id FROM incoming").fetchall()
    return {row[0].hex() for row in rows}


def _check(here: Place, there: Place, *, settled: bool) -> None:
    """Everything that is said in a store of what is at a partner's."""
    known = _told(there)
    for number in here.tickets():
        ticket = reading.load(here.store, number)
        for name in (*ticket.registers, *ticket.item_registers):
            for side in why(here.store, number, name).sides:
                if side.partner != there.name:
                    continue
                assert side.whole in side.places
                for place in side.places:
                    case = (here.name, name, side.status, place)
                    assert place.state in STATES
                    if place.state not in ("there", "sent", "theirs"):
                        assert place.change not in known, case
                    if settled:
                        assert place.state not in ("waits", "sent"), case
                        assert place.state not in ("there", "theirs") or place.change in known, case
                    if place.earlier and settled:
                        assert place.earlier in known, case
    for partner in readers(here.store, there.name):
        for line in preview(here.store, partner):
            assert line.verdict == "leaves" or line.change not in known, line
            assert not (settled and line.verdict == "leaves"), line


@pytest.mark.timeout(600)  # a failing story is made shorter before it is shown
@settings(max_examples=25)
@given(stories(2, 60), st.integers(0, 99))
def test_what_is_said_is_so(story: Story, seed: int) -> None:
    """Whatever happened, nothing that the other side was told of is said to be here only, and after an exchange the rest is exact too."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), seed)
        lead, service = world.organisation("globex", "anna"), world.organisation("acme", "bob")
        world.partnership(lead, service)
        for number in range(2):
            lead.write(Edit(None, fresh(lead, random.Random(number))))
        play(world, [step for step in story if step[1] != "reset"])  # which forgets on purpose what was sent
        for here, there in ((lead, service), (service, lead)):
            _check(here, there, settled=False)
        world.settle()
        for here, there in ((lead, service), (service, lead)):
            _check(here, there, settled=True)
        world.close()


def test_in_a_chain_each_end_is_told_apart(tmp_path: Path) -> None:
    """Between two partners `why` answers for each; what is for the one stays for the other."""
    world = World(tmp_path)
    first, middle, last = (
        world.organisation(name, person) for name, person in (("globex", "anna"), ("acme", "bob"), ("initech", "ivan"))
    )
    world.partnership(first, middle)
    world.partnership(middle, last)
    first.write(Edit(None, {"title": "Printer on fire", "status": "new"}))
    for lead, service in ((first, middle), (middle, last)):
        lead.write(outsourcing.offer(lead.store, lead.ticket(), service.name, {}))
        world.exchange(service, lead.name)
        service.write(outsourcing.accept(service.store, service.ticket(), organization=lead.name))
        world.exchange(service, lead.name)
    middle.write(Edit(middle.ticket(), comment_paths(new_item(middle.store), "For you alone", "partner"), to="initech"))
    (comment,) = middle.ticket().comments
    sides = {
        side.partner: (side.role, side.whole.state, side.whole.rule) for side in why(middle.store, 1, comment.id).sides
    }
    assert sides == {"globex": ("service", "stays", "elsewhere"), "initech": ("lead", "waits", "shared")}
    title = {side.partner: side.whole.state for side in why(middle.store, 1, "title").sides}
    assert title["initech"] == "there"
    world.close()


def _running(world: World) -> tuple[Place, Place]:
    """A lead, and the service partner that has accepted its only ticket, with some of its own beside."""
    lead, service = world.organisation("globex", "anna"), world.organisation("acme", "bob")
    world.partnership(lead, service)
    lead.write(Edit(None, {"title": "Printer on fire", "status": "new"}))
    lead.write(outsourcing.offer(lead.store, lead.ticket(), "acme", {}))
    world.exchange(service, "globex")
    service.write(outsourcing.accept(service.store, service.ticket(), organization="Globex"))
    for number in range(5):
        service.write(Edit(None, {"title": f"Our own {number}"}))
    world.exchange(service, "globex")
    service.write(Edit(service.ticket(lead.ticket().id), comment_paths(new_item(service.store), "On my way", "public")))
    return lead, service


def test_a_lost_answer_is_not_forgotten(tmp_path: Path) -> None:
    """What was sent, and may have arrived, counts as sent until there is an answer; that the next attempt fails is none."""
    world = World(tmp_path)
    lead, service = _running(world)
    for fault in ("unanswered", "lost"):
        with pytest.raises(RemoteError):
            world.exchange(service, "globex", "push", [Fault(fault)])
        number = reading.find(service.store, lead.ticket().id)
        (comment,) = service.ticket(lead.ticket().id).comments
        assert why(service.store, number, comment.id).sides[0].whole.state == "sent"
        with pytest.raises(ConflictError, match="before its answer was lost"):
            undo(service.store)
    world.exchange(service, "globex", "push")
    assert why(service.store, number, comment.id).sides[0].whole.state == "there"
    world.close()


def test_what_a_lead_has_is_not_undone_after_a_reset(tmp_path: Path) -> None:
    """That a lead has a change is remembered where everything else about its store is forgotten."""
    world = World(tmp_path)
    _, service = _running(world)
    world.exchange(service, "globex", "push")
    remotes.reset(service.store, "globex")
    with pytest.raises(ConflictError, match="cannot be undone"):
        undo(service.store)
    world.close()


def test_names(tmp_path: Path) -> None:
    """A field goes before an item; a path of an item stands alone; what there is not is said so."""
    world = World(tmp_path)
    here = world.organisation("globex", "anna")
    here.write(Edit(None, {"title": "Printer", "labels/a/b": True, "x.serial": "7"}))
    for name in ("title", "labels/a/b", "x.serial"):
        assert [place.path for place in why(here.store, 1, name).sides[0].places] == [name]
    assert why(here.store, 1, "labels/other").sides[0].whole.state == "empty"
    for wrong in ("", "nothing", "comment/", "handoff/kz/status"):
        with pytest.raises(NotFoundError):
            why(here.store, 1, wrong)
    with pytest.raises(UsageError):
        why(here.store, 1, "x.")
    with pytest.raises(NotFoundError, match="no remote or partner 'acme'"):
        readers(here.store, "acme")
    assert readers(here.store, None) == []
    assert partners.listing(here.store) == []
    world.close()
