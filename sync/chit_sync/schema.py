"""The schema: one table of fields and item kinds that drives validation, options, JSON, queries, filters and the docs.

Adding a field is adding a row. Pure, and light to import: nearly every command reads it.
"""

from typing import NamedTuple


class Choice(NamedTuple):
    """One of the values that a field may have, and what it means."""

    name: str
    help: str
    help_de: str


class Field(NamedTuple):
    """A row of the schema.

    type: line (one line of text), text (many lines), choice, status, time (microseconds since 1970 UTC), flag, ticket (an id),
    sha256 (64 hexadecimal digits), count, decimal (an exact amount, as text), currency (ISO 4217), item (an item's id).
    visibility: who may see it by default (public: also the requester; partner: also a partner; internal: the organisation).
    leaves: whether an outsourcing agreement may let it leave for a partner at all.
    writer: person, or system for what commands write as part of something else. right: what somebody must hold to see and set it.
    """

    name: str
    type: str
    help: str
    help_de: str
    choices: tuple[Choice, ...] = ()
    visibility: str = "public"
    leaves: bool = True
    writer: str = "person"
    right: str = ""


# fmt: off
# One row a field, so that the table reads as one.
PRIORITIES = (
    Choice("critical", "Work has stopped for many people, or money or safety is at stake; everything else waits.",
        "Für viele steht die Arbeit still, oder Geld oder Sicherheit ist in Gefahr; alles andere wartet."),
    Choice("high", "Somebody cannot work, or many work with difficulty; there is no good way around it.",
        "Jemand kann nicht arbeiten, oder viele nur mit Mühe; es gibt keinen guten Umweg."),
    Choice("normal", "Something does not work as it should, but there is a way around it. The usual case.",
        "Etwas funktioniert nicht wie gewollt, aber es gibt einen Umweg. Der Normalfall."),
    Choice("low", "A nuisance or a wish; nobody is held up by it.", "Ein Ärgernis oder ein Wunsch; niemand wird dadurch aufgehalten."),
    Choice("planned", "For later: to be done when there is time, or on a date agreed upon.",
        "Für später: wenn Zeit ist oder zu einem vereinbarten Termin."),
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
    Choice("epic", "A large piece of work made of others.", "Ein großes Vorhaben aus mehreren Aufgaben."),
)

VISIBILITIES = (
    Choice("public", "The requester sees it too.", "Auch die anfragende Person sieht es."),
    Choice("partner", "Partners see it, the requester does not.", "Partner sehen es, die anfragende Person nicht."),
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
        Field("impact", "choice", "How many it affects.", "Wie viele es betrifft.", IMPACTS, leaves=False),
        Field("type", "choice", "What kind of ticket it is.", "Welche Art Ticket es ist.", TYPES, leaves=False),
        Field("queue", "line", "The team or list that it is in.", "Das Team oder die Liste, in der es liegt.", visibility="internal",
            leaves=False),
        Field("assignee", "line", "Who works on it.", "Wer daran arbeitet.", visibility="internal", leaves=False),
        Field("requester", "line", "Who asked.", "Wer gefragt hat.", visibility="partner"),
        Field("organization", "line", "The customer that it is for.", "Der Kunde, für den es ist.", visibility="internal", leaves=False),
        Field("contract", "line", "The contract that it is booked on.", "Der Vertrag, auf den es gebucht wird.", visibility="internal",
            leaves=False),
        Field("product", "line", "What it concerns.", "Was es betrifft.", leaves=False),
        Field("due", "time", "When it must be done.", "Wann es fertig sein muss."),
        Field("emergency", "flag", "Drop everything else.", "Alles andere liegen lassen.", leaves=False),
        Field("merged", "ticket", "The ticket that this one was merged into.", "Das Ticket, in dem dieses aufging.",
            visibility="internal", leaves=False, writer="system"),
        Field("deleted", "flag", "It was deleted.", "Es wurde gelöscht.", visibility="internal", leaves=False, writer="system"),
    )
}

