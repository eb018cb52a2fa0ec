"""Fields of tickets and of time as Roundup takes them in a write. Asks for names only where a name could be mistaken for an id."""

from collections.abc import Collection, Mapping

from chit_sync.helpdesks.base import RefusedError
from chit_sync.helpdesks.roundup_asking import Rest
from chit_sync.helpdesks.roundup_reading import Custom, Shape, date, is_date, period
from chit_sync.helpdesks.roundup_tracker import labels
from chit_sync.registers import Value

CLEARED = ""
"""What empties a field: `null` would mean that it is not sent."""


class Fields:
    """Translates for a tracker of this shape."""

    def __init__(self, rest: Rest, shape: Shape) -> None:
        self._rest = rest
        self._shape = shape
        self._ids: dict[str, dict[str, str]] = {}

    def work(self, fields: Mapping[str, Value]) -> dict[str, object]:
        """An entry of a time log."""
        if not self._shape.times:
            raise RefusedError(f"{self._rest.where} keeps no time", "It has no class `timelog` in its schema.")
        body: dict[str, object] = {}
        length, done = fields.get("minutes"), fields.get("date")
        if isinstance(length, int):
            body["period"] = period(length)
        if isinstance(done, int):
            body["date"] = date(done)
        if "note" in fields:
            body["summary"] = str(fields["note"] or "")
        return body

    def ticket(self, fields: Mapping[str, Value], keywords: Collection[str]) -> dict[str, object]:
        """The fields of a ticket as Roundup takes them. keywords: the ids of those that it has."""
        shape = self._shape
        names = {"status": shape.status, "priority": shape.priority, "assignee": shape.assignee, "due": shape.due}
        classes = {"status": "status", "priority": "priority", "assignee": "user"}
        body: dict[str, object] = {}
        kept = list(keywords)
        for path, value in fields.items():
            if path == "title":
                body["title"] = self._title(value)
            elif path == "due" and shape.due:
                body[shape.due] = date(value) if isinstance(value, int) else CLEARED
            elif names.get(path):
                body[names[path]] = self._link(classes[path], value)
            elif path.startswith("labels/") and shape.keywords:
                kept = self._keyword(kept, path.removeprefix("labels/"), wanted=bool(value))
                body[shape.keywords] = kept
            elif path.startswith("x.") and (
                custom := next((one for one in shape.customs if one.name == path[2:]), None)
            ):
                body[custom.name] = self._custom(custom, value)
            elif path != "description" and (value is not None or path not in names):
                raise RefusedError(f"{self._rest.where} has no place for {path}, or lets nobody change it")
        return body

    def keyword(self, name: str) -> str:
        """The id of a keyword that is there."""
        if not self._shape.keywords:
            raise RefusedError(f"{self._rest.where} has no keywords")
        return self._id("keyword", name)

    def _title(self, value: Value) -> str:
        if not str(value or "").strip():
            raise RefusedError("a ticket needs a title", "Give it one.")
        return str(value)

    def _link(self, klass: str, value: Value, label: str = "") -> str:
        """A name as Roundup takes it for a link: one that could be taken for an id is looked up."""
        name = str(value or "")
        if not name or (not label and not name.lstrip("+-").isdecimal()):
            return name
        return self._id(klass, name, label)

    def _id(self, klass: str, name: str, label: str = "") -> str:
        if name not in self._ids.get(klass, {}):
            label = label or {"user": "username"}.get(klass, "name")
            self._ids[klass] = {said: one for one, said in labels(self._rest, klass, label).items()}
        if name not in self._ids[klass]:
            raise RefusedError(f"{self._rest.where} has no {klass} {name}")
        return self._ids[klass][name]

    def _keyword(self, kept: list[str], name: str, *, wanted: bool) -> list[str]:
        """The list with or without that keyword, which is made if there is none."""
        try:
            found = self._id("keyword", name)
        except RefusedError:
            if not wanted:
                return kept
            found = self._rest.post("keyword", {"name": name})
            self._ids["keyword"][name] = found
        rest = [one for one in kept if one != found]
        return [*rest, found] if wanted else rest

    def _custom(self, custom: Custom, value: Value) -> object:
        written = "" if value is None else str(value)
        if custom.kind == "links":
            return [self._id(custom.klass, name, custom.label) for name in written.split("\n") if name]
        if custom.kind == "link":
            return self._link(custom.klass, written, custom.label)
        return f"{written}+0000" if custom.kind == "date" and is_date(written) else written
