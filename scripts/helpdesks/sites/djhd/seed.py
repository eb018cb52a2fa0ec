"""Makes django-helpdesk's database with the people, queues and the field that the tests find, and the list of what was made."""

import json
import os
from pathlib import Path

import django


def main() -> None:
    """Fills the database that the environment names."""
    django.setup()
    # Models can be imported only now.
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from helpdesk.models import CustomField, Queue
    from rest_framework.authtoken.models import Token

    call_command("migrate", verbosity=0)

    accounts = {}
    for role, person in json.loads(Path(os.environ["HELPDESK_PEOPLE"]).read_text(encoding="utf-8")).items():
        user = get_user_model().objects.create_user(
            person["login"],
            person["email"],
            person["password"],
            first_name=person["first"],
            last_name=person["last"],
            is_staff=role != "requester",
            is_superuser=role == "admin",
        )
        accounts[role] = {
            "login": user.username,
            "id": user.pk,
            "name": user.get_full_name(),
            "email": user.email,
            "password": person["password"],
            "token": Token.objects.create(user=user).key,
            "timezone": None,
        }

    queues = []
    for title in ("Support", "Billing"):
        slug = title.lower()
        queue = Queue.objects.create(title=title, slug=slug, email_address=f"{slug}@example.com")
        queues.append({"id": queue.pk, "name": title, "slug": slug})

    field = CustomField.objects.create(
        name="extref", label="External reference", data_type="varchar", max_length=100, required=False
    )
    fields = [{"id": field.pk, "name": "extref", "type": "varchar", "key": "custom_extref"}]

    made = json.dumps({"accounts": accounts, "queues": queues, "fields": fields}, indent=2, ensure_ascii=False)
    Path(os.environ["HELPDESK_SEED"]).write_text(made, encoding="utf-8")


main()
