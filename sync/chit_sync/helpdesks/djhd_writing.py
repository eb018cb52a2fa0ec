"""Calls that change something at django-helpdesk, and the search for those whose answer was lost.

Decides nothing. What is dangerous there is prevented here: a followup's title would rename the ticket, and a comment is a template that
the server fills in. A change of fields saves every column of the ticket, as its web pages do: a change by somebody else in the same
moment may be lost, and nothing can prevent that from outside.
"""

import mimetypes
import re
from collections.abc import Callable, Collection, Mapping
from typing import BinaryIO

from chit_sync.errors import RemoteError
from chit_sync.helpdesks.base import Call, DoubtError, Outcome, RefusedError
from chit_sync.helpdesks.djhd_asking import FILES, FOLLOWUPS, NEWEST, TICKETS, Asking, Listing
from chit_sync.helpdesks.djhd_fields import Body, check, line, to_json
from chit_sync.helpdesks.djhd_reading import Followup, followup, is_number, read_token, unworked, worked
from chit_sync.helpdesks.marking import marked
from chit_sync.helpdesks.rows import whole
from chit_sync.registers import Value
from chit_sync.remotes.received import Answer

EXTENSIONS = frozenset(("", "txt", "asc", "pdf", "doc", "docx", "odt", "jpg", "png", "eml"))
"""Files that a site takes unless it is configured otherwise; others are sent with `.txt` behind their name."""

MOST_NAME = 80
"""Characters that a file's name has in its address; its whole name is kept beside that."""

_TEMPLATE = re.compile(r"\{|(?<=%)\}|(?<=X-HELPDESK-COMMENT)-")


def escaped(text: str) -> str:
    """A text that the server's template engine turns into the text that is given."""
    return _TEMPLATE.sub(lambda found: "{{ '" + found.group() + "' }}", text)


