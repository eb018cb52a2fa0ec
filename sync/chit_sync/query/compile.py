"""From a query's tree to SQL: the conditions on `tickets t`, the words to look for, the order. Pure; `listing` runs it.

Besides that, what a query says about the state of tickets is worked out here, because a query that says nothing means open tickets:
it is confined to them unless it speaks of status, category or state, names tickets (id, number, link), looks for words, or asks for what
must not be overlooked (is:conflict, is:unpushed). Deleted tickets are found only where is:deleted is spoken of. What a lead offers and
nobody here has accepted is none of our open tickets, and is found where partners are spoken of.
"""

from chit_sync.errors import QueryError
from chit_sync.query import fields, presence
from chit_sync.query.parse import parse
from chit_sync.query.tree import And, Not, Or, Term, Text, Tree
from chit_sync.query.values import Context, join, only, suggestion
from chit_sync.query.words import Sql, Word, among, word
from chit_sync.schema import OPEN_CATEGORIES

SORTS = ("priority", "updated", "created", "due", "number", "title", "status", "rank")

IS = (
    "open", "closed", "deleted", "merged", "unpushed", "conflict", "overdue", "emergency", "mine",
    "waiting-customer", "waiting-agent", "outsourced", "offered",
)  # fmt: skip

_SPEAKS_OF_OFFERS = frozenset(("id", "number", "link", "handoff"))
_SPEAKS_OF_STATE = _SPEAKS_OF_OFFERS | {"status", "category", "closed"}
_IS_SPEAKS_OF_OFFERS = frozenset(("unpushed", "conflict", "offered"))
_IS_SPEAKS_OF_STATE = _IS_SPEAKS_OF_OFFERS | {"open", "closed", "deleted", "merged"}
_WORDS = frozenset(("title", "description", "body", "comment"))


class Compiled:
    """A query, ready to be run.

    conditions: all must hold. words: all must be found. order: (key, descending), the most important first. open: it finds open
    tickets only; offers: with them what leads offer; anything: where it does not, it finds offers too. deleted: it may find deleted
    ones. statuses: in their order, for sorting.
    """

    __slots__ = ("anything", "conditions", "deleted", "offers", "open", "order", "statuses", "words")

    def __init__(self, statuses: list[str]) -> None:
        self.statuses = statuses
        self.conditions: list[Sql] = []
        self.words: list[Word] = []
        self.order: list[tuple[str, bool]] = []
        self.open = False
        self.offers = False
        self.anything = False
        self.deleted = False

    @property
    def by_recency(self) -> bool:
        """Whether the newest come first: where that is asked for, or nothing is and not only open tickets are listed, or words were
        looked for. Otherwise open tickets are listed by urgency, then recency."""
        return self.order[0] == ("updated", True) if self.order else bool(self.words or not self.open)


def compile_query(text: str, context: Context, *, all_states: bool = False, sort: str | None = None) -> Compiled:
    """Reads a query. all_states: does not confine it to open tickets. sort: an order that comes before its own.

    Raises QueryError.
    """
    compiler = _Compiler(context)
    compiled = compiler.compiled
    tree = parse(text)
    for part in _parts(tree):
        if isinstance(part, Text):
            compiler.anywhere = True
            compiled.words.append(word(part.text, part.column, quoted=part.quoted))
        elif isinstance(part, Term) and part.field.lower() == "sort":
            compiled.order += _order(part)
        elif isinstance(part, Term) and (words := _words(part)):
            compiler.anywhere = True
            compiled.words += words
        else:
            compiled.open = compiled.open or compiler.only_open(part)
            compiled.conditions.append(compiler.sql(part, negated=False))
    if sort is not None:
        compiled.order[:0] = _sorting(sort)
    if not all_states and not compiler.anywhere:
        compiled.open = True
    if compiled.deleted:
        compiled.open = False
    compiled.anything |= all_states or compiled.offers or bool(compiled.words) or compiler.looks
    if not compiled.words and any(key == "rank" for key, _ in compiled.order):
        raise QueryError(
            "there is nothing to rank by: the query looks for no word", 1, "Sort by updated, or add a word."
        )
    return compiled


def _parts(node: Tree) -> list[Tree]:
    """What must all hold, with the parentheses taken away that change nothing."""
    if isinstance(node, And):
        return [inner for part in node.parts for inner in _parts(part)]
    return [node]


def _words(term: Term) -> list[Word]:
    """The word that a term looks for in one part of a ticket, if that is all that it does."""
    name = term.field.lower()
    if (
        name not in _WORDS
        or len(term.values) > 1
        or (term.values[0].low and term.values[0].low.word in ("none", "any"))
    ):
        return []
    found = fields.text_word(name, term.values[0])
    return [found] if found else []


def _names(term: Term) -> set[str]:
    """The values of a term, as words."""
    return {value.low.word for value in term.values if value.low}


def _is_presence(term: Term) -> bool:
    """Whether a term asks for any value or none only."""
    return _names(term) <= {"any", "none"}


