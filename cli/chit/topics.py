"""What `chit help TOPIC` says. Made from the tables that the program itself works by, so that it cannot go stale."""

import json
from collections.abc import Callable
from typing import Any

from chit.errors import MEANINGS
from chit.language import translate
from chit_sync import schema
from chit_sync.ticket import SCHEMA


def priorities() -> str:
    """The levels of priority and what each means."""
    lines = [f"{rank}  {choice.name:<9} {translate(choice.help)}" for rank, choice in enumerate(schema.PRIORITIES, 1)]
    head = translate("Priorities, the most urgent first. The number may be typed for the name.")
    return f"{head}\n\n" + "\n".join(lines) + "\n"


def fields() -> str:
    """The fields of a ticket."""
    lines = [
        translate("The fields of a ticket. `chit edit TICKET --FIELD VALUE` sets one, an empty value clears it."),
        "",
    ]
    for field in schema.FIELDS.values():
        if field.writer == "person":
            lines.append(f"{field.name:<14} {translate(field.help)}")
            lines += [f"{'':<16}{choice.name:<10} {translate(choice.help)}" for choice in field.choices]
    lines += [f"{'labels':<14} {translate(schema.LABELS.help)}", f"{'x.NAME':<14} {translate(schema.CUSTOM.help)}"]
    return "\n".join(lines) + "\n"


def exit_codes() -> str:
    """What each exit code means."""
    return (
        translate("Exit codes; they do not change.")
        + "\n\n"
        + "\n".join(f"{code:>4}  {translate(text)}" for code, text in MEANINGS.items())
        + "\n"
    )


def options() -> str:
    """The options that every command has."""
    import click

    from chit.framework import GLOBAL_OPTIONS, help_records, root

    records = help_records(GLOBAL_OPTIONS, click.Context(root))
    widest = max(len(names) for names, _ in records)
    lines = [f"{names:<{widest}}  {text}" for names, text in records]
    head = translate("Options that every command has, before or after its name.")
    return f"{head}\n\n" + "\n".join(lines) + "\n"


def queries() -> str:
    """The query language."""
    from chit_sync.query.help import HELP

    return translate(HELP)


_ADDRESS = """\
A helpdesk is a remote like any other. Its address, which belongs in quotes, says of which kind
it is, where it is, and what is followed there:"""

_FOLLOWED = """\
?queue=NAME follows one queue (or project), &queue=NAME another one, and ?query=TEXT what a search
in the helpdesk's own language finds. Without them all tickets are followed that the account sees.

`chit auth login` keeps a token for it or, with --user, login and password. `chit remote show` says
what it carries and what it does not.

Its words for statuses, priorities, people, queues and custom fields are mapped by tables, which are
made from what the helpdesk says of itself. `chit remote show --mapping` prints them as they can
stand in .chit/config.toml or your own config.toml; what stands there goes before:"""

_TABLE = """\
    [helpdesk.origin.status]
    "In Progress" = "open"

    [helpdesk.origin.people]
    aberg = "anna\""""

_UNMAPPED = """\
Of several words that mean the same the first one is written. A value that no table knows is not
guessed: it alone is kept back, and `chit status` shows it.

The tables are {tables}; beside them there are the settings"""


def helpdesks() -> str:
    """How helpdesks are addressed and configured."""
    from chit_sync import config
    from chit_sync.helpdesks.address import KINDS
    from chit_sync.helpdesks.settings import TABLES

    addresses = "\n".join(f"    {kind}+https://desk.example/?queue=Support" for kind in KINDS)
    settings = "\n".join(
        f"    {'helpdesk.REMOTE.' + name:<22} {translate(setting.help)}"
        for name, setting in config.OF_HELPDESKS.items()
    )
    parts = [
        translate(_ADDRESS),
        addresses,
        translate(_FOLLOWED),
        _TABLE,
        translate(_UNMAPPED, tables=", ".join(TABLES)),
        settings,
    ]
    return "\n\n".join(parts) + "\n"


TOPICS: dict[str, Callable[[], str]] = {
    "queries": queries,
    "priorities": priorities,
    "fields": fields,
    "exit-codes": exit_codes,
    "options": options,
    "helpdesks": helpdesks,
}


def json_schema() -> str:
    """The JSON Schema of `chit.ticket/1`."""
    return json.dumps(ticket_schema(), indent=2, ensure_ascii=False)


def ticket_schema() -> dict[str, Any]:
    """The JSON Schema of what `--json` prints for a ticket."""
    text: dict[str, Any] = {"type": "string"}
    time = {"type": "string", "format": "date-time"}
    flag = {"type": "boolean"}
    count = {"type": "integer"}
    value: dict[str, Any] = {"type": ["string", "integer", "boolean", "null"]}
    properties: dict[str, Any] = {"schema": {"const": SCHEMA}, "id": text, "number": {"type": ["integer", "null"]}}
    for field in schema.FIELDS.values():
        properties[field.name] = {"description": field.help, **_type(field)}
    item = {"id": text, "author": text, "time": time, "visibility": {"enum": [one.name for one in schema.VISIBILITIES]}}
    maybe: dict[str, Any] = {"type": ["string", "null"]}
    shared = {"to": maybe, "held": maybe}
    properties |= {
        "category": {"enum": list(schema.CATEGORIES)},
        "labels": {"type": "array", "items": text},
        "custom": {"type": "object", "additionalProperties": value},
        "created": time,
        "updated": time,
        "author": text,
        "comments": _list({**item, "body": text, **shared}),
        "attachments": _list({**item, "name": text, "sha256": maybe, "size": count, "here": flag, **shared}),
        "times": _list(
            {
                "id": text,
                "author": text,
                "date": time,
                "minutes": count,
                "note": text,
                "visibility": item["visibility"],
                **shared,
            }
        ),
        "charges": _list({**item, "amount": text, "currency": text, "note": text, "bundle": maybe, **shared}),
        "questions": _list({"id": text, "author": text, "time": time, "body": text, "answer": maybe, **shared}),
        "partner": maybe,
        "handoff": {"enum": [*(choice.name for choice in schema.HANDOFF_STATUSES), None]},
        "handoffs": _list(
            {
                "id": text,
                **{
                    field.name: {"description": field.help, **_type(field)}
                    for field in schema.ITEMS["handoff"].values()
                },
                "partner": text,
                "provisional": _list({"verb": text, "by": text, "time": time}),
            }
        ),
        "links": _list({"id": text, "kind": text, "ticket": text, "title": {"type": ["string", "null"]}}),
        "remotes": _list({"remote": text, "number": count}),
        "conflicts": _list({"path": text, "shown": value, "others": {"type": "array", "items": value}}),
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": SCHEMA, **_object(properties)}


def _type(field: schema.Field) -> dict[str, Any]:
    if field.type == "flag":
        return {"type": "boolean"}
    if field.type == "count":
        return {"type": ["integer", "null"]}
    if field.type == "time":
        return {"type": ["string", "null"], "format": "date-time"}
    if field.choices:
        return {"enum": [*(choice.name for choice in field.choices), None]}
    return {"type": ["string", "null"]}


def _list(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": _object(properties)}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}
