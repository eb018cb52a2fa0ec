"""What django-helpdesk answers, as snapshots: each followup is one thing only, and nothing that makes no sense is taken."""

from typing import Any

import pytest

from chit_sync.errors import RemoteError, UsageError
from chit_sync.helpdesks import address
from chit_sync.helpdesks.base import Gone, RefusedError, Snapshot
from chit_sync.helpdesks.djhd import DjangoHelpdesk
from chit_sync.helpdesks.djhd_asking import Form
from chit_sync.helpdesks.djhd_fields import to_json
from chit_sync.helpdesks.djhd_reading import (
    Words,
    minutes,
    moment,
    read_page,
    read_ticket,
    read_words,
    unworked,
    worked,
)
from chit_sync.helpdesks.djhd_writing import escaped, sent_name
from chit_sync.helpdesks.marking import marked, unmarked
from chit_sync.registers import Value

WHERE = "djhd+https://desk.example.com"
TOKEN = "k" * 32
OPTIONS: dict[str, Any] = {
    "actions": {
        "POST": {
            "title": {"max_length": 200},
            "status": {"choices": [{"value": 1, "display_name": "Open"}, {"value": 3, "display_name": "Resolved"}]},
            "priority": {"choices": [{"value": 2, "display_name": "2. High"}]},
            "custom_ExtRef": {"max_length": 100},
            "custom_site": {"choices": [{"value": "north", "display_name": "North"}]},
        }
    }
}
WORDS = read_words(OPTIONS, WHERE, {1: "Support"})


def said(number: int, **more: Any) -> dict[str, Any]:
    """A followup as it is answered."""
    return {
        "id": number, "ticket": 7, "user": 2, "title": "Jam", "comment": "", "public": False, "new_status": None, "time_spent": None,
        "followupattachment_set": [], "date": f"2026-11-24T09:00:{number:02d}.000001+13:00", "message_id": None, **more,
    }  # fmt: skip


