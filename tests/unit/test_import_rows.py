"""Reading rows: every kind of damage costs its own line, is named by its number, and nothing else is lost."""

import gzip
from pathlib import Path

import pytest

from chit_sync.errors import NotFoundError, UsageError
from chit_sync.store.database import Store
from chit_sync.transfer import source as reading
from chit_sync.transfer.importing import import_file
from chit_sync.transfer.report import Failure
from chit_sync.transfer.source import Source, rows
from support.importing import EVENTS, HEADER, LOG, TICKETS, changed, reasons, take

GOOD = "T1,2026-01-05 08:00,0,anna,Printer,New,?\n"
LAST = "T9,2026-01-06 08:00,0,anna,Network,New,?\n"
NAMES = ["no", "at", "count", "by", "title", "state", "who"]
JSON_GOOD = '{"id":"a","title":"One","created":"2026-01-05T08:00:00Z"}\n'


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("T2,2026-01-05 08:00,0,anna,Printer,New\n", "6 columns instead of 7"),
        ("T2,2026-01-05 08:00,0,anna,Printer,New,?,more\n", "8 columns instead of 7"),
        ('T2,"2026-01-05 08:00,0,anna,Printer,New,?\n', "not CSV: unexpected end of data"),
        ('T2,2026-01-05 08:00,0,anna,"Printer" x,New,?\n', "not CSV: ',' expected after '\"'"),
        ("T2,05.01.2026,0,anna,Printer,New,?\n", "'05.01.2026' is not a time of the form %Y-%m-%d %H:%M"),
        ("T2,?,0,anna,Printer,New,?\n", "at is empty: nothing says when"),
        ("T2,2026-01-05 08:00,0,?,Printer,New,?\n", "nothing says by whom"),
        (",2026-01-05 08:00,0,anna,Printer,New,?\n", "no is empty: nothing says which ticket it is"),
        ("?,2026-01-05 08:00,0,anna,Printer,New,?\n", "no is empty: nothing says which ticket it is"),
        ("T2,2026-01-05 08:00,0,anna,Printer,Lost,?\n", "state: the map has no value for 'Lost'"),
        ("T2,2026-01-05 08:00,0,anna,Pri\x07nter,New,?\n", "title holds control characters. It is one line of text."),
        ('T2,2026-01-05 08:00,0,anna,"Pri\nnter",New,?\n', "title holds control characters. It is one line of text."),
        (f"T2,2026-01-05 08:00,0,anna,{'x' * 1001},New,?\n", "title has 1001 characters; 1 to 1000 are allowed"),
        (f"T2,2026-01-05 08:00,0,{'x' * 1001},Printer,New,?\n", "by has 1001 characters; at most 1000 are allowed"),
        ("T2,2026-01-05 08:00,0,an\x1bna,Printer,New,?\n", "by holds control characters"),
        ("T2,2027-01-05 08:00,0,anna,Printer,New,?\n", "it is dated in the future"),
    ],
)  # fmt: skip
def test_a_bad_csv_row(line: str, reason: str, store: Store, tmp_path: Path) -> None:
    """One bad row is reported with its line and why; the rows around it go in."""
    done = take(store, tmp_path, HEADER + GOOD + line + LAST, changed(EVENTS))
    assert reasons(done) == [f"line 3: {reason}"]
    assert (done.rows, done.new_tickets, done.new_changes) == (2, 2, 2)


def test_bytes_that_are_no_text(store: Store, tmp_path: Path) -> None:
    """Invalid UTF-8 costs its row, and another encoding can be named."""
    text = HEADER + GOOD + "T2,2026-01-05 08:00,0,Jürgen,Printer,New,?\n" + LAST
    done = take(store, tmp_path, text.encode("latin-1"), changed(EVENTS))
    assert reasons(done) == ["line 3: not valid UTF-8 at byte 24"]
    done = take(store, tmp_path, text.encode("latin-1"), changed(EVENTS, encoding="latin-1"))
    assert (done.failures, done.new_changes) == ([], 1)


def test_lines_are_counted_as_an_editor_counts_them(store: Store, tmp_path: Path) -> None:
    """A row of several lines, empty lines and a byte order mark do not put the numbers out."""
    note = 'T2,2026-01-05 08:00,0,anna,"Two\nlines",New,?\n'
    text = "\ufeff" + HEADER + GOOD + "\n" + note + "\r\n" + "T3,x\n" + LAST
    done = take(store, tmp_path, text, changed(EVENTS))
    assert reasons(done) == [
        "line 4: title holds control characters. It is one line of text.",
        "line 7: 2 columns instead of 7",
    ]
    assert done.new_tickets == 2


def test_one_quote_too_many_does_not_swallow_the_file(tmp_path: Path) -> None:
    """A quote that never ends costs its own line, however much follows, and so does every other one."""
    lines = [f"T{number},a,b,c,d,e,f\n" for number in range(50)]
    for place in (3, 20, 21, 49):
        lines[place] = f'T{place},"a,b,c,d,e,f\n'
    file = tmp_path / "file"
    file.write_text(HEADER + "".join(lines))
    failures: list[Failure] = []
    source = Source(str(file))
    found = list(rows(source, "csv", NAMES, ",", "utf-8", failures.append))
    source.close()
    assert [line for line, _ in found] == [2 + place for place in range(50) if place not in (3, 20, 21, 49)]
    assert [failure.line for failure in failures] == [5, 22, 23, 51]


