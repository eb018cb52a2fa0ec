"""The folder that everything lies in: who may work in it at a time, one place in it for each server, and servers.json.

DIR/lock                held while somebody installs, starts or stops; also the mark that the folder is ours
DIR/servers.json        the servers that run, for the tests
DIR/KIND/seeded         the database as it was seeded, and what the seeding made (seed.json)
DIR/KIND/data           the database that the server works on
DIR/KIND/venv           what came from PyPI
DIR/KIND/server.log, process, port
"""

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from helpdesks.errors import Failed

VERSION = 1
PATIENCE = 1200.0


def read_json(file: Path) -> dict[str, Any]:
    """An object from a file that we wrote."""
    found = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError(f"{file} holds no object")
    return found


class Place(NamedTuple):
    """Where one server keeps its things."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def seeded(self) -> Path:
        return self.root / "seeded"

    @property
    def venv(self) -> Path:
        return self.root / "venv"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    @property
    def process(self) -> Path:
        return self.root / "process"

    @property
    def port(self) -> int | None:
        """The port of last time."""
        try:
            return int((self.root / "port").read_text())
        except (OSError, ValueError):
            return None

    def remember_port(self, port: int) -> None:
        (self.root / "port").write_text(f"{port}\n")

    def restore(self) -> None:
        """The seeded database in place of the one that was worked on. Killed in the middle, there is none, and `up` calls this again."""
        fresh = self.root / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(self.seeded / "data", fresh, symlinks=True)
        shutil.rmtree(self.data, ignore_errors=True)
        fresh.rename(self.data)

    @contextmanager
    def seeding(self) -> Iterator[Path]:
        """A new folder that becomes `seeded` if nothing fails; leftovers of runs that were killed go."""
        for left in [*self.root.glob("seeding-*"), self.seeded, self.data]:
            shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix="seeding-", dir=self.root))
        (folder / "data").mkdir()
        yield folder
        folder.rename(self.seeded)


class Workplace:
    """One folder with its lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = folder / "servers.json"
        self.lock: int | None = None

    def place(self, kind: str) -> Place:
        return Place(self.folder / kind)

    def make(self, kind: str) -> Place:
        place = self.place(kind)
        place.root.mkdir(mode=0o700, exist_ok=True)
        return place

    @contextmanager
    def held(self, patience: float = PATIENCE) -> Iterator[None]:
        """Nobody else works in the folder meanwhile. Steps that are started with the lock hold it until they end, even if we are killed."""
        lock = self.folder / "lock"
        if self.folder.exists() and not lock.exists() and any(self.folder.iterdir()):
            raise Failed(
                f"{self.folder} holds something that scripts/servers has not put there",
                "Name another folder: --work DIR",
            )
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            deadline = time.monotonic() + patience
            said = False
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise Failed(
                            f"somebody else has been working in {self.folder} for too long",
                            f"See who: fuser -v {lock}",
                        ) from None
                    if not said:
                        print(f"waiting for another scripts/servers that works in {self.folder} …", flush=True)
                        said = True
                    time.sleep(0.2)
            self.lock = descriptor
            yield
        finally:
            self.lock = None
            os.close(descriptor)

    def read(self) -> dict[str, dict[str, Any]]:
        """The servers that were started and not stopped since, by kind."""
        try:
            found = read_json(self.record)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise Failed(f"{self.record} cannot be read: {error}", "Make it anew: scripts/servers up") from error
        if found.get("version") != VERSION or not isinstance(found.get("servers"), dict):
            raise Failed(f"{self.record} is of another version or not ours", "Make it anew: scripts/servers up")
        servers: dict[str, dict[str, Any]] = found["servers"]
        return servers

    def entries(self) -> dict[str, dict[str, Any]]:
        """As `read`; a file that cannot be read says nothing, for it is written anew soon."""
        try:
            return self.read()
        except Failed:
            return {}

    def write(self, kind: str, entry: dict[str, Any] | None) -> None:
        """Puts one server's entry in, or takes it out; readers see the old file or the new one. An unreadable file is replaced."""
        servers = self.entries()
        servers.pop(kind, None)
        if entry is not None:
            servers[kind] = entry
        text = json.dumps({"version": VERSION, "servers": dict(sorted(servers.items()))}, indent=2, ensure_ascii=False)
        fresh = self.record.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(text + "\n", encoding="utf-8")
        fresh.replace(self.record)
