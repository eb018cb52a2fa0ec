"""HTTP, for every remote that is spoken to by it. The one module that imports httpx; it is itself imported late.

Here is all that can go wrong between two machines, once: time-outs, retries, throttling, streams that are cut, answers of something
that is no server of that kind, each said in words. It knows no vendor and does not decide what is exchanged.
"""

import threading
import time
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, TypedDict, TypeVar, Unpack

import httpx

from chit_sync.errors import NotFoundError, RemoteError, UsageError
from chit_sync.remotes.base import UnreachedError
from chit_sync.remotes.judging import THROTTLED, doubt, fail, nothing_done
from chit_sync.remotes.near import LOOPBACK
from chit_sync.remotes.received import Answer, Unpacker, clean, cut, http_date, seconds_to_wait

if TYPE_CHECKING:
    import ssl

Result = TypeVar("Result")

CONNECT_SECONDS = 5.0
TRIES = 4
"""How often a call that may be repeated is made before its failure is told."""

LONGEST_WAIT = 30.0
"""Seconds that a server may ask us to wait before it is told instead."""

IDLE_SECONDS = 4.0
"""Seconds that a connection is kept for the next call: less than servers do, so that they do not close it just as a call goes out."""

MAX_ANSWER = 64 << 20
WORKERS = 4
PASSING = frozenset((THROTTLED, 502, 503, 504))
"""Statuses that another try may be spared."""

Pairs = Sequence[tuple[str, str]]
Upload = tuple[str, BinaryIO | bytes, str]
"""The name of a file, its bytes (read from the beginning), its media type."""


class TooMuchError(RemoteError):
    """An answer that is larger than any that is read; a question for less may be answered."""


class Asking(TypedDict, total=False):
    """What goes with a call. params: of the URL. One of json, content (bytes, a file from its beginning, or pieces), or data (a form's
    fields) and files (a form's files: name of the field and Upload), which together are multipart/form-data."""

    params: Pairs | Mapping[str, str] | None
    headers: Mapping[str, str] | None
    json: object
    content: bytes | BinaryIO | Iterator[bytes] | None
    data: Mapping[str, str | Sequence[str]] | None
    files: Sequence[tuple[str, Upload]] | None


