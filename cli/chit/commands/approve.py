"""`chit approve`."""

from typing import Any

from chit.context import App
from chit.framework import command
from chit.handing import act, verb_options


@command()
@verb_options
def approve(app: App, **given: Any) -> None:
    """Approve work that a partner has submitted.

    That completes the handoff: the partner's time becomes one charge at the agreed pay, and nothing crosses any more. The partner reads
    what you say with -m.

    \b
    chit approve 42 -m "Well done."
    """
    act(app, "approve", **given)
