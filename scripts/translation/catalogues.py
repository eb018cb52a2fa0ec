"""The catalogues of the checkout: what is missing in them, and bringing them up to date."""

import re
from pathlib import Path

from translation import po, toolkit
from translation.extraction import ROOT, Found
from translation.po import HOLE, Entry

FOLDER = ROOT / "cli" / "chit" / "locale"


class Catalogue:
    """The catalogue of one language, a PO file with an MO file beside it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.compiled = file.with_suffix(".mo")
        self.language = file.parent.parent.name
        self.head, entries = po.parse(file.read_text(encoding="utf-8")) if file.stat().st_size else ("", [])
        self.entries = {entry.text: entry for entry in entries}

    def wanted(self, found: Found) -> list[Entry]:
        """The entries that there should be, with what is known of them. What has no word outside of its holes means itself."""
        wanted: list[Entry] = []
        for noun, place in sorted(found.plurals.items()):
            known = self.entries.get(noun)
            forms = known.meaning if known and known.many else ("", "")
            wanted.append(Entry(noun, forms, f"{noun}s", place.partition(":")[0]))
        clicks = {text: entry.many for text, entry in self.entries.items() if entry.place == "click"}
        for one, many in {**{text: many for text, many in clicks.items() if many}, **toolkit.plurals()}.items():
            known = self.entries.get(one)
            if known:
                wanted.append(Entry(one, known.meaning, many, "click"))
        kept = {text: "click" for text, many in clicks.items() if not many}
        schema = {} if self.language == "de" else found.schema
        texts = {
            **schema,
            **found.messages,
            **kept,
            **{text: "click" for text in toolkit.messages() if text not in found.messages},
        }
        for text, place in texts.items():
            if text in found.plurals:
                continue
            known = self.entries.get(text)
            meaning = known.meaning[0] if known else ""
            if place == "click" and not meaning:
                continue
            wanted.append(Entry(text, (meaning or same(text),), "", place.partition(":")[0]))
        return wanted

    def missing(self, found: Found) -> list[str]:
        """The messages that have no translation."""
        return [entry.text for entry in self.wanted(found) if not all(entry.meaning)]

    def stale(self, found: Found) -> list[str]:
        """The entries that belong to no message any more."""
        return sorted(set(self.entries) - {entry.text for entry in self.wanted(found)})

    def wrong(self) -> list[str]:
        """The messages whose translation has a hole that the message itself has not."""
        return [
            entry.text
            for entry in self.entries.values()
            if not {*HOLE.findall("".join(entry.meaning))} <= {*HOLE.findall(entry.text + entry.many)}
        ]

    def update(self, found: Found) -> list[str]:
        """Writes both files; returns what is to be translated."""
        entries = self.wanted(found)
        self.head = self.head or po.header(self.language)
        self.file.write_text(po.spelled(self.head, entries), encoding="utf-8")
        self.entries = {entry.text: entry for entry in entries}
        self.compiled.write_bytes(self.bytes())
        return self.missing(found)

    def bytes(self) -> bytes:
        """What the compiled file should hold."""
        return po.compiled(self.head, self.entries.values())


def same(text: str) -> str:
    """The text, if nothing in it can be translated: holes, signs, and examples of commands."""
    bare = HOLE.sub("", text)
    if sum(char.isalpha() for char in bare) < 3 and "_}" in text:
        return text
    if re.fullmatch("[a-z]+:[a-z]+", text):
        return text
    lines = bare.removeprefix("\b").strip().splitlines()
    if text.startswith("\b") and all(line.startswith("chit ") and "   " not in line for line in lines):
        return text
    return ""


def all_of_them() -> list[Catalogue]:
    """One for each language."""
    return [Catalogue(file) for file in sorted(FOLDER.glob("*/LC_MESSAGES/*.po"))]
