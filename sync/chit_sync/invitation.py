"""What two organisations say to each other when they become partners: the invitation, the joining, its answer. Pure.

An invitation is one word that one person sends another: `chit1_` and then JSON in base64url. It comes by mail or chat, so it may be cut,
wrapped, or somebody's trick; nothing in it is believed but that it was written so. The lead's store has the last word on all of it.
"""

import json
import re
from collections.abc import Collection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from chit_sync.errors import RemoteError, UsageError
from chit_sync.ids import ID_BYTES, is_letters, is_name

PREFIX = "chit1_"
MAX_INVITATION = 2_000
"""Most characters of an invitation."""

MAX_ADDRESS = 500
MAX_MESSAGE = 4_000
"""Most bytes of a joining or of its answer."""

_HINT = "It is one word that begins with chit1_; ask for it to be sent again."
_word = re.compile("[A-Za-z0-9_-]*").fullmatch
_secret = re.compile("[A-Za-z0-9_-]{20,200}").fullmatch
_later = re.compile("chit[0-9]+_").match


class Invitation(NamedTuple):
    """An invitation to work for a lead. url: the address, or a path, of the store; store: its identity. secret: good for one joining.
    lead: what the inviting organisation is called; name: what it calls the one that it invites."""

    url: str
    store: str
    secret: str
    lead: str
    name: str


class Joining(NamedTuple):
    """What the invited store sends. secret: the invitation's. token: what it will come with from now on. store: its own identity.
    lead: the identity of the store that it means."""

    secret: str
    token: str
    store: str
    lead: str


class Joined(NamedTuple):
    """The answer. store: the identity of the lead's store. name: what the lead is called. own: what the partner is called."""

    store: str
    name: str
    own: str


_KEYS = {"u": "url", "s": "store", "k": "secret", "l": "lead", "n": "name"}
"""The letters that stand for the fields in an invitation, which is to stay short."""


def spell(invitation: Invitation) -> str:
    """The invitation as one word. Raises UsageError for an address that cannot stand in one."""
    check_address(invitation.url)
    values = {letter: getattr(invitation, name) for letter, name in _KEYS.items()}
    from base64 import urlsafe_b64encode

    return PREFIX + urlsafe_b64encode(_write(values)).decode().rstrip("=")


def read(text: str) -> Invitation:
    """The invitation in a text from outside; white space that a mail program put into it does not count. Raises UsageError."""
    if len(text) > 2 * MAX_INVITATION:
        raise UsageError("this is not an invitation: it is too long", _HINT)
    word = "".join(text.split())
    if not word:
        raise UsageError("there is no invitation", _HINT)
    if not word.startswith(PREFIX):
        if _later(word):
            raise UsageError("the invitation was made by a newer chit", "Install a newer chit.")
        raise UsageError("this is not an invitation", _HINT)
    if len(word) > MAX_INVITATION or not _word(word):
        raise UsageError("this is not an invitation: there is something in it that does not belong there", _HINT)
    values = _read(_decoded(word.removeprefix(PREFIX)))
    found = _texts(values, _KEYS)
    if not found:
        raise UsageError("the invitation cannot be read; was it cut?", _HINT)
    invitation = Invitation(*found)
    check_address(invitation.url)
    if (
        not _secret(invitation.secret)
        or not is_letters(invitation.store, 2 * ID_BYTES)
        or not is_name(invitation.lead)
        or not is_name(invitation.name)
        or invitation.lead.casefold() == invitation.name.casefold()
    ):
        raise UsageError("the invitation holds what no chit writes", _HINT)
    return invitation


def _decoded(word: str) -> bytes:
    from base64 import urlsafe_b64decode

    try:
        return urlsafe_b64decode(word + "=" * (-len(word) % 4))
    except ValueError:
        return b""


def check_address(url: str) -> None:
    """Raises UsageError for what is no address of a server and no path from the root on."""
    bad = UsageError(
        "the invitation's address is none that chit can go to", "It is https://…, http://…, or a path from the root on."
    )
    if not url.isprintable() or len(url) > MAX_ADDRESS:
        raise bad
    if url.startswith("/"):
        return
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise bad from None
    if parts.scheme == "file" and parts.path.startswith("/") and not (parts.query or parts.fragment):
        return
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or "@" in parts.netloc:
        raise bad


def write_joining(joining: Joining) -> bytes:
    """The joining as JSON."""
    return _write(joining._asdict())


def read_joining(data: bytes) -> Joining:
    """A joining that came from outside. Raises UsageError."""
    values = _read(data) if len(data) <= MAX_MESSAGE else {}
    found = _texts(values, Joining._fields)
    if not found:
        raise UsageError("this is not a joining: it has the texts " + ", ".join(Joining._fields))
    joining = Joining(*found)
    if not all(is_letters(ident, 2 * ID_BYTES) for ident in (joining.store, joining.lead)):
        raise UsageError("store and lead are identities of stores")
    if not _secret(joining.secret) or not _secret(joining.token):
        raise UsageError("secret and token are words of 20 to 200 letters, digits, dashes and underscores")
    return joining


def write_joined(joined: Joined) -> bytes:
    """The answer as JSON."""
    return _write(joined._asdict())


def read_joined(data: bytes, where: str) -> Joined:
    """The answer of the store at `where`. Raises RemoteError."""
    values = _read(data) if len(data) <= MAX_MESSAGE else {}
    found = _texts(values, Joined._fields)
    if (
        not found
        or not is_letters(values["store"], 2 * ID_BYTES)
        or not is_name(values["name"])
        or not is_name(values["own"])
    ):
        raise RemoteError(
            f"{where} does not answer like a chit server", "Look at the address; ask who sent the invitation."
        )
    return Joined(*found)


def _texts(values: dict[str, Any], names: Collection[str]) -> list[str]:
    """The texts of these names, in that order; none if one is missing or is no text."""
    found = [value for name in names if isinstance(value := values.get(name), str)]
    return found if len(found) == len(names) else []


def _write(values: dict[str, str]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def _read(data: bytes) -> dict[str, Any]:
    """A JSON object; an empty one for what is none."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
