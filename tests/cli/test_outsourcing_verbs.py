"""Every verb in every status, typed by each side: what the table allows is done, and all else refused with what is possible."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chit_sync.handoffs import LEAD, SERVICE, TAKEN_ON, TRANSITIONS, find, what_now
from support.invocations import copy, everything
from support.parties import STATUSES, Parties
from support.runner import Chit

LINES = {
    "draft": "outsource {id} acme --draft", "offer": "outsource {id} acme --pay 70/h", "discard": "outsource {id} --discard",
    "agree": "outsource {id}", "cancel": "cancel {id}", "accept": "accept {id}", "decline": "decline {id} -m Never",
    "counter": "counter {id} --pay 90", "ask": "ask {id} -m Why", "answer": "ask {id} --answer -m Yes",
    "extend": "ask {id} --answer -m Yes --hours 1h", "submit": "submit {id}", "withdraw": "withdraw {id} -m Again",
    "approve": "approve {id}", "reject": "reject {id} -m Smokes", "complete": "complete {id}", "recall": "recall {id} -m Mine",
    "handback": "handback {id} -m Broken",
}  # fmt: skip
"""Verb to what is typed for it."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Parties, dict[str, str], Path]]:
    """The two with a ticket in each status, and a copy of them to start from."""
    folder = tmp_path_factory.mktemp("parties")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHIT_USER", "anna")
        parties = Parties(folder / "work", Chit(folder, patch))
        parties.meet()
        ids = parties.everywhere()
        copy(parties.folder, folder / "kept")
        yield parties, ids, folder / "kept"


@pytest.fixture
def parties(filled: tuple[Parties, dict[str, str], Path], chit: Chit) -> Parties:
    """The two as they were filled."""
    made, _, kept = filled
    copy(kept, made.folder)
    made.chit = chit
    return made


@pytest.fixture
def ids(filled: tuple[Parties, dict[str, str], Path]) -> dict[str, str]:
    """Status to the ticket that is in it."""
    return filled[1]


def real(status: str) -> str:
    """The handoff's status: a counter-offer leaves it as it is."""
    return "assigned" if status == "countered" else status


def allowed(role: str, verb: str, status: str) -> bool:
    """Whether the table has it. Without terms one agrees where something was proposed, and only there; with terms one does not."""
    row = find(real(status), verb, role)
    return row is not None and (status == "countered" or verb != "agree")


def test_there_is_a_line_for_every_verb() -> None:
    """Whoever adds a verb to the table adds what is typed for it."""
    assert set(LINES) == {row.verb for row in TRANSITIONS if row.by == "person"}


def test_both_see_the_same_status(parties: Parties, ids: dict[str, str]) -> None:
    """Each ticket is in the status that it was brought to, on both sides; a draft is the lead's alone, and no rate is at acme."""
    for status, ident in ids.items():
        if status == "none":
            assert parties.record("lead", ident)["handoffs"] == []
        else:
            assert parties.handoff("lead", ident)["status"] == real(status)
            assert parties.handoff("lead", ident)["provisional"] == []
        if status in ("none", "unsent"):
            parties.service("show", ident, code=3)
        else:
            assert parties.handoff("service", ident)["status"] == real(status)
            assert parties.handoff("service", ident)["bill_rate"] is None


@pytest.mark.parametrize("verb", LINES)
def test_the_lead(verb: str, parties: Parties, ids: dict[str, str]) -> None:
    """The lead's store decides at once: its verbs do what the table says, the other side's are refused."""
    _try(parties, ids, LEAD, verb)


@pytest.mark.parametrize("verb", [verb for verb in LINES if verb not in ("draft", "offer", "agree")])
def test_the_service_partner(verb: str, parties: Parties, ids: dict[str, str]) -> None:
    """The service partner's verbs are provisional until the lead's store has taken them; the lead's are refused."""
    _try(parties, ids, SERVICE, verb)


@pytest.mark.parametrize("verb", ["draft", "offer"])
def test_the_service_partner_hands_nothing_on_to_nobody(verb: str, parties: Parties, ids: dict[str, str]) -> None:
    """What it has not taken on it cannot outsource; what it has, only to partners of its own."""
    before = everything(parties.folder)
    for status in STATUSES[2:]:
        ran = parties.service(*LINES[verb].format(id=ids[status]).split(), code=None)
        if real(status) in TAKEN_ON:
            assert (ran.code, ran.err.splitlines()[0]) == (3, "error: no service partner 'acme'")
        else:
            assert ran.code == 5
            assert f"globex, whose offer is {real(status)}\n" in ran.err
    assert everything(parties.folder) == before


def _try(parties: Parties, ids: dict[str, str], role: str, verb: str) -> None:
    """The verb on each ticket: first where it is refused, which changes nothing; then where it is possible, which both then know."""
    lines = {status: LINES[verb].format(id=ident).split() for status, ident in ids.items()}
    can = [status for status in STATUSES if allowed(role, verb, status)]
    before = everything(parties.folder)
    for status in STATUSES:
        if status in can or (verb == "agree" and role == LEAD and find(real(status), "offer", role)):
            continue  # without terms it is a new offer, on the terms of the last one
        unknown = role == SERVICE and status in ("none", "unsent")
        ran = parties.run(role, *lines[status], code=3 if unknown else 5)
        assert ran.out == ""
        message, hint = ran.err.splitlines()
        if unknown:
            assert message.startswith("error: no ticket ")
        elif status == "none":
            assert message == "error: the ticket is not outsourced"
        elif status == "countered" and verb == "offer":
            assert message == "error: acme proposes other terms"
            assert "`chit cancel` refuses" in hint
        else:
            assert message.startswith("error: `")
            assert message.endswith(f"the handoff is {real(status)}")
            assert hint == f"hint: {what_now(real(status), role, countered=status == 'countered')}"
    assert everything(parties.folder) == before
    for status in can:
        ran = parties.run(role, *lines[status])
        assert ran.id == ids[status]
        assert ran.err.startswith(f"{ids[status][:8]}: ")
        row = find(real(status), verb, role)
        assert row is not None
        wanted = row.target or real(status)
        if wanted == "none":
            assert parties.record(role, ids[status])["handoffs"] == []
            continue
        handoff = parties.handoff(role, ids[status])
        assert handoff["status"] == wanted
        assert (handoff["provisional"] != []) is (role == SERVICE and verb != "ask")
        assert ("not confirmed by globex yet" in ran.err) is (role == SERVICE and verb != "ask")
    parties.sync()
    for status in can:
        if verb not in ("draft", "discard"):
            ours, theirs = parties.handoff("lead", ids[status]), parties.handoff("service", ids[status])
            assert ours["status"] == theirs["status"]
            assert theirs["provisional"] == []
