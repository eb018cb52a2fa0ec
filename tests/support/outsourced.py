"""Random stories of outsourcing: what people at the stores of a world do, one act after the other. What is internal bears a mark."""

import random
from collections.abc import Callable

from hypothesis import strategies as st

from chit_sync import outsourcing
from chit_sync.authoring import Edit, attach_file, comment_paths
from chit_sync.clock import HOUR, MINUTE, SECOND
from chit_sync.errors import ChitError, NotFoundError
from chit_sync.handoffs import LEAD, SERVICE, TRANSITIONS, Handoff
from chit_sync.handoffs import possible as verbs_of
from chit_sync.registers import Value
from chit_sync.sharing import move_paths
from chit_sync.store import reading, remotes
from chit_sync.store.making import new_item
from chit_sync.store.undo import undo
from chit_sync.ticket import Ticket
from chit_sync.work import charge_paths, time_paths
from support.organisations import Fault, Place, World, write_unguarded

SECRET = "zqSECRETqz"
"""Stands in everything that must not leave an organisation."""

BILL_RATE = "98765.43"
HOURS = 7_771
"""Minutes that only leads work."""

Act = Callable[[Place, random.Random], None]


def look(place: Place, chance: random.Random) -> Ticket:
    """A ticket as it is, or as it was when somebody looked at it."""
    if place.memory and chance.random() < 0.15:
        return chance.choice(place.memory)
    if not place.tickets():
        raise NotFoundError("there is nothing here yet")
    place.memory.append(reading.load(place.store, chance.choice(place.tickets())))
    return place.memory[-1]


def words(place: Place, chance: random.Random) -> str:
    return f"words {chance.randrange(1000)} of {place.organisation}"


def secret(place: Place, chance: random.Random) -> str:
    return f"{SECRET} {chance.randrange(1000)} of {place.organisation}"


def _new(place: Place, chance: random.Random) -> None:
    place.write(Edit(None, fresh(place, chance)))


def fresh(place: Place, chance: random.Random) -> dict[str, Value]:
    """The fields of a new ticket."""
    return {
        "title": f"Printer {chance.randrange(100)}", "status": "new", "priority": "high", "description": "It burns",
        "queue": f"{SECRET} queue", "requester": f"{SECRET} rita", "organization": f"{SECRET} customer",
        f"labels/{SECRET}": True, f"x.{SECRET}": "custom",
        **comment_paths(new_item(place.store), words(place, chance), "public"),
        **comment_paths(new_item(place.store), secret(place, chance), "internal"),
    }  # fmt: skip


def _edit(place: Place, chance: random.Random) -> None:
    choices: list[dict[str, Value]] = [
        {"title": f"Printer {chance.randrange(100)}"},
        {"priority": chance.choice(("low", "critical")), "queue": secret(place, chance)},
        {"description": f"It burns {chance.randrange(100)}", f"x.{SECRET}": secret(place, chance)},
        {"assignee": secret(place, chance)},
        {f"labels/{SECRET} {chance.randrange(3)}": True},
    ]
    place.write(Edit(look(place, chance), chance.choice(choices)))


def _status(place: Place, chance: random.Random) -> None:
    place.write(Edit(look(place, chance), {"status": chance.choice(("open", "pending", "open", "closed"))}))


def _comment(place: Place, chance: random.Random) -> None:
    ticket = look(place, chance)
    paths = comment_paths(new_item(place.store), words(place, chance), chance.choice(("public", "partner")))
    if chance.random() < 0.4:
        paths |= comment_paths(new_item(place.store), secret(place, chance), "internal")
    to = chance.choice([one.partner for one in ticket.handoffs] or [""]) if chance.random() < 0.4 else ""
    place.write(Edit(ticket, paths, to=to))


def _attach(place: Place, chance: random.Random) -> None:
    inside = chance.random() < 0.5
    text = secret(place, chance) if inside else words(place, chance)
    file = place.world.folder / f"{text.replace(' ', '-')}.txt"
    file.write_text(text * 3)
    paths = attach_file(place.store, str(file), "internal" if inside else "public")
    place.write(Edit(look(place, chance), paths))


def _time(place: Place, chance: random.Random) -> None:
    ticket = look(place, chance)
    leading = not any(one.role == SERVICE for one in ticket.handoffs)
    minutes = HOURS if leading else chance.randrange(1, 200)
    inside = chance.random() < 0.3
    note = secret(place, chance) if inside else words(place, chance)
    visibility = "internal" if inside else "public"
    place.write(Edit(ticket, time_paths(new_item(place.store), minutes, place.now(), note, visibility)))


