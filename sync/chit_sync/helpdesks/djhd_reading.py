"""What django-helpdesk answers in JSON, as words and snapshots. Pure: asks nothing, decides nothing, believes nothing unchecked.

A ticket has no history there but its followups, and each of those may be several things at once: a comment, spent time, a change
of the status, a carrier of files. Each is shown as one thing only:

    the first, with the description          the making of the ticket
    with time, internal                      time, whose note the text is
    with time, public                        time without a note, and a comment
    with text                                a comment
    with a new status                        besides, an event
    with nothing but files                   its files
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from chit_sync.clock import SECOND
from chit_sync.errors import RemoteError
from chit_sync.helpdesks.base import Comment, Event, File, Found, Gone, Snapshot, Work
from chit_sync.helpdesks.marking import REFERENCES, is_ticket, unmarked
from chit_sync.helpdesks.rows import items, member, record, text, whole
from chit_sync.ids import ID_BYTES
from chit_sync.registers import Value
from chit_sync.times import from_stamp, to_stamp

CUSTOM = "custom_"
OPENED = 1
"""The status of a ticket that was just made."""

TOLD = frozenset(("comments", "files", "works"))
WORKED = re.compile(r"(?:^|\r?\n)\[chit:([k-z]{16})? (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\]\s*\Z")
"""The last line of a note of spent time that we wrote: our item, and when the work was done."""

MOST_DIGITS = 18
MEDIA_TOKEN = re.compile(r";\s*chit=([k-z]{16})\s*\Z")
"""What names our attachment at the end of a file's media type."""

_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+")
_DURATION = re.compile(r"(?:(-?\d{1,7}) )?(\d{1,6}):(\d\d):(\d\d)(?:\.\d+)?")

OPENINGS = (
    "Ticket Opened", "Ticket geöffnet", "Ticket über das Web geöffnet", "Billet ouvert", "Ticket abierto", "Ticket aberto",
    "Ticket Aberto", "Ticket aperto", "Ticket byl otevřen", "Ticket založen", "Tukipyyntö avattu", "Tukipyyntö jätetty",
    "Zgłoszenie otwarto", "Тикет открыт", "Sak åpnet", "Slučaj otvoren", "otvoreni slučaj", "Bilet açıldı",
    "Bilet web üzerinden açıldı", "工单已", "开工单", "已开", "تیکت باز است", "تیکت از طریق", "التذكرة مفتوحة",
)  # fmt: skip
"""How the title of the followup begins with which a ticket was made, in the languages that the helpdesk speaks."""


class Field(NamedTuple):
    """A custom field. key: in JSON. path: ours. choices: their values, if only those may stand there. most: characters, 0 for any."""

    key: str
    path: str
    choices: tuple[str, ...] = ()
    most: int = 0


class Words(NamedTuple):
    """What numbers and keys are called there. reference: the key of the field with our id; empty if there is none."""

    statuses: Mapping[int, str]
    priorities: Mapping[int, str]
    fields: Mapping[str, Field]
    reference: str
    queues: Mapping[int, str]
    most_title: int = 200

    def status(self, number: int) -> str:
        """A status by its name; an unknown one by its number."""
        return self.statuses.get(number, str(number))

    def priority(self, number: int) -> str:
        """A priority by its name; an unknown one by its number."""
        return self.priorities.get(number, str(number))

    def queue(self, number: int) -> str:
        """A queue by the name that the address gives it, else by its number."""
        return self.queues.get(number, str(number))


def read_words(data: object, where: str, queues: Mapping[int, str]) -> Words:
    """What `OPTIONS /api/tickets/` tells."""
    post = record(data, "actions", "POST")
    statuses = dict(_choices(post.get("status")))
    priorities = dict(_choices(post.get("priority")))
    if not statuses or not priorities:
        raise RemoteError(
            f"{where} does not describe its tickets as django-helpdesk does",
            "Is the address the one of the helpdesk, up to the part before `api/`?",
        )
    fields: dict[str, Field] = {}
    for key, about in post.items():
        if key.startswith(CUSTOM) and len(key) > len(CUSTOM):
            names = tuple(str(value) for value, _ in _pairs(about) if isinstance(value, str | int))
            fields[key] = Field(key, f"x.{key.removeprefix(CUSTOM)}", names, whole(about, "max_length") or 0)
    reference = ""
    for name in REFERENCES:
        for key, field in fields.items():
            if not reference and key.lower() == CUSTOM + name and not 0 < field.most < 2 * ID_BYTES:
                reference = key
    most = whole(post, "title", "max_length") or 200
    return Words(statuses, priorities, fields, reference, queues, most)


