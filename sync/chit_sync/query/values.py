"""Conditions on single values: text, order, time, number. Each takes an SQL expression and a value, and gives SQL. Pure.

What a person typed reaches SQL as a parameter, always; the expressions come from `fields`.
"""

import re
from collections.abc import Iterable
from datetime import tzinfo
from typing import NamedTuple

from chit_sync.errors import QueryError, UsageError
from chit_sync.query.tree import Atom, Value
from chit_sync.query.words import Sql

NOTHING: Sql = ("0", [])
_NUMBER = r"-?[0-9]{1,15}(\.[0-9]{1,15})?"
_ESCAPED = str.maketrans({char: "\\" + char for char in "\\%_"})
_COMPARE = {">": ">", ">=": ">=", "<": "<", "<=": "<="}


class Context(NamedTuple):
    """Who asks, when (microseconds since 1970 UTC) and in which time zone; the store's statuses, each with its category."""

    me: str
    now: int
    tz: tzinfo
    statuses: dict[str, str]


def suggestion(word: str, names: Iterable[str]) -> str:
    """A question with the name that was probably meant, or nothing."""
    from difflib import get_close_matches

    close = get_close_matches(word[:40].lower(), list(names), 1)
    return f"Did you mean {close[0]!r}? " if close else ""


def only(value: Value, field: str, *ops: str) -> Atom:
    """The value's one atom. Raises QueryError where its operator makes no sense with the field."""
    if value.op not in ("", "=", *ops) or value.low is None:
        what = "a range" if value.op == ".." else value.op
        raise QueryError(
            f"{field}: has no order, {what} means nothing here"
            if value.op != "~"
            else f"{field}: cannot be searched by ~",
            value.column,
            f"Write {field}:VALUE, or {field}:A,B for any of several.",
        )
    return value.low


def join(parts: list[Sql], word: str) -> Sql:
    """The conditions joined with AND or OR, in parentheses if they are several."""
    if len(parts) == 1:
        return parts[0]
    return "(" + f" {word} ".join(sql for sql, _ in parts) + ")", [value for _, values in parts for value in values]


def present(expression: str) -> Sql:
    """There is a value."""
    return f"{expression} <> ''", []


def text(expression: str, value: Value, atom: Atom) -> Sql:
    """Equal but for case; with `~` contained; with `*` in an unquoted value, fitting that pattern."""
    if value.op == "~":
        pieces = ["", atom.text, ""]
    elif value.op != "=" and not atom.quoted and "*" in atom.text:
        pieces = atom.text.split("*")
    else:
        pieces = [atom.text]
    if not atom.text.isascii():
        return f"{expression} GLOB ?", ["*".join(map(_any_case, pieces))]
    if len(pieces) > 1:
        return f"{expression} LIKE ? ESCAPE '\\'", ["%".join(piece.translate(_ESCAPED) for piece in pieces)]
    return f"{expression} = ? COLLATE NOCASE", [atom.text]


def _any_case(text: str) -> str:
    """A GLOB pattern for this very text in any case; LIKE and NOCASE fold the case of ASCII letters only, but are quicker."""
    return "".join(map(_either_case, text))


def _either_case(char: str) -> str:
    if char in "*?[":
        return f"[{char}]"
    cases = dict.fromkeys(case for case in (char, char.lower(), char.upper()) if len(case) == 1)
    return char if len(cases) == 1 else f"[{''.join(cases)}]"


def order(expression: str, value: Value) -> Sql:
    """Compares as numbers if what was typed is a number, and else as text, so that ISO dates compare as well."""
    ends = [atom for atom in (value.low, value.high) if atom]
    numeric = all(re.fullmatch(_NUMBER, atom.text) for atom in ends)
    left = f"CAST({expression} AS REAL)" if numeric else expression
    after = "" if numeric else " COLLATE NOCASE"
    parts: list[Sql] = [(f"({expression} GLOB '[0-9]*' OR {expression} GLOB '-[0-9]*')", [])] if numeric else []
    for op, atom in _ends(value):
        parts.append((f"{left} {op} ?{after}", [float(atom.text) if numeric else atom.text]))
    return join(parts, "AND")


