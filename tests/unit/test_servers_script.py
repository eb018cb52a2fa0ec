"""The logic of scripts/servers, without any helpdesk: ports, processes that are ours and others, the record, the lock, what is missing."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "scripts"))

from helpdesks import packages, ports, processes, web  # noqa: E402  # the path comes first
from helpdesks.errors import Failed  # noqa: E402  # as above
from helpdesks.lifecycle import SERVERS, Fleet, status  # noqa: E402  # as above
from helpdesks.processes import Identity  # noqa: E402  # as above
from helpdesks.redmine import Redmine  # noqa: E402  # as above
from helpdesks.roundup import CHANGES, with_additions, with_settings  # noqa: E402  # as above
from helpdesks.server import Seed, Server  # noqa: E402  # as above
from helpdesks.steps import run, shortened, surroundings  # noqa: E402  # as above
from helpdesks.workplace import Place, Workplace  # noqa: E402  # as above

# Servers are meant to outlive the object that started them, which Python takes for an oversight.
pytestmark = pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")

ROLES = {"agent1", "agent2", "requester", "admin"}


def wait(until: Callable[[], object]) -> None:
    """Until it is so; bounded."""
    deadline = time.monotonic() + 20
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# Ports


def test_remembered_port_is_kept() -> None:
    """A server gets the port of last time while that is free."""
    port = ports.choose(None)
    assert ports.is_free(port)
    assert ports.choose(port) == port


def test_port_that_is_taken() -> None:
    """A port on which somebody else listens is not free, and another is chosen."""
    with socket.create_server((ports.HOST, 0)) as other:
        taken = other.getsockname()[1]
        assert not ports.is_free(taken)
        assert ports.choose(taken) != taken


def test_ports_of_others_that_start() -> None:
    """Servers that start together get different ports, whatever they had before."""
    chosen: list[int] = []
    first = ports.choose(None)
    for _ in range(20):
        chosen.append(ports.choose(first, chosen))
    assert len(set(chosen)) == 20
    assert chosen[0] == first


@pytest.mark.parametrize("nonsense", [0, -1, 65536, 10**9])
def test_remembered_nonsense(nonsense: int) -> None:
    """A remembered number that is no port is ignored."""
    assert 0 < ports.choose(nonsense) < 65536


# Processes


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A server's place; what runs in it is ended afterwards."""
    made = Place(tmp_path)
    yield made
    processes.stop(made.process, made.root, patience=1)


def begin(place: Place, *command: str) -> "subprocess.Popen[bytes]":
    """Starts it as a server, and waits until it has introduced itself."""
    process = processes.start(command, environment=surroundings(), folder=place.root, log=place.log, file=place.process)
    wait(place.process.exists)
    return process


@pytest.mark.parametrize("name", ["sh", "a b", "a) S 1 (b", ")))"])
def test_stat_of_any_name(name: str) -> None:
    """The name of a program may hold brackets and blanks; the fields behind it are found all the same."""
    tail = " ".join(["S", "1", "77", *(str(n) for n in range(6, 22)), "4242", "0", "0"])
    assert processes.parse_stat(f"77 ({name}) {tail}") == (77, "S", 77, 4242)


@pytest.mark.parametrize("line", ["", "77", "77 (sh)", "77 (sh) S 1 77", "x (sh) " + "1 " * 30])
def test_stat_that_is_none(line: str) -> None:
    """What is no line of /proc/PID/stat is taken for no process."""
    assert processes.parse_stat(line) is None


def test_started_process_is_ours(place: Place) -> None:
    """A server leads a group of its own, is known by its file from its first moment, and is stopped with its workers."""
    process = begin(place, "/bin/sh", "-c", "sleep 60 & sleep 60 & wait")
    wait(lambda: len(processes.ours(place.process, place.root)) == 3)
    identity = processes.read_identity(place.process)
    assert identity is not None
    assert identity.pid == process.pid != os.getpgrp()
    assert processes.is_running(identity)
    assert processes.stop(place.process, place.root)
    assert processes.members(process.pid) == []
    assert not place.process.exists()
    assert not processes.stop(place.process, place.root)


