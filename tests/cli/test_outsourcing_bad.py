"""Outsourcing with what is wrong, missing or contradicts itself: each is refused by name, and nothing is written."""

from pathlib import Path

import pytest

from support.invocations import everything
from support.parties import TERMS, Parties
from support.runner import Chit


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("", 2, "no partner named"),
        ("umbrella", 3, "no service partner 'umbrella'"),
        ("acme --pay 80", 2, "'80' does not say what for"),
        ("acme --pay 80/day", 2, "'80/day' does not say what for"),
        ("acme --pay 80.123/h", 2, "more than two decimals"),
        ("acme --pay -1/h", 2, "less than nothing"),
        ("acme --pay 1,50/h", 2, "is not an amount"),
        ("acme --currency EURO", 2, "'EURO' is not a currency"),
        ("acme --hours 10", 2, "'10' has no unit"),
        ("acme --hours 0h", 2, "no time at all"),
        ("acme --hours 999999999h", 2, "'999999999h' is"),
        ("acme --charges x", 2, "'x' is not an amount"),
        ("acme --bill-rate 1e3", 2, "'1e3' is not an amount"),
        ("acme --grace soon", 2, "'soon' is not a span of time"),
        ("acme --complete-by yesterday", 2, "--complete-by yesterday is past"),
        ("acme --accept-by 2020-01-01", 2, "--accept-by 2020-01-01 is past"),
        ("acme --accept-by whenever", 2, "'whenever' is not a time"),
        ("acme --accept-by 7d --complete-by 2d", 2, "to be done before the offer ends"),
        ("acme --share-comments some", 2, "'some' is not one of"),
        ("acme --to umbrella", 2, "PARTNER and --to contradict each other"),
        ("acme --draft --discard", 2, "--draft and --discard contradict each other"),
        ("--discard --pay 80/h", 2, "--discard takes no partner and no terms"),
        ("--discard", 5, "the ticket is not outsourced"),
        ("acme --query is:open", 2, "tickets, --query and --stdin contradict each other"),
        ("acme --instructions x -F y", 2, "--instructions and -F contradict each other"),
        ("acme -F no-such-file", 2, "cannot read no-such-file"),
        ("acme -c partner.grace=soon", 2, "'soon' is not a span of time"),
    ],
)
def test_offers(words: str, code: int, message: str, parties: Parties) -> None:
    """A wrong term or partner is named, with the way it is written."""
    ident = parties.ticket()
    before = everything(parties.folder)
    ran = parties.lead("outsource", ident, *words.split(), code=code)
    assert message in ran.err
    assert ran.out == ""
    assert everything(parties.folder) == before


def test_a_store_without_partners(chit: Chit) -> None:
    """One that exchanges with nobody has nobody to outsource to: the first offer says how to invite, and nothing is left half done."""
    chit("init")
    ident = chit("new", "-m", "Printer on fire").id
    refused = chit("outsource", ident, "acme", code=3)
    assert refused.err == "error: no service partner 'acme'\nhint: `chit partner invite acme` invites one.\n"
    assert chit("show", ident, "--json").json["handoff"] is None


def test_one_of_several_questions(parties: Parties) -> None:
    """An answer that could be to several questions lists them, each in a line of its own."""
    ident = parties.accepted()
    parties.service("ask", ident, "-m", "May I drill?", "-m", "There is no hole.")
    parties.service("ask", ident, "-m", "Who has the key?")
    parties.service("sync")
    refused = parties.lead("ask", ident, "--answer", "-m", "Yes.", code=3).err.splitlines()
    assert refused[0] == "error: several questions are open"
    assert [line.split(maxsplit=1)[1] for line in refused[1:3]] == [
        "May I drill? There is no hole.",
        "Who has the key?",
    ]


def test_tickets_that_cannot_be_outsourced(parties: Parties) -> None:
    """A closed one, one that is offered already, and one that belongs to somebody who offers it here."""
    closed = parties.ticket()
    parties.lead("close", closed)
    assert "a closed ticket is not outsourced" in parties.lead("outsource", closed, "acme", code=5).err
    ident = parties.offered()
    again = parties.lead("outsource", ident, "acme", "--pay", "1/h", code=5)
    assert again.err == ("error: `outsource` is not possible: the handoff is assigned\nhint: Possible now: cancel.\n")
    mine = parties.service("outsource", ident, "acme", code=5)
    assert mine.err.startswith("error: the ticket belongs to globex, whose offer is assigned\n")


