"""An outsourced ticket from the invitation to the approval, over HTTP and over a path: killed, cut off, repeated, done twice at once.

Whatever happens on the way, both sides end with the same, each item once; and nothing internal was sent.
"""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import pytest

from chit_sync import outsourcing
from chit_sync.authoring import Edit, comment_paths, record
from chit_sync.errors import ChitError, ConflictError, RemoteError, StoreError
from chit_sync.exchange.pulling import pull
from chit_sync.exchange.pushing import push
from chit_sync.exchange.syncing import sync
from chit_sync.remotes.base import Expect
from chit_sync.remotes.http import HttpLog
from chit_sync.remotes.local import LocalLog
from chit_sync.remotes.partner import PartnerLog, partner_log
from chit_sync.remotes.registry import open_remote
from chit_sync.store import blobs, fsck, inviting, partners, remotes, tokens
from chit_sync.store.database import Store, time_of_day
from chit_sync.store.opening import open_store
from chit_sync.store.undo import undo
from chit_sync.wire import Answer, Offer
from conftest import NewStore
from support.partnership import (
    TERMS,
    Pair,
    act,
    attach,
    bodies,
    charge,
    file,
    handoff,
    of,
    partnership,
    planted,
    say,
    sha,
    work,
    write,
)
from support.server import PATIENCE, serving

LARGE = random.Random(7).randbytes(3_000_000)
NAME = "Größe „ñ“ – 測試\u200d🖨.tar.gz"


@pytest.fixture(params=["http", "path"])
def pair(request: pytest.FixtureRequest, new_store: NewStore) -> Iterator[Pair]:
    """Two organisations."""
    with partnership(new_store, request.param) as both:
        yield both


@pytest.fixture
def over_http(new_store: NewStore) -> Iterator[Pair]:
    """Two organisations with a network between them."""
    with partnership(new_store) as both:
        yield both


def shared(store: Store, ident: str) -> dict[str, tuple[object, ...]]:
    """What both sides must agree on: the handoff, and every item that crossed, with its author and values."""
    ticket, one = of(store, ident), handoff(store, ident)
    found: dict[str, tuple[object, ...]] = {"handoff": (one.status, one.text("reason"), one.version, one.text("total"))}
    for key in ticket.item_registers:
        values = ticket.item(key)
        kind = key.partition("/")[0]
        if kind == "move":
            if ticket.origins[key][0].endswith("@acme"):
                found[key] = (ticket.origins[key][0], *sorted(values.items()))
        elif values.get("to") == one.id and not values.get("held"):
            said = {name: value for name, value in values.items() if name != "visibility"}
            found[key] = (ticket.origins[key][0].removesuffix("@globex"), *sorted(said.items()))
    return found


def agreed(pair: Pair, ident: str) -> None:
    """Fails unless both sides show the same, nothing waits, and both stores are whole."""
    assert shared(pair.lead, ident) == shared(pair.service, ident)
    assert remotes.pending(pair.service, pair.remote) == (0, 0, 0, 0)
    for store in (pair.lead, pair.service):
        assert [problem for problem in fsck.check(store) if not problem.harmless] == []
        assert len(bodies(store)) == len(set(bodies(store)))
        assert of(store, ident).conflicts == []


def steps(pair: Pair, ident: str, folder: Path) -> Sequence[Callable[[], object]]:
    """The whole story: what one side or the other does, in turn; after each of them the two exchange."""
    lead, service = pair.lead, pair.service
    return (
        lambda: pair.offered(ident),
        lambda: write(service, outsourcing.accept(service, of(service, ident), organization="Globex customers"), "bob"),
        lambda: (
            say(service, ident, "on my way"),
            say(service, ident, "not for globex", "internal"),
            work(service, ident, 90, "fixed it"),
            charge(service, ident, 1_250, "a cable"),
            attach(service, ident, file(folder, NAME, LARGE)),
        ),
        lambda: (
            say(lead, ident, "thank you"),
            work(lead, ident, 30, "looked at it"),
            charge(lead, ident, 500, "parking"),
            attach(lead, ident, file(folder, "報告.bin", LARGE[::-1])),
        ),
        lambda: write(service, outsourcing.ask(service, of(service, ident), "which floor?"), "bob"),
        lambda: write(lead, outsourcing.answer(lead, of(lead, ident), "", "the third", {}), "anna"),
        lambda: (
            write(service, outsourcing.submit(service, of(service, ident), summary="all done"), "bob"),
            say(service, ident, "one more thing"),
        ),
        lambda: act(lead, ident, "reject", "it still smokes"),
        lambda: write(
            service, outsourcing.release(of(service, ident), [one.key for one in outsourcing.held(of(service, ident))]), "bob"
        ),
        lambda: act(service, ident, "submit"),
        lambda: act(lead, ident, "approve", "well done"),
    )  # fmt: skip


