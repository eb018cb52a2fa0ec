"""The database behind Roundup's stand-in: the classic schema with the fields that many sites add, and what Roundup does with values.

Written after what a running Roundup 2.6 answers; knows no HTTP. `Refusal` is an answer with its status and words.
"""

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any

SCHEMA: dict[str, dict[str, str]] = {
    "issue": {
        "title": "string",
        "messages": "links msg",
        "files": "links file",
        "nosy": "links user",
        "superseder": "links issue",
        "assignedto": "link user",
        "keyword": "links keyword",
        "priority": "link priority",
        "status": "link status",
        "extref": "string",
        "times": "links timelog",
        "due": "date",
    },
    "msg": {
        "author": "link user",
        "content": "content",
        "date": "date",
        "files": "links file",
        "inreplyto": "string",
        "internal": "flag",
        "messageid": "string",
        "summary": "string",
    },
    "file": {"name": "string", "type": "string", "content": "content"},
    "timelog": {"period": "interval", "date": "date", "summary": "string"},
    "user": {"username": "string", "realname": "string", "address": "string", "timezone": "string"},
    "status": {"name": "string", "order": "number"},
    "priority": {"name": "string", "order": "number"},
    "keyword": {"name": "string"},
}
PROTECTED = {"id": "string", "creation": "date", "activity": "date", "creator": "link user", "actor": "link user"}
KEYS = {"user": "username", "status": "name", "priority": "name", "keyword": "name"}
STATUSES = ("unread", "deferred", "chatting", "need-eg", "in-progress", "testing", "done-cbb", "resolved")
PRIORITIES = ("critical", "urgent", "bug", "feature", "wish")
QUIET = ("unread", "resolved", "done-cbb")
DATE = re.compile(r"(\d{4}-\d\d-\d\d)[.T](\d\d:\d\d:\d\d)(\+0000)?")

