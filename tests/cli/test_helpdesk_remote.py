"""A helpdesk as a remote: named, cloned, shown, exchanged with; what it cannot carry and what nobody understands is said."""

import json
import os
import tomllib
from pathlib import Path

import pytest

from chit_sync.errors import RemoteError
from chit_sync.helpdesks.base import Person
from support.memory_desk import Desk, Traits
from support.memory_remote import URL
from support.runner import Chit


@pytest.fixture
def cloned(chit: Chit, helpdesk: Desk, monkeypatch: pytest.MonkeyPatch) -> Chit:
    """The command line in a clone of the helpdesk."""
    monkeypatch.setenv("CHIT_TOKEN", "agent1")
    chit("clone", URL, "desk")
    chit.folder = chit.folder / "desk"
    return chit


def rewrite(chit: Chit, text: str) -> None:
    """Gives the store another config.toml."""
    (chit.folder / ".chit" / "config.toml").write_text(text)


def test_clone_says_who_we_are(chit: Chit, helpdesk: Desk) -> None:
    """A clone has the helpdesk's tickets and statuses, and says in one line what is not carried."""
    helpdesk.traits = Traits(missing=frozenset(("time", "merges")), readonly=frozenset(("labels",)))
    ran = chit("clone", URL, "--token-stdin", stdin="agent1\n")
    assert ran.out == f"{chit.folder}/desk.example.com/.chit\n"
    assert "agent1 (Agent One) at Desk in memory 1\n" in ran.err
    assert (
        "it does not carry time, merges; it takes no changes to labels; `chit remote show origin` says more\n"
        in ran.err
    )
    chit.folder = chit.folder / "desk.example.com"
    assert [(one["number"], one["title"]) for one in chit("list", "--sort", "created", "--json").json] == [
        (1, "Door squeaks"), (2, "Bill is wrong"),
    ]  # fmt: skip
    statuses = {one["status"]: one["category"] for one in chit("config", "statuses", "--json").json}
    assert statuses == {
        "new": "new",
        "open": "open",
        "stalled": "pending",
        "resolved": "closed",
        "rejected": "rejected",
    }
    assert chit("pull").err == "origin: nothing new\n"


def test_a_dry_run_of_a_clone(chit: Chit, helpdesk: Desk) -> None:
    """With -n it is said how many tickets would come, and nothing is made."""
    ran = chit("clone", f"{URL}?queue=Support", "desk", "-n", env={"CHIT_TOKEN": "agent1"})
    assert ran.err == "would copy 1 ticket\n"
    assert list(chit.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "token", "code", "said"),
    [
        (URL, None, 4, "there is no token for"),
        (URL, "nonsense", 4, "does not know the token"),
        ("nodesk+https://desk.example.com/", "agent1", 2, "nodesk is no kind of helpdesk that is known"),
        ("memory+https://anna:secret@desk.example.com/help", "agent1", 2, "holds a user's name or password"),
    ],
)
def test_what_cannot_be_cloned(chit: Chit, helpdesk: Desk, url: str, token: str | None, code: int, said: str) -> None:
    """What fails before anything is read leaves nothing behind."""
    assert said in chit("clone", url, "desk", code=code, env={"CHIT_TOKEN": token}).err
    assert list(chit.folder.iterdir()) == []


def test_naming_a_helpdesk_introduces_us(desk: Chit, helpdesk: Desk) -> None:
    """`remote add` says who we are there; without a token it names the remote all the same, and how to log in."""
    ran = desk("remote", "add", "help", URL)
    assert "warning: there is no token for" in ran.err
    assert "`chit auth login help` says who you are there" in ran.err
    assert desk("remote", "list").out == f"help\t{URL}\n"
    ran = desk("remote", "add", "again", URL, "--token-stdin", stdin="agent1")
    assert "agent1 (Agent One) at Desk in memory 1" in ran.err


