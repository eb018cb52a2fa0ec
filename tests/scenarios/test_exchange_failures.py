"""What can go wrong between two machines: each thing has its words, and nothing is lost or doubled."""

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chit_sync import lines, wire
from chit_sync.codec import digest
from chit_sync.errors import (
    AccessError,
    ConflictError,
    NotFoundError,
    OtherStoreError,
    RemoteError,
    StoreError,
    UsageError,
)
from chit_sync.exchange.pulling import fetch, pull
from chit_sync.exchange.pushing import push
from chit_sync.exchange.results import Held, Pulled, joined
from chit_sync.exchange.syncing import clone as clone_
from chit_sync.remotes.http import HttpLog
from chit_sync.remotes.local import LocalLog
from chit_sync.remotes.registry import open_remote
from chit_sync.store import log, reading, remotes, tokens
from chit_sync.store.database import Store
from chit_sync.store.opening import open_store
from chit_sync.store.undo import undo
from chit_sync.wire import Info, Sent
from conftest import NewStore
from support.exchange import change_ids, clone, everything, pulled, pushed, synced
from support.server import Answers, Proxy, answering, closed_port, serving
from support.stores import NOON, change, new, records

NDJSON = {"Content-Type": wire.NDJSON}
INFO = Info(1, "l" * 32, 1, NOON, {"new": "new"})


@pytest.fixture
def served(new_store: NewStore) -> Store:
    """A store with something in it."""
    store = new_store("served")
    for _ in range(3):
        new(store, description="x" * 1_000)
    return store


@pytest.fixture
def address(served: Store) -> Iterator[str]:
    """Where it is served to everybody on this machine."""
    with serving(served.path, open_to_all=True) as address:
        yield address


def _pull_from(store: Store, answers: Answers, timeout: float = 5.0) -> None:
    """Pulls from something that gives these answers."""
    with answering(answers) as address, closing(HttpLog(address, timeout=timeout, sleep=lambda _: None)) as source:
        pull(store, remotes.add(store, "other", address), source)


def _once(status: int, headers: dict[str, str], body: bytes) -> Answers:
    return lambda method, path: (status, headers, body)


def test_an_absent_server(store: Store) -> None:
    """Nobody listens there: said with the address, and that it is safe to go on later."""
    address = closed_port()
    remotes.add(store, "origin", address)
    with pytest.raises(RemoteError, match=f"cannot connect to {address}: Connection refused") as caught:
        pulled(store)
    assert "safe to run it again" in caught.value.hint


def test_a_push_that_reached_nobody_can_be_undone(store: Store) -> None:
    """When it is certain that nobody has it, it is still ours to take back."""
    remotes.add(store, "origin", closed_port())
    with store.transaction() as db:
        db.execute("UPDATE remotes SET store = 'l'")
    new(store)
    with pytest.raises(RemoteError, match="cannot connect to"):
        pushed(store)
    assert undo(store) is not None


def test_an_unknown_host(store: Store) -> None:
    """A name that stands for no machine is said."""
    remotes.add(store, "origin", "http://nowhere.invalid")
    with pytest.raises(RemoteError, match=r"cannot connect to http://nowhere.invalid: "):
        pulled(store)


def test_an_absent_server_leaves_no_clone(tmp_path: Path) -> None:
    """A clone of nothing leaves nothing behind."""
    with pytest.raises(RemoteError):
        clone(tmp_path / "anna", closed_port())
    assert not (tmp_path / "anna").exists()


def test_a_slow_server(store: Store, address: str) -> None:
    """A server that is silent for too long is given up, in words that name the time and the option."""
    with Proxy(address) as proxy, closing(open_remote(proxy.address, timeout=0.3)) as source:
        proxy.stalled.set()
        remote = remotes.add(store, "origin", proxy.address)
        with pytest.raises(RemoteError, match=r"has been silent for over 0\.3 seconds") as caught:
            pull(store, remote, source)
    assert "--timeout" in caught.value.hint


