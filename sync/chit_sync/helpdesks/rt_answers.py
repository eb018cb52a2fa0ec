"""What Request Tracker answers, checked: JSON to rows whose types are known. Pure.

Everything that comes from a server is hostile until it has been here: what is missing or of another type is empty, and what a reading
cannot do without is an error in words.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chit_sync.errors import RemoteError
from chit_sync.helpdesks import rt_marks

Row = Mapping[str, Any]

MAX_NUMBER = 1 << 53


class Transaction(NamedTuple):
    """Something that was done to a ticket. subject: of a message."""

    id: int
    ticket: int
    type: str
    field: str
    old: str
    new: str
    subject: str
    author: str
    time: int
    minutes: int


class Text(NamedTuple):
    """The words of a message."""

    html: bool
    content: str


class Filed(NamedTuple):
    """A file that came with a message. id: the attachment's."""

    id: int
    name: str
    size: int


class Ticket(NamedTuple):
    """A ticket without its history. customs: the number of a field to its name and values."""

    number: int
    author: str
    created: int
    modified: int
    modifier: str
    title: str
    status: str
    priority: str
    due: int | None
    queue: str
    owner: str
    requestors: tuple[str, ...]
    customs: Mapping[str, tuple[str, tuple[str, ...]]]
    links: tuple[tuple[str, int], ...]
    version: str = ""


def rows(where: str, answer: object) -> list[Row]:
    """The items of a list. Raises RemoteError if it is none."""
    items = answer.get("items") if isinstance(answer, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise RemoteError(
            f"{where} answers with something else than the list that was asked for",
            "Is the remote's address that of a Request Tracker 5? Its REST 2 interface is below it.",
        )
    return items


def total(answer: object) -> int:
    """How many there are of what a list has a part of; 0 if it does not say."""
    return number(answer.get("total")) if isinstance(answer, dict) else 0


def number(value: object) -> int:
    """A whole number that is a number or text there; 0 for what is none."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and len(value) < 20 and value.removeprefix("-").isdecimal() and value.isascii():
        value = int(value)
    return value if isinstance(value, int) and abs(value) < MAX_NUMBER else 0


def text(value: object) -> str:
    """A text; empty for what is none."""
    return value if isinstance(value, str) else str(value) if type(value) is int else ""


def person(value: object) -> str:
    """The login that a reference to a user has; empty for nobody and for the helpdesk itself."""
    name = text(value.get("id")) if isinstance(value, dict) else ""
    return "" if name in ("Nobody", "RT_System") else name


def transactions(where: str, answer: object) -> list[Transaction]:
    """The rows of a list of transactions."""
    found = []
    for row in rows(where, answer):
        ident, ticket = number(row.get("id")), number(row.get("ObjectId"))
        if ident <= 0 or ticket <= 0:
            raise RemoteError(f"{where} tells of a transaction without a number")
        found.append(
            Transaction(
                ident, ticket, text(row.get("Type")), text(row.get("Field")), text(row.get("OldValue")),
                text(row.get("NewValue")), text(row.get("Data")), person(row.get("Creator")),
                rt_marks.stamp_of(text(row.get("Created"))) or 0, number(row.get("TimeTaken")),
            )
        )  # fmt: skip
    return found


def ticket(where: str, row: Row, version: str = "") -> Ticket:
    """A ticket, from a list or by itself. Raises RemoteError without what every ticket has."""
    ident = number(row.get("id"))
    status = text(row.get("Status"))
    if ident <= 0 or not status:
        raise RemoteError(f"{where} answers with something that is no ticket")
    queue = row.get("Queue")
    priority = row.get("Priority")
    return Ticket(
        number=ident,
        author=person(row.get("Creator")),
        created=rt_marks.stamp_of(text(row.get("Created"))) or 0,
        modified=rt_marks.stamp_of(text(row.get("LastUpdated"))) or 0,
        modifier=person(row.get("LastUpdatedBy")),
        title=text(row.get("Subject")),
        status=status,
        priority=text(priority),
        due=rt_marks.stamp_of(text(row.get("Due"))),
        queue=text(queue.get("Name")) if isinstance(queue, dict) else "",
        owner=person(row.get("Owner")),
        requestors=tuple(name for one in _list(row.get("Requestor")) if (name := person(one))),
        customs=dict(_custom(one) for one in _list(row.get("CustomFields")) if isinstance(one, dict)),
        links=_links(_list(row.get("_hyperlinks"))),
        version=version,
    )


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _custom(row: Row) -> tuple[str, tuple[str, tuple[str, ...]]]:
    values = tuple(text(value) for value in _list(row.get("values")) if text(value))
    return text(row.get("id")), (text(row.get("name")), values)


def _links(found: Sequence[Any]) -> tuple[tuple[str, int], ...]:
    links = {
        (text(one.get("ref")), number(one.get("id")))
        for one in found
        if isinstance(one, dict) and one.get("type") == "ticket" and number(one.get("id")) > 0
    }
    return tuple(sorted(links))


def texts(where: str, answer: object) -> list[tuple[int, int, Text]]:
    """The rows of a list of messages' words: transaction, attachment, words."""
    return [
        (
            number(row.get("TransactionId")), number(row.get("id")),
            Text(text(row.get("ContentType")).lower().startswith("text/html"), text(row.get("Content"))),
        )
        for row in rows(where, answer)
    ]  # fmt: skip


def files(where: str, answer: object) -> list[tuple[int, Filed]]:
    """The rows of a list of files: transaction, file."""
    return [
        (
            number(row.get("TransactionId")),
            Filed(number(row.get("id")), text(row.get("Filename")), number(row.get("ContentLength"))),
        )
        for row in rows(where, answer)
        if text(row.get("Filename"))
    ]
