"""`chit recall`."""

from typing import Any

from chit.context import App
from chit.framework import command
from chit.handing import act, verb_options


@command()
@verb_options
def recall(app: App, **given: Any) -> None:
    """Take tickets back from a partner that works on them.

    What it has done stays with the ticket. It reads the reason. Afterwards the ticket can be outsourced again.

    \b
    chit recall 42 -m "The customer wants us to come."
    """
    act(app, "recall", **given)
