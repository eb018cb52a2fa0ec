"""Push to a helpdesk: what was written here becomes calls, each written down before it is made and after it is known what came of it.

A ticket's fields are read and compared right before they are written, and read back after; what was not taken is reported. A call that
makes something (a ticket, a comment, a file, time) is never repeated before it was looked up.
"""

import json
from collections.abc import Collection, Mapping

from chit_sync.codec import decode
from chit_sync.exchange import refusals
from chit_sync.exchange.mirror.calling import Calling
from chit_sync.exchange.mirror.choosing import Choosing
from chit_sync.exchange.mirror.consequences import may_come, meant, overridden
from chit_sync.exchange.mirror.session import MappingFor, Session, alone
from chit_sync.exchange.mirror.settling import done, look_up, settle
from chit_sync.exchange.mirror.taking import Taking
from chit_sync.exchange.results import Planned, Progress, Pushed, silent
from chit_sync.helpdesks.base import UNSAFE, Call, Gone, Helpdesk, StaleError
from chit_sync.helpdesks.planning import IN_CONFLICT, Left, Plan, plan
from chit_sync.store import bases, log, reading, remotes
from chit_sync.store.database import Store
from chit_sync.store.remotes import Remote

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
        self.choosing = Choosing(session, tickets, again=again)
        self.taking = Taking(session)
        self.calls = Calling(self.choosing, self.taking)
        self.planned: list[Planned] = []
        self.shared = len(remotes.listing(self.store)) > 1
        """Whether a colleague may have sent what is ours to send."""
        self.waiting: dict[int, int] = {}
        """Changes that can be sent as soon as something else is there, to their tickets."""
        self.made: list[int] = []
        """The helpdesk's numbers of tickets that were made and not read yet."""

    def run(self, progress: Progress, *, dry_run: bool) -> Pushed:
        last = log.last_seq(self.store.db)
        numbers = self.choosing.candidates(last)
        if not dry_run and numbers:
            key = remotes.offered_key(self.remote.id)
            if self.store.meta(key) is not None:  # a push was interrupted: what it wrote was not read back
                there = {ours: self.session.number(self.choosing.ident(ours)) for ours in numbers}
                self.calls.back = {number: ours for ours, number in there.items() if number is not None}
            with self.store.transaction():
                self.store.set_meta(key, last)
        # Tickets are made before anything else is sent, so that links between new ones have both their ends.
        for count, number in enumerate(numbers, 1):
            if dry_run:
                self._foresee(number)
            elif self.session.number(self.choosing.ident(number)) is None and self.choosing.creates:
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
            if self.session.number(self.choosing.ident(number)) is not None:
                self._bring(number)
            if len(self.calls.back) >= AT_ONCE:
                self._read_back()
            progress(len(numbers) + count, 2 * len(numbers))
        self._read_back()
        self._finish(last, numbers)
        return Pushed(
            len(self.calls.sent), 0, tuple(sorted(self.calls.tickets)), tuple(self.calls.refused.values()), self.calls.files,
            tuple(self.planned), self.taking.result(),
        )  # fmt: skip

    def _foresee(self, ours: int) -> None:
        """What would be done about a ticket, as far as it can be told before it is there."""
        ticket = reading.load(self.store, ours)
        number, found = self.choosing.plan(ticket)
        if not number and not (self.choosing.creates and self._may_create(ours)):
            return
        self._note(ours, found)
        if not number and found.steps:
            # What comes after the ticket was made, planned as if that was done.
            self._note(ours, Plan([step for step in plan(self.choosing.there, ticket, -1, None).steps if step.key], []))

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
        return (
            self.choosing.all or rows[0][0] in self.choosing.kept_back or self.choosing.sends(rows[0][0])
        )  # a colleague's is for them to send

    def _create(self, ours: int) -> None:
        if not self._may_create(ours):
            return
        ticket = reading.load(self.store, ours)
        _, found = self.choosing.plan(ticket)
        self._leave(ours, found.left)
        for step in found.steps:
            if step.call.verb == "create" and (self._is_there(ours, step.call) or self.calls.perform(ours, step)):
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
                self.calls.back.pop(number, None)
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
        _, found = self.choosing.plan(ticket)
        # One that was made and not read since; one of which a colleague who named it may have sent what is ours.
        unread = bases.base(self.store, self.remote.id, number) is None
        if unread or (self.shared and any(step.call.verb in UNSAFE for step in found.steps)):
            if not self._take(number):
                return
            ticket = reading.load(self.store, ours)
            _, found = self.choosing.plan(ticket)
        self._leave(ours, found.left)
        if any(step.call.verb not in UNSAFE for step in found.steps):
            fields: dict[str, int] = {}
            if may_come(found):
                if not self._take(number):
                    return
                ticket = reading.load(self.store, ours)
                _, found = self.choosing.plan(ticket)
                fields = meant(ticket, found)
            for step in found.steps:
                if step.call.verb in UNSAFE:
                    self.calls.perform(ours, step)
            self._replace(ours, number, fields)
            return
        for step in found.steps:
            self.calls.perform(ours, step)

    def _replace(self, ours: int, number: int, fields: Mapping[str, int]) -> None:
        for _ in range(TRIES):
            if not self._take(number):
                return
            ticket = reading.load(self.store, ours)
            _, found = self.choosing.plan(ticket, overridden(self.session, ticket, fields))
            self._leave(ours, found.left)
            try:
                for step in found.steps:
                    if step.call.verb not in UNSAFE:
                        self.calls.apart(ours, step)
                return
            except StaleError:
                continue
        reason = f"it kept changing in {self.remote.name} while it was compared; run it again"
        for step in found.steps:
            self.calls.refuse(ours, step.seqs, reason)

    def _take(self, number: int) -> bool:
        """Reads a ticket and takes it in; whether it is still there to be written to."""
        (found,) = self.session.read([number])
        self.calls.back.pop(number, None)
        with self.store.transaction():
            self.taking.page([found])
        return not isinstance(found, Gone)

    def _read_back(self) -> None:
        """Reads what was written to, takes that in, and says what was not taken there."""
        back, self.calls.back = self.calls.back, {}
        if not back:
            return
        found = self.session.read(list(back))
        with self.store.transaction():
            self.taking.page(found)
        for one in found:
            if isinstance(one, Gone):
                continue
            ours = back[one.number]
            _, left = self.choosing.plan(reading.load(self.store, ours))
            for step in left.steps:
                paths = [path for path in sorted(step.call.fields) if (ours, path) not in self.calls.blamed]
                if step.call.verb == "update" and paths:
                    kept = ", ".join(f"{path} is {one.fields.get(path)!r} there" for path in paths)
                    self.calls.refuse(ours, step.seqs, f"{self.remote.name} did not take all of it: {kept}"[:500])

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
                self.calls.refuse(ours, (one.seq,), one.reason)
            elif one.seq > self.remote.pushed or one.reason == IN_CONFLICT:  # all others are said once
                self._stay(ours, one)

    def _finish(self, last: int, numbers: Collection[int]) -> None:
        """Every answer has come."""
        with self.store.transaction() as db:
            if self.choosing.again:
                refusals.forget(self.store, self.remote, numbers, self.calls.refused)
            if self.choosing.named is None:
                db.execute("UPDATE remotes SET pushed = max(pushed, ?) WHERE id = ?", (last, self.remote.id))
            else:
                db.executemany(
                    "UPDATE changes SET origin = ? WHERE ticket = ? AND origin = 0 AND seq <= ?"
                    " AND seq NOT IN (SELECT seq FROM refusals WHERE remote = ?)"
                    " AND seq NOT IN (SELECT value FROM json_each(?))",
                    [
                        (self.remote.id, number, last, self.remote.id, json.dumps(list(self.waiting)))
                        for number in numbers
                        if self.session.number(self.choosing.ident(number)) is not None
                    ],
                )
            before = self.choosing.later()
            later = before - set(numbers) | set(self.waiting.values()) | self.choosing.unknown(numbers)
            if later != before:
                self.store.set_meta(remotes.later_key(self.remote.id), json.dumps(sorted(later)))
            db.execute("UPDATE remotes SET contact = ? WHERE id = ?", (self.store.now(), self.remote.id))
            db.execute("DELETE FROM meta WHERE key = ?", (remotes.offered_key(self.remote.id),))
        refusals.settle(self.store, self.remote)