def test_show_tells_what_it_carries(cloned: Chit, helpdesk: Desk) -> None:
    """`remote show` has the account, the version, where new tickets go, and every feature with the reason where it is not carried."""
    found = cloned("remote", "show", "--json").json["helpdesk"]
    assert (found["kind"], found["title"], found["version"]) == ("memory", "Desk in memory", "1")
    assert (found["account"]["key"], found["new"], found["default_queue"], found["send"]) == (
        "agent1",
        True,
        "Support",
        "own",
    )
    assert (found["tickets"], found["troubles"]) == (2, [])
    features = {one["name"]: one for one in found["features"]}
    assert features["title"] == {"name": "title", "read": True, "write": True, "why": None}
    assert features["history"]["why"] == "Nobody writes history."
    page = cloned("remote", "show", "origin").out
    assert "account  agent1 (Agent One)\n" in page
    assert "history\tyes\tno\tNobody writes history.\n" in page
    asked = len(helpdesk.asked)
    cloned("remote", "show")
    assert len(helpdesk.asked) == asked
    assert cloned("remote", "list", "--json").json[0]["helpdesk"] is None


def test_names_from_there_cannot_write_to_the_terminal(desk: Chit, helpdesk: Desk) -> None:
    """Control characters in what a helpdesk says of itself and of us reach no terminal."""
    helpdesk.accounts["agent1"] = Person("agent1", "Agent\x1b[31m\nOne")
    ran = desk("remote", "add", "origin", URL, "--token-stdin", stdin="agent1")
    shown = desk("remote", "show", terminal=True, env={"NO_COLOR": "1"})
    checked = desk("auth", "status", "--check", terminal=True)
    logged = desk("auth", "login", "--token-stdin", stdin="agent1")
    assert "\x1b[31m" not in ran.err + shown.out + checked.out + logged.err
    assert "account  agent1 (Agent[31mOne)" in shown.out


def test_another_place_is_asked_about(cloned: Chit) -> None:
    """Whether what is at another address is the same helpdesk only a person knows."""
    asked = cloned("remote", "set-url", "origin", "memory+http://other.example.com/", code=2).err
    assert "the same helpdesk as" in asked
    assert "--yes" in asked
    cloned("remote", "set-url", "origin", "memory+http://other.example.com/", "--yes")
    assert "other.example.com" in cloned("remote", "list").out


def test_a_new_address_is_for_the_same_helpdesk(cloned: Chit, tmp_path: Path) -> None:
    """A helpdesk's remote cannot become a store's, or the other way round; its host and query may change."""
    cloned("remote", "set-url", "origin", f"{URL}?queue=Billing")
    cloned("remote", "add", "backup", str(tmp_path))
    for name, url in (("origin", str(tmp_path)), ("origin", "rt+https://desk.example.com/"), ("backup", URL)):
        assert "are not the same kind of remote" in cloned("remote", "set-url", name, url, code=5).err


