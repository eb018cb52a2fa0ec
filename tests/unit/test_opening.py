"""Making and opening stores: what is no store, what is too new, read-only, moved, copied or cut off is told apart, in words."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chit_sync.errors import ConflictError, NotFoundError, StoreError
from chit_sync.store import migrations, opening, reading
from chit_sync.store.database import DATABASE, Store
from chit_sync.store.fsck import check
from chit_sync.store.opening import create, open_store
from conftest import NewStore
from support.stores import new


def identity(path: Path) -> str:
    """Who the store in that folder is."""
    with open_store(str(path)) as store:
        return str(store.meta("store"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder of a closed store with one ticket."""
    with create(str(tmp_path / "store")) as store:
        new(store)
    return tmp_path / "store"


def test_new_store(tmp_path: Path) -> None:
    """A new store is empty, readable by its owner alone, and nobody else's."""
    with create(str(tmp_path / "one")) as one, create(str(tmp_path / "two")) as two:
        assert one.meta("store") != two.meta("store")
        assert os.stat(tmp_path / "one" / DATABASE).st_mode & 0o077 == 0
        assert check(one) == []


def test_made_once(place: Path) -> None:
    """Where there is a store no other is made, and it stays as it is."""
    before = identity(place)
    with pytest.raises(ConflictError, match="there is a store at"):
        create(str(place))
    assert identity(place) == before


@pytest.mark.parametrize("left", ["nothing", "empty file", "empty database", "rolled back"])
def test_making_was_interrupted(tmp_path: Path, left: str) -> None:
    """After a kill at any moment of its making, a store is not there, says so, and can be made."""
    path = tmp_path / "store"
    (path / "blobs").mkdir(parents=True)
    file = path / DATABASE
    if left != "nothing":
        file.touch()
    if left in ("empty database", "rolled back"):
        db = sqlite3.connect(file, isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        if left == "rolled back":
            db.execute("BEGIN")
            db.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
            db.execute("CREATE TABLE meta (key)")
        db.close()
    with pytest.raises((StoreError, NotFoundError), match=r"no store at|making the store was interrupted"):
        open_store(str(path))
    with create(str(path)) as store:
        new(store)
        assert check(store) == []


def test_two_make_it_at_once(tmp_path: Path) -> None:
    """Of two processes that make a store in the same folder one does, and the other says that there is one."""
    program = "import sys; from chit_sync.store.opening import create; create(sys.argv[1])"
    for attempt in range(3):
        path = str(tmp_path / str(attempt))
        makers = [
            subprocess.Popen([sys.executable, "-c", program, path], stderr=subprocess.PIPE, text=True) for _ in range(2)
        ]
        errors = [maker.communicate(timeout=60)[1] for maker in makers]
        codes = sorted(maker.returncode for maker in makers)
        assert codes == [0, 1], errors
        assert "there is a store at" in "".join(errors)
        with open_store(path) as store:
            assert check(store) == []


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A folder that cannot be made is said to be the reason."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot make a store at"):
        create(str(tmp_path / "file" / "store"))


def test_no_store(tmp_path: Path) -> None:
    """Where there is no store, that is said, and what makes one; none is made."""
    with pytest.raises(NotFoundError, match="no store at") as error:
        open_store(str(tmp_path))
    assert "chit init" in error.value.hint
    assert list(tmp_path.iterdir()) == []


def test_foreign_database(tmp_path: Path) -> None:
    """Another program's database is not taken for a store, and stays as it is."""
    with sqlite3.connect(tmp_path / DATABASE) as db:
        db.execute("CREATE TABLE bookmarks (url)")
    db.close()
    before = (tmp_path / DATABASE).read_bytes()
    with pytest.raises(StoreError, match="is not a chit store"):
        open_store(str(tmp_path))
    with pytest.raises(ConflictError):
        create(str(tmp_path))
    assert (tmp_path / DATABASE).read_bytes() == before


def test_not_a_database(tmp_path: Path) -> None:
    """A file that is no database at all is told from a store, and kept."""
    (tmp_path / DATABASE).write_bytes(b"Dear diary, " * 1000)
    with pytest.raises(StoreError, match="is damaged: file is not a database"):
        open_store(str(tmp_path))
    with pytest.raises(ConflictError):
        create(str(tmp_path))
    assert (tmp_path / DATABASE).read_bytes().startswith(b"Dear diary")


@pytest.mark.parametrize("size", [0, 50, 4096, 5000, 20480])
def test_truncated(place: Path, size: int) -> None:
    """A store whose file was cut off is said to be damaged, wherever that shows."""
    os.truncate(place / DATABASE, size)

    def use() -> None:
        with open_store(str(place)) as store:
            reading.load(store, 1)

    with pytest.raises(StoreError, match=r"is damaged|is not a chit store|is empty"):
        use()


def test_newer_version(place: Path) -> None:
    """A store from a newer chit is refused by name of both versions, and left alone."""
    with sqlite3.connect(place / DATABASE) as db:
        db.execute(f"PRAGMA user_version = {migrations.VERSION + 7}")
    db.close()
    with pytest.raises(
        StoreError, match=f"has format {migrations.VERSION + 7}; this chit knows formats up to {migrations.VERSION}"
    ) as error:
        open_store(str(place))
    assert "newer chit" in error.value.hint


