"""What travels between two stores around the changes: who a log is, where it ends, the answer to an append, problems. Pure.

A log travels as JSON Lines: first the info, then one line a change (`lines`), last `{"end": n}`, so that a stream that was cut is
noticed. `docs/protocol.md` says the same to somebody who writes another client; this module knows nothing of HTTP. It is light to
import: an exchange that finds nothing new needs no more than this.
"""

import json
from typing import Any, NamedTuple

from chit_sync.errors import RemoteError
from chit_sync.ids import ID_BYTES, is_letters

PROTOCOL = 1
"""The version of everything here. A server that speaks a later one is not understood."""

NDJSON = "application/x-ndjson"
JSON = "application/json"
PROBLEM = "application/problem+json"

MAX_BATCH = 5_000
"""Most changes in one append; a sender needs not ask, every server takes as many."""

MAX_BATCH_BYTES = 16 << 20
"""Most bytes in one append, uncompressed."""

MAX_LINE = (4 << 20) + 1_000
"""Most bytes in a line: those of the largest change, and what stands around it."""

MAX_NUMBER = 2**53 - 1
"""The greatest number that travels: exact in every JSON reader."""

MAX_WORDS = 1_000
"""Most characters of words that a person is shown."""

TAKEN, HAD, REFUSED = "taken", "had", "refused"


class Limits(NamedTuple):
    """What a server takes at once. changes, bytes: in one append. blob: bytes of one attachment, 0 for as many as there are."""

    changes: int = MAX_BATCH
    bytes: int = MAX_BATCH_BYTES
    blob: int = 0


class Info(NamedTuple):
    """Who a log is. store: its identity. last: the place of its newest change. time: its clock, microseconds since 1970 UTC.
    statuses: status name to category, in their order."""

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
    """A change as it is offered to a log. id: 20 bytes. body: what are said to be its canonical bytes."""

    id: bytes
    body: bytes


class Result(NamedTuple):
    """What became of an offered change. status: taken, had or refused. seq, number: its place and its ticket's number there."""

    status: str
    seq: int = 0
    number: int = 0
    reason: str = ""


class Answer(NamedTuple):
    """What became of an append. before, last: the newest place before and after; what lies between was just taken."""

    store: str
    before: int
    last: int
    results: list[Result]


class Problem(NamedTuple):
    """An error as RFC 9457 spells it. code: a word for programs. hint: what to do now."""

    status: int = 0
    title: str = ""
    detail: str = ""
    code: str = ""
    hint: str = ""


END = b'{"end":'
"""How the last line begins, and no other."""


def _write(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def _read(text: bytes) -> dict[str, Any]:
    """A JSON object; an empty one for what is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _whole(*values: Any) -> bool:
    """Whether they are whole numbers that every part of chit can hold."""
    return all(type(value) is int and 0 <= value <= MAX_NUMBER for value in values)


def _said(value: object) -> str:
    """Words from outside: of bearable length, and nothing in them but what can be printed."""
    if not isinstance(value, str):
        return ""
    return "".join(char if char.isprintable() else " " for char in value[:MAX_WORDS])


def write_info(info: Info) -> bytes:
    """The info as JSON."""
    return _write({**info._asdict(), "limits": info.limits._asdict()})


def info_line(info: Info) -> bytes:
    """The first line of a log."""
    return b'{"info":%b}\n' % write_info(info)


def end_line(seq: int) -> bytes:
    """The last line: the place to go on from."""
    return b'{"end":%d}\n' % seq


def read_info(text: bytes, where: str) -> Info:
    """The info, alone or in a log's first line. Raises RemoteError."""
    value = _read(text)
    value = value.get("info", value)
    if not isinstance(value, dict) or type(value.get("protocol")) is not int:
        raise _no_server(where)
    if value["protocol"] > PROTOCOL:
        raise RemoteError(
            f"{where} speaks version {value['protocol']} of the protocol; this chit knows up to {PROTOCOL}",
            "Install a newer chit.",
        )
    statuses, name = value.get("statuses"), value.get("name")
    if (
        not _whole(value.get("last"), value.get("time"))
        or not isinstance(value.get("store"), str)
        or not is_letters(value["store"], 2 * ID_BYTES)
        or not isinstance(statuses, dict)
        or not all(isinstance(category, str) for category in statuses.values())
    ):
        raise _no_server(where)
    given = value.get("limits")
    limits = given if isinstance(given, dict) else {}
    return Info(
        value["protocol"],
        value["store"],
        value["last"],
        value["time"],
        statuses,
        _said(name) or None,
        Limits(**{key: limits[key] for key in Limits._fields if _whole(limits.get(key))}),
    )


def _no_server(where: str) -> RemoteError:
    return RemoteError(f"{where} does not answer like a chit server", "Look at the remote's address.")


def read_end(line: bytes, where: str) -> int:
    """The place in a log's last line. Raises RemoteError."""
    end: Any = _read(line).get("end")
    if not _whole(end):
        raise RemoteError(f"{where} sent a line that cannot be read", "Nothing of it was taken; try again.")
    return int(end)


def write_answer(answer: Answer) -> bytes:
    """An append's answer as JSON; what is empty in a result is left out."""
    results = [
        {name: field for name, field in zip(Result._fields, result, strict=True) if field} for result in answer.results
    ]
    return _write({**answer._asdict(), "results": results})


def read_answer(text: bytes, count: int, where: str) -> Answer:
    """The answer to an append of so many changes. Raises RemoteError."""
    value = _read(text)
    results = value.get("results")
    if not _whole(value.get("before"), value.get("last")) or not isinstance(results, list) or len(results) != count:
        raise _no_answer(where)
    return Answer(
        _said(value.get("store")), value["before"], value["last"], [_read_result(result, where) for result in results]
    )


def _read_result(value: object, where: str) -> Result:
    if isinstance(value, dict) and value.get("status") in (TAKEN, HAD, REFUSED):
        result = Result(value["status"], value.get("seq", 0), value.get("number", 0), _said(value.get("reason")))
        if _whole(result.seq, result.number):
            return result
    raise _no_answer(where)


def _no_answer(where: str) -> RemoteError:
    return RemoteError(f"{where} gave an answer that does not fit what was sent", "Try again; nothing is lost.")


def write_problem(problem: Problem) -> bytes:
    """A problem as JSON; what is empty is left out."""
    return _write({name: field for name, field in problem._asdict().items() if field})


def read_problem(text: bytes) -> Problem:
    """The problem in an error's body; what is missing or nonsense in it is empty."""
    value = _read(text)
    texts = {name: _said(value.get(name)) for name in ("title", "detail", "code", "hint")}
    status: Any = value.get("status")
    return Problem(int(status) if _whole(status) else 0, **texts)
