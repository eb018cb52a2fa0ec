"""What the verbs of outsourcing write: from a ticket and what somebody wants to an edit for `authoring`. The lead's store rules on it.

Refuses at once what the handoff table does not allow as things stand here; what others did meanwhile is for the lead's store to say.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chit_sync import checks, handoffs
from chit_sync.authoring import Edit
from chit_sync.crossing import SHARED_KINDS, is_received
from chit_sync.errors import AmbiguousError, ConflictError, NotFoundError, UsageError
from chit_sync.handoffs import (
    AWAITING,
    LEAD,
    LIVE,
    SERVICE,
    UNSENT,
    Handoff,
    decide,
    newest,
    what_now,
    why_not,
)
from chit_sync.registers import Value
from chit_sync.schema import OPEN_CATEGORIES, TERMS
from chit_sync.sharing import move_paths
from chit_sync.store import partners, remotes
from chit_sync.store.database import Store
from chit_sync.store.making import new_item
from chit_sync.ticket import Ticket

KEPT_TERMS = (*TERMS, "share_contact", "share_comments", "share_attachments", "bill_rate")
"""What a new cycle takes over from the one before with the same partner, unless something else is said."""

DEFAULT_SHARES = {"share_comments": "public", "share_attachments": "public"}


class Held(NamedTuple):
    """An item that is held back. key: KIND/ID."""

    key: str
    handoff: Handoff


def offer(
    store: Store, ticket: Ticket, partner: str, terms: Mapping[str, Value], *, draft: bool = False, grace: int = 0
) -> Edit:
    """Offers a ticket to a partner, or saves the terms as a draft; with no terms, agrees to a counter-offer that waits.

    Raises ConflictError where the handoff table or the partnership forbids it, NotFoundError for an unknown partner, UsageError.
    """
    verb = "draft" if draft else "offer"
    last = newest(ticket.handoffs, LEAD)
    if last is not None and last.countered and not draft:
        if partner in ("", last.partner) and not terms:
            return Edit(ticket, move_paths(last, "agree", new_item(store)))
        raise ConflictError(
            f"{last.partner} proposes other terms",
            "`chit outsource` without terms agrees to them, `chit cancel` refuses.",
        )
    status, countered = (handoffs.NONE, False) if last is None else (last.status, last.countered)
    decide(status, verb, LEAD, countered=countered)
    if ticket.category not in OPEN_CATEGORIES:
        raise ConflictError("a closed ticket is not outsourced", "Reopen it first: `chit reopen`.")
    above = newest(ticket.handoffs, SERVICE)
    if above is not None and above.status not in handoffs.TAKEN_ON and above.value("accepted") is None:
        raise ConflictError(
            f"the ticket belongs to {above.partner}, whose offer is {above.status}",
            what_now(above.status, SERVICE, countered=above.countered),
        )
    partner = partner or ("" if last is None else last.partner)
    _check_partner(store, partner, draft=draft)
    if last is not None and last.status == UNSENT:
        key, seen = f"handoff/{last.id}", last
        sets: dict[str, Value] = {f"{key}/service": partner}
        sets |= {f"{key}/{name}": value for name, value in terms.items()}
    else:
        kept = kept_terms(ticket, partner)
        seen = handoffs.standing(new_item(store), 0, {}, [])
        key = f"handoff/{seen.id}"
        values = {**DEFAULT_SHARES, **kept, **terms, "role": LEAD, "service": partner, "grace": grace or None}
        sets = {f"{key}/{name}": value for name, value in values.items() if value is not None}
    _check_terms({**seen.values, **{path.rpartition("/")[2]: value for path, value in sets.items()}})
    return Edit(ticket, {**sets, **move_paths(seen, verb, new_item(store))})


def kept_terms(ticket: Ticket, partner: str = "") -> dict[str, Value]:
    """The terms of an offer that hold where nothing else is said: those of the draft, else of the last time with that partner, or of the
    last time at all. Another partner does not learn what was agreed with that one."""
    last = newest(ticket.handoffs, LEAD)
    if last is not None and last.status != UNSENT:
        last = newest(ticket.handoffs, LEAD, partner)
    return {} if last is None else {name: last.value(name) for name in KEPT_TERMS}


def _check_partner(store: Store, name: str, *, draft: bool) -> None:
    """Raises NotFoundError or ConflictError where this store exchanges with partners and that is none; a copy of it cannot know.

    draft: nothing is sent, so the partner may still be to join.
    """
    if not name:
        raise UsageError("no partner named", "Say whom to outsource it to: `chit outsource TICKET PARTNER`.")
    if not partners.any_here(store):
        if not remotes.listing(store):
            raise NotFoundError(f"no service partner {name!r}", f"`chit partner invite {name}` invites one.")
        return
    found = partners.find(store, name, SERVICE)
    if found is None:
        raise NotFoundError(f"no service partner {name!r}", "`chit partner list` shows what there is.")
    if found.ended is not None:
        raise ConflictError(f"the partnership with {name} has ended", "`chit partner invite` begins a new one.")
    if found.token is None and not draft:
        raise ConflictError(
            f"{name} was invited and has not joined yet",
            "Offer it when `chit partner list` says joined; until then --draft saves it.",
        )


def _check_terms(values: Mapping[str, Value]) -> None:
    """Raises UsageError for terms that contradict each other."""
    if values.get("pay") is not None and values.get("currency") is None:
        raise UsageError("the pay has no currency", "Say --currency EUR.")
    if values.get("authorized_charges") is not None and values.get("currency") is None:
        raise UsageError("the charges that are authorised have no currency", "Say --currency EUR.")


def current(ticket: Ticket, verb: str, partner: str = "") -> Handoff:
    """The handoff that a verb is about. Raises ConflictError that names its status and what is possible, or says that there is none."""
    row = handoffs.VERBS[verb]
    found = newest(ticket.handoffs, row.role, partner)
    if found is None:
        theirs = newest(ticket.handoffs, handoffs.other_side(row.role), partner)
        if theirs is not None:
            reason, hint = (
                why_not(theirs.status, verb, theirs.role),
                what_now(theirs.status, theirs.role, countered=theirs.countered),
            )
            raise ConflictError(reason, hint)
        raise ConflictError(
            f"the ticket is not outsourced{' to ' + partner if partner else ''}",
            "`chit board` shows what is with whom.",
        )
    decide(found.status, verb, row.role, countered=found.countered)
    return found


def act(store: Store, ticket: Ticket, verb: str, *, partner: str = "", reason: str = "") -> Edit:
    """The edit for a verb that takes no more than a reason. Raises ConflictError, UsageError for a reason that is missing."""
    found = current(ticket, verb, partner)
    if handoffs.VERBS[verb].reason == "required" and not reason.strip():
        raise UsageError(f"`{verb}` needs a reason", "Say it with -m or -F.")
    checks.check("move/0/reason", reason)
    sets = move_paths(found, verb, new_item(store), reason=reason.strip() or None)
    if verb == "withdraw":  # as after a rejection, both sides read why
        sets |= said(found, new_item(store), reason)
    return Edit(ticket, sets)


def said(handoff: Handoff, item: str, body: str) -> dict[str, Value]:
    """The paths of a comment that goes with a verb."""
    return {f"comment/{item}/body": body, f"comment/{item}/visibility": "partner", f"comment/{item}/to": handoff.id}


def accept(store: Store, ticket: Ticket, *, partner: str = "", organization: str = "", status: str = "new") -> Edit:
    """Takes an offer on, with the version of the terms that is seen here; the ticket becomes one of this organisation's own.

    organization: that on which it is booked.
    """
    found = current(ticket, "accept", partner)
    sets = move_paths(found, "accept", new_item(store), version=found.version)
    if ticket.value("status") is None:
        sets["status"] = status
    if organization and ticket.value("organization") is None:
        sets["organization"] = organization
    if ticket.value("deleted"):
        sets["deleted"] = None
    return Edit(ticket, sets)


def counter(store: Store, ticket: Ticket, terms: Mapping[str, Value], *, partner: str = "", reason: str = "") -> Edit:
    """Proposes other terms."""
    found = current(ticket, "counter", partner)
    if not terms:
        raise UsageError(
            "a counter-offer changes at least one of the terms", "Say for example --pay 90 or --complete-by friday."
        )
    _check_terms({**found.values, **terms})
    return Edit(
        ticket,
        move_paths(found, "counter", new_item(store), version=found.version, reason=reason.strip() or None, **terms),
    )


def submit(store: Store, ticket: Ticket, *, partner: str = "", summary: str = "") -> Edit:
    """Hands in the finished work; the summary is a comment that the lead gets with it."""
    found = current(ticket, "submit", partner)
    sets = move_paths(found, "submit", new_item(store))
    if summary.strip():
        sets |= said(found, new_item(store), summary)
    return Edit(ticket, sets)


def ask(store: Store, ticket: Ticket, body: str, *, partner: str = "") -> Edit:
    """Asks the lead a question, which stays open until it is answered."""
    found = current(ticket, "ask", partner)
    if not body.strip():
        raise UsageError("the question is empty", "Nothing was written.")
    key = f"question/{new_item(store)}"
    return Edit(ticket, {f"{key}/body": body, f"{key}/to": found.id})


def answer(store: Store, ticket: Ticket, question: str, body: str, terms: Mapping[str, Value]) -> Edit:
    """Answers a question of the service partner's, and authorises more if terms are given. question: the beginning of its id."""
    open_ones = [one for one in ticket.questions if one.id.startswith(question)]
    if not open_ones:
        raise NotFoundError(f"no question {question!r} on this ticket", "`chit show` lists them.")
    if len(open_ones) > 1 and question:
        raise AmbiguousError(
            f"{question} could be {len(open_ones)} questions", [one.id for one in open_ones], "Type more letters."
        )
    waiting = [one for one in open_ones if one.answer is None]
    if not waiting:
        raise ConflictError("the question is answered already", "Add to it with a comment.")
    if len(waiting) > 1:
        raise AmbiguousError(
            "several questions are open",
            [f"{one.id}  {' '.join(one.body.split())}" for one in waiting],
            f"Name the one: `chit ask {ticket.id[:8]} ID --answer`.",
        )
    found = next((one for one in ticket.handoffs if one.id == waiting[0].to and one.role == LEAD), None)
    if found is None:
        raise ConflictError("the answer is for the lead to give", "You asked it.")
    decide(found.status, "answer", LEAD)
    if not body.strip():
        raise UsageError("the answer is empty", "Say it with -m or -F.")
    sets: dict[str, Value] = {f"question/{waiting[0].id}/answer": body}
    if terms:
        _check_terms({**found.values, **terms})
        sets |= move_paths(found, "extend", new_item(store), **terms)
    return Edit(ticket, sets)


