"""Runs the application under cheroot: threads, TLS, limits. The command line prints where it listens; this module never prints."""

import ipaddress
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from chit_sync.errors import RemoteError, UsageError

THREADS = 16
BACKLOG = 256
MAX_HEADERS = 1 << 16
"""Most bytes of a request's line and headers; what its body may have depends on the call."""
SILENCE_SECONDS = 30
"""How long a client may be silent in the middle of a request."""


class Server:
    """A store being served. `address` says where, as a URL, as soon as it exists; `serve` answers until `stop` is called."""

    def __init__(
        self,
        path: str,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        open_to_all: bool = False,
        cert: str | None = None,
        key: str | None = None,
        max_blob: int = 0,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Opens the store and binds the port; 0 takes a free one.

        open_to_all: callers need no token; only on a loopback address. report: told of errors that are
        the server's own, several lines each. Raises UsageError, StoreError, and RemoteError for a port
        that cannot be had.
        """
        try:
            from cheroot.wsgi import Server as Cheroot
        except ImportError:
            raise UsageError(
                "this installation cannot serve", "Install chit with its extra `serve`: pip install 'chit[serve]'."
            ) from None
        from chit_sync.server.app import App
        from chit_sync.store.opening import open_store

        if open_to_all and not _is_loopback(host):
            raise UsageError(
                f"without tokens a store is served on this machine only, not on {host}",
                "Make tokens with `chit token create`, or listen on 127.0.0.1.",
            )
        if bool(cert) != bool(key):
            raise UsageError("TLS needs both a certificate and its key", "Give --cert and --key.")
        self._cheroot: Any
        self._keep = open_store(path)
        """Kept open so that a request's connection is never the last one: closing that would tidy the log of the database away."""
        try:
            self._cheroot = Cheroot(
                (host, port), App(path, everyone="admin" if open_to_all else None, max_blob=max_blob, report=report),
                numthreads=THREADS, request_queue_size=BACKLOG, timeout=SILENCE_SECONDS, server_name="chit",
            )  # fmt: skip
            self._cheroot.error_log = _quiet
            self._cheroot.max_request_header_size = MAX_HEADERS
            if cert and key:
                self._cheroot.ssl_adapter = _tls(cert, key)
            try:
                _try_to_listen(host, port)
                self._cheroot.prepare()
            except OSError as error:
                raise RemoteError(
                    f"cannot listen on {host} port {port}: {error.strerror or error}",
                    "Another program may be listening there; choose another port with --port.",
                ) from None
        except BaseException:
            self._keep.close()
            raise
        bound = self._cheroot.bind_addr
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        self.port = int(bound[1])
        self.address = f"{'https' if cert else 'http'}://{shown}:{self.port}"

    def serve(self) -> None:
        """Answers requests until `stop`, or an exception such as KeyboardInterrupt."""
        try:
            self._cheroot.serve()
        finally:
            self._cheroot.stop()

    def stop(self) -> None:
        """Ends `serve`; may be called from another thread. Requests under way are finished first."""
        self._cheroot.stop()

    def close(self) -> None:
        """Closes the store; call it in the thread that made the server, after `serve` has ended."""
        self._keep.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.close()


def _try_to_listen(host: str, port: int) -> None:
    """Raises the system's error where nobody can listen; cheroot would tell it less well, and leave a socket behind."""
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    socket.create_server((host, port), family=family).close()


def _tls(cert: str, key: str) -> object:
    import ssl

    from cheroot.ssl.builtin import BuiltinSSLAdapter

    try:
        return BuiltinSSLAdapter(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"cannot use the certificate {cert} with the key {key}: {error}") from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _quiet(message: str = "", level: int = 20, traceback: bool = False) -> None:
    """What cheroot has to say of broken connections and the like is of no use to whoever runs it."""
