"""The handoff table, cell by cell against what was decided, and what rulings promise whatever anybody sends."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chit_sync import checks, drawing, handoffs, rulings
from chit_sync.errors import ConflictError
from chit_sync.handoffs import LEAD, SERVICE, STATUSES, TAKEN, Handoff, Move
from chit_sync.registers import Value
from chit_sync.rulings import Circumstances, Ruling
from chit_sync.sharing import Wish, deletion_refused, pieces
from chit_sync.ticket import Ticket

SHORT = {
    "-": "none", "U": "unsent", "A": "assigned", "C": "canceled", "D": "declined", "a": "accepted", "w": "in-progress",
    "?": "awaiting-approval", "c": "completed",
}  # fmt: skip

# Columns are the statuses in the order of SHORT, a cell is what comes of the verb there; "." is refused, "=" leaves it as it is.
MATRIX = """
                   - U A C D a w ? c
draft     lead     U U . U U . . . U
offer     lead     A A . A A . . . A
discard   lead     . - . . . . . . .
agree     lead     . . A . . . . . .
cancel    lead     . . C . . . . . .
expire    lead     . . D . . . . . .
accept    service  . . a . . . . . .
decline   service  . . D . . . . . .
counter   service  . . A . . . . . .
work      service  . . . . . w w . .
ask       service  . . . . . = = . .
answer    lead     . . . . . = = . .
extend    lead     . . . . . = = . .
submit    service  . . . . . ? ? . .
withdraw  service  . . . . . . . w .
approve   lead     . . . . . . . c .
reject    lead     . . . . . . . w .
complete  lead     . . . . . c c . .
recall    lead     . . . . . C C . .
handback  service  . . . . . D D . .
"""

COMMANDS = {
    LEAD: {
        "-": "outsource --draft, outsource",
        "U": "outsource --draft, outsource, outsource --discard",
        "A": "cancel",
        "C": "outsource --draft, outsource",
        "D": "outsource --draft, outsource",
        "a": "ask --answer, complete, recall",
        "w": "ask --answer, complete, recall",
        "?": "approve, reject",
        "c": "outsource --draft, outsource",
    },
    SERVICE: {
        "-": "", "U": "", "A": "accept, decline, counter", "C": "", "D": "", "a": "ask, submit, handback",
        "w": "ask, submit, handback", "?": "withdraw", "c": "",
    },
}  # fmt: skip
"""What each role can type in each status."""

REASONS = {
    "cancel": "optional", "decline": "required", "counter": "optional", "submit": "optional", "withdraw": "required",
    "approve": "optional", "reject": "required", "complete": "optional", "recall": "required", "handback": "required",
}  # fmt: skip
"""Verbs that take a reason."""


def _matrix() -> dict[tuple[str, str, str], str]:
    """(status, verb, role) to what comes of it, for what is allowed."""
    head, *rows = MATRIX.strip("\n").splitlines()
    columns = head.split()
    cells = {}
    for row in rows:
        verb, role, *targets = row.split()
        assert len(targets) == len(columns) == len(SHORT)
        for column, target in zip(columns, targets, strict=True):
            if target != ".":
                cells[SHORT[column], verb, role] = SHORT[column] if target == "=" else SHORT[target]
    return cells


ALLOWED = _matrix()
VERBS = sorted({verb for _, verb, _ in ALLOWED})
CELLS = [(status, verb, role) for status in SHORT.values() for verb in VERBS for role in (LEAD, SERVICE)]


@pytest.mark.parametrize(("status", "verb", "role"), CELLS)
def test_every_cell(status: str, verb: str, role: str) -> None:
    """What is in the table leads where the table says; anything else is refused, naming the status and what is possible now."""
    target = ALLOWED.get((status, verb, role))
    if target is not None:
        row = handoffs.decide(status, verb, role)
        assert (row.target or status) == target
        return
    with pytest.raises(ConflictError) as refused:
        handoffs.decide(status, verb, role)
    assert ("not outsourced" if status == "none" else f"the handoff is {status}") in refused.value.message
    short = next(letter for letter, name in SHORT.items() if name == status)
    mine, theirs = COMMANDS[role][short], COMMANDS[LEAD if role == SERVICE else SERVICE][short]
    other = "Nothing is to be done any more; the lead may offer it again."
    if status == handoffs.UNSENT:
        other = f"It is for the other side now: {theirs}."
    assert refused.value.hint == (f"Possible now: {mine}." if mine else other)


def test_no_row_besides() -> None:
    """The table has the rows of the matrix, each verb for one role, and takes a reason where that was decided."""
    assert {(row.verb, row.role) for row in handoffs.TRANSITIONS} == {(verb, role) for _, verb, role in ALLOWED}
    assert len({row.verb for row in handoffs.TRANSITIONS}) == len(handoffs.TRANSITIONS)
    assert {row.verb: row.reason for row in handoffs.TRANSITIONS if row.reason != "no"} == REASONS
    assert set(STATUSES) == set(SHORT.values()) - {"none"}


def test_what_is_possible_with_a_counter_offer() -> None:
    """There is something to agree to only while a counter-offer waits."""
    assert handoffs.commands("assigned", LEAD, countered=True) == ["outsource", "cancel"]
    with pytest.raises(ConflictError) as refused:
        handoffs.decide("assigned", "approve", LEAD, countered=True)
    assert refused.value.hint == "Possible now: outsource, cancel."


# Rulings

NOON = 1_767_268_800_000_000
MINUTE = 60_000_000
AROUND = Circumstances(NOON)


def _handoff(status: str = "assigned", **values: Value) -> Handoff:
    """A handoff of globex with acme, as the lead's store has it."""
    fixed: dict[str, Value] = {
        "role": LEAD, "lead": "globex", "service": "acme", "status": None if status == "none" else status,
        "last": None if status == "none" else "m0", "verb": None if status == "none" else "offer", "version": 1,
    }  # fmt: skip
    kept = {name: value for name, value in {**fixed, **values}.items() if value is not None}
    return Handoff("h", NOON, kept, (), (), status, status)


