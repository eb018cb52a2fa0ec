"""Values that cannot be: each is refused with a sentence that names it and one that says what can, and nothing is written."""

from pathlib import Path

import pytest

from support.invocations import everything
from support.runner import Chit

FIELDS = (
    "There are: title, description, status, priority, impact, type, queue, assignee, requester, organization, contract, product, "
    "due, emergency, and x.NAME."
)
TIMES = "Times are 2026-11-23, 2026-11-23T14:05, 2026-11, today, yesterday, tomorrow, monday, 30m, 2h, 7d, 2w."
NO_TITLE = ("the title is empty", "A ticket needs one line that says what it is about.")
LABEL = "A label has 1 to 100 printable characters, no comma, and no blank at its ends."
NAME = "A name has 1 to 100 letters, digits, dots, dashes or underscores."
UTF8 = "Convert it first, for example with iconv."

EDITS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "unknown field": (("-x", "prioritty=high"), "there is no field 'prioritty'", "Did you mean priority?"),
    "far from any field": (("-x", "colour=red"), "there is no field 'colour'", FIELDS),
    "no field at all": (("-x", "=red"), "there is no field ''", FIELDS),
    "no value": (("-x", "queue"), "--set takes FIELD=VALUE, not 'queue'", "For example --set queue=first-line."),
    "system field": (("-x", "merged=kkkk"), "merged is not a field that is set by hand", "`chit merge` does that."),
    "deleted by hand": (
        ("-x", "deleted=true"),
        "deleted is not a field that is set by hand",
        "`chit delete` does that.",
    ),
    "item": (
        ("-x", "comment/k/body=x"),
        "comment/k/body is not a field that is set by hand",
        "`chit comment` does that.",
    ),
    "custom name with a blank": (("-x", "x.a b=1"), "'a b' cannot name a custom field", NAME),
    "custom name that is empty": (("-x", "x.=1"), "'' cannot name a custom field", NAME),
    "custom name that is long": (("-x", f"x.{'n' * 101}=1"), f"'{'n' * 100}' cannot name a custom field", NAME),
    "unknown priority": (
        ("--priority", "huge"),
        "there is no priority 'huge'",
        "There are: critical, high, normal, low, planned; `chit help priorities` explains them.",
    ),
    "number of no priority": (
        ("-p", "6"),
        "there is no priority '6'",
        "There are: critical, high, normal, low, planned; `chit help priorities` explains them.",
    ),
    "unknown status": (
        ("--status", "done"),
        "status cannot be 'done'",
        "It is one of: new, open, pending, review, resolved, closed, rejected.",
    ),
    "unknown type": (
        ("--type", "bugg"),
        "type cannot be 'bugg'",
        "It is one of: incident, request, problem, change, question, task, bug, feature, epic.",
    ),
    "unknown impact": (("--impact", "huge"), "impact cannot be 'huge'", "It is one of: high, medium, low."),
    "no flag": (("-x", "emergency=maybe"), "emergency is true or false, not 'maybe'", ""),
    "no time": (("--due", "bald"), "'bald' is not a time", TIMES),
    "nearly a time": (("--due", "tomorow"), "'tomorow' is not a time", f"Did you mean 'tomorrow'? {TIMES}"),
    "no such day": (("--due", "2026-02-30"), "'2026-02-30' is not a time: day is out of range for month", TIMES),
    "empty title": (("--title", " "), *NO_TITLE),
    "title that is set empty": (("-x", "title="), *NO_TITLE),
    "title of two lines": (("--title", "one\ntwo"), "title holds control characters", "It is one line of text."),
    "title with an escape": (("--title", "\x1b[31mred"), "title holds control characters", "It is one line of text."),
    "title with a bell of C1": (("--title", "a\x9bb"), "title holds control characters", "It is one line of text."),
    "title that is long": (("--title", "x" * 1001), "title has 1001 characters; 1 to 1000 are allowed", ""),
    "title that is no UTF-8": (("--title", "Caf\udce9"), "title is not valid UTF-8", UTF8),
    "queue that is no UTF-8": (("--queue", "Caf\udce9"), "queue is not valid UTF-8", UTF8),
    "assignee with a line end": (("-a", "anna\n"), "assignee holds control characters", "It is one line of text."),
    "empty label": (("-l", ""), "'' cannot be a label", LABEL),
    "label with a line end": (("-l", "a\nb"), "'a\\nb' cannot be a label", LABEL),
    "label with a blank before it": (("-l", " a"), "' a' cannot be a label", LABEL),
    "label that is long": (("-l", "x" * 101), f"'{'x' * 100}' cannot be a label", LABEL),
    "text of 4 MB": (
        ("-m", "x" * (4 << 20)),
        "description has 4194304 characters; a text may have 1 MiB",
        "Attach it as a file instead.",
    ),
    "text that is no UTF-8": (("-m", "Caf\udce9"), "description is not valid UTF-8", UTF8),
    "custom text of 4 MB": (
        ("-x", "x.dump=" + "x" * (4 << 20)),
        "x.dump has 4194304 characters; a text may have 1 MiB",
        "Attach it as a file instead.",
    ),
}


