"""What each field of the query language means in SQL. Pure.

One row of `FIELDS` a field: a function from one value to a condition on `tickets t`. The tables are described in `store.migrations`.
"""

from collections.abc import Callable

from chit_sync.errors import QueryError
from chit_sync.query import values
from chit_sync.query.presence import custom, handed, item, register
from chit_sync.query.tree import Atom, Value
from chit_sync.query.values import NOTHING, Context, choice, join, levels, only, suggestion
from chit_sync.query.words import Sql, Word, among, word
from chit_sync.schema import CATEGORIES, HANDOFF_STATUSES, IMPACTS, PRIORITIES, TYPES

Condition = Callable[[Value, Context], Sql]

HANDOFFS = tuple(status.name for status in HANDOFF_STATUSES)
_LETTERS = frozenset("klmnopqrstuvwxyz")
_DEFAULT_REMOTE = (
    "(SELECT r.id FROM remotes r WHERE r.id NOT IN (SELECT p.remote FROM partners p WHERE p.remote IS NOT NULL)"
    " ORDER BY r.name <> 'origin', r.id LIMIT 1)"
)
"""As `store.reading.default_remote`."""

_CLOSED = """(SELECT coalesce(json_extract(CAST(c.body AS TEXT), '$.when'), json_extract(CAST(c.body AS TEXT), '$.at'))
 FROM registers r JOIN changes c ON c.seq = json_extract(r.fields, '$.status[0][0]') WHERE r.num = t.num)"""
"""When the ticket got the status that it has."""

_LABELS = """t.num IN (SELECT num FROM labels WHERE label IN (WITH RECURSIVE l (name) AS (
 SELECT min(label) FROM labels UNION ALL SELECT (SELECT min(label) FROM labels WHERE label > l.name) FROM l WHERE l.name IS NOT NULL)
 SELECT name FROM l WHERE """
"""Walks the labels that there are, each once, so that case and patterns cost nothing."""


def _line(column: str, *, person: bool = False) -> Condition:
    def condition(value: Value, context: Context) -> Sql:
        atom = only(value, column, "~")
        if value.op == "" and atom.word == "@me":
            return mine(f"t.{column}", context, atom.column) if person else _nobody(column, atom)
        return values.text(f"t.{column}", value, atom)

    return condition


def mine(expression: str, context: Context, column: int) -> Sql:
    """The person who asks is the value."""
    if not context.me:
        raise QueryError(
            "it is not known who you are",
            column,
            "Set your name with `chit config set user.name NAME`, or write it out.",
        )
    return f"{expression} = ? COLLATE NOCASE", [context.me]


def _nobody(field: str, atom: Atom) -> Sql:
    raise QueryError(f"@me is a person, {field} is not", atom.column, "It goes with assignee, requester and author.")


def text_word(part: str, value: Value) -> Word | None:
    """The word that a value of title, description or comment means; None if the value is to be compared letter by letter."""
    atom = value.low
    if value.op or atom is None or (not atom.quoted and "*" in atom.text[:-1]):
        return None
    return word(atom.text, atom.column, quoted=atom.quoted, part="description" if part == "body" else part)


def _text(part: str) -> Condition:
    """Text is found by its words; `~`, `=` and patterns look at it letter by letter, which is slower."""

    def condition(value: Value, _: Context) -> Sql:
        atom = only(value, part, "~")
        found = text_word(part, value)
        if found:
            return among(found)
        if part == "title":
            return values.text("t.title", value, atom)
        if part == "description":
            return values.text(register("description"), value, atom)
        sql, parameters = values.text("json_extract(i.fields, '$.body[0][1]')", value, atom)
        return item("comment", f" AND {sql}"), parameters

    return condition


def _id(value: Value, _: Context) -> Sql:
    low, high = _prefix(only(value, "id"))
    return "t.id >= ? AND t.id < ?", [low, high]


def _prefix(atom: Atom) -> tuple[str, str]:
    """The bounds of the ids that begin with the atom."""
    text = atom.text.removesuffix("*").lower()
    if not text or not _LETTERS.issuperset(text):
        raise QueryError(
            f"{atom.text[:40]!r} is no id",
            atom.column,
            "An id is spelled in letters from k to z; number:12 finds numbers.",
        )
    return text, text + "{"


def _number(value: Value, _: Context) -> Sql:
    """A number is the default remote's, or this store's while there is no remote; REMOTE#12 is that remote's."""
    atom = value.low
    if atom and value.op in ("", "=") and not atom.quoted and atom.text.rpartition("#")[0]:
        remote, _mark, digits = atom.text.rpartition("#")
        wanted = values.whole(Atom(atom.column, digits, quoted=False), "number")
        remotes = "(SELECT r.id FROM remotes r WHERE r.name = ?)"
        return f"t.num IN (SELECT n.num FROM numbers n WHERE n.remote = {remotes} AND n.number = ?)", [remote, wanted]
    there, found = values.number("n.number", value, "number")
    here, _same = values.number("o.num", value, "number")
    sql = (
        f"t.num IN (SELECT n.num FROM numbers n WHERE n.remote = {_DEFAULT_REMOTE} AND {there}"
        f" UNION ALL SELECT o.num FROM tickets o WHERE {here} AND {_DEFAULT_REMOTE} IS NULL)"
    )
    return sql, found * 2


