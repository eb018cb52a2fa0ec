"""`chit counter`."""

from typing import Any

from chit import editor, terms
from chit.context import App
from chit.framework import command
from chit.handing import each, hand, partner_option
from chit.params import text_options, tickets_argument
from chit.selection import to_write
from chit_sync import outsourcing
from chit_sync.authoring import Edit
from chit_sync.errors import UsageError
from chit_sync.ticket import Ticket


@command()
@tickets_argument
@terms.terms_options
@text_options
@partner_option
def counter(
    app: App, tickets: tuple[str, ...], query: str | None, stdin: bool, every: bool, message: tuple[str, ...], file: str | None,
    partner: str, **given: Any,
) -> None:  # fmt: skip
    """Propose other terms for tickets that were offered.

    What you do not name stays as it was offered. The lead agrees, or cancels the offer; until then you may still accept what was offered,
    or decline. -m or -F says why.

    \b
    chit counter 42 --pay 90/h --complete-by monday -m "There is no train on Friday."
    """
    if "none" in given.values():
        raise UsageError("a counter-offer cannot take a term away", "Say with -m what you would rather have.")
    found = to_write(app, tickets, query, stdin, every)
    text = editor.given_text(message, file) or ""

    def propose(ticket: Ticket) -> Edit:
        offered = outsourcing.current(ticket, "counter", partner)
        wanted = terms.read(app, given, offered.values)
        return outsourcing.counter(app.store, ticket, wanted, partner=partner, reason=text)

    hand(app, each(found, propose), "counter")
