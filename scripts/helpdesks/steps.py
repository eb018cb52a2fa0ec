"""Running the programs that install and seed: no questions, bounded, and with what they said at hand when they fail."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from helpdesks.errors import Failed

ZONE = "Pacific/Auckland"
"""Far from UTC and on the other side of midnight: what mistakes local time for UTC shows at once."""

FIRST, LAST = 6, 14
"""How many lines of what a program said are shown: some say what is wrong at once, some in the end."""


def surroundings(**more: str) -> dict[str, str]:
    """The environment of servers and of what seeds them: nobody's settings, Debian's programs, and a time zone of its own."""
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TZ": ZONE, **more}


def shortened(text: str) -> str:
    """The beginning and the end of what a program said, set off."""
    lines = text.splitlines()
    if len(lines) > FIRST + LAST:
        lines[FIRST:-LAST] = ["…"]
    return "\n".join(f"  | {line}" for line in lines)


def run(
    what: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    lock: int | None,
    seconds: float = 300.0,
) -> None:
    """Runs it to its end. It inherits the lock: if we are killed, the next run waits until this step has ended too."""
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
            timeout=seconds,
            pass_fds=() if lock is None else (lock,),
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{what} did not end within {seconds:.0f} s") from error
    except OSError as error:
        raise Failed(f"{what} could not be run: {error}") from error
    if done.returncode:
        said = shortened(done.stdout.decode(errors="replace"))
        raise Failed(f"{what} failed (exit {done.returncode})\n{said}")


def inherited() -> dict[str, str]:
    """This process's environment without what would lead another Python astray: for pip, which may need a proxy or certificates."""
    return {
        name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    }
