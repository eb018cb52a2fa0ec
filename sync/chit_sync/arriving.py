"""What a partner may send: the checks of whoever receives. Pure. What people of the own organisation may do is for `colleagues`.

A partner is another organisation, and hostile until checked: it may speak of its own handoffs only, in its own name, about its own
items, in its own role, while the handoff is running.
"""

from collections.abc import Mapping

from chit_sync import schema, work
from chit_sync.change import Change
from chit_sync.clock import DAY
from chit_sync.crossing import AGREED, SHARED_KINDS, is_received, items_of
from chit_sync.handoffs import (
    ASSIGNED,
    AWAITING,
    ENDED,
    FIXED,
    LEAD,
    LIVE,
    NONE,
    OPEN,
    SERVICE,
    TAKEN,
    TRANSITIONS,
    UNSENT,
    VERBS,
    Handoff,
    get,
    standing,
)
from chit_sync.registers import Value
from chit_sync.sharing import limit_refused
from chit_sync.ticket import Ticket

UNKNOWN = "there is no such ticket here"
"""What a partner hears of a ticket that it has no handoff of, whether there is one or not."""

_MOVE_FIELDS = frozenset(("handoff", "verb", "seen", "reason", "version", *schema.TERMS))
_NEEDED = {
    "comment": ("body",), "attachment": ("name", "sha256"), "time": ("minutes",), "charge": ("amount", "currency"),
    "question": ("body",),
}  # fmt: skip
"""What an item of a partner's cannot be without."""

_AGREED_ON = frozenset((*FIXED, "currency", "accepted", "accepted_by", "accepted_version"))
"""What of a handoff stays as it was accepted."""

_HIDING = frozenset("\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")
"""Characters that make a name look like another one: those that turn the direction of writing, and those of no width."""

MAX_BEHIND = 30 * DAY
"""How far before the ticket was made a partner's change may be dated: a slow clock is borne with, a false date is not."""


def from_service(change: Change, ticket: Ticket | None, partner: str, own: str) -> str:
    """Why the lead's store does not take a service partner's change; empty if it does.

    partner: what we call them. own: what they call us.
    """
    found = []
    if ticket is not None:
        found = [
            one
            for one in ticket.handoffs
            if one.role == LEAD and one.partner == partner and one.ruled not in (NONE, UNSENT)
        ]
    if ticket is None or not found:
        return UNKNOWN
    if reason := _author(change, partner, own) or _dates(change, ticket.created) or _fields(change):
        return reason
    for key, values in items_of(change.set).items():
        kind, _, ident = key.partition("/")
        reason = _move(ticket, found, key, values) if kind == "move" else _shared(ticket, found, key, values)
        if reason:
            return f"{kind} {ident[:8]}: {reason}"
    return ""


def exceeded(before: Ticket, after: Ticket, partner: str) -> str:
    """Why a service partner's change, which passed, is not taken all the same: what it adds up to is more than is authorised.

    A change can bring back what was deleted, or what had lost against a later one; that shows only in the sum.
    """
    for handoff in after.handoffs:
        if handoff.role != LEAD or handoff.partner != partner:
            continue
        minutes, cents = work.used_minutes(after, handoff.id), work.charged(after, handoff.id)
        if minutes > work.used_minutes(before, handoff.id) and (reason := work.refuse_time(after, handoff, 0)):
            return reason
        for one in work.charges_of(after, handoff.id):
            if one.currency != handoff.text("currency") and handoff.value("currency"):
                return work.refuse_charge(after, handoff, 0, one.currency)
        if cents > work.charged(before, handoff.id) and (
            reason := work.refuse_charge(after, handoff, 0, handoff.text("currency"))
        ):
            return reason
    return ""


def _author(change: Change, partner: str, own: str) -> str:
    name, _, organisation = change.by.rpartition("@")
    if not name.strip() or organisation != partner:
        return f"the author {change.by[:60]!r} is not one of {partner}"
    if name.casefold().endswith("@" + own.casefold()) or not _HIDING.isdisjoint(name):
        return f"the author {change.by[:60]!r} could be taken for somebody else"
    return ""


def _dates(change: Change, since: int) -> str:
    """Why a change is not believed that says when it was made, or when it happened."""
    if min(change.at, change.time) < since - MAX_BEHIND:
        return "it is dated long before the ticket was made: the clock it was made by is wrong"
    if change.time > change.at + DAY:
        return "it is dated later than it was recorded"
    return ""


