"""`chit open`."""

import click

from chit.context import App
from chit.framework import command
from chit.params import TICKET
from chit.selection import one
from chit_sync.errors import NotFoundError, UsageError
from chit_sync.helpdesks.address import is_helpdesk, parse
from chit_sync.store import remotes
from chit_sync.store.remotes import Remote


@command("open")
@click.argument("tickets", nargs=-1, type=TICKET)
@click.option("--print", "printed", is_flag=True, help="Print the address instead of opening it.")
def open_(app: App, tickets: tuple[str, ...], printed: bool) -> None:
    """Open tickets in the browser, where their helpdesk shows them.

    Without a ticket the helpdesk itself. Away from a terminal the address is printed. No network is needed for that.

    \b
    chit open 42
    chit open kzxt --remote desk --print
    """
    records = [_record(*place) for place in _addresses(app, tickets)]
    shown = [str(record["url"]) for record in records]
    if not (printed or app.options.dry_run or app.output.structured) and app.terminal:
        shown = [url for url, record in zip(shown, records, strict=True) if not _browse(app, url, record)]
    if len(records) == 1:
        app.output.one(records[0], lambda: "\n".join(shown))
    else:
        app.output.many(records, lambda: "\n".join(shown))


def _addresses(app: App, tickets: tuple[str, ...]) -> list[tuple[Remote, str, int, str]]:
    """Remote, id, number there and web address of each ticket, or of the helpdesk itself."""
    from chit_sync.remotes.registry import open_helpdesk

    desks = _helpdesks(app)
    if not tickets:
        return [(desks[0], "", 0, parse(desks[0].url).base)]
    found = []
    for name in tickets:
        ticket = one(app, name)
        known = {there.remote: there.number for there in ticket.elsewhere}
        place = next((desk for desk in desks if desk.name in known), None)
        if place is None:
            raise NotFoundError(f"{name} is at no helpdesk yet", f"`chit push {name}` makes it there.")
        adapter = open_helpdesk(place.url)
        try:
            found.append((place, ticket.id, known[place.name], adapter.web(known[place.name])))
        finally:
            adapter.close()
    return found


def _helpdesks(app: App) -> list[Remote]:
    """The helpdesks among the remotes, the default one first; with --remote that one alone."""
    if app.options.remote:
        chosen = remotes.get(app.reading, app.options.remote)
        if not is_helpdesk(chosen.url):
            raise UsageError(f"{chosen.name} is a store, which no browser shows", "Name a helpdesk with --remote NAME.")
        return [chosen]
    found = [remote for remote in remotes.listing(app.reading) if is_helpdesk(remote.url)]
    if not found:
        raise NotFoundError(
            "this store has no helpdesk among its remotes", "`chit remote add NAME KIND+https://…` names one."
        )
    return found


def _browse(app: App, url: str, record: dict[str, object]) -> bool:
    """Opens the address; whether there was a browser to do so."""
    import webbrowser

    record["opened"] = webbrowser.open(url)
    app.say(f"opened {url}" if record["opened"] else "there is no browser; BROWSER names one")
    return bool(record["opened"])


def _record(remote: Remote, ident: str, number: int, url: str) -> dict[str, object]:
    return {
        "schema": "chit.address/1",
        "ticket": ident or None,
        "remote": remote.name,
        "number": number or None,
        "url": url,
        "opened": False,
    }
