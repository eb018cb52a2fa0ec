"""The exact export: the same store again from its file, and damage that is noticed and named by its line."""

import base64
import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chit_sync.authoring import attach_file
from chit_sync.clock import DAY
from chit_sync.errors import UsageError
from chit_sync.store import blobs, undo
from chit_sync.store.database import Store
from chit_sync.transfer.exporting import PIECE, export
from chit_sync.transfer.log_file import import_log, is_export
from conftest import NewStore
from support.importing import reasons
from support.stores import Clock, change, new, records
from support.tables import contents

CONTENT = bytes(range(256)) * 500
LINE = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=8)


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Store:
    """A store with history, a conflict, comments, and attachments of many pieces and of none."""
    one = new(store, title="Printer on fire", description="It **burns** — ü", status="new")
    change(store, one, {"status": "open"}, by="bert")
    change(store, one, {"status": "pending"}, by="carl")
    change(store, new(store, title="No network"), {"labels/network": True})
    (tmp_path / "log.txt").write_bytes(CONTENT)
    (tmp_path / "empty").write_bytes(b"")
    for name in ("log.txt", "empty"):
        change(store, one, attach_file(store, str(tmp_path / name), "internal"))
    return store


def lines_of(file: Path) -> list[bytes]:
    """The lines of an export."""
    data = file.read_bytes()
    return (gzip.decompress(data) if file.suffix == ".gz" else data).splitlines(keepends=True)


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_round_trip(name: str, desk: Store, new_store: NewStore, tmp_path: Path) -> None:
    """A store that imports an export has the same changes, tables and attachments, and exports the same lines but the first."""
    file, second = tmp_path / name, tmp_path / f"second-{name}"
    done = export(desk, str(file))
    assert done == (7, 2, 0)
    other = new_store("other")
    taken = import_log(other, str(file))
    assert taken == (7, 2, 7, 2, 7, 2, [])
    assert [one.body for one in records(other)] == [one.body for one in records(desk)]
    assert contents(other) == contents(desk)
    assert b"".join(blobs.read(other, next(sha for _, sha, size, _ in blobs.attachments(other) if size))) == CONTENT
    export(other, str(second))
    assert lines_of(second)[1:] == lines_of(file)[1:]
    again = import_log(other, str(file))
    assert (again.changes, again.new_tickets, again.new_changes, again.new_attachments) == (7, 0, 0, 0)
    assert is_export(str(file))


def test_the_form(desk: Store, tmp_path: Path) -> None:
    """A header, changes as logs send them, pieces of attachments, and the number of lines."""
    out = io.BytesIO()
    export(desk, out)
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert found[0] == {"schema": "chit.export/1", "store": desk.meta("store")}
    assert sorted(found[1]) == ["change", "id", "number", "seq"]
    assert [line["seq"] for line in found[1:8]] == list(range(1, 8))
    pieces = found[8:-1]
    assert [(len(base64.b64decode(one["data"])), one["offset"], one["size"]) for one in pieces] == [
        (PIECE, 0, len(CONTENT)), (PIECE, PIECE, len(CONTENT)), (len(CONTENT) - 2 * PIECE, 2 * PIECE, len(CONTENT)), (0, 0, 0),
    ]  # fmt: skip
    assert found[-1] == {"end": 11}
    without = io.BytesIO()
    assert export(desk, without, attachments=False) == (7, 0, 0)
    assert without.getvalue().splitlines()[-1] == b'{"end":7}'


def test_bytes_that_are_not_here(desk: Store, tmp_path: Path) -> None:
    """Attachments whose bytes this store has not are counted, and the rest is exported."""
    sha256 = next(sha for _, sha, size, _ in blobs.attachments(desk) if size)
    Path(blobs.path(desk, sha256)).unlink()
    assert export(desk, str(tmp_path / "out")) == (7, 1, 1)


def damaged(lines: list[bytes], kind: str) -> tuple[list[bytes], list[str]]:
    """An export with one thing wrong with it, and what is said of it."""
    ident = json.loads(lines[2])["id"]
    sha = json.loads(lines[8])["blob"]
    match kind:
        case "a bit":
            return [*lines[:2], lines[2].replace(b"bert", b"bort"), *lines[3:]], [
                f"line 3: the id {ident} does not match the change's bytes"
            ]
        case "a broken line":
            return [*lines[:2], lines[2][:50] + b"\n", *lines[3:]], [
                "line 3: not a change: JSON is malformed: invalid character"
            ]
        case "not UTF-8":
            return [*lines[:2], lines[2].replace(b"bert", b"b\xffrt"), *lines[3:]], [
                f"line 3: the id {ident} does not match"
            ]
        case "another line":
            return [*lines[:2], b"hello\n", *lines[3:]], ["line 3: neither a change nor a piece of an attachment"]
        case "a missing line":
            return [*lines[:2], *lines[3:]], [
                "line 12: 10 lines came before the end, and it counts 11: some are missing"
            ]
        case "cut off":
            return lines[:5], ["line 6: the file ends here, before the end of the export: it was cut off"]
        case "cut in a line":
            return [*lines[:5], lines[5][:30]], ["line 6: not a change: Input", "line 7: the file ends here"]
        case "more after the end":
            return [*lines, lines[1]], ["line 14: it stands after the end of the export"]
        case "a piece is missing":
            return [*lines[:9], *lines[10:]], [
                "line 10: not the next piece of the attachment: the piece before it, from 49152 on, is missing",
                "line 12: 10 lines came before the end",
            ]
        case "a piece is another":
            piece = json.loads(lines[9])
            piece["data"] = base64.b64encode(b"x" * PIECE).decode()
            wrong = json.dumps(piece, separators=(",", ":")).encode() + b"\n"
            return [*lines[:9], wrong, *lines[10:]], [f"line 9: the file sent bytes that are not those of {sha}"]
        case "a piece is no base64":
            return [*lines[:9], lines[9].replace(b'"data":"', b'"data":"*'), *lines[10:]], [
                "line 10: not the next piece of the attachment: "
            ]
        case "a path":
            piece = lines[11].replace(json.loads(lines[11])["blob"].encode(), b"../../../../tmp/x")
            return [*lines[:11], piece, *lines[12:]], [
                "line 12: not a piece of an attachment: '../../../../tmp/x' is not a SHA-256"
            ]
        case _:
            other = b'{"blob":"%b","data":"eA==","offset":0,"size":1}\n' % (b"0" * 64)
            return [*lines[:-1], other, b'{"end":12}\n'], [f"line 13: no ticket has an attachment {'0' * 64}"]


