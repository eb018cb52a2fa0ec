"""The store's list of statuses, and which tickets are open by it."""

import json
from collections.abc import Mapping

from chit_sync.schema import OPEN_CATEGORIES
from chit_sync.store.database import Store
from chit_sync.store.rows import DELETED, DONE, OPEN


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
