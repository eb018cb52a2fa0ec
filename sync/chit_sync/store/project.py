"""From changes to tables: what the changes of a batch make of the tickets they are about, written in a few statements.

The cost follows the batch: one statement a table, one step of the merge a change. Everything written here can be made again from
the log (`reproject`), by the other half of the merge, and must come out the same; tests compare the two.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from chit_sync.change import Change
from chit_sync.errors import UsageError
from chit_sync.registers import Registers, fold, losers, replace
from chit_sync.schema import DEFAULT_PRIORITY, OPEN_CATEGORIES, PRIORITY_RANK
from chit_sync.store.database import Connection, Store, chunks, marks

ITEM_BITS = 24
"""items.pk = ticket's number << ITEM_BITS | place; place 0 is the ticket's own text in `search`."""

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

REBUILD_AT_ONCE = 500
"""Tickets made again in one go."""

Step = tuple[int, bytes, Change]
"""(seq, id, change)"""

Rank = Callable[[int], tuple[int, bytes]]


class _Form(NamedTuple):
    """How registers are spelled in the tables."""

    encode: Callable[[Registers[int]], str]
    decode: Callable[[str], Registers[int]]


MANY = 20
"""Changes from which on it pays to import msgspec, which spells the same several times faster."""


def _form(changes: int) -> _Form:
    if changes < MANY:
        return _Form(lambda registers: json.dumps(registers, ensure_ascii=False, separators=(",", ":")), json.loads)
    from chit_sync.codec import decode_registers, encode_registers

    return _Form(encode_registers, decode_registers)


class _Item:
    """An item while a batch is taken in."""

    __slots__ = ("author", "fields", "key", "new", "pk", "time", "words")

    def __init__(self, pk: int, key: str, author: str, time: int, fields: Registers[int], *, new: bool) -> None:
        self.pk = pk
        self.key = key
        self.author = author
        self.time = time
        self.fields = fields
        self.new = new
        self.words = ("", "") if new else _item_words(key, fields)


class _Ticket:
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
        self.items: dict[str, _Item] = {}
        self.place = -1
        self.words = ("", "") if new else _ticket_words(fields)
        self.labels: set[str] = set() if new else _labels(fields)
        self.conflicts: dict[str, bool] = {}
        """Path to whether it is in conflict, for the paths where that may have changed."""


def number_tickets(db: Connection, idents: Sequence[str]) -> dict[str, int]:
    """This store's numbers of the tickets; those that it does not have yet get the next ones, in the order given."""
    numbers: dict[str, int] = {}
    wanted = list(dict.fromkeys(idents))
    for part in chunks(wanted):
        numbers.update(db.execute(f"SELECT id, num FROM tickets WHERE id IN ({marks(part)})", part))
    if len(numbers) < len(wanted):
        last = db.execute(
            "SELECT max((SELECT coalesce(max(num), 0) FROM tickets), (SELECT coalesce(max(ticket), 0) FROM changes))"
        ).fetchone()[0]
        for ident in wanted:
            if ident not in numbers:
                last += 1
                numbers[ident] = last
    return numbers


def project(store: Store, steps: Sequence[Step], numbers: Mapping[str, int]) -> None:
    """Takes changes, which the log has just taken in the same transaction, into the tables."""
    db = store.db
    keys = _keys(db, steps)
    form = _form(len(steps))
    tickets = _load(db, numbers, form)
    _load_items(db, tickets, steps, form)
    rank = _ranking(db, {seq: (change.at, ident) for seq, ident, change in steps})
    again: set[int] = set()
    for seq, _, change in steps:
        number = numbers[change.ticket]
        over = {keys[id_] for id_ in change.over if id_ in keys}
        if over and max(over) > seq:
            again.add(number)
        _take(tickets[number], seq, change, over, rank)
    _write(db, list(tickets.values()), store.statuses, form)
    late = _arrived_late(db, steps)
    again.update(numbers[change.ticket] for _, ident, change in steps if ident in late)
    if again:
        reproject(store, sorted(again))