@pytest.mark.parametrize(
    "body",
    [
        b"",
        wire.info_line(INFO),
        wire.info_line(INFO) + b'{"change":{},"id":"',
        wire.info_line(INFO)[:50],
        wire.info_line(INFO) + b'{"end"',
    ],
)
def test_a_stream_that_is_cut(store: Store, body: bytes) -> None:
    """An answer that ends before its last line is noticed, wherever it ends, and even if its length was right."""
    with pytest.raises(RemoteError, match=r"broke off before the end|does not answer like a chit server"):
        _pull_from(store, _once(200, NDJSON, body))


def test_a_stream_shorter_than_its_length(store: Store) -> None:
    """A connection that closes early is told as such."""
    headers = {**NDJSON, "Content-Length": "100000"}
    with pytest.raises(RemoteError, match="broke off before the end") as caught:
        _pull_from(store, _once(200, headers, wire.info_line(INFO)))
    assert "run it again and it goes on" in caught.value.hint


def test_html(store: Store) -> None:
    """A web page is not a chit server, and the address is what to look at."""
    page = b"<!doctype html><title>Sign in</title>"
    with pytest.raises(RemoteError, match="answers with a web page, not like a chit server") as caught:
        _pull_from(store, _once(200, {"Content-Type": "text/html; charset=utf-8"}, page))
    assert "login page" in caught.value.hint


def test_a_redirect_to_a_login(store: Store) -> None:
    """A redirect is not followed, so that no token goes where it leads."""
    headers = {"Location": "https://login.example.com/"}
    with pytest.raises(RemoteError, match=r"answers with a redirect to 'https://login.example.com/'"):
        _pull_from(store, _once(302, headers, b""))


@pytest.mark.parametrize("status", [404, 500])
def test_an_error_page(store: Store, status: int) -> None:
    """An error that is not in the protocol's form comes from something else."""
    with pytest.raises(RemoteError, match=f"answers {status} .*, and not like a chit server"):
        _pull_from(store, _once(status, {"Content-Type": "text/html"}, b"<h1>Oops</h1>"))


def test_json_that_is_no_log(store: Store) -> None:
    """Another program's JSON is not taken for ours."""
    with pytest.raises(RemoteError, match="does not answer like a chit server"):
        _pull_from(store, _once(200, NDJSON, b'{"hello":"world"}\n{"end":0}\n'))


def test_a_newer_protocol(store: Store) -> None:
    """A server that speaks a later version is named with both versions."""
    with pytest.raises(RemoteError, match="speaks version 2 of the protocol; this chit knows up to 1"):
        _pull_from(store, _once(200, NDJSON, wire.info_line(INFO._replace(protocol=2)) + wire.end_line(0)))


@pytest.mark.parametrize("line", [b"nonsense\n", b'{"change":{},"id":"xx","number":1,"seq":1}\n'])
def test_a_line_of_nonsense(store: Store, line: bytes) -> None:
    """A line that cannot be read stops the pull."""
    with pytest.raises(RemoteError, match="sent a line that cannot be read"):
        _pull_from(store, _once(200, NDJSON, wire.info_line(INFO) + line + wire.end_line(1)))


def test_a_line_without_end(store: Store) -> None:
    """A line longer than any may be is not gathered up for ever."""
    body = wire.info_line(INFO) + b'{"change":"' + b"x" * (wire.MAX_LINE + (1 << 19))
    with pytest.raises(RemoteError, match=f"sent a line of over {wire.MAX_LINE} bytes"):
        _pull_from(store, _once(200, NDJSON, body))


def test_changes_out_of_order(store: Store, served: Store) -> None:
    """Places in the log only grow; otherwise the cursor would lie."""
    sent = [Sent(seq, 1, record.id, record.body) for seq, record in zip((2, 1), records(served), strict=False)]
    body = wire.info_line(INFO) + lines.change_lines(sent) + wire.end_line(2)
    with pytest.raises(RemoteError, match="sent its changes out of order"):
        _pull_from(store, _once(200, NDJSON, body))


