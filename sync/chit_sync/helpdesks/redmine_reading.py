"""What a Redmine issue is as a ticket: JSON in, snapshots out. Pure; asks nobody.

Redmine's answers hold ids where its history is concerned; `Names` says what they are called. An issue's last line may hold our ticket's
id where there is no custom field for it; it is no part of the description.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chit_sync.helpdesks.base import Comment, Event, File, Snapshot, Tie, Work
from chit_sync.helpdesks.marking import is_reference, is_ticket, unmarked
from chit_sync.helpdesks.redmine_answers import Part, day, line, lines
from chit_sync.helpdesks.rows import number
from chit_sync.registers import Value

INCLUDE = "journals,attachments,relations,children"
"""What a whole issue has to be asked for with."""

_TIES = {"relates": "relates", "blocks": "blocks", "duplicates": "duplicates"}
_DETAILS = {
    "subject": "title",
    "description": "description",
    "status_id": "status",
    "priority_id": "priority",
    "assigned_to_id": "assignee",
    "project_id": "queue",
    "due_date": "due",
}
_EVERY_TOLD = frozenset(("comments", "files", "works", "ties"))


@dataclass
class Names:
    """What Redmine's ids are called. people: logins where they can be had. customs: custom fields, without the one for references."""

    statuses: Mapping[int, str] = field(default_factory=dict)
    priorities: Mapping[int, str] = field(default_factory=dict)
    projects: Mapping[int, str] = field(default_factory=dict)
    people: Mapping[int, str] = field(default_factory=dict)

    def called(self, path: str, number: int) -> str:
        """The name behind an id in a field; the id itself, marked as one, where it has none any more."""
        table = {
            "status": self.statuses,
            "priority": self.priorities,
            "queue": self.projects,
            "assignee": self.people,
        }[path]
        return table.get(number) or f"#{number}"

    def person(self, who: Part) -> str:
        """Who that is: the login if it is known, else the name that Redmine shows."""
        number = who.number("id")
        return self.people.get(number) or line(who.text("name")) or f"#{number}"


def joined(value: object) -> Value:
    """The value of a custom field as one text."""
    if isinstance(value, list):
        value = "\n".join(str(part) for part in value if part not in (None, ""))
    return lines(str(value)) if value not in (None, "") else None


def people_of(issue: Part, works: Sequence[Part]) -> dict[int, str]:
    """Everybody who occurs in an issue: ids to the names that are shown, empty where only the id is."""
    found: dict[int, str] = {}
    told = [issue.part(key) for key in ("author", "assigned_to") if issue.has(key)]
    journals = issue.parts("journals")
    told += [part.part("user") for part in (*journals, *works) if part.has("user")]
    told += [part.part("author") for part in issue.parts("attachments") if part.has("author")]
    for journal in journals:
        for detail in journal.parts("details"):
            if detail.raw("name") == "assigned_to_id" and detail.raw("property") == "attr":
                for key in ("old_value", "new_value"):
                    if ident := number(detail.raw(key)):
                        found.setdefault(ident, "")
    for who in told:
        found[who.number("id")] = line(who.text("name"))
    return found


def token_of(issue: Part) -> str:
    """The id of our ticket, as the custom field for it or the description's last line tells it."""
    for custom in issue.parts("custom_fields"):
        value = custom.raw("value")
        if is_reference(custom.text("name")) and isinstance(value, str) and is_ticket(value):
            return value
    return unmarked(issue.text("description"))[1]


def snapshot(issue: Part, names: Names, works: Sequence[Part] | None) -> Snapshot:
    """The issue as a ticket. works: its time entries; None if they are not to be had."""
    number = issue.number("id")
    author = names.person(issue.part("author")) if issue.has("author") else ""
    fields: dict[str, Value] = {
        "title": line(issue.text("subject")),
        "description": unmarked(issue.text("description"))[0] or None,
        "status": _named("status", issue, "status", names),
        "priority": _named("priority", issue, "priority", names),
        "queue": _named("queue", issue, "project", names),
        "assignee": names.person(issue.part("assigned_to")) if issue.has("assigned_to") else None,
        "requester": author or None,
        "due": issue.day("due_date"),
    }
    customs: dict[int, tuple[str, bool]] = {}
    for custom in issue.parts("custom_fields"):
        name = line(custom.text("name"))
        if not is_reference(name):
            customs[custom.number("id")] = (f"x.{name}", custom.flag("multiple"))
            fields[f"x.{name}"] = joined(custom.raw("value"))
    journals = sorted(issue.parts("journals"), key=lambda journal: journal.number("id"))
    return Snapshot(
        number,
        author,
        issue.time("created_on"),
        issue.time("updated_on"),
        fields,
        comments=[_comment(journal, names) for journal in journals if journal.text("notes").strip()],
        files=[_file(part, names) for part in issue.parts("attachments")],
        works=[_work(part, names) for part in works or ()],
        ties=list(_ties(number, issue)),
        events=_events(journals, fields, customs, names),
        token=token_of(issue),
        told=_EVERY_TOLD if works is not None else _EVERY_TOLD - {"works"},
    )


