"""What a ticket is, has and lacks: `is:`, `has:`, `no:`, `none` and `any`; with the expressions for what has no column. Pure."""

from chit_sync.checks import check_custom
from chit_sync.errors import QueryError, UsageError
from chit_sync.query.values import present, suggestion
from chit_sync.query.words import Sql

_ITEMS = "i.pk > t.num << 24 AND i.pk < (t.num + 1) << 24"
_ALIVE = "json_extract(i.fields, '$.deleted[0][1]') IS NOT 1"

_UNPUSHED = """t.num IN (SELECT c.ticket FROM remotes r JOIN changes c ON c.seq > r.pushed WHERE c.origin <> r.id
 AND r.id NOT IN (SELECT p.remote FROM partners p WHERE p.remote IS NOT NULL)
 UNION SELECT c.ticket FROM partners p JOIN remotes r ON r.id = p.remote JOIN outbound o ON o.partner = p.id AND o.place > r.pushed
 JOIN changes c ON c.seq = o.seq WHERE c.origin <> r.id
 UNION SELECT c.ticket FROM refusals f JOIN changes c ON c.seq = f.seq)"""
"""What a remote has not read and did not send itself, or has refused. A partner reads only what is for it."""

_LINKED = """(t.num IN (SELECT i.pk >> 24 FROM items i WHERE i.ref IS NOT NULL) OR t.id IN (
 SELECT i.ref FROM items i JOIN tickets o ON o.num = i.pk >> 24 WHERE i.ref IS NOT NULL AND o.state <> 2))"""
"""It holds a link, or another ticket holds one to it."""

_OUTSOURCED = """t.num IN (SELECT h.num FROM handoffs h WHERE h.current = 1 AND h.role = 'lead'
 AND h.status IN ('assigned', 'accepted', 'in-progress', 'awaiting-approval'))"""
_OFFERED = (
    "t.num IN (SELECT h.num FROM handoffs h WHERE h.current = 1 AND h.role = 'service' AND h.status = 'assigned')"
)

_MERGED = """t.num IN (SELECT r.num FROM registers r WHERE instr(r.fields, '"merged"')
 AND json_extract(r.fields, '$.merged[0][1]') <> '')"""

IS: dict[str, str] = {
    "open": "t.state = 0",
    "closed": "t.state = 1",
    "deleted": "t.state = 2",
    "emergency": "t.emergency = 1",
    "conflict": "t.num IN (SELECT num FROM conflicts)",
    "merged": _MERGED,
    "unpushed": _UNPUSHED,
    "outsourced": _OUTSOURCED,
    "offered": _OFFERED,
}
"""What `is:` asks, where that needs nothing from the context."""

_REGISTERS = {"description": "description", "body": "description", "priority": "priority"}
"""Fields whose presence only the registers tell."""

ITEMS = ("comment", "attachment")
_COLUMNS = (
    "title", "status", "impact", "type", "queue", "assignee", "requester", "organization", "contract", "product", "due",
)  # fmt: skip
HANDED = ("handoff", "partner")
HAS = (*_COLUMNS, *_REGISTERS, "label", "link", *ITEMS, *HANDED)
"""What a ticket can have or lack, besides x.NAME."""


def can_lack(name: str) -> bool:
    """Whether `none` and `any` go with the field."""
    return name in HAS or name.startswith("x.")


def has(name: str, column: int) -> Sql:
    """The ticket has a value there. Raises QueryError for what no ticket could lack."""
    if name.startswith("x."):
        return present(custom(name[2:], column))
    if name not in HAS:
        raise QueryError(
            f"a ticket cannot have or lack {name[:40]!r}",
            column,
            f"{suggestion(name, HAS)}It is one of: {', '.join(HAS)}, x.NAME.",
        )
    if name in ITEMS:
        return item(name), []
    if name == "label":
        return "t.num IN (SELECT num FROM labels)", []
    if name == "link":
        return _LINKED, []
    if name in HANDED:
        return handed(), []
    return present(register(_REGISTERS[name]) if name in _REGISTERS else f"t.{name}")


def lacks(name: str, column: int) -> Sql:
    """The ticket has no value there."""
    sql, found = has(name, column)
    return f"({sql}) IS NOT TRUE", found


def handed(condition: str = "TRUE") -> str:
    """The ticket's open handoff, or the last one, is such; in a chain there is one in each role."""
    return f"t.num IN (SELECT h.num FROM handoffs h WHERE h.current = 1 AND {condition})"


def register(path: str) -> str:
    """The shown value at a path that has no column; the path is a name of ours or was checked to be harmless."""
    return f"(SELECT json_extract(r.fields, '$.\"{path}\"[0][1]') FROM registers r WHERE r.num = t.num)"


def item(kind: str, condition: str = "") -> str:
    """The ticket has an item of that kind which was not deleted."""
    return f"EXISTS (SELECT 1 FROM items i WHERE {_ITEMS} AND i.key GLOB '{kind}/*' AND {_ALIVE}{condition})"


def custom(name: str, column: int) -> str:
    """The expression for a field of one's own."""
    try:
        check_custom(name)
    except UsageError as error:
        raise QueryError(error.message, column, error.hint) from None
    return register(f"x.{name}")
