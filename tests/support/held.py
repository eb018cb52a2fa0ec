"""What must always hold of handoffs, each as a function that fails where it does not. The numbers are those of the nine promises."""

import re
from collections.abc import Iterator
from typing import Any

from chit_sync.codec import decode
from chit_sync.handoffs import (
    ACCEPTED,
    AWAITING,
    COMPLETED,
    DECLINED,
    LEAD,
    NONE,
    TAKEN,
    UNSENT,
    Handoff,
    find,
    read,
)
from chit_sync.schema import ITEMS
from chit_sync.store import fsck, log, reading
from chit_sync.store.database import Store
from chit_sync.store.fsck import rebuild
from chit_sync.ticket import Ticket
from support.organisations import Place, World
from support.outsourced import BILL_RATE, HOURS, SECRET
from support.tables import contents

MIRRORED = [
    name for name, field in ITEMS["handoff"].items() if field.leaves
]  # fmt: skip
SHARED = ("comment", "attachment", "time", "charge", "question")


def everything(store: Store) -> Iterator[Ticket]:
    for (number,) in store.db.execute("SELECT num FROM tickets ORDER BY id"):
        yield reading.load(store, number)


def handoffs(store: Store) -> dict[str, tuple[Ticket, Handoff]]:
    """All handoffs of a store that were sent or received, by id."""
    return {
        one.id: (ticket, one)
        for ticket in everything(store)
        for one in ticket.handoffs
        if one.ruled not in (NONE, UNSENT)
    }


def pairs(world: World) -> Iterator[tuple[Place, Place, Handoff, Handoff | None, Ticket, Ticket | None]]:
    """Each handoff as its lead has it and as the service partner does."""
    for name, services in world.services.items():
        lead = world.places[name]
        for ticket, ours in handoffs(lead.store).values():
            if ours.role == LEAD:
                assert ours.partner in services
                service = world.places[ours.partner]
                there, theirs = handoffs(service.store).get(ours.id, (None, None))
                yield lead, service, ours, theirs, ticket, there


def same_status(world: World) -> None:
    """(1) After all have exchanged, both sides have the same status, terms, reasons, and nothing is provisional."""
    for lead, service, ours, theirs, _, _ in pairs(world):
        if theirs is None:
            assert unread(lead, service), (ours.id, ours.ruled)
            continue
        assert (ours.status, ours.ruled) == (theirs.ruled, theirs.ruled), (ours, theirs)
        refused = refused_moves(service)
        assert theirs.status == ours.status or any(move.id in refused for move in theirs.pending), (ours, theirs)
        for field in MIRRORED:
            assert ours.value(field) == theirs.value(field), (field, ours, theirs)


def unread(lead: Place, service: Place) -> bool:
    return bool(service.store.db.execute("SELECT 1 FROM incoming").fetchone())


def refused_paths(place: Place) -> set[str]:
    """The paths of changes of a place that its remotes did not take."""
    rows = place.store.db.execute("SELECT body FROM refusals JOIN changes USING (seq)")
    return {path for (body,) in rows for path in decode(body).set}


def refused_moves(place: Place) -> set[str]:
    """The moves among them."""
    return {path.split("/")[1] for path in refused_paths(place) if path.startswith("move/")}


def legal(world: World) -> None:
    """(2) and (7) Each status came from the one before by a row of the table, by its role, with its input; each move is ruled on once."""
    for name in world.services:
        lead = world.places[name]
        for ticket in everything(lead.store):
            for handoff in read(ticket.item_registers, ticket.origins, every=True):
                if handoff.role == LEAD:
                    _legal(lead.store, ticket, handoff)


def _legal(store: Store, ticket: Ticket, handoff: Handoff) -> None:
    status, ruled = NONE, dict[str, str]()
    last = ""
    accepting: object = None
    moves: dict[str, tuple[str, dict[str, Any]]] = {}
    prefix = f"handoff/{handoff.id}/"
    for entry in log.read(store, 0, 1 << 30):
        if entry.number != ticket.number:
            continue
        change = decode(entry.body)
        for path, value in change.set.items():
            kind, _, rest = path.partition("/")
            if kind != "move":
                continue
            ident, _, name = rest.partition("/")
            if name == "ruling":
                assert ident not in ruled, "a move was ruled on twice"
                ruled[ident] = str(value)
                if moves.get(ident, ("", {}))[1].get("handoff") != handoff.id or value != TAKEN:
                    continue
                by, said = moves[ident]
                if said["verb"] == "accept" and accepting == (said.get("seen"), said.get("version")):
                    continue  # once more, of which nothing came
                accepting = (said.get("seen"), said.get("version")) if said["verb"] == "accept" else accepting
                row = find(status, str(said["verb"]), handoff.role_of(by))
                assert row is not None, (status, said, by)
                assert row.reason != "required" or said.get("reason"), said
                assert said["verb"] in ("work", "extend") or said.get("seen", "") == last, (said, last)
                status = row.target or status
                if said["verb"] not in ("work", "extend"):
                    last = ident
            else:
                moves.setdefault(ident, (change.by, {}))[1][name] = value
        if prefix + "status" in change.set:
            new = change.set[prefix + "status"] or NONE
            if new == "in-progress" and status == ACCEPTED:
                status = "in-progress"
            if new == DECLINED and change.set.get(prefix + "verb") == "expire":
                assert status == "assigned"
                status, last = DECLINED, str(change.set[prefix + "last"])
    assert (handoff.value("status") or NONE) == status, (handoff, status)


