"""What Request Tracker's answers are taken for: tables of JSON, subjects, cursors, HTML, base64. No server."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from chit_sync.clock import SECOND
from chit_sync.errors import RemoteError, UsageError
from chit_sync.helpdesks import rt_answers, rt_base64, rt_feed, rt_marks, rt_reading, rt_text, rt_writing
from chit_sync.helpdesks.base import Call, Event, Gone, RefusedError, Snapshot, Tie
from chit_sync.helpdesks.marking import marked
from chit_sync.helpdesks.rt_answers import Filed, Text
from chit_sync.helpdesks.rt_feed import Cursor
from chit_sync.helpdesks.rt_reading import Names, Told

AT = 1_795_466_251 * SECOND
OURS, OTHER = "kkkkkkkkllllllll", "mmmmmmmmnnnnnnnn"
TICKET = "kkkkkkkkllllllllmmmmmmmmnnnnnnnn"
USERS = {"6": "", "28": "agent1", "30": "agent2", "32": "requester"}
NAMES = Names(lambda user: USERS.get(user, f"#{user}"), {"3": "Support", "4": "Billing"}.__getitem__)
ROW: dict[str, Any] = {
    "id": 7, "Subject": "Printer", "Status": "open", "Priority": "50", "Created": "2026-11-23T20:37:31Z",
    "LastUpdated": "2026-11-23T20:40:00Z", "Due": "1970-01-01T00:00:00Z", "Creator": {"id": "requester"},
    "LastUpdatedBy": {"id": "RT_System"}, "Owner": {"id": "Nobody"}, "Queue": {"id": "3", "Name": "Support"},
    "Requestor": [{"id": "requester"}, {"id": "agent2"}], "_hyperlinks": [],
    "CustomFields": [
        {"id": "2", "name": "ExternalRef", "values": []}, {"id": "3", "name": "Severity", "values": ["Low"]},
        {"id": "4", "name": "Tags", "values": ["b", "a", None]},
    ],
}  # fmt: skip


def done(number: int, kind: str, field: str = "", old: str = "", new: str = "", **more: Any) -> dict[str, Any]:
    """A transaction as lists have it."""
    return {
        "id": str(number), "ObjectId": "7", "Type": kind, "Field": field, "OldValue": old, "NewValue": new, "Data": "",
        "Creator": {"id": "agent2"}, "Created": "2026-11-23T20:37:31Z", "TimeTaken": "0",
    } | more  # fmt: skip


def read(rows: list[dict[str, Any]], texts: dict[int, str] | None = None, **ticket: Any) -> Snapshot:
    """The snapshot of a ticket with that history, in which messages say that."""
    told = Told({number: Text(False, text) for number, text in (texts or {}).items()}, {})
    history = rt_answers.transactions("rt", {"items": rows})
    return rt_reading.snapshot(rt_answers.ticket("rt", ROW | ticket), history, told, NAMES)


def changes(events: Any) -> list[Any]:
    return [dict(event.changes) for event in events]


def test_fields() -> None:
    """Fields have chit's paths and the server's words; who is nobody is None, values of lists have no order, times are UTC."""
    found = read([done(1, "Create")], {1: "It is on fire."}, Due="2026-12-01T10:00:00Z")
    assert found.fields == {
        "title": "Printer", "description": "It is on fire.", "status": "open", "priority": "50", "queue": "Support",
        "assignee": None, "requester": "requester", "due": 1_796_119_200 * SECOND, "x.Severity": "Low", "x.Tags": "a\nb",
    }  # fmt: skip
    assert (found.number, found.author, found.created, found.modifier) == (7, "requester", AT, "")


def test_token() -> None:
    """Our id is read from its field, else from the description, and only if it is one."""
    fields = [{"id": "2", "name": "externalref", "values": [TICKET]}]
    assert read([done(1, "Create")], CustomFields=fields).token == TICKET
    assert read([done(1, "Create")], CustomFields=[fields[0] | {"values": ["JIRA-1"]}]).token == ""
    found = read([done(1, "Create")], {1: marked("Text\n", TICKET)})
    assert (found.token, found.fields["description"]) == (TICKET, "Text\n")
    alone = read([done(1, "Create")], {1: marked("", TICKET)})
    assert (alone.token, alone.fields["description"]) == (TICKET, None)


def test_events_lead_back() -> None:
    """Each transaction that sets a field is an event in the words of fields; undoing them leads back to the first values."""
    found = read([
        done(1, "Create"), done(2, "Status", "Status", "new", "open"), done(3, "Set", "Owner", "6", "28"),
        done(4, "SetWatcher", "Owner", "6", "28"), done(5, "Set", "Owner", "28", "6"), done(6, "Set", "Priority", "0", "50"),
        done(7, "Set", "Queue", "4", "3"), done(8, "Set", "Due", "2026-12-01 10:00:00", ""),
        done(9, "CustomField", "3", "High", "Low"), done(10, "CustomField", "4", "", "a"), done(11, "CustomField", "4", "c", ""),
        done(12, "CustomField", "2", "", TICKET), done(13, "CustomField", "99", "x", "y"), done(14, "EmailRecord"),
        done(15, "AddWatcher", "Requestor", "", "30"), done(16, "DelWatcher", "Requestor", "28", ""),
        done(17, "AddLink", "RefersTo", "", "fsck.com-rt://rt/ticket/2"), done(18, "Set", "Subject", "Old", "Printer"),
    ])  # fmt: skip
    assert changes(found.events) == [
        {"status": ("new", "open")}, {"assignee": (None, "agent1")}, {"assignee": ("agent1", None)},
        {"priority": ("0", "50")}, {"queue": ("Billing", "Support")}, {"due": (1_796_119_200 * SECOND, None)},
        {"x.Severity": ("High", "Low")}, {"x.Tags": ("b\nc", "a\nb\nc")}, {"x.Tags": ("a\nb\nc", "a\nb")},
        {"requester": ("agent1", "requester")}, {"title": ("Old", "Printer")},
    ]  # fmt: skip
    assert found.events[0] == Event("2", AT, "agent2", {"status": ("new", "open")})


def test_title_in_events_is_as_it_is_kept() -> None:
    """A title that was too long is told as the ticket shows it, not as it was sent."""
    found = read([done(1, "Create"), done(2, "Set", "Subject", "Old", "ü" * 150)], Subject="ü" * 100)
    assert changes(found.events) == [{"title": ("Old", "ü" * 100)}]


def test_deleted_for_a_while() -> None:
    """That a ticket was deleted and came back is no change of status but for the one that it came back with."""
    rows = [
        done(1, "Create"),
        done(2, "Status", "Status", "open", "deleted"),
        done(3, "Status", "Status", "deleted", "open"),
    ]
    assert read(rows).events == []
    rows[2]["NewValue"] = "resolved"
    assert changes(read(rows).events) == [{"status": ("open", "resolved")}]


def test_messages() -> None:
    """Replies are public and notes are not; mail that went out is nothing; what brings a file or time is no comment."""
    texts = {1: "Filed", 2: "Note", 3: "Reply", 5: "", 6: "Measured"}
    rows = [
        done(1, "Create"), done(2, "Comment", Data=f"{OURS}\n", TimeTaken="7"), done(3, "Correspond", Data="Re: x"),
        done(4, "EmailRecord"), done(5, "Comment", Data=f"File [{OTHER}]\n"),
        done(6, "Comment", Data=rt_marks.time("nnnnnnnnnnnnnnnn", AT + 5), TimeTaken="30"),
    ]  # fmt: skip
    told = Told(
        {n: Text(False, text) for n, text in texts.items() if text}, {5: [Filed(41, "a.bin", 3), Filed(42, "b", 4)]}
    )
    found = rt_reading.snapshot(
        rt_answers.ticket("rt", ROW), rt_answers.transactions("rt", {"items": rows}), told, NAMES
    )
    assert [(one.id, one.body, one.public, one.token) for one in found.comments] == [
        ("2", "Note", False, OURS), ("3", "Reply", True, ""),
    ]  # fmt: skip
    assert [(one.id, one.ref, one.name, one.size, one.token, one.public) for one in found.files] == [
        ("5.1", "41", "a.bin", 3, OTHER, False), ("5.2", "42", "b", 4, "", False),
    ]  # fmt: skip
    assert [(one.id, one.minutes, one.date, one.note, one.token) for one in found.works] == [
        ("2", 7, AT, "", ""), ("6", 30, AT + 5, "Measured", "nnnnnnnnnnnnnnnn"),
    ]  # fmt: skip


@pytest.mark.parametrize("echo", [f"Re: Printer [{OURS}]", f"Re: [rt #7] Re: Printer [{OURS}]", OURS])
def test_subject_that_comes_back(echo: str) -> None:
    """A requester's answer has our subject, and is not our comment: only the first message with an id is."""
    rows = [done(1, "Create"), done(2, "Correspond", Data=f"Re: Printer [{OURS}]"), done(3, "Correspond", Data=echo)]
    assert [one.token for one in read(rows, {2: "Ours", 3: "Theirs"}).comments] == [OURS, ""]


