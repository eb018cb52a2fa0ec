"""Is the store whole? `check` finds and names what is wrong and changes nothing; `rebuild` makes the tables again from the log.

What the tables should be is made in a database of its own, a temporary file, by the same code that makes them in the store; the store
is only read, others may go on writing to it, and memory stays flat however large it is. Nothing here ever takes a change out of the log.
"""

import sqlite3
from contextlib import closing
from typing import NamedTuple

from chit_sync import ids
from chit_sync.codec import decode, decode_foreign, digest
from chit_sync.errors import StoreError, UsageError
from chit_sync.policy import refuse
from chit_sync.store import log
from chit_sync.store.attached import check_attachments
from chit_sync.store.comparing import REBUILD, compare_tables, text
from chit_sync.store.database import Connection, Store, attachable
from chit_sync.store.filing import Filing, Move, refile
from chit_sync.store.migrations import MIGRATIONS
from chit_sync.store.opening import integrity
from chit_sync.store.problems import Problem, Problems
from chit_sync.store.reproject import reproject

RESTORE = "Clone again from a remote that has it, or restore a backup; everything else in the store is good."
DATABASE = "Keep a copy of the folder and run `chit fsck --rebuild`. If it stays: clone again from a remote, or restore a backup."

TRUTH = (
    "meta",
    "changes",
    "operations",
    "remotes",
    "refusals",
    "incoming",
    "tokens",
    "partners",
    "invitations",
    "outbound",
    "partner_blobs",
    "numbers",
)
"""The tables that are not."""


class _Log(NamedTuple):
    """What reading the whole log has shown. damaged: numbers of tickets that have a change which cannot be relied on."""

    moves: list[Move]
    damaged: set[int]
    origins: set[int]


def check(store: Store) -> list[Problem]:
    """Everything that is wrong with the store, worst first; only harmless entries, or none, where it is whole.

    Raises StoreError if there is no room for the temporary file.
    """
    problems = Problems()
    for line in integrity(store):
        problems.add("database", "store.db", f"SQLite finds: {line}", DATABASE)
    try:
        with closing(_scratch(store)) as db:
            _check_all(store, db, problems)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if getattr(error, "sqlite_errorname", "").startswith("SQLITE_FULL"):
            raise StoreError(
                "there is no room for the temporary file that the check needs", "Set TMPDIR to where there is some."
            ) from error
        problems.add("database", "store.db", f"it cannot be read: {error}", DATABASE)
    return problems.listing()


def _check_all(store: Store, db: Connection, problems: Problems) -> None:
    db.execute("BEGIN")
    for (name,) in db.execute(
        "SELECT name FROM (SELECT * FROM definitions EXCEPT SELECT name, sql FROM kept.sqlite_master)"
    ):
        problems.add("database", name, "the table or index is not there, or is not defined as it should be", DATABASE)
    found = _check_log(db, problems)
    _check_rows(db, problems, found)
    doubtful = found.damaged | {move.number for move in found.moves} | {move.home for move in found.moves}
    numbers = None
    if doubtful:
        rows = db.execute("SELECT DISTINCT ticket FROM changes WHERE typeof(ticket) = 'integer' ORDER BY ticket")
        numbers = [number for (number,) in rows if number not in doubtful]
    reproject(Store(store.path, db, store.now, store.entropy), numbers)
    compare_tables(db, problems, doubtful)
    check_attachments(store.path, db, problems, complete=not doubtful)


def _scratch(store: Store) -> Connection:
    """A temporary database with the empty tables of a store; what it does not have itself is read from the store, attached as `kept`."""
    db = sqlite3.connect("", isolation_level=None, uri=True)
    try:
        db.text_factory = text
        db.execute("PRAGMA journal_mode = OFF")
        for migrate in MIGRATIONS:
            migrate(db)
        db.execute("CREATE TEMP TABLE definitions AS SELECT name, sql FROM main.sqlite_master WHERE sql IS NOT NULL")
        for table in TRUTH:
            db.execute(f"DROP TABLE {table}")
        db.execute("ATTACH ? AS kept", (attachable(store.path),))
    except BaseException:
        db.close()
        raise
    return db


def _check_log(db: Connection, problems: Problems) -> _Log:
    """Reads every change: its place, its id, its bytes, its number."""
    filing = Filing(db)
    damaged: set[int] = set()
    origins: set[int] = set()
    for seq, ident, number, origin, body in db.execute(
        "SELECT seq, id, ticket, origin, body FROM changes ORDER BY seq"
    ):
        if not (isinstance(ident, bytes) and isinstance(number, int) and isinstance(origin, int)):
            damaged.add(number)
            problems.add("change", f"place {seq}", "its row is damaged", RESTORE)
            continue
        origins.add(origin)
        where = f"change {ident.hex()[:12]} (place {seq}, ticket {number})"
        if seq < 1:
            problems.add("sequence", where, "its place in the log is not a positive number", RESTORE)
        reason, ticket = _examine(ident, body)
        if reason:
            damaged.add(number)
            problems.add("change", where, reason, RESTORE)
        else:
            filing.add(number, ticket)
    moves = filing.moves("kept.tickets")
    for move in moves:
        problems.add(
            "filing", f"ticket {move.number}",
            f"{move.changes} change(s) of the ticket {move.ticket} are filed under it, which belong under {move.home}", REBUILD,
        )  # fmt: skip
    return _Log(moves, damaged, origins)


