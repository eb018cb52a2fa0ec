"""Runs chit in this process, as `chit ARGUMENTS` in a shell would: its own streams, a working directory, an exit code.

A standard input that nobody filled must not be read: reading it fails the test.
"""

import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from chit.boundary import guarded

LONG = {"COLUMNS": "100", "PAGER": "cat"}


class Ran(NamedTuple):
    """What a command did: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def id(self) -> str:
        """The only line of the output: the id that a write prints."""
        (line,) = self.out.splitlines()
        return line

    @property
    def json(self) -> Any:
        """The output, which must be one JSON document."""
        return json.loads(self.out)

    @property
    def problem(self) -> dict[str, Any]:
        """The problem object on standard error, which must be all that is there; standard output must be empty."""
        assert self.out == ""
        found: dict[str, Any] = json.loads(self.err)
        return found


class _Stream(io.TextIOWrapper):
    """A captured stream that says of itself whether it is a terminal."""

    def __init__(self, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", errors="surrogateescape", newline="", write_through=True)
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    @property
    def text(self) -> str:
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode("utf-8", "surrogateescape")


class _Untouched(io.RawIOBase):
    """A standard input that no command may read."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        raise AssertionError("the command read standard input")


class Chit:
    """`chit("new", "-m", "Printer on fire")`; it must end with `code`, and the result has what it printed."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._patch = patch

    def __call__(
        self,
        *arguments: str,
        code: int | None = 0,
        stdin: str | bytes | None = None,
        terminal: bool = False,
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
    ) -> Ran:
        """stdin: what is piped in. terminal: somebody sits there, and `stdin` is what they type. env: variables to set for it, or
        with None to unset."""
        source: io.RawIOBase | io.BytesIO = _Untouched()
        if stdin is not None:
            source = io.BytesIO(stdin if isinstance(stdin, bytes) else stdin.encode())
        out, err = _Stream(terminal), _Stream(terminal)
        typed = io.TextIOWrapper(io.BufferedReader(source) if isinstance(source, io.RawIOBase) else source, "utf-8")
        with self._patch.context() as patch:
            patch.chdir(cwd or self.folder)
            for name, value in {**(LONG if terminal else {}), **(env or {})}.items():
                if value is None:
                    patch.delenv(name, raising=False)
                else:
                    patch.setenv(name, value)
            patch.setattr(typed, "isatty", lambda: terminal)
            patch.setattr(sys, "stdin", typed)
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            ended = guarded(arguments)
        ran = Ran(ended, out.text, err.text)
        assert code is None or ended == code, f"chit {' '.join(arguments)} ended with {ended}:\n{ran.out}{ran.err}"
        return ran
