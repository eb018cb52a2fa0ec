"""The questions to a Request Tracker, each with what is to be known about asking it. Changes nothing there.

Lists come in pages of at most 100 rows, and what the account may not see is dropped after a page was cut: a short page of transactions is
not the last one, an empty one is. What hangs on transactions that were seen is not dropped. Tickets that are deleted or merged are in
no list, only by themselves.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar
from urllib.parse import quote

from chit_sync.errors import AccessError, RemoteError
from chit_sync.helpdesks import rt_answers
from chit_sync.helpdesks.base import Gone
from chit_sync.helpdesks.rows import Row, items, number, record, text
from chit_sync.helpdesks.rt_answers import Filed, Text, Ticket, Transaction
from chit_sync.helpdesks.rt_feed import PAGE
from chit_sync.helpdesks.rt_reading import MESSAGES, Told
from chit_sync.remotes.web import TooMuchError, Web

Item = TypeVar("Item")

TICKETS = "ObjectType='RT::Ticket'"
"""Queues, people and groups have transactions, too."""

_NOISE = ("EmailRecord", "CommentEmailRecord")
"""Types of transactions that only tell of mail that went out."""

_TICKET = "Subject,Status,Priority,Created,Creator,LastUpdated,LastUpdatedBy,Due,Queue,Owner,Requestor,CustomFields,_hyperlinks"
_HISTORY = "Type,Field,OldValue,NewValue,Data,Creator,Created,TimeTaken,ObjectId"
_MANY = 99
"""Messages whose words are asked for at once: of most there is one row, and a page that is not full is the last."""

_MOST_IDS = 1_000
_MOST_MESSAGES = 4_000
_WAVE = 4
_MOST_PAGES = 10_000


def quoted(value: str) -> str:
    """A value in a query."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def any_of(field: str, numbers: Iterable[int]) -> str:
    """The condition that a field is one of these numbers; the language has no IN."""
    return "(" + " OR ".join(f"{field} = {number}" for number in numbers) + ")"