def kept(world: World) -> None:
    """(3) No byte that left for a partner holds what is internal."""
    for (source, target), parts in world.left.items():
        heard = b"\n".join(parts)
        for mark in (
            SECRET.encode(),
            BILL_RATE.encode(),
            f'minutes":{HOURS}'.encode(),
            b"/bill_rate",
            b"/grace",
            b"/held",
            b"/role",
        ):
            place = heard.find(mark)
            assert place < 0, (source, target, heard[max(0, place - 500) : place + 100])


def own_only(world: World) -> None:
    """(2) A partner hears of tickets that it was offered, and of items of its own handoffs."""
    for name, services in world.services.items():
        lead = world.places[name]
        mine = handoffs(lead.store)
        for service in services:
            offered = {ticket.id for ticket, one in mine.values() if one.partner == service}
            own = {ident for ident, (_, one) in mine.items() if one.partner == service}
            for part in world.left.get((name, service), []):
                if not part.startswith(b'{"at"'):
                    continue
                change = decode(part)
                assert change.by.endswith("@" + name), change
                assert change.ticket in offered, change
                for path, value in change.set.items():
                    assert not path.endswith("/to") or value in own, change
                    assert not path.startswith("handoff/") or path.split("/")[1] in own, change


def shared(ticket: Ticket, ident: str, handoff: Handoff) -> dict[str, dict[str, Any]]:
    """What the two sides share of a handoff: KIND/ID to what both must have."""
    found = {}
    for key in ticket.item_registers:
        kind, values = key.partition("/")[0], ticket.item(key)
        if (
            kind not in SHARED
            or values.get("to") != ident
            or values.get("held")
            or values.get("visibility") == "internal"
        ):
            continue
        if kind == "time" and handoff.role == LEAD and not ticket.origins[key][0].endswith("@" + handoff.partner):
            continue
        fields = {name: value for name, value in values.items() if ITEMS[kind][name].leaves and name != "visibility"}
        found[key] = fields
    return found


