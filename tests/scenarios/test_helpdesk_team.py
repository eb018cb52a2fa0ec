"""Two people with a team's store and the same helpdesk, each pulling and pushing both: everybody sees everything, once."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.helpdesk_held import all_of, both_agree
from support.helpdesk_walk import WAYS, Walk
from support.mirroring import quiet

SEEDS = 12 if os.environ.get("CI") else 3
"""Histories for each kind of helpdesk."""


@pytest.fixture(params=WAYS)
def walk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Walk]:
    """Two people, and helpdesks that can do more and less."""
    walk = Walk(tmp_path, WAYS[request.param], request.param, ("anna", "ben"))
    yield walk
    walk.close()


def round_of(walk: Walk, order: str) -> None:
    """Who does what in which order: `a` and `b` push and pull with the helpdesk, `A` and `B` with the team's store."""
    for letter in order:
        walk.clock.now += 7_000_000
        one = walk.people["ab".index(letter.lower())]
        if letter.isupper():
            one.exchange_team()
        else:
            one.sync()


ORDERS = ("abAB", "aAbB", "bABa", "ABab", "AabB", "aAABb")


@pytest.mark.parametrize("order", ORDERS)
def test_everything_is_seen_once(walk: Walk, tmp_path: Path, order: str) -> None:
    """A ticket, a comment, a file and a change of everybody's are there once for everybody, in whatever order they exchange."""
    anna, ben = walk.people
    number = walk.desk.add_ticket("Theirs", "Story")
    round_of(walk, "abAB")
    (tmp_path / "log.bin").write_bytes(b"\0 log")
    for one in (anna, ben):
        ticket = one.ticket(number)
        one.say(ticket, f"said by {one.name}")
        one.say(ticket, "the same words")
        one.attach(ticket, tmp_path / "log.bin")
        one.new(title=f"New of {one.name}", description="story")
    anna.edit(anna.ticket(number), {"title": "Anna's title"})
    ben.edit(ben.ticket(number), {"priority": "high"})
    walk.desk.say(number, "said there")
    walk.desk.edit(number, description="Other story")
    for _ in range(4):
        round_of(walk, order)
        for one in (anna, ben):
            assert [conflict for ticket in one.tickets() for conflict in ticket.conflicts] == []
    for one in (anna, ben):
        one.bytes()
        assert sorted(ticket.title for ticket in one.tickets()) == ["Anna's title", "New of anna", "New of ben"]
        ticket = one.ticket(number)
        said = ["said by anna", "said by ben", "said there", "the same words", "the same words"]
        assert sorted(each.body.strip() for each in ticket.comments) == said
        assert len(ticket.attachments) == 2
        both_agree(walk.desk, one)
    for one in (anna, ben):
        quiet(one)


def test_an_edit_is_no_conflict(walk: Walk) -> None:
    """What one edits again after the other has read the first edit from the helpdesk is no conflict for anybody."""
    anna, ben = walk.people
    number = walk.desk.add_ticket("Theirs", "Story")
    round_of(walk, "abAB")
    anna.edit(anna.ticket(number), {"title": "First"})
    anna.push()
    walk.desk.edit(number, status="open")
    ben.pull()
    anna.edit(anna.ticket(number), {"title": "Second"})
    anna.exchange_team()
    ben.exchange_team()
    anna.exchange_team()
    for one in (anna, ben):
        assert one.ticket(number).conflicts == []
        assert one.ticket(number).title == "Second"
    round_of(walk, "abABab")
    assert walk.desk.records[number].fields["title"] == "Second"


def test_an_edit_of_what_a_newcomer_reads_is_no_conflict(walk: Walk) -> None:
    """Somebody who reads the whole helpdesk later than a colleague who edits meanwhile makes no conflict of that."""
    anna, ben = walk.people
    number = walk.desk.add_ticket("Theirs", "Story")
    anna.pull()
    walk.desk.edit(number, description="Other story")
    anna.edit(anna.ticket(number), {"title": "Anna's"})
    ben.pull()
    for one in (ben, anna, ben):
        one.exchange_team()
    for one in (anna, ben):
        assert one.ticket(number).conflicts == []
        assert one.ticket(number).title == "Anna's"


