"""The handoff table: who may do what in which status, and how a handoff stands. Pure; knows neither store nor network.

A handoff is one cycle of one ticket between two organisations. It is moved by **moves**: whoever types a verb writes a move, and the
lead's store rules on it (`rulings`). What is not in TRANSITIONS is refused. `drawing` shows the table in docs/outsourcing.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from chit_sync.errors import ConflictError
from chit_sync.registers import Registers, Value
from chit_sync.schema import TERMS

LEAD, SERVICE = "lead", "service"

NONE = "none"
"""No handoff, or a draft that was discarded."""

UNSENT, ASSIGNED, CANCELED, DECLINED = "unsent", "assigned", "canceled", "declined"
ACCEPTED, WORKING, AWAITING, COMPLETED = "accepted", "in-progress", "awaiting-approval", "completed"

STATUSES = (UNSENT, ASSIGNED, CANCELED, DECLINED, ACCEPTED, WORKING, AWAITING, COMPLETED)
OPEN = frozenset((UNSENT, ASSIGNED, ACCEPTED, WORKING, AWAITING))
"""Statuses in which something is still to come; a ticket has at most one such handoff to a partner."""

LIVE = frozenset((ACCEPTED, WORKING))
"""Statuses in which what is said crosses."""

TAKEN_ON = frozenset((ACCEPTED, WORKING, AWAITING, COMPLETED))
ENDED = frozenset((NONE, CANCELED, DECLINED, COMPLETED))

TAKEN = "taken"
"""The ruling on a move that was taken; any other text is the reason why it was not."""

EXPIRED = "expired"


class Transition(NamedTuple):
    """A row of the table. target: "" leaves the status as it is. reason: no, optional or required. by: person, or store for what
    the lead's store does by itself."""

    verb: str
    role: str
    sources: tuple[str, ...]
    target: str
    help: str
    reason: str = "no"
    by: str = "person"


_BETWEEN = (NONE, CANCELED, DECLINED, COMPLETED)
_LIVE = (ACCEPTED, WORKING)

TRANSITIONS = (
    Transition("draft", LEAD, (*_BETWEEN, UNSENT), UNSENT, "save partner and terms without sending them"),
    Transition("offer", LEAD, (*_BETWEEN, UNSENT), ASSIGNED, "offer the ticket to the partner; the terms lock"),
    Transition("discard", LEAD, (UNSENT,), NONE, "throw the draft away"),
    Transition("agree", LEAD, (ASSIGNED,), ASSIGNED, "take over the terms of a counter-offer"),
    Transition("cancel", LEAD, (ASSIGNED,), CANCELED, "take the offer back", "optional"),
    Transition("expire", LEAD, (ASSIGNED,), DECLINED, "the time to accept has passed", by="store"),
    Transition("accept", SERVICE, (ASSIGNED,), ACCEPTED, "take the ticket on"),
    Transition("decline", SERVICE, (ASSIGNED,), DECLINED, "refuse the offer", "required"),
    Transition("counter", SERVICE, (ASSIGNED,), ASSIGNED, "propose other terms", "optional"),
    Transition("work", SERVICE, _LIVE, WORKING, "the first shared comment, time, charge or assignment", by="store"),
    Transition("ask", SERVICE, _LIVE, "", "ask the lead a question"),
    Transition("answer", LEAD, _LIVE, "", "answer a question"),
    Transition("extend", LEAD, _LIVE, "", "authorise more time or charges"),
    Transition("submit", SERVICE, _LIVE, AWAITING, "hand in the finished work", "optional"),
    Transition("withdraw", SERVICE, (AWAITING,), WORKING, "take the submission back", "required"),
    Transition("approve", LEAD, (AWAITING,), COMPLETED, "approve the work", "optional"),
    Transition("reject", LEAD, (AWAITING,), WORKING, "send the work back", "required"),
    Transition("complete", LEAD, _LIVE, COMPLETED, "end it without a submission", "optional"),
    Transition("recall", LEAD, _LIVE, CANCELED, "take the ticket back", "required"),
    Transition("handback", SERVICE, _LIVE, DECLINED, "give the ticket back", "required"),
)

COMMANDS = {"draft": "outsource --draft", "offer": "outsource", "discard": "outsource --discard", "agree": "outsource",
            "answer": "ask --answer", "extend": "ask --answer"}  # fmt: skip
