"""Rows as tab-separated text, by a bare program. python tsv.py DATABASE COLUMNS [REST]: all open tickets, or the REST of a statement."""

import sqlite3
import sys

db = sqlite3.connect(sys.argv[1])
rest = sys.argv[3] if len(sys.argv) > 3 else "FROM tickets WHERE state = 0 ORDER BY priority, updated DESC"
rows = db.execute(f"SELECT {sys.argv[2]} {rest}")
write = sys.stdout.write
for row in rows:
    write("\t".join(["" if value is None else str(value) for value in row]) + "\n")
