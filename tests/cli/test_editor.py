"""The editor: what a person wrote in it is never lost, whatever goes wrong afterwards."""

import re
import sys
from pathlib import Path

import pytest

from support.runner import Chit, Ran

NOTHING = "error: nothing was changed in the editor\nhint: Nothing was written.\n"


@pytest.fixture(autouse=True)
def buffers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the buffers lie."""
    import tempfile

    folder = tmp_path / "buffers"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


class Editor:
    """An editor that does to its file what a line of Python says, with `text` for what is in it."""

    def __init__(self, folder: Path) -> None:
        self.script = folder / "editor.py"
        self.seen = folder / "seen"

    def __call__(self, line: str, code: int = 0) -> dict[str, str]:
        """The environment for a command."""
        self.script.write_text(
            "import sys\n"
            "path = sys.argv[1]\n"
            "text = open(path, encoding='utf-8').read()\n"
            f"open({str(self.seen)!r}, 'w', encoding='utf-8').write(text)\n"
            f"{line}\n"
            "open(path, 'w', encoding='utf-8', errors='surrogateescape').write(text)\n"
            f"sys.exit({code})\n",
            encoding="utf-8",
        )
        return {"EDITOR": f"{sys.executable} {self.script}"}

    @property
    def buffer(self) -> str:
        """What the person saw."""
        return self.seen.read_text(encoding="utf-8")


@pytest.fixture
def editor(tmp_path: Path) -> Editor:
    """The person's editor."""
    return Editor(tmp_path)


def kept(ran: Ran, buffers: Path) -> str:
    """The text that was kept, in the file that the hint names; nothing else is left."""
    found = re.search(r"Your text is kept in (\S+)\.\n", ran.err)
    assert found, ran.err
    assert [str(path) for path in buffers.iterdir()] == [found[1]]
    return Path(found[1]).read_text(encoding="utf-8", errors="surrogateescape")


def test_a_new_ticket(desk: Chit, editor: Editor, buffers: Path) -> None:
    """Fields between the fences, the description below; flags are filled in, priorities are explained."""
    env = editor(
        "text = text.replace('title = \"\"', 'title = \"Tür klemmt\"\\nx.serial = 7').replace('+++\\n\\n', '+++\\nSeit Montag.\\n', 1)"
    )
    ran = desk("new", "-p", "high", "--due", "2026-12-24", "--emergency", "-l", "door", terminal=True, env=env)
    assert 'priority = "high"\ndue = "2026-12-24 23:59"\nemergency = true\n' in editor.buffer
    assert "#   critical  Work has stopped for many people" in editor.buffer
    found = desk("show", ran.id, "--json").json
    assert (found["title"], found["description"], found["priority"]) == ("Tür klemmt", "Seit Montag.", "high")
    assert (found["due"], found["emergency"]) == ("2026-12-24T23:59:59.000Z", True)
    assert (found["labels"], found["custom"]) == (["door"], {"serial": "7"})
    assert list(buffers.iterdir()) == []


def test_an_edit_writes_what_was_changed(desk: Chit, ticket: str, editor: Editor) -> None:
    """What was left alone is not written: not the seconds of a time, not the line ends of a text."""
    desk(
        "edit",
        ticket,
        "--due",
        "2026-12-24",
        "-m",
        "\n  Two lines,\nthe first indented.\n\n",
        "-x",
        "x.serial=7",
        "-l",
        "a",
        "-l",
        "b",
    )
    before = desk("show", ticket, "--json").json
    env = editor("text = text.replace('priority = \"normal\"', 'priority = \"1\"').replace('a, b', 'b, c')")
    ran = desk("edit", ticket, terminal=True, env=env)
    assert ran.err == f"{ticket[:8]}: -a, +c, priority normal → critical\n"
    after = desk("show", ticket, "--json").json
    assert {name for name in before if before[name] != after[name]} == {"priority", "labels", "updated"}


def test_an_emptied_or_removed_field_is_cleared(desk: Chit, ticket: str, editor: Editor) -> None:
    """Emptying a field clears it, and so does taking its line away."""
    desk("edit", ticket, "--queue", "first", "--product", "printer", "-x", "x.serial=7", "-m", "Text", "-a", "anna")
    gone = ('"first"', '""'), ('product = "printer"\n', ""), ('"x.serial" = "7"\n', ""), ("Text\n", "")
    env = editor("for old, new in GONE:\n    text = text.replace(old, new)".replace("GONE", repr(gone)))
    desk("edit", ticket, terminal=True, env=env)
    found = desk("show", ticket, "--json").json
    assert (found["queue"], found["product"], found["custom"], found["description"]) == (None, None, {}, None)
    assert found["assignee"] == "anna"


