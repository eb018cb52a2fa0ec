"""From what somebody wants to changes: nothing for what is so already, conflicts kept and ended, dry runs without a trace."""

import pytest

from chit_sync.authoring import Done, Edit, Set, comment_paths, link_paths, record, unlink_paths
from chit_sync.clock import DAY
from chit_sync.errors import ConflictError, UsageError
from chit_sync.registers import Value
from chit_sync.store import log, reading
from chit_sync.store.database import Store
from chit_sync.store.making import new_item
from chit_sync.ticket import Ticket
from conftest import NewStore
from support.stores import Clock, change, give, new, records, write
from support.tables import contents


def everything(store: Store) -> list[object]:
    """All that a store holds."""
    tables = ("meta", "changes", "operations")
    return [contents(store), *(store.db.execute(f"SELECT * FROM {table}").fetchall() for table in tables)]


def test_new_ticket(store: Store) -> None:
    """A new ticket has what was wanted, the first number, an id of letters, and says what was written."""
    done = write(store, Edit(None, {"title": "Printer", "status": "new", "due": None}))
    assert done == [Done(1, done[0].id, True, [Set("status", None, "new"), Set("title", None, "Printer")])]
    ticket = reading.load(store, 1)
    assert (ticket.id, ticket.title, ticket.author) == (done[0].id, "Printer", "anna")
    assert [entry.change.over for entry in records(store)] == [[]]


def test_several_at_once(store: Store) -> None:
    """Many tickets are made and edited in one go, each with its number, as one operation, with stamps in their order."""
    first = new(store)
    done = write(store, *[Edit(None, {"title": f"t{n}"}) for n in range(600)], Edit(first, {"status": "open"}))
    assert [one.number for one in done] == [*range(2, 602), 1]
    assert store.db.execute("SELECT first, last FROM operations WHERE id = 2").fetchone() == (2, 602)
    stamps = [entry.change.at for entry in records(store)]
    assert stamps == sorted(set(stamps))


def test_ticket_with_an_id_of_its_own(store: Store) -> None:
    """A ticket that has an id already gets that one; filed again it is the same ticket, under its old number."""
    ident = "klmnopqrstuvwxyz" * 2
    assert write(store, Edit(None, {"title": "one"}, ident=ident))[0].id == ident
    new(store)
    new(store)
    assert write(store, Edit(None, {"x.again": "yes"}, ident=ident))[0].number == 1
    assert reading.load(store, 1).custom == {"again": "yes"}


def test_ticket_of_nothing(store: Store) -> None:
    """A ticket in which nothing would be is not made."""
    with pytest.raises(UsageError, match="needs something in it"):
        write(store, Edit(None, {"title": None}))
    assert records(store) == []


def test_what_is_so_already(store: Store) -> None:
    """An edit that changes nothing writes nothing: no change, no operation, no time."""
    ticket = new(store, title="Printer", emergency=True)
    before = everything(store)
    done = write(
        store,
        Edit(ticket, {"title": "Printer", "emergency": True, "due": None, "labels/x": None, "comment/k/body": None}),
    )
    assert done == [Done(1, ticket.id, False, [])]
    assert everything(store) == before


def test_only_what_differs(store: Store) -> None:
    """Of an edit only what differs is written, over those who wrote what was there."""
    ticket = new(store, title="Printer", status="new")
    done = write(store, Edit(ticket, {"title": "Printer", "status": "open"}))
    assert done[0].sets == [Set("status", "new", "open")]
    first, second = records(store)
    assert second.change.set == {"status": "open"}
    assert second.change.over == [first.id.hex()]


def test_stale_view(store: Store) -> None:
    """An edit of a ticket as it was conflicts with what was written since at the same path, and merges elsewhere."""
    seen = new(store, status="new")
    change(store, seen, {"status": "open", "assignee": "bob"}, by="bob")
    after = change(store, seen, {"status": "closed", "priority": "low"})
    assert after.value("status") == "closed"
    assert [(conflict.path, conflict.others) for conflict in after.conflicts] == [("status", ["open"])]
    assert (after.value("assignee"), after.value("priority")) == ("bob", "low")


