"""`chit release`."""

from collections.abc import Sequence

import click

from chit.context import App
from chit.framework import command
from chit.handing import hand, partner_option
from chit.params import TICKET
from chit.selection import one
from chit.written import short
from chit_sync import outsourcing
from chit_sync.errors import AmbiguousError, NotFoundError, UsageError
from chit_sync.outsourcing import Held


@command()
@click.argument("ticket", type=TICKET)
@click.argument("items", nargs=-1, metavar="[ITEM]…")
@click.option("--all", "every", is_flag=True, help="Everything that is held back.")
@click.option("--keep", is_flag=True, help="Do not send it: it stays here for good, as internal.")
@partner_option
def release(app: App, ticket: str, items: tuple[str, ...], every: bool, keep: bool, partner: str) -> None:
    """Send what was held back while work awaited approval.

    ITEM is the beginning of an item's id. After a rejection or a withdrawal nothing of what was held back is sent by itself.

    \b
    chit release 42 kzxt
    chit release 42 --all
    """
    if items and every:
        raise UsageError("ITEM and --all contradict each other", "Give one of them.")
    found = one(app, ticket)
    held = [each for each in outsourcing.held(found) if partner in ("", each.handoff.partner)]
    if held and not items and not every:
        listed = ", ".join(_named(each) for each in held)
        raise UsageError("no item named", f"Held back are: {listed}. Name some, or say --all.")
    keys = [each.key for each in held] if every or not items else [_find(held, name) for name in items]
    hand(app, [outsourcing.release(found, keys, keep=keep)], "release")
    if not held:
        app.say(f"nothing of {short(found.id)} is held back")


def _named(held: Held) -> str:
    kind, _, ident = held.key.partition("/")
    return f"{kind} {short(ident)}"


def _find(held: Sequence[Held], name: str) -> str:
    """KIND/ID of the item whose id begins so. Raises NotFoundError, AmbiguousError."""
    found = [each for each in held if each.key.partition("/")[2].startswith(name)]
    if not found:
        listed = ", ".join(map(_named, held)) or "nothing"
        raise NotFoundError(f"no item {name!r} is held back", f"Held back are: {listed}.")
    if len(found) > 1:
        raise AmbiguousError(f"{name} could be {len(found)} items", [*map(_named, found)], "Type more letters.")
    return found[0].key
