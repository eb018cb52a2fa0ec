"""How we get in at a server: its token, where that is found and kept, and how long to wait for an answer. Never shows a token."""

import os
import sys
from typing import TYPE_CHECKING

from chit.context import App, user_config
from chit_sync.errors import AccessError, UsageError
from chit_sync.remotes.registry import is_readable_on_the_way, takes_token
from chit_sync.store.partners import Partner

if TYPE_CHECKING:
    from chit_sync.credentials import Credential


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
