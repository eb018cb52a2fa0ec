"""What a store that exchanges with partners does with each change that it takes: it puts aside what is for whom, and has moves ruled on.

Called at the end of an append, in its transaction, in a store that has partners, where it is about outsourced tickets. What may leave is
`crossing`'s business, what becomes of a move `ruling`'s.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from chit_sync import crossing, handoffs
from chit_sync.change import Change
from chit_sync.handoffs import ACCEPTED, ASSIGNED, LEAD, SERVICE, Handoff
from chit_sync.registers import Registers, Value
from chit_sync.sharing import move_paths
from chit_sync.store import log, reading, ruling
from chit_sync.store.database import Store, explained
from chit_sync.store.expiring import due
from chit_sync.store.making import new_item, rewrite
from chit_sync.store.ruling import SYSTEM, Partners
from chit_sync.ticket import Ticket


def taken(
    store: Store,
    origin: int,
    fresh: Sequence[tuple[int, log.Record]],
    numbers: Mapping[str, int],
    outsourced: Collection[int],
) -> None:
    """Attends to changes that the log has just taken, each with its place, in their order; call it in the same transaction.

    origin: where they came from, as in `changes`; numbers: this store's numbers of their tickets; outsourced: those of the tickets that
    have handoffs.
    """
    desk = _Desk(store, origin)
    attended = set(outsourced)
    for seq, record in fresh:
        number = numbers[record.change.ticket]
        if number in attended:
            desk.attend(number, seq, record)


def hold(store: Store, number: int, sets: Mapping[str, Value]) -> bool:
    """Holds back what a partner did not take of a change; whether there was any such item. Call it inside a transaction."""
    ticket = reading.load(store, number)
    keys = crossing.shared_items(sets)
    for key in sorted(keys):
        _hold(store, ticket, [key], str(ticket.item(key).get("to", "")))
    return bool(keys)


def _hold(store: Store, ticket: Ticket, keys: Iterable[str], handoff: str) -> None:
    rewrite(store, ticket, {f"{key}/held": handoff for key in keys if not ticket.item(key).get("held")}, SYSTEM)


def expire(store: Store) -> int:
    """Declines the offers whose time has passed, where this is the lead's store; returns how many. Costs one look where there are none."""
    with explained(store.path):
        if not due(store):
            return 0
    with store.transaction():
        known = Partners(store)
        return sum(ruling.expire(store, known, reading.load(store, number)) for number in due(store))


_NEXT = """INSERT INTO outbound (partner, place, seq) SELECT :partner, 1 + max(
 (SELECT coalesce(max(place), 0) FROM outbound WHERE partner = :partner),
 (SELECT fetched FROM partners WHERE id = :partner),
 coalesce((SELECT pushed FROM remotes WHERE id = :remote), 0)), :seq"""
"""A partner's place for a change. One that the partner has passed is not taken again, though `undo` took away what was there."""


class _Sight(NamedTuple):
    """A ticket as it was when the log had come to that place. items: its handoffs and the moves on them."""

    last: int
    ticket: Ticket
    items: Mapping[str, Registers[int]]