def _keys(db: Connection, steps: Sequence[Step]) -> dict[str, int]:
    """Change id (hex) to its place in the log, for all that the steps replace. What is not in the log is remembered as missing."""
    keys = {ident.hex(): seq for seq, ident, _ in steps}
    wanted = [id_ for id_ in dict.fromkeys(id_ for _, _, change in steps for id_ in change.over) if id_ not in keys]
    if wanted:
        for part in chunks([bytes.fromhex(id_) for id_ in wanted]):
            for id_, seq in db.execute(f"SELECT id, seq FROM changes WHERE id IN ({marks(part)})", part):
                keys[id_.hex()] = seq
        absent = [(bytes.fromhex(id_),) for id_ in wanted if id_ not in keys]
        if absent:
            db.executemany("INSERT OR IGNORE INTO missing VALUES (?)", absent)
    return keys


def _arrived_late(db: Connection, steps: Sequence[Step]) -> set[bytes]:
    """Those of the changes that were replaced by one that arrived before them."""
    if db.execute("SELECT 1 FROM missing LIMIT 1").fetchone() is None:
        return set()
    late: set[bytes] = set()
    for part in chunks([ident for _, ident, _ in steps]):
        late.update(row[0] for row in db.execute(f"SELECT id FROM missing WHERE id IN ({marks(part)})", part))
    db.executemany("DELETE FROM missing WHERE id = ?", [(id_,) for id_ in late])
    return late


def _load(db: Connection, numbers: Mapping[str, int], form: _Form) -> dict[int, _Ticket]:
    tickets: dict[int, _Ticket] = {}
    for part in chunks(list(numbers.values())):
        for num, ident, created, updated, author, fields in db.execute(
            "SELECT num, id, created, updated, author, fields FROM tickets JOIN registers USING (num)"
            f" WHERE num IN ({marks(part)})",
            part,
        ):
            tickets[num] = _Ticket(num, ident, created, updated, author, form.decode(fields), new=False)
    for ident, num in numbers.items():
        if num not in tickets:
            tickets[num] = _Ticket(num, ident, 0, 0, "", {}, new=True)
    return tickets


def _load_items(db: Connection, tickets: Mapping[int, _Ticket], steps: Sequence[Step], form: _Form) -> None:
    """The items that the steps write, of tickets that are not new."""
    known = {ticket.id: ticket for ticket in tickets.values() if not ticket.new}
    keys = {
        path.rpartition("/")[0]
        for _, _, change in steps
        if change.ticket in known
        for path in change.set
        if path.count("/") == 2
    }
    for part in chunks(list(keys)):
        for pk, key, author, time, fields in db.execute(
            f"SELECT pk, key, author, time, fields FROM items WHERE key IN ({marks(part)})", part
        ):
            ticket = tickets.get(pk >> ITEM_BITS)
            if ticket is not None:
                ticket.items[key] = _Item(pk, key, author, time, form.decode(fields), new=False)
    for ticket in known.values():
        low = ticket.num << ITEM_BITS
        row = db.execute("SELECT max(pk) FROM items WHERE pk > ? AND pk < ?", (low, low + (1 << ITEM_BITS))).fetchone()
        ticket.place = (row[0] or low) - low


def _ranking(db: Connection, here: dict[int, tuple[int, bytes]]) -> Rank:
    """(at, id) by place in the log; asked for only where writes compete."""

    def rank(seq: int) -> tuple[int, bytes]:
        if seq not in here:
            ident, body = db.execute("SELECT id, body FROM changes WHERE seq = ?", (seq,)).fetchone()
            from chit_sync.codec import decode

            here[seq] = decode(body).at, ident
        return here[seq]

    return rank


def _take(ticket: _Ticket, seq: int, change: Change, over: set[int], rank: Rank) -> None:
    """One change into one ticket."""
    _date(ticket, change)
    if not any("/" in path for path in change.set):
        _replace(ticket, ticket.fields, "", seq, change.set, over, rank)
        return
    plain: dict[str, str | int | bool | None] = {}
    by_item: dict[str, dict[str, str | int | bool | None]] = {}
    for path, value in change.set.items():
        if path.count("/") == 2 and not path.startswith("labels/"):
            key, _, name = path.rpartition("/")
            by_item.setdefault(key, {})[name] = value
        else:
            plain[path] = value
    if plain:
        _replace(ticket, ticket.fields, "", seq, plain, over, rank)
    for key, sets in sorted(by_item.items()):  # as in the canonical bytes: a rebuild gives the same places
        item = _item(ticket, key, change)
        _replace(ticket, item.fields, key + "/", seq, sets, over, rank)


