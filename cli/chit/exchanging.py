"""What the commands that talk to remotes share: the remote, its token, the way to it, and progress. `exchanged` tells what came of it."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from chit.context import App, user_config
from chit.language import number, translate
from chit_sync.errors import AccessError, UsageError
from chit_sync.helpdesks.address import is_helpdesk
from chit_sync.remotes.base import Log
from chit_sync.remotes.registry import is_http, is_readable_on_the_way, open_remote, takes_token
from chit_sync.store import partners, remotes
from chit_sync.store.partners import Partner
from chit_sync.store.remotes import Remote

if TYPE_CHECKING:
    from types import TracebackType

    from chit.helpdesks import MappingFor
    from chit_sync.credentials import Credential
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


def warn_if_readable(app: App, url: str) -> None:
    """Says so where a token is about to go where others can read it."""
    if is_readable_on_the_way(url):
        app.say("warning: the token goes over plain HTTP, where others can read it; use an https:// address")


def patience(app: App, url: str) -> float:
    """How many seconds to wait for an answer from there."""
    timeout = app.options.timeout or float(app.config.get("remote.timeout"))
    if app.options.verbose:
        app.say(f"asking {url}, waiting up to {timeout:g} seconds")
    return timeout


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


def lead_token(lead: Partner, url: str) -> tuple[str, str]:
    """The token that a lead's invitation gave, and the file that it is in. Raises AccessError."""
    from chit_sync.credentials import PartnerToken

    keeper = PartnerToken(os.path.dirname(user_config()), url, lead.own)
    token = keeper.find()
    if token is None:
        raise AccessError(
            f"the token for {lead.name} is not in {keeper.path}",
            "Whoever joined has it, if that was another user; else ask for a new invitation, then `chit partner join`.",
        )
    return token, keeper.path


def credential(app: App, url: str) -> "Credential | None":
    """The token for an address, and where it was found: the environment, a helper, .netrc or the credentials file."""
    from chit_sync.credentials import find

    folder, helper = os.path.dirname(user_config()), app.config.text("credential.helper")
    return find(url, app.environ, folder, home=os.path.expanduser("~"), helper=helper or None)


def find_token(app: App, url: str) -> str | None:
    """The token for an address; with -v it is said where it was found."""
    found = credential(app, url)
    if app.options.verbose:
        app.say(f"the token is from {found.source}" if found else "there is no token for it")
    return found.token if found else None


def given_token(app: App, url: str) -> str:
    """The token on standard input, which is kept for the address in the credentials file unless this is a dry run."""
    if not takes_token(url):
        raise UsageError("a token is for a server only", "Leave --token-stdin out.")
    token = piped_token()
    if not app.options.dry_run:
        from chit_sync.credentials import save

        save(os.path.dirname(user_config()), url, token)
    return token


def piped_token() -> str:
    """The first line of standard input. Raises UsageError if there is none."""
    token = sys.stdin.readline().strip()
    if not token:
        raise UsageError("there is no token on standard input", "Pipe it in: `chit … --token-stdin < FILE`.")
    return token


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
