"""A helpdesk's token is nowhere to be read, and what a helpdesk says of itself does nothing to a terminal."""

import os
import re
import tomllib
from pathlib import Path

import pytest

from chit_sync.errors import RemoteError
from chit_sync.helpdesks.base import Choice, Comment, Custom, Description, DoubtError, Person
from support.memory_desk import Desk, MemoryDesk
from support.memory_remote import URL
from support.runner import Chit

SECRET = "agent1:right"
EVIL = "a\x1b]0;evil\x07\x1b[31mred\u202eback\x9b2J\rover\x00\x7f"
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def cloned(chit: Chit, helpdesk: Desk, monkeypatch: pytest.MonkeyPatch) -> Chit:
    """The command line in a clone of the helpdesk, whose token it was given by `auth login`."""
    chit("auth", "login", URL, "--token-stdin", stdin=SECRET + "\n")
    chit("clone", URL, "desk")
    chit.folder = chit.folder / "desk"
    return chit


COMMANDS = (
    ("pull",), ("push",), ("sync",), ("fetch",), ("status",), ("status", "--json"), ("remote", "list", "--json"),
    ("remote", "show", "origin"), ("remote", "show", "origin", "--json"), ("remote", "show", "origin", "--mapping"),
    ("config", "list"), ("doctor",), ("show", "1"), ("show", "1", "--json"), ("list",), ("list", "--json"), ("log",),
    ("auth", "list"), ("fsck",), ("export", "-"),
)  # fmt: skip


def everything(chit: Chit, *, people: bool = False) -> str:
    """What all these commands print, with --debug too; people: without what is for programs, which get texts as they are."""
    said = ""
    for command in COMMANDS:
        if people and ("--json" in command or "export" in command):
            continue
        for more in ((), ("--debug",)):
            ran = chit(*command, *more, code=None)
            said += f"\n$ {' '.join(command)}\n{ran.out}{ran.err}"
    return said


def test_the_token_is_nowhere(cloned: Chit, helpdesk: Desk) -> None:
    """Nothing that is printed has it, also when everything fails; of all files only that of the credentials does, for its owner alone."""
    cloned("new", "-m", "Printer")
    for error in (None, RemoteError("in trouble"), DoubtError("cut"), KeyError("broken")):
        if error is not None:
            for at in ("changed", "create", "describe", "read", "changed", "changed"):
                helpdesk.fail(error, at=at)
        assert SECRET not in everything(cloned)
        helpdesk.faults.clear()
    del helpdesk.accounts["agent1"]
    assert SECRET not in everything(cloned)
    home = Path(os.environ["HOME"])
    holding = [
        path
        for root in {
            home,
            cloned.folder,
            *(Path(value) for name, value in os.environ.items() if name.startswith("XDG_")),
        }
        for path in root.rglob("*")
        if path.is_file() and SECRET.encode() in path.read_bytes()
    ]
    assert {path.name for path in holding} <= {"credentials.toml", "credentials", "credentials.json"}, holding
    assert all(path.stat().st_mode & 0o077 == 0 for path in holding)


def test_what_a_helpdesk_says_is_shown_without_control_characters(
    cloned: Chit, helpdesk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Titles, people, statuses, queues, fields, files, versions, refusals, errors: none of them writes to a terminal."""
    honest = MemoryDesk.describe

    def describe(self: MemoryDesk) -> Description:
        about = honest(self)
        features = {name: one._replace(why=EVIL) for name, one in about.features.items()}
        return about._replace(
            title=EVIL, version=EVIL, account=Person(about.account.key, EVIL, EVIL), queues=[*about.queues, EVIL],
            statuses=[*about.statuses, Choice(EVIL, "open")], priorities=[*about.priorities, Choice(EVIL, "low")],
            people=[*about.people, Person(EVIL, EVIL, EVIL)], customs=[*about.customs, Custom(f"x.{EVIL}", (EVIL,))],
            features=features, reference=EVIL, default_queue=EVIL,
        )  # fmt: skip

    monkeypatch.setattr(MemoryDesk, "describe", describe)
    record = helpdesk.record(1)
    record.fields |= {"title": EVIL, "status": EVIL, "queue": EVIL, "assignee": EVIL, "x.Note": EVIL, f"x.{EVIL}": EVIL}
    record.comments["c"] = Comment("c", EVIL, 5, EVIL, True)
    helpdesk.attach(1, EVIL, b"x")
    helpdesk.touch(record)
    helpdesk.refuse = lambda who, call: EVIL
    cloned("remote", "set-url", "origin", URL + "?queue=Support")
    cloned("new", "-m", "Printer")
    said = everything(cloned, people=True)
    helpdesk.fail(RemoteError(EVIL, EVIL), at="changed")
    for command in (
        ("pull",),
        ("push",),
        ("push", "--again"),
        ("status",),
        ("conflicts",),
        ("attach", "1"),
        ("remote", "show", "origin"),
    ):
        for terminal in (True, False):
            ran = cloned(*command, code=None, terminal=terminal)
            said += re.sub(r"\x1b\[[0-9;]*m", "", ran.out + ran.err) if terminal else ran.out + ran.err
    found = CONTROL.search(said)
    tables = tomllib.loads(cloned("remote", "show", "origin", "--mapping").out)["helpdesk"]["origin"]
    assert tables["status"][EVIL] == "open", "and means the same in the file"
    assert found is None, repr(said[max(0, found.start() - 300) : found.end() + 50])
    assert "evil" in said
