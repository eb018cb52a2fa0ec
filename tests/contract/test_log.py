"""What every log must do, held against a store on this disk and against one behind HTTP."""

import hashlib
import io
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chit_sync.change import MAX_CHANGE
from chit_sync.clock import DAY, MINUTE
from chit_sync.codec import digest
from chit_sync.errors import AccessError, ChitError, ConflictError, NotFoundError, OtherStoreError
from chit_sync.invitation import Joined, Joining
from chit_sync.remotes.base import Expect, Log
from chit_sync.remotes.registry import open_remote
from chit_sync.store import blobs, inviting, log, partners, tokens
from chit_sync.store.database import Store, time_of_day
from chit_sync.wire import HAD, PROTOCOL, REFUSED, TAKEN, Offer, Sent
from conftest import NewStore
from support.server import serving
from support.stores import NOON, change, new, records

TICKET = "k" * 32
NOW = time.time_ns() // 1000
"""The clock of a log behind an address is the real one."""


@pytest.fixture(params=["path", "file", "http"])
def served(request: pytest.FixtureRequest, new_store: NewStore) -> Iterator[tuple[Store, Log]]:
    """A store, and the log that it is to others."""
    store = new_store("served")
    if request.param == "http":
        with serving(store.path, open_to_all=True) as address, closing(open_remote(address)) as log_:
            yield store, log_
    else:
        address = store.path if request.param == "path" else Path(store.path).as_uri()
        with closing(open_remote(address)) as log_:
            yield store, log_


def _read(source: Log, after: int, limit: int | None = None, expect: Expect | None = None) -> list[Sent]:
    return [sent for batch in source.read(after, limit, expect).batches for sent in batch]


def _offers(store: Store) -> list[Offer]:
    return [Offer(record.id, record.body) for record in records(store)]


def _offer(body: bytes) -> Offer:
    return Offer(digest(body), body)


def _body(at: int = NOON, by: str = "anna", sets: str = '"title":"A"', over: str = "", ticket: str = TICKET) -> bytes:
    return f'{{"at":{at},"by":"{by}","nonce":"n",{over}"set":{{{sets}}},"ticket":"{ticket}"}}'.encode()


def test_info_says_who_it_is(served: tuple[Store, Log]) -> None:
    """The info holds the store's identity, its newest place, its statuses, and the protocol's version."""
    store, source = served
    new(store)
    info = source.info()
    assert (info.protocol, info.store, info.last) == (PROTOCOL, store.meta("store"), 1)
    assert info.statuses == store.statuses


def test_reading_gives_the_bytes_as_they_are(served: tuple[Store, Log]) -> None:
    """All changes come in the store's order, with their exact bytes, ids, and its numbers of the tickets."""
    store, source = served
    first, second = new(store, title='Ünïcode 🖨 " \\', description="\u2028\n\t"), new(store)
    change(store, first, {"status": "open"})
    entries = log.read(store, 0, 10)
    assert _read(source, 0) == [Sent(entry.seq, entry.number, entry.id, entry.body) for entry in entries]
    assert [sent.number for sent in _read(source, 0)] == [first.number, second.number, first.number]


def test_reading_goes_on_from_a_place(served: tuple[Store, Log]) -> None:
    """What was read before does not come again; a limit is kept; at the end there is nothing more."""
    store, source = served
    for _ in range(5):
        new(store)
    assert [sent.seq for sent in _read(source, 3)] == [4, 5]
    assert [sent.seq for sent in _read(source, 1, limit=2)] == [2, 3]
    assert _read(source, 5) == []


def test_reading_passes_over_what_was_undone(served: tuple[Store, Log]) -> None:
    """A gap in the log neither ends a limited reading nor shows in it."""
    from chit_sync.store.undo import undo

    store, source = served
    new(store)
    new(store)
    undo(store)
    new(store)
    assert [sent.seq for sent in _read(source, 1, limit=1)] == [3]
    assert [sent.seq for sent in _read(source, 0)] == [1, 3]


def test_a_long_log_comes_whole(served: tuple[Store, Log]) -> None:
    """More changes than fit into one batch or block all come, once each and in order."""
    store, source = served
    ticket = new(store, description="x" * 100_000)
    for number in range(25):
        ticket = change(store, ticket, {"description": str(number) * 100_000, "x.n": str(number)})
    for _ in range(400):
        new(store)
    assert [sent.seq for sent in _read(source, 0)] == list(range(1, 427))


