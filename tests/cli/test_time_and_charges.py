"""Time entries and charges: recorded, listed, corrected and deleted; money is exact; a partner stays within what is authorised."""

import re
from pathlib import Path

import pytest

from chit_sync.authoring import Edit, record
from chit_sync.registers import Value
from chit_sync.store.opening import open_store
from chit_sync.store.reading import find, load
from support.invocations import everything
from support.runner import Chit

SPAN = "A span is written like 1h30m, 90m, 1.5h or 1:30."
AMOUNT = "An amount is written like 80 or 80.50, with at most two decimals."


def ids(desk: Chit, kind: str) -> list[str]:
    """The ids of all entries of a kind, the oldest first."""
    return desk(kind, "list", "--fields", "id").out.splitlines()


def said(message: str, hint: str) -> str:
    """What is on standard error for an error."""
    return f"error: {message}\nhint: {hint}\n"


def test_recording_time(desk: Chit, ticket: str) -> None:
    """A write prints the ticket's id and says what was recorded; the list has it in minutes."""
    ran = desk("time", "add", ticket, "1h30m", "-m", "Replaced the fuser.", "--date", "2024-03-02")
    assert (ran.out, ran.err) == (f"{ticket}\n", f"{ticket[:8]}: worked 1h30m on 2024-03-02: Replaced the fuser.\n")
    ran = desk("time", "add", ticket, "0:20", "--date", "2024-03-01T14:05", "-i", "-F", "-", stdin="Drove.\n\nTwice.\n")
    assert ran.err == f"{ticket[:8]}: worked 20m on 2024-03-01 (internal): Drove. Twice.\n"
    rows = [line.split("\t") for line in desk("time", "list").out.splitlines()]
    assert [row[1:] for row in rows] == [
        ["2024-03-01T14:05:00.000Z", "20", "anna", ticket, "internal", "Drove.\\n\\nTwice."],
        ["2024-03-02T12:00:00.000Z", "90", "anna", ticket, "public", "Replaced the fuser."],
    ]
    found = desk("time", "list", ticket, "--json").json
    assert found[0] == {
        "schema": "chit.time/1", "id": rows[0][0], "ticket": ticket, "author": "anna", "date": "2024-03-01T14:05:00.000Z", "minutes": 20,
        "note": "Drove.\n\nTwice.", "visibility": "internal", "to": None, "held": None,
    }  # fmt: skip


def test_recording_a_charge(desk: Chit, ticket: str) -> None:
    """Amounts keep their cents, whatever their size; the currency is the one given, else that of the settings."""
    ran = desk("charge", "add", ticket, "80.5", "-m", "Fuser")
    assert (ran.out, ran.err) == (f"{ticket}\n", f"{ticket[:8]}: charged 80.50 EUR: Fuser\n")
    desk("charge", "add", ticket, "999999999999.99", "chf", "-i", "-m", "Building")
    desk("charge", "add", ticket, "0.01", "-c", "charge.currency=USD")
    rows = [line.split("\t") for line in desk("charge", "list").out.splitlines()]
    assert [row[2:] for row in rows] == [
        ["80.50", "EUR", "anna", ticket, "public", "Fuser"],
        ["999999999999.99", "CHF", "anna", ticket, "internal", "Building"],
        ["0.01", "USD", "anna", ticket, "public", ""],
    ]
    found = desk("charge", "list", ticket, "--json").json[0]
    assert {**found, "time": ""} == {
        "schema": "chit.charge/1", "id": rows[0][0], "ticket": ticket, "author": "anna", "time": "", "amount": "80.50", "currency": "EUR",
        "note": "Fuser", "visibility": "public", "bundle": None, "to": None, "held": None,
    }  # fmt: skip


