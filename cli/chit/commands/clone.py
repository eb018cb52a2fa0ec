"""`chit clone`."""

import os

import click

from chit.access import given_token
from chit.context import App
from chit.exchanged import pulled_record, say_pulled
from chit.exchanging import Progress, reach
from chit.fetching import get_all_bytes
from chit.framework import command
from chit.text import counted
from chit_sync.config import FILE, write_setting
from chit_sync.errors import ConflictError
from chit_sync.exchange.results import Pulled
from chit_sync.exchange.syncing import clone as copy
from chit_sync.helpdesks.address import is_helpdesk
from chit_sync.remotes.registry import check_url, is_url
from chit_sync.store import remotes
from chit_sync.store.database import DATABASE, Store
from chit_sync.store.discovery import FOLDER


@command()
@click.argument("url")
@click.argument("directory", required=False, metavar="[DIR]")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input, and keep it for the address.")
@click.option("--attachments", is_flag=True, help="Bring the bytes of attachments too.")
def clone(app: App, url: str, directory: str | None, token_stdin: bool, attachments: bool) -> None:
    """Copy another store, or the tickets of a helpdesk, into a new store here.

    \b
    chit clone https://desk.example/ desk
    chit clone /srv/desk desk
    chit clone redmine+https://desk.example/?queue=support desk

    The other store becomes the remote `origin`. Interrupted, `chit pull` in the new store goes on where it was.
    """
    address = url if is_url(url) else os.path.abspath(url)
    if is_helpdesk(address):
        check_url(address)
    path = os.path.join(os.path.abspath(directory or _name(address)), FOLDER)
    if os.path.exists(os.path.join(path, DATABASE)):
        raise ConflictError(f"there is a store at {path} already", "Go there and `chit pull`, or name another folder.")
    token = given_token(app, address) if token_stdin else None
    if is_helpdesk(address):
        _clone_helpdesk(app, address, path, token, attachments)
        return
    source = reach(app, address, token)
    try:
        if app.options.dry_run:
            info = source.info()
            _plan(app, path, Pulled(taken=info.last), counted(info.last, "change"))
            return
        with Progress(app, "clone") as progress:
            store, pulled = copy(path, address, source, progress=progress)
        with store:
            if attachments:
                get_all_bytes(app, store, remotes.get(store), source)
            _say(app, store, path, pulled)
    finally:
        source.close()


def _name(address: str) -> str:
    """What the folder is called where nobody says: as the other store's folder is, or as the helpdesk's host."""
    if is_helpdesk(address):
        from urllib.parse import urlsplit

        return urlsplit(address.partition("+")[2]).hostname or "desk"
    return os.path.basename(address.rstrip("/").removesuffix("/" + FOLDER)).partition(":")[0] or "desk"


def _clone_helpdesk(app: App, address: str, path: str, token: str | None, attachments: bool) -> None:
    from chit.helpdesks import mapping_of_clone, reach_desk, say_description
    from chit_sync.exchange.syncing import clone_helpdesk

    desk = reach_desk(app, address, token)
    try:
        about = desk.describe()
        if app.options.dry_run:
            count = len(desk.numbers())
            _plan(app, path, Pulled(created=count), counted(count, "ticket"))
            return
        with Progress(app, "clone") as progress:
            mapping = mapping_of_clone(app)
            store, pulled = clone_helpdesk(path, address, desk, mapping=mapping, about=about, progress=progress)
        with store:
            if attachments:
                get_all_bytes(app, store, remotes.get(store), desk)
            _say(app, store, path, pulled)
            say_description(app, remotes.DEFAULT, about)
            words = mapping_of_clone(app)(about)
            _be(app, path, str(words.to_ours("author", about.account.key)[1]))
    finally:
        desk.close()


def _be(app: App, path: str, name: str) -> None:
    """Who has no name of their own is called here as there, so that what they take is theirs there too."""
    if app.config.text("user.name") or app.environ.get("CHIT_USER") or not name or not name.isprintable():
        return
    write_setting(os.path.join(path, FILE), "user.name", name)
    app.say(f"you are called {name} here too; `chit config set user.name NAME` changes that")


def _plan(app: App, path: str, foreseen: Pulled, what: str) -> None:
    app.output.one({"schema": "chit.cloned/1", **foreseen._asdict(), "path": path}, lambda: path)
    app.say(f"would copy {what}")


def _say(app: App, store: Store, path: str, pulled: Pulled) -> None:
    record = {**pulled_record(store, pulled), "schema": "chit.cloned/1", "path": path}
    app.output.one(record, lambda: path)
    say_pulled(app, store, remotes.get(store), pulled)
