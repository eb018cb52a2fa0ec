"""Taking a remote's changes into the log, a batch and its cursor in one transaction, and counting what came of it."""

from collections.abc import Iterator

from chit_sync import policy
from chit_sync.change import Change
from chit_sync.codec import digest
from chit_sync.errors import RemoteError, UsageError
from chit_sync.exchange import cursor
from chit_sync.exchange.results import Conflict, Held, Pulled
from chit_sync.exchange.tidings import Tidings, may_tell
from chit_sync.store import log, partners, reading
from chit_sync.store.database import Store
from chit_sync.store.partners import Partner
from chit_sync.store.remotes import VISITOR
from chit_sync.ticket import Ticket
from chit_sync.wire import Sent

MAX_HELD = 1_000
"""Changes of a lead that may be kept aside; after more of them nothing else is read from it."""

WAITING = 1_000
"""Changes that were fetched before and are taken at once."""

HANDOFFS = "handoffs"
"""Stands for all of a ticket's handoffs among what a run of changes has written."""


class _Numbers:
    """A set of numbers from 0 that lie close together: a byte each, where a set takes a hundred."""

    LARGEST = 1 << 26

    def __init__(self) -> None:
        self._marks = bytearray()

    def __contains__(self, number: int) -> bool:
        return 0 <= number < len(self._marks) and bool(self._marks[number])

    def __iter__(self) -> Iterator[int]:
        return (number for number, mark in enumerate(self._marks) if mark)

    def add(self, number: int) -> None:
        """Adds a number; one that is out of all proportion is not kept."""
        if not 0 <= number < self.LARGEST:
            return
        if number >= len(self._marks):
            self._marks.extend(bytes(number - len(self._marks) + 1_000))
        self._marks[number] = 1


