"""Where a token for a server is found, in which order, and what is refused."""

import os
from pathlib import Path

import pytest

from chit_sync import credentials
from chit_sync.errors import AccessError, UsageError

URL = "https://tickets.example.com/team"


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A folder for the credentials file."""
    return str(tmp_path / "config")


def _helper(tmp_path: Path, body: str) -> str:
    file = tmp_path / "helper"
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o700)
    return str(file)


def test_nothing_is_found_where_nothing_is(config: str) -> None:
    """Without any source there is no token, and that is no error."""
    assert credentials.find(URL, {}, config) is None


def test_the_token_file_goes_first(tmp_path: Path, config: str) -> None:
    """CHIT_TOKEN_FILE wins over everything else; blanks around the token do not belong to it."""
    file = tmp_path / "token"
    file.write_text("from-file\n")
    credentials.save(config, URL, "kept")
    found = credentials.find(URL, {"CHIT_TOKEN_FILE": str(file), "CHIT_TOKEN": "from-variable"}, config)
    assert found is not None
    assert found.token == "from-file"
    assert "CHIT_TOKEN_FILE" in found.source


def test_a_token_file_that_is_missing_is_an_error(config: str) -> None:
    """A file that was named and is not there is said, not passed over."""
    with pytest.raises(UsageError, match="cannot read /nowhere/token, which CHIT_TOKEN_FILE names"):
        credentials.find(URL, {"CHIT_TOKEN_FILE": "/nowhere/token"}, config)


def test_the_variable_goes_before_helper_and_files(tmp_path: Path, config: str) -> None:
    """CHIT_TOKEN is used without asking the helper."""
    helper = _helper(tmp_path, f"touch {tmp_path}/asked")
    found = credentials.find(URL, {"CHIT_TOKEN": "from-variable"}, config, helper=helper)
    assert found is not None
    assert found.token == "from-variable"
    assert not (tmp_path / "asked").exists()


def test_the_helper_is_asked_as_git_asks_its_own(tmp_path: Path, config: str) -> None:
    """The helper gets `get` and the address on standard input, and answers with a password."""
    helper = _helper(
        tmp_path, f'cat > {tmp_path}/asked; echo "$1" >> {tmp_path}/asked; echo username=x; echo password=from-helper'
    )
    found = credentials.find("https://tickets.example.com:8443/team", {}, config, helper=helper)
    assert found is not None
    assert found.token == "from-helper"
    assert (tmp_path / "asked").read_text() == "protocol=https\nhost=tickets.example.com:8443\npath=team\n\nget\n"


def test_a_helper_that_knows_nothing_is_passed_over(tmp_path: Path, config: str) -> None:
    """A helper that fails or gives no password leaves the search to the other places."""
    credentials.save(config, URL, "kept")
    for body in ("exit 1", "echo username=x"):
        found = credentials.find(URL, {}, config, helper=_helper(tmp_path, body))
        assert found is not None
        assert found.token == "kept"


def test_a_helper_that_hangs_is_given_up(tmp_path: Path, config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A helper that does not answer is an error in words, not an endless wait."""
    monkeypatch.setattr(credentials, "HELPER_SECONDS", 0.2)
    with pytest.raises(AccessError, match="the credential helper did not answer within"):
        credentials.find(URL, {}, config, helper=_helper(tmp_path, "exec sleep 30"))


def test_a_helper_that_is_not_there_is_named(config: str) -> None:
    """A helper that cannot be run is an error that names it."""
    with pytest.raises(AccessError, match="cannot run the credential helper '/nowhere/helper'"):
        credentials.find(URL, {}, config, helper="/nowhere/helper")


def test_netrc_goes_before_the_credentials_file(tmp_path: Path, config: str) -> None:
    """The password of the host's entry in .netrc is the token."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine tickets.example.com login x password from-netrc\n")
    netrc.chmod(0o600)
    credentials.save(config, URL, "kept")
    found = credentials.find(URL, {}, config, home=str(tmp_path))
    assert found is not None
    assert (found.token, found.source) == ("from-netrc", str(netrc))


def test_a_broken_netrc_is_named_with_its_line(tmp_path: Path, config: str) -> None:
    """A .netrc that cannot be read says which line, and not what stands there."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine tickets.example.com\nsecret-word\n")
    netrc.chmod(0o600)
    with pytest.raises(UsageError, match=r"cannot read .*\.netrc: line \d+ is not understood") as caught:
        credentials.find(URL, {}, config, home=str(tmp_path))
    assert "secret-word" not in caught.value.message


