"""`chit charge`."""

import click

from chit.context import App
from chit.entries import (
    ask,
    audience,
    audience_options,
    id_of,
    limited,
    list_options,
    listed,
    show,
    shown_ids,
    told_note,
    who,
)  # fmt: skip
from chit.framework import group, subcommand
from chit.params import TICKET
from chit.selection import one
from chit.written import write
from chit_sync import money
from chit_sync.authoring import Edit
from chit_sync.store.making import new_item
from chit_sync.store.worked import Entry
from chit_sync.ticket import iso
from chit_sync.times import local
from chit_sync.work import charge_paths, refuse_charge

_HEADERS = ("ID", "DATE", "AMOUNT", "BY", "TICKET", "NOTE")


@group()
def charge() -> None:
    """Record what work on tickets cost besides time."""


@subcommand(charge)
@click.argument("ticket", type=TICKET)
@click.argument("amount")
@click.argument("currency", required=False)
@click.option("-m", "--message", "note", default="", metavar="TEXT", help="What it is for, in one line.")
@audience_options
def add(
    app: App, ticket: str, amount: str, currency: str | None, note: str, internal: bool, partner: str, over_limit: bool
) -> None:
    """Record a cost: an amount and its currency.

    The currency is the one that was agreed where the ticket was outsourced to you, else the setting charge.currency. Then the lead
    gets the charge too, unless it is internal.

    \b
    chit charge add 42 80.50 -m "Fuser"
    chit charge add 42 12 CHF --internal
    """
    cents = money.parse(amount)
    given = None if currency is None else money.check_currency(currency)
    found = one(app, ticket)
    handoff = audience(found, internal, partner, over_limit)
    agreed = "" if handoff is None else handoff.text("currency")
    code = given or agreed or money.check_currency(app.config.text("charge.currency"))
    if over_limit and handoff is not None and limited(handoff) and code == (agreed or code):
        reason = refuse_charge(found, handoff, cents, code)
        if reason:
            ask(app, found, handoff, reason, note, "charge add")
            return
    paths = charge_paths(new_item(app.store), cents, code, note, "internal" if internal else "public")
    write(app, [Edit(found, paths, to=partner)], "charge add")


@subcommand(charge, "list")
@list_options
def list_(
    app: App,
    tickets: tuple[str, ...],
    query: str | None,
    stdin: bool,
    every: bool,
    since: str | None,
    until: str | None,
) -> None:
    """List charges, the oldest first; of all tickets unless you name some.

    Piped, a line for each: id, time, amount, currency, author, ticket, visibility, note.

    \b
    chit charge list 42
    chit charge list --query organization:acme --all --since 2026-11 --until 2026-11
    """
    found = listed(app, "charge", tickets, query, stdin, every, since, until)
    sums: dict[str, int] = {}
    for entry in found:
        amount, currency = _price(entry)
        sums[currency] = sums.get(currency, 0) + money.parse(amount)
    totals = [f"{money.spell(cents)} {currency}" for currency, cents in sorted(sums.items())]
    show(app, _HEADERS, [_record(entry) for entry in found], [_row(app, entry) for entry in found], totals)
    if not found:
        app.say("nothing is charged")


@subcommand(charge)
@click.argument("ticket", type=TICKET)
@click.argument("charges", nargs=-1, required=True, metavar="CHARGE…")
def rm(app: App, ticket: str, charges: tuple[str, ...]) -> None:
    """Delete charges; `chit undo` takes that back.

    CHARGE is the beginning of its id.

    \b
    chit charge rm 42 kzxt
    """
    found = one(app, ticket)
    write(app, [Edit(found, {f"charge/{id_of(found, 'charge', name)}/deleted": True for name in charges})], "charge rm")


def _price(entry: Entry) -> tuple[str, str]:
    """(amount, currency)"""
    return money.spell(money.parse(entry.values.get("amount", "0"))), entry.values.get("currency", "")


def _row(app: App, entry: Entry) -> tuple[str, ...]:
    ident, ticket = shown_ids(app, entry.id, entry.ticket)
    amount, currency = _price(entry)
    note = told_note(app, entry.values)
    if app.terminal:
        return ident, local(entry.time, app.zone)[:10], f"{amount} {currency}", who(app, entry.author), ticket, note
    visibility = entry.values.get("visibility", "public")
    return ident, iso(entry.time) or "", amount, currency, entry.author, ticket, visibility, note


def _record(entry: Entry) -> dict[str, object]:
    amount, currency = _price(entry)
    return {
        "schema": "chit.charge/1",
        "id": entry.id,
        "ticket": entry.ticket,
        "author": entry.author,
        "time": iso(entry.time),
        "amount": amount,
        "currency": currency or None,
        "note": entry.values.get("note", ""),
        "visibility": entry.values.get("visibility", "public"),
        "bundle": entry.values.get("bundle"),
        "to": entry.values.get("to"),
        "held": entry.values.get("held"),
    }
