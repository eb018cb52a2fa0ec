"""A store and a helpdesk in memory: what each side does arrives at the other, once, whatever the helpdesk is able to do."""

import dataclasses
from pathlib import Path

import pytest

from chit_sync.errors import AccessError, ConflictError, NotFoundError, RemoteError
from chit_sync.helpdesks.base import DoubtError
from chit_sync.helpdesks.settings import Tables
from chit_sync.ids import item_id
from chit_sync.remotes.base import UnreachedError
from chit_sync.store import remotes
from support.memory_desk import Desk, MemoryDesk, Traits
from support.mirroring import Side, quiet
from support.stores import Clock

RICH = Traits()
POOR = Traits(
    reference=False, comment_tokens=False, file_tokens=False, time_tokens=False, history=False, versions=False, answers=False,
    log=False, tick=1_000_000, strip=True, line_ends="\r\n",
)  # fmt: skip


@pytest.fixture(params=[RICH, POOR], ids=["rich", "poor"])
def desk(request: pytest.FixtureRequest) -> Desk:
    """A helpdesk that can do everything, and one that can do next to nothing."""
    return Desk(request.param)


@pytest.fixture
def anna(tmp_path: Path, desk: Desk, clock: Clock) -> Side:
    clock.now += 10_000_000_000
    return Side(tmp_path / "anna", MemoryDesk(desk, "agent1"), clock)


@pytest.fixture
def ben(tmp_path: Path, desk: Desk, clock: Clock) -> Side:
    return Side(tmp_path / "ben", MemoryDesk(desk, "agent2"), clock, "ben")


def test_a_ticket_comes(anna: Side, desk: Desk) -> None:
    """A ticket comes with its fields, comments, people and times, under the helpdesk's number; once."""
    number = desk.add_ticket("Printer on fire", "It burns\nbadly", by="requester", status="open", assignee="agent1")
    desk.say(number, "Which one?")
    desk.say(number, "It is the old one", public=False)
    desk.edit(number, title="Old printer on fire")
    pulled = anna.pull()
    assert (pulled.created, pulled.warnings) == (1, ())
    ticket = anna.ticket(number)
    assert (ticket.title, ticket.text("description").split()) == ("Old printer on fire", ["It", "burns", "badly"])
    assert (ticket.value("status"), ticket.value("assignee"), ticket.author) == ("open", "agent1", "requester")
    assert [(one.author, one.body, one.visibility) for one in ticket.comments] == [
        ("agent2", "Which one?", "public"),
        ("agent2", "It is the old one", "internal"),
    ]
    assert ticket.comments[0].time < ticket.comments[1].time
    quiet(anna)


def test_a_ticket_goes(anna: Side, desk: Desk, tmp_path: Path) -> None:
    """A new ticket goes with its fields, comments, files and time, and an echo of it does not come back."""
    ticket = anna.new(
        title="Ünïcode 打印机 🖨", description="Line\nanother\n", priority="high", also={"labels/ink": True}
    )
    anna.say(ticket, "  public, with blanks  ")
    anna.say(ticket, "internal", "internal")
    file = tmp_path / "größe – 日本語.bin"
    file.write_bytes(bytes(range(256)) * 100)
    anna.attach(ticket, file)
    anna.edit(ticket, {"time/kkkk/minutes": 90, "time/kkkk/date": 1_772_000_000_000_000, "time/kkkk/note": "cleaning"})
    pushed = anna.push()
    assert (pushed.refused, pushed.blobs) == ((), 1)
    (there,) = desk.tickets().values()
    assert there["title"] == "Ünïcode 打印机 🖨"
    assert [(body.strip(), public) for body, public in there["comments"]] == [
        ("public, with blanks", True),
        ("internal", False),
    ]
    assert there["files"] == [("größe – 日本語.bin", file.read_bytes())]
    assert [(work.minutes, work.note) for work in desk.records[1].works.values()] == [(90, "cleaning")]
    quiet(anna)
    now = anna.ticket(1)
    assert now.text("description") == "Line\nanother\n", "text that nobody edited stays byte for byte"
    assert now.comments[0].body == "  public, with blanks  "
    assert len(now.comments) == 2
    assert not now.conflicts