LABELS = Field("labels", "flag", "Words to find it by.", "Wörter, unter denen man es findet.", visibility="internal", leaves=False)
"""`labels/NAME` is true while the ticket has the label."""

CUSTOM = Field("x", "line", "A field of your own, as x.NAME.", "Ein eigenes Feld, als x.NAME.", visibility="internal", leaves=False)
"""`x.NAME` holds one text, of one line or many."""

LINK_KINDS = {
    "relates": "relates",
    "blocks": "blocked-by",
    "parent-of": "child-of",
    "duplicates": "duplicated-by",
    "follows": "followed-by",
}
"""Kind of a link to what it is called seen from the other ticket."""

SHARES = (
    Choice("all", "All but what is internal.", "Alles außer Internem."),
    Choice("public", "What the requester may see.", "Was die anfragende Person sehen darf."),
    Choice("none", "Nothing.", "Nichts."),
)
"""How much of what was there before a handoff goes to the partner."""

PAY_UNITS = (
    Choice("hour", "For each hour.", "Für jede Stunde."),
    Choice("flat", "For all of it.", "Für alles zusammen."),
)

HANDOFF_STATUSES = (
    Choice("unsent", "Drafted; only the lead has it.", "Entworfen; nur der Auftraggeber hat es."),
    Choice("assigned", "Offered, neither accepted nor declined.", "Angeboten, weder angenommen noch abgelehnt."),
    Choice("canceled", "Withdrawn by the lead.", "Vom Auftraggeber zurückgezogen."),
    Choice("declined", "Refused by the partner, or not answered in time.", "Vom Partner abgelehnt oder nicht rechtzeitig beantwortet."),
    Choice("accepted", "Taken on, nothing done yet.", "Angenommen, noch nichts getan."),
    Choice("in-progress", "The partner works on it.", "Der Partner arbeitet daran."),
    Choice("awaiting-approval", "The partner has submitted the finished work.", "Der Partner hat die fertige Arbeit eingereicht."),
    Choice("completed", "Approved, or ended by the lead.", "Freigegeben oder vom Auftraggeber beendet."),
)  # fmt: skip

ROLES = (
    Choice("lead", "The organisation that owns the customer.", "Die Organisation, der der Kunde gehört."),
    Choice("service", "The partner that does the work.", "Der Partner, der die Arbeit tut."),
)

_DELETED = Field("deleted", "flag", "It was deleted.", "Es wurde gelöscht.", writer="system")
_TO = Field("to", "item", "The handoff that it is for.", "Die Weitergabe, für die es ist.", writer="system")
_HELD = Field("held", "item", "The handoff for which it is held back.", "Die Weitergabe, für die es zurückgehalten wird.",
              visibility="internal", leaves=False, writer="system")  # fmt: skip
_SAME = Field("same", "item", "The item that this one is another name of.", "Der Eintrag, für den dies ein anderer Name ist.",
              visibility="internal", leaves=False, writer="system")  # fmt: skip
_VISIBILITY = Field("visibility", "choice", "Who may read it.", "Wer es lesen darf.", VISIBILITIES)

TERMS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("instructions", "text", "What the partner should know.", "Was der Partner wissen soll.", visibility="partner"),
        Field("complete_by", "time", "When it must be done.", "Wann es fertig sein muss.", visibility="partner"),
        Field("accept_by", "time", "When the offer ends.", "Wann das Angebot endet.", visibility="partner"),
        Field("pay", "decimal", "What the partner is paid.", "Was der Partner bekommt.", visibility="partner", right="finance"),
        Field("pay_unit", "choice", "For an hour, or for all.", "Für eine Stunde oder für alles.", PAY_UNITS, visibility="partner",
              right="finance"),
        Field("currency", "currency", "The currency of all amounts.", "Die Währung aller Beträge.", visibility="partner"),
        Field("authorized_minutes", "count", "How much time may be spent, in minutes.", "Wie viel Zeit es kosten darf, in Minuten.",
              visibility="partner"),
        Field("authorized_charges", "decimal", "How much may be charged.", "Wie viele Kosten entstehen dürfen.", visibility="partner",
              right="finance"),
    )
}  # fmt: skip
"""What two organisations agree on. A handoff holds what is agreed, a counter-offer what is proposed instead."""


