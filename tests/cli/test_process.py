"""What only a process of its own can show: pipes that close, signals, terminals, locales, and streams that are not there."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from support.runner import Chit

CHIT = [sys.executable, "-m", "chit"]
PATIENCE = 60


def environment(changes: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """The environment of the tests without what turns colour off, and with these changes; None takes a variable out."""
    found = dict(os.environ)
    for name, value in {"NO_COLOR": None, "TERM": "xterm-256color", "COLUMNS": None, **(changes or {})}.items():
        found.pop(name, None)
        if value is not None:
            found[name] = value
    return found


def shell(desk: Chit, line: str, **changes: str | None) -> subprocess.CompletedProcess[bytes]:
    """What bash makes of a line in which `chit` is this chit."""
    words = f'chit() {{ {sys.executable} -m chit "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", words], cwd=desk.folder, env=environment(changes), capture_output=True, check=False, timeout=PATIENCE
    )  # fmt: skip


class Terminal:
    """A command on a terminal of its own, with a person in front of it."""

    def __init__(
        self,
        folder: Path,
        arguments: Sequence[str],
        env: Mapping[str, str | None] | None = None,
        columns: int = 80,
        lines: int = 50,
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(
            [*CHIT, *arguments], cwd=folder, env=environment(env), stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.seen = ""

    def wait_for(self, text: str) -> None:
        """Reads on until the text has been shown."""
        ends = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert time.monotonic() < ends, self.seen
            assert self._read(), f"it ended without {text!r}: {self.seen}"

    def _read(self) -> bool:
        if not select.select([self._master], [], [], PATIENCE)[0]:
            return False
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:
            return False
        self.seen += data.decode().replace("\r\n", "\n")
        return bool(data)

    def type(self, text: str) -> None:
        """Types the text."""
        os.write(self._master, text.encode())

    def end(self) -> tuple[int, str]:
        """Waits for the end; the exit code and all that was shown."""
        while self._read():
            pass
        os.close(self._master)
        return self.process.wait(PATIENCE), self.seen

    def hang_up(self) -> int:
        """Closes the terminal; the exit code."""
        os.close(self._master)
        return self.process.wait(PATIENCE)


def on_terminal(desk: Chit, *arguments: str, env: Mapping[str, str | None] | None = None, **size: int) -> str:
    """What a command shows on a terminal; it must end well."""
    code, seen = Terminal(desk.folder, arguments, env, **size).end()
    assert code == 0, seen
    return seen


@pytest.fixture
def long(desk: Chit) -> Chit:
    """A store with more to print than a pipe holds."""
    for number in range(20):
        desk("new", "-F", "-", "-q", stdin=f"Ticket {number}\n" + "text\n" * 4_000)
    return desk


@pytest.mark.parametrize("command", ["log", "log --json", "list --json", "show --query is:open", "export"])
def test_a_reader_that_goes_away(command: str, long: Chit) -> None:
    """`| head -1`: no complaint, and 141 as from a program in C."""
    ran = shell(long, f'chit {command} | head -c 1 >/dev/null; echo "${{PIPESTATUS[0]}}"', PYTHONUNBUFFERED=None)
    assert (ran.stdout, ran.stderr) == (b"141\n", b"")


@pytest.mark.parametrize("command", ["list", "log", "help", "--version", "export", "show --query is:open"])
def test_output_that_cannot_be_written(command: str, long: Chit) -> None:
    """A full disk where the output goes is an error with a sentence."""
    ran = shell(long, f"chit {command} >/dev/full")
    assert (ran.returncode, ran.stderr) == (1, b"error: no space left on device\n")


def test_streams_that_are_not_there(desk: Chit, ticket: str) -> None:
    """Closed streams, as a service may start a program, are empty ones."""
    assert shell(desk, "chit list >&-").returncode == 0
    assert shell(desk, "chit list 2>&-").stdout
    assert shell(desk, "chit nope 2>&-").returncode == 2
    assert shell(desk, "chit list <&-").stdout
    ran = shell(desk, "chit new -F - <&-")
    assert (ran.returncode, ran.stderr) == (2, b"error: standard input is empty\nhint: Nothing was written.\n")


@pytest.mark.parametrize(
    "changes", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "latin-1"}, {"PYTHONUTF8": "0", "LC_ALL": "POSIX"}]
)
def test_output_is_utf8(changes: dict[str, str | None], desk: Chit) -> None:
    """Whatever the locale says, what is printed is UTF-8."""
    desk("new", "-m", "Größe 日本")
    assert "Größe 日本\n" in shell(desk, "chit list", **changes).stdout.decode()
    assert "日本" in shell(desk, "chit show --query 日本", **changes).stdout.decode() or "PYTHONUTF8" in changes


def test_arguments_that_are_no_utf8(desk: Chit, ticket: str) -> None:
    """Bytes of another encoding in an argument are refused, and named without breaking the message."""
    ran = shell(desk, "chit new -m $'Caf\\xe9'")
    assert (ran.returncode, ran.stderr) == (
        2, b"error: title is not valid UTF-8\nhint: Convert it first, for example with iconv.\n",
    )  # fmt: skip
    ran = shell(desk, "chit show $'Caf\\xe9'")
    assert (ran.returncode, ran.stderr.splitlines()[0]) == (3, b"error: no ticket 'Caf\\udce9'")
    ran = shell(desk, "chit show $'Caf\\xe9' --json")
    assert b"\\udce9" in ran.stderr


def test_interrupted_while_reading(desk: Chit) -> None:
    """Ctrl-C while a text is being typed ends with 130, writes nothing, and complains about nothing."""
    process = subprocess.Popen(
        [*CHIT, "new", "-F", "-"], cwd=desk.folder, env=environment(), stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(b"x")
    process.stdin.flush()
    wchan = Path(f"/proc/{process.pid}/wchan")
    ends = time.monotonic() + PATIENCE
    while "read" not in wchan.read_text() and not _reads(process.pid) and time.monotonic() < ends:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (130, b"")
    assert desk("list", "--count").out == "0\n"


def _reads(pid: int) -> bool:
    """Whether the process waits for its standard input: the system call that it is in."""
    try:
        return Path(f"/proc/{pid}/syscall").read_text().split()[:2] == ["0", "0x0"]
    except OSError:
        return False


def test_interrupted_at_a_question(desk: Chit, ticket: str) -> None:
    """Ctrl-C at a question ends with 130 and changes nothing."""
    for number in range(21):
        desk("new", "-m", f"Ticket {number}", "-q")
    terminal = Terminal(desk.folder, ["close", "--query", "is:open"])
    terminal.wait_for("Go on? [y/N]: ")
    for _ in range(5):  # Python may drop one that comes at a moment when it cannot raise; a person presses again
        terminal.process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            terminal.process.wait(3)
            break
    code, _ = terminal.end()
    assert code == 130
    assert desk("list", "--count").out == "22\n"


def test_answering_on_a_terminal(desk: Chit) -> None:
    """A question is answered on the terminal."""
    for number in range(21):
        desk("new", "-m", f"Ticket {number}", "-q")
    terminal = Terminal(desk.folder, ["close", "--query", "is:open", "-q"])
    terminal.wait_for("This changes 21 tickets. Go on? [y/N]: ")
    terminal.type("y\n")
    assert terminal.end()[0] == 0
    assert desk("list", "--count").out == "0\n"


@pytest.mark.parametrize(
    ("changes", "flags", "colored"),
    [
        ({}, [], True),
        ({"NO_COLOR": "1"}, [], False),
        ({"NO_COLOR": ""}, [], True),
        ({"TERM": "dumb"}, [], False),
        ({"CLICOLOR": "0"}, [], False),
        ({}, ["--color", "never"], False),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
        ({}, ["-c", "color.ui=never"], False),
        ({"CHIT_COLOR_UI": "never"}, [], False),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, [], False),
    ],
)
def test_color_on_a_terminal(
    changes: dict[str, str | None], flags: list[str], colored: bool, desk: Chit, ticket: str
) -> None:
    """Colour on a terminal, unless a variable, a setting or a flag says no."""
    desk("edit", ticket, "-p", "critical")
    for command in (["list"], ["show", "1"], ["log"], ["status"]):
        seen = on_terminal(desk, *command, *flags, env={**changes, "CHIT_PAGER": "cat"})
        assert ("\x1b[" in seen) == (colored and command != ["status"]), seen
        assert ("\x1b[" in on_terminal(desk, *flags, *command, env={**changes, "CHIT_PAGER": "cat"})) == (
            "\x1b[" in seen
        )


@pytest.mark.parametrize(
    ("changes", "flags", "colored"),
    [
        ({}, [], False),
        ({"CLICOLOR_FORCE": "1"}, [], True),
        ({"CLICOLOR_FORCE": "0"}, [], False),
        ({}, ["--color", "always"], True),
        ({"CLICOLOR_FORCE": "1"}, ["--color", "never"], False),
        ({}, ["-c", "color.ui=always"], False),
    ],
)
def test_color_in_a_pipe(
    changes: dict[str, str | None], flags: list[str], colored: bool, desk: Chit, ticket: str
) -> None:
    """No colour in a pipe, unless it is forced; never in what programs read."""
    assert (b"\x1b[" in shell(desk, " ".join(["chit show 1", *flags]), **changes).stdout) == colored
    for command in ("list", "list --json", "log", "show 1 --json"):
        assert b"\x1b[" not in shell(desk, " ".join(["chit", command, *flags]), **changes).stdout


def test_a_table_on_a_terminal(desk: Chit) -> None:
    """Columns are aligned by what a terminal shows, the title gives way; no line is wider than the screen."""
    desk(
        "new",
        "-m",
        "日本語のタイトルがとても長い場合にどうなるかを確認するためのチケット" * 3,
        "-p",
        "critical",
        "-a",
        "Jörg",
    )
    desk("new", "-m", "Cafe\u0301 und Tür " * 20, "-a", "x" * 200)
    desk("new", "-m", "👩‍👩‍👧 Familie")
    desk("new", "-m", "مرحبا")
    for columns in (200, 100, 60, 30):
        seen = on_terminal(desk, "list", "--color", "never", columns=columns)
        table = [line for line in seen.splitlines() if line]
        assert table[0].startswith("ID")
        assert table[0].endswith("TITLE")
        assert len(table) == 5
        start = table[0].index("TITLE")
        assert all(cells(line[:start]) <= start for line in table if line.isascii())
        assert max(map(cells, table)) <= columns
    assert "UPDATED" not in seen


def cells(text: str) -> int:
    """Columns that the text takes."""
    from unicodedata import category, east_asian_width

    return sum(
        0 if category(char) in ("Mn", "Me", "Cf") else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )


def test_a_list_is_never_cut_silently(desk: Chit) -> None:
    """More than fit into the limit: how many there are, and how to see them."""
    for number in range(4):
        desk("new", "-m", f"Ticket {number}", "-q")
    assert on_terminal(desk, "list", "--limit", "3").endswith("3 of 4: --limit 0 shows all\n")
    assert on_terminal(desk, "list", "nothing-like-this") == "nothing found\n"
    assert shell(desk, "chit list").stdout.count(b"\n") == 4


def test_the_pager(desk: Chit, tmp_path: Path) -> None:
    """What is longer than the screen goes through the pager: CHIT_PAGER, the setting, PAGER; `cat` or --no-pager is none."""
    for number in range(30):
        desk("new", "-m", f"Ticket {number}", "-q")
    mark = "sed s/^/~/"
    for env, flags, paged in (
        ({"PAGER": mark}, [], True),
        ({"PAGER": "cat", "CHIT_PAGER": mark}, [], True),
        ({"PAGER": "cat"}, ["-c", f"core.pager={mark}"], True),
        ({"PAGER": mark, "CHIT_PAGER": "cat"}, [], False),
        ({"PAGER": mark}, ["--no-pager"], False),
        ({"PAGER": "no-such-pager"}, [], False),
    ):
        seen = on_terminal(desk, "list", "--color", "never", *flags, env=env, lines=20)
        assert seen.startswith("~ID" if paged else "ID"), (env, flags, seen)
        assert "Ticket 0" in seen
    assert not on_terminal(desk, "list", "--limit", "5", env={"PAGER": mark}, lines=20).startswith("~")


def test_a_pager_that_is_left(long: Chit) -> None:
    """Leaving the pager early is no error."""
    assert "Ticket 19" in on_terminal(long, "show", "--query", "is:open", env={"PAGER": "head -n 3"}, lines=20)


def test_the_editor_on_a_terminal(desk: Chit, tmp_path: Path) -> None:
    """The editor has the terminal."""
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\nread answer\nsed -i "s/^title = \\"\\"/title = \\"$answer\\"/" "$1"\n')
    script.chmod(0o755)
    terminal = Terminal(desk.folder, ["new"], env={"EDITOR": str(script), "LC_ALL": "C.UTF-8"})
    terminal.type("Printer on fire\n")
    code, seen = terminal.end()
    assert code == 0, seen
    ident = re.search(r"^[k-z]{32}$", seen, re.MULTILINE)
    assert ident, seen
    assert desk("show", ident[0], "--json").json["title"] == "Printer on fire"


def test_serving_ends_orderly(desk: Chit) -> None:
    """`chit serve` says where it listens, as JSON if asked, and ends with 0 on Ctrl-C and on SIGTERM."""
    import json

    for sign in (signal.SIGINT, signal.SIGTERM):
        process: subprocess.Popen[Any] = subprocess.Popen(
            [*CHIT, "serve", "--port", "0", "--json"], cwd=desk.folder, env=environment(), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        found = json.loads(process.stdout.readline())
        assert found["schema"] == "chit.serving/1"
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", found["url"])
        process.send_signal(sign)
        _, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, err) == (0, b"")


def test_an_unexpected_error(desk: Chit, tmp_path: Path) -> None:
    """A bug of ours: one line, where the full report is, and exit code 1; --debug shows it at once. No text of the person is in it."""
    program = (
        "import sys, chit.commands.status as status\n"
        "def broken(*_): raise RuntimeError('boom')\n"
        "status.overview = broken\n"
        "from chit.main import main\n"
        "sys.argv = ['chit', *sys.argv[1:]]\n"
        "main()\n"
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, *arguments], cwd=desk.folder, capture_output=True, text=True, check=False,
            env=environment({"TMPDIR": str(tmp_path)}), timeout=PATIENCE,
        )  # fmt: skip

    ran = run("status")
    assert ran.returncode == 1
    found = re.fullmatch(
        r"error: unexpected RuntimeError: boom\n"
        r"hint: This is a bug in chit\. The full report is in (\S+); --debug shows it at once\.\n",
        ran.stderr,
    )
    assert found, ran.stderr
    assert "Traceback" in Path(found[1]).read_text()
    assert "Traceback" in run("status", "--debug").stderr


def test_a_terminal_that_goes_away(desk: Chit, ticket: str) -> None:
    """A terminal that is closed at a question ends the command with an error code of its own, and changes nothing."""
    for number in range(21):
        desk("new", "-m", f"Ticket {number}", "-q")
    terminal = Terminal(desk.folder, ["close", "--query", "is:open"])
    terminal.wait_for("Go on? [y/N]: ")
    assert terminal.hang_up() in (1, 130)
    assert desk("list", "--count").out == "22\n"