def test_edits_of_both_sides_merge(anna: Side, desk: Desk) -> None:
    """Different fields merge by themselves; the same field on both sides is a conflict, which stops nothing else."""
    number = desk.add_ticket("Printer", "It burns")
    anna.pull()
    desk.edit(number, title="Their title", status="open")
    anna.edit(anna.ticket(number), {"title": "Our title", "priority": "high"})
    pushed = anna.push()
    assert desk.record(number).fields["title"] == "Their title", "what it had not seen is not overwritten"
    assert desk.record(number).fields["priority"] == "High"
    assert [one.path for one in pushed.met.conflicts] == ["title"]
    ticket = anna.ticket(number)
    assert [one.path for one in ticket.conflicts] == ["title"]
    assert ticket.value("status") == "open"
    anna.edit(ticket, {"title": "Agreed title"}, resolve=True)
    anna.push()
    assert desk.record(number).fields["title"] == "Agreed title"
    assert not anna.ticket(number).conflicts
    quiet(anna)


def test_the_same_edit_on_both_sides(anna: Side, desk: Desk) -> None:
    """The same value on both sides is no conflict."""
    number = desk.add_ticket("Printer")
    anna.pull()
    desk.edit(number, title="Same")
    anna.edit(anna.ticket(number), {"title": "Same"})
    anna.sync()
    assert not anna.ticket(number).conflicts
    quiet(anna)


@pytest.mark.parametrize("verb", ["create", "comment", "attach", "time"])
@pytest.mark.parametrize("was_done", [True, False])
@pytest.mark.parametrize("settled", [True, False])
def test_a_lost_answer(anna: Side, desk: Desk, tmp_path: Path, verb: str, was_done: bool, settled: bool) -> None:
    """A call whose answer was lost is looked up before it is made again: nothing is missing, nothing doubled."""
    number = desk.add_ticket("Printer")
    anna.pull()
    ticket = anna.ticket(number)
    anna.say(ticket, "twice?")
    anna.say(ticket, "twice?")
    (tmp_path / "log.txt").write_text("log")
    anna.attach(ticket, tmp_path / "log.txt")
    anna.edit(ticket, {"time/kkkk/minutes": 5, "time/kkkk/date": 1_772_000_000_000_000})
    anna.new(title="New one", description="story")
    desk.fail(DoubtError("the answer was lost", settled=settled), at=verb, done=was_done)
    try:
        first = anna.push()
    except DoubtError:
        assert not settled
    else:
        assert settled
        assert bool(first.refused) != was_done
    anna.push(again=True)
    assert len(desk.records) == 2
    assert [body for body, _ in desk.tickets()[number]["comments"]] == ["twice?", "twice?"]
    assert len(desk.tickets()[number]["files"]) == 1
    assert [work.minutes for work in desk.records[number].works.values()] == [5]
    assert len(anna.ticket(number).comments) == 2
    quiet(anna)


def test_a_pull_after_a_lost_answer(anna: Side, desk: Desk) -> None:
    """What was done and not answered for is known again when it comes with a pull."""
    number = desk.add_ticket("Printer")
    anna.pull()
    anna.say(anna.ticket(number), "once")
    desk.fail(DoubtError("cut"), at="comment", done=True)
    with pytest.raises(DoubtError):
        anna.push()
    anna.pull()
    assert [one.body for one in anna.ticket(number).comments] == ["once"]
    quiet(anna)
    assert len(desk.tickets()[number]["comments"]) == 1


def test_not_reached(anna: Side, desk: Desk) -> None:
    """A call that did not get there is made again by the next push."""
    anna.new(title="New one")
    desk.fail(UnreachedError("no network"), at="create")
    with pytest.raises(UnreachedError):
        anna.push()
    anna.push()
    assert len(desk.records) == 1
    quiet(anna)


def test_taken_only_in_part(anna: Side, desk: Desk) -> None:
    """A write that the helpdesk took only in part is noticed: what it dropped is refused, visibly, and not sent again by itself."""
    number = desk.add_ticket("Printer")
    anna.pull()
    desk.ignore = lambda call: {"status"} if call.verb == "update" else set()
    anna.edit(anna.ticket(number), {"title": "New title", "status": "open"})
    pushed = anna.push()
    assert desk.record(number).fields["title"] == "New title"
    assert len(pushed.refused) == 1
    assert "status" in pushed.refused[0].reason
    assert anna.push().taken == 0
    desk.ignore = lambda call: set()
    anna.push(again=True)
    assert desk.record(number).fields["status"] == "open"
    quiet(anna)