def test_answer_to_a_file_is_no_comment_of_ours() -> None:
    """An answer to the mail that brought a file does not take over the file's id."""
    rows = [
        done(1, "Create"),
        done(2, "Correspond", Data=f"File [{OURS}]"),
        done(3, "Correspond", Data=f"Re: File [{OURS}]"),
    ]
    assert [one.token for one in read(rows, {3: "Thanks"}).comments] == [""]


def test_time_that_was_set_to_less() -> None:
    """What was taken off a ticket's time is taken off the latest work, so that the sum is what the server says."""
    rows = [
        done(1, "Create", TimeTaken="10"), done(2, "Comment", TimeTaken="20"),
        done(3, "Set", "TimeWorked", "30", "5", TimeTaken="-25"), done(4, "Set", "TimeWorked", "5", "6", TimeTaken="1"),
    ]  # fmt: skip
    assert [(one.id, one.minutes) for one in read(rows).works] == [("1", 5), ("4", 1)]


def test_links() -> None:
    """Links are told by their forward names, those of the other side and to other places not at all."""
    links = [
        {"ref": "self", "type": "ticket", "id": 7}, {"ref": "depends-on", "type": "ticket", "id": "1"},
        {"ref": "depended-on-by", "type": "ticket", "id": "2"}, {"ref": "child", "type": "ticket", "id": "3"},
        {"ref": "refers-to", "type": "ticket", "id": "4"}, {"ref": "refers-to", "type": "external", "_url": "https://x"},
        {"ref": "comment"}, "x",
    ]  # fmt: skip
    assert {*read([done(1, "Create")], _hyperlinks=links).ties} == {
        Tie("blocks", 2),
        Tie("parent-of", 3),
        Tie("relates", 4),
    }


