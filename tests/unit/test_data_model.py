"""docs/data-model.md is what somebody writes another client by: its examples and tables must be true."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from chit_sync import checks, ids, schema
from chit_sync.change import digest, encode
from chit_sync.codec import decode_foreign
from chit_sync.policy import MAX_NONCE, MAX_OVER, MAX_PATHS, refuse
from chit_sync.store.database import Store
from chit_sync.store.migrations import APPLICATION_ID
from chit_sync.store.problems import Problem

PAGE = (Path(__file__).parents[2] / "docs" / "data-model.md").read_text()
CHANGES = re.findall(r"```change ([0-9a-f]{40})\n(.*)\n```", PAGE)


def cells(heading: str) -> list[list[str]]:
    """The rows of the table whose first column is called so."""
    table = re.search(rf"^\| {heading} \|.*\n\| ---.*\n((?:\|.*\n)+)", PAGE, re.M)
    assert table is not None
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[1].splitlines()]


@pytest.mark.parametrize(("ident", "text"), CHANGES)
def test_examples(ident: str, text: str) -> None:
    """The ids follow from the bytes by the page's own recipe, in the library's hands too, and a store would take the changes."""
    body = text.encode()
    assert hashlib.sha256(body).digest()[:20].hex() == ident == digest(body).hex()
    assert json.dumps(json.loads(body), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() == body
    change = decode_foreign(body)
    assert encode(change) == body
    assert refuse(change) == ""


def test_second_example_is_over_the_first() -> None:
    """The examples belong together."""
    assert len(CHANGES) == 2
    assert json.loads(CHANGES[1][1])["over"] == [CHANGES[0][0]]


def test_letters_and_hash_of_parts() -> None:
    """Ids are spelled and derived as the page says."""
    example = re.search(r"`item`, `blocks`, `(k+)` gives `([k-z]{16})`", PAGE)
    assert example is not None
    assert ids.item_id("blocks", example[1]) == example[2]
    spelled = b"".join(b"%d:%b" % (len(part), part) for part in (b"item", b"blocks", example[1].encode()))
    digits = hashlib.sha256(spelled).hexdigest()[:16]
    assert "".join("zyxwvutsrqponmlk"[int(digit, 16)] for digit in digits) == example[2]


def test_every_field() -> None:
    """The table of paths has every row of the schema, with its type and its values, and no other."""
    rows = {cell[0].strip("`"): cell[1:] for cell in cells("path")}
    expected = dict(schema.FIELDS)
    expected |= {"labels/NAME": schema.LABELS, "x.NAME": schema.CUSTOM._replace(type="text")}
    expected |= {f"{kind}/ID/{name}": field for kind, fields in schema.ITEMS.items() for name, field in fields.items()}
    assert list(rows) == list(expected)
    for path, field in expected.items():
        assert rows[path][0] == field.type
        if field.choices:
            assert rows[path][1] == ", ".join(choice.name for choice in field.choices)
    assert rows["status"][1] == "by default " + ", ".join(schema.DEFAULT_STATUSES)
    assert ", ".join(schema.LINK_KINDS) in rows["link/ID/kind"][1]
    assert {cell[0] for cell in cells("type")} == {field.type for field in expected.values()}


def test_limits() -> None:
    """The limits are those of the library."""
    assert (MAX_PATHS, MAX_OVER, MAX_NONCE) == (10_000, 10_000, 100)
    assert (checks.MAX_LINE, checks.MAX_NAME, checks.MAX_TEXT) == (1_000, 100, 1 << 20)
    assert f"0x{APPLICATION_ID:x}" in PAGE


def test_every_table(store: Store) -> None:
    """Every table of the store is explained."""
    tables = {name for (name,) in store.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    documented = set(
        re.findall(r"^\| `([a-z_]+)` \| ", PAGE.partition("## The store on disk")[2].partition("## Is it")[0], re.M)
    )
    assert documented == {name for name in tables if not name.startswith("search_")}


def test_every_kind_of_problem() -> None:
    """Every kind of damage that fsck names is explained."""
    documented = {kind for row in cells("kind") for kind in re.findall("[a-z]+", row[0])}
    named = set(re.findall(r"[a-z]+(?=[,;]| \()", (Problem.__doc__ or "").partition("Kinds: ")[2]))
    assert documented == named
