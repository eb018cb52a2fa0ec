"""The adapter for Redmine against its stand-in: what it asks and sends, and what happens when the server misbehaves."""

import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from chit_sync.clock import DAY
from chit_sync.errors import AccessError, RemoteError
from chit_sync.helpdesks import address
from chit_sync.helpdesks.base import (
    Call,
    DoubtError,
    Gone,
    Outcome,
    Page,
    RefusedError,
    Snapshot,
    StaleError,
)
from chit_sync.helpdesks.redmine import Redmine
from chit_sync.helpdesks.redmine_changes import Changes
from chit_sync.helpdesks.redmine_site import Site
from chit_sync.remotes.base import UnreachedError
from chit_sync.remotes.web import Web
from support.standins.redmine import Standin

TOKEN = "k" * 16 + "z" * 16


@pytest.fixture
def there() -> Iterator[Standin]:
    """A Redmine to play with."""
    with Standin() as standin:
        yield standin


@pytest.fixture
def here(there: Standin) -> Iterator[Redmine]:
    """The adapter for it."""
    desk = Redmine(address.parse(there.url), there.secret)
    desk.describe()
    yield desk
    desk.close()


def create(token: str = TOKEN, **fields: Any) -> Call:
    return Call("create", 0, token, {"title": "Printer", "description": "Text", **fields})


def numbers(pages: list[Page]) -> list[int]:
    return [found.number for page in pages for found in page.found]


UNSAFE: dict[str, Callable[[int], Call]] = {
    "create": lambda number: create(),
    "comment": lambda number: Call("comment", number, "k" * 16, {"body": "Said", "public": False}),
    "attach": lambda number: Call("attach", number, "k" * 16, {"name": "a.txt", "size": 3, "public": True}),
    "time": lambda number: Call("time", number, "k" * 16, {"minutes": 7, "date": 20_000 * DAY, "note": "Did"}),
}


@pytest.mark.parametrize("verb", UNSAFE)
@pytest.mark.parametrize("how", ["done_then_500", "cut", "html"])
def test_doubt(here: Redmine, there: Standin, verb: str, how: str) -> None:
    """A call whose answer was lost is a doubt, is made once, and is found, unless it can be told that nothing shows."""
    call = UNSAFE[verb](there.add_ticket("Other"))
    there.asked.clear()
    there.only = "P"  # POST and PUT
    if how == "cut":
        there.cut_after = 3
    else:
        setattr(there, how, 1)
    outcome: Outcome | None = None
    if (verb, how) == ("comment", "cut"):  # its answer has no body
        outcome = here.perform(call)
    else:
        with pytest.raises(UnreachedError if verb == "attach" else DoubtError):
            here.perform(call, io.BytesIO(b"abc"))
    there.cut_after = None
    writes = [line for line in there.asked if not line.startswith("GET")]
    assert len(writes) == len(set(writes))
    found = here.find(call, ())
    if outcome is not None:
        assert found is not None
    elif verb != "attach":
        assert (found is not None) == (how != "html")
    assert here.find(call, {(found.id or str(found.number)) if found else ""}) is None


def test_upload_that_broke_off_shows_nothing(here: Redmine, there: Standin) -> None:
    """A file whose upload is in doubt hangs on nothing: it did not get there, and may be sent again."""
    number = there.add_ticket("Other")
    there.done_then_500 = 1
    with pytest.raises(UnreachedError):
        here.perform(UNSAFE["attach"](number), io.BytesIO(b"abc"))
    assert there.tickets()[number]["files"] == []
    here.perform(UNSAFE["attach"](number), io.BytesIO(b"abc"))
    assert there.tickets()[number]["files"] == [("a.txt", b"abc")]


@pytest.mark.parametrize("how", ["html", "redirect", "half_page"])
def test_answers_of_something_else(here: Redmine, there: Standin, how: str) -> None:
    """A web page, a redirect to a login, half a page: an error in words, and nothing is taken from it."""
    there.add_ticket("One")
    setattr(there, how, 1)
    with pytest.raises(RemoteError):
        list(here.changed("", ()))
    assert numbers(list(here.changed("", ()))) == [1]


