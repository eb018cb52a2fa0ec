"""The schema: one table of fields and item kinds that drives validation, options, JSON, queries, filters and the docs.

Adding a field is adding a row. Pure, and light to import: nearly every command reads it.
"""

from typing import NamedTuple

from chit_sync.clock import MAX_STAMP
from chit_sync.errors import UsageError
from chit_sync.ids import ID_BYTES, is_letters
from chit_sync.registers import Value

MAX_LINE = 1_000
"""Most characters in a value of one line (a title, a name)."""

MAX_TEXT = 1 << 20
"""Most bytes in a long text (a description, a comment); larger ones belong into an attachment."""

HEX = frozenset("0123456789abcdef")

MAX_NAME = 100
"""Most characters in a label or in the name of a custom field."""


class Choice(NamedTuple):
    """One of the values that a field may have, and what it means."""

    name: str
    help: str
    help_de: str


class Field(NamedTuple):
    """A row of the schema.

    type: line (one line of text), text (many lines), choice, status, time (microseconds since 1970 UTC), flag, ticket (an id),
    sha256 (64 hexadecimal digits), count. visibility: who may see it by default (public: also the requester; partner: also a
    partner; internal: the organisation). leaves: whether an outsourcing agreement may let it leave for a partner at all.
    writer: person, or system for what commands write as part of something else.
    """

    name: str
    type: str
    help: str
    help_de: str
    choices: tuple[Choice, ...] = ()
    visibility: str = "public"
    leaves: bool = True
    writer: str = "person"


PRIORITIES = (
    Choice(
        "critical",
        "Work has stopped for many people, or money or safety is at stake; everything else waits.",
        "Für viele steht die Arbeit still, oder Geld oder Sicherheit ist in Gefahr; alles andere wartet.",
    ),
    Choice(
        "high",
        "Somebody cannot work, or many work with difficulty; there is no good way around it.",
        "Jemand kann nicht arbeiten, oder viele nur mit Mühe; es gibt keinen guten Umweg.",
    ),
    Choice(
        "normal",
        "Something does not work as it should, but there is a way around it. The usual case.",
        "Etwas funktioniert nicht wie gewollt, aber es gibt einen Umweg. Der Normalfall.",
    ),
    Choice(
        "low",
        "A nuisance or a wish; nobody is held up by it.",
        "Ein Ärgernis oder ein Wunsch; niemand wird dadurch aufgehalten.",
    ),
    Choice(
        "planned",
        "For later: to be done when there is time, or on a date agreed upon.",
        "Für später: wenn Zeit ist oder zu einem vereinbarten Termin.",
    ),
)
DEFAULT_PRIORITY = "normal"
PRIORITY_RANK = {choice.name: rank for rank, choice in enumerate(PRIORITIES, 1)}
"""1 is the most urgent."""

IMPACTS = (
    Choice("high", "Many people or a whole site.", "Viele Menschen oder ein ganzer Standort."),
    Choice("medium", "A team.", "Ein Team."),
    Choice("low", "One person.", "Eine einzelne Person."),
)

TYPES = (
    Choice("incident", "Something broke.", "Etwas ist ausgefallen."),
    Choice("request", "Somebody wants something.", "Jemand möchte etwas."),
    Choice("problem", "The cause behind incidents.", "Die Ursache hinter Vorfällen."),
    Choice("change", "An alteration that is planned.", "Eine geplante Änderung."),
    Choice("question", "Somebody wants to know.", "Jemand möchte etwas wissen."),
    Choice("task", "Something to be done.", "Etwas ist zu tun."),
    Choice("bug", "A defect in a product.", "Ein Fehler in einem Produkt."),
    Choice("feature", "Something that a product lacks.", "Etwas, das einem Produkt fehlt."),
    Choice(
        "epic",
        "A large piece of work made of others.",
        "Ein großes Vorhaben aus mehreren Aufgaben.",
    ),
)

VISIBILITIES = (
    Choice("public", "The requester sees it too.", "Auch die anfragende Person sieht es."),
    Choice(
        "partner",
        "Partners see it, the requester does not.",
        "Partner sehen es, die anfragende Person nicht.",
    ),
    Choice("internal", "Only the own organisation sees it.", "Nur die eigene Organisation sieht es."),
)

CATEGORIES = ("new", "open", "pending", "review", "resolved", "closed", "rejected")
"""What a status means to chit, whatever a team calls it."""

OPEN_CATEGORIES = frozenset(("new", "open", "pending", "review"))
"""The categories in which somebody still has to do something."""

DEFAULT_STATUSES: dict[str, str] = {name: name for name in CATEGORIES}
"""Status name to category, for a store that is not configured otherwise."""

FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("title", "line", "What it is about, in one line.", "Worum es geht, in einer Zeile."),
        Field("description", "text", "The whole story.", "Die ganze Geschichte."),
        Field("status", "status", "How far it is.", "Wie weit es ist.", leaves=False),
        Field("priority", "choice", "How urgent it is.", "Wie dringend es ist.", PRIORITIES),
        Field("impact", "choice", "How many it affects.", "Wie viele es betrifft.", IMPACTS),
        Field("type", "choice", "What kind of ticket it is.", "Welche Art Ticket es ist.", TYPES),
        Field(
            "queue",
            "line",
            "The team or list that it is in.",
            "Das Team oder die Liste, in der es liegt.",
            visibility="internal",
            leaves=False,
        ),
        Field(
            "assignee",
            "line",
            "Who works on it.",
            "Wer daran arbeitet.",
            visibility="internal",
            leaves=False,
        ),
        Field("requester", "line", "Who asked.", "Wer gefragt hat.", visibility="partner"),
        Field(
            "organization",
            "line",
            "The customer that it is for.",
            "Der Kunde, für den es ist.",
            visibility="internal",
            leaves=False,
        ),
        Field(
            "contract",
            "line",
            "The contract that it is booked on.",
            "Der Vertrag, auf den es gebucht wird.",
            visibility="internal",
            leaves=False,
        ),
        Field("product", "line", "What it concerns.", "Was es betrifft."),
        Field("due", "time", "When it must be done.", "Wann es fertig sein muss."),
        Field("emergency", "flag", "Drop everything else.", "Alles andere liegen lassen."),
        Field(
            "merged",
            "ticket",
            "The ticket that this one was merged into.",
            "Das Ticket, in dem dieses aufging.",
            visibility="internal",
            leaves=False,
            writer="system",
        ),
        Field(
            "deleted",
            "flag",
            "It was deleted.",
            "Es wurde gelöscht.",
            visibility="internal",
            leaves=False,
            writer="system",
        ),
    )
}

LABELS = Field(
    "labels",
    "flag",
    "Words to find it by.",
    "Wörter, unter denen man es findet.",
    visibility="internal",
    leaves=False,
)
"""`labels/NAME` is true while the ticket has the label."""

CUSTOM = Field(
    "x",
    "line",
    "A field of your own, as x.NAME.",
    "Ein eigenes Feld, als x.NAME.",
    visibility="internal",
    leaves=False,
)
"""`x.NAME` holds one text, of one line or many."""

LINK_KINDS = {
    "relates": "relates",
    "blocks": "blocked-by",
    "parent-of": "child-of",
    "duplicates": "duplicated-by",
    "follows": "followed-by",
}
"""Kind of a link to what it is called seen from the other ticket."""

ITEMS: dict[str, dict[str, Field]] = {
    "comment": {
        field.name: field
        for field in (
            Field("body", "text", "What was said.", "Was gesagt wurde."),
            Field("visibility", "choice", "Who may read it.", "Wer es lesen darf.", VISIBILITIES),
            Field("deleted", "flag", "It was deleted.", "Er wurde gelöscht.", writer="system"),
        )
    },
    "attachment": {
        field.name: field
        for field in (
            Field("name", "line", "The file's name.", "Der Name der Datei."),
            Field(
                "sha256",
                "sha256",
                "The SHA-256 of its bytes.",
                "Die SHA-256 ihrer Bytes.",
                writer="system",
            ),
            Field(
                "size",
                "count",
                "How many bytes it has.",
                "Wie viele Bytes sie hat.",
                writer="system",
            ),
            Field("visibility", "choice", "Who may read it.", "Wer sie lesen darf.", VISIBILITIES),
            Field("deleted", "flag", "It was deleted.", "Sie wurde gelöscht.", writer="system"),
        )
    },
    "link": {
        field.name: field
        for field in (
            Field(
                "kind",
                "line",
                "How the two belong together.",
                "Wie die beiden zusammengehören.",
                visibility="internal",
                leaves=False,
            ),
            Field(
                "target",
                "ticket",
                "The other ticket.",
                "Das andere Ticket.",
                visibility="internal",
                leaves=False,
            ),
            Field(
                "deleted",
                "flag",
                "It was taken away.",
                "Sie wurde entfernt.",
                visibility="internal",
                leaves=False,
                writer="system",
            ),
        )
    },
}
"""Item kind to the fields of such an item; on the wire `KIND/ID/FIELD`."""


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
    if field is None or not (1 <= len(item) <= 64 and item.isalnum() and item.isascii()):
        raise UsageError(f"there is no field {path[:MAX_NAME]!r}")
    return field


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