def number(expression: str, value: Value, field: str) -> Sql:
    """A whole number, compared or in a range."""
    if value.op == "~":
        raise QueryError(f"{field}: cannot be searched by ~", value.column, f"Write {field}:12 or {field}:12..15.")
    return join([(f"{expression} {op} ?", [whole(atom, field)]) for op, atom in _ends(value)], "AND")


def whole(atom: Atom, field: str) -> int:
    """The atom as a whole number."""
    digits = atom.text.removeprefix("#")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 16):
        raise QueryError(f"{atom.text!r} is not a number", atom.column, f"Write {field}:12 or {field}:12..15.")
    return int(digits)


def _ends(value: Value) -> list[tuple[str, Atom]]:
    """The comparisons that a value stands for."""
    if value.op != "..":
        return [(_COMPARE.get(value.op, "="), value.low)] if value.low else []
    return [(op, atom) for op, atom in ((">=", value.low), ("<=", value.high)) if atom]


def choice(atom: Atom, field: str, names: Iterable[str]) -> str:
    """The one of the names that the atom is, whatever its case. Raises QueryError with a suggestion."""
    listed = list(names)
    for name in listed:
        if name == atom.text or name.lower() == atom.text.lower():
            return name
    raise QueryError(
        f"{field} cannot be {atom.text[:40]!r}",
        atom.column,
        f"{suggestion(atom.text, listed)}It is one of: {', '.join(listed)}.",
    )


def levels(value: Value, field: str, names: list[str]) -> tuple[int, int]:
    """First and last of the names, which are ordered from the most urgent, that the value covers, counted from 1.

    More urgent is greater: `high..` is high or more. An empty range gives a first that is after the last.
    """

    def level(atom: Atom) -> int:
        if atom.text.isascii() and atom.text.isdecimal() and 1 <= int(atom.text[:3]) <= len(names):
            return int(atom.text[:3])
        return names.index(choice(atom, field, names)) + 1

    first, last = 1, len(names)
    if value.op == "~":
        raise QueryError(f"{field}: cannot be searched by ~", value.column, f"It is one of: {', '.join(names)}.")
    if value.op == "..":
        ends = sorted(level(atom) for atom in (value.low, value.high) if atom)
        if len(ends) == 2:
            return ends[0], ends[1]
        return (first, ends[0]) if value.low else (ends[0], last)
    if value.low is None:
        return first, last
    at = level(value.low)
    return {
        ">=": (first, at),
        ">": (first, at - 1),
        "<=": (at, last),
        "<": (at + 1, last),
    }.get(value.op, (at, at))


def time(expression: str, value: Value, context: Context, *, ahead: bool) -> Sql:
    """In the span of time that the value stands for. A duration alone: within it, up to now or from now on."""
    from chit_sync import times

    def read(atom: Atom) -> times.Span:
        try:
            return times.parse(atom.text, context.now, context.tz, ahead=ahead)
        except UsageError as error:
            raise QueryError(error.message, atom.column, error.hint) from None

    if value.op == "~":
        raise QueryError("a time cannot be searched by ~", value.column, "Write 2026-11-23, or a range: 2026-11-01..")
    low = read(value.low) if value.low else None
    high = read(value.high) if value.high else None
    if value.op == "..":
        if low and high and low.start >= high.end:
            raise QueryError(
                "the range ends before it begins",
                value.column,
                f"It runs from {times.local(low.start, context.tz)} to {times.local(high.end, context.tz)}.",
            )
        return _between(expression, low.start if low else None, high.end if high else None)
    if low is None:
        return NOTHING
    if value.op in (">", ">="):
        return _between(expression, low.end if value.op == ">" else low.start, None)
    if value.op in ("<", "<="):
        return _between(expression, None, low.start if value.op == "<" else low.end)
    if value.low and times.is_duration(value.low.text):
        start, end = (context.now, low.end) if ahead else (low.start, context.now + 1)
        return _between(expression, start, end)
    return _between(expression, low.start, low.end)


def _between(expression: str, start: int | None, end: int | None) -> Sql:
    parts: list[Sql] = []
    if start is not None:
        parts.append((f"{expression} >= ?", [start]))
    if end is not None:
        parts.append((f"{expression} < ?", [end]))
    return join(parts, "AND")
