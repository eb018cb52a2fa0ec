"""undo: takes back what was done here last and nobody else has, exactly, and again and again."""

import pytest

from chit_sync.authoring import Edit, comment_paths, record
from chit_sync.change import Change, digest, encode
from chit_sync.errors import ConflictError
from chit_sync.ids import mirror_id
from chit_sync.store import log, reading, remotes
from chit_sync.store.database import Store
from chit_sync.store.making import new_item
from chit_sync.store.reproject import reproject
from chit_sync.store.undo import UndoneTicket, undo
from conftest import NewStore
from support.stores import change, give, new, records, write
from support.tables import contents


def test_nothing(store: Store) -> None:
    """In a store in which nothing was done there is nothing to undo, and that is no error."""
    assert undo(store) is None


def test_back_step_by_step(store: Store) -> None:
    """Each undo leads back to exactly what was there before the command, down to an empty store."""
    steps = [contents(store)]
    ticket = new(store, title="Printer on fire", also={"labels/office": True})
    steps.append(contents(store))
    write(store, Edit(ticket, comment_paths(new_item(store), "It burns", "public")))
    steps.append(contents(store))
    write(store, Edit(ticket, {"status": "open"}), Edit(None, {"title": "second"}))
    steps.append(contents(store))
    write(store, Edit(ticket, {"status": "closed", "labels/office": None}))
    while steps:
        assert undo(store) is not None
        assert contents(store) == steps.pop()
    assert undo(store) is None
    assert log.read(store, 0, 10) == []


def test_says_what(store: Store) -> None:
    """What was undone is told: the command, when it was run, how many changes, which tickets, and which of them are gone."""
    first = new(store, title="first")
    done = record(store, [Edit(first, {"title": "other"}), Edit(None, {"title": "second"})], by="anna", command="edit")
    undone = undo(store)
    assert undone is not None
    assert (undone.command, undone.time, undone.changes) == ("edit", store.now(), 2)
    assert undone.tickets == [
        UndoneTicket(first.number, first.id, "first", False),
        UndoneTicket(done[1].number, done[1].id, "second", True),
    ]


def test_dry_run(store: Store) -> None:
    """A dry run tells the same and changes nothing."""
    new(store)
    before = contents(store), store.db.execute("SELECT * FROM operations").fetchall()
    planned = undo(store, dry_run=True)
    assert (contents(store), store.db.execute("SELECT * FROM operations").fetchall()) == before
    assert undo(store) == planned


def test_number_is_free_again_and_the_place_is_not(store: Store) -> None:
    """A ticket's number can be given again; the place in the log cannot, so that no cursor ever means another change."""
    new(store)
    undo(store)
    assert new(store).number == 1
    assert [entry.seq for entry in log.read(store, 0, 10)] == [2]


def test_conflict_comes_back(store: Store) -> None:
    """Undoing the resolution of a conflict brings the conflict back as it was."""
    ticket = new(store, status="new")
    change(store, ticket, {"status": "open"})
    both = change(store, ticket, {"status": "pending"})
    change(store, both, {"status": "open"}, resolve=True)
    undo(store)
    again = reading.load(store, ticket.number)
    assert again.conflicts == both.conflicts != []


def remote(store: Store, name: str, pushed: int) -> None:
    """A remote that has read our log that far."""
    store.db.execute("INSERT INTO remotes (name, url, pushed) VALUES (?, 'u', ?)", (name, pushed))


def test_not_what_was_pushed(store: Store) -> None:
    """What a remote has is not undone; the error names the remote and the way out, and nothing has changed."""
    new(store)
    remote(store, "origin", 1)
    before = contents(store)
    with pytest.raises(ConflictError, match="it has gone to the remote origin") as error:
        undo(store)
    assert "ordinary edit" in error.value.hint
    assert contents(store) == before


def test_what_came_after_the_push(store: Store) -> None:
    """What was done since the push is undone; then the wall is reached."""
    ticket = new(store)
    remote(store, "origin", 1)
    change(store, ticket, {"status": "open"})
    assert undo(store) is not None
    with pytest.raises(ConflictError):
        undo(store)


