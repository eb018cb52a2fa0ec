"""The adapter against a real Request Tracker: what its interface is known to do otherwise than one would think."""

import io
import secrets
from collections.abc import Iterator
from contextlib import closing

import pytest

from chit_sync.clock import SECOND
from chit_sync.errors import AccessError
from chit_sync.helpdesks import address
from chit_sync.helpdesks.base import Call, Gone, RefusedError, Snapshot, StaleError, Tie
from chit_sync.helpdesks.rt import RequestTracker
from chit_sync.ids import letters
from chit_sync.registers import Value
from support.helpdesks import Servers
from support.standins.rt_site import Site

pytestmark = pytest.mark.server("rt")

DAY = 1_900_000_000 * SECOND


@pytest.fixture
def there(servers: Servers) -> Site:
    """agent2, who lives in New York; the server lives in Auckland."""
    return Site(servers["rt"])


@pytest.fixture
def here(there: Site) -> Iterator[RequestTracker]:
    """The adapter, as agent1."""
    with closing(opened(there)) as found:
        yield found


def opened(there: Site, query: str | None = None, secret: str = "") -> RequestTracker:
    url = there.url if query is None else f"{there.url.partition('?')[0]}?{query}"
    return RequestTracker(address.parse(url), secret or there.secret)


def item() -> str:
    return letters(secrets.token_bytes(8))


def create(here: RequestTracker, **fields: Value) -> Snapshot:
    call = Call("create", 0, letters(secrets.token_bytes(16)), {"title": "Trap", "description": "Text"} | fields)
    return read(here, here.perform(call).number)


def read(here: RequestTracker, number: int) -> Snapshot:
    (found,) = here.read([number])
    assert isinstance(found, Snapshot)
    return found


def test_due_in_every_zone(here: RequestTracker, there: Site) -> None:
    """A due time is the same moment however far from UTC server and people live, in the field and in its events."""
    made = create(here, due=DAY)
    assert made.fields["due"] == DAY
    there.edit(made.number, due="2031-02-03 04:05:06")
    found = read(here, made.number)
    assert found.fields["due"] == 1_927_857_906 * SECOND
    assert found.events[-1].changes == {"due": (DAY, 1_927_857_906 * SECOND)}
    here.perform(Call("update", made.number, made.token, {"due": None}))
    assert read(here, made.number).fields["due"] is None


def test_version_counts_mail(here: RequestTracker, there: Site) -> None:
    """The version that is read with a ticket holds, also after mail went out, and no longer when somebody has written."""
    number = there.add_ticket("Mail", "Text")
    there.say(number, "A reply that is mailed")
    found = read(here, number)
    here.perform(Call("update", number, "", {"title": "Checked"}, version=found.version))
    with pytest.raises(StaleError):
        here.perform(Call("update", number, "", {"title": "Not done"}, version=found.version))
    with pytest.raises(StaleError):
        here.perform(Call("link", number, item(), {"kind": "relates", "other": 1}, version=found.version))
    here.perform(Call("comment", number, item(), {"body": "Never checked", "public": False}, version=found.version))
    assert read(here, number).fields["title"] == "Checked"


def test_refusal_tells_the_reason(here: RequestTracker) -> None:
    """What the server refuses behind a 200 is refused in its words; a part that it takes is there."""
    made = create(here)
    with pytest.raises(RefusedError, match="does not exist"):
        here.perform(Call("update", made.number, "", {"assignee": "nobody.known"}))
    with pytest.raises(RefusedError, match="isn't a valid status"):
        here.perform(Call("update", made.number, "", {"status": "waiting"}))
    here.perform(Call("update", made.number, "", {"status": "waiting", "title": "Taken"}))
    assert (read(here, made.number).fields["title"], read(here, made.number).fields["status"]) == ("Taken", "new")


