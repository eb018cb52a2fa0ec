"""What the commands that talk to remotes share: the remote, the way to it, and progress. `exchanged` tells what came of it."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from chit.access import find_token, lead_token, patience, warn_if_readable
from chit.context import App
from chit.language import number, translate
from chit_sync.helpdesks.address import is_helpdesk
from chit_sync.remotes.base import Log
from chit_sync.remotes.registry import is_http, open_remote
from chit_sync.store import partners, remotes
from chit_sync.store.remotes import Remote

if TYPE_CHECKING:
    from types import TracebackType

    from chit.helpdesks import MappingFor
    from chit_sync.helpdesks.base import Helpdesk

_BAR = 24
_SLOW_SECONDS = 1.0


def chosen(app: App) -> Remote:
    """The remote of --remote, or the default one."""
    return remotes.get(app.store, app.options.remote)


def reach(app: App, url: str, token: str | None = None) -> Log:
    """The log at an address, with the token for it, or with this one."""
    if token is None and is_http(url):
        token = find_token(app, url)
    if token:
        warn_if_readable(app, url)
    return open_remote(url, token=token, timeout=patience(app, url))


def connect(app: App, remote: Remote) -> "Log | Helpdesk":
    """The log of a remote, that of a lead with the token that its invitation gave; or the adapter of a helpdesk."""
    if is_helpdesk(remote.url):
        from chit.helpdesks import reach_desk

        return reach_desk(app, remote.url)
    lead = partners.of_remote(app.store, remote.id)
    if lead is None:
        return reach(app, remote.url)
    return reach(app, remote.url, lead_token(lead, remote.url)[0])


def mapping_of(app: App, remote: Remote) -> "MappingFor | None":
    """What makes the tables of a remote that is a helpdesk; None for any other."""
    if not is_helpdesk(remote.url):
        return None
    from chit.helpdesks import mapping_for

    return mapping_for(app, remote)


class Progress:
    """A progress bar on standard error for what takes over a second, on a terminal only."""

    def __init__(self, app: App, what: str) -> None:
        self.what = what
        self.shown = False
        self.silent = not sys.stderr.isatty() or app.options.quiet or app.options.json or app.options.jsonl
        if not self.silent:
            from time import monotonic

            self.clock: Callable[[], float] = monotonic
            self.began = self.last = monotonic()

    def __call__(self, done: int, total: int | None) -> None:
        if self.silent:
            return
        now = self.clock()
        if now - self.began < _SLOW_SECONDS or now - self.last < 0.1:
            return
        self.last = now
        if total:
            full = min(_BAR, _BAR * done // total)
            share = translate("{done} of {total}", done=number(f"{done:,}"), total=number(f"{total:,}"))
            text = f"{self.what} [{'#' * full}{'.' * (_BAR - full)}] {share}"
        else:
            text = f"{self.what} {number(f'{done:,}')}"
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()
        self.shown = True

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        if self.shown:
            sys.stderr.write("\r\x1b[K")