def test_gone() -> None:
    """A deleted ticket and one that is answered with another are gone, by whoever did it."""
    rows = [
        done(2, "Status", "Status", "open", "deleted"), done(3, "AddLink", "MergedInto", "", "x", Creator={"id": "agent1"}),
    ]  # fmt: skip
    history = rt_answers.transactions("rt", {"items": rows})
    ticket = rt_answers.ticket("rt", ROW)
    assert rt_reading.gone(7, ticket, history) == Gone(7, "deleted", 0, "agent2", AT)
    assert rt_reading.gone(5, ticket, history) == Gone(5, "merged", 7, "agent1", AT)


HOSTILE: list[Any] = [
    None, [], "x", 1, {}, {"items": None}, {"items": [1]}, {"items": [{}]}, {"items": [{"id": "x"}]},
    {"items": [{"id": True, "ObjectId": 1}]}, {"items": [{"id": "9" * 40, "ObjectId": "1"}]},
]  # fmt: skip


@pytest.mark.parametrize("answer", HOSTILE)
def test_answers_that_are_none(answer: Any) -> None:
    """An answer of another shape is an error in words, never a programmer's."""
    with pytest.raises(RemoteError):
        rt_answers.transactions("rt", answer)


@pytest.mark.parametrize("name", ROW)
@pytest.mark.parametrize("value", [None, [], {}, 5, "x", [None], [[]], True, {"id": []}])
def test_tickets_of_any_shape(name: str, value: Any) -> None:
    """Whatever stands in a member of a ticket: there is a snapshot, or an error in words."""
    try:
        found = read([done(1, "Create")], **{name: value})
    except RemoteError:
        return
    assert all(value is None or isinstance(value, str | int) for value in found.fields.values())


