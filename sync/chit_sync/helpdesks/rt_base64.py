"""The bytes of a file out of Request Tracker's answer, without holding the whole of it: base64 in one member of a JSON object. Pure."""

import base64
import binascii
from collections.abc import Iterator

from chit_sync.errors import RemoteError

_MOST_BEFORE = 1 << 20
"""Bytes that may come before the file: its headers, who sent it."""

_SPACES = b" \t\r\n"


def content_of(where: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes of the member `Content` of a JSON object that comes in pieces. Raises RemoteError if there is none, or it breaks off."""
    rest = b""
    start = -1
    for piece in pieces:
        rest += piece
        start = _start(rest)
        if start >= 0:
            break
        if len(rest) > _MOST_BEFORE:
            break
    if start < 0:
        raise RemoteError(f"{where} answers with something that is no file")
    rest = rest[start:]
    ended = False
    while True:
        text, quote, _ = rest.partition(b'"')
        ended = bool(quote)
        cut = len(text) - 1 if text.endswith(b"\\") and not ended else len(text)
        plain = text[:cut].replace(b"\\n", b"").replace(b"\\r", b"").replace(b"\\/", b"/")
        whole = len(plain) if ended else len(plain) // 4 * 4
        try:
            data = base64.b64decode(plain[:whole], validate=True)
        except binascii.Error:
            raise RemoteError(f"{where} sent a file that is damaged", "Run it again.") from None
        if data:
            yield data
        if ended:
            return
        rest = plain[whole:] + text[cut:]
        try:
            rest += next(pieces)
        except StopIteration:
            raise RemoteError(f"{where} broke off before the end of a file", "Run it again.") from None


def _start(data: bytes) -> int:
    """Where the member's text begins; -1 if that has not come yet. Quotes inside other texts are escaped."""
    at = data.find(b'"Content"')
    while at >= 0:
        after = data[at + 9 :].lstrip(_SPACES)
        if after.startswith(b":"):
            value = after[1:].lstrip(_SPACES)
            if value.startswith(b'"'):
                return len(data) - len(value) + 1
        at = data.find(b'"Content"', at + 1)
    return -1
