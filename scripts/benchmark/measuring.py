"""Running processes in turn and timing them. Knows nothing of what they do.

Everything that is compared is measured interleaved: one run of each, then the next round, in alternating order, so that whatever else
the machine does meets all of them. The figure is the median.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypedDict, Unpack


class Failed(Exception):
    """A measured process did not do what it should have."""


class Run(NamedTuple):
    """One process: seconds of wall clock, and what it wrote to standard output."""

    seconds: float
    output: str


class How(TypedDict, total=False):
    """What `run` takes besides the command."""

    env: Mapping[str, str] | None
    cwd: Path | None
    codes: Sequence[int]


def run(
    argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None, codes: Sequence[int] = (0,)
) -> Run:
    """Runs one process to its end; its standard output goes to a file, as a pipe would have to be read meanwhile."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, out.fileno(), 1),
            (os.POSIX_SPAWN_DUP2, err.fileno(), 2),
        ]
        before = Path.cwd()
        if cwd:
            os.chdir(cwd)
        try:
            start = time.perf_counter()
            pid = os.posix_spawn(argv[0], list(argv), dict(env or os.environ), file_actions=actions)
            _, status = os.waitpid(pid, 0)
            seconds = time.perf_counter() - start
        finally:
            os.chdir(before)
        code = os.waitstatus_to_exitcode(status)
        out.seek(0)
        output = out.read().decode(errors="replace")
        if code not in codes:
            err.seek(0)
            text = err.read().decode(errors="replace").strip()
            raise Failed(f"{' '.join(argv)}\nended with {code}: {text or output.strip()}")
        return Run(seconds, output)


Probe = Callable[[], float]
"""Does one thing once and says how many seconds it took."""


def process(argv: Sequence[str], **how: Unpack[How]) -> Probe:
    """A probe that times a whole process."""
    return lambda: run(argv, **how).seconds


def reported(argv: Sequence[str], **how: Unpack[How]) -> Probe:
    """A probe for a process that measures itself and prints seconds on its last line."""
    return lambda: float(run(argv, **how).output.split()[-1])


class Seconds(float):
    """A median, and the best of the same runs: far apart, they tell of a machine that was busy with something else."""

    best: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Seconds":
        """Of one probe's runs."""
        made = cls(median(values))
        made.best = min(values)
        return made


def interleaved(probes: Mapping[str, Probe], rounds: int) -> dict[str, Seconds]:
    """Medians of the probes, run in turn. A first round warms caches and does not count where there is more than one."""
    times: dict[str, list[float]] = {name: [] for name in probes}
    order = list(probes)
    for turn in range(rounds + (rounds > 1)):
        for name in order if turn % 2 else reversed(order):
            seconds = probes[name]()
            if turn or rounds == 1:
                times[name].append(seconds)
    return {name: Seconds.of(values) for name, values in times.items()}


_LAUNCHER = """
import os, sys
sink = os.open(os.devnull, os.O_RDWR)
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, sink, 1)])
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


def peak_memory(argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> int:
    """The most memory that a process had resident, in bytes.

    A process inherits the peak of the one that started it, so a bare interpreter, smaller than anything measured, does.
    """
    answer = run([sys.executable, "-I", "-S", "-c", _LAUNCHER, *argv], env=env, cwd=cwd).output.split()
    if answer[0] != "0":
        raise Failed(f"{' '.join(argv)}\nended with {answer[0]}")
    return int(answer[1]) * 1024


def peak_memory_of(pid: int) -> int:
    """The same of a process that is still running."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise Failed(f"no process {pid}")