def test_throttling_is_waited_for(here: Redmine, there: Standin) -> None:
    """Who is told to wait waits, also with a write, which is then made once."""
    there.rate_limit(2)
    number = here.perform(create()).number
    assert list(there.tickets()) == [number]


@pytest.mark.parametrize("public", [False, True])
def test_key_that_is_not_good(there: Standin, public: bool) -> None:
    """With a key that is not good Redmine lists what anybody sees, or nothing: that is an AccessError, whatever is asked."""
    there.add_ticket("One")
    there.model.public = public
    desk = Redmine(address.parse(there.url), "b" * 40)
    for ask in (desk.describe, desk.numbers, lambda: list(desk.changed("", ())), lambda: desk.read([99])):
        with pytest.raises(AccessError):
            ask()
    desk.close()


def test_key_that_goes_bad_between_two_readings(here: Redmine, there: Standin) -> None:
    """An empty list is believed only if the key is good."""
    there.add_ticket("One")
    cursor = [*here.changed("", ())][-1].cursor
    there.rest = False
    for ask in (lambda: list(here.changed(cursor, {1})), here.numbers):
        with pytest.raises(AccessError):
            ask()


def test_first_reading_costs_little(here: Redmine, there: Standin) -> None:
    """All of it takes a request for each issue and few more, also if time was spent on many."""
    for n in range(230):
        number = there.add_ticket(f"Ticket {n}")
        there.say(number, "Said")
        if n % 3 == 0:
            there.spend(number, 5)
    there.asked.clear()
    pages = list(here.changed("", ()))
    assert sorted(numbers(pages)) == sorted(there.model.issues)
    assert len(there.asked) <= (230 + 3) * 1.1


def test_reading_of_nothing(there: Standin) -> None:
    """It takes two requests, whoever goes on from the cursor; what may have changed again in its second is read once more before."""
    for n in range(5):
        there.say(there.add_ticket(f"Ticket {n}"), "Said")
    cursor, counts = "", []
    for turn in range(4):
        web = Web("redmine", there.origin, headers={"X-Redmine-API-Key": there.secret})
        changes = Changes(Site(web, address.parse(there.url)), partial(float, 1_000_000 + 10 * turn))
        pages = list(changes.changed(cursor, range(1, 6)))
        cursor = pages[-1].cursor
        counts.append((len(numbers(pages)), web.requests))
        web.close()
    assert [count for count, _ in counts] == [5, 1, 0, 0]
    assert [requests for _, requests in counts[2:]] == [2, 2]


def test_second_with_more_than_a_page(here: Redmine, there: Standin) -> None:
    """Hundreds of issues that changed in one second are all read, a page at a time, by readings that end after each page."""
    for n in range(230):
        there.add_ticket(f"Ticket {n}")
    for issue in there.model.issues.values():
        issue["updated"] = there.model.now + 10
    there.model.now += 20
    late = there.add_ticket("Later")
    told: set[int] = set()
    cursor = ""
    for _ in range(8):
        page = next(iter(here.changed(cursor, told)))
        told |= set(numbers([page]))
        cursor = page.cursor
    assert told == {*range(1, 231), late}
    assert numbers(list(here.changed(cursor, told))) in ([], [late])


def test_pages_that_shift(here: Redmine, there: Standin) -> None:
    """Issues that change while pages are read are told of, before or after."""
    made = {there.add_ticket(f"Ticket {n}") for n in range(150)}
    there.shift_pages = True
    pages = []
    for page in here.changed("", ()):
        pages.append(page)
        there.shift_pages = len(pages) < 5
    assert set(numbers(pages)) == made


def test_same_second_is_read_again(here: Redmine, there: Standin) -> None:
    """A note in the very second in which the issue was read is not missed."""
    number = there.add_ticket("One")
    cursor = [*here.changed("", ())][-1].cursor
    updated = there.model.issues[number]["updated"]
    there.say(number, "At once")
    there.model.issues[number]["updated"] = updated
    (found,) = [found for page in here.changed(cursor, {number}) for found in page.found]
    assert isinstance(found, Snapshot)
    assert [comment.body for comment in found.comments] == ["At once"]


def test_clock_hours_off(here: Redmine, there: Standin) -> None:
    """A server whose clock is wrong is read like any other, by its own clock."""
    there.clock_offset = -36_000
    there.add_ticket("One")
    cursor = [*here.changed("", ())][-1].cursor
    second = there.add_ticket("Two")
    assert second in numbers(list(here.changed(cursor, {1})))


