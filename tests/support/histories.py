"""Random histories: several people at their own stores, with clocks that disagree, who now and then hand each other changes, and two
helpdesks that each of them reads at other moments."""

import random
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

from chit_sync import ids
from chit_sync.authoring import Edit, comment_paths, link_paths, record
from chit_sync.change import Change, digest, encode
from chit_sync.clock import MINUTE
from chit_sync.errors import ConflictError
from chit_sync.registers import Value
from chit_sync.store import log, reading
from chit_sync.store.database import Store
from chit_sync.store.making import new_item
from chit_sync.store.undo import undo
from chit_sync.ticket import Ticket
from support.stores import NOON, Clock, give, memory_store, records

Act = Callable[["Person", random.Random], None]

VALUES: dict[str, Sequence[Value]] = {
    "title": ("Printer on fire", "Printer smokes", "No paper", None),
    "description": ("It burns", 'line\nand \x01\x7f\u2028 é😀 "quoted" \\ / <b>', None),
    "status": ("new", "open", "pending", "closed", None),
    "priority": ("critical", "low", None),
    "assignee": ("anna", "bob", None),
    "due": (0, NOON, None),
    "emergency": (True, None),
    "deleted": (True, None),
    "labels/office": (True, None),
    "labels/a/b": (True, None),
    "x.serial": ("1", "2", None),
}


class Person:
    """Somebody with a store, who also remembers tickets as they once looked."""

    def __init__(self, name: str, store: Store, others: list["Person"]) -> None:
        self.name = name
        self.store = store
        self.others = others
        self.memory: list[Ticket] = []

    def write(self, *edits: Edit) -> None:
        record(self.store, edits, by=self.name, command="test")

    def tickets(self) -> list[int]:
        return [row[0] for row in self.store.db.execute("SELECT num FROM tickets ORDER BY id")]

    def look(self, chance: random.Random) -> Ticket | None:
        """A ticket as it is, or as it was when somebody looked; None where there is none."""
        numbers = self.tickets()
        if self.memory and chance.random() < 0.4:
            return chance.choice(self.memory)
        if not numbers:
            return None
        self.memory.append(reading.load(self.store, chance.choice(numbers)))
        return self.memory[-1]


def _new(person: Person, chance: random.Random) -> None:
    person.write(Edit(None, {"title": chance.choice(("Printer", "Paper")), "labels/office": True}))


def _edit(person: Person, chance: random.Random) -> None:
    ticket = person.look(chance)
    if ticket:
        paths = chance.sample(chance.choice((sorted(VALUES), ["priority", "status", "title"])), chance.randint(1, 3))
        person.write(Edit(ticket, {path: chance.choice(VALUES[path]) for path in paths}))


def _resolve(person: Person, chance: random.Random) -> None:
    ticket = person.look(chance)
    if ticket and ticket.conflicts:
        conflict = chance.choice(ticket.conflicts)
        value = chance.choice([conflict.shown, *conflict.others])
        person.write(Edit(ticket, {conflict.path: value}, resolve=True))


def _comment(person: Person, chance: random.Random) -> None:
    ticket = person.look(chance)
    if ticket:
        both = comment_paths(new_item(person.store), "first words", "public")
        if chance.random() < 0.3:
            both |= comment_paths(new_item(person.store), "second words", "internal")
        person.write(Edit(ticket, both))


def _edit_comment(person: Person, chance: random.Random) -> None:
    ticket = person.look(chance)
    keys = [key for key in ticket.item_registers if key.startswith("comment/")] if ticket else []
    if ticket and keys:
        name, value = chance.choice(
            (("body", "other words"), ("body", "more"), ("visibility", "internal"), ("deleted", True))
        )
        person.write(Edit(ticket, {f"{chance.choice(keys)}/{name}": value}))


def _link(person: Person, chance: random.Random) -> None:
    ticket, numbers = person.look(chance), person.tickets()
    if ticket and numbers:
        other = reading.load(person.store, chance.choice(numbers))
        if other.id != ticket.id:
            kinds = chance.sample(("blocks", "relates", "follows"), 2)
            paths = link_paths(kinds[0], ticket.id, other.id) | link_paths(kinds[1], ticket.id, other.id)
            if chance.random() < 0.3:
                paths = {path: True if path.endswith("deleted") else value for path, value in paths.items()}
            person.write(Edit(ticket, paths))