def _move(verb: str, by: str = "anna", ident: str = "m1", time: int = NOON, **values: Value) -> Move:
    """A move whose author had seen the offer."""
    kept = {
        name: value
        for name, value in {"handoff": "h", "verb": verb, "seen": "m0", **values}.items()
        if value is not None
    }
    return Move(ident, by, time, kept)


BOB = "bob@acme"


def _refused(ruling: Ruling) -> str:
    """The reason of a ruling that sets nothing."""
    assert ruling.reason
    assert (ruling.status, ruling.sets) == ("", {})
    return ruling.reason


@pytest.mark.parametrize(("status", "verb", "role"), CELLS)
def test_every_cell_is_ruled_by_the_table(status: str, verb: str, role: str) -> None:
    """The lead's store takes a move that the table allows and refuses any other; one cycle does not begin anew after its end."""
    handoff = _handoff(status, proposal="m0")
    move = _move(
        verb,
        "anna" if role == LEAD else BOB,
        seen=handoff.values.get("last"),
        reason="because",
        version=1,
        authorized_minutes=60,
    )
    ruling = rulings.rule(handoff, move, AROUND)
    again = verb in ("draft", "offer") and status in ("canceled", "declined", "completed")
    target = ALLOWED.get((status, verb, role))
    if target is None or again or verb in ("expire", "ask", "answer"):
        reason = _refused(ruling)
        assert ("not outsourced" if status == "none" else status) in reason
        return
    assert ruling.reason == ""
    assert ruling.sets.get("status", status) == (None if target == "none" else target)
    assert ("since" in ruling.sets) == (target not in (status, "none"))


@pytest.mark.parametrize("verb", [verb for verb, kind in REASONS.items() if kind == "required"])
@pytest.mark.parametrize("reason", [None, "", " \n\t"])
def test_reason(verb: str, reason: str | None) -> None:
    """A move that needs a reason is not taken without one."""
    row = handoffs.VERBS[verb]
    move = _move(verb, "anna" if row.role == LEAD else BOB, reason=reason)
    ruling = rulings.rule(_handoff(row.sources[0]), move, AROUND)
    assert _refused(ruling) == f"`{verb}` needs a reason"


