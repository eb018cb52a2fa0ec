"""Servers on loopback for tests: a store being served, a proxy that misbehaves, and a server that is no chit server."""

import contextlib
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chit_sync.server.run import Server

PATIENCE = 20
"""Seconds after which a test that waits has failed."""


@contextmanager
def serving(path: str, **options: Any) -> Iterator[str]:
    """Serves the store in the folder `path` as `chit serve` does, in a thread; gives the address."""
    ready: queue.Queue[Server | BaseException] = queue.Queue()

    def run() -> None:
        try:
            server = Server(path, **options)
        except BaseException as error:  # noqa: BLE001 - handed to the test, which raises it
            ready.put(error)
            return
        server._cheroot.expiration_interval = 0.02  # how long stopping may take; half a second by default
        ready.put(server)
        try:
            server.serve()
        finally:
            server.close()

    thread = threading.Thread(target=run)
    thread.start()
    server = ready.get(timeout=PATIENCE)
    if isinstance(server, BaseException):
        thread.join(PATIENCE)
        raise server
    try:
        yield server.address
    finally:
        server.stop()
        thread.join(PATIENCE)


class Proxy:
    """Passes bytes on to a server and counts; `cut_after` bytes of answers (or of requests) it drops both connections.

    cut_after, cut_requests_after: None for never; each counts down over all connections. delay: seconds before the first answer
    of a connection is passed on.
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition("://")[2].rpartition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cut_after: int | None = None
        self.cut_requests_after: int | None = None
        self.stalled = threading.Event()
        """While it is set, answers are swallowed."""
        self.requests: list[str] = []
        """The first line of each request, as far as it was sent in one piece with what stands before it."""
        self.answered = 0
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        """Closed at the end only: closing one while the other thread waits for it would leave that waiting."""
        self._start(self._accept)

    def _start(self, run: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=run, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            client.settimeout(PATIENCE)
            server.settimeout(PATIENCE)
            self._sockets += [client, server]
            self._start(self._pass_on, client, server, True)
            self._start(self._pass_on, server, client, False)

    def _pass_on(self, source: socket.socket, target: socket.socket, asking: bool) -> None:
        name = "cut_requests_after" if asking else "cut_after"
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if asking and data.split(b" ", 1)[0] in (b"GET", b"POST", b"PUT", b"HEAD"):
                    self.requests.append(data.split(b"\r\n", 1)[0].decode())
                if not asking:
                    self.answered += len(data)
                    if self.stalled.is_set():
                        continue
                left = getattr(self, name)
                if left is not None:
                    setattr(self, name, max(0, left - len(data)))
                    if left <= len(data):
                        target.sendall(data[:left])
                        break
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Ends it, and waits for its threads."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)
        for each in self._sockets:
            each.close()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


Answers = Callable[[str, str], tuple[int, dict[str, str], bytes]]
"""From a method and a path to status, headers and body."""


@contextmanager
def answering(answers: Answers) -> Iterator[str]:
    """Something that speaks HTTP and gives these answers; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, body = answers(self.command, self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
            if "Content-Length" in headers:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_HEAD = _answer

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)


def closed_port() -> str:
    """An address at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"
