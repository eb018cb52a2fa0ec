"""Texts from people: -m, -F, standard input, or an editor. What was typed into an editor is never lost."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from chit.context import App
from chit.language import translate
from chit_sync.checks import MAX_TEXT
from chit_sync.errors import ChitError, UsageError

FENCE = "+++"
SCISSORS = "# ------------------------ >8 ------------------------"
_LARGEST = 4 * MAX_TEXT


def given_text(message: Sequence[str], file: str | None) -> str | None:
    """The text from -m or -F, None if neither was given. Raises UsageError."""
    if message and file:
        raise UsageError("-m and -F contradict each other", "Give one of them.")
    if message:
        return "\n\n".join(message)
    if file is None:
        return None
    try:
        if file == "-":
            data = sys.stdin.buffer.read(_LARGEST + 1)
        else:
            with open(file, "rb") as handle:
                data = handle.read(_LARGEST + 1)
    except IsADirectoryError:
        raise UsageError(f"{file} is a directory, not a file") from None
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from None
    name = "standard input" if file == "-" else file
    if len(data) > _LARGEST:
        raise UsageError(
            f"{name} has over {_LARGEST >> 20} MiB; a text may have {MAX_TEXT >> 20} MiB",
            "Attach it instead: `chit attach`.",
        )
    try:
        # A mark at the beginning and line ends of another system are no part of the text.
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{name} is not valid UTF-8 at byte {error.start}", "Convert it first, for example with iconv."
        ) from None
    if not text.strip():
        raise UsageError(f"{name} is empty", "Nothing was written.")
    return text.rstrip("\n")


def edited(
    app: App, fields: Mapping[str, Any], body: str, help_text: str, missing: str
) -> tuple[str, dict[str, Any], str]:
    """Lets a person edit fields and a body; returns the buffer's path, the fields and the body.

    `missing` names the flag that replaces the editor. Raises UsageError where there is nobody to
    ask, and for what cannot be read; the buffer is kept then and named.
    """
    if not app.interactive or not app.terminal:
        raise UsageError(f"{translate(missing)} is missing, and there is no terminal to ask on")
    import tempfile
    import tomllib

    import tomli_w

    front = tomli_w.dumps({key: value for key, value in fields.items() if value is not None})
    hints = "\n".join(f"# {line}" for line in help_text.splitlines())
    text = f"{FENCE}\n{front}{FENCE}\n{body}\n{SCISSORS}\n{hints}\n"
    handle, path = tempfile.mkstemp(prefix="chit-", suffix=".md")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    try:
        run_editor(app, path)
    except UsageError as error:
        if not os.path.exists(path):
            raise
        if _content(path) == text:
            os.unlink(path)
        else:
            error.hint = kept(path)
        raise
    if not os.path.exists(path):
        raise UsageError("the editor left no file", "Nothing was written.")
    result = _content(path)
    if result == text:
        os.unlink(path)
        raise UsageError("nothing was changed in the editor", "Nothing was written.")
    head, body = _split(result, path)
    try:
        values = tomllib.loads(head)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the fields between the {FENCE} lines are not valid TOML: {error}", kept(path)) from None
    return path, values, body


def _content(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def _split(text: str, path: str) -> tuple[str, str]:
    text, _, notes = text.partition(SCISSORS)
    if any(line.strip() and not line.startswith("#") for line in notes.splitlines()):
        raise UsageError("there is text below the line with the scissors, where it is not read", kept(path))
    before, fence, rest = text.partition(FENCE + "\n")
    head, closing, body = rest.partition(FENCE + "\n")
    if not fence or before.strip() or not closing:
        raise UsageError(f"the {FENCE} lines around the fields are gone", kept(path))
    return head, body.strip("\n")


@contextmanager
def keeping(buffer: str) -> Iterator[None]:
    """Around what is done with a buffer's text: an error names the buffer, which is kept; afterwards it is not needed any more.

    Without a buffer (an empty name) nothing is different.
    """
    try:
        yield
    except ChitError as error:
        if buffer:
            error.hint = f"{error.hint} {kept(buffer)}".strip()
        raise
    if buffer:
        os.unlink(buffer)


def kept(path: str) -> str:
    """The hint that says where the text is."""
    return f"Your text is kept in {path}."


def run_editor(app: App, path: str) -> None:
    """Runs the person's editor on a file. Raises UsageError if there is none or it fails."""
    import shlex
    import subprocess

    command = (
        app.environ.get("CHIT_EDITOR") or app.config.text("core.editor") or app.environ.get("VISUAL")
        or app.environ.get("EDITOR") or "vi"
    )  # fmt: skip
    try:
        code = subprocess.run([*shlex.split(command), path], check=False).returncode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = "Set EDITOR, or `chit config set --user core.editor EDITOR`."
        raise UsageError(f"cannot start the editor {command!r}: {reason[:1].lower()}{reason[1:]}", hint) from None
    if code != 0:
        raise UsageError(f"the editor {command!r} ended with code {code}", "Nothing was written.")
