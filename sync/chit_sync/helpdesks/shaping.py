"""What a helpdesk shows, in the shapes of changes: values that fit their paths, changes of a size that every store takes. Pure."""

from collections.abc import Callable, Iterator, Mapping

from chit_sync import checks
from chit_sync.change import MAX_CHANGE, Change, encode
from chit_sync.helpdesks.agreed import ATTACHMENT, COMMENT, TIME, marks
from chit_sync.helpdesks.base import Comment, File, Work
from chit_sync.policy import MAX_PATHS
from chit_sync.registers import Value


def too_large(change: Change) -> str:
    """Why its bytes are more than a change may have: only one alone of which nearly each character takes several can be."""
    if len(change.set) > 1 or not any(
        isinstance(value, str) and 6 * len(value) > MAX_CHANGE // 2 for value in change.set.values()
    ):
        return ""
    size = len(encode(change))
    return f"it takes {size:,} bytes; at most {MAX_CHANGE:,} are allowed" if size > MAX_CHANGE else ""


def parts(sets: Mapping[str, Value]) -> Iterator[dict[str, Value]]:
    """The values, sorted, in as few changes as they fit into."""
    some: dict[str, Value] = {}
    room = MAX_CHANGE // 2
    for path, value in sorted(sets.items()):
        # No character takes more than six bytes, however it is spelled.
        size = len(path) + (6 * len(value) if isinstance(value, str) else 20)
        if some and (size > room or len(some) >= MAX_PATHS):
            yield some
            some, room = {}, MAX_CHANGE // 2
        some[path] = value
        room -= size
    yield some


def said(kind: str, fields: Mapping[str, Value], stored: Callable[[str, Value], Value]) -> str:
    """The mark of an item as the helpdesk shows it after a call with these fields made it."""
    seen = _seen(bool(fields.get("public")))
    if kind == COMMENT:
        return marks(stored(COMMENT, fields["body"]), seen)
    if kind == ATTACHMENT:
        return marks(stored("filename", fields["name"]), seen)  # its size is not always told, and does not change
    minutes, date, note = (stored(f"{TIME}.{name}", fields.get(name)) for name in ("minutes", "date", "note"))
    return marks(minutes, date, note or None, "internal")


def of_comment(one: Comment) -> dict[str, Value]:
    """A comment there as what stands at the paths of its item here."""
    return {"body": one.body, "visibility": _seen(one.public)}


def of_file(one: File) -> dict[str, Value]:
    """A file there as what stands at the paths of its item here."""
    return {"name": one.name, "size": one.size if one.size >= 0 else None, "visibility": _seen(one.public)}


def of_work(one: Work) -> dict[str, Value]:
    """Time spent there as what stands at the paths of its item here."""
    return {"minutes": one.minutes, "date": one.date, "note": one.note or None, "visibility": "internal"}


def _seen(public: bool) -> str:
    return "public" if public else "internal"


def fit(path: str, value: Value) -> Value:
    """A value from outside in the form that its path asks for: lines lose their breaks. Raises UsageError for what cannot stand there."""
    if isinstance(value, str):
        kind = checks.field_of(path).type
        if kind == "line" and not path.startswith("x."):
            value = (
                " ".join("".join(char if char.isprintable() else " " for char in value).split())
                if not value.isprintable()
                else value
            )
        value = value or None
    checks.check(path, value)
    return value
