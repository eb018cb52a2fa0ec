"""What a store and a helpdesk last agreed on about one ticket: the base of the three-way merge. Pure.

It is kept in the helpdesk's own words, as they were last read or were written and read back. Long texts are kept as marks, since all
that is asked of them is whether they are still the same.
"""

import msgspec

from chit_sync.errors import StoreError
from chit_sync.ids import derived, letters
from chit_sync.registers import Value

MARK_LENGTH = 40
"""Characters from which on a text is kept as a mark."""

COMMENT, ATTACHMENT, TIME = "comment", "attachment", "time"


class Item(msgspec.Struct, omit_defaults=True):
    """An item that is there and here. item: its id here. mark: what it says. ref: what its bytes are asked for by."""

    item: str
    mark: str = ""
    ref: str = ""


class Agreed(msgspec.Struct, omit_defaults=True):
    """The base of one ticket. ticket: its id here. at: the latest stamp of a change that was made of what was read.

    fields: path to mark, in the helpdesk's words. events: keys of those that were taken. items: kind, then the helpdesk's id, to Item.
    ties: `KIND:NUMBER`. left: it is not among what the query follows any more. gone: it is deleted, merged or hidden there.
    """

    ticket: str
    modified: int = 0
    at: int = 0
    fields: dict[str, Value] = {}
    events: list[str] = []
    items: dict[str, dict[str, Item]] = {}
    ties: list[str] = []
    version: str = ""
    left: bool = False
    gone: str = ""

    def known(self, kind: str) -> dict[str, Item]:
        """The items of a kind, by the helpdesk's ids; to be added to."""
        return self.items.setdefault(kind, {})

    def there(self, kind: str, item: str) -> str | None:
        """What the helpdesk calls an item of ours; None if it does not have it."""
        return next((ident for ident, one in self.items.get(kind, {}).items() if one.item == item), None)


def mark(value: Value) -> Value:
    """A value, or what stands for a long text: equal marks mean equal values. Empty texts are none."""
    if isinstance(value, str) and len(value) > MARK_LENGTH:
        return "\0" + letters(derived(16, value))
    return None if value == "" else value


def marks(*values: Value) -> str:
    """One mark for several values."""
    return letters(derived(16, *(repr(value) for value in values)))


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Agreed).decode


def encode(agreed: Agreed) -> bytes:
    """The bytes that a store keeps."""
    return _encode(agreed)


def decode(data: bytes) -> Agreed:
    """The base that a store kept. Raises StoreError if the bytes are damaged."""
    try:
        return _decode(data)
    except msgspec.MsgspecError as error:
        raise StoreError(f"what was last read of a ticket is damaged: {error}", "Run `chit fsck`.") from None
