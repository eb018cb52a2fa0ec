"""Fetch, pull and track with a helpdesk: page by page, each with its cursor in one transaction; an interruption leaves whole pages."""

from collections.abc import Sequence

from chit_sync.errors import ConflictError, RemoteError
from chit_sync.exchange.mirror.session import MappingFor, Session, alone
from chit_sync.exchange.mirror.settling import settle
from chit_sync.exchange.mirror.taking import ASK, Taking
from chit_sync.exchange.results import Fetched, Progress, Pulled, silent
from chit_sync.helpdesks.base import Gone, Helpdesk
from chit_sync.store import bases, remotes
from chit_sync.store.database import Store
from chit_sync.store.remotes import Remote

AT_ONCE = 50
"""Tickets that are read by number at once."""


MAX_STILL = 100
"""Pages in a row after which the cursor is where it was before."""

MAX_CURSOR = 1 << 20
"""Most characters of a cursor."""


def fetch(store: Store, remote: Remote, desk: Helpdesk, *, mapping: MappingFor, progress: Progress = silent) -> Fetched:
    """Reads what changed there and keeps it beside the log. Raises AccessError, RemoteError; what came before is kept."""
    with alone(store, remote):
        session = Session(store, remote, desk, mapping)
        settle(session)
        taking = Taking(session, aside=True)
        _read(taking, progress)
    waiting = store.db.execute("SELECT count(*) FROM incoming WHERE remote = ?", (remote.id,)).fetchone()[0]
    return Fetched(taking.taken, waiting)


def pull(
    store: Store,
    remote: Remote,
    desk: Helpdesk,
    *,
    mapping: MappingFor,
    progress: Progress = silent,
    dry_run: bool = False,
    full: bool = False,
    agree: bool = False,
) -> Pulled:
    """Takes what was fetched, then what changed there since. Raises AccessError, RemoteError; what came before is kept.

    full: reads everything again, for what a helpdesk does not tell of by itself, and asks for the complete list of what is followed, and so
    finds what was deleted or has left. agree: to however many deletions;
    otherwise more than ASK of them raise ConflictError, after all else was taken.
    """
    with alone(store, remote):
        session = Session(store, remote, desk, mapping)
        if not dry_run:
            settle(session)
        taking = Taking(session)
        with store.transaction(dry_run=dry_run):
            taking.waiting()
        _read(taking, progress, dry_run=dry_run, agree=agree, afresh=full)
        if full:
            _look_round(taking, dry_run=dry_run, agree=agree)
        return taking.result()


def track(store: Store, remote: Remote, desk: Helpdesk, numbers: Sequence[int], *, mapping: MappingFor) -> Pulled:
    """Takes tickets by their numbers there, also such as the query does not follow. Raises NotFoundError for one that is not there."""
    from chit_sync.errors import NotFoundError

    with alone(store, remote):
        session = Session(store, remote, desk, mapping)
        settle(session)
        taking = Taking(session)
        found = session.read(list(dict.fromkeys(numbers)))
        absent = [str(one.number) for one in found if isinstance(one, Gone)]
        if absent:
            raise NotFoundError(
                f"{remote.name} has no ticket {', '.join(absent)} that we may see",
                "Is it the number, and may this account see it?",
            )
        with store.transaction():
            taking.waiting()
            taking.page(found)
        return taking.result()


