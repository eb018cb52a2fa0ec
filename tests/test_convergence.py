"""The property that everything rests on: the same changes, in any order and any portions, give the same tickets."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chit_sync.change import Change, digest, encode
from chit_sync.ids import mirror_id
from chit_sync.registers import Value
from chit_sync.store import log, reading
from chit_sync.store.database import Store
from chit_sync.store.reproject import reproject
from conftest import NewStore
from support.histories import Person, Story, deliver, play, stories
from support.stores import NOON, give, memory_store, new, records
from support.tables import contents, shown


def together(people: list[Person]) -> list[log.Record]:
    """Every change that anybody has, each once."""
    return list({entry.id: entry for person in people for entry in records(person.store)}.values())


def close(people: list[Person]) -> None:
    for person in people:
        person.store.close()


@pytest.mark.timeout(900)  # a failing story is made shorter before it is shown
@given(stories, st.integers(0, 1 << 16))
def test_same_changes_same_tickets(empty: Store, story: Story, seed: int) -> None:
    """Whatever three people did, and however it travels: with all changes, all show the same, and nothing is missing."""
    people = play(story, empty)
    chance = random.Random(seed)
    share = together(people)
    for person in people:
        deliver(person.store, share, chance)
    one, *others = [shown(person.store) for person in people]
    assert one["missing"] == []
    for other in others:
        assert other == one
    close(people)


@pytest.mark.timeout(900)  # a failing story is made shorter before it is shown
@given(stories)
def test_rebuild_equals_tables(empty: Store, story: Story) -> None:
    """At any moment, with changes missing and others undone, the tables are exactly what a rebuild from the log makes."""
    people = play(story, empty)
    for person in people:
        before = contents(person.store)
        with person.store.transaction():
            reproject(person.store)
        assert contents(person.store) == before
    close(people)


@pytest.mark.timeout(900)  # a failing story is made shorter before it is shown
@given(stories, st.integers(0, 1 << 16))
def test_twice_is_once(empty: Store, story: Story, seed: int) -> None:
    """Changes that a store has already change nothing, and take no place in its log."""
    people = play(story, empty)
    for person in people:
        before, last = contents(person.store), log.last_seq(person.store.db)
        deliver(person.store, records(person.store), random.Random(seed))
        assert (contents(person.store), log.last_seq(person.store.db)) == (before, last)
    close(people)


def written(
    ticket: str, at: int, sets: dict[str, Value], *over: log.Record, by: str = "anna", mirror: str = ""
) -> log.Record:
    """A change made by hand."""
    made = Change(
        ticket=ticket, at=at, by=by, set=sets, nonce=f"nonce-{at}", over=sorted(entry.id.hex() for entry in over),
        mirror=mirror,
    )  # fmt: skip
    body = encode(made)
    return log.Record(digest(body), body, made)


TICKET = "klmnopqrstuvwxyz" * 2


def chain() -> list[log.Record]:
    """Three changes, each over the one before; the last has the earliest clock."""
    first = written(TICKET, NOON + 2, {"status": "new", "comment/k/body": "one"})
    second = written(TICKET, NOON + 1, {"status": "open", "comment/k/body": "two"}, first)
    third = written(TICKET, NOON, {"status": "closed", "comment/k/body": "three"}, second)
    return [first, second, third]


def test_replaced_before_it_arrived_in_one_batch(in_memory: NewStore) -> None:
    """A change after the one that replaces it in the same batch does not come back to life."""
    store = in_memory()
    give(store, reversed(chain()))
    ticket = reading.load(store, 1)
    assert (ticket.value("status"), ticket.comments[0].body, ticket.conflicts) == ("closed", "three", [])


def test_replaced_before_it_arrived_across_batches(in_memory: NewStore) -> None:
    """The same in batches of their own: what is missing is remembered until it has come, and no longer."""
    store = in_memory()
    first, second, third = chain()
    for entry, missing in ((third, [second.id]), (second, [first.id]), (first, [])):
        give(store, [entry])
        assert [row[0] for row in store.db.execute("SELECT id FROM missing")] == missing
        ticket = reading.load(store, 1)
        assert (ticket.value("status"), ticket.comments[0].body, ticket.conflicts) == ("closed", "three", [])


def test_what_a_wrong_clock_cannot_do(in_memory: NewStore) -> None:
    """A clock far ahead wins against what nobody saw, and never against a write that saw it."""
    store = in_memory()
    base = written(TICKET, NOON, {"status": "new"})
    ahead = written(TICKET, 2 * NOON, {"status": "pending"}, base)
    beside = written(TICKET, NOON + 5, {"status": "open"}, base)
    give(store, [base, ahead, beside])
    assert reading.load(store, 1).value("status") == "pending"
    assert reading.load(store, 1).conflicts[0].others == ["open"]
    give(store, [written(TICKET, NOON + 9, {"status": "closed"}, ahead, beside)])
    assert reading.load(store, 1).value("status") == "closed"
    assert reading.load(store, 1).conflicts == []


def test_same_stamp(in_memory: NewStore) -> None:
    """Two concurrent changes with the same stamp have the same winner everywhere: the one with the greater id."""
    one, two = written(TICKET, NOON, {"title": "one"}), written(TICKET, NOON, {"title": "two"})
    greater = max((one, two), key=lambda entry: entry.id)
    for order in ([one, two], [two, one]):
        store = in_memory(order[0].id)
        give(store, order)
        assert reading.load(store, 1).title == greater.change.set["title"]


def test_over_another_tickets_change(in_memory: NewStore) -> None:
    """Naming a change of another ticket, whichever comes first, replaces nothing there."""
    other = "z" * 32
    victim = written(other, NOON, {"title": "mine"})
    attack = written(TICKET, NOON + 1, {"title": "theirs"}, victim)
    for order in ([victim, attack], [attack, victim]):
        store = in_memory(order[0].id)
        give(store, order)
        numbers = dict(store.db.execute("SELECT id, num FROM tickets"))
        assert reading.load(store, numbers[other]).title == "mine"
        assert reading.load(store, numbers[TICKET]).title == "theirs"


def test_items_in_any_order_of_writing(in_memory: NewStore) -> None:
    """Items that one change makes, however its author ordered them, lie where a rebuild from the bytes puts them."""
    store = in_memory()
    give(store, [written(TICKET, NOON, {"comment/z/body": "last", "comment/k/body": "first", "title": "t"})])
    before = contents(store)
    with store.transaction():
        reproject(store)
    assert contents(store) == before


def test_statuses_of_ones_own(in_memory: NewStore) -> None:
    """Stores with other statuses take each other's tickets; each shows them in its own categories, also after a rebuild."""
    one, two = in_memory("one"), in_memory("two")
    with two.transaction():
        two.set_meta("statuses", '{"fresh": "new", "new": "closed"}')
    new(one, title="t", status="new")
    give(two, records(one))
    assert (reading.load(one, 1).category, reading.load(two, 1).category) == ("new", "closed")
    before = contents(two)
    with two.transaction():
        reproject(two)
    assert contents(two) == before