class Writing:
    """Performs calls, and finds out about those whose answer was lost."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._where = asking.where
        self._bare: dict[tuple[int, bool], int] = {}
        self._tokens: dict[str, int] = {}
        self._searched = 0

    def perform(self, call: Call, file: BinaryIO | None) -> Outcome:
        """Does a call, once."""
        does: Mapping[str, Callable[[Call], Outcome]] = {
            "create": self._create, "update": self._update, "comment": self._comment, "edit-comment": self._edit_comment,
            "delete-comment": self._delete_comment, "delete-attachment": self._delete_attachment, "time": self._time,
            "edit-time": self._edit_time, "delete-time": self._delete_time, "merge": self._merge, "delete": self._delete,
        }  # fmt: skip
        if call.verb == "attach":
            return self._attach(call, file)
        if call.verb not in does:
            raise RefusedError("django-helpdesk has no links between tickets")
        return does[call.verb](call)

    def find(self, call: Call, known: Collection[str]) -> Outcome | None:
        """What came of a call whose answer was lost; None if it was not done."""
        if call.verb == "create":
            return self._find_ticket(call.token, known)
        raw = self._asking.ticket(call.number)
        if raw is None:
            return None
        followups = self._asking.followups_of(raw)
        if call.verb == "attach":
            return self._find_file(call, followups, known, raw.get("title"))
        if call.verb == "time":
            made = [one.id for one in followups if call.token and worked(one.comment)[2] == call.token]
        else:
            text, public = line(call.fields.get("body")), call.fields.get("public") is True
            if followups and followups[0].opens(raw.get("description")):
                followups = followups[1:]
            made = [one.id for one in followups if (one.comment, one.public) == (text, public) and self._ours(one)]
        made = [ident for ident in made if ident not in known]
        return Outcome(call.number, made[-1]) if made else None

    def _ours(self, one: Followup) -> bool:
        """Whether it may be of ours: where nobody tells who we are, everybody's may."""
        return self._asking.me in ("", str(one.user))

    # Tickets

    def _create(self, call: Call) -> Outcome:
        words, fields = self._asking.words, dict(call.fields)
        later: dict[str, Value] = {
            path: fields.pop(path) for path in ("status", "x.resolution", "x.on_hold") if path in fields
        }
        description = line(fields.pop("description", None))
        body = to_json(fields, words, self._where)
        body.setdefault("queue", next(iter(words.queues), 0))
        if not body["queue"]:
            raise RefusedError(
                f"{self._where} wants a queue for a new ticket, and this one names none",
                "Set its queue to the number of one there, or name one in the remote's address: ?queue=1.",
            )
        body.setdefault("priority", sorted(words.priorities)[len(words.priorities) // 2])
        if words.reference:
            body[words.reference] = call.token
        # A ticket must have a description; the line that names ours is one.
        body["description"] = description if words.reference and description else marked(description, call.token)
        if not body.get("title"):
            raise RefusedError(f"{self._where} takes no ticket without a title")
        made = self._asking.answered(self._send("POST", TICKETS, body))
        if made is None:
            raise DoubtError(f"{self._where} answers with a ticket that is merged into another", settled=True)
        if made.author.isdecimal():
            self._asking.learn_me(int(made.author))
        wanted = {path: value for path, value in later.items() if made.fields.get(path) != value}
        if wanted:
            # A status given at the making is ignored. If this fails, reading shows what the ticket has instead.
            try:
                return self._update(Call("update", made.number, call.token, wanted))._replace(id=str(made.number))
            except (RefusedError, RemoteError):
                pass
        return Outcome(made.number, str(made.number), made)

    def _update(self, call: Call) -> Outcome:
        fields = dict(call.fields)
        others = {path: value for path, value in fields.items() if path != "description"}
        body = to_json(others, self._asking.words, self._where)
        if "description" in fields:
            text = line(fields["description"])
            token = self._mark(call.number)
            body["description"] = (marked(text, token) if token else text) or None
        if not body:
            return Outcome(call.number)
        answer = self._send("PATCH", f"{TICKETS}{call.number}/", body)
        return Outcome(call.number, snapshot=self._asking.answered(answer))

    def _mark(self, number: int) -> str:
        """The token that has to stay in a ticket's description."""
        if number not in self._asking.marked:
            raw = self._asking.ticket(number)
            if raw is None:
                raise RefusedError(f"{self._where} has no ticket #{number} any more")
            self._asking.take(raw)
        return self._asking.marked.get(number, "")

    def _merge(self, call: Call) -> Outcome:
        body: Body = {"merged_to": call.fields.get("into")}
        duplicate = [number for number, name in self._asking.words.statuses.items() if name.lower() == "duplicate"]
        if duplicate:
            body["status"] = duplicate[0]
        self._send("PATCH", f"{TICKETS}{call.number}/", body)
        return Outcome(call.number)

    def _delete(self, call: Call) -> Outcome:
        self._asking.web.ask("DELETE", f"{TICKETS}{call.number}/", accept=(404,))
        return Outcome(call.number)

    def _find_ticket(self, token: str, known: Collection[str]) -> Outcome | None:
        """The ticket with our id. The newest are looked through each time, the others once."""
        number = self._tokens.get(token, 0)
        if number and self._asking.ticket(number) is None:
            number = 0
        number = number or self._search(token)
        return Outcome(number, str(number)) if number and str(number) not in known else None

    def _search(self, token: str) -> int:
        self._tokens.pop(token, None)
        newest = self._asking.listing(size=NEWEST)
        lowest = self._note(newest)
        if token not in self._tokens and newest.page > 1 and lowest > self._searched + 1:
            for listing in self._asking.walk():
                if self._note(listing) <= self._searched + 1 or token in self._tokens:
                    break
        if token not in self._tokens:
            self._searched = max([self._searched, *(numbered(raw) for raw in newest.tickets)])
        return self._tokens.get(token, 0)

    def _note(self, listing: Listing) -> int:
        """Takes down which of ours are on a page. Gives the lowest number on it."""
        for raw in listing.tickets:
            if held := read_token(raw, self._asking.words):
                self._tokens[held] = numbered(raw)
        return min(map(numbered, listing.tickets), default=0)

    # Followups

    def _comment(self, call: Call) -> Outcome:
        text = line(call.fields.get("body"))
        if not text:
            raise RefusedError(f"{self._where} shows no comment without a text")
        return self._say(call.number, text, public=call.fields.get("public") is True)

    def _say(self, number: int, text: str, *, public: bool, time: str = "") -> Outcome:
        body: Body = {"ticket": number, "comment": escaped(text), "public": public}
        if time:
            body["time_spent"] = time
        raw = self._send("POST", FOLLOWUPS, body).json()
        made = self._sure(raw)
        if made.ticket != number:
            raise DoubtError(f"{self._where} answers with a followup of another ticket", settled=True)
        self._asking.learn_me(made.user)
        return Outcome(number, made.id)

    def _sure(self, raw: object) -> Followup:
        """The followup that a call made; if the answer is none, it is not known whether it did."""
        try:
            return followup(raw, self._where)
        except RemoteError as error:
            raise DoubtError(error.message, error.hint, settled=True) from None

    def _there(self, ident: str) -> Followup:
        answer = self._asking.web.ask("GET", f"{FOLLOWUPS}{_id(ident)}/", accept=(404,))
        if answer.status == 404:
            raise RefusedError(f"{self._where} does not have that (any more)")
        return followup(answer.json(), self._where)

    def _edit(self, ident: str, body: Body) -> None:
        # The text of a change, other than that of a new followup, is no template.
        self._send("PATCH", f"{FOLLOWUPS}{_id(ident)}/", body)

    def _edit_comment(self, call: Call) -> Outcome:
        text = line(call.fields.get("body"))
        if not text:
            raise RefusedError(f"{self._where} shows no comment without a text", "Delete it instead.")
        self._edit(call.id, {"comment": text})
        return Outcome(call.number, call.id)

    def _delete_comment(self, call: Call) -> Outcome:
        one = self._there(call.id)
        if one.files or one.status or one.minutes:
            self._edit(call.id, {"comment": ""})  # what else it holds would go with it
        else:
            self._remove(f"{FOLLOWUPS}{one.number}/")
        return Outcome(call.number, call.id)

    def _time(self, call: Call) -> Outcome:
        date = call.fields.get("date")
        note = unworked(line(call.fields.get("note")), date if isinstance(date, int) else 0, call.token)
        return self._say(call.number, note, public=False, time=self._spent(call.fields.get("minutes")))

    def _spent(self, value: Value) -> str:
        if not isinstance(value, int) or value < 1:
            raise RefusedError(f"{self._where} keeps no time of less than a minute")
        # Days are told apart by the server; two numbers alone would be minutes and seconds.
        return f"{value // 60:02d}:{value % 60:02d}:00"

    def _edit_time(self, call: Call) -> Outcome:
        body: Body = {}
        if "minutes" in call.fields:
            body["time_spent"] = self._spent(call.fields["minutes"])
        one = self._there(call.id)
        if not one.public:
            note, date, token = worked(one.comment)
            told = call.fields.get("date", one.date if date is None else date)
            note = line(call.fields["note"]) if "note" in call.fields else note
            body["comment"] = unworked(note, told if isinstance(told, int) else 0, token)
        elif "note" in call.fields:
            raise RefusedError(
                f"this time at {self._where} belongs to a reply, and has no note of its own", "Edit the reply instead."
            )
        self._edit(call.id, body)
        return Outcome(call.number, call.id)

    def _delete_time(self, call: Call) -> Outcome:
        one = self._there(call.id)
        if one.files or one.status or one.is_comment:
            self._edit(call.id, {"time_spent": None} if one.is_comment else {"time_spent": None, "comment": ""})
        else:
            self._remove(f"{FOLLOWUPS}{one.number}/")
        return Outcome(call.number, call.id)

    # Files

    def _attach(self, call: Call, file: BinaryIO | None) -> Outcome:
        name, public, size = (
            str(call.fields.get("name") or ""),
            call.fields.get("public") is True,
            call.fields.get("size"),
        )
        if file is None or size == 0:
            raise RefusedError(f"{self._where} takes no empty file")
        # A file hangs on a followup: on one that says nothing and is not shown here, so nothing is odd if the file does not follow.
        bare = self._bare.pop((call.number, public), 0)
        if not bare:
            bare = int(self._say(call.number, "", public=public).id)
        self._bare[call.number, public] = bare
        media = mimetypes.guess_type(name)[0] or "application/octet-stream"
        told = {
            "followup": str(bare),
            "filename": name,
            "mime_type": f"{media}; chit={call.token}" if call.token else media,
        }
        try:
            raw = self._upload(told, sent_name(name), file)
        except RefusedError:
            self._drop(call.number, public)
            raise
        ident, stored = whole(raw, "id"), whole(raw, "size")
        if ident is None:
            raise DoubtError(f"{self._where} answers without the number of the file that it was sent", settled=True)
        if isinstance(size, int) and stored != size:
            self._drop(call.number, public)
            raise RefusedError(f"{self._where} has kept {stored} of the {size} bytes of {name}", "Try it again.")
        self._bare.pop((call.number, public), None)
        return Outcome(call.number, str(ident))

    def _drop(self, number: int, public: bool) -> None:
        """Takes the followup away that was made for a file, with the file."""
        self._remove(f"{FOLLOWUPS}{self._bare.pop((number, public))}/")

    def _upload(self, told: Mapping[str, str], name: str, file: BinaryIO) -> object:
        try:
            return self._send_file(told, name, file)
        except RefusedError as error:
            if name.endswith(".txt") or ": file: " not in error.message:
                raise
        return self._send_file(told, f"{name}.txt", file)

    def _send_file(self, told: Mapping[str, str], name: str, file: BinaryIO) -> object:
        file.seek(0)
        files = [("file", (name, file, "application/octet-stream"))]
        return self._asking.web.ask("POST", FILES, repeat=False, data=told, files=files).json()

    def _delete_attachment(self, call: Call) -> Outcome:
        self._remove(f"{FILES}{_id(call.id)}/")
        return Outcome(call.number, call.id)

    def _find_file(
        self, call: Call, followups: list[Followup], known: Collection[str], title: object
    ) -> Outcome | None:
        for one in followups:
            for file in one.files:
                if call.token and file.token == call.token and file.id not in known:
                    self._bare.pop((call.number, one.public), None)
                    return Outcome(call.number, file.id)
        for one in followups:
            # One that was made for a file that did not follow is used for the next.
            if one.bare and self._asking.me == str(one.user) and one.title == title:
                self._bare[call.number, one.public] = one.number
        return None

    # All

    def _send(self, method: str, path: str, body: Body) -> Answer:
        check(body, self._where)
        return self._asking.web.ask(method, path, repeat=False, json=body)

    def _remove(self, path: str) -> None:
        # Made again after it was done it would be refused.
        self._asking.web.ask("DELETE", path, repeat=False)


def numbered(raw: Mapping[str, object]) -> int:
    """The number of a ticket as it was answered."""
    return whole(raw, "id") or 0


def sent_name(name: str) -> str:
    """What a file is called when it is sent: any server takes it, and it is short enough for any disk."""
    stem, dot, extension = name.rpartition(".")
    clean = re.sub(r"[^\w-]", "_", stem if dot else name)[:MOST_NAME] or "file"
    ending = re.sub(r"\W", "", extension)[:12] if dot else ""
    named = f"{clean}.{ending}" if ending else clean
    return named if ending.lower() in EXTENSIONS else f"{named}.txt"


def _id(ident: str) -> str:
    if not is_number(ident):
        raise RefusedError(f"{ident!r} is nothing that django-helpdesk would call an item")
    return ident
