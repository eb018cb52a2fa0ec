"""The adapter for Redmine: what the engine sees of it. How it is asked, read and written is in the other modules of that name.

Options of the address: `tracker=NAME` is what new issues become, `activity=NAME` what time is booked on.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO

from chit_sync.clock import DAY
from chit_sync.errors import UsageError
from chit_sync.helpdesks.address import Address, login_of
from chit_sync.helpdesks.base import Call, Description, Found, Outcome, Page
from chit_sync.helpdesks.marking import unmarked
from chit_sync.helpdesks.redmine_answers import file_name, item, line, lines, said
from chit_sync.helpdesks.redmine_changes import Changes
from chit_sync.helpdesks.redmine_describing import describe
from chit_sync.helpdesks.redmine_finding import find
from chit_sync.helpdesks.redmine_site import Site
from chit_sync.helpdesks.redmine_writing import Writing
from chit_sync.registers import Value
from chit_sync.remotes.web import Web

OPTIONS = ("activity", "tracker")
KEY = "X-Redmine-API-Key"


class Redmine:
    """A Redmine, reached with an API key, or with `login:password`."""

    kind = "redmine"

    def __init__(
        self, address: Address, secret: str | None, *, timeout: float = 30.0, ca_file: str | None = None
    ) -> None:
        strange = sorted(set(address.options) - set(OPTIONS))
        if strange:
            raise UsageError(f"{strange[0]} is no option of a Redmine's address", f"There are: {', '.join(OPTIONS)}.")
        basic = login_of(secret)
        self.where = f"{address.kind}+{address.base}"
        self._web = Web(
            self.where,
            address.base,
            headers={KEY: secret} if secret and not basic else None,
            basic=basic,
            timeout=timeout,
            ca_file=ca_file,
            said=said,
        )
        self._base = address.base
        self._site = Site(self._web, address)
        self._changes = Changes(self._site)
        self._writing = Writing(self._site)

    def close(self) -> None:
        """Lets go of the connection."""
        self._web.close()

    def web(self, number: int) -> str:
        """The issue's page."""
        return f"{self._base}/issues/{number}"

    # --- reading

    def describe(self) -> Description:
        """What it is and who we are there."""
        return describe(self._site)

    def changed(self, cursor: str, known: Collection[int]) -> Iterator[Page]:
        """What changed since the cursor."""
        return self._changes.changed(cursor, known)

    def numbers(self) -> Collection[int]:
        """The numbers of all issues that are followed."""
        return self._changes.numbers()

    def read(self, numbers: Sequence[int]) -> list[Found]:
        """These issues."""
        return self._changes.read(numbers)

    def download(self, ref: str) -> Iterator[bytes]:
        """The bytes of a file."""
        return self._web.stream(f"attachments/download/{item(ref)}")

    def stored(self, path: str, value: Value) -> Value:
        """What Redmine keeps of a value, as reading it gives it back."""
        if path in ("due", "time.date"):
            return value - value % DAY if type(value) is int else value
        if not isinstance(value, str):
            return value
        if path == "title":
            return line(lines(value))
        if path == "filename":
            return line(file_name(value))
        if path == "description":
            return unmarked(lines(value))[0] or None
        return lines(value) or None

    # --- writing

    def perform(self, call: Call, file: BinaryIO | None = None) -> Outcome:
        """Does one call."""
        return self._writing.perform(call, file)

    def find(self, call: Call, known: Collection[str]) -> Outcome | None:
        """Whether a call was done already."""
        return find(self._site, call, known, self.stored)
