"""What the everyday commands print and do, for a script and for a person."""

import re

import pytest

from support.runner import Chit

ID = re.compile(r"[k-z]{32}\n")


def test_a_write_prints_the_id(desk: Chit) -> None:
    """Standard output has the id alone, so that `id=$(chit new …)` works; the message says what was done."""
    ran = desk(
        "new", "-m", "Printer on fire\n\nIt smokes.", "-p", "1", "-l", "printer,fire", "-a", "@me", "--type", "incident"
    )
    assert ID.fullmatch(ran.out)
    assert ran.err == f"wrote {ran.id[:8]} (number 1)\n"
    found = desk("show", ran.id, "--json").json
    assert (found["title"], found["description"]) == ("Printer on fire", "It smokes.")
    assert (found["priority"], found["labels"], found["assignee"]) == ("critical", ["fire", "printer"], "anna")
    assert (found["status"], found["category"], found["author"], found["number"]) == ("new", "new", "anna", 1)


def test_several_messages_make_paragraphs(desk: Chit) -> None:
    """-m again is another paragraph; --title keeps all of the text."""
    one = desk("new", "-m", "Title", "-m", "First.", "-m", "Second.").id
    assert desk("show", one, "--json").json["description"] == "First.\n\nSecond."
    two = desk("new", "--title", "Title", "-F", "-", stdin="First.\r\nSecond.\n").id
    assert desk("show", two, "--json").json["description"] == "First.\nSecond."
    three = desk("new", "-F", "-", stdin="\ufeffTitle\r\n\r\nText.\r\n".encode()).id
    found = desk("show", three, "--json").json
    assert (found["title"], found["description"]) == ("Title", "Text.")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("edit", "-p", "low", "--queue", "first"), "priority normal → low, queue first"),
        (("edit", "--title", "Smoke"), "title Printer on fire → Smoke"),
        (("edit", "--due", "2026-12-24"), "due 2026-12-24 23:59"),
        (("edit", "--emergency"), "emergency yes"),
        (("label", "-l", "a", "-l", "b"), "+a, +b"),
        (("assign", "--to", "berta"), "assignee berta"),
        (("take",), "assignee anna"),
        (("close", "--status", "rejected"), "status new → rejected"),
        (("delete",), "deleted\n`chit undo` takes that back"),
        (("comment", "-m", "Seen."), "said: Seen."),
        (("comment", "-i", "-m", "Seen."), "said (internal): Seen."),
    ],
)
def test_what_a_write_says(words: tuple[str, ...], said: str, desk: Chit, ticket: str) -> None:
    """A write says what changed, from what to what; with -n what would."""
    command, *rest = words
    dry = desk(command, ticket, *rest, "-n")
    ran = desk(command, ticket, *rest)
    assert (ran.out, ran.err) == (f"{ticket}\n", f"{ticket[:8]}: {said}\n")
    assert dry.out == ran.out
    assert dry.err == f"{ticket[:8]}: would do: {said.partition(chr(10))[0]}\n"


def test_list_for_a_program(desk: Chit) -> None:
    """Tab-separated, whole, in columns that stay: id, number, priority, status, assignee, queue, updated, title."""
    low = desk("new", "-m", "Tab\\stop", "-p", "low").id
    high = desk("new", "-m", "Urgent " + "x" * 900, "-p", "high", "-a", "anna", "--queue", "a b").id
    rows = [line.split("\t") for line in desk("list").out.splitlines()]
    time = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
    assert [row[:6] for row in rows] == [[high, "2", "high", "new", "anna", "a b"], [low, "1", "low", "new", "", ""]]
    assert all(time.fullmatch(row[6]) for row in rows)
    assert [row[7] for row in rows] == ["Urgent " + "x" * 900, "Tab\\\\stop"]
    assert desk("list", "-z").out.count("\0") == 2
    assert desk("ls").out == desk("list").out


def test_list_sorts_and_limits(desk: Chit) -> None:
    """The most urgent first, then the latest; --sort, --limit and --offset change that; --count counts."""
    ids = [
        desk("new", "-m", name, "-p", priority).id for name, priority in (("b", "low"), ("a", "high"), ("c", "high"))
    ]
    done = desk("new", "-m", "d").id
    desk("close", done)

    def listed(*words: str) -> list[str]:
        return desk("list", "--fields", "id", *words).out.splitlines()

    assert listed() == [ids[2], ids[1], ids[0]]
    assert listed("--sort", "title") == [ids[1], ids[0], ids[2]]
    assert listed("--sort", "-title") == [ids[2], ids[0], ids[1]]
    assert listed("sort:created") == ids
    assert listed("--limit", "1", "--offset", "1") == [ids[1]]
    assert set(listed("--all")) == {*ids, done}
    assert listed("is:closed") == [done]
    assert desk("list", "--count").out == "3\n"
    assert desk("list", "--exit-code", code=10).out
    assert desk("list", "--exit-code", "label:none-such").out == ""