def read_page(data: object, where: str) -> tuple[int, list[dict[str, object]]]:
    """How many there are in all, and those of one page of a list."""
    count, results = whole(data, "count"), member(data, "results")
    if count is None or not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
        raise RemoteError(f"{where} sent a list that makes no sense", "Does the address lead to django-helpdesk?")
    return count, results


def read_ticket(raw: Mapping[str, object], words: Words, where: str) -> Found:
    """A ticket of theirs, with all its followups; one that was merged into another is gone."""
    number = _number(raw, "id", where)
    followups = sorted((followup(one, where) for one in items(raw, "followup_set")), key=lambda one: one.order)
    times = [one.date for one in followups]
    modified = max(times, default=1)
    into = whole(raw, "merged_to")
    if into and into != number:
        return Gone(number, "merged", into, followups[-1].author if followups else "", modified)
    opening = followups[0] if followups and followups[0].opens(raw.get("description")) else None
    rest = [one for one in followups if one is not opening]
    author = text(raw, "submitter_email")
    if followups and opening:
        author = opening.author or author
    return Snapshot(
        number, author, min(times, default=1), modified, _fields(raw, words, where),
        comments=tuple(Comment(one.id, one.author, one.date, one.comment, one.public) for one in rest if one.is_comment),
        files=tuple(file for one in followups for file in one.files),
        works=tuple(_work(one) for one in rest if one.minutes),
        events=tuple(_events(followups, words)), token=read_token(raw, words), told=TOLD,
    )  # fmt: skip


def _work(one: "Followup") -> Work:
    note, date, token = worked("" if one.public else one.comment)
    return Work(one.id, one.author, one.date, one.minutes, one.date if date is None else date, note, token)


class Followup(NamedTuple):
    """A followup, checked. minutes: 0 without time. status: that it set, 0 for none. bare: it says nothing at all and has no files."""

    number: int
    ticket: int
    user: int
    author: str
    title: str
    comment: str
    public: bool
    status: int
    minutes: int
    date: int
    files: tuple[File, ...]

    @property
    def id(self) -> str:
        """As snapshots call it."""
        return str(self.number)

    @property
    def order(self) -> tuple[int, int]:
        """Its place among the others."""
        return self.date, self.number

    @property
    def is_comment(self) -> bool:
        """Whether it is shown as a comment."""
        return bool(self.comment) and (self.public or not self.minutes)

    @property
    def bare(self) -> bool:
        """Whether it says nothing and carries nothing."""
        return not (self.comment or self.status or self.minutes or self.files)

    def opens(self, description: object) -> bool:
        """Whether, being the first, it is the one with which the ticket was made."""
        if self.status or self.minutes:
            return False
        return self.comment == (description or "") or self.title.startswith(OPENINGS)


def followup(raw: object, where: str) -> Followup:
    """A followup of theirs."""
    one = record(raw)
    number, date = _number(one, "id", where), moment(one.get("date"), where)
    if date is None:
        raise RemoteError(f"{where} sent a followup without a date")
    user, public = whole(one, "user") or 0, one.get("public") is True
    named = _ADDRESS.search(text(one, "title"))
    author = str(user) if user else (named.group() if named else "")
    files = tuple(_file(item, author, date, public, where) for item in items(one, "followupattachment_set"))
    return Followup(
        number, whole(one, "ticket") or 0, user, author, text(one, "title"), text(one, "comment"), public,
        whole(one, "new_status") or 0, minutes(one.get("time_spent")), date, files,
    )  # fmt: skip


def _file(one: object, author: str, date: int, public: bool, where: str) -> File:
    url = text(one, "file")
    token = MEDIA_TOKEN.search(text(one, "mime_type"))
    # Names and sizes are what whoever uploaded the file said.
    name = _file_name(text(one, "filename")) or _file_name(_path(url)) or "file"
    number = _number(one, "id", where)
    return File(str(number), author, date, name, -1, public, url, token.group(1) if token else "")


