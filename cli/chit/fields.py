"""From options to what is to be written: `--priority high --label ci --set x.serial=7` to paths and values."""

from collections.abc import Mapping, Sequence
from typing import Any

from chit.context import App
from chit_sync import schema
from chit_sync.errors import UsageError
from chit_sync.registers import Value


def wanted(app: App, given: Mapping[str, Any], labels: Sequence[str], custom: Sequence[str]) -> dict[str, Value]:
    """Paths and values that the options ask for. Raises UsageError for a field or value that there is not."""
    found: dict[str, Value] = {}
    for name, value in given.items():
        if value is not None:
            found[name] = parse(app, name, value)
    for label in (name for given_labels in labels for name in given_labels.split(",")):
        name = label.removeprefix("-").removeprefix("+")
        schema.check_label(name)
        found[f"labels/{name}"] = None if label.startswith("-") else True
    for assignment in custom:
        name, mark, value = assignment.partition("=")
        if not mark:
            raise UsageError(f"--set takes FIELD=VALUE, not {assignment!r}")
        found[name] = parse(app, name, value)
    return found


def parse(app: App, name: str, text: str | bool) -> Value:
    """A value for a field, from what a person typed; empty text clears the field."""
    field = _field(name)
    if isinstance(text, bool):
        return True if text else None
    if text == "" or (text == "none" and field.type != "text"):
        return None
    if field.type == "time":
        from chit_sync.times import deadline

        return deadline(text, app.now, app.zone)
    if field.type == "flag":
        if text.lower() not in ("true", "false", "yes", "no", "1", "0"):
            raise UsageError(f"{name} is true or false, not {text!r}")
        return True if text.lower() in ("true", "yes", "1") else None
    if name in ("assignee", "requester") and text == "@me":
        return app.actor
    if name == "priority" and text.isdecimal() and 1 <= int(text) <= len(schema.PRIORITIES):
        return schema.PRIORITIES[int(text) - 1].name
    if name == "priority" and text not in schema.PRIORITY_RANK:
        raise UsageError(
            f"there is no priority {text!r}",
            f"There are: {', '.join(schema.PRIORITY_RANK)}; `chit help priorities` explains them.",
        )
    return text


def _field(name: str) -> schema.Field:
    try:
        field = schema.field_of(name)
    except UsageError as error:
        raise UsageError(error.message, suggestion(name)) from None
    if field.writer != "person" or "/" in name:
        raise UsageError(f"{name} is not a field that is set by hand", suggestion(name))
    return field


def suggestion(name: str) -> str:
    """What may have been meant by the name of a field."""
    from difflib import get_close_matches

    close = get_close_matches(name, schema.FIELDS, 1)
    if close:
        return f"Did you mean {close[0]}?"
    return f"There are: {', '.join(field.name for field in schema.FIELDS.values() if field.writer == 'person')}, and x.NAME."
