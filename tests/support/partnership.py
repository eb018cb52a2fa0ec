"""Two organisations that share tickets, for the tests of the partner's door: what the lead keeps to itself is marked, and every byte that
its server sends to the partner is searched for the marks."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from socket import socket
from typing import Any, Self, cast
from uuid import uuid4

from chit_sync import authoring, outsourcing
from chit_sync.authoring import Done, Edit
from chit_sync.change import Change, digest, encode
from chit_sync.clock import DAY
from chit_sync.exchange import attachments, joining
from chit_sync.exchange.pulling import pull
from chit_sync.exchange.results import Pulled, Synced
from chit_sync.exchange.syncing import sync
from chit_sync.handoffs import Handoff
from chit_sync.invitation import Invitation
from chit_sync.registers import Value
from chit_sync.remotes.base import Log
from chit_sync.remotes.registry import open_remote
from chit_sync.store import blobs, inviting, reading, remotes
from chit_sync.store.database import Store, time_of_day
from chit_sync.store.making import new_item
from chit_sync.ticket import Ticket
from chit_sync.wire import Offer
from chit_sync.work import charge_paths, time_paths
from conftest import NewStore
from support.server import Proxy, serving

MARK = "zqxsecret"
"""Part of all that must not leave the lead's organisation."""

BILL_RATE = "97313.37"
OTHER = f"{MARK}-initech"
"""Another partner of the same lead."""

TERMS: dict[str, Value] = {
    "pay": "80.00",
    "pay_unit": "hour",
    "currency": "EUR",
    "authorized_minutes": 120,
    "authorized_charges": "50.00",
    "bill_rate": BILL_RATE,
    "instructions": "be quick",
}


class Recorder(Proxy):
    """Keeps every byte that a server sends."""

    def __init__(self, target: str) -> None:
        self.heard = bytearray()
        super().__init__(target)

    def _pass_on(self, source: Any, target: Any, asking: bool) -> None:
        super()._pass_on(source, target if asking else cast(socket, _Tapped(target, self.heard)), asking)

    def __enter__(self) -> Self:
        return self

    def check(self) -> None:
        """Fails if anything internal was sent."""
        heard = bytes(self.heard)
        assert not compressed(heard), "a recording that cannot be searched"
        for mark in (MARK.encode(), BILL_RATE.encode(), MARK.encode("utf-16-le")):
            place = heard.find(mark)
            assert place < 0, heard[max(0, place - 300) : place + 100]


def compressed(heard: bytes) -> bool:
    """Whether something in it came packed."""
    return re.search(rb"\r\nContent-Encoding: gzip", heard, re.IGNORECASE) is not None


class _Tapped:
    def __init__(self, target: Any, heard: bytearray) -> None:
        self._target = target
        self._heard = heard

    def sendall(self, data: bytes) -> None:
        self._heard += data
        self._target.sendall(data)

    def shutdown(self, how: int) -> None:
        self._target.shutdown(how)


class Kept:
    """Where the token is kept."""

    token = ""

    def known(self) -> Sequence[str]:
        return [self.token] if self.token else []

    def begin(self, token: str) -> None:
        self.token = token

    def finish(self, token: str) -> None:
        self.token = token


def join(lead: Store, service: Store, url: str, name: str = "acme") -> str:
    """Makes the second store a partner of the first, which is found at `url`; its token."""
    _, secret, _ = inviting.invite(lead, name, own="globex", expires_in=DAY)
    kept = Kept()
    with closing(open_remote(url)) as log:
        joining.join(service, Invitation(url, lead.meta("store"), secret, "globex", name), log, kept)
    return kept.token


class Pair:
    """A lead, globex, and its service partner, acme. url: where acme reaches globex; recorder: what listens there, if it is HTTP."""

    def __init__(self, lead: Store, service: Store, url: str, recorder: Recorder | None) -> None:
        self.lead = lead
        self.service = service
        self.url = url
        self.recorder = recorder
        self.token = join(lead, service, url)

    @property
    def remote(self) -> remotes.Remote:
        """The lead, as acme knows it."""
        return remotes.get(self.service, "globex")

    def log(self) -> Log:
        """The lead's log as acme has it."""
        return open_remote(self.url, token=self.token)

    def sync(self) -> Synced:
        """acme's `chit sync`."""
        with closing(self.log()) as log:
            return sync(self.service, self.remote, log)

    def pull(self) -> Pulled:
        """acme's `chit pull`."""
        with closing(self.log()) as log:
            return pull(self.service, self.remote, log)

    def fetch_bytes(self) -> attachments.Transferred:
        """acme's `chit pull --attachments`, the second half."""
        with closing(self.log()) as log:
            return attachments.fetch(self.service, log, blobs.missing(self.service))

    def offered(self, ident: str, terms: Mapping[str, Value] = TERMS, partner: str = "acme") -> Done:
        """Offers a ticket."""
        return write(self.lead, outsourcing.offer(self.lead, of(self.lead, ident), partner, terms), "anna")

    def accepted(self, ident: str) -> None:
        """Offers a ticket, and acme takes it on."""
        self.offered(ident)
        self.sync()
        write(self.service, outsourcing.accept(self.service, of(self.service, ident)), "bob")
        self.sync()
        assert self.statuses(ident) == ("accepted", "accepted")

    def statuses(self, ident: str) -> tuple[str, str]:
        """The status of the last handoff, at the lead's and at the partner's."""
        return handoff(self.lead, ident).status, handoff(self.service, ident).status


def of(store: Store, ident: str) -> Ticket:
    """The ticket with that id."""
    return reading.load(store, reading.find(store, ident))


