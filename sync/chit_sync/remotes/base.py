"""The narrow waist between stores: what every log can do, wherever it is. Nothing else belongs here.

Two implementations: `local.LocalLog`, a store on this disk, and `http.HttpLog`, one behind `chit serve`; the server is the local one
behind HTTP. One suite of tests holds both to the same.
"""

from collections.abc import Generator, Iterator, Sequence
from typing import BinaryIO, NamedTuple, Protocol

from chit_sync.errors import RemoteError
from chit_sync.invitation import Joined, Joining
from chit_sync.wire import Answer, Info, Offer, Sent


class UnreachedError(RemoteError):
    """The remote was not reached: it has seen nothing of the call."""


class Expect(NamedTuple):
    """What the caller knows of a log: its identity and, at the place `seq` that the caller has read it up to, the change's id.

    A log that is another one, or that has lost that place, raises OtherStoreError and does nothing. id is empty if it is not known.
    """

    store: str
    seq: int = 0
    id: bytes = b""


class Reading(NamedTuple):
    """A log being read: who it is, and its changes in order, many at a time. After the last, the whole of it has come."""

    info: Info
    batches: Generator[list[Sent], None, None]


class BlobState(NamedTuple):
    """What a log has of a blob. whole: all of it. size: how many bytes; of one that is not whole, what an upload has left.
    limit: most bytes that an upload may have, 0 for any number."""

    whole: bool
    size: int
    limit: int = 0


class Log(Protocol):
    """A log of changes with a sequence, and the blobs that belong to it. `where` names it in messages."""

    where: str

    def info(self) -> Info:
        """Who this is."""

    def read(self, after: int, limit: int | None = None, expect: Expect | None = None) -> Reading:
        """The changes after that place, in the order in which this store took them, up to the newest one when it was asked."""

    def own(self) -> Reading:
        """What the caller itself, a service partner, sent here and this store took: for one that has lost it. Places mean nothing."""

    def append(self, offers: Sequence[Offer], expect: Expect | None = None) -> Answer:
        """Takes those changes that it does not have and that pass its policy; repeating it does nothing more."""

    def has_blob(self, sha256: str) -> BlobState:
        """What is there of the blob with that SHA-256."""

    def get_blob(self, sha256: str, offset: int = 0) -> Iterator[bytes]:
        """The bytes of a blob from there on. Raises NotFoundError."""

    def put_blob(self, sha256: str, source: BinaryIO, size: int, offset: int = 0) -> None:
        """Sends the bytes of a blob of that size from there on; `source` is read from its present position."""

    def join(self, joining: Joining) -> Joined:
        """Uses an invitation up: its bearer is a partner from now on. No token is needed for it; repeating it does nothing more."""

    def close(self) -> None:
        """Lets go of the connection or the file."""
