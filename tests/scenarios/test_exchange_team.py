"""A team that works offline and exchanges through a store that one of them serves."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chit_sync.clock import DAY
from chit_sync.errors import ConflictError, NotFoundError
from chit_sync.exchange import refusals
from chit_sync.exchange.pulling import fetch, pull
from chit_sync.exchange.pushing import push
from chit_sync.exchange.results import Pulled, Pushed
from chit_sync.remotes.registry import open_remote
from chit_sync.store import log, reading, remotes
from chit_sync.store.database import Store
from chit_sync.store.undo import undo
from conftest import NewStore
from support.exchange import change_ids, clone, everything, pulled, pushed, synced, ticket
from support.server import Proxy, serving
from support.stores import Clock, change, disk_store, new


class Team:
    """A served store, its proxy that counts requests, and two clones."""

    def __init__(self, served: Store, proxy: Proxy, anna: Store, bob: Store) -> None:
        self.served = served
        self.proxy = proxy
        self.anna = anna
        self.bob = bob

    @property
    def address(self) -> str:
        return self.proxy.address

    def settle(self) -> None:
        """Everybody has everything."""
        for store in (self.anna, self.bob, self.anna):
            synced(store)


@pytest.fixture
def team(new_store: NewStore, tmp_path: Path) -> Iterator[Team]:
    """Anna and Bob with a clone each of a store of three tickets."""
    served = new_store("served")
    for title in ("Printer on fire", "No network", "Lost mouse"):
        new(served, title=title, status="new")
    with (
        serving(served.path, open_to_all=True) as address,
        Proxy(address) as proxy,
        clone(tmp_path / "anna", proxy.address) as anna,
        clone(tmp_path / "bob", proxy.address) as bob,
    ):
        yield Team(served, proxy, anna, bob)


def _first(store: Store) -> str:
    return str(store.db.execute("SELECT id FROM tickets WHERE num = 1").fetchone()[0])


def test_a_clone_is_the_same(team: Team) -> None:
    """A clone shows what the served store shows, numbers and all, and is a store of its own."""
    assert everything(team.anna) == everything(team.served)
    assert reading.load(team.anna, 2).elsewhere == [("origin", 2)]
    assert team.anna.meta("store") != team.served.meta("store")
    assert remotes.pending(team.anna, remotes.get(team.anna)) == (0, 0, 0, 0)


def test_a_pull_of_nothing_is_one_request(team: Team) -> None:
    """When there is nothing new, a pull asks once and takes nothing."""
    team.proxy.requests.clear()
    assert pulled(team.anna) == Pulled()
    assert len(team.proxy.requests) == 1


def test_different_fields_merge(team: Team) -> None:
    """Two who edit different fields offline both get both, and there is no conflict."""
    ident = _first(team.served)
    change(team.anna, ticket(team.anna, ident), {"status": "open"}, by="anna")
    change(team.bob, ticket(team.bob, ident), {"priority": "high", "labels/fire": True}, by="bob")
    team.settle()
    assert everything(team.anna) == everything(team.bob) == everything(team.served)
    merged = ticket(team.anna, ident)
    assert (merged.text("status"), merged.text("priority"), merged.labels) == ("open", "high", ["fire"])
    assert not merged.conflicts


def test_the_same_field_is_the_same_conflict_everywhere(team: Team) -> None:
    """Both see the same winner and the same loser, each pull says that a conflict arose, and resolving it ends it for both."""
    ident = _first(team.served)
    change(team.anna, ticket(team.anna, ident), {"title": "by Anna"}, by="anna")
    change(team.bob, ticket(team.bob, ident), {"title": "by Bob"}, by="bob")
    assert pushed(team.anna).taken == 1
    result = synced(team.bob)
    number = reading.find(team.bob, ident)
    assert result.pulled.conflicts == ((number, "title"),)
    assert pulled(team.anna).conflicts == ((reading.find(team.anna, ident), "title"),)
    here, there = ticket(team.anna, ident), ticket(team.bob, ident)
    assert here.conflicts == there.conflicts == ticket(team.served, ident).conflicts
    assert {here.title, *map(str, here.conflicts[0].others)} == {"by Anna", "by Bob"}
    change(team.anna, here, {"title": "by both"}, by="anna", resolve=True)
    team.settle()
    assert everything(team.anna) == everything(team.bob) == everything(team.served)
    assert ticket(team.bob, ident).title == "by both"
    assert not ticket(team.bob, ident).conflicts


def test_the_same_value_twice_is_no_conflict(team: Team) -> None:
    """Two who did the same agree."""
    ident = _first(team.served)
    for store, by in ((team.anna, "anna"), (team.bob, "bob")):
        change(store, ticket(store, ident), {"status": "closed"}, by=by)
    team.settle()
    assert not ticket(team.anna, ident).conflicts
    assert everything(team.anna) == everything(team.bob)


def test_push_then_pull_is_empty(team: Team) -> None:
    """What was just pushed does not come back: the pull asks once and gets nothing, not even what it had."""
    new(team.anna)
    assert pushed(team.anna).taken == 1
    team.proxy.requests.clear()
    result = pulled(team.anna)
    assert (result.taken, result.had) == (0, 0)
    assert len(team.proxy.requests) == 1


def test_others_between_come_with_the_next_pull(team: Team) -> None:
    """When somebody else's changes lie between, the next pull brings them, and drops the echo of ours."""
    new(team.bob, title="Bob's")
    pushed(team.bob)
    new(team.anna, title="Anna's")
    pushed(team.anna)
    result = pulled(team.anna)
    assert (result.taken, result.had) == (1, 1)
    assert (pulled(team.anna).had, everything(team.anna)) == (0, everything(team.served))


