"""From changes to tables: the rows that lists, filters and searches use are what the registers say."""

from typing import Any

import pytest

from chit_sync.authoring import Edit, comment_paths
from chit_sync.change import Change, digest, encode
from chit_sync.registers import Value
from chit_sync.schema import PRIORITY_RANK
from chit_sync.store import log, reading
from chit_sync.store.database import Store
from chit_sync.store.reproject import reproject
from chit_sync.store.rows import COLUMNS, DELETED, DONE, OPEN
from chit_sync.store.statuses import recategorize
from support.stores import NOON, change, give, new, write
from support.tables import contents


def row(store: Store, number: int = 1) -> dict[str, Any]:
    """The narrow row of a ticket."""
    cursor = store.db.execute("SELECT * FROM tickets WHERE num = ?", (number,))
    return dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))


def found(store: Store, words: str) -> list[int]:
    """Numbers of the tickets that have these words."""
    return [
        row[0] for row in store.db.execute("SELECT DISTINCT rowid >> 24 FROM search WHERE search MATCH ?", (words,))
    ]


def test_columns(store: Store) -> None:
    """The row has the shown value of each field that lists filter by; what is not set is empty, priority is normal."""
    sets: dict[str, Value] = {name: "some" for name in COLUMNS if name not in ("due", "emergency", "impact", "type")}
    ticket = new(store, title="t", priority="critical", due=NOON, emergency=True, impact="low", type="bug", also=sets)
    narrow = row(store)
    assert {name: narrow[name] for name in sets} == sets
    assert (narrow["priority"], narrow["due"], narrow["emergency"], narrow["impact"]) == (1, NOON, 1, "low")
    change(store, ticket, dict.fromkeys(("priority", "due", "emergency", "assignee")))
    narrow = row(store)
    assert narrow["priority"] == PRIORITY_RANK["normal"]
    assert narrow["due"] is narrow["emergency"] is narrow["assignee"] is None


@pytest.mark.parametrize(
    ("sets", "state"),
    [
        ({}, OPEN),
        ({"status": "new"}, OPEN),
        ({"status": "review"}, OPEN),
        ({"status": "resolved"}, DONE),
        ({"status": "rejected"}, DONE),
        ({"status": "open", "deleted": True}, DELETED),
        ({"status": "closed", "deleted": True}, DELETED),
    ],
)
def test_state(store: Store, sets: dict[str, Value], state: int) -> None:
    """A ticket is open, done or deleted by its status' category and its tombstone."""
    new(store, title="t", also=sets)
    assert row(store)["state"] == state


def test_other_statuses(store: Store) -> None:
    """When a store's statuses get other categories its tickets follow, as a rebuild would have it; deleted ones stay deleted."""
    for status, deleted in (("new", None), ("closed", None), ("new", True), (None, None)):
        new(store, title="t", status=status, deleted=deleted)
    with store.transaction():
        store.set_meta("statuses", '{"new": "closed", "closed": "open", "open": "open"}')
    store.__dict__.pop("statuses")
    with store.transaction():
        recategorize(store)
    assert [row(store, number)["state"] for number in (1, 2, 3, 4)] == [DONE, OPEN, DELETED, OPEN]
    before = contents(store)
    with store.transaction():
        reproject(store)
    assert contents(store) == before


def test_labels(store: Store) -> None:
    """The labels that a ticket has are in the table of labels, those that were taken away are not."""
    ticket = new(store, also={"labels/b": True, "labels/a/b": True})
    ticket = change(store, ticket, {"labels/b": None, "labels/c": True})
    assert store.db.execute("SELECT * FROM labels").fetchall() == [("a/b", 1), ("c", 1)]
    assert ticket.labels == ["a/b", "c"]


def test_search(store: Store) -> None:
    """Title, description and comments are found as they are now, without accents and case; what they were is not."""
    ticket = new(store, title="Printer brûlé", description="in the CELLAR")
    ticket = change(store, ticket, comment_paths("kk", "smoke everywhere", "public"))
    assert found(store, "brule") == found(store, "cellar") == found(store, "smoke") == [1]
    ticket = change(store, ticket, {"title": "Printer repaired", "description": None, "comment/kk/body": "fine now"})
    assert found(store, "repaired") == found(store, "fine") == [1]
    assert found(store, "brule") == found(store, "cellar") == found(store, "smoke") == []


def by_hand(store: Store, at: int, when: int | None, by: str, sets: dict[str, Value]) -> None:
    """A change as an import makes it: recorded now, happened then."""
    made = Change(ticket="k" * 32, at=at, by=by, set=sets, nonce="n", when=when)
    body = encode(made)
    give(store, [log.Record(digest(body), body, made)])


def test_times_and_authors(store: Store) -> None:
    """A ticket is made by who did the earliest thing, and so is a comment, in whatever order the changes come."""
    by_hand(store, NOON + 2, None, "late", {"title": "t", "comment/kk/body": "edited"})
    by_hand(store, NOON + 3, NOON - 50, "early", {"comment/kk/body": "said"})
    by_hand(store, NOON + 1, NOON - 50, "also", {"status": "open"})
    narrow = row(store)
    assert (narrow["created"], narrow["author"], narrow["updated"]) == (NOON - 50, "also", NOON + 2)
    comment = reading.load(store, 1).comments[0]
    assert (comment.author, comment.time) == ("early", NOON - 50)


def test_conflicts(store: Store) -> None:
    """Paths in conflict are in their table, those of items too, until the conflict is ended."""
    ticket = change(store, new(store, title="t"), comment_paths("kk", "said", "public"))
    for text in ("one", "two"):
        write(store, Edit(ticket, {"x.a": text, "comment/kk/body": text, "comment/kk/visibility": "internal"}))
    assert store.db.execute("SELECT * FROM conflicts").fetchall() == [(1, "comment/kk/body"), (1, "x.a")]
    both = reading.load(store, 1)
    change(store, both, {"x.a": "one"})
    assert store.db.execute("SELECT * FROM conflicts").fetchall() == [(1, "comment/kk/body")]
    change(store, both, {"comment/kk/body": "three"}, resolve=True)
    assert store.db.execute("SELECT * FROM conflicts").fetchall() == []


def test_rebuild_of_some(store: Store) -> None:
    """Rebuilding some tickets leaves the others alone and gives what was there; of what the log does not know nothing is left."""
    for title in ("one", "two", "three"):
        new(store, title=title, also={"labels/x": True})
    before = contents(store)
    with store.transaction():
        reproject(store, [1, 3])
    assert contents(store) == before
    with store.transaction() as db:
        db.execute("DELETE FROM changes WHERE ticket = 2")
        reproject(store, [2])
    assert [number for (number,) in store.db.execute("SELECT num FROM tickets")] == [1, 3]
    assert found(store, "two") == []


def test_large_batch(store: Store) -> None:
    """A batch larger than any limit of a statement gives what the same changes one by one give."""
    write(store, *[Edit(None, {"title": f"ticket {n}", "labels/x": True}) for n in range(1_100)])
    tickets = reading.load_many(store, range(1, 1_101))
    write(store, *[Edit(ticket, {"status": "open", **comment_paths("kk", "same", "public")}) for ticket in tickets])
    before = contents(store)
    with store.transaction():
        reproject(store)
    assert contents(store) == before
    assert len(found(store, "same")) == 1_100
