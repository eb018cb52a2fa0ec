"""docs/outsourcing.md is what two organisations go by: its table must be that of the code, and its walk-through must happen as it says."""

import re
import shlex
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chit.commands import COMMANDS
from chit_sync import crossing, drawing, handoffs, schema
from chit_sync.clock import MINUTE
from chit_sync.policy import RIGHTS
from support.parties import Parties
from support.runner import Chit
from support.stores import NOON

NAME = "docs/outsourcing.md"
PAGE = (Path(__file__).parents[2] / NAME).read_text()
PEOPLE = {"globex": "anna", "acme": "bob", "initech": "ivan"}
"""Organisation to who types there."""

_BLOCK = re.compile(r"(?<=```console\n).*?(?=^```$)", re.M | re.S)
_ID = re.compile(r"\b(?:[k-z]{16}|[k-z]{32})\b")
"""An id of an item or a ticket; those that a dry run speaks of are not in any store."""

_CHANGE = re.compile(r"(?<=change )[0-9a-f]{12}\b")
_PROMPT = re.compile(rf"({'|'.join(PEOPLE)})\$ (.*)")


def _between(mark: str) -> str:
    found = re.search(rf"<!-- {mark}, made by scripts/generate -->\n(.*?)<!-- end of it -->", PAGE, re.S)
    assert found is not None
    return found[1]


def test_table() -> None:
    """The table on the page is the one by which the lead's store rules."""
    assert _between("the table") == drawing.table()


def test_diagram() -> None:
    """So is the diagram."""
    assert _between("the diagram") == f"```mermaid\n{drawing.diagram()}```\n"


def test_every_word() -> None:
    """Every status, right, shareable kind and setting of sharing is explained, and no command is named that there is not."""
    for word in (*handoffs.STATUSES, *RIGHTS, *(choice.name for choice in schema.SHARES)):
        assert f"`{word}`" in PAGE
    for row in handoffs.TRANSITIONS:
        if row.by == "person":
            assert f"`{handoffs.command(row.verb)}" in PAGE
    assert handoffs.COMMANDS.keys() <= handoffs.VERBS.keys()
    for name in set(re.findall(r"`chit ([a-z]+)", PAGE)):
        assert name in COMMANDS
    for flag in set(re.findall(r"`(--[a-z-]+)", PAGE)):
        assert flag in _flags()
    for kind in crossing.SHARED_KINDS:
        assert kind in PAGE


def test_records(chit: Chit, tmp_path: Path) -> None:
    """The keys that the page names are those that the records have, in their order."""
    parties = Parties(tmp_path / "parties", chit)
    parties.meet()
    ident = parties.accepted()
    parties.service("time", "add", ident, "10m")
    parties.service("charge", "add", ident, "5")
    rows = re.findall(r"^\| `(chit\.[a-z]+/1)` \| `chit ([a-z ]+)` \| (.*) \|$", PAGE, re.M)
    assert len(rows) == 6
    for name, line, cell in rows:
        found = parties.service(*line.split(), *([ident, "title"] if line == "why" else []), "--json").json
        record = found[0] if isinstance(found, list) else found
        assert list(record) == ["schema", *re.findall(r"`([a-z_]+)`", re.sub(r"\([^)]*\)", "", cell))]
        assert record["schema"] == name
    (side,) = parties.service("why", ident, "title", "--json").json["partners"]
    last = " ".join(PAGE.rpartition("`partners` of")[2].split())
    assert list(side) == re.findall(r"`([a-z_]+)`", last)[:15]
    assert list(side["fields"][0]) == list(side)[4:14]


def _flags() -> set[str]:
    """Every option that a command has."""
    from click import Context, Group, Option

    from chit.framework import GLOBAL_OPTIONS, root

    found = {name for option in GLOBAL_OPTIONS for name in option.opts}

    def walk(group: Group) -> None:
        context = Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            if isinstance(command, Group):
                walk(command)
            found.update(
                name
                for option in command.params
                if isinstance(option, Option)
                for name in (*option.opts, *option.secondary_opts)
            )

    walk(root)
    return found


