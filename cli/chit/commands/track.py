"""`chit track`."""

import click

from chit.context import App
from chit.exchanged import pulled_record, say_pulled
from chit.exchanging import chosen
from chit.framework import command
from chit_sync.errors import NotFoundError, UsageError
from chit_sync.helpdesks.base import Helpdesk, Snapshot
from chit_sync.store.reading import idents
from chit_sync.store.remotes import Remote

_MOST_DIGITS = 15


@command()
@click.argument("numbers", nargs=-1, required=True, metavar="NUMBER…")
def track(app: App, numbers: tuple[str, ...]) -> None:
    """Take tickets of a helpdesk by their numbers there, and follow them from now on.

    Also such as the remote's address does not ask for.

    \b
    chit track 1234
    chit track 17 18 --remote desk
    """
    from chit.helpdesks import check_helpdesk, mapping_for, reach_desk
    from chit_sync.exchange.mirror.reading import track as take

    remote = chosen(app)
    check_helpdesk(remote, "tracking is")
    wanted = [_number(name, remote) for name in numbers]
    desk = reach_desk(app, remote.url)
    try:
        if app.options.dry_run:
            _foresee(app, remote, desk, wanted)
            return
        pulled = take(app.store, remote, desk, wanted, mapping=mapping_for(app, remote))
    finally:
        desk.close()
    record = pulled_record(app.store, pulled)
    ids = idents(app.store, pulled.tickets)
    app.output.one(record, lambda: "\n".join(ids[number] for number in pulled.tickets))
    say_pulled(app, app.store, remote, pulled)


def _number(name: str, remote: Remote) -> int:
    """`17`, `#17` or `origin#17`."""
    place, _, digits = name.rpartition("#")
    if place not in ("", remote.name):
        raise UsageError(f"{name} is not a number at {remote.name}", f"Say --remote {place}.")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS):
        raise UsageError(f"{name!r} is no number of a ticket")
    return int(digits)


def _foresee(app: App, remote: Remote, desk: Helpdesk, wanted: list[int]) -> None:
    """Says what would be taken. Raises NotFoundError for what is not there."""
    from chit_sync.exchange.results import Pulled

    found = desk.read(wanted)
    absent = [str(one.number) for one in found if not isinstance(one, Snapshot)]
    if absent:
        raise NotFoundError(f"{remote.name} has no ticket {', '.join(absent)} that we may see")
    app.output.one(pulled_record(app.store, Pulled(created=len(found))), str)
    for one in found:
        if isinstance(one, Snapshot):
            app.say(f"would take #{one.number}: {one.fields.get('title') or ''}")
