"""The two sides of a comparison: the helpdesk that is read, with what its words mean here, and the ticket as it stands here. Pure."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from chit_sync import checks
from chit_sync.change import Change
from chit_sync.errors import UsageError
from chit_sync.helpdesks.agreed import mark
from chit_sync.registers import Value


class Head(NamedTuple):
    """A value at a path here. id: of the change that wrote it, hexadecimal. mirrored: whether that came from this helpdesk."""

    id: str
    value: Value
    mirrored: bool


class Ours(Protocol):
    """The ticket as it stands here."""

    def heads(self, path: str) -> list[Head]:
        """What is at a path of ours, the shown value first; nothing if nobody wrote there."""

    def has(self, key: str) -> bool:
        """Whether there is the item KIND/ID, deleted or not."""

    def written(self, path: str) -> list[Head]:
        """All that was ever written at a path of ours, in no order. Not cheap."""

    def knows(self, change: Change) -> bool:
        """Whether this very change is here."""

    def take(self, change: Change) -> None:
        """From now on the ticket is as this change makes it, which is about to be taken into the log."""


class Words(Protocol):
    """What the helpdesk's words mean here; see `mapping.Mapping`. send, new: what of ours is sent, as in `settings.Tables`."""

    send: str
    new: bool | None

    def reads(self, path: str) -> bool:
        """Whether a path of theirs has one here."""

    def writes(self, path: str) -> bool:
        """Whether a path of ours has one there."""

    def to_ours(self, path: str, raw: Value) -> tuple[str, Value]:
        """Our path and value. Raises UsageError for a value that is not mapped."""

    def to_theirs(self, path: str, value: Value) -> tuple[str, Value]:
        """Their path and value. Raises UsageError for a value that is not mapped."""


class Facing(NamedTuple):
    """The helpdesk that is read. identity: what it is in every store. mirror: the same in changes. name: who did what nobody is named for.

    stored: what it makes of a value (`Helpdesk.stored`). ticket: the id here of the ticket with a number there, if it is here.
    deletions: the kinds of items of which it tells that they were deleted. organisations: names behind an `@` that mean a partner or us.
    history: whether it tells of all changes of fields.
    """

    identity: str
    mirror: str
    name: str
    words: Words
    stored: Callable[[str, Value], Value]
    ticket: Callable[[int], str | None]
    deletions: frozenset[str]
    now: int
    organisations: frozenset[str] = frozenset()
    history: bool = True

    def kept(self, path: str, value: Value) -> Value:
        """The mark of what the helpdesk would show after it was given our value; None also for one that it cannot be given."""
        try:
            theirs, raw = self.words.to_theirs(path, value)
        except UsageError:
            return None
        return mark(self.stored(theirs, raw))

    def author(self, name: str) -> str:
        """Who somebody there is here; the helpdesk itself for nobody."""
        name = "".join(char if char.isprintable() else " " for char in name).strip()[: checks.MAX_LINE]
        name = str(self.words.to_ours("author", name)[1]) if name else self.name
        before, at, behind = name.rpartition("@")
        # `anna@globex` is what a partner's people are called here: nobody becomes one by a name in a helpdesk.
        return f"{before} at {behind}" if at and behind in self.organisations else name