def conflicting(store: Store, *paths: str) -> Ticket:
    """A ticket with conflicts at these paths: b is shown, a has lost."""
    seen = new(store, title="t")
    write(store, Edit(seen, dict.fromkeys(paths, "a")), by="bob")
    return change(store, seen, dict.fromkeys(paths, "b"), by="carl")


def test_edit_keeps_the_conflict(store: Store) -> None:
    """An ordinary edit of a path in conflict replaces the shown value; the other stays visible."""
    after = change(store, conflicting(store, "x.a"), {"x.a": "c"})
    assert (after.value("x.a"), after.conflicts[0].others) == ("c", ["a"])


def test_edit_to_the_loser_agrees(store: Store) -> None:
    """An edit to the value that had lost ends the conflict: all say the same."""
    after = change(store, conflicting(store, "x.a"), {"x.a": "a"})
    assert (after.value("x.a"), after.conflicts) == ("a", [])


def test_edit_keeps_the_conflicts_of_other_paths(store: Store) -> None:
    """One edit of two paths, where the winner at one is the loser at the other, ends neither conflict: it becomes two changes."""
    seen = new(store, title="t")
    write(store, Edit(seen, {"x.a": "low", "x.b": "low"}), by="bob")
    both = change(store, seen, {"x.a": "high", "x.b": "high"}, by="carl")
    low = next(entry.id for entry in records(store) if entry.change.by == "bob")
    high = change(store, both, {"x.b": "low"}, by="dora")
    assert high.conflicts[0].path == "x.a"
    swapped = reading.load(store, 1)
    heads: dict[str, list[tuple[int, Value]]] = {"x.a": [(3, "high"), (2, "low")], "x.b": [(2, "low"), (3, "high")]}
    write(store, Edit(swapped._replace(registers={**swapped.registers, **heads}), {"x.a": "new", "x.b": "new"}))
    made = [entry.change for entry in records(store)][4:]
    assert [one.set for one in made] == [{"x.a": "new"}, {"x.b": "new"}]
    assert made[1].over == [low.hex()]


@pytest.mark.parametrize("value", ["a", "b", "c", None])
def test_resolution(new_store: NewStore, value: Value) -> None:
    """A resolution ends the conflict with any value, here and on every replica that learns of it, in either order."""
    here, there = new_store("here"), new_store("there")
    after = change(here, conflicting(here, "x.a"), {"x.a": value}, resolve=True)
    assert (after.value("x.a"), after.conflicts) == (value, [])
    give(there, reversed(records(here)))
    assert (reading.load(there, 1).value("x.a"), reading.load(there, 1).conflicts) == (value, [])
    assert there.db.execute("SELECT count(*) FROM conflicts").fetchone()[0] == 0


def test_resolution_of_agreement(store: Store) -> None:
    """Where all say the same already there is nothing to resolve, and nothing is written."""
    seen = new(store, status="new")
    write(store, Edit(seen, {"status": "open"}), by="bob")
    both = change(store, seen, {"status": "open"}, by="carl")
    assert both.conflicts == []
    assert write(store, Edit(both, {"status": "open"}, resolve=True))[0].sets == []


def test_resolution_against_an_edit(new_store: NewStore) -> None:
    """A resolution here and an edit there are concurrent: a conflict again, of the two, on both."""
    here, there = new_store("here"), new_store("there")
    both = conflicting(here, "x.a")
    give(there, records(here))
    change(there, reading.load(there, 1), {"x.a": "there"})
    change(here, both, {"x.a": "here"}, resolve=True)
    give(here, records(there))
    give(there, records(here))
    conflicts = [reading.load(store, 1).conflicts for store in (here, there)]
    assert conflicts[0] == conflicts[1]
    assert {str(conflicts[0][0].shown), *map(str, conflicts[0][0].others)} == {"here", "there"}


