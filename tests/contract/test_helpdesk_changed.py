"""What every adapter of a helpdesk must tell of what changed: all of it, in pages that can be gone on from, whatever happens meanwhile."""

import json
from contextlib import closing

import pytest

from chit_sync.helpdesks.base import Gone, Helpdesk, Page, Snapshot
from support.sites import Sides, queues, same


def _numbers(pages: list[Page]) -> set[int]:
    return {found.number for page in pages for found in page.found}


def _news(desk: Sides, pages: list[Page]) -> set[int]:
    """The numbers of those that are not as they were when they were last read."""
    return {
        found.number
        for page in pages
        for found in page.found
        if not isinstance(found, Snapshot) or found.number not in desk.seen or not same(found, desk.seen[found.number])
    }


def _since(desk: Sides, cursor: str) -> list[Page]:
    """What changed since the cursor."""
    return list(desk.here.changed(cursor, set(desk.seen)))


def test_everything_is_told_once(desk: Sides) -> None:
    """The first reading tells of all tickets that `numbers` knows, in full, and counts them."""
    made, pages, numbers = desk.first_reading()
    told = [found.number for page in pages for found in page.found]
    assert set(made) <= numbers <= set(told)
    assert len(set(told)) == len(told)
    assert all(len(page.found) <= 100 for page in pages)
    assert pages[-1].done >= len(told)
    (first,) = (found for page in pages for found in page.found if found.number == made[0])
    assert isinstance(first, Snapshot)
    assert same(first, desk.read(made[0]))


def test_nothing_new(desk: Sides) -> None:
    """After everything was read, nothing has changed; and the next cursor is as good as this one."""
    desk.there.add_ticket("Before", "Text")
    cursor = desk.caught_up()
    for _ in range(3):
        pages = _since(desk, cursor)
        assert _news(desk, pages) == set()
        cursor = pages[-1].cursor if pages else cursor


def test_cursor_is_small(desk: Sides) -> None:
    """A cursor is a text that does not grow with the helpdesk."""
    cursor = desk.caught_up()
    assert len(cursor) < 4000
    assert isinstance(json.loads(cursor), dict | list | str | int)


EDITS = ("title", "status", "comment", "note", "file", "new")


@pytest.mark.parametrize("what", EDITS)
def test_one_edit_is_told(desk: Sides, what: str) -> None:
    """One thing that somebody does there brings exactly that ticket, as it is now."""
    numbers = [desk.there.add_ticket(f"Quiet {n}", "Text") for n in range(3)]
    number = numbers[1]
    cursor = desk.caught_up()
    match what:
        case "title":
            desk.there.edit(number, title="Edited there")
        case "status":
            desk.there.edit(
                number, status=next(choice.name for choice in desk.about.statuses if choice.means == "closed")
            )
        case "comment":
            desk.there.say(number, "Said there", True)
        case "note" if desk.about.features["notes"].read:
            desk.there.say(number, "Said to staff", False)
        case "file":
            desk.there.attach(number, "there.txt", b"attached there")
        case _:
            number = desk.there.add_ticket("New there", "Text")
    pages = _since(desk, cursor)
    assert _news(desk, pages) == {number}
    (last,) = [found for page in pages for found in page.found if found.number == number][-1:]
    assert isinstance(last, Snapshot)
    assert same(last, desk.read(number))


def test_own_writes_are_told(desk: Sides) -> None:
    """What we do ourselves is told like what others do."""
    made = desk.create()
    cursor = desk.caught_up()
    desk.update(made.number, {"title": "By us"})
    assert _news(desk, _since(desk, cursor)) == {made.number}


def test_edits_are_told_in_a_row(desk: Sides) -> None:
    """Edits in quick succession, a reading between each, are all told, however coarse the helpdesk's clock is."""
    number = desk.there.add_ticket("Quick", "Text")
    cursor = desk.caught_up()
    for n in range(4):
        desk.there.edit(number, title=f"Quick {n}")
        pages = _since(desk, cursor)
        for page in pages:
            desk.take(page)
        cursor = desk.cursor
        assert desk.seen[number].fields["title"] == f"Quick {n}"


