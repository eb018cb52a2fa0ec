"""The server as others see it over HTTP: what it answers, what it refuses, and within which limits."""

import gzip
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from chit_sync import wire
from chit_sync.errors import RemoteError, UsageError
from chit_sync.remotes.http import HttpLog
from chit_sync.remotes.registry import open_remote
from chit_sync.server.run import Server
from chit_sync.store import log, tokens
from chit_sync.store.database import Store
from conftest import NewStore
from support.exchange import clone, everything
from support.server import answering, serving
from support.stores import new


@pytest.fixture
def served(new_store: NewStore) -> Store:
    """A store with something in it."""
    store = new_store("served")
    for _ in range(3):
        new(store, description="x" * 10_000)
    return store


@pytest.fixture
def client(served: Store) -> Iterator[httpx.Client]:
    """A client of a store that is served to everybody on this machine."""
    with serving(served.path, open_to_all=True) as address, httpx.Client(base_url=address, trust_env=False) as client:
        yield client


def _problem(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == wire.PROBLEM
    problem: dict[str, Any] = json.loads(response.content)
    assert problem["status"] == response.status_code
    assert problem["title"]
    return problem


def test_health_needs_no_token(served: Store) -> None:
    """Whoever watches the server asks without a token; nothing is told of the store."""
    with serving(served.path) as address:
        response = httpx.get(address + "/v1/health", trust_env=False)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_everything_else_needs_a_token(served: Store) -> None:
    """Without a token, or with one of another kind, nothing is told."""
    with serving(served.path) as address, httpx.Client(base_url=address, trust_env=False) as client:
        for method, path in (
            ("GET", "/v1/"),
            ("GET", "/v1/log"),
            ("POST", "/v1/log"),
            ("HEAD", "/v1/blobs/" + "0" * 64),
        ):
            response = client.request(method, path)
            assert response.status_code == 401
            assert response.headers["www-authenticate"].startswith("Bearer")
        assert client.get("/v1/", headers={"Authorization": "Basic eDp5"}).status_code == 401
        assert _problem(client.get("/v1/"))["code"] == "no-token"


def test_scopes_are_kept(served: Store) -> None:
    """A reader reads and does not write, an agent does both."""
    with serving(served.path) as address, httpx.Client(base_url=address, trust_env=False) as client:
        for scope, status in (("reader", 403), ("agent", 200), ("admin", 200)):
            _, secret = tokens.create(served, scope, scope)
            headers = {"Authorization": f"Bearer {secret}"}
            assert client.get("/v1/log", headers=headers).status_code == 200
            assert client.post("/v1/log", headers=headers, content=b"").status_code == status
            blob = client.put("/v1/blobs/" + "0" * 64, headers=headers, content=b"x")
            assert (blob.status_code == 403) == (status == 403)


def test_the_log_is_json_lines(client: httpx.Client) -> None:
    """First the info, then a line a change, last the end; the content type says so."""
    response = client.get("/v1/log?after=1")
    assert response.headers["content-type"] == wire.NDJSON
    first, *changes, last = [json.loads(line) for line in response.content.splitlines()]
    assert first["info"]["last"] == 3
    assert [line["seq"] for line in changes] == [2, 3]
    assert sorted(changes[0]) == ["change", "id", "number", "seq"]
    assert last == {"end": 3}


def test_the_log_is_compressed_for_whoever_asks(client: httpx.Client) -> None:
    """With gzip accepted it comes compressed, else not; the same in both cases."""
    packed = client.get("/v1/log", headers={"Accept-Encoding": "gzip"})
    plain = client.get("/v1/log", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content.splitlines()[1:] == plain.content.splitlines()[1:]


def test_a_clone_by_way_of_gzip(tmp_path: Path, served: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """To a machine that is not this one everything travels compressed, both ways."""
    monkeypatch.setattr("chit_sync.remotes.http.LOOPBACK", frozenset())
    with (
        serving(served.path, open_to_all=True) as address,
        clone(tmp_path / "anna", address) as anna,
        closing(open_remote(address)) as target,
    ):
        new(anna, description="y" * 100_000)
        entry = log.read(anna, 3, 1)[0]
        answer = target.append([wire.Offer(entry.id, entry.body)])
        assert [result.status for result in answer.results] == [wire.TAKEN]
        assert everything(anna) == everything(served)


@pytest.mark.parametrize("query", ["after=x", "after=-1", "limit=0", "after=1e3", "after=" + "9" * 30, "store=k&id=zz"])
def test_nonsense_in_a_query_is_a_bad_request(client: httpx.Client, query: str) -> None:
    """It is said in words, as a problem."""
    response = client.get("/v1/log?" + query)
    assert response.status_code == 400
    assert _problem(response)["detail"]


def test_unknown_paths_and_methods(client: httpx.Client) -> None:
    """They are problems too, and say nothing of the machine."""
    assert _problem(client.get("/"))["status"] == 404
    assert _problem(client.get("/v1/other"))["status"] == 404
    response = client.delete("/v1/log")
    assert _problem(response)["status"] == 405
    assert "POST" in response.headers["allow"]


def test_an_append_without_length_is_refused(client: httpx.Client) -> None:
    """Nobody sends without end."""
    response = client.post("/v1/log", content=iter([b"x"]))
    assert (response.status_code, _problem(response)["code"]) == (411, "length")
    response = client.put("/v1/blobs/" + "0" * 64, content=iter([b"x"]))
    assert response.status_code == 411


def test_an_append_over_the_limit_is_refused(client: httpx.Client, served: Store) -> None:
    """By bytes, by bytes once unpacked, and by number of changes."""
    too_long = b" " * (wire.MAX_BATCH_BYTES + 1)
    packed = {"Content-Encoding": "gzip"}
    assert client.post("/v1/log", content=gzip.compress(too_long), headers=packed).status_code == 413
    many = client.post("/v1/log", content=b"{}\n" * (wire.MAX_BATCH + 1))
    assert many.status_code == 413
    assert _problem(many)["detail"] == "5001 changes at once; at most 5000 are taken"
    with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as raw:
        raw.sendall(b"POST /v1/log HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n")
        assert b"413" in raw.recv(100)
    assert log.last_seq(served.db) == 3


def test_headers_without_end_are_refused(client: httpx.Client) -> None:
    """Nobody fills the server's memory with headers."""
    with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as raw:
        raw.sendall(b"GET /v1/ HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100_000 + b"\r\n\r\n")
        assert raw.recv(100).split(b" ")[1].startswith(b"4")


def test_an_upload_over_the_limit_is_refused(served: Store) -> None:
    """The limit is told to whoever asks before sending, and kept against whoever does not ask."""
    url = "/v1/blobs/" + "0" * 64
    with (
        serving(served.path, open_to_all=True, max_blob=10) as address,
        httpx.Client(base_url=address, trust_env=False) as client,
    ):
        assert client.get("/v1/").json()["limits"]["blob"] == 10
        assert client.head(url).headers["upload-limit"] == "max-size=10"
        assert client.put(url, content=b"x" * 11).status_code == 413


def test_an_append_that_cannot_be_unpacked(client: httpx.Client) -> None:
    """Neither broken compression nor one that is not known gets further."""
    for encoding, content, status in (("gzip", b"x", 400), ("gzip", gzip.compress(b"x")[:-4], 400), ("br", b"x", 415)):
        response = client.post("/v1/log", content=content, headers={"Content-Encoding": encoding})
        assert response.status_code == status
        _problem(response)


def test_ranges_of_a_blob(client: httpx.Client) -> None:
    """A range is answered as HTTP wants it; one that is not there is refused."""
    import hashlib

    data = bytes(range(100))
    url = "/v1/blobs/" + hashlib.sha256(data).hexdigest()
    assert client.put(url, content=data).status_code == 204
    part = client.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, data[10:20], "bytes 10-19/100")
    assert client.get(url, headers={"Range": "bytes=-5"}).content == data[-5:]
    assert client.get(url, headers={"Range": "bytes=200-"}).status_code == 416
    head = client.head(url)
    assert (head.headers["content-length"], head.headers["accept-ranges"], head.content) == ("100", "bytes", b"")


@pytest.mark.parametrize("given", ["bytes 5-9/10", "bytes 0-4/10", "bytes 2-1/3", "nonsense", "bytes */10"])
def test_an_upload_that_does_not_fit(client: httpx.Client, given: str) -> None:
    """A range that does not fit what is here, or what is sent, is refused."""
    response = client.put("/v1/blobs/" + "0" * 64, content=b"12345", headers={"Content-Range": given})
    assert response.status_code in (400, 409)
    _problem(response)


def test_a_busy_store_asks_to_come_again(served: Store, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody else writes for long, the answer is 503 with a time, and nothing is lost."""
    monkeypatch.setattr("chit_sync.store.database.BUSY_SECONDS", 0.1)
    with served.transaction():
        response = client.post("/v1/log", content=b"")
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert _problem(response)["code"] == "busy"
    assert client.post("/v1/log", content=b"").status_code == 200


def test_an_error_of_the_server_is_reported_there(served: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug shows as a problem without its insides, and in full to whoever runs the server."""
    reports: list[str] = []

    def broken(_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("chit_sync.remotes.local.LocalLog.info", broken)
    with serving(served.path, report=reports.append) as address:
        response = httpx.get(address + "/v1/health", trust_env=False)
    assert _problem(response)["code"] == "bug"
    assert "secret detail" not in response.text
    assert "GET /v1/health" in reports[0]
    assert "secret detail" in reports[0]


def test_a_damaged_store_is_not_talked_about(served: Store) -> None:
    """Paths of the server's machine and what is wrong with its files are not for its callers."""
    with serving(served.path, open_to_all=True) as address:
        (Path(served.path) / "store.db").rename(Path(served.path) / "moved.db")
        response = httpx.get(address + "/v1/log", trust_env=False)
        (Path(served.path) / "moved.db").rename(Path(served.path) / "store.db")
    assert response.status_code == 500
    assert served.path not in response.text


def test_without_tokens_only_on_this_machine(served: Store) -> None:
    """A store is never open to a network by mistake."""
    for host in ("0.0.0.0", "::", "192.0.2.1", "tickets.example.com"):
        with pytest.raises(UsageError, match="without tokens a store is served on this machine only"):
            Server(served.path, host, open_to_all=True)


def test_a_port_that_is_taken(served: Store) -> None:
    """It is said which one, and what to do."""
    with serving(served.path) as address:
        port = int(address.rpartition(":")[2])
        with pytest.raises(RemoteError, match=f"cannot listen on 127.0.0.1 port {port}: Address already in use"):
            Server(served.path, port=port)
    with pytest.raises(RemoteError, match=r"cannot listen on 192.0.2.1 port 0"):
        Server(served.path, "192.0.2.1")


def test_tls(tmp_path: Path, served: Store) -> None:
    """With a certificate it is https, trusted only where its maker is."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    cert, key, ca_file = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"), str(tmp_path / "ca.pem")
    certificate.cert_chain_pems[0].write_to_path(cert)
    certificate.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(ca_file)
    with serving(served.path, open_to_all=True, cert=cert, key=key) as address:
        assert address.startswith("https://127.0.0.1:")
        with closing(HttpLog(address, ca_file=ca_file)) as source:
            assert source.info().last == 3
        with (
            closing(HttpLog(address)) as source,
            pytest.raises(RemoteError, match="its certificate is not trusted here"),
        ):
            source.info()


def test_a_certificate_that_cannot_be_used(tmp_path: Path, served: Store) -> None:
    """Half of what TLS needs, or files that are none, are said before anything is served."""
    with pytest.raises(UsageError, match="TLS needs both a certificate and its key"):
        Server(served.path, cert="cert.pem")
    broken = tmp_path / "cert.pem"
    broken.write_text("no certificate")
    with pytest.raises(UsageError, match=f"cannot use the certificate {broken}"):
        Server(served.path, cert=str(broken), key=str(broken))
    with pytest.raises(UsageError, match="cannot read certificates from /nowhere"):
        HttpLog("https://tickets.example.com", ca_file="/nowhere")


def test_behind_a_path() -> None:
    """A server that is reached below a path, behind a proxy, is a remote like any other."""
    asked: list[str] = []
    info = wire.Info(1, "l" * 32, 0, 0, {})

    def answers(method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        asked.append(path)
        if path.endswith("/log?after=0"):
            return 200, {"Content-Type": wire.NDJSON}, wire.info_line(info) + wire.end_line(0)
        return 200, {"Content-Type": wire.JSON}, wire.write_info(info)

    with answering(answers) as address, closing(HttpLog(address + "/team/chit/")) as source:
        assert source.info() == info
        assert list(source.read(0).batches) == []
    assert asked == ["/team/chit/v1/", "/team/chit/v1/log?after=0"]


def test_the_client_on_the_protocols_page_works(served: Store) -> None:
    """What the page shows to whoever writes another client reads a log, and notices one that was cut."""
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
    code = page.partition("```python\n")[2].partition("```")[0]
    shown: dict[str, Any] = {}
    exec(compile(code, "protocol.md", "exec"), shown)
    _, secret = tokens.create(served, "other", "reader")
    with serving(served.path) as address:
        assert [line["seq"] for line in shown["read"](address, secret, 1)] == [2, 3]
    info = wire.Info(1, "l" * 32, 0, 0, {})
    with (
        answering(lambda method, path: (200, {"Content-Type": wire.NDJSON}, wire.info_line(info))) as address,
        pytest.raises(EOFError, match="the stream was cut"),
    ):
        list(shown["read"](address, secret, 0))