@pytest.mark.parametrize("verb", ["draft", "offer"])
@pytest.mark.parametrize(
    ("around", "reason"),
    [
        (Circumstances(NOON, closed=True), "the ticket is closed"),
        (Circumstances(NOON, other="initech"), "the ticket is with initech already"),
        (Circumstances(NOON, refusal="the partnership with acme has ended"), "the partnership with acme has ended"),
        (Circumstances(NOON, refusal="acme has not joined yet"), "acme has not joined yet"),
    ],
)
def test_no_offer(verb: str, around: Circumstances, reason: str) -> None:
    """Nothing is offered of a closed ticket, of one that is with somebody else, or to one who is no partner now."""
    assert _refused(rulings.rule(_handoff("none"), _move(verb, seen=None), around)) == reason


@pytest.mark.parametrize(
    ("status", "move"),
    [
        ("assigned", _move("decline", BOB, reason="no")),
        ("assigned", _move("cancel")),
        ("in-progress", _move("submit", BOB)),
        ("awaiting-approval", _move("approve")),
        ("awaiting-approval", _move("reject", reason="no")),
    ],
)
def test_what_runs_goes_on(status: str, move: Move) -> None:
    """The end of a partnership, a closed ticket or another handoff keep nobody from ending what was begun."""
    around = Circumstances(NOON, closed=True, other="initech", refusal="the partnership with acme has ended")
    assert rulings.rule(_handoff(status), move, around).reason == ""


def test_a_closed_ticket_is_not_taken_on() -> None:
    """A colleague may close a ticket while it is offered elsewhere: then nobody begins to work on it."""
    move = _move("accept", BOB, version=1)
    assert (
        _refused(rulings.rule(_handoff("assigned"), move, Circumstances(NOON, closed=True))) == "the ticket is closed"
    )
    around = Circumstances(NOON, other="initech", refusal="the partnership with acme has ended")
    assert rulings.rule(_handoff("assigned"), move, around).reason == ""


@pytest.mark.parametrize("verb", ["accept", "counter"])
def test_version(verb: str) -> None:
    """Who accepts names the version of the terms, and it is that which holds now."""
    handoff = _handoff(version=2)
    move = _move(verb, BOB, version=1, pay="90.00")
    assert _refused(rulings.rule(handoff, move, AROUND)) == "the terms are version 2 now, not 1"
    nameless = _move(verb, BOB, pay="90.00")
    assert _refused(rulings.rule(handoff, nameless, AROUND)) == "the terms are version 2 now, not one that it names"
    assert rulings.rule(handoff, _move(verb, BOB, version=2, pay="90.00"), AROUND).reason == ""


def test_counter_without_terms() -> None:
    """A counter-offer changes something; agreeing needs one that waits."""
    assert (
        _refused(rulings.rule(_handoff(), _move("counter", BOB, version=1, reason="too little"), AROUND))
        == "a counter-offer changes at least one of the terms"
    )
    assert _refused(rulings.rule(_handoff(), _move("agree"), AROUND)) == "there is no counter-offer to agree to"


