"""What `status`, `pull`, `sync` and `log` tell of handoffs: what is to be answered, what was refused, what expired while nobody looked."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chit_sync.remotes.registry import open_remote
from support.invocations import everything
from support.parties import Parties
from support.runner import Chit
from support.server import serving

EMPTY = {"total": 0, "first": []}
LATE = "it came too late: meanwhile the other side said `cancel` (Changed my mind.); the handoff is canceled"


@pytest.fixture
def parties(tmp_path: Path, chit: Chit) -> Parties:
    """Two organisations that have met."""
    made = Parties(tmp_path / "work", chit)
    made.meet()
    return made


def lost(parties: Parties) -> str:
    """A ticket that acme accepts offline while globex takes the offer back; acme does not know yet."""
    ident = parties.offered()
    parties.service("accept", ident)
    parties.lead("cancel", ident, "-m", "Changed my mind.")
    return ident


def waits(parties: Parties, role: str) -> dict[str, int]:
    """How much waits for somebody, by kind, without what does not."""
    found = parties.run(role, "status", "--json").json["handoffs"]
    assert list(found) == [
        "offers", "counter_offers", "declined", "to_re_assign", "submissions", "questions", "deadlines", "held", "unconfirmed",
        "refused",
    ]  # fmt: skip
    return {name: kind["total"] for name, kind in found.items() if kind["total"]}


# What comes with an exchange


def test_an_offer_arrives(parties: Parties) -> None:
    """The pull that brings it says who offers what, until when."""
    ident = parties.ticket()
    parties.lead("outsource", ident, "acme", "--pay", "80/h", "--accept-by", "2199-01-01")
    ran = parties.service("pull", "--remote", "globex")
    assert ran.err == (
        "globex: took 3 changes of 1 ticket, 1 of them new\n"
        f"globex offers you {ident[:8]} (Printer on fire), to be answered by 2199-01-01 23:59\n"
    )
    again = parties.service("pull", "--remote", "globex", "--json").json
    assert (again["news"], again["refused_moves"]) == ([], [])


def test_news_in_json(parties: Parties) -> None:
    """Programs get the same, with ids and times whole."""
    ident = parties.ticket()
    parties.lead("outsource", ident, "acme", "--accept-by", "2199-01-01")
    (news,) = parties.service("sync", "--remote", "globex", "--json").json["pulled"]["news"]
    handoff = parties.handoff("service", ident)["id"]
    assert news == {
        "ticket": ident, "handoff": handoff, "verb": "offer", "role": "service", "partner": "globex", "status": "assigned", "text": "",
        "deadline": "2199-01-01T23:59:59.000Z",
    }  # fmt: skip


def test_a_fetch_says_that_there_are_news(parties: Parties) -> None:
    """What was fetched and is about handoffs is counted; the pull after it tells, without asking anybody."""
    ident = lost(parties)
    parties.service("push", "--remote", "globex")
    ran = parties.service("fetch", "--remote", "globex")
    assert "2 changes about handoffs among what waits: `chit pull` says what became of them\n" in ran.err
    assert parties.service("fetch", "--remote", "globex", "--json").json == {
        "schema": "chit.fetched/1", "fetched": 0, "waiting": 2, "handoffs": 2,
    }  # fmt: skip
    assert f"globex refused `accept` on {ident[:8]}" in parties.service("pull", "--remote", "globex", code=5).err


def test_the_answers_of_a_lead_arrive(parties: Parties) -> None:
    """Approval and rejection are told with their words."""
    ident = parties.submitted()
    parties.lead("reject", ident, "-m", "It still\nsmokes.")
    assert f"globex sent {ident[:8]} (Printer on fire) back: It still smokes.\n" in parties.service("sync").err
    parties.service("submit", ident)
    parties.sync()
    parties.lead("approve", ident)
    assert f"globex approved {ident[:8]} (Printer on fire)\n" in parties.service("pull").err


def test_what_a_partner_did_reaches_the_leads_people(parties: Parties, chit: Chit) -> None:
    """A colleague of the lead's who pulls is told of a submission; of what the own side did there is no news."""
    ident = parties.accepted()
    copy = parties.folder / "clara"
    parties.lead("clone", str(parties.folder / "globex"), str(copy))
    parties.service("submit", ident, "-m", "Done.")
    parties.sync()
    parties.lead("comment", ident, "-i", "-m", "Let us see.")
    ran = chit("pull", cwd=copy, env={"CHIT_USER": "clara"})
    assert ran.err.endswith(f"\nacme submitted {ident[:8]} (Printer on fire) for approval\n")