def test_a_partner_that_has_not_joined(parties: Parties) -> None:
    """It is invited; offers wait until it has joined, and drafts may be saved for it, which send nothing."""
    parties.lead("partner", "invite", "initech", "--as", "globex")
    ident = parties.ticket()
    ran = parties.lead("outsource", ident, "initech", code=5)
    assert ran.err == (
        "error: initech was invited and has not joined yet\n"
        "hint: Offer it when `chit partner list` says joined; until then --draft saves it.\n"
    )
    for terms in (("initech", "--pay", "80/h"), ("--pay", "90/h")):
        assert "unsent" in parties.lead("outsource", ident, *terms, "--draft").err
    assert "has not joined yet" in parties.lead("outsource", ident, code=5).err
    assert parties.handoff("lead", ident)["pay"] == "90.00"
    parties.lead("partner", "end", "initech")
    assert "has ended" in parties.lead("outsource", ident, "--draft", "--pay", "95/h", code=5).err
    parties.lead("outsource", ident, "--discard")


def test_the_currency_of_another_partner(parties: Parties) -> None:
    """What was agreed with one partner does not hold for another: not the currency, and not what the pay is for."""
    parties.lead("partner", "invite", "initech", "--as", "globex")
    ident = parties.offered("--pay", "80/h", "--currency", "USD")
    parties.lead("cancel", ident)
    assert (
        "'70' does not say what for"
        in parties.lead("outsource", ident, "initech", "--pay", "70", "--draft", code=2).err
    )
    parties.lead("outsource", ident, "initech", "--pay", "70/h", "--draft")
    assert parties.handoff("lead", ident)["currency"] == "EUR"
    parties.lead("outsource", ident, "acme", "--pay", "75", "--draft")
    assert (parties.handoff("lead", ident)["pay"], parties.handoff("lead", ident)["pay_unit"]) == ("75.00", "hour")


def test_another_user_has_the_token(parties: Parties, tmp_path: Path) -> None:
    """Who did not join has no token; it is said where it was looked for, and that it may be another user's."""
    ran = parties.service("sync", "--remote", "globex", code=4, env={"XDG_CONFIG_HOME": str(tmp_path / "other")})
    assert ran.err == (
        f"error: the token for globex is not in {tmp_path / 'other' / 'chit' / 'credentials.toml'}\n"
        "hint: Whoever joined has it, if that was another user; else ask for a new invitation, then `chit partner join`.\n"
    )


@pytest.mark.parametrize("words", ["decline", "counter --pay 90 -F -", "ask", "handback", "withdraw"])
def test_the_service_partner_without_a_text(words: str, parties: Parties) -> None:
    """A required reason or question that is missing is asked for by the flag; an empty one on standard input is none."""
    verb, *more = words.split()
    ident = (
        parties.submitted()
        if verb == "withdraw"
        else parties.offered()
        if verb in ("decline", "counter")
        else parties.accepted()
    )
    before = everything(parties.folder)
    ran = parties.service(verb, ident, *more, stdin="" if more else None, code=2)
    assert "-m or -F is missing" in ran.err or "standard input is empty" in ran.err
    assert everything(parties.folder) == before


@pytest.mark.parametrize("verb", ["reject", "recall"])
def test_the_lead_without_a_reason(verb: str, parties: Parties) -> None:
    """The reason is required, an empty one is none, and two are one too many."""
    ident = parties.submitted() if verb == "reject" else parties.accepted()
    before = everything(parties.folder)
    assert "-m or -F is missing" in parties.lead(verb, ident, code=2).err
    assert f"`{verb}` needs a reason" in parties.lead(verb, ident, "-m", "  ", code=2).err
    assert "contradict" in parties.lead(verb, ident, "-m", "x", "-F", "y", code=2).err
    assert everything(parties.folder) == before


def test_what_is_not_possible_comes_before_what_is_missing(parties: Parties) -> None:
    """Nobody is asked for a reason that would be of no use."""
    ident = parties.offered()
    assert "`reject` is not possible: the handoff is assigned" in parties.lead("reject", ident, code=5).err
    assert "`handback` is not possible: the handoff is assigned" in parties.service("handback", ident, code=5).err


def test_counter_offers(parties: Parties) -> None:
    """Without a term, with one taken away, or with terms that contradict each other."""
    ident = parties.offered("--complete-by", "2d")
    before = everything(parties.folder)
    assert "at least one of the terms" in parties.service("counter", ident, code=2).err
    assert "cannot take a term away" in parties.service("counter", ident, "--hours", "none", code=2).err
    assert "does not say what for" in parties.service("counter", ident, "--pay", "90", code=2).err
    assert "before the offer ends" in parties.service("counter", ident, "--accept-by", "3d", code=2).err
    assert "no such option" in parties.service("counter", ident, "--bill-rate", "90", code=2).err.lower()
    assert everything(parties.folder) == before


