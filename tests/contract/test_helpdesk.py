"""What every adapter of a helpdesk must do with tickets and their fields. Held against memory, the stand-ins and the real servers."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from chit_sync.clock import HOUR
from chit_sync.errors import AccessError
from chit_sync.helpdesks.base import BOTH, FEATURES, Call, Gone, RefusedError, Snapshot, StaleError
from chit_sync.registers import Value
from chit_sync.schema import CATEGORIES, PRIORITY_RANK
from support.sites import Sides, same, ticket_token, values

TEXTS = {
    "plain": "Printer on fire",
    "emoji": "👩🏽‍🚒 fire 🖨️ 🇳🇿",
    "cjk": "打印机着火了 プリンター 프린터",
    "rtl": "הדפסת \u202bمرحبا\u202c (1) שלום",
    "combining": "Ze\u0301ro — naïve ﬁ\u200b",
    "markup": "<b>&amp; **bold** _x_ #12 r34 %s ${x} {{ ticket.title }} {% x %} \\ ' \" `",
    "blanks": "  two before, two after  ",
}
LONG = {
    "lines": "First\nsecond\n\n  indented\n\ttabbed\nlast",
    "crlf": "First\r\nsecond\r\n\r\nlast",
    "final newline": "First\nsecond\n",
    "blank lines": "\n\nFirst\n\n",
    "quoted": "> said before\n> and before\n\n-- \nAgent One",
    "60 kB": "Zeile mit ä und 打印机, and so on.\n" * 1500,
}
PEOPLE = ("assignee", "requester")
FIELDS = ("title", "description", "status", "priority", "queue", "assignee", "requester", "due", "labels", "fields")
EMPTIED = ("description", "assignee", "due", "labels", "fields")


def test_description_is_complete(desk: Sides) -> None:
    """An adapter tells of every feature, says why where it is not carried both ways, and names who we are and where tickets go."""
    about = desk.about
    assert set(about.features) == set(FEATURES)
    assert [name for name, feature in about.features.items() if feature != BOTH and not feature.why.strip()] == []
    assert about.title
    assert about.version
    assert about.account.key
    assert desk.here.where
    assert about.default_queue in ("", *about.queues)
    assert all(custom.path.startswith("x.") for custom in about.customs)
    assert all(limit > 0 for limit in about.limits.values())
    assert set(about.limits) <= {
        *FIELDS,
        "comment",
        "attachment",
        "filename",
        *(custom.path for custom in about.customs),
    }


def test_description_knows_its_words(desk: Sides) -> None:
    """Statuses and priorities have different names and meanings that exist; a new, an open and a closed ticket can be told."""
    statuses, priorities = desk.about.statuses, desk.about.priorities
    assert len({choice.name for choice in statuses}) == len(statuses)
    assert len({choice.name for choice in priorities}) == len(priorities)
    assert {choice.means for choice in statuses} <= {"", *CATEGORIES}
    assert {choice.means for choice in priorities} <= {"", *PRIORITY_RANK}
    assert {"new", "open", "closed"} <= {choice.means for choice in statuses}


def test_web_address(desk: Sides) -> None:
    """A ticket has an address for a browser, with its number."""
    assert desk.here.web(4711).startswith(("https://", "http://"))
    assert "4711" in desk.here.web(4711)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_title_round_trip(desk: Sides, text: str) -> None:
    """A ticket's title is read as `stored` says that it is kept, when it is filed and when it is changed."""
    made = desk.create(text)
    assert made.fields["title"] == desk.here.stored("title", text)
    assert desk.update(made.number, {"title": f"{text}!"}).fields["title"] == desk.here.stored("title", f"{text}!")


@pytest.mark.parametrize("text", [*TEXTS.values(), *LONG.values()], ids=[*TEXTS, *LONG])
def test_description_round_trip(desk: Sides, text: str) -> None:
    """A ticket's description is read as `stored` says that it is kept, when it is filed and, where it may be, when it is changed."""
    made = desk.create(description=text)
    assert made.fields["description"] == desk.here.stored("description", text)
    if desk.writes("description"):
        changed = desk.update(made.number, {"description": f"{text}!"})
        assert changed.fields["description"] == desk.here.stored("description", f"{text}!")


@pytest.mark.parametrize("path", ["title", "description", "comment"])
def test_stored_twice_is_stored_once(desk: Sides, path: str) -> None:
    """What is kept stays as it is when it is written again."""
    for text in [*TEXTS.values(), *LONG.values()]:
        once = desk.here.stored(path, text)
        assert desk.here.stored(path, once) == once


