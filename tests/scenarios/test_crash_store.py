"""A store under stress: killed writers, several at once, a lock that lasts, a disk that fills up in the middle."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chit_sync.authoring import Edit, comment_paths
from chit_sync.errors import StoreError
from chit_sync.store import database, log, reading
from chit_sync.store.database import DATABASE, Store
from chit_sync.store.fsck import check
from chit_sync.store.making import new_item
from chit_sync.store.opening import create, open_store
from support.stores import change, new, records, write
from support.tables import contents

WRITER = """
import sys
from chit_sync.authoring import Edit, comment_paths, record
from chit_sync.store.making import new_item
from chit_sync.store import reading
from chit_sync.store.opening import open_store
from chit_sync.store.undo import undo
name = sys.argv[2]
store = open_store(sys.argv[1])
for n in range(100000):
    text = f"{name}{n}"
    done = record(store, [Edit(None, {"title": text}), Edit(None, {"title": text + "b"})], by=name, command="new")
    print("new", text, flush=True)
    ticket = reading.load(store, done[0].number)
    item = new_item(store)
    record(store, [Edit(ticket, {"status": "open", **comment_paths(item, text, "public")})], by=name, command="edit")
    print("said", text, flush=True)
    if len(sys.argv) > 3 and n % 3 == 0:
        record(store, [Edit(None, {"title": "mistake " + text})], by=name, command="new")
        undo(store)
        print("undone", text, flush=True)
"""


def writer(path: Path, name: str, *options: str) -> subprocess.Popen[str]:
    """A process that writes to the store until it is killed, and says after each write what it wrote."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_after(process: subprocess.Popen[str], seconds: float) -> list[str]:
    """Kills the process that long after its first write; what it had said by then, whole lines only."""
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    said, errors = process.communicate(timeout=60)
    assert errors == ""
    return (first + said).splitlines(keepends=True)


def hold(store: Store, said: list[str]) -> None:
    """Everything that was acknowledged is there, nothing is there in half, and nothing is damaged."""
    titles: dict[str, int] = dict(store.db.execute("SELECT title, num FROM tickets"))
    for line in said:
        word, _, text = line.rstrip("\n").partition(" ")
        if not line.endswith("\n"):
            continue
        if word == "new":
            assert {text, text + "b"} <= titles.keys()
        elif word == "said":
            ticket = reading.load(store, titles[text])
            assert ticket.value("status") == "open"
            assert [comment.body for comment in ticket.comments] == [text]
        else:
            assert "mistake " + text not in titles
    for title in titles:
        assert title.startswith("mistake") or (title.endswith("b") and title[:-1] in titles) or title + "b" in titles
    assert [problem for problem in check(store) if not problem.harmless] == []


def test_killed_at_any_moment(tmp_path: Path) -> None:
    """After every kill the store opens, has all that was acknowledged and nothing half-done, and is whole; the next one goes on."""
    path = tmp_path / "store"
    create(str(path)).close()
    chance = random.Random(os.urandom(4))
    said: list[str] = []
    for life in range(6):
        said += kill_after(writer(path, f"w{life}-", "undo"), chance.uniform(0, 0.15))
        with open_store(str(path)) as store:
            hold(store, said)


def test_several_write_at_once(tmp_path: Path) -> None:
    """Three processes write to one store at once until they are killed: nothing that one of them was told was written is lost."""
    path = tmp_path / "store"
    create(str(path)).close()
    processes = [writer(path, name) for name in ("x", "y", "z")]
    said = [line for process in processes for line in kill_after(process, 0.2)]
    with open_store(str(path)) as store:
        hold(store, said)
        stamps = [entry.change.at for entry in records(store)]
        assert stamps == sorted(set(stamps)), "each saw what was written before"


def test_lock_that_lasts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a lock that lasts a write gives up in words, having changed nothing; reading is not held up; later it works."""
    ticket = new(store)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    holder = sqlite3.connect(os.path.join(store.path, DATABASE), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with open_store(store.path) as other:
        before = contents(other)
        with pytest.raises(StoreError, match="is busy: another process has been writing to it") as error:
            write(other, Edit(ticket, {"status": "open"}))
        assert "Try again" in error.value.hint
        assert contents(other) == before
        holder.execute("ROLLBACK")
        holder.close()
        assert change(other, ticket, {"status": "open"}).value("status") == "open"


def test_two_edit_what_they_both_saw(store: Store) -> None:
    """Two who edit the same field as they both saw it are in conflict, as if they had been on two machines; other fields merge."""
    ticket = new(store, status="new")
    with open_store(store.path) as other:
        write(other, Edit(reading.load(other, 1), {"status": "open", "assignee": "bob"}), by="bob")
    write(store, Edit(ticket, {"status": "pending", "priority": "high"}))
    both = reading.load(store, 1)
    assert [conflict.path for conflict in both.conflicts] == ["status"]
    assert (both.value("assignee"), both.value("priority")) == ("bob", "high")


def test_reader_sees_all_of_a_write_or_nothing(store: Store) -> None:
    """Somebody who reads while another writes sees the store as it was, then as it is."""
    new(store)
    with open_store(store.path) as reader:
        with store.transaction() as db:
            db.execute("UPDATE tickets SET title = 'half'")
            assert reading.load(reader, 1).title == "Printer on fire"
            db.execute("UPDATE tickets SET title = 'Printer on fire'")
        assert reading.load(reader, 1).title == "Printer on fire"


def test_stopped_at_any_step(store: Store) -> None:
    """Wherever within its statements a write is stopped: nothing of it shows, and the next write is as if it had not been."""
    ticket = new(store, status="new")
    change(store, ticket, {"status": "open"})
    before = contents(store)
    sets = {"status": "closed", **comment_paths(new_item(store), "It burns", "public")}
    for steps in range(10_000):
        left = steps

        def stop() -> bool:
            nonlocal left
            left -= 1
            return left == -1

        store.db.set_progress_handler(stop, 10)
        try:
            write(store, Edit(ticket, sets))
            break
        except sqlite3.OperationalError:
            store.db.set_progress_handler(None, 0)
            assert not store.db.in_transaction
            assert contents(store) == before
    store.db.set_progress_handler(None, 0)
    assert steps > 20
    assert check(store) == []
    assert [conflict.others for conflict in reading.load(store, 1).conflicts] == [["open"]]


def test_disk_fills_up_in_a_long_write(store: Store) -> None:
    """A large write that does not fit is not there at all, and what was there is."""
    new(store)
    before = contents(store)
    store.db.execute(f"PRAGMA max_page_count = {store.db.execute('PRAGMA page_count').fetchone()[0] + 5}")
    with pytest.raises(StoreError, match="the disk is full"):
        write(store, *[Edit(None, {"title": f"t{n}", "description": "word " * 1000}) for n in range(100)])
    assert contents(store) == before
    assert log.last_seq(store.db) == 1
    assert check(store) == []
