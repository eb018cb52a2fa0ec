"""What waits for somebody in the handoffs of a store: offers, refusals, submissions, questions, deadlines, lost moves. For `status`.

A look at an index for each, so that it costs what it finds. Where there is no handoff, `overview` does not even import this.
"""

from typing import NamedTuple

from chit_sync.clock import DAY
from chit_sync.store.board import TO_DO
from chit_sync.store.database import Store, explained
from chit_sync.store.migrations import ITEM_BITS

SOON = 2 * DAY
"""How long before a deadline it is told."""

REFUSED_FOR = 14 * DAY
"""How long it is told that a move was refused, if nothing else happens to the handoff before."""

MOST_SHOWN = 10
_MOST_REFUSED = 200


class Waiting(NamedTuple):
    """A handoff with which something is to be done. ticket: its id. role: ours. number: of questions, held items or moves.

    deadline: that which is near or past, in microseconds since 1970 UTC. verb, reason: of a move that was refused.
    """

    ticket: str
    title: str
    handoff: str
    role: str
    partner: str
    status: str
    number: int
    deadline: int | None
    verb: str = ""
    reason: str = ""


class Kind(NamedTuple):
    """Handoffs with which the same is to be done: how many there are, and the first few."""

    total: int
    first: list[Waiting]


_NOTED = "h.questions + h.held + h.pending + h.countered > 0"
_CURRENT = "h.current = 1"

_WHERE = {
    "offers": (f"{_CURRENT} AND h.role = 'service' AND h.status = 'assigned' AND h.countered = 0 AND h.pending = 0", "1", "h.accept_by"),
    "counter_offers": (f"{_NOTED} AND h.role = 'lead' AND h.countered", "1", "h.accept_by"),
    "declined": (f"h.status = 'declined' AND {TO_DO}", "1", "NULL"),
    "to_re_assign": (f"h.status = 'canceled' AND {TO_DO}", "1", "NULL"),
    "submissions": (f"{_CURRENT} AND h.role = 'lead' AND h.status = 'awaiting-approval'", "1", "h.complete_by"),
    "questions": (
        f"{_NOTED} AND h.role = 'lead' AND h.questions AND h.status IN ('accepted', 'in-progress')", "h.questions", "h.complete_by",
    ),
    "held": (f"{_NOTED} AND h.held", "h.held", "NULL"),
    "unconfirmed": (f"{_NOTED} AND h.pending", "h.pending", "NULL"),
}  # fmt: skip
"""Kind to (which handoffs, what is counted, which deadline)."""

_OURS = "(h.role = 'service' AND h.countered = 0 AND h.pending = 0 OR h.role = 'lead' AND h.countered)"
"""Offers that wait for our answer; they are listed as such, with their date."""

_LATE = (
    ("h.accept_by", f"h.current = 1 AND h.accept_by IS NOT NULL AND h.status = 'assigned' AND NOT {_OURS}"),
    ("h.complete_by", "h.current = 1 AND h.complete_by IS NOT NULL AND h.status IN ('accepted', 'in-progress')"),
)

_COLUMNS = "t.id, coalesce(t.title, ''), h.id, h.role, h.partner, h.status"
_FROM = "FROM handoffs h JOIN tickets t ON t.num = h.num WHERE t.state <> 2"


def waiting(store: Store, now: int) -> dict[str, Kind]:
    """What there is to do, by kind: offers, counter_offers, declined, to_re_assign, submissions, questions, held, unconfirmed,
    deadlines, refused."""
    found: dict[str, Kind] = {}
    with explained(store.path):
        for name, (where, counted, deadline) in _WHERE.items():
            total = store.db.execute(f"SELECT coalesce(sum({counted}), 0) {_FROM} AND {where}").fetchone()[0]
            rows = store.db.execute(
                f"SELECT {_COLUMNS}, {counted}, {deadline} {_FROM} AND {where} ORDER BY h.since, h.pk LIMIT {MOST_SHOWN}"
            )
            found[name] = Kind(total, [Waiting(*row) for row in rows] if total else [])
        found["deadlines"] = _late(store, now)
        found["refused"] = _refused(store, now)
    return found


def _late(store: Store, now: int) -> Kind:
    """Deadlines that have passed, or will soon."""
    total = 0
    first: list[Waiting] = []
    for column, where in _LATE:
        rest = f"{_FROM} AND {where} AND {column} < ?"
        total += store.db.execute(f"SELECT count(*) {rest}", (now + SOON,)).fetchone()[0]
        rows = store.db.execute(
            f"SELECT {_COLUMNS}, 1, {column} {rest} ORDER BY {column}, h.pk LIMIT {MOST_SHOWN}", (now + SOON,)
        )
        first += [Waiting(*row) for row in rows]
    return Kind(total, sorted(first, key=lambda one: (one.deadline or 0, one.ticket))[:MOST_SHOWN])


def _refused(store: Store, now: int) -> Kind:
    """Moves of ours that were refused, as long as they are the last thing that happened, and not for ever; the latest first."""
    rows = store.db.execute(
        "SELECT i.pk, i.key, c.body FROM items i INDEXED BY items_untaken"
        " JOIN changes c ON c.seq = json_extract(i.fields, '$.ruling[0][0]')"
        " WHERE i.key GLOB 'move/*' AND json_extract(i.fields, '$.ruling[0][1]') IS NOT 'taken'"
        " AND json_extract(i.fields, '$.ruling[0][0]') > 0"
        " ORDER BY json_extract(i.fields, '$.ruling[0][0]') DESC LIMIT ?",
        (_MOST_REFUSED,),
    ).fetchall()
    if not rows:
        return Kind(0, [])
    from chit_sync.codec import decode  # these imports would cost every `status` more than the rest of it
    from chit_sync.handoffs import read
    from chit_sync.refused import still_refused
    from chit_sync.store import reading

    recent = {(pk >> ITEM_BITS, key[5:]) for pk, key, body in rows if decode(body).time > now - REFUSED_FOR}
    found = []
    for number in dict.fromkeys(pk >> ITEM_BITS for pk, _, _ in rows):
        if not any(where == number for where, _ in recent):
            continue
        ticket = reading.load(store, number)
        for handoff, move in still_refused(ticket, read(ticket.item_registers, ticket.origins, every=True)):
            if (number, move.id) in recent and not ticket.value("deleted"):
                found.append(
                    Waiting(
                        ticket.id, ticket.title, handoff.id, handoff.role, handoff.partner, handoff.status, 1, None, move.verb,
                        move.ruling or "",
                    )
                )  # fmt: skip
    return Kind(len(found), found[:MOST_SHOWN])
