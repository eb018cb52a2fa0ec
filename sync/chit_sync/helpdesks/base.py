"""What every adapter for a helpdesk can do, and the terms in which it speaks. Pure; knows neither stores nor any helpdesk.

An adapter translates, it does not decide. It speaks of fields by chit's paths (`title`, `status`, `x.Severity`) and of values in the
helpdesk's own words: its statuses, its priorities, its people. What those mean here is for `mapping` to say; what is to be done,
for the engine in `exchange.mirror`. Times are microseconds since 1970 UTC.

An adapter raises
    AccessError      nobody is known by that token, or the account may do nothing here at all
    RefusedError     the helpdesk refuses this one call, and has done nothing of it
    UnreachedError   the call did not get there
    DoubtError       the call got there, and whether it was done is not known
    RemoteError      anything else that was wrong with an answer to a question; nothing was to be changed by it
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple, Protocol

from chit_sync.errors import PolicyError, RemoteError
from chit_sync.registers import Value


class RefusedError(PolicyError):
    """The helpdesk refuses one call: a value that it does not take, a right that is missing. It has done nothing of it."""


class DoubtError(RemoteError):
    """A call whose answer was lost, or was that of a server in trouble: it may have been done.

    settled: the server has answered, so nothing of the call is still under way.
    """

    def __init__(self, message: str, hint: str = "", *, settled: bool = False) -> None:
        super().__init__(message, hint)
        self.settled = settled


class Feature(NamedTuple):
    """How far a helpdesk carries something. why: a sentence for people where it does not, or not wholly."""

    read: bool
    write: bool
    why: str = ""


BOTH = Feature(read=True, write=True)

FEATURES: dict[str, str] = {
    "title": "The title.",
    "description": "The description.",
    "status": "The status, and reopening.",
    "priority": "The priority.",
    "queue": "The queue; writing it moves the ticket.",
    "assignee": "Who works on it.",
    "requester": "Who asked.",
    "due": "When it must be done.",
    "labels": "Labels.",
    "fields": "Custom fields.",
    "history": "Who changed which field when.",
    "replies": "Comments that the requester sees.",
    "notes": "Comments that the requester does not see.",
    "comment edits": "Rewritten comments.",
    "comment deletions": "Deleted comments.",
    "attachments": "Files.",
    "attachment deletions": "Deleted files.",
    "time": "Time that was spent.",
    "time edits": "Rewritten and deleted time.",
    "links": "Links to other tickets.",
    "merges": "Tickets merged into others.",
    "deletions": "Deleted tickets.",
}
"""What a helpdesk may carry, as `chit remote show` and the documentation list it."""


class Person(NamedTuple):
    """Somebody there. key: what fields and authors hold, as the helpdesk tells people apart."""

    key: str
    name: str = ""
    email: str = ""


class Choice(NamedTuple):
    """A status or priority there, and what it most likely means: a category of statuses or a priority, empty where nobody can tell."""

    name: str
    means: str


class Custom(NamedTuple):
    """A custom field. path: `x.NAME` as snapshots have it. choices: the values that it may have; any, if there are none."""

    path: str
    choices: tuple[str, ...] = ()


class Description(NamedTuple):
    """What a helpdesk is. features: all of FEATURES. limits: path (also `comment`, `attachment`, `filename`) to most characters or bytes.

    reference: the field there that holds our ticket's id; empty if there is none. statuses, priorities: in the helpdesk's order.
    default_queue: where a new ticket goes that names none; empty if it must name one.
    """

    title: str
    version: str
    account: Person
    statuses: Sequence[Choice]
    priorities: Sequence[Choice]
    people: Sequence[Person]
    queues: Sequence[str]
    customs: Sequence[Custom]
    features: Mapping[str, Feature]
    limits: Mapping[str, int] = {}
    reference: str = ""
    default_queue: str = ""


class Comment(NamedTuple):
    """Something said there, but the description. id: the helpdesk's. token: the id of the item here that it is, if it tells."""

    id: str
    author: str
    time: int
    body: str
    public: bool
    token: str = ""


class File(NamedTuple):
    """An attachment there. size in bytes, -1 where only the bytes tell. ref: what `download` needs."""

    id: str
    author: str
    time: int
    name: str
    size: int
    public: bool
    ref: str
    token: str = ""


class Work(NamedTuple):
    """Time spent. date: when the work was done."""

    id: str
    author: str
    time: int
    minutes: int
    date: int
    note: str
    token: str = ""


class Tie(NamedTuple):
    """A link of this ticket, of a kind of `schema.LINK_KINDS` (the forward names only). number: the other ticket's."""

    kind: str
    number: int


class Event(NamedTuple):
    """Something that was done to fields there: path to (old, new). key: tells it from every other event of the ticket, for good."""

    key: str
    time: int
    author: str
    changes: Mapping[str, tuple[Value, Value]]