def finished(pair: Pair, ident: str) -> None:
    """Fails unless the story ended as it should."""
    agreed(pair, ident)
    assert pair.statuses(ident) == ("completed", "completed")
    here, there = of(pair.service, ident), of(pair.lead, ident)
    assert [one.body for one in here.comments if one.author == "bob@acme"] == [
        "on my way",
        "all done",
        "one more thing",
    ]
    assert "not for globex" not in str(bodies(pair.lead))
    assert [one.answer for one in there.questions] == ["the third"]
    assert handoff(pair.service, ident).text("total") == "120.00"
    assert [(one.amount, one.currency) for one in there.charges if one.bundle] == [("120.00", "EUR")]
    assert not [one for one in here.charges if one.bundle]
    assert here.value("organization") == "Globex customers"
    assert [(one.remote, one.number) for one in here.elsewhere] == [("globex", there.number)]


def test_the_whole_story(pair: Pair, tmp_path: Path) -> None:
    """Offer, accept, work with everything that there is, question, submit, reject, release, approve: the same on both sides."""
    planted(pair.lead, tmp_path, "One before it")
    ident = planted(pair.lead, tmp_path)
    for step in steps(pair, ident, tmp_path):
        step()
        pair.sync()
        agreed(pair, ident)
    finished(pair, ident)
    assert len(pair.fetch_bytes().failed) == 0
    for store in (pair.lead, pair.service):
        assert {one.name: one.sha256 for one in of(store, ident).attachments}[NAME] == sha(LARGE)
        assert b"".join(blobs.read(store, sha(LARGE))) == LARGE
        assert b"".join(blobs.read(store, sha(LARGE[::-1]))) == LARGE[::-1]
    public = b"\x00public\xff" * 999
    assert b"".join(blobs.read(pair.service, sha(public))) == public


def test_a_pull_of_nothing_is_one_request(over_http: Pair, tmp_path: Path) -> None:
    """What costs nothing asks once; a sync of nothing too."""
    ident = planted(over_http.lead, tmp_path)
    over_http.accepted(ident)
    assert over_http.recorder is not None
    for exchange in (over_http.pull, over_http.sync):
        before = len(over_http.recorder.requests)
        exchange()
        (asked,) = over_http.recorder.requests[before:]
        assert asked.startswith("GET /v1/log?after=")
    for _ in range(30):
        say(over_http.lead, ident, "zqxsecret", "internal")
    before = over_http.recorder.answered
    over_http.pull()
    assert over_http.recorder.answered - before < 1_000


# Killed


EXCHANGE = """
import os, signal, sys
from chit_sync.exchange import attachments
from chit_sync.exchange.syncing import sync
from chit_sync.remotes.registry import open_remote
from chit_sync.store import blobs, remotes
from chit_sync.store.opening import open_store

path, left = sys.argv[1], int(sys.argv[2])

def count(statement):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

store = open_store(path)
remote = remotes.get(store, "globex")
log = open_remote(remote.url, token=sys.stdin.readline())
store.db.set_trace_callback(count)
sync(store, remote, log)
attachments.fetch(store, log, blobs.missing(store))
"""

SERVE = """
import os, signal, sys
from chit_sync.server import app, run

left = int(sys.argv[2])

def count(statement):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

opened = app.open_store

def traced(path):
    store = opened(path)
    store.db.set_trace_callback(count)
    return store

app.open_store = traced
server = run.Server(sys.argv[1])
print(server.address, flush=True)
server.serve()
"""


