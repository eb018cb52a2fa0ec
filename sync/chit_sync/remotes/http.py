"""The log of a store behind `chit serve`, over HTTP. The one module that imports httpx; it is itself imported late.

Here is all that can go wrong between two machines, once: time-outs, retries, streams that are cut, answers of something that is no
chit server, each said in words. It does not decide what is exchanged.
"""

import time
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, NoReturn
from urllib.parse import urlsplit

import httpx

from chit_sync import invitation, wire
from chit_sync.errors import RemoteError, UsageError
from chit_sync.invitation import Joined, Joining
from chit_sync.remotes import answers
from chit_sync.remotes.base import BlobState, Expect, Reading, UnreachedError
from chit_sync.remotes.registry import LOOPBACK
from chit_sync.store.blobs import is_sha256
from chit_sync.wire import Answer, Info, Offer, Sent

if TYPE_CHECKING:
    import ssl

CONNECT_SECONDS = 5.0
TRIES = 4
"""How often a call is made before its failure is told; every call of the protocol may be repeated."""

LONGEST_WAIT = 30.0
"""Seconds that a server may ask us to wait before it is told instead."""

BLOCK = 1 << 18
"""Bytes of lines that are decoded at once."""

WORTH_COMPRESSING = 1_000
ACCEPT_PROBLEM = f"{wire.NDJSON}, {wire.JSON}, {wire.PROBLEM}"


