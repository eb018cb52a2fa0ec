"""Outsourced work at the command line: questions, submissions, what is held back, copies, and how it ends."""

import pytest

from support.invocations import everything
from support.parties import Parties


def test_questions(parties: Parties) -> None:
    """A question is open until it is answered; what is authorised with the answer is added to what there was."""
    ident = parties.accepted()
    parties.service("ask", ident, "-m", "Which floor?")
    parties.service("ask", ident, "-m", "More time?")
    parties.sync()
    first, second = (one["id"] for one in parties.record("lead", ident)["questions"])
    several = parties.lead("ask", ident, "--answer", "-m", "Yes", code=3)
    assert first in several.err
    assert f"hint: Name the one: `chit ask {ident[:8]} ID --answer`.\n" in several.err
    assert parties.lead("ask", ident, first[:6], "--answer", "-m", "The third.").err.startswith(
        f"{ident[:8]}: answered {first[:8]}: The third.\n{ident[:8]}: accepted, with acme; acme sees it at its next sync\n"
    )
    ran = parties.lead("ask", ident, "--answer", "-m", "Yes.", "--hours", "1h30m", "--charges", "20")
    assert "authorised in all: up to 11h30m of work, up to 70.00 EUR of charges\n" in ran.err
    parties.sync()
    theirs = parties.record("service", ident)
    assert [one["answer"] for one in theirs["questions"]] == ["The third.", "Yes."]
    assert (theirs["handoffs"][0]["authorized_minutes"], theirs["handoffs"][0]["authorized_charges"]) == (690, "70.00")
    none = parties.lead("ask", ident, "--answer", "-m", "Yes.", code=5)
    assert none.err.startswith(f"error: acme has no open question about {ident[:8]}\n")
    assert second != first


def test_more_than_is_authorised(parties: Parties) -> None:
    """It is refused with what is left; --over-limit records nothing and asks the lead, whose answer makes room."""
    ident = parties.accepted("--hours", "1h")
    parties.service("time", "add", ident, "40m")
    ran = parties.service("time", "add", ident, "30m", code=7)
    assert "20m is left of 1h" in ran.err
    parties.service("time", "add", ident, "30m", "--over-limit")
    parties.sync()
    lead = parties.record("lead", ident)
    assert [one["minutes"] for one in lead["times"]] == [40]
    assert "20m is left of 1h" in lead["questions"][0]["body"]
    parties.lead("ask", ident, "--answer", "-m", "Go on.", "--hours", "30m")
    parties.sync()
    parties.service("time", "add", ident, "30m")


def test_from_submission_to_approval(parties: Parties) -> None:
    """A submission with a summary, a rejection that is a comment, another submission, an approval that says what is owed."""
    ident = parties.submitted()
    rejected = parties.lead("reject", ident, "-m", "It still smokes.")
    assert f"{ident[:8]}: reject: It still smokes.\n{ident[:8]}: in-progress, with acme; " in rejected.err
    parties.sync()
    assert parties.record("service", ident)["comments"][-1]["body"] == "It still smokes."
    again = parties.service("submit", ident, "-m", "Now it does not.")
    assert again.err.endswith("next: globex approves or rejects; what is new is held back until then\n")
    parties.sync()
    assert parties.record("lead", ident)["comments"][-1]["body"] == "Now it does not."
    approved = parties.lead("approve", ident, "-m", "Well done.")
    assert "    acme gets 120.00 EUR for 1h30m\n" in approved.err
    parties.sync()
    for role in ("lead", "service"):
        handoff = parties.handoff(role, ident)
        assert (handoff["status"], handoff["total"], handoff["reason"]) == ("completed", "120.00", "Well done.")


def test_a_submission_is_taken_back(parties: Parties) -> None:
    """By the partner, with a reason; it works on."""
    ident = parties.submitted()
    ran = parties.service("withdraw", ident, "-m", "It came back.")
    assert f"{ident[:8]}: in-progress, for globex; not confirmed" in ran.err
    parties.sync()
    assert parties.handoff("lead", ident)["status"] == "in-progress"
    for role in ("lead", "service"):
        said = parties.record(role, ident)["comments"][-1]
        assert (said["author"], said["body"], said["held"]) == ("bob@acme", "It came back.", None)


@pytest.mark.parametrize(
    ("role", "verb", "wanted"), [("lead", "recall", "canceled"), ("service", "handback", "declined")]
)
def test_ended_early(role: str, verb: str, wanted: str, parties: Parties) -> None:
    """What was done stays with the lead, and the ticket can be outsourced again."""
    ident = parties.accepted()
    parties.service("time", "add", ident, "1h")
    parties.sync()
    parties.run(role, verb, ident, "-m", "Because.")
    parties.sync()
    lead = parties.record("lead", ident)
    assert (lead["handoffs"][-1]["status"], lead["handoffs"][-1]["reason"]) == (wanted, "Because.")
    assert [one["minutes"] for one in lead["times"]] == [60]
    parties.lead("outsource", ident, "acme")


def test_what_was_held_back(parties: Parties) -> None:
    """It is named, released by name or all of it, or kept for good; --dry-run shows what would leave."""
    ident = parties.submitted()
    for body in ("one", "two", "three"):
        parties.service("comment", ident, "-m", body)
    parties.lead("reject", ident, "-m", "It still smokes.")
    parties.sync()
    named = parties.service("release", ident, code=2)
    keys = {one["body"]: one["id"] for one in parties.record("service", ident)["comments"]}
    assert all(f"comment {keys[body][:8]}" in named.err for body in ("one", "two", "three"))
    before = everything(parties.folder)
    dry = parties.service("release", ident, keys["one"][:10], "-n")
    assert f"would leave for globex:\n    comment/{keys['one']}/body  one\n" in dry.err
    assert everything(parties.folder) == before
    ran = parties.service("release", ident, keys["one"][:10])
    assert f"{ident[:8]}: released comment {keys['one'][:8]}\n" in ran.err
    kept = parties.service("release", ident, keys["two"], "--keep")
    assert f"{ident[:8]}: kept comment {keys['two'][:8]} here\n" in kept.err
    parties.service("release", ident, "--all")
    parties.sync()
    bodies = [one["body"] for one in parties.record("lead", ident)["comments"]]
    assert sorted(bodies) == ["It still smokes.", "one", "three"]
    assert parties.service("release", ident, "--all").err.endswith(f"nothing of {ident[:8]} is held back\n")


