"""From changes to tables: what the changes of a batch make of the tickets they are about, taken in by the step of the merge.

The cost follows the batch, one step of the merge a change. `reproject` makes the same again from the log, by the other half of the
merge, and must come to the same; tests compare the two.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from chit_sync.change import Change
from chit_sync.registers import Registers, losers, replace
from chit_sync.schema import is_decided
from chit_sync.store.database import Connection, Store, chunks, marks
from chit_sync.store.migrations import ITEM_BITS
from chit_sync.store.mirrored import Earlier, Mirrored
from chit_sync.store.rows import Form, ItemRow, TicketRow, form_for, labels_of, write

Step = tuple[int, bytes, Change]
"""(seq, id, change)"""

Rank = Callable[[int], tuple[int, bytes]]


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


def project(store: Store, steps: Sequence[Step], numbers: Mapping[str, int]) -> list[int]:
    """Takes changes, which the log has just taken in the same transaction, into the tables.

    Returns the numbers of tickets that must be made again: a change of theirs had been replaced before it arrived, by one that names
    it or, as far as can be told in a look, by a later one of its mirror.
    """
    db = store.db
    keys = places(db, steps)
    form = form_for(len(steps))
    tickets = _load(db, numbers, form)
    _load_items(db, tickets, steps, form)
    rank = ranking(db, steps)
    mirrored = Mirrored(db, steps)
    again: set[int] = set()
    for seq, ident, change in steps:
        number = numbers[change.ticket]
        over = {keys[id_] for id_ in change.over if id_ in keys}
        if over and max(over) > seq:
            again.add(number)
        earlier = None
        if change.mirror:
            if mirrored.ascends(number, ident, change, new=tickets[number].new):
                earlier = mirrored.earlier(change.mirror)
            else:
                again.add(number)
        if _take(tickets[number], seq, change, over, rank, mirrored, earlier):
            again.add(number)
    write(db, list(tickets.values()), store.statuses, form)
    shared = with_handoffs(db, tickets, (key for ticket in tickets.values() for key in ticket.items))
    if shared:
        from chit_sync.store.handoff_rows import refresh  # most stores have none

        refresh(db, shared)
    late = _arrived_late(db, steps)
    if late:
        again.update(numbers[change.ticket] for _, ident, change in steps if ident in late)
    return sorted(again)


def with_handoffs(db: Connection, numbers: Collection[int], fresh: Iterable[str] = ()) -> list[int]:
    """Those of the tickets that have handoffs; all of them, if an item of `fresh` (KIND/ID) is one, or a move on one."""
    if any(key.startswith(("handoff/", "move/")) for key in fresh):
        return sorted(numbers)
    if db.execute("SELECT 1 FROM handoffs LIMIT 1").fetchone() is None:
        return []
    found: set[int] = set()
    for part in chunks(list(numbers)):
        found.update(row[0] for row in db.execute(f"SELECT num FROM handoffs WHERE num IN ({marks(part)})", part))
    return sorted(found)


def places(db: Connection, steps: Sequence[Step]) -> dict[str, int]:
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


def _load(db: Connection, numbers: Mapping[str, int], form: Form) -> dict[int, TicketRow]:
    tickets: dict[int, TicketRow] = {}
    for part in chunks(list(numbers.values())):
        for num, ident, created, updated, author, fields in db.execute(
            "SELECT num, id, created, updated, author, fields FROM tickets JOIN registers USING (num)"
            f" WHERE num IN ({marks(part)})",
            part,
        ):
            tickets[num] = TicketRow(num, ident, created, updated, author, form.decode(fields), new=False)
    for ident, num in numbers.items():
        if num not in tickets:
            tickets[num] = TicketRow(num, ident, 0, 0, "", {}, new=True)
    return tickets


def _load_items(db: Connection, tickets: Mapping[int, TicketRow], steps: Sequence[Step], form: Form) -> None:
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
                ticket.items[key] = ItemRow(pk, key, author, time, form.decode(fields), new=False)
    for ticket in known.values():
        low = ticket.num << ITEM_BITS
        row = db.execute("SELECT max(pk) FROM items WHERE pk > ? AND pk < ?", (low, low + (1 << ITEM_BITS))).fetchone()
        ticket.place = (row[0] or low) - low


def ranking(db: Connection, steps: Sequence[Step]) -> Rank:
    """(at, id) by place in the log, for these changes and what came before them; asked for only where writes compete."""
    here: dict[int, tuple[int, bytes]] = {}

    def rank(seq: int) -> tuple[int, bytes]:
        if not here:
            here.update((place, (change.at, ident)) for place, ident, change in steps)
        if seq not in here:
            ident, body = db.execute("SELECT id, body FROM changes WHERE seq = ?", (seq,)).fetchone()
            from chit_sync.codec import decode

            here[seq] = decode(body).at, ident
        return here[seq]

    return rank


def _take(
    ticket: TicketRow,
    seq: int,
    change: Change,
    over: set[int],
    rank: Rank,
    mirrored: Mirrored,
    earlier: Earlier | None = None,
) -> bool:
    """One change into one ticket; whether the ticket must be made again. earlier: what it replaces besides, if it is mirrored."""
    date(ticket, change)
    if "/" not in "".join(change.set):
        return _replace(ticket, ticket.fields, "", seq, change.set, over, rank, mirrored, earlier)
    again = False
    plain: dict[str, str | int | bool | None] = {}
    by_item: dict[str, dict[str, str | int | bool | None]] = {}
    for path, value in change.set.items():
        if path.count("/") == 2 and not path.startswith("labels/"):
            key, _, name = path.rpartition("/")
            by_item.setdefault(key, {})[name] = value
        else:
            plain[path] = value
    if plain:
        if ticket.labels is None and any(path.startswith("labels/") for path in plain):
            ticket.labels = labels_of(ticket.fields)
        again = _replace(ticket, ticket.fields, "", seq, plain, over, rank, mirrored, earlier)
    for key, sets in sorted(by_item.items()):  # as in the canonical bytes: a rebuild gives the same places
        item = item_of(ticket, key, change)
        again |= _replace(ticket, item.fields, key + "/", seq, sets, over, rank, mirrored, earlier)
    return again


def _replace(
    ticket: TicketRow,
    registers: Registers[int],
    prefix: str,
    seq: int,
    sets: Mapping[str, str | int | bool | None],
    over: set[int],
    rank: Rank,
    mirrored: Mirrored,
    earlier: Earlier | None,
) -> bool:
    named = bool(over)
    again = False
    if earlier is not None:
        over = over | earlier(registers, sets)
    contested: dict[str, str | int | bool | None] = {}
    for path, value in sets.items():
        heads = registers.get(path)
        if heads is None or (len(heads) == 1 and heads[0][0] in over):
            registers[path] = [(seq, value)]  # the ordinary case; the same as `replace` would do
        else:
            contested[path] = value
    if contested:
        # Where a value of a mirror and another one stand beside each other, what was seen of the mirror before counts as well.
        for heads in map(registers.__getitem__, contested):
            left = [key for key, _ in heads if key not in over]
            again |= bool(left) and (earlier is not None or (named and any(map(mirrored.wrote, left))))
        watched = [path for path in contested if len(registers[path]) > 1]
        replace(registers, seq, contested, over, rank)
        for path in contested:
            if (path in watched or len(registers[path]) > 1) and not is_decided(prefix + path):
                ticket.conflicts[prefix + path] = bool(losers(registers[path]))
    return again


def date(ticket: TicketRow, change: Change) -> None:
    """Created is the earliest time and its author (the first by name of several), updated the latest."""
    time = change.at if change.when is None else change.when
    if not ticket.author or time < ticket.created or (time == ticket.created and change.by < ticket.author):
        ticket.created, ticket.author = time, change.by
    if time > ticket.updated:
        ticket.updated = time


def item_of(ticket: TicketRow, key: str, change: Change) -> ItemRow:
    item = ticket.items.get(key)
    if item is None:
        ticket.place = max(ticket.place, 0) + 1
        item = ItemRow((ticket.num << ITEM_BITS) + ticket.place, key, change.by, change.time, {}, new=True)
        ticket.items[key] = item
    elif (change.time, change.by) < (item.time, item.author):
        item.time, item.author = change.time, change.by
    return item
