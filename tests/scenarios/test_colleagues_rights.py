"""What colleagues may do to outsourced tickets through their organisation's server, by the rights of their tokens, and what they see."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from chit_sync import colleagues, outsourcing
from chit_sync.authoring import Edit
from chit_sync.credentials import save
from chit_sync.registers import Value
from chit_sync.remotes.registry import open_remote
from chit_sync.store import fsck, remotes, tokens
from chit_sync.store.database import Store, time_of_day
from conftest import NewStore
from support.exchange import clone, pulled, pushed
from support.partnership import (
    TERMS,
    Pair,
    Recorder,
    act,
    bodies,
    charge,
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
    work,
    write,
)
from support.runner import Chit
from support.server import serving

MONEY = re.compile(rb'/(?:pay|pay_unit|bill_rate|total|authorized_charges|bundle)":|80\.00|97313\.37|120\.00|"50\.00"')
"""What only who holds the right `finance` may see: the paths, and the figures themselves."""


class Team(NamedTuple):
    """The lead's organisation. pair: its exchanging store, and the partner; url: where colleagues reach it."""

    pair: Pair
    url: str
    recorder: Recorder
    folder: Path

    @property
    def lead(self) -> Store:
        return self.pair.lead

    def colleague(self, name: str, *rights: str, scope: str = "agent") -> "Colleague":
        """Somebody with a token of these rights, and a clone."""
        return hired(self.lead, self.url, self.folder / name, name, *rights, scope=scope)


class Colleague(NamedTuple):
    """A colleague with a clone."""

    store: Store
    token: str
    name: str

    def push(self) -> list[str]:
        """Pushes; the reasons of what was refused."""
        return [one.reason for one in pushed(self.store, self.token).refused]

    def pull(self) -> Any:
        """Pulls."""
        return pulled(self.store, self.token)


def hired(store: Store, url: str, folder: Path, name: str, *rights: str, scope: str = "agent") -> Colleague:
    """A colleague of whoever the store belongs to."""
    _, secret = tokens.create(store, name, scope, rights=rights)
    copy = clone(folder, url, secret)
    copy.now = time_of_day
    return Colleague(copy, secret, name)


@pytest.fixture
def team(new_store: NewStore, tmp_path: Path) -> Iterator[Team]:
    """The lead's team, with a server."""
    with (
        partnership(new_store) as pair,
        serving(pair.lead.path) as address,
        Recorder(address) as recorder,
    ):
        yield Team(pair, recorder.address, recorder, tmp_path)
        for store in (pair.lead, pair.service):
            assert [problem for problem in fsck.check(store) if not problem.harmless] == []


def _offered(team: Team, by: Colleague, ident: str, terms: dict[str, Value]) -> None:
    write(by.store, outsourcing.offer(by.store, of(by.store, ident), "acme", terms), by.name)


SIMPLE: dict[str, Value] = {"instructions": "be quick", "authorized_minutes": 60}


def test_a_move_is_ruled_on_in_the_request_that_brings_it(team: Team) -> None:
    """A colleague's offer is out when the push has ended; the colleague's next pull shows the ruling, and so it goes on to the approval."""
    ident = planted(team.lead, team.folder)
    berta = team.colleague("berta", "outsource", "finance")
    _offered(team, berta, ident, TERMS)
    assert handoff(berta.store, ident).ruled == "none"
    assert handoff(berta.store, ident).status == "assigned"
    assert berta.push() == []
    assert handoff(team.lead, ident).ruled == "assigned"
    berta.pull()
    assert handoff(berta.store, ident).ruled == "assigned"
    assert handoff(berta.store, ident).values == handoff(team.lead, ident).values
    team.pair.sync()
    write(team.pair.service, outsourcing.accept(team.pair.service, of(team.pair.service, ident)), "bob")
    work(team.pair.service, ident, 90)
    team.pair.sync()
    act(team.pair.service, ident, "submit")
    team.pair.sync()
    berta.pull()
    act(berta.store, ident, "approve", "well done", by="berta")
    assert berta.push() == []
    team.pair.sync()
    berta.pull()
    for store in (berta.store, team.lead, team.pair.service):
        assert (handoff(store, ident).ruled, handoff(store, ident).text("total")) == ("completed", "120.00")
    assert [one.amount for one in of(berta.store, ident).charges if one.bundle] == ["120.00"]


