"""A ticket with a helpdesk and a partner: what one says reaches the other as far as it may, once, and the helpdesk stays unknown."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chit_sync import ids, outsourcing
from chit_sync.exchange.mirror import reading as engine
from chit_sync.exchange.mirror import sending
from chit_sync.exchange.results import Pulled, Pushed
from chit_sync.helpdesks import address
from chit_sync.helpdesks.base import Description
from chit_sync.helpdesks.mapping import Mapping, defaults, statuses_for
from chit_sync.store import remotes
from chit_sync.store.database import time_of_day
from chit_sync.store.statuses import set_statuses
from conftest import NewStore
from support.helpdesk_acts import WAYS
from support.memory_desk import Desk, MemoryDesk
from support.partnership import MARK, TERMS, Pair, bodies, of, partnership, say, write

URL = f"memory+http://{MARK}-desk.example.com/"


class Both:
    """globex follows a helpdesk and has handed one of its tickets to acme."""

    def __init__(self, pair: Pair, desk: Desk) -> None:
        self.pair = pair
        self.desk = desk
        self.adapter = MemoryDesk(desk, "agent1")
        self.remote = remotes.add(pair.lead, "desk", URL)
        set_statuses(pair.lead, statuses_for(self.adapter.describe()))
        self.number = desk.add_ticket("Printer on fire", "It burns")
        desk.say(self.number, f"{MARK} said before", public=False)
        self.pull()
        self.ident = str(pair.lead.db.execute("SELECT id FROM tickets").fetchone()[0])
        pair.offered(self.ident, {**TERMS, "share_comments": "all"})
        pair.sync()
        write(pair.service, outsourcing.accept(pair.service, of(pair.service, self.ident)), "bob")
        pair.sync()

    def mapping(self, about: Description) -> Mapping:
        return defaults(about, self.pair.lead.statuses, "desk")

    def pull(self) -> Pulled:
        return engine.pull(self.pair.lead, self.remote, self.adapter, mapping=self.mapping)

    def push(self) -> Pushed:
        return sending.push(self.pair.lead, self.remote, self.adapter, mapping=self.mapping)

    def round(self) -> None:
        """Everybody exchanges with everybody."""
        for _ in range(2):
            self.pair.sync()
            self.pull()
            self.push()
            self.pair.sync()

    def said_there(self) -> list[tuple[str, bool]]:
        """What is said in the helpdesk."""
        return [
            (body.strip().replace("\r\n", "\n"), public)
            for body, public in self.desk.tickets()[self.number]["comments"]
        ]


@pytest.fixture(params=["rich", "poor", "no tokens"])
def both(request: pytest.FixtureRequest, new_store: NewStore, tmp_path: Path) -> Iterator[Both]:
    with partnership(new_store) as pair:
        yield Both(pair, Desk(WAYS[request.param], time_of_day))


def test_a_partners_comment_arrives_in_the_helpdesk(both: Both) -> None:
    """It is an internal comment there, once, with the name of whoever wrote it, and does not come back as another one."""
    say(both.pair.service, both.ident, "we look at it", "public", by="bob")
    for _ in range(3):
        both.round()
    assert [one for one in both.said_there() if "we look at it" in one[0]] == [("bob@acme:\n\nwe look at it", False)]
    for store in (both.pair.lead, both.pair.service):
        found = [one for one in of(store, both.ident).comments if "we look at it" in one.body]
        assert [one.body for one in found] == ["we look at it"]
    assert (both.pull().taken, both.push().taken) == (0, 0)
    assert of(both.pair.lead, both.ident).conflicts == []


def test_replies_of_the_helpdesk_reach_the_partner(both: Both) -> None:
    """Public replies reach a partner whom the handoff shares comments with, once; internal notes never do."""
    both.desk.say(both.number, "please restart it")
    both.desk.say(both.number, f"{MARK} the customer is difficult", public=False)
    for _ in range(3):
        both.round()
    said = [one.body for one in of(both.pair.service, both.ident).comments]
    assert said.count("please restart it") == 1
    assert not any(MARK in body for body in said)


def test_the_helpdesk_stays_unknown(both: Both) -> None:
    """Of the helpdesk the partner gets no more than the letters that stand for it: no address, no kind, no number."""
    both.desk.say(both.number, "please restart it")
    both.desk.edit(both.number, title="Printer smokes", status="open", description="It smokes")
    say(both.pair.service, both.ident, "we look at it", "public", by="bob")
    both.round()
    recorder = both.pair.recorder
    assert recorder is not None
    identity = address.parse(URL).identity
    for hidden in (identity, "desk.example.com", "memory", MARK, f"#{both.number}"):
        assert hidden.encode() not in bytes(recorder.heard), hidden
        assert not any(hidden.encode() in body for body in bodies(both.pair.service)), hidden
    marks = {
        body.partition(b'"mirror":"')[2][:16].decode() for body in bodies(both.pair.service) if b'"mirror"' in body
    }
    assert marks <= {ids.mirror_id(identity)}
