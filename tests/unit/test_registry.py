"""What an address says before anybody is asked."""

import pytest

from chit_sync.remotes.registry import is_readable_on_the_way


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
    ],
)
def test_what_can_be_read_on_the_way(address: str, readable: bool) -> None:
    """Only HTTP without TLS to another machine shows a token to those between."""
    assert is_readable_on_the_way(address) is readable
