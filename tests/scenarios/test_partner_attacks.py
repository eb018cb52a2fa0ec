"""A partner that means harm, with a token that is good; and a lead that does. Nothing internal is shown, nothing foreign is moved.

Whoever tries uses no chit but writes the requests by hand. Every byte that the lead's server answers is searched for what is internal.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from chit_sync import checks, invitation, lines, outsourcing, schema, wire
from chit_sync.change import digest
from chit_sync.clock import DAY, MINUTE
from chit_sync.codec import decode
from chit_sync.errors import AccessError, RemoteError
from chit_sync.exchange import joining, taking
from chit_sync.exchange.pulling import pull
from chit_sync.exchange.pushing import push
from chit_sync.exchange.syncing import clone, sync
from chit_sync.handoffs import VERBS
from chit_sync.ids import mirror_id
from chit_sync.invitation import Joining
from chit_sync.registers import Value
from chit_sync.remotes.base import Log
from chit_sync.remotes.registry import open_remote
from chit_sync.schema import ITEMS
from chit_sync.store import blobs, fsck, inviting, log, partners, remotes, tokens
from chit_sync.store.database import Store
from chit_sync.wire import Offer, Sent
from conftest import NewStore
from support.exchange import everything
from support.partnership import (
    MARK,
    OTHER,
    SECRET_BYTES,
    TERMS,
    Kept,
    Pair,
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
    send,
    sha,
    write,
)
from support.server import answering, serving

MIRROR = mirror_id("https://helpdesk.example.com")
UNKNOWN = "there is no such ticket here"
THEIRS = f"{MARK} said to the other partner"
OTHER_BYTES = (f"{MARK} for the other partner ".encode() * 300)[:6_000]


class Scene(NamedTuple):
    """ident: the ticket that acme works on, in the handoff `to`. other: one that another partner works on, in `other_to`. alone: one that
    was never handed out."""

    pair: Pair
    client: httpx.Client
    log: Log
    ident: str
    to: str
    other: str
    other_to: str
    other_token: str
    alone: str

    @property
    def lead(self) -> Store:
        return self.pair.lead

    def tried(self, ident: str, sets: Mapping[str, Value], by: str = "mallory@acme", **more: Any) -> tuple[str, str]:
        """Offers one change; what became of it, and why."""
        return send(self.log, forged(ident, sets, by, **more))[0]


@pytest.fixture
def scene(new_store: NewStore, tmp_path: Path) -> Iterator[Scene]:
    """Two partners at work, each on a ticket of its own, and much beside them that is the lead's alone."""
    with partnership(new_store) as pair:
        lead = pair.lead
        second = new_store("initech")
        second.now = lead.now
        token = join(lead, second, lead.path, OTHER)
        ident, other, alone = (
            planted(lead, tmp_path, title) for title in ("Printer on fire", f"{MARK} 2", f"{MARK} 3")
        )
        pair.accepted(ident)
        pair.offered(other, partner=OTHER)
        with closing(open_remote(lead.path, token=token)) as log:
            to = handoff(lead, other).id
            move = item("move", "q" * 16, handoff=to, verb="accept", seen=handoff(lead, other).last, version=1)
            assert send(
                log, forged(other, move, f"eve@{OTHER}"), forged(other, said(to, body=THEIRS), f"eve@{OTHER}")
            ) == [
                ("taken", ""),
                ("taken", ""),
            ]
        attach(lead, other, file(tmp_path, f"{MARK}-2.bin", OTHER_BYTES), by="anna")
        headers = {"Authorization": f"Bearer {pair.token}", "Accept-Encoding": "identity"}
        with (
            httpx.Client(base_url=pair.url + "/v1", headers=headers, trust_env=False) as client,
            closing(pair.log()) as mine,
        ):
            yield Scene(pair, client, mine, ident, handoff(lead, ident).id, other, to, token, alone)
        assert fsck.check(lead) == [] or not [one for one in fsck.check(lead) if not one.harmless]


# Reading


@pytest.mark.parametrize(
    "query",
    [
        "", "after=0", "after=0&limit=1000000", "after=999999", "partner=2", f"partner={OTHER}", "scope=admin", "everyone=1", "token=x",
        "after=0&after=1", "after=%00", "limit=999999999999999999", "rights=finance", "seen=0", "store=&id=", "after=-1",
    ],
)  # fmt: skip
def test_no_parameter_shows_more(scene: Scene, query: str) -> None:
    """Whatever is asked for, what comes is of the partner's own ticket."""
    response = scene.client.get("/log?" + query)
    assert response.status_code in (200, 400, 409)
    if response.status_code == 200:
        _, *changes, _ = [json.loads(line) for line in response.content.splitlines()]
        assert {line["change"]["ticket"] for line in changes} <= {scene.ident}


@pytest.mark.parametrize(
    "path",
    ["/", "/log", "/log/", "/../v1/log", "/log/1", "/partner", "/partners", "/blobs", "/blobs/", "/tokens", "/health", "/metrics", "//log",
     "/log;admin", "/%2e%2e/store.db", "/store.db"],
)  # fmt: skip
def test_no_address_shows_more(scene: Scene, path: str) -> None:
    """No address of the server has anything else for a partner."""
    for method in ("GET", "HEAD", "OPTIONS", "DELETE", "PATCH"):
        response = scene.client.request(method, path)
        assert response.status_code in (200, 404, 405, 308), (method, path)
        assert b"internal" not in response.content
        for ident in (scene.other, scene.alone):
            assert ident.encode() not in response.content


