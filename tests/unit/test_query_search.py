"""Searching for words finds the same whichever way is taken: the plan is about speed alone."""

import random
from collections.abc import Iterator
from datetime import UTC

import pytest

from chit_sync.authoring import Edit, comment_paths
from chit_sync.clock import HOUR
from chit_sync.query import listing, search
from chit_sync.registers import Value
from chit_sync.store.database import Store
from chit_sync.store.making import new_item
from support.stores import NOON, Clock, disk_store, write

WORDS = ("every", "most", "many", "some", "few", "one")
"""Words of the tickets, from the commonest to the rarest: the nth is in about 1 of 2^n texts."""

QUERIES = (
    "every", "most", "few", "one", "never", "every most", "most many", "many few", "few one", "every one", "most one never",
    "every most many some", '"every most"', "mos*", "mos* few", "e* o*", "mos* every", "title:most", "comment:most every",
    "description:many title:most", "is:open every", "is:open few most", "assignee:anna most", "assignee:anna few every",
    "NOT few most", "(few OR one) most", "most sort:-updated", "label:rare every",
)  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store of 150 tickets, in the order of whose last changes there is no order of their numbers."""
    chance = random.Random(1)
    clock = Clock()
    store = disk_store(tmp_path_factory.mktemp("search") / "store", "search", clock)

    def text() -> str:
        return " ".join(word for power, word in enumerate(WORDS) if chance.random() < 2.0**-power)

    for _ in range(150):
        clock.now = NOON + chance.randrange(1000) * HOUR
        paths: dict[str, Value] = {
            "title": f"ticket {text()}",
            "description": text(),
            "assignee": chance.choice(("anna", "bob")),
        }
        paths["status"] = chance.choice(("open", "closed"))
        for _ in range(chance.randrange(4)):
            paths |= comment_paths(new_item(store), f"said {text()}", "public")
        if chance.random() < 0.05:
            paths["labels/rare"] = True
        if chance.random() < 0.05:
            paths["deleted"] = True
        write(store, Edit(None, paths))
    yield store
    store.close()


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize(
    ("sample", "few", "most", "probe"),
    [(1000, 100, 500, 30.0), (0, 0, 500, 0.0), (0, 0, 0, 30.0), (5, 0, 500, 0.1), (20, 5, 500, 0.5), (40, 100, 500, 30.0), (8, 0, 10, 0.0)],
)  # fmt: skip
def test_all_ways_lead_to_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch, query: str, sample: int, few: int, most: int, probe: float
) -> None:
    """However rare, common or costly the words are taken to be, the page is the same part of the same list, and a total is right."""
    for name, value in (("SAMPLE", sample), ("FEW", few), ("MOST", most), ("PROBE", probe)):
        monkeypatch.setattr(search, name, value)
    whole = listing.numbers(store, query, me="anna", now=NOON, tz=UTC)
    for limit, offset in ((1, 0), (3, 0), (3, 2), (50, 0), (200, 0), (5, 140)):
        page = listing.page(store, query, me="anna", now=NOON, tz=UTC, limit=limit, offset=offset)
        assert [row.num for row in page.rows] == whole[offset : offset + limit]
        assert page.total in (None, len(whole))
        assert page.total is not None or len(page.rows) == limit or offset


def test_a_total_is_left_out_rather_than_paid_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where counting takes more steps than are allowed there is no total; the rows are the same, and the open tickets are counted."""
    options = {"me": "anna", "now": NOON, "tz": UTC, "limit": 5}
    before = listing.page(store, "assignee:anna", **options)  # type: ignore[arg-type]  # options of several types in one dict
    plain = listing.page(store, "", **options)  # type: ignore[arg-type]  # as above
    monkeypatch.setattr(listing, "COUNT_STEPS", 50)
    after = listing.page(store, "assignee:anna", **options)  # type: ignore[arg-type]  # as above
    assert before.total == listing.count(store, "assignee:anna", me="anna", now=NOON, tz=UTC)
    assert (after.rows, after.total) == (before.rows, None)
    assert listing.page(store, "", **options) == plain  # type: ignore[arg-type]  # as above
    assert plain.total is not None
