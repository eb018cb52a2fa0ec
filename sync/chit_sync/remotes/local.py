"""The log of a store on this disk: what a remote with a path is, and what the server puts behind HTTP."""

import re
from collections.abc import Collection, Generator, Iterator, Sequence
from typing import Any, BinaryIO

from chit_sync import policy
from chit_sync.change import Change
from chit_sync.errors import OtherStoreError, UsageError
from chit_sync.invitation import Joined, Joining
from chit_sync.remotes.base import BlobState, Expect, Reading
from chit_sync.schema import ITEMS, OPEN_CATEGORIES
from chit_sync.store import blobs, log, reading
from chit_sync.store.database import Connection, Store, chunks, explained, marks
from chit_sync.store.remotes import VISITOR
from chit_sync.ticket import Ticket
from chit_sync.wire import HAD, PROTOCOL, REFUSED, TAKEN, Answer, Info, Limits, Offer, Result, Sent

PAGE = 200
"""Changes that are read in one go; no read transaction outlives it."""

PAGE_BYTES = 1 << 20
"""Bytes after which a batch is handed on."""

SERVED = "served"
"""The key in `meta` for the newest place that anybody else may have seen: undo stops there."""


NO_LIMITS = Limits()


class LocalLog:
    """A store as a log. `writable` is False for a store that may only be read: then nothing is remembered of who read it. rights:
    those of `policy.RIGHTS` that the caller holds."""

    def __init__(
        self,
        store: Store,
        where: str = "",
        *,
        writable: bool = True,
        limits: Limits = NO_LIMITS,
        rights: Collection[str] = policy.RIGHTS,
    ) -> None:
        self.rights = rights
        self.store = store
        self.limits = limits
        self.where = where or store.path
        self.writable = writable

    def info(self) -> Info:
        """Who this store is."""
        store = self.store
        with explained(store.path):
            return Info(
                protocol=PROTOCOL,
                store=store.meta("store"),
                name=store.meta("name"),
                last=log.last_seq(store.db),
                time=store.now(),
                statuses=store.statuses,
                limits=self.limits,
            )

    def read(self, after: int, limit: int | None = None, expect: Expect | None = None) -> Reading:
        """The changes after that place, up to the newest one now."""
        if after < 0 or (limit is not None and limit < 1):
            raise UsageError("a place in the log is a number from 0, a limit one from 1")
        info = self.info()
        if expect:
            self._hold_to(info.store, info.last, expect)
        if self.writable and info.last > after:
            mark_served(self.store, info.last)
        return Reading(info, self._batches(after, info.last, limit))

    def _batches(self, after: int, last: int, limit: int | None) -> Generator[list[Sent], None, None]:
        db = self.store.db
        left = last if limit is None else limit
        while after < last and left:
            batch: list[Sent] = []
            size = 0
            with explained(self.store.path):
                while size < PAGE_BYTES and after < last and left:
                    wanted = min(PAGE, left)
                    rows = db.execute(
                        "SELECT seq, ticket, id, body FROM changes WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
                        (after, last, wanted),
                    ).fetchall()
                    batch += map(Sent._make, rows if "finance" in self.rights else _without_finance(rows))
                    size += sum([len(row[3]) for row in rows])
                    left -= len(rows)
                    after = rows[-1][0] if len(rows) == wanted else last
            if batch:
                yield batch

    def own(self) -> Reading:
        """What a service partner sent; this is nobody's log in particular."""
        raise UsageError(
            f"{self.where} has nothing to give back", "Only what was sent to a lead can be taken back from it."
        )

    def append(self, offers: Sequence[Offer], expect: Expect | None = None) -> Answer:
        """Takes what passes the policy; one transaction, or none if there is nothing to take."""
        store = self.store
        now = store.now()
        checked = [_check(offer, now) for offer in offers]
        records = [
            log.Record(offer.id, offer.body, change)
            for offer, change in zip(offers, checked, strict=True)
            if not isinstance(change, str)
        ]
        with store.transaction() as db:
            identity, before = store.meta("store"), log.last_seq(db)
            if expect:
                self._hold_to(identity, before, expect)
            seqs, refused = self._take(records)
            if refused:
                checked = [refused.get(offer.id, change) for offer, change in zip(offers, checked, strict=True)]
                records = [record for record in records if record.id not in refused]
            last = log.last_seq(db)
            numbers = _numbers(db, records)
        taken = iter(seqs)
        results = []
        for offer, change in zip(offers, checked, strict=True):
            if isinstance(change, str):
                results.append(Result(REFUSED, reason=change))
            elif seq := next(taken):
                results.append(Result(TAKEN, seq, numbers[offer.id]))
            else:
                results.append(Result(HAD, 0, numbers[offer.id]))
        return Answer(identity, before, last, results)

    def _take(self, records: Sequence[log.Record]) -> tuple[list[int], dict[bytes, str]]:
        """(the places of the changes that were taken, why the others were not); what is outsourced, each after the one before it."""
        db = self.store.db
        if db.execute("SELECT 1 FROM partners LIMIT 1").fetchone() is None:
            # Not the store that decides: what it gets from its own organisation was decided elsewhere.
            return log.append(self.store, records, VISITOR) if records else [], {}
        from chit_sync import colleagues

        known = log.existing(db, [record.id for record in records])
        refused: dict[bytes, str] = {}
        seqs: list[int] = []
        run: list[log.Record] = []
        tickets: dict[str, Ticket | None] = {}
        stale: set[str] = set()
        statuses = self.store.statuses
        for record in records:
            ident = record.change.ticket
            if ident in stale:
                seqs += log.append(self.store, run, VISITOR)
                run, tickets, stale = [], {}, set()
            if ident not in tickets:
                tickets[ident] = self._outsourced(ident)
            ticket = tickets[ident]
            reason = ""
            if record.id not in known:
                status = record.change.set.get("status")
                closes = status is not None and statuses.get(str(status), "new") not in OPEN_CATEGORIES
                reason = colleagues.from_colleague(record.change, ticket, self.rights, closes=closes)
            if reason:
                refused[record.id] = reason
                continue
            known.add(record.id)
            run.append(record)
            paths = [*record.change.set, *(() if ticket is None else ticket.item_registers)]
            if any(path.startswith(("handoff/", "move/")) for path in paths):
                stale.add(ident)
        return seqs + log.append(self.store, run, VISITOR), refused

    def _outsourced(self, ident: str) -> Ticket | None:
        row = self.store.db.execute("SELECT num FROM tickets WHERE id = ?", (ident,)).fetchone()
        return None if row is None else reading.load(self.store, row[0])

    def _hold_to(self, identity: str, last: int, expect: Expect) -> None:
        """Raises OtherStoreError unless this is the store that the caller knows, as far as the caller has read it."""
        if identity != expect.store:
            raise OtherStoreError(f"{self.where} is another store than before")
        if last < expect.seq:
            raise OtherStoreError(
                f"{self.where} has {last} changes, but {expect.seq} of it were read before: it was set back"
            )
        if expect.id:
            row = self.store.db.execute("SELECT id FROM changes WHERE seq = ?", (expect.seq,)).fetchone()
            if row is None or row[0] != expect.id:
                raise OtherStoreError(
                    f"{self.where} has other changes than those that were read before: it was set back and went on"
                )

    def has_blob(self, sha256: str) -> BlobState:
        """What is there of the blob."""
        size = blobs.size_of(self.store, sha256)
        return BlobState(False, blobs.received(self.store, sha256)) if size is None else BlobState(True, size)

    def get_blob(self, sha256: str, offset: int = 0) -> Iterator[bytes]:
        """The bytes of a blob from there on."""
        return blobs.read(self.store, sha256, offset)

    def put_blob(self, sha256: str, source: BinaryIO, size: int, offset: int = 0) -> None:
        """Takes the bytes of a blob from there on."""
        if blobs.size_of(self.store, sha256) is None:
            blobs.receive(self.store, sha256, size, iter(lambda: source.read(blobs.CHUNK), b""), offset)

    def join(self, joining: Joining) -> Joined:
        """Takes in the partner that was invited."""
        from chit_sync.store import inviting

        return inviting.accept_invitation(self.store, joining)

    def close(self) -> None:
        """Closes the store."""
        self.store.close()


