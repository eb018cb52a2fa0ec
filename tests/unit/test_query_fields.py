"""What queries find, field by field, in a small store of real tickets."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from chit_sync.clock import SECOND
from chit_sync.errors import QueryError
from conftest import NewStore
from support.desk import Desk, full_desk
from support.stores import NOON, Clock


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with a ticket of every sort."""
    desk = full_desk(tmp_path_factory.mktemp("desk") / "store")
    yield desk
    desk.store.close()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        # nothing said: open tickets, by urgency, then the latest first
        ("", "fire disk login twice"),
        ("  ", "fire disk login twice"),
        # what is said of state
        ("is:open", "fire disk login twice"),
        ("is:closed", "copy jam wish"),
        ("is:open OR is:closed", "login copy twice disk jam fire wish"),
        ("is:deleted", "gone"),
        ("is:deleted OR is:merged", "copy gone"),
        ("NOT is:open", "copy jam wish"),
        ("is:merged", "copy"),
        ("status:open", "disk"),
        ("status:OPEN,new", "fire disk"),
        ("status:closed", "jam"),
        ("status:none", "twice"),
        ("status:any", "login copy disk jam fire wish"),
        ("status:re*", "copy wish"),
        ("status:~end", "login"),
        ("NOT status:open,new,pending", "copy twice jam wish"),
        ("category:open", "disk twice"),
        ("category:closed,rejected", "jam wish"),
        ("is:waiting-customer", "login"),
        ("is:waiting-agent", "fire disk twice"),
        ("is:overdue", "fire"),
        ("is:emergency", "fire"),
        ("is:conflict", "twice"),
        ("is:unpushed", ""),
        # priority and impact by urgency
        ("priority:high", "disk"),
        ("priority:HIGH..", "fire disk"),
        ("priority:..normal", "login twice"),
        ("priority:low..high", "disk login twice"),
        ("priority:high..low", "disk login twice"),
        ("priority:>=high", "fire disk"),
        ("priority:>high", "fire"),
        ("priority:>critical", ""),
        ("priority:<high", "login twice"),
        ("priority:<=2", "disk login twice"),
        ("priority:1,3", "fire login twice"),
        ("priority:none", "login twice"),
        ("priority:any", "fire disk"),
        ("NOT priority:critical", "disk login twice"),
        ("impact:medium..", "fire"),
        ("impact:..medium", "disk"),
        ("impact:low,high", "fire disk"),
        ("impact:>high", ""),
        ("impact:none", "login twice"),
        ("type:incident,Request", "fire disk"),
        # lines of text
        ("assignee:anna", "fire"),
        ("assignee:@me", "fire"),
        ("is:mine", "fire"),
        ("assignee:none", "login twice"),
        ('assignee:"none" is:closed', "wish"),
        ("assignee:any", "fire disk"),
        ("assignee:anna,bob", "fire disk"),
        ("NOT assignee:anna", "disk login twice"),
        ("-assignee:anna", "disk login twice"),
        ("assignee:b*", "disk"),
        ("assignee:~NN", "fire"),
        ("author:bob", "disk"),
        ("author:@me", "fire login twice"),
        ('requester:"jörg müller"', "login"),
        ("requester:jö*Ü?ler", ""),
        ("requester:jö*üll*r", "login"),
        ("requester:~ÖRG", "login"),
        ("requester:jo@example.com", "fire"),
        ("requester:jo_example.com", ""),
        ("requester:jo_*", ""),
        ("queue:second", "disk"),
        ('queue:"first line",second', "fire disk"),
        ('organization:"example & co"', "fire"),
        ('product:"db..2"', "disk"),
        ("contract:=c*1", "login"),
        ('contract:"c*1"', "login"),
        ('contract:"c*"', ""),
        ("contract:~*", "login"),
        ("contract:[c]*", ""),
        ("label:ci", "fire disk"),
        ("label:CI,printer", "fire disk"),
        ("label:fl*", "disk"),
        ("label:none", "login twice"),
        ("label:any", "fire disk"),
        ("label:absent", ""),
        ("NOT label:printer label:ci", "disk"),
        # one's own fields
        ("x.serial:77", "fire"),
        ("x.serial:>8", "fire disk"),
        ("x.serial:..10", "disk"),
        ("x.serial:<=77.0", "fire disk"),
        ("x.note:A_B", "disk"),
        ("x.note:~_", "disk"),
        ("x.note:a%", ""),
        ("x.note:..2026-12-31", "login"),
        ("x.note:>2026-05-01", "disk"),
        ("x.note:none", "fire twice"),
        ("has:x.note", "disk login"),
        ("x.absent:none", "fire disk login twice"),
        ("x.größe-1.2:a", ""),
        # words
        ("printer", "jam fire"),
        ("PRINTER fire", "fire"),
        ("disk", "twice disk fire"),
        ("disk burns", "fire"),
        ('"disk full"', "disk"),
        ('"disk is full"', "fire"),
        ("muller", "login"),
        ("grosse", ""),
        ("GRÖSSE", ""),
        ("größe", "fire"),
        ("print*", "jam fire"),
        ("burns.", "fire"),
        ("can't", "login"),
        ("unspeakable", ""),
        ("printer OR wish", "jam fire wish"),
        ("is:open printer", "fire"),
        ("printer is:deleted", "gone"),
        ("printer NOT fire", "jam"),
        ("NOT printer", "disk login twice"),
        ("NOT (printer OR disk)", "login"),
        ("title:fire", "copy fire"),
        ('title:"the fire"', "copy"),
        ("title:=disk", ""),
        ('title:="disk full"', "disk"),
        ("title:~FULL", "disk"),
        ("title:*jam", "jam"),
        ("title:pri*", "jam fire"),
        ("title:disk", "disk"),
        ("description:disk", "twice"),
        ("body:disk,burns", "twice fire"),
        ("description:~100%", "fire"),
        ("description:~GRÖ", "fire"),
        ("description:none", "disk login"),
        ("comment:disk", "fire"),
        ("comment:burns", ""),
        ("comment:~DISK", "fire"),
        ("comment:~unspeak", ""),
        ("title:none", ""),
        # what it has
        ("has:comment", "fire"),
        ("comment:any", "fire"),
        ("no:comment", "disk login twice"),
        ("has:attachment", "login"),
        ("has:link", "fire"),
        ("has:link is:closed", "copy"),
        ("no:link", "disk login twice"),
        ("has:due", "fire disk login"),
        ("due:none", "twice"),
        ("no:assignee", "login twice"),
        ("has:label,due", "fire disk login"),
        ("no:priority", "login twice"),
        # times
        ("due:today", "fire disk"),
        ("due:..yesterday", ""),
        ("due:..today", "fire disk"),
        ("due:..7d", "fire disk login"),
        ("due:7d", "disk login"),
        ("due:today..sunday", "fire disk login"),
        ("due:>today", "login"),
        ("due:>=today", "fire disk login"),
        ("due:<2026-03-03", ""),
        ("due:<=2026-03-03", "fire disk"),
        ("due:2026-03", "fire disk login"),
        ("due:2026-03-03T11:00", "fire"),
        ("due:2026-03-03T11:00:01", ""),
        ("NOT due:today", "login twice"),
        ("created:11d", "login twice"),
        ("created:..11d", "fire disk"),
        ("created:2026-02-21", "login"),
        ("created:2026-02-01..2026-02-11", "fire disk"),
        ("updated:today", "login"),
        ("updated:yesterday..", "login"),
        ("updated:sunday", "twice"),
        ("closed:2026-02-28", "jam"),
        ("closed:2d", "copy"),
        ("closed:>2026-02-27", "copy jam"),
        ("closed:..2026-02-28", "jam wish"),
        ("closed:<2026-02-24", "wish"),
        ("NOT closed:4d", "login twice disk fire wish"),
        # numbers and ids
        ("number:1", "fire"),
        ("number:#2,4", "disk jam"),
        ("number:1..3", "login disk fire"),
        ("number:>=7", "copy twice"),
        ("number:6", ""),
        ("number:6 is:deleted", "gone"),
        ("number:nowhere#1", ""),
        # parentheses
        ("(priority:high.. OR due:..7d) NOT label:printer", "disk login"),
        ("priority:high (label:ci OR label:none)", "disk"),
        ("NOT (NOT label:ci)", "fire disk"),
        ("STATUS:open Is:Open", "disk"),
    ],
)
def test_finds(desk: Desk, query: str, found: str) -> None:
    """A query finds exactly these tickets, in this order."""
    assert desk.find(query) == found


