"""The adapter for Roundup against the stand-in: what it asks, what it must not send, what it does when things go wrong."""

import io
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from chit_sync.errors import AccessError, ChitError, RemoteError, UsageError
from chit_sync.helpdesks import address
from chit_sync.helpdesks.base import Call, DoubtError, Outcome, RefusedError, Snapshot, Tie
from chit_sync.helpdesks.roundup import Roundup
from support.standins.roundup import Standin
from support.standins.roundup_words import SCHEMA

TICKET, ITEM = "klmnopqrstuvwxyz" * 2, "zyxwvutsrqponmlk"


@pytest.fixture
def tracker() -> Iterator[Standin]:
    with Standin() as found:
        yield found


@pytest.fixture
def here(tracker: Standin) -> Iterator[Roundup]:
    with closing(opened(tracker)) as found:
        found.describe()
        yield found


def opened(tracker: Standin, more: str = "", secret: str = "") -> Roundup:
    return Roundup(address.parse(tracker.url + more), secret or tracker.secret)


def test_first_reading_and_one_of_nothing(tracker: Standin, here: Roundup) -> None:
    """All tickets with their comments take one question for each class, a reading of nothing two; neither depends on their number."""
    for number in range(1, 131):
        tracker.add_ticket(f"T{number}", "Text", queue="Support")
    tracker.say(1, "Said")
    tracker.attach(2, "a.txt", b"x")
    tracker.log(3, "1:00")
    tracker.asked.clear()
    pages = list(here.changed("", set()))
    assert [len(page.found) for page in pages] == [100, 30]
    asked = [one for one in tracker.asked if one != "POST jwt/issue"]
    # What keywords there are was told when the tracker was asked what it has.
    assert sorted(asked) == [f"GET data/{one}" for one in ("file", "issue", "msg", "timelog")]
    tracker.asked.clear()
    (page,) = here.changed(pages[-1].cursor, set())
    assert (page.found, tracker.asked) == ([], ["GET data/issue", "GET data/msg"])
    with closing(opened(tracker)) as other:
        tracker.asked.clear()
        assert [page.found for page in other.changed(page.cursor, set())] == [[]]
        assert tracker.asked == ["GET data/issue", "GET data/msg"]


def test_field_that_was_taken_away(tracker: Standin, here: Roundup) -> None:
    """A cursor that knows a field which the tracker has no more is as good as any other."""
    number = tracker.add_ticket("T", "Text")
    (page,) = here.changed("", set())
    old = page.cursor.replace('"due"', '"deadline"')
    assert old != page.cursor
    tracker.edit(number, title="New")
    with closing(opened(tracker)) as other:
        told = [found for page in other.changed(old, {number}) for found in page.found]
    assert told == here.read([number])


def test_tracker_with_other_fields(tracker: Standin) -> None:
    """A class of tickets with other names has its fields found out: one superseder, links and lists of the site's own, no notes."""
    tracker.db.schema = {
        "bug": {
            "title": "string",
            "messages": "links msg",
            "files": "links file",
            "nosy": "links user",
            "superseder": "link bug",
            "assignee": "link user",
            "keywords": "links keyword",
            "severity": "link priority",
            "parts": "links status",
            "seen": "date",
            "size": "string",
        },
        "msg": {name: kind for name, kind in SCHEMA["msg"].items() if name != "internal"},
        **{name: SCHEMA[name] for name in ("file", "user", "keyword", "status", "priority")},
    }
    tracker.db.classes["bug"] = {}
    with closing(opened(tracker)) as wrong, pytest.raises(UsageError) as caught:
        wrong.describe()
    assert "bug" in caught.value.hint
    with closing(opened(tracker, "?class=bug")) as other:
        first = other.perform(Call("create", 0, TICKET, {"title": "One"})).number
        assert other.find(Call("create", 0, TICKET, {"title": "One"}), set()) is not None
        (found,) = other.read([first])
        assert isinstance(found, Snapshot)
        assert (found.token, found.fields["description"]) == (TICKET, None)
        tracker.db.set("bug", "1", {"seen": "2026-12-01.10:00:00+0000"}, "2")
        about = other.describe()
        assert {one.path: bool(one.choices) for one in about.customs} == {
            "x.parts": True,
            "x.seen": False,
            "x.severity": True,
            "x.size": False,
        }
        assert not about.features["status"].write
        wanted = {
            "x.parts": "chatting\nunread",
            "x.severity": "wish",
            "x.seen": "2026-12-02.10:00:00",
            "assignee": "agent2",
        }
        other.perform(Call("update", first, TICKET, {**wanted, "labels/new": True}))
        second = other.perform(Call("create", 0, TICKET[::-1], {"title": "Two"})).number
        other.perform(Call("link", first, ITEM, {"kind": "duplicates", "other": second}))
        (found,) = other.read([first])
        assert isinstance(found, Snapshot)
        assert {path: found.fields[path] for path in wanted} == wanted
        assert (found.fields["labels/new"], found.ties) == (True, [Tie("duplicates", second)])
        other.perform(Call("unlink", first, ITEM, {"kind": "duplicates", "other": second}))
        for refused in (
            Call("comment", first, ITEM, {"body": "x", "public": False}),
            Call("time", first, ITEM, {"minutes": 5, "date": 0, "note": ""}),
            Call("update", first, ITEM, {"x.severity": "no such"}),
            Call("update", first, ITEM, {"status": "open"}),
        ):
            with pytest.raises(RefusedError):
                other.perform(refused)
        (now,) = other.read([first])
        assert isinstance(now, Snapshot)
        assert (now.comments, now.ties) == ([], [])


