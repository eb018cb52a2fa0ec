"""What the log of a partner must do, held against one on this disk and one behind HTTP: a sequence of its own, and nothing beside it."""

import hashlib
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from chit_sync.change import MAX_CHANGE
from chit_sync.clock import DAY, HOUR
from chit_sync.errors import AccessError, ChitError, ConflictError, NotFoundError, OtherStoreError, RemoteError
from chit_sync.exchange.pulling import pull
from chit_sync.handoffs import ENDED
from chit_sync.remotes import partner as door_module
from chit_sync.remotes.base import Expect, Log
from chit_sync.remotes.registry import open_remote
from chit_sync.store import blobs, log, partners, tokens
from chit_sync.store.database import Store
from chit_sync.store.opening import open_store
from chit_sync.wire import HAD, PROTOCOL, REFUSED, TAKEN, Offer, Sent
from conftest import NewStore
from support.partnership import (
    SECRET_BYTES,
    Pair,
    act,
    attach,
    bodies,
    file,
    forged,
    handoff,
    item,
    join,
    of,
    partnership,
    planted,
    said,
    say,
    send,
    sha,
)
from support.server import Proxy


class Door(NamedTuple):
    """A pair with one ticket that was accepted, beside one that is the lead's alone. ident: the ticket's id; to: the handoff's."""

    pair: Pair
    log: Log
    ident: str
    alone: str
    to: str

    @property
    def lead(self) -> Store:
        return self.pair.lead


@pytest.fixture(params=["path", "http"])
def door(request: pytest.FixtureRequest, new_store: NewStore, tmp_path: Path) -> Iterator[Door]:
    """The lead's log as its partner has it."""
    with partnership(new_store, request.param) as pair:
        alone = planted(pair.lead, tmp_path, "zqxsecret alone")
        ident = planted(pair.lead, tmp_path)
        pair.accepted(ident)
        with closing(pair.log()) as log_:
            yield Door(pair, log_, ident, alone, handoff(pair.lead, ident).id)


def _read(source: Log, after: int = 0, limit: int | None = None, expect: Expect | None = None) -> list[Sent]:
    return [sent for batch in source.read(after, limit, expect).batches for sent in batch]


def test_info_says_who_it_is_and_no_more(door: Door) -> None:
    """The lead's identity and name, the partner's own last place, no statuses of the lead's."""
    info = door.log.info()
    assert (info.protocol, info.store, info.name) == (PROTOCOL, door.lead.meta("store"), "globex")
    assert info.last == len(_read(door.log)) < log.last_seq(door.lead.db)
    assert info.statuses == {}


def test_the_sequence_is_dense_and_its_own(door: Door) -> None:
    """Places go up by one, however much the lead does beside; the lead's own number of the ticket is told."""
    for number in range(3):
        say(door.lead, door.ident, f"seen {number}")
        say(door.lead, door.alone, "zqxsecret", by="anna")
        say(door.lead, door.ident, "zqxsecret", "internal")
    sent = _read(door.log)
    assert [one.seq for one in sent] == list(range(1, len(sent) + 1))
    assert {one.number for one in sent} == {of(door.lead, door.ident).number}
    assert {json.loads(one.body)["ticket"] for one in sent} == {door.ident}


def test_the_bytes_are_the_leads(door: Door) -> None:
    """What comes is a part of the lead's log, byte for byte, in its order, all of it by the lead's people under its name."""
    sent = [one.body for one in _read(door.log)]
    everything = bodies(door.lead)
    assert [body for body in everything if body in sent] == sent
    assert all(json.loads(body)["by"].endswith("@globex") for body in sent)


