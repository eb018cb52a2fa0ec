"""What a person waits for at their own store."""

from functools import partial
from pathlib import Path
from statistics import mean, median

from benchmark import measuring
from benchmark.bench import Bench
from benchmark.measuring import Probe, Seconds, interleaved
from benchmark.synthetic import RARE

PAGE = ("list", "--limit", "50")


def read(bench: Bench) -> None:
    """list, show, status against F1; and the largest store against the smallest."""
    probes: dict[str, Probe] = {}
    for count in bench.sizes:
        store = bench.tickets(count)
        probes[f"F1 {count}"] = bench.f1(count)
        probes[f"list {count}"] = bench.times(*PAGE, cwd=store)
        probes[f"show {count}"] = bench.times("show", str(count // 2), cwd=store)
        probes[f"status {count}"] = bench.times("status", cwd=store)
    medians = interleaved(probes, bench.rounds)
    for name in ("list", "show", "status"):
        for count in bench.sizes:
            bench.report.add(
                f"{name}, {count:,} tickets", medians[f"{name} {count}"], medians[f"F1 {count}"], "F1", 1.25
            )
        small, large = bench.sizes[0], bench.sizes[-1]
        bench.report.add(
            f"{name}, {large:,} against {small:,}",
            medians[f"{name} {large}"],
            medians[f"{name} {small}"],
            f"at {small:,}",
            1.1,
        )


def write(bench: Bench) -> None:
    """new, edit, comment against F1 and two durable commits."""
    probes: dict[str, Probe] = {"F3": bench.f3}
    for count in bench.sizes:
        store = bench.copy(bench.tickets(count))
        probes[f"F1 {count}"] = bench.f1(count)
        probes[f"new {count}"] = bench.times("new", "-m", "The printer on the second floor is on fire", cwd=store)
        probes[f"edit {count}"] = _edits(bench, store, count // 2)
        probes[f"comment {count}"] = bench.times(
            "comment", str(count // 2), "-m", "Switched it off and on again.", cwd=store
        )
    medians = interleaved(probes, bench.rounds)
    for name in ("new", "edit", "comment"):
        for count in bench.sizes:
            f1, f3 = medians[f"F1 {count}"], medians["F3"]
            floor = Seconds(1.25 * f1 + 2 * f3)
            floor.best = 1.25 * f1.best + 2 * f3.best
            bench.report.add(f"{name}, {count:,} tickets", medians[f"{name} {count}"], floor, "1.25 F1 + 2 F3", 1)


def _edits(bench: Bench, store: Path, number: int) -> Probe:
    """A different value each time, as the same one again would write nothing."""
    turns = iter(range(1_000_000))

    def probe() -> float:
        return bench.times("edit", str(number), "--title", f"Title number {next(turns)}", cwd=store)()

    return probe


def search(bench: Bench) -> None:
    """The first page of what contains a word, or two, in the largest store."""
    count = bench.sizes[-1]
    store = bench.tickets(count)
    queries = {
        "a rare word": ["--all", RARE],
        "a common word": ["--all", "printer"],
        "two common words": ["--all", "printer", "error"],
        "a common word, open ones": ["printer"],
    }
    probes = {name: bench.times(*PAGE, *words, cwd=store) for name, words in queries.items()}
    medians = interleaved({"F1": bench.f1(count), **probes}, bench.rounds)
    for name in queries:
        bench.report.add(f"{name}, {count:,} tickets", medians[name], medians["F1"], "F1", 1.4)


def tsv(bench: Bench) -> None:
    """All open tickets, in a pipe."""
    count = bench.sizes[-1]
    store = bench.tickets(count)
    columns = "id, num, priority, status, assignee, queue, updated, title"
    medians = interleaved(
        {
            "bare": bench.floor("tsv", store / ".chit" / "store.db", columns),
            "list": bench.times("list", "--limit", "0", cwd=store),
        },
        bench.rounds,
    )
    lines = bench.run("list", "--limit", "0", cwd=store).count("\n")
    bench.report.add(f"list of {lines:,} open tickets", medians["list"], medians["bare"], "bare program", 2)


def memory(bench: Bench) -> None:
    """The most that local commands had resident, in the largest store."""
    count = bench.sizes[-1]
    store = bench.copy(bench.tickets(count))
    floor = median(bench.peak(bench.f1_command(count)) for _ in range(3))
    for name, arguments in {
        "list": PAGE,
        "show": ("show", str(count // 2)),
        "status": ("status",),
        "new": ("new", "-m", "One more"),
        "comment": ("comment", "1", "-m", "Text"),
    }.items():
        peak = median(bench.peak([bench.chit, *arguments], cwd=store) for _ in range(3))
        bench.report.add(f"{name}, {count:,} tickets", peak, floor, "F1", 1.3, "B")


def disk(bench: Bench) -> None:
    """The store beside the same tickets as JSON Lines."""
    for count in bench.sizes:
        folder = bench.tickets(count)
        used = sum(file.stat().st_size for file in (folder / ".chit").rglob("*") if file.is_file())
        lines = (folder / "tickets.jsonl").stat().st_size
        bench.report.add(f"{count:,} tickets of {lines // count} bytes", used, lines, "as compact JSON", 2.5, "B")
        if count <= 10_000:
            shown = len(bench.run("list", "--all", "--limit", "0", "--jsonl", cwd=folder).encode())
            bench.report.add(f"{count:,} tickets", used, shown, "as chit list --jsonl", 2.5, "B")


def thousand(bench: Bench) -> None:
    """A thousand processes that write a ticket each into one store, beside one that writes into an empty store now and then."""
    count = 200 if bench.quick else 1_000
    store = bench.empty()
    singles: list[float] = []
    total = 0.0
    command = [bench.chit, "new", "-m", "The printer on the second floor is on fire"]
    run = partial(measuring.run, command, env=bench.env)
    run(cwd=bench.empty())
    for turn in range(count):
        total += run(cwd=store).seconds
        if turn % 10 == 0:
            singles.append(run(cwd=bench.empty()).seconds)
    bench.report.add(f"{count:,} times chit new", total, mean(singles), "once", count * 1.05)
