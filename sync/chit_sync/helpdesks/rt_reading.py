"""From what Request Tracker tells of a ticket to a snapshot. Pure.

Its history is one list of transactions: messages are comments, and the first one's is the description; those that set fields are events;
those that took time are time. Who a transaction names by a number, and which queue, has to be told.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from chit_sync.helpdesks import rt_marks, rt_text
from chit_sync.helpdesks.base import Comment, Event, File, Gone, Snapshot, Tie, Work
from chit_sync.helpdesks.marking import is_reference, is_ticket, unmarked
from chit_sync.helpdesks.rt_answers import Filed, Text, Ticket, Transaction
from chit_sync.registers import Value

DELETED = "deleted"

TITLE_BYTES = 200
"""Bytes of a title that the server keeps."""

_TIES = {"depended-on-by": "blocks", "child": "parent-of", "refers-to": "relates"}
_OWNED = frozenset(("Set", "Take", "Give", "Steal", "Untake", "Force"))
MESSAGES = frozenset(("Create", "Comment", "Correspond"))
"""Types of transactions that have words."""


class Names(NamedTuple):
    """What transactions tell by number: the login of a user (empty for nobody), the name of a queue."""

    user: Callable[[str], str]
    queue: Callable[[str], str]


class Told(NamedTuple):
    """What messages say and bring, by the number of their transaction."""

    texts: Mapping[int, Text]
    files: Mapping[int, Sequence[Filed]]


def title(value: str) -> str:
    """What the server keeps of a title."""
    line = value.replace("\r", "").replace("\n", "")
    return line.encode()[:TITLE_BYTES].decode("utf-8", "ignore")


def joined(values: Sequence[str]) -> str | None:
    """The values of a custom field as one text. Those of several have no order there."""
    return "\n".join(sorted(set(values))) or None


def users_in(history: Sequence[Transaction]) -> set[str]:
    """The numbers of users that transactions name."""
    found = set()
    for one in history:
        if one.field == "Owner" and one.type in _OWNED:
            found |= {one.old, one.new}
        elif one.field == "Requestor" and one.type in ("AddWatcher", "DelWatcher"):
            found |= {one.new or one.old}
    return {ident for ident in found if ident}


def gone(number: int, ticket: Ticket, history: Sequence[Transaction]) -> Gone:
    """A ticket that is answered with a deleted one, or with the one that it was merged into."""
    merged = ticket.number != number
    last = ticket.modifier, ticket.modified
    for one in history:
        if one.type == "AddLink" and one.field == "MergedInto" if merged else one.new == DELETED:
            last = one.author, one.time
    author, time = last
    return Gone(number, "merged" if merged else "deleted", ticket.number if merged else 0, author, time)


def snapshot(ticket: Ticket, history: Sequence[Transaction], told: Told, names: Names) -> Snapshot:
    """The ticket with all its parts. history: of this ticket alone, the oldest first."""
    description, mark = unmarked(_words(told, next((one.id for one in history if one.type == "Create"), 0)))
    token = next((joined(values) for name, values in ticket.customs.values() if is_reference(name) and values), None)
    if token is None or not is_ticket(token):
        token = mark
    fields: dict[str, Value] = {
        "title": ticket.title or None,
        "description": description or None,
        "status": ticket.status,
        "priority": ticket.priority or None,
        "queue": ticket.queue or None,
        "assignee": ticket.owner or None,
        "requester": ticket.requestors[0] if ticket.requestors else None,
        "due": ticket.due,
    }
    for name, values in ticket.customs.values():
        if name and not is_reference(name):
            fields[f"x.{name}"] = joined(values)
    comments, files, works = _messages(history, told)
    return Snapshot(
        number=ticket.number,
        author=ticket.author,
        created=ticket.created,
        modified=ticket.modified,
        fields=fields,
        comments=comments,
        files=files,
        works=works,
        ties=_ties(ticket),
        events=_events(ticket, history, names),
        token=token,
        version=ticket.version,
        modifier=ticket.modifier,
    )


def _words(told: Told, transaction: int) -> str:
    found = told.texts.get(transaction)
    if found is None:
        return ""
    return rt_text.to_text(found.content) if found.html else found.content


def _ties(ticket: Ticket) -> list[Tie]:
    return [
        Tie(kind, number) for ref, number in ticket.links if number != ticket.number and (kind := _TIES.get(ref, ""))
    ]


def _messages(history: Sequence[Transaction], told: Told) -> tuple[list[Comment], list[File], list[Work]]:
    comments: list[Comment] = []
    files: list[File] = []
    works: list[Work] = []
    used: set[str] = set()
    for one in history:
        message = one.type in MESSAGES
        mark = rt_marks.read(one.subject) if message and one.type != "Create" else None
        if mark is not None and mark.token in used:
            mark = None  # somebody's mail program has sent it back
        if mark is not None:
            used.add(mark.token)
        kind, token = (mark.kind, mark.token) if mark else ("", "")
        body = _words(told, one.id) if message else ""
        public = one.type != "Comment"
        if message and one.type != "Create" and kind != rt_marks.TIME and (body or kind == rt_marks.COMMENT):
            said = token if kind == rt_marks.COMMENT else ""
            comments.append(Comment(str(one.id), one.author, one.time, body, public, said))
        for place, file in enumerate(told.files.get(one.id, ()), 1):
            filed = token if kind == rt_marks.FILE and place == 1 else ""
            ident = f"{one.id}.{place}"
            files.append(File(ident, one.author, one.time, file.name, file.size, public, str(file.id), filed))
        if mark is not None and kind == rt_marks.TIME:
            works.append(Work(str(one.id), one.author, one.time, max(0, one.minutes), mark.date, body, token))
        elif one.minutes > 0:
            works.append(Work(str(one.id), one.author, one.time, one.minutes, one.time, ""))
        elif one.minutes < 0:
            _shorten(works, -one.minutes)
    return comments, files, works


def _shorten(works: list[Work], minutes: int) -> None:
    """Takes minutes off the latest work: somebody has set the ticket's time to less."""
    while works and minutes:
        last = works.pop()
        off = min(last.minutes, minutes)
        minutes -= off
        if last.minutes > off:
            works.append(last._replace(minutes=last.minutes - off))


