"""Reading single tickets: finding one by what people call it, and loading it whole. Listing many is `query`'s business."""

import json
import os
from collections.abc import Iterable, Sequence
from typing import Any

from chit_sync import ids
from chit_sync.errors import AmbiguousError, NotFoundError
from chit_sync.registers import Registers
from chit_sync.schema import LINK_KINDS
from chit_sync.store.database import Connection, Store, chunks, explained, marks
from chit_sync.store.migrations import ITEM_BITS
from chit_sync.ticket import Attachment, Comment, Elsewhere, Link, Ticket

MOST_CANDIDATES = 10


def find(store: Store, name: str) -> int:
    """This store's number of the ticket that somebody calls `name`.

    An id or a unique beginning of one (letters); a number of the default remote, or of this store while it has no remote; or
    REMOTE#NUMBER. Raises NotFoundError or AmbiguousError with the candidates.
    """
    with explained(store.path):
        db = store.db
        remote, mark, digits = name.rpartition("#")
        if (mark or name.isdecimal()) and digits.isascii() and digits.isdecimal() and len(digits) < 16:
            return _by_number(db, remote, int(digits))
        if not ids.is_letters(name) or len(name) > 2 * ids.ID_BYTES:
            raise NotFoundError(f"no ticket {name!r}", "A ticket is named by letters from k to z, or by its number.")
        rows = db.execute(
            "SELECT num, id, title FROM tickets WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
            (name, name + "{", MOST_CANDIDATES + 1),
        ).fetchall()
        if not rows:
            raise NotFoundError(f"no ticket {name}", "`chit list --all` shows what there is.")
        if len(rows) > 1:
            listed = [f"{ident}  {title or ''}" for _, ident, title in rows[:MOST_CANDIDATES]]
            raise AmbiguousError(f"{name} could be {_count(rows)} tickets", listed, "Type more letters.")
        return int(rows[0][0])


def _count(rows: Sequence[object]) -> str:
    return f"over {MOST_CANDIDATES}" if len(rows) > MOST_CANDIDATES else str(len(rows))


def _by_number(db: Connection, remote: str, number: int) -> int:
    if remote:
        row = db.execute("SELECT id, name FROM remotes WHERE name = ?", (remote,)).fetchone()
        if row is None:
            raise NotFoundError(f"no remote {remote!r}", "`chit remote list` shows what there is.")
    else:
        row = default_remote(db)
    if row is None:
        found = db.execute("SELECT num FROM tickets WHERE num = ?", (number,)).fetchone()
        where = "in this store"
    else:
        found = db.execute("SELECT num FROM numbers WHERE remote = ? AND number = ?", (row[0], number)).fetchone()
        where = f"at the remote {row[1]}"
    if found is None:
        raise NotFoundError(
            f"no ticket {number} {where}",
            "A ticket that was not pushed yet is named by its letters."
            if row
            else "`chit list --all` shows what there is.",
        )
    return int(found[0])


def default_remote(db: Connection) -> tuple[int, str] | None:
    """(id, name) of the remote whose numbers are meant when none is named: `origin`, else the oldest that is no partner's."""
    row = db.execute(
        "SELECT id, name FROM remotes WHERE id NOT IN (SELECT remote FROM partners WHERE remote IS NOT NULL)"
        " ORDER BY name <> 'origin', id LIMIT 1"
    ).fetchone()
    return None if row is None else (int(row[0]), str(row[1]))


def beginning_with(store: Store, prefix: str, most: int = 50) -> list[tuple[str, str]]:
    """(id, title) of tickets whose id begins so, the open and latest first: for completion."""
    with explained(store.path):
        rows = store.db.execute(
            "SELECT id, coalesce(title, '') FROM tickets WHERE id >= ? AND id < ? AND state <> 2"
            " ORDER BY state, updated DESC LIMIT ?",
            (prefix, prefix + "{", most),
        )
        return rows.fetchall()


def idents(store: Store, numbers: Iterable[int]) -> dict[int, str]:
    """The ids of the tickets with these numbers of this store; numbers mean nothing to anybody else."""
    found: dict[int, str] = {}
    with explained(store.path):
        for part in chunks(list(numbers)):
            found.update(store.db.execute(f"SELECT num, id FROM tickets WHERE num IN ({marks(part)})", part).fetchall())
    return found


def called(store: Store, numbers: Sequence[int]) -> dict[int, int]:
    """The numbers that people know these tickets by, as `find` takes them; a ticket that the default remote has not seen has none."""
    with explained(store.path):
        remote = default_remote(store.db)
        if remote is None:
            return {number: number for number in numbers}
        found: dict[int, int] = {}
        for part in chunks(numbers):
            rows = store.db.execute(
                f"SELECT num, number FROM numbers WHERE remote = ? AND num IN ({marks(part)})", (remote[0], *part)
            )
            found.update(rows.fetchall())
        return found