def test_a_copy_of_the_other_sides_item(parties: Parties) -> None:
    """The other side's comment cannot be edited, a copy can; what is lost by that is said."""
    ident = parties.accepted()
    parties.service("comment", ident, "-m", "On my way.")
    parties.sync()
    (theirs,) = parties.record("lead", ident)["comments"]
    refused = parties.lead("comment", ident, "--edit", theirs["id"], "-m", "Off.", code=5)
    assert f"`chit detach {theirs['id'][:8]}`" in refused.err
    ran = parties.lead("detach", ident, theirs["id"][:10])
    assert f"later changes of bob@acme to {theirs['id'][:8]} do not arrive in it\n" in ran.err
    copy = parties.record("lead", ident)["comments"][-1]
    assert (copy["author"], copy["body"], copy["visibility"]) == ("anna", "On my way.", "internal")
    parties.lead("comment", ident, "--edit", copy["id"], "-m", "She is on her way.")
    parties.sync()
    assert len(parties.record("service", ident)["comments"]) == 1


def test_closing_is_completing_or_submitting(parties: Parties) -> None:
    """`close` says what it does to the handoff, on both sides; approval is not bypassed."""
    ident = parties.accepted()
    ran = parties.service("close", ident, "-m", "Done.")
    assert f"{ident[:8]}: status new → closed, said (partner): Done., submit\n" in ran.err
    assert f"{ident[:8]}: awaiting-approval, for globex; not confirmed by globex yet;" in ran.err
    parties.sync()
    assert parties.record("lead", ident)["status"] == "new"
    ended = parties.lead("close", ident)
    assert f"{ident[:8]}: completed, with acme; acme sees it at its next sync\n" in ended.err
    other = parties.accepted()
    assert ", complete\n" in parties.lead("close", other).err
    plain = parties.ticket()
    assert parties.lead("close", plain).err == f"{plain[:8]}: status new → closed\n"


def test_undo(parties: Parties) -> None:
    """What nobody else has yet can be taken back: an offer before the partner has fetched it, an answer before it was sent."""
    ident = parties.ticket()
    parties.lead("outsource", ident, "acme")
    parties.lead("undo")
    assert parties.record("lead", ident)["handoffs"] == []
    parties.sync()
    parties.service("show", ident, code=3)
    parties.lead("outsource", ident, "acme")
    parties.sync()
    parties.service("accept", ident)
    parties.service("undo")
    assert parties.handoff("service", ident)["status"] == "assigned"
    parties.lead("undo", code=5)


def test_a_lost_race(parties: Parties) -> None:
    """Whichever the lead's store takes first: an offer that was canceled is not accepted any more, and both know."""
    ident = parties.offered()
    parties.service("accept", ident)
    parties.lead("cancel", ident, "-m", "Somebody else does it.")
    lost = parties.service("sync", "--remote", "globex", code=5)
    assert f"globex refused `accept` on {ident[:8]}: it came too late" in lost.err
    for role in ("lead", "service"):
        assert parties.handoff(role, ident)["status"] == "canceled"
    assert "refused: it came too late" in parties.service("log", ident, terminal=True).out


def test_the_end_of_a_partnership(parties: Parties) -> None:
    """Offers that were not answered are canceled with the reason; what was agreed on goes on."""
    ident, running = parties.offered(), parties.accepted()
    before = everything(parties.folder)
    dry = parties.lead("partner", "end", "acme", "-n")
    assert f"would cancel the offer of {ident[:8]}\n" in dry.err
    assert everything(parties.folder) == before
    assert f"canceled the offer of {ident[:8]}\n" in parties.lead("partner", "end", "acme").err
    parties.sync()
    theirs = parties.handoff("service", ident)
    assert (theirs["status"], theirs["reason"]) == ("canceled", "the partnership has ended")
    assert parties.handoff("service", running)["status"] == "accepted"
    assert parties.service("partner", "list", "--json").json[0]["state"] == "joined", "something is running still"
    refused = parties.lead("outsource", ident, "acme", code=5)
    assert refused.err.startswith("error: the partnership with acme has ended\n")


@pytest.mark.parametrize("verb", ["sync", "pull", "push", "fetch"])
def test_the_end_is_noted_by_the_service_partner(verb: str, parties: Parties) -> None:
    """Once the lead's store has said that it is over, `partner list` says so too, until the partner joins again; -n notes nothing."""

    def state() -> str:
        return str(parties.service("partner", "list", "--json").json[0]["state"])

    ident = parties.accepted()
    parties.service("comment", ident, "-m", "On my way.")
    parties.lead("complete", ident)
    parties.lead("partner", "end", "acme")
    parties.service("pull", "--remote", "globex")
    parties.service("pull", "--remote", "globex", "-n", code=4)
    assert state() == "joined"
    assert "the partnership has ended\n" in parties.service(verb, "--remote", "globex", code=4).err
    assert state() == "ended"
    word = parties.lead("partner", "invite", "acme", "--as", "globex").out
    parties.service("partner", "join", "-", stdin=word)
    assert state() == "joined"
