"""The reading half of an import: rows into histories. Knows no store, so that it can work in a process of its own (`apart`)."""

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import NamedTuple

from chit_sync.transfer.histories import History, author, of_events, of_ticket
from chit_sync.transfer.items import Tie, links
from chit_sync.transfer.mapping import Map
from chit_sync.transfer.report import Failure, Unfit
from chit_sync.transfer.source import Row, Source, rows

AT_ONCE = 500
"""Tickets in a batch."""

Known = Callable[[Mapping[str, list[Row]]], Mapping[str, int]]


class Batch(NamedTuple):
    """Some tickets. known: those of which nothing had to be made, with the number of their changes. share: of the work that is done."""

    histories: list[History]
    known: Mapping[str, int]
    share: float


class Making:
    """Reads a file and makes the changes of its tickets. Afterwards rows, failures, ties and keys say what was found."""

    def __init__(self, source: Source, mapping: Map, latest: int) -> None:
        self.source = source
        self.map = mapping
        self.latest = latest
        self.rows = 0
        self.failures: list[Failure] = []
        self.ties: list[Tie] = []
        self.keys: dict[str, int] = {}
        """Key to the line where it stood first; in an event log to nothing."""

    def batches(self, known: Known = lambda _: {}) -> Generator[Batch, None, None]:
        """All tickets. known: says which tickets of an event log are in the store already from these very rows."""
        return self._events(known) if self.map.rows == "events" else self._tickets()

    def _rows(self) -> Iterator[Row]:
        """The rows that can be read and have a key."""
        form = self.map
        for row in rows(
            self.source, form.format, form.columns.names, form.delimiter, form.encoding, self.failures.append
        ):
            self.rows += 1
            key = row[1][form.key]
            if isinstance(key, str) and key not in form.empty:
                yield row
            else:
                self._fail(Failure(row[0], f"{form.columns.names[form.key]} is empty: nothing says which ticket it is"))

    def _fail(self, failure: Failure) -> None:
        """Takes note of a row that was counted and does not go in."""
        self.rows -= 1
        self.failures.append(failure)

    def _events(self, known: Known) -> Generator[Batch, None, None]:
        """Rows of one ticket may lie anywhere in the file, so all of it is read before the first change is made."""
        groups: dict[str, list[Row]] = {}
        key = self.map.key
        for row in self._rows():
            groups.setdefault(row[1][key], []).append(row)
            if self.rows % 10_000 == 0:
                yield Batch([], {}, self._read() / 4)
        names = list(groups)
        self.keys = dict.fromkeys(names, 0)
        for start in range(0, len(names), AT_ONCE):
            part = {name: groups.pop(name) for name in names[start : start + AT_ONCE]}
            found = known(part)
            histories = []
            for name, group in part.items():
                if name not in found:
                    histories.append(of_events(self.map, name, group, self.latest, self._fail))
                if self.map.links:
                    self._tie(name, group)
            yield Batch(histories, found, 1 / 4 + min(start + AT_ONCE, len(names)) / len(names) * 3 / 4)

    def _tie(self, name: str, group: list[Row]) -> None:
        event = self.map.events[0]
        for line, cells in group:
            try:
                time, by = event.time(cells), author(event, cells)
            except Unfit:  # which was said of the row already
                continue
            try:
                if isinstance(time, int):
                    self.ties += links(self.map, line, name, cells, time, by)
            except Unfit as why:
                self.failures.append(Failure(line, str(why)))

    def _tickets(self) -> Generator[Batch, None, None]:
        """Each row stands for itself; nothing is kept but the keys and the links."""
        histories: list[History] = []
        for line, cells in self._rows():
            name = cells[self.map.key]
            if name in self.keys:
                self._fail(Failure(line, f"a second row for {name}; the first is in line {self.keys[name]}"))
                continue
            try:
                history, first = of_ticket(self.map, name, cells, self.latest)
                ties = links(self.map, line, name, cells, first.time, first.by)
            except Unfit as why:
                self._fail(Failure(line, str(why)))
                continue
            self.keys[name] = line
            self.ties += ties
            histories.append(history)
            if len(histories) >= AT_ONCE:
                yield Batch(histories, {}, self._read())
                histories = []
        yield Batch(histories, {}, self._read())

    def _read(self) -> float:
        return self.source.done() / self.source.size if self.source.size else 0.0
