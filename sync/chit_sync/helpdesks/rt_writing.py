"""From a call to what is sent to Request Tracker. Pure.

A PUT answers success whatever it refuses, so what cannot be carried is refused here, and what came of the rest is to be read back.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from chit_sync.clock import SECOND
from chit_sync.helpdesks import rt_marks
from chit_sync.helpdesks.base import Call, RefusedError
from chit_sync.helpdesks.marking import is_reference, marked
from chit_sync.helpdesks.rt_answers import Ticket
from chit_sync.helpdesks.rt_reading import joined, title
from chit_sync.registers import Value

_LINKS = {"blocks": "DependedOnBy", "parent-of": "Child", "relates": "RefersTo"}
_AT_ONCE = frozenset(("new", "open"))
"""Statuses that a new ticket may have."""

MAX_FILENAME = 255

KEPT = "Request Tracker keeps the description as it was filed"

Several = Callable[[str], bool]
"""Whether a custom field of that name holds several values. Raises RefusedError if there is none."""


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
        description = marked(description, token)
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
            if empty:
                raise RefusedError("a ticket needs a title")
            return "Subject", str(value)
        case "priority":
            text = "0" if empty else str(value)
            if not (text.isascii() and text.isdecimal() and len(text) < 10):
                raise RefusedError(f"a priority in Request Tracker is a number, not {text[:40]!r}")
            return "Priority", int(text)
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


def shows(ticket: Ticket, path: str, value: Value) -> bool:
    """Whether a ticket shows a value that was written to it; of a requester only that there is one, since logins stand for addresses."""
    match path:
        case "title":
            return ticket.title == title(str(value or ""))
        case "status" | "queue":
            shown = ticket.status if path == "status" else ticket.queue
            return shown.casefold() == str(value).casefold()
        case "priority":
            return ticket.priority == str(value or 0)
        case "assignee":
            return ticket.owner.casefold() == str(value or "").casefold()
        case "requester":
            return bool(ticket.requestors) == bool(value)
        case "due":
            return (ticket.due or 0) == (value - value % SECOND if isinstance(value, int) else 0)
    found = next((values for name, values in ticket.customs.values() if f"x.{name}" == path), ())
    wanted = str(value or "").split("\n") if len(found) > 1 else [str(value or "")]
    return (joined(found) or "").casefold() == (joined(wanted) or "").casefold()


def filename(name: str) -> str:
    """What the server keeps of a file's name."""
    return name.rpartition("/")[2][:MAX_FILENAME]


def upload_name(name: str) -> str:
    """A file's name as it is sent: packed as mail does it where the form of an upload would change it."""
    if name.isprintable() and not {'"', "\\", "%"} & {*name}:
        return name
    return f"=?UTF-8?B?{base64.b64encode(name.encode()).decode()}?="


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
