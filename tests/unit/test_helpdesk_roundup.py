"""Roundup's rows as snapshots, its cursor, and what its words mean."""

from typing import Any

import pytest

from chit_sync.clock import SECOND
from chit_sync.errors import RemoteError, UsageError
from chit_sync.helpdesks.base import Tie
from chit_sync.helpdesks.roundup_cursor import KEPT, Cursor, Seen, read_cursor, see
from chit_sync.helpdesks.roundup_reading import (
    Custom,
    Parts,
    Shape,
    collection,
    date,
    minutes,
    moment,
    period,
    snapshot,
)
from chit_sync.helpdesks.roundup_tracker import features, statuses
from chit_sync.helpdesks.rows import Row

TICKET, ITEM = "klmnopqrstuvwxyz" * 2, "zyxwvutsrqponmlk"
CLASSIC = Shape("issue", "status", "priority", "assignedto", "keyword", "due", "extref", "many", True, True)
STOCK = Shape("issue", "status", "priority", "assignedto", "keyword", superseder="many")
MADE, LATER = "2026-11-22.07:11:34", "2026-11-22.08:00:00"


def row(number: str = "7", **more: Any) -> dict[str, Any]:
    plain = {"id": number, "creation": MADE, "activity": LATER, "creator.username": "bob", "title": "Jam"}
    return plain | {"messages": [], "files": []} | {name.replace("__", "."): value for name, value in more.items()}


def msg(number: str, content: object = "Text", **more: Any) -> Row:
    plain = {"id": number, "creation": MADE, "activity": MADE, "author.username": "ann", "content": content}
    return plain | {"messageid": None} | more


def parts(*msgs: Row, files: Any = None, works: Any = None, labels: Any = None) -> Parts:
    return Parts({str(one["id"]): one for one in msgs}, files or {}, works or {}, labels or {})


def test_ticket_becomes_a_snapshot() -> None:
    """Each part of a ticket is read in chit's terms: the first message as the description, times as UTC, keywords as labels."""
    told = row(
        status__name="chatting",
        priority__name=None,
        assignedto__username="ann",
        due=LATER,
        keyword=["2"],
        superseder=["3"],
        messages=["10", "9"],
        files=["4"],
        times=["5"],
        extref=TICKET,
    )
    said = msg("10", "Said", internal=1, messageid=f"<{ITEM}@chit>")
    file = {"id": "4", "name": "ä.txt", "creation": MADE, "creator.username": "bob"}
    work = {"id": "5", "period": "+ 1:30", "summary": "x", "date": None, "creation": MADE, "creator.username": "bob"}
    found = snapshot(
        told,
        parts(msg("9", "First"), said, files={"4": file}, works={"5": work}, labels={"keyword": {"2": "net"}}),
        CLASSIC,
        "w",
    )
    assert found.fields == {
        "title": "Jam",
        "description": "First",
        "requester": "bob",
        "status": "chatting",
        "priority": None,
        "assignee": "ann",
        "due": moment(LATER),
        "labels/net": True,
    }
    assert [(one.body, one.public, one.token, one.author) for one in found.comments] == [("Said", False, ITEM, "ann")]
    assert [(one.name, one.ref, one.size) for one in found.files] == [("ä.txt", "7/4", -1)]
    assert [(one.minutes, one.date, one.note) for one in found.works] == [(90, moment(MADE), "x")]
    assert (found.number, found.author, found.token, found.ties) == (7, "bob", TICKET, [Tie("duplicates", 3)])


DESCRIBED: dict[str, tuple[list[Row], str | None, str, int]] = {
    "none": ([], None, "", 0),
    "first": ([msg("1"), msg("2", "b")], "Text", "", 1),
    "a comment of ours": ([msg("1", messageid=f"<{ITEM}@chit>")], None, "", 1),
    "younger than the ticket": ([msg("1", creation=LATER)], None, "", 1),
    "ours, though younger": ([msg("1", creation=LATER, messageid=f"<{TICKET}@chit>")], "Text", TICKET, 0),
    "marked": ([msg("1", f"Text\n[chit:{TICKET}]")], "Text", TICKET, 0),
    "only a mark": ([msg("1", f"[chit:{TICKET}]")], None, TICKET, 0),
    "a token that is none": ([msg("1", messageid="<abc@chit>")], "Text", "", 0),
    "retired": ([], None, "", 0),
}


@pytest.mark.parametrize(("msgs", "text", "token", "comments"), DESCRIBED.values(), ids=DESCRIBED)
def test_description(msgs: list[Row], text: str | None, token: str, comments: int) -> None:
    """The description is the message that the ticket was made with, or that we wrote as such; a token in it is read and not shown."""
    found = snapshot(row(messages=["1", "2", "99"]), parts(*msgs), STOCK, "w")
    assert (found.fields["description"], found.token, len(found.comments)) == (text, token, comments)


