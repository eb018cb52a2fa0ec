"""What the state of things forbids, and what is so already: the first is an error with what to do, the second is none."""

import pytest

from support.runner import Chit


def said(message: str, hint: str) -> str:
    """What is on standard error for an error."""
    return f"error: {message}\n" + (f"hint: {hint}\n" if hint else "")


@pytest.fixture
def torn(desk: Chit, ticket: str) -> str:
    """The ticket, with its title in conflict: it shows `Two`, the other value is `One`."""
    desk("clone", ".", "copy")
    desk("edit", ticket, "--title", "One", cwd=desk.folder / "copy")
    desk("edit", ticket, "--title", "Two")
    desk("remote", "add", "origin", "copy")
    ran = desk("pull")
    assert "1 new conflict; `chit resolve TICKET` decides:\n" in ran.err
    return ticket


def test_tickets_and_themselves(desk: Chit, ticket: str) -> None:
    """A ticket is neither merged into itself nor linked to itself, also not as one of several."""
    other = desk("new", "-m", "Other").id
    assert desk("merge", ticket, "--into", ticket, code=5).err == said("a ticket cannot be merged into itself", "")
    desk("merge", other, ticket, "--into", ticket, code=5)
    assert desk("link", ticket, "blocks", ticket, code=5).err == said("a ticket cannot be linked to itself", "")
    desk("link", ticket, "child-of", other, ticket, code=5)
    assert {one["status"] for one in desk("show", ticket, other, "--json").json} == {"new"}
    assert desk("show", ticket, "--json").json["links"] == []


def test_merging_in_a_circle(desk: Chit, ticket: str) -> None:
    """What was merged into a ticket cannot take that ticket in."""
    other = desk("new", "-m", "Other").id
    desk("merge", other, "--into", ticket)
    assert desk("merge", ticket, "--into", other, code=5).err == said(
        f"{other[:8]} was merged into {ticket[:8]} already", "`chit reopen` undoes that."
    )
    desk("reopen", other)
    assert desk("show", other, "--json").json["merged"] is None


def test_nothing_is_in_conflict(desk: Chit, ticket: str) -> None:
    """Resolving what is not in conflict is no error, naming a field that is not is one."""
    ran = desk("resolve", ticket, "--shown")
    assert (ran.out, ran.err) == (f"{ticket}\n", f"{ticket[:8]}: not in conflict\n")
    for words in (("--field", "title", "--shown"), ("--set", "title=x")):
        assert desk("resolve", ticket, *words, code=3).err == said(
            f"title of {ticket[:8]} is not in conflict", "`chit conflicts` lists what is."
        )
    assert desk("conflicts", "--exit-code").err == "no conflicts\n"


def test_a_conflict_is_shown_everywhere(desk: Chit, torn: str) -> None:
    """status, list, show and conflicts say that there is one, and what to type."""
    assert desk("conflicts").out == f"{torn}\ttitle\tTwo\tOne\n"
    assert desk("conflicts", "--exit-code", code=5).out
    status = desk("status").out
    assert "1 conflict: `chit resolve TICKET` decides\n" in status
    assert f"    {torn[:8]}  Two\n" in status
    assert "title: Two is shown, but somebody wrote One\n" in desk("show", torn).out
    assert desk("list", "--count", "is:conflict").out == "1\n"


def test_a_conflict_is_not_decided_by_chance(desk: Chit, torn: str) -> None:
    """Without a choice and with nobody to ask, resolve names the fields and the flags."""
    assert desk("resolve", torn, code=2).err == said(
        f"{torn[:8]} is in conflict at title", "Say --shown, --other or --set FIELD=VALUE."
    )
    assert desk("resolve", torn, "--set", "title", code=2).err == said(
        "--set takes FIELD=VALUE, not 'title'", "For example --set title=Projector."
    )
    assert desk("resolve", torn, "--set", "title=", code=2).err.startswith("error: the title is empty\n")
    assert desk("conflicts").out


@pytest.mark.parametrize(
    ("words", "title"), [(("--shown",), "Two"), (("--other",), "One"), (("--set", "title=Three"), "Three")]
)
def test_deciding(words: tuple[str, ...], title: str, desk: Chit, torn: str) -> None:
    """Each choice ends the conflict; undone, it is back."""
    desk("resolve", torn, *words)
    assert desk("show", torn, "--json").json["title"] == title
    assert desk("conflicts").out == ""
    desk("undo")
    assert desk("conflicts").out == f"{torn}\ttitle\tTwo\tOne\n"


def test_deciding_on_a_terminal(desk: Chit, torn: str) -> None:
    """On a terminal the values are listed and asked about; an answer that is none is asked again."""
    ran = desk("resolve", torn, terminal=True, stdin="7\n2\n")
    assert "  1  Two  (shown now)\n  2  One\n" in ran.err
    assert desk("show", torn, "--json").json["title"] == "One"