def _examine(ident: bytes, body: bytes) -> tuple[str, str]:
    """What is wrong with a change, empty if nothing, and the ticket that it names."""
    try:
        if digest(body) != ident:
            return "its id does not follow from its bytes: it was damaged or forged", ""
        change = decode_foreign(body)
    except (UsageError, TypeError) as error:
        return f"its bytes are no change: {error}", ""
    reason = refuse(change)
    return (f"no store would take it: {reason}" if reason else ""), change.ticket


ORPHANS = (
    ("numbers", "remote NOT IN (SELECT id FROM remotes)", "a ticket's number at a remote that there is not"),
    ("numbers", "num NOT IN (SELECT ticket FROM changes)", "a remote's number of a ticket that there is not"),
    ("refusals", "remote NOT IN (SELECT id FROM remotes)", "a refusal by a remote that there is not"),
    ("refusals", "seq NOT IN (SELECT seq FROM changes)", "a refusal of a change that there is not"),
    ("incoming", "remote NOT IN (SELECT id FROM remotes)", "a change fetched from a remote that there is not"),
    ("outbound", "seq NOT IN (SELECT seq FROM changes)", "a change for a partner that there is not"),
    ("outbound", "partner NOT IN (SELECT id FROM partners)", "a change for a partner where there is no such partner"),
    ("partner_blobs", "partner NOT IN (SELECT id FROM partners)", "an attachment of a partner that there is not"),
    ("invitations", "partner NOT IN (SELECT id FROM partners)", "an invitation of a partner that there is not"),
    (
        "operations",
        """last < first OR NOT EXISTS (SELECT 1 FROM changes WHERE seq BETWEEN first AND last)
        OR last >= (SELECT later.first FROM operations later WHERE later.id > operations.id ORDER BY later.id LIMIT 1)""",
        "a command to undo whose changes are not there, or are another's",
    ),
)
"""Rows that speak of what is not there: table, condition, what such a row is. `rebuild` removes them."""


def _check_rows(db: Connection, problems: Problems, found: _Log) -> None:
    for table, condition, reason in ORPHANS:
        count = db.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()[0]
        if count:
            problems.add("orphan", table, f"{reason}: {count} row(s)", REBUILD)
    known = {0, -1, *(row[0] for row in db.execute("SELECT id FROM remotes"))}
    for origin in sorted(found.origins - known):
        problems.add("orphan", "changes", f"changes that came from the remote {origin}, which there is not", REBUILD)
    last = log.last_seq(db)
    for name, pushed in db.execute("SELECT name, pushed FROM remotes WHERE pushed > ?", (last,)):
        problems.add(
            "sequence",
            f"remote {name}",
            f"it is said to have the log up to place {pushed}, which ends at {last}",
            REBUILD,
        )
    identity = db.execute("SELECT value FROM meta WHERE key = 'store'").fetchone()
    if identity is None or not ids.is_letters(str(identity[0]), 2 * ids.ID_BYTES):
        problems.add("identity", "store.db", "the store does not know its own identity", RESTORE)


def rebuild(store: Store, *, without_damaged: bool = False) -> None:
    """Makes everything that follows from the log again, in one transaction: numbers of tickets in the log, tables, full text.

    Raises StoreError. What a change said whose bytes cannot be read any more may be left in the tables alone; so if there is such
    a change nothing is done, unless `without_damaged` says to go on without it. It stays in the log either way.
    """
    try:
        _rebuild(store, without_damaged=without_damaged)
    except sqlite3.OperationalError as error:
        raise StoreError(f"the store {store.path} is too damaged to rebuild: {error}", RESTORE) from error


def _rebuild(store: Store, *, without_damaged: bool) -> None:
    with store.transaction() as db:
        db.execute("REINDEX")
        filing = Filing(db)
        unreadable = []
        for seq, number, body in db.execute("SELECT seq, ticket, body FROM changes ORDER BY seq"):
            try:
                filing.add(number, decode(body).ticket)
            except (UsageError, TypeError):
                unreadable.append(seq)
        if unreadable and not without_damaged:
            raise StoreError(
                f"{len(unreadable)} change(s) in the log cannot be read, the first at place {unreadable[0]}; "
                "what they said would be lost from the tables",
                f"{RESTORE} `chit fsck --rebuild --without-damaged` goes on without them.",
            )
        refile(db, filing.moves("main.tickets"))
        for table, condition, _ in ORPHANS:
            db.execute(f"DELETE FROM {table} WHERE {condition}")
        db.execute("UPDATE changes SET origin = -1 WHERE origin > 0 AND origin NOT IN (SELECT id FROM remotes)")
        db.execute("UPDATE remotes SET pushed = min(pushed, ?)", (log.last_seq(db),))
        reproject(store)
        db.execute("DROP TABLE temp.filed")
