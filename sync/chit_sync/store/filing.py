"""Under which number each change is filed in the log, against the ticket that it names itself. For `fsck` alone.

`changes.ticket` only repeats what the change's own bytes say, so a wrong one can be put right without loss.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from chit_sync.codec import decode
from chit_sync.store.database import Connection

AT_ONCE = 1_000


class Move(NamedTuple):
    """Changes of `ticket` that are filed under `number` and belong under `home`."""

    number: int
    ticket: str
    changes: int
    home: int


class Filing:
    """Collects (number, ticket) of all changes of a log, in a temporary table of the connection, so that memory stays flat."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._counts: Counter[tuple[int, str]] = Counter()
        db.execute("DROP TABLE IF EXISTS temp.filed")
        db.execute("CREATE TEMP TABLE filed (number INTEGER, ticket TEXT, count INTEGER, PRIMARY KEY (number, ticket))")
        db.execute("CREATE INDEX temp.filed_ticket ON filed (ticket)")

    def add(self, number: int, ticket: str) -> None:
        """Takes note of one change."""
        self._counts[number, ticket] += 1
        if len(self._counts) >= AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        self._db.executemany(
            "INSERT INTO filed VALUES (?, ?, ?)"
            " ON CONFLICT (number, ticket) DO UPDATE SET count = count + excluded.count",
            [(*key, count) for key, count in self._counts.items()],
        )
        self._counts.clear()

    def moves(self, tickets: str) -> list[Move]:
        """What is filed wrongly. `tickets` names the table that knows the tickets' numbers, for where it says more than the log.

        Each number belongs to one ticket and each ticket has one number: the pair that the table has, else the one with more changes.
        """
        self._flush()
        rows = self._db.execute(
            "SELECT number, ticket, count FROM filed f WHERE"
            " number IN (SELECT number FROM filed GROUP BY number HAVING count(*) > 1)"
            " OR ticket IN (SELECT ticket FROM filed GROUP BY ticket HAVING count(*) > 1)"
            f" ORDER BY EXISTS (SELECT 1 FROM {tickets} t WHERE t.num = f.number AND t.id = f.ticket) DESC,"
            " count DESC, number, ticket"
        ).fetchall()
        homes: dict[str, int] = {}
        owned: set[int] = set()
        for number, ticket, _ in rows:
            if number not in owned and ticket not in homes:
                homes[ticket] = number
                owned.add(number)
        last = self._db.execute("SELECT max(number) FROM filed").fetchone()[0] or 0
        for _, ticket, _ in rows:
            if ticket not in homes:
                last += 1
                homes[ticket] = last
        return [Move(number, ticket, count, homes[ticket]) for number, ticket, count in rows if homes[ticket] != number]


def refile(db: Connection, moves: Iterable[Move]) -> None:
    """Files changes where they belong; call it inside a transaction."""
    for number, ticket, _, home in moves:
        rows = db.execute("SELECT seq, body FROM changes WHERE ticket = ?", (number,)).fetchall()
        seqs = [(home, seq) for seq, body in rows if decode(body).ticket == ticket]
        db.executemany("UPDATE changes SET ticket = ? WHERE seq = ?", seqs)
