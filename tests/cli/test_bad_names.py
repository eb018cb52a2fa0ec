"""Tickets, remotes, tokens and commands that there are not, and queries that mean nothing: named, with what there is instead."""

import pytest

from support.runner import Chit

LETTERS = "A ticket is named by letters from k to z, or by its number."
KINDS = "'relates', 'blocks', 'parent-of', 'duplicates', 'follows', 'blocked-by', 'child-of', 'duplicated-by', 'followed-by'"
ALL = "`chit list --all` shows what there is."
TIMES = "Times are 2026-11-23, 2026-11-23T14:05, 2026-11, today, yesterday, tomorrow, monday, 30m, 2h, 7d, 2w."


def said(message: str, hint: str) -> str:
    """What is on standard error for an error."""
    return f"error: {message}\n" + (f"hint: {hint}\n" if hint else "")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("zzzzzzzzzzzz", "no ticket zzzzzzzzzzzz", ALL),
        ("abc", "no ticket 'abc'", LETTERS),
        ("Kzxt", "no ticket 'Kzxt'", LETTERS),
        ("", "no ticket ''", LETTERS),
        ("1.5", "no ticket '1.5'", LETTERS),
        ("k" * 33, f"no ticket '{'k' * 33}'", LETTERS),
        ("Caf\udce9", "no ticket 'Caf\\udce9'", LETTERS),
        ("٣", "no ticket '٣'", LETTERS),
        ("999", "no ticket 999 in this store", ALL),
        ("0", "no ticket 0 in this store", ALL),
        ("9" * 40, f"no ticket '{'9' * 40}'", LETTERS),
        ("desk#1", "no remote 'desk'", "`chit remote list` shows what there is."),
    ],
)
def test_no_such_ticket(name: str, message: str, hint: str, desk: Chit, ticket: str) -> None:
    """Whatever was typed for a ticket, the command says that there is none and how tickets are named; it ends with 3."""
    for command in (("show",), ("edit", "-p", "high"), ("close",), ("log",), ("link", ticket, "blocks"), ("attach",)):
        assert desk(*command, "--", name, code=3).err == said(message, hint)


def test_an_ambiguous_prefix(desk: Chit) -> None:
    """All candidates are listed with their titles; with --json they are in the problem object."""
    ids = [desk("new", "-m", f"Ticket {number}").id for number in range(17)]
    letter = max("klmnopqrstuvwxyz", key=lambda one: sum(ident.startswith(one) for ident in ids))
    meant = sorted((ident, f"Ticket {number}") for number, ident in enumerate(ids) if ident.startswith(letter))
    lines = [f"{ident}  {title}" for ident, title in meant]
    ran = desk("show", letter, code=3)
    assert ran.err == "\n".join(
        [
            f"error: {letter} could be {len(meant)} tickets",
            *(f"  {line}" for line in lines),
            "hint: Type more letters.",
            "",
        ]
    )
    problem = desk("show", letter, "--json", code=3).problem
    assert problem["code"] == "ambiguous"
    assert problem["items"] == lines


def test_a_number_is_that_of_the_default_remote(desk: Chit, ticket: str) -> None:
    """With a remote a bare number is the remote's; a ticket that it has not seen is shown without one, and found by its letters."""
    desk("clone", ".", "copy")
    copy = desk.folder / "copy"
    mine = desk("new", "-m", "Mine", cwd=copy).id
    theirs = desk("new", "-m", "Theirs").id
    assert desk("show", "2", cwd=copy, code=3).err == said(
        "no ticket 2 at the remote origin", "A ticket that was not pushed yet is named by its letters."
    )
    desk("pull", cwd=copy)
    assert desk("show", "2", "--json", cwd=copy).json["id"] == theirs
    assert desk("show", "origin#2", "--json", cwd=copy).json["id"] == theirs
    assert desk("show", mine, "--json", cwd=copy).json["number"] is None
    shown = {line.split("\t")[0]: line.split("\t")[1] for line in desk("list", cwd=copy).out.splitlines()}
    assert shown == {ticket: "1", theirs: "2", mine: ""}
    desk("push", cwd=copy)
    assert desk("show", "3", "--json", cwd=copy).json["id"] == mine
    assert "no 3" in desk("show", mine, cwd=copy).out


@pytest.mark.parametrize(
    ("query", "column", "message", "hint"),
    [
        (
            "stauts:open",
            1,
            "unknown field 'stauts'",
            """Did you mean 'status'? To look for it as text, quote it: "stauts:…".""",
        ),
        (
            "printer stauts:open",
            9,
            "unknown field 'stauts'",
            """Did you mean 'status'? To look for it as text, quote it: "stauts:…".""",
        ),
        (
            "status:opne",
            8,
            "status cannot be 'opne'",
            "Did you mean 'open'? It is one of: new, open, pending, review, resolved, closed, rejected.",
        ),
        ("priority:huge", 10, "priority cannot be 'huge'", "It is one of: critical, high, normal, low, planned."),
        ("due:bald", 5, "'bald' is not a time", TIMES),
        ("(a", 1, "this '(' is never closed", "Add a ')', or quote the text if it is to be searched for."),
        ("a)", 2, "there is no '(' for this ')'", "Take it away, or quote it if it is to be searched for."),
        ('a "b', 3, "this quote is never closed", 'Add a " at the end; a quote inside is written \\".'),
        ("a OR", 5, "something is missing here", "AND, OR, NOT and '-' stand before a term."),
        ("status:", 8, "status: has no value here", "status:none finds what has none."),
        ("a\x07b", 2, "the query holds a control character", ""),
        ("Caf\udce9", 4, "the query is not valid UTF-8", ""),
        ("x" * 5000, 4097, "the query is longer than 4096 bytes", "Ask for less, or save a part of the work."),
    ],
)
def test_a_query_that_does_not_parse(query: str, column: int, message: str, hint: str, desk: Chit, ticket: str) -> None:
    """The column, what is wrong there, and what may have been meant; never a silent search for text. It ends with 2."""
    expected = said(f"{message}, at column {column} of the query", hint)
    for command in (
        ("list", "--", query),
        ("show", "--query", query),
        ("close", "--query", query),
        ("list", "--count", query),
    ):
        assert desk(*command, code=2).err == expected
    problem = desk("list", query, "--json", code=2).problem
    assert (problem["code"], problem["column"]) == ("query", column)