def test_a_line_without_end(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is longer than any ticket can be is left out, without being held in memory."""
    monkeypatch.setattr(reading, "MAX_LINE", 1 << 20)
    text = HEADER + GOOD + "T2," + "x" * (3 << 20) + "\n" + LAST
    assert reasons(take(store, tmp_path, text, changed(EVENTS))) == ["line 3: longer than 1 MiB"]
    long = JSON_GOOD + '{"id":"' + "x" * (3 << 20) + '"}\n' + JSON_GOOD.replace('"a"', '"b"')
    done = take(store, tmp_path, long, changed(TICKETS))
    assert reasons(done) == ["line 2: longer than 1 MiB"]
    assert done.new_tickets == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id":"b","title":\n', "not a JSON object: Input data was truncated"),
        (b"[1,2]\n", "not a JSON object: Expected `object`, got `array`"),
        (b'{"id":"b","title":"\xff"}\n', "not valid UTF-8 at byte 20"),
        (b"[" * 100_000 + b"\n", "not a JSON object: Expected `object`, got `array`"),
        (b'{"a":' * 100_000 + b"\n", "not a JSON object: "),
        (b'{"id":"b","title":["x"],"created":"2026-01-05T08:00:00Z"}\n', "title is a list, not a text"),
        (b'{"id":"b","title":{"x":1},"created":"2026-01-05T08:00:00Z"}\n', "title is an object, not a text"),
        (b'{"id":["b"],"title":"x"}\n', "id is empty: nothing says which ticket it is"),
        (b'{"title":"x"}\n', "id is empty: nothing says which ticket it is"),
        (b'{"id":"b","title":"x"}\n', "created is empty: nothing says when"),
        (b'{"id":"b","created":"2026-01-05T08:00:00Z","labels":["a,b"]}\n', "'a,b' cannot be a label. A label has 1 to 100"),
        (b'{"id":"b","created":"2026-01-05T08:00:00Z","labels":[7]}\n', "labels: a label is a text, not 7"),
        (b'{"id":"b","created":"2026-01-05T08:00:00Z","comments":"hello"}\n', "comments are a list of objects, not 'hello'"),
        (b'{"id":"b","created":"2026-01-05T08:00:00Z","comments":["hello"]}\n', "comments are a list of objects; 'hello' is none"),
        (b'{"id":"b","created":"2026-01-05T08:00:00Z","comments":[{"text":"x"}]}\n', "one of its comments has no id"),
        (b'{"id":"b","created":"2026-01-05T08:00:00Z","links":[{"to":"a","kind":"likes"}]}\n', "kind: the map has no value for 'likes'"),
        (b'{"id":"b","created":"2026-01-05T08:00:00Z","links":[{"to":"a","kind":"odd"}]}\n', "'odd' is no kind of link; there are"),
        (b'{"id":"b","created":"2026-01-05T08:00:00Z","links":[{"to":"b","kind":"see"}]}\n', "b is linked to itself"),
        (b'{"id":"a","title":"again","created":"2026-01-05T08:00:00Z"}\n', "a second row for a; the first is in line 1"),
    ],
)  # fmt: skip
def test_a_bad_json_line(line: bytes, reason: str, store: Store, tmp_path: Path) -> None:
    """One bad line is reported with its number and why; the lines around it go in."""
    text = JSON_GOOD.encode() + line + JSON_GOOD.replace('"a"', '"z"').encode()
    done = take(store, tmp_path, text, changed(TICKETS))
    assert len(done.failures) == 1
    assert reasons(done)[0].startswith(f"line 2: {reason}")
    assert (done.rows, done.new_tickets) == (2, 2)


def test_packed_files(store: Store, tmp_path: Path) -> None:
    """gzip is recognised by its bytes, whatever the name; a file that was cut off gives what came before."""
    packed = gzip.compress((LOG * 1).encode(), mtime=0)
    done = take(store, tmp_path, packed, changed(EVENTS))
    assert (done.new_changes, done.failures) == (4, [])
    many = HEADER + "".join(
        f"K{number},2026-01-05 08:00,0,anna,Printer {number * 7919},New,?\n" for number in range(5000)
    )
    done = take(store, tmp_path, gzip.compress(many.encode())[:-2000], changed(EVENTS))
    assert 0 < done.new_tickets < 5000
    assert len(done.failures) in (1, 2)
    assert "the file is damaged or cut off here: Compressed file ended before" in reasons(done)[-1]


def test_files_that_cannot_be_read(store: Store, tmp_path: Path) -> None:
    """What is absent, a folder, empty, or has not the map's columns is refused, and says what there is instead."""
    mapping = changed(EVENTS)
    with pytest.raises(NotFoundError, match=r"cannot read .*absent: No such file or directory"):
        import_file(store, str(tmp_path / "absent"), mapping)
    with pytest.raises(NotFoundError, match="Is a directory"):
        import_file(store, str(tmp_path), mapping)
    with pytest.raises(UsageError, match="is empty"):
        take(store, tmp_path, "", mapping)
    with pytest.raises(UsageError, match="has no column 'count', which the map names") as caught:
        take(store, tmp_path, "no,at,by\n1,2,3\n", mapping)
    assert caught.value.hint == "Its columns are: no, at, by."
    with pytest.raises(UsageError, match="has more than one column 'no'"):
        take(store, tmp_path, "no," + HEADER, mapping)
