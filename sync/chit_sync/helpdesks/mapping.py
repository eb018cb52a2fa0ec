"""What a helpdesk's words mean here, and the other way round: statuses, priorities, people, queues, custom fields. Pure.

The tables are made from what the helpdesk says of itself, and what the configuration says goes before. A value that no table knows is
an error that names the table to extend: nothing is guessed. Knows neither stores nor adapters, and reads no files.

Several of their words may mean one of ours, so whether a value differs from what is there is to be asked in our words: `to_ours`.
"""

from collections.abc import Mapping as Table
from collections.abc import Sequence

from chit_sync.checks import check_custom
from chit_sync.errors import UsageError
from chit_sync.helpdesks.base import Description, Person
from chit_sync.helpdesks.settings import NOTHING, Tables
from chit_sync.registers import Value
from chit_sync.schema import CATEGORIES, DEFAULT_STATUSES, PRIORITY_RANK

PEOPLE = frozenset(("assignee", "requester", "author"))
"""The paths that hold a person; `author` is no field, but who wrote a ticket, a comment, an event."""

_NEAR = {"closed": "resolved", "resolved": "closed", "new": "open", "open": "new"}
"""The category that stands in for one that a helpdesk does not have: every store has statuses that mean new, open and closed."""

_MAX_NAME = 60


class Unmapped(UsageError):
    """A value that no table knows. It stops itself, not its ticket. table: the section of config.toml that has to know it."""

    def __init__(self, path: str, value: Value, remote: str, table: str, *, theirs: bool) -> None:
        text = str(value)[:100]
        whose = f"{path} is {text!r} at {remote}" if theirs else f"{path} is {text!r} here"
        super().__init__(
            f"{whose}, and nothing says what that means {'here' if theirs else f'at {remote}'}",
            f"Say so under [helpdesk.{remote}.{table}] in config.toml; `chit remote show {remote} --mapping` prints what holds.",
        )
        self.path, self.value, self.remote, self.table = path, value, remote, table