SUBJECTS = {
    OURS: rt_marks.Mark("comment", OURS),
    f"Re: A [b] title [{OURS}]\n": rt_marks.Mark("comment", OURS),
    f"Re: [{OURS}]": rt_marks.Mark("comment", OURS),
    f"File [{OURS}]": rt_marks.Mark("file", OURS),
    f"Time 2026-11-23T20:37:31Z [{OURS}]": rt_marks.Mark("time", OURS, AT),
    f"Time 2026-11-23T20:37:31.000007Z [{OURS}]": rt_marks.Mark("time", OURS, AT + 7),
    f"Time soon [{OURS}]": None, f"File x [{OURS}]": None, f"Fwd: x [{OURS}]": None, f"{OURS}l": None, OURS.upper(): None,
    "Re: Printer": None, "": None, f"Re: x [{OURS}] y": None,
}  # fmt: skip


@pytest.mark.parametrize("subject", SUBJECTS)
def test_subjects(subject: str) -> None:
    """Subjects of ours are known again, others are not."""
    assert rt_marks.read(subject) == SUBJECTS[subject]


def test_subjects_that_are_written() -> None:
    """What is written as a subject is read as what it was, whatever the ticket's title is."""
    for title in ("", "Printer", "x" * 300, f"[{OTHER}]", "two\nlines"):
        for public in (True, False):
            assert rt_marks.read(rt_marks.comment(OURS, title, public=public)) == rt_marks.Mark("comment", OURS)
    for date in (AT, AT + 1, 0):
        assert rt_marks.read(rt_marks.file(OURS)) == rt_marks.Mark("file", OURS)
        if date:
            assert rt_marks.read(rt_marks.time(OURS, date)) == rt_marks.Mark("time", OURS, date)


def test_cursor_there_and_back() -> None:
    """A cursor is a short text, and the same after it was kept; a damaged one is said to be."""
    cursor = Cursor(floor=3, to=900, total=800, at=100, done=90).handled(
        range(100_000_000, 100_002_000, 2), 100_001_998
    )
    assert rt_feed.decode(rt_feed.encode(cursor)) == cursor
    assert len(rt_feed.encode(cursor)) < 4000
    for text in ("", "x", "[]", '{"last": "x"}', '{"seen": "1"}', '{"last": null}'):
        with pytest.raises(UsageError):
            rt_feed.decode(text)


def test_cursor_knows_what_is_new() -> None:
    """A number that was not seen is new, also below the last one; one that is too far back is not."""
    cursor = Cursor().handled([1000, 1001, 1003], 1003)
    assert [cursor.is_new(number) for number in (1000, 1001, 1002, 1003, 1004, 603, 604)] == [
        False, False, True, False, True, False, True,
    ]  # fmt: skip


def test_ranges_cover_everything() -> None:
    """Stretches of numbers follow each other up to the last ticket; of few tickets among many numbers they are wide."""
    assert rt_feed.ranges(Cursor(to=250, total=250), 10) == [(0, 100), (100, 200), (200, 250)]
    assert rt_feed.ranges(Cursor(to=1_000_000, total=80, at=0), 10) == [(0, 1_000_000)]
    assert rt_feed.ranges(Cursor(to=5000, total=5000, at=1000, done=1000), 2) == [(1000, 1100), (1100, 1200)]


HTML = {
    "<p>One</p><p>Two &amp; <b>three</b></p>": "One\n\nTwo & three",
    "a<br>b<br/>c": "a\nb\nc",
    "<ul><li>x</li><li>y</li></ul>z": "- x\n- y\n\nz",
    "<div>a</div><div>b</div>": "a\nb",
    "<pre>  keep\n\n  this</pre>": "  keep\n\n  this",
    '<a href="https://example.com/a">here</a>': "here <https://example.com/a>",
    '<a href="https://example.com/">https://example.com</a>': "https://example.com",
    '<a href="javascript:x">click</a>': "click",
    "<style>p{}</style><script>x</script>text": "text",
    "  a\n   b  ": "a b",
    "<p>un<b>closed": "unclosed",
    "1 < 2 &lt; 3": "1 < 2 < 3",
    "": "",
}


