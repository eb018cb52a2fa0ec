"""What Roundup's REST interface answers, as snapshots. Pure: rows of decoded JSON in, terms of `base` out.

Nothing that is read here is believed: a row or a value of another type than expected is an error in words, or not there.
"""

import re
from base64 import urlsafe_b64encode
from calendar import timegm
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec

from chit_sync.clock import SECOND
from chit_sync.errors import RemoteError
from chit_sync.helpdesks.base import Comment, File, Snapshot, Tie, Work
from chit_sync.helpdesks.marking import is_ticket, unmarked
from chit_sync.helpdesks.rows import Row, is_id, member, text
from chit_sync.ids import derived, is_letters
from chit_sync.registers import Value
from chit_sync.times import from_stamp

MSG_FIELDS = ("activity", "author.username", "content", "creation", "creator.username", "messageid")
FILE_FIELDS = ("activity", "creation", "creator.username", "name")
TIME_FIELDS = ("activity", "creation", "creator.username", "date", "period", "summary")

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)\.(\d\d):(\d\d):(\d\d)(?:\.\d+)?")
_PERIOD = re.compile(r"(?:(\d+)y)?(?:(\d+)m)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+):(\d\d)(?::(\d\d))?)?")
_MESSAGE = re.compile(r"<([k-z]{16}|[k-z]{32})@chit>")


class Custom(NamedTuple):
    """A field that the site added. kind: text, date, link or links. klass, label: what a link leads to, and the field that names that."""

    name: str
    kind: str
    klass: str = ""
    label: str = ""


class Shape(NamedTuple):
    """What the class of tickets has, by the names of its fields; empty where it has no such field.

    superseder: `one` or `many` besides. times: whether it has a time log. internal: whether messages may be for staff only.
    """

    klass: str
    status: str = ""
    priority: str = ""
    assignee: str = ""
    keywords: str = ""
    due: str = ""
    reference: str = ""
    superseder: str = ""
    times: bool = False
    internal: bool = False
    customs: tuple[Custom, ...] = ()

    def ticket_fields(self) -> tuple[str, ...]:
        """What a question for tickets names as @fields."""
        fields = ["activity", "creation", "creator.username", "files", "messages", "title"]
        fields += [f"{self.status}.name"] if self.status else []
        fields += [f"{self.priority}.name"] if self.priority else []
        fields += [f"{self.assignee}.username"] if self.assignee else []
        fields += [name for name in (self.keywords, self.due, self.reference) if name]
        fields += ["superseder"] if self.superseder else []
        fields += ["times"] if self.times else []
        fields += [f"{custom.name}.{custom.label}" if custom.kind == "link" else custom.name for custom in self.customs]
        return tuple(fields)

    def msg_fields(self) -> tuple[str, ...]:
        """What a question for messages names as @fields."""
        return (*MSG_FIELDS, "internal") if self.internal else MSG_FIELDS


def shape_of(data: object) -> Shape | None:
    """A Shape that was kept as JSON; None for anything else."""
    try:
        return msgspec.convert(data, Shape)
    except msgspec.ValidationError:
        return None


class Parts(NamedTuple):
    """The rows that tickets are made of, by their ids; labels: names of keywords, and of what custom fields link to, by class and id."""

    msgs: Mapping[str, Row]
    files: Mapping[str, Row]
    works: Mapping[str, Row]
    labels: Mapping[str, Mapping[str, str]]


def collection(answer: object, where: str) -> list[Row]:
    """The rows of a collection, each with an id."""
    rows = member(answer, "data", "collection")
    if not isinstance(rows, list):
        raise RemoteError(
            f"{where} answers with no list of things", "Is the remote's address that of a Roundup tracker?"
        )
    if member(answer, "data", "@total_size") == -1:
        raise RemoteError(
            f"{where} holds back a part of a long list",
            "Ask whoever runs it to raise Roundup's max_response_row_size; nothing was taken.",
        )
    for row in rows:
        if not isinstance(row, dict) or not is_id(row.get("id")):
            raise RemoteError(f"{where} lists something without an id")
    return rows


def ids(row: Row, name: str) -> list[str]:
    """The ids that a row lists, lowest first."""
    value = row.get(name)
    if isinstance(value, str):
        value = [value]
    return sorted({one for one in value if is_id(one)}, key=int) if isinstance(value, list) else []


def when(row: Row, name: str, where: str) -> int:
    """A time that a row must have."""
    time = moment(row.get(name))
    if time is None:
        raise RemoteError(f"{where} tells no {name} of its number {row.get('id')}")
    return time


def moment(value: object) -> int | None:
    """A time as Roundup shows it, which is in UTC."""
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if not match:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 61):
        return None
    return timegm((year, month, day, hour, minute, second)) * SECOND


def date(time: int) -> str:
    """A time as Roundup reads it, whoever the account is: without an offset it would take the account's own time zone."""
    return from_stamp(time).strftime("%Y-%m-%d.%H:%M:%S+0000")


def is_date(value: object) -> bool:
    return isinstance(value, str) and bool(_DATE.fullmatch(value))


