"""What outsourcing costs: the board, writing where there are partners, and a partner's pull from a store that has many."""

import json
import sqlite3
import time
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from benchmark.bench import Bench, Server
from benchmark.measuring import Failed, Probe, Seconds, interleaved, process
from benchmark.outsourced import MANY, OWN, name

TEN = 10


def _numbers(store: Path, partner: str, count: int) -> list[str]:
    """Tickets on which a partner works."""
    with closing(sqlite3.connect(store / ".chit" / "store.db")) as db:
        rows = db.execute(
            "SELECT num FROM handoffs WHERE partner = ? AND status = 'in-progress' ORDER BY num LIMIT ?",
            (partner, count),
        ).fetchall()
    return [str(number) for (number,) in rows]


def _untouched(store: Path) -> str:
    """A ticket in the middle that is with nobody."""
    with closing(sqlite3.connect(store / ".chit" / "store.db")) as db:
        rows = db.execute(
            "SELECT num FROM tickets WHERE state = 0 AND num > (SELECT max(num) / 2 FROM tickets)"
            " AND num NOT IN (SELECT num FROM handoffs) ORDER BY num LIMIT 1"
        ).fetchall()
    return str(rows[0][0])


def _f1(bench: Bench, store: Path) -> Probe:
    return process(bench.floor_command("f1", *bench.declared, store / "comparable.db"), env=bench.env)


def _turns(bench: Bench, store: Path, *before: str) -> Probe:
    """A command with another text each time, as the same one again would write nothing."""
    turns = iter(range(1_000_000))
    return lambda: bench.times(*before, f"Text number {next(turns)}", cwd=store)()


BARE_BOARD = (
    "h.role, h.partner, t.id, h.status, h.since, h.complete_by, h.authorized, h.used, h.questions, h.held, h.pending, t.title",
    "FROM handoffs h JOIN tickets t ON t.num = h.num WHERE h.current = 1 ORDER BY h.role, h.status, h.since",
)
"""What a bare program prints of the same, sorted as nearly as one statement does it."""


def board(bench: Bench) -> None:
    """The board and queries for what is outsourced, against F1; the whole board in a pipe beside a bare program, too."""
    count = bench.sizes[-1]
    store = bench.made("outsourced", count)
    one = name(0)
    commands = {
        "board --limit 50": ("board", "--limit", "50"),
        f"board --partner {one}": ("board", "--partner", one),
        "list is:outsourced, 50": ("list", "--limit", "50", "is:outsourced"),
        f"list partner:{one}, 50": ("list", "--limit", "50", f"partner:{one}"),
        "status": ("status",),
        "board": ("board",),
        "board --json": ("board", "--json"),
    }
    targets = dict.fromkeys(commands, 1.5) | {"status": 1.25}
    del targets["board --json"]
    lines = {what: bench.run(*command, cwd=store).count("\n") for what, command in commands.items()}
    probes = {what: bench.times(*command, cwd=store) for what, command in commands.items()}
    bare = bench.floor("tsv", store / ".chit" / "store.db", *BARE_BOARD)
    medians = interleaved({"F1": _f1(bench, store), "bare": bare, **probes}, bench.rounds)
    bench.report.note(f"{lines['board']:,} handoffs on the board, among {count:,} tickets")
    for what in commands:
        named = f"{what}: {lines[what]:,} lines" if lines[what] > 1 else what
        bench.report.add(named, medians[what], medians["F1"], "F1", targets.get(what))
    bench.report.add(f"board: {lines['board']:,} lines", medians["board"], medians["bare"], "bare program")


def write(bench: Bench) -> None:
    """edit and comment where there are partners, on a ticket that is with nobody and on one that is with a partner."""
    count = bench.sizes[-1]
    made = bench.made("outsourced", count)
    store = bench.copy(made)
    (theirs,) = _numbers(made, name(1), 1)
    numbers = {"with nobody": (_untouched(made), 1.0), "with a partner": (theirs, 1.5)}
    probes: dict[str, Probe] = {"F1": _f1(bench, made), "F3": bench.f3}
    for where, (number, _) in numbers.items():
        probes[f"edit, {where}"] = _turns(bench, store, "edit", number, "--title")
        probes[f"comment, {where}"] = _turns(bench, store, "comment", number, "-m")
    medians = interleaved(probes, bench.rounds)
    floor = Seconds(1.25 * medians["F1"] + 2 * medians["F3"])
    floor.best = 1.25 * medians["F1"].best + 2 * medians["F3"].best
    for where, (_, target) in numbers.items():
        for what in ("edit", "comment"):
            bench.report.add(f"{what}, {where}", medians[f"{what}, {where}"], floor, "1.25 F1 + 2 F3", target)


