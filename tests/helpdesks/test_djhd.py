"""What the adapter for django-helpdesk relies on, and what it guards against, as the real server does it: a new version is noticed here."""

import io
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from chit_sync.clock import SECOND
from chit_sync.helpdesks import address
from chit_sync.helpdesks.base import Call, RefusedError, Snapshot
from chit_sync.helpdesks.djhd import DjangoHelpdesk
from chit_sync.ids import ITEM_BYTES, letters
from support.helpdesks import Servers
from support.standins.djhd_site import Site

pytestmark = pytest.mark.server("djhd")
TEMPLATES = "see {{ ticket.title }} {% x %} {{{ {%%} %}} #} {# c #} {{ '{' }} X-HELPDESK-COMMENT-VERBATIM %} { 50 %"


@pytest.fixture
def site(servers: Servers) -> Iterator[Site]:
    """The server as agent2 sees it."""
    found = Site(servers["djhd"])
    yield found
    found.close()


@pytest.fixture
def desk(site: Site) -> Iterator[DjangoHelpdesk]:
    """The adapter, as agent1."""
    with closing(DjangoHelpdesk(address.parse(site.url), site.secret)) as opened:
        yield opened


def read(desk: DjangoHelpdesk, number: int) -> Snapshot:
    (found,) = desk.read([number])
    assert isinstance(found, Snapshot)
    return found


def test_title_of_a_followup_renames_the_ticket(site: Site) -> None:
    """It still renames the ticket to send a title with a comment: that is why none is sent."""
    number = site.add_ticket("Jam")
    site.say(number, "x", title="Note")
    assert site.tickets()[number]["title"] == "Note"


def test_comment_is_a_template(site: Site) -> None:
    """It still fills in what a comment has in braces, and answers 500 to what it cannot fill in, without keeping it."""
    number = site.add_ticket("Jam")
    filled = site.client.post("followups/", json={"ticket": number, "comment": "a {{ ticket.title }}"}).json()
    assert filled["comment"] == "a Jam"
    broken = site.client.post("followups/", json={"ticket": number, "comment": "{{ 1|nofilter }}"})
    assert broken.status_code == 500
    assert [body for body, _ in site.tickets()[number]["comments"]] == ["a Jam"]


@pytest.mark.parametrize("text", [TEMPLATES, "%}", "{", "{{", "{%", "#}", "{% endverbatim %}", "{{ '}' }}"])
def test_comment_is_kept_as_it_is(site: Site, desk: DjangoHelpdesk, text: str) -> None:
    """Whatever a comment says, it is kept so, when it is made and when it is rewritten."""
    number = site.add_ticket("Jam")
    made = desk.perform(Call("comment", number, "", {"body": text, "public": False}))
    assert read(desk, number).comments[0].body == text
    desk.perform(Call("edit-comment", number, "", {"body": f"{text}!"}, made.id))
    assert read(desk, number).comments[0].body == f"{text}!"
    assert read(desk, number).fields["title"] == "Jam"


def test_missing_slash_is_a_redirect(site: Site) -> None:
    """An address without its last slash is still a redirect, which would lose what was sent."""
    assert site.client.post("tickets", json={}, follow_redirects=False).status_code == 301


def test_what_a_new_ticket_needs(site: Site) -> None:
    """A new ticket needs a priority; without a description the answer is 500; its status is ignored."""
    whole = {"queue": 1, "title": "x", "description": "y", "priority": 3, "status": 4}
    assert site.client.post("tickets/", json={**whole, "priority": None}).status_code == 400
    assert (
        site.client.post("tickets/", json={key: whole[key] for key in whole if key != "description"}).status_code == 500
    )
    assert site.client.post("tickets/", json={**whole, "description": ""}).status_code == 400
    assert site.client.post("tickets/", json=whole).json()["status"] == 1


def test_status_of_a_new_ticket(desk: DjangoHelpdesk) -> None:
    """A ticket that is closed here is closed there when it is made."""
    fields = {"title": "x", "description": "y", "status": "Closed"}
    made = desk.perform(Call("create", 0, "k" * 32, fields)).snapshot
    assert made is not None
    assert made.fields["status"] == "Closed"


def test_own_fields_cannot_be_emptied(site: Site) -> None:
    """A field of the site's own can still not be emptied."""
    number = site.add_ticket("Jam", token="x")
    for value in ("", None):
        assert site.client.patch(f"tickets/{number}/", json={"custom_extref": value}).status_code == 400


def test_filters_are_ignored(site: Site) -> None:
    """There is still no search: what it does not know it ignores, and answers with everything."""
    one, other = site.add_ticket("One", token="a"), site.add_ticket("Other", token="b")
    for query in ({"custom_extref": "a"}, {"search": "One"}, {"id": str(one)}):
        listed = site.client.get("tickets/", params={**query, "page_size": "100000"}).json()["results"]
        assert {one, other} <= {ticket["id"] for ticket in listed}


