"""The log of a store as one partner has it: only what is for that partner, in a sequence of its own. Stands in front of LocalLog.

What comes in is held to `arriving`; the store's desk rules on it in the same transaction. The server uses this for the token of a
partner, and so does a path between two stores on one disk.
"""

from collections.abc import Generator, Iterator, Sequence
from time import monotonic, sleep
from typing import BinaryIO

from chit_sync import arriving, policy
from chit_sync.change import Change
from chit_sync.codec import decode
from chit_sync.errors import AccessError, NotFoundError, OtherStoreError, UsageError
from chit_sync.handoffs import speaks_for
from chit_sync.invitation import Joined, Joining
from chit_sync.remotes.base import BlobState, Expect, Reading
from chit_sync.remotes.local import LocalLog, mark_served
from chit_sync.store import blobs, desk, log, partners, reading
from chit_sync.store.database import Store, explained
from chit_sync.store.partners import Partner
from chit_sync.store.remotes import VISITOR
from chit_sync.ticket import Ticket
from chit_sync.wire import HAD, PROTOCOL, REFUSED, TAKEN, Answer, Info, Offer, Result, Sent

PAGE = 200
"""Changes that are read in one go."""

TURN = 0.5
"""Seconds for which one partner's append may keep everybody else from writing."""

PAUSE = 0.15
"""Seconds after which it goes on: SQLite looks every tenth of a second whether it is its turn."""


