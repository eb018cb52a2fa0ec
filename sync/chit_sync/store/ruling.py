"""What the lead's exchanging store decides: rulings on moves, what goes with them, and offers whose time has passed.

What a move may do is `rulings`' business. Every function is called inside a transaction and writes ordinary changes.
"""

from collections.abc import Mapping

from chit_sync import checks, crossing, handoffs, ids, rulings, work
from chit_sync.handoffs import EXPIRED, LEAD, SERVICE, UNSENT, WORKING, Handoff, Move, get, other_side, speaks_for
from chit_sync.money import spell
from chit_sync.registers import Value, shown
from chit_sync.schema import OPEN_CATEGORIES
from chit_sync.store import partners, reading
from chit_sync.store.database import Store
from chit_sync.store.making import Restated, new_item, restate, rewrite
from chit_sync.store.partners import Partner
from chit_sync.ticket import Ticket

SYSTEM = "chit"
"""Who does what nobody did."""


class Partners:
    """The organisations that this store exchanges with; a colleague's copy of it knows none."""

    def __init__(self, store: Store) -> None:
        self._found = {(partner.role, partner.name): partner for partner in partners.listing(store)}

    def beyond(self, handoff: Handoff) -> Partner | None:
        """The organisation on the other side, if this is the store that exchanges with it."""
        return self._found.get((other_side(handoff.role), handoff.partner))

    def lead(self, name: str) -> Partner | None:
        """The lead of that name."""
        return self._found.get((LEAD, name))

    def rules_on(self, handoff: Handoff) -> bool:
        """Whether this is the store that rules on the handoff. One that was never sent to anybody is any exchanging store's to refuse."""
        if handoff.role != LEAD:
            return False
        return self.beyond(handoff) is not None or (not handoff.value("status") and bool(self._found))


def rule(store: Store, known: Partners, number: int, ident: str) -> None:
    """Rules on a move, if it is for this store to rule on and was not ruled on yet."""
    ticket = reading.load(store, number)
    found = handoffs.read(ticket.item_registers, ticket.origins, every=True)
    handoff = get(found, ticket.item(f"move/{ident}").get("handoff"))
    if handoff is None or not known.rules_on(handoff):
        return
    if expire(store, known, ticket):
        rule(store, known, number, ident)
        return
    move = next(one for one in handoff.moves if one.id == ident)
    if move.ruling is not None:
        return
    partner = known.beyond(handoff)
    decided = rulings.rule(handoff, move, _around(store, ticket, found, handoff, move, partner))
    if decided.reason or partner is None:
        _write_down(store, ticket, handoff, move, (decided.reason or "there is no such partner")[: checks.MAX_LINE], {})
        return
    sets = dict(decided.sets)
    if move.verb == "offer":
        named = {**handoff.values, LEAD: partner.own, SERVICE: partner.name}
        sets = {**crossing.shared_values(named, "handoff"), **sets}
    if move.verb in ("approve", "complete"):
        sets |= _settle(store, ticket, handoff)
    _write_down(store, ticket, handoff, move, handoffs.TAKEN, sets)
    if decided.sets:
        _follow_up(store, known, number, handoff.id, move)


def begin(store: Store, ticket: Ticket, handoff: Handoff) -> None:
    """Notes that the service partner has begun to work."""
    _mirror(store, ticket, handoff, {"status": WORKING, "since": store.now()}, crossing.qualified(SYSTEM, handoff))


def expire(store: Store, known: Partners, ticket: Ticket) -> int:
    """Declines the offers of a ticket whose time has passed; returns how many."""
    due = [one for one in ticket.handoffs if known.rules_on(one) and rulings.is_due(one, store.now())]
    for handoff in due:
        sets: dict[str, Value] = {
            "status": handoffs.DECLINED,
            "since": store.now(),
            "last": new_item(store),
            "verb": "expire",
            "reason": EXPIRED,
        }
        _mirror(store, ticket, handoff, sets, crossing.qualified(SYSTEM, handoff))
    return len(due)


def _around(
    store: Store, ticket: Ticket, found: list[Handoff], handoff: Handoff, move: Move, partner: Partner | None
) -> rulings.Circumstances:
    others = [one for one in found if one.role == LEAD and one.id != handoff.id and one.ruled in handoffs.OPEN]
    refusal = ""
    if partner is None:
        refusal = f"there is no partner {handoff.text(SERVICE)!r}"
    elif partner.ended is not None:
        refusal = f"the partnership with {partner.name} has ended"
    elif partner.token is None and move.verb == "offer":  # a draft sends nothing
        refusal = f"{partner.name} has not joined yet"
    closed = ticket.category not in OPEN_CATEGORIES
    return rulings.Circumstances(store.now(), closed, others[0].partner if others else "", refusal)


def _mirror(store: Store, ticket: Ticket, handoff: Handoff, sets: Mapping[str, Value], by: str) -> None:
    rewrite(store, ticket, {f"handoff/{handoff.id}/{name}": value for name, value in sets.items()}, by)