def pull(bench: Bench) -> None:
    """A partner's pull from a lead's store with many partners, against the same from one that holds nothing else but its handoffs."""
    count = 100_000 if bench.quick else 1_000_000
    probes: dict[str, Probe] = {}
    with ExitStack() as stack:
        for kind in ("lead", "alone"):
            lead = bench.copy(bench.made(kind, count))
            server = stack.enter_context(bench.serving(lead))
            partner = _joined(bench, lead, server)
            ten = _TenMore(bench, lead, partner)
            answers = _Answers(bench, lead, server)
            probes |= {
                f"pull of nothing, {kind}": bench.times("pull", cwd=partner),
                f"pull of 10 changes, {kind}": ten.pull,
                f"answer of nothing, {kind}": answers.nothing,
                f"answer of 10 changes, {kind}": answers.ten,
            }
        medians = interleaved(probes, bench.rounds)
    bench.report.note(
        f"from a store with {count:,} changes and {MANY} partners, and from one with nothing but the partner's handoffs"
    )
    for what in ("pull of nothing", "pull of 10 changes", "answer of nothing", "answer of 10 changes"):
        bench.report.add(f"a partner's {what}", medians[f"{what}, lead"], medians[f"{what}, alone"], "alone", 2)


def _joined(bench: Bench, lead: Path, server: Server) -> Path:
    """A store of the first partner's, which has joined anew and pulled everything that there is for it."""
    bench.run("partner", "end", name(0), cwd=lead)
    invitation = bench.run("partner", "invite", name(0), "--as", OWN, "--url", server.url, cwd=lead).split()[-1]
    partner = bench.empty()
    bench.run("partner", "join", invitation, cwd=partner)
    bench.run("pull", cwd=partner)
    return partner


class _TenMore:
    """Ten changes for the partner, each time it is asked."""

    def __init__(self, bench: Bench, lead: Path, partner: Path) -> None:
        self._bench = bench
        self._lead = lead
        self._partner = partner
        self._numbers = _numbers(lead, name(0), TEN)
        self._turn = 0
        self.make()
        taken = json.loads(bench.run("pull", "--json", cwd=partner))["taken"]
        if taken != TEN:
            raise Failed(f"the partner took {taken} changes, not {TEN}")

    def make(self) -> None:
        """Lets the lead change ten tickets that the partner works on."""
        self._turn += 1
        self._bench.run("edit", *self._numbers, "--title", f"Title number {self._turn}", cwd=self._lead)

    def pull(self) -> float:
        """Times the pull of ten changes more."""
        self.make()
        return self._bench.times("pull", cwd=self._partner)()


class _Answers:
    """What the lead's server does of such a pull: its answers alone, as the start of a process would hide them."""

    TIMES = 5

    def __init__(self, bench: Bench, lead: Path, server: Server) -> None:
        self._lead = lead
        self._server = server
        self._token = bench.library("outsourced", server.url, name(0)).split()[-1]

    def nothing(self) -> float:
        """Times the answer that there is nothing new."""
        return self._answer(0)

    def ten(self) -> float:
        """Times the answer with ten changes."""
        return self._answer(TEN)

    def _last(self) -> int:
        with closing(sqlite3.connect(self._lead / ".chit" / "store.db")) as db:
            return int(
                db.execute(
                    "SELECT max(place) FROM outbound WHERE partner = (SELECT id FROM partners WHERE name = ?)",
                    (name(0),),
                ).fetchone()[0]
            )

    def _answer(self, changes: int) -> float:
        address = urlsplit(self._server.url)
        after = self._last() - changes
        times = []
        for _ in range(self.TIMES):
            with closing(HTTPConnection(address.hostname or "", address.port, timeout=30)) as connection:
                start = time.perf_counter()
                connection.request("GET", f"/v1/log?after={after}", headers={"Authorization": f"Bearer {self._token}"})
                response = connection.getresponse()
                lines = response.read().count(b"\n")  # with one before the changes, and one after
                times.append(time.perf_counter() - start)
            if response.status != 200 or lines != changes + 2:
                raise Failed(f"the lead's server answered {response.status} with {lines} lines")
        return median(times)
