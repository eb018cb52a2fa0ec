"""What travels between stores, as bytes: it comes back as it was, and nonsense is an error in words."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chit_sync import lines, wire
from chit_sync.errors import RemoteError
from chit_sync.wire import Answer, Info, Limits, Offer, Problem, Result, Sent

INFO = Info(1, "k" * 32, 7, 1_000, {"new": "new", "wartet – Kunde": "pending"}, "Team", Limits(10, 20, 30))
BODY = '{"at":1,"by":"Zoë","nonce":"n","set":{"title":"\\n\u2028"},"ticket":"k"}'.encode()


def test_changes_keep_their_bytes() -> None:
    """The bytes of a change come out of its line exactly as they went in."""
    records = [Sent(3, 2, bytes(range(20)), BODY), Sent(9, 1, bytes(20), b"{}")]
    assert lines.read_changes(lines.change_lines(records), "it") == records


def test_a_line_is_what_the_protocol_says() -> None:
    """The members of a line, in the order that the protocol's page shows."""
    assert lines.change_lines([Sent(3, 2, bytes(20), b'{"a":1}')]) == (
        b'{"change":{"a":1},"id":"' + b"00" * 20 + b'","number":2,"seq":3}\n'
    )
    assert lines.offer_lines([Offer(bytes(20), b'{"a":1}')]) == b'{"change":{"a":1},"id":"' + b"00" * 20 + b'"}\n'
    assert wire.end_line(7) == b'{"end":7}\n'


def test_offers_come_back() -> None:
    """What is offered is read as it was written."""
    offers = [Offer(bytes(range(20)), BODY), Offer(bytes(20), b"{}")]
    assert lines.read_offers(lines.offer_lines(offers)) == offers


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"x", "not a change: JSON is malformed"),
        (b'{"id":"00"}', "missing required field `change`"),
        (b'{"change":{},"id":"00"}', "the id of a change has 40 hexadecimal digits, not 2"),
        (b'{"change":{},"id":"' + b"x" * 40 + b'"}', "not a change: non-hexadecimal number"),
        (b'{"change":{},"id":7}', "Expected `str`, got `int`"),
        (b'{"change":"' + b"x" * wire.MAX_LINE + b'"}', "at most 4195304 are allowed"),
        (b'{"change":' + b"[" * 100_000, "not a change"),
    ],
)
def test_a_bad_offer_is_a_reason(line: bytes, reason: str) -> None:
    """A line that cannot be read is refused by itself; the next one is read."""
    bad, good = lines.read_offers(line + b"\n" + lines.offer_lines([Offer(bytes(20), b"{}")]))
    assert isinstance(bad, str)
    assert reason in bad
    assert good == Offer(bytes(20), b"{}")


@pytest.mark.parametrize(
    "line",
    [
        b"x\n",
        b"{}\n",
        b'{"change":{},"id":"xx","number":1,"seq":1}\n',
        b'{"change":{},"id":"","number":"1","seq":1}\n',
        b'{"change":{},"id":"","number":1,"seq":9223372036854775808}\n',
    ],
)
def test_a_line_that_cannot_be_read_is_an_error(line: bytes) -> None:
    """A log whose lines make no sense is not guessed at."""
    with pytest.raises(RemoteError, match="it sent a line that cannot be read"):
        lines.read_changes(line, "it")


def test_the_info_comes_back() -> None:
    """Alone and as a log's first line."""
    assert wire.read_info(wire.write_info(INFO), "it") == INFO
    assert wire.read_info(wire.info_line(INFO), "it") == INFO


def test_a_later_minor_addition_is_no_trouble() -> None:
    """Members that are not known are passed over; those that may be missing have their usual value."""
    text = json.dumps({"protocol": 1, "store": "k" * 32, "last": 0, "time": 0, "statuses": {}, "more": [1]}).encode()
    assert wire.read_info(text, "it") == Info(1, "k" * 32, 0, 0, {})