def test_pages(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on from a place, keeps to a limit, and comes whole over many pages."""
    monkeypatch.setattr(door_module, "PAGE", 3)
    whole = _read(door.log)
    assert len(whole) > 6
    assert _read(door.log, 2, limit=4) == whole[2:6]
    assert _read(door.log, 0, limit=3) == whole[:3]
    assert _read(door.log, len(whole)) == _read(door.log, len(whole) + 1) == []


@pytest.mark.parametrize(("after", "limit"), [(-1, None), (0, 0)])
def test_a_place_that_cannot_be_is_an_error(door: Door, after: int, limit: int | None) -> None:
    """Nonsense for a place or a limit is an error and not an empty answer."""
    with pytest.raises(ChitError, match=r"whole number|a place in the log"):
        _read(door.log, after, limit)


def test_another_store_than_expected_does_nothing(door: Door) -> None:
    """A partner who knows another store is told so, and neither reads nor writes."""
    before = bodies(door.lead)
    with pytest.raises(OtherStoreError, match="is another store than before"):
        _read(door.log, expect=Expect("l" * 32))
    with pytest.raises(OtherStoreError, match="is another store than before"):
        door.log.append([forged(door.ident, said(door.to))], Expect("l" * 32))
    assert bodies(door.lead) == before


def test_a_lead_that_was_set_back(door: Door) -> None:
    """A log that is shorter, or another one, than the partner has read is told so; one that only grew is not."""
    sent = _read(door.log)
    identity, last = door.lead.meta("store"), len(sent)
    assert _read(door.log, last, expect=Expect(identity, last, sent[-1].id)) == []
    for expect in (Expect(identity, last + 1), Expect(identity, last, bytes(20)), Expect(identity, 1, sent[-1].id)):
        with pytest.raises(OtherStoreError, match="it was set back"):
            _read(door.log, expect.seq, expect=expect)
        with pytest.raises(OtherStoreError, match="it was set back"):
            door.log.append([forged(door.ident, said(door.to))], expect)
    with pytest.raises(OtherStoreError) as caught:
        _read(door.log, 10_000, expect=Expect(identity, 10_000))
    assert caught.value.message.endswith("has less for you than you have read before: it was set back")


def test_appending(door: Door) -> None:
    """A change is taken once: what comes again, in the same append or later, was had; the answer counts in the partner's places."""
    offer, other = forged(door.ident, said(door.to)), forged(door.ident, said(door.to, "m" * 16))
    before = door.log.info().last
    answer = door.log.append([offer, offer, other])
    assert [result.status for result in answer.results] == [TAKEN, HAD, TAKEN]
    assert {result.number for result in answer.results} == {of(door.lead, door.ident).number}
    assert {result.seq for result in answer.results} == {0}
    assert (answer.store, answer.before) == (door.lead.meta("store"), before)
    assert answer.last == door.log.info().last
    again = door.log.append([offer, other])
    assert [result.status for result in again.results] == [HAD, HAD]
    assert again.before == again.last
    assert door.log.append([]).results == []


def test_what_the_lead_makes_of_it_comes_with_it(door: Door) -> None:
    """The first work begins the handoff: the partner reads that in what follows its own append."""
    last = door.log.info().last
    assert send(door.log, forged(door.ident, said(door.to))) == [(TAKEN, "")]
    assert [json.loads(one.body)["set"][f"handoff/{door.to}/status"] for one in _read(door.log, last)] == [
        "in-progress"
    ]


BAD: dict[str, tuple[Callable[[Door], Offer], str]] = {
    "an id of other bytes": (lambda d: forged(d.ident, said(d.to))._replace(id=bytes(20)), "does not match the change's bytes"),
    "no JSON object": (lambda d: Offer(hashlib.sha256(b'"x"').digest()[:20], b'"x"'), "not a change"),
    "white space": (lambda d: _spelled(forged(d.ident, said(d.to)), b":", b": "), "not in canonical form"),
    "a clock two hours ahead": (lambda d: forged(d.ident, said(d.to), at=d.lead.now() + 2 * HOUR), "its clock is"),
    "a clock years behind": (lambda d: forged(d.ident, said(d.to), at=1_000), "the clock it was made by is wrong"),
    "a date years before": (lambda d: forged(d.ident, said(d.to), when=1_000), "the clock it was made by is wrong"),
    "a date years ahead": (lambda d: forged(d.ident, said(d.to), when=d.lead.now() + 999 * DAY), "later than it was recorded"),
    "no comment": (lambda d: forged(d.ident, item("comment", "k", visibility="partner", to=d.to)), "comment k: it has no body"),
    "an emptied comment": (lambda d: forged(d.ident, said(d.to, body=None)), "it has no body"),
    "an unknown value": (lambda d: forged(d.ident, said(d.to, visibility="friends")), "visibility cannot be 'friends'"),
    "for all to see": (lambda d: forged(d.ident, said(d.to, visibility="public")), "visible to partners"),
    "for the lead alone": (lambda d: forged(d.ident, said(d.to, visibility="internal")), "visible to partners"),
    "a float": (lambda d: _spelled(forged(d.ident, said(d.to)), b'"hello"', b"1.5"), "not a change"),
    "too deep": (lambda d: _spelled(forged(d.ident, said(d.to)), b'"hello"', b"[" * 9_000 + b"]" * 9_000), "not a change"),
    "no handoff": (lambda d: forged(d.ident, said("k" * 16)), "there is no such ticket here"),
    "too many": (lambda d: forged(d.ident, {f"comment/k{n}/body": "x" for n in range(10_001)}), "10001 fields"),
    "too long": (lambda d: forged(d.ident, said(d.to, body="x" * (1 << 20) + "x")), "a text may have 1 MiB"),
}  # fmt: skip


def _spelled(offer: Offer, old: bytes, new: bytes) -> Offer:
    body = offer.body.replace(old, new, 1)
    return Offer(hashlib.sha256(body).digest()[:20], body)


@pytest.mark.parametrize("what", BAD)
def test_a_bad_change_stops_itself_only(door: Door, what: str) -> None:
    """A change that does not pass is refused in words; those before and after it are taken."""
    make, reason = BAD[what]
    first, last = forged(door.ident, said(door.to, "m" * 16)), forged(door.ident, said(door.to, "n" * 16))
    results = send(door.log, first, make(door), last)
    assert [status for status, _ in results] == [TAKEN, REFUSED, TAKEN]
    assert reason in results[1][1]


def test_a_change_over_the_limit_is_refused(door: Door) -> None:
    """A change of more bytes than any may have does not get in."""
    texts: dict[str, str | int | bool | None] = {}
    for number in range(5):
        texts |= said(door.to, f"k{number}", body="y" * 1_000_000)
    ((status, reason),) = send(door.log, forged(door.ident, texts))
    assert status == REFUSED
    assert str(MAX_CHANGE) in reason or "at most" in reason


def test_many_changes_at_once(door: Door) -> None:
    """As many as fit into one append are answered one by one; the lead's store can be read and written afterwards."""
    offers = [forged(door.ident, said(door.to, f"k{number}")) for number in range(100)]
    assert [status for status, _ in send(door.log, *offers)] == [TAKEN] * 100
    say(door.lead, door.ident, "still there")


def test_a_long_append_lets_others_write(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much a partner sends at once, it takes turns with whoever else writes; each change is answered as if alone."""
    monkeypatch.setattr(door_module, "TURN", 0)
    monkeypatch.setattr(door_module, "PAUSE", 0.002)
    offers = [forged(door.ident, said(door.to, f"k{number}")) for number in range(60)]
    offers[30] = forged(door.ident, {"title": "mine"})
    written: list[int] = []

    def write_beside() -> None:
        with open_store(door.lead.path) as store:
            for number in range(10):
                say(store, door.alone, f"zqxsecret {number}", by="anna")
                written.append(number)

    beside = threading.Thread(target=write_beside)
    beside.start()
    results = send(door.log, *offers)
    beside.join()
    assert len(written) == 10
    assert [status for status, _ in results] == [TAKEN] * 30 + [REFUSED] + [TAKEN] * 29
    assert [result.status for result in door.log.append(offers).results] == [HAD] * 30 + [REFUSED] + [HAD] * 29


DATA = bytes(range(256)) * 5_000
SHA = hashlib.sha256(DATA).hexdigest()


def _put(target: Log, data: bytes, name: str, offset: int = 0) -> None:
    source = io.BytesIO(data)
    source.seek(offset)
    target.put_blob(name, source, len(data), offset)


def test_a_blob_goes_there_and_back(door: Door) -> None:
    """What the partner sent it has, whole or from an offset on."""
    assert door.log.has_blob(SHA)[:2] == (False, 0)
    with pytest.raises(NotFoundError):
        b"".join(door.log.get_blob(SHA))
    _put(door.log, DATA, SHA)
    assert door.log.has_blob(SHA)[:2] == (True, len(DATA))
    assert b"".join(door.log.get_blob(SHA, 1_000_000)) == DATA[1_000_000:]
    assert blobs.verify(door.lead, SHA)


def test_an_upload_goes_on_where_it_broke_off(door: Door) -> None:
    """What arrived is kept, and the rest completes it."""
    with pytest.raises(ChitError):
        door.log.put_blob(SHA, _Broken(DATA[:300_000]), len(DATA))
    for _ in range(200):
        begun = door.log.has_blob(SHA)
        assert not begun.whole
        assert 0 <= begun.size <= 300_000
        try:
            _put(door.log, DATA, SHA, begun.size)
            break
        except ConflictError:  # the server has not noticed yet that the first one broke off
            time.sleep(0.05)
    assert blobs.verify(door.lead, SHA)


class _Broken(io.BytesIO):
    """A file whose disk fails at its end."""

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if not data:
            raise RemoteError("the disk failed")
        return data


def test_bytes_of_another_hash_are_thrown_away(door: Door) -> None:
    """Whoever lies about a hash leaves nothing behind, and may not have what has it."""
    with pytest.raises(ChitError, match=f"sent bytes that are not those of {SHA}"):
        _put(door.log, DATA[::-1], SHA)
    assert door.log.has_blob(SHA)[:2] == (False, 0)


def test_a_file_that_is_shared_can_be_had(door: Door) -> None:
    """The bytes of an attachment that the terms share are the partner's to have; those of an internal one are not there."""
    shared = next(one for one in of(door.pair.service, door.ident).attachments)
    assert sha(b"".join(door.log.get_blob(shared.sha256))) == shared.sha256
    assert blobs.verify(door.lead, sha(SECRET_BYTES))
    assert door.log.has_blob(sha(SECRET_BYTES))[:2] == (False, 0)
    with pytest.raises(NotFoundError):
        b"".join(door.log.get_blob(sha(SECRET_BYTES)))


@pytest.mark.parametrize("name", ["x", "A" * 64, "../" * 21 + "x", "0" * 63 + "/"])
def test_what_is_no_hash_is_no_path(door: Door, name: str) -> None:
    """Nothing but a hash ever becomes part of a path."""
    for call in (door.log.has_blob, door.log.get_blob):
        with pytest.raises(ChitError):
            list(call(name))
    with pytest.raises(ChitError):
        door.log.put_blob(name, io.BytesIO(b"x"), 1)


def test_an_ended_partnership(door: Door, tmp_path: Path) -> None:
    """What runs goes on; after it the rest can be read, then nothing any more, and it is said what to do."""
    attach(door.lead, door.ident, file(tmp_path, "plan.txt", b"plan"))
    partners.end(door.lead, "acme")
    with closing(door.pair.log()) as running:
        assert send(running, forged(door.ident, said(door.to))) == [(TAKEN, "")]
        place = running.info().last
    act(door.lead, door.ident, "complete")
    assert handoff(door.lead, door.ident).ruled in ENDED
    with closing(door.pair.log()) as ended:
        assert "completed" in str([one.body for one in _read(ended, place)])
        assert b"".join(ended.get_blob(sha(b"plan"))) == b"plan"
        last = place + len(_read(ended, place))
        for call in (
            ended.info,
            lambda: _read(ended, last),
            lambda: send(ended, forged(door.ident, said(door.to))),
            lambda: _put(ended, DATA, SHA),
        ):
            with pytest.raises(AccessError, match="the partnership has ended") as caught:
                call()
            assert caught.value.hint == "Ask for a new invitation."


def test_a_revoked_token(door: Door) -> None:
    """From the next request on it is refused, and it is said what to do."""
    tokens.revoke(door.lead, "partner acme")
    with pytest.raises(AccessError) as caught, closing(door.pair.log()) as revoked:
        revoked.info()
    assert "invitation" in caught.value.hint


def test_an_unknown_token(door: Door) -> None:
    """A token that is nobody's, or one that was made for a colleague, opens no path as a partner, and no server as one either."""
    with pytest.raises(AccessError), closing(open_remote(door.pair.url, token="chit_" + "x" * 43)) as nobody:
        nobody.info()


def test_two_partners_have_two_sequences(door: Door, new_store: NewStore, tmp_path: Path) -> None:
    """Each has its own places, tickets and files; what one does moves nothing for the other."""
    other = new_store("initech")
    other.now = door.lead.now
    token = join(door.lead, other, door.pair.url, "initech")
    before = door.log.info().last
    ident = planted(door.lead, tmp_path, "For the other")
    door.pair.offered(ident, partner="initech")
    with closing(open_remote(door.pair.url, token=token)) as second:
        sent = _read(second)
        assert [one.seq for one in sent] == list(range(1, len(sent) + 1))
        assert {json.loads(one.body)["ticket"] for one in sent} == {ident}
        assert send(second, forged(door.ident, said(door.to), by="eve@initech"))[0][1] == "there is no such ticket here"
    assert door.log.info().last == before


def test_a_stream_that_is_cut_goes_on(new_store: NewStore, tmp_path: Path) -> None:
    """Whatever a cut leaves is kept, and the next pull completes it: each change once."""
    with partnership(new_store) as pair:
        ident = planted(pair.lead, tmp_path)
        pair.accepted(ident)
        for number in range(40):
            say(pair.lead, ident, f"{number} " + "x" * 5_000)
        wanted = len(of(pair.lead, ident).comments)
        for budget in (300, 2_000, 20_000, 90_000, 150_000):
            with Proxy(pair.url) as broken, closing(open_remote(broken.address, token=pair.token)) as source:
                broken.cut_after = budget
                with pytest.raises(RemoteError):
                    pull(pair.service, pair.remote, source)
        pair.sync()
        assert len(of(pair.service, ident).comments) == wanted - 1  # all but the internal one
        assert len(bodies(pair.service)) == len(set(bodies(pair.service)))


def test_what_the_partner_sent_can_be_had_back(door: Door) -> None:
    """A partner that lost what it sent gets it, byte for byte, and nothing else: not the lead's, not what was refused, not another's."""
    good = forged(door.ident, said(door.to, body="on my way"), "bob@acme")
    bad = forged(door.alone, said(door.to), "bob@acme")
    say(door.lead, door.ident, "seen")
    send(door.log, good, bad)
    own = door.log.own()
    found = [sent for batch in own.batches for sent in batch]
    assert own.info.store == door.lead.meta("store")
    assert found[-1].body == good.body
    assert {json.loads(sent.body)["by"] for sent in found} == {"bob@acme"}
    assert bad.id not in [sent.id for sent in found]


def test_there_is_nothing_to_have_back_without_a_partner(door: Door) -> None:
    """The store itself is nobody's log in particular."""
    with closing(open_remote(door.lead.path)) as plain, pytest.raises(ChitError, match="has nothing to give back"):
        plain.own()