def test_counter_and_agree() -> None:
    """A counter-offer waits as a proposal and changes no terms; who agrees makes a new version of them, which may be accepted."""
    handoff = _handoff(pay="80.00", currency="EUR", instructions="be quick")
    counter = _move("counter", BOB, version=1, pay="95.00", complete_by=NOON, reason="it is far")
    sets = rulings.rule(handoff, counter, AROUND).sets
    assert sets == {"last": "m1", "verb": "counter", "reason": "it is far", "proposal": "m1"}
    handoff = handoff._replace(values={**handoff.values, **sets}, moves=(counter,))
    assert handoffs.proposed(handoff) == {"pay": "95.00", "complete_by": NOON}
    sets = rulings.rule(handoff, _move("agree", seen="m1", ident="m2"), AROUND).sets
    assert sets == {
        "last": "m2", "verb": "agree", "reason": None, "pay": "95.00", "complete_by": NOON, "version": 2, "proposal": None,
    }  # fmt: skip
    old = _move("accept", BOB, seen="m1", version=1)
    handoff = handoff._replace(
        values={name: value for name, value in {**handoff.values, **sets}.items() if value is not None}
    )
    assert rulings.rule(handoff, old, AROUND).reason.startswith("it came too late")
    assert rulings.rule(handoff, old._replace(values={**old.values, "seen": "m2", "version": 2}), AROUND).reason == ""


def test_accept_sets() -> None:
    """An acceptance records who, when by the lead's clock, and which version of the terms."""
    move = _move("accept", BOB, time=1, version=3)
    assert rulings.rule(_handoff(version=3, proposal="m7"), move, Circumstances(NOON + 5)).sets == {
        "last": "m1", "verb": "accept", "reason": None, "status": "accepted", "since": NOON + 5, "accepted": NOON + 5,
        "accepted_by": BOB, "accepted_version": 3, "proposal": None,
    }  # fmt: skip


def test_extend() -> None:
    """More time or charges can be authorised while the work goes on; what is paid stays as it was accepted."""
    handoff = _handoff("in-progress", pay="80.00", pay_unit="hour", currency="EUR", authorized_minutes=60)
    more = _move("extend", authorized_minutes=240, authorized_charges="50.00", currency="EUR")
    assert rulings.rule(handoff, more, AROUND).sets == {
        "authorized_minutes": 240, "authorized_charges": "50.00", "currency": "EUR", "version": 2,
    }  # fmt: skip
    for name, value in (("pay", "1.00"), ("pay_unit", "flat"), ("currency", "USD"), ("accept_by", NOON)):
        moved = _move("extend")
        moved = moved._replace(values={**moved.values, name: value})
        reason = _refused(rulings.rule(handoff, moved, AROUND))
        assert reason == f"the {name.replace('_', ' ')} stays as it was accepted"
    assert _refused(rulings.rule(handoff, _move("extend"), AROUND)) == "nothing more is authorised"


@pytest.mark.parametrize(
    ("verb", "by", "reason"),
    [
        ("accept", "anna", "it came too late: meanwhile the other side said `accept`; the handoff is accepted"),
        ("cancel", BOB, "it came too late: meanwhile the other side said `cancel` (too dear); the handoff is canceled"),
        ("recall", "anna", "it came too late: meanwhile a colleague said `recall` (too dear); the handoff is canceled"),
        ("expire", BOB, "it came too late: the time to accept had passed; the handoff is declined"),
    ],
)
def test_overtaken(verb: str, by: str, reason: str) -> None:
    """Whoever had not seen the last move learns what was said meanwhile and how things stand."""
    why = "expired" if verb == "expire" else "too dear" if verb != "accept" else None
    handoff = _handoff(handoffs.VERBS[verb].target, last="m9", verb=verb, reason=why)
    assert _refused(rulings.rule(handoff, _move("decline", by, reason="no"), AROUND)) == reason


def test_a_ruling_is_one_line() -> None:
    """However long the reason was that the other side gave, and on however many lines, the ruling can be written down."""
    handoff = _handoff("canceled", last="m9", verb="cancel", reason="No.\n\nReally:\t" + "no " * 1_000)
    reason = _refused(rulings.rule(handoff, _move("accept", BOB, version=1), AROUND))
    checks.check("move/m1/ruling", reason)
    assert "(No. Really: no no" in reason
    assert reason.endswith("…); the handoff is canceled")


def test_moves_in_the_air() -> None:
    """A move on a handoff that has none yet cannot follow another one."""
    ruling = rulings.rule(_handoff("none"), _move("offer", seen="m5"), AROUND)
    assert _refused(ruling) == "it follows a move that there is not"


