"""`chit auth`."""

import os
from typing import Any, NamedTuple

import click

from chit.access import credential, lead_token, piped_token
from chit.context import App, user_config
from chit.exchanging import reach
from chit.framework import group, subcommand
from chit.language import translate
from chit_sync.errors import AccessError, ChitError, NotFoundError, UsageError
from chit_sync.helpdesks.address import is_helpdesk
from chit_sync.remotes.registry import check_url, is_http, is_url, takes_token
from chit_sync.store import partners, remotes
from chit_sync.store.remotes import Remote


@group()
def auth() -> None:
    """Keep tokens for servers and helpdesks, and say whose they are."""


class Known(NamedTuple):
    """Who a server or helpdesk is, and who we are there: as a record, and in words."""

    service: str
    account: dict[str, Any] | None
    words: str


@subcommand(auth)
@click.argument("remote", required=False, metavar="[REMOTE|URL]")
@click.option("--user", metavar="LOGIN", help="Log in with a password as LOGIN instead of a token; helpdesks only.")
@click.option("--token-stdin", is_flag=True, help="Read the token or password from standard input.")
def login(app: App, remote: str | None, user: str | None, token_stdin: bool) -> None:
    """Keep a token, or login and password, for a remote.

    They are asked for without being shown. The remote is asked first who that is; what it does not know is not kept.

    \b
    chit auth login                      for the default remote
    chit auth login desk --user anna     with a password
    chit auth login https://desk.example/ --token-stdin < token
    """
    url = _address(app, remote)
    if user is not None and not is_helpdesk(url):
        raise UsageError(
            "a chit server takes tokens only", "Leave --user out; `chit token create` makes a token there."
        )
    if user is not None and (not user or ":" in user):
        raise UsageError(f"{user!r} cannot be a login", "It has no colon.")
    secret = piped_token() if token_stdin else _asked(app, url, user)
    if user is not None:
        secret = f"{user}:{secret}"
    known = _who(app, url, secret)
    path = None
    if not app.options.dry_run:
        from chit_sync.credentials import save

        path = save(_folder(), url, secret)
    record = {"schema": "chit.login/1", "url": url, "kept": path, "service": known.service, "account": known.account}
    app.output.one(record, str)
    app.say(known.words, as_is=True)
    app.say(f"kept it in {path}" if path else "would keep it")


@subcommand(auth)
@click.argument("remote", required=False)
@click.option("--check", is_flag=True, help="Ask each remote who we are there.")
def status(app: App, remote: str | None, check: bool) -> None:
    """Say for each remote where its token comes from.

    The token itself is never shown.

    \b
    chit auth status
    chit auth status origin --check
    """
    name = remote or app.options.remote
    found = [remotes.get(app.reading, name)] if name else remotes.listing(app.reading)
    records, errors = [], []
    for one in found:
        record, error = _state(app, one, check)
        records.append(record)
        errors += [error] if error else []
    headers = ("NAME", "URL", "TOKEN FROM", *(("WHO",) if check else ()))
    app.output.many(
        records, lambda: app.output.table(headers, [_row(one, check) for one in records]) if records else ""
    )
    if not found:
        app.say("no remotes; `chit remote add NAME URL` names one")
    for error in errors[:-1]:
        app.say(f"warning: {error.message}")
    if errors:
        raise errors[-1]


@subcommand(auth)
@click.argument("remote", required=False, metavar="[REMOTE|URL]")
def logout(app: App, remote: str | None) -> None:
    """Forget what is kept for a remote.

    \b
    chit auth logout origin
    """
    from chit_sync.credentials import kept, remove

    url = _address(app, remote)
    had = kept(_folder(), url)
    if had and not app.options.dry_run:
        remove(_folder(), url)
    app.output.one({"schema": "chit.logout/1", "url": url, "forgotten": had}, str)
    would = "would forget" if app.options.dry_run else "forgot"
    app.say(f"{would} the token for {url}" if had else f"no token is kept for {url}")
    left = None if app.options.dry_run else credential(app, url)
    if left:
        app.say(f"a token is still found in {left.source}")


