"""Outsourcing at the command line, by both sides: offers and answers, chains, copies, and what is said of them."""

import json
import re
import sys
from functools import partial
from pathlib import Path

from support.invocations import everything
from support.parties import TERMS, Parties

# Offers


def test_an_offer(parties: Parties) -> None:
    """It says what is offered, what is shared with it, and what stays here; who is told when; and what comes next."""
    ident = parties.ticket()
    ran = parties.lead("outsource", ident, "acme", *TERMS, "--instructions", "Be quick.", "--complete-by", "2199-01-01")
    assert ran.out == f"{ident}\n"
    assert ran.err == (
        f"{ident[:8]}: outsource\n"
        f"{ident[:8]}: assigned, with acme; acme sees it at its next sync\n"
        "    80.00 EUR an hour; up to 10h of work; up to 50.00 EUR of charges; to be done by 2199-01-01 23:59; instructions: Be quick.\n"
        "    shared when it is accepted: comments public, files public, who asked no\n"
        "    stays here: bill rate 98765.43 EUR, margin 98685.43 an hour\n"
        "next: acme accepts, declines, or proposes other terms\n"
    )
    parties.sync()
    theirs = parties.handoff("service", ident)
    assert (theirs["pay"], theirs["pay_unit"], theirs["currency"]) == ("80.00", "hour", "EUR")
    assert (theirs["authorized_minutes"], theirs["authorized_charges"]) == (600, "50.00")
    assert (theirs["instructions"], theirs["complete_by"]) == ("Be quick.", "2199-01-01T23:59:59.000Z")
    assert (theirs["bill_rate"], theirs["grace"]) == (None, None)


def test_the_margin_is_never_told_to_the_partner(parties: Parties) -> None:
    """Whatever the service partner types, neither the rate nor the margin comes up."""
    ident = parties.offered()
    told = parties.service("accept", ident)
    shown = parties.service("show", ident), parties.service("log", ident), parties.service("show", ident, "--json")
    for ran in (told, *shown):
        assert "98765" not in ran.out + ran.err
        assert "98685" not in ran.out + ran.err
        assert "margin" not in ran.err


def test_terms_on_a_narrow_screen(parties: Parties) -> None:
    """The page of a ticket breaks the line of terms between words; piped it is one line."""
    ident = parties.ticket()
    parties.lead(
        "outsource", ident, "acme", *TERMS, "--instructions", " ".join(["Be quick."] * 4), "--complete-by", "2199-01-01"
    )
    narrow = parties.lead("show", ident, terminal=True, env={"COLUMNS": "60"}).out.splitlines()
    start = next(number for number, line in enumerate(narrow) if line.startswith("    80.00 EUR an hour; "))
    assert all(len(line) <= 60 and line.startswith("    ") for line in narrow[start : start + 3])
    wide = parties.lead("show", ident).out
    assert " ".join(line.strip() for line in narrow[start : start + 3]) in wide


def test_the_list_of_partners(parties: Parties) -> None:
    """A person reads since when in few letters, a program the time."""
    assert parties.lead("partner", "list", terminal=True).out.splitlines()[1].split() == [
        "acme",
        "service",
        "now",
        "joined",
    ]
    assert parties.lead("partner", "list").out.split("\t")[2].endswith("Z")


def test_what_is_written_before_accepting(parties: Parties) -> None:
    """Until a service partner accepts, the lead gets nothing of what it writes, and it is told so; the answer itself is no such thing."""
    ident = parties.offered()
    said = f"{ident[:8]}: the offer is not accepted yet: this stays here\n"
    for words in (
        ("comment", ident, "-m", "Hm."), ("time", "add", ident, "10m"), ("charge", "add", ident, "5"), ("edit", ident, "-p", "low"),
        ("take", ident), ("comment", ident, "-m", "Hm.", "-n"),
    ):  # fmt: skip
        assert parties.service(*words).err.endswith(said), words
        assert said not in parties.lead(*words).err
    assert said not in parties.service("take", ident).err  # nothing was written
    for words in (("counter", ident, "--pay", "90"), ("accept", ident), ("comment", ident, "-m", "On my way.")):
        assert said not in parties.service(*words).err
    parties.sync()
    comments = parties.record("lead", ident)["comments"]
    assert [one["body"] for one in comments if one["author"] == "bob@acme"] == ["On my way."]


