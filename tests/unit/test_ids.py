"""Ids: letters only, told from numbers and hashes, and the same from the same parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chit_sync import ids


def test_letters() -> None:
    """The sixteen digits are spelled z down to k, two letters a byte."""
    assert ids.letters(bytes.fromhex("0123456789abcdef")) == "zyxwvutsrqponmlk"


@given(st.binary(max_size=20))
def test_letters_are_letters(data: bytes) -> None:
    """Whatever the bytes, their spelling is an id's, and no two spell the same."""
    text = ids.letters(data)
    assert ids.is_letters(text, 2 * len(data)) or not data
    assert bytes.fromhex(text.translate(str.maketrans("zyxwvutsrqponmlk", "0123456789abcdef"))) == data


@pytest.mark.parametrize("text", ["", "a", "12", "kk ", "Kk", "kä", "k" * 31])
def test_not_an_id(text: str) -> None:
    """What holds another character, or has another length, is no id."""
    assert not ids.is_letters(text, 32)


def test_beginning_of_an_id() -> None:
    """Any number of letters can be the beginning of one, none cannot."""
    assert ids.is_letters("k")
    assert not ids.is_letters("")
    assert not ids.is_letters("kj")


def test_derived_ids_stay() -> None:
    """Ids that follow from parts are the same in every version: stores that never met must agree on them."""
    assert ids.ticket_id("source", "42") == "qoovsuvswztvpvommkpzrnrqyvqsrnwz"
    assert ids.item_id("blocks", "k" * 32) == "poyloqztuzvmkmly"
    assert ids.mirror_id("https://helpdesk.example.com") == "xmkrtxxoyyvuyxow"
    assert len(ids.item_id("x")) == 2 * ids.ITEM_BYTES


@given(st.lists(st.text(max_size=5), max_size=3), st.lists(st.text(max_size=5), max_size=3))
def test_parts_do_not_run_together(one: list[str], other: list[str]) -> None:
    """Only the same parts give the same id, however they would join."""
    assert (ids.derived(16, *one) == ids.derived(16, *other)) == (one == other)
    assert ids.ticket_id("a") != ids.ticket_id("a", "")
