"""`chit close`."""

import click

from chit import editor
from chit.context import App
from chit.framework import command
from chit.language import translate
from chit.params import text_options, tickets_argument
from chit.selection import to_write
from chit.statuses import status_of
from chit.written import short, write
from chit_sync.authoring import Edit, comment_paths
from chit_sync.registers import Value
from chit_sync.store.making import new_item
from chit_sync.ticket import Ticket


@command()
@tickets_argument
@text_options
@click.option("--status", metavar="STATUS", help="A status that means done; the first of category closed if not given.")
@click.option("-i", "--internal", is_flag=True, help="The comment is internal.")
def close(
    app: App, tickets: tuple[str, ...], query: str | None, stdin: bool, every: bool, message: tuple[str, ...],
    file: str | None, status: str | None, internal: bool,
) -> None:  # fmt: skip
    """Close tickets.

    With -m or -F a comment goes along. Where the ticket is outsourced, closing completes the handoff; where it was outsourced to you, it
    submits the work, which the lead still has to approve.

    \b
    chit close 42 -m "Replaced the fuser."
    chit close 42 --status rejected
    """
    name = status_of(app, status, "closed", ("resolved", "closed", "rejected"))
    text = editor.given_text(message, file)
    edits = []
    found = to_write(app, tickets, query, stdin, every)
    for ticket in found:
        paths: dict[str, Value] = {"status": name}
        if text is not None:
            paths |= comment_paths(new_item(app.store), text, "internal" if internal else "public")
        edits.append(Edit(ticket, paths))
    if any(ticket.handoffs for ticket in found):
        from chit.handing import hand

        hand(app, edits, "close", _of_drafts(found))
    else:
        write(app, edits, "close")


def _of_drafts(tickets: list[Ticket]) -> str:
    """What is to be known of offers that were not sent: they stay when a ticket is closed."""
    drafts = [(ticket, one.partner) for ticket in tickets for one in ticket.handoffs if one.status == "unsent"]
    return "\n".join(
        translate(
            "{id}: the draft for {partner} stays; `chit outsource {id} --discard` throws it away",
            id=short(ticket.id), partner=partner,
        )
        for ticket, partner in drafts
    )  # fmt: skip