def test_a_dry_run_shows_what_would_leave(parties: Parties) -> None:
    """With -n every path is listed that the partner would get, and nothing that it would not; nothing is written."""
    ident = parties.ticket("-p", "high", "--queue", "secret queue")
    parties.lead("comment", ident, "-i", "-m", "secret words")
    before = everything(parties.folder)
    ran = parties.lead("outsource", ident, "acme", *TERMS, "-n")
    assert everything(parties.folder) == before
    assert ran.out == f"{ident}\n"
    assert f"{ident[:8]}: would do: outsource\n{ident[:8]}: assigned, with acme\n" in ran.err
    leaves = ran.err[ran.err.index("would leave for acme:\n") :]
    assert re.search(r"\n    handoff/[a-z]+/pay  80\.00\n", leaves)
    assert "\n    title  Printer on fire\n" in leaves
    assert "bill_rate" not in leaves
    assert "98765" not in leaves
    assert "secret" not in ran.err
    plan = parties.lead("outsource", ident, "acme", *TERMS, "--complete-by", "2199-01-01", "-n", "--json").json
    listed = {one["path"].rpartition("/")[2] for one in plan["leaves"]}
    assert {"pay", "status", "title", "priority"} <= listed
    assert not {"bill_rate", "queue", "role", "body"} & listed
    assert {one["partner"] for one in plan["leaves"]} == {"acme"}
    assert "2199-01-01T23:59:59.000Z" in [one["value"] for one in plan["leaves"]]


def test_what_is_shared_with_an_offer(parties: Parties) -> None:
    """All comments that are not internal, none, or the public ones; and who asked only if it is said."""
    for words, wanted, contact in (
        (("--share-comments", "all", "--share-contact"), ["for partners", "public"], "jo@example.com"),
        ((), ["public"], None),
        (("--share-comments", "none", "--no-share-contact"), [], None),
    ):
        ident = parties.ticket("--requester", "jo@example.com")
        for flag in ("--public", "--partner", "--internal"):
            body = {"--public": "public", "--partner": "for partners", "--internal": "internal"}[flag]
            parties.lead("comment", ident, flag, "-m", body)
        parties.lead("outsource", ident, "acme", *words)
        parties.sync()
        parties.service("accept", ident)
        parties.sync()
        theirs = parties.record("service", ident)
        assert sorted(one["body"] for one in theirs["comments"]) == wanted
        assert theirs["requester"] == contact


def test_closing_a_ticket_with_a_draft(parties: Parties) -> None:
    """The draft stays, and whoever closes is told so."""
    ident = parties.ticket()
    parties.lead("outsource", ident, "acme", "--draft")
    said = f"{ident[:8]}: the draft for acme stays; `chit outsource {ident[:8]} --discard` throws it away\n"
    assert parties.lead("close", ident).err.endswith(said)
    assert parties.handoff("lead", ident)["status"] == "unsent"
    parties.lead("outsource", ident, "--discard")
    parties.lead("reopen", ident)
    assert said not in parties.lead("close", ident).err


