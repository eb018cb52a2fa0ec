"""The real helpdesk servers for tests: the mark `@pytest.mark.server("rt")`, and the fixture `servers`, in which `servers["rt"]` is the
entry of servers.json.

They are started when the first test wants them and stay up: `scripts/servers down` stops them. CHIT_SERVERS names the folder that they
lie in; `none` leaves their tests out, which the summary says. A server that cannot be had is an error in its tests, never a skip.
Tests make their tickets themselves and rely on nothing that others made or did not make. Only one at a time uses a server, and those of
one server run in one process as far as their names tell.
"""

import fcntl
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "servers"
SURROUNDINGS = dict(os.environ)
"""As it was before the tests took away what belongs to whoever runs them."""

NONE = "none"
PATIENCE = 1500
"""Seconds in which the script has answered: it waits up to twenty minutes for others that do the same."""

LEFT_OUT = pytest.StashKey[int]()


def folder() -> str:
    """Where the servers are to lie; empty for the script's own choice."""
    return SURROUNDINGS.get("CHIT_SERVERS", "")


class Servers:
    """The servers that run, by kind, started as they are asked for."""

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self.failures: dict[str, str] = {}

    def __getitem__(self, kind: str) -> dict[str, Any]:
        if kind not in self.entries and kind not in self.failures:
            self._start(kind)
        if kind in self.failures:
            pytest.fail(
                f"{kind} cannot be had (CHIT_SERVERS=none leaves its tests out):\n{self.failures[kind]}", pytrace=False
            )
        return self.entries[kind]

    def _start(self, kind: str) -> None:
        command = [str(SCRIPT), "up", kind, *(("--work", folder()) if folder() else ())]
        try:
            done = subprocess.run(
                command,
                env=surroundings(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            self.failures[kind] = f"scripts/servers up {kind} did not end in {PATIENCE} seconds"
            return
        if done.returncode:
            self.failures[kind] = done.stderr.strip() or f"scripts/servers up {kind} ended with {done.returncode}"
            return
        record = Path(done.stdout.splitlines()[-1])
        self.entries[kind] = json.loads(record.read_text(encoding="utf-8"))["servers"][kind]


def surroundings() -> dict[str, str]:
    """For the script: what a person has who calls it by hand, without our virtual environment, so that both mean the same Python."""
    found = {
        name: value for name, value in SURROUNDINGS.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    }
    if sys.prefix != sys.base_prefix:
        ours = Path(sys.prefix, "bin")
        kept = [each for each in found.get("PATH", os.defpath).split(os.pathsep) if Path(each) != ours]
        found["PATH"] = os.pathsep.join(kept)
    return found


@pytest.fixture(scope="session")
def _servers() -> Servers:
    return Servers()


@pytest.fixture
def servers(request: pytest.FixtureRequest, _servers: Servers) -> Servers:
    """`servers["rt"]`: a server's entry of servers.json. The test needs the mark `server` with that kind."""
    kinds = wanted(request.node)
    assert kinds, 'a test that uses a real server says so: @pytest.mark.server("rt")'
    for kind in kinds:
        _servers[kind]  # started here, where no test's time runs
    return _servers


@pytest.fixture(autouse=True)
def _alone(request: pytest.FixtureRequest) -> Iterator[None]:
    """Nobody else's test uses the same server meanwhile, in whatever process."""
    with ExitStack() as held:
        for kind in sorted(set(wanted(request.node))):
            name = f"chit-tests-{os.getuid()}-{sha256(folder().encode()).hexdigest()[:12]}-{kind}.lock"
            file = held.enter_context(Path(tempfile.gettempdir(), name).open("w", encoding="utf-8"))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def wanted(item: pytest.Item) -> list[str]:
    """The kinds of servers that a test uses."""
    return [kind for mark in item.iter_markers("server") for kind in mark.args]


def pytest_configure(config: pytest.Config) -> None:
    """Makes the mark known."""
    config.addinivalue_line("markers", "server(kind): uses the real helpdesk server of that kind")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The time that a server takes to start is not a test's own. Leaves its tests out if told so."""
    real = [(item, kinds) for item in items if (kinds := wanted(item))]
    if folder() == NONE:
        left_out = [item for item, _ in real]
        config.stash[LEFT_OUT] = len(left_out)
        if hasattr(config, "workeroutput"):
            config.workeroutput["left_out"] = len(left_out)
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not wanted(item)]
        return
    for item, _ in real:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(300, func_only=True))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Gives all tests of a server to one process, by their names: pytest-xdist's own groups come to nothing with pytest 9.2."""
    scheduler = importlib.import_module("xdist.scheduler").LoadScopeScheduling(config, log)
    scheduler._split_scope = _shared
    return scheduler


def _shared(nodeid: str) -> str:
    """What keeps a test together with others: the server that it uses, as far as its name tells."""
    named = re.search(r"[\[-](\w+)-real\b|tests/helpdesks/test_(\w+)\.py", nodeid)
    return named[1] or named[2] if named else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Each process of pytest-xdist collects all tests, and has left out as many as every other."""
    if left_out := getattr(node, "workeroutput", {}).get("left_out"):
        node.config.stash[LEFT_OUT] = left_out


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what was left out."""
    if left_out := terminalreporter.config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(
            f"{left_out} tests need real helpdesk servers and were left out: CHIT_SERVERS={NONE}", yellow=True
        )