class PartnerLog:
    """A store as its service partner sees it."""

    def __init__(self, local: LocalLog, partner: Partner, *, closed: bool = False) -> None:
        """closed: the partnership has ended, and nothing is running any more: what was not read yet can be, and that is all."""
        self.local = local
        self.store: Store = local.store
        self.partner = partner
        self.closed = closed
        self.where = local.where
        if local.writable:
            desk.expire(self.store)

    def info(self) -> Info:
        """Who this is; nothing of how much there is for others."""
        self._check_open()
        return self._info()

    def _info(self) -> Info:
        with explained(self.store.path):
            return Info(
                protocol=PROTOCOL,
                store=self.store.meta("store"),
                name=self.partner.own,
                last=self._last(),
                time=self.store.now(),
                statuses={},
                limits=self.local.limits,
            )

    def _last(self) -> int:
        return int(
            self.store.db.execute(
                "SELECT coalesce(max(place), 0) FROM outbound WHERE partner = ?", (self.partner.id,)
            ).fetchone()[0]
        )

    def read(self, after: int, limit: int | None = None, expect: Expect | None = None) -> Reading:
        """The changes for this partner after that place of its own sequence."""
        if after < 0 or (limit is not None and limit < 1):
            raise UsageError("a place in the log is a number from 0, a limit one from 1")
        info = self._info()
        if expect:
            self._hold_to(info.store, info.last, expect)
        if info.last <= after:
            self._check_open()
        if info.last > after and self.local.writable:
            with explained(self.store.path):
                newest, place = self.store.db.execute(
                    "SELECT max(seq), max(place) FROM"
                    " (SELECT seq, place FROM outbound WHERE partner = ? AND place > ? ORDER BY place LIMIT ?)",
                    (self.partner.id, after, -1 if limit is None else limit),
                ).fetchone()
            mark_served(self.store, newest)
            partners.fetched(self.store, self.partner, place)
        return Reading(info, self._batches(after, info.last, limit))

    def _batches(self, after: int, last: int, limit: int | None) -> Generator[list[Sent], None, None]:
        left = last if limit is None else limit
        while after < last and left:
            with explained(self.store.path):
                rows = self.store.db.execute(
                    "SELECT o.place, c.ticket, c.id, c.body FROM outbound o JOIN changes c USING (seq)"
                    " WHERE o.partner = ? AND o.place > ? AND o.place <= ? ORDER BY o.place LIMIT ?",
                    (self.partner.id, after, last, min(PAGE, left)),
                ).fetchall()
            if not rows:
                return
            left -= len(rows)
            after = rows[-1][0]
            yield list(map(Sent._make, rows))

    def own(self) -> Reading:
        """What this partner sent and this store took, in its order."""
        return Reading(self._info(), self._own())

    def _own(self) -> Generator[list[Sent], None, None]:
        after = place = 0
        while True:
            with explained(self.store.path):
                rows = self.store.db.execute(
                    "SELECT seq, ticket, id, body FROM changes WHERE seq > ? AND ticket IN"
                    " (SELECT num FROM handoffs WHERE role = 'lead' AND partner = ?) ORDER BY seq LIMIT ?",
                    (after, self.partner.name, PAGE),
                ).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            batch: list[Sent] = []
            for _, number, ident, body in rows:
                if speaks_for(decode(body).by, self.partner.name):
                    place += 1
                    batch.append(Sent(place, number, ident, body))
            if batch:
                yield batch

    def append(self, offers: Sequence[Offer], expect: Expect | None = None) -> Answer:
        """Takes what a service partner may send, each change after the ruling on the one before."""
        self._check_open()
        store = self.store
        results: list[Result] = []
        identity, before = "", None
        while True:
            with store.transaction() as db:
                if before is None:
                    identity, before = store.meta("store"), self._last()
                    if expect:
                        self._hold_to(identity, before, expect)
                until = monotonic() + TURN
                while len(results) < len(offers):
                    offer = offers[len(results)]
                    results.append(self._take(offer, log.existing(db, [offer.id])))
                    if monotonic() > until:
                        break
                last = self._last()
            if len(results) == len(offers):
                return Answer(identity, before, last, results)
            sleep(PAUSE)

    def _take(self, offer: Offer, known: set[bytes]) -> Result:
        try:
            change = policy.examine(offer.id, offer.body)
        except UsageError as error:
            return Result(REFUSED, reason=error.message)
        number = self._ticket(change.ticket)
        if known:
            mine = number and speaks_for(change.by, self.partner.name)
            return Result(HAD, 0, number) if mine else Result(REFUSED, reason=arriving.UNKNOWN)
        ticket = reading.load(self.store, number) if number else None
        reason = policy.ahead(change, self.store.now()) or arriving.from_service(
            change, ticket, self.partner.name, self.partner.own
        )
        if reason or ticket is None:
            return Result(REFUSED, reason=reason)
        reason = self._without_bytes(change, ticket)
        if reason:
            return Result(REFUSED, reason=reason)
        db = self.store.db
        db.execute("SAVEPOINT taking")
        log.append(self.store, [log.Record(offer.id, offer.body, change)], VISITOR)
        if any(path.startswith(("time/", "charge/")) for path in change.set):
            reason = arriving.exceeded(ticket, reading.load(self.store, number), self.partner.name)
            if reason:
                db.execute("ROLLBACK TO taking")
        db.execute("RELEASE taking")
        return Result(REFUSED, reason=reason) if reason else Result(TAKEN, 0, number)

    def _without_bytes(self, change: Change, ticket: Ticket) -> str:
        """Why files are not taken: a file is named by its hash, and whoever has only that could have it shown here as its own."""
        for key in {path.rpartition("/")[0] for path in change.set if path.endswith(("/sha256", "/size"))}:
            sha256 = str(change.set.get(f"{key}/sha256") or ticket.item(key).get("sha256"))
            size = change.set.get(f"{key}/size", ticket.item(key).get("size"))
            if not self._may_have(sha256):
                return f"attachment {key[11:19]}: its bytes were not sent"
            if size is not None and size != blobs.size_of(self.store, sha256):
                return f"attachment {key[11:19]}: it has another size"
        return ""

    def _check_open(self) -> None:
        if self.closed:
            raise AccessError("the partnership has ended", "Ask for a new invitation.")

    def _ticket(self, ident: str) -> int:
        row = self.store.db.execute("SELECT num FROM tickets WHERE id = ?", (ident,)).fetchone()
        return 0 if row is None else int(row[0])

    def _hold_to(self, identity: str, last: int, expect: Expect) -> None:
        """Raises OtherStoreError unless this is the log that the partner knows, as far as it has read it."""
        if identity != expect.store:
            raise OtherStoreError(f"{self.where} is another store than before")
        if last < expect.seq:
            raise OtherStoreError(f"{self.where} has less for you than you have read before: it was set back")
        if expect.id and expect.seq:
            row = self.store.db.execute(
                "SELECT c.id FROM outbound o JOIN changes c USING (seq) WHERE o.partner = ? AND o.place = ?",
                (self.partner.id, expect.seq),
            ).fetchone()
            if row is None or row[0] != expect.id:
                raise OtherStoreError(f"{self.where} has other changes than you have read before: it was set back")

    # The bytes of attachments: those that were sent either way in a handoff, and no others, whatever else is here.

    def _may_have(self, sha256: str) -> bool:
        with explained(self.store.path):
            row = self.store.db.execute(
                "SELECT 1 FROM partner_blobs WHERE partner = ? AND sha256 = ?", (self.partner.id, sha256)
            ).fetchone()
        return row is not None

    def has_blob(self, sha256: str) -> BlobState:
        """What this partner may know of the blob."""
        if self._may_have(sha256) and (state := self.local.has_blob(sha256)).whole:
            return state
        return BlobState(False, blobs.received(self.store, sha256, self.partner.id), self.local.limits.blob)

    def get_blob(self, sha256: str, offset: int = 0) -> Iterator[bytes]:
        """The bytes of a blob that is the partner's to have. Raises NotFoundError."""
        if not self._may_have(sha256):
            raise NotFoundError("there is no such attachment")
        return self.local.get_blob(sha256, offset)

    def put_blob(self, sha256: str, source: BinaryIO, size: int, offset: int = 0) -> None:
        """Takes the bytes of a blob from there on. All of them must be sent, even if they are here: only who had them may have them."""
        self._check_open()
        chunks = iter(lambda: source.read(blobs.CHUNK), b"")
        blobs.receive(self.store, sha256, size, chunks, offset, apart=self.partner.id)
        with self.store.transaction() as db:
            db.execute("INSERT OR IGNORE INTO partner_blobs VALUES (?, ?)", (self.partner.id, sha256))

    def join(self, joining: Joining) -> Joined:
        """A partner that asks again is answered again."""
        return self.local.join(joining)

    def close(self) -> None:
        """Closes the store."""
        self.local.close()


def partner_log(local: LocalLog, secret: str) -> PartnerLog:
    """The log for the partner with that token. Raises AccessError for an unknown one."""
    partner = partners.of_token(local.store, secret)
    if partner is None:
        raise AccessError("the partner's token is unknown or was revoked", "Ask for a new invitation.")
    return PartnerLog(local, partner, closed=partner.ended is not None and not _running(local.store, partner))


def _running(store: Store, partner: Partner) -> bool:
    with explained(store.path):
        row = store.db.execute(
            "SELECT 1 FROM handoffs WHERE role = 'lead' AND partner = ?"
            " AND ruled IN ('assigned', 'accepted', 'in-progress', 'awaiting-approval') LIMIT 1",
            (partner.name,),
        ).fetchone()
    return row is not None