@pytest.mark.parametrize(
    "header", ["X-Forwarded-User: anna", "Cookie: scope=admin", "X-Http-Method-Override: DELETE", "Accept: */*"]
)
def test_no_header_shows_more(scene: Scene, header: str) -> None:
    """Nor does any header."""
    name, _, value = header.partition(": ")
    response = scene.client.get("/log", headers={name: value})
    assert response.content == scene.client.get("/log").content or response.status_code == 200
    assert scene.other.encode() not in response.content


def test_no_other_token_is_tried_out(scene: Scene) -> None:
    """A token of another kind, in another place or spelling, is none."""
    with httpx.Client(base_url=scene.pair.url + "/v1", trust_env=False) as nobody:
        for value in (
            f"Basic {scene.pair.token}",
            f"Bearer {scene.pair.token.upper()}",
            "Bearer x",
            "Bearer chit_",
            "bearer",
        ):
            assert nobody.get("/log", headers={"Authorization": value}).status_code == 401
        assert nobody.get(f"/log?token={scene.pair.token}").status_code == 401


# Bytes


def _head(scene: Scene, name: str) -> tuple[int, dict[str, str]]:
    response = scene.client.head(f"/blobs/{name}")
    return response.status_code, {
        key: value
        for key, value in response.headers.items()
        if key not in ("date", "content-length", "server", "connection")
    }


def test_a_hash_opens_nothing(scene: Scene) -> None:
    """Whoever knows the hash of a file gets neither its bytes nor whether it is here: as of a file that there is nowhere."""
    nowhere = _head(scene, "0" * 64)
    for data in (SECRET_BYTES, OTHER_BYTES):
        assert blobs.verify(scene.lead, sha(data))
        assert _head(scene, sha(data)) == nowhere
        for headers in ({}, {"Range": "bytes=0-10"}, {"Range": "bytes=-1"}, {"If-None-Match": f'"{sha(data)}"'}):
            response = scene.client.get(f"/blobs/{sha(data)}", headers=headers)
            assert response.status_code == 404
            assert response.content == scene.client.get(f"/blobs/{sha(data)}").content
            assert json.loads(response.content)["detail"] == f"the bytes of {sha(data)} are not here"


@pytest.mark.parametrize("missing", [1, 10, 5_999])
def test_the_tail_of_a_file_is_not_enough(scene: Scene, missing: int) -> None:
    """Nobody gets a file of which only the end was sent, though its beginning is here."""
    size, name = len(OTHER_BYTES), sha(OTHER_BYTES)
    headers = {"Content-Range": f"bytes {size - missing}-{size - 1}/{size}"}
    response = scene.client.put(f"/blobs/{name}", content=OTHER_BYTES[-missing:], headers=headers)
    assert (response.status_code, response.json()["code"]) == (409, "offset")
    assert scene.client.get(f"/blobs/{name}").status_code == 404


def test_what_others_began_to_send_is_theirs(scene: Scene) -> None:
    """An upload that somebody else began is not seen, not completed and not spoiled."""
    data = b"half of it " * 1_000
    name = sha(data)
    for begun in ({}, {"apart": 99}):
        with pytest.raises(RemoteError):
            blobs.receive(scene.lead, name, len(data), [data[:-1]], **begun)  # type: ignore[arg-type]  # one of its names
    assert _head(scene, name) == _head(scene, "0" * 64)
    last = {"Content-Range": f"bytes {len(data) - 1}-{len(data) - 1}/{len(data)}"}
    assert scene.client.put(f"/blobs/{name}", content=data[-1:], headers=last).status_code == 409
    assert scene.client.put(f"/blobs/{name}", content=b"x" * len(data)).status_code == 400
    assert blobs.received(scene.lead, name) == blobs.received(scene.lead, name, 99) == len(data) - 1
    assert scene.client.get(f"/blobs/{name}").status_code == 404


def test_wrong_bytes_open_nothing(scene: Scene) -> None:
    """Bytes of another hash are refused, whether the file is here or not, in the same words."""
    told = []
    for name in (sha(OTHER_BYTES), "0" * 64):
        response = scene.client.put(f"/blobs/{name}", content=b"guess" * 100)
        told.append((response.status_code, response.text.replace(name, "")))
        assert scene.client.get(f"/blobs/{name}").status_code == 404
    assert told[0] == told[1]
    assert told[0][0] == 400
    assert blobs.verify(scene.lead, sha(OTHER_BYTES))


def test_a_file_is_not_claimed_by_its_hash(scene: Scene) -> None:
    """An attachment whose bytes its sender did not send is refused, so that nobody publishes a file for somebody who knows its hash."""
    paths = item(
        "attachment", "k" * 16, name="a.bin", sha256=sha(SECRET_BYTES), size=4_000, visibility="partner", to=scene.to
    )
    status, reason = scene.tried(scene.ident, paths)
    assert (status, reason) == ("refused", "attachment kkkkkkkk: its bytes were not sent")
    assert scene.tried(scene.ident, {**paths, f"attachment/{'k' * 16}/sha256": "0" * 64}) == (status, reason)
    data = b"honest"
    assert scene.client.put(f"/blobs/{sha(data)}", content=data).status_code == 204
    honest = {**paths, f"attachment/{'k' * 16}/sha256": sha(data), f"attachment/{'k' * 16}/size": len(data)}
    assert (
        scene.tried(scene.ident, {**honest, f"attachment/{'k' * 16}/size": 7})[1]
        == "attachment kkkkkkkk: it has another size"
    )
    assert scene.tried(scene.ident, honest)[0] == "taken"
    assert scene.tried(scene.ident, item("attachment", "k" * 16, size=7))[0] == "refused"
    assert scene.tried(scene.ident, item("attachment", "k" * 16, sha256=sha(SECRET_BYTES)))[0] == "refused"


