"""Stores that are damaged, somebody else's, too new, full, read-only or busy: said in words, and nothing is lost."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chit_sync.store import database
from support.invocations import everything
from support.runner import Chit, Ran

COMMANDS = (
    ("list",),
    ("show", "1"),
    ("status",),
    ("log",),
    ("new", "-m", "x"),
    ("edit", "1", "-p", "low"),
    ("undo",),
    ("diff",),
)
KEEP = "Keep a copy of the folder, then run `chit fsck`; what was pushed can be cloned again."


def said(message: str, hint: str) -> str:
    """What is on standard error for an error."""
    return f"error: {message}\n" + (f"hint: {hint}\n" if hint else "")


@pytest.fixture
def file(desk: Chit, ticket: str) -> Path:
    """The database of a store with one ticket, with nothing left in its write-ahead log."""
    found = desk.folder / ".chit" / "store.db"
    with closing(sqlite3.connect(found)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return found


def scribble(file: Path, at: int, data: bytes) -> None:
    """Writes bytes over what is in the file."""
    with file.open("r+b") as target:
        target.seek(at)
        target.write(data)


def overwrite_pages(file: Path) -> None:
    """Damages every page but the first."""
    scribble(file, 4096, b"\xa5" * (file.stat().st_size - 4096))


def overwrite_all(file: Path) -> None:
    """Puts something else there."""
    file.write_bytes(b"this is not a database, but text of some length\n" * 100)


def cut(file: Path) -> None:
    """Takes the end away."""
    os.truncate(file, 4096 * 3)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "no database at all": overwrite_all,
    "pages overwritten": overwrite_pages,
    "cut in the middle": cut,
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_damaged_store(command: tuple[str, ...], damage: str, desk: Chit, file: Path) -> None:
    """A command that meets damage says so, ends with 9, and leaves the file as it is."""
    DAMAGES[damage](file)
    before = file.read_bytes()
    ran = desk(*command, code=9)
    assert ran.err.startswith(f"error: the store {file.parent} is damaged: ")
    assert ran.err.endswith(f"\nhint: {KEEP}\n")
    assert ran.out == ""
    assert file.read_bytes() == before


def test_fsck_of_a_damaged_store(desk: Chit, file: Path) -> None:
    """fsck names the damage of the file itself, and ends with 9."""
    overwrite_pages(file)
    ran = desk("fsck", code=9)
    assert "damaged" in ran.err or "problem" in ran.err
    assert desk("fsck", "--json", code=9).err.count("chit.error/1") == 1


def test_fsck_rebuilds_what_can_be_rebuilt(desk: Chit, ticket: str, file: Path) -> None:
    """Tables that do not agree with the log are found, and made again when asked."""
    with closing(sqlite3.connect(file)) as db:
        db.execute("UPDATE tickets SET title = 'Not what the log says'")
        db.commit()
    ran = desk("fsck", code=9)
    assert ran.err.startswith("error: 1 problem found in ") or "problems found" in ran.err
    assert "chit fsck --rebuild" in ran.err
    desk("fsck", "--rebuild", "-n", code=9)
    assert desk("fsck", "--rebuild").err == "every table was made again from the log\nno damage found\n"
    assert desk("show", ticket, "--json").json["title"] == "Printer on fire"


def test_another_programs_database(desk: Chit, file: Path) -> None:
    """A database that is not ours is left alone."""
    file.unlink()
    for left in file.parent.glob("store.db-*"):
        left.unlink()
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
        db.commit()
    before = file.read_bytes()
    for command in (*COMMANDS, ("fsck",), ("fsck", "--rebuild")):
        assert desk(*command, code=9).err == said(
            f"{file} is not a chit store", "It is another program's database; look for the right folder."
        )
    assert file.read_bytes() == before


def test_an_empty_file(desk: Chit, file: Path) -> None:
    """A making that was interrupted is told from a store, and can be repeated."""
    file.write_bytes(b"")
    for left in file.parent.glob("store.db-*"):
        left.unlink()
    assert desk("list", code=9).err == said(
        f"{file} is empty: making the store was interrupted, or its content was lost",
        "`chit init` makes a new store there; what was pushed can be cloned again.",
    )
    desk("init")
    assert desk("list").out == ""


def test_a_newer_store(desk: Chit, file: Path) -> None:
    """A store from a later chit is refused, with both versions, and left as it is."""
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 99")
    before = file.read_bytes()
    for command in (*COMMANDS, ("fsck",), ("export",)):
        assert desk(*command, code=9).err == said(
            f"the store {file.parent} has format 99; this chit knows formats up to 1",
            "Install a newer chit; this one leaves the store as it is.",
        )
    assert file.read_bytes() == before


def test_a_full_disk(desk: Chit, ticket: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full nothing is written, nothing is lost, and there is a sentence about it; reading goes on."""
    before = everything(desk.folder)
    real = sqlite3.connect

    def full(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = real(*arguments, **options)
        connection.execute("PRAGMA max_page_count = 1")  # SQLite's own way of having no room: not one page more
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", full)
        for command in (("new", "-F", "-"), ("comment", "1", "-F", "-")):
            ran = desk(*command, stdin="Title\n" + "x" * 500_000, code=9)
            assert ran.err == said(
                f"the disk is full: nothing was written to {file.parent}", "Make room and run the command again."
            )
        desk("show", ticket)
    assert everything(desk.folder) == before
    desk("fsck")
    desk("new", "-m", "There is room again")


def test_attaching_to_a_full_disk(desk: Chit, ticket: str) -> None:
    """An output that takes nothing more is named."""
    (desk.folder / "notes.txt").write_text("notes\n")
    desk("attach", ticket, "notes.txt")
    assert desk("attach", ticket, "--get", "notes.txt", "-o", "/dev/full", "--force", code=1).err == said(
        "no space left on device", ""
    )


def test_a_busy_store(desk: Chit, ticket: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process writes, reading goes on; a writer waits for it, and says so when it waited for too long."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert desk("edit", ticket, "-p", "low", code=9).err == said(
            f"the store {file.parent} is busy: another process has been writing to it for over 0 seconds",
            "Try again when that is done; nothing was changed.",
        )
        for command in (("list",), ("show", ticket), ("status",), ("log",), ("diff",)):
            desk(*command)
        other.execute("ROLLBACK")
    desk("edit", ticket, "-p", "low")


@pytest.fixture
def public(desk: Chit) -> Iterator[Path]:
    """A folder that everybody may look into; pytest's own are for their owner only."""
    folder = Path(tempfile.mkdtemp(prefix="chit-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)
    shutil.rmtree(folder)


def as_nobody(work: Callable[[], Ran]) -> Ran:
    """What a process without rights gets: a child that gives them up, since to root nothing is read-only."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads: the child does nothing with them
        child = os.fork()
    if child == 0:
        try:
            os.chdir("/")  # the checkout may lie where only root may go
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            ran = work()
            os.write(write, repr(tuple(ran)).encode())
        except BaseException as error:  # noqa: BLE001  # shown by the parent
            os.write(write, repr((-1, "", f"{type(error)} {error}")).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    import ast

    return Ran(*ast.literal_eval(data.decode()))


@pytest.mark.parametrize("left", [True, False])
def test_a_read_only_store(left: bool, desk: Chit, public: Path) -> None:
    """Where the store cannot be written it can be read, also with a write-ahead log left over; a write says why it cannot be."""
    desk("init", cwd=public)
    number = desk("new", "-m", "Printer on fire", cwd=public).id
    keeper = sqlite3.connect(public / ".chit" / "store.db")
    keeper.execute("SELECT * FROM meta").fetchall()
    desk("new", "-m", "Another", cwd=public)
    if not left:
        keeper.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        keeper.close()
    for command in (("list",), ("show", number), ("status",), ("log",), ("edit", number, "-n", "-p", "low")):
        desk(*command, cwd=public)  # everything that these import is imported now
    before = everything(public)
    for path in (public / ".chit").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    (public / ".chit").chmod(0o555)
    for command in (("list",), ("show", number), ("status",), ("log",), ("diff",)):
        ran = as_nobody(lambda command=command: desk(*command, cwd=public, code=None))  # type: ignore[misc]  # a bound default
        assert (ran.code, ran.err) == (0, ""), (command, ran)
        assert ran.out == desk(*command, cwd=public).out
    ran = as_nobody(lambda: desk("edit", number, "-p", "low", cwd=public, code=None))
    assert ran.code == 9
    assert ran.err == said(
        f"the store {public}/.chit is read-only here", "Look at the permissions of the folder and of store.db in it."
    )
    keeper.close()
    for path in [public / ".chit", *(public / ".chit").rglob("*")]:
        path.chmod(0o755)
    assert everything(public) == before


def test_a_folder_that_cannot_hold_a_store(desk: Chit, public: Path) -> None:
    """A store cannot be made where nothing may be written; the place and the reason are named."""
    (public / "file").write_text("x")
    desk("init", "elsewhere")  # everything that it imports is imported now
    public.chmod(0o555)
    ran = as_nobody(lambda: desk("init", cwd=public, code=None))
    assert ran.code == 9
    assert ran.err == said(f"cannot make a store at {public}/.chit: Permission denied", "")
    public.chmod(0o755)
    assert desk("init", "file", cwd=public, code=9).err == said(
        f"cannot make a store at {public}/file/.chit: Not a directory", ""
    )


def test_a_folder_that_is_gone(desk: Chit, tmp_path: Path) -> None:
    """In a folder that somebody removed, a command says so."""
    gone = tmp_path / "gone"
    gone.mkdir()
    program = "import os, sys; os.rmdir(os.getcwd()); from chit.main import main; sys.argv = ['chit', 'list']; main()"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=gone, capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 3
    assert ran.stderr == said("the folder that you are in is gone", "Go to another one, or name one with -C.")


def test_two_writers_at_once(desk: Chit) -> None:
    """Several processes write at once; each of them is done, and nothing is lost."""
    processes = [
        subprocess.Popen([sys.executable, "-m", "chit", "new", "-m", f"Ticket {number}"], cwd=desk.folder, stdout=subprocess.PIPE)
        for number in range(8)
    ]  # fmt: skip
    ids = {process.communicate(timeout=60)[0].decode().strip() for process in processes}
    assert all(process.returncode == 0 for process in processes)
    assert {line.split("\t")[0] for line in desk("list").out.splitlines()} == ids
    assert sorted(line.split("\t")[1] for line in desk("list").out.splitlines()) == [str(n) for n in range(1, 9)]
    desk("fsck")
