"""Outsourcing in German: what people read is translated, also where it came from the other side's store; what programs read is not."""

from collections.abc import Iterator
from itertools import product

import pytest

from chit import language
from chit_sync.handoffs import LEAD, SERVICE, STATUSES, VERBS, what_now, why_not
from support.parties import Parties

GERMAN = {"LANGUAGE": "de"}

OURS = "nothing new"
"""What a person writes here; it happens to be a message of chit's."""


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    """No test leaves its language behind."""
    yield
    language.start({})


def too_late(parties: Parties) -> str:
    """A ticket that the lead has taken back and the partner, not knowing it, has submitted."""
    ident = parties.accepted()
    parties.service("comment", ident, "-m", "On my way.")
    parties.sync()
    parties.lead("recall", ident, "-m", OURS)
    parties.service("submit", ident)
    return ident


LATE = f"es kam zu spät: inzwischen sagte die andere Seite `recall` ({OURS}); die Weitergabe ist canceled"


def test_a_ruling_is_read_in_german(parties: Parties) -> None:
    """The lead's store rules in English; whoever reads it reads it in their language, and what a person gave as the reason stays."""
    ident = too_late(parties)
    name = ident[:8]
    synced = parties.service("sync", "--remote", "globex", code=5, env=GERMAN).err
    assert f"globex hat {name} (Printer on fire) zurückgeholt: {OURS}\n" in synced
    assert f"Fehler: globex hat `submit` an {name} abgelehnt: {LATE}\nHinweis: " in synced
    assert f"`chit show {name}` zeigt, wie es steht." in synced
    page = parties.service("show", ident, env=GERMAN).out
    assert f"    abgelehnt: `submit` (globex): {LATE}\n" in page
    assert f"    recall: {OURS}\n" in page
    told = parties.service("status", env=GERMAN).out
    assert "vom Store des Auftraggebers abgelehnt, 1:\n" in told
    assert f"        `submit`: {LATE}\n" in told
    assert "    abgelehnt: es kam zu spät: " in parties.service("log", ident, terminal=True, env=GERMAN).out
    english = "it came too late: meanwhile the other side said `recall` (nothing new); the handoff is canceled"
    for words in (("status",), ("log", ident)):
        assert english in parties.service(*words, "--json", env=GERMAN).out


def test_what_a_partner_refuses_is_told_in_german(parties: Parties) -> None:
    """So is the reason why an item was not taken, with the name of the item as one types it."""
    ident = parties.accepted()
    parties.lead("complete", ident)
    parties.service("comment", ident, "-m", OURS)
    refused = parties.service("sync", "--remote", "globex", code=5, env=GERMAN).err
    assert f"globex hat {ident[:8]} (Printer on fire) abgeschlossen\n" in refused
    assert ": die Weitergabe ist completed\nHinweis: Es ist jetzt zurückgehalten: `chit release` sendet es" in refused
    page = parties.service("show", ident, env=GERMAN).out
    assert "    zurückgehalten: 1, unten bezeichnet; " in page
    assert " · partner  (zurückgehalten) · " in page


def test_a_board_and_a_preview(parties: Parties) -> None:
    """Headings, lists and rules are in German; statuses, rules' names and commands are as one types them."""
    ident = parties.accepted()
    board = parties.lead("board", terminal=True, env=GERMAN).out.splitlines()
    assert board[0] == "In Arbeit, als Auftraggeber: 1"
    assert board[1].split() == ["ID", "PARTNER", "ALTER", "FRIST", "STUNDEN", "HINWEISE", "TITEL"]
    parties.service("comment", ident, "-m", OURS)
    parties.service("comment", ident, "-i", "-m", OURS)
    leaving = parties.service("push", "--remote", "globex", "-n", terminal=True, env=GERMAN).out
    for part in (
        "WARUM",
        "geht ",
        "bleibt ",
        "shared: es ist für den Partner",
        "internal: was intern ist, geht nie hinaus",
    ):
        assert part in leaving
    assert leaving.count(f": {OURS}") == 2
    why = parties.lead("why", ident, "status", terminal=True, env=GERMAN).out
    assert (
        "acme, unser Auftragnehmer: die Weitergabe ist accepted\n    es bleibt hier\n    own: jede Seite behält das Ihre\n"
        in why
    )