# Appending


def _unchanged(scene: Scene, before: object) -> None:
    assert everything(scene.lead) == before


def test_another_ticket_is_as_one_that_there_is_not(scene: Scene) -> None:
    """Of another's ticket, one that is the lead's alone and one that there is not, the same is said, and none of them changes."""
    before, count = everything(scene.lead), len(bodies(scene.lead))
    for sets in (
        said(scene.to),
        said(scene.other_to),
        {"title": "mine"},
        item("move", "z" * 16, handoff=scene.other_to, verb="submit", seen="k" * 16),
        item("handoff", "h" * 16, role="lead", service="acme", status="accepted"),
        item("comment", "c" * 16, body="x", visibility="partner", to=scene.other_to),
    ):
        told = {scene.tried(ident, sets) for ident in (scene.other, scene.alone, "z" * 32)}
        assert told == {("refused", UNKNOWN)}
    _unchanged(scene, before)
    assert len(bodies(scene.lead)) == count


def test_changes_of_others_are_not_told_from_none(scene: Scene) -> None:
    """Whoever sends a change that the lead has, but not from them, is told nothing of it."""
    theirs = next(body for body in bodies(scene.lead) if THEIRS.encode() in body)
    record = forged(scene.other, {})._replace(body=theirs)
    assert send(scene.log, record._replace(id=digest(theirs))) == [("refused", UNKNOWN)]


def _sample(field: schema.Field) -> Value:
    """A value that the schema allows."""
    if field.choices:
        return field.choices[0].name
    samples: dict[str, Value] = {
        "flag": True, "time": 1_800_000_000_000_000, "count": 1, "ticket": "k" * 32, "item": "k" * 16, "decimal": "1.00",
        "currency": "EUR", "sha256": "0" * 64,
    }  # fmt: skip
    return samples.get(field.type, "open")


FIELDS = [*schema.FIELDS, "x.serial", "labels/mine"]
OF_ITEMS = [(kind, name) for kind, fields in ITEMS.items() for name in fields]


def test_no_field_of_the_ticket_is_the_partners(scene: Scene) -> None:
    """Each side keeps its own: no field of the lead's ticket is written by the partner, alone or beside a comment."""
    before = everything(scene.lead)
    for path in FIELDS:
        value = _sample(checks.field_of(path))
        for sets in ({path: value}, {path: None}, {**said(scene.to), path: value}):
            assert scene.tried(scene.ident, sets) == ("refused", f"{path}: each side keeps its own")
    _unchanged(scene, before)


def test_a_helpdesks_mark_opens_nothing(scene: Scene) -> None:
    """A partner that marks its changes as read from the lead's helpdesk replaces nothing of what it may not write."""
    lead, there = scene.lead, item("comment", "z" * 16, body="said there")
    told = forged(scene.ident, {"title": "As it is there", "status": "open", **there}, "jane", mirror=MIRROR)
    with lead.transaction():
        log.append(lead, [log.Record(told.id, told.body, decode(told.body))], -1)
    before, later = everything(lead), lead.now() + MINUTE
    for sets in (
        {"title": "x"},
        {"status": "closed"},
        item("comment", "z" * 16, body="x"),
        {**said(scene.to), "title": None},
        item("move", "z" * 16, handoff=scene.to, verb="submit", seen=handoff(lead, scene.ident).last),
    ):
        assert scene.tried(scene.ident, sets, at=later, mirror=MIRROR)[0] == "refused"
    _unchanged(scene, before)
    assert scene.tried(scene.ident, said(scene.to, body="mine"), at=later, mirror=MIRROR) == ("taken", "")
    after = of(lead, scene.ident)
    assert (after.title, after.text("status")) == ("As it is there", "open")
    assert {"said there", "mine"} < {one.body for one in after.comments}


SHARED = {
    (kind, name)
    for kind, names in {
        "comment": "body visibility deleted to",
        "attachment": "name sha256 size visibility deleted to",
        "time": "minutes date note visibility deleted to",
        "charge": "amount currency note visibility deleted to",
        "question": "body deleted to",
    }.items()
    for name in names.split()
}
"""All that a service partner writes."""

WHOLE: dict[str, dict[str, Value]] = {
    "comment": {"body": "hello", "visibility": "partner"},
    "attachment": {"name": "a.txt", "sha256": sha(b"honest"), "size": 6, "visibility": "partner"},
    "time": {"minutes": 10, "visibility": "partner"},
    "charge": {"amount": "1.00", "currency": "EUR", "visibility": "partner"},
    "question": {"body": "why?"},
}


def test_every_path_of_every_item(scene: Scene) -> None:
    """Of all paths that there are, beside a whole item of the partner's own: those of what is shared are taken, all others are not."""
    assert scene.client.put(f"/blobs/{sha(b'honest')}", content=b"honest").status_code == 204
    for number, (kind, name) in enumerate(OF_ITEMS):
        whole = {**WHOLE.get(kind, {}), **({"to": scene.to} if kind in WHOLE else {})}
        value = {"to": scene.to, "visibility": "partner", **whole}.get(name, _sample(ITEMS[kind][name]))
        paths = {f"{kind}/k{number}/{each}": what for each, what in {**whole, name: value}.items()}
        status, reason = scene.tried(scene.ident, paths)
        assert (status == "taken") == ((kind, name) in SHARED), (kind, name, reason)
        assert bool(reason) != ((kind, name) in SHARED)


