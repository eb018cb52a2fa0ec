"""What the commands that talk to remotes share: the remote, its token, progress, and what is said afterwards."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from chit.context import App, user_config
from chit.language import number, translate
from chit.text import SHORT_ID, counted
from chit_sync.errors import AccessError, ConflictError, UsageError
from chit_sync.exchange.results import News, Planned, Pulled, Pushed, RefusedMove
from chit_sync.helpdesks.address import is_helpdesk
from chit_sync.remotes.base import Log
from chit_sync.remotes.registry import is_http, is_readable_on_the_way, open_remote, takes_token
from chit_sync.store import partners, remotes
from chit_sync.store.database import Store
from chit_sync.store.partners import Partner
from chit_sync.store.reading import idents, load_many
from chit_sync.store.remotes import Remote
from chit_sync.ticket import Ticket, iso

if TYPE_CHECKING:
    from types import TracebackType

    from chit.helpdesks import MappingFor
    from chit_sync.credentials import Credential
    from chit_sync.helpdesks.base import Helpdesk

_BAR = 24
_SLOW_SECONDS = 1.0
_MOST_NEWS = 20
"""Lines on handoffs after a pull; --json has all."""


def chosen(app: App) -> Remote:
    """The remote of --remote, or the default one."""
    return remotes.get(app.store, app.options.remote)


def reach(app: App, url: str, token: str | None = None) -> Log:
    """The log at an address, with the token for it, or with this one."""
    if token is None and is_http(url):
        token = find_token(app, url)
    if token:
        warn_if_readable(app, url)
    return open_remote(url, token=token, timeout=patience(app, url))


def warn_if_readable(app: App, url: str) -> None:
    """Says so where a token is about to go where others can read it."""
    if is_readable_on_the_way(url):
        app.say("warning: the token goes over plain HTTP, where others can read it; use an https:// address")


def patience(app: App, url: str) -> float:
    """How many seconds to wait for an answer from there."""
    timeout = app.options.timeout or float(app.config.get("remote.timeout"))
    if app.options.verbose:
        app.say(f"asking {url}, waiting up to {timeout:g} seconds")
    return timeout


def connect(app: App, remote: Remote) -> "Log | Helpdesk":
    """The log of a remote, that of a lead with the token that its invitation gave; or the adapter of a helpdesk."""
    if is_helpdesk(remote.url):
        from chit.helpdesks import reach_desk

        return reach_desk(app, remote.url)
    lead = partners.of_remote(app.store, remote.id)
    if lead is None:
        return reach(app, remote.url)
    return reach(app, remote.url, lead_token(lead, remote.url)[0])


def mapping_of(app: App, remote: Remote) -> "MappingFor | None":
    """What makes the tables of a remote that is a helpdesk; None for any other."""
    if not is_helpdesk(remote.url):
        return None
    from chit.helpdesks import mapping_for

    return mapping_for(app, remote)


def lead_token(lead: Partner, url: str) -> tuple[str, str]:
    """The token that a lead's invitation gave, and the file that it is in. Raises AccessError."""
    from chit_sync.credentials import PartnerToken

    keeper = PartnerToken(os.path.dirname(user_config()), url, lead.own)
    token = keeper.find()
    if token is None:
        raise AccessError(
            f"the token for {lead.name} is not in {keeper.path}",
            "Whoever joined has it, if that was another user; else ask for a new invitation, then `chit partner join`.",
        )
    return token, keeper.path


def credential(app: App, url: str) -> "Credential | None":
    """The token for an address, and where it was found: the environment, a helper, .netrc or the credentials file."""
    from chit_sync.credentials import find

    folder, helper = os.path.dirname(user_config()), app.config.text("credential.helper")
    return find(url, app.environ, folder, home=os.path.expanduser("~"), helper=helper or None)


def find_token(app: App, url: str) -> str | None:
    """The token for an address; with -v it is said where it was found."""
    found = credential(app, url)
    if app.options.verbose:
        app.say(f"the token is from {found.source}" if found else "there is no token for it")
    return found.token if found else None


def given_token(app: App, url: str) -> str:
    """The token on standard input, which is kept for the address in the credentials file unless this is a dry run."""
    if not takes_token(url):
        raise UsageError("a token is for a server only", "Leave --token-stdin out.")
    token = piped_token()
    if not app.options.dry_run:
        from chit_sync.credentials import save

        save(os.path.dirname(user_config()), url, token)
    return token


def piped_token() -> str:
    """The first line of standard input. Raises UsageError if there is none."""
    token = sys.stdin.readline().strip()
    if not token:
        raise UsageError("there is no token on standard input", "Pipe it in: `chit … --token-stdin < FILE`.")
    return token


