"""What an edit of an outsourced ticket becomes: what it may not do, for whom each part of it is, and the moves that go with it. Pure.

An edit is split so that what a partner may see and what it may not are never in one change. Whom a part reaches in the end is
`crossing`'s business; here it is only said.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from chit_sync import schema
from chit_sync.crossing import AGREED, is_received, qualified, shared_items, shared_values
from chit_sync.errors import ConflictError, PolicyError
from chit_sync.handoffs import (
    ACCEPTED,
    ASSIGNED,
    AWAITING,
    LEAD,
    LIVE,
    OPEN,
    SERVICE,
    TAKEN_ON,
    UNSENT,
    Handoff,
    decide,
    get,
    newest,
)
from chit_sync.money import parse
from chit_sync.registers import Value
from chit_sync.ticket import Ticket
from chit_sync.work import receiving, refuse_charge, refuse_time

WORK_DONE = "Work was done."
"""What a partner reads of the lead's time entry where its author says no more."""


class Piece(NamedTuple):
    """A part of an edit that one audience sees. force: write also what is so already, for those who do not have it."""

    set: Mapping[str, Value]
    by: str
    force: bool = False


class Wish(NamedTuple):
    """What somebody wants of a ticket. to: the partner that new items are for, where the ticket is with several. closes: whether it
    gives the ticket a closed status. restate: items (KIND/ID) that are sent as they are now."""

    set: Mapping[str, Value]
    by: str
    to: str = ""
    closes: bool = False
    restate: frozenset[str] = frozenset()


def pieces(ticket: Ticket, wish: Wish, new_item: Callable[[], str]) -> list[Piece]:
    """The parts of an edit of a ticket that has handoffs. Raises ConflictError, PolicyError for what is not possible now."""
    found = ticket.handoffs
    sets = dict(wish.set)
    _check(ticket, found, sets)
    _address(ticket, found, sets, wish)
    _check_limits(ticket, found, sets)
    force = _restated(ticket, sets, wish)
    sets |= _moves(found, sets, wish, new_item)
    classes: dict[tuple[bool, str, str], dict[str, Value]] = {}
    moved = max([right_of(path) for path in sets if path.startswith("move/")], default="")
    for path, value in sets.items():
        handoff = _audience(ticket, found, sets, path)
        by = wish.by if handoff is None else qualified(wish.by, handoff)
        moves = path.startswith("move/")
        classes.setdefault((moves, by, moved if moves else right_of(path)), {})[path] = value
    # A move comes after what is said with it, which may still cross then; where it makes things cross again, before it.
    first = any(path.endswith("/verb") and value == "withdraw" for path, value in sets.items())
    result = [Piece(classes[key], key[1]) for key in sorted(classes, key=lambda key: key[0] != first)]
    for handoff, values in force:
        result.append(Piece(values, qualified(wish.by, handoff), force=True))
    return result


def right_of(path: str) -> str:
    """The right that somebody needs to see and set a path; mostly none."""
    kind, _, name = schema.split(path)
    field = schema.ITEMS[kind].get(name) if kind else None
    return "" if field is None else field.right


def _check(ticket: Ticket, found: list[Handoff], sets: Mapping[str, Value]) -> None:
    """Raises ConflictError for what must not be done to an outsourced ticket."""
    if sets.get("deleted"):
        reason, hint = deletion_refused(found)
        if reason:
            raise ConflictError(reason, hint)
    for key, values in shared_items(sets).items():
        if key not in ticket.item_registers or not set(values) - {"held"}:
            continue
        reason, hint = edit_refused(ticket, found, key, values)
        if reason:
            raise ConflictError(reason, hint)
    for handoff in found:
        for path, value in sets.items():
            if path.startswith("move/") and value == handoff.id and path.endswith("/handoff"):
                verb = str(sets[path.removesuffix("handoff") + "verb"])
                decide(handoff.status, verb, handoff.role, countered=handoff.countered)
        written = {path for path in sets if path.startswith(f"handoff/{handoff.id}/")}
        if handoff.status != UNSENT and written - {f"handoff/{handoff.id}/bill_rate"}:
            raise ConflictError(f"the terms are locked: the handoff is {handoff.status}", "Look at it again.")


