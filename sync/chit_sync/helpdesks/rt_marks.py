"""The subjects that messages of ours have in Request Tracker: by them they are found and known again. Pure.

A note has the id of the comment and nothing else. Requesters see the subject of a reply, so that looks like one of a mail, with the id
at its end; their mail programs send it back with theirs, so of several messages of a ticket only the first with an id is the one.
"""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from chit_sync.clock import SECOND
from chit_sync.ids import ITEM_BYTES, is_letters
from chit_sync.times import from_stamp, to_stamp

_FORM = re.compile(r"(?:(?P<bare>[k-z]{16})|(?P<how>Re:|File|Time)(?P<more> .*)? \[(?P<id>[k-z]{16})\])", re.DOTALL)
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8})(?:\.([0-9]{6}))?Z")

COMMENT, FILE, TIME = "comment", "file", "time"
_KINDS = {"Re:": COMMENT, "File": FILE, "Time": TIME}
_MOST_TITLE = 120


class Mark(NamedTuple):
    """What a subject says. kind: comment, file, time. date: when the work was done, -1 if it does not say."""

    kind: str
    token: str
    date: int = -1


def comment(token: str, title: str, *, public: bool) -> str:
    """The subject of a comment's message."""
    if not public:
        return token
    title = " ".join(title.split())[:_MOST_TITLE].strip()
    return f"Re: {title} [{token}]" if title else f"Re: [{token}]"


def file(token: str) -> str:
    """The subject of the message that a file comes with."""
    return f"File [{token}]"


def time(token: str, date: int) -> str:
    """The subject of a message that books time."""
    return f"Time {iso(date)} [{token}]"


def read(subject: str) -> Mark | None:
    """What a subject of ours says; None of others."""
    found = _FORM.fullmatch(subject.strip())
    if found is None:
        return None
    if found["bare"]:
        return Mark(COMMENT, found["bare"])
    kind = _KINDS[found["how"]]
    more = (found["more"] or "").strip()
    if kind == COMMENT:
        return Mark(COMMENT, found["id"])
    if kind == FILE:
        return None if more else Mark(FILE, found["id"])
    date = _DATE.fullmatch(more)
    stamp = stamp_of(date[1]) if date else None
    return Mark(TIME, found["id"], stamp + int(date[2] or 0)) if date and stamp is not None else None


def is_token(text: str) -> bool:
    """Whether it is an item's id of ours."""
    return is_letters(text, 2 * ITEM_BYTES)


def iso(stamp: int) -> str:
    """A time in UTC: 2026-11-23T14:05:00Z, with a fraction if it has one."""
    return from_stamp(stamp).replace(tzinfo=None).isoformat() + "Z"


def stamp_of(text: str) -> int | None:
    """A time that the server tells, always in UTC: `2026-11-23T14:05:00Z` or with a blank and without a zone. None if it is not set."""
    try:
        at = datetime.fromisoformat(text.rstrip("Z")).replace(tzinfo=UTC)
    except ValueError:
        return None
    stamp = to_stamp(at)
    return stamp if stamp > 0 else None


def sql_time(stamp: int) -> str:
    """A time as the server takes it, to the second."""
    return iso(stamp - stamp % SECOND).replace("T", " ").rstrip("Z")