def test_a_bomb(store: Store) -> None:
    """What unpacks to far more than was sent is not gathered up."""
    body = gzip.compress(wire.info_line(INFO) + b" " * (64 << 20))
    with pytest.raises(RemoteError, match=f"sent a line of over {wire.MAX_LINE} bytes"):
        _pull_from(store, _once(200, {**NDJSON, "Content-Encoding": "gzip"}, body))


def test_a_broken_gzip(store: Store) -> None:
    """A stream that cannot be unpacked is said."""
    with pytest.raises(RemoteError, match="sent a stream that cannot be unpacked"):
        _pull_from(store, _once(200, {**NDJSON, "Content-Encoding": "gzip"}, b"this is no gzip at all"))


def _lying(served: Store) -> list[Sent]:
    """Three changes, the second with the bytes of another."""
    sent = [Sent(seq, seq, record.id, record.body) for seq, record in enumerate(records(served), 1)]
    sent[1] = sent[1]._replace(body=sent[1].body.replace(b"xxx", b"yyy"))
    return sent


@pytest.mark.parametrize("call", [pull, fetch])
def test_a_lie_about_a_hash(store: Store, served: Store, call: Callable[..., object]) -> None:
    """A change whose bytes are not those of its id stops a pull and a fetch; what came before is kept, what comes after is not."""
    body = wire.info_line(INFO._replace(last=3)) + lines.change_lines(_lying(served)) + wire.end_line(3)
    with (
        answering(_once(200, NDJSON, body)) as address,
        closing(open_remote(address)) as source,
        pytest.raises(
            RemoteError, match=r"other sent the change [0-9a-f]{40} \(its number 2\) with bytes of another hash"
        ),
    ):
        call(store, remotes.add(store, "other", address), source)
    assert remotes.get(store).fetched == 1
    assert log.last_seq(store.db) + remotes.pending(store, remotes.get(store)).fetched == 1


def test_a_change_that_does_not_pass_is_held(store: Store, served: Store) -> None:
    """A change that this store does not take is kept aside with its reason, the others go on, and each pull tells of it again."""
    first, _, third = [Sent(seq, seq, one.id, one.body) for seq, one in enumerate(records(served), 1)]
    body = first.body.replace(b'"description"', b'"x.%%%"')
    odd = Sent(2, 2, digest(body), body)
    stream = wire.info_line(INFO._replace(last=3)) + lines.change_lines([first, odd, third]) + wire.end_line(3)
    empty = wire.info_line(INFO._replace(last=3)) + wire.end_line(3)
    with (
        answering(lambda method, path: (200, NDJSON, stream if "after=0" in path else empty)) as address,
        closing(open_remote(address)) as source,
    ):
        remote = remotes.add(store, "other", address)
        result = pull(store, remote, source)
        assert result.taken == 2
        assert [(held.seq, held.id) for held in result.held] == [(2, odd.id.hex())]
        assert result.held[0].reason == "'%%%' cannot name a custom field"
        assert remotes.pending(store, remotes.get(store)).held == 1
        again = pull(store, remote, source)
        assert (again.taken, len(again.held)) == (0, 1)


def test_what_passes_at_the_second_pull_of_a_sync_is_not_told_as_held() -> None:
    """A sync that pulls twice tells what is held now, and everything else of both."""
    first = Pulled(2, held=(Held(2, "", "not yet"), Held(3, "", "never")), warnings=("a clock",))
    both = joined(first, Pulled(1, held=(Held(3, "", "never"),)))
    assert (both.taken, [one.seq for one in both.held], both.warnings) == (3, [3], ("a clock",))
    assert joined(first, Pulled(2)).held == ()