def test_first_reading_goes_on(tracker: Standin, here: Roundup) -> None:
    """A first reading that stopped after a page goes on behind it, and what changed before it meanwhile is told afterwards."""
    for number in range(1, 131):
        tracker.add_ticket(f"T{number}", "Text")
    first = next(iter(here.changed("", set())))
    tracker.edit(5, title="Meanwhile")
    (second,) = here.changed(first.cursor, set())
    assert [found.number for found in second.found] == list(range(101, 131))
    told = [found.number for page in here.changed(second.cursor, set()) for found in page.found]
    assert 5 in told


def test_rewritten_comment_and_time_are_told(tracker: Standin, here: Roundup) -> None:
    """A rewritten comment is told of, though its ticket's time stays; rewritten time with whatever is told of next."""
    for number in range(1, 4):
        tracker.add_ticket(f"T{number}", "Text")
    comment, work = tracker.say(1, "Said"), tracker.log(3, "1:00")
    (page,) = here.changed("", set())
    tracker.rewrite(comment, "Rewritten")
    (page,) = here.changed(page.cursor, set())
    assert [found.number for found in page.found] == [1]
    tracker._put("timelog", work, {"period": "2:00"})
    (page,) = here.changed(page.cursor, set())
    assert page.found == []
    tracker.edit(2, title="New")
    (page,) = here.changed(page.cursor, set())
    assert sorted(found.number for found in page.found) == [2, 3]


def test_retired_ticket_comes_back(tracker: Standin, here: Roundup) -> None:
    """Retiring and restoring is seen in the numbers alone."""
    number = tracker.add_ticket("T", "Text")
    (page,) = here.changed("", set())
    tracker.remove(number)
    assert [page.found for page in here.changed(page.cursor, {number})] == [[]]
    assert here.numbers() == set()
    tracker.restore(number)
    assert here.numbers() == {number}


HALF: dict[str, tuple[str, dict[str, Any]]] = {
    "comment": ("comment", {"body": "Half said", "public": False}),
    "create": ("create", {"title": "Half made", "description": "Text"}),
}


@pytest.mark.parametrize(("verb", "fields"), HALF.values(), ids=HALF)
@pytest.mark.parametrize("how", ["done_then_500", "cut_after"])
def test_half_done_call_is_completed(
    tracker: Standin, here: Roundup, verb: str, fields: dict[str, Any], how: str
) -> None:
    """A message that was made, and whose answer was lost, is found by its token, linked, and there once."""
    number = tracker.add_ticket("Theirs") if verb == "comment" else 0
    call = Call(verb, number, TICKET if verb == "create" else ITEM, fields)
    assert here.find(call, set()) is None
    tracker.only = "POST"
    setattr(tracker, how, 3 if how == "cut_after" else 1)
    with pytest.raises(DoubtError):
        here.perform(call)
    tracker.cut_after = None
    assert all("Half" not in str(one) for one in tracker.tickets().values())
    found = here.find(call, set())
    assert found is not None
    assert here.find(call, set()) == found
    (there,) = [one for one in tracker.tickets().values() if "Half" in str(one)]
    assert there["comments"] == ([("Half said", False)] if verb == "comment" else [])
    assert there["description"] == ("" if verb == "comment" else "Text")


def test_what_was_refused_before_is_not_doubled(tracker: Standin, here: Roundup) -> None:
    """Messages that are left of refused calls are not linked beside those that were, nor in place of another text."""
    call = Call("create", 0, TICKET, {"title": "T", "description": "Text", "status": "no such"})
    with pytest.raises(RefusedError):
        here.perform(call)
    assert here.find(call._replace(fields={"title": "T", "description": "Other text"}), set()) is None
    call = call._replace(fields={"title": "T", "description": "Text"})
    number = here.perform(call).number
    tracker.db.set("issue", str(number), {"extref": "nothing"}, "2")
    assert here.find(call, set()) == Outcome(number=number)
    comment = Call("comment", number, ITEM, {"body": "Said", "public": True})
    here._rest.post("msg", {"content": "Said", "author": "agent1", "date": ".", "messageid": f"<{ITEM}@chit>"})
    made = here.perform(comment)
    assert here.find(comment, set()) == made
    assert len(tracker.tickets()) == 1
    assert tracker.tickets()[number]["comments"] == [("Said", True)]


TROUBLES = ["html", "redirect", "half_page"]


@pytest.mark.parametrize("what", TROUBLES)
def test_answers_that_are_none(tracker: Standin, here: Roundup, what: str) -> None:
    """A web page, a redirect, half an answer to a question is an error in words, and nothing is told."""
    tracker.add_ticket("T", "Text")
    setattr(tracker, what, 1)
    with pytest.raises(RemoteError) as caught:
        list(here.changed("", set()))
    assert caught.value.hint


