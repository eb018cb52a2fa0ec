"""`chit withdraw`."""

from typing import Any

from chit.context import App
from chit.framework import command
from chit.handing import act, verb_options


@command()
@verb_options
def withdraw(app: App, **given: Any) -> None:
    """Take submissions back, to work on.

    What the lead has not approved yet. It reads the reason. What was held back meanwhile stays here until `chit release` sends it.

    \b
    chit withdraw 42 -m "It came back."
    """
    act(app, "withdraw", **given)
