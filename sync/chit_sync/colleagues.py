"""What a colleague may do to an outsourced ticket: the check of the organisation's store that exchanges with partners. Pure.

A colleague's copy of the store knows the same rules and may be behind, or not keep to them; and a token may lack a right.
"""

from collections.abc import Collection, Mapping

from chit_sync.change import Change
from chit_sync.crossing import SHARED_KINDS, is_received, items_of
from chit_sync.handoffs import AWAITING, LEAD, LIVE, NONE, UNSENT, VERBS, Handoff, get
from chit_sync.registers import Value
from chit_sync.sharing import deletion_refused, edit_refused, right_of
from chit_sync.ticket import Ticket

_RULED = frozenset(
    (
        "status", "since", "last", "verb", "reason", "version", "proposal", "accepted", "accepted_by", "accepted_version", "total",
        "lead",
    )
)  # fmt: skip
"""Fields of a handoff that only the lead's exchanging store writes."""

_ANSWERS = ("accept", "decline", "counter", "handback")
"""Verbs of a service partner's by which it takes a ticket on or does not: they need the right `accept`. Work needs none."""


def from_colleague(change: Change, ticket: Ticket | None, rights: Collection[str], *, closes: bool = False) -> str:
    """Why this organisation's store does not take a colleague's change to an outsourced ticket; empty if it does.

    ticket: None where it is new here. closes: whether the change gives it a closed status.
    """
    found = [] if ticket is None else ticket.handoffs
    if is_received(change.by, found):
        return f"the author {change.by[:60]!r} is one of a partner's"
    if change.set.get("deleted") and (reason := deletion_refused(found)[0]):
        return reason
    running = any(one.role == LEAD and one.ruled in (*LIVE, AWAITING) for one in found)
    if closes and running and "outsource" not in rights:
        return _without("outsource", "closing an outsourced ticket")
    for key, values in items_of(change.set).items():
        kind, _, ident = key.partition("/")
        reason = ""
        if kind == "handoff":
            reason = _colleagues_handoff(found, ident, values, rights)
        elif kind == "move":
            reason = _colleagues_move(ticket, key, values, rights)
        elif ticket is not None and kind in SHARED_KINDS and key in ticket.item_registers:
            reason, _ = edit_refused(ticket, found, key, values)
        if reason:
            return reason
    for path in change.set:
        right = right_of(path)
        if right and right not in rights:
            return _without(right, path.rpartition("/")[2])
    return ""


def _without(right: str, purpose: str) -> str:
    return f"the token does not hold the right `{right}`, which {purpose} needs"


def _colleagues_handoff(found: list[Handoff], ident: str, values: Mapping[str, Value], rights: Collection[str]) -> str:
    """Why a colleague does not write so to a handoff: it is done in a draft only, and what it comes to is not for them to say."""
    handoff = get(found, ident)
    if not _RULED.isdisjoint(values) or values.get("role", LEAD) != LEAD:
        return f"handoff {ident[:8]}: only the lead's store decides"
    if values.keys() <= {"bill_rate"}:
        return ""  # nobody's business but ours, at any time
    if handoff is not None and handoff.ruled not in (NONE, UNSENT):
        return f"handoff {ident[:8]}: the terms are locked, it is {handoff.ruled}"
    return "" if "outsource" in rights else _without("outsource", "a handoff")


def _colleagues_move(ticket: Ticket | None, key: str, values: Mapping[str, Value], rights: Collection[str]) -> str:
    if "ruling" in values:
        return "only the lead's store rules on moves"
    if ticket is not None and key in ticket.item_registers:
        return "a move is made once"
    row = VERBS.get(str(values.get("verb")))
    if row is None:
        return f"there is no verb {str(values.get('verb'))[:40]!r}"
    right = "outsource" if row.role == LEAD else "accept" if row.verb in _ANSWERS else ""
    return _without(right, f"`{row.verb}`") if right and right not in rights else ""
