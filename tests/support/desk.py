"""A store with a ticket of every sort, to ask queries of."""

from datetime import UTC
from pathlib import Path
from typing import Any

from chit_sync.authoring import Edit, comment_paths, link_paths
from chit_sync.clock import DAY, HOUR, SECOND
from chit_sync.query import listing
from chit_sync.store.database import Store
from chit_sync.store.making import new_item
from chit_sync.ticket import Ticket
from support.stores import NOON, Clock, change, disk_store, new, write

MIDNIGHT = NOON - 12 * HOUR
"""The beginning of 3 March 2026, a Tuesday, at noon of which queries are asked."""


class Desk:
    """The store and its tickets by name."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.names: dict[int, str] = {}
        self.ids: dict[str, str] = {}

    def new(self, name: str, at: int, by: str = "anna", **fields: Any) -> Ticket:
        """A ticket made at that time; `labels_a` stands for the path labels/a, `x_a` for x.a."""
        self.clock.now = at
        paths = {path.replace("labels_", "labels/").replace("x_", "x."): value for path, value in fields.items()}
        ticket = new(self.store, by=by, also=paths)
        self.names[ticket.number] = name
        self.ids[name] = ticket.id
        return ticket

    def find(self, text: str, **options: Any) -> str:
        """The names of what a query finds, in its order."""
        asked: dict[str, Any] = {"me": "anna", "now": NOON, "tz": UTC} | options
        found = listing.page(self.store, text, **asked)
        return " ".join(self.names[row.num] for row in found.rows)


def full_desk(path: Path) -> Desk:
    """A desk in the folder `path` with a ticket of every sort."""
    clock = Clock()
    store = disk_store(path, "desk", clock)
    desk = Desk(store, clock)
    fire = desk.new(
        "fire", NOON - 30 * DAY, title="Printer on fire", description="It burns. Größe: 100%", status="new",
        priority="critical", impact="high", type="incident", queue="first line", assignee="Anna",
        requester="jo@example.com", organization="Example & Co", due=NOON - HOUR, emergency=True, labels_ci=True,
        labels_printer=True, x_serial="77",
    )  # fmt: skip
    disk = desk.new(
        "disk", NOON - 20 * DAY, by="bob", title="Disk full", status="open", priority="high", impact="low",
        type="request", queue="second", assignee="bob", due=MIDNIGHT + DAY - SECOND, product="db..2", labels_CI=True,
        labels_flaky=True, x_serial="9", x_note="a_b",
    )  # fmt: skip
    login = desk.new(
        "login", NOON - 10 * DAY, title="Müller can't log in", status="pending", requester="Jörg MÜLLER",
        due=NOON + 5 * DAY, contract="C*1", x_note="2026-05-01",
    )  # fmt: skip
    jam = desk.new("jam", NOON - 9 * DAY, title="Printer jam", status="open", priority="low", assignee="anna")
    desk.new("wish", NOON - 8 * DAY, title="A wish", status="rejected", priority="planned", assignee="none")
    gone = desk.new("gone", NOON - 7 * DAY, title="Printer gone", status="open")
    twice = desk.new("twice", NOON - 6 * DAY, title="Twice", description="disk image")
    copy = desk.new("copy", NOON - 5 * DAY, title="Copy of the fire", status="open", queue="second")
    clock.now = NOON - 4 * DAY
    write(store, Edit(fire, comment_paths(new_item(store), "The disk is full, too", "public")), by="bob")
    clock.now = NOON - 3 * DAY
    change(store, jam, {"status": "closed"})
    change(store, gone, {"deleted": True})
    unsaid = new_item(store)
    disk = change(store, disk, comment_paths(unsaid, "unspeakable", "internal"))
    change(store, disk, {f"comment/{unsaid}/deleted": True})
    clock.now = NOON - 2 * DAY
    write(store, Edit(twice, {"title": "Twice, once"}))
    write(store, Edit(twice, {"title": "Twice, again"}))
    clock.now = NOON - 1 * DAY
    change(store, copy, {"status": "resolved", "merged": fire.id, **link_paths("duplicates", copy.id, fire.id)})
    clock.now = NOON
    name = new_item(store)
    change(store, login, {f"attachment/{name}/name": "log.txt", f"attachment/{name}/sha256": "0" * 64})
    return desk
