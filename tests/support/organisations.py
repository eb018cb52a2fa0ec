"""A world of organisations for tests: stores with clocks that disagree, colleagues' copies, partnerships made by inviting and joining, and
links between them on which messages are lost, repeated and cut. Every byte that leaves for a partner is kept, to be searched."""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from chit_sync.authoring import Done, Edit, record
from chit_sync.clock import DAY
from chit_sync.errors import ChitError, RemoteError
from chit_sync.exchange import attachments, joining
from chit_sync.exchange.pulling import pull
from chit_sync.exchange.pushing import push
from chit_sync.exchange.syncing import sync
from chit_sync.handoffs import Handoff
from chit_sync.invitation import Invitation, Joined, Joining
from chit_sync.registers import Value
from chit_sync.remotes.base import BlobState, Expect, Log, Reading, UnreachedError
from chit_sync.remotes.local import LocalLog
from chit_sync.remotes.partner import partner_log
from chit_sync.store import blobs, inviting, log, reading, remotes
from chit_sync.store.making import Pen
from chit_sync.store.opening import create, open_store
from chit_sync.ticket import Ticket
from chit_sync.wire import Answer, Offer, Sent
from support.stores import NOON, entropy


class Fault(NamedTuple):
    """What goes wrong at the call of that number (from 0): lost (never arrives), unanswered (arrives, and the answer does not), twice
    (arrives twice), cut (of what is read, so many changes or bytes arrive)."""

    kind: str
    call: int = 0
    after: int = 1


class Time:
    """The true time, which moves only when told to."""

    def __init__(self) -> None:
        self.now = NOON


class Place:
    """A store and the person who works at it. organisation: whose it is. shift: how far its clock is off."""

    def __init__(self, world: "World", name: str, organisation: str, person: str, shift: int) -> None:
        self.world = world
        self.name = name
        self.organisation = organisation
        self.person = person
        self.shift = shift
        self.tokens: dict[str, str] = {}
        """Remote to the token that opens it, where that is a lead's."""
        self.memory: list[Ticket] = []
        self.store = create(str(world.folder / name), now=self.now, entropy=entropy(f"{world.seed} {name}"))
        self.store.db.execute("PRAGMA synchronous = OFF")

    def now(self) -> int:
        return self.world.time.now + self.shift

    def tickets(self) -> list[int]:
        """This store's numbers of its tickets, in an order that is the same in every world."""
        return [row[0] for row in self.store.db.execute("SELECT num FROM tickets ORDER BY id")]

    def ticket(self, ident: str = "") -> Ticket:
        """The ticket with that id, or the only one."""
        return reading.load(self.store, reading.find(self.store, ident) if ident else self.tickets()[0])

    def handoff(self, partner: str = "") -> Handoff:
        """The newest handoff of the only ticket, with that partner or any."""
        return [one for one in self.ticket().handoffs if partner in ("", one.partner)][-1]

    def write(self, edit: Edit, by: str = "") -> Done:
        """As a command would."""
        return record(self.store, [edit], by=by or self.person, command="test")[0]

    def remotes(self) -> list[str]:
        """The names of its remotes: a colleague's desk is `origin`, a lead has its own name."""
        return sorted(remote.name for remote in remotes.listing(self.store))