@pytest.mark.parametrize("style", ["github", "html", "simple"])
def test_list_in_a_style(style: str, desk: Chit, ticket: str) -> None:
    """A table to paste elsewhere; a style that there is not is refused."""
    assert "Printer on fire" in desk("list", "--style", style).out
    assert desk("list", "--style", "pink", code=2).err.startswith(
        "error: there is no table style 'pink'\nhint: There are: "
    )


def test_the_page_of_a_ticket(desk: Chit, ticket: str) -> None:
    """Fields, conversation, attachments and links, in the order in which one reads."""
    other = desk("new", "-m", "The other").id
    (desk.folder / "a.txt").write_text("hello\n")
    desk("edit", ticket, "-m", "The whole story.", "-x", "x.serial=" + "7" * 200)
    desk("comment", ticket, "-m", "Said in public.")
    desk("comment", ticket, "-i", "-m", "Said in private.")
    desk("attach", ticket, "a.txt")
    desk("link", ticket, "blocked-by", other)
    page = desk("show", ticket).out
    parts = [
        "Printer on fire\n", f"{ticket[:8]} no 1 · new · normal · by anna ", "x.serial  " + "7" * 200 + "\n", "The whole story.\n",
        "── anna · ", "Said in public.\n", " · internal · ", "Said in private.\n", "Attachments\n", "  a.txt  6 bytes\n", "Links\n",
        f"  blocked-by {other[:8]}  The other\n",
    ]  # fmt: skip
    places = [page.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)
    assert f"  blocks {ticket[:8]}  Printer on fire\n" in desk("show", other).out
    assert "7" * 200 not in desk("show", ticket, terminal=True).out
    two = desk("show", ticket, other).out
    assert two.index("The whole story.") < two.index("═══") < two.rindex("The other")


def test_merging(desk: Chit, ticket: str) -> None:
    """The merged ticket is closed and points to the one that stays, which takes over its labels."""
    other = desk("new", "-m", "Same again", "-l", "printer").id
    assert len(desk("merge", other, "--into", ticket, "--json").json) == 2
    found = desk("show", other, "--json").json
    assert (found["merged"], found["status"]) == (ticket, "closed")
    assert f"Merged into {ticket[:8]}.\n" in desk("show", other).out
    assert desk("show", ticket, "--json").json["labels"] == ["printer"]


def test_deleting_and_bringing_back(desk: Chit, ticket: str) -> None:
    """A deleted ticket leaves the lists and can be brought back."""
    desk("delete", ticket)
    assert desk("list", "--all").out == ""
    assert desk("list", "--count", "is:deleted").out == "1\n"
    assert "This ticket was deleted; `chit reopen` brings it back.\n" in desk("show", ticket).out
    desk("reopen", ticket)
    assert desk("list", "--count").out == "1\n"


def test_the_log(desk: Chit, ticket: str) -> None:
    """Who changed what, from what to what: a line a field for a program, a few words for a person."""
    desk("edit", ticket, "-p", "high", "--due", "2026-12-24T10:00", env={"CHIT_USER": "berta"})
    lines = [line.split("\t") for line in desk("log", ticket).out.splitlines()]
    assert [(line[3], *line[4:]) for line in lines[-2:]] == [
        ("berta", "due", "", "2026-12-24T10:00:00.000Z"), ("berta", "priority", "normal", "high"),
    ]  # fmt: skip
    assert all(line[1] == ticket for line in lines)
    seen = desk("log", ticket, terminal=True).out
    assert "  berta\n    due 2026-12-24 10:00\n    priority normal → high\n" in seen
    assert [one["by"] for one in desk("log", "--json").json] == ["berta", "anna"]
    assert desk("log", "--limit", "1").out.count("\n") == 2


