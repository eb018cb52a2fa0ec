"""From options to what is to be written: `--priority high --label ci --set x.serial=7` to paths and values."""

from collections.abc import Mapping, Sequence
from typing import Any

from chit.context import App
from chit_sync import checks, schema
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
        checks.check_label(name)
        found[f"labels/{name}"] = None if label.startswith("-") else True
    for assignment in custom:
        name, mark, value = assignment.partition("=")
        if not mark:
            raise UsageError(f"--set takes FIELD=VALUE, not {assignment!r}", "For example --set queue=first-line.")
        found[name] = parse(app, name, value)
    return found


def shown(app: App, name: str, value: Value) -> str | bool:
    """A value as a person edits it; typed again it is the same, but for the seconds of a time."""
    field = checks.field_of(name)
    if field.type == "flag":
        return bool(value)
    if field.type == "time" and isinstance(value, int):
        from chit_sync.times import local

        return local(value, app.zone)
    return "" if value is None else str(value)


def typed(app: App, values: Mapping[str, Any], before: Mapping[str, str | bool]) -> dict[str, Value]:
    """What a person typed into the fields of a buffer that held `before`; what was left as it was is not in it.

    What is not there any more is cleared. `x.serial = …` without quotes is a table to TOML, and means the same.
    """
    flat = {name: value for name, value in values.items() if not isinstance(value, Mapping)}
    for name, table in values.items():
        if isinstance(table, Mapping):
            flat |= {f"{name}.{key}": value for key, value in table.items()}
    found: dict[str, Value] = {}
    for name, value in flat.items():
        text = value if isinstance(value, bool) else str(value)
        if text != before.get(name):
            found[name] = parse(app, name, text)
    return {**found, **{name: None for name in before if name not in flat}}


def parse(app: App, name: str, text: str | bool) -> Value:
    """A value for a field, from what a person typed; empty text clears the field."""
    field = _field(name)
    if isinstance(text, bool):
        return True if text else None
    if name == "title":
        text = text.strip()
        if not text:
            raise UsageError("the title is empty", "A ticket needs one line that says what it is about.")
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


_INSTEAD = {
    "merged": "`chit merge` does that.",
    "deleted": "`chit delete` does that.",
    "labels": "Labels are put on with --label, or with `chit label`.",
    "comment": "`chit comment` does that.",
    "attachment": "`chit attach` does that.",
    "link": "`chit link` does that.",
}


def _field(name: str) -> schema.Field:
    try:
        field = checks.field_of(name)
    except UsageError as error:
        raise UsageError(error.message, error.hint or suggestion(name)) from None
    if field.writer != "person" or "/" in name:
        raise UsageError(f"{name} is not a field that is set by hand", _INSTEAD.get(name.partition("/")[0], ""))
    return field


def suggestion(name: str) -> str:
    """What may have been meant by the name of a field."""
    from difflib import get_close_matches

    names = [field.name for field in schema.FIELDS.values() if field.writer == "person"]
    close = get_close_matches(name, names, 1)
    if close:
        return f"Did you mean {close[0]}?"
    return f"There are: {', '.join(names)}, and x.NAME."
