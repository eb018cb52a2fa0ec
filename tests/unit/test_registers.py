"""The merge: heads, winner and conflict of a path depend on the set of changes and on nothing else."""

from collections.abc import Collection, Mapping

from hypothesis import given
from hypothesis import strategies as st

from chit_sync.registers import Registers, Value, every, fold, losers, replace, same, seen, shown

Write = tuple[int, Mapping[str, Value], Collection[int]]
"""(key, set, over): a change, named by its place in a causal order."""

values = st.sampled_from(["a", "b", 1, True, None])


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Write], dict[int, tuple[int, bytes]]]:
    """Changes in a causal order, each over some of those before it, with stamps that need not fit that order."""
    changes: list[Write] = []
    for key in range(draw(st.integers(1, 9))):
        sets = draw(st.dictionaries(st.sampled_from("pqr"), values, min_size=1))
        changes.append((key, sets, draw(st.sets(st.integers(0, key - 1), max_size=4)) if key else set()))
    ranks = {key: (draw(st.integers(0, 3)), bytes([key])) for key, _, _ in changes}
    return changes, ranks


@given(histories(), st.randoms(use_true_random=False))
def test_replace_is_fold(history: tuple[list[Write], dict[int, tuple[int, bytes]]], chance: object) -> None:
    """Step by step in causal order gives what folding all at once in any order, with any repetition, gives."""
    changes, ranks = history
    stepwise: Registers[int] = {}
    for key, sets, over in changes:
        replace(stepwise, key, sets, over, ranks.__getitem__)
    shuffled = changes * 2
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert fold(shuffled, ranks.__getitem__) == stepwise


@given(histories())
def test_heads_by_definition(history: tuple[list[Write], dict[int, tuple[int, bytes]]]) -> None:
    """The heads are the writes that no other write to the path replaced, the greatest rank first."""
    changes, ranks = history
    registers = fold(changes, ranks.__getitem__)
    assert registers.keys() == {path for _, sets, _ in changes for path in sets}
    for path, heads in registers.items():
        left = [
            (key, sets[path])
            for key, sets, _ in changes
            if path in sets and not any(key in over and path in later for _, later, over in changes)
        ]
        assert heads == sorted(left, key=lambda head: ranks[head[0]], reverse=True)
        assert shown(heads) is heads[0][1]


@given(histories())
def test_taken_twice(history: tuple[list[Write], dict[int, tuple[int, bytes]]]) -> None:
    """A change that is taken twice in a row counts once."""
    changes, ranks = history
    once: Registers[int] = {}
    twice: Registers[int] = {}
    for key, sets, over in changes:
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