def _events(ticket: Ticket, history: Sequence[Transaction], names: Names) -> list[Event]:
    """What was done to fields. Values of lists are told by what was added and removed, so it goes from what is there now backwards."""
    requestors = [*ticket.requestors]
    customs = {ident: [*values] for ident, (name, values) in ticket.customs.items() if not is_reference(name)}
    found: list[Event] = []
    for one in reversed(history):
        path, old, new = "", None, None  # type: str, Value, Value
        if one.field == "Requestor" and one.type in ("AddWatcher", "DelWatcher"):
            path = "requester"
            new = requestors[0] if requestors else None
            _undo_watcher(requestors, one, names)
            old = requestors[0] if requestors else None
        elif one.type == "CustomField" and one.field in customs:
            path = f"x.{ticket.customs[one.field][0]}"
            values = customs[one.field]
            new = joined(values)
            if one.new in values:
                values.remove(one.new)
            if one.old:
                values.append(one.old)
            old = joined(values)
        else:
            path, old, new = _set(one, names)
        if path and old != new:
            found.append(Event(str(one.id), one.time, one.author, {path: (old, new)}))
    return _alive(found[::-1])


def _undo_watcher(requestors: list[str], one: Transaction, names: Names) -> None:
    login = names.user(one.new or one.old)
    if one.type == "AddWatcher":
        if login in requestors:
            requestors.remove(login)
    elif login:
        requestors.insert(0, login)


def _set(one: Transaction, names: Names) -> tuple[str, Value, Value]:
    """Path, old and new value of a transaction that sets a field; no path for others."""
    if one.field == "Owner" and one.type in _OWNED:
        return "assignee", names.user(one.old) or None, names.user(one.new) or None
    if one.type == "Status":
        return "status", one.old, one.new
    if one.type != "Set":
        return "", None, None
    match one.field:
        case "Subject":
            return "title", title(one.old) or None, title(one.new) or None
        case "Priority":
            return "priority", one.old or None, one.new or None
        case "Queue":
            return "queue", names.queue(one.old) or None, names.queue(one.new) or None
        case "Due":
            return "due", rt_marks.stamp_of(one.old), rt_marks.stamp_of(one.new)
    return "", None, None


def _alive(events: Sequence[Event]) -> list[Event]:
    """Without the status of a ticket that was deleted for a while: that is not one of the statuses."""
    found = []
    before: Value = None
    for event in events:
        old, new = event.changes.get("status", (None, None))
        if new == DELETED:
            before = old
            continue
        if old == DELETED:
            if new == before:
                continue
            event = event._replace(changes={"status": (before, new)})
        found.append(event)
    return found
