"""Making tables again from the log: for tickets of which a change was undone or arrived late, or for all of them."""

import json
from collections.abc import Sequence
from itertools import groupby

from chit_sync.change import Change
from chit_sync.errors import UsageError
from chit_sync.registers import fold, losers
from chit_sync.schema import is_decided
from chit_sync.store.database import Connection, Store, marks
from chit_sync.store.handoff_rows import refresh
from chit_sync.store.migrations import ITEM_BITS
from chit_sync.store.project import Step, date, item_of, places, ranking
from chit_sync.store.rows import MANY, TicketRow, form_for, index, item_words, ticket_words, write

AT_ONCE = 500
"""Tickets made again in one go."""


def reproject(store: Store, numbers: Sequence[int] | None = None) -> None:
    """Makes the rows of these tickets (of all, if none are named) again from the log; call it inside a transaction.

    A ticket of which the log knows nothing (any more) is gone afterwards.
    """
    if numbers is None:
        _clear(store.db)
        numbers = [row[0] for row in store.db.execute("SELECT DISTINCT ticket FROM changes ORDER BY ticket")]
    else:
        _remove(store.db, numbers)
    for start in range(0, len(numbers), AT_ONCE):
        _fold_again(store, numbers[start : start + AT_ONCE])


def _fold_again(store: Store, numbers: Sequence[int]) -> None:
    db = store.db
    rows = db.execute(
        f"SELECT ticket, seq, id, body FROM changes WHERE ticket IN ({marks(numbers)}) ORDER BY ticket, seq",
        numbers,
    ).fetchall()
    tickets: list[TicketRow] = []
    for number, group in groupby(rows, key=lambda row: int(row[0])):
        steps: list[Step] = [
            (seq, ident, change) for _, seq, ident, body in group if (change := _readable(ident, body))
        ]
        if not steps:
            continue
        keys = places(db, steps)
        ticket = TicketRow(number, steps[0][2].ticket, 0, 0, "", {}, new=True)
        ticket.labels = set()
        rank = ranking(db, steps)
        for _, _, change in steps:
            date(ticket, change)
            for key in dict.fromkeys(item_key(path) for path in change.set):
                if key:
                    item_of(ticket, key, change)
        registers = fold(
            (
                (seq, change.set, [keys[id_] for id_ in change.over if id_ in keys], change.mirror)
                for seq, _, change in steps
            ),
            rank,
        )
        for path, heads in registers.items():
            key = item_key(path)
            if key:
                ticket.items[key].fields[path[len(key) + 1 :]] = heads
            else:
                ticket.fields[path] = heads
            if losers(heads) and not is_decided(path):
                ticket.conflicts[path] = True
        tickets.append(ticket)
    write(db, tickets, store.statuses, form_for(MANY))
    shared = [ticket.num for ticket in tickets if any(key.startswith("handoff/") for key in ticket.items)]
    if shared:
        refresh(db, shared)


def _readable(ident: bytes, body: bytes) -> Change | None:
    """The change, or nothing where its bytes are damaged: that is for `fsck` to say, and stops nothing else."""
    from chit_sync.codec import decode

    try:
        change = decode(body)
        bytes.fromhex("".join((ident.hex(), *change.over)))
    except (UsageError, ValueError, TypeError, AttributeError):
        return None
    return change


def item_key(path: str) -> str:
    """KIND/ID of a path into an item, else nothing."""
    if path.count("/") != 2 or path.startswith("labels/"):
        return ""
    return path.rpartition("/")[0]


def _clear(db: Connection) -> None:
    for table in ("tickets", "registers", "items", "labels", "conflicts", "missing", "handoffs"):
        db.execute(f"DELETE FROM {table}")
    db.execute("INSERT INTO search (search) VALUES ('delete-all')")


def _remove(db: Connection, numbers: Sequence[int]) -> None:
    for number in numbers:
        low = number << ITEM_BITS
        span = (low, low + (1 << ITEM_BITS))
        forget: list[tuple[int, str, str]] = []
        for (fields,) in db.execute("SELECT fields FROM registers WHERE num = ?", (number,)):
            index(forget, [], low, ticket_words(json.loads(fields)), ("", ""))
        for pk, key, fields in db.execute("SELECT pk, key, fields FROM items WHERE pk > ? AND pk < ?", span):
            index(forget, [], pk, item_words(key, json.loads(fields)), ("", ""))
        db.executemany("INSERT INTO search (search, rowid, title, body) VALUES ('delete', ?, ?, ?)", forget)
        db.execute("DELETE FROM items WHERE pk > ? AND pk < ?", span)
        for table in ("tickets", "registers", "labels", "conflicts", "handoffs"):
            db.execute(f"DELETE FROM {table} WHERE num = ?", (number,))
