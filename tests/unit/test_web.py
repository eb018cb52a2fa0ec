"""What goes wrong between two machines: said in words, repeated only where that does no harm, never believed."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from chit_sync.errors import AccessError, NotFoundError, RemoteError, UsageError
from chit_sync.helpdesks.base import DoubtError, RefusedError
from chit_sync.remotes.base import UnreachedError
from chit_sync.remotes.received import Answer
from chit_sync.remotes.web import TRIES, WORKERS, Web
from support.scripted import Reply, Scripted, reply, scripted
from support.server import closed_port

NOON = "Mon, 23 Nov 2026 12:00:00 GMT"
AT_NOON = 1795435200.0


@contextmanager
def desk(*replies: Reply, **options: Any) -> Iterator[tuple[Scripted, Web, list[float]]]:
    """A server that replies so, what speaks to it, and the seconds for which that has waited."""
    waits: list[float] = []
    given = {"sleep": waits.append, "timeout": 5.0, "now": lambda: AT_NOON, **options}
    with scripted(*replies) as server:
        web = Web("rt+http://desk.example.com/rt?queue=A&queue=B", server.address + "/rt", **given)
        try:
            yield server, web, waits
        finally:
            web.close()


def ask(web: Web) -> Answer:
    """A question."""
    return web.ask("GET", "tickets")


def tell(web: Web) -> Answer:
    """A call that must not be made twice."""
    return web.ask("POST", "tickets", json={"title": "Grüße"}, repeat=False)


def put(web: Web) -> Answer:
    """A call that changes something, and may be repeated."""
    return web.ask("PUT", "tickets/1", json=[])


def test_what_is_sent() -> None:
    """Parameters keep their order and may come several times; what is for every request goes with each; bodies are JSON."""
    with desk(reply(body=b'{"id": 7}'), headers={"X-Key": "secret"}) as (server, web, _):
        params = [("f[]", "status"), ("f[]", "due"), ("q", "ä&b")]
        assert web.ask("GET", "/tickets.json", params=params, headers={"If-Match": "1"}).json() == {"id": 7}
        assert tell(web).ok
        first, second = server.requests
        assert first.line == "GET /rt/tickets.json?f%5B%5D=status&f%5B%5D=due&q=%C3%A4%26b"
        assert (first.headers["x-key"], first.headers["if-match"], first.headers["user-agent"]) == (
            "secret",
            "1",
            "chit",
        )
        assert (second.headers["content-type"], second.body) == ("application/json", '{"title":"Grüße"}'.encode())
        assert (web.requests, server.connections) == (2, 1)


def test_a_login_and_password() -> None:
    """They go as Basic authentication, in UTF-8."""
    with desk(reply(), basic=("änna", "p:w")) as (server, web, _):
        ask(web)
        assert server.requests[0].headers["authorization"] == "Basic w6RubmE6cDp3"


def test_files_of_a_form() -> None:
    """A form's file keeps its name, in UTF-8, its type and every byte; its fields go with it."""
    data = bytes(range(256)) * 1000
    with desk(reply(429, Retry_After="1"), reply()) as (server, web, _):
        files = [("upload", ("größe – 日本語.bin", io.BytesIO(data), "application/x-odd"))]
        assert web.ask("POST", "f", data={"note": "ü"}, files=files, repeat=False).ok
        for request in server.requests:
            assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
            assert 'name="upload"; filename="größe – 日本語.bin"'.encode() in request.body
            assert b"Content-Type: application/x-odd\r\n\r\n" + data + b"\r\n--" in request.body
            assert b'name="note"\r\n\r\n' + "ü".encode() in request.body
        assert len(server.requests) == 2


def test_a_form_without_files() -> None:
    """A form's fields alone are sent as browsers do."""
    with desk(reply()) as (server, web, _):
        web.ask("POST", "f", data={"note": "ü&", "a": ["1", "2"]})
        assert server.requests[0].body == b"note=%C3%BC%26&a=1&a=2"


def test_a_file_is_sent_again_from_its_beginning() -> None:
    """A body that is a file is whole on every try."""
    with desk(reply(429), reply(201)) as (server, web, _):
        file = io.BytesIO(b"bytes")
        file.seek(3)
        assert web.ask("POST", "uploads", content=file, repeat=False).status == 201
        assert [request.body for request in server.requests] == [b"bytes", b"bytes"]