def test_rate_limit_is_waited_for(tracker: Standin, here: Roundup) -> None:
    """A call that is throttled is made again when it may be, and is done once."""
    number = tracker.add_ticket("T", "Text")
    tracker.rate_limit(2)
    here.perform(Call("comment", number, ITEM, {"body": "Once", "public": True}))
    assert tracker.tickets()[number]["comments"] == [("Once", True)]


def test_bad_token_is_not_an_empty_tracker(tracker: Standin) -> None:
    """A server that answers a bad token with empty lists is not taken for one without tickets."""
    tracker.empty_on_bad_token = True
    with closing(opened(tracker, secret="agent1:wrong")) as stranger:
        asked: list[Callable[[], object]] = [
            stranger.describe,
            stranger.numbers,
            lambda: list(stranger.changed("", set())),
        ]
        for ask in asked:
            with pytest.raises(ChitError):
                ask()


def test_password_is_tried_once(tracker: Standin) -> None:
    """A wrong password is not tried again: Roundup locks accounts for that."""
    with closing(opened(tracker, secret="agent1:wrong")) as stranger:
        with pytest.raises(AccessError):
            stranger.describe()
        assert stranger._rest.web.requests == 1


def test_token_of_the_site_is_used(tracker: Standin, here: Roundup) -> None:
    """After some questions with the password a token is asked for, once; a tracker that gives none is asked no more."""
    assert tracker.asked.count("POST jwt/issue") == 1
    tracker.tokens = False
    with closing(opened(tracker)) as other:
        other.describe()
        other.describe()
    assert tracker.asked.count("POST jwt/issue") == 2


@pytest.mark.parametrize("description", ["Text", ""])
def test_comment_keeps_the_status(tracker: Standin, here: Roundup, description: str) -> None:
    """A comment does not change a ticket's status, whichever it is; nor does taking it away."""
    number = tracker.add_ticket("T", description)
    for status in ("unread", "resolved", "done-cbb", "testing"):
        tracker.edit(number, status=status)
        made = here.perform(Call("comment", number, ITEM, {"body": status, "public": True}))
        assert tracker.tickets()[number]["status"] == status
        here.perform(Call("delete-comment", number, ITEM, {}, made.id))
        assert tracker.tickets()[number]["comments"] == []
        assert tracker.tickets()[number]["status"] == status


def test_new_ticket_gets_the_keyword_that_is_followed(tracker: Standin) -> None:
    """Who follows a keyword finds the tickets that they make among those that are followed."""
    with closing(opened(tracker, "?queue=Billing")) as follower:
        assert follower.describe().default_queue == "Billing"
        number = follower.perform(Call("create", 0, TICKET, {"title": "T"})).number
        assert follower.numbers() == {number}


def test_query_is_in_roundups_own_words(tracker: Standin) -> None:
    """Further conditions narrow what is followed, and cannot change how is asked."""
    tracker.add_ticket("T", status="resolved")
    number = tracker.add_ticket("T", status="testing")
    with closing(opened(tracker, "?query=status%3Dtesting")) as follower:
        assert follower.numbers() == {number}
        assert [found.number for page in follower.changed("", set()) for found in page.found] == [number]
    with pytest.raises(UsageError):
        opened(tracker, "?query=%40page_size%3D1")


def test_other_origin_is_explained(tracker: Standin) -> None:
    """A tracker that knows itself by another address takes no writes, and the error says so."""
    with closing(Roundup(address.parse(tracker.url.replace("127.0.0.1", "localhost")), tracker.secret)) as other:
        number = tracker.add_ticket("T")
        with pytest.raises(AccessError) as caught:
            other.perform(Call("comment", number, ITEM, {"body": "x", "public": True}))
        assert "address" in caught.value.hint


def test_nothing_is_sent_that_roundup_leaks(tracker: Standin, here: Roundup) -> None:
    """Empty and internal files and empty comments are refused before anything is sent."""
    number = tracker.add_ticket("T")
    tracker.asked.clear()
    for call in (
        Call("attach", number, ITEM, {"name": "a", "size": 0, "public": True}),
        Call("attach", number, ITEM, {"name": "a", "size": 1, "public": False}),
        Call("comment", number, ITEM, {"body": " \n", "public": True}),
    ):
        with pytest.raises(RefusedError):
            here.perform(call, io.BytesIO(b""))
    assert [one for one in tracker.asked if one.startswith("POST data")] == []


def test_message_of_another_ticket_is_left_there(tracker: Standin, here: Roundup) -> None:
    """A token is good within its ticket: a message that has it and lies on another is neither found nor moved."""
    one, other = tracker.add_ticket("One"), tracker.add_ticket("Other")
    here.perform(Call("comment", one, ITEM, {"body": "Said", "public": True}))
    assert here.find(Call("comment", other, ITEM, {"body": "Said", "public": True}), set()) is None
    assert tracker.tickets()[other]["comments"] == []