def _replace(
    ticket: _Ticket,
    registers: Registers[int],
    prefix: str,
    seq: int,
    sets: Mapping[str, str | int | bool | None],
    over: set[int],
    rank: Rank,
) -> None:
    contested: dict[str, str | int | bool | None] = {}
    for path, value in sets.items():
        heads = registers.get(path)
        if heads is None or (len(heads) == 1 and heads[0][0] in over):
            registers[path] = [(seq, value)]  # the ordinary case; the same as `replace` would do
        else:
            contested[path] = value
    if contested:
        watched = [path for path in contested if len(registers[path]) > 1]
        replace(registers, seq, contested, over, rank)
        for path in contested:
            if path in watched or len(registers[path]) > 1:
                ticket.conflicts[prefix + path] = bool(losers(registers[path]))


def _date(ticket: _Ticket, change: Change) -> None:
    """Created is the earliest time and its author (the first by name of several), updated the latest."""
    time = change.time
    if not ticket.author or time < ticket.created or (time == ticket.created and change.by < ticket.author):
        ticket.created, ticket.author = time, change.by
    if time > ticket.updated:
        ticket.updated = time


def _item(ticket: _Ticket, key: str, change: Change) -> _Item:
    item = ticket.items.get(key)
    if item is None:
        ticket.place = max(ticket.place, 0) + 1
        item = _Item((ticket.num << ITEM_BITS) + ticket.place, key, change.by, change.time, {}, new=True)
        ticket.items[key] = item
    elif (change.time, change.by) < (item.time, item.author):
        item.time, item.author = change.time, change.by
    return item


def _value(registers: Registers[int], path: str) -> str | int | bool | None:
    heads = registers.get(path)
    return None if heads is None else heads[0][1]


def _text(registers: Registers[int], path: str) -> str:
    value = _value(registers, path)
    return value if isinstance(value, str) else ""


def _ticket_words(fields: Registers[int]) -> tuple[str, str]:
    return _text(fields, "title"), _text(fields, "description")


def _item_words(key: str, fields: Registers[int]) -> tuple[str, str]:
    if not key.startswith("comment/") or _value(fields, "deleted"):
        return "", ""
    return "", _text(fields, "body")


def _labels(fields: Registers[int]) -> set[str]:
    return {path[7:] for path, heads in fields.items() if path.startswith("labels/") and heads[0][1]}


def _state(fields: Registers[int], statuses: Mapping[str, str]) -> int:
    if _value(fields, "deleted"):
        return DELETED
    return OPEN if statuses.get(_text(fields, "status"), "open") in OPEN_CATEGORIES else DONE