def test_a_comment(desk: Chit, ticket: str, editor: Editor, buffers: Path) -> None:
    """A comment, its visibility among the fields; an old one is there to be rewritten."""
    env = editor("text = text.replace('public', 'internal').replace('+++\\n\\n', '+++\\n# no heading, but text\\n', 1)")
    desk("comment", ticket, terminal=True, env=env)
    (comment,) = desk("show", ticket, "--json").json["comments"]
    assert (comment["body"], comment["visibility"]) == ("# no heading, but text", "internal")
    desk(
        "comment",
        ticket,
        "--edit",
        comment["id"],
        terminal=True,
        env=editor("text = text.replace('but text', 'all text')"),
    )
    assert desk("show", ticket, "--json").json["comments"][0]["body"] == "# no heading, all text"
    assert list(buffers.iterdir()) == []


@pytest.mark.parametrize("command", [("new",), ("edit", "{id}"), ("comment", "{id}")])
def test_nothing_was_changed(command: tuple[str, ...], desk: Chit, ticket: str, editor: Editor, buffers: Path) -> None:
    """A buffer that comes back as it was writes nothing and leaves nothing behind."""
    words = [word.format(id=ticket) for word in command]
    assert desk(*words, terminal=True, env=editor("pass"), code=2).err == NOTHING
    assert list(buffers.iterdir()) == []


@pytest.mark.parametrize("command", ["no-such-editor", "'unclosed", "/"])
def test_no_editor(command: str, desk: Chit, ticket: str, buffers: Path) -> None:
    """An editor that is not there is named, with how to set another; nothing is left behind."""
    ran = desk("comment", ticket, terminal=True, env={"EDITOR": command}, code=2)
    assert ran.err.startswith(f"error: cannot start the editor {command!r}: ")
    assert ran.err.endswith("\nhint: Set EDITOR, or `chit config set --user core.editor EDITOR`.\n")
    assert list(buffers.iterdir()) == []


def test_which_editor(desk: Chit, ticket: str, editor: Editor) -> None:
    """CHIT_EDITOR over the setting over VISUAL over EDITOR."""
    good = editor("pass")["EDITOR"]
    env = {"EDITOR": "false", "VISUAL": good}
    assert desk("comment", ticket, terminal=True, env=env, code=2).err == NOTHING
    env = {"EDITOR": "false", "VISUAL": "false"}
    assert desk("comment", ticket, "-c", f"core.editor={good}", terminal=True, env=env, code=2).err == NOTHING
    env = {"EDITOR": "false", "VISUAL": "false", "CHIT_EDITOR": good}
    assert desk("comment", ticket, "-c", "core.editor=false", terminal=True, env=env, code=2).err == NOTHING


def test_an_editor_that_fails(desk: Chit, ticket: str, editor: Editor, buffers: Path) -> None:
    """An editor that ends badly has written nothing, but what was typed is kept."""
    env = editor("text = text.replace('+++\\n\\n', '+++\\nA long story.\\n', 1)", code=3)
    ran = desk("comment", ticket, terminal=True, env=env, code=2)
    assert "ended with code 3\nhint: Your text is kept in" in ran.err
    assert "A long story.\n" in kept(ran, buffers)
    assert desk("comment", ticket, terminal=True, env=editor("pass", code=1), code=2).err.endswith(
        "hint: Nothing was written.\n"
    )


