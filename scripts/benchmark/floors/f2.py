"""F2: the bare inserts. Puts rows into a new database with the same tables, indexes and full-text table, in one transaction.

python f2.py ROWS DATABASE: ROWS was written by `stores.dump_rows`. Prints the seconds from the first statement to the durable end,
so neither the start of Python nor the reading of ROWS counts.
"""

import marshal
import sqlite3
import sys
import time

with open(sys.argv[1], "rb") as file:
    page_size, schema, tables = marshal.load(file)
start = time.perf_counter()
db = sqlite3.connect(sys.argv[2], isolation_level=None)
db.execute(f"PRAGMA page_size = {page_size}")
db.execute("PRAGMA journal_mode = WAL")
db.execute("PRAGMA synchronous = FULL")
db.execute("PRAGMA cache_size = -65536")
db.execute("BEGIN IMMEDIATE")
for statement in schema:
    db.execute(statement)
for statement, rows in tables:
    db.executemany(statement, rows)
db.execute("COMMIT")
print(time.perf_counter() - start)
