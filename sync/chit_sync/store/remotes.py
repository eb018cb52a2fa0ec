"""What the store knows of other stores: their names and addresses, how far each was read, what it refused. Rows only, no network.

`changes.origin` names the remote that is known to have a change. VISITOR stands for a store that pushed to this one, or for a remote
that is gone; HERE (in `log`) for a change made in this store.
"""

from collections.abc import Sequence
from typing import NamedTuple

from chit_sync.errors import ConflictError, NotFoundError, UsageError
from chit_sync.helpdesks.address import is_helpdesk
from chit_sync.ids import MAX_NAME, NAME_RULE, is_name
from chit_sync.store.database import Connection, Store, explained, marks

VISITOR = -1

DEFAULT = "origin"
"""The name of the remote that a clone comes from."""


class Remote(NamedTuple):
    """A remote. store: the identity that it had when it was first reached. pulled: how far its log was read into ours; fetched: the
    same, with what waits; pushed: how far ours was offered to it. contact: when it last answered (microseconds since 1970 UTC)."""

    id: int
    name: str
    url: str
    store: str | None
    pulled: int
    fetched: int
    pushed: int
    contact: int | None


_COLUMNS = "id, name, url, store, pulled, fetched, pushed, contact"


def add(store: Store, name: str, url: str, *, dry_run: bool = False) -> Remote:
    """Remembers a remote. Raises UsageError for a name that cannot be one, ConflictError for one that is taken."""
    check_name(name)
    if not url.strip():
        raise UsageError("a remote needs an address")
    with store.transaction(dry_run=dry_run) as db:
        check_free(db, name)
        db.execute("INSERT INTO remotes (name, url) VALUES (?, ?)", (name, url))
        return get(store, name)


def get(store: Store, name: str | None = None) -> Remote:
    """The remote of that name, or the default one (`origin`, else the oldest). Raises NotFoundError."""
    with explained(store.path):
        if name is None:
            row = store.db.execute(
                f"SELECT {_COLUMNS} FROM remotes ORDER BY name <> ?, id IN (SELECT remote FROM partners), id LIMIT 1",
                (DEFAULT,),
            ).fetchone()
            if row is None:
                raise NotFoundError("this store has no remote", "Add one with `chit remote add NAME URL`.")
        else:
            row = store.db.execute(f"SELECT {_COLUMNS} FROM remotes WHERE name = ?", (name,)).fetchone()
            if row is None:
                raise NotFoundError(f"no remote {name!r}", "`chit remote list` shows what there is.")
    return Remote._make(row)


def listing(store: Store) -> list[Remote]:
    """All remotes, the default one first."""
    with explained(store.path):
        rows = store.db.execute(f"SELECT {_COLUMNS} FROM remotes ORDER BY name <> ?, id", (DEFAULT,)).fetchall()
    return list(map(Remote._make, rows))


def rename(store: Store, name: str, new: str, *, dry_run: bool = False) -> Remote:
    """Gives a remote another name. Raises NotFoundError, UsageError, ConflictError."""
    remote = get(store, name)
    check_name(new)
    with store.transaction(dry_run=dry_run) as db:
        if new != name:
            check_free(db, new)
        db.execute("UPDATE remotes SET name = ? WHERE id = ?", (new, remote.id))
        return get(store, new)


def set_url(store: Store, name: str, url: str, *, dry_run: bool = False) -> Remote:
    """Gives a remote another address. It must be the same store there; another one is noticed at the next exchange.

    A helpdesk's address also says what is followed there: it is asked anew what it is and what it has.
    """
    remote = get(store, name)
    if not url.strip():
        raise UsageError("a remote needs an address")
    with store.transaction(dry_run=dry_run) as db:
        db.execute("UPDATE remotes SET url = ? WHERE id = ?", (url, remote.id))
        db.execute("DELETE FROM meta WHERE key IN (?, ?)", (cursor_key(remote.id), about_key(remote.id)))
        return get(store, name)


def remove(store: Store, name: str, *, dry_run: bool = False) -> Remote:
    """Forgets a remote and all that is known of it; the changes that came from it stay. Raises NotFoundError, and ConflictError for
    the store of a lead that this store works for."""
    remote = get(store, name)
    with store.transaction(dry_run=dry_run) as db:
        lead = db.execute("SELECT name FROM partners WHERE remote = ? AND ended IS NULL", (remote.id,)).fetchone()
        if lead is not None:
            raise ConflictError(f"{name} is the store of the partner {lead[0]}", f"`chit partner end {lead[0]}` first.")
        _forget(store, remote.id)
        db.execute("UPDATE partners SET remote = NULL WHERE remote = ?", (remote.id,))
        db.execute("DELETE FROM remotes WHERE id = ?", (remote.id,))
    return remote


def reset(store: Store, name: str, *, dry_run: bool = False) -> Remote:
    """Forgets how far a remote was read and what it is, for one that is another store than before or was set back.

    The next pull reads all of its log again, the next push offers it all of ours; what the other side has is had, not doubled.
    """
    remote = get(store, name)
    with store.transaction(dry_run=dry_run) as db:
        _forget(store, remote.id)
        db.execute(
            "UPDATE remotes SET store = NULL, pulled = 0, fetched = 0, pushed = 0 WHERE id = ?",
            (remote.id,),
        )
        return get(store, name)