def test_server_that_does_not_listen(place: Place) -> None:
    """A server that ignores the polite request is ended all the same."""
    begin(place, "/bin/sh", "-c", "trap '' TERM; while :; do sleep 60 & wait; done")
    assert processes.stop(place.process, place.root, patience=0.3)
    assert processes.ours(place.process, place.root) == []


def test_workers_without_their_leader(place: Place) -> None:
    """Where the leader was killed, the workers that are left are found and ended."""
    process = begin(place, "/bin/sh", "-c", "sleep 60 & wait")
    wait(lambda: len(processes.members(process.pid)) == 2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=20)
    assert len(processes.ours(place.process, place.root)) == 1
    assert processes.ours(place.process, place.root / "elsewhere") == []
    assert processes.stop(place.process, place.root)
    assert processes.members(process.pid) == []


@pytest.mark.parametrize("changed", ["began", "boot"])
def test_foreign_process_is_left_alone(place: Place, changed: str) -> None:
    """A process that only has the number of ours, begun at another time or since another boot, is not touched."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as other:
        try:
            stat = (processes.PROC / str(other.pid) / "stat").read_text().strip()
            boot = processes.BOOT.read_text().strip()
            if changed == "began":
                head, _, tail = stat.rpartition(")")
                fields = tail.split()
                fields[19] = str(int(fields[19]) - 1)
                stat = f"{head}) {' '.join(fields)}"
            else:
                boot = "another"
            place.process.write_text(f"{stat}\n{boot}\n")
            assert processes.read_identity(place.process) is not None
            assert processes.ours(place.process, place.root) == []
            assert not processes.stop(place.process, place.root)
            assert other.poll() is None
            assert not place.process.exists()
        finally:
            other.kill()


@pytest.mark.parametrize("text", ["", "1", "1\n", "\0\n\n", "1 (x) S\nboot\n"])
def test_process_file_without_sense(place: Place, text: str) -> None:
    """A file that names no process in full names none."""
    place.process.write_text(text)
    assert processes.read_identity(place.process) is None
    assert not processes.stop(place.process, place.root)


def test_identity_of_this_boot() -> None:
    """This process is running by its own identity, and by no other."""
    stat = processes.parse_stat((processes.PROC / "self" / "stat").read_text())
    assert stat is not None
    mine = Identity(stat.pid, stat.began, processes.BOOT.read_text().strip())
    assert processes.is_running(mine)
    assert not processes.is_running(mine._replace(began=mine.began + 1))


# The workplace


def test_record_round_trip(tmp_path: Path) -> None:
    """What is written is read, one server's entry does not disturb another's, and only its owner may read the tokens."""
    work = Workplace(tmp_path)
    assert work.read() == {}
    work.write("rt", {"url": "http://127.0.0.1:1", "name": "Øne"})
    work.write("djhd", {"url": "http://127.0.0.1:2"})
    work.write("rt", None)
    assert work.read() == {"djhd": {"url": "http://127.0.0.1:2"}}
    assert work.record.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '"x"', '{"version": 0, "servers": {}}', '{"version": 1, "servers": []}']
)
def test_record_without_sense(tmp_path: Path, text: str) -> None:
    """A record that cannot be read says so, with what to do, and is replaced by the next writing."""
    work = Workplace(tmp_path)
    work.record.write_text(text)
    with pytest.raises(Failed) as caught:
        work.read()
    assert "scripts/servers up" in caught.value.hint
    work.write("rt", {"pid": 1})
    assert work.read() == {"rt": {"pid": 1}}


def test_one_at_a_time(tmp_path: Path) -> None:
    """Who comes second waits, and gives up in the end; afterwards the folder is free again."""
    first, second = Workplace(tmp_path / "new" / "work"), Workplace(tmp_path / "new" / "work")
    with first.held(), pytest.raises(Failed, match="somebody else"), second.held(patience=0.1):
        pass
    with second.held(patience=0.1):
        assert isinstance(second.lock, int)


def test_step_that_outlives_us_holds_the_lock(tmp_path: Path) -> None:
    """A step that goes on after the script was killed keeps the next one waiting."""
    work = Workplace(tmp_path / "work")
    with work.held():
        assert work.lock is not None
        step = subprocess.Popen(["sleep", "60"], pass_fds=[work.lock])
    with step:
        try:
            with pytest.raises(Failed, match="somebody else"), work.held(patience=0.1):
                pass
        finally:
            step.kill()
    with work.held(patience=10):
        pass


def test_folder_of_somebody_else(tmp_path: Path) -> None:
    """A folder with other things in it is refused and left as it is."""
    (tmp_path / "letters").mkdir()
    with pytest.raises(Failed, match="has not put there"), Workplace(tmp_path).held():
        pass
    assert [file.name for file in tmp_path.iterdir()] == ["letters"]


def seed(place: Place, name: str, *, fails: bool = False) -> None:
    """A seeding that makes one file."""
    with place.seeding() as folder:
        (folder / "data" / name).write_text("seeded")
        if fails:
            raise ValueError("no")


def test_seeding_that_fails_leaves_nothing_seeded(place: Place) -> None:
    """Only a seeding that went through counts, and the leftovers of others go with the next."""
    with pytest.raises(ValueError, match="no"):
        seed(place, "half", fails=True)
    assert not place.seeded.exists()
    seed(place, "whole")
    assert [file.name for file in place.root.iterdir()] == ["seeded"]
    assert [file.name for file in (place.seeded / "data").iterdir()] == ["whole"]


def test_restore(place: Place) -> None:
    """Restoring brings the seeded files back and takes away what came since; the seeded ones are not worked on."""
    seed(place, "database")
    for _ in range(2):
        place.restore()
        (place.data / "database").write_text("changed")
        (place.data / "more").touch()
    place.restore()
    assert [(file.name, file.read_text()) for file in place.data.iterdir()] == [("database", "seeded")]


@pytest.mark.parametrize("text", ["", "x", "8 0"])
def test_port_file_without_sense(place: Place, text: str) -> None:
    """A remembered port that cannot be read is none."""
    place.remember_port(8080)
    assert Place(place.root).port == 8080
    (place.root / "port").write_text(text)
    assert place.port is None


# Packages and steps


def test_what_is_missing() -> None:
    """Packages that are not installed in full are missing; a mail program only where the machine has none."""
    have = packages.parse_versions("ii  redmine 5.0.4-5\nrc  puma 5\niF  starlet 0.31\nun  x \n\n")
    assert have == {"redmine": "5.0.4-5"}
    wanted = ["redmine", "puma", "starlet", "msmtp-mta"]
    assert packages.missing(wanted, have, mail=False) == ["puma", "starlet", "msmtp-mta"]
    assert packages.missing(wanted, have, mail=True) == ["puma", "starlet"]


@pytest.mark.parametrize(
    ("version", "upstream"),
    [
        ("2.3.15-2+deb12u1", "2.3.15"),
        ("1:2.3.15+dfsg-2", "2.3.15"),
        ("5.0.3+dfsg-3~deb12u6", "5.0.3"),
        ("13.0.6", "13.0.6"),
    ],
)
def test_upstream_version(version: str, upstream: str) -> None:
    """Debian's additions to a version are taken off."""
    assert packages.upstream(version) == upstream


