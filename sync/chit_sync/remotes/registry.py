"""From a remote's address to its log or, for a helpdesk, to its adapter. New kinds of stores are added here, of helpdesks in
`helpdesks.address`, and nowhere else."""

import os
from typing import TYPE_CHECKING

from chit_sync.errors import NotFoundError, UsageError
from chit_sync.helpdesks.address import is_helpdesk
from chit_sync.remotes.base import Log
from chit_sync.remotes.near import LOOPBACK

if TYPE_CHECKING:
    from chit_sync.helpdesks.base import Helpdesk

DEFAULT_TIMEOUT = 30.0
"""Seconds that a server may be silent."""


def is_url(address: str) -> bool:
    """Whether the address is a URL rather than a path."""
    scheme, mark, _ = address.partition("://")
    return bool(mark) and scheme.replace("+", "").isalnum()


def is_http(address: str) -> bool:
    """Whether the address is that of a chit server."""
    return address.lower().startswith(("http://", "https://"))


def takes_token(address: str) -> bool:
    """Whether the address is that of a server or a helpdesk, for which there may be a token."""
    return is_http(address) or is_helpdesk(address)


def is_readable_on_the_way(address: str) -> bool:
    """Whether what is sent there, a token for one, can be read by whoever is between: HTTP without TLS to another machine."""
    if is_helpdesk(address):
        address = address.partition("+")[2]
    if not address.lower().startswith("http://"):
        return False
    from urllib.parse import urlsplit

    return urlsplit(address).hostname not in LOOPBACK


def check_url(url: str) -> None:
    """Raises UsageError for a URL of no known kind."""
    if is_http(url):
        return
    if is_helpdesk(url):
        from chit_sync.helpdesks.address import parse

        parse(url)
        return
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise UsageError(
            f"{url} is no address of a remote that is known",
            "It is http://…, https://…, file:///…, a path, or of a helpdesk: rt+https://…, redmine+https://….",
        )


def open_remote(
    address: str,
    *,
    token: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    ca_file: str | None = None,
) -> Log:
    """The log at an address: http(s)://…, file://… or a path. Raises UsageError for an address of no known kind, NotFoundError
    for a path without a store. A server is not asked yet.

    A token for a path is a partner's: the store there is seen through it, as behind a server. Raises AccessError for a wrong one.
    """
    if is_http(address):
        from chit_sync.remotes.http import HttpLog

        return HttpLog(address, token=token, timeout=timeout, ca_file=ca_file)
    if is_helpdesk(address):
        raise UsageError(f"{address} is a helpdesk, not a store")
    from chit_sync.remotes.local import LocalLog
    from chit_sync.store.expiring import expire
    from chit_sync.store.opening import open_store

    path = store_path(address)
    writable = os.access(path, os.W_OK)
    store = open_store(path, write=writable)
    try:
        expire(store)
        log = LocalLog(store, address, writable=writable)
        if token is None:
            return log
        from chit_sync.remotes.partner import partner_log

        return partner_log(log, token)
    except BaseException:
        store.close()
        raise


def open_helpdesk(
    address: str,
    *,
    token: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    ca_file: str | None = None,
) -> "Helpdesk":
    """The adapter for the helpdesk at an address. token: a token, or LOGIN:PASSWORD. Raises UsageError for what is no such address.
    The helpdesk is not asked yet."""
    from importlib import import_module

    from chit_sync.helpdesks.address import KINDS, parse

    check_url(address)
    place = parse(address)
    module, name = KINDS[place.kind]
    adapter: Helpdesk = getattr(import_module(module), name)(place, token, timeout=timeout, ca_file=ca_file)
    return adapter


def store_path(address: str) -> str:
    """The folder of the store that a path or a file:// URL means: that folder itself, or `.chit` in it."""
    path = address
    if is_url(address):
        from urllib.parse import unquote, urlsplit

        check_url(address)
        path = unquote(urlsplit(address).path)
    path = os.path.expanduser(path)
    for place in (path, os.path.join(path, ".chit")):
        if os.path.exists(os.path.join(place, "store.db")):
            return place
    raise NotFoundError(f"there is no store at {address}", "Look at the remote's address with `chit remote list`.")
