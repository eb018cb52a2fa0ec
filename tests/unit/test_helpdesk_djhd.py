"""The adapter for django-helpdesk against its stand-in: how much it asks, what it notices when, and what it writes."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from chit_sync.clock import SECOND
from chit_sync.errors import AccessError, UsageError
from chit_sync.helpdesks.base import Call, Gone, Outcome, RefusedError
from chit_sync.helpdesks.djhd import DjangoHelpdesk
from chit_sync.helpdesks.djhd_asking import LISTED, Asking
from chit_sync.helpdesks.djhd_cursor import SMALL, Cursor
from support.djhd_desk import ITEM, TICKET, adapter, attaching, changed, read
from support.standins.djhd import TOKEN, Standin


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


# How much is asked


def test_requests_of_readings(site: Standin, desk: DjangoHelpdesk) -> None:
    """All tickets come with one request beside the one for the words; with nothing new there is one more, and it tells of nothing."""
    made = {site.add_ticket(f"Ticket {n}") for n in range(150)}
    pages = list(desk.changed("", ()))
    assert [len(page.found) for page in pages] == [100, 50]
    assert site.asked == ["GET api/tickets/", "OPTIONS api/tickets/"]
    site.asked.clear()
    assert changed(desk, pages[-1].cursor, made)[0] == set()
    assert len(site.asked) == 1


@pytest.fixture
def many(site: Standin) -> set[int]:
    """So many tickets that they are not all read each time."""
    return {site.add_ticket(f"Ticket {n}") for n in range(SMALL + 5)}


def test_many_tickets_are_followed_by_their_followups(site: Standin, desk: DjangoHelpdesk, many: set[int]) -> None:
    """Among many tickets a new comment or ticket is noticed at once, by one look at the followups and one at each of these tickets."""
    told, cursor = changed(desk, "", set())
    assert told == many
    site.asked.clear()
    assert changed(desk, cursor, many) == (set(), cursor)
    assert site.asked == ["GET api/followups/"]
    site.say(7, "Said")
    new = site.add_ticket("New")
    site.asked.clear()
    told, cursor = changed(desk, cursor, many)
    assert told == {7, new}
    assert len(site.asked) == 3
    assert changed(desk, cursor, many | {new})[0] == set()


def test_many_tickets_are_read_from_time_to_time(site: Standin, desk: DjangoHelpdesk, many: set[int]) -> None:
    """Among many tickets a change that leaves no followup is noticed when the server's clock has gone on, and by two requests."""
    _, cursor = changed(desk, "", set())
    site.edit(9, title="By another program")
    assert changed(desk, cursor, many)[0] == set()
    site.clock_offset = 200
    site.asked.clear()
    told, _ = changed(desk, cursor, many)
    assert 9 in told
    assert len(told) < 20
    assert len(site.asked) == 2


def test_deletions_among_many_tickets(site: Standin, desk: DjangoHelpdesk, many: set[int]) -> None:
    """Among many tickets a deleted ticket or comment is noticed at once, since there are fewer followups."""
    comment = site.say(5, "Said")
    _, cursor = changed(desk, "", set())
    site.rules.delete("followups", int(comment))
    told, cursor = changed(desk, cursor, many)
    assert 5 in told
    site.remove(6)
    (gone,) = [one for page in desk.changed(cursor, many) for one in page.found if isinstance(one, Gone)]
    assert (gone.number, gone.how) == (6, "deleted")


def test_many_new_followups_are_read_at_once(site: Standin, desk: DjangoHelpdesk, many: set[int]) -> None:
    """When much has happened, everything is read with one request instead of each ticket with its own."""
    _, cursor = changed(desk, "", set())
    for number in range(20, 60):
        site.say(number, "Said")
    site.asked.clear()
    told, _ = changed(desk, cursor, many)
    assert set(range(20, 60)) <= told
    assert len(site.asked) == 2


def test_reading_backwards_skips_nothing(site: Standin) -> None:
    """Tickets that move to an earlier page, because others are deleted while they are read, are not left out."""
    made = [site.add_ticket(f"Ticket {n}") for n in range(12)]
    asking = Asking("desk", site.origin, TOKEN, [], 10, None)
    site.shift_pages = True
    with closing(asking):
        seen = {raw["id"] for listing in asking.walk(size=3) for raw in listing.tickets}
    assert set(site.rules.rows) <= seen
    assert len(site.rules.rows) < len(made)


def test_more_tickets_than_come_at_once(site: Standin, desk: DjangoHelpdesk) -> None:
    """More tickets than are asked for at once come in parts; who stops goes on where it was, and what comes meanwhile is noticed."""
    made = {site.add_ticket(f"Ticket {n}") for n in range(LISTED + 50)}
    told: set[int] = set()
    cursor = ""
    for page in desk.changed("", ()):
        told |= {one.number for one in page.found}
        cursor = page.cursor
        if len(told) >= 300:
            break
    site.say(LISTED + 20, "On one that was read")
    site.say(3, "On one that was not")
    site.remove(4)
    new = site.add_ticket("New")
    rest, cursor = changed(desk, cursor, told)
    assert made - told - rest == {4}
    assert site.asked.count("GET api/tickets/") == 3
    later, cursor = changed(desk, cursor, told | rest)
    assert {LISTED + 20, new} <= later
    site.asked.clear()
    assert changed(desk, cursor, told | rest | later)[0] == set()
    assert len(site.asked) == 1


