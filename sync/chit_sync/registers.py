"""How changes add up: the merge, and nothing else. Pure; knows neither what a ticket is nor where changes are kept.

Each path of a ticket is a register. A change writes some paths and names, in `over`, the changes whose values it saw there and
replaces. For each path:

    heads     = the writes that no other write to the path has replaced, by naming it or as one of the same mirror
    winner    = the head with the greatest (at, id)
    conflict  = the other heads, where their value differs from the winner's

This depends only on the set of changes, so replicas that have the same changes show the same, whatever the order of arrival; what
has a wrong clock may win where nobody saw the other write, but never against a write that saw it.

A change that was read from a helpdesk bears its mark, `mirror`. A helpdesk is one replica that writes one thing after the other, by its
own clock, so of its writes to a path each knows the one before; but it cannot say so, as it does not know our changes, and of two
stores that read it at different moments each knows other ones. So: of several writes of one mirror to one path only the latest by
(at, id) counts, and the others are replaced by it. One that is replaced still replaces what it names. Where the latest only says
again what those before it said, as stores do that read at different moments, whoever has replaced one of them has replaced it too.
A helpdesk's clock may have been set back: a write that follows another one of the mirror, by naming it or what names it, is later,
whatever its stamp. With several mirrors the order within one, by their names, counts as following for the next. So nothing is ever
replaced in a circle.

`replace` takes one more change into registers in a step whose cost does not depend on history. It is exact as long as the change
has not been replaced by one that arrived before it (one that names it, or a later one of its mirror), and leaves nothing beside a
value of a mirror, of which something may have been seen before. For those rare cases, and for
rebuilding, `fold` takes all changes of a ticket at once.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import pairwise, takewhile
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

Mirror = Callable[[Key], str]
"""The mirror of the change with that key; empty for one that was written in a store."""


def replace(
    registers: Registers[Key],
    key: Key,
    sets: Mapping[str, Value],
    over: Collection[Key],
    rank: Rank[Key],
) -> None:
    """Takes the change `key` into `registers`, in place. over: what it replaces, for a mirrored one `before` included."""
    for path, value in sets.items():
        heads = registers.get(path)
        write = (key, value)
        if heads is None:
            registers[path] = [write]
            continue
        left: Heads[Key] = [head for head in heads if head[0] not in over and head[0] != key]
        left.append(write)
        registers[path] = _ordered(left, rank)


def before(registers: Registers[Key], paths: Iterable[str], mirror: str, mirror_of: Mirror[Key]) -> set[Key]:
    """What a write of a mirror to these paths replaces without naming it, where it is the mirror's latest."""
    return {key for path in paths for key, _ in registers.get(path, ()) if mirror_of(key) == mirror}


def fold(changes: Iterable[tuple[Key, Mapping[str, Value], Collection[Key], str]], rank: Rank[Key]) -> Registers[Key]:
    """The registers that a set of changes (key, set, over, mirror) adds up to, in whatever order they are given."""
    writes: dict[str, dict[Key, Value]] = {}
    replaced: dict[str, set[Key]] = {}
    named: dict[Key, Collection[Key]] = {}
    mirrored: dict[str, dict[str, set[Key]]] = {}
    for key, sets, over, mirror in changes:
        for path, value in sets.items():
            writes.setdefault(path, {})[key] = value
            if over:
                replaced.setdefault(path, set()).update(over)
            if mirror:
                mirrored.setdefault(path, {}).setdefault(mirror, set()).add(key)
        if over:
            named[key] = over
    for path, mirrors in mirrored.items():
        if any(len(keys) > 1 for keys in mirrors.values()):
            replaced.setdefault(path, set()).update(_followed(mirrors, writes[path], named, rank))
    nothing: set[Key] = set()
    registers: Registers[Key] = {}
    for path, values in writes.items():
        gone = replaced.get(path, nothing)
        heads = [(key, value) for key, value in values.items() if key not in gone]
        registers[path] = _ordered(heads, rank)
    return registers


def _followed(
    mirrors: Mapping[str, set[Key]], written: Mapping[Key, Value], named: Mapping[Key, Collection[Key]], rank: Rank[Key]
) -> set[Key]:
    """All writes of mirrors to a path but the latest of each, and that too where somebody has replaced the same value of the mirror.

    written: all writes to the path. named: what changes name.
    """
    past = {key: [one for one in named.get(key, ()) if one in written] for key in written}
    followed: set[Key] = set()
    for _, keys in sorted(mirrors.items()):
        if len(keys) > 1:
            order = _in_order(keys, past, rank)
            for earlier, later in pairwise(order):
                past[later].append(earlier)
                followed.add(earlier)
            latest = order[-1]
            told = _said_last(order, written)
            for key in sorted(written, key=rank) if len(told) > 1 else ():
                if key not in keys and not told.isdisjoint(past[key]) and key not in _before(latest, past):
                    past[key].append(latest)
                    followed.add(latest)
    return followed


def _said_last(order: list[Key], written: Mapping[Key, Value]) -> set[Key]:
    """The writes at the end that say the same."""
    return set(takewhile(lambda key: same(written[key], written[order[-1]]), reversed(order)))


def _before(key: Key, past: Mapping[Key, Collection[Key]]) -> set[Key]:
    """All that a write follows."""
    found: set[Key] = set()
    ahead = [key]
    while ahead:
        for one in past[ahead.pop()]:
            if one not in found:
                found.add(one)
                ahead.append(one)
    return found


def _in_order(keys: set[Key], past: Mapping[Key, Collection[Key]], rank: Rank[Key]) -> list[Key]:
    """The writes of one mirror to a path, the earliest first. past: what each write to the path comes right after.

    A write stands at its own rank or, if that is no later, behind the last one of the mirror that it follows.
    """
    places: dict[Key, tuple[tuple[int, bytes], int]] = {}
    ahead = list(keys)
    opened: set[Key] = (
        set()
    )  # against names that go in a circle, which they can only where somebody has written into the database
    while ahead:
        key = ahead[-1]
        unknown = [one for one in past[key] if one not in places and one not in opened]
        opened.add(key)
        if unknown:
            ahead += unknown
            continue
        ahead.pop()
        place = max((places[one] for one in past[key] if one in places), default=((-1, b""), 0))
        if key in keys:
            place = (rank(key), 0) if rank(key) > place[0] else (place[0], place[1] + 1)
        places[key] = place
    return sorted(keys, key=lambda key: (places[key], rank(key)))


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
