"""F3: one durable commit. python f3.py DATABASE: prints the median seconds of a few, each of one row."""

import os
import sqlite3
import statistics
import sys
import time

db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.execute("PRAGMA synchronous = FULL")
db.execute("CREATE TABLE IF NOT EXISTS t (key INTEGER PRIMARY KEY, value)")
times = []
for _ in range(9):
    row = os.urandom(600)
    start = time.perf_counter()
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO t (value) VALUES (?)", (row,))
    db.execute("COMMIT")
    times.append(time.perf_counter() - start)
print(statistics.median(times))
