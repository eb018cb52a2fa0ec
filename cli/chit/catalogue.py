"""A catalogue of messages: what a text is in another language. Imported only where that is not English.

Nothing here may fail: what cannot be translated stays as it is.
"""

import gettext
import os
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chit.language import DOMAIN

FOLDER = os.path.join(os.path.dirname(__file__), "locale")

VALUES = "values\x04"
"""Context of the templates whose values are given: messages are not recognised by them."""

_LONGEST = 4000
"""Most characters of a message that is looked at more closely than word for word: it may hold what somebody else sent."""

_REMEMBERED = 1000
"""Most messages that are remembered."""

_DEEPEST = 3
"""Most messages within messages."""

_HOLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_SENTENCE = re.compile(r"(?<=[.?!]) (?=[A-Z`])")
_COUNT = re.compile(r"([0-9][0-9.,]*) ([a-z]+)")
_MARKS = str.maketrans(",.", ".,")


class Template(NamedTuple):
    """A message with holes for values. words: the texts around them. names: what the holes are called; a name that ends in `_` holds a
    message itself."""

    words: tuple[str, ...]
    names: tuple[str, ...]
    meaning: str

    def match(self, text: str) -> list[str] | None:
        """The values with which this template makes the text; None if it does not make it."""
        at = len(self.words[0])
        if not text.startswith(self.words[0]) or not text.endswith(self.words[-1]):
            return None
        for word in self.words[1:]:
            at = text.find(word, at)
            if at < 0:
                return None
            at += len(word)
        pattern = re.escape(self.words[0])
        for name, word in zip(self.names, self.words[1:], strict=True):
            pattern += ("(.*?)" if name.endswith("_") else "(.+?)") + re.escape(word)
        found = re.fullmatch(pattern, text)
        return None if found is None else list(found.groups())

    @property
    def weight(self) -> int:
        """How much of the text is given: the template with most is the one that is meant."""
        return sum(map(len, self.words))

    @property
    def is_glue(self) -> bool:
        """Whether there is hardly a word in it: then it is meant only if the message in its hole is known."""
        return sum(char.isalpha() for word in self.words for char in word) < 3


class Catalogue:
    """What is known of a language."""

    def __init__(self, messages: Mapping[str, str], source: gettext.NullTranslations) -> None:
        self.marks = _MARKS
        self._messages = {text: meaning for text, meaning in messages.items() if "\x04" not in text}
        self._filled = {text[len(VALUES) :]: meaning for text, meaning in messages.items() if text.startswith(VALUES)}
        self._source = source
        self._templates: list[Template] | None = None
        self._recognised: dict[str, tuple[str, int]] = {}
        self._depth = 0

    def fill(self, text: str, values: Mapping[str, object]) -> str:
        """A template in this language, with its values put in."""
        try:
            return self._filled.get(text, text).format(**values)
        except (LookupError, ValueError):
            return text.format(**values)

    def translate(self, text: str) -> str:
        """The message in this language, or as it is."""
        return self._weighed(text)[0]

    def plural(self, one: str, many: str, count: int) -> str:
        """The noun in the form that goes with the number."""
        return self._source.ngettext(one, many, count)

    def _weighed(self, text: str) -> tuple[str, int]:
        """The message, and how many characters of it were recognised; as it is and 0 if it is not known."""
        found = self._messages.get(text)
        if found:
            return found, len(text)
        whole, weight = self._by_template(text)
        parts, more = self._by_sentence(text)
        if more > weight or not whole:
            return parts, more
        return whole, weight

    def _by_template(self, text: str) -> tuple[str, int]:
        """The message, and how much of it was recognised: the template is meant that leaves the least to chance. Else nothing and 0."""
        if text in self._recognised:
            return self._recognised[text]
        if len(text) > _LONGEST or self._depth > _DEEPEST:
            return "", 0
        if self._templates is None:
            self._templates = templates(self._messages)
        if len(self._recognised) > _REMEMBERED:
            self._recognised.clear()
        self._depth += 1
        try:
            self._recognised[text] = found = self._recognise(text, self._templates)
        finally:
            self._depth -= 1
        return found

    def _recognise(self, text: str, known_templates: Sequence[Template]) -> tuple[str, int]:
        best, most = "", (False, 0)
        for template in known_templates:
            values = template.match(text)
            if values is None or text in values:
                continue
            weight, known = template.weight, True
            filled: dict[str, str] = {}
            for name, value in zip(template.names, values, strict=True):
                filled[name] = value
                if name.endswith("_"):
                    filled[name], more = self._nested(value)
                    weight += more
                    known = known and more > 0
            # Words that stand before any colon say what the message is: what comes after may be somebody's own words.
            before = template.words if template.is_glue else ("" if template.words[0] else values[0],)
            first = not any(": " in one for one in before)
            if (first, weight) > most and (known or not template.is_glue):
                try:
                    best, most = template.meaning.format(**filled), (first, weight)
                except (LookupError, ValueError):
                    continue
        return best, most[1]

    def _by_sentence(self, text: str) -> tuple[str, int]:
        """The text with each sentence translated that is known; nothing is recognised unless all are."""
        sentences = _SENTENCE.split(text)
        if len(sentences) < 2:
            return text, 0
        found = list(map(self._sentence, sentences))
        return " ".join(one for one, _ in found), sum(weight for _, weight in found) if all(
            weight for _, weight in found
        ) else 0

    def _sentence(self, text: str) -> tuple[str, int]:
        """A sentence; one that ends in a full stop may be a message, which has none."""
        found, weight = self._weighed(text)
        if text.endswith("."):
            bare, more = self._weighed(text[:-1])
            if more >= weight:  # else the full stop would count as the end of a value
                return bare + ".", more
        return found, weight

    def _nested(self, value: str) -> tuple[str, int]:
        """A message within a message, or a number of things; and how much of it was recognised."""
        count = _COUNT.fullmatch(value)
        if count is not None:
            noun = self._noun(count[2])
            return f"{count[1].translate(self.marks)} {noun}", len(value) if noun != count[2] else 0
        bare = value.strip()
        if not bare:
            return value, 0
        found, weight = self._weighed(bare)
        if not weight:  # the operating system begins its messages with a capital
            lower = self._messages.get(bare[:1].lower() + bare[1:])
            found, weight = (lower, len(bare)) if lower else (found, 0)
        return value.replace(bare, found, 1), weight

    def _noun(self, word: str) -> str:
        return self.plural(word, word, 1) if not word.endswith("s") else self.plural(word[:-1], word, 2)