def deletion_refused(found: list[Handoff]) -> tuple[str, str]:
    """(why the ticket cannot be deleted, what to do instead); empty if it can."""
    for handoff in found:
        if handoff.value("accepted") or handoff.status in TAKEN_ON:
            where = f"to {handoff.partner}" if handoff.role == LEAD else f"by {handoff.partner}"
            return (
                f"a ticket that was outsourced {where} cannot be deleted",
                "Close it instead; a ticket that was taken on is not deleted, even afterwards.",
            )
        if handoff.status == ASSIGNED:
            return _offered(handoff)
    return "", ""


def _offered(handoff: Handoff) -> tuple[str, str]:
    """(why a ticket is neither closed nor deleted while it is offered, what comes first)."""
    if handoff.role == LEAD:
        return f"the ticket is offered to {handoff.partner}", "First take the offer back: `chit cancel`."
    return f"the ticket is offered by {handoff.partner}", "First refuse the offer: `chit decline`."


def edit_refused(ticket: Ticket, found: list[Handoff], key: str, values: Mapping[str, Value]) -> tuple[str, str]:
    """(why an item cannot be edited now, what to do instead); empty if it can."""
    item = ticket.item(key)
    handoff = get(found, item.get("to"))
    kind, _, ident = key.partition("/")
    releases = "held" in values and values["held"] is None and values.get("visibility") != "internal"
    if handoff is not None and item.get("held") and releases and handoff.status not in LIVE:
        return (
            f"the {kind} {ident[:8]} stays held back: the handoff is {handoff.status}",
            "Release it when work goes on.",
        )
    if handoff is None or item.get("held") or item.get("visibility") == "internal":
        return "", ""
    author = ticket.origins[key][0]
    theirs = is_received(author, [handoff])
    if theirs and handoff.role == LEAD and set(values) <= {"visibility"}:
        return "", ""  # publishing it, or taking that back, is the lead's own business
    if handoff.status == AWAITING:
        return (
            f"the {kind} {ident[:8]} cannot change while the work awaits approval",
            "It can again when the work is rejected, withdrawn or approved.",
        )
    if handoff.status in LIVE and theirs and not (kind == "question" and set(values) <= {"answer"}):
        return (
            f"the {kind} {ident[:8]} belongs to {handoff.partner}",
            f"`chit detach {ident[:8]}` makes a copy of your own that you may edit.",
        )
    if handoff.status in LIVE and values.get("visibility") == "internal":
        return (
            f"{handoff.partner} has the {kind} {ident[:8]}: it cannot be made internal any more",
            "Delete it: that takes it away from both.",
        )
    return "", ""


def _address(ticket: Ticket, found: list[Handoff], sets: dict[str, Value], wish: Wish) -> None:
    """Says of new items, and of those that become visible, which handoff they are for."""
    for key, values in shared_items(sets).items():
        kind, _, ident = key.partition("/")
        item = ticket.item(key)
        visibility = values.get("visibility", item.get("visibility", "public"))
        if item.get("to") or values.get("to") or visibility == "internal":
            if item.get("to") and values.get("visibility") == "public" and _is_service(found, item["to"]):
                sets[f"{key}/visibility"] = "partner"
            continue
        if item and "visibility" not in values:
            continue  # an item from before the handoff, or for nobody outside, stays so
        handoff = receiving(found, wish.to)
        if handoff is None:
            continue
        if kind == "time" and handoff.role == LEAD:
            note = values.get("note") or WORK_DONE
            said = {"body": note, "visibility": "partner", "to": handoff.id}
            sets |= {f"comment/{ident}/{name}": value for name, value in said.items()}
            continue
        sets[f"{key}/to"] = handoff.id
        if handoff.role == SERVICE and kind != "question":
            sets[f"{key}/visibility"] = "partner"


def _is_service(found: list[Handoff], ident: Value) -> bool:
    handoff = get(found, ident)
    return handoff is not None and handoff.role == SERVICE


def _check_limits(ticket: Ticket, found: list[Handoff], sets: Mapping[str, Value]) -> None:
    """Raises PolicyError for more than the lead has authorised."""
    for key, values in shared_items(sets).items():
        reason = limit_refused(ticket, found, key, values)
        if reason:
            raise PolicyError(reason, "With --over-limit the lead is asked; nothing is recorded until then.")


