"""Reading changes, strictly, and writing many of them: the canonical bytes as `change` defines them, by msgspec, in C. Pure.

msgspec takes a while to import, so nothing that writes a single change imports this module.
"""

from hashlib import sha256
from typing import cast

import msgspec

from chit_sync.change import CHANGE_BYTES, MAX_CHANGE, Change
from chit_sync.clock import MAX_STAMP
from chit_sync.errors import UsageError
from chit_sync.registers import Registers, Value


class StructChange(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False, kw_only=True):
    """A `Change` in the form that msgspec reads and writes; it has the same members and means the same."""

    ticket: str
    at: int
    by: str
    set: dict[str, Value]
    nonce: str
    over: list[str] = []
    when: int | None = None
    mirror: str = ""

    @property
    def time(self) -> int:
        """The time that people are shown."""
        return self.at if self.when is None else self.when


_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(StructChange).decode


def make(
    ticket: str,
    at: int,
    by: str,
    sets: dict[str, Value],
    nonce: str,
    over: list[str],
    when: int | None,
    mirror: str = "",
) -> tuple[Change, bytes, bytes]:
    """A change with its canonical bytes and its id (20 bytes): the quick way to make many."""
    change = StructChange(ticket=ticket, at=at, by=by, set=sets, nonce=nonce, over=over, when=when, mirror=mirror)
    body = _encode(change)
    return cast(Change, change), body, digest(body)


def encode(change: Change) -> bytes:
    """The canonical bytes of a change that `decode` read or `make` made."""
    return _encode(change)


def digest(body: bytes) -> bytes:
    """The id of the change with these canonical bytes, as 20 bytes; the same as `change.digest`, faster for many."""
    return sha256(body).digest()[:CHANGE_BYTES]


def decode(body: bytes) -> Change:
    """Reads a change that this store wrote. Raises UsageError if the bytes are no change."""
    try:
        return cast(Change, _decode(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"not a change: {error}") from None


def decode_foreign(body: bytes) -> Change:
    """Reads a change that came from outside: besides its shape, its spelling must be canonical. Raises UsageError."""
    if len(body) > MAX_CHANGE:
        raise UsageError(f"a change of {len(body)} bytes; at most {MAX_CHANGE} are allowed")
    change = decode(body)
    if _encode(change) != body:
        raise UsageError("not in canonical form")
    if not 0 <= change.at <= MAX_STAMP or not (change.when is None or abs(change.when) <= MAX_STAMP):
        raise UsageError("a time out of range")
    return change


_registers = msgspec.json.Decoder(dict[str, list[tuple[int, str | int | bool | None]]]).decode


def encode_registers(registers: Registers[int]) -> str:
    """Registers as a store keeps them: {path: [[seq, value], …]}, in the order in which the paths were first written."""
    return msgspec.json.encode(registers).decode()


def decode_registers(text: str) -> Registers[int]:
    """The registers that a store kept."""
    return _registers(text)
