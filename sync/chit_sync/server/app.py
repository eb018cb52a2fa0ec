"""A store behind HTTP: the local log's calls as a WSGI application, and nothing besides. Who may call what is `policy`'s business.

Each request opens the store for itself: connections to SQLite belong to one thread, and opening one costs less than the request.
"""

import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from chit_sync import invitation, lines, policy, wire
from chit_sync.errors import (
    AccessError,
    ChitError,
    ConflictError,
    NotFoundError,
    OtherStoreError,
    RemoteError,
    StoreError,
    UsageError,
)
from chit_sync.remotes.base import Expect, Log, Reading
from chit_sync.remotes.local import LocalLog
from chit_sync.remotes.partner import partner_log
from chit_sync.store import tokens
from chit_sync.store.expiring import expire
from chit_sync.store.opening import open_store
from chit_sync.wire import Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

GZIP_LEVEL = 3
BUSY_RETRY = 5
"""Seconds after which to come again when the store is busy."""


class _Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, problem: Problem, headers: dict[str, str] | None = None) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.headers = headers or {}


class App:
    """The WSGI application for the store in a folder.

    everyone: the scope of callers without a token; None refuses them. max_blob: most bytes of an attachment, 0 for any number.
    report: told, in several lines, of an error that is ours.
    """

    def __init__(
        self,
        path: str,
        *,
        everyone: str | None = None,
        max_blob: int = 0,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.path = path
        self.report = report
        self.everyone = everyone
        self.max_blob = max_blob
        rule: Callable[..., Rule] = Rule
        self._map = Map(
            [
                rule("/v1/", endpoint=("read", self._info), methods=["GET"]),
                rule("/v1/health", endpoint=("", self._health), methods=["GET"]),
                rule("/v1/log", endpoint=("read", self._read), methods=["GET"]),
                rule("/v1/log", endpoint=("append", self._append), methods=["POST"]),
                rule("/v1/log/own", endpoint=("read", self._own), methods=["GET"]),
                rule("/v1/partner", endpoint=("", self._join), methods=["POST"]),
                rule("/v1/blobs/<sha256>", endpoint=("read", self._get_blob), methods=["GET", "HEAD"]),
                rule("/v1/blobs/<sha256>", endpoint=("append", self._put_blob), methods=["PUT"]),
            ],
            strict_slashes=False,
            redirect_defaults=False,
        )

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answers one request."""
        request = Request(environ)
        response = self.respond(request)
        if response.status_code >= 400 and request.method in ("POST", "PUT"):
            response.headers["Connection"] = "close"  # what is left of the body must not be read as the next request
        return response(environ, start_response)

    def respond(self, request: Request) -> Response:
        """The answer to a request, whatever happens."""
        try:
            (action, view), values = self._map.bind_to_environ(request.environ).match()
            local = self._open()
            log: Log = local
            try:
                if action:
                    log = self._admit(request, local, action)
                response: Response = view(request, log, **values)
            except BaseException:
                log.close()
                raise
            response.call_on_close(log.close)
            return response
        except _Refusal as refusal:
            return _problem(refusal.problem, refusal.headers)
        except HTTPException as error:
            return _problem(
                Problem(error.code or 500, error.name, error.description or "", "http"), dict(error.get_headers())
            )
        except ChitError as error:
            return _problem(*_told(error))
        except Exception:  # noqa: BLE001 - the boundary: one broken request must not look like a broken server
            from traceback import format_exc

            self.report(f"{request.method} {request.path}\n{format_exc()}")
            return _problem(
                Problem(500, "Internal Server Error", "an error of the server; it was reported there", "bug"), {}
            )

    def _open(self) -> LocalLog:
        try:
            store = open_store(self.path)
        except NotFoundError as error:
            raise StoreError(error.message) from None
        expire(store)
        return LocalLog(store, "it", limits=wire.Limits(blob=self.max_blob))

    def _admit(self, request: Request, log: LocalLog, action: str) -> Log:
        """The log as the caller may have it."""
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        rights = ""
        if not secret:
            scope = self.everyone
            if scope is None:
                raise _Refusal(
                    Problem(401, "Unauthorized", "a token is needed", "no-token"),
                    {"WWW-Authenticate": 'Bearer realm="chit"'},
                )
        else:
            token = tokens.of_secret(log.store, secret.strip()) if kind.lower() == "bearer" else None
            if token is None:
                hint = "Ask for a new invitation." if tokens.was_partners(log.store, secret.strip()) else ""
                raise _Refusal(
                    Problem(401, "Unauthorized", "the token is unknown or was revoked", "bad-token", hint),
                    {"WWW-Authenticate": 'Bearer realm="chit", error="invalid_token"'},
                )
            scope, rights = token.scope, token.rights
            if scope == policy.PARTNER:
                return partner_log(log, secret.strip())
        if not policy.may(scope, action):
            raise _Refusal(
                Problem(
                    403, "Forbidden", f"a token of scope {scope} may not write", "scope", "Use a token of scope agent."
                )
            )
        log.rights = [right for right in policy.RIGHTS if policy.holds(scope, rights, right)]
        return log

    def _health(self, request: Request, log: Log) -> Response:
        log.info()
        return Response(b'{"status":"ok"}', content_type=wire.JSON)

    def _info(self, request: Request, log: Log) -> Response:
        return Response(wire.write_info(log.info()), content_type=wire.JSON)

    def _read(self, request: Request, log: Log) -> Response:
        after = _number(request, "after", 0)
        return self._stream(request, log.read(after, _number(request, "limit", None), _expect(request)), after)

    def _own(self, request: Request, log: Log) -> Response:
        return self._stream(request, log.own(), 0)

    def _stream(self, request: Request, reading: Reading, after: int) -> Response:
        data: Iterable[bytes] = _lines(reading, after)
        headers = Headers({"Vary": "Accept-Encoding", "Cache-Control": "no-store"})
        if request.accept_encodings.best_match(["gzip", "identity"], default="identity") == "gzip":
            data = _packed(data)
            headers["Content-Encoding"] = "gzip"
        return Response(data, headers=headers, content_type=wire.NDJSON)

    def _append(self, request: Request, log: Log) -> Response:
        offers = lines.read_offers(_body(request))
        if len(offers) > wire.MAX_BATCH:
            raise _Refusal(_too_large(f"{len(offers)} changes at once; at most {wire.MAX_BATCH} are taken"))
        answer = log.append([offer for offer in offers if not isinstance(offer, str)], _expect(request))
        results = iter(answer.results)
        merged = [
            wire.Result(wire.REFUSED, reason=offer) if isinstance(offer, str) else next(results) for offer in offers
        ]
        answer = wire.Answer(answer.store, answer.before, answer.last, merged)
        return Response(wire.write_answer(answer), content_type=wire.JSON)

    def _join(self, request: Request, log: Log) -> Response:
        joining = invitation.read_joining(_body(request, invitation.MAX_MESSAGE))
        return Response(invitation.write_joined(log.join(joining)), content_type=wire.JSON)

    def _get_blob(self, request: Request, log: Log, sha256: str) -> Response:
        state = log.has_blob(sha256)
        if not state.whole:
            headers = {"Upload-Offset": str(state.size)}
            if self.max_blob:
                headers["Upload-Limit"] = f"max-size={self.max_blob}"
            raise _Refusal(Problem(404, "Not Found", f"the bytes of {sha256} are not here", "not-found"), headers)
        wanted = request.range
        start = wanted.range_for_length(state.size) if wanted else None
        if wanted and start is None:
            raise _Refusal(
                Problem(416, "Range Not Satisfiable", f"it has {state.size} bytes", "range"),
                {"Content-Range": f"bytes */{state.size}"},
            )
        first, stop = start or (0, state.size)
        headers = {"Content-Length": str(stop - first), "Accept-Ranges": "bytes", "ETag": f'"{sha256}"'}
        if start:
            headers["Content-Range"] = f"bytes {first}-{stop - 1}/{state.size}"
        data = () if request.method == "HEAD" else _up_to(log.get_blob(sha256, first), stop - first)
        return Response(
            data,
            206 if start else 200,
            headers,
            content_type="application/octet-stream",
        )

    def _put_blob(self, request: Request, log: Log, sha256: str) -> Response:
        length = request.content_length
        if length is None:
            raise _Refusal(Problem(411, "Length Required", "say how many bytes there are", "length"))
        offset, size = _content_range(request, length)
        if self.max_blob and size > self.max_blob:
            raise _Refusal(_too_large(f"an attachment of {size} bytes; at most {self.max_blob} are taken"))
        if offset > log.has_blob(sha256).size:
            raise _Refusal(Problem(409, "Conflict", f"bytes before {offset} are missing here", "offset"))
        log.put_blob(sha256, cast(BinaryIO, _Input(request)), size, offset)
        return Response(status=204)


class _Input:
    """A request's body, of which a broken connection is the sender's failure and not the disk's."""

    def __init__(self, request: Request) -> None:
        self._stream = request.stream

    def read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except (OSError, HTTPException) as error:
            raise RemoteError(f"the upload broke off: {error}") from None


def _lines(reading: Reading, after: int) -> Iterator[bytes]:
    yield wire.info_line(reading.info)
    for batch in reading.batches:
        yield lines.change_lines(batch)
        after = batch[-1].seq
    yield wire.end_line(after)


def _packed(stream: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 31)
    for data in stream:
        packed = packer.compress(data)
        if packed:
            yield packed
    yield packer.flush()


def _up_to(chunks: Iterable[bytes], count: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[:count]
        count -= len(chunk)
        if count <= 0:
            return


def _body(request: Request, limit: int = wire.MAX_BATCH_BYTES) -> bytes:
    """The body of an append or a joining, unpacked, within the limit."""
    length = request.content_length
    if length is None:
        raise _Refusal(Problem(411, "Length Required", "say how many bytes there are", "length"))
    too_large = _too_large(f"over {limit} bytes at once")
    if length > limit:
        raise _Refusal(too_large)
    data = request.stream.read(length)
    if len(data) < length:
        raise _Refusal(Problem(400, "Bad Request", "the body broke off", "cut"))
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding == "identity":
        return data
    if encoding != "gzip":
        raise _Refusal(Problem(415, "Unsupported Media Type", f"the encoding {encoding} is not known", "encoding"))
    inflate = zlib.decompressobj(31)
    try:
        plain = inflate.decompress(data, limit)
    except zlib.error:
        raise _Refusal(Problem(400, "Bad Request", "the body cannot be unpacked", "encoding")) from None
    if inflate.unconsumed_tail:
        raise _Refusal(too_large)
    if not inflate.eof:
        raise _Refusal(Problem(400, "Bad Request", "the body broke off", "cut"))
    return plain


def _number(request: Request, name: str, default: int | None) -> int:
    text = request.args.get(name)
    if text is None:
        return cast(int, default)
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise UsageError(f"{name} is a whole number, not {text[:40]!r}")
    return int(text)


def _expect(request: Request) -> Expect | None:
    store = request.args.get("store")
    if store is None:
        return None
    try:
        ident = bytes.fromhex(request.args.get("id", ""))
    except ValueError:
        raise UsageError("id is the id of a change, in hexadecimal") from None
    return Expect(store, _number(request, "seen", 0), ident)


def _content_range(request: Request, length: int) -> tuple[int, int]:
    """(offset, size of the whole) of an upload."""
    given = request.headers.get("Content-Range")
    if given is None:
        return 0, length
    from werkzeug.http import parse_content_range_header

    parsed = parse_content_range_header(given)
    if parsed is None or parsed.start is None or parsed.length is None or parsed.stop != parsed.length:
        raise UsageError(f"the Content-Range {given[:80]!r} is not that of a blob's last bytes")
    if parsed.length - parsed.start != length:
        raise UsageError("the Content-Range does not fit the Content-Length")
    return parsed.start, parsed.length


def _too_large(detail: str) -> Problem:
    return Problem(413, "Content Too Large", detail, "too-large")


def _told(error: ChitError) -> tuple[Problem, dict[str, str]]:
    """The answer that an error of the library stands for; what it says of paths on this machine stays here."""
    if isinstance(error, OtherStoreError):
        return Problem(409, "Conflict", error.message, "other-store", error.hint), {}
    if isinstance(error, AccessError):
        return Problem(403, "Forbidden", error.message, "forbidden", error.hint), {}
    if isinstance(error, ConflictError):
        return Problem(409, "Conflict", error.message, "conflict", error.hint), {}
    if isinstance(error, NotFoundError):
        return Problem(404, "Not Found", "it is not here", "not-found"), {}
    if isinstance(error, StoreError):
        if isinstance(error.__cause__, sqlite3.OperationalError):
            return Problem(503, "Service Unavailable", "the store is busy, full or read-only", "busy"), {
                "Retry-After": str(BUSY_RETRY)
            }
        return Problem(500, "Internal Server Error", "the store cannot be used", "store"), {}
    return Problem(400, "Bad Request", error.message, "bad-request", error.hint), {}


def _problem(problem: Problem, headers: dict[str, str]) -> Response:
    response = Response(wire.write_problem(problem), problem.status)
    response.headers.update({name: value for name, value in headers.items() if name.lower() != "content-type"})
    response.headers["Content-Type"] = wire.PROBLEM
    return response
