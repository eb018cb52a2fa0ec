"""The whole story, with real processes: a served store, two people who clone it, work offline, exchange, disagree and agree again."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
SAMPLE = ROOT / "examples" / "incidents.csv"
COPIES = 125
PATIENCE = 60

KILLED = """
import os, signal, sys
from chit import exchanging, main

class Fatal(exchanging.Progress):
    def __call__(self, done, total):
        os.kill(os.getpid(), signal.SIGKILL)

exchanging.Progress.__call__ = Fatal.__call__
sys.argv[0] = "chit"
main.main()
"""
"""chit, killed when the first batch of an exchange is safe."""


class Person:
    """Somebody with a folder, a name and a token."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.home = folder / f"home-{name}"
        self.folder.mkdir()
        self.env = {
            **os.environ,
            "CHIT_USER": name,
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
        }

    def run(
        self, *arguments: str, code: int = 0, stdin: str | None = None, command: Sequence[str] = ("-m", "chit")
    ) -> subprocess.CompletedProcess[str]:
        """Runs chit in the person's folder."""
        ran = subprocess.run(
            [sys.executable, *command, *arguments], cwd=self.folder, env=self.env, input=stdin, capture_output=True, text=True,
            check=False, timeout=PATIENCE, stdin=None if stdin is not None else subprocess.DEVNULL,
        )  # fmt: skip
        assert ran.returncode == code, f"{arguments} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}"
        return ran

    def chit(self, *arguments: str, code: int = 0, stdin: str | None = None) -> str:
        """What a command prints."""
        return self.run(*arguments, code=code, stdin=stdin).stdout

    def show(self, ident: str) -> Any:
        """A ticket."""
        return json.loads(self.chit("show", ident, "--json"))

    def all(self) -> dict[str, Any]:
        """All tickets by id, without what is this store's own."""
        found = {}
        for line in self.chit("list", "is:open OR is:closed OR is:deleted", "--jsonl").splitlines():
            ticket = json.loads(line)
            del ticket["number"], ticket["remotes"]
            for attachment in ticket["attachments"]:
                del attachment["here"]
            found[ticket["id"]] = ticket
        return found

    def changes(self) -> int:
        """How many changes are in the store."""
        return sum(
            '"type":"change"' in line or '"set"' in line
            for line in self.chit("export", "--no-attachments").splitlines()
        )


@pytest.fixture
def desk(tmp_path: Path) -> Person:
    """The desk, whose store holds an event log of some size, replayed as history."""
    person = Person(tmp_path, "desk")
    head, *events = SAMPLE.read_text(encoding="utf-8").splitlines()
    log = tmp_path / "incidents.csv"
    with log.open("w", encoding="utf-8") as file:
        print(head, file=file)
        for copy in range(COPIES):
            for event in events:
                print(re.sub(r"^INC\d\d\d", f"INC{copy:03}", event), file=file)
    person.chit("init")
    person.run("import", str(log), "--map", "servicenow-incidents")
    return person


