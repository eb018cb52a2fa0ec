"""What was put aside for partners and what stays, path by path: for whoever wants to see it before it is sent.

Decides nothing: `desk` has put aside what `crossing` let out. What is said of the rest is the rule by which it stays as things stand now.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from chit_sync.change import Change
from chit_sync.crossing import towards
from chit_sync.errors import NotFoundError
from chit_sync.handoffs import OPEN, SERVICE, other_side, speaks_for
from chit_sync.registers import Value, every
from chit_sync.store import partners, reading, remotes
from chit_sync.store.database import Store, explained
from chit_sync.store.making import heads
from chit_sync.store.partners import Partner
from chit_sync.ticket import Ticket

LEAVES, STAYS = "leaves", "stays"


class Leaving(NamedTuple):
    """A path of a ticket (its id), and the value that a partner is to get."""

    partner: str
    ticket: str
    path: str
    value: Value


def leaving(store: Store, after: int) -> list[Leaving]:
    """What the changes behind that place in the log bring to partners, in the order in which they get it."""
    from chit_sync.codec import decode

    with explained(store.path):
        rows = store.db.execute(
            "SELECT p.name, c.body FROM outbound o JOIN partners p ON p.id = o.partner JOIN changes c ON c.seq = o.seq"
            " WHERE o.seq > ? ORDER BY p.name, o.place",
            (after,),
        ).fetchall()
    return [
        Leaving(name, change.ticket, path, value)
        for name, body in rows
        for change in [decode(body)]
        for path, value in change.set.items()
    ]


class Line(NamedTuple):
    """What becomes of one path of a change that a partner does not have. verdict: leaves or stays. rule: one of `crossing.RULES`, by
    which it does. seq: the place of the change in the log, change: its id; time: microseconds since 1970 UTC."""

    partner: str
    verdict: str
    ticket: str
    title: str
    path: str
    rule: str
    value: Value
    seq: int
    change: str
    time: int
    by: str


def readers(store: Store, name: str | None) -> list[Partner]:
    """The partners that a remote of that name stands for, or the default one; a service partner, who has no remote here, goes by its own
    name. None for a remote that is no partner's. Raises NotFoundError."""
    named = [one for one in remotes.listing(store) if one.name == name]
    if name is None:
        named = [remotes.get(store)] if remotes.listing(store) else []
    leads = [partners.of_remote(store, one.id) for one in named]
    if None in leads:
        return []
    found = [one for one in leads if one is not None]
    found += [one for one in partners.listing(store) if one.role == SERVICE and one.name == name]
    if name is not None and not found:
        raise NotFoundError(f"no remote or partner {name!r}", "`chit remote list` and `chit partner list` show them.")
    return found


def handed(store: Store, partner: Partner) -> int:
    """Up to which place of its sequence a partner was handed what is for it: by our push, or because it fetched that."""
    with explained(store.path):
        if partner.role == SERVICE:
            row = store.db.execute("SELECT fetched FROM partners WHERE id = ?", (partner.id,)).fetchone()
        else:
            row = store.db.execute("SELECT pushed FROM remotes WHERE id = ?", (partner.remote,)).fetchone()
    return 0 if row is None else int(row[0])


def preview(
    store: Store, partner: Partner, numbers: Collection[int] | None = None, *, again: bool = False
) -> list[Line]:
    """What would leave for a partner now, and what stays of what was written since it was handed something last.

    Ticket by ticket, first what leaves, all of it and in order; then what stays, once a path. Of all tickets that are with it, or of
    those (this store's numbers). again: also what it refused before.
    """
    place = handed(store, partner)
    leaving: dict[int, list[tuple[int, bytes, Change]]] = {}
    for seq, number, ident, change in _waiting(store, partner, place, again):
        leaving.setdefault(number, []).append((seq, ident, change))
    found: list[Line] = []
    for number in sorted({*leaving, *_with(store, partner, numbers is not None)}):
        if numbers is None or number in numbers:
            ticket = reading.load(store, number)
            for seq, ident, change in leaving.get(number, []):
                found += _lines(partner, ticket, seq, ident, change, leaves=True)
            found += _staying(store, partner, ticket, place)
    return found


