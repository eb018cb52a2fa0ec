"""What waits in handoffs: the board's lists, what `status` finds, offers that expire whoever looks, and what a pull tells."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from chit_sync import outsourcing
from chit_sync.authoring import Edit, comment_paths
from chit_sync.clock import DAY, HOUR
from chit_sync.exchange.results import Pulled
from chit_sync.exchange.syncing import sync
from chit_sync.registers import Value
from chit_sync.remotes.local import LocalLog
from chit_sync.remotes.registry import open_remote
from chit_sync.store import board, expiring, remotes
from chit_sync.store.making import new_item
from chit_sync.store.opening import open_store
from chit_sync.store.overview import overview
from chit_sync.store.waiting import REFUSED_FOR, Kind, waiting
from chit_sync.ticket import Ticket
from chit_sync.work import time_paths
from conftest import NewStore
from support.organisations import Place, World
from support.tables import contents

TERMS: dict[str, Value] = {"pay": "80.00", "pay_unit": "hour", "currency": "EUR", "authorized_minutes": 120}


class Firms(NamedTuple):
    """globex leads, acme works for it, and clara has a copy of globex's store."""

    world: World
    globex: Place
    acme: Place
    clara: Place

    def new(self, title: str = "Printer on fire") -> str:
        """A ticket of globex."""
        return self.globex.write(Edit(None, {"title": title, "status": "new"})).id

    def offer(self, ident: str, by: Place | None = None, **terms: Value) -> None:
        """Offers it to acme."""
        place = by or self.globex
        place.write(outsourcing.offer(place.store, place.ticket(ident), "acme", {**TERMS, **terms}))

    def act(self, place: Place, ident: str, verb: str, reason: str = "because") -> None:
        """Does what a verb does that takes a reason at most."""
        place.write(outsourcing.act(place.store, place.ticket(ident), verb, reason=reason))

    def accept(self, ident: str) -> None:
        """acme takes it on, and both know."""
        self.acme.write(outsourcing.accept(self.acme.store, self.acme.ticket(ident), organization="Globex"))
        self.sync()

    def sync(self, place: Place | None = None, remote: str = "globex") -> Pulled:
        """acme exchanges with globex, or somebody with somebody; what was pulled."""
        one = place or self.acme
        return sync(one.store, remotes.get(one.store, remote), self.world.open(one, remote)).pulled

    def board(self, place: Place, **how: object) -> list[tuple[str, str, str]]:
        """(role, list, title) of all that is on somebody's board."""
        found = board.rows(place.store, place.now(), **how)  # type: ignore[arg-type]  # as given by the test
        return [(row[0], row[1], row[4] or "") for row in found]

    def waiting(self, place: Place) -> dict[str, Kind]:
        """What waits for somebody, without what is not there."""
        return {name: kind for name, kind in waiting(place.store, place.now()).items() if kind.total}


@pytest.fixture
def firms(tmp_path: Path) -> Iterator[Firms]:
    """The firms, which have met."""
    world = World(tmp_path)
    globex, acme = world.organisation("globex", "anna"), world.organisation("acme", "bob")
    world.partnership(globex, acme)
    globex.write(Edit(None, {"title": "Old trouble"}))
    yield Firms(world, globex, acme, world.colleague(globex, "clara"))
    world.close()


def every_status(firms: Firms) -> dict[str, str]:
    """A ticket in each status, by the status; both sides know of those that were sent."""
    names = ("unsent", "assigned", "canceled", "declined", "accepted", "in-progress", "awaiting-approval", "completed")
    ids = {}
    for name in names:
        firms.world.time.now += HOUR
        ids[name] = firms.new(name)
        edit = outsourcing.offer(
            firms.globex.store, firms.globex.ticket(ids[name]), "acme", TERMS, draft=name == "unsent"
        )
        firms.globex.write(edit)
    firms.sync()
    firms.act(firms.globex, ids["canceled"], "cancel")
    firms.act(firms.acme, ids["declined"], "decline")
    for name in names[4:]:
        firms.accept(ids[name])
    for name in names[5:]:
        ticket = firms.acme.ticket(ids[name])
        firms.acme.write(Edit(ticket, time_paths(new_item(firms.acme.store), 90, firms.acme.now(), "x", "public")))
        firms.acme.write(outsourcing.ask(firms.acme.store, firms.acme.ticket(ids[name]), "Which floor?"))
    for name in names[6:]:
        firms.act(firms.acme, ids[name], "submit")
    firms.sync()
    firms.act(firms.globex, ids["completed"], "approve")
    firms.sync()
    return ids


