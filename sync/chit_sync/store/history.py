"""Reading history: who changed what, from what to what. Reads the log; what a ticket is now is `reading`'s business."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from chit_sync.change import Change
from chit_sync.codec import decode
from chit_sync.helpdesks.address import is_helpdesk
from chit_sync.registers import Value, same
from chit_sync.schema import split
from chit_sync.store.database import Store, explained
from chit_sync.store.remotes import UNSENT, Remote, partner_of
from chit_sync.ticket import iso, told

_AT_ONCE = 200

_NOBODY = -9
"""An origin that no change has."""


class Step(NamedTuple):
    """One path that a change wrote: what its author saw there before, and the new value."""

    path: str
    old: Value
    new: Value


class Event(NamedTuple):
    """A change as history. seq: its place in this store's log. time: microseconds since 1970 UTC, as people are shown it."""

    seq: int
    id: str
    number: int
    ticket: str
    title: str
    time: int
    by: str
    origin: int
    steps: list[Step]

    def record(self) -> dict[str, Any]:
        """The event as `chit.event/1`."""
        return {
            "schema": "chit.event/1",
            "id": self.id,
            "ticket": self.ticket,
            "title": self.title,
            "time": iso(self.time),
            "by": self.by,
            "changes": [
                {"path": step.path, "old": told(step.path, step.old), "new": told(step.path, step.new)}
                for step in self.steps
            ],
        }


def of_ticket(store: Store, number: int) -> list[Event]:
    """All that happened to the ticket with this store's number, the earliest first; without what a helpdesk only repeats."""
    with explained(store.path):
        rows = store.db.execute(_SELECT + "WHERE c.ticket = ? ORDER BY c.seq", (number,)).fetchall()
        found = sorted((_event(store, row) for row in rows), key=lambda one: (one[1].at, one[0]))
    twins = {path.removesuffix("/same") for _, change, _ in found for path in change.set if _is_same(path)}
    shown: dict[str, Value] = {}
    events: list[Event] = []
    for _, change, event in found:
        if change.mirror:
            event = _seen_from_here(event, shown, twins)
        shown.update(change.set)
        if event.steps:
            events.append(event)
    return events


def _is_same(path: str) -> bool:
    """Whether it says of an item that it is another name of one (and is no label called `same`)."""
    kind, _, name = split(path)
    return bool(kind) and name == "same"


def _seen_from_here(event: Event, shown: Mapping[str, Value], twins: Collection[str]) -> Event:
    """What a helpdesk's change changed of what was shown: no steps if that is nothing.

    twins: items that are another name of one that is here (`same`).
    """
    steps = []
    for step in event.steps:
        before = shown.get(step.path)
        old = before if step.old is None else step.old
        known = same(before, step.new) or same(old, step.new)  # by a clock that lags, what it repeats comes after
        if not known and step.path.rpartition("/")[0] not in twins:
            steps.append(step._replace(old=old))
    return event._replace(steps=steps)


def latest(store: Store, limit: int | None = None) -> Iterator[Event]:
    """All that happened in the store, what came last first. Of what a helpdesk tells also what repeats what was there: to leave that out
    each ticket would have to be gone through from its beginning."""
    before = 1 << 62
    left = limit if limit is not None else 1 << 62
    while left > 0:
        with explained(store.path):
            rows = store.db.execute(
                _SELECT + "WHERE c.seq < ? ORDER BY c.seq DESC LIMIT ?", (before, min(left, _AT_ONCE))
            ).fetchall()
            events = [_event(store, row)[2] for row in rows]
        if not events:
            return
        yield from events
        before = events[-1].seq
        left -= len(events)


def unsent(store: Store, remote: Remote | None, number: int | None = None) -> Iterator[Event]:
    """What a remote was not offered yet, in order; of one ticket or all. Without a remote that is everything."""
    after = 0
    values = {"remote": remote.id, "pushed": remote.pushed} if remote else {"remote": _NOBODY, "pushed": 0}
    while True:
        with explained(store.path):
            rows = store.db.execute(
                f"{_SELECT} JOIN ({UNSENT}) u ON u.seq = c.seq"
                " WHERE c.seq > :after AND c.ticket = ifnull(:ticket, c.ticket) ORDER BY c.seq LIMIT :limit",
                {
                    **values,
                    "partner": partner_of(store.db, values["remote"]),
                    "own": remote is not None and is_helpdesk(remote.url),
                    "after": after,
                    "ticket": number,
                    "limit": _AT_ONCE,
                },
            ).fetchall()
            events = [_event(store, row)[2] for row in rows]
        if not events:
            return
        yield from events
        after = events[-1].seq


_SELECT = (
    "SELECT c.seq, c.id, c.ticket, c.origin, c.body, t.title FROM changes c LEFT JOIN tickets t ON t.num = c.ticket "
)


def _event(store: Store, row: tuple[int, bytes, int, int, bytes, str | None]) -> tuple[bytes, Change, Event]:
    seq, id_, number, origin, body, title = row
    change = decode(body)
    seen: dict[str, tuple[int, str, Value]] = {}
    for other in change.over:
        found = store.db.execute("SELECT body FROM changes WHERE id = ?", (bytes.fromhex(other),)).fetchone()
        if found is None:
            continue
        before = decode(found[0])
        for path in change.set.keys() & before.set.keys():
            candidate = (before.at, other, before.set[path])
            if path not in seen or candidate[:2] > seen[path][:2]:
                seen[path] = candidate
    steps = [Step(path, seen[path][2] if path in seen else None, value) for path, value in change.set.items()]
    return id_, change, Event(seq, id_.hex(), number, change.ticket, title or "", change.time, change.by, origin, steps)