def limit_refused(ticket: Ticket, found: list[Handoff], key: str, values: Mapping[str, Value]) -> str:
    """Why time or a charge goes beyond what is authorised; empty if it does not."""
    kind, _, ident = key.partition("/")
    item = {**ticket.item(key), **values}
    handoff = get(found, item.get("to"))
    if handoff is None or handoff.role != SERVICE or item.get("deleted") or item.get("visibility") == "internal":
        return ""
    if kind == "time" and "minutes" in values:
        return refuse_time(ticket, handoff, int(item.get("minutes") or 0), ident)
    if kind == "charge" and {"amount", "currency"} & set(values):
        return refuse_charge(ticket, handoff, parse(str(item.get("amount") or 0)), str(item.get("currency")), ident)
    return ""


def _restated(ticket: Ticket, sets: dict[str, Value], wish: Wish) -> list[tuple[Handoff, dict[str, Value]]]:
    """What is sent as it is now: what is released, and what was internal and becomes visible."""
    found = []
    handoffs = {one.id: one for one in ticket.handoffs}
    becoming = {
        path[: -len("/to")]
        for path, value in sets.items()
        if path.endswith("/to") and value and path[: -len("/to")] in ticket.item_registers
    }
    for key in sorted(wish.restate | becoming):
        kind = key.partition("/")[0]
        values = shared_values(ticket.item(key), kind)
        for name in list(values) + [path.rpartition("/")[2] for path in sets if path.startswith(key + "/")]:
            path = f"{key}/{name}"
            if path in sets and schema.ITEMS[kind][name].leaves:
                values[name] = sets.pop(path)
        handoff = handoffs.get(str(values.get("to", "")))
        if handoff is not None:
            found.append((handoff, {f"{key}/{name}": value for name, value in values.items()}))
    return found


def _moves(
    found: list[Handoff], sets: Mapping[str, Value], wish: Wish, new_item: Callable[[], str]
) -> dict[str, Value]:
    """The moves that go with an edit: closing completes or submits, and the first work begins."""
    moved = {path for path in sets if path.startswith("move/")}
    made: dict[str, Value] = {}
    for handoff in found:
        if handoff.status not in OPEN or moved:
            continue
        if wish.closes:
            verb = _closing(handoff)
            if verb:
                made |= move_paths(handoff, verb, new_item())
        elif handoff.role == SERVICE and handoff.status == ACCEPTED and _is_work(sets, handoff):
            made |= move_paths(handoff, "work", new_item())
    return made


def _closing(handoff: Handoff) -> str:
    """The verb that closing the ticket means. Raises ConflictError for a ticket that is offered."""
    if handoff.status == ASSIGNED:
        raise ConflictError(*_offered(handoff))
    if handoff.role == SERVICE:
        return "submit" if handoff.status in LIVE else ""
    if handoff.status in LIVE:
        return "complete"
    if handoff.status == AWAITING:
        return "approve"
    return ""


def _is_work(sets: Mapping[str, Value], handoff: Handoff) -> bool:
    return bool(sets.get("assignee")) or any(
        path.endswith("/to") and value == handoff.id and not path.startswith("question/")
        for path, value in sets.items()
    )


def move_paths(handoff: Handoff, verb: str, item: str, **fields: Value) -> dict[str, Value]:
    """The paths of a move."""
    values = {"handoff": handoff.id, "verb": verb, "seen": handoff.last or None, **fields}
    return {f"move/{item}/{name}": value for name, value in values.items() if value is not None}


def _audience(ticket: Ticket, found: list[Handoff], sets: Mapping[str, Value], path: str) -> Handoff | None:
    """The handoff in which a path is meant to leave; None for what stays in the organisation."""
    kind, ident, name = schema.split(path)
    if not kind:
        if path not in AGREED and path != "requester":
            return None
        lead = newest(found, LEAD)
        if lead is None or lead.status not in LIVE or (path == "requester" and not lead.value("share_contact")):
            return None
        return lead
    if not schema.ITEMS[kind][name].leaves or kind == "handoff":
        return None
    key = f"{kind}/{ident}"
    item = {**ticket.item(key), **{p.rpartition("/")[2]: value for p, value in sets.items() if p.startswith(key + "/")}}
    if kind == "move":
        handoff = get(found, item.get("handoff"))
        return handoff if handoff is not None and handoff.role == SERVICE else None
    handoff = get(found, item.get("to"))
    if handoff is None or item.get("visibility") == "internal" or handoff.status not in OPEN:
        return None
    if key in ticket.item_registers and is_received(ticket.origins[key][0], [handoff]):
        return handoff if kind == "question" and name == "answer" else None
    return handoff