def held(ticket: Ticket) -> list[Held]:
    """What of a ticket is held back, oldest first."""
    byid = {one.id: one for one in ticket.handoffs}
    return [
        Held(key, byid[str(values["held"])])
        for key in sorted(ticket.item_registers, key=lambda key: ticket.origins[key][1])
        if (values := ticket.item(key)).get("held") in byid and not values.get("deleted")
    ]


def release(ticket: Ticket, keys: Sequence[str], *, keep: bool = False) -> Edit:
    """Sends held items now, or with `keep` lets them stay in the organisation for good. Raises ConflictError while that is not possible."""
    chosen = [one for one in held(ticket) if one.key in keys]
    if keep:
        local: dict[str, Value] = {}
        for one in chosen:
            local |= {f"{one.key}/held": None, f"{one.key}/to": None, f"{one.key}/visibility": "internal"}
        return Edit(ticket, local)
    for one in chosen:
        if one.handoff.status not in LIVE:
            what = "awaits approval" if one.handoff.status == AWAITING else f"is {one.handoff.status}"
            hint = f"With --keep it stays here for good. {what_now(one.handoff.status, one.handoff.role)}"
            raise ConflictError(f"nothing crosses to {one.handoff.partner}: the handoff {what}", hint)
    return Edit(ticket, {f"{one.key}/held": None for one in chosen}, restate=frozenset(one.key for one in chosen))


