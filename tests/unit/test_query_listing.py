"""Lists: the row, the order, pages and totals, the states that are listed, streams and numbers."""

from collections.abc import Iterator
from datetime import UTC

import pytest

from chit_sync.clock import DAY
from chit_sync.query import listing
from support.desk import Desk, full_desk
from support.stores import NOON


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with a ticket of every sort."""
    desk = full_desk(tmp_path_factory.mktemp("desk") / "store")
    yield desk
    desk.store.close()


def test_streams_and_numbers_find_the_same(desk: Desk) -> None:
    """The stream, the numbers for bulk writes and the count agree with the page."""
    for text in ("", "is:closed", "printer", "disk OR printer", "assignee:anna"):
        page = listing.page(desk.store, text, me="anna", now=NOON, tz=UTC)
        assert list(listing.rows(desk.store, text, me="anna", now=NOON, tz=UTC)) == page.rows
        assert listing.numbers(desk.store, text, me="anna", now=NOON, tz=UTC) == [row.num for row in page.rows]
        assert listing.count(desk.store, text, me="anna", now=NOON, tz=UTC) == page.total == len(page.rows)


def test_row(desk: Desk) -> None:
    """A row has what a list shows."""
    row = listing.page(desk.store, "number:1", me="", now=NOON, tz=UTC).rows[0]
    assert row == (1, desk.ids["fire"], "Printer on fire", "new", 1, "Anna", "first line", 1, NOON - 4 * DAY)


def test_all_states(desk: Desk) -> None:
    """With all states a query finds closed tickets, too, but no deleted ones; the latest first."""
    assert desk.find("", all_states=True) == "login copy twice disk jam fire wish"
    assert desk.find("assignee:anna", all_states=True) == "jam fire"
    assert desk.find("is:open", all_states=True) == "fire disk login twice"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sort:priority", "fire disk login twice"),
        ("sort:-priority", "login twice disk fire"),
        ("sort:updated", "fire disk twice login"),
        ("sort:-updated", "login twice disk fire"),
        ("sort:created", "fire disk login twice"),
        ("sort:-created", "twice login disk fire"),
        ("sort:due", "fire disk login twice"),
        ("sort:-due", "login disk fire twice"),
        ("sort:number", "fire disk login twice"),
        ("sort:-number", "twice login disk fire"),
        ("sort:title", "disk login fire twice"),
        ("sort:status", "fire disk login twice"),
        ("sort:-status,title is:closed", "wish jam copy"),
        ("sort:title sort:number label:ci", "disk fire"),
        ("printer sort:title", "jam fire"),
        ("printer sort:priority", "fire jam"),
        ("disk sort:rank", "disk twice fire"),
        ("disk sort:-rank", "fire twice disk"),
        ("disk fire sort:rank", "fire"),
    ],
)
def test_order(desk: Desk, query: str, found: str) -> None:
    """Sorting goes by the keys in turn, backwards with a minus; what has no due date is last either way."""
    assert desk.find(query) == found


def test_order_beside_the_query(desk: Desk) -> None:
    """An order that is given beside the query comes before the query's own."""
    assert desk.find("", sort="-number") == "twice login disk fire"
    assert desk.find("sort:number", sort="title") == desk.find("sort:title")
    assert desk.find("is:closed", sort=" priority , -updated") == "copy jam wish"


def test_pages(desk: Desk) -> None:
    """Pages follow one another without a gap or a repetition, and each says how many there are in all."""
    for text, whole in (
        ("", "fire disk login twice"),
        ("printer OR disk", "twice disk jam fire"),
        ("disk", "twice disk fire"),
    ):
        names = whole.split()
        for size in (1, 2, 3):
            pages = [desk.find(text, limit=size, offset=start) for start in range(0, len(names), size)]
            assert " ".join(pages) == whole
        for start in range(len(names)):
            assert listing.page(desk.store, text, me="", now=NOON, tz=UTC, limit=1, offset=start).total == len(names)
    beyond = listing.page(desk.store, "", me="", now=NOON, tz=UTC, offset=99)
    assert beyond == ([], 4)
    assert desk.find("", limit=None) == "fire disk login twice"