def test_another_store_than_before(store: Store, served: Store, new_store: NewStore) -> None:
    """When another store answers at the address, nothing is exchanged until the remote is reset, which then loses nothing."""
    other = new_store("other")
    new(other, title="of the other")
    remote = remotes.add(store, "origin", served.path)
    pulled(store)
    new(store, title="mine")
    remotes.set_url(store, "origin", other.path)
    before = everything(store), everything(other), remotes.get(store)
    for call in (pulled, pushed):
        with pytest.raises(
            OtherStoreError, match=r"origin: .* is another store than before; nothing was changed"
        ) as caught:
            call(store)
        assert "chit remote reset origin" in caught.value.hint
        assert (everything(store), everything(other), remotes.get(store)) == before
    remotes.reset(store, remote.name)
    synced(store)
    assert everything(store) == everything(other)
    assert len(change_ids(store)) == 5


def test_a_server_restored_from_an_older_backup(tmp_path: Path, served: Store) -> None:
    """A store that lost the end of its log is noticed; after a reset the clones give it back what it lost."""
    with clone(tmp_path / "anna", served.path) as anna, clone(tmp_path / "bob", served.path) as bob:
        served.db.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
        new(anna, title="Anna's")
        new(bob, title="Bob's")
        for store in (anna, bob, anna):
            synced(store)
        whole = everything(anna)
        served.close()
        for file in Path(served.path).glob("store.db*"):
            file.unlink()
        shutil.copy(tmp_path / "backup.db", Path(served.path) / "store.db")
        for call in (pulled, synced):
            with pytest.raises(OtherStoreError, match="has 3 changes, but 5 of it were read before: it was set back"):
                call(anna)
        assert everything(anna) == whole
        remotes.reset(anna, "origin")
        result = synced(anna)
        assert (result.pulled.had, result.pushed.taken) == (3, 2)
        with open_store(served.path) as restored:
            assert everything(restored) == whole


def test_a_server_that_was_set_back_and_went_on(tmp_path: Path, served: Store) -> None:
    """That it has as many changes again does not hide that they are others."""
    backup = tmp_path / "backup.db"
    with clone(tmp_path / "anna", served.path) as anna:
        served.db.execute("VACUUM INTO ?", (str(backup),))
        new(anna, title="Anna's")
        synced(anna)
        served.close()
        for file in Path(served.path).glob("store.db*"):
            file.unlink()
        shutil.copy(backup, Path(served.path) / "store.db")
        with open_store(served.path) as restored:
            new(restored, title="after the restore")
        with pytest.raises(OtherStoreError, match="it was set back and went on"):
            pulled(anna)
        remotes.reset(anna, "origin")
        synced(anna)
        with open_store(served.path) as restored:
            assert everything(restored) == everything(anna)


def test_a_copy_is_a_store_of_its_own(tmp_path: Path, served: Store) -> None:
    """A copied clone takes a new identity, exchanges as itself, and a copied server is not taken for the original."""
    with clone(tmp_path / "anna", served.path) as anna:
        identity = anna.meta("store")
    shutil.copytree(tmp_path / "anna", tmp_path / "copy")
    with open_store(str(tmp_path / "copy")) as copy, open_store(str(tmp_path / "anna")) as anna:
        assert copy.meta("store") != identity == anna.meta("store")
        new(anna)
        new(copy)
        for store in (anna, copy, anna):
            synced(store)
        assert everything(anna) == everything(copy) == everything(served)
        served.close()
        shutil.copytree(served.path, tmp_path / "served-copy")
        open_store(str(tmp_path / "served-copy")).close()
        remotes.set_url(anna, "origin", str(tmp_path / "served-copy"))
        with pytest.raises(OtherStoreError, match="is another store than before"):
            pulled(anna)


def test_a_store_is_not_its_own_remote(store: Store) -> None:
    """A remote that is this very store is refused, by pull and by push."""
    remotes.add(store, "me", store.path)
    new(store)
    for call in (pulled, pushed):
        with pytest.raises(ConflictError, match="the remote me is this store itself"):
            call(store)


def test_no_token(store: Store, served: Store) -> None:
    """A server that wants a token says so."""
    with serving(served.path) as address:
        remotes.add(store, "origin", address)
        with pytest.raises(AccessError, match=f"{address} wants a token"):
            pulled(store)