class Snapshot(NamedTuple):
    """A ticket as it stands there. modified: when it last changed, by its clock.

    fields: every field of FEATURES that it carries: title, description, status, priority, queue, assignee, requester, due (a time or
    None), `x.…`, `labels/…`; what is empty is None or absent. events: the oldest first; all of them, so that undoing them from the last
    to the first gives what the ticket was when it was made; empty without history. told: which of comments, files, works, ties
    this reading tells of; what it does not tell of has not gone. version: for a check before writing, if the helpdesk has one.
    modifier: who changed it last, where the helpdesk tells.
    """

    number: int
    author: str
    created: int
    modified: int
    fields: Mapping[str, Value]
    comments: Sequence[Comment] = ()
    files: Sequence[File] = ()
    works: Sequence[Work] = ()
    ties: Sequence[Tie] = ()
    events: Sequence[Event] = ()
    token: str = ""
    version: str = ""
    modifier: str = ""
    told: frozenset[str] = frozenset(("comments", "files", "works", "ties"))


class Gone(NamedTuple):
    """A ticket that is not there, or not to be seen, any more. how: deleted, merged or hidden. into: the ticket that it was merged into."""

    number: int
    how: str
    into: int = 0
    author: str = ""
    time: int = 0


Found = Snapshot | Gone


class Page(NamedTuple):
    """A part of what changed. cursor: where reading goes on after it. done, total: how far this reading is, in tickets."""

    found: Sequence[Found]
    cursor: str
    done: int = 0
    total: int = 0


class Call(NamedTuple):
    """Something to be done there. verb: one of VERBS. token: the id of our ticket or item, which the adapter leaves there where it can.

    number: the ticket's; 0 for `create`. id: what is edited or deleted, as the helpdesk calls it. fields: by verb

        create          the fields of the new ticket, in the helpdesk's words
        update          path to new value; None empties it
        comment         body (text), public (flag)
        edit-comment    body
        attach          name, size, public; the bytes come beside the call
        time, edit-time minutes, date, note
        link, unlink    kind (forward name), other (number)
        merge           into (number)
        delete-comment, delete-attachment, delete-time, delete    nothing

    version: that of the snapshot that was compared before, for an adapter that can check it.
    """

    verb: str
    number: int
    token: str
    fields: Mapping[str, Value]
    id: str = ""
    version: str = ""


VERBS = (
    "create", "update", "comment", "edit-comment", "delete-comment", "attach", "delete-attachment", "time", "edit-time", "delete-time",
    "link", "unlink", "merge", "delete",
)  # fmt: skip

UNSAFE = frozenset(("create", "comment", "attach", "time"))
"""The verbs of calls that do something more when they are repeated."""


class Outcome(NamedTuple):
    """What came of a call. number: of a ticket that was made. id: of an item that was made, as snapshots call it.

    snapshot: the ticket afterwards, where the answer tells it without another call.
    """

    number: int = 0
    id: str = ""
    snapshot: Snapshot | None = None


class StaleError(RemoteError):
    """The ticket has changed since the version that the call names; nothing was done."""


class Helpdesk(Protocol):
    """A helpdesk. `where` names it in messages; `kind` is its key in the registry of adapters."""

    where: str
    kind: str

    def describe(self) -> Description:
        """What it is and who we are there. Raises AccessError for a token that is not (or no longer) good."""

    def changed(self, cursor: str, known: Collection[int]) -> Iterator[Page]:
        """What the query follows and has changed since the cursor (empty: all of it), in pages, each with where to go on.

        known: the numbers of the tickets that were read before; a ticket that is known stays followed when it leaves the query. May tell of
        a ticket again that has not changed; never leaves one out that has. A bad token is an AccessError, never an empty answer.
        """

    def numbers(self) -> Collection[int]:
        """The numbers of all tickets that the query follows now: complete, or an error."""

    def read(self, numbers: Sequence[int]) -> list[Found]:
        """These tickets, in that order, each with all its parts."""

    def perform(self, call: Call, file: BinaryIO | None = None) -> Outcome:
        """Does one call, once: it is never repeated in here where it may have been done. file: the bytes of an attachment."""

    def find(self, call: Call, known: Collection[str]) -> Outcome | None:
        """Whether a call of UNSAFE was done already, by the token or, where there is none, by all that it says.

        known: ids there of what is other items of ours (for `create`: numbers, as text), which it cannot be.
        """

    def download(self, ref: str) -> Iterator[bytes]:
        """The bytes of a file. Raises NotFoundError."""

    def stored(self, path: str, value: Value) -> Value:
        """What the helpdesk makes of a value when it keeps it: stripped, line ends changed.

        Besides the paths of fields there are `comment` (its text), `filename`, `time.minutes`, `time.date`, `time.note`.
        """

    def web(self, number: int) -> str:
        """The address of the ticket for a browser."""

    def close(self) -> None:
        """Lets go of the connection."""
