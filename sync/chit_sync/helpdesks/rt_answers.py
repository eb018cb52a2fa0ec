"""What Request Tracker answers, checked: JSON to rows whose types are known. Pure.

Everything that comes from a server is hostile until it has been here: what is missing or of another type is empty, and what a reading
cannot do without is an error in words.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chit_sync.errors import RemoteError
from chit_sync.helpdesks import rt_marks
from chit_sync.helpdesks.rows import Row, items, member, number, text

NOBODY = ("Nobody", "RT_System")
"""Logins that stand for nobody and for the helpdesk itself."""


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
    found = member(answer, "items")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise RemoteError(
            f"{where} answers with something else than the list that was asked for",
            "Is the remote's address that of a Request Tracker 5? Its REST 2 interface is below it.",
        )
    return found


def total(answer: object) -> int:
    """How many there are of what a list has a part of; 0 if it does not say."""
    return number(answer, "total")


def person(value: object, *names: str) -> str:
    """The login that a reference to a user has; empty for nobody and for the helpdesk itself."""
    name = text(value, *names, "id")
    return "" if name in NOBODY else name


def transactions(where: str, answer: object) -> list[Transaction]:
    """The rows of a list of transactions."""
    found = []
    for row in rows(where, answer):
        ident, ticket = number(row, "id"), number(row, "ObjectId")
        if ident <= 0 or ticket <= 0:
            raise RemoteError(f"{where} tells of a transaction without a number")
        found.append(
            Transaction(
                ident, ticket, text(row, "Type"), text(row, "Field"), text(row, "OldValue"),
                text(row, "NewValue"), text(row, "Data"), person(row, "Creator"),
                rt_marks.stamp_of(text(row, "Created")) or 0, number(row, "TimeTaken"),
            )
        )  # fmt: skip
    return found


def ticket(where: str, row: Row, version: str = "") -> Ticket:
    """A ticket, from a list or by itself. Raises RemoteError without what every ticket has."""
    ident = number(row, "id")
    status = text(row, "Status")
    if ident <= 0 or not status:
        raise RemoteError(f"{where} answers with something that is no ticket")
    return Ticket(
        number=ident,
        author=person(row, "Creator"),
        created=rt_marks.stamp_of(text(row, "Created")) or 0,
        modified=rt_marks.stamp_of(text(row, "LastUpdated")) or 0,
        modifier=person(row, "LastUpdatedBy"),
        title=text(row, "Subject"),
        status=status,
        priority=text(row, "Priority"),
        due=rt_marks.stamp_of(text(row, "Due")),
        queue=text(row, "Queue", "Name"),
        owner=person(row, "Owner"),
        requestors=tuple(name for one in items(row, "Requestor") if (name := person(one))),
        customs=dict(_custom(one) for one in items(row, "CustomFields") if isinstance(one, dict)),
        links=_links(items(row, "_hyperlinks")),
        version=version,
    )


def _custom(row: Row) -> tuple[str, tuple[str, tuple[str, ...]]]:
    values = tuple(filter(None, map(text, items(row, "values"))))
    return text(row, "id"), (text(row, "name"), values)


def _links(found: Sequence[object]) -> tuple[tuple[str, int], ...]:
    links = {
        (text(one, "ref"), number(one, "id"))
        for one in found
        if text(one, "type") == "ticket" and number(one, "id") > 0
    }
    return tuple(sorted(links))


def texts(where: str, answer: object) -> list[tuple[int, int, Text]]:
    """The rows of a list of messages' words: transaction, attachment, words."""
    return [
        (
            number(row, "TransactionId"), number(row, "id"),
            Text(text(row, "ContentType").lower().startswith("text/html"), text(row, "Content")),
        )
        for row in rows(where, answer)
    ]  # fmt: skip


def files(where: str, answer: object) -> list[tuple[int, Filed]]:
    """The rows of a list of files: transaction, file."""
    return [
        (
            number(row, "TransactionId"),
            Filed(number(row, "id"), text(row, "Filename"), number(row, "ContentLength")),
        )
        for row in rows(where, answer)
        if text(row, "Filename")
    ]
