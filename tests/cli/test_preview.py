"""What leaves for a partner and what stays is shown before it leaves, on both sides; and `chit why` explains each thing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chit_sync.crossing import RULES
from support.runner import Chit, Ran

Side = Callable[..., Ran]


class Firms:
    """Globex, which leads, and acme, which works for it, on one ticket that acme has accepted."""

    def __init__(self, chit: Chit) -> None:
        self.chit = chit
        for name in ("globex", "acme"):
            (chit.folder / name).mkdir()
            chit("init", cwd=chit.folder / name)
        word = self.globex("partner", "invite", "acme", "--as", "globex").out
        self.acme("partner", "join", "-", stdin=word)
        self.ticket = self.globex("new", "-m", "Printer on fire\n\nIt burns.", "--queue", "first", "-p", "high").id
        self.globex("comment", self.ticket, "-m", "Our margin is thin.", "--internal")

    def globex(self, *words: str, **options: Any) -> Ran:
        """A command of the lead's."""
        return self.chit(*words, cwd=self.chit.folder / "globex", env={"CHIT_USER": "anna"}, **options)

    def acme(self, *words: str, **options: Any) -> Ran:
        """A command of the service partner's."""
        env = {"CHIT_USER": "bob", **options.pop("env", {})}
        return self.chit(*words, cwd=self.chit.folder / "acme", env=env, **options)

    def offer(self) -> None:
        """The offer, not fetched yet."""
        self.globex("outsource", self.ticket, "acme", "--pay", "80/h", "--hours", "10h", "--bill-rate", "120")

    def accepted(self) -> None:
        """Offered, accepted, and both know."""
        self.offer()
        self.acme("sync")
        self.acme("accept", self.ticket, "--organization", "Globex")
        self.acme("sync")
        self.acme("sync")


@pytest.fixture
def firms(chit: Chit) -> Firms:
    """Two partners."""
    return Firms(chit)


def rows(ran: Ran) -> dict[str, tuple[str, str, str]]:
    """Path to (verdict, rule, value) of the lines of a preview; items without their ids."""
    found = {}
    for line in ran.out.splitlines():
        verdict, _, path, rule, value, _, _, _, _ = line.split("\t")
        parts = path.split("/")
        found["/".join((parts[0], *parts[2:]))] = (verdict, rule, value)
    return found


def test_an_offer_before_it_is_fetched(firms: Firms) -> None:
    """The lead sees what waits for the partner, and that the rate, the queue, the description and what is internal stay."""
    firms.offer()
    found = rows(firms.globex("diff", "--remote", "acme"))
    assert found["title"] == ("leaves", "agreed", "Printer on fire")
    assert found["priority"][:2] == ("leaves", "agreed")
    assert found["handoff/pay"] == ("leaves", "mirrored", "80.00")
    assert found["handoff/bill_rate"] == ("stays", "never", "120.00")
    assert found["description"] == ("stays", "not-yet", "It burns.")
    assert found["queue"] == ("stays", "own", "first")
    assert found["comment/body"] == ("stays", "internal", "Our margin is thin.")
    firms.acme("sync")
    assert firms.globex("diff", "--remote", "acme").out == ""
    assert "nothing would leave" in firms.globex("diff", "--remote", "acme").err


