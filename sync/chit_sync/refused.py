"""Which refused moves are still news: those after which nothing happened. Pure; by places in the log, never by anybody's clock."""

from collections.abc import Sequence

from chit_sync.handoffs import ASIDE, TAKEN, Handoff, Move
from chit_sync.ticket import Ticket


def still_refused(ticket: Ticket, found: Sequence[Handoff]) -> list[tuple[Handoff, Move]]:
    """The moves of ours that the lead's store did not take, where nothing was tried or done in our role since we know of it.

    found: the handoffs of the ticket, discarded drafts too.
    """
    news = []
    for handoff in found:
        for move in handoff.moves:
            ruled = _place(ticket, f"move/{move.id}", "ruling")
            if move.ruling in (None, TAKEN) or move.verb in ASIDE or handoff.role_of(move.by) != handoff.role:
                continue
            same = [other for other in found if other.role == handoff.role]
            later = [_place(ticket, f"handoff/{other.id}", "last") for other in same]
            later += [
                _place(ticket, f"move/{other.id}", "verb")
                for one in same
                for other in one.moves
                if other.verb not in ASIDE and one.role_of(other.by) == one.role
            ]
            if max(later) < ruled:
                news.append((handoff, move))
    return news


def _place(ticket: Ticket, key: str, name: str) -> int:
    """Where in the log a field of an item was written; 0 if it never was."""
    heads = ticket.item_registers[key].get(name)
    return heads[0][0] if heads else 0