def test_questions(parties: Parties) -> None:
    """Flags of the other side, a question that there is not, one that is answered, and limits that were never set."""
    ident = parties.accepted("--pay", "80/h")
    parties.service("ask", ident, "-m", "Which floor?")
    parties.sync()
    (question,) = (one["id"] for one in parties.record("lead", ident)["questions"])
    for words, code, message in (
        ("--hours 1h -m x", 2, "--hours and --charges go with --answer"),
        ("Why -m x", 2, "a question is asked with -m or -F"),
        ("--answer -m x", 5, "`ask --answer` is not for the service partner; the handoff is accepted"),
        ("-m x --partner umbrella", 5, "the ticket is not outsourced to umbrella"),
    ):
        ran = parties.service("ask", ident, *words.split(), code=code)
        assert message in ran.err
    for words, code, message in (
        ("-m x", 5, "`ask` is not for the lead; the handoff is accepted"),
        ("--answer zzz -m x", 3, "no question 'zzz' on this ticket"),
        ("--answer -m x --hours 1h", 5, "--hours adds to a limit, and none was agreed on"),
        ("--answer -m x --charges 1", 5, "--charges adds to a limit, and none was agreed on"),
        ("--answer", 2, "-m or -F is missing"),
    ):
        ran = parties.lead("ask", ident, *words.split(), code=code)
        assert message in ran.err
    parties.lead("ask", ident, "--answer", "-m", "The third.")
    again = parties.lead("ask", ident, question, "--answer", "-m", "The fourth.", code=5)
    assert "the question is answered already" in again.err


def test_items(parties: Parties) -> None:
    """What is not held back, not there, or one's own already."""
    ident = parties.submitted()
    parties.service("comment", ident, "-m", "Held.")
    record = parties.record("service", ident)
    own, held = record["times"][0], record["comments"][0]
    assert "it is your own already" in parties.service("detach", ident, own["id"], code=5).err
    assert "no item 'zzz' on this ticket" in parties.service("detach", ident, "zzz", code=3).err
    assert "no item 'zzz' is held back" in parties.service("release", ident, "zzz", code=3).err
    assert "ITEM and --all contradict" in parties.service("release", ident, held["id"], "--all", code=2).err
    ran = parties.service("release", ident, "--all", code=5)
    assert ran.err.startswith("error: nothing crosses to globex: the handoff awaits approval\n")
    kept = parties.service("release", ident, "--all", "--keep")
    assert kept.out == f"{ident}\n"


def test_one_of_several_is_refused(parties: Parties) -> None:
    """Then none is written, and the error says which one it was."""
    good, bad = parties.offered(), parties.accepted()
    before = everything(parties.folder)
    ran = parties.lead("cancel", good, bad, code=5)
    assert ran.err == (
        f"error: {bad[:8]}: `cancel` is not possible: the handoff is accepted\n"
        "hint: Possible now: ask --answer, complete, recall.\n"
    )
    assert everything(parties.folder) == before


def test_files_and_comments_for_nobody(parties: Parties, tmp_path: Path) -> None:
    """--to names a partner that the ticket is with, and goes with what is new and not internal."""
    ident, plain = parties.accepted(), parties.ticket()
    notes = tmp_path / "notes.txt"
    notes.write_text("notes\n")
    for words, code, message in (
        (("comment", plain, "-m", "x", "--to", "acme"), 3, "the ticket is not with acme now"),
        (("comment", ident, "-m", "x", "--to", "initech"), 3, "the ticket is not with initech now"),
        (("comment", ident, "--edit", "x", "-m", "x", "--to", "acme"), 2, "--to goes with a new comment"),
        (("attach", ident, str(notes), "-i", "--to", "acme"), 2, "--internal and --to contradict each other"),
        (("attach", plain, str(notes), "--to", "acme"), 3, "the ticket is not with acme now"),
        (("attach", ident, "--to", "acme"), 2, "--to goes with a new attachment"),
    ):
        assert message in parties.lead(*words, code=code).err


def test_the_ticket_itself(parties: Parties) -> None:
    """One that was taken on is not deleted, even afterwards; one that is offered only after the offer was taken back."""
    offered, running = parties.offered(*TERMS), parties.accepted()
    assert "cannot be deleted" in parties.lead("delete", running, code=5).err
    assert "cannot be deleted" in parties.service("delete", running, code=5).err
    for verb in ("close", "delete"):
        assert parties.lead(verb, offered, code=5).err == (
            "error: the ticket is offered to acme\nhint: First take the offer back: `chit cancel`.\n"
        )
        assert parties.service(verb, offered, code=5).err == (
            "error: the ticket is offered by globex\nhint: First refuse the offer: `chit decline`.\n"
        )
