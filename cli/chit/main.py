"""The entry point, and the one place where errors become messages and exit codes. Imports nothing heavy: `--version` is instant."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from chit import __version__


def main() -> NoReturn:
    """Runs the command line and ends the process with the exit code that the documentation promises."""
    _open_streams()
    code = 0
    try:
        code = run(sys.argv[1:], ends=True)
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = 141
    except OSError as error:  # the disk that the output goes to is full, for one
        if error.strerror and not code:  # else it has been said, or something worse has
            from contextlib import suppress

            with suppress(OSError):  # there is nobody left to be told
                os.write(2, f"error: {error.strerror.lower()}\n".encode())
        code = code or 1
    # Everything is written and nothing is left to do, so the interpreter is not taken down piece by piece, and SQLite does not
    # tidy its log away after every single command (see `App.close`).
    os._exit(code)


def _open_streams() -> None:
    """Output is UTF-8 whatever the locale, and a stream that the caller has closed is an empty one."""
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            stream = os.fdopen(os.open(os.devnull, os.O_RDWR), "r" if name == "stdin" else "w")
            setattr(sys, name, stream)
        if name != "stdin":
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def run(arguments: Sequence[str], *, ends: bool = False) -> int:
    """Runs one command; returns the exit code. ends: the process ends right after it."""
    if list(arguments) == ["--version"]:
        sys.stdout.write(f"chit {__version__}\n")
        return 0
    if "_CHIT_COMPLETE" in os.environ:
        from chit.completing import answer

        found = answer(os.environ)
        if found is not None:
            sys.stdout.write(found + "\n")
            return 0
    from chit.boundary import guarded

    return guarded(arguments, ends=ends)
