"""What is in a store's tables, to compare: exactly as it lies there, or as any replica must have it."""

from typing import Any

from chit_sync.store import reading
from chit_sync.store.database import Store

CACHES = ("tickets", "registers", "items", "labels", "conflicts", "missing")


def contents(store: Store) -> dict[str, list[Any]]:
    """Every row of every table that is made from the log, and every word of the full-text index."""
    found = {name: sorted(store.db.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in CACHES}
    store.db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.words USING fts5vocab(main, search, instance)")
    found["words"] = store.db.execute("SELECT term, doc, col, offset FROM temp.words").fetchall()
    found["sizes"] = store.db.execute("SELECT id, sz FROM search_docsize ORDER BY id").fetchall()
    return found


def shown(store: Store) -> dict[str, Any]:
    """What people are shown, by ticket id, without what is this store's own: places, numbers, and where the bytes are.

    With it what lists and searches use: the row of each ticket, its labels, its conflicts, its words.
    """
    db = store.db
    numbers = dict(db.execute("SELECT num, id FROM tickets"))
    found: dict[str, Any] = {}
    for number, ident in numbers.items():
        record = reading.load(store, number).record()
        del record["number"], record["remotes"]
        found[ident] = {"record": record, "labels": [], "conflicts": [], "words": []}
        found[ident]["row"] = db.execute("SELECT * FROM tickets WHERE num = ?", (number,)).fetchone()[1:]
        found[ident]["items"] = db.execute(
            "SELECT key, author, time, ref FROM items WHERE pk >> 24 = ? ORDER BY key", (number,)
        ).fetchall()
    for label, number in db.execute("SELECT label, num FROM labels ORDER BY label"):
        found[numbers[number]]["labels"].append(label)
    for number, path in db.execute("SELECT num, path FROM conflicts ORDER BY path"):
        found[numbers[number]]["conflicts"].append(path)
    keys = dict(db.execute("SELECT pk, key FROM items"))
    db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.words USING fts5vocab(main, search, instance)")
    for term, doc, col, offset in db.execute("SELECT term, doc, col, offset FROM temp.words"):
        found[numbers[doc >> 24]]["words"].append((term, keys.get(doc, ""), col, offset))
    for ticket in found.values():
        ticket["words"].sort()
    found["missing"] = db.execute("SELECT id FROM missing ORDER BY id").fetchall()
    return found
