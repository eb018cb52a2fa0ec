"""fsck: every kind of damage is found and named, a whole store has none, and a rebuild cures what follows from the log."""

import hashlib
import random
import sqlite3
from pathlib import Path

import pytest

from chit_sync.authoring import Edit, comment_paths, link_paths
from chit_sync.change import Change, digest, encode
from chit_sync.errors import StoreError
from chit_sync.registers import Value
from chit_sync.store import blobs, log, reading
from chit_sync.store.database import Store
from chit_sync.store.fsck import check, rebuild
from chit_sync.store.making import new_item
from chit_sync.store.opening import open_store
from chit_sync.store.problems import Problem
from chit_sync.store.undo import undo
from support.stores import change, entropy, give, new, records, write
from support.tables import contents

HELLO = b"hello"
SHA = hashlib.sha256(HELLO).hexdigest()

TICKET_OF_NOTHING = """
    INSERT INTO tickets SELECT 9, 'x', title, status, priority, impact, type, queue, assignee, requester, organization,
    contract, product, due, emergency, state, created, updated, author FROM tickets WHERE num = 1
"""


def attach(store: Store, number: int, data: bytes = HELLO, *, keep: bool = True) -> Path:
    """Attaches bytes to a ticket; without `keep` they are not in the store."""
    sha256 = hashlib.sha256(data).hexdigest()
    key = f"attachment/{new_item(store)}"
    sets: dict[str, Value] = {f"{key}/name": "a.log", f"{key}/sha256": sha256, f"{key}/size": len(data)}
    write(store, Edit(reading.load(store, number), sets))
    place = Path(reading.blob_path(store.path, sha256))
    if keep:
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(data)
    return place


@pytest.fixture
def full(store: Store) -> Store:
    """A store with something of everything in it."""
    printer = new(store, title="Printer on fire", status="new", priority="high")
    paper = new(store, title="No paper", description="The tray is empty", also={"labels/office": True})
    write(store, Edit(printer, comment_paths(new_item(store), "It burns", "public")))
    write(store, Edit(paper, link_paths("blocks", paper.id, printer.id)))
    write(store, Edit(printer, {"status": "open"}), Edit(paper, {"x.floor": "3"}))
    write(store, Edit(printer, {"status": "pending"}, resolve=False))
    attach(store, 1)
    return store


def kinds(store: Store) -> list[str]:
    """The kinds of problems that matter, each once."""
    return sorted({problem.kind for problem in check(store) if not problem.harmless})


def harm(store: Store, *statements: str) -> None:
    """Does to the database what no program of ours would do."""
    with store.transaction() as db:
        for statement in statements:
            db.execute(statement)


def only(problems: list[Problem]) -> Problem:
    """The one problem that there is."""
    assert len(problems) == 1, problems
    return problems[0]


def test_whole(full: Store) -> None:
    """A whole store, with conflicts and attachments, has no problem at all."""
    assert reading.load(full, 1).conflicts
    assert check(full) == []


def test_whole_after_undo_and_rebuild(full: Store) -> None:
    """Undo and rebuild leave a store in which nothing is wrong; the bytes of an undone attachment are only astray."""
    undo(full)
    undo(full)
    rebuild(full)
    assert [problem.kind for problem in check(full)] == ["stray"]


