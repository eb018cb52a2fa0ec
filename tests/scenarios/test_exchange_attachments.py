"""The bytes of attachments: taken in, sent before the change that speaks of them, fetched when asked for, resumed, and checked."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chit_sync.errors import ConflictError, NotFoundError, RemoteError, UsageError
from chit_sync.exchange import attachments
from chit_sync.exchange.pushing import push
from chit_sync.registers import Value
from chit_sync.remotes.http import HttpLog
from chit_sync.remotes.registry import open_remote
from chit_sync.store import blobs, log, reading, remotes
from chit_sync.store.database import Store
from conftest import NewStore
from support.exchange import clone, everything, pulled, pushed
from support.server import Proxy, answering, serving
from support.stores import change, new

DATA = os.urandom(3_000_000)
SHA = hashlib.sha256(DATA).hexdigest()


def attach(store: Store, data: bytes, tmp_path: Path) -> blobs.Blob:
    """Attaches a file with these bytes to the store's first ticket."""
    file = tmp_path / "scan.pdf"
    file.write_bytes(data)
    blob = blobs.add(store, str(file))
    item = "kkkkllll"
    paths: dict[str, Value] = {"name": "scan.pdf", "sha256": blob.sha256, "size": blob.size, "visibility": "public"}
    change(store, reading.load(store, 1), {f"attachment/{item}/{name}": value for name, value in paths.items()})
    return blob


@pytest.fixture
def served(new_store: NewStore) -> Store:
    """A store with one ticket."""
    store = new_store("served")
    new(store)
    return store


@pytest.fixture
def proxy(served: Store) -> Iterator[Proxy]:
    """What stands before the served store."""
    with serving(served.path, open_to_all=True) as address, Proxy(address) as proxy:
        yield proxy


def _fetch(store: Store, address: str) -> attachments.Transferred:
    with closing(open_remote(address)) as source:
        return attachments.fetch(store, source, blobs.missing(store))


def test_a_file_is_taken_in_by_its_hash(store: Store, tmp_path: Path) -> None:
    """The bytes lie in the store under their hash, whole, once, and nothing is left beside them."""
    file = tmp_path / "scan.pdf"
    file.write_bytes(DATA)
    assert blobs.add(store, str(file)) == blobs.add(store, str(file)) == (SHA, len(DATA))
    assert blobs.verify(store, SHA)
    assert b"".join(blobs.read(store, SHA)) == DATA
    assert [one.name for one in (Path(store.path) / "blobs").rglob("*") if one.is_file()] == [SHA[2:]]


def test_what_cannot_be_attached(store: Store, tmp_path: Path) -> None:
    """A folder, a file that has vanished, and one that may not be read are said by name; nothing is left behind."""
    with pytest.raises(UsageError, match=f"{tmp_path} is a folder"):
        blobs.add(store, str(tmp_path))
    with pytest.raises(UsageError, match=r"cannot read .*gone.pdf: No such file or directory"):
        blobs.add(store, str(tmp_path / "gone.pdf"))
    with pytest.raises(UsageError, match="cannot read /proc/self/mem: Input/output error"):
        blobs.add(store, "/proc/self/mem")
    assert list((Path(store.path) / "blobs").iterdir()) == []


def test_bytes_go_along_with_a_push(served: Store, proxy: Proxy, tmp_path: Path) -> None:
    """A push sends the bytes first, once; a clone has the change without them and fetches them when asked."""
    with clone(tmp_path / "anna", proxy.address) as anna, clone(tmp_path / "bob", proxy.address) as bob:
        attach(anna, DATA, tmp_path)
        proxy.requests.clear()
        assert pushed(anna).blobs == 1
        assert [line.split(" ")[0] for line in proxy.requests] == ["HEAD", "PUT", "POST"]
        assert blobs.verify(served, SHA)
        pulled(bob)
        assert not reading.load(bob, 1).attachments[0].here
        assert [one.name for one in blobs.missing(bob)] == ["scan.pdf"]
        assert _fetch(bob, proxy.address) == (1, len(DATA), ())
        assert blobs.verify(bob, SHA)
        assert blobs.missing(bob) == []
        assert everything(bob) == everything(anna)


def test_bytes_are_not_sent_twice(served: Store, proxy: Proxy, tmp_path: Path) -> None:
    """What the other side has is asked about and not sent."""
    with clone(tmp_path / "anna", proxy.address) as anna:
        attach(served, DATA, tmp_path)
        attach(anna, DATA, tmp_path)
        proxy.requests.clear()
        assert pushed(anna).blobs == 0
        assert [line.split(" ")[0] for line in proxy.requests] == ["HEAD", "POST"]