class World:
    """All organisations, and what left each of them for a partner. seed: what is random follows from it and from the stores' names."""

    def __init__(self, folder: Path, seed: object = 0) -> None:
        self.folder = folder
        self.seed = seed
        self.time = Time()
        self.places: dict[str, Place] = {}
        self.services: dict[str, list[str]] = {}
        """Organisation to its service partners."""
        self.refused: list[str] = []
        """What people were told could not be done."""
        self.left: dict[tuple[str, str], list[bytes]] = {}
        """(from, to) to everything that was handed out, changes and answers and problems and files."""

    def organisation(self, name: str, person: str, shift: int = 0) -> Place:
        """An organisation with its exchanging store."""
        self.places[name] = Place(self, name, name, person, shift)
        return self.places[name]

    def colleague(self, desk: Place, person: str, shift: int = 0) -> Place:
        """Somebody with a copy of the organisation's store."""
        name = f"{desk.name}-{person}"
        place = self.places[name] = Place(self, name, desk.organisation, person, shift)
        remotes.add(place.store, "origin", desk.store.path)
        self.exchange(place)
        return place

    def partnership(self, lead: Place, service: Place) -> None:
        """Makes the one the service partner of the other, as `partner invite` and `partner join` do."""
        _, secret, _ = inviting.invite(lead.store, service.name, own=lead.name, expires_in=DAY)
        invitation = Invitation(
            str(lead.store.path), lead.store.meta("store"), secret, lead=lead.name, name=service.name
        )
        kept = _Kept()
        joining.join(service.store, invitation, LocalLog(lead.store), kept)
        service.tokens[lead.name] = kept.token
        self.services.setdefault(lead.name, []).append(service.name)

    def partners_of(self, place: Place) -> list[str]:
        """The service partners of somebody's organisation."""
        return self.services.get(place.organisation, [])

    def desk(self, place: Place, remote: str) -> Place:
        """Where a remote of that name is."""
        return self.places[place.organisation if remote == "origin" else remote]

    def open(self, place: Place, remote: str = "origin", faults: Sequence[Fault] = ()) -> "Link":
        """A connection to a remote."""
        there = self.desk(place, remote)
        heard = self.left.setdefault((there.organisation, place.organisation), []) if remote != "origin" else []
        said = self.left.setdefault((place.organisation, there.organisation), []) if remote != "origin" else []
        local = LocalLog(there.store, there.name)
        return Link(local, place.tokens.get(remote), heard, said, faults)

    def exchange(self, place: Place, remote: str = "origin", how: str = "sync", faults: Sequence[Fault] = ()) -> "Link":
        """A sync, a pull, a push or a fetch of files; gives the connection that it used."""
        link = self.open(place, remote, faults)
        store, one = place.store, remotes.get(place.store, remote)
        if how == "pull":
            pull(store, one, link)
        elif how == "push":
            push(store, one, link)
        else:
            sync(store, one, link)
        if how in ("sync", "pull"):
            attachments.fetch(store, link, blobs.missing(store))
        return link

    def settle(self) -> None:
        """Everybody exchanges, until nobody hears anything new."""
        before: object = None
        for _ in range(8):
            for place in self.places.values():
                for remote in place.remotes():
                    self.exchange(place, remote)
            now = [place.store.db.execute("SELECT max(seq) FROM changes").fetchone() for place in self.places.values()]
            if now == before:
                return
            before = now
        raise AssertionError("they never come to an end")

    def close(self) -> None:
        """Closes all stores."""
        for place in self.places.values():
            place.store.close()


class _Kept:
    """Where a token is kept."""

    token = ""

    def known(self) -> Sequence[str]:
        return [self.token] if self.token else []

    def begin(self, token: str) -> None:
        self.token = token

    def finish(self, token: str) -> None:
        self.token = token


