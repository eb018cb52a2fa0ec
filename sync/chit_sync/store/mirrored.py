"""What a batch must know of changes that were read from a helpdesk: whether each is the latest of its mirror, and who wrote what it meets.

Asked for mirrored changes alone, so that all others cost nothing more. The rule itself is in `registers`.
"""

from collections.abc import Callable, Iterable, Sequence

from chit_sync.change import Change
from chit_sync.clock import MAX_STAMP
from chit_sync.registers import Registers, before
from chit_sync.store.database import Connection

Earlier = Callable[[Registers[int], Iterable[str]], set[int]]
"""The places of what a mirrored change replaces at these paths without naming it."""


_BEGIN = b'{"at":'


class Mirrored:
    """The mirrored changes of a batch and of what came before it. steps: (seq, id, change), already in the log."""

    def __init__(self, db: Connection, steps: Sequence[tuple[int, bytes, Change]]) -> None:
        self._db = db
        self._steps = steps
        self._mirrors: dict[int, str] = {}
        self._latest: dict[tuple[int, str], tuple[int, bytes]] = {}

    def ascends(self, number: int, ident: bytes, change: Change, *, new: bool) -> bool:
        """Whether a change is later than all of its mirror that its ticket had. To be asked of each, in their order.

        number: this store's number of the ticket. new: whether the ticket came with this batch.
        """
        key, rank = (number, change.mirror), (change.at, ident)
        latest = self._latest.get(key)
        if latest is None and not new:
            latest = self._latest_in_log(number, change.mirror)
        if latest is not None and rank <= latest:
            self._latest[key] = latest
            return False
        self._latest[key] = rank
        return True

    def earlier(self, mirror: str) -> Earlier:
        """What a change of the mirror that ascends replaces."""
        return lambda registers, paths: before(registers, paths, mirror, self._mirror_of)

    def wrote(self, seq: int) -> bool:
        """Whether the change at that place was read from a helpdesk."""
        return bool(self._mirror_of(seq))

    def _latest_in_log(self, number: int, mirror: str) -> tuple[int, bytes] | None:
        # The canonical bytes begin with the stamp, and this can stand nowhere but after the author: in a text, quotes are escaped.
        mark = f',"mirror":"{mirror}","nonce":'.encode()
        rows = self._db.execute(
            "SELECT id, substr(body, 1, 40) FROM changes WHERE ticket = ? AND seq < ? AND instr(body, ?)",
            (number, self._steps[0][0], mark),
        )
        return max(((_stamp(begin), ident) for ident, begin in rows), default=None)

    def _mirror_of(self, seq: int) -> str:
        if not self._mirrors:
            self._mirrors = {place: change.mirror for place, _, change in self._steps}
        mirror = self._mirrors.get(seq)
        if mirror is None:
            from chit_sync.codec import decode

            (body,) = self._db.execute("SELECT body FROM changes WHERE seq = ?", (seq,)).fetchone()
            mirror = self._mirrors[seq] = decode(body).mirror
        return mirror


def _stamp(begin: bytes) -> int:
    """The stamp of the change whose canonical bytes begin so. One that is damaged counts as later than any: then the log is asked."""
    digits = begin.removeprefix(_BEGIN).partition(b",")[0]
    return int(digits) if digits.isdigit() else MAX_STAMP + 1
