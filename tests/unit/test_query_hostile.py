"""Queries from people who mean ill, or none: nothing but QueryError comes of them, nothing is written, nothing else is found."""

from collections.abc import Iterator
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chit_sync.errors import QueryError
from chit_sync.query import listing
from chit_sync.query.compile import IS, SORTS
from chit_sync.query.fields import FIELDS
from chit_sync.query.presence import HAS
from support.desk import Desk, full_desk
from support.stores import NOON
from support.tables import contents


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with a ticket of every sort."""
    desk = full_desk(tmp_path_factory.mktemp("desk") / "store")
    yield desk
    desk.store.close()


def numbers(desk: Desk, text: str, *, all_states: bool = False) -> list[int]:
    """The numbers of what a query finds."""
    return listing.numbers(desk.store, text, me="anna", now=NOON, tz=UTC, all_states=all_states)


ATOMS = st.sampled_from(
    ["a", "anna", "open", "high", "1", "-3", "7d", "today", "2026-03-01", "none", "any", "@me", "k", "disk", "pr*", "*a*", "%", "_",
     "[a-z]", "'", "''", "\\", ";--", "ß", "İ", "\u0301", "💥", "a#1", "{", "NEAR", "*", "ﬁ", "1e9", "9" * 20]
)  # fmt: skip
QUOTED = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=8).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
ATOM = st.one_of(ATOMS, QUOTED)
VALUE = st.one_of(
    ATOM,
    st.tuples(st.sampled_from([">", ">=", "<", "<=", "=", "~"]), ATOM).map("".join),
    st.tuples(ATOM, st.just(".."), ATOM).map("".join),
    st.tuples(ATOM, st.just("..")).map("".join),
)
FIELD = st.sampled_from([*FIELDS, "x.serial", "x.note", "x.größe"])
TERM = st.one_of(
    st.tuples(FIELD, st.lists(VALUE, min_size=1, max_size=3).map(",".join)).map(":".join),
    st.sampled_from([f"is:{name}" for name in IS] + [f"has:{name}" for name in HAS] + [f"no:{name}" for name in HAS]),
    ATOM,
)
QUERY = st.recursive(
    TERM,
    lambda inner: st.one_of(
        inner.map("NOT {}".format),
        inner.map("-({})".format),
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: "(" + " ".join(parts) + ")"),
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: "(" + " OR ".join(parts) + ")"),
    ),
    max_leaves=12,
)


@given(st.one_of(QUERY, st.text(max_size=40)), st.sampled_from(["", *SORTS]), st.booleans())
def test_nothing_else_is_raised(desk: Desk, text: str, sort: str, all_states: bool) -> None:
    """Whatever is asked, it is answered or refused; the page, the stream, the numbers and the count agree."""
    if sort:
        text += f" sort:-{sort}"
    try:
        found = numbers(desk, text, all_states=all_states)
    except QueryError:
        return
    page = listing.page(desk.store, text, me="anna", now=NOON, tz=UTC, all_states=all_states)
    assert [row.num for row in page.rows] == found
    assert page.total == len(found)
    assert listing.count(desk.store, text, me="anna", now=NOON, tz=UTC, all_states=all_states) == len(found)


@given(QUERY)
def test_not_is_the_rest(desk: Desk, text: str) -> None:
    """A query and its negation find every ticket once between them."""
    everything = set(numbers(desk, "is:open OR is:closed OR is:deleted"))
    spoken = "(is:deleted OR NOT is:deleted)"
    try:
        found = numbers(desk, f"{spoken} ({text})")
    except QueryError:
        return
    rest = numbers(desk, f"{spoken} NOT ({text})")
    assert set(found) | set(rest) == everything
    assert len(found) + len(rest) == len(everything)


@given(QUERY, QUERY)
def test_and_or(desk: Desk, one: str, other: str) -> None:
    """AND finds what both find, OR what one of them finds."""
    spoken = "(is:deleted OR NOT is:deleted)"
    try:
        first, second = (set(numbers(desk, f"{spoken} ({text})")) for text in (one, other))
    except QueryError:
        return
    assert set(numbers(desk, f"{spoken} ({one}) AND ({other})")) == first & second
    assert set(numbers(desk, f"{spoken} (({one}) OR ({other}))")) == first | second


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE tickets; --",
        "title:='; DELETE FROM tickets; --",
        'title:"x\' OR 1=1 --"',
        "assignee:\"' OR ''='\"",
        'x.a:"1\') OR 1=1 --"',
        'label:"x\')) OR 1=1 --"',
        '"a\\" OR title : \\"printer"',
        '"printer\\" NOT \\"fire"',
        "NEAR(printer fire)",
        "{title}:x",
        "^printer",
        "printer+fire",
        "id:zzz'--",
        "number:1;2",
    ],
)
def test_injection(desk: Desk, text: str) -> None:
    """What looks like SQL or like FTS5's own language is text to look for, or refused; it changes nothing and opens nothing."""
    before = contents(desk.store)
    try:
        found = desk.find(text)
    except QueryError:
        found = ""
    assert contents(desk.store) == before
    assert found in ("", "jam fire", "fire")


def test_words_of_fts_are_words(desk: Desk) -> None:
    """Operators of the full-text index are words like others: one that no ticket has finds none."""
    for text in ("near", '"AND"', "printer near", '"printer NOT fire"', "title", "body:title"):
        assert desk.find(text) == ""


@pytest.mark.parametrize(
    "leaf", ["a", "label:a", "closed:7d", "has:link", "-label:a", "number:3..5", "comment:~a", "x.a:>1"]
)
@pytest.mark.parametrize("joint", ["{leaf} {word}({rest})", "({rest}) {word}{leaf}", "-{leaf} {word}-({rest})"])
def test_the_deepest_queries_run(desk: Desk, leaf: str, joint: str) -> None:
    """SQLite's parser has a stack of its own, which no query that ours takes can exhaust."""
    text = leaf
    for level in range(15 if "-(" in joint else 31):
        word = "OR " if level % 2 else ""
        text = joint.format(leaf=leaf, rest=text, word=word)
    numbers(desk, text)


@pytest.mark.parametrize("leaf", ["a", "k:", "label:a", "closed:7d", "title:~b", "has:link"])
def test_the_longest_queries_run(desk: Desk, leaf: str) -> None:
    """As many terms as are allowed, beside one another, run."""
    if leaf == "k:":
        assert numbers(desk, "id:" + ",".join("k" * 255)) == numbers(desk, "id:k")
        return
    for joint in (" ", " OR "):
        text = joint.join([leaf] * 255)[:4096].rsplit(joint, 1)[0]
        numbers(desk, text)
        numbers(desk, f"-({text})" if len(text) < 4000 else text)


def test_long_patterns(desk: Desk) -> None:
    """A pattern as long as a query can be is within what SQLite takes, in letters with case as well."""
    for char in ("a", "ä", "*a", "*ä", "[", "%"):
        text = f"title:={char * (4000 // len(char.encode()))}"
        assert numbers(desk, text) == []
        assert numbers(desk, text.replace("=", "~").replace("[", "%")) == []
        assert numbers(desk, text.replace("=", "=*")) == []
