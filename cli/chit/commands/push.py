"""`chit push`."""

from typing import Any, NamedTuple

import click

from chit.context import App
from chit.exchanged import pushed_record, say_pushed
from chit.exchanging import Progress, chosen, connect, mapping_of
from chit.framework import command
from chit.params import TICKET
from chit.text import SHORT_ID, clean
from chit_sync.exchange.pushing import push as send
from chit_sync.exchange.results import Pushed
from chit_sync.registers import Value
from chit_sync.store import partners
from chit_sync.store.reading import find, load_many
from chit_sync.store.remotes import Remote
from chit_sync.ticket import Ticket


@command()
@click.argument("tickets", nargs=-1, type=TICKET)
@click.option("--again", is_flag=True, help="Also what was refused before.")
def push(app: App, tickets: tuple[str, ...], again: bool) -> None:
    """Send what a remote has not.

    That is everything, or what concerns the tickets named. Interrupted, it goes on where it was when it is run again; nothing
    arrives twice.

    To a helpdesk goes what was written in this store; of tickets that are named, also what colleagues wrote. With -n the calls are
    shown that would be made there, and what it cannot take.

    To the store of a partner goes only what is for it. With -n it is shown line by line what that is, what stays, and by which rule, as
    by `chit diff`.

    \b
    chit push
    chit push 42 kzxt        only what concerns these
    """
    remote = chosen(app)
    numbers = [find(app.store, ticket) for ticket in tickets] or None
    target, mapping = connect(app, remote), mapping_of(app, remote)
    try:
        with Progress(app, f"push {remote.name}") as progress:
            pushed = send(
                app.store, remote, target, mapping=mapping, tickets=numbers, again=again, progress=progress,
                dry_run=app.options.dry_run,
            )  # fmt: skip
    finally:
        target.close()
    leaving = _preview(app, remote, numbers, again)
    if app.output.structured:
        app.output.one(pushed_record(app.store, pushed, leaving), str)
    elif app.options.dry_run and pushed.planned:
        _show_calls(app, pushed)
    say_pushed(app, remote, pushed)


def _show_calls(app: App, pushed: Pushed) -> None:
    """The calls that would be made to a helpdesk."""
    tickets = {one.number: one for one in load_many(app.store, sorted({one.ticket for one in pushed.planned}))}
    rows = [
        (one.verb, tickets[one.ticket].id[:SHORT_ID], _in_words(app, tickets[one.ticket], one.what))
        if app.terminal
        else (one.verb, tickets[one.ticket].id, one.what)
        for one in pushed.planned
        if one.verb
    ]
    if rows:
        app.output.page(app.output.table(("CALL", "TICKET", "WHAT"), rows))


class _Step(NamedTuple):
    """What a call brings there, as `wording` puts it."""

    path: str
    old: Value
    new: Value


def _in_words(app: App, ticket: Ticket, what: str) -> str:
    """What a call carries, for a person: the values of fields, or what an item is."""
    from chit.wording import sentences

    if registers := ticket.item_registers.get(what):
        steps = [_Step(f"{what}/{name}", None, heads[0][1]) for name, heads in sorted(registers.items())]
        return "; ".join(sentences(steps, app.zone))
    names = [name for name in what.split(", ") if name]
    known = [_Step(name, None, ticket.registers[name][0][1]) for name in names if name in ticket.registers]
    others = [name for name in names if name not in ticket.registers]  # a custom field by its name there
    return ", ".join([*sentences(known, app.zone), *others]) or clean(ticket.title)


def _preview(app: App, remote: Remote, numbers: list[int] | None, again: bool) -> list[dict[str, Any]] | None:
    """Shows what would leave for the partner whose store the remote is; records of it, None where that is not the question."""
    lead = partners.of_remote(app.store, remote.id) if app.options.dry_run else None
    if lead is None:
        return None
    from chit import preview

    lines = preview.lines_for(app, [lead], numbers, again=again)
    if not app.output.structured:
        preview.show(app, lines)
    return preview.records(lines)
