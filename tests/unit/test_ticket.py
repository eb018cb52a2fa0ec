"""A ticket as programs see it: every documented member, always, in the documented form."""

from chit_sync.schema import FIELDS
from chit_sync.ticket import Attachment, Comment, Conflict, Elsewhere, Link, Ticket, iso
from support.stores import NOON

EMPTY = Ticket(1, "k" * 32, NOON, NOON, "anna", "open", {}, {}, [], [], [], [])


def test_record_of_nothing() -> None:
    """A ticket in which nothing is set has every member all the same: unknown is None, lists are empty, flags are false."""
    record = EMPTY.record()
    assert set(FIELDS) < set(record)
    assert record["schema"] == "chit.ticket/1"
    assert record["title"] is None
    assert record["emergency"] is record["deleted"] is False
    for name in ("labels", "comments", "attachments", "links", "remotes", "conflicts"):
        assert record[name] == []
    assert record["custom"] == {}
    assert all(name == name.lower() for name in record)


def test_record() -> None:
    """Everything that a ticket has is in its record, times as ISO 8601 UTC."""
    ticket = EMPTY._replace(
        registers={
            "title": [(1, "Printer")],
            "due": [(1, NOON)],
            "emergency": [(1, True)],
            "status": [(3, "open"), (2, "closed"), (1, "open")],
            "labels/b": [(1, True)],
            "labels/a": [(1, True)],
            "labels/gone": [(1, None)],
            "x.serial": [(1, "7")],
            "x.gone": [(1, None)],
        },
        item_registers={"comment/k": {"body": [(2, "one"), (1, "two")]}},
        comments=[Comment("k", "bob", NOON, "one", "public", to="h")],
        attachments=[Attachment("m", "bob", NOON, "a.log", "00", 5, "internal", True)],
        links=[Link("n", "blocks", "z" * 32, "Paper")],
        elsewhere=[Elsewhere("origin", 42)],
    )
    record = ticket.record()
    assert (record["title"], record["due"], record["emergency"]) == ("Printer", "2026-03-03T12:00:00.000Z", True)
    assert record["labels"] == ["a", "b"]
    assert record["custom"] == {"serial": "7"}
    assert record["comments"][0]["time"] == record["attachments"][0]["time"] == "2026-03-03T12:00:00.000Z"
    assert [(one["to"], one["held"]) for one in record["comments"] + record["attachments"]] == [
        ("h", None),
        (None, None),
    ]
    assert record["remotes"] == [{"remote": "origin", "number": 42}]
    assert record["conflicts"] == [
        {"path": "comment/k/body", "shown": "one", "others": ["two"]},
        {"path": "status", "shown": "open", "others": ["closed"]},
    ]


def test_agreement_is_no_conflict() -> None:
    """Several who wrote the same are no conflict."""
    assert EMPTY._replace(registers={"status": [(2, "open"), (1, "open")]}).conflicts == []


def test_conflicts_of_any_values() -> None:
    """Values that cannot be compared with each other can be in conflict."""
    ticket = EMPTY._replace(registers={"due": [(2, None), (1, 5)], "x.a": [(2, "b"), (1, None)]})
    assert ticket.conflicts == [Conflict("due", None, [5]), Conflict("x.a", "b", [None])]


def test_iso() -> None:
    """Times are shown to the millisecond, rounded down, before 1970 too; what is no time is nothing."""
    assert iso(0) == "1970-01-01T00:00:00.000Z"
    assert iso(1_999) == "1970-01-01T00:00:00.001Z"
    assert iso(-1) == "1969-12-31T23:59:59.999Z"
    assert iso(2**53 - 1) == "2255-06-05T23:47:34.740Z"
    assert iso(None) is None
    assert iso("x") is None