def test_refused(anna: Side, desk: Desk) -> None:
    """What is refused stops itself alone, with the helpdesk's reason."""
    number = desk.add_ticket("Printer")
    anna.pull()
    desk.refuse = lambda who, call: "no permission to comment" if call.verb == "comment" else ""
    anna.say(anna.ticket(number), "hello")
    anna.edit(anna.ticket(number), {"priority": "high"})
    pushed = anna.push()
    assert [one.reason for one in pushed.refused] == ["no permission to comment"]
    assert desk.record(number).fields["priority"] == "High"


def test_a_new_ticket_is_refused(anna: Side, desk: Desk) -> None:
    """A new ticket that was refused is tried again, whole, as soon as something about it was mended."""
    desk.refuse = lambda who, call: (
        "a ticket needs a queue" if call.verb == "create" and "queue" not in call.fields else ""
    )
    ticket = anna.new(title="Printer")
    assert [one.reason for one in anna.push().refused] == ["a ticket needs a queue"]
    assert anna.push().refused == ()
    anna.edit(ticket, {"queue": "Support"})
    assert anna.push().refused == ()
    assert desk.records[1].fields["title"] == "Printer"
    quiet(anna)
    assert anna.store.db.execute("SELECT count(*) FROM refusals").fetchone()[0] == 0


def test_one_field_is_refused(anna: Side, desk: Desk) -> None:
    """Where several fields are refused together, each is tried by itself, so that only the bad one stays."""
    number = desk.add_ticket("Printer")
    anna.pull()
    desk.refuse = lambda who, call: "the title is for managers" if "title" in call.fields else ""
    anna.edit(anna.ticket(number), {"title": "Other"})
    anna.edit(anna.ticket(number), {"priority": "high", "labels/ink": True})
    pushed = anna.push()
    assert [one.reason for one in pushed.refused] == ["the title is for managers"]
    assert desk.record(number).fields["priority"] == "High"
    assert desk.record(number).fields["labels/ink"] is True
    assert anna.push().taken == 0


def test_unmapped_going_out(anna: Side, desk: Desk) -> None:
    """A person whom the helpdesk does not know is a visible refusal of that field alone."""
    number = desk.add_ticket("Printer")
    anna.pull()
    anna.edit(anna.ticket(number), {"assignee": "nobody-there", "title": "Other"})
    pushed = anna.push()
    assert len(pushed.refused) == 1
    assert "nobody-there" in pushed.refused[0].reason
    assert desk.record(number).fields["title"] == "Other"
    anna.edit(anna.ticket(number), {"assignee": "agent2"})
    anna.push()
    quiet(anna)


def test_people_by_a_table(tmp_path: Path, desk: Desk, clock: Clock) -> None:
    """The configuration says who somebody there is here, both ways."""
    anna = Side(tmp_path / "anna", MemoryDesk(desk, "agent1"), clock, tables=Tables(people={"agent2": "ben"}))
    number = desk.add_ticket("Printer", assignee="agent2")
    anna.pull()
    assert anna.ticket(number).value("assignee") == "ben"
    anna.edit(anna.ticket(number), {"assignee": None})
    anna.push()
    assert desk.record(number).fields.get("assignee") is None
    anna.edit(anna.ticket(number), {"assignee": "ben"})
    anna.push()
    assert desk.record(number).fields.get("assignee") == "agent2"
    quiet(anna)


def test_nobody_becomes_a_partner_by_a_name(anna: Side, desk: Desk) -> None:
    """Who is called in the helpdesk as a partner's people are called here stays somebody of the helpdesk."""
    with anna.store.transaction() as db:
        db.execute("INSERT INTO partners (name, own, role, created) VALUES ('globex', 'acme', 'service', 0)")
    desk.accounts["eve@globex"] = desk.accounts["agent2"]._replace(key="eve@globex")
    number = desk.add_ticket("Printer")
    desk.say(number, "hello", by="eve@globex")
    anna.pull()
    assert anna.ticket(number).comments[0].author == "eve at globex"