def test_nobody_sends_what_a_colleague_wrote(walk: Walk) -> None:
    """A colleague's tickets, comments and edits are theirs to send, unless the ticket is named; then they are sent once."""
    anna, ben = walk.people
    number = walk.desk.add_ticket("Theirs", "Story")
    round_of(walk, "abAB")
    anna.say(anna.ticket(number), "Anna's")
    anna.edit(anna.ticket(number), {"title": "Anna's"})
    new = anna.new(title="New of anna")
    round_of(walk, "AB")
    ben.sync()
    assert walk.desk.tickets()[number]["comments"] == []
    assert [one["title"] for one in walk.desk.tickets().values()] == ["Theirs"]
    theirs = next(ticket for ticket in ben.tickets() if ticket.id == new.id)
    ben.push(tickets=[theirs.number, ben.ticket(number).number])
    assert sorted(str(one["title"]) for one in walk.desk.tickets().values()) == ["Anna's", "New of anna"]
    for _ in range(3):
        round_of(walk, "BAabAB")
    assert len(walk.desk.tickets()) == 2
    assert [body for body, _ in walk.desk.tickets()[number]["comments"]] == ["Anna's"]
    for one in (anna, ben):
        both_agree(walk.desk, one)


def test_what_a_later_reader_finds_is_not_older(walk: Walk) -> None:
    """Who reads a ticket for the first time after somebody there has rewritten it, and a colleague has edited it, has that conflict."""
    anna, ben = walk.people
    numbers = [
        walk.desk.add_ticket(f"First {count}", "Story") for count in range(8)
    ]  # changes of one stamp go by their ids
    anna.pull()
    round_of(walk, "AB")
    for ticket in ben.tickets():
        ben.edit(ticket, {"title": "Ben's"})
    walk.clock.now += 7_000_000
    for number in numbers:
        walk.desk.edit(number, title="Theirs")
    ben.pull()
    for number in numbers:
        ticket = ben.ticket(number)
        others = [str(other) for one in ticket.conflicts for other in one.others]
        assert {ticket.title, *others} == {"Ben's", "Theirs"}


def test_a_colleagues_comment_that_was_rewritten_is_not_sent_again(walk: Walk) -> None:
    """Who rewrites a colleague's comment before it is known which one it is in the helpdesk makes no second one there."""
    anna, ben = walk.people
    number = walk.desk.add_ticket("Theirs", "Story")
    round_of(walk, "abAB")
    item = anna.say(anna.ticket(number), "Anna's words")
    round_of(walk, "AB")
    anna.push()
    ben.edit(ben.ticket(number), {f"comment/{item}/body": "Ben's words"})
    ben.push()
    assert len(walk.desk.tickets()[number]["comments"]) == 1
    for _ in range(3):
        round_of(walk, "abAB")
    assert len(walk.desk.tickets()[number]["comments"]) == 1
    for one in (anna, ben):
        assert [each.body for each in one.ticket(number).comments] == ["Ben's words"]


def test_a_colleagues_ticket_is_not_made_from_an_edit(walk: Walk) -> None:
    """Who edits a ticket whose number in the helpdesk is not known yet makes no other one there; the edit goes when the number is known."""
    anna, ben = walk.people
    number = walk.desk.add_ticket("Theirs", "Story")
    anna.pull()
    round_of(walk, "AB")
    (ticket,) = ben.tickets()
    ben.edit(ticket, {"title": "Ben's"})
    ben.push()
    ben.push(tickets=[ticket.number])
    assert len(walk.desk.records) == 1
    ben.sync()
    assert walk.desk.records[number].fields["title"] == "Ben's"
    assert len(walk.desk.records) == 1


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("way", WAYS)
def test_random_histories(tmp_path: Path, way: str, seed: int) -> None:
    """Whatever two people and a helpdesk do, however they exchange and whatever fails: in the end all show the same, each thing once."""
    walk = Walk(tmp_path, WAYS[way], f"{way}{seed}", ("anna", "ben"))
    try:
        walk.run(50)
        walk.settle()
        all_of(walk)
    except BaseException as error:
        error.add_note("\n".join(walk.told))
        raise
    finally:
        walk.close()
