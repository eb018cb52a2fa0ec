"""A stand-in for django-helpdesk on loopback: its REST interface. For what it does when told to see `serving`."""

import copy
import html
import json
import re
import time
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

from support.standins.djhd_rules import PEOPLE, PRIORITIES, QUEUES, STATUSES, Json, Refusal, Rules, Violation
from support.standins.serving import Asked, Reply, Troubled

TOKEN = "0123456789abcdef0123456789abcdef01234567"
WRONG = b"<!doctype html><html><head><title>Server Error (500)</title></head><body><h1>Server Error (500)</h1></body></html>"
ME, OTHER = 1, 2

Said = tuple[int, object, dict[str, str]]


class Standin(Troubled):
    """The server, and what others do there. forms: whether it shows its forms to browsers. Where lists shift, the oldest ticket goes.

    empty_on_bad_token: nothing instead of 401.
    """

    def __init__(self, *, reference: bool = True) -> None:
        super().__init__()
        self.rules = Rules(self.origin, reference=reference)
        self.secret = TOKEN
        self.forms = True
        self.empty_on_bad_token = False
        self.url = f"djhd+{self.origin}?queue=1:Support&queue=2:Billing"

    @property
    def clock_offset(self) -> float:
        """Seconds by which its clock is wrong."""
        return self.rules.clock_offset

    @clock_offset.setter
    def clock_offset(self, seconds: float) -> None:
        self.rules.clock_offset = seconds

    # What others do

    def _json(self, fields: Json) -> Json:
        named = {"status": STATUSES, "priority": PRIORITIES, "queue": QUEUES}
        names = {"assignee": "assigned_to", "requester": "submitter_email", "due": "due_date", "token": "custom_extref"}
        return {
            names.get(name, name): {text: number for number, text in named[name].items()}[value]
            if name in named
            else value
            for name, value in fields.items()
        }

    def add_ticket(self, title: str, description: str = "", **fields: Any) -> int:
        body = {"queue": 1, "priority": 3, **self._json(fields), "title": title, "description": description or title}
        with self.lock:
            number = int(self.rules.create(body, OTHER)["id"])
            if "status" in fields:
                self.edit(number, status=fields["status"])
        return number

    def edit(self, number: int, **fields: Any) -> None:
        with self.lock:
            self.rules.change(number, self._json(fields))

    def say(self, number: int, body: str, public: bool = True, **more: Any) -> str:
        plain = body.replace("{", "{{ '{' }}").replace("%}", "%{{ '}' }}")
        with self.lock:
            return str(self.rules.say({"ticket": number, "comment": plain, "public": public, **more}, OTHER)["id"])

    def attach(self, number: int, name: str, data: bytes) -> str:
        with self.lock:
            return str(self.rules.attach({"followup": self.say(number, "")}, name, data)["id"])

    def remove(self, number: int) -> None:
        with self.lock:
            self.rules.delete("tickets", number)

    def tickets(self) -> dict[int, Json]:
        """What is there; of a ticket its followups but the first, with which it was made."""
        with self.lock:
            shown = [self.rules.ticket(number) for number in self.rules.rows]
            return {
                one["id"]: {
                    "title": one["title"],
                    "description": one["description"],
                    "status": STATUSES[one["status"]],
                    "comments": [
                        (said["comment"], said["public"]) for said in one["followup_set"][1:] if said["comment"]
                    ],
                    "files": [
                        (file["filename"], self.rules.files[file["id"]][1])
                        for said in one["followup_set"]
                        for file in said["followupattachment_set"]
                    ],
                    "token": one.get("custom_extref", ""),
                }
                for one in shown
            }

    # What is answered

    def nothing_done(self, asked: Asked) -> Reply:
        """As if it were done."""
        before = copy.deepcopy(self.rules.__dict__)
        found = self.answer(asked)
        self.rules.__dict__.update(before)
        return found

    def answer(self, asked: Asked) -> Reply:
        """As django-helpdesk."""
        try:
            status, shown, more = self._routed(asked)
        except Refusal as refusal:
            status, shown, more = refusal.status, refusal.body, {}
        except Violation as violation:
            self.wrong.append(str(violation))
            status, shown, more = 500, WRONG, {}
        told = {"Date": formatdate(time.time() + self.clock_offset, usegmt=True), **more}
        if isinstance(shown, bytes):
            return Reply(status, shown, "text/html", told)
        return Reply(status, json.dumps(shown, ensure_ascii=False).encode(), headers=told)

    def _routed(self, asked: Asked) -> Said:
        method, headers = asked.method, asked.headers
        path = asked.path.strip("/").split("/")
        query = dict(parse_qsl(asked.query))
        if path[0] == "media":
            return self._media(int(path[1]), headers)
        if (
            path[0] != "api"
            or len(path) > 3
            or path[1:2] not in (["tickets"], ["followups"], ["followups-attachments"])
        ):
            return 404, b"<h1>Not Found</h1>", {}
        if not asked.path.endswith("/"):
            return 301, b"", {"Location": f"/{asked.path}/"}
        if headers.get("HTTP_AUTHORIZATION") != f"Token {TOKEN}":
            if self.empty_on_bad_token and method == "GET":
                return 200, {"count": 0, "next": None, "previous": None, "results": []}, {}
            return 401, {"detail": "Invalid token."}, {"WWW-Authenticate": "Token"}
        what = path[1]
        number = int(path[2]) if len(path) == 3 else 0
        if method == "OPTIONS":
            return 200, self.rules.options(), {}
        if method == "GET":
            return self._shown(what, number, query, headers)
        if method == "DELETE":
            self.rules.delete(what, number)
            return 204, b"", {}
        if what == "followups-attachments":
            return 201, self.rules.attach(*_multipart(asked)), {}
        if asked.kind != "application/json":
            raise Violation(f"{method} {asked.path} without JSON")
        sent = json.loads(asked.body)
        if method == "POST":
            made = self.rules.create(sent, ME) if what == "tickets" else self.rules.say(sent, ME)
            return 201, made, {}
        return (
            200,
            self.rules.change(number, sent) if what == "tickets" else self.rules.change_followup(number, sent),
            {},
        )

    def _shown(self, what: str, number: int, query: dict[str, str], headers: Mapping[str, Any]) -> Said:
        if "text/html" in headers.get("HTTP_ACCEPT", ""):
            field, names = ("queue", QUEUES) if what == "tickets" else ("user", PEOPLE)
            options = "".join(f'<option value="{key}">{html.escape(name)}</option>' for key, name in names.items())
            form = f'<ul><li class="navbar-text">agent1</li></ul><select name="{field}"><option value="">--</option>{options}</select>'
            return (
                (200, form.encode(), {})
                if self.forms
                else (406, {"detail": "Could not satisfy the Accept header."}, {})
            )
        if number:
            return 200, self.rules.ticket(number) if what == "tickets" else self.rules.followup(number), {}
        if self.shift_pages and what == "tickets" and query.get("page", "last") != "last":
            self.rules.delete("tickets", min(self.rules.rows))
        return 200, self.rules.listing(what, query), {}

    def _media(self, number: int, headers: Mapping[str, Any]) -> Said:
        if "HTTP_AUTHORIZATION" in headers:
            raise Violation("the token was sent with the address of a file")
        if number not in self.rules.files:
            return 404, b"<h1>Not Found</h1>", {}
        return 200, self.rules.files[number][1], {}


def _multipart(asked: Asked) -> tuple[dict[str, str], str, bytes]:
    """The fields of a form, and the name and bytes of its file."""
    found = re.fullmatch(r'multipart/form-data; boundary="?([^"]+)"?', asked.kind)
    if not found:
        raise Violation("a file that is not in a form")
    told: dict[str, str] = {}
    name, data = "", b""
    for part in (b"\r\n" + asked.body).split(b"\r\n--" + found.group(1).encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        field = re.search(rb'name="([^"]*)"', head)
        assert field is not None
        filename = re.search(rb'filename="([^"]*)"', head)
        if filename:
            name, data = filename.group(1).decode(), content
        else:
            told[field.group(1).decode()] = content.decode()
    return told, name, data
