"""Helpdesks that mean harm, customers who write what they should not into honest ones, and copies of a store: nothing of ours changes
hands, is rewritten or shown by what anybody writes there, and nothing that comes from there breaks anything here."""

import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from chit_sync import policy
from chit_sync.clock import MAX_STAMP
from chit_sync.errors import RemoteError
from chit_sync.helpdesks.base import Call, Comment, Event, File, Found, Gone, Outcome, Page, Snapshot, Tie, Work
from chit_sync.helpdesks.comparing import item_of
from chit_sync.helpdesks.settings import Tables
from chit_sync.registers import Value
from chit_sync.store import fsck, log
from chit_sync.store.opening import open_store
from support.memory_desk import Desk, MemoryDesk
from support.memory_server import Record, Traits
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


# What a helpdesk says of a ticket


class Forger(MemoryDesk):
    """Hands out tickets as a test forges them."""

    forge: Callable[[Snapshot], Snapshot] = staticmethod(lambda one: one)

    def _snapshot(self, record: Record) -> Snapshot:
        return self.forge(super()._snapshot(record))


def fields(**values: Value) -> Callable[[Snapshot], Snapshot]:
    """A ticket with these values."""
    return lambda one: one._replace(fields={**one.fields, **values})


def parts(**lists: Any) -> Callable[[Snapshot], Snapshot]:
    """A ticket with these comments, files and so on."""
    return lambda one: one._replace(**lists)


