"""The error boundary: whatever goes wrong in a command ends here, as `error:` and `hint:` and one exit code."""

import json
import os
import sqlite3
import sys
from collections.abc import Sequence
from typing import Any

import click

from chit.context import App
from chit.errors import GENERIC, INTERRUPTED, PIPE, USAGE, exit_code, hint_for
from chit.framework import root
from chit.language import english, start, translate
from chit.text import clean
from chit_sync.errors import AmbiguousError, ChitError, PartialError, QueryError


def guarded(arguments: Sequence[str], *, ends: bool = False) -> int:
    """Runs the command line; returns its exit code. ends: the process ends right after it."""
    start(os.environ, arguments)
    try:
        if "_CHIT_COMPLETE" in os.environ:
            root.main(list(arguments), prog_name="chit")
        # Not `root.main`: it ends the process with 1 when the reader of a pipe is gone.
        with root.make_context("chit", list(arguments), obj=App(ends=ends)) as context:
            result = root.invoke(context)
    except click.exceptions.Exit as end:
        return int(end.exit_code)
    except BrokenPipeError:
        return PIPE
    except click.exceptions.NoArgsIsHelpError as error:
        if error.ctx.parent is not None:
            return _report(error, arguments)
        sys.stdout.write(error.format_message() + "\n")
        return 0
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the last one there is: a bug becomes a report with a name, not a stack of calls
        return _report(error, arguments)
    return result if isinstance(result, int) else 0


def _report(error: Exception, arguments: Sequence[str]) -> int:
    as_json = any(argument in ("--json", "--jsonl") for argument in arguments)
    if "--debug" in arguments:
        import traceback

        traceback.print_exc()
    return report(error, as_json=as_json, arguments=arguments)


def report(error: Exception, *, as_json: bool, arguments: Sequence[str] = ()) -> int:
    """Says on standard error what went wrong; returns the exit code for it."""
    problem = _problem(error)
    if problem is None:
        problem = _unexpected(error, arguments)
    if as_json:
        sys.stderr.write(json.dumps(problem, ensure_ascii=False) + "\n")
    else:
        lines = [f"{translate('error:')} {translate(problem['detail'])}"]
        lines += [f"  {line}" for line in problem.get("items", ())]
        if problem["hint"]:
            lines.append(f"{translate('hint:')} {translate(problem['hint'])}")
        sys.stderr.write("\n".join(clean(line) for line in lines) + "\n")
    return int(problem["exit"])


def _problem(error: Exception) -> dict[str, Any] | None:
    """The RFC 9457 members of an error that a person can act on; None for a bug of ours."""
    if isinstance(error, click.ClickException):
        return _members("usage", _usage_message(error), USAGE, _usage_hint(error))
    if isinstance(error, sqlite3.Error):
        from chit_sync.store.database import explain

        explained = explain(error, "here")
        return _problem(explained) if isinstance(explained, ChitError) else None
    if isinstance(error, ChitError):
        found = _members(_kind(error), error.message, exit_code(error), error.hint or hint_for(error))
        if isinstance(error, QueryError):
            found["column"] = error.column
            where = {"message": translate(error.message), "column": error.column}
            found["detail"] = translate("{message}, at column {column} of the query", **where)
        if isinstance(error, AmbiguousError):
            found["items"] = error.candidates
        if isinstance(error, PartialError):
            found["items"] = [*map(translate, error.failures)]
        return found
    if isinstance(error, OSError) and error.strerror:
        name = f" {error.filename}" if error.filename else ""
        return _members("os", f"{error.strerror.lower()}:{name}" if name else error.strerror.lower(), GENERIC, "")
    return None


def _members(kind: str, detail: str, code: int, hint: str) -> dict[str, Any]:
    return {
        "schema": "chit.error/1",
        "type": "about:blank",
        "title": kind,
        "detail": detail,
        "code": kind,
        "exit": code,
        "hint": hint,
    }


def _kind(error: ChitError) -> str:
    known = next(kind for kind in type(error).__mro__ if kind.__module__ == ChitError.__module__)
    name = known.__name__.removesuffix("Error")
    return "".join(f"-{char.lower()}" if char.isupper() else char for char in name).lstrip("-")


def _usage_message(error: click.ClickException) -> str:
    """click's message in our form: no capital, no full stop."""
    context = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and isinstance(error.ctx.command, click.Group):
        return f"`{error.ctx.command_path}` needs a command: {', '.join(error.ctx.command.list_commands(error.ctx))}"
    if (
        isinstance(error, click.NoSuchOption)
        and context is not None
        and context.command_path in ("chit list", "chit ls")
    ):
        return f"no such option {error.option_name}"
    message = " ".join((error.message if isinstance(error, _WITH_HINT) else error.format_message()).split())
    message = message.replace("a valid integer range", "a whole number").replace("a valid float range", "a number")
    message = message.removesuffix(".")
    return message[:1].lower() + message[1:] if english() else message


_WITH_HINT = (click.NoSuchOption, click.exceptions.NoSuchCommand)
"""Errors to which click appends what may have been meant; that is our hint."""


def _usage_hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoSuchCommand) and context is not None:
        from difflib import get_close_matches

        names = context.command.list_commands(context)
        close = get_close_matches(error.command_name, names, 1)
        if close:
            return f"Did you mean `{context.command_path} {close[0]}`?"
        return f"There are: {', '.join(names)}." if context.parent else "`chit --help` lists the commands."
    if (
        isinstance(error, click.NoSuchOption)
        and context is not None
        and context.command_path in ("chit list", "chit ls")
    ):
        return "In a query write `NOT label:x` for `-label:x`, or put -- before the query."
    if isinstance(error, click.NoSuchOption) and error.possibilities:
        names = f" {translate('or')} ".join(sorted(error.possibilities))
        return f"Did you mean {names}?"
    return f"`{context.command_path} --help` shows how." if context is not None else ""


def _unexpected(error: Exception, arguments: Sequence[str]) -> dict[str, Any]:
    """A bug: one line for the person, the whole report in a file."""
    import tempfile
    import traceback

    report = "".join(traceback.format_exception(error))
    hint = "This is a bug in chit. Please report it."
    try:
        handle, path = tempfile.mkstemp(prefix="chit-report-", suffix=".txt")
        with os.fdopen(handle, "w") as file:
            file.write(
                f"chit {' '.join(argument for argument in arguments if argument.startswith('-') or argument.isalpha())}\n\n{report}"
            )
        hint = f"This is a bug in chit. The full report is in {path}; --debug shows it at once."
    except OSError:
        sys.stderr.write(report)
    return _members("bug", f"unexpected {type(error).__name__}: {error}", GENERIC, hint)
