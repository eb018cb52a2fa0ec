"""Corners of outsourcing: a ticket closed or deleted meanwhile, and what was shared and should not have been."""

import pytest

from support.parties import Parties


def test_a_shared_comment_is_not_made_internal(parties: Parties) -> None:
    """The partner has it: to make it internal would only look as if it had not; deleting it takes it away from both."""
    ident = parties.accepted()
    parties.lead("comment", ident, "-m", "The key is under the mat.")
    said = parties.record("lead", ident)["comments"][-1]["id"]
    parties.sync()
    refused = parties.lead("comment", ident, "--edit", said, "--internal", code=5)
    assert "acme has the comment" in refused.err
    assert "Delete it" in refused.err
    parties.lead("comment", ident, "--delete", said)
    parties.sync()
    assert parties.record("service", ident)["comments"] == []


@pytest.mark.parametrize("accepts", [False, True])
def test_an_offer_of_a_ticket_that_was_deleted_is_seen(parties: Parties, accepts: bool) -> None:
    """Who declined a ticket and deleted it sees it when it is offered again, and gets it back by accepting."""
    ident = parties.offered()
    parties.service("decline", ident, "-m", "No time.")
    parties.service("delete", ident)
    parties.sync()
    assert ident not in parties.service("list", "is:offered", "--format", "{id}").out
    parties.lead("outsource", ident, "acme")
    parties.sync()
    assert parties.service("list", "is:offered", "--format", "{id}").out.split() == [ident]
    assert ident in parties.service("board").out
    if accepts:
        parties.service("accept", ident)
        parties.sync()
        assert ident in parties.service("list", "--format", "{id}").out
    parties.service("fsck")