def test_what_leaves_is_what_arrives(firms: Firms) -> None:
    """What is shown as leaving, on both sides, is what the other side has after a sync, and nothing that was shown as staying."""
    firms.accepted()
    firms.globex("comment", firms.ticket, "-m", "Second floor.")
    firms.globex("comment", firms.ticket, "-m", "SECRET one.", "-i")
    firms.globex("edit", firms.ticket, "--title", "Printer burns", "--queue", "SECRET")
    firms.acme("comment", firms.ticket, "-m", "On my way.")
    firms.acme("comment", firms.ticket, "-m", "SECRET two.", "-i")
    firms.acme("label", firms.ticket, "-l", "SECRET")
    leaving, staying = {}, {}
    for name, side, other in (("acme", firms.globex, firms.acme), ("globex", firms.acme, firms.globex)):
        lines = side("diff", "--remote", name, "--json").json
        leaving[name] = {line["change"] for line in lines if line["verdict"] == "leaves"}
        staying[name] = {line["change"] for line in lines if line["verdict"] == "stays"}
        assert leaving[name]
        assert staying[name]
        assert not leaving[name] & staying[name]
        marked = [line["verdict"] for line in lines if "SECRET" in f"{line['value']}{line['path']}"]
        assert set(marked) == {"stays"}
        assert not leaving[name] & {event["id"] for event in other("log", "--json").json}
    firms.acme("sync")
    for name, other in (("acme", firms.acme), ("globex", firms.globex)):
        there = {event["id"] for event in other("log", "--json").json}
        assert leaving[name] <= there
        assert not staying[name] & there


def test_dry_run_of_a_push(firms: Firms) -> None:
    """push -n to a partner's store shows each line, in a table, piped and as JSON, and sends nothing; without -n nothing is listed."""
    firms.accepted()
    firms.acme("comment", firms.ticket, "-m", "On my way.")
    firms.acme("comment", firms.ticket, "-m", "They pay badly.", "--internal")
    found = rows(firms.acme("push", "-n"))
    assert found["comment/body"] == ("stays", "internal", "They pay badly.")
    assert firms.acme("push", "-n").out == firms.acme("diff").out == firms.acme("diff", "--remote", "globex").out
    assert sum(line.startswith("leaves\t") for line in firms.acme("diff").out.splitlines()) == 6
    page = firms.acme("push", "-n", terminal=True).out
    assert "internal: what is internal never leaves" in page
    assert "shared: it is for the partner" in page
    assert "On my way." in page
    words = " ".join(["They", "pay", "badly."] * 9)
    firms.acme("comment", firms.ticket, "-m", words, "--internal")
    for columns in ("60", "100", "250"):
        page = firms.acme(
            "push", "-n", terminal=True, env={"COLUMNS": columns, "NO_COLOR": None, "CLICOLOR_FORCE": "1"}
        ).out
        assert all(len(line) <= int(columns) for line in page.splitlines()[columns == "250" :])
        assert ("WHY" in page) == (columns == "250")
        assert "internal: what is internal never leaves" in page
    firms.acme("undo")
    page = firms.acme("push", "-n", terminal=True, env={"COLUMNS": "90"}).out
    assert "WHY" in page
    assert all(len(line) <= 90 for line in page.splitlines())
    assert page.endswith("\ninternal: what is internal never leaves\n")
    planned = firms.acme("push", "-n", "--json").json
    assert planned["schema"] == "chit.pushed/1"
    assert {line["schema"] for line in planned["leaving"]} == {"chit.leaving/1"}
    assert {line["rule"]: line["why"] for line in planned["leaving"]}["shared"] == RULES["shared"]
    assert firms.acme("push", "-n", firms.ticket, "--json").json["leaving"] == planned["leaving"]
    done = firms.acme("push", "--json").json
    assert done["leaving"] is None
    assert done["taken"] == 2
    assert firms.acme("sync", "--json").json["pushed"].keys() == done.keys()
    assert all(line["verdict"] == "stays" for line in firms.acme("push", "-n", "--json").json["leaving"])


def test_diff_says_whether_anything_leaves(firms: Firms) -> None:
    """--exit-code is 10 where something would leave; that something stays is no difference."""
    firms.accepted()
    firms.acme("comment", firms.ticket, "-m", "They pay badly.", "--internal")
    assert firms.acme("diff", "--exit-code").out
    firms.acme("comment", firms.ticket, "-m", "On my way.")
    firms.acme("diff", "--exit-code", code=10)
    firms.globex("diff", "--remote", "nobody", code=3)