def test_a_ticket_that_is_new_is_outsourced_at_once(team: Team) -> None:
    """A ticket, its comment and its offer, made offline and pushed together, are taken in their order."""
    berta = team.colleague("berta", "outsource", "finance")
    ident = write(berta.store, Edit(None, {"title": "New", "status": "new"}), "berta").id
    say(berta.store, ident, "hello", by="berta")
    _offered(team, berta, ident, TERMS)
    assert berta.push() == []
    team.pair.sync()
    assert handoff(team.pair.service, ident).ruled == "assigned"
    assert handoff(team.pair.service, ident).text("pay") == "80.00"


VERBS: dict[str, tuple[str, str]] = {
    "offer": ("", "outsource"), "cancel": ("assigned", "outsource"), "approve": ("awaiting", "outsource"),
    "reject": ("awaiting", "outsource"), "complete": ("accepted", "outsource"), "recall": ("accepted", "outsource"),
}  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_needs_its_right(team: Team, verb: str) -> None:
    """Without the right the push is refused in words and nothing is moved; with it the same is taken."""
    stage, right = VERBS[verb]
    pair, ident = team.pair, planted(team.lead, team.folder)
    if stage == "assigned":
        pair.offered(ident)
    elif stage:
        pair.accepted(ident)
    if stage == "awaiting":
        act(pair.service, ident, "submit")
        pair.sync()
    before = handoff(team.lead, ident).ruled if stage else ""
    for rights, allowed in (("none",), False), (("accept", "partners", "finance"), False), ((right,), True):
        who = team.colleague("-".join(rights), *rights)
        if verb == "offer":
            _offered(team, who, ident, SIMPLE)
        else:
            act(who.store, ident, verb, "because", by=who.name)
        reasons = who.push()
        if allowed:
            assert reasons == []
            assert handoff(team.lead, ident).ruled != before
        else:
            assert reasons
            assert all(f"the token does not hold the right `{right}`, which " in reason for reason in reasons)
            assert (handoff(team.lead, ident).ruled if of(team.lead, ident).handoffs else "") == before
            assert [one.reason for one in remotes.refusals(who.store)] == reasons


def test_closing_is_completing_and_needs_the_right(team: Team) -> None:
    """Who may not complete may not close a ticket that is outsourced either; the ticket stays open."""
    ident = planted(team.lead, team.folder)
    team.pair.accepted(ident)
    nobody = team.colleague("nobody", "none")
    write(nobody.store, Edit(of(nobody.store, ident), {"status": "closed"}), "nobody")
    assert [reason.partition("`outsource`, which ")[2] for reason in nobody.push()] == [
        "closing an outsourced ticket needs",
        "`complete` needs",
    ]
    assert (of(team.lead, ident).value("status"), handoff(team.lead, ident).ruled) == ("new", "accepted")


def test_everything_else_needs_no_right(team: Team) -> None:
    """Whoever may write comments, edits and answers on an outsourced ticket as on any other; everybody sees with whom it is."""
    ident = planted(team.lead, team.folder)
    team.pair.accepted(ident)
    nobody = team.colleague("nobody", "none")
    assert (handoff(nobody.store, ident).partner, handoff(nobody.store, ident).ruled) == ("acme", "accepted")
    say(nobody.store, ident, "for all", by="nobody")
    say(nobody.store, ident, "zqxsecret among us", "internal", by="nobody")
    write(nobody.store, Edit(of(nobody.store, ident), {"title": "New title", "queue": "zqxsecret"}), "nobody")
    assert nobody.push() == []
    team.pair.sync()
    assert of(team.pair.service, ident).title == "New title"
    assert [one.body for one in of(team.pair.service, ident).comments][-1] == "for all"