def test_two_numbers_are_minutes_and_seconds(site: Site, desk: DjangoHelpdesk) -> None:
    """Time in two numbers is minutes and seconds; so it is sent in three, and days come back as minutes."""
    number = site.add_ticket("Jam")
    site.say(number, "x", False, time_spent="0:45")
    desk.perform(Call("time", number, "", {"minutes": 6005, "date": 0, "note": ""}))
    assert [work.minutes for work in read(desk, number).works] == [1, 6005]


def test_status_by_a_followup_is_an_event(site: Site, desk: DjangoHelpdesk) -> None:
    """What closes a ticket with a comment is a comment and an event by the same person at the same time."""
    number = site.add_ticket("Jam")
    site.say(number, "Done", True, new_status=3)
    found = read(desk, number)
    (event,), (comment,) = found.events, found.comments
    assert event.changes == {"status": ("Open", "Resolved")}
    assert (event.author, event.time) == (comment.author, comment.time)
    assert found.fields["status"] == "Resolved"


@pytest.mark.parametrize(
    "name", ["archive.zip", "run.exe", "a.tar.gz", "noending", ".bashrc", "x" * 200 + ".webp", "größe – 日本.svg"]
)
def test_any_file_gets_through(site: Site, desk: DjangoHelpdesk, name: str) -> None:
    """A file of any ending and length of name is kept under its name, byte for byte; nothing is a comment of its own."""
    number, data = site.add_ticket("Jam"), bytes(range(256))
    token = letters(b"\1" * ITEM_BYTES)
    desk.perform(Call("attach", number, token, {"name": name, "size": 256, "public": True}), io.BytesIO(data))
    found = read(desk, number)
    (file,) = found.files
    assert (file.name, file.token, b"".join(desk.download(file.ref))) == (name, token, data)
    assert found.comments == ()


def test_ending_that_is_not_taken(site: Site) -> None:
    """A file with an ending that the site does not list is still refused under its own name."""
    followup = site.say(site.add_ticket("Jam"), "")
    refused = site.client.post("followups-attachments/", data={"followup": followup}, files={"file": ("a.exe", b"x")})
    assert refused.status_code == 400


def test_file_needs_no_token(site: Site, desk: DjangoHelpdesk) -> None:
    """Files are still given to whoever has their address, so the adapter sends no token with it."""
    number = site.add_ticket("Jam")
    site.attach(number, "a.txt", b"data")
    (file,) = read(desk, number).files
    assert httpx.get(file.ref, trust_env=False).content == b"data"


def test_files_go_with_a_deleted_comment(site: Site, desk: DjangoHelpdesk) -> None:
    """Deleting a followup deletes its files; so a comment with a file is emptied instead."""
    number = site.add_ticket("Jam")
    said = [site.say(number, f"Comment {n}") for n in range(2)]
    for one in said:
        told = {"followup": one, "filename": "a.txt"}
        site.client.post("followups-attachments/", data=told, files={"file": ("a.txt", b"x")}).raise_for_status()
    site.client.delete(f"followups/{said[0]}/").raise_for_status()
    desk.perform(Call("delete-comment", number, "", {}, said[1]))
    found = read(desk, number)
    assert (len(found.files), found.comments) == (1, ())


def test_form_tells_who_we_are(site: Site, desk: DjangoHelpdesk, servers: Servers) -> None:
    """The pages for browsers tell our number, everybody's login and the numbers of queues."""
    accounts = servers["djhd"]["accounts"]
    about = desk.describe()
    assert (about.account.key, about.account.name) == (str(accounts["agent1"]["id"]), "agent1")
    assert {(one.key, one.name) for one in about.people} >= {
        (str(one["id"]), one["login"]) for one in accounts.values()
    }
    url = site.url.partition("?")[0] + "?queue=Billing"
    with closing(DjangoHelpdesk(address.parse(url), site.secret)) as named:
        assert named.describe().queues == ["Billing"]
        made = named.perform(Call("create", 0, "l" * 32, {"title": "x", "description": "y"}))
        assert site.client.get(f"tickets/{made.number}/").json()["queue"] == site.queues["Billing"]


def test_login_and_password(servers: Servers, site: Site) -> None:
    """A login and password will do instead of a token."""
    account = servers["djhd"]["accounts"]["agent1"]
    secret = f"{account['login']}:{account['password']}"
    with closing(DjangoHelpdesk(address.parse(site.url), secret)) as desk:
        assert desk.describe().account.name == "agent1"


def test_due_is_kept_to_the_microsecond(site: Site, desk: DjangoHelpdesk) -> None:
    """A time goes there and back over the server's time zone and its summer time."""
    number = site.add_ticket("Jam")
    for due in (1_798_000_000 * SECOND + 123_456, 1_782_000_000 * SECOND + 1, 1_790_431_200 * SECOND):
        desk.perform(Call("update", number, "", {"due": due}))
        assert read(desk, number).fields["due"] == due


def test_requester_is_an_address(site: Site, desk: DjangoHelpdesk) -> None:
    """Who asked is an address; anything else is refused by the server, with its reason."""
    number = site.add_ticket("Jam")
    with pytest.raises(RefusedError, match="submitter_email"):
        desk.perform(Call("update", number, "", {"requester": "anna"}))
