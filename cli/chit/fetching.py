"""The bytes of attachments, fetched from where they are: the remote, or the helpdesk that the ticket came from."""

from typing import TYPE_CHECKING, cast

from chit.context import App
from chit.exchanging import Progress, chosen, connect
from chit.text import counted, size
from chit_sync.errors import PartialError
from chit_sync.helpdesks.address import is_helpdesk
from chit_sync.remotes.base import Log
from chit_sync.store import blobs, remotes
from chit_sync.store.blobs import Missing
from chit_sync.store.database import Store
from chit_sync.store.reading import load
from chit_sync.store.remotes import Remote
from chit_sync.ticket import Attachment, Ticket

if TYPE_CHECKING:
    from chit_sync.exchange.mirror.files import Wanted
    from chit_sync.helpdesks.base import Helpdesk


def get_bytes(app: App, ticket: Ticket, attachment: Attachment) -> Attachment:
    """Fetches the bytes of an attachment; returns it with what is known of it then."""
    remote = _where(app, ticket, attachment)
    if remote is None:
        return attachment
    source = connect(app, remote)
    try:
        if is_helpdesk(remote.url):
            from chit_sync.exchange.mirror.files import Wanted

            wanted = [Wanted(ticket.number, attachment.id, attachment.name)]
            _from_helpdesk(app, app.store, remote, cast("Helpdesk", source), wanted)
        elif attachment.sha256:
            missing = [Missing(attachment.sha256, attachment.size, attachment.name, 0)]
            _from_store(app, app.store, cast("Log", source), missing)
    finally:
        source.close()
    return next((one for one in load(app.store, ticket.number).attachments if one.id == attachment.id), attachment)


def get_all_bytes(app: App, store: Store, remote: Remote, source: "Log | Helpdesk") -> None:
    """Fetches the bytes of all attachments that are not here. Raises PartialError if some cannot be had."""
    if is_helpdesk(remote.url):
        from chit_sync.exchange.mirror.files import wanting

        _from_helpdesk(app, store, remote, cast("Helpdesk", source), wanting(store, remote))
    else:
        _from_store(app, store, cast("Log", source), blobs.missing(store))


def _where(app: App, ticket: Ticket, attachment: Attachment) -> Remote | None:
    """The remote that is asked: the one named, else the default one; for a file that only a helpdesk has ever had, that helpdesk.

    None where that helpdesk is no remote here.
    """
    if app.options.remote or attachment.sha256:
        return chosen(app)
    there = {one.remote for one in ticket.elsewhere}
    desks = [one for one in remotes.listing(app.store) if one.name in there and is_helpdesk(one.url)]
    return desks[0] if desks else None


def _from_store(app: App, store: Store, source: Log, wanted: list[Missing]) -> None:
    from chit_sync.exchange.attachments import fetch

    with Progress(app, "attachments") as progress:
        done = fetch(store, source, wanted, progress=progress)
    _say(app, done.files, done.bytes, [f"{missing.name}: {reason}" for missing, reason in done.failed])


def _from_helpdesk(app: App, store: Store, remote: Remote, desk: "Helpdesk", wanted: "list[Wanted]") -> None:
    from chit_sync.exchange.mirror.files import fetch

    with Progress(app, "attachments") as progress:
        done = fetch(store, remote, desk, wanted, progress=progress)
    _say(app, done.files, done.bytes, [f"{one.name}: {reason}" for one, reason in done.failed])


def _say(app: App, files: int, total: int, failures: list[str]) -> None:
    """What came of it. Raises PartialError."""
    if files:
        app.say(f"fetched {counted(files, 'attachment')}, {size(total)}")
    if failures:
        raise PartialError(
            f"{counted(len(failures), 'attachment')} could not be had", failures, "Ask whoever attached them to push."
        )
