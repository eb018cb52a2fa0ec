"""What a service partner sent reaches the lead's customer when the lead says so, and only as the lead has read it."""

from pathlib import Path

from support.parties import Parties


def _comment(parties: Parties, ident: str) -> dict[str, str]:
    found: dict[str, str] = parties.record("lead", ident)["comments"][-1]
    return found


def test_a_comment_is_published_by_the_lead(parties: Parties) -> None:
    """What the partner says is not for the requester until the lead publishes it, which the partner does not learn."""
    ident = parties.accepted()
    parties.service("comment", ident, "-m", "The fuser is worn.")
    parties.sync()
    said = _comment(parties, ident)
    assert (said["author"], said["visibility"]) == ("bob@acme", "partner")
    parties.lead("comment", ident, "--edit", said["id"], "--public")
    parties.sync()
    assert _comment(parties, ident)["visibility"] == "public"
    assert parties.record("service", ident)["comments"][-1]["visibility"] == "partner"


def test_what_is_rewritten_must_be_published_anew(parties: Parties) -> None:
    """The requester never reads a text of the partner's that the lead has not read."""
    ident = parties.accepted()
    parties.service("comment", ident, "-m", "The fuser is worn.")
    parties.sync()
    said = _comment(parties, ident)["id"]
    parties.lead("comment", ident, "--edit", said, "--public")
    parties.service("comment", ident, "--edit", said, "-m", "You never clean it.")
    parties.sync()
    now = _comment(parties, ident)
    assert (now["body"], now["visibility"]) == ("You never clean it.", "partner")
    assert parties.lead("conflicts").out == ""


def test_a_file_is_published_by_the_lead(parties: Parties, tmp_path: Path) -> None:
    """The same for a file."""
    ident = parties.accepted()
    (tmp_path / "photo.txt").write_text("a worn fuser")
    parties.service("attach", ident, str(tmp_path / "photo.txt"))
    parties.sync()
    parties.lead("attach", ident, "--publish", "photo.txt")
    assert parties.record("lead", ident)["attachments"][-1]["visibility"] == "public"


def test_who_may_read_a_comment_changes_with_its_text_or_alone(parties: Parties) -> None:
    """--edit with --internal and a text does both; it used to leave the visibility as it was without a word."""
    ident = parties.ticket()
    parties.lead("comment", ident, "-m", "One")
    said = _comment(parties, ident)["id"]
    parties.lead("comment", ident, "--edit", said, "--internal", "-m", "Two")
    now = _comment(parties, ident)
    assert (now["body"], now["visibility"]) == ("Two", "internal")
    refused = parties.lead("comment", ident, "--delete", said, "--public", code=2)
    assert "contradict each other" in refused.err