@pytest.mark.parametrize("html", HTML)
def test_html(html: str) -> None:
    """What a web editor wrote is read as text."""
    assert rt_text.to_text(html) == HTML[html]


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100_000])
def test_file_out_of_json(size: int) -> None:
    """A file's bytes come out of the answer however it is cut, and wherever in it they are."""
    data = bytes(range(256)) * 20
    answer = {"Headers": '"Content":"no"', "Content": base64.encodebytes(data).decode(), "id": 4}
    for text in (json.dumps(answer), json.dumps(answer, indent=3), json.dumps({**dict(reversed(answer.items()))})):
        assert b"".join(rt_base64.content_of("rt", pieces(text.encode(), size))) == data


@pytest.mark.parametrize("text", ['{"id":1}', '{"Content":"QUJ', '{"Content":"Q*=="}', '{"Content":5}', "", "<html>"])
def test_file_that_is_none(text: str) -> None:
    """An answer without a file, with half of one or a damaged one is an error."""
    with pytest.raises(RemoteError):
        b"".join(rt_base64.content_of("rt", pieces(text.encode(), 5)))


def several(name: str) -> bool:
    return name == "Tags"


def test_what_is_written() -> None:
    """Fields are written in the server's words: times in UTC to the second, lists as lists, nothing as what empties."""
    fields = {
        "title": "T", "status": "open", "priority": "50", "queue": "Billing", "assignee": None, "requester": "a@example.com",
        "due": AT + 5, "x.Tags": "b\na", "x.Severity": None, "description": "kept",
    }  # fmt: skip
    assert rt_writing.update(fields, several) == {
        "Subject": "T", "Status": "open", "Priority": 50, "Queue": "Billing", "Owner": "Nobody",
        "Requestor": ["a@example.com"], "Due": "2026-11-23 20:37:31", "CustomFields": {"Tags": ["b", "a"], "Severity": None},
    }  # fmt: skip
    assert rt_writing.update({"due": None, "requester": None, "x.Tags": None}, several) == {
        "Due": "", "Requestor": [], "CustomFields": {"Tags": []},
    }  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {"description": "x"},
        {"labels/x": True},
        {"priority": "high"},
        {"title": None},
        {"status": None},
        {"x.ExternalRef": "x"},
    ],
)
def test_what_is_not_written(fields: dict[str, Any]) -> None:
    """What cannot be written is refused before anything is sent."""
    with pytest.raises(RefusedError):
        rt_writing.update(fields, several)


def test_new_tickets() -> None:
    """A new ticket has our id in its field or description; a status that new tickets may not have comes after it."""
    fields = {"title": "T", "queue": "Support", "description": "D", "status": "stalled"}
    body, then = rt_writing.create(fields, TICKET, "ExternalRef", several)
    assert body == {
        "Subject": "T", "Queue": "Support", "CustomFields": {"ExternalRef": TICKET}, "Content": "D", "ContentType": "text/plain",
    }  # fmt: skip
    assert then == {"Status": "stalled"}
    body, then = rt_writing.create(fields | {"status": "open"}, TICKET, "", several)
    assert (body["Content"], body["Status"], then) == (f"D\n[chit:{TICKET}]", "open", {})
    with pytest.raises(RefusedError):
        rt_writing.create({"title": "T"}, TICKET, "", several)


def test_links_that_are_written() -> None:
    """Links are written by their other end's name there; kinds that it does not know are refused."""
    call = Call("link", 7, OURS, {"kind": "blocks", "other": 5})
    assert rt_writing.link(call) == {"AddDependedOnBy": [5]}
    assert rt_writing.link(call._replace(verb="unlink")) == {"DeleteDependedOnBy": [5]}
    with pytest.raises(RefusedError):
        rt_writing.link(call._replace(fields={"kind": "duplicates", "other": 5}))
