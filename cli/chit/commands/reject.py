"""`chit reject`."""

from typing import Any

from chit.context import App
from chit.framework import command
from chit.handing import act, verb_options


@command()
@verb_options
def reject(app: App, **given: Any) -> None:
    """Send submitted work back to the partner.

    The reason becomes a comment that the partner gets, and it works on.

    \b
    chit reject 42 -m "It still smokes."
    """
    act(app, "reject", **given)
