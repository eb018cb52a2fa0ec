"""What a server's answer means: the errors that stand for statuses, in words, and what its headers say. Knows no HTTP client.

Much that answers at an address is no chit server: a login page, a proxy, something that moved. Each gets words of its own.
"""

from collections.abc import Mapping
from typing import NoReturn

from chit_sync import wire
from chit_sync.errors import (
    AccessError,
    ConflictError,
    NotFoundError,
    OtherStoreError,
    PolicyError,
    RemoteError,
)


def content_type(headers: Mapping[str, str]) -> str:
    """The content type, without its parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def number(text: str | None) -> int:
    """A whole number in a header; 0 for what is none."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 16 else 0


def expect_type(where: str, headers: Mapping[str, str], wanted: str) -> None:
    """Raises RemoteError unless the answer is of the type that a chit server gives."""
    kind = content_type(headers)
    if kind != wanted:
        page = "a web page" if kind == "text/html" else kind or "something without a type"
        raise RemoteError(
            f"{where} answers with {page}, not like a chit server",
            "Look at the remote's address; a login page in between answers so too.",
        )


def fail(where: str, status: int, reason: str, headers: Mapping[str, str], content: bytes) -> NoReturn:
    """Raises the error that an answer other than success stands for."""
    if 300 <= status < 400:
        raise RemoteError(
            f"{where} answers with a redirect to {headers.get('location', 'nowhere')[:200]!r}",
            "That is a login page or an old address; give the remote the address of the chit server itself.",
        )
    ours = content_type(headers) == wire.PROBLEM
    problem = wire.read_problem(content) if ours else wire.Problem()
    said = problem.detail or problem.title
    if status == 401:
        raise AccessError(
            f"{where} wants a token" if problem.code == "no-token" else f"{where} does not know the token",
            problem.hint
            or "Ask whoever runs it for one (`chit token create` there); give it with --token-stdin or CHIT_TOKEN.",
        )
    if status == 403:
        raise AccessError(f"{where} does not allow it: {said or 'forbidden'}", problem.hint)
    if problem.code == "other-store":
        raise OtherStoreError(said, problem.hint)
    if status == 404 and problem.code == "not-found":
        raise NotFoundError(f"{where}: {said}", problem.hint)
    if status == 409 and said:
        raise ConflictError(f"{where}: {said}", problem.hint)
    if status == 413 and said:
        raise PolicyError(f"{where}: {said}", problem.hint)
    if status == 429:
        asked = number(headers.get("retry-after"))
        raise RemoteError(
            f"{where} is throttling" + (f" and asks to wait {asked} seconds" if asked else ""),
            "Run it again later; it goes on where it was.",
        )
    if not ours:
        raise RemoteError(
            f"{where} answers {status} {reason}".rstrip() + ", and not like a chit server",
            "Look at the remote's address, and at what stands before the server.",
        )
    raise RemoteError(f"{where} answers {status}: {said}", problem.hint or "Run it again later.")