class Link:
    """A connection to a store, on which calls go wrong as they are told to. token: a partner's, for what that may see.

    heard: what the other side hands out is added here; said: what goes there.
    """

    def __init__(
        self, local: LocalLog, token: str | None, heard: list[bytes], said: list[bytes], faults: Sequence[Fault]
    ) -> None:
        self.where = local.where
        self.local = local
        self.token = token
        self.heard = heard
        self.said = said
        self.faults = {fault.call: fault for fault in faults}
        self.calls = 0

    def _log(self) -> Log:
        return self.local if self.token is None else partner_log(self.local, self.token)

    def _fault(self) -> Fault:
        fault = self.faults.get(self.calls, Fault("none"))
        self.calls += 1
        if fault.kind == "lost":
            raise UnreachedError("the line is dead")
        return fault

    def _hear(self, *parts: object) -> None:
        for part in parts:
            self.heard.append(part if isinstance(part, bytes) else json.dumps(part, ensure_ascii=False).encode())

    def _told(self, error: ChitError) -> ChitError:
        self._hear(error.message, error.hint)
        return error

    def info(self):  # type: ignore[no-untyped-def]  # as the protocol has it
        """Who is there."""
        fault = self._fault()
        try:
            info = self._log().info()
        except ChitError as error:
            raise self._told(error) from None
        self._hear(info)
        if fault.kind == "unanswered":
            raise RemoteError("the answer was lost")
        return info

    def read(self, after: int, limit: int | None = None, expect: Expect | None = None) -> Reading:
        """The changes from there on."""
        fault = self._fault()
        try:
            reading_ = self._log().read(after, limit, expect)
        except ChitError as error:
            raise self._told(error) from None
        self._hear(reading_.info)
        if fault.kind == "unanswered":
            reading_.batches.close()
            raise RemoteError("the answer was lost")
        return Reading(reading_.info, self._batches(reading_, fault))

    def _batches(self, source: Reading, fault: Fault) -> Generator[list[Sent], None, None]:
        left = fault.after if fault.kind == "cut" else None
        for batch in source.batches:
            for sent in batch:
                self._hear(sent.body)
            if left is not None and len(batch) > left:
                yield batch[:left]
                raise RemoteError("the answer broke off")
            left = None if left is None else left - len(batch)
            yield batch

    def own(self) -> Reading:
        """What the caller sent before."""
        fault = self._fault()
        found = self._log().own()
        self._hear(found.info)
        return Reading(found.info, self._batches(found, fault))

    def append(self, offers: Sequence[Offer], expect: Expect | None = None) -> Answer:
        """Takes changes."""
        fault = self._fault()
        self.said += [offer.body for offer in offers]
        answer = None
        for _ in range(2 if fault.kind == "twice" else 1):
            try:
                answer = self._log().append(offers, expect)
            except ChitError as error:
                raise self._told(error) from None
            self._hear(answer._replace(results=[]), *answer.results)
        if fault.kind in ("unanswered", "cut") or answer is None:
            raise RemoteError("the answer was lost")
        return answer

    def has_blob(self, sha256: str) -> BlobState:
        """What is there of it."""
        self._fault()
        state = self._log().has_blob(sha256)
        self._hear(state)
        return state

    def get_blob(self, sha256: str, offset: int = 0) -> Iterator[bytes]:
        """Its bytes."""
        fault = self._fault()
        for chunk in self._log().get_blob(sha256, offset):
            part = chunk[: fault.after] if fault.kind == "cut" else chunk
            self._hear(part)
            yield part

    def put_blob(self, sha256: str, source: BinaryIO, size: int, offset: int = 0) -> None:
        """Sends its bytes."""
        fault = self._fault()
        place = source.tell()
        self.said.append(source.read())
        source.seek(place)
        self._log().put_blob(sha256, source, size, offset)
        if fault.kind in ("unanswered", "cut"):
            raise RemoteError("the answer was lost")

    def join(self, joining: Joining) -> Joined:
        """An invitation."""
        return self.local.join(joining)

    def close(self) -> None:
        """The store stays open: it is somebody's."""


def backup(place: Place) -> bytes:
    """A copy of what is in a store."""
    return place.store.db.serialize()


def restore(place: Place, copy: bytes) -> None:
    """Puts a copy back in the place of what is there."""
    place.store.db.close()
    for left in ("store.db-wal", "store.db-shm"):
        (Path(place.store.path) / left).unlink(missing_ok=True)
    (Path(place.store.path) / "store.db").write_bytes(copy)
    place.store = open_store(place.store.path, now=place.now, entropy=place.store.entropy)
    place.store.db.execute("PRAGMA synchronous = OFF")
    place.memory.clear()


def write_unguarded(place: Place, ident: str, by: str, sets: Mapping[str, Value]) -> None:
    """A change as a client without manners would write it."""
    with place.store.transaction() as db:
        first = log.last_seq(db) + 1
        log.append(place.store, [Pen(place.store).write(ident, by, sets, ())])
        db.execute(
            "INSERT INTO operations (time, command, first, last) VALUES (?, 'unguarded', ?, ?)",
            (place.now(), first, log.last_seq(db)),
        )
