"""Whether and why a field or an item of a ticket is on the other side of a handoff. Reads only.

What was put aside for a partner is in the table `outbound`; what was not stays by a rule of `crossing`. A colleague's copy of the store
that exchanges with a partner knows the rules, and not how far the partner is.
"""

from collections.abc import Iterator
from typing import NamedTuple

from chit_sync import checks, schema
from chit_sync.change import Change
from chit_sync.crossing import towards
from chit_sync.errors import AmbiguousError, NotFoundError
from chit_sync.handoffs import Handoff, other_side, speaks_for
from chit_sync.registers import Value
from chit_sync.store import partners, reading, remotes
from chit_sync.store.database import Store, explained
from chit_sync.store.leaving import handed, let_out_by
from chit_sync.store.making import heads
from chit_sync.store.partners import Partner
from chit_sync.ticket import Ticket

REFUSED, HELD, WAITS, SENT, STAYS, UNKNOWN, THEIRS, THERE, EMPTY = (
    "refused", "held", "waits", "sent", "stays", "unknown", "theirs", "there", "empty"
)  # fmt: skip
STATES = (REFUSED, HELD, WAITS, SENT, STAYS, UNKNOWN, THEIRS, THERE, EMPTY)
"""The partner would not take it; it is held back; it waits in the partner's sequence; it was sent and no answer came; it stays here; this
store cannot know; it came from the partner; the partner has it; there is nothing. What an item is, is the first of these that one of its
fields is."""

_ALWAYS = frozenset(
    ("own", "no-contact", "internal", "never", "unaddressed", "hours", "received", "theirs", "unqualified", "elsewhere")
)
"""Rules that hold however the handoff stands: for them nobody needs to know what was sent."""


class Place(NamedTuple):
    """Where the value at a path is, seen from here. rule: of `crossing.RULES`. reason: the partner's, where it refused. change: the id
    of the one that wrote it, time: when (microseconds since 1970 UTC). earlier: the change with the value that the partner has instead."""

    path: str
    value: Value
    state: str
    rule: str
    reason: str
    change: str
    time: int | None
    by: str
    earlier: str


class Side(NamedTuple):
    """The same for all paths that were asked about, and one partner. role: ours. handoff: its id, status: how it stands; both empty for a
    ticket that was never outsourced. whole: what is to be said of them together; one of `places`."""

    partner: str
    role: str
    handoff: str
    status: str
    whole: Place
    places: list[Place]


class Why(NamedTuple):
    """What is known of a field, or of an item (KIND/ID)."""

    ticket: Ticket
    path: str
    sides: list[Side]


def why(store: Store, number: int, name: str) -> Why:
    """Whether a field or an item of a ticket is on the other side, for each partner that the ticket is or was with.

    name: a field's name, the beginning of an item's id, KIND/ID or KIND/ID/FIELD. Raises NotFoundError, AmbiguousError.
    """
    ticket = reading.load(store, number)
    path, paths = _named(ticket, name)
    known = {(partner.role, partner.name): partner for partner in partners.listing(store)}
    to = ticket.item("/".join(path.split("/")[:2])).get("to")
    newest: dict[tuple[str, str], Handoff] = {}
    for handoff in ticket.handoffs:
        before = newest.get((handoff.role, handoff.partner))
        if before is None or before.id != to:
            newest[handoff.role, handoff.partner] = handoff
    sides = []
    for (role, partner), handoff in newest.items():
        seen = _Seen(store, ticket, handoff, known.get((other_side(role), partner)))
        places = [seen.place(one) for one in paths]
        sides.append(Side(partner, role, handoff.id, handoff.status, _whole(places), places))
    if not sides:
        places = [_alone(store, ticket, one) for one in paths]
        sides.append(Side("", "", "", "", places[0], places))
    return Why(ticket, path, sides)


def _named(ticket: Ticket, name: str) -> tuple[str, list[str]]:
    """What is meant, and the paths that it consists of."""
    if name in schema.FIELDS or name in ticket.registers or name.startswith(("x.", "labels/")):
        checks.field_of(name)
        return name, [name]
    kind, _, rest = name.partition("/")
    ident, _, field = (rest if kind in schema.ITEMS else name).partition("/")
    found = sorted(
        key
        for key in ticket.item_registers
        if key.partition("/")[2].startswith(ident) and (kind not in schema.ITEMS or key.startswith(kind + "/"))
    )
    if not found or not name:
        raise NotFoundError(
            f"no field or item {name!r} in {ticket.id[:8]}",
            "A field is named as in `chit edit`, an item by the beginning of its id; `chit show` has both.",
        )
    if len(found) > 1:
        raise AmbiguousError(f"{name} could be {len(found)} items", found, "Type more letters, or KIND/ID.")
    if not field:
        return found[0], [f"{found[0]}/{one}" for one in ticket.item_registers[found[0]]]
    checks.field_of(f"{found[0]}/{field}")
    return f"{found[0]}/{field}", [f"{found[0]}/{field}"]


