"""The rows of tickets and items: what their registers show, spelled for the tables, and written a statement a table.

Knows how rows look, not how changes add up to them; that is for `project` and `reproject`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from chit_sync.registers import Registers
from chit_sync.schema import DEFAULT_PRIORITY, OPEN_CATEGORIES, PRIORITY_RANK
from chit_sync.store.database import Connection, marks
from chit_sync.store.migrations import ITEM_BITS

OPEN, DONE, DELETED = 0, 1, 2
"""tickets.state"""

COLUMNS = (
    "impact",
    "type",
    "queue",
    "assignee",
    "requester",
    "organization",
    "contract",
    "product",
    "due",
    "emergency",
)
"""Fields whose shown value is a column of `tickets` as it is."""


class Form(NamedTuple):
    """How registers are spelled in the tables."""

    encode: Callable[[Registers[int]], str]
    decode: Callable[[str], Registers[int]]


MANY = 20
"""Changes from which on it pays to import msgspec, which spells the same several times faster."""


def form_for(changes: int) -> Form:
    if changes < MANY:
        return Form(lambda registers: json.dumps(registers, ensure_ascii=False, separators=(",", ":")), json.loads)
    from chit_sync.codec import decode_registers, encode_registers

    return Form(encode_registers, decode_registers)


class ItemRow:
    """An item while a batch is taken in."""

    __slots__ = ("author", "fields", "key", "new", "pk", "time", "words")

    def __init__(self, pk: int, key: str, author: str, time: int, fields: Registers[int], *, new: bool) -> None:
        self.pk = pk
        self.key = key
        self.author = author
        self.time = time
        self.fields = fields
        self.new = new
        self.words = ("", "") if new else item_words(key, fields)


class TicketRow:
    """A ticket while a batch is taken in."""

    __slots__ = (
        "author", "conflicts", "created", "fields", "id", "items", "labels", "new", "num", "place", "updated", "words",
    )  # fmt: skip

    def __init__(
        self,
        num: int,
        ident: str,
        created: int,
        updated: int,
        author: str,
        fields: Registers[int],
        *,
        new: bool,
    ) -> None:
        self.num = num
        self.id = ident
        self.created = created
        self.updated = updated
        self.author = author
        self.fields = fields
        self.new = new
        self.items: dict[str, ItemRow] = {}
        self.place = -1
        self.words = ("", "") if new else ticket_words(fields)
        self.labels: set[str] | None = None
        """The labels that it had; None unless a label was written, which is seldom."""
        self.conflicts: dict[str, bool] = {}
        """Path to whether it is in conflict, for the paths where that may have changed."""


def _value(registers: Registers[int], path: str) -> str | int | bool | None:
    heads = registers.get(path)
    return None if heads is None else heads[0][1]


def _text(registers: Registers[int], path: str) -> str:
    value = _value(registers, path)
    return value if isinstance(value, str) else ""


def ticket_words(fields: Registers[int]) -> tuple[str, str]:
    return _text(fields, "title"), _text(fields, "description")


def item_words(key: str, fields: Registers[int]) -> tuple[str, str]:
    if not key.startswith("comment/") or _value(fields, "deleted"):
        return "", ""
    return "", _text(fields, "body")


def labels_of(fields: Registers[int]) -> set[str]:
    return {path[7:] for path, heads in fields.items() if path.startswith("labels/") and heads[0][1]}


def _state(fields: Registers[int], statuses: Mapping[str, str]) -> int:
    if _value(fields, "deleted"):
        return DELETED
    return OPEN if statuses.get(_text(fields, "status"), "open") in OPEN_CATEGORIES else DONE


def write(db: Connection, tickets: Sequence[TicketRow], statuses: Mapping[str, str], form: Form) -> None:
    """The rows of the tickets and of their items, a statement a table."""
    new_tickets: list[tuple[object, ...]] = []
    old_tickets: list[tuple[object, ...]] = []
    new_registers: list[tuple[int, str]] = []
    old_registers: list[tuple[str, int]] = []
    new_items: list[tuple[object, ...]] = []
    old_items: list[tuple[object, ...]] = []
    labels: list[tuple[str, int]] = []
    unlabels: list[tuple[str, int]] = []
    conflicts: list[tuple[int, str]] = []
    settled: list[tuple[int, str]] = []
    forget: list[tuple[int, str, str]] = []
    words: list[tuple[int, str, str]] = []
    default = PRIORITY_RANK[DEFAULT_PRIORITY]
    for ticket in tickets:
        num, fields = ticket.num, ticket.fields
        heads = fields.get
        row = (
            _value(fields, "title"),
            _value(fields, "status"),
            PRIORITY_RANK.get(_text(fields, "priority"), default),
            *[found[0][1] if (found := heads(name)) else None for name in COLUMNS],
            _state(fields, statuses),
            ticket.created,
            ticket.updated,
            ticket.author,
        )
        registers = form.encode(fields)
        if ticket.new:
            new_tickets.append((num, ticket.id, *row))
            new_registers.append((num, registers))
        else:
            old_tickets.append((*row, num))
            old_registers.append((registers, num))
        index(forget, words, num << ITEM_BITS, ticket.words, ticket_words(fields))
        if ticket.labels is not None:
            now = labels_of(fields)
            labels += [(label, num) for label in now - ticket.labels]
            unlabels += [(label, num) for label in ticket.labels - now]
        for path, conflict in ticket.conflicts.items():
            (conflicts if conflict else settled).append((num, path))
        for item in ticket.items.values():
            target = _value(item.fields, "target") if item.key.startswith("link/") else None
            if target is not None and _value(item.fields, "deleted"):
                target = None
            if item.new:
                new_items.append(
                    (
                        item.pk,
                        item.key,
                        item.author,
                        item.time,
                        target,
                        form.encode(item.fields),
                    )
                )
            else:
                old_items.append((item.author, item.time, target, form.encode(item.fields), item.pk))
            index(forget, words, item.pk, item.words, item_words(item.key, item.fields))
    for statement, rows in (
        (
            f"INSERT INTO tickets VALUES ({marks(new_tickets[0]) if new_tickets else ''})",
            new_tickets,
        ),
        (_UPDATE_TICKET, old_tickets),
        ("INSERT INTO registers VALUES (?, ?)", new_registers),
        ("UPDATE registers SET fields = ? WHERE num = ?", old_registers),
        ("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)", new_items),
        ("UPDATE items SET author = ?, time = ?, ref = ?, fields = ? WHERE pk = ?", old_items),
        ("INSERT INTO labels VALUES (?, ?)", labels),
        ("DELETE FROM labels WHERE label = ? AND num = ?", unlabels),
        ("INSERT OR IGNORE INTO conflicts VALUES (?, ?)", conflicts),
        ("DELETE FROM conflicts WHERE num = ? AND path = ?", settled),
        ("INSERT INTO search (search, rowid, title, body) VALUES ('delete', ?, ?, ?)", forget),
        ("INSERT INTO search (rowid, title, body) VALUES (?, ?, ?)", words),
    ):
        if rows:
            db.executemany(statement, rows)


_UPDATE_TICKET = (
    "UPDATE tickets SET title = ?, status = ?, priority = ?, "
    + ", ".join(f"{name} = ?" for name in COLUMNS)
    + ", state = ?, created = ?, updated = ?, author = ? WHERE num = ?"
)


def index(
    forget: list[tuple[int, str, str]],
    words: list[tuple[int, str, str]],
    rowid: int,
    old: tuple[str, str],
    new: tuple[str, str],
) -> None:
    """What the full-text index must forget and learn; it keeps no text of its own, so it is told what it forgets."""
    if old != new:
        if old != ("", ""):
            forget.append((rowid, *old))
        if new != ("", ""):
            words.append((rowid, *new))