def _charge(place: Place, chance: random.Random) -> None:
    inside = chance.random() < 0.3
    note = secret(place, chance) if inside else words(place, chance)
    paths = charge_paths(
        new_item(place.store), chance.randrange(100, 5000), "EUR", note, "internal" if inside else "public"
    )
    place.write(Edit(look(place, chance), paths))


def _edit_item(place: Place, chance: random.Random) -> None:
    ticket = look(place, chance)
    keys = sorted(key for key in ticket.item_registers if key.startswith(("comment/", "time/", "charge/")))
    if not keys:
        return
    key = chance.choice(keys)
    sets: dict[str, Value]
    internal = ticket.item(key).get("visibility") == "internal"
    what = chance.choice(("words", "words", "visibility", "publish", "deleted", "detach"))
    if what == "detach":
        place.write(outsourcing.detach(place.store, ticket, key)[0])
        return
    if what == "deleted":
        sets = {"deleted": True}
    elif what == "visibility":
        sets = {"visibility": "internal"}
    elif what == "publish":
        name = "body" if key.startswith("comment/") else "note"
        sets = {"visibility": "public", name: words(place, chance)}
    elif key.startswith("comment/"):
        sets = {"body": secret(place, chance) if internal else words(place, chance)}
    elif key.startswith("time/"):
        mine = not any(one.role == SERVICE for one in ticket.handoffs)
        sets = {"minutes": HOURS if mine else chance.randrange(1, 200)}
    else:
        sets = {"amount": f"{chance.randrange(100)}.50"}
    place.write(Edit(ticket, {f"{key}/{name}": value for name, value in sets.items()}))


def terms_of(place: Place, chance: random.Random) -> dict[str, Value]:
    """What is offered."""
    terms: dict[str, Value] = {
        "pay": chance.choice(("80.00", "33.33", "0.07")), "pay_unit": chance.choice(("hour", "hour", "flat")), "currency": "EUR",
        "bill_rate": BILL_RATE, "instructions": words(place, chance),
        "share_comments": chance.choice(("all", "public", "none")),
        "share_attachments": chance.choice(("all", "public", "none")),
        "authorized_minutes": chance.choice((None, None, 400)),
        "accept_by": place.now() + 5 * HOUR if chance.random() < 0.3 else None,
    }  # fmt: skip
    return terms


def _offer(place: Place, chance: random.Random) -> None:
    partner = chance.choice(place.world.partners_of(place) or ["nobody"])
    terms, draft = terms_of(place, chance), chance.random() < 0.25
    if draft:
        terms["instructions"] = secret(place, chance)
    ticket = look(place, chance)
    place.write(outsourcing.offer(place.store, ticket, partner, terms, draft=draft, grace=chance.choice((0, HOUR))))


def _verb(place: Place, chance: random.Random) -> None:
    """One of the verbs, mostly one that is possible."""
    ticket = look(place, chance)
    found = [one for one in ticket.handoffs if one.status != "completed"] or ticket.handoffs
    if not found:
        return _offer(place, chance)
    handoff = chance.choice(found)
    verbs = [verb for verb in verbs_of(handoff.status, handoff.role) if verb not in ("offer", "draft")]
    if not verbs or chance.random() < 0.05:
        verbs = [row.verb for row in TRANSITIONS if row.by == "person"]
    weights = [_WEIGHTS.get(verb, 4) for verb in verbs]
    return say(place, ticket, handoff, chance.choices(verbs, weights)[0], chance)


_WEIGHTS = {
    "cancel": 1,
    "decline": 1,
    "recall": 1,
    "handback": 1,
    "complete": 1,
    "discard": 1,
    "accept": 20,
    "submit": 8,
}
"""How likely each verb is, so that much of what begins goes on."""


def say(place: Place, ticket: Ticket, handoff: Handoff, verb: str, chance: random.Random) -> None:
    """One verb of one handoff."""
    store, partner, why = place.store, handoff.partner, words(place, chance)
    if verb == "agree" and handoff.text("proposal"):
        edit = outsourcing.offer(store, ticket, partner, {})
    elif verb in ("agree", "offer", "draft"):
        _offer(place, chance)
        return
    elif verb == "accept":
        edit = outsourcing.accept(store, ticket, partner=partner, organization=f"{SECRET} books")
    elif verb == "counter":
        edit = outsourcing.counter(store, ticket, {"pay": "91.00"}, partner=partner)
    elif verb == "submit":
        edit = outsourcing.submit(store, ticket, partner=partner, summary=chance.choice(("", why)))
    elif verb == "ask":
        edit = outsourcing.ask(store, ticket, why, partner=partner)
    elif verb in ("answer", "extend"):
        open_ones = [one.id for one in ticket.questions if one.answer is None]
        more: dict[str, Value] = {} if verb == "answer" else {"authorized_minutes": 900}
        edit = outsourcing.answer(store, ticket, chance.choice(open_ones or ["x"]), why, more)
    else:
        edit = outsourcing.act(store, ticket, verb, partner=partner, reason=why)
    place.write(edit)