def test_check_changes_nothing(full: Store) -> None:
    """A check leaves the file as it was, and needs no right to write."""
    harm(full, "DELETE FROM labels")
    before = contents(full)
    check(full)
    assert contents(full) == before
    assert not full.db.in_transaction


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("tables", "UPDATE tickets SET title = 'forged' WHERE num = 1"),
        ("tables", "UPDATE tickets SET state = 1 WHERE num = 1"),
        ("tables", "DELETE FROM tickets WHERE num = 2"),
        ("tables", TICKET_OF_NOTHING),
        ("tables", "UPDATE registers SET fields = '{}' WHERE num = 1"),
        ("tables", "DELETE FROM registers WHERE num = 1"),
        ("tables", "DELETE FROM items WHERE key LIKE 'comment/%'"),
        ("tables", "UPDATE items SET ref = NULL"),
        ("tables", "UPDATE items SET pk = pk + 1000 WHERE key LIKE 'link/%'"),
        ("tables", "DELETE FROM labels"),
        ("tables", "INSERT INTO labels VALUES ('more', 1)"),
        ("tables", "DELETE FROM conflicts"),
        ("tables", "INSERT INTO missing VALUES (x'00')"),
        ("tables", "INSERT INTO search (rowid, title, body) VALUES (16777216, 'forged', '')"),
        ("tables", "INSERT INTO search (search) VALUES ('delete-all')"),
        ("tables", "UPDATE search_data SET block = x'00' WHERE id > 1"),
        ("tables", "DELETE FROM search_docsize WHERE id = 16777216"),
        ("filing", "UPDATE changes SET ticket = 1 WHERE seq = 4"),
        ("filing", "UPDATE changes SET ticket = 7 WHERE seq = 6"),
        ("orphan", "INSERT INTO numbers VALUES (5, 17, 1)"),
        ("orphan", "INSERT INTO refusals VALUES (5, 1, 0, 'no')"),
        ("orphan", "INSERT INTO outbound (partner, place, seq) VALUES (5, 1, 1)"),
        ("orphan", "INSERT INTO partner_blobs VALUES (5, 'x')"),
        ("orphan", "INSERT INTO invitations VALUES (x'00', 5, 0, 0, NULL)"),
        ("orphan", "INSERT INTO incoming VALUES (5, 1, 1, x'00', x'00')"),
        ("orphan", "UPDATE operations SET last = last + 1 WHERE id = 1"),
        ("orphan", "UPDATE operations SET first = 99, last = 99 WHERE id = 7"),
        ("orphan", "UPDATE operations SET first = last + 1 WHERE id = 7"),
        ("orphan", "UPDATE changes SET origin = 4 WHERE seq = 1"),
        ("sequence", "INSERT INTO remotes (name, url, pushed) VALUES ('r', 'u', 1000)"),
    ],
)  # fmt: skip
def test_found_and_cured(full: Store, kind: str, statement: str) -> None:
    """What does not follow from the log, or speaks of what is not there, is found, and a rebuild cures it without touching a change."""
    before = records(full)
    whole = contents(full)
    harm(full, statement)
    assert kinds(full) == [kind]
    rebuild(full)
    assert check(full) == []
    assert records(full) == before
    assert contents(full) == whole


def test_named(full: Store) -> None:
    """A problem says in what it is, what is wrong, and what to do."""
    harm(full, "UPDATE tickets SET title = 'forged' WHERE num = 1")
    problem = only(check(full))
    assert problem.where == "ticket 1"
    assert "the table tickets" in problem.message
    assert "chit fsck --rebuild" in problem.cure


def test_change_with_another_id(full: Store) -> None:
    """A change whose bytes were altered no longer has its id; it is named, kept, and a rebuild does not pretend to cure it."""
    body = bytes(full.db.execute("SELECT body FROM changes WHERE seq = 1").fetchone()[0])
    with full.transaction() as db:
        db.execute("UPDATE changes SET body = ? WHERE seq = 1", (body.replace(b"fire", b"ice!"),))
    problem = only(check(full))
    assert problem.kind == "change"
    assert "place 1, ticket 1" in problem.where
    assert "does not follow from its bytes" in problem.message
    rebuild(full)
    assert [problem.kind for problem in check(full)] == ["change"]


def test_bytes_that_are_no_change(full: Store) -> None:
    """Bytes that are no change stop neither the check nor the reading of other tickets; a rebuild asks before going on without them."""
    full.db.execute("UPDATE changes SET body = x'ff00' WHERE seq = 1")
    assert kinds(full) == ["change"]
    title = reading.load(full, 1).title
    with pytest.raises(StoreError, match=r"1 change\(s\) in the log cannot be read, the first at place 1"):
        rebuild(full)
    assert reading.load(full, 1).title == title
    rebuild(full, without_damaged=True)
    assert reading.load(full, 1).title == ""
    assert reading.load(full, 2).title == "No paper"
    assert len(log.read(full, 0, 100)) == 8


