"""`chit detach`."""

import click

from chit.context import App
from chit.framework import command
from chit.handing import hand
from chit.language import translate
from chit.params import TICKET
from chit.selection import one
from chit.written import short
from chit_sync import outsourcing


@command()
@click.argument("ticket", type=TICKET)
@click.argument("item")
def detach(app: App, ticket: str, item: str) -> None:
    """Copy an item of the other side's, to edit the copy.

    ITEM is the beginning of its id. The copy is internal and yours: what the other side changes in its own later does not arrive in it, and
    what you change in it does not leave.

    \b
    chit detach 42 kzxt
    """
    found = one(app, ticket)
    key = outsourcing.find_item(found, item)
    edit, copy = outsourcing.detach(app.store, found, key)
    kind, _, ident = copy.partition("/")
    hand(
        app, [edit], "detach",
        translate(
            "the copy is {kind} {id}, internal; later changes of {author} to {original} do not arrive in it",
            kind=translate("time entry") if kind == "time" else translate(kind), id=short(ident),
            author=found.origins[key][0], original=short(key.partition("/")[2]),
        ),
    )  # fmt: skip
