"""How an organisation becomes a partner: the invitation of a lead, and what either store notes when somebody joins. Rows only, no network.

Authors are told apart by the names of organisations, so a name that is ours towards one partner can never be that of another one.
"""

from typing import TYPE_CHECKING

from chit_sync.clock import DAY
from chit_sync.errors import AccessError, ConflictError, OtherStoreError, UsageError
from chit_sync.ids import MAX_NAME, NAME_RULE, is_name
from chit_sync.store import remotes, tokens
from chit_sync.store.database import Store, explained
from chit_sync.store.partners import ENDED, LEAD, SERVICE, Partner, find, is_in, listing, of_store, one

if TYPE_CHECKING:
    from chit_sync.invitation import Invitation, Joined, Joining

MAX_EXPIRY = 90 * DAY
"""How long an invitation may be good."""


def invite(store: Store, name: str, *, own: str, expires_in: int, dry_run: bool = False) -> tuple[Partner, str, int]:
    """Makes an invitation for a service partner: (the partner, the secret, when it expires). An earlier one is void from now on.

    One whose partnership was ended, or whose token was revoked, can be invited again; what it was until then goes on when it joins.
    Raises UsageError for names, ConflictError for one that has joined.
    """
    _check_names(name, own)
    if not 0 < expires_in <= MAX_EXPIRY:
        raise UsageError("an invitation is good for up to 90 days", "Say for how long: --expires 7d.")
    secret = _secret(store)
    with store.transaction(dry_run=dry_run) as db:
        _check_apart(store, name, own)
        now = store.now()
        found = find(store, name, SERVICE)
        if found is None:
            db.execute("INSERT INTO partners (name, own, role, created) VALUES (?, ?, ?, ?)", (name, own, SERVICE, now))
            ident: int = db.execute("SELECT last_insert_rowid()").fetchone()[0]
        elif found.ended is None and is_in(db, found):
            raise ConflictError(
                f"{name} has joined already",
                f"If it needs to join anew, `chit partner end {name}` first, then invite it.",
            )
        elif found.store is not None and found.own != own:
            raise ConflictError(f"{name} knows this organisation as {found.own}", f"Say --as {found.own}.")
        else:
            ident = found.id
            db.execute("DELETE FROM invitations WHERE partner = ? AND (used IS NULL OR used = ?)", (ident, ENDED))
            db.execute("UPDATE partners SET own = ? WHERE id = ?", (own, ident))
        db.execute(
            "INSERT INTO invitations (hash, partner, created, expires) VALUES (?, ?, ?, ?)",
            (tokens.hashed(secret), ident, now, now + expires_in),
        )
        return one(store, ident), secret, now + expires_in


def accept_invitation(store: Store, joining: "Joining") -> "Joined":
    """The lead's side of a joining: the invitation is used up, and the token good from now on. The same joining again is answered the same.

    Raises OtherStoreError if another store is meant, AccessError for an invitation that is not known, ConflictError for one that has
    expired, was used, or whose partnership was ended.
    """
    from chit_sync.invitation import Joined  # nobody else who reads these rows needs it

    identity = store.meta("store")
    if joining.lead != identity:
        raise OtherStoreError(
            "the invitation is for another store than the one at that address",
            "Ask for a new one, or for the address at which that store is now.",
        )
    if joining.store == identity:
        raise ConflictError("a store cannot be its own partner", "Go to the store that is to work for this one.")
    if not joining.token.startswith(tokens.PREFIX):
        raise UsageError("that is no token of a partner")
    _invitation(store, joining)  # so that whoever has none cannot make this store wait for a lock
    with store.transaction() as db:
        partner, expires, used = _invitation(store, joining)
        if used == ENDED or (used and partner.ended is not None):
            raise ConflictError("the partnership was ended", "Ask for a new invitation, if that is not meant.")
        known = db.execute("SELECT id, revoked FROM tokens WHERE hash = ?", (tokens.hashed(joining.token),)).fetchone()
        if used is not None:
            if used != joining.store or known is None or known[0] != partner.token:
                raise ConflictError("the invitation was used already", "Each is good once; ask for another one.")
            if known[1] is not None:
                raise ConflictError("the token of this joining was revoked", "Ask for a new invitation.")
            return Joined(identity, partner.own, partner.name)
        if expires <= store.now():
            raise ConflictError("the invitation has expired", "Ask for a new one.")
        if known is not None:
            raise ConflictError("the token is in use already", "Run it again with a new invitation.")
        other = of_store(store, joining.store, SERVICE, but=partner.id)
        if other is not None and is_in(db, other):
            raise ConflictError(f"this store has joined already, as {other.name}", "Each store joins once.")
        _admit(store, partner, joining)
        return Joined(identity, partner.own, partner.name)