def test_control_characters_of_others_do_not_reach_the_terminal(parties: Parties) -> None:
    """What a partner wrote is shown without what moves the cursor."""
    ident = parties.submitted()
    parties.lead("reject", ident, "-m", "Red \u202ealert\u202c")
    err = parties.service("pull").err
    assert "Red alert" in err
    assert "\u202e" not in err


# Moves that were refused


def test_a_lost_race_is_told(parties: Parties) -> None:
    """sync says which move was refused, by whom, why and what can be done; it ends with 5. Afterwards all is quiet."""
    ident = lost(parties)
    ran = parties.service("sync", "--remote", "globex", code=5)
    name = ident[:8]
    assert f"globex took back the offer of {name} (Printer on fire): Changed my mind.\n" in ran.err
    assert f"error: globex refused `accept` on {name}: {LATE}\n" in ran.err
    assert f"`chit show {name}` says how things stand.\n" in ran.err
    assert "refused" not in parties.service("sync", "--remote", "globex").err


def test_a_lost_race_is_told_by_pull(parties: Parties) -> None:
    """Where the move was pushed before, the pull tells."""
    ident = lost(parties)
    assert parties.service("push", "--remote", "globex").err == (
        "globex: sent 1 change of 1 ticket\n`chit sync --remote globex` tells what was decided there\n"
    )
    ran = parties.service("pull", "--remote", "globex", "--json", code=5)
    (refused,) = ran.json["refused_moves"]
    handoff = parties.handoff("service", ident)["id"]
    assert refused == {
        "ticket": ident, "handoff": handoff, "verb": "accept", "role": "service", "partner": "globex", "reason": LATE,
    }  # fmt: skip
    assert f'"detail": "globex refused `accept` on {ident[:8]}: {LATE}"' in ran.err


def test_a_push_of_what_came_too_late_leads_to_the_sync_that_tells(parties: Parties) -> None:
    """A push learns what was refused, and not why it came too late: it says who does. Where all is decided it says no such thing."""
    ident = parties.accepted()
    parties.service("comment", ident, "-m", "On my way.")
    assert "tells what was decided" in parties.service("push", "--remote", "globex").err
    parties.sync()
    parties.service("comment", ident, "-m", "Soon.")
    assert parties.service("push", "--remote", "globex").err == "globex: sent 1 change of 1 ticket\n"
    parties.lead("recall", ident, "-m", "It works again.")
    parties.service("comment", ident, "-m", "Almost there.")
    ran = parties.service("push", "--remote", "globex", code=5)
    assert ran.err.endswith(
        "\nhint: `chit sync --remote globex` tells what was decided there; this is held back now, see `chit release`.\n"
    )
    assert f"globex took {ident[:8]} (Printer on fire) back: It works again.\n" in parties.service("sync").err


def test_several_lost_races(parties: Parties) -> None:
    """Each is told; the last one is the error."""
    idents = [parties.offered(), parties.offered()]
    parties.service("accept", *idents)
    parties.lead("cancel", *idents, "-m", "Changed my mind.")
    err = parties.service("sync", "--remote", "globex", code=5).err
    assert sorted(line.split(":")[0] for line in err.splitlines() if "refused `accept`" in line) == ["error", "warning"]
    assert all(f"refused `accept` on {ident[:8]}: {LATE}\n" in err for ident in idents)


def test_a_refused_move_in_status_show_and_log(parties: Parties) -> None:
    """status tells it until something else happens; the page has it, and the log."""
    ident = lost(parties)
    parties.service("sync", "--remote", "globex", code=5)
    assert waits(parties, "service") == {"refused": 1}
    out = parties.service("status").out
    assert (
        f"refused by the lead's store, 1:\n    {ident[:8]}  globex  Printer on fire\n        `accept`: {LATE}\n" in out
    )
    (told,) = parties.service("status", "--json").json["handoffs"]["refused"]["first"]
    assert (told["ticket"], told["verb"], told["reason"]) == (ident, "accept", LATE)
    assert f"    refused: `accept` (globex): {LATE}\n" in parties.service("show", ident).out
    log = parties.service("log", ident, terminal=True).out
    assert "    accept\n" in log
    assert "    refused: it came too late" in log
    assert waits(parties, "lead") == {"to_re_assign": 1}
    parties.lead("outsource", ident, "acme")
    parties.sync()
    assert waits(parties, "service") == {"offers": 1}
    assert "refused:" not in parties.service("show", ident).out


# What waits


def test_a_lead_to_whom_partners_come_needs_no_remote(parties: Parties) -> None:
    """status suggests a remote only where the store exchanges with nobody."""
    assert "no remote" not in parties.lead("status").out
    parties.lead("init", str(parties.folder / "plain"))
    assert "no remote: " in parties.lead("status", "-C", str(parties.folder / "plain")).out


