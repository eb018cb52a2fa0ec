"""`chit remote`."""

import os
from typing import Any

import click

from chit.access import given_token
from chit.context import App, user_config
from chit.framework import group, subcommand
from chit.output import Record
from chit.text import counted
from chit_sync.errors import ConflictError
from chit_sync.helpdesks.address import is_helpdesk, parse
from chit_sync.remotes.registry import check_url, is_url
from chit_sync.store import remotes
from chit_sync.store.remotes import Remote
from chit_sync.ticket import iso


@group()
def remote() -> None:
    """Name other stores and helpdesks to exchange with."""


@subcommand(remote)
@click.argument("name")
@click.argument("url")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input, and keep it for the address.")
def add(app: App, name: str, url: str, token_stdin: bool) -> None:
    """Name another store, by a URL or a path on this machine, or a helpdesk.

    A helpdesk's address says of which kind it is, and what is followed there: queues, or a query in its own language.

    \b
    chit remote add origin https://desk.example/
    chit remote add backup /mnt/backup/desk
    chit remote add help redmine+https://help.example/?queue=support
    """
    address = _address(url)
    if token_stdin:
        given_token(app, address)
    made = remotes.add(app.store, name, address, dry_run=app.options.dry_run)
    app.output.one(_record(app, made), lambda: name)
    app.say(f"{'would name' if app.options.dry_run else 'named'} it; `chit pull --remote {name}` takes what is there")
    if is_helpdesk(address) and not (app.options.dry_run or app.options.quiet or app.output.structured):
        from chit.helpdesks import introduce

        introduce(app, made)


@subcommand(remote, "list")
def list_(app: App) -> None:
    """List the remotes."""
    found = remotes.listing(app.reading)
    rows = [(one.name, one.url) for one in found]
    app.output.many(
        [_record(app, one) for one in found], lambda: app.output.table(("NAME", "URL"), rows) if rows else ""
    )
    if not found:
        app.say("no remotes; `chit remote add NAME URL` names one")


@subcommand(remote)
@click.argument("name", required=False)
@click.option(
    "--mapping", is_flag=True, help="Print what a helpdesk's words mean here, as it can stand in config.toml."
)
def show(app: App, name: str | None, mapping: bool) -> None:
    """Show how things stand with a remote; of a helpdesk also what it is and what it can carry.

    \b
    chit remote show origin
    chit remote show help --mapping
    """
    found = remotes.get(app.reading, name or app.options.remote)
    if mapping:
        from chit.described import show_mapping

        show_mapping(app, found)
        return
    record = _record(app, found)
    if is_helpdesk(found.url):
        from chit.described import description_record

        record["helpdesk"] = description_record(app, found)
    app.output.one(record, lambda: _page(app, record))


def _page(app: App, record: dict[str, Any]) -> str:
    lines = [f"{key:<8} {value}" for key, value in record.items() if key not in ("schema", "helpdesk")]
    if record["helpdesk"] is not None:
        from chit.described import page

        lines.append(page(app, record["helpdesk"]))
    return "\n".join(lines)


@subcommand(remote, "set-url")
@click.argument("name")
@click.argument("url")
def set_url(app: App, name: str, url: str) -> None:
    """Give a remote another address.

    \b
    chit remote set-url origin https://new.desk.example/
    """
    address = _address(url)
    before = remotes.get(app.store, name)
    if _kind(before.url) != _kind(address):
        raise ConflictError(
            f"{before.url} and {address} are not the same kind of remote",
            "A new address is for the same store or helpdesk; name another one with `chit remote add`.",
        )
    if not app.options.dry_run:
        if is_helpdesk(address) and parse(address).identity != parse(before.url).identity:
            # Nothing that a helpdesk answers tells it from another one, whose tickets have the same numbers.
            app.confirm(f"Is {address} the same helpdesk as {before.url}, at another address?")
        _take_token_along(app, before, address)
    found = remotes.set_url(app.store, name, address, dry_run=app.options.dry_run)
    app.output.one(_record(app, found), lambda: name)
    app.say(f"{name} {'would be' if app.options.dry_run else 'is'} at {found.url} from now on")


@subcommand(remote)
@click.argument("name")
@click.argument("new")
def rename(app: App, name: str, new: str) -> None:
    """Give a remote another name.

    \b
    chit remote rename origin desk
    """
    found = remotes.rename(app.store, name, new, dry_run=app.options.dry_run)
    app.output.one(_record(app, found), lambda: found.name)
    app.say(f"{name} {'would be' if app.options.dry_run else 'is'} called {new} from now on")


@subcommand(remote)
@click.argument("name")
def reset(app: App, name: str) -> None:
    """Forget how far a remote was read.

    For one that is another store now, or was set back. The next pull reads it from the start; nothing is lost or doubled.

    \b
    chit remote reset origin
    """
    found = remotes.reset(app.store, name, dry_run=app.options.dry_run)
    app.output.one(_record(app, found), lambda: name)
    app.say(f"the next pull {'would read' if app.options.dry_run else 'reads'} {name} from the start")


@subcommand(remote)
@click.argument("name")
def remove(app: App, name: str) -> None:
    """Forget a remote; what came from it stays.

    \b
    chit remote remove backup
    """
    pending = remotes.pending(app.reading, remotes.get(app.reading, name))
    unsent = pending.unsent + pending.refused
    if unsent and not app.options.dry_run:
        app.confirm(f"{counted(unsent, 'change')} not sent to {name} yet. Forget it?")
    found = remotes.remove(app.store, name, dry_run=app.options.dry_run)
    app.output.one(_record(app, found, pending._asdict()), lambda: name)
    app.say(f"{'would forget' if app.options.dry_run else 'forgot'} {name}; what came from it stays")


def _take_token_along(app: App, one: Remote, address: str) -> None:
    """A partner's token was made for this very partner and cannot be had again: it holds for the new address too."""
    from chit_sync.store import partners

    lead = partners.of_remote(app.store, one.id)
    if lead is None or not address.strip():
        return
    from chit_sync.credentials import PartnerToken

    folder = os.path.dirname(user_config())
    token = PartnerToken(folder, one.url, lead.own).find()
    if token:
        PartnerToken(folder, address, lead.own).finish(token)


def _kind(url: str) -> str:
    """What is at an address: a helpdesk's kind, empty for a store."""
    return url.partition("+")[0] if is_helpdesk(url) else ""


def _address(url: str) -> str:
    if is_url(url):
        check_url(url)
    return os.path.abspath(url) if url.strip() and not is_url(url) else url


def _record(app: App, one: Remote, pending: Record | None = None) -> dict[str, Any]:
    counts = pending if pending is not None else remotes.pending(app.reading, one)._asdict()
    return {
        "schema": "chit.remote/1",
        "name": one.name,
        "url": one.url,
        "store": one.store,
        "contact": iso(one.contact),
        **counts,
        "helpdesk": None,
    }