def test_a_new_query_is_read_from_the_start(chit: Chit, helpdesk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another query follows is taken also where it has not changed since the last pull; what is here already does not double."""
    monkeypatch.setenv("CHIT_TOKEN", "agent1")
    chit("clone", f"{URL}?queue=Support", "desk")
    chit.folder = chit.folder / "desk"
    chit("remote", "set-url", "origin", f"{URL}?queue=Support&queue=Billing")
    assert chit("pull", "--json").json["created"] == 1
    assert [one["number"] for one in chit("list", "--sort", "created", "--json").json] == [1, 2]
    assert chit("pull").err == "origin: nothing new\n"


def test_the_mapping_can_be_pasted_and_changed(cloned: Chit, helpdesk: Desk) -> None:
    """`remote show --mapping` prints what config.toml takes; what is changed there holds from then on, both ways."""
    printed = cloned("remote", "show", "--mapping").out
    tables = tomllib.loads(printed)["helpdesk"]["origin"]
    assert tables["status"]["stalled"] == "stalled"
    assert cloned("remote", "show", "--mapping", "--json").json["priority"] == tables["priority"]
    rewrite(
        cloned, printed.replace('High = "high"', 'High = "planned"') + '\n[helpdesk.origin.people]\nagent2 = "berta"\n'
    )
    helpdesk.edit(1, priority="High", assignee="agent2")
    cloned("pull")
    ticket = cloned("show", "1", "--json").json
    assert (ticket["priority"], ticket["assignee"]) == ("planned", "berta")
    cloned("edit", "2", "-a", "berta")
    cloned("push")
    assert helpdesk.record(2).fields["assignee"] == "agent2"


def test_a_mapping_is_for_helpdesks(desk: Chit, tmp_path: Path) -> None:
    """A store has no tables, and no complete list to ask for."""
    desk("remote", "add", "origin", str(tmp_path))
    assert "a mapping is only for helpdesks" in desk("remote", "show", "--mapping", code=2).err
    assert "--full is only for helpdesks" in desk("pull", "--full", code=2).err


def test_a_broken_table_is_named(cloned: Chit) -> None:
    """A mistake in config.toml is said with the file and the place, by every command that reads it."""
    rewrite(cloned, '[helpdesk.origin.priority]\nHigh = "hot"\n')
    assert "helpdesk.origin.priority: 'High' cannot mean 'hot'" in cloned("pull", code=2).err


def test_what_nobody_understands_is_shown_until_it_is_understood(cloned: Chit, helpdesk: Desk) -> None:
    """A status that no table knows keeps back only itself; pull and status say so; the cure is in the hint."""
    rewrite(cloned, "")
    cloned("config", "statuses", "new=new", "open=open", "closed=closed")
    helpdesk.edit(1, status="stalled", title="Door sticks")
    ran = cloned("pull")
    assert "1 value cannot be taken in; of #1: status is 'stalled' at origin" in ran.err
    ticket = cloned("show", "1", "--json").json
    assert (ticket["title"], ticket["status"]) == ("Door sticks", "open")
    shown = cloned("status").out
    assert "1 value there that cannot be taken in:" in shown
    assert "chit remote show origin --mapping" in shown
    assert cloned("status", "--exit-code", code=10).out == shown
    (stuck,) = cloned("status", "--json").json["remotes"][0]["stuck"]
    assert (stuck["number"], stuck["path"]) == (1, "status")
    rewrite(cloned, '[helpdesk.origin.status]\nstalled = "open"\n')
    cloned("pull")
    assert "cannot be taken in" not in cloned("status").out
    helpdesk.edit(1, status="resolved")
    cloned("pull")
    assert cloned("show", "1", "--json").json["status"] == "closed"


def test_a_value_that_cannot_be_sent_is_refused_alone(cloned: Chit, helpdesk: Desk) -> None:
    """A name that the helpdesk does not know is refused with the reason; everything else of the ticket goes."""
    cloned("edit", "1", "-a", "carol", "--title", "Door sticks")
    ran = cloned("push", code=5)
    assert "assignee is 'carol' here, and nothing says what that means at origin" in ran.err
    assert helpdesk.record(1).fields["title"] == "Door sticks"
    rewrite(cloned, '[helpdesk.origin.people]\nagent2 = "carol"\n')
    cloned("push", "--again")
    assert helpdesk.record(1).fields["assignee"] == "agent2"


def test_a_dry_run_of_a_push_lists_the_calls(cloned: Chit, helpdesk: Desk) -> None:
    """With -n every call is shown and what stays here, and nothing is asked for."""
    helpdesk.traits = Traits(missing=frozenset(("time",)))
    ident = cloned("edit", "1", "-p", "critical").id
    cloned("remote", "reset", "origin")
    cloned("pull")
    cloned("time", "add", "1", "30m")
    ran = cloned("push", "-n")
    assert ran.out == f"update\t{ident}\tpriority\n"
    assert "origin: time of 1 ticket stays here: " in ran.err
    planned = cloned("push", "-n", "--json").json["planned"]
    assert {(one["verb"], one["ticket"]) for one in planned} == {("update", ident), (None, ident)}
    assert helpdesk.record(1).fields["priority"] == "Normal"


def test_new_tickets_go_to_the_default_remote(cloned: Chit, helpdesk: Desk) -> None:
    """A ticket that is made here is made at the default remote, unless the setting says otherwise, and at others if it says so."""
    cloned("config", "set", "helpdesk.origin.new", "false")
    assert "helpdesk.origin.new\tfalse\n" in cloned("config", "list").out
    ident = cloned("new", "-m", "Only here").id
    cloned("push")
    assert len(helpdesk.tickets()) == 2
    cloned("push", "-c", "helpdesk.origin.new=true", ident)
    assert helpdesk.tickets()[3]["title"] == "Only here"
    assert cloned("remote", "show", "--json").json["helpdesk"]["new"] is False
    assert (
        "helpdesk.origin.send cannot be 'some'" in cloned("config", "set", "helpdesk.origin.send", "some", code=2).err
    )


def many(chit: Chit, helpdesk: Desk, count: int) -> None:
    """So many more tickets, which are then lost from the helpdesk without its saying so."""
    helpdesk.traits = Traits(tells_gone=False)
    numbers = [helpdesk.add_ticket(f"Ticket {number}") for number in range(count)]
    chit("pull")
    for number in numbers:
        helpdesk.remove(number)


def test_a_full_pull_finds_what_is_gone(cloned: Chit, helpdesk: Desk) -> None:
    """What is not in the complete list is asked for; what is deleted there is deleted here."""
    many(cloned, helpdesk, 2)
    cloned("pull")
    assert len(cloned("list", "--json").json) == 4
    cloned("pull", "--full", "-n")
    assert len(cloned("list", "--json").json) == 4
    cloned("pull", "--full")
    assert len(cloned("list", "--json").json) == 2


def test_many_deletions_are_asked_about(cloned: Chit, helpdesk: Desk) -> None:
    """Over ten at once need a yes: --yes where nobody can be asked, or an answer on a terminal; a no deletes nothing."""
    many(cloned, helpdesk, 11)
    ran = cloned("pull", "--full", code=5)
    assert "11 tickets are deleted in origin; everything else was taken" in ran.err
    assert "--full --yes" in ran.err
    cloned("pull", "--full", terminal=True, stdin="n\n", code=130)
    assert len(cloned("list", "--json").json) == 13
    cloned("pull", "--full", terminal=True, stdin="y\n")
    assert len(cloned("list", "--json").json) == 2


def test_yes_agrees_to_many_deletions(cloned: Chit, helpdesk: Desk) -> None:
    """With --yes nobody is asked."""
    many(cloned, helpdesk, 11)
    cloned("pull", "--full", "--yes")
    assert len(cloned("list", "--json").json) == 2


def test_a_helpdesks_files_come_when_they_are_asked_for(cloned: Chit, helpdesk: Desk) -> None:
    """A file is listed without its bytes; --get fetches them, pull --attachments all of them."""
    helpdesk.attach(1, "door.bin", b"\0squeak")
    helpdesk.attach(2, "bill.bin", b"\0bill")
    cloned("pull")
    (file,) = cloned("show", "1", "--json").json["attachments"]
    assert (file["name"], file["here"]) == ("door.bin", False)
    cloned("attach", "1", "--get", "door.bin")
    assert (cloned.folder / "door.bin").read_bytes() == b"\0squeak"
    ran = cloned("pull", "--attachments")
    assert "fetched 1 attachment, 5 bytes" in ran.err
    assert cloned("show", "2", "--json").json["attachments"][0]["here"] is True


def test_sync_goes_on_until_it_is_interrupted(cloned: Chit, helpdesk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each round is a sync; what goes wrong in one is said and the next one comes; Ctrl-C ends it with 130."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    helpdesk.fail(RemoteError("desk is away", "Try later."), at="changed", skip=1)
    helpdesk.fail(KeyboardInterrupt(), at="changed", skip=1)
    ran = cloned("sync", "--every", "60s", code=130)
    assert ran.err.count("origin: has everything") == 2
    assert "error: desk is away\nhint: Try later.\n" in ran.err


def test_sync_prints_a_line_a_round(cloned: Chit, helpdesk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --json each round is one JSON line on standard output, each error one on standard error."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    helpdesk.fail(RemoteError("desk is away"), at="changed", skip=1)
    helpdesk.fail(KeyboardInterrupt(), at="changed", skip=1)
    ran = cloned("sync", "--every", "1m", "--json", code=130)
    assert [json.loads(line)["schema"] for line in ran.out.splitlines()] == ["chit.synced/1"] * 2
    assert json.loads(ran.err)["detail"] == "desk is away"


def test_sync_ends_when_it_may_not(cloned: Chit, helpdesk: Desk) -> None:
    """A token that is not good any more will not get better: the command ends with 4."""
    assert "does not know the token" in cloned("sync", "--every", "1h", code=4, env={"CHIT_TOKEN": "nonsense"}).err


@pytest.mark.parametrize("every", ["", "60", "0s", "-1s", "1d", "1.5m", "s", "m5"])
def test_how_often_must_be_a_time(cloned: Chit, every: str) -> None:
    """Anything but a number with a unit is refused before anybody is asked."""
    assert "--every takes a time like 60s, 5m or 1h" in cloned("sync", "--every", every, code=2).err


def test_tokens_stay_out_of_the_store(cloned: Chit, helpdesk: Desk) -> None:
    """What is in the store's folder may be copied: no file of it holds the token."""
    cloned("auth", "login", "--token-stdin", stdin="agent2:right", env={"CHIT_TOKEN": None})
    cloned("pull", env={"CHIT_TOKEN": None})
    for parent, _, names in os.walk(cloned.folder):
        for name in names:
            assert b"agent2:right" not in Path(parent, name).read_bytes()


def test_what_is_in_conflict_fails_a_push(cloned: Chit, helpdesk: Desk) -> None:
    """What a conflict keeps here ends every push with 5 and the way to decide, after all else went; the decision goes with the next one."""
    ident = cloned("edit", "1", "--title", "Ours", "-p", "high").id
    helpdesk.edit(1, title="Theirs")
    ran = cloned("push", code=5)
    assert helpdesk.record(1).fields["priority"] == "High"
    assert ran.err.index("origin: took 1 change of 1 ticket") < ran.err.index("origin: sent 1 change of 1 ticket")
    assert (
        f"error: 1 field not sent to origin, as somebody wrote something else there; of {ident[:8]}: title\n" in ran.err
    )
    assert f"hint: `chit resolve {ident[:8]}` decides, then `chit push`.\n" in ran.err
    again = cloned("push", code=5)
    assert "has everything" not in again.err
    assert json.loads(cloned("push", "--json", code=5).err)["exit"] == 5
    assert "title" in cloned("push", "-n").err
    assert "1 field not sent to origin" in cloned("sync", code=5).err
    cloned("resolve", "1", "--shown")
    assert cloned("push").err == "origin: sent 1 change of 1 ticket\n"
    assert helpdesk.record(1).fields["title"] == "Ours"


def test_a_push_tells_what_it_took(cloned: Chit, helpdesk: Desk) -> None:
    """What somebody changed there meanwhile is taken by a push, and said."""
    helpdesk.edit(1, assignee="agent2")
    cloned("edit", "1", "-p", "high")
    assert cloned("push").err == "origin: took 1 change of 1 ticket\norigin: sent 1 change of 1 ticket\n"
    assert cloned("show", "1", "--json").json["assignee"] == "agent2"


def test_a_dry_run_tells_a_person_what_would_be_said(cloned: Chit, helpdesk: Desk) -> None:
    """On a terminal the calls of a dry run come with what they carry: texts, who sees them, values."""
    cloned("comment", "1", "--internal", "-m", "Oiled it")
    cloned("edit", "1", "-p", "high", "--title", "Door is quiet")
    cloned("delete", "2")
    shown = cloned("push", "-n", terminal=True).out
    for told in ("said (internal): Oiled it", "priority high, title Door is quiet", "Bill is wrong"):
        assert told in shown


def test_we_are_called_as_the_tables_say(chit: Chit, helpdesk: Desk) -> None:
    """Who has no name of their own is called in a clone as the tables of people say, where a helpdesk has numbers for people."""
    helpdesk.accounts["7"] = Person("7", "agent7")
    ran = chit("clone", URL, "desk", env={"CHIT_TOKEN": "7", "CHIT_USER": None})
    assert "you are called agent7 here too" in ran.err
