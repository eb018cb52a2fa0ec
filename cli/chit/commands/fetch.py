"""`chit fetch`."""

from chit.context import App
from chit.exchanging import Progress, chosen, reach
from chit.framework import command
from chit.text import counted
from chit_sync.exchange.pulling import fetch as get
from chit_sync.exchange.pulling import pull as take


@command()
def fetch(app: App) -> None:
    """Get what a remote has, without taking it yet.

    `chit pull` takes it, without a network if need be.
    """
    remote = chosen(app)
    source = reach(app, remote.url)
    try:
        with Progress(app, f"fetch {remote.name}") as progress:
            if app.options.dry_run:
                count = take(app.store, remote, source, dry_run=True).taken
                record = {"schema": "chit.fetched/1", "fetched": count, "waiting": count}
            else:
                fetched = get(app.store, remote, source, progress=progress)
                record = {"schema": "chit.fetched/1", "fetched": fetched.fetched, "waiting": fetched.waiting}
    finally:
        source.close()
    if app.output.structured:
        app.output.one(record, str)
    would = "would fetch" if app.options.dry_run else "fetched"
    app.say(
        f"{remote.name}: {would} {counted(int(record['fetched']), 'change')}; `chit pull` takes {'it' if record['waiting'] == 1 else 'them'}"
        if record["waiting"]
        else f"{remote.name}: nothing new"
    )
