"""Queries that parse and mean nothing: what is said, and where."""

from collections.abc import Iterator
from datetime import UTC

import pytest

from chit_sync.errors import QueryError
from chit_sync.query import listing
from support.desk import Desk, full_desk
from support.stores import NOON


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with a ticket of every sort."""
    desk = full_desk(tmp_path_factory.mktemp("desk") / "store")
    yield desk
    desk.store.close()


@pytest.mark.parametrize(
    ("query", "column", "message", "hint"),
    [
        (
            "is:open staus:open", 9, "unknown field 'staus'",
            "Did you mean 'status'? To look for it as text, quote it: \"staus:…\".",
        ),
        ("http://example.com", 1, "unknown field 'http'", 'To look for it as text, quote it: "http:…".'),
        ("state:open", 1, "unknown field 'state'",
         'Write is:open or is:closed. To look for it as text, quote it: "state:…".'),
        ("emergency:yes", 1, "unknown field 'emergency'",
         'Write is:emergency. To look for it as text, quote it: "emergency:…".'),
        ("10:30", 1, "unknown field '10'", 'To look for it as text, quote it: "10:…".'),
        ("status:opne", 8, "status cannot be 'opne'",
         "Did you mean 'open'? It is one of: new, open, pending, review, resolved, closed, rejected."),
        ("category:none", 10, "category cannot be 'none'",
         "It is one of: new, open, pending, review, resolved, closed, rejected."),
        ("priority:hihg..", 10, "priority cannot be 'hihg'",
         "Did you mean 'high'? It is one of: critical, high, normal, low, planned."),
        ("priority:high,6", 15, "priority cannot be '6'", "It is one of: critical, high, normal, low, planned."),
        ("priority:~high", 10, "priority: cannot be searched by ~", "It is one of: critical, high, normal, low, planned."),
        ("type:incidnet", 6, "type cannot be 'incidnet'",
         "Did you mean 'incident'? It is one of: incident, request, problem, change, question, task, bug, feature, epic."),
        ("is:opened", 4, "is: cannot be 'opened'",
         ("Did you mean 'open'? It is one of: open, closed, deleted, merged, unpushed, conflict, overdue, emergency, mine,"
         " waiting-customer, waiting-agent, outsourced, offered.")),
        ("has:atachment", 5, "a ticket cannot have or lack 'atachment'",
         ("Did you mean 'attachment'? It is one of: title, status, impact, type, queue, assignee, requester, organization,"
         " contract, product, due, description, body, priority, label, link, comment, attachment, handoff, partner, x.NAME.")),
        ("due:tomorow", 5, "'tomorow' is not a time",
         ("Did you mean 'tomorrow'? Times are 2026-11-23, 2026-11-23T14:05, 2026-11, today, yesterday, tomorrow, monday,"
         " 30m, 2h, 7d, 2w.")),
        ("due:today..2026-02-30", 12, "'2026-02-30' is not a time: day is out of range for month",
         "Times are 2026-11-23, 2026-11-23T14:05, 2026-11, today, yesterday, tomorrow, monday, 30m, 2h, 7d, 2w."),
        ("created:2026-03-03..2026-03-01", 9, "the range ends before it begins",
         "It runs from 2026-03-03 00:00 to 2026-03-02 00:00."),
        ("created:~2026", 9, "a time cannot be searched by ~", "Write 2026-11-23, or a range: 2026-11-01.."),
        ("created:none", 9, "'none' is not a time",
         "Times are 2026-11-23, 2026-11-23T14:05, 2026-11, today, yesterday, tomorrow, monday, 30m, 2h, 7d, 2w."),
        ("queue:a..b", 7, "queue: has no order, a range means nothing here",
         "Write queue:VALUE, or queue:A,B for any of several."),
        ("assignee:>a", 10, "assignee: has no order, > means nothing here",
         "Write assignee:VALUE, or assignee:A,B for any of several."),
        ("is:~open", 4, "is: cannot be searched by ~", "Write is:VALUE, or is:A,B for any of several."),
        ("queue:@me", 7, "@me is a person, queue is not", "It goes with assignee, requester and author."),
        ("number:abc", 8, "'abc' is not a number", "Write number:12 or number:12..15."),
        ("number:1..b", 11, "'b' is not a number", "Write number:12 or number:12..15."),
        ("number:~1", 8, "number: cannot be searched by ~", "Write number:12 or number:12..15."),
        ("number:a#b", 8, "'b' is not a number", "Write number:12 or number:12..15."),
        ("id:abc", 4, "'abc' is no id", "An id is spelled in letters from k to z; number:12 finds numbers."),
        ("link:12", 6, "'12' is no id", "An id is spelled in letters from k to z; number:12 finds numbers."),
        ("x.:1", 4, "'' cannot name a custom field", "A name has 1 to 100 letters, digits, dots, dashes or underscores."),
        ("x.a'b:1", 7, "\"a'b\" cannot name a custom field",
         "A name has 1 to 100 letters, digits, dots, dashes or underscores."),
        ("a ***", 3, "'***' has no letter or digit to look for",
         "Words are found, signs are not; title:~… finds any text."),
        ("a*b", 1, "* can only stand at the end of a word", "title:*middle* finds a part of a title."),
        ("sort:prio", 6, "cannot sort by 'prio'",
         ("Did you mean 'priority'? It is one of: priority, updated, created, due, number, title, status, rank; -updated is"
         " the newest first.")),
        ("a OR sort:due", 6, "sort: orders the whole list; it cannot stand under OR or NOT",
         "Put it outside of the parentheses."),
        ("is:open sort:rank", 1, "there is nothing to rank by: the query looks for no word",
         "Sort by updated, or add a word."),
    ],
)  # fmt: skip
def test_refused(desk: Desk, query: str, column: int, message: str, hint: str) -> None:
    """What means nothing is refused with its column, what is wrong, and what would be right; never taken for text."""
    with pytest.raises(QueryError) as caught:
        desk.find(query)
    assert (caught.value.column, caught.value.message, caught.value.hint) == (column, message, hint)


def test_nobody(desk: Desk) -> None:
    """Who has no name cannot ask for what is theirs."""
    for query in ("assignee:@me", "is:mine"):
        with pytest.raises(QueryError) as caught:
            desk.find(query, me="")
        assert caught.value.message == "it is not known who you are"
        assert "chit config set user.name" in caught.value.hint


def test_bad_query_of_a_stream_is_refused_at_once(desk: Desk) -> None:
    """A stream is refused before its first row is asked for."""
    with pytest.raises(QueryError):
        listing.rows(desk.store, "nosuch:field", me="", now=NOON, tz=UTC)