class _Desk:
    """The desk at work on one batch."""

    def __init__(self, store: Store, origin: int) -> None:
        self.store = store
        self.origin = origin
        self.partners = Partners(store)
        self._seen: _Sight | None = None

    def attend(self, number: int, seq: int, record: log.Record) -> None:
        """One change that was taken."""
        change = record.change
        sight = self._look(number)
        if self._adopt(sight, change.by):
            sight = self._look(number)
        ticket, found = sight.ticket, self._as_of(sight, seq)
        target, held = crossing.audience(ticket, change.set, change.by, found)
        if target:
            self._send(seq, record, next(one for one in found if one.id == target))
        elif held and not any(one.id == held and self._is_from(one) for one in found):
            _hold(self.store, ticket, crossing.shared_items(change.set), held)
        if any(one.role == LEAD and one.role_of(change.by) == SERVICE for one in found):
            self._unpublish(ticket, change)
        for handoff in found:
            if handoff.role == LEAD and handoff.ruled == ACCEPTED and _is_work(change, handoff):
                ruling.begin(self.store, ticket, handoff)
        for path in change.set:
            if path.startswith("move/") and path.endswith("/verb"):
                ruling.rule(self.store, self.partners, number, path.split("/")[1])

    def _is_from(self, handoff: Handoff) -> bool:
        """Whether the batch came from the other side, which gives back what is ours."""
        partner = self.partners.beyond(handoff)
        return partner is not None and partner.remote == self.origin

    def _look(self, number: int) -> _Sight:
        """The ticket as it is now: loaded again only when something was written, as thousands of a batch may be about one ticket."""
        last = log.last_seq(self.store.db)
        if self._seen is None or (self._seen.ticket.number, self._seen.last) != (number, last):
            ticket = reading.load(self.store, number)
            items = {key: one for key, one in ticket.item_registers.items() if key.startswith(("handoff/", "move/"))}
            self._seen = _Sight(last, ticket, items)
        return self._seen

    def _as_of(self, sight: _Sight, seq: int) -> list[Handoff]:
        """The handoffs as they stood before the change at that place: the lead's as ruled, the partner's with its moves until then."""
        items = {
            key: registers
            for key, registers in sight.items.items()
            if not (key.startswith("move/") and min(heads[0][0] for heads in registers.values()) >= seq)
        }
        return [
            one._replace(status=one.ruled) if one.role == LEAD and self.partners.beyond(one) else one
            for one in handoffs.read(items, sight.ticket.origins)
        ]

    # Sending and holding back

    def _send(self, seq: int, record: log.Record, handoff: Handoff) -> None:
        partner = self.partners.beyond(handoff)
        if partner is None or self._is_from(handoff):
            return
        db = self.store.db
        db.execute(_NEXT, {"partner": partner.id, "remote": partner.remote, "seq": seq})
        db.executemany(
            "INSERT OR IGNORE INTO partner_blobs VALUES (?, ?)",
            [
                (partner.id, value)
                for path, value in record.change.set.items()
                if path.startswith("attachment/") and path.endswith("/sha256") and value
            ],
        )

    def _unpublish(self, ticket: Ticket, change: Change) -> None:
        """What a service partner rewrites must be published anew: the requester reads what the lead has read."""
        keys = crossing.shared_items(change.set)
        shown = {f"{key}/visibility": "partner" for key in keys if ticket.item(key).get("visibility") == "public"}
        rewrite(self.store, ticket, shown, SYSTEM)

    # Where we are the service partner

    def _adopt(self, sight: _Sight, by: str) -> bool:
        """Notes of a handoff that came from a lead that we are the service partner in it; declines it where the partnership has ended."""
        adopted, ticket = False, sight.ticket
        for key in sight.items:
            values = ticket.item(key)
            partner = self.partners.lead(str(values.get("lead")))
            if values.get("role") or partner is None or not handoffs.speaks_for(by, partner.name):
                continue
            rewrite(self.store, ticket, {f"{key}/role": SERVICE}, SYSTEM)
            adopted = True
            if partner.ended is not None and values.get("status") == ASSIGNED:
                ticket = reading.load(self.store, ticket.number)
                handoff = next(one for one in ticket.handoffs if key == f"handoff/{one.id}")
                paths = move_paths(handoff, "decline", new_item(self.store), reason="the partnership has ended")
                rewrite(self.store, ticket, paths, crossing.qualified(SYSTEM, handoff))
        return adopted


def _is_work(change: Change, handoff: Handoff) -> bool:
    """Whether a change is the service partner's work, after which a handoff that was accepted is in progress."""
    items = crossing.shared_items(change.set)
    return handoff.role_of(change.by) == SERVICE and any(not key.startswith("question/") for key in items)
