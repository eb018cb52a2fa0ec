"""Times as people type and read them: spans, zones, the change of clocks, and what is refused."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chit_sync import times
from chit_sync.clock import DAY, HOUR, MAX_STAMP, MINUTE, SECOND
from chit_sync.errors import UsageError


def stamp(text: str) -> int:
    """Microseconds of an ISO time with offset, worked out by other means than the module's own."""
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


NOW = stamp("2026-11-25T12:34:56+00:00")
"""A Wednesday."""

EAST = timezone(timedelta(hours=2))


class Vienna(tzinfo):
    """A zone whose clocks change as in central Europe in 2026: summer time from 29 March to 25 October, 01:00 UTC."""

    def utcoffset(self, at: datetime | None) -> timedelta:
        """One hour, in summer two."""
        return timedelta(hours=1) + self.dst(at)

    def dst(self, at: datetime | None) -> timedelta:
        """The hour in summer."""
        assert at is not None
        summer = datetime(2026, 3, 29, 2) <= at.replace(tzinfo=None, fold=0) < datetime(2026, 10, 25, 3)
        return timedelta(hours=1) if summer else timedelta()

    def tzname(self, at: datetime | None) -> str:
        """A name, as datetime wants one."""
        return "Vienna"


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-11-23", "2026-11-23T00:00+02:00", "2026-11-24T00:00+02:00"),
        ("today", "2026-11-25T00:00+02:00", "2026-11-26T00:00+02:00"),
        ("Yesterday", "2026-11-24T00:00+02:00", "2026-11-25T00:00+02:00"),
        ("tomorrow", "2026-11-26T00:00+02:00", "2026-11-27T00:00+02:00"),
        ("wednesday", "2026-11-25T00:00+02:00", "2026-11-26T00:00+02:00"),
        ("monday", "2026-11-23T00:00+02:00", "2026-11-24T00:00+02:00"),
        ("FRI", "2026-11-20T00:00+02:00", "2026-11-21T00:00+02:00"),
        ("2026-02", "2026-02-01T00:00+02:00", "2026-03-01T00:00+02:00"),
        ("2026-12", "2026-12-01T00:00+02:00", "2027-01-01T00:00+02:00"),
    ],
)
def test_days(text: str, start: str, end: str) -> None:
    """A date, a month and the name of a day are whole local days, up to but not including the next one's beginning."""
    assert times.parse(text, NOW, EAST) == times.Span(stamp(start), stamp(end), True)


@pytest.mark.parametrize(
    ("text", "start", "length"),
    [
        ("2026-11-23T14:05", "2026-11-23T14:05+02:00", MINUTE),
        ("2026-11-23 14:05", "2026-11-23T14:05+02:00", MINUTE),
        ("2026-11-23t14:05z", "2026-11-23T14:05+00:00", MINUTE),
        ("2026-11-23T14:05Z", "2026-11-23T14:05+00:00", MINUTE),
        ("2026-11-23T14:05:07", "2026-11-23T14:05:07+02:00", SECOND),
        ("2026-11-23T14:05:07-0330", "2026-11-23T14:05:07-03:30", SECOND),
        ("2026-11-23 14:05:07 +05:45", "2026-11-23T14:05:07+05:45", SECOND),
        ("2026-11-23T14:05:07+01", "2026-11-23T14:05:07+01:00", SECOND),
        ("2026-11-23T14:05:07.25Z", "2026-11-23T14:05:07.250+00:00", 1),
        ("2026-11-23T14:05:07,123456789Z", "2026-11-23T14:05:07.123456+00:00", 1),
        ("now", "2026-11-25T12:34:56+00:00", 1),
        ("30m", "2026-11-25T12:04:56+00:00", 1),
        ("2h", "2026-11-25T10:34:56+00:00", 1),
        (" 7d ", "2026-11-18T12:34:56+00:00", 1),
        ("2w", "2026-11-11T12:34:56+00:00", 1),
    ],
)
def test_moments(text: str, start: str, length: int) -> None:
    """A time of day is as long as it is precise; without an offset it is local; a duration is ago."""
    assert times.parse(text, NOW, EAST) == times.Span(stamp(start), stamp(start) + length)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("2h", "2026-11-25T14:34:56+00:00"),
        ("1w", "2026-12-02T12:34:56+00:00"),
        ("wednesday", "2026-11-25T00:00+00:00"),
        ("monday", "2026-11-30T00:00+00:00"),
        ("thu", "2026-11-26T00:00+00:00"),
        ("yesterday", "2026-11-24T00:00+00:00"),
    ],
)
def test_ahead(text: str, start: str) -> None:
    """Ahead, a duration is from now on and a weekday the next one; what says its direction itself is not turned round."""
    assert times.parse(text, NOW, UTC, ahead=True).start == stamp(start)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_change_of_clocks(day: str, hours: int) -> None:
    """A day has the hours that it has in its zone, also when it is named from a day on which the clocks go differently."""
    span = times.parse(day, NOW, Vienna())
    assert span.end - span.start == hours * HOUR
    noon = times.parse(f"{day}T12:00", NOW, Vienna()).start
    assert times.parse("today", noon, Vienna()) == span
    assert times.parse("yesterday", noon + DAY, Vienna()) == span


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("tomorow", "'tomorow' is not a time", "Did you mean 'tomorrow'? "),
        ("", "'' is not a time", "Times are 2026-11-23,"),
        ("7x", "'7x' is not a time", "Times are 2026-11-23,"),
        ("2026-11-23T25:00", "'2026-11-23T25:00' is not a time: hour must be in 0..23", "Times are"),
        ("2026-02-30", "'2026-02-30' is not a time: day is out of range for month", "Times are"),
        ("2026-13", "'2026-13' is not a time: month must be in 1..12", "Times are"),
        ("2026-11-23T10:00+99:00", "'2026-11-23T10:00+99:00' is not a time: +99:00 is no offset from UTC", "Times are"),
        ("2026-11-23T10:00+02:60", "'2026-11-23T10:00+02:60' is not a time: +02:60 is no offset from UTC", "Times are"),
        ("999999999w", "'999999999w' is too far away", "Times from 1700 to 2250 can be kept."),
        ("9998-01-01", "'9998-01-01' is too far away", "Times from 1700 to 2250 can be kept."),
        ("0001-01-01", "'0001-01-01' is too far away", "Times from 1700 to 2250 can be kept."),
        ("٢٠٢٦-11-23", "'٢٠٢٦-11-23' is not a time", "Times are"),
    ],
)
def test_refused(text: str, message: str, hint: str) -> None:
    """What is no time is refused with what was wrong and what can be typed."""
    with pytest.raises(UsageError) as caught:
        times.parse(text, NOW, UTC)
    assert caught.value.message == message
    assert caught.value.hint.startswith(hint)


