"""What scripts/generate writes is committed, and goes into the packages; it must be what the code says today."""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_what_is_generated_is_fresh(committed: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file that scripts/generate writes holds what it would write now."""
    monkeypatch.setattr(sys, "path", [*sys.path])  # the script puts the checkout first
    files = runpy.run_path(str(ROOT / "scripts" / "generate"))["generated"]()
    assert "completion_table.py" in {path.name for path in files}
    for path, text in files.items():
        committed(path.relative_to(ROOT).as_posix(), text)
