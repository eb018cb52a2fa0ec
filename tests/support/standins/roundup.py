"""A stand-in for Roundup: as much of its REST interface as the adapter uses, in memory, on loopback, and whatever can go wrong with it.

It checks what it is asked against Roundup's rules and answers as Roundup does; what no Roundup would forgive fails an assertion. Trouble
is ordered for the next questions or writes of the adapter's account; the other side is never troubled.
"""

import base64
import email.parser
import email.policy
import hashlib
import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from support.standins.roundup_site import Site
from support.standins.roundup_words import KEYS, Database, Refusal, Row

ACCOUNTS = {"agent1": "Agent One", "agent2": "Agent Two", "requester": "Réquester Øne"}
PROBLEM = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
}
PROBLEM |= {
    412: "Precondition Failed",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    500: "Internal Server Error",
}

Reply = tuple[int, dict[str, str], bytes]


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


class Standin(Site):
    """A tracker with the two agents of the real one. requests: method and path of all that the adapter's account asked."""

    def __init__(self) -> None:
        self.clock_offset = 0
        self.empty_on_bad_token = False
        self.shift_pages = False  # there are no pages that could: lists come whole
        self.tokens = True
        self.requests: list[str] = []
        self.failures: list[str] = []
        self._troubles: list[tuple[str, str, int]] = []
        self._lock = threading.RLock()
        self.db = Database(lambda: time.time_ns() // 1000 + self.clock_offset)
        for login, name in ACCOUNTS.items():
            self.db.make("user", {"username": login, "realname": name, "address": f"{login}@example.com"}, "1")
        for name in ("Support", "Billing"):
            self.db.make("keyword", {"name": name}, "1")
        self._server = make_server("127.0.0.1", 0, self._app, server_class=_Server, handler_class=_Quiet)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        accounts = {login: {"login": login, "password": f"secret-{login}"} for login in ACCOUNTS}
        base = f"{self.origin}/helpdesk"
        super().__init__({"url": base, "remote": f"roundup+{base}", "accounts": accounts})

    def __enter__(self) -> "Standin":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        assert not self.failures, self.failures

    # Trouble

    def trouble(self, what: str, method: str = "", count: int = 0, times: int = 1) -> None:
        """The next calls of the adapter with that method (all, if empty) go wrong: done_then_500, ok_not_done, html, redirect, half_page,
        rate_limit, cut_after (count bytes of the answer)."""
        self._troubles += [(what, method, count)] * times

    def calm(self) -> None:
        """No trouble any more."""
        self._troubles.clear()

    def done_then_500(self, method: str = "POST") -> None:
        self.trouble("done_then_500", method)

    def ok_not_done(self, method: str = "PUT") -> None:
        self.trouble("ok_not_done", method)

    def html(self, method: str = "") -> None:
        self.trouble("html", method)

    def redirect(self, method: str = "") -> None:
        self.trouble("redirect", method)

    def half_page(self) -> None:
        self.trouble("half_page", "GET")

    def rate_limit(self, n: int) -> None:
        self.trouble("rate_limit", times=n)

    def cut_after(self, count: int, method: str = "") -> None:
        self.trouble("cut_after", method, count)

    # HTTP

    def _app(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        with self._lock:
            try:
                status, headers, body = self._answered(environ)
            except AssertionError as error:
                self.failures.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}: {error}")
                status, headers, body = 418, {"Content-Type": "text/plain"}, str(error).encode()
        length = headers.pop("X-Length", str(len(body)))
        start(f"{status} {PROBLEM.get(status, 'OK')}", [*headers.items(), ("Content-Length", length)])
        return [body]

    def _answered(self, environ: dict[str, Any]) -> Reply:
        method: str = environ["REQUEST_METHOD"]
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        if len(body) < length:  # cut off: no server does half of what it is asked
            return 400, {}, b""
        path = environ["PATH_INFO"].encode("latin-1").decode()
        assert path.startswith("/helpdesk/rest/"), path
        who = self._who(environ.get("HTTP_AUTHORIZATION", ""))
        if who is None:
            if self.empty_on_bad_token:
                return _stranger(path.removeprefix("/helpdesk/rest/data").strip("/"))
            return 401, {"Content-Type": "text/plain"}, b"Invalid Login - Invalid login"
        what, count = "", 0
        if self.db.classes["user"][who]["username"] == "agent1":
            self.requests.append(f"{method} {path.removeprefix('/helpdesk/rest/')}")
            for trouble in self._troubles:
                if trouble[1] in ("", method):
                    self._troubles.remove(trouble)
                    what, _, count = trouble
                    break
        if what == "rate_limit":
            words = {"error": {"status": 429, "msg": "Api rate limits exceeded.", "source": "ApiRateLimiter"}}
            return 429, {"Content-Type": "application/json", "Retry-After": "0"}, json.dumps(words).encode()
        if what == "html":
            return 200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><title>Helpdesk login</title>"
        if what == "redirect":
            return 302, {"Location": f"{self.origin}/login"}, b""
        if what == "ok_not_done":
            return _json({"data": {"id": "1", "type": "issue", "attribute": {}}})
        try:
            reply = self._done(method, path.removeprefix("/helpdesk/rest/"), environ, body, who)
        except Refusal as error:
            reply = _json({"error": {"status": error.status, "msg": error.words}}, error.status)
        if what == "done_then_500":
            return 500, {"Content-Type": "text/plain"}, b"Internal Server Error"
        if what == "half_page":
            return reply[0], reply[1], reply[2][: len(reply[2]) // 2]
        if what == "cut_after":
            return reply[0], {**reply[1], "X-Length": str(len(reply[2]) + 1)}, reply[2][:count]
        return reply

    def _who(self, authorization: str) -> str | None:
        kind, _, value = authorization.partition(" ")
        if kind == "Bearer":
            login, _, password = value.partition(".")
        else:
            login, _, password = base64.b64decode(value).decode().partition(":")
        return self.db.lookup("user", login) if login in ACCOUNTS and password == f"secret-{login}" else None

    def _done(self, method: str, path: str, environ: dict[str, Any], body: bytes, who: str) -> Reply:
        if method == "GET":
            return self._got(path, environ)
        if "HTTP_X_REQUESTED_WITH" not in environ or "HTTP_ORIGIN" not in environ:
            raise Refusal(400, "Required Header Missing")
        if environ["HTTP_ORIGIN"] != self.origin:
            raise Refusal(400, "Client is not allowed to use Rest Interface.")
        if path == "jwt/issue":
            if not self.tokens:
                raise Refusal(404, "Path not found")
            assert json.loads(body)["lifetime"].isdecimal()
            return _json({"data": {"jwt": f"{self.db.classes['user'][who]['username']}.secret-agent1"}})
        parts = path.split("/")
        assert parts[0] == "data", path
        kind = environ.get("CONTENT_TYPE", "")
        if method == "POST" and parts[1:] == ["file"] and kind.startswith("multipart/form-data"):
            return self._uploaded(kind, body, who)
        if body and kind.lower() != "application/json":
            raise Refusal(415, f"Unable to parse {kind}")
        values = json.loads(body) if body else {}
        if method == "POST":
            assert len(parts) == 2, path
            self.db.props(parts[1])
            number = self.db.make(parts[1], values, who)
            return _json({"data": {"id": number, "link": f"{self.origin}/helpdesk/rest/data/{parts[1]}/{number}"}}, 201)
        _, klass, number = parts
        row = self.db.row(klass, number)
        tag = environ.get("HTTP_IF_MATCH") or values.pop("@etag", "")
        if tag != _tag(row):
            raise Refusal(412, "If-Match is missing or does not match. Retrieve asset and retry modification if valid.")
        if method == "DELETE":
            row["retired"] = True
            return _json({"data": {"status": "ok"}})
        if method == "PATCH" and values["@op"] == "remove":
            assert list(values) == ["@op", "messages"], values  # it would take off what it names of every field
            return _json({"data": {"attribute": self.db.remove(number, values["messages"][0], who)}})
        if method == "PATCH":
            assert values == {"@op": "action", "@action_name": "restore"}, values
            row["retired"] = False
            return _json({"data": {"result": None}})
        assert method == "PUT", method
        if not values:
            raise Refusal(400, "No properties found.")
        return _json({"data": {"id": number, "type": klass, "attribute": self.db.set(klass, number, values, who)}})

    def _uploaded(self, kind: str, body: bytes, who: str) -> Reply:
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        found: dict[str, bytes] = {}
        for part in message.iter_parts():
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            found[str(part.get_param("name", header="content-disposition"))] = data
        if not found["content"]:
            raise Refusal(405, "'NoneType' object has no attribute 'upper'")
        number = self.db.make("file", {"name": found["name"].decode()}, who)
        self.db.data[number] = found["content"]
        return _json({"data": {"id": number}}, 201)

    def _got(self, path: str, environ: dict[str, Any]) -> Reply:
        params = parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)
        control = {name: value for name, value in params if name.startswith("@")}
        parts = path.split("/")
        assert parts[0] == "data", path
        verbose = int(control.get("@verbose", "1"))
        if len(parts) == 1:
            return _json({"data": {name: {"link": f"data/{name}"} for name in self.db.schema}})
        if len(parts) == 2:
            return self._listed(parts[1], control, [pair for pair in params if not pair[0].startswith("@")], verbose)
        row = self.db.row(parts[1], parts[2])
        if len(parts) == 4:
            assert parts[3] == "binary_content"
            return 200, {"Content-Type": "application/octet-stream"}, self.db.data[row["id"]]
        fields = control["@fields"].split(",") if "@fields" in control else list(self.db.schema[parts[1]])
        told = {name: self.db.shown(parts[1], row, name, verbose) for name in fields}
        return _json({"data": {"id": row["id"], "type": parts[1], "attributes": told, "@etag": _tag(row)}})

    def _listed(self, klass: str, control: dict[str, str], filters: list[tuple[str, str]], verbose: int) -> Reply:
        props = self.db.props(klass)
        fields = control["@fields"].split(",") if "@fields" in control else []
        if verbose > 1 and klass in KEYS:
            fields.append(KEYS[klass])
        for name in fields:
            self.db.shown_kind(klass, name)
        rows = [row for row in self.db.classes[klass].values() if not row["retired"]]
        for name in dict(filters):
            rows = self._filtered(klass, rows, name, [value for one, value in filters if one == name], props)
        if "@sort" in control:
            assert control["@sort"] == "-id", control
            rows.reverse()
        if "@page_size" in control:
            rows = rows[: int(control["@page_size"])]
        told = [
            {"id": row["id"], "link": f"data/{klass}/{row['id']}"}
            | {name: self.db.shown(klass, row, name, verbose) for name in fields}
            for row in rows
        ]
        return _json({"data": {"collection": told, "@total_size": len(told)}})

    def _filtered(self, klass: str, rows: list[Row], name: str, values: list[str], props: dict[str, str]) -> list[Row]:
        plain = name.rstrip(":")
        if plain not in props:
            raise Refusal(400, f"Field {plain} is not valid for {klass} class.")
        sort, _, other = props[plain].partition(" ")
        if plain == "id":
            return [row for row in rows if row["id"] in values]
        if sort == "date" and values == ["no such thing"]:
            return rows  # what is no date is no filter
        if sort == "date":
            start, _, bound = values[0].partition(" ")
            assert start == "from", values
            assert bound.endswith("+0000"), values
            return [row for row in rows if row[plain] >= self.db.moment(bound)]
        if sort in ("link", "links"):
            wanted = set()
            for one in ",".join(values).split(","):
                try:
                    wanted.add(one if one.isdecimal() else self.db.lookup(other, one))
                except KeyError:
                    raise Refusal(400, f'\'No key ({KEYS.get(other)}) value "{one}" for "{other}"\'') from None
            return [row for row in rows if wanted & set(row[plain] if sort == "links" else [row[plain]])]
        if name.endswith(":"):
            return [row for row in rows if row[plain] == values[0]]
        return [row for row in rows if values[0].lower() in (row[plain] or "").lower()]


def _stranger(path: str) -> Reply:
    """What somebody gets who may ask and sees nothing."""
    if "/" in path:
        return _json({"error": {"status": 404, "msg": f"no such {path}"}}, 404)
    return _json({"data": {"collection": [], "@total_size": 0} if path else {}})


def _tag(row: Row) -> str:
    return f'"{hashlib.md5(repr(sorted(row.items(), key=str)).encode(), usedforsecurity=False).hexdigest()}"'


def _json(data: Any, status: int = 200) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(data, indent=1).encode()
