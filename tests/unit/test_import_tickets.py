"""Files in which a row is a ticket: what it tells about several moments, its comments and links, and a newer version of it."""

import json
from pathlib import Path
from typing import Any

from chit_sync import authoring, ids
from chit_sync.store.database import Store
from chit_sync.transfer.importing import import_file
from chit_sync.transfer.mapping import from_document, load
from conftest import NewStore
from support.importing import DATA, TICKETS, changed, history, reasons, take, ticket
from support.stores import change, give, records
from support.tables import contents, shown

ONE: dict[str, Any] = {
    "id": "a", "title": "One", "created": "2026-01-05T08:00:00Z", "by": "anna", "state": "open", "labels": ["red"], "text": "Story.",
    "comments": [{"id": 1, "by": "bert", "at": "2026-01-05T09:00:00Z", "text": "Well."}],
}  # fmt: skip
TWO: dict[str, Any] = {
    "id": "b", "title": "Two", "created": "2026-01-05T08:00:00Z", "state": "closed", "closed": "2026-01-06T08:00:00Z", "weight": 7,
    "links": [{"to": "a", "kind": "needs"}, {"to": "a", "kind": "see"}],
}  # fmt: skip


def lines(*found: dict[str, Any]) -> str:
    """JSON Lines of these."""
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in found)


def test_a_row_tells_of_several_moments(store: Store, tmp_path: Path) -> None:
    """Making, closing, each comment and each link is a change of its own, by its person at its time."""
    done = take(store, tmp_path, lines(ONE, TWO), changed(TICKETS))
    assert done == (2, 2, 6, 2, 6, 0, [])
    one, two = ticket(store, "tracker", "a"), ticket(store, "tracker", "b")
    assert (one.title, one.labels, one.text("description"), one.author) == ("One", ["red"], "Story.", "anna")
    assert [(said.author, said.body, said.visibility) for said in one.comments] == [("bert", "Well.", "public")]
    link = f"link/{ids.item_id('relates', one.id)}"
    assert sorted((by, *sorted(sets)) for _, by, sets in history(store, two.id)) == [
        ("tracker", f"{link}/kind", f"{link}/target"), ("tracker", "status"), ("tracker", "status", "title", "x.weight"),
    ]  # fmt: skip
    assert (two.value("status"), two.custom) == ("closed", {"weight": "7"})
    assert sorted((link.kind, link.title, bool(link.id)) for link in one.links) == [
        ("blocks", "Two", True), ("relates", "Two", False),
    ]  # fmt: skip
    again = take(store, tmp_path, lines(ONE, TWO), changed(TICKETS))
    assert (again.changes, again.new_changes) == (6, 0)


def test_links_are_those_that_people_make(store: Store, tmp_path: Path) -> None:
    """A link that somebody made by hand is the same link."""
    take(store, tmp_path, lines(ONE, TWO), changed(TICKETS))
    one, two = ticket(store, "tracker", "a"), ticket(store, "tracker", "b")
    change(store, one, authoring.link_paths("blocks", one.id, two.id))
    assert len(ticket(store, "tracker", "a").links) == 2


def test_a_link_to_what_nobody_knows(store: Store, tmp_path: Path) -> None:
    """Such a link is reported with its line and does not make a ticket up; it goes in when the ticket is there."""
    done = take(store, tmp_path, lines(TWO), changed(TICKETS))
    assert reasons(done) == ["line 1: it is linked to a, which is neither in the file nor in the store"] * 2
    assert done.new_tickets == 1
    take(store, tmp_path, lines(ONE), changed(TICKETS))
    done = take(store, tmp_path, lines(TWO), changed(TICKETS))
    assert (done.failures, done.new_changes) == ([], 2)


def test_a_newer_version(store: Store, new_store: NewStore, tmp_path: Path) -> None:
    """What a newer file says otherwise goes in over what the older one said; nothing is in conflict, and once is enough."""
    take(store, tmp_path, lines(ONE, TWO), changed(TICKETS))
    newer = {
        **ONE, "title": "The first", "state": "closed", "closed": "2026-01-07T08:00:00Z", "labels": ["blue"], "text": "",
        "comments": [{**ONE["comments"][0], "text": "Well, well."}, {"id": 2, "by": "carl", "at": "2026-01-06T09:00:00Z", "text": "So?"}],
    }  # fmt: skip
    done = take(store, tmp_path, lines(newer, TWO), changed(TICKETS))
    assert (done.new_tickets, done.new_changes) == (0, 3)
    one = ticket(store, "tracker", "a")
    assert (one.title, one.labels, one.value("status"), one.value("description")) == (
        "The first",
        ["blue"],
        "closed",
        None,
    )
    assert [(said.author, said.body) for said in one.comments] == [("bert", "Well, well."), ("carl", "So?")]
    assert one.conflicts == []
    for _ in range(2):
        assert take(store, tmp_path, lines(newer, TWO), changed(TICKETS)).new_changes == 0
    other = new_store("other")
    take(other, tmp_path, lines(newer, TWO), changed(TICKETS))
    give(other, records(store))
    give(store, records(other))
    assert shown(store) == shown(other)
    assert [found["conflicts"] for found in shown(store).values() if isinstance(found, dict)] == [[], []]


