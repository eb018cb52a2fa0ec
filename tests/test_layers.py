"""What may import what, and what stays out of the start of a local command."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import chit_sync.errors

SYNC = Path(chit_sync.errors.__file__).parents[1]
CLI = SYNC.parent / "cli"

PURE = {
    "errors", "clock", "ids", "registers", "schema", "change", "codec", "ticket", "policy", "wire", "lines", "times",
    "handoffs", "rulings", "checks", "drawing", "money", "work", "invitation", "crossing", "sharing", "arriving", "colleagues", "refused",
    "query.tree", "query.parse", "query.words", "query.values", "query.presence", "query.fields", "query.compile", "query.help",
    "query.statements", "remotes.base", "remotes.near",
    "helpdesks.base", "helpdesks.address", "helpdesks.agreed", "helpdesks.comparing",
    "helpdesks.facing", "helpdesks.drafting", "helpdesks.itemizing",
    "helpdesks.shaping",
    "helpdesks.mapping", "helpdesks.settings", "exchange.results", "transfer.report", "transfer.rules", "transfer.timestamps",
    "helpdesks.planning", "helpdesks.marking", "helpdesks.rows", "helpdesks.djhd_reading", "helpdesks.djhd_fields", "helpdesks.djhd_cursor",
    "helpdesks.roundup_reading", "helpdesks.roundup_cursor", "helpdesks.rt_answers", "helpdesks.rt_base64", "helpdesks.rt_feed",
    "helpdesks.rt_marks", "helpdesks.rt_reading", "helpdesks.rt_text", "helpdesks.rt_writing",
}  # fmt: skip
"""Modules that do no input or output and get time, ids and random bytes as arguments."""

IMPURE = {
    "sqlite3",
    "httpx",
    "click",
    "os",
    "time",
    "random",
    "secrets",
    "subprocess",
    "socket",
    "tempfile",
    "pathlib",
    "shutil",
}

BELOW: dict[str, set[str]] = {
    "store": set(),
    "authoring": {"store"},
    "outsourcing": {"store", "authoring"},
    "query": {"store"},
    "config": set(),
    "credentials": set(),
    "remotes": {"store"},
    "helpdesks": {"remotes"},
    "exchange": {"store", "authoring", "remotes", "helpdesks"},
    "transfer": {"store", "authoring"},
    "server": {"store", "remotes"},
}
"""Each part of the library and the other parts that it may import; all may import what is pure."""

HEAVY = {
    "msgspec",
    "httpx",
    "hashlib",
    "tabulate",
    "platformdirs",
    "tomllib",
    "dataclasses",
    "subprocess",
    "tempfile",
    "logging",
    "asyncio",
}


def modules() -> list[str]:
    """The library's modules, without the package's name."""
    files = sorted((SYNC / "chit_sync").rglob("*.py"))
    return [".".join(file.relative_to(SYNC / "chit_sync").with_suffix("").parts) for file in files]


def source(module: str) -> Path:
    return SYNC / "chit_sync" / (module.replace(".", "/") + ".py")


def imports(file: Path) -> Iterator[str]:
    """Every module that a file names in an import, wherever it stands."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own(file: Path) -> set[str]:
    """Those of the library's modules, without the package's name, that a file imports."""
    known = set(modules())
    return {name.removeprefix("chit_sync.") for name in imports(file)} & known


@pytest.mark.parametrize("module", modules())
def test_directions(module: str) -> None:
    """Imports point down only."""
    part = module.partition(".")[0]
    for name in own(source(module)):
        other = name.partition(".")[0]
        if module in PURE:
            assert name in PURE, f"{module} is pure and imports {name}, which is not"
        elif name not in PURE and other != part:
            assert other in BELOW[part], f"{module} must not import {name}"


@pytest.mark.parametrize("module", sorted(PURE))
def test_pure(module: str) -> None:
    """Pure modules import nothing that reads the world."""
    assert not {name.partition(".")[0] for name in imports(source(module))} & IMPURE


@pytest.mark.parametrize("module", modules())
def test_library_knows_no_command_line(module: str) -> None:
    """The library imports neither the command line nor its toolkit, and only one module of it the HTTP client."""
    tops = {name.partition(".")[0] for name in imports(source(module))}
    assert not tops & {"chit", "click", "tabulate", "platformdirs", "rich"}
    assert "httpx" not in tops or module == "remotes.web"
    assert "cheroot" not in tops or module.startswith("server.")
    assert "werkzeug" not in tops or module.startswith("server.")


@pytest.mark.parametrize("module", modules())
def test_library_is_silent(module: str) -> None:
    """The library never prints, asks, exits, or reads the environment."""
    for node in ast.walk(ast.parse(source(module).read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "input", "exit", "quit", "breakpoint"}
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            assert name not in {
                "os.environ",
                "os.getenv",
                "os.putenv",
                "os._exit",
                "sys.exit",
                "sys.stdout",
                "sys.stdin",
                "sys.stderr",
            }


@pytest.mark.parametrize("file", sorted(CLI.rglob("*.py")), ids=lambda file: file.stem)
def test_command_line_has_no_http(file: Path) -> None:
    """The command line speaks to no server and to no table; that is the library's business."""
    assert not {name.partition(".")[0] for name in imports(file)} & {"httpx", "msgspec", "requests", "urllib3"}
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in {"executemany", "executescript"}


ALONE = """
import json, os, sys
failed = []
for module in json.load(sys.stdin):
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            __import__("chit_sync." + module)
        except BaseException:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        failed.append(module)
print(json.dumps(failed))
"""


def run(program: str, *arguments: str, given: str = "") -> str:
    """What a fresh interpreter prints that runs the program."""
    paths = os.pathsep.join([str(SYNC), str(CLI)])
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        input=given, capture_output=True, text=True, timeout=100, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_imports_alone() -> None:
    """Every module can be the first one that a program imports: there is no circle."""
    assert json.loads(run(ALONE, given=json.dumps([name.removesuffix(".__init__") for name in modules()]))) == []


LOCAL = """
import sys
from chit_sync.authoring import Edit, comment_paths, record
from chit_sync.store.making import new_item
from chit_sync.store import reading
from chit_sync.store.opening import create, open_store
from chit_sync.store.undo import undo
create(sys.argv[1]).close()
with open_store(sys.argv[1]) as store:
    done = record(store, [Edit(None, {"title": "Printer on fire"})], by="anna", command="new")
    ticket = reading.load(store, reading.find(store, done[0].id[:8]))
    record(store, [Edit(ticket, {"status": "open", **comment_paths(new_item(store), "It burns", "public")})], by="anna", command="edit")
    assert len(reading.load(store, 1).comments) == 1
print(" ".join(sorted(sys.modules)))
"""


def test_local_work_starts_light(tmp_path: Path) -> None:
    """Making, finding, reading and editing a ticket imports nothing that takes long to import."""
    loaded = set(run(LOCAL, str(tmp_path / "store")).split())
    assert not loaded & HEAVY
    assert not {
        name for name in loaded if name.startswith(("chit_sync.remotes", "chit_sync.exchange", "chit_sync.server"))
    }
