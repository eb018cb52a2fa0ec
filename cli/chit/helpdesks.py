"""What the commands that talk to helpdesks share: the adapter, the tables of the configuration, who we are there, what is not carried."""

from collections.abc import Callable
from typing import Any

from chit.access import find_token, patience, warn_if_readable
from chit.context import App
from chit.language import translate
from chit.text import clean, counted
from chit_sync import config
from chit_sync.errors import AccessError, ConflictError, RemoteError, UsageError
from chit_sync.exchange.results import Progress, Pulled
from chit_sync.helpdesks.address import is_helpdesk
from chit_sync.helpdesks.base import Description, Helpdesk, Person
from chit_sync.helpdesks.mapping import Mapping, defaults, statuses_for
from chit_sync.helpdesks.settings import Tables
from chit_sync.remotes.registry import open_helpdesk
from chit_sync.store import remotes
from chit_sync.store.database import Store
from chit_sync.store.remotes import DEFAULT, Remote

MappingFor = Callable[[Description], Mapping]
"""Makes the tables of a remote from what the helpdesk says of itself."""


def reach_desk(app: App, url: str, token: str | None = None) -> Helpdesk:
    """The adapter for an address, with the token for it, or with this one. Raises AccessError if there is none."""
    token = token or find_token(app, url)
    if token is None:
        place = url.partition("?")[0]
        raise AccessError(f"there is no token for {place}", f"`chit auth login {place}` asks for one and keeps it.")
    warn_if_readable(app, url)
    return open_helpdesk(url, token=token, timeout=patience(app, url))


def check_helpdesk(remote: Remote, purpose: str) -> None:
    """Raises UsageError for a remote that is no helpdesk. purpose: what only helpdesks have, as the beginning of a sentence."""
    if not is_helpdesk(remote.url):
        raise UsageError(
            f"{purpose} only for helpdesks, and {remote.name} is a store", "Name a helpdesk with --remote NAME."
        )


def mapping_for(app: App, remote: Remote) -> MappingFor:
    """What makes the tables of a remote, under what the configuration says of it."""
    tables = _tables(app, remote.name)
    if tables.new is None:
        tables = tables._replace(new=remotes.get(app.reading).id == remote.id)
    return lambda about: defaults(about, app.reading.statuses, remote.name, tables)


def mapping_of_clone(app: App) -> MappingFor:
    """The same for a store that is yet to be made from the helpdesk, and has its statuses."""
    tables = _tables(app, DEFAULT)
    if tables.new is None:
        tables = tables._replace(new=True)
    return lambda about: defaults(about, statuses_for(about), DEFAULT, tables)


def _tables(app: App, remote: str) -> Tables:
    """What the configuration says; the settings may also be given with -c."""
    paths = [source.name for source in app.config.sources[2:]]  # after -c and the environment
    tables = config.helpdesk_tables(paths, remote)
    key = f"{config.SECTION_OF_HELPDESKS}.{remote}"
    return tables._replace(send=app.config.get(f"{key}.send"), new=app.config.get(f"{key}.new"))


def described(app: App, remote: Remote) -> Description:
    """What a helpdesk says of itself: as it is kept for a day, or asked now."""
    from chit_sync.exchange.mirror.session import Session

    desk = reach_desk(app, remote.url)
    try:
        return Session(app.store, remote, desk).about
    finally:
        desk.close()


def introduce(app: App, remote: Remote) -> None:
    """Says who we are at a helpdesk that was just named; that nobody can be asked there yet is no error, but is said."""
    try:
        about = described(app, remote)
    except (AccessError, RemoteError) as error:
        app.say(f"warning: {error.message}")
        app.say(f"`chit auth login {remote.name}` says who you are there")
        return
    say_description(app, remote.name, about)


def pull_from(app: App, remote: Remote, desk: Helpdesk, progress: Progress, *, full: bool) -> Pulled:
    """Takes what changed there; full: also looks for what is gone. Many deletions are asked about, unless --yes has agreed to them."""
    from chit_sync.exchange.mirror.reading import pull

    mapping, dry_run = mapping_for(app, remote), app.options.dry_run

    def take(agree: bool) -> Pulled:
        return pull(
            app.store, remote, desk, mapping=mapping, progress=progress, dry_run=dry_run, full=full, agree=agree
        )

    try:
        return take(app.options.yes or dry_run)
    except ConflictError as error:
        if not (full and app.interactive):
            raise
        app.confirm(f"{error.message}. Delete them here too?")
        return take(True)


def say_troubles(app: App, store: Store, remote: Remote) -> None:
    """How much of what is there could not be taken in."""
    from chit_sync.store.bases import troubles

    found = troubles(store, remote.id)
    if found:
        first = found[0]
        app.say(
            f"warning: {counted(len(found), 'value')} cannot be taken in; of #{first.number}: {first.reason}; `chit status` lists them"
        )


def person_record(person: Person) -> dict[str, Any]:
    """Somebody there as JSON."""
    return {"key": person.key, "name": person.name or None, "email": person.email or None}


def named(person: Person) -> str:
    """Somebody there for people: `agent1 (Agent One)`."""
    return clean(f"{person.key} ({person.name})" if person.name and person.name != person.key else person.key)


def titled(about: Description) -> str:
    """The helpdesk for people: what it is, and its version if it tells."""
    return clean(f"{about.title} {'' if about.version == 'unknown' else about.version}".strip())


def say_description(app: App, name: str, about: Description) -> None:
    """Who we are at a helpdesk, and in one line what it cannot carry."""
    app.say(translate("{person} at {helpdesk}", person=named(about.account), helpdesk=titled(about)), as_is=True)
    never = [feature for feature, how in about.features.items() if not (how.read or how.write)]
    reads = [feature for feature, how in about.features.items() if how.read and not how.write and feature != "history"]
    parts = []
    if never:
        parts.append(translate("it does not carry {features}", features=", ".join(map(translate, never))))
    if reads:
        parts.append(translate("it takes no changes to {features}", features=", ".join(map(translate, reads))))
    parts.append(translate("`chit remote show {name}` says more", name=name))
    app.say("; ".join(parts), as_is=True)
