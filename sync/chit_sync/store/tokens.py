"""Tokens that let others ask this store over the network. A token is shown once, when it is made; the store keeps its hash."""

from collections.abc import Sequence
from typing import NamedTuple

from chit_sync.errors import ConflictError, NotFoundError, UsageError
from chit_sync.store.database import Store, explained

PREFIX = "chit_"
"""How every token begins, so that scanners for leaked secrets can tell one."""

TOKEN_BYTES = 32
MAX_NAME = 100

NO_RIGHTS = "none"
"""What stands in place of the rights of a token that has none."""


class Token(NamedTuple):
    """A token, without its secret. Times in microseconds since 1970 UTC; revoked is None while it is good.

    rights: those that it was given, apart by blanks, `none` for no right at all; empty for those that its scope has.
    """

    id: int
    name: str
    scope: str
    created: int
    revoked: int | None
    rights: str


_COLUMNS = "id, name, scope, created, revoked, rights"


def create(
    store: Store, name: str, scope: str, *, rights: Sequence[str] = (), dry_run: bool = False
) -> tuple[Token, str]:
    """Makes a token; returns it and the secret, which is nowhere else. Raises UsageError, ConflictError for a name in use."""
    from chit_sync.policy import PARTNER, SCOPES

    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise UsageError(
            f"{name[:MAX_NAME]!r} cannot name a token", f"A name has 1 to {MAX_NAME} printable characters."
        )
    if scope == PARTNER:
        raise UsageError("a partner's token is not made by hand", "Invite the partner: `chit partner invite NAME`.")
    if scope not in SCOPES:
        raise UsageError(
            f"there is no scope {scope!r}", f"It is one of: {', '.join(each for each in SCOPES if each != PARTNER)}."
        )
    given = _checked(rights)
    secret = new_secret(store)
    with store.transaction(dry_run=dry_run) as db:
        if db.execute("SELECT 1 FROM tokens WHERE name = ? AND revoked IS NULL", (name,)).fetchone():
            raise ConflictError(f"there is a token {name!r} already", "Revoke it first, or choose another name.")
        db.execute(
            "INSERT INTO tokens (name, scope, hash, created, rights) VALUES (?, ?, ?, ?, ?)",
            (name, scope, hashed(secret), store.now(), given),
        )
        ident = db.execute("SELECT last_insert_rowid()").fetchone()[0]
        return next(token for token in listing(store) if token.id == ident), secret


def new_secret(store: Store) -> str:
    """A secret that nobody can guess."""
    from base64 import urlsafe_b64encode

    return PREFIX + urlsafe_b64encode(store.entropy(TOKEN_BYTES)).decode().rstrip("=")


def _checked(rights: Sequence[str]) -> str:
    """The rights as they are kept: each once, in the order of the table."""
    from chit_sync.policy import RIGHTS

    for right in rights:
        if right not in (*RIGHTS, NO_RIGHTS):
            raise UsageError(f"there is no right {right!r}", f"It is one of: {', '.join((*RIGHTS, NO_RIGHTS))}.")
    if NO_RIGHTS in rights and len(set(rights)) > 1:
        raise UsageError("`none` and a right contradict each other", "Leave one of them out.")
    return " ".join(right for right in (*RIGHTS, NO_RIGHTS) if right in rights)


def listing(store: Store) -> list[Token]:
    """All tokens, revoked ones too, oldest first."""
    with explained(store.path):
        rows = store.db.execute(f"SELECT {_COLUMNS} FROM tokens ORDER BY id").fetchall()
    return list(map(Token._make, rows))


def revoke(store: Store, name: str, *, dry_run: bool = False) -> Token:
    """Ends a token, named by its name or its number; it is refused from the next request on. Raises NotFoundError."""
    with store.transaction(dry_run=dry_run) as db:
        row = db.execute(
            "SELECT id FROM tokens WHERE revoked IS NULL AND (name = ? OR id = ?) ORDER BY name <> ? LIMIT 1",
            (name, int(name) if name.isascii() and name.isdecimal() and len(name) < 16 else -1, name),
        ).fetchone()
        if row is None:
            raise NotFoundError(f"no token {name!r}", "`chit token list` shows what there is.")
        db.execute("UPDATE tokens SET revoked = ? WHERE id = ?", (store.now(), row[0]))
        return next(token for token in listing(store) if token.id == row[0])


def scope_of(store: Store, secret: str) -> str | None:
    """What the token allows; None for one that is unknown or was revoked."""
    found = of_secret(store, secret)
    return None if found is None else found.scope


def of_secret(store: Store, secret: str) -> Token | None:
    """The token with that secret; None for one that is unknown or was revoked."""
    with explained(store.path):
        row = store.db.execute(
            f"SELECT {_COLUMNS} FROM tokens WHERE hash = ? AND revoked IS NULL", (hashed(secret),)
        ).fetchone()
    return None if row is None else Token._make(row)


def was_partners(store: Store, secret: str) -> bool:
    """Whether it is the token of a partner, good or revoked."""
    with explained(store.path):
        row = store.db.execute("SELECT scope FROM tokens WHERE hash = ?", (hashed(secret),)).fetchone()
    return row is not None and row[0] == "partner"


def hashed(secret: str) -> bytes:
    """What is kept of a secret. A fast hash will do: nobody guesses that many random bytes."""
    from hashlib import sha256

    return sha256(secret.encode("utf-8", "surrogateescape")).digest()
