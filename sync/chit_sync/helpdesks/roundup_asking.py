"""Roundup's REST interface as it wants to be spoken to: who we are, the headers of a write, entity tags, its words of refusal.

Knows no tickets: classes, rows and ids only. A call that may have been done is never repeated in here.
"""

import base64
import binascii
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import BinaryIO, NamedTuple
from urllib.parse import urlsplit

from chit_sync.errors import AccessError, RemoteError
from chit_sync.helpdesks.address import Address, login_of
from chit_sync.helpdesks.base import DoubtError, RefusedError, StaleError
from chit_sync.helpdesks.roundup_reading import collection
from chit_sync.helpdesks.rows import Row, is_id, member, text
from chit_sync.remotes.received import Answer, clean, first_line
from chit_sync.remotes.web import Web

PATIENCE = 3
"""Questions that are asked with the password before a token is asked for: Roundup takes its time to check a password."""

LIFETIME = 3600
EARLY = 300.0
TRIES = 6
"""How often a link to something is written anew because others wrote to the ticket at the same time."""

IDS_A_QUESTION = 400
"""Ids in one URL, which is kept below the 8 KB that servers in between may take."""

TROUBLE = re.compile(r"An error occurred\. Please check the server log")
Pairs = Sequence[tuple[str, str]]


class FieldError(RemoteError):
    """The class has no such field."""


class Item(NamedTuple):
    """One thing: its entity tag and what was asked of it."""

    tag: str
    row: Row


