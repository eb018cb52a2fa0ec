"""`chit token`."""

import click

from chit.context import App
from chit.framework import group, subcommand
from chit_sync.store import tokens
from chit_sync.store.tokens import Token
from chit_sync.ticket import iso


@group()
def token() -> None:
    """Say who may use a served store."""


@subcommand(token)
@click.argument("name")
@click.option(
    "--scope", default="agent", show_default=True, metavar="SCOPE", help="admin, agent (reads and writes) or reader."
)
@click.option(
    "--right",
    "rights",
    multiple=True,
    metavar="RIGHT",
    help="What it may do around partners instead of what the scope may: outsource, accept, partners, finance, or none.",
)
def create(app: App, name: str, scope: str, rights: tuple[str, ...]) -> None:
    """Make a token; it is printed once and kept nowhere.

    \b
    chit token create anna > anna.token
    chit token create screen --scope reader
    chit token create berta --right accept --right finance

    Around partners an admin may do everything, an agent outsource and accept, a reader nothing; --right says otherwise.
    """
    made, secret = tokens.create(app.store, name, scope, rights=rights, dry_run=app.options.dry_run)
    if app.options.dry_run:
        app.output.one({**_record(made), "token": None}, str)
        app.say(f"would make a token {name!r} with the scope {scope}")
        return
    app.output.one({**_record(made), "token": secret}, lambda: secret)
    app.say("give it to whoever is to use the store; it is not shown again")


@subcommand(token, "list")
def list_(app: App) -> None:
    """List the tokens, without their secrets."""
    found = tokens.listing(app.reading)
    rows = [
        (str(one.id), one.name, one.scope, iso(one.created) or "", iso(one.revoked) or "", ",".join(_rights(one)))
        for one in found
    ]
    app.output.many(
        map(_record, found),
        lambda: app.output.table(("ID", "NAME", "SCOPE", "CREATED", "REVOKED", "RIGHTS"), rows) if rows else "",
    )
    if not found:
        app.say("no tokens; `chit token create NAME` makes one")


@subcommand(token)
@click.argument("name")
def revoke(app: App, name: str) -> None:
    """End a token, by its name or id; it is refused from now on.

    \b
    chit token revoke anna
    """
    ended = tokens.revoke(app.store, name, dry_run=app.options.dry_run)
    app.output.one(_record(ended), lambda: ended.name)
    app.say(f"{'would revoke' if app.options.dry_run else 'revoked'} the token {ended.name!r}")


def _rights(one: Token) -> list[str]:
    from chit_sync.policy import RIGHTS, holds  # late: it brings all that checks changes

    return [right for right in RIGHTS if holds(one.scope, one.rights, right)]


def _record(one: Token) -> dict[str, object]:
    return {
        "schema": "chit.token/1",
        "id": str(one.id),
        "name": one.name,
        "scope": one.scope,
        "rights": _rights(one),
        "created": iso(one.created),
        "revoked": iso(one.revoked),
    }
