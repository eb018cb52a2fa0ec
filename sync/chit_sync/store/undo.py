"""Taking back what was done last, as long as nobody else has it. Only this and the dropping of refused changes shorten the log.

An operation is one command's changes, first to last in the log, with nothing of anybody else between them: a transaction is
exclusive. Places in the log are not taken again, so that no cursor and nothing that was read before can mean another change.
"""

from collections.abc import Iterator
from typing import NamedTuple

from chit_sync.errors import ConflictError
from chit_sync.store import log
from chit_sync.store.database import Connection, Store
from chit_sync.store.remotes import partner_of
from chit_sync.store.reproject import reproject


class UndoneTicket(NamedTuple):
    """A ticket that an undone operation had changed. gone: it had made it, and there is no such ticket any more."""

    number: int
    id: str
    title: str | None
    gone: bool


class Undone(NamedTuple):
    """What was taken back: the command, when it was run (microseconds since 1970 UTC), and what it had done."""

    command: str
    time: int
    changes: int
    tickets: list[UndoneTicket]


def undo(store: Store, *, dry_run: bool = False) -> Undone | None:
    """Takes back the last operation; None if there is none. Run again, it takes back the one before.

    Raises ConflictError if somebody else has what would have to be taken back, StoreError. Then nothing was changed.
    """
    with store.transaction(dry_run=dry_run) as db:
        row = db.execute("SELECT id, time, command, first, last FROM operations ORDER BY id DESC LIMIT 1").fetchone()
        if row is None:
            return None
        ident, time, command, first, last = row
        _refuse_if_elsewhere(db, command, first, last)
        numbers = [
            row[0] for row in db.execute("SELECT DISTINCT ticket FROM changes WHERE seq BETWEEN ? AND ?", (first, last))
        ]
        before = {number: _row(db, number) for number in numbers}
        store.set_meta("undone", log.last_seq(db))
        count = db.execute("DELETE FROM changes WHERE seq BETWEEN ? AND ?", (first, last)).rowcount
        for table in ("refusals", "outbound"):
            db.execute(f"DELETE FROM {table} WHERE seq BETWEEN ? AND ?", (first, last))
        db.execute("DELETE FROM operations WHERE id = ?", (ident,))
        reproject(store, numbers)
        tickets = []
        for number, was in before.items():
            now = _row(db, number)
            tickets.append(UndoneTicket(number, *(now or was or ("", None)), gone=now is None))
    return Undone(command, time, count, tickets)


def _row(db: Connection, number: int) -> tuple[str, str | None] | None:
    row = db.execute("SELECT id, title FROM tickets WHERE num = ?", (number,)).fetchone()
    return None if row is None else (row[0], row[1])


def _refuse_if_elsewhere(db: Connection, command: str, first: int, last: int) -> None:
    """Raises ConflictError if anybody else is known to have one of the operation's changes.

    A remote has what lies below the place up to which it has read our log, but for what it refused; `changes.origin` names one that
    has a change all the same.
    """
    places: dict[str, None] = {}
    for remote, name, pushed in db.execute(
        "SELECT r.id, r.name, CASE WHEN p.id IS NULL THEN r.pushed ELSE"
        " (SELECT coalesce(max(seq), 0) FROM outbound WHERE partner = p.id AND place <= r.pushed) END AS offered"
        " FROM remotes r LEFT JOIN partners p ON p.remote = r.id WHERE offered >= ? ORDER BY r.id",
        (first,),
    ):
        has = db.execute(
            "SELECT 1 FROM changes WHERE seq BETWEEN ? AND ?"
            " AND seq NOT IN (SELECT seq FROM refusals WHERE remote = ?)"
            " AND (? IS NULL OR seq IN (SELECT seq FROM outbound WHERE partner = ?)) LIMIT 1",
            (first, min(last, pushed), remote, *[partner_of(db, remote)] * 2),
        ).fetchone()
        if has:
            places[f"the remote {name}"] = None
    for (name,) in db.execute(
        "SELECT DISTINCT r.name FROM changes c LEFT JOIN remotes r ON r.id = c.origin"
        " WHERE c.seq BETWEEN ? AND ? AND c.origin <> ?",
        (first, last, log.HERE),
    ):
        places[f"the remote {name}" if name else "another store"] = None
    for (name,) in db.execute(
        "SELECT r.name FROM meta m JOIN remotes r ON m.key = 'offered/' || r.id WHERE m.value >= ?", (first,)
    ):
        places[f"the remote {name}, which may have taken it before its answer was lost"] = None
    for name in _took_it_up(db, first, last):
        places[f"the remote {name}" if name else "another store"] = None
    served = db.execute("SELECT value FROM meta WHERE key = 'served'").fetchone()
    if served is not None and served[0] >= first:
        places["whoever has pulled from this store"] = None
    if places:
        raise ConflictError(
            f"`{command}` cannot be undone: it has gone to {' and to '.join(places)}",
            "Change it back with an ordinary edit; that reaches everybody who has it.",
        )


def _took_it_up(db: Connection, first: int, last: int) -> Iterator[str | None]:
    """The names of remotes from which something came that replaces one of the operation's changes: a helpdesk that shows what was sent."""
    ids = {ident.hex() for (ident,) in db.execute("SELECT id FROM changes WHERE seq BETWEEN ? AND ?", (first, last))}
    rows = db.execute(
        "SELECT r.name, c.body FROM changes c LEFT JOIN remotes r ON r.id = c.origin WHERE c.seq > ? AND c.origin <> ?"
        " AND c.ticket IN (SELECT ticket FROM changes WHERE seq BETWEEN ? AND ?) AND instr(c.body, ?)",
        (last, log.HERE, first, last, b'"over":'),
    ).fetchall()
    if not rows:
        return
    from chit_sync.codec import decode  # not for every undo

    for name, body in rows:
        if not ids.isdisjoint(decode(body).over):
            yield name