def test_ticket_of_nothing_readable(store: Store) -> None:
    """A ticket of which nothing can be read is no reason not to rebuild the others, and its number is not given away."""
    new(store)
    store.db.execute("UPDATE changes SET body = x'00'")
    rebuild(store, without_damaged=True)
    assert new(store, title="next").number == 2
    assert kinds(store) == ["change"]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"set": {"colour": "red"}}, "there is no field 'colour'"),
        ({"set": {}}, "it sets 0 fields"),
        ({"over": ["zz"]}, "not named by ids of changes"),
        ({"at": -1}, "a time out of range"),
    ],
)
def test_change_against_the_rules(store: Store, wrong: dict[str, object], reason: str) -> None:
    """A change that no store would have taken is found, though its id is right."""
    ticket = new(store)
    sound = {"ticket": ticket.id, "at": 1, "by": "eve", "set": {"title": "x"}, "nonce": "n"}
    bad = encode(Change(**{**sound, **wrong}))  # type: ignore[arg-type]  # wrong on purpose
    store.db.execute("INSERT INTO changes VALUES (2, ?, 1, 0, ?)", (digest(bad), bad))
    problem = only([problem for problem in check(store) if problem.kind == "change"])
    assert reason in problem.message


def test_place_below_one(full: Store) -> None:
    """A change at a place that no cursor would read is found."""
    harm(full, "UPDATE changes SET seq = -5 WHERE seq = 4")
    assert "sequence" in kinds(full)


def test_identity_lost(full: Store) -> None:
    """A store that does not know who it is says so."""
    harm(full, "DELETE FROM meta WHERE key = 'store'")
    assert kinds(full) == ["identity"]


def test_split_ticket_is_one_again(store: Store) -> None:
    """Changes of a ticket that were filed under another's number are put back, and the two tickets are what they were."""
    one, two = new(store, title="one"), new(store, title="two")
    change(store, one, {"status": "open"})
    change(store, two, {"status": "closed"})
    whole = contents(store)
    harm(store, "UPDATE changes SET ticket = 3 - ticket WHERE seq > 2")
    rebuild(store)
    assert contents(store) == whole


def test_attachment_altered(full: Store) -> None:
    """Bytes that are not those that were attached are found by their hash, and by their number."""
    place = Path(reading.blob_path(full.path, SHA))
    place.write_bytes(b"jello")
    assert "do not have the hash" in only(check(full)).message
    place.write_bytes(b"hell")
    assert {problem.message for problem in check(full)} == {
        "its bytes do not have the hash that it is named by",
        "it has 4 bytes and should have 5",
    }


def test_attachment_lost(full: Store) -> None:
    """Bytes that were attached here and are gone are a damage; with the attachment deleted nobody misses them."""
    Path(reading.blob_path(full.path, SHA)).unlink()
    problem = only(check(full))
    assert (problem.kind, problem.harmless) == ("attachment", False)
    assert "'a.log'" in problem.where
    key = next(iter(key for key in reading.load(full, 1).item_registers if key.startswith("attachment/")))
    write(full, Edit(reading.load(full, 1), {f"{key}/deleted": True}))
    assert check(full) == []


def test_attachment_not_come_yet(full: Store, new_store: object) -> None:
    """Bytes of an attachment from elsewhere come when they are asked for: no damage."""
    assert callable(new_store)
    other = new_store("other")
    other.db.execute("INSERT INTO remotes (id, name, url) VALUES (1, 'r', 'u')")
    give(other, records(full), origin=1)
    problem = only(check(other))
    assert (problem.kind, problem.harmless) == ("missing", True)


