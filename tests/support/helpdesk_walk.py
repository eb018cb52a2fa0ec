"""Random histories of people with stores and a helpdesk that all of them use: what each does on either side, how they exchange, and
what goes wrong meanwhile. In the end all is brought together; what must hold then is in `helpdesk_held`.

Every text that is written is another one, so that it can be looked for. `excused` are those that somebody has replaced or deleted who
had seen them.
"""

from collections.abc import Callable

from chit_sync.errors import ChitError, ConflictError
from chit_sync.helpdesks.base import DoubtError, RefusedError
from chit_sync.remotes.base import UnreachedError
from chit_sync.store import reading
from support.helpdesk_acts import SECOND, WAYS, Walker, World
from support.mortal import EndedError, Steps

__all__ = ["WAYS", "Walk", "Walker"]

CALLS = ("create", "comment", "attach", "time", "update", "perform", "read", "changed", "find")


class Walk(World):
    """A random history."""

    # What happens

    def run(self, acts: int) -> None:
        """So many things, one after the other."""
        for _ in range(2):
            self.theirs_new()
        for _ in range(acts):
            self.clock.now += self.chance.choice((0, 1, 1000, SECOND // 2, SECOND, 90 * SECOND))
            act = self.chance.choice(self._acts())
            self.told.append(act.__name__)
            act()

    def _acts(self) -> list[Callable[[], None]]:
        ours = [
            self.ours_new, self.ours_edit, self.ours_edit, self.ours_plain, self.ours_say, self.ours_comment, self.ours_file,
            self.ours_time, self.ours_link, self.ours_end, self.ours_resolve,
        ]  # fmt: skip
        theirs = [
            self.theirs_new, self.theirs_edit, self.theirs_edit, self.theirs_plain, self.theirs_say, self.theirs_comment,
            self.theirs_file, self.theirs_time, self.theirs_link, self.theirs_end,
        ]  # fmt: skip
        trouble = [self.fault, self.kill] if self.faults else []
        team = [self.team, self.team, self.team] if len(self.people) > 1 else []
        return [*ours, *theirs, *trouble, *team, *[self.exchange] * 8]

    # Exchange, and what goes wrong with it

    def exchange(self, steps: Steps | None = None) -> None:
        who = self.someone()
        do = self.chance.choice(
            ("pull", "pull", "push", "push", "push", "sync", "fetch", "named", "full", "plan", "bytes")
        )
        if do == "named" and len(self.people) > 1 and not self.traits.comment_tokens:
            do = "push"  # what a colleague has sent for us cannot be told from what somebody else wrote there
        self.told[-1] += f" {who.name} {do}"
        numbers = [ticket.number for ticket in who.tickets()]
        try:
            match do:
                case "named" if numbers:
                    who.push(tickets=[self.chance.choice(numbers)])
                case "full":
                    who.pull(full=True)
                case "plan":
                    who.push(dry_run=True)
                case "pull" | "push" | "sync" | "fetch" | "bytes":
                    getattr(who, do)()
        except (UnreachedError, DoubtError, RefusedError, ConflictError) as error:
            self.told[-1] += f": {error.message}"

    def fault(self) -> None:
        """The next call of some kind goes wrong: is not reached, is refused, or goes unanswered, done or not."""
        error: ChitError = self.chance.choice(
            (
                UnreachedError("no network"),
                DoubtError("cut"),
                DoubtError("500", settled=True),
                RefusedError("not today"),
            )
        )
        at = self.chance.choice(CALLS)
        if at in ("read", "changed", "find"):
            error = UnreachedError("no network")
        done = isinstance(error, DoubtError) and self.chance.random() < 0.5
        self.desk.fail(error, at, done=done, skip=self.chance.choice((0, 0, 1, 2)))
        self.told[-1] += f" {at}: {error.message}{', done' if done else ''}"

    def kill(self) -> None:
        """An exchange ends with its process."""
        steps = Steps(self.chance.randrange(1, 60))
        self.desk.step = steps
        for one in self.people:
            one.steps(steps)
        try:
            self.exchange()
        except EndedError:
            self.told[-1] += f", ended after {steps.names[-2:]}"
        finally:
            self.desk.step = lambda name: None
            for one in self.people:
                one.steps(lambda name: None)

    def team(self) -> None:
        self.someone().exchange_team()

    # The end

    def settle(self) -> None:
        """Everything is brought everywhere, conflicts are resolved, until nothing moves."""
        self.desk.faults.clear()
        for _ in range(12):
            moved = 0
            for one in self.people:
                # Only who reads a ticket again finds that what a colleague took for somebody else's is ours.
                pulled = one.pull(agree=True, full=True)
                moved += one.bytes().files
                for ticket in one.tickets():
                    self.unmerge(one, ticket)
                    for conflict in ticket.conflicts:
                        self.resolve(one, reading.load(one.store, ticket.number), conflict.path)
                        moved += 1
                pushed = one.push(again=True)
                moved += pulled.taken + pushed.taken + pushed.met.taken
                if len(self.people) > 1:
                    before = one.store.db.execute("SELECT max(seq) FROM changes").fetchone()
                    one.exchange_team()
                    one.bytes()
                    moved += before != one.store.db.execute("SELECT max(seq) FROM changes").fetchone()
            if not moved:
                return
        raise AssertionError("it does not come to rest")
