"""Looking for words: from what people type to tests on the full-text index `search`. Pure.

A ticket has a word if one of its texts has it: the row of its title and description, or the row of one of its comments. So each word is
a test of its own, and two words may be in different texts of a ticket. There are two ways to put the test, which find the same:
`among` reads all that the index has for the word, `probe` asks about one ticket; which of them is quicker, `search` decides.
"""

from typing import NamedTuple

from chit_sync.errors import QueryError

Sql = tuple[str, list[object]]
"""A condition on `tickets t`, and its parameters."""

ANYWHERE, TICKET, COMMENT = "anywhere", "ticket", "comment"

_SCOPES = {ANYWHERE: "", TICKET: " AND rowid & 16777215 = 0", COMMENT: " AND rowid & 16777215 > 0"}
_RANGES = {
    ANYWHERE: "BETWEEN t.num << 24 AND (t.num << 24) + 16777215",
    TICKET: "= t.num << 24",
    COMMENT: "BETWEEN (t.num << 24) + 1 AND (t.num << 24) + 16777215",
}


class Word(NamedTuple):
    """A word, a beginning of one, or a phrase. match: in the language of FTS5. scope: in which rows of the index. begins: it is the
    beginning of words, all of which the index has to merge first; this makes `probe` slow."""

    match: str
    scope: str = ANYWHERE
    begins: bool = False


def word(text: str, column: int, *, quoted: bool, part: str = "") -> Word:
    """The word that somebody typed, to be looked for in one part of the ticket (title, description, comment) or in all.

    Raises QueryError for what the index cannot find.
    """
    begins = not quoted and text.endswith("*")
    bare = text.rstrip("*") if begins else text
    if not any(char.isalnum() for char in bare):
        raise QueryError(
            f"{text[:40]!r} has no letter or digit to look for",
            column,
            "Words are found, signs are not; title:~… finds any text.",
        )
    if not quoted and "*" in bare:
        raise QueryError("* can only stand at the end of a word", column, "title:*middle* finds a part of a title.")
    match = '"' + bare.replace('"', '""') + '"' + (" *" if begins else "")
    if part == "title":
        return Word(f"title : {match}", TICKET, begins)
    if part:
        return Word(f"body : {match}", COMMENT if part == "comment" else TICKET, begins)
    return Word(match, ANYWHERE, begins)


def among(word: Word) -> Sql:
    """The test that reads the index once and looks tickets up in what it found."""
    return f"t.num IN (SELECT rowid >> 24 FROM search WHERE search MATCH ?{_SCOPES[word.scope]})", [word.match]


def probe(word: Word) -> Sql:
    """The test that asks the index about one ticket at a time."""
    return f"EXISTS (SELECT 1 FROM search WHERE search MATCH ? AND rowid {_RANGES[word.scope]})", [word.match]


def newest(word: Word, limit: int) -> Sql:
    """The tickets (their numbers, the greatest first) that have the word, one row a text."""
    sql = f"SELECT rowid >> 24 FROM search WHERE search MATCH ?{_SCOPES[word.scope]} ORDER BY rowid DESC LIMIT ?"
    return sql, [word.match, limit]


def rank(words: list[Word]) -> Sql:
    """A table (num, rank) of how well the best text of a ticket fits; the smallest is the best. A title counts four times."""
    sql = (
        "SELECT rowid >> 24 AS num, min(rank) AS rank FROM search WHERE search MATCH ?"
        " AND rank MATCH 'bm25(4.0, 1.0)' GROUP BY 1"
    )
    return sql, [" OR ".join(f"({word.match})" for word in words)]
