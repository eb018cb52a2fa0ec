"""Importing a foreign file by a map: reads rows, has them made into histories, and hands these to the store in batches.

Safe to be killed and run again: what is in the store already is found by its id. A change depends neither on the store nor on the
time of the import, with one exception: where the file no longer says what an earlier import of the same source was told, the
changes begin where that left off.
"""

from collections.abc import Iterator, Mapping, Sequence
from io import BufferedReader

from chit_sync.clock import MAX_AHEAD
from chit_sync.codec import decode
from chit_sync.ids import ticket_id
from chit_sync.store import log
from chit_sync.store.database import Store, chunks, explained, marks
from chit_sync.store.log import Record
from chit_sync.transfer.histories import History, author, of_events, of_ticket
from chit_sync.transfer.items import Tie, link_paths, links
from chit_sync.transfer.mapping import Map
from chit_sync.transfer.replay import Nonces, Timeline, row_sum
from chit_sync.transfer.report import Failure, Imported, Progress, Unfit
from chit_sync.transfer.source import Row, Source, rows
from chit_sync.transfer.taking import BATCH, Taker, bulk

OFTEN = 500
"""Rows, or tickets, between two reports of progress."""

MIXED = "several"
"""Stands for the map of a source that was imported by more than one."""


def import_file(
    store: Store,
    file: str | BufferedReader,
    mapping: Map,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Imported:
    """Takes a CSV or JSON Lines file, plain or gzip, into the store. What does not fit is in the result, line by line.

    dry_run: counts what would be new, and writes nothing. Raises NotFoundError or UsageError if the file cannot be read or has not the
    columns that the map names, StoreError.
    """
    source = Source(file)
    try:
        with bulk(store):
            return _Import(store, source, mapping, dry_run, progress).run()
    finally:
        source.close()


class _Import:
    """One import while it runs."""

    def __init__(self, store: Store, source: Source, mapping: Map, dry_run: bool, progress: Progress | None) -> None:
        self.store = store
        self.source = source
        self.map = mapping
        self.progress = progress
        self.taker = Taker(store, "import", dry_run=dry_run)
        self.same_map = self._remember_map(dry_run)
        self.latest = store.now() + MAX_AHEAD
        self.failures: list[Failure] = []
        self.waiting: list[History] = []
        self.waiting_changes = 0
        self.ties: list[Tie] = []
        self.keys: dict[str, int] = {}
        """Key to the line where it stood first."""
        self.rows = self.tickets = self.changes = 0

    def run(self) -> Imported:
        """Reads everything, writes everything."""
        if self.map.rows == "events":
            self._events()
        else:
            self._tickets()
        self._settle()
        self._link()
        self._report(1.0)
        return Imported(
            self.rows,
            self.tickets,
            self.changes,
            self.taker.new_tickets,
            self.taker.new_changes,
            0,
            sorted(self.failures),
        )

    def _remember_map(self, dry_run: bool) -> bool:
        """Whether all that was ever imported from this source was by this very map; notes it for next time."""
        name = f"import:{self.map.source}"
        before = self.store.meta(name)
        if before is None and not dry_run:
            with self.store.transaction():
                self.store.set_meta(name, self.map.digest)
        elif before not in (None, MIXED, self.map.digest) and not dry_run:
            with self.store.transaction():
                self.store.set_meta(name, MIXED)
        return bool(before == self.map.digest)

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

    def _events(self) -> None:
        """Rows of one ticket may lie anywhere in the file, so all of it is read before the first change is made."""
        groups: dict[str, list[Row]] = {}
        key = self.map.key
        for row in self._rows():
            groups.setdefault(row[1][key], []).append(row)
            if self.rows % OFTEN == 0:
                self._report(self._read() / 4)
        total = max(len(groups), 1)
        self.keys = dict.fromkeys(groups, 0)
        names = list(groups)
        for start in range(0, len(names), OFTEN):
            part = {name: groups.pop(name) for name in names[start : start + OFTEN]}
            done = self._done(part)
            for name, group in part.items():
                if name in done:
                    self.tickets += 1
                    self.changes += done[name]
                else:
                    self._take(of_events(self.map, name, group, self.latest, self._fail))
                if self.map.links:
                    self._tie(name, group)
            self._report(1 / 4 + min(start + OFTEN, total) / total * 3 / 4)

    def _done(self, groups: Mapping[str, list[Row]]) -> dict[str, int]:
        """Those of the tickets that the store has from the same rows by the same map, with the number of their changes.

        This is what makes importing a log again quick. It is only about tickets that nobody has changed since; where it says nothing,
        the changes are made and looked up.
        """
        if not self.same_map or self.map.comments:
            return {}
        idents = {ticket_id(self.map.source, name): name for name in groups}
        found: dict[str, int] = {}
        with explained(self.store.path):
            for part in chunks(list(idents)):
                last = self.store.db.execute(
                    "SELECT t.id, c.body FROM tickets t JOIN changes c"
                    " ON c.seq = (SELECT max(seq) FROM changes WHERE ticket = t.num)"
                    f" WHERE t.id IN ({marks(part)})",
                    part,
                )
                for ident, body in last:
                    name = idents[ident]
                    sums = {row_sum(cells) for _, cells in groups[name]}
                    if b'"nonce":"%b"' % Nonces(self.map.source, name)(sum(sums)).encode() in body:
                        found[name] = len(sums)
        return found

    def _tie(self, name: str, group: list[Row]) -> None:
        event = self.map.events[0]
        for line, cells in group:
            try:
                time = event.time(cells)
                if isinstance(time, int):
                    self.ties += links(self.map, line, name, cells, time, author(event, cells))
            except Unfit as why:
                self.failures.append(Failure(line, str(why)))

    def _tickets(self) -> None:
        """Each row stands for itself; nothing is kept but the keys and the links."""
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
            self._take(history)
            if self.rows % OFTEN == 0:
                self._report(self._read())

    def _take(self, history: History) -> None:
        if not history.records:
            return
        self.tickets += 1
        self.changes += len(history.records)
        self.waiting.append(history)
        self.waiting_changes += len(history.records)
        if self.waiting_changes >= BATCH:
            self._settle()

    def _settle(self) -> None:
        """Hands the waiting histories to the store, without what it has."""
        batch, self.waiting, self.waiting_changes = self.waiting, [], 0
        with explained(self.store.path):
            numbers = _numbers(self.store, [history.ticket for history in batch])
            old = [history for history in batch if history.ticket in numbers]
            known = log.existing(self.store.db, [record.id for history in old for record in history.records])
            for history in batch:
                number = numbers.get(history.ticket)
                if number is None:
                    self.taker.add(history.records)
                elif not all(record.id in known for record in history.records):
                    self.taker.add(history.again(self._mine(history, number)))
        self.taker.flush()

    def _mine(self, history: History, number: int) -> list[Record]:
        """What earlier imports of the same source said about the ticket: nobody else's changes have such a nonce."""
        found = self.store.db.execute("SELECT id, body FROM changes WHERE ticket = ? ORDER BY seq", (number,))
        records = [Record(ident, body, decode(body)) for ident, body in found]
        nonces = Nonces(self.map.source, history.key)
        return [record for record in records if nonces.mine(record.change.nonce)]

    def _link(self) -> None:
        """Links go in when all tickets are there: one to a ticket that nobody knows would make it up."""
        source = self.map.source
        ends = {name for tie in self.ties for name in (tie.holder, tie.target) if name not in self.keys}
        here = {name: ticket_id(source, name) for name in ends}
        with explained(self.store.path):
            known = _numbers(self.store, list(here.values()))
        made: dict[tuple[str, str, str], None] = {}
        for tie in self.ties:
            absent = [name for name in (tie.holder, tie.target) if name in here and here[name] not in known]
            if absent:
                self.failures.append(
                    Failure(tie.line, f"it is linked to {absent[0]}, which is neither in the file nor in the store")
                )
                continue
            if (tie.holder, tie.kind, tie.target) in made:
                continue
            made[tie.holder, tie.kind, tie.target] = None
            timeline = Timeline(source, tie.holder, self.latest)
            try:
                timeline.add(tie.time, tie.by, link_paths(source, tie))
            except Unfit as why:
                self.failures.append(Failure(tie.line, f"its link to {tie.target}: {why}"))
                continue
            self.changes += 1
            self.taker.add(timeline.records)
            if self.taker.full:
                self.taker.flush()
        self.taker.flush()

    def _read(self) -> float:
        return self.source.done() / self.source.size if self.source.size else 0.0

    def _report(self, share: float) -> None:
        if self.progress is not None:
            size = self.source.size
            self.progress(self.source.done() if size is None else int(size * share), size)


def _numbers(store: Store, idents: Sequence[str]) -> dict[str, int]:
    """This store's numbers of those of the tickets that it has."""
    found: dict[str, int] = {}
    for part in chunks(idents):
        found.update(store.db.execute(f"SELECT id, num FROM tickets WHERE id IN ({marks(part)})", part).fetchall())
    return found
