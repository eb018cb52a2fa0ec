"""The network is cut at bytes of all kinds while a real server is read and written to: without cuts it comes to its end, and nothing is
missing or doubled.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chit_sync.errors import ChitError
from support.cutting import ANSWER, PLACES, REQUEST, Looking, Proxy, cut, everything
from support.following import KINDS, Shown, Work, at_once, followed, here, sha256, site_of, there, word
from support.helpdesks import Servers
from support.mirroring import quiet
from support.sites import Site

pytestmark = pytest.mark.timeout(900, func_only=True)

CUTS = 40 if os.environ.get("CI") else 24
"""How often the network is cut in each test."""


@pytest.fixture(params=KINDS)
def site(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Site]:
    """A real server, as agent2 sees it."""
    with site_of(request.param, servers) as found:
        yield found


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked again is asked at once."""
    at_once(monkeypatch)


class Cuts:
    """Cuts at every place of every message sooner or later, one after the other in an order by lot; half of them last."""

    def __init__(self, seed: object, messages: int) -> None:
        chance = random.Random(str(seed))
        kinds = [(side, place) for side in (REQUEST, ANSWER) for place in PLACES]
        self._all = [(nth, *chance.choice(kinds), chance.random() < 0.5) for nth in range(1, messages + 1)]
        chance.shuffle(self._all)
        self._place = 0

    def next(self) -> tuple[str, Looking]:
        """The next one, in words too."""
        nth, side, place, lasting = self._all[self._place % len(self._all)]
        self._place += 1

        words = f"{side} {nth} cut at its {place}{' and nothing after' if lasting else ''}"
        return words, cut(nth, side, place, lasting=lasting)


def test_pushing(site: Site, tmp_path: Path) -> None:
    """Pushes, each with a cut, and then one without."""
    with Proxy(site.url) as proxy, followed(tmp_path / "store", site, proxy.address(site.url)) as side:
        work = Work(side, tmp_path)
        work.write()
        proxy.look(everything)
        side.push()
        cuts = Cuts("push", len(proxy.seen))
        for _ in range(CUTS):
            work.write()
            what, looking = cuts.next()
            proxy.look(looking)
            _try(side.push)
            proxy.look(everything)
            side.push()
            try:
                quiet(side)
            except AssertionError as error:
                raise AssertionError(f"after {what}") from error
        work.check()


def test_cloning_and_pulling(site: Site, tmp_path: Path) -> None:
    """First readings and later ones, each with a cut, and then one without."""
    wanted = []
    for _ in range(3):
        title, said = word(), word()
        number = site.add_ticket(title, "As it was filed.")
        site.say(number, said)
        site.attach(number, "log.txt", b"\0\xff log")
        wanted.append(Shown(title, ((said, True),), (("log.txt", sha256(b"\0\xff log")),)))
    wanted.sort()
    titles = {one.title for one in wanted}
    assert there(site, titles) == wanted
    with Proxy(site.url) as proxy, followed(tmp_path / "store", site, proxy.address(site.url)) as side:
        proxy.look(everything)
        with followed(tmp_path / "other", site, proxy.address(site.url)) as other:
            other.pull()
        cuts = Cuts("clone", min(len(proxy.seen), 60))
        for _ in range(CUTS):
            proxy.look(cuts.next()[1])
            _try(side.pull)
        proxy.look(everything)
        side.pull()
        for count in range(CUTS):
            site.say(number, f"more {count}")
            proxy.look(Cuts(count, 5).next()[1])
            _try(side.pull if count % 3 else side.bytes)
        proxy.look(everything)
        side.pull()
        side.bytes()
        quiet(side)
        wanted = there(site, titles)
        assert sum(len(one.comments) for one in wanted) == 3 + CUTS
        assert here(side, titles) == wanted


def _try(do: Callable[[], object]) -> None:
    """Does something that may fail, in words."""
    with suppress(ChitError):
        do()
