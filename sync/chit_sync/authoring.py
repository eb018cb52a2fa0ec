"""From what somebody wants to changes in the log. Every local write goes through `record`; nothing else makes changes by hand."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from chit_sync import checks, ids
from chit_sync.errors import ConflictError, UsageError
from chit_sync.registers import Value, every, losers, same, seen, shown
from chit_sync.schema import OPEN_CATEGORIES
from chit_sync.store import log
from chit_sync.store.database import Store
from chit_sync.store.making import Pen, heads, new_item
from chit_sync.store.project import number_tickets
from chit_sync.ticket import Ticket

if TYPE_CHECKING:
    from chit_sync.sharing import Piece


class Edit(NamedTuple):
    """What somebody wants to be true of one ticket: path to value.

    ticket: as it was seen, or None for a new one. Where the ticket has changed since at one of the paths, the two writes are
    concurrent, as if they had been made on two machines. resolve: replaces all values in conflict, not only the shown one. to: the
    partner that new items are for, where the ticket is with several. restate: items (KIND/ID) to send as they are.
    """

    ticket: Ticket | None
    set: Mapping[str, Value]
    resolve: bool = False
    ident: str = ""
    """The id of a new ticket that has one already; otherwise it gets a random one."""
    to: str = ""
    restate: frozenset[str] = frozenset()


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


def record(
    store: Store,
    edits: Sequence[Edit],
    *,
    by: str,
    command: str,
    dry_run: bool = False,
    look: Callable[[Sequence[Done]], None] | None = None,
) -> list[Done]:
    """Writes what is wanted, as a rule one change a ticket, in one transaction, and remembers it for `undo` as `command`.

    look: sees the store as it would be before that is final, with dry_run too; what it raises takes everything back.

    Raises UsageError for a value that the schema does not allow; StoreError. Then nothing was written.
    """
    for edit in edits:
        for path, value in edit.set.items():
            checks.check(path, value)
            if path == "status" and value is not None and value not in store.statuses:
                raise UsageError(f"status cannot be {value!r}", f"It is one of: {', '.join(store.statuses)}.")
    if not by or len(by) > checks.MAX_LINE or checks.has_control(by):
        raise UsageError(
            f"{by!r} cannot be the name of an author",
            "Set one with `chit config set --user user.name NAME`.",
        )
    checks.check_encoding("the author's name", by)
    with store.transaction(dry_run=dry_run):
        first = log.last_seq(store.db) + 1
        results: list[Done] = []
        records: list[log.Record] = []
        pen = Pen(store)
        for edit in edits:
            ident = edit.ticket.id if edit.ticket else edit.ident or ids.letters(store.entropy(ids.ID_BYTES))
            written: list[Set] = []
            for piece in _pieces(store, edit, by):
                sets, parts = _plan(edit, piece)
                written += sets
                records += [pen.write(ident, piece.by, part.set, part.over) for part in parts]
            if edit.ticket is None and not written:
                raise UsageError("a new ticket needs something in it", "Give it a title.")
            results.append(Done(edit.ticket.number if edit.ticket else 0, ident, edit.ticket is None, written))
        if records:
            log.append(store, records)
            store.db.execute(
                "INSERT INTO operations (time, command, first, last) VALUES (?, ?, ?, ?)",
                (pen.now, command, first, log.last_seq(store.db)),
            )
        if any(done.created for done in results):
            numbers = number_tickets(store.db, [done.id for done in results if done.created])
            results = [done._replace(number=numbers[done.id]) if done.created else done for done in results]
        if look is not None:
            look(results)
    return results


class _Part:
    """A change in the making. over: places of the changes that it replaces. keeps: those that it must not replace."""

    def __init__(self) -> None:
        self.set: dict[str, Value] = {}
        self.over: set[int] = set()
        self.keeps: set[int] = set()


class _Whole(NamedTuple):
    """An edit that need not be split; see `sharing.Piece`."""

    set: Mapping[str, Value]
    by: str
    force: bool = False


def _pieces(store: Store, edit: Edit, by: str) -> "Sequence[_Whole | Piece]":
    """The parts of an edit that go to different people; one, unless the ticket is outsourced or about to be."""
    ticket = edit.ticket
    if ticket is None or not (
        any(key.startswith("handoff/") for key in (*ticket.item_registers, *edit.set))
        or store.db.execute("SELECT 1 FROM handoffs WHERE num = ?", (ticket.number,)).fetchone()
    ):
        return (_Whole(edit.set, by),)
    from chit_sync.sharing import Wish, pieces
    from chit_sync.store import reading

    ticket = reading.load(store, ticket.number)  # what may be done is for what is so now to say, whatever was seen
    status = edit.set.get("status")
    closes = (
        isinstance(status, str) and store.statuses[status] not in OPEN_CATEGORIES and ticket.category in OPEN_CATEGORIES
    )
    return pieces(ticket, Wish(edit.set, by, edit.to, closes, edit.restate), lambda: new_item(store))


def _plan(edit: Edit, piece: "_Whole | Piece") -> tuple[list[Set], list[_Part]]:
    """What is to be written, without what is so already, and the changes that say it.

    `over` holds for all paths of a change. Where it would replace at one path what another path only keeps in conflict, the edit
    becomes two changes.
    """
    sets: list[Set] = []
    parts: list[_Part] = []
    for path, value in sorted(piece.set.items()):
        written = heads(edit.ticket, path) if edit.ticket else None
        old = None if written is None else shown(written)
        if same(old, value) and not piece.force and not (edit.resolve and written is not None and losers(written)):
            continue
        sets.append(Set(path, old, value))
        over = set(() if written is None else every(written) if edit.resolve else seen(written))
        keeps = set(() if written is None else every(written)) - over
        part = next((part for part in parts if piece.force or not (part.over & keeps or part.keeps & over)), None)
        if part is None:
            part = _Part()
            parts.append(part)
        part.set[path] = value
        part.over |= over
        part.keeps |= keeps
    for part in parts:
        part.over -= part.keeps  # of what is sent as it is, in one piece
    return sets, parts


def comment_paths(item: str, body: str, visibility: str) -> dict[str, Value]:
    """The paths of a new comment."""
    if not body.strip():
        raise UsageError("the comment is empty", "Nothing was written.")
    return {f"comment/{item}/body": body, f"comment/{item}/visibility": visibility}


def attach_file(store: Store, file: str, visibility: str = "public", *, dry_run: bool = False) -> dict[str, Value]:
    """The paths of a new attachment; its bytes are in the store afterwards. Raises UsageError for what is no file."""
    from chit_sync.store import blobs

    name = os.path.basename(file)
    try:
        checks.check("attachment/0/name", name)
    except UsageError as error:
        message = error.message.replace("attachment/0/name", "the name of the file")
        raise UsageError(message, "Give it another name first.") from None
    blob = blobs.add(store, file, keep=not dry_run)
    key = f"attachment/{new_item(store)}"
    return {
        f"{key}/name": name,
        f"{key}/sha256": blob.sha256,
        f"{key}/size": blob.size,
        f"{key}/visibility": visibility,
    }


def link_paths(kind: str, source: str, target: str) -> dict[str, Value]:
    """The paths of a link. Its id follows from what it says, so that two people who make the same link make one."""
    if source == target:
        raise ConflictError("a ticket cannot be linked to itself")
    key = f"link/{ids.item_id(kind, target)}"
    return {f"{key}/kind": kind, f"{key}/target": target, f"{key}/deleted": None}


def unlink_paths(kind: str, source: str, target: str) -> dict[str, Value]:
    """The paths that take a link away."""
    return {f"link/{ids.item_id(kind, target)}/deleted": True}


def merged(tickets: Sequence[Ticket], target: Ticket, closed: str) -> list[Edit]:
    """The edits that merge tickets into `target`: closed, pointing there, their labels passed on."""
    labels: dict[str, Value] = {}
    edits: list[Edit] = []
    for ticket in tickets:
        if ticket.id == target.id:
            raise ConflictError("a ticket cannot be merged into itself")
        if target.value("merged") == ticket.id:
            raise ConflictError(
                f"{target.id[:8]} was merged into {ticket.id[:8]} already", "`chit reopen` undoes that."
            )
        links = link_paths("duplicates", ticket.id, target.id)
        edits.append(Edit(ticket, {"merged": target.id, "status": closed, **links}))
        labels |= {f"labels/{label}": True for label in ticket.labels}
    return [*edits, Edit(target, labels)] if labels else edits
