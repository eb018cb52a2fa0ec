"""The schema: which paths there are, what may stand at them, and that every row is fit for all that is made from it."""

from collections.abc import Iterator

import pytest

from chit_sync import checks, schema
from chit_sync.checks import check, field_of
from chit_sync.clock import MAX_STAMP
from chit_sync.errors import UsageError
from chit_sync.registers import Value
from chit_sync.schema import Choice, Field

SHA = "0123456789abcdef" * 4
TICKET = "klmnopqrstuvwxyz" * 2


def rows() -> Iterator[Field]:
    """All rows of the table."""
    yield from schema.FIELDS.values()
    yield schema.LABELS
    yield schema.CUSTOM
    for fields in schema.ITEMS.values():
        yield from fields.values()


def choices() -> Iterator[Choice]:
    """All values that are explained."""
    for row in rows():
        yield from row.choices


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.name)
def test_rows(row: Field) -> None:
    """Every field has a type that is checked, a visibility, a writer, and its explanation in both languages."""
    assert row.type in {
        "line",
        "text",
        "choice",
        "status",
        "time",
        "flag",
        "ticket",
        "sha256",
        "count",
        "decimal",
        "currency",
        "item",
    }
    assert row.visibility in {"public", "partner", "internal"}
    assert row.writer in {"person", "system"}
    assert bool(row.choices) == (row.type == "choice")
    assert row.help.endswith(".")
    assert row.help_de.endswith(".")
    assert row.visibility != "internal" or not row.leaves or row.name not in schema.FIELDS


@pytest.mark.parametrize("choice", list(choices()), ids=lambda choice: choice.name)
def test_choices_are_explained(choice: Choice) -> None:
    """Every value that can be chosen says when to choose it, in both languages."""
    assert choice.help.endswith(".")
    assert choice.help_de.endswith(".")


def test_categories() -> None:
    """Every default status has a category, and the categories in which something is to be done are among them."""
    assert set(schema.DEFAULT_STATUSES.values()) == set(schema.CATEGORIES)
    assert set(schema.CATEGORIES) > schema.OPEN_CATEGORIES
    assert schema.DEFAULT_PRIORITY in schema.PRIORITY_RANK


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("title", "title"),
        ("labels/printer", "labels"),
        ("labels/a/b", "labels"),
        ("x.serial", "x"),
        ("x.größe_1-a.b", "x"),
        ("comment/k/body", "body"),
        ("attachment/0123abc/sha256", "sha256"),
        ("link/zz/target", "target"),
    ],
)
def test_paths(path: str, name: str) -> None:
    """Every path has its row."""
    assert field_of(path).name == name


@pytest.mark.parametrize(
    "path",
    [
        "", "Title", "titel", "title/x", "labels", "labels/", "labels/ a", "labels/a,b", "labels/" + "a" * 101, "labels/a\nb",
        "x.", "x.a b", "x.a/b", "x." + "a" * 101, "comment", "comment/k", "comment//body", "comment/k/title", "comment/k/body/x",
        "comment/../body", "comment/k-k/body", "comment/é/body", "comment/" + "k" * 65 + "/body", "timer/k/minutes", "id", "number",
        "\ud800", "../../etc/passwd",
    ],
)  # fmt: skip
def test_no_such_path(path: str) -> None:
    """There are no other paths, and the refusal does not repeat more of them than is needed."""
    with pytest.raises(UsageError) as error:
        check(path, None)
    assert len(error.value.message) < 200


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("title", "Printer on fire 🔥"),
        ("title", "t" * checks.MAX_LINE),
        ("title", "no\xa0break"),
        ("description", ""),
        ("description", "line\n\ttab\r\n"),
        ("description", "é" * (checks.MAX_TEXT // 2)),
        ("status", "any-name"),
        ("priority", "critical"),
        ("due", 0),
        ("due", -MAX_STAMP),
        ("emergency", True),
        ("labels/x", True),
        ("x.note", "many\nlines"),
        ("merged", TICKET),
        ("attachment/k/size", 0),
        ("attachment/k/sha256", SHA),
        *(
            (path, None)
            for path in ("title", "due", "labels/x", "comment/k/body", "attachment/k/sha256", "link/k/target")
        ),
    ],
)
def test_allowed(path: str, value: Value) -> None:
    """What may stand at a path; a tombstone may stand at each."""
    check(path, value)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("title", "", "1 to 1000 are allowed"),
        ("title", "t" * (checks.MAX_LINE + 1), "has 1001 characters"),
        ("title", "two\nlines", "control characters"),
        ("title", "bell\x07", "control characters"),
        ("title", "\x9b31m", "control characters"),
        ("title", "\u2028", "control characters"),
        ("title", "\udcff", "not valid UTF-8"),
        ("title", 7, "is a text, not 7"),
        ("title", True, "is a text, not True"),
        ("description", "\udcff", "not valid UTF-8"),
        ("description", "é" * (checks.MAX_TEXT // 2 + 1), "a text may have 1 MiB"),
        ("x.a", "x" * (checks.MAX_TEXT + 1), "a text may have 1 MiB"),
        ("priority", "urgent", "It is one of: critical, high, normal, low, planned"),
        ("due", "tomorrow", "whole number"),
        ("due", True, "whole number"),
        ("due", MAX_STAMP + 1, "out of range"),
        ("due", 2**70, "out of range"),
        ("emergency", False, "true or empty"),
        ("emergency", 1, "true or empty"),
        ("labels/x", "yes", "true or empty"),
        ("merged", "klm", "whole id of a ticket"),
        ("merged", "42", "whole id of a ticket"),
        ("link/k/target", "../" * 20, "whole id of a ticket"),
        ("attachment/k/size", -1, "whole number"),
        ("attachment/k/sha256", "../../../../etc/passwd", "64 hexadecimal digits"),
        ("attachment/k/sha256", SHA.upper(), "64 hexadecimal digits"),
        ("attachment/k/name", "a\x00b", "control characters"),
        ("comment/k/visibility", "secret", "It is one of: public, partner, internal"),
    ],
)
def test_refused(path: str, value: Value, reason: str) -> None:
    """What may not stand at a path is refused with the reason."""
    with pytest.raises(UsageError) as error:
        check(path, value)
    assert reason in f"{error.value.message} {error.value.hint}"
    assert path in error.value.message
