"""A ticket of a helpdesk that is with a partner: what the partner gets of the helpdesk, byte for byte, and what comes back from there."""

from pathlib import Path
from typing import Any

import pytest

from chit_sync.helpdesks.base import Person
from chit_sync.helpdesks.mapping import statuses_for
from chit_sync.helpdesks.settings import NOTHING
from chit_sync.ids import mirror_id
from chit_sync.store import remotes
from chit_sync.store.database import time_of_day
from chit_sync.store.statuses import set_statuses
from conftest import NewStore
from support.memory_desk import Desk, MemoryDesk
from support.mirroring import Side, quiet
from support.partnership import MARK, of, partnership, say

HOST = f"{MARK.lower()}.desk.example.com"


@pytest.mark.parametrize("kind", ["http", "path"])
def test_a_partner_gets_nothing_of_the_helpdesk(new_store: NewStore, tmp_path: Path, kind: str) -> None:
    """No address, account, number, person, queue, field or note of it: what is told is the mark, 16 letters that follow from its name."""
    with partnership(new_store, kind) as pair:
        desk = Desk(clock=time_of_day)
        for name in (f"{MARK}-eve", "agent1"):
            desk.accounts[name] = Person(name, f"{MARK} {name}", f"{MARK}@example.com")
        side = Side.__new__(Side)
        side.store, side.name, side.desk = pair.lead, "anna", MemoryDesk(desk, "agent1")
        side.remote = remotes.add(pair.lead, "origin", f"memory+https://{HOST}/{MARK}/?queue=Support")
        side.tables = NOTHING
        set_statuses(pair.lead, statuses_for(side.desk.describe()))
        fields: dict[str, Any] = {"x_Note": f"{MARK} note", f"labels_{MARK}": True, "assignee": f"{MARK}-eve"}
        number = desk.add_ticket("Printer", "It burns", by=f"{MARK}-eve", **fields)
        desk.say(number, f"{MARK} internal", public=False)
        desk.say(number, "public reply", by="requester")
        desk.attach(number, f"{MARK}.bin", b"internal", public=False)
        desk.work("agent1", number, 5, 0, f"{MARK} work", "")
        side.pull()
        ticket = side.ticket(number)
        side.say(ticket, f"{MARK} said by us", "internal")
        side.push()
        pair.accepted(ticket.id)
        desk.say(number, f"{MARK} another note", public=False)
        desk.edit(number, title="Old printer", x_Note=f"{MARK} more", assignee="agent1", status="open")
        side.sync()
        pair.sync()
        assert of(pair.service, ticket.id).title
        desk.accounts[f"{MARK}@customer.example"] = Person(f"{MARK}@customer.example")
        desk.say(number, "it still burns", by=f"{MARK}@customer.example")  # whose address is nobody's business
        side.sync()
        pair.sync()
        assert ("customer@globex", "it still burns") in [
            (c.author, c.body) for c in of(pair.service, ticket.id).comments
        ]
        say(pair.service, ticket.id, "from the partner")
        pair.sync()
        side.sync()
        assert any("from the partner" in body and not public for body, public in desk.tickets()[number]["comments"])
        desk.say(number, f"{MARK} a third note", public=False)
        side.sync()
        pair.sync()
        bodies = [row[0] for row in pair.service.db.execute("SELECT body FROM changes")]
        told = b"\n".join(bodies).replace(mirror_id(f"memory://{HOST}/{MARK}").encode(), b"")
        for secret in (MARK, HOST, "memory", "agent1", "agent2", "origin", "Support", "x.", "labels/"):
            assert secret.encode() not in told, secret
        quiet(side)