def said(message: str, hint: str) -> str:
    """What is on standard error for an error."""
    return f"error: {message}\n" + (f"hint: {hint}\n" if hint else "")


@pytest.mark.parametrize("name", EDITS)
def test_a_value_that_cannot_be(name: str, desk: Chit, ticket: str) -> None:
    """An edit with such a value says so, ends with 2, and changes nothing; so does a new ticket with it."""
    words, message, hint = EDITS[name]
    before = everything(desk.folder)
    assert desk("edit", ticket, *words, code=2).err == said(message, hint)
    if words[0] not in ("--title", "-m"):
        assert desk("new", "-m", "Printer", *words, code=2).err == said(message, hint)
    assert everything(desk.folder) == before


@pytest.mark.parametrize(
    "words", [("-m", ""), ("-m", " \n"), ("-m", "\n\nbody"), ("--title", ""), ("--title", "", "-m", "body")]
)
def test_a_new_ticket_needs_a_title(words: tuple[str, ...], desk: Chit) -> None:
    """An empty title is refused, whichever way it comes."""
    assert desk("new", *words, code=2).err == said(*NO_TITLE)
    assert desk("list", "--all", "--count").out == "0\n"


def test_many_edits_or_none(desk: Chit, ticket: str) -> None:
    """If one value cannot be, none of them is written, to none of the tickets."""
    other = desk("new", "-m", "Other").id
    desk("edit", ticket, other, "-p", "high", "--type", "bugg", code=2)
    assert {one["priority"] for one in desk("show", ticket, other, "--json").json} == {"normal"}


def test_an_empty_comment(desk: Chit, ticket: str) -> None:
    """A comment has something in it."""
    assert desk("comment", ticket, "-m", " \n", code=2).err == said("the comment is empty", "Nothing was written.")


def test_what_came_from_elsewhere_cannot_drive_the_terminal(desk: Chit, ticket: str) -> None:
    """Escape sequences in a text that is shown are taken out, on a terminal and in a pipe."""
    desk("comment", ticket, "-m", "look \x1b]0;title\x07 here\x9b2J\u202etxt.exe")
    for terminal in (False, True):
        for command in (("show", ticket), ("log", ticket)):
            out = desk(*command, terminal=terminal).out
            assert "look ]0;title here2Jtxt.exe" in out
    assert "\x1b]0;title\x07" in desk("show", ticket, "--json").json["comments"][0]["body"]


def test_the_author_must_have_a_name(desk: Chit) -> None:
    """A name that nobody can have is refused before anything is written."""
    ran = desk("new", "-m", "x", code=2, env={"CHIT_USER": "a\x1bb"})
    assert ran.err == said(
        "'a\\x1bb' cannot be the name of an author", "Set one with `chit config set --user user.name NAME`."
    )


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (
            ("a=b",),
            "status 'a' has no category 'b'",
            "It is one of: new, open, pending, review, resolved, closed, rejected.",
        ),
        (
            ("a",),
            "status 'a' has no category ''",
            "It is one of: new, open, pending, review, resolved, closed, rejected.",
        ),
        (("a=new",), "no status has the category open", "new, open and closed are needed."),
        (
            ("a b=new", "c=open", "d=closed"),
            "'a b' cannot name a status",
            "It has letters, digits, dashes and underscores.",
        ),
    ],
)
def test_statuses_that_cannot_be(words: tuple[str, ...], message: str, hint: str, desk: Chit) -> None:
    """The list of statuses makes sense or is not taken."""
    assert desk("config", "statuses", *words, code=2).err == said(message, hint)


