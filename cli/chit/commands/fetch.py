"""`chit fetch`."""

from chit.context import App
from chit.exchanging import Progress, chosen, connect, mapping_of
from chit.framework import command
from chit.text import counted
from chit_sync.exchange.pulling import fetch as get
from chit_sync.exchange.pulling import pull as take
from chit_sync.exchange.results import Fetched


@command()
def fetch(app: App) -> None:
    """Get what a remote has, without taking it yet.

    `chit pull` takes it, without a network if need be.
    """
    remote = chosen(app)
    source, mapping = connect(app, remote), mapping_of(app, remote)
    try:
        with Progress(app, f"fetch {remote.name}") as progress:
            if app.options.dry_run:
                count = take(app.store, remote, source, mapping=mapping, dry_run=True).taken
                fetched = Fetched(count, count)
            else:
                fetched = get(app.store, remote, source, mapping=mapping, progress=progress)
    finally:
        source.close()
    if app.output.structured:
        app.output.one({"schema": "chit.fetched/1", **fetched._asdict()}, str)
    if fetched.waiting:
        would = "would fetch" if app.options.dry_run else "fetched"
        app.say(f"{remote.name}: {would} {counted(fetched.fetched, 'change')}; `chit pull` takes what was fetched")
        if fetched.handoffs:
            app.say(
                f"{counted(fetched.handoffs, 'change')} about handoffs among what waits: `chit pull` says what became of them"
            )
    else:
        app.say(f"{remote.name}: nothing new")
