"""What is there, each ticket read when somebody looks at it: a real server may have many."""

from collections.abc import Callable, Iterable
from typing import Any

Shown = dict[str, Any]


class Tickets(dict[int, Shown]):
    """All tickets by number. read: shows one of them."""

    def __init__(self, numbers: Iterable[int], read: Callable[[int], Shown]) -> None:
        super().__init__((number, {}) for number in numbers)
        self._read = read

    def __getitem__(self, number: int) -> Shown:
        return self._read(number)

    def values(self) -> Any:
        """What is in them."""
        return [self[number] for number in self]

    def items(self) -> Any:
        """Their numbers, and what is in them."""
        return [(number, self[number]) for number in self]