def _waiting(store: Store, partner: Partner, place: int, again: bool) -> Iterator[tuple[int, int, bytes, Change]]:
    """(place in the log, number of the ticket, id, change) of what waits in a partner's sequence."""
    from chit_sync.codec import decode

    with explained(store.path):
        rows = store.db.execute(
            "SELECT o.seq, c.ticket, c.id, c.body FROM outbound o JOIN changes c USING (seq)"
            " LEFT JOIN refusals r ON r.remote = :remote AND r.seq = o.seq"
            " WHERE o.partner = :partner AND ((o.place > :place AND c.origin <> ifnull(:remote, -9) AND r.seq IS NULL)"
            " OR (:again AND r.seq IS NOT NULL)) ORDER BY o.place",
            {"remote": partner.remote, "partner": partner.id, "place": place, "again": again},
        ).fetchall()
    return ((seq, number, ident, decode(body)) for seq, number, ident, body in rows)


def _with(store: Store, partner: Partner, ended: bool) -> list[int]:
    """The tickets that are with a partner; ended: those too that were."""
    statuses = ", ".join(f"'{status}'" for status in sorted(OPEN))
    with explained(store.path):
        rows = store.db.execute(
            f"SELECT DISTINCT num FROM handoffs WHERE role = ? AND partner = ? AND (? OR status IN ({statuses}))",
            (other_side(partner.role), partner.name, ended),
        ).fetchall()
    return [row[0] for row in rows]


def _staying(store: Store, partner: Partner, ticket: Ticket, place: int) -> Iterator[Line]:
    """What of a ticket stays: what holds there now, was written after what the partner was handed last, and was not put aside for it."""
    from chit_sync.codec import decode

    with explained(store.path):
        rows = store.db.execute(
            "SELECT c.seq, c.id, c.body FROM changes c LEFT JOIN outbound o ON o.partner = :partner AND o.seq = c.seq"
            " WHERE c.ticket = :ticket AND o.seq IS NULL AND c.seq >"
            " (SELECT coalesce(max(seq), 0) FROM outbound WHERE partner = :partner AND place <= :place) ORDER BY c.seq",
            {"partner": partner.id, "ticket": ticket.number, "place": place},
        ).fetchall()
    for seq, ident, body in rows:
        change = decode(body)
        if not speaks_for(change.by, partner.name):
            yield from _lines(partner, ticket, seq, ident, change, leaves=False)


def _lines(partner: Partner, ticket: Ticket, seq: int, ident: bytes, change: Change, *, leaves: bool) -> Iterable[Line]:
    rules = {
        one.path: "then" if one.handoff and not leaves else one.rule
        for one in towards(ticket, change.set, change.by, partner.name, other_side(partner.role))
    }
    for path, value in change.set.items():
        written = heads(ticket, path)
        if leaves or (written is not None and seq in every(written)):
            rule = let_out_by(path, partner) if leaves else rules[path]
            yield Line(
                partner.name, LEAVES if leaves else STAYS, ticket.id, ticket.title, path, rule, value, seq, ident.hex(),
                change.time, change.by,
            )  # fmt: skip


def let_out_by(path: str, partner: Partner) -> str:
    """The rule by which a path was let out that was put aside for a partner, whatever has become of the handoff since."""
    kind, mark, rest = path.partition("/")
    if not mark:
        return "contact" if path == "requester" else "agreed"
    if kind == "handoff" or (kind == "move" and partner.role == SERVICE):
        return "mirrored"
    if kind == "move":
        return "move"
    return "answer" if (kind, rest.partition("/")[2], partner.role) == ("question", "answer", SERVICE) else "shared"