EVIL = "a\0b\x1b[31mred\u202eback\x9b2J\r\nnext"
HUGE = 10**30
FORGERIES: dict[str, Callable[[Snapshot], Snapshot]] = {
    "a long title": fields(title="x" * (1 << 20)),
    "control characters": fields(title=EVIL, description=EVIL, assignee=EVIL, requester=EVIL, queue=EVIL, **{"x.Note": EVIL}),
    "a long text": fields(description="x" * (2 << 20)),
    "a text that takes more than a change": fields(description="\0" * (1 << 20)),
    "many long texts": fields(**dict.fromkeys(("x.Note", "x.Severity", "description"), "ü" * 500000)),
    "many labels": fields(**{f"labels/{count}": True for count in range(20_000)}),
    "values of other kinds": fields(**dict[str, Value](title=5, status=True, priority=-1, due="tomorrow", queue=7)),
    "a time out of range": fields(due=HUGE),
    "paths that there are not": fields(**dict[str, Value]({"nonsense": "y", "labels/a,b": True, "x.": "y", "labels/": True})),
    "a status that nobody knows": fields(status=EVIL),
    "people": lambda one: one._replace(author=EVIL * 1000, modifier="\ud800"),
    "times of its own": lambda one: one._replace(created=HUGE, modified=-HUGE),
    "times of comments": parts(comments=[Comment("1", "a", HUGE, "b", True), Comment("2", "a", -HUGE, "b", True)]),
    "times of work": parts(works=[Work("1", "a", HUGE, HUGE, HUGE, "n"), Work("2", "a", -HUGE, -5, -HUGE, EVIL)]),
    "comments": parts(comments=[Comment("1", EVIL, 5, EVIL, True), Comment("2", "", 5, "", True, EVIL)]),
    "one id twice": parts(comments=[Comment("1", "a", 5, "b", True), Comment("1", "a", 6, "c", False)]),
    "names of files": parts(
        files=[
            File(str(count), "a", 5, name, size, True, "ref")
            for count, (name, size) in enumerate(
                [("../../x", -1), ("", HUGE), ("CON", -7), (EVIL, 0), ("x" * 5000, 1), ("/etc/passwd", 1), ("..", 1)]
            )
        ]
    ),
    "links": parts(ties=[Tie("evil", 1), Tie("blocks", 1), Tie("blocks", -5), Tie("b:l", HUGE)]),
    "events in circles": parts(
        events=[Event(str(count), 99 - count, EVIL, {"title": ("ab"[count % 2], "ba"[count % 2])}) for count in range(9)]
    ),
    "events that tell of the future": parts(events=[Event("1", HUGE, "a", {"title": ("x", "Printer")})]),
    "many events": parts(
        events=[Event(str(count), count, "a", {"title": (str(count), str(count + 1))}) for count in range(8_000)]
    ),
    "many comments": parts(comments=[Comment(str(count), "a", 5, "b", True, "k" * 16) for count in range(3_000)]),
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_tickets(anna: Side, desk: Desk, forgery: str) -> None:
    """Whatever is said of a ticket, all else is taken, each change is one that every store takes, and nothing is taken twice."""
    forger = Forger(desk, "agent1")
    anna.desk = forger
    desk.add_ticket("Printer")
    forger.forge = FORGERIES[forgery]
    anna.pull()
    desk.add_ticket("Other")
    forger.forge = Forger.forge
    honest = anna.pull()
    assert anna.ticket(2).title == "Other"
    forger.forge = FORGERIES[forgery]
    anna.pull(full=True)
    before = log.last_seq(anna.store.db)
    anna.pull(full=True)
    assert log.last_seq(anna.store.db) == before, honest
    changes = [policy.examine(*row) for row in anna.store.db.execute("SELECT id, body FROM changes")]
    assert all(change.time <= MAX_STAMP for change in changes)
    ticket = anna.ticket(1)
    shown = [
        ticket.title,
        ticket.author,
        *(str(ticket.value(path)) for path in ("assignee", "requester", "queue", "status")),
    ]
    shown += [text for one in ticket.comments for text in (one.author, one.id)] + [
        one.name for one in ticket.attachments
    ]
    assert all(text.isprintable() for text in shown)
    assert all(problem.harmless for problem in fsck.check(anna.store))


@pytest.mark.parametrize("number", [0, -1, HUGE])
def test_numbers_that_are_none(anna: Side, desk: Desk, number: int) -> None:
    """A ticket with a number that cannot be one is an error in words, and the next pull goes on."""
    forger = Forger(desk, "agent1")
    anna.desk = forger
    desk.add_ticket("Printer")
    forger.forge = lambda one: one._replace(number=number)
    with pytest.raises(RemoteError, match="no number of a ticket"):
        anna.pull()
    forger.forge = Forger.forge
    anna.pull()
    assert anna.ticket(1).title == "Printer"


def test_deleted_and_back(anna: Side, person: Person, desk: Desk) -> None:
    """A ticket that is deleted there, by whomever, and put back, is back here too, as often as that happens."""
    number = desk.add_ticket("Printer")
    ben = person("ben")
    anna.pull()
    ben.pull()
    for who in ("agent2", "agent1"):
        if who == "agent1":
            anna.edit(anna.ticket(number), {"deleted": True})
            anna.push()
        else:
            desk.remove(number)
        for side in (anna, ben):
            side.pull()
            assert side.tickets() == []
            quiet(side)
        record = desk.records[number]
        record.gone = None
        desk.touch(record)
        for side in (anna, ben):
            side.pull()
            assert [ticket.title for ticket in side.tickets()] == ["Printer"]
            quiet(side)


def test_merged_in_circles_and_back(anna: Side, desk: Desk) -> None:
    """Tickets that were merged into themselves or each other stop nothing, and what is there again is as it is there."""
    numbers = [desk.add_ticket(title) for title in ("One", "Other", "Third")]
    anna.pull()
    for number, into in zip(numbers, (2, 1, 3), strict=True):
        record = desk.records[number]
        record.gone = Gone(number, "merged", into, "agent2", desk.touch(record))
    anna.pull()
    anna.pull(full=True)
    quiet(anna)
    assert [bool(anna.ticket(number).value("merged")) for number in numbers] == [True, True, False]
    for number in numbers:
        record = desk.records[number]
        record.gone = None
        desk.touch(record)
    anna.pull()
    assert [anna.ticket(number).value("merged") for number in numbers] == [None] * 3
    assert [anna.ticket(number).value("status") for number in numbers] == ["new"] * 3
    quiet(anna)


class Liar(MemoryDesk):
    """Answers about others than were asked for, says that it made what was there, tells of changes without end."""

    lie = ""

    def read(self, numbers: Sequence[int]) -> list[Found]:
        found = super().read([2] * len(numbers) if self.lie == "others" else numbers)
        return [] if self.lie == "nothing" else found

    def changed(self, cursor: str, known: Collection[int]) -> Iterator[Page]:
        if self.lie in ("endless", "huge"):
            for _ in range(1_000):
                yield Page([], cursor if self.lie == "endless" else "x" * (2 << 20))
            raise AssertionError("it was asked on and on")
        yield from super().changed(cursor, known)

    def perform(self, call: Call, file: BinaryIO | None = None) -> Outcome:
        outcome = super().perform(call, file)
        return outcome._replace(number=1, snapshot=None) if self.lie == "made" else outcome


@pytest.mark.parametrize("lie", ["others", "nothing", "endless", "huge"])
def test_answers_about_something_else(anna: Side, desk: Desk, lie: str) -> None:
    """They are errors in words, nothing is written on their account, and what is ours goes out when the helpdesk is honest again."""
    liar = anna.desk = Liar(desk, "agent1")
    desk.add_ticket("One")
    desk.add_ticket("Other")
    anna.pull()
    anna.edit(anna.ticket(1), {"title": "Ours"})
    liar.lie = lie
    with pytest.raises(RemoteError):
        anna.sync()
    liar.lie = ""
    anna.sync()
    assert [one["title"] for one in desk.tickets().values()] == ["Ours", "Other"]
    quiet(anna)


def test_a_number_that_another_ticket_has(anna: Side, desk: Desk) -> None:
    """Who is told that a new ticket has the number of another one does not believe it, and does not make it again and again."""
    liar = anna.desk = Liar(desk, "agent1")
    desk.add_ticket("One")
    anna.pull()
    ours = anna.new(title="New")
    liar.lie = "made"
    assert "which is another ticket" in anna.push().refused[0].reason
    assert anna.push().taken == 0
    liar.lie = ""
    anna.pull()
    assert anna.ticket(2).id == ours.id
    anna.push(again=True)
    assert len(desk.records) == 2
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
