"""The lines in which changes travel: a change's canonical bytes, untouched, with what a log says of it. Pure: bytes in, bytes out.

Whoever passes a change on does not read it, and its hash stays good. Apart from `wire` because most exchanges find nothing new, and
then need nothing of this.
"""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from chit_sync.change import CHANGE_BYTES
from chit_sync.errors import RemoteError
from chit_sync.wire import MAX_LINE, MAX_NUMBER, Offer, Sent

_Place = Annotated[int, msgspec.Meta(ge=1, le=MAX_NUMBER)]


class _Line(msgspec.Struct, gc=False):
    change: msgspec.Raw
    id: str
    number: _Place
    seq: _Place


class _Offered(msgspec.Struct, gc=False):
    change: msgspec.Raw
    id: str


_lines = msgspec.json.Decoder(_Line).decode_lines
_offered = msgspec.json.Decoder(_Offered).decode


def change_lines(records: Iterable[Sent]) -> bytes:
    """The lines of these changes, as a log hands them out."""
    return b"".join(
        [
            b'{"change":%b,"id":"%b","number":%d,"seq":%d}\n' % (body, id_.hex().encode(), number, seq)
            for seq, number, id_, body in records
        ]
    )


def read_changes(lines: bytes, where: str) -> list[Sent]:
    """The changes in whole lines of a log. Raises RemoteError for what is none."""
    try:
        return [Sent(line.seq, line.number, bytes.fromhex(line.id), bytes(line.change)) for line in _lines(lines)]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise RemoteError(f"{where} sent a line that cannot be read", "Nothing of it was taken; try again.") from None


def offer_lines(offers: Iterable[Offer]) -> bytes:
    """The lines of an append."""
    return b"".join([b'{"change":%b,"id":"%b"}\n' % (body, id_.hex().encode()) for id_, body in offers])


def read_offers(lines: bytes) -> list[Offer | str]:
    """What is offered in the lines of an append; for a line that cannot be read, the reason."""
    return [_read_offer(line) for line in lines.split(b"\n") if line]


def _read_offer(line: bytes) -> Offer | str:
    if len(line) > MAX_LINE:
        return f"a line of {len(line)} bytes; at most {MAX_LINE} are allowed"
    try:
        offered = _offered(line)
        ident = bytes.fromhex(offered.id)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return f"not a change: {error}"
    if len(ident) != CHANGE_BYTES:
        return f"the id of a change has {2 * CHANGE_BYTES} hexadecimal digits, not {len(offered.id)}"
    return Offer(ident, bytes(offered.change))
