"""`chit partner`."""

import os
import sys

import click

from chit.context import App, user_config
from chit.framework import group, subcommand
from chit.text import SHORT_ID, ago
from chit_sync import invitation as invitations
from chit_sync.authoring import Done, record
from chit_sync.errors import NotFoundError, UsageError
from chit_sync.invitation import Invitation
from chit_sync.store import inviting, partners, remotes
from chit_sync.store.partners import Partner
from chit_sync.ticket import iso


@group()
def partner() -> None:
    """Share tickets with other organisations."""


@subcommand(partner)
@click.argument("name")
@click.option("--as", "own", metavar="NAME", help="What the partner is to call this organisation.")
@click.option("--url", metavar="URL", help="Where the partner reaches this store: https://… as it is served.")
@click.option("--expires", default="7d", show_default=True, metavar="TIME", help="Until when it is good.")
def invite(app: App, name: str, own: str | None, url: str | None, expires: str) -> None:
    """Invite an organisation to work on tickets of this store.

    \b
    chit partner invite acme --as globex --url https://desk.example > invitation

    It prints the invitation, one long word; send it to the partner by a way that others do not read. It is good once. Inviting a partner
    again that has not joined yet makes the earlier invitation void. Without --as and --url the settings partner.name and partner.url
    hold.
    """
    from chit_sync.remotes.registry import is_http
    from chit_sync.times import deadline, local

    store = app.store
    own = own or app.config.text("partner.name") or partners.own_name(store)
    if not own:
        raise UsageError(
            "nobody knows what this organisation is called", "Say --as NAME, or `chit config set partner.name NAME`."
        )
    place = url or app.config.text("partner.url") or os.path.abspath(app.store_path)
    span = deadline(expires, app.now, app.zone) - app.now
    dry = app.options.dry_run
    invitations.check_address(place)
    invited, secret, until = inviting.invite(store, name, own=own, expires_in=span, dry_run=dry)
    word = invitations.spell(Invitation(place, store.meta("store"), secret, own, name))
    record = {**_record(app, invited, "invited"), "url": place, "expires": iso(until)}
    app.output.one({**record, "invitation": None if dry else word}, lambda: "" if dry else word)
    if not is_http(place):
        app.say(f"it names a path, {place}, so it is good on this machine only; --url or partner.url says an address")
    _warn(app, place)
    if dry:
        app.say(f"would invite {name}, as {own}")
        return
    app.say(f"an invitation for {name} from {own}: a secret, good once, until {local(until, app.zone)}")
    app.say(f"send it to {name}, where `chit partner join -` reads it")


@subcommand(partner)
@click.argument("invitation")
@click.option(
    "--name", metavar="REMOTE", help="What the partner's store is called among the remotes; else as the partner."
)
@click.option("--organization", metavar="NAME", help="The organisation on which the partner's tickets are booked here.")
def join(app: App, invitation: str, name: str | None, organization: str | None) -> None:
    """Join an organisation that has invited this one.

    \b
    chit partner join - < invitation
    chit partner join chit1_eyJ1Ijoia…

    With - it is read from standard input, so that nobody sees it in the list of processes. The partner's store becomes a remote. If the
    answer is lost, run it again.
    """
    from chit_sync.checks import check

    store = app.store
    read = invitations.read(_given(app) if invitation == "-" else invitation)
    if organization is not None:
        check("organization", organization)
    remote = inviting.check_joining(store, read, name)
    _warn(app, read.url)
    if app.options.dry_run:
        joined = inviting.joined(store, read, remote=name, booked=organization, dry_run=True)
        app.output.one(_record(app, joined, "joined", remote), lambda: remote)
        app.say(f"would join {read.lead} as {read.name}, at {read.url}")
        return
    joined = _join(app, read, name, organization)
    app.output.one(_record(app, joined, "joined", remote), lambda: remote)
    app.say(f"joined {joined.name} as {joined.own}; `chit pull --remote {remote}` takes what is offered")


