"""Ids of tickets and items, and their spelling; what can be a name. Pure: random bytes are an argument.

Ids that people type are spelled in letters only, k to z standing for the sixteen hexadecimal digits (as jj spells change ids), so
that an id can never be mistaken for a ticket's number or for the hash of a change.
"""

ID_BYTES = 16
"""Bytes in a ticket's id: 128 bits, 32 letters."""

ITEM_BYTES = 8
"""Bytes in the id of a comment, attachment or link: 64 bits, 16 letters; unique within its ticket. As many has the mark of a mirror."""

_TO_LETTERS = str.maketrans("0123456789abcdef", "zyxwvutsrqponmlk")
LETTERS = frozenset("klmnopqrstuvwxyz")


def letters(data: bytes) -> str:
    """Spells bytes in the letters k to z, two a byte."""
    return data.hex().translate(_TO_LETTERS)


def is_letters(text: str, length: int | None = None) -> bool:
    """Whether the text could be an id (of that many letters) or, with no length, the beginning of one."""
    return bool(text) and (length is None or len(text) == length) and LETTERS.issuperset(text)


MAX_NAME = 40
"""Most characters in the name of a remote or of an organisation."""

NAME_RULE = f"A name has 1 to {MAX_NAME} letters, digits, dots, dashes or underscores, and is no number."


def is_name(text: str) -> bool:
    """Whether the text can name a remote or an organisation: it can stand in a query, before a `#` and behind an `@`."""
    return 0 < len(text) <= MAX_NAME and all(char.isalnum() or char in "_-." for char in text) and not text.isdecimal()


def derived(size: int, *parts: str) -> bytes:
    """That many bytes that follow from the parts alone: whoever has the same parts has the same id.

    Each part is hashed with its length, so that ("ab", "c") and ("a", "bc") differ.
    """
    from hashlib import sha256  # late: whoever only reads ids does not pay for OpenSSL

    digest = sha256()
    for part in parts:
        data = part.encode()
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.digest()[:size]


def ticket_id(*parts: str) -> str:
    """The id of the ticket that is known elsewhere by these parts (an import's source and key)."""
    return letters(derived(ID_BYTES, "ticket", *parts))


def item_id(*parts: str) -> str:
    """The id of an item that follows from these parts."""
    return letters(derived(ITEM_BYTES, "item", *parts))


def mirror_id(identity: str) -> str:
    """What changes that were read from a helpdesk are marked with: it follows from the helpdesk's identity, in every store alike."""
    return letters(derived(ITEM_BYTES, "mirror", identity))
