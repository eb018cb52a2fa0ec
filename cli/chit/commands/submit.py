"""`chit submit`."""

from chit import editor
from chit.context import App
from chit.framework import command
from chit.handing import each, hand, partner_option
from chit.params import text_options, tickets_argument
from chit.selection import to_write
from chit_sync import outsourcing


@command()
@tickets_argument
@text_options
@partner_option
def submit(
    app: App, tickets: tuple[str, ...], query: str | None, stdin: bool, every: bool, message: tuple[str, ...], file: str | None,
    partner: str,
) -> None:  # fmt: skip
    """Hand finished work in, for the lead to approve.

    -m or -F is a summary, which the lead gets as a comment. Until it approves or rejects, nothing that was shared changes, and what is new
    is held back.

    \b
    chit submit 42 -m "Replaced the fuser; printed ten pages."
    """
    found = to_write(app, tickets, query, stdin, every)
    each(found, lambda ticket: outsourcing.current(ticket, "submit", partner))
    text = editor.given_text(message, file) or ""
    edits = each(found, lambda ticket: outsourcing.submit(app.store, ticket, partner=partner, summary=text))
    hand(app, edits, "submit")