def test_a_draft(parties: Parties) -> None:
    """A draft stays here, keeps its terms, can be changed, sent without saying them again, and thrown away."""
    ident, other = parties.ticket(), parties.ticket()
    ran = parties.lead("outsource", ident, "acme", *TERMS, "--grace", "30m", "--draft")
    assert "unsent, with acme; acme does not see it\n" in ran.err
    assert "stays here: bill rate 98765.43 EUR, margin 98685.43 an hour, 30m of grace\n" in ran.err
    assert f"next: `chit outsource {ident[:8]}` sends the offer\n" in ran.err
    parties.sync()
    parties.service("show", ident, code=3)
    parties.lead("outsource", ident, "--draft", "--pay", "90", "--hours", "none", "--grace", "45m")
    parties.lead("outsource", ident)
    handoff = parties.handoff("lead", ident)
    assert (handoff["status"], handoff["pay"], handoff["pay_unit"]) == ("assigned", "90.00", "hour")
    assert (handoff["authorized_minutes"], handoff["grace"]) == (None, 45 * 60_000_000)
    parties.lead("outsource", other, "acme", "--draft")
    gone = parties.lead("outsource", other, "--discard")
    assert gone.err == (
        f"{other[:8]}: outsource --discard\n{other[:8]}: not outsourced\n`chit outsource {other[:8]} PARTNER` offers it again\n"
    )
    assert parties.record("lead", other)["handoffs"] == []


def test_instructions_from_a_file(parties: Parties) -> None:
    """-F takes the instructions from a file or from standard input."""
    ident = parties.ticket()
    parties.lead("outsource", ident, "acme", "-F", "-", stdin="Ring twice.\nBring the roller.\n")
    assert parties.handoff("lead", ident)["instructions"] == "Ring twice.\nBring the roller."


def test_several_offers(parties: Parties) -> None:
    """A query or standard input names several tickets; the partner is said once, with --to."""
    ids = {parties.ticket("-l", "x") for _ in range(3)}
    ran = parties.lead("outsource", "--query", "label:x", "--to", "acme", "--pay", "500/flat")
    assert set(ran.out.split()) == ids
    assert ran.err.count("next: ") == 1
    assert ran.err.count("    500.00 EUR for all of it\n") == 3
    assert set(parties.lead("cancel", "--stdin", "-m", "Later.", stdin="\n".join(ids)).out.split()) == ids
    found = parties.lead("outsource", "--stdin", "--json", stdin="\n".join(ids)).json
    assert {one["handoffs"][-1]["pay"] for one in found} == {"500.00"}, "the terms of the last time hold"


def test_the_settings_that_offers_take(parties: Parties) -> None:
    """The currency where none is said, and how late an acceptance may come."""
    ident = parties.ticket()
    parties.lead("-c", "charge.currency=CHF", "-c", "partner.grace=2h", "outsource", ident, "acme", "--pay", "80/h")
    handoff = parties.handoff("lead", ident)
    assert (handoff["currency"], handoff["grace"]) == ("CHF", 2 * 3_600_000_000)
    other = parties.ticket()
    parties.lead("outsource", other, "acme", "--pay", "80/h", "--currency", "usd")
    assert parties.handoff("lead", other)["currency"] == "USD"


# Answers


def test_accepting(parties: Parties) -> None:
    """It is provisional until the lead's store has taken it; the ticket is then one of our own."""
    ident = parties.offered("--pay", "80/h")
    ran = parties.service("accept", ident)
    assert ran.err == (
        f"{ident[:8]}: organization Globex Inc, status new, accept\n"
        f"{ident[:8]}: accepted, for globex; not confirmed by globex yet; `chit sync --remote globex` sends it\n"
        "    80.00 EUR an hour\n"
        f"next: work on it; `chit submit {ident[:8]}` hands the work in\n"
    )
    assert ident not in parties.service("list", "--fields", "id", "status:closed").out
    parties.sync()
    for role in ("lead", "service"):
        handoff = parties.handoff(role, ident)
        assert (handoff["status"], handoff["accepted_by"], handoff["accepted_version"]) == ("accepted", "bob@acme", 1)
        assert handoff["provisional"] == []
    assert parties.record("service", ident)["organization"] == "Globex Inc"
    assert parties.record("lead", ident)["organization"] is None


