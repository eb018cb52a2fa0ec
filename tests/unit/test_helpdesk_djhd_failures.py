"""The adapter for django-helpdesk against its stand-in: what it does when the server, or what is between, fails."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from chit_sync.errors import NotFoundError, RemoteError, UsageError
from chit_sync.helpdesks.base import DoubtError, Outcome
from chit_sync.helpdesks.djhd import DjangoHelpdesk
from support.djhd_desk import CALLS, ITEM, adapter, attaching, changed, read
from support.standins.djhd import Standin


@pytest.fixture
def site() -> Iterator[Standin]:
    """A stand-in, with which nothing may have gone against the rules."""
    with Standin() as standin:
        yield standin


@pytest.fixture
def desk(site: Standin) -> Iterator[DjangoHelpdesk]:
    """The adapter for it."""
    with closing(adapter(site)) as opened:
        yield opened


@pytest.mark.parametrize("verb", CALLS)
def test_done_and_answered_with_500(site: Standin, desk: DjangoHelpdesk, verb: str) -> None:
    """A call that was done though the server answers 500 is in doubt, is sent once, and is found, also by another process."""
    call = CALLS[verb](site.add_ticket("x"))
    assert desk.find(call, ()) is None
    site.done_then_500 = 1
    site.asked.clear()
    with pytest.raises(DoubtError) as caught:
        desk.perform(call)
    assert caught.value.settled
    assert len([line for line in site.asked if line.startswith("POST")]) == 1
    assert desk.find(call, ()) is not None
    with closing(adapter(site)) as other:
        assert other.find(call, ()) == desk.find(call, ())


@pytest.mark.parametrize("verb", CALLS)
def test_answered_but_not_done(site: Standin, desk: DjangoHelpdesk, verb: str) -> None:
    """A call that the server only says it did is not found afterwards."""
    call = CALLS[verb](site.add_ticket("x"))
    site.ok_not_done = 1
    desk.perform(call)
    assert desk.find(call, ()) is None


def test_file_in_doubt(site: Standin, desk: DjangoHelpdesk) -> None:
    """Whatever is in doubt of a file and the followup that it hangs on, in the end there is one of each."""
    number = site.add_ticket("x")
    call, file = attaching(number)
    site.done_then_500 = 1
    with pytest.raises(DoubtError):
        desk.perform(call, file)
    assert (read(desk, number).comments, read(desk, number).files) == ((), ())
    assert desk.find(call, ()) is None
    site.done_then_500 = 1
    with pytest.raises(DoubtError):
        desk.perform(call, file)
    found = desk.find(call, ())
    assert found is not None
    assert [(one.id, one.token) for one in read(desk, number).files] == [(found.id, ITEM)]
    assert len(site.rules.followups) == 2
    desk.perform(*attaching(number))
    assert len(site.rules.followups) == 3


@pytest.mark.parametrize("trouble", ["html", "redirect", "half_page"])
def test_answers_that_make_no_sense(site: Standin, desk: DjangoHelpdesk, trouble: str) -> None:
    """A page for people, a redirect or half an answer is an error in words for a question, and the next reading is whole."""
    number = site.add_ticket("x")
    setattr(site, trouble, 1)
    with pytest.raises(RemoteError):
        desk.numbers()
    assert changed(desk, "", set())[0] == {number}


@pytest.mark.parametrize("trouble", ["html", "redirect"])
def test_writes_whose_answer_makes_no_sense(site: Standin, desk: DjangoHelpdesk, trouble: str) -> None:
    """A page for people or a redirect as the answer to a call leaves it in doubt."""
    number = site.add_ticket("x")
    desk.describe()
    setattr(site, trouble, 1)
    with pytest.raises(DoubtError):
        desk.perform(CALLS["comment"](number))


def test_throttling_is_waited_for(site: Standin, desk: DjangoHelpdesk) -> None:
    """A call that is throttled is made when the server says, once."""
    number = site.add_ticket("x")
    site.rate_limit(2)
    desk.perform(CALLS["comment"](number))
    assert len(read(desk, number).comments) == 1


@pytest.mark.parametrize("count", [0, 700])
def test_connection_that_is_cut(site: Standin, desk: DjangoHelpdesk, count: int) -> None:
    """A connection that is cut at any byte is an error in words, and the next reading is whole."""
    number = site.add_ticket("x", "y" * 2000)
    site.cut_after = count
    with pytest.raises(RemoteError):
        list(desk.changed("", ()))
    site.cut_after = None
    assert changed(desk, "", set())[0] == {number}


def test_files_on_other_servers(site: Standin, desk: DjangoHelpdesk) -> None:
    """A file on another server is not fetched; one that is gone is not found; the token goes with none of them."""
    number = site.add_ticket("x")
    site.attach(number, "a.txt", b"data")
    (file,) = read(desk, number).files
    assert b"".join(desk.download(file.ref)) == b"data"
    with pytest.raises(UsageError, match="another server"):
        desk.download("http://files.example.com/media/1/file")
    site.rules.files.clear()
    with pytest.raises(NotFoundError):
        b"".join(desk.download(file.ref))


def test_same_words_of_somebody_else(site: Standin) -> None:
    """Who we are keeps the words of others from being taken for ours; where nobody tells, only what is known to be another does."""
    number = site.add_ticket("x")
    said = site.say(number, "x {{ y }}")
    call = CALLS["comment"](number)
    with closing(adapter(site)) as desk:
        assert desk.find(call, ()) is None
    site.forms = False
    with closing(adapter(site)) as desk:
        assert desk.find(call, {said}) is None
        assert desk.find(call, ()) == Outcome(number, said)
