"""Remotes that are not there, are something else, or are not what they were; and tokens that are not good."""

import json
from pathlib import Path

import pytest

from support.invocations import everything
from support.runner import Chit
from support.server import answering, closed_port, serving

AGAIN = "`chit remote list` shows what there is."


def said(message: str, hint: str) -> str:
    """What is on standard error for an error."""
    return f"error: {message}\n" + (f"hint: {hint}\n" if hint else "")


def test_no_remote(desk: Chit, ticket: str) -> None:
    """Without a remote, or with a name that there is not, the exchange says how to name one."""
    for command in ("fetch", "pull", "push", "sync"):
        assert desk(command, code=3).err == said("this store has no remote", "Add one with `chit remote add NAME URL`.")
        assert desk(command, "--remote", "nowhere", code=3).err == said("no remote 'nowhere'", AGAIN)
    for name, *rest in (("show",), ("remove",), ("reset",), ("rename", "x"), ("set-url", "x")):
        assert desk("remote", name, "nowhere", *rest, code=3).err == said("no remote 'nowhere'", AGAIN)
    assert desk("remote", "list").err == "no remotes; `chit remote add NAME URL` names one\n"


NAMES = "A name has 1 to 40 letters, digits, dots, dashes or underscores, and is no number."
KINDS = "It is http://…, https://…, file:///…, a path, or of a helpdesk: rt+https://…, redmine+https://…."


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("12", "/srv/desk"), "'12' cannot name a remote", NAMES),
        (("a b", "/srv/desk"), "'a b' cannot name a remote", NAMES),
        (("", "/srv/desk"), "'' cannot name a remote", NAMES),
        (("x" * 41, "/srv/desk"), f"'{'x' * 40}' cannot name a remote", NAMES),
        (("x", ""), "a remote needs an address", ""),
        (("x", "ftp://desk.example"), "ftp://desk.example is no address of a remote that is known", KINDS),
        (("x", "file://desk.example/x"), "file://desk.example/x is no address of a remote that is known", KINDS),
    ],
)
def test_remotes_that_cannot_be(words: tuple[str, ...], message: str, hint: str, desk: Chit) -> None:
    """Names and addresses are checked when they are given."""
    before = everything(desk.folder)
    assert desk("remote", "add", *words, code=2).err == said(message, hint)
    assert everything(desk.folder) == before


def test_remotes_that_are_there(desk: Chit) -> None:
    """A name is used once; a relative path is kept whole, so that it holds wherever one is."""
    desk("remote", "add", "x", "other")
    assert desk("remote", "list").out == f"x\t{desk.folder / 'other'}\n"
    assert desk("remote", "add", "x", "y", code=5).err == said(
        "there is a remote x already", "Change its address with `chit remote set-url x URL`."
    )
    desk("remote", "add", "y", "https://desk.example/")
    assert desk("remote", "rename", "x", "y", code=5).err.startswith("error: there is a remote y already\n")


def test_where_there_is_nothing(desk: Chit, ticket: str, tmp_path: Path) -> None:
    """A path without a store, a port at which nobody listens, this store itself: nothing is changed."""
    desk("remote", "add", "origin", str(tmp_path / "nowhere"))
    for command in ("fetch", "pull", "push", "sync"):
        ran = desk(command, code=3)
        assert ran.err.startswith(f"error: there is no store at {tmp_path / 'nowhere'}\n")
    desk("remote", "set-url", "origin", str(desk.folder))
    for command in ("fetch", "pull", "push"):
        assert desk(command, code=5).err.startswith("error: the remote origin is this store itself\n")
    desk("remote", "set-url", "origin", closed_port())
    before = everything(desk.folder)
    for command in ("fetch", "pull", "push", "sync"):
        ran = desk(command, code=6)
        assert "Connection refused" in ran.err
        assert "hint: " in ran.err
    assert everything(desk.folder) == before
    assert desk("pull", "--json", code=6).problem["code"] == "remote"


def test_clone_of_nothing_leaves_nothing(chit: Chit, tmp_path: Path) -> None:
    """A clone that cannot begin makes no folder."""
    chit("clone", str(tmp_path / "nowhere"), "copy", code=3)
    chit("clone", closed_port(), "copy", code=6)
    with answering(lambda method, path: (200, {"Content-Type": "text/html"}, b"<html>Welcome</html>")) as url:
        ran = chit("clone", url, "copy", code=6)
        assert ran.err.startswith("error: ")
        assert "hint: " in ran.err
    assert list(chit.folder.iterdir()) == []


def test_clone_into_a_store(desk: Chit, ticket: str) -> None:
    """A store is not cloned over another."""
    assert desk("clone", ".", ".", code=5).err == said(
        f"there is a store at {desk.folder}/.chit already", "Go there and `chit pull`, or name another folder."
    )


def test_clone_of_a_store_in_conflict(desk: Chit, ticket: str) -> None:
    """A clone brings the conflicts of the other store, and lists them."""
    desk("clone", ".", "copy")
    desk("edit", ticket, "--title", "One")
    desk("edit", ticket, "--title", "Two", cwd=desk.folder / "copy")
    desk("pull", cwd=desk.folder / "copy")
    ran = desk("clone", str(desk.folder / "copy"), str(desk.folder / "third"), cwd=desk.folder / "copy")
    assert "1 new conflict; `chit resolve TICKET` decides:\n" in ran.err
    assert f"    {ticket[:8]}  title  " in ran.err


