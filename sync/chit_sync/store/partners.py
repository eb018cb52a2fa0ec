"""The organisations that this store shares tickets with, and who they are to us. Rows only; `inviting` makes them.

A partner is `service` (we lead, it works for us: it comes here with a token) or `lead` (we work for it: its store is a remote of ours).
"""

from typing import NamedTuple

from chit_sync.errors import AmbiguousError, NotFoundError
from chit_sync.ids import MAX_NAME
from chit_sync.store import tokens
from chit_sync.store.database import Connection, Store, explained

LEAD, SERVICE = "lead", "service"

ENDED = "ended"
"""What stands in `invitations.used` when the partnership was ended before anybody used it; no store has this identity."""


class Partner(NamedTuple):
    """Another organisation. name: what it is called. own: what we are called between the two. role: what it is to us.

    store: its store's identity, once it is known. remote: where a lead is found (remotes.id). token: what a service partner comes with
    (tokens.id). ended: when the partnership was ended here. booked: the organisation on which a lead's tickets are booked.
    """

    id: int
    name: str
    own: str
    role: str
    store: str | None
    remote: int | None
    token: int | None
    created: int
    ended: int | None
    booked: str | None


_COLUMNS = "p.id, p.name, p.own, p.role, p.store, p.remote, p.token, p.created, p.ended, p.booked"


def any_here(store: Store) -> bool:
    """Whether there is or was a partner; costs one look."""
    with explained(store.path):
        return store.db.execute("SELECT 1 FROM partners LIMIT 1").fetchone() is not None


def listing(store: Store) -> list[Partner]:
    """All partners, ended ones too, by name."""
    return _select(store, "TRUE ORDER BY p.name, p.role")


def get(store: Store, name: str, role: str | None = None) -> Partner:
    """The partner of that name, the one that is not ended first. Raises NotFoundError, AmbiguousError for one that is lead and service."""
    found = _select(store, "p.name = ? AND p.role = coalesce(?, p.role) ORDER BY p.role", name, role)
    if len(found) > 1:
        found = [partner for partner in found if partner.ended is None] or found
    if not found:
        raise NotFoundError(f"no partner {name[:MAX_NAME]!r}", "`chit partner list` shows what there is.")
    if len(found) > 1:
        roles = [f"{name} ({partner.role})" for partner in found]
        raise AmbiguousError(f"{name} is lead and service partner at once", roles, "Say which with --role.")
    return found[0]


def find(store: Store, name: str, role: str) -> Partner | None:
    """The partner of exactly that name, ended or not, that is this to us."""
    return _only(_select(store, "p.name = ? AND p.role = ?", name, role))


def of_remote(store: Store, remote: int) -> Partner | None:
    """The lead whose store is that remote."""
    return _only(_select(store, "p.remote = ?", remote))


def of_store(store: Store, identity: str, role: str, but: int = 0) -> Partner | None:
    """The partner whose store has that identity, if the partnership has not ended. but: the id of one that is not meant."""
    where = "p.store = ? AND p.role = ? AND p.ended IS NULL AND p.id <> ?"
    return _only(_select(store, where, identity, role, but))


def of_token_id(store: Store, token: int) -> Partner | None:
    """The service partner that comes with the token of that id."""
    return _only(_select(store, "p.token = ?", token))


def of_token(store: Store, secret: str) -> Partner | None:
    """The service partner that comes with this token; None for one that is unknown, was revoked, or is nobody's."""
    found = tokens.of_secret(store, secret)
    return None if found is None else of_token_id(store, found.id)


def own_name(store: Store) -> str | None:
    """What this organisation was last called in a partnership."""
    with explained(store.path):
        row = store.db.execute("SELECT own FROM partners ORDER BY id DESC LIMIT 1").fetchone()
    return None if row is None else str(row[0])


def state(store: Store, partner: Partner) -> str:
    """invited, expired (the invitation was not used in time), joined, revoked (its token was), or ended."""
    if partner.role == LEAD:
        return "joined" if partner.ended is None else ENDED
    with explained(store.path):
        invited = store.db.execute(
            "SELECT max(expires) FROM invitations WHERE partner = ? AND used IS NULL", (partner.id,)
        ).fetchone()[0]
    if invited is not None:
        return "invited" if invited > store.now() else "expired"
    if partner.ended is not None:
        return ENDED
    return "joined" if is_in(store.db, partner) else "revoked"


def end(store: Store, name: str, *, role: str | None = None, dry_run: bool = False) -> Partner:
    """Marks a partnership as ended, and its invitation as void. What was agreed on until then goes on, and its token stays good for it.

    Raises NotFoundError, AmbiguousError. One that was ended already is left as it is.
    """
    partner = get(store, name, role)
    with store.transaction(dry_run=dry_run) as db:
        db.execute("UPDATE partners SET ended = coalesce(ended, ?) WHERE id = ?", (store.now(), partner.id))
        db.execute("UPDATE invitations SET used = ? WHERE partner = ? AND used IS NULL", (ENDED, partner.id))
        return one(store, partner.id)


def fetched(store: Store, partner: Partner, place: int) -> None:
    """Notes that a service partner was handed out its sequence up to that place; costs a write only when that is news."""
    news = "SELECT 1 FROM partners WHERE id = ? AND fetched < ?"
    with explained(store.path):
        if store.db.execute(news, (partner.id, place)).fetchone() is None:
            return
    with store.transaction() as db:
        db.execute("UPDATE partners SET fetched = max(fetched, ?) WHERE id = ?", (place, partner.id))


def book(store: Store, name: str, organization: str) -> None:
    """Says on which organisation the tickets of a lead are booked here. Raises NotFoundError."""
    partner = get(store, name, LEAD)
    with store.transaction() as db:
        db.execute("UPDATE partners SET booked = ? WHERE id = ?", (organization, partner.id))


def offers(store: Store, name: str) -> list[int]:
    """This store's numbers of the tickets that are offered to that service partner and not answered yet."""
    with explained(store.path):
        rows = store.db.execute(
            "SELECT num FROM handoffs WHERE role = 'lead' AND partner = ? AND status = 'assigned' AND current = 1 ORDER BY num",
            (name,),
        ).fetchall()
    return [row[0] for row in rows]


def is_in(db: Connection, partner: Partner) -> bool:
    """Whether the service partner has joined, with a token that is still good."""
    return bool(db.execute("SELECT 1 FROM tokens WHERE id = ? AND revoked IS NULL", (partner.token,)).fetchone())


def _select(store: Store, where: str, *values: object) -> list[Partner]:
    with explained(store.path):
        rows = store.db.execute(f"SELECT {_COLUMNS} FROM partners p WHERE {where}", values).fetchall()
    return list(map(Partner._make, rows))


def _only(found: list[Partner]) -> Partner | None:
    return found[0] if found else None


def one(store: Store, ident: int) -> Partner:
    """The partner of that row."""
    return _select(store, "p.id = ?", ident)[0]