# The board


def test_the_lists(firms: Firms) -> None:
    """Each handoff is in the list of its status, on both sides; what is over for a side is there on request."""
    every_status(firms)
    lead = [
        ("lead", "drafts", "unsent"),
        ("lead", "waiting-for-acceptance", "assigned"),
        ("lead", "in-progress", "accepted"),
        ("lead", "in-progress", "in-progress"),
        ("lead", "waiting-for-approval", "awaiting-approval"),
        ("lead", "declined", "declined"),
        ("lead", "to-re-assign", "canceled"),
    ]
    service = [("service", name, title) for _, name, title in lead[1:5]]
    assert firms.board(firms.globex) == lead
    assert firms.board(firms.acme) == service
    assert firms.board(firms.globex, every=True) == [*lead, ("lead", "done", "completed")]
    over = [("service", "done", "completed"), *(("service", "earlier", title) for title in ("canceled", "declined"))]
    assert firms.board(firms.acme, every=True) == [*service, *over]
    assert firms.board(firms.globex, role="service") == firms.board(firms.acme, role="lead") == []
    assert firms.board(firms.globex, partner="ACME") == lead
    assert firms.board(firms.globex, partner="initech") == []


def test_a_row(firms: Firms) -> None:
    """It has what there is to know: hours, deadline, open questions, and since when."""
    ids = every_status(firms)
    rows = {row[4]: board.Entry._make(row) for row in board.rows(firms.globex.store, firms.globex.now())}
    found = rows["in-progress"]
    assert (found.partner, found.ticket, found.status, found.ruled) == (
        "acme",
        ids["in-progress"],
        "in-progress",
        "in-progress",
    )
    assert (found.authorized, found.used, found.questions, found.held, found.pending) == (120, 90, 1, 0, 0)
    assert rows["accepted"].since is not None
    assert rows["unsent"].since is None or rows["unsent"].deadline is None


def test_deadlines(firms: Firms) -> None:
    """An offer is late when nobody answered in time, work when it is not handed in; nothing else is late."""
    now = firms.globex.now()
    for title in ("offered", "taken", "submitted", "later"):
        ident = firms.new(title)
        firms.offer(ident, accept_by=now + DAY, complete_by=now + 2 * DAY if title != "later" else now + 90 * DAY)
        firms.sync()
        if title != "offered":
            firms.accept(ident)
        if title == "submitted":
            firms.act(firms.acme, ident, "submit")
            firms.sync()

    def late(place: Place) -> dict[str | None, tuple[int | None, bool]]:
        return {
            entry.title: (entry.deadline, bool(entry.overdue))
            for entry in map(board.Entry._make, board.rows(place.store, place.now()))
        }

    assert late(firms.globex)["offered"] == (now + DAY, False)
    firms.world.time.now += 3 * DAY
    assert late(firms.acme) == {
        "offered": (now + DAY, True), "taken": (now + 2 * DAY, True), "submitted": (now + 2 * DAY, False),
        "later": (now + 90 * DAY, False),
    }  # fmt: skip
    assert [one.title for one in firms.waiting(firms.acme)["deadlines"].first] == ["taken"]
    assert [one.title for one in firms.waiting(firms.acme)["offers"].first] == ["offered"], (
        "with its date, and not twice"
    )


def test_what_was_outsourced_again_is_there_once(firms: Firms) -> None:
    """Only the newest cycle of a ticket counts; the earlier ones are there on request."""
    ident = firms.new()
    firms.offer(ident)
    firms.sync()
    firms.act(firms.acme, ident, "decline")
    firms.sync()
    assert firms.board(firms.globex) == [("lead", "declined", "Printer on fire")]
    firms.offer(ident)
    assert firms.board(firms.globex) == [("lead", "waiting-for-acceptance", "Printer on fire")]
    assert firms.board(firms.globex, every=True)[1:] == [("lead", "earlier", "Printer on fire")]


def test_nothing_is_to_be_re_assigned_of_a_closed_ticket(firms: Firms) -> None:
    """What was canceled is a task only while the ticket is open."""
    ident = firms.new()
    firms.offer(ident)
    firms.act(firms.globex, ident, "cancel")
    assert firms.board(firms.globex) == [("lead", "to-re-assign", "Printer on fire")]
    firms.globex.write(Edit(firms.globex.ticket(ident), {"status": "closed"}))
    assert firms.board(firms.globex) == []
    assert firms.board(firms.globex, every=True) == [("lead", "earlier", "Printer on fire")]


