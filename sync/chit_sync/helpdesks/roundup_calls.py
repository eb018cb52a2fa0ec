"""The calls that change a Roundup tracker, and how those whose answer was lost are found again.

What becomes part of a ticket is made first and linked to it then: an interruption in between leaves something that nobody sees. A message
carries our token from the beginning, so finding it unlinked is enough to link it and be done. Linking takes the ticket's entity tag and
is tried again when others were faster. A comment names the status that the ticket has, since Roundup would else set it to `chatting`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from chit_sync.clock import SECOND
from chit_sync.errors import RemoteError
from chit_sync.helpdesks.base import Call, DoubtError, Outcome, RefusedError, StaleError
from chit_sync.helpdesks.marking import marked, unmarked
from chit_sync.helpdesks.roundup_asking import TRIES, Item, Rest
from chit_sync.helpdesks.roundup_fields import CLEARED, Fields
from chit_sync.helpdesks.roundup_reading import (
    FILE_FIELDS,
    MSG_FIELDS,
    TIME_FIELDS,
    Shape,
    description_of,
    digest,
    ids,
    message_id,
    minutes,
    moment,
    person,
    wanted,
)
from chit_sync.helpdesks.roundup_tracker import account
from chit_sync.helpdesks.rows import Row, is_id, text
from chit_sync.registers import Value
from chit_sync.remotes.base import UnreachedError

LISTS = {"comment": "messages", "attach": "files", "time": "times"}


class Calls:
    """Does one call after the other in a tracker of this shape. queue: the keyword that new tickets get, since it is followed."""

    def __init__(self, rest: Rest, shape: Shape, queue: str = "") -> None:
        self._rest = rest
        self._queue = queue
        self._shape = shape
        self._fields = Fields(rest, shape)

    def perform(self, call: Call, file: BinaryIO | None) -> Outcome:
        """Does a call, once."""
        number = str(call.number)
        match call.verb:
            case "create":
                return self._create(call)
            case "update":
                self._update(call)
            case "comment":
                self._check_public(call)
                ticket = self._open(call)
                return self._linked(call, self._message(str(call.fields.get("body") or ""), call), ticket)
            case "edit-comment":
                self._rewrite("msg", call.id, {"content": str(call.fields.get("body") or "")})
            case "attach":
                return self._attach(call, file)
            case "time":
                body = {name: value for name, value in self._fields.work(call.fields).items() if value != CLEARED}
                ticket = self._open(call)
                return self._linked(call, self._rest.post("timelog", body), ticket)
            case "edit-time":
                self._rewrite("timelog", call.id, self._fields.work(call.fields))
            case "delete-comment" | "delete-attachment" | "delete-time":
                what = {"delete-comment": "messages", "delete-attachment": "files", "delete-time": "times"}[call.verb]
                self._listed(number, what, removed=call.id)
            case "link" | "unlink":
                self._tie(call)
            case "delete":
                self._delete(number)
            case _:
                raise RefusedError(f"Roundup cannot do that: {call.verb}")
        return Outcome()

    def find(self, call: Call, known: Collection[str]) -> Outcome | None:
        """Whether the call was done; one that was half done is completed."""
        if call.verb == "create":
            return self._find_ticket(call)
        name = LISTS[call.verb]
        if call.verb == "comment":
            return self._find_comment(call)
        item = self._item(str(call.number), name)
        linked = [one for one in ids(item.row, name) if one not in known]
        found = self._like_file(call, linked) if call.verb == "attach" else self._like_work(call, linked)
        return None if found is None else Outcome(id=found)

    # Tickets

    def _create(self, call: Call) -> Outcome:
        body = self._new(call)  # what it refuses is refused before anything is made
        text = self._first(call)
        return self._issue(body, self._message(text, call) if text else "")

    def _first(self, call: Call) -> str:
        """What the first message of a new ticket says; empty if it needs none."""
        description = str(call.fields.get("description") or "")
        if description.strip():
            return description
        # a message needs some text, and without a field for it the message is what holds the token
        return "" if self._shape.reference else marked("", call.token)

    def _new(self, call: Call) -> dict[str, object]:
        """The fields of a new ticket."""
        queue = str(call.fields.get("queue") or self._queue)
        kept = [self._fields.keyword(queue)] if queue else []
        fields = {key: value for key, value in call.fields.items() if key not in ("requester", "queue")}
        body = self._fields.ticket(fields, kept)
        if kept:
            body.setdefault(self._shape.keywords, kept)
        if self._shape.reference:
            body[self._shape.reference] = call.token
        return {key: value for key, value in body.items() if value not in (CLEARED, [])}

    def _issue(self, body: dict[str, object], first: str) -> Outcome:
        """Makes the ticket around its first message."""
        if not first:
            return Outcome(number=int(self._rest.post(self._shape.klass, body)))
        with _half_done():
            return Outcome(number=int(self._rest.post(self._shape.klass, {**body, "messages": [first]})))

    def _find_ticket(self, call: Call) -> Outcome | None:
        klass, reference = self._shape.klass, self._shape.reference
        if reference:
            rows = self._rest.rows(klass, (reference,), [(f"{reference}:", call.token)])
            found = sorted(int(text(row, "id")) for row in rows if text(row, reference) == call.token)
            if found:
                return Outcome(number=found[0])
        messages = self._messages_with(call.token)
        if not messages:
            return None
        listed = ",".join(text(row, "id") for row in messages)
        found = sorted(int(text(row, "id")) for row in self._rest.rows(klass, (), [("messages", listed)]))
        if found:
            return Outcome(number=found[0])
        first = _saying(messages, self._first(call))
        return self._issue(self._new(call), first) if first else None

    def _update(self, call: Call) -> None:
        number = str(call.number)
        fields = dict(call.fields)
        description = fields.pop("description", None) if "description" in fields else ...
        if fields:
            self._set(number, fields, call.version)
        elif call.version and digest(self._item(number, *self._shape.ticket_fields()).row) != call.version:
            raise StaleError(f"ticket {number} at {self._rest.where} has changed meanwhile", "It is read again.")
        if description is not ...:
            self._describe(number, str(description or ""), call)

    def _set(self, number: str, fields: Mapping[str, Value], version: str) -> None:
        """Sets fields of a ticket that is as it was when it was read."""
        for attempt in range(TRIES):
            item = self._item(number, *self._shape.ticket_fields())
            if version and digest(item.row) != version:
                raise StaleError(f"ticket {number} at {self._rest.where} has changed meanwhile", "It is read again.")
            body = self._fields.ticket(fields, ids(item.row, self._shape.keywords) if self._shape.keywords else [])
            try:
                self._rest.put(self._shape.klass, number, body, item.tag)
                return
            except StaleError:
                if attempt == TRIES - 1:
                    raise

    def _describe(self, number: str, description: str, call: Call) -> None:
        """Rewrites the first message, or makes one for a ticket that was made without."""
        item = self._item(number, "creation", "messages")
        rows = self._rest.rows_of("msg", MSG_FIELDS, ids(item.row, "messages"), verbose=3)
        told = description_of(item.row, {text(row, "id"): row for row in rows})
        if told:
            _, marker = unmarked(text(told, "content"))
            self._rewrite("msg", text(told, "id"), {"content": marked(description, marker) if marker else description})
        elif description.strip():
            first = _saying(self._messages_with(call.token), description)
            self._listed(number, "messages", added=first or self._message(description, call))

    def _delete(self, number: str) -> None:
        for attempt in range(TRIES):
            try:
                self._rest.delete(self._shape.klass, number, self._item(number).tag)
                return
            except StaleError:
                if attempt == TRIES - 1:
                    raise

    def _tie(self, call: Call) -> None:
        if call.fields.get("kind") != "duplicates" or not self._shape.superseder:
            raise RefusedError(
                f"{self._rest.where} has no field for links of the kind {call.fields.get('kind')}",
                "Roundup knows which ticket supersedes another, which is `duplicates` here.",
            )
        other, number = str(call.fields.get("other")), str(call.number)
        if call.verb == "link":
            self._listed(number, "superseder", added=other)
        else:
            self._listed(number, "superseder", removed=other)

    # What belongs to a ticket

    def _message(self, content: str, call: Call) -> str:
        """Makes a message that is not linked yet."""
        if not content.strip():
            raise RefusedError("Roundup keeps no empty message", "Write something into it.")
        body: dict[str, object] = {
            "content": content,
            "author": self._me(),
            "date": ".",  # now, by the server's clock
            "messageid": message_id(call.token),
        }
        if self._shape.internal and call.verb == "comment":
            body["internal"] = not call.fields.get("public", True)
        return self._rest.post("msg", body)

    def _check_public(self, call: Call) -> None:
        if not call.fields.get("public", True) and not self._shape.internal:
            raise RefusedError(
                f"everybody who sees a ticket at {self._rest.where} would see this internal comment",
                "Its messages have no field `internal`, so it stays here. The tracker's administrator can add one.",
            )

    def _find_comment(self, call: Call) -> Outcome | None:
        """The message with our token; if none is linked, one that nothing has yet is. An item's id is good within its ticket only."""
        ticket = self._open(call)
        linked = ids(ticket.row, "messages")
        messages = self._messages_with(call.token)
        for row in messages:
            if text(row, "id") in linked:
                return Outcome(id=text(row, "id"))
        if not messages:
            return None
        listed = ",".join(text(row, "id") for row in messages)
        elsewhere = set(wanted(self._rest.rows(self._shape.klass, ("messages",), [("messages", listed)]), "messages"))
        free = [row for row in messages if text(row, "id") not in elsewhere]
        found = _saying(free, str(call.fields.get("body") or ""))
        return self._linked(call, found, ticket) if found else None

    def _messages_with(self, token: str) -> list[Row]:
        """Our messages with that token, the oldest first: several, if what they were made for was refused before."""
        wish = message_id(token)
        rows = self._rest.rows("msg", self._shape.msg_fields(), [("messageid:", wish)], verbose=3)
        me = self._me()
        mine = [row for row in rows if text(row, "messageid") == wish and person(row, "creator") == me]
        return sorted(mine, key=lambda row: int(text(row, "id")))

    def _attach(self, call: Call, file: BinaryIO | None) -> Outcome:
        name = str(call.fields.get("name") or "file")
        if not call.fields.get("public", True):
            raise RefusedError(
                f"everybody who sees a ticket at {self._rest.where} sees its files",
                f"{name} is internal, so it stays here.",
            )
        if file is None or not call.fields.get("size"):
            raise RefusedError("Roundup keeps no empty file", f"{name} has no bytes.")
        ticket = self._open(call)
        number = self._rest.upload("file", {"name": name, "type": "application/octet-stream"}, name, file)
        return self._linked(call, number, ticket)

    def _open(self, call: Call) -> Item:
        """The ticket that something is to be linked to, asked for before that is made: if it is not there, nothing is."""
        return self._list(str(call.number), LISTS[call.verb])

    def _linked(self, call: Call, made: str, ticket: Item | None = None) -> Outcome:
        """Links something that was made to its ticket."""
        with _half_done():
            self._listed(str(call.number), LISTS[call.verb], added=made, ticket=ticket)
        return Outcome(id=made)

    def _list(self, number: str, name: str) -> Item:
        """A list of a ticket, and what is needed to write it."""
        return self._item(number, name, *([self._shape.status] if name == "messages" and self._shape.status else []))

    def _listed(
        self, number: str, name: str, *, added: str = "", removed: str = "", ticket: Item | None = None
    ) -> None:
        """Puts an id on a list of a ticket, or takes it off. Safe to repeat. ticket: as it was a moment ago."""
        for attempt in range(TRIES):
            item = ticket if ticket and not attempt else self._list(number, name)
            there = ids(item.row, name)
            wish = [one for one in there if one != removed] + ([added] if added and added not in there else [])
            if removed and removed not in there:
                raise RefusedError(f"ticket {number} at {self._rest.where} has no {removed[:20]} among its {name}")
            if wish == there:
                return
            body: dict[str, object] = {name: wish}
            if name == "superseder" and self._shape.superseder == "one":
                body = {name: added or CLEARED}
            if self._shape.status in item.row:
                body[self._shape.status] = text(item.row, self._shape.status) or CLEARED
            try:
                if name == "messages" and not wish:
                    self._take_last(number, removed, item)
                else:
                    self._rest.put(self._shape.klass, number, body, item.tag)
                return
            except StaleError:
                if attempt == TRIES - 1:
                    raise

    def _take_last(self, number: str, message: str, item: Item) -> None:
        """Takes off a ticket's only message. Roundup takes no empty list here, so the status has to be set right afterwards."""
        self._rest.take_off(self._shape.klass, number, "messages", message, item.tag)
        status = text(item.row, self._shape.status) if self._shape.status else ""
        if status:
            self._rest.put(self._shape.klass, number, {self._shape.status: status}, self._item(number).tag)

    def _rewrite(self, klass: str, number: str, body: Mapping[str, object]) -> None:
        if not is_id(number):
            raise RefusedError(f"{number[:40]!r} is no {klass} at {self._rest.where}")
        if klass == "msg" and not str(body["content"]).strip():
            raise RefusedError("Roundup keeps no empty message", "Write something into it, or delete it.")
        for attempt in range(TRIES):
            item = self._rest.item(klass, number)
            if item is None:
                raise RefusedError(f"{self._rest.where} has no {klass} {number} (any more)")
            try:
                self._rest.put(klass, number, body, item.tag)
                return
            except StaleError:
                if attempt == TRIES - 1:
                    raise

    def _like_file(self, call: Call, linked: list[str]) -> str | None:
        me = self._me()
        for row in self._rest.rows_of("file", FILE_FIELDS, linked):
            if person(row, "creator") == me and text(row, "name") == str(call.fields.get("name")).strip():
                size = call.fields.get("size")
                if sum(map(len, self._rest.stream(f"data/file/{row['id']}/binary_content"))) == size:
                    return text(row, "id")
        return None

    def _like_work(self, call: Call, linked: list[str]) -> str | None:
        me, wish = self._me(), call.fields
        done = wish.get("date")
        for row in self._rest.rows_of("timelog", TIME_FIELDS, linked):
            same = minutes(row.get("period")) == wish.get("minutes") and person(row, "creator") == me
            note = text(row, "summary") == line(str(wish.get("note") or ""))
            if same and note and isinstance(done, int) and moment(row.get("date")) == done // SECOND * SECOND:
                return text(row, "id")
        return None

    def _item(self, number: str, *fields: str) -> Item:
        """A ticket's tag and some fields."""
        item = self._rest.item(self._shape.klass, number, fields or ("id",))
        if item is None:
            raise RefusedError(f"{self._rest.where} has no ticket {number}, or does not show it")
        return item

    def _me(self) -> str:
        if not self._rest.login:
            self._rest.login = account(self._rest).key
        if not self._rest.login:
            raise RemoteError(f"{self._rest.where} does not tell who we are")
        return self._rest.login


def _saying(messages: Sequence[Row], content: str) -> str:
    """The last of the messages that says this."""
    return next((text(row, "id") for row in reversed(messages) if text(row, "content") == content.strip()), "")


@contextmanager
def _half_done() -> Iterator[None]:
    """What is done when something was made and is to be linked: that it was not linked says nothing of the whole."""
    try:
        yield
    except (UnreachedError, StaleError) as error:
        raise DoubtError(error.message, error.hint, settled=True) from None


def line(value: str) -> str:
    """A text as Roundup keeps it outside messages: without blanks around it, and with its own line ends."""
    return value.replace("\r\n", "\n").replace("\r", "\n").strip()
