"""Catalogues as files: PO for translators, MO for gettext."""

import re
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

HOLE = re.compile(r"\{[a-z][a-z0-9_]*\}")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\b": "\\b"}
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


class Entry(NamedTuple):
    """A message and what it is in the other language.

    text: after its context and \x04, if it has one, as in an MO file. many: the plural of a noun, whose translations are then two.
    """

    text: str
    meaning: tuple[str, ...]
    many: str = ""
    place: str = ""


def header(language: str) -> str:
    """What a catalogue says of itself; without a date, so that it changes only with its messages."""
    return (
        "Project-Id-Version: chit\n"
        f"Language: {language}\n"
        "MIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=UTF-8\n"
        "Content-Transfer-Encoding: 8bit\n"
        "Plural-Forms: nplurals=2; plural=(n != 1);\n"
    )


def parse(source: str) -> tuple[str, list[Entry]]:
    """The header and the entries of a PO file."""
    entries: list[Entry] = []
    fields: dict[str, str] = {}
    place = key = ""

    def end() -> None:
        nonlocal place
        if "msgid" in fields:
            context = fields["msgctxt"] + "\x04" if "msgctxt" in fields else ""
            forms = [fields[name] for name in ("msgstr", "msgstr[0]", "msgstr[1]") if name in fields]
            entries.append(Entry(context + fields["msgid"], tuple(forms), fields.get("msgid_plural", ""), place))
        fields.clear()
        place = ""

    for line in [*source.splitlines(), ""]:
        if not line.strip():
            end()
        elif line.startswith("#"):
            place = line[3:] if line.startswith("#: ") else place
        else:
            word, _, _ = line.partition(" ")
            if not line.startswith('"'):
                key = word
                fields[key] = ""
            fields[key] += "".join(map(_unescaped, _STRING.findall(line)))
    first = entries.pop(0) if entries and not entries[0].text else Entry("", ("",))
    return first.meaning[0], entries


def _unescaped(text: str) -> str:
    plain = {"n": "\n", "t": "\t", "b": "\b"}
    return re.sub(r"\\(.)", lambda match: plain.get(match[1], match[1]), text)


def spelled(head: str, entries: Iterable[Entry]) -> str:
    """The PO file with these entries."""
    return "\n".join(
        ["\n".join(_lines(Entry("", (head,)))) + "\n", *("\n".join(_lines(one)) + "\n" for one in entries)]
    )


def _lines(entry: Entry) -> Iterator[str]:
    if entry.place:
        yield f"#: {entry.place}"
    if HOLE.search(entry.text):
        yield "#, python-brace-format"
    context, mark, text = entry.text.rpartition("\x04")
    if mark:
        yield from _field("msgctxt", context)
    yield from _field("msgid", text)
    if entry.many:
        yield from _field("msgid_plural", entry.many)
        for number, form in enumerate(entry.meaning):
            yield from _field(f"msgstr[{number}]", form)
    else:
        yield from _field("msgstr", entry.meaning[0])


def _field(key: str, text: str) -> Iterator[str]:
    parts = text.splitlines(keepends=True)
    if len(parts) < 2:
        yield f'{key} "{_escaped(text)}"'
        return
    yield f'{key} ""'
    yield from (f'"{_escaped(part)}"' for part in parts)


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(char, char) for char in text)


def compiled(head: str, entries: Iterable[Entry]) -> bytes:
    """The MO file with the entries that are translated."""
    pairs = {"": head}
    for one in entries:
        if all(one.meaning):
            pairs["\0".join(filter(None, (one.text, one.many)))] = "\0".join(one.meaning)
    keys = sorted(pairs, key=str.encode)
    start = 28 + 16 * len(keys)
    texts = [text.encode() for text in (*keys, *(pairs[key] for key in keys))]
    table, data = b"", b""
    for text in texts:
        table += struct.pack("<II", len(text), start + len(data))
        data += text + b"\0"
    head_bytes = struct.pack("<7I", 0x950412DE, 0, len(keys), 28, 28 + 8 * len(keys), 0, start)
    return head_bytes + table + data