def _address(app: App, named: str | None) -> str:
    """The address that a remote's name or a URL means. Raises UsageError for one that takes no token."""
    if named is not None and is_url(named):
        check_url(named)
        url = _helpdesk_at(app, named) if is_http(named) else named
    else:
        one = remotes.get(app.reading, named or app.options.remote)
        lead = partners.of_remote(app.reading, one.id)
        if lead is not None:
            raise UsageError(
                f"{one.name} is the store of the partner {lead.name}",
                "Its token comes with an invitation: `chit partner join`.",
            )
        url = one.url
    if not takes_token(url):
        raise UsageError(f"{url} takes no token", "A token is for a server or a helpdesk.")
    return url


def _helpdesk_at(app: App, url: str) -> str:
    """The remote's address where it is that of a helpdesk at this web address, whose kind was left out."""
    try:
        known = remotes.listing(app.reading)
    except NotFoundError:
        return url
    plain = [
        (one.url, one.url.partition("+")[2].partition("?")[0].rstrip("/")) for one in known if is_helpdesk(one.url)
    ]
    return next((address for address, base in plain if base == url.rstrip("/")), url)


def _asked(app: App, url: str, user: str | None) -> str:
    """What somebody types without its being shown."""
    if not app.interactive:
        raise UsageError("there is nobody to ask for a token", "Pipe it in with --token-stdin.")
    question = (
        translate("Password of {user} at {url}", user=user, url=url)
        if user is not None
        else translate("Token for {url}", url=url)
    )
    answer: str = click.prompt(question, hide_input=True, err=True)
    return answer.strip()


def _who(app: App, url: str, secret: str | None) -> Known:
    """Asks a server or helpdesk who it is and, if it tells, who we are there. Raises AccessError, RemoteError."""
    if is_helpdesk(url):
        from chit.helpdesks import named, person_record, reach_desk, titled

        desk = reach_desk(app, url, secret)
        try:
            about = desk.describe()
        finally:
            desk.close()
        words = translate("{person} at {helpdesk}", person=named(about.account), helpdesk=titled(about))
        return Known(titled(about), person_record(about.account), words)
    log = reach(app, url, secret)
    try:
        info = log.info()
    finally:
        log.close()
    name = info.name or url
    return Known(name, None, translate("{server} knows the token", server=name))


def _state(app: App, one: Remote, check: bool) -> tuple[dict[str, Any], ChitError | None]:
    """How it stands with the token for a remote."""
    record: dict[str, Any] = {
        "schema": "chit.access/1", "remote": one.name, "url": one.url, "source": None, "account": None, "service": None, "good": None,
    }  # fmt: skip
    lead = partners.of_remote(app.reading, one.id)
    secret: str | None
    try:
        if lead is not None:
            secret, record["source"] = lead_token(lead, one.url)
        elif takes_token(one.url):
            found = credential(app, one.url)
            secret = found.token if found else None
            record["source"] = found.source if found else None
        else:
            return record, None
        if check:
            if secret is None and is_helpdesk(one.url):
                raise AccessError(f"there is no token for {one.name}", f"`chit auth login {one.name}` asks for one.")
            known = _who(app, one.url, secret)
            record |= {"account": known.account, "service": known.service, "good": True}
    except ChitError as error:
        record["good"] = False if check and isinstance(error, AccessError) else None
        return record, error
    return record, None


def _row(record: dict[str, Any], check: bool) -> tuple[str, ...]:
    row = record["remote"], record["url"], record["source"] or "-"
    who = {True: "known", False: "refused", None: "-"}[record["good"]]
    return (*row, record["account"]["key"] if record["account"] else who) if check else row


def _folder() -> str:
    return os.path.dirname(user_config())
