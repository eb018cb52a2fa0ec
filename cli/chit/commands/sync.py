"""`chit sync`."""

import sys

import click

from chit.context import App
from chit.exchanged import check_moves, pulled_record, pushed_record, say_pulled, say_pushed
from chit.exchanging import Progress, chosen, connect, mapping_of
from chit.fetching import get_all_bytes
from chit.framework import command
from chit_sync.errors import AccessError, ChitError, UsageError
from chit_sync.exchange.syncing import sync as exchange

_SECONDS = {"s": 1, "m": 60, "h": 3_600}


@command()
@click.option("--attachments", is_flag=True, help="Bring the bytes of attachments too.")
@click.option("--every", metavar="TIME", help="Do it again and again, as often as that: 60s, 5m, 1h. Ctrl-C ends it.")
def sync(app: App, attachments: bool, every: str | None) -> None:
    """Pull, then push.

    With --every it goes on until it is interrupted; what goes wrong in a round is said and tried again in the next one. With --json
    each round prints one line.

    \b
    chit sync
    chit sync --every 60s
    """
    if every is None:
        _round(app, attachments)
    else:
        _repeat(app, attachments, _seconds(every))


def _round(app: App, attachments: bool) -> None:
    remote = chosen(app)
    other, mapping = connect(app, remote), mapping_of(app, remote)
    try:
        with Progress(app, f"sync {remote.name}") as progress:
            pulled, pushed = exchange(
                app.store, remote, other, mapping=mapping, progress=progress, dry_run=app.options.dry_run
            )
        if attachments and not app.options.dry_run:
            get_all_bytes(app, app.store, remote, other)
    finally:
        other.close()
    if app.output.structured:
        app.output.one(
            {
                "schema": "chit.synced/1",
                "pulled": pulled_record(app.store, pulled),
                "pushed": pushed_record(app.store, pushed),
            },
            str,
        )
    say_pulled(app, app.store, remote, pulled)
    if pushed.refused:
        check_moves(app, app.store, pulled, failing=True)
    say_pushed(app, remote, pushed, pulled=True)
    check_moves(app, app.store, pulled)


def _repeat(app: App, attachments: bool, seconds: int) -> None:
    """Rounds that begin at equal distances; one that takes longer than that leaves some out. Ends with KeyboardInterrupt or AccessError."""
    from time import monotonic, sleep

    if app.options.json:
        app.options.json, app.options.jsonl = False, True
    began = monotonic()
    while True:
        try:
            _round(app, attachments)
        except AccessError:
            raise
        except ChitError as error:
            _say_error(app, error)
        sys.stdout.flush()
        passed = monotonic() - began
        sleep(seconds - passed % seconds)


def _say_error(app: App, error: ChitError) -> None:
    """What went wrong in a round; for a program as the problem object that would otherwise end the command, a line on standard error."""
    from chit.boundary import report

    report(error, as_json=app.options.jsonl)


def _seconds(text: str) -> int:
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdecimal() and unit in _SECONDS and 0 < int(number) < 100_000):
        raise UsageError(f"--every takes a time like 60s, 5m or 1h, not {text!r}")
    return int(number) * _SECONDS[unit]
