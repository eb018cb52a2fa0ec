"""The real helpdesk servers of scripts/servers with many tickets in their databases: made once, kept, and reset for each run.

The tickets are written by the servers' own code, without their interfaces, which would take half an hour.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from benchmark.measuring import Failed
from helpdesks import redmine, rt, steps
from helpdesks.djhd import DjangoHelpdesk
from helpdesks.errors import Failed as ServerFailed
from helpdesks.lifecycle import Fleet
from helpdesks.redmine import Redmine
from helpdesks.roundup import Roundup
from helpdesks.rt import RequestTracker
from helpdesks.server import Server
from helpdesks.workplace import Place, Workplace

STOCK = Path(__file__).parent / "stock"
SECONDS = 900.0


class Desk(NamedTuple):
    """A server that runs. remote: its address for chit, which follows all its tickets. secret: a token, or login and password."""

    kind: str
    title: str
    url: str
    remote: str
    secret: str
    data: Path


class Stocked(Server):
    """A server whose seeded database has many tickets besides. What it is otherwise, the class says that stands before it."""

    seed_file: ClassVar[str]
    tickets: int = 0

    def program(self, place: Place) -> list[str]:
        """What fills the database."""
        return [str(place.venv / "bin" / "python"), str(STOCK / self.seed_file)]

    def fingerprint(self) -> str:
        made = (STOCK / self.seed_file).read_bytes()
        return f"{super().fingerprint()} {self.tickets} {hashlib.sha256(made).hexdigest()}"

    def seed(self, place: Place, data: Path, lock: int | None) -> None:
        super().seed(place, data, lock)  # type: ignore[safe-super]  # it is the vendor's class that comes next
        environment = {**self.environment(place, data, 9), "BENCH_TICKETS": str(self.tickets)}
        print(f"filling {self.title} with {self.tickets:,} tickets …", flush=True)
        steps.run(
            f"filling {self.title}",
            self.program(place),
            environment=environment,
            folder=place.root,
            lock=lock,
            seconds=SECONDS,
        )
        for file in data.rglob("*.sqlite*"):
            if file.suffix == ".sqlite":
                with closing(sqlite3.connect(file)) as database:
                    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class StockedTracker(Stocked, RequestTracker):
    """Request Tracker."""

    seed_file = "rt.pl"

    def program(self, place: Place) -> list[str]:
        return [rt.SETUP, "--action", "insert", "--datafile", str(STOCK / self.seed_file)]


class StockedRedmine(Stocked, Redmine):
    """Redmine."""

    seed_file = "redmine.rake"

    def program(self, place: Place) -> list[str]:
        return [redmine.BUNDLE, "exec", "rake", "-f", str(STOCK / self.seed_file), "many_tickets"]


class StockedRoundup(Stocked, Roundup):
    """Roundup."""

    seed_file = "roundup_many.py"


class StockedDjango(Stocked, DjangoHelpdesk):
    """django-helpdesk."""

    seed_file = "djhd_many.py"


KINDS: dict[str, type[Stocked]] = {
    "rt": StockedTracker,
    "redmine": StockedRedmine,
    "roundup": StockedRoundup,
    "djhd": StockedDjango,
}


@contextmanager
def running(folder: Path, kind: str, tickets: int) -> Iterator[Desk]:
    """One of them with its database as it was filled, until the end of the block."""
    work = Workplace(folder.absolute())
    server = KINDS[kind]()
    server.tickets = tickets
    try:
        with work.held():
            fleet = Fleet(work, [kind])
            fleet.servers = {kind: server}
            fleet.reset()
            if fleet.failures:
                raise fleet.failures[kind]
            try:
                yield _desk(kind, work.read()[kind])
            finally:
                fleet.down()
    except ServerFailed as error:
        raise Failed(str(error)) from error


def _desk(kind: str, entry: dict[str, Any]) -> Desk:
    agent = entry["accounts"]["agent1"]
    queue = "?queue=1:Support" if kind == "djhd" else ""
    secret = agent["token"] or f"{agent['login']}:{agent['password']}"
    return Desk(kind, entry["title"], entry["url"], f"{entry['remote']}/{queue}", secret, Path(entry["data"]))
