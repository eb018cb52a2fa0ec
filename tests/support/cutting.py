"""A proxy on loopback before a helpdesk: it passes a request on, and an answer back, each only after a test has looked at it.

So a test can end a process between two steps, or cut the connection at any byte of a request or an answer. An answer is whole here
before any of it goes back: the server has then done what it was asked. Each request has connections of its own.
"""

import re
import socket
import threading
from collections.abc import Callable
from typing import NamedTuple, Self
from urllib.parse import urlsplit

REQUEST, ANSWER = "request", "answer"
MOST = 64 << 20
PATIENCE = 60


class Passing(NamedTuple):
    """A message that comes by. side: REQUEST or ANSWER. nth: of the request, from 1. method, path: of the request."""

    side: str
    nth: int
    method: str
    path: str
    data: bytes

    @property
    def asks(self) -> bool:
        """Whether the request only asks for something."""
        return self.method in ("GET", "HEAD", "OPTIONS")


Looking = Callable[[Passing], int | None]
"""Says how many bytes of a message go on before the connection is cut; None for all of it, and no cut."""


def everything(message: Passing) -> None:
    """Cuts nothing."""


PLACES: dict[str, Callable[[int, int], int]] = {
    "first byte": lambda head, whole: 1,
    "head": lambda head, whole: head // 2,
    "end of its head": lambda head, whole: head,
    "body": lambda head, whole: (head + whole) // 2,
    "last byte": lambda head, whole: whole - 1,
}
"""Where in a message the connection may be cut: the bytes that go on, of so many in its head and in the whole of it."""


def cut(nth: int, side: str, place: str, *, lasting: bool = False) -> Looking:
    """Cuts the nth request or its answer at a place. lasting: nothing comes through after that either."""

    def look(message: Passing) -> int | None:
        if message.nth != nth:
            return 0 if lasting and message.nth > nth else None
        if message.side != side:
            return None
        head = message.data.index(b"\r\n\r\n") + 4
        return min(PLACES[place](head, len(message.data)), len(message.data) - 1)

    return look


class Proxy:
    """Stands before a server. url: the server's. Servers name themselves in links and compare who they are asked as: each side is told
    the name by which it knows the other, of the same length.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url.partition("+")[2] if "+" in url.partition(":")[0] else url)
        assert parts.port
        self._server = ("127.0.0.1", parts.port)
        self._far = f"{parts.hostname}:{parts.port}".encode()
        self._listening = _listen(len(str(parts.port)))
        self._near = f"{parts.hostname}:{self._listening.getsockname()[1]}".encode()
        self._looking: Looking = everything
        self._count = 0
        self._guard = threading.Lock()
        self.seen: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def address(self, url: str) -> str:
        """The same address, by way of here."""
        return url.replace(self._far.decode(), self._near.decode())

    def look(self, looking: Looking) -> None:
        """From now on, messages are looked at so; requests are counted anew."""
        with self._guard:
            self._looking, self._count, self.seen = looking, 0, []

    def close(self) -> None:
        self._listening.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        client.settimeout(PATIENCE)
        with client:
            try:
                request = _request(client)
                if request:
                    self._exchange(client, request)
            except OSError:
                pass  # one of the two has gone away

    def _exchange(self, client: socket.socket, request: bytes) -> None:
        method, path = request.split(b" ", 2)[:2]
        with self._guard:
            looking = self._looking
            self._count += 1
            count = self._count
            self.seen.append(method.decode())
        about = count, method.decode(), path.decode()
        request = _closing(request).replace(self._near, self._far)
        most = looking(Passing(REQUEST, *about, request))
        if most == 0:
            return
        with socket.create_connection(self._server, PATIENCE) as server:
            server.sendall(request[:most])
            if most is not None:
                return
            answer = _closing(_all(server)).replace(self._far, self._near)
        client.sendall(answer[: looking(Passing(ANSWER, *about, answer))])


def _listen(digits: int) -> socket.socket:
    """A socket on a port with so many digits, so that no length changes where one name stands for the other."""
    while True:
        listening = socket.create_server(("127.0.0.1", 0))
        if len(str(listening.getsockname()[1])) == digits:
            return listening
        listening.close()


def _closing(message: bytes) -> bytes:
    """The message, which says that nothing else comes on its connection."""
    head, blank, body = message.partition(b"\r\n\r\n")
    head = re.sub(rb"\r\nconnection:[^\r]*", b"", head, flags=re.IGNORECASE)
    return head + b"\r\nConnection: close" + blank + body


def _request(client: socket.socket) -> bytes:
    """A whole request; nothing if the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (part := client.recv(65536)):
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    chunked = re.search(rb"\r\ntransfer-encoding: *chunked", head, re.IGNORECASE)
    while len(body) < MOST and (len(body) < int(length[1]) if length else chunked and not body.endswith(b"0\r\n\r\n")):
        if not (part := client.recv(65536)):
            return b""
        body += part
    return head + b"\r\n\r\n" + body


def _all(server: socket.socket) -> bytes:
    """All that a server sends."""
    parts = []
    while part := server.recv(65536):
        parts.append(part)
    return b"".join(parts)