def test_token_round_trip(desk: Sides) -> None:
    """The id of our ticket is read back, is no part of any field, and stays when the description is written."""
    call = desk.creating("With a token", "Text")
    made = desk.read(desk.here.perform(call).number)
    assert made.token == call.token
    assert call.token not in repr(made.fields)
    if desk.writes("description"):
        changed = desk.update(made.number, {"description": "Other text"})
        assert changed.token == call.token
        assert changed.fields["description"] == desk.here.stored("description", "Other text")
        assert call.token not in repr(changed.events)


def test_ticket_of_theirs_has_no_token(desk: Sides) -> None:
    """A ticket that somebody filed there is nobody's here, and its author is who filed it."""
    found = desk.read(desk.there.add_ticket("Theirs", "Filed there"))
    assert found.token == ""
    assert found.fields["title"] == "Theirs"
    assert found.fields["description"] == "Filed there"
    if desk.about.features["requester"].read:
        assert found.author != desk.about.account.key


def test_create_with_every_field(desk: Sides) -> None:
    """What a new ticket was not given as it was sent is as new tickets are, and can be written afterwards."""
    wanted: dict[str, Value] = {}
    for feature in FIELDS[2:]:
        path, choices = values(desk.about, feature)
        if desk.writes(feature) and choices:
            wanted[path] = choices[0 if feature == "queue" else -1]  # other queues may have other fields and statuses
    plain = desk.create()
    made = desk.create("With everything", "Text", **wanted)
    stored = {path: desk.here.stored(path, value) for path, value in wanted.items()}
    for path, value in stored.items():
        assert made.fields.get(path) in (value, plain.fields.get(path))
    left = {path: value for path, value in wanted.items() if made.fields.get(path) != stored[path]}
    whole = desk.update(made.number, left) if left else made
    assert {path: whole.fields.get(path) for path in stored} == stored


@pytest.mark.parametrize("feature", FIELDS)
def test_field_there_and_back(desk: Sides, feature: str) -> None:
    """Each field can be written, written again and read as it was kept; or it is refused, and nothing has changed."""
    path, choices = values(desk.about, feature)
    made = desk.create()
    if not desk.writes(feature):
        desk.refuses(Call("update", made.number, made.token, {path: choices[0] if choices else "x"}))
        return
    assert len(choices) > 1, f"{feature} is written, and there is nothing to write"
    for value in [choices[0], choices[1], choices[0]]:
        assert desk.update(made.number, {path: value}).fields.get(path) == desk.here.stored(path, value)


@pytest.mark.parametrize("feature", EMPTIED)
def test_field_is_emptied(desk: Sides, feature: str) -> None:
    """A field that is not needed is emptied and filled again; where that is not possible, it is refused, and the value stays."""
    path, choices = values(desk.about, feature)
    if not desk.writes(feature):
        return
    made = desk.create()
    filled = desk.update(made.number, {path: choices[0]})
    try:
        emptied = desk.update(made.number, {path: None})
    except RefusedError:
        assert same(desk.read(made.number), filled)
        return
    assert emptied.fields.get(path) is None
    assert desk.update(made.number, {path: choices[0]}).fields.get(path) == desk.here.stored(path, choices[0])


def test_several_fields_at_once(desk: Sides) -> None:
    """One call changes several fields."""
    wanted: dict[str, Value] = {"title": "Both"}
    for feature in ("status", "priority"):
        if desk.writes(feature):
            wanted[feature] = values(desk.about, feature)[1][0]
    made = desk.create()
    assert {path: desk.update(made.number, wanted).fields[path] for path in wanted} == wanted


def test_every_status_is_taken(desk: Sides) -> None:
    """A ticket can be closed and opened again; each status is read as it was written or is refused."""
    made = desk.create()
    closed = next(choice.name for choice in desk.about.statuses if choice.means == "closed")
    opened = next(choice.name for choice in desk.about.statuses if choice.means == "open")
    for name in (opened, closed, opened):
        assert desk.update(made.number, {"status": name}).fields["status"] == name


UNKNOWN = {
    "status": "no such status",
    "priority": "no such priority",
    "queue": "no such queue",
    "assignee": "nobody.known",
    "x.no such field": "x",
}


@pytest.mark.parametrize("path", UNKNOWN)
def test_value_that_is_not_known(desk: Sides, path: str) -> None:
    """A value or field that the helpdesk does not know is refused, and nothing of the ticket changes."""
    made = desk.create()
    desk.refuses(Call("update", made.number, made.token, {path: UNKNOWN[path]}))


def test_ticket_without_title(desk: Sides) -> None:
    """A ticket whose title is emptied is refused."""
    made = desk.create()
    desk.refuses(Call("update", made.number, made.token, {"title": None}))


def test_write_to_a_ticket_that_is_not_there(desk: Sides) -> None:
    """Who writes to a ticket that does not exist is told that it is refused."""
    with pytest.raises(RefusedError):
        desk.do("update", 99_999_999, title="x")
    with pytest.raises(RefusedError):
        desk.do("comment", 99_999_999, body="x", public=True)


