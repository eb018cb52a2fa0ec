"""Two people and a server, for the scenarios of exchange."""

from collections.abc import Sequence
from contextlib import closing

from chit_sync.exchange.pulling import pull
from chit_sync.exchange.pushing import push
from chit_sync.exchange.results import Pulled, Pushed, Synced
from chit_sync.exchange.syncing import clone as clone_
from chit_sync.exchange.syncing import sync as sync_
from chit_sync.remotes.registry import open_remote
from chit_sync.store import log, reading, remotes
from chit_sync.store.database import Store
from chit_sync.ticket import Ticket


def clone(path: object, address: str, token: str | None = None) -> Store:
    """A clone of what is at the address."""
    with closing(open_remote(address, token=token)) as source:
        return clone_(str(path), address, source)[0]


def pulled(store: Store, token: str | None = None) -> Pulled:
    """Pulls from the default remote."""
    remote = remotes.get(store)
    with closing(open_remote(remote.url, token=token)) as source:
        return pull(store, remote, source)


def pushed(store: Store, token: str | None = None, tickets: Sequence[int] | None = None) -> Pushed:
    """Pushes to the default remote."""
    remote = remotes.get(store)
    with closing(open_remote(remote.url, token=token)) as target:
        return push(store, remote, target, tickets=tickets)


def synced(store: Store) -> Synced:
    """Pulls and pushes."""
    remote = remotes.get(store)
    with closing(open_remote(remote.url)) as other:
        return sync_(store, remote, other)


def ticket(store: Store, ident: str) -> Ticket:
    """The ticket with that id."""
    return reading.load(store, reading.find(store, ident))


def everything(store: Store) -> list[tuple[object, ...]]:
    """All that a store shows, in a form in which equal stores are equal whatever the order in which things came."""
    rows = store.db.execute("SELECT id FROM tickets ORDER BY id").fetchall()
    shown: list[tuple[object, ...]] = []
    for (ident,) in rows:
        one = ticket(store, ident)
        fields = {path: [value for _, value in heads] for path, heads in one.registers.items()}
        items = {
            f"{key}/{name}": [value for _, value in heads]
            for key, registers in one.item_registers.items()
            for name, heads in registers.items()
        }
        shown.append((ident, one.created, one.updated, one.author, sorted(fields.items()), sorted(items.items())))
    return shown


def change_ids(store: Store) -> list[bytes]:
    """The ids of all changes, sorted; none is there twice."""
    ids = sorted(entry.id for entry in log.read(store, 0, 1 << 30))
    assert len(ids) == len(set(ids))
    return ids