def test_move_to_another_lifecycle(here: RequestTracker, there: Site) -> None:
    """A ticket that moves changes its status with the lifecycle; fields that the other queue does not have are not shown there."""
    made = create(here, **{"x.Tags": "b\na", "x.Severity": "High"})
    assert made.fields["x.Tags"] == "a\nb" == here.stored("x.Tags", "b\na")
    there.edit(made.number, status="stalled")
    there.edit(made.number, queue="Billing")
    found = read(here, made.number)
    assert (found.fields["status"], found.fields["queue"], found.fields.get("x.Tags")) == ("waiting", "Billing", None)
    assert [dict(event.changes) for event in found.events] == [
        {"status": ("new", "stalled")}, {"queue": ("Support", "Billing")}, {"status": ("stalled", "waiting")},
    ]  # fmt: skip
    assert found.token == made.token


def test_queue_without_our_field(here: RequestTracker) -> None:
    """In a queue without a field for our id it is in the description, is found there, and is not shown."""
    fields: dict[str, Value] = {"title": f"General {item()}", "description": "Text\n", "queue": "General"}
    call, other = (Call("create", 0, letters(secrets.token_bytes(16)), fields) for _ in range(2))
    assert here.find(call, ()) is None
    made = here.perform(call)
    assert here.find(call, ()) == made
    assert here.find(other, ()) is None
    found = read(here, made.number)
    assert (found.token, found.fields["description"]) == (call.token, "Text\n")


def test_time_that_somebody_sets(here: RequestTracker, there: Site) -> None:
    """Time is told as it was spent, also where a ticket's time was set; the sum is the server's."""
    number = there.add_ticket("Time", "Text")
    there.say(number, "With time", False, TimeTaken=20)
    there.put(number, {"TimeWorked": 50})
    here.perform(Call("time", number, item(), {"minutes": 7, "date": DAY + 7, "note": "Ours"}))
    found = read(here, number)
    assert [(one.minutes, one.note) for one in found.works] == [(20, ""), (30, ""), (7, "Ours")]
    assert found.works[2].date == DAY + 7
    there.put(number, {"TimeWorked": 40})
    assert sum(one.minutes for one in read(here, number).works) == 40
    assert [one.body for one in found.comments] == ["With time"]


def test_html_is_read_as_text(here: RequestTracker, there: Site) -> None:
    """What the web interface's editor writes comes as text."""
    number = there.add_ticket("HTML", "Text")
    there.ask("POST", f"ticket/{number}/comment", {"Content": "<p>One</p><p>T&amp;wo</p>", "ContentType": "text/html"})
    assert [one.body for one in read(here, number).comments] == ["One\n\nT&wo"]


def test_merged_ticket(here: RequestTracker, there: Site) -> None:
    """A merged ticket is gone into the other, which keeps its own parts alone; and the other can be written with a version."""
    one, other = there.add_ticket("One", "Text"), there.add_ticket("Other", "Text")
    there.say(one, "On the one", False)
    there.say(other, "On the other", False)
    cursor = [*here.changed("", ())][-1].cursor
    there.put(one, {"MergeInto": other})
    found = {each.number: each for page in here.changed(cursor, {one, other}) for each in page.found}
    gone, left = found[one], found[other]
    assert isinstance(gone, Gone)
    assert isinstance(left, Snapshot)
    assert (gone.how, gone.into, gone.author) == ("merged", other, "agent2")
    assert [said.body for said in left.comments] == ["On the other"]
    here.perform(Call("update", other, "", {"title": "Still here"}, version=read(here, other).version))


def test_deleted_ticket_comes_back(here: RequestTracker, there: Site) -> None:
    """A deleted ticket is told of by the feed, and again when it is revived, without a status that is none."""
    number = there.add_ticket("Deleted", "Text")
    cursor = [*here.changed("", ())][-1].cursor
    there.remove(number)
    (page,) = here.changed(cursor, {number})
    (gone,) = page.found
    assert isinstance(gone, Gone)
    assert (gone.how, gone.author) == ("deleted", "agent2")
    there.edit(number, status="open")
    (page,) = here.changed(page.cursor, {number})
    (found,) = page.found
    assert isinstance(found, Snapshot)
    assert [dict(event.changes) for event in found.events] == [{"status": ("new", "open")}]