def _child(script: str, *arguments: object) -> list[str]:
    path = repr([entry for entry in sys.path if entry])
    return [sys.executable, "-c", f"import sys; sys.path[:0] = {path}\n{script}", *map(str, arguments)]


@pytest.mark.parametrize("first", [25, 80])
def test_a_partner_that_is_killed(over_http: Pair, tmp_path: Path, first: int) -> None:
    """Killed with no warning in every step, later each time, and run again: as if it had not been."""
    ident = planted(over_http.lead, tmp_path)
    kills = 0
    for step in steps(over_http, ident, tmp_path):
        step()
        for left in (first, 1_000_000):
            done = subprocess.run(
                _child(EXCHANGE, over_http.service.path, left),
                input=over_http.token,
                text=True,
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
            assert done.returncode in (0, -signal.SIGKILL), done.stderr
            kills += done.returncode != 0
            if not done.returncode:
                break
        agreed(over_http, ident)
    assert kills >= 5
    finished(over_http, ident)


def test_a_server_that_is_killed(new_store: NewStore, tmp_path: Path) -> None:
    """The lead's server, killed again and again, has taken each change whole with its ruling, or not at all."""
    with partnership(new_store, "path") as pair:
        ident = planted(pair.lead, tmp_path)
        kills = 0
        for number, step in enumerate(steps(pair, ident, tmp_path)):
            step()
            for left in (40 + 7 * number, 1_000_000):
                with subprocess.Popen(_child(SERVE, pair.lead.path, left), stdout=subprocess.PIPE, text=True) as server:
                    assert server.stdout is not None
                    address = server.stdout.readline().strip()
                    try:
                        remotes.set_url(pair.service, "globex", address)
                        with closing(HttpLog(address, token=pair.token, sleep=lambda _: None)) as log:
                            sync(pair.service, pair.remote, log)
                    except (ChitError, OSError):
                        kills += 1
                        continue
                    finally:
                        server.kill()
                    break
            agreed(pair, ident)
        assert kills >= 3
        finished(pair, ident)


# Answers that are lost


class Losing(HttpLog):
    """A connection that breaks after what was sent has been taken, once for each kind of call."""

    def __init__(self, pair: Pair, lost: set[str]) -> None:
        super().__init__(pair.url, token=pair.token, sleep=lambda _: None)
        self.lost = lost

    def _lose(self, name: str) -> None:
        if name not in self.lost:
            self.lost.add(name)
            raise RemoteError("the answer was lost")

    def append(self, offers: Sequence[Offer], expect: Expect | None = None) -> Answer:
        answer = super().append(offers, expect)
        self._lose("append")
        return answer

    def put_blob(self, sha256: str, source: BinaryIO, size: int, offset: int = 0) -> None:
        super().put_blob(sha256, source, size, offset)
        self._lose("put_blob")


def test_answers_that_are_lost(over_http: Pair, tmp_path: Path) -> None:
    """What was taken and not answered is asked again, had, and not doubled."""
    ident = planted(over_http.lead, tmp_path)
    losses = 0
    for step in steps(over_http, ident, tmp_path):
        step()
        lost: set[str] = set()
        for _ in range(4):
            try:
                with closing(Losing(over_http, lost)) as log:
                    sync(over_http.service, over_http.remote, log)
                break
            except RemoteError:
                losses += 1
        agreed(over_http, ident)
    assert losses >= 6
    finished(over_http, ident)


def test_what_is_cut(over_http: Pair, tmp_path: Path) -> None:
    """Streams that end in the middle, both ways, in every step."""
    ident = planted(over_http.lead, tmp_path)
    recorder = over_http.recorder
    assert recorder is not None
    for number, step in enumerate(steps(over_http, ident, tmp_path)):
        step()
        for name, budget in (("cut_after", 150 + 90 * number), ("cut_requests_after", 400 + 200 * number)):
            setattr(recorder, name, budget)
            with closing(HttpLog(over_http.url, token=over_http.token, sleep=lambda _: None)) as log:
                try:
                    sync(over_http.service, over_http.remote, log)
                except ChitError:
                    pass
                finally:
                    setattr(recorder, name, None)
        over_http.sync()
        agreed(over_http, ident)
    finished(over_http, ident)


def test_everything_sent_twice(pair: Pair, tmp_path: Path) -> None:
    """A partner that forgot how far it was sends and reads all of it again: nothing doubles and nothing is lost."""
    ident = planted(pair.lead, tmp_path)
    for step in steps(pair, ident, tmp_path):
        step()
        pair.sync()
        before = len(bodies(pair.lead)), len(bodies(pair.service))
        remotes.reset(pair.service, "globex")
        pair.sync()
        pair.sync()
        assert (len(bodies(pair.lead)), len(bodies(pair.service))) == before
        agreed(pair, ident)
    finished(pair, ident)


def test_two_syncs_at_once(pair: Pair, tmp_path: Path) -> None:
    """The same store, synced by two processes at the same moment: one of them waits, nothing is sent or taken twice."""
    ident = planted(pair.lead, tmp_path)
    for step in steps(pair, ident, tmp_path):
        step()
        ready = threading.Barrier(2)
        failures: list[str] = []

        def run(ready: threading.Barrier = ready, failures: list[str] = failures) -> None:
            with open_store(pair.service.path) as store, closing(open_remote(pair.url, token=pair.token)) as log:
                remote = remotes.get(store, "globex")
                ready.wait(PATIENCE)
                try:
                    sync(store, remote, log)
                except ChitError as error:
                    failures.append(error.message)

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert all("arriving from somebody else" in failure for failure in failures), failures
        pair.sync()
        agreed(pair, ident)
    finished(pair, ident)


def test_a_server_at_another_address(new_store: NewStore, tmp_path: Path) -> None:
    """The lead's server, stopped and started elsewhere, is the same lead; while it is away work goes on and waits."""
    with partnership(new_store, "path") as pair:
        ident = planted(pair.lead, tmp_path)
        for step in steps(pair, ident, tmp_path):
            step()
            nowhere = HttpLog("http://127.0.0.1:1", token=pair.token, sleep=lambda _: None)
            with closing(nowhere), pytest.raises(RemoteError):
                sync(pair.service, pair.remote, nowhere)
            with serving(pair.lead.path) as address:
                remotes.set_url(pair.service, "globex", address)
                with closing(open_remote(address, token=pair.token)) as log:
                    sync(pair.service, pair.remote, log)
            agreed(pair, ident)
        finished(pair, ident)


def test_another_store_at_the_address(over_http: Pair, new_store: NewStore, tmp_path: Path) -> None:
    """Something else that answers there, even one that knows a partner of that name, is sent nothing."""
    ident = planted(over_http.lead, tmp_path)
    over_http.accepted(ident)
    say(over_http.service, ident, "for globex alone")
    impostor = new_store("impostor")
    impostor.now = time_of_day
    inviting.invite(impostor, "acme", own="globex", expires_in=10**12)
    impostor.db.execute(
        "INSERT INTO tokens (name, scope, hash, created) VALUES ('p', 'partner', ?, 1)",
        (tokens.hashed(over_http.token),),
    )
    impostor.db.execute("UPDATE partners SET token = last_insert_rowid()")
    with (
        serving(impostor.path) as address,
        closing(open_remote(address, token=over_http.token)) as log,
        pytest.raises(ChitError, match="is another store than before"),
    ):
        sync(over_http.service, over_http.remote, log)
    assert bodies(impostor) == []
    assert os.listdir(os.path.join(impostor.path, "blobs")) == []


def test_a_path_that_can_only_be_read(new_store: NewStore, tmp_path: Path) -> None:
    """Where the lead's folder may only be read, what is there is taken, and sending says why it does not go."""
    with partnership(new_store, "path") as pair:
        ident = planted(pair.lead, tmp_path)
        pair.offered(ident, {**TERMS, "accept_by": pair.lead.now() + 100_000_000})
        with closing(open_remote(pair.url, token=pair.token)) as log:
            assert isinstance(log, PartnerLog)
            log.local.writable = False
            log.store.db.execute("PRAGMA query_only = ON")
            assert pull(pair.service, pair.remote, log).taken > 0
            write(pair.service, outsourcing.accept(pair.service, of(pair.service, ident)), "bob")
            with pytest.raises(StoreError, match="read-only"):
                push(pair.service, pair.remote, log)
        pair.sync()
        assert pair.statuses(ident) == ("accepted", "accepted")


def test_a_file_whose_bytes_are_not_here(pair: Pair, tmp_path: Path) -> None:
    """A file that cannot be sent along is held back and shown, and not shown to the lead as one without bytes; later it can be released."""
    ident = planted(pair.lead, tmp_path)
    pair.accepted(ident)
    name = attach(pair.service, ident, file(tmp_path, "log.txt", b"what happened"))
    place = Path(blobs.path(pair.service, name))
    aside = place.rename(tmp_path / "aside")
    say(pair.service, ident, "see the file")
    pair.sync()
    assert "log.txt" not in [one.name for one in of(pair.lead, ident).attachments]
    assert "see the file" in [one.body for one in of(pair.lead, ident).comments]
    (held,) = outsourcing.held(of(pair.service, ident))
    aside.rename(place)
    write(pair.service, outsourcing.release(of(pair.service, ident), [held.key]), "bob")
    pair.sync()
    assert b"".join(blobs.read(pair.lead, name)) == b"what happened"
    agreed(pair, ident)


def test_a_refused_upload_holds_its_file_only(new_store: NewStore, tmp_path: Path) -> None:
    """A file that is larger than the lead's server takes is held back with the reason; the rest goes on."""
    with partnership(new_store, "path") as pair:
        ident = planted(pair.lead, tmp_path)
        pair.accepted(ident)
        attach(pair.service, ident, file(tmp_path, "large.bin", bytes(20_000)))
        say(pair.service, ident, "see the file")
        with serving(pair.lead.path, max_blob=10_000) as address:
            remotes.set_url(pair.service, "globex", address)
            with closing(open_remote(address, token=pair.token)) as log:
                (refused,) = sync(pair.service, pair.remote, log).pushed.refused
        assert "at most 10000" in refused.reason
        assert [one.key.partition("/")[0] for one in outsourcing.held(of(pair.service, ident))] == ["attachment"]
        agreed(pair, ident)


def test_what_a_lead_has_stays_when_its_remote_is_gone(pair: Pair, tmp_path: Path) -> None:
    """After the partnership has ended and its remote was removed, `undo` takes nothing back that the lead has."""
    ident = planted(pair.lead, tmp_path)
    pair.accepted(ident)
    partners.end(pair.service, "globex")
    say(pair.service, ident, "one more thing")
    with closing(pair.log()) as log:
        push(pair.service, pair.remote, log)
    remotes.remove(pair.service, "globex")
    with pytest.raises(ConflictError):
        undo(pair.service)
    assert "one more thing" in [one.body for one in of(pair.service, ident).comments]


@pytest.mark.parametrize("side", ["lead", "service"])
def test_a_long_ticket_is_not_read_for_each_of_its_comments(new_store: NewStore, side: str) -> None:
    """When a ticket with many comments is accepted, either store reads it as often as one with few."""
    with partnership(new_store, "path") as pair:
        read: list[int] = []
        for comments in (5, 60):
            ident = record(pair.lead, [Edit(None, {"title": "Printer on fire"})], by="anna", command="new")[0].id
            said = [Edit(of(pair.lead, ident), comment_paths(f"k{n}", f"line {n}", "public")) for n in range(comments)]
            record(pair.lead, said, by="anna", command="comment")
            pair.offered(ident)
            pair.sync()
            write(pair.service, outsourcing.accept(pair.service, of(pair.service, ident)), "bob")
            statements: list[str] = []
            store = pair.lead if side == "lead" else pair.service
            store.db.set_trace_callback(statements.append)
            sync(pair.service, pair.remote, partner_log(LocalLog(pair.lead), pair.token))
            store.db.set_trace_callback(None)
            assert len(of(pair.service, ident).comments) == comments
            read.append(sum("FROM items WHERE pk >" in statement for statement in statements))
        assert read[0] == read[1]
