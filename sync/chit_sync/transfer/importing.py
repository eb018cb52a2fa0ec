"""Importing a foreign file by a map: has its rows made into histories (`making`), and hands these to the store in batches.

Safe to be killed and run again: what is in the store already is found by its id. A change depends neither on the store nor on the
time of the import, with one exception: where the file no longer says what an earlier import of the same source was told, the
changes begin where that left off.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from io import BufferedReader

from chit_sync.clock import MAX_AHEAD
from chit_sync.codec import decode
from chit_sync.ids import ticket_id
from chit_sync.store import log
from chit_sync.store.bulk import bulk
from chit_sync.store.database import Store, chunks, explained, marks
from chit_sync.store.log import Record
from chit_sync.transfer import apart
from chit_sync.transfer.histories import History
from chit_sync.transfer.items import link_paths
from chit_sync.transfer.making import Batch, Making
from chit_sync.transfer.mapping import Map
from chit_sync.transfer.replay import Nonces, Timeline, row_sum
from chit_sync.transfer.report import Failure, Imported, Progress, Unfit
from chit_sync.transfer.source import Row, Source
from chit_sync.transfer.taking import BATCH, Taker

MIXED = "several"
"""Stands for the map of a source that was imported by more than one."""


def import_file(
    store: Store,
    file: str | BufferedReader,
    mapping: Map,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    in_two: bool = False,
) -> Imported:
    """Takes a CSV or JSON Lines file, plain or gzip, into the store. What does not fit is in the result, line by line.

    dry_run: counts what would be new, and writes nothing. in_two: a large file may be read in a second process, by `os.fork`; it is for a
    program that has no other threads. Raises NotFoundError or UsageError if the file cannot be read or has not the
    columns that the map names, StoreError.
    """
    with bulk(store):
        taker = Taker(store, "import", dry_run=dry_run)
        source = Source(file)
        first_time, same_map = _remember_map(store, mapping, dry_run)
        try:
            # Later on, what is to be made depends on what the store has, and only this process can see that.
            if in_two and first_time and not dry_run and isinstance(file, str) and apart.worth_it(source):
                try:
                    return _Import(store, source, mapping, taker, progress, same_map=False).run(apart.batches)
                except _EntangledError:
                    source.close()
                    source = Source(file)
            return _Import(store, source, mapping, taker, progress, same_map=same_map).run()
        finally:
            source.close()


class _EntangledError(Exception):
    """The store has something of these tickets already, which the process that reads the file cannot take into account."""


def _remember_map(store: Store, mapping: Map, dry_run: bool) -> tuple[bool, bool]:
    """Whether this store imports from the source for the first time; and whether it always did by this very map. Notes the map."""
    name = f"import:{mapping.source}"
    before = store.meta(name)
    if before not in (MIXED, mapping.digest) and not dry_run:
        with store.transaction():
            store.set_meta(name, mapping.digest if before is None else MIXED)
    return before is None, bool(before == mapping.digest)


class _Import:
    """One import while it runs: the writing half."""

    def __init__(
        self, store: Store, source: Source, mapping: Map, taker: Taker, progress: Progress | None, *, same_map: bool
    ) -> None:
        self.store = store
        self.source = source
        self.map = mapping
        self.progress = progress
        self.taker = taker
        self.same_map = same_map
        self.making = Making(source, mapping, store.now() + MAX_AHEAD)
        self.failures = self.making.failures
        self.waiting: list[History] = []
        self.waiting_changes = 0
        self.tickets = self.changes = 0

    def run(self, elsewhere: Callable[[Making], Generator[Batch, None, None]] | None = None) -> Imported:
        """Reads everything, or has it read elsewhere, and writes everything."""
        making = self.making
        batches = elsewhere(making) if elsewhere else making.batches(self._done)
        with closing(batches):
            for batch in batches:
                for history in batch.histories:
                    self._take(history)
                self.tickets += len(batch.known)
                self.changes += sum(batch.known.values())
                self._report(batch.share)
        self._settle()
        self._link()
        self._report(1.0)
        return Imported(
            making.rows,
            self.tickets,
            self.changes,
            self.taker.new_tickets,
            self.taker.new_changes,
            0,
            sorted(self.failures),
        )

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
                    if history.again is None:
                        raise _EntangledError
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
        ends = {name for tie in self.making.ties for name in (tie.holder, tie.target) if name not in self.making.keys}
        here = {name: ticket_id(source, name) for name in ends}
        with explained(self.store.path):
            known = _numbers(self.store, list(here.values()))
        made: dict[tuple[str, str, str], None] = {}
        for tie in self.making.ties:
            absent = [name for name in (tie.holder, tie.target) if name in here and here[name] not in known]
            if absent:
                self.failures.append(
                    Failure(tie.line, f"it is linked to {absent[0]}, which is neither in the file nor in the store")
                )
                continue
            if (tie.holder, tie.kind, tie.target) in made:
                continue
            made[tie.holder, tie.kind, tie.target] = None
            timeline = Timeline(source, tie.holder, self.making.latest)
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
