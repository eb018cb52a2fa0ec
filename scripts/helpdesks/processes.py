"""Servers as processes: starting each as the leader of a group of its own, knowing it again later, and ending that group and nothing else.

A process number alone says little, since numbers are used again. So a server writes down, before it becomes the server, its number, the
moment it began (as the kernel counts) and the boot of the machine; it is ours only while all three are true. Needs Linux's /proc.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
BOOT = PROC / "sys/kernel/random/boot_id"

# Written by the process itself and not by whoever starts it: there is no moment in which it runs and nobody knows of it.
_INTRODUCTION = (
    f'read -r stat </proc/$$/stat && read -r boot <{BOOT} && printf "%s\\n%s\\n" "$stat" "$boot" >"$0.new" '
    '&& mv "$0.new" "$0" && exec "$@"'
)


class Stat(NamedTuple):
    """What matters here of a line of /proc/PID/stat."""

    pid: int
    state: str
    group: int
    began: int


class Identity(NamedTuple):
    """Enough to know a process again."""

    pid: int
    began: int
    boot: str


def parse_stat(line: str) -> Stat | None:
    """The second field, the program's name in brackets, may hold anything, brackets and blanks too: count from its end."""
    head, bracket, tail = line.rpartition(")")
    fields = tail.split()
    number = head.partition(" ")[0]
    if not bracket or not number.isdecimal() or len(fields) < 20 or not fields[19].isdecimal():
        return None
    return Stat(int(number), fields[0], int(fields[2]), int(fields[19]))


def _look(pid: int) -> Stat | None:
    """The process as it is now; None if there is none, or only its remains that nobody has collected."""
    try:
        stat = parse_stat((PROC / str(pid) / "stat").read_text(errors="replace"))
    except OSError:
        return None
    return None if stat is None or stat.state in "ZX" else stat


def read_identity(file: Path) -> Identity | None:
    """Whom a server's file names; None if there is no file or no sense in it."""
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError:
        return None
    stat = parse_stat(lines[0]) if len(lines) == 2 else None
    return None if stat is None else Identity(stat.pid, stat.began, lines[1])


def is_running(identity: Identity) -> bool:
    """Whether that very process runs, not another that got its number."""
    stat = _look(identity.pid)
    return stat is not None and stat.began == identity.began and identity.boot == BOOT.read_text().strip()


def members(group: int) -> list[int]:
    """The living processes of a group."""
    found = []
    for folder in PROC.iterdir():
        stat = _look(int(folder.name)) if folder.name.isdecimal() else None
        if stat is not None and stat.group == group:
            found.append(stat.pid)
    return found


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return Path(os.readlink(PROC / str(pid) / "cwd")) == folder
    except OSError:
        return False


def ours(file: Path, folder: Path) -> list[int]:
    """The processes of the server that introduced itself in `file` and works in `folder`: itself and those of its group.

    Where the leader is gone and workers are left, these count only if they work in the folder, and nobody else has the leader's number.
    """
    identity = read_identity(file)
    if identity is None or identity.boot != BOOT.read_text().strip():
        return []
    if is_running(identity):
        return members(identity.pid)
    if _look(identity.pid) is not None:
        return []
    left = members(identity.pid)
    return left if all(_works_in(pid, folder) for pid in left) else []


def start(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path, log: Path, file: Path
) -> "subprocess.Popen[bytes]":
    """A server in the background, with nothing of this terminal; what it prints goes to the end of `log`."""
    file.unlink(missing_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            ["/bin/sh", "-c", _INTRODUCTION, str(file), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )


def _signal(file: Path, folder: Path, number: signal.Signals) -> None:
    identity = read_identity(file)
    if identity is not None and ours(file, folder):
        try:
            os.killpg(identity.pid, number)
        except ProcessLookupError:
            pass  # it ended by itself in between
        except PermissionError:
            pass  # another person's; waiting for its end will tell


def stop(file: Path, folder: Path, patience: float = 15.0) -> bool:
    """Ends the server: politely, then not. True if something of it ran. Whatever is not ours is left alone and forgotten."""
    ran = bool(ours(file, folder))
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not ours(file, folder):
            break
        _signal(file, folder, number)
        deadline = time.monotonic() + patience
        while ours(file, folder) and time.monotonic() < deadline:
            time.sleep(0.05)
    if ours(file, folder):
        raise TimeoutError(f"processes {ours(file, folder)} do not end")
    file.unlink(missing_ok=True)
    return ran