def _read(
    taking: Taking, progress: Progress, *, dry_run: bool = False, agree: bool = False, afresh: bool = False
) -> None:
    """What changed since the cursor; afresh: everything."""
    session, store = taking.session, taking.store
    session.meet()
    remote = session.remote.id
    cursor = "" if afresh else store.meta(remotes.cursor_key(remote), "")
    gone: list[Gone] = []
    still = 0
    for page in session.desk.changed(cursor, bases.known(store, remote)):
        still = still + 1 if page.cursor == cursor else 0
        if still >= MAX_STILL or len(page.cursor) > MAX_CURSOR:
            raise RemoteError(
                f"{session.remote.name} tells of what changed without coming to an end",
                "Run it again later; what had come is kept.",
            )
        with store.transaction(dry_run=dry_run) as db:
            deletions = [one for one in page.found if isinstance(one, Gone) and one.how == "deleted"]
            taking.page([one for one in page.found if one not in deletions])
            gone += deletions
            for one in _fresh(
                taking, deletions
            ):  # the cursor goes on now, they are taken at the end: not to be forgotten
                bases.set_troubles(store, remote, one.number, {"deleted": "it is deleted there, and not yet here"})
            cursor = page.cursor
            if not afresh:  # interrupted, it would have to be read to its end by the next pull, whoever asked for that
                store.set_meta(remotes.cursor_key(remote), cursor)
            db.execute("UPDATE remotes SET contact = ? WHERE id = ?", (store.now(), remote))
        progress(page.done, page.total)
    if afresh:
        with store.transaction(dry_run=dry_run):
            store.set_meta(remotes.cursor_key(remote), cursor)
    told = {one.number for one in gone}
    again = sorted({one.number for one in bases.troubles(store, remote)} - told | set(bases.untied(store, remote)))
    for start in range(0, len(again), AT_ONCE):
        found = session.read(again[start : start + AT_ONCE])
        with store.transaction(dry_run=dry_run):
            deletions = [one for one in found if isinstance(one, Gone) and one.how == "deleted"]
            taking.page([one for one in found if one not in deletions])
        gone += deletions
    _delete(taking, gone, dry_run=dry_run, agree=agree)


def _look_round(taking: Taking, *, dry_run: bool, agree: bool) -> None:
    """What is here and not in the complete list there: deleted, merged, hidden, or moved out of what the query follows."""
    session, store = taking.session, taking.store
    remote = session.remote.id
    listed = set(session.desk.numbers())
    absent = [number for number in bases.known(store, remote) if number not in listed]
    gone: list[Gone] = []
    left: list[int] = []
    for start in range(0, len(absent), AT_ONCE):
        found = session.read(absent[start : start + AT_ONCE])
        with store.transaction(dry_run=dry_run):
            deletions = [one for one in found if isinstance(one, Gone) and one.how == "deleted"]
            gone += deletions
            taking.page([one for one in found if one not in deletions])
            for one in found:
                agreed = bases.base(store, remote, one.number)
                if agreed and not isinstance(one, Gone) and not agreed.left:
                    agreed.left = True
                    bases.put_base(store, remote, one.number, agreed)
                    left.append(one.number)
    if left:
        which = ", ".join(f"#{number}" for number in left[:ASK]) + (" and more" if len(left) > ASK else "")
        taking.warnings.append(f"{which} is not among what the address asks for any more; still followed")
    _delete(taking, gone, dry_run=dry_run, agree=agree)


def _delete(taking: Taking, gone: list[Gone], *, dry_run: bool, agree: bool) -> None:
    """Takes in that tickets were deleted there: few of them, or if somebody agrees."""
    store, remote = taking.store, taking.session.remote
    fresh = _fresh(taking, gone)
    if len(fresh) > ASK and not agree:
        raise ConflictError(
            f"{len(fresh)} tickets are deleted in {remote.name}; everything else was taken",
            f"If that is meant, `chit pull --remote {remote.name} --full --yes` deletes them here too.",
        )
    with store.transaction(dry_run=dry_run):
        known = bases.bases(store, remote.id, [one.number for one in fresh])
        for one in fresh:
            taking.gone(one, known[one.number])


def _fresh(taking: Taking, gone: list[Gone]) -> list[Gone]:
    """Those that are known here and of which it is not known that they are gone."""
    known = bases.bases(taking.store, taking.session.remote.id, [one.number for one in gone])
    return list({one.number: one for one in gone if one.number in known and known[one.number].gone != one.how}.values())
