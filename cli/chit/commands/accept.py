"""`chit accept`."""

from collections.abc import Mapping, Sequence

import click

from chit.context import App
from chit.framework import command
from chit.handing import each, hand, partner_option
from chit.language import translate
from chit.params import tickets_argument
from chit.selection import to_write
from chit.statuses import status_of
from chit_sync import outsourcing
from chit_sync.authoring import Edit
from chit_sync.errors import UsageError
from chit_sync.store import partners
from chit_sync.store.partners import Partner
from chit_sync.ticket import Ticket


@command()
@tickets_argument
@click.option("--organization", metavar="NAME", help="The organisation here on which they are booked.")
@partner_option
def accept(
    app: App,
    tickets: tuple[str, ...],
    query: str | None,
    stdin: bool,
    every: bool,
    organization: str | None,
    partner: str,
) -> None:
    """Take on tickets that were offered, on the terms offered.

    With the first ticket of a lead say on which organisation its tickets are booked; that is remembered. The ticket becomes one of your
    own, and what was shared of it comes with the next sync.

    \b
    chit accept 42
    chit accept 42 --organization "Globex Inc"
    """
    found = to_write(app, tickets, query, stdin, every)
    offers = each(found, lambda ticket: outsourcing.current(ticket, "accept", partner).partner)
    leads = {one.name: one for one in partners.listing(app.store) if one.role == partners.LEAD}
    asked = _ask(app, found, offers, leads) if organization is None else {}
    name = status_of(app, None, "new", ())

    def edit(ticket: Ticket) -> Edit:
        lead = outsourcing.current(ticket, "accept", partner).partner
        booked = organization or asked.get(lead) or (leads[lead].booked if lead in leads else "") or ""
        return outsourcing.accept(app.store, ticket, partner=partner, organization=booked, status=name)

    hand(app, each(found, edit), "accept")
    if app.options.dry_run:
        return
    for lead in sorted(set(offers) & set(leads)):
        booked = organization or asked.get(lead)
        if booked and not leads[lead].booked:
            partners.book(app.store, lead, booked)
            said = "tickets of {lead} are booked on {organization} from now on"
            app.say(translate(said, lead=lead, organization=booked), as_is=True)


def _ask(app: App, tickets: Sequence[Ticket], offers: Sequence[str], leads: Mapping[str, Partner]) -> dict[str, str]:
    """Lead to the organisation on which its tickets are booked, where nobody has said so yet. Raises UsageError.

    offers: the lead of each ticket. What has an organisation already keeps it.
    """
    found: dict[str, str] = {}
    for ticket, lead in zip(tickets, offers, strict=True):
        if lead not in leads or leads[lead].booked or ticket.value("organization") is not None or lead in found:
            continue
        if not app.interactive:
            raise UsageError(
                f"nobody has said on which organisation the tickets of {lead} are booked",
                "Say --organization NAME; it is remembered.",
            )
        question = translate("The organisation on which tickets of {lead} are booked", lead=lead)
        found[lead] = click.prompt(question, err=True)
    return found
