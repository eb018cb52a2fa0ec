"""The export filter: what of a ticket may leave for a partner, and by which rule. Pure; every way out goes through `audience`.

Default deny: what no rule lets out stays. A change leaves whole or not at all, and for one partner only.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from chit_sync import schema
from chit_sync.handoffs import ASSIGNED, AWAITING, LEAD, LIVE, NONE, SERVICE, UNSENT, Handoff, get, newest, speaks_for
from chit_sync.registers import Value
from chit_sync.ticket import Ticket

SHARED_KINDS = frozenset(("comment", "attachment", "time", "charge", "question"))
"""Kinds of items that can cross at all, besides the handoff itself and its moves."""

AGREED = ("title", "description", "priority", "due")
"""Fields of the ticket that the lead's side hands on."""

OFFERED = ("title", "priority", "due")
"""Those of them that a partner is shown before it accepts."""

RULES = {
    "agreed": "the lead hands on title, description, priority and due",
    "offered": "an offer shows title, priority and due",
    "contact": "the terms share who asked",
    "shared": "it is for the partner",
    "mirrored": "both sides have the status, the terms and the reasons",
    "move": "the lead's store decides on it",
    "answer": "the lead answers the partner's question",
    "own": "each side keeps its own",
    "no-contact": "the terms do not share who asked",
    "internal": "what is internal never leaves",
    "never": "this never leaves",
    "unaddressed": "it is for nobody outside",
    "hours": "the lead's hours never leave; a comment says that work was done",
    "received": "it came from a partner; nothing that was received goes on by itself",
    "theirs": "it belongs to the other side",
    "unqualified": "it was written for the organisation alone",
    "held": "held back while the work awaits approval; `chit release` sends it afterwards",
    "not-yet": "the offer was not accepted yet",
    "ended": "the handoff has ended",
    "no-handoff": "the ticket is with no partner",
    "together": "a change leaves whole or not at all, and another part of it stays",
    "elsewhere": "it is for another partner",
    "then": "nothing crossed when it was written",
}
"""Rule to what it says to a person."""


class Verdict(NamedTuple):
    """What becomes of one path of a change. handoff: the id of that in which it leaves, empty if it stays. rule: a key of RULES."""

    path: str
    handoff: str
    rule: str


def verdicts(ticket: Ticket, sets: Iterable[str], by: str, handoffs: list[Handoff] | None = None) -> list[Verdict]:
    """What becomes of each path of a change to the ticket as it is now, by this author.

    handoffs: how they stand, where that is not what the ticket shows.
    """
    found = ticket.handoffs if handoffs is None else handoffs
    return [_verdict(ticket, path, by, found) for path in sets]


def audience(ticket: Ticket, sets: Iterable[str], by: str, handoffs: list[Handoff] | None = None) -> tuple[str, str]:
    """(the handoff in which the whole change leaves, or ""; the handoff from which it is held back, or "")."""
    found = verdicts(ticket, sets, by, handoffs)
    targets = {verdict.handoff for verdict in found}
    if len(targets) == 1 and "" not in targets:
        return targets.pop(), ""
    held = next((verdict for verdict in found if verdict.rule == "held"), None)
    if held is not None and held.path.count("/") == 2:
        return "", str(ticket.item(held.path.rpartition("/")[0]).get("to", ""))
    return "", ""


def explain(ticket: Ticket, sets: Iterable[str], by: str, handoffs: list[Handoff] | None = None) -> list[Verdict]:
    """The same, line by line, with what stays because the rest does."""
    found = verdicts(ticket, sets, by, handoffs)
    if len({verdict.handoff for verdict in found}) > 1:
        found = [one._replace(handoff="", rule="together") if one.handoff else one for one in found]
    return found


def towards(ticket: Ticket, sets: Iterable[str], by: str, partner: str, role: str) -> list[Verdict]:
    """The same for one partner alone, where the ticket is or was with several. role: ours."""
    found = ticket.handoffs
    mine = [one for one in found if one.partner == partner and one.role == role]
    return [_for_one(ticket, verdict, by, mine, found) for verdict in explain(ticket, sets, by, found)]


def _for_one(ticket: Ticket, verdict: Verdict, by: str, mine: list[Handoff], found: list[Handoff]) -> Verdict:
    if any(verdict.handoff == one.id for one in mine):
        return verdict
    kind, ident, _ = schema.split(verdict.path)
    if not kind:
        target, rule = _field(verdict.path, by, mine)
        if target or not mine:
            rule = "elsewhere" if verdict.handoff else verdict.rule
        return Verdict(verdict.path, "", rule)
    values = ticket.item(f"{kind}/{ident}")
    about = ident if kind == "handoff" else values.get("handoff" if kind == "move" else "to")
    ours = about is None or any(about == one.id for one in mine) or get(found, about) is None
    if verdict.handoff or not (ours or verdict.rule in ("internal", "never")):
        return Verdict(verdict.path, "", "elsewhere")
    return verdict


