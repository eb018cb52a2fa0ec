"""The time zone of the machine that a person sits at, with its summer times, as the operating system knows it."""

import time
from datetime import UTC, datetime, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LocalZone(tzinfo):
    """What `time.localtime` says, for any moment; a fixed offset would be wrong on the other side of a change of clocks."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """The offset of a local time."""
        if moment is None:
            return timedelta(seconds=time.localtime().tm_gmtoff)
        try:
            stamp = time.mktime((*moment.timetuple()[:8], -1))
            return timedelta(seconds=time.localtime(stamp).tm_gmtoff)
        except (OverflowError, OSError, ValueError):
            return timedelta(0)

    def fromutc(self, moment: datetime) -> datetime:
        """A moment of UTC as a local time."""
        try:
            offset = time.localtime((moment.replace(tzinfo=UTC) - _EPOCH).total_seconds()).tm_gmtoff
        except (OverflowError, OSError, ValueError):
            offset = 0
        return moment + timedelta(seconds=offset)

    def dst(self, moment: datetime | None) -> timedelta | None:
        """Not told apart."""
        return None

    def tzname(self, moment: datetime | None) -> str:
        """Not shown."""
        return "local"