def _check(offer: Offer, now: int) -> Change | str:
    """The change, or why it is refused."""
    try:
        change = policy.examine(offer.id, offer.body)
    except UsageError as error:
        return error.message
    return policy.ahead(change, now) or change


def _numbers(db: Connection, records: Sequence[log.Record]) -> dict[bytes, int]:
    numbers: dict[bytes, int] = {}
    for part in chunks([record.id for record in records]):
        numbers.update(db.execute(f"SELECT id, ticket FROM changes WHERE id IN ({marks(part)})", part))
    return numbers


_financial = re.compile(
    rb'"(?:%b)/[0-9A-Za-z]{1,64}/(?:%b)":'
    % tuple(
        "|".join(sorted(set(names))).encode()
        for names in zip(
            *[(kind, name) for kind, fields in ITEMS.items() for name, field in fields.items() if field.right],
            strict=True,
        )
    )
).search


def _without_finance(rows: Sequence[Any]) -> list[Any]:
    """Without the changes that only who holds the right `finance` may see; where there is one, it is a change of its own."""
    return [row for row in rows if not _financial(row[3])]


def mark_served(store: Store, last: int) -> None:
    """Remembers that others may have seen the log up to there; costs a write only when that is news."""
    with explained(store.path):
        if store.meta(SERVED, 0) >= last:
            return
    with store.transaction():
        if store.meta(SERVED, 0) < last:
            store.set_meta(SERVED, last)
