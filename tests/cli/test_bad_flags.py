"""Flags that contradict each other, that were missing with nobody to ask, and what is too much to do without asking."""

import pytest

from support.invocations import everything
from support.runner import Chit


def said(message: str, hint: str) -> str:
    """What is on standard error for an error."""
    return f"error: {message}\n" + (f"hint: {hint}\n" if hint else "")


ONE = "Give one of them."


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("close", "{id}", "--query", "is:open"), "tickets, --query and --stdin contradict each other", ONE),
        (("close", "{id}", "--stdin"), "tickets, --query and --stdin contradict each other", ONE),
        (("show", "--query", "is:open", "--stdin"), "tickets, --query and --stdin contradict each other", ONE),
        (("new", "-m", "x", "-F", "-"), "-m and -F contradict each other", ONE),
        (("comment", "{id}", "-m", "x", "-F", "-"), "-m and -F contradict each other", ONE),
        (
            ("comment", "{id}", "-m", "x", "-i", "--public"),
            "--internal, --partner and --public contradict each other",
            ONE,
        ),
        (("comment", "{id}", "--edit", "k", "--delete", "k"), "--edit and --delete contradict each other", ONE),
        (
            ("comment", "{id}", "--delete", "k", "-m", "x"),
            "--delete takes no text",
            "Leave -m and -F out, or --edit the comment.",
        ),
        (
            ("comment", "{id}", "--edit", "k", "-m", "x", "--attach", "f"),
            "--attach goes with a new comment",
            "`chit attach` attaches a file by itself.",
        ),
        (
            ("attach", "{id}", "f", "--get", "x"),
            "FILE, --get, --publish and --delete contradict each other",
            "Do one thing at a time.",
        ),
        (
            ("attach", "{id}", "--delete", "y", "--get", "x"),
            "FILE, --get, --publish and --delete contradict each other",
            "Do one thing at a time.",
        ),
        (
            ("resolve", "{id}", "--shown", "--other"),
            "--shown and --other contradict each other",
            "Give one of them, or --set FIELD=VALUE.",
        ),
        (("close",), "no ticket named", "Name tickets, or give --query or --stdin."),
        (("label", "{id}"), "no label named", "Give --add LABEL or --remove LABEL."),
        (("clone", "--token-stdin", "/srv/desk", "new"), "a token is for a server only", "Leave --token-stdin out."),
        (
            ("remote", "add", "x", "/srv/desk", "--token-stdin"),
            "a token is for a server only",
            "Leave --token-stdin out.",
        ),
        (
            ("serve", "--port", "0", "--cert", "{file}"),
            "TLS needs both a certificate and its key",
            "Give --cert and --key.",
        ),
        (("import", "{file}", "--source", "x"), "--source and --zone go with --map", ""),
    ],
)
def test_contradictions(words: tuple[str, ...], message: str, hint: str, desk: Chit, ticket: str) -> None:
    """What cannot go together is refused before anything is read or written."""
    file = desk.folder / "file"
    file.touch()
    before = everything(desk.folder)
    assert desk(*(word.format(id=ticket, file=file) for word in words), code=2).err == said(message, hint)
    assert everything(desk.folder) == before


def test_json_and_jsonl(desk: Chit) -> None:
    """Two forms of output at once are refused, as JSON, since that was asked for."""
    assert desk("list", "--json", "--jsonl", code=2).problem["detail"] == "--json and --jsonl contradict each other"
    problem = desk("list", "--jsonl", "--format", "{id}", code=2).problem
    assert problem["detail"] == "--jsonl and --format contradict each other"


@pytest.mark.parametrize(
    "how", [{}, {"terminal": True, "flag": "--no-input"}, {"terminal": True, "env": {"CI": "true"}}]
)
def test_nobody_is_asked_where_nobody_is(how: dict[str, object], desk: Chit, ticket: str) -> None:
    """Without a terminal, with --no-input or in CI no editor starts and nothing is asked; the error names what was missing."""
    flags = [str(how["flag"])] if "flag" in how else []
    terminal, env = bool(how.get("terminal")), how.get("env") or {}
    assert isinstance(env, dict)
    env = {**env, "EDITOR": "sh -c 'exit 99'"}
    missing = "is missing, and there is no terminal to ask on"
    assert desk("new", *flags, code=2, terminal=terminal, env=env).err == said(f"-m, -F or --title {missing}", "")
    assert desk("comment", ticket, *flags, code=2, terminal=terminal, env=env).err == said(f"-m or -F {missing}", "")
    assert desk("edit", ticket, *flags, code=2, terminal=terminal, env=env).err == said(
        f"a field to change {missing}", ""
    )
    assert desk("edit", ticket, ticket, *flags, code=2, terminal=terminal, env=env).err.startswith("error: ")


@pytest.fixture
def many(desk: Chit) -> Chit:
    """A store with 21 open tickets."""
    desk("new", "-m", "Ticket")
    record = desk("export").out
    for number in range(2, 22):
        desk("new", "-m", f"Ticket {number}", "-q")
    assert record
    return desk


