"""Tokens are asked about before they are kept, kept closed to others, found again, and never shown."""

import os
from pathlib import Path

import pytest

from support.memory_desk import Desk
from support.memory_remote import URL
from support.runner import Chit
from support.server import serving

SECRET = "agent1"


def kept() -> str:
    """All that is in the credentials file."""
    path = Path(os.environ["XDG_CONFIG_HOME"], "chit", "credentials.toml")
    return path.read_text() if path.exists() else ""


def test_a_token_is_kept_once_the_helpdesk_knows_it(desk: Chit, helpdesk: Desk) -> None:
    """Login says who we are there, and other commands find the token by the remote's web address."""
    desk("remote", "add", "origin", f"{URL}?queue=Support")
    ran = desk("auth", "login", "--token-stdin", stdin=f"{SECRET}\n")
    assert ran.err.startswith("agent1 (Agent One) at Desk in memory 1\nkept it in ")
    assert ran.out == ""
    path = Path(os.environ["XDG_CONFIG_HOME"], "chit", "credentials.toml")
    assert path.stat().st_mode & 0o777 == 0o600
    assert kept() == '["https://desk.example.com/help"]\ntoken = "agent1"\n'
    assert desk("pull").err.startswith("origin: took ")
    assert (
        SECRET
        not in (desk.folder / ".chit" / "store.db").read_bytes().decode("latin-1").split("remotes")[0][:0] + ran.out
    )


def test_a_token_that_is_not_known_is_not_kept(desk: Chit, helpdesk: Desk) -> None:
    """A wrong token ends with code 4; neither it nor anything else is kept or printed."""
    ran = desk("auth", "login", URL, "--token-stdin", stdin="nonsense\n", code=4)
    assert "does not know the token" in ran.err
    assert "nonsense" not in ran.err
    assert kept() == ""


def test_login_with_a_password(desk: Chit, helpdesk: Desk) -> None:
    """With --user what is piped in is a password, and both are kept together."""
    desk("auth", "login", URL, "--user", "agent2", "--token-stdin", stdin="wrong\n", code=4)
    record = desk("auth", "login", URL, "--user", "agent2", "--token-stdin", "--json", stdin="right\n").json
    assert record["account"] == {"key": "agent2", "name": "Agent Two", "email": "agent2@example.com"}
    assert record["service"] == "Desk in memory 1"
    assert 'token = "agent2:right"' in kept()


