"""Changes: one spelling, one id, and nothing else is taken for one."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chit_sync import change as writing
from chit_sync import codec
from chit_sync.change import MAX_CHANGE, Change, digest, encode, nonce
from chit_sync.clock import MAX_STAMP
from chit_sync.codec import decode, decode_foreign
from chit_sync.errors import UsageError
from chit_sync.registers import Value

texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers(-MAX_STAMP, MAX_STAMP)
EMPTY = ("mirror", "over", "when")
"""What is left out where it says nothing."""

changes = st.builds(
    lambda **members: Change(**members),
    ticket=texts, at=st.integers(0, MAX_STAMP), by=texts,
    set=st.dictionaries(texts, st.one_of(texts, numbers, st.booleans(), st.none())),
    nonce=texts, over=st.lists(texts), when=st.one_of(st.none(), numbers), mirror=texts,
)  # fmt: skip


def members(made: Change) -> dict[str, object]:
    """What a change says, to compare."""
    return {name: getattr(made, name) for name in ("ticket", "at", "by", "set", "nonce", "over", "when", "mirror")}


@given(changes)
def test_round_trip(made: Change) -> None:
    """A change is read as it was written, by the strict reader too, and its time is when it happened."""
    body = encode(made)
    assert members(decode(body)) == members(decode_foreign(body)) == members(made)
    assert decode(body).time == (made.at if made.when is None else made.when)


@given(changes)
def test_one_spelling(made: Change) -> None:
    """The quick writer of one change and the one for many write the same bytes: those that the documentation defines."""
    body = encode(made)
    copy, same_body, ident = codec.make(
        made.ticket, made.at, made.by, made.set, made.nonce, made.over, made.when, made.mirror
    )
    assert same_body == body == codec.encode(copy)
    assert ident == digest(body) == hashlib.sha256(body).digest()[:20]
    said = {name: value for name, value in members(made).items() if value not in (None, [], "") or name not in EMPTY}
    assert body == json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


SOUND = b'{"at":1,"by":"a","nonce":"n","set":{"due":1},"ticket":"k"}'


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (SOUND.replace(b":1,", b": 1,"), "canonical"),
        (SOUND + b"\n", "canonical"),
        (SOUND.replace(b'"by":"a","nonce":"n"', b'"nonce":"n","by":"a"'), "canonical"),
        (SOUND.replace(b'"a"', b'"\\u0061"'), "canonical"),
        (SOUND.replace(b'"due":1', b'"due":1,"due":2'), "canonical"),
        (SOUND.replace(b'"due":1', b'"z":1,"due":2'), "canonical"),
        (SOUND.replace(b'"due":1', b'"due":-0'), "canonical"),
        (SOUND.replace(b'"set"', b'"over":[],"set"'), "canonical"),
        (SOUND.replace(b'"nonce"', b'"mirror":"","nonce"'), "canonical"),
        (SOUND.replace(b'"nonce"', b'"mirror":null,"nonce"'), "not a change"),
        (SOUND[:-1] + b',"when":null}', "canonical"),
        (SOUND.replace(b'"due":1', b'"due":1.5'), "not a change"),
        (SOUND.replace(b'"due":1', b'"due":[1]'), "not a change"),
        (SOUND.replace(b'"due":1', b'"due":NaN'), "not a change"),
        (SOUND.replace(b'"at":1', b'"at":"1"'), "not a change"),
        (SOUND.replace(b'"at":1', b'"at":true'), "not a change"),
        (SOUND.replace(b'"at":1', b'"at":-1'), "a time out of range"),
        (SOUND.replace(b'"at":1', b'"at":9007199254740992'), "a time out of range"),
        (SOUND[:-1] + b',"when":-9007199254740992}', "a time out of range"),
        (SOUND[:-1] + b',"zzz":1}', "not a change"),
        (SOUND.replace(b'"by":"a",', b""), "not a change"),
        (SOUND.replace(b'"a"', b'"\xff"'), "not a change"),
        (SOUND.replace(b'"a"', b'"\xed\xa0\x80"'), "not a change"),
        (SOUND.replace(b'"a"', b'"\\ud800"'), "not a change"),
        (SOUND.replace(b'"a"', b'"a\x00b"'), "not a change"),
        (b"\xef\xbb\xbf" + SOUND, "not a change"),
        (b"[" * 100_000, "not a change"),
        (b'{"set":' * 50_000, "not a change"),
        (b"", "not a change"),
        (b"null", "not a change"),
    ],
)  # fmt: skip
def test_refused(body: bytes, reason: str) -> None:
    """Bytes that are no change, or one spelled otherwise, are refused with the reason, whatever they are."""
    assert decode_foreign(SOUND).set == {"due": 1}
    with pytest.raises(UsageError, match=reason):
        decode_foreign(body)


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    """Whatever the bytes: a change comes of them that is written as just these bytes, or a refusal."""
    try:
        made = decode_foreign(body)
    except UsageError:
        return
    assert codec.encode(made) == body


def test_too_large() -> None:
    """A change has a size that it cannot exceed; it is refused before it is read."""
    body = SOUND.replace(b'"a"', b'"' + b"a" * MAX_CHANGE + b'"')
    with pytest.raises(UsageError, match="at most 4194304 are allowed"):
        decode_foreign(body)


def test_control_characters() -> None:
    """Control characters, quotes and what lies beyond ASCII are spelled in the one way that the documentation gives."""
    sets: dict[str, Value] = {"x.a": '"\\/\b\f\n\r\t\x00\x1f\x7f\u2028é😀'}
    body = encode(Change(ticket="k", at=1, by="a", set=sets, nonce="n"))
    assert b'"\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\xe2\x80\xa8\xc3\xa9\xf0\x9f\x98\x80"' in body


def test_id() -> None:
    """The id is the beginning of the SHA-256 of the bytes, whichever implementation of it the interpreter brings."""
    assert digest(SOUND) == hashlib.sha256(SOUND).digest()[:20] == codec.digest(SOUND)
    assert len(digest(SOUND)) == writing.CHANGE_BYTES


def test_nonce() -> None:
    """Twelve bytes make a nonce of sixteen characters that needs no escape."""
    assert nonce(bytes(range(12))) == "AAECAwQFBgcICQoL"
