"""`chit cancel`."""

from typing import Any

from chit.context import App
from chit.framework import command
from chit.handing import act, verb_options


@command()
@verb_options
def cancel(app: App, **given: Any) -> None:
    """Take back offers that were not answered yet.

    The partner sees it, with the reason if you give one. Where its answer was first, you are told. A counter-offer is refused so too.

    \b
    chit cancel 42 -m "We do it ourselves."
    """
    act(app, "cancel", **given)
