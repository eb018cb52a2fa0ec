"""Maps: which are taken, which are refused and why."""

from pathlib import Path
from typing import Any

import pytest

from chit_sync.errors import NotFoundError, UsageError
from chit_sync.transfer.mapping import from_document, load, shipped
from support.importing import EVENTS, TICKETS

EVENT = EVENTS["event"][0]


@pytest.mark.parametrize(
    ("base", "members", "reason"),
    [
        (EVENTS, {"schema": "chit.map/2"}, "its schema is 'chit.map/2', not 'chit.map/1'"),
        (EVENTS, {"format": "xls"}, "format is csv or jsonl, not 'xls'"),
        (EVENTS, {"rows": "lines"}, "rows is events or tickets, not 'lines'"),
        (EVENTS, {"kee": "no"}, "the map has a key 'kee' that means nothing; it can have schema, source"),
        (EVENTS, {"key": 5}, "key is a text"),
        (EVENTS, {"delimiter": ";;"}, "delimiter is one character, not ';;'"),
        (EVENTS, {"encoding": "utf-16"}, "encoding 'utf-16' is not one in which a line ends with one byte"),
        (EVENTS, {"encoding": "utf-99"}, "there is no encoding 'utf-99'"),
        (EVENTS, {"event": []}, "it has no [[event]]: nothing says when and by whom"),
        (EVENTS, {"event": [EVENT, EVENT]}, "rows that are events have one [[event]]"),
        (EVENTS, {"event": [{"time": "at"}]}, "event lacks 'actor'"),
        (EVENTS, {"event": [{**EVENT, "fields": {"colour": "who"}}]}, "event.fields: there is no field 'colour'"),
        (EVENTS, {"event": [{**EVENT, "fields": {"comment/a/body": "who"}}]}, "'comment/a/body' is not a field"),
        (EVENTS, {"event": [{**EVENT, "fields": {"title": {}}}]}, "event.fields.title has one of column, template, sections and value"),
        (EVENTS, {"event": [{**EVENT, "fields": {"title": 7}}]}, "event.fields.title is a table"),
        (EVENTS, {"event": [{**EVENT, "fields": {"title": {"template": "{a"}}}]}, "event.fields.title.template: expected '}'"),
        (EVENTS, {"event": [{**EVENT, "fields": {"title": {"template": "{a!r}"}}}]}, "only {column} can stand in it"),
        (EVENTS, {"event": [{**EVENT, "fields": {"title": {"template": "no column"}}}]}, "event.fields.title names no column"),
        (EVENTS, {"event": [{**EVENT, "fields": {"title": {"column": "a", "values": {"b": 1.5}}}}]}, "is a text, a whole number"),
        (EVENTS, {"event": [{**EVENT, "fields": {"title": {"column": "a", "others": "drop"}}}]}, "others is refuse or keep"),
        (TICKETS, {"links": [{"target": "to"}]}, "links lacks 'kind'"),
        (TICKETS, {"comments": [{"body": "text", "colour": "x"}]}, "comments has a key 'colour' that means nothing"),
        (TICKETS, {"comments": {"body": "text"}}, "comments is a list"),
    ],
)  # fmt: skip
def test_a_wrong_map_is_refused(base: dict[str, Any], members: dict[str, Any], reason: str) -> None:
    """A map with a mistake is refused as a whole, and the message names the key."""
    with pytest.raises(UsageError) as caught:
        from_document({**base, **members}, "mine.toml")
    assert caught.value.message.startswith("the map mine.toml cannot be used: ")
    assert reason in caught.value.message


def test_shipped_maps() -> None:
    """The maps that come with chit are there, can be loaded, and take another source and time zone."""
    assert shipped() == ["beads", "servicenow-incidents"]
    assert load("beads").source == "beads"
    found = load("servicenow-incidents", source="desk", zone="Europe/Berlin")
    assert (found.source, found.name) == ("desk", "servicenow-incidents")
    assert found.digest != load("servicenow-incidents").digest


def test_maps_that_cannot_be_read(tmp_path: Path) -> None:
    """A map that is not there, or is no TOML, is refused with its name."""
    with pytest.raises(NotFoundError, match="no map 'nothing': No such file") as caught:
        load("nothing")
    assert caught.value.hint == "Name a file, or one of: beads, servicenow-incidents."
    broken = tmp_path / "broken.toml"
    for content in (b"a = ", b"\xff", b"#" * (1 << 20) + b"##"):
        broken.write_bytes(content)
        with pytest.raises(UsageError, match=r"the map .*broken\.toml cannot be read: "):
            load(str(broken))
