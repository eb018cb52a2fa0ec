"""What a check finds, counted and kept within bounds: a damaged store can have a million of one kind."""

from typing import NamedTuple

MOST = 50
"""Most problems of one kind that are listed one by one."""


class Problem(NamedTuple):
    """Something wrong with a store. kind: a word for programs. where: in what. cure: what to do. harmless: it may stay as it is.

    Kinds: database, change, filing, sequence, identity, tables, attachment, orphan; harmless: missing (bytes that come when they are
    asked for), stray (a file that nothing names), partial (bytes of an arrival that was interrupted).
    """

    kind: str
    where: str
    message: str
    cure: str
    harmless: bool = False


class Problems:
    """Collects problems."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._counts: dict[str, int] = {}

    def add(self, kind: str, where: str, message: str, cure: str, *, harmless: bool = False) -> None:
        """Takes note of one, in full while there are few of its kind."""
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count <= MOST:
            self._found.append(Problem(kind, where, message, cure, harmless))

    def listing(self) -> list[Problem]:
        """Those that matter first; where there were too many of a kind, one more entry says how many."""
        listed = list(self._found)
        for kind, count in self._counts.items():
            if count > MOST:
                like = next(problem for problem in self._found if problem.kind == kind)
                listed.append(like._replace(where="…", message=f"{count - MOST} more of the same kind"))
        return sorted(listed, key=lambda problem: problem.harmless)
