"""The process is ended at every step of a push to a real server: the next one goes on, and nothing there is missing or doubled.

What is sent is new each time, since no real server is set back; in the end all of it is looked for there, as somebody else.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cutting import ANSWER, REQUEST, Passing, Proxy, everything
from support.following import KINDS, Following, Work, every_answer, followed, site_of
from support.helpdesks import Servers
from support.mirroring import quiet
from support.mortal import EndedError, Steps
from support.sites import Site

pytestmark = pytest.mark.timeout(900, func_only=True)

PATIENCE = 60
PACE = 1 if os.environ.get("CI") else 3
"""Every how manieth step the process is ended at."""


@pytest.fixture(params=KINDS)
def site(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Site]:
    """A real server, as agent2 sees it."""
    with site_of(request.param, servers) as found:
        yield found


def test_a_push_is_ended(site: Site, tmp_path: Path) -> None:
    """A process that ends after any transaction, or any answer to a request that did something, leaves what the next one finishes."""
    with followed(tmp_path / "store", site) as side:
        work = Work(side, tmp_path)
        at = 1 - PACE
        while True:
            at += PACE
            work.write()
            if not _ended(side, at):
                break
            next_one = side.again()
            next_one.push()
            quiet(next_one)
            next_one.close()
        assert at > 20
        quiet(side)
        work.check()


def _ended(side: Following, at: int) -> bool:
    """Pushes in a process that ends at a step; whether it had not come to its end before."""
    steps = Steps(at)

    def step(name: str) -> None:
        if name != "begin" and name != "commit":  # as it was at the step before
            steps(name)

    mortal = side.again(step)
    try:
        with every_answer(step):
            mortal.push()
        return False
    except EndedError:
        return True
    finally:
        mortal.close()


@pytest.mark.parametrize("side", [REQUEST, ANSWER])
def test_a_process_is_killed(site: Site, tmp_path: Path, side: str) -> None:
    """`chit push`, killed when a request of it is about to arrive, or was done and is not answered: the next one finishes it."""
    with Proxy(site.url) as proxy, followed(tmp_path / ".chit", site, proxy.address(site.url)) as ours:
        work = Work(ours, tmp_path)
        at = 0
        while True:
            at += 1
            work.write()
            if not _killed(tmp_path, site.secret, proxy, side, at):
                break
            _run(tmp_path, site.secret).wait(PATIENCE)
        assert at > 7
        quiet(ours)
        work.check()


def _killed(folder: Path, secret: str, proxy: Proxy, side: str, at: int) -> bool:
    """Runs `chit push` and kills it at a request that does something; whether there was one."""
    process: list[subprocess.Popen[bytes]] = []
    started = threading.Event()
    done = 0

    def look(message: Passing) -> int | None:
        nonlocal done
        if message.asks or message.side != side:
            return None
        done += 1
        if done < at:
            return None
        started.wait(PATIENCE)
        process[0].kill()
        process[0].wait(PATIENCE)
        return 0

    proxy.look(look)
    process.append(_run(folder, secret))
    started.set()
    code = process[0].wait(PATIENCE)
    proxy.look(everything)
    assert code == (-signal.SIGKILL if done >= at else 0)
    return done >= at


def _run(folder: Path, secret: str) -> "subprocess.Popen[bytes]":
    env = {**os.environ, "CHIT_TOKEN": secret}
    return subprocess.Popen([sys.executable, "-m", "chit", "push"], cwd=folder, env=env, stdin=subprocess.DEVNULL)
