"""The helpdesk in memory as a remote of the command line, at an address like any other.

A token is the key of an account there; with a login the password is `right`.
"""

import pytest

from chit_sync.helpdesks.address import KINDS, Address
from support.memory_desk import Desk, MemoryDesk

BASE = "https://desk.example.com/help"

URL = f"memory+{BASE}"
"""The address of the desk that the fixture `helpdesk` makes."""

DESKS: dict[str, Desk] = {}
"""By the web address at which they are."""


class MemoryRemote(MemoryDesk):
    """The adapter, as the registry makes it."""

    def __init__(self, address: Address, secret: str | None, *, timeout: float, ca_file: str | None = None) -> None:
        login, _, password = (secret or "").partition(":")
        super().__init__(DESKS[address.base], login if password in ("", "right") else "", address.queues)


def plug_in(patch: pytest.MonkeyPatch, desk: Desk, base: str = BASE) -> str:
    """Makes the desk reachable for as long as the patch lasts; returns its address for remotes."""
    patch.setitem(KINDS, "memory", ("support.memory_remote", "MemoryRemote"))
    patch.setitem(DESKS, base, desk)
    return f"memory+{base}"