def test_the_organization_is_said_once(parties: Parties) -> None:
    """With the first ticket of a lead; then it is remembered, and one that is said for a single ticket holds for that alone."""
    word = parties.lead("partner", "invite", "initech", "--as", "globex").out
    (parties.folder / "initech").mkdir()
    initech = partial(parties.chit, cwd=parties.folder / "initech")
    initech("init")
    initech("partner", "join", "-", stdin=word)
    ids = [parties.ticket() for _ in range(3)]
    for ident in ids:
        parties.lead("outsource", ident, "initech")
    initech("sync", "--remote", "globex")
    ran = initech("accept", ids[0], code=2)
    assert ran.err == (
        "error: nobody has said on which organisation the tickets of globex are booked\n"
        "hint: Say --organization NAME; it is remembered.\n"
    )
    assert initech("accept", ids[0], "--organization", "Globex", "-n").out == f"{ids[0]}\n"
    initech("accept", ids[0], code=2)
    asked = initech("accept", ids[0], stdin="Globex Inc\n", terminal=True)
    assert "tickets of globex are booked on Globex Inc from now on\n" in asked.err
    initech("accept", ids[1], "--organization", "Globex Ltd")
    initech("accept", ids[2])
    found = initech("show", *ids, "--json").json
    assert [one["organization"] for one in found] == ["Globex Inc", "Globex Ltd", "Globex Inc"]
    assert initech("partner", "list", "--json").json[0]["organization"] == "Globex Inc"


def test_a_counter_offer(parties: Parties) -> None:
    """What is not named stays as it was offered; the lead agrees by `outsource` without terms, and the partner accepts that version."""
    ident = parties.offered()
    ran = parties.service("counter", ident, "--pay", "90", "--hours", "12h", "-m", "It is far.")
    assert f"{ident[:8]}: counter (90.00 an hour, up to 12h of work): It is far.\n" in ran.err
    assert ran.err.endswith("next: globex agrees or cancels\n")
    parties.sync()
    agreed = parties.lead("outsource", ident)
    assert "    90.00 EUR an hour; up to 12h of work; up to 50.00 EUR of charges\n" in agreed.err
    parties.sync()
    parties.service("accept", ident)
    parties.sync()
    handoff = parties.handoff("lead", ident)
    assert (handoff["pay"], handoff["authorized_minutes"], handoff["accepted_version"]) == ("90.00", 720, 2)


def test_declined_and_offered_again(parties: Parties) -> None:
    """The lead reads the reason; the next offer has the terms of the last one but for what is said."""
    ident = parties.offered()
    ran = parties.service("decline", ident, "-m", "Nobody is free.")
    assert ran.err.endswith("nothing more is to be done for globex\n")
    parties.sync()
    assert parties.handoff("lead", ident)["reason"] == "Nobody is free."
    parties.lead("outsource", ident, "acme", "--pay", "85/h")
    handoff = parties.handoff("lead", ident)
    assert (handoff["status"], handoff["pay"], handoff["authorized_minutes"]) == ("assigned", "85.00", 600)
    assert len(parties.record("lead", ident)["handoffs"]) == 2


# Chains, copies, programs, editors


def test_a_chain(parties: Parties, tmp_path: Path) -> None:
    """The middle one says to which side something goes; without that it is for its lead. The ends do not learn of each other."""
    folder = parties.folder / "initech"
    folder.mkdir()
    parties.chit("init", cwd=folder)
    word = parties.service("partner", "invite", "initech", "--as", "acme").out
    parties.chit("partner", "join", "-", "--organization", "Acme", stdin=word, cwd=folder)
    ident = parties.accepted()
    parties.service("outsource", ident, "initech", "--pay", "60/h")
    parties.chit("sync", "--remote", "acme", cwd=folder)
    parties.chit("accept", ident, cwd=folder)
    parties.chit("sync", "--remote", "acme", cwd=folder)
    notes = tmp_path / "down.txt"
    notes.write_text("down\n")
    parties.service("comment", ident, "-m", "for the lead")
    parties.service("comment", ident, "-m", "down the chain", "--to", "initech")
    parties.service("attach", ident, str(notes), "--to", "initech")
    parties.service("comment", ident, "-m", "x", "--to", "initech", "-i", code=2)
    parties.service("comment", ident, "-m", "x", "--to", "umbrella", code=3)
    parties.sync()
    parties.chit("sync", "--remote", "acme", cwd=folder)
    end = parties.chit("show", ident, "--json", cwd=folder).json
    assert [one["body"] for one in end["comments"]] == ["down the chain"]
    assert [one["name"] for one in end["attachments"]] == ["down.txt"]
    lead = parties.record("lead", ident)
    assert [one["body"] for one in lead["comments"]] == ["for the lead"]
    assert "globex" not in json.dumps(end)
    assert "initech" not in json.dumps(lead)
    parties.service("ask", ident, "-m", "May we?", "--partner", "globex")
    wrong = parties.service("submit", ident, "--partner", "initech", code=5)
    assert wrong.err.startswith("error: `submit` is not for the lead; the handoff is accepted\n")
    parties.service("recall", ident, "-m", "We do it.", "--partner", "initech")
    parties.service("submit", ident)


