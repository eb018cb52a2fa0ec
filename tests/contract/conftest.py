"""The helpdesks that the contract of adapters is held against, each from both sides."""

from collections.abc import Iterator

import pytest

from support.helpdesks import Servers
from support.sites import Sides, names, sides


@pytest.fixture(scope="session", params=names())
def desk(request: pytest.FixtureRequest, _servers: Servers) -> Iterator[Sides]:
    """One helpdesk for all tests of this process. Tests make their own tickets in it and take no notice of others."""
    with sides(request.param, _servers) as found:
        yield found