def test_other_tickets_are_nobodys_business(firms: Firms) -> None:
    """Of a ticket that is not with the partner nothing is listed, unless it is asked about one that was."""
    firms.accepted()
    other = firms.globex("new", "-m", "Another").id
    assert firms.globex("diff", "--remote", "acme").out == ""
    assert firms.globex("diff", other, "--remote", "acme").out == ""
    firms.globex("recall", firms.ticket, "-m", "Never mind.")
    firms.acme("sync")
    firms.globex("edit", firms.ticket, "--title", "Afterwards")
    assert firms.globex("diff", "--remote", "acme").out == ""
    assert rows(firms.globex("diff", firms.ticket, "--remote", "acme"))["title"] == ("stays", "ended", "Afterwards")


def answer(ran: Ran) -> tuple[str, str]:
    """(state, rule) of the one partner in an answer of `why`."""
    (side,) = ran.json["partners"]
    return side["state"], side["rule"]


def test_why_on_the_leads_side(firms: Firms) -> None:
    """Field by field and item by item: there, waiting, internal, own; with the change, its author and its time."""
    firms.accepted()
    secret = firms.globex("show", firms.ticket, "--json").json["comments"][0]["id"]
    assert answer(firms.globex("why", firms.ticket, "title", "--json")) == ("there", "agreed")
    assert answer(firms.globex("why", firms.ticket, "queue", "--json")) == ("stays", "own")
    assert answer(firms.globex("why", firms.ticket, "requester", "--json")) == ("empty", "no-contact")
    assert answer(firms.globex("why", firms.ticket, secret[:6], "--json")) == ("stays", "internal")
    firms.globex("edit", firms.ticket, "--title", "Printer burns")
    found = firms.globex("why", firms.ticket, "title", "--json").json
    assert found["schema"] == "chit.why/1"
    assert (found["ticket"], found["path"]) == (firms.ticket, "title")
    (side,) = found["partners"]
    assert (side["partner"], side["role"], side["status"]) == ("acme", "lead", "accepted")
    assert (side["state"], side["by"], side["value"]) == ("waits", "anna@globex", "Printer burns")
    assert side["earlier"] not in (None, side["change"])
    firms.acme("sync")
    assert answer(firms.globex("why", firms.ticket, "title", "--json")) == ("there", "agreed")
    page = firms.globex("why", firms.ticket, secret, terminal=True).out
    assert "it stays here\n    internal: what is internal never leaves\n" in page
    assert "acme, our service partner: the handoff is accepted" in page


def test_why_on_the_partners_side(firms: Firms) -> None:
    """Waiting for the push, there, held while the work awaits approval, and released; and what came from the lead."""
    firms.accepted()
    assert answer(firms.acme("why", firms.ticket, "title", "--json")) == ("theirs", "theirs")
    firms.acme("comment", firms.ticket, "-m", "On my way.")
    first = firms.acme("show", firms.ticket, "--json").json["comments"][0]["id"]
    assert answer(firms.acme("why", firms.ticket, first, "--json")) == ("waits", "shared")
    assert "it waits for the next push to globex" in firms.acme("why", firms.ticket, first, terminal=True).out
    firms.acme("sync")
    assert answer(firms.acme("why", firms.ticket, first, "--json")) == ("there", "shared")
    assert answer(firms.globex("why", firms.ticket, first, "--json")) == ("theirs", "theirs")
    firms.acme("submit", firms.ticket)
    firms.acme("comment", firms.ticket, "-m", "By the way.")
    second = next(
        one["id"] for one in firms.acme("show", firms.ticket, "--json").json["comments"] if one["body"] == "By the way."
    )
    assert answer(firms.acme("why", firms.ticket, second, "--json")) == ("held", "held")
    firms.acme("sync")
    assert answer(firms.acme("why", firms.ticket, second, "--json")) == ("held", "held")
    firms.globex("reject", firms.ticket, "-m", "It smokes.")
    firms.acme("sync")
    firms.acme("release", firms.ticket, "--all")
    assert answer(firms.acme("why", firms.ticket, second, "--json")) == ("waits", "shared")
    firms.acme("sync")
    assert answer(firms.acme("why", firms.ticket, second, "--json")) == ("there", "shared")


