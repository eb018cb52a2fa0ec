"""`chit outsource`."""

from collections.abc import Mapping
from typing import Any

import click

from chit import editor, terms
from chit.context import App
from chit.framework import command
from chit.handing import each, hand
from chit.params import TICKET
from chit.selection import to_write
from chit_sync import outsourcing
from chit_sync.authoring import Edit
from chit_sync.errors import UsageError
from chit_sync.registers import Value
from chit_sync.ticket import Ticket


@command()
@click.argument("ticket", required=False, type=TICKET)
@click.argument("partner", required=False)
@click.option("-Q", "--query", metavar="QUERY", help="All tickets that the query finds.")
@click.option("--stdin", is_flag=True, help="Read tickets from standard input, one a line.")
@click.option("--all", "every", is_flag=True, help="With --query: closed tickets too; an empty query is meant.")
@click.option("--to", metavar="PARTNER", help="The partner, with --query or --stdin.")
@click.option("--draft", is_flag=True, help="Save partner and terms; the partner learns nothing yet.")
@click.option("--discard", is_flag=True, help="Throw a draft away.")
@terms.offer_options
@click.option("-F", "--file", metavar="FILE", help="Take the instructions from FILE; - is standard input.")
def outsource(
    app: App, ticket: str | None, partner: str | None, query: str | None, stdin: bool, every: bool, to: str | None, draft: bool,
    discard: bool, file: str | None, **given: Any,
) -> None:  # fmt: skip
    """Offer tickets to a partner, on terms.

    The partner and the terms of a draft, or of the last time, hold where you say nothing else; `none` takes a term away. Where the partner
    has made a counter-offer, `chit outsource TICKET` without terms agrees to it. What your customer pays never leaves; with -n you see
    what would.

    \b
    chit outsource 42 acme --pay 80/h --hours 10h --complete-by friday
    chit outsource 42 acme --pay 500/flat --currency EUR --draft
    chit outsource 42                     sends the draft, or agrees to a counter-offer
    chit outsource --query label:fuser --to acme --pay 80/h
    """
    if partner and to and partner != to:
        raise UsageError("PARTNER and --to contradict each other", "Name the partner once.")
    if draft and discard:
        raise UsageError("--draft and --discard contradict each other", "Give one of them.")
    if given["instructions"] is not None and file is not None:
        raise UsageError("--instructions and -F contradict each other", "Give one of them.")
    if query is not None and ticket is not None:
        raise UsageError("tickets, --query and --stdin contradict each other", "With --query, say --to PARTNER.")
    given["instructions"] = given["instructions"] if file is None else editor.given_text((), file)
    if discard and (partner or to or any(value is not None for value in given.values())):
        raise UsageError("--discard takes no partner and no terms", "Leave them out.")
    found = to_write(app, [ticket] if ticket is not None else [], query, stdin, every)
    if discard:
        edits = each(found, lambda one: outsourcing.act(app.store, one, "discard"))
    else:
        late = terms.grace(app, given["grace"])
        edits = each(found, lambda one: _offer(app, one, partner or to or "", given, late, draft))
    hand(app, edits, "outsource")


def _offer(app: App, ticket: Ticket, partner: str, given: Mapping[str, Any], grace: int, draft: bool) -> Edit:
    """An offer of one ticket, or a draft of one."""
    wanted: dict[str, Value] = {}
    if any(value is not None for value in given.values()):
        wanted = terms.read(app, given, outsourcing.kept_terms(ticket, partner))
    return outsourcing.offer(app.store, ticket, partner, wanted, draft=draft, grace=grace)
