"""Helpdesks that mean harm, customers who write what they should not into honest ones, and copies of a store: nothing of ours changes
hands, is rewritten or shown by what anybody writes there, and nothing that comes from there breaks anything here."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from chit_sync import policy
from chit_sync.helpdesks.drafting import item_of
from chit_sync.helpdesks.settings import Tables
from chit_sync.store import log
from chit_sync.store.opening import open_store
from support.memory_desk import Desk, MemoryDesk
from support.memory_server import Traits
from support.mirroring import Side, quiet
from support.stores import Clock

Person = Callable[[str], Side]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def person(tmp_path: Path, desk: Desk, clock: Clock) -> Person:
    """Makes somebody with a store of their own at the helpdesk; `tables` may be set afterwards."""
    clock.now += 10_000_000_000

    def make(name: str) -> Side:
        account = {"anna": "agent1"}.get(name, "agent2")
        return Side(tmp_path / name, MemoryDesk(desk, account), clock, name)

    return make


@pytest.fixture
def anna(person: Person) -> Side:
    return person("anna")


def said(side: Side, number: int) -> list[tuple[str, str, str]]:
    """Who said what for whom."""
    return [(one.author, one.body, one.visibility) for one in side.ticket(number).comments]


# Ids of ours that others have written there


def test_an_id_hands_no_ticket_over(anna: Side, desk: Desk) -> None:
    """A ticket there that bears the id of one here that was never sent there is another one: nothing of ours goes there or changes."""
    anna.tables = Tables(new=False)
    ours = anna.new(title="Wages", description="to be talked about")
    anna.say(ours, "nobody's business", "internal")
    number = desk.add_ticket("Not wages", "I know your id", token=ours.id)
    anna.sync()
    assert anna.ticket(number).id != ours.id
    assert {ticket.title for ticket in anna.tickets()} == {"Wages", "Not wages"}
    assert desk.tickets()[number]["comments"] == []
    anna.push(tickets=[ours.number])
    assert desk.tickets()[number]["comments"] == []
    assert desk.tickets()[number]["title"] == "Not wages"
    quiet(anna)


def test_a_ticket_on_its_way_is_known(anna: Side, desk: Desk) -> None:
    """A ticket of ours that is there under a number that was lost, as with a backup, is known by its id and what it says."""
    ours = anna.new(title="Printer", description="on fire")
    desk.add_ticket("Printer", "on fire", by="agent1", token=ours.id)
    desk.edit(1, title="Old printer", status="open")
    anna.pull()
    assert anna.ticket(1).id == ours.id
    anna.push()
    assert len(desk.records) == 1
    quiet(anna)


def test_two_tickets_with_one_id(anna: Side, person: Person, desk: Desk) -> None:
    """Of several tickets there with one id of ours the one that was made from here has it, the others are tickets of their own."""
    ours = anna.new(title="Printer")
    anna.push()
    desk.add_ticket("Re: Printer", "quoted by mistake", by="requester", token=ours.id)
    desk.edit(1, title="Old printer")  # so that the copy is the first of what changed
    anna.pull()
    ben = person("ben")
    ben.pull()
    for side in (anna, ben):
        assert [side.ticket(number).title for number in (1, 2)] == ["Old printer", "Re: Printer"]
        assert side.ticket(1).id == ours.id != side.ticket(2).id
        quiet(side)


def test_a_copied_id_is_not_taken_for_what_a_colleague_made(anna: Side, person: Person, desk: Desk) -> None:
    """Whose ticket came from a colleague's store knows by the colleague's receipt which number it has, whatever else bears its id."""
    ours = anna.new(title="Printer")
    anna.push()
    desk.add_ticket("Printer", "the same title, to be taken for it", by="requester", token=ours.id)
    ben = person("ben")
    handed(anna, ben)
    desk.edit(1, title="Old printer")
    ben.desk.page = 1  # the copy comes first, alone
    ben.pull()
    assert ben.ticket(1).id == ours.id != ben.ticket(2).id
    quiet(ben)


def test_a_colleagues_ticket_that_is_not_there(anna: Side, person: Person, desk: Desk) -> None:
    """A ticket of a colleague that was never sent there is not handed over either; one that was is known before the receipt comes."""
    anna.tables = Tables(new=False)
    private, sent = anna.new(title="Wages"), anna.new(title="Printer")
    ben = person("ben")
    handed(anna, ben)
    anna.push(tickets=[sent.number])
    number = desk.add_ticket("Not wages", token=private.id)
    ben.pull()
    assert ben.ticket(1).id == sent.id
    assert ben.ticket(number).id != private.id
    handed(anna, ben)
    handed(ben, anna)
    for side in (anna, ben):
        quiet(side)
        assert sorted(ticket.title for ticket in side.tickets()) == sorted(["Wages", "Printer", "Not wages"])


def test_what_was_fetched_is_not_handed_over(anna: Side, desk: Desk, person: Person) -> None:
    """Two tickets with one id that are fetched one after the other stay two."""
    ben = person("ben")
    token = ben.new(title="Printer").id
    for title in ("Printer", "Not the printer"):
        desk.add_ticket(title, token=token)
        anna.fetch()
    anna.pull()
    assert [anna.ticket(number).title for number in (1, 2)] == ["Printer", "Not the printer"]


def test_a_fetch_of_what_a_colleague_told_before(anna: Side, person: Person, desk: Desk) -> None:
    """A ticket of which a colleague's store has told everything has its number here after a fetch too, and is not made again."""
    anna.new(title="Printer")
    anna.push()
    ben = person("ben")
    handed(anna, ben)
    ben.fetch()
    ben.pull()
    ben.edit(ben.ticket(1), {"title": "Old printer"})
    ben.push(tickets=[1])
    assert [one["title"] for one in desk.tickets().values()] == ["Old printer"]


