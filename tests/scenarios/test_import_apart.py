"""A large file is read in a second process: the same comes of it, and when that process fails it is said."""

import os
import subprocess
import sys
from pathlib import Path

from chit_sync.errors import StoreError
from support.importing import EVENTS, HEADER

TICKETS = 3_000

PROGRAM = """
import json, os, sys
from chit_sync.codec import decode
from chit_sync.errors import ChitError
from chit_sync.store import log
from chit_sync.store.opening import create
from chit_sync.transfer import apart
from chit_sync.transfer.importing import import_file
from chit_sync.transfer.mapping import from_document
from chit_sync.transfer.making import Making
from chit_sync.transfer.source import Source

apart.LARGE = 0
found = []
forked = []
fork = os.fork
os.fork = lambda: forked.append(1) or fork()
mapping = from_document(json.loads(sys.argv[2]), "test")
for name in ("together", "apart"):
    with create(os.path.join(sys.argv[3], name)) as store:
        done = import_file(store, sys.argv[1], mapping, in_two=name == "apart")
        again = import_file(store, sys.argv[1], mapping, in_two=name == "apart")
        found.append((done._replace(failures=[str(one) for one in done.failures]), again.new_changes,
                      store.db.execute("SELECT seq, id, body FROM changes ORDER BY seq").fetchall()))
assert found[0] == found[1]
two = sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1
assert len(forked) == (1 if two else 0)
print(found[0][0].new_changes, found[0][1], *found[0][0].failures, sep="|")

# Stores that have the log's beginning from somebody else, and then a file that has lost it.
with open(sys.argv[1]) as file:
    whole = file.readlines()
begin, rest = sys.argv[1] + ".begin", sys.argv[1] + ".rest"
with open(begin, "w") as file:
    file.write("".join(line for line in whole if line.startswith("no") or ",0,anna" in line))
with open(rest, "w") as file:
    file.write("".join(line for line in whole if ",0,anna" not in line))
results = []
with create(os.path.join(sys.argv[3], "sender")) as sender:
    import_file(sender, begin, mapping)
    sent = [log.Record(entry.id, entry.body, decode(entry.body)) for entry in log.read(sender, 0, 100_000)]
for name in ("one", "two"):
    with create(os.path.join(sys.argv[3], name)) as store:
        with store.transaction():
            log.append(store, sent)
        done = import_file(store, rest, mapping, in_two=name == "two")
        results.append((done.new_tickets, done.new_changes, done.rows, len(done.failures),
                        sorted(store.db.execute("SELECT id FROM changes").fetchall()),
                        store.db.execute("SELECT count(*) FROM conflicts").fetchone()))
assert results[0] == results[1]
assert results[0][-1] == (0,)
assert len(forked) == (2 if two else 0)

class Dying(Making):
    def batches(self):
        os._exit(9)
        yield

source = Source(sys.argv[1])
try:
    list(apart.batches(Dying(source, mapping, 0)))
except ChitError as error:
    print(type(error).__name__, error.message, sep="|")
source.close()
with open(sys.argv[1], "w") as file:
    file.write("no,at\\n")
source = Source(sys.argv[1])
try:
    list(apart.batches(Making(source, mapping, 0)))
except ChitError as error:
    print(type(error).__name__, error.message.partition(" has ")[2], sep="|")
source.close()
"""


def test_in_two_processes(tmp_path: Path) -> None:
    """Ids, order, counts and failures are those of one process; where the store has something already, one does it; errors come across."""
    import json

    rows = [
        f"T{number},2026-01-{day + 5:02} 08:00,{day},anna,Printer {number},{('New', 'Work', 'Done')[day]},?\n"
        for number in range(TICKETS)
        for day in range(3)
    ]
    rows[5] = "T1,short\n"
    rows[6] = rows[6].replace("New", "Lost")
    file = tmp_path / "log.csv"
    file.write_text(HEADER + "".join(rows))
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(file), json.dumps(EVENTS), str(tmp_path)], capture_output=True, text=True,
        check=False, timeout=100, env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )  # fmt: skip
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        "8998|0|line 7: 2 columns instead of 7|line 8: state: the map has no value for 'Lost'",
        f"{StoreError.__name__}|the process that read the file died",
        "UsageError|no column 'count', which the map names",
    ]
