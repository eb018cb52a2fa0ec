"""A change: the one kind of write there is, its canonical bytes and its id. Pure.

The canonical bytes are JSON without insignificant white space, keys sorted by code point, UTF-8, strings escaped only where JSON
demands it, no numbers but integers, `mirror`, `over` and `when` left out where they say nothing. The id is the first 20 bytes of
their SHA-256. Bytes that are valid but spelled otherwise are refused, so that a change has one spelling and one id.

This module is what a command needs to write one change, and imports in no time; `codec` reads changes, and writes many.
"""

import json
from binascii import b2a_base64

from chit_sync.registers import Value

try:
    # The interpreter's own SHA-256: importing hashlib loads OpenSSL, which takes as long as running a whole small command.
    from _sha2 import sha256  # type: ignore[import-not-found, unused-ignore]  # private, from Python 3.12 on
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found, unused-ignore]  # private, before Python 3.12
    except ImportError:
        from hashlib import sha256

CHANGE_BYTES = 20
"""Bytes in a change's id."""

MAX_CHANGE = 4 << 20
"""Most bytes that one change may have."""

NONCE_BYTES = 12


class Change:
    """What somebody did to one ticket at one moment.

    ticket: the ticket's id. at: the stamp that orders it. by: who. set: path to new value. over: ids of the changes whose values the
    author saw at these paths and replaces. when: microseconds since 1970 UTC, where it happened at another time than `at` says.
    nonce: random, so that the id does not betray the content. mirror: which helpdesk it was read from (`ids.mirror_id`), empty for what
    was written in a store.
    """

    __slots__ = ("at", "by", "mirror", "nonce", "over", "set", "ticket", "when")

    def __init__(
        self,
        *,
        ticket: str,
        at: int,
        by: str,
        set: dict[str, Value],
        nonce: str,
        over: list[str] | None = None,
        when: int | None = None,
        mirror: str = "",
    ) -> None:
        self.ticket = ticket
        self.at = at
        self.by = by
        self.set = set
        self.nonce = nonce
        self.over = over or []
        self.when = when
        self.mirror = mirror

    @property
    def time(self) -> int:
        """The time that people are shown."""
        return self.at if self.when is None else self.when

    def __repr__(self) -> str:
        return f"Change({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


def encode(change: Change) -> bytes:
    """The canonical bytes."""
    members: dict[str, object] = {
        "at": change.at,
        "by": change.by,
        "nonce": change.nonce,
        "set": change.set,
        "ticket": change.ticket,
    }
    if change.mirror:
        members["mirror"] = change.mirror
    if change.over:
        members["over"] = change.over
    if change.when is not None:
        members["when"] = change.when
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def digest(body: bytes) -> bytes:
    """The id of the change with these canonical bytes, as 20 bytes."""
    return bytes(sha256(body).digest()[:CHANGE_BYTES])


def nonce(data: bytes) -> str:
    """Spells twelve bytes as a nonce of sixteen characters."""
    return b2a_base64(data, newline=False).decode()