def test_a_wrong_token(store: Store, served: Store) -> None:
    """A token that the server does not know is refused, and not shown."""
    with serving(served.path) as address:
        remotes.add(store, "origin", address)
        with pytest.raises(AccessError, match=f"{address} does not know the token") as caught:
            pulled(store, "chit_wrong")
        assert "chit_wrong" not in caught.value.message + caught.value.hint


def test_a_revoked_token(tmp_path: Path, served: Store) -> None:
    """A token works until it is revoked, and not once more."""
    token, secret = tokens.create(served, "anna's laptop", "agent")
    with serving(served.path) as address, clone(tmp_path / "anna", address, secret) as anna:
        new(anna)
        assert pushed(anna, secret).taken == 1
        assert tokens.revoke(served, "anna's laptop").revoked is not None
        new(anna)
        for call in (pulled, pushed):
            with pytest.raises(AccessError, match="does not know the token"):
                call(anna, secret)
        assert [one.name for one in tokens.listing(served)] == [token.name]


def test_a_reader_does_not_push(tmp_path: Path, served: Store) -> None:
    """A reader's token reads; a push is refused in words, and nothing is marked as sent or refused."""
    _, secret = tokens.create(served, "auditor", "reader")
    with serving(served.path) as address, clone(tmp_path / "anna", address, secret) as anna:
        new(anna)
        with pytest.raises(AccessError, match="does not allow it: a token of scope reader may not write"):
            pushed(anna, secret)
        assert remotes.pending(anna, remotes.get(anna)) == (1, 0, 0, 0)
        assert log.last_seq(served.db) == 3
        assert undo(anna) is not None


def test_tokens_are_kept_hashed(served: Store) -> None:
    """The secret is nowhere in the store; a name is used once at a time; nonsense is refused."""
    _, secret = tokens.create(served, "anna", "agent")
    assert secret.encode() not in b"".join(
        bytes(str(value), "utf-8") for row in served.db.execute("SELECT * FROM tokens") for value in row
    )
    assert tokens.scope_of(served, secret) == "agent"
    assert tokens.scope_of(served, secret + "x") is None
    with pytest.raises(ConflictError, match="there is a token 'anna' already"):
        tokens.create(served, "anna", "reader")
    with pytest.raises(UsageError, match="there is no scope 'root'"):
        tokens.create(served, "bob", "root")
    with pytest.raises(NotFoundError, match="no token 'bob'"):
        tokens.revoke(served, "bob")