ONE, OTHER = mirror_id("one"), mirror_id("other")


@given(st.randoms(use_true_random=False))
def test_helpdesks_in_any_order(empty: Store, chance: random.Random) -> None:
    """What two helpdesks tell, in whatever order and portions it comes, leaves of each the latest, and the tables as a rebuild has them."""
    local = written(TICKET, NOON, {"status": "new", "title": "here"})
    told = [
        written(TICKET, NOON + at, {"title": f"{name} {at}", "comment/k/body": f"{name} {at}"}, mirror=mirror)
        for at in range(1, 6)
        for name, mirror in (("one", ONE), ("other", OTHER))
    ]
    store = memory_store(empty, "helpdesks")
    deliver(store, [local, *told], chance)
    ticket = reading.load(store, 1)
    assert (ticket.title, ticket.comments[0].body) in (("one 5", "one 5"), ("other 5", "other 5"))
    others = {conflict.path: sorted(map(str, conflict.others)) for conflict in ticket.conflicts}
    rival = "one 5" if ticket.title == "other 5" else "other 5"
    assert others == {"title": ["here", rival], "comment/k/body": [rival]}
    before = contents(store)
    with store.transaction():
        reproject(store)
    assert contents(store) == before
    store.close()


def test_helpdesk_read_at_two_moments(in_memory: NewStore) -> None:
    """Two stores, of which one has read a helpdesk's state in between and the other has not, show the same: what it says last."""
    first, second, third = (written(TICKET, NOON + at, {"title": str(at)}, mirror=ONE) for at in range(3))
    edit = written(TICKET, NOON + 1, {"title": "edited"}, second)
    stores = in_memory("one"), in_memory("two")
    for store, order in zip(stores, ([first, second, edit, third], [third, edit, first, second]), strict=True):
        for entry in order:
            give(store, [entry])
        ticket = reading.load(store, 1)
        assert (ticket.title, [conflict.others for conflict in ticket.conflicts]) == ("2", [["edited"]])


def test_ascending_history_is_taken_by_the_step(in_memory: NewStore) -> None:
    """A helpdesk's changes in the order of its clock do not make a ticket be made again, whether it is new or known; older ones do."""
    store = in_memory()
    tickets = [letter * 32 for letter in "klmn"]
    statements: list[str] = []
    store.db.set_trace_callback(statements.append)
    for start in (0, 10, 5):
        statements.clear()
        share = [(name, NOON + start + at) for at in range(3) for name in tickets]
        give(store, [written(name, at, {"title": f"{at - NOON}"}, mirror=ONE) for name, at in share])
        again = [one for one in statements if one.startswith("DELETE FROM tickets")]
        assert len(again) == (4 if start == 5 else 0)
        assert {reading.load(store, number).title for number in (1, 2, 3, 4)} == {"2" if start == 0 else "12"}
    assert not reading.load(store, 1).conflicts