def _named(*fields: Field) -> dict[str, Field]:
    return {field.name: field for field in fields}


ITEMS: dict[str, dict[str, Field]] = {
    "comment": {
        field.name: field
        for field in (
            Field("body", "text", "What was said.", "Was gesagt wurde."),
            Field("visibility", "choice", "Who may read it.", "Wer es lesen darf.", VISIBILITIES),
            Field("deleted", "flag", "It was deleted.", "Er wurde gelöscht.", writer="system"),
            _TO,
            _HELD,
            _SAME,
        )
    },
    "attachment": {
        field.name: field
        for field in (
            Field("name", "line", "The file's name.", "Der Name der Datei."),
            Field("sha256", "sha256", "The SHA-256 of its bytes.", "Die SHA-256 ihrer Bytes.", writer="system"),
            Field("size", "count", "How many bytes it has.", "Wie viele Bytes sie hat.", writer="system"),
            Field("visibility", "choice", "Who may read it.", "Wer sie lesen darf.", VISIBILITIES),
            Field("deleted", "flag", "It was deleted.", "Sie wurde gelöscht.", writer="system"),
            _TO,
            _HELD,
            _SAME,
        )
    },
    "link": {
        field.name: field
        for field in (
            Field("kind", "line", "How the two belong together.", "Wie die beiden zusammengehören.", visibility="internal", leaves=False),
            Field("target", "ticket", "The other ticket.", "Das andere Ticket.", visibility="internal", leaves=False),
            Field("deleted", "flag", "It was taken away.", "Sie wurde entfernt.", visibility="internal", leaves=False, writer="system"),
        )
    },
    "time": _named(
        Field("minutes", "count", "How long it took, in minutes.", "Wie lange es dauerte, in Minuten."),
        Field("date", "time", "When the work was done.", "Wann die Arbeit getan wurde."),
        Field("note", "text", "What was done.", "Was getan wurde."),
        _VISIBILITY,
        _TO,
        _HELD,
        _DELETED,
        _SAME,
    ),
    "charge": _named(
        Field("amount", "decimal", "What it cost.", "Was es gekostet hat."),
        Field("currency", "currency", "The currency of the amount.", "Die Währung des Betrags."),
        Field("note", "line", "What it is for.", "Wofür es ist."),
        Field("bundle", "item", "The handoff whose time it stands for; not to be billed.",
            "Die Weitergabe, für deren Zeit es steht; nicht abzurechnen.", visibility="internal", leaves=False, writer="system",
            right="finance"),
        _VISIBILITY,
        _TO,
        _HELD,
        _DELETED,
    ),
    "question": _named(
        Field("body", "text", "What the partner wants to know.", "Was der Partner wissen möchte.", visibility="partner"),
        Field("answer", "text", "What the lead answered.", "Was der Auftraggeber geantwortet hat.", visibility="partner"),
        _TO,
        _HELD,
        _DELETED,
    ),
    "handoff": _named(
        Field("role", "choice", "Whether we are the lead or the service partner.", "Ob wir Auftraggeber oder Auftragnehmer sind.",
            ROLES, visibility="internal", leaves=False, writer="system"),
        Field("lead", "line", "The organisation that hands it out.", "Die Organisation, die es weitergibt.", visibility="partner",
            writer="system"),
        Field("service", "line", "The organisation that works on it.", "Die Organisation, die daran arbeitet.", visibility="partner",
            writer="system"),
        Field("status", "choice", "How far it is.", "Wie weit es ist.", HANDOFF_STATUSES, visibility="partner", writer="system"),
        Field("since", "time", "Since when it has this status.", "Seit wann es diesen Stand hat.", visibility="partner", writer="system"),
        Field("last", "item", "The last move that was taken.", "Der letzte Zug, der angenommen wurde.", visibility="partner",
            writer="system"),
        Field("verb", "line", "What that move did.", "Was dieser Zug tat.", visibility="partner", writer="system"),
        Field("reason", "text", "Why.", "Warum.", visibility="partner", writer="system"),
        Field("version", "count", "The version of the terms.", "Die Fassung der Bedingungen.", visibility="partner", writer="system"),
        Field("proposal", "item", "A counter-offer that waits for an answer.", "Ein Gegenangebot, das auf Antwort wartet.",
            visibility="partner", writer="system"),
        *TERMS.values(),
        Field("share_contact", "flag", "Whether the partner learns who asked.", "Ob der Partner erfährt, wer gefragt hat.",
            visibility="partner"),
        Field("share_comments", "choice", "Which earlier comments the partner gets.",
            "Welche früheren Kommentare der Partner bekommt.", SHARES, visibility="partner"),
        Field("share_attachments", "choice", "Which earlier files the partner gets.", "Welche früheren Dateien der Partner bekommt.",
            SHARES, visibility="partner"),
        Field("bill_rate", "decimal", "What our customer pays for an hour.", "Was unser Kunde für eine Stunde zahlt.",
            visibility="internal", leaves=False, right="finance"),
        Field("grace", "count", "Microseconds for which an acceptance may be late.",
            "Mikrosekunden, die eine Annahme verspätet sein darf.", visibility="internal", leaves=False, writer="system"),
        Field("accepted", "time", "When it was accepted.", "Wann es angenommen wurde.", visibility="partner", writer="system"),
        Field("accepted_by", "line", "Who accepted it.", "Wer es angenommen hat.", visibility="partner", writer="system"),
        Field("accepted_version", "count", "The version of the terms that was accepted.", "Die angenommene Fassung der Bedingungen.",
            visibility="partner", writer="system"),
        Field("total", "decimal", "What the partner's time came to.", "Was die Zeit des Partners ausmacht.", visibility="partner",
            writer="system", right="finance"),
    ),
    "move": _named(
        Field("handoff", "item", "The handoff that it moves.", "Die Weitergabe, die er bewegt.", visibility="partner", writer="system"),
        Field("verb", "line", "What it wants done.", "Was er bewirken soll.", visibility="partner", writer="system"),
        Field("seen", "item", "The last move that its author knew.", "Der letzte Zug, den sein Urheber kannte.", visibility="partner",
            writer="system"),
        Field("reason", "text", "Why.", "Warum.", visibility="partner", writer="system"),
        Field("version", "count", "The version of the terms that is accepted.", "Die Fassung der Bedingungen, die angenommen wird.",
            visibility="partner", writer="system"),
        Field("ruling", "line", "What the lead's store decided: taken, or why not.", "Was der Speicher des Auftraggebers entschied.",
            visibility="partner", writer="system"),
        *TERMS.values(),
    ),
}
"""Item kind to the fields of such an item; on the wire `KIND/ID/FIELD`."""
# fmt: on


def split(path: str) -> tuple[str, str, str]:
    """(kind, id, field) of a path of an item; ("", "", path) of one of the ticket itself."""
    kind, _, rest = path.partition("/")
    if kind not in ITEMS:
        return "", "", path
    item, _, name = rest.partition("/")
    return kind, item, name


def type_of(path: str) -> str:
    """The type of what stands at a path; that of a line for one that is a store's own."""
    field = FIELDS.get(path)
    if field is None:
        kind, _, rest = path.partition("/")
        field = ITEMS.get(kind, {}).get(rest.rpartition("/")[2], CUSTOM)
    return field.type


def is_decided(path: str) -> bool:
    """Whether a path is one that a lead's store alone decides: a newer decision replaces an older one, and is no conflict for people."""
    kind, _, name = split(path)
    field = ITEMS[kind].get(name) if kind in ("handoff", "move") else None
    return field is not None and field.writer == "system"