def _whole(places: list[Place]) -> Place:
    """What to say of an item: what is most worth knowing of its fields; not that the one who received it did something to it."""
    told = [one for one in places if one.rule != "theirs" or one.state == THEIRS] or places
    if any(one.state == THEIRS for one in told) and {one.state for one in told} <= {THEIRS, STAYS, UNKNOWN}:
        told = [one for one in told if one.state == THEIRS]
    shared = [one for one in told if checks.field_of(one.path).leaves] or told
    return min(shared, key=lambda one: STATES.index(one.state))


def _change(store: Store, seq: int) -> tuple[str, int, Change]:
    """(id, the remote it came from, what it says) of the change at that place in the log."""
    from chit_sync.codec import decode

    with explained(store.path):
        ident, origin, body = store.db.execute("SELECT id, origin, body FROM changes WHERE seq = ?", (seq,)).fetchone()
    return ident.hex(), origin, decode(body)


def _alone(store: Store, ticket: Ticket, path: str) -> Place:
    """A path of a ticket that was never with anybody."""
    written = heads(ticket, path)
    if written is None:
        return Place(path, None, EMPTY, "no-handoff", "", "", None, "", "")
    ident, _, change = _change(store, written[0][0])
    return Place(path, written[0][1], STAYS, "no-handoff", "", ident, change.time, change.by, "")


class _Seen:
    """A ticket as one partner has it. partner: None in a store that does not exchange with it."""

    def __init__(self, store: Store, ticket: Ticket, handoff: Handoff, partner: Partner | None) -> None:
        self.store = store
        self.ticket = ticket
        self.handoff = handoff
        self.partner = partner
        self.handed = 0 if partner is None else handed(store, partner)
        self.offered = 0
        """The last place in the log that was sent in a push without an answer."""
        if partner is not None and partner.remote is not None:
            self.offered = store.meta(remotes.offered_key(partner.remote), 0)

    def place(self, path: str) -> Place:
        """Where the value at a path is."""
        written = heads(self.ticket, path)
        if written is None:
            by = f"anybody@{self.handoff.own}"
            return Place(path, None, EMPTY, self._rule([path], by, path)[0], "", "", None, "", "")
        seq, value = written[0]
        ident, origin, change = _change(self.store, seq)
        held = "/" in path and self.ticket.item(path.rpartition("/")[0]).get("held")
        state, rule, reason = self._sent(seq, origin, path)
        if speaks_for(change.by, self.handoff.partner):
            state, rule = THEIRS, "theirs"
        elif held and state in ("", REFUSED) and any(held == one.id for one in self._handoffs()):
            state, rule = HELD, "held"
        elif not state:
            rule, leaves = self._rule(list(change.set), change.by, path)
            state = STAYS if self.partner is not None or rule in _ALWAYS else UNKNOWN
            rule = "then" if leaves and state == STAYS else rule
        earlier = self._earlier(seq, path) if state in (HELD, STAYS, REFUSED, WAITS, SENT) else ""
        return Place(path, value, state, rule, reason, ident, change.time, change.by, earlier)

    def _handoffs(self) -> Iterator[Handoff]:
        return (
            one for one in self.ticket.handoffs if one.partner == self.handoff.partner and one.role == self.handoff.role
        )

    def _rule(self, sets: list[str], by: str, path: str) -> tuple[str, bool]:
        """The rule that holds for a path in a change, and whether it would let it out as things stand."""
        for one in towards(self.ticket, sets, by, self.handoff.partner, self.handoff.role):
            if one.path == path:
                return one.rule, bool(one.handoff)
        raise LookupError(path)

    def _sent(self, seq: int, origin: int, path: str) -> tuple[str, str, str]:
        """(state, rule, reason) of a change that was put aside for the partner; nothing for one that was not."""
        if self.partner is None:
            return "", "", ""
        with explained(self.store.path):
            row = self.store.db.execute(
                "SELECT o.place, o.refused, r.reason FROM outbound o LEFT JOIN refusals r ON r.remote = ? AND r.seq = o.seq"
                " WHERE o.partner = ? AND o.seq = ?",
                (self.partner.remote, self.partner.id, seq),
            ).fetchone()
        if row is None:
            return "", "", ""
        place, refused, refusal = row
        rule = let_out_by(path, self.partner)
        if refused or refusal:
            return REFUSED, rule, refused or refusal
        if place <= self.handed or origin == self.partner.remote:
            return THERE, rule, ""
        return SENT if seq <= self.offered else WAITS, rule, ""

    def _earlier(self, seq: int, path: str) -> str:
        """The last change at that path before the one at `seq` that the partner has."""
        if self.partner is None:
            return ""
        from chit_sync.codec import decode

        with explained(self.store.path):
            rows = self.store.db.execute(
                "SELECT c.id, c.body FROM outbound o JOIN changes c USING (seq) LEFT JOIN refusals r ON r.remote = ? AND r.seq = o.seq"
                " WHERE o.partner = ? AND c.ticket = ? AND o.place <= ? AND o.seq < ? AND o.refused IS NULL AND r.seq IS NULL"
                " ORDER BY o.place DESC",
                (self.partner.remote, self.partner.id, self.ticket.number, self.handed, seq),
            ).fetchall()
        return next((ident.hex() for ident, body in rows if path in decode(body).set), "")
