"""The package that users install: what is in it, and that it says the version that it is."""

import os
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

import chit

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names of the files in a wheel that was just built."""
    target = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(target)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=100)
    (made,) = target.glob("*.whl")
    return zipfile.ZipFile(made).namelist()


def files(root: str) -> set[str]:
    """All files below a source root, as paths within it."""
    top = ROOT / root
    found = (file.relative_to(top) for file in top.rglob("*") if file.is_file())
    return {file.as_posix() for file in found if "__pycache__" not in file.parts}


def test_version() -> None:
    """The installed package and `chit.__version__` say the same version."""
    assert version("chit") == chit.__version__


def test_wheel_holds_both_packages(wheel: list[str]) -> None:
    """All files of both packages are in the wheel, code and other, and nothing else is."""
    packaged = {name for name in wheel if ".dist-info/" not in name and ".data/" not in name}
    assert packaged == files("cli") | files("sync")


def test_wheel_holds_what_is_no_code(wheel: list[str]) -> None:
    """The maps for importing come along, and the marks that say that the packages are typed."""
    assert {"chit/py.typed", "chit_sync/py.typed"} <= set(wheel)
    assert "chit_sync/transfer/maps/servicenow-incidents.toml" in wheel


def test_wheel_holds_the_catalogues(wheel: list[str]) -> None:
    """What is needed to speak another language than English comes along."""
    assert "chit/locale/de/LC_MESSAGES/chit.mo" in wheel


def test_wheel_holds_the_completions(wheel: list[str]) -> None:
    """Completions for the three shells are installed where these look for them."""
    places = [name.partition(".data/data/")[2] for name in wheel if ".data/data/" in name]
    assert sorted(os.path.dirname(place) for place in places if place) == [
        "share/bash-completion/completions",
        "share/fish/vendor_completions.d",
        "share/zsh/site-functions",
    ]
