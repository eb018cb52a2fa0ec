"""Many tickets in django-helpdesk for the benchmark, each with the followup of its making, an internal and a public one."""

import os

import django


def main() -> None:
    """Fills the database that the environment names."""
    django.setup()
    # Models can be imported only now.
    from django.contrib.auth import get_user_model
    from django.db import transaction
    from django.utils import timezone
    from helpdesk.models import CustomField, FollowUp, Queue, Ticket, TicketCustomFieldValue

    agents = [get_user_model().objects.get(username=name) for name in ("agent1", "agent2")]
    queue = Queue.objects.get(slug="support")
    field = CustomField.objects.get(name="extref")
    with transaction.atomic():
        for number in range(1, int(os.environ["BENCH_TICKETS"]) + 1):
            author = agents[number % 2]
            body = f"Since this morning number {number} does nothing.\n" + "It was fine yesterday. " * (2 + number % 9)
            ticket = Ticket.objects.create(
                queue=queue,
                title=f"The printer {number} on floor {number % 12} is on fire",
                description=body.strip(),
                submitter_email="requester@example.com",
                assigned_to=agents[0] if number % 3 else None,
                priority=1 + number % 5,
                status=1 + number % 3,
            )
            TicketCustomFieldValue.objects.create(ticket=ticket, field=field, value="")
            for title, text, public in (
                ("Ticket Opened", body, True),
                (ticket.title, f"A note on {number}. " + "Have looked at it. " * (1 + number % 7), False),
                (
                    ticket.title,
                    f"A reply on {number}. " + "Please switch it off and on again. " * (1 + number % 5),
                    True,
                ),
            ):
                FollowUp.objects.create(
                    ticket=ticket, user=author, title=title, comment=text.strip(), public=public, date=timezone.now()
                )


main()
