"""Makes the changes of a large file in a second process, while this one writes them: the two take about the same time.

The second process is a fork of this one that never touches the store. It sends batches through a pipe, and at its end what else it found.
"""

import marshal
import os
import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from chit_sync import errors
from chit_sync.codec import decode
from chit_sync.store.log import Record
from chit_sync.transfer.histories import History
from chit_sync.transfer.items import Tie
from chit_sync.transfer.making import Batch, Making
from chit_sync.transfer.report import Failure
from chit_sync.transfer.source import Source
from chit_sync.transfer.taking import BATCH

LARGE = 1 << 20
"""Bytes of a file for which a second process is worth its start."""


def worth_it(source: Source) -> bool:
    """Whether there are a large file, a second processor to read it on, and no threads, which a fork could leave in any state."""
    threading = sys.modules.get("threading")
    return (
        (source.size or 0) >= LARGE
        and sys.platform == "linux"
        and len(os.sched_getaffinity(0)) > 1
        and (threading is None or threading.active_count() == 1)
    )


def batches(making: Making) -> Generator[Batch, None, None]:
    """The same as `making.batches()`. Raises what that raises, and StoreError if the second process dies."""
    from multiprocessing import get_context

    reading, writing = os.pipe()
    child = get_context("fork").Process(target=_work, args=(making, reading, writing), daemon=True)
    child.start()
    os.close(writing)
    try:
        with open(reading, "rb") as pipe:
            while True:
                try:
                    kind, *found = marshal.load(pipe)
                except (EOFError, ValueError, TypeError):
                    raise errors.StoreError(
                        "the process that read the file died", "Run the import again: it goes on where it was."
                    ) from None
                if kind == "batch":
                    yield Batch([_history(*one) for one in found[0]], {}, found[1])
                elif kind == "end":
                    making.rows, failures, ties, keys = found
                    making.failures += [Failure(*failure) for failure in failures]
                    making.ties += [Tie(*tie) for tie in ties]
                    making.keys.update(keys)
                    return
                else:
                    _raise(*found)
    finally:
        child.kill()
        child.join()
        child.close()


def _history(ticket: str, key: str, records: list[tuple[bytes, bytes]]) -> History:
    made = [Record(ident, body, decode(body)) for ident, body in records]
    return History(ticket, key, made, None)


def _raise(name: str, message: str, hint: str) -> NoReturn:
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, errors.ChitError):
        raise kind(message, hint)
    raise RuntimeError(f"{name} in the process that read the file: {message}")


def _work(making: Making, reading: int, writing: int) -> None:
    """What the second process does. An interruption is for the first one to see, which then ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.close(reading)
    with suppress(BrokenPipeError), open(writing, "wb") as pipe:  # the first one was killed
        for message in _messages(making):
            marshal.dump(tuple(message), pipe)


def _messages(making: Making) -> Generator[Sequence[Any], None, None]:
    try:
        # As much at once as goes into a transaction: while the other process writes it, the next is made.
        found: list[Any] = []
        changes = 0
        for batch in making.batches():
            found += [
                (one.ticket, one.key, [(record.id, record.body) for record in one.records]) for one in batch.histories
            ]
            changes += sum(len(one.records) for one in batch.histories)
            if changes >= BATCH or not batch.histories:
                yield "batch", found, batch.share
                found, changes = [], 0
        yield "batch", found, 1.0
        yield (
            "end", making.rows, [tuple(one) for one in making.failures], [tuple(one) for one in making.ties], making.keys,
        )  # fmt: skip
    except errors.ChitError as error:
        yield "error", type(error).__name__, error.message, error.hint
    except Exception as error:  # noqa: BLE001  # the other process raises it
        yield "error", type(error).__name__, str(error), ""
