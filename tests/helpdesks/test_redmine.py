"""What a real Redmine does that the adapter relies on or guards against: a new version that does otherwise is noticed here."""

import io
import secrets
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from chit_sync.clock import DAY
from chit_sync.errors import AccessError, NotFoundError
from chit_sync.helpdesks import address
from chit_sync.helpdesks.base import Call, Gone, RefusedError, Snapshot, StaleError
from chit_sync.helpdesks.redmine import Redmine
from chit_sync.ids import letters
from support.helpdesks import Servers
from support.standins.redmine_site import Site

pytestmark = pytest.mark.server("redmine")


def token(size: int = 16) -> str:
    return letters(secrets.token_bytes(size))


@pytest.fixture
def there(servers: Servers) -> Site:
    """Redmine, as agent2 sees it."""
    return Site(servers["redmine"])


def opened(site: Site, secret: str | None = None, query: str = "?queue=Support") -> Redmine:
    return Redmine(address.parse(site.url.partition("?")[0] + query), secret or site.secret)


@pytest.fixture
def here(there: Site) -> Iterator[Redmine]:
    """The adapter, as agent1."""
    desk = opened(there)
    yield desk
    desk.close()


def read(desk: Redmine, number: int) -> Snapshot:
    (found,) = desk.read([number])
    assert isinstance(found, Snapshot)
    return found


def create(desk: Redmine, **fields: Any) -> int:
    return desk.perform(Call("create", 0, token(), {"title": "Real", "description": "Text", **fields})).number


def test_lists_are_empty_without_a_good_key(there: Site) -> None:
    """Redmine answers 200 and an empty list to a key that is not good; the adapter asks who it is and tells."""
    desk = opened(there, "0" * 40)
    assert desk._site.get("issues.json").number("total_count") == 0
    for ask in (lambda: list(desk.changed("", ())), desk.numbers, desk.describe):
        with pytest.raises(AccessError):
            ask()
    desk.close()


def test_login_and_password(there: Site) -> None:
    """Instead of a key, login and password are taken."""
    account = there.entry["accounts"]["agent1"]
    desk = opened(there, f"{account['login']}:{account['password']}")
    assert desk.describe().account.key == "agent1"
    desk.close()


def test_custom_fields_are_known_without_any_issue(here: Redmine) -> None:
    """The headings of an empty table tell which custom fields a project has, to those who are no administrators too."""
    found: dict[str, int] = {}
    here._site._headings(here._site.project("support").id, found)
    assert {"ExternalRef", "Severity"} <= set(found)
    assert {"ExternalRef": found["ExternalRef"], "Severity": found["Severity"]} == {"ExternalRef": 1, "Severity": 2}


def test_filter_takes_a_second_more(here: Redmine, there: Site) -> None:
    """What changed not before a second is listed, also what changed within the second before: never less."""
    number = there.add_ticket("Edge")
    issue = there.issue(number)
    found, _ = here._site.issues([("updated_on", ">=", [issue["updated_on"]])], sort="updated_on:asc,id:asc")
    assert number in [each.number("id") for each in found]


def test_note_never_becomes_public(there: Site) -> None:
    """Redmine publishes the private note of an account that may not keep notes private; the adapter refuses to send it."""
    requester = there.entry["accounts"]["requester"]["token"]
    desk = opened(there, requester)
    number = create(desk)
    with pytest.raises(RefusedError, match="private"):
        desk.perform(Call("comment", number, token(8), {"body": "secret", "public": False}))
    assert read(desk, number).comments == []
    theirs = Site(there.entry, who="requester")
    theirs.say(number, "meant to be private", public=False)
    assert [comment.public for comment in read(desk, number).comments] == [True]
    desk.close()


def test_private_notes_are_not_for_requesters(here: Redmine, there: Site) -> None:
    """A private note is read by staff, and not by the requester."""
    desk = opened(there, there.entry["accounts"]["requester"]["token"])
    number = create(desk)
    here.perform(Call("comment", number, token(8), {"body": "for staff", "public": False}))
    assert [(each.body, each.public) for each in read(here, number).comments] == [("for staff", False)]
    assert read(desk, number).comments == []
    desk.close()


def test_what_an_account_may_not_edit_is_dropped(here: Redmine, there: Site) -> None:
    """Redmine drops what a reporter may not write and says 204: only reading back tells."""
    desk = opened(there, there.entry["accounts"]["requester"]["token"])
    number = create(here)
    desk.perform(Call("update", number, token(), {"status": "Closed"}))
    assert read(here, number).fields["status"] == "New"
    desk.close()


def test_closed_and_overdue_from_the_start(here: Redmine) -> None:
    """A new issue begins as its workflow has it; the adapter takes it on to where it is wanted. It may be overdue."""
    found = read(here, create(here, status="Closed", due=20_000 * DAY + 5, assignee="agent2"))
    assert (found.fields["status"], found.fields["due"], found.fields["assignee"]) == ("Closed", 20_000 * DAY, "agent2")


