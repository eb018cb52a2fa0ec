"""Makes the stores that are measured, through the library, and the databases and rows that the floors need. Kept from run to run.

Needs the library, so `python -m benchmark.stores KIND COUNT DIR` is run with the interpreter of the clean environment.
"""

import json
import marshal
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from benchmark import outsourced, synthetic

BATCH = 2_000
VIRTUAL = "CREATE VIRTUAL"


def build(folder: Path, count: int) -> None:
    """A store with that many synthetic tickets in `folder/.chit`, and the same tickets as `folder/tickets.jsonl`."""
    from chit_sync.store import log, opening

    random = Random(count)
    folder.mkdir(parents=True)
    with opening.create(str(folder / ".chit")) as store, open(folder / "tickets.jsonl", "wb") as lines:
        pending: list[Any] = []
        for ticket in synthetic.tickets(count):
            lines.write(synthetic.json_line(ticket))
            pending += records(ticket, random)
            if len(pending) >= BATCH:
                with store.transaction():
                    log.append(store, pending)
                pending = []
        with store.transaction():
            log.append(store, pending)
        store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def records(ticket: dict[str, Any], random: Random) -> Iterator[Any]:
    """The changes that a synthetic ticket is made of."""
    from chit_sync import ids
    from chit_sync.change import NONCE_BYTES, Change, digest, encode, nonce
    from chit_sync.store.log import Record

    ident = ids.ticket_id("benchmark", ticket["key"])
    fields = ("title", "description", "status", "priority", "queue", "requester", "assignee")
    writes: list[tuple[str, int, dict[str, Any]]] = [
        (
            ticket["author"],
            ticket["created"],
            {name: ticket[name] for name in fields if name in ticket}
            | {f"labels/{label}": True for label in ticket["labels"]},
        )
    ]
    for comment in ticket["comments"]:
        item = ids.letters(random.randbytes(ids.ITEM_BYTES))
        paths = {f"comment/{item}/body": comment["body"], f"comment/{item}/visibility": "public"}
        writes.append((comment["author"], comment["time"], paths))
    for author, time, paths in writes:
        change = Change(ticket=ident, at=time, by=author, set=paths, nonce=nonce(random.randbytes(NONCE_BYTES)))
        body = encode(change)
        yield Record(digest(body), body, change)


def build_changes(folder: Path, count: int) -> None:
    """A store with that many changes: the synthetic tickets, each edited again and again."""
    from chit_sync import ids
    from chit_sync.change import NONCE_BYTES, Change, digest, encode, nonce
    from chit_sync.store import log, opening

    random = Random(count)
    folder.mkdir(parents=True)
    with opening.create(str(folder / ".chit")) as store:
        made = 0
        source = synthetic.tickets(count // 10 + 1)
        while made < count:
            found = []
            for ticket in [ticket for _, ticket in zip(range(BATCH // 10), source, strict=False)]:
                first, *_ = records(ticket | {"comments": []}, random)
                found.append(first)
                over = first.id.hex()
                for place in range(9):
                    change = Change(
                        ticket=ids.ticket_id("benchmark", ticket["key"]), at=ticket["created"] + (place + 1) * 60_000_000,
                        by=f"agent{random.randrange(60)}", set={"status": synthetic.STATUSES[(place + 1) % 7]},
                        nonce=nonce(random.randbytes(NONCE_BYTES)), over=[over],
                    )  # fmt: skip
                    body = encode(change)
                    found.append(log.Record(digest(body), body, change))
                    over = digest(body).hex()
            found = found[: count - made]
            with store.transaction():
                log.append(store, found)
            made += len(found)
        store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def dump_rows(store: Path, target: Path) -> None:
    """Everything that a finished store holds, for F2: page size, statements that make the tables, and all rows of each.

    The full-text table keeps no text, so its rows are made again from the tables beside it.
    """
    db = sqlite3.connect(store)
    schema: list[str] = []
    tables: list[tuple[str, list[tuple[Any, ...]]]] = []
    for name, sql in db.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type = 'index'"
    ).fetchall():
        if name.startswith(("search_", "sqlite_")):
            continue
        schema.append(sql)
        if sql.startswith(VIRTUAL):
            tables.append((f"INSERT INTO {name} (rowid, title, body) VALUES (?, ?, ?)", list(_texts(db))))
        elif sql.startswith("CREATE TABLE"):
            rows = db.execute(f"SELECT * FROM {name}").fetchall()
            if rows:
                tables.append((f"INSERT INTO {name} VALUES ({','.join('?' * len(rows[0]))})", rows))
    page_size = db.execute("PRAGMA page_size").fetchone()[0]
    with open(target, "wb") as file:
        marshal.dump((page_size, schema, tables), file)


def _texts(db: sqlite3.Connection) -> Iterator[tuple[int, str, str]]:
    for num, fields in db.execute("SELECT num, fields FROM registers"):
        values = {name: heads[0][1] for name, heads in json.loads(fields).items()}
        title, body = values.get("title") or "", values.get("description") or ""
        if title or body:
            yield num << 24, title, body
    for pk, fields in db.execute("SELECT pk, fields FROM items WHERE key LIKE 'comment/%'"):
        values = {name: heads[0][1] for name, heads in json.loads(fields).items()}
        if values.get("body") and not values.get("deleted"):
            yield pk, "", values["body"]


def comparable(store: Path, target: Path) -> None:
    """The narrow table of a store with its indexes, alone in a database: what F1 lists from."""
    db = sqlite3.connect(target)
    db.execute("ATTACH ? AS store", (str(store),))
    statements = db.execute(
        "SELECT sql FROM store.sqlite_master WHERE tbl_name = 'tickets' AND sql IS NOT NULL ORDER BY type = 'index'"
    ).fetchall()
    db.execute("PRAGMA page_size = 4096")
    db.execute(statements[0][0])
    db.execute("INSERT INTO tickets SELECT * FROM store.tickets")
    for (sql,) in statements[1:]:
        db.execute(sql)
    db.commit()
    db.execute("DETACH store")
    db.execute("PRAGMA journal_mode = WAL")


BUILDERS = {
    "tickets": build,
    "changes": build_changes,
    "outsourced": outsourced.build,
    "lead": outsourced.build_lead,
    "alone": outsourced.build_alone,
}
"""Kind of store to what makes it."""


def main() -> None:
    """Makes one of the things above, whole or not at all."""
    kind, count, target = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    if kind == "rows":
        dump_rows(target, Path(sys.argv[4]))
        return
    unfinished = target.with_name(target.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    BUILDERS[kind](unfinished, count)
    comparable(unfinished / ".chit" / "store.db", unfinished / "comparable.db")
    os.rename(unfinished, target)


if __name__ == "__main__":
    main()
