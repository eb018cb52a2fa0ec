"""The people and keywords that the tests find in Roundup, and the list of what was made."""

import json
import os
import sys
from pathlib import Path

from roundup import instance
from roundup.password import Password

ROLES = {"agent1": "User,Agent", "agent2": "User,Agent", "requester": "User", "admin": "Admin"}


def main(queues: list[str]) -> None:
    people = json.loads(Path(os.environ["HELPDESK_PEOPLE"]).read_text(encoding="utf-8"))
    db = instance.open(os.environ["HELPDESK_DATA"]).open("admin")
    accounts = {}
    for role, person in people.items():
        values = {
            "realname": f"{person['first']} {person['last']}",
            "address": person["email"],
            "roles": ROLES[role],
            "timezone": person.get("timezone", ""),
        }
        if role == "admin":
            number = db.user.lookup(person["login"])
            db.user.set(number, **values)
        else:
            password = Password(person["password"], config=db.config)
            number = db.user.create(username=person["login"], password=password, **values)
        accounts[role] = {
            "login": person["login"],
            "id": number,
            "name": values["realname"],
            "email": person["email"],
            "password": person["password"],
            "token": None,
            "timezone": person.get("timezone"),
        }
    made = [{"id": db.keyword.create(name=name), "name": name} for name in queues]
    fields = [
        {"id": f"{klass}.{name}", "name": name, "type": kind}
        for klass, name, kind in (
            ("issue", "extref", "String"),
            ("issue", "times", "Multilink"),
            ("issue", "due", "Date"),
            ("msg", "internal", "Boolean"),
        )
    ]
    db.commit()
    db.close()
    seed = json.dumps({"accounts": accounts, "queues": made, "fields": fields}, indent=2, ensure_ascii=False)
    Path(os.environ["HELPDESK_SEED"]).write_text(seed, encoding="utf-8")


main(sys.argv[1:])
