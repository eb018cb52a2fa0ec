"""The adapter for Redmine: what its answers become, and what is made of nonsense."""

from typing import Any

import pytest

from chit_sync.clock import SECOND
from chit_sync.errors import RemoteError, UsageError
from chit_sync.helpdesks import address
from chit_sync.helpdesks.base import (
    Event,
    Snapshot,
    Tie,
)
from chit_sync.helpdesks.marking import marked, unmarked
from chit_sync.helpdesks.redmine import Redmine
from chit_sync.helpdesks.redmine_answers import Part, file_name, moment
from chit_sync.helpdesks.redmine_changes import place_of, searched
from chit_sync.helpdesks.redmine_describing import statuses
from chit_sync.helpdesks.redmine_reading import Names, snapshot

TOKEN = "k" * 16 + "z" * 16
NAMES = Names(
    statuses={1: "New", 2: "In Progress"},
    priorities={2: "Normal", 3: "High"},
    projects={1: "Support", 2: "Billing"},
    people={5: "agent1", 6: "agent2"},
)
ISSUE: dict[str, Any] = {
    "id": 7,
    "project": {"id": 1, "name": "Support"},
    "status": {"id": 2, "name": "In Progress"},
    "priority": {"id": 3, "name": "High"},
    "author": {"id": 5, "name": "Agent One"},
    "subject": "Printer",
    "description": "First\r\nSecond",
    "due_date": "2026-01-31",
    "custom_fields": [{"id": 1, "name": "ExternalRef", "value": None}, {"id": 2, "name": "Severity", "value": ""}],
    "created_on": "2026-01-01T00:00:00Z",
    "updated_on": "2026-01-01T00:00:05Z",
}


def read(works: list[Part] | None = None, **more: Any) -> Snapshot:
    return snapshot(Part(ISSUE | more, "issue"), NAMES, works)


def journal(number: int, *details: tuple[str, str, str | None, str | None], **more: Any) -> dict[str, Any]:
    told = [dict(zip(("property", "name", "old_value", "new_value"), detail, strict=True)) for detail in details]
    plain = {"id": number, "user": {"id": 6, "name": "Agent Two"}, "notes": "", "created_on": "2026-01-01T00:00:02Z"}
    return plain | {"private_notes": False, "details": told} | more


def test_issue_becomes_a_ticket() -> None:
    """Fields are in Redmine's words; what is empty is None; who filed it is who asked."""
    found = read()
    assert found.fields == {
        "title": "Printer",
        "description": "First\nSecond",
        "status": "In Progress",
        "priority": "High",
        "queue": "Support",
        "assignee": None,
        "requester": "agent1",
        "due": moment("2026-01-31T00:00:00Z"),
        "x.Severity": None,
    }
    assert (found.number, found.author, found.created) == (7, "agent1", moment("2026-01-01T00:00:00Z"))
    assert found.modified - found.created == 5 * SECOND
    assert "works" not in found.told


@pytest.mark.parametrize(
    ("held", "description", "token", "text"),
    [
        (TOKEN, "Text", TOKEN, "Text"),
        ("loc-0001", "Text", "", "Text"),
        ("", f"Text\r\n[chit:{TOKEN}]", TOKEN, "Text"),
        (None, f"[chit:{TOKEN}]\n", TOKEN, None),
        (None, f"[chit:{TOKEN}] was that", "", f"[chit:{TOKEN}] was that"),
        (None, "Text\n[chit:abc]", "", "Text\n[chit:abc]"),
    ],
)
def test_our_id(held: str | None, description: str, token: str, text: str | None) -> None:
    """Our id is told by its field or by the last line, if it looks like one, and is part of no field."""
    found = read(custom_fields=[{"id": 1, "name": "ExternalRef", "value": held}], description=description)
    assert (found.token, found.fields["description"]) == (token, text)


@pytest.mark.parametrize("text", ["", "One", "One\n", "\n"])
def test_mark_comes_off_again(text: str) -> None:
    """A description keeps every character when our id is written behind it."""
    assert unmarked(marked(text, TOKEN)) == (text, TOKEN)


def test_journals_become_comments_and_events() -> None:
    """A journal may be a comment, an event, both or neither, whatever order they come in; ids are names, also of old values."""
    found = read(
        journals=[
            journal(9, ("attr", "status_id", "1", "2"), ("attr", "assigned_to_id", "6", None), notes="Both"),
            journal(
                8, ("cf", "2", None, "High"), ("attr", "done_ratio", "0", "10"), ("attr", "priority_id", "77", "3")
            ),
            journal(5, notes="secret\r\nline", private_notes=True, created_on="2026-01-01T00:00:01Z"),
            journal(6, ("attachment", "4", None, "a.txt"), notes=None),
        ]
    )
    assert [(each.id, each.body, each.public) for each in found.comments] == [
        ("5", "secret\nline", False),
        ("9", "Both", True),
    ]
    time = moment("2026-01-01T00:00:02Z")
    assert found.events == [
        Event("8", time, "agent2", {"priority": ("#77", "High"), "x.Severity": (None, "High")}),
        Event("9", time, "agent2", {"assignee": ("agent2", None), "status": ("New", "In Progress")}),
    ]