@pytest.mark.parametrize("call", [ask, tell, put])
def test_nobody_listens(call: Callable[[Web], Answer]) -> None:
    """Where nothing listens, the call did not get there, and is told at once."""
    web = Web("desk", closed_port(), sleep=lambda _: None)
    with pytest.raises(UnreachedError, match="cannot connect to desk: Connection refused"):
        call(web)
    web.close()


BROKEN = [
    Reply(b"", "close"),
    Reply(b"", "reset"),
    Reply(b"HTTP/1.1 200 O", "close"),
    Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n", "close"),
    Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "close"),
    Reply(b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"a": ', "close"),
    Reply(b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"a": ', "reset"),
    Reply(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n', "close"),
    Reply(b"SSH-2.0-OpenSSH_9.2\r\n", "close"),
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_question_is_asked_again_after_a_cut(broken: Reply) -> None:
    """Wherever the answer to a question breaks off, it is asked again, a few times."""
    with desk(broken, broken, reply(body=b"[1]")) as (server, web, waits):
        assert ask(web).json() == [1]
        assert (len(server.requests), waits) == (3, [0.25, 1.0])
    with desk(broken) as (server, web, _):
        with pytest.raises(RemoteError, match="broke off before the end") as caught:
            ask(web)
        assert not isinstance(caught.value, (DoubtError, UnreachedError))
        assert len(server.requests) == web.requests == TRIES


@pytest.mark.parametrize("broken", BROKEN)
def test_an_unsafe_call_is_in_doubt_after_a_cut(broken: Reply) -> None:
    """Wherever the answer to an unsafe call breaks off, the call is not repeated, and whether it was done is open."""
    with desk(broken, reply()) as (server, web, _):
        with pytest.raises(DoubtError, match="broke off before the end") as caught:
            tell(web)
        assert (caught.value.settled, len(server.requests)) == (False, 1)


def test_a_change_that_stays_cut_is_in_doubt() -> None:
    """A change that may be repeated is repeated; if it never gets an answer, it may have been done."""
    with desk(BROKEN[0]) as (server, web, _):
        with pytest.raises(DoubtError):
            put(web)
        assert len(server.requests) == TRIES


def test_a_server_that_dies_between_two_tries() -> None:
    """A try that broke may have been done: that nothing listens afterwards does not make it one that did not get there."""
    with scripted(Reply(b"", "close")) as server:
        web = Web("desk", server.address, sleep=lambda _: server.close())
        with pytest.raises(DoubtError, match="cannot connect"):
            put(web)
        web.close()


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"])
def test_silence(data: bytes) -> None:
    """A server that stays silent is told, with what to do; an unsafe call is in doubt then."""
    with desk(Reply(data, "wait"), timeout=0.2) as (server, web, _):
        with pytest.raises(RemoteError, match=r"silent for over 0\.2 seconds") as caught:
            ask(web)
        assert "--timeout" in caught.value.hint
        with pytest.raises(DoubtError, match=r"silent for over 0\.2 seconds") as doubt:
            tell(web)
        assert (doubt.value.settled, len(server.requests)) == (False, 2)


@pytest.mark.parametrize("call", [ask, tell, put])
@pytest.mark.parametrize(
    ("asked", "waited"),
    [("3", 3.0), ("18.9", 18.9), ("Mon, 23 Nov 2026 12:00:20 GMT", 20.0), ("soon", 0.25), ("", 0.25), ("-5", 0.25),
     ("Mon, 23 Nov 2026 11:00:00 GMT", 0.25), ("9" * 70, 0.25)],
)  # fmt: skip
def test_throttling_in_the_middle(call: Callable[[Web], Answer], asked: str, waited: float) -> None:
    """A server that throttles has done nothing: it is waited for as long as it asks, and any call is made again."""
    with desk(reply(), reply(429, Retry_After=asked), reply(body=b"[2]")) as (_, web, waits):
        assert call(web).ok
        assert call(web).json() == [2]
        assert waits == [waited]


def test_a_date_to_wait_for_is_by_the_servers_clock() -> None:
    """A date in Retry-After is held against the server's own clock, however wrong that is."""
    late = reply(429, Retry_After="Tue, 24 Nov 2026 00:00:07 GMT", Date="Tue, 24 Nov 2026 00:00:00 GMT")
    with desk(late, reply()) as (_, web, waits):
        assert ask(web).ok
        assert waits == [7.0]


@pytest.mark.parametrize("status", [429, 503])
def test_throttling_for_too_long(status: int) -> None:
    """Nobody is kept waiting for minutes; what was to be changed has not got there."""
    with desk(reply(status, Retry_After="600")) as (server, web, waits):
        with pytest.raises(RemoteError, match="is throttling and asks to wait 600 seconds") as caught:
            ask(web)
        assert not isinstance(caught.value, UnreachedError)
        with pytest.raises(UnreachedError, match="is throttling"):
            tell(web)
        assert (waits, len(server.requests)) == ([], 2)


def test_throttling_without_end() -> None:
    """After a few tries it is told."""
    with desk(reply(429)) as (server, web, waits):
        with pytest.raises(UnreachedError, match=r"is throttling$"):
            tell(web)
        assert (len(server.requests), waits) == (TRIES, [0.25, 1.0, 4.0])


@pytest.mark.parametrize(("status", "settled"), [(500, True), (502, False), (503, True), (504, False), (408, True)])
def test_trouble_after_an_unsafe_call(status: int, settled: bool) -> None:
    """A server in trouble may have done it; only a gateway that gave up leaves it under way. It is not repeated."""
    with desk(reply(status, b"<html><title>Oops</title>")) as (server, web, _):
        with pytest.raises(DoubtError, match=f"answers {status}: Oops") as caught:
            tell(web)
        assert (caught.value.settled, len(server.requests)) == (settled, 1)


def test_trouble_with_a_question() -> None:
    """A server in trouble is asked once; a gateway that may find its server in a moment, a few times."""
    with desk(reply(500, b"Traceback:\n  ...")) as (server, web, _):
        with pytest.raises(RemoteError, match=r"answers 500: Traceback:$") as caught:
            ask(web)
        assert not isinstance(caught.value, DoubtError)
        assert len(server.requests) == 1
    with desk(reply(502), reply(504), reply(503), reply(body=b"1")) as (_, web, waits):
        assert ask(web).json() == 1
        assert waits == [0.25, 1.0, 4.0]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<!DOCTYPE html><html><head><title>Log in &amp; out</title></head>", r"a web page \(Log in & out\)"),
        (b"  <html><body>\x1b[2J", "a web page where"),
        (b'{"tickets": [{"id": 1}, {"i', "JSON that is damaged or breaks off"),
        (b"[" * 100_000, "JSON that is damaged or breaks off"),
        (b"[NaN]", "JSON that is damaged or breaks off"),
        (b"RT/5.0.3 200 Ok\n\nid: 7", "'RT/5.0.3 200 Ok' where JSON was expected"),
        (b"\xff\xfe\x00", "where JSON was expected"),
        (b" \n", "nothing where JSON was expected"),
    ],
)
def test_what_is_no_json(body: bytes, words: str) -> None:
    """An answer of success without JSON in it is an error in words; of an unsafe call, one that leaves it in doubt."""
    with desk(reply(body=body)) as (_, web, _waits):
        with pytest.raises(RemoteError, match=words) as caught:
            ask(web).json()
        assert not isinstance(caught.value, DoubtError)
        assert caught.value.message.isprintable()
        with pytest.raises(DoubtError, match=words) as doubt:
            tell(web).json()
        assert doubt.value.settled


def test_evil_characters_in_json() -> None:
    """Bytes and escapes that are no characters spoil one text, not the page."""
    with desk(reply(body=b'\xef\xbb\xbf{"a": "\\ud800", "b": "x\xff", "c": "\\ud83d\\ude00"}')) as (_, web, _waits):
        assert ask(web).json() == {"a": "?", "b": "x\ufffd", "c": "\U0001f600"}


def test_a_redirect_to_a_login() -> None:
    """A redirect is not followed: it is said where it leads, and what to do; an unsafe call is in doubt then."""
    with desk(reply(302, b"", Location="/login?back=1\x9b31m" + "x" * 999)) as (server, web, _):
        with pytest.raises(RemoteError, match="answers with a redirect to '/login") as caught:
            ask(web)
        assert "chit auth login rt+http://desk.example.com/rt`" in caught.value.hint
        assert len(caught.value.message) < 400
        assert caught.value.message.isprintable()
        with pytest.raises(DoubtError, match="redirect to"):
            tell(web)
        assert web.ask("POST", "form", accept=(302,)).headers["location"].startswith("/login")
        assert len(server.requests) == 3


@pytest.mark.parametrize("call", [ask, tell, put])
def test_a_token_that_is_not_known(call: Callable[[Web], Answer]) -> None:
    """A wrong token is asked with once, and it is said how to log in."""
    with desk(reply(401, b"Invalid Login\nmore")) as (server, web, _):
        with pytest.raises(AccessError, match=r"does not know the token or password: Invalid Login$") as caught:
            call(web)
        assert caught.value.hint == "Log in again with `chit auth login rt+http://desk.example.com/rt`."
        assert len(server.requests) == 1


def test_what_is_not_allowed() -> None:
    """403 is about the account when it answers a question, and about the call when it answers a change."""
    with desk(reply(403, b"")) as (_, web, _waits):
        with pytest.raises(AccessError, match="does not allow it: Said"):
            ask(web)
        for call in (tell, put):
            with pytest.raises(RefusedError, match="refuses it: Said"):
                call(web)
        with pytest.raises(AccessError):
            web.ask("POST", "search", question=True)


@pytest.mark.parametrize("status", [400, 404, 409, 412, 422])
def test_refusals(status: int) -> None:
    """What else a server refuses is an error in its own words, unless the caller reckons with it."""
    said = b"\r\n \x1b]0;evil\x07Queue\tNope \xe2\x80\xae" + b"x" * 70_000
    with desk(reply(status, said)) as (server, web, _):
        with pytest.raises(RemoteError, match=f"answers {status}: .*Queue Nope x+…$") as caught:
            ask(web)
        assert caught.value.message.isprintable()
        assert len(caught.value.message) < 300
        with pytest.raises(RefusedError, match=r"refuses it: .*Queue Nope x+…$"):
            tell(web)
        assert web.ask("GET", "t", accept=(status,)).status == status
        assert len(server.requests) == 3


def test_a_vendors_own_words() -> None:
    """A caller may say where the words of a refusal stand; what it does not find is taken as it is."""

    def said(answer: Answer) -> str:
        found = answer.json()
        return str(found.get("error")) if isinstance(found, dict) else ""

    with desk(reply(422, b'{"error": "no\\u0007 such queue"}'), reply(422, b"Oops"), said=said) as (_, web, _waits):
        with pytest.raises(RefusedError, match="refuses it: no such queue"):
            tell(web)
        with pytest.raises(RefusedError, match="refuses it: Oops"):
            tell(web)


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_is_too_long(packed: bool) -> None:
    """No answer fills the memory, not even one that is small on the way; nor is it asked for again."""
    body = bytes(4 << 20)
    bomb = reply(body=gzip.compress(body), Content_Encoding="gzip") if packed else reply(body=body)
    with desk(bomb, most=1 << 20) as (server, web, _):
        with pytest.raises(RemoteError, match="sent an answer of over 1048576 bytes"):
            ask(web)
        assert len(server.requests) == 1


def test_packed_answers() -> None:
    """gzip is unpacked; anything else, packed twice too, and what is damaged or cut, is an error in words."""
    packed = gzip.compress(b"[1, 2]")
    with desk(reply(body=packed, Content_Encoding="gzip")) as (_, web, _waits):
        assert ask(web).json() == [1, 2]
    for encoding in ("br", "gzip, gzip", "deflate"):
        odd = reply(body=zlib.compress(b"[]"), Content_Encoding=encoding)
        with desk(odd) as (_, web, _waits), pytest.raises(RemoteError, match="packs its answers in a way"):
            ask(web)
    for body, words in ((b"not gzip", "cannot be unpacked"), (packed[:-9], "broke off before the end")):
        with (
            desk(reply(body=body, Content_Encoding="gzip")) as (_, web, _waits),
            pytest.raises(RemoteError, match=words),
        ):
            ask(web)


def test_a_length_that_is_wrong() -> None:
    """An answer shorter than it says is cut; what comes after the end of one that is longer is not taken for the next one."""
    short = Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[1]", "close")
    with desk(short, reply(body=b"[2]")) as (_, web, _waits):
        assert ask(web).json() == [2]
    long = Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[1], and more")
    with desk(long, reply(body=b"[2]")) as (server, web, _):
        assert ask(web).json() == [1]
        assert ask(web).json() == [2]
        assert server.connections == 2
    for length in ("-1", "two", "1, 2"):
        bad = Reply(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n[]".encode(), "close")
        with desk(bad) as (_, web, _waits), pytest.raises(RemoteError):
            ask(web)


def test_a_stream() -> None:
    """A download comes as it was stored, piece by piece; one that breaks off is an error after what had come."""
    data = bytes(range(256)) * 4000
    cut = Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "close")
    with desk(reply(body=data), cut) as (server, web, _):
        assert b"".join(web.stream("file/1", params={"v": "2"})) == data
        assert server.requests[0].line == "GET /rt/file/1?v=2"
        assert server.requests[0].headers["accept-encoding"] == "identity"
        pieces = web.stream("file/1")
        assert next(pieces) == b"abc"
        with pytest.raises(RemoteError, match="broke off before the end"):
            next(pieces)


def test_a_stream_that_is_not_there() -> None:
    """A missing file is that; a login page instead of it is another error."""
    with desk(reply(404), reply(302, Location="/login"), reply(401)) as (_, web, _waits):
        for error in (NotFoundError, RemoteError, AccessError):
            with pytest.raises(error):
                web.stream("file/1")


def test_another_server_gets_nothing() -> None:
    """An address that a server names is asked for only where that is the server's own; no other one sees the token."""
    with desk(reply(), headers={"Authorization": "token x"}) as (server, web, _), scripted(reply()) as other:
        assert b"".join(web.stream(server.address + "/rt/file/1")) == b"{}"
        for address in (
            other.address + "/file",
            server.address.replace("127.0.0.1", "localhost") + "/rt",
            "https://x/",
        ):
            with pytest.raises(RemoteError, match="names an address on another server"):
                web.stream(address)
        assert web.ask("GET", f"//{other.address[7:]}/x").ok
        assert (len(server.requests), other.requests) == (2, [])


def test_cookies() -> None:
    """A cookie is not sent back, unless that was asked for: some servers take whoever has one for a browser."""
    for wanted in (False, True):
        with desk(reply(Set_Cookie="SID=1; path=/"), cookies=wanted) as (server, web, _):
            ask(web)
            ask(web)
            assert ["cookie" in request.headers for request in server.requests] == [False, wanted]


def test_many() -> None:
    """Many calls are made at once, on a few connections, which are used again; their results are in order."""
    with desk(reply()) as (server, web, _):
        calls = [partial(web.ask, "GET", f"t/{number}", headers={"X-N": str(number)}) for number in range(60)]
        assert [answer.ok for answer in web.many(calls, workers=99)] == [True] * 60
        assert server.connections <= WORKERS
        assert web.requests == 60
        assert web.many([partial(int, "7"), partial(int, "3")]) == [7, 3]
        assert web.many(calls[:0]) == []


def test_many_with_an_error() -> None:
    """The first error is raised when the others under way have ended; what was not begun is not."""
    with desk(reply(404)) as (server, web, _):
        calls = [partial(web.ask, "GET", f"t/{number}") for number in range(500)]
        with pytest.raises(RemoteError, match="answers 404"):
            web.many(calls)
        assert len(server.requests) == web.requests < 500


def test_a_clock_that_is_wrong() -> None:
    """By how much the server's clock is before ours can be asked for, once it has told."""
    with desk(reply(), reply(Date="nonsense"), reply(Date="Mon, 23 Nov 2026 15:00:00 GMT")) as (_, web, _waits):
        skews = [web.skew]
        for _each in range(3):
            ask(web)
            skews.append(web.skew)
        assert skews == [None, None, None, 3 * 3600.0]


@pytest.mark.parametrize("url", ["ftp://x/", "http://", "desk.example.com", "https://anna:pw@x/", "http://[::1/", ""])
def test_an_address_that_is_none(url: str) -> None:
    """An address that cannot be asked is refused before anything is sent."""
    with pytest.raises(UsageError, match="desk is no address of a server"):
        Web("desk", url)


@pytest.mark.parametrize("token", ["a\nb", "tök", "a\x00"])
def test_a_token_that_cannot_be_sent(token: str) -> None:
    """A token with a line end or a letter that no header can have is refused in words, and not repeated."""
    with pytest.raises(UsageError, match="characters that cannot be sent so") as caught:
        Web("desk", "http://127.0.0.1:1", headers={"Authorization": token})
    assert token not in caught.value.message


def test_a_text_that_cannot_be_sent() -> None:
    """Text that is none is refused before the call is made."""
    with desk(reply()) as (server, web, _):
        with pytest.raises(UsageError, match="this cannot be sent"):
            web.ask("POST", "t", json={"title": "\ud800"}, repeat=False)
        with pytest.raises(UsageError, match="characters that cannot be sent so"):
            web.ask("PUT", "t", headers={"If-Match": "a\r\nX: 1"})
        assert server.requests == []
