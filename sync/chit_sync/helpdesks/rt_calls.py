"""What is done in Request Tracker, each call once, and whether it was done.

A PUT answers success whatever it refuses, in words for people, so the ticket is asked for after it: a call of which nothing shows there
was refused. What it took in part is left to whoever reads the ticket back.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import BinaryIO

from chit_sync.helpdesks import rt_marks, rt_reading, rt_writing
from chit_sync.helpdesks.base import Call, DoubtError, Found, Gone, Outcome, RefusedError, StaleError
from chit_sync.helpdesks.marking import is_ticket
from chit_sync.helpdesks.rows import items, number
from chit_sync.helpdesks.rt_about import Catalog
from chit_sync.helpdesks.rt_answers import Ticket
from chit_sync.helpdesks.rt_asking import Asking, quoted
from chit_sync.remotes.received import clean

_SHOWN = {"blocks": "depended-on-by", "parent-of": "child", "relates": "refers-to"}
_FINDABLE = {"comment": rt_marks.COMMENT, "attach": rt_marks.FILE, "time": rt_marks.TIME}


class Calls:
    """Does calls. followed: the queues that the address names. titles: of tickets that were read. whole: tickets with their history."""

    def __init__(
        self,
        asking: Asking,
        catalog: Catalog,
        followed: Sequence[str],
        titles: Mapping[int, str],
        whole: Callable[[Sequence[Ticket]], Sequence[Found]],
    ) -> None:
        self._asking = asking
        self._web = asking.web
        self._catalog = catalog
        self._followed = followed
        self._titles = titles
        self._whole = whole

    def perform(self, call: Call, file: BinaryIO | None) -> Outcome:
        """See base.Helpdesk."""
        match call.verb:
            case "create":
                return self._create(call)
            case "update":
                self._put(call, rt_writing.update(call.fields, self._catalog.several))
            case "link" | "unlink":
                self._put(call, rt_writing.link(call))
            case "merge":
                self._put(call, {"MergeInto": call.fields.get("into")})
            case "delete":
                self._delete(call)
            case "comment" | "time":
                return self._say(call)
            case "attach":
                return self._attach(call, file)
            case _:
                raise RefusedError("Request Tracker keeps what was said, filed and booked as it is")
        return Outcome(call.number)

    def _queue(self, call: Call) -> str:
        return str(call.fields.get("queue") or (self._followed[0] if self._followed else ""))

    def _create(self, call: Call) -> Outcome:
        queue = self._queue(call)
        body, then = rt_writing.create(
            {**call.fields, "queue": queue}, call.token, self._catalog.reference(queue), self._catalog.several
        )
        answer = self._web.ask("POST", "ticket", json=body, repeat=False).json()
        made = number(answer, "id")
        if not made:
            raise DoubtError(f"{self._asking.where} does not say which ticket it has made", settled=True)
        if then:
            with suppress(RefusedError):  # it is made all the same; what it does not show is found out by reading back
                self._web.ask("PUT", f"ticket/{made}", json=then, repeat=False)
        return Outcome(made)

    def _put(self, call: Call, body: Mapping[str, object]) -> None:
        path = f"ticket/{call.number}"
        answer = self._web.ask("PUT", path, json=body, headers=_match(call), repeat=False, accept=(412,))
        if answer.status == 412:
            where = self._asking.where
            raise StaleError(f"ticket {call.number} in {where} has changed meanwhile", "Fetch it and try again.")
        messages = items(answer.json())
        if not self._shows(call):
            words = "; ".join(map(str, messages))
            raise RefusedError(f"{self._asking.where} refuses it: {clean(words) or 'it has changed nothing'}")

    def _shows(self, call: Call) -> bool:
        """Whether a ticket shows anything of what was to be done to it."""
        one = self._asking.one(call.number)
        if isinstance(one, Gone):
            return True
        match call.verb:
            case "update":
                return any(rt_writing.shows(one, path, value) for path, value in call.fields.items())
            case "merge":
                return one.number == call.fields.get("into")
        link = (_SHOWN.get(str(call.fields.get("kind")), ""), call.fields.get("other"))
        return (link in one.links) == (call.verb == "link")

    def _delete(self, call: Call) -> None:
        try:
            self._web.ask("DELETE", f"ticket/{call.number}", headers=_match(call), repeat=False)
        except DoubtError:  # also what it answers about a ticket that is deleted already
            one = self._asking.one(call.number)
            if isinstance(one, Ticket) and one.status != rt_reading.DELETED:
                raise

    def _say(self, call: Call) -> Outcome:
        if call.verb == "comment" and not str(call.fields.get("body") or "").strip():
            raise RefusedError("a comment needs some text")
        action, body = rt_writing.message(call, self._title(call) if call.fields.get("public") else "")
        answer = self._web.ask("POST", f"ticket/{call.number}/{action}", json=body, repeat=False)
        return Outcome(call.number, _made(answer.headers))

    def _attach(self, call: Call, file: BinaryIO | None) -> Outcome:
        if file is None or not call.fields.get("size"):
            raise RefusedError("Request Tracker takes no empty files")
        action, body = rt_writing.message(call, "")
        upload = (rt_writing.upload_name(str(call.fields.get("name") or "file")), file, "application/octet-stream")
        answer = self._web.ask(
            "POST",
            f"ticket/{call.number}/{action}",
            data={"JSON": json.dumps(body)},
            files=[("Attachments", upload)],
            repeat=False,
        )
        made = _made(answer.headers)
        return Outcome(call.number, f"{made}.1" if made else "")

    def _title(self, call: Call) -> str:
        if call.number not in self._titles:
            one = self._asking.one(call.number)
            return one.title if isinstance(one, Ticket) else ""
        return self._titles[call.number]

    def find(self, call: Call, known: Collection[str]) -> Outcome | None:
        """See base.Helpdesk."""
        if call.verb == "create":
            return self._find_ticket(call, known)
        kind = _FINDABLE.get(call.verb, "")
        if not kind or not rt_marks.is_token(call.token):
            return None
        condition = f"ObjectId = {call.number} AND Subject LIKE {quoted(call.token)}"
        for one in sorted(self._asking.about(condition)):
            mark = rt_marks.read(one.subject) if one.type in ("Comment", "Correspond") else None
            if one.ticket == call.number and mark is not None and mark.token == call.token:
                ident = f"{one.id}.1" if kind == rt_marks.FILE else str(one.id)
                return Outcome(call.number, ident) if mark.kind == kind and ident not in known else None
        return None

    def _find_ticket(self, call: Call, known: Collection[str]) -> Outcome | None:
        if not is_ticket(call.token):
            return None
        reference = self._catalog.reference(self._queue(call))
        if reference:
            condition = f"CF.{{{reference}}} = {quoted(call.token)}"
        else:  # the words of messages cannot be searched everywhere
            condition = f"Subject = {quoted(rt_reading.title(str(call.fields.get('title') or '')))}"
        tickets = sorted(self._asking.where_is(condition), key=lambda one: one.number)
        for one in self._whole(tickets) if tickets else ():
            if not isinstance(one, Gone) and one.token == call.token and str(one.number) not in known:
                return Outcome(one.number)
        return None


def _match(call: Call) -> Mapping[str, str] | None:
    return {"If-Match": call.version} if call.version else None


def _made(headers: Mapping[str, str]) -> str:
    """The number of the transaction that a message became."""
    ident = number(headers.get("location", "").rstrip("/").rpartition("/")[2])
    return str(ident) if ident else ""
