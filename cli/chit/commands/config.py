"""`chit config`."""

import os
from typing import Any

import click

from chit.context import App, user_config
from chit.framework import group, subcommand
from chit.output import plain
from chit_sync import config as settings
from chit_sync.errors import UsageError


@group()
def config() -> None:
    """Show or change settings.

    A setting holds from the first of: -c KEY=VALUE, CHIT_SECTION_KEY in the environment, the store's config.toml, the user's.
    """


@subcommand(config)
@click.argument("key")
def get(app: App, key: str) -> None:
    """Print what holds for a setting.

    \b
    chit config get user.name
    """
    settings.known(key)
    value, origin = app.config.origin(key)
    app.output.one(_record(key, value, origin), lambda: plain(value))


@subcommand(config, "set")
@click.argument("key")
@click.argument("value", required=False)
@click.option("--user", is_flag=True, help="For every store of yours, not for this one alone.")
@click.option("--unset", is_flag=True, help="Take the setting away.")
def set_(app: App, key: str, value: str | None, user: bool, unset: bool) -> None:
    """Set a setting in this store, or with --user for all of them.

    \b
    chit config set --user user.name "Anna Berg"
    chit config set list.limit 100
    chit config set --unset core.pager
    """
    if (value is None) != unset:
        raise UsageError("give a value, or --unset")
    settings.known(key)
    checked = None if value is None else settings.checked(key, value)
    path = user_config() if user else os.path.join(app.store_path, settings.FILE)
    if not app.options.dry_run:
        settings.write_setting(path, key, checked)
    app.output.one(_record(key, checked, path), lambda: "")
    done = ("would unset" if unset else "would set") if app.options.dry_run else "unset" if unset else "set"
    app.say(f"{done} {key} in {path}")


@subcommand(config, "list")
@click.option("--show-origin", is_flag=True, help="Say where each comes from.")
def list_(app: App, show_origin: bool) -> None:
    """Print every setting and what holds; of those of helpdesks the ones that are set."""
    of_helpdesks = {key for source in app.config.sources for key in source.values} - {*settings.SETTINGS}
    found = [(key, *app.config.origin(key)) for key in (*settings.SETTINGS, *sorted(of_helpdesks))]
    rows = [(key, plain(value), *((origin,) if show_origin else ())) for key, value, origin in found]
    headers = ("SETTING", "VALUE", *(("FROM",) if show_origin else ()))
    app.output.many([_record(*one) for one in found], lambda: app.output.table(headers, rows))


@subcommand(config)
@click.argument("assignments", nargs=-1, metavar="[STATUS=CATEGORY]…")
def statuses(app: App, assignments: tuple[str, ...]) -> None:
    """Show the statuses that a ticket can have, or set the whole list.

    \b
    Categories: new, open, pending, review, resolved, closed, rejected.
    chit config statuses new=new working=open waiting=pending done=closed
    """
    wanted = app.reading.statuses
    if assignments:
        pairs = dict(assignment.partition("=")[::2] for assignment in assignments)
        wanted = settings.check_statuses(pairs)
        from chit_sync.store.statuses import set_statuses

        set_statuses(app.store, wanted, dry_run=app.options.dry_run)
        app.say(
            "would set the statuses"
            if app.options.dry_run
            else "set the statuses; a clone made from now on has them too"
        )
    rows = list(wanted.items())
    records = [{"schema": "chit.category/1", "status": name, "category": category} for name, category in rows]
    app.output.many(records, lambda: app.output.table(("STATUS", "CATEGORY"), rows))


def _record(key: str, value: Any, origin: str) -> dict[str, Any]:
    return {"schema": "chit.setting/1", "key": key, "value": value, "origin": origin}
