"""Push to a helpdesk: what was written here becomes calls, each written down before it is made and after it is known what came of it.

A ticket's fields are read and compared right before they are written, and read back after; what was not taken is reported. A call that
makes something (a ticket, a comment, a file, time) is never repeated before it was looked up.
"""

import json
from collections.abc import Collection, Mapping

from chit_sync.codec import decode
from chit_sync.errors import AccessError, ChitError
from chit_sync.exchange import refusals
from chit_sync.exchange.mirror.consequences import may_come, meant, overridden
from chit_sync.exchange.mirror.session import MappingFor, Session, alone
from chit_sync.exchange.mirror.settling import KINDS, done, look_up, settle
from chit_sync.exchange.mirror.taking import Taking
from chit_sync.exchange.results import Planned, Progress, Pushed, Refused, silent
from chit_sync.helpdesks.base import UNSAFE, Call, DoubtError, Gone, Helpdesk, Outcome, RefusedError, StaleError
from chit_sync.helpdesks.planning import IN_CONFLICT, Left, Plan, Step, There, plan
from chit_sync.remotes.base import UnreachedError
from chit_sync.store import bases, blobs, log, reading, remotes
from chit_sync.store.database import Store
from chit_sync.store.remotes import Remote
from chit_sync.ticket import Ticket

AT_ONCE = 50
"""Tickets that are read back at once."""

TRIES = 3
"""How often a ticket is compared again when somebody else changes it at the same time."""


def push(
    store: Store,
    remote: Remote,
    desk: Helpdesk,
    *,
    mapping: MappingFor,
    tickets: Collection[int] | None = None,
    again: bool = False,
    progress: Progress = silent,
    dry_run: bool = False,
) -> Pushed:
    """Brings what was written in this store to a helpdesk: all, or what concerns these tickets (this store's numbers).

    Of tickets that are named, also what colleagues wrote. again: also what was refused before. dry_run: only plans; `planned` has the calls
    and what stays here. Raises AccessError, RemoteError; what was done before is noted, the next push goes on from there.
    """
    with alone(store, remote):
        session = Session(store, remote, desk, mapping)
        if not dry_run:
            settle(session)
            with store.transaction():
                Taking(session).waiting()
        return _Sending(session, tickets, again=again).run(progress, dry_run=dry_run)


