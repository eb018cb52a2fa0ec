"""Stores that follow a helpdesk with a server of its own, by the real adapter; what is made there is looked for by its name.

Real servers are not set back: everything has names and ids that nobody else has, and the time is the time of day.
"""

import hashlib
import importlib
import os
import re
import secrets
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from chit_sync.helpdesks.base import Helpdesk
from chit_sync.helpdesks.mapping import statuses_for
from chit_sync.helpdesks.settings import NOTHING
from chit_sync.remotes.web import Web
from chit_sync.store import fsck, remotes
from chit_sync.store.opening import create, open_store
from chit_sync.store.statuses import set_statuses
from chit_sync.ticket import Ticket
from support.helpdesks import Servers
from support.mirroring import Side
from support.mortal import Mortal
from support.sites import Site, open_adapter

KINDS = [pytest.param(kind, marks=pytest.mark.server(kind)) for kind in ("rt", "redmine", "roundup", "djhd")]
"""All servers, as parameters of a fixture."""

BYTES = b"\0\xff\r\n log"
NAME = "größer 打印机.bin"

TIME = re.compile(r"\[chit:[k-z]{16} ")
"""What a comment holds that stands for time, where a helpdesk has no other place for it."""


@contextmanager
def site_of(kind: str, servers: Servers) -> Iterator[Site]:
    """A real server, as agent2 sees it."""
    found: Site = importlib.import_module(f"support.standins.{kind}_site").Site(servers[kind])
    try:
        yield found
    finally:
        if close := getattr(found, "close", None):
            close()


def wall() -> int:
    """The time of day."""
    return time.time_ns() // 1000


class Following(Side):
    """Somebody's store that follows the helpdesk of a site. url: the address by which it is spoken to, the site's own unless told."""

    def __init__(self, path: Path, site: Site, url: str = "", desk: Helpdesk | None = None) -> None:
        self.site, self.url = site, url
        self.name, self.tables, self.path = "agent1", NOTHING, path
        self.desk = desk or open_adapter(url or site.url, site.secret)
        self.store = create(str(path), now=wall, entropy=os.urandom)
        self.store.db.execute("PRAGMA synchronous = OFF")  # processes end, not the machine
        self.remote = remotes.add(self.store, "origin", url or site.url)
        set_statuses(self.store, statuses_for(self.desk.describe()))

    def again(self, steps: Callable[[str], None] | None = None) -> "Following":
        """The same store, opened by another process; steps: what is told of each of its transactions."""
        new = Following.__new__(Following)
        new.__dict__.update(self.__dict__)
        new.desk = open_adapter(self.url or self.site.url, self.site.secret)
        opened = open_store(str(self.path), now=wall, entropy=os.urandom)
        opened.db.execute("PRAGMA synchronous = OFF")
        new.store = opened
        if steps is not None:
            new.store = Mortal(opened.path, opened.db, opened.now, opened.entropy)
            new.store.step = steps
        new.remote = remotes.get(new.store, "origin")
        return new

    def close(self) -> None:
        self.store.close()
        self.desk.close()

    def titled(self, title: str) -> Ticket:
        """The one ticket of that title."""
        (found,) = [ticket for ticket in self.tickets() if ticket.title == title]
        return found


@contextmanager
def followed(path: Path, site: Site, url: str = "") -> Iterator[Following]:
    """A store that follows, and is closed."""
    side = Following(path, site, url)
    try:
        yield side
    finally:
        side.close()


def word() -> str:
    """A word that nobody has written before."""
    return "w" + secrets.token_hex(6)


class Shown(NamedTuple):
    """What people see of a ticket on either side: its comments with whether they are public, its files with the hash of their bytes."""

    title: str
    comments: tuple[tuple[str, bool], ...] = ()
    files: tuple[tuple[str, str], ...] = ()


def there(site: Site, titles: Collection[str]) -> list[Shown]:
    """The tickets there that are called so, also such as should not be."""
    return sorted(
        Shown(
            ticket["title"],
            tuple(
                sorted(
                    (body.strip(), public)
                    for body, public in ticket["comments"]
                    if body.strip() and not TIME.search(body)
                )
            ),
            tuple(sorted((name, sha256(data)) for name, data in ticket["files"])),
        )
        for ticket in site.tickets().values()
        if ticket["title"] in titles
    )


def here(side: Side, titles: Collection[str]) -> list[Shown]:
    """The same in a store."""
    return sorted(
        Shown(
            ticket.title,
            tuple(sorted((one.body.strip(), one.visibility == "public") for one in ticket.comments)),
            tuple(sorted((one.name, one.sha256 or "") for one in ticket.attachments)),
        )
        for ticket in side.tickets()
        if ticket.title in titles
    )


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Work:
    """What is to be sent, again and again, and what is to be there then: new tickets, and one that was there before."""

    def __init__(self, side: Following, folder: Path) -> None:
        self.side = side
        self.file = folder / NAME
        self.file.write_bytes(BYTES)
        self.first = word()
        self.number = side.site.add_ticket(self.first, "It was there before.")
        side.pull()
        self.said: list[tuple[str, bool]] = []
        self.title = self.first
        self.wanted: list[Shown] = []

    def write(self) -> None:
        """A new ticket with comments and a file; a comment and another title for the old one: six calls."""
        side = self.side
        title, reply, note, other, self.title = (word() for _ in range(5))
        made = side.new(title=title, description="As it was filed.\n\nTwo paragraphs.")
        side.say(made, reply)
        side.say(made, note, "internal")
        side.attach(made, self.file)
        old = side.ticket(self.number)
        side.say(old, other)
        side.edit(old, {"title": self.title})
        self.said.append((other, True))
        self.wanted.append(Shown(title, tuple(sorted([(reply, True), (note, False)])), ((NAME, sha256(BYTES)),)))

    def check(self) -> None:
        """All of it is there and here, once."""
        wanted = sorted([*self.wanted, Shown(self.title, tuple(sorted(self.said)))])
        titles = {one.title for one in wanted}
        assert there(self.side.site, titles) == wanted
        assert here(self.side, titles) == wanted
        assert [one for one in fsck.check(self.side.store) if not one.harmless] == []


@contextmanager
def every_answer(step: Callable[[str], None]) -> Iterator[None]:
    """Tells meanwhile of each request that does something, when its answer has come."""
    send = httpx.Client.send

    def sending(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        answer = send(self, request, **options)
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            step(f"{request.method} {request.url.path}")
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx.Client, "send", sending)
        yield


def at_once(patch: pytest.MonkeyPatch) -> None:
    """What is asked again is asked at once, for as long as the patch lasts."""
    settings = Web.__init__.__kwdefaults__
    assert settings
    patch.setitem(settings, "sleep", lambda seconds: None)
