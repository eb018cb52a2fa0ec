"""Small invented files and maps for the tests of importing, and what came of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chit_sync.ids import ticket_id
from chit_sync.store import reading
from chit_sync.store.database import Store
from chit_sync.ticket import Ticket
from chit_sync.transfer.importing import import_file
from chit_sync.transfer.mapping import Map, from_document
from chit_sync.transfer.report import Imported
from support.stores import records

DATA = Path(__file__).parents[1] / "data"

EVENTS: dict[str, Any] = {
    "schema": "chit.map/1", "source": "desk", "format": "csv", "rows": "events", "key": "no", "order": ["at", "count"],
    "empty": ["?"], "time": {"format": "%Y-%m-%d %H:%M", "zone": "UTC"},
    "event": [
        {
            "time": "at", "actor": "by",
            "fields": {
                "title": "title", "assignee": "who", "x.count": "count",
                "status": {"column": "state", "values": {"New": "new", "Work": "open", "Done": "closed"}},
            },
        }
    ],
}  # fmt: skip
"""A map of an event log."""

HEADER = "no,at,count,by,title,state,who\n"
LOG = HEADER + (
    "T1,2026-01-05 08:00,0,anna,Printer on fire,New,?\n"
    "T1,2026-01-05 08:30,1,bert,Printer on fire,Work,bert\n"
    "T2,2026-01-05 09:00,0,anna,No network,New,?\n"
    "T1,2026-01-06 10:00,2,bert,Printer on fire,Done,bert\n"
)

TICKETS: dict[str, Any] = {
    "schema": "chit.map/1", "source": "tracker", "format": "jsonl", "rows": "tickets", "key": "id",
    "event": [
        {
            "time": "created", "actor": {"column": "by", "default": "tracker"},
            "fields": {
                "title": "title", "labels": "labels", "x.weight": "weight",
                "description": {"sections": [["", "text"], ["Notes", "notes"]]}, "status": {"value": "new"},
            },
        },
        {
            "time": "closed", "actor": {"value": "tracker"},
            "fields": {"status": {"column": "state", "values": {"closed": "closed", "open": "new"}}},
        },
    ],
    "comments": [{"list": "comments", "id": "id", "author": "by", "time": "at", "body": "text"}],
    "links": [
        {
            "list": "links", "target": "to",
            "kind": {"column": "kind", "values": {"needs": "blocked-by", "see": "relates", "odd": "odd"}},
        }
    ],
}  # fmt: skip
"""A map of a file of tickets."""


def changed(document: Mapping[str, Any], **members: Any) -> Map:
    """The map with some of its members otherwise."""
    return from_document({**document, **members}, "test")


def take(store: Store, folder: Path, text: str | bytes, mapping: Map, **options: Any) -> Imported:
    """Imports a file with this content."""
    file = folder / "file"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_file(store, str(file), mapping, **options)


def ticket(store: Store, source: str, key: str) -> Ticket:
    """The ticket that was imported with that key."""
    return reading.load(store, reading.find(store, ticket_id(source, key)))


def history(store: Store, ident: str) -> list[tuple[int, str, dict[str, Any]]]:
    """(time, author, what was set) of the ticket's changes, in the order of their stamps."""
    found = sorted((one.change for one in records(store) if one.change.ticket == ident), key=lambda one: one.at)
    return [(one.time, one.by, dict(one.set)) for one in found]


def reasons(done: Imported) -> list[str]:
    """The failures as people see them."""
    return [str(failure) for failure in done.failures]