@pytest.fixture
def url(desk: Person) -> Iterator[str]:
    """Where the desk's store is served, by a `chit serve` of its own."""
    server = subprocess.Popen(
        [sys.executable, "-m", "chit", "serve", "--port", "0"],
        cwd=desk.folder,
        env=desk.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        assert server.wait(PATIENCE) == 0
        server.stdout.close()


@pytest.fixture
def people(desk: Person, url: str, tmp_path: Path) -> tuple[Person, Person]:
    """Alice and Bob, each with a clone over HTTP and a token of their own."""
    found = []
    for name in ("alice", "bob"):
        person = Person(tmp_path, name)
        person.chit("clone", "--token-stdin", url, ".", stdin=desk.chit("token", "create", name))
        found.append(person)
    return found[0], found[1]


def test_a_clone_that_is_killed_goes_on(desk: Person, url: str, tmp_path: Path) -> None:
    """A clone killed half-way leaves a store that opens, with some of the tickets; a pull completes it."""
    carol = Person(tmp_path, "carol")
    token = desk.chit("token", "create", "carol")
    carol.run("clone", "--token-stdin", url, ".", stdin=token, code=-9, command=("-c", KILLED))
    here, there = carol.changes(), desk.changes()
    assert 0 < here < there
    carol.chit("fsck")
    carol.chit("pull")
    assert carol.changes() == there
    assert carol.all() == desk.all()
    assert carol.chit("pull") == ""


def test_two_people_and_a_desk(desk: Person, people: tuple[Person, Person], url: str, tmp_path: Path) -> None:
    """Edits of different fields come together; of the same field, both show the same winner and the same conflict until one decides."""
    alice, bob = people
    assert alice.all() == bob.all() == desk.all()
    assert len(alice.all()) == 12 * COPIES

    # Both work offline, on the same ticket and on others.
    one, two, three = list(alice.all())[:3]
    new = alice.chit("new", "-m", "Meeting room 3: the projector stays dark", "-p", "high", "-l", "hardware").strip()
    notes = tmp_path / "notes.txt"
    notes.write_text("lamp: 3000 h\n", encoding="utf-8")
    alice.chit("attach", new, str(notes))
    alice.chit("edit", one, "--title", "Title of Alice", "-p", "critical")
    alice.chit("comment", one, "-m", "See the log of the gateway.")
    alice.chit("label", two, "-l", "network")
    bob.chit("edit", one, "--title", "Title of Bob", "--queue", "second line")
    bob.chit("comment", one, "-m", "The vendor is asked.", "--internal")
    bob.chit("take", two)
    bob.chit("delete", three)
    bob.chit("close", two, "-m", "Done.")
    bob.chit("undo")
    assert "to send: `chit push`" in alice.chit("status")

    # Alice sends first, Bob takes and sends, Alice takes.
    alice.chit("push")
    assert alice.chit("push") == ""
    assert "1 new conflict" in bob.run("pull").stderr
    bob.chit("push")
    assert "1 new conflict" in alice.run("pull").stderr
    assert "has everything" in alice.run("push").stderr
    assert alice.all() == bob.all() == desk.all()

    for person in (alice, bob, desk):
        ticket = person.show(one)
        assert (ticket["priority"], ticket["queue"]) == ("critical", "second line")
        assert {comment["body"] for comment in ticket["comments"]} >= {
            "See the log of the gateway.", "The vendor is asked.",
        }  # fmt: skip
        (conflict,) = ticket["conflicts"]
        assert {conflict["shown"], *conflict["others"]} == {"Title of Alice", "Title of Bob"}
        assert (person.show(two)["assignee"], "network" in person.show(two)["labels"]) == ("bob", True)
        assert person.show(three)["deleted"] is True
        assert person.run("conflicts", "--exit-code", code=5).stdout.startswith(f"{one}\ttitle\t")

    # Bob decides; the conflict ends everywhere with his decision.
    bob.chit("resolve", one, "--set", "title=Title of both")
    bob.chit("sync")
    alice.chit("sync")
    assert alice.all() == bob.all() == desk.all()
    for person in (alice, bob, desk):
        assert person.show(one)["title"] == "Title of both"
        assert person.chit("conflicts") == ""
        person.chit("fsck")

    # The bytes of an attachment come when they are asked for.
    assert bob.chit("attach", new, "--get", "notes.txt", "-o", "-") == "lamp: 3000 h\n"
    assert "nothing to send, nothing waiting" in bob.chit("status")


def test_a_pull_that_is_killed_goes_on(desk: Person, people: tuple[Person, Person], tmp_path: Path) -> None:
    """A pull killed half-way loses nothing and doubles nothing; what was written meanwhile is still to be sent."""
    alice, bob = people
    ids = "".join(alice.chit("list", "--all", "--fields", "id").splitlines(keepends=True)[:12])
    text = tmp_path / "text"
    text.write_text("more than a batch in all\n" * 40_000, encoding="utf-8")
    alice.chit("comment", "--stdin", "-q", "-F", str(text), stdin=ids)
    alice.chit("push")
    mine = bob.chit("new", "-m", "Written before the pull").strip()
    before = bob.changes()
    bob.run("pull", code=-9, command=("-c", KILLED))
    half = bob.changes()
    assert before < half < desk.changes() + 1
    bob.chit("fsck")
    bob.chit("comment", mine, "-m", "Written in between")
    bob.chit("pull")
    assert bob.changes() == desk.changes() + 2
    bob.chit("push")
    alice.chit("pull")
    assert alice.all() == bob.all() == desk.all()
    assert bob.show(mine)["remotes"] == [{"remote": "origin", "number": 12 * COPIES + 1}]
