"""`chit init`."""

import os

import click

from chit.context import App, user_store
from chit.framework import command
from chit_sync.errors import ConflictError
from chit_sync.store.database import DATABASE
from chit_sync.store.discovery import FOLDER
from chit_sync.store.opening import create


@command()
@click.argument("directory", required=False, metavar="[DIR]")
@click.option("--user", is_flag=True, help="Make your own store, used wherever there is no other around.")
def init(app: App, directory: str | None, user: bool) -> None:
    """Make an empty store.

    It is a folder .chit in DIR, or here, and is found from every folder below.

    \b
    chit init
    chit init desk
    """
    path = user_store() if user else os.path.join(os.path.abspath(directory or app.directory), FOLDER)
    identity = ""
    if app.options.dry_run and os.path.exists(os.path.join(path, DATABASE)):
        raise ConflictError(f"there is a store at {path} already")
    if not app.options.dry_run:
        with create(path) as store:
            identity = store.meta("store")
    record = {"schema": "chit.store/1", "path": path, "store": identity or None}
    if app.output.structured:
        app.output.one(record, str)
    else:
        app.output.lines([path])
        app.say(
            "would make a store there"
            if app.options.dry_run
            else 'an empty store; `chit new -m "…"` writes the first ticket'
        )