def _fields(change: Change) -> str:
    for path in change.set:
        if not schema.split(path)[0]:
            return f"{path[:60]}: each side keeps its own"
    return ""


def _move(ticket: Ticket, found: list[Handoff], key: str, values: Mapping[str, Value]) -> str:
    """A service partner's move: a wish, on which the lead's store rules afterwards."""
    if key in ticket.item_registers:
        return "a move is made once"
    if not _MOVE_FIELDS.issuperset(values):
        return "only the lead's store rules"
    if get(found, values.get("handoff")) is None:
        return UNKNOWN
    row = VERBS.get(str(values.get("verb")))
    if row is None or row.role != SERVICE or not row.target:
        return f"`{str(values.get('verb'))[:40]}` is not for the service partner"
    return ""


def _shared(ticket: Ticket, found: list[Handoff], key: str, values: Mapping[str, Value]) -> str:
    kind = key.partition("/")[0]
    if kind not in SHARED_KINDS:
        return "it is not for the service partner to write" if kind == "handoff" else f"a {kind} does not cross"
    for name in values:
        if not schema.ITEMS[kind][name].leaves or (kind, name) == ("question", "answer"):
            return f"{name} is not for the service partner to write"
    item, known = ticket.item(key), key in ticket.item_registers
    if known and not is_received(ticket.origins[key][0], found):
        return "it belongs to the other side"
    shown = {**item, **values}
    handoff = get(found, shown.get("to"))
    if handoff is None or (item.get("to") and item["to"] != handoff.id):
        return UNKNOWN
    if handoff.ruled not in LIVE:
        return _not_now(handoff)
    if reason := _incomplete(kind, shown, values, known=known):
        return reason
    if kind != "question" and shown.get("visibility") != "partner" and not (known and "visibility" not in values):
        return "what a service partner sends is visible to partners"
    if known and "visibility" in values and item.get("visibility") != "partner":
        return "who may read it is the lead's to say by now"
    there = handoff._replace(values={**handoff.values, "role": SERVICE})
    return limit_refused(ticket, [there], key, values)


def _incomplete(kind: str, shown: Mapping[str, Value], values: Mapping[str, Value], *, known: bool) -> str:
    """Why an item is none: what it cannot be without is missing, or taken away."""
    for name in _NEEDED[kind]:
        if (name in values or not known) and shown.get(name) is None:
            return f"it has no {name}"
    return ""


def _not_now(handoff: Handoff) -> str:
    if handoff.ruled == AWAITING:
        return "the work awaits approval; nothing crosses until it is approved or rejected"
    if handoff.ruled == ASSIGNED:
        return "the offer was not accepted"
    return f"the handoff is {handoff.ruled}"


def from_lead(change: Change, ticket: Ticket | None, partner: str, own: str, *, known: bool) -> str:
    """Why a service partner's store does not take its lead's change; empty if it does.

    known: whether the ticket is here for another reason than a handoff of this lead.
    """
    found = [] if ticket is None else [one for one in ticket.handoffs if one.text(LEAD) == partner and one.role != LEAD]
    if reason := _author(change, partner, own):
        return reason
    if known and not found:
        return "the ticket is here already, and is none that this lead handed out"
    if change.time > change.at + DAY:
        return "it is dated later than it was recorded"
    items = items_of(change.set)
    made = {key[8:]: values for key, values in items.items() if key.startswith("handoff/")}
    new = made.keys() - {one.id for one in found}
    if not found and not new:
        return UNKNOWN
    for ident, values in made.items():
        handoff = get(found, ident)
        reason = _offer(ticket, found, ident, values, partner, own) if handoff is None else ""
        reason = reason or _handoff(handoff, values, partner, own, items)
        if reason:
            return f"handoff {ident[:8]}: {reason}"
    crosses = bool(new) or any(one.ruled in (ASSIGNED, *LIVE) for one in found)
    for path in change.set:
        if schema.split(path)[0]:
            continue
        if path not in (*AGREED, "requester"):
            return f"{path[:60]}: each side keeps its own"
        if not crosses:
            return f"{path[:60]}: {_not_now(found[-1])}"
    for key, values in items.items():
        kind, _, ident = key.partition("/")
        reason = "" if kind == "handoff" else _from_lead_item(ticket, found, key, values)
        if reason:
            return f"{kind} {ident[:8]}: {reason}"
    return ""


