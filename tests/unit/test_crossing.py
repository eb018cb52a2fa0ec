"""The export filter: a table of what may leave, and the proof that nothing else does, whatever the schema holds."""

import ast
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

import pytest

import chit_sync.errors
from chit_sync import crossing, handoffs, schema
from chit_sync.registers import Registers, Value
from chit_sync.ticket import Ticket

SOURCE = Path(chit_sync.errors.__file__).parent

LIVE = "accepted in-progress"
AGREED = "assigned accepted in-progress awaiting-approval canceled declined completed"
"""The statuses that a partner knows of: it is told of each."""

MAY_LEAVE: dict[tuple[str, str, str], str] = {
    ("lead", "field", "title priority due"): f"assigned {LIVE}",
    ("lead", "field", "description"): LIVE,
    ("lead", "field", "requester"): LIVE,  # where the terms say so
    ("lead", "comment", "body visibility to deleted"): LIVE,
    ("lead", "attachment", "name sha256 size visibility to deleted"): LIVE,
    ("lead", "charge", "amount currency note visibility to deleted"): LIVE,
    ("lead", "question", "answer"): LIVE,
    ("lead", "handoff", ("lead service status since last verb reason version proposal instructions complete_by accept_by pay pay_unit"
     " currency authorized_minutes authorized_charges share_contact share_comments share_attachments accepted accepted_by"
     " accepted_version total")): AGREED,
    ("lead", "move", "ruling"): AGREED,  # on the partner's own
    ("service", "comment", "body visibility to deleted"): LIVE,
    ("service", "attachment", "name sha256 size visibility to deleted"): LIVE,
    ("service", "time", "minutes date note visibility to deleted"): LIVE,
    ("service", "charge", "amount currency note visibility to deleted"): LIVE,
    ("service", "question", "body to deleted"): LIVE,
    ("service", "move", ("handoff verb seen reason version instructions complete_by accept_by pay pay_unit currency authorized_minutes"
     " authorized_charges")): AGREED,
}  # fmt: skip
"""(our role, kind, fields) to the statuses in which they leave. What stands nowhere here never leaves."""

LEAVES = {
    (role, kind, name, status)
    for (role, kind, names), statuses in MAY_LEAVE.items()
    for name in names.split()
    for status in statuses.split()
}

PARTNER = {"lead": "acme", "service": "globex"}
OWN = {"lead": "globex", "service": "acme"}
VISIBILITIES = (None, "public", "partner", "internal")
STATUSES = (*handoffs.STATUSES, handoffs.NONE)


def author(role: str, who: str) -> str:
    """An author as changes name one."""
    return {"ours": f"anna@{OWN[role]}", "inside": "anna", "theirs": f"bob@{PARTNER[role]}", "third": "eve@initech"}[
        who
    ]


def ticket(
    role: str,
    status: str,
    items: Mapping[str, Mapping[str, Value]] | None = None,
    by: str = "anna",
    contact: bool = True,
    others: Mapping[str, Mapping[str, Value]] | None = None,
) -> Ticket:
    """A ticket in one handoff, `h1`, with these items, all by one author."""
    handoff: dict[str, Value] = {"role": role, "lead": "globex", "service": "acme", "status": status}
    if status == handoffs.NONE:
        handoff["status"] = None
    if contact:
        handoff["share_contact"] = True
    everything = {"handoff/h1": handoff, **(others or {}), **(items or {})}
    registers: dict[str, Registers[int]] = {
        key: {name: [(1, value)] for name, value in values.items()} for key, values in everything.items()
    }
    origins = {key: (by if items and key in items else f"chit@{OWN['lead']}", 1) for key in everything}
    return Ticket(1, "k" * 32, 0, 0, "anna", "open", {}, registers, [], [], [], [], 1, origins)


def paths() -> Iterator[tuple[str, str, str]]:
    """(kind, name, path) of every path that the schema knows; fields of the ticket have the kind `field`."""
    for name in schema.FIELDS:
        yield "field", name, name
    yield "field", "x.serial", "x.serial"
    yield "field", "labels/printer", "labels/printer"
    for kind, fields in schema.ITEMS.items():
        for name in fields:
            yield kind, name, f"{kind}/{'h1' if kind == 'handoff' else 'i1'}/{name}"


def _items(kind: str, visibility: str | None) -> dict[str, dict[str, Value]]:
    if kind in ("field", "handoff"):
        return {}
    values: dict[str, Value] = {"handoff" if kind == "move" else "to": "h1"}
    if visibility is not None:
        values["visibility"] = visibility
    return {f"{kind}/i1": values}


def test_the_table_speaks_of_what_there_is() -> None:
    """Every field in the table is one of the schema's, and one that may leave there."""
    for role, kind, name, status in LEAVES:
        fields = schema.FIELDS if kind == "field" else schema.ITEMS[kind]
        assert fields[name].leaves, (role, kind, name)
        assert status in STATUSES


