"""docs/commands.md is the help of every command, generated."""

from collections.abc import Callable

import click

from chit import topics
from chit.commands import COMMANDS, SECTIONS
from chit.framework import root

_HEAD = """\
# Commands

Every command with its help, as `chit help COMMAND` prints it. This page is generated: `CHIT_WRITE=1 pytest tests/cli/test_reference.py`
writes it anew after a change.
"""


def reference() -> str:
    """The page."""
    parts = [_HEAD]
    for section, title in SECTIONS.items():
        parts.append(f"## {title}\n")
        for name, entry in COMMANDS.items():
            if entry.section == section:
                parts += pages(context(root, None, "chit"), name)
    for name in ("options", "exit-codes", "fields", "priorities", "queries"):
        parts.append(f"## chit help {name}\n\n```text\n{topics.TOPICS[name]().strip()}\n```\n")
    return "\n".join(parts)


def context(command: click.Command, parent: click.Context | None, name: str) -> click.Context:
    """A context of a known width."""
    settings = {**command.context_settings, "terminal_width": 100}
    return click.Context(command, parent=parent, info_name=name, **settings)


def pages(parent: click.Context, name: str) -> list[str]:
    """The help of a command, and of those below it."""
    assert isinstance(parent.command, click.Group)
    command = parent.command.get_command(parent, name)
    assert command is not None
    here = context(command, parent, name)
    found = [f"### {here.command_path}\n\n```text\n{command.get_help(here).strip()}\n```\n"]
    if isinstance(command, click.Group):
        for one in command.list_commands(here):
            found += pages(here, one)
    return found


def test_the_reference_is_fresh(committed: Callable[[str, str], None]) -> None:
    """The page says what the commands say."""
    committed("docs/commands.md", reference())
