"""The hybrid logical clock that orders changes. Pure: the time of day is an argument.

A stamp is one integer: microseconds since 1970 UTC. The time of day gives it in whole milliseconds; the last three digits count the
changes of one millisecond and carry over into the next. Stamps of one store never go backwards, and every stamp is later than those
of the changes that the store had seen when it was made (Kulkarni et al., Logical Physical Clocks, 2014). Below 2^53 until the year
2255, so a stamp is exact in every JSON reader.
"""

MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

MAX_AHEAD = HOUR
"""How far a change's stamp may be ahead of the time of day of a store that takes it from somebody else."""

MAX_STAMP = 2**53 - 1


def next_stamp(now: int, last: int) -> int:
    """The stamp of a change made at `now`, when the latest stamp seen is `last` (both microseconds).

    A stamp from a clock that runs far ahead does not drag this store's clock along: what replaces what is said by `over`, so nothing
    is lost by falling behind it.
    """
    if last > now + MAX_AHEAD:
        last = 0
    return max(now - now % MILLISECOND, last + 1)
