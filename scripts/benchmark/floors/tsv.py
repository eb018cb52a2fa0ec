"""All open tickets as tab-separated text, by a bare program. python tsv.py DATABASE COLUMNS"""

import sqlite3
import sys

db = sqlite3.connect(sys.argv[1])
rows = db.execute(f"SELECT {sys.argv[2]} FROM tickets WHERE state = 0 ORDER BY priority, updated DESC")
write = sys.stdout.write
for row in rows:
    write("\t".join(["" if value is None else str(value) for value in row]) + "\n")