def test_somebody_is_asked_without_its_being_shown(desk: Chit, helpdesk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the token is typed where nobody sees it."""
    asked: list[str] = []

    def typed(prompt: str) -> str:
        asked.append(prompt)
        return SECRET

    monkeypatch.setattr("click.termui.hidden_prompt_func", typed)
    ran = desk("auth", "login", URL, terminal=True, stdin="")
    assert asked == [f"Token for {URL}: "]
    assert SECRET in kept()
    assert "agent1 (Agent One)" in ran.err
    desk("auth", "login", URL, "--user", "agent2", terminal=True, stdin="", code=4)
    assert asked[1:] == [f"Password of agent2 at {URL}: "]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((URL,), 2, "there is nobody to ask for a token"),
        ((URL, "--user", "a:b", "--token-stdin"), 2, "'a:b' cannot be a login"),
        (("https://desk.example.com", "--user", "anna", "--token-stdin"), 2, "a chit server takes tokens only"),
        (("/srv/desk", "--token-stdin"), 3, "no remote '/srv/desk'"),
        (("file:///srv/desk", "--token-stdin"), 2, "takes no token"),
        (("nodesk+https://desk.example.com", "--token-stdin"), 2, "nodesk is no kind of helpdesk"),
        (("--token-stdin",), 3, "this store has no remote"),
    ],
)
def test_what_cannot_be_logged_in_to(desk: Chit, helpdesk: Desk, words: tuple[str, ...], code: int, said: str) -> None:
    """Each mistake is named, and nothing is kept."""
    assert said in desk("auth", "login", *words, stdin="agent1\n", code=code).err
    assert kept() == ""


def test_a_web_address_means_the_helpdesk_that_is_there(desk: Chit, helpdesk: Desk) -> None:
    """The kind may be left out of the address of a helpdesk that is a remote: so the hints of its errors have it."""
    desk("remote", "add", "origin", f"{URL}?queue=Support")
    record = desk("auth", "login", "https://desk.example.com/help/", "--token-stdin", "--json", stdin=SECRET).json
    assert record["url"] == f"{URL}?queue=Support"


def test_a_dry_run_asks_and_keeps_nothing(desk: Chit, helpdesk: Desk) -> None:
    """With -n the helpdesk says who we are, and nothing is written."""
    ran = desk("auth", "login", URL, "--token-stdin", "-n", stdin=SECRET)
    assert ran.err == "agent1 (Agent One) at Desk in memory 1\nwould keep it\n"
    assert kept() == ""


def test_a_chit_server_is_asked_too(desk: Chit, tmp_path: Path) -> None:
    """The token of a chit server is kept when the server knows it."""
    there = tmp_path / "there"
    there.mkdir()
    desk("init", cwd=there)
    token = desk("token", "create", "anna", cwd=there).id
    with serving(str(there / ".chit")) as url:
        desk("auth", "login", url, "--token-stdin", stdin="wrong", code=4)
        assert "knows the token" in desk("auth", "login", url, "--token-stdin", stdin=token).err
        desk("remote", "add", "origin", url)
        (record,) = desk("auth", "status", "--check", "--json").json
    assert (record["good"], record["account"]) == (True, None)
    assert token not in str(record)


def test_status_says_where_tokens_come_from(desk: Chit, helpdesk: Desk, tmp_path: Path) -> None:
    """For every remote its source; who we are only if asked; the token never."""
    desk("remote", "add", "origin", URL)
    desk("remote", "add", "backup", str(tmp_path))
    assert desk("auth", "status").out == f"origin\t{URL}\t-\nbackup\t{tmp_path}\t-\n"
    environ = {"CHIT_TOKEN": SECRET}
    assert desk("auth", "status", "origin", env=environ).out == f"origin\t{URL}\tCHIT_TOKEN\n"
    asked = len(helpdesk.asked)
    ran = desk("auth", "status", "--check", env=environ)
    assert ran.out == f"origin\t{URL}\tCHIT_TOKEN\tagent1\nbackup\t{tmp_path}\t-\t-\n"
    assert [name for name, _ in helpdesk.asked[asked:]] == ["describe"]
    desk("auth", "login", "--token-stdin", stdin=SECRET)
    assert "credentials.toml" in desk("auth", "status", "--remote", "origin").out


def test_status_says_what_is_not_known(desk: Chit, helpdesk: Desk) -> None:
    """A token that the remote does not know ends with code 4 when it is checked, after the list."""
    desk("remote", "add", "origin", URL)
    ran = desk("auth", "status", "--check", env={"CHIT_TOKEN": "nonsense"}, code=4)
    assert ran.out == f"origin\t{URL}\tCHIT_TOKEN\trefused\n"
    assert "does not know the token" in ran.err
    assert "nonsense" not in ran.out + ran.err
    ran = desk("auth", "status", "--check", code=4)
    assert "there is no token for origin\nhint: `chit auth login origin` asks for one." in ran.err


def test_logout_forgets(desk: Chit, helpdesk: Desk) -> None:
    """What was kept is gone; a token that is still found elsewhere is said."""
    desk("remote", "add", "origin", URL)
    desk("auth", "login", "--token-stdin", stdin=SECRET)
    assert desk("auth", "logout", "-n").err == f"would forget the token for {URL}\n"
    assert SECRET in kept()
    ran = desk("auth", "logout", env={"CHIT_TOKEN": SECRET})
    assert ran.err == f"forgot the token for {URL}\na token is still found in CHIT_TOKEN\n"
    assert SECRET not in kept()
    record = desk("auth", "logout", "origin", "--json").json
    assert (record["url"], record["forgotten"]) == (URL, False)
    assert "chit auth login" in desk("pull", code=4).err
