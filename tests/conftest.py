"""Fixtures for all tests: nobody's home, no colour, a known terminal, and stores with a clock of their own."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from chit_sync.store.database import Store
from support.runner import Chit
from support.stores import Clock, disk_store, memory_store

pytest_plugins = ["support.helpdesks"]

NewStore = Callable[..., Store]

WRITE = bool(os.environ.get("CHIT_WRITE"))
"""Whether generated files of the checkout are written instead of compared."""

_LENIENT = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
settings.register_profile("quick", _LENIENT, max_examples=100)
settings.register_profile("ci", _LENIENT, max_examples=300)
settings.load_profile("ci" if os.environ.get("CI") else "quick")


@pytest.fixture(autouse=True)
def _isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings, the stores or the terminal of whoever runs it."""
    home = tmp_path_factory.mktemp("home")
    for name in [*os.environ]:
        if name.startswith(("CHIT_", "XDG_", "LC_")) or name in ("CI", "LANGUAGE", "CLICOLOR_FORCE", "VISUAL", "PAGER"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    for name, folder in (
        ("CONFIG", ".config"),
        ("DATA", ".local/share"),
        ("CACHE", ".cache"),
        ("STATE", ".local/state"),
    ):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / folder))
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("EDITOR", "false")
    time.tzset()


@pytest.fixture
def clock() -> Clock:
    """The time of day in this test's stores."""
    return Clock()


@pytest.fixture
def new_store(tmp_path: Path, clock: Clock) -> Iterator[NewStore]:
    """Makes stores on disk: `new_store()`, `new_store("other")`; each by its name's seed, all with the test's clock."""
    opened: list[Store] = []

    def make(name: str = "store") -> Store:
        opened.append(disk_store(tmp_path / name, name, clock))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(new_store: NewStore) -> Store:
    """One empty store on disk."""
    return new_store()


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An empty store that nobody writes to, to copy from."""
    store = disk_store(tmp_path_factory.mktemp("empty") / "store", "empty")
    yield store
    store.close()


@pytest.fixture
def in_memory(empty: Store, clock: Clock) -> Iterator[NewStore]:
    """Makes stores in memory: `in_memory("a")`, by its seed, with the test's clock."""
    opened: list[Store] = []

    def make(seed: object = "store") -> Store:
        opened.append(memory_store(empty, seed, clock))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def chit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chit:
    """The command line, run in this process, in an empty folder, as anna."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.setenv("CHIT_USER", "anna")
    return Chit(folder, monkeypatch)


@pytest.fixture
def committed() -> Callable[[str, str], None]:
    """`committed(path, text)`: the generated text is what the file in the checkout holds. CHIT_WRITE=1 puts it there instead."""

    def check(path: str, text: str) -> None:
        file = Path(__file__).parent.parent / path
        if WRITE:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8"), f"{path} is out of date; CHIT_WRITE=1 pytest writes it anew"

    return check