@pytest.mark.parametrize("verb", [*VERBS, "delete", "", "OFFER"])
def test_the_leads_verbs_are_the_leads(scene: Scene, verb: str) -> None:
    """A verb of the lead's, or one that there is not, is refused at the door or by the ruling; the handoff stays as it is."""
    ours = verb in ("submit", "handback", "ask", "work")
    before = handoff(scene.lead, scene.ident)
    sets = item("move", "z" * 16, handoff=scene.to, verb=verb or None, seen=before.last, reason="because", version=1)
    status, _ = scene.tried(scene.ident, sets)
    if not ours:
        assert handoff(scene.lead, scene.ident).ruled == "accepted"
        assert handoff(scene.lead, scene.ident).last == before.last
    if verb in VERBS and VERBS[verb].role == "lead":
        assert status == "refused"


@pytest.mark.parametrize("fields", [
    {"ruling": "taken"}, {"status": "completed"}, {"handoff": None}, {"verb": None}, {"handoff": "k" * 16}, {"seen": "k" * 16},
    {"pay": "9999.00", "verb": "accept"}, {"authorized_minutes": 99_999, "verb": "extend"},
    {"authorized_minutes": 99_999, "verb": "answer"},
])  # fmt: skip
def test_a_move_is_a_wish(scene: Scene, fields: dict[str, Value]) -> None:
    """No move rules on itself, names another handoff, or brings terms along that nobody agreed to."""
    before = handoff(scene.lead, scene.ident).values
    values: dict[str, Value] = {"handoff": scene.to, "verb": "submit", "seen": before["last"], **fields}
    if "status" not in fields:
        scene.tried(scene.ident, item("move", "z" * 16, **values))
    else:
        with pytest.raises(AssertionError):
            assert scene.tried(scene.ident, item("move", "z" * 16, **values))[0] == "taken"
    assert handoff(scene.lead, scene.ident).values == before


def test_terms_are_accepted_in_their_version(new_store: NewStore, tmp_path: Path) -> None:
    """Whoever accepts terms in a version that there is not, or in none, has not accepted."""
    with partnership(new_store) as pair:
        ident = planted(pair.lead, tmp_path)
        pair.offered(ident)
        with closing(pair.log()) as log:
            to, last = handoff(pair.lead, ident).id, handoff(pair.lead, ident).last
            for number, version in enumerate((0, 2, 7, None)):
                move = item("move", f"z{number}", handoff=to, verb="accept", seen=last, version=version)
                assert send(log, forged(ident, move))[0][0] == "taken"
                assert handoff(pair.lead, ident).ruled == "assigned"
                assert "the terms are version 1 now" in str(of(pair.lead, ident).item(f"move/z{number}")["ruling"])
            assert send(log, forged(ident, said(to)))[0] == ("refused", "comment kkkkkkkk: the offer was not accepted")


def test_accepting_and_working_in_one_breath(new_store: NewStore, tmp_path: Path) -> None:
    """Work that comes in the change that accepts is refused with it: nothing crosses before the ruling."""
    with partnership(new_store) as pair:
        ident = planted(pair.lead, tmp_path)
        pair.offered(ident)
        with closing(pair.log()) as log:
            one = handoff(pair.lead, ident)
            move = item("move", "z", handoff=one.id, verb="accept", seen=one.last, version=1)
            assert send(log, forged(ident, {**move, **said(one.id)}))[0][0] == "refused"
            assert handoff(pair.lead, ident).ruled == "assigned"


NAMES = [
    "anna", "anna@globex", "x@acme@globex", "@acme", " @acme", "anna@ACME", "anna@аcme", "anna@acme ", "anna@acme\u200b", "chit@globex",
    "chit", "anna＠globex", "eve@initech", "anna@globex@acme", "anna@Globex@acme", "\u202eanna@acme", "an\u200bna@acme", "acme", "@",
]  # fmt: skip


def test_nobody_speaks_for_others(scene: Scene) -> None:
    """A partner's people are named as its own, and as nothing that could be taken for somebody else."""
    before = everything(scene.lead)
    for by in NAMES:
        status, reason = scene.tried(scene.ident, said(scene.to), by=by)
        assert (status, "author" in reason) == ("refused", True), by
    _unchanged(scene, before)


def test_items_of_others_are_theirs(scene: Scene) -> None:
    """Comments and files of the lead's, shared or internal, are neither edited, emptied, deleted nor moved, by their ids."""
    before = everything(scene.lead)
    ticket = of(scene.lead, scene.ident)
    keys = [f"comment/{one.id}" for one in ticket.comments] + [f"attachment/{one.id}" for one in ticket.attachments]
    assert len(keys) == 4
    for key in keys:
        for values in ({"body": "x"}, {"name": "x"}, {"deleted": True}, {"to": scene.to}, {"visibility": "partner"}):
            paths: dict[str, Value] = {f"{key}/{name}": value for name, value in values.items()}
            paths = {
                path: value for path, value in paths.items() if path.rpartition("/")[2] in ITEMS[key.partition("/")[0]]
            }
            if paths:
                status, reason = scene.tried(
                    scene.ident, {**paths, f"{key}/to": scene.to}, at=scene.lead.now() - MINUTE
                )
                assert (status, reason.endswith("it belongs to the other side")) == ("refused", True)
    _unchanged(scene, before)


def test_an_item_stays_where_it_is(scene: Scene) -> None:
    """An item of one's own is not moved into another handoff or out of all of them."""
    assert scene.tried(scene.ident, said(scene.to))[0] == "taken"
    for to in (scene.other_to, None, "k" * 15):
        assert scene.tried(scene.ident, {f"comment/{'k' * 16}/to": to}) == ("refused", f"comment kkkkkkkk: {UNKNOWN}")


