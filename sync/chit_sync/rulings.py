"""How the lead's store rules on a move: whether it is taken, and what comes of it. Pure; what is written then is `store.ruling`'s business.

No clock but the lead's own decides anything, and the order is that of the lead's log.
"""

from collections.abc import Mapping
from typing import NamedTuple

from chit_sync.handoffs import (
    ASIDE,
    ASSIGNED,
    FIXED,
    LEAD,
    NONE,
    SERVICE,
    TAKEN,
    TAKEN_ON,
    VERBS,
    Handoff,
    Move,
    command,
    proposed,
    row_of,
    terms,
    what_now,
    why_not,
)
from chit_sync.registers import Value

_QUOTED = 200
"""Most characters of a reason that are told again in another one."""


class Circumstances(NamedTuple):
    """What a ruling depends on besides the handoff. now: the lead's clock. closed: whether the ticket is. other: the partner that the
    ticket is with already, in another handoff. refusal: why there can be no handoff with this partner at all."""

    now: int
    closed: bool = False
    other: str = ""
    refusal: str = ""


class Ruling(NamedTuple):
    """What the lead's store decided. reason: why the move was refused, or empty. status: the new one, "" if it stays. sets: what else
    is written to the handoff, field to value."""

    reason: str
    status: str
    sets: Mapping[str, Value]


def is_due(handoff: Handoff, now: int) -> bool:
    """Whether the time to accept has passed, with the grace that the lead gives."""
    limit = handoff.time_of("accept_by")
    return handoff.ruled == ASSIGNED and limit is not None and now > limit + (handoff.time_of("grace") or 0)


def rule(handoff: Handoff, move: Move, around: Circumstances) -> Ruling:
    """Rules on a move, as only the lead's store does. No clock but the lead's own decides anything."""
    role = handoff.role_of(move.by)
    if role == SERVICE and _repeats(handoff, move):
        return Ruling("", "", {})
    reason = _refuse(handoff, move, role, around)
    row = row_of(handoff.ruled, move, role)
    if reason or row is None:
        return Ruling(reason, "", {})
    sets: dict[str, Value] = {}
    if move.verb not in ASIDE:
        sets = {"last": move.id, "verb": move.verb, "reason": move.text("reason") or None}
    if row.target == NONE:
        sets["status"] = None
    elif row.target and row.target != handoff.ruled:
        sets["status"], sets["since"] = row.target, around.now
    if move.verb == "offer":
        sets["version"] = handoff.version
    elif move.verb == "accept":
        sets |= {"accepted": around.now, "accepted_by": move.by, "accepted_version": handoff.version, "proposal": None}
    elif move.verb == "counter":
        sets["proposal"] = move.id
    elif move.verb == "agree":
        sets |= {**proposed(handoff), "version": handoff.version + 1, "proposal": None}
    elif move.verb == "extend":
        sets |= {**terms(move), "version": handoff.version + 1}
    return Ruling("", row.target, sets)


def _repeats(handoff: Handoff, move: Move) -> bool:
    """Whether a service partner accepts what it has accepted, having lost that: its store was set back to before it. Nothing comes of
    it, but that partner's store takes the lead's word for what followed."""
    return (
        move.verb == "accept"
        and handoff.ruled in TAKEN_ON
        and move.values.get("version") == handoff.value("accepted_version")
        and any(
            one.verb == "accept" and one.ruling == TAKEN and one.text("seen") == move.text("seen")
            for one in handoff.moves
        )
    )


def _refuse(handoff: Handoff, move: Move, role: str, around: Circumstances) -> str:
    """Why the move is not taken; empty if it is."""
    status = handoff.ruled
    if role == LEAD and around.refusal and move.verb in ("draft", "offer"):
        return around.refusal
    if move.text("seen") != handoff.text("last"):
        return _overtaken(handoff, role)
    row = row_of(status, move, role)
    if row is None:
        return f"{why_not(status, move.verb, role)}. {what_now(status, role, countered=bool(handoff.text('proposal')))}"
    if row.reason == "required" and not move.text("reason").strip():
        return f"`{move.verb}` needs a reason"
    if move.verb in ("draft", "offer", "accept") and around.closed:
        return "the ticket is closed"
    if move.verb in ("draft", "offer") and around.other:
        return f"the ticket is with {around.other} already"
    if move.verb in ("accept", "counter") and move.values.get("version") != handoff.version:
        return f"the terms are version {handoff.version} now, not {move.text('version') or 'one that it names'}"
    return _refuse_terms(handoff, move)


def _refuse_terms(handoff: Handoff, move: Move) -> str:
    """Why the terms that a move proposes are not taken; empty if they are."""
    changed = terms(move)
    if move.verb == "counter" and not changed:
        return "a counter-offer changes at least one of the terms"
    if move.verb == "extend":
        if not changed:
            return "nothing more is authorised"
        for name, value in changed.items():
            agreed = handoff.value(name)
            if value != agreed and (name in FIXED or (name == "currency" and agreed is not None)):
                return f"the {name.replace('_', ' ')} stays as it was accepted"
    if move.verb == "agree" and not handoff.text("proposal"):
        return "there is no counter-offer to agree to"
    return ""


def _overtaken(handoff: Handoff, role: str) -> str:
    """Why a move is not taken whose author had not seen the last one. role: the author's."""
    verb = handoff.text("verb")
    if not verb:
        return "it follows a move that there is not"
    if verb == "expire":
        return f"it came too late: the time to accept had passed; the handoff is {handoff.ruled}"
    who = "a colleague" if verb in VERBS and VERBS[verb].role == role else "the other side"
    quoted = " ".join(handoff.text("reason").split())  # a ruling is one line
    said = f" ({quoted if len(quoted) <= _QUOTED else quoted[:_QUOTED] + '…'})" if quoted else ""
    verb = command(verb)
    return f"it came too late: meanwhile {who} said `{verb}`{said}; the handoff is {handoff.ruled}"
