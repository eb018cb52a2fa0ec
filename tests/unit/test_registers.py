"""The merge: heads, winner and conflict of a path depend on the set of changes and on nothing else."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chit_sync.registers import Registers, Value, before, every, fold, losers, replace, same, seen, shown

Write = tuple[int, Mapping[str, Value], Collection[int], str]
"""(key, set, over, mirror): a change, named by its place in a causal order."""

values = st.sampled_from(["a", "b", 1, True, None])


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Write], dict[int, tuple[int, bytes]]]:
    """Changes in a causal order, each over some of those before it, with stamps that need not fit that order; some are of a mirror."""
    changes: list[Write] = []
    for key in range(draw(st.integers(1, 9))):
        sets = draw(st.dictionaries(st.sampled_from("pqr"), values, min_size=1))
        over = draw(st.sets(st.integers(0, key - 1), max_size=4)) if key else set()
        changes.append((key, sets, over, draw(st.sampled_from(["", "", "m", "n"]))))
    ranks = {key: (draw(st.integers(0, 3)), bytes([key])) for key, *_ in changes}
    return changes, ranks


@given(histories(), st.randoms(use_true_random=False))
def test_replace_is_fold(history: tuple[list[Write], dict[int, tuple[int, bytes]]], chance: object) -> None:
    """Step by step in causal order, a mirror's in the order of its clock, gives what folding all at once in any order gives."""
    changes, ranks = history
    stepwise: Registers[int] = {}
    mirrors = {key: mirror for key, _, _, mirror in changes}
    latest: dict[str, tuple[int, bytes]] = {}
    for number, (key, sets, over, mirror) in enumerate(changes):
        if mirror and latest.get(mirror, ranks[key]) > ranks[key]:
            changes = changes[:number]  # what does not ascend is not for the step
            break
        latest[mirror] = ranks[key]
        earlier = before(stepwise, sets, mirror, mirrors.__getitem__) if mirror else set()
        left = {one for path in sets for one, _ in stepwise.get(path, ())} - {*over, *earlier}
        if left and (mirror or (over and any(mirrors[one] for one in left))):
            changes = changes[:number]  # nor is what stands beside a value of a mirror
            break
        replace(stepwise, key, sets, {*over, *earlier}, ranks.__getitem__)
    shuffled = changes * 2
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert fold(shuffled, ranks.__getitem__) == stepwise


@given(histories())
def test_heads_by_definition(history: tuple[list[Write], dict[int, tuple[int, bytes]]]) -> None:
    """The heads are the writes that no other names and that are their mirror's latest, the greatest rank first; no path is left bare."""
    changes, ranks = history
    registers = fold(changes, ranks.__getitem__)
    for path in {path for _, sets, _, _ in changes for path in sets}:
        writes = {key: (over, mirror) for key, sets, over, mirror in changes if path in sets}
        told = {key: sets[path] for key, sets, _, _ in changes if path in sets}
        past = {key: {one for one in over if one in writes} for key, (over, _) in writes.items()}
        gone = {one for before_it in past.values() for one in before_it}
        for mirror in ("m", "n"):
            mine = [key for key in writes if writes[key][1] == mirror]
            order = sorted(mine, key=lambda key: (*_place(key, past, mine, ranks), ranks[key]))
            gone.update(order[:-1])
            for earlier, later in pairwise(order):
                past[later].add(earlier)
            since = next(
                (place for place in reversed(range(len(order))) if not same(told[order[place]], told[order[-1]])), -1
            )
            for key in sorted(writes.keys() - set(mine), key=ranks.__getitem__):
                if past[key] & set(order[since + 1 : -1]) and key not in _before(order[-1], past):
                    past[key].add(order[-1])
                    gone.add(order[-1])
        heads = registers[path]
        assert [key for key, _ in heads] == sorted(writes.keys() - gone, key=ranks.__getitem__, reverse=True)
        assert shown(heads) is heads[0][1]


def _place(
    key: int, past: Mapping[int, set[int]], mine: Sequence[int], ranks: Mapping[int, tuple[int, bytes]]
) -> tuple[tuple[int, bytes], int]:
    """Where a write of a mirror stands: at its rank, or behind the last one of the mirror that it follows."""
    place = max((_place(one, past, mine, ranks) for one in past[key]), default=((-1, b""), 0))
    if key not in mine:
        return place
    return (ranks[key], 0) if ranks[key] > place[0] else (place[0], place[1] + 1)


def _before(key: int, past: Mapping[int, set[int]]) -> set[int]:
    """All that a write follows."""
    return past[key].union(*(_before(one, past) for one in past[key]))


@given(histories())
def test_taken_twice(history: tuple[list[Write], dict[int, tuple[int, bytes]]]) -> None:
    """A change that is taken twice in a row counts once."""
    changes, ranks = history
    once: Registers[int] = {}
    twice: Registers[int] = {}
    for key, sets, over, _ in changes:
        replace(once, key, sets, over, ranks.__getitem__)
        replace(twice, key, sets, over, ranks.__getitem__)
        replace(twice, key, sets, over, ranks.__getitem__)
    assert once == twice


