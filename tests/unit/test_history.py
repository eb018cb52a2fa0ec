"""What happened to a ticket, as it is told: of what a helpdesk says only what was not known here."""

from chit_sync.change import Change, digest, encode
from chit_sync.ids import mirror_id
from chit_sync.registers import Value
from chit_sync.store import history
from chit_sync.store.database import Store
from chit_sync.store.log import Record
from conftest import NewStore
from support.stores import NOON, change, give, new, records

MIRROR = mirror_id("a helpdesk")
THEIRS, OURS = "k" * 16, "z" * 16


def tell(store: Store, ticket: str, at: int, sets: dict[str, Value], *over: str) -> None:
    """The helpdesk tells of something."""
    made = Change(
        ticket=ticket, at=at, by="there", set=dict(sorted(sets.items())), nonce=str(at), over=list(over), mirror=MIRROR
    )
    give(store, [Record(digest(encode(made)), encode(made), made)])


def told(store: Store) -> list[tuple[str, dict[str, tuple[Value, Value]]]]:
    """What is told of the ticket: by whom, and path to old and new."""
    return [
        (event.by, {step.path: (step.old, step.new) for step in event.steps}) for event in history.of_ticket(store, 1)
    ]


def test_echo_is_left_out(in_memory: NewStore) -> None:
    """What a helpdesk shows as it was written here is not told once more, whatever its clock says."""
    for lag in (1, -1_000_000):
        store = in_memory()
        ticket = new(store, title="Printer", status="new")
        change(store, ticket, {"status": "open"})
        sent = records(store)[-1]
        tell(store, ticket.id, sent.change.at + lag, {"status": "open"}, sent.id.hex())
        assert told(store) == [
            ("anna", {"title": (None, "Printer"), "status": (None, "new")}),
            ("anna", {"status": ("new", "open")}),
        ]
        store.db.close()


def test_news_is_told(in_memory: NewStore) -> None:
    """What somebody did there is told with what was shown before, and without what it only repeats."""
    store = in_memory()
    ticket = new(store, title="Printer", status="new")
    tell(store, ticket.id, NOON + 5_000_000, {"status": "open", "title": "Printer"})
    tell(store, ticket.id, NOON + 6_000_000, {"status": "closed"})
    tell(store, ticket.id, NOON + 7_000_000, {"status": "closed", "title": "Printer"})
    tell(store, ticket.id, NOON + 8_000_000, {"labels/same": True, "labels/x": True})
    assert told(store)[1:] == [
        ("there", {"status": ("new", "open")}),
        ("there", {"status": ("open", "closed")}),
        ("there", {"labels/same": (None, True), "labels/x": (None, True)}),
    ]
    assert len(list(history.latest(store))) == 5


def test_another_name_of_an_item_is_left_out(in_memory: NewStore) -> None:
    """A comment that was read from the helpdesk and turns out to be one of ours is told once, as ours."""
    store = in_memory()
    ticket = new(store)
    tell(store, ticket.id, NOON + 5_000_000, {f"comment/{THEIRS}/body": "It burns"})
    assert len(told(store)) == 2
    change(store, ticket, {f"comment/{OURS}/body": "It burns", f"comment/{OURS}/visibility": "public"})
    tell(store, ticket.id, NOON + 6_000_000, {f"comment/{THEIRS}/deleted": True, f"comment/{THEIRS}/same": OURS})
    assert [by for by, _ in told(store)] == ["anna", "anna"]