def test_what_was_read_is_remembered(served: tuple[Store, Log]) -> None:
    """The store knows up to where others may have seen its log."""
    store, source = served
    new(store)
    new(store)
    assert store.meta("served") is None
    _read(source, 0)
    assert store.meta("served") == 2


def test_appended_changes_are_taken(served: tuple[Store, Log], store: Store) -> None:
    """New changes are taken, each with its place and its ticket's number there; what others changed is what shows."""
    target, sink = served
    new(target)
    ticket = new(store)
    change(store, ticket, {"status": "open"})
    answer = sink.append(_offers(store))
    assert [(result.status, result.seq, result.number) for result in answer.results] == [(TAKEN, 2, 2), (TAKEN, 3, 2)]
    assert (answer.before, answer.last) == (1, 3)
    assert answer.store == target.meta("store")
    assert [record.body for record in records(target, 1)] == [record.body for record in records(store)]


def test_appending_again_does_nothing(served: tuple[Store, Log], store: Store) -> None:
    """A repeated append answers `had` for each, with the ticket's number, and changes nothing."""
    target, sink = served
    new(store)
    sink.append(_offers(store))
    answer = sink.append(_offers(store))
    assert [(result.status, result.number) for result in answer.results] == [(HAD, 1)]
    assert answer.before == answer.last == log.last_seq(target.db) == 1


def test_the_same_change_twice_in_one_append_is_one(served: tuple[Store, Log]) -> None:
    """Within an append, too, a change is taken once."""
    target, sink = served
    answer = sink.append([_offer(_body()), _offer(_body())])
    assert [result.status for result in answer.results] == [TAKEN, HAD]
    assert log.last_seq(target.db) == 1


def test_nothing_can_be_appended(served: tuple[Store, Log]) -> None:
    """An append of nothing is answered like any other."""
    _, sink = served
    assert sink.append([]).results == []


