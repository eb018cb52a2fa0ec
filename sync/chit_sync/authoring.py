"""From what somebody wants to changes in the log. Every local write goes through `record`; nothing else makes changes by hand."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chit_sync import ids, schema
from chit_sync.change import NONCE_BYTES, Change, digest, encode, nonce
from chit_sync.clock import next_stamp
from chit_sync.errors import ConflictError, UsageError
from chit_sync.registers import Heads, Registers, Value, every, same, seen, shown
from chit_sync.store import log
from chit_sync.store.database import Store
from chit_sync.ticket import Ticket


class Edit(NamedTuple):
    """What somebody wants to be true of one ticket: path to value.

    ticket: as it was seen, or None for a new one. Where the ticket has changed since at one of the paths, the two writes are
    concurrent, as if they had been made on two machines. resolve: replaces all values in conflict, not only the shown one.
    """

    ticket: Ticket | None
    set: Mapping[str, Value]
    resolve: bool = False
    ident: str = ""
    """The id of a new ticket that has one already; otherwise it gets a random one."""


class Set(NamedTuple):
    """One path that was written."""

    path: str
    old: Value
    new: Value


class Done(NamedTuple):
    """What came of an Edit: the ticket's number and id, and what was written; nothing if all was so already."""

    number: int
    id: str
    created: bool
    sets: list[Set]


def record(store: Store, edits: Sequence[Edit], *, by: str, command: str, dry_run: bool = False) -> list[Done]:
    """Writes what is wanted, one change a ticket, in one transaction, and remembers it for `undo` as `command`.

    Raises UsageError for a value that the schema does not allow; StoreError. Then nothing was written.
    """
    for edit in edits:
        for path, value in edit.set.items():
            schema.check(path, value)
            if path == "status" and value is not None and value not in store.statuses:
                raise UsageError(f"status cannot be {value!r}", f"It is one of: {', '.join(store.statuses)}.")
    if not by or len(by) > schema.MAX_LINE or schema.has_control(by):
        raise UsageError(
            f"{by!r} cannot be the name of an author",
            "Set one with `chit config set user.name NAME`.",
        )
    with store.transaction(dry_run=dry_run):
        first = log.last_seq(store.db) + 1
        results: list[Done] = []
        records: list[log.Record] = []
        now = store.now()
        stamp = store.meta("clock", 0)
        for edit in edits:
            sets, over = _plan(store, edit)
            ident = edit.ticket.id if edit.ticket else edit.ident or ids.letters(store.entropy(ids.ID_BYTES))
            results.append(Done(edit.ticket.number if edit.ticket else 0, ident, edit.ticket is None, sets))
            if not sets:
                continue
            stamp = next_stamp(now, stamp)
            change = Change(
                ticket=ident, at=stamp, by=by, set={one.path: one.new for one in sets},
                nonce=nonce(store.entropy(NONCE_BYTES)), over=over,
            )  # fmt: skip
            body = encode(change)
            records.append(log.Record(digest(body), body, change))
        if records:
            log.append(store, records)
            store.db.execute(
                "INSERT INTO operations (time, command, first, last) VALUES (?, ?, ?, ?)",
                (now, command, first, first + len(records) - 1),
            )
        if any(done.created for done in results):
            numbers = dict(
                store.db.execute(
                    "SELECT id, num FROM tickets WHERE num > (SELECT max(num) FROM tickets) - ?",
                    (len(results),),
                )
            )
            results = [done._replace(number=numbers[done.id]) if done.created else done for done in results]
    return results


def _plan(store: Store, edit: Edit) -> tuple[list[Set], list[str]]:
    """What is to be written, without what is so already, and the ids of the changes that it replaces."""
    if edit.ticket is None:
        return [Set(path, None, value) for path, value in sorted(edit.set.items()) if value is not None], []
    sets: list[Set] = []
    over: dict[int, None] = {}
    for path, value in sorted(edit.set.items()):
        heads = _heads(edit.ticket, path)
        if heads is None:
            if value is not None:
                sets.append(Set(path, None, value))
            continue
        if same(shown(heads), value) and not (edit.resolve and len(heads) > 1):
            continue
        sets.append(Set(path, shown(heads), value))
        over.update(dict.fromkeys(every(heads) if edit.resolve else seen(heads)))
    return sets, _ids(store, list(over))


def _heads(ticket: Ticket, path: str) -> Heads[int] | None:
    key, slash, name = path.rpartition("/")
    registers: Registers[int] | None = ticket.registers
    if slash and key != "labels" and not path.startswith("labels/"):
        registers = ticket.item_registers.get(key)
    else:
        name = path
    return None if registers is None else registers.get(name)


def _ids(store: Store, seqs: Sequence[int]) -> list[str]:
    return sorted(store.db.execute("SELECT id FROM changes WHERE seq = ?", (seq,)).fetchone()[0].hex() for seq in seqs)


def new_item(store: Store) -> str:
    """A fresh id for a comment or an attachment."""
    return ids.letters(store.entropy(ids.ITEM_BYTES))


def comment(item: str, body: str, visibility: str) -> dict[str, Value]:
    """The paths of a new comment."""
    if not body.strip():
        raise UsageError("the comment is empty")
    return {f"comment/{item}/body": body, f"comment/{item}/visibility": visibility}


def link(kind: str, source: str, target: str) -> dict[str, Value]:
    """The paths of a link. Its id follows from what it says, so that two people who make the same link make one."""
    if source == target:
        raise ConflictError("a ticket cannot be linked to itself")
    item = ids.item_id(kind, target)
    return {f"link/{item}/kind": kind, f"link/{item}/target": target, f"link/{item}/deleted": None}