def test_what_waits_for_an_answer(parties: Parties) -> None:
    """Offers for the one; counter-offers, questions and submissions for the other: status says how to answer."""
    offered, asked, submitted = parties.offered(), parties.accepted(), parties.submitted()
    assert waits(parties, "service") == {"offers": 1}
    assert (
        f"offered to you, 1: `chit accept`, `chit decline` or `chit counter`\n    {offered[:8]}  globex  Printer on fire\n"
        in parties.service("status").out
    )
    parties.service("ask", asked, "-m", "Which floor?")
    parties.service("counter", offered, "--pay", "90")
    assert waits(parties, "service") == {"unconfirmed": 1}
    parties.sync()
    assert waits(parties, "service") == {}
    assert waits(parties, "lead") == {"counter_offers": 1, "questions": 1, "submissions": 1}
    out = parties.lead("status").out
    for head, ident in (
        ("other terms proposed, 1: `chit outsource TICKET` agrees, `chit cancel` refuses", offered),
        ("open questions to you, 1: `chit ask TICKET --answer`", asked),
        ("submitted for your approval, 1: `chit approve` or `chit reject`", submitted),
    ):
        assert f"{head}\n    {ident[:8]}  acme  Printer on fire\n" in out
    parties.lead("ask", asked, "--answer", "-m", "The second.")
    parties.lead("approve", submitted)
    parties.lead("outsource", offered)
    assert waits(parties, "lead") == {}


def test_what_came_back_waits_for_the_lead(parties: Parties) -> None:
    """status names open tickets that were declined, given back, canceled or recalled, until they are with somebody or closed."""
    declined, returned, canceled = parties.offered(), parties.accepted(), parties.offered()
    parties.service("decline", declined, "-m", "Nobody is free.")
    parties.service("handback", returned, "-m", "Too hard.")
    parties.sync()
    parties.lead("cancel", canceled)
    assert waits(parties, "lead") == {"declined": 2, "to_re_assign": 1}
    out = parties.lead("status").out
    assert (
        "declined or given back, 2: `chit outsource TICKET PARTNER` offers it again\n"
        f"    {declined[:8]}  acme  Printer on fire\n    {returned[:8]}  acme  Printer on fire\n"
        "canceled or taken back, 1: `chit outsource TICKET PARTNER` offers it again\n"
        f"    {canceled[:8]}  acme  Printer on fire\n"
    ) in out
    parties.sync()
    assert waits(parties, "service") == {}
    parties.lead("close", declined)
    for ident in (returned, canceled):
        parties.lead("outsource", ident, "acme")
    assert waits(parties, "lead") == {}


def test_the_exit_code_is_as_it_was(parties: Parties) -> None:
    """--exit-code speaks of what is unsent or refused by a remote or in conflict, not of what waits in handoffs."""
    parties.offered()
    parties.service("status", "--exit-code")
    parties.lead("status", "--exit-code")


def test_held_items_are_counted_and_marked(parties: Parties) -> None:
    """While the work awaits approval status counts what is held back, and the page marks it."""
    ident = parties.submitted()
    parties.service("comment", ident, "-m", "One more thing.")
    parties.service("time", "add", ident, "10m", "-m", "Swept up.")
    assert waits(parties, "service") == {"held": 2}
    record = parties.record("service", ident)
    handoff = record["handoffs"][-1]["id"]
    assert [(one["to"], one["held"]) for one in (*record["comments"], *record["times"])] == [
        (handoff, handoff), (handoff, None), (handoff, handoff),
    ]  # fmt: skip
    out = parties.service("show", ident).out
    assert f"    held back: 2, marked below; `chit release {ident[:8]} --all`\n" in out
    assert out.count("(held back)") == 2
    assert "partner  (held back)" in out
    assert "(held back)  Swept up." in out
    parties.lead("approve", ident)
    parties.sync()
    assert f"`chit release {ident[:8]} --all --keep`" in parties.service("show", ident).out
    parties.service("release", ident, "--all", "--keep")
    assert waits(parties, "service") == {}


def test_deadlines(parties: Parties) -> None:
    """What is due within two days is told on both sides; the page says it, too."""
    ident = parties.offered("--pay", "80/h", "--complete-by", "30h", "--accept-by", "20h")
    assert waits(parties, "service") == {"offers": 1}, "an offer has its date, and is not listed twice"
    assert f"\n    {ident[:8]}  globex  due in " in parties.service("status").out
    assert waits(parties, "lead") == {"deadlines": 1}
    parties.service("accept", ident)
    parties.sync()
    assert waits(parties, "service") == {"deadlines": 1}
    assert "deadlines that have passed or will within two days, 1:\n" in parties.service("status").out
    assert ", to be done by " in parties.service("show", ident).out
    parties.service("submit", ident)
    parties.sync()
    assert waits(parties, "service") == {}
    assert waits(parties, "lead") == {"submissions": 1}


