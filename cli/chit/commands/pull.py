"""`chit pull`."""

import click

from chit.context import App
from chit.exchanging import Progress, check_moves, chosen, connect, get_all_bytes, pulled_record, say_pulled
from chit.framework import command
from chit_sync.exchange.pulling import pull as take
from chit_sync.exchange.pulling import recover as take_back


@command()
@click.option("--attachments", is_flag=True, help="Bring the bytes of attachments too.")
@click.option("--recover", is_flag=True, help="From a lead: also what this store had sent there and has lost.")
def pull(app: App, attachments: bool, recover: bool) -> None:
    """Take what a remote has.

    Interrupted, it goes on where it was when it is run again. Conflicts are listed and stop nothing.

    \b
    chit pull
    chit pull --remote globex --recover    after this store was restored from a backup
    """
    remote = chosen(app)
    source = connect(app, remote)
    try:
        with Progress(app, f"pull {remote.name}") as progress:
            if recover and not app.options.dry_run:
                pulled = take_back(app.store, remote, source, progress=progress)
            else:
                pulled = take(app.store, remote, source, progress=progress, dry_run=app.options.dry_run)
        if attachments and not app.options.dry_run:
            get_all_bytes(app, app.store, source)
    finally:
        source.close()
    if app.output.structured:
        app.output.one(pulled_record(app.store, pulled), str)
    say_pulled(app, app.store, remote, pulled)
    check_moves(app, app.store, pulled)