def test_a_server_that_throttles_is_waited_for(tmp_path: Path, served: Store) -> None:
    """An answer 429 or 503 is waited out as it asks, a few times; then the call is done."""
    waits: list[float] = []
    left = [429, 503]

    def answers(method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        if left:
            return left.pop(0), {"Retry-After": "2"}, b""
        return 200, NDJSON, wire.info_line(INFO._replace(last=0)) + wire.end_line(0)

    with answering(answers) as address, closing(HttpLog(address, sleep=waits.append)) as source:
        assert list(source.read(0).batches) == []
    assert waits == [2.0, 2.0]


def test_a_server_that_asks_to_wait_too_long(store: Store) -> None:
    """Nobody is kept waiting for minutes: it is said how long the server asks to wait."""
    with pytest.raises(RemoteError, match="is throttling and asks to wait 600 seconds"):
        _pull_from(store, _once(429, {"Retry-After": "600"}, b""))


def test_a_lost_answer_to_a_push(tmp_path: Path, served: Store, address: str) -> None:
    """When the answer to a push is lost, it is sent again by itself and nothing doubles."""
    with Proxy(address) as proxy, clone(tmp_path / "anna", proxy.address) as anna:
        new(anna)
        with closing(HttpLog(proxy.address, sleep=lambda _: setattr(proxy, "cut_after", None))) as target:
            proxy.cut_after = 0
            result = push(anna, remotes.get(anna), target)
        assert (result.taken, result.had) == (0, 1)
        assert log.last_seq(served.db) == 4
        assert (pulled(anna).had, change_ids(anna)) == (1, change_ids(served))


def test_a_push_whose_answer_never_comes_is_not_undone(tmp_path: Path, served: Store, address: str) -> None:
    """While nobody knows whether it arrived, it is not taken back; the next push finds out."""
    with Proxy(address) as proxy, clone(tmp_path / "anna", proxy.address) as anna:
        new(anna)
        with closing(HttpLog(proxy.address, sleep=lambda _: None)) as target:
            proxy.cut_after = 0
            with pytest.raises(RemoteError, match="broke off before the end"):
                push(anna, remotes.get(anna), target)
            with pytest.raises(ConflictError, match="which may have taken it before its answer was lost"):
                undo(anna)
            proxy.cut_after = None
            assert push(anna, remotes.get(anna), target).had == 1
        assert change_ids(anna) == change_ids(served)


def test_cut_at_many_places(tmp_path: Path, new_store: NewStore) -> None:
    """A pull that is cut again and again, each time somewhere else, gets everything in the end, once."""
    served = new_store("big")
    for number in range(60):
        ticket = new(served, title=f"T{number}", description="y" * 20_000)
        change(served, ticket, {"status": "open", "description": "z" * 20_000})
    anna = new_store("anna")
    with serving(served.path, open_to_all=True) as address, Proxy(address) as proxy:
        remotes.add(anna, "origin", proxy.address)
        cuts = 0
        for size in (100, 5_000, 300_000, 700_000, 1_100_000, None):
            proxy.cut_after = size
            before = log.last_seq(anna.db)
            with closing(HttpLog(proxy.address, sleep=lambda _: None)) as source:
                try:
                    pull(anna, remotes.get(anna), source)
                except RemoteError:
                    cuts += 1
            assert log.last_seq(anna.db) >= before
    assert cuts == 5
    assert change_ids(anna) == change_ids(served)
    assert everything(anna) == everything(served)


def test_a_push_that_is_cut_goes_on(tmp_path: Path, served: Store, address: str) -> None:
    """Requests cut half-way leave nothing half-done; the push goes on and ends the same."""
    with Proxy(address) as proxy, clone(tmp_path / "anna", proxy.address) as anna:
        for number in range(30):
            new(anna, title=f"T{number}", description="y" * 10_000)
        with closing(HttpLog(proxy.address, timeout=2, sleep=lambda _: None)) as target:
            for size in (10, 50_000, 200_000):
                proxy.cut_requests_after = size
                with pytest.raises(RemoteError):
                    push(anna, remotes.get(anna), target)
                assert log.last_seq(served.db) == 3
            proxy.cut_requests_after = None
            assert push(anna, remotes.get(anna), target).taken == 30
        assert change_ids(anna) == change_ids(served)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://user:secret@example.com", "holds a user's name or password"),
        ("http://", "is no address of a server"),
        ("http://example.com/?x=1", "is no address of a server"),
        ("http://example.com:port", "is no address of a server"),
        ("ftp://example.com/x", "is no address of a remote that is known"),
        ("/nowhere/at/all", "there is no store at /nowhere/at/all"),
    ],
)
def test_an_address_that_cannot_be(url: str, message: str) -> None:
    """An address that cannot be used is said before anything is asked; a password in it is not repeated."""
    with pytest.raises((UsageError, NotFoundError), match=message) as caught:
        open_remote(url)
    assert "secret" not in caught.value.message + caught.value.hint


def test_names_of_remotes(store: Store) -> None:
    """A name that cannot be, one that is taken, and one that there is not."""
    remotes.add(store, "origin", "/x")
    for name in ("", "a b", "a#1", "7", "x" * 41):
        with pytest.raises(UsageError, match="cannot name a remote"):
            remotes.add(store, name, "/x")
    with pytest.raises(ConflictError, match="there is a remote origin already"):
        remotes.add(store, "origin", "/y")
    with pytest.raises(NotFoundError, match="no remote 'other'"):
        remotes.get(store, "other")
    assert remotes.rename(store, "origin", "team").name == "team"
    assert remotes.remove(store, "team").url == "/x"
    with pytest.raises(NotFoundError, match="this store has no remote"):
        remotes.get(store)