# Money


def test_money_is_for_who_may_see_it(team: Team) -> None:
    """Pay, rate, limits, totals and what was bundled never go to a token without `finance`: neither the paths nor the figures."""
    ident = planted(team.lead, team.folder)
    nobody, berta = team.colleague("nobody", "outsource", "accept", "partners"), team.colleague("berta", "finance")
    team.recorder.heard.clear()
    team.pair.offered(ident)
    nobody.pull()
    team.pair.sync()
    terms: dict[str, Value] = {"pay": "80.00", "complete_by": team.lead.now() + 10**12}
    write(team.pair.service, outsourcing.counter(team.pair.service, of(team.pair.service, ident), terms), "bob")
    team.pair.sync()
    nobody.pull()
    write(team.lead, outsourcing.offer(team.lead, of(team.lead, ident), "acme", {}), "anna")
    team.pair.sync()
    write(team.pair.service, outsourcing.accept(team.pair.service, of(team.pair.service, ident)), "bob")
    work(team.pair.service, ident, 90)
    team.pair.sync()
    act(team.pair.service, ident, "submit")
    team.pair.sync()
    act(team.lead, ident, "approve")
    nobody.pull()
    heard = bytes(team.recorder.heard)
    found = MONEY.search(heard)
    assert found is None, heard[max(0, found.start() - 200) : found.end() + 50] if found else ""
    assert handoff(nobody.store, ident).ruled == "completed"
    assert handoff(nobody.store, ident).value("pay") is None
    assert not [one for one in of(nobody.store, ident).charges if one.bundle]
    berta.pull()
    assert handoff(berta.store, ident).values == handoff(team.lead, ident).values
    assert [one.amount for one in of(berta.store, ident).charges if one.bundle] == ["120.00"]


def test_places_in_the_log_hold_where_money_lies_between(team: Team) -> None:
    """Who does not see some changes still gets each of the others once, is done when there is no more, and can push."""
    ident = planted(team.lead, team.folder)
    nobody = team.colleague("nobody", "none")
    seen = len(bodies(nobody.store))
    for number in range(4):
        write(team.lead, Edit(of(team.lead, ident), {f"handoff/k{number}/bill_rate": "97313.37"}), "anna")
        assert (nobody.pull().taken, nobody.pull().taken) == (0, 0)
        say(team.lead, ident, f"{number}", by="anna")
        assert (nobody.pull().taken, nobody.pull().taken) == (1, 0)
        say(nobody.store, ident, f"{number} too", by="nobody")
        assert nobody.push() == []
        assert nobody.pull().taken == 0
    assert len(bodies(nobody.store)) == seen + 8
    assert MONEY.search(b"".join(bodies(nobody.store))) is None


@pytest.mark.parametrize("name", ["pay", "bill_rate", "authorized_charges", "total"])
def test_money_is_not_set_without_the_right(team: Team, name: str) -> None:
    """Nor does anybody set such a figure without it, in a draft or beside something else."""
    ident = planted(team.lead, team.folder)
    berta = team.colleague("berta", "outsource")
    with closing(open_remote(team.url, token=berta.token)) as log:
        for sets in (item("handoff", "k", **{name: "1.00"}), {"title": "x", **item("handoff", "k", **{name: "1.00"})}):
            ((status, reason),) = send(log, forged(ident, sets, "berta"))
            assert status == "refused"
            assert "`finance`" in reason or "only the lead's store decides" in reason
    assert of(team.lead, ident).title == "Printer on fire"


# By hand


