"""What a store that exchanges with partners does with each change that it takes: rules on moves, and puts aside what is for whom.

Called at the end of every append, in its transaction, and only in a store that has partners. The lead's store alone rules. Decides
nothing by itself: what a move may do is `handoffs`' business, what may leave `crossing`'s.
"""

from collections.abc import Iterable, Mapping, Sequence

from chit_sync import crossing, handoffs, ids, schema, work
from chit_sync.handoffs import (
    ACCEPTED,
    ASSIGNED,
    EXPIRED,
    LEAD,
    SERVICE,
    UNSENT,
    Handoff,
    Move,
)
from chit_sync.money import spell
from chit_sync.registers import Value, every, shown
from chit_sync.schema import OPEN_CATEGORIES
from chit_sync.sharing import move_paths, right_of
from chit_sync.store import log, partners, reading
from chit_sync.store.database import Store, explained
from chit_sync.store.making import Pen, heads
from chit_sync.store.partners import Partner
from chit_sync.store.project import with_handoffs
from chit_sync.ticket import Ticket

SYSTEM = "chit"
"""Who does what nobody did."""


def taken(store: Store, fresh: Sequence[tuple[int, log.Record]], numbers: Mapping[str, int]) -> None:
    """Attends to changes that the log has just taken, each with its place, in their order; call it in the same transaction."""
    keys = {path.rpartition("/")[0] for _, (_, _, change) in fresh for path in change.set if "/" in path}
    outsourced = set(with_handoffs(store.db, {numbers[record.change.ticket] for _, record in fresh}, keys))
    if outsourced:
        desk = _Desk(store)
        for seq, record in fresh:
            number = numbers[record.change.ticket]
            if number in outsourced:
                desk.attend(number, seq, record)


def hold(store: Store, number: int, sets: Iterable[str]) -> bool:
    """Holds back what a partner did not take of these paths; whether there was any such item. Call it inside a transaction."""
    return _Desk(store).hold(number, sets)


def expire(store: Store) -> int:
    """Declines the offers whose time has passed, where this is the lead's store; returns how many. Costs one look where there are none."""
    with explained(store.path):
        due = _due(store)
    if not due:
        return 0
    with store.transaction():
        desk = _Desk(store)
        return sum(desk.expire(number) for number in _due(store))


def _due(store: Store) -> list[int]:
    return [
        row[0]
        for row in store.db.execute(
            "SELECT DISTINCT num FROM handoffs WHERE role = 'lead' AND status = 'assigned' AND current = 1 AND accept_by < ?"
            " AND partner IN (SELECT name FROM partners WHERE role = 'service')",
            (store.now(),),
        )
    ]


