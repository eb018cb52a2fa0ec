"""What can be wrong with a helpdesk, and what a person sees of it: nothing is lost or doubled, and the message says what to do."""

import importlib
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import pytest

from chit_sync.errors import AccessError, RemoteError
from chit_sync.helpdesks.base import Call, Gone, Outcome, RefusedError
from chit_sync.remotes.base import UnreachedError
from support.cutting import Proxy, everything
from support.following import at_once, followed
from support.memory_desk import Desk, MemoryDesk, Traits
from support.mirroring import Side, quiet
from support.stores import Clock


@pytest.fixture
def desk() -> Desk:
    return Desk(Traits())


@pytest.fixture
def anna(tmp_path: Path, desk: Desk, clock: Clock) -> Side:
    return Side(tmp_path / "anna", MemoryDesk(desk, "agent1"), clock)


def reasons(side: Side) -> list[str]:
    """What is refused of what a push sends."""
    return [one.reason for one in side.push().refused]


class Silent(MemoryDesk):
    """An adapter that cannot tell which item a call has made."""

    def perform(self, call: Call, file: BinaryIO | None = None) -> Outcome:
        return super().perform(call, file)._replace(id="", snapshot=None)


@pytest.mark.parametrize("lost", ["find", "read", "nothing"])
def test_an_item_whose_id_is_not_told(tmp_path: Path, clock: Clock, lost: str) -> None:
    """A comment, file or time of which the answer does not say which it is is looked for, and not sent again where that fails."""
    desk = Desk(Traits(comment_tokens=False, file_tokens=False, time_tokens=False))
    anna = Side(tmp_path / "anna", Silent(desk, "agent1"), clock)
    number = desk.add_ticket("Printer")
    anna.pull()
    ticket = anna.ticket(number)
    (tmp_path / "log.bin").write_bytes(b"log")
    anna.say(ticket, "hello")
    anna.attach(ticket, tmp_path / "log.bin")
    anna.edit(ticket, {"time/kkkk/minutes": 5, "time/kkkk/date": 1_772_000_000_000_000})
    for skip in range(3):
        if lost != "nothing":
            desk.fail(UnreachedError("no network"), at=lost, skip=skip)
            with suppress(RemoteError):
                anna.push()
            desk.faults.clear()
        anna.push()
    assert desk.tickets()[number]["comments"] == [("hello", True)]
    assert len(desk.tickets()[number]["files"]) == len(desk.records[number].works) == 1
    quiet(anna)


def test_a_token_that_expires_during_a_push(anna: Side, desk: Desk) -> None:
    """A push stops there and says how to log in; with a good token the next one sends the rest."""
    ticket = anna.new(title="Printer")
    anna.say(ticket, "hello")
    desk.fail(AccessError("memory:desk does not know the token", "Log in again: chit auth login."), at="comment")
    with pytest.raises(AccessError, match="does not know the token") as caught:
        anna.push()
    assert "chit auth login" in caught.value.hint
    anna.push()
    assert [one["comments"] for one in desk.tickets().values()] == [[("hello", True)]]
    quiet(anna)


def test_no_permission_for_one_ticket(anna: Side, desk: Desk) -> None:
    """What may not be written in one ticket is refused with the helpdesk's words, and the others go."""
    one, other = (anna.new(title=title) for title in ("One", "Other"))
    anna.push()
    desk.refuse = lambda who, call: "you may not modify this ticket" if call.number == 1 else ""
    anna.edit(one, {"title": "Another"})
    anna.edit(other, {"title": "Else"})
    assert reasons(anna) == ["you may not modify this ticket"]
    assert [record.fields["title"] for record in desk.records.values()] == ["One", "Else"]
    quiet(anna)


def test_no_permission_for_one_queue(anna: Side, desk: Desk) -> None:
    """A ticket that may not be made in a queue stays here, with the reason, and is made when that is mended."""
    desk.refuse = lambda who, call: "no tickets in Billing" if call.fields.get("queue") == "Billing" else ""
    ticket = anna.new(title="Bill", queue="Billing")
    anna.say(ticket, "hello")
    assert set(reasons(anna)) == {"no tickets in Billing"}
    assert desk.records == {}
    anna.edit(ticket, {"queue": "Support"})
    assert reasons(anna) == []
    assert [one["comments"] for one in desk.tickets().values()] == [[("hello", True)]]
    quiet(anna)


@pytest.mark.parametrize("verb", ["comment", "attach", "time"])
def test_it_says_that_it_did_and_did_not(anna: Side, desk: Desk, tmp_path: Path, verb: str) -> None:
    """An item that the helpdesk says it took and does not show is refused, visibly, and sent when somebody says so."""
    ticket = anna.new(title="Printer")
    anna.push()
    desk.ignore = lambda call: {"*"} if call.verb == verb else set()
    if verb == "comment":
        anna.say(ticket, "hello")
    elif verb == "attach":
        (tmp_path / "log.bin").write_bytes(b"log")
        anna.attach(ticket, tmp_path / "log.bin")
    else:
        anna.edit(ticket, {"time/kkkk/minutes": 5, "time/kkkk/date": 1_772_000_000_000_000})
    (reason,) = set(reasons(anna))
    assert reason == "origin says that it took it, and does not show it as it was sent"
    quiet(anna)
    desk.ignore = lambda call: set()
    anna.push(again=True)
    record = desk.record(1)
    assert len(record.comments) + len(record.files) + len(record.works) == 1
    quiet(anna)