def test_reading_goes_on_after_each_page(desk: Sides) -> None:
    """Who stops after any page goes on with its cursor, and misses nothing; no page has more than a hundred tickets."""
    cursor, known, made = desk.many()
    told: set[int] = set()
    count = 0
    while set(made) - told:
        page = next(iter(desk.here.changed(cursor, known)), None)
        assert page is not None, f"{len(set(made) - told)} tickets were left out"
        assert len(page.found) <= 100
        told |= {found.number for found in page.found}
        cursor = page.cursor
        count += 1
        assert count < 50, "reading page by page comes to no end"
    assert count > 1


def test_edits_while_paging_are_not_skipped(desk: Sides) -> None:
    """Tickets that are edited between the pages are told of as they are then, in this reading or in the next."""
    cursor, known, made = desk.many()
    edited = {made[0], made[len(made) // 2], made[-1]}
    titles: dict[int, object] = {}
    first = True
    for page in desk.here.changed(cursor, known):
        titles |= {found.number: found.fields["title"] for found in page.found if isinstance(found, Snapshot)}
        cursor = page.cursor
        if first:
            for number in edited:
                desk.there.edit(number, title="Edited meanwhile")
            new = desk.there.add_ticket("New meanwhile", "Text")
            first = False
    for page in desk.here.changed(cursor, known | set(titles)):
        titles |= {found.number: found.fields["title"] for found in page.found if isinstance(found, Snapshot)}
    assert set(made) <= set(titles)
    assert {titles[number] for number in edited} == {"Edited meanwhile"}
    assert titles[new] == "New meanwhile"


def test_deleted_ticket(desk: Sides) -> None:
    """A ticket that somebody deletes there is gone when it is read, is in no list, and is never told of as if it were there."""
    number, stays = desk.there.add_ticket("Deleted there", "Text"), desk.there.add_ticket("Stays there", "Text")
    cursor = desk.caught_up()
    desk.there.remove(number)
    told = {found.number: found for page in _since(desk, cursor) for found in page.found}
    assert not isinstance(told.get(number), Snapshot)
    gone, other = desk.here.read([number, stays])
    assert isinstance(gone, Gone)
    assert isinstance(other, Snapshot)
    numbers = set(desk.here.numbers())
    assert stays in numbers
    assert number not in numbers


def _told(here: Helpdesk, cursor: str, known: set[int]) -> tuple[set[int], str]:
    pages = list(here.changed(cursor, known))
    return _numbers(pages), pages[-1].cursor if pages else cursor


def test_only_a_queue_is_followed(desk: Sides) -> None:
    """Who follows a queue is told of that one only, but of a ticket that is known wherever it goes."""
    assert len(desk.about.queues) > 1
    other, follows = queues(desk.about)[:2]
    inside = desk.there.add_ticket("Inside", "Text", queue=follows)
    outside = desk.there.add_ticket("Outside", "Text", queue=other)
    with closing(desk.following(follows)) as here:
        told, cursor = _told(here, "", set())
        assert inside in told
        assert outside not in told
        numbers = set(here.numbers())
        assert inside in numbers
        assert outside not in numbers
        desk.there.edit(inside, queue=other)
        told, cursor = _told(here, cursor, {inside})
        assert inside in told
        assert inside not in set(here.numbers())
        (moved,) = here.read([inside])
        assert isinstance(moved, Snapshot)
        assert moved.fields.get("queue") != follows
        desk.there.edit(inside, title="Edited outside")
        told, cursor = _told(here, cursor, {inside})
        assert inside in told
        desk.there.edit(outside, queue=follows)
        told, _ = _told(here, cursor, {inside})
        assert outside in told
