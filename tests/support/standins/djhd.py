"""A stand-in for django-helpdesk: its REST interface over loopback, with switches for what servers do wrong.

Each switch that is a number holds how many of the next answers go wrong; `standin.asked` lists what was asked.
"""

import copy
import html
import json
import re
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from support.standins.djhd_rules import PEOPLE, PRIORITIES, QUEUES, STATUSES, Json, Refusal, Rules, Violation

TOKEN = "0123456789abcdef0123456789abcdef01234567"
WRONG = b"<!doctype html><html><head><title>Server Error (500)</title></head><body><h1>Server Error (500)</h1></body></html>"
LOGIN = b"<!doctype html><html><head><title>Log in</title></head><body><form></form></body></html>"
ME, OTHER = 1, 2

Said = tuple[int, object, dict[str, str]]


class Standin:
    """The server, and what others do there. forms: whether it shows its forms to browsers.

    done_then_500, ok_not_done: of the next calls that change something. html, redirect, half_page: of the next answers.
    empty_on_bad_token: nothing instead of 401. shift_pages: each page of tickets is read after the oldest ticket was deleted.
    cut_after: bytes of answers after which the connection is cut.
    """

    def __init__(self, *, reference: bool = True) -> None:
        self.rules = Rules(reference=reference)
        self.secret = TOKEN
        self.forms = True
        self.done_then_500 = self.ok_not_done = self.html = self.redirect = self.half_page = self.limited = 0
        self.empty_on_bad_token = self.shift_pages = False
        self.cut_after: int | None = None
        self.asked: list[str] = []
        self.violations: list[str] = []
        self._lock = threading.RLock()
        self._server = _Server(self)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.rules.base = self.address
        self.url = f"djhd+{self.address}?queue=1:Support&queue=2:Billing"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> "Standin":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(20)
        self._server.server_close()
        assert kind is not None or not self.violations, self.violations

    def rate_limit(self, count: int) -> None:
        """The next answers are 429."""
        self.limited = count

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
        with self._lock:
            number = int(self.rules.create(body, OTHER)["id"])
            if "status" in fields:
                self.edit(number, status=fields["status"])
        return number

    def edit(self, number: int, **fields: Any) -> None:
        with self._lock:
            self.rules.change(number, self._json(fields))

    def say(self, number: int, body: str, public: bool = True, **more: Any) -> str:
        plain = body.replace("{", "{{ '{' }}").replace("%}", "%{{ '}' }}")
        with self._lock:
            return str(self.rules.say({"ticket": number, "comment": plain, "public": public, **more}, OTHER)["id"])

    def attach(self, number: int, name: str, data: bytes) -> str:
        with self._lock:
            return str(self.rules.attach({"followup": self.say(number, "")}, name, data)["id"])

    def remove(self, number: int) -> None:
        with self._lock:
            self.rules.delete("tickets", number)

    def tickets(self) -> dict[int, Json]:
        """What is there; of a ticket its followups but the first, with which it was made."""
        with self._lock:
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

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Said:
        """Status, JSON or bytes, headers."""
        with self._lock:
            self.asked.append(f"{method} {target}")
            writes = method in ("POST", "PATCH", "PUT", "DELETE")
            for switch, said in (
                ("limited", (429, {"detail": "Request was throttled."}, {"Retry-After": "0"})),
                ("html", (200, LOGIN, {})),
                ("redirect", (302, b"", {"Location": "/login/?next=/api/"})),
            ):
                if getattr(self, switch):
                    setattr(self, switch, getattr(self, switch) - 1)
                    return said
            before = copy.deepcopy(self.rules.__dict__) if writes and self.ok_not_done else None
            try:
                status, shown, more = self._routed(method, target, headers, body)
            except Refusal as refusal:
                return refusal.status, refusal.body, {}
            except Violation as violation:
                self.violations.append(str(violation))
                return 500, WRONG, {}
            if before is not None:
                self.ok_not_done -= 1
                self.rules.__dict__.update(before)
            if writes and self.done_then_500:
                self.done_then_500 -= 1
                return 500, WRONG, {}
            if self.half_page and not writes:
                self.half_page -= 1
                data = shown if isinstance(shown, bytes) else json.dumps(shown).encode()
                return status, data[: len(data) // 2], more
            return status, shown, more

    def _routed(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Said:
        parts = urlsplit(target)
        path = parts.path.strip("/").split("/")
        query = dict(parse_qsl(parts.query))
        if path[0] == "media":
            return self._media(int(path[1]), headers)
        if (
            path[0] != "api"
            or len(path) > 3
            or path[1:2] not in (["tickets"], ["followups"], ["followups-attachments"])
        ):
            return 404, b"<h1>Not Found</h1>", {}
        if not parts.path.endswith("/"):
            return 301, b"", {"Location": f"{parts.path}/"}
        if headers.get("authorization") != f"Token {TOKEN}":
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
            return 201, self.rules.attach(*_multipart(headers, body)), {}
        if headers.get("content-type") != "application/json":
            raise Violation(f"{method} {target} without JSON")
        sent = json.loads(body)
        if method == "POST":
            made = self.rules.create(sent, ME) if what == "tickets" else self.rules.say(sent, ME)
            return 201, made, {}
        return (
            200,
            self.rules.change(number, sent) if what == "tickets" else self.rules.change_followup(number, sent),
            {},
        )

    def _shown(self, what: str, number: int, query: dict[str, str], headers: dict[str, str]) -> Said:
        if "text/html" in headers.get("accept", ""):
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

    def _media(self, number: int, headers: dict[str, str]) -> Said:
        if "authorization" in headers:
            raise Violation("the token was sent with the address of a file")
        if number not in self.rules.files:
            return 404, b"<h1>Not Found</h1>", {}
        return 200, self.rules.files[number][1], {}


def _multipart(headers: dict[str, str], body: bytes) -> tuple[dict[str, str], str, bytes]:
    """The fields of a form, and the name and bytes of its file."""
    found = re.fullmatch(r'multipart/form-data; boundary="?([^"]+)"?', headers.get("content-type", ""))
    if not found:
        raise Violation("a file that is not in a form")
    told: dict[str, str] = {}
    name, data = "", b""
    for part in (b"\r\n" + body).split(b"\r\n--" + found.group(1).encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        field = re.search(rb'name="([^"]*)"', head)
        assert field is not None
        filename = re.search(rb'filename="([^"]*)"', head)
        if filename:
            name, data = filename.group(1).decode(), content
        else:
            told[field.group(1).decode()] = content.decode()
    return told, name, data


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, standin: Standin) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.standin = standin

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that the other side has closed is nothing."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    def _answer(self) -> None:
        assert isinstance(self.server, _Server)
        standin = self.server.standin
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # cut off: no server does half of what it is asked
            self.close_connection = True
            return
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            status, shown, more = standin.answer(self.command, self.path, headers, body)
        except Exception as error:  # noqa: BLE001 - told to the test when the stand-in ends
            standin.violations.append(f"{self.command} {self.path}: {error!r}")
            status, shown, more = 500, WRONG, {}
        data = shown if isinstance(shown, bytes) else json.dumps(shown, ensure_ascii=False).encode()
        kind = "application/json" if not isinstance(shown, bytes) else "text/html"
        date = formatdate(time.time() + standin.clock_offset, usegmt=True)
        lines = [f"HTTP/1.1 {status} {self.responses[status][0]}", f"Date: {date}", f"Content-Type: {kind}"]
        lines += [f"Content-Length: {len(data)}", *(f"{name}: {value}" for name, value in more.items()), "", ""]
        out = "\r\n".join(lines).encode() + (b"" if self.command == "HEAD" else data)
        if standin.cut_after is not None:
            out, left = out[: standin.cut_after], standin.cut_after - len(out)
            standin.cut_after = max(0, left)
            self.close_connection = left < 0
        self.wfile.write(out)

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    do_GET = do_POST = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = do_PUT = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""