def test_attachment_that_only_a_helpdesk_has(store: Store) -> None:
    """Bytes that no store has seen are missing, and no damage; nobody misses those of one that was deleted."""
    ticket = new(store)
    write(store, Edit(ticket, {"attachment/k/name": "a.log", "attachment/k/size": 3}))
    problem = only(check(store))
    assert (problem.kind, problem.harmless) == ("missing", True)
    assert blobs.missing(store) == []
    write(store, Edit(ticket, {"attachment/k/deleted": True}))
    assert check(store) == []


def test_files_that_nothing_names(full: Store) -> None:
    """Left over and stray files among the attachments are told, as harmless."""
    blobs = Path(full.path, "blobs")
    (blobs / "77-aa.part").write_bytes(b"x")
    (blobs / "notes.txt").write_bytes(b"x")
    stray = hashlib.sha256(b"stray").hexdigest()
    Path(reading.blob_path(full.path, stray)).parent.mkdir(exist_ok=True)
    Path(reading.blob_path(full.path, stray)).write_bytes(b"stray")
    found = check(full)
    assert sorted(problem.kind for problem in found) == ["partial", "stray", "stray"]
    assert all(problem.harmless for problem in found)


def test_many_of_a_kind(store: Store) -> None:
    """A million problems of one kind do not make a million lines."""
    write(store, *[Edit(None, {"title": f"ticket {n}"}) for n in range(80)])
    harm(store, "UPDATE tickets SET title = 'forged'")
    found = check(store)
    assert len(found) == 51
    assert found[-1].message == "30 more of the same kind"


def test_index_that_disagrees(full: Store) -> None:
    """What SQLite itself finds wrong with an index is passed on, and a rebuild makes the index again."""
    root = full.db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'changes_ticket'").fetchone()[0]
    full.close()
    with open(Path(full.path, "store.db"), "r+b") as file:
        file.seek((root - 1) * 4096 + 4090)
        file.write(b"\0" * 6)
    with open_store(full.path) as store:
        assert "database" in kinds(store)
        rebuild(store)
        assert check(store) == []


def test_definition_that_is_gone(full: Store) -> None:
    """An index that is not there is missed, though SQLite finds nothing wrong."""
    full.db.execute("DROP INDEX tickets_open")
    problem = only(check(full))
    assert (problem.kind, problem.where) == ("database", "tickets_open")


def test_too_damaged_to_rebuild(full: Store) -> None:
    """A store whose log is not even a table is refused in words."""
    full.db.execute("ALTER TABLE changes RENAME COLUMN body TO corpse")
    with pytest.raises(StoreError, match="too damaged to rebuild"):
        rebuild(full)
    assert "database" in kinds(full)


def test_random_damage_to_the_file(full: Store) -> None:
    """Whatever bytes of the file are wrong: the check ends with a list of problems, or the store is refused in words."""
    write(full, *[Edit(None, {"title": f"ticket {n}"}) for n in range(40)])  # most tables of a small store are empty
    full.close()
    file = Path(full.path, "store.db")
    sound = file.read_bytes()
    chance = random.Random(8)
    found = 0
    for _ in range(200):
        spoiled = bytearray(sound)
        for _ in range(chance.choice((1, 5, 200))):
            spoiled[chance.randrange(100, len(spoiled))] = chance.randrange(256)
        file.write_bytes(spoiled)
        try:
            with open_store(full.path) as store:
                found += any(not problem.harmless for problem in check(store))
        except StoreError:
            found += 1
        for left in ("store.db-wal", "store.db-shm"):
            Path(full.path, left).unlink(missing_ok=True)
    assert found > 80  # the rest hits pages, or parts of them, that hold nothing


def test_check_without_the_right_to_write(full: Store) -> None:
    """A store that was opened for reading can be checked."""
    full.close()
    with open_store(full.path, write=False) as store:
        assert check(store) == []


def test_check_beside_a_writer(full: Store) -> None:
    """A check does not stop others from writing, nor see half of what they write."""
    other = sqlite3.connect(Path(full.path, "store.db"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM labels")
    assert check(full) == []
    other.execute("ROLLBACK")
    other.close()
    assert entropy("a")(4) == entropy("a")(4)
