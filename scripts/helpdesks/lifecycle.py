"""Up, down, reset and status of several servers: one that fails does not keep the others from what was asked."""

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from helpdesks import packages, ports, processes
from helpdesks.djhd import DjangoHelpdesk
from helpdesks.errors import Failed
from helpdesks.redmine import Redmine
from helpdesks.roundup import Roundup
from helpdesks.rt import RequestTracker
from helpdesks.server import Seed, Server
from helpdesks.steps import ZONE, shortened
from helpdesks.web import Unready
from helpdesks.workplace import Place, Workplace, read_json

SERVERS: dict[str, Server] = {s.kind: s for s in (RequestTracker(), Redmine(), Roundup(), DjangoHelpdesk())}

START_SECONDS = 90.0
TRIES = 3
"""How many ports are tried: between choosing one and listening on it somebody else may take it."""

Failures = dict[str, Failed]


class Starting(NamedTuple):
    """A server that was started and has not answered yet."""

    process: "subprocess.Popen[bytes]"
    port: int
    log_from: int


class Fleet:
    """The servers that were asked for, in a folder whose lock is held."""

    def __init__(self, work: Workplace, kinds: Sequence[str]) -> None:
        self.work = work
        self.servers = {kind: SERVERS[kind] for kind in kinds}
        self.failures: Failures = {}

    def up(self) -> None:
        """Installs and seeds what is not, starts what does not run, and ends when all answer."""
        self._packages()
        ready = [kind for kind in self.servers if self._attempt(kind, self._provide)]
        self._start([kind for kind in ready if not self._answers(kind)])

    def reset(self) -> None:
        """The databases as they were seeded, in servers that run then, whether they did before or not."""
        self._packages()
        ready = [kind for kind in self.servers if self._attempt(kind, self._provide)]
        self._start([kind for kind in ready if self._attempt(kind, self._restore)])

    def down(self) -> None:
        """Ends what we started. The databases stay as they are."""
        for kind in self.servers:
            self._attempt(kind, lambda kind: self._say(kind, "stopped" if self._stop(kind) else "did not run"))

    def _say(self, kind: str, what: str) -> None:
        print(f"{kind}: {what}", flush=True)

    def _attempt(self, kind: str, action: Callable[[str], Any]) -> bool:
        if kind in self.failures:
            return False
        try:
            action(kind)
        except Failed as error:
            self.failures[kind] = error
        except (OSError, ValueError, KeyError) as error:
            self.failures[kind] = Failed(f"{type(error).__name__}: {error}")
        return kind not in self.failures

    def _packages(self) -> None:
        """One call of apt for all; where that fails, those that lack nothing go on."""
        have = packages.installed({name for server in self.servers.values() for name in server.debian})
        lacking = {
            kind: packages.missing(server.debian, have, mail=Path("/usr/sbin/sendmail").exists())
            for kind, server in self.servers.items()
        }
        wanted = sorted({name for names in lacking.values() for name in names})
        if not wanted:
            return
        try:
            packages.apt(wanted, self.work.folder / "apt.log")
        except Failed as error:
            for kind in (kind for kind, names in lacking.items() if names):
                able = packages.may_install() is not None
                self.failures[kind] = error if able else packages.cannot(lacking[kind])

    def _provide(self, kind: str) -> None:
        """Installed and seeded, with a database to work on."""
        server, place = self.servers[kind], self.work.make(kind)
        for file in server.files:
            if not Path(file).exists():
                raise Failed(f"{file} is missing although the packages are installed", "Is this Debian 12?")
        if server.pypi:
            packages.environment(place, server.pypi, self.work.lock)
        stamp = place.seeded / "stamp"
        fingerprint = server.fingerprint()
        if not (stamp.exists() and stamp.read_text() == fingerprint):
            self._stop(kind)
            began = time.monotonic()
            with place.seeding() as folder:
                server.seed(place, folder / "data", self.work.lock)
                (folder / "stamp").write_text(fingerprint)
            self._say(kind, f"seeded in {time.monotonic() - began:.1f} s")
        if not place.data.exists():
            self._stop(kind)
            place.restore()

    def _restore(self, kind: str) -> None:
        self._stop(kind)
        self.work.place(kind).restore()

    def _seed(self, place: Place) -> Seed:
        return read_json(place.seeded / "seed.json")

    def _answers(self, kind: str) -> bool:
        """Whether it runs already and is well; if it runs and is not, it is stopped."""
        server, place = self.servers[kind], self.work.place(kind)
        running = processes.read_identity(place.process)
        entry = self.work.entries().get(kind)
        if running is not None and entry is not None and processes.is_running(running) and entry["pid"] == running.pid:
            try:
                server.check(entry["url"], self._seed(place))
            except (Unready, KeyError, TypeError):
                pass
            else:
                self._say(kind, f"runs at {entry['url']}")
                return True
        self._stop(kind)
        return False

    def _stop(self, kind: str) -> bool:
        place = self.work.place(kind)
        self.work.write(kind, None)
        try:
            return processes.stop(place.process, place.root)
        except TimeoutError as error:
            raise Failed(str(error), f"Its folder: {place.root}") from error

    def _start(self, kinds: Sequence[str]) -> None:
        """All are started before the first is waited for. Where we are interrupted, none is left that nobody knows of."""
        starting: dict[str, Starting] = {}
        try:
            for kind in kinds:
                self._attempt(kind, lambda kind: self._launch(kind, starting))
            for kind in list(starting):
                self._attempt(kind, lambda kind: self._await(kind, starting))
        finally:
            for kind in starting:
                self._stop(kind)

    def _launch(self, kind: str, starting: dict[str, Starting], avoid: Sequence[int] = ()) -> None:
        server, place = self.servers[kind], self.work.place(kind)
        taken = [*(one.port for one in starting.values()), *avoid]
        port = ports.choose(place.port if place.port not in avoid else None, taken)
        place.remember_port(port)
        server.prepare(place, port)
        log_from = place.log.stat().st_size if place.log.exists() else 0
        process = processes.start(
            server.command(place, port),
            environment=server.environment(place, place.data, port),
            folder=place.root,
            log=place.log,
            file=place.process,
        )
        starting[kind] = Starting(process, port, log_from)

    def _await(self, kind: str, starting: dict[str, Starting]) -> None:
        """Until the agent's token works; a server that ended meanwhile gets another port, for that is the usual reason."""
        server, place = self.servers[kind], self.work.place(kind)
        seed = self._seed(place)
        began = time.monotonic()
        refused: list[int] = []
        last = ""
        while time.monotonic() - began < START_SECONDS:
            process, port, log_from = starting[kind]
            if process.poll() is not None:
                refused.append(port)
                self._stop(kind)
                if len(refused) == TRIES or ports.is_free(port):
                    del starting[kind]
                    raise Failed(f"it ended right after its start\n{_tail(place.log, log_from)}", f"See {place.log}")
                self._say(kind, f"port {port} was taken meanwhile; another one")
                self._launch(kind, starting, refused)
                continue
            try:
                server.check(server.url(port), seed)
            except Unready as error:
                last = str(error)
                time.sleep(0.1)
                continue
            if process.poll() is None:  # or else it was somebody else who answered
                self.work.write(kind, self._entry(kind, starting.pop(kind), seed))
                self._say(kind, f"runs at {server.url(port)}")
                return
        raise Failed(
            f"no good answer within {START_SECONDS:.0f} s: {last}\n{_tail(place.log, log_from)}", f"See {place.log}"
        )

    def _entry(self, kind: str, started: Starting, seed: Seed) -> dict[str, Any]:
        server, place = self.servers[kind], self.work.place(kind)
        url = server.url(started.port)
        return {
            "kind": kind,
            "title": server.title,
            "version": server.version(),
            "url": url,
            "remote": f"{kind}+{url}",
            "pid": started.process.pid,
            "timezone": ZONE,
            "data": str(place.data),
            "mail": str(place.data / server.mail),
            "log": str(place.log),
            **seed,
        }


def _tail(log: Path, start: int) -> str:
    """The end of what a server has printed since it was started."""
    with log.open("rb") as file:
        file.seek(start)
        return shortened(file.read().decode(errors="replace"))


def status(work: Workplace, kinds: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The state of each server and where it is. Changes nothing and waits for nobody."""
    entries = work.read()
    found = {}
    for kind in kinds:
        place = work.place(kind)
        alive = processes.ours(place.process, place.root)
        entry = entries.get(kind)
        if entry is not None and entry.get("pid") in alive:
            found[kind] = ("running", f"{entry['url']} pid {entry['pid']} version {entry['version']}")
        elif alive:
            found[kind] = ("starting", f"pid {alive[0]}")
        elif entry is not None:
            found[kind] = ("died", f"see {entry['log']}")
        else:
            found[kind] = ("stopped", "" if place.seeded.exists() else "never set up here")
    return found
