"""From a call to what is sent to Request Tracker. Pure.

A PUT answers success whatever it refuses, so what cannot be carried is refused here, and what came of the rest is to be read back.
"""

from collections.abc import Callable, Mapping
from typing import Any

from chit_sync.helpdesks import rt_marks
from chit_sync.helpdesks.base import Call, RefusedError
from chit_sync.helpdesks.rt_reading import is_reference
from chit_sync.registers import Value

_LINKS = {"blocks": "DependedOnBy", "parent-of": "Child", "relates": "RefersTo"}
_AT_ONCE = frozenset(("new", "open"))
"""Statuses that a new ticket may have."""

KEPT = "Request Tracker keeps the description as it was filed"

Several = Callable[[str], bool]
"""Whether a custom field of that name holds several values."""


def create(
    fields: Mapping[str, Value], token: str, reference: str, several: Several
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body that makes a ticket, and of a PUT after it that makes it whole; empty if there is nothing to be done.

    reference: the custom field for our id; without one it goes into the description.
    """
    if not fields.get("queue"):
        raise RefusedError(
            "a new ticket in Request Tracker needs a queue", "Name one with --queue, or in the remote's address."
        )
    first = {
        path: value for path, value in fields.items() if path not in ("description", "status") and value is not None
    }
    body = update(first, several)
    status = fields.get("status")
    if status in _AT_ONCE:
        body["Status"] = status
    description = str(fields.get("description") or "")
    if reference:
        body.setdefault("CustomFields", {})[reference] = token
    elif token:
        description = rt_marks.marked(description, token)
    if description:
        body |= {"Content": description, "ContentType": "text/plain"}
    return body, {"Status": status} if status and status not in _AT_ONCE else {}


def update(fields: Mapping[str, Value], several: Several) -> dict[str, Any]:
    """The body that sets fields. The description is left out: it cannot be changed."""
    body: dict[str, Any] = {}
    customs: dict[str, Any] = {}
    for path, value in fields.items():
        if path.startswith("x."):
            name = path[2:]
            if is_reference(name):
                raise RefusedError(f"{name} holds the number that chit knows the ticket by")
            customs[name] = _custom(value, several=several(name))
        elif path != "description":
            name, written = _field(path, value)
            body[name] = written
    if not body and not customs:
        raise RefusedError(KEPT)
    if customs:
        body["CustomFields"] = customs
    return body


def _custom(value: Value, *, several: bool) -> Any:
    if several:
        return [line for line in str(value).split("\n") if line] if value is not None else []
    return None if value is None else str(value)


def _field(path: str, value: Value) -> tuple[str, Any]:
    empty = value is None
    match path:
        case "title":
            return "Subject", "" if empty else str(value)
        case "priority":
            text = str(value)
            return "Priority", 0 if empty else int(text) if text.isascii() and text.isdecimal() else text
        case "assignee":
            return "Owner", "Nobody" if empty else str(value)
        case "requester":
            return "Requestor", [] if empty else [str(value)]
        case "due":
            return "Due", rt_marks.sql_time(value) if isinstance(value, int) else ""
        case "status" | "queue":
            if empty:
                raise RefusedError(f"a ticket in Request Tracker always has a {path}")
            return path.capitalize(), str(value)
    raise RefusedError(f"Request Tracker has no place for {path}")


def link(call: Call) -> dict[str, Any]:
    """The body that adds or takes away a link."""
    kind = str(call.fields.get("kind"))
    name = _LINKS.get(kind)
    if name is None:
        raise RefusedError(f"Request Tracker has no links of the kind {kind}")
    return {("Add" if call.verb == "link" else "Delete") + name: [call.fields.get("other")]}


def message(call: Call, title: str) -> tuple[str, dict[str, Any]]:
    """The action (comment, correspond) and the message of a call that says something. title: the ticket's."""
    fields = call.fields
    public = bool(fields.get("public"))
    action = "correspond" if public else "comment"
    if call.verb == "attach":
        return action, {"Subject": rt_marks.file(call.token)}
    if call.verb == "time":
        date = fields.get("date")
        text = str(fields.get("note") or "")
        subject = rt_marks.time(call.token, date if isinstance(date, int) else 0)
        body: dict[str, Any] = {"Subject": subject, "TimeTaken": fields.get("minutes") or 0}
        return "comment", body | ({"Content": text, "ContentType": "text/plain"} if text else {})
    subject = rt_marks.comment(call.token, title, public=public)
    return action, {"Subject": subject, "Content": str(fields.get("body") or ""), "ContentType": "text/plain"}
