"""What a Roundup tracker has: its classes and fields, found out by asking, and what they mean here. Changes nothing there."""

import re
from collections.abc import Mapping, Sequence

from chit_sync.errors import AccessError, RemoteError, UsageError
from chit_sync.helpdesks.base import BOTH, Choice, Custom, Description, Feature, Person
from chit_sync.helpdesks.marking import REFERENCES
from chit_sync.helpdesks.roundup_asking import FieldError, Rest
from chit_sync.helpdesks.roundup_reading import TIME_FIELDS, Shape, is_date
from chit_sync.helpdesks.roundup_reading import Custom as Field
from chit_sync.helpdesks.rows import member, text

ASSIGNEES = ("assignedto", "assignee")
KEYWORDS = ("keyword", "keywords")
DUES = ("due", "deadline", "due_date", "duedate")
PLAIN = ("title", "status", "priority", "superseder", "messages", "files", "times", "nosy")
SAMPLE = 100
NOWHERE = "no such thing"
LEADS = re.compile(r"No key \((\w+)\) value .* for .?\"(\w+)")

STATUSES = {
    "unread": "new",
    "new": "new",
    "chatting": "open",
    "in-progress": "open",
    "open": "open",
    "need-eg": "pending",
    "deferred": "pending",
    "pending": "pending",
    "waiting": "pending",
    "testing": "review",
    "review": "review",
    "done-cbb": "resolved",
    "done": "resolved",
    "resolved": "resolved",
    "closed": "closed",
    "rejected": "rejected",
    "invalid": "rejected",
    "wontfix": "rejected",
}
PRIORITIES = {
    "critical": "critical",
    "immediate": "critical",
    "urgent": "high",
    "high": "high",
    "bug": "normal",
    "normal": "normal",
    "feature": "low",
    "low": "low",
    "wish": "planned",
    "planned": "planned",
}


def discover(rest: Rest, klass: str) -> Shape:
    """What fields the class of tickets has. Where there is no ticket yet, only the usual names are tried."""
    _, data = rest.json("data")
    classes = member(data, "data")
    if not isinstance(classes, dict):
        raise RemoteError(f"{rest.where} does not tell its classes", "Is that the address of a Roundup tracker?")
    if klass not in classes:
        account(rest)  # who is nobody there sees nothing
        named = ", ".join(sorted(name for name in classes if isinstance(name, str))) or "none"
        raise UsageError(
            f"{rest.where} has no class {klass}",
            f"Name that of its tickets in the remote's address, as in ?class=bug. There are: {named}.",
        )
    newest = rest.rows(klass, filters=[("@sort", "-id"), ("@page_size", "1")])
    found: dict[str, object] = {}
    if newest:
        item = rest.item(klass, text(newest[0], "id"), (), verbose=2)
        if item is None:
            raise RemoteError(f"{rest.where} lists {klass} {newest[0]['id']} and does not show it", "Run it again.")
        found = dict(item.row)
    else:
        found = {name: None for name in (*PLAIN, *ASSIGNEES, *KEYWORDS, *DUES, *REFERENCES) if _has(rest, klass, name)}
    names = {name.casefold(): name for name in sorted(found, reverse=True)}

    def first(candidates: Sequence[str]) -> str:
        return next((names[name] for name in candidates if name in names), "")

    used = {
        "assignee": first(ASSIGNEES),
        "keywords": first(KEYWORDS) if "keyword" in classes else "",
        "due": first(DUES),
        "reference": first(REFERENCES),
        "status": first(("status",)),
        "priority": first(("priority",)),
    }
    rest_of = [name for name in sorted(found) if name not in {*used.values(), *PLAIN, "id"}]
    superseder = ""
    if "superseder" in found:
        superseder = (
            "many" if isinstance(found["superseder"], list) or not _is_link(rest, klass, "superseder") else "one"
        )
    return Shape(
        klass,
        **used,
        superseder=superseder,
        times="times" in found and "timelog" in classes and _has(rest, "timelog", *TIME_FIELDS),
        internal=_has(rest, "msg", "internal"),
        customs=_customs(rest, klass, found, rest_of),
    )


def _has(rest: Rest, klass: str, *names: str) -> bool:
    """Whether a class has these fields: asks for them of nothing."""
    try:
        rest.rows(klass, names, [("id", "0")])
    except (FieldError, AccessError):
        return False
    return True


def _is_link(rest: Rest, klass: str, name: str) -> bool:
    """Whether a field leads to one thing at most: Roundup goes on behind such fields only."""
    try:
        rest.rows(klass, (f"{name}.id",), [("id", "0")])
    except RemoteError:
        return False
    return True


def _customs(rest: Rest, klass: str, found: Mapping[str, object], names: Sequence[str]) -> tuple[Field, ...]:
    """The other fields. Which of them are dates is only told by values, so some tickets are looked at."""
    customs: list[Field] = []
    plain: list[str] = []
    for name in names:
        leads = _leads(rest, klass, name)
        if leads:
            customs.append(Field(name, "links" if isinstance(found[name], list) else "link", *leads))
        elif not isinstance(found[name], list) and (leads is None or not _is_link(rest, klass, name)):
            plain.append(name)
    if plain:
        samples = rest.rows(klass, plain, [("@sort", "-id"), ("@page_size", str(SAMPLE))])
        for name in plain:
            values = [row[name] for row in samples if row.get(name)]
            customs.append(Field(name, "date" if values and all(map(is_date, values)) else "text"))
    return tuple(sorted(customs))