"""The command of a verb, where it is called otherwise."""

ASIDE = frozenset(("work", "extend"))
"""Verbs that do not get in the way of a move whose author had not seen them."""

FIXED = ("pay", "pay_unit", "accept_by")
"""Terms that stay as they were accepted, whatever else is authorised on top."""

NO_MOVES = frozenset(("expire", "ask", "answer"))
"""Rows that nobody makes a move for: the lead's store expires offers by itself, and a question says by its fields what it is."""

_ROWS = {(row.verb, row.role): row for row in TRANSITIONS}
VERBS = {row.verb: row for row in TRANSITIONS}


class Move(NamedTuple):
    """A wish to move a handoff. time: microseconds since 1970 UTC. ruling: None until the lead's store has ruled."""

    id: str
    by: str
    time: int
    values: Mapping[str, Value]

    def text(self, name: str) -> str:
        """The value of a field as text, empty if there is none."""
        value = self.values.get(name)
        return "" if value is None else str(value)

    @property
    def verb(self) -> str:
        return self.text("verb")

    @property
    def ruling(self) -> str | None:
        value = self.values.get("ruling")
        return None if value is None else str(value)


class Handoff(NamedTuple):
    """One cycle of a ticket with a partner. moves: those on it, oldest first. pending: those of `moves` that wait for a ruling and would
    be taken as things stand here. status: with these; ruled: without."""

    id: str
    time: int
    values: Mapping[str, Value]
    moves: tuple[Move, ...]
    pending: tuple[Move, ...]
    status: str
    ruled: str

    def value(self, name: str) -> Value:
        """The value of a field of the item."""
        return self.values.get(name)

    def text(self, name: str) -> str:
        """The same as text, empty if there is none."""
        value = self.values.get(name)
        return "" if value is None else str(value)

    def time_of(self, name: str) -> int | None:
        """The value of a field that holds a number or a time."""
        value = self.values.get(name)
        return value if type(value) is int else None

    @property
    def role(self) -> str:
        """Ours."""
        return self.text("role")

    @property
    def partner(self) -> str:
        """The name of the other organisation."""
        return self.text(other_side(self.role))

    @property
    def own(self) -> str:
        """The name of our organisation, as agreed with the partner."""
        return self.text(LEAD if self.role == LEAD else SERVICE)

    @property
    def countered(self) -> bool:
        """Whether a counter-offer waits for an answer."""
        return self.status == ASSIGNED and bool(self.text("proposal"))

    @property
    def version(self) -> int:
        """The version of the terms."""
        return self.time_of("version") or 1

    @property
    def last(self) -> str:
        """The last move that is known here: what a new one has seen."""
        return next((move.id for move in reversed(self.pending) if move.verb not in ASIDE), self.text("last"))

    def role_of(self, by: str) -> str:
        """The role of an author: the service partner's people are qualified by its name, everybody else is the lead's."""
        return SERVICE if speaks_for(by, self.text(SERVICE)) else LEAD


def other_side(role: str) -> str:
    """The role of the other side."""
    return SERVICE if role == LEAD else LEAD


def speaks_for(by: str, organisation: str) -> bool:
    """Whether an author is one of that organisation's people, by name."""
    return bool(organisation) and by.endswith("@" + organisation)


def get(found: Iterable[Handoff], ident: object) -> Handoff | None:
    """The one with that id."""
    return next((one for one in found if one.id == ident), None)


def newest(found: Sequence[Handoff], role: str, partner: str = "") -> Handoff | None:
    """The handoff that counts in this role of ours, with this partner or any: the open one, else the last. found: as `read` has them."""
    return next((one for one in reversed(found) if one.role == role and partner in ("", one.partner)), None)


def command(verb: str) -> str:
    """A verb as one types it."""
    return COMMANDS.get(verb, verb)


def find(status: str, verb: str, role: str) -> Transition | None:
    """The row of the table, if there is one."""
    row = _ROWS.get((verb, role))
    return row if row is not None and status in row.sources else None


def possible(status: str, role: str) -> list[str]:
    """The verbs that a person in this role can use in this status."""
    return [row.verb for row in TRANSITIONS if row.role == role and status in row.sources and row.by == "person"]


