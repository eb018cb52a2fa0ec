"""What Redmine answered, looked at before it is believed: types, ranges, dates. Pure; makes no calls and no tickets.

Whatever is not as Redmine writes it is a RemoteError in words, never a KeyError or TypeError somewhere further on.
"""

import re
from datetime import date, datetime

from chit_sync.clock import DAY
from chit_sync.errors import RemoteError, UsageError
from chit_sync.helpdesks.rows import is_id, items, whole
from chit_sync.remotes.received import Answer
from chit_sync.times import from_stamp, to_stamp

MAX_HOURS = 1_000_000

_SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Part:
    """An object in an answer. what: what it is, for messages."""

    def __init__(self, value: object, what: str) -> None:
        if not isinstance(value, dict):
            raise odd(what)
        self._value = value
        self.what = what

    def has(self, key: str) -> bool:
        """Whether it says anything of that; null is nothing."""
        return self._value.get(key) is not None

    def raw(self, key: str) -> object:
        """What it says, unchecked."""
        return self._value.get(key)

    def number(self, key: str) -> int:
        """A whole number that is not negative: an id, a size."""
        value = whole(self._value, key)
        if value is None:
            raise odd(f"{key} in {self.what}")
        return value

    def hours(self, key: str) -> float:
        """Hours, 0 if it does not tell."""
        value = self._value.get(key, 0)
        if value is None:
            return 0.0
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MAX_HOURS:
            raise odd(f"{key} in {self.what}")
        return float(value)

    def text(self, key: str) -> str:
        """A text, empty if there is none; line ends are line feeds."""
        value = self._value.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise odd(f"{key} in {self.what}")
        return lines(value)

    def flag(self, key: str) -> bool:
        """Whether it says yes to that."""
        return self._value.get(key) is True

    def second(self, key: str) -> str:
        """A moment as Redmine writes it: UTC, whole seconds. Such texts sort by time."""
        value = self._value.get(key)
        if not isinstance(value, str) or not _SECOND.fullmatch(value):
            raise odd(f"{key} in {self.what}")
        moment(value)
        return value

    def time(self, key: str) -> int:
        """A moment in microseconds since 1970."""
        return moment(self.second(key))

    def day(self, key: str) -> int | None:
        """The first moment of a day, taken as UTC; None if there is no day."""
        value = self._value.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise odd(f"{key} in {self.what}")
        return day(value)

    def part(self, key: str) -> "Part":
        """An object in it."""
        return Part(self._value.get(key), f"{key} in {self.what}")

    def parts(self, key: str) -> "list[Part]":
        """The objects of a list in it, which is empty if it is not there."""
        value = self._value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise odd(f"{key} in {self.what}")
        return [Part(item, f"{key} in {self.what}") for item in value]


def odd(what: str) -> RemoteError:
    """The error for an answer that makes no sense."""
    return RemoteError(
        f"Redmine's answer makes no sense: {what}",
        "Is the remote's address right, and a Redmine behind it? What was read before is kept.",
    )


def lines(text: str) -> str:
    """The text with line feeds for whatever ends its lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def line(text: str) -> str:
    """The text as one line: a blank for each control character and line separator."""
    return text if text.isprintable() else "".join(" " if _is_control(char) else char for char in text)


def _is_control(char: str) -> bool:
    return char < " " or "\x7f" <= char <= "\x9f" or char in "\u2028\u2029"


def moment(text: str) -> int:
    """Microseconds since 1970 of a moment that Redmine writes."""
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        raise odd("a time") from None
    if told.tzinfo is None:
        raise odd("a time without its zone")
    return to_stamp(told)


def second(time: int) -> str:
    """A time as Redmine's filters take it."""
    return from_stamp(time).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(text: str) -> int:
    """The first moment of a day (`2026-01-31`), taken as UTC."""
    try:
        return (date.fromisoformat(text) - date(1970, 1, 1)).days * DAY
    except ValueError:
        raise odd("a date") from None


def date_of(time: int) -> str:
    """The day, in UTC, of a time."""
    return from_stamp(time).date().isoformat()


def said(answer: Answer) -> str:
    """What Redmine gives as the reason of a refusal; empty if it gives none."""
    if not answer.body.lstrip().startswith(b"{"):
        return answer.said()
    return "; ".join(map(str, items(answer.json(), "errors")))


def file_name(name: str) -> str:
    """What Redmine makes of a file's name."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return re.sub(r"[?%*:|\"'<>\n\r]+", "_", last)


def item(text: str) -> str:
    """An id of Redmine's, which goes into a path."""
    if not is_id(text):
        raise UsageError(f"{text!r} is no id of Redmine's")
    return text
