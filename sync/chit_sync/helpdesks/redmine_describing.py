"""What a Redmine is, in the terms of all helpdesks: what it carries and what it does not, its statuses, priorities, people, fields."""

from collections.abc import Sequence

from chit_sync.helpdesks.base import BOTH, Choice, Custom, Description, Feature, Person
from chit_sync.helpdesks.marking import is_reference
from chit_sync.helpdesks.redmine_answers import Part, line
from chit_sync.helpdesks.redmine_site import Site, full_name

FEATURES: dict[str, Feature] = {
    "title": BOTH,
    "description": BOTH,
    "status": Feature(True, True, "Which status may follow which is up to the project's workflow; Redmine ignores other ones."),
    "priority": BOTH,
    "queue": Feature(True, True, "It is the project; moving an issue needs the right to do so in both."),
    "assignee": Feature(True, True, "Only members of the project can be assigned."),
    "requester": Feature(True, False, "It is the issue's author, whom Redmine never changes: what we file, we have asked for."),
    "due": Feature(True, True, "Redmine keeps the day, not the time of day."),
    "labels": Feature(False, False, "Redmine has no labels."),
    "fields": BOTH,
    "history": Feature(True, False, "Redmine writes its history itself."),
    "replies": BOTH,
    "notes": Feature(True, True, "They need the right to set notes as private."),
    "comment edits": Feature(True, True, "An edited note moves no date of the issue: it shows when the issue is read again."),
    "comment deletions": Feature(True, True, "A deleted note moves no date of the issue: it shows when the issue is read again."),
    "attachments": Feature(True, True, "Redmine shows files to everybody who sees the issue; internal ones are not sent."),
    "attachment deletions": Feature(True, True, "A deleted file moves no date of the issue: it shows when the issue is read again."),
    "time": Feature(True, True, "Redmine keeps hundredths of an hour and the day; whole minutes come back as they were."),
    "time edits": Feature(True, True, "Edited or deleted time moves no date of the issue: it shows when the issue is read again."),
    "links": Feature(True, True, "A link moves no date of the issue: it shows when the issue is read again."),
    "merges": Feature(False, False, "Redmine cannot merge issues; a link “duplicates” and a closed status come nearest."),
    "deletions": Feature(True, True, "Redmine forgets deleted issues: they are missing in the list of all. Deleting needs the right."),
}  # fmt: skip
"""What Redmine carries."""

_MEANINGS = {
    "new": "new|neu|backlog|unconfirmed",
    "open": "open|offen|in progress|assigned|accepted|started|in bearbeitung|zugewiesen|reopened",
    "pending": "feedback|pending|waiting|on hold|stalled|blocked|wartend|rückfrage",
    "review": "review|in review|testing|verified|to test|prüfung",
    "resolved": "resolved|solved|fixed|done|gelöst|erledigt",
    "closed": "closed|geschlossen|archived",
    "rejected": "rejected|wontfix|won't fix|invalid|duplicate|canceled|cancelled|abgewiesen|abgelehnt",
}
_STATUSES = {name: meaning for meaning, names in _MEANINGS.items() for name in names.split("|")}
_DONE = ("resolved", "closed", "rejected")
_PRIORITIES = {
    "immediate": "critical", "urgent": "critical", "critical": "critical", "high": "high", "normal": "normal", "medium": "normal",
    "low": "low", "planned": "planned", "sofort": "critical", "dringend": "critical", "hoch": "high", "niedrig": "low",
}  # fmt: skip


def describe(site: Site) -> Description:
    """What it is and who we are there. Raises AccessError for a key that is not good."""
    me = site.check()
    site.load()
    projects = site.followed or tuple(site.projects)
    site.members(projects)
    people = [Person(login, site.names.get(number, "")) for number, login in sorted(site.people.items())]
    customs: dict[str, None] = {}
    references: list[str] = []
    for project in projects:
        for name in site.customs(project):
            if is_reference(name):
                references.append(name)
            else:
                customs.setdefault(f"x.{name}")
    queues = [site.projects[number].name for number in projects if number in site.projects]
    return Description(
        title="Redmine",
        version="unknown",
        account=Person(line(me.text("login")), full_name(me), line(me.text("mail"))),
        statuses=statuses(site.statuses),
        priorities=priorities(site.priorities),
        people=people,
        queues=queues,
        customs=[Custom(path) for path in customs],
        features=FEATURES,
        limits={"title": 255, "filename": 255},
        reference=references[0] if references else "",
        default_queue=queues[0] if site.followed or len(queues) == 1 else "",
    )


def statuses(parts: Sequence[Part]) -> list[Choice]:
    """The statuses and what they most likely mean, by their names and by whether they close an issue."""
    found: list[Choice] = []
    for part in parts:
        name, closes = line(part.text("name")), part.flag("is_closed")
        meaning = _STATUSES.get(name.strip().casefold(), "closed" if closes else "open")
        if closes and meaning not in _DONE:
            meaning = "closed"
        found.append(Choice(name, meaning))
    if not any(choice.means == "closed" for choice in found):
        last = next((choice for choice in reversed(found) if choice.means == "resolved"), None)
        found = [choice._replace(means="closed") if choice is last else choice for choice in found]
    return found


def priorities(parts: Sequence[Part]) -> list[Choice]:
    """The priorities that are in use, and what they most likely mean."""
    active = [part for part in parts if part.raw("active") is not False]
    return [
        Choice(name, _PRIORITIES.get(name.strip().casefold(), ""))
        for name in (line(part.text("name")) for part in active)
    ]
