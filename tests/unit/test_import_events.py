"""Event logs: rows become changes by whoever made them when they were made, and importing again adds only what is new."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chit_sync import ids
from chit_sync.change import nonce
from chit_sync.store import undo
from chit_sync.store.database import Store
from chit_sync.transfer.mapping import from_document, load
from chit_sync.transfer.replay import Nonces, row_sum
from conftest import NewStore
from support.importing import DATA, EVENTS, HEADER, LOG, changed, history, reasons, take, ticket
from support.stores import change, records
from support.tables import contents

EIGHT = 1_767_600_000_000_000
"""2026-01-05 08:00 UTC."""
MINUTE = 60_000_000


def test_each_row_is_a_change(store: Store, tmp_path: Path) -> None:
    """A change sets what its row has otherwise than the row before, by the row's person at the row's time, over what it replaces."""
    done = take(store, tmp_path, LOG, changed(EVENTS))
    assert done == (4, 2, 4, 2, 4, 0, [])
    one = ticket(store, "desk", "T1")
    assert (one.title, one.value("status"), one.value("assignee"), one.author) == (
        "Printer on fire",
        "closed",
        "bert",
        "anna",
    )
    assert history(store, one.id) == [
        (EIGHT, "anna", {"status": "new", "title": "Printer on fire", "x.count": "0"}),
        (EIGHT + 30 * MINUTE, "bert", {"assignee": "bert", "status": "open", "x.count": "1"}),
        (EIGHT + 26 * 60 * MINUTE, "bert", {"status": "closed", "x.count": "2"}),
    ]
    first, second, third = [record for record in records(store) if record.change.ticket == one.id]
    assert second.change.over == [first.id.hex()]
    assert third.change.over == [second.id.hex()]
    assert (one.created, one.updated) == (EIGHT, EIGHT + 26 * 60 * MINUTE)


def test_what_is_derived(store: Store, tmp_path: Path) -> None:
    """Ids, nonces and stamps follow from the source, the key and the rows, so that any machine makes the same bytes."""
    take(store, tmp_path, LOG, changed(EVENTS))
    one = ticket(store, "desk", "T1")
    assert one.id == ids.ticket_id("desk", "T1")
    rows = [tuple(line.split(",")) for line in LOG.splitlines() if line.startswith("T1")]
    names = changed(EVENTS).columns.names
    header = HEADER.strip().split(",")
    total = 0
    mark = ids.derived(4, "import", "desk", "T1")
    for record, row in zip([found for found in records(store) if found.change.ticket == one.id], rows, strict=True):
        total += row_sum([row[header.index(name)] for name in names])
        assert record.change.nonce == nonce(mark + (total % (1 << 64)).to_bytes(8, "big"))
        assert Nonces("desk", "T1").mine(record.change.nonce)
        assert not Nonces("desk", "T2").mine(record.change.nonce)


def test_again_and_longer(store: Store, new_store: NewStore, tmp_path: Path) -> None:
    """Importing again adds nothing, a longer file adds the rest, and a store that takes the long one at once has the same bytes."""
    first = take(store, tmp_path, "".join(LOG.splitlines(keepends=True)[:3]), changed(EVENTS))
    assert first.new_changes == 2
    longer = take(store, tmp_path, LOG, changed(EVENTS))
    assert (longer.new_tickets, longer.new_changes, longer.changes) == (1, 2, 4)
    before = contents(store)
    for _ in range(2):
        again = take(store, tmp_path, LOG, changed(EVENTS))
        assert (again.rows, again.tickets, again.changes, again.new_tickets, again.new_changes) == (4, 2, 4, 0, 0)
    assert contents(store) == before
    other = new_store("other")
    take(other, tmp_path, LOG, changed(EVENTS))
    assert {one.body for one in records(other)} == {one.body for one in records(store)}


def test_rows_in_any_order(store: Store, new_store: NewStore, tmp_path: Path) -> None:
    """Rows of one ticket may lie anywhere in the file: what orders them is in the map."""
    take(store, tmp_path, LOG, changed(EVENTS))
    lines = LOG.splitlines(keepends=True)[1:]
    for seed in range(5):
        other = new_store(f"other{seed}")
        take(other, tmp_path, HEADER + "".join(random.Random(seed).sample(lines, len(lines))), changed(EVENTS))
        assert {one.body for one in records(other)} == {one.body for one in records(store)}


@pytest.mark.parametrize(("order", "expected"), [([], "01x"), (["count"], "0x1"), (["by", "at"], "01x")])
def test_order(order: list[str], expected: str, store: Store, tmp_path: Path) -> None:
    """Rows go by the columns of `order`, numbers by their size, else by time; equal ones as they stand in the file."""
    text = HEADER + (
        "T1,2026-01-05 08:00,2,anna,first,New,?\n"
        "T1,2026-01-05 08:00,10,anna,second,New,?\n"
        "T1,2026-01-05 09:00,9,anna,third,New,?\n"
    )
    take(store, tmp_path, text, changed(EVENTS, order=order))
    titles = [sets["title"] for _, _, sets in history(store, ids.ticket_id("desk", "T1")) if "title" in sets]
    by_name = {"0": "first", "1": "second", "x": "third"}
    assert titles == [by_name[letter] for letter in expected]


def test_stamps_grow_though_times_do_not(store: Store, tmp_path: Path) -> None:
    """Events of one minute keep their order; one whose time is before its predecessor's shows its own time all the same."""
    text = HEADER + (
        "T1,2026-01-05 08:00,0,anna,a,New,?\nT1,2026-01-05 08:00,1,bert,b,New,?\nT1,2026-01-05 07:00,2,carl,c,New,?\n"
    )
    take(store, tmp_path, text, changed(EVENTS, order=["count"]))
    found = [(one.change.at - EIGHT, one.change.when) for one in records(store)]
    assert found == [(0, None), (1, None), (2, EIGHT - 60 * MINUTE)]
    assert ticket(store, "desk", "T1").title == "c"


