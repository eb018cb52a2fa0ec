"""What servers sent, before anybody believes it: answers, their JSON, their words and times. Knows no HTTP client and no server.

Whatever is said in a message goes through `clean` first: a server must not write to somebody's terminal.
"""

import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from chit_sync.errors import RemoteError

MAX_SAID = 200
"""Most characters of what a server said that are repeated in a message."""

PIECE = 1 << 18
"""Most bytes that are unpacked at once."""


class Answer(NamedTuple):
    """An answer that has come as a whole. headers: their names in lower case. doubtful: the call it answers was to change something,
    so an answer that makes no sense leaves open whether it did."""

    where: str
    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    doubtful: bool = False

    @property
    def ok(self) -> bool:
        """Whether it is one of success."""
        return 200 <= self.status < 300

    def text(self) -> str:
        """The body as text, whatever bytes it has."""
        return self.body.decode("utf-8", "replace")

    def said(self) -> str:
        """The body's first line, or a web page's title, fit for a message; empty if there is none."""
        return first_line(self.body)

    def json(self) -> object:
        """What the body says in JSON. Raises RemoteError, for a call that was to change something DoubtError."""
        try:
            return _decoded(self.body)
        except (ValueError, RecursionError):
            pass
        if not self.body.strip():
            what = "nothing"
        elif self.body.lstrip()[:1] == b"<":
            what = "a web page" + (f" ({said})" if (said := self.said()) else "")
        elif self.body.lstrip()[:1] in b"{[":
            what = "JSON that is damaged or breaks off"
        else:
            what = f"{self.said()!r}"
        message = f"{self.where} answers with {what} where JSON was expected"
        hint = "Is the remote's address right? A login page or a proxy in between answers so too."
        if self.doubtful:
            from chit_sync.helpdesks.base import DoubtError

            raise DoubtError(message, hint, settled=True)
        raise RemoteError(message, hint)


def _decoded(body: bytes) -> object:
    """The value of a JSON text. Raises ValueError. Characters that are none become question marks: one evil text stops nobody."""
    import msgspec

    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        import json

        text = json.dumps(json.loads(body.decode("utf-8-sig", "replace")), ensure_ascii=False)
    try:
        return msgspec.json.decode(text.encode("utf-8", "replace"))
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None


def clean(text: str, most: int = MAX_SAID) -> str:
    """One line of printable characters, shortened."""
    line = " ".join("".join(mark if mark.isprintable() else " " for mark in text[: 4 * most]).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def first_line(body: bytes) -> str:
    """The first line of a text that says something, fit for a message; of a web page, its title."""
    text = body[:65_536].decode("utf-8", "replace").strip()
    if text.startswith("<"):
        lower = text.lower()
        start = lower.find(">", lower.find("<title")) + 1 if "<title" in lower else 0
        end = lower.find("</title", start)
        if not start or end < 0:
            return ""
        import html

        text = html.unescape(text[start:end])
        return clean(text)
    return next((line for part in text.splitlines() if (line := clean(part))), "")


def seconds_to_wait(headers: Mapping[str, str], now: float) -> float | None:
    """What `Retry-After` asks for, in seconds from now; None if it asks for nothing. now: seconds since 1970 UTC.

    It may be a number, with a fraction, or a date; a date is held against the server's own clock, if it tells it.
    """
    text = headers.get("retry-after", "").strip()
    if not text or len(text) > 64 or not text.isascii():
        return None
    if text.replace(".", "", 1).isdecimal():
        return float(text)
    until = http_date(text)
    if until is None:
        return None
    return max(0.0, until - (http_date(headers.get("date", "")) or now))


def http_date(text: str) -> float | None:
    """The time that a header tells, in seconds since 1970 UTC."""
    from email.utils import parsedate_to_datetime

    if not text or len(text) > 64:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


class Unpacker:
    """Unpacks gzip in pieces of bounded size, whatever they were packed from."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(31)

    @property
    def whole(self) -> bool:
        """Whether the end has come."""
        return self._inflate.eof

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What can be unpacked so far. Raises zlib.error."""
        while data:
            yield self._inflate.decompress(data, PIECE)
            data = self._inflate.unconsumed_tail


def cut(where: str) -> RemoteError:
    """The error for an answer that ends early."""
    return RemoteError(
        f"{where} broke off before the end", "What had come is kept; run it again and it goes on from there."
    )