class Web:
    """A server that is spoken to by HTTP. Nothing is sent before the first call; many threads may use it at once.

    requests: how many requests were sent.
    """

    def __init__(
        self,
        where: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        basic: tuple[str, str] | None = None,
        timeout: float = 30.0,
        ca_file: str | None = None,
        cookies: bool = False,
        most: int = MAX_ANSWER,
        said: Callable[[Answer], str] = Answer.said,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        """where: its name in messages, for a remote the URL that the user knows it by. basic: login and password.

        cookies: whether it gets back the cookies that it sets; some answer otherwise to whoever sends one. most: bytes of an answer.
        said: what the body of an answer that is no success says to people. now: seconds since 1970 UTC.
        """
        self.where = where
        self.requests = 0
        self._timeout = timeout
        self._most = most
        self._said = said
        self._sleep = sleep
        self._now = now
        self._dated = ("", 0.0)
        self._counting = threading.Lock()
        try:
            self._base = httpx.URL(base_url.rstrip("/") + "/")
        except httpx.InvalidURL:
            self._base = httpx.URL("")
        if self._base.scheme not in ("http", "https") or not self._base.host or self._base.userinfo:
            raise UsageError(f"{clean(where)} is no address of a server", "It looks like https://tickets.example.com.")
        near = self._base.host in LOOPBACK
        sent = {"User-Agent": "chit", "Accept-Encoding": "identity" if near else "gzip", **(headers or {})}
        if basic:
            import base64

            sent["Authorization"] = "Basic " + base64.b64encode(":".join(basic).encode()).decode()
        self._check(sent)
        self._client = httpx.Client(
            base_url=self._base,
            headers=sent,
            cookies=None if cookies else CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
            limits=httpx.Limits(keepalive_expiry=IDLE_SECONDS),
            verify=_trust(ca_file) if self._base.scheme == "https" else False,
            trust_env=not near,
        )

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    @property
    def skew(self) -> float | None:
        """By how many seconds the server's clock was before ours when it last answered; None if it has not told."""
        told, here = self._dated
        there = http_date(told)
        return None if there is None else there - here

    def ask(
        self,
        method: str,
        path: str,
        *,
        repeat: bool = True,
        question: bool | None = None,
        accept: Collection[int] = (),
        **asking: Unpack[Asking],
    ) -> Answer:
        """One call, and its answer if that is one of success or of `accept`. path: below the base; with `%` where it must be.

        repeat: whether it does no more when it is made twice; if not, it is only made again when the server says that it did nothing.
        question: whether it changes nothing; unless told, what GET and HEAD do. Raises what `helpdesks.base` says that adapters raise.
        """
        if question is None:
            question = method in ("GET", "HEAD", "OPTIONS")
        try:
            answer = self.call(method, path, safe=repeat, doubtful=not question, **asking)
        except UnreachedError:
            raise
        except RemoteError as error:
            if not question:
                doubt(error.message)
            raise
        if not answer.ok and answer.status not in accept:
            self._fail(answer)
        return answer

    def many(self, asks: Sequence[Callable[[], Result]], workers: int = WORKERS) -> list[Result]:
        """What these give, in their order; some are made at the same time. After an error no more are begun; the first is raised
        when those under way have ended."""
        workers = min(workers, WORKERS, len(asks))
        if workers < 2:
            return [ask() for ask in asks]
        from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

        with ThreadPoolExecutor(workers) as pool:
            futures = [pool.submit(ask) for ask in asks]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        for future in futures:
            if not future.cancelled() and (error := future.exception()):
                raise error
        return [future.result() for future in futures]

    def stream(self, path: str, **asking: Unpack[Asking]) -> Iterator[bytes]:
        """The bytes of something to download, as they come. It is asked for at once. Raises NotFoundError."""
        asking["headers"] = {"Accept-Encoding": "identity", **(asking.get("headers") or {})}
        live = self.open("GET", path, **asking)
        if isinstance(live, Answer):
            if live.status in (404, 410):
                raise NotFoundError(f"{self.where} has no such file (any more)", self._words(live))
            self._fail(live)
        return _until_closed(live)

    def call(
        self,
        method: str,
        path: str,
        *,
        tries: int = TRIES,
        safe: bool = True,
        doubtful: bool = False,
        **asking: Unpack[Asking],
    ) -> Answer:
        """One call and its answer, whatever that is, repeated while that may help. For whoever judges answers in another way.

        Raises UnreachedError if it did not get there, RemoteError if the answer did not come. safe: it may be repeated.
        """
        got = self._send(method, path, asking, stream=False, tries=tries, safe=safe)
        assert isinstance(got, Answer)
        return got._replace(doubtful=doubtful)

    def open(self, method: str, path: str, **asking: Unpack[Asking]) -> "Live | Answer":
        """As `call`; an answer of success is not read yet, and must be closed."""
        return self._send(method, path, asking, stream=True, tries=TRIES, safe=True)

    def _send(self, method: str, path: str, asking: Asking, *, stream: bool, tries: int, safe: bool) -> "Live | Answer":
        maybe_done = False
        for attempt in range(1, tries + 1):
            wait = 0.25 * 4 ** (attempt - 1)
            try:
                with self._explained():
                    live = self._once(method, path, asking)
                    if stream and live.ok:
                        return live
                    answer = self._read(live)
            except _BrokenError as error:
                if attempt == tries or not safe:
                    raise error.told from None
                maybe_done = True
            except UnreachedError as error:
                if maybe_done:
                    raise RemoteError(error.message, error.hint) from None
                raise
            else:
                asked = seconds_to_wait(answer.headers, self._now())
                wait = max(wait, asked or 0.0)
                again = answer.status in PASSING if safe else nothing_done(answer)
                if not again or attempt == tries or wait > LONGEST_WAIT:
                    return answer
            self._sleep(wait)
        raise AssertionError("unreachable")

    def _once(self, method: str, path: str, asking: Asking) -> "Live":
        """Sends the request; the answer's head has come."""
        self._check(asking.get("headers") or {})
        content = asking.get("content")
        seek = getattr(content, "seek", None)
        if seek is not None:
            seek(0)
        try:
            # httpx types some of these more narrowly than it takes them
            given: dict[str, Any] = {**asking, "params": asking.get("params") or None}
            request = self._client.build_request(method, self._url(path), **given)
        except (ValueError, httpx.InvalidURL) as error:
            raise UsageError(f"this cannot be sent to {self.where}: {clean(str(error))}") from None
        with self._counting:
            self.requests += 1
        response = self._client.send(request, stream=True)
        self._dated = (response.headers.get("date", ""), self._now())
        return Live(self, response)

    def _check(self, headers: Mapping[str, str]) -> None:
        """Raises UsageError for what no header can hold."""
        for name, value in headers.items():
            if not (value.isascii() and value.isprintable()):
                raise UsageError(
                    f"what is to be sent to {self.where} as {clean(name)} has characters that cannot be sent so"
                )

    def _url(self, path: str) -> str:
        """The path, or the URL that the server named, if that is its own: the token goes nowhere else."""
        if not path.lower().startswith(("http:", "https:")):
            return path
        url = httpx.URL(path)
        ours = self._base
        if (url.scheme, url.host, url.port) != (ours.scheme, ours.host, ours.port) or url.userinfo:
            raise RemoteError(
                f"{self.where} names an address on another server: {clean(path)}",
                "It is not asked, since it would get the token. Is the remote's address the one that the server has of itself?",
            )
        return path

    def _read(self, live: "Live") -> Answer:
        """The whole of an answer that is no stream; too long a one is an error."""
        parts: list[bytes] = []
        size = 0
        try:
            for piece in live.pieces():
                parts.append(piece)
                size += len(piece)
                if size > self._most:
                    raise TooMuchError(f"{self.where} sent an answer of over {self._most} bytes")
        finally:
            live.close()
        return Answer(self.where, live.status, live.reason, live.headers, b"".join(parts))

    def _words(self, answer: Answer) -> str:
        try:
            return clean(self._said(answer))
        except RemoteError:
            return answer.said()

    def _fail(self, answer: Answer) -> NoReturn:
        fail(answer, self._words(answer), self._now())

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
        except (httpx.ConnectError, httpx.ProxyError, httpx.PoolTimeout) as error:
            raise UnreachedError(
                f"cannot connect to {where}: {_reason(error)}",
                "Is the server running, and the address right? It is safe to run it again.",
            ) from None
        except httpx.TimeoutException:
            raise RemoteError(
                f"{where} has been silent for over {self._timeout:g} seconds",
                "Run it again, or give it longer with --timeout; what had come is kept.",
            ) from None
        except (httpx.NetworkError, httpx.ProtocolError):
            raise _BrokenError(cut(where)) from None
        except httpx.HTTPError as error:
            raise RemoteError(f"{where}: {clean(str(error))}", "It is safe to run it again.") from None
        except zlib.error:
            raise RemoteError(f"{where} sent a stream that cannot be unpacked", "Run it again.") from None


class Live:
    """An answer whose body has not been read yet."""

    def __init__(self, web: Web, response: httpx.Response) -> None:
        self._web = web
        self._response = response
        self.where = web.where
        self.status = response.status_code
        self.reason = clean(response.reason_phrase, 60)
        self.headers: Mapping[str, str] = response.headers
        self.ok = response.is_success

    def raw(self) -> Iterator[bytes]:
        """The bytes as they were sent."""
        with self._web._explained():
            yield from self._response.iter_raw()

    def pieces(self) -> Iterator[bytes]:
        """The bytes, unpacked if they are packed, in pieces of bounded size."""
        packing = self.headers.get("content-encoding", "").strip().lower()
        if packing in ("", "identity"):
            yield from self.raw()
            return
        if packing not in ("gzip", "x-gzip"):
            raise RemoteError(f"{self.where} packs its answers in a way that it was not asked for: {clean(packing)}")
        unpack = Unpacker()
        came = False
        with self._web._explained():
            for data in self._response.iter_raw():
                came = True
                yield from unpack.pieces(data)
        if came and not unpack.whole:
            raise cut(self.where)

    def close(self) -> None:
        """Gives the connection back, or closes it if there is more to come."""
        self._response.close()


class _BrokenError(RemoteError):
    """A connection that broke; another try may help."""

    def __init__(self, told: RemoteError) -> None:
        super().__init__(told.message, told.hint)
        self.told = told


def _until_closed(live: Live) -> Iterator[bytes]:
    try:
        yield from live.pieces()
    finally:
        live.close()


def _trust(ca_file: str | None) -> "ssl.SSLContext":
    """The certificates of the system, or those in a file."""
    import ssl

    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"cannot read certificates from {ca_file}: {error}") from None


def _reason(error: httpx.TransportError) -> str:
    """The system's words, without the numbers around them."""
    text = clean(str(error))
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "its certificate is not trusted here"
    return text.partition("] ")[2] or text