def test_last_day_of_all_time() -> None:
    """The last date that there is has no next day; that is refused as well, not a crash."""
    with pytest.raises(UsageError):
        times.parse("9999-12-31", NOW, UTC)
    with pytest.raises(UsageError):
        times.parse("0001-01-01", NOW, EAST)


def test_deadline_and_moment() -> None:
    """Due on a day is due by its last second; happened on a day is from its first."""
    assert times.deadline("2026-11-27", NOW, EAST) == stamp("2026-11-27T23:59:59+02:00")
    assert times.deadline("friday", NOW, EAST) == stamp("2026-11-27T23:59:59+02:00")
    assert times.deadline("2h", NOW, EAST) == NOW + 2 * HOUR
    assert times.deadline("2026-11-27T17:00", NOW, EAST) == stamp("2026-11-27T17:00+02:00")
    assert times.moment("2026-11-20", NOW, EAST) == stamp("2026-11-20T00:00+02:00")
    assert times.moment("2h", NOW, EAST) == NOW - 2 * HOUR


def test_is_duration() -> None:
    """Only a number with a unit is a duration."""
    assert times.is_duration("7d")
    assert times.is_duration(" 30M ")
    assert not times.is_duration("today")
    assert not times.is_duration("7")


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (0, "now"), (59 * SECOND, "now"), (MINUTE, "1m"), (59 * MINUTE, "59m"), (HOUR, "1h"), (23 * HOUR, "23h"),
        (DAY, "1d"), (6 * DAY, "6d"), (7 * DAY, "1w"), (36 * DAY, "5w"), (364 * DAY, "52w"), (365 * DAY, "1y"),
        (800 * DAY, "2y"), (-30 * SECOND, "now"), (-3 * HOUR, "in 3h"), (-9 * DAY, "in 1w"),
    ],
)  # fmt: skip
def test_relative(ago: int, text: str) -> None:
    """How long ago is said in one unit, rounded down."""
    assert times.relative(NOW - ago, NOW) == text


def test_local() -> None:
    """A stamp is shown in the zone, to the minute, by the clocks of its own day."""
    assert times.local(NOW, EAST) == "2026-11-25 14:34"
    assert times.local(stamp("2026-07-01T12:00+00:00"), Vienna()) == "2026-07-01 14:00"
    assert times.local(stamp("2026-01-01T12:00+00:00"), Vienna()) == "2026-01-01 13:00"
    assert times.local(-MAX_STAMP, UTC) == "1684-07-28 00:12"
    assert times.local(MAX_STAMP, UTC) == "2255-06-05 23:47"


@given(st.text(max_size=30), st.integers(0, 4_000_000_000_000_000), st.booleans())
def test_nothing_else_is_raised(text: str, now: int, ahead: bool) -> None:
    """Whatever is typed, there is a span that is not empty, or a UsageError."""
    try:
        span = times.parse(text, now, EAST, ahead=ahead)
    except UsageError:
        return
    assert span.start < span.end


@given(st.integers(DAY - MAX_STAMP, MAX_STAMP - DAY))
def test_local_is_read_back(at: int) -> None:
    """What is shown can be typed, and means the minute that was shown."""
    span = times.parse(times.local(at, EAST), 0, EAST)
    assert span.start <= at < span.end