def test_why_something_was_refused(firms: Firms) -> None:
    """What the lead did not take because it had ended the handoff is held back, with the lead's reason."""
    firms.accepted()
    firms.globex("recall", firms.ticket, "-m", "Never mind.")
    firms.acme("comment", firms.ticket, "-m", "On my way.")
    firms.acme("push", code=5)
    comment = firms.acme("show", firms.ticket, "--json").json["comments"][0]["id"]
    (side,) = firms.acme("why", firms.ticket, comment, "--json").json["partners"]
    assert (side["state"], side["rule"]) == ("held", "held")
    assert "the handoff is canceled" in side["reason"]
    assert "globex refused it: " in firms.acme("why", firms.ticket, comment, terminal=True).out


def test_why_hours_of_the_lead_stay(firms: Firms) -> None:
    """The lead's time stays; the comment in its place leaves. Both have one id, so the kind must be named."""
    firms.accepted()
    firms.globex("time", "add", firms.ticket, "30m", "-m", "Looked at it.")
    entry = firms.globex("time", "list", "--fields", "id").id
    problem = firms.globex("why", firms.ticket, entry, "--json", code=3).problem
    assert "2 items" in problem["detail"]
    assert answer(firms.globex("why", firms.ticket, f"time/{entry}", "--json")) == ("stays", "hours")
    assert answer(firms.globex("why", firms.ticket, f"comment/{entry[:5]}", "--json")) == ("waits", "shared")
    assert answer(firms.globex("why", firms.ticket, f"comment/{entry}/body", "--json")) == ("waits", "shared")


def test_why_of_handoffs_and_links(firms: Firms) -> None:
    """A handoff is on both sides but for the rate; a link never leaves."""
    firms.accepted()
    other = firms.globex("new", "-m", "Another").id
    firms.globex("link", firms.ticket, "relates", other)
    handoff = firms.globex("show", firms.ticket, "--json").json["handoffs"][0]["id"]
    (side,) = firms.globex("why", firms.ticket, handoff, "--json").json["partners"]
    assert (side["state"], side["rule"]) == ("there", "mirrored")
    fields = {field["path"].rpartition("/")[2]: (field["state"], field["rule"]) for field in side["fields"]}
    assert fields["bill_rate"] == ("stays", "never")
    assert fields["pay"] == ("there", "mirrored")
    assert answer(firms.globex("why", firms.ticket, "link/", "--json", code=None)) == ("stays", "never")
    piped = [line.split("\t") for line in firms.globex("why", firms.ticket, handoff).out.splitlines()]
    assert {len(line) for line in piped} == {11}
    assert {(line[3].rpartition("/")[2], line[4]) for line in piped} >= {("bill_rate", "stays"), ("status", "there")}


def test_why_without_a_partner(firms: Firms) -> None:
    """Of a ticket that was never outsourced everything stays, and it is said so; an unknown name is an error."""
    assert answer(firms.globex("why", firms.ticket, "title", "--json")) == ("stays", "no-handoff")
    assert firms.globex("why", firms.ticket, "title", "--json").json["partners"][0]["partner"] is None
    assert "it stays here" in firms.globex("why", firms.ticket, "title", terminal=True).out
    firms.globex("why", firms.ticket, "nothing", code=3)
    firms.globex("why", firms.ticket, "comment/", "--json")


def test_a_colleagues_copy_knows_the_rules_only(firms: Firms, tmp_path: Path) -> None:
    """In a copy of the lead's store what is internal stays, and of what is shared the copy says that it cannot know."""
    firms.accepted()
    copy = tmp_path / "copy"
    firms.globex("clone", str(firms.chit.folder / "globex"), str(copy))

    def ask(what: str) -> tuple[str, str]:
        return answer(firms.chit("why", firms.ticket, what, "--json", cwd=copy))

    assert ask("queue") == ("stays", "own")
    assert ask("title")[0] == "unknown"
    assert "exchanges with acme" in firms.chit("why", firms.ticket, "title", cwd=copy, terminal=True).out
