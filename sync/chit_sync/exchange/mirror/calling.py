"""One call to a helpdesk: written down before it is made, and what came of it after. What is to be called is decided elsewhere.

A call that makes something is never made again before it was looked up.
"""

from collections.abc import Collection

from chit_sync.errors import AccessError, ChitError
from chit_sync.exchange.mirror.choosing import Choosing
from chit_sync.exchange.mirror.settling import KINDS, done, look_up
from chit_sync.exchange.mirror.taking import Taking
from chit_sync.exchange.results import Refused
from chit_sync.helpdesks.base import UNSAFE, Call, DoubtError, Outcome, RefusedError, StaleError
from chit_sync.helpdesks.planning import Step
from chit_sync.remotes.base import UnreachedError
from chit_sync.store import bases, blobs, reading


class Calling:
    """The calls of a push, and what they came to so far."""

    def __init__(self, choosing: Choosing, taking: Taking) -> None:
        self.choosing = choosing
        self.session = choosing.session
        self.store = choosing.store
        self.remote = choosing.remote
        self.taking = taking
        self.copied: int = self.store.meta("copied", 0)
        """Up to where the log is that of another store too, of which this one is a copy: that may have sent what is in it."""
        self.sent: set[int] = set()
        self.tickets: set[int] = set()
        self.refused: dict[int, Refused] = {}
        self.files = 0
        self.blamed: set[tuple[int, str]] = set()
        """Fields, by their names there, of which it was said why they were not taken."""
        self.back: dict[int, int] = {}
        """Tickets that were written to and not read back: the helpdesk's number to ours."""

    def apart(self, ours: int, step: Step) -> None:
        """One call; if several fields are refused together, field by field, so that only the bad one stays."""
        together = len(step.call.fields) > 1 and step.call.verb == "update"
        if self.perform(ours, step, alone=not together) or not together:
            return
        for path, value in step.call.fields.items():
            call = step.call._replace(fields={path: value}, version="")
            ours_path = self.session.facing.words.to_ours(path, None)[0] if path.startswith("x.") else path
            heads = reading.load(self.store, ours).registers[ours_path]
            self.perform(ours, step._replace(call=call, seqs=(heads[0][0],)))

    def perform(self, ours: int, step: Step, *, alone: bool = True) -> bool:
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
                    self.refuse(ours, step.seqs, error.message)
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
        self.files += step.call.verb == "attach"
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
                self.refuse(ours, step.seqs, error.message)
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
            self.refuse(
                ours, step.seqs, f"{self.remote.name} says that it took it, and does not show it as it was sent"
            )
        return found

    def refuse(self, ours: int, seqs: Collection[int], reason: str) -> None:
        """Keeps changes here, visibly, until somebody mends the cause."""
        with self.store.transaction() as db:
            db.executemany(
                "INSERT INTO refusals VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET time = excluded.time, reason = excluded.reason",
                [(self.remote.id, seq, self.store.now(), reason) for seq in seqs],
            )
        self.sent.difference_update(seqs)
        self.refused.update((seq, Refused(seq, ours, reason)) for seq in seqs)
