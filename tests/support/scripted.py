"""A server on loopback that sends just the bytes that a test gives it, and keeps what it was sent."""

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

PATIENCE = 10.0


class Request(NamedTuple):
    """What came. line: method and target."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int


class Reply(NamedTuple):
    """What is sent. then: "keep" the connection, "close" it, "reset" it, or "wait" until the test is over."""

    data: bytes
    then: str = "keep"


def reply(status: int = 200, body: bytes = b"{}", then: str = "keep", **headers: str) -> Reply:
    """A whole answer; `_` in a header's name stands for `-`."""
    head = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    head.update({name.replace("_", "-").title(): value for name, value in headers.items()})
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return Reply(f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode("latin-1") + body, then)


class Scripted:
    """Gives the replies one after the other, then the last one for ever."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self._replies = list(replies)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.settimeout(PATIENCE)
                with self._lock:
                    self.connections += 1
                    number = self.connections
                    self._sockets.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection, number))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as source:
            while line := source.readline():
                headers: dict[str, str] = {}
                while (field := source.readline().decode("latin-1").strip()) != "":
                    name, _, value = field.partition(":")
                    headers[name.lower()] = value.strip()
                body = source.read(int(headers.get("content-length", "0")))
                with self._lock:
                    self.requests.append(Request(line.decode().rpartition(" ")[0], headers, body, number))
                    answer = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
                connection.sendall(answer.data)
                if answer.then == "wait":
                    self._over.wait(PATIENCE)
                if answer.then == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                if answer.then != "keep":
                    return

    def close(self) -> None:
        """Ends it, and waits for its threads."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)


@contextmanager
def scripted(*replies: Reply) -> Iterator[Scripted]:
    """The server, until the test is over."""
    server = Scripted(replies)
    try:
        yield server
    finally:
        server.close()