def _verdict(ticket: Ticket, path: str, by: str, handoffs: list[Handoff]) -> Verdict:
    if not handoffs:
        return Verdict(path, "", "no-handoff")
    kind, ident, name = schema.split(path)
    if not kind:
        return Verdict(path, *_field(path, by, handoffs))
    if not schema.ITEMS[kind][name].leaves:
        return Verdict(path, "", "internal" if name == "held" else "never")
    if kind in ("handoff", "move"):
        return Verdict(path, *_mirrored(ticket, kind, ident, name, by, handoffs))
    if kind not in SHARED_KINDS:
        return Verdict(path, "", "never")
    return Verdict(path, *_item(ticket, kind, f"{kind}/{ident}", name, by, handoffs))


def _field(path: str, by: str, handoffs: list[Handoff]) -> tuple[str, str]:
    """A field of the ticket itself: the lead hands on some, in the one handoff in which it is the lead."""
    field = schema.FIELDS.get(path)
    if field is None or not field.leaves:
        return "", "own"
    handoff = newest(handoffs, LEAD)
    if handoff is None:
        return "", "own"
    blocked = _blocked(handoff)
    if path in OFFERED and handoff.status == ASSIGNED and speaks_for(by, handoff.own):
        return handoff.id, "offered"
    if path in AGREED and not blocked:
        return (handoff.id, "agreed") if speaks_for(by, handoff.own) else ("", _stranger(by, handoffs))
    if path == "requester" and not blocked:
        if not handoff.value("share_contact"):
            return "", "no-contact"
        return (handoff.id, "contact") if speaks_for(by, handoff.own) else ("", _stranger(by, handoffs))
    return "", blocked or "own"


def _mirrored(ticket: Ticket, kind: str, ident: str, name: str, by: str, handoffs: list[Handoff]) -> tuple[str, str]:
    """The handoff itself and the moves on it: the lead mirrors the one, the service partner asks with the other."""
    values = ticket.item(f"{kind}/{ident}")
    handoff = get(handoffs, ident if kind == "handoff" else values.get("handoff"))
    if handoff is None:
        return "", "no-handoff"
    if not speaks_for(by, handoff.own):
        return "", _stranger(by, handoffs)
    theirs = speaks_for(ticket.origins[f"{kind}/{ident}"][0], handoff.partner)
    if handoff.ruled in (NONE, UNSENT):
        return "", "not-yet"
    if handoff.role == SERVICE:
        return (handoff.id, "move") if kind == "move" and name != "ruling" and not theirs else ("", "theirs")
    if kind == "move" and not (theirs and name == "ruling"):
        return "", "own"
    return handoff.id, "mirrored"


def _item(ticket: Ticket, kind: str, key: str, name: str, by: str, handoffs: list[Handoff]) -> tuple[str, str]:
    """Something that was said, attached, worked, charged or asked."""
    values = ticket.item(key)
    author = ticket.origins[key][0]
    if any(value == "internal" for _, value in ticket.item_registers[key].get("visibility", ())):
        return "", "internal"  # for one of two people who did not see each other's writing is enough
    handoff = get(handoffs, values.get("to"))
    if handoff is None:
        hours = kind == "time" and not any(one.role == SERVICE for one in handoffs)
        return "", "hours" if hours else "unaddressed"
    if not speaks_for(by, handoff.own):
        return "", _stranger(by, handoffs)
    answers = kind == "question" and name == "answer" and handoff.role == LEAD
    if is_received(author, handoffs) and not answers:
        return "", "theirs"
    if kind == "time" and handoff.role == LEAD:
        return "", "hours"
    if kind == "question" and not answers and (handoff.role == LEAD or name == "answer"):
        return "", "own"
    if values.get("held"):
        return "", "held"
    blocked = _blocked(handoff)
    if blocked:
        return "", blocked
    return handoff.id, "answer" if answers else "shared"


def _blocked(handoff: Handoff) -> str:
    """The rule by which nothing crosses in a handoff as it stands; empty if something does."""
    if handoff.status in LIVE:
        return ""
    if handoff.status == AWAITING:
        return "held"
    return "not-yet" if handoff.status in (UNSENT, ASSIGNED) else "ended"


def _stranger(by: str, handoffs: list[Handoff]) -> str:
    return "received" if is_received(by, handoffs) else "unqualified"


def qualified(by: str, handoff: Handoff) -> str:
    """An author's name as a partner sees it."""
    return by if speaks_for(by, handoff.own) else f"{by}@{handoff.own}"


def is_received(by: str, handoffs: Iterable[Handoff]) -> bool:
    """Whether an author is one of a partner's."""
    return any(speaks_for(by, one.partner) for one in handoffs)


def items_of(sets: Mapping[str, Value]) -> dict[str, dict[str, Value]]:
    """What is written to items: KIND/ID to field to value."""
    items: dict[str, dict[str, Value]] = {}
    for path, value in sets.items():
        kind, ident, name = schema.split(path)
        if kind:
            items.setdefault(f"{kind}/{ident}", {})[name] = value
    return items


def shared_items(sets: Mapping[str, Value]) -> dict[str, dict[str, Value]]:
    """The same of the items that can cross."""
    return {key: values for key, values in items_of(sets).items() if key.partition("/")[0] in SHARED_KINDS}


def shared_values(values: Mapping[str, Value], kind: str) -> dict[str, Value]:
    """Those values of an item that may leave at all."""
    fields = schema.ITEMS[kind]
    return {name: value for name, value in values.items() if fields[name].leaves}