def test_a_colleagues_copy(parties: Parties) -> None:
    """In a copy of the lead's store an offer is a wish: the store that exchanges with the partner decides."""
    folder = parties.folder / "colleague"
    ident = parties.ticket()
    parties.chit("clone", str(parties.folder / "globex"), str(folder))
    ran = parties.chit("outsource", ident, "acme", "--pay", "80/h", cwd=folder)
    assert "assigned, with acme; not confirmed yet; `chit push` sends it to where acme is known\n" in ran.err
    parties.chit("push", cwd=folder)
    assert parties.handoff("lead", ident)["provisional"] == []
    parties.sync()
    assert parties.handoff("service", ident)["status"] == "assigned"


def test_json(parties: Parties) -> None:
    """A program gets the ticket as it is afterwards, and several as an array; nothing is said beside it."""
    ident = parties.offered()
    ran = parties.service("accept", ident, "--json")
    assert ran.err == ""
    assert ran.json["handoffs"][0]["provisional"][0]["verb"] == "accept"
    other = parties.offered()
    lines = parties.lead("show", ident, other, "--jsonl").out.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [ident, other]
    assert parties.lead("cancel", other, "--fields", "id,title").out == f"{other}\tPrinter on fire\n"


def test_a_reason_from_the_editor(parties: Parties, tmp_path: Path) -> None:
    """On a terminal an editor asks for a reason that is required; the status is looked at before."""
    script = tmp_path / "editor.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\npath = Path(sys.argv[1])\n"
        "head, cut, rest = path.read_text().partition('# ---')\npath.write_text(head + 'It still smokes.\\n' + cut + rest)\n"
    )
    env = {"EDITOR": f"{sys.executable} {script}"}
    ident = parties.submitted()
    ran = parties.lead("reject", ident, terminal=True, env=env)
    assert f"{ident[:8]}: reject: It still smokes.\n" in ran.err.replace("\r", "")
    assert parties.handoff("lead", ident)["reason"] == "It still smokes."
    again = parties.lead("reject", ident, terminal=True, env={"EDITOR": "false"}, code=5)
    assert "`reject` is not possible" in again.err
    parties.sync()
    asked = parties.service("ask", ident, terminal=True, env=env)
    assert ": It still smokes." in asked.err


def test_the_log_reads_like_what_was_typed(parties: Parties) -> None:
    """A move is its verb; no path of a handoff, a move or a question is shown to a person."""
    ident = parties.submitted()
    parties.lead("reject", ident, "-m", "It still smokes.")
    parties.sync()
    for role in ("lead", "service"):
        out = parties.run(role, "log", ident, terminal=True).out
        assert not re.search(r"(handoff|move|question)[/ ][k-z]{8}", out), out
        assert "accept" in out
        assert "Printer on fire → Printer on fire" not in out, "what is only said again has not changed"
        assert "awaiting-approval → in-progress: It still smokes." in out
    assert "outsource\n" in parties.lead("log", ident, terminal=True).out
