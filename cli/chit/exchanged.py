"""What an exchange came to, as JSON and for people: what was taken, sent, refused, held back, and what came of handoffs."""

from collections.abc import Sequence
from typing import Any

from chit.context import App
from chit.language import translate
from chit.text import SHORT_ID, counted
from chit_sync.errors import ConflictError
from chit_sync.exchange.results import News, Planned, Pulled, Pushed, RefusedMove
from chit_sync.helpdesks.address import is_helpdesk
from chit_sync.store import partners, remotes
from chit_sync.store.database import Store
from chit_sync.store.reading import idents, load_many
from chit_sync.store.remotes import Remote
from chit_sync.ticket import Ticket, iso

_MOST_NEWS = 20
"""Lines on handoffs after a pull; --json has all."""


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

    Raises ConflictError if something was refused, or stays because of a conflict.
    """
    met, undecided = pushed.met, _undecided(pushed)
    if met.conflicts or met.warnings or met.taken:
        say_pulled(app, app.store, remote, met)
    would = "would send" if app.options.dry_run else "sent"
    if pushed.taken or pushed.blobs:
        files = f" and {counted(pushed.blobs, 'file')}" if pushed.blobs else ""
        app.say(
            f"{remote.name}: {would} {counted(pushed.taken, 'change')} of {counted(len(pushed.tickets), 'ticket')}{files}"
        )
    elif not (pushed.refused or pushed.planned):
        app.say(f"{remote.name}: has everything")
    if pushed.planned:
        _say_planned(app, remote, [one for one in pushed.planned if one not in undecided or app.options.dry_run])
    if not (pulled or pushed.refused or app.options.dry_run) and _awaits(app, remote, pushed):
        app.say(f"`chit sync --remote {remote.name}` tells what was decided there")
    decide: ConflictError | None = None
    if undecided and not app.options.dry_run:
        decide = _decision(app, remote, undecided)
        if pushed.refused:
            app.say(f"warning: {decide.message}")
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
    if decide:
        raise decide


def _undecided(pushed: Pushed) -> list[Planned]:
    """What a helpdesk was not sent because it is in conflict."""
    if not pushed.planned:
        return []
    from chit_sync.helpdesks.planning import IN_CONFLICT

    return [one for one in pushed.planned if not one.verb and one.reason == IN_CONFLICT]


def _decision(app: App, remote: Remote, planned: Sequence[Planned]) -> ConflictError:
    """That something was not sent because somebody wrote something else there."""
    first = planned[0]
    ident = idents(app.store, [first.ticket])[first.ticket][:SHORT_ID]
    return ConflictError(
        f"{counted(len(planned), 'field')} not sent to {remote.name}, as somebody wrote something else there; of {ident}: {first.what}",
        f"`chit resolve {ident}` decides, then `chit push{'' if remote.name == remotes.DEFAULT else f' --remote {remote.name}'}`.",
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
