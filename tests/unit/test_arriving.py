"""What a partner may send and what a colleague may do: a table over the whole schema, and each thing that is refused with its message."""

from collections.abc import Mapping

import pytest

from chit_sync import arriving, checks, colleagues, handoffs, policy, rulings, schema
from chit_sync.change import Change
from chit_sync.clock import DAY
from chit_sync.handoffs import Handoff
from chit_sync.registers import Registers, Value
from chit_sync.rulings import Circumstances
from chit_sync.ticket import Ticket
from support.stores import NOON

Values = Mapping[str, Value]

LIVE = ("accepted", "in-progress")
STATUSES = (*handoffs.STATUSES, handoffs.NONE)
ALL_RIGHTS = frozenset(policy.RIGHTS)

ITEM: dict[str, dict[str, Value]] = {
    "comment": {"body": "Hello", "visibility": "partner", "to": "h1"},
    "attachment": {"name": "a.txt", "sha256": "0" * 64, "size": 3, "visibility": "partner", "to": "h1"},
    "time": {"minutes": 30, "date": NOON, "note": "Looked", "visibility": "partner", "to": "h1"},
    "charge": {"amount": "5.00", "currency": "EUR", "note": "Fuser", "visibility": "partner", "to": "h1"},
    "question": {"body": "Why?", "to": "h1"},
}
"""An item of each kind, as a service partner sends it."""

MOVE: dict[str, Value] = {"handoff": "h1", "verb": "submit", "seen": "m0"}


def handoff(role: str, status: str, **more: Value) -> dict[str, Value]:
    """The values of the handoff `h1`, or of another."""
    values: dict[str, Value] = {
        "role": role,
        "lead": "globex",
        "service": "acme",
        "status": status,
        "last": "m0",
        "version": 1,
    }
    return {**values, **more} if status != handoffs.NONE else {**values, **more, "status": None}  # fmt: skip


def ticket(items: Mapping[str, tuple[str, Values]], **fields: Value) -> Ticket:
    """A ticket with these items, each with its author."""
    registers: dict[str, Registers[int]] = {
        key: {name: [(1, value)] for name, value in values.items()} for key, (_, values) in items.items()
    }
    origins = {key: (by, NOON) for key, (by, _) in items.items()}
    own: Registers[int] = {path: [(1, value)] for path, value in fields.items()}
    return Ticket(1, "k" * 32, NOON, NOON, "anna", "open", own, registers, [], [], [], [], 1, origins)


def lead(status: str = "in-progress", items: Mapping[str, tuple[str, Values]] | None = None, **terms: Value) -> Ticket:
    """A ticket in the store of globex, which leads."""
    return ticket({"handoff/h1": ("chit@globex", handoff("lead", status, **terms)), **(items or {})})


def service(
    status: str = "in-progress", items: Mapping[str, tuple[str, Values]] | None = None, **terms: Value
) -> Ticket:
    """The same in the store of acme, which works for it."""
    return ticket({"handoff/h1": ("chit@globex", handoff("service", status, **terms)), **(items or {})})


def change(sets: Values, by: str = "bob@acme", at: int = NOON, when: int | None = None) -> Change:
    """A change of the ticket."""
    return Change(ticket="k" * 32, at=at, by=by, set=dict(sets), nonce="AAAAAAAAAAAAAAAA", when=when)


def at(key: str, values: Values) -> dict[str, Value]:
    """The paths of an item."""
    return {f"{key}/{name}": value for name, value in values.items()}


def sample(path: str) -> Value:
    """A value that may stand there."""
    field = checks.field_of(path)
    if field.choices:
        return "partner" if field.name == "visibility" else field.choices[0].name
    samples: dict[str, Value] = {
        "flag": True, "time": NOON, "count": 3, "decimal": "5.00", "currency": "EUR", "item": "h1", "sha256": "1" * 64,
        "ticket": "m" * 32, "status": "new",
    }  # fmt: skip
    return samples.get(field.type, "text")


SERVICE_SENDS = {
    "comment": "body visibility to deleted", "attachment": "name sha256 size visibility to deleted",
    "time": "minutes date note visibility to deleted", "charge": "amount currency note visibility to deleted",
    "question": "body to deleted",
}  # fmt: skip
"""What a service partner may write to an item of its own, while the handoff runs; beside it, it makes moves."""