def test_history_of_a_field_with_several_values() -> None:
    """Redmine tells one by one which values came and went; the events hold all of them."""
    tags = {"id": 4, "name": "Tags", "multiple": True, "value": ["b", "c"]}
    journals = [journal(1, ("cf", "4", "a", None), ("cf", "4", None, "c")), journal(2, ("cf", "4", None, "b"))]
    found = read(custom_fields=[tags], journals=journals)
    assert found.fields["x.Tags"] == "b\nc"
    came = [tuple(sorted(str(value).split("\n")) for value in event.changes["x.Tags"]) for event in found.events]
    assert came == [(["a"], ["c"]), (["c"], ["b", "c"])]


def test_links_are_told_by_where_they_start() -> None:
    """Of each link one ticket tells, by its forward name; precedes is follows seen from the other one; copies are none."""
    kinds = [
        ("relates", 7, 1),
        ("relates", 2, 7),
        ("blocks", 7, 3),
        ("duplicates", 4, 7),
        ("precedes", 5, 7),
        ("copied_to", 7, 6),
    ]
    relations = [
        {"id": n, "relation_type": kind, "issue_id": one, "issue_to_id": other}
        for n, (kind, one, other) in enumerate(kinds)
    ]
    found = read(relations=relations, children=[{"id": 8, "children": [{"id": 9}]}])
    assert found.ties == [Tie("relates", 1), Tie("blocks", 3), Tie("follows", 5), Tie("parent-of", 8)]


@pytest.mark.parametrize("minutes", range(1, 61))
def test_minutes_come_back(minutes: int) -> None:
    """Hundredths of an hour hold whole minutes."""
    entry = {
        "id": 1,
        "user": {"id": 5},
        "hours": round(minutes / 60, 2),
        "spent_on": "2026-01-02",
        "created_on": "2026-01-03T00:00:00Z",
    }
    (work,) = read([Part(entry, "entry")]).works
    assert (work.minutes, work.date, work.note) == (minutes, moment("2026-01-02T00:00:00Z"), "")


HOSTILE = {
    "no id": {"id": None},
    "id is text": {"id": "7"},
    "id is a truth": {"id": True},
    "subject is a list": {"subject": ["x"]},
    "status is text": {"status": "New"},
    "journals are an object": {"journals": {"a": 1}},
    "journal is text": {"journals": ["x"]},
    "no date": {"created_on": None},
    "date without zone": {"updated_on": "2026-01-01T00:00:00"},
    "no such date": {"updated_on": "2026-02-31T00:00:00Z"},
    "no such day": {"due_date": "31.1.2026"},
    "huge id": {"id": 1 << 70},
    "file without size": {"attachments": [{"id": 1, "filename": "x", "created_on": "2026-01-01T00:00:00Z"}]},
    "relation to text": {"relations": [{"relation_type": "relates", "issue_id": 7, "issue_to_id": "x"}]},
    "custom field without id": {"custom_fields": [{"name": "x", "value": "y"}]},
}


@pytest.mark.parametrize("more", HOSTILE.values(), ids=HOSTILE)
def test_hostile_answers_are_errors_in_words(more: dict[str, Any]) -> None:
    """Whatever is not as Redmine writes it is a RemoteError, nothing else."""
    with pytest.raises(RemoteError, match="makes no sense"):
        read(**more)


def test_titles_are_one_line() -> None:
    """Control characters that Redmine lets into subjects and names become blanks."""
    assert read(subject="a\r\nb\tc\x1b[1m").fields["title"] == "a b c [1m"


def test_statuses_are_guessed() -> None:
    """A status that closes means something closed; resolved means closed only where nothing else does."""
    told = [("New", False), ("Waiting", False), ("Whatever", False), ("Fixed", True), ("Gone", True)]
    parts = [Part({"name": name, "is_closed": closed}, "status") for name, closed in told]
    assert [choice.means for choice in statuses(parts)] == ["new", "pending", "open", "resolved", "closed"]
    assert [choice.means for choice in statuses(parts[:4])] == ["new", "pending", "open", "closed"]


@pytest.mark.parametrize(("name", "kept"), [("a/b\\c.txt", "c.txt"), ("a:?b.txt", "a_b.txt"), ("ü 打.bin", "ü 打.bin")])
def test_file_names(name: str, kept: str) -> None:
    """What Redmine makes of a file's name is known."""
    assert file_name(name) == kept


def test_searches() -> None:
    """A search is what Redmine's address line shows, or short; what Redmine would ignore is refused."""
    long = "utf8=✓&set_filter=1&f[]=tracker_id&op[tracker_id]==&v[tracker_id][]=2&f[]="
    assert searched(long) == searched("tracker_id=2") == [("tracker_id", "=", ["2"])]
    assert searched("status_id=o&cf_2=a|b") == [("status_id", "o", ["o"]), ("cf_2", "=", ["a", "b"])]
    for query in ("updated_on=2026-01-01", "query_id=4", "colour=red", "cf_x=1"):
        with pytest.raises(UsageError):
            searched(query)


@pytest.mark.parametrize("cursor", ["x", "[]", "{}", '{"seen":1}', '{"seen":{},"closed":[],"more":1}'])
def test_cursors_that_are_none(cursor: str) -> None:
    """A cursor that is none is an error in words."""
    with pytest.raises(RemoteError, match="no cursor"):
        place_of(cursor)


def test_options_are_known() -> None:
    """An option that the adapter does not know is refused."""
    with pytest.raises(UsageError, match="colour"):
        Redmine(address.parse("redmine+http://127.0.0.1:1/?colour=red"), "x")