Row = dict[str, Any]


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class Database:
    """Rows by class and id. now: microseconds since 1970."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.schema = SCHEMA
        self.classes: dict[str, dict[str, Row]] = {name: {} for name in SCHEMA}
        self.data: dict[str, bytes] = {}
        for klass, names in (("status", STATUSES), ("priority", PRIORITIES)):
            for order, name in enumerate(names, 1):
                self.make(klass, {"name": name, "order": str(order)}, "")

    def props(self, klass: str) -> dict[str, str]:
        """A class's fields, also those that nobody sets."""
        if klass not in self.schema:
            raise Refusal(404, f"Class {klass} not found")
        return {**self.schema[klass], **PROTECTED}

    def row(self, klass: str, number: str) -> Row:
        """A thing, retired or not; a user also by login."""
        self.props(klass)
        found = self.classes[klass].get(number)
        if found is None and klass in KEYS:
            found = next((one for one in self.classes[klass].values() if one[KEYS[klass]] == number), None)
        if found is None:
            raise Refusal(404, f"no such {klass} {number}")
        return found

    def make(self, klass: str, values: Mapping[str, Any], by: str) -> str:
        """A new thing; its id."""
        now = self.now()
        row: Row = {name: [] if kind.startswith("links") else None for name, kind in self.schema[klass].items()}
        number = str(len(self.classes[klass]) + 1)
        row |= {"id": number, "creation": now, "activity": now, "creator": by, "actor": by, "retired": False}
        taken = self._taken(klass, values)
        for name, value in taken.items():
            if value is None and self.schema[klass][name] == "string" and name in values:
                raise Refusal(409, f'new property "{name}" not a string')
            if value == []:
                raise Refusal(409, "'NoneType' object is not iterable")
        if klass == "msg" and not taken.get("content"):
            raise Refusal(409, "object of type 'NoneType' has no len()")
        if klass == "issue":
            if taken.get("title", "") is None:
                raise Refusal(409, 'new property "title" not a string')
            self._authors(taken.get("messages") or [])
            taken["status"] = taken.get("status") or "1"
        self.classes[klass][number] = row | taken
        return number

    def set(self, klass: str, number: str, values: Mapping[str, Any], by: str) -> dict[str, Any]:
        """Changes a thing; what has changed."""
        row = self.row(klass, number)
        if row["retired"]:
            raise Refusal(409, "Requested item is retired")
        taken = self._taken(klass, values)
        if taken.get("title", "") is None or (klass == "msg" and taken.get("content", "") is None):
            raise Refusal(409, "new property not a string")
        if klass == "issue" and "messages" in taken and taken["messages"] != row["messages"]:
            if values["messages"] == []:
                raise Refusal(409, "'NoneType' object is not iterable")
            self._authors(taken["messages"])
            status = row["status"] and self.classes["status"][row["status"]]["name"]
            if "status" not in taken and status in (*QUIET, None):
                taken["status"] = self.lookup("status", "chatting")
        changed = {name: value for name, value in taken.items() if row[name] != value}
        if changed:
            row.update(changed, activity=self.now(), actor=by)
        return changed

    def remove(self, number: str, message: str, by: str) -> dict[str, Any]:
        """Takes a message off an issue, the last one, too."""
        left = [one for one in self.row("issue", number)["messages"] if one != message]
        return self.set("issue", number, {"messages": ",".join(left)}, by)

    def _authors(self, messages: list[str]) -> None:
        if any(self.classes["msg"][one]["author"] is None for one in messages):
            raise Refusal(409, "no such user None")

    def _taken(self, klass: str, values: Mapping[str, Any]) -> Row:
        """Values as Roundup takes them: null is not sent, empty is none."""
        props = self.schema[klass]
        taken: Row = {}
        for name, value in values.items():
            if name in PROTECTED or value is None:
                continue
            if name not in props:
                raise Refusal(400, f"Property {name} not found in class {klass}")
            taken[name] = self._value(klass, name, props[name], value)
        return taken

    def _value(self, klass: str, name: str, kind: str, value: Any) -> Any:
        sort, _, other = kind.partition(" ")
        if sort == "links":
            if isinstance(value, list) and not all(isinstance(one, str) for one in value):
                raise Refusal(405, "'int' object has no attribute 'strip'")
            names = value if isinstance(value, list) else [one for one in value.split(",") if one]
            return sorted({self._link(name, other, one) for one in names}, key=int)
        if value in ("", "-1") and sort == "link":
            return None
        if sort == "link":
            return self._link(name, other, value)
        if sort == "flag":
            return int(value in (True, "yes", "1", "true"))
        if not isinstance(value, str):
            raise Refusal(405, f"'{type(value).__name__}' object has no attribute 'strip'")
        if sort == "date" and value:
            return self.moment(value)
        if sort == "interval" and value:
            if not re.fullmatch(r"\d+:\d\d(:\d\d)?", value):
                raise Refusal(400, f"property {name}: {value!r} is an invalid time interval")
            hours, minutes = value.split(":")[:2]
            return f"+ {int(hours)}:{minutes}"
        text = value.strip()
        if sort == "string":
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return text or ("" if name == "title" and value else None)

    def _link(self, name: str, klass: str, value: str) -> str:
        if value.lstrip("+-").isdecimal():
            if value not in self.classes[klass]:
                raise Refusal(409, f"{klass} has no node {value}")
            return value
        try:
            return self.lookup(klass, value)
        except KeyError:
            raise Refusal(400, f"property {name}: {value!r} is not a {klass}.") from None

    def lookup(self, klass: str, name: str) -> str:
        """The id of a thing by its name."""
        for number, row in self.classes[klass].items():
            if not row["retired"] and row[KEYS[klass]] == name:
                return number
        raise KeyError(name)

    def moment(self, value: str) -> int:
        """A date. Without an offset it would be local time, which nobody may rely on."""
        if value == ".":
            return self.now()
        match = DATE.fullmatch(value)
        if not match:
            raise Refusal(400, f"'{value}' is not a date / time spec")
        assert match[3], f"{value} is read in the account's time zone"
        told = datetime.datetime.fromisoformat(f"{match[1]}T{match[2]}+00:00")
        return int(told.timestamp()) * 1_000_000

    def shown(self, klass: str, row: Row, path: str, verbose: int) -> Any:
        """What is told of a field, perhaps one of what another field leads to."""
        name, _, rest = path.partition(".")
        kind = self.props(klass).get(name)
        if kind is None:
            raise Refusal(400, f"'Unknown property: {name}'")
        sort, _, other = kind.partition(" ")
        if rest:
            if sort == "links":
                raise Refusal(400, f"Multilink Traversal not allowed: {path}")
            if sort != "link":
                raise Refusal(400, f"Property {name} can not be dereferenced in {path}.")
            self.shown_kind(other, rest)
            return None if not row[name] else self.shown(other, self.classes[other][row[name]], rest, verbose)
        value = row[name]
        if sort == "date" and value is not None:
            return f"{datetime.datetime.fromtimestamp(value // 1_000_000, datetime.UTC):%Y-%m-%d.%H:%M:%S}"
        if sort == "content" and verbose < 3:
            return {"link": f"{klass}{row['id']}/"}
        if verbose and sort == "link" and value:
            return self._linked(other, value, verbose)
        if verbose and sort == "links":
            return [self._linked(other, one, verbose) for one in value]
        return list(value) if sort == "links" else value

    def shown_kind(self, klass: str, path: str) -> None:
        """Refuses a field that does not exist, also where there is nothing to show."""
        name, _, rest = path.partition(".")
        kind = self.props(klass).get(name)
        if kind is None:
            raise Refusal(400, f"'Unknown property: {path}'")
        sort, _, other = kind.partition(" ")
        if rest and sort == "links":
            raise Refusal(400, f"Multilink Traversal not allowed: {path}")
        if rest and sort != "link":
            raise Refusal(400, f"Property {name} can not be dereferenced in {path}.")
        if rest:
            self.shown_kind(other, rest)

    def _linked(self, klass: str, number: str, verbose: int) -> dict[str, Any]:
        told = {"id": number, "link": f"http://tracker/rest/data/{klass}/{number}"}
        if verbose > 1 and klass in KEYS:
            told[KEYS[klass]] = self.classes[klass][number][KEYS[klass]]
        return told
