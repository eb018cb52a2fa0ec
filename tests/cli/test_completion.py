"""Completion: the scripts that the packages ship are what the command prints, and shells get the right words."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from chit.commands.completion import SHELLS
from support.runner import Chit

FILES = {"bash": "chit.bash", "zsh": "chit.zsh", "fish": "chit.fish"}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_scripts_are_fresh(shell: str, chit: Chit, committed: Callable[[str, str], None]) -> None:
    """What lies in completions/, and goes into the packages, is what `chit completion` prints."""
    committed(f"completions/{FILES[shell]}", chit("completion", shell).out)


def complete(chit: Chit, line: str) -> list[str]:
    """The words that bash is offered for the last word of the line."""
    words = line.split(" ")
    ran = subprocess.run(
        [sys.executable, "-m", "chit"], capture_output=True, text=True, cwd=chit.folder, timeout=60, check=True,
        env={**os.environ, "_CHIT_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
    )  # fmt: skip
    assert ran.stderr == ""
    return [word.partition(",")[2] for word in ran.stdout.splitlines() if word]


def test_commands_and_options(chit: Chit) -> None:
    """Commands, commands of a noun, options and values are completed, without a store."""
    assert complete(chit, "chit co") == ["comment", "conflicts", "counter", "complete", "config", "completion"]
    assert complete(chit, "chit remote set") == ["set-url"]
    assert "--assignee" in complete(chit, "chit new --a")
    assert complete(chit, "chit edit --priority c") == ["critical"]
    assert complete(chit, "chit show ") == []


def test_tickets(chit: Chit) -> None:
    """Tickets are completed from the beginning of their id, the open ones first."""
    chit("init")
    one, two = chit("new", "-m", "One").id, chit("new", "-m", "Two").id
    chit("close", two)
    assert complete(chit, "chit show ") == [one[:8], two[:8]]
    assert complete(chit, f"chit edit {one[:4]}") == [one[:8]]
    assert complete(chit, f"chit -C {chit.folder} show {one[:4]}") == [one[:8]]
