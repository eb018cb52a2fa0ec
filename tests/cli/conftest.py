"""What the tests of the command line start from."""

import pytest

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
