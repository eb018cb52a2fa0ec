"""Redmine 5 from Debian, with SQLite and puma.

Sources: Redmine's guides to installing and to its REST API; /usr/share/doc/redmine of Debian (several instances on one machine).
"""

import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from helpdesks import packages
from helpdesks.ports import HOST
from helpdesks.server import Seed, Server
from helpdesks.steps import run
from helpdesks.web import expect, get
from helpdesks.workplace import Place

CODE = Path("/usr/share/redmine")
BUNDLE = "/usr/bin/bundle"

DATABASE = """\
production:
  adapter: sqlite3
  database: <%= ENV.fetch('HELPDESK_DATA') %>/redmine.sqlite
  encoding: utf8
  timeout: 15000
"""

MAIL = """\
production:
  email_delivery:
    delivery_method: :file
    file_settings:
      location: {folder}
"""


class Redmine(Server):
    """An instance of its own beside whatever else Redmine may serve on the machine."""

    kind = "redmine"
    title = "Redmine"
    mail = "mail"
    # dbconfig-no-thanks: the package makes no database of its own.
    debian = ("redmine", "redmine-sqlite", "puma", "dbconfig-no-thanks")
    files = (str(CODE / "config" / "environment.rb"), BUNDLE)

    def environment(self, place: Place, data: Path, port: int) -> dict[str, str]:
        bundler = packages.installed(["ruby-bundler"]).get("ruby-bundler", "")
        return {
            **super().environment(place, data, port),
            # An instance is a folder below a folder that belongs to root; enough steps up lead from there to anywhere.
            "REDMINE_INSTANCE": "../" * 12 + str(data).lstrip("/"),
            "RAILS_ENV": "production",
            "BUNDLE_GEMFILE": str(place.root / "Gemfile"),
            "BUNDLE_SILENCE_ROOT_WARNING": "1",
            **({"BUNDLER_VERSION": packages.upstream(bundler)} if bundler else {}),  # see packages._bundler
            "SCHEMA": "/dev/null",
        }

    def _gems(self, place: Place) -> None:
        # Bundler writes its lock file beside the Gemfile, so that has to lie in a folder of ours.
        (place.root / "Gemfile").write_bytes((self.site / "Gemfile").read_bytes())

    def seed(self, place: Place, data: Path, lock: int | None) -> None:
        for folder in ("config", "log", "files", "tmp/cache", "public/plugin_assets", self.mail):
            (data / folder).mkdir(parents=True)
        (data / "config" / "database.yml").write_text(DATABASE)
        (data / "config" / "secret_key.txt").write_text(secrets.token_hex(32))
        (data / "config" / "configuration.yml").write_text(MAIL.format(folder=place.data / self.mail))
        with closing(sqlite3.connect(data / "redmine.sqlite")) as database:
            database.execute("PRAGMA journal_mode=WAL")
        self._gems(place)
        rake = [BUNDLE, "exec", "rake", "-f", str(self.site / "Rakefile"), "seed_for_tests"]
        run("seeding Redmine", rake, environment=self.environment(place, data, 9), folder=place.root, lock=lock)

    def prepare(self, place: Place, port: int) -> None:
        self._gems(place)

    def command(self, place: Place, port: int) -> list[str]:
        # While it waits for SQLite a thread stops all threads of its process, so there are processes with one thread each.
        puma = [BUNDLE, "exec", "puma", "--no-config", "-e", "production", "-w", "2", "-t", "1:1", "--preload"]
        return [*puma, "-b", f"tcp://{HOST}:{port}", str(self.site / "config.ru")]

    def check(self, url: str, seed: Seed) -> None:
        agent = seed["accounts"]["agent1"]
        ask = f"{url}/users/current.json"
        expect(get(ask, X_Redmine_API_Key=agent["token"])["user"]["login"], agent["login"], ask)