def _unguarded(place: Place, chance: random.Random) -> None:
    """A verb as a client without manners would send it."""
    ticket = look(place, chance)
    if ticket.handoffs:
        handoff = chance.choice(ticket.handoffs)
        verb = chance.choice([row.verb for row in TRANSITIONS if row.verb != "offer"])
        sets = move_paths(handoff, verb, new_item(place.store), reason=chance.choice((None, "why")))
        by = place.person if handoff.role == LEAD else f"{place.person}@{handoff.own}"
        write_unguarded(place, ticket.id, by, sets)


def _release(place: Place, chance: random.Random) -> None:
    ticket = look(place, chance)
    keys = [one.key for one in outsourcing.held(ticket) if chance.random() < 0.8]
    if keys:
        place.write(outsourcing.release(ticket, keys, keep=chance.random() < 0.3))


def _undo(place: Place, _: random.Random) -> None:
    undo(place.store)
    known = {row[0] for row in place.store.db.execute("SELECT seq FROM changes")}
    place.memory = [ticket for ticket in place.memory if _places(ticket) <= known]


def _places(ticket: Ticket) -> set[int]:
    registers = [ticket.registers, *ticket.item_registers.values()]
    return {seq for fields in registers for heads in fields.values() for seq, _ in heads}


def _exchange(place: Place, chance: random.Random) -> None:
    how = chance.choice(("sync", "sync", "pull", "push"))
    faults = []
    if chance.random() < 0.3:
        kind = chance.choice(("lost", "unanswered", "twice", "cut"))
        faults = [Fault(kind, chance.randrange(4), chance.randrange(1, 4))]
    if place.remotes():
        place.world.exchange(place, chance.choice(place.remotes()), how, faults)


def _together(place: Place, _: random.Random) -> None:
    """Everybody exchanges, once."""
    for other in place.world.places.values():
        for remote in other.remotes():
            place.world.exchange(other, remote)


def _reset(place: Place, chance: random.Random) -> None:
    if place.remotes():
        remotes.reset(place.store, chance.choice(place.remotes()))


def _wait(place: Place, _: random.Random) -> None:
    place.world.time.now += 2 * HOUR


ACTS: dict[str, Act] = {
    "new": _new, "edit": _edit, "status": _status, "comment": _comment, "attach": _attach, "time": _time, "charge": _charge,
    "edit item": _edit_item, "offer": _offer, "verb": _verb, "unguarded": _unguarded, "release": _release, "undo": _undo,
    "exchange": _exchange, "together": _together, "reset": _reset, "wait": _wait,
}  # fmt: skip

_OFTEN = (
    ("verb",) * 16 + ("exchange",) * 12 + ("together",) * 3 + ("comment", "time", "edit item", "release", "charge") * 3
)

Story = list[tuple[int, str, int]]
"""Who does what, and a seed for how."""


def stories(places: int, most: int = 50) -> st.SearchStrategy[Story]:
    """Stories for a world of so many places."""
    step = st.tuples(st.integers(0, places - 1), st.sampled_from([*ACTS, *_OFTEN]), st.integers(0, 1 << 16))
    return st.lists(step, min_size=most // 2, max_size=most)


def some_story(places: int, seed: int, length: int = 80) -> Story:
    """One story for a world of so many places, always the same for a seed."""
    chance = random.Random(f"{places} {seed}")
    choices = [*ACTS, *_OFTEN]
    return [(chance.randrange(places), chance.choice(choices), chance.randrange(1 << 16)) for _ in range(length)]


def play(world: World, story: Story, after: Callable[[], None] = lambda: None) -> None:
    """A story in a world; what is refused is refused. after: called after each act."""
    places = list(world.places.values())
    for step, (who, what, seed) in enumerate(story):
        world.time.now += SECOND if step % 5 else 3 * MINUTE
        try:
            ACTS[what](places[who], random.Random(f"{what} {seed}"))
        except ChitError as error:
            world.refused.append(error.message)
        after()