def test_what_no_colleague_does(team: Team, new_store: NewStore) -> None:
    """Whatever rights a token has: nobody rules, redirects, reopens, changes what is agreed or the partner's items, or speaks for it."""
    other = new_store("initech")
    other.now = time_of_day
    join(team.lead, other, team.lead.path, "zqxsecret-initech")
    pair, ident = team.pair, planted(team.lead, team.folder)
    pair.accepted(ident)
    say(pair.service, ident, "theirs")
    charge(pair.service, ident, 100)
    pair.sync()
    to = handoff(team.lead, ident).id
    theirs = next(one.id for one in of(team.lead, ident).comments if one.author == "bob@acme")
    done = handoff(team.lead, ident).moves[0].id
    tried: dict[str, Callable[[], dict[str, Value]]] = {
        "only the lead's store decides": lambda: item("handoff", to, status="completed"),
        "handoff k: only the lead's store decides": lambda: item("handoff", "k", lead="initech", service="acme"),
        "decides": lambda: item("handoff", to, role="service"),
        "the terms are locked": lambda: item("handoff", to, service="zqxsecret-initech"),
        "terms are locked": lambda: item("handoff", to, share_comments="all"),
        "are locked, it is in-progress": lambda: item("handoff", to, pay="1.00"),
        "only the lead's store rules on moves": lambda: item("move", done, ruling="no"),
        "rules on moves": lambda: item("move", "k", handoff=to, verb="complete", ruling="taken"),
        "a move is made once": lambda: item("move", done, verb="complete"),
        "there is no verb": lambda: item("move", "k", handoff=to, verb="fly"),
        "belongs to acme": lambda: item("comment", theirs, body="x"),
        "to acme cannot be deleted": lambda: {"deleted": True},
    }
    boss = team.colleague("boss", scope="admin")
    before = handoff(team.lead, ident).values
    with closing(open_remote(team.url, token=boss.token)) as log:
        for reason, make in tried.items():
            ((status, told),) = send(log, forged(ident, make(), "boss"))
            assert (status, reason in told) == ("refused", True), (reason, told)
        assert "is one of a partner's" in send(log, forged(ident, said(to), "bob@acme"))[0][1]
        draft = forged(ident, item("handoff", "q", role="lead", service="acme"), "boss")
        both = send(log, draft, forged(ident, item("handoff", "q", status="assigned"), "boss"))
        assert [status for status, _ in both] == ["taken", "refused"]
        assert send(log, forged(ident, item("handoff", to, bill_rate="130.00"), "boss")) == [("taken", "")]
    assert {**handoff(team.lead, ident).values, "bill_rate": before["bill_rate"]} == before or (
        next(one for one in of(team.lead, ident).handoffs if one.id == to).values == {**before, "bill_rate": "130.00"}
    )


def test_one_request_is_judged_step_by_step(team: Team) -> None:
    """What comes after a move in the same push is judged as things stand after it: a locked draft is locked, an ended handoff ended."""
    ident = planted(team.lead, team.folder)
    berta = team.colleague("berta", "outsource", "finance")
    one = item("handoff", "k", role="lead", service="acme")
    move = item("move", "m", handoff="k", verb="offer")
    with closing(open_remote(team.url, token=berta.token)) as log:
        now = team.lead.now()
        offers = [
            forged(ident, sets, "berta", at=now + number)
            for number, sets in enumerate((one, move, item("handoff", "k", service="zqxsecret-initech")))
        ]
        assert [status for status, _ in send(log, *offers)] == ["taken", "taken", "refused"]
        assert [status for status, _ in send(log, *offers)] == ["had", "had", "refused"]
        twice = forged(ident, {"title": "once"}, "berta")
        assert [status for status, _ in send(log, twice, twice)] == ["taken", "had"]
    assert handoff(team.lead, ident).text("service") == "acme"
    team.pair.sync()
    write(team.pair.service, outsourcing.accept(team.pair.service, of(team.pair.service, ident)), "bob")
    say(team.pair.service, ident, "theirs")
    team.pair.sync()
    berta.pull()
    act(berta.store, ident, "complete", by="berta")
    theirs = next(one.id for one in of(berta.store, ident).comments if one.author == "bob@acme")
    write(berta.store, Edit(of(berta.store, ident), {f"comment/{theirs}/body": "ours now"}), "berta")
    assert berta.push() == []
    assert "ours now" in [one.body for one in of(team.lead, ident).comments]