@pytest.mark.parametrize("role", ["lead", "service"])
def test_what_leaves_is_in_the_table(role: str) -> None:
    """Every path, status, visibility and author: what the table names leaves in that handoff, everything else stays for a known reason."""
    seen = set()
    for (kind, name, path), status, visibility, made, wrote in product(
        paths(), STATUSES, VISIBILITIES, ("ours", "inside", "theirs", "third"), ("ours", "inside", "theirs", "third")
    ):
        subject = ticket(role, status, _items(kind, visibility), by=author(role, made))
        found = handoffs.read(subject.item_registers, subject.origins, every=True)
        (verdict,) = crossing.verdicts(subject, [path], author(role, wrote), found)
        expected = (role, kind, name, status) in LEAVES and wrote == "ours"
        if kind == "move":
            expected = expected and (made == "theirs") == (role == "lead")
        elif kind not in ("field", "handoff"):
            answered = (kind, name) == ("question", "answer")
            expected = expected and visibility != "internal" and (answered or made != "theirs")
        case = (path, status, visibility, made, wrote)
        assert (verdict.handoff == "h1") == expected, (*case, verdict)
        assert verdict.rule in crossing.RULES, case
        assert (crossing.audience(subject, [path], author(role, wrote), found)[0] == "h1") == expected, case
        if expected:
            seen.add((role, kind, name, status))
    assert seen == {one for one in LEAVES if one[0] == role}


def test_who_asked_leaves_only_where_the_terms_say_so() -> None:
    """Without the share of the contact the requester stays, in every status."""
    for status in STATUSES:
        subject = ticket("lead", status, contact=False)
        (verdict,) = crossing.verdicts(subject, ["requester"], "anna@globex")
        assert verdict.handoff == ""
        assert verdict.rule == ("no-contact" if status in LIVE.split() else verdict.rule)


@pytest.mark.parametrize("role", ["lead", "service"])
def test_without_a_handoff_nothing_leaves(role: str) -> None:
    """Of a ticket that is with nobody no path leaves."""
    for kind, _, path in paths():
        subject = ticket(role, "accepted", _items(kind, "public"), by=author(role, "ours"))
        (verdict,) = crossing.verdicts(subject, [path], author(role, "ours"), [])
        assert (verdict.handoff, verdict.rule) == ("", "no-handoff")


@pytest.mark.parametrize("role", ["lead", "service"])
@pytest.mark.parametrize("kind", sorted(crossing.SHARED_KINDS))
def test_what_is_for_nobody_or_held_stays(role: str, kind: str) -> None:
    """An item that names no handoff, or one that there is not, or that is held, stays."""
    by = author(role, "ours")
    for values, rule in (
        ({"visibility": "public"}, "unaddressed"),
        ({"to": "h9", "visibility": "public"}, "unaddressed"),
        ({"to": "h1", "visibility": "public", "held": "h1"}, "held"),
    ):
        subject = ticket(role, "in-progress", {f"{kind}/i1": values}, by=by)
        found = crossing.verdicts(subject, [f"{kind}/i1/{name}" for name in schema.ITEMS[kind]], by)
        assert {verdict.handoff for verdict in found} == {""}
        assert rule in {verdict.rule for verdict in found} or (role, kind) in (("lead", "time"), ("lead", "question"))


def test_internal_in_one_of_two_minds_is_internal() -> None:
    """Where two people wrote the visibility without seeing each other, and one wrote internal, the item stays whoever wins."""
    subject = ticket("lead", "in-progress", {"comment/i1": {"to": "h1", "visibility": "public"}}, by="anna@globex")
    subject.item_registers["comment/i1"]["visibility"].append((2, "internal"))
    (verdict,) = crossing.verdicts(subject, ["comment/i1/body"], "anna@globex")
    assert (verdict.handoff, verdict.rule) == ("", "internal")


def test_a_change_leaves_whole_or_not_at_all() -> None:
    """Something that stays keeps back what is in the same change; the explanation says so of each line."""
    items: dict[str, dict[str, Value]] = {
        "comment/i1": {"to": "h1", "visibility": "public"},
        "comment/i2": {"to": "h1", "visibility": "internal"},
    }
    subject = ticket("lead", "in-progress", items, by="anna@globex")
    both = ["comment/i1/body", "comment/i2/body", "title"]
    assert crossing.audience(subject, both, "anna@globex") == ("", "")
    assert [one.rule for one in crossing.explain(subject, both, "anna@globex")] == ["together", "internal", "together"]
    assert crossing.audience(subject, both[::2], "anna@globex") == ("h1", "")


def test_what_is_said_while_waiting_is_held() -> None:
    """While the work awaits approval a new item is held back from that handoff; a field is not."""
    items: dict[str, dict[str, Value]] = {"comment/i1": {"to": "h1", "visibility": "partner"}}
    subject = ticket("service", "awaiting-approval", items, by="bob@acme")
    assert crossing.audience(subject, ["comment/i1/body"], "bob@acme") == ("", "h1")
    assert crossing.audience(ticket("lead", "awaiting-approval"), ["title"], "anna@globex") == ("", "")


