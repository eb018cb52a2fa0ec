"""The adapter against a real Roundup: what its interface is known to do otherwise than one would think."""

import secrets
import time
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from chit_sync.clock import SECOND
from chit_sync.errors import AccessError
from chit_sync.helpdesks import address
from chit_sync.helpdesks.base import Call, DoubtError, Gone, RefusedError, Snapshot, StaleError
from chit_sync.helpdesks.roundup import Roundup
from chit_sync.ids import letters
from chit_sync.registers import Value
from support.helpdesks import Servers
from support.standins.roundup_site import Site

pytestmark = pytest.mark.server("roundup")


@pytest.fixture
def there(servers: Servers) -> Site:
    return Site(servers["roundup"])


@pytest.fixture
def here(there: Site) -> Iterator[Roundup]:
    with closing(opened(there)) as found:
        yield found


def opened(there: Site, secret: str = "", url: str = "") -> Roundup:
    return Roundup(address.parse(url or there.url), secret or there.secret)


def item() -> str:
    return letters(secrets.token_bytes(8))


def create(here: Roundup, **fields: Value) -> Snapshot:
    call = Call("create", 0, letters(secrets.token_bytes(16)), {"title": "Trap", "description": "Text"} | fields)
    return read(here, here.perform(call).number)


def read(here: Roundup, number: int) -> Snapshot:
    (found,) = here.read([number])
    assert isinstance(found, Snapshot)
    return found


def say(here: Roundup, number: int, body: str = "Said", public: bool = True) -> str:
    return here.perform(Call("comment", number, item(), {"body": body, "public": public})).id


def test_questions(there: Site, here: Roundup) -> None:
    """A first reading takes a question for each class and one for a token; a reading of nothing takes two."""
    create(here)
    web = here._rest.web
    here.describe()
    before = web.requests
    pages = list(here.changed("", set()))
    assert web.requests - before <= 6
    pages = list(here.changed(pages[-1].cursor, set()))
    before = web.requests
    assert [page.found for page in here.changed(pages[-1].cursor, set())] == [[]]
    assert web.requests - before == 2
    with closing(opened(there)) as other:
        list(other.changed(pages[-1].cursor, set()))
        assert other._rest.web.requests == 2


def test_status_stays(there: Site, here: Roundup) -> None:
    """Roundup sets a ticket to chatting when a message comes; one from here leaves its status alone."""
    made = create(here, status="resolved")
    comment = say(here, made.number)
    assert read(here, made.number).fields["status"] == "resolved"
    here.perform(Call("delete-comment", made.number, item(), {}, comment))
    assert read(here, made.number).fields["status"] == "resolved"


