"""Messages in the language that the environment asks for; and the catalogue, which must know every message there is."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chit import catalogue, language
from support.runner import Chit, Ran

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "scripts"))

from translation import catalogues, extraction  # noqa: E402  # the path comes first

GERMAN = {"LANGUAGE": "de"}


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    """No test leaves its language behind."""
    yield
    language.start({})


@pytest.fixture(scope="module")
def german() -> catalogues.Catalogue:
    """The German catalogue of the checkout."""
    (found,) = catalogues.all_of_them()
    assert found.language == "de"
    return found


@pytest.fixture(scope="module")
def found() -> extraction.Found:
    """The messages of the source."""
    return extraction.collect()


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de"}, "de"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LC_MESSAGES": "de_AT@euro", "LANG": "en_US.UTF-8"}, "de"),
        ({"LC_ALL": "de_DE.UTF-8", "LANG": "en_US.UTF-8"}, "de"),
        ({"LC_ALL": "", "LANG": "de_DE.UTF-8"}, "de"),
        ({"LANGUAGE": "de"}, "de"),
        ({"LANGUAGE": "fr:de:en", "LANG": "en_US.UTF-8"}, "de"),
        ({"LANGUAGE": "en:de", "LANG": "de_DE.UTF-8"}, "en"),
        ({"LANGUAGE": "de", "LC_ALL": "C"}, "en"),
        ({"LANGUAGE": "de", "LANG": "POSIX"}, "en"),
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_language_is_chosen_as_gettext_does(environ: dict[str, str], wanted: str) -> None:
    """LC_ALL over LC_MESSAGES over LANG; LANGUAGE before them, but not in the locale C."""
    assert language.choose(environ) == wanted


def test_every_message_has_a_translation(german: catalogues.Catalogue, found: extraction.Found) -> None:
    """Whoever adds a message runs scripts/messages and translates it."""
    assert found.problems == []
    assert german.missing(found) == [], "scripts/messages brings the catalogue up to date"
    assert german.stale(found) == [], "scripts/messages brings the catalogue up to date"


def test_the_translations_fit(german: catalogues.Catalogue) -> None:
    """A translation has no hole that its message has not, and names the same commands."""
    assert german.wrong() == []
    for entry in german.entries.values():
        said = "".join(entry.meaning)
        for command in extraction.commands(entry.text):
            assert command in said, f"{entry.text!r} names {command}, its translation does not"


def test_the_compiled_catalogue_is_fresh(german: catalogues.Catalogue) -> None:
    """What the program reads is what the translators wrote."""
    assert german.compiled.read_bytes() == german.bytes(), "scripts/messages compiles it"


def both(chit: Chit, *arguments: str, code: int | None = 0, terminal: bool = False) -> tuple[Ran, Ran]:
    """A command run in English and in German."""
    return (
        chit(*arguments, code=code, terminal=terminal),
        chit(*arguments, code=code, terminal=terminal, env=GERMAN),
    )


@pytest.mark.parametrize("environ", [{"LANGUAGE": "de"}, {"LC_ALL": "de_DE.UTF-8"}, {"LANG": "de_DE.UTF-8"}])
def test_errors_and_hints(chit: Chit, environ: dict[str, str]) -> None:
    """Errors and hints are in the language; names and commands in them stay."""
    ran = chit("show", "kzxt", code=3, env=environ)
    assert ran.err == (
        f"Fehler: kein Store in {chit.folder} oder darüber\n"
        "Hinweis: Mit `chit init` einen anlegen, oder einen mit -C DIR angeben.\n"
    )


@pytest.mark.parametrize("environ", [{}, {"LANGUAGE": "de", "LC_ALL": "C"}, {"LC_ALL": "C", "LANG": "de_DE.UTF-8"}])
def test_scripts_get_english(chit: Chit, environ: dict[str, str]) -> None:
    """Without a locale, or with LC_ALL=C, everything is in English."""
    assert chit("show", "kzxt", code=3, env=environ).err.startswith("error: no store in ")


def test_values_and_messages_in_messages(chit: Chit) -> None:
    """A value stays as it is; a message within another one is translated; so is what the query language says, with its column."""
    chit("init")
    assert "Fehler: die Priorität 'hih' gibt es nicht\n" in chit("new", "-m", "x", "-p", "hih", code=2, env=GERMAN).err
    missing = chit("new", "-F", "no-such-file", code=2, env=GERMAN).err
    assert missing == "Fehler: no-such-file lässt sich nicht lesen: Datei oder Ordner nicht gefunden\n"
    assert chit("list", "status:opn", code=2, env=GERMAN).err == (
        "Fehler: der Status kann nicht 'opn' sein, in Spalte 8 der Anfrage\n"
        "Hinweis: War 'open' gemeint? Möglich: new, open, pending, review, resolved, closed, rejected.\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list", "--no-such"), "die Option --no-such gibt es nicht"),
        (("assign", "42"), "es fehlt die Option '--to'"),
        (("new", "a", "b"), "Argumente zu viel (a b)"),
        (("list", "--limit", "x"), "ungültiger Wert für '--limit': 'x' ist keine gültige Zahl"),
        (("comit",), "den Befehl 'comit' gibt es nicht"),
    ],
)
def test_usage(chit: Chit, words: tuple[str, ...], said: str) -> None:
    """What click says is in the language too."""
    assert f"Fehler: {said}\n" in chit(*words, code=2, env=GERMAN).err


def test_help(chit: Chit) -> None:
    """Help is in the language, and its examples are there as they are."""
    text = chit("edit", "--help", env=GERMAN).out
    for part in ("Aufruf: chit edit", "Felder von Tickets ändern.", "Optionen:", "Wie dringend es ist.", "Außerdem:"):
        assert part in text
    assert "\n  chit edit kzxt --priority critical --assignee @me\n" in text
    assert "Usage" not in text
    group = chit("remote", "--help", env=GERMAN).out
    assert "Befehle:" in group
    assert "Die Gegenstellen auflisten." in group
    assert chit("edit", "--help").out.startswith("Usage:")


@pytest.mark.parametrize("topic", ["queries", "priorities", "fields", "exit-codes", "options"])
def test_topics(chit: Chit, topic: str) -> None:
    """Every topic is in the language, and the examples in it stay."""
    english, german = both(chit, "help", topic)
    assert english.out != german.out
    assert english.out.splitlines()[0] != german.out.splitlines()[0]
    if topic == "queries":
        assert 'status:open label:ci,flaky assignee:none due:..7d "disk full" sort:-updated' in german.out


def test_pages(chit: Chit) -> None:
    """What is shown of a ticket, and of the store, is in the language; statuses and priorities are what one types."""
    chit("init")
    one = chit("new", "-m", "Drucker brennt", "-p", "high", "-l", "ci", "-a", "anna").id
    chit("attach", one, __file__)
    page = chit("show", one, env=GERMAN).out
    for part in ("new · high · von anna", "Zugewiesen", "Labels", "Geändert", "Anhänge", " KiB"):
        assert part in page
    assert "1 offenes Ticket\nkeine Gegenstelle: `chit remote add origin URL`" in chit("status", env=GERMAN).out
    table = chit("list", terminal=True, env=GERMAN).out.splitlines()
    assert table[0].split() == ["ID", "NR", "PRIORITÄT", "STATUS", "ZUGEWIESEN", "GEÄNDERT", "TITEL"]
    assert "would" not in chit("edit", one, "-p", "low", "-n", env=GERMAN).err
    assert chit("edit", one, "-p", "low", env=GERMAN).err == f"{one[:8]}: Priorität high → low\n"
    assert chit("edit", one, "-p", "low", env=GERMAN).err == f"{one[:8]}: nichts zu ändern, es ist schon so\n"
    assert chit("undo", env=GERMAN).err == "`edit` zurückgenommen: 1 Änderung, 1 Ticket\n"


@pytest.mark.parametrize("count", [1, 2, 1234])
def test_counts(count: int) -> None:
    """A noun is in the form that goes with its number, which is written as people write it."""
    from chit.text import counted, size

    assert counted(count, "change") == {1: "1 change", 2: "2 changes", 1234: "1,234 changes"}[count]
    language.start(GERMAN)
    assert counted(count, "change") == {1: "1 Änderung", 2: "2 Änderungen", 1234: "1.234 Änderungen"}[count]
    assert size(1536) == "1,5 KiB"
    assert size(7) == "7 Bytes"


def test_a_question(chit: Chit) -> None:
    """What is asked is in the language."""
    chit("init")
    chit("remote", "add", "origin", "/nowhere")
    chit("new", "-m", "Unsent")
    refused = chit("remote", "remove", "origin", code=2, env=GERMAN).err
    assert "1 Änderung an origin noch nicht gesendet. Trotzdem vergessen? Niemand ist da" in refused


READS = (
    ("status",), ("list", "--all"), ("show", "{one}"), ("log",), ("log", "{one}"), ("diff",), ("conflicts",), ("doctor",), ("fsck",),
    ("help", "queries"), ("help", "fields"), ("attach", "{one}"), ("config", "list"), ("remote", "list"), ("token", "list"),
)  # fmt: skip


@pytest.mark.parametrize("words", READS, ids=" ".join)
def test_programs_get_the_same(chit: Chit, words: tuple[str, ...]) -> None:
    """JSON and tab-separated lines are the same in every language, and so are exit codes."""
    chit("init")
    one = chit("new", "-m", "nothing new", "-p", "high", "--emergency").id
    chit("attach", one, __file__)
    line = [word.format(one=one) for word in words]
    for extra in (["--json"], ["--jsonl"], ["--fields", "schema"], ["--format", "{schema}"]):
        english, german = both(chit, *line, *extra, code=None)
        assert _but_free_disk(english.out) == _but_free_disk(german.out)
        assert english.code == german.code
    if line[0] not in ("status", "show", "help"):
        english, german = both(chit, *line, code=None)
        assert _but_free_disk(english.out) == _but_free_disk(german.out)


def _but_free_disk(text: str) -> str:
    """What was printed, without the one figure that others may change between two runs."""
    return re.sub(r"[0-9]+ MiB", "MiB", text)


def test_findings_of_programs_stay_english(chit: Chit) -> None:
    """What doctor finds is a value for a program, and a message for a person."""
    chit("init")
    english, german = both(chit, "doctor", "--fields", "severity,subject,finding", code=None)
    assert [line.split("\t")[:2] for line in english.out.splitlines()] == [
        line.split("\t")[:2] for line in german.out.splitlines()
    ]
    assert "Volltextsuche" in chit("doctor", terminal=True, code=None, env=GERMAN).out


@pytest.mark.parametrize("line", ["show kzxt", "list foo:bar", "list --limit x", "nope", "close"])
def test_problems_are_the_same(chit: Chit, line: str) -> None:
    """With --json an error is the same in every language."""
    english, german = both(chit, *line.split(), "--json", code=None)
    assert english == german


TITLES = (
    "nothing to undo", "no conflicts", "Tickets", "yes", "now", "status", "deleted", "(no title)", "Attachments", "it is empty",
    "Make an empty store.", "no ticket kzxt", "origin: nothing new", "origin: has everything", "1 change", "would change: x",
)  # fmt: skip


@pytest.mark.parametrize("title", TITLES)
def test_what_people_wrote_stays(chit: Chit, title: str) -> None:
    """A text that happens to be one of our messages is shown as it was written."""
    chit("init")
    one = chit("new", "-m", f"{title}\n\n{title}", "-x", f"x.note={title}", "-l", "ci", env=GERMAN).id
    chit("comment", one, "-m", title, env=GERMAN)
    page = chit("show", one, env=GERMAN).out
    assert page.count(title) == 4
    assert title in chit("list", terminal=True, env=GERMAN).out
    assert title in chit("log", one, terminal=True, env=GERMAN).out
    assert chit("edit", one, "--title", f"{title}!", env=GERMAN).err == f"{one[:8]}: Titel {title} → {title}!\n"
    assert chit("comment", one, "-m", title, env=GERMAN).err.startswith(f"{one[:8]}: kommentiert: {title}\n")
    assert f"Titel {title}!" in chit("new", "-n", "-m", f"{title}!", env=GERMAN).err


def test_an_unknown_message_stays_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing fails because of a translation: not one that is missing, nor a catalogue that cannot be read."""
    language.start(GERMAN)
    for text in ("", " ", "{", "a message that nobody knows", "no such thing: {x}", "x" * 5000, "a: b: c: d"):
        assert language.translate(text) == text
    for broken in (None, b"", b"not a catalogue", b"\xde\x12\x04\x95" + b"\xff" * 40):
        monkeypatch.setattr(catalogue, "FOLDER", str(tmp_path))
        file = tmp_path / "de" / "LC_MESSAGES" / "chit.mo"
        file.parent.mkdir(parents=True, exist_ok=True)
        if broken is not None:
            file.write_bytes(broken)
        language.start(GERMAN)
        assert language.translate("no conflicts") == "no conflicts"
        assert language.english()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("line 3: a comment does not fit: there is no field 'x'", "Zeile 3: ein Kommentar passt nicht: das Feld 'x' gibt es nicht"),
        ("its clock is 3 days ahead of the time here", "ihre Uhr ist der hiesigen voraus: 3 Tage"),
        ("a.toml: there is no setting 'x'", "a.toml: die Einstellung 'x' gibt es nicht"),
        ("cannot write /a b: No space left on device", "/a b lässt sich nicht schreiben: kein Platz auf dem Gerät"),
        (
            "`edit` cannot be undone: it has gone to the remote a and to another store",
            "`edit` lässt sich nicht zurücknehmen: es ging an die Gegenstelle a und an einen anderen Store",
        ),
        ("It is one of: a, b. Give it a title.", "Möglich: a, b. Einen Titel angeben."),
        (
            "priority is '7' at origin, and nothing says what that means here",
            "priority ist bei origin '7', und nichts sagt, was das hier bedeutet",
        ),
        (
            ("x is 'y' here, and nothing says what that means at a. Say so under [helpdesk.a.b] in config.toml; "
            "`chit remote show a --mapping` prints what holds"),
            ("x ist hier 'y', und nichts sagt, was das bei a bedeutet. Unter [helpdesk.a.b] in config.toml angeben; "
            "`chit remote show a --mapping` gibt aus, was gilt"),
        ),
        ("The class bug of this tracker has no field for a status.", "Die Klasse bug dieses Trackers hat kein Feld hierfür: der Status."),
        ("desk.example.com refuses it: Subject cannot be blank", "desk.example.com lehnt es ab: Subject cannot be blank"),
        ("desk.example.com refuses it: there is no field 'x'", "desk.example.com lehnt es ab: there is no field 'x'"),
    ],
)  # fmt: skip
def test_messages_within_messages(text: str, wanted: str) -> None:
    """What a message reports of another one is translated with it, but not what a helpdesk said in its own words; the template that
    explains most of it is the one that is meant."""
    language.start(GERMAN)
    assert language.translate(text) == wanted


@settings(max_examples=50)
@given(
    st.lists(
        st.sampled_from(["a", ": ", " of ", "'", " is ", ". A", "line 1: ", "{", "}", "{x}", "\n", " "]), max_size=60
    )
)
def test_no_text_is_too_strange(parts: list[str]) -> None:
    """What a server or a file puts into a message may be anything, in any amount."""
    language.start(GERMAN)
    for times in (1, 50):
        assert isinstance(language.translate("".join(parts) * times), str)


def test_english_imports_no_catalogue(chit: Chit) -> None:
    """Start-up is the product: in English no catalogue is imported, let alone opened."""
    import subprocess

    program = "import sys; from chit.main import run; run(['help', 'priorities']); print(*sys.modules)"
    for name, wanted in (("C.UTF-8", False), ("de_DE.UTF-8", True)):
        environ = {**os.environ, "LANG": name, "PYTHONIOENCODING": "utf-8"}
        ran = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            env=environ,
            check=True,
            timeout=60,
            cwd=chit.folder,
        )
        assert ("chit.catalogue" in ran.stdout.split()) is wanted