def test_stale_version(desk: Sides) -> None:
    """Where a write can be checked, one that was compared with what is no more is not done; one that was compared well is."""
    made = desk.create()
    if not made.version:
        return
    desk.there.edit(made.number, title="Meanwhile")
    with pytest.raises(StaleError):
        desk.update(made.number, {"title": "Over it"}, made.version)
    now = desk.read(made.number)
    assert now.fields["title"] == "Meanwhile"
    assert desk.update(made.number, {"title": "After it"}, now.version).fields["title"] == "After it"


def test_read_keeps_the_order(desk: Sides) -> None:
    """Tickets are read in the order that was asked for; one that is not there is gone, in its place."""
    one, other = desk.create("One"), desk.create("Other")
    found = desk.here.read([other.number, 99_999_999, one.number])
    assert [each.number for each in found] == [other.number, 99_999_999, one.number]
    assert isinstance(found[1], Gone)
    assert found[1].how in ("deleted", "hidden")
    assert [each.fields["title"] for each in found if isinstance(each, Snapshot)] == ["Other", "One"]
    assert desk.here.read([]) == []


def test_read_twice_is_the_same(desk: Sides) -> None:
    """A ticket that nobody touches is read the same each time, with the same keys of its events."""
    made = desk.create()
    desk.there.edit(made.number, title="Edited")
    desk.there.say(made.number, "Said")
    assert desk.read(made.number) == desk.read(made.number)


def test_many_are_read_at_once(desk: Sides) -> None:
    """Many tickets are read like one."""
    made = [desk.create(f"One of many {n}") for n in range(12)]
    assert [
        same(one, other) for one, other in zip(made, map(desk.read, [each.number for each in made]), strict=True)
    ] == [True] * 12
    found = desk.here.read([each.number for each in made])
    assert [each.number for each in found] == [each.number for each in made]


STRANGERS: dict[str, Callable[[Any, int], Any]] = {
    "describe": lambda here, number: here.describe(),
    "changed": lambda here, number: list(here.changed("", set())),
    "numbers": lambda here, number: here.numbers(),
    "read": lambda here, number: here.read([number]),
    "perform": lambda here, number: here.perform(Call("update", number, ticket_token(), {"title": "Broken in"})),
    "find": lambda here, number: here.find(
        Call("create", 0, ticket_token(), {"title": "x", "description": "x"}), set()
    ),
}


@pytest.mark.parametrize("method", STRANGERS)
def test_stranger_is_told(desk: Sides, method: str) -> None:
    """A token that is not good is an error about access, whatever is asked, and never an empty answer."""
    made = desk.create("Not yours")
    with pytest.raises(AccessError):
        STRANGERS[method](desk.stranger, made.number)
    assert desk.read(made.number).fields["title"] == "Not yours"


def test_history_leads_back_to_the_beginning(desk: Sides) -> None:
    """Undoing all events from the last to the first gives what the ticket was when it was made; each has its author, in order."""
    made = desk.create("As filed", "As filed, too")
    steps: list[dict[str, Value]] = [{"title": "Changed"}]
    for feature in ("status", "priority", "assignee", "fields", "description", "due", "queue"):
        path, choices = values(desk.about, feature)
        if desk.writes(feature) and choices:
            steps.append({path: choices[-1]})
    for step in steps:
        desk.update(made.number, step)
    desk.there.edit(made.number, title="Changed there")
    found = desk.read(made.number)
    if not desk.about.features["history"].read:
        assert found.events == ()
        return
    fields = dict(found.fields)
    for event in reversed(found.events):
        for path, (old, new) in event.changes.items():
            assert fields.get(path) == new, (path, event)
            fields[path] = old
    carried = {path for event in found.events for path in event.changes}
    assert "title" in carried
    assert {path: fields.get(path) for path in carried} == {path: made.fields.get(path) for path in carried}
    assert len({event.key for event in found.events}) == len(found.events)
    assert [event.time for event in found.events] == sorted(event.time for event in found.events)
    by = {event.author for event in found.events if "title" in event.changes}
    assert desk.about.account.key in by
    assert len(by) == 2


def test_times_are_utc(desk: Sides) -> None:
    """What was made now was made now, whatever time zone the server lives in."""
    if not desk.real:
        return
    number = desk.there.add_ticket("Now", "x")
    desk.there.say(number, "Said")
    desk.there.edit(number, title="Then")
    found = desk.read(number)
    now = time.time_ns() // 1000
    assert found.comments
    moments = [
        found.created,
        found.modified,
        *(c.time for c in found.comments),
        *(event.time for event in found.events),
    ]
    assert [abs(moment - now) < HOUR for moment in moments] == [True] * len(moments)