def test_older_version(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store from an older chit is brought up to date when it is opened, in one transaction, and keeps everything."""

    def step(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE later (what)")

    monkeypatch.setattr(opening, "MIGRATIONS", (*migrations.MIGRATIONS, step))
    monkeypatch.setattr(opening, "VERSION", migrations.VERSION + 1)
    with open_store(str(place)) as store:
        assert store.db.execute("PRAGMA user_version").fetchone()[0] == migrations.VERSION + 1
        assert store.db.execute("SELECT count(*) FROM later").fetchone()[0] == 0
        assert reading.load(store, 1).title == "Printer on fire"


def test_moved_stays_itself(place: Path) -> None:
    """A store that was moved is who it was; at its new place too."""
    before = identity(place)
    place.rename(place.parent / "moved")
    assert identity(place.parent / "moved") == before


def test_copy_is_another(place: Path) -> None:
    """A copy notices that it is one and becomes another store; the original stays who it is."""
    before = identity(place)
    shutil.copytree(place, place.parent / "copy")
    after = identity(place.parent / "copy")
    assert after != before
    assert identity(place.parent / "copy") == after, "once, not at every opening"
    assert identity(place) == before
    with open_store(str(place.parent / "copy")) as store:
        assert store.meta("copy_of") == before
        assert reading.load(store, 1).title == "Printer on fire"


def test_copy_to_another_machine_is_another(place: Path) -> None:
    """A copy at the same path of another machine is another store too."""
    before = identity(place)
    with open_store(str(place)) as store:
        inode, _, path = store.meta("place").split(" ", 2)
        store.set_meta("place", f"{int(inode) + 1} elsewhere.example.com {path}")
    assert identity(place) != before


def test_restored_backup_stays_itself(place: Path) -> None:
    """A backup that is put back in place of the store is that store."""
    before = identity(place)
    shutil.copytree(place, place.parent / "backup")
    shutil.rmtree(place)
    shutil.copytree(place.parent / "backup", place)
    assert identity(place) == before


WITHOUT_RIGHTS = """
import os, sys
from chit_sync.errors import ChitError
from chit_sync.authoring import Edit, record
from chit_sync.store import reading
from chit_sync.store.fsck import check
from chit_sync.store.opening import open_store

def visit(path):
    with open_store(path, write=False) as store:
        yield reading.load(store, 1).title
        yield str(check(store))
    try:
        with open_store(path) as store:
            record(store, [Edit(None, {"title": "x"})], by="eve", command="new")
        yield "written"
    except ChitError as error:
        yield error.message

list(visit(sys.argv[2]))  # imports what it needs while the interpreter's files can be read
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
print(*visit(sys.argv[1]), sep="\\n")
"""


@pytest.fixture
def without_rights(place: Path) -> Callable[[], list[str]]:
    """Reads, checks and writes the store as somebody who may not write, also when root runs the tests; tells what came of it."""
    shutil.copytree(place, place.parent / "warm")
    for folder in place.parents:
        if folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(folder.stat().st_mode | 0o005)
    return lambda: _lines([sys.executable, "-c", WITHOUT_RIGHTS, str(place), str(place.parent / "warm")])


def _lines(command: list[str]) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_read_only_folder(place: Path, without_rights: Callable[[], list[str]]) -> None:
    """A store in a folder that cannot be written is read and checked all the same, and a write says why it cannot be."""
    (place / DATABASE).chmod(0o444)
    place.chmod(0o555)
    assert without_rights() == ["Printer on fire", "[]", f"the store {place} is read-only here"]
    place.chmod(0o755)


def test_read_only_file(place: Path, without_rights: Callable[[], list[str]]) -> None:
    """The same where the folder may be written and the file may not."""
    (place / DATABASE).chmod(0o444)
    place.chmod(0o777)
    assert without_rights() == ["Printer on fire", "[]", f"the store {place} is read-only here"]


def test_full_disk(store: Store) -> None:
    """When the disk is full nothing is written, that is said, and with room again the same works."""
    new(store)
    pages = store.db.execute("PRAGMA page_count").fetchone()[0]
    store.db.execute(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        for _ in range(50):
            new(store, title="t", description="word " * 2000)

    with pytest.raises(StoreError, match="the disk is full: nothing was written"):
        fill()
    count = store.db.execute("SELECT count(*) FROM tickets").fetchone()[0]
    assert check(store) == []
    store.db.execute("PRAGMA max_page_count = 1000000")
    assert new(store, title="t", description="word " * 2000).number == count + 1


def test_closed_on_failure(tmp_path: Path, new_store: NewStore) -> None:
    """A store that could not be opened is not left open: its folder can go."""
    store = new_store("gone")
    store.db.execute("PRAGMA application_id = 1")
    store.close()
    with pytest.raises(StoreError):
        open_store(store.path)
    assert sorted(os.listdir(store.path)) == ["blobs", DATABASE]
