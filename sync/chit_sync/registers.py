"""How changes add up: the merge, and nothing else. Pure; knows neither what a ticket is nor where changes are kept.

Each path of a ticket is a register. A change writes some paths and names, in `over`, the changes whose values it saw there and
replaces. For each path:

    heads     = the writes that no other write to the path has replaced
    winner    = the head with the greatest (at, id)
    conflict  = the other heads, where their value differs from the winner's

This depends only on the set of changes, so replicas that have the same changes show the same, whatever the order of arrival; what
has a wrong clock may win where nobody saw the other write, but never against a write that saw it.

`replace` takes one more change into registers in a step whose cost does not depend on history. It is exact as long as the change
has not been replaced by one that arrived before it; for that rare case, and for rebuilding, `fold` takes all changes of a ticket at
once.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

Value = str | int | bool | None
"""What a path can hold; None is a tombstone: the path is empty again."""

Key = TypeVar("Key", str, int)
"""What names a change: its id, or a store's number for it."""

Heads = list[tuple[Key, Value]]
"""Who wrote what is there, the winner first; never empty."""

Registers = dict[str, Heads[Key]]
"""Path to heads."""

Rank = Callable[[Key], tuple[int, bytes]]
"""(at, id) of the change with that key: the total order of changes."""


def replace(
    registers: Registers[Key],
    key: Key,
    sets: Mapping[str, Value],
    over: Collection[Key],
    rank: Rank[Key],
) -> None:
    """Takes the change `key` into `registers`, in place."""
    for path, value in sets.items():
        heads = registers.get(path)
        write = (key, value)
        if heads is None:
            registers[path] = [write]
            continue
        left: Heads[Key] = [head for head in heads if head[0] not in over and head[0] != key]
        left.append(write)
        registers[path] = _ordered(left, rank)


def fold(changes: Iterable[tuple[Key, Mapping[str, Value], Collection[Key]]], rank: Rank[Key]) -> Registers[Key]:
    """The registers that a set of changes (key, set, over) adds up to, in whatever order they are given."""
    writes: dict[str, dict[Key, Value]] = {}
    replaced: dict[str, set[Key]] = {}
    for key, sets, over in changes:
        for path, value in sets.items():
            writes.setdefault(path, {})[key] = value
            if over:
                replaced.setdefault(path, set()).update(over)
    nothing: set[Key] = set()
    registers: Registers[Key] = {}
    for path, values in writes.items():
        gone = replaced.get(path, nothing)
        heads = [(key, value) for key, value in values.items() if key not in gone]
        registers[path] = _ordered(heads, rank)
    return registers


def _ordered(heads: Heads[Key], rank: Rank[Key]) -> Heads[Key]:
    if len(heads) > 1:
        heads.sort(key=lambda head: rank(head[0]), reverse=True)
    return heads


def shown(heads: Heads[Key]) -> Value:
    """The value that everybody is shown."""
    return heads[0][1]


def losers(heads: Heads[Key]) -> list[Value]:
    """The values in conflict with the shown one, latest first, each once."""
    if len(heads) == 1:
        return []
    found: list[Value] = []
    for _, value in heads[1:]:
        if not any(same(value, other) for other in (heads[0][1], *found)):
            found.append(value)
    return found


def same(one: Value, other: Value) -> bool:
    """Whether two values are equal for people and for JSON: True is not 1."""
    return one == other and type(one) is type(other)


def seen(heads: Heads[Key]) -> list[Key]:
    """What an ordinary edit replaces: all that wrote the shown value. A value in conflict stays in conflict."""
    return [key for key, value in heads if same(value, heads[0][1])]


def every(heads: Heads[Key]) -> list[Key]:
    """What a resolution replaces: all heads."""
    return [key for key, _ in heads]