def given_back(change: Change, ticket: Ticket | None, partner: str, own: str) -> str:
    """Why a service partner's store does not take back from its lead what the lead says that it once sent; empty if it does.

    The lead's word is all there is: a person has asked for it. Still it can be about nothing but a handoff of this lead.
    """
    found = [] if ticket is None else [one for one in ticket.handoffs if one.text(LEAD) == partner and one.role != LEAD]
    if ticket is None or not found:
        return UNKNOWN
    if (reason := _author(change, own, partner)) or (reason := _fields(change)):
        return reason
    for key, values in items_of(change.set).items():
        kind, _, ident = key.partition("/")
        item = ticket.item(key)
        named = {**item, **values}.get("handoff" if kind == "move" else "to")
        leaves = kind in (*SHARED_KINDS, "move") and all(schema.ITEMS[kind][name].leaves for name in values)
        if not leaves or get(found, named) is None or "ruling" in values or "answer" in values:
            return f"{kind} {ident[:8]}: {UNKNOWN}"
    return ""


def _offer(
    ticket: Ticket | None, found: list[Handoff], ident: str, values: Mapping[str, Value], partner: str, own: str
) -> str:
    """Why a handoff that is new here is no offer to us."""
    if ticket is not None and f"handoff/{ident}" in ticket.item_registers:
        return UNKNOWN
    if values.get(LEAD) != partner or values.get(SERVICE) != own:
        return "it is not for us"
    if any(one.ruled in OPEN for one in found):
        return "the one before it has not ended"
    return ""


def _handoff(
    handoff: Handoff | None,
    values: Mapping[str, Value],
    partner: str,
    own: str,
    items: Mapping[str, Mapping[str, Value]],
) -> str:
    """Why a lead's word on a handoff is not taken. handoff: None for a new one. items: all that the change says."""
    for name in values:
        if not schema.ITEMS["handoff"][name].leaves:
            return f"{name} is ours alone"
    if values.get(LEAD, partner) != partner or values.get(SERVICE, own) != own:
        return "it names other organisations"
    before = handoff or standing("", 0, {}, [])
    changed = {name for name, value in values.items() if value != before.value(name)}
    if handoff is not None and before.ruled in ENDED and not changed <= {"total"}:
        return f"it is {before.ruled}, and stays so"
    if before.value("accepted"):
        for name in sorted(changed & _AGREED_ON):
            if name != "currency" or before.value(name) is not None:
                return f"{name} stays as it was accepted"
    ours = {
        move.verb
        for move in before.moves
        if before.role_of(move.by) == SERVICE and TAKEN in (move.ruling, items.get(f"move/{move.id}", {}).get("ruling"))
    }
    if changed & {"accepted", "accepted_by", "accepted_version"} and "accept" not in ours:
        return "we have not accepted it"
    if "status" in changed:
        status = values["status"]
        rows = [row for row in TRANSITIONS if row.target == status and before.ruled in row.sources]
        if not any(row.role == LEAD or row.by == "store" or row.verb in ours for row in rows):
            return f"it cannot become {status} now: it is {before.ruled}"
    return ""


def _from_lead_item(ticket: Ticket | None, found: list[Handoff], key: str, values: Mapping[str, Value]) -> str:
    kind = key.partition("/")[0]
    item = {} if ticket is None else ticket.item(key)
    known = ticket is not None and key in ticket.item_registers
    theirs = not known or (ticket is not None and is_received(ticket.origins[key][0], found))
    if kind == "move":
        if not known and set(values) == {"ruling"}:
            return ""  # on a move of ours that our store has lost: it was set back to before it
        if theirs or set(values) != {"ruling"} or get(found, item.get("handoff")) is None:
            return "the lead rules on our moves, and makes none for us"
        return "" if item.get("ruling") in (None, values["ruling"]) else "it was ruled on already"
    if kind not in SHARED_KINDS or kind == "time":
        return "it is not for the lead to send"
    shown = {**item, **values}
    handoff = get(found, shown.get("to"))
    if handoff is None or (item.get("to") and not theirs and item["to"] != handoff.id):
        return UNKNOWN
    if handoff.ruled not in LIVE:
        return _not_now(handoff)
    if kind == "question":
        return "" if known and set(values) == {"answer"} else "the lead answers questions, and asks none"
    for name in values:
        if not schema.ITEMS[kind][name].leaves:
            return f"{name} is ours alone"
    if not theirs:
        return "it belongs to the other side"
    if reason := _incomplete(kind, shown, values, known=known):
        return reason
    return "" if shown.get("visibility") != "internal" else "what is internal does not cross"