@pytest.mark.parametrize(
    ("grace", "now", "due"),
    [
        (None, NOON, False),
        (None, NOON + 1, True),
        (10 * MINUTE, NOON + 10 * MINUTE, False),
        (10 * MINUTE, NOON + 10 * MINUTE + 1, True),
    ],
)
def test_expiry(grace: int | None, now: int, due: bool) -> None:
    """An offer is good up to and including its last moment, and the grace that the lead gives; only one that waits expires."""
    assert rulings.is_due(_handoff(accept_by=NOON, grace=grace), now) == due
    assert not rulings.is_due(_handoff(), now)
    for status in set(SHORT.values()) - {"assigned"}:
        assert not rulings.is_due(_handoff(status, accept_by=NOON, grace=grace), now)


@pytest.mark.parametrize(
    "by", ["anna", "anna@globex", "chit@globex", "acme", "bob@acme@globex", "bob@notacme", "bob@acme.example"]
)
def test_who_is_not_the_partner(by: str) -> None:
    """Only who is qualified by the partner's name acts for it: anybody else cannot accept."""
    assert _refused(rulings.rule(_handoff(), _move("accept", by, version=1), AROUND)).startswith(
        "`accept` is not for the lead; the handoff is assigned"
    )


def test_the_partner_is_not_the_lead() -> None:
    """The partner can neither cancel nor approve, whatever it says."""
    for status, verb in (("assigned", "cancel"), ("awaiting-approval", "approve"), ("in-progress", "complete")):
        ruling = rulings.rule(_handoff(status), _move(verb, BOB, reason="ours"), AROUND)
        assert _refused(ruling).startswith(f"`{verb}` is not for the service partner; the handoff is {status}")


# How things stand with moves that wait


def _stands(values: Handoff, *moves: Move) -> tuple[str, str, list[str], str]:
    """(status with what waits, ruled status, what waits and counts, the move that a new one has seen)."""
    found = handoffs.standing("h", NOON, values.values, list(moves))
    return found.status, found.ruled, [move.id for move in found.pending], found.last


def test_provisional_chain() -> None:
    """Moves that wait count, each after the one that its author had seen, whatever their clocks say."""
    accept = _move("accept", BOB, "m1", NOON + 9, version=1)
    submit = _move("submit", BOB, "m2", NOON + 5, seen="m1")
    withdraw = _move("withdraw", BOB, "m3", NOON, seen="m2", reason="wait")
    assert _stands(_handoff(), withdraw, submit, accept) == ("in-progress", "assigned", ["m1", "m2", "m3"], "m3")
    assert _stands(_handoff(), withdraw, submit) == ("assigned", "assigned", [], "m0")


def test_two_who_saw_the_same() -> None:
    """Of two moves after the same one the earlier is believed until the lead's store has ruled."""
    accept, decline = (
        _move("accept", BOB, "m1", NOON, version=1),
        _move("decline", "eve@acme", "m2", NOON + 1, reason="no"),
    )
    assert _stands(_handoff(), accept, decline) == ("accepted", "assigned", ["m1"], "m1")
    assert _stands(_handoff(), accept._replace(time=NOON + 2), decline) == ("declined", "assigned", ["m2"], "m2")


def test_ruled_moves_do_not_wait() -> None:
    """What was taken or refused counts by the ruled status alone."""
    refused = _move("accept", BOB, "m1", version=1, ruling="it came too late")
    assert _stands(_handoff("canceled", last="m9"), refused) == ("canceled", "canceled", [], "m9")
    taken = _move("accept", BOB, "m1", version=1, ruling=TAKEN)
    assert _stands(_handoff("accepted", last="m1"), taken) == ("accepted", "accepted", [], "m1")


def test_what_cannot_be_taken_does_not_count() -> None:
    """A move that the table forbids as things stand changes nothing, and what follows it neither."""
    approve = _move("approve", ident="m1")
    after = _move("offer", ident="m2", seen="m1")
    assert _stands(_handoff(), approve, after) == ("assigned", "assigned", [], "m0")
    again = _move("offer", ident="m1")
    assert _stands(_handoff("completed"), again) == ("completed", "completed", [], "m0")


