"""The clock that orders changes: forward only, close to the time of day, and not led astray."""

from hypothesis import given
from hypothesis import strategies as st

from chit_sync.clock import MAX_AHEAD, MAX_STAMP, MILLISECOND, next_stamp
from support.stores import NOON

times = st.integers(NOON, NOON + 10 * MAX_AHEAD)


def test_whole_milliseconds() -> None:
    """With nothing seen a stamp is the time of day in whole milliseconds."""
    assert next_stamp(NOON + 1_999, 0) == NOON + 1_000


def test_counts_within_a_millisecond() -> None:
    """Changes of one millisecond are counted, over into the next one where there are more than a thousand."""
    stamp = next_stamp(NOON, 0)
    for _ in range(2_500):
        assert next_stamp(NOON, stamp) == stamp + 1
        stamp += 1
    assert stamp == NOON + 2_500


@given(times, times)
def test_later_than_what_was_seen(now: int, last: int) -> None:
    """A stamp is later than all that was seen, but for what is too far ahead to be true."""
    stamp = next_stamp(now, last)
    assert stamp > last or last > now + MAX_AHEAD
    assert now - MILLISECOND < stamp <= max(now, now + MAX_AHEAD + 1)


def test_clock_that_was_set_back() -> None:
    """When the time of day goes back a little, the stamps do not."""
    assert next_stamp(NOON - MAX_AHEAD // 2, NOON) == NOON + 1


def test_exact_everywhere() -> None:
    """Stamps are exact in readers of JSON that know only doubles."""
    assert int(float(MAX_STAMP)) == MAX_STAMP
    assert int(float(MAX_STAMP + 2)) != MAX_STAMP + 2 or float(MAX_STAMP + 1) == float(MAX_STAMP + 2)