def test_time_is_noticed(here: Redmine, there: Standin) -> None:
    """New time moves no date of an issue and is told of all the same."""
    number = there.add_ticket("One")
    there.add_ticket("Two")
    cursor = [*here.changed("", ())][-1].cursor
    there.spend(number, 7, "Looked")
    found = {found.number: found for page in here.changed(cursor, {1, 2}) for found in page.found}
    one = found[number]
    assert isinstance(one, Snapshot)
    assert [(work.minutes, work.note) for work in one.works] == [(7, "Looked")]


def test_note_never_becomes_public(here: Redmine, there: Standin) -> None:
    """Who may not keep notes private is refused before Redmine publishes one."""
    there.model.may_be_private = {1}
    number = there.add_ticket("One")
    with pytest.raises(RefusedError, match="private"):
        here.perform(Call("comment", number, "k" * 16, {"body": "secret", "public": False}))
    assert there.tickets()[number]["comments"] == []


def test_comment_costs_two_requests(here: Redmine, there: Standin) -> None:
    """A comment is one call, and one that tells its id and the ticket as it is then."""
    number = there.add_ticket("One")
    for public in (False, True, True):
        call = Call("comment", number, "k" * 16, {"body": "Said\r\ntwice", "public": public})
        there.asked.clear()
        made = here.perform(call)
        assert [made.snapshot] == here.read([number])
        assert made.snapshot is not None
        assert made.id == made.snapshot.comments[-1].id
    assert there.asked[:2] == [f"PUT issues/{number}.json", f"GET issues/{number}.json"]
    assert len(there.asked) == 3


def test_subtasks_are_not_deleted_along(here: Redmine, there: Standin) -> None:
    """An issue that has subtasks is not deleted, since they would go with it."""
    parent, child = there.add_ticket("Parent"), there.add_ticket("Child")
    here.perform(Call("link", parent, "k" * 16, {"kind": "parent-of", "other": child}))
    with pytest.raises(RefusedError, match="subtasks"):
        here.perform(Call("delete", parent, TOKEN, {}))
    assert set(there.tickets()) == {parent, child}


def test_overdue_and_closed_from_the_start(here: Redmine, there: Standin) -> None:
    """A ticket that was due before it is sent, and one that is closed by then, are filed so, though Redmine begins otherwise."""
    call = create(due=20_000 * DAY, status="Closed", priority="High", queue="Billing", assignee="agent2")
    (found,) = here.read([here.perform(call).number])
    assert isinstance(found, Snapshot)
    wanted = {"due": 20_000 * DAY, "status": "Closed", "priority": "High", "queue": "Billing", "assignee": "agent2"}
    assert {path: found.fields[path] for path in wanted} == wanted
    assert found.token == TOKEN


def test_answer_of_a_create_is_the_ticket(here: Redmine, there: Standin) -> None:
    """What the answer to a create tells is what reading it tells."""
    made = here.perform(create())
    assert [made.snapshot] == here.read([made.number])


def test_links_twice(here: Redmine, there: Standin) -> None:
    """A link that is there already is well, and so is taking away one that is not."""
    one, other = there.add_ticket("One"), there.add_ticket("Other")
    for kind in ("follows", "parent-of"):
        call = Call("link", one, "k" * 16, {"kind": kind, "other": other})
        for verb in ("link", "link", "unlink", "unlink"):
            here.perform(call._replace(verb=verb))


def test_conflict_is_stale(here: Redmine, there: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    """422 without reasons is Redmine's word for a conflict: nothing was done, read again."""
    from support.standins.redmine_model import InvalidError

    number = there.add_ticket("One")

    def busy(*_: object) -> None:
        raise InvalidError

    monkeypatch.setattr(there.model, "update", busy)
    with pytest.raises(StaleError):
        here.perform(Call("update", number, TOKEN, {"title": "x"}))


def test_gone_and_hidden(here: Redmine, there: Standin) -> None:
    """An issue that is not there is gone; the others are read."""
    number = there.add_ticket("One")
    found = here.read([99, number])
    assert found[0] == Gone(99, "deleted")
    assert found[1].number == number