def test_two_handoffs_in_one_change(scene: Scene) -> None:
    """A change that is for another handoff as well is refused whole."""
    both = {**said(scene.to), **said(scene.other_to, "m" * 16)}
    assert scene.tried(scene.ident, both) == ("refused", f"comment mmmmmmmm: {UNKNOWN}")
    assert f"comment/{'k' * 16}" not in of(scene.lead, scene.ident).item_registers


# Hours and money


def _time(to: str, ident: str, minutes: Value, **fields: Value) -> dict[str, Value]:
    return item("time", ident, **{"minutes": minutes, "visibility": "partner", "to": to, **fields})


def _cost(to: str, ident: str, amount: Value, **fields: Value) -> dict[str, Value]:
    return item("charge", ident, **{"amount": amount, "currency": "EUR", "visibility": "partner", "to": to, **fields})


OVER: dict[str, Callable[[str], dict[str, Value]]] = {
    "more hours": lambda to: _time(to, "t", 121),
    "more hours in two": lambda to: {**_time(to, "t", 61), **_time(to, "u", 60)},
    "hours below nothing": lambda to: _time(to, "t", -10),
    "hours that are no number": lambda to: _time(to, "t", "10"),
    "hours that are true": lambda to: _time(to, "t", True),
    "no hours": lambda to: _time(to, "t", None),
    "endless hours": lambda to: _time(to, "t", 2**53),
    "more money": lambda to: _cost(to, "c", "50.01"),
    "another currency": lambda to: _cost(to, "c", "1.00", currency="USD"),
    "no currency": lambda to: _cost(to, "c", "1.00", currency=None),
    "a currency in small letters": lambda to: _cost(to, "c", "1.00", currency="eur"),
    "three decimals": lambda to: _cost(to, "c", "1.001"),
    "less than nothing": lambda to: _cost(to, "c", "-1.00"),
    "a power": lambda to: _cost(to, "c", "1e9"),
    "no amount": lambda to: _cost(to, "c", None),
    "no number": lambda to: _cost(to, "c", "NaN"),
    "other digits": lambda to: _cost(to, "c", "１.00"),
    "an amount left out": lambda to: item("charge", "c", currency="EUR", visibility="partner", to=to),
    "what stands for time": lambda to: _cost(to, "c", "1.00", bundle=to),
}


def test_no_more_than_is_authorised(scene: Scene) -> None:
    """What goes beyond the terms, or is no figure, is refused, and the next change is taken."""
    for number, (what, make) in enumerate(OVER.items()):
        good = forged(scene.ident, said(scene.to, f"k{number}"))
        (first, reason), (second, _) = send(scene.log, forged(scene.ident, make(scene.to)), good)
        assert (first, second, bool(reason)) == ("refused", "taken", True), what
    assert not of(scene.lead, scene.ident).times
    assert not of(scene.lead, scene.ident).charges


def _used(scene: Scene) -> int:
    return sum(one.minutes for one in of(scene.lead, scene.ident).times)


def test_what_was_deleted_does_not_come_back_beyond_the_limit(scene: Scene) -> None:
    """Hours that were recorded as deleted are not brought back without being counted; nor is an amount, or one in another currency."""
    assert scene.tried(scene.ident, _time(scene.to, "t", 9_000, deleted=True))[0] == "taken"
    assert "more than is authorised" in scene.tried(scene.ident, item("time", "t", deleted=None))[1]
    for ident, fields in (("c", {}), ("d", {"currency": "USD"})):
        paths = _cost(scene.to, ident, "9000.00" if not fields else "1.00", deleted=True, **fields)
        assert scene.tried(scene.ident, paths)[0] == "taken"
        assert scene.tried(scene.ident, item("charge", ident, deleted=None))[0] == "refused"
    assert (_used(scene), of(scene.lead, scene.ident).charges) == (0, [])


def test_what_lost_does_not_come_back_beyond_the_limit(scene: Scene) -> None:
    """Hours written twice at once are not exchanged for the greater figure once the rest was used up."""
    now = scene.lead.now()
    small = forged(scene.ident, _time(scene.to, "t", 5), at=now + MINUTE)
    large = forged(scene.ident, item("time", "t", minutes=110), at=now)
    rest = forged(scene.ident, _time(scene.to, "u", 115))
    assert [status for status, _ in send(scene.log, small, large, rest)] == ["taken"] * 3
    assert _used(scene) == 120
    swap = forged(scene.ident, item("time", "t", minutes=1), at=now - 1, over=[small.id.hex()])
    ((status, reason),) = send(scene.log, swap)
    assert (status, _used(scene)) == ("refused", 120)
    assert "more than is authorised" in reason


def test_dates_do_not_make_a_ticket_old(scene: Scene) -> None:
    """No partner's date makes itself the author of the lead's ticket, or its last change one of the far future."""
    before = of(scene.lead, scene.ident)
    dates: list[dict[str, Any]] = [
        {"at": 1},
        {"when": 1},
        {"when": scene.lead.now() + 400 * DAY},
        {"at": scene.lead.now() + 3 * 60 * MINUTE},
    ]
    for times in dates:
        assert scene.tried(scene.ident, said(scene.to), **times)[0] == "refused"
    after = of(scene.lead, scene.ident)
    assert (after.created, after.author, after.updated) == (before.created, before.author, before.updated)