def test_lists_for_a_person(desk: Chit, ticket: str) -> None:
    """Spans and amounts under each other, with what they come to, a line for each currency; notes in one line."""
    desk("time", "add", ticket, "90m", "--date", "2024-03-02", "-m", "First.\n\nSecond.")
    desk("time", "add", ticket, "5m", "--date", "2024-03-03", "-i", "-m", "x" * 200)
    table = desk("time", "list", terminal=True).out.splitlines()
    assert [re.sub(r"^[k-z]{8}", "ID      ", line) for line in table[1:3]] == [
        f"ID        2024-03-02  1h30m  anna  {ticket[:8]}  First. Second.",
        f"ID        2024-03-03     5m  anna  {ticket[:8]}  (internal) {'x' * 43}…",
    ]
    assert table[0].split() == ["ID", "DATE", "TIME", "BY", "TICKET", "NOTE"]
    assert table[3] == "          total       1h35m"
    for amount in ("0.10", "0.20", "0.00"):
        desk("charge", "add", ticket, amount)
    desk("charge", "add", ticket, "1000", "CHF")
    table = desk("charge", "list", terminal=True).out.splitlines()
    assert [line.split()[1:4] for line in table[-2:]] == [["1000.00", "CHF"], ["0.30", "EUR"]]
    assert {line.index("EUR") for line in table if "EUR" in line} == {table[-2].index("CHF")}


def test_nothing_is_recorded(desk: Chit, ticket: str) -> None:
    """An empty list is no error; it says so beside an empty output."""
    assert desk("time", "list") == (0, "", "no time is recorded\n")
    assert desk("charge", "list", ticket, terminal=True) == (0, "", "nothing is charged\n")
    assert desk("time", "list", "--json").json == []


def test_which_entries_a_list_has(desk: Chit, ticket: str) -> None:
    """Of all tickets, closed ones too, but not of deleted ones; of those named or found; between two times, whole days counted."""
    other, gone = desk("new", "-m", "Other", "-l", "x").id, desk("new", "-m", "Gone").id
    for day, one in ((1, ticket), (2, other), (3, ticket), (4, gone)):
        desk("time", "add", one, f"{day}m", "--date", f"2024-03-0{day}T18:00")
    desk("close", other)
    desk("delete", gone)

    def found(*words: str, stdin: str | None = None) -> list[int]:
        return [one["minutes"] for one in desk("time", "list", *words, "--json", stdin=stdin).json]

    assert found() == [1, 2, 3]
    assert found(ticket) == found("1") == [1, 3]
    assert found(gone, other) == [2, 4]
    assert found("--stdin", stdin=f"{other}\n") == [2]
    assert found("--query", "label:x", "--all") == [2]
    assert found("--query", "label:x") == []
    assert found("--since", "2024-03-02") == [2, 3]
    assert found("--until", "2024-03-02") == [1, 2]
    assert found("--since", "2024-03-02", "--until", "2024-03-02") == [2]
    assert found("--since", "2024-03", "--until", "2024-03") == [1, 2, 3]
    assert found("--since", "2024-03-01T18:01", "--until", "2024-03-03T17:59") == [2]
    desk("charge", "add", ticket, "1")
    assert len(desk("charge", "list", "--since", "today", "--json").json) == 1
    assert desk("charge", "list", "--until", "yesterday", "--json").json == []


def test_correcting_time(desk: Chit, ticket: str) -> None:
    """An entry is found by the beginning of its id, whoever recorded it; what changed is said, from what to what."""
    desk("time", "add", ticket, "1h", "-m", "Looked.", "--date", "2024-03-02")
    (one,) = ids(desk, "time")
    name = f"{ticket[:8]}: time entry {one[:8]}:"
    ran = desk(
        "time", "edit", ticket, one[:6], "2h", "-m", "Looked twice.", "--date", "2024-03-01", env={"CHIT_USER": "berta"}
    )
    assert (ran.out, ran.err) == (
        f"{ticket}\n", f"{name} 1h → 2h, 2024-03-02 → 2024-03-01, Looked. → Looked twice.\n",
    )  # fmt: skip
    assert desk("time", "edit", ticket, one, "-m", "").err == f"{name} Looked twice. → (empty)\n"
    assert desk("time", "edit", ticket, one, "120m").err == f"{ticket[:8]}: nothing to change, it is so already\n"
    assert desk("time", "edit", ticket, one, "3h", "-n").err == f"{ticket[:8]}: would do: {name[10:]} 2h → 3h\n"
    (found,) = desk("time", "list", "--json").json
    assert (found["author"], found["minutes"], found["note"], found["date"]) == (
        "anna",
        120,
        "",
        "2024-03-01T12:00:00.000Z",
    )


