"""What a process costs before it does anything."""

from benchmark.bench import Bench
from benchmark.measuring import interleaved, process


def floors(bench: Bench) -> None:
    """The floors themselves, beside the start of Python: what keeps F1 from being lower."""
    smallest = bench.sizes[0]
    parts = {
        "import click": bench.floor("click_only"),
        "import sqlite3": process([bench.python, "-c", "import sqlite3"], env=bench.env),
        "import click, sqlite3": process([bench.python, "-c", "import click, sqlite3"], env=bench.env),
        "F1 with one command": bench.floor("f1", "1", "2", bench.tickets(smallest) / "comparable.db"),
        **{f"F1 ({count:,} tickets)": bench.f1(count) for count in bench.sizes},
        "import click, sqlite3, httpx": process([bench.python, "-c", "import click, sqlite3, httpx"], env=bench.env),
    }
    medians = interleaved({"P": bench.floor("p"), "F3": bench.f3, **parts}, bench.rounds)
    for name in (*parts, "F3"):
        bench.report.add(name, medians[name], medians["P"], "P")


def start(bench: Bench) -> None:
    """The version, and completing the name of a command, as the shell's script asks for it."""
    env = {**bench.env, "_CHIT_COMPLETE": "bash_complete", "COMP_WORDS": "chit st", "COMP_CWORD": "1"}
    medians = interleaved(
        {
            "click": bench.floor("click_only"),
            "version": bench.times("--version"),
            "completion": process([bench.chit], env=env),
            "help": bench.times("--help"),
        },
        bench.rounds,
    )
    bench.report.add("chit --version", medians["version"], medians["click"], "import click", 1.1)
    bench.report.add("completion of `chit st`", medians["completion"], medians["click"], "import click", 1.1)
    bench.report.add("chit --help", medians["help"], medians["click"], "import click")
