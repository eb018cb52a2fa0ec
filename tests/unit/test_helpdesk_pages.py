"""docs/helpdesks is what people go by: the table of what is carried is the adapters' own, and every command line can be typed."""

import importlib
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from chit.context import App
from chit.framework import root
from chit.params import TICKET
from chit_sync.helpdesks import address
from chit_sync.helpdesks.base import FEATURES, Description, Feature
from support.sites import open_adapter

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "helpdesks"
NAME = "docs/helpdesks/README.md"
PAGES = {file.name: file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.md"))}
HEADINGS = ("From clone to close", "What has to be set up", "What is carried", "What people wonder about")
"""What each helpdesk's page has, in this order."""

_TABLE = re.compile(r"(?<=made by CHIT_WRITE=1 -->\n).*?(?=<!-- end of it -->)", re.S)
_PLACEHOLDERS = {"KIND": "rt", "NUMBER": "4711", "TICKET": "4711", "TICKET…": "4711", "TIME": "60s"}


def described(kind: str) -> Description:
    """What an adapter says of the stand-in of its helpdesk."""
    with importlib.import_module(f"support.standins.{kind}").Standin() as there:
        desk = open_adapter(there.url, there.secret)
        try:
            return desk.describe()
        finally:
            desk.close()


def carried(name: str, feature: Feature) -> str:
    """How far something is carried, in a word."""
    if feature.read and feature.write:
        return "both"
    if name == "description" and feature.read:
        return "new"
    return "shown" if feature.read else "no"


def table() -> str:
    """What each adapter carries."""
    found = {kind: described(kind) for kind in address.KINDS if kind != "memory"}
    rows = [("", *(about.title for about in found.values())), ("---", *("---" for _ in found))]
    rows += [(name, *(carried(name, about.features[name]) for about in found.values())) for name in FEATURES]
    return "".join(f"| {' | '.join(row)} |\n".replace("|  |", "| |") for row in rows)


def test_table(committed: Callable[[str, str], None]) -> None:
    """The table is what the adapters say of themselves."""
    made = table()
    committed(NAME, _TABLE.sub(lambda _: made, PAGES["README.md"]))


@pytest.mark.parametrize("kind", [kind for kind in address.KINDS if kind != "memory"])
def test_pages_are_built_alike(kind: str) -> None:
    """Each helpdesk has a page with the same parts, which the overview names."""
    page = PAGES[f"{kind}.md"]
    assert re.match(r"# \S.* as a remote\n\nTested with .*\.\n", page)
    found = [heading for heading in re.findall(r"^## (.*)$", page, re.M) if heading in HEADINGS]
    assert tuple(found) == HEADINGS
    assert f"({kind}.md)" in PAGES["README.md"]
    assert f"'{kind}+https://" in page


def lines(page: str) -> Iterator[str]:
    """Every command line of a page: those in blocks, one by one, and those in running text."""
    for line in re.findall(r"^(?: {4}|\$ )(.*\bchit .*)$", page, re.M):
        yield from (part.strip() for part in re.split(r"; |&&|(?<=\S) {3,}", line) if "chit " in part)
    yield from (found for found in re.findall(r"`(chit [^`]+)`", page) if "…" not in found)


@pytest.mark.parametrize(("name", "line"), [(name, line) for name, page in PAGES.items() for line in lines(page)])
def test_command_lines(name: str, line: str) -> None:
    """Every command line is one that chit understands, with all that it needs."""
    words = [_PLACEHOLDERS.get(word, word) for word in shlex.split(line.removeprefix("$ "))]
    assert words[0] == "chit", f"{name}: {line}"
    context = click.Context(root, info_name="chit", obj=App())
    command: click.Command | None = root
    rest = words[1:]
    while isinstance(command, click.Group):
        command, rest = command.get_command(context, rest[0]), rest[1:]
    assert command is not None, f"{name}: {line}"
    parsed = command.make_context(command.name, rest, parent=context).params
    for parameter in command.params:
        if parameter.type is TICKET:
            given = parsed[parameter.name or ""]
            for ticket in given if isinstance(given, tuple) else (given,):
                assert re.fullmatch(r"\d+|[k-z]{4,32}", str(ticket)), f"{name}: {line}: {ticket!r} is no ticket"