LEAD_SENDS = {
    "comment": "body visibility to deleted", "attachment": "name sha256 size visibility to deleted",
    "charge": "amount currency note visibility to deleted",
}  # fmt: skip
"""What a lead may write to an item of its own, while the handoff runs; beside it, it answers, rules, and says how the handoff stands."""


def _every_path() -> list[tuple[str, str, str]]:
    """(kind, name, path) of every path of the schema; `field` for those of the ticket."""
    fields = [("field", name, name) for name in (*schema.FIELDS, "x.serial", "labels/printer", "labels/a/b")]
    return fields + [
        (kind, name, f"{kind}/{'h1' if kind == 'handoff' else 'i1'}/{name}")
        for kind, named in schema.ITEMS.items()
        for name in named
    ]


@pytest.mark.parametrize("author", ["bob@acme", "anna", "anna@globex", "eve@initech"])
@pytest.mark.parametrize("status", STATUSES)
def test_one_path_from_a_service_partner(status: str, author: str) -> None:
    """Of every path of the schema, a service partner may write those of the table, to its own items, in its own name, while it runs."""
    for made in ("bob@acme", "anna@globex", "eve@initech"):
        for kind, name, path in _every_path():
            values = MOVE if kind == "move" else ITEM.get(kind, {"kind": "relates", "target": "m" * 32})
            items: dict[str, tuple[str, Values]] = {}
            if kind not in ("field", "handoff"):
                items[f"{kind}/i1"] = (made, values)
            said = arriving.from_service(change({path: sample(path)}, author), lead(status, items), "acme", "globex")
            allowed = name in SERVICE_SENDS.get(kind, "").split() and status in LIVE and made == author == "bob@acme"
            assert (said == "") == allowed, (path, status, author, made, said)


@pytest.mark.parametrize("author", ["anna@globex", "bob", "bob@acme", "eve@initech"])
@pytest.mark.parametrize("status", [status for status in STATUSES if status != "unsent"])
def test_one_path_from_a_lead(status: str, author: str) -> None:
    """The same of a lead: fields while it is offered or runs, items of its own, rulings on our moves, answers to our questions."""
    for made in ("anna@globex", "bob@acme", "eve@initech"):
        for kind, name, path in _every_path():
            if kind == "handoff":
                continue
            values = MOVE if kind == "move" else ITEM.get(kind, {"kind": "relates", "target": "m" * 32})
            items: dict[str, tuple[str, Values]] = {} if kind == "field" else {f"{kind}/i1": (made, values)}
            said = arriving.from_lead(
                change({path: sample(path)}, author), service(status, items), "globex", "acme", known=True
            )
            if kind == "field":
                allowed = name in ("title", "description", "priority", "due", "requester") and status in (
                    "assigned",
                    *LIVE,
                )
            elif kind == "move":
                allowed = name == "ruling" and made != "anna@globex" and status != "none"
            elif kind == "question":
                allowed = name == "answer" and status in LIVE
            else:
                allowed = name in LEAD_SENDS.get(kind, "").split() and status in LIVE and made == "anna@globex"
            if status == handoffs.NONE and kind != "field":
                allowed = False
            assert (said == "") == (allowed and author == "anna@globex"), (path, status, author, made, said)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("kind", sorted(ITEM))
def test_new_items(kind: str, status: str) -> None:
    """A whole new item passes from a service partner while the handoff runs, and none without what it cannot be without."""
    whole = at(f"{kind}/i1", ITEM[kind])
    said = arriving.from_service(change(whole), lead(status), "acme", "globex")
    if status in LIVE:
        assert said == ""
    else:
        assert ("awaits approval" if status == "awaiting-approval" else "there is no such ticket here"
                if status in ("none", "unsent") else "the offer was not accepted" if status == "assigned"
                else f"the handoff is {status}") in said  # fmt: skip
    for name in ("body", "name", "sha256", "minutes", "amount", "currency"):
        if name in ITEM[kind]:
            less = {path: value for path, value in whole.items() if not path.endswith("/" + name)}
            expected = f"{kind} i1: it has no {name}" if status in LIVE else said
            assert arriving.from_service(change(less), lead(status), "acme", "globex") == expected