def test_a_title_that_is_cut_silently(tmp_path: Path, clock: Clock) -> None:
    """A value that the helpdesk shortened is a conflict with what was written here, which the push tells; nothing is lost."""
    desk = Desk(Traits(secret_title_limit=10))
    anna = Side(tmp_path / "anna", MemoryDesk(desk, "agent1"), clock)
    ticket = anna.new(title="Short")
    anna.push()
    anna.edit(ticket, {"title": "Much longer than that"})
    met = anna.push().met
    assert met is not None
    assert [(one.ticket, one.path) for one in met.conflicts] == [(1, "title")]
    (conflict,) = anna.ticket(1).conflicts
    assert (conflict.shown, conflict.others) == ("Much longe", ["Much longer than that"])
    quiet(anna)


def test_a_value_that_is_too_long(tmp_path: Path, clock: Clock) -> None:
    """What is known to be too long is not sent, and it is said how long it may be."""
    desk = Desk(Traits(title_limit=10, file_limit=3))
    anna = Side(tmp_path / "anna", MemoryDesk(desk, "agent1"), clock)
    ticket = anna.new(title="Short")
    anna.push()
    anna.edit(ticket, {"title": "Much longer than that"})
    (tmp_path / "log.bin").write_bytes(b"long")
    anna.attach(ticket, tmp_path / "log.bin")
    assert set(reasons(anna)) == {
        "a file of 4 bytes: Desk in memory takes at most 3",
        "title of 21 characters: Desk in memory takes at most 10",
    }
    assert desk.record(1).fields["title"] == "Short"
    assert desk.record(1).files == {}


def test_a_file_that_turns_out_too_large(anna: Side, desk: Desk, tmp_path: Path) -> None:
    """A limit that the helpdesk tells only when it refuses is a refusal of that file alone."""
    ticket = anna.new(title="Printer")
    (tmp_path / "log.bin").write_bytes(b"long")
    anna.attach(ticket, tmp_path / "log.bin")
    anna.say(ticket, "hello")
    desk.fail(RefusedError("413 Request Entity Too Large"), at="attach")
    assert set(reasons(anna)) == {"413 Request Entity Too Large"}
    assert len(desk.record(1).comments) == 1
    quiet(anna)


@pytest.mark.parametrize("how", ["deleted", "merged", "hidden"])
def test_a_ticket_that_went_away_meanwhile(anna: Side, desk: Desk, how: str) -> None:
    """What was written here for a ticket that is gone there is kept here and never makes it again."""
    one, other = desk.add_ticket("One"), desk.add_ticket("Other")
    anna.pull()
    ticket = anna.ticket(one)
    anna.edit(ticket, {"title": "Changed here"})
    if how == "deleted":
        desk.remove(one)
    elif how == "merged":
        desk.merge(one, other)
    else:
        desk.record(one).gone = Gone(one, "hidden")
    anna.push()
    pulled = anna.pull(full=True)
    assert set(desk.tickets()) == {other}
    assert anna.ticket(one).title == "Changed here"
    if how == "hidden":
        assert (
            pulled.warnings == () or "is not to be seen in origin any more; it is kept as it is" in pulled.warnings[0]
        )
    anna.push()
    assert set(desk.tickets()) == {other}


def test_a_ticket_that_moved_meanwhile(tmp_path: Path, desk: Desk, clock: Clock) -> None:
    """A ticket that leaves the queue that is followed is told of once, stays here, and is still written to."""
    anna = Side(tmp_path / "anna", MemoryDesk(desk, "agent1", queues=["Support"]), clock)
    number = desk.add_ticket("Printer", queue="Support")
    anna.pull()
    desk.edit(number, queue="Billing")
    assert anna.pull(full=True).warnings == (
        f"#{number} is not among what the address asks for any more; still followed",
    )
    assert anna.pull(full=True).warnings == ()
    anna.edit(anna.ticket(number), {"title": "Changed here"})
    anna.push()
    assert desk.record(number).fields["title"] == "Changed here"


KINDS = ("rt", "redmine", "roundup", "djhd")
TOLD = {
    "html": ("answers with a web page (Log in) where JSON was expected", "Is the remote's address right?"),
    "redirect": ("answers with a redirect to 'http://", "are you logged in? `chit auth login "),
    "half_page": ("answers with JSON that is damaged or breaks off", "Is the remote's address right?"),
    "down": ("broke off before the end", "What had come is kept; run it again and it goes on from there."),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", TOLD)
def test_a_server_in_trouble(kind: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came instead of an answer is said, and what to look at; the next pull takes all there is."""
    at_once(monkeypatch)
    standin = importlib.import_module(f"support.standins.{kind}").Standin()
    with standin as there, Proxy(there.url) as proxy, followed(tmp_path / "s", there, proxy.address(there.url)) as side:
        there.add_ticket("Printer", "It burns.")
        if what == "down":
            proxy.look(lambda message: 0)
        else:
            setattr(there, what, 4)
        with pytest.raises(RemoteError) as caught:
            side.pull()
        said, hint = TOLD[what]
        assert said in caught.value.message
        assert hint in caught.value.hint
        proxy.look(everything)
        if what != "down":
            setattr(there, what, 0)
        side.pull()
        assert [ticket.title for ticket in side.tickets()] == ["Printer"]


@pytest.mark.parametrize("kind", KINDS)
def test_rate_limits_in_the_middle(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pull and a push that are throttled wait and go on, and nobody has to do anything."""
    at_once(monkeypatch)
    with (
        importlib.import_module(f"support.standins.{kind}").Standin() as there,
        followed(tmp_path / "store", there) as side,
    ):
        there.add_ticket("Printer", "It burns.")
        there.rate_limit(3)
        assert side.pull().created == 1
        ticket = side.new(title="Door")
        side.say(ticket, "It squeaks.")
        there.rate_limit(3)
        assert side.push().refused == ()
        assert [one["comments"] for one in there.tickets().values() if one["title"] == "Door"] == [
            [("It squeaks.", True)]
        ]
        quiet(side)
