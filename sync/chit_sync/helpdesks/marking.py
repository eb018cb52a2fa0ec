"""How a ticket there tells which ticket of ours it is: by a custom field for our id, else by the last line of its description. Pure.

The line is no part of the description: whoever reads one takes it off, and whoever writes one puts it back.
"""

import re

from chit_sync.ids import ID_BYTES, is_letters

REFERENCES = ("externalref", "external_ref", "extref", "chit")
"""Names, in small letters, of a custom field that holds our ticket's id; the best first."""

_LINE = re.compile(r"(?:\A|\r?\n)\[chit:([k-z]{32})\]\s*\Z")


def is_reference(name: str) -> bool:
    """Whether a custom field of that name is the one for our ticket's id."""
    return name.casefold() in REFERENCES


def is_ticket(text: str) -> bool:
    """Whether that is the id of a ticket of ours."""
    return is_letters(text, 2 * ID_BYTES)


def marked(description: str, token: str) -> str:
    """A description with our ticket's id as its last line."""
    return f"{description}\n[chit:{token}]" if description else f"[chit:{token}]"


def unmarked(description: str) -> tuple[str, str]:
    """A description without that line, and the id; empty if there is none."""
    found = _LINE.search(description)
    return (description[: found.start()], found[1]) if found else (description, "")
