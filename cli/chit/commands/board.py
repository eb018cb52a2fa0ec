"""`chit board`."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

import click

from chit.context import App
from chit.framework import command
from chit.language import translate
from chit.output import Record, aligned, columns
from chit.text import SHORT_ID, ago, cell, paint, shorten
from chit_sync.store.board import Entry, Row, count, rows
from chit_sync.ticket import iso

_HEADERS = ("ID", "PARTNER", "AGE", "DEADLINE", "HOURS", "NOTES", "TITLE")
_NAME = 20

_TABLE = {
    "drafts": "Drafts",
    "waiting-for-acceptance": "Waiting for acceptance",
    "in-progress": "In progress",
    "waiting-for-approval": "Waiting for approval",
    "declined": "Declined",
    "to-re-assign": "Canceled, to re-assign",
    "done": "Done",
    "earlier": "Earlier",
}


@command()
@click.option("--role", type=click.Choice(["lead", "service"]), help="Only what you handed out, or what you work on.")
@click.option("--partner", metavar="NAME", help="Only what is with this partner.")
@click.option("--all", "every", is_flag=True, help="What is done, and earlier handoffs of a ticket, too.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help="At most N of each list; on a terminal 50 unless you say otherwise, 0 for all.",
)
def board(app: App, role: str | None, partner: str | None, every: bool, limit: int | None) -> None:
    """Show what is outsourced, by what it waits for.

    As lead: drafts, waiting for acceptance, in progress, waiting for approval, declined, and canceled, to be given to somebody else. As
    service partner: waiting for acceptance, in progress, waiting for approval. In each list those come first that have been in it longest.
    An asterisk marks what the lead's store has not confirmed yet.

    Piped, a line for each: role, list, partner, ticket, status, since, deadline, overdue or nothing, minutes authorised, minutes used,
    open questions, held items, unconfirmed moves, title.
    """
    if limit is None:
        limit = int(app.config.get("list.limit")) if app.terminal and not app.output.structured else 0
    # One more than is shown tells whether that is all.
    most = (limit + 1 if app.terminal and not app.output.structured else limit) if limit else None
    found = rows(app.reading, app.now, role=role, partner=partner, every=every, limit=most)
    if app.output.structured:
        app.output.many(map(_record, found), str)
    elif app.terminal:
        text = "\n".join(_tables(app, found, partner, limit))
        app.output.page(text)
        if not text:
            app.say("nothing is outsourced")
    else:
        app.output.lines(_lines(found))


def _lines(found: Iterable[Row]) -> Iterator[str]:
    """The rows as tab-separated text; there may be ten thousand."""
    for (
        role, name, partner, ticket, title, _, status, _, since, _, _, deadline, late, authorized, used, questions, held, pending, _,
    ) in found:  # fmt: skip
        yield (
            f"{role}\t{name}\t{cell(partner)}\t{ticket}\t{status}\t{iso(since) or ''}\t{iso(deadline) or ''}\t"
            f"{'overdue' if late else ''}\t{'' if authorized is None else authorized}\t{used}\t{questions}\t{held}\t{pending}\t"
            f"{cell(title or '')}"
        )


def _record(found: Row) -> Record:
    row = Entry._make(found)
    return {
        "schema": "chit.handoff/1",
        "id": row.id,
        "ticket": row.ticket,
        "title": row.title,
        "role": row.role,
        "list": row.list,
        "partner": row.partner,
        "status": row.status,
        "confirmed": row.ruled,
        "pending": row.pending,
        "since": iso(row.since),
        "accept_by": iso(row.accept_by),
        "complete_by": iso(row.complete_by),
        "overdue": bool(row.overdue),
        "counter_offer": bool(row.countered),
        "authorized_minutes": row.authorized,
        "used_minutes": row.used,
        "questions": row.questions,
        "held": row.held,
    }


def _tables(app: App, found: Iterable[Row], partner: str | None, limit: int) -> Iterator[str]:
    """A table for each list."""
    headers = [*map(translate, _HEADERS)]
    for (role, name), group in groupby(found, key=itemgetter(0, 1)):
        entries = list(map(Entry._make, group))
        shown = entries[:limit] if limit else entries
        total = str(len(shown))
        if len(shown) < len(entries):
            everything = count(app.reading, role, name, partner)
            total = translate("{shown} of {total}: --limit 0 shows all", shown=len(shown), total=everything)
        side = translate("as lead") if role == "lead" else translate("as service partner")
        head = f"{translate(_TABLE[name])}, {side}: {total}"
        styles = ["red" if entry.overdue else "" for entry in shown]
        table = aligned(headers, [_cells(app, entry) for entry in shown], app.colored, columns(), styles=styles)
        yield f"{paint(head, 'bold') if app.colored else head}\n{table}"


def _cells(app: App, row: Entry) -> tuple[str, ...]:
    deadline = "" if row.deadline is None else ago(row.deadline, app.now)
    return (
        row.ticket[:SHORT_ID] + ("*" if row.pending else ""), shorten(row.partner, _NAME),
        "" if row.since is None else ago(row.since, app.now), translate("overdue {time}", time=deadline) if row.overdue else deadline,
        _hours(row), _notes(row), row.title or translate("(no title)"),
    )  # fmt: skip


def _hours(row: Entry) -> str:
    """What was worked, and how much may be."""
    if not row.used and row.authorized is None:
        return ""
    from chit_sync.work import spell_span

    used = spell_span(row.used)
    if row.authorized is None:
        return used
    return translate("{used} of {all}", used=used, all=spell_span(row.authorized))


def _notes(row: Entry) -> str:
    """What else is to be known, in a few characters."""
    notes = [row.status] if row.list == "earlier" else []
    if row.countered:
        notes.append(translate("counter-offer"))
    if row.questions:
        notes.append(translate("{count} open?", count=row.questions))
    if row.held:
        notes.append(translate("{count} held", count=row.held))
    return ", ".join(notes)
