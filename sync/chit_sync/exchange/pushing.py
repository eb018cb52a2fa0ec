"""Push: offering our changes to a remote. Batch by batch; what came of each is noted before the next one is sent.

The bytes of attachments go first, so that nobody sees a file that is not there. While an answer is outstanding, or was lost, what was
offered counts as gone to the remote: `undo` leaves it alone.
"""

from array import array
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, cast

from chit_sync.errors import AccessError, OtherStoreError, PolicyError
from chit_sync.exchange import attachments, cursor, refusals
from chit_sync.exchange.results import Progress, Pushed, Refused, silent
from chit_sync.remotes.base import Log, UnreachedError
from chit_sync.store import log, remotes
from chit_sync.store.database import Store, explained, marks
from chit_sync.store.remotes import Remote
from chit_sync.wire import HAD, REFUSED, TAKEN, Answer, Offer, Result

if TYPE_CHECKING:
    from chit_sync.exchange.mirror.session import MappingFor
    from chit_sync.helpdesks.base import Helpdesk

BATCH = 2_000
BATCH_BYTES = 4 << 20
"""Changes and bytes that are sent at once; below what every server takes."""

STEP = 200
"""Changes that are read from the log at once."""

Row = tuple[int, bytes, int, bytes]
"""(seq, id, ticket's number, body)"""


def push(
    store: Store,
    remote: Remote,
    target: "Log | Helpdesk",
    *,
    mapping: "MappingFor | None" = None,
    tickets: Collection[int] | None = None,
    again: bool = False,
    progress: Progress = silent,
    dry_run: bool = False,
) -> Pushed:
    """Offers the remote the changes that it has not: all, or those of these tickets (this store's numbers).

    mapping: for a helpdesk, what its words mean here. again: also those that it refused before. dry_run: counts what would be sent, as
    `taken`, and asks nobody. Raises RemoteError, AccessError; what was taken before is noted, the next push goes on from there.
    """
    if mapping is not None:
        from chit_sync.exchange.mirror.sending import push as push_helpdesk

        return push_helpdesk(
            store, remote, cast("Helpdesk", target), mapping=mapping, tickets=tickets, again=again, progress=progress,
            dry_run=dry_run,
        )  # fmt: skip
    target = cast("Log", target)
    remote = remotes.get(store, remote.name)
    last = log.last_seq(store.db)
    plan, numbers = _plan(store, remote, last, tickets, again=again)
    if dry_run:
        return Pushed(len(plan), tickets=tuple(sorted(numbers)))
    sending = _Sending(store, remote, target, whole=tickets is None)
    if plan:
        sending.start(plan[-1])
    done = 0
    for rows in _pages(store, plan):
        sending.batch(rows)
        done += len(rows)
        progress(done, len(plan))
    sending.finish(last)
    if plan:
        refusals.settle(store, remote)
    return sending.result()


def _plan(
    store: Store, remote: Remote, last: int, tickets: Collection[int] | None, *, again: bool
) -> tuple["array[int]", set[int]]:
    """The places of the changes to be sent, and the tickets that they are about."""
    refused = "(SELECT seq FROM refusals WHERE remote = :remote)"
    which = f"SELECT * FROM ({remotes.UNSENT}) WHERE seq NOT IN {refused}"
    if again:
        which = f"{remotes.UNSENT} UNION SELECT seq, ticket FROM changes WHERE seq IN {refused}"
    plan, numbers = array("q"), set()
    with explained(store.path):
        for seq, ticket in store.db.execute(
            f"SELECT seq, ticket FROM ({which}) WHERE seq <= :last ORDER BY seq",
            {
                "remote": remote.id,
                "pushed": remote.pushed,
                "last": last,
                "partner": remotes.partner_of(store.db, remote.id),
                "own": False,
            },
        ):
            if tickets is None or ticket in tickets:
                plan.append(seq)
                numbers.add(ticket)
    return plan, numbers


def _pages(store: Store, plan: "array[int]") -> Iterator[list[Row]]:
    """The changes at these places, as many at a time as are sent at once."""
    page: list[Row] = []
    size = 0
    for start in range(0, len(plan), STEP):
        part = plan[start : start + STEP].tolist()
        with explained(store.path):
            rows: list[Row] = store.db.execute(
                f"SELECT seq, id, ticket, body FROM changes WHERE seq IN ({marks(part)}) ORDER BY seq", part
            ).fetchall()
        for row in rows:
            if len(page) >= BATCH or (page and size + len(row[3]) > BATCH_BYTES):
                yield page
                page, size = [], 0
            page.append(row)
            size += len(row[3])
    if page:
        yield page


