"""Processes that are killed in the middle of an exchange, again and again, each time somewhere else: nothing is lost or doubled."""

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from chit_sync.errors import RemoteError
from chit_sync.exchange.pushing import push
from chit_sync.remotes.http import HttpLog
from chit_sync.store import log, remotes
from chit_sync.store.database import Store
from chit_sync.store.opening import integrity, open_store
from conftest import NewStore
from support.exchange import change_ids, everything, pulled
from support.server import PATIENCE, serving
from support.stores import change, new

KILLED = -signal.SIGKILL

EXCHANGE = """
import os, signal, sys
from chit_sync.exchange import pulling, pushing
from chit_sync.remotes.registry import open_remote
from chit_sync.store import remotes
from chit_sync.store.opening import open_store

pulling.BATCH = pushing.BATCH = 5
name, path, left = sys.argv[1], sys.argv[2], int(sys.argv[3])

def count(statement):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

store = open_store(path)
store.db.set_trace_callback(count)
remote = remotes.get(store)
{"pull": pulling.pull, "push": pushing.push, "fetch": pulling.fetch}[name](store, remote, open_remote(remote.url))
"""

SERVE = """
import os, signal, sys
from chit_sync.server import app, run

left = int(sys.argv[2])

def count(statement):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

opened = app.open_store

def traced(path):
    store = opened(path)
    store.db.set_trace_callback(count)
    return store

app.open_store = traced
server = run.Server(sys.argv[1], open_to_all=True)
print(server.address, flush=True)
server.serve()
"""


def _child(script: str, *arguments: object) -> list[str]:
    path = repr([entry for entry in sys.path if entry])
    return [sys.executable, "-c", f"import sys; sys.path[:0] = {path}\n{script}", *map(str, arguments)]


def _filled(store: Store) -> Store:
    """Twelve tickets with three changes each."""
    for number in range(12):
        ticket = new(store, title=f"T{number}")
        ticket = change(store, ticket, {"status": "open", "labels/a": True})
        change(store, ticket, {"comment/kkkk/body": "hello", "comment/kkkk/visibility": "public"})
    return store


def _until_done(name: str, path: str, step: int) -> int:
    """Runs it, killing it later and later, until it ends by itself; how often it was killed."""
    for kills in range(1_000):
        left = step * (kills + 1)
        done = subprocess.run(_child(EXCHANGE, name, path, left), capture_output=True, timeout=PATIENCE, check=False)
        if done.returncode == 0:
            return kills
        assert done.returncode == KILLED, done.stderr.decode()
        with open_store(path) as store:
            assert integrity(store) == []
            change_ids(store)
    raise AssertionError("it never ended")


@pytest.mark.parametrize("step", [11, 17])
def test_a_killed_pull_goes_on(new_store: NewStore, step: int) -> None:
    """A pull killed at many points ends with all changes, each once, and the same tickets."""
    served, anna = _filled(new_store("served")), new_store("anna")
    with serving(served.path, open_to_all=True) as address:
        remotes.add(anna, "origin", address)
        assert _until_done("pull", anna.path, step) >= 3
        assert (pulled(anna).taken, pulled(anna).had) == (0, 0)
    assert change_ids(anna) == change_ids(served)
    assert everything(anna) == everything(served)


def test_a_killed_fetch_goes_on(new_store: NewStore) -> None:
    """So does a fetch, and a pull killed while it takes what was fetched."""
    served, anna = _filled(new_store("served")), new_store("anna")
    remotes.add(anna, "origin", served.path)
    assert _until_done("fetch", anna.path, 11) >= 1
    assert remotes.pending(anna, remotes.get(anna)).fetched == 36
    assert _until_done("pull", anna.path, 23) >= 1
    assert change_ids(anna) == change_ids(served)
    assert everything(anna) == everything(served)


@pytest.mark.parametrize("step", [9, 14])
def test_a_killed_push_goes_on(new_store: NewStore, step: int) -> None:
    """A push killed at many points ends with all changes there, each once, and nothing left to send."""
    served, anna = new_store("served"), _filled(new_store("anna"))
    with serving(served.path, open_to_all=True) as address:
        remotes.add(anna, "origin", address)
        assert _until_done("push", anna.path, step) >= 3
        assert remotes.pending(anna, remotes.get(anna)) == (0, 0, 0, 0)
        pulled(anna)
    assert change_ids(anna) == change_ids(served)
    assert everything(anna) == everything(served)


def test_a_killed_server_has_taken_a_batch_or_not(new_store: NewStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server killed in the middle of a push has each batch whole or not at all; with the next server the push goes on."""
    monkeypatch.setattr("chit_sync.exchange.pushing.BATCH", 5)
    served, anna = new_store("served"), _filled(new_store("anna"))
    remotes.add(anna, "origin", "http://127.0.0.1:1")
    kills = 0
    for left in range(20, 100_000, 25):
        with subprocess.Popen(_child(SERVE, served.path, left), stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            remote = remotes.set_url(anna, "origin", server.stdout.readline().strip())
            with closing(HttpLog(remote.url, sleep=lambda _: None)) as target:
                try:
                    push(anna, remote, target)
                except RemoteError:
                    kills += 1
                    assert server.wait(PATIENCE) == KILLED
                    assert log.last_seq(served.db) % 5 == 0
                    continue
                finally:
                    server.kill()
            break
    assert kills >= 3
    assert change_ids(anna) == change_ids(served)
    assert everything(anna) == everything(served)


def test_a_killed_clone_is_completed(tmp_path: Path, new_store: NewStore) -> None:
    """A clone killed after its first batch leaves a store that a pull completes."""
    served = _filled(new_store("served"))
    script = f"""
import os, signal
from chit_sync.exchange import pulling
from chit_sync.exchange.syncing import clone
from chit_sync.remotes.registry import open_remote

pulling.BATCH = 5
clone({str(tmp_path / "anna")!r}, {served.path!r}, open_remote({served.path!r}),
      progress=lambda done, total: os.kill(os.getpid(), signal.SIGKILL))
"""
    assert subprocess.run(_child(script), timeout=PATIENCE, check=False).returncode == KILLED
    with open_store(str(tmp_path / "anna")) as anna:
        assert log.last_seq(anna.db) == 5
        assert pulled(anna).taken == 31
        assert everything(anna) == everything(served)
