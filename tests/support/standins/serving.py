"""What the stand-ins for helpdesks share: a server on loopback, and the trouble that it makes when it is told to.

What a helpdesk would silently make nothing of, and what no adapter should ask, is kept in `wrong` and fails the test in the end.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from socketserver import ThreadingMixIn
from typing import Any, NamedTuple, Self
from urllib.parse import unquote
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

JSON = "application/json; charset=utf-8"
LOGIN = b"<!DOCTYPE html><html><head><title>Log in</title></head><body><form></form></body></html>"
PATIENCE = 20.0


class Asked(NamedTuple):
    """A request. path: below the root, without a slash before it. headers: as WSGI has them, HTTP_ACCEPT."""

    method: str
    path: str
    query: str
    kind: str
    body: bytes
    headers: Mapping[str, Any]


class Reply(NamedTuple):
    """What is answered. cut: bytes of the body after which the answer ends though it says that it has more; None for never."""

    status: int
    body: bytes = b""
    kind: str = JSON
    headers: Mapping[str, str] = {}
    cut: int | None = None


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


class _Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64


class Served(ABC):
    """A server while it is entered. root: what the paths of all requests begin with. asked: method and path of what came."""

    root = ""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.lock = threading.RLock()
        self._server = make_server("127.0.0.1", 0, self._serve, _Threaded, _Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(PATIENCE)
        self._server.server_close()
        assert kind is not None or self.wrong == [], self.wrong

    @abstractmethod
    def reply(self, asked: Asked) -> Reply:
        """What the helpdesk answers."""

    def _serve(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = unquote(environ["PATH_INFO"].encode("latin-1").decode()).lstrip("/")
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        asked = Asked(
            environ["REQUEST_METHOD"], path.removeprefix(self.root), environ.get("QUERY_STRING", ""),
            environ.get("CONTENT_TYPE", ""), body, environ,
        )  # fmt: skip
        # Cut off: no server does half of what it is asked.
        with self.lock:
            answer = self.reply(asked) if len(body) == length else Reply(400)
        headers = {"Content-Type": answer.kind, "Content-Length": str(len(answer.body)), **answer.headers}
        start(f"{answer.status} Said", [*headers.items()])
        return [answer.body if answer.cut is None else answer.body[: answer.cut]]


class Troubled(Served):
    """One that misbehaves.

    done_then_500, ok_not_done   so many of the next writes go that way
    html, redirect, half_page    so many of the next calls do
    only                         the beginning of the methods that these are about; empty for all
    cut_after                    answers end after so many bytes; None for never
    rate_limit(n)                the next n requests are answered 429
    shift_pages                  after each list, something that it told of is changed
    """

    def __init__(self) -> None:
        super().__init__()
        self.done_then_500 = self.ok_not_done = self.html = self.redirect = self.half_page = 0
        self.cut_after: int | None = None
        self.only = ""
        self.shift_pages = False
        self._limited = 0

    def rate_limit(self, n: int) -> None:
        """The next n requests are too many."""
        self._limited = n

    def writes(self, asked: Asked) -> bool:
        """Whether it is to change something."""
        return asked.method not in ("GET", "OPTIONS")

    def nothing_done(self, asked: Asked) -> Reply:
        """What a write is answered with that is not done."""
        return Reply(204)

    @abstractmethod
    def answer(self, asked: Asked) -> Reply:
        """What the helpdesk answers when all is well."""

    def reply(self, asked: Asked) -> Reply:
        """That, or trouble."""
        self.asked.append(f"{asked.method} {asked.path}")
        if self._limited:
            self._limited -= 1
            return Reply(429, b"{}", headers={"Retry-After": "0"})
        troubled = asked.method.startswith(self.only)
        if troubled and self._goes("html"):
            return Reply(200, LOGIN, "text/html")
        if troubled and self._goes("redirect"):
            return Reply(302, b"", "text/html", {"Location": f"{self.origin}/login"})
        writes = troubled and self.writes(asked)
        if writes and self._goes("ok_not_done"):
            return self.nothing_done(asked)
        found = self.answer(asked)
        if writes and self._goes("done_then_500"):
            return Reply(500, b"", "text/html")
        if troubled and len(found.body) > 2 and self._goes("half_page"):
            found = found._replace(body=found.body[: len(found.body) // 2])
        return found._replace(cut=self.cut_after) if troubled else found

    def _goes(self, switch: str) -> bool:
        """Whether that trouble is due, which counts it down."""
        left = getattr(self, switch)
        if left:
            setattr(self, switch, left - 1)
        return bool(left)