# Races


def test_of_two_colleagues_one_is_told(team: Team) -> None:
    """Two offer the same ticket at once: the first to push wins; the other one's stays visible as refused, with the reason."""
    ident = planted(team.lead, team.folder)
    berta, carl = team.colleague("berta", "outsource"), team.colleague("carl", "outsource")
    for who in (berta, carl):
        _offered(team, who, ident, SIMPLE)
    assert berta.push() == []
    assert carl.push() == []
    found = carl.pull()
    assert [(one.verb, one.reason) for one in found.refused_moves] == [("offer", "the ticket is with acme already")]
    for store in (team.lead, carl.store):
        (mine,) = [one.item(f"move/{move}") for one in [of(store, ident)] for move in _moves(store, ident, "carl")]
        assert mine["ruling"] == "the ticket is with acme already"
        assert [one.ruled for one in of(store, ident).handoffs if one.status != "none"] == ["assigned"]
    assert carl.pull().refused_moves == ()


def _moves(store: Store, ident: str, by: str) -> list[str]:
    found = of(store, ident)
    return [key[5:] for key in found.item_registers if key.startswith("move/") and found.origins[key][0].startswith(by)]


def test_the_service_partners_colleagues(team: Team, new_store: NewStore, tmp_path: Path) -> None:
    """At the partner's, too: a colleague with the right accepts through their own server, one without is refused, and the lead hears of it
    at the next exchange."""
    pair, ident = team.pair, planted(team.lead, team.folder)
    pair.offered(ident)
    pair.sync()
    with serving(pair.service.path) as address:
        dora = hired(pair.service, address, tmp_path / "dora", "dora", "accept")
        emil = hired(pair.service, address, tmp_path / "emil", "emil", "outsource", "finance")
        for who in (emil, dora):
            write(who.store, outsourcing.accept(who.store, of(who.store, ident)), who.name)
        (reason,) = emil.push()
        assert reason == "the token does not hold the right `accept`, which `accept` needs"
        assert dora.push() == []
        pair.sync()
        assert handoff(team.lead, ident).text("accepted_by") == "dora@acme"
        dora.pull()
        assert handoff(dora.store, ident).ruled == "accepted"
        say(dora.store, ident, "on my way", by="dora")
        say(dora.store, ident, "not for globex", "internal", by="dora")
        assert dora.push() == []
        pair.sync()
    assert "dora@acme" in [one.author for one in of(team.lead, ident).comments]
    assert "not for globex" not in str(bodies(team.lead))


def test_a_refusal_is_said_on_the_command_line(team: Team, chit: Chit, tmp_path: Path) -> None:
    """`push` ends with the reason, `status` lists it, and `pull` says which move lost."""
    ident = planted(team.lead, team.folder)
    _, secret = tokens.create(team.lead, "nobody", "agent", rights=["none"])
    _, better = tokens.create(team.lead, "berta", "agent", rights=["outsource"])
    config = str(Path.home() / ".config" / "chit")
    save(config, team.url, secret)
    chit("clone", team.url, "desk")
    desk = chit.folder / "desk"
    chit("outsource", ident, "acme", "-y", cwd=desk, env={"CHIT_USER": "nobody"})
    refused = chit("push", cwd=desk, code=5)
    assert "the token does not hold the right `outsource`" in refused.err
    assert "the token does not hold the right `outsource`" in chit("status", cwd=desk).out
    save(config, team.url, better)
    team.pair.offered(ident)
    chit("push", "--again", cwd=desk)
    told = chit("pull", cwd=desk, code=None)
    assert "the ticket is with acme already" in told.err


def test_rights_are_arrivings_business() -> None:
    """The words for a right that is missing name it and what needs it."""
    change = forged("k" * 32, item("move", "m", handoff="h", verb="approve"), "anna")
    from chit_sync.codec import decode

    assert (
        colleagues.from_colleague(decode(change.body), None, ())
        == "the token does not hold the right `outsource`, which `approve` needs"
    )
