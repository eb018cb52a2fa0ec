"""`chit link`."""

import click

from chit.context import App
from chit.framework import command
from chit.params import TICKET
from chit.selection import one
from chit.written import write
from chit_sync.authoring import Edit, link_paths, unlink_paths
from chit_sync.schema import LINK_KINDS

_BACKWARDS = {reverse: kind for kind, reverse in LINK_KINDS.items() if reverse != kind}


@command()
@click.argument("ticket", type=TICKET)
@click.argument("kind", type=click.Choice([*LINK_KINDS, *_BACKWARDS]), metavar="KIND")
@click.argument("others", nargs=-1, required=True, type=TICKET, metavar="TICKET…")
@click.option("--remove", is_flag=True, help="Untie them.")
def link(app: App, ticket: str, kind: str, others: tuple[str, ...], remove: bool) -> None:
    """Tie tickets together, or untie them.

    Kinds: relates, blocks, parent-of, duplicates, follows; and the same from the other side: blocked-by, child-of,
    duplicated-by, followed-by.

    \b
    chit link 42 blocks 43
    chit link 42 child-of 40
    chit link 42 blocks 43 --remove
    """
    here, there = one(app, ticket), [one(app, other) for other in others]
    pairs = [(here, other) for other in there]
    if kind in _BACKWARDS:
        kind, pairs = _BACKWARDS[kind], [(other, here) for other in there]
    make = unlink_paths if remove else link_paths
    wanted: dict[str, Edit] = {}
    for source, target in pairs:
        paths = make(kind, source.id, target.id)
        known = wanted.get(source.id)
        wanted[source.id] = Edit(source, {**(known.set if known else {}), **paths})
    write(app, list(wanted.values()), "link")
