"""An import that is killed at any moment leaves whole batches, and is completed by running it again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chit_sync.store import fsck
from chit_sync.store.opening import create, open_store
from chit_sync.transfer.exporting import export
from chit_sync.transfer.importing import import_file
from chit_sync.transfer.log_file import import_log
from support.importing import EVENTS, HEADER, changed
from support.stores import records

TICKETS, EACH = 400, 5

CHILD = """
import json, sys
from chit_sync.store.opening import open_store
from chit_sync.transfer import importing, taking
from chit_sync.transfer.log_file import import_log
from chit_sync.transfer.mapping import from_document
importing.BATCH = taking.BATCH = 50
with open_store(sys.argv[1]) as store:
    sys.stdout.write("ready\\n")
    sys.stdout.flush()
    if sys.argv[3] == "export":
        import_log(store, sys.argv[2])
    else:
        importing.import_file(store, sys.argv[2], from_document(json.loads(sys.argv[3]), "test"))
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """An event log that takes many batches."""
    rows = [
        f"T{number},2026-01-{day + 5:02} 08:00,{day},anna,Printer {number},{('New', 'Work', 'Done')[day % 3]},?\n"
        for number in range(TICKETS)
        for day in range(EACH)
    ]
    file = tmp_path / "log.csv"
    file.write_text(HEADER + "".join(rows))
    return file


def _kill_after(seconds: float, *arguments: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, env=_environment())
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    time.sleep(seconds)
    child.send_signal(signal.SIGKILL)
    child.wait(30)
    child.stdout.close()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@pytest.mark.parametrize("kind", ["events", "export"])
def test_a_killed_import_goes_on(kind: str, log: Path, tmp_path: Path) -> None:
    """Killed again and again, the store is whole each time, and in the end it has the same bytes as one that was left in peace."""
    import json

    with create(str(tmp_path / "whole")) as whole:
        import_file(whole, str(log), changed(EVENTS))
        expected = {one.body for one in records(whole)}
        export(whole, str(tmp_path / "export"))
    create(str(tmp_path / "store")).close()
    file, how = (str(log), json.dumps(EVENTS)) if kind == "events" else (str(tmp_path / "export"), "export")
    seen = 0
    for attempt in range(8):
        _kill_after(0.02 * attempt, str(tmp_path / "store"), file, how)
        with open_store(str(tmp_path / "store")) as store:
            here = [one.body for one in records(store)]
            assert len(here) >= seen
            assert expected.issuperset(here)
            assert fsck.check(store) == []
            seen = len(here)
    with open_store(str(tmp_path / "store")) as store:
        if kind == "events":
            import_file(store, file, changed(EVENTS))
        else:
            import_log(store, file)
        assert {one.body for one in records(store)} == expected
        assert len(records(store)) == TICKETS * EACH
        assert fsck.check(store) == []