def test_work_and_extend_stand_aside() -> None:
    """Work that began and limits that were raised do not overtake anything, neither while they wait nor once they are taken."""
    work = _move("work", BOB, "m1", NOON)
    submit = _move("submit", BOB, "m2", NOON + 1)
    assert _stands(_handoff("accepted"), work, submit) == ("awaiting-approval", "accepted", ["m1", "m2"], "m2")
    assert _stands(_handoff("accepted"), work) == ("in-progress", "accepted", ["m1"], "m0")
    extend = _move("extend", ident="m3", authorized_minutes=60)
    for aside in (work, extend):
        sets = rulings.rule(_handoff("accepted"), aside, AROUND).sets
        assert not {"last", "verb", "reason"} & set(sets)


def test_discarded_draft_is_none() -> None:
    """A draft that was thrown away is no handoff any more, unless one asks for it."""
    values: dict[str, Value] = {"handoff/h/role": LEAD, "handoff/h/service": "acme", "handoff/h/last": "m0"}
    registers = {"handoff/h": {path.split("/")[2]: [(1, value)] for path, value in values.items()}}
    origins = {"handoff/h": ("anna", NOON)}
    assert handoffs.read(registers, origins) == []
    assert [found.status for found in handoffs.read(registers, origins, every=True)] == ["none"]


# Whatever is sent, in whatever order

_ACTORS = {LEAD: ("anna", "eve@globex"), SERVICE: (BOB, "dan@acme")}
_AUTHORS = st.sampled_from([*_ACTORS[LEAD], *_ACTORS[SERVICE], "mallory@initech"])


@st.composite
def _wishes(draw: st.DrawFn) -> list[Move]:
    """Moves in the order in which the lead's store takes them. What each has seen is mostly a move before it, sometimes not."""
    moves: list[Move] = []
    for number in range(draw(st.integers(0, 12))):
        seen = draw(st.sampled_from([None, *[move.id for move in moves[-3:]], "nowhere"]))
        values: dict[str, Value] = {
            "handoff": "h", "verb": draw(st.sampled_from([*VERBS, "grab"])), "seen": seen,
            "reason": draw(st.sampled_from([None, "because"])), "version": draw(st.sampled_from([None, 1, 2])),
            "authorized_minutes": draw(st.sampled_from([None, 60])), "pay": draw(st.sampled_from([None, "80.00"])),
        }  # fmt: skip
        kept = {name: value for name, value in values.items() if value is not None}
        moves.append(Move(f"m{number}", draw(_AUTHORS), NOON + number, kept))
    return moves


@st.composite
def _likely(draw: st.DrawFn) -> list[Move]:
    """Moves most of which their authors might really make: they have seen the last one that could be taken."""
    status, last, version = "none", None, 1
    moves: list[Move] = []
    for number in range(draw(st.integers(0, 14))):
        rows = [row for row in handoffs.TRANSITIONS if status in row.sources]
        row = draw(st.sampled_from(rows if draw(st.integers(0, 3)) else list(handoffs.TRANSITIONS)))
        values: dict[str, Value] = {"handoff": "h", "verb": row.verb, "reason": "because", "version": version}
        if row.verb in ("counter", "extend"):
            values["authorized_minutes"] = 60 * number
        if last is not None:
            values["seen"] = last
        moves.append(Move(f"m{number}", draw(st.sampled_from(_ACTORS[row.role])), NOON, values))
        if row in rows and row.verb not in handoffs.NO_MOVES:
            status = row.target or status
            version += row.verb in ("agree", "extend")
            last = last if row.verb in handoffs.ASIDE else f"m{number}"
    return moves