def test_an_event_that_alters_nothing(store: Store, tmp_path: Path) -> None:
    """Every event is kept, though nothing but its time and person is new; the same row twice is one event."""
    text = HEADER + (
        "T1,2026-01-05 08:00,0,anna,a,New,?\nT1,2026-01-05 09:00,0,bert,a,New,?\nT1,2026-01-05 09:00,0,bert,a,New,?\n"
    )
    done = take(store, tmp_path, text, changed(EVENTS))
    assert (done.rows, done.new_changes) == (3, 2)
    assert history(store, ids.ticket_id("desk", "T1"))[1] == (EIGHT + 60 * MINUTE, "bert", {"status": "new"})
    assert take(store, tmp_path, text, changed(EVENTS)).new_changes == 0
    assert ticket(store, "desk", "T1").conflicts == []


def test_a_bad_row_in_the_middle(store: Store, tmp_path: Path) -> None:
    """The rows after a bad one are compared with the last good one; it is reported every time."""
    text = LOG.replace("bert,Printer on fire,Work", "bert,Printer on fire,Lost")
    for _ in range(2):
        done = take(store, tmp_path, text, changed(EVENTS))
        assert reasons(done) == ["line 3: state: the map has no value for 'Lost'"]
        assert done.rows == 3
    assert [sets for _, _, sets in history(store, ids.ticket_id("desk", "T1"))][1] == {
        "assignee": "bert", "status": "closed", "x.count": "2",
    }  # fmt: skip


def test_a_mended_row_does_no_harm(store: Store, tmp_path: Path) -> None:
    """When a bad row was mended, its event goes in, and the ticket shows the same without a conflict."""
    take(store, tmp_path, LOG.replace("bert,Printer on fire,Work", "bert,Printer on fire,Lost"), changed(EVENTS))
    done = take(store, tmp_path, LOG, changed(EVENTS))
    assert done.failures == []
    assert done.new_changes == 2
    one = ticket(store, "desk", "T1")
    assert (one.value("status"), one.value("assignee"), one.conflicts) == ("closed", "bert", [])


def test_a_file_that_begins_later(store: Store, tmp_path: Path) -> None:
    """A log that no longer has its first rows goes on where the earlier import left off."""
    lines = LOG.splitlines(keepends=True)
    take(store, tmp_path, "".join(lines[:3]), changed(EVENTS))
    done = take(store, tmp_path, lines[0] + lines[4], changed(EVENTS))
    assert done.new_changes == 1
    assert history(store, ids.ticket_id("desk", "T1"))[-1][2] == {"status": "closed", "x.count": "2"}
    assert ticket(store, "desk", "T1").conflicts == []
    assert take(store, tmp_path, lines[0] + lines[4], changed(EVENTS)).new_changes == 0
    assert take(store, tmp_path, LOG, changed(EVENTS)).new_tickets == 1