def test_without_apt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where there is neither apt nor dpkg nothing counts as installed, and nothing is tried."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert packages.may_install() is None
    assert packages.installed(["redmine"]) == {}
    with pytest.raises(Failed, match="puma redmine") as caught:
        packages.apt(["puma", "redmine"], tmp_path / "apt.log")
    assert "apt-get install" in caught.value.hint


def test_step_that_fails_says_why(tmp_path: Path) -> None:
    """What a step printed is in the error: its beginning and its end."""
    command = ["/bin/sh", "-c", "echo first; seq 1 500; echo last >&2; exit 3"]
    with pytest.raises(Failed, match="exit 3") as caught:
        run("a step", command, environment=surroundings(), folder=tmp_path, lock=None)
    assert "| first" in caught.value.message
    assert "| last" in caught.value.message
    assert "| 250" not in caught.value.message


def test_step_that_does_not_end(tmp_path: Path) -> None:
    """A step has its time, and no terminal to ask on."""
    with pytest.raises(Failed, match="did not end within"):
        run("a step", ["sleep", "60"], environment=surroundings(), folder=tmp_path, lock=None, seconds=0.2)
    run("a step", ["/bin/sh", "-c", "! read answer"], environment=surroundings(), folder=tmp_path, lock=None)


def test_short_output_is_shown_in_full() -> None:
    """Nothing is left out of little."""
    assert shortened("a\nb") == "  | a\n  | b"


