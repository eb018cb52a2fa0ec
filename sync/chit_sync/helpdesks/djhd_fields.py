"""Fields of ours in the JSON that django-helpdesk takes. Pure. Refuses what could not be, before anything is sent."""

from collections.abc import Mapping

from chit_sync.helpdesks.base import RefusedError
from chit_sync.helpdesks.djhd_reading import Words, is_number
from chit_sync.registers import Value
from chit_sync.times import from_stamp

Body = dict[str, object]
"""What is sent."""


def to_json(fields: Mapping[str, Value], words: Words, where: str) -> Body:
    """The fields but the description. Raises RefusedError for what they cannot be there."""
    body: Body = {}
    for path, value in fields.items():
        text = line(value)
        if path == "title":
            if not text:
                raise RefusedError(f"{where} takes no ticket without a title")
            body["title"] = text
        elif path == "status":
            body["status"] = _number(path, text, words.statuses, where)
        elif path == "priority":
            body["priority"] = _number(path, text, words.priorities, where)
        elif path == "queue":
            body["queue"] = _number(path, text, words.queues, where)
        elif path == "assignee":
            body["assigned_to"] = _number(path, text, {}, where) if text else None
        elif path == "requester":
            body["submitter_email"] = text or None
        elif path == "due":
            body["due_date"] = None if value is None else from_stamp(int(value)).isoformat()
        elif path == "x.resolution":
            body["resolution"] = text or None
        elif path == "x.on_hold":
            body["on_hold"] = text == "true"
        else:
            body.update(_custom(path, text, words, where))
    return body


def _custom(path: str, text: str, words: Words, where: str) -> Body:
    field = next((one for key, one in words.fields.items() if one.path == path and key != words.reference), None)
    if field is None:
        raise RefusedError(f"{where} has no field {path}")
    if not text:
        raise RefusedError(
            f"{where} cannot empty {path}: its interface refuses that for fields of its own",
            "Give it a value that means nothing, or empty it in the browser.",
        )
    if field.choices and text not in field.choices:
        raise RefusedError(f"{path} cannot be {text!r} at {where}", f"It is one of: {', '.join(field.choices)}.")
    return {field.key: text}


def _number(path: str, text: str, names: Mapping[int, str], where: str) -> int:
    for number, name in names.items():
        if name == text:
            return number
    if is_number(text):
        return int(text)
    raise RefusedError(
        f"{path} cannot be {text!r} at {where}" if text else f"{path} cannot be empty at {where}",
        f"It is one of: {', '.join(names.values())}." if names else "It is told by its number there.",
    )


def check(body: Body, where: str) -> None:
    """Raises RefusedError for a text that cannot be stored there."""
    for name, value in body.items():
        if isinstance(value, str) and "\0" in value:
            raise RefusedError(f"{where} takes no text with a NUL character ({name})")


def line(value: Value) -> str:
    """A text as the server keeps it: without space at its ends."""
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)