def test_where_the_store_is(desk: Chit, ticket: str) -> None:
    """In a folder above, where -C or CHIT_DIR say, or the user's own where there is no other."""
    below = desk.folder / "a" / "b"
    below.mkdir(parents=True)
    elsewhere = desk.folder.parent / "elsewhere"
    elsewhere.mkdir()
    assert desk("list", "--count", cwd=below).out == "1\n"
    assert desk("list", "--count", "-C", str(desk.folder), cwd=elsewhere).out == "1\n"
    assert desk("list", "--count", cwd=elsewhere, env={"CHIT_DIR": str(desk.folder)}).out == "1\n"
    desk("list", cwd=elsewhere, code=3)
    desk("init", "--user", cwd=elsewhere)
    assert desk("list", "--count", cwd=elsewhere).out == "0\n"
    assert desk("list", "--count", cwd=below).out == "1\n"
    assert desk("-C", "/nowhere", "list", code=3).err.startswith("error: no store in /nowhere\n")


def test_where_a_setting_comes_from(desk: Chit) -> None:
    """-c over the environment over the store's file over the user's."""
    desk("config", "set", "--user", "list.limit", "1")
    desk("config", "set", "user.name", "Anna")

    def origin(*words: str, **env: str) -> tuple[object, str]:
        found = desk("config", "get", "list.limit", "--json", *words, env=env).json
        return found["value"], found["origin"].rpartition("/")[2]

    assert origin() == (1, "config.toml")
    desk("config", "set", "list.limit", "2")
    assert origin() == (2, "config.toml")
    assert origin(CHIT_LIST_LIMIT="3") == (3, "environment")
    assert origin("-c", "list.limit=4", CHIT_LIST_LIMIT="3") == (4, "-c")
    desk("config", "set", "list.limit", "--unset")
    assert origin() == (1, "config.toml")
    desk("config", "set", "--user", "list.limit", "--unset")
    assert origin() == (50, "default")
    who = desk("new", "-m", "x", env={"CHIT_USER": None}).id
    assert desk("show", who, "--json").json["author"] == "Anna"


def test_statuses_of_ones_own(desk: Chit, ticket: str) -> None:
    """A store's own statuses, and what they mean; a clone has them too."""
    desk("config", "statuses", "new=new", "working=open", "stuck=pending", "done=closed")
    assert desk("config", "statuses").out == "new\tnew\nworking\topen\nstuck\tpending\ndone\tclosed\n"
    desk("edit", ticket, "--status", "stuck")
    assert desk("list", "--count", "category:pending").out == "1\n"
    desk("clone", ".", "copy")
    desk("close", ticket, cwd=desk.folder / "copy")
    assert desk("show", ticket, "--json", cwd=desk.folder / "copy").json["status"] == "done"


def test_counts_agree_with_their_nouns(desk: Chit, ticket: str) -> None:
    """One change, two changes."""
    desk("init", "other")
    desk("remote", "add", "origin", "other")
    assert "    1 change to send: " in desk("status").out
    assert desk("status").out.startswith("1 open ticket\n")
    desk("edit", ticket, "-p", "low")
    assert "    2 changes to send: " in desk("status").out
    assert desk("push").err == "origin: sent 2 changes of 1 ticket\n"
    desk("new", "-m", "Another")
    assert desk("status").out.startswith("2 open tickets\n")
    assert desk("push").err == "origin: sent 1 change of 1 ticket\n"


def test_a_new_ticket_for_show(desk: Chit) -> None:
    """With -n, what would be written."""
    ran = desk("new", "-m", "Printer on fire", "-p", "high", "-l", "a", "-n")
    assert ran.err == "would write a new ticket: +a, priority high, status new, title Printer on fire\n"
    assert desk("list").out == ""


def test_saying_more(desk: Chit, ticket: str) -> None:
    """-v says which store and which remote it is, and where the token is from, but not the token."""
    store = f"the store is {desk.folder}/.chit\n"
    assert desk("list", "-v").err == store
    assert desk("-v", "show", ticket).err == store
    desk("init", "other")
    desk("remote", "add", "origin", "other")
    assert desk("push", "-v").err.startswith(
        f"{store}asking {desk.folder}/other, waiting up to 30 seconds\norigin: sent "
    )
    desk("remote", "set-url", "origin", "http://127.0.0.1:1/")
    err = desk("pull", "-v", "--timeout", "2.5", code=6, env={"CHIT_TOKEN": "chit_secret"}).err
    assert "the token is from CHIT_TOKEN\nasking http://127.0.0.1:1/, waiting up to 2.5 seconds\n" in err
    assert "chit_secret" not in err