def _leads(rest: Rest, klass: str, name: str) -> tuple[str, ...] | None:
    """Where a field leads: a class and the field that names its things; none for a field that leads nowhere. Empty where nothing can be
    made of it. Roundup tells when it is asked for what leads to something that is not there."""
    try:
        rest.rows(klass, (), [(name, NOWHERE), ("id", "0")])
    except AccessError:
        return ()
    except RemoteError as error:
        match = LEADS.search(error.message)
        return (match[2], match[1]) if match else ()
    return None


def labels(rest: Rest, klass: str, label: str = "") -> dict[str, str]:
    """The names of the things of a class, by their ids."""
    rows = rest.rows(klass, [label] if label else [], verbose=2 if not label else 0)
    named = label or next((key for row in rows[:1] for key in row if key not in ("id", "link")), "name")
    found = {text(row, "id"): text(row, named) for row in rows}
    rest.named[klass, label] = found
    return found


def account(rest: Rest) -> Person:
    """Who we are there. Raises AccessError."""
    item = rest.item("user", rest.login or rest.account or "0", ("username", "realname", "address"))
    if item is None:
        who = rest.login or "the token's owner"
        raise AccessError(
            f"{rest.where} does not tell who {who} is", "Log in with LOGIN:PASSWORD, or with a token of the site's."
        )
    return Person(text(item.row, "username") or rest.login, text(item.row, "realname"), text(item.row, "address"))


def people(rest: Rest) -> list[Person]:
    """Everybody who can have a ticket."""
    rows = rest.rows("user", ("username", "realname"))
    return [
        Person(text(row, "username"), text(row, "realname"))
        for row in rows
        if text(row, "username") not in ("", "anonymous")
    ]


def statuses(names: Sequence[str]) -> list[Choice]:
    """What the statuses mean. Where none is called closed, the one that is called resolved is the end."""
    means = {name: STATUSES.get(name.casefold(), "") for name in names}
    if "closed" not in means.values():
        final = next((name for name in names if name.casefold() == "resolved"), "")
        final = final or next((name for name in names if means[name] == "resolved"), "")
        if final:
            means[final] = "closed"
    return [Choice(name, means[name]) for name in names]


def features(shape: Shape) -> dict[str, Feature]:
    """What the tracker carries."""

    def field(name: str, purpose: str) -> Feature:
        return (
            BOTH
            if name
            else Feature(False, False, f"The class {shape.klass} of this tracker has no field for {purpose}.")
        )

    notes = "The messages of this tracker have no field `internal`: everybody who sees a ticket sees all of them, so none is sent."
    mailed = "Whether messages that are `internal` are kept out of mails to the nosy list is for the tracker to see to."
    no_time = "This tracker has no time log: no class `timelog` with period, date and summary, or no field `times`."
    late = "Time that somebody rewrites there is seen with the next change of any ticket."
    return {
        "title": BOTH,
        "description": BOTH,
        "status": field(shape.status, "a status"),
        "priority": field(shape.priority, "a priority"),
        "queue": Feature(
            False,
            False,
            "Roundup has no queues. Its keywords are labels here. ?queue= in the remote's address names those to follow; "
            "new tickets get the first.",
        ),
        "assignee": field(shape.assignee, "somebody who works on it"),
        "requester": Feature(True, False, "It is whoever made the ticket there; nobody can change that."),
        "due": field(shape.due, "when it must be done"),
        "labels": field(shape.keywords, "keywords"),
        "fields": BOTH if shape.customs else Feature(False, False, "No fields but the usual ones are known there."),
        "history": Feature(False, False, "Roundup's REST interface does not tell it."),
        "replies": BOTH,
        "notes": Feature(True, True, mailed) if shape.internal else Feature(False, False, notes),
        "comment edits": BOTH,
        "comment deletions": Feature(True, True, "The message is taken off its ticket; Roundup keeps it."),
        "attachments": Feature(
            True, True, "Files are for everybody who sees the ticket: internal ones and empty ones are not sent."
        ),
        "attachment deletions": Feature(True, True, "The file is taken off its ticket; Roundup keeps it."),
        "time": BOTH if shape.times else Feature(False, False, no_time),
        "time edits": Feature(True, True, late) if shape.times else Feature(False, False, no_time),
        "links": Feature(True, True, "Only duplicates: a ticket's `superseder`. Roundup has no field for others.")
        if shape.superseder
        else Feature(False, False, f"The class {shape.klass} of this tracker has no field `superseder`."),
        "merges": Feature(False, False, "Roundup does not merge tickets."),
        "deletions": Feature(
            True,
            True,
            "Deleting retires a ticket, which takes a right that few have; it is seen by comparing all numbers.",
        ),
    }


def describe(rest: Rest, shape: Shape) -> Description:
    """What the tracker is, and who we are there."""
    me = account(rest)
    status = list(labels(rest, "status", "name").values()) if shape.status else []
    priority = list(labels(rest, "priority", "name").values()) if shape.priority else []
    customs = [
        Custom(f"x.{one.name}", tuple(labels(rest, one.klass, one.label).values()) if one.klass else ())
        for one in shape.customs
    ]
    return Description(
        "Roundup",
        "REST 1",
        me,
        statuses(status),
        [Choice(name, PRIORITIES.get(name.casefold(), "")) for name in priority],
        people(rest),
        sorted(labels(rest, "keyword", "name").values()) if shape.keywords else (),
        customs,
        features(shape),
        reference=shape.reference,
    )