def test_same_value_is_no_conflict() -> None:
    """Who writes the same value without knowing of each other agree."""
    assert losers([(2, "open"), (1, "open")]) == []


def test_losers_once_each() -> None:
    """Each other value is listed once, latest first; true and one are two values, empty is one too."""
    assert losers([(5, True), (4, 1), (3, None), (2, 1), (1, True)]) == [1, None]


def test_true_is_not_one() -> None:
    """JSON tells true from 1, Python does not; we do."""
    assert not same(True, 1)
    assert same("a", "a")
    assert same(None, None)


def test_edit_and_resolution() -> None:
    """An edit replaces who wrote the shown value and leaves the conflict; a resolution replaces all."""
    heads: list[tuple[int, Value]] = [(5, "open"), (4, "closed"), (3, "open")]
    assert seen(heads) == [5, 3]
    assert every(heads) == [5, 4, 3]


MIRRORED: dict[str, tuple[list[Write], list[tuple[int, Value]]]] = {
    "only the latest counts": ([(1, {"p": "a"}, (), "m"), (2, {"p": "b"}, (), "m"), (3, {"p": "c"}, (), "m")], [(3, "c")]),
    "however they are called": ([(3, {"p": "c"}, (), "m"), (1, {"p": "a"}, (), "m")], [(3, "c")]),
    "two mirrors are two": ([(1, {"p": "a"}, (), "m"), (2, {"p": "b"}, (), "n")], [(2, "b"), (1, "a")]),
    "path by path": ([(1, {"p": "a"}, (), "m"), (2, {"q": "b"}, (), "m")], [(1, "a")]),
    "what is written in stores is beside it": (
        [(1, {"p": "a"}, (), "m"), (2, {"p": "x"}, (), ""), (3, {"p": "c"}, (), "m")], [(3, "c"), (2, "x")],
    ),
    "an edit that saw an earlier one has not seen the latest": (
        [(1, {"p": "a"}, (), "m"), (2, {"p": "x"}, (1,), ""), (3, {"p": "c"}, (), "m")], [(3, "c"), (2, "x")],
    ),
    "an edit that saw the latest has replaced all": (
        [(1, {"p": "a"}, (), "m"), (2, {"p": "b"}, (), "m"), (3, {"p": "x"}, (2,), "")], [(3, "x")],
    ),
    "one that is older does not come back when the latest is replaced": (
        [(2, {"p": "b"}, (), "m"), (3, {"p": "x"}, (2,), ""), (1, {"p": "a"}, (), "m")], [(3, "x")],
    ),
    "one that is replaced still replaces": (
        [(1, {"p": "x"}, (), ""), (2, {"p": "a"}, (1,), "m"), (3, {"p": "b"}, (), "m")], [(3, "b")],
    ),
    "the same that is told again has been seen": (
        [(1, {"p": "a"}, (), "m"), (2, {"p": "x"}, (1,), ""), (3, {"p": "a"}, (), "m")], [(2, "x")],
    ),
    "what became the same again has not": (
        [(1, {"p": "a"}, (), "m"), (2, {"p": "x"}, (1,), ""), (3, {"p": "b"}, (), "m"), (4, {"p": "a"}, (), "m")],
        [(4, "a"), (2, "x")],
    ),
    "who was seen in turn does not count": (
        [(1, {"p": "a"}, (), "m"), (2, {"p": "x"}, (1,), ""), (3, {"p": "a"}, (2,), "m")], [(3, "a")],
    ),
    "a clock that was set back": ([(1, {"p": "c"}, (2,), "m"), (2, {"p": "x"}, (3,), ""), (3, {"p": "a"}, (), "m")], [(1, "c")]),
    "what has seen more than a later stamp": ([(1, {"p": "b"}, (2,), "m"), (2, {"p": "a"}, (), "m")], [(1, "b")]),
    "without a mark nothing is replaced": ([(1, {"p": "a"}, (), ""), (2, {"p": "b"}, (), "")], [(2, "b"), (1, "a")]),
}  # fmt: skip
"""Changes to the path p, their keys as their stamps, and who is left there."""


@pytest.mark.parametrize(("changes", "heads"), MIRRORED.values(), ids=MIRRORED)
def test_writes_of_a_mirror(changes: list[Write], heads: list[tuple[int, Value]]) -> None:
    """Of several writes of one mirror to a path only the latest counts; whatever else was written is as it was."""
    for order in permutations(changes):
        assert fold(order, lambda key: (key, b""))["p"] == heads


def test_mirrors_that_contradict_each_other() -> None:
    """Where each of two helpdesks has seen what the other, by its clock, had yet to write, something is shown all the same."""
    circle: list[Write] = [
        (1, {"p": "a"}, (4,), "m"), (2, {"p": "b"}, (), "m"), (3, {"p": "x"}, (2,), "n"), (4, {"p": "y"}, (), "n"),
    ]  # fmt: skip
    for order in permutations(circle):
        assert fold(order, lambda key: (key, b""))["p"] == [(3, "x")]