def _status(value: Value, context: Context) -> Sql:
    atom = only(value, "status", "~")
    if value.op == "~" or (value.op == "" and not atom.quoted and "*" in atom.text):
        return values.text("t.status", value, atom)
    return "t.status = ?", [choice(atom, "status", context.statuses)]


def _category(value: Value, context: Context) -> Sql:
    return category(context, choice(only(value, "category"), "category", CATEGORIES))


def category(context: Context, *names: str) -> Sql:
    """The status is in one of the categories; a status that this store does not know counts as open."""
    known = [status for status, name in context.statuses.items() if name in names]
    parts: list[Sql] = [(f"t.status IN ({_marks(known)})", list(known))] if known else []
    if "open" in names:
        parts.append((f"coalesce(t.status, '') NOT IN ({_marks(context.statuses)})", list(context.statuses)))
    return join(parts, "OR") if parts else NOTHING


def _marks(of: list[str] | dict[str, str]) -> str:
    return ",".join("?" * len(of))


def _priority(value: Value, _: Context) -> Sql:
    first, last = levels(value, "priority", [level.name for level in PRIORITIES])
    return ("t.priority = ?", [first]) if first == last else ("t.priority BETWEEN ? AND ?", [first, last])


def _impact(value: Value, _: Context) -> Sql:
    names = [level.name for level in IMPACTS]
    first, last = levels(value, "impact", names)
    covered = names[first - 1 : last]
    return f"t.impact IN ({_marks(covered)})", list(covered)


def _type(value: Value, _: Context) -> Sql:
    return "t.type = ?", [choice(only(value, "type"), "type", [kind.name for kind in TYPES])]


def _label(value: Value, _: Context) -> Sql:
    sql, found = values.text("name", value, only(value, "label", "~"))
    return f"{_LABELS}{sql}))", found


def _link(value: Value, _: Context) -> Sql:
    """Linked with the ticket whose id begins so, whichever of the two holds the link."""
    bounds = _prefix(only(value, "link"))
    sql = (
        "t.num IN (SELECT i.pk >> 24 FROM items i WHERE i.ref >= ? AND i.ref < ? UNION ALL"
        " SELECT x.num FROM tickets o JOIN items i ON i.pk > o.num << 24 AND i.pk < (o.num + 1) << 24"
        " JOIN tickets x ON x.id = i.ref WHERE o.id >= ? AND o.id < ?)"
    )
    return sql, [*bounds, *bounds]


def _partner(value: Value, _: Context) -> Sql:
    """The ticket's latest handoff, in either role, is with that partner."""
    sql, found = values.text("h.partner", value, only(value, "partner", "~"))
    return handed(sql), found


def _handoff(value: Value, _: Context) -> Sql:
    return handed("h.status = ?"), [choice(only(value, "handoff"), "handoff", HANDOFFS)]


def _time(column: str, *, ahead: bool = False) -> Condition:
    def condition(value: Value, context: Context) -> Sql:
        return values.time(f"t.{column}", value, context, ahead=ahead)

    return condition


def _closed(value: Value, context: Context) -> Sql:
    """A ticket is changed when it is closed, so the time of the last change, which has an index, narrows the search."""
    parts: list[Sql] = [("t.state = 1", [])]
    if value.low and value.op not in ("<", "<="):
        parts.append(values.time("t.updated", Value(value.column, "..", value.low), context, ahead=False))
    return join([*parts, values.time(_CLOSED, value, context, ahead=False)], "AND")


def _custom(name: str) -> Condition:
    def condition(value: Value, _: Context) -> Sql:
        expression = custom(name, value.column)
        if value.op in ("", "=", "~") and value.low:
            return values.text(expression, value, value.low)
        return values.order(expression, value)

    return condition


FIELDS: dict[str, Condition] = {
    "id": _id,
    "number": _number,
    "title": _text("title"),
    "description": _text("description"),
    "body": _text("description"),
    "comment": _text("comment"),
    "status": _status,
    "category": _category,
    "priority": _priority,
    "impact": _impact,
    "type": _type,
    "queue": _line("queue"),
    "assignee": _line("assignee", person=True),
    "requester": _line("requester", person=True),
    "organization": _line("organization"),
    "contract": _line("contract"),
    "product": _line("product"),
    "author": _line("author", person=True),
    "label": _label,
    "link": _link,
    "partner": _partner,
    "handoff": _handoff,
    "created": _time("created"),
    "updated": _time("updated"),
    "closed": _closed,
    "due": _time("due", ahead=True),
}

_INSTEAD = {
    "state": "is:open or is:closed",
    "open": "is:open",
    "deleted": "is:deleted",
    "merged": "is:merged",
    "conflict": "is:conflict",
    "emergency": "is:emergency",
    "attachment": "has:attachment",
    "outsourced": "is:outsourced",
    "lead": "partner:NAME",
    "service": "partner:NAME",
}
"""What to write instead of names that look like fields."""


def condition(name: str, column: int) -> Condition:
    """The meaning of a field. Raises QueryError with a suggestion for one that there is not."""
    if name.startswith("x."):
        return _custom(name[2:])
    found = FIELDS.get(name)
    if found is None:
        instead = _INSTEAD.get(name)
        hint = f"Write {instead}. " if instead else suggestion(name, (*FIELDS, "is", "has", "no", "sort"))
        raise QueryError(
            f"unknown field {name[:40]!r}", column, f'{hint}To look for it as text, quote it: "{name[:40]}:…".'
        )
    return found