def test_half_pushed(store: Store) -> None:
    """An operation of which a remote has a part is not undone in half."""
    write(store, Edit(None, {"title": "one"}), Edit(None, {"title": "two"}))
    remote(store, "origin", 1)
    with pytest.raises(ConflictError):
        undo(store)


def test_what_was_refused(store: Store) -> None:
    """What a remote refused it does not have: that can be undone, and the refusal goes with it."""
    ticket = new(store)
    change(store, ticket, {"status": "open"})
    remote(store, "origin", 2)
    store.db.execute("INSERT INTO refusals VALUES (1, 2, 0, 'no')")
    undone = undo(store)
    assert undone is not None
    assert store.db.execute("SELECT * FROM refusals").fetchall() == []
    change(store, ticket, {"status": "open"})
    assert log.last_seq(store.db) == 3, "or the push would take it for one that was sent"


def test_refused_by_one_taken_by_another(store: Store) -> None:
    """What one remote refused and another one took is not undone."""
    new(store)
    remote(store, "one", 1)
    remote(store, "two", 1)
    store.db.execute("INSERT INTO refusals VALUES (1, 1, 0, 'no')")
    with pytest.raises(ConflictError, match=r"it has gone to the remote two$"):
        undo(store)


def test_not_what_was_handed_out(store: Store) -> None:
    """What somebody pulled from here is not undone."""
    new(store)
    with store.transaction():
        store.set_meta("served", 1)
    with pytest.raises(ConflictError, match="whoever has pulled from this store"):
        undo(store)


def test_not_what_a_remote_is_known_to_have(store: Store) -> None:
    """A change that a remote is known to have, though the push did not get that far, is not undone."""
    remote(store, "origin", 0)
    new(store)
    store.db.execute("UPDATE changes SET origin = 1")
    with pytest.raises(ConflictError, match="the remote origin"):
        undo(store)
    store.db.execute("UPDATE changes SET origin = -1")
    with pytest.raises(ConflictError, match="another store"):
        undo(store)


def test_not_what_a_helpdesk_has_taken_up(store: Store) -> None:
    """What a helpdesk shows as it was written here was sent there, however that push ended, and is not undone."""
    remote(store, "desk", pushed=0)
    ticket = new(store)
    change(store, ticket, {"status": "open"})
    sent = records(store)[-1]
    told = Change(
        ticket=ticket.id, at=sent.change.at + 1, by="there", set={"status": "open"}, nonce="n", over=[sent.id.hex()],
        mirror=mirror_id("desk"),
    )  # fmt: skip
    give(store, [log.Record(digest(encode(told)), encode(told), told)], origin=1)
    with pytest.raises(ConflictError, match="it has gone to the remote desk"):
        undo(store)


def test_what_others_did_stays(new_store: NewStore) -> None:
    """What came from elsewhere after the command stays, on the same ticket too."""
    here, there = new_store("here"), new_store("there")
    ticket = new(here, title="Printer on fire")
    give(there, records(here))
    with here.transaction():
        here.set_meta("served", 1)
    change(here, ticket, {"status": "open"})
    change(there, reading.load(there, 1), {"assignee": "bob"})
    give(here, records(there))
    undo(here)
    shown = reading.load(here, 1)
    assert (shown.value("status"), shown.value("assignee")) == (None, "bob")
    tables = contents(here)
    with here.transaction():
        reproject(here)
    assert contents(here) == tables


def test_editing_what_was_undone_meanwhile(store: Store) -> None:
    """An edit of a ticket as it was before somebody's undo says so, instead of replacing what it has not seen."""
    ticket = new(store)
    seen = change(store, ticket, {"status": "open"})
    undo(store)
    change(store, ticket, {"status": "pending"})
    with pytest.raises(ConflictError, match="changed back by `undo` meanwhile"):
        write(store, Edit(seen, {"status": "closed"}))
    assert reading.load(store, 1).value("status") == "pending"


def test_what_a_forgotten_remote_has_is_not_undone(store: Store) -> None:
    """Forgetting a remote does not forget that it has what was pushed."""
    new(store, title="Printer")
    remotes.add(store, "origin", "/nowhere")
    store.db.execute("UPDATE remotes SET pushed = 1")
    remotes.remove(store, "origin")
    with pytest.raises(ConflictError):
        undo(store)
