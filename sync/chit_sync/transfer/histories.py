"""From rows to the history of a ticket: what happened to it, one after the other. Pure; `replay` makes changes of it."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import compress
from operator import is_not, itemgetter
from typing import NamedTuple

from chit_sync.registers import Value
from chit_sync.store.log import Record
from chit_sync.transfer.items import Said, comments
from chit_sync.transfer.mapping import Event, Map
from chit_sync.transfer.replay import Timeline, row_sum
from chit_sync.transfer.report import Failure, Unfit
from chit_sync.transfer.rules import Cells, labels
from chit_sync.transfer.source import Row

Fail = Callable[[Failure], None]
Again = Callable[[Sequence[Record]], list[Record]]


class History(NamedTuple):
    """A ticket's changes as they follow from the file alone.

    again: what they are if earlier imports of the same source made these changes of the ticket already; None if nobody here can say.
    """

    ticket: str
    key: str
    records: list[Record]
    again: Again | None


class Moment(NamedTuple):
    """What a row says was so at a time. wanted: path to value; labels: all of them, or None if the row does not tell."""

    time: int
    by: str
    wanted: dict[str, Value]
    labels: set[str] | None
    always: bool = False
    """Whether it is kept even if nothing was other than before."""


def moment(mapping: Map, event: Event, cells: Cells) -> Moment | None:
    """The event as the row tells it; None if it did not happen: it has no time. Raises Unfit."""
    time = event.time(cells)
    if not isinstance(time, int):
        return None
    return Moment(
        time, author(event, cells), {rule.path: rule(cells) for rule in event.rules},
        None if event.labels is None else labels(event.labels, cells, mapping.empty), event.always,
    )  # fmt: skip


def author(event: Event, cells: Cells) -> str:
    """Who did it; empty if the row does not say. Raises Unfit."""
    by = event.actor(cells)
    return by if isinstance(by, str) else ""


def relabel(timeline: Timeline, wanted: dict[str, Value], now: set[str] | None) -> None:
    """Adds to what is wanted that the ticket has these labels and no others."""
    if now is None:
        return
    for path, value in timeline.values.items():
        if value and path.startswith("labels/") and path[7:] not in now:
            wanted[path] = None
    for label in now:
        wanted[f"labels/{label}"] = True


def of_events(mapping: Map, key: str, group: list[Row], latest: int, fail: Fail) -> History:
    """The history of a ticket whose rows are the ticket after each event."""
    rows = _sorted(mapping, group, fail)
    timeline = Timeline(mapping.source, key, latest)
    _replay(mapping, timeline, rows, fail)

    def again(mine: Sequence[Record]) -> list[Record]:
        first = min((record.change.at for record in timeline.records), default=0)
        earlier = [record for record in mine if record.change.at < first]
        if not earlier or any(record.id == timeline.records[0].id for record in mine):
            return timeline.records
        resumed = Timeline(mapping.source, key, latest)
        resumed.resume(earlier)
        _replay(mapping, resumed, rows, lambda _: None)
        return resumed.records

    return History(timeline.id, key, timeline.records, again)


def _sorted(mapping: Map, group: list[Row], fail: Fail) -> list[tuple[int, int, Cells]]:
    """(time, line, cells) of the rows, in the order in which things happened; equal ones as they stand in the file."""
    event = mapping.events[0]
    timed: list[tuple[int, int, Cells]] = []
    for line, cells in group:
        try:
            time = event.time(cells)
            if not isinstance(time, int):
                raise Unfit(f"{'/'.join(event.time.spec.names)} is empty: nothing says when")
        except Unfit as why:
            fail(Failure(line, str(why)))
        else:
            timed.append((time, line, cells))
    if len(timed) > 1:
        timed.sort()  # the line is the last resort, and differs: cells are never compared
        for place in reversed(mapping.order):
            if (place,) == event.time.columns:
                timed.sort(key=_time)
            else:
                timed.sort(key=lambda row: _rank(str(row[2][place])))
    return timed


_time = itemgetter(0)


@lru_cache(10_000)
def _rank(cell: str) -> tuple[int, float, str]:
    """Numbers by their size, then texts."""
    try:
        return 0, float(cell), ""
    except ValueError:
        return 1, 0.0, cell


def _replay(mapping: Map, timeline: Timeline, rows: Sequence[tuple[int, int, Cells]], fail: Fail) -> None:
    event = mapping.events[0]
    before: Cells | None = None
    total = 0
    seen: set[int] = set()
    for time, line, cells in rows:
        number = row_sum(cells)
        if number in seen:  # the same row twice is one event
            continue
        try:
            if before is None:
                wanted = {
                    rule.path: rule[cells[rule.place]] if rule.place >= 0 else rule(cells) for rule in event.rules
                }
            else:
                wanted = {
                    rule.path: rule[cells[rule.place]] if rule.place >= 0 else rule(cells)
                    for column in compress(event.by_place, map(is_not, cells, before))
                    for rule in column
                }
            if event.labels is not None:
                relabel(timeline, wanted, labels(event.labels, cells, mapping.empty))
            by = author(event, cells)
            said = comments(mapping, timeline.key, cells, before, time, by) if mapping.comments else ()
            timeline.write(time, by, wanted, total + number, always=True)
            for comment in said:
                timeline.add(*comment)
        except Unfit as why:
            fail(Failure(line, str(why)))
        else:
            before = cells
            total += number
            seen.add(number)


def of_ticket(mapping: Map, key: str, cells: Cells, latest: int) -> tuple[History, Moment]:
    """The history of a ticket that is one row, and the first thing that happened in it. Raises Unfit."""
    moments = [found for event in mapping.events if (found := moment(mapping, event, cells)) is not None]
    if not moments:
        raise Unfit(f"{'/'.join(mapping.events[0].time.spec.names)} is empty: nothing says when")
    moments.sort(key=lambda one: one.time)
    said = comments(mapping, key, cells, None, moments[0].time, moments[0].by)
    timeline = Timeline(mapping.source, key, latest)
    for one in moments:
        _write(timeline, one)
    for comment in said:
        timeline.add(*comment)

    def again(mine: Sequence[Record]) -> list[Record]:
        return _catch_up(Timeline(mapping.source, key, latest), moments, said, mine) if mine else timeline.records

    return History(timeline.id, key, timeline.records, again), moments[0]


def _write(timeline: Timeline, one: Moment) -> None:
    wanted = dict(one.wanted)
    relabel(timeline, wanted, one.labels)
    timeline.write(one.time, one.by, wanted, always=one.always and one.time > timeline.at)


def _catch_up(timeline: Timeline, moments: list[Moment], said: list[Said], mine: Sequence[Record]) -> list[Record]:
    """The row says something else than it did: what happened since goes in as it is told, and with the last of it all that
    differs besides, because the row does not tell when that was changed."""
    timeline.resume(mine)
    times = {record.change.time for record in mine}
    fresh = [one for one in moments if one.time not in times]
    for one in fresh[:-1]:
        _write(timeline, one)
    final: dict[str, Value] = {}
    now: set[str] | None = None
    for one in moments:
        final.update(one.wanted)
        now = now if one.labels is None else one.labels
    last = (fresh or moments)[-1]
    _write(timeline, Moment(last.time, last.by, final, now))
    for comment in said:
        if any(path in timeline.values for path in comment.sets):
            timeline.write(*comment)
        else:
            timeline.add(*comment)
    return timeline.records