def test_an_upload_goes_on_where_it_broke_off(served: Store, proxy: Proxy, tmp_path: Path) -> None:
    """A connection that breaks in the middle of an upload costs what was on the way, not what had arrived."""
    with clone(tmp_path / "anna", proxy.address) as anna:
        attach(anna, DATA, tmp_path)
        with closing(HttpLog(proxy.address, timeout=5, sleep=lambda _: None)) as target:
            proxy.cut_requests_after = 2_000_000
            with pytest.raises(RemoteError):
                push(anna, remotes.get(anna), target)
            assert log.last_seq(served.db) == 1
            assert 0 < blobs.received(served, SHA) <= 2_000_000
            proxy.cut_requests_after = None
            assert push(anna, remotes.get(anna), target).blobs == 1
        assert blobs.verify(served, SHA)


def test_a_download_goes_on_where_it_broke_off(served: Store, proxy: Proxy, tmp_path: Path) -> None:
    """What had come is kept, and the rest is asked for by its range."""
    attach(served, DATA, tmp_path)
    with clone(tmp_path / "anna", proxy.address) as anna:
        proxy.cut_after = 1_000_000
        with closing(HttpLog(proxy.address, sleep=lambda _: None)) as source, pytest.raises(RemoteError):
            attachments.fetch(anna, source, blobs.missing(anna))
        kept = blobs.received(anna, SHA)
        assert 0 < kept <= 1_000_000
        proxy.cut_after = None
        proxy.answered = 0
        assert _fetch(anna, proxy.address).files == 1
        assert proxy.answered < len(DATA) - kept + 1_000
        assert blobs.verify(anna, SHA)


def test_two_who_send_the_same_bytes(served: Store) -> None:
    """While bytes arrive from one, another is told so, and neither spoils the other's."""

    def chunks() -> Iterator[bytes]:
        yield DATA[:1_000]
        with pytest.raises(ConflictError, match=f"the bytes of {SHA} are arriving from somebody else just now"):
            blobs.receive(served, SHA, len(DATA), [DATA])
        yield DATA[1_000:]

    blobs.receive(served, SHA, len(DATA), chunks())
    assert blobs.verify(served, SHA)


@pytest.mark.parametrize("cut", [None, 1_000])
def test_a_server_that_lies_about_the_bytes(
    served: Store, tmp_path: Path, new_store: NewStore, cut: int | None
) -> None:
    """Bytes of another hash are thrown away and the attachment stays missing; so are bytes that do not fit what is here."""
    attach(served, DATA, tmp_path)
    with clone(tmp_path / "anna", served.path) as anna:
        if cut:
            with pytest.raises(RemoteError, match=f"{cut} of 3000000 bytes"):
                blobs.receive(anna, SHA, len(DATA), [b"x" * cut])
        with serving(served.path, open_to_all=True) as real:
            info = _info(real)

        def answers(method: str, path: str) -> tuple[int, dict[str, str], bytes]:
            if "blobs" in path:
                return 200, {"Content-Type": "application/octet-stream"}, DATA[::-1]
            return 200, {"Content-Type": "application/json"}, info

        with answering(answers) as address:
            result = _fetch(anna, address)
        assert result.files == 0
        ((missing, reason),) = result.failed
        assert missing.sha256 == SHA
        assert f"sent bytes that are not those of {SHA}; they were thrown away" in reason
        assert blobs.received(anna, SHA) == 0
        assert _fetch(anna, served.path).files == 1


def _info(address: str) -> bytes:
    import httpx

    return httpx.get(address + "/v1/", trust_env=False).content


def test_bytes_that_nobody_has(served: Store, proxy: Proxy, tmp_path: Path) -> None:
    """Bytes that the remote does not have are named; the other files come, even if nobody said how large they are."""
    attach(served, DATA, tmp_path)
    other = blobs.Missing("0" * 64, 5, "lost.txt", 1)
    with clone(tmp_path / "anna", proxy.address) as anna, closing(open_remote(proxy.address)) as source:
        result = attachments.fetch(anna, source, [other, *(one._replace(size=0) for one in blobs.missing(anna))])
    assert result.files == 1
    assert result.failed == ((other, f"{proxy.address} does not have its bytes"),)


def test_a_file_over_the_limit_is_refused_and_stays_visible(served: Store, tmp_path: Path) -> None:
    """A server that takes no such large file refuses the change that speaks of it, with the reason; the others go."""
    with serving(served.path, open_to_all=True, max_blob=1_000) as address, clone(tmp_path / "anna", address) as anna:
        attach(anna, DATA, tmp_path)
        new(anna)
        result = pushed(anna)
        assert result.taken == 1
        assert result.refused[0].reason == f"an attachment of 3000000 bytes; {address} takes at most 1000"
        assert remotes.pending(anna, remotes.get(anna)).refused == 1


def test_bytes_that_are_not_here_cannot_be_read(store: Store) -> None:
    """Asking for them is an error that names them."""
    with pytest.raises(NotFoundError, match=f"the bytes of {SHA} are not in this store"):
        blobs.read(store, SHA)
    assert blobs.size_of(store, SHA) is None
    assert not blobs.verify(store, SHA)
