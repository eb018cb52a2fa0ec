"""The local time zone follows the operating system through the changes of the clocks."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from chit.zone import LocalZone


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A zone with a summer time, spelled so that no table of zones is needed."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-01-15T12:00", "2026-01-15T11:00"),
        ("2026-07-15T12:00", "2026-07-15T10:00"),
        ("2026-03-29T01:59", "2026-03-29T00:59"),
        ("2026-03-29T03:00", "2026-03-29T01:00"),
        ("2026-10-25T00:30", "2026-10-24T22:30"),
    ],
)
def test_both_ways(local: str, utc: str) -> None:
    """A moment of either time of the year is the same moment in UTC, and back."""
    here = datetime.fromisoformat(local).replace(tzinfo=LocalZone())
    there = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert here.astimezone(UTC) == there
    assert there.astimezone(LocalZone()).strftime("%Y-%m-%dT%H:%M") == local