def test_an_order_that_there_is_not(desk: Chit) -> None:
    """--sort names a field that there is."""
    err = desk("list", "--sort", "colour", code=2).err
    assert err.startswith("error: cannot sort by 'colour'")
    assert "priority, updated, created" in err


def test_a_query_with_a_leading_minus(desk: Chit) -> None:
    """The shell hands `-label:x` over as an option; the hint says how to write it."""
    assert desk("list", "-label:x", code=2).err == said(
        "no such option -l", "In a query write `NOT label:x` for `-label:x`, or put -- before the query."
    )
    desk("list", "--", "-label:x")
    desk("list", "NOT", "label:x")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("lst",), "no such command 'lst'", "Did you mean `chit list`?"),
        (("frobnicate",), "no such command 'frobnicate'", "`chit --help` lists the commands."),
        (("remote", "ad"), "no such command 'ad'", "Did you mean `chit remote add`?"),
        (("remote", "x"), "no such command 'x'", "There are: add, list, remove, rename, reset, set-url, show."),
        (
            ("remote",),
            "`chit remote` needs a command: add, list, remove, rename, reset, set-url, show",
            "`chit remote --help` shows how.",
        ),
        (("edit", "--prio", "x"), "no such option '--prio'", "Did you mean --priority or --product?"),
        (
            ("list", "--limit", "x"),
            "invalid value for '--limit': 'x' is not a whole number",
            "`chit list --help` shows how.",
        ),
        (
            ("list", "--color", "pink"),
            "invalid value for '--color': 'pink' is not one of 'auto', 'always', 'never'",
            "`chit list --help` shows how.",
        ),
        (("clone",), "missing argument 'URL'", "`chit clone --help` shows how."),
        (("merge", "k"), "missing option '--into'", "`chit merge --help` shows how."),
        (
            ("link", "k", "bloks", "l"),
            f"invalid value for 'KIND': 'bloks' is not one of {KINDS}",
            "`chit link --help` shows how.",
        ),
        (
            ("completion", "tcsh"),
            "invalid value for 'SHELL': 'tcsh' is not one of 'bash', 'zsh', 'fish'",
            "`chit completion --help` shows how.",
        ),
    ],
)
def test_usage(words: tuple[str, ...], message: str, hint: str, chit: Chit) -> None:
    """Commands, options and values that there are not."""
    assert chit(*words, code=2).err == said(message, hint)


@pytest.mark.parametrize("words", [("nope",), ("remote", "nope"), ("edit", "nope")])
def test_help_for_what_there_is_not(words: tuple[str, ...], chit: Chit) -> None:
    """`chit help` of something else names the topics."""
    assert chit("help", *words, code=3).err == said(
        f"no command or topic {' '.join(words)!r}",
        "Topics: queries, priorities, fields, exit-codes, options, helpdesks, schema.",
    )


def test_nothing_but_the_name(chit: Chit) -> None:
    """`chit` alone prints the help, and that is no error."""
    ran = chit()
    assert ran.out.startswith("Usage: chit [OPTIONS] COMMAND [ARGS]...")
    assert ran.err == ""


@pytest.mark.parametrize(
    ("words", "code", "message", "hint"),
    [
        (("token", "create", ""), 2, "'' cannot name a token", "A name has 1 to 100 printable characters."),
        (("token", "create", "a\nb"), 2, "'a\\nb' cannot name a token", "A name has 1 to 100 printable characters."),
        (
            ("token", "create", "x", "--scope", "god"),
            2,
            "there is no scope 'god'",
            "It is one of: admin, agent, reader.",
        ),
        (
            ("token", "create", "taken"),
            5,
            "there is a token 'taken' already",
            "Revoke it first, or choose another name.",
        ),
        (("token", "revoke", "nobody"), 3, "no token 'nobody'", "`chit token list` shows what there is."),
        (
            ("serve", "--open", "--host", "0.0.0.0"),
            2,
            "without tokens a store is served on this machine only, not on 0.0.0.0",
            "Make tokens with `chit token create`, or listen on 127.0.0.1.",
        ),
    ],
)
def test_tokens_and_serving(words: tuple[str, ...], code: int, message: str, hint: str, desk: Chit) -> None:
    """Names and scopes of tokens, and what may not be served."""
    desk("token", "create", "taken")
    assert desk(*words, code=code).err == said(message, hint)
