"""Offers whose time to accept has passed: found with one look, so that whoever opens a store can see to them. `desk` declines them.

Only the lead's store decides that an offer has expired, and nobody may be looking then. So every command that opens it does this first;
in a store without offers it costs one look at an index, and nothing of what deals with partners is imported.
"""

import sqlite3

from chit_sync.errors import StoreError
from chit_sync.store.database import Store

_DUE = """SELECT DISTINCT h.num FROM handoffs h JOIN items i ON i.pk = h.pk
 WHERE h.status = 'assigned' AND h.current = 1 AND h.accept_by IS NOT NULL AND h.accept_by < :now
 AND h.role = 'lead' AND h.accept_by + coalesce(json_extract(i.fields, '$.grace[0][1]'), 0) < :now
 AND h.partner IN (SELECT name FROM partners WHERE role = 'service')"""


def due(store: Store) -> list[int]:
    """This store's numbers of the tickets that it has offered, and whose offers have expired with the grace that it gives."""
    return [row[0] for row in store.db.execute(_DUE, {"now": store.now()})]


def expire(store: Store) -> None:
    """Declines them, unless the store cannot be written to now: then the next command does. Waits for nobody, and never fails."""
    db = store.db
    try:
        if not due(store):
            return
        from chit_sync.store import desk  # nearly always there is nothing to do

        waiting = db.execute("PRAGMA busy_timeout").fetchone()[0]
        db.execute("PRAGMA busy_timeout = 0")
        try:
            desk.expire(store)
        finally:
            db.execute(f"PRAGMA busy_timeout = {waiting}")
    except (StoreError, sqlite3.Error):
        pass