def detach(store: Store, ticket: Ticket, key: str) -> tuple[Edit, str]:
    """Copies an item of the other side's, to edit it here; returns the edit and the copy's KIND/ID."""
    kind = key.partition("/")[0]
    if kind not in SHARED_KINDS - {"question"}:
        raise ConflictError(f"a {kind} has no copy of its own", "Comments, files, time and charges have.")
    author = ticket.origins[key][0]
    if not is_received(author, ticket.handoffs):
        raise ConflictError("it is your own already", "Edit it as it is.")
    copy = f"{kind}/{new_item(store)}"
    values = {name: value for name, value in ticket.item(key).items() if name not in ("to", "held", "deleted")}
    values["visibility"] = "internal"
    return Edit(ticket, {f"{copy}/{name}": value for name, value in values.items()}), copy


def find_item(ticket: Ticket, ident: str, kinds: frozenset[str] = SHARED_KINDS) -> str:
    """KIND/ID of the item whose id begins so. Raises NotFoundError, AmbiguousError."""
    found = [
        key
        for key in ticket.item_registers
        if key.partition("/")[0] in kinds
        and key.partition("/")[2].startswith(ident)
        and not ticket.item(key).get("deleted")
    ]
    if not found:
        raise NotFoundError(f"no item {ident!r} on this ticket", "`chit show` lists them.")
    if len(found) > 1:
        raise AmbiguousError(f"{ident} could be {len(found)} items", found, "Type more letters.")
    return found[0]