def test_edits_between_two_imports(store: Store, tmp_path: Path) -> None:
    """What was edited here and there is in conflict if it is the same field, and merges otherwise."""
    lines = LOG.splitlines(keepends=True)
    take(store, tmp_path, "".join(lines[:3]), changed(EVENTS))
    one = ticket(store, "desk", "T1")
    change(store, one, {"title": "Printer smokes", "status": "pending"})
    done = take(store, tmp_path, LOG, changed(EVENTS))
    assert done.new_changes == 2
    one = ticket(store, "desk", "T1")
    assert one.title == "Printer smokes"
    assert [(found.path, {found.shown, *found.others}) for found in one.conflicts] == [
        ("status", {"pending", "closed"})
    ]
    assert take(store, tmp_path, LOG, changed(EVENTS)).new_changes == 0


def test_a_dry_run(store: Store, tmp_path: Path) -> None:
    """A dry run counts what would be new and writes nothing."""
    before = contents(store)
    done = take(store, tmp_path, LOG, changed(EVENTS), dry_run=True)
    assert (done.new_tickets, done.new_changes) == (2, 4)
    assert (contents(store), store.meta("import:desk")) == (before, None)
    take(store, tmp_path, "".join(LOG.splitlines(keepends=True)[:3]), changed(EVENTS))
    done = take(store, tmp_path, LOG, changed(EVENTS), dry_run=True)
    assert (done.new_tickets, done.new_changes) == (1, 2)


def test_undo_takes_an_import_back(store: Store, tmp_path: Path) -> None:
    """One undo takes back all that an import added; importing again brings it back."""
    first = "".join(LOG.splitlines(keepends=True)[:3])
    take(store, tmp_path, first, changed(EVENTS))
    before = contents(store)
    take(store, tmp_path, LOG, changed(EVENTS))
    undone = undo.undo(store)
    assert undone is not None
    assert (undone.command, undone.changes) == ("import", 2)
    assert contents(store) == before
    assert take(store, tmp_path, LOG, changed(EVENTS)).new_changes == 2
    undo.undo(store)
    undo.undo(store)
    assert records(store) == []
    assert take(store, tmp_path, LOG, changed(EVENTS)).new_changes == 4


def test_another_map_is_noticed(store: Store, tmp_path: Path) -> None:
    """With another map the same rows are other changes: they are made, not taken for known."""
    take(store, tmp_path, LOG, changed(EVENTS))
    fields = {**EVENTS["event"][0]["fields"], "x.title": "title"}
    other = changed(EVENTS, event=[{**EVENTS["event"][0], "fields": fields}])
    assert take(store, tmp_path, LOG, other).new_changes == 4
    one = ticket(store, "desk", "T1")
    assert (one.custom["title"], one.conflicts) == ("Printer on fire", [])
    assert take(store, tmp_path, LOG, other).new_changes == 0
    assert take(store, tmp_path, LOG, changed(EVENTS)).new_changes == 0


def test_labels_comments_and_links_of_events(store: Store, tmp_path: Path) -> None:
    """Labels come and go with the rows; a comment is made when its column changes; links hang between rows' tickets."""
    header = "no,at,by,title,tags,note,needs\n"
    text = header + (
        "T1,2026-01-05 08:00,anna,Printer,red;blue,,\n"
        "T1,2026-01-05 09:00,bert,Printer,blue; green,Looked at it.,T2\n"
        "T1,2026-01-05 10:00,carl,Printer,,Looked at it.,T2\n"
        "T2,2026-01-05 10:00,carl,Network,,,T7\n"
    )
    mapping = from_document(
        {
            "schema": "chit.map/1", "source": "desk", "format": "csv", "rows": "events", "key": "no",
            "time": {"format": "%Y-%m-%d %H:%M"},
            "event": [
                {"time": "at", "actor": "by", "fields": {"title": "title", "labels": {"column": "tags", "separator": ";"}}}
            ],
            "comments": [{"body": "note", "visibility": {"value": "internal"}}],
            "links": [{"target": "needs", "kind": {"value": "blocked-by"}, "separator": " "}],
        },
        "test",
    )  # fmt: skip
    done = take(store, tmp_path, text, mapping)
    assert reasons(done) == ["line 5: it is linked to T7, which is neither in the file nor in the store"]
    one = ticket(store, "desk", "T1")
    assert one.labels == []
    assert [sorted(path for path in sets if path.startswith("labels/")) for _, _, sets in history(store, one.id)] == [
        ["labels/blue", "labels/red"], ["labels/green", "labels/red"], [], ["labels/blue", "labels/green"],
    ]  # fmt: skip
    assert [(said.author, said.body, said.visibility) for said in one.comments] == [
        ("bert", "Looked at it.", "internal")
    ]
    assert [(link.kind, link.ticket) for link in one.links] == [("blocked-by", ids.ticket_id("desk", "T2"))]
    assert take(store, tmp_path, text, mapping).new_changes == 0


