"""Request Tracker 5, by its REST 2 interface.

Here is what is asked and done, in which order; what is said to the server is in `rt_asking` and `rt_writing`, what its answers mean in
`rt_answers` and `rt_reading`, how messages of ours are known again in `rt_marks`.

What changed is read from the feed of transactions, which no clock orders. A reply and a note carry the item's id in their subject; time
is a note that took time; a file comes with a message that says nothing.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import BinaryIO

from chit_sync.clock import SECOND
from chit_sync.errors import NotFoundError, RemoteError
from chit_sync.helpdesks import rt_about, rt_feed, rt_reading, rt_writing
from chit_sync.helpdesks.address import Address, login_of
from chit_sync.helpdesks.base import Call, Description, Found, Gone, Outcome, Page
from chit_sync.helpdesks.rows import number
from chit_sync.helpdesks.rt_answers import NOBODY, Ticket, Transaction
from chit_sync.helpdesks.rt_asking import Asking, quoted, said
from chit_sync.helpdesks.rt_base64 import content_of
from chit_sync.helpdesks.rt_calls import Calls
from chit_sync.helpdesks.rt_feed import PAGE, Cursor
from chit_sync.registers import Value
from chit_sync.remotes.web import Web

BLOCK = 10
"""Stretches of tickets, of a hundred, whose history is asked for together in the first reading."""

SINGLE = 4
"""Up to how many tickets are asked for one by one, which also tells a version to check before writing."""

FEED_PAGES = 50
"""Pages of the feed that are read before the tickets that they name."""


class RequestTracker:
    """The adapter. secret: an authentication token, or `login:password`."""

    kind = "rt"

    def __init__(
        self, address: Address, secret: str | None, *, timeout: float = 30.0, ca_file: str | None = None
    ) -> None:
        self.where = f"{self.kind}+{address.base}"
        self._base = address.base
        self._followed = address.queues
        basic = login_of(secret)
        token = {"Authorization": f"token {secret}"} if secret and not basic else {}
        self._me = basic[0] if basic else (secret or "").partition("-")[2].partition("-")[0] or "nobody"
        self._web = Web(
            self.where,
            f"{address.base}/REST/2.0",
            headers={"Accept": "application/json", **token},
            basic=basic,
            timeout=timeout,
            ca_file=ca_file,
            said=lambda answer: said(answer.body) or answer.said(),
        )
        self._asking = Asking(self._web, self.where, _condition(address))
        self._catalog = rt_about.Catalog(self._asking)
        self._users: dict[str, str] = {}
        self._logins: dict[str, str] = {}
        self._titles: dict[int, str] = {}
        self._calls = Calls(self._asking, self._catalog, self._followed, self._titles, self._whole)

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._web.requests

    def close(self) -> None:
        """See base.Helpdesk."""
        self._web.close()

    def web(self, number: int) -> str:
        """See base.Helpdesk."""
        return f"{self._base}/Ticket/Display.html?id={number}"

    def describe(self) -> Description:
        """See base.Helpdesk."""
        return rt_about.describe(self._asking, self._catalog, self._me, self._followed)

    # Reading

    def changed(self, cursor: str, known: Collection[int]) -> Iterator[Page]:
        """See base.Helpdesk."""
        at = rt_feed.decode(cursor) if cursor else self._start()
        if cursor and not at.to:
            yield from self._news(at, {*known})
        elif not at.to:
            yield Page((), rt_feed.encode(at))
        while at.to:
            for page in self._first(at):
                yield page
                at = rt_feed.decode(page.cursor)

    def _start(self) -> Cursor:
        """Where a first reading begins: what is done from now on comes by the feed."""
        latest = [one.id for one in self._asking.latest()]
        newest, total = self._asking.newest()
        floor = min(latest) - 1 if len(latest) == PAGE else 0
        return Cursor(floor=floor, to=newest, total=total).handled(latest, max(latest, default=0))

    def _first(self, at: Cursor) -> Iterator[Page]:
        """The next pages of a first reading."""
        stretches = rt_feed.ranges(at, BLOCK)
        parts = self._web.many([partial(self._asking.between, *stretch) for stretch in stretches])
        tickets = [one for part in parts for one in part]
        found = self._whole(tickets)
        end = stretches[-1][1]
        for start in range(0, max(1, len(found)), PAGE):
            part = found[start : start + PAGE]
            last = start + PAGE >= len(found)
            done = at.done + len(part)
            at = at._replace(at=end if last else part[-1].number, done=done, total=max(at.total, done))
            if at.at >= at.to:
                at = at._replace(at=0, to=0, done=0, total=0)
            yield Page(part, rt_feed.encode(at), done, max(at.total, done))

    def _news(self, at: Cursor, known: set[int]) -> Iterator[Page]:
        """The pages of what was done since."""
        more = True
        while more:
            new, ids, more = self._feed(at)
            changed: dict[int, int] = {}
            for one in sorted(new):
                changed[one.ticket] = one.id
            order = sorted(changed, key=lambda number: changed[number])
            for start in range(0, max(1, len(order)), PAGE):
                part = order[start : start + PAGE]
                last = start + PAGE >= len(order)
                reached = max(ids, default=at.last) if last else changed[part[-1]]
                found = self._changed(part, known) if part else []
                at = at.handled((ident for ident in ids if ident <= max(reached, at.last)), reached)
                yield Page(found, rt_feed.encode(at), min(start + PAGE, len(order)), len(order))

    def _feed(self, at: Cursor) -> tuple[list[Transaction], list[int], bool]:
        """What is new, the numbers of all that was seen, and whether there may be more."""
        seen: list[Transaction] = []
        above = max(at.floor, at.last - rt_feed.NEAR)
        more = True
        for _ in range(FEED_PAGES):
            part = self._asking.feed(above)
            if not part:
                more = False
                break
            seen += part
            above = max(at.last, self._asking.further(above, [one.id for one in part]))
        new = [one for one in seen if at.is_new(one.id)]
        if new:
            above, up_to = max(at.floor, at.last - rt_feed.DEEP), at.last - rt_feed.NEAR
            while above < up_to and (part := self._asking.feed(above, up_to)):
                seen += part
                new += [one for one in part if at.is_new(one.id)]
                above = self._asking.further(above, [one.id for one in part])
        return new, [one.id for one in seen], more

    def _changed(self, numbers: Sequence[int], known: set[int]) -> list[Found]:
        """Those of these tickets that are followed, or were; a ticket that is in no list any more is looked for by itself."""
        ours = [number for number in numbers if number in known]
        if len(numbers) <= SINGLE and len(ours) == len(numbers):
            return self.read(numbers)
        tickets = self._asking.among([number for number in numbers if number not in known], ours)
        listed = {one.number for one in tickets}
        alone = self._alone([number for number in ours if number not in listed])
        return self._whole([*tickets, *alone])

    def numbers(self) -> Collection[int]:
        """See base.Helpdesk."""
        return self._asking.numbers()

    def read(self, numbers: Sequence[int]) -> list[Found]:
        """See base.Helpdesk."""
        wanted = [*dict.fromkeys(numbers)]
        tickets: list[Ticket] = []
        if len(wanted) > SINGLE:
            parts = [wanted[start : start + PAGE] for start in range(0, len(wanted), PAGE)]
            for part in self._web.many([partial(self._asking.among, (), part) for part in parts]):
                tickets += part
        listed = {one.number for one in tickets}
        alone = self._alone([number for number in wanted if number not in listed])
        found = {one.number: one for one in self._whole([*tickets, *alone])}
        return [found[number] for number in numbers]

    def _alone(self, numbers: Sequence[int]) -> list[Ticket | Gone]:
        """Tickets by themselves. One that was deleted or merged is gone; by whom, its history tells."""
        found: list[Ticket | Gone] = []
        answers = dict(zip(numbers, self._web.many([partial(self._asking.one, each) for each in numbers]), strict=True))
        ended = [
            each
            for each, one in answers.items()
            if isinstance(one, Ticket) and (one.number != each or one.status == rt_reading.DELETED)
        ]
        history = self._asking.history(ended) if ended else {}
        for each, one in answers.items():
            found.append(
                rt_reading.gone(each, one, history[each]) if each in history and isinstance(one, Ticket) else one
            )
        return found

    def _whole(self, tickets: Sequence[Ticket | Gone]) -> list[Found]:
        """Tickets with their history, in order; gone ones as they are."""
        alive = {one.number: one for one in tickets if isinstance(one, Ticket)}
        if not alive:
            return [one for one in tickets if isinstance(one, Gone)]
        history = self._asking.history([*alive])
        late = [
            number for number, several in history.items() if several and several[-1].time > alive[number].modified
        ]  # done between the two questions: what the ticket shows has to be as new as its history
        for start in range(0, len(late), PAGE):
            alive |= {one.number: one for one in self._asking.among((), late[start : start + PAGE])}
        every = [one for several in history.values() for one in several]
        told = self._asking.told(every)
        self._learn(rt_reading.users_in(every))
        names = rt_reading.Names(lambda user: self._users.get(user, ""), self._queue)
        found: list[Found] = []
        for one in tickets:
            if isinstance(one, Ticket):
                one = alive[one.number]
                self._titles[one.number] = one.title
                found.append(rt_reading.snapshot(one, history[one.number], told, names))
            else:
                found.append(one)
        return found

    def _learn(self, users: Collection[str]) -> None:
        """Asks who users are that are only known by number."""
        unknown = sorted(user for user in users if user not in self._users)
        for user, row in zip(
            unknown, self._web.many([partial(self._asking.user, user) for user in unknown]), strict=True
        ):
            name = str(row.get("Name") or f"#{user}")
            self._users[user] = "" if name in NOBODY else name

    def _queue(self, ident: str) -> str:
        return self._catalog.queues().get(number(ident), f"#{ident}")

    # Writing

    def perform(self, call: Call, file: BinaryIO | None = None) -> Outcome:
        """See base.Helpdesk."""
        return self._calls.perform(call, file)

    def find(self, call: Call, known: Collection[str]) -> Outcome | None:
        """See base.Helpdesk."""
        return self._calls.find(call, known)

    def download(self, ref: str) -> Iterator[bytes]:
        """See base.Helpdesk."""
        if not number(ref):
            raise NotFoundError(f"{self.where} has no file {ref[:40]!r}")
        try:
            answer = self._web.stream(f"attachment/{number(ref)}")
        except NotFoundError:
            raise
        except RemoteError:  # it answers 500 for what is not there
            if self._asking.is_there(number(ref)):
                raise
            raise NotFoundError(f"{self.where} has no file {number(ref)} any more") from None
        return content_of(self.where, answer)

    def stored(self, path: str, value: Value) -> Value:
        """See base.Helpdesk."""
        if path == "due" and isinstance(value, int):
            return value - value % SECOND or None
        if not isinstance(value, str):
            return value
        match path:
            case "title":
                return rt_reading.title(value) or None
            case "description" | "comment" | "time.note":
                return value.replace("\r\n", "\n") or None
            case "filename":
                return rt_writing.filename(value)
            case "requester" if "@" in value:
                return self._login(value)
        if path.startswith("x.") and "\n" in value and self._catalog.holds_several(path[2:]):
            return rt_reading.joined([line for line in value.split("\n") if line])
        return value or None

    def _login(self, address: str) -> str:
        """Whoever has a login goes by that, also where the address was written."""
        if address not in self._logins:
            self._logins[address] = self._asking.login_of(address) or address
        return self._logins[address]


def _condition(address: Address) -> str:
    """The condition that followed tickets meet."""
    queues = " OR ".join(f"Queue = {quoted(name)}" for name in address.queues)
    return " AND ".join(f"({part})" for part in (queues, address.query) if part)