def test_a_bulk_write_is_confirmed(many: Chit) -> None:
    """Over twenty tickets: refused without --yes where nobody is; asked on a terminal, where no means no."""
    before = everything(many.folder)
    ran = many("close", "--query", "is:open", code=2)
    assert ran.err == said("This changes 21 tickets. Go on? There is nobody to ask.", "Say --yes to go on.")
    assert many("close", "--query", "is:open", "--dry-run").err.count("would") == 21
    ran = many("close", "--query", "is:open", terminal=True, stdin="n\n", code=130)
    assert ran.err == "This changes 21 tickets. Go on? [y/N]: nothing was changed\n"
    assert everything(many.folder) == before
    many("assign", "--query", "is:open", "--to", "anna", terminal=True, stdin="y\n")
    assert many("list", "--count", "assignee:anna").out == "21\n"
    many("close", "--query", "is:open", "--yes", "-q")
    assert many("list", "--count").out == "0\n"


def test_twenty_are_not_asked_about(many: Chit) -> None:
    """Up to twenty tickets are written to as asked."""
    many("close", "21")
    many("close", "--query", "is:open")
    assert many("list", "--count").out == "0\n"


def test_an_empty_query(desk: Chit, ticket: str) -> None:
    """A bulk write with an empty query, which a script makes by mistake, is refused without --all."""
    for query in ("", "  "):
        assert desk("close", "--query", query, code=2).err == said(
            "an empty query means every ticket", "Say --all if that is meant."
        )
    desk("close", "--query", "", "--all")
    assert desk("show", ticket, "--json").json["status"] == "closed"


def test_a_query_that_finds_nothing(desk: Chit, ticket: str) -> None:
    """Nothing found is no error, and the answer to --json is an empty array."""
    assert desk("close", "--query", "label:none-such").out == ""
    assert desk("close", "--query", "label:none-such", "--json").json == []


def test_one_or_many_as_json(desk: Chit, ticket: str) -> None:
    """One ticket named is answered with an object; a query or several with an array, however many there are."""
    assert desk("edit", ticket, "-p", "low", "--json").json["id"] == ticket
    assert [one["id"] for one in desk("edit", "--query", "is:open", "-p", "high", "--json").json] == [ticket]
    assert [one["id"] for one in desk("edit", "--stdin", "-p", "low", "--json", stdin=f"{ticket}\n").json] == [ticket]
    assert desk("edit", ticket, "-p", "high", "--json", "-n").json["set"] == {"priority": {"old": "low", "new": "high"}}
    assert len(desk("edit", "--query", "is:open", "-p", "high", "--json", "-n").json) == 1
    assert desk("show", ticket, "--json").json["id"] == ticket
    assert len(desk("show", "--query", "is:open", "--json").json) == 1


def test_tickets_from_standard_input(desk: Chit, ticket: str) -> None:
    """Ids one a line, as `chit list` prints them; blank lines are nothing, an unknown one stops it all."""
    desk("take", "--stdin", stdin=desk("list").out + "\n\n")
    assert desk("show", ticket, "--json").json["assignee"] == "anna"
    assert desk("close", "--stdin", stdin=f"{ticket}\nzzzz\n", code=3).err.startswith("error: no ticket zzzz\n")
    assert desk("show", ticket, "--json").json["status"] == "new"


FIELDS = (
    "There are: schema, id, number, title, description, status, priority, impact, type, queue, assignee, requester, organization, "
    "contract, product, due, emergency, merged, deleted, category, labels, custom, created, updated, author, comments, attachments, times, "
    "charges, questions, partner, handoff, handoffs, links, remotes, conflicts."
)
BRACE = "Write {{ for {."


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("--format", "{nope}"), "--format: there is no field 'nope'", FIELDS),
        (("--format", "{id.__class__.__mro__}"), "--format: there is no field 'id.__class__.__mro__'", FIELDS),
        (("--format", "{id.__class__}"), "--format: there is no field 'id.__class__'", FIELDS),
        (("--format", "{title[0]}"), "--format: a brace that belongs to no field at column 1", BRACE),
        (("--format", "{id!r}"), "--format: a brace that belongs to no field at column 1", BRACE),
        (("--format", "{id:>999999999}"), "--format: a brace that belongs to no field at column 1", BRACE),
        (("--format", "{0}"), "--format: there is no field '0'", FIELDS),
        (("--format", "a}b"), "--format: a brace that belongs to no field at column 2", BRACE),
        (("--fields", "id,nope"), "there is no field 'nope'", FIELDS),
        (("--fields", ""), "there is no field ''", FIELDS),
        (("--json", "--fields", "id,"), "there is no field ''", FIELDS),
    ],
)
def test_fields_that_there_are_not(words: tuple[str, ...], message: str, hint: str, desk: Chit, ticket: str) -> None:
    """--format and --fields name fields of the record and nothing else: no attribute, no index, no conversion."""
    ran = desk("list", *words, code=2)
    if "--json" in words:
        assert (ran.problem["detail"], ran.problem["hint"]) == (message, hint)
    else:
        assert ran.err == said(message, hint)


def test_format(desk: Chit, ticket: str) -> None:
    """Fields are filled in, padded by the columns that they take, and braces are doubled."""
    desk("edit", ticket, "--title", "日本", "-x", "x.serial=7", "-l", "b", "-l", "a")
    ran = desk("list", "--format", "[{title:<6}|{title:>6}|{title:^6}] {{{custom.serial}}} {labels}\t{due}")
    assert ran.out == "[日本  |  日本| 日本 ] {7} a,b\t\n"
    assert desk("list", "--fields", "priority,title", "-z").out == "normal\t日本\0"
