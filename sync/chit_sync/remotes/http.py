"""The log of a store behind `chit serve`, over HTTP. It does not decide what is exchanged.

What can go wrong between two machines is the business of `web`, what the answers of a chit server mean that of `answers`.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import BinaryIO, NoReturn, Unpack
from urllib.parse import urlsplit

from chit_sync import invitation, wire
from chit_sync.errors import RemoteError, UsageError
from chit_sync.invitation import Joined, Joining
from chit_sync.remotes import answers
from chit_sync.remotes.base import BlobState, Expect, Reading
from chit_sync.remotes.near import LOOPBACK
from chit_sync.remotes.received import Answer as Received
from chit_sync.remotes.received import cut
from chit_sync.remotes.web import TRIES, Asking, Live, Web
from chit_sync.store.blobs import is_sha256
from chit_sync.wire import Answer, Info, Offer, Sent

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
        headers = {"Accept": ACCEPT_PROBLEM, "Accept-Encoding": "identity" if self._near else "gzip"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._web = Web(
            url,
            url.rstrip("/") + "/v1/",
            headers=headers,
            timeout=timeout,
            ca_file=ca_file,
            cookies=True,
            most=wire.MAX_BATCH_BYTES,
            sleep=sleep,
        )

    def close(self) -> None:
        """Closes the connection."""
        self._web.close()

    def info(self) -> Info:
        """Who the server's store is."""
        response = self._ask("GET", "")
        answers.expect_type(self.where, response.headers, wire.JSON)
        return wire.read_info(response.body, self.where)

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
        response = self._open(path, params=params)
        try:
            answers.expect_type(self.where, response.headers, wire.NDJSON)
            blocks = self._blocks(response)
            first, _, rest = next(blocks, b"").partition(b"\n")
            info = wire.read_info(first, self.where)
        except BaseException:
            response.close()
            raise
        return Reading(info, self._batches(response, rest, blocks, after))

    def _blocks(self, response: Live) -> Iterator[bytes]:
        """Whole lines, as many as have come and fit into a block or two."""
        parts: list[bytes] = []
        size = 0
        for piece in response.pieces():
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
        self, response: Live, rest: bytes, blocks: Iterator[bytes], after: int
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
            raise cut(self.where)
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
        return wire.read_answer(response.body, len(offers), self.where)

    def has_blob(self, sha256: str) -> BlobState:
        """What is there of the blob."""
        response = self._ask("HEAD", _blob(sha256), absent=True)
        if response.status == 404:
            limit = response.headers.get("upload-limit", "").removeprefix("max-size=")
            return BlobState(False, answers.number(response.headers.get("upload-offset")), answers.number(limit))
        return BlobState(True, answers.number(response.headers.get("content-length")))

    def get_blob(self, sha256: str, offset: int = 0) -> Iterator[bytes]:
        """The bytes of a blob from there on."""
        headers = {"Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        response = self._open(_blob(sha256), headers=headers)
        return self._bytes(response, offset if response.status != 206 else 0)

    def _bytes(self, response: Live, skip: int) -> Iterator[bytes]:
        try:
            for data in response.raw():
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
        return invitation.read_joined(response.body, self.where)

    def _ask(
        self, method: str, path: str, *, absent: bool = False, tries: int = TRIES, **asking: Unpack[Asking]
    ) -> Received:
        """One call, repeated while that may help, as every call of the protocol may be. Raises the error that an answer other than
        success stands for. absent: 404 is an answer."""
        answer = self._web.call(method, path, tries=tries, **asking)
        if not (answer.ok or (absent and answer.status == 404)):
            self._fail(answer)
        return answer

    def _open(self, path: str, **asking: Unpack[Asking]) -> Live:
        """As `_ask`, for an answer that is read as it comes."""
        answer = self._web.open("GET", path, **asking)
        if isinstance(answer, Received):
            self._fail(answer)
        return answer

    def _fail(self, answer: Received) -> NoReturn:
        answers.fail(self.where, answer.status, answer.reason, answer.headers, answer.body)


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