@pytest.mark.parametrize(
    "body",
    [b"", b"\n\n\n", b"[" * 100_000, b'{"id":"' + b"0" * 40 + b'"}', b"{}", b"null\n", b"\xff\xfe", b'{"change":{},"id":"zz"}\n' * 5_000,
     b'{"change":' + b"[" * 50_000 + b"]" * 50_000 + b',"id":"' + b"0" * 40 + b'"}', b'{"change":' + b"9" * 100_000 + b',"id":""}'],
    ids=range(10),
)  # fmt: skip
def test_nonsense_is_answered(scene: Scene, body: bytes) -> None:
    """What is no change is told so line by line, and the server goes on."""
    response = scene.client.post("/log", content=body)
    assert response.status_code == 200
    assert all(result["status"] == "refused" for result in response.json()["results"])
    assert scene.tried(scene.ident, said(scene.to))[0] == "taken"


@pytest.mark.parametrize("count", [5_001, 30_000])
def test_too_much_at_once_is_refused_at_once(scene: Scene, count: int) -> None:
    """More changes than one request may have are refused as a whole."""
    line = lines.offer_lines([forged(scene.ident, said(scene.to))])
    response = scene.client.post("/log", content=line * count)
    assert response.status_code == 413
    assert scene.tried(scene.ident, said(scene.to))[0] == "taken"


# Tokens and invitations


def test_an_invitation_is_for_one(scene: Scene) -> None:
    """One that was used, has expired, is for another store, or is none, admits nobody and tells nothing of partners."""
    lead = scene.lead
    before = (partners.listing(lead), tokens.listing(lead))
    _, secret, _ = inviting.invite(lead, "hooli", own="globex", expires_in=DAY)
    lead.db.execute("UPDATE invitations SET expires = 1 WHERE used IS NULL")
    token = tokens.PREFIX + "t" * 43
    for tried in (
        Joining(secret, token, "l" * 32, lead.meta("store")),
        Joining(secret, token, "l" * 32, "m" * 32),
        Joining("x" * 43, token, "l" * 32, lead.meta("store")),
        Joining("x" * 43, scene.pair.token, "l" * 32, lead.meta("store")),
        Joining(secret, scene.other_token, "l" * 32, lead.meta("store")),
    ):
        response = scene.client.post("/partner", content=invitation.write_joining(tried))
        assert response.status_code in (403, 409)
        assert "hint" in response.json()
    assert tokens.listing(lead) == before[1]
    assert {one.name for one in partners.listing(lead)} == {"hooli", *(one.name for one in before[0])}


def test_a_partners_token_is_no_agents(scene: Scene, new_store: NewStore, tmp_path: Path) -> None:
    """Nothing is cloned with it, and a store that is no partner offers nothing through it: it is told what kind of token that is."""
    with closing(scene.pair.log()) as log, pytest.raises(AccessError, match="a partner's token") as caught:
        clone(str(tmp_path / "clone"), scene.pair.url, log)
    assert "chit partner join" in caught.value.hint
    assert not (tmp_path / "clone").exists()
    stranger = new_store("stranger")
    planted(stranger, tmp_path)
    remote = remotes.add(stranger, "origin", scene.pair.url)
    asked = len(scene.pair.recorder.requests) if scene.pair.recorder else 0
    with closing(scene.pair.log()) as log:
        for exchange in (pull, push):
            with pytest.raises(AccessError, match="one of a partner"):
                exchange(stranger, remote, log)
    assert scene.pair.recorder is not None
    assert not [line for line in scene.pair.recorder.requests[asked:] if line.startswith(("POST", "PUT"))]


def test_who_has_no_token_sees_what_they_saw_before(new_store: NewStore, tmp_path: Path) -> None:
    """A store that is open to all on this machine, and one that is not, answer as without partners."""
    with partnership(new_store, "path") as pair:
        ident = planted(pair.lead, tmp_path)
        pair.accepted(ident)
        with serving(pair.lead.path) as closed, httpx.Client(base_url=closed + "/v1", trust_env=False) as nobody:
            for path in ("/", "/log", f"/blobs/{sha(SECRET_BYTES)}"):
                assert nobody.get(path).status_code == 401
            assert nobody.post("/log", content=b"").status_code == 401
        with serving(pair.lead.path, open_to_all=True) as address:
            with closing(open_remote(address)) as everybody:
                assert everybody.info().last > pair.remote.pulled
                forgery = forged(ident, {f"handoff/{handoff(pair.lead, ident).id}/status": "completed"}, by="anna")
                assert send(everybody, forgery)[0][0] == "refused"
            with closing(open_remote(address, token=pair.token)) as partner:
                assert partner.info().statuses == {}


# A lead that means harm