def test_times_in_records(desk: Chit, ticket: str) -> None:
    """Wherever a program reads a time, it is ISO 8601 UTC: in tickets, history, plans and conflicts."""
    due = ("edit", ticket, "--due", "2026-12-24T10:00")
    assert desk(*due, "-n", "--json").json["set"] == {"due": {"old": None, "new": "2026-12-24T10:00:00.000Z"}}
    desk("clone", ".", "copy")
    desk(*due)
    desk("edit", ticket, "--due", "2026-12-25T10:00", cwd=desk.folder / "copy")
    desk("remote", "add", "origin", "copy")
    desk("pull")
    times = {"2026-12-24T10:00:00.000Z", "2026-12-25T10:00:00.000Z"}
    found = desk("show", ticket, "--json").json
    for conflict in (found["conflicts"][0], desk("conflicts", "--json").json[0]):
        assert {conflict["shown"], *conflict["others"]} == times
    last = desk("log", ticket, "--json").json[-1]
    assert last["schema"] == "chit.event/1"
    assert {change["path"] for change in last["changes"]} == {"due"}
    assert last["changes"][0]["new"] in times
    assert set(desk("conflicts").out.rstrip("\n").split("\t")[2:]) == times


def test_nothing_to_undo(desk: Chit) -> None:
    """With nothing done there is nothing to take back, and that is no error."""
    assert desk("undo").err == "nothing to undo\n"
    assert desk("undo", "--json").json == []


def test_what_was_sent_is_not_undone(desk: Chit, ticket: str) -> None:
    """What others have cannot be taken back; the hint says what can be done."""
    desk("init", "other")
    desk("remote", "add", "origin", "other")
    desk("push")
    assert desk("undo", code=5).err == said(
        "`new` cannot be undone: it has gone to the remote origin",
        "Change it back with an ordinary edit; that reaches everybody who has it.",
    )


def test_undo_says_what_it_took_back(desk: Chit, ticket: str) -> None:
    """Undo names the command and how much it was, again for the one before."""
    other = desk("new", "-m", "Other").id
    desk("edit", ticket, other, "-p", "low")
    assert desk("undo").err == "took back `edit`: 2 changes of 2 tickets\n"
    assert desk("undo").err == "took back `new`: 1 change of 1 ticket\n"
    assert desk("list", "--count").out == "1\n"


def test_so_already(desk: Chit, ticket: str) -> None:
    """What is so already is no error, prints the id all the same, and writes nothing."""
    desk("edit", ticket, "-p", "low", "-l", "a")
    changes = desk("log").out
    for command in (
        ("edit", ticket, "-p", "low"),
        ("label", ticket, "-l", "a"),
        ("label", ticket, "-r", "b"),
        ("reopen", ticket),
    ):
        ran = desk(*command)
        assert (ran.out, ran.err) == (f"{ticket}\n", f"{ticket[:8]}: nothing to change, it is so already\n")
    assert desk("log").out == changes


def test_remote_with_unsent_changes(desk: Chit, ticket: str) -> None:
    """A remote to which not everything was sent is forgotten only when that is meant."""
    desk("remote", "add", "origin", "/srv/nowhere")
    assert desk("remote", "remove", "origin", code=2).err == said(
        "1 change not sent to origin yet. Forget it? There is nobody to ask.", "Say --yes to go on."
    )
    desk("remote", "remove", "origin", "-n")
    desk("remote", "remove", "origin", "--yes")
    assert desk("remote", "list").out == ""


def test_three_values(desk: Chit, ticket: str) -> None:
    """Where three people wrote, all values are listed, and `the other` is no answer."""
    for name in ("One", "Two"):
        desk("clone", ".", name)
        desk("edit", ticket, "--title", name, cwd=desk.folder / name)
    desk("edit", ticket, "--title", "Three")
    for name in ("One", "Two"):
        desk("remote", "add", name, name)
        desk("pull", "--remote", name)
    (line,) = desk("conflicts").out.splitlines()
    assert set(line.split("\t")[2:]) == {"One", "Two", "Three"}
    assert desk("resolve", ticket, "--other", code=2).err == said(
        f"title of {ticket[:8]} has 2 other values", "Say --set FIELD=VALUE."
    )
    desk("resolve", ticket, "--shown")
    assert desk("conflicts").out == ""


def test_a_cleared_value_in_conflict(desk: Chit, ticket: str) -> None:
    """One cleared the field, one changed it: that is said in words, and is nothing to a program."""
    desk("edit", ticket, "--queue", "first", "--due", "2026-12-24T10:00")
    desk("clone", ".", "copy")
    desk("edit", ticket, "--queue", "second", "--due", "2026-12-25T10:00", cwd=desk.folder / "copy")
    desk("edit", ticket, "--queue", "", "--due", "")
    desk("remote", "add", "origin", "copy")
    desk("pull")
    page = desk("show", ticket, terminal=True).out
    assert "  due: (empty) is shown, but somebody wrote 2026-12-25 10:00\n" in page
    assert "  queue: (empty) is shown, but somebody wrote second\n" in page
    assert f"{ticket}\tqueue\t\tsecond\n" in desk("conflicts").out
    ran = desk("resolve", ticket, terminal=True, stdin="2\n2\n")
    assert "  1  (empty)  (shown now)\n  2  2026-12-25 10:00\n" in ran.err
    assert desk("show", ticket, "--json").json["queue"] == "second"
