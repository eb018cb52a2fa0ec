"""What travels between two stores: the lines of a log, the answer to an append, problems. Pure: bytes in, bytes out.

A log travels as JSON Lines: first the info, then one line a change, last `{"end": n}`, so that a stream that was cut is noticed. A
change travels as its canonical bytes, untouched, inside its line: whoever passes it on does not read it, and its hash stays good.
`docs/protocol.md` says the same to somebody who writes another client; this module knows nothing of HTTP.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from chit_sync.change import CHANGE_BYTES, MAX_CHANGE
from chit_sync.errors import RemoteError

PROTOCOL = 1
"""The version of everything here. A server that speaks a later one is not understood."""

NDJSON = "application/x-ndjson"
JSON = "application/json"
PROBLEM = "application/problem+json"

MAX_BATCH = 5_000
"""Most changes in one append; a sender needs not ask, every server takes as many."""

MAX_BATCH_BYTES = 16 << 20
"""Most bytes in one append, uncompressed."""

MAX_LINE = MAX_CHANGE + 1_000
"""Most bytes in a line."""

TAKEN, HAD, REFUSED = "taken", "had", "refused"


class Limits(msgspec.Struct, frozen=True):
    """What a server takes at once. changes, bytes: in one append. blob: bytes of one attachment, 0 for as many as there are."""

    changes: int = MAX_BATCH
    bytes: int = MAX_BATCH_BYTES
    blob: int = 0


class Info(msgspec.Struct, frozen=True):
    """Who a log is. store: its identity. last: the place of its newest change. time: its clock, microseconds since 1970 UTC."""

    protocol: int
    store: str
    last: int
    time: int
    statuses: dict[str, str]
    name: str | None = None
    limits: Limits = Limits()


class Sent(NamedTuple):
    """A change as a log hands it out. number: what that store calls the ticket. id: 20 bytes. body: the canonical bytes."""

    seq: int
    number: int
    id: bytes
    body: bytes


class Offer(NamedTuple):
    """A change as it is offered to a log. id: 20 bytes, or what was claimed to be them."""

    id: bytes
    body: bytes


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of an offered change. status: taken, had or refused. seq, number: its place and its ticket's number there."""

    status: str
    seq: int = 0
    number: int = 0
    reason: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What became of an append. before, last: the newest change's place before and after; what lies between was just taken."""

    store: str
    before: int
    last: int
    results: list[Result]


class _Line(msgspec.Struct, gc=False):
    change: msgspec.Raw
    id: str
    number: int
    seq: int


class _Offered(msgspec.Struct, gc=False):
    change: msgspec.Raw
    id: str


class _First(msgspec.Struct):
    info: Info


class _Last(msgspec.Struct):
    end: int


class Problem(msgspec.Struct, frozen=True):
    """An error as RFC 9457 spells it. code: a word for programs. hint: what to do now."""

    status: int = 0
    title: str = ""
    detail: str = ""
    code: str = ""
    hint: str = ""


_encode = msgspec.json.Encoder().encode
_lines = msgspec.json.Decoder(_Line).decode_lines
_offered = msgspec.json.Decoder(_Offered)
_first = msgspec.json.Decoder(_First).decode
_last = msgspec.json.Decoder(_Last).decode
_info = msgspec.json.Decoder(Info).decode
_answer = msgspec.json.Decoder(Answer).decode
_problem = msgspec.json.Decoder(Problem).decode

END = b'{"end":'
"""How the last line begins, and no other."""


def info_line(info: Info) -> bytes:
    """The first line of a log."""
    return _encode(_First(info)) + b"\n"


def change_lines(records: Iterable[Sent]) -> bytes:
    """The lines of these changes."""
    return b"".join(
        [
            b'{"change":%b,"id":"%b","number":%d,"seq":%d}\n' % (body, id_.hex().encode(), number, seq)
            for seq, number, id_, body in records
        ]
    )


def end_line(seq: int) -> bytes:
    """The last line: the place to go on from."""
    return b'{"end":%d}\n' % seq


def offer_lines(offers: Iterable[Offer]) -> bytes:
    """The lines of an append."""
    return b"".join([b'{"change":%b,"id":"%b"}\n' % (body, id_.hex().encode()) for id_, body in offers])


def read_info(line: bytes, where: str) -> Info:
    """The info in a log's first line, or alone. Raises RemoteError."""
    try:
        info = _first(line).info if line.startswith(b'{"info":') else _info(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise RemoteError(f"{where} does not answer like a chit server", "Look at the remote's address.") from None
    if info.protocol > PROTOCOL:
        raise RemoteError(
            f"{where} speaks version {info.protocol} of the protocol; this chit knows up to {PROTOCOL}",
            "Install a newer chit.",
        )
    return info


def read_changes(lines: bytes, where: str) -> list[Sent]:
    """The changes in whole lines. Raises RemoteError for what is none."""
    try:
        return [Sent(line.seq, line.number, bytes.fromhex(line.id), bytes(line.change)) for line in _lines(lines)]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise RemoteError(f"{where} sent a line that cannot be read", "Nothing of it was taken; try again.") from None


def read_end(line: bytes, where: str) -> int:
    """The place in a log's last line. Raises RemoteError."""
    try:
        return _last(line).end
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise RemoteError(f"{where} sent a line that cannot be read", "Nothing of it was taken; try again.") from None


def read_offers(lines: bytes) -> list[Offer | str]:
    """What is offered in the lines of an append; for a line that cannot be read, the reason."""
    return [_read_offer(line) for line in lines.split(b"\n") if line]


def _read_offer(line: bytes) -> Offer | str:
    if len(line) > MAX_LINE:
        return f"a line of {len(line)} bytes; at most {MAX_LINE} are allowed"
    try:
        offered = _offered.decode(line)
        ident = bytes.fromhex(offered.id)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return f"not a change: {error}"
    if len(ident) != CHANGE_BYTES:
        return f"the id of a change has {2 * CHANGE_BYTES} hexadecimal digits, not {len(offered.id)}"
    return Offer(ident, bytes(offered.change))


def write_answer(answer: Answer) -> bytes:
    """An append's answer as JSON."""
    return _encode(answer)


def write_info(info: Info) -> bytes:
    """The info as JSON."""
    return _encode(info)


def read_answer(body: bytes, offers: Sequence[object], where: str) -> Answer:
    """The answer to an append of these offers. Raises RemoteError."""
    try:
        answer = _answer(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        answer = None
    if (
        answer is None
        or len(answer.results) != len(offers)
        or any(result.status not in (TAKEN, HAD, REFUSED) for result in answer.results)
    ):
        raise RemoteError(f"{where} gave an answer that does not fit what was sent", "Try again; nothing is lost.")
    return answer


def write_problem(problem: Problem) -> bytes:
    """A problem as JSON."""
    return _encode(problem)


def read_problem(body: bytes) -> Problem:
    """The problem in an error's body; an empty one if there is none."""
    try:
        return _problem(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Problem()