def test_comment_that_comes_while_all_is_read(site: Standin, desk: DjangoHelpdesk) -> None:
    """A comment on a ticket that was read a moment before is not taken for known."""
    for n in range(LISTED + 5):
        site.add_ticket(f"Ticket {n}")
    cursor, known = Cursor(), set(site.rules.rows)
    with closing(Asking("desk", site.origin, TOKEN, [], 10, None)) as asking:
        listing = asking.listing()
        assert listing.page == 2
        site.say(LISTED + 2, "Just after it was read")
        desk._start(cursor, listing)
    cursor.full = time.time()
    assert LISTED + 2 in changed(desk, cursor.text(), known)[0]


@pytest.mark.parametrize("hours", [-13, 13])
def test_wrong_clock(site: Standin, desk: DjangoHelpdesk, hours: int) -> None:
    """A server whose clock is hours off is followed like any other."""
    site.clock_offset = hours * 3600
    number = site.add_ticket("Off")
    _, cursor = changed(desk, "", set())
    site.say(number, "Said")
    assert changed(desk, cursor, {number})[0] == {number}


@pytest.mark.parametrize("cursor", ["x", "{", "[]", '{"seen": 5}', '{"full": 1, "sums": "ä"}', "\ud800"])
def test_cursor_that_is_none(site: Standin, desk: DjangoHelpdesk, cursor: str) -> None:
    """With a cursor that is none of ours everything is read again."""
    number = site.add_ticket("There")
    assert changed(desk, cursor, set())[0] == {number}


def test_states_are_followed(site: Standin) -> None:
    """Who follows some states is told of tickets that have them, and of what is known wherever it goes."""
    opened, closed = site.add_ticket("Open"), site.add_ticket("Closed", status="Closed")
    with closing(adapter(site, "?query=status%3Dopen,Reopened")) as desk:
        told, cursor = changed(desk, "", set())
        assert (told, set(desk.numbers())) == ({opened}, {opened})
        site.edit(opened, status="Closed")
        site.edit(closed, status="Reopened")
        assert changed(desk, cursor, {opened})[0] == {opened, closed}


def test_merged_ticket_is_told_once(site: Standin, desk: DjangoHelpdesk) -> None:
    """A ticket that was merged into another is told of as gone, once."""
    one, other = site.add_ticket("One"), site.add_ticket("Other")
    _, cursor = changed(desk, "", set())
    site.rules.change(one, {"merged_to": other})
    pages = list(desk.changed(cursor, {one, other}))
    gone = [found for page in pages for found in page.found if isinstance(found, Gone)]
    assert [(found.number, found.how, found.into) for found in gone] == [(one, "merged", other)]
    assert changed(desk, pages[-1].cursor, {one, other})[0] == set()


# Who we are


def test_forms_tell_who_we_are(site: Standin, desk: DjangoHelpdesk) -> None:
    """The forms for browsers tell our number and everybody's login."""
    about = desk.describe()
    assert (about.account.key, about.account.name) == ("1", "agent1")
    assert [person.name for person in about.people] == ["agent1", "agent2", "requester"]


def test_without_forms(site: Standin) -> None:
    """Where no forms are shown, our number comes from the address or from the first thing that we do; queues have to have numbers."""
    site.forms = False
    with closing(adapter(site, "?queue=1&me=1:Agent%20One")) as desk:
        assert (desk.describe().account.key, desk.describe().account.name) == ("1", "Agent One")
        assert desk.describe().queues == ["1"]
    with closing(adapter(site)) as desk:
        assert desk.describe().account.key == ""
        desk.perform(Call("create", 0, TICKET, {"title": "x"}))
        assert desk.describe().account.key == "1"
    with closing(adapter(site, "?queue=Support")) as desk, pytest.raises(UsageError, match="Support"):
        desk.numbers()


def test_queue_by_its_name(site: Standin) -> None:
    """A queue that the address names is looked up in a form; a new ticket goes there."""
    with closing(adapter(site, "?queue=Billing")) as desk:
        assert desk.describe().default_queue == "Billing"
        made = desk.perform(Call("create", 0, TICKET, {"title": "x"}))
        assert site.rules.rows[made.number]["queue"] == 2
    with closing(adapter(site, "?queue=Sales")) as desk, pytest.raises(UsageError, match="Sales"):
        desk.numbers()


def test_no_queue(site: Standin) -> None:
    """Who follows no queue in particular has to name one for a new ticket."""
    with closing(adapter(site, "")) as desk:
        with pytest.raises(RefusedError, match="queue"):
            desk.perform(Call("create", 0, TICKET, {"title": "x"}))
        assert desk.perform(Call("create", 0, TICKET, {"title": "x", "queue": "2"})).number == 1