def ticket(*followups: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A ticket as it is answered, with the followup with which it was made."""
    opened = said(1, title="Ticket Opened", comment="It burns", public=True)
    return {
        "id": 7, "queue": 1, "title": "Jam", "description": "It burns", "resolution": None, "submitter_email": "anna@example.com",
        "assigned_to": 2, "status": 3, "on_hold": False, "priority": 2, "due_date": "2026-12-01T00:00:00+13:00", "merged_to": None,
        "followup_set": [opened, *followups], "custom_ExtRef": TOKEN, "custom_site": "north", **more,
    }  # fmt: skip


def read(raw: dict[str, Any], words: Words = WORDS) -> Snapshot:
    found = read_ticket(raw, words, WHERE)
    assert isinstance(found, Snapshot)
    return found


def test_fields() -> None:
    """Fields have the helpdesk's words, people and unnamed queues their numbers; our id is no field."""
    found = read(ticket())
    assert found.fields == {
        "title": "Jam", "description": "It burns", "status": "Resolved", "priority": "2. High", "queue": "Support", "assignee": "2",
        "requester": "anna@example.com", "due": 1796036400000000, "x.resolution": None, "x.on_hold": None, "x.site": "north",
    }  # fmt: skip
    assert (found.author, found.token, found.comments) == ("2", TOKEN, ())
    assert found.created == 1795464001000001
    assert read(ticket(queue=9, status=8, assigned_to=None)).fields["queue"] == "9"


@pytest.mark.parametrize(
    ("followup", "comments", "works"),
    [
        ({"comment": "note"}, [("note", False)], []),
        ({"comment": "reply", "public": True}, [("reply", True)], []),
        ({"comment": "worked", "time_spent": "01:30:00"}, [], [(90, "worked")]),
        ({"comment": "reply", "public": True, "time_spent": "1 00:00:30"}, [("reply", True)], [(1441, "")]),
        ({"comment": "", "time_spent": "00:00:10"}, [], [(1, "")]),
        ({"comment": "taken back", "time_spent": "-1 23:50:00"}, [("taken back", False)], []),
        ({"comment": "", "new_status": 3}, [], []),
    ],
)
def test_followup_is_one_thing(followup: dict[str, Any], comments: object, works: object) -> None:
    """A followup is a comment, or time, or both without the text in both; never twice the same."""
    found = read(ticket(said(2, **followup)))
    assert [(one.body, one.public) for one in found.comments] == comments
    assert [(one.minutes, one.note) for one in found.works] == works


def test_making_is_no_comment() -> None:
    """The followup with which the ticket was made is no comment, also after the description was edited; a first real comment is."""
    assert read(ticket(description="Edited")).comments == ()
    german = said(1, title="Ticket geöffnet und zugewiesen an Bo", comment="Alt")
    assert read({**ticket(), "followup_set": [german]}).comments == ()
    assert [one.body for one in read({**ticket(), "followup_set": [said(1, comment="hello")]}).comments] == ["hello"]


def test_mail_has_its_sender() -> None:
    """What came by mail is by the address in its title; a ticket without followups is by whoever asked."""
    mailed = said(
        2, user=None, title="E-Mail Received from carol@example.com", comment="hi", message_id="<1@x>", public=True
    )
    assert read(ticket(mailed)).comments[0].author == "carol@example.com"
    assert read({**ticket(), "followup_set": []}).author == "anna@example.com"


def test_status_events() -> None:
    """Changes of the status that a followup tells are events, each from what the one before left."""
    found = read(ticket(said(2, new_status=3), said(3, new_status=1), said(4, new_status=1)))
    assert [(one.key, one.changes["status"]) for one in found.events] == [
        ("status-2", ("Open", "Resolved")),
        ("status-3", ("Resolved", "Open")),
    ]


def test_files_are_not_believed() -> None:
    """A file's name and size are what somebody said: the name loses its folders, the size is not known."""
    file = {"id": 5, "file": "https://desk.example.com/media/a/evil.txt", "filename": "../../e\x1bvil.txt", "size": 1}
    hostile = said(2, followupattachment_set=[file | {"mime_type": "image/png; chit=llllllllllllllll"}])
    (found,) = read(ticket(hostile)).files
    assert (found.id, found.name, found.size, found.token) == ("5", "evil.txt", -1, "l" * 16)
    nameless = said(2, followupattachment_set=[file | {"filename": "..", "mime_type": "image/png; chit=aaaa"}])
    (found,) = read(ticket(nameless)).files
    assert (found.name, found.token) == ("evil.txt", "")


def test_merged_ticket_is_gone() -> None:
    """A ticket that was merged into another is gone; one that names itself is not."""
    found = read_ticket(ticket(merged_to=8), WORDS, WHERE)
    assert isinstance(found, Gone)
    assert (found.number, found.how, found.into) == (7, "merged", 8)
    read(ticket(merged_to=7))


@pytest.mark.parametrize("value", ["", "abc", "k" * 31, "K" * 32, None, 5, ["k" * 32]])
def test_foreign_references_are_none_of_ours(value: object) -> None:
    """What somebody else keeps in the field for references is not taken for our id."""
    assert read(ticket(custom_ExtRef=value)).token == ""


@pytest.mark.parametrize("text", ["", "One line", "Two\r\nlines", "[chit:xyz]", f"[chit:{TOKEN}] said Bo"])
def test_mark_comes_and_goes(text: str) -> None:
    """The line with our id is put behind a description and taken away again."""
    assert unmarked(marked(text, TOKEN)) == (text, TOKEN)
    plain = Words(WORDS.statuses, WORDS.priorities, {}, "", {})
    found = read(ticket(description=marked(text, TOKEN)), plain)
    assert (found.fields["description"], found.token) == (text or None, TOKEN)


@pytest.mark.parametrize("note", ["", "Measured", "Two\nlines"])
def test_day_of_work_comes_and_goes(note: str) -> None:
    """The line with the day of the work and our item is put behind a note and taken away again."""
    day = 1_770_000_000_000_000
    assert worked(unworked(note, day, "k" * 16)) == (note, day, "k" * 16)
    assert worked(f"{note}[chit: 2026-99-99T00:00:00Z]") == (f"{note}[chit: 2026-99-99T00:00:00Z]", None, "")


@pytest.mark.parametrize(
    ("text", "spent"),
    [
        ("00:00:00", 0),
        ("00:00:01", 1),
        ("00:01:29", 1),
        ("00:01:30.500000", 2),
        ("1 02:03:00", 1563),
        ("PT1H", 0),
        (90, 0),
        (None, 0),
    ],
)
def test_spent_time(text: object, spent: int) -> None:
    """Spent time is whole minutes; what is no time there is none."""
    assert minutes(text) == spent


@pytest.mark.parametrize(
    "breaks",
    [
        {"id": None}, {"id": True}, {"id": -1}, {"id": 1 << 80}, {"status": "Open"}, {"priority": None}, {"due_date": "soon"},
        {"due_date": "2026-12-01T00:00:00"}, {"due_date": 5}, {"followup_set": [5]}, {"followup_set": [{"id": 1}]},
        {"followup_set": [said(1, date="99999-01-01")]}, {"followup_set": [said(1, followupattachment_set=[{}])]},
    ],
)  # fmt: skip
def test_nonsense_is_an_error_in_words(breaks: dict[str, Any]) -> None:
    """A ticket without numbers, or with times that mean nothing, is an error that people understand."""
    with pytest.raises(RemoteError) as caught:
        read_ticket(ticket(**breaks), WORDS, WHERE)
    assert WHERE in caught.value.message


@pytest.mark.parametrize(
    "odd", [{"title": 5}, {"description": None}, {"followup_set": None}, {"custom_site": {"a": 1}}, {"merged_to": "x"}]
)
def test_odd_values_are_none(odd: dict[str, Any]) -> None:
    """A field of another type than it should have is empty."""
    read(ticket(**odd))


@pytest.mark.parametrize("data", [None, [], {}, {"actions": {}}, {"actions": {"POST": {"status": {"choices": "x"}}}}])
def test_other_servers_are_told_apart(data: object) -> None:
    """What does not describe tickets as django-helpdesk does is none."""
    with pytest.raises(RemoteError, match="django-helpdesk"):
        read_words(data, WHERE, {})
    with pytest.raises(RemoteError):
        read_page(data, WHERE)


def test_short_reference_field_is_not_used() -> None:
    """A field that is too short for our id is an ordinary one."""
    post = OPTIONS["actions"]["POST"] | {"custom_ExtRef": {"max_length": 31}}
    words = read_words({"actions": {"POST": post}}, WHERE, {})
    assert words.reference == ""
    assert read(ticket(), words).fields["x.ExtRef"] == TOKEN


def test_times_of_any_zone() -> None:
    """A time is told in any zone, to the microsecond, and never without one."""
    assert moment("2026-11-24T00:00:00.000001+13:00", WHERE) == moment("2026-11-23T11:00:00.000001Z", WHERE)
    assert moment(None, WHERE) is None


ESCAPED = {
    "{{ ticket.title }}": "{{ '{' }}{{ '{' }} ticket.title }}",
    "{% x %}": "{{ '{' }}% x %{{ '}' }}",
    "50 %": "50 %",
    "}}": "}}",
    "X-HELPDESK-COMMENT-VERBATIM": "X-HELPDESK-COMMENT{{ '-' }}VERBATIM",
}


@pytest.mark.parametrize("text", ESCAPED)
def test_comments_are_escaped(text: str) -> None:
    """What the server's template engine would fill in is written so that it comes out as it was."""
    assert escaped(text) == ESCAPED[text]


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("a.txt", "a.txt"), ("a.TXT", "a.TXT"), ("archive.zip", "archive.zip.txt"), ("README", "README"), (".bashrc", "file.bashrc.txt"),
        ("a b/c\\d.png", "a_b_c_d.png"), ("x" * 300 + ".pdf", "x" * 80 + ".pdf"), ("größe.jpg", "größe.jpg"), ("", "file"),
    ],
)  # fmt: skip
def test_names_that_any_site_takes(name: str, sent: str) -> None:
    """A file is sent under a name that is short and has an ending that sites take; its own name goes beside it."""
    assert sent_name(name) == sent


