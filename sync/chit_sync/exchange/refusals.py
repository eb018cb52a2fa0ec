"""What becomes of changes that a remote refused: they stay visible until they are amended, sent again, or dropped."""

from collections.abc import Collection, Sequence

from chit_sync.codec import decode
from chit_sync.errors import ConflictError, NotFoundError
from chit_sync.store import log, reading, remotes
from chit_sync.store.database import Store
from chit_sync.store.remotes import Remote
from chit_sync.store.reproject import reproject


def settle(store: Store, remote: Remote) -> int:
    """Forgets the refusals of changes of which nothing shows any more, because later ones replaced them; returns how many."""
    settled = [
        refusal.seq
        for refusal in remotes.refusals(store, [remote.name])
        if not _shows(store, refusal.seq, refusal.ticket)
    ]
    if settled:
        with store.transaction() as db:
            db.executemany("DELETE FROM refusals WHERE remote = ? AND seq = ?", [(remote.id, seq) for seq in settled])
    return len(settled)


def forget(store: Store, remote: Remote, tickets: Collection[int], refused: Collection[int]) -> None:
    """What of these tickets (this store's numbers) was refused before, was tried again and is not refused now has been done."""
    rows = store.db.execute(
        "SELECT f.seq, c.ticket FROM refusals f JOIN changes c USING (seq) WHERE f.remote = ?", (remote.id,)
    ).fetchall()
    gone = [(remote.id, seq) for seq, ticket in rows if ticket in tickets and seq not in refused]
    store.db.executemany("DELETE FROM refusals WHERE remote = ? AND seq = ?", gone)


def _shows(store: Store, seq: int, number: int) -> bool:
    """Whether the change is still what anybody sees, or loses against, at any of its paths."""
    ticket = reading.load(store, number)
    change = decode(store.db.execute("SELECT body FROM changes WHERE seq = ?", (seq,)).fetchone()[0])
    for path in change.set:
        key, _, name = path.rpartition("/")
        registers = ticket.item_registers.get(key)
        if registers is not None and name != "deleted" and registers.get("deleted", [(0, None)])[0][1]:
            continue  # of something that was taken away again nobody sees what it was
        heads = ticket.registers.get(path) if registers is None else registers.get(name)
        if heads and any(head[0] == seq for head in heads):
            return True
    return False


def drop(store: Store, remote: Remote, seqs: Sequence[int], *, dry_run: bool = False) -> list[int]:
    """Takes refused changes out of the log, as if they had never been made; returns the tickets' numbers.

    Raises NotFoundError for a change that was not refused, ConflictError for one that was not made here or that another remote has.
    """
    with store.transaction(dry_run=dry_run) as db:
        numbers: list[int] = []
        for seq in seqs:
            row = db.execute(
                "SELECT c.ticket, c.origin FROM refusals f JOIN changes c USING (seq) WHERE f.remote = ? AND f.seq = ?",
                (remote.id, seq),
            ).fetchone()
            if row is None:
                raise NotFoundError(
                    f"no change {seq} that {remote.name} refused", "`chit status` shows what was refused."
                )
            if row[1] != log.HERE:
                raise ConflictError(f"the change {seq} was not made in this store", "Amend the ticket instead.")
            other = db.execute(
                "SELECT name FROM remotes r WHERE r.id <> ? AND r.pushed >= ?"
                " AND NOT EXISTS (SELECT 1 FROM refusals WHERE remote = r.id AND seq = ?)",
                (remote.id, seq, seq),
            ).fetchone()
            if other:
                raise ConflictError(f"{other[0]} has the change {seq} already", "Amend the ticket instead.")
            numbers.append(row[0])
        store.set_meta("undone", log.last_seq(db))  # the places are not taken again
        db.executemany("DELETE FROM changes WHERE seq = ?", [(seq,) for seq in seqs])
        db.executemany("DELETE FROM refusals WHERE seq = ?", [(seq,) for seq in seqs])
        db.execute(
            "DELETE FROM operations WHERE NOT EXISTS (SELECT 1 FROM changes WHERE seq BETWEEN first AND last)"
        )  # of these nothing is left to undo
        numbers = sorted(set(numbers))
        reproject(store, numbers)
    return numbers
