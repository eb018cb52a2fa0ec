"""Joining a lead as its service partner, in an order that survives a kill or a lost answer at any point.

The token is made here and kept before it is sent, so that whoever has to ask again asks for the same thing and is answered the same. It
takes the place of an earlier one only when the lead's store has taken it; the row that makes the lead a partner is written last.
"""

from collections.abc import Sequence
from typing import Protocol

from chit_sync.errors import OtherStoreError, RemoteError
from chit_sync.invitation import Invitation, Joining
from chit_sync.remotes.base import Log
from chit_sync.store import inviting, tokens
from chit_sync.store.database import Store
from chit_sync.store.partners import Partner

_MARK = 12
"""Characters at the end of a token that tell for which invitation it was made."""


class Keeper(Protocol):
    """Where the token is kept, outside of the store: `credentials.PartnerToken`."""

    def known(self) -> Sequence[str]:
        """The tokens that were kept."""

    def begin(self, token: str) -> None:
        """Keeps a token that is about to be sent."""

    def finish(self, token: str) -> None:
        """Keeps it as the one that holds."""


def join(
    store: Store,
    invitation: Invitation,
    log: Log,
    keeper: Keeper,
    *,
    remote: str | None = None,
    booked: str | None = None,
) -> Partner:
    """Becomes a partner of the lead whose store `log` is, and makes that a remote. Done again, it changes nothing.

    Raises ConflictError or UsageError before anybody is asked if this store cannot; AccessError, ConflictError and RemoteError as
    the lead's store answers.
    """
    inviting.check_joining(store, invitation, remote)
    token = _token(store, invitation, keeper)
    keeper.begin(token)
    answer = log.join(Joining(invitation.secret, token, store.meta("store"), invitation.store))
    if answer.store != invitation.store:
        raise OtherStoreError(
            f"{log.where} is another store than the invitation says",
            "Ask for a new invitation; nothing was changed here.",
        )
    if (answer.name, answer.own) != (invitation.lead, invitation.name):
        raise RemoteError(
            f"{log.where} says that it is {answer.name} and we are {answer.own}; the invitation says otherwise",
            "Ask for a new invitation; nothing was changed here.",
        )
    keeper.finish(token)
    return inviting.joined(store, invitation, remote=remote, booked=booked)


def _token(store: Store, invitation: Invitation, keeper: Keeper) -> str:
    """The token that was kept for this invitation, or a new one."""
    from hashlib import sha256

    mark = sha256(f"joining {invitation.secret}".encode()).hexdigest()[:_MARK]
    kept = [token for token in keeper.known() if token.endswith(mark)]
    return kept[0] if kept else tokens.new_secret(store) + mark