def test_a_push_of_nothing_asks_nobody(team: Team) -> None:
    """Where nothing is unsent there is no request."""
    team.proxy.requests.clear()
    assert pushed(team.anna) == Pushed()
    assert team.proxy.requests == []


def test_pushing_sends_only_what_is_new(team: Team) -> None:
    """A second push sends the second change only, and the number that the remote gave is known."""
    first = new(team.anna)
    assert pushed(team.anna).tickets == (first.number,)
    second = new(team.anna)
    result = pushed(team.anna)
    assert (result.taken, result.had, result.tickets) == (1, 0, (second.number,))
    assert reading.load(team.anna, second.number).elsewhere == [("origin", 5)]


def test_what_came_from_the_remote_is_not_sent_back(team: Team) -> None:
    """A pull leaves nothing to push."""
    new(team.bob)
    pushed(team.bob)
    change(team.anna, reading.load(team.anna, 1), {"status": "open"})
    pulled(team.anna)
    assert remotes.pending(team.anna, remotes.get(team.anna)).unsent == 1
    assert pushed(team.anna).taken == 1


def test_a_fetch_shows_without_taking(team: Team) -> None:
    """What was fetched waits, is counted, and is taken by the next pull even without a network."""
    new(team.bob)
    pushed(team.bob)
    before = everything(team.anna)
    remote = remotes.get(team.anna)
    with closing(open_remote(team.address)) as source:
        assert fetch(team.anna, remote, source) == (1, 1, 0)
        assert fetch(team.anna, remote, source) == (0, 1, 0)
        assert everything(team.anna) == before
        assert remotes.pending(team.anna, remotes.get(team.anna)).fetched == 1
        assert pull(team.anna, remote, source).taken == 1
    assert everything(team.anna) == everything(team.served)
    assert remotes.pending(team.anna, remotes.get(team.anna)).fetched == 0


def test_a_dry_run_changes_nothing(team: Team) -> None:
    """Dry runs count what would be taken and sent, and leave both stores as they are."""
    new(team.bob)
    pushed(team.bob)
    mine = new(team.anna)
    before = everything(team.anna), everything(team.served), remotes.get(team.anna)
    remote = remotes.get(team.anna)
    with closing(open_remote(team.address)) as other:
        assert pull(team.anna, remote, other, dry_run=True).taken == 1
        result = push(team.anna, remote, other, dry_run=True)
    assert (result.taken, result.tickets) == (1, (mine.number,))
    assert (everything(team.anna), everything(team.served), remotes.get(team.anna)) == before


def test_pushing_some_tickets_only(team: Team) -> None:
    """Only what belongs to the named tickets goes; the rest goes later, once."""
    first, second = new(team.anna, title="first"), new(team.anna, title="second")
    assert pushed(team.anna, tickets=[second.number]).tickets == (second.number,)
    with pytest.raises(NotFoundError):
        ticket(team.served, first.id)
    assert remotes.pending(team.anna, remotes.get(team.anna)).unsent == 1
    result = pushed(team.anna)
    assert (result.taken, result.had, result.tickets) == (1, 0, (first.number,))
    assert everything(team.anna) == everything(team.served)


def test_what_was_sent_is_not_undone(team: Team) -> None:
    """What the remote has, or may have, is not taken back; what is unsent is."""
    new(team.anna)
    pushed(team.anna)
    with pytest.raises(ConflictError, match="it has gone to the remote origin"):
        undo(team.anna)
    new(team.anna)
    assert undo(team.anna) is not None


def test_what_others_read_is_not_undone(team: Team) -> None:
    """A served store does not take back what somebody has pulled."""
    new(team.served)
    pulled(team.anna)
    with pytest.raises(ConflictError, match="it has gone to whoever has pulled from this store"):
        undo(team.served)


