"""What an exchange came to, for whoever asked for it to show. Data only."""

from collections.abc import Callable
from typing import NamedTuple

Progress = Callable[[int, int], None]
"""Called now and then with how much is done and how much there is in all: changes, or bytes of attachments."""


def silent(done: int, total: int) -> None:
    """The progress that nobody watches."""


class Held(NamedTuple):
    """A change that came from a remote and is kept aside, because it does not pass here. seq: its place there."""

    seq: int
    id: str
    reason: str


class Refused(NamedTuple):
    """A change of ours that a remote would not take. seq: its place here. ticket: this store's number."""

    seq: int
    ticket: int
    reason: str


class Conflict(NamedTuple):
    """A path that came into conflict. ticket: this store's number."""

    ticket: int
    path: str


class Fetched(NamedTuple):
    """What a fetch came to. waiting: changes that wait for the next pull, those of earlier fetches too; handoffs: those of them that are
    about handoffs."""

    fetched: int
    waiting: int
    handoffs: int = 0


class RefusedMove(NamedTuple):
    """A move on a handoff, made in this organisation, that the lead's store did not take. ticket: this store's number. role: ours."""

    ticket: int
    handoff: str
    verb: str
    role: str
    partner: str
    reason: str


class News(NamedTuple):
    """What the other side of a handoff did. ticket: this store's number. verb: what it did last, or `ask` or `answer`. role: ours.

    text: the reason, the question or the answer. deadline: when the offer ends, in microseconds since 1970 UTC.
    """

    ticket: int
    handoff: str
    verb: str
    role: str
    partner: str
    status: str
    text: str
    deadline: int | None


class Pulled(NamedTuple):
    """What a pull came to. taken, had: changes. tickets: this store's numbers of those that changed, of which `created` are new.
    conflicts: those that arose. held: what does not pass here; warnings: sentences. refused_moves, news: of handoffs."""

    taken: int = 0
    had: int = 0
    tickets: tuple[int, ...] = ()
    created: int = 0
    conflicts: tuple[Conflict, ...] = ()
    held: tuple[Held, ...] = ()
    warnings: tuple[str, ...] = ()
    refused_moves: tuple[RefusedMove, ...] = ()
    news: tuple[News, ...] = ()


def joined(one: Pulled, other: Pulled) -> Pulled:
    """Two pulls, one after the other, as one. What the first held back the second has tried again."""
    return Pulled(
        one.taken + other.taken,
        one.had + other.had,
        tuple(sorted({*one.tickets, *other.tickets})),
        one.created + other.created,
        tuple(sorted({*one.conflicts, *other.conflicts})),
        other.held,
        one.warnings + other.warnings,
        one.refused_moves + other.refused_moves,
        (*(news for news in one.news if news.handoff not in {later.handoff for later in other.news}), *other.news),
    )


class Planned(NamedTuple):
    """A call to a helpdesk that is to be made, or, without a verb, what stays here. ticket: this store's number. what: fields, or the
    item. seqs: the places here of the changes that it is about."""

    ticket: int
    verb: str
    what: str
    reason: str
    seqs: tuple[int, ...]


class Pushed(NamedTuple):
    """What a push came to. taken, had: changes. tickets: this store's numbers. refused: those that this push was refused.
    blobs: attachments whose bytes were sent. planned: for a helpdesk, with dry_run the calls; always what stays here, and why.
    met: what a helpdesk was found to have changed meanwhile."""

    taken: int = 0
    had: int = 0
    tickets: tuple[int, ...] = ()
    refused: tuple[Refused, ...] = ()
    blobs: int = 0
    planned: tuple[Planned, ...] = ()
    met: Pulled = Pulled()


class Synced(NamedTuple):
    """A pull and a push after it."""

    pulled: Pulled
    pushed: Pushed