def test_the_map_for_servicenow(store: Store) -> None:
    """The shipped map replays an incident log with its quirks: no titles, counts that begin again, events of one minute."""
    mapping = load("servicenow-incidents")
    from chit_sync.transfer.importing import import_file

    done = import_file(store, str(DATA / "incidents.csv"), mapping)
    assert done == (11, 3, 11, 3, 11, 0, [])
    one = ticket(store, "servicenow", "INC0090001")
    assert one.title == "Category 40 / Subcategory 12: Symptom 2"
    assert one.value("requester") == "Caller 11"
    assert (one.value("priority"), one.value("impact"), one.value("type")) == ("high", "medium", "incident")
    assert (one.custom["opened_at"], one.custom["opened_by"]) == ("2024-01-04T08:16:00.000Z", "Opened by  3")
    statuses = [sets.get("status") for _, _, sets in history(store, one.id)]
    assert statuses == ["new", "open", "pending", "resolved", "closed"]
    two = ticket(store, "servicenow", "INC0090002")
    assert two.title == "Category 32 / Subcategory 9"
    assert [(by, sets.get("queue")) for _, by, sets in history(store, two.id)] == [
        ("Updated by 31", "Group 72"), ("Updated by 34", None), ("Updated by 13", "Group 73"), ("Updated by 90", None),
    ]  # fmt: skip
    assert two.custom["change"] == two.custom["caused_by"] == "CHG0000047"
    three = ticket(store, "servicenow", "INC0090003")
    assert [by for _, by, _ in history(store, three.id)] == ["Updated by 60", "Updated by 50"]
    assert (three.value("product"), three.value("priority")) == ("cmdb_ci 31", "critical")
    assert {path for one in records(store) for path in one.change.set if one.change.set[path] == "?"} == set()
    assert import_file(store, str(DATA / "incidents.csv"), mapping).new_changes == 0


CELL = st.sampled_from(["", "?", "a", "b", "New", "Work", "ü"])
ROW = st.tuples(st.sampled_from(["T1", "T2"]), st.integers(0, 3), st.integers(0, 3), CELL, CELL)


@given(st.lists(ROW, max_size=12), st.integers(0, 12))
def test_any_log_in_two_steps(
    in_memory: NewStore, tmp_path: Path, rows: list[tuple[str, int, int, str, str]], cut: int
) -> None:
    """Whatever the rows: the tables are what the log adds up to, without a conflict, and the ticket ends as its last good row."""
    text = [f"{no},2026-01-05 0{hour}:00,{count},anna,{title},New,{who}\n" for no, hour, count, title, who in rows]
    text = sorted(dict.fromkeys(text), key=lambda line: line.split(",")[1:3])
    store = in_memory("one")
    take(store, tmp_path, HEADER + "".join(text[:cut]), changed(EVENTS))
    done = take(store, tmp_path, HEADER + "".join(text), changed(EVENTS))
    assert done.failures == []
    assert store.db.execute("SELECT count(*) FROM conflicts").fetchone() == (0,)
    for key in {no for no, *_ in rows}:
        last = [line for line in text if line.startswith(key)][-1].rstrip("\n").split(",")
        found = ticket(store, "desk", key)
        assert (found.text("title"), found.text("assignee")) == (last[4].strip("?"), last[6].strip("?"))
    whole = in_memory("two")
    take(whole, tmp_path, HEADER + "".join(text), changed(EVENTS))
    assert {one.body for one in records(whole)} == {one.body for one in records(store)}