class _Sending:
    """A push under way, and what it came to so far."""

    def __init__(self, session: Session, tickets: Collection[int] | None, *, again: bool) -> None:
        self.session = session
        self.store = session.store
        self.remote = session.remote
        self.named = tickets
        self.again = again
        self.taking = Taking(session)
        self.copied: int = self.store.meta("copied", 0)
        """Up to where the log is that of another store too, of which this one is a copy: that may have sent what is in it."""
        self.sent: set[int] = set()
        self.tickets: set[int] = set()
        self.refused: dict[int, Refused] = {}
        self.planned: list[Planned] = []
        self.blobs = 0
        self.making = False
        self.shared = len(remotes.listing(self.store)) > 1
        """Whether a ticket is planned that is not there yet: that it was refused once keeps nothing of it back."""
        self.blamed: set[tuple[int, str]] = set()
        """Fields, by their names there, of which it was said why they were not taken."""
        self.waiting: dict[int, int] = {}
        """Changes that can be sent as soon as something else is there, to their tickets."""
        self.made: list[int] = []
        """The helpdesk's numbers of tickets that were made and not read yet."""
        self.back: dict[int, int] = {}
        """Tickets that were written to and not read back: the helpdesk's number to ours."""
        facing = session.facing
        self.partners = {row[0] for row in self.store.db.execute("SELECT name FROM partners")}
        tables = facing.words
        self.all = tickets is not None or tables.send == "all"
        new = tables.new
        self.creates = tickets is not None or (
            remotes.get(self.store).id == self.remote.id if new is None else bool(new)
        )
        self.there = There(
            facing,
            session.about,
            self._sends,
            session.number,
            lambda sha256: blobs.size_of(self.store, sha256),
            self._is_partner,
        )
        where = "SELECT seq FROM refusals WHERE remote = ?"
        self.kept_back = set() if again else {row[0] for row in self.store.db.execute(where, (self.remote.id,))}

    def run(self, progress: Progress, *, dry_run: bool) -> Pushed:
        last = log.last_seq(self.store.db)
        numbers = self._candidates(last)
        if not dry_run and numbers:
            key = remotes.offered_key(self.remote.id)
            if self.store.meta(key) is not None:  # a push was interrupted: what it wrote was not read back
                there = {ours: self.session.number(self._ident(ours)) for ours in numbers}
                self.back = {number: ours for ours, number in there.items() if number is not None}
            with self.store.transaction():
                self.store.set_meta(key, last)
        # Tickets are made before anything else is sent, so that links between new ones have both their ends.
        for count, number in enumerate(numbers, 1):
            if dry_run:
                self._foresee(number)
            elif self.session.number(self._ident(number)) is None and self.creates:
                self._create(number)
            progress(count, 2 * len(numbers))
        self._take_made()
        if dry_run:
            seqs = {seq for one in self.planned for seq in one.seqs if one.verb}
            return Pushed(
                len(seqs),
                tickets=tuple(sorted({one.ticket for one in self.planned if one.verb})),
                planned=tuple(self.planned),
            )
        for count, number in enumerate(numbers, 1):
            if self.session.number(self._ident(number)) is not None:
                self._bring(number)
            if len(self.back) >= AT_ONCE:
                self._read_back()
            progress(len(numbers) + count, 2 * len(numbers))
        self._read_back()
        self._finish(last, numbers)
        return Pushed(
            len(self.sent), 0, tuple(sorted(self.tickets)), tuple(self.refused.values()), self.blobs,
            tuple(self.planned), self.taking.result(),
        )  # fmt: skip

    def _candidates(self, last: int) -> list[int]:
        """The tickets in which there may be something to send."""
        if self.named is not None:
            return sorted(self.named)
        own = "" if self.all or self.partners else "AND origin = 0"
        again = (
            "UNION SELECT c.ticket FROM refusals f JOIN changes c USING (seq) WHERE f.remote = :remote"
            if self.again
            else ""
        )
        rows = self.store.db.execute(
            f"SELECT ticket FROM changes WHERE seq > :pushed AND seq <= :last AND origin <> :remote {own} {again} ORDER BY 1",
            {"pushed": self.remote.pushed, "last": last, "remote": self.remote.id},
        )
        return sorted({row[0] for row in rows} | self._later())

    def _later(self) -> set[int]:
        """The tickets of which something waited for something else when they were sent."""
        kept: list[int] = json.loads(self.store.meta(remotes.later_key(self.remote.id), "[]"))
        return set(kept)

    def _sends(self, seq: int) -> bool:
        """Whether what a change wrote is for us to send: it was made here, or came from a partner of ours; not from there."""
        if seq in self.kept_back and not self.making:
            return False
        origin, body = self.store.db.execute("SELECT origin, body FROM changes WHERE seq = ?", (seq,)).fetchone()
        if b'"mirror"' in body and decode(body).mirror == self.session.facing.mirror:
            return False
        return origin == log.HERE or self.all or (origin != self.remote.id and self._is_partner(decode(body).by))

    def _is_partner(self, author: str) -> bool:
        return "@" in author and author.rpartition("@")[2] in self.partners

    def _ident(self, number: int) -> str:
        return str(self.store.db.execute("SELECT id FROM tickets WHERE num = ?", (number,)).fetchone()[0])

    def _plan(self, ticket: Ticket, wins: Mapping[str, int] | None = None) -> tuple[int, Plan]:
        number = self.session.number(ticket.id) or 0
        agreed = bases.base(self.store, self.remote.id, number) if number else None
        self.making = not number
        return number, plan(self.there, ticket, number, agreed, wins)

    def _foresee(self, ours: int) -> None:
        """What would be done about a ticket, as far as it can be told before it is there."""
        ticket = reading.load(self.store, ours)
        number, found = self._plan(ticket)
        if not number and not (self.creates and self._may_create(ours)):
            return
        self._note(ours, found)
        if not number and found.steps:
            # What comes after the ticket was made, planned as if that was done.
            self._note(ours, Plan([step for step in plan(self.there, ticket, -1, None).steps if step.key], []))

    def _note(self, ours: int, found: Plan) -> None:
        for step in found.steps:
            self.planned.append(Planned(ours, step.call.verb, step.key or ", ".join(step.call.fields), "", step.seqs))
        for left in found.left:
            self._stay(ours, left)

    def _may_create(self, ours: int) -> bool:
        """Whether a ticket of which no number there is known is to be made there, and by us."""
        rows = self.store.db.execute("SELECT seq, body FROM changes WHERE ticket = ? ORDER BY seq", (ours,)).fetchall()
        mirror = self.session.facing.mirror
        if any(b'"mirror"' in body and decode(body).mirror == mirror for _, body in rows):
            reason = f"it is in {self.remote.name}, under a number that is not known here yet: pull from there first"
            self._stay(ours, Left("ticket", rows[-1][0], reason, refused=False))
            return False
        return self.all or rows[0][0] in self.kept_back or self._sends(rows[0][0])  # a colleague's is for them to send

    def _create(self, ours: int) -> None:
        if not self._may_create(ours):
            return
        ticket = reading.load(self.store, ours)
        _, found = self._plan(ticket)
        self._leave(ours, found.left)
        for step in found.steps:
            if step.call.verb == "create" and (self._is_there(ours, step.call) or self._perform(ours, step)):
                number = self.session.number(ticket.id)
                if number is not None:
                    self.made.append(number)

    def _take_made(self) -> None:
        """Reads the tickets that were made and takes them in: together, which for most helpdesks are fewer questions."""
        made, self.made = self.made, []
        for start in range(0, len(made), AT_ONCE):
            part = made[start : start + AT_ONCE]
            found = self.session.read(part)
            for number in part:
                self.back.pop(number, None)
            with self.store.transaction():
                self.taking.page(found)

    def _is_there(self, ours: int, call: Call) -> bool:
        """Whether a colleague who named it has made the ticket; asked for one that a colleague may have."""
        outcome = look_up(self.session, ours, call) if self.shared else None
        if outcome is not None:
            with self.store.transaction():
                done(self.session, ours, call, outcome)
        return outcome is not None

    def _bring(self, ours: int) -> None:
        """Everything about a ticket that is there: first what only adds to it, then, freshly compared, what replaces something."""
        ticket = reading.load(self.store, ours)
        number = self.session.number(ticket.id) or 0
        _, found = self._plan(ticket)
        # One that was made and not read since; one of which a colleague who named it may have sent what is ours.
        unread = bases.base(self.store, self.remote.id, number) is None
        if unread or (self.shared and any(step.call.verb in UNSAFE for step in found.steps)):
            if not self._take(number):
                return
            ticket = reading.load(self.store, ours)
            _, found = self._plan(ticket)
        self._leave(ours, found.left)
        if any(step.call.verb not in UNSAFE for step in found.steps):
            fields: dict[str, int] = {}
            if may_come(found):
                if not self._take(number):
                    return
                ticket = reading.load(self.store, ours)
                _, found = self._plan(ticket)
                fields = meant(ticket, found)
            for step in found.steps:
                if step.call.verb in UNSAFE:
                    self._perform(ours, step)
            self._replace(ours, number, fields)
            return
        for step in found.steps:
            self._perform(ours, step)

    def _replace(self, ours: int, number: int, fields: Mapping[str, int]) -> None:
        for _ in range(TRIES):
            if not self._take(number):
                return
            ticket = reading.load(self.store, ours)
            _, found = self._plan(ticket, overridden(self.session, ticket, fields))
            self._leave(ours, found.left)
            try:
                for step in found.steps:
                    if step.call.verb not in UNSAFE:
                        self._apart(ours, step)
                return
            except StaleError:
                continue
        reason = f"it kept changing in {self.remote.name} while it was compared; run it again"
        for step in found.steps:
            self._refuse(ours, step.seqs, reason)

    def _apart(self, ours: int, step: Step) -> None:
        """One call; if several fields are refused together, field by field, so that only the bad one stays."""
        together = len(step.call.fields) > 1 and step.call.verb == "update"
        if self._perform(ours, step, alone=not together) or not together:
            return
        for path, value in step.call.fields.items():
            call = step.call._replace(fields={path: value}, version="")
            ours_path = self.there.desk.words.to_ours(path, None)[0] if path.startswith("x.") else path
            heads = reading.load(self.store, ours).registers[ours_path]
            self._perform(ours, step._replace(call=call, seqs=(heads[0][0],)))

    def _perform(self, ours: int, step: Step, *, alone: bool = True) -> bool:
        """One call, with what it is written down as before and after. Whether it was done. alone: a refusal is for what it carries."""
        with self.store.transaction():
            ident = bases.open_call(self.store, self.remote.id, ours, step.key, step.call)
        try:
            outcome = self._ask(ours, step)
        except (RefusedError, StaleError, UnreachedError, AccessError) as error:
            with self.store.transaction():
                bases.close_call(self.store, ident)
            if isinstance(error, RefusedError):
                if alone:
                    self._refuse(ours, step.seqs, error.message)
                    self.blamed.update((ours, path) for path in step.call.fields)
                return False
            raise
        with self.store.transaction() as db:
            bases.close_call(self.store, ident)
            if outcome is None:
                return False
            done(self.session, ours, step.call, outcome)
            if step.key or step.call.verb == "create":
                db.executemany(
                    "DELETE FROM refusals WHERE remote = ? AND seq = ?", [(self.remote.id, seq) for seq in step.seqs]
                )
            if outcome.snapshot is not None:
                self.taking.snapshot(outcome.snapshot)
        self.sent.update(step.seqs)
        self.tickets.add(ours)
        self.blobs += step.call.verb == "attach"
        number = outcome.number or step.call.number
        if outcome.snapshot is None or step.call.verb == "update":
            self.back[number] = ours
        return True

    def _ask(self, ours: int, step: Step) -> Outcome | None:
        """Makes the call. None if the helpdesk was in trouble and did not do it."""
        call: Call = step.call
        if call.verb in UNSAFE and min(step.seqs, default=0) <= self.copied:
            found = look_up(self.session, ours, call, twin=True)
            if found is not None:
                return found
        try:
            if step.sha256:
                with open(blobs.path(self.store, step.sha256), "rb") as file:
                    outcome = self.session.desk.perform(call, file)
            else:
                outcome = self.session.desk.perform(call)
            if call.verb == "create" and self.session.ticket(outcome.number) not in (None, call.token):
                raise RefusedError(
                    f"{self.remote.name} says that it made #{outcome.number} of it, which is another ticket: see whether it is there"
                )
        except DoubtError as error:
            if not error.settled:
                raise
            try:
                found = look_up(self.session, ours, call)
            except ChitError as lost:  # it stays open, to be settled by the next command
                raise error from lost
            if found is None and call.verb in UNSAFE:
                self._refuse(ours, step.seqs, error.message)
                return None
            return found or Outcome(call.number, call.id)  # reading back tells
        return outcome if outcome.id or call.verb not in KINDS else self._which(ours, step)

    def _which(self, ours: int, step: Step) -> Outcome | None:
        """What a call has made, where its answer does not tell: until that is known the call stays open, or it would be made again."""
        try:
            found = look_up(self.session, ours, step.call)
        except ChitError as lost:
            raise DoubtError(lost.message, lost.hint, settled=True) from lost
        if found is None:
            self._refuse(
                ours, step.seqs, f"{self.remote.name} says that it took it, and does not show it as it was sent"
            )
        return found

    def _take(self, number: int) -> bool:
        """Reads a ticket and takes it in; whether it is still there to be written to."""
        (found,) = self.session.read([number])
        self.back.pop(number, None)
        with self.store.transaction():
            self.taking.page([found])
        return not isinstance(found, Gone)

    def _read_back(self) -> None:
        """Reads what was written to, takes that in, and says what was not taken there."""
        back, self.back = self.back, {}
        if not back:
            return
        found = self.session.read(list(back))
        with self.store.transaction():
            self.taking.page(found)
        for one in found:
            if isinstance(one, Gone):
                continue
            ours = back[one.number]
            _, left = self._plan(reading.load(self.store, ours))
            for step in left.steps:
                paths = [path for path in sorted(step.call.fields) if (ours, path) not in self.blamed]
                if step.call.verb == "update" and paths:
                    kept = ", ".join(f"{path} is {one.fields.get(path)!r} there" for path in paths)
                    self._refuse(ours, step.seqs, f"{self.remote.name} did not take all of it: {kept}"[:500])

    def _stay(self, ours: int, one: Left) -> None:
        planned = Planned(ours, "", one.path, one.reason, (one.seq,))
        if planned not in self.planned:
            self.planned.append(planned)

    def _leave(self, ours: int, left: list[Left]) -> None:
        """Notes what is not sent."""
        for one in left:
            if one.waits:
                self.waiting[one.seq] = ours
            if one.refused:
                self._refuse(ours, (one.seq,), one.reason)
            elif one.seq > self.remote.pushed or one.reason == IN_CONFLICT:  # all others are said once
                self._stay(ours, one)

    def _refuse(self, ours: int, seqs: Collection[int], reason: str) -> None:
        with self.store.transaction() as db:
            db.executemany(
                "INSERT INTO refusals VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET time = excluded.time, reason = excluded.reason",
                [(self.remote.id, seq, self.store.now(), reason) for seq in seqs],
            )
        self.sent.difference_update(seqs)
        self.refused.update((seq, Refused(seq, ours, reason)) for seq in seqs)

    def _finish(self, last: int, numbers: Collection[int]) -> None:
        """Every answer has come."""
        with self.store.transaction() as db:
            if self.again:
                refusals.forget(self.store, self.remote, numbers, self.refused)
            if self.named is None:
                db.execute("UPDATE remotes SET pushed = max(pushed, ?) WHERE id = ?", (last, self.remote.id))
            else:
                db.executemany(
                    "UPDATE changes SET origin = ? WHERE ticket = ? AND origin = 0 AND seq <= ?"
                    " AND seq NOT IN (SELECT seq FROM refusals WHERE remote = ?)"
                    " AND seq NOT IN (SELECT value FROM json_each(?))",
                    [
                        (self.remote.id, number, last, self.remote.id, json.dumps(list(self.waiting)))
                        for number in numbers
                        if self.session.number(self._ident(number)) is not None
                    ],
                )
            before = self._later()
            later = before - set(numbers) | set(self.waiting.values()) | self._unknown(numbers)
            if later != before:
                self.store.set_meta(remotes.later_key(self.remote.id), json.dumps(sorted(later)))
            db.execute("UPDATE remotes SET contact = ? WHERE id = ?", (self.store.now(), self.remote.id))
            db.execute("DELETE FROM meta WHERE key = ?", (remotes.offered_key(self.remote.id),))
        refusals.settle(self.store, self.remote)

    def _unknown(self, numbers: Collection[int]) -> set[int]:
        """Those of the tickets that the helpdesk may have without our knowing it: a colleague's, of which only its log was pulled."""
        rows = self.store.db.execute(
            "SELECT c.ticket FROM refusals f JOIN changes c USING (seq) WHERE f.remote = ?", (self.remote.id,)
        )
        refused = {row[0] for row in rows}
        return {one for one in numbers if one not in refused and self.session.number(self._ident(one)) is None}