def test_deleting(desk: Chit, ticket: str) -> None:
    """Several at once, or none; `chit undo` brings them back."""
    for _ in range(3):
        desk("time", "add", ticket, "1h")
        desk("charge", "add", ticket, "1")
    for kind, word in (("time", "time entry"), ("charge", "charge")):
        first, second, third = ids(desk, kind)
        desk(kind, "rm", ticket, first, "q" * 16, code=3)
        assert len(ids(desk, kind)) == 3
        ran = desk(kind, "rm", ticket, first, third)
        assert ran.out == f"{ticket}\n"
        assert sorted(ran.err[10:].strip().split(", ")) == sorted(
            f"took away {word} {one[:8]}" for one in (first, third)
        )
        assert ids(desk, kind) == [second]
        desk("undo")
        assert ids(desk, kind) == [first, second, third]


def test_an_entry_that_is_not_meant(desk: Chit, ticket: str) -> None:
    """None of that name, or several: then they are listed; nothing is changed."""
    for _ in range(40):
        desk("time", "add", ticket, "1h")
    desk("charge", "add", ticket, "1")
    found = ids(desk, "time")
    before = everything(desk.folder)
    letter = next(one[0] for one in found if sum(other[0] == one[0] for other in found) > 1)
    ran = desk("time", "rm", ticket, letter, code=3)
    several = [one for one in found if one[0] == letter]
    assert ran.err.splitlines()[0] == f"error: {letter} could be {len(several)} of the entries of {ticket[:8]}"
    assert {line.strip() for line in ran.err.splitlines()[1:-1]} == set(several)
    for prefix in ("", "abc", ids(desk, "charge")[0], found[0] + "k"):
        assert desk("time", "edit", ticket, prefix, "1h", code=3).err == said(
            f"no time entry {prefix!r} in {ticket[:8]}", f"`chit time list {ticket[:8]}` names them."
        )
    assert desk("charge", "rm", ticket, found[0], code=3).err == said(
        f"no charge {found[0]!r} in {ticket[:8]}", f"`chit charge list {ticket[:8]}` names them."
    )
    assert everything(desk.folder) == before


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("time", "add", "1", "90"), "'90' has no unit", "Write 90m or 90h."),
        (("time", "add", "1", "soon"), "'soon' is not a span of time", SPAN),
        (("time", "add", "1", "0m"), "'0m' is no time at all", SPAN),
        (("time", "add", "1", "8d"), "'8d' is not a span of time", SPAN),
        (("time", "add", "1", "200h"), "'200h' is too long", "At most 168h at a time."),
        (
            ("time", "add", "1", "1h", "--date", "tomorrow"),
            "'tomorrow' is still to come", "Time is recorded for work that was done.",
        ),
        (
            ("time", "add", "1", "1h", "--to", "acme", "-i"),
            "--internal and --to contradict each other", "What is internal is for no partner.",
        ),
        (
            ("charge", "add", "1", "1", "--over-limit", "-i"),
            "--internal and --over-limit contradict each other", "What is internal is for no partner.",
        ),
        (("time", "add", "1", "1h", "-m", "x", "-F", "y"), "-m and -F contradict each other", "Give one of them."),
        (("time", "edit", "1", "k"), "nothing to change was given", "Give a span, -m, -F or --date."),
        (("time", "list", "1", "--query", "x"), "tickets, --query and --stdin contradict each other", "Give one of them."),
        (
            ("time", "list", "--since", "2024-03-02", "--until", "2024-03-01"),
            "--since 2024-03-02 is after --until 2024-03-01", "Nothing can lie between them.",
        ),
        (("charge", "add", "1", "80.505"), "'80.505' has more than two decimals", AMOUNT),
        (("charge", "add", "1", "80,50"), "'80,50' is not an amount", "Write a point: 80.50."),
        (("charge", "add", "1", "--", "-5"), "'-5' is less than nothing", AMOUNT),
        (("charge", "add", "1", "1e3"), "'1e3' is not an amount", AMOUNT),
        (
            ("charge", "add", "1", "1000000000000"),
            "'1000000000000' is too large", "An amount has at most 12 digits before the point.",
        ),
        (("charge", "add", "1", "5", "EURO"), "'EURO' is not a currency", "A currency has three letters, like EUR."),
        (("charge", "add", "1", "5", "€"), "'€' is not a currency", "A currency has three letters, like EUR."),
        (
            ("charge", "add", "1", "5", "-c", "charge.currency=euro"),
            "'euro' is not a currency", "A currency has three letters, like EUR.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be(words: tuple[str, ...], message: str, hint: str, desk: Chit, ticket: str) -> None:
    """It is refused with a sentence that names it and one that says what can, and nothing is written."""
    before = everything(desk.folder)
    assert desk(*words, code=2).err == said(message, hint)
    assert everything(desk.folder) == before


def test_a_note_that_cannot_be(desk: Chit, ticket: str) -> None:
    """A charge's note is one line, without control characters; an escape in a time entry's note reaches no terminal."""
    for note in ("one\ntwo", "\x1b[31mred", "x" * 1001):
        desk("charge", "add", ticket, "5", "-m", note, code=2)
    assert ids(desk, "charge") == []
    desk("time", "add", ticket, "1h", "-m", "look \x1b]0;title\x07 here")
    for command in (("time", "list"), ("show", ticket), ("log", ticket)):
        assert "look ]0;title here" in desk(*command, terminal=True).out


def test_the_day_is_where_one_sits(desk: Chit, ticket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A date is a day in the zone of whoever types it, and stays that day for a partner some zones away."""
    import time

    monkeypatch.setenv("TZ", "UTC-5")
    time.tzset()
    desk("time", "add", ticket, "1h", "--date", "2024-03-02")
    assert desk("time", "list", "--json").json[0]["date"] == "2024-03-02T07:00:00.000Z"
    for zone in ("UTC-5", "UTC", "UTC+6"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert "  2024-03-02  1h  " in desk("show", ticket).out
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def test_the_page_and_the_log(desk: Chit, ticket: str) -> None:
    """The page of a ticket has its time and charges with what they come to; the log tells them in words."""
    desk("time", "add", ticket, "1h", "-m", "Looked.", "--date", "2024-03-02")
    desk("charge", "add", ticket, "80.50", "-m", "Fuser")
    page = desk("show", ticket).out
    assert "total" not in page
    desk("time", "add", ticket, "30m", "-i", "--date", "2024-03-03")
    desk("charge", "add", ticket, "0.5")
    page = desk("show", ticket).out
    one, two = ids(desk, "time")
    assert (
        f"Time\n  {one[:8]}  2024-03-02  1h  anna  Looked.\n  {two[:8]}  2024-03-03  30m  anna  internal\n  total 1h30m\n"
        in page
    )
    assert re.search(r"Charges\n  [k-z]{8}  \S+  80.50 EUR  anna  Fuser\n.*0.50 EUR  anna\n  total 81.00 EUR\n", page)
    desk("charge", "add", ticket, "1", "CHF")
    assert "81.00" not in desk("show", ticket).out
    told = desk("log", ticket, terminal=True).out
    assert "    worked 1h on 2024-03-02: Looked.\n" in told
    assert "    charged 80.50 EUR: Fuser\n" in told
    assert f"\ttime/{one}/date\t\t2024-03-02T12:00:00.000Z\n" in desk("log", ticket).out


def test_json_of_the_ticket(desk: Chit, ticket: str) -> None:
    """The ticket itself has its time and charges, and a write prints them."""
    found = desk("time", "add", ticket, "1h", "--json").json
    assert (found["id"], [one["minutes"] for one in found["times"]]) == (ticket, [60])
    found = desk("charge", "add", ticket, "1", "--json").json
    assert [(one["amount"], one["currency"]) for one in found["charges"]] == [("1.00", "EUR")]


def outsourced(desk: Chit, ticket: str, **terms: Value) -> None:
    """Puts a handoff into the ticket: accepted, we are acme, which works for globex."""
    values = {"role": "service", "lead": "globex", "service": "acme", "status": "accepted", "version": 1, **terms}
    with open_store(str(Path(desk.folder, ".chit"))) as store:
        found = load(store, find(store, ticket))
        record(
            store,
            [Edit(found, {f"handoff/hhhh/{name}": value for name, value in values.items()})],
            by="lead@globex",
            command="test",
        )


def test_within_what_is_authorised(desk: Chit, ticket: str) -> None:
    """For a lead: more time or charges than it has authorised are refused with the figure that is left; what is internal is free."""
    outsourced(desk, ticket, authorized_minutes=120, authorized_charges="100.00", currency="CHF")
    desk("time", "add", ticket, "90m")
    assert desk("time", "add", ticket, "31m", code=7).err.startswith(
        "error: 31m is more than is authorised: 30m is left of 2h\nhint: "
    )
    desk("time", "add", ticket, "10h", "-i")
    desk("time", "add", ticket, "30m", "--to", "globex")
    first = ids(desk, "time")[0]
    desk("time", "edit", ticket, first, "1h")
    assert desk("time", "edit", ticket, first, "91m", code=7).err.startswith(
        "error: 1h31m is more than is authorised: 1h30m is left of 2h\n"
    )
    assert desk("charge", "add", ticket, "60").err.endswith("charged 60.00 CHF\n")
    assert desk("charge", "add", ticket, "40.01", code=7).err.startswith(
        "error: 40.01 CHF is more than is authorised: 40.00 is left of 100.00\n"
    )
    assert desk("charge", "add", ticket, "1", "EUR", code=7).err.startswith(
        "error: the amount is in EUR; CHF is agreed\n"
    )
    assert desk("charge", "add", ticket, "1", "EUR", "--over-limit", code=7).err.startswith(
        "error: the amount is in EUR"
    )
    desk("charge", "add", ticket, "500", "EUR", "-i")
    assert desk("time", "add", ticket, "1h", "--to", "initech", code=3).err.startswith(
        "error: the ticket is not with initech now\n"
    )


def test_asking_for_more(desk: Chit, ticket: str) -> None:
    """--over-limit asks the lead and records nothing; within the limit it records as ever."""
    outsourced(desk, ticket, authorized_minutes=60, authorized_charges="10", currency="EUR")
    desk("time", "add", ticket, "50m", "--over-limit")
    (one,) = ids(desk, "time")
    asked = "the lead is asked; nothing is recorded until it authorises more\n"
    assert desk("time", "add", ticket, "20m", "-m", "It broke again.", "--over-limit").err.endswith(asked)
    assert desk("time", "edit", ticket, one, "2h", "--over-limit").err.endswith(asked)
    assert desk("charge", "add", ticket, "10.50", "-m", "Fuser", "--over-limit").err.endswith(asked)
    assert (ids(desk, "time"), ids(desk, "charge")) == ([one], [])
    found = desk("show", ticket, "--json").json["questions"]
    assert sorted(question["body"] for question in found) == [
        "10.50 EUR is more than is authorised: 10.00 is left of 10.00. May it be recorded?\n\nFuser",
        "20m is more than is authorised: 10m is left of 1h. May it be recorded?\n\nIt broke again.",
        "2h is more than is authorised: 1h is left of 1h. May it be recorded?",
    ]
