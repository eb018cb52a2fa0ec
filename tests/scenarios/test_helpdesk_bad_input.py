"""What can be wrong with a helpdesk, and what a person sees of it: nothing is lost or doubled, and the message says what to do."""

from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import pytest

from chit_sync.errors import RemoteError
from chit_sync.helpdesks.base import Call, Outcome
from chit_sync.remotes.base import UnreachedError
from support.memory_desk import Desk, MemoryDesk, Traits
from support.mirroring import Side, quiet
from support.stores import Clock


class Silent(MemoryDesk):
    """An adapter that cannot tell which item a call has made."""

    def perform(self, call: Call, file: BinaryIO | None = None) -> Outcome:
        return super().perform(call, file)._replace(id="", snapshot=None)


@pytest.mark.parametrize("lost", ["find", "read", "nothing"])
def test_an_item_whose_id_is_not_told(tmp_path: Path, clock: Clock, lost: str) -> None:
    """A comment, file or time of which the answer does not say which it is is looked for, and not sent again where that fails."""
    desk = Desk(Traits(comment_tokens=False, file_tokens=False, time_tokens=False))
    anna = Side(tmp_path / "anna", Silent(desk, "agent1"), clock)
    number = desk.add_ticket("Printer")
    anna.pull()
    ticket = anna.ticket(number)
    (tmp_path / "log.bin").write_bytes(b"log")
    anna.say(ticket, "hello")
    anna.attach(ticket, tmp_path / "log.bin")
    anna.edit(ticket, {"time/kkkk/minutes": 5, "time/kkkk/date": 1_772_000_000_000_000})
    for skip in range(3):
        if lost != "nothing":
            desk.fail(UnreachedError("no network"), at=lost, skip=skip)
            with suppress(RemoteError):
                anna.push()
            desk.faults.clear()
        anna.push()
    assert desk.tickets()[number]["comments"] == [("hello", True)]
    assert len(desk.tickets()[number]["files"]) == len(desk.records[number].works) == 1
    quiet(anna)
