"""`chit board` and the page of an outsourced ticket at the command line, on both sides."""

import json
import re
from pathlib import Path

import pytest

from support.parties import Parties
from support.runner import Chit

COLUMNS = (
    "role", "list", "partner", "ticket", "status", "since", "deadline", "overdue", "authorized", "used", "questions", "held", "pending",
    "title",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the two organisations are."""
    return tmp_path_factory.mktemp("firms")


@pytest.fixture(scope="module")
def made(folder: Path) -> dict[str, str]:
    """A ticket in each status, by its status, made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHIT_USER", "anna")
        patch.setenv("HOME", str(folder))
        parties = Parties(folder / "work", Chit(folder, patch))
        parties.meet()
        return parties.everywhere()


@pytest.fixture
def parties(folder: Path, made: dict[str, str], chit: Chit) -> Parties:
    """The two, with a ticket in each status; to be read only."""
    return Parties(folder / "work", chit)


def rows(parties: Parties, role: str, *words: str) -> list[dict[str, str]]:
    """The lines of somebody's board, piped."""
    lines = parties.run(role, "board", *words).out.splitlines()
    return [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in lines]


def lists(parties: Parties, role: str, *words: str) -> list[tuple[str, str]]:
    """(list, ticket) of somebody's board."""
    return [(row["list"], row["ticket"]) for row in rows(parties, role, *words)]


def test_the_lists_of_both_sides(parties: Parties, made: dict[str, str]) -> None:
    """Each handoff is in the list that it waits in; what is over is there with --all."""
    both = [
        ("waiting-for-acceptance", "assigned"),
        ("waiting-for-acceptance", "countered"),
        ("in-progress", "accepted"),
        ("in-progress", "in-progress"),
        ("waiting-for-approval", "awaiting-approval"),
    ]
    service = [(name, made[status]) for name, status in both]
    lead = [
        ("drafts", made["unsent"]),
        *service,
        ("declined", made["declined"]),
        ("to-re-assign", made["canceled"]),
    ]
    assert sorted(lists(parties, "service")) == sorted(service)
    assert sorted(lists(parties, "lead")) == sorted(lead)
    assert sorted(lists(parties, "lead", "--all")) == sorted([*lead, ("done", made["completed"])])
    over = [("done", made["completed"]), ("earlier", made["canceled"]), ("earlier", made["declined"])]
    assert sorted(lists(parties, "service", "--all")) == sorted([*service, *over])


def test_a_line(parties: Parties, made: dict[str, str]) -> None:
    """Piped it has whole values: ids, times in UTC, minutes."""
    row = next(row for row in rows(parties, "lead") if row["ticket"] == made["in-progress"])
    since = row.pop("since")
    assert since.endswith("Z")
    assert row == {
        "role": "lead", "list": "in-progress", "partner": "acme", "ticket": made["in-progress"], "status": "in-progress", "deadline": "",
        "overdue": "", "authorized": "600", "used": "0", "questions": "1", "held": "0", "pending": "0", "title": "Printer on fire",
    }  # fmt: skip


def test_choosing(parties: Parties) -> None:
    """--role and --partner narrow; a partner that there is not has nothing; --limit is for each list."""
    assert rows(parties, "lead", "--role", "service") == []
    assert (
        rows(parties, "lead", "--role", "lead") == rows(parties, "lead") == rows(parties, "lead", "--partner", "ACME")
    )
    assert rows(parties, "lead", "--partner", "initech") == []
    assert parties.lead("board", "--partner", "initech", terminal=True).err == "nothing is outsourced\n"
    found = [row["list"] for row in rows(parties, "lead", "--limit", "1")]
    assert len(found) == len(set(found)) == 6
    assert rows(parties, "lead", "--limit", "0") == rows(parties, "lead")
    assert "'boss' is not one of 'lead', 'service'" in parties.lead("board", "--role", "boss", code=2).err


def test_json(parties: Parties, made: dict[str, str]) -> None:
    """One object a handoff, with every member; --jsonl, --fields and --format go with it."""
    found = {one["ticket"]: one for one in parties.lead("board", "--all", "--json").json}
    one = found[made["countered"]]
    assert list(one) == [
        "schema", "id", "ticket", "title", "role", "list", "partner", "status", "confirmed", "pending", "since", "accept_by", "complete_by",
        "overdue", "counter_offer", "authorized_minutes", "used_minutes", "questions", "held",
    ]  # fmt: skip
    assert (one["schema"], one["status"], one["confirmed"], one["counter_offer"]) == (
        "chit.handoff/1",
        "assigned",
        "assigned",
        True,
    )
    assert (one["overdue"], one["accept_by"], one["authorized_minutes"]) == (False, None, 600)
    assert found[made["unsent"]]["confirmed"] == "unsent"
    lines = parties.lead("board", "--jsonl").out.splitlines()
    assert [json.loads(line)["ticket"] for line in lines] == [row["ticket"] for row in rows(parties, "lead")]
    assert parties.lead("board", "--limit", "1", "--fields", "list,partner").out.startswith("drafts\tacme\n")
    assert parties.lead("board", "--limit", "1", "--format", "{list}: {partner}").out.startswith("drafts: acme\n")
    assert parties.lead("board", "--role", "service", "--json").json == []


def test_on_a_terminal(parties: Parties, made: dict[str, str]) -> None:
    """A table for each list, with what is to be seen at a glance; a list that is cut says so."""
    out = parties.lead("board", terminal=True).out
    assert "Drafts, as lead: 1\nID " in out
    assert "In progress, as lead: 2\n" in out
    assert "Canceled, to re-assign, as lead: 1\n" in out
    (line,) = [line for line in out.splitlines() if line.startswith(made["countered"][:8])]
    assert "counter-offer" in line
    (line,) = [line for line in out.splitlines() if line.startswith(made["in-progress"][:8])]
    assert "0m of 10h" in line
    assert "1 open?" in line
    assert (
        "In progress, as service partner: 1 of 2: --limit 0 shows all\n"
        in parties.service("board", "--limit", "1", terminal=True).out
    )
    assert "declined" in parties.service("board", "--all", terminal=True).out


def test_no_price_is_on_the_board(parties: Parties) -> None:
    """What partners are paid and what customers pay is not for everybody who sees the board."""
    for role in ("lead", "service"):
        for how in ((), ("--json",)):
            out = parties.run(role, "board", "--all", *how).out
            assert "80.00" not in out
            assert "98765" not in out


def test_list_shows_and_finds(parties: Parties, made: dict[str, str]) -> None:
    """`list` filters by partner and status of the handoff, and shows them as columns."""
    line = parties.lead("list", "handoff:awaiting-approval", "--fields", "id,partner,handoff").out
    assert line == f"{made['awaiting-approval']}\tacme\tawaiting-approval\n"
    assert parties.service("list", "is:offered", "partner:globex", "--fields", "handoff").out == "assigned\nassigned\n"
    assert parties.lead("list", "--count", "is:outsourced").out == "5\n"
    assert made["assigned"] not in parties.service("list").out


# The page of a ticket


def page(parties: Parties, role: str, ident: str) -> list[str]:
    """What `show` says of the handoff: the lines before the fields; without since when."""
    lines = parties.run(role, "show", ident).out.splitlines()
    return [re.sub(", since [^;,]+", "", line) for line in lines[3 : lines.index("", 3)]]


@pytest.mark.parametrize(
    ("status", "lead", "service"),
    [
        ("unsent", "Draft for acme; possible: outsource --draft, outsource, outsource --discard", ""),
        ("assigned", "With acme: assigned; possible: cancel", "Offered by globex: assigned; possible: accept, decline"),
        ("canceled", "With acme: canceled; possible: outsource", "For globex: canceled"),
        ("accepted", "With acme: accepted; possible: ask --answer, complete, recall", "For globex: accepted; possible: ask"),
        ("awaiting-approval", "With acme: awaiting-approval; possible: approve, reject", "For globex: awaiting-approval"),
        ("completed", "With acme: completed; possible: outsource", "For globex: completed"),
    ],
)  # fmt: skip
def test_one_line_says_how_it_stands(
    parties: Parties, made: dict[str, str], status: str, lead: str, service: str
) -> None:
    """Partner, status, and what can be done now, on the side that is asked."""
    assert page(parties, "lead", made[status])[0].startswith(lead)
    if service:
        assert page(parties, "service", made[status])[0].startswith(service)


def test_what_is_below(parties: Parties, made: dict[str, str]) -> None:
    """Terms, reasons, proposals and questions stand below it; an answer is to be given where it says open."""
    text = "\n".join(page(parties, "lead", made["countered"]))
    assert "    counter: Too little.\n" in text
    assert "    80.00 EUR an hour; up to 10h of work; up to 50.00 EUR of charges\n" in text
    assert "    acme proposes instead: 90.00" in text
    assert text.splitlines()[0] == "With acme: assigned; possible: outsource, cancel"
    assert "    decline: Nobody is free." in page(parties, "lead", made["declined"])
    assert any(" by bob@acme: Which floor?" in line for line in page(parties, "lead", made["in-progress"]))
    assert "98765" not in parties.service("show", made["accepted"]).out


def test_a_ticket_that_is_not_outsourced(parties: Parties, made: dict[str, str]) -> None:
    """Its page has nothing of all this."""
    out = parties.lead("show", made["none"]).out
    assert "acme" not in out
    assert parties.lead("show", made["none"], "--json").json["partner"] is None
