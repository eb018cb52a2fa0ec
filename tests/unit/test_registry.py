"""What an address says before anybody is asked."""

import pytest

from chit_sync.errors import UsageError
from chit_sync.helpdesks.address import KINDS
from chit_sync.remotes.registry import (
    check_url,
    is_readable_on_the_way,
    is_url,
    open_helpdesk,
    open_remote,
    takes_token,
)


@pytest.mark.parametrize(
    ("address", "readable"),
    [
        ("http://desk.example/", True),
        ("HTTP://192.0.2.7:8470", True),
        ("https://desk.example/", False),
        ("http://127.0.0.1:8470/", False),
        ("http://localhost/", False),
        ("http://[::1]:8470/", False),
        ("/srv/desk", False),
        ("redmine+http://desk.example/tracker", True),
        ("redmine+https://desk.example/", False),
        ("rt+http://127.0.0.1:8470/?queue=Support", False),
    ],
)
def test_what_can_be_read_on_the_way(address: str, readable: bool) -> None:
    """Only HTTP without TLS to another machine shows a token to those between."""
    assert is_readable_on_the_way(address) is readable


@pytest.mark.parametrize("kind", KINDS)
def test_a_helpdesk_is_an_address(kind: str) -> None:
    """The address of a helpdesk of a known kind is a URL that may have a token, and no store."""
    address = f"{kind}+https://desk.example/help?queue=Support"
    assert is_url(address)
    assert takes_token(address)
    check_url(address)
    with pytest.raises(UsageError, match="is a helpdesk, not a store"):
        open_remote(address)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nodesk+https://desk.example/", "nodesk is no kind of helpdesk"),
        ("rt+https://anna:secret@desk.example/", "holds a user's name or password"),
        ("rt+https:///", "is no address of a helpdesk"),
        ("rt+ssh://desk.example/", "is no address of a remote that is known"),
    ],
)
def test_what_is_no_address_of_a_helpdesk(address: str, said: str) -> None:
    """An address with an unknown kind, without a host, or with a password in it is refused in words, which do not repeat the password."""
    assert is_url(address)
    for check in (check_url, open_helpdesk):
        with pytest.raises(UsageError) as caught:
            check(address)
        assert said in caught.value.message
        assert "secret" not in caught.value.message + caught.value.hint