class Rest:
    """A tracker. `login` is who we are, empty if only the token knows; `account` its id then."""

    def __init__(self, address: Address, secret: str | None, *, timeout: float, ca_file: str | None) -> None:
        self.where = f"{address.kind}+{address.base}"
        parts = urlsplit(address.base)
        self._writing = {"Origin": f"{parts.scheme}://{parts.netloc}", "X-Requested-With": "chit"}
        self.web = Web(self.where, f"{address.base}/rest", timeout=timeout, ca_file=ca_file, said=_said)
        basic = login_of(secret)
        self.login = basic[0] if basic else ""
        self._basic = "Basic " + base64.b64encode(":".join(basic).encode()).decode() if basic else ""
        self._token = "" if basic else secret or ""
        self.account = _subject(self._token)
        self.named: dict[tuple[str, str], dict[str, str]] = {}
        """What the things of a class were called when that was last asked: class and field to id to name."""
        self._until = float("inf")
        self._asked = 0
        self._tokens = bool(basic)
        self._lock = threading.Lock()

    def json(self, path: str, params: Pairs = (), accept: tuple[int, ...] = ()) -> tuple[int, object]:
        """What is answered to a question, and with which status."""
        answer = self._ask("GET", path, params=params, accept=accept)
        return answer.status, answer.json()

    def rows(self, klass: str, fields: Sequence[str] = (), filters: Pairs = (), *, verbose: int = 0) -> list[Row]:
        """The things of a class that are not retired. Raises FieldError."""
        params = [("@fields", ",".join(fields))] if fields else []
        params += [("@verbose", str(verbose)), ("@pretty", "false"), *filters]
        status, data = self.json(f"data/{klass}", params, accept=(400,))
        if status == 400:
            said = text(data, "error", "msg")
            kind = FieldError if "Unknown property" in said else RemoteError
            raise kind(f"{self.where} does not answer for {klass}: {clean(said)}", "Has its schema changed?")
        return collection(data, self.where)

    def rows_of(self, klass: str, fields: Sequence[str], ids: Sequence[str], *, verbose: int = 0) -> list[Row]:
        """The things with these ids that are not retired."""
        blocks = [ids[start : start + IDS_A_QUESTION] for start in range(0, len(ids), IDS_A_QUESTION)]

        def block(some: Sequence[str]) -> list[Row]:
            asked = set(some)
            rows = self.rows(klass, fields, [("id", one) for one in some], verbose=verbose)
            return [row for row in rows if row["id"] in asked]

        found = self.web.many([partial(block, some) for some in blocks])
        return [row for rows in found for row in rows]

    def item(self, klass: str, number: str, fields: Sequence[str] = ("id",), *, verbose: int = 0) -> Item | None:
        """One thing, retired or not, with all its fields if none is named; None where there is none."""
        params = [*([("@fields", ",".join(fields))] if fields else []), ("@verbose", str(verbose))]
        status, data = self.json(f"data/{klass}/{number}", params, accept=(400, 403, 404))
        if status != 200:
            return None
        tag, row = member(data, "data", "@etag"), member(data, "data", "attributes")
        if not isinstance(tag, str) or not isinstance(row, dict):
            raise RemoteError(f"{self.where} answers with no {klass} where its number {number} was asked for")
        return Item(tag, {**row, "id": number})

    def post(self, klass: str, body: Mapping[str, object]) -> str:
        """Makes a thing and gives its id."""
        return self._made(klass, self._write("POST", f"data/{klass}", body, repeat=False))

    def upload(self, klass: str, form: Mapping[str, str], name: str, file: BinaryIO) -> str:
        """Makes a thing with bytes and gives its id."""
        files = [("content", (name, file, "application/octet-stream"))]
        headers = {**self._writing, **self._identity()}
        answer = self.web.ask(
            "POST", f"data/{klass}", repeat=False, accept=(400,), headers=headers, data=form, files=files
        )
        return self._made(klass, self._judged(answer))

    def put(self, klass: str, number: str, body: Mapping[str, object], tag: str) -> None:
        """Sets these fields and no others. Raises StaleError if the thing is not as it was under that tag."""
        self._write("PUT", f"data/{klass}/{number}", body, tag=tag)

    def take_off(self, klass: str, number: str, name: str, one: str, tag: str) -> None:
        """Takes an id off a list. Raises StaleError."""
        self._write("PATCH", f"data/{klass}/{number}", {"@op": "remove", name: [one]}, tag=tag)

    def delete(self, klass: str, number: str, tag: str) -> None:
        """Retires a thing. Raises StaleError."""
        self._write("DELETE", f"data/{klass}/{number}", None, tag=tag)

    def stream(self, path: str) -> Iterator[bytes]:
        """The bytes of a file. Raises NotFoundError."""
        return self.web.stream(path, headers=self._identity())

    def _made(self, klass: str, data: object) -> str:
        number = member(data, "data", "id")
        if not is_id(number):
            raise DoubtError(f"{self.where} does not say which {klass} it has made", settled=True)
        return number

    def _write(
        self, method: str, path: str, body: Mapping[str, object] | None, *, tag: str = "", repeat: bool = True
    ) -> object:
        headers = {**self._writing, **({"If-Match": tag} if tag else {})}
        answer = self._ask(method, path, body=body, headers=headers, repeat=repeat, accept=(400, 412))
        if answer.status == 412:
            raise StaleError(f"{self.where} has changed {path.removeprefix('data/')} meanwhile", "It is read again.")
        return self._judged(answer)

    def _judged(self, answer: Answer) -> object:
        """What a write was answered with, unless it is a refusal that has to be understood by its words."""
        if answer.status != 400:
            return answer.json()
        said = clean(_said(answer))
        if TROUBLE.search(said):
            raise DoubtError(f"{self.where} is in trouble: {said}", "Its log says why.", settled=True)
        if "Required Header Missing" in said or "not allowed to use Rest" in said:
            raise AccessError(
                f"{self.where} takes nothing from us: {said}",
                "The remote's address must begin like the one that the tracker has of itself (`web` in its config.ini).",
            )
        raise RefusedError(f"{self.where} refuses it: {said}")

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Pairs = (),
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        repeat: bool = True,
        accept: tuple[int, ...] = (),
    ) -> Answer:
        for _ in range(2):
            identity = self._identity()
            try:
                return self.web.ask(
                    method,
                    path,
                    repeat=repeat,
                    accept=accept,
                    params=params or None,
                    json=body,
                    headers={**(headers or {}), **identity},
                )
            except AccessError:
                # Nothing is done with a token that is not good. A password is not tried twice: that locks accounts.
                if not self._forget(identity["Authorization"] if identity else ""):
                    raise
        raise AssertionError("unreachable")

    def _forget(self, used: str) -> bool:
        """Goes back to the password, if it was a token of ours that was not taken."""
        with self._lock:
            if not self._basic or not used.startswith("Bearer "):
                return False
            self._token = ""
            self._tokens = False
            return True

    def _identity(self) -> dict[str, str]:
        with self._lock:
            self._asked += 1
            if self._tokens and self._asked > PATIENCE and (not self._token or time.monotonic() > self._until):
                self._token = self._new_token()
                self._tokens = bool(self._token)
                self._until = time.monotonic() + LIFETIME - EARLY
            found = f"Bearer {self._token}" if self._token else self._basic
        return {"Authorization": found} if found else {}

    def _new_token(self) -> str:
        """A token for the password, where the site gives any."""
        answer = self.web.ask(
            "POST",
            "jwt/issue",
            question=True,
            accept=(400, 403, 404, 405, 409, 415),
            json={"lifetime": str(LIFETIME)},
            headers={**self._writing, "Authorization": self._basic},
        )
        if not answer.ok:
            return ""
        token = text(answer.json(), "data", "jwt")
        return token if token.isascii() and token.isprintable() else ""


def _said(answer: Answer) -> str:
    """Roundup's words in an answer that is no success; as text where it has not got as far as JSON."""
    try:
        return text(answer.json(), "error", "msg") or first_line(answer.body)
    except RemoteError:
        return first_line(answer.body)


def _subject(token: str) -> str:
    """Whose token it is, by the number of the account; it is the server that checks whether that is true."""
    parts = token.split(".")
    if len(parts) != 3:
        return ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return ""
    subject = member(claims, "sub")
    return subject if is_id(subject) else ""
