"""Which tickets a command is about: named, found by a query, or read from standard input."""

import sys
from collections.abc import Sequence

from chit.context import App
from chit_sync.errors import UsageError
from chit_sync.store.reading import find, load_many
from chit_sync.ticket import Ticket

MANY = 20
"""More tickets than this are not written to without asking."""


def numbers(app: App, tickets: Sequence[str], query: str | None, stdin: bool, every: bool = False) -> list[int]:
    """This store's numbers of the tickets, each once. Raises UsageError if none were asked for."""
    sources = sum((bool(tickets), query is not None, stdin))
    app.several = len(tickets) != 1
    if sources > 1:
        raise UsageError("tickets, --query and --stdin contradict each other", "Give one of them.")
    if query is not None:
        from chit_sync.query import listing

        if not query.strip() and not every:
            raise UsageError("an empty query means every ticket", "Say --all if that is meant.")
        return listing.numbers(app.reading, query, me=app.actor, now=app.now, tz=app.zone, all_states=every)
    if stdin:
        tickets = [line.split()[0] for line in sys.stdin if line.strip()]
    elif not tickets:
        raise UsageError("no ticket named", "Name tickets, or give --query or --stdin.")
    return list(dict.fromkeys(find(app.reading, name) for name in tickets))


def to_write(app: App, tickets: Sequence[str], query: str | None, stdin: bool, every: bool = False) -> list[Ticket]:
    """The tickets, loaded, to write to them; over twenty are asked about. May be empty if a query finds nothing."""
    found = numbers(app, tickets, query, stdin, every)
    if len(found) > MANY and not app.options.dry_run:
        app.confirm(f"This changes {len(found)} tickets. Go on?")
    return load_many(app.store, found)


def one(app: App, ticket: str) -> Ticket:
    """The one ticket of that name."""
    return load_many(app.reading, [find(app.reading, ticket)])[0]
