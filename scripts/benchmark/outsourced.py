"""Makes stores whose tickets are with partners, through the library: offers and acceptances go in as moves, and the store's desk rules.

Knows nothing of what is measured. Its clock and its randomness are its own, so that a store is the same every time.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from benchmark import synthetic

OWN = "lead"
"""What the organisation is called whose store is made."""

FEW, MANY = 20, 100
"""Partners of a store to look at, and of one that is pulled from."""

OPEN = ("new", "open", "pending", "review")
STANDINGS = ("draft", "offered", "offered", "declined", "canceled", "submitted", "submitted", *["working"] * 8)
"""How handoffs stand, each as often as it is named: all of them are on the board."""

HANDED_OUT = 5_000
"""Of so many changes in a store, one is the offer of a ticket to each partner."""

FAR = 4_102_444_800_000_000
"""2100-01-01 UTC: no offer expires in a store that is kept."""

LATE = 0.02
"""How many handoffs are past the time by which they were to be completed."""

ROUND = 20
"""Tickets that are handed out before others get a batch."""


def name(place: int) -> str:
    """What a partner is called."""
    return f"partner-{place:03}"


class Maker:
    """Puts tickets, and what is done with them, into a new store in `folder/.chit`."""

    def __init__(self, folder: Path, seed: int, partners: Sequence[str]) -> None:
        from chit_sync.invitation import Joining
        from chit_sync.store import inviting, opening

        self.random = Random(seed)
        self.clock = (synthetic.START + 3 * synthetic.YEAR) * 1_000_000
        folder.mkdir(parents=True)
        self.store = opening.create(str(folder / ".chit"), now=self._now, entropy=self.random.randbytes)
        for partner in partners:
            _, secret, _ = inviting.invite(self.store, partner, own=OWN, expires_in=3_600_000_000)
            joining = Joining(secret, f"chit_{secret}", self._item(), self.store.meta("store"))
            inviting.accept_invitation(self.store, joining)

    def _now(self) -> int:
        self.clock += 1_000_000
        return self.clock

    def _item(self) -> str:
        from chit_sync import ids

        return ids.letters(self.random.randbytes(ids.ID_BYTES))

    def record(self, ticket: str, by: str, sets: dict[str, Any], over: Iterable[bytes] = ()) -> Any:
        """One change, later than the one before."""
        from chit_sync.change import NONCE_BYTES, Change, digest, encode, nonce
        from chit_sync.store.log import Record

        change = Change(
            ticket=ticket, at=self._now(), by=by, set=sets, nonce=nonce(self.random.randbytes(NONCE_BYTES)),
            over=sorted(ident.hex() for ident in over),
        )  # fmt: skip
        body = encode(change)
        return Record(digest(body), body, change)

    def append(self, records: Sequence[Any]) -> None:
        """Takes changes into the store."""
        from chit_sync.store import log

        with self.store.transaction():
            log.append(self.store, records)

    def hand_out(self, ticket: str, partner: str, standing: str) -> None:
        """Brings a ticket to a partner, step by step as it would be."""
        from chit_sync.store import log

        with self.store.transaction():
            for record in self._steps(ticket, partner, standing):
                log.append(self.store, [record])

    @property
    def changes(self) -> int:
        """How many there are."""
        return int(self.store.db.execute("SELECT count(*) FROM changes").fetchone()[0])

    def _steps(self, ticket: str, partner: str, standing: str) -> Iterator[Any]:
        """The moves, and what is said meanwhile."""
        handoff, first, second, third = (self._item() for _ in range(4))
        terms = {
            "role": "lead", "service": partner, "share_comments": "public", "share_attachments": "public", "pay": "80.00",
            "pay_unit": "hour", "currency": "EUR", "authorized_minutes": 240, "instructions": "Please bring a spare part along.",
            "accept_by": FAR, "complete_by": self.clock if self.random.random() < LATE else FAR,
        }  # fmt: skip

        def move(ident: str, by: str, **values: Any) -> Any:
            return self.record(ticket, by, _paths(f"move/{ident}", {"handoff": handoff, **values}))

        offer = {"handoff": handoff, "verb": "draft" if standing == "draft" else "offer"}
        yield self.record(ticket, "agent1", _paths(f"handoff/{handoff}", terms) | _paths(f"move/{first}", offer))
        theirs = f"resolver@{partner}"
        if standing == "canceled":
            yield move(second, "agent1", verb="cancel", seen=first, reason="It was done by others.")
        elif standing == "declined":
            yield move(second, theirs, verb="decline", seen=first, reason="Nobody has the time.")
        elif standing in ("working", "submitted"):
            yield move(second, theirs, verb="accept", seen=first, version=1)
            for by, visibility in ((theirs, "partner"), (f"agent2@{OWN}", "public")):
                yield self._said(ticket, by, visibility, handoff)
            if standing == "submitted":
                yield move(third, theirs, verb="submit", seen=second)

    def _said(self, ticket: str, by: str, visibility: str, handoff: str) -> Any:
        said = {"body": "It works again since the cable was changed.", "visibility": visibility, "to": handoff}
        return self.record(ticket, by, _paths(f"comment/{self._item()}", said))

    def close(self) -> None:
        """All of it on the disk, in one file."""
        self.store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.store.close()


def build(folder: Path, count: int) -> None:
    """That many tickets, a tenth of which are with partners."""
    from benchmark.stores import BATCH, records  # which knows this module
    from chit_sync.store.bulk import bulk

    made = Maker(folder, count, [name(place) for place in range(FEW)])
    with bulk(made.store):
        source = synthetic.tickets(count)
        left = count // 10
        while batch := list(islice(source, BATCH)):
            made.append([record for ticket in batch for record in records(ticket, made.random)])
            for place, ticket in enumerate([ticket for ticket in batch if ticket["status"] in OPEN][::2]):
                if left:
                    left -= 1
                    made.hand_out(_ident(ticket), name(place % FEW), STANDINGS[left % len(STANDINGS)])
    made.close()


def build_lead(folder: Path, count: int) -> None:
    """A lead's store with that many changes and many partners, of whom each works on as many tickets."""
    _build_lead(folder, count, range(MANY))