class _Play:
    """Two organisations on one machine, and a shell in each. Ids are told as others, which are the same at every run."""

    def __init__(self, chit: Chit, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.chit = chit
        self.folder = folder
        self.now = NOON
        self.names: dict[str, str] = {}
        self.changes: dict[str, str] = {}
        patch.setattr(time, "time_ns", lambda: self.now * 1_000)
        for name in PEOPLE:
            (folder / name).mkdir()

    def line(self, organisation: str, line: str) -> str:
        """What a line of shell prints there, five minutes after the one before."""
        self.now += 5 * MINUTE
        words = [self._real(word) for word in shlex.split(line, comments=True)]
        target = words[words.index(">") + 1] if ">" in words else None
        source = words[words.index("<") + 1] if "<" in words else None
        while words[-2] in (">", "<"):
            del words[-2:]
        assert words[0] == "chit"
        here = self.folder / organisation
        ran = self.chit(
            *words[1:], code=None, cwd=here, terminal=target is None and source is None,
            stdin=(here / source).read_bytes() if source else None,
            env={"CHIT_USER": PEOPLE[organisation], "XDG_CONFIG_HOME": str(here / "settings")},
        )  # fmt: skip
        assert ran.code != 1, f"{line} ended unexpectedly:\n{ran.err}"
        out = ran.out
        if target:
            (here / target).write_text(out)
            out = ""
        shown = self._told(out + ran.err)
        return "".join(f"{one}".rstrip() + "\n" for one in shown.splitlines() if one.strip())

    def _ids(self) -> Iterator[str]:
        """The ids of all tickets and items, older ones first."""
        for name in PEOPLE:
            path = self.folder / name / ".chit" / "store.db"
            if path.exists():
                with closing(sqlite3.connect(path)) as db:
                    yield from (row[0] for row in db.execute("SELECT id FROM tickets ORDER BY num"))
                    yield from (row[0].partition("/")[2] for row in db.execute("SELECT key FROM items ORDER BY pk"))

    def _told(self, text: str) -> str:
        for ident in self._ids():
            if ident[:8] in text and ident not in self.names:
                self._name(ident)
        for ident, name in self.names.items():
            text = text.replace(ident, name).replace(ident[:8], name[:8])
        text = _ID.sub(lambda found: found[0] if found[0] in self.names.values() else self._name(found[0]), text)
        text = _CHANGE.sub(
            lambda found: self.changes.setdefault(found[0], _made_up(len(self.changes), 12, "0123456789abcdef")), text
        )
        return text.replace(str(self.folder), "/srv")

    def _name(self, ident: str) -> str:
        return self.names.setdefault(ident, _made_up(len(self.names), len(ident)))

    def _real(self, word: str) -> str:
        return next((ident for ident, name in self.names.items() if len(word) >= 4 and name.startswith(word)), word)


def _made_up(number: int, length: int, letters: str = "klmnopqrstuvwxyz") -> str:
    """Something that looks like an id."""
    text = ""
    state = number + 7
    while len(text) < length:
        state = (state * 48_271) % 2_147_483_647
        text += letters[state >> 8 & 15]
    return text


def _played(play: _Play) -> str:
    """The page, with what its commands really print."""

    def block(found: re.Match[str]) -> str:
        told = []
        for line in found[0].splitlines():
            if prompt := _PROMPT.fullmatch(line):
                told.append(line + "\n" + play.line(prompt[1], prompt[2]))
        return "".join(told)

    return _BLOCK.sub(block, PAGE)


def test_walk_through(
    chit: Chit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, committed: Callable[[str, str], None]
) -> None:
    """Typed one after the other, the commands on the page print what stands there."""
    committed(NAME, _played(_Play(chit, tmp_path, monkeypatch)))