def _read_helpdesk(person: Person, chance: random.Random) -> None:
    """What one of two helpdesks tells, mostly in the order of its clock; now and then it has taken up what was written in the store."""
    ticket = person.look(chance)
    if ticket is None:
        return
    share = []
    for _ in range(chance.randint(1, 4)):
        paths = chance.sample(("title", "status", "labels/office", f"comment/{'k' * 16}/body", "comment/z/body"), 2)
        sets = {
            path: chance.choice(VALUES.get(path, ("said there", "rewritten there", None))) for path in sorted(paths)
        }
        known = [entry for entry in records(person.store) if entry.change.ticket == ticket.id]
        over = [entry.id.hex() for entry in known if chance.random() < 0.2]
        at = NOON + chance.choice((len(known) * MINUTE, chance.randint(0, 60) * MINUTE))
        made = Change(
            ticket=ticket.id, at=at, by="there", set=sets, nonce=f"{at}", over=over,
            mirror=ids.mirror_id(chance.choice(("one", "other"))),
        )  # fmt: skip
        share.append(log.Record(digest(encode(made)), encode(made), made))
    give(person.store, list({entry.id: entry for entry in share}.values()))
    with person.store.transaction():  # what is taken up there is not taken back here
        person.store.set_meta("served", log.last_seq(person.store.db))


def _undo(person: Person, _: random.Random) -> None:
    try:
        undo(person.store)
    except ConflictError:
        return
    known = {row[0] for row in person.store.db.execute("SELECT seq FROM changes")}
    person.memory = [ticket for ticket in person.memory if _places(ticket) <= known]


def _places(ticket: Ticket) -> set[int]:
    """The places of the changes that what was seen of a ticket comes from."""
    registers = [ticket.registers, *ticket.item_registers.values()]
    return {seq for fields in registers for heads in fields.values() for seq, _ in heads}


def _hand_on(person: Person, chance: random.Random) -> None:
    """Gives somebody some of one's changes, in any order and any portions."""
    share = [entry for entry in records(person.store) if chance.random() < 0.7]
    deliver(chance.choice(person.others).store, share, chance)
    with person.store.transaction():
        person.store.set_meta("served", log.last_seq(person.store.db))


ACTS: dict[str, Act] = {
    "new": _new,
    "edit": _edit,
    "resolve": _resolve,
    "comment": _comment,
    "edit comment": _edit_comment,
    "link": _link,
    "read helpdesk": _read_helpdesk,
    "undo": _undo,
    "hand on": _hand_on,
}

Story = list[tuple[int, str, int]]
"""Who does what, and a seed for how."""

stories: st.SearchStrategy[Story] = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from([*ACTS, *["edit", "edit comment", "comment", "resolve", "read helpdesk", "hand on"] * 3]),
        st.integers(0, 1 << 16),
    ),
    min_size=25,
    max_size=60,
)


def play(story: Story, empty: Store) -> list[Person]:
    """What three people come to by that story. They begin with two tickets that all of them have."""
    people: list[Person] = []
    for index, name in enumerate(("anna", "bob", "carl")):
        clock = Clock(NOON + (index - 1) * 20 * MINUTE, step=500)
        people.append(Person(name, memory_store(empty, name, clock), []))
    first = people[0]
    first.write(Edit(None, {"title": "Printer", "status": "new", **comment_paths("k" * 16, "It burns", "public")}))
    first.write(Edit(None, {"title": "Paper", "labels/office": True}))
    with first.store.transaction():
        first.store.set_meta("served", 2)
    for person in people:
        person.others = [other for other in people if other is not person]
        give(person.store, records(first.store))
        person.memory = [reading.load(person.store, number) for number in (1, 2)]
    for step, (who, what, seed) in enumerate(story):
        ACTS[what](people[who], random.Random(f"{step} {seed}"))
    return people


def deliver(store: Store, share: Sequence[log.Record], chance: random.Random) -> None:
    """Changes into a store: shuffled, some of them twice, in portions of any size."""
    queue = [*share, *(entry for entry in share if chance.random() < 0.2)]
    chance.shuffle(queue)
    while queue:
        size = chance.choice((1, 2, 5, 1000))
        give(store, queue[:size])
        del queue[:size]