class Taking:
    """A pull under way, and what it came to so far."""

    def __init__(self, store: Store, remote: int) -> None:
        self.store = store
        self.remote = remote
        self.taken = 0
        self.had = 0
        self.held: list[Held] = []
        self.numbered = _Numbers()
        """What the remote calls the tickets that were noted in this pull."""
        self.tickets = _Numbers()
        self.conflicts: set[tuple[int, str]] | None = None
        self.first_ticket = 0
        self.ahead: tuple[int, str] = (0, "")
        self.tidings: Tidings | None = None
        self.partner = partners.of_remote(store, remote)
        """The lead whose store the remote is; what comes from it is held to more."""

    @staticmethod
    def honest(batch: list[Sent]) -> tuple[list[Sent], Sent | None]:
        """The changes before the first whose id does not match its bytes, and that one."""
        found = [digest(sent.body) for sent in batch]
        for place, (ident, sent) in enumerate(zip(found, batch, strict=True)):
            if ident != sent.id:
                return batch[:place], sent
        return batch, None

    def waiting(self) -> None:
        """Takes what was fetched, and tries again what was held."""
        db = self.store.db
        last = -1
        while True:
            rows = db.execute(
                "SELECT seq, number, id, body FROM incoming WHERE remote = ? AND seq > ? ORDER BY seq LIMIT ?",
                (self.remote, last, WAITING),
            ).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            self.batch([Sent._make(row) for row in rows])

    def batch(self, batch: list[Sent]) -> None:
        """One batch into the log, with its cursor."""
        store, remote = self.store, self.remote
        now = store.now()
        records: list[log.Record] = []
        named: dict[int, bytes] = {}
        """What the remote calls a ticket, to a change of that ticket."""
        held: list[tuple[Sent, str]] = []
        for sent in batch:
            try:
                change = policy.examine_genuine(sent.body)
            except UsageError as error:
                held.append((sent, error.message))
                continue
            if change.at > now:
                self._note_ahead(change, now)
            records.append(log.Record(sent.id, sent.body, change))
            named[sent.number] = sent.id
        with store.transaction() as db:
            if self.conflicts is None:
                self.conflicts = set(db.execute("SELECT num, path FROM conflicts"))
                self.first_ticket = _last_ticket(store)
                # Who reads a colleague's log for the first time is told nothing: all of it is news.
                if self.partner is not None or self.first_ticket:
                    self.tidings = Tidings(log.last_seq(db))
            before = log.last_seq(db)
            if self.partner is None:
                seqs = log.append(store, records, remote)
            else:
                records, seqs, strange = self._from_lead(self.partner, records)
                held += [(sent, strange[sent.id]) for sent in batch if sent.id in strange]
                passed = {record.id for record in records}
                named = {sent.number: sent.id for sent in batch if sent.id in passed}
            taken = sum([1 for seq in seqs if seq])
            if taken and self.tidings:
                for record, seq in zip(records, seqs, strict=True):
                    if seq and may_tell(record.body):
                        self.tidings.note(record.change)
            if taken < len(seqs):
                db.executemany(
                    "UPDATE changes SET origin = ? WHERE id = ? AND origin = ?",
                    [(remote, record.id, VISITOR) for record, seq in zip(records, seqs, strict=True) if not seq],
                )
            self._number(named)
            db.execute(
                "DELETE FROM incoming WHERE remote = ? AND seq BETWEEN ? AND ?",
                (remote, batch[0].seq, batch[-1].seq),
            )
            if held:
                db.executemany(
                    "INSERT INTO incoming VALUES (?, ?, ?, ?, ?)",
                    [(remote, sent.seq, sent.number, sent.id, sent.body) for sent, _ in held],
                )
            cursor.advance(store, remote, pulled=batch[-1].seq, tip=batch[-1].id)
            if self.partner is None:
                # Where all of ours had been offered, so has all of this: the remote has it already.
                db.execute(
                    "UPDATE remotes SET pushed = ? WHERE id = ? AND pushed >= ?",
                    (before + taken, remote, before),
                )
            if taken:
                for (number,) in db.execute("SELECT DISTINCT ticket FROM changes WHERE seq > ?", (before,)):
                    self.tickets.add(number)
        self.taken += taken
        self.had += len(seqs) - taken
        self.held += [Held(sent.seq, sent.id.hex(), reason) for sent, reason in held]
        if self.partner is not None and len(self.held) > MAX_HELD:
            raise RemoteError(
                f"{self.partner.name} has sent over {MAX_HELD:,} changes that do not pass here, the last: {self.held[-1].reason}",
                "Nothing more is read from there. Ask whoever runs it; `chit partner end` ends the partnership.",
            )

    def _from_lead(
        self, lead: Partner, records: list[log.Record]
    ) -> tuple[list[log.Record], list[int], dict[bytes, str]]:
        """Takes a lead's changes one after the other, each as things stand after the one before.

        Returns those that passed, their places (0 for one that was here), and why the others did not.
        """
        from chit_sync import arriving  # not light, and most remotes are no lead's

        passed: list[log.Record] = []
        seqs: list[int] = []
        strange: dict[bytes, str] = {}
        known = log.existing(self.store.db, [record.id for record in records])
        tickets: dict[str, Ticket | None] = {}
        run: list[log.Record] = []
        written: set[tuple[str, str]] = set()
        for record in records:
            ident = record.change.ticket
            touched = {(ident, path.rpartition("/")[0]) for path in record.change.set}
            # What a run of changes does to different items makes no difference to each other's checks: many comments, loaded for once.
            if (ident, HANDOFFS) in written or not written.isdisjoint(touched):
                seqs += log.append(self.store, run, self.remote)
                run, tickets, written = [], {}, set()
            if ident not in tickets:
                tickets[ident] = self._ticket(ident)
            if record.id not in known:
                ticket = tickets[ident]
                reason = arriving.from_lead(record.change, ticket, lead.name, lead.own, known=ticket is not None)
                if reason:
                    strange[record.id] = reason
                    continue
            passed.append(record)
            run.append(record)
            known.add(record.id)
            written |= touched
            if any(key.startswith(("handoff/", "move/")) for _, key in touched):
                written.add((ident, HANDOFFS))
        return passed, seqs + log.append(self.store, run, self.remote), strange

    def _ticket(self, ident: str) -> Ticket | None:
        row = self.store.db.execute("SELECT num FROM tickets WHERE id = ?", (ident,)).fetchone()
        return reading.load(self.store, row[0]) if row else None

    def back(self, batch: list[Sent]) -> None:
        """Takes back what this store had sent to its lead; what is here still is had."""
        from chit_sync import arriving

        store, lead = self.store, self.partner
        if lead is None:
            return
        with store.transaction() as db:
            if self.conflicts is None:
                self.conflicts = set(db.execute("SELECT num, path FROM conflicts"))
                self.first_ticket = _last_ticket(store)
            for sent in batch:
                if log.existing(db, [sent.id]):
                    self.had += 1
                    continue
                try:
                    change = policy.examine_genuine(sent.body)
                except UsageError as error:
                    self.held.append(Held(sent.seq, sent.id.hex(), error.message))
                    continue
                ticket = self._ticket(change.ticket)
                reason = arriving.given_back(change, ticket, lead.name, lead.own)
                if reason or ticket is None:
                    self.held.append(Held(sent.seq, sent.id.hex(), reason))
                    continue
                log.append(store, [log.Record(sent.id, sent.body, change)], self.remote)
                self.taken += 1
                self.tickets.add(ticket.number)

    def _number(self, named: dict[int, bytes]) -> None:
        """Notes what the remote calls the tickets."""
        new = {number: ident for number, ident in named.items() if number not in self.numbered}
        for number in new:
            self.numbered.add(number)
        self.store.db.executemany(
            "INSERT OR IGNORE INTO numbers SELECT ?, ?, ticket FROM changes WHERE id = ?",
            [(self.remote, number, ident) for number, ident in new.items()],
        )

    def _note_ahead(self, change: Change, now: int) -> None:
        if change.at > self.ahead[0] and policy.ahead(change, now):
            self.ahead = change.at, f"a change by {change.by} was taken, but {policy.ahead(change, now)}"

    def result(self) -> Pulled:
        """What the pull came to."""
        store = self.store
        if self.conflicts is None:
            return Pulled()
        arisen = set(store.db.execute("SELECT num, path FROM conflicts")) - self.conflicts
        return Pulled(
            self.taken,
            self.had,
            tuple(self.tickets),
            _last_ticket(store) - self.first_ticket,
            tuple(sorted(Conflict(*row) for row in arisen)),
            tuple(self.held),
            (self.ahead[1],) if self.ahead[1] else (),
            *(self.tidings.tell(store) if self.tidings else ((), ())),
        )


def _last_ticket(store: Store) -> int:
    return store.db.execute("SELECT max(num) FROM tickets").fetchone()[0] or 0
