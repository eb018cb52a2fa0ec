"""The query language's grammar: from text to a tree. Pure; knows neither fields nor values nor SQL.

    disjunction  = conjunction { "OR" conjunction }
    conjunction  = unary { [ "AND" ] unary }
    unary        = ( "NOT" | "-" ) unary | "(" disjunction ")" | term
    term         = text | name ":" value { "," value }
    value        = [ ">=" | "<=" | ">" | "<" | "=" | "~" ] atom | atom ".." [ atom ] | ".." atom
    text, atom   = a run of characters without a blank | '"' anything '"'

A recursive descent by hand: it keeps the column of everything, so that every complaint can say where. What comes in is hostile:
length, depth and the number of terms are limited.
"""

from typing import NoReturn

from chit_sync.errors import QueryError
from chit_sync.query.tree import And, Atom, Not, Or, Term, Text, Tree, Value

MAX_BYTES = 4096
MAX_DEPTH = 32
MAX_TERMS = 256

_OPERATORS = (">=", "<=", ">", "<", "=", "~")
_BLANK = " \t\r\n\v\f"
_ENDS_WORD = frozenset(_BLANK + '()"')
_ENDS_ATOM = frozenset(_BLANK + '()",')


def parse(text: str) -> Tree:
    """The tree of a query. Raises QueryError with the column."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise QueryError(
            f"the query is longer than {MAX_BYTES} bytes", MAX_BYTES + 1, "Ask for less, or save a part of the work."
        )
    for column, char in enumerate(text, 1):
        if (char < " " and char not in _BLANK) or "\x7f" <= char <= "\x9f":
            raise QueryError("the query holds a control character", column)
        if "\ud800" <= char <= "\udfff":
            raise QueryError("the query is not valid UTF-8", column)
    return _Parser(text).query()


class _Parser:
    """Reads `text` from `at` on."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.terms = 0

    def query(self) -> Tree:
        self.skip()
        if self.at == len(self.text):
            return And(1, [])
        found = self.disjunction()
        if self.at < len(self.text):
            self.fail("there is no '(' for this ')'", self.at, "Take it away, or quote it if it is to be searched for.")
        return found

    def disjunction(self) -> Tree:
        start = self.at
        first = self.conjunction()
        parts: list[Tree] = [first]
        while self.keyword("OR"):
            parts.append(self.conjunction())
        return first if len(parts) == 1 else Or(start + 1, parts)

    def conjunction(self) -> Tree:
        start = self.at
        first = self.unary()
        parts: list[Tree] = [first]
        while True:
            if self.keyword("AND"):
                parts.append(self.unary())
            elif self.at == len(self.text) or self.text[self.at] == ")" or self.ahead("OR"):
                return first if len(parts) == 1 else And(start + 1, parts)
            else:
                parts.append(self.unary())

    def unary(self) -> Tree:
        start = self.at
        if self.keyword("NOT") or self.minus():
            self.deeper(start)
            part = self.unary()
            self.depth -= 1
            return Not(start + 1, part)
        if self.peek() == "(":
            self.deeper(start)
            self.at += 1
            self.skip()
            if self.peek() == ")":
                self.fail("there is nothing between these parentheses", start)
            inside = self.disjunction()
            if self.peek() != ")":
                self.fail(
                    "this '(' is never closed", start, "Add a ')', or quote the text if it is to be searched for."
                )
            self.at += 1
            self.depth -= 1
            self.skip()
            return inside
        return self.term()

    def term(self) -> Text | Term:
        start = self.at
        char = self.peek()
        for word in ("OR", "AND"):
            if self.ahead(word):
                self.fail(f"there is nothing before {word}", start, f'Quote it to search for the word: "{word}".')
        if not char or char == ")":
            self.fail("something is missing here", start, "AND, OR, NOT and '-' stand before a term.")
        self.count(start)
        if char == '"':
            text = self.quoted()
            self.separated()
            return Text(start + 1, text, quoted=True)
        word = self.take(_ENDS_WORD | {":"})
        if self.peek() != ":":
            self.separated()
            return Text(start + 1, word, quoted=False)
        if not word:
            self.fail("the name of a field is missing before ':'", start, "Quote the text if it is to be searched for.")
        self.at += 1
        values = [self.value(word)]
        while self.peek() == ",":
            self.at += 1
            self.count(self.at)
            values.append(self.value(word))
        self.separated()
        return Term(start + 1, word, values)

    def value(self, field: str) -> Value:
        start, field = self.at, field[:40]
        for op in _OPERATORS:
            if self.text.startswith(op, self.at):
                self.at += len(op)
                atom = self.atom()
                if atom is None:
                    self.fail(f"{field}: has nothing after {op}", self.at)
                if self.text.startswith("..", self.at):
                    self.fail(
                        f"{op} and a range do not go together", start, "Quote the value if the dots belong to it."
                    )
                return Value(start + 1, op, atom)
        low = self.atom()
        if not self.text.startswith("..", self.at):
            if low is None:
                self.fail(f"{field}: has no value here", start, f"{field}:none finds what has none.")
            return Value(start + 1, "", low)
        self.at += 2
        high = self.atom()
        if low is None and high is None:
            self.fail("the range has no end", start, "Write a.., ..b or a..b.")
        if self.text.startswith("..", self.at):
            self.fail("a range has two ends", self.at, "Quote the value if the dots belong to it.")
        return Value(start + 1, "..", low, high)

    def atom(self) -> Atom | None:
        start = self.at
        if self.peek() == '"':
            return Atom(start + 1, self.quoted(), quoted=True)
        while self.at < len(self.text) and self.text[self.at] not in _ENDS_ATOM:
            if self.text.startswith("..", self.at):
                break
            self.at += 1
        return Atom(start + 1, self.text[start : self.at], quoted=False) if self.at > start else None

    def quoted(self) -> str:
        start = self.at
        chars: list[str] = []
        while True:
            self.at += 1
            char = self.peek()
            if not char:
                self.fail("this quote is never closed", start, 'Add a " at the end; a quote inside is written \\".')
            if char == '"':
                self.at += 1
                return "".join(chars)
            if char == "\\" and self.text[self.at + 1 : self.at + 2] in ('"', "\\"):
                self.at += 1
                char = self.text[self.at]
            chars.append(char)

    def take(self, ends: frozenset[str]) -> str:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in ends:
            self.at += 1
        return self.text[start : self.at]

    def separated(self) -> None:
        """After a term comes a blank, a parenthesis or the end."""
        if self.peek() and self.text[self.at] not in _BLANK + "()":
            self.fail(
                f"{self.text[self.at]} cannot stand here", self.at, 'Quote the whole: "two words", title:"two words".'
            )
        self.skip()

    def keyword(self, word: str) -> bool:
        """Takes the word, if it is here as a word of its own."""
        if not self.ahead(word):
            return False
        self.at += len(word)
        self.skip()
        return True

    def ahead(self, word: str) -> bool:
        end = self.at + len(word)
        return self.text.startswith(word, self.at) and (end == len(self.text) or self.text[end] in _ENDS_WORD)

    def minus(self) -> bool:
        if self.peek() != "-":
            return False
        self.at += 1
        if self.peek() == "" or self.peek() in _BLANK:
            self.fail("there is nothing behind this '-'", self.at - 1, 'Quote it if it is to be searched for: "-".')
        return True

    def skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in _BLANK:
            self.at += 1

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def deeper(self, at: int) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"the query is nested more than {MAX_DEPTH} deep", at)

    def count(self, at: int) -> None:
        self.terms += 1
        if self.terms > MAX_TERMS:
            self.fail(f"the query has more than {MAX_TERMS} terms", at)

    def fail(self, message: str, at: int, hint: str = "") -> NoReturn:
        raise QueryError(message, at + 1, hint)
