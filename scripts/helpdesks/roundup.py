"""Roundup from PyPI: the classic tracker with a few fields that many sites add, on SQLite, behind waitress.

Sources: Roundup's guides to installation, to customising and to its REST API, and its reference of config.ini.
"""

import json
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from helpdesks.errors import Failed
from helpdesks.ports import HOST
from helpdesks.server import PEOPLE, Seed, Server
from helpdesks.steps import ZONE, run
from helpdesks.web import basic, expect, get
from helpdesks.workplace import Place

NAME = "helpdesk"
QUEUES = ("Support", "Billing")

CHANGES = (
    ('pri = Class(db, "priority",', 'import additions\n\npri = Class(db, "priority",'),
    ('msg = FileClass(db, "msg",', 'msg = FileClass(db, "msg", **additions.msg(),'),
    ('issue = IssueClass(db, "issue",', 'issue = IssueClass(db, "issue", **additions.issue(),'),
    # In the classic schema every message is for all eyes; additions.py gives them out one by one.
    ("for cl in 'issue', 'file', 'msg', 'keyword':", "for cl in 'issue', 'file', 'keyword':"),
    (
        "for cl in 'issue', 'file', 'msg', 'keyword', 'priority', 'status':",
        "for cl in 'issue', 'file', 'keyword', 'priority', 'status':",
    ),
)
"""What is changed in the classic schema, by its text."""


def with_additions(schema: str) -> str:
    """The classic schema with our fields and rights. Each place must be found exactly once."""
    for old, new in CHANGES:
        if schema.count(old) != 1:
            raise Failed(f"Roundup's classic schema is not as expected: {old} stands in it {schema.count(old)} times")
        schema = schema.replace(old, new)
    return schema + "\n\nadditions.allow(db, Class)\n"


def with_settings(config: str, settings: Mapping[str, str]) -> str:
    """A config.ini with `section.name` set. Each must be there already, in use or commented out: else it is a slip."""
    lines: list[str] = []
    section = ""
    left = dict(settings)
    for line in config.splitlines():
        if heading := re.fullmatch(r"\[(\w+)\]\s*", line):
            section = heading[1]
        setting = re.match(r"#?\s?([\w-]+) ?=", line)
        key = f"{section}.{setting[1]}" if setting else ""
        lines.append(f"{key.partition('.')[2]} = {left.pop(key)}" if key in left else line)
    if left:
        raise Failed(f"Roundup's config.ini has no {', '.join(left)}")
    return "\n".join(lines) + "\n"


class Roundup(Server):
    """It has no lasting tokens: the accounts' are null, and a request carries login and password, or a JWT from `POST /rest/jwt/issue`."""

    kind = "roundup"
    title = "Roundup"
    mail = "mail.mbox"
    pypi = ("roundup==2.6.0", "pyjwt>=2,<3", "waitress>=3,<4", "pytz")

    def url(self, port: int) -> str:
        return f"{super().url(port)}/{NAME}"

    def environment(self, place: Place, data: Path, port: int) -> dict[str, str]:
        return {**super().environment(place, data, port), "PYTHONPATH": str(self.site), "PYTHONDONTWRITEBYTECODE": "1"}

    def _configure(self, place: Place, data: Path, port: int, **more: str) -> None:
        """Links, tokens and the check of a request's origin go by the address in the config, so that has to be the one in use."""
        file = data / "config.ini"
        settings = {"tracker.web": f"{self.url(port)}/", "mail.debug": str(place.data / self.mail), **more}
        file.write_text(with_settings(file.read_text(), settings))

    def seed(self, place: Place, data: Path, lock: int | None) -> None:
        environment = self.environment(place, data, 9)
        people = json.loads(PEOPLE.read_text(encoding="utf-8"))
        admin = [str(place.venv / "bin" / "python"), "-m", "roundup.scripts.roundup_admin", "-i", str(data)]

        def tell(what: str, *arguments: str) -> None:
            run(what, [*admin, *arguments], environment=environment, folder=place.root, lock=lock)

        tell("making Roundup's tracker", "install", "classic", "sqlite", "tracker_name=Helpdesk")
        self._configure(
            place,
            data,
            9,
            **{
                "main.admin_email": people["admin"]["email"],
                "main.dispatcher_email": people["admin"]["email"],
                "main.timezone": ZONE,  # for accounts that have named none
                "main.password_pbkdf2_default_rounds": "10000",  # the default costs half a second a request
                "mail.domain": "roundup.example.com",
                "mail.host": HOST,
                "web.jwt_secret": secrets.token_hex(32),
                "web.api_failed_login_limit": "0",  # a test with a wrong password is not to lock the others out
            },
        )
        schema = data / "schema.py"
        schema.write_text(with_additions(schema.read_text()))
        (data / "interfaces.py").write_text("import jwt_endpoint\n")
        tell("making Roundup's database", "initialise", people["admin"]["password"])
        python = str(place.venv / "bin" / "python")
        run(
            "seeding Roundup",
            [python, str(self.site / "seed.py"), *QUEUES],
            environment=environment,
            folder=place.root,
            lock=lock,
        )

    def prepare(self, place: Place, port: int) -> None:
        self._configure(place, place.data, port)

    def command(self, place: Place, port: int) -> list[str]:
        waitress = [str(place.venv / "bin" / "python"), "-m", "waitress", "--threads=4", f"--url-prefix=/{NAME}"]
        return [*waitress, f"--listen={HOST}:{port}", "site_wsgi:app"]

    def check(self, url: str, seed: Seed) -> None:
        agent = seed["accounts"]["agent1"]
        ask = f"{url}/rest/data/user/{agent['login']}"
        answer = get(ask, Authorization=basic(agent["login"], agent["password"]))
        expect(answer["data"]["attributes"]["username"], agent["login"], ask)
