"""`chit import` and `chit export` as they are typed: what they print, their exit codes, pipes."""

import gzip
import json
from pathlib import Path

import pytest

from support.importing import DATA
from support.runner import Chit

INCIDENTS = str(DATA / "incidents.csv")
ISSUES = str(DATA / "issues.jsonl")


@pytest.fixture
def desk(chit: Chit) -> Chit:
    """chit in a folder with an empty store."""
    chit("init")
    return chit


def test_import_of_a_log(desk: Chit) -> None:
    """What was added is said, once; undo takes it back."""
    assert (
        desk("import", INCIDENTS, "--map", "servicenow-incidents", "-n").err
        == "would add 11 changes; 3 tickets would be new\n"
    )
    assert desk("list", "--all").out == ""
    assert desk("import", INCIDENTS, "--map", "servicenow-incidents").err == "added 11 changes; 3 tickets are new\n"
    again = desk("import", INCIDENTS, "--map", "servicenow-incidents")
    assert again.err == "nothing new: 11 changes of 3 tickets were here already\n"
    assert again.out == ""
    assert len(desk("list", "--all").out.splitlines()) == 3
    desk("undo")
    assert desk("list", "--all").out == ""


def test_rows_that_do_not_fit(desk: Chit, tmp_path: Path) -> None:
    """Each is named by its line, the rest goes in, and the exit code says so; --json has them as records."""
    broken = tmp_path / "broken.csv"
    lines = Path(INCIDENTS).read_text().splitlines(keepends=True)
    lines[3] = lines[3].replace("Awaiting User Info", "Awaiting Godot")
    lines[7] = "INC0090002,short\n"
    broken.write_text("".join(lines))
    ran = desk("import", str(broken), "--map", "servicenow-incidents", code=8)
    assert ran.err.splitlines() == [
        "added 9 changes; 3 tickets are new",
        "error: 2 lines did not fit; the rest went in",
        "  line 4: incident_state: the map has no value for 'Awaiting Godot'",
        "  line 8: 2 columns instead of 36",
        "hint: Mend the file or the map and import it again: what is in already is not added twice.",
    ]
    ran = desk("import", str(broken), "--map", "servicenow-incidents", "--json", code=8)
    found = ran.json
    assert found["schema"] == "chit.imported/1"
    assert (found["rows"], found["new_changes"]) == (9, 0)
    assert found["failures"][1] == {"line": 8, "reason": "2 columns instead of 36"}
    assert json.loads(ran.err)["exit"] == 8


def test_many_failures(desk: Chit, tmp_path: Path) -> None:
    """The message lists the first ones and says how many more there are."""
    file = tmp_path / "file"
    file.write_text("nonsense\n" * 60)
    ran = desk("import", str(file), "--map", "beads", code=8)
    assert len(ran.err.splitlines()) == 54
    assert "  and 10 more; --json lists all" in ran.err.splitlines()


def test_a_pipe_from_export_to_import(desk: Chit, tmp_path: Path) -> None:
    """`chit export --jsonl | chit import -` makes the same store again; so does a packed file."""
    desk("import", ISSUES, "--map", "beads")
    piped = desk("export", "--jsonl").out
    assert piped == desk("export").out
    desk("init", str(tmp_path / "other"))
    ran = desk("-C", str(tmp_path / "other"), "import", "-", stdin=piped)
    assert ran.err.endswith("; 5 tickets are new\n")
    assert desk("-C", str(tmp_path / "other"), "export").out.splitlines()[1:] == piped.splitlines()[1:]
    ran = desk("export", "out.jsonl.gz")
    assert ran.out == "out.jsonl.gz\n"
    assert gzip.decompress((desk.folder / "out.jsonl.gz").read_bytes()).decode() == piped
    assert desk("import", "out.jsonl.gz").err.startswith("nothing new")
    assert desk("export", "out.jsonl.gz", code=5).err.startswith("error: out.jsonl.gz is there already")
    desk("export", "out.jsonl.gz", "--force")
    assert desk("export", "--json").json["changes"] == len(piped.splitlines()) - 2


def test_options_and_files(desk: Chit, tmp_path: Path) -> None:
    """Another source makes other tickets; a zone shifts times; what contradicts itself or is not there is refused."""
    desk("import", INCIDENTS, "--map", "servicenow-incidents")
    assert "3 tickets are new" in desk("import", INCIDENTS, "--map", "servicenow-incidents", "--source", "other").err
    desk("import", INCIDENTS, "--map", "servicenow-incidents", "--source", "third", "--zone", "Europe/Berlin")
    times = {line.split("\t")[2] for line in desk("log").out.splitlines()}
    assert {"2024-01-04T08:23:00.000Z", "2024-01-04T07:23:00.000Z"} <= times
    assert "go with --map" in desk("import", INCIDENTS, "--zone", "UTC", code=2).err
    assert "no map 'absent'" in desk("import", INCIDENTS, "--map", "absent", code=3).err
    assert "is not an export of chit" in desk("import", INCIDENTS, code=2).err
    assert "cannot read absent" in desk("import", "absent", code=3).err
    assert "there is no time zone" in desk("import", INCIDENTS, "--map", "beads", "--zone", "Nowhere", code=2).err
