"""Every command once or more, with what it takes, in a folder where there is something for each of them to do.

The tests of the surface run all of these: whoever adds a command adds a line here.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click

from chit.framework import root
from support.memory_desk import Desk as Helpdesk
from support.runner import Chit

READS: dict[str, tuple[str, ...]] = {
    "status": ("", "--exit-code"),
    "log": ("", "{one}", "--limit 2"),
    "show": ("{one}", "{one} {two}", "--query is:open"),
    "diff": ("", "{one}", "--exit-code"),
    "fsck": ("",),
    "list": (
        "",
        "--all",
        "printer",
        "NOT label:nothing",
        "--count",
        "--sort -created",
        "nothing-like-this",
        "--limit 1",
    ),
    "time list": ("", "{one}", "{one} {two} --since 7d", "--query is:open --until yesterday"),
    "charge list": ("", "{one}", "{one} {two} --since 7d", "--query is:open --until yesterday"),
    "remote list": ("",),
    "remote show": ("", "origin", "help", "help --mapping"),
    "open": ("{followed} --print", "--print"),
    "auth status": ("", "help --check"),
    "conflicts": ("", "--exit-code"),
    "why": ("{one} title", "{one} {comment}", "{torn} title"),
    "board": ("", "--all --limit 1", "--role lead --partner acme"),
    "partner list": ("",),
    "token list": ("",),
    "config get": ("list.limit",),
    "config list": ("", "--show-origin"),
    "completion": ("bash", "zsh", "fish"),
    "doctor": ("",),
    "help": ("", "edit", "remote add", "helpdesks", "queries", "priorities", "fields", "exit-codes", "options"),
}
"""Commands that change nothing, by name: what to say after it."""

WRITES: dict[str, tuple[str, ...]] = {
    "init": ("{new}", "--user"),
    "clone": ("{other} {new}",),
    "undo": ("",),
    "export": ("",),
    "import": ("{export}",),
    "fsck": ("--rebuild",),
    "new": ("-m Printer -p high -l hardware --due 7d -x x.serial=7", "--title Printer --attach {file} --emergency"),
    "edit": ("{one} --title Projector", "{one} {two} -p low", "--query label:hardware --queue first", "{one} -m Text"),
    "comment": ("{one} -m Text", "{one} {two} -m Text -i", "{one} -m Text --attach {file}", "{one} --edit {comment} -m New",
                "{one} --delete {comment}"),
    "label": ("{one} -l broken -r hardware", "{one} {two} -l broken"),
    "assign": ("{one} --to berta", "{one} {two} --to none"),
    "take": ("{one}", "--query is:open"),
    "close": ("{one} -m Done", "{one} {two} --status rejected"),
    "reopen": ("{closed} -m Again", "{closed} {one}"),
    "delete": ("{one}", "{one} {two}"),
    "merge": ("{one} --into {two}", "{one} {closed} --into {two}"),
    "link": ("{one} blocks {two}", "{one} child-of {two} {closed}", "{one} relates {two} --remove"),
    "attach": ("{one}", "{one} {file}", "{one} --get notes.txt -o {new}", "{one} --delete notes.txt"),
    "time add": ("{one} 1h30m", "{one} 20m -m Text --date yesterday -i"),
    "time edit": ("{one} {entry} 2h", "{one} {entry} -m Text --date yesterday"),
    "time rm": ("{one} {entry}",),
    "charge add": ("{one} 80.50", "{one} 12 CHF -m Fuser -i"),
    "charge rm": ("{one} {charge}",),
    "remote add": ("backup {new}",),
    "remote remove": ("origin --yes",),
    "remote rename": ("origin desk",),
    "remote reset": ("origin",),
    "remote set-url": ("origin {new}",),
    "fetch": ("", "--remote help"),
    "pull": ("", "--attachments", "--remote help", "--remote help --full --attachments"),
    "push": ("", "{one}", "--remote help"),
    "sync": ("", "--remote help"),
    "track": ("2 --remote help", "#2 help#1 --remote help"),
    "auth logout": ("help",),
    "resolve": ("{torn} --shown", "{torn} --field title --other", "{torn} --set title=Projector"),
    "partner invite": ("berta --as globex", "acme --url https://desk.example --expires 2d"),
    "partner join": ("{invitation}", "{invitation} --name desk --organization Globex"),
    "partner end": ("acme",),
    "outsource": ("{one} north --pay 80/h --hours 10h --complete-by 7d --bill-rate 120", "{one} --to north --draft",
                  "--query label:hardware --to north", "{countered}", "{drafted} --discard"),
    "cancel": ("{offered}", "{offered} {countered} -m Later"),
    "accept": ("{asked} --organization South", "{asked} --partner south"),
    "decline": ("{asked} -m Never",),
    "counter": ("{asked} --pay 90/h -m Rails",),
    "ask": ("{job} -m Why", "{running} --answer -m Yes --hours 1h", "{running} {question} --answer -m No"),
    "submit": ("{job} -m Done",),
    "withdraw": ("{handed} -m Again",),
    "approve": ("{waiting} -m Fine",),
    "reject": ("{waiting} -m Smokes",),
    "complete": ("{running}",),
    "recall": ("{running} -m Mine",),
    "handback": ("{job} -m Broken",),
    "release": ("{job} --all", "{job} {back}", "{job} {back} --keep"),
    "detach": ("{running} {theirs}",),
    "token create": ("berta --scope reader", "carl --right accept --right finance"),
    "token revoke": ("anna",),
    "config set": ("list.limit 7", "--unset list.limit", "--user user.name Berta"),
    "config statuses": ("", "new=new work=open done=closed"),
}  # fmt: skip
"""Commands that write to the store, to another store, to a settings file or to a file."""

_OURS = ("drafted", "offered", "countered", "waiting", "running")
_THEIRS = ("asked", "job", "handed")

LASTING = ("serve", "auth login")
"""Commands that do not end by themselves, or ask for a secret."""


def helpdesk() -> Helpdesk:
    """A helpdesk as it is before each command: it follows one queue, and has a ticket in another one, too."""
    made = Helpdesk(name="help")
    made.add_ticket("Door squeaks", "Since Monday.")
    made.add_ticket("Bill is wrong", queue="Billing")
    made.say(1, "Oiled it.")
    made.attach(1, "door.txt", b"squeak")
    return made


def leaves(of: click.Group = root, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """All commands that are no groups, by what is typed for them."""
    context = click.Context(of)
    for name in of.list_commands(context):
        found = of.get_command(context, name)
        assert found is not None, name
        if isinstance(found, click.Group):
            yield from leaves(found, (*path, name))
        else:
            yield " ".join((*path, name)), found


def lines(*tables: dict[str, tuple[str, ...]]) -> list[str]:
    """What can be typed after `chit`, from these tables."""
    return [f"{name} {line}".strip() for table in tables for name, all_lines in table.items() for line in all_lines]


class Desk:
    """A folder with two stores that have a ticket in conflict, and names for what is in the one to be worked with, which also knows the
    helpdesk at that address."""

    def __init__(self, folder: Path, chit: Chit, helpdesk: str) -> None:
        self.folder = folder
        self.chit = chit
        self.helpdesk = helpdesk
        self.names: dict[str, str] = {}

    def fill(self) -> None:
        """Makes the stores; takes a moment, so copy them."""
        chit, here, other = self.chit, self.folder / "here", self.folder / "other"
        other.mkdir(parents=True)
        chit("init", cwd=other)
        torn = chit("new", "-m", "Printer on fire", "-p", "high", "-l", "hardware", cwd=other).id
        chit("clone", str(other), str(here), cwd=self.folder)
        chit("edit", torn, "--title", "Printer burns", cwd=other, env={"CHIT_USER": "berta"})
        chit("new", "-m", "Only there", cwd=other)
        chit("edit", torn, "--title", "Printer smokes", cwd=here)
        chit("pull", cwd=here)
        handed = self._hand_out(here)
        notes = self.folder / "notes.txt"
        notes.write_text("some notes\n", encoding="utf-8")
        one = chit(
            "new", "-m", "Printer is slow\n\nSince Monday.", "-l", "hardware", "--attach", str(notes), cwd=here
        ).id
        two = chit("new", "-m", "Café: größere Tür nötig", "-a", "anna", cwd=here).id
        chit("comment", one, "-m", "Seen it.", cwd=here)
        comment = chit("show", one, "--json", cwd=here).json["comments"][0]["id"]
        chit("time", "add", one, "45m", "-m", "Looked at it.", cwd=here)
        chit("charge", "add", one, "12.50", "-m", "Toner", cwd=here)
        entry, charge = (chit(kind, "list", "--fields", "id", cwd=here).id for kind in ("time", "charge"))
        closed = chit("new", "-m", "Old trouble", cwd=here).id
        chit("link", one, "relates", two, cwd=here)
        chit("close", closed, cwd=here)
        chit("token", "create", "anna", cwd=here)
        chit("partner", "invite", "acme", "--as", "globex", cwd=here)
        umbrella = self.folder / "umbrella"
        umbrella.mkdir()
        chit("init", cwd=umbrella)
        invitation = chit("partner", "invite", "globex", "--as", "umbrella", cwd=umbrella).id
        export = self.folder / "export.jsonl"
        export.write_text(chit("export", cwd=other).out, encoding="utf-8")
        chit("remote", "add", "help", f"{self.helpdesk}?queue=Support", "--token-stdin", stdin="agent1", cwd=here)
        followed = chit("track", "1", "--remote", "help", cwd=here).id
        chit("edit", followed, "-p", "high", cwd=here)
        self.names = {
            "followed": followed,
            "entry": entry, "charge": charge, "invitation": invitation,
            "torn": torn, "one": one, "two": two, "closed": closed, "comment": comment, "file": str(notes),
            "new": str(self.folder / "fresh"), "other": str(other), "export": str(export), **handed,
        }  # fmt: skip

    def _hand_out(self, here: Path) -> dict[str, str]:
        """Tickets that are outsourced to a partner north, or were by a lead south, in every state that a verb needs; by name."""
        chit, north, south = self.chit, self.folder / "north", self.folder / "south"
        for place in (north, south):
            place.mkdir()
            chit("init", cwd=place)
        for lead, service, own, name in ((here, north, "globex", "north"), (south, here, "south", "globex")):
            word = chit("partner", "invite", name, "--as", own, cwd=lead).out
            chit("partner", "join", "-", stdin=word, cwd=service)

        def sync() -> None:
            chit("sync", "--remote", "globex", cwd=north)
            chit("sync", "--remote", "south", cwd=here)

        terms = ("--pay", "80/h", "--hours", "10h")
        found = {name: chit("new", "-m", f"Wanted: {name}", cwd=here).id for name in _OURS}
        found |= {name: chit("new", "-m", f"Wanted: {name}", cwd=south).id for name in _THEIRS}
        for name in _OURS:
            chit("outsource", found[name], "north", *terms, *(["--draft"] if name == "drafted" else []), cwd=here)
        for name in _THEIRS:
            chit("outsource", found[name], "globex", *terms, cwd=south)
        sync()
        chit("accept", found["waiting"], found["running"], "--organization", "Globex", cwd=north)
        chit("counter", found["countered"], "--pay", "90", cwd=north)
        chit("accept", found["job"], found["handed"], "--organization", "South", cwd=here)
        sync()
        chit("comment", found["running"], "-m", "On my way.", cwd=north)
        chit("ask", found["running"], "-m", "Which floor?", cwd=north)
        chit("submit", found["waiting"], cwd=north)
        chit("submit", found["job"], found["handed"], cwd=here)
        chit("comment", found["job"], "-m", "By the way.", cwd=here)
        sync()
        chit("reject", found["job"], "-m", "It still smokes.", cwd=south)
        sync()
        running, job = (chit("show", found[name], "--json", cwd=here).json for name in ("running", "job"))
        return {
            **found, "question": running["questions"][0]["id"], "theirs": running["comments"][0]["id"],
            "back": job["comments"][0]["id"],
        }  # fmt: skip

    def words(self, line: str) -> list[str]:
        """The words of a line of the tables, with the names filled in."""
        return [word.format_map(self.names) for word in line.split()]


def everything(folder: Path) -> dict[str, object]:
    """All that is in a folder: every file's bytes, and for databases every row of every table."""
    found: dict[str, object] = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if name == "store.db":
                found[str(path)] = _rows(path)
            elif not name.startswith("store.db-"):
                found[str(path)] = path.read_bytes()
    return found


def _rows(path: Path) -> dict[str, list[str]]:
    with closing(sqlite3.connect(path)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: sorted(map(repr, db.execute(f"SELECT * FROM {name}"))) for name in names}
    # Where the store lies is noted by whoever opens it first after it was moved.
    found["meta"] = [row for row in found["meta"] if not row.startswith("('place'")]
    return found


def copy(source: Path, target: Path) -> None:
    """Puts back what was kept: the same path, so that the stores take it for a restored backup."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
