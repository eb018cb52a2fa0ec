"""What the tests of the command line start from."""

from pathlib import Path

import pytest

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
