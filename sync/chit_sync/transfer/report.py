"""What an import says about itself: what went in, what did not and why. Shared by both kinds of import."""

from collections.abc import Callable
from typing import NamedTuple

Progress = Callable[[int, int | None], None]
"""Called now and then with how much is done, of how much (bytes of the file; None if its size is unknown)."""


class Unfit(Exception):
    """Why a row cannot go in."""


class Failure(NamedTuple):
    """Something in the file that did not go in. line counts from 1."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class Imported(NamedTuple):
    """What came of an import. In a dry run the last three are what would be.

    rows: read without fault. tickets, changes: what these rows amount to. new_tickets, new_changes, new_attachments: what the store
    did not have.
    """

    rows: int
    tickets: int
    changes: int
    new_tickets: int
    new_changes: int
    new_attachments: int
    failures: list[Failure]
