"""What many commands, a process each, leave behind in a store."""

import os
import subprocess
import sys
from pathlib import Path

from chit.context import TIDY_BYTES
from chit_sync.store.opening import create, open_store


def test_log_does_not_grow(tmp_path: Path) -> None:
    """However many processes write one after the other, the write-ahead log stays small, and nothing in it is lost."""
    folder = tmp_path / ".chit"
    create(str(folder)).close()
    text = tmp_path / "text"
    text.write_text("Long\n\n" + "word " * 40_000)
    command = [sys.executable, "-m", "chit", "new", "--file", str(text)]
    largest = 0
    for _ in range(10):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
        log = folder / "store.db-wal"
        largest = max(largest, os.path.getsize(log) if log.exists() else 0)
    assert largest < TIDY_BYTES + (1 << 20)
    with open_store(str(folder)) as store:
        assert store.db.execute("SELECT count(*) FROM tickets").fetchone()[0] == 10
