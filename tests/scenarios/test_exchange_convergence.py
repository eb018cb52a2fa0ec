"""Stores that exchange in any order, with any interruptions of knowledge between them, end up the same."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from chit_sync.exchange.pulling import fetch, pull
from chit_sync.exchange.pushing import push
from chit_sync.remotes.local import LocalLog
from chit_sync.store import remotes
from chit_sync.store.database import Store
from conftest import NewStore
from support.exchange import change_ids, everything, ticket
from support.stores import Clock, change, new

PEOPLE = 3

_step = st.tuples(
    st.sampled_from(
        ["new", "edit", "edit", "label", "comment", "resolve", "pull", "push", "sync", "some", "fetch", "reset"]
    ),
    st.integers(0, PEOPLE - 1),
    st.integers(0, 5),
)


def _do(what: str, who: Store, which: int, served: Store, clock: Clock) -> None:
    """One thing that one of them does, to one of the tickets that that one has."""
    clock.now += 1_000
    remote, log = remotes.get(who), LocalLog(served)
    idents = [row[0] for row in who.db.execute("SELECT id FROM tickets ORDER BY id")]
    if what == "new" or (not idents and what in ("edit", "label", "comment", "resolve")):
        new(who, title=f"T{which}")
    elif what in ("edit", "label", "comment", "resolve"):
        one = ticket(who, idents[which % len(idents)])
        paths: dict[str, dict[str, str | int | bool | None]] = {
            "edit": {"title": f"{which} {clock.now}"},
            "label": {f"labels/{which % 2}": None if f"{which % 2}" in one.labels else True},
            "comment": {f"comment/kkk{which}/body": str(clock.now), f"comment/kkk{which}/visibility": "public"},
            "resolve": {conflict.path: conflict.shown for conflict in one.conflicts},
        }
        change(who, one, paths[what], by=who.path[-1], resolve=what == "resolve")
    elif what == "reset":
        remotes.reset(who, remote.name)
    elif what == "fetch":
        fetch(who, remote, log)
    elif what == "some":
        push(who, remote, log, tickets=[which])
    if what in ("pull", "sync"):
        pull(who, remote, log)
    if what in ("push", "sync"):
        push(who, remotes.get(who), log)


@settings(max_examples=25)
@given(st.lists(_step, max_size=40))
def test_whatever_happens_all_agree_in_the_end(
    new_store: NewStore, tmp_path: Path, clock: Clock, steps: list[tuple[str, int, int]]
) -> None:
    """Any edits, pulls, pushes of all or some, fetches and resets, and then all have the same changes and show the same."""
    served, *people = _stores(new_store)
    for what, who, which in steps:
        _do(what, people[who], which, served, clock)
    for _ in range(2):
        for person in people:
            _do("sync", person, 0, served, clock)
    for person in people:
        assert change_ids(person) == change_ids(served)
        assert everything(person) == everything(served)
        assert remotes.pending(person, remotes.get(person)) == (0, 0, 0, 0)


_made = 0


def _stores(new_store: NewStore) -> list[Store]:
    """A served store and one for each person, with the served one as remote."""
    global _made
    _made += 1
    stores = [new_store(f"{_made}-{name}") for name in ("served", *"abc"[:PEOPLE])]
    for store in stores[1:]:
        remotes.add(store, "origin", stores[0].path)
    return stores
