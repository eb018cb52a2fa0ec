"""What a partner may send, and what a colleague may do to an outsourced ticket: the checks of whoever receives. Pure.

A partner is another organisation, and hostile until checked: it may speak of its own handoffs only, in its own name, about its own
items, in its own role, while the handoff is running.
"""

from collections.abc import Collection, Mapping

from chit_sync import schema
from chit_sync.change import Change
from chit_sync.crossing import AGREED, SHARED_KINDS, is_received
from chit_sync.handoffs import ASSIGNED, AWAITING, LEAD, LIVE, SERVICE, VERBS, Handoff
from chit_sync.registers import Value
from chit_sync.sharing import deletion_refused, edit_refused, limit_refused, right_of
from chit_sync.ticket import Ticket

UNKNOWN = "there is no such ticket here"
"""What a partner hears of a ticket that it has no handoff of, whether there is one or not."""

_MOVE_FIELDS = frozenset(("handoff", "verb", "seen", "reason", "version", *schema.TERMS))
_RULED = frozenset(
    (
        "status", "since", "last", "verb", "reason", "version", "proposal", "accepted", "accepted_by", "accepted_version", "total",
        "lead",
    )
)  # fmt: skip
"""Fields of a handoff that only the lead's exchanging store writes."""


def _items(sets: Mapping[str, Value]) -> dict[str, dict[str, Value]]:
    items: dict[str, dict[str, Value]] = {}
    for path, value in sets.items():
        key, slash, name = path.rpartition("/")
        if slash and not path.startswith("labels/"):
            items.setdefault(key, {})[name] = value
    return items


def from_service(change: Change, ticket: Ticket | None, partner: str, own: str) -> str:
    """Why the lead's store does not take a service partner's change; empty if it does.

    partner: what we call them. own: what they call us.
    """
    found = [] if ticket is None else [one for one in ticket.handoffs if one.role == LEAD and one.partner == partner]
    if ticket is None or not any(one.ruled not in ("none", "unsent") for one in found):
        return UNKNOWN
    if (reason := _author(change, partner)) or (reason := _fields(change)):
        return reason
    for key, values in _items(change.set).items():
        kind, _, ident = key.partition("/")
        reason = _move(ticket, found, key, values) if kind == "move" else _shared(ticket, found, key, values, change.by)
        if reason:
            return f"{kind} {ident[:8]}: {reason}"
    return ""


def _author(change: Change, partner: str) -> str:
    name, mark, organisation = change.by.rpartition("@")
    if not mark or not name or organisation != partner:
        return f"the author {change.by[:60]!r} is not one of {partner}"
    return ""


def _fields(change: Change) -> str:
    for path in change.set:
        if path.count("/") != 2 or path.startswith("labels/"):
            return f"{path[:60]}: each side keeps its own"
    return ""


def _move(ticket: Ticket, found: list[Handoff], key: str, values: Mapping[str, Value]) -> str:
    """A service partner's move: a wish, on which the lead's store rules afterwards."""
    if key in ticket.item_registers:
        return "a move is made once"
    if not _MOVE_FIELDS.issuperset(values):
        return "only the lead's store rules"
    if not any(one.id == values.get("handoff") for one in found):
        return UNKNOWN
    row = VERBS.get(str(values.get("verb")))
    if row is None or row.role != SERVICE or not row.target:
        return f"`{str(values.get('verb'))[:40]}` is not for the service partner"
    return ""