class Lies(NamedTuple):
    """A server that poses as the lead's: what it hands out is what a test puts there."""

    log: list[Offer]
    info: wire.Info
    extra: list[bytes]

    def answer(self, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        if method != "GET" or not path.startswith("/v1/log"):
            return 404, {}, b""
        after = int(path.partition("after=")[2].partition("&")[0])
        sent = [Sent(place, 7, offer.id, offer.body) for place, offer in enumerate(self.log, 1) if place > after]
        lines_ = (
            wire.info_line(self.info._replace(last=len(self.log))) + lines.change_lines(sent) + b"".join(self.extra)
        )
        return 200, {"Content-Type": wire.NDJSON}, lines_ + wire.end_line(max(after, len(self.log)))


class Victim(NamedTuple):
    """acme's store, with a ticket of its own, one from another lead, and one from globex; and a server that poses as globex's."""

    store: Store
    lies: Lies
    address: str
    ident: str
    to: str
    own: str
    elsewhere: str

    def pulled(self, *offers: Offer) -> list[str]:
        """Pulls what the server says now; why each of it was kept aside."""
        self.lies.log.extend(offers)
        with closing(open_remote(self.address)) as log:
            return [held.reason for held in pull(self.store, remotes.get(self.store, "globex"), log).held]


@pytest.fixture
def victim(new_store: NewStore, tmp_path: Path) -> Iterator[Victim]:
    """The service partner, in the middle of the work."""
    with partnership(new_store) as pair:
        store = pair.service
        other = new_store("hooli")
        other.now = store.now
        ident, elsewhere = planted(pair.lead, tmp_path), planted(other, tmp_path)
        pair.accepted(ident)
        _, secret, _ = inviting.invite(other, "acme", own="hooli", expires_in=DAY)
        with serving(other.path) as address, closing(open_remote(address)) as log:
            kept = Kept()
            joining.join(store, invitation.Invitation(address, other.meta("store"), secret, "hooli", "acme"), log, kept)
            write(other, outsourcing.offer(other, of(other, elsewhere), "acme", TERMS), "hal")
            with closing(open_remote(address, token=kept.token)) as second:
                sync(store, remotes.get(store, "hooli"), second)
        own = planted(store, tmp_path, "Ours alone")
        with closing(pair.log()) as log:
            truth = [Offer(sent.id, sent.body) for batch in log.read(0).batches for sent in batch]
            info = log.info()
    lies = Lies(truth, info, [])
    with answering(lies.answer) as address:
        remotes.set_url(store, "globex", address)
        yield Victim(store, lies, address, ident, handoff(store, ident).id, own, elsewhere)


def test_the_truth_passes(victim: Victim) -> None:
    """What an honest lead says passes at the same address."""
    assert victim.pulled(forged(victim.ident, said(victim.to, body="welcome"), by="anna@globex")) == []
    assert [one.body for one in of(victim.store, victim.ident).comments][-1] == "welcome"


def _offer(victim: Victim, **fields: Value) -> dict[str, Value]:
    values: dict[str, Value] = {
        "lead": "globex",
        "service": "acme",
        "status": "assigned",
        "verb": "offer",
        "version": 1,
        **fields,
    }
    return item("handoff", "h" * 16, **values)


LEADS_LIES: dict[str, tuple[Callable[[Victim], Offer], str]] = {
    "a ticket of ours": (lambda v: forged(v.own, {"title": "x"}, "anna@globex"), "none that this lead handed out"),
    "an offer of a ticket of ours": (lambda v: forged(v.own, _offer(v), "anna@globex"), "none that this lead handed out"),
    "a ticket of another lead": (lambda v: forged(v.elsewhere, {"title": "x"}, "anna@globex"), "none that this lead handed out"),
    "another lead's handoff": (
        lambda v: forged(v.ident, item("handoff", handoff(v.store, v.elsewhere).id, status="completed"), "anna@globex"), "not for us"),
    "a ticket out of nowhere": (lambda v: forged("z" * 32, {"title": "x"}, "anna@globex"), UNKNOWN),
    "an offer for somebody else": (lambda v: forged("z" * 32, _offer(v, service="hooli"), "anna@globex"), "not for us"),
    "an offer by somebody else": (lambda v: forged("z" * 32, _offer(v, lead="hooli"), "anna@globex"), "not for us"),
    "an offer that is accepted": (lambda v: forged("z" * 32, _offer(v, status="accepted"), "anna@globex"), "cannot become accepted"),
    "an acceptance of ours": (
        lambda v: forged("z" * 32, _offer(v, accepted_by="bob@acme"), "anna@globex"), "we have not accepted it"),
    "a second offer meanwhile": (lambda v: forged(v.ident, _offer(v), "anna@globex"), "the one before it has not ended"),
    "our status": (lambda v: forged(v.ident, {"status": "closed"}, "anna@globex"), "each side keeps its own"),
    "our status, as if our helpdesk had told": (
        lambda v: forged(v.ident, {"status": "closed"}, "anna@globex", mirror=MIRROR), "each side keeps its own"),
    "a ruling of a helpdesk's": (
        lambda v: forged(v.ident, item("handoff", v.to, status="completed"), "anna@globex", mirror=MIRROR), "nothing of handoffs"),
    "our queue": (lambda v: forged(v.ident, {"queue": "x"}, "anna@globex"), "each side keeps its own"),
    "our assignee": (lambda v: forged(v.ident, {"assignee": "x"}, "anna@globex"), "each side keeps its own"),
    "a label": (lambda v: forged(v.ident, {"labels/x": True}, "anna@globex"), "each side keeps its own"),
    "a field": (lambda v: forged(v.ident, {"x.y": "z"}, "anna@globex"), "each side keeps its own"),
    "our deletion": (lambda v: forged(v.ident, {"deleted": True}, "anna@globex"), "each side keeps its own"),
    "a link": (lambda v: forged(v.ident, item("link", "k", target=v.own), "anna@globex"), "not for the lead to send"),
    "our author": (lambda v: forged(v.ident, said(v.to), "bob@acme"), "is not one of globex"),
    "our author in disguise": (lambda v: forged(v.ident, said(v.to), "bob@acme@globex"), "taken for somebody else"),
    "another lead's author": (lambda v: forged(v.ident, said(v.to), "hal@hooli"), "is not one of globex"),
    "an author of nowhere": (lambda v: forged(v.ident, said(v.to), "bob"), "is not one of globex"),
    "our role": (lambda v: forged(v.ident, item("handoff", v.to, role="lead"), "anna@globex"), "role is ours alone"),
    "our rate": (lambda v: forged(v.ident, item("handoff", v.to, bill_rate="1.00"), "anna@globex"), "bill_rate is ours alone"),
    "less pay": (lambda v: forged(v.ident, item("handoff", v.to, pay="1.00"), "anna@globex"), "pay stays as it was accepted"),
    "pay by the job": (lambda v: forged(v.ident, item("handoff", v.to, pay_unit="flat"), "anna@globex"), "stays as it was accepted"),
    "our submission": (
        lambda v: forged(v.ident, item("handoff", v.to, status="awaiting-approval"), "anna@globex"), "cannot become awaiting-approval"),
    "our withdrawal": (lambda v: forged(v.ident, item("handoff", v.to, status="declined"), "anna@globex"), "cannot become declined"),
    "no status": (lambda v: forged(v.ident, item("handoff", v.to, status=None), "anna@globex"), "cannot become None"),
    "a move of ours": (
        lambda v: forged(v.ident, item("move", "k", handoff=v.to, verb="submit"), "anna@globex"), "makes none for us"),
    "another ruling": (
        lambda v: forged(v.ident, item("move", handoff(v.store, v.ident).moves[-1].id, ruling="no"), "anna@globex"), "ruled on already"),
    "our hours": (lambda v: forged(v.ident, _time(v.to, "t", 10), "anna@globex"), "not for the lead to send"),
    "what is held": (lambda v: forged(v.ident, said(v.to, held=v.to), "anna@globex"), "held is ours alone"),
    "something internal": (lambda v: forged(v.ident, said(v.to, visibility="internal"), "anna@globex"), "what is internal"),
    "a question": (lambda v: forged(v.ident, item("question", "q", body="?", to=v.to), "anna@globex"), "asks none"),
    "a comment for nobody": (lambda v: forged(v.ident, said("k" * 16), "anna@globex"), UNKNOWN),
    "the far future": (
        lambda v: forged(v.ident, said(v.to), "anna@globex", when=v.store.now() + 999 * DAY), "later than it was recorded"),
}  # fmt: skip


def test_what_a_lead_must_not_say(victim: Victim) -> None:
    """Each is kept aside with its reason, and shown as waiting; nothing of ours changes, and the truth goes on beside it."""
    before = everything(victim.store)
    kept: list[str] = []
    for what, (make, reason) in LEADS_LIES.items():
        kept = victim.pulled(make(victim))
        assert reason in kept[-1], what
    assert len(kept) == len(LEADS_LIES)
    assert everything(victim.store) == before
    assert remotes.pending(victim.store, remotes.get(victim.store, "globex")).held == len(LEADS_LIES)
    truth = forged(victim.ident, said(victim.to, body="welcome"), by="anna@globex")
    assert len(victim.pulled(truth)) == len(LEADS_LIES)
    assert [one.body for one in of(victim.store, victim.ident).comments][-1] == "welcome"


def test_after_the_end_nothing_changes(victim: Victim) -> None:
    """Once completed, a handoff stays so, and no field, comment or figure of the lead's arrives any more."""
    end = forged(
        victim.ident, item("handoff", victim.to, status="completed", verb="complete", last="z" * 16), "anna@globex"
    )
    assert victim.pulled(end, forged(victim.ident, item("handoff", victim.to, total="0.00"), "anna@globex")) == []
    before = everything(victim.store)
    for sets in (
        item("handoff", victim.to, status="in-progress"),
        item("handoff", victim.to, reason="x"),
        {"title": "x"},
        {**item("handoff", victim.to, total="0.00"), "title": "x"},
        said(victim.to),
    ):
        assert "completed" in victim.pulled(forged(victim.ident, sets, "anna@globex"))[-1]
    assert everything(victim.store) == before


def test_bytes_that_do_not_match_stop_it(victim: Victim) -> None:
    """A change that was altered on the way stops the pull; what came before it is kept, nothing after it is taken."""
    good, bad, after = (forged(victim.ident, said(victim.to, item), "anna@globex") for item in ("a", "b", "c"))
    with pytest.raises(RemoteError, match="bytes of another hash"):
        victim.pulled(good, bad._replace(body=bad.body.replace(b"hello", b"HELLO")), after)
    assert {one.id for one in of(victim.store, victim.ident).comments} >= {"a"}
    assert not {one.id for one in of(victim.store, victim.ident).comments} & {"b", "c"}


def test_a_log_without_end_is_stopped(victim: Victim, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sends ever more of what does not pass is not read on, and it is said who it is and what can be done."""
    monkeypatch.setattr(taking, "MAX_HELD", 50)
    offers = [forged(victim.own, {"title": f"{number}"}, "anna@globex") for number in range(60)]
    for _ in range(2):
        with pytest.raises(RemoteError, match="globex has sent over 50 changes that do not pass here") as caught:
            victim.pulled(*offers)
        assert "chit partner end" in caught.value.hint
    assert remotes.pending(victim.store, remotes.get(victim.store, "globex")).held <= 120


def test_lines_that_are_none_stop_it(victim: Victim) -> None:
    """What is no line of a log ends the pull with words, and nothing of it is kept."""
    before = everything(victim.store)
    for line in (b"{}\n", b'{"change":{}}\n', b"x" * 5_000_000 + b"\n", b'{"seq":1}\n'):
        victim.lies.extra[:] = [line]
        with pytest.raises(RemoteError):
            victim.pulled()
    victim.lies.extra.clear()
    assert victim.pulled() == []
    assert everything(victim.store) == before
