"""The adapter for django-helpdesk on its stand-in, and what tests do with it."""

import io
from collections.abc import Callable

from chit_sync.helpdesks import address
from chit_sync.helpdesks.base import Call, Snapshot
from chit_sync.helpdesks.djhd import DjangoHelpdesk
from support.standins.djhd import TOKEN, Standin

TICKET, ITEM = "k" * 32, "l" * 16

CALLS: dict[str, Callable[[int], Call]] = {
    "create": lambda number: Call("create", 0, TICKET, {"title": "x", "description": "y"}),
    "comment": lambda number: Call("comment", number, ITEM, {"body": "x {{ y }}", "public": True}),
    "time": lambda number: Call("time", number, ITEM, {"minutes": 5, "date": 0, "note": "x"}),
}


def adapter(site: Standin, query: str | None = None, secret: str = TOKEN) -> DjangoHelpdesk:
    url = site.url if query is None else f"{site.url.partition('?')[0]}{query}"
    return DjangoHelpdesk(address.parse(url), secret)


def read(desk: DjangoHelpdesk, number: int) -> Snapshot:
    (found,) = desk.read([number])
    assert isinstance(found, Snapshot)
    return found


def attaching(number: int, data: bytes = b"data", name: str = "größe.zip") -> tuple[Call, io.BytesIO]:
    return Call("attach", number, ITEM, {"name": name, "size": len(data), "public": True}), io.BytesIO(data)


def changed(desk: DjangoHelpdesk, cursor: str, known: set[int]) -> tuple[set[int], str]:
    pages = list(desk.changed(cursor, known))
    return {one.number for page in pages for one in page.found}, pages[-1].cursor
