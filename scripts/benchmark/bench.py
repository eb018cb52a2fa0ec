"""What the lines share: where things lie, how often to measure, how to run chit, and stores to run it on."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from benchmark import environment, measuring
from benchmark.measuring import Probe
from benchmark.report import Report

FLOORS = Path(__file__).parent / "floors"
SIZES = (1_000, 10_000, 100_000)
STORE_SOURCES = ("change.py", "clock.py", "ids.py", "registers.py", "schema.py", "store")
"""What decides what a store looks like on disk; a store made with other sources is made anew."""
OUTSOURCED = ("outsourced", "lead", "alone")
"""Kinds of stores that `outsourced.py` makes."""
OUTSOURCED_SOURCES = ("crossing.py", "handoffs.py", "invitation.py", "money.py", "sharing.py", "ticket.py", "work.py")
"""What decides on these besides."""


class Server(NamedTuple):
    """A running `chit serve`. env: the variables of its clients, with a token for it."""

    url: str
    pid: int
    env: dict[str, str]


class Bench:
    """One run of the benchmark. `work` keeps what takes long to make; `scratch` is this run's alone."""

    def __init__(self, work: Path, report: Report, *, quick: bool, peers: bool) -> None:
        self.work = work
        self.report = report
        self.quick = quick
        self.peers = peers
        self.rounds = 5 if quick else 21
        self.long_rounds = 1 if quick else 3
        self.sizes = SIZES[:2] if quick else SIZES
        self.binaries = environment.make(work)
        self.env = environment.variables(work, self.binaries)
        self.python = str(self.binaries / "python")
        self.chit = str(self.binaries / "chit")
        self.scratch = work / f"run-{os.getpid()}"
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True)
        self._fresh = 0

    def close(self) -> None:
        """Takes this run's leavings away."""
        shutil.rmtree(self.scratch, ignore_errors=True)

    # Running things

    def run(self, *arguments: str, cwd: Path | None = None, server: Server | None = None) -> str:
        """Runs chit once; returns what it printed."""
        return measuring.run([self.chit, *arguments], env=server.env if server else self.env, cwd=cwd).output

    def times(self, *arguments: str, cwd: Path | None = None, server: Server | None = None) -> Probe:
        """A probe that runs chit."""
        return measuring.process([self.chit, *arguments], env=server.env if server else self.env, cwd=cwd)

    def floor(self, name: str, *arguments: str | Path) -> Probe:
        """A probe that runs a floor's program."""
        return measuring.process(self.floor_command(name, *arguments), env=self.env)

    def floor_command(self, name: str, *arguments: str | Path) -> list[str]:
        """How a floor's program is run."""
        return [self.python, str(FLOORS / f"{name}.py"), *map(str, arguments)]

    def f1(self, count: int) -> Probe:
        """F1 beside a store of that many tickets."""
        return measuring.process(self.f1_command(count), env=self.env)

    def f1_command(self, count: int) -> list[str]:
        """How F1 is run."""
        return self.floor_command("f1", *self.declared, self.tickets(count) / "comparable.db")

    def f2(self, store: Path) -> Probe:
        """F2 for a finished store: its rows, into a database of the same file system."""
        rows = self.fresh("rows")
        self.library("stores", "rows", "0", str(store / ".chit" / "store.db"), str(rows))

        def probe() -> float:
            target = self.fresh("f2.db")
            seconds = measuring.reported(self.floor_command("f2", rows, target), env=self.env)()
            for file in target.parent.glob(target.name + "*"):
                file.unlink()
            return seconds

        return probe

    @property
    def f3(self) -> Probe:
        """F3 in the file system of the stores."""
        return measuring.reported(self.floor_command("f3", self.scratch / "f3.db"), env=self.env)

    @cached_property
    def declared(self) -> list[str]:
        """How many commands chit has, and how many options."""
        counted = self.library("declared").split()
        self.report.note(f"F1 declares {counted[0]} commands with {counted[1]} options, as chit has")
        return counted

    def library(self, module: str, *arguments: str) -> str:
        """Runs a module of the benchmark with the interpreter that has chit installed."""
        env = {**self.env, "PYTHONPATH": str(Path(__file__).parents[1])}
        return measuring.run([self.python, "-m", f"benchmark.{module}", *arguments], env=env).output

    # Things to run on

    def fresh(self, name: str) -> Path:
        """A path in this run's folder that nothing lies at yet."""
        self._fresh += 1
        return self.scratch / f"{self._fresh}-{name}"

    def made(self, kind: str, count: int) -> Path:
        """The folder of a kept store; made now if it is not there."""
        target = self.work / f"{kind}-{count}-{self._outsourced_format if kind in OUTSOURCED else self._format}"
        if not target.exists():
            for old in self.work.glob(f"{kind}-{count}-*"):
                shutil.rmtree(old)
            print(f"Making a store with {count:,} {kind} …", flush=True)
            self.library("stores", kind, str(count), str(target))
        return target

    @cached_property
    def _format(self) -> str:
        return _fingerprint(("synthetic.py", "stores.py"), STORE_SOURCES)

    @cached_property
    def _outsourced_format(self) -> str:
        return _fingerprint(("synthetic.py", "stores.py", "outsourced.py"), STORE_SOURCES + OUTSOURCED_SOURCES)

    def tickets(self, count: int) -> Path:
        """A kept store of that many synthetic tickets; to be read only."""
        return self.made("tickets", count)

    def copy(self, store: Path) -> Path:
        """A copy of a store that may be written to. Its first command is run here, in which it notices that it is a copy."""
        target = self.fresh("copy")
        target.mkdir()
        shutil.copytree(store / ".chit", target / ".chit")
        self.run("new", "-m", "The first ticket of a copy", cwd=target)
        return target

    def empty(self) -> Path:
        """A new store without tickets."""
        target = self.fresh("empty")
        target.mkdir()
        self.run("init", cwd=target)
        return target

    @contextmanager
    def serving(self, store: Path) -> Iterator[Server]:
        """Serves a store on loopback."""
        token = self.run("token", "create", "bench", "--scope", "admin", cwd=store).split()[-1]
        log = self.fresh("serve.log")
        with open(log, "wb") as out:
            server = subprocess.Popen(
                [self.chit, "serve", "--port", "0"],
                cwd=store,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        try:
            yield Server(_wait_for_url(server, log), server.pid, {**self.env, "CHIT_TOKEN": token})
        finally:
            # Not SIGINT, which a shell's background jobs ignore.
            server.terminate()
            server.wait(30)

    def peak(self, command: Sequence[str], cwd: Path | None = None, server: Server | None = None) -> int:
        """The most memory that a process took."""
        return measuring.peak_memory(command, env=server.env if server else self.env, cwd=cwd)


def _fingerprint(makers: Sequence[str], sources: Sequence[str]) -> str:
    """Of what makes a kind of store, and of what it is made with."""
    import hashlib

    digest = hashlib.sha256()
    for maker in makers:
        digest.update((Path(__file__).parent / maker).read_bytes())
    for name in sources:
        top = environment.ROOT / "sync" / "chit_sync" / name
        for file in sorted(top.glob("*.py")) if top.is_dir() else [top]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _wait_for_url(server: "subprocess.Popen[bytes]", log: Path) -> str:
    import time

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = re.search(r"https?://[^\s/]+:\d+/?", log.read_text())
        if found:
            return found.group().rstrip("/") + "/"
        if server.poll() is not None:
            break
        time.sleep(0.02)
    print(log.read_text(), file=sys.stderr)
    raise measuring.Failed("chit serve did not say where it listens")