CHAIN: dict[str, dict[str, Value]] = {
    "handoff/h2": {"role": "lead", "lead": "acme-lead", "service": "initech", "status": "in-progress"}
}
"""We work for globex in `h1`, and have handed the ticket on to initech in `h2`."""


def test_in_a_chain_each_item_has_one_reader() -> None:
    """What is for the one end of a chain never leaves for the other, and each is told nothing of the other."""
    items: dict[str, dict[str, Value]] = {
        "comment/up": {"to": "h1", "visibility": "partner"},
        "comment/down": {"to": "h2", "visibility": "partner"},
        "time/received": {"to": "h2", "visibility": "partner"},
    }
    subject = ticket("service", "in-progress", items, by="bob@acme", others=CHAIN)
    subject.origins["comment/down"] = ("bob@acme-lead", 1)  # type: ignore[index]  # a dict, whatever it promises
    subject.origins["time/received"] = ("ivy@initech", 1)  # type: ignore[index]  # the same
    assert crossing.audience(subject, ["comment/up/body"], "bob@acme")[0] == "h1"
    assert crossing.audience(subject, ["comment/down/body"], "bob@acme-lead")[0] == "h2"
    assert crossing.audience(subject, ["comment/up/body", "comment/down/body"], "bob@acme") == ("", "")
    for by in ("bob@acme", "bob@acme-lead", "ivy@initech", "anna@globex"):
        assert crossing.audience(subject, ["time/received/minutes"], by)[0] == ""
    assert crossing.audience(subject, ["title"], "bob@acme-lead")[0] == "h2"
    assert crossing.audience(subject, ["title"], "bob@acme")[0] == ""
    towards = {
        (path, name): crossing.towards(subject, [path], by, name, role)[0]
        for path, by in (("comment/up/body", "bob@acme"), ("comment/down/body", "bob@acme-lead"), ("title", "bob@acme-lead"))
        for name, role in (("globex", "service"), ("initech", "lead"))
    }  # fmt: skip
    assert {key: (one.handoff, one.rule) for key, one in towards.items()} == {
        ("comment/up/body", "globex"): ("h1", "shared"), ("comment/up/body", "initech"): ("", "elsewhere"),
        ("comment/down/body", "globex"): ("", "elsewhere"), ("comment/down/body", "initech"): ("h2", "shared"),
        ("title", "globex"): ("", "own"), ("title", "initech"): ("h2", "agreed"),
    }  # fmt: skip


def test_after_an_end_the_next_partner_has_it() -> None:
    """A field that leaves for the partner of today stays for the one of yesterday, because that handoff has ended."""
    others: dict[str, dict[str, Value]] = {
        "handoff/h2": {"role": "lead", "lead": "globex", "service": "initech", "status": "accepted"}
    }
    subject = ticket("lead", "declined", others=others)
    assert crossing.towards(subject, ["title"], "anna@globex", "initech", "lead")[0][1:] == ("h2", "agreed")
    assert crossing.towards(subject, ["title"], "anna@globex", "acme", "lead")[0][1:] == ("", "ended")


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_one_filter() -> None:
    """Only the desk puts changes aside for partners, at one place, for what `crossing.audience` has let out."""
    writers = {
        file.relative_to(SOURCE).as_posix()
        for file in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and any(f"{verb} INTO outbound" in " ".join(node.value.split()) for verb in ("INSERT", "REPLACE", "IGNORE"))
    }
    assert writers == {"store/desk.py"}
    tree = ast.parse((SOURCE / "store" / "desk.py").read_text(encoding="utf-8"))
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    statements = [
        ast.unparse(node.targets[0])
        for node in tree.body
        if isinstance(node, ast.Assign) and "INTO outbound" in ast.unparse(node.value)
    ]
    inserting = [
        name
        for name, node in functions.items()
        if any(word in ast.unparse(node) for word in ("INTO outbound", *(f"execute({one}," for one in statements)))
    ]
    assert inserting == ["_send"]
    assert sum(ast.unparse(tree).count(one) for one in statements) == 2 * len(
        statements
    )  # where it is set, where it is used
    calling = [
        name
        for name, node in functions.items()
        for call in _calls(node)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "_send"
    ]
    assert calling == ["attend"]
    attend = functions["attend"]
    guards = [node for node in ast.walk(attend) if isinstance(node, ast.If) and "._send(" in ast.unparse(node.body[0])]
    assert [ast.unparse(node.test) for node in guards] == ["target"]
    decided = [
        ast.unparse(node.value)
        for node in ast.walk(attend)
        if isinstance(node, ast.Assign) and "target" in ast.unparse(node.targets[0])
    ]
    assert len(decided) == 1
    assert decided[0].startswith("crossing.audience(ticket, change.set, change.by, ")
