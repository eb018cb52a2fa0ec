"""What a store takes from another one, and who may ask for what. Pure: the time is an argument.

Everything that comes in passes `examine`: its bytes, its id, its shape, the schema. A change that does not pass stops itself, with a
reason that its author can read, and nothing else.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from chit_sync import checks, ids, schema
from chit_sync.change import CHANGE_BYTES, Change
from chit_sync.clock import DAY, HOUR, MAX_AHEAD, MINUTE
from chit_sync.codec import decode_foreign, digest
from chit_sync.errors import UsageError
from chit_sync.registers import Value

MAX_PATHS = 10_000
"""Most paths that one change may set."""

MAX_OVER = 10_000
"""Most changes that one change may replace."""

MAX_NONCE = 100
"""Most characters in a nonce."""

SCOPES: dict[str, frozenset[str]] = {
    "admin": frozenset(("read", "append", "admin")),
    "agent": frozenset(("read", "append")),
    "reader": frozenset(("read",)),
    "partner": frozenset(("read", "append")),
}
"""What the holder of a token may do; a partner only with what is its own, which is seen to where its log is made."""

PARTNER = "partner"
"""The scope of the tokens that partners come with: they are made by joining, never by hand."""

RIGHTS = ("outsource", "accept", "partners", "finance")
"""What a person may do around partners: send, cancel, approve, reject, complete; accept, decline, counter, hand back; invite, end, see
the board of all; see and set pay, bill rate and margin."""

_RIGHTS_OF: dict[str, frozenset[str]] = {"admin": frozenset(RIGHTS), "agent": frozenset(("outsource", "accept"))}
"""The rights that a scope has by default; the others have none."""

_ticket_id = re.compile(f"[k-z]{{{2 * ids.ID_BYTES}}}").fullmatch
_mirror_id = re.compile(f"[k-z]{{{2 * ids.ITEM_BYTES}}}").fullmatch
_change_id = re.compile(f"[0-9a-f]{{{2 * CHANGE_BYTES}}}").fullmatch


class MismatchError(UsageError):
    """A change whose id does not follow from its bytes: damaged on the way, or forged."""


def may(scope: str, action: str) -> bool:
    """Whether a token of that scope allows the action: read, append or admin."""
    return action in SCOPES.get(scope, ())


def holds(scope: str, rights: str, right: str) -> bool:
    """Whether a token of that scope has the right. rights: those that it was given, apart by blanks; empty for those of its scope."""
    given = rights.split()
    return right in given if given else right in _RIGHTS_OF.get(scope, ())


def is_genuine(ident: bytes, body: bytes) -> bool:
    """Whether the id follows from the bytes; if not, they were damaged on the way, or forged."""
    return digest(body) == ident


def examine(ident: bytes, body: bytes) -> Change:
    """Reads a change that came from outside and holds it to everything but the time of day.

    Raises MismatchError if the id does not match the bytes, UsageError for everything else that is wrong with it.
    """
    if not is_genuine(ident, body):
        raise MismatchError(f"the id {ident.hex()} does not match the change's bytes")
    return examine_genuine(body)


def examine_genuine(body: bytes) -> Change:
    """The same for a change whose id was looked at already."""
    change = decode_foreign(body)
    reason = refuse(change)
    if reason:
        raise UsageError(reason)
    return change


def refuse(change: Change) -> str:
    """Why a store does not take this change; empty if it does."""
    if not _ticket_id(change.ticket):
        return f"{change.ticket[:40]!r} is not the id of a ticket"
    if not _is_author(change.by):
        return f"{change.by[:40]!r} cannot be the name of an author"
    if not 1 <= len(change.set) <= MAX_PATHS:
        return f"it sets {len(change.set)} fields; 1 to {MAX_PATHS} are allowed"
    if len(change.over) > MAX_OVER or not all(map(_change_id, change.over)):
        return "what it replaces is not named by ids of changes"
    if len(change.nonce) > MAX_NONCE or not change.nonce.isascii():
        return f"the nonce has {len(change.nonce)} characters; at most {MAX_NONCE} are allowed"
    if change.mirror and not _mirror_id(change.mirror):
        return f"{change.mirror[:40]!r} cannot name the helpdesk that it was read from"
    if change.mirror and any(path.startswith(("handoff/", "move/")) for path in change.set):
        return "a helpdesk knows nothing of handoffs"
    if _plain(change.set):
        return ""
    try:
        for path, value in change.set.items():
            # What most values are is told here at once; the rest, and whatever is wrong, is for the schema to say.
            kind = _kinds.get(path) or _kind(path)
            if kind == _LINE:
                if type(value) is str and 0 < len(value) <= checks.MAX_LINE and value.isprintable():
                    continue
            elif (kind == _CHOICE and (path, value) in _CHOICES) or (kind == _LABEL and value is True):
                continue
            checks.check(path, value)
    except UsageError as error:
        return error.message
    return ""


_LINE, _CHOICE, _LABEL, _OTHER = 1, 2, 3, 4
_CHOICES = frozenset((name, choice.name) for name, field in schema.FIELDS.items() for choice in field.choices)
_comment_body = re.compile(r"comment/[0-9A-Za-z]{1,64}/body").fullmatch

_together: dict[tuple[str, ...], tuple[str, ...]] = {}
"""Paths that came together lately, all for lines and choices, to those of them for choices: most changes set some of the same few."""


def _plain(sets: Mapping[str, Value]) -> bool:
    """Whether a change certainly sets nothing but lines and choices as they should be: one look at all of them, since most do."""
    paths = tuple(sets)
    choices = _together.get(paths)
    if choices is None:
        kinds = [_kinds.get(path) or _kind(path) for path in paths[:MOST_PATHS]]
        if len(paths) > MOST_PATHS or not {_LINE, _CHOICE}.issuperset(kinds):
            return False
        if len(_together) > MOST_KINDS:
            _together.clear()
        choices = _together[paths] = tuple(path for path, kind in zip(paths, kinds, strict=True) if kind == _CHOICE)
    for path in choices:
        if (path, sets[path]) not in _CHOICES:
            return False
    values = sets.values()
    try:
        text = "".join(values)  # type: ignore[arg-type]  # what is no text ends here
    except TypeError:
        return False
    return len(text) <= checks.MAX_LINE and text.isprintable() and "" not in values


_kinds: dict[str, int] = {}
"""Path to what its values mostly are, for the paths that came lately."""


def _kind(path: str) -> int:
    field = schema.FIELDS.get(path)
    if field is not None:
        kind = _CHOICE if field.choices else _LINE if field.type in ("line", "text", "status") else _OTHER
    elif path.startswith("x.") and _is_known(path):
        kind = _LINE
    elif path.startswith("labels/") and _is_known(path):
        kind = _LABEL
    elif _comment_body(path):
        return _LINE
    else:
        return _OTHER
    if len(_kinds) > MOST_KINDS:
        _kinds.clear()
    _kinds[path] = kind
    return kind


MOST_KINDS = 2_000
"""Most of what came lately that is remembered."""

MOST_PATHS = 50


def _is_known(path: str) -> bool:
    """Whether there is such a path."""
    try:
        checks.field_of(path)
    except UsageError:
        return False
    return True


@lru_cache(2_000)
def _is_author(name: str) -> bool:
    return bool(name) and len(name) <= checks.MAX_LINE and (name.isprintable() or not _control(name))


_control = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]").search


def ahead(change: Change, now: int) -> str:
    """Why a store does not take a change made by a clock that far ahead of its own; empty if it is not."""
    if change.at <= now + MAX_AHEAD:
        return ""
    return f"its clock is {span(change.at - now)} ahead of the time here"


def span(time: int) -> str:
    """A span of microseconds in words, roughly."""
    for unit, name in ((365 * DAY, "year"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if time >= unit:
            count = round(time / unit)
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "less than a minute"