def test_a_newer_version_of_what_was_edited_here(store: Store, tmp_path: Path) -> None:
    """An edit here and one there are in conflict on the same field and merge otherwise."""
    take(store, tmp_path, lines(ONE), changed(TICKETS))
    one = ticket(store, "tracker", "a")
    change(store, one, {"title": "Mine", "priority": "high"})
    take(store, tmp_path, lines({**ONE, "title": "Theirs", "weight": 3}), changed(TICKETS))
    one = ticket(store, "tracker", "a")
    assert (one.value("priority"), one.custom) == ("high", {"weight": "3"})
    assert [(found.path, {found.shown, *found.others}) for found in one.conflicts] == [("title", {"Mine", "Theirs"})]
    assert take(store, tmp_path, lines({**ONE, "title": "Theirs", "weight": 3}), changed(TICKETS)).new_changes == 0


def test_absence_says_nothing(store: Store, tmp_path: Path) -> None:
    """A ticket or a comment that a newer file leaves out is not deleted."""
    take(store, tmp_path, lines(ONE, TWO), changed(TICKETS))
    before = contents(store)
    take(store, tmp_path, lines({**ONE, "comments": []}), changed(TICKETS))
    assert contents(store) == before


def test_cells_that_are_no_texts(store: Store, tmp_path: Path) -> None:
    """Numbers and truth values are taken as texts; members of objects have names with dots."""
    fields = {
        "title": "what.name", "x.n": "n", "x.f": "f", "emergency": "hot", "due": "due",
        "type": {"column": ["kind", "else"], "values": {"1": "bug"}, "others": "keep", "default": "task"},
    }  # fmt: skip
    mapping = from_document(
        {**TICKETS, "event": [{**TICKETS["event"][0], "fields": fields}], "comments": [], "links": []}, "test"
    )
    base = {"created": "2026-01-05T08:00:00Z"}
    done = take(
        store, tmp_path,
        lines(
            {**base, "id": 1, "what": {"name": " T "}, "n": 7, "f": 1.5, "hot": True, "due": "2026-02-01T00:00:00Z", "kind": 1},
            {**base, "id": 2, "what": "T", "n": False, "hot": "no", "kind": None, "else": "incident"},
            {**base, "id": 3, "what.name": "dotted", "hot": 0},
            {**base, "id": 4, "hot": "maybe"},
            {**base, "id": 5, "kind": "party"},
        ),
        mapping,
    )  # fmt: skip
    assert reasons(done) == [
        "line 4: hot: 'maybe' is neither yes nor no",
        "line 5: type cannot be 'party'. It is one of: incident, request, problem, change, question, task, bug, feature, epic.",
    ]
    one, two, three = (ticket(store, "tracker", str(number)) for number in (1, 2, 3))
    assert (one.title, one.custom, one.value("emergency"), one.value("type")) == (
        "T",
        {"n": "7", "f": "1.5"},
        True,
        "bug",
    )
    assert one.value("due") == 1_769_904_000_000_000
    assert (two.title, two.custom, two.value("emergency"), two.value("type")) == ("", {"n": "false"}, None, "incident")
    assert (three.title, three.value("emergency"), three.value("type")) == ("dotted", None, "task")


def test_the_map_for_beads(store: Store) -> None:
    """The shipped map takes an issue file whole: texts, labels, comments, dependencies, closing and deletion."""
    done = import_file(store, str(DATA / "issues.jsonl"), load("beads"))
    assert (done.rows, done.new_tickets, done.failures) == (5, 5, [])
    epic, child, bug, gone, chore = (
        ticket(store, "beads", key) for key in ("pkg-1", "pkg-1.1", "pkg-2", "pkg-3", "pkg-4")
    )
    assert epic.text("description").startswith("# Goal\n\nRead on after an error — “always”.\n\n```rust")
    assert epic.text("description").endswith("```\n\n## Notes\n\nLook at `tests/`.")
    assert (epic.value("type"), epic.value("priority"), epic.value("status")) == ("epic", "high", "new")
    assert epic.created == 1_706_778_000_123_456
    assert child.text("description") == "Line and column.\n\n## Acceptance criteria\n\n- a test\\n- another"
    assert (child.labels, child.value("assignee"), child.value("status")) == (
        ["parser", "tests"],
        "SwiftDeer",
        "closed",
    )
    assert [(said.author, said.body) for said in child.comments] == [
        ("carl", "Tabs count as one column?"), ("bert", "Yes."), ("beads", "Done, with tests."),
    ]  # fmt: skip
    assert sorted((link.kind, link.ticket) for link in child.links) == [("blocks", bug.id), ("child-of", epic.id)]
    assert (bug.author, bug.value("status"), bug.custom["external_ref"]) == (
        "carl@example.com",
        "open",
        "github:example/pkg#7",
    )
    assert sorted((link.kind, link.ticket) for link in bug.links) == [("blocked-by", child.id), ("follows", epic.id)]
    assert (gone.value("deleted"), gone.custom["delete_reason"], gone.author) == (True, "Test cleanup", "beads")
    assert (chore.value("type"), chore.custom["issue_type"], chore.comments) == ("task", "chore", [])
    assert chore.updated - chore.created == 3_600_000_000
    assert import_file(store, str(DATA / "issues.jsonl"), load("beads")).new_changes == 0