def _play(moves: list[Move]) -> tuple[list[str], list[str], dict[str, Value]]:
    """(rulings, the status after each, what the handoff holds in the end), as the lead's store goes through its log."""
    values: dict[str, Value] = {"role": LEAD, "lead": "globex", "service": "acme"}
    said, statuses, done = list[str](), list[str](), list[Move]()
    for number, move in enumerate(moves):
        handoff = handoffs.standing("h", NOON, values, done)
        ruling = rulings.rule(handoff, move, Circumstances(NOON + number))
        said.append(ruling.reason or TAKEN)
        values = {name: value for name, value in {**values, **ruling.sets}.items() if value is not None}
        statuses.append(str(values.get("status", "none")))
        done.append(move._replace(values={**move.values, "ruling": said[-1]}))
    return said, statuses, values


@given(st.one_of(_wishes(), _likely()))
def test_only_edges_of_the_table(moves: list[Move]) -> None:
    """Whatever moves come, the status is one of the eight or none, and goes only where the matrix says, by whom it says."""
    said, statuses, values = _play(moves)
    before = "none"
    for move, ruling, after in zip(moves, said, statuses, strict=True):
        role = SERVICE if move.by.endswith("@acme") else LEAD
        if ruling == TAKEN:
            assert ALLOWED[before, move.verb, role] == after
        else:
            assert after == before
        before = after
    assert before in SHORT.values()
    assert (values.get("status") is None) == (before == "none")


@given(st.one_of(_wishes(), _likely()), st.data())
def test_clocks_change_no_ruling(moves: list[Move], data: st.DataObject) -> None:
    """The order in which the lead's store takes moves decides alone: times of moves, even the most absurd, change nothing."""
    times = data.draw(st.lists(st.integers(0, 1 << 53), min_size=len(moves), max_size=len(moves)))
    skewed = [move._replace(time=time) for move, time in zip(moves, times, strict=True)]
    assert _play(skewed) == _play(moves)


@given(st.one_of(_wishes(), _likely()))
def test_again_and_again(moves: list[Move]) -> None:
    """The same log is ruled the same, and its beginning is ruled the same whatever comes after."""
    said, statuses, _ = _play(moves)
    for end in range(len(moves)):
        assert _play(moves[:end])[:2] == (said[:end], statuses[:end])


@given(_likely(), st.data())
def test_guesses_stay_in_the_table(moves: list[Move], data: st.DataObject) -> None:
    """What is shown while moves wait is a status of the table too, whatever came first, and ends as what was ruled."""
    mixed = data.draw(st.permutations(moves))
    taken = data.draw(st.integers(0, len(moves)))
    _, statuses, values = _play(moves[:taken])
    said = dict(zip([move.id for move in moves[:taken]], _play(moves[:taken])[0], strict=True))
    told = [
        move._replace(values={**move.values, "ruling": said[move.id]}) if move.id in said else move for move in mixed
    ]
    found = handoffs.standing("h", NOON, values, told)
    assert found.status in SHORT.values()
    assert found.ruled == (statuses[-1] if statuses else "none")
    assert not {move.id for move in found.pending} & set(said)
    before = found.ruled
    for move in found.pending:
        before = ALLOWED[before, move.verb, SERVICE if move.by.endswith("@acme") else LEAD]
    assert before == found.status
    if taken == len(moves):
        assert found.status == found.ruled


@given(_likely())
def test_what_one_guesses_is_what_is_ruled(moves: list[Move]) -> None:
    """Where only one side moves and has seen all that was ruled, the lead's store comes to what was shown before it was asked."""
    theirs = [move for move in moves if move.by.endswith("@acme")]
    values: dict[str, Value] = {
        "role": LEAD, "lead": "globex", "service": "acme", "status": "accepted", "last": "m", "verb": "accept", "version": 1,
    }  # fmt: skip
    chained: list[Move] = []
    for number, move in enumerate(theirs):
        handoff = handoffs.standing("h", NOON, values, chained)
        said = {**move.values, "seen": handoff.last, "version": 1, "authorized_minutes": 60}
        if handoffs.find(handoff.status, move.verb, SERVICE) and move.verb not in handoffs.NO_MOVES:
            chained.append(Move(f"n{number}", move.by, NOON + number, said))
    shown = handoffs.standing("h", NOON, values, chained).status
    done: list[Move] = []
    for move in chained:
        ruling = rulings.rule(handoffs.standing("h", NOON, values, done), move, AROUND)
        assert ruling.reason == ""
        values = {name: value for name, value in {**values, **ruling.sets}.items() if value is not None}
        done.append(move._replace(values={**move.values, "ruling": TAKEN}))
    assert values["status"] == shown