def test_answer_of_a_create_is_the_ticket(here: Redmine) -> None:
    """What the answer to a create tells is what reading it tells."""
    made = here.perform(Call("create", 0, token(), {"title": "Answered", "description": "a\nb", "x.Severity": "Low"}))
    assert made.snapshot is not None
    assert made.snapshot == read(here, made.number)


def test_upload_token_is_good_once(here: Redmine, there: Site) -> None:
    """A file that was uploaded is attached once; the id of the upload is that of the file."""
    number = create(here)
    made = here.perform(
        Call("attach", number, token(8), {"name": "a.txt", "size": 3, "public": True}), io.BytesIO(b"abc")
    )
    assert [file.id for file in read(here, number).files] == [made.id]
    upload = {"token": there.upload("b.txt", b"x"), "filename": "b.txt", "content_type": "application/octet-stream"}
    there.ask("PUT", f"issues/{number}.json", {"issue": {"uploads": [upload]}})
    with pytest.raises(AssertionError, match="422"):
        there.ask("PUT", f"issues/{number}.json", {"issue": {"uploads": [upload]}})


def test_file_over_the_limit(here: Redmine) -> None:
    """A file over the server's limit, which it does not tell beforehand, is refused with its reason."""
    number = create(here)
    large = io.BytesIO(b"x" * 5_242_881)
    with pytest.raises(RefusedError, match="maximum"):
        here.perform(Call("attach", number, token(8), {"name": "a.bin", "size": 5_242_881, "public": True}), large)
    assert read(here, number).files == []


def test_many_at_once_on_one_issue(here: Redmine) -> None:
    """Of writes to one issue at the same moment Redmine refuses some without a reason: they are stale, and not done."""
    number = create(here)
    here.describe()
    done: list[str] = []
    stale: list[str] = []

    def say(text: str) -> None:
        try:
            here.perform(Call("comment", number, token(8), {"body": text, "public": True}))
            done.append(text)
        except StaleError:
            stale.append(text)

    threads = [threading.Thread(target=say, args=(f"Note {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(comment.body for comment in read(here, number).comments) == sorted(done)
    assert len(done) + len(stale) == 8


def test_links_do_not_move_the_date(here: Redmine, there: Site) -> None:
    """Links are kept one way round and change no date, so that only reading the issue again shows them."""
    one, other = there.add_ticket("One"), there.add_ticket("Other")
    before = there.issue(one)["updated_on"]
    there.relate(one, "blocked", other)
    assert there.issue(one)["updated_on"] == before
    assert [(tie.kind, tie.number) for tie in read(here, other).ties] == [("blocks", one)]
    assert read(here, one).ties == []


def test_time_of_others_is_noticed(here: Redmine, there: Site) -> None:
    """New time moves no date of the issue; its own list tells of it."""
    number = there.add_ticket("Timed")
    pages = list(here.changed("", ()))
    known = {found.number for page in pages for found in page.found}
    there.spend(number, 7, "Looked")
    found = {found.number: found for page in here.changed(pages[-1].cursor, known) for found in page.found}
    timed = found[number]
    assert isinstance(timed, Snapshot)
    assert [(work.minutes, work.note, work.author) for work in timed.works] == [(7, "Looked", "agent2")]


def test_subtasks_would_be_deleted_along(here: Redmine, there: Site) -> None:
    """Redmine deletes subtasks with their parent; the adapter refuses to, and a colleague who does is noticed."""
    parent, child = there.add_ticket("Parent"), there.add_ticket("Child")
    here.perform(Call("link", parent, token(8), {"kind": "parent-of", "other": child}))
    with pytest.raises(RefusedError, match="subtasks"):
        here.perform(Call("delete", parent, token(), {}))
    there.remove(parent)
    assert here.read([parent, child]) == [Gone(parent, "deleted"), Gone(child, "deleted")]


def test_hidden_is_not_deleted(here: Redmine, there: Site) -> None:
    """An issue that an account may not see is hidden, one that is not there is deleted, a file of it is not found."""
    number = create(here)
    admin = Site(there.entry, who="admin")
    admin.ask("PUT", f"issues/{number}.json", {"issue": {"is_private": True}})
    desk = opened(there, there.entry["accounts"]["requester"]["token"])
    assert desk.read([number, 99_999_999]) == [Gone(number, "hidden"), Gone(99_999_999, "deleted")]
    with pytest.raises(NotFoundError):
        list(desk.download("99999999"))
    desk.close()


def test_search(there: Site) -> None:
    """A search in Redmine's own words is followed; what leaves it stays followed if it is known."""
    word = token(4)
    desk = opened(there, query=f"?query=subject={word}%26priority_id=3")
    number = there.add_ticket(word, priority="High")
    there.add_ticket(word, priority="Low")
    assert desk.numbers() == [number]
    pages = list(desk.changed("", ()))
    assert [found.number for page in pages for found in page.found] == [number]
    there.edit(number, priority="Low")
    later = there.add_ticket(word, priority="High")
    told = {found.number for page in desk.changed(pages[-1].cursor, {number}) for found in page.found}
    assert told == {number, later}
    desk.close()