def test_two_readers_make_the_same(anna: Side, ben: Side, desk: Desk) -> None:
    """Two stores that read the same have made the same changes, byte for byte."""
    number = desk.add_ticket("Printer", "It burns", status="open")
    desk.say(number, "hello")
    anna.pull()
    ben.pull()
    bodies = [[row[0] for row in side.store.db.execute("SELECT body FROM changes ORDER BY id")] for side in (anna, ben)]
    assert bodies[0] == bodies[1]


def test_a_file_comes_when_asked_for(anna: Side, desk: Desk) -> None:
    """A file's name and size come with the ticket, its bytes when they are asked for."""
    number = desk.add_ticket("Printer")
    desk.attach(number, "log ü.bin", b"\x00\xff" * 1000)
    anna.pull()
    (before,) = anna.ticket(number).attachments
    assert (before.name, before.size, before.here) == ("log ü.bin", 2000, False)
    done = anna.bytes()
    assert (done.files, done.bytes, done.failed) == (1, 2000, ())
    assert anna.ticket(number).attachments[0].here
    assert not anna.bytes().files
    quiet(anna)


def test_deleted_there(anna: Side, desk: Desk) -> None:
    """A ticket that is deleted there is deleted here, as soon as the helpdesk tells."""
    number = desk.add_ticket("Printer")
    anna.pull()
    desk.remove(number)
    anna.pull()
    assert anna.tickets() == []
    quiet(anna)


def test_many_deleted_there(anna: Side, desk: Desk) -> None:
    """More than ten deletions at once are not taken before somebody agreed; what else has changed is."""
    numbers = [desk.add_ticket(f"Printer {count}") for count in range(12)]
    stays = desk.add_ticket("Stays")
    anna.pull()
    for number in numbers:
        desk.remove(number)
    desk.edit(stays, title="Changed")
    with pytest.raises(ConflictError, match="12 tickets are deleted"):
        anna.pull()
    assert len(anna.tickets()) == 13
    assert anna.ticket(stays).title == "Changed"
    anna.pull(full=True, agree=True)
    assert [ticket.title for ticket in anna.tickets()] == ["Changed"]


def test_everything_again(anna: Side, desk: Desk) -> None:
    """A full pull finds what the helpdesk told of in no list of changes."""
    number = desk.add_ticket("Printer")
    ident = desk.say(number, "hello")
    anna.pull()
    desk.record(number).comments[ident] = desk.record(number).comments[ident]._replace(body="rewritten silently")
    assert anna.pull().taken == 0
    assert anna.pull(full=True).taken == 1
    assert anna.ticket(number).comments[0].body == "rewritten silently"
    quiet(anna)


def test_an_empty_listing_deletes_nothing(anna: Side, desk: Desk) -> None:
    """A listing that fails, or a token that is not good any more, takes nothing away."""
    desk.add_ticket("Printer")
    anna.pull()
    desk.fail(AccessError("who are you?"), at="numbers")
    with pytest.raises(AccessError):
        anna.pull(full=True)
    desk.fail(RemoteError("half a page"), at="changed")
    with pytest.raises(RemoteError):
        anna.pull()
    assert len(anna.tickets()) == 1


def test_merged_there(anna: Side, desk: Desk) -> None:
    """A ticket that is merged there into another is merged here, and closed."""
    one, other = desk.add_ticket("One"), desk.add_ticket("Other")
    anna.pull()
    desk.merge(one, other)
    anna.pull()
    assert anna.ticket(one).value("merged") == anna.ticket(other).id
    assert anna.ticket(one).category == "closed"
    quiet(anna)


def test_links(anna: Side, desk: Desk) -> None:
    """Links go both ways, between new tickets too; one to a ticket that is not here appears when that comes."""
    one, other = anna.new(title="One"), anna.new(title="Other")
    from chit_sync.authoring import link_paths, unlink_paths

    anna.edit(one, link_paths("blocks", one.id, other.id))
    anna.push()
    assert [(tie.kind, tie.number) for tie in desk.records[1].ties] == [("blocks", 2)]
    quiet(anna)
    anna.edit(one, unlink_paths("blocks", one.id, other.id))
    anna.push()
    assert desk.records[1].ties == []
    quiet(anna)