def _shared(ticket: Ticket, found: list[Handoff], key: str, values: Mapping[str, Value], by: str) -> str:
    kind = key.partition("/")[0]
    if kind not in SHARED_KINDS:
        return "it is not for the service partner to write" if kind == "handoff" else f"a {kind} does not cross"
    for name in values:
        if not schema.ITEMS[kind][name].leaves or (kind, name) == ("question", "answer"):
            return f"{name} is not for the service partner to write"
    item = ticket.item(key)
    if item and not is_received(ticket.origins[key][0], found):
        return "it belongs to the other side"
    handoff = next((one for one in found if one.id == {**item, **values}.get("to")), None)
    if handoff is None or (item.get("to") and item["to"] != handoff.id):
        return UNKNOWN
    if handoff.ruled not in LIVE:
        return _not_now(handoff)
    if (
        kind != "question"
        and {**item, **values}.get("visibility") != "partner"
        and not (item and "visibility" not in values)
    ):
        return "what a service partner sends is visible to partners"
    there = handoff._replace(values={**handoff.values, "role": SERVICE})
    return limit_refused(ticket, [there], key, values)


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
    if reason := _author(change, partner):
        return reason
    if known and not found:
        return "the ticket is here already, and is none that this lead handed out"
    items = _items(change.set)
    made = {key[8:]: values for key, values in items.items() if key.startswith("handoff/")}
    if not found and not any(
        values.get("lead") == partner and values.get("service") == own for values in made.values()
    ):
        return UNKNOWN
    for ident, values in made.items():
        if not any(one.id == ident for one in found) and values.get("lead") != partner:
            return f"handoff {ident[:8]}: {UNKNOWN}"
        reason = _handoff(values, partner, own)
        if reason:
            return f"handoff {ident[:8]}: {reason}"
    running = any(one.ruled in LIVE for one in found)
    offered = any(one.ruled == ASSIGNED for one in found) or bool(made)
    for path in change.set:
        if path.count("/") == 2 and not path.startswith("labels/"):
            continue
        if path not in (*AGREED, "requester"):
            return f"{path[:60]}: each side keeps its own"
        if not running and not offered:
            return f"{path[:60]}: the handoff has ended"
    for key, values in items.items():
        kind, _, ident = key.partition("/")
        reason = "" if kind == "handoff" else _from_lead_item(ticket, found, key, values)
        if reason:
            return f"{kind} {ident[:8]}: {reason}"
    return ""


def _handoff(values: Mapping[str, Value], partner: str, own: str) -> str:
    for name in values:
        if not schema.ITEMS["handoff"][name].leaves:
            return f"{name} is ours alone"
    if values.get("lead", partner) != partner or values.get("service", own) != own:
        return "it names other organisations"
    return ""


def _from_lead_item(ticket: Ticket | None, found: list[Handoff], key: str, values: Mapping[str, Value]) -> str:
    kind = key.partition("/")[0]
    item = {} if ticket is None else ticket.item(key)
    theirs = not item or (ticket is not None and is_received(ticket.origins[key][0], found))
    if kind == "move":
        if set(values) != {"ruling"} or not any(one.id == item.get("handoff") for one in found):
            return "the lead rules on our moves, and makes none for us"
        return ""
    if kind not in SHARED_KINDS or kind == "time":
        return "it is not for the lead to send"
    handoff = next((one for one in found if one.id == {**item, **values}.get("to")), None)
    if handoff is None or (item.get("to") and theirs is False and item["to"] != handoff.id):
        return UNKNOWN
    if handoff.ruled not in LIVE:
        return _not_now(handoff)
    if kind == "question":
        return "" if item and set(values) == {"answer"} else "the lead answers questions, and asks none"
    for name in values:
        if not schema.ITEMS[kind][name].leaves:
            return f"{name} is ours alone"
    return "" if theirs else "it belongs to the other side"


def from_colleague(change: Change, ticket: Ticket | None, rights: Collection[str]) -> str:
    """Why this organisation's store does not take a colleague's change to an outsourced ticket; empty if it does.

    ticket: None where it is new here.
    """
    found = [] if ticket is None else ticket.handoffs
    if is_received(change.by, found):
        return f"the author {change.by[:60]!r} is one of a partner's"
    if change.set.get("deleted") and (reason := deletion_refused(found)):
        return reason
    for key, values in _items(change.set).items():
        kind, _, ident = key.partition("/")
        if kind == "handoff" and not _RULED.isdisjoint(values):
            return f"handoff {ident[:8]}: only the lead's store decides"
        if kind == "move" and (reason := _colleagues_move(values, rights)):
            return reason
        if ticket is not None and kind in SHARED_KINDS and key in ticket.item_registers:
            reason, _ = edit_refused(ticket, found, key, values)
            if reason:
                return reason
    for path in change.set:
        right = right_of(path)
        if right and right not in rights:
            return f"the token does not hold the right `{right}`, which {path.rpartition('/')[2]} needs"
    return ""


def _colleagues_move(values: Mapping[str, Value], rights: Collection[str]) -> str:
    if "ruling" in values:
        return "only the lead's store rules on moves"
    row = VERBS.get(str(values.get("verb")))
    if row is None:
        return f"there is no verb {str(values.get('verb'))[:40]!r}"
    right = (
        "outsource"
        if row.role == LEAD
        else "accept"
        if row.verb in ("accept", "decline", "counter", "handback")
        else ""
    )
    if right and right not in rights:
        return f"the token does not hold the right `{right}`, which `{row.verb}` needs"
    return ""