@pytest.mark.parametrize(
    "kind",
    [
        "a bit", "a broken line", "not UTF-8", "another line", "a missing line", "cut off", "cut in a line", "more after the end",
        "a piece is missing", "a piece is another", "a piece is no base64", "a path", "bytes of nothing",
    ],
)  # fmt: skip
def test_damage(kind: str, desk: Store, new_store: NewStore, tmp_path: Path) -> None:
    """Whatever is damaged is reported by its line; the rest goes in, and the whole file brings what was missing."""
    file = tmp_path / "out"
    export(desk, str(file))
    whole = file.read_bytes()
    lines, expected = damaged(lines_of(file), kind)
    file.write_bytes(b"".join(lines))
    other = new_store("other")
    said = reasons(import_log(other, str(file)))
    assert len(said) == len(expected)
    for one, beginning in zip(said, expected, strict=True):
        assert one.startswith(beginning)
    file.write_bytes(whole)
    assert import_log(other, str(file)).failures == []
    assert {one.body for one in records(other)} == {one.body for one in records(desk)}
    assert blobs.missing(other) == []


def test_changes_out_of_the_future(desk: Store, new_store: NewStore, clock: Clock, tmp_path: Path) -> None:
    """A change made by a clock far ahead is refused, as from anybody else."""
    clock.now += 400 * DAY
    new(desk, title="Later")
    export(desk, str(tmp_path / "out"))
    clock.now -= 400 * DAY
    done = import_log(new_store("other"), str(tmp_path / "out"))
    assert reasons(done) == ["line 9: its clock is 1 year ahead of the time here"]


def test_what_is_no_export(store: Store, tmp_path: Path) -> None:
    """Other files are refused with a word about maps; an export of a later form by name."""
    file = tmp_path / "file"
    for content in (b"", b"no,title\n", b"{}\n", gzip.compress(b"hello"), gzip.compress(b"hello")[:9]):
        file.write_bytes(content)
        assert not is_export(str(file))
        with pytest.raises(UsageError, match="is not an export of chit") as caught:
            import_log(store, str(file))
        assert caught.value.hint == "Name a map with --map to import other files."
    file.write_bytes(b'{"schema":"chit.export/2","store":"x"}\n')
    with pytest.raises(UsageError, match=r"is an export of the form chit\.export/2; this chit knows chit\.export/1"):
        import_log(store, str(file))


def test_a_dry_run_and_undo(desk: Store, new_store: NewStore, tmp_path: Path) -> None:
    """A dry run counts and writes nothing; undo takes an import back."""
    export(desk, str(tmp_path / "out"))
    other = new_store("other")
    before = contents(other)
    assert import_log(other, str(tmp_path / "out"), dry_run=True) == (7, 2, 7, 2, 7, 2, [])
    assert contents(other) == before
    import_log(other, str(tmp_path / "out"))
    assert undo.undo(other) is not None
    assert contents(other) == before


def test_where_it_cannot_be_written(desk: Store, tmp_path: Path) -> None:
    """A folder that is not there is said, and nothing half-written is left behind."""
    with pytest.raises(UsageError, match=r"cannot write .*: No such file or directory"):
        export(desk, str(tmp_path / "absent" / "out"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=r"cannot write .*: Is a directory"):
        export(desk, str(tmp_path / "folder"))
    assert not (tmp_path / "folder.part").exists()


@given(st.lists(st.tuples(st.integers(0, 2), LINE), max_size=8))
def test_any_history(in_memory: NewStore, tmp_path: Path, edits: list[tuple[int, str]]) -> None:
    """Whatever was written, exporting, importing and exporting again gives the same lines."""
    one, two = in_memory("one"), in_memory("two")
    seen = [new(one, title=f"ticket {number}") for number in range(3)]
    for number, text in edits:
        change(one, seen[number], {"title": text, "description": f"{text}\n\x00\u2028"})
    export(one, str(tmp_path / "one"))
    assert import_log(two, str(tmp_path / "one")).failures == []
    export(two, str(tmp_path / "two"))
    assert lines_of(tmp_path / "one")[1:] == lines_of(tmp_path / "two")[1:]
    assert contents(one) == contents(two)