def handoff(store: Store, ident: str) -> Handoff:
    """The ticket's newest handoff."""
    return of(store, ident).handoffs[-1]


def write(store: Store, edit: Edit, by: str) -> Done:
    """Writes as a command would."""
    return authoring.record(store, [edit], by=by, command="test")[0]


def act(store: Store, ident: str, verb: str, reason: str = "", by: str = "") -> Done:
    """One of the verbs that take a reason at most."""
    return write(store, outsourcing.act(store, of(store, ident), verb, reason=reason), by or _person(store, ident))


def _person(store: Store, ident: str) -> str:
    return "anna" if handoff(store, ident).role == "lead" else "bob"


def say(store: Store, ident: str, body: str, visibility: str = "public", by: str = "") -> Done:
    """A comment."""
    return write(
        store,
        Edit(of(store, ident), authoring.comment_paths(new_item(store), body, visibility)),
        by or _person(store, ident),
    )


def work(store: Store, ident: str, minutes: int, note: str = "", by: str = "") -> Done:
    """A time entry."""
    paths = time_paths(new_item(store), minutes, store.now(), note, "public")
    return write(store, Edit(of(store, ident), paths), by or _person(store, ident))


def charge(store: Store, ident: str, cents: int, note: str = "", by: str = "") -> Done:
    """A charge."""
    paths = charge_paths(new_item(store), cents, "EUR", note, "public")
    return write(store, Edit(of(store, ident), paths), by or _person(store, ident))


def attach(store: Store, ident: str, file: Path, visibility: str = "public", by: str = "") -> str:
    """A file; its SHA-256."""
    paths = authoring.attach_file(store, str(file), visibility)
    write(store, Edit(of(store, ident), paths), by or _person(store, ident))
    return next(str(value) for path, value in paths.items() if path.endswith("/sha256"))


def file(folder: Path, name: str, data: bytes) -> Path:
    """A file with these bytes."""
    place = folder / name
    place.write_bytes(data)
    return place


def sha(data: bytes) -> str:
    """The SHA-256 of the bytes."""
    return hashlib.sha256(data).hexdigest()


SECRET_BYTES = (f"{MARK} of a file ".encode() * 400)[:4_000]


def planted(lead: Store, folder: Path, title: str = "Printer on fire") -> str:
    """A ticket full of what is internal, beside what may be shared; its id."""
    fields: dict[str, Value] = {
        "title": title,
        "description": "It burns",
        "status": "new",
        "priority": "high",
        "queue": f"{MARK}-queue",
        "assignee": f"{MARK}-person",
        "requester": f"{MARK}@example.com",
        "organization": f"{MARK}-customer",
        "contract": f"{MARK}-contract",
        "x.serial": f"{MARK}-serial",
        f"labels/{MARK}-label": True,
    }
    ident = authoring.record(lead, [Edit(None, fields)], by="anna", command="new")[0].id
    other = authoring.record(lead, [Edit(None, {"title": f"{MARK} ticket"})], by=f"{MARK}-carl", command="new")[0].id
    say(lead, ident, "it is hot", by="anna")
    say(lead, ident, f"{MARK} comment", "internal", by=f"{MARK}-carl")
    attach(lead, ident, file(folder, f"{MARK}.bin", SECRET_BYTES), "internal", by="anna")
    attach(lead, ident, file(folder, "öffentlich – 公開.bin", b"\x00public\xff" * 999), by="anna")
    write(lead, Edit(of(lead, ident), authoring.link_paths(f"{MARK}-kind", ident, other)), "anna")
    return ident


@contextmanager
def partnership(new_store: NewStore, kind: str = "http") -> Iterator[Pair]:
    """A pair that exchanges over HTTP, where everything is recorded and searched at the end, or over a path."""
    lead, service = new_store("globex"), new_store("acme")
    lead.now = service.now = time_of_day
    if kind == "path":
        yield Pair(lead, service, lead.path, None)
        return
    problems: list[str] = []
    with serving(lead.path, report=problems.append) as address, Recorder(address) as recorder:
        yield Pair(lead, service, recorder.address, recorder)
    assert problems == []
    recorder.check()


def forged(
    ident: str,
    sets: Mapping[str, Value],
    by: str = "bob@acme",
    at: int | None = None,
    over: Sequence[str] = (),
    **more: Any,
) -> Offer:
    """A change made by hand, as somebody makes it who does not use chit."""
    stamp = time_of_day() if at is None else at
    change = Change(ticket=ident, at=stamp, by=by, set=dict(sets), nonce=uuid4().hex[:16], over=sorted(over), **more)
    body = encode(change)
    return Offer(digest(body), body)


def said(handoff_id: str, item: str = "kkkkkkkkkkkkkkkk", **fields: Value) -> dict[str, Value]:
    """The paths of a comment for a handoff."""
    values: dict[str, Value] = {"body": "hello", "visibility": "partner", "to": handoff_id, **fields}
    return {f"comment/{item}/{name}": value for name, value in values.items()}


def item(kind: str, ident: str, **fields: Value) -> dict[str, Value]:
    """The paths of any item."""
    return {f"{kind}/{ident}/{name}": value for name, value in fields.items()}


def send(log: Log, *offers: Offer) -> list[tuple[str, str]]:
    """Offers changes; what became of each, and why."""
    return [(result.status, result.reason) for result in log.append(offers).results]


def bodies(store: Store) -> list[bytes]:
    """All changes of a store, as they are."""
    return [row[0] for row in store.db.execute("SELECT body FROM changes ORDER BY seq")]
