"""What each vendor's module has to say about its server, and nothing of how servers are kept: that is in `lifecycle`."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from helpdesks import packages
from helpdesks.ports import HOST
from helpdesks.steps import surroundings
from helpdesks.workplace import Place

SITES = Path(__file__).resolve().parent / "sites"
PEOPLE = SITES / "people.json"

Seed = Mapping[str, Any]
"""What seed.json holds: accounts by role, queues, fields."""


class Server(ABC):
    """One vendor's server."""

    kind: ClassVar[str]
    title: ClassVar[str]
    mail: ClassVar[str]
    """Where in its data the mails go that it sends: a file, or a folder with one for each."""
    debian: ClassVar[Sequence[str]] = ()
    pypi: ClassVar[Sequence[str]] = ()
    files: ClassVar[Sequence[str]] = ()
    """Paths that must exist on the machine besides the packages."""

    @property
    def site(self) -> Path:
        """Its configuration in this checkout."""
        return SITES / self.kind

    def version(self) -> str:
        """Of the server that is installed."""
        if self.pypi:
            return self.pypi[0].partition("==")[2]
        return packages.installed([self.debian[0]]).get(self.debian[0], "")

    def fingerprint(self) -> str:
        """Of all that decides what is in the seeded database."""
        digest = hashlib.sha256(self.version().encode())
        own = Path(__file__).with_name(f"{self.kind}.py")
        for file in [PEOPLE, own, *sorted(self.site.rglob("*"))]:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.name}\0".encode() + file.read_bytes())
        return digest.hexdigest()

    def url(self, port: int) -> str:
        return f"http://{HOST}:{port}"

    def environment(self, place: Place, data: Path, port: int) -> dict[str, str]:
        """Of the server and of its seeding. The files in `sites` find everything through these, so that nothing has to be filled in."""
        return surroundings(
            HOME=str(place.root),
            HELPDESK_SITE=str(self.site),
            HELPDESK_PEOPLE=str(PEOPLE),
            HELPDESK_DATA=str(data),
            HELPDESK_SEED=str(data.parent / "seed.json"),
            HELPDESK_PORT=str(port),
        )

    @abstractmethod
    def seed(self, place: Place, data: Path, lock: int | None) -> None:
        """Makes the database in `data`, which is empty, and seed.json beside it. The path will be another when the server runs."""

    def prepare(self, place: Place, port: int) -> None:
        """What has to be said to the database or its configuration before each start; for most that is nothing."""
        return

    @abstractmethod
    def command(self, place: Place, port: int) -> list[str]:
        """The server, in the foreground, on that port of loopback."""

    @abstractmethod
    def check(self, url: str, seed: Seed) -> None:
        """One request with the first agent's token; raises Unready unless the answer is the expected one."""
