"""The questions that django-helpdesk answers, each with as few calls as it needs. Changes nothing there.

Every call on a ticket first reads the custom fields of all tickets: one ticket costs a quarter of what all of them cost. There is no
search, and filters that it does not know are ignored. Nobody is listed by the interface for programs; but the same addresses answer
a browser with forms, and those name the people and whoever is asking.
"""

from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urlsplit

from chit_sync.errors import RemoteError, UsageError
from chit_sync.helpdesks.address import login_of
from chit_sync.helpdesks.base import DoubtError, Found, Gone, Snapshot
from chit_sync.helpdesks.djhd_reading import Followup, Words, followup, is_number, read_page, read_ticket, read_words
from chit_sync.helpdesks.marking import unmarked
from chit_sync.helpdesks.rows import items, record, text
from chit_sync.remotes.received import Answer, clean
from chit_sync.remotes.web import Web

LISTED = 2_000
"""Tickets that are asked for at once."""

NEWEST = 100
"""Tickets that are looked through for one that was just made."""

TAIL = 200
"""Followups that are asked for at once."""

TICKETS, FOLLOWUPS, FILES = "api/tickets/", "api/followups/", "api/followups-attachments/"
# The words of statuses and priorities are to be the same for whoever asks.
HEADERS = {"Accept": "application/json", "Accept-Language": "en"}


class Listing(NamedTuple):
    """A page of tickets, the oldest first. total: how many tickets there are in all. page: its number, from 1."""

    total: int
    page: int
    tickets: list[dict[str, object]]


