"""The process is ended at every step of an exchange with a helpdesk: the next one goes on, and nothing is missing or doubled."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from chit_sync.authoring import link_paths, unlink_paths
from chit_sync.errors import ChitError, StoreError
from chit_sync.exchange.mirror import session
from chit_sync.helpdesks.base import Tie
from support.memory_desk import Desk, MemoryDesk, Traits
from support.mirroring import Side, quiet
from support.mortal import Scene, Steps, here, there, whole
from support.stores import Clock

SECOND = 1_000_000
EVERY = bool(os.environ.get("CI"))
"""Whether the process is ended at each step, or at some of them, others in each test."""

WAYS = {
    "rich": Traits(),
    "poor": Traits(
        reference=False, comment_tokens=False, file_tokens=False, time_tokens=False, history=False, versions=False,
        answers=False, log=False, tick=SECOND, strip=True, line_ends="\r\n",
    ),
    "no tokens": Traits(comment_tokens=False, file_tokens=False, time_tokens=False, log=False),
    "no answers": Traits(answers=False, history=False),
    "whole seconds": Traits(tick=SECOND, log=False, versions=False, reference=False),
}  # fmt: skip


@pytest.fixture(params=list(WAYS))
def desk(request: pytest.FixtureRequest) -> Desk:
    """Helpdesks that can do more and less."""
    return Desk(WAYS[request.param])


@pytest.fixture
def anna(tmp_path: Path, desk: Desk, clock: Clock) -> Side:
    clock.now += 10_000 * SECOND
    return Side(tmp_path / "anna", MemoryDesk(desk, "agent1", page=2), clock)


def shared(anna: Side, desk: Desk) -> list[int]:
    """Tickets that both sides know, and with items that were made here."""
    numbers = [desk.add_ticket(f"Printer {name}", f"It burns\n{name}") for name in ("one", "two", "three", "four")]
    desk.say(numbers[0], "theirs")
    anna.pull()
    one = anna.ticket(numbers[0])
    anna.say(one, "to be rewritten")
    anna.say(one, "to be deleted")
    anna.edit(one, {"time/kkkk/minutes": 5, "time/kkkk/date": 1_772_000_000_000_000, "time/kkkk/note": "looked"})
    anna.edit(one, link_paths("blocks", one.id, anna.ticket(numbers[1]).id))
    anna.push()
    return numbers


def written(anna: Side, desk: Desk, tmp_path: Path) -> None:
    """Everything that can be written, not sent yet; and an edit there that is not known here."""
    numbers = shared(anna, desk)
    one, two, three, four = map(anna.ticket, numbers)
    first, second = (anna.new(title=f"New {count}", description="story\n", priority="high") for count in range(2))
    anna.edit(first, {"labels/ink": True, "x.severity": "High", "assignee": "agent2"})
    anna.edit(first, link_paths("blocks", first.id, second.id))
    for ticket in (one, first):
        anna.say(ticket, "same words")
        anna.say(ticket, "same words")
        anna.say(ticket, "inside", "internal")
        (tmp_path / "log.bin").write_bytes(b"\0\xff log")
        anna.attach(ticket, tmp_path / "log.bin")
        anna.attach(ticket, tmp_path / "log.bin")
        key = f"time/{'klmn' if ticket is one else 'nmlk'}"
        anna.edit(ticket, {f"{key}/minutes": 30, f"{key}/date": 1_772_000_000_000_000, f"{key}/note": "swept"})
    rewritten, gone = (
        next(each.id for each in one.comments if each.body == f"to be {what}") for what in ("rewritten", "deleted")
    )
    anna.edit(one, {f"comment/{rewritten}/body": "rewritten"})
    anna.edit(one, {f"comment/{gone}/deleted": True})
    anna.edit(one, {"time/kkkk/minutes": 7})
    anna.edit(one, unlink_paths("blocks", one.id, two.id))
    anna.edit(one, {"title": "Printer uno", "status": "open"})
    anna.edit(two, {"title": "Printer due", "x.note": "note", "due": 1_773_000_000_000_000})
    anna.edit(three, {"merged": two.id, "status": "resolved"})
    anna.edit(four, {"deleted": True})
    desk.edit(numbers[1], status="open", labels_theirs=True)
    desk.say(numbers[0], "said meanwhile")


def happened(anna: Side, desk: Desk) -> None:
    """Everything that can happen there, not read yet, and edits here that it meets."""
    numbers = shared(anna, desk)
    one, two = anna.ticket(numbers[0]), anna.ticket(numbers[1])
    anna.edit(one, {"title": "Ours", "priority": "high"})
    anna.edit(two, {"title": "Same"})
    anna.say(two, "not sent yet")
    for count in range(3):
        new = desk.add_ticket(f"New {count}", "story", labels_ink=True, x_Severity="High")
        desk.say(new, "hello")
        desk.attach(new, "log.bin", b"\0\xff log")
    desk.edit(numbers[0], title="Theirs", status="open")
    desk.edit(numbers[1], title="Same")
    desk.edit(numbers[0], description="It burns no more")
    record = desk.record(numbers[0])
    rewritten, gone = (ident for ident, each in record.comments.items() if each.body.startswith("to be"))
    record.comments[rewritten] = record.comments[rewritten]._replace(body="rewritten there")
    del record.comments[gone]
    record.ties.append(Tie("relates-to", new))
    desk.edit(numbers[0], labels_seen=True)
    desk.merge(numbers[2], numbers[1])
    desk.remove(numbers[3])


@pytest.fixture
def begin(request: pytest.FixtureRequest) -> int:
    """A step to begin with that is another one in each test."""
    return crc32(request.node.name.encode())


def each_step(
    scene: Scene, do: Callable[[Side], object], finish: Callable[[Side], object], begin: int = 0, pace: int = 1
) -> None:
    """Ends the process that does something at every step; the next one finishes, and all is as if nothing had happened.

    begin, pace: which of the steps, where not all of them are taken.
    """

    def end(at: int) -> tuple[Steps, list[Any]]:
        scene.back()
        steps = scene.run(do, at)
        side = scene.again(at)
        finish(side)
        found = [there(scene.desk), here(side)]
        quiet(side)
        whole(side)
        side.store.close()
        return steps, found

    steps, wanted = end(0)
    count = len(steps.names)
    assert count > 8
    for at in range(1 + begin % pace, count + 1, pace):
        assert end(at)[1] == wanted, f"ended at step {at}: {steps.names[:at]}"


@pytest.mark.parametrize("finish", [Side.push, Side.pull, Side.fetch], ids=["push", "pull", "fetch"])
def test_a_push_is_ended(
    anna: Side, desk: Desk, clock: Clock, tmp_path: Path, finish: Callable[[Side], object], begin: int
) -> None:
    """A push of everything there is, ended anywhere: the next command, whichever it is, and the push after it finish it."""
    written(anna, desk, tmp_path)

    def on(side: Side) -> None:
        finish(side)
        side.push()
        side.pull()

    each_step(Scene(anna, desk, clock), Side.push, on, begin, 1 if EVERY else 53)


@pytest.mark.parametrize("do", [Side.pull, Side.fetch], ids=["pull", "fetch"])
@pytest.mark.parametrize("finish", [Side.pull, Side.push], ids=["pull", "push"])
def test_a_pull_is_ended(
    anna: Side, desk: Desk, clock: Clock, do: Callable[[Side], object], finish: Callable[[Side], object], begin: int
) -> None:
    """A pull or fetch of everything that can have happened, in pages of two, ended anywhere: the next one goes on."""
    happened(anna, desk)

    def on(side: Side) -> None:
        finish(side)
        side.pull()
        side.push()
        side.pull()

    each_step(Scene(anna, desk, clock), do, on, begin, 1 if EVERY else 7)


def test_fetching_bytes_is_ended(anna: Side, desk: Desk, clock: Clock) -> None:
    """Bytes of attachments that were being fetched are fetched by the next one, and are whole."""
    number = desk.add_ticket("Printer")
    for count in range(3):
        desk.attach(number, f"log {count}.bin", bytes([count]) * 100_000)
    anna.pull()
    each_step(Scene(anna, desk, clock), Side.bytes, Side.bytes)


def test_ended_again_and_again(anna: Side, desk: Desk, clock: Clock, tmp_path: Path) -> None:
    """Pushes that are ended one after the other, each after some more steps, come to the same end."""
    written(anna, desk, tmp_path)
    scene = Scene(anna, desk, clock)
    scene.back()
    scene.run(Side.push)
    wanted = there(desk), here(scene.again())
    for pace in (3, 8, 13):
        scene.back()
        at = pace
        while True:
            if len(scene.run(Side.push if at % 2 else Side.sync, at, seed=at).names) < at:
                break
            at += pace
        side = scene.again()
        assert (there(desk), here(side)) == wanted
        quiet(side)
        whole(side)


def test_two_at_once(anna: Side, desk: Desk, clock: Clock, tmp_path: Path) -> None:
    """Several processes of one store that push and pull at once do everything once."""
    written(anna, desk, tmp_path)
    scene = Scene(anna, desk, clock)
    scene.back()
    scene.run(Side.push)
    wanted = there(desk), here(scene.again())
    scene.back()
    failed: list[ChitError] = []

    def exchange(seed: int) -> None:
        try:
            side = scene.again(seed)
            for do in (Side.push, Side.pull, Side.fetch)[seed % 3 :]:
                do(side)
            side.store.close()
        except ChitError as error:
            failed.append(error)

    threads = [threading.Thread(daemon=True, target=exchange, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    side = scene.again()
    side.sync()
    assert (there(desk), here(side)) == wanted
    quiet(side)
    whole(side)


def test_somebody_does_not_come_to_an_end(anna: Side, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits too long for another process of the store is told so, and has changed nothing."""
    desk.add_ticket("Printer")
    monkeypatch.setattr(session, "WAIT_SECONDS", 0.2)
    with session.alone(anna.store, anna.remote), pytest.raises(StoreError, match="another chit has been exchanging"):
        anna.pull()
    assert anna.tickets() == []
    anna.pull()
    assert len(anna.tickets()) == 1
