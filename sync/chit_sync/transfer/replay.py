"""From the rows of one ticket to its changes. Everything follows from the file alone: whoever imports it makes the same bytes.

A change is made of what differs from the state before; `over` names the changes that wrote the replaced values. Stamps are the events'
times, each at least one microsecond after the one before it; `when` is there only where that moved the time by a millisecond or more.
"""

from collections.abc import Iterable, Mapping

from chit_sync.change import NONCE_BYTES, Change, digest, encode, nonce
from chit_sync.ids import derived, ticket_id
from chit_sync.registers import Value, same
from chit_sync.store.log import Record
from chit_sync.transfer.report import Unfit


class Timeline:
    """A ticket while its events are replayed. values, writers: path to value, and to the ids of the changes that wrote it."""

    __slots__ = ("at", "id", "key", "latest", "records", "source", "values", "writers")

    def __init__(self, source: str, key: str, latest: int) -> None:
        """latest: no event can be later than that."""
        self.source = source
        self.key = key
        self.id = ticket_id(source, key)
        self.latest = latest
        self.at = -1
        self.values: dict[str, Value] = {}
        self.writers: dict[str, tuple[str, ...]] = {}
        self.records: list[Record] = []

    def write(self, time: int, by: str, wanted: Mapping[str, Value], *, restate: bool = False) -> Record | None:
        """One event: makes the change that sets what is wanted and not so yet, if there is any. Raises Unfit.

        restate: an event that alters nothing is kept all the same, as a change that writes the status (or another path) once more.
        """
        values, writers = self.values, self.writers
        sets: dict[str, Value] = {}
        over: set[str] = set()
        for path, value in wanted.items():
            old = values.get(path)
            if value is old or same(value, old):
                continue
            sets[path] = value
            if path in writers:
                over.update(writers[path])
        if not sets:
            if not restate or not values:
                return None
            path = "status" if values.get("status") is not None else next(iter(values))
            sets[path] = values[path]
            over.update(writers[path])
        self._check(time, by)
        at = time if time > self.at else self.at + 1
        record = make(self.source, self.key, self.id, at, time, by, sets, sorted(over))
        written = (record.id.hex(),)
        for path, value in sets.items():
            values[path] = value
            writers[path] = written
        self.at = at
        self.records.append(record)
        return record

    def add(self, time: int, by: str, sets: Mapping[str, Value]) -> Record:
        """Something that stands for itself, such as a comment: it has its own time, whatever came before or after. Raises Unfit."""
        self._check(time, by)
        record = make(self.source, self.key, self.id, max(time, 0), time, by, dict(sets), [])
        self.records.append(record)
        return record

    def _check(self, time: int, by: str) -> None:
        if time > self.latest:
            raise Unfit("it is dated in the future")
        if not by:
            raise Unfit("nothing says by whom")

    def resume(self, records: Iterable[Record]) -> None:
        """Begins where earlier changes of this import, in any order, left off."""
        from chit_sync.registers import fold

        known = {record.id.hex(): record for record in records}
        rank = {name: (record.change.at, record.id) for name, record in known.items()}
        heads = fold(
            ((name, record.change.set, record.change.over) for name, record in known.items()), rank.__getitem__
        )
        for path, found in heads.items():
            self.values[path] = found[0][1]
            self.writers[path] = tuple(name for name, _ in found)
        self.at = max((record.change.at for record in known.values()), default=self.at)


def make(
    source: str, key: str, ticket: str, at: int, time: int, by: str, sets: dict[str, Value], over: list[str]
) -> Record:
    """A change of the import, with its bytes."""
    change = Change(
        ticket=ticket, at=at, by=by, set=sets, nonce=import_nonce(source, key, at), over=over,
        when=None if time // 1000 == at // 1000 else time,
    )  # fmt: skip
    body = encode(change)
    return Record(digest(body), body, change)


def import_nonce(source: str, key: str, at: int) -> str:
    """The nonce of what an import says about a ticket at a moment. It also tells an import's own changes from everybody else's."""
    return nonce(derived(NONCE_BYTES, source, key, str(at)))