class Progress:
    """A progress bar on standard error for what takes over a second, on a terminal only."""

    def __init__(self, app: App, what: str) -> None:
        self.what = what
        self.shown = False
        self.silent = not sys.stderr.isatty() or app.options.quiet or app.options.json or app.options.jsonl
        if not self.silent:
            from time import monotonic

            self.clock: Callable[[], float] = monotonic
            self.began = self.last = monotonic()

    def __call__(self, done: int, total: int | None) -> None:
        if self.silent:
            return
        now = self.clock()
        if now - self.began < _SLOW_SECONDS or now - self.last < 0.1:
            return
        self.last = now
        if total:
            full = min(_BAR, _BAR * done // total)
            share = translate("{done} of {total}", done=number(f"{done:,}"), total=number(f"{total:,}"))
            text = f"{self.what} [{'#' * full}{'.' * (_BAR - full)}] {share}"
        else:
            text = f"{self.what} {number(f'{done:,}')}"
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()
        self.shown = True

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        if self.shown:
            sys.stderr.write("\r\x1b[K")


def pulled_record(store: Store, pulled: Pulled) -> dict[str, Any]:
    """What a pull came to, as JSON."""
    ids = idents(store, {*pulled.tickets, *(conflict.ticket for conflict in pulled.conflicts)})
    return {
        "schema": "chit.pulled/1",
        "taken": pulled.taken,
        "had": pulled.had,
        "tickets": [ids[number] for number in pulled.tickets if number in ids],
        "created": pulled.created,
        "conflicts": [{"ticket": ids.get(one.ticket), "path": one.path} for one in pulled.conflicts],
        "held": [held._asdict() for held in pulled.held],
        "warnings": list(pulled.warnings),
        "refused_moves": [{**one._asdict(), "ticket": ids.get(one.ticket)} for one in pulled.refused_moves],
        "news": [
            {**one._asdict(), "ticket": ids.get(one.ticket), "deadline": iso(one.deadline)} for one in pulled.news
        ],
    }


def pushed_record(store: Store, pushed: Pushed, leaving: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """What a push came to, as JSON. leaving: with --dry-run, what would leave for a partner and what would stay. planned: for a helpdesk,
    with --dry-run the calls, and always what stays here (without a verb); met: what was found changed there meanwhile."""
    concerned = {one.ticket for one in pushed.refused} | {one.ticket for one in pushed.planned}
    ids = idents(store, {*pushed.tickets, *concerned})
    return {
        "schema": "chit.pushed/1",
        "taken": pushed.taken,
        "had": pushed.had,
        "tickets": [ids[number] for number in pushed.tickets if number in ids],
        "refused": [{"ticket": ids.get(one.ticket), "reason": one.reason} for one in pushed.refused],
        "blobs": pushed.blobs,
        "leaving": leaving,
        "planned": [
            {"ticket": ids.get(one.ticket), "verb": one.verb or None, "what": one.what, "reason": one.reason or None}
            for one in pushed.planned
        ],
        "met": pulled_record(store, pushed.met),
    }


def say_pulled(app: App, store: Store, remote: Remote, pulled: Pulled) -> None:
    """What a pull into the store came to, for a person."""
    would = "would take" if app.options.dry_run else "took"
    if pulled.taken:
        new = f", {pulled.created:,} of them new" if pulled.created else ""
        app.say(
            f"{remote.name}: {would} {counted(pulled.taken, 'change')} of {counted(len(pulled.tickets), 'ticket')}{new}"
        )
    else:
        app.say(f"{remote.name}: nothing new")
    for warning in pulled.warnings:
        app.say(f"warning: {warning}")
    if is_helpdesk(remote.url):
        from chit.helpdesks import say_troubles

        say_troubles(app, store, remote)
    for held in pulled.held:
        app.say(f"kept aside, change {held.id[:12]}: {held.reason}")
    if pulled.conflicts:
        numbers = sorted({conflict.ticket for conflict in pulled.conflicts})
        app.say(f"{counted(len(pulled.conflicts), 'new conflict')}; `chit resolve TICKET` decides:")
        for ticket in load_many(store, numbers[:20]):
            app.say(
                f"    {ticket.id[:SHORT_ID]}  {', '.join(one.path for one in ticket.conflicts)}  {ticket.title}",
                as_is=True,
            )
    if pulled.news and not (app.options.quiet or app.output.structured):
        _say_news(app, store, pulled.news)


def _say_news(app: App, store: Store, news: Sequence[News]) -> None:
    """What the other sides of handoffs did."""
    from chit.tidings import told
    from chit_sync.times import local

    shown = news[-_MOST_NEWS:]
    tickets = {ticket.number: ticket for ticket in load_many(store, sorted({one.ticket for one in shown}))}
    for one in shown:
        ticket = tickets[one.ticket]
        name = f"{ticket.id[:SHORT_ID]} ({ticket.title})" if ticket.title else ticket.id[:SHORT_ID]
        until = "" if one.deadline is None else local(one.deadline, app.zone)
        app.say(told(one.verb, one.role, one.partner, name, one.text, until), as_is=True)
    if len(shown) < len(news):
        app.say(translate("and {count} more: `chit board`", count=len(news) - len(shown)), as_is=True)


def check_moves(app: App, store: Store, pulled: Pulled, *, failing: bool = False) -> None:
    """Says which moves of ours were refused, once all else was said. Raises ConflictError for the last one, unless the command is
    failing for another reason."""
    if not pulled.refused_moves:
        return
    tickets = {ticket.number: ticket for ticket in load_many(store, [one.ticket for one in pulled.refused_moves])}
    errors = [_refusal(one, tickets[one.ticket]) for one in pulled.refused_moves]
    for error in errors if failing else errors[:-1]:
        app.say(f"warning: {error.message}")
    if not failing:
        raise errors[-1]


def _refusal(one: RefusedMove, ticket: Ticket) -> ConflictError:
    from chit_sync.handoffs import command, what_now

    name, verb = ticket.id[:SHORT_ID], command(one.verb)
    handoff = next((handoff for handoff in ticket.handoffs if handoff.id == one.handoff), None)
    now = (
        what_now(handoff.status, handoff.role, countered=handoff.countered)
        if handoff
        else "Nothing was sent to a partner."
    )
    hint = f"{now} `chit show {name}` says how things stand."
    if one.role == "service":
        return ConflictError(f"{one.partner} refused `{verb}` on {name}: {one.reason}", hint)
    return ConflictError(f"`{verb}` on {name} was refused: {one.reason}", hint)


def say_pushed(app: App, remote: Remote, pushed: Pushed, *, pulled: bool = False) -> None:
    """What a push came to, for a person. pulled: whether a pull has told what a lead decided, which a push does not learn.

    Raises ConflictError if something was refused.
    """
    would = "would send" if app.options.dry_run else "sent"
    if pushed.taken or pushed.blobs:
        files = f" and {counted(pushed.blobs, 'file')}" if pushed.blobs else ""
        app.say(
            f"{remote.name}: {would} {counted(pushed.taken, 'change')} of {counted(len(pushed.tickets), 'ticket')}{files}"
        )
    elif not (pushed.refused or pushed.planned):
        app.say(f"{remote.name}: has everything")
    if pushed.planned:
        _say_planned(app, remote, pushed.planned)
    met = pushed.met
    if met.conflicts or met.warnings:
        say_pulled(app, app.store, remote, met)
    if not (pulled or pushed.refused or app.options.dry_run) and _awaits(app, remote, pushed):
        app.say(f"`chit sync --remote {remote.name}` tells what was decided there")
    if pushed.refused:
        first = pushed.refused[0]
        ident = idents(app.store, [first.ticket])[first.ticket][:SHORT_ID]
        left = {one.seq for one in remotes.refusals(app.store, [remote.name])}
        hint = "`chit status` lists them; mend the cause and `chit push --again`, or `chit undo`."
        if not any(one.seq in left for one in pushed.refused):  # a lead did not take it
            hint = "It is held back now: `chit release` sends it when it can cross, or keeps it here."
            if not pulled:
                hint = f"`chit sync --remote {remote.name}` tells what was decided there; this is held back now, see `chit release`."
        raise ConflictError(
            f"{remote.name} refused {counted(len(pushed.refused), 'change')}; of {ident}: {first.reason}", hint
        )


def _say_planned(app: App, remote: Remote, planned: Sequence[Planned]) -> None:
    """What stays here and why, each reason once; the calls of a dry run are shown by the command."""
    staying: dict[tuple[str, str], set[int]] = {}
    for one in planned:
        if not one.verb:
            kind = one.what.partition("/")[0]  # which of several comments or labels it is does not matter
            staying.setdefault((kind, one.reason), set()).add(one.ticket)
    for (kind, reason), tickets in staying.items():
        what = {"kind": translate(kind), "tickets": counted(len(tickets), "ticket"), "reason": translate(reason)}
        app.say(translate("{remote}: {kind} of {tickets} stays here: {reason}", remote=remote.name, **what), as_is=True)


def _awaits(app: App, remote: Remote, pushed: Pushed) -> bool:
    """Whether moves that a lead was sent count as unconfirmed: what it ruled comes with a pull."""
    lead = partners.of_remote(app.store, remote.id)
    return lead is not None and any(
        one.pending and one.role == partners.SERVICE and one.partner == lead.name
        for ticket in load_many(app.store, pushed.tickets)
        for one in ticket.handoffs
    )