def test_ids_and_links(desk: Desk) -> None:
    """The beginning of an id finds its ticket; links are found from either end, whatever the state."""
    fire, copy = desk.ids["fire"], desk.ids["copy"]
    assert desk.find(f"id:{fire[:6]}") == "fire"
    assert desk.find(f"id:{copy[:6].upper()}*,{fire}") == "copy fire"
    assert desk.find(f"link:{fire[:6]}") == "copy"
    assert desk.find(f"link:{copy}") == "fire"
    assert desk.find(f"link:{desk.ids['disk']}") == ""


def test_zone(desk: Desk) -> None:
    """A date is a day where the person is who asks."""
    far = timezone(timedelta(hours=13))
    assert desk.find("due:today", tz=far) == "fire disk"
    assert desk.find("due:2026-03-03", tz=far) == ""
    assert desk.find("due:2026-03-04", tz=far) == "fire disk"
    assert desk.find("due:2026-03-03T11:00Z", tz=far) == "fire"


def test_remote_numbers(new_store: NewStore, clock: Clock) -> None:
    """With a remote, numbers are its numbers; before, they are the store's own. NAME#NUMBER asks for another remote's."""
    desk = Desk(new_store(), clock)
    for name in ("first", "second", "third"):
        desk.new(name, NOON, title=name)
    assert desk.find("number:2") == "second"
    with desk.store.transaction() as db:
        db.execute("INSERT INTO remotes (id, name, url) VALUES (1, 'other', 'file:///a'), (2, 'origin', 'file:///b')")
        db.execute("INSERT INTO numbers (remote, number, num) VALUES (2, 71, 1), (2, 72, 3), (1, 2, 3)")
    assert desk.find("number:2") == ""
    assert desk.find("number:71") == "first"
    assert desk.find("number:70..") == "third first"
    assert desk.find("number:other#2") == "third"
    assert desk.find("number:origin#2,other#2") == "third"