def _sorting(text: str) -> list[tuple[str, bool]]:
    """The order that a `sort` beside the query asks for: `priority,-updated`."""
    order: list[tuple[str, bool]] = []
    at = 1
    for part in text.split(","):
        order.append(_sort_key(part.strip(), at))
        at += len(part) + 1
    return order


def _order(term: Term) -> list[tuple[str, bool]]:
    return [_sort_key(only(value, "sort").text, value.column) for value in term.values]


def _sort_key(text: str, column: int) -> tuple[str, bool]:
    key = text.removeprefix("-").lower()
    if key not in SORTS:
        raise QueryError(
            f"cannot sort by {text[:40]!r}",
            column,
            f"{suggestion(key, SORTS)}It is one of: {', '.join(SORTS)}; -updated is the newest first.",
        )
    return key, text.startswith("-")


class _Compiler:
    """Walks the tree. anywhere: the query says itself in which states tickets are looked for. looks: it looks for words."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.compiled = Compiled(list(context.statuses))
        self.anywhere = False
        self.looks = False

    def sql(self, node: Tree, *, negated: bool) -> Sql:
        """The condition. Negation is carried down to the terms, and the largest part stands first, so that SQLite's parser, which
        has a stack of 100, copes with any query that ours lets through."""
        if isinstance(node, Not):
            return self.sql(node.part, negated=not negated)
        if isinstance(node, And | Or):
            parts = sorted(node.parts, key=lambda part: -part.size)
            return join(
                [self.sql(part, negated=negated) for part in parts],
                "OR" if isinstance(node, Or) is not negated else "AND",
            )
        if isinstance(node, Text):
            self.looks = self.looks or not negated
            self.anywhere = self.anywhere or not negated
            found = among(word(node.text, node.column, quoted=node.quoted))
        else:
            found = self.term(node, negated=negated)
        return (f"({found[0]}) IS NOT TRUE", found[1]) if negated else found

    def term(self, term: Term, *, negated: bool) -> Sql:
        """The condition of one field."""
        name = term.field if term.field.startswith("x.") else term.field.lower()
        if name in _SPEAKS_OF_STATE and not (name == "handoff" and _is_presence(term)):
            self.anywhere = True
            self.compiled.anything |= name in _SPEAKS_OF_OFFERS
        if not negated and (name in presence.HANDED or (name == "has" and _names(term) & set(presence.HANDED))):
            self.compiled.offers = True
        if name == "is":
            return join([self.state(only(value, "is").text.lower(), value.column) for value in term.values], "OR")
        if name in ("has", "no"):
            test = presence.has if name == "has" else presence.lacks
            return join([test(only(value, name).text, value.column) for value in term.values], "OR")
        if name == "sort":
            raise QueryError(
                "sort: orders the whole list; it cannot stand under OR or NOT",
                term.column,
                "Put it outside of the parentheses.",
            )
        condition = fields.condition(name, term.column)
        parts: list[Sql] = []
        for value in term.values:
            if value.op == "" and value.low and value.low.word in ("none", "any") and presence.can_lack(name):
                test = presence.lacks if value.low.word == "none" else presence.has
                parts.append(test(name, value.column))
            else:
                self.looks = self.looks or (name in _WORDS and not negated)
                self.anywhere = self.anywhere or self.looks
                parts.append(condition(value, self.context))
        return join(parts, "OR")

    def state(self, name: str, column: int) -> Sql:
        """The condition of one `is:`."""
        if name in _IS_SPEAKS_OF_STATE:
            self.anywhere = True
            self.compiled.anything |= name in _IS_SPEAKS_OF_OFFERS
        if name == "deleted":
            self.compiled.deleted = True
        if name == "mine":
            return fields.mine("t.assignee", self.context, column)
        if name == "overdue":
            return "(t.state = 0 AND t.due < ?)", [self.context.now]
        if name == "waiting-customer":
            return fields.category(self.context, "pending")
        if name == "waiting-agent":
            return fields.category(self.context, "new", "open")
        if name in presence.IS:
            return presence.IS[name], []
        raise QueryError(
            f"is: cannot be {name[:40]!r}", column, f"{suggestion(name, IS)}It is one of: {', '.join(IS)}."
        )

    def only_open(self, node: Tree) -> bool:
        """Whether the condition, one of those that must all hold, leaves open tickets only; the store has an index of these."""
        if not isinstance(node, Term) or any(value.op not in ("", "=") for value in node.values):
            return False
        name = node.field.lower()
        words = [value.low.text.lower() for value in node.values if value.low]
        if name == "is":
            return all(word in ("open", "overdue") for word in words)
        if name == "category":
            return all(word in OPEN_CATEGORIES for word in words)
        if name == "status":
            categories = {status.lower(): name for status, name in self.context.statuses.items()}
            return all(categories.get(word) in OPEN_CATEGORIES for word in words)
        return False