def test_a_limit_is_for_each_list(firms: Firms) -> None:
    """At most so many of each list, those first that have waited longest; their number is told all the same."""
    for number in range(4):
        firms.world.time.now += HOUR
        firms.offer(firms.new(f"{number}"))
    firms.sync()
    taken = [one.id for one in map(firms.acme.ticket, idents(firms.acme)) if one.title in ("2", "3")]
    for ident in taken:
        firms.accept(ident)
    assert [title for _, _, title in firms.board(firms.globex, limit=1)] == ["0", "2"]
    assert firms.board(firms.globex, limit=0) == []
    assert board.count(firms.globex.store, "lead", "in-progress") == 2
    assert board.count(firms.globex.store, "lead", "in-progress", "initech") == 0


def idents(place: Place) -> list[str]:
    return [row[0] for row in place.store.db.execute("SELECT id FROM tickets ORDER BY title")]


def test_no_list_is_sorted(firms: Firms) -> None:
    """The lists of what is open are read along an index, whatever their length: nothing is scanned, nothing sorted."""
    statements: list[str] = []
    db = firms.globex.store.db
    db.set_trace_callback(statements.append)
    list(board.rows(firms.globex.store, firms.globex.now(), limit=5))
    db.set_trace_callback(None)
    assert len(statements) == 14  # a walk for each status and role
    for statement in statements:
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")]
        assert all(step.startswith("SEARCH") for step in plan), (statement, plan)


def test_rows_are_as_a_rebuild_makes_them(firms: Firms) -> None:
    """What the lists are made from follows from the log alone."""
    from chit_sync.store.fsck import rebuild

    every_status(firms)
    for place in (firms.globex, firms.acme):
        before = contents(place.store)
        rebuild(place.store)
        assert contents(place.store) == before


# What waits


def test_what_waits(firms: Firms) -> None:
    """Each side finds what it is to answer."""
    ids = every_status(firms)
    lead, service = firms.waiting(firms.globex), firms.waiting(firms.acme)
    assert {name: kind.total for name, kind in lead.items()} == {
        "declined": 1, "to_re_assign": 1, "submissions": 1, "questions": 1,
    }  # fmt: skip
    assert lead["submissions"].first[0].ticket == ids["awaiting-approval"]
    assert lead["questions"].first[0].ticket == ids["in-progress"]
    assert {name: kind.total for name, kind in service.items()} == {"offers": 1}
    assert service["offers"].first[0].ticket == ids["assigned"]


def test_a_counter_offer_waits_for_the_lead(firms: Firms) -> None:
    """Until it is ruled on it is unconfirmed; then the lead is to answer, and the partner is not."""
    ident = firms.new()
    firms.offer(ident)
    firms.sync()
    ticket = firms.acme.ticket(ident)
    firms.acme.write(outsourcing.counter(firms.acme.store, ticket, {"pay": "90.00"}, reason="too little"))
    assert set(firms.waiting(firms.acme)) == {"unconfirmed"}
    firms.sync()
    assert set(firms.waiting(firms.acme)) == set()
    assert set(firms.waiting(firms.globex)) == {"counter_offers"}
    firms.globex.write(outsourcing.offer(firms.globex.store, firms.globex.ticket(ident), "", {}))
    assert set(firms.waiting(firms.globex)) == set()


def test_held_items_wait(firms: Firms) -> None:
    """What is held back is counted item by item, until it is released."""
    ident = firms.new()
    firms.offer(ident)
    firms.sync()
    firms.accept(ident)
    firms.act(firms.acme, ident, "submit")
    for word in ("one", "two"):
        firms.acme.write(Edit(firms.acme.ticket(ident), comment_paths(new_item(firms.acme.store), word, "public")))
    held = firms.waiting(firms.acme)["held"]
    assert (held.total, held.first[0].number) == (2, 2)
    keys = [one.key for one in outsourcing.held(firms.acme.ticket(ident))]
    firms.acme.write(outsourcing.release(firms.acme.ticket(ident), keys, keep=True))
    assert "held" not in firms.waiting(firms.acme)


