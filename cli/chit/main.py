"""The entry point, and the one place where errors become messages and exit codes. Imports nothing heavy: `--version` is instant."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from chit import __version__


def main() -> NoReturn:
    """Runs the command line and ends the process with the exit code that the documentation promises."""
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = 141
    if code == 141:
        # The reader of the pipe is gone; without this, Python would complain about it while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Runs one command; returns the exit code."""
    if list(arguments) == ["--version"]:
        print(f"chit {__version__}")  # noqa: T201  # the fast path has no output layer yet
        return 0
    from chit.boundary import guarded

    return guarded(arguments)