NOT_FROM_A_SERVICE_PARTNER: dict[str, tuple[Values, Ticket | None, str]] = {
    "of no ticket": (at("comment/i1", ITEM["comment"]), None, "there is no such ticket here"),
    "of a ticket that is with another": (
        at("comment/i1", ITEM["comment"]),
        ticket({"handoff/h1": ("chit@globex", handoff("lead", "in-progress", service="initech"))}),
        "there is no such ticket here",
    ),
    "of a ticket that we work on": (at("comment/i1", ITEM["comment"]), service(lead="initech"), "there is no such ticket here"),
    "of a handoff of another partner": (
        at("comment/i1", {**ITEM["comment"], "to": "h2"}),
        lead(items={"handoff/h2": ("chit@globex", handoff("lead", "declined", service="initech"))}),
        "comment i1: there is no such ticket here",
    ),
    "for nobody": (at("comment/i1", {"body": "Hello", "visibility": "partner"}), lead(), "comment i1: there is no such ticket here"),
    "a field": ({"title": "Ours now"}, lead(), "title: each side keeps its own"),
    "a label": ({"labels/a/b": True}, lead(), "labels/a/b: each side keeps its own"),
    "a status": ({"status": "closed"}, lead(), "status: each side keeps its own"),
    "a handoff": ({"handoff/h1/status": "completed"}, lead(), "handoff h1: it is not for the service partner to write"),
    "a handoff of its own": (at("handoff/h9", handoff("lead", "assigned")), lead(), "handoff h9: it is not for the service partner"),
    "pay": ({"handoff/h1/pay": "9999.00"}, lead(), "handoff h1: it is not for the service partner to write"),
    "a link": (at("link/i1", {"kind": "relates", "target": "m" * 32}), lead(), "link i1: a link does not cross"),
    "internal": (at("comment/i1", {**ITEM["comment"], "visibility": "internal"}), lead(), "is visible to partners"),
    "public": (at("comment/i1", {**ITEM["comment"], "visibility": "public"}), lead(), "is visible to partners"),
    "no visibility": (at("comment/i1", {"body": "Hello", "to": "h1"}), lead(), "is visible to partners"),
    "held": (at("comment/i1", {**ITEM["comment"], "held": "h1"}), lead(), "held is not for the service partner to write"),
    "a bundle": (at("charge/i1", {**ITEM["charge"], "bundle": "h1"}), lead(), "bundle is not for the service partner to write"),
    "an answer": (at("question/i1", {**ITEM["question"], "answer": "Yes"}), lead(), "answer is not for the service partner to write"),
    "an edit of ours": ({"comment/i1/body": "Other"}, lead(items={"comment/i1": ("anna@globex", ITEM["comment"])}),
                        "comment i1: it belongs to the other side"),
    "an edit of ours from before": ({"comment/i1/to": "h1"}, lead(items={"comment/i1": ("anna", {"body": "Hello"})}),
                                    "comment i1: it belongs to the other side"),
    "an edit of another partner's": (
        {"comment/i1/body": "Other"}, lead(items={"comment/i1": ("eve@initech", ITEM["comment"])}), "it belongs to the other side",
    ),
    "another handoff for an item": (
        {"comment/i1/to": "h2"},
        lead(items={"comment/i1": ("bob@acme", ITEM["comment"]),
                    "handoff/h2": ("chit@globex", handoff("lead", "in-progress"))}),
        "comment i1: there is no such ticket here",
    ),
    "the lead's transition": (at("move/i1", {**MOVE, "verb": "approve"}), lead(), "`approve` is not for the service partner"),
    "the lead's end": (at("move/i1", {**MOVE, "verb": "complete"}), lead(), "`complete` is not for the service partner"),
    "an extension": (at("move/i1", {**MOVE, "verb": "extend"}), lead(), "`extend` is not for the service partner"),
    "an unknown verb": (at("move/i1", {**MOVE, "verb": "win"}), lead(), "`win` is not for the service partner"),
    "no verb": (at("move/i1", {"handoff": "h1"}), lead(), "`None` is not for the service partner"),
    "a ruling": (at("move/i1", {**MOVE, "ruling": "taken"}), lead(), "move i1: only the lead's store rules"),
    "a move twice": ({"move/i1/verb": "decline"}, lead(items={"move/i1": ("bob@acme", MOVE)}), "move i1: a move is made once"),
    "a move on another's": (at("move/i1", {**MOVE, "handoff": "h2"}), lead(), "move i1: there is no such ticket here"),
    "more hours than authorised": (
        at("time/i1", {**ITEM["time"], "minutes": 121}), lead(authorized_minutes=120), "2h1m is more than is authorised: 2h is left of 2h",
    ),
    "hours that are used up": (
        at("time/i2", ITEM["time"]),
        lead(items={"time/i1": ("bob@acme", ITEM["time"])}, authorized_minutes=30),
        "30m is more than is authorised: nothing is left of 30m",
    ),
    "an edit to more hours": (
        {"time/i1/minutes": 200}, lead(items={"time/i1": ("bob@acme", ITEM["time"])}, authorized_minutes=60), "1h is left of 1h",
    ),
    "more charges than authorised": (
        at("charge/i1", {**ITEM["charge"], "amount": "50.01"}), lead(authorized_charges="50", currency="EUR"),
        "50.01 EUR is more than is authorised: 50.00 is left of 50.00",
    ),
    "another currency": (
        at("charge/i1", {**ITEM["charge"], "currency": "CHF"}), lead(authorized_charges="50", currency="EUR"),
        "the amount is in CHF; EUR is agreed",
    ),
    "an amount taken away": (
        {"charge/i1/amount": None}, lead(items={"charge/i1": ("bob@acme", ITEM["charge"])}), "charge i1: it has no amount",
    ),
    "one good and one bad": (
        {**at("comment/i1", ITEM["comment"]), "status": "closed"}, lead(), "status: each side keeps its own",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_FROM_A_SERVICE_PARTNER)
def test_a_service_partner_may_not(name: str) -> None:
    """Each is refused with its reason, and a ticket that the partner has nothing to do with is not even admitted to be there."""
    sets, subject, reason = NOT_FROM_A_SERVICE_PARTNER[name]
    assert reason in arriving.from_service(change(sets), subject, "acme", "globex")


FORGED = (
    "bob", "bob@{us}", "anna@initech", "@{them}", " @{them}", "bob@{them}@{us}", "bob@{them}.example", "anna@{us}@{them}",
    "b\u200bob@{them}",
)  # fmt: skip


@pytest.mark.parametrize("form", FORGED)
def test_forged_authors(form: str) -> None:
    """A partner speaks in its own name only, and in none that could be taken for another."""
    author = form.format(us="globex", them="acme")
    said = arriving.from_service(change(at("comment/i1", ITEM["comment"]), author), lead(), "acme", "globex")
    assert said.startswith(f"the author {author!r} ")
    author = form.format(us="acme", them="globex")
    said = arriving.from_lead(change({"title": "x"}, author), service(), "globex", "acme", known=True)
    assert said.startswith(f"the author {author!r} ")


def test_false_dates() -> None:
    """A change is not believed that is dated long before the ticket was there, or that happened long after it was recorded."""
    new = at("comment/i1", ITEM["comment"])
    assert "dated long before" in arriving.from_service(change(new, at=NOON - 31 * DAY), lead(), "acme", "globex")
    assert "dated long before" in arriving.from_service(change(new, when=NOON - 31 * DAY), lead(), "acme", "globex")
    assert "dated later" in arriving.from_service(change(new, when=NOON + 2 * DAY), lead(), "acme", "globex")
    assert arriving.from_service(change(new, when=NOON - DAY), lead(), "acme", "globex") == ""


def test_the_version_of_the_terms() -> None:
    """A move that accepts terms of another version passes the door and is refused by the ruling, which names the version that holds."""
    move: Values = {"handoff": "h1", "verb": "accept", "seen": "m0", "version": 7}
    assert arriving.from_service(change(at("move/i1", move)), lead("assigned"), "acme", "globex") == ""
    subject = lead("assigned", {"move/i1": ("bob@acme", move)})
    (found,) = subject.handoffs
    assert isinstance(found, Handoff)
    ruling = rulings.rule(found, found.moves[0], Circumstances(NOON))
    assert ruling.reason == "the terms are version 1 now, not 7"


def test_the_sum_counts() -> None:
    """Two entries in one change, each within the limit, are refused for their sum; so is one that comes back from deletion."""
    one, two = ("bob@acme", {**ITEM["time"], "minutes": 40}), ("bob@acme", {**ITEM["time"], "minutes": 40})
    before = lead(authorized_minutes=60)
    after = lead(items={"time/i1": one, "time/i2": two}, authorized_minutes=60)
    assert "more than is authorised" in arriving.exceeded(before, after, "acme")
    assert arriving.exceeded(before, lead(items={"time/i1": one}, authorized_minutes=60), "acme") == ""
    assert arriving.exceeded(after, after, "acme") == ""
    first, second = (
        ("bob@acme", {**ITEM["charge"], "amount": "40"}),
        ("bob@acme", {**ITEM["charge"], "currency": "CHF"}),
    )
    charged = lead(items={"charge/i1": first, "charge/i2": first}, authorized_charges="60", currency="EUR")
    assert "more than is authorised" in arriving.exceeded(
        lead(authorized_charges="60", currency="EUR"), charged, "acme"
    )
    foreign = lead(items={"charge/i1": second}, currency="EUR")
    assert arriving.exceeded(lead(currency="EUR"), foreign, "acme") == "the amount is in CHF; EUR is agreed"


OFFER: dict[str, Value] = {"lead": "globex", "service": "acme", "status": "assigned", "version": 1}

NOT_FROM_A_LEAD: dict[str, tuple[Values, Ticket | None, bool, str]] = {
    "a ticket out of nothing": ({"title": "Hello"}, None, False, "there is no such ticket here"),
    "a ticket of our own": (at("handoff/h1", OFFER), ticket({}), True, "none that this lead handed out"),
    "another lead's ticket": (
        at("handoff/h9", OFFER), ticket({"handoff/h1": ("chit@initech", handoff("service", "accepted", lead="initech"))}), True,
        "none that this lead handed out",
    ),
    "an offer for another": (at("handoff/h1", {**OFFER, "service": "initech"}), None, False, "handoff h1: it is not for us"),
    "an offer of another": (at("handoff/h1", {**OFFER, "lead": "initech"}), None, False, "handoff h1: it is not for us"),
    "an offer while one runs": (at("handoff/h9", OFFER), service(), True, "handoff h9: the one before it has not ended"),
    "what is ours": ({"handoff/h1/role": "lead"}, service(), True, "handoff h1: role is ours alone"),
    "a rate": ({"handoff/h1/bill_rate": "1.00"}, service(), True, "handoff h1: bill_rate is ours alone"),
    "a handoff of ours with the next one": (
        {"handoff/h2/status": "completed", "handoff/h2/lead": "globex", "handoff/h2/service": "acme"},
        service(items={"handoff/h2": ("bob", handoff("lead", "in-progress", lead="acme", service="initech"))}), True,
        "handoff h2: there is no such ticket here",
    ),
    "other organisations": ({"handoff/h1/service": "initech"}, service(), True, "handoff h1: it names other organisations"),
    "an acceptance that we did not give": (
        {"handoff/h1/status": "accepted", "handoff/h1/accepted": NOON}, service("assigned"), True, "we have not accepted it",
    ),
    "a submission that we did not make": (
        {"handoff/h1/status": "awaiting-approval"}, service(), True, "it cannot become awaiting-approval now: it is in-progress",
    ),
    "other pay afterwards": ({"handoff/h1/pay": "1.00"}, service(pay="80.00", accepted=NOON), True, "pay stays as it was accepted"),
    "a new beginning": ({"handoff/h1/status": "in-progress"}, service("completed"), True, "it is completed, and stays so"),
    "a field afterwards": ({"title": "Other"}, service("completed"), True, "title: the handoff is completed"),
    "a field while it waits": ({"title": "Other"}, service("awaiting-approval"), True, "title: the work awaits approval"),
    "our status": ({"status": "closed"}, service(), True, "status: each side keeps its own"),
    "our queue": ({"queue": "first"}, service(), True, "queue: each side keeps its own"),
    "our deletion": ({"deleted": True}, service(), True, "deleted: each side keeps its own"),
    "hours": (at("time/i1", ITEM["time"]), service(), True, "time i1: it is not for the lead to send"),
    "a question": (at("question/i1", ITEM["question"]), service(), True, "the lead answers questions, and asks none"),
    "our question in other words": (
        {"question/i1/body": "Else?", "question/i1/answer": "Yes"}, service(items={"question/i1": ("bob@acme", ITEM["question"])}),
        True, "the lead answers questions, and asks none",
    ),
    "a move for us": (at("move/i1", MOVE), service(), True, "the lead rules on our moves, and makes none for us"),
    "a second ruling": (
        {"move/i1/ruling": "no"}, service(items={"move/i1": ("bob@acme", {**MOVE, "ruling": "taken"})}), True,
        "it was ruled on already",
    ),
    "an edit of ours": (
        {"comment/i1/body": "Other"}, service(items={"comment/i1": ("bob@acme", ITEM["comment"])}), True, "it belongs to the other side",
    ),
    "an edit of our internal one": (
        {"comment/i1/to": "h1"}, service(items={"comment/i1": ("bob", {"body": "Hello", "visibility": "internal"})}), True,
        "it belongs to the other side",
    ),
    "a comment after the end": (
        at("comment/i1", ITEM["comment"]), service("canceled"), True, "comment i1: the handoff is canceled",
    ),
    "what is internal": (
        at("comment/i1", {**ITEM["comment"], "visibility": "internal"}), service(), True, "what is internal does not cross",
    ),
    "held": (at("comment/i1", {**ITEM["comment"], "held": "h1"}), service(), True, "held is ours alone"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_FROM_A_LEAD)
def test_a_lead_may_not(name: str) -> None:
    """Each is refused with its reason: a lead has no say over what is not its own, and none after the end."""
    sets, subject, known, reason = NOT_FROM_A_LEAD[name]
    assert reason in arriving.from_lead(change(sets, "anna@globex"), subject, "globex", "acme", known=known)


def test_what_a_lead_does_all_day() -> None:
    """An offer, a new title, an end with its total, an answer and a ruling pass."""
    mine: dict[str, tuple[str, Values]] = {
        "move/i1": ("bob@acme", {**MOVE, "verb": "accept", "version": 1}), "question/q1": ("bob@acme", ITEM["question"]),
    }  # fmt: skip
    for sets, subject in (
        ({**at("handoff/h1", OFFER), "title": "Printer"}, None),
        (at("handoff/h9", OFFER), service("declined")),
        (at("handoff/h1", {"status": "accepted", "accepted": NOON, "accepted_by": "bob@acme"}) | {"move/i1/ruling": "taken"},
         service("assigned", mine)),
        ({"title": "Other"}, service()),
        ({"handoff/h1/status": "completed", "handoff/h1/reason": "Enough"}, service()),
        ({"handoff/h1/total": "120.00"}, service("completed")),
        ({"question/q1/answer": "Yes"}, service(items=mine)),
        (at("comment/i2", {**ITEM["comment"], "visibility": "public"}), service()),
    ):  # fmt: skip
        said = arriving.from_lead(change(sets, "anna@globex"), subject, "globex", "acme", known=subject is not None)
        assert said == "", (sets, said)


COLLEAGUE: dict[str, tuple[Values, Ticket | None, str, str]] = {
    "an offer": (at("handoff/h9", {"role": "lead", "service": "acme"}) | at("move/m1", {"handoff": "h9", "verb": "offer"}), None,
                 "outsource", ""),
    "an offer without the right": (at("move/m1", {"handoff": "h1", "verb": "offer"}), lead("unsent"), "accept partners finance",
                                   "the token does not hold the right `outsource`, which `offer` needs"),
    "a draft without the right": ({"handoff/h1/instructions": "Quick"}, lead("unsent"), "accept partners finance",
                                  "the token does not hold the right `outsource`"),
    "pay without the right": ({"handoff/h1/pay": "80.00"}, lead("unsent"), "outsource",
                              "the token does not hold the right `finance`, which pay needs"),
    "a rate at any time": ({"handoff/h1/bill_rate": "90.00"}, lead("completed"), "finance", ""),
    "a rate without the right": ({"handoff/h1/bill_rate": "90.00"}, lead(), "outsource", "the right `finance`, which bill_rate needs"),
    "locked terms": ({"handoff/h1/instructions": "Slow"}, lead("assigned"), "outsource finance", "the terms are locked, it is assigned"),
    "an approval": (at("move/m1", {"handoff": "h1", "verb": "approve"}), lead("awaiting-approval"), "outsource", ""),
    "an approval without the right": (at("move/m1", {"handoff": "h1", "verb": "approve"}), lead("awaiting-approval"), "",
                                      "the right `outsource`, which `approve` needs"),
    "an acceptance": (at("move/m1", {"handoff": "h1", "verb": "accept"}), service("assigned"), "accept", ""),
    "an acceptance without the right": (at("move/m1", {"handoff": "h1", "verb": "accept"}), service("assigned"), "outsource",
                                        "the right `accept`, which `accept` needs"),
    "a counter-offer without the right": (at("move/m1", {"handoff": "h1", "verb": "counter"}), service("assigned"), "finance",
                                          "the right `accept`, which `counter` needs"),
    "submitting needs no right": (at("move/m1", {"handoff": "h1", "verb": "submit"}), service(), "", ""),
    "asking needs no right": (at("question/q1", ITEM["question"]), service(), "", ""),
    "a status of a handoff": ({"handoff/h1/status": "completed"}, lead(), "outsource finance", "only the lead's store decides"),
    "a total": ({"handoff/h1/total": "1.00"}, lead(), "outsource finance", "only the lead's store decides"),
    "another role": ({"handoff/h1/role": "service"}, lead("unsent"), "outsource", "only the lead's store decides"),
    "a ruling": ({"move/m1/ruling": "taken"}, lead(items={"move/m1": ("bob@acme", MOVE)}), "outsource",
                 "only the lead's store rules on moves"),
    "a move twice": ({"move/m1/verb": "decline"}, lead(items={"move/m1": ("bob@acme", MOVE)}), "outsource accept",
                     "a move is made once"),
    "an unknown verb": (at("move/m1", {"handoff": "h1", "verb": "win"}), lead(), "outsource accept", "there is no verb 'win'"),
    "a partner's name": ({"title": "x"}, lead(), "by bob@acme", "the author 'bob@acme' is one of a partner's"),
    "a deletion": ({"deleted": True}, lead("accepted"), "outsource", "a ticket that was outsourced to acme cannot be deleted"),
    "a deletion afterwards": ({"deleted": True}, lead("completed", accepted=NOON), "outsource", "cannot be deleted"),
    "an edit of the partner's": ({"comment/i1/body": "Other"}, lead(items={"comment/i1": ("bob@acme", ITEM["comment"])}), "",
                                 "the comment i1 belongs to acme"),
    "publishing the partner's": ({"comment/i1/visibility": "public"}, lead(items={"comment/i1": ("bob@acme", ITEM["comment"])}), "", ""),
    "an edit while it waits": (
        {"comment/i1/body": "Other"}, lead("awaiting-approval", {"comment/i1": ("anna@globex", ITEM["comment"])}), "",
        "the comment i1 cannot change while the work awaits approval",
    ),
    "an edit of our own": ({"comment/i1/body": "Other"}, lead(items={"comment/i1": ("anna@globex", ITEM["comment"])}), "", ""),
    "a field": ({"title": "Other", "queue": "first"}, lead(), "", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", COLLEAGUE)
def test_a_colleague(name: str) -> None:
    """What the rights of a token allow, and what nobody's do; everybody works on the ticket, one's own side of it."""
    sets, subject, rights, reason = COLLEAGUE[name]
    mark, _, author = rights.partition(" ")
    by = author if mark == "by" else "anna"
    said = colleagues.from_colleague(change(sets, by), subject, frozenset(rights.split()))
    assert (said == "") if reason == "" else (reason in said), said


def test_who_has_all_rights_is_refused_what_nobody_may() -> None:
    """The refusals that name no right hold for every token."""
    for name, (sets, subject, rights, reason) in COLLEAGUE.items():
        by = "bob@acme" if rights.startswith("by ") else "anna"
        said = colleagues.from_colleague(change(sets, by), subject, ALL_RIGHTS)
        assert (said == "") == (reason == "" or "right" in reason), (name, said)


@pytest.mark.parametrize("visibility", ["public", "internal"])
def test_who_may_read_what_the_lead_has_published(visibility: str) -> None:
    """Once the lead has said who may read a partner's item, the partner's word on that is not taken; its text is."""
    there = lead(items={"comment/i1": ("bob@acme", {**ITEM["comment"], "visibility": visibility})})
    reason = arriving.from_service(change(at("comment/i1", {"visibility": "partner"})), there, "acme", "globex")
    assert reason.endswith("who may read it is the lead's to say by now")
    assert arriving.from_service(change(at("comment/i1", {"body": "Rewritten"})), there, "acme", "globex") == ""
