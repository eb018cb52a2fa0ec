"""`chit status`."""

from typing import TYPE_CHECKING

import click

from chit.context import App
from chit.errors import DIFFERENT
from chit.framework import command
from chit.language import translate
from chit.text import SHORT_ID, ago, clean, counted, paint
from chit_sync.store.overview import Exchange, Overview, overview
from chit_sync.store.reading import idents
from chit_sync.ticket import iso

if TYPE_CHECKING:
    from chit_sync.store.waiting import Kind

_MOST_SHOWN = 10
"""Refusals that a person is shown; --json has all."""

_TABLE = {
    "offers": "offered to you, {count}: `chit accept`, `chit decline` or `chit counter`",
    "counter_offers": "other terms proposed, {count}: `chit outsource TICKET` agrees, `chit cancel` refuses",
    "declined": "declined or given back, {count}: `chit outsource TICKET PARTNER` offers it again",
    "to_re_assign": "canceled or taken back, {count}: `chit outsource TICKET PARTNER` offers it again",
    "submissions": "submitted for your approval, {count}: `chit approve` or `chit reject`",
    "questions": "open questions to you, {count}: `chit ask TICKET --answer`",
    "deadlines": "deadlines that have passed or will within two days, {count}:",
    "held": "held back from a partner, {count}: `chit release TICKET --all` sends it when it can cross",
    "unconfirmed": "not confirmed by the lead's store yet, {count}: it decides at the next `chit sync`",
    "refused": "refused by the lead's store, {count}:",
}
"""What waits in handoffs, by kind."""


@command()
@click.option("--exit-code", is_flag=True, help="End with 10 if anything is unsent, refused or in conflict.")
def status(app: App, exit_code: bool) -> int:
    """Say what is unsent, refused or in conflict, and what to do next.

    Where tickets are outsourced also: offers, counter-offers, questions and submissions that wait for your answer, open tickets that came
    back from a partner and are with nobody, deadlines that have passed or will within two days, items held back, moves that the lead's
    store has not confirmed, and moves that it has refused. Of a refused move you are told for two weeks, or until anything else is tried
    or happens with that ticket and partner.
    """
    found = overview(app.reading, app.now)
    app.output.one(_record(app, found), lambda: "\n".join(_lines(app, found)))
    waiting = found.conflicts or any(sum(one.pending) or one.stuck or one.doubtful for one in found.exchanges)
    return DIFFERENT if exit_code and waiting else 0


def _record(app: App, found: Overview) -> dict[str, object]:
    ids = idents(app.reading, {refusal.ticket for one in found.exchanges for refusal in one.refusals})
    return {
        "schema": "chit.status/1",
        "store": app.store_path,
        "open": found.open,
        "overdue": found.overdue,
        "conflicts": found.conflicts,
        "in_conflict": [one._asdict() for one in found.in_conflict],
        "remotes": [
            {
                "name": one.remote.name,
                "url": one.remote.url,
                **one.pending._asdict(),
                "contact": iso(one.remote.contact),
                "refusals": [
                    {"ticket": ids.get(refusal.ticket), "time": iso(refusal.time), "reason": refusal.reason}
                    for refusal in one.refusals
                ],
                "stuck": [{**stuck._asdict(), "time": iso(stuck.time)} for stuck in one.stuck],
                "doubtful": one.doubtful,
            }
            for one in found.exchanges
        ],
        "handoffs": {
            name: {
                "total": found.handoffs[name].total if found.handoffs else 0,
                "first": [
                    {
                        **one._asdict(),
                        "deadline": iso(one.deadline),
                        "verb": one.verb or None,
                        "reason": one.reason or None,
                    }
                    for one in (found.handoffs[name].first if found.handoffs else ())
                ],
            }
            for name in _TABLE
        },
    }