class Mapping:
    """The tables of one remote, each from their word to ours; of several of theirs for one of ours the first is written.

    near: what is written for a status of ours that no entry of theirs means. listed: whether only the custom fields of the table are
    carried, since the configuration lists them. send, new: as in `settings.Tables`; new is None where nothing is said.
    """

    def __init__(
        self,
        remote: str,
        description: Description,
        *,
        status: Table[str, str],
        near: Table[str, str],
        priority: Table[str, str],
        people: Table[str, str],
        fields: Table[str, str],
        tables: Tables = NOTHING,
    ) -> None:
        self.remote = remote
        self.status = {**tables.status, **_left(status, tables.status)}
        self.priority = {**tables.priority, **_left(priority, tables.priority)}
        self.people = {**tables.people, **_left(people, tables.people)}
        self.queues = dict(tables.queues)
        self.listed = bool(tables.fields)
        self.fields = dict(tables.fields or fields)
        self.send = tables.send
        self.new = tables.new
        self._near = near
        self._numbers = sorted(int(key) for key in self.priority if _is_number(key))
        self._queues = {name.casefold(): name for name in reversed(description.queues)}
        self._known = _by_name(description)
        self._back = {
            "status": {**near, **_reversed(self.status)},
            "priority": _reversed(self.priority),
            "people": _reversed(self.people),
            "queues": _reversed(self.queues),
            "fields": _reversed(self.fields),
        }

    def reads(self, path: str) -> bool:
        """Whether a path of theirs has one here: a custom field that the configuration leaves out has none."""
        return not path.startswith("x.") or path[2:] in self.fields

    def writes(self, path: str) -> bool:
        """Whether a path of ours has one there, as far as the tables say: a custom field that the helpdesk does not have has none."""
        return not path.startswith("x.") or path[2:] in self._back["fields"]

    def to_ours(self, path: str, raw: Value) -> tuple[str, Value]:
        """A path and value of theirs as ours. Raises Unmapped."""
        if path.startswith("x."):
            name = self.fields.get(path[2:])
            if name is None:
                raise Unmapped(path, raw, self.remote, "fields", theirs=True)
            return f"x.{name}", None if raw is None else _text(raw)
        if raw is None:
            return path, None
        if path == "status":
            return path, self._found(self.status, path, raw, "status")
        if path == "priority":
            return path, self._priority(raw)
        if path in PEOPLE:
            return path, self.people.get(_text(raw), raw)
        if path == "queue":
            return path, self.queues.get(_text(raw), raw)
        return path, raw

    def to_theirs(self, path: str, value: Value) -> tuple[str, Value]:
        """A path and value of ours as theirs. Raises Unmapped."""
        if path.startswith("x."):
            name = self._back["fields"].get(path[2:])
            if name is None:
                raise Unmapped(path, value, self.remote, "fields", theirs=False)
            return f"x.{name}", value
        if value is None:
            return path, None
        if path in ("status", "priority"):
            found = self._back[path].get(_text(value))
            if found is None:
                raise Unmapped(path, value, self.remote, path, theirs=False)
            return path, found
        if path in PEOPLE:
            return path, self._person(path, _text(value))
        if path == "queue":
            return path, self._queue(_text(value))
        return path, value

    def person(self, key: str) -> str:
        """Somebody there by the name that they have here."""
        return self.people.get(key, key)

    def _found(self, table: Table[str, str], path: str, raw: Value, name: str) -> str:
        found = table.get(_text(raw))
        if found is None:
            raise Unmapped(path, raw, self.remote, name, theirs=True)
        return found

    def _priority(self, raw: Value) -> str:
        """A number that is not listed means what the nearest one below it means, and one below all, what the lowest means."""
        text = _text(raw)
        if text not in self.priority and self._numbers and _is_number(text):
            below = [number for number in self._numbers if number <= int(text)]
            text = str(below[-1] if below else self._numbers[0])
        return self._found(self.priority, "priority", text, "priority")

    def _person(self, path: str, name: str) -> str:
        """The key of somebody there: by the table, else by key, address or name, in whatever case, if only one goes by it."""
        found = self._back["people"].get(name)
        if found is None and not self._known:
            found = name
        if found is None:
            keys = self._known.get(name.casefold(), ())
            found = keys[0] if len(keys) == 1 else None
        if found is None and path == "requester" and "@" in name and not name.endswith("@"):
            found = name  # who asks need not be a user there: an address will do, or the helpdesk refuses it
        if found is None:
            raise Unmapped(path, name, self.remote, "people", theirs=False)
        return found

    def _queue(self, name: str) -> str:
        found = self._back["queues"].get(name)
        if found is None:
            found = self._queues.get(name.casefold()) if self._queues else name
        if found is None:
            raise Unmapped("queue", name, self.remote, "queues", theirs=False)
        return found


def defaults(
    description: Description, statuses: Table[str, str], remote: str = "origin", tables: Tables = NOTHING
) -> Mapping:
    """The mapping of a remote: made from what the helpdesk says of itself, for a store with these statuses (name to category), under
    what the configuration says."""
    slugs = _slugs([choice.name for choice in description.statuses])
    ours = {_slug(name): name for name in reversed(list(statuses))}
    first = {category: name for name, category in reversed(list(statuses.items()))}
    status: dict[str, str] = {}
    for choice in description.statuses:
        meant = ours.get(slugs[choice.name]) or ours.get(_slug(choice.name)) or first.get(choice.means)
        if meant is not None:
            status[choice.name] = meant
    priority = {}
    for choice in description.priorities:
        level = _slug(choice.name) if _slug(choice.name) in PRIORITY_RANK else choice.means
        if level in PRIORITY_RANK:
            priority[choice.name] = level
    names = [custom.path.removeprefix("x.") for custom in description.customs]
    return Mapping(
        remote,
        description,
        status=status,
        near=_nearest(description, statuses),
        priority=priority,
        people=_named(description),
        fields=_slugs(names, dotted=True),
        tables=tables,
    )


