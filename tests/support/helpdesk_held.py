"""What must hold when people and a helpdesk have exchanged everything: all sides show the same, each thing once, nothing is lost."""

from collections import Counter
from hashlib import sha256
from typing import Any

from chit_sync.helpdesks.mapping import Mapping
from chit_sync.store import reading
from chit_sync.store.reproject import reproject
from chit_sync.ticket import Ticket
from support.helpdesk_walk import Walk, Walker
from support.memory_server import Desk, Record, unmarked
from support.mirroring import quiet
from support.mortal import whole
from support.tables import contents, shown

FIELDS = ("title", "description", "status", "priority", "queue", "assignee", "requester", "due", "x.note", "x.severity")


def all_of(walk: Walk) -> None:
    """Everything below, after `Walk.settle`."""
    for one in walk.people:
        quiet(one)
        both_agree(walk.desk, one)
        whole(one)
        same_when_rebuilt(one)
    stores_agree(walk)
    nothing_lost(walk)


def both_agree(desk: Desk, side: Walker) -> None:
    """A store and the helpdesk show the same tickets, the same in every field, and each item once."""
    there = {number for number, record in desk.records.items() if record.gone is None}
    strays = {  # merged into one that nobody here has seen, and that is gone too
        number
        for number, record in desk.records.items()
        if record.gone and record.gone.how == "merged" and not numbered(side, record.gone.into)
    }
    here = {
        one.number
        for ticket in side.tickets()
        if not ticket.value("merged")
        for one in ticket.elsewhere
        if one.remote == "origin"
    }
    assert here - strays == there, f"here {here}, there {there}"
    for ticket in side.tickets():
        if not ticket.value("merged"):
            numbers = [one.number for one in ticket.elsewhere if one.remote == "origin"]
            assert len(numbers) == 1, f"{ticket.title!r} is {numbers} there"
    words = side.mapping(side.desk.describe())
    for number in sorted(there):
        ticket = side.ticket(number)
        assert not ticket.conflicts
        found, wanted = ours(desk, side, ticket, words), theirs(desk, desk.records[number])
        for part, value in wanted.items():
            assert found[part] == value, f"#{number} in {side.name}'s store: {part}: {found[part]} here, {value} there"


def numbered(side: Walker, number: int) -> bool:
    """Whether a store has the ticket that the helpdesk calls so."""
    where = "SELECT 1 FROM numbers WHERE remote = ? AND number = ?"
    return side.store.db.execute(where, (side.remote.id, number)).fetchone() is not None


def theirs(desk: Desk, record: Record) -> dict[str, Any]:
    """A ticket as it is in the helpdesk."""
    fields = {path: value for path, value in record.fields.items() if value not in (None, False)}
    text = desk.kept("description", unmarked(str(fields.pop("description", "")))[0])
    return {
        "fields": fields | ({"description": text} if text else {}),
        "comments": Counter((one.body, one.public) for one in record.comments.values()),
        "files": Counter((one.name, sha256(data).hexdigest()) for one, data in record.files.values()),
        "times": Counter((one.minutes, one.date, one.note) for one in record.works.values()),
        "ties": Counter(
            (tie.kind, tie.number) for tie in record.ties if desk.records[tie.number].gone is None
        ),
    }  # fmt: skip


def ours(desk: Desk, side: Walker, ticket: Ticket, words: Mapping) -> dict[str, Any]:
    """A ticket as it is here, in the helpdesk's words and as it would keep them."""
    fields: dict[str, Any] = {}
    for path in (*FIELDS, *(f"labels/{label}" for label in ticket.labels)):
        theirs, raw = words.to_theirs(path, ticket.value(path))
        if (kept := desk.kept(theirs, raw)) is not None:
            fields[theirs] = kept
    ties = []
    for link in ticket.links:
        other = reading.load(side.store, reading.find(side.store, link.ticket))
        if link.id and not other.value("deleted") and not other.value("merged"):
            ties.append((link.kind, other.elsewhere[0].number))
    return {
        "fields": fields,
        "comments": Counter((desk.kept("comment", one.body), one.visibility == "public") for one in ticket.comments),
        "files": Counter((one.name, one.sha256) for one in ticket.attachments),
        "times": Counter((one.minutes, one.date, one.note) for one in ticket.times),
        "ties": Counter(ties),
    }


def same_when_rebuilt(side: Walker) -> None:
    """The tables are what the log makes."""
    before = contents(side.store)
    with side.store.transaction():
        reproject(side.store)
    assert contents(side.store) == before


def stores_agree(walk: Walk) -> None:
    """All stores show the same."""
    first, *others = [shown(one.store) for one in walk.people]
    for found in (first, *others):
        for one in found.values():
            for attachment in one["record"]["attachments"] if isinstance(one, dict) else ():
                del attachment["here"]
    for found in others:
        assert found.keys() == first.keys()
        for ident, one in first.items():
            other = found[ident]
            if isinstance(one, dict):
                parts = one | one["record"], other | other["record"]
                differing = [
                    (name, value, parts[1][name]) for name, value in parts[0].items() if value != parts[1][name]
                ]
                assert not differing, f"{ident}: {differing}"
            assert one == other


def nothing_lost(walk: Walk) -> None:
    """No text has gone that somebody wrote, unless its ticket has, or somebody has replaced it who had seen it."""
    store = walk.people[0].store
    held: list[str] = []
    gone: list[str] = []
    for (number,) in store.db.execute("SELECT num FROM tickets"):
        ticket = reading.load(store, number)
        values = [heads[0][1] for heads in ticket.registers.values()] + [one.body for one in ticket.comments]
        into = gone if ticket.value("merged") or ticket.value("deleted") else held
        into += [value for value in values if isinstance(value, str)]
        gone += [str(ticket.item(key).get("body")) for key in ticket.item_registers if ticket.item(key).get("deleted")]
        if into is gone:
            into += [
                row[0].decode() for row in store.db.execute("SELECT body FROM changes WHERE ticket = ?", (number,))
            ]
    kept = "\n".join(held + gone)
    lost = [text for text in walk.texts if text not in walk.excused and text not in kept]
    assert not lost, lost
