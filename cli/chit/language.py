"""Messages in the language of the person at the terminal: English, or what a catalogue in `locale/` has. Knows no command.

The program's messages are written in English where they arise, and stay so in everything that a program reads. What is for people passes
`translate` on its way out. In English that costs nothing: no catalogue is looked for. `docs/languages.md` says how to add a language.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chit.catalogue import Catalogue

LANGUAGES = ("en", "de")
DOMAIN = "chit"

_catalogue: "Catalogue | None" = None


def choose(environ: Mapping[str, str]) -> str:
    """The language that the environment asks for, by gettext's rules: LANGUAGE lists what is preferred, but not in the locale C."""
    named = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    if named in ("C", "POSIX"):
        return "en"
    for wish in (environ.get("LANGUAGE") or named).split(":"):
        language = wish.partition(".")[0].partition("@")[0].partition("_")[0].lower()
        if language in LANGUAGES:
            return language
    return "en"


def start(environ: Mapping[str, str], arguments: Sequence[str] = ()) -> None:
    """Sets the language of this run. What asks for JSON is a program: it is answered in English, whatever the environment says."""
    global _catalogue
    language = choose(environ)
    if "--json" in arguments or "--jsonl" in arguments:
        language = "en"
    if language == "en" and _catalogue is None:
        return
    from chit.catalogue import bind, load

    _catalogue = load(language)
    bind(_catalogue)


def english() -> bool:
    """Whether this run speaks English."""
    return _catalogue is None


def translate(text: str, **values: object) -> str:
    """The message in the language of this run; as it is where the catalogue does not know it.

    With values, `text` is a template with {names} for them, looked up as it stands: so whatever is in the values stays as it is.
    Without, a message that was made from a template is recognised by the words around its values.
    """
    if _catalogue is None:
        return text.format(**values) if values else text
    return _catalogue.fill(text, values) if values else _catalogue.translate(text)


def plural(one: str, many: str, count: int) -> str:
    """The noun in the form that goes with the number."""
    if _catalogue is None:
        return one if count == 1 else many
    return _catalogue.plural(one, many, count)


def number(text: str) -> str:
    """A number as people write it: English has 1,234.5 where others have 1.234,5."""
    return text if _catalogue is None else text.translate(_catalogue.marks)