class Asking:
    """One helpdesk, as one account sees it. marked: what tokens stand in the descriptions of tickets that were read."""

    def __init__(
        self,
        where: str,
        base: str,
        secret: str | None,
        queues: Sequence[tuple[int, str]],
        timeout: float,
        ca_file: str | None,
    ) -> None:
        """queues: number and name of those that are followed; 0 or empty where the address does not tell it."""
        basic = login_of(secret)
        headers = dict(HEADERS)
        if secret and not basic:
            headers["Authorization"] = f"Token {secret}"
        base = base.removesuffix("/api")
        parts = urlsplit(base)
        self.where = where
        self.base = base
        self.web = Web(
            where,
            base,
            headers=headers,
            basic=basic,
            timeout=timeout,
            ca_file=ca_file,
            said=said,
        )
        # Files are fetched from the same server without the token: their address is the secret.
        self._files = Web(where, f"{parts.scheme}://{parts.netloc}", timeout=timeout, ca_file=ca_file)
        self._host = (parts.hostname or "").lower()
        self._queues = {number: name or str(number) for number, name in queues if number}
        self._unnumbered = [name for number, name in queues if not number]
        self._words: Words | None = None
        self._people: dict[str, str] | None = None
        self._me = ""
        self.marked: dict[int, str] = {}

    def close(self) -> None:
        """Lets go of the connections."""
        self.web.close()
        self._files.close()

    @property
    def words(self) -> Words:
        """What is called how; asked for once."""
        if self._words is None:
            self._words = self._described()
        return self._words

    def _described(self) -> Words:
        answer = self.web.ask("OPTIONS", TICKETS)
        return read_words(answer.json(), self.where, self._all_queues())

    def take(self, raw: Mapping[str, object]) -> Found:
        """A ticket as it was answered."""
        found = read_ticket(raw, self.words, self.where)
        if isinstance(found, Snapshot):
            self.marked[found.number] = unmarked(text(raw, "description"))[1]
        return found

    def answered(self, answer: Answer) -> Snapshot | None:
        """The ticket that a call which changed something answers with; None if it is merged into another."""
        raw = record(answer.json())
        try:
            found = self.take(raw)
        except RemoteError as error:
            raise DoubtError(error.message, error.hint, settled=True) from None
        return None if isinstance(found, Gone) else found

    def ticket(self, number: int) -> dict[str, object] | None:
        """One ticket; None if it is not there or not to be seen."""
        answer = self.web.ask("GET", f"{TICKETS}{number}/", accept=(404,))
        raw = answer.json()
        if answer.status == 404:
            if text(raw, "detail"):
                return None
            raise RemoteError(f"{self.where} has no tickets at {self.base}/{TICKETS}", "Is the remote's address right?")
        if not isinstance(raw, dict) or raw.get("id") != number:
            raise RemoteError(f"{self.where} answers with another ticket than the one that it was asked for")
        return raw

    def followups_of(self, raw: Mapping[str, object]) -> list[Followup]:
        """The followups of a ticket, the oldest first."""
        return sorted((followup(one, self.where) for one in items(raw, "followup_set")), key=lambda one: one.order)

    def listing(self, page: int = 0, size: int = LISTED) -> Listing:
        """A page of tickets; 0 for the last."""
        params = {"page_size": str(size), "page": str(page) if page else "last"}
        count, rows = read_page(self.web.ask("GET", TICKETS, params=params).json(), self.where)
        return Listing(count, page or max(1, -(-count // size)), rows)

    def walk(self, size: int = LISTED, page: int = 0) -> Iterator[Listing]:
        """All tickets from that page on, from the last page to the first.

        Backwards, since a ticket that is deleted meanwhile moves others to an earlier page: they come twice, and none is left out.
        """
        listing = self.listing(page, size)
        if not listing.total:
            self._described()  # nothing at all is only believed from who knows us
        if not page and listing.page == 1 and len(listing.tickets) != listing.total:
            raise RemoteError(f"{self.where} counts {listing.total} tickets and lists {len(listing.tickets)}")
        while True:
            yield listing
            if listing.page <= 1:
                return
            listing = self.listing(listing.page - 1, size)

    def followups(self, page: int = 0) -> tuple[int, int, list[Followup]]:
        """How many followups there are in all, the page's number, and those on it, the oldest first; 0 for the last page."""
        params = {"page_size": str(TAIL), "page": str(page) if page else "last"}
        count, rows = read_page(self.web.ask("GET", FOLLOWUPS, params=params).json(), self.where)
        return count, page or max(1, -(-count // TAIL)), [followup(row, self.where) for row in rows]

    @property
    def me(self) -> str:
        """Our own number; empty if that cannot be found out."""
        if not self._me:
            self._look_around()
        return self._me

    def learn_me(self, user: int) -> None:
        """Takes down our number, as the address or the answer to a call of ours tells it."""
        if user:
            self._me = str(user)

    @property
    def people(self) -> Mapping[str, str]:
        """Number to login of those that a form offers; empty if the site does not show forms."""
        if self._people is None:
            self._look_around()
        return self._people or {}

    def _look_around(self) -> None:
        """Reads the form for a followup, once. Whatever is wrong with it: the form is a help, not a need."""
        if self._people is not None:
            return
        login, offered = self._form(FOLLOWUPS, "user")
        self._people = offered
        mine = [number for number, name in offered.items() if name == login]
        if len(mine) == 1 and not self._me:
            self._me = mine[0]

    def _form(self, path: str, field: str) -> tuple[str, dict[str, str]]:
        """Who is asking, and the choices of a field, number to name, as a browser sees them; empty where the site shows no forms."""
        answer = self.web.ask("GET", path, params={"page_size": "1"}, headers={"Accept": "text/html"}, accept=(406,))
        form = Form(field)
        try:
            form.feed(answer.text() if answer.ok else "")
            form.close()
        except (ValueError, AssertionError):
            return "", {}
        return clean(form.login), form.choices

    def _all_queues(self) -> dict[int, str]:
        """The queues by number, with those that the address calls by their name alone looked up in a form."""
        queues = dict(self._queues)
        if self._unnumbered:
            offered = {name: int(number) for number, name in self._form(TICKETS, "queue")[1].items()}
            for name in self._unnumbered:
                if name not in offered:
                    raise UsageError(
                        f"{self.where} shows no queue {name!r}",
                        "Name it by its number, too: ?queue=1:Support. The address of its page in the browser has it.",
                    )
                queues[offered[name]] = name
        return queues

    def download(self, url: str) -> Iterator[bytes]:
        """The bytes of a file on the same server."""
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").lower()
        except ValueError:
            parts, host = urlsplit(""), ""
        if parts.scheme not in ("http", "https") or host != self._host:
            raise UsageError(
                f"{self.where} names an address on another server for a file: {clean(url)}",
                "Only files on the helpdesk's own server are fetched.",
            )
        # Behind a proxy the helpdesk may think that it is spoken to without encryption, or at another port.
        return self._files.stream(parts.path + (f"?{parts.query}" if parts.query else ""))


class Form(HTMLParser):
    """The page with which Django REST framework answers browsers. login: whose page it is. choices: of the field, number to name."""

    def __init__(self, field: str) -> None:
        super().__init__(convert_charrefs=True)
        self.login = ""
        self.choices: dict[str, str] = {}
        self._field = field
        self._in = ""
        self._value = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes where the login and the choices begin."""
        given = dict(attrs)
        if tag == "select":
            self._in = "select" if given.get("name") == self._field else ""
        elif tag == "option" and self._in in ("select", "option"):
            value = given.get("value") or ""
            self._in, self._value = ("option", value) if is_number(value) else ("select", "")
        elif tag in ("a", "li") and not self.login and {"navbar-text", "dropdown-toggle"} & _classes(given):
            self._in = "login"

    def handle_endtag(self, tag: str) -> None:
        """Notes where they end."""
        if tag == "option" and self._in == "option":
            self._in = "select"
        elif tag in ("select", "li", "a"):
            self._in = ""

    def handle_data(self, data: str) -> None:
        """A login or a choice."""
        if self._in == "login" and data.strip():
            self.login = data.strip()
            self._in = ""
        elif self._in == "option" and (name := clean(data)):
            self.choices[self._value] = name


def _classes(given: Mapping[str, str | None]) -> set[str]:
    return set((given.get("class") or "").split())


def said(answer: Answer) -> str:
    """What an error says in JSON, with the fields that it is about."""
    parts: list[str] = []
    for name, value in record(answer.json()).items():
        texts = [str(one) for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
        parts += [" ".join(texts) if name in ("detail", "non_field_errors") else f"{name}: {' '.join(texts)}"]
    return "; ".join(parts)
