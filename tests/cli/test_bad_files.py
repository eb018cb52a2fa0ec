"""Files that are no files, cannot be read, are too large, or have names that lead elsewhere."""

import os
import threading
from pathlib import Path

import pytest

from chit_sync.authoring import Edit, record
from chit_sync.registers import Value
from chit_sync.store.opening import open_store
from chit_sync.store.reading import find, load
from support.invocations import everything
from support.runner import Chit


def said(message: str, hint: str) -> str:
    """What is on standard error for an error."""
    return f"error: {message}\n" + (f"hint: {hint}\n" if hint else "")


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        (b"", "standard input is empty", "Nothing was written."),
        (b"\n \n", "standard input is empty", "Nothing was written."),
        (b"Caf\xe9", "standard input is not valid UTF-8 at byte 3", "Convert it first, for example with iconv."),
        (b"x" * ((4 << 20) + 1), "standard input has over 4 MiB; a text may have 1 MiB", "Attach it instead: `chit attach`."),
        (b"Title\n" + b"x" * (2 << 20), "description has 2097152 characters; a text may have 1 MiB", "Attach it as a file instead."),
    ],
)  # fmt: skip
def test_a_text_that_cannot_be(data: bytes, message: str, hint: str, desk: Chit) -> None:
    """Empty text, another encoding, too much of it: refused, from standard input as from a file."""
    assert desk("new", "-F", "-", stdin=data, code=2).err == said(message, hint)
    (desk.folder / "text").write_bytes(data)
    assert desk("new", "-F", "text", code=2).err == said(message.replace("standard input", "text"), hint)
    assert desk("list", "--count").out == "0\n"


def test_a_file_that_cannot_be_read(desk: Chit, ticket: str) -> None:
    """A text or an attachment from a folder, from nowhere, or from a file that cannot be read."""
    missing = "No such file or directory"
    assert desk("new", "-F", "nope", code=2).err == said(f"cannot read nope: {missing}", "")
    assert desk("new", "-F", ".", code=2).err == said(". is a directory, not a file", "")
    assert desk("attach", ticket, "nope", code=2).err == said(f"cannot read nope: {missing}", "")
    assert desk("attach", ticket, ".", code=2).err == said(". is a folder", "Pack it into an archive and attach that.")
    assert desk("new", "-m", "x", "--attach", "nope", code=2).err == said(f"cannot read nope: {missing}", "")
    os.symlink("loop", desk.folder / "loop")
    assert desk("attach", ticket, "loop", code=2).err == said("cannot read loop: Too many levels of symbolic links", "")
    assert desk("attach", ticket, "/proc/self/mem", code=2).err == said(
        "cannot read /proc/self/mem: Input/output error", ""
    )
    name = "n" * 300
    assert desk("attach", ticket, name, code=2).err == said(f"cannot read {name}: File name too long", "")
    assert desk("show", ticket, "--json").json["attachments"] == []


def test_one_of_several_files_is_gone(desk: Chit, ticket: str) -> None:
    """If one of the files vanished, none is attached, and no bytes lie about half written."""
    (desk.folder / "here.txt").write_text("here")
    desk("attach", ticket, "here.txt", "gone.txt", code=2)
    desk("comment", ticket, "-m", "see", "--attach", "here.txt", "--attach", "gone.txt", code=2)
    found = desk("show", ticket, "--json").json
    assert (found["attachments"], found["comments"]) == ([], [])
    assert not list((desk.folder / ".chit" / "blobs").glob("*.part"))


def test_a_file_whose_name_is_no_utf8(desk: Chit, ticket: str) -> None:
    """A file can be attached only under a name that can be written down."""
    name = os.fsdecode(b"caf\xe9.txt")
    (desk.folder / name).write_text("x")
    again = "Give it another name first."
    assert desk("attach", ticket, name, code=2).err == said("the name of the file is not valid UTF-8", again)
    (desk.folder / "a\nb").write_text("x")
    assert desk("attach", ticket, "a\nb", code=2).err == said("the name of the file holds control characters", again)


def test_a_pipe_can_be_attached(desk: Chit, ticket: str) -> None:
    """What is read once, such as `<(command)` in a shell, is attached whole."""
    pipe = desk.folder / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"x" * 1_000_000))
    writer.start()
    desk("attach", ticket, "pipe")
    writer.join(20)
    assert desk("show", ticket, "--json").json["attachments"][0]["size"] == 1_000_000