def test_every_refusal_of_the_table_is_known() -> None:
    """Whatever the handoff table does not allow is said in German, with what is possible instead."""
    language.start(GERMAN)
    for status, verb, role in product(("none", *STATUSES), VERBS, (LEAD, SERVICE)):
        reason, hint = why_not(status, verb, role), what_now(status, role)
        said = language.translate(f"{reason}. {hint}")
        assert said == f"{language.translate(reason)}. {language.translate(hint)}"
        assert language.translate(reason) != reason
        assert language.translate(hint) != hint


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("comment kzxtkzxt: the handoff is canceled", "comment kzxtkzxt: die Weitergabe ist canceled"),
        ("handoff kzxtkzxt: pay stays as it was accepted", "Weitergabe kzxtkzxt: pay bleibt, wie es angenommen wurde"),
        (
            "the token does not hold the right `outsource`, which closing an outsourced ticket needs",
            "dem Token fehlt das Recht `outsource`; nötig für: das Schließen eines weitergegebenen Tickets",
        ),
        ("the token does not hold the right `finance`, which pay needs", "dem Token fehlt das Recht `finance`; nötig für: pay"),
        ("a ticket that was outsourced to acme cannot be deleted", "ein Ticket, das an acme weitergegeben wurde, lässt sich nicht löschen"),
        (
            "attachment kzxtkzxt: the work awaits approval; nothing crosses until it is approved or rejected",
            "attachment kzxtkzxt: die Arbeit wartet auf Freigabe; bis sie freigegeben oder zurückgewiesen ist, wird nichts ausgetauscht",
        ),
        (
            "a change by bob@acme was taken, but its clock is 3 days ahead of the time here",
            "eine Änderung von bob@acme wurde übernommen, aber ihre Uhr ist der hiesigen voraus: 3 Tage",
        ),
    ],
)  # fmt: skip
def test_reasons_from_another_store(text: str, wanted: str) -> None:
    """What the other side's store gives as a reason is recognised, with the reason in it."""
    language.start(GERMAN)
    assert language.translate(text) == wanted


WORDS = (
    "nothing new",
    "the handoff is canceled",
    "no conflicts",
    "Time",
    "taken by the lead",
    "it stays here",
    "a handoff",
)


@pytest.mark.parametrize("words", WORDS)
def test_what_people_wrote_stays(parties: Parties, words: str) -> None:
    """Reasons, questions, notes and instructions are shown as they were written, even where they are messages of chit's."""
    ident = parties.offered("--pay", "80/h", "--instructions", words)
    assert f"Anweisungen: {words}" in parties.service("show", ident, env=GERMAN).out
    parties.service("accept", ident)
    parties.service("time", "add", ident, "1h", "-m", words)
    parties.service("ask", ident, "-m", words)
    parties.service("submit", ident)
    parties.sync()
    parties.lead("reject", ident, "-m", words)
    synced = parties.service("sync", "--remote", "globex", env=GERMAN)
    assert f"zurückgewiesen: {words}\n" in synced.err
    page = parties.lead("show", ident, env=GERMAN).out
    assert f"    reject: {words}\n" in page
    assert f" von bob@acme: {words}\n" in page
    assert page.count(words) == 5
    assert f": {words}\n" in parties.lead("log", ident, terminal=True, env=GERMAN).out


READS = (
    ("board", "--all"), ("status",), ("show", "{one}"), ("log", "{one}"), ("why", "{one}", "title"), ("time", "list"), ("charge", "list"),
    ("partner", "list"), ("list", "handoff:canceled"),
)  # fmt: skip


@pytest.mark.parametrize("role", ["lead", "service"])
def test_programs_get_the_same(parties: Parties, role: str) -> None:
    """JSON, tab-separated lines and exit codes are the same in every language."""
    parties.service("charge", "add", parties.submitted(), "5", "-m", OURS, "-i")
    one = too_late(parties)
    parties.service("sync", "--remote", "globex", code=5)
    for words in READS:
        line = [word.format(one=one) for word in words]
        for extra in ([], ["--json"], ["--jsonl"]):
            if not extra and line[0] in ("show", "status"):
                continue  # pages, for people even in a pipe
            english = parties.run(role, *line, *extra, code=None)
            german = parties.run(role, *line, *extra, code=None, env=GERMAN)
            assert (english.code, english.out) == (german.code, german.out)