def commands(status: str, role: str, *, countered: bool = False) -> list[str]:
    """The same, as one types them, each once. countered: whether a counter-offer waits, without which there is nothing to agree to."""
    verbs = [verb for verb in possible(status, role) if countered or verb != "agree"]
    return list(dict.fromkeys(map(command, verbs)))


def decide(status: str, verb: str, role: str, *, countered: bool = False) -> Transition:
    """The row of the table. Raises ConflictError that names the status and what is possible. countered: as for `commands`."""
    row = find(status, verb, role)
    if row is None:
        raise ConflictError(why_not(status, verb, role), what_now(status, role, countered=countered))
    return row


def why_not(status: str, verb: str, role: str) -> str:
    """The reason why a verb is refused; it names the status."""
    stands = "the ticket is not outsourced" if status == NONE else f"the handoff is {status}"
    known, verb = (verb, role) in _ROWS, command(verb)
    if not known:
        return f"`{verb}` is not for the {'service partner' if role == SERVICE else 'lead'}; {stands}"
    return f"`{verb}` is not possible: {stands}"


def what_now(status: str, role: str, *, countered: bool = False) -> str:
    """What can be done instead, as a sentence. countered: as for `commands`."""
    found = commands(status, role, countered=countered)
    if found:
        return f"Possible now: {', '.join(found)}."
    if role == SERVICE and status in ENDED:
        return "Nothing is to be done any more; the lead may offer it again."
    other = commands(status, other_side(role), countered=countered)
    return f"It is for the other side now: {', '.join(other)}."


def values_of(registers: Registers[int]) -> dict[str, Value]:
    """What an item shows: field to value, without what is empty."""
    return {name: heads[0][1] for name, heads in registers.items() if heads[0][1] is not None}


def read(
    items: Mapping[str, Registers[int]], origins: Mapping[str, tuple[str, int]], every: bool = False
) -> list[Handoff]:
    """The handoffs of a ticket, oldest first, but those with something to come last, whatever the clocks said. every: discarded drafts too.

    items: KIND/ID to registers. origins: KIND/ID to (author, time in microseconds since 1970 UTC).
    """
    moves: dict[str, list[Move]] = {}
    for key, registers in items.items():
        if key.startswith("move/"):
            values = values_of(registers)
            moves.setdefault(str(values.get("handoff", "")), []).append(Move(key[5:], *origins[key], values))
    found = []
    for key, registers in items.items():
        if key.startswith("handoff/"):
            handoff = standing(key[8:], origins[key][1], values_of(registers), moves.get(key[8:], []))
            # Of one that was undone something may be left, but no role.
            if every or (handoff.status != NONE and handoff.role):
                found.append(handoff)
    return sorted(found, key=lambda handoff: (handoff.status in OPEN, handoff.time, handoff.id))


def standing(ident: str, time: int, values: Mapping[str, Value], moves: list[Move]) -> Handoff:
    """How a handoff stands: what was ruled, and what the moves without a ruling would make of it, each after the one that it has seen."""
    moves = sorted(moves, key=lambda move: (move.time, move.id))
    status = ruled = str(values.get("status") or NONE)
    handoff = Handoff(ident, time, values, tuple(moves), (), status, ruled)
    waiting = [move for move in moves if move.ruling is None]
    pending: list[Move] = []
    last = handoff.text("last")
    while waiting:
        move = next((move for move in waiting if move.text("seen") == last), None)
        if move is None:
            break
        waiting.remove(move)
        row = row_of(status, move, handoff.role_of(move.by))
        if row is not None:
            pending.append(move)
            status = row.target or status
            if move.verb not in ASIDE:
                last = move.id
    return handoff._replace(status=status, pending=tuple(pending))


def row_of(status: str, move: Move, role: str) -> Transition | None:
    """The row of the table by which a move is taken. A handoff is one cycle: after its end a ticket is offered in another one."""
    if move.verb in NO_MOVES or (move.verb in ("draft", "offer") and status in ENDED and status != NONE):
        return None
    return find(status, move.verb, role)


def terms(move: Move) -> dict[str, Value]:
    """The terms that a move proposes."""
    return {name: move.values[name] for name in TERMS if name in move.values}


def proposed(handoff: Handoff) -> dict[str, Value]:
    """The terms of the open counter-offer."""
    return next((terms(move) for move in handoff.moves if move.id == handoff.text("proposal")), {})