def test_a_removed_remote_leaves_its_changes(tmp_path: Path, served: Store, new_store: NewStore) -> None:
    """After a remote is removed, what came from it goes to the next one like everything else."""
    other = new_store("other")
    with clone(tmp_path / "anna", served.path) as anna:
        remotes.remove(anna, "origin")
        remotes.add(anna, "origin", other.path)
        assert pushed(anna).taken == 3
        assert everything(other) == everything(served)


def test_a_clone_that_broke_off_is_completed_by_a_pull(tmp_path: Path, served: Store, address: str) -> None:
    """The store that an interrupted clone leaves knows its remote, and goes on."""
    with Proxy(address) as proxy, closing(HttpLog(proxy.address, sleep=lambda _: None)) as source:
        info = len(json.dumps(source.info()._asdict()))
        proxy.cut_after = proxy.answered + info + 1_500
        with pytest.raises(RemoteError, match="broke off before the end"):
            clone_(str(tmp_path / "anna"), proxy.address, source)
        proxy.cut_after = None
        with open_store(str(tmp_path / "anna")) as anna:
            pulled(anna)
            assert everything(anna) == everything(served)
            with pytest.raises(ConflictError, match="there is a store at"):
                clone_(str(tmp_path / "anna"), proxy.address, source)


def test_the_reading_of_a_ticket_that_is_elsewhere(tmp_path: Path, served: Store) -> None:
    """A ticket is found by the number that the remote gave it, after a pull and after a push."""
    with clone(tmp_path / "anna", served.path) as anna, clone(tmp_path / "bob", served.path) as bob:
        new(anna)
        mine = new(bob, title="Bob's")
        pushed(anna)
        pushed(bob)
        assert reading.find(bob, "5") == mine.number == reading.find(bob, "origin#5")
        pulled(bob)
        assert reading.load(bob, reading.find(bob, "4")).title == "Printer on fire"


def test_a_pull_into_a_store_that_is_busy(
    tmp_path: Path, served: Store, new_store: NewStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody else writes for long, a pull gives up in words, and has moved nothing."""
    monkeypatch.setattr("chit_sync.store.database.BUSY_SECONDS", 0.1)
    with clone(tmp_path / "anna", served.path) as anna, open_store(anna.path) as other:
        new(served)
        before = remotes.get(anna)
        with other.transaction(), pytest.raises(StoreError, match="is busy: another process has been writing to it"):
            pulled(anna)
        assert remotes.get(anna) == before
        assert pulled(anna).taken == 1


def test_a_store_that_can_only_be_read_is_read(store: Store, served: Store) -> None:
    """From a store that may not be written to, changes are pulled all the same; nothing is written there."""
    remote = remotes.add(store, "origin", served.path)
    with open_store(served.path, write=False) as read_only:
        assert pull(store, remote, LocalLog(read_only, writable=False)).taken == 3
    assert served.meta("served") is None


def test_a_full_disk_on_the_way(store: Store, served: Store) -> None:
    """When the disk is full in the middle of a pull, what was committed before stays, and the next pull goes on."""
    for _ in range(50):
        new(served, description="z" * 50_000)
    remotes.add(store, "origin", served.path)
    pages = store.db.execute("PRAGMA page_count").fetchone()[0]
    store.db.execute(f"PRAGMA max_page_count = {pages + 100}")
    with pytest.raises(StoreError, match="the disk is full: nothing was written"):
        pulled(store)
    assert log.last_seq(store.db) == remotes.get(store).pulled
    store.db.execute("PRAGMA max_page_count = 1000000")
    pulled(store)
    assert everything(store) == everything(served)
