"""What config.toml may say of a helpdesk, under `[helpdesk.REMOTE]`. Pure: is given the decoded documents, reads no files.

    [helpdesk.origin]
    send = "own"          # or "all": also what others of this organisation have written and nobody has sent
    new = true            # whether tickets that are made here are made there too

    [helpdesk.origin.status]
    "In Progress" = "open"

The tables go from the helpdesk's word to ours: status, priority, people, queues, fields.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chit_sync.checks import check_custom
from chit_sync.errors import UsageError
from chit_sync.ids import NAME_RULE, is_name
from chit_sync.schema import PRIORITY_RANK

SECTION = "helpdesk"

TABLES = ("status", "priority", "people", "queues", "fields")

MAX_WORD = 200


class Tables(NamedTuple):
    """What is configured of one remote. send: own or all. new: whether tickets made here are made there; None where nothing is said."""

    status: Mapping[str, str] = {}
    priority: Mapping[str, str] = {}
    people: Mapping[str, str] = {}
    queues: Mapping[str, str] = {}
    fields: Mapping[str, str] = {}
    send: str = "own"
    new: bool | None = None


NOTHING = Tables()


def check(section: object) -> dict[str, Any]:
    """Checks the tables in a document's section; returns what else is in it, by `REMOTE.NAME`. Raises UsageError."""
    found: dict[str, Any] = {}
    if not isinstance(section, dict):
        raise UsageError(f"{SECTION} is not a section", f"It is written [{SECTION}.REMOTE].")
    for remote, values in section.items():
        where = f"{SECTION}.{remote}"
        if not isinstance(values, dict):
            raise UsageError(f"{where[:MAX_WORD]} is not a section", f"It is written [{SECTION}.REMOTE].")
        if not is_name(remote):
            raise UsageError(f"{remote[:MAX_WORD]!r} cannot name a remote", NAME_RULE)
        for name, value in values.items():
            if name in TABLES:
                _check_table(f"{where}.{name}", name, value)
            elif isinstance(value, dict):
                raise UsageError(f"there is no table {where}.{name}", f"There are: {', '.join(TABLES)}.")
            else:
                found[f"{remote}.{name}"] = value
    return found


def merged(documents: Sequence[Mapping[str, Any]], remote: str) -> Tables:
    """What several documents, all of them checked, say of a remote; of each word and setting the first that says something."""
    found: dict[str, Any] = {name: {} for name in TABLES}
    for document in documents:
        values = document.get(SECTION, {}).get(remote, {})
        for name, value in values.items():
            if name in TABLES:
                for theirs, ours in value.items():
                    found[name].setdefault(theirs, ours)
            else:
                found.setdefault(name, value)
    return Tables(**found)


def _check_table(where: str, name: str, table: object) -> None:
    if not isinstance(table, dict):
        raise UsageError(f"{where} is not a table", f'Under [{where}] stand lines like "their word" = "our word".')
    for theirs, ours in table.items():
        if not isinstance(ours, str) or not ours.strip():
            raise UsageError(
                f"{where}: {theirs!r} means a text, not {ours!r}", 'It is written "their word" = "our word".'
            )
        if len(ours) > MAX_WORD or not ours.isprintable():
            raise UsageError(f"{where}: {theirs!r} cannot mean {ours[:MAX_WORD]!r}", "It is one short line of text.")
        if name == "priority" and ours not in PRIORITY_RANK:
            raise UsageError(
                f"{where}: {theirs!r} cannot mean {ours!r}", f"A priority is one of: {', '.join(PRIORITY_RANK)}."
            )
        if name == "fields":
            try:
                check_custom(ours)
            except UsageError as error:
                raise UsageError(f"{where}: {error.message}", error.hint) from None
    if name == "fields" and len(set(table.values())) < len(table):
        raise UsageError(f"{where}: two fields have one name here", "Give each a name of its own.")
