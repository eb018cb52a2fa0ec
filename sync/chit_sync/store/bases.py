"""What the store keeps for helpdesks: bases, calls whose outcome is not known, and troubles. Rows only; what they mean is the engine's."""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from chit_sync.helpdesks import agreed
from chit_sync.helpdesks.agreed import Agreed
from chit_sync.helpdesks.base import Call
from chit_sync.store.database import Store, chunks, explained, marks


class Open(NamedTuple):
    """A call that may have been made. ticket: this store's number. key: the item (KIND/ID) that it carries; empty for the ticket."""

    id: int
    ticket: int
    key: str
    call: Call


class Trouble(NamedTuple):
    """Something of a ticket there that could not be taken in. number: the helpdesk's. time: since when."""

    number: int
    path: str
    reason: str
    time: int


def base(store: Store, remote: int, number: int) -> Agreed | None:
    """What was last agreed on about the ticket with that number there."""
    row = store.db.execute("SELECT body FROM bases WHERE remote = ? AND number = ?", (remote, number)).fetchone()
    return None if row is None else agreed.decode(row[0])


def bases(store: Store, remote: int, numbers: Iterable[int]) -> dict[int, Agreed]:
    """The same for several."""
    found: dict[int, Agreed] = {}
    for part in chunks(list(numbers)):
        rows = store.db.execute(
            f"SELECT number, body FROM bases WHERE remote = ? AND number IN ({marks(part)})", (remote, *part)
        )
        found.update((number, agreed.decode(body)) for number, body in rows)
    return found


def put_base(store: Store, remote: int, number: int, one: Agreed) -> None:
    """Keeps what is agreed on now; call it inside a transaction."""
    store.db.execute(
        "INSERT INTO bases VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
        (remote, number, agreed.encode(one)),
    )


def known(store: Store, remote: int) -> list[int]:
    """The numbers there of all tickets that were read."""
    with explained(store.path):
        return [row[0] for row in store.db.execute("SELECT number FROM bases WHERE remote = ?", (remote,))]


def open_call(store: Store, remote: int, ticket: int, key: str, call: Call) -> int:
    """Writes down that a call is about to be made; call it inside a transaction. Returns its id."""
    body = json.dumps(call._asdict() | {"fields": dict(call.fields)}, ensure_ascii=False).encode()
    row = (remote, ticket, key, body, store.now())
    return (
        store.db.execute("INSERT INTO calls (remote, ticket, key, body, time) VALUES (?, ?, ?, ?, ?)", row).lastrowid
        or 0
    )


def close_call(store: Store, ident: int) -> None:
    """The outcome is known; call it inside a transaction."""
    store.db.execute("DELETE FROM calls WHERE id = ?", (ident,))


def open_calls(store: Store, remote: int) -> list[Open]:
    """The calls whose outcome is not known, in the order in which they were made."""
    with explained(store.path):
        rows = store.db.execute(
            "SELECT id, ticket, key, body FROM calls WHERE remote = ? ORDER BY id", (remote,)
        ).fetchall()
    return [Open(ident, ticket, key, Call(**json.loads(body))) for ident, ticket, key, body in rows]


def set_troubles(store: Store, remote: int, number: int, troubles: Mapping[str, str]) -> None:
    """What cannot be taken in of a ticket now, instead of what could not before; call it inside a transaction."""
    db = store.db
    before = dict(
        db.execute("SELECT path, time FROM troubles WHERE remote = ? AND number = ?", (remote, number)).fetchall()
    )
    if not before and not troubles:
        return
    if before:
        db.execute("DELETE FROM troubles WHERE remote = ? AND number = ?", (remote, number))
    now = store.now()
    db.executemany(
        "INSERT INTO troubles VALUES (?, ?, ?, ?, ?)",
        [(remote, number, path, reason, before.get(path, now)) for path, reason in troubles.items()],
    )


def troubles(store: Store, remote: int) -> list[Trouble]:
    """All that could not be taken in, the oldest first. Links to tickets that are not here are none: those may come."""
    with explained(store.path):
        rows = store.db.execute(
            "SELECT number, path, reason, time FROM troubles WHERE remote = ? AND path NOT LIKE '%:%' ORDER BY time, number",
            (remote,),
        ).fetchall()
    return list(map(Trouble._make, rows))


def untied(store: Store, remote: int) -> list[int]:
    """The numbers there of tickets with links to tickets that were not here and now are."""
    rows = store.db.execute(
        "SELECT DISTINCT t.number FROM troubles t JOIN numbers n ON n.remote = t.remote"
        " AND n.number = CAST(substr(t.path, instr(t.path, ':') + 1) AS INTEGER) WHERE t.remote = ? AND t.path LIKE '%:%'",
        (remote,),
    )
    return [row[0] for row in rows]
