"""`chit track` takes a helpdesk's tickets by their numbers, `chit open` shows where they are; numbers name them everywhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.memory_desk import Desk
from support.memory_remote import URL
from support.runner import Chit


@pytest.fixture
def cloned(chit: Chit, helpdesk: Desk, monkeypatch: pytest.MonkeyPatch) -> Chit:
    """The command line in a clone of one queue of the helpdesk."""
    monkeypatch.setenv("CHIT_TOKEN", "agent1")
    chit("clone", f"{URL}?queue=Support", "desk")
    chit.folder = chit.folder / "desk"
    return chit


def test_a_ticket_outside_the_query_is_taken(cloned: Chit, helpdesk: Desk) -> None:
    """Its id is printed, it goes by its number, and is followed from now on."""
    assert [one["title"] for one in cloned("list", "--json").json] == ["Door squeaks"]
    ran = cloned("track", "2")
    assert ran.id == cloned("show", "2", "--json").json["id"]
    assert cloned("show", "origin#2", "--json").json["title"] == "Bill is wrong"
    assert cloned("show", ran.id, "--json").json["remotes"] == [{"remote": "origin", "number": 2}]
    helpdesk.edit(2, title="Bill is right")
    cloned("pull")
    assert cloned("show", "2", "--json").json["title"] == "Bill is right"
    assert (
        "\t2\t" in "\t" + cloned("list").out.replace("\n", "\t")
        or "2" in cloned("list", "--fields", "number").out.split()
    )


def test_numbers_in_all_their_spellings(cloned: Chit, helpdesk: Desk) -> None:
    """`2`, `#2` and `origin#2` mean the same; several are taken at once, those that are here already too."""
    pulled = cloned("track", "#2", "origin#2", "1", "--json").json
    assert (pulled["created"], len(pulled["tickets"])) == (1, 1)


def test_a_dry_run_of_track(cloned: Chit, helpdesk: Desk) -> None:
    """With -n it is said what would come, and nothing does."""
    assert cloned("track", "2", "-n").err == "would take #2: Bill is wrong\n"
    cloned("show", "origin#2", code=3)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("99",), 3, "origin has no ticket 99 that we may see"),
        (("99", "-n"), 3, "origin has no ticket 99 that we may see"),
        (("kzxt",), 2, "'kzxt' is no number of a ticket"),
        (("-1",), 2, "no such option"),
        (("0x1",), 2, "'0x1' is no number of a ticket"),
        (("9" * 16,), 2, "is no number of a ticket"),
        (("other#2",), 2, "other#2 is not a number at origin"),
        ((), 2, "missing argument"),
        (("2", "--remote", "backup"), 2, "tracking is only for helpdesks, and backup is a store"),
    ],
)
def test_what_cannot_be_tracked(cloned: Chit, tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    """What is no number, or not there, is said; nothing is taken."""
    cloned("remote", "add", "backup", str(tmp_path))
    assert said in cloned("track", *words, code=code).err.lower()
    assert len(cloned("list", "--all", "--json").json) == 1


def test_open_prints_addresses_without_asking(cloned: Chit, helpdesk: Desk) -> None:
    """Away from a terminal, or with --print, the ticket's page at the helpdesk is printed; nobody is asked."""
    cloned("track", "2")
    asked = len(helpdesk.asked)
    ident = cloned("show", "1", "--json").json["id"]
    place = "https://desk.example.com/tickets"
    assert cloned("open", "1", env={"CHIT_TOKEN": None}).out == f"{place}/1\n"
    assert cloned("open", "1", "2", "--print", terminal=True).out == f"{place}/1\n{place}/2\n"
    assert cloned("open").out == "https://desk.example.com/help\n"
    record = cloned("open", ident, "--json").json
    assert record == {
        "schema": "chit.address/1", "ticket": ident, "remote": "origin", "number": 1, "url": f"{place}/1", "opened": False,
    }  # fmt: skip
    assert len(helpdesk.asked) == asked


def test_what_cannot_be_opened(cloned: Chit, tmp_path: Path) -> None:
    """A ticket that no helpdesk has yet, and a remote that is a store, have no page."""
    ident = cloned("new", "-m", "Only here").id
    ran = cloned("open", ident, code=3)
    assert ran.err == f"error: {ident} is at no helpdesk yet\nhint: `chit push {ident}` makes it there.\n"
    cloned("remote", "add", "backup", str(tmp_path))
    assert "backup is a store" in cloned("open", "1", "--remote", "backup", code=2).err
    cloned("remote", "remove", "origin", "--yes")
    assert "no helpdesk among its remotes" in cloned("open", ident, code=3).err


OPENING = """
import sys
sys.path[:0] = sys.argv[1:3]
import pytest
from support.memory_desk import Desk
from support.memory_remote import plug_in
plug_in(pytest.MonkeyPatch(), Desk())
sys.stdout.isatty = lambda: True
from chit.boundary import guarded
raise SystemExit(guarded(["open", "1", "2"]))
"""


@pytest.mark.parametrize(("browser", "said"), [("recorder", "opened "), ("/nowhere/browser", "there is no browser")])
def test_open_starts_the_browser(cloned: Chit, tmp_path: Path, browser: str, said: str) -> None:
    """On a terminal $BROWSER gets each address; where there is none the addresses are printed."""
    cloned("track", "2")
    recorder = tmp_path / "recorder"
    recorder.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$1\" >> {tmp_path}/seen\n")
    recorder.chmod(0o755)
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", OPENING, str(root / "tests"), str(root / "cli")], cwd=cloned.folder, text=True, capture_output=True,
        env={**os.environ, "BROWSER": str(recorder) if browser == "recorder" else browser, "PATH": str(tmp_path),
             "PYTHONPATH": os.pathsep.join([str(root / "cli"), str(root / "sync")])},
        check=False, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert said in ran.stderr
    places = "".join(f"https://desk.example.com/tickets/{number}\n" for number in (1, 2))
    if browser == "recorder":
        assert (tmp_path / "seen").read_text() == places
        assert ran.stdout == ""
    else:
        assert ran.stdout == places
