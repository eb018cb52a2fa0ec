"""The library's page shows what is true."""

import contextlib
import io
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "library.md"


def test_the_example_prints_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example runs as it stands and prints what stands below it."""
    text = PAGE.read_text()
    code = text.split("```python\n")[1].split("```")[0]
    promised = [line.strip() for line in text.split("prints\n\n")[1].split("\n\n")[0].splitlines()]
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, str(PAGE), "exec"), {})  # the example is ours
    assert printed.getvalue().splitlines() == promised