def templates(messages: Mapping[str, str]) -> list[Template]:
    """The messages that have holes."""
    found = []
    for text, meaning in messages.items():
        parts = _HOLE.split(text)
        if len(parts) > 1 and "".join(parts[::2]).strip():
            words = tuple(word.replace("{{", "{").replace("}}", "}") for word in parts[::2])
            found.append(Template(words, tuple(parts[1::2]), meaning))
    return found


def load(language: str) -> Catalogue | None:
    """The catalogue of a language; None for English, and where there is none that can be read."""
    if language == "en":
        return None
    try:
        with open(os.path.join(FOLDER, language, "LC_MESSAGES", f"{DOMAIN}.mo"), "rb") as file:
            source = gettext.GNUTranslations(file)
    except Exception:  # noqa: BLE001  # gettext runs what the file says of plurals, so no list is whole; English is always there
        return None
    # The standard library looks messages up but does not list them, which recognising templates needs.
    listed: Mapping[object, str] = vars(source).get("_catalog", {})
    messages = {key: text for key, text in listed.items() if isinstance(key, str) and key}
    messages |= {one: text for (one, form), text in _plurals(listed) if form == 0}
    return Catalogue({**(_schema() if language == "de" else {}), **messages}, source)


def _plurals(listed: Mapping[object, str]) -> Sequence[tuple[tuple[str, int], str]]:
    return [(key, text) for key, text in listed.items() if isinstance(key, tuple)]


def _schema() -> dict[str, str]:
    """The help of fields and their values, which the schema itself has in German."""
    from chit_sync import schema

    rows: list[schema.Field | schema.Choice] = [*schema.FIELDS.values(), schema.LABELS, schema.CUSTOM]
    rows += [choice for field in schema.FIELDS.values() for choice in field.choices]
    return {row.help: row.help_de for row in reversed(rows)}


def bind(catalogue: Catalogue | None) -> None:
    """Has click, which asks gettext for its own texts, take them from the same catalogue."""
    if catalogue is None:
        gettext.textdomain("messages")
    else:
        gettext.bindtextdomain(DOMAIN, FOLDER)
        gettext.textdomain(DOMAIN)
