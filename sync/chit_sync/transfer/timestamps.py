"""Times as foreign files spell them, to microseconds since 1970 UTC. Not for what people type: that is `times`' business."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from chit_sync.clock import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from chit_sync.errors import UsageError
from chit_sync.times import from_stamp, to_stamp
from chit_sync.transfer.report import Unfit

UNITS = {"epoch": 1_000_000, "epoch-ms": 1_000, "epoch-us": 1}
"""Formats that count since 1970, to microseconds in one of them."""

PARTS = {"Y": r"(?P<Y>\d{4})", "m": r"(?P<m>\d{1,2})", "d": r"(?P<d>\d{1,2})", "H": r"(?P<H>\d{1,2})"} | {
    "M": r"(?P<M>\d{1,2})",
    "S": r"(?P<S>\d{1,2})",
    "%": "%",
}
"""Directives that are numbers: such a format is read by one expression, which is five times as fast as strptime."""

MINUTES = {f"{hour:02}:{minute:02}": hour * HOUR + minute * MINUTE for hour in range(24) for minute in range(60)}
"""The minutes of a day that is 24 hours long."""

_CLOCK = re.compile("%H:%M$")

REMEMBERED = 100_000
"""Most spellings whose meaning is kept; event logs repeat theirs."""


class Times:
    """Reads times of one format; those without an offset of their own are in `zone` (an IANA name).

    Where a zone's clocks were set back, the first of the two moments is meant.
    """

    def __init__(self, pattern: str, zone: str) -> None:
        """Raises UsageError for an unknown zone or format."""
        self._zone = _zone(zone)
        self._known: dict[str, int] = {}
        self._days: dict[str, int] = {}
        self._clock = _CLOCK.search(pattern) is not None and set(re.findall("%(.)", pattern)) <= PARTS.keys()
        self._read = self._reader(pattern)
        self.pattern = pattern

    def __call__(self, text: str) -> int:
        """Raises Unfit for what is no such time."""
        if self._clock:
            begin = self._days.get(text[:-5])
            minute = MINUTES.get(text[-5:])
            return self._in_day(text) if begin is None or minute is None else begin + minute
        found = self._known.get(text)
        if found is None:
            found = self._moment(text)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[text] = found
        return found

    def _moment(self, text: str) -> int:
        try:
            return self._read(text.strip())
        except (ValueError, OverflowError, ArithmeticError):
            raise Unfit(f"{text[:40]!r} is not a time of the form {self.pattern}") from None

    def _in_day(self, text: str) -> int:
        """Where a time ends in hours and minutes, its day is read once, unless the zone's clocks are changed on that day."""
        day, clock = text[:-5], text[-5:]
        begin = self._days.get(day)
        if begin is None:
            try:
                begin = self._moment(day + "00:00")
                if self._moment(day + "23:59") - begin != DAY - MINUTE:
                    return self._moment(text)
            except Unfit:
                return self._moment(text)
            if len(self._days) >= REMEMBERED:
                self._days.clear()
            self._days[day] = begin
        minute = MINUTES.get(clock)
        return self._moment(text) if minute is None else begin + minute

    def _reader(self, pattern: str) -> Callable[[str], int]:
        if pattern == "iso":
            return lambda text: self._stamp(datetime.fromisoformat(text))
        if pattern in UNITS:
            from decimal import Decimal

            return lambda text: int(Decimal(text) * UNITS[pattern])
        if "%" not in pattern:
            raise UsageError(
                f"the map's time format {pattern!r} is not known",
                f"It is iso, {', '.join(UNITS)}, or a pattern such as %d-%m-%Y %H:%M.",
            )
        pieces = re.split(r"%(.)", pattern)
        if not all(letter in PARTS for letter in pieces[1::2]) or len(set(pieces[1::2])) < len(pieces[1::2]):
            return lambda text: self._stamp(datetime.strptime(text, pattern))
        match = re.compile(
            "".join(PARTS[piece] if place % 2 else re.escape(piece) for place, piece in enumerate(pieces)), re.ASCII
        ).fullmatch

        def read(text: str) -> int:
            found = match(text)
            if found is None:
                raise ValueError(text)
            number = {name: int(digits) for name, digits in found.groupdict().items()}
            return self._stamp(
                datetime(
                    number.get("Y", 1970), number.get("m", 1), number.get("d", 1),
                    number.get("H", 0), number.get("M", 0), number.get("S", 0),
                )
            )  # fmt: skip

        return read

    def _stamp(self, moment: datetime) -> int:
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._zone)
        return to_stamp(moment)


def iso(stamp: int) -> str:
    """The same as `ticket.iso`, for many."""
    day, rest = divmod(stamp, DAY)
    second, rest = divmod(rest, SECOND)
    minute, second = divmod(second, 60)
    return f"{_date(day)}T{minute // 60:02}:{minute % 60:02}:{second:02}.{rest // MILLISECOND:03}Z"


@lru_cache(10_000)
def _date(day: int) -> str:
    return from_stamp(day * DAY).strftime("%Y-%m-%d")


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise UsageError(
            f"there is no time zone {name!r}", "Name it as the IANA database does, for example Europe/Berlin."
        ) from None