class HttpLog:
    """A store behind `chit serve`. Nothing is sent before the first call."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        timeout: float = 30.0,
        ca_file: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.where = url
        self._sleep = sleep
        self._timeout = timeout
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            host = ""
        if not host or parts.query or parts.fragment:
            raise UsageError(f"{url} is no address of a server", "It looks like https://tickets.example.com.")
        if parts.username is not None:
            raise UsageError(
                f"the address of {host} holds a user's name or password",
                "Keep the token out of the address: give it in CHIT_TOKEN, or with --token-stdin.",
            )
        self._near = host in LOOPBACK
        headers = {"User-Agent": "chit", "Accept": ACCEPT_PROBLEM}
        headers["Accept-Encoding"] = "identity" if self._near else "gzip"
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._client = httpx.Client(
            base_url=url.rstrip("/") + "/v1/",
            headers=headers,
            timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
            verify=_trust(ca_file) if parts.scheme.lower() == "https" else False,
            trust_env=not self._near,
        )

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def info(self) -> Info:
        """Who the server's store is."""
        response = self._ask("GET", "")
        answers.expect_type(self.where, response.headers, wire.JSON)
        return wire.read_info(response.content, self.where)

    def read(self, after: int, limit: int | None = None, expect: Expect | None = None) -> Reading:
        """The changes after that place; they are decoded as they arrive."""
        params = {"after": str(after), **_expectation(expect)}
        if limit is not None:
            params["limit"] = str(limit)
        return self._reading("log", params, after)

    def own(self) -> Reading:
        """What the caller, a service partner, sent there."""
        return self._reading("log/own", {}, 0)

    def _reading(self, path: str, params: dict[str, str], after: int) -> Reading:
        response = self._ask("GET", path, params=params, stream=True)
        try:
            answers.expect_type(self.where, response.headers, wire.NDJSON)
            blocks = self._blocks(response)
            first, _, rest = next(blocks, b"").partition(b"\n")
            info = wire.read_info(first, self.where)
        except BaseException:
            response.close()
            raise
        return Reading(info, self._batches(response, rest, blocks, after))

    def _blocks(self, response: httpx.Response) -> Iterator[bytes]:
        """Whole lines, as many as have come and fit into a block or two."""
        unpack = answers.Unpacker() if response.headers.get("content-encoding") == "gzip" else None
        parts: list[bytes] = []
        size = 0
        with self._explained():
            for data in response.iter_raw():
                for piece in unpack.pieces(data) if unpack else (data,):
                    parts.append(piece)
                    size += len(piece)
                    if size < BLOCK:
                        continue
                    block = b"".join(parts)
                    end = block.rfind(b"\n") + 1
                    parts = [block[end:]]
                    size = len(block) - end
                    if size > wire.MAX_LINE:
                        raise RemoteError(f"{self.where} sent a line of over {wire.MAX_LINE} bytes")
                    if end:
                        yield block[:end]
        yield b"".join(parts)

    def _batches(
        self, response: httpx.Response, rest: bytes, blocks: Iterator[bytes], after: int
    ) -> Generator[list[Sent], None, None]:
        ended = False
        try:
            block: bytes | None = rest
            while block is not None:
                end = block.rfind(wire.END, -100) if len(block) > 100 else block.find(wire.END)
                if end == 0 or (end > 0 and block[end - 1] == 10):
                    ended = wire.read_end(block[end:], self.where) >= after
                    block = block[:end]
                elif not block.endswith(b"\n"):
                    block = block[: block.rfind(b"\n") + 1]
                if block:
                    from chit_sync import lines

                    records = lines.read_changes(block, self.where)
                    for record in records:
                        if record.seq <= after:
                            raise RemoteError(f"{self.where} sent its changes out of order")
                        after = record.seq
                    yield records
                if ended:
                    return
                block = next(blocks, None)
            raise answers.cut(self.where)
        finally:
            response.close()

    def append(self, offers: Sequence[Offer], expect: Expect | None = None) -> Answer:
        """Offers changes; sent again when the answer is lost, which does no harm."""
        from chit_sync import lines

        body = lines.offer_lines(offers)
        headers = {"Content-Type": wire.NDJSON}
        if not self._near and len(body) > WORTH_COMPRESSING:
            import gzip

            body = gzip.compress(body, 5, mtime=0)
            headers["Content-Encoding"] = "gzip"
        response = self._ask("POST", "log", params=_expectation(expect), headers=headers, content=body)
        answers.expect_type(self.where, response.headers, wire.JSON)
        return wire.read_answer(response.content, len(offers), self.where)

    def has_blob(self, sha256: str) -> BlobState:
        """What is there of the blob."""
        response = self._ask("HEAD", _blob(sha256), absent=True)
        if response.status_code == 404:
            limit = response.headers.get("upload-limit", "").removeprefix("max-size=")
            return BlobState(False, answers.number(response.headers.get("upload-offset")), answers.number(limit))
        return BlobState(True, answers.number(response.headers.get("content-length")))

    def get_blob(self, sha256: str, offset: int = 0) -> Iterator[bytes]:
        """The bytes of a blob from there on."""
        headers = {"Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        response = self._ask("GET", _blob(sha256), headers=headers, stream=True)
        return self._bytes(response, offset if response.status_code != 206 else 0)

    def _bytes(self, response: httpx.Response, skip: int) -> Iterator[bytes]:
        try:
            with self._explained():
                for data in response.iter_raw():
                    if skip < len(data):
                        yield data[skip:]
                    skip = max(0, skip - len(data))
        finally:
            response.close()

    def put_blob(self, sha256: str, source: BinaryIO, size: int, offset: int = 0) -> None:
        """Sends the bytes of a blob from there on; once, since what arrived is kept and the caller can go on from it."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size - offset)}
        if offset:
            headers["Content-Range"] = f"bytes {offset}-{size - 1}/{size}"
        self._ask("PUT", _blob(sha256), headers=headers, content=iter(lambda: source.read(BLOCK), b""), tries=1)

    def join(self, joining: Joining) -> Joined:
        """Uses an invitation up; sent again when the answer is lost, which does no harm."""
        headers = {"Content-Type": wire.JSON}
        response = self._ask("POST", "partner", headers=headers, content=invitation.write_joining(joining))
        answers.expect_type(self.where, response.headers, wire.JSON)
        return invitation.read_joined(response.content, self.where)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        content: bytes | Iterator[bytes] | None = None,
        stream: bool = False,
        absent: bool = False,
        tries: int = TRIES,
    ) -> httpx.Response:
        """One call, repeated while that may help. Raises the error that an answer other than success stands for."""
        request = self._client.build_request(method, path, params=params or None, headers=headers, content=content)
        for attempt in range(1, tries + 1):
            wait = 0.25 * 4 ** (attempt - 1)
            try:
                with self._explained():
                    response = self._client.send(request, stream=True)
                    if response.is_success and stream:
                        return response
                    self._read_small(response)
            except _BrokenError as error:
                if attempt == tries:
                    raise error.told from None
            else:
                if response.is_success or (absent and response.status_code == 404):
                    return response
                wait = max(wait, answers.number(response.headers.get("retry-after")))
                if response.status_code not in answers.PASSING or attempt == tries or wait > LONGEST_WAIT:
                    self._fail(response)
            self._sleep(wait)
        raise AssertionError("unreachable")

    def _read_small(self, response: httpx.Response) -> None:
        """Reads an answer that is no stream; what is too long for one is cut."""
        try:
            data = b""
            for piece in response.iter_bytes():
                data += piece
                if len(data) > wire.MAX_BATCH_BYTES:
                    raise RemoteError(f"{self.where} sent an answer of over {wire.MAX_BATCH_BYTES} bytes")
            response._content = data  # what Response.read does, without a limit
        finally:
            response.close()

    def _fail(self, response: httpx.Response) -> NoReturn:
        answers.fail(self.where, response.status_code, response.reason_phrase, response.headers, response.content)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turns httpx's errors into ours, in words; those that may pass by themselves into _BrokenError."""
        where = self.where
        try:
            yield
        except httpx.ConnectTimeout:
            raise UnreachedError(
                f"{where} does not answer", "Is the address right, and the network up? It is safe to run it again."
            ) from None
        except httpx.ConnectError as error:
            raise UnreachedError(
                f"cannot connect to {where}: {_reason(error)}",
                "Is the server running, and the address right? It is safe to run it again.",
            ) from None
        except httpx.TimeoutException:
            raise RemoteError(
                f"{where} has been silent for over {self._timeout:g} seconds",
                "Run it again, or give it longer with --timeout; what had come is kept.",
            ) from None
        except httpx.NetworkError:
            raise _BrokenError(answers.cut(where)) from None
        except httpx.ProtocolError:
            raise _BrokenError(answers.cut(where)) from None
        except httpx.HTTPError as error:
            raise RemoteError(f"{where}: {error}", "It is safe to run it again.") from None
        except zlib.error:
            raise RemoteError(f"{where} sent a stream that cannot be unpacked", "Run it again.") from None


class _BrokenError(RemoteError):
    """A connection that broke; another try may help."""

    def __init__(self, told: RemoteError) -> None:
        super().__init__(told.message, told.hint)
        self.told = told


def _trust(ca_file: str | None) -> "ssl.SSLContext":
    """The certificates of the system, or those in a file."""
    import ssl

    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"cannot read certificates from {ca_file}: {error}") from None


def _expectation(expect: Expect | None) -> dict[str, str]:
    if expect is None:
        return {}
    params = {"store": expect.store, "seen": str(expect.seq)}
    if expect.id:
        params["id"] = expect.id.hex()
    return params


def _blob(sha256: str) -> str:
    """The path of a blob."""
    if not is_sha256(sha256):
        raise UsageError(f"{sha256[:80]!r} is not a SHA-256")
    return f"blobs/{sha256}"


def _reason(error: httpx.ConnectError) -> str:
    """The system's words, without the numbers around them."""
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "its certificate is not trusted here"
    return text.partition("] ")[2] or text
