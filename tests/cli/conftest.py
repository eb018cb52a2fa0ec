"""What the tests of the command line start from."""

from pathlib import Path

import pytest

from support.memory_desk import Desk
from support.memory_remote import plug_in
from support.parties import Parties
from support.runner import Chit


@pytest.fixture
def desk(chit: Chit) -> Chit:
    """The command line in an empty store."""
    chit("init")
    return chit


@pytest.fixture
def ticket(desk: Chit) -> str:
    """The id of the one ticket in it."""
    return desk("new", "-m", "Printer on fire").id


@pytest.fixture
def parties(tmp_path: Path, chit: Chit) -> Parties:
    """Two organisations that have met."""
    made = Parties(tmp_path / "work", chit)
    made.meet()
    return made


@pytest.fixture
def helpdesk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A helpdesk that can be reached at `memory_remote.URL`, with one ticket in each of its queues."""
    made = Desk()
    plug_in(monkeypatch, made)
    made.add_ticket("Door squeaks", "Since Monday.", status="open")
    made.add_ticket("Bill is wrong", queue="Billing")
    return made