BAD = {
    "an id of other bytes": (
        Offer(bytes(20), _body()),
        f"the id {'00' * 20} does not match the change's bytes",
    ),
    "no JSON object": (_offer(b'"x"'), "not a change: Expected `object`, got `str`"),
    "a field too many": (_offer(b'{"a":1,' + _body()[1:]), "not a change: Object contains unknown field `a`"),
    "white space": (_offer(_body().replace(b":", b": ", 1)), "not in canonical form"),
    "keys out of order": (
        _offer(b'{"by":"a","at":1,"nonce":"n","set":{"title":"A"},"ticket":"%b"}' % TICKET.encode()),
        "not in canonical form",
    ),
    "an escape without need": (_offer(_body(sets='"title":"\\u0041"')), "not in canonical form"),
    "a float": (_offer(_body(sets='"due":1.5')), "not a change"),
    "a negative time": (_offer(_body(at=-1)), "a time out of range"),
    "a clock a year ahead": (_offer(_body(at=NOW + 366 * DAY)), "its clock is 1 year ahead of the time here"),
    "a clock two hours ahead": (
        _offer(_body(at=NOW + 130 * MINUTE)),
        "its clock is 2 hours ahead of the time here",
    ),
    "no ticket": (_offer(_body(ticket="k" * 31)), f"{'k' * 31!r} is not the id of a ticket"),
    "digits for a ticket": (_offer(_body(ticket="0" * 32)), f"{'0' * 32!r} is not the id of a ticket"),
    "no author": (_offer(_body(by="")), "'' cannot be the name of an author"),
    "an author with controls": (_offer(_body(by="a\\u001b")), "cannot be the name of an author"),
    "nothing set": (_offer(_body(sets="")), "it sets 0 fields; 1 to 10000 are allowed"),
    "an unknown field": (_offer(_body(sets='"colour":"red"')), "there is no field 'colour'"),
    "an item with a path in it": (_offer(_body(sets='"comment/../body":"x"')), "there is no field 'comment/../body'"),
    "an unknown value": (_offer(_body(sets='"priority":"huge"')), "priority cannot be 'huge'"),
    "a title with controls": (_offer(_body(sets='"title":"a\\u0007b"')), "title holds control characters"),
    "a title too long": (_offer(_body(sets=f'"title":"{"x" * 1001}"')), "title has 1001 characters; 1 to 1000 are allowed"),
    "a text too long": (
        _offer(_body(sets=f'"description":"{"x" * ((1 << 20) + 1)}"')),
        "description has 1048577 characters; a text may have 1 MiB",
    ),
    "a hash that is a path": (_offer(_body(sets='"attachment/kkkk/sha256":"../../../etc/passwd"')), "attachment/kkkk/sha256"),
    "replacing what is no id": (_offer(_body(over='"over":["x"],')), "what it replaces is not named by ids of changes"),
    "replacing blanks": (_offer(_body(over=f'"over":["{"a " * 20}"],')), "what it replaces is not named by ids of changes"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_bad_change_stops_itself_only(served: tuple[Store, Log], what: str) -> None:
    """A change that does not pass is refused with a reason; those before and after it are taken."""
    target, sink = served
    offer, reason = BAD[what]
    good = [_offer(_body(sets='"title":"before"')), _offer(_body(sets='"title":"after"'))]
    answer = sink.append([good[0], offer, good[1]])
    assert [result.status for result in answer.results] == [TAKEN, REFUSED, TAKEN]
    assert reason in answer.results[1].reason
    assert log.last_seq(target.db) == 2


def test_a_change_over_the_limit_is_refused(served: tuple[Store, Log]) -> None:
    """A change of more bytes than any may have does not get in."""
    target, sink = served
    pieces = ",".join(f'"x.f{number}":"{"y" * 1_000_000}"' for number in range(5))
    answer = sink.append([_offer(_body(sets=pieces))])
    assert answer.results[0].status == REFUSED
    assert str(MAX_CHANGE) in answer.results[0].reason or "at most" in answer.results[0].reason
    assert log.last_seq(target.db) == 0


def test_another_store_than_expected_does_nothing(served: tuple[Store, Log]) -> None:
    """A caller who knows another store is told so, and neither reads nor writes."""
    target, both = served
    new(target)
    other = Expect("l" * 32)
    with pytest.raises(OtherStoreError, match="is another store than before"):
        _read(both, 0, expect=other)
    with pytest.raises(OtherStoreError, match="is another store than before"):
        both.append([_offer(_body())], other)
    assert log.last_seq(target.db) == 1


def test_a_store_that_was_set_back_does_nothing(served: tuple[Store, Log]) -> None:
    """A log shorter than the caller has read, or with another change at that place, is told so."""
    target, both = served
    new(target)
    identity = target.meta("store")
    with pytest.raises(OtherStoreError, match="has 1 changes, but 5 of it were read before: it was set back"):
        _read(both, 5, expect=Expect(identity, 5))
    with pytest.raises(OtherStoreError, match="it was set back and went on"):
        _read(both, 1, expect=Expect(identity, 1, bytes(20)))
    with pytest.raises(OtherStoreError, match="it was set back and went on"):
        both.append([_offer(_body())], Expect(identity, 1, bytes(20)))
    assert _read(both, 1, expect=Expect(identity, 1, records(target)[0].id)) == []


@pytest.mark.parametrize(("after", "limit"), [(-1, None), (0, 0)])
def test_a_place_that_cannot_be_is_an_error(served: tuple[Store, Log], after: int, limit: int | None) -> None:
    """Nonsense for a place or a limit is an error and not an empty answer."""
    with pytest.raises(ChitError, match=r"whole number|a place in the log"):
        _read(served[1], after, limit)


DATA = bytes(range(256)) * 5_000
SHA = hashlib.sha256(DATA).hexdigest()


def test_a_blob_goes_there_and_back(served: tuple[Store, Log]) -> None:
    """Bytes that were put are there, whole or from an offset on."""
    target, both = served
    assert both.has_blob(SHA)[:2] == (False, 0)
    both.put_blob(SHA, io.BytesIO(DATA), len(DATA))
    assert both.has_blob(SHA)[:2] == (True, len(DATA))
    assert b"".join(both.get_blob(SHA)) == DATA
    assert b"".join(both.get_blob(SHA, 1_000_000)) == DATA[1_000_000:]
    assert blobs.verify(target, SHA)


def test_an_empty_blob(served: tuple[Store, Log]) -> None:
    """A file of no bytes is a file."""
    _, both = served
    empty = hashlib.sha256(b"").hexdigest()
    both.put_blob(empty, io.BytesIO(), 0)
    assert both.has_blob(empty)[:2] == (True, 0)
    assert b"".join(both.get_blob(empty)) == b""


def test_an_upload_goes_on_where_it_broke_off(served: tuple[Store, Log]) -> None:
    """What arrived before the break is kept, and the rest completes it."""
    target, both = served
    with pytest.raises(ChitError, match="1000 of 1280000 bytes"):
        blobs.receive(target, SHA, len(DATA), [DATA[:1000]])
    assert both.has_blob(SHA)[:2] == (False, 1000)
    source = io.BytesIO(DATA)
    source.seek(1000)
    both.put_blob(SHA, source, len(DATA), 1000)
    assert blobs.verify(target, SHA)


def test_bytes_of_another_hash_are_thrown_away(served: tuple[Store, Log]) -> None:
    """Whoever lies about a hash leaves nothing behind."""
    _, both = served
    with pytest.raises(ChitError, match=f"sent bytes that are not those of {SHA}"):
        both.put_blob(SHA, io.BytesIO(DATA[::-1]), len(DATA))
    assert both.has_blob(SHA)[:2] == (False, 0)


def test_a_blob_that_is_not_there(served: tuple[Store, Log]) -> None:
    """Asking for bytes that are not there is an error of its own kind."""
    with pytest.raises(NotFoundError):
        b"".join(served[1].get_blob(SHA))


@pytest.mark.parametrize("name", ["x", "A" * 64, "../" * 21 + "x", "0" * 63 + "/"])
def test_what_is_no_hash_is_no_path(served: tuple[Store, Log], name: str) -> None:
    """Nothing but a hash ever becomes part of a path."""
    with pytest.raises(ChitError):
        served[1].has_blob(name)
    with pytest.raises(ChitError):
        served[1].put_blob(name, io.BytesIO(b"x"), 1)


def _invited(store: Store) -> Joining:
    """Invites a partner; what it will send."""
    store.now = time_of_day  # as of the log behind the address
    _, secret, _ = inviting.invite(store, "acme", own="globex", expires_in=DAY)
    return Joining(secret, tokens.PREFIX + "t" * 43, "l" * 32, store.meta("store"))


def test_an_invited_partner_joins(served: tuple[Store, Log]) -> None:
    """Whoever has the invitation gets in without a token, is told the names, and asking again is answered the same."""
    target, lead = served
    joining = _invited(target)
    assert lead.join(joining) == Joined(target.meta("store"), "globex", "acme")
    assert lead.join(joining) == Joined(target.meta("store"), "globex", "acme")
    found = partners.of_token(target, joining.token)
    assert found is not None
    assert (found.name, found.store) == ("acme", joining.store)
    assert len(tokens.listing(target)) == 1


@pytest.mark.parametrize(
    ("change", "kind", "reason"),
    [
        ({"secret": "x" * 43}, AccessError, "the invitation is not known"),
        ({"lead": "m" * 32}, OtherStoreError, "the invitation is for another store"),
        ({"store": "m" * 32}, ConflictError, "the invitation was used already"),
        ({"token": tokens.PREFIX + "u" * 43}, ConflictError, "the invitation was used already"),
    ],
)
def test_nobody_else_joins(
    served: tuple[Store, Log], change: dict[str, str], kind: type[ChitError], reason: str
) -> None:
    """A wrong secret, a used invitation, another store: refused with the reason and what to do, and nothing changes."""
    target, lead = served
    joining = _invited(target)
    lead.join(joining)
    before = (partners.listing(target), tokens.listing(target))
    with pytest.raises(kind, match=reason) as caught:
        lead.join(joining._replace(**change))
    assert caught.value.hint
    assert (partners.listing(target), tokens.listing(target)) == before


def test_an_ended_partnership_is_not_joined(served: tuple[Store, Log]) -> None:
    """An invitation that was taken back is refused in words."""
    target, lead = served
    joining = _invited(target)
    partners.end(target, "acme")
    with pytest.raises(ConflictError, match="the partnership was ended"):
        lead.join(joining)
    assert tokens.listing(target) == []


def test_an_expired_invitation_is_not_joined(served: tuple[Store, Log]) -> None:
    """Too late is refused in words."""
    target, lead = served
    joining = _invited(target)
    target.db.execute("UPDATE invitations SET expires = 1")
    with pytest.raises(ConflictError, match="the invitation has expired"):
        lead.join(joining)
    assert tokens.listing(target) == []
