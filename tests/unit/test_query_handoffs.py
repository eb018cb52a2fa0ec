"""What queries find of outsourced tickets, on both sides and in the middle of a chain."""

from collections.abc import Iterator
from datetime import UTC

import pytest

from chit_sync import outsourcing
from chit_sync.authoring import Edit
from chit_sync.errors import QueryError
from chit_sync.query import listing
from chit_sync.registers import Value
from chit_sync.ticket import Ticket
from support.organisations import Place, World

TERMS: dict[str, Value] = {"pay": "80.00", "pay_unit": "hour", "currency": "EUR"}


class Firms:
    """globex leads; acme works for it, and has work done by initech, which is all in this world: a chain of three."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.globex, self.acme, self.initech = map(
            world.organisation, ("globex", "acme", "initech"), ("anna", "bob", "carl")
        )
        world.partnership(self.globex, self.acme)
        world.partnership(self.acme, self.initech)

    def offer(self, place: Place, title: str, partner: str, draft: bool = False) -> None:
        """Offers the ticket of that title, which is made if it is not there."""
        if not any(one.title == title for one in self.tickets(place)):
            place.write(Edit(None, {"title": title, "status": "new"}))
        place.write(outsourcing.offer(place.store, self.ticket(place, title), partner, TERMS, draft=draft))

    def act(self, place: Place, title: str, verb: str) -> None:
        """Does what a verb does, and everybody learns of it."""
        ticket = self.ticket(place, title)
        if verb == "accept":
            place.write(outsourcing.accept(place.store, ticket, organization="theirs"))
        else:
            place.write(outsourcing.act(place.store, ticket, verb, reason="because"))
        self.sync()

    def sync(self) -> None:
        """The service partners exchange with their leads."""
        self.world.exchange(self.acme, "globex", how="sync")
        self.world.exchange(self.initech, "acme", how="sync")
        self.world.exchange(self.acme, "globex", how="sync")

    def tickets(self, place: Place) -> list[Ticket]:
        return [place.ticket(row[0]) for row in place.store.db.execute("SELECT id FROM tickets")]

    def ticket(self, place: Place, title: str) -> Ticket:
        """The ticket of that title."""
        return next(one for one in self.tickets(place) if one.title == title)

    def find(self, place: Place, text: str, *, every: bool = False) -> str:
        """The titles of what a query finds, by their alphabet."""
        found = listing.page(place.store, text, me="anna", now=place.now(), tz=UTC, all_states=every)
        rows = list(listing.rows(place.store, text, me="anna", now=place.now(), tz=UTC, all_states=every))
        assert sorted(found.rows) == sorted(rows)
        count = listing.count(place.store, text, me="anna", now=place.now(), tz=UTC, all_states=every)
        assert count == found.total == len(rows)
        return " ".join(sorted(row.title or "" for row in rows))


@pytest.fixture(scope="module")
def firms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firms]:
    """The firms with a ticket in each status, and one that went down the whole chain."""
    world = World(tmp_path_factory.mktemp("world"))
    firms = Firms(world)
    firms.globex.write(Edit(None, {"title": "plain", "status": "new"}))
    firms.offer(firms.globex, "draft", "acme", draft=True)
    for title in ("offered", "canceled", "declined", "taken", "submitted", "done", "chained"):
        firms.offer(firms.globex, title, "acme")
    firms.sync()
    firms.act(firms.globex, "canceled", "cancel")
    firms.act(firms.acme, "declined", "decline")
    for title in ("taken", "submitted", "done", "chained"):
        firms.act(firms.acme, title, "accept")
    for title in ("submitted", "done"):
        firms.act(firms.acme, title, "submit")
    firms.act(firms.globex, "done", "approve")
    firms.globex.write(Edit(firms.ticket(firms.globex, "done"), {"status": "closed"}))
    firms.offer(firms.acme, "chained", "initech")
    firms.sync()
    firms.act(firms.initech, "chained", "accept")
    yield firms
    world.close()


@pytest.mark.parametrize(
    ("query", "lead", "middle", "end"),
    [
        ("", "canceled chained declined draft offered plain submitted taken", "chained done submitted taken", "chained"),
        ("is:outsourced", "chained offered submitted taken", "chained", ""),
        ("NOT is:outsourced", "canceled declined draft plain", "done submitted taken", "chained"),
        ("is:offered", "", "offered", ""),
        ("partner:acme", "canceled chained declined draft offered submitted taken", "", "chained"),
        ("partner:ACME handoff:unsent", "draft", "", ""),
        ("partner:globex", "", "canceled chained declined done offered submitted taken", ""),
        ("partner:initech", "", "chained", ""),
        ("partner:ini*,globex handoff:accepted", "", "chained taken", ""),
        ("partner:~cm handoff:assigned", "offered", "", ""),
        ("NOT partner:acme", "plain", "chained done submitted taken", ""),
        ("partner:none", "plain", "", ""),
        ("no:partner", "plain", "", ""),
        ("no:handoff", "plain", "", ""),
        ("has:handoff is:closed", "done", "", ""),
        ("handoff:any is:closed", "done", "", ""),
        ("has:partner partner:initech", "", "chained", ""),
        ("handoff:unsent", "draft", "", ""),
        ("handoff:assigned", "offered", "offered", ""),
        ("handoff:canceled,declined", "canceled declined", "canceled declined", ""),
        ("handoff:ACCEPTED", "chained taken", "chained taken", "chained"),
        ("handoff:in-progress", "", "", ""),
        ("handoff:awaiting-approval", "submitted", "submitted", ""),
        ("handoff:completed", "done", "done", ""),
        ("handoff:completed is:open", "", "done", ""),
        ("handoff:completed OR is:offered", "done", "done offered", ""),
        ("offered", "offered", "offered", ""),
        ("status:new handoff:assigned", "offered", "", ""),
    ],
)  # fmt: skip
def test_fields(firms: Firms, query: str, lead: str, middle: str, end: str) -> None:
    """Each of the three finds what is its own, in its own role."""
    assert firms.find(firms.globex, query) == lead
    assert firms.find(firms.acme, query) == middle
    assert firms.find(firms.initech, query) == end


def test_what_is_offered_is_none_of_ours(firms: Firms) -> None:
    """An offer is not among the open tickets, but whoever asks for all finds it."""
    assert "offered" not in firms.find(firms.acme, "status:new,none").split()
    assert "offered" in firms.find(firms.acme, "", every=True).split()
    number = firms.ticket(firms.acme, "offered")
    assert firms.find(firms.acme, f"id:{number.id[:8]}") == "offered"


def test_what_is_to_be_sent_to_a_partner(firms: Firms) -> None:
    """What is not for the partner is not unpushed; what is for it is, until the next exchange."""
    assert firms.find(firms.acme, "is:unpushed") == ""
    ticket = firms.ticket(firms.acme, "taken")
    firms.acme.write(Edit(ticket, {"queue": "second"}))
    assert firms.find(firms.acme, "is:unpushed") == ""
    firms.acme.write(outsourcing.ask(firms.acme.store, firms.ticket(firms.acme, "taken"), "Which floor?"))
    assert firms.find(firms.acme, "is:unpushed") == "taken"
    firms.sync()
    assert firms.find(firms.acme, "is:unpushed") == ""


def test_numbers_are_never_a_leads(firms: Firms) -> None:
    """A store whose only remotes are leads calls its tickets by its own numbers, in queries as elsewhere."""
    for title in ("chained", "taken"):
        ticket = firms.ticket(firms.acme, title)
        assert firms.find(firms.acme, f"number:{ticket.called}") == title
        there = next(one for one in ticket.elsewhere if one.remote == "globex")
        assert firms.find(firms.acme, f"number:globex#{there.number}") == title


@pytest.mark.parametrize(
    ("query", "column", "message", "hint"),
    [
        ("handoff:open", 9, "handoff cannot be 'open'", "It is one of: unsent, assigned, canceled, declined, accepted, in-progress,"),
        ("handoff:awaiting", 9, "handoff cannot be 'awaiting'", "Did you mean 'awaiting-approval'? "),
        ("handof:assigned", 1, "unknown field 'handof'", "Did you mean 'handoff'? "),
        ("parner:acme", 1, "unknown field 'parner'", "Did you mean 'partner'? "),
        ("is:outsorced", 4, "is: cannot be 'outsorced'", "Did you mean 'outsourced'? "),
        ("has:handof", 5, "a ticket cannot have or lack 'handof'", "Did you mean 'handoff'? "),
        ("outsourced:acme", 1, "unknown field 'outsourced'", "Write is:outsourced. "),
        ("lead:acme", 1, "unknown field 'lead'", "Write partner:NAME. "),
        ("partner:>acme", 9, "partner: has no order, > means nothing here", "Write partner:VALUE"),
        ("handoff:assigned..accepted", 9, "handoff: has no order, a range means nothing here", "Write handoff:VALUE"),
        ("handoff:~ass", 9, "handoff: cannot be searched by ~", "Write handoff:VALUE"),
        ("partner:@me", 9, "", ""),
    ],
)  # fmt: skip
def test_refused(firms: Firms, query: str, column: int, message: str, hint: str) -> None:
    """What makes no sense is refused with its column and what was probably meant."""
    if not message:
        assert firms.find(firms.globex, query) == ""
        return
    with pytest.raises(QueryError) as caught:
        firms.find(firms.globex, query)
    assert caught.value.column == column
    assert caught.value.message.startswith(message)
    assert hint in caught.value.hint


def test_the_record_says_with_whom(firms: Firms) -> None:
    """`partner` and `handoff` of a ticket are those of the open handoff, in a chain of the one in which we lead."""
    found = {one.title: one.record() for one in firms.tickets(firms.acme)}
    assert (found["chained"]["partner"], found["chained"]["handoff"]) == ("initech", "accepted")
    assert (found["done"]["partner"], found["done"]["handoff"]) == ("globex", "completed")
    plain = firms.ticket(firms.globex, "plain").record()
    assert (plain["partner"], plain["handoff"]) == (None, None)
