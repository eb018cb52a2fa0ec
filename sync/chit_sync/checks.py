"""What may stand at a path: paths that there are, and values that they can hold. Pure, and light to import; the rows are `schema`'s."""

from chit_sync.clock import MAX_STAMP
from chit_sync.errors import UsageError
from chit_sync.ids import ID_BYTES, is_letters
from chit_sync.registers import Value
from chit_sync.schema import CUSTOM, FIELDS, ITEMS, LABELS, Field

MAX_LINE = 1_000
"""Most characters in a value of one line (a title, a name)."""

MAX_TEXT = 1 << 20
"""Most bytes in a long text (a description, a comment); larger ones belong into an attachment."""

HEX = frozenset("0123456789abcdef")

MAX_DIGITS = 12
"""Most digits of an amount before its point."""

MAX_NAME = 100
"""Most characters in a label or in the name of a custom field."""


def field_of(path: str) -> Field:
    """The row of the schema that a path belongs to. Raises UsageError for a path that there is not."""
    field = FIELDS.get(path)
    if field is not None:
        return field
    if path.startswith("x."):
        check_custom(path[2:])
        return CUSTOM
    kind, _, rest = path.partition("/")
    if kind == "labels":
        check_label(rest)
        return LABELS
    item, _, name = rest.partition("/")
    field = ITEMS.get(kind, {}).get(name)
    if field is None or not is_item(item):
        raise UsageError(f"there is no field {path[:MAX_NAME]!r}")
    return field


def is_item(text: str) -> bool:
    """Whether the text can be an item's id."""
    return 1 <= len(text) <= 64 and text.isalnum() and text.isascii()


def is_decimal(text: str) -> bool:
    """Whether the text is an amount: digits, and perhaps a point and one or two more."""
    whole, point, part = text.partition(".")
    return (
        text.isascii()
        and whole.isdecimal()
        and len(whole) <= MAX_DIGITS
        and (part.isdecimal() and len(part) <= 2 if point else True)
    )


def check_label(name: str) -> None:
    """Raises UsageError for what cannot be a label."""
    if not name or len(name) > MAX_NAME or not name.isprintable() or "," in name or name != name.strip():
        raise UsageError(
            f"{name[:MAX_NAME]!r} cannot be a label",
            f"A label has 1 to {MAX_NAME} printable characters, no comma, and no blank at its ends.",
        )


def check_custom(name: str) -> None:
    """Raises UsageError for what cannot name a custom field."""
    if not name or len(name) > MAX_NAME or not all(char.isalnum() or char in "_-." for char in name):
        raise UsageError(
            f"{name[:MAX_NAME]!r} cannot name a custom field",
            f"A name has 1 to {MAX_NAME} letters, digits, dots, dashes or underscores.",
        )


def check(path: str, value: Value) -> None:
    """Raises UsageError unless the value may stand at the path.

    A status may be any name here: which there are is a store's own configuration, checked where it is typed, so that a store
    with other names takes the change all the same.
    """
    field = field_of(path)
    if value is None:
        return
    kind = field.type
    if kind == "flag":
        if value is not True:
            raise UsageError(f"{path} is true or empty, not {value!r}")
    elif kind in ("time", "count"):
        if type(value) is not int or (kind == "count" and value < 0):
            raise UsageError(f"{path} is a whole number, not {value!r}")
        if abs(value) > MAX_STAMP:
            raise UsageError(f"{path} is out of range", f"At most {MAX_STAMP}.")
    elif not isinstance(value, str):
        raise UsageError(f"{path} is a text, not {value!r}")
    elif kind == "ticket":
        if not is_letters(value, 2 * ID_BYTES):
            raise UsageError(f"{path} is the whole id of a ticket, not {value[:MAX_NAME]!r}")
    elif kind == "item":
        if not is_item(value):
            raise UsageError(f"{path} is the id of an item, not {value[:MAX_NAME]!r}")
    elif kind == "decimal":
        if not is_decimal(value):
            raise UsageError(
                f"{path} cannot be {value[:MAX_NAME]!r}",
                "An amount is written like 80 or 80.50, with at most two decimals.",
            )
    elif kind == "currency":
        if len(value) != 3 or not (value.isascii() and value.isalpha() and value.isupper()):
            raise UsageError(
                f"{path} cannot be {value[:MAX_NAME]!r}", "A currency has three capital letters, like EUR."
            )
    elif kind == "sha256":
        if len(value) != 64 or not HEX.issuperset(value):
            raise UsageError(f"{path} is 64 hexadecimal digits, not {value[:MAX_NAME]!r}")
    elif kind == "text" or field is CUSTOM:
        if len(value) > MAX_TEXT or len(value.encode("utf-8", "surrogatepass")) > MAX_TEXT:
            raise UsageError(
                f"{path} has {len(value)} characters; a text may have 1 MiB",
                "Attach it as a file instead.",
            )
        check_encoding(path, value)
    else:
        if not value or len(value) > MAX_LINE:
            raise UsageError(f"{path} has {len(value)} characters; 1 to {MAX_LINE} are allowed")
        if not value.isprintable():
            check_encoding(path, value)
            if has_control(value):
                raise UsageError(f"{path} holds control characters", "It is one line of text.")
        if field.choices and not any(value == choice.name for choice in field.choices):
            names = ", ".join(choice.name for choice in field.choices)
            raise UsageError(f"{path} cannot be {value!r}", f"It is one of: {names}.")


def check_encoding(path: str, value: str) -> None:
    """Raises UsageError for text that has no UTF-8 form (what is left of bytes in another encoding)."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{path} is not valid UTF-8", "Convert it first, for example with iconv.") from None


def has_control(text: str) -> bool:
    """Whether the text holds a control character (C0, DEL, C1) or a line separator."""
    return any(char < " " or "\x7f" <= char <= "\x9f" or char in "\u2028\u2029" for char in text)
