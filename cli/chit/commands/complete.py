"""`chit complete`."""

from typing import Any

from chit.context import App
from chit.framework import command
from chit.handing import act, verb_options


@command()
@verb_options
def complete(app: App, **given: Any) -> None:
    """End handoffs without a submission.

    As `chit approve`, while the partner is still at work: what it has not sent by then is held back there. `chit close` does it too.

    \b
    chit complete 42 -m "The customer has given up."
    """
    act(app, "complete", **given)
