"""Taking what a helpdesk shows into the log, or beside it: a page, its bases and the cursor in one transaction. Counts what came of it."""

from collections.abc import Sequence

from chit_sync.change import Change, digest, encode
from chit_sync.clock import MAX_STAMP
from chit_sync.errors import RemoteError, UsageError
from chit_sync.exchange.mirror.crossing_over import pass_on
from chit_sync.exchange.mirror.naming import ticket_for
from chit_sync.exchange.mirror.session import Session
from chit_sync.exchange.results import Conflict, Pulled
from chit_sync.helpdesks.agreed import Agreed
from chit_sync.helpdesks.base import Found, Gone, Snapshot
from chit_sync.helpdesks.comparing import Compared, compare, deleted
from chit_sync.registers import Value
from chit_sync.store import bases, log
from chit_sync.store.database import chunks, marks
from chit_sync.store.log import Record

ASK = 10
"""Deletions at once from which on somebody is asked."""


class Taking:
    """A pull (or, with `aside`, a fetch) under way. Its methods are called inside a transaction."""

    def __init__(self, session: Session, *, aside: bool = False) -> None:
        self.session = session
        self.store = session.store
        self.aside = aside
        self.taken = 0
        self.had = 0
        self.tickets: set[int] = set()
        self.warnings: list[str] = []
        self._new: dict[int, Compared] = {}
        """Tickets that are new here, by their numbers there, to be put in together: that costs a fraction of one by one."""
        self.conflicts = set(self.store.db.execute("SELECT num, path FROM conflicts"))
        self.first = self.store.db.execute("SELECT coalesce(max(num), 0) FROM tickets").fetchone()[0]

    def page(self, found: Sequence[Found]) -> None:
        """Takes some tickets. Raises RemoteError for a number that is none."""
        for one in found:
            if not 0 < one.number <= MAX_STAMP:
                raise RemoteError(
                    f"{self.session.remote.name} tells of a ticket #{str(one.number)[:40]}, which is no number of a ticket",
                    "Is the remote's address right? Nothing of that page was taken.",
                )
        known = bases.bases(self.store, self.session.remote.id, [one.number for one in found])
        first: dict[str, int] = {}
        for one in found:
            if isinstance(one, Snapshot):
                first[one.token] = min(one.number, first.get(one.token, one.number))
        for one in found:
            before = known.get(one.number)
            if isinstance(one, Snapshot):
                # Only what no other ticket has to do with may wait for the others.
                waits = before is None and not (self.aside or one.token or one.ties or one.number in self._new)
                if not waits:
                    self._put_in()
                self.snapshot(one, before, first[one.token], waits=waits)
            elif before is not None:
                self._put_in()
                self.gone(one, before)
        self._put_in()

    def snapshot(self, one: Snapshot, agreed: Agreed | None = None, first: int = 0, *, waits: bool = False) -> Agreed:
        """Takes one ticket as it stands there; returns what is agreed on now. first: see `naming`. waits: `page` puts it in, if new."""
        session = self.session
        agreed = agreed or bases.base(self.store, session.remote.id, one.number)
        agreed = agreed or Agreed(ticket_for(session, one, first or one.number))
        ours = session.ours(agreed.ticket, one.number if agreed.modified else 0)
        compared = compare(session.facing, one, agreed, ours)
        if waits and ours.absent:
            self._new[one.number] = compared
        else:
            self._keep(one.number, compared.changes)
            self._agree(one.number, compared)
        return compared.agreed

    def _put_in(self) -> None:
        """Puts in what waits to be put in together."""
        new, self._new = self._new, {}
        if new:
            self._log([one.changes for one in new.values()])
            for number, one in new.items():
                self._agree(number, one)

    def _agree(self, number: int, compared: Compared) -> None:
        """Notes what is agreed on about a ticket now."""
        bases.put_base(self.store, self.session.remote.id, number, compared.agreed)
        bases.set_troubles(self.store, self.session.remote.id, number, compared.troubles)
        self._number(
            number, compared.agreed.ticket
        )  # also aside: of a ticket that is here there may be nothing to take

    def gone(self, one: Gone, agreed: Agreed) -> None:
        """Takes in that a ticket is deleted or merged there; one that is hidden only counts as left."""
        session = self.session
        bases.set_troubles(self.store, session.remote.id, one.number, {})
        if agreed.gone == one.how:
            return
        sets: dict[str, Value] = {}
        if one.how == "deleted":
            sets = {"deleted": True}
        elif one.how == "merged" and one.into != one.number:
            into = session.ticket(one.into)
            closed = next(name for name, category in self.store.statuses.items() if category == "closed")
            sets = {"merged": into, "status": closed} if into else {}
            if into is None:  # it may come yet
                bases.set_troubles(
                    self.store, session.remote.id, one.number, {f"merged:{one.into}": f"#{one.into} is not here"}
                )
                self.warnings.append(
                    f"#{one.number} was merged into #{one.into}, which is not here: `chit track {one.into}`"
                )
        else:
            self.warnings.append(
                f"#{one.number} is not to be seen in {session.remote.name} any more; it is kept as it is"
            )
        agreed.gone = one.how if sets or one.how != "merged" else ""
        ours = session.ours(agreed.ticket, one.number)
        if sets and not all(any(head.value == value for head in ours.heads(path)) for path, value in sets.items()):
            self._keep(one.number, [deleted(session.facing, one.number, agreed, sets, one.author, one.time)])
        bases.put_base(self.store, session.remote.id, one.number, agreed)

    def _keep(self, number: int, changes: Sequence[Change]) -> None:
        """Puts changes into the log, or beside it."""
        if not changes:
            return
        if self.aside:
            remote = self.session.remote.id
            records = _records(changes)
            last = self.store.db.execute(
                "SELECT coalesce(max(seq), 0) FROM incoming WHERE remote = ?", (remote,)
            ).fetchone()[0]
            last = max(last, self.session.remote.fetched)
            rows = [(remote, last + place, number, record.id, record.body) for place, record in enumerate(records, 1)]
            self.store.db.executemany("INSERT OR IGNORE INTO incoming VALUES (?, ?, ?, ?, ?)", rows)
            self.store.db.execute("UPDATE remotes SET fetched = max(fetched, ?) WHERE id = ?", (rows[-1][1], remote))
            self.taken += len(rows)
            return
        self._log([changes])

    def _log(self, tickets: Sequence[Sequence[Change]]) -> None:
        """Puts the changes of some tickets into the log."""
        records = [record for changes in tickets for record in _records(changes)]
        seqs = log.append(self.store, records, self.session.remote.id)
        for seq, record in zip(seqs, records, strict=True):
            if seq:
                pass_on(self.store, record.change)
        echoes = [bool(seq) and _is_echo(record.change) for seq, record in zip(seqs, records, strict=True)]
        self.taken += sum(map(bool, seqs)) - sum(echoes)
        self.had += len(seqs) - sum(map(bool, seqs))
        heard = {record.change.ticket for record, echo in zip(records, echoes, strict=True) if not echo}
        for part in chunks(list(heard)):
            self.tickets.update(
                row[0] for row in self.store.db.execute(f"SELECT num FROM tickets WHERE id IN ({marks(part)})", part)
            )

    def _numbers(self, changes: Sequence[Change]) -> list[tuple[int]]:
        ident = changes[0].ticket
        found: list[tuple[int]] = self.store.db.execute("SELECT num FROM tickets WHERE id = ?", (ident,)).fetchall()
        return found

    def _number(self, number: int, ident: str) -> None:
        """Notes what the helpdesk calls the ticket."""
        self.store.db.execute(
            "INSERT OR IGNORE INTO numbers SELECT ?, ?, num FROM tickets WHERE id = ?",
            (self.session.remote.id, number, ident),
        )

    def waiting(self) -> None:
        """Takes what was fetched."""
        remote = self.session.remote.id
        from chit_sync import policy

        rows = self.store.db.execute(
            "SELECT seq, number, id, body FROM incoming WHERE remote = ? ORDER BY seq", (remote,)
        ).fetchall()
        for seq, number, ident, body in rows:
            try:
                change = policy.examine(ident, body)
            except UsageError as error:
                self.warnings.append(f"what was fetched of #{number} cannot be taken: {error.message}")
                continue
            added = log.append(self.store, [Record(ident, body, change)], remote)[0]
            if added:
                pass_on(self.store, change)
            self.taken += bool(added)
            self.had += not added
            self.tickets.update(row[0] for row in self._numbers([change]))
            self._number(number, change.ticket)
            self.store.db.execute("DELETE FROM incoming WHERE remote = ? AND seq = ?", (remote, seq))
        self.store.db.execute("UPDATE remotes SET pulled = fetched WHERE id = ?", (remote,))

    def result(self) -> Pulled:
        """What it came to."""
        db = self.store.db
        arisen = set(db.execute("SELECT num, path FROM conflicts")) - self.conflicts
        last = db.execute("SELECT coalesce(max(num), 0) FROM tickets").fetchone()[0]
        return Pulled(
            self.taken, self.had, tuple(sorted(self.tickets)), last - self.first,
            tuple(sorted(Conflict(*row) for row in arisen)), (), tuple(self.warnings),
        )  # fmt: skip


def _is_echo(change: Change) -> bool:
    """Whether a change only says that the helpdesk has what was written here."""
    return bool(change.over) or any(path.endswith("/same") for path in change.set)


def _records(changes: Sequence[Change]) -> list[Record]:
    """Changes of one ticket as they travel, in the order in which they count: so each is taken by one step of the merge."""
    records = [Record(digest(body), body, change) for change in changes for body in (encode(change),)]
    return sorted(records, key=lambda record: (record.change.at, record.id))
