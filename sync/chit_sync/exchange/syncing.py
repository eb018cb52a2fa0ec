"""Whole exchanges made of the single ones: sync, and clone."""

from typing import TYPE_CHECKING

from chit_sync.checks import has_control
from chit_sync.errors import AccessError, RemoteError
from chit_sync.exchange.pulling import pull
from chit_sync.exchange.pushing import push
from chit_sync.exchange.results import Progress, Pulled, Synced, joined, silent
from chit_sync.remotes.base import Log
from chit_sync.schema import CATEGORIES
from chit_sync.store import remotes
from chit_sync.store.database import Store, explained
from chit_sync.store.opening import create
from chit_sync.store.remotes import DEFAULT, Remote
from chit_sync.store.statuses import set_statuses
from chit_sync.wire import Info

if TYPE_CHECKING:
    from chit_sync.exchange.mirror.session import MappingFor
    from chit_sync.helpdesks.base import Description, Helpdesk


def sync(
    store: Store,
    remote: Remote,
    log: "Log | Helpdesk",
    *,
    mapping: "MappingFor | None" = None,
    progress: Progress = silent,
    dry_run: bool = False,
) -> Synced:
    """Pulls, then pushes: what others did is merged before ours is sent. Whoever rules on our moves does so at once, so that is pulled
    as well. mapping: for a helpdesk, what its words mean here."""
    pulled = pull(store, remote, log, mapping=mapping, progress=progress, dry_run=dry_run)
    pushed = push(store, remote, log, mapping=mapping, progress=progress, dry_run=dry_run)
    if mapping is not None:
        return Synced(pulled, pushed)
    if pushed.taken and not dry_run and (remotes.partner_of(store.db, remote.id) is not None or _moved(store)):
        pulled = joined(pulled, pull(store, remote, log, progress=progress))
    return Synced(pulled, pushed)


def _moved(store: Store) -> bool:
    """Whether moves of ours wait for a ruling: it may be the store of our own organisation that rules."""
    with explained(store.path):
        row = store.db.execute(
            "SELECT 1 FROM handoffs WHERE questions + held + pending + countered > 0 AND pending LIMIT 1"
        ).fetchone()
    return row is not None


def clone(path: str, url: str, log: Log, *, name: str = DEFAULT, progress: Progress = silent) -> tuple[Store, Pulled]:
    """Makes a store in the folder `path` from the one that `log` is, found at `url`, which becomes its remote `origin`.

    The remote is asked first, so that nothing is left behind when it is not there. A clone that breaks off leaves a store that
    `pull` completes. Raises ConflictError if there is a store already, RemoteError, AccessError.
    """
    info = log.info()
    _check_statuses(info)
    store = create(path)
    try:
        remote = remotes.add(store, name, url)
        _adopt(store, info)
        return store, pull(store, remote, log, progress=progress)
    except BaseException:
        store.close()
        raise


def clone_helpdesk(
    path: str,
    url: str,
    desk: "Helpdesk",
    *,
    mapping: "MappingFor",
    name: str = DEFAULT,
    about: "Description | None" = None,
    progress: Progress = silent,
) -> tuple[Store, Pulled]:
    """The same of a helpdesk: its statuses become the store's, so that nothing of them is lost.

    mapping is asked when the store has them. about: what the helpdesk has just said of itself, if it was asked.
    """
    from chit_sync.exchange.mirror import reading
    from chit_sync.exchange.mirror.session import Session
    from chit_sync.helpdesks.mapping import statuses_for

    about = about or desk.describe()
    store = create(path)
    try:
        remote = remotes.add(store, name, url)
        Session(store, remote, desk).keep(about)
        set_statuses(store, statuses_for(about))
        return store, reading.pull(store, remote, desk, mapping=mapping, progress=progress)
    except BaseException:
        store.close()
        raise


def _check_statuses(info: Info) -> None:
    names = info.statuses
    if not names:
        raise AccessError(
            "that is a partner's token, which shows its own handoffs and no more",
            "A partner has a store of its own: `chit init`, then `chit partner join` with the invitation.",
        )
    if not set(names.values()).issubset(CATEGORIES) or any(map(has_control, names)):
        raise RemoteError("the remote has statuses of a kind that this chit does not know", "Install a newer chit.")


def _adopt(store: Store, info: Info) -> None:
    """Takes over how the remote's statuses are called."""
    if info.statuses != store.statuses:
        set_statuses(store, info.statuses)