def test_links_of_both_sides(here: RequestTracker) -> None:
    """A link is told by the ticket that it goes from, and by no other."""
    one, other = create(here), create(here)
    for kind in ("blocks", "relates"):
        here.perform(Call("link", one.number, item(), {"kind": kind, "other": other.number}))
    assert {*read(here, one.number).ties} == {Tie("blocks", other.number), Tie("relates", other.number)}
    assert [*read(here, other.number).ties] == []


def test_requester_by_address(here: RequestTracker) -> None:
    """An address becomes the login of whoever has it, as is said before; one that nobody has becomes a login."""
    made = create(here, requester="requester@example.com")
    assert made.fields["requester"] == "requester" == here.stored("requester", "requester@example.com")
    new = f"{item()}@example.com"
    here.perform(Call("update", made.number, "", {"requester": new}))
    found = read(here, made.number)
    assert found.fields["requester"] == new == here.stored("requester", new)
    assert [dict(event.changes) for event in found.events] == [{"requester": ("requester", new)}]


def test_value_of_a_list_in_another_case(here: RequestTracker) -> None:
    """A value that is not in a list is refused, and what was there stays."""
    made = create(here, **{"x.Severity": "High"})
    with pytest.raises(RefusedError):
        here.perform(Call("update", made.number, "", {"x.Severity": "Enormous"}))
    assert read(here, made.number).fields["x.Severity"] == "High"


def test_reply_reopens(here: RequestTracker) -> None:
    """A reply opens a resolved ticket, which is an event by nobody; a note does not."""
    made = create(here, status="resolved")
    here.perform(Call("comment", made.number, item(), {"body": "Note", "public": False}))
    assert read(here, made.number).fields["status"] == "resolved"
    here.perform(Call("comment", made.number, item(), {"body": "Reply", "public": True}))
    found = read(here, made.number)
    assert found.fields["status"] == "open"
    assert (found.events[-1].author, dict(found.events[-1].changes)) == ("", {"status": ("resolved", "open")})


def test_customer_account_is_told_little(there: Site) -> None:
    """The account of a customer, who may see neither people nor other tickets, still reads its own; nothing of others is told."""
    mine, other = there.add_ticket("Mine", "Text"), there.add_ticket("Other", "Text", requester="agent2")
    there.say(mine, "A note", False)
    there.say(mine, "A reply", True)
    with closing(opened(there, "", there.entry["accounts"]["requester"]["token"])) as here:
        told = {found.number: found for page in here.changed("", ()) for found in page.found}
        assert mine in told
        assert other not in told
        found = told[mine]
        assert isinstance(found, Snapshot)
        assert [said.body for said in found.comments] == ["A reply"]


def test_token_that_is_revoked(there: Site) -> None:
    """A token that nobody has is an error about access, for questions and calls."""
    with closing(opened(there, None, there.secret[:-4] + "zzzz")) as here:
        for call in (Call("comment", 1, item(), {"body": "x", "public": True}), Call("delete", 1, "", {})):
            with pytest.raises(AccessError):
                here.perform(call)
        with pytest.raises(AccessError):
            here.describe()


def test_large_file(here: RequestTracker) -> None:
    """A large file goes there and comes back byte for byte, in pieces."""
    made = create(here)
    data = secrets.token_bytes(1 << 20) * 8
    call = Call("attach", made.number, item(), {"name": 'größe "8" MB.bin', "size": len(data), "public": False})
    here.perform(call, io.BytesIO(data))
    (file,) = read(here, made.number).files
    assert (file.name, file.size) == ('größe "8" MB.bin', len(data))
    assert b"".join(here.download(file.ref)) == data


def test_customer_account_may_connect(there: Site) -> None:
    """The account of a customer is told who it is, though it may see neither people nor custom fields."""
    with closing(opened(there, "", there.entry["accounts"]["requester"]["token"])) as here:
        about = here.describe()
        assert about.account.key in ("requester", there.entry["accounts"]["requester"]["token"].split("-")[1])
        assert about.people in ([], [about.account])