def _write(db: Connection, tickets: Sequence[_Ticket], statuses: Mapping[str, str], form: _Form) -> None:
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
        row = (
            _value(fields, "title"),
            _value(fields, "status"),
            PRIORITY_RANK.get(_text(fields, "priority"), default),
            *(_value(fields, name) for name in COLUMNS),
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
        _index(forget, words, num << ITEM_BITS, ticket.words, _ticket_words(fields))
        now = _labels(fields)
        if now != ticket.labels:
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
            _index(forget, words, item.pk, item.words, _item_words(item.key, item.fields))
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


def _index(
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


def reproject(store: Store, numbers: Sequence[int] | None = None) -> None:
    """Makes the rows of these tickets (of all, if none are named) again from the log; call it inside a transaction.

    A ticket of which the log knows nothing (any more) is gone afterwards.
    """
    if numbers is None:
        _clear(store.db)
        numbers = [row[0] for row in store.db.execute("SELECT DISTINCT ticket FROM changes ORDER BY ticket")]
    else:
        _remove(store.db, numbers)
    for start in range(0, len(numbers), REBUILD_AT_ONCE):
        _fold_again(store, numbers[start : start + REBUILD_AT_ONCE])


def _fold_again(store: Store, numbers: Sequence[int]) -> None:
    db = store.db
    rows = db.execute(
        f"SELECT ticket, seq, id, body FROM changes WHERE ticket IN ({marks(numbers)}) ORDER BY ticket, seq",
        numbers,
    ).fetchall()
    tickets: list[_Ticket] = []
    for number, group in groupby(rows, key=lambda row: int(row[0])):
        steps: list[Step] = [
            (seq, ident, change) for _, seq, ident, body in group if (change := _readable(ident, body))
        ]
        if not steps:
            continue
        keys = _keys(db, steps)
        ticket = _Ticket(number, steps[0][2].ticket, 0, 0, "", {}, new=True)
        rank = _ranking(db, {seq: (change.at, ident) for seq, ident, change in steps})
        for _, _, change in steps:
            _date(ticket, change)
            for key in dict.fromkeys(_item_key(path) for path in change.set):
                if key:
                    _item(ticket, key, change)
        registers = fold(
            ((seq, change.set, [keys[id_] for id_ in change.over if id_ in keys]) for seq, _, change in steps),
            rank,
        )
        for path, heads in registers.items():
            key = _item_key(path)
            if key:
                ticket.items[key].fields[path[len(key) + 1 :]] = heads
            else:
                ticket.fields[path] = heads
            if losers(heads):
                ticket.conflicts[path] = True
        tickets.append(ticket)
    _write(db, tickets, store.statuses, _form(MANY))


def _readable(ident: bytes, body: bytes) -> Change | None:
    """The change, or nothing where its bytes are damaged: that is for `fsck` to say, and stops nothing else."""
    from chit_sync.codec import decode

    try:
        change = decode(body)
        bytes.fromhex("".join((ident.hex(), *change.over)))
    except (UsageError, ValueError, TypeError, AttributeError):
        return None
    return change


def _item_key(path: str) -> str:
    """KIND/ID of a path into an item, else nothing."""
    if path.count("/") != 2 or path.startswith("labels/"):
        return ""
    return path.rpartition("/")[0]


def _clear(db: Connection) -> None:
    for table in ("tickets", "registers", "items", "labels", "conflicts", "missing"):
        db.execute(f"DELETE FROM {table}")
    db.execute("INSERT INTO search (search) VALUES ('delete-all')")


def _remove(db: Connection, numbers: Sequence[int]) -> None:
    for number in numbers:
        low = number << ITEM_BITS
        span = (low, low + (1 << ITEM_BITS))
        forget: list[tuple[int, str, str]] = []
        for (fields,) in db.execute("SELECT fields FROM registers WHERE num = ?", (number,)):
            _index(forget, [], low, _ticket_words(json.loads(fields)), ("", ""))
        for pk, key, fields in db.execute("SELECT pk, key, fields FROM items WHERE pk > ? AND pk < ?", span):
            _index(forget, [], pk, _item_words(key, json.loads(fields)), ("", ""))
        db.executemany("INSERT INTO search (search, rowid, title, body) VALUES ('delete', ?, ?, ?)", forget)
        db.execute("DELETE FROM items WHERE pk > ? AND pk < ?", span)
        for table in ("tickets", "registers", "labels", "conflicts"):
            db.execute(f"DELETE FROM {table} WHERE num = ?", (number,))


def recategorize(store: Store) -> None:
    """Puts tickets.state right after the store's statuses were configured otherwise; call it inside a transaction."""
    for (status,) in store.db.execute("SELECT DISTINCT status FROM tickets").fetchall():
        state = OPEN if store.statuses.get(status or "", "open") in OPEN_CATEGORIES else DONE
        store.db.execute(
            "UPDATE tickets SET state = ? WHERE status IS ? AND state NOT IN (?, ?)",
            (state, status, state, DELETED),
        )


def set_statuses(store: Store, statuses: Mapping[str, str], *, dry_run: bool = False) -> None:
    """Gives the store another list of statuses (name to category)."""
    with store.transaction(dry_run=dry_run):
        store.set_meta("statuses", json.dumps(dict(statuses), ensure_ascii=False))
        store.__dict__.pop("statuses", None)
        recategorize(store)
    if dry_run:
        store.__dict__.pop("statuses", None)
