"""The grammar of queries: what is read as what, and where complaints point."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chit_sync.errors import QueryError
from chit_sync.query.parse import MAX_DEPTH, MAX_TERMS, parse
from chit_sync.query.tree import And, Atom, Not, Or, Term, Text, Tree, Value


def spell(tree: Tree) -> str:
    """The tree in one line, with all parentheses."""
    if isinstance(tree, Not):
        return f"not {spell(tree.part)}"
    if isinstance(tree, And | Or):
        word = " and " if isinstance(tree, And) else " or "
        return f"({word.join(map(spell, tree.parts))})"
    if isinstance(tree, Text):
        return repr(tree.text) if tree.quoted else tree.text
    return f"{tree.field}[{' | '.join(map(_value, tree.values))}]"


def _value(value: Value) -> str:
    return " ".join(filter(None, [_atom(value.low), value.op, _atom(value.high)]))


def _atom(atom: Atom | None) -> str:
    return "" if atom is None else repr(atom.text) if atom.quoted else atom.text


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", "()"),
        (" \t ", "()"),
        ("printer", "printer"),
        ("disk full", "(disk and full)"),
        ("disk AND full", "(disk and full)"),
        ("a b OR c d", "((a and b) or (c and d))"),
        ("a OR b OR c", "(a or b or c)"),
        ("a (b OR c)", "(a and (b or c))"),
        ("(a)", "a"),
        ("((a OR b))c", "((a or b) and c)"),
        ("a(b)c", "(a and b and c)"),
        ("NOT a b", "(not a and b)"),
        ("-a", "not a"),
        ("--a", "not not a"),
        ("-(a OR b)", "not (a or b)"),
        ("NOT -label:x", "not not label[x]"),
        ("NOT(a)", "not a"),
        ("NOTa ORb and or", "(NOTa and ORb and and and or)"),
        ("well-known", "well-known"),
        ('"OR" "a b" "-x"', "('OR' and 'a b' and '-x')"),
        (r'"a \"b\" \\ \n"', r"""'a "b" \\ \\n'"""),
        ("print*", "print*"),
        ("label:ci,flaky", "label[ci | flaky]"),
        ('queue:"first line",b', "queue['first line' | b]"),
        ("priority:high..", "priority[high ..]"),
        ("due:..7d", "due[.. 7d]"),
        ("due:1d..7d,none", "due[1d .. 7d | none]"),
        ('product:"a..b".."c"', "product['a..b' .. 'c']"),
        ("priority:>=high", "priority[high >=]"),
        ("number:<5,>=7", "number[5 < | 7 >=]"),
        ("title:~a", "title[a ~]"),
        ("title:=a", "title[a =]"),
        ("due:2026-11-23T14:05..", "due[2026-11-23T14:05 ..]"),
        ("x.serial:a:b", "x.serial[a:b]"),
        ("a\u00a0b", "a\u00a0b"),
        ("assignee:-", "assignee[-]"),
        ("(label:a)", "label[a]"),
        (
            "NOT assignee:none (priority:high.. OR due:..7d)",
            "(not assignee[none] and (priority[high ..] or due[.. 7d]))",
        ),
    ],
)
def test_tree(text: str, tree: str) -> None:
    """AND binds more tightly than OR, NOT more tightly than both; quotes take away all meaning."""
    assert spell(parse(text)) == tree


def test_columns() -> None:
    """Every part knows where it begins, counted in characters from 1."""
    tree = parse('ä label:ci,"x y" NOT b')
    assert isinstance(tree, And)
    term, negated = tree.parts[1], tree.parts[2]
    assert isinstance(term, Term)
    assert isinstance(negated, Not)
    assert [part.column for part in tree.parts] == [1, 3, 18]
    assert [value.column for value in term.values] == [9, 12]
    assert negated.part.column == 22


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ('a "b', 3, "this quote is never closed", r'Add a " at the end; a quote inside is written \".'),
        ('title:"b\\"', 7, "this quote is never closed", r'Add a " at the end; a quote inside is written \".'),
        ("a (b", 3, "this '(' is never closed", "Add a ')', or quote the text if it is to be searched for."),
        ("((a) b", 1, "this '(' is never closed", "Add a ')', or quote the text if it is to be searched for."),
        ("a) b", 2, "there is no '(' for this ')'", "Take it away, or quote it if it is to be searched for."),
        ("a ()", 3, "there is nothing between these parentheses", ""),
        ("a OR", 5, "something is missing here", "AND, OR, NOT and '-' stand before a term."),
        ("(a OR) b", 6, "something is missing here", "AND, OR, NOT and '-' stand before a term."),
        ("OR a", 1, "there is nothing before OR", 'Quote it to search for the word: "OR".'),
        ("a AND AND b", 7, "there is nothing before AND", 'Quote it to search for the word: "AND".'),
        ("NOT", 4, "something is missing here", "AND, OR, NOT and '-' stand before a term."),
        ("a - b", 3, "there is nothing behind this '-'", 'Quote it if it is to be searched for: "-".'),
        ("label:", 7, "label: has no value here", "label:none finds what has none."),
        ("label:a, b", 9, "label: has no value here", "label:none finds what has none."),
        ("label:,a", 7, "label: has no value here", "label:none finds what has none."),
        ("due:..", 5, "the range has no end", "Write a.., ..b or a..b."),
        ("due:1d..2d..3d", 11, "a range has two ends", "Quote the value if the dots belong to it."),
        ("due:>1d..2d", 5, "> and a range do not go together", "Quote the value if the dots belong to it."),
        ("due:>=", 7, "due: has nothing after >=", ""),
        (":a", 1, "the name of a field is missing before ':'", "Quote the text if it is to be searched for."),
        ('19" screen', 3, '" cannot stand here', 'Quote the whole: "two words", title:"two words".'),
        ('"a"b', 4, "b cannot stand here", 'Quote the whole: "two words", title:"two words".'),
        ('"a":b', 4, ": cannot stand here", 'Quote the whole: "two words", title:"two words".'),
        ('title:a"b"', 8, '" cannot stand here', 'Quote the whole: "two words", title:"two words".'),
        ("a\x00b", 2, "the query holds a control character", ""),
        ("a \x9bb", 3, "the query holds a control character", ""),
        ("ab\udce4", 3, "the query is not valid UTF-8", ""),
        ("a " * 2049, 4097, "the query is longer than 4096 bytes", "Ask for less, or save a part of the work."),
        ("ä" * 2049, 4097, "the query is longer than 4096 bytes", "Ask for less, or save a part of the work."),
        ("(" * 33 + "a" + ")" * 33, 33, "the query is nested more than 32 deep", ""),
        ("-" * 33 + "a", 33, "the query is nested more than 32 deep", ""),
        ("a " * 257, 513, "the query has more than 256 terms", ""),
        ("id:" + "k," * 256 + "k", 516, "the query has more than 256 terms", ""),
    ],
)
def test_refused(text: str, column: int, message: str, hint: str) -> None:
    """What does not parse is refused with the place, what is wrong there, and what to do about it."""
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert (caught.value.column, caught.value.message, caught.value.hint) == (column, message, hint)


def test_limits_are_allowed() -> None:
    """What is just within the limits parses."""
    parse("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH)
    assert parse("a " * MAX_TERMS).size == MAX_TERMS
    parse("x" * 4096)


PIECES = st.sampled_from(
    ["(", ")", '"', "\\", "-", " ", " OR ", " AND ", " NOT ", ":", ",", "..", ">", ">=", "~", "=", "*", "@me", "none",
     "a", "b c", "ä", "title", "due", "7d", "x.y", "is:", "#", "\n", "'", ";", "%"]
)  # fmt: skip
QUERIES = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=40).map("".join))


@given(QUERIES)
def test_nothing_else_is_raised(text: str) -> None:
    """Whatever is typed, it parses or is refused with a column that is in it or just behind it."""
    column = 1
    try:
        parse(text)
    except QueryError as error:
        column = error.column
    assert 1 <= column <= len(text) + 1