def test_unpushed(new_store: NewStore, clock: Clock) -> None:
    """Unpushed is what a remote was not offered, and what it refused; closed tickets count."""
    desk = Desk(new_store(), clock)
    for name in ("sent", "refused", "closed", "fetched"):
        desk.new(name, NOON, title=name, status="closed" if name == "closed" else "open")
    assert desk.find("is:unpushed") == ""
    with desk.store.transaction() as db:
        db.execute("INSERT INTO remotes (id, name, url, pushed) VALUES (1, 'origin', 'file:///a', 2)")
        db.execute("INSERT INTO refusals VALUES (1, 2, 0, 'no')")
        db.execute("UPDATE changes SET origin = 1 WHERE seq = 4")
    assert desk.find("is:unpushed") == "closed refused"
    assert desk.find("NOT is:unpushed") == "fetched sent"


def test_statuses_of_ones_own(new_store: NewStore, clock: Clock) -> None:
    """A store's own statuses go by their categories; one that is not known counts as open."""
    store = new_store()
    with store.transaction():
        store.set_meta("statuses", '{"Todo": "new", "Waiting for parts": "pending", "Done": "closed"}')
    desk = Desk(store, clock)
    desk.new("todo", NOON, title="a", status="Todo")
    desk.new("parts", NOON + 1, title="b", status="Waiting for parts")
    desk.new("done", NOON + 2, title="c", status="Done")
    foreign = desk.new("foreign", NOON + 3, title="d")
    store.db.execute("UPDATE tickets SET status = 'strange' WHERE num = ?", (foreign.number,))
    assert desk.find('status:"waiting for parts"') == "parts"
    assert desk.find("status:todo,done") == "done todo"
    assert desk.find("category:open") == "foreign"
    assert desk.find("category:new,pending") == "parts todo"
    assert desk.find("category:review") == ""
    assert desk.find("is:waiting-agent") == "foreign todo"
    assert desk.find("status:~str") == "foreign"
    assert desk.find("is:open sort:-status") == "foreign parts todo"
    with pytest.raises(QueryError) as caught:
        desk.find("status:open")
    assert caught.value.hint == "It is one of: Todo, Waiting for parts, Done."


def test_now_is_an_argument(desk: Desk) -> None:
    """What is overdue depends on the time that is given."""
    later = round(datetime(2027, 1, 1, tzinfo=UTC).timestamp()) * SECOND
    assert desk.find("is:overdue", now=later) == "fire disk login"