class _Sending:
    """A push under way, and what it came to so far."""

    def __init__(self, store: Store, remote: Remote, target: Log, *, whole: bool) -> None:
        self.store = store
        self.remote = remote
        self.target = target
        self.whole = whole
        """Whether everything unsent is sent, so that the cursor can move."""
        self.taken = 0
        self.had = 0
        self.blobs = 0
        self.earlier = store.meta(remotes.offered_key(remote.id), 0)
        """The newest place that an earlier push has offered whose answer was lost."""
        self.tickets: set[int] = set()
        self.refused: list[Refused] = []

    def start(self, last: int) -> None:
        """Finds out who the remote is, if that is not known, and notes what it is about to be offered."""
        if self.remote.store is None:
            info = self.target.info()
            cursor.check(self.store, self.remote, info)
            self.remote = cursor.remember(self.store, self.remote, info)
        with self.store.transaction():
            self.store.set_meta(remotes.offered_key(self.remote.id), max(self.earlier, last))

    def batch(self, rows: Sequence[Row]) -> None:
        """Sends one batch and notes what came of it."""
        try:
            refused = self._send_blobs(rows)
            offered = [row for row in rows if row[0] not in refused]
            expect = cursor.expectation(self.store, self.remote)
            with cursor.advised(self.remote, self.store):
                answer = self.target.append([Offer(row[1], row[3]) for row in offered], expect)
        except (AccessError, OtherStoreError, UnreachedError):
            with self.store.transaction():
                self._not_offered()
            raise
        results = list(zip(offered, answer.results, strict=True))
        refused.update({row[0]: result.reason for row, result in results if result.status == REFUSED})
        with self.store.transaction() as db:
            now = self.store.now()
            db.executemany(
                "DELETE FROM refusals WHERE remote = ? AND seq = ?",
                [(self.remote.id, row[0]) for row, result in results if result.status != REFUSED],
            )
            db.executemany(
                "INSERT INTO refusals VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET time = excluded.time, reason = excluded.reason",
                [(self.remote.id, seq, now, reason) for seq, reason in refused.items()],
            )
            db.executemany(
                "INSERT OR IGNORE INTO numbers VALUES (?, ?, ?)",
                {(self.remote.id, result.number, row[2]) for row, result in results if result.number},
            )
            self._hold(rows, refused)
            if self.whole:
                self.reach(rows[-1][0])
            else:
                db.executemany(
                    "UPDATE changes SET origin = ? WHERE seq = ?",
                    [(self.remote.id, row[0]) for row, result in results if result.status != REFUSED],
                )
            self._follow(answer, results)
        self.remote = remotes.get(self.store, self.remote.name)
        self.taken += sum([1 for result in answer.results if result.status == TAKEN])
        self.had += sum([1 for result in answer.results if result.status == HAD])
        self.tickets.update(row[2] for row, result in results if result.status != REFUSED)
        self.refused += [Refused(row[0], row[2], refused[row[0]]) for row in rows if row[0] in refused]

    def _send_blobs(self, rows: Sequence[Row]) -> dict[int, str]:
        """Sends the bytes that these changes speak of; returns why not, by the change's place."""
        refused: dict[int, str] = {}
        for seq, _, _, body in rows:
            for sha256 in attachments.named_in(body):
                try:
                    self.blobs += attachments.send(self.store, self.target, sha256)
                except PolicyError as error:
                    refused[seq] = error.message
        return refused

    def _hold(self, rows: Sequence[Row], refused: dict[int, str]) -> None:
        """What a partner did not take of comments, files, time and charges is held back from it: it can be released later."""
        partner = remotes.partner_of(self.store.db, self.remote.id)
        if not refused or partner is None:
            return
        from chit_sync.codec import decode
        from chit_sync.store import desk

        for seq, _, number, body in rows:
            if seq in refused and desk.hold(self.store, number, decode(body).set):
                self.store.db.execute("DELETE FROM refusals WHERE remote = ? AND seq = ?", (self.remote.id, seq))
                self.store.db.execute(
                    "UPDATE outbound SET refused = ? WHERE partner = ? AND seq = ?", (refused[seq], partner, seq)
                )

    def _follow(self, answer: Answer, results: Sequence[tuple[Row, Result]]) -> None:
        """Where nobody else's changes lie between what we had read of the remote's log and what we just added, all of it is read."""
        here = remotes.get(self.store, self.remote.name)
        if not here.fetched <= here.pulled == answer.before:
            return
        newest = max(results, key=lambda pair: pair[1].seq, default=None)
        taken = sum([1 for _, result in results if result.status == TAKEN])
        # A desk's rulings lie between the changes that it took.
        if newest and 0 < taken == answer.last - answer.before and newest[1].seq == answer.last:
            cursor.advance(self.store, here.id, pulled=answer.last, tip=newest[0][1])

    def reach(self, seq: int) -> None:
        """All up to there was dealt with."""
        self.store.db.execute(
            "UPDATE remotes SET pushed = max(pushed, ?), contact = ? WHERE id = ?",
            (remotes.place_of(self.store.db, self.remote.id, seq), self.store.now(), self.remote.id),
        )

    def finish(self, last: int) -> None:
        """Every answer has come."""
        key = remotes.offered_key(self.remote.id)
        unsaid = self.whole and self.remote.pushed < remotes.place_of(self.store.db, self.remote.id, last)
        if not unsaid and self.store.meta(key) is None:
            return
        with self.store.transaction():
            if self.whole:
                self.earlier = 0
                self.reach(last)
            self._not_offered()

    def _not_offered(self) -> None:
        """No answer of this push is outstanding."""
        key = remotes.offered_key(self.remote.id)
        if self.earlier:
            self.store.set_meta(key, self.earlier)
        else:
            self.store.db.execute("DELETE FROM meta WHERE key = ?", (key,))

    def result(self) -> Pushed:
        """What the push came to."""
        return Pushed(self.taken, self.had, tuple(sorted(self.tickets)), tuple(self.refused), self.blobs)
