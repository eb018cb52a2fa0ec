"""What every command promises, held by walking the tree of commands: nobody can add one that does not keep it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from chit.commands import COMMANDS, SECTIONS
from chit.errors import MEANINGS, exit_code
from chit.framework import GLOBAL_OPTIONS, root
from chit.topics import ticket_schema
from chit_sync import errors
from support.invocations import LASTING, READS, WRITES, Desk, copy, everything, helpdesk, leaves, lines
from support.memory_remote import plug_in
from support.runner import Chit

LEAVES = dict(leaves())
ALL = lines(READS, WRITES)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, Path]:
    """The folder of all commands, filled once, and a copy of it to start from."""
    folder = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHIT_USER", "anna")
        patch.setenv("XDG_CONFIG_HOME", str(folder / "work" / "config"))
        desk = Desk(folder / "work", Chit(folder, patch), plug_in(patch, helpdesk()))
        desk.fill()
    copy(desk.folder, folder / "kept")
    return desk, folder / "kept"


@pytest.fixture
def desk(filled: tuple[Desk, Path], chit: Chit, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """That folder as it was filled, and `chit` in the store of it that is to be worked with."""
    made, kept = filled
    plug_in(monkeypatch, helpdesk())
    copy(kept, made.folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(made.folder / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(made.folder / "data"))
    made.chit = chit
    chit.folder = made.folder / "here"
    return made


def test_every_command_is_in_the_tables_of_these_tests() -> None:
    """A command that was added is run by the tests below."""
    assert sorted(LEAVES) == sorted({*READS, *WRITES, *LASTING})


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name: str) -> None:
    """The list of commands, which imports none of them, has their help right."""
    command = root.get_command(click.Context(root), name)
    assert command is not None
    assert command.get_short_help_str(200) == COMMANDS[name].help
    assert COMMANDS[name].section in SECTIONS


@pytest.mark.parametrize("name", LEAVES)
def test_help(name: str) -> None:
    """Every command has help; one that takes something has an example; every option says what it is for."""
    command = LEAVES[name]
    assert command.help
    assert command.get_short_help_str(200).endswith(".")
    if any(isinstance(parameter, click.Argument) for parameter in command.params):
        assert f"chit {name} " in command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{parameter.opts} has no help"
            assert parameter.help.rstrip("]").endswith((".", "…", "[default")), parameter.help


@pytest.mark.parametrize("name", LEAVES)
def test_global_options_stand_anywhere(name: str, chit: Chit) -> None:
    """Every command takes every global option, before and after its name."""
    given = []
    for option in GLOBAL_OPTIONS:
        assert isinstance(option, click.Option)
        value = [] if option.is_flag else [{"color": "never", "settings": "list.limit=1"}.get(option.name or "", "1")]
        given += [[option.opts[-1], *value]]
    words = [word for one in given for word in one]
    before = chit(*words, *name.split(), "--help").out
    assert chit(*name.split(), *words, "--help").out == before
    assert chit("help", *name.split()).out.split("\n", 1)[1] == before.split("\n", 1)[1]


@pytest.mark.parametrize("words", [["-C", "{here}"], ["--json"], ["-q"], ["-c", "user.name=berta", "--fields", "id"]])
def test_a_global_option_means_the_same_anywhere(words: list[str], desk: Desk) -> None:
    """What is said before the name of a command is what is said after it, on a terminal too."""
    given = [word.format(here=desk.folder / "here") for word in words]
    for terminal in (False, True):
        before = desk.chit(*given, "list", cwd=desk.folder / "here", terminal=terminal)
        after = desk.chit("list", *given, cwd=desk.folder if "-C" in words else None, terminal=terminal)
        assert before == after
        assert before.out


@pytest.mark.parametrize("line", ALL)
def test_json(line: str, desk: Desk) -> None:
    """--json prints one JSON document, in which every object says its schema, and no message beside it."""
    ran = desk.chit(*desk.words(line), "--json", code=None)
    assert ran.code in (0, 5, 10), ran
    assert ran.err == ""
    found = ran.json
    for record in found if isinstance(found, list) else [found]:
        assert record["schema"].startswith("chit.")
        assert all(key == key.lower() and "-" not in key for key in record)
    if line.startswith(("completion", "help")):
        return
    as_lines = desk.chit(*desk.words(line), "--jsonl", "--dry-run", code=None)
    assert all(json.loads(one)["schema"] for one in as_lines.out.splitlines())


@pytest.mark.parametrize("line", lines(WRITES))
def test_json_of_a_dry_run(line: str, desk: Desk) -> None:
    """With -n the same object is printed as without it, or a plan; no key comes or goes."""
    dry = desk.chit(*desk.words(line), "--json", "-n").json
    real = desk.chit(*desk.words(line), "--json").json
    assert isinstance(dry, list) == isinstance(real, list)
    for planned, done in zip(dry, real, strict=True) if isinstance(dry, list) else [(dry, real)]:
        assert planned["schema"] in (done["schema"], "chit.plan/1")
        if planned["schema"] == done["schema"]:
            assert list(planned) == list(done)


@pytest.mark.parametrize("name", LEAVES)
def test_json_of_an_error(name: str, chit: Chit) -> None:
    """With --json an error is one problem object on standard error, and standard output stays empty."""
    problem = chit(*name.split(), "--zzz", "--json", code=2).problem
    assert problem["schema"] == "chit.error/1"
    assert problem["type"] == "about:blank"
    assert problem["exit"] == 2
    assert problem["code"] == "usage"
    assert problem["title"]
    assert "zzz" in problem["detail"]
    assert f"chit {name} --help" in problem["hint"] or name == "list"


@pytest.mark.parametrize("name", sorted({*READS, *WRITES} - {"init", "clone", "completion", "doctor", "help"}))
def test_without_a_store(name: str, desk: Desk, tmp_path: Path) -> None:
    """Where there is no store, a command says so and how to get one."""
    line = {**READS, **WRITES}[name][0]
    words = [*name.split(), *desk.words(line)]
    if name in ("config list", "config get"):
        desk.chit(*words, cwd=tmp_path)
        return
    ran = desk.chit(*words, cwd=tmp_path, code=3)
    assert ran.err.startswith(f"error: no store in {tmp_path} or above it\nhint: Make one with `chit init`")
    assert ran.out == ""


@pytest.mark.parametrize("line", ALL)
def test_dry_run_changes_nothing(line: str, desk: Desk) -> None:
    """With -n every row of every store and every file is afterwards what it was before, and standard output is as without it."""
    before = everything(desk.folder)
    ran = desk.chit(*desk.words(line), "-n", code=None)
    assert ran.code in (0, 5, 10), ran
    assert everything(desk.folder) == before


@pytest.mark.parametrize("line", lines(WRITES))
def test_dry_run_says_what_would_happen(line: str, desk: Desk) -> None:
    """With -n a write says that it would, not that it did."""
    ran = desk.chit(*desk.words(line), "-n")
    if line.split()[0] in ("export", "attach") and not ran.err:
        return
    if line == "config statuses":
        return
    assert "would" in ran.err or "nothing" in ran.err, ran


@pytest.mark.parametrize("line", ALL)
def test_piped_output_is_plain(line: str, desk: Desk) -> None:
    """Piped, there is no escape code, nothing is cut, and no standard input is read."""
    ran = desk.chit(*desk.words(line), env={"NO_COLOR": None, "TERM": "xterm-256color"}, code=None)
    assert "\x1b" not in ran.out + ran.err
    assert "…" not in ran.out.replace("[TICKET]…", "").replace("[TICKETS]…", "") or line.startswith("help")
    assert ran.code in (0, 5, 10), ran


@pytest.mark.parametrize("line", lines(READS))
def test_on_a_terminal(line: str, desk: Desk) -> None:
    """On a terminal everything is printed without asking, and nothing that is not cut is wider than the screen."""
    ran = desk.chit(*desk.words(line), terminal=True, code=None)
    assert ran.code in (0, 5, 10), ran


@pytest.mark.parametrize("line", ALL)
def test_quiet(line: str, desk: Desk) -> None:
    """With -q there are no messages."""
    assert desk.chit(*desk.words(line), "-q", code=None).err == ""


def test_every_exit_code_has_its_error() -> None:
    """Each kind of error ends with the code that the documentation promises."""
    expected = {
        errors.UsageError("x"): 2, errors.QueryError("x", 1): 2, errors.NotFoundError("x"): 3, errors.AmbiguousError("x", []): 3,
        errors.AccessError("x"): 4, errors.ConflictError("x"): 5, errors.RemoteError("x"): 6, errors.OtherStoreError("x"): 6,
        errors.PolicyError("x"): 7, errors.PartialError("x", []): 8, errors.StoreError("x"): 9, errors.ChitError("x"): 1,
    }  # fmt: skip
    assert {type(error): exit_code(error) for error in expected} == {
        type(error): code for error, code in expected.items()
    }
    kinds = {one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.ChitError)}
    assert kinds == {type(error) for error in expected}


def test_the_help_lists_every_exit_code(chit: Chit) -> None:
    """`chit help exit-codes` has all of them, and no others."""
    listed = [line.split(maxsplit=1) for line in chit("help", "exit-codes").out.splitlines()[2:]]
    assert {int(code): text for code, text in listed} == MEANINGS
    assert set(MEANINGS) == {*range(11), 130, 141}


LOCAL = (
    "status", "log {one}", "show {one}", "diff", "list", "list --json", "list printer", "new -m Printer", "edit {one} -p low",
    "comment {one} -m Text", "label {one} -l x", "close {one}", "undo", "conflicts", "attach {one}", "config list",
    "remote list", "--version", "help edit", "completion bash",
)  # fmt: skip
HEAVY = (
    "httpx",
    "tabulate",
    "platformdirs",
    "werkzeug",
    "cheroot",
    "asyncio",
    "logging",
    "http.client",
    "urllib.request",
)
_PROGRAM = """
import sys
sys.argv[0] = "chit"
from chit.main import run
code = run(sys.argv[1:])
sys.stdout.flush()
sys.stderr.write("\\n".join(sys.modules))
raise SystemExit(code)
"""


@pytest.mark.parametrize("line", LOCAL)
def test_a_local_command_imports_little(line: str, desk: Desk) -> None:
    """Nothing that a person does locally pays for the network; a list or page does not even hash."""
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *desk.words(line)], cwd=desk.folder / "here", capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    modules = set(ran.stderr.splitlines())
    assert "chit.main" in modules
    heavy = [*HEAVY, "difflib", "tempfile", "subprocess"]
    if line.split()[0] in ("list", "show", "status", "--version", "help"):
        heavy += ["msgspec", "hashlib"]
    if line == "--version":
        heavy += ["click", "sqlite3", "json"]
    assert not modules.intersection(heavy)


def test_a_ticket_is_what_its_schema_says(desk: Desk) -> None:
    """Every ticket that is printed validates, with everything in it that a ticket can have."""
    from jsonschema import Draft202012Validator

    desk.chit("attach", desk.names["torn"], desk.names["file"])
    desk.chit("edit", desk.names["torn"], "--due", "7d", "--emergency", "-x", "x.serial=7")
    desk.chit("delete", desk.names["two"])
    schema = desk.chit("help", "schema").json
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    found = desk.chit("list", "is:open OR is:closed OR is:deleted", "--json").json
    assert len(found) == 13
    for ticket in found:
        validator.validate(ticket)
        assert list(ticket) == list(schema["properties"])
    assert any(ticket["conflicts"] for ticket in found)
    assert any(ticket["comments"] for ticket in found)
    assert any(ticket["attachments"] for ticket in found)
    assert any(ticket["links"] for ticket in found)
    assert {one["status"] for ticket in found for one in ticket["handoffs"]} > {"unsent", "assigned", "in-progress"}
    assert any(ticket["remotes"] for ticket in found)


def test_the_schema_only_grows(committed: Callable[[str, str], None]) -> None:
    """Scripts rely on `chit.ticket/1`: what it holds is in a file beside the tests, and a change of it is a decision."""
    committed("tests/golden/chit.ticket-1.json", json.dumps(ticket_schema(), indent=2, ensure_ascii=False) + "\n")