BROKEN = {
    "broken TOML": (
        "text = text.replace('priority = ', 'priority ')",
        "the fields between the +++ lines are not valid TOML: ",
    ),
    "fences gone": ("text = text.replace('+++', '')", "the +++ lines around the fields are gone"),
    "text before the fence": ("text = 'Hello\\n' + text", "the +++ lines around the fields are gone"),
    "text below the scissors": (
        "text += 'A long story.\\n'",
        "there is text below the line with the scissors, where it is not read",
    ),
    "unknown field": ("text = text.replace('priority', 'priorty')", "there is no field 'priorty'"),
    "unknown value": ("text = text.replace('\"normal\"', '\"huge\"')", "there is no priority 'huge'"),
    "system field": ("text = text.replace('priority = ', 'deleted = ')", "deleted is not a field that is set by hand"),
    "a table": ("text = text.replace('priority = \"normal\"', 'priority.x = 1')", "there is no field 'priority.x'"),
    "no UTF-8": ("text = text.replace('+++\\n\\n', '+++\\nCaf\\udce9\\n', 1)", "description is not valid UTF-8"),
    "too long": (
        "text = text.replace('+++\\n\\n', '+++\\n' + 'x' * (2 << 20), 1)",
        "description has 2097152 characters; a text may have 1 MiB",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_was_typed_is_kept(name: str, desk: Chit, editor: Editor, buffers: Path) -> None:
    """Whatever cannot be read or written, the buffer is kept and named, and no ticket is made."""
    line, message = BROKEN[name]
    env = editor(f"text = text.replace('title = \"\"', 'title = \"Printer on fire\"'); {line}")
    ran = desk("new", terminal=True, env=env, code=2)
    assert ran.err.startswith(f"error: {message}")
    assert "Printer on fire" in kept(ran, buffers)
    assert desk("list", "--all", "--count").out == "0\n"


def test_no_title_was_typed(desk: Chit, ticket: str, editor: Editor, buffers: Path) -> None:
    """A text without a title is kept; an emptied title changes nothing."""
    env = editor("text = text.replace('+++\\n\\n', '+++\\nA long story.\\n', 1)")
    ran = desk("new", terminal=True, env=env, code=2)
    assert ran.err.startswith("error: the title is empty\n")
    assert "A long story.\n" in kept(ran, buffers)
    for path in buffers.iterdir():
        path.unlink()
    ran = desk("edit", ticket, terminal=True, env=editor("text = text.replace('Printer on fire', '')"), code=2)
    assert ran.err.startswith("error: the title is empty\n")
    kept(ran, buffers)
    assert desk("show", ticket, "--json").json["title"] == "Printer on fire"


def test_a_buffer_that_was_removed(desk: Chit, ticket: str, editor: Editor) -> None:
    """An editor that removes its file has written nothing."""
    env = editor("import os; os.unlink(path); os._exit(0)")
    assert desk("comment", ticket, terminal=True, env=env, code=2).err.startswith("error: the editor left no file")
    assert desk("show", ticket, "--json").json["comments"] == []


def test_a_store_that_cannot_be_written_keeps_the_text(desk: Chit, ticket: str, editor: Editor, buffers: Path) -> None:
    """If the store fails after the editor, the text is kept."""
    env = editor(
        "text = text.replace('+++\\n\\n', '+++\\nA long story.\\n', 1); import sqlite3; "
        "db = sqlite3.connect('.chit/store.db'); db.execute('PRAGMA user_version = 99'); "
        "db.execute(\"CREATE TRIGGER t BEFORE INSERT ON changes BEGIN SELECT RAISE(ABORT, 'disk is full'); END\"); db.commit()"
    )
    ran = desk("comment", ticket, terminal=True, env=env, code=9)
    assert ran.err.startswith("error: the disk is full")
    assert "A long story.\n" in kept(ran, buffers)


def test_an_edit_that_came_in_between_is_a_conflict(desk: Chit, ticket: str, editor: Editor) -> None:
    """What somebody else wrote while the editor was open is not overwritten silently."""
    env = editor("text = text.replace('on fire', 'smokes'); import subprocess; "
                 "subprocess.run([sys.executable, '-m', 'chit', 'edit', '1', '--title', 'Printer burns'], check=True)")  # fmt: skip
    desk("edit", ticket, terminal=True, env=env)
    (conflict,) = desk("conflicts", "--json").json
    assert {conflict["shown"], *conflict["others"]} == {"Printer smokes", "Printer burns"}


def test_an_empty_comment_names_the_buffer(desk: Chit, ticket: str, editor: Editor, buffers: Path) -> None:
    """A comment without a word is refused, and what was written around it is not thrown away."""
    env = editor("text = text.replace('public', 'internal')")
    ran = desk("comment", ticket, code=2, terminal=True, env=env)
    assert ran.err.startswith("error: the comment is empty\n")
    assert "internal" in kept(ran, buffers)
