"""Real helpdesks on loopback: the first pull, a pull of nothing, pushes, and local commands in a store that came from one.

What is measured against is what the interface of each needs at least: `floors/desk.py` makes those requests by hand and counts them. What
counts as a check, and why the fewest are that many, is in docs/benchmarks.md.
"""

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmark import measuring, stocked
from benchmark.bench import Bench, Server
from benchmark.measuring import Failed, Probe, Run, interleaved
from benchmark.stocked import Desk

BLOCK = 2_000
"""Tickets that the floor asks django-helpdesk for at once."""

ONCE = 10
"""What a process may ask besides, however much it sends: who and what is there, and what was written read back in blocks."""

READS = ("GET ", "OPTIONS ", "POST /REST/2.0/tickets", "POST /REST/2.0/transactions", "POST /REST/2.0/attachments",
         "POST /REST/2.0/users", "POST /helpdesk/rest/jwt/issue")  # fmt: skip
"""How requests begin that change nothing."""

NEEDED = {("roundup", "comments"): 2, ("roundup", "new tickets"): 2}
"""Calls that a change takes where it takes more than one: Roundup's messages are made by one call and put to their ticket by another."""

SECONDS = 3.0
"""How long to wait until what was written is older than a clock of whole seconds can be wrong."""

SLOW = ("redmine",)
"""Where reading everything takes a request a ticket, so that once must do."""


def helpdesk(bench: Bench) -> None:
    """Each of the four, one after the other, for they share the machine with what is measured."""
    count = 100 if bench.quick else 1_000
    failed: list[str] = []
    for kind in stocked.KINDS:
        try:
            with stocked.running(bench.work / f"helpdesks-{count}", kind, count) as desk:
                _Measuring(bench, desk, count).run()
        except Failed as error:
            failed.append(f"{kind}: {error}")
    if failed:
        raise Failed("\n".join(failed))


class _Measuring:
    """One helpdesk, and a store that is cloned from it."""

    def __init__(self, bench: Bench, desk: Desk, count: int) -> None:
        self.bench = bench
        self.desk = desk
        self.count = count
        self.server = Server(desk.url, 0, {**bench.env, "CHIT_TOKEN": desk.secret})
        self.store = bench.fresh("desk")

    def run(self) -> None:
        """All lines of this helpdesk."""
        self._first_pull()
        self._nothing()
        self._pushes()
        self._local()

    def _add(self, what: str, figure: float, floor: float, name: str, target: float | None, unit: str = "") -> None:
        self.bench.report.add(f"{self.desk.kind}: {what}", figure, floor, name, target, unit)

    def _requests(self, *arguments: str, cwd: Path | None = None) -> list[str]:
        """What chit asks of the helpdesk in a command."""
        found = self.bench.fresh("requests")
        env = {**self.server.env, "PYTHONPATH": str(Path(__file__).parents[2])}
        measuring.run([self.bench.python, "-m", "benchmark.counted", str(found), *arguments], env=env, cwd=cwd)
        return found.read_text().splitlines()

    def _first_pull(self) -> None:
        desk, bench = self.desk, self.bench
        hand = bench.floor_command("desk", desk.kind, desk.url, desk.secret, str(BLOCK))

        def by_hand() -> Run:
            return measuring.run(hand, env=bench.env)

        told, read = map(int, by_hand().output.split())
        asking = len(self._requests("remote", "add", "desk", desk.remote, cwd=bench.empty()))
        asked = len(self._requests("clone", desk.remote, str(self.store)))
        size = f"{self.count:,} tickets"
        self._add(f"first pull, {size}", asked - asking, read, "fewest", 1.2, "requests")
        self._add("the same with what it is", asked, told + read, "fewest", 1.2, "requests")
        probes: dict[str, Probe] = {"clone": self._clone, "hand": lambda: by_hand().seconds}
        rounds = 1 if desk.kind in SLOW else bench.long_rounds
        medians = interleaved(probes, rounds)
        bench.report.add(f"{desk.kind}: clone, {size}", medians["clone"], medians["hand"], "by hand", 1.3)

    def _clone(self) -> float:
        target = self.bench.fresh("clone")
        seconds = self.bench.times("clone", self.desk.remote, str(target), server=self.server)()
        shutil.rmtree(target)
        return seconds

    def _nothing(self) -> None:
        self._requests("pull", cwd=self.store)
        self._add("pull of nothing", len(self._requests("pull", cwd=self.store)), 2, "most", 1, "requests")

    def _pushes(self) -> None:
        n = self.count // 20
        self._push("comments", n, self._comment(range(1, n + 1)))
        self._push("edits", n, lambda: self._chit("edit", *_numbers(n + 1, n), "--title", "Another", "--yes"))
        self._push("new tickets", 2 * n // 5, self._new(2 * n // 5))
        time.sleep(SECONDS)
        self._requests("pull", cwd=self.store)
        self._add("pull after pushing", len(self._requests("pull", cwd=self.store)), 2, "most", 1, "requests")

    def _chit(self, *arguments: str) -> None:
        self.bench.run(*arguments, cwd=self.store, server=self.server)

    def _comment(self, numbers: Sequence[int]) -> Callable[[], None]:
        def write() -> None:
            for number in numbers:
                self._chit("comment", str(number), "-m", f"Comment on {number}: switched it off and on again.")

        return write

    def _new(self, count: int) -> Callable[[], None]:
        queue = ("--queue", "Support") if self.desk.kind != "roundup" else ()

        def write() -> None:
            for number in range(count):
                self._chit("new", "-m", f"New printer {number}\n\nIt is on fire, too.", *queue)

        return write

    def _push(self, what: str, count: int, write: Callable[[], None]) -> None:
        write()
        asked = self._requests("push", cwd=self.store)
        calls = sum(not line.startswith(READS) for line in asked)
        least = count * NEEDED.get((self.desk.kind, what), 1)
        self._add(f"push of {count} {what}: calls", calls, least, "needed", 1)
        allowed = least + count + ONCE
        self._add(f"push of {count} {what}: requests", len(asked), allowed, f"needed, checks, {ONCE}", 1)

    def _local(self) -> None:
        bench = self.bench
        commands = {"list": ("list", "--limit", "50"), "show": ("show", str(self.count // 2)), "status": ("status",)}
        probes = {name: bench.times(*command, cwd=self.store) for name, command in commands.items()}
        medians = interleaved({"F1": bench.f1(bench.sizes[0]), **probes}, bench.rounds)
        for name in commands:
            bench.report.add(f"{self.desk.kind}: {name}", medians[name], medians["F1"], "F1", 1.25)


def _numbers(first: int, count: int) -> list[str]:
    return [str(number) for number in range(first, first + count)]
