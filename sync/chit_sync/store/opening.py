"""Making a store, and opening one: its version, its identity. Nothing else."""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

from chit_sync import ids
from chit_sync.errors import ConflictError, StoreError
from chit_sync.store.database import DATABASE, Store, connect, explained, time_of_day
from chit_sync.store.migrations import APPLICATION_ID, MIGRATIONS, VERSION

PAGE_SIZE = 4096
WAL_ATTEMPTS = 200


def create(
    path: str,
    *,
    now: Callable[[], int] = time_of_day,
    entropy: Callable[[int], bytes] = os.urandom,
) -> Store:
    """Makes an empty store in the folder `path`. Raises ConflictError if there is one, StoreError if it cannot be made.

    What is left of a making that was interrupted is no store yet, and is made now.
    """
    if os.path.exists(os.path.join(path, DATABASE)) and not _unfinished(path):
        raise ConflictError(f"there is a store at {path} already")
    try:
        os.makedirs(os.path.join(path, "blobs"), exist_ok=True)
        os.close(os.open(os.path.join(path, DATABASE), os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StoreError(f"cannot make a store at {path}: {error.strerror}") from None
    store = Store(path, connect(path), now, entropy)
    try:
        with explained(path):
            store.db.execute(f"PRAGMA page_size = {PAGE_SIZE}")
            _use_wal(store.db)
        with store.transaction() as db:
            if not _is_blank(db):
                raise ConflictError(f"there is a store at {path} already")
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            _migrate(store, 0)
            store.set_meta("store", ids.letters(store.entropy(ids.ID_BYTES)))
            _remember_place(store)
    except BaseException:
        store.close()
        raise
    return store


def _use_wal(db: sqlite3.Connection) -> None:
    """Turns the write-ahead log on. For this alone SQLite does not wait for another process, which is making the same store."""
    for attempt in range(WAL_ATTEMPTS):
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or attempt == WAL_ATTEMPTS - 1:
                raise
            time.sleep(0.05)


def _unfinished(path: str) -> bool:
    try:
        with closing(connect(path)) as db:
            return _is_blank(db)
    except (StoreError, sqlite3.Error):
        return False


def _is_blank(db: sqlite3.Connection) -> bool:
    """Whether nothing was ever kept in the database, by anybody."""
    with explained(""):
        marked = db.execute("PRAGMA application_id").fetchone()[0] or db.execute("PRAGMA user_version").fetchone()[0]
        return not marked and db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0


def open_store(
    path: str,
    *,
    write: bool = True,
    now: Callable[[], int] = time_of_day,
    entropy: Callable[[int], bytes] = os.urandom,
) -> Store:
    """Opens the store in the folder `path`. Raises NotFoundError, or StoreError for what is no store of ours or too new."""
    store = Store(path, connect(path, write=write), now, entropy)
    db = store.db
    try:
        with explained(path):
            version: int = db.execute("PRAGMA user_version").fetchone()[0]
            if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                if _is_blank(db):
                    raise StoreError(
                        f"{path}/{DATABASE} is empty: making the store was interrupted, or its content was lost",
                        "`chit init` makes a new store there; what was pushed can be cloned again.",
                    )
                raise StoreError(
                    f"{path}/{DATABASE} is not a chit store",
                    "It is another program's database; look for the right folder.",
                )
        if version > VERSION:
            raise StoreError(
                f"the store {path} has format {version}; this chit knows formats up to {VERSION}",
                "Install a newer chit; this one leaves the store as it is.",
            )
        if version < VERSION:
            with store.transaction():
                _migrate(store, db.execute("PRAGMA user_version").fetchone()[0])
        if write and _moved(store):
            _settle(store)
    except BaseException:
        store.close()
        raise
    return store


def _migrate(store: Store, version: int) -> None:
    for number in range(version, VERSION):
        MIGRATIONS[number](store.db)
        store.db.execute(f"PRAGMA user_version = {number + 1}")


def _place(store: Store) -> str:
    """Where this store is: the file's number on the disk, the machine's name, and the file's path."""
    file = os.path.join(store.path, DATABASE)
    return f"{os.stat(file).st_ino} {os.uname().nodename} {os.path.realpath(file)}"


def _moved(store: Store) -> bool:
    with explained(store.path):
        return bool(store.meta("place") != _place(store))


def _remember_place(store: Store) -> None:
    store.set_meta("place", _place(store))


def _settle(store: Store) -> None:
    """A store that was moved stays who it is; a copy beside the original becomes a store of its own.

    A copy has another file number, and another path or machine. A restored backup has the old path on the same machine, a moved
    store the old number.
    """
    with store.transaction():
        inode, _, where = str(store.meta("place", " ")).partition(" ")
        new_inode, _, new_where = _place(store).partition(" ")
        if inode != new_inode and where != new_where:
            store.set_meta("copy_of", store.meta("store"))
            store.set_meta("store", ids.letters(store.entropy(ids.ID_BYTES)))
            # What was not sent yet is the original's to send as well: whoever sends it from here looks first.
            last = store.db.execute("SELECT coalesce(max(seq), 0) FROM changes").fetchone()[0]
            store.set_meta("copied", last)
        _remember_place(store)


def integrity(store: Store) -> list[str]:
    """What SQLite itself finds wrong with the file, a line each; empty if nothing."""
    try:
        lines = [str(row[0]) for row in store.db.execute("PRAGMA integrity_check")]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [] if lines == ["ok"] else lines