def build_alone(folder: Path, count: int) -> None:
    """A lead's store that holds nothing but what one of those partners works on."""
    _build_lead(folder, count, range(1))


def _build_lead(folder: Path, count: int, partners: range) -> None:
    from chit_sync.store.bulk import bulk

    made = Maker(folder, count, [name(place) for place in partners])
    each = count // HANDED_OUT
    with bulk(made.store):
        source = synthetic.tickets(count)
        for turn in range(each * len(partners)):
            ticket = next(source)
            made.append([_created(made, ticket)])
            made.hand_out(_ident(ticket), name(turn % len(partners)), "working")
            if len(partners) > 1 and turn % ROUND == 0:
                _others(made, source, (count - made.changes) // (each * len(partners) - turn) * ROUND)
        while len(partners) > 1 and made.changes < count:
            _others(made, source, count - made.changes)
    made.close()


def _paths(item: str, values: dict[str, Any]) -> dict[str, Any]:
    return {f"{item}/{field}": value for field, value in values.items()}


def _ident(ticket: dict[str, Any]) -> str:
    from chit_sync import ids

    return ids.ticket_id("benchmark", ticket["key"])


def _created(made: Maker, ticket: dict[str, Any]) -> Any:
    fields = {name: ticket[name] for name in ("title", "description", "priority", "queue", "requester")}
    return made.record(_ident(ticket), ticket["author"], {**fields, "status": "open"})


def _others(made: Maker, source: Iterator[dict[str, Any]], count: int) -> None:
    """That many changes of tickets that are with nobody: each is made, and edited nine times."""
    found: list[Any] = []
    while len(found) < count:
        found.append(_created(made, next(source)))
        for place in range(9):
            last = found[-1]
            sets = {"status": synthetic.STATUSES[(place + 1) % 7]}
            found.append(made.record(last.change.ticket, f"agent{place}", sets, [last.id]))
    if found:
        made.append(found[:count])


def token(url: str, own: str) -> None:
    """Prints the token with which the partner of that name comes to a lead's address, as the benchmark's own home has it."""
    from chit.context import user_config
    from chit_sync.credentials import PartnerToken

    print(PartnerToken(str(Path(user_config()).parent), url, own).find())


if __name__ == "__main__":
    token(*sys.argv[1:])