# Ids of comments, files and work of ours


@pytest.mark.parametrize("visibility", ["public", "internal"])
@pytest.mark.parametrize("sent", [True, False])
def test_a_comment_with_the_id_of_ours(anna: Side, desk: Desk, visibility: str, sent: bool) -> None:
    """A customer's comment that bears the id of one of ours is the customer's: ours stays as it is, for whom it is, and is sent once."""
    number = desk.add_ticket("Printer")
    anna.pull()
    item = anna.say(anna.ticket(number), "ours", visibility)
    if sent:
        anna.push()
    desk.comment("requester", number, "not ours", True, item)
    anna.sync()
    assert sorted(said(anna, number)) == [("anna", "ours", visibility), ("requester", "not ours", "public")]
    anna.edit(anna.ticket(number), {f"comment/{item}/body": "ours, rewritten"})
    anna.push()
    texts = [(body, public) for body, public in desk.tickets()[number]["comments"]]
    assert sorted(texts) == [("not ours", True), ("ours, rewritten", visibility == "public")]
    quiet(anna)


def test_the_id_of_a_comment_that_is_gone(anna: Side, desk: Desk) -> None:
    """What is said with the id of a comment that was deleted is seen."""
    number = desk.add_ticket("Printer")
    anna.pull()
    item = anna.say(anna.ticket(number), "ours")
    anna.push()
    desk.record(number).comments.clear()
    desk.touch(desk.record(number))
    anna.pull()
    desk.comment("requester", number, "not ours", True, item)
    anna.pull()
    assert said(anna, number) == [("requester", "not ours", "public")]
    quiet(anna)


def test_an_id_that_another_one_will_have(anna: Side, person: Person, desk: Desk) -> None:
    """Ids here follow from a helpdesk's: who gives theirs the one that the next comment will have does not speak in its place."""
    number = desk.add_ticket("Printer")
    anna.pull()
    identity = str(anna.store.db.execute("SELECT store FROM remotes").fetchone()[0])
    desk.comment("requester", number, "first", True, item_of(identity, number, "comment", "c2"))
    assert desk.say(number, "second") == "c2"
    anna.pull()
    ben = person("ben")
    ben.pull()
    for side in (anna, ben):
        assert said(side, number) == [("requester", "first", "public"), ("agent2", "second", "public")]
        quiet(side)