# The servers


def test_every_server_is_complete() -> None:
    """Each says where it is on loopback, what it needs, and differs from the others in its fingerprint."""
    for kind, server in SERVERS.items():
        assert kind == server.kind
        assert server.url(7).startswith("http://127.0.0.1:7")
        assert server.mail
        assert server.debian or server.pypi
        assert not server.pypi or "==" in server.pypi[0]
    assert len({server.fingerprint() for server in SERVERS.values()}) == len(SERVERS)


def test_people_are_complete_and_invented() -> None:
    """The roles that the tests count on are there, with addresses that belong to nobody."""
    people = json.loads((ROOT / "scripts/helpdesks/sites/people.json").read_text(encoding="utf-8"))
    assert set(people) == ROLES
    assert all(person["email"].endswith("@example.com") for person in people.values())


def test_redmine_instance_leads_to_the_folder(tmp_path: Path) -> None:
    """The instance that Redmine looks for below its own folder is ours, whether the way there is followed or worked out."""
    environment = Redmine().environment(Place(tmp_path), tmp_path / "data", 9)
    below = os.path.join("/usr/share/redmine/instances", environment["REDMINE_INSTANCE"])
    assert os.path.normpath(below) == str(tmp_path / "data")


def test_config_of_roundup() -> None:
    """Settings are set where they stand, commented out or not, in their own section; one that is not there is refused."""
    config = "[main]\n# debug help\n#debug = no\nname = x\n[mail]\n# Default: \ndebug = \nhost=y\n"
    changed = with_settings(config, {"mail.debug": "file", "mail.host": "z"})
    assert changed == "[main]\n# debug help\n#debug = no\nname = x\n[mail]\n# Default: \ndebug = file\nhost = z\n"
    assert with_settings(config, {"main.debug": "yes"}).splitlines()[2] == "debug = yes"
    with pytest.raises(Failed, match=r"mail\.nope"):
        with_settings(config, {"mail.nope": "1"})


def test_schema_of_roundup() -> None:
    """The schema is changed only if it is the one that is known."""
    known = "\n".join(old for old, _ in CHANGES)
    changed = with_additions(known)
    assert all(new in changed for _, new in CHANGES)
    with pytest.raises(Failed, match="not as expected"):
        with_additions(known.replace("IssueClass", "BugClass"))
    with pytest.raises(Failed, match="2 times"):
        with_additions(f"{known}\n{known}")


# The life of a server, by a small one


class Small(Server):
    """A web server in a few lines, seeded with a file."""

    kind = "small"
    title = "Small"
    mail = "mail"
    body: ClassVar[str] = (
        "import http.server as h, os, sys; h.test(h.SimpleHTTPRequestHandler, bind='127.0.0.1', port=int(sys.argv[1]))"
    )

    def seed(self, place: Place, data: Path, lock: int | None) -> None:
        (data / "greeting").write_text('"hello"')
        (data.parent / "seed.json").write_text('{"accounts": {}, "queues": [], "fields": []}')

    def fingerprint(self) -> str:
        return "1"

    def version(self) -> str:
        return "1"

    def command(self, place: Place, port: int) -> list[str]:
        return [sys.executable, "-c", self.body, str(port)]

    def check(self, url: str, seed: Seed) -> None:
        web.expect(web.get(f"{url}/data/greeting"), "hello", url)