def offered(store: Store, numbers: Sequence[int]) -> set[int]:
    """Those of these tickets that a lead offers and that were not accepted yet."""
    found: set[int] = set()
    with explained(store.path):
        for part in chunks(numbers):
            where = f"num IN ({marks(part)}) AND role = 'service' AND status = 'assigned' AND current = 1"
            found.update(row[0] for row in store.db.execute(f"SELECT num FROM handoffs WHERE {where}", part))
    return found


def load(store: Store, number: int) -> Ticket:
    """The whole ticket with this store's number. Raises NotFoundError."""
    return load_many(store, [number])[0]


def load_many(store: Store, numbers: Sequence[int]) -> list[Ticket]:
    """The whole tickets with these numbers, in this order; a few statements a ticket. Raises NotFoundError."""
    with explained(store.path):
        remote = default_remote(store.db) if numbers else None
        return [_load(store, number, remote) for number in numbers]


def in_conflict(store: Store) -> list[Ticket]:
    """All tickets in which something is in conflict."""
    with explained(store.path):
        numbers = [row[0] for row in store.db.execute("SELECT DISTINCT num FROM conflicts ORDER BY num")]
    return load_many(store, numbers)


def _load(store: Store, number: int, remote: tuple[int, str] | None) -> Ticket:
    db = store.db
    row = db.execute(
        "SELECT id, created, updated, author, status, fields FROM tickets JOIN registers USING (num) WHERE num = ?",
        (number,),
    ).fetchone()
    if row is None:
        raise NotFoundError(f"no ticket {number}")
    ident, created, updated, author, status, fields = row
    low = number << ITEM_BITS
    items = db.execute(
        "SELECT key, author, time, fields FROM items WHERE pk > ? AND pk < ?",
        (low, low + (1 << ITEM_BITS)),
    ).fetchall()
    registers: dict[str, Registers[int]] = {}
    origins: dict[str, tuple[str, int]] = {}
    comments: list[Comment] = []
    attachments: list[Attachment] = []
    links: list[Link] = []
    for key, by, time, text in items:
        kind, _, item = key.partition("/")
        registers[key] = json.loads(text)
        origins[key] = by, time
        values: dict[str, Any] = {name: heads[0][1] for name, heads in registers[key].items()}
        if values.get("deleted"):
            continue
        if kind == "comment":
            comments.append(
                Comment(
                    item, by, time, values.get("body") or "", values.get("visibility") or "public", values.get("to") or "",
                    values.get("held") or "",
                )
            )  # fmt: skip
        elif kind == "attachment":
            sha256 = values.get("sha256") or ""
            attachments.append(
                Attachment(
                    item, by, time, values.get("name") or "", sha256, values.get("size") or 0,
                    values.get("visibility") or "public", bool(sha256) and os.path.exists(blob_path(store.path, sha256)),
                    values.get("to") or "", values.get("held") or "",
                )
            )  # fmt: skip
        elif kind == "link" and values.get("target"):
            links.append(Link(item, values.get("kind") or "relates", values["target"], None))
    links.sort(key=lambda link: (link.kind, link.ticket, link.id))
    comments.sort(key=lambda comment: (comment.time, comment.id))
    attachments.sort(key=lambda attachment: (attachment.time, attachment.id))
    elsewhere = _elsewhere(db, number)
    called = number if remote is None else next((one.number for one in elsewhere if one.remote == remote[1]), None)
    return Ticket(
        number, ident, created, updated, author, store.statuses.get(status or "", "open"), json.loads(fields), registers,
        comments, attachments, _titled(db, links) + _links_here(db, ident), elsewhere, called, origins,
    )  # fmt: skip


def _titled(db: Connection, links: list[Link]) -> list[Link]:
    if not links:
        return []
    targets = [link.ticket for link in links]
    titles = dict(db.execute(f"SELECT id, title FROM tickets WHERE id IN ({marks(targets)})", targets).fetchall())
    return [link._replace(title=titles.get(link.ticket)) for link in links]


def _links_here(db: Connection, ident: str) -> list[Link]:
    """Links that other tickets hold to this one, by the name that they have seen from here."""
    rows = db.execute(
        "SELECT t.id, t.title, i.fields FROM items i JOIN tickets t ON t.num = i.pk >> ? WHERE i.ref = ? AND t.state <> 2",
        (ITEM_BITS, ident),
    )
    found = []
    for other, title, fields in rows:
        kind = json.loads(fields).get("kind", [[0, None]])[0][1] or "relates"
        found.append(Link("", LINK_KINDS.get(kind, kind), other, title))
    return sorted(found, key=lambda link: (link.kind, link.ticket))


def _elsewhere(db: Connection, number: int) -> list[Elsewhere]:
    rows = db.execute(
        "SELECT r.name, n.number FROM numbers n JOIN remotes r ON r.id = n.remote WHERE n.num = ? ORDER BY r.id",
        (number,),
    )
    return [Elsewhere(name, remote_number) for name, remote_number in rows]


def blob_path(store_path: str, sha256: str) -> str:
    """Where the bytes with that SHA-256 lie in a store."""
    return os.path.join(store_path, "blobs", sha256[:2], sha256[2:])