# Closing and deleting the ticket


def _ticket(role: str, status: str, **values: Value) -> Ticket:
    """A ticket with one handoff in that role of ours."""
    handoff = _handoff(status, role=role, **values)
    return Ticket(
        1, "k" * 32, NOON, NOON, "anna", "open", {"status": [(1, "open")]},
        {"handoff/h": {name: [(2, value)] for name, value in handoff.values.items()}}, [], [], [], [],
        origins={"handoff/h": ("anna", NOON)},
    )  # fmt: skip


CLOSING = {
    LEAD: {"unsent": "", "assigned": "!", "canceled": "", "declined": "", "accepted": "complete", "in-progress": "complete",
           "awaiting-approval": "approve", "completed": ""},
    SERVICE: {"assigned": "!", "canceled": "", "declined": "", "accepted": "submit", "in-progress": "submit",
              "awaiting-approval": "", "completed": ""},
}  # fmt: skip
"""What closing the ticket means for a handoff; "!" is refused."""


@pytest.mark.parametrize(
    ("role", "status", "verb"), [(role, *cell) for role, row in CLOSING.items() for cell in row.items()]
)
def test_closing(role: str, status: str, verb: str) -> None:
    """The lead who closes completes, the service partner who closes submits: approval is never gone round, an offer never left open."""
    wish = Wish({"status": "closed"}, "anna", closes=True)
    if verb == "!":
        with pytest.raises(ConflictError) as refused:
            pieces(_ticket(role, status), wish, lambda: "m1")
        assert "the ticket is offered" in refused.value.message
        return
    written = {
        path: value for piece in pieces(_ticket(role, status), wish, lambda: "m1") for path, value in piece.set.items()
    }
    moved = {} if not verb else {"move/m1/handoff": "h", "move/m1/verb": verb, "move/m1/seen": "m0"}
    assert written == {"status": "closed", **moved}


@pytest.mark.parametrize("role", [LEAD, SERVICE])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("accepted", [None, NOON])
def test_deleting(role: str, status: str, accepted: int | None) -> None:
    """What was taken on is never deleted, even after its end, and what is offered not before the offer ended."""
    kept = accepted is not None or status in ("assigned", "accepted", "in-progress", "awaiting-approval", "completed")
    ticket = _ticket(role, status, accepted=accepted)
    assert all(deletion_refused(ticket.handoffs)) == any(deletion_refused(ticket.handoffs)) == kept


# What the docs show


def test_table_and_diagram_say_all() -> None:
    """The generated table has a line for each row, the diagram an arrow for each pair of statuses, each naming all its verbs."""
    lines = drawing.table().splitlines()[2:]
    assert len(lines) == len(handoffs.TRANSITIONS)
    for line, row in zip(lines, handoffs.TRANSITIONS, strict=True):
        assert f"| {row.target or 'as it was'} |" in line
    arrows = re.findall(r"    (\S+) --> (\S+): ([^:;\n]+)$", drawing.diagram(), re.M)
    assert len({arrow[:2] for arrow in arrows}) == len(arrows)

    def node(status: str) -> str:
        return "[*]" if status == "none" else status.replace("-", "_")

    drawn = {(source, target): said for source, target, said in arrows}
    assert set(drawn) == {(node(source), node(target)) for (source, _, _), target in ALLOWED.items()}
    for (source, verb, role), target in ALLOWED.items():
        who = f"{role}'s store" if verb in ("expire", "work") else role
        assert f"{handoffs.COMMANDS.get(verb, verb)} ({who})" in drawn[node(source), node(target)].split(", ")