def _admit(store: Store, partner: Partner, joining: "Joining") -> None:
    db, now = store.db, store.now()
    if partner.token is not None:
        db.execute("UPDATE tokens SET revoked = coalesce(revoked, ?) WHERE id = ?", (now, partner.token))
    db.execute(
        "INSERT INTO tokens (name, scope, hash, created) VALUES (?, 'partner', ?, ?)",
        (f"partner {partner.name}", tokens.hashed(joining.token), now),
    )
    db.execute(
        "UPDATE partners SET token = last_insert_rowid(), store = ?, ended = NULL WHERE id = ?",
        (joining.store, partner.id),
    )
    db.execute("UPDATE invitations SET used = ? WHERE hash = ?", (joining.store, tokens.hashed(joining.secret)))


def _invitation(store: Store, joining: "Joining") -> tuple[Partner, int, str | None]:
    """The partner that was invited with that secret, when that expires, and by which store it was used. Raises AccessError."""
    with explained(store.path):
        row = store.db.execute(
            "SELECT partner, expires, used FROM invitations WHERE hash = ?", (tokens.hashed(joining.secret),)
        ).fetchone()
    if row is None:
        raise AccessError(
            "the invitation is not known: there is a newer one, or it was changed on the way", "Ask for a new one."
        )
    return one(store, row[0]), row[1], row[2]


def check_joining(store: Store, invitation: "Invitation", remote: str | None = None) -> str:
    """What the lead's remote will be called here. Raises ConflictError or UsageError if this store cannot become the lead's partner."""
    if invitation.store == store.meta("store"):
        raise ConflictError(
            "the invitation is from this very store",
            "Give it to your partner, who joins with it in a store of their own.",
        )
    _check_names(invitation.lead, invitation.name)
    _check_apart(store, invitation.lead, invitation.name)
    found = find(store, invitation.lead, LEAD)
    if found is not None and found.ended is None and found.store != invitation.store:
        raise ConflictError(
            f"there is a lead {found.name} already, whose store is another one",
            f"`chit partner end {found.name}` first, or ask them to call themselves something else (--as).",
        )
    same = of_store(store, invitation.store, LEAD)
    if same is not None and same.name != invitation.lead:
        raise ConflictError(
            f"this store works for that one already, which is called {same.name}",
            f"`chit partner end {same.name}` first.",
        )
    if found is not None and found.remote is not None:
        with explained(store.path):
            (name,) = store.db.execute("SELECT name FROM remotes WHERE id = ?", (found.remote,)).fetchone()
        return str(name)
    name = remote or invitation.lead
    remotes.check_name(name)
    with explained(store.path):
        remotes.check_free(store.db, name, "Choose another name with --name.")
    return name


def joined(
    store: Store,
    invitation: "Invitation",
    *,
    remote: str | None = None,
    booked: str | None = None,
    dry_run: bool = False,
) -> Partner:
    """The service partner's side, once the lead's store has answered: the lead, and the remote where it is. Again, it changes nothing.

    remote: what the remote is to be called, if not as the lead. booked: the organisation on which the lead's tickets are booked.
    """
    with store.transaction(dry_run=dry_run) as db:
        name = check_joining(store, invitation, remote)
        found = find(store, invitation.lead, LEAD)
        if found is None:
            db.execute(
                "INSERT INTO partners (name, own, role, created) VALUES (?, ?, ?, ?)",
                (invitation.lead, invitation.name, LEAD, store.now()),
            )
            ident = db.execute("SELECT last_insert_rowid()").fetchone()[0]
        else:
            ident = found.id
        if found is None or found.remote is None:
            db.execute("INSERT INTO remotes (name, url) VALUES (?, ?)", (name, invitation.url))
            db.execute("UPDATE partners SET remote = last_insert_rowid() WHERE id = ?", (ident,))
        else:
            db.execute("UPDATE remotes SET url = ? WHERE id = ?", (invitation.url, found.remote))
        db.execute(
            "UPDATE partners SET own = ?, store = ?, ended = NULL, booked = coalesce(?, booked) WHERE id = ?",
            (invitation.name, invitation.store, booked, ident),
        )
        return one(store, ident)


def _check_names(name: str, own: str) -> None:
    for each in (name, own):
        if not is_name(each):
            raise UsageError(f"{each[:MAX_NAME]!r} cannot name an organisation", NAME_RULE)
    if name.casefold() == own.casefold():
        raise UsageError(f"{name} would be the name of both organisations", "Each needs a name of its own.")


def _check_apart(store: Store, name: str, own: str) -> None:
    """Raises ConflictError if one organisation's name is ours in another partnership: whose a change is follows from such names."""
    for partner in listing(store):
        if partner.own.casefold() == name.casefold():
            raise ConflictError(
                f"{name} is what this organisation is called towards {partner.name}", "Another name is needed."
            )
        if partner.name.casefold() == own.casefold():
            raise ConflictError(
                f"{own} is the name of a partner already", "Another name is needed for this organisation."
            )


def _secret(store: Store) -> str:
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(store.entropy(tokens.TOKEN_BYTES)).decode().rstrip("=")
