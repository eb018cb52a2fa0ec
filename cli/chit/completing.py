"""What the Tab key offers, answered from a table and the store, without importing click: the answer must not be felt.

Speaks the protocol of click's completion scripts; another shell's is left to click itself. Whatever goes wrong, nothing is offered: a
person who presses Tab is not shown an error.
"""

from collections.abc import Mapping
from typing import Any

from chit.language import start, translate

VARIABLE = "_CHIT_COMPLETE"
Item = tuple[str, str, str]
"""(type: plain, file or dir; value; help)"""


def answer(environ: Mapping[str, str]) -> str | None:
    """The completions in the form that the shell's script expects; None for a shell that click answers itself."""
    shell, _, instruction = environ.get(VARIABLE, "").partition("_")
    line = environ.get("COMP_WORDS", "")
    if instruction != "complete" or shell not in ("bash", "zsh", "fish"):
        return None
    start(environ)
    words = _words(line)
    if shell == "fish":
        incomplete = environ.get("COMP_CWORD", "")
        words = words[1:-1] if incomplete else words[1:]
    else:
        place = int(environ.get("COMP_CWORD", "0"))
        incomplete = words[place] if place < len(words) else ""
        words = words[1:place]
    return "\n".join(_spelled(shell, item) for item in _items(environ, words, incomplete))


def _words(line: str) -> list[str]:
    """The words of a command line that may end in the middle of a quoted one."""
    if not any(char in line for char in "\"'\\"):
        return line.split()
    import shlex

    for ending in ("", "'", '"'):
        try:
            return shlex.split(line + ending)
        except ValueError:
            continue
    return line.split()


def _spelled(shell: str, item: Item) -> str:
    kind, value, text = item
    if shell == "zsh":
        return f"{kind}\n{value.replace(':', chr(92) + ':') if text else value}\n{text or '_'}"
    if shell == "fish" and text:
        return f"{kind},{value}\t{text}"
    return f"{kind},{value}"


def _items(environ: Mapping[str, str], words: list[str], incomplete: str) -> list[Item]:
    from chit.commands import ALIASES, COMMANDS
    from chit.completion_table import COMMANDS as TABLE
    from chit.completion_table import OPTIONS

    name, options, directory, pending = "", OPTIONS, None, None
    for word in words:
        if pending is not None:
            directory = word if pending == "-C" else directory
            pending = None
        elif word.startswith("-"):
            pending = word if word in options and options[word][1] else None
        elif not name or f"{name} {word}" in TABLE:
            name = f"{name} {ALIASES.get(word, word)}".strip()
            options = {**OPTIONS, **TABLE[name][0]} if name in TABLE else OPTIONS
    if pending is not None:
        return _values(environ, directory, options[pending][1], incomplete)
    if incomplete.startswith("-"):
        own = TABLE[name][0] if name in TABLE else {}
        known = {**own, **{option: said for option, said in OPTIONS.items() if option not in own}}
        return [
            ("plain", option, translate(said[0])) for option, said in known.items() if option.startswith(incomplete)
        ]
    if not name:
        return [("plain", one, translate(entry.help)) for one, entry in COMMANDS.items() if one.startswith(incomplete)]
    below = [key for key in TABLE if key.startswith(name + " ")]
    if below:
        found = [(key.rpartition(" ")[2], TABLE[key][2]) for key in below]
        return [("plain", one, translate(text)) for one, text in found if one.startswith(incomplete)]
    return _values(environ, directory, TABLE[name][1] if name in TABLE else "", incomplete)


def _values(environ: Mapping[str, str], directory: str | None, kind: Any, incomplete: str) -> list[Item]:
    """What may stand in a place: of a ticket, a file, a folder, a remote, or one of some words."""
    if isinstance(kind, tuple):
        return [("plain", word, "") for word in kind if word.startswith(incomplete)]
    if kind in ("file", "dir"):
        return [(kind, incomplete, "")]
    if kind in ("ticket", "remote"):
        try:
            return _from_store(environ, directory, kind, incomplete)
        except Exception:  # noqa: BLE001  # an error of any kind would be printed into the line that the person is typing
            return []
    return []


def _from_store(environ: Mapping[str, str], directory: str | None, kind: str, incomplete: str) -> list[Item]:
    import os

    from chit_sync.store.discovery import find_store
    from chit_sync.store.opening import open_store
    from chit_sync.store.reading import beginning_with

    path = find_store(directory or environ.get("CHIT_DIR") or os.getcwd())
    if path is None:
        return []
    store = open_store(path, write=False)
    if kind == "remote":
        from chit_sync.store.remotes import listing

        return [("plain", remote.name, remote.url) for remote in listing(store) if remote.name.startswith(incomplete)]
    return [("plain", ident[:8], " ".join(title.split())) for ident, title in beginning_with(store, incomplete)]
