"""What decoded JSON says, looked at before it is believed: nothing that a server sends has a type until it was asked for here. Pure.

Each takes a value and the names by which to go into it. What is missing or of another type is empty; whether that is an error, and in
which words, is for the adapter to say.
"""

from collections.abc import Mapping
from typing import Any, TypeGuard

Row = Mapping[str, object]

MAX_NUMBER = 1 << 53


def member(value: object, *names: str) -> object:
    """What is there; None for nothing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def record(value: object, *names: str) -> dict[str, object]:
    """An object."""
    found = member(value, *names)
    return found if isinstance(found, dict) else {}


def items(value: object, *names: str) -> list[Any]:
    """The items of a list, each of any type."""
    found = member(value, *names)
    return found if isinstance(found, list) else []


def text(value: object, *names: str) -> str:
    """A text; a number as one."""
    found = member(value, *names)
    if isinstance(found, bool) or (isinstance(found, float) and found.is_integer()):
        found = int(found)
    return str(found) if isinstance(found, str | int | float) else ""


def whole(value: object, *names: str) -> int | None:
    """A whole number that is not negative: an id, a count, a size."""
    found = member(value, *names)
    return found if type(found) is int and 0 <= found < MAX_NUMBER else None


def number(value: object, *names: str) -> int:
    """A whole number, also one that is written as a text; 0 for what is none."""
    found = member(value, *names)
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if isinstance(found, str) and len(found) < 20 and found.isascii() and found.removeprefix("-").isdecimal():
        found = int(found)
    return found if type(found) is int and abs(found) < MAX_NUMBER else 0


def is_id(value: object) -> TypeGuard[str]:
    """Whether that is the text of a number that something may have there."""
    return isinstance(value, str) and value.isascii() and value.isdecimal() and 0 < int(value[:20]) < MAX_NUMBER