HOSTILE: dict[str, Any] = {
    "no list": {"data": {}},
    "an error": {"error": {"status": 400}},
    "a text": "x",
    "rows that are none": {"data": {"collection": [1]}},
    "no id": {"data": {"collection": [{"title": "x"}]}},
    "an id that is none": {"data": {"collection": [{"id": "../1"}]}},
    "a huge id": {"data": {"collection": [{"id": "9" * 400}]}},
    "a part": {"data": {"collection": [], "@total_size": -1}},
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE)
def test_collection_that_is_none(answer: object) -> None:
    """What is no list of rows with ids, or only a part of one, is an error in words."""
    with pytest.raises(RemoteError):
        collection(answer, "w")


@pytest.mark.parametrize("value", [None, 1, [], {}, "yesterday", "2026-13-01.00:00:00", "2026-01-01T00:00:00Z"])
def test_row_of_other_types(value: object) -> None:
    """A value of another type is not there; a ticket without its times is an error in words, never anything else."""
    odd = row(title=value, messages=value, files=value, superseder=value, keyword=value, due=value, extref=value)
    snapshot(odd, parts(msg("1", content=value)), CLASSIC, "w")
    with pytest.raises(RemoteError):
        snapshot(row(creation=value), parts(), CLASSIC, "w")


def test_custom_fields() -> None:
    """Fields of the site's own are read by their names: links by what they lead to, several in lines, numbers and flags as text."""
    customs = (
        Custom("severity", "link", "severity", "name"),
        Custom("parts", "links", "part", "name"),
        Custom("size", "text"),
    )
    told = row(severity__name="major", parts=["2", "1"], size=3.0)
    found = snapshot(told, parts(labels={"part": {"1": "b", "2": "a"}}), STOCK._replace(customs=customs), "w")
    assert {path: value for path, value in found.fields.items() if path[:2] == "x."} == {
        "x.severity": "major",
        "x.parts": "a\nb",
        "x.size": "3",
    }


@pytest.mark.parametrize(
    ("told", "length"),
    [
        ("+ 1:30", 90),
        ("+ 0:45:30", 45),
        ("+ 2d", 2880),
        ("+ 1d 6:00", 1800),
        ("+ 30:05", 1805),
        ("", 0),
        (None, 0),
        ("90", 0),
    ],
)
def test_intervals(told: object, length: int) -> None:
    """Intervals are read in minutes; what is none is no time."""
    assert minutes(told) == length


@pytest.mark.parametrize("length", [0, 1, 59, 60, 61, 1440, 10_000])
def test_period_there_and_back(length: int) -> None:
    """Minutes are written so that they are read as the same number."""
    assert minutes(period(length)) == length


def test_dates_carry_their_offset() -> None:
    """A time is written with an offset, since Roundup would else read it in the account's zone."""
    assert date(1_796_119_200 * SECOND) == "2026-12-01.10:00:00+0000"
    assert moment("2026-12-01.10:00:00") == 1_796_119_200 * SECOND


def _rows(count: int, activity: str = LATER) -> list[dict[str, Any]]:
    return [row(str(number), activity=activity) for number in range(1, count + 1)]


def test_seen_rows_are_not_new() -> None:
    """Rows are new if they differ in anything, however many were seen in one second; a written cursor knows the same and is short."""
    many = _rows(KEPT * 5)
    since = moment(LATER) or 0
    written = Cursor({"issue": see(many, since)}, 0, CLASSIC).write()
    seen = read_cursor(written).seen["issue"]
    assert len(written) < 1500
    assert seen.new(many) == []
    late = row("900", activity="2026-11-22.08:00:01")
    assert seen.new([*many, late]) == [late]
    assert many[-1] | {"title": "x"} in seen.new([*many[:-1], many[-1] | {"title": "x"}])
    assert many[0] | {"title": "x"} in seen.new([many[0] | {"title": "x"}, *many[1:]])
    assert Seen().new(many) == many


@pytest.mark.parametrize(
    "cursor", ["", "x", "[]", "{}", '{"seen":[],"after":0}', '{"seen":{"issue":[1]},"after":0,"shape":1}']
)
def test_damaged_cursor(cursor: str) -> None:
    """A cursor that makes no sense is an error in words."""
    with pytest.raises(UsageError):
        read_cursor(cursor)


def test_last_status_means_closed() -> None:
    """Where no status is called closed, the one called resolved is the end; else it is not."""
    assert {one.name: one.means for one in statuses(["unread", "done-cbb", "resolved"])}["resolved"] == "closed"
    assert {one.name: one.means for one in statuses(["new", "resolved", "closed"])}["resolved"] == "resolved"


def test_stock_tracker_says_what_it_lacks() -> None:
    """A tracker without the additions carries no notes and no time, and says why."""
    told = features(STOCK)
    assert [told[name].write for name in ("notes", "time", "due", "replies")] == [False, False, False, True]
    assert all(told[name].why for name in ("notes", "time", "due"))