def test_deleting_and_merging_here(anna: Side, desk: Desk) -> None:
    """What is deleted or merged here is deleted or merged there."""
    numbers = [desk.add_ticket(title) for title in ("One", "Other", "Third")]
    anna.pull()
    one, other, third = (anna.ticket(number) for number in numbers)
    anna.edit(one, {"deleted": True})
    anna.edit(third, {"merged": other.id})
    anna.push()
    assert set(desk.tickets()) == {numbers[1]}
    quiet(anna)


def test_tracking(tmp_path: Path, desk: Desk, clock: Clock) -> None:
    """A ticket outside of what is followed is taken by its number and followed from then on; one that is not there is an error."""
    anna = Side(tmp_path / "anna", MemoryDesk(desk, "agent1", queues=["Support"]), clock)
    number = desk.add_ticket("Bill", queue="Billing")
    anna.pull()
    assert anna.tickets() == []
    from chit_sync.exchange.mirror.reading import track

    track(anna.store, anna.remote, anna.desk, [number], mapping=anna.mapping)
    assert anna.ticket(number).title == "Bill"
    desk.edit(number, title="Higher bill")
    anna.pull()
    assert anna.ticket(number).title == "Higher bill"
    with pytest.raises(NotFoundError, match="no ticket 99"):
        track(anna.store, anna.remote, anna.desk, [99], mapping=anna.mapping)


def test_fetch_waits(anna: Side, desk: Desk) -> None:
    """What was fetched is taken by the next pull, or by a push before it writes; a fetch changes no ticket."""
    number = desk.add_ticket("Printer")
    anna.pull()
    desk.edit(number, title="Changed")
    assert anna.fetch().waiting == 1
    assert anna.ticket(number).title == "Printer"
    assert anna.fetch().fetched == 0
    assert anna.pull().taken == 1
    assert anna.ticket(number).title == "Changed"
    desk.edit(number, title="Again")
    anna.fetch()
    anna.push()
    assert desk.record(number).fields["title"] == anna.ticket(number).title == "Again"
    quiet(anna)


def test_plan(anna: Side, desk: Desk) -> None:
    """A dry run tells the calls and what stays here, and makes none."""
    desk.add_ticket("Printer")
    anna.pull()
    anna.edit(anna.ticket(1), {"title": "Other", "impact": "high"})
    ticket = anna.new(title="New")
    anna.say(ticket, "hello")
    before = len(desk.asked)
    planned = anna.push(dry_run=True).planned
    assert [(one.verb, one.what.partition("/")[0]) for one in planned] == [
        ("update", "title"),
        ("", "impact"),
        ("create", "title"),
        ("comment", "comment"),
    ]
    assert len(desk.asked) == before
    assert desk.records[1].fields["title"] == "Printer"


def test_a_clock_hours_ahead(tmp_path: Path, clock: Clock) -> None:
    """A helpdesk whose clock is hours ahead is taken in with its times shown, and wins no conflict by them."""
    desk = Desk(RICH)
    clock.now -= 5 * 3_600_000_000
    anna = Side(tmp_path / "anna", MemoryDesk(desk, "agent1"), clock)
    number = desk.add_ticket("Printer")
    desk.edit(number, title="Second")
    desk.edit(number, title="Third")
    anna.pull()
    assert anna.ticket(number).title == "Third"
    assert anna.store.db.execute("SELECT max(value) FROM meta WHERE key = 'clock'").fetchone()[0] <= clock.now + 1000
    desk.edit(number, title="Fourth")
    anna.pull()
    assert anna.ticket(number).title == "Fourth"
    quiet(anna)


