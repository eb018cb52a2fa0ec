"""Time entries and charges of many tickets at once, for lists: one statement, and no ticket is loaded for it."""

import json
from collections.abc import Collection
from typing import Any, NamedTuple

from chit_sync.store.database import CHUNK, Store, explained, marks
from chit_sync.store.migrations import ITEM_BITS


class Entry(NamedTuple):
    """A time entry or a charge in a list. ticket: the ticket's whole id. time: when the work was done, or the cost was written down, in
    microseconds since 1970 UTC. values: field to value, without what is empty."""

    ticket: str
    id: str
    author: str
    time: int
    values: dict[str, Any]


_COLUMNS = "t.num, t.id, i.key, i.author, i.time, i.fields"
_EVERY = f"""SELECT {_COLUMNS} FROM items i JOIN tickets t ON t.num = i.pk >> {ITEM_BITS}
 WHERE i.key >= ? AND i.key < ?"""
_FEW = f"""SELECT {_COLUMNS} FROM tickets t JOIN items i ON i.pk > t.num << {ITEM_BITS} AND i.pk < (t.num + 1) << {ITEM_BITS}
 WHERE +i.key >= ? AND +i.key < ?"""
"""The plus keeps SQLite from walking through all entries of the store for those of a few tickets, which lie together."""


def entries(
    store: Store, kind: str, numbers: Collection[int] | None = None, since: int | None = None, until: int | None = None
) -> list[Entry]:
    """The entries of a kind (time, charge) that were not deleted, by their time.

    numbers: this store's numbers of the tickets that are meant; without them all that were not deleted. since, until: from when on,
    and before when.
    """
    wanted = None if numbers is None else set(numbers)
    values: list[int] = []
    if wanted is None:
        statement = f"{_EVERY} AND t.state <> 2"
    elif len(wanted) > CHUNK:
        statement = _EVERY
    else:
        values = sorted(wanted)
        statement = f"{_FEW} AND t.num IN ({marks(values)})"
    found: list[Entry] = []
    with explained(store.path):
        for number, ticket, key, author, time, text in store.db.execute(statement, (f"{kind}/", f"{kind}0", *values)):
            if wanted is not None and number not in wanted:
                continue
            fields = {name: heads[0][1] for name, heads in json.loads(text).items() if heads[0][1] is not None}
            when = fields.get("date", time)
            if fields.get("deleted") or (since is not None and when < since) or (until is not None and when >= until):
                continue
            found.append(Entry(ticket, key[len(kind) + 1 :], author, when, fields))
    return sorted(found, key=lambda entry: (entry.time, entry.ticket, entry.id))
