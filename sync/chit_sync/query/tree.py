"""What a query says, as a tree. Pure data: `parse` makes it, `compile` reads it. Columns count from 1."""


class Node:
    """A part of a query. column: where it begins, from 1. size: how many terms it holds."""

    __slots__ = ("column", "size")

    def __init__(self, column: int, size: int = 1) -> None:
        self.column = column
        self.size = size


class Not(Node):
    """What its part does not find."""

    __slots__ = ("part",)

    def __init__(self, column: int, part: "Tree") -> None:
        super().__init__(column, part.size)
        self.part = part


class And(Node):
    """What all of its parts find; without parts, everything."""

    __slots__ = ("parts",)

    def __init__(self, column: int, parts: list["Tree"]) -> None:
        super().__init__(column, sum(part.size for part in parts))
        self.parts = parts


class Or(Node):
    """What one of its parts finds."""

    __slots__ = ("parts",)

    def __init__(self, column: int, parts: list["Tree"]) -> None:
        super().__init__(column, sum(part.size for part in parts))
        self.parts = parts


class Text(Node):
    """A word or a quoted phrase to look for."""

    __slots__ = ("quoted", "text")

    def __init__(self, column: int, text: str, *, quoted: bool) -> None:
        super().__init__(column)
        self.text = text
        self.quoted = quoted


class Atom:
    """A piece of a value. What is quoted means itself, never `none`, `@me` or a pattern."""

    __slots__ = ("column", "quoted", "text")

    def __init__(self, column: int, text: str, *, quoted: bool) -> None:
        self.column = column
        self.text = text
        self.quoted = quoted

    @property
    def word(self) -> str:
        """The text in lower case unless it is quoted; for comparing with words of the language."""
        return "" if self.quoted else self.text.lower()


class Value:
    """op: one of > >= < <= = ~, `..` for a range, or nothing. A range has a low or a high end or both, others have `low` alone."""

    __slots__ = ("column", "high", "low", "op")

    def __init__(self, column: int, op: str, low: Atom | None, high: Atom | None = None) -> None:
        self.column = column
        self.op = op
        self.low = low
        self.high = high


class Term(Node):
    """A field with the values that it may have, at least one."""

    __slots__ = ("field", "values")

    def __init__(self, column: int, field: str, values: list[Value]) -> None:
        super().__init__(column, len(values))
        self.field = field
        self.values = values


Tree = And | Or | Not | Text | Term
"""Any query."""