def _write_down(
    store: Store, ticket: Ticket, handoff: Handoff, move: Move, ruling: str, sets: Mapping[str, Value]
) -> None:
    """Writes down what was decided. A draft, and a move of our own, stay in the organisation; what comes of it is mirrored."""
    handoff = handoff._replace(values={**handoff.values, **sets})
    said = {f"move/{move.id}/ruling": ruling}
    paths = {f"handoff/{handoff.id}/{name}": value for name, value in sets.items()}
    if handoff.role_of(move.by) == SERVICE:
        rewrite(store, ticket, {**said, **paths}, crossing.qualified(SYSTEM, handoff))
        return
    rewrite(store, ticket, said, move.by)
    draft = handoff.value("status") in (None, UNSENT)
    rewrite(store, ticket, paths, move.by if draft else crossing.qualified(move.by, handoff))


def _follow_up(store: Store, known: Partners, number: int, ident: str, move: Move) -> None:
    """What belongs to a transition besides the status."""
    ticket = reading.load(store, number)
    handoff = get(ticket.handoffs, ident)
    if handoff is None:
        return
    system = crossing.qualified(SYSTEM, handoff)
    if move.verb == "offer":
        rewrite(store, ticket, _fields(ticket, crossing.OFFERED), system)
    elif move.verb == "accept":
        contact = ("requester",) if handoff.value("share_contact") else ()
        rewrite(store, ticket, _fields(ticket, (*crossing.AGREED, *contact)), system)
        _snapshot(store, ticket, handoff)
    elif move.verb == "reject":
        key = f"comment/{ids.item_id('reason', move.id)}"
        said = {f"{key}/body": move.text("reason"), f"{key}/visibility": "partner", f"{key}/to": handoff.id}
        rewrite(store, ticket, said, crossing.qualified(move.by, handoff))
    if move.verb in ("reject", "withdraw"):
        rewrite(store, ticket, _missed(store, known, ticket, handoff), system)


def _fields(ticket: Ticket, names: tuple[str, ...]) -> dict[str, Value]:
    return {path: value for path in names if (value := ticket.value(path)) is not None}


def _snapshot(store: Store, ticket: Ticket, handoff: Handoff) -> None:
    """Sends the items that were there before the handoff, as far as the terms share them: each by its author, at its time.

    What came from another partner, or was said to one, stays, and so does the name of who asked where the terms do not share it.
    """
    shares = {"comment": handoff.text("share_comments"), "attachment": handoff.text("share_attachments")}
    found = ticket.handoffs
    others = [one for one in found if one.id != handoff.id]
    told: list[Restated] = []
    elsewhere = {one.id for one in others if one.partner != handoff.partner or one.status in handoffs.OPEN}
    for key in ticket.item_registers:
        kind = key.partition("/")[0]
        values, (author, time) = ticket.item(key), ticket.origins[key]
        visibility = values.get("visibility", "public")
        if (
            shares.get(kind) not in ("all", "public")
            or values.get("deleted")
            or values.get("held")
            or (kind == "attachment" and not values.get("sha256"))  # only a helpdesk has it
            or visibility == "internal"
            or (shares[kind] == "public" and visibility != "public")
            or values.get("to") in elsewhere
            or crossing.is_received(author, found)
        ):
            continue
        shown = {**crossing.shared_values(values, kind), "to": handoff.id}
        own = next((one.own for one in found if speaks_for(author, one.own)), "")
        name = author.removesuffix("@" + own) if own else author
        if name == ticket.value("requester") and not handoff.value("share_contact"):
            name = SYSTEM
        by = crossing.qualified(name, handoff)
        told.append(Restated({f"{key}/{field}": value for field, value in shown.items()}, by, time))
    restate(store, ticket, told)


def _missed(store: Store, known: Partners, ticket: Ticket, handoff: Handoff) -> dict[str, Value]:
    """What the lead's people changed in the ticket's fields while nothing crossed."""
    partner = known.beyond(handoff)
    missed: dict[str, Value] = {}
    for path in crossing.AGREED:
        written = ticket.registers.get(path)
        if not written or partner is None:
            continue
        body, sent = store.db.execute(
            "SELECT body, EXISTS (SELECT 1 FROM outbound o WHERE o.seq = c.seq AND o.partner = ?) FROM changes c WHERE c.seq = ?",
            (partner.id, written[0][0]),
        ).fetchone()
        from chit_sync.codec import decode  # heavy, and rarely needed

        if not sent and not crossing.is_received(decode(body).by, ticket.handoffs):
            missed[path] = shown(written)
    return missed


def _settle(store: Store, ticket: Ticket, handoff: Handoff) -> dict[str, Value]:
    """Bundles the partner's time into one charge at the agreed pay, which is not billed; returns what the partner is told.

    The charge shows what was agreed, so who may not see that does not see it.
    """
    owed = work.bundle(ticket, handoff)
    if owed is None:
        return {}
    key = (
        f"charge/{ids.item_id('bundle', handoff.id)}"  # the same again, where the store was set back and a copy was not
    )
    values = {
        "amount": spell(owed[0]), "currency": owed[1] or None, "note": f"time of {handoff.partner}", "bundle": handoff.id,
        "visibility": "internal",
    }  # fmt: skip
    paths = {f"{key}/{name}": value for name, value in values.items() if value is not None}
    rewrite(store, ticket, paths, SYSTEM, right="finance")
    return {"total": spell(owed[0])}
