"""Request Tracker 5 from Debian, with SQLite and RT's own standalone server.

Sources: RT's documentation of RT_Config, RT::Initialdata, rt-setup-database and rt-server; /usr/share/doc/request-tracker5 of Debian.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from helpdesks.ports import HOST
from helpdesks.server import Seed, Server
from helpdesks.steps import run
from helpdesks.web import expect, get
from helpdesks.workplace import Place

SERVER = "/usr/share/request-tracker5/libexec/rt-server"
SETUP = "/usr/sbin/rt-setup-database-5"


class RequestTracker(Server):
    """Its root plays the admin; the others log in by the names of their roles."""

    kind = "rt"
    title = "Request Tracker"
    mail = "mail.mbox"
    # dbconfig-no-thanks: the package makes no database of its own. Some mail transport agent is required, msmtp-mta does nothing unasked.
    debian = ("request-tracker5", "rt5-standalone", "rt5-db-sqlite", "starlet", "dbconfig-no-thanks", "msmtp-mta")
    files = (SERVER, SETUP)

    def environment(self, place: Place, data: Path, port: int) -> dict[str, str]:
        return {
            **super().environment(place, data, port),
            "RT_SITE_CONFIG": str(self.site / "RT_SiteConfig.pm"),
            "RT_SITE_CONFIG_DIR": str(self.site / "no-more-settings"),
        }

    def seed(self, place: Place, data: Path, lock: int | None) -> None:
        environment = self.environment(place, data, 9)
        (data / "mason").mkdir()
        (data / "sessions").mkdir()
        # RT wants a password for root at once; the seeding sets the one that is to be.
        password = data.parent / "password"
        password.write_text("only-for-now")
        for what, arguments in (
            ("making RT's database", ["--action", "init", "--skip-create", "--root-password-file", str(password)]),
            ("seeding RT", ["--action", "insert", "--datafile", str(self.site / "seed.pl")]),
        ):
            run(what, [SETUP, *arguments], environment=environment, folder=place.root, lock=lock)
        with closing(sqlite3.connect(data / "rt.sqlite")) as database:
            database.execute("PRAGMA journal_mode=WAL")

    def command(self, place: Place, port: int) -> list[str]:
        return [SERVER, "--host", HOST, "--port", str(port), "--max-workers", "4"]

    def check(self, url: str, seed: Seed) -> None:
        agent = seed["accounts"]["agent1"]
        ask = f"{url}/REST/2.0/queues/all?fields=Name"
        names = {item["Name"] for item in get(ask, Authorization=f"token {agent['token']}")["items"]}
        expect({"Billing", "Support"} <= names, True, ask)
