"""What a pull tells of handoffs: moves of ours that were refused, and what the other side did. Noted as the changes come in."""

import json
import re

from chit_sync import handoffs
from chit_sync.change import Change
from chit_sync.exchange.results import News, RefusedMove
from chit_sync.handoffs import LEAD, SERVICE, TAKEN, Handoff
from chit_sync.registers import Value
from chit_sync.store import reading
from chit_sync.store.database import Store
from chit_sync.ticket import Ticket

MOST_TICKETS = 100
"""Tickets of which it is told what the other side did, the latest; whoever was away longer than that has `board`."""

_WATCHED = frozenset((("handoff", "last"), ("move", "ruling"), ("question", "body"), ("question", "answer")))

may_tell = re.compile(rb'"(?:handoff|move|question)/').search
"""Whether the bytes of a change may be of interest: nearly all are not, and this is quick to say."""


class Tidings:
    """What was noted in a pull. first: the last place in the log before it."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._paths: dict[str, dict[str, Value]] = {}

    def note(self, change: Change) -> None:
        """Looks at a change that was taken."""
        for path, value in change.set.items():
            kind, _, rest = path.partition("/")
            if (kind, rest.partition("/")[2]) in _WATCHED:
                written = self._paths.pop(change.ticket, {})  # the latest stand last
                self._paths[change.ticket] = written | {path: value}

    def tell(self, store: Store) -> tuple[tuple[RefusedMove, ...], tuple[News, ...]]:
        """What there is to tell, now that all was taken."""
        refused: list[RefusedMove] = []
        news: list[News] = []
        first_told = len(self._paths) - MOST_TICKETS
        for place, (ident, paths) in enumerate(self._paths.items()):
            mine = [
                path.split("/")[1]
                for path, value in paths.items()
                if path.startswith("move/") and value not in (None, TAKEN) and self._knew(store, path)
            ]
            if mine or place >= first_told:
                ticket = reading.load(store, reading.find(store, ident))
                found = handoffs.read(ticket.item_registers, ticket.origins, every=True)
                refused += [one for move in mine for one in _refused(ticket.number, found, move)]
                if place >= first_told:
                    news += _news(ticket, found, paths)
        return tuple(refused), tuple(news)

    def _knew(self, store: Store, path: str) -> bool:
        """Whether the move was here before the pull: somebody here has reckoned with it."""
        row = store.db.execute("SELECT fields FROM items WHERE key = ?", (path.rpartition("/")[0],)).fetchone()
        heads = json.loads(row[0]).get("verb") if row else None
        return heads is not None and heads[0][0] <= self._first


def _refused(number: int, found: list[Handoff], ident: str) -> list[RefusedMove]:
    for handoff in found:
        for move in handoff.moves:
            if move.id == ident and handoff.role_of(move.by) == handoff.role and move.verb != "work":
                reason = move.ruling or ""
                return [RefusedMove(number, handoff.id, move.verb, handoff.role, handoff.partner, reason)]
    return []


def _news(ticket: Ticket, found: list[Handoff], paths: dict[str, Value]) -> list[News]:
    news: list[News] = []
    byid = {handoff.id: handoff for handoff in found}
    for path in paths:
        kind, ident, name = path.split("/")
        if kind == "handoff":
            handoff = byid[ident]
            row = handoffs.VERBS.get(handoff.text("verb"))
            if row is not None and (row.role != handoff.role or row.by == "store"):
                news.append(_told(ticket, handoff, row.verb, handoff.text("reason")))
        elif kind == "question":
            values = ticket.item(f"question/{ident}")
            about = byid.get(str(values.get("to")))
            asker = SERVICE if name == "answer" else LEAD
            if about is not None and about.role == asker and values.get(name) and not values.get("deleted"):
                if name == "body" and values.get("answer") is not None:
                    continue
                news.append(_told(ticket, about, "answer" if name == "answer" else "ask", str(values[name])))
    return news


def _told(ticket: Ticket, handoff: Handoff, verb: str, text: str) -> News:
    deadline = handoff.time_of("accept_by") if verb == "offer" else None
    return News(ticket.number, handoff.id, verb, handoff.role, handoff.partner, handoff.status, text, deadline)
