"""What was written, in words: for the report of a write, for the log and for the diff."""

from collections.abc import Iterable
from datetime import tzinfo
from typing import Protocol

from chit.language import translate
from chit.text import clean, shorten
from chit_sync.registers import Value
from chit_sync.schema import FIELDS
from chit_sync.ticket import iso

_LONGEST = 60


class Step(Protocol):
    """A path that was written, with what was there before."""

    @property
    def path(self) -> str: ...
    @property
    def old(self) -> Value: ...
    @property
    def new(self) -> Value: ...


def sentences(steps: Iterable[Step], zone: tzinfo) -> list[str]:
    """A few words for each thing that was done; the paths of one item make one thing."""
    found: list[str] = []
    items: dict[str, dict[str, Step]] = {}
    for step in steps:
        key, _, name = step.path.rpartition("/")
        if key.count("/") == 1 and not step.path.startswith("labels/"):
            items.setdefault(key, {})[name] = step
        else:
            found.append(_field(step, zone))
    return [*found, *(_item(key, named) for key, named in items.items())]


def _field(step: Step, zone: tzinfo) -> str:
    if step.path.startswith("labels/"):
        return f"{'+' if step.new else '-'}{clean(step.path[7:])}"
    if step.path == "deleted":
        return translate("deleted") if step.new else translate("brought back")
    old, new = (readable(step.path, value, zone) for value in (step.old, step.new))
    name = translate(step.path) if step.path in FIELDS else step.path
    if step.new is None:
        return translate("{field} cleared", field=name)
    return f"{name} {new}" if step.old is None else f"{name} {old} → {new}"


def _item(key: str, named: dict[str, Step]) -> str:
    kind, _, ident = key.partition("/")
    if "deleted" in named and named["deleted"].new:
        return translate("took away {kind} {id}", kind=translate(kind), id=ident[:8])
    if kind == "comment" and "body" in named:
        body = named["body"]
        how = translate("said") if body.old is None else translate("rewrote {id}", id=ident[:8])
        visibility = named["visibility"].new if "visibility" in named else "public"
        return f"{how}{'' if visibility == 'public' else f' ({visibility})'}: {brief(body.new)}"
    if kind == "attachment" and "name" in named:
        return translate("attached {name}", name=brief(named["name"].new))
    if kind == "link" and "kind" in named:
        return f"{named['kind'].new} {str(named['target'].new)[:8] if 'target' in named else ''}"
    return ", ".join(f"{kind} {ident[:8]} {name} {brief(step.new)}" for name, step in named.items())


def readable(path: str, value: Value, zone: tzinfo) -> str:
    """A value for a person."""
    if path in FIELDS and FIELDS[path].type == "time" and isinstance(value, int):
        from chit_sync.times import local

        return local(value, zone)
    if value is None:
        return translate("(empty)")
    return translate("yes") if value is True else brief(value)


def exact(path: str, value: Value) -> str:
    """A value for a program: whole, times as ISO 8601 UTC, nothing for None."""
    if value is None:
        return ""
    if path in FIELDS and FIELDS[path].type == "time":
        return iso(value) or ""
    return "true" if value is True else str(value)


def brief(value: Value) -> str:
    """A value in a few characters."""
    return shorten(clean(str(value).replace("\n", " ")), _LONGEST)
