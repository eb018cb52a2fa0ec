"""The two query languages of Request Tracker, as far as the adapter speaks them: what a condition says about a row."""

import re
from collections.abc import Callable, Mapping
from typing import Any

Test = Callable[[Mapping[str, Any]], bool]

_TOKEN = re.compile(
    r"\s*(\(|\)|AND\b|OR\b|CF\.\{[^}]*\}|[A-Za-z]+|!=|>=|<=|=|>|<|'(?:[^'\\]|\\.)*'|-?[0-9]+)", re.DOTALL
)


class QueryError(Exception):
    """A query that does not parse, in the server's words."""


def parse(text: str, fields: frozenset[str]) -> Test:
    """The condition. fields: those that there are; custom fields are always, and empty where there are none."""
    tokens: list[str] = []
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise QueryError(f"Wrong query, expecting a KEYWORD in '{text[at:][:40]}'")
        tokens.append(found[1])
        at = found.end()
    parser = _Parser(tokens, fields)
    test = parser.either()
    if parser.tokens:
        raise QueryError(f"Wrong query, unexpected {parser.tokens[0]}")
    return test


class _Parser:
    def __init__(self, tokens: list[str], fields: frozenset[str]) -> None:
        self.tokens = tokens
        self.fields = fields

    def take(self) -> str:
        if not self.tokens:
            raise QueryError("Incomplete query")
        return self.tokens.pop(0)

    def either(self) -> Test:
        tests = [self.both()]
        while self.tokens and self.tokens[0] == "OR":
            self.take()
            tests.append(self.both())
        return lambda row: any(test(row) for test in tests)

    def both(self) -> Test:
        tests = [self.one()]
        while self.tokens and self.tokens[0] == "AND":
            self.take()
            tests.append(self.one())
        return lambda row: all(test(row) for test in tests)

    def one(self) -> Test:
        if self.tokens and self.tokens[0] == "(":
            self.take()
            inner = self.either()
            if self.take() != ")":
                raise QueryError("Incomplete query, unclosed parenthesis")
            return inner
        field, operator, raw = self.take(), self.take(), self.take()
        if field not in self.fields and not field.startswith("CF."):
            raise QueryError(f"Unknown field: {field} at query")
        value = re.sub(r"\\(.)", r"\1", raw[1:-1]) if raw.startswith("'") else raw
        return lambda row: holds(row.get(field, []), operator, value)


def holds(held: Any, operator: str, value: Any) -> bool:
    """Whether a value of a row, or one of several, stands so to another."""
    if isinstance(held, list):
        return any(holds(each, operator, value) for each in held)
    match operator:
        case "IN":
            return str(held) in value  # a set of texts
        case "IS":
            return held is None
        case "IS NOT":
            return held is not None
        case "LIKE":
            return str(value).casefold() in str(held or "").casefold()
        case "STARTSWITH":
            return str(held or "").startswith(str(value))
        case "=":
            return str(held).casefold() == str(value).casefold()
        case "!=":
            return str(held).casefold() != str(value).casefold()
        case ">":
            return int(held) > int(value)
        case "<=":
            return int(held) <= int(value)
    raise QueryError(f"Wrong query, expecting an OPERATOR instead of {operator}")