def test_empty_answer_to_a_bad_token(site: Standin) -> None:
    """A bad token is an error about access, also where it is answered with an empty list."""
    site.add_ticket("There")
    site.empty_on_bad_token = True
    with closing(adapter(site, secret="f" * 40)) as desk:
        for ask in (desk.numbers, desk.describe, lambda: list(desk.changed("", ()))):
            with pytest.raises(AccessError):
                ask()


# What is written


def test_create_with_a_status(site: Standin, desk: DjangoHelpdesk) -> None:
    """The status of a new ticket is set after it was made, and the answer tells the ticket as it then is."""
    outcome = desk.perform(Call("create", 0, TICKET, {"title": "x", "description": "y", "status": "Closed"}))
    assert outcome.snapshot == read(desk, outcome.number)
    assert outcome.snapshot is not None
    assert (outcome.snapshot.fields["status"], outcome.snapshot.token) == ("Closed", TICKET)


def test_ticket_without_description(site: Standin, desk: DjangoHelpdesk) -> None:
    """A ticket needs a description there: an empty one is the line with our id, and reads as empty."""
    number = desk.perform(Call("create", 0, TICKET, {"title": "x", "description": " \n"})).number
    assert site.tickets()[number]["description"] == f"[chit:{TICKET}]"
    assert read(desk, number).fields["description"] is None


def test_line_with_our_id_stays() -> None:
    """Without a field for it our id stands in the description, stays there when that is written, and is found there."""
    with Standin(reference=False) as site, closing(adapter(site)) as desk, closing(adapter(site)) as later:
        assert desk.describe().reference == ""
        number = desk.perform(Call("create", 0, TICKET, {"title": "x", "description": "Text"})).number
        for opened in (desk, later):
            for text in ("Other", None):
                opened.perform(Call("update", number, TICKET, {"description": text}))
                found = read(opened, number)
                assert (found.fields["description"], found.token) == (text, TICKET)
        assert later.find(Call("create", 0, TICKET, {}), ()) == Outcome(number, str(number))


def test_comment_with_a_file_is_deleted_without_it(site: Standin, desk: DjangoHelpdesk) -> None:
    """Deleting a comment leaves the files and the time that hang on it."""
    number = site.add_ticket("x")
    comment = site.say(number, "With a file", public=True, time_spent="00:10:00")
    site.rules.attach({"followup": comment}, "a.txt", b"data")
    desk.perform(Call("delete-comment", number, ITEM, {}, comment))
    found = read(desk, number)
    assert found.comments == ()
    assert [one.name for one in found.files] == ["a.txt"]
    (work,) = found.works
    desk.perform(Call("delete-time", number, ITEM, {}, work.id))
    assert [one.name for one in read(desk, number).files] == ["a.txt"]


def test_time_of_a_reply(site: Standin, desk: DjangoHelpdesk) -> None:
    """Time of a reply is rewritten and deleted without the reply; it has no note of its own."""
    number = site.add_ticket("x")
    said = site.say(number, "A reply", public=True, time_spent="00:10:00")
    with pytest.raises(RefusedError):
        desk.perform(Call("edit-time", number, ITEM, {"note": "x"}, said))
    desk.perform(Call("edit-time", number, ITEM, {"minutes": 75}, said))
    assert [one.minutes for one in read(desk, number).works] == [75]
    desk.perform(Call("delete-time", number, ITEM, {}, said))
    assert [one.body for one in read(desk, number).comments] == ["A reply"]
    assert read(desk, number).works == ()


def test_day_of_work_is_rewritten(site: Standin, desk: DjangoHelpdesk) -> None:
    """The day of the work is kept and can be changed; our id stays with it."""
    number = site.add_ticket("x")
    made = desk.perform(Call("time", number, ITEM, {"minutes": 6005, "date": 5 * SECOND, "note": "{{ x }}"}))
    desk.perform(Call("edit-time", number, ITEM, {"date": 9 * SECOND + 1}, made.id))
    (work,) = read(desk, number).works
    assert (work.minutes, work.date, work.note, work.token) == (6005, 9 * SECOND, "{{ x }}", ITEM)


def test_sites_with_other_endings(site: Standin, desk: DjangoHelpdesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose ending a site does not take, against the usual, is sent once more with `.txt`, under the same followup."""
    monkeypatch.setattr("support.standins.djhd_rules.EXTENSIONS", (".txt",))
    number = site.add_ticket("x")
    desk.perform(*attaching(number, name="image.png"))
    (file,) = read(desk, number).files
    assert (file.name, file.token, b"".join(desk.download(file.ref))) == ("image.png", ITEM, b"data")
    assert len(site.rules.followups) == 2


@pytest.mark.parametrize("text", ["\0", "a\0b"])
def test_characters_that_no_database_takes(site: Standin, desk: DjangoHelpdesk, text: str) -> None:
    """A NUL character is refused before anything is sent."""
    number = site.add_ticket("x")
    with pytest.raises(RefusedError, match="NUL"):
        desk.perform(Call("comment", number, ITEM, {"body": text, "public": True}))