def test_a_lost_race_is_told(firms: Firms) -> None:
    """The pull that brings the ruling tells it with the reason, once; status goes on until something else happens."""
    ident = firms.new()
    firms.offer(ident)
    firms.sync()
    firms.acme.write(outsourcing.accept(firms.acme.store, firms.acme.ticket(ident), organization="Globex"))
    assert firms.waiting(firms.acme)["unconfirmed"].total == 1
    firms.act(firms.globex, ident, "cancel", "changed my mind")
    pulled = firms.sync()
    (refused,) = pulled.refused_moves
    assert (refused.verb, refused.role, refused.partner) == ("accept", "service", "globex")
    assert "too late" in refused.reason
    assert "cancel" in refused.reason
    assert [(news.verb, news.text) for news in pulled.news] == [("cancel", "changed my mind")]
    assert firms.sync().refused_moves == ()
    (told,) = firms.waiting(firms.acme)["refused"].first
    assert (told.ticket, told.verb, told.reason) == (ident, "accept", refused.reason)
    assert set(firms.waiting(firms.globex)) == {"to_re_assign"}, "that acme was late is no concern of the lead's"
    firms.offer(ident)
    firms.sync()
    assert set(firms.waiting(firms.acme)) == {"offers"}


def test_a_refused_move_is_told_for_a_while_only(firms: Firms) -> None:
    """Where nothing else ever happens it is forgotten after two weeks."""
    ident = firms.new()
    firms.offer(ident)
    firms.sync()
    firms.acme.write(outsourcing.accept(firms.acme.store, firms.acme.ticket(ident), organization="Globex"))
    firms.act(firms.globex, ident, "cancel")
    firms.sync()
    firms.world.time.now += REFUSED_FOR - HOUR
    assert set(firms.waiting(firms.acme)) == {"refused"}
    firms.world.time.now += 2 * HOUR
    assert set(firms.waiting(firms.acme)) == set()


def test_a_colleague_whose_offer_was_refused_is_told(firms: Firms) -> None:
    """Two offer the same ticket: the second is told by its sync and by status, though there never was a handoff of hers."""
    ident = firms.new()
    firms.sync(firms.clara, "origin")
    firms.offer(ident, by=firms.clara)
    firms.offer(ident)
    (refused,) = firms.sync(firms.clara, "origin").refused_moves
    assert (refused.verb, refused.role, refused.partner) == ("offer", "lead", "acme")
    (told,) = firms.waiting(firms.clara)["refused"].first
    assert (told.ticket, told.verb) == (ident, "offer")


def test_who_comes_later_is_not_told_of_old_refusals(firms: Firms) -> None:
    """A colleague that gets a move together with its ruling has not reckoned with it; a clone is told no news at all."""
    ident = firms.new()
    firms.offer(ident)
    firms.sync()
    firms.acme.write(outsourcing.accept(firms.acme.store, firms.acme.ticket(ident), organization="Globex"))
    firms.act(firms.globex, ident, "cancel")
    firms.sync()
    dora = firms.world.colleague(firms.acme, "dora")
    assert set(firms.waiting(dora)) == {"refused"}, "status tells the whole organisation"
    ours = firms.sync(firms.clara, "origin")
    assert ours.refused_moves == ()
    assert ours.news == (), "what our own side did is no news"


def test_news(firms: Firms) -> None:
    """Each side's pull tells what the other did last, with the words that go with it."""
    ident = firms.new()
    firms.offer(ident, accept_by=firms.globex.now() + DAY)
    (offer,) = firms.sync().news
    assert (offer.verb, offer.role, offer.partner, offer.status) == ("offer", "service", "globex", "assigned")
    assert offer.deadline == firms.globex.now() + DAY
    firms.accept(ident)
    assert [news.verb for news in firms.sync(firms.clara, "origin").news] == ["accept"]
    firms.acme.write(outsourcing.ask(firms.acme.store, firms.acme.ticket(ident), "Which floor?"))
    firms.act(firms.acme, ident, "submit")
    assert firms.sync().news == ()
    told = firms.sync(firms.clara, "origin").news
    assert sorted((news.verb, news.text) for news in told) == [("ask", "Which floor?"), ("submit", "because")]
    firms.act(firms.globex, ident, "reject", "still smokes")
    assert [(news.verb, news.text) for news in firms.sync().news] == [("reject", "still smokes")]
    firms.globex.write(outsourcing.answer(firms.globex.store, firms.globex.ticket(ident), "", "The second.", {}))
    assert [(news.verb, news.text) for news in firms.sync().news] == [("answer", "The second.")]
    firms.act(firms.globex, ident, "complete", "well done")
    assert [news.verb for news in firms.sync().news] == ["complete"]


