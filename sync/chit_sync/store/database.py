"""Opening a store's database, its transactions, and what SQLite's errors mean for people. Knows no table but `meta`."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Self, TypeVar

from chit_sync.errors import NotFoundError, StoreError
from chit_sync.schema import DEFAULT_STATUSES

DATABASE = "store.db"
BUSY_SECONDS = 10.0
"""How long a writer waits for another one."""

CHUNK = 500
"""Most values bound to one statement; some builds of SQLite allow 999."""

Connection = sqlite3.Connection
Item = TypeVar("Item")


def chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """The items in parts that fit into one statement's `IN (…)`."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


def marks(values: Sequence[object]) -> str:
    """Question marks for `IN (…)`."""
    return ",".join("?" * len(values))


def time_of_day() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000


class Store:
    """An open store. `path` is its folder (`.chit`), `db` the connection.

    now: microseconds since 1970 UTC. entropy: that many random bytes. Both can be replaced by tests.
    """

    def __init__(
        self,
        path: str,
        db: Connection,
        now: Callable[[], int] = time_of_day,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.path = path
        self.db = db
        self.now = now
        self.entropy = entropy

    @cached_property
    def statuses(self) -> dict[str, str]:
        """Status name to category, in the order of the configuration."""
        configured = self.meta("statuses")
        if configured is None:
            return DEFAULT_STATUSES
        import json

        return dict(json.loads(configured))

    def close(self) -> None:
        """Closes the connection; the store is whole whether this is called or not."""
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def meta(self, key: str, default: Any = None) -> Any:
        """A value of the `meta` table."""
        row = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return default if row is None else row[0]

    def set_meta(self, key: str, value: str | int | bytes) -> None:
        """Keeps a value in the `meta` table; call it inside a transaction."""
        self.db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )

    @contextmanager
    def transaction(self, *, dry_run: bool = False) -> Iterator[Connection]:
        """All or nothing, and nobody else writes meanwhile. With dry_run everything happens and then has not happened.

        Raises StoreError when the store is busy, read-only, damaged or the disk is full; nothing was written then.
        """
        with explained(self.path):
            try:
                self.db.execute("BEGIN IMMEDIATE")
                yield self.db
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise
            if dry_run:
                self.db.execute("ROLLBACK")
                return
            try:
                self.db.execute("COMMIT")
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise


@contextmanager
def explained(path: str) -> Iterator[None]:
    """Turns SQLite's errors into StoreError, in words for people."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error, path) from error
    except UnicodeDecodeError as error:  # text is written as UTF-8, so it was damaged since
        raise _damaged(path, error) from error


def explain(error: sqlite3.Error, path: str) -> Exception:
    """The StoreError for an error of SQLite; other errors of SQLite are bugs of ours and come back as they are."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreError(
            f"the store {path} is busy: another process has been writing to it for over {BUSY_SECONDS:.0f} seconds",
            "Try again when that is done; nothing was changed.",
        )
    if name.startswith("SQLITE_FULL") or "disk is full" in str(error):
        return StoreError(
            f"the disk is full: nothing was written to {path}",
            "Make room and run the command again.",
        )
    if name.startswith("SQLITE_READONLY") or (name.startswith("SQLITE_CANTOPEN") and os.path.exists(path)):
        return StoreError(
            f"the store {path} is read-only here",
            "Look at the permissions of the folder and of store.db in it.",
        )
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR")) or "decode to UTF-8" in str(error):
        return _damaged(path, error)
    return error


def _damaged(path: str, error: Exception) -> StoreError:
    return StoreError(
        f"the store {path} is damaged: {error}",
        "Keep a copy of the folder, then run `chit fsck`; what was pushed can be cloned again.",
    )


def connect(path: str, *, write: bool = True) -> Connection:
    """A connection to the database of the store folder `path`, which must exist. Raises StoreError or NotFoundError."""
    file = os.path.join(path, DATABASE)
    if not os.path.exists(file):
        raise NotFoundError(f"no store at {path}: there is no {DATABASE} in it", "Make one with `chit init`.")
    with explained(path):
        if write or os.access(path, os.W_OK):
            db = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)
        else:
            db = _connect_read_only(file)
        return db


def _connect_read_only(file: str) -> Connection:
    return sqlite3.connect(_read_only(file), uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def attachable(path: str) -> str:
    """What another connection attaches to read the database of the store folder `path`."""
    from urllib.parse import quote

    file = os.path.join(path, DATABASE)
    return f"file:{quote(os.path.abspath(file))}" if os.access(path, os.W_OK) else _read_only(file)


def _read_only(file: str) -> str:
    """SQLite reads a WAL database in a folder that it cannot write only if no log is left over, or as immutable."""
    from urllib.parse import quote

    uri = f"file:{quote(os.path.abspath(file))}?mode=ro"
    wal = file + "-wal"
    if not os.path.exists(wal) or os.path.getsize(wal) == 0:
        uri += "&immutable=1"
    return uri
