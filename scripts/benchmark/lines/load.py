"""Large amounts: an event log imported and cloned, ten thousand tickets beside git, pulls of little, a million changes in flat memory."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmark import measuring, synthetic
from benchmark.bench import Bench, Server
from benchmark.measuring import Failed, Probe, interleaved

INCIDENTS, EVENTS = 25_000, 142_000
MAP = "servicenow-incidents"


def _clone(bench: Bench, server: Server) -> Probe:
    """Times a clone into a folder that does not exist yet."""

    def probe() -> float:
        target = bench.fresh("clone")
        seconds = bench.times("clone", server.url, str(target), server=server)()
        shutil.rmtree(target)
        return seconds

    return probe


def load(bench: Bench) -> None:
    """Import of a synthetic event log of the full one's size, once more with nothing new, and a clone; against bare inserts."""
    incidents, events = (2_500, 14_200) if bench.quick else (INCIDENTS, EVENTS)
    log = bench.work / f"events-{events}.csv"
    if not log.exists():
        synthetic.write_events(log, incidents, events)
    arguments = ("import", str(log), "--map", MAP)
    store = bench.empty()
    bench.run(*arguments, cwd=store)

    def import_fresh() -> float:
        target = bench.empty()
        seconds = bench.times(*arguments, cwd=target)()
        shutil.rmtree(target)
        return seconds

    probes = {"import": import_fresh, "F2": bench.f2(store), "again": bench.times(*arguments, cwd=store)}
    medians = interleaved(probes, bench.long_rounds)
    bench.report.add(f"import of {events:,} events", medians["import"], medians["F2"], "F2", 4)
    bench.report.add("import again, nothing new", medians["again"], medians["import"], "the first", 0.5)

    clone = bench.fresh("clone")
    with bench.serving(store) as server:
        bench.run("clone", server.url, str(clone), server=server)
        probes = {"clone": _clone(bench, server), "F2": bench.f2(clone)}
        medians = interleaved(probes, bench.long_rounds)
    bench.report.add(f"clone of {events:,} events", medians["clone"], medians["F2"], "F2", 4)


def git(bench: Bench) -> None:
    """A clone over HTTP on loopback beside `git clone --bare` of the same tickets, a file each, through git's own transport."""
    store = bench.copy(bench.tickets(10_000))
    lines = (bench.tickets(10_000) / "tickets.jsonl").read_bytes().splitlines(keepends=True)
    repositories = {"one commit a ticket": len(lines), "one commit": 1}
    probes: dict[str, Probe] = {}
    for name, commits in repositories.items():
        probes[name] = _git_clone(bench, _repository(bench, lines, commits))
    with bench.serving(store) as server:
        probes["chit"] = _clone(bench, server)
        medians = interleaved(probes, 3 if bench.quick else 7)
    for name in repositories:
        bench.report.add("clone of 10,000 tickets", medians["chit"], medians[name], f"git, {name}", 0.6)


def _repository(bench: Bench, lines: list[bytes], commits: int) -> Path:
    """A bare, packed repository with a file for each line, in that many commits."""
    target = bench.fresh("git")
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", target], check=True, env=bench.env)
    subprocess.run(
        ["git", "fast-import", "--quiet"],
        cwd=target,
        input=b"".join(_fast_import(lines, commits)),
        check=True,
        env=bench.env,
    )
    subprocess.run(["git", "repack", "-adq"], cwd=target, check=True, env=bench.env)
    return target


def _fast_import(lines: list[bytes], commits: int) -> Iterator[bytes]:
    each = len(lines) // commits
    for number in range(commits):
        yield b"commit refs/heads/main\ncommitter Agent <agent@example.com> %d +0000\ndata 6\nticket\n" % (
            synthetic.START + number
        )
        for place, line in enumerate(lines[number * each : (number + 1) * each], number * each):
            yield b"M 100644 inline %02x/%06d.json\ndata %d\n%b\n" % (place % 256, place, len(line), line)


def _git_clone(bench: Bench, repository: Path) -> Probe:
    program = shutil.which("git")
    if program is None:
        raise Failed("git is not installed")

    def probe() -> float:
        target = bench.fresh("cloned")
        command = [program, "clone", "--quiet", "--bare", f"file://{repository}", str(target)]
        seconds = measuring.run(command, env=bench.env).seconds
        shutil.rmtree(target)
        return seconds

    return probe


def pull(bench: Bench) -> None:
    """A pull that finds nothing, and one that finds ten changes, at every size."""
    probes: dict[str, Probe] = {}
    with ExitStack() as stack:
        for count in bench.sizes:
            upstream = bench.copy(bench.tickets(count))
            server = stack.enter_context(bench.serving(upstream))
            clone = bench.fresh("clone")
            bench.run("clone", server.url, str(clone), server=server)
            probes[f"F4 {count}"] = bench.floor("f4", server.url + "v1/unknown")
            probes[f"nothing {count}"] = bench.times("pull", cwd=clone, server=server)
            probes[f"ten {count}"] = _pull_of_ten(bench, server, upstream, clone, count)
        medians = interleaved(probes, bench.rounds)
    for count in bench.sizes:
        floor = medians[f"F4 {count}"]
        bench.report.add(f"pull of nothing, {count:,} tickets", medians[f"nothing {count}"], floor, "F4", 1.15)
        bench.report.add(f"pull of 10 changes, {count:,} tickets", medians[f"ten {count}"], floor, "F4", 1.3)
    small, large = bench.sizes[0], bench.sizes[-1]
    for name in ("nothing", "ten"):
        bench.report.add(
            f"pull of {name}, {large:,} against {small:,}",
            medians[f"{name} {large}"],
            medians[f"{name} {small}"],
            f"at {small:,}",
            1.1,
        )


def _pull_of_ten(bench: Bench, server: Server, upstream: Path, clone: Path, count: int) -> Probe:
    numbers = [str(1 + place * (count // 10)) for place in range(10)]
    turns = iter(range(1_000_000))

    def probe() -> float:
        bench.run("edit", *numbers, "--title", f"Title number {next(turns)}", cwd=upstream)
        return bench.times("pull", cwd=clone, server=server)()

    return probe


def million(bench: Bench) -> None:
    """The most memory of both sides while a million changes are cloned. The floor is the limit itself."""
    count = 100_000 if bench.quick else 1_000_000
    limit = 150e6
    store = bench.fresh("served")
    store.mkdir()
    shutil.copytree(bench.made("changes", count) / ".chit", store / ".chit")
    target = bench.fresh("clone")
    with bench.serving(store) as server:
        client = bench.peak([bench.chit, "clone", server.url, str(target)], server=server)
        served = measuring.peak_memory_of(server.pid)
    bench.report.add(f"clone of {count:,} changes: client", client, limit, "limit", 1, "B")
    bench.report.add(f"clone of {count:,} changes: server", served, limit, "limit", 1, "B")
    shutil.rmtree(target)
    shutil.rmtree(store)
