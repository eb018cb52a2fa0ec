"""Times as foreign files spell them."""

from datetime import UTC, datetime

import pytest

from chit_sync.errors import UsageError
from chit_sync.ticket import iso as iso_of_a_ticket
from chit_sync.transfer.report import Unfit
from chit_sync.transfer.timestamps import Times, iso


@pytest.mark.parametrize(
    ("pattern", "zone", "text", "expected"),
    [
        ("%d-%m-%Y %H:%M", "UTC", "29-02-2016 01:16", "2016-02-29T01:16"),
        ("%d-%m-%Y %H:%M", "UTC", "1-3-2016 9:05", "2016-03-01T09:05"),
        ("%d-%m-%Y %H:%M", "Europe/Berlin", "29-02-2016 01:16", "2016-02-29T00:16"),
        ("%d-%m-%Y %H:%M", "Europe/Berlin", "01-07-2016 01:16", "2016-06-30T23:16"),
        ("%d-%m-%Y %H:%M", "Europe/Berlin", "27-03-2016 01:59", "2016-03-27T00:59"),
        ("%d-%m-%Y %H:%M", "Europe/Berlin", "27-03-2016 03:00", "2016-03-27T01:00"),
        ("%d-%m-%Y %H:%M", "Europe/Berlin", "30-10-2016 02:30", "2016-10-30T00:30"),
        ("%d-%m-%Y %H:%M", "Europe/Berlin", "30-10-2016 03:30", "2016-10-30T02:30"),
        ("%d-%m-%Y %H:%M", "Australia/Lord_Howe", "02-04-2016 12:00", "2016-04-02T01:00"),
        ("%Y%m%dT%H%M%S", "UTC", "20160229T011617", "2016-02-29T01:16:17"),
        ("%Y-%m-%d", "America/New_York", "2016-02-29", "2016-02-29T05:00"),
        ("%d %b %Y, %H:%M", "UTC", "29 Feb 2016, 01:16", "2016-02-29T01:16"),
        ("%m/%d/%Y %I:%M %p", "UTC", "02/29/2016 01:16 PM", "2016-02-29T13:16"),
        ("%H%% %Y-%m-%d", "UTC", "07% 2016-02-29", "2016-02-29T07:00"),
        ("iso", "UTC", "2026-01-16T18:50:29.716863171Z", "2026-01-16T18:50:29.716863"),
        ("iso", "Europe/Berlin", "2026-01-16T18:50:29+05:30", "2026-01-16T13:20:29"),
        ("iso", "Europe/Berlin", "2026-01-16 18:50", "2026-01-16T17:50"),
        ("epoch", "UTC", "1456708560", "2016-02-29T01:16"),
        ("epoch", "UTC", "1456708560.25", "2016-02-29T01:16:00.25"),
        ("epoch-ms", "UTC", "1456708560250", "2016-02-29T01:16:00.25"),
        ("epoch-us", "UTC", " 1456708560250000 ", "2016-02-29T01:16:00.25"),
    ],
)
def test_formats(pattern: str, zone: str, text: str, expected: str) -> None:
    """Each format and zone gives the moment that is meant, the first time and from memory."""
    times = Times(pattern, zone)
    moment = datetime.fromisoformat(expected).replace(tzinfo=UTC)
    wanted = int(moment.timestamp()) * 1_000_000 + moment.microsecond
    assert [times(text), times(text)] == [wanted, wanted]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Monrovia"])
def test_every_quarter_of_a_day_that_changes(zone: str) -> None:
    """The short way by days gives the same as reading each time by itself, on the days when clocks are changed too."""
    whole = Times("%Y-%m-%d %H:%M", zone)
    for day in ("2016-03-27", "2016-04-03", "2016-10-02", "2016-10-30", "2016-07-01", "1972-01-07"):
        for minute in range(0, 24 * 60, 15):
            text = f"{day} {minute // 60:02}:{minute % 60:02}"
            assert whole(text) == Times("iso", zone)(text), text


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%d-%m-%Y %H:%M", "30-02-2016 01:16"),
        ("%d-%m-%Y %H:%M", "29-02-2016 24:00"),
        ("%d-%m-%Y %H:%M", "29-02-2016 01:60"),
        ("%d-%m-%Y %H:%M", "29-02-2016"),
        ("%d-%m-%Y %H:%M", "2016-02-29 01:16"),
        ("%d-%m-%Y %H:%M", "29-02-2016 ٠١:١٦"),
        ("%d %b %Y", "29 Foo 2016"),
        ("iso", "yesterday"),
        ("iso", ""),
        ("epoch", "NaN"),
        ("epoch", "Infinity"),
        ("epoch", "12 o'clock"),
    ],
)
def test_what_is_no_time(pattern: str, text: str) -> None:
    """A time of another form is refused with the text and the form."""
    with pytest.raises(Unfit) as caught:
        Times(pattern, "UTC")(text)
    assert str(caught.value) == f"{text!r} is not a time of the form {pattern}"


def test_zones_and_formats_that_there_are_not() -> None:
    """A map with an unknown time zone or format is refused."""
    with pytest.raises(UsageError, match="there is no time zone 'Mars/Olympus'"):
        Times("iso", "Mars/Olympus")
    with pytest.raises(UsageError, match=r"there is no time zone '\.\./\.\./etc/passwd'"):
        Times("iso", "../../etc/passwd")
    with pytest.raises(UsageError, match="the map's time format 'usual' is not known"):
        Times("usual", "UTC")


@pytest.mark.parametrize("stamp", [0, 1_456_708_560_250_999, -1, -86_400_000_000, 253_402_300_799_999_999])
def test_iso(stamp: int) -> None:
    """The quick spelling of a time is the one that a ticket shows."""
    assert iso(stamp) == iso_of_a_ticket(stamp)
