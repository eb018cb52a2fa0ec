"""A service partner whose store was restored from a backup takes back from its lead what it had sent there since."""

import shutil
from pathlib import Path

from support.parties import Parties


def _restored(parties: Parties, tmp_path: Path) -> str:
    """A ticket on which acme worked and submitted after the backup to which its store is now set back."""
    ident = parties.accepted()
    store = parties.folder / "acme" / ".chit"
    shutil.copytree(store, tmp_path / "backup")
    parties.service("comment", ident, "-m", "The fuser is worn.")
    parties.service("time", "add", ident, "1h", "-m", "Replaced the fuser.")
    parties.service("submit", ident, "-m", "It prints again.")
    parties.sync()
    shutil.rmtree(store)
    shutil.copytree(tmp_path / "backup", store)
    return ident


def test_what_was_sent_comes_back(parties: Parties, tmp_path: Path) -> None:
    """With --recover nothing is lost and nothing doubles, and the handoff goes on where it was."""
    ident = _restored(parties, tmp_path)
    parties.service("sync", "--remote", "globex")
    assert parties.record("service", ident)["comments"] == []
    parties.service("pull", "--remote", "globex", "--recover")
    mine, theirs = parties.record("service", ident), parties.record("lead", ident)
    for part in ("comments", "times"):
        assert [one["id"] for one in mine[part]] == [one["id"] for one in theirs[part]]
        assert {one["author"] for one in mine[part]} == {"bob@acme"}
    assert (
        parties.handoff("service", ident)["status"] == parties.handoff("lead", ident)["status"] == "awaiting-approval"
    )
    parties.sync()
    parties.lead("approve", ident)
    parties.sync()
    assert parties.handoff("service", ident)["total"] == parties.handoff("lead", ident)["total"] == "80.00"
    assert len(parties.record("lead", ident)["comments"]) == 2
    parties.service("fsck")
    parties.lead("fsck")


def test_again_it_is_nothing(parties: Parties, tmp_path: Path) -> None:
    """What is here is had; nothing is sent a second time."""
    _restored(parties, tmp_path)
    parties.service("pull", "--remote", "globex", "--recover")
    again = parties.service("pull", "--remote", "globex", "--recover", "--json").json
    assert (again["taken"], again["held"]) == (0, [])
    pushed = parties.service("push", "--remote", "globex", "--json").json
    assert (pushed["taken"], pushed["refused"]) == (0, [])


def test_it_is_for_leads_only(parties: Parties) -> None:
    """There is nothing to take back from any other store."""
    parties.chit("init", cwd=parties.folder)
    parties.service("remote", "add", "team", str(parties.folder))
    ran = parties.service("pull", "--remote", "team", "--recover", code=2)
    assert "team is no lead's store" in ran.err
