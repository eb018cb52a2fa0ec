"""`chit push`."""

import click

from chit.context import App
from chit.exchanging import Progress, chosen, connect, pushed_record, say_pushed
from chit.framework import command
from chit.params import TICKET
from chit_sync.exchange.pushing import push as send
from chit_sync.store.reading import find


@command()
@click.argument("tickets", nargs=-1, type=TICKET)
@click.option("--again", is_flag=True, help="Also what was refused before.")
def push(app: App, tickets: tuple[str, ...], again: bool) -> None:
    """Send what a remote has not.

    That is everything, or what concerns the tickets named. Interrupted, it goes on where it was when it is run again; nothing
    arrives twice.

    \b
    chit push
    chit push 42 kzxt        only what concerns these
    """
    remote = chosen(app)
    numbers = [find(app.store, ticket) for ticket in tickets] or None
    target = connect(app, remote)
    try:
        with Progress(app, f"push {remote.name}") as progress:
            pushed = send(
                app.store, remote, target, tickets=numbers, again=again, progress=progress, dry_run=app.options.dry_run
            )
    finally:
        target.close()
    if app.output.structured:
        app.output.one(pushed_record(app.store, pushed), str)
    say_pushed(app, remote, pushed)
