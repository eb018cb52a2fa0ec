"""Times as people type and read them. Pure: what time it is now and the zone they live in are arguments.

What is typed stands for a span: a date is that whole day in the zone, with its 23 or 25 hours where the clocks change, `14:05` that
whole minute. So `due:today` finds what is due at any time today. The rest of the library knows only microseconds since 1970 UTC.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple

from chit_sync.clock import DAY, HOUR, MAX_STAMP, MINUTE, SECOND
from chit_sync.errors import UsageError

WEEK = 7 * DAY
YEAR = 365 * DAY
UNITS = {"m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WORDS = ("now", "today", "yesterday", "tomorrow", *WEEKDAYS)
HINT = "Times are 2026-11-23, 2026-11-23T14:05, 2026-11, today, yesterday, tomorrow, monday, 30m, 2h, 7d, 2w."

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DURATION = re.compile(r"([0-9]{1,9})([mhdw])")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r"(?: ?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?))?"
)


class Span(NamedTuple):
    """From `start` up to but not including `end`. days: it was given as a date, without a time of day."""

    start: int
    end: int
    days: bool = False


def parse(text: str, now: int, tz: tzinfo, *, ahead: bool = False) -> Span:
    """What the text stands for, as seen at `now` in the time zone `tz`. Raises UsageError.

    ahead: a duration alone means from now on, and a weekday the next one, instead of ago and the last one; today counts for either.
    """
    word = text.strip().lower()
    try:
        span = _read(word, now, tz, ahead=ahead)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text[:40]!r} is not a time: {error}", HINT) from None
    if span is None:
        from difflib import get_close_matches

        close = get_close_matches(word[:40], WORDS, 1)
        raise UsageError(f"{text[:40]!r} is not a time", f"Did you mean {close[0]!r}? {HINT}" if close else HINT)
    if abs(span.start) > MAX_STAMP or abs(span.end) > MAX_STAMP:
        raise UsageError(f"{text[:40]!r} is too far away", "Times from 1700 to 2250 can be kept.")
    return span


def _read(word: str, now: int, tz: tzinfo, *, ahead: bool) -> Span | None:
    duration = _DURATION.fullmatch(word)
    if duration:
        length = int(duration[1]) * UNITS[duration[2]]
        at = now + length if ahead else now - length
        return Span(at, at + 1)
    if word == "now":
        return Span(now, now + 1)
    day = _named_day(word, now, tz, ahead=ahead)
    if day is not None:
        return _days(day, day + timedelta(days=1))
    date = _DATE.fullmatch(word)
    if date:
        day = datetime(int(date[1]), int(date[2]), int(date[3] or 1), tzinfo=tz)
        return _days(day, day + timedelta(days=1) if date[3] else (day + timedelta(days=31)).replace(day=1))
    time = _TIME.fullmatch(word)
    return _time_of_day(time, tz) if time else None


def is_duration(text: str) -> bool:
    """Whether the text is a bare duration: `7d`."""
    return _DURATION.fullmatch(text.strip().lower()) is not None


def deadline(text: str, now: int, tz: tzinfo) -> int:
    """The moment until which something is to be done; of a date, the last second of the day. Raises UsageError."""
    span = parse(text, now, tz, ahead=True)
    return span.end - SECOND if span.days else span.start


def moment(text: str, now: int, tz: tzinfo) -> int:
    """The moment at which something happened; of a date, the beginning of the day. Raises UsageError."""
    return parse(text, now, tz).start


def _named_day(word: str, now: int, tz: tzinfo, *, ahead: bool) -> datetime | None:
    """The first moment of the day that has a name."""
    today = from_stamp(now).astimezone(tz).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if word in ("today", "yesterday", "tomorrow"):
        return today + timedelta(days=("yesterday", "today", "tomorrow").index(word) - 1)
    for number, name in enumerate(WEEKDAYS):
        if word in (name, name[:3]):
            days = (number - today.weekday()) % 7
            return today + timedelta(days=days if ahead or not days else days - 7)
    return None


def _time_of_day(time: re.Match[str], tz: tzinfo) -> Span:
    year, month, day, hour, minute, second, fraction, offset = time.groups()
    at = datetime(
        int(year), int(month), int(day), int(hour), int(minute), int(second or 0),
        tzinfo=_offset(offset) if offset else tz,
    )  # fmt: skip
    start = to_stamp(at)
    if fraction:
        start += int(fraction[:6].ljust(6, "0"))
        return Span(start, start + 1)
    return Span(start, start + (SECOND if second else MINUTE))


def _offset(text: str) -> tzinfo:
    if text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:]) if len(text) > 3 else 0
    if hours > 23 or minutes > 59:
        raise ValueError(f"{text} is no offset from UTC")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


def _days(first: datetime, after: datetime) -> Span:
    return Span(to_stamp(first), to_stamp(after), days=True)


def to_stamp(at: datetime) -> int:
    """A moment with its zone, as the rest of the library knows it."""
    return (at - _EPOCH) // _MICROSECOND


def from_stamp(stamp: int) -> datetime:
    """The moment in UTC."""
    return _EPOCH + timedelta(microseconds=stamp)


def relative(stamp: int, now: int) -> str:
    """How long ago, in a few characters: `now`, `5m`, `3h`, `2d`, `5w`, `2y`; what is to come as `in 3h`."""
    away = abs(now - stamp)
    if away < MINUTE:
        return "now"
    if away < HOUR:
        text = f"{away // MINUTE}m"
    elif away < DAY:
        text = f"{away // HOUR}h"
    elif away < WEEK:
        text = f"{away // DAY}d"
    elif away < YEAR:
        text = f"{away // WEEK}w"
    else:
        text = f"{away // YEAR}y"
    return f"in {text}" if stamp > now else text


def local(stamp: int, tz: tzinfo) -> str:
    """The time in the zone, to the minute: `2026-11-23 14:05`."""
    at = from_stamp(stamp).astimezone(tz)
    return at.replace(tzinfo=None).isoformat(" ", "minutes")
