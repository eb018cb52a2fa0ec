"""`chit pull`."""

import click

from chit.context import App
from chit.exchanging import Progress, check_moves, chosen, connect, get_all_bytes, pulled_record, say_pulled
from chit.framework import command
from chit_sync.exchange.pulling import pull as take


@command()
@click.option("--attachments", is_flag=True, help="Bring the bytes of attachments too.")
def pull(app: App, attachments: bool) -> None:
    """Take what a remote has.

    Interrupted, it goes on where it was when it is run again. Conflicts are listed and stop nothing.
    """
    remote = chosen(app)
    source = connect(app, remote)
    try:
        with Progress(app, f"pull {remote.name}") as progress:
            pulled = take(app.store, remote, source, progress=progress, dry_run=app.options.dry_run)
        if attachments and not app.options.dry_run:
            get_all_bytes(app, app.store, source)
    finally:
        source.close()
    if app.output.structured:
        app.output.one(pulled_record(app.store, pulled), str)
    say_pulled(app, app.store, remote, pulled)
    check_moves(app, app.store, pulled)
