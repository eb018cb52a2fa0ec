"""What was written, in words: for the report of a write, for the log and for the diff."""

from collections.abc import Iterable
from datetime import tzinfo
from typing import Protocol

from chit.language import translate
from chit.text import clean, shorten
from chit_sync.registers import Value
from chit_sync.schema import FIELDS, type_of
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
    return [*found, *(_item(key, named, zone) for key, named in items.items())]


def _field(step: Step, zone: tzinfo) -> str:
    if step.path.startswith("labels/"):
        return f"{'+' if step.new else '-'}{clean(step.path[7:])}"
    if step.path == "deleted":
        return translate("deleted") if step.new else translate("brought back")
    old, new = (readable(step.path, value, zone) for value in (step.old, step.new))
    name = translate(step.path) if step.path in FIELDS else step.path
    if step.new is None:
        return translate("{field} cleared", field=name)
    return f"{name} {new}" if step.old is None or step.old == step.new else f"{name} {old} → {new}"


def _item(key: str, named: dict[str, Step], zone: tzinfo) -> str:
    kind, _, ident = key.partition("/")
    if "held" in named or kind in ("handoff", "move", "question"):
        from chit import moved

        return moved.held(kind, ident, named) if "held" in named else moved.told(kind, ident, named, zone)
    if "deleted" in named and named["deleted"].new:
        name = translate("time entry") if kind == "time" else translate(kind)
        return translate("took away {kind} {id}", kind=name, id=ident[:8])
    if kind == "comment" and "body" in named:
        body = named["body"]
        how = translate("said") if body.old is None else translate("rewrote {id}", id=ident[:8])
        visibility = named["visibility"].new if "visibility" in named else "public"
        return f"{how}{'' if visibility == 'public' else f' ({visibility})'}: {brief(body.new)}"
    if kind == "attachment" and "name" in named:
        return translate("attached {name}", name=brief(named["name"].new))
    if kind == "link" and "kind" in named:
        return f"{named['kind'].new} {str(named['target'].new)[:8] if 'target' in named else ''}"
    if kind in ("time", "charge") and not {"minutes", "date", "note", "amount", "currency"}.isdisjoint(named):
        return _work(kind, ident, named, zone)
    # Whom an item is for goes without saying, where anything else was written with it.
    told = {name: step for name, step in named.items() if name != "to"} or named
    return ", ".join(f"{kind} {ident[:8]} {name} {brief(step.new)}" for name, step in told.items())


def _work(kind: str, ident: str, named: dict[str, Step], zone: tzinfo) -> str:
    """A time entry or a charge: recorded, or what was corrected in it."""
    parts = ("minutes", "date", "note") if kind == "time" else ("amount", "currency", "note")
    new = {name: _part(name, step.new, zone) for name, step in named.items()}
    if all(name in named and named[name].old is None for name in parts[:2]):
        first, second = new[parts[0]], new[parts[1]]
        if kind == "time":
            text = translate("worked {span} on {date}", span=first, date=second)
        else:
            text = translate("charged {amount} {currency}", amount=first, currency=second)
        internal = "visibility" in named and named["visibility"].new == "internal"
        note = f": {new['note']}" if "note" in named else ""
        return f"{text}{' (internal)' if internal else ''}{note}"
    changes = [
        new[name] if named[name].old is None else f"{_part(name, named[name].old, zone)} → {new[name]}"
        for name in parts
        if name in named
    ]
    name = translate("time entry {id}", id=ident[:8]) if kind == "time" else translate("charge {id}", id=ident[:8])
    return f"{name}: {', '.join(changes)}"


def _part(name: str, value: Value, zone: tzinfo) -> str:
    """A value of a time entry or a charge, for a person."""
    if value is None:
        return translate("(empty)")
    if name == "minutes" and isinstance(value, int):
        from chit_sync.work import spell_span

        return spell_span(value)
    if name == "date" and isinstance(value, int):
        from chit_sync.times import local

        return local(value, zone)[:10]
    return brief(" ".join(str(value).split()))


def readable(path: str, value: Value, zone: tzinfo) -> str:
    """A value for a person."""
    if isinstance(value, int) and type_of(path) == "time":
        from chit_sync.times import local

        return local(value, zone)
    if value is None:
        return translate("(empty)")
    return translate("yes") if value is True else brief(value)


def exact(path: str, value: Value) -> str:
    """A value for a program: whole, times as ISO 8601 UTC, nothing for None."""
    if value is None:
        return ""
    if type_of(path) == "time":
        return iso(value) or ""
    return "true" if value is True else str(value)


def brief(value: Value) -> str:
    """A value in a few characters."""
    return shorten(clean(str(value).replace("\n", " ")), _LONGEST)
