"""`chit sync`."""

import click

from chit.context import App
from chit.exchanging import (
    Progress,
    check_moves,
    chosen,
    connect,
    get_all_bytes,
    pulled_record,
    pushed_record,
    say_pulled,
    say_pushed,
)
from chit.framework import command
from chit_sync.exchange.syncing import sync as exchange


@command()
@click.option("--attachments", is_flag=True, help="Bring the bytes of attachments too.")
def sync(app: App, attachments: bool) -> None:
    """Pull, then push."""
    remote = chosen(app)
    log = connect(app, remote)
    try:
        with Progress(app, f"sync {remote.name}") as progress:
            pulled, pushed = exchange(app.store, remote, log, progress=progress, dry_run=app.options.dry_run)
        if attachments and not app.options.dry_run:
            get_all_bytes(app, app.store, log)
    finally:
        log.close()
    if app.output.structured:
        app.output.one(
            {
                "schema": "chit.synced/1",
                "pulled": pulled_record(app.store, pulled),
                "pushed": pushed_record(app.store, pushed),
            },
            str,
        )
    say_pulled(app, app.store, remote, pulled)
    if pushed.refused:
        check_moves(app, app.store, pulled, failing=True)
    say_pushed(app, remote, pushed, pulled=True)
    check_moves(app, app.store, pulled)