def test_one_id_for_two(anna: Side, person: Person, desk: Desk) -> None:
    """Of several comments, files and pieces of work with one id each is there."""
    number = desk.add_ticket("Printer")
    for count in "12":
        desk.comment("requester", number, f"said {count}", True, "k" * 16)
        desk.file("requester", number, f"file {count}", b"x", True, "k" * 16)
        desk.work("requester", number, int(count), 0, "", "k" * 16)
    for side in (anna, person("ben")):
        side.pull()
        ticket = side.ticket(number)
        assert [one.body for one in ticket.comments] == ["said 1", "said 2"]
        assert [one.name for one in ticket.attachments] == ["file 1", "file 2"]
        assert [one.minutes for one in ticket.times] == [1, 2]
        quiet(side)


def test_ids_of_other_kinds_and_tickets(anna: Side, desk: Desk) -> None:
    """The id of a file, or of another ticket's comment, makes a comment of its own and touches nothing else."""
    one, other = desk.add_ticket("One"), desk.add_ticket("Other")
    anna.pull()
    elsewhere = anna.say(anna.ticket(other), "elsewhere", "internal")
    desk.file("agent2", one, "log.txt", b"x", True, "m" * 16)
    desk.comment("requester", one, "here", True, elsewhere)
    desk.comment("requester", one, "a file?", True, "m" * 16)
    anna.sync()
    assert [body for _, body, _ in said(anna, one)] == ["here", "a file?"]
    assert [file.name for file in anna.ticket(one).attachments] == ["log.txt"]
    assert said(anna, other) == [("anna", "elsewhere", "internal")]
    quiet(anna)


# Copies of a store

POOR = Traits(
    reference=False, comment_tokens=False, file_tokens=False, time_tokens=False, history=False, versions=False, answers=False,
    log=False, tick=1_000_000, strip=True, line_ends="\r\n",
)  # fmt: skip


@pytest.mark.parametrize("traits", [Traits(), POOR], ids=["rich", "poor"])
@pytest.mark.parametrize("pulls", [True, False])
@pytest.mark.parametrize("renamed", [True, False])
def test_a_copy_of_a_store(anna: Side, desk: Desk, tmp_path: Path, traits: Traits, pulls: bool, renamed: bool) -> None:
    """What was not sent yet when somebody copied their store is sent once, though both the store and its copy push it."""
    desk.traits = traits
    desk.add_ticket("Printer")
    anna.pull()
    anna.say(anna.ticket(1), "said once")
    anna.edit(anna.ticket(1), {"title": "Edited", "time/kkkk/minutes": 5, "time/kkkk/date": 1_772_000_000_000_000})
    (tmp_path / "log.txt").write_text("log")
    anna.attach(anna.ticket(1), tmp_path / "log.txt")
    new = anna.new(title="New", description="story")
    anna.say(new, "said of the new one")
    anna.store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(anna.store.path, tmp_path / "copy")
    copy = Side.__new__(Side)
    copy.__dict__.update(vars(anna) | {"store": open_store(str(tmp_path / "copy"), now=anna.store.now)})
    assert copy.store.meta("store") != anna.store.meta("store")
    anna.push()
    if renamed:
        desk.edit(2, title="Renamed", description="another story")
    if pulls:
        copy.pull()
    copy.push()
    for side in (anna, copy, anna):
        side.sync()
    for side in (anna, copy):
        quiet(side)
        assert [len(side.ticket(number).comments) for number in (1, 2)] == [1, 1]
        assert [len(one) for one in (side.ticket(1).times, side.ticket(1).attachments)] == [1, 1]
        assert side.ticket(2).id == new.id
    there = desk.tickets()
    assert {number: [body for body, _ in one["comments"]] for number, one in there.items()} == {
        1: ["said once"], 2: ["said of the new one"],
    }  # fmt: skip
    assert (len(there[1]["files"]), len(desk.record(1).works)) == (1, 1)
    copy.store.close()


def handed(giver: Side, taker: Side) -> None:
    """What one store has comes to the other, as by way of a team's store."""
    records = [
        log.Record(ident, body, policy.examine(ident, body))
        for ident, body in giver.store.db.execute("SELECT id, body FROM changes ORDER BY seq")
    ]
    with taker.store.transaction():
        log.append(taker.store, records, 99)
