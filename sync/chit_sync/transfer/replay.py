"""From the rows of one ticket to its changes. Everything follows from the file alone: whoever imports it makes the same bytes.

A change is made of what differs from the state before; `over` names the changes that wrote the replaced values. Stamps are the events'
times, each at least one microsecond after the one before it; `when` is there only where that moved the time by a millisecond or more.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from chit_sync.change import NONCE_BYTES, nonce
from chit_sync.codec import make
from chit_sync.ids import derived, ticket_id
from chit_sync.registers import Value
from chit_sync.store.log import Record
from chit_sync.transfer.report import Unfit

MARK_BYTES = 4
MARK_LETTERS = 5
"""Letters of a nonce that its first four bytes decide."""

MASK = (1 << 8 * (NONCE_BYTES - MARK_BYTES)) - 1


class Timeline:
    """A ticket while its events are replayed. values, writers: path to value, and to the id of the change that wrote it."""

    __slots__ = ("_nonces", "_rivals", "at", "id", "key", "latest", "records", "values", "writers")

    def __init__(self, source: str, key: str, latest: int) -> None:
        """latest: no event can be later than that."""
        self.key = key
        self.id = ticket_id(source, key)
        self._nonces = Nonces(source, key)
        self.latest = latest
        self.at = -1
        self.values: dict[str, Value] = {}
        self.writers: dict[str, str] = {}
        self._rivals: dict[str, list[str]] = {}
        self.records: list[Record] = []

    def write(
        self, time: int, by: str, wanted: Mapping[str, Value], rows: int | None = None, *, always: bool = False
    ) -> Record | None:
        """One event: makes the change that sets what is wanted and not so yet, if there is any. Raises Unfit.

        rows: in an event log the sum of the rows so far. always: an event that alters nothing is kept all the same, as a change that
        writes the status (or another path) once more.
        """
        values, writers = self.values, self.writers
        if values:
            # A path has values of one type here, so that != will do, and True is never compared to 1.
            sets = {path: value for path, value in wanted.items() if values.get(path) != value}
            if not sets:
                if not always:
                    return None
                path = "status" if values.get("status") is not None else next(iter(values))
                sets = {path: values[path]}
            over = sorted({writers[path] for path in sets if path in writers})
            if self._rivals:
                over = sorted({*over, *(rival for path in sets for rival in self._rivals.pop(path, ()))})
        else:
            sets = {path: value for path, value in wanted.items() if value is not None}
            over = []
            if not sets:
                return None
        self._check(time, by)
        at = time if time > self.at else self.at + 1
        record = self._make(at, time, by, sets, over, rows)
        values.update(sets)
        writers.update(dict.fromkeys(sets, record.id.hex()))
        self.at = at
        self.records.append(record)
        return record

    def add(self, time: int, by: str, sets: Mapping[str, Value]) -> Record:
        """Something that stands for itself, such as a comment: it has its own time, whatever came before or after. Raises Unfit."""
        self._check(time, by)
        record = self._make(max(time, 0), time, by, dict(sets), [], None)
        self.records.append(record)
        return record

    def _make(self, at: int, time: int, by: str, sets: dict[str, Value], over: list[str], rows: int | None) -> Record:
        when = None if time // 1000 == at // 1000 else time
        nonce = self._nonces(row_sum((str(at),)) if rows is None else rows)
        if len(sets) > 1:
            sets = dict(sorted(sets.items()))  # as it is read back: a rebuild of the tables gives the same rows
        change, body, ident = make(self.id, at, by, sets, nonce, over, when)
        return Record(ident, body, change)

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
            ((name, change.set, change.over, change.mirror) for name, (_, _, change) in known.items()), rank.__getitem__
        )
        for path, found in heads.items():
            self.values[path] = found[0][1]
            self.writers[path] = found[0][0]
            if len(found) > 1:
                self._rivals[path] = [name for name, _ in found[1:]]
        self.at = max((record.change.at for record in known.values()), default=self.at)


class Nonces:
    """The nonces of what an import says about a ticket. They follow from the file alone, and say two things.

    The first four bytes follow from source and key and tell the import's changes from everybody else's. The other eight tell the
    changes apart; in an event log they add up all rows of the ticket so far (`row_sum`), so that the last one tells at once whether
    the ticket in the store has been made of the same rows.
    """

    __slots__ = ("_mark",)

    def __init__(self, source: str, key: str) -> None:
        self._mark = derived(MARK_BYTES, "import", source, key)

    def __call__(self, number: int) -> str:
        """The nonce with that number in it."""
        return nonce(self._mark + (number & MASK).to_bytes(NONCE_BYTES - MARK_BYTES, "big"))

    def mine(self, text: str) -> bool:
        """Whether it is a nonce of this import, with whatever number."""
        return text.startswith(nonce(self._mark)[:MARK_LETTERS])


def row_sum(cells: Sequence[Any]) -> int:
    """A number that stands for a row; added up, in any order, for rows."""
    try:
        text = "\x1f".join(cells)
    except TypeError:  # a list or an object among them
        text = "\x1f".join(map(str, cells))
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")