def test_a_reply_that_reopens_does_not_keep_open_what_is_closed_with_it(anna: Side, desk: Desk) -> None:
    """A status that is pushed with a reply goes after it and holds, though the helpdesk itself reopens what somebody replies to.

    Where the helpdesk does not tell who did what, it is a conflict.
    """
    number = desk.add_ticket("Printer", status="new")
    anna.pull()
    desk.reopens = True
    anna.say(anna.ticket(number), "It prints again.")
    anna.edit(anna.ticket(number), {"status": "resolved"})
    pushed = anna.push()
    if not desk.traits.history:  # who reopened it is not known: somebody has to decide
        assert [one.path for one in pushed.met.conflicts] == ["status"]
        return
    assert desk.record(number).fields["status"] == "resolved"
    assert (pushed.met.conflicts, anna.ticket(number).conflicts) == ((), [])
    assert anna.ticket(number).value("status") == "resolved"
    quiet(anna)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_what_somebody_else_does_with_the_status_is_a_conflict(anna: Side, desk: Desk, when: str) -> None:
    """A colleague's change of the status, or what a customer's reply brought about before, is never taken for what our reply does."""
    number = desk.add_ticket("Printer", status="new")
    anna.pull()
    anna.say(anna.ticket(number), "It prints again.")
    anna.edit(anna.ticket(number), {"status": "resolved"})
    if when == "before":
        desk.reopens = True
        desk.say(number, "It burns again!", by="requester")
    else:
        desk.step = lambda name: desk.edit(number, status="stalled") if name == "after comment" else None
    pushed = anna.push()
    desk.step = lambda name: None
    assert [one.path for one in pushed.met.conflicts] == ["status"]
    assert desk.record(number).fields["status"] == ("open" if when == "before" else "stalled")


def test_what_is_in_conflict_is_told_until_it_is_decided(anna: Side, desk: Desk) -> None:
    """Every push tells of what it leaves because of a conflict, and sends nothing of it."""
    number = desk.add_ticket("Printer")
    anna.pull()
    desk.edit(number, title="Theirs")
    anna.edit(anna.ticket(number), {"title": "Ours"})
    for _ in range(2):
        pushed = anna.push()
        assert [(one.what, one.verb) for one in pushed.planned] == [("title", "")]
    anna.edit(anna.ticket(number), {"title": "Agreed"}, resolve=True)
    assert anna.push().planned == ()
    assert desk.record(number).fields["title"] == "Agreed"
    assert anna.push().planned == ()


def test_what_was_never_carried_need_not_be_taken_back(anna: Side, desk: Desk) -> None:
    """A field or label that the helpdesk does not have, and that is empty again, is no news."""
    desk.traits = dataclasses.replace(desk.traits, missing=frozenset(("labels",)))
    number = desk.add_ticket("Printer")
    anna.pull()
    anna.edit(anna.ticket(number), {"x.shelf": "7", "labels/ink": True})
    assert {one.what for one in anna.push().planned} == {"x.shelf", "labels/ink"}
    anna.edit(anna.ticket(number), {"x.shelf": None, "labels/ink": None})
    assert anna.push().planned == ()


def test_a_refused_item_that_is_taken_away_is_settled(anna: Side, desk: Desk) -> None:
    """What was refused and is deleted here is not shown as refused any more."""
    number = desk.add_ticket("Printer")
    anna.pull()
    desk.refuse = lambda who, call: "no comments today" if call.verb == "comment" else ""
    item = anna.say(anna.ticket(number), "Hello")
    assert len(anna.push().refused) == 1
    anna.edit(anna.ticket(number), {f"comment/{item}/deleted": True})
    assert anna.push(again=True).refused == ()
    assert remotes.pending(anna.store, anna.remote).refused == 0


def test_a_merge_needs_no_link_beside_it(anna: Side, desk: Desk) -> None:
    """The link that a merge leaves here is not sent where the helpdesk merges: it may know no such links."""
    one, other = desk.add_ticket("Printer"), desk.add_ticket("The printer")
    anna.pull()
    desk.refuse = lambda who, call: "no such links" if call.verb == "link" else ""
    into = anna.ticket(other).id
    link = {
        f"link/{item_id('duplicates', into)}/{name}": value
        for name, value in (("kind", "duplicates"), ("target", into))
    }
    anna.edit(anna.ticket(one), {"merged": into, "status": "resolved", **link})
    assert anna.push().refused == ()
    gone = desk.records[one].gone
    assert gone is not None
    assert (gone.how, gone.into) == ("merged", other)
    quiet(anna)


def test_nothing_is_written_to_what_is_deleted_there(anna: Side, desk: Desk) -> None:
    """A comment on a ticket that was deleted in the helpdesk is refused here, without a call that might bring it back."""
    number = desk.add_ticket("Printer")
    anna.pull()
    desk.remove(number)
    anna.pull(full=True)
    anna.say(anna.ticket(number), "Hello?")
    before = len(desk.asked)
    pushed = anna.push()
    assert "the ticket is deleted in" in pushed.refused[0].reason
    assert [name for name, _ in desk.asked[before:]] == []