def test_a_later_protocol_is_named() -> None:
    """A server of a later version is refused with both versions."""
    with pytest.raises(RemoteError, match="it speaks version 2 of the protocol; this chit knows up to 1"):
        wire.read_info(wire.write_info(INFO._replace(protocol=2)), "it")


@pytest.mark.parametrize(
    "text",
    [b"", b"<html>", b"[]", b"null", b'{"protocol":"1"}', b'{"protocol":1}', b'{"info":[]}', b"\xff", b"[" * 100_000,
     b'{"protocol":1,"store":"","last":0,"time":0,"statuses":{}}',
     b'{"protocol":1,"store":"k","last":0,"time":0,"statuses":{}}',
     b'{"protocol":1,"store":"%b","last":0,"time":0,"statuses":{"a":1}}' % (b"k" * 32),
     b'{"protocol":1,"store":"%b","last":9007199254740992,"time":0,"statuses":{}}' % (b"k" * 32),
     b'{"protocol":1,"store":"%b","last":true,"time":0,"statuses":{}}' % (b"k" * 32)],
)  # fmt: skip
def test_what_is_no_info_is_no_chit_server(text: bytes) -> None:
    """Anything else is not a chit server, in words."""
    with pytest.raises(RemoteError, match="it does not answer like a chit server"):
        wire.read_info(text, "it")


def test_the_end_comes_back() -> None:
    """And nonsense in its place is an error."""
    assert wire.read_end(wire.end_line(7), "it") == 7
    for line in (b'{"end":"7"}', b'{"end":', b'{"end":true}'):
        with pytest.raises(RemoteError, match="it sent a line that cannot be read"):
            wire.read_end(line, "it")


def test_an_answer_comes_back() -> None:
    """All three kinds of results."""
    answer = Answer("k", 3, 5, [Result("taken", 4, 2), Result("had", 0, 2), Result("refused", reason="nö\u2028\ud800")])
    read = wire.read_answer(wire.write_answer(answer), 3, "it")
    assert read.results[:2] == answer.results[:2]
    assert read.results[2].reason.startswith("nö")
    assert read[:3] == answer[:3]


@pytest.mark.parametrize(
    "text",
    [b"", b"{}", b'{"store":"k","before":0,"last":0,"results":[]}', b'{"store":"k","before":0,"last":0,"results":[{}]}',
     b'{"store":"k","before":0,"last":0,"results":[{"status":"lost"}]}',
     b'{"store":"k","before":0,"last":0,"results":[{"status":"taken","seq":"1"}]}',
     b'{"store":"k","before":0,"last":"0","results":[{"status":"taken"}]}'],
)  # fmt: skip
def test_an_answer_that_does_not_fit_is_an_error(text: bytes) -> None:
    """An answer without a result for each change is not believed."""
    with pytest.raises(RemoteError, match="it gave an answer that does not fit what was sent"):
        wire.read_answer(text, 1, "it")


def test_words_from_outside_are_bounded_and_printable() -> None:
    """What a server says is shown to people: not at any length, and without control sequences."""
    problem = wire.read_problem(wire.write_problem(Problem(400, detail="a\x1b[31m\n" + "x" * 5_000)))
    assert problem.detail.startswith("a [31m xx")
    assert len(problem.detail) == wire.MAX_WORDS


def test_a_problem_comes_back() -> None:
    """Its members, and nothing for what makes no sense."""
    problem = Problem(409, "Conflict", "another store", "other-store", "look")
    assert wire.read_problem(wire.write_problem(problem)) == problem
    assert wire.read_problem(b'{"title":5,"detail":"x","status":"y"}') == Problem(detail="x")
    assert wire.read_problem(b"<html>") == Problem()


@given(st.binary(max_size=200))
def test_no_bytes_break_the_readers(data: bytes) -> None:
    """Whatever comes is read or refused; nothing else happens."""
    wire.read_problem(data)
    lines.read_offers(data)
    for read in (wire.read_info, wire.read_end, lines.read_changes):
        try:
            read(data, "it")
        except RemoteError:
            continue