def test_a_store_without_handoffs_has_the_members_all_the_same(desk: Chit) -> None:
    """Nothing is missing from the JSON, and a person reads nothing of it."""
    found = desk("status", "--json").json["handoffs"]
    assert all(kind == EMPTY for kind in found.values())
    assert "offered" not in desk("status").out


# Expiry


def overdue(parties: Parties) -> str:
    """A ticket that acme was offered for a moment, which is over."""
    ident = parties.ticket()
    parties.lead("outsource", ident, "acme", "--pay", "80/h", "--accept-by", "1h")
    parties.sync()
    backdate(parties.folder / "globex" / ".chit" / "store.db")
    return ident


def backdate(file: Path) -> None:
    """Lets the offer end in the past, as if time had gone by."""
    with closing(sqlite3.connect(file)) as db:
        db.execute("UPDATE handoffs SET accept_by = 1")
        db.execute("UPDATE items SET fields = json_set(fields, '$.accept_by[0][1]', 1) WHERE key GLOB 'handoff/*'")
        db.commit()


@pytest.mark.parametrize("words", [("board",), ("list",), ("status",), ("new", "-m", "Another"), ("config", "list")])
def test_an_offer_expires_with_the_next_command(parties: Parties, words: tuple[str, ...]) -> None:
    """Any command that opens the lead's store lets it expire, whether it reads or writes; one that opens none does not."""
    ident = overdue(parties)
    parties.lead(*words)
    opened = words[0] != "config"
    file = parties.folder / "globex" / ".chit" / "store.db"
    assert _status(file) == ("declined" if opened else "assigned")
    if opened:
        assert parties.handoff("lead", ident)["reason"] == "expired"
        ran = parties.service("sync", "--remote", "globex")
        assert f"the time to accept {ident[:8]} (Printer on fire) of globex has passed\n" in ran.err


def _status(file: Path) -> str:
    with closing(sqlite3.connect(file)) as db:
        return str(db.execute("SELECT status FROM handoffs").fetchone()[0])


def test_an_offer_expires_with_a_request(parties: Parties) -> None:
    """A member of the team who asks the lead's server for anything lets it expire."""
    folder = parties.folder / "globex"
    token = parties.lead("token", "create", "clara", "--scope", "reader").out.split()[-1]
    overdue(parties)
    assert _status(folder / ".chit" / "store.db") == "assigned"
    with serving(str(folder / ".chit")) as address, closing(open_remote(address, token=token)) as log:
        log.info()
    assert _status(folder / ".chit" / "store.db") == "declined"


def test_a_dry_run_lets_nothing_expire(parties: Parties) -> None:
    """With -n nothing is written, not even that."""
    overdue(parties)
    before = everything(parties.folder / "globex")
    parties.lead("board", "-n")
    parties.lead("new", "-m", "Another", "-n")
    assert everything(parties.folder / "globex") == before


def test_a_store_that_cannot_be_written_to_is_read(parties: Parties) -> None:
    """The board of a read-only store shows the offer as overdue."""
    overdue(parties)
    folder = parties.folder / "globex" / ".chit"
    names = [folder, *folder.glob("store.db*")]
    modes = [os.stat(name).st_mode for name in names]
    try:
        for name in reversed(names):
            os.chmod(name, 0o555 if name.is_dir() else 0o444)
        out = parties.lead("board").out
        assert out.startswith(
            ("lead\twaiting-for-acceptance\tacme\t", "lead\tdeclined\tacme\t")
        )  # root may write all the same
    finally:
        for name, mode in zip(names, modes, strict=True):
            os.chmod(name, mode)


def test_an_offer_that_expired_before_it_was_undone_is_gone(parties: Parties) -> None:
    """`undo` opens the store, so it lets the offer expire, and then takes it back: nothing of it is left to be seen."""
    ident = parties.ticket()
    parties.lead("outsource", ident, "acme", "--pay", "80/h", "--accept-by", "1h")
    backdate(parties.folder / "globex" / ".chit" / "store.db")
    parties.lead("undo")
    assert parties.lead("board", "--all").out == ""
    assert parties.record("lead", ident)["handoffs"] == []
    parties.lead("outsource", ident, "acme")
    assert len(parties.lead("board", "--all").out.splitlines()) == 1