def test_dry_run(store: Store) -> None:
    """A dry run tells what would be written, numbers included, and leaves no trace: neither change nor operation nor number nor time."""
    ticket = new(store)
    before = everything(store)
    edits = [Edit(ticket, {"status": "open"}), Edit(None, {"title": "second"})]
    planned = record(store, edits, by="anna", command="edit", dry_run=True)
    assert everything(store) == before
    done = record(store, edits, by="anna", command="edit")
    assert [one._replace(id="") for one in done] == [one._replace(id="") for one in planned]
    assert done[1].number == 2


def test_all_or_nothing(store: Store) -> None:
    """One value that may not be, and nothing of the whole command is written."""
    ticket = new(store)
    before = everything(store)
    with pytest.raises(UsageError, match="priority cannot be 'urgent'"):
        write(store, Edit(ticket, {"status": "open"}), Edit(ticket, {"priority": "urgent"}))
    assert everything(store) == before


def test_statuses_of_the_store(store: Store) -> None:
    """A status that the store does not have cannot be typed, though it may come from elsewhere."""
    with pytest.raises(UsageError, match="status cannot be 'fresh'") as error:
        new(store, status="fresh")
    assert "new, open, pending" in error.value.hint


@pytest.mark.parametrize("name", ["", "a\nb", "a" * 1001, "\udcff", "\x1b[31m"])
def test_author_that_cannot_be(store: Store, name: str) -> None:
    """A name that no other store would take is refused before anything is written."""
    with pytest.raises(UsageError):
        new(store, by=name)
    assert records(store) == []


def test_clock_far_ahead(store: Store, clock: Clock) -> None:
    """After a change from a clock a year ahead, this store's stamps are those of its own clock again, and go forward."""
    clock.now += 365 * DAY
    new(store)
    clock.now -= 365 * DAY
    for _ in range(3):
        new(store)
    stamps = [entry.change.at for entry in records(store)]
    assert stamps[1:] == [clock.now, clock.now + 1, clock.now + 2]


def test_comment(store: Store) -> None:
    """A comment has its own id, a body that says something, and a visibility."""
    ticket = new(store)
    item = new_item(store)
    after = change(store, ticket, comment_paths(item, "It burns", "internal"), by="bob")
    assert [(one.id, one.author, one.body, one.visibility) for one in after.comments] == [
        (item, "bob", "It burns", "internal")
    ]
    with pytest.raises(UsageError, match="the comment is empty"):
        comment_paths(item, " \n", "public")


def test_link_made_twice(new_store: NewStore) -> None:
    """Two people who make the same link without knowing make one; taken away and made again it is there."""
    here, there = new_store("here"), new_store("there")
    one, two = new(here, title="one"), new(here, title="two")
    give(there, records(here))
    sets = link_paths("blocks", one.id, two.id)
    write(here, Edit(one, sets))
    write(there, Edit(reading.load(there, 1), sets))
    give(here, records(there))
    linked = reading.load(here, 1)
    assert [(link.kind, link.ticket, link.title) for link in linked.links] == [("blocks", two.id, "two")]
    assert linked.conflicts == []
    assert [(link.kind, link.id) for link in reading.load(here, 2).links] == [("blocked-by", "")]
    gone = change(here, linked, unlink_paths("blocks", one.id, two.id))
    assert gone.links == reading.load(here, 2).links == []
    assert len(change(here, gone, sets).links) == 1


def test_link_to_itself() -> None:
    """A ticket is not linked to itself."""
    with pytest.raises(ConflictError):
        link_paths("blocks", "k" * 32, "k" * 32)


def test_number_of_a_ticket_that_came(new_store: NewStore) -> None:
    """Tickets from elsewhere take the next numbers in the order in which they come."""
    here, there = new_store("here"), new_store("there")
    new(here, title="mine")
    new(there, title="theirs")
    give(here, records(there))
    assert reading.load(here, 2).title == "theirs"
    assert log.last_seq(here.db) == 2
