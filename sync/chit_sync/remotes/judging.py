"""What an answer other than success means for a call to a server of any kind: the error that it stands for. Knows no HTTP client.

A chit server says more than that, and is judged by `answers`. An answer to a call that was to change something leaves three cases: it
was refused, and nothing was done; it did not get there; or nobody knows. They are never mixed up here.
"""

from typing import NoReturn

from chit_sync.errors import AccessError, RemoteError
from chit_sync.remotes.base import UnreachedError
from chit_sync.remotes.received import Answer, clean, seconds_to_wait

THROTTLED = 429

GATEWAY = frozenset((502, 504))
"""Statuses of a gateway that has given up on the server behind it, where the call may still be under way."""

SLOW = 408
"""The server did not wait for the end of the call; it says nothing of the call itself."""


def nothing_done(answer: Answer) -> bool:
    """Whether the server says that it has not begun with the call: it throttles, or will be back later."""
    return answer.status == THROTTLED or (answer.status == 503 and "retry-after" in answer.headers)


def fail(answer: Answer, words: str, now: float) -> NoReturn:
    """Raises the error that the answer stands for. words: what it says to people. now: seconds since 1970 UTC."""
    where = answer.where
    status = answer.status
    said = words or answer.reason or str(status)
    if status == 401:
        raise AccessError(
            f"{where} does not know the token or password" + (f": {words}" if words else ""),
            f"Log in again with `chit auth login {_address(where)}`.",
        )
    if nothing_done(answer):
        asked = seconds_to_wait(answer.headers, now)
        kind = UnreachedError if answer.doubtful else RemoteError
        raise kind(
            f"{where} is throttling" + (f" and asks to wait {asked:.0f} seconds" if asked else ""),
            "Run it again later; it goes on where it was.",
        )
    if 300 <= status < 400:
        message = f"{where} answers with a redirect to {clean(answer.headers.get('location', 'nowhere'))!r}"
        if answer.doubtful:
            doubt(message, settled=True)
        raise RemoteError(
            message,
            f"Is the remote's address right, and are you logged in? `chit auth login {_address(where)}` does that.",
        )
    if status == 407:
        raise UnreachedError(
            f"the proxy before {where} wants a login", "Set the proxy's address with its user and password."
        )
    trouble = f"{where} answers {status}: {said}"
    if not 400 <= status < 500 or status == SLOW:
        if answer.doubtful:
            doubt(trouble, settled=status not in GATEWAY)
        raise RemoteError(trouble, "Run it again later.")
    if answer.doubtful:
        from chit_sync.helpdesks.base import RefusedError

        raise RefusedError(f"{where} refuses it: {said}")
    if status == 403:
        raise AccessError(
            f"{where} does not allow it: {said}",
            f"Ask whoever runs it for the right, or use another account: `chit auth login {_address(where)}`.",
        )
    raise RemoteError(trouble, "Look at the remote's address.")


def doubt(message: str, *, settled: bool = False) -> NoReturn:
    """Raises the error for a call that may have been done. settled: nothing of it is still under way."""
    from chit_sync.helpdesks.base import DoubtError

    raise DoubtError(
        message, "It may have been done; that is looked up before anything is sent again.", settled=settled
    )


def _address(where: str) -> str:
    """The remote's URL without what a shell would take for its own."""
    return where.partition("?")[0]
