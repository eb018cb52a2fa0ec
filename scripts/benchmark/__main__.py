"""Runs the benchmark: picks the subjects, prints the report. `scripts/bench --help` says what can be asked for."""

import argparse
import fnmatch
import platform
import sqlite3
import sys
from importlib import import_module
from pathlib import Path

from benchmark.bench import Bench
from benchmark.environment import ROOT
from benchmark.lines import SUBJECTS
from benchmark.measuring import Failed
from benchmark.report import Report


def main() -> int:
    """0 if all that was measured meets its target, 1 if not, 2 if something could not be measured."""
    listed = "\n".join(f"  {name:10} {subject.help}" for name, subject in SUBJECTS.items())
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measures chit beside the least that small programs need for the same. See docs/benchmarks.md.",
        epilog=f"subjects:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", metavar="PATTERN", action="append", help="these subjects only (may be given again; * and ? work)"
    )
    parser.add_argument("--quick", action="store_true", help="small stores and few rounds: a look, not a measurement")
    parser.add_argument("--peers", action="store_true", help="also fossil and Taskwarrior, where they are installed")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures to FILE too")
    parser.add_argument(
        "--work", metavar="DIR", type=Path, default=ROOT / ".bench", help="where to keep stores from run to run"
    )
    parser.add_argument("--rounds", metavar="N", type=int, help="how often to measure short things")
    arguments = parser.parse_args()

    patterns = arguments.only or ["*"]
    chosen = [name for name in SUBJECTS if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]
    if not chosen:
        parser.error(f"no subject is called {' or '.join(patterns)}")
    if "peers" in chosen and not arguments.peers and not arguments.only:
        chosen.remove("peers")

    report = Report()
    bench = Bench(arguments.work.resolve(), report, quick=arguments.quick, peers=arguments.peers)
    if arguments.rounds:
        bench.rounds = arguments.rounds
    print(
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.platform()}; medians of {bench.rounds}"
    )
    failed: list[str] = []
    try:
        for name in chosen:
            module, _, function = SUBJECTS[name].target.partition(":")
            report.heading(f"{name}: {SUBJECTS[name].help}")
            try:
                getattr(import_module(f"benchmark.lines.{module}"), function)(bench)
            except Failed as error:
                failed.append(name)
                print(f"  could not be measured: {error}", flush=True)
    finally:
        bench.close()
        if arguments.json:
            report.save(arguments.json)
    missed = report.missed
    held = [line for line in report.lines if line.target is not None]
    print(f"\n{len(held) - len(missed)} of {len(held)} targets met")
    for line in missed:
        print(f"  not met: {line.name} ({line.ratio:.2f}, target {line.target:g})")
    for name in failed:
        print(f"  not measured: {name}")
    return 2 if failed else 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
