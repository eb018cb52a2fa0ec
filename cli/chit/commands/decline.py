"""`chit decline`."""

from typing import Any

from chit.context import App
from chit.framework import command
from chit.handing import act, verb_options


@command()
@verb_options
def decline(app: App, **given: Any) -> None:
    """Refuse offers.

    The lead reads the reason, and may offer the ticket to somebody else.

    \b
    chit decline 42 -m "Nobody is free before Monday."
    """
    act(app, "decline", **given)
