"""`chit handback`."""

from typing import Any

from chit.context import App
from chit.framework import command
from chit.handing import act, verb_options


@command()
@verb_options
def handback(app: App, **given: Any) -> None:
    """Give tickets back to the lead, unfinished.

    What was done stays with the lead, who reads the reason and may outsource the ticket again.

    \b
    chit handback 42 -m "The part is not made any more."
    """
    act(app, "handback", **given)
