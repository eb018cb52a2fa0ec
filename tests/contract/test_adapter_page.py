"""The page for who writes another adapter is complete, and every adapter that there is has all that the page asks for."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

from chit_sync.errors import AccessError, ChitError, NotFoundError
from chit_sync.helpdesks import address, base
from chit_sync.helpdesks.base import FEATURES, VERBS, Helpdesk
from chit_sync.remotes.base import UnreachedError
from support.memory_desk import MemoryDesk
from support.sites import FOLDER, Site, names

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/helpdesks/writing-an-adapter.md").read_text(encoding="utf-8")
METHODS = {
    name: method for name, method in vars(Helpdesk).items() if inspect.isfunction(method) and not name.startswith("_")
}
ERRORS = [
    name
    for name, value in vars(base).items()
    if inspect.isclass(value) and issubclass(value, ChitError) and name != "PolicyError"
]


def test_methods_are_told() -> None:
    """Each method of the protocol is in the page's table, with its parameters."""
    assert len(METHODS) >= 10
    for name, method in METHODS.items():
        parameters = ", ".join(list(inspect.signature(method).parameters)[1:])
        assert f"| `{name}({parameters})` |" in PAGE
    assert [name for name in re.findall(r"^\| `(\w+)\(", PAGE, re.M) if name not in METHODS] == []


def test_verbs_features_errors_are_told() -> None:
    """Each verb, each feature and each error that an adapter may raise is on the page."""
    told = set(re.findall(r"`([^`\n]+)`", PAGE))
    assert {*VERBS} - told == set()
    assert {*FEATURES} - told == set()
    assert {*ERRORS, AccessError.__name__, NotFoundError.__name__, UnreachedError.__name__} - told == set()
    assert {"RefusedError", "DoubtError", "StaleError", "RemoteError"} <= {*ERRORS}


def test_what_the_page_names_is_there() -> None:
    """Files that the page names exist, but for those of the adapter that is to be written."""
    named = re.findall(r"`((?:sync|tests|docs|scripts)/[^`\s*]+)`", PAGE)
    assert len(named) > 5
    assert [name for name in named if "KIND" not in name and not (ROOT / name).exists()] == []


@pytest.mark.parametrize("kind", address.KINDS)
def test_adapter_has_everything(kind: str) -> None:
    """Each kind has an adapter with all methods, a page, a stand-in with all that tests use, and takes part in the contract."""
    module, name = address.KINDS[kind]
    adapter = getattr(importlib.import_module(module), name)
    assert adapter.kind == kind
    for method, wanted in METHODS.items():
        assert list(inspect.signature(getattr(adapter, method)).parameters) == list(
            inspect.signature(wanted).parameters
        )
    assert (ROOT / f"docs/helpdesks/{kind}.md").exists()
    assert f"{kind}+http" in (ROOT / f"docs/helpdesks/{kind}.md").read_text(encoding="utf-8")
    standin = importlib.import_module(f"support.standins.{kind}").Standin
    lacking = [
        each
        for each in vars(Site)
        if inspect.isfunction(vars(Site)[each]) and each[0] != "_" and not hasattr(standin, each)
    ]
    assert lacking == []
    taking_part = {each if isinstance(each, str) else each.values[0] for each in names()}
    assert f"{kind}-standin" in taking_part


@pytest.mark.parametrize("kind", [kind for kind in address.KINDS if (ROOT / f"scripts/helpdesks/{kind}.py").exists()])
def test_real_server_takes_part(kind: str) -> None:
    """Each helpdesk whose server can be started here is held against the contract by it."""
    assert (FOLDER / f"{kind}_site.py").exists()
    (real,) = (each for each in names() if not isinstance(each, str) and each.values[0] == f"{kind}-real")
    assert any(mark.name == "server" for mark in real.marks)


def test_memory_is_a_whole_helpdesk() -> None:
    """The helpdesk in memory has every method of the protocol, with the same parameters."""
    for method, wanted in METHODS.items():
        assert list(inspect.signature(getattr(MemoryDesk, method)).parameters) == list(
            inspect.signature(wanted).parameters
        )