class Asking:
    """Asks one server. where: its name in messages. condition: of the tickets that are followed; empty for all."""

    def __init__(self, web: Web, where: str, condition: str) -> None:
        self.web = web
        self.where = where
        self.condition = condition

    # Tickets

    def tickets(self, condition: str, most: int = PAGE) -> tuple[list[Ticket], int]:
        """The first of the tickets that meet a condition, by number, and how many meet it."""
        answer = self._tickets(condition, _TICKET, most)
        return [rt_answers.ticket(self.where, row) for row in rt_answers.rows(self.where, answer)], rt_answers.total(
            answer
        )

    def between(self, above: int, up_to: int) -> list[Ticket]:
        """The followed tickets with numbers in between, by number."""
        found: list[Ticket] = []
        while above < up_to:
            part, total = self.tickets(self._and(f"id > {above} AND id <= {up_to}"))
            found += part
            if not part or total <= PAGE:
                break
            above = self.further(above, [one.number for one in part])
        return found

    def further(self, above: int, part: Sequence[int]) -> int:
        """Where to go on after a part of a list that is asked for by numbers. Raises RemoteError if that leads nowhere."""
        reached = max(part)
        if reached <= above:
            raise RemoteError(f"{self.where} tells of the same again and again")
        return reached

    def among(self, followed: Sequence[int], numbers: Sequence[int]) -> list[Ticket]:
        """Those of `followed` that are, and all of `numbers`, which are to be found; at most a hundred together."""
        parts = []
        if followed:
            parts.append(self._and(any_of("id", followed)))
        if numbers:
            parts.append(any_of("id", numbers))
        return self.tickets(" OR ".join(f"({part})" for part in parts))[0] if parts else []

    def numbers(self) -> list[int]:
        """The numbers of all followed tickets."""
        found: list[int] = []
        above = 0
        while True:
            answer = self._tickets(self._and(f"id > {above}"), "id")
            part = [ident for row in rt_answers.rows(self.where, answer) if (ident := number(row, "id"))]
            found += part
            if not part or rt_answers.total(answer) <= PAGE:
                return found
            above = self.further(above, part)

    def newest(self) -> tuple[int, int]:
        """The highest number of a followed ticket, and how many are followed."""
        answer = self._tickets(self._and("id > 0"), "id", 1, "DESC")
        rows = rt_answers.rows(self.where, answer)
        return max((number(row, "id") for row in rows), default=0), rt_answers.total(answer)

    def one(self, number: int) -> Ticket | Gone:
        """One ticket by itself; one that was merged is answered with the other one, one that was deleted as it was."""
        answer = self.web.ask("GET", f"ticket/{number}", params={"fields[Queue]": "Name"}, accept=(403, 404))
        if answer.status in (403, 404):
            return Gone(number, "hidden" if answer.status == 403 else "deleted")
        version = answer.headers.get("etag", "")
        return rt_answers.ticket(self.where, record(answer.json()), version if version.strip('"').isdecimal() else "")

    def where_is(self, condition: str) -> list[Ticket]:
        """The tickets that meet a condition, the newest first, not more than a page."""
        answer = self._tickets(condition, _TICKET, PAGE, "DESC")
        return [rt_answers.ticket(self.where, row) for row in rt_answers.rows(self.where, answer)]

    def unlike(self, statuses: Sequence[str]) -> list[Ticket]:
        """Followed tickets that have another status."""
        others = " AND ".join(f"Status != {quoted(name)}" for name in statuses)
        return self.tickets(self._and(f"({others})"))[0]

    def next_statuses(self, queue: str) -> set[str]:
        """The statuses that some tickets of a queue have, or may be given next."""
        answer = self._tickets(f"Queue = {quoted(queue)}", "Status,_hyperlinks", 20, "DESC")
        found = set()
        for row in rt_answers.rows(self.where, answer):
            for link in items(row, "_hyperlinks"):
                if text(link, "ref") == "lifecycle":
                    found |= {text(link, "from"), text(link, "to")}
        return found - {""}

    def _and(self, condition: str) -> str:
        return f"({self.condition}) AND {condition}" if self.condition else condition

    def _tickets(self, condition: str, fields: str, most: int = PAGE, order: str = "ASC") -> object:
        form = {"query": condition, "fields": fields, "fields[Queue]": "Name", "orderby": "id", "order": order}
        return self.web.ask("POST", "tickets", data={**form, "per_page": str(most)}, question=True).json()

    # Transactions

    def feed(self, above: int, up_to: int = 0) -> list[Transaction]:
        """A page of what was done to any ticket after a transaction: numbers alone, the lowest first."""
        bound = f" AND id <= {up_to}" if up_to else ""
        return self._feed(f"id > {above}{bound}", "ASC")

    def latest(self) -> list[Transaction]:
        """The last page of what was done."""
        return self._feed("id > 0", "DESC")

    def _feed(self, condition: str, order: str) -> list[Transaction]:
        quiet = " AND ".join(f"Type != '{noise}'" for noise in _NOISE)
        params = {
            "query": f"{TICKETS} AND {condition} AND {quiet}", "orderby": "id", "order": order,
            "per_page": str(PAGE), "fields": "ObjectId",
        }  # fmt: skip
        return rt_answers.transactions(self.where, self.web.ask("GET", "transactions", params=params).json())

    def history(self, numbers: Sequence[int]) -> dict[int, list[Transaction]]:
        """All that was done to these tickets, the oldest first."""
        found: dict[int, dict[int, Transaction]] = {number: {} for number in numbers}
        for start in range(0, len(numbers), _MOST_IDS):
            search: list[Mapping[str, object]] = [
                {"field": "ObjectType", "value": "RT::Ticket"},
                {"field": "ObjectId", "operator": "IN", "value": [*numbers[start : start + _MOST_IDS]]},
                *({"field": "Type", "operator": "!=", "value": noise, "entry_aggregator": "AND"} for noise in _NOISE),
            ]
            for one in self._histories(search, sorted(numbers[start : start + _MOST_IDS])):
                if one.ticket in found:
                    found[one.ticket][one.id] = one
        return {number: sorted(several.values()) for number, several in found.items()}

    def about(self, condition: str) -> list[Transaction]:
        """The transactions of tickets that meet a condition, the oldest first, not more than a page."""
        params = {
            "query": f"{TICKETS} AND {condition}", "orderby": "id", "per_page": str(PAGE), "fields": _HISTORY
        }  # fmt: skip
        return rt_answers.transactions(self.where, self.web.ask("GET", "transactions", params=params).json())

    # What messages say and bring

    def told(self, history: Iterable[Transaction]) -> Told:
        """The words and files of all messages among these."""
        ids = sorted(one.id for one in history if one.type in MESSAGES)
        asks: list[Callable[[], None]] = []
        words: dict[int, tuple[bool, int, Text]] = {}
        files: dict[int, list[Filed]] = {}

        def take_words(part: list[int]) -> None:
            search = [
                _among(part), {"field": "Filename", "operator": "IS", "value": "NULL"},
                {"field": "ContentType", "operator": "STARTSWITH", "value": "text/"},
            ]  # fmt: skip
            try:
                rows = self._all("attachments", "TransactionId,ContentType,Content", search, rt_answers.texts)
            except TooMuchError:
                if len(part) == 1:
                    raise
                take_words(part[: len(part) // 2])
                take_words(part[len(part) // 2 :])
                return
            for ident, place, one in rows:
                if one.content and (ident not in words or (one.html, place) < words[ident][:2]):
                    words[ident] = one.html, place, one

        def take_files(part: list[int]) -> None:
            for ident, file in self._all("attachments", "TransactionId,Filename,ContentLength", [
                _among(part), {"field": "Filename", "operator": "IS NOT", "value": "NULL"},
            ], rt_answers.files):  # fmt: skip
                files.setdefault(ident, []).append(file)

        for start in range(0, len(ids), _MOST_MESSAGES):
            asks.append(partial(take_files, ids[start : start + _MOST_MESSAGES]))
        for start in range(0, len(ids), _MANY):
            asks.append(partial(take_words, ids[start : start + _MANY]))
        self.web.many(asks)
        for several in files.values():
            several.sort()
        return Told({ident: text for ident, (_, _, text) in words.items()}, files)

    def is_there(self, attachment: int) -> bool:
        """Whether there is such an attachment."""
        search: list[Mapping[str, object]] = [{"field": "id", "value": attachment}]
        return bool(rt_answers.rows(self.where, self._search("attachments", "Filename", search, 1)))

    def _all(
        self, path: str, fields: str, search: Sequence[Mapping[str, object]], read: Callable[[str, object], list[Item]]
    ) -> list[Item]:
        """All pages of a search in which a page that is not full is the last."""
        found: list[Item] = []
        for page in range(1, _MOST_PAGES):
            answer = self._search(path, fields, search, page)
            found += read(self.where, answer)
            if len(rt_answers.rows(self.where, answer)) < PAGE:
                break
        return found

    def _histories(self, search: Sequence[Mapping[str, object]], numbers: Sequence[int]) -> list[Transaction]:
        """All pages of what was done to these tickets, ticket after ticket; several at a time while there is much to come."""
        found: list[Transaction] = []
        page, wave = 1, 2 if len(numbers) < PAGE // 2 else _WAVE
        while page < _MOST_PAGES:
            pages = range(page, page + wave)
            parts = self.web.many(
                [partial(self._search, "transactions", _HISTORY, search, each, "ObjectId") for each in pages]
            )
            last: list[Transaction] = []
            for part in parts:
                last = rt_answers.transactions(self.where, part)
                found += last
            if not last:
                return found
            page += wave
            place = bisect_right(numbers, last[-1].ticket)
            wave = min(_WAVE, max(1, (page - 1) * (len(numbers) - place) // place)) if place else _WAVE
        raise RemoteError(f"{self.where} does not come to an end with what was done to its tickets")

    def _search(
        self, path: str, fields: str, search: Sequence[Mapping[str, object]], page: int, first: str = ""
    ) -> object:
        """A page of a search. first: what it is ordered by before the number."""
        params = [("fields", fields), ("per_page", str(PAGE)), ("page", str(page))]
        for column in (first, "id"):
            params += [("orderby", column), ("order", "ASC")] if column else []
        return self.web.ask("POST", path, params=params, json=search, question=True).json()

    # What it is, and who is there

    def version(self) -> str:
        """The server's version."""
        answer = self.web.ask("GET", "rt").json()
        version = text(answer, "Version")
        if not version:
            raise RemoteError(
                f"{self.where} does not say which version of Request Tracker it is",
                "Is the remote's address right? It ends where /REST/2.0 begins.",
            )
        return version

    def user(self, name: str) -> Row:
        """Somebody by login or number; empty if that is not to be known."""
        try:
            answer = self.web.ask("GET", f"user/{quote(name, safe='')}", accept=(404,))
        except AccessError:
            self.version()  # raises if it is we who are not let in
            return {}
        return record(answer.json()) if answer.ok else {}

    def login_of(self, address: str) -> str:
        """The login of whoever has a mail address; empty if nobody has, or it is not to be known."""
        params = {"fields": "Name,EmailAddress", "per_page": "2"}
        search = [{"field": "EmailAddress", "value": address}]
        try:
            answer = self.web.ask("POST", "users", params=params, json=search, question=True).json()
        except AccessError:
            self.version()
            return ""
        for row in rt_answers.rows(self.where, answer):
            if text(row, "EmailAddress").casefold() == address.casefold():
                return text(row, "Name")
        return ""

    def listed(self, path: str, fields: str, most: int = 1_000) -> list[Row]:
        """The rows of a list of settings or people, up to so many."""
        found: list[Row] = []
        for page in range(1, most // PAGE + 1):
            params = {"fields": fields, "per_page": str(PAGE), "page": str(page), "orderby": "id"}
            try:
                answer = self.web.ask("GET", path, params=params).json()
            except AccessError:  # customers' accounts are told neither people nor fields
                self.version()
                break
            rows = rt_answers.rows(self.where, answer)
            found += rows
            if len(rows) < PAGE and rt_answers.total(answer) <= len(found):
                break
        return found


def _among(ids: Sequence[int]) -> Mapping[str, object]:
    return {"field": "TransactionId", "operator": "IN", "value": [*ids]}


def said(body: bytes) -> str:
    """What the body of an error says; empty if it is none of Request Tracker's."""
    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    return text(answer, "message")