def test_a_status_must_mean_what_the_command_does(desk: Chit, ticket: str) -> None:
    """Closing with a status that means open is refused, and so is the reverse; the store's own statuses are named."""
    desk("config", "statuses", "fresh=new", "working=open", "waiting=pending", "done=closed", "wontfix=rejected")
    assert desk("close", ticket, "--status", "working", code=2).err == said(
        "status cannot be 'working' here", "It is one of: done, wontfix."
    )
    assert desk("reopen", ticket, "--status", "done", code=2).err == said(
        "status cannot be 'done' here", "It is one of: fresh, working, waiting."
    )
    assert desk("new", "-m", "x", "--status", "open", code=2).err == said(
        "status cannot be 'open'", "It is one of: fresh, working, waiting, done, wontfix."
    )
    desk("close", ticket)
    assert desk("show", ticket, "--json").json["status"] == "done"


def test_a_settings_file_that_is_broken(desk: Chit, ticket: str, tmp_path: Path) -> None:
    """Broken TOML, a section or a setting that there is not: the file is named; what needs no setting goes on."""
    file = desk.folder / ".chit" / "config.toml"
    file.write_text("[list\nlimit = 3")
    ran = desk("list", terminal=True, code=2)
    assert ran.err == said(
        f"{file} is not valid TOML: Expected ']' at the end of a table declaration (at line 1, column 6)",
        "Mend the file, or move it away.",
    )
    desk("show", ticket)
    found = {one["subject"]: one for one in json_lines(desk, "doctor", code=8)}
    assert found["settings"]["severity"] == "problem"
    file.write_text("[list]\nlimitt = 3")
    assert f"{file}: there is no setting 'list.limitt'" in desk("list", terminal=True, code=2).err
    file.write_text("list = 3")
    assert desk("list", terminal=True, code=2).err == said(f"{file}: list is not a section", "")
    file.write_bytes(b"[list]\nlimit = '\xff'")
    assert f"{file} is not valid TOML" in desk("list", terminal=True, code=2).err


def json_lines(desk: Chit, *words: str, code: int) -> list[dict[str, str]]:
    """The records of a command that does not end well."""
    import json

    found: list[dict[str, str]] = json.loads(desk(*words, "--json", code=code).out)
    return found


SETTINGS = (
    "There are: user.name, core.editor, core.pager, color.ui, list.limit, remote.timeout, credential.helper, "
    "charge.currency, serve.name, partner.name, partner.grace, partner.url."
)


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("-c", "x"), "-c takes KEY=VALUE, not 'x'", "For example -c user.name=anna."),
        (("-c", "a.b=c"), "there is no setting 'a.b'", SETTINGS),
        (("-c", "list.limit=x"), "list.limit is a whole number, not 'x'", ""),
        (("-c", "color.ui=pink"), "color.ui cannot be 'pink'", "It is one of: auto, always, never."),
    ],
)
def test_settings_of_one_command(words: tuple[str, ...], message: str, hint: str, desk: Chit) -> None:
    """-c is checked before anything is done, whether the command needs the setting or not."""
    assert desk("status", *words, code=2).err == said(message, hint)
    assert desk(*words, "status", code=2).err == said(message, hint)


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("get", "nope"), "there is no setting 'nope'", SETTINGS),
        (("set", "nope", "x"), "there is no setting 'nope'", SETTINGS),
        (("set", "list.limit", "x"), "list.limit is a whole number, not 'x'", ""),
        (("set", "color.ui", "pink"), "color.ui cannot be 'pink'", "It is one of: auto, always, never."),
        (("set", "list.limit"), "give a value, or --unset", ""),
        (("set", "list.limit", "3", "--unset"), "give a value, or --unset", ""),
    ],
)
def test_settings_that_cannot_be(words: tuple[str, ...], message: str, hint: str, desk: Chit) -> None:
    """A setting that there is not, or a value that it cannot have, is refused; no file is written."""
    assert desk("config", *words, code=2).err == said(message, hint)
    assert not (desk.folder / ".chit" / "config.toml").exists()