def statuses_for(description: Description) -> dict[str, str]:
    """The statuses, name to category, of a store that is made from the helpdesk: its own, so that none is lost, and what it takes for
    one to mean new, open and closed. One that the helpdesk does not explain counts as open."""
    slugs = _slugs([choice.name for choice in description.statuses])
    found = {
        slugs[choice.name]: choice.means if choice.means in CATEGORIES else "open" for choice in description.statuses
    }
    if "closed" not in found.values():
        last = next((name for name, category in found.items() if category == "resolved"), None)
        if last is not None:
            found[last] = "closed"
    for category in ("new", "open", "closed"):
        if category not in found.values():
            found[_free(DEFAULT_STATUSES[category], found)] = category
    return found


def toml(mapping: Mapping) -> str:
    """The tables as they are in force, to paste into config.toml and to change there."""
    import tomli_w

    tables = {
        "status": mapping.status,
        "priority": mapping.priority,
        "people": mapping.people,
        "queues": mapping.queues,
        "fields": mapping.fields,
    }
    text = tomli_w.dumps({"helpdesk": {mapping.remote: {name: table for name, table in tables.items() if table}}})
    # What a terminal would obey instead of showing it is spelled out; it means the same in the file.
    return "".join(char if char == "\n" or char.isprintable() else f"\\U{ord(char):08x}" for char in text)


def _nearest(description: Description, statuses: Table[str, str]) -> dict[str, str]:
    """What is written for a status of ours that none of theirs means by itself: the first of its category there, or of the one that
    stands in for it."""
    first = {choice.means: choice.name for choice in reversed(description.statuses)}
    found = {}
    for name, category in statuses.items():
        theirs = first.get(category) or first.get(_NEAR.get(category, ""))
        if theirs is not None:
            found[name] = theirs
    return found


def _named(description: Description) -> dict[str, str]:
    """Those whom the helpdesk knows by a bare number, by their names, as far as nobody else has the same one."""
    names: dict[str, set[str]] = {}
    people = [*description.people, description.account]
    for one in people:
        for name in (one.key, one.name):
            names.setdefault(name.casefold(), set()).add(one.key)
    return {
        one.key: one.name for one in people if one.key.isdecimal() and one.name and len(names[one.name.casefold()]) == 1
    }


def _left(table: Table[str, str], above: Table[str, str]) -> dict[str, str]:
    """What is left of a table under another one."""
    return {key: value for key, value in table.items() if key not in above}


def _reversed(table: Table[str, str]) -> dict[str, str]:
    """Ours to theirs, the first that is listed."""
    return {ours: theirs for theirs, ours in reversed(list(table.items()))}


def _by_name(description: Description) -> dict[str, Sequence[str]]:
    """Name, address or key of everybody there, in small letters, to their keys. A key goes before a name that is the same."""
    if not description.people:
        return {}
    people: list[Person] = [*description.people]
    if description.account.key:
        people.append(description.account)
    found: dict[str, set[str]] = {}
    for one in people:
        for name in (one.name, one.email):
            if name:
                found.setdefault(name.casefold(), set()).add(one.key)
    keys: dict[str, set[str]] = {}
    for one in people:
        keys.setdefault(one.key.casefold(), set()).add(one.key)
    return {name: sorted(several) for name, several in {**found, **keys}.items()}


def _slugs(names: Sequence[str], *, dotted: bool = False) -> dict[str, str]:
    """Each name to a short one of its own, the same for the same names in the same order."""
    found: dict[str, str] = {}
    taken: dict[str, str] = {}
    for name in names:
        if name not in found:
            found[name] = slug = _free(_slug(name, dotted=dotted), taken)
            taken[slug] = name
    return found


def _slug(name: str, *, dotted: bool = False) -> str:
    """A name in small letters, digits, dashes and underscores."""
    kept = "-_." if dotted else "-_"
    text = "".join(char if char.isalnum() or char in kept else " " for char in name.lower())
    slug = "-".join(text.split())[:_MAX_NAME].strip("-")
    if not slug:
        return "unnamed"
    if dotted:
        check_custom(slug)
    return slug


def _free(name: str, taken: Table[str, str]) -> str:
    """The name, or the first with a number that is not taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii() and len(text) <= 12


def _text(raw: Value) -> str:
    """A value as the tables have it."""
    return raw if isinstance(raw, str) else str(raw).lower() if isinstance(raw, bool) else str(raw)
