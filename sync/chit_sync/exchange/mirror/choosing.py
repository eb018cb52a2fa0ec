"""What of ours is to be sent to a helpdesk: which tickets, and which of the changes to them. Reads the store, and asks nobody."""

import json
from collections.abc import Collection, Mapping

from chit_sync.codec import decode
from chit_sync.exchange.mirror.session import Session
from chit_sync.helpdesks.planning import Plan, There, plan
from chit_sync.store import bases, blobs, log, remotes
from chit_sync.ticket import Ticket


class Choosing:
    """What a push is about. named: the tickets that were named (this store's numbers), or None for all. again: also what was refused.

    creates: whether tickets are made that are not there. all: whether what others of this organisation wrote is sent too.
    """

    def __init__(self, session: Session, named: Collection[int] | None, *, again: bool) -> None:
        self.session = session
        self.store = session.store
        self.remote = session.remote
        self.named = named
        self.again = again
        self.making = False
        """Whether a ticket is planned that is not there yet: that it was refused once keeps nothing of it back."""
        facing = session.facing
        self.partners = {row[0] for row in self.store.db.execute("SELECT name FROM partners")}
        self.all = named is not None or facing.words.send == "all"
        new = facing.words.new
        default = remotes.get(self.store).id == self.remote.id
        self.creates = named is not None or (default if new is None else bool(new))
        self.there = There(
            facing, session.about, self.sends, session.number, lambda sha256: blobs.size_of(self.store, sha256),
            self._is_partner, self._makes,
        )  # fmt: skip
        where = "SELECT seq FROM refusals WHERE remote = ?"
        self.kept_back = set() if again else {row[0] for row in self.store.db.execute(where, (self.remote.id,))}

    def ident(self, number: int) -> str:
        """The id of the ticket with this store's number."""
        return str(self.store.db.execute("SELECT id FROM tickets WHERE num = ?", (number,)).fetchone()[0])

    def candidates(self, last: int) -> list[int]:
        """The tickets in which there may be something to send."""
        if self.named is not None:
            return sorted(self.named)
        own = "" if self.all or self.partners else "AND origin = 0"
        again = (
            "UNION SELECT c.ticket FROM refusals f JOIN changes c USING (seq) WHERE f.remote = :remote"
            if self.again
            else ""
        )
        rows = self.store.db.execute(
            f"SELECT ticket FROM changes WHERE seq > :pushed AND seq <= :last AND origin <> :remote {own} {again} ORDER BY 1",
            {"pushed": self.remote.pushed, "last": last, "remote": self.remote.id},
        )
        return sorted({row[0] for row in rows} | self.later())

    def later(self) -> set[int]:
        """The tickets of which something waited for something else when they were sent."""
        kept: list[int] = json.loads(self.store.meta(remotes.later_key(self.remote.id), "[]"))
        return set(kept)

    def sends(self, seq: int) -> bool:
        """Whether what a change wrote is for us to send: it was made here, or came from a partner of ours; not from there."""
        if seq in self.kept_back and not self.making:
            return False
        origin, body = self.store.db.execute("SELECT origin, body FROM changes WHERE seq = ?", (seq,)).fetchone()
        if b'"mirror"' in body and decode(body).mirror == self.session.facing.mirror:
            return False
        return origin == log.HERE or self.all or (origin != self.remote.id and self._is_partner(decode(body).by))

    def _makes(self, ticket: int, key: str) -> bool:
        """Whether an item is ours to send as a new one: one that a colleague made, and we have rewritten, is theirs to send."""
        row = self.store.db.execute(
            "SELECT seq FROM changes WHERE ticket = ? AND instr(body, ?) ORDER BY seq LIMIT 1",
            (ticket, f'"{key}/'.encode()),
        ).fetchone()
        return row is not None and (row[0] in self.kept_back or self.sends(row[0]))

    def _is_partner(self, author: str) -> bool:
        return "@" in author and author.rpartition("@")[2] in self.partners

    def plan(self, ticket: Ticket, wins: Mapping[str, int] | None = None) -> tuple[int, Plan]:
        """The helpdesk's number of a ticket, 0 if it has none, and what is to be done about it."""
        number = self.session.number(ticket.id) or 0
        agreed = bases.base(self.store, self.remote.id, number) if number else None
        self.making = not number
        return number, plan(self.there, ticket, number, agreed, wins)

    def unknown(self, numbers: Collection[int]) -> set[int]:
        """Those of the tickets that the helpdesk may have without our knowing it: a colleague's, of which only its log was pulled."""
        rows = self.store.db.execute(
            "SELECT c.ticket FROM refusals f JOIN changes c USING (seq) WHERE f.remote = ?", (self.remote.id,)
        )
        refused = {row[0] for row in rows}
        return {one for one in numbers if one not in refused and self.session.number(self.ident(one)) is None}
