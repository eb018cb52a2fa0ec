"""How far a remote was read, and whether it is the one that it was. Each pair of this store and a remote has its own; knows no changes.

The cursors are written in the transaction that takes what they stand for, so that a kill leaves both or neither, and they only grow.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from chit_sync.errors import AccessError, ConflictError, OtherStoreError
from chit_sync.remotes.base import Expect
from chit_sync.store.database import Store
from chit_sync.store.remotes import Remote, get, partner_of, tip_key
from chit_sync.wire import Info

ENDED = "the partnership has ended"
"""How a lead's store says so, over any connection."""


def place(remote: Remote) -> int:
    """How far the remote's log is known here, taken or waiting."""
    return max(remote.pulled, remote.fetched)


def expectation(store: Store, remote: Remote) -> Expect | None:
    """What is known of the remote's log; None before it was first reached."""
    if remote.store is None:
        return None
    # The place and its change in one statement: another process of this store may move both on between two.
    row = store.db.execute(
        "SELECT max(pulled, fetched), (SELECT value FROM meta WHERE key = ?) FROM remotes WHERE id = ?",
        (tip_key(remote.id), remote.id),
    ).fetchone()
    return Expect(remote.store, row[0], row[1] or b"") if row else None


@contextmanager
def advised(remote: Remote, store: Store | None = None) -> Iterator[None]:
    """Names the cure for a remote that is another store than before. store: where it is noted that a lead has ended the partnership."""
    try:
        yield
    except AccessError as error:
        if store is not None and error.message.endswith(ENDED):
            from chit_sync.store import partners  # few remotes are a lead's

            if lead := partners.of_remote(store, remote.id):
                partners.end(store, lead.name, role=lead.role)
        raise
    except OtherStoreError as error:
        raise other_store(remote, error.message) from None


def other_store(remote: Remote, message: str) -> OtherStoreError:
    """The error for a remote that is not what it was, with its cure."""
    return OtherStoreError(
        f"{remote.name}: {message}; nothing was changed",
        f"If that is meant, `chit remote reset {remote.name}` reads it from the start; nothing is lost or doubled.",
    )


def check(store: Store, remote: Remote, info: Info) -> None:
    """Raises ConflictError for a remote that is this very store, OtherStoreError for one that is not what it was, AccessError for one
    that shows itself as it does to a partner, where we are none: everything of ours would be offered to another organisation."""
    if info.store == store.meta("store"):
        raise ConflictError(
            f"the remote {remote.name} is this store itself",
            f"Give it another address with `chit remote set-url {remote.name} URL`.",
        )
    if not info.statuses and partner_of(store.db, remote.id) is None:
        raise AccessError(
            f"the token for {remote.name} is one of a partner, and {remote.name} is no lead of this store",
            "Join with the invitation, `chit partner join`, or ask for a token of your own.",
        )
    if remote.store not in (None, info.store):
        raise other_store(remote, f"{remote.url} is another store than before")
    if info.last < place(remote):
        raise other_store(
            remote, f"{remote.url} has {info.last} changes, but {place(remote)} of it were read before: it was set back"
        )


def remember(store: Store, remote: Remote, info: Info) -> Remote:
    """Keeps who the remote is, and that it answered just now."""
    careful = store.db.execute("PRAGMA synchronous").fetchone()[0]
    if remote.store is not None:
        store.db.execute(
            "PRAGMA synchronous = NORMAL"
        )  # when it answered may be lost in a crash, and is not worth a wait
    try:
        with store.transaction() as db:
            db.execute(
                "UPDATE remotes SET store = coalesce(store, ?), contact = ? WHERE id = ?",
                (info.store, store.now(), remote.id),
            )
    finally:
        store.db.execute(f"PRAGMA synchronous = {careful}")
    return get(store, remote.name)


def advance(store: Store, remote: int, *, pulled: int = 0, fetched: int = 0, tip: bytes = b"") -> None:
    """Moves the cursors forward, in the caller's transaction. tip: the id of the change at the furthest of them."""
    db = store.db
    furthest = db.execute("SELECT max(pulled, fetched) FROM remotes WHERE id = ?", (remote,)).fetchone()[0]
    if tip and max(pulled, fetched) > furthest:
        store.set_meta(tip_key(remote), tip)
    db.execute(
        "UPDATE remotes SET pulled = max(pulled, ?), fetched = max(fetched, ?) WHERE id = ?",
        (pulled, max(pulled, fetched), remote),
    )
