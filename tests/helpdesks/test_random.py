"""Random walks on each real server and on its stand-in: edits on both sides, exchanges, a network that is cut; in the end both agree."""

import importlib
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.cutting import REQUEST, Proxy
from support.following import KINDS, at_once, followed, site_of
from support.helpdesks import Servers
from support.sites import Site
from support.strolling import CUTS, Stroll

STEPS = 120 if os.environ.get("CI") else 40
SEEDS = range(8 if os.environ.get("CI") else 2)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked again is asked at once."""
    at_once(monkeypatch)


def _walk(site: Site, folder: Path, seed: object, steps: int, cuts: Sequence[tuple[str, str]] = CUTS) -> None:
    with Proxy(site.url) as proxy, followed(folder / "store", site, proxy.address(site.url)) as side:
        stroll = Stroll(side, proxy, folder, seed, cuts)
        try:
            stroll.run(steps)
            stroll.settle()
            stroll.check()
        except BaseException:
            print("\n".join(stroll.told))
            raise


@pytest.mark.parametrize("kind", KINDS)
def test_on_a_server(kind: str, servers: Servers, tmp_path: Path) -> None:
    """On the real one."""
    with site_of(kind, servers) as site:
        _walk(site, tmp_path, kind, STEPS)


@pytest.mark.parametrize("kind", ["rt", "redmine", "roundup", "djhd"])
@pytest.mark.parametrize("seed", SEEDS)
def test_on_a_stand_in(kind: str, seed: int, tmp_path: Path) -> None:
    """On a stand-in, where nothing but this happens."""
    cuts = [one for one in CUTS if one != (REQUEST, "head")]  # they take half a head for a whole one
    with importlib.import_module(f"support.standins.{kind}").Standin() as site:
        _walk(site, tmp_path, (kind, seed), 3 * STEPS, cuts)
