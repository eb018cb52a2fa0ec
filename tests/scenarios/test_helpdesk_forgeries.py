"""Helpdesks that say what cannot be: forged tickets, answers about others, changes without end. All of it is told in words, all else is
taken, and nothing comes of it that another store would not take."""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from chit_sync import policy
from chit_sync.clock import MAX_STAMP
from chit_sync.errors import RemoteError, UsageError
from chit_sync.exchange.mirror import files
from chit_sync.helpdesks.base import Call, Comment, Event, File, Found, Gone, Outcome, Page, Snapshot, Tie, Work
from chit_sync.registers import Value
from chit_sync.remotes.web import Web
from chit_sync.store import fsck, log
from support.memory_desk import Desk, MemoryDesk
from support.memory_server import Record
from support.mirroring import Side, quiet
from support.scripted import reply, scripted
from support.stores import Clock


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def anna(tmp_path: Path, desk: Desk, clock: Clock) -> Side:
    clock.now += 10_000_000_000
    return Side(tmp_path / "anna", MemoryDesk(desk, "agent1"), clock)


@pytest.fixture
def ben(tmp_path: Path, desk: Desk, clock: Clock) -> Side:
    return Side(tmp_path / "ben", MemoryDesk(desk, "agent2"), clock, "ben")


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


def test_deleted_and_back(anna: Side, ben: Side, desk: Desk) -> None:
    """A ticket that is deleted there, by whomever, and put back, is back here too, as often as that happens."""
    number = desk.add_ticket("Printer")
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


# Files and addresses


class Endless(MemoryDesk):
    """Its files have no end."""

    def download(self, ref: str) -> Iterator[bytes]:
        while True:
            yield b"x" * 65_536


def test_files_without_end(anna: Side, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that does not end is given up, nothing of it is left, and one of another size than told is as it comes."""
    monkeypatch.setattr(files, "MAX_FILE", 1 << 20)
    number = desk.add_ticket("Printer")
    ident = desk.attach(number, "log.txt", b"told")
    anna.pull()
    anna.desk = Endless(desk, "agent1")
    with pytest.raises(RemoteError, match=r"log.txt has over 1,048,576 bytes"):
        anna.bytes()
    assert not list(Path(anna.store.path).rglob("*.part"))
    anna.desk = MemoryDesk(desk, "agent1")
    record = desk.record(number)
    record.files[ident] = (record.files[ident][0], b"something else")
    assert anna.bytes().bytes == 14
    assert anna.ticket(number).attachments[0].size == 14
    quiet(anna)


ELSEWHERE = (
    "//evil.invalid/x", "/\\evil.invalid/x", " http://evil.invalid/", "hTTp://evil.invalid/", "ftp://evil.invalid/x",
    "http:evil.invalid/x", "http://user:word@127.0.0.1/", "\thttps://evil.invalid/", "{0}@evil.invalid/x", "{0}.evil.invalid/",
)  # fmt: skip


@pytest.mark.parametrize("place", ELSEWHERE)
def test_addresses_on_other_servers(place: str) -> None:
    """The token goes to the server that it is for, whatever address an answer names: another one is not asked."""
    with scripted(reply()) as server:
        web = Web("the desk", server.address, headers={"Authorization": "token secret"}, timeout=3)
        told = ""
        try:
            web.ask("GET", place.format(server.address))
        except (RemoteError, UsageError) as error:
            told = error.message + error.hint
        assert "secret" not in told
        assert len(server.requests) == (0 if told else 1)
        web.close()