def _file_name(text: str) -> str:
    """What of a name can name a file; empty if nothing can."""
    name = "".join(char for char in re.split(r"[/\\]", text)[-1] if char.isprintable()).strip()
    return name if name.strip(".") else ""


def _path(url: str) -> str:
    try:
        return unquote(urlsplit(url).path)
    except ValueError:
        return ""


def _fields(raw: Mapping[str, object], words: Words, where: str) -> dict[str, Value]:
    description, token = unmarked(text(raw, "description"))
    queue, person = whole(raw, "queue"), whole(raw, "assigned_to")
    fields: dict[str, Value] = {
        "title": text(raw, "title"),
        "description": (description.rstrip() if token else description) or None,
        "status": words.status(_number(raw, "status", where)),
        "priority": words.priority(_number(raw, "priority", where)),
        "queue": None if queue is None else words.queue(queue),
        "assignee": None if person is None else str(person),
        "requester": text(raw, "submitter_email") or None,
        "due": moment(raw.get("due_date"), where),
        "x.resolution": text(raw, "resolution") or None,
        "x.on_hold": "true" if raw.get("on_hold") is True else None,
    }
    for key, field in words.fields.items():
        value = _told(raw.get(key))
        if key != words.reference:
            fields[field.path] = value
    return fields


def read_token(raw: Mapping[str, object], words: Words) -> str:
    """The id of our ticket that it carries; empty if it carries none."""
    value = text(raw, words.reference) if words.reference else ""
    return value if is_ticket(value) else unmarked(text(raw, "description"))[1]


def _told(value: object) -> str | None:
    """What a custom field holds, as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "\n".join(part for one in value if (part := _told(one))) or None
    return str(value) or None if isinstance(value, str | int | float) else None


def _events(followups: Iterable[Followup], words: Words) -> list[Event]:
    events: list[Event] = []
    before = OPENED
    for one in followups:
        if one.status:
            if one.status != before:
                change: tuple[Value, Value] = (words.status(before), words.status(one.status))
                events.append(Event(f"status-{one.number}", one.date, one.author, {"status": change}))
            before = one.status
    return events


def worked(text: str) -> tuple[str, int | None, str]:
    """The note of spent time without the line in which we keep its day and our id, and these two."""
    found = WORKED.search(text)
    if not found:
        return text, None, ""
    try:
        return text[: found.start()].rstrip(), moment(found.group(2), "chit"), found.group(1) or ""
    except RemoteError:
        return text, None, ""


def unworked(note: str, date: int, token: str) -> str:
    """A note with that line: the server dates time by when it is entered."""
    day = from_stamp(date // SECOND * SECOND).isoformat().replace("+00:00", "Z")
    return f"{note}\n[chit:{token} {day}]".lstrip()


def is_number(text: str) -> bool:
    """Whether a text is a number of something there."""
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS


def moment(value: object, where: str) -> int | None:
    """A time in microseconds; None for none."""
    if value is None or value == "":
        return None
    try:
        time = datetime.fromisoformat(value if isinstance(value, str) else "")
        if time.tzinfo is None:
            raise RemoteError(
                f"{where} tells times without their zone",
                "Its administrator has to set USE_TZ; without it they are ambiguous.",
            )
        return to_stamp(time)
    except (ValueError, OverflowError):
        raise RemoteError(f"{where} sent a time that makes no sense") from None


def minutes(value: object) -> int:
    """Spent time in whole minutes, rounded, at least one for any; 0 for none, and for less than none."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return 0
    days, hours, mins, seconds = (int(part or 0) for part in found.groups())
    total = ((days * 24 + hours) * 60 + mins) * 60 + seconds
    return max(1, (total + 30) // 60) if total > 0 else 0


def _pairs(about: object) -> list[tuple[object, str]]:
    return [(member(one, "value"), text(one, "display_name")) for one in items(about, "choices")]


def _choices(about: object) -> Iterable[tuple[int, str]]:
    for value, name in _pairs(about):
        number = whole(value)
        if number is not None:
            yield number, " ".join(name.split()) or str(number)


def _number(raw: object, name: str, where: str) -> int:
    value = whole(raw, name)
    if value is None:
        raise RemoteError(f"{where} sent something without its number ({name}), as django-helpdesk never does")
    return value