@pytest.mark.parametrize("agent", ["agent1", "agent2"])
def test_due_in_any_zone(servers: Servers, there: Site, agent: str) -> None:
    """A time means the same whether the account lives in the server's zone or in its own."""
    due = 1_796_119_200 * SECOND
    account = servers["roundup"]["accounts"][agent]
    with closing(opened(there, f"{agent}:{account['password']}")) as mine:
        made = create(mine, due=due)
        assert made.fields["due"] == due
        assert abs(made.created - time.time_ns() // 1000) < 3600 * SECOND
        mine.perform(Call("time", made.number, item(), {"minutes": 90, "date": due, "note": ""}))
        (work,) = read(mine, made.number).works
        assert (work.minutes, work.date) == (90, due)


def test_message_without_a_ticket_is_linked(there: Site, here: Roundup) -> None:
    """A comment whose message was made and not linked is completed by looking for it, and is there once."""
    made = create(here)
    call = Call("comment", made.number, item(), {"body": "Half said", "public": False})
    body = {
        "content": "Half said",
        "author": "agent1",
        "date": ".",
        "messageid": f"<{call.token}@chit>",
        "internal": True,
    }
    orphan = here._rest.post("msg", body)
    done = here.find(call, set())
    assert done is not None
    assert done.id == orphan
    assert here.find(call, set()) == done
    assert there.tickets()[made.number]["comments"] == [("Half said", False)]


def test_ticket_around_a_message(there: Site, here: Roundup) -> None:
    """A new ticket of which only the message was made is completed by looking for it."""
    call = Call("create", 0, letters(secrets.token_bytes(16)), {"title": "Half made", "description": "Text"})
    body = {"content": "Text", "author": "agent1", "date": ".", "messageid": f"<{call.token}@chit>"}
    here._rest.post("msg", body)
    done = here.find(call, set())
    assert done is not None
    found = read(here, done.number)
    assert (found.fields["title"], found.fields["description"], found.token) == ("Half made", "Text", call.token)
    assert here.find(call, set()) == done


def test_rewritten_message_is_told(there: Site, here: Roundup) -> None:
    """A message that is rewritten leaves its ticket's time alone and is told of all the same."""
    number = there.add_ticket("Theirs", "Text")
    comment = there.say(number, "Said")
    cursor = list(here.changed("", set()))[-1].cursor
    there.rewrite(comment, "Rewritten")
    pages = list(here.changed(cursor, {number}))
    bodies = [
        one.body for page in pages for found in page.found if isinstance(found, Snapshot) for one in found.comments
    ]
    assert "Rewritten" in bodies


def test_retired_ticket_looks_alive(there: Site, here: Roundup) -> None:
    """A retired ticket is gone, though Roundup still answers for it by its number; restored, it is there again."""
    made = create(here)
    there.remove(made.number)
    assert here.read([made.number]) == [Gone(made.number, "deleted")]
    assert made.number not in here.numbers()
    with pytest.raises(RefusedError):
        here.perform(Call("update", made.number, item(), {"title": "x"}))
    there.restore(made.number)
    assert read(here, made.number).fields["title"] == "Trap"


def test_stale_version(there: Site, here: Roundup) -> None:
    """A ticket that was read in a list is written with a check of what it was, down to comments and labels."""
    made = create(here)
    (listed, _) = here.read([made.number, 99_999_999])
    assert isinstance(listed, Snapshot)
    assert listed == read(here, made.number)
    there.say(made.number, "Meanwhile")
    with pytest.raises(StaleError):
        here.perform(Call("update", made.number, item(), {"title": "Over it"}, version=listed.version))
    now = read(here, made.number)
    here.perform(
        Call("update", made.number, item(), {"title": "After it", "labels/Billing": True}, version=now.version)
    )
    assert read(here, made.number).fields["labels/Billing"] is True


def test_names_that_look_like_ids(there: Site, here: Roundup) -> None:
    """A label that is a number is one, not the keyword of that id."""
    made = create(here, **{"labels/1": True})
    assert [path for path in made.fields if path.startswith("labels/")] == ["labels/1"]
    url = f"{there.url}?queue=1"
    with closing(opened(there, url=url)) as follower:
        assert made.number in follower.numbers()
        support = there.add_ticket("In Support", queue="Support")
        assert support not in follower.numbers()


def test_ticket_without_text(there: Site, here: Roundup) -> None:
    """A ticket can be made without a description, and be given one; what is said on it is none."""
    made = create(here, description="", status="testing")
    assert made.fields["description"] is None
    only = say(here, made.number, "Only")
    here.perform(Call("delete-comment", made.number, item(), {}, only))
    assert (read(here, made.number).comments, read(here, made.number).fields["status"]) == ([], "testing")
    say(here, made.number, "Said")
    here.perform(Call("update", made.number, made.token, {"description": "Late"}))
    found = read(here, made.number)
    assert found.fields["description"] == "Late"
    assert [one.body for one in found.comments] == ["Said"]
    with pytest.raises(RefusedError):
        here.perform(Call("update", made.number, made.token, {"description": ""}))


def test_wrong_password_and_no_password(there: Site) -> None:
    """A wrong password, a token that is none, and none at all are errors about access."""
    for secret in ("agent1:wrong", "abc.def.ghi", ":"):
        with closing(opened(there, secret)) as stranger, pytest.raises(AccessError):
            stranger.numbers()
    with closing(Roundup(address.parse(there.url), None)) as stranger, pytest.raises(AccessError):
        stranger.numbers()


def test_token_instead_of_a_password(there: Site, here: Roundup) -> None:
    """A token of the site's does as well as a password, and tells who we are."""
    here.describe()
    token = here._rest._token
    assert token
    with closing(opened(there, token)) as other:
        assert other.describe().account.key == "agent1"
        assert create(other).author == "agent1"


def test_tracker_by_another_name(there: Site) -> None:
    """Roundup takes writes only under the address that it has of itself; the error says so, and nothing is done."""
    number = there.add_ticket("Theirs", "Text")
    url = there.url.replace("127.0.0.1", "localhost")
    assert urlsplit(url).hostname == "localhost"
    with closing(opened(there, url=url)) as other, pytest.raises(AccessError):
        say(other, number)
    assert there.tickets()[number]["comments"] == []


def test_customers_see_no_notes(servers: Servers, there: Site, here: Roundup) -> None:
    """A note is hidden from customers, who see the rest of their ticket."""
    made = create(here)
    say(here, made.number, "For staff", public=False)
    say(here, made.number, "For all")
    account = servers["roundup"]["accounts"]["requester"]
    with closing(opened(there, f"requester:{account['password']}")) as customer:
        assert [one.body for one in read(customer, made.number).comments] == ["For all"]


def test_many_writers(there: Site, here: Roundup) -> None:
    """Comments of two people who write at the same time are all kept."""
    from concurrent.futures import ThreadPoolExecutor

    made = create(here)

    def ours(n: int) -> None:
        call = Call("comment", made.number, item(), {"body": f"Ours {n}", "public": True})
        try:
            here.perform(call)
        except DoubtError:
            assert here.find(call, set()) is not None

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(ours, range(12)))
    said = sorted(one.body for one in read(here, made.number).comments)
    assert said == sorted(f"Ours {n}" for n in range(12))