def test_two_who_push_at_once(team: Team) -> None:
    """Pushes at the same time both arrive, whole and once."""
    import threading

    results: list[object] = []

    def work(path: str) -> None:
        from chit_sync.store.opening import open_store

        with open_store(path) as store:
            for _ in range(10):
                new(store)
                results.append(pushed(store).taken)

    threads = [threading.Thread(target=work, args=(store.path,)) for store in (team.anna, team.bob)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [1] * 20
    assert log.last_seq(team.served.db) == 23
    team.settle()
    assert change_ids(team.anna) == change_ids(team.bob) == change_ids(team.served)
    assert everything(team.anna) == everything(team.bob) == everything(team.served)


def test_a_clock_ahead_is_refused_in_words_and_can_be_amended(tmp_path: Path, team: Team, clock: Clock) -> None:
    """A change from a clock a year ahead is refused with the amount, stays visible, does not hold up others, and is not sent again
    until it is asked for; once something replaces it, it is forgotten."""
    import time

    ahead = Clock(time.time_ns() // 1000 + 366 * DAY)
    with clone(tmp_path / "carl", team.address) as carl:
        right, carl.now = carl.now, ahead
        wrong = change(carl, reading.load(carl, 1), {"title": "from the future"}, by="carl")
        carl.now = right
        other = new(carl)
        result = pushed(carl)
        assert (result.taken, result.tickets) == (1, (other.number,))
        assert [(one.ticket, one.reason) for one in result.refused] == [
            (wrong.number, "its clock is 1 year ahead of the time here")
        ]
        assert remotes.pending(carl, remotes.get(carl)).refused == 1
        assert [refusal.reason for refusal in remotes.refusals(carl)] == ["its clock is 1 year ahead of the time here"]
        assert pushed(carl) == Pushed()
        change(carl, reading.load(carl, 1), {"title": "from now"}, by="carl")
        assert pushed(carl).taken == 1
        assert remotes.refusals(carl) == []
        synced(carl)
        assert ticket(carl, wrong.id).title == ticket(team.served, wrong.id).title == "from now"


def test_a_refused_change_can_be_dropped(tmp_path: Path, team: Team) -> None:
    """Dropping takes the refused change away as if it had never been made; what the remote has cannot be dropped."""
    import time

    with clone(tmp_path / "carl", team.address) as carl:
        before = everything(carl)
        right, carl.now = carl.now, Clock(time.time_ns() // 1000 + 366 * DAY)
        change(carl, reading.load(carl, 1), {"title": "from the future"}, by="carl")
        carl.now = right
        pushed(carl)
        remote = remotes.get(carl)
        (refusal,) = remotes.refusals(carl)
        with pytest.raises(NotFoundError, match="no change 1 that origin refused"):
            refusals.drop(carl, remote, [1])
        assert refusals.drop(carl, remote, [refusal.seq]) == [1]
        assert everything(carl) == before
        assert remotes.refusals(carl) == []
        new(carl)
        assert pushed(carl).taken == 1


def test_a_change_from_a_clock_ahead_is_pulled_with_a_warning(team: Team) -> None:
    """What the remote has is taken, so that all show the same; the pull says what is odd about it."""
    import time

    right, team.served.now = team.served.now, Clock(time.time_ns() // 1000 + 366 * DAY)
    new(team.served, by="carl")
    team.served.now = right
    result = pulled(team.anna)
    assert result.taken == 1
    assert result.warnings == ("a change by carl was taken, but its clock is 1 year ahead of the time here",)


def test_statuses_come_with_the_clone(tmp_path: Path, new_store: NewStore) -> None:
    """A clone calls its statuses as the store that it came from."""
    served = new_store("served")
    with served.transaction():
        served.set_meta("statuses", '{"neu": "new", "erledigt": "closed"}')
    new(served, title="A", status="erledigt")
    with serving(served.path, open_to_all=True) as address, clone(tmp_path / "anna", address) as anna:
        assert anna.statuses == {"neu": "new", "erledigt": "closed"}
        assert everything(anna) == everything(served)
        assert anna.db.execute("SELECT state FROM tickets").fetchall() == [(1,)]


@pytest.mark.parametrize("kind", ["path", "file", "folder"])
def test_a_store_on_this_disk_is_a_remote_too(tmp_path: Path, kind: str) -> None:
    """A path, a file:// URL, or the folder around `.chit` is exchanged with like a server."""
    with disk_store(tmp_path / "team" / ".chit", "team") as served:
        new(served)
        address = {
            "path": served.path,
            "file": Path(served.path).as_uri(),
            "folder": str(tmp_path / "team"),
        }[kind]
        with clone(tmp_path / "anna", address) as anna:
            new(anna)
            assert pushed(anna).taken == 1
            new(served)
            assert pulled(anna).taken == 1
            assert everything(anna) == everything(served)


def test_a_store_between_passes_on(tmp_path: Path, team: Team) -> None:
    """What was pushed to a clone reaches the store that it came from, and the other way round."""
    with serving(team.anna.path, open_to_all=True) as middle, clone(tmp_path / "carl", middle) as carl:
        new(carl, title="Carl's")
        pushed(carl)
        assert pushed(team.anna).taken == 1
        new(team.bob, title="Bob's")
        team.settle()
        pulled(carl)
        assert everything(carl) == everything(team.served) == everything(team.anna)