class _Desk:
    """The desk at work on one batch."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.partners = {(partner.role, partner.name): partner for partner in partners.listing(store)}

    def partner(self, handoff: Handoff) -> Partner | None:
        """The organisation on the other side, if this is the store that exchanges with it."""
        return self.partners.get((SERVICE if handoff.role == LEAD else LEAD, handoff.partner))

    def attend(self, number: int, seq: int, record: log.Record) -> None:
        """One change that was taken."""
        change = record.change
        ticket = reading.load(self.store, number)
        if self._adopt(ticket, change.by):
            ticket = reading.load(self.store, number)
        found = self._as_of(ticket, seq)
        target, held = crossing.audience(ticket, change.set, change.by, found)
        if target:
            self._send(seq, record, next(one for one in found if one.id == target))
        elif held:
            self._hold(ticket, change.set, held)
        for handoff in found:
            if (
                handoff.role == LEAD
                and handoff.ruled == ACCEPTED
                and self._is_their_work(change.set, change.by, handoff)
            ):
                self._write(
                    ticket,
                    {f"handoff/{handoff.id}/{name}": value for name, value in self._stood("in-progress").items()},
                    handoff,
                )
        for path in change.set:
            if path.startswith("move/") and path.endswith("/verb"):
                self._rule(number, path.split("/")[1])

    def _as_of(self, ticket: Ticket, seq: int) -> list[Handoff]:
        """The handoffs as they stood before the change at that place: the lead's as ruled, the partner's with its moves until then."""
        items = {
            key: registers
            for key, registers in ticket.item_registers.items()
            if not (key.startswith("move/") and min(heads[0][0] for heads in registers.values()) >= seq)
        }
        return [
            one._replace(status=one.ruled) if one.role == LEAD and self.partner(one) else one
            for one in handoffs.read(items, ticket.origins)
        ]

    # Sending and holding back

    def _send(self, seq: int, record: log.Record, handoff: Handoff) -> None:
        partner = self.partner(handoff)
        if partner is None:
            return
        db = self.store.db
        db.execute(
            "INSERT INTO outbound (partner, place, seq) SELECT ?, coalesce(max(place), 0) + 1, ? FROM outbound WHERE partner = ?",
            (partner.id, seq, partner.id),
        )
        db.executemany(
            "INSERT OR IGNORE INTO partner_blobs VALUES (?, ?)",
            [
                (partner.id, value)
                for path, value in record.change.set.items()
                if path.startswith("attachment/") and path.endswith("/sha256") and value
            ],
        )

    def _hold(self, ticket: Ticket, sets: Iterable[str], handoff: str) -> None:
        keys = dict.fromkeys(path.rpartition("/")[0] for path in sets)
        self._internal(
            ticket,
            {
                f"{key}/held": handoff
                for key in keys
                if key.partition("/")[0] in crossing.SHARED_KINDS and not ticket.item(key).get("held")
            },
        )

    def hold(self, number: int, sets: Iterable[str]) -> bool:
        """Holds back the items of a change that the partner did not take; whether there were any."""
        ticket = reading.load(self.store, number)
        keys = {path.rpartition("/")[0] for path in sets if path.partition("/")[0] in crossing.SHARED_KINDS}
        for key in sorted(keys):
            self._hold(ticket, [key + "/"], str(ticket.item(key).get("to", "")))
        return bool(keys)

    # Where we are the service partner

    def _adopt(self, ticket: Ticket, by: str) -> bool:
        """Notes of a handoff that came from a lead that we are the service partner in it; declines it where the partnership has ended."""
        adopted = False
        for key in ticket.item_registers:
            if not key.startswith("handoff/"):
                continue
            values = ticket.item(key)
            partner = self.partners.get((LEAD, str(values.get("lead"))))
            if values.get("role") or partner is None or not by.endswith("@" + partner.name):
                continue
            self._internal(ticket, {f"{key}/role": SERVICE})
            adopted = True
            if partner.ended is not None and values.get("status") == ASSIGNED:
                ticket = reading.load(self.store, ticket.number)
                handoff = next(one for one in ticket.handoffs if key.endswith(one.id))
                paths = move_paths(handoff, "decline", self._item(), reason="the partnership has ended")
                self._write(ticket, paths, handoff)
        return adopted

    # Where we are the lead

    def _is_their_work(self, sets: Mapping[str, Value], by: str, handoff: Handoff) -> bool:
        return by.endswith("@" + handoff.partner) and any(
            path.partition("/")[0] in crossing.SHARED_KINDS and not path.startswith("question/") for path in sets
        )

    def _stood(self, status: str | None) -> dict[str, Value]:
        return {"status": status, "since": self.store.now()}

    def _rule(self, number: int, ident: str) -> None:
        """Rules on a move, if it is for this store to rule on."""
        ticket = reading.load(self.store, number)
        found = handoffs.read(ticket.item_registers, ticket.origins, every=True)
        handoff = next((one for one in found if one.id == ticket.item(f"move/{ident}").get("handoff")), None)
        if handoff is None or handoff.role != LEAD or not self._is_ours(ticket, handoff):
            return None
        if handoffs.is_due(handoff, self.store.now()):
            self.expire(number)
            return self._rule(number, ident)
        move = next(one for one in handoff.moves if one.id == ident)
        if move.ruling is not None:
            return None
        partner = self.partners.get((SERVICE, handoff.text(SERVICE)))
        ruling = handoffs.rule(handoff, move, self._around(ticket, found, handoff, partner))
        if ruling.reason or partner is None:
            self._ruled(ticket, handoff, move, (ruling.reason or "no such partner")[: schema.MAX_LINE], {})
            return None
        sets = {f"handoff/{handoff.id}/{name}": value for name, value in ruling.sets.items()}
        if move.verb == "offer":
            named = {**handoff.values, LEAD: partner.own, SERVICE: partner.name}
            sets = {
                f"handoff/{handoff.id}/{name}": value
                for name, value in crossing.shared_values(named, "handoff").items()
            } | sets
        if move.verb in ("approve", "complete"):
            sets |= self._settle(ticket, handoff)
        self._ruled(ticket, handoff, move, handoffs.TAKEN, sets)
        self._follow_up(number, handoff.id, move)
        return None

    def _is_ours(self, ticket: Ticket, handoff: Handoff) -> bool:
        """Whether this is the lead's exchanging store, and not a colleague's copy of it."""
        name = handoff.text(SERVICE)
        return (SERVICE, name) in self.partners or (
            not handoff.value("status") and any(role == SERVICE for role, _ in self.partners)
        )

    def _around(
        self, ticket: Ticket, found: list[Handoff], handoff: Handoff, partner: Partner | None
    ) -> handoffs.Circumstances:
        other = next(
            (one.partner for one in found if one.role == LEAD and one.id != handoff.id and one.ruled in handoffs.OPEN),
            "",
        )
        refusal = ""
        if partner is None:
            refusal = f"there is no partner {handoff.text(SERVICE)!r}"
        elif partner.ended is not None:
            refusal = f"the partnership with {partner.name} has ended"
        elif partner.token is None:
            refusal = f"{partner.name} has not joined yet"
        return handoffs.Circumstances(self.store.now(), ticket.category not in OPEN_CATEGORIES, other, refusal)

    def _ruled(self, ticket: Ticket, handoff: Handoff, move: Move, ruling: str, sets: Mapping[str, Value]) -> None:
        """Writes down what was decided."""
        handoff = handoff._replace(
            values={**handoff.values, **{path.rpartition("/")[2]: value for path, value in sets.items()}}
        )
        ours = handoff.role_of(move.by) == LEAD
        by = crossing.qualified(move.by if ours else SYSTEM, handoff) if handoff.own else move.by
        said = {f"move/{move.id}/ruling": ruling}
        if ours:
            self._internal(ticket, said, move.by)
        if handoff.value("status") in (None, UNSENT) and sets:
            self._internal(ticket, sets, move.by)  # a draft is the organisation's own business
        else:
            self._write(ticket, sets if ours else {**said, **sets}, handoff, by)

    def _follow_up(self, number: int, ident: str, move: Move) -> None:
        """What belongs to a transition besides the status."""
        ticket = reading.load(self.store, number)
        handoff = next((one for one in ticket.handoffs if one.id == ident), None)
        if handoff is None:
            return
        if move.verb == "offer":
            self._write(
                ticket,
                {path: value for path in ("title", "priority", "due") if (value := ticket.value(path)) is not None},
                handoff,
            )
        elif move.verb == "accept":
            self._snapshot(ticket, handoff)
        elif move.verb == "reject":
            comment = f"comment/{self._item()}"
            said = {"body": move.text("reason"), "visibility": "partner", "to": handoff.id}
            self._write(
                ticket,
                {f"{comment}/{name}": value for name, value in said.items()},
                handoff,
                crossing.qualified(move.by, handoff),
            )
        if move.verb in ("reject", "withdraw"):
            self._catch_up(ticket, handoff)

    def _snapshot(self, ticket: Ticket, handoff: Handoff) -> None:
        """What was there before the handoff, as far as the terms share it: the ticket's fields, and each item by its author at its time."""
        fields = [*crossing.AGREED, *(["requester"] if handoff.value("share_contact") else [])]
        self._write(ticket, {path: value for path in fields if (value := ticket.value(path)) is not None}, handoff)
        shares = {"comment": handoff.text("share_comments"), "attachment": handoff.text("share_attachments")}
        running = {one.id for one in ticket.handoffs if one.status in handoffs.OPEN and one.id != handoff.id}
        for key in ticket.item_registers:
            kind = key.partition("/")[0]
            values, (author, time) = ticket.item(key), ticket.origins[key]
            visibility = values.get("visibility", "public")
            if (
                shares.get(kind, "none") not in ("all", "public")
                or values.get("deleted")
                or visibility == "internal"
                or (shares[kind] == "public" and visibility != "public")
                or values.get("to") in running
                or crossing.is_received(author, [one for one in ticket.handoffs if one.id != handoff.id])
            ):
                continue
            told = {**crossing.shared_values(values, kind), "to": handoff.id}
            own = next((one.own for one in ticket.handoffs if one.own and author.endswith("@" + one.own)), "")
            name = author[: -len(own) - 1] if own else author
            self._write(
                ticket,
                {f"{key}/{field}": value for field, value in told.items()},
                handoff,
                crossing.qualified(name, handoff),
                time,
            )

    def _catch_up(self, ticket: Ticket, handoff: Handoff) -> None:
        """Sends what the lead changed in the ticket's fields while nothing crossed."""
        partner = self.partner(handoff)
        missed: dict[str, Value] = {}
        for path in crossing.AGREED:
            written = ticket.registers.get(path)
            if (
                written
                and partner
                and not self.store.db.execute(
                    "SELECT 1 FROM outbound WHERE seq = ? AND partner = ?", (written[0][0], partner.id)
                ).fetchone()
            ):
                missed[path] = shown(written)
        self._write(ticket, missed, handoff)

    def _settle(self, ticket: Ticket, handoff: Handoff) -> dict[str, Value]:
        """Bundles the partner's time into one charge at the agreed pay, which is not billed; returns what the partner is told."""
        owed = work.bundle(ticket, handoff)
        if owed is None:
            return {}
        key = f"charge/{self._item()}"
        values = {
            "amount": spell(owed[0]), "currency": owed[1] or None, "note": f"time of {handoff.partner}", "bundle": handoff.id,
            "visibility": "internal",
        }  # fmt: skip
        self._internal(ticket, {f"{key}/{name}": value for name, value in values.items() if value is not None})
        return {f"handoff/{handoff.id}/total": spell(owed[0])}

    def expire(self, number: int) -> int:
        """Declines the offers of a ticket whose time has passed."""
        ticket = reading.load(self.store, number)
        count = 0
        for handoff in ticket.handoffs:
            if handoff.role == LEAD and self.partner(handoff) and handoffs.is_due(handoff, self.store.now()):
                sets = {**self._stood("declined"), "last": self._item(), "verb": "expire", "reason": EXPIRED}
                self._write(ticket, {f"handoff/{handoff.id}/{name}": value for name, value in sets.items()}, handoff)
                count += 1
        return count

    # Writing

    def _item(self) -> str:
        return ids.letters(self.store.entropy(ids.ITEM_BYTES))

    def _internal(self, ticket: Ticket, sets: Mapping[str, Value], by: str = SYSTEM) -> None:
        self._append(ticket, sets, by, None)

    def _write(
        self, ticket: Ticket, sets: Mapping[str, Value], handoff: Handoff, by: str = "", when: int | None = None
    ) -> None:
        """A change in the organisation's name, which leaves for the partner if `crossing` lets it."""
        self._append(ticket, sets, by or crossing.qualified(SYSTEM, handoff), when)

    def _append(self, ticket: Ticket, sets: Mapping[str, Value], by: str, when: int | None) -> None:
        """Changes that replace all that is there: this store decides. What only some may see is a change of its own."""
        parts: dict[str, dict[str, Value]] = {}
        for path, value in sets.items():
            parts.setdefault(right_of(path), {})[path] = value
        pen = Pen(self.store)
        records = []
        for _, part in sorted(parts.items()):  # what everybody may see first: it names the handoff
            over = {key for path in part if (written := heads(ticket, path)) for key in every(written)}
            records.append(pen.write(ticket.id, by, part, over, when))
        if records:
            log.append(self.store, records)
            pen.keep()
