"""Random histories of somebody with a store and a helpdesk, with calls that fail and processes that end: in the end both sides agree.

Every comment, file, entry of time and link is there once on both sides, and no text is lost that nobody had seen.
"""

import os
import random
from pathlib import Path

import pytest

from support.helpdesk_held import all_of
from support.helpdesk_walk import WAYS, Walk

SEEDS = 15 if os.environ.get("CI") else 3
"""Histories for each kind of helpdesk."""


def lived(walk: Walk, acts: int) -> None:
    """A history, its end, and all that must hold then."""
    try:
        walk.run(acts)
        walk.settle()
        all_of(walk)
    except BaseException as error:
        error.add_note("\n".join(walk.told))
        raise
    finally:
        walk.close()


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("way", WAYS)
def test_one_store(tmp_path: Path, way: str, seed: int) -> None:
    """Whatever happens on both sides and between them, a store and a helpdesk come to agree."""
    lived(Walk(tmp_path, WAYS[way], f"{way}{seed}"), 70)


@pytest.mark.parametrize("way", WAYS)
def test_a_long_history(tmp_path: Path, way: str) -> None:
    """The same over many more edits, without anything going wrong."""
    walk = Walk(tmp_path, WAYS[way], f"{way} long")
    walk.faults = False
    lived(walk, 120)


@pytest.mark.parametrize("way", WAYS)
def test_any_moments(tmp_path: Path, way: str) -> None:
    """Two stores that read the same helpdesk at different moments show the same once both have read all of it."""
    walk = Walk(tmp_path, WAYS[way], f"{way} moments", ("anna", "ben"))
    chance = random.Random(way)
    anna, ben = walk.people
    acts = [getattr(walk, name) for name in dir(walk) if name.startswith("theirs_") and name != "theirs_end"]
    for _ in range(60):
        walk.clock.now += chance.choice((0, 1, 1_000_000, 90_000_000))
        chance.choice(acts)()
        for one in (anna, ben):
            if chance.random() < 0.2:
                chance.choice((one.pull, one.fetch))()
    walk.desk.touch(walk.desk.records[1])
    anna.pull()
    ben.pull()
    shown = [
        [
            (
                ticket.id,
                {path: heads[0][1] for path, heads in ticket.registers.items() if heads[0][1] is not None},
                sorted((each.id, each.author, each.body) for each in ticket.comments),
                sorted((each.id, each.name) for each in ticket.attachments),
                sorted((each.id, each.minutes) for each in ticket.times),
                sorted((each.kind, each.ticket) for each in ticket.links),
                [each.path for each in ticket.conflicts],
            )
            for ticket in sorted(one.tickets(), key=lambda ticket: ticket.id)
        ]
        for one in (anna, ben)
    ]
    assert shown[0] == shown[1]
    lived(walk, 0)