class Watch:
    """Looks at a world after each act, for what must hold meanwhile."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.waiting: dict[str, tuple[Any, Any]] = {}
        self.done: dict[str, str] = {}
        self.seen: object = None

    def __call__(self) -> None:
        now = [
            place.store.db.execute("SELECT max(seq) FROM changes").fetchone() for place in self.world.places.values()
        ]
        if now == self.seen:
            return
        self.seen = now
        for _, service, ours, theirs, ticket, there in pairs(self.world):
            self._approval(service, ours, theirs, ticket, there)
            if ours.ruled == COMPLETED and ours.id not in self.done:
                self.done[ours.id] = ours.ruled
                owed(ticket, ours)

    def _approval(
        self, service: Place, ours: Handoff, theirs: Handoff | None, ticket: Ticket, there: Ticket | None
    ) -> None:
        """(4) While it awaits approval the shared items are equal on both sides and do not change."""
        if theirs is None or there is None or theirs.pending or not ours.ruled == theirs.ruled == AWAITING:
            self.waiting.pop(ours.id, None)
            return
        if ours.value("since") != theirs.value("since"):
            return
        here, yonder = shared(ticket, ours.id, ours), shared(there, ours.id, theirs)
        for key in here.keys() ^ yonder.keys():
            # What one side keeps to itself from now on, or has an edit of that the other one did not take, is there as it was.
            ours_, theirs_ = ticket.item(key), there.item(key)
            kept_ = "internal" in (ours_.get("visibility"), theirs_.get("visibility"))
            assert kept_ or (ours_ and theirs_ and (ours_.get("held") or theirs_.get("held"))), (key, ours_, theirs_)
        here = {key: here[key] for key in here.keys() & yonder.keys()}
        assert here == {key: yonder[key] for key in here}
        before = self.waiting.setdefault(ours.id, (ours.value("since"), here))
        assert before == (ours.value("since"), here)


def owed(ticket: Ticket, handoff: Handoff) -> None:
    """(9) What is paid is the time at the agreed pay, rounded once, in the agreed currency."""
    from decimal import ROUND_HALF_UP, Decimal

    charges = [one for one in ticket.charges if one.bundle == handoff.id]
    if handoff.value("pay") is None:
        assert charges == []
        return
    rate = Decimal(handoff.text("pay"))
    minutes = 0
    for key in ticket.item_registers:
        values = ticket.item(key)
        if (
            key.startswith("time/")
            and values.get("to") == handoff.id
            and not values.get("deleted")
            and not values.get("held")
        ):
            minutes += values["minutes"] if ticket.origins[key][0].endswith("@" + handoff.partner) else 0  # type: ignore[operator]  # a count
    wanted = rate if handoff.value("pay_unit") == "flat" else rate * minutes / 60
    exact = wanted.quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert [(Decimal(one.amount), one.currency, one.visibility) for one in charges] == [(exact, "EUR", "internal")]
    assert handoff.text("total") == charges[0].amount


def silent_after_the_end(world: World) -> None:
    """(5) After a handoff was completed, no message of the other side changes an item of it."""
    for name, services in world.services.items():
        for place, others in [(world.places[name], services), *((world.places[one], [name]) for one in services)]:
            ends: dict[str, int] = {}
            for entry in log.read(place.store, 0, 1 << 30):
                change = decode(entry.body)
                ticket = reading.load(place.store, entry.number)
                for path, value in change.set.items():
                    if path.startswith("handoff/") and path.endswith("/status") and value == COMPLETED:
                        ends[path.split("/")[1]] = entry.seq
                if not any(change.by.endswith("@" + other) for other in others):
                    continue
                for path in change.set:
                    key = path.rpartition("/")[0]
                    if key.partition("/")[0] in SHARED and "/to" not in "".join(change.set):
                        to = str(ticket.item(key).get("to"))
                        assert ends.get(to, entry.seq) >= entry.seq, (place.name, change)


def told(world: World) -> None:
    """(7) Every move was ruled on or visibly refused, and who made it has the ruling with its reason."""
    for place in world.places.values():
        for ticket in everything(place.store):
            known = {one.id for one in read(ticket.item_registers, ticket.origins, every=True)}
            for key in ticket.item_registers:
                values = ticket.item(key)
                if key.startswith("move/") and values.get("handoff") in known:
                    assert values.get("ruling") or key[5:] in everywhere_refused(world, place), (
                        place.name,
                        key,
                        values,
                    )


def everywhere_refused(world: World, place: Place) -> set[str]:
    """Moves that the organisation's stores were visibly refused."""
    found: set[str] = set()
    for other in world.places.values():
        if other.organisation == place.organisation:
            found |= refused_moves(other)
    return found


def whole(place: Place) -> None:
    """The store is whole, and a rebuild gives the same tables."""
    problems = [problem for problem in fsck.check(place.store) if not problem.harmless]
    assert problems == [], problems
    before = {
        **contents(place.store),
        "handoffs": place.store.db.execute("SELECT * FROM handoffs ORDER BY pk").fetchall(),
    }
    rebuild(place.store)
    after = {
        **contents(place.store),
        "handoffs": place.store.db.execute("SELECT * FROM handoffs ORDER BY pk").fetchall(),
    }
    assert after == before


def copied(world: World) -> None:
    """A colleague's copy shows the same handoffs as the desk."""
    for place in world.places.values():
        desk = world.places[place.organisation]
        if place is desk or refused_moves(place):
            continue
        for ident, (_, there) in handoffs(desk.store).items():
            here = handoffs(place.store)[ident][1]
            assert (here.status, here.ruled) == (there.status, there.ruled)
            for name in {*here.values, *there.values}:
                assert here.value(name) == there.value(name) or f"handoff/{ident}/{name}" in refused_paths(place), (
                    name,
                    here,
                )


def strangers(world: World, source: str, target: str, marks: list[str]) -> None:
    """Nothing that left the one for the other holds any of the marks."""
    heard = b"\n".join(world.left.get((source, target), []))
    for mark in marks:
        found = re.search(rb".{0,300}" + re.escape(mark.encode()) + rb".{0,50}", heard)
        assert found is None, found


def all_of(world: World) -> None:
    """Everything that must hold once all have exchanged."""
    same_status(world)
    legal(world)
    own_only(world)
    silent_after_the_end(world)
    told(world)
    copied(world)
    kept(world)
    for place in world.places.values():
        whole(place)


def shown(world: World) -> dict[str, Any]:
    """What each store shows of each ticket, whatever the order in which things came."""
    found: dict[str, Any] = {}
    for place in world.places.values():
        for ticket in everything(place.store):
            record = ticket.record()
            del record["number"], record["remotes"]
            found[f"{place.name} {ticket.id}"] = record
    return found