def _forget(store: Store, remote: int) -> None:
    db = store.db
    # Who the remote was is forgotten, but not that somebody out there has these changes: `undo` leaves them alone.
    pushed = db.execute(
        "SELECT CASE WHEN p.id IS NULL THEN r.pushed ELSE"
        " (SELECT coalesce(max(seq), 0) FROM outbound WHERE partner = p.id AND place <= r.pushed) END"
        " FROM remotes r LEFT JOIN partners p ON p.remote = r.id WHERE r.id = ?",
        (remote,),
    ).fetchone()[0]
    store.set_meta("served", max(store.meta("served", 0), pushed, store.meta(offered_key(remote), 0)))
    for table in ("refusals", "incoming", "numbers"):
        db.execute(f"DELETE FROM {table} WHERE remote = ?", (remote,))
    for table in ("bases", "calls", "troubles"):
        db.execute(f"DELETE FROM {table} WHERE remote = ?", (remote,))
    keys = (tip_key(remote), offered_key(remote), cursor_key(remote), about_key(remote), later_key(remote))
    db.execute(f"DELETE FROM meta WHERE key IN ({marks(keys)})", keys)
    db.execute("UPDATE changes SET origin = ? WHERE origin = ?", (VISITOR, remote))


def tip_key(remote: int) -> str:
    """The key in `meta` under which the id of the change at `fetched` is kept: it tells a log that was set back."""
    return f"tip/{remote}"


def offered_key(remote: int) -> str:
    """The key in `meta` under which the newest place is kept that a push under way, or one whose answer was lost, has offered."""
    return f"offered/{remote}"


def cursor_key(remote: int) -> str:
    """The key in `meta` under which it is kept how far a helpdesk was read."""
    return f"cursor/{remote}"


def later_key(remote: int) -> str:
    """The key in `meta` under which the tickets are kept of which something waits until something else is in the helpdesk."""
    return f"later/{remote}"


def about_key(remote: int) -> str:
    """The key in `meta` under which a helpdesk's description is kept."""
    return f"about/{remote}"


UNSENT = (
    "SELECT seq, ticket FROM changes WHERE :partner IS NULL AND seq > :pushed AND origin <> :remote AND (origin = 0 OR NOT :own)"
    " UNION ALL"
    " SELECT seq, ticket FROM outbound JOIN changes USING (seq) WHERE partner = :partner AND place > :pushed AND origin <> :remote"
    " AND refused IS NULL"
)
"""The changes that a remote was not offered yet. To a partner goes what is in its own sequence, in which `pushed` counts then,
and what it refused and is held back since is not offered again by itself. own: a helpdesk is sent only what was made here."""


def partner_of(db: Connection, remote: int) -> int | None:
    """The partner whose store a remote is, if it is one."""
    row = db.execute("SELECT id FROM partners WHERE remote = ?", (remote,)).fetchone()
    return None if row is None else int(row[0])


def place_of(db: Connection, remote: int, seq: int) -> int:
    """What `pushed` is when a remote was offered all up to that place in the log."""
    partner = partner_of(db, remote)
    if partner is None:
        return seq
    return int(
        db.execute(
            "SELECT coalesce(max(place), 0) FROM outbound WHERE partner = ? AND seq <= ?", (partner, seq)
        ).fetchone()[0]
    )


class Pending(NamedTuple):
    """What is still to be exchanged with a remote, in changes. refused: what it would not take; held: what we would not."""

    unsent: int
    refused: int
    fetched: int
    held: int


def pending(store: Store, remote: Remote) -> Pending:
    """What waits for the next push and pull."""
    db = store.db
    with explained(store.path):
        refused = db.execute("SELECT count(*) FROM refusals WHERE remote = ?", (remote.id,)).fetchone()[0]
        unsent = db.execute(
            f"SELECT count(*) FROM ({UNSENT}) WHERE seq NOT IN (SELECT seq FROM refusals WHERE remote = :remote)",
            {
                "remote": remote.id,
                "pushed": remote.pushed,
                "partner": partner_of(db, remote.id),
                "own": is_helpdesk(remote.url),
            },
        ).fetchone()[0]
        fetched, held = db.execute(
            "SELECT count(*) FILTER (WHERE seq > :pulled), count(*) FILTER (WHERE seq <= :pulled)"
            " FROM incoming WHERE remote = :id",
            {"pulled": remote.pulled, "id": remote.id},
        ).fetchone()
    return Pending(unsent, refused, fetched, held)


class Refusal(NamedTuple):
    """A change that a remote would not take. ticket: this store's number. time: when it refused."""

    remote: str
    seq: int
    ticket: int
    time: int
    reason: str


def refusals(store: Store, names: Sequence[str] = ()) -> list[Refusal]:
    """All changes that remotes (these, or all) refused, oldest first."""
    where = f"WHERE r.name IN ({','.join('?' * len(names))})" if names else ""
    with explained(store.path):
        rows = store.db.execute(
            "SELECT r.name, f.seq, c.ticket, f.time, f.reason FROM refusals f JOIN remotes r ON r.id = f.remote"
            f" JOIN changes c ON c.seq = f.seq {where} ORDER BY f.seq",
            list(names),
        ).fetchall()
    return list(map(Refusal._make, rows))


def check_name(name: str) -> None:
    """Raises UsageError for what cannot be a remote's name."""
    if not is_name(name):
        raise UsageError(f"{name[:MAX_NAME]!r} cannot name a remote", NAME_RULE)


def check_free(db: Connection, name: str, hint: str = "") -> None:
    """Raises ConflictError if there is a remote of that name."""
    if db.execute("SELECT 1 FROM remotes WHERE name = ?", (name,)).fetchone():
        raise ConflictError(
            f"there is a remote {name} already", hint or f"Change its address with `chit remote set-url {name} URL`."
        )