def minutes(hours: float) -> int:
    """Minutes of a time entry. Redmine keeps hundredths of an hour, which are exact enough to get whole minutes back."""
    return round(hours * 60)


def _named(path: str, issue: Part, key: str, names: Names) -> Value:
    if not issue.has(key):
        return None
    part = issue.part(key)
    table = {"status": names.statuses, "priority": names.priorities, "queue": names.projects}[path]
    return table.get(part.number("id")) or line(part.text("name")) or f"#{part.number('id')}"


def _comment(journal: Part, names: Names) -> Comment:
    author = names.person(journal.part("user")) if journal.has("user") else ""
    public = not journal.flag("private_notes")
    return Comment(str(journal.number("id")), author, journal.time("created_on"), journal.text("notes"), public)


def _file(part: Part, names: Names) -> File:
    key = str(part.number("id"))
    author = names.person(part.part("author")) if part.has("author") else ""
    name = line(part.text("filename"))
    return File(key, author, part.time("created_on"), name, part.number("filesize"), public=True, ref=key)


def _work(part: Part, names: Names) -> Work:
    author = names.person(part.part("user")) if part.has("user") else ""
    spent = minutes(part.hours("hours"))
    date = part.day("spent_on") or 0
    return Work(str(part.number("id")), author, part.time("created_on"), spent, date, part.text("comments"))


def _ties(number: int, issue: Part) -> Iterator[Tie]:
    for relation in issue.parts("relations"):
        kind = relation.text("relation_type")
        first, second = relation.number("issue_id"), relation.number("issue_to_id")
        if kind in _TIES and first == number:
            yield Tie(_TIES[kind], second)
        elif kind == "precedes" and second == number:
            yield Tie("follows", first)
    for child in issue.parts("children"):
        yield Tie("parent-of", child.number("id"))


def _events(
    journals: Sequence[Part], fields: Mapping[str, Value], customs: Mapping[int, tuple[str, bool]], names: Names
) -> list[Event]:
    """What was done to the fields, the oldest first."""
    now = dict(fields)
    events: list[Event] = []
    for journal in reversed(journals):
        changes: dict[str, tuple[Value, Value]] = {}
        for detail in reversed(journal.parts("details")):
            kind, name = detail.raw("property"), detail.raw("name")
            old, new = detail.raw("old_value"), detail.raw("new_value")
            if kind == "attr" and isinstance(name, str) and name in _DETAILS:
                path = _DETAILS[name]
                changes[path] = (_value(path, old, names), _value(path, new, names))
            elif kind == "cf" and number(name) in customs:
                path, multiple = customs[number(name)]
                if not multiple:
                    changes[path] = (joined(old), joined(new))
                    continue
                # of a field with several values Redmine tells what came and what went, one by one
                after = changes[path][1] if path in changes else now[path]
                before = [value for value in str(now[path] or "").split("\n") if value and value != joined(new)]
                now[path] = joined([*before, joined(old)])
                changes[path] = (now[path], after)
        changes = {path: (old, new) for path, (old, new) in changes.items() if old != new}
        if changes:
            author = names.person(journal.part("user")) if journal.has("user") else ""
            events.append(Event(str(journal.number("id")), journal.time("created_on"), author, changes))
    return events[::-1]


def _value(path: str, told: object, names: Names) -> Value:
    """A value in the history, in the words of the fields."""
    if told is None or told == "":
        return None
    if path == "title":
        return line(lines(str(told)))
    if path == "description":
        return unmarked(lines(str(told)))[0] or None
    if path == "due":
        return day(str(told))
    ident = number(told)
    return names.called(path, ident) if ident else None