def test_saved_tokens_are_found_for_the_address_and_below(config: str) -> None:
    """The longest address that the server's lies at or below gives the token; other servers get none."""
    credentials.save(config, "https://tickets.example.com/", "general")
    credentials.save(config, "https://Tickets.example.com/team/", "team")
    tokens = {
        url: found.token if (found := credentials.find(url, {}, config)) else None
        for url in (URL, "https://tickets.example.com/teams", "http://tickets.example.com", "https://example.com")
    }
    assert tokens == {
        URL: "team",
        "https://tickets.example.com/teams": "general",
        "http://tickets.example.com": None,
        "https://example.com": None,
    }


def test_the_credentials_file_is_closed_to_others(config: str) -> None:
    """The file is made with mode 0600."""
    path = credentials.save(config, URL, "kept")
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_an_open_credentials_file_is_refused(config: str) -> None:
    """A file that others may read is not used, and the cure is named."""
    path = credentials.save(config, URL, "kept")
    os.chmod(path, 0o640)
    with pytest.raises(AccessError, match=r"others on this machine may use it \(its mode is 0640\)") as caught:
        credentials.find(URL, {}, config)
    assert f"chmod 600 {path}" in caught.value.hint


def test_a_broken_credentials_file_is_said(config: str) -> None:
    """What is not TOML is an error that names the file and shows nothing of it."""
    path = credentials.save(config, URL, "kept")
    Path(path).write_text("secret-word\n")
    with pytest.raises(UsageError, match="is not valid TOML") as caught:
        credentials.find(URL, {}, config)
    assert "secret-word" not in caught.value.message + caught.value.hint


def test_removing_forgets_one_address(config: str) -> None:
    """Only the token of that address goes; removing what is not there says so."""
    credentials.save(config, URL, "team")
    credentials.save(config, "https://other.example.com", "other")
    assert credentials.remove(config, URL + "/")
    assert not credentials.remove(config, URL)
    found = credentials.find("https://other.example.com", {}, config)
    assert found is not None
    assert found.token == "other"


@pytest.mark.parametrize("token", ["", "two words", "line\nline", "ümlaut", "x" * 9_000])
def test_what_cannot_be_a_token_is_refused(config: str, token: str) -> None:
    """A token is one word of ASCII; anything else would break the request's headers."""
    with pytest.raises(UsageError, match=r"holds (no token|something that cannot be a token)"):
        credentials.save(config, URL, token)


def test_a_credential_does_not_show_its_token() -> None:
    """The token does not slip into messages by way of repr."""
    assert "secret" not in repr(credentials.Credential("secret", "CHIT_TOKEN"))


DESK = "redmine+https://Desk.example.com/tracker/?queue=Support"


@pytest.mark.parametrize("token", ["word", "anna:päss wörd:1"])
def test_a_helpdesks_token_is_kept_for_its_web_address(config: str, token: str) -> None:
    """The kind, the query and the case of the host do not matter; what is kept may be a login and any password."""
    credentials.save(config, DESK, token)
    found = credentials.find("redmine+https://desk.example.com/tracker?queue=Billing", {}, config)
    assert found is not None
    assert found.token == token
    assert credentials.find("redmine+https://desk.example.com/other", {}, config) is None
    assert credentials.remove(config, "redmine+https://desk.example.com/tracker")


def test_a_helpdesk_is_told_the_login_of_netrc(tmp_path: Path, config: str) -> None:
    """For a helpdesk .netrc gives login and password, where there is a login; for a chit server the password."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine desk.example.com login anna password from-netrc\n")
    netrc.chmod(0o600)
    for url, token in ((DESK, "anna:from-netrc"), ("https://desk.example.com/", "from-netrc")):
        found = credentials.find(url, {}, config, home=str(tmp_path))
        assert found is not None
        assert found.token == token
    netrc.write_text("machine desk.example.com password from-netrc\n")
    found = credentials.find(DESK, {}, config, home=str(tmp_path))
    assert found is not None
    assert found.token == "from-netrc"


def test_the_helper_is_asked_for_a_helpdesks_web_address(tmp_path: Path, config: str) -> None:
    """The helper is not told of kinds; a user's name in its answer goes along."""
    helper = _helper(tmp_path, f"cat > {tmp_path}/asked; echo username=anna; echo password=secret")
    found = credentials.find(DESK, {}, config, helper=helper)
    assert found is not None
    assert found.token == "anna:secret"
    assert (tmp_path / "asked").read_text() == "protocol=https\nhost=Desk.example.com\npath=tracker\n\n"