# Expiry


def offered(firms: Firms) -> str:
    """A ticket that acme was offered for a day, three days ago."""
    ident = firms.new()
    firms.offer(ident, accept_by=firms.globex.now() + DAY)
    firms.sync()
    firms.world.time.now += 3 * DAY
    return ident


def status(place: Place, ident: str) -> str:
    return place.ticket(ident).handoffs[-1].status


def test_an_offer_expires_when_anybody_looks(firms: Firms) -> None:
    """The lead's store declines it, and only that; the partner learns of it at the next exchange."""
    ident = offered(firms)
    for place in (firms.acme, firms.clara):
        expiring.expire(place.store)
    assert status(firms.acme, ident) == "assigned"
    expiring.expire(firms.globex.store)
    assert status(firms.globex, ident) == "declined"
    assert expiring.due(firms.globex.store) == []
    (news,) = firms.sync().news
    assert (news.verb, news.status) == ("expire", "declined")
    assert [one.verb for one in firms.sync(firms.clara, "origin").news] == ["expire"]


def test_grace(firms: Firms) -> None:
    """Within the lead's grace nothing is due: no command of that time takes the lock for nothing."""
    ident = firms.new()
    terms: dict[str, Value] = {**TERMS, "accept_by": firms.globex.now() + DAY}
    edit = outsourcing.offer(firms.globex.store, firms.globex.ticket(ident), "acme", terms, grace=4 * DAY)
    firms.globex.write(edit)
    firms.world.time.now += 3 * DAY
    assert expiring.due(firms.globex.store) == []
    firms.world.time.now += 3 * DAY
    assert expiring.due(firms.globex.store) == [firms.globex.ticket(ident).number]


def test_a_store_that_is_busy_is_read_all_the_same(firms: Firms) -> None:
    """Where somebody else is writing, the offer waits for the next look, and nobody waits for it."""
    ident = offered(firms)
    other = sqlite3.connect(os.path.join(firms.globex.store.path, "store.db"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    expiring.expire(firms.globex.store)
    assert status(firms.globex, ident) == "assigned"
    assert firms.globex.store.db.execute("PRAGMA busy_timeout").fetchone()[0] == 10_000
    other.execute("ROLLBACK")
    other.close()
    expiring.expire(firms.globex.store)
    assert status(firms.globex, ident) == "declined"


def test_a_store_that_cannot_be_written_to_is_read_all_the_same(firms: Firms) -> None:
    """A read-only connection sees the offer as it was."""
    ident = offered(firms)
    db = sqlite3.connect(f"file:{firms.globex.store.path}/store.db?mode=ro", uri=True, isolation_level=None)
    writable, firms.globex.store.db = firms.globex.store.db, db
    expiring.expire(firms.globex.store)
    assert status(firms.globex, ident) == "assigned"
    db.close()
    firms.globex.store.db = writable


def test_a_pull_over_a_path_is_a_look(firms: Firms) -> None:
    """A colleague who exchanges with the lead's store by its path finds the offer declined."""
    ident = firms.new()
    firms.offer(ident, accept_by=firms.globex.now() + DAY)
    log = open_remote(firms.globex.store.path)  # with the real clock, which is past that
    assert isinstance(log, LocalLog)
    log.close()
    assert status(firms.globex, ident) == "declined"


def test_a_store_without_handoffs(new_store: NewStore) -> None:
    """One look, and nothing of what deals with partners is made."""
    store = new_store()
    statements: list[str] = []
    store.db.set_trace_callback(statements.append)
    expiring.expire(store)
    store.db.set_trace_callback(None)
    assert len(statements) == 1
    plan = [row[3] for row in store.db.execute(f"EXPLAIN QUERY PLAN {statements[0]}")]
    assert plan[0].startswith("SEARCH h USING INDEX handoffs_accept"), plan
    assert overview(store, store.now()).handoffs == {}


def test_a_store_that_is_open_for_reading_expires_too(firms: Firms, tmp_path: Path) -> None:
    """Reading is a look as well."""
    ident = offered(firms)
    with open_store(firms.globex.store.path, write=False, now=firms.globex.now) as store:
        expiring.expire(store)
    ticket: Ticket = firms.globex.ticket(ident)
    assert ticket.handoffs[-1].status == "declined"
