"""The lines of the report: a figure, its floor, their ratio, the target, and whether it is met. Prints them as they come."""

import json
import sys
from pathlib import Path
from typing import NamedTuple

from benchmark.measuring import Seconds


class Line(NamedTuple):
    """One figure. target: the greatest ratio to the floor that is good enough; None for a figure that is there to compare with.

    best: the ratio of the best runs of both, where there were several.
    """

    name: str
    figure: float
    floor: float
    floor_name: str
    target: float | None
    unit: str
    best: float | None

    @property
    def ratio(self) -> float:
        return self.figure / self.floor if self.floor else float("inf")

    @property
    def met(self) -> bool | None:
        return None if self.target is None else self.ratio <= self.target


def quantity(value: float, unit: str) -> str:
    """A number in a unit that a person can compare."""
    if unit == "s":
        return (
            f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms" if value >= 0.001 else f"{value * 1e6:.0f} µs"
        )
    if unit == "B":
        return f"{value / 1e6:.1f} MB"
    return f"{value:g} {unit}".rstrip()


class Report:
    """Collects the lines and prints each at once, for a run is long."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def heading(self, text: str) -> None:
        """Starts a subject."""
        print(f"\n{text}\n{'figure':>54} {'floor':>30} {'ratio':>9} {'best':>7} {'target':>7}", flush=True)

    def add(
        self, name: str, figure: float, floor: float, floor_name: str, target: float | None = None, unit: str = "s"
    ) -> None:
        """One line."""
        best = figure.best / floor.best if isinstance(figure, Seconds) and isinstance(floor, Seconds) else None
        line = Line(name, figure, floor, floor_name, target, unit, best)
        self.lines.append(line)
        beside = f"{quantity(floor, unit)} {floor_name}"
        wanted = "" if target is None else f"{target:g}"
        at_best = "" if best is None else f"{best:.3f}"
        verdict = {True: "met", False: "NOT MET", None: ""}[line.met]
        print(
            f"  {name:40} {quantity(figure, unit):>11} {beside:>30} {line.ratio:>9.3f} {at_best:>7} {wanted:>7}  {verdict}".rstrip(),
            flush=True,
        )

    def note(self, text: str) -> None:
        """A sentence between the lines."""
        print(f"    {text}", flush=True)

    def save(self, path: Path) -> None:
        """All lines as JSON."""
        records = [{**line._asdict(), "ratio": line.ratio, "met": line.met} for line in self.lines]
        path.write_text(json.dumps({"python": sys.version.split()[0], "lines": records}, indent=1) + "\n")

    @property
    def missed(self) -> list[Line]:
        return [line for line in self.lines if line.met is False]
