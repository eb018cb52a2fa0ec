"""Suiting the process to taking in much at once, for as long as it lasts."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from chit_sync.store.database import Store, explained

SETTINGS = {"cache_size": -24_000, "wal_autocheckpoint": 8_000, "synchronous": 1}
"""Of the connection, while much is written: 24 MB of memory, a longer write-ahead log, no waiting for the disk at each batch."""


@contextmanager
def bulk(store: Store) -> Iterator[None]:
    """For what can be had again: a pull, an import. When it is over, all of it is on the disk.

    Before that a power failure may take back the last batches, with the cursors that were written in the same transactions; a kill
    takes back none. There is no search for cycles among the many small objects of a batch, which have none.
    """
    db = store.db
    collecting = gc.isenabled()
    with explained(store.path):
        before = {name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in SETTINGS}
        for name, value in SETTINGS.items():
            db.execute(f"PRAGMA {name} = {value}")
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
        for name, value in before.items():
            db.execute(f"PRAGMA {name} = {value}")
        with explained(store.path):
            db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
