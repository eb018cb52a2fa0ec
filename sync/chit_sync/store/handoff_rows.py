"""One row a handoff, so that boards and queries need not read tickets. A cache: made from the items, whenever a ticket's items change."""

import json
from collections.abc import Collection, Iterable, Mapping

from chit_sync.handoffs import ASSIGNED, LEAD, SERVICE, TAKEN_ON, Handoff, read
from chit_sync.registers import Registers, Value
from chit_sync.store import rows as ticket_rows
from chit_sync.store.database import Connection, marks
from chit_sync.store.migrations import ITEM_BITS

OFFERED = 3
"""tickets.state of what a lead offers and nobody here has accepted."""

_COLUMNS = 17


def refresh(db: Connection, numbers: Iterable[int]) -> None:
    """Makes the rows of these tickets again; call it inside a transaction, after their items were written."""
    rows: list[tuple[object, ...]] = []
    offered: list[tuple[int, int, int]] = []
    for number in numbers:
        low = number << ITEM_BITS
        items: dict[str, Registers[int]] = {}
        origins: dict[str, tuple[str, int]] = {}
        places: dict[str, int] = {}
        for pk, key, by, time, text in db.execute(
            "SELECT pk, key, author, time, fields FROM items WHERE pk > ? AND pk < ?", (low, low + (1 << ITEM_BITS))
        ):
            items[key], origins[key], places[key] = json.loads(text), (by, time), pk
        found = read(items, origins)
        latest = {handoff.role: handoff.id for handoff in found}  # the open one stands last
        rows += [
            _row(number, places["handoff/" + handoff.id], handoff, items, current=handoff.id == latest[handoff.role])
            for handoff in found
        ]
        if is_offer(found):  # one that waits for an answer is to be seen, even where an earlier one was deleted
            waits = any(handoff.status == ASSIGNED for handoff in found)
            offered.append((OFFERED, number, ticket_rows.DELETED if waits else ticket_rows.OPEN))
    db.executemany("DELETE FROM handoffs WHERE num = ?", [(number,) for number in numbers])
    db.executemany(f"INSERT INTO handoffs VALUES ({marks(range(_COLUMNS))})", rows)
    db.executemany(f"UPDATE tickets SET state = ? WHERE num = ? AND state IN ({ticket_rows.OPEN}, ?)", offered)


def is_offer(found: Collection[Handoff]) -> bool:
    """Whether a ticket is here only because a lead offers it, or did."""
    return bool(found) and not any(
        handoff.role != SERVICE or handoff.status in TAKEN_ON or handoff.value("accepted") for handoff in found
    )


def _row(
    number: int, pk: int, handoff: Handoff, items: Mapping[str, Registers[int]], *, current: bool
) -> tuple[object, ...]:
    used = questions = held = 0
    for key, registers in items.items():
        if key.startswith(("handoff/", "move/", "link/")):
            continue
        if _shown(registers, "deleted"):
            continue
        if _shown(registers, "held"):
            held += _shown(registers, "held") == handoff.id
        elif _shown(registers, "to") == handoff.id:
            minutes = _shown(registers, "minutes")
            if isinstance(minutes, int):
                used += minutes
            questions += key.startswith("question/") and _shown(registers, "answer") is None
    return (
        pk, number, handoff.id, handoff.role or LEAD, handoff.partner, handoff.status, handoff.value("status"), handoff.value("since"),
        handoff.value("accept_by"), handoff.value("complete_by"), handoff.value("authorized_minutes"), used, questions, held,
        len(handoff.pending), int(bool(handoff.text("proposal")) and handoff.status == ASSIGNED), int(current),
    )  # fmt: skip


def _shown(registers: Registers[int], name: str) -> Value:
    heads = registers.get(name)
    return None if heads is None else heads[0][1]
