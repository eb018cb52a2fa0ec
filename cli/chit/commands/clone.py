"""`chit clone`."""

import os

import click

from chit.context import App
from chit.exchanging import Progress, get_all_bytes, given_token, pulled_record, reach, say_pulled
from chit.framework import command
from chit.text import counted
from chit_sync.errors import ConflictError
from chit_sync.exchange.results import Pulled
from chit_sync.exchange.syncing import clone as copy
from chit_sync.remotes.registry import is_url
from chit_sync.store import remotes
from chit_sync.store.database import DATABASE
from chit_sync.store.discovery import FOLDER


@command()
@click.argument("url")
@click.argument("directory", required=False, metavar="[DIR]")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input, and keep it for the address.")
@click.option("--attachments", is_flag=True, help="Bring the bytes of attachments too.")
def clone(app: App, url: str, directory: str | None, token_stdin: bool, attachments: bool) -> None:
    """Copy another store into a new one here.

    \b
    chit clone https://desk.example/ desk
    chit clone /srv/desk desk

    The other store becomes the remote `origin`. Interrupted, `chit pull` in the new store goes on where it was.
    """
    address = url if is_url(url) else os.path.abspath(url)
    name = directory or os.path.basename(address.rstrip("/").removesuffix("/" + FOLDER)).partition(":")[0] or "desk"
    path = os.path.join(os.path.abspath(name), FOLDER)
    if os.path.exists(os.path.join(path, DATABASE)):
        raise ConflictError(f"there is a store at {path} already", "Go there and `chit pull`, or name another folder.")
    source = reach(app, address, given_token(app, address) if token_stdin else None)
    try:
        if app.options.dry_run:
            info = source.info()
            planned = {"schema": "chit.cloned/1", **Pulled(taken=info.last)._asdict(), "path": path}
            app.output.one(planned, lambda: path)
            app.say(f"would copy {counted(info.last, 'change')}")
            return
        with Progress(app, "clone") as progress:
            store, pulled = copy(path, address, source, progress=progress)
        with store:
            remote = remotes.get(store)
            if attachments:
                get_all_bytes(app, store, source)
            record = {**pulled_record(store, pulled), "schema": "chit.cloned/1", "path": path}
            app.output.one(record, lambda: path)
            say_pulled(app, store, remote, pulled)
    finally:
        source.close()
