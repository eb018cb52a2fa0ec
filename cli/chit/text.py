"""Text on its way to a terminal or a pipe: control characters out, widths measured, colour on. Knows no ticket."""

import sys

from chit.language import english, number, plural, translate

_DROP: dict[int, str | None] = dict.fromkeys(
    (*range(0x20), *range(0x7F, 0xA0), 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
)
"""C0, DEL, C1 and the characters that turn the direction of text: what could make a terminal show something else than there is."""

_DROP_KEEPING_LINES = {code: drop for code, drop in _DROP.items() if code not in (0x09, 0x0A)}
_CELL = {**_DROP, 0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r", 0x5C: "\\\\"}

_NO_WIDTH = ("Mn", "Me", "Cf")
"""Unicode categories that take no column: accents, joiners, variation selectors."""

SHORT_ID = 8
"""Letters of an id that people are shown."""

COLORS = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}


def clean(text: str) -> str:
    """One line without control characters."""
    return text if text.isprintable() else text.translate(_DROP)


def clean_lines(text: str) -> str:
    """Many lines without control characters but line ends and tabs."""
    return text if text.isprintable() else text.replace("\r\n", "\n").translate(_DROP_KEEPING_LINES)


def cell(text: str) -> str:
    """A value of a tab-separated line: nothing cut; tabs, line ends and backslashes spelled \\t \\n \\r \\\\."""
    return text if text.isprintable() and "\\" not in text else text.translate(_CELL)


def paint(text: str, style: str) -> str:
    """The text in a style such as `bold red`; as it is for no style."""
    if not style or not text:
        return text
    return f"\x1b[{';'.join(COLORS[word] for word in style.split())}m{text}\x1b[0m"


def width(text: str) -> int:
    """Columns that the text takes on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(0 if category(char) in _NO_WIDTH else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def shorten(text: str, columns: int) -> str:
    """The text in at most that many columns, with an ellipsis where something is left out."""
    if width(text) <= columns:
        return text
    if columns < 1:
        return ""
    kept, used = [], 0
    for char in text:
        used += width(char)
        if used > columns - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def pad(text: str, columns: int) -> str:
    """The text, filled up with blanks to that many columns."""
    return text + " " * max(0, columns - width(text))


def counted(count: int, noun: str) -> str:
    """`1 change`, `2 changes`, `1,000 changes`."""
    return f"{number(f'{count:,}')} {plural(noun, f'{noun}s', count)}"


def size(count: int) -> str:
    """A number of bytes for people."""
    amount = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{count} {translate('bytes')}" if unit == "bytes" else f"{number(f'{amount:.1f}')} {unit}"
        amount /= 1024
    return f"{number(f'{amount:.1f}')} TiB"


def ago(stamp: int, now: int) -> str:
    """How long ago, in a few characters; the units are those that people type."""
    from chit_sync.times import relative

    text = relative(stamp, now)
    return text if english() or text != "now" else translate("now")


def write(text: str) -> None:
    """To standard output; `chit.main` has seen to it that it is UTF-8, and what has no UTF-8 form is shown as an escape."""
    sys.stdout.write(text)
