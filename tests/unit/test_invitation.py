"""The one word that an invitation is: spelled, read back, and refused in words where it is anything else."""

import contextlib
import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chit_sync import invitation
from chit_sync.errors import ChitError, RemoteError, UsageError
from chit_sync.invitation import Invitation, Joined, Joining

STORE, OTHER = "k" * 32, "l" * 32
SECRET = "s" * 43
GOOD = Invitation("https://desk.example.com/chit", STORE, SECRET, "globex", "acme")


def _word(**values: object) -> str:
    """What an invitation with these values in it looks like; None leaves one out."""
    held = {"u": GOOD.url, "s": STORE, "k": SECRET, "l": "globex", "n": "acme", **values}
    data = json.dumps({name: value for name, value in held.items() if value is not None}).encode()
    return invitation.PREFIX + urlsafe_b64encode(data).decode().rstrip("=")


def test_an_invitation_is_one_short_word() -> None:
    """It can be pasted anywhere: one line, no sign that a shell or a mail program takes for something."""
    word = invitation.spell(GOOD)
    assert word.startswith("chit1_")
    assert word.replace("_", "").replace("-", "").isalnum()
    assert len(word) < 260


@given(
    st.sampled_from(["https://desk.example.com", "http://127.0.0.1:8080/x", "/srv/Büro/.chit", "file:///srv/a%20b"]),
    st.text("klmnopqrstuvwxyz", min_size=32, max_size=32),
    st.from_regex("[A-Za-z0-9_-]{43}", fullmatch=True),
    st.sampled_from(["globex", "Müller.2", "a_b-c"]),
)
def test_what_is_spelled_is_read(url: str, store: str, secret: str, lead: str) -> None:
    """Reading gives what was put in."""
    made = Invitation(url, store, secret, lead, "acme")
    assert invitation.read(invitation.spell(made)) == made


def test_what_a_mail_program_does_to_it_is_undone() -> None:
    """Line ends and blanks in it do not count."""
    word = invitation.spell(GOOD)
    assert invitation.read(f"  {word[:70]}\r\n{word[70:140]}\n {word[140:]}\n\n") == GOOD


def test_what_a_later_chit_adds_is_passed_over() -> None:
    """A field more does no harm."""
    assert invitation.read(_word(z="more")) == GOOD


@pytest.mark.parametrize("end", [1, 2, 3, 50, 150])
def test_one_that_was_cut_says_so(end: int) -> None:
    """A word that lost its end cannot be read, and what to do is said."""
    with pytest.raises(UsageError, match="the invitation cannot be read; was it cut\\?") as caught:
        invitation.read(invitation.spell(GOOD)[:-end])
    assert "ask for it to be sent again" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no invitation"),
        (" \n", "there is no invitation"),
        ("chit_" + SECRET, "this is not an invitation"),
        ("hello", "this is not an invitation"),
        ("chit2_abc", "the invitation was made by a newer chit"),
        ("chit1_", "was it cut"),
        ("chit1_a$(id)", "something in it that does not belong there"),
        ("chit1_ümlaut", "something in it that does not belong there"),
        ("chit1_" + "a" * 2_000, "something in it that does not belong there"),
        ("chit1_" + "a" * 1_000_000, "it is too long"),
        ("chit1_" + urlsafe_b64encode(b"[" * 1_400).decode().rstrip("="), "was it cut"),
        ("chit1_" + urlsafe_b64encode(b"[1]").decode().rstrip("="), "was it cut"),
        ("chit1_a", "was it cut"),
        (_word(k=None), "was it cut"),
        (_word(k=7), "was it cut"),
        (_word(l=["globex"]), "was it cut"),
        (_word(s="K" * 32), "holds what no chit writes"),
        (_word(s="k" * 31), "holds what no chit writes"),
        (_word(k="x"), "holds what no chit writes"),
        (_word(k=SECRET + "\n"), "holds what no chit writes"),
        (_word(l=""), "holds what no chit writes"),
        (_word(l="a@b"), "holds what no chit writes"),
        (_word(l="x" * 41), "holds what no chit writes"),
        (_word(n="\u001b[2J"), "holds what no chit writes"),
        (_word(n="\ud800"), "holds what no chit writes"),
        (_word(n="GLOBEX"), "holds what no chit writes"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
def test_what_is_no_invitation(text: str, message: str) -> None:
    """Anything else is refused in words, whatever it is."""
    with pytest.raises(UsageError, match=message):
        invitation.read(text)


@pytest.mark.parametrize(
    "url",
    [
        "", "desk.example.com", "./store", "ftp://desk.example.com", "https://", "https://anna:x@desk.example.com", "https://a?b=c",
        "https://a#b", "https://a:x", "http://[::1", "https://a\nb", "/srv/\u202ea", "/srv/\udcff", "/" + "x" * 500,
    ],
    ids=lambda url: ascii(url[:20]),
)  # fmt: skip
def test_addresses_that_cannot_be(url: str) -> None:
    """An address with a user, a query, control characters, or of no known kind is neither spelled nor read."""
    for call in (lambda: invitation.read(_word(u=url)), lambda: invitation.spell(GOOD._replace(url=url))):
        with pytest.raises(UsageError, match="the invitation's address is none that chit can go to"):
            call()


@given(st.one_of(st.text(max_size=300), st.text(max_size=50).map(lambda text: invitation.PREFIX + text)))
def test_any_text_is_an_invitation_or_an_error_in_words(text: str) -> None:
    """Nothing that somebody pastes is a surprise."""
    with contextlib.suppress(UsageError):
        assert invitation.read(text).lead


def test_joining_and_answer_travel() -> None:
    """What is written is read."""
    joining, joined = Joining(SECRET, "chit_" + SECRET, OTHER, STORE), Joined(STORE, "globex", "acme")
    assert invitation.read_joining(invitation.write_joining(joining)) == joining
    assert invitation.read_joined(invitation.write_joined(joined), "there") == joined


@pytest.mark.parametrize(
    "values",
    [
        {"secret": None}, {"secret": 1}, {"secret": "x"}, {"secret": "x" * 201}, {"secret": SECRET + " "}, {"token": "ü" * 30},
        {"store": "x"}, {"lead": ""}, {"lead": "../" * 11}, {"more": "x" * 5_000},
    ],
    ids=repr,
)  # fmt: skip
def test_a_joining_that_makes_no_sense(values: dict[str, object]) -> None:
    """The lead's side takes nothing but what it knows, and little of it."""
    good = Joining(SECRET, "chit_" + SECRET, OTHER, STORE)._asdict()
    with pytest.raises(UsageError):
        invitation.read_joining(json.dumps({**good, **values}).encode())


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"<html>", b'{"store":1}', b"[" * 3_900])
def test_messages_that_are_no_json_of_ours(data: bytes) -> None:
    """Neither side stumbles over what is no message."""
    with pytest.raises(UsageError):
        invitation.read_joining(data)
    with pytest.raises(RemoteError, match="there does not answer like a chit server"):
        invitation.read_joined(data, "there")


@pytest.mark.parametrize(
    "values", [{"store": "x"}, {"name": "a@b"}, {"own": "\x1b"}, {"own": None}, {"own": "x" * 5_000}]
)
def test_an_answer_that_makes_no_sense(values: dict[str, object]) -> None:
    """A server's names are looked at before anything is made of them."""
    with pytest.raises(ChitError, match="does not answer like a chit server"):
        invitation.read_joined(json.dumps({**Joined(STORE, "globex", "acme")._asdict(), **values}).encode(), "there")