def minutes(value: object) -> int:
    """An interval in minutes, rounded down; what has no fixed length counts as 30 and 365 days."""
    if not isinstance(value, str):
        return 0
    match = _PERIOD.fullmatch(value.strip().lstrip("+").replace(" ", "")[:60])
    if not match:
        return 0
    years, months, weeks, days, hours, rest, _ = (int(part or 0) for part in match.groups())
    return ((years * 365 + months * 30 + weeks * 7 + days) * 24 + hours) * 60 + rest


def period(length: int) -> str:
    """Minutes as an interval: H:MM:SS, since `90m` is ninety months."""
    return f"{length // 60}:{length % 60:02}:00"


def message_id(token: str) -> str:
    """The message id that says which comment or ticket of ours a message is."""
    return f"<{token}@chit>"


def token_of(row: Row, length: int) -> str:
    """The token of that length that a message's id holds; empty if it is none of ours."""
    match = _MESSAGE.fullmatch(text(row, "messageid"))
    return match[1] if match and is_letters(match[1], length) else ""


def digest(row: Row) -> str:
    """What tells a row from what it was: times there are told in whole seconds only."""
    said = repr(sorted((key, value) for key, value in row.items() if key != "link"))
    return urlsafe_b64encode(derived(6, said.encode("utf-8", "replace").decode())).decode()


def description_of(ticket: Row, msgs: Mapping[str, Row]) -> Row | None:
    """The message that is the ticket's description: one that we wrote as such, or the first if it is not younger than the ticket."""
    linked = [msgs[one] for one in ids(ticket, "messages") if one in msgs]
    for row in linked:
        if token_of(row, 32):
            return row
    made = moment(ticket.get("creation"))
    first = moment(linked[0].get("creation")) if linked and not token_of(linked[0], 16) else None
    return linked[0] if made is not None and first is not None and first <= made else None


def snapshot(row: Row, parts: Parts, shape: Shape, where: str) -> Snapshot:
    """A ticket, from its row and those of its parts. Its version is the row's digest, which writing compares before all else."""
    told = description_of(row, parts.msgs)
    description, marker = unmarked(text(told, "content")) if told else ("", "")
    reference = text(row, shape.reference) if shape.reference else ""
    token = reference if is_ticket(reference) else ""
    if not token and told:
        token = token_of(told, 32) or marker
    said = [parts.msgs[one] for one in ids(row, "messages") if one in parts.msgs]
    modified = [when(row, "activity", where), *(moment(one.get("activity")) or 0 for one in said)]
    return Snapshot(
        int(text(row, "id")),
        person(row, "creator"),
        when(row, "creation", where),
        max(modified),
        {**_fields(row, parts.labels, shape), "description": description or None},
        [_comment(one, where) for one in said if one is not told],
        [_file(text(row, "id"), parts.files[one], where) for one in ids(row, "files") if one in parts.files],
        [_work(parts.works[one], where) for one in ids(row, "times") if one in parts.works],
        [Tie("duplicates", int(one)) for one in ids(row, "superseder")],
        token=token,
        version=digest(row),
    )


def person(row: Row, *names: str) -> str:
    """The login of the first of these that the row tells."""
    return next((found for name in names if (found := text(row, f"{name}.username"))), "")


def _fields(row: Row, labels: Mapping[str, Mapping[str, str]], shape: Shape) -> dict[str, Value]:
    fields: dict[str, Value] = {"title": text(row, "title"), "requester": person(row, "creator") or None}
    if shape.status:
        fields["status"] = text(row, f"{shape.status}.name") or None
    if shape.priority:
        fields["priority"] = text(row, f"{shape.priority}.name") or None
    if shape.assignee:
        fields["assignee"] = person(row, shape.assignee) or None
    if shape.due:
        fields["due"] = moment(row.get(shape.due))
    if shape.keywords:
        names = labels.get("keyword", {})
        fields.update({f"labels/{names[one]}": True for one in ids(row, shape.keywords) if one in names})
    for custom in shape.customs:
        fields[f"x.{custom.name}"] = _custom(row, custom, labels.get(custom.klass, {})) or None
    return fields


def _custom(row: Row, custom: Custom, names: Mapping[str, str]) -> str:
    if custom.kind == "links":
        return "\n".join(sorted(names[one] for one in ids(row, custom.name) if one in names))
    return text(row, f"{custom.name}.{custom.label}" if custom.kind == "link" else custom.name)


def _comment(row: Row, where: str) -> Comment:
    author = person(row, "author", "creator")
    internal = text(row, "internal") not in ("", "0", "False", "false", "no")
    return Comment(
        text(row, "id"), author, when(row, "creation", where), text(row, "content"), not internal, token_of(row, 16)
    )


def _file(ticket: str, row: Row, where: str) -> File:
    number = text(row, "id")
    return File(
        number, person(row, "creator"), when(row, "creation", where), text(row, "name"), -1, True, f"{ticket}/{number}"
    )


def _work(row: Row, where: str) -> Work:
    made = when(row, "creation", where)
    done = moment(row.get("date"))
    length = minutes(row.get("period"))
    return Work(
        text(row, "id"), person(row, "creator"), made, length, made if done is None else done, text(row, "summary")
    )


def wanted(rows: Sequence[Row], name: str, have: Collection[str] = ()) -> list[str]:
    """The ids that these rows list under a name, but those that are there already."""
    return sorted({one for row in rows for one in ids(row, name) if one not in have}, key=int)
