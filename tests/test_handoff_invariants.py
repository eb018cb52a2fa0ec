"""The nine things that must always hold of handoffs, over random histories of organisations that exchange now and then, or not."""

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import held
from support.organisations import World
from support.outsourced import Story, fresh, play, stories


@contextmanager
def pair(seed: object = 0, shifts: tuple[int, ...] = (0, 0, 0, 0)) -> Iterator[World]:
    """globex hands out to acme; each has a colleague with a copy."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), seed)
        lead, service = world.organisation("globex", "anna", shifts[0]), world.organisation("acme", "bob", shifts[1])
        world.partnership(lead, service)
        world.colleague(lead, "abe", shifts[2])
        world.colleague(service, "bea", shifts[3])
        yield begun(world)


@contextmanager
def fan(seed: object = 0) -> Iterator[World]:
    """globex hands out to acme and to initech."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), seed)
        lead = world.organisation("globex", "anna")
        for name, person in (("acme", "bob"), ("initech", "ivan")):
            world.partnership(lead, world.organisation(name, person))
        world.colleague(lead, "abe")
        yield begun(world)


@contextmanager
def chain(seed: object = 0) -> Iterator[World]:
    """globex hands out to acme, and acme to initech."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), seed)
        first, middle, last = (
            world.organisation(name, person) for name, person in (("globex", "anna"), ("acme", "bob"), ("initech", "ivan"))
        )
        world.partnership(first, middle)
        world.partnership(middle, last)
        yield begun(world)


def ends_apart(world: World) -> None:
    """The two ends of a chain do not learn of each other."""
    held.strangers(world, "acme", "initech", ["globex", "anna"])
    held.strangers(world, "acme", "globex", ["initech", "ivan"])


def begun(world: World) -> World:
    from chit_sync.authoring import Edit

    first = next(iter(world.places.values()))
    for number in range(2):
        first.write(Edit(None, fresh(first, random.Random(number))))
    return world


@pytest.mark.timeout(600)  # a failing story is made shorter before it is shown
@settings(max_examples=25)
@given(stories(4, 60), st.integers(0, 99))
def test_two_organisations(story: Story, seed: int) -> None:
    """Whatever happens between two organisations, each with a colleague who works offline, the promises hold."""
    with pair(seed) as world:
        play(world, story, held.Watch(world))
        world.settle()
        held.all_of(world)
        world.close()