REFUSED: dict[str, Value] = {
    "title": "", "status": "Waiting", "priority": None, "queue": "Sales", "assignee": "anna", "x.site": None, "x.none": "1", "x.ExtRef": "1"
}  # fmt: skip


@pytest.mark.parametrize("path", REFUSED)
def test_refused_before_it_is_sent(path: str) -> None:
    """What cannot be there is refused with the field's name; a field of the site's own cannot be emptied."""
    with pytest.raises(RefusedError) as caught:
        to_json({path: REFUSED[path]}, WORDS, WHERE)
    assert path.removeprefix("x.") in caught.value.message


def test_fields_in_json() -> None:
    """Words become numbers, times have a zone, and what is emptied is null."""
    given: dict[str, Value] = {
        "status": "Resolved",
        "queue": "9",
        "assignee": None,
        "due": 1_800_000_000_123_456,
        "x.on_hold": "true",
    }
    assert to_json(given, WORDS, WHERE) == {
        "status": 3, "queue": 9, "assigned_to": None, "due_date": "2027-01-15T08:00:00.123456+00:00", "on_hold": True,
    }  # fmt: skip


def test_form_tells_people() -> None:
    """The form for browsers tells who is asking and whom there is; whatever else stands there is not taken."""
    form = Form("user")
    form.feed(
        '<li class="navbar-text">bo &amp; co</li><select name="ticket"><option value="1">1 Jam</option></select>'
        '<select class="x" name="user"><option value="">--</option><option value="2"> bo &amp; co </option><option value="x">y</option>'
        '</select><select name="new_status"><option value="1">Open</option></select>'
    )
    form.close()
    assert (form.login, form.choices) == ("bo & co", {"2": "bo & co"})


@pytest.mark.parametrize("query", ["?query=title=x", "?query=status", "?queue=", "?me=anna"])
def test_addresses_that_mean_nothing(query: str) -> None:
    """An address that asks for what the helpdesk cannot do is refused, with an example."""
    with pytest.raises(UsageError) as caught:
        DjangoHelpdesk(address.parse(WHERE + query), None)
    assert caught.value.hint