def test_another_store_than_before(desk: Chit, ticket: str, tmp_path: Path) -> None:
    """A remote that is another store now is not mixed with the one before; the hint says what to do."""
    chit, first, second = desk, tmp_path / "first", tmp_path / "second"
    chit("init", str(first))
    chit("init", str(second))
    chit("remote", "add", "origin", str(first))
    chit("push")
    chit("remote", "set-url", "origin", str(second))
    chit("edit", ticket, "-p", "low")
    ran = chit("push", code=6)
    assert "another store" in ran.err
    assert "chit remote" in ran.err
    assert chit("list", cwd=second).out == ""
    chit("remote", "reset", "origin")
    chit("push")
    assert chit("list", "--count", cwd=second).out == "1\n"


def test_tokens(desk: Chit, ticket: str, tmp_path: Path) -> None:
    """No token, a wrong one, a revoked one, one that may only read: each is said, with how to give one; it ends with 4."""
    good = desk("token", "create", "berta").out.strip()
    reader = desk("token", "create", "screen", "--scope", "reader").out.strip()
    with serving(str(desk.folder / ".chit")) as url:
        copy = tmp_path / "copy"
        none = desk("clone", url, str(copy), code=4)
        assert none.err.startswith("error: ")
        assert "hint: " in none.err
        assert not copy.exists()
        desk("clone", url, str(copy), code=4, env={"CHIT_TOKEN": "chit_wrong"})
        assert desk("clone", url, str(copy), code=2, env={"CHIT_TOKEN": "two words"}).err.startswith(
            "error: CHIT_TOKEN "
        )
        assert desk("clone", "--token-stdin", url, str(copy), stdin="\n", code=2).err == said(
            "there is no token on standard input", "Pipe it in: `chit … --token-stdin < FILE`."
        )
        desk("clone", url, str(copy), env={"CHIT_TOKEN": reader})
        desk("new", "-m", "Not allowed", cwd=copy)
        ran = desk("push", cwd=copy, env={"CHIT_TOKEN": reader}, code=None)
        assert ran.code in (4, 5), ran
        assert "reader" in ran.err or "may" in ran.err
        desk("push", "--again", cwd=copy, env={"CHIT_TOKEN": good})
        desk("token", "revoke", "berta")
        ran = desk("pull", cwd=copy, env={"CHIT_TOKEN": good}, code=4)
        assert good not in ran.err + ran.out
        file = tmp_path / "token"
        file.write_text(reader + "\n")
        desk("pull", cwd=copy, env={"CHIT_TOKEN_FILE": str(file)})
        desk("pull", cwd=copy, env={"CHIT_TOKEN_FILE": str(tmp_path / "nope")}, code=2)


def test_a_token_is_kept_for_its_address(
    desk: Chit, ticket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--token-stdin keeps the token, closed to others; later commands find it; it is in no setting and in no output."""
    config = tmp_path / "config"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config))
    token = desk("token", "create", "berta").out.strip()
    with serving(str(desk.folder / ".chit")) as url:
        copy = tmp_path / "copy"
        desk("clone", "--token-stdin", url, str(copy), "-n", stdin=f"{token}\n")
        assert not config.exists()
        ran = desk("clone", "--token-stdin", url, str(copy), stdin=f"{token}\n")
        assert token not in ran.out + ran.err
        desk("sync", cwd=copy)
        (file,) = [path for path in config.rglob("*") if path.is_file()]
        assert file.stat().st_mode & 0o777 == 0o600
        assert token not in json.dumps(desk("config", "list", "--json", cwd=copy).json)
        file.chmod(0o644)
        ran = desk("pull", cwd=copy, code=4)
        assert "chmod 600" in ran.err
        assert "chmod 600" in desk("doctor", cwd=copy, code=8).err


def test_what_was_refused_is_in_status(desk: Chit, ticket: str, tmp_path: Path) -> None:
    """A change that the remote does not take is named with its ticket and the reason, and what to do about it."""
    reader = desk("token", "create", "screen", "--scope", "reader").out.strip()
    copy = tmp_path / "copy"
    env = {"CHIT_TOKEN": reader}
    with serving(str(desk.folder / ".chit")) as url:
        desk("clone", url, str(copy), env=env)
        desk("edit", ticket, "-p", "low", cwd=copy)
        ran = desk("push", cwd=copy, env=env, code=None)
        assert ran.code in (4, 5), ran
        status = desk("status", cwd=copy).out
        assert "1 change" in status
        assert desk("status", "--exit-code", cwd=copy, code=10).out == status


@pytest.mark.parametrize(("url", "warned"), [("http://desk.example/", True), ("https://desk.example/", False)])
def test_a_token_over_plain_http(url: str, warned: bool, chit: Chit, tmp_path: Path) -> None:
    """A token that others could read on its way is warned of. An empty store has nothing to send, so nobody is asked."""
    chit("init", cwd=tmp_path)
    chit("remote", "add", "origin", url, cwd=tmp_path)
    ran = chit("push", cwd=tmp_path, env={"CHIT_TOKEN": "secret"})
    warning = "warning: the token goes over plain HTTP, where others can read it; use an https:// address\n"
    assert (warning in ran.err) is warned
    assert "secret" not in ran.err
