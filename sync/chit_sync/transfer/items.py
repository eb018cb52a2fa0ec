"""Comments and links that rows carry, as lists of objects or in columns of their own. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from chit_sync import checks, ids, schema
from chit_sync.errors import UsageError
from chit_sync.registers import Value
from chit_sync.transfer.mapping import Items, Map
from chit_sync.transfer.report import Unfit
from chit_sync.transfer.rules import Cells, Nested
from chit_sync.transfer.source import cells_of

INVERSE = {seen: kind for kind, seen in schema.LINK_KINDS.items() if seen != kind}
"""What a link is called from its other end, to its kind."""


class Said(NamedTuple):
    """A comment: its paths, and when and by whom it was made."""

    time: int
    by: str
    sets: dict[str, Value]


class Tie(NamedTuple):
    """A link between two keys of the file. line: of the row that told of it."""

    line: int
    holder: str
    kind: str
    target: str
    time: int
    by: str


def comments(mapping: Map, key: str, cells: Cells, before: Cells | None, time: int, by: str) -> list[Said]:
    """The comments of a row. before: the ticket's row before it; what its columns say was said then. Raises Unfit."""
    found: list[Said] = []
    for items in mapping.comments:
        body_at = items.rules["body"].columns
        if items.place is None and before is not None and all(cells[place] == before[place] for place in body_at):
            continue
        for entry in _entries(items, cells):
            body = items.rules["body"](entry)
            if not isinstance(body, str) or not body.strip():
                continue
            when, author = _origin(items, entry, time, by)
            parts = [mapping.source, key, items.name]
            if "id" in items.rules:
                parts.append(_text(items, "id", entry))
            elif items.place is not None or mapping.rows == "events":
                parts += [str(when), author, body]
            item = f"comment/{ids.item_id(*parts)}/"
            visibility = items.rules["visibility"](entry) if "visibility" in items.rules else None
            sets: dict[str, Value] = {item + "body": body, item + "visibility": visibility or "public"}
            try:
                for path, value in sets.items():
                    checks.check(path, value)
            except UsageError as error:
                raise Unfit(f"a comment does not fit: {error.message}") from None
            found.append(Said(when, author, sets))
    return found


def links(mapping: Map, line: int, key: str, cells: Cells, time: int, by: str) -> list[Tie]:
    """The links of a row. Raises Unfit."""
    found: list[Tie] = []
    for items in mapping.links:
        for entry in _entries(items, cells):
            targets = items.rules["target"](entry)
            if not isinstance(targets, str):
                continue
            kind = _text(items, "kind", entry)
            if kind not in schema.LINK_KINDS and kind not in INVERSE:
                known = ", ".join(dict.fromkeys((*schema.LINK_KINDS, *INVERSE)))
                raise Unfit(f"{kind[:60]!r} is no kind of link; there are {known}")
            when, author = _origin(items, entry, time, by)
            for target in targets.split(items.separator) if items.separator else [targets]:
                target = target.strip()
                if not target:
                    continue
                if target == key:
                    raise Unfit(f"{key} is linked to itself")
                if kind in INVERSE:
                    found.append(Tie(line, target, INVERSE[kind], key, when, author))
                else:
                    found.append(Tie(line, key, kind, target, when, author))
    return found


def link_paths(source: str, tie: Tie) -> dict[str, Value]:
    """The paths of the link; its id follows from what it says, as that of a link that a person makes."""
    target = ids.ticket_id(source, tie.target)
    item = ids.item_id(tie.kind, target)
    return {f"link/{item}/kind": tie.kind, f"link/{item}/target": target}


def _entries(items: Items, cells: Cells) -> Iterator[Cells]:
    if items.place is None:
        yield cells
        return
    listed = cells[items.place]
    if listed == "":
        return
    if not isinstance(listed, Nested) or not isinstance(listed.found, list):
        raise Unfit(f"{items.name.partition('.')[0]} are a list of objects, not {str(listed)[:40]!r}")
    for entry in listed.found:
        if not isinstance(entry, dict):
            raise Unfit(f"{items.name.partition('.')[0]} are a list of objects; {str(entry)[:40]!r} is none")
        yield cells_of(entry, items.columns.names)


def _origin(items: Items, entry: Cells, time: int, by: str) -> tuple[int, str]:
    """When and by whom, where the entry itself says so."""
    when = items.rules["time"](entry) if "time" in items.rules else None
    author = items.rules["author"](entry) if "author" in items.rules else None
    return when if isinstance(when, int) else time, author if isinstance(author, str) else by


def _text(items: Items, part: str, entry: Cells) -> str:
    found = items.rules[part](entry)
    if not isinstance(found, str):
        raise Unfit(f"one of its {items.name.partition('.')[0]} has no {part}")
    return found