def attached(desk: Chit, ticket: str, *names: str) -> None:
    """Attachments with such names, as a remote may send them."""
    with open_store(str(desk.folder / ".chit")) as store:
        shown = load(store, find(store, ticket))
        sha256 = next(one.sha256 for one in shown.attachments)
        sets: dict[str, Value] = {}
        for number, name in enumerate(names):
            key = f"attachment/evil{number}"
            sets |= {f"{key}/name": name, f"{key}/sha256": sha256, f"{key}/size": 6, f"{key}/visibility": "public"}
        record(store, [Edit(shown, sets)], by="berta", command="test")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("../../etc/x", "x"),
        ("/etc/passwd", "passwd"),
        ("..", None),
        (".", None),
        ("a/", None),
        (".bashrc", "bashrc"),
        ("..\\..\\x", "x"),
        ("-rf", "-rf"),
    ],
)
def test_a_name_that_leads_elsewhere(name: str, written: str | None, desk: Chit, ticket: str, tmp_path: Path) -> None:
    """An attachment is written into the folder that was asked for, whatever somebody called it."""
    (desk.folder / "notes.txt").write_text("notes\n")
    desk("attach", ticket, "notes.txt")
    attached(desk, ticket, name)
    target = tmp_path / "target"
    target.mkdir()
    before = set(tmp_path.rglob("*"))
    ran = desk("attach", ticket, "--get", name, "-o", str(target))
    (new,) = list(target.iterdir())
    assert new.name == (written or "evil0")
    assert new.read_text() == "notes\n"
    assert ran.out == f"{new}\n"
    assert {path for path in tmp_path.rglob("*") if ".chit" not in path.parts} - before <= {new}


def test_a_file_that_only_a_helpdesk_has(desk: Chit, ticket: str, tmp_path: Path) -> None:
    """A file of which no more is known than its name is shown as not here; getting it says where its bytes are."""
    with open_store(str(desk.folder / ".chit")) as store:
        shown = load(store, find(store, ticket))
        sets: dict[str, Value] = {
            "attachment/k/name": "a.log",
            "attachment/k/size": 3,
            "attachment/k/visibility": "public",
        }
        record(store, [Edit(shown, sets)], by="jane", command="test")
    for listed in (desk("show", ticket, "--json").json["attachments"], desk("attach", ticket, "--json").json):
        assert [(one["name"], one["sha256"], one["here"]) for one in listed] == [("a.log", None, False)]
    assert "its bytes are not here yet" in desk("show", ticket).out
    assert "a.log" in desk("attach", ticket).out
    ran = desk("attach", ticket, "--get", "a.log", "-o", str(tmp_path / "out"), code=3)
    assert "only the helpdesk that a.log comes from has its bytes" in ran.err
    assert not (tmp_path / "out").exists()
    assert desk("fsck").out.startswith("missing\t")
    desk("export", str(tmp_path / "all.jsonl"))


def test_nothing_is_overwritten(desk: Chit, ticket: str) -> None:
    """--get writes over no file unless --force says so."""
    (desk.folder / "notes.txt").write_text("new\n")
    desk("attach", ticket, "notes.txt")
    (desk.folder / "notes.txt").write_text("older, but mine\n")
    assert desk("attach", ticket, "--get", "notes.txt", code=5).err == said(
        "notes.txt is there already", "Give another place with -o, or --force."
    )
    assert (desk.folder / "notes.txt").read_text() == "older, but mine\n"
    desk("attach", ticket, "--get", "notes.txt", "--force")
    assert (desk.folder / "notes.txt").read_text() == "new\n"
    assert desk("attach", ticket, "--get", "notes.txt", "-o", "-").out == "new\n"
    assert desk("attach", ticket, "--get", "notes.txt", "-o", "nowhere/x", code=1).err == said(
        "no such file or directory: nowhere/x", ""
    )


def test_attachments_by_name(desk: Chit, ticket: str) -> None:
    """An attachment is named by its name or the beginning of its id; where two have the name, the id decides."""
    (desk.folder / "notes.txt").write_text("notes\n")
    assert desk("attach", ticket).err == f"nothing is attached to {ticket[:8]}\n"
    assert desk("attach", ticket, "--get", "notes.txt", code=3).err == said(
        f"no attachment notes.txt in {ticket[:8]}", f"`chit show {ticket[:8]}` names them."
    )
    desk("attach", ticket, "notes.txt")
    desk("attach", ticket, "notes.txt")
    desk("attach", ticket, "--get", "notes.txt", "-o", "copy", code=3)
    first = desk("attach", ticket, "--json").json[0]["id"]
    desk("attach", ticket, "--get", first[:6], "-o", "copy")
    desk("attach", ticket, "--delete", first)
    assert len(desk("attach", ticket, "--json").json) == 1


def test_bytes_that_are_not_here(desk: Chit, ticket: str) -> None:
    """An attachment whose bytes did not come yet says so, on the page and when it is asked for; what can be had is fetched."""
    (desk.folder / "notes.txt").write_text("notes\n")
    desk("attach", ticket, "notes.txt")
    desk("clone", ".", "copy")
    copy = desk.folder / "copy"
    assert "its bytes are not here yet" in desk("show", ticket, cwd=copy).out
    desk("attach", ticket, "--get", "notes.txt", "-o", "got", cwd=copy)
    assert (copy / "got").read_text() == "notes\n"
    desk("attach", ticket, "--get", "notes.txt", "-o", "again", cwd=copy)
    assert "not here" not in desk("show", ticket, cwd=copy).out


def test_importing_what_is_no_export(desk: Chit) -> None:
    """A file that is not there, is a folder, or is something else is named, and nothing is taken from it."""
    before = everything(desk.folder / ".chit")
    (desk.folder / "x.jsonl").write_text("hello\n")
    for file in ("nope.jsonl", ".", "x.jsonl"):
        ran = desk("import", file, code=None)
        assert ran.code in (2, 3, 8), ran
        assert ran.err.startswith("error: ")
        assert file in ran.err
    assert everything(desk.folder / ".chit") == before