@subcommand(partner, "list")
def list_(app: App) -> None:
    """List the partners, what they are to us, and whether they have joined."""
    store = app.reading
    found = [(one, partners.state(store, one)) for one in partners.listing(store)]
    rows = [
        (one.name, one.role, ago(one.created, app.now) if app.terminal else iso(one.created) or "", state)
        for one, state in found
    ]
    app.output.many(
        [_record(app, *one) for one in found],
        lambda: app.output.table(("NAME", "ROLE", "SINCE", "STATE"), rows) if rows else "",
    )
    if not found:
        app.say("no partners; `chit partner invite NAME` invites one")


@subcommand(partner)
@click.argument("name")
@click.option("--role", type=click.Choice([partners.LEAD, partners.SERVICE]), help="Of one that is both: as what.")
def end(app: App, name: str, role: str | None) -> None:
    """End a partnership: no new offers; what was agreed on goes on.

    Offers to a service partner that it has not answered yet are canceled.

    \b
    chit partner end acme
    """
    store = app.store
    before = partners.get(store, name, role)
    already = partners.state(store, before) == "ended"
    canceled = _cancel(app, before)
    ended = partners.end(store, name, role=before.role, dry_run=app.options.dry_run)
    app.output.one(_record(app, ended, "ended"), lambda: ended.name)
    if already:
        app.say(f"nothing to do: the partnership with {ended.name} was ended before")
    else:
        done = "would end" if app.options.dry_run else "ended"
        app.say(f"{done} the partnership with {ended.name}: no new offers; what was agreed on goes on")
    if canceled:
        offers = ", ".join(one.id[:SHORT_ID] for one in canceled)
        app.say(f"would cancel the offer of {offers}" if app.options.dry_run else f"canceled the offer of {offers}")


def _cancel(app: App, partner: Partner) -> list[Done]:
    """Takes back what a service partner was offered and has not answered."""
    numbers = partners.offers(app.store, partner.name) if partner.role == partners.SERVICE else []
    if not numbers:
        return []
    from chit_sync import outsourcing
    from chit_sync.store.reading import load_many

    reason = "the partnership has ended"
    edits = [
        outsourcing.act(app.store, ticket, "cancel", partner=partner.name, reason=reason)
        for ticket in load_many(app.store, numbers)
    ]
    return record(app.store, edits, by=app.actor, command="partner end", dry_run=app.options.dry_run)


def _given(app: App) -> str:
    """The invitation on standard input."""
    if app.interactive:
        app.say("paste the invitation, then press Enter")
        return sys.stdin.readline()
    return sys.stdin.buffer.read(2 * invitations.MAX_INVITATION + 1).decode("ascii", "replace")


def _join(app: App, read: Invitation, remote: str | None, booked: str | None) -> Partner:
    from chit_sync.credentials import PartnerToken
    from chit_sync.exchange import joining
    from chit_sync.remotes.registry import open_remote

    timeout = app.options.timeout or float(app.config.get("remote.timeout"))
    try:
        log = open_remote(read.url, timeout=timeout)
    except NotFoundError:
        raise NotFoundError(
            f"there is no store at {read.url}, which the invitation names",
            "A path is good on the machine where the invitation was made; ask for one with an address.",
        ) from None
    try:
        keeper = PartnerToken(os.path.dirname(user_config()), read.url, read.name)
        return joining.join(app.store, read, log, keeper, remote=remote, booked=booked)
    finally:
        log.close()


def _warn(app: App, url: str) -> None:
    from chit_sync.remotes.registry import is_readable_on_the_way

    if is_readable_on_the_way(url):
        app.say("warning: the partner's token goes over plain HTTP, where others can read it; use an https:// address")


def _record(app: App, one: Partner, state: str, remote: str | None = None) -> dict[str, object]:
    names = {each.id: each.name for each in remotes.listing(app.reading)} if one.remote is not None else {}
    return {
        "schema": "chit.partner/1",
        "name": one.name,
        "role": one.role,
        "own": one.own,
        "state": state,
        "created": iso(one.created),
        "ended": iso(one.ended),
        "store": one.store,
        "remote": remote or names.get(one.remote or 0),
        "organization": one.booked,
    }
