"""A change: the one kind of write there is, its canonical bytes and its id. Pure.

The canonical bytes are JSON without insignificant white space, keys sorted by code point, UTF-8, strings escaped only where JSON
demands it, no numbers but integers. The id is the first 20 bytes of their SHA-256, in hexadecimal. Bytes that are valid but spelled
otherwise are refused, so that a change has one spelling and one id.
"""

import hashlib
from binascii import b2a_base64

import msgspec

from chit_sync.clock import MAX_STAMP
from chit_sync.errors import UsageError
from chit_sync.registers import Value

CHANGE_BYTES = 20
MAX_CHANGE = 4 << 20
"""Most bytes that one change may have."""


class Change(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """What somebody did to one ticket at one moment.

    ticket: the ticket's id. at: the stamp that orders it. by: who. set: path to new value. over: ids of the changes whose values the
    author saw at these paths and replaces. when: microseconds since 1970 UTC, where it happened at another time than `at` says.
    nonce: random, so that the id does not betray the content.
    """

    ticket: str
    at: int
    by: str
    set: dict[str, Value]
    nonce: str
    over: list[str] = []
    when: int | None = None

    @property
    def time(self) -> int:
        """The time that people are shown."""
        return self.at if self.when is None else self.when


_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(Change)


def encode(change: Change) -> bytes:
    """The canonical bytes."""
    return _encoder.encode(change)


def digest(body: bytes) -> bytes:
    """The id of the change with these canonical bytes, as 20 bytes."""
    return hashlib.sha256(body).digest()[:CHANGE_BYTES]


def decode(body: bytes) -> Change:
    """Reads a change that this store wrote. Raises UsageError if the bytes are no change."""
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"not a change: {error}") from None


def decode_foreign(body: bytes) -> Change:
    """Reads a change that came from outside: besides its shape, its spelling must be canonical. Raises UsageError."""
    if len(body) > MAX_CHANGE:
        raise UsageError(f"a change of {len(body)} bytes; at most {MAX_CHANGE} are allowed")
    change = decode(body)
    if _encoder.encode(change) != body:
        raise UsageError("not in canonical form")
    if not 0 <= change.at <= MAX_STAMP or not (change.when is None or abs(change.when) <= MAX_STAMP):
        raise UsageError("a time out of range")
    return change


def nonce(data: bytes) -> str:
    """Spells twelve bytes as a nonce of sixteen characters."""
    return b2a_base64(data, newline=False).decode()


NONCE_BYTES = 12