def _lines(app: App, found: Overview) -> list[str]:
    def style(text: str, how: str) -> str:
        return paint(text, how) if app.colored else text

    overdue = translate(", {count} overdue (`chit list is:overdue`)", count=found.overdue) if found.overdue else ""
    lines = [f"{counted(found.open, 'open ticket')}{overdue}"]
    if found.conflicts:
        decide = translate("{conflicts}: `chit resolve TICKET` decides", conflicts=counted(found.conflicts, "conflict"))
        lines.append(style(decide, "bold red"))
        lines += [f"    {one.id[:SHORT_ID]}  {clean(one.title)}" for one in found.in_conflict]
    for name in _TABLE:
        kind = found.handoffs.get(name)
        if kind is not None and kind.total:
            lines += _waiting(app, name, kind)
    for exchange in found.exchanges:
        lines += _exchange(app, exchange)
    if not found.exchanges and not found.partners:  # a service partner comes here by itself
        lines.append(translate("no remote: `chit remote add origin URL` names one to exchange with"))
    return lines


def _waiting(app: App, name: str, kind: "Kind") -> list[str]:
    """What waits in handoffs."""
    head = translate(_TABLE[name], count=kind.total)
    urgent = name in ("refused", "deadlines")
    lines = [paint(head, "bold red" if urgent else "bold") if app.colored else head]
    for one in kind.first:
        line = f"    {one.ticket[:SHORT_ID]}  {one.partner}"
        if one.deadline is not None:
            late = one.deadline < app.now
            when = ago(one.deadline, app.now)
            line += translate("  overdue {time}", time=when) if late else translate("  due {time}", time=when)
        if one.number > 1:
            line += f"  {one.number}"
        line += f"  {clean(one.title)}"
        if one.verb:
            from chit_sync.handoffs import command as command_of

            line += f"\n        `{command_of(one.verb)}`: {clean(translate(one.reason))}"
        lines.append(line)
    if kind.first and len(kind.first) == _MOST_SHOWN:
        lines.append(translate("    `chit board` shows all"))
    return lines


def _exchange(app: App, one: Exchange) -> list[str]:
    name, pending = one.remote.name, one.pending
    flag = "" if name == "origin" else f" --remote {name}"
    when = translate(", not reached yet")
    if one.remote.contact:
        when = translate(", last heard of {ago}", ago=ago(one.remote.contact, app.now))
    lines = [f"{name} {clean(one.remote.url)}{when}"]
    if pending.unsent:
        unsent = "    {changes} to send: `chit push{flag}` sends, `chit diff{flag}` shows what"
        lines.append(translate(unsent, changes=counted(pending.unsent, "change"), flag=flag))
    if pending.fetched:
        fetched = "    {changes} fetched and not taken yet: `chit pull{flag}`"
        lines.append(translate(fetched, changes=counted(pending.fetched, "change"), flag=flag))
    if pending.held:
        held = "    {changes} from there did not pass here; each pull tries again"
        lines.append(translate(held, changes=counted(pending.held, "change")))
    if pending.refused:
        lines.append(translate("    {changes} refused there:", changes=counted(pending.refused, "change")))
        ids = idents(app.reading, [refusal.ticket for refusal in one.refusals[:_MOST_SHOWN]])
        lines += [
            f"        {ids.get(refusal.ticket, '')[:SHORT_ID]} {ago(refusal.time, app.now)}: {clean(translate(refusal.reason))}"
            for refusal in one.refusals[:_MOST_SHOWN]
        ]
        if len(one.refusals) > _MOST_SHOWN:
            lines.append(translate("        and {count} more", count=len(one.refusals) - _MOST_SHOWN))
        lines.append(translate("    mend the cause and `chit push --again{flag}`, or `chit undo`", flag=flag))
    if one.doubtful:
        doubtful = "    {calls} in doubt, as the answer was lost: `chit sync{flag}` looks up what came of it"
        lines.append(translate(doubtful, calls=counted(one.doubtful, "call"), flag=flag))
    if one.stuck:
        lines.append(translate("    {values} there that cannot be taken in:", values=counted(len(one.stuck), "value")))
        lines += [
            f"        #{stuck.number} {ago(stuck.time, app.now)}: {clean(translate(stuck.reason))}"
            for stuck in one.stuck[:_MOST_SHOWN]
        ]
        if len(one.stuck) > _MOST_SHOWN:
            lines.append(translate("        and {count} more", count=len(one.stuck) - _MOST_SHOWN))
        cure = "    `chit remote show {name} --mapping` prints the tables to extend in config.toml; the next pull tries again"
        lines.append(translate(cure, name=name))
    if not (sum(pending) or one.stuck or one.doubtful):
        lines.append(translate("    nothing to send, nothing waiting"))
    return lines