class Broken(Small):
    """Ends at once."""

    kind = "broken"
    body = "raise SystemExit('cannot')"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    """A workplace for the small servers; what is left running is ended."""
    for server in (Small(), Broken()):
        monkeypatch.setitem(SERVERS, server.kind, server)
    made = Workplace(tmp_path / "work")
    yield made
    for kind in ("small", "broken"):
        processes.stop(made.place(kind).process, made.place(kind).root, patience=2)


def do(work: Workplace, action: str, *kinds: str) -> dict[str, Failed]:
    with work.held():
        fleet = Fleet(work, kinds)
        getattr(fleet, action)()
    return fleet.failures


def test_up_twice_reset_down(work: Workplace) -> None:
    """Up starts once, reset brings the seeded data back at the same address, down ends it and takes it out of the record."""
    assert do(work, "up", "small") == {}
    first = work.read()["small"]
    assert status(work, ["small"])["small"][0] == "running"
    assert do(work, "up", "small") == {}
    assert work.read()["small"] == first
    greeting = work.place("small").data / "greeting"
    greeting.write_text('"changed"')
    assert do(work, "reset", "small") == {}
    second = work.read()["small"]
    assert greeting.read_text() == '"hello"'
    assert second["url"] == first["url"]
    assert second["pid"] != first["pid"]
    assert do(work, "down", "small") == {}
    assert work.read() == {}
    assert status(work, ["small"])["small"] == ("stopped", "")
    assert processes.members(second["pid"]) == []


def test_server_that_died_is_started_again(work: Workplace) -> None:
    """A server that somebody killed is seen as such, and up brings it back."""
    do(work, "up", "small")
    pid = work.read()["small"]["pid"]
    os.kill(pid, signal.SIGKILL)
    wait(lambda: status(work, ["small"])["small"][0] == "died")
    assert do(work, "up", "small") == {}
    assert work.read()["small"]["pid"] != pid


def test_server_that_nobody_wrote_down(work: Workplace) -> None:
    """Where the script was killed before it wrote the record, up finds the server that it had started, and leaves only one."""
    do(work, "up", "small")
    pid = work.read()["small"]["pid"]
    work.record.unlink()
    assert status(work, ["small"])["small"] == ("starting", f"pid {pid}")
    assert do(work, "up", "small") == {}
    assert processes.members(pid) == []


class Stranger(BaseHTTPRequestHandler):
    """Answers everything with 404."""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_port_of_last_time_is_taken(work: Workplace) -> None:
    """A server whose port somebody else has now gets another, and the other is left alone."""
    do(work, "up", "small")
    port = work.place("small").port
    assert port is not None
    do(work, "down", "small")
    with HTTPServer((ports.HOST, port), Stranger) as other:
        thread = Thread(target=other.serve_forever, daemon=True)
        thread.start()
        assert do(work, "up", "small") == {}
        assert work.place("small").port != port
        other.shutdown()
        thread.join(timeout=20)


def test_one_failure_does_not_stop_the_others(work: Workplace) -> None:
    """A server that does not start says what it printed; the other runs, and nothing of the first is left."""
    failures = do(work, "up", "broken", "small")
    assert list(failures) == ["broken"]
    assert "| cannot" in failures["broken"].message
    assert list(work.read()) == ["small"]
    assert not work.place("broken").process.exists()


def test_status_touches_nothing(work: Workplace) -> None:
    """Asking for the status where nothing ever was makes nothing."""
    assert status(work, ["small", "rt"])["rt"] == ("stopped", "never set up here")
    assert not work.folder.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--help"], 0, "up|down|reset|status|up,down"),
        (["sideways"], 2, "invalid choice"),
        (["up", "jira"], 2, "no server is called jira"),
    ],
)
def test_command_line(arguments: list[str], code: int, said: str, tmp_path: Path) -> None:
    """Help is given, and what is not understood is refused before anything is done."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "HOME": str(tmp_path), "XDG_CACHE_HOME": ""}
    done = subprocess.run(
        [sys.executable, "-m", "helpdesks", *arguments], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == code
    assert any(part in done.stdout + done.stderr for part in said.split("|"))
    assert list(tmp_path.iterdir()) == []
