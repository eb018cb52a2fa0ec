"""`chit pull`."""

from typing import TYPE_CHECKING, cast

import click

from chit.context import App
from chit.exchanged import check_moves, pulled_record, say_pulled
from chit.exchanging import Progress, chosen, connect
from chit.fetching import get_all_bytes
from chit.framework import command
from chit_sync.exchange.pulling import pull as take
from chit_sync.exchange.pulling import recover as take_back
from chit_sync.helpdesks.address import is_helpdesk
from chit_sync.remotes.base import Log

if TYPE_CHECKING:
    from chit_sync.helpdesks.base import Helpdesk


@command()
@click.option("--attachments", is_flag=True, help="Bring the bytes of attachments too.")
@click.option("--recover", is_flag=True, help="From a lead: also what this store had sent there and has lost.")
@click.option(
    "--full", is_flag=True, help="From a helpdesk: read everything again, and look for what was deleted or moved there."
)
def pull(app: App, attachments: bool, recover: bool, full: bool) -> None:
    """Take what a remote has.

    Interrupted, it goes on where it was when it is run again. Conflicts are listed and stop nothing.

    \b
    chit pull
    chit pull --remote globex --recover    after this store was restored from a backup
    chit pull --full                       what is gone from the helpdesk, too; many deletions are asked about
    """
    remote = chosen(app)
    if full:
        from chit.helpdesks import check_helpdesk

        check_helpdesk(remote, "--full is")
    source = connect(app, remote)
    try:
        with Progress(app, f"pull {remote.name}") as progress:
            if is_helpdesk(remote.url):
                from chit.helpdesks import pull_from

                pulled = pull_from(app, remote, cast("Helpdesk", source), progress, full=full)
            elif recover and not app.options.dry_run:
                pulled = take_back(app.store, remote, cast("Log", source), progress=progress)
            else:
                pulled = take(app.store, remote, source, progress=progress, dry_run=app.options.dry_run)
        if attachments and not app.options.dry_run:
            get_all_bytes(app, app.store, remote, source)
    finally:
        source.close()
    if app.output.structured:
        app.output.one(pulled_record(app.store, pulled), str)
    say_pulled(app, app.store, remote, pulled)
    check_moves(app, app.store, pulled)
