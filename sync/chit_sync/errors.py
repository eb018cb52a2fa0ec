"""Every error that the library raises, in one tree. Errors carry what happened and to what; what to type next is said by the
command line (`chit.errors`), which also picks the exit code.

    ChitError
    ├── UsageError            a value that cannot be used: unknown field, bad time, too long
    │   └── QueryError        a query that does not parse, with its column
    ├── NotFoundError         no store, ticket, remote, item of that name
    │   └── AmbiguousError    several; carries the candidates
    ├── AccessError           no token, a wrong one, or one that may not
    ├── ConflictError         the state of things forbids it now
    ├── RemoteError           unreachable, timed out, talks nonsense, failed after retries
    │   └── OtherStoreError   another store than the one that this remote was
    ├── PolicyError           refused by a rule: limit, hook, agreement
    ├── StoreError            busy, damaged, read-only, full, foreign, too new
    └── PartialError          a batch in which some items failed
"""

from collections.abc import Sequence


class ChitError(Exception):
    """Base of all errors that a person can do something about. `hint` is a sentence or empty."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ChitError):
    """A value that cannot be used as it is."""


class QueryError(UsageError):
    """A query that does not parse. `column` counts from 1."""

    def __init__(self, message: str, column: int, hint: str = "") -> None:
        super().__init__(message, hint)
        self.column = column


class NotFoundError(ChitError):
    """Nothing of that name."""


class AmbiguousError(NotFoundError):
    """More than one thing of that name."""

    def __init__(self, message: str, candidates: Sequence[str], hint: str = "") -> None:
        super().__init__(message, hint)
        self.candidates = list(candidates)


class AccessError(ChitError):
    """Not authenticated, or not allowed."""


class ConflictError(ChitError):
    """Not possible in the state that things are in."""


class RemoteError(ChitError):
    """The remote did not do its part; safe to run again."""


class OtherStoreError(RemoteError):
    """At the remote's address there is another store, or one that lost part of its log."""


class PolicyError(ChitError):
    """Refused by a rule, not by chance."""


class StoreError(ChitError):
    """The store on this disk cannot be used now, or not at all."""


class PartialError(ChitError):
    """Some items of a batch failed. `failures` has one line for each."""

    def __init__(self, message: str, failures: Sequence[str], hint: str = "") -> None:
        super().__init__(message, hint)
        self.failures = list(failures)
