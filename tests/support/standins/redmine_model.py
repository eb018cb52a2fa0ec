"""What a Redmine knows and does, in memory: issues, journals, relations, time, and the rules by which it takes or drops what it is given.

Its clock goes on by two seconds with each write and is half a second past whole ones, as a real clock is past them by something.
"""

import copy
import datetime
import re
from typing import Any

START = datetime.datetime(2026, 3, 3, 9, 0, tzinfo=datetime.UTC).timestamp() + 0.5
STATUSES = ("New", "In Progress", "Resolved", "Feedback", "Closed", "Rejected")
CLOSED = (5, 6)
PRIORITIES = ("Low", "Normal", "High", "Urgent", "Immediate")
PROJECTS = {1: "Support", 2: "Billing"}
PEOPLE = {
    1: ("admin", "Helpdesk", "Admin"),
    5: ("agent1", "Agent", "One"),
    6: ("agent2", "Agent", "Two"),
    7: ("requester", "Réquester", "Øne"),
}
CUSTOMS = {1: "ExternalRef", 2: "Severity"}
SEVERITIES = ("Low", "Medium", "High")
REVERSED = {"blocked": "blocks", "duplicated": "duplicates", "follows": "precedes", "copied_from": "copied_to"}
KINDS = ("relates", "blocks", "duplicates", "precedes", "copied_to")
MAX_FILE = 5_242_880
JOURNALED = (
    "subject",
    "description",
    "status_id",
    "priority_id",
    "assigned_to_id",
    "project_id",
    "due_date",
    "parent_id",
)

Json = dict[str, Any]


class InvalidError(Exception):
    """What Redmine answers 422 to. errors: its reasons."""

    def __init__(self, *errors: str) -> None:
        super().__init__(*errors)
        self.errors = list(errors)


class Model:
    """The data. private_roles: who may keep notes private."""

    def __init__(self) -> None:
        self.now = START
        self.clock_offset = 0.0
        self.public = False
        self.may_be_private = {1, 5, 6}
        self.issues: dict[int, Json] = {}
        self.relations: dict[int, Json] = {}
        self.entries: dict[int, Json] = {}
        self.uploads: dict[int, bytes] = {}
        self.used: set[int] = set()
        self._last = {"issue": 0, "journal": 0, "relation": 0, "entry": 0, "upload": 0}

    def next(self, what: str) -> int:
        self._last[what] += 1
        return self._last[what]

    def tick(self) -> float:
        self.now += 2
        return self.now

    # --- writes

    def create(self, who: int, given: Json) -> Json:
        """An issue. What it may not say is dropped."""
        issue: Json = {
            "id": 0, "author": who, "project_id": 0, "tracker_id": 1, "status_id": 1, "priority_id": 2, "assigned_to_id": None,
            "subject": "",
            "description": None, "due_date": None, "start_date": day(self.now), "customs": dict.fromkeys(CUSTOMS), "parent_id": None,
            "journals": [], "attachments": [],
        }  # fmt: skip
        self._apply(issue, {key: value for key, value in given.items() if key != "status_id"})
        issue["id"] = self.next("issue")
        issue["created"] = issue["updated"] = self.tick()
        self.issues[issue["id"]] = issue
        return issue

    def update(self, who: int, number: int, given: Json) -> None:
        """Changes an issue; all of it or nothing. A note of blanks is dropped, a private one of somebody without the right is public."""
        issue = self.issues[number]
        was = copy.deepcopy({key: issue[key] for key in (*JOURNALED, "customs")})
        changed = copy.deepcopy(issue)
        self._apply(changed, given)
        uploads = [self._upload(each) for each in given.get("uploads", [])]
        issue.update(changed)
        issue["updated"] = self.tick()
        details = [
            {"property": "attr", "name": key, "old_value": shown(was[key]), "new_value": shown(issue[key])}
            for key in JOURNALED
            if (was[key] or "") != (issue[key] or "")
        ]
        details += [
            {"property": "cf", "name": str(key), "old_value": was["customs"][key], "new_value": value}
            for key, value in issue["customs"].items()
            if (was["customs"][key] or "") != (value or "")
        ]
        for number_, name in uploads:
            self.used.add(number_)
            size = len(self.uploads[number_])
            issue["attachments"].append(
                {"id": number_, "filename": name, "filesize": size, "author": who, "at": self.now}
            )
            details.append({"property": "attachment", "name": str(number_), "old_value": None, "new_value": name})
        notes = given.get("notes") or ""
        notes = notes if notes.strip() else ""
        private = bool(given.get("private_notes")) and who in self.may_be_private
        if private and details:
            self._journal(issue, who, "", False, details)
            details = []
        if notes or details:
            self._journal(issue, who, notes, private and bool(notes), details)

    def _journal(self, issue: Json, who: int, notes: str, private: bool, details: list[Json]) -> None:
        journal = {"id": self.next("journal"), "user": who, "notes": notes, "private": private, "at": self.now}
        issue["journals"].append(journal | {"details": details})

    def _upload(self, given: Json) -> tuple[int, str]:
        number = int(given["token"].partition(".")[0])
        if number not in self.uploads or number in self.used:
            raise InvalidError("1 file(s) could not be saved.")
        name = re.sub(r"[/?%*:|\"'<>\n\r]+", "_", re.sub(r"(?s)\A.*[\\/]", "", given["filename"]))
        return number, name

    def _apply(self, issue: Json, given: Json) -> None:
        """What may be written, checked."""
        errors = []
        for key, value in given.items():
            if key == "subject":
                issue["subject"] = value
            elif key == "description":
                issue[key] = re.sub(r"\r\n|\n|\r", "\r\n", value or "")
            elif key in ("due_date", "start_date"):
                issue[key] = value or None
            elif key == "status_id" and value in range(1, len(STATUSES) + 1):
                issue[key] = value
            elif key in ("priority_id", "assigned_to_id", "tracker_id"):
                issue[key] = value or None
            elif key == "project_id":
                issue[key] = value if value in PROJECTS else {"support": 1, "billing": 2}.get(value, 0)
            elif key == "parent_issue_id":
                issue["parent_id"] = value or None
            elif key == "custom_fields":
                for custom in value:
                    if custom.get("id") in CUSTOMS:
                        issue["customs"][custom["id"]] = custom["value"]
        subject, due = issue["subject"] or "", issue["due_date"]
        if not subject.strip():
            errors.append("Subject cannot be blank")
        if len(subject) > 255:
            errors.append("Subject is too long (maximum is 255 characters)")
        if issue["project_id"] not in PROJECTS:
            errors.append("Project cannot be blank")
        if issue["priority_id"] not in range(1, len(PRIORITIES) + 1):
            errors.append("Priority cannot be blank")
        if issue["assigned_to_id"] not in (None, 5, 6, 7):
            errors.append("Assignee is invalid")
        if due and not re.fullmatch(r"\d{4}-\d\d-\d\d", due):
            errors.append("Due date is not a valid date")
        elif due and issue["start_date"] and due < issue["start_date"]:
            errors.append("Due date must be greater than start date")
        if issue["customs"][2] not in (None, "", *SEVERITIES):
            errors.append("Severity is not included in the list")
        if len(issue["customs"][1] or "") > 64:
            errors.append("Externalref is too long (maximum is 64 characters)")
        if issue["parent_id"] and issue["parent_id"] not in self.issues:
            errors.append("Parent task is invalid")
        if errors:
            raise InvalidError(*errors)

    def relate(self, number: int, given: Json) -> Json:
        """A link; of two directions Redmine keeps one. It moves nobody's date."""
        first, second, kind = number, given.get("issue_to_id"), given.get("relation_type", "relates")
        if second not in self.issues:
            raise InvalidError("Related issue cannot be blank")
        if kind in REVERSED:
            first, second, kind = second, first, REVERSED[kind]
        if kind not in KINDS or first == second:
            raise InvalidError("Related issue is invalid")
        if any({each["issue_id"], each["issue_to_id"]} == {first, second} for each in self.relations.values()):
            raise InvalidError("Related issue has already been taken")
        made = {
            "id": self.next("relation"),
            "issue_id": first,
            "issue_to_id": second,
            "relation_type": kind,
            "delay": None,
        }
        self.relations[made["id"]] = made
        return made

    def spend(self, who: int, given: Json, number: int = 0) -> Json:
        """A time entry: hundredths of an hour. It moves no issue's date."""
        entry = dict(self.entries.get(number, {"user": who, "comments": "", "spent_on": day(self.now), "hours": 0.0}))
        entry |= {key: given[key] for key in ("issue_id", "comments", "spent_on", "hours") if key in given}
        if entry.get("issue_id") not in self.issues or len(entry["comments"] or "") > 1024:
            raise InvalidError("Issue is invalid")
        if not number and given.get("activity_id") not in (8, 9):
            raise InvalidError("Activity cannot be blank")
        entry["hours"] = round(float(entry["hours"]), 2)
        if not number:
            entry |= {"id": self.next("entry"), "at": self.tick()}
        self.entries[entry["id"]] = entry
        return entry

    def delete(self, number: int) -> None:
        """An issue with its subtasks; nothing is left of them."""
        for child in [each["id"] for each in self.issues.values() if each["parent_id"] == number]:
            self.delete(child)
        del self.issues[number]
        ends = ("issue_id", "issue_to_id")
        self.relations = {
            key: each for key, each in self.relations.items() if number not in [each[end] for end in ends]
        }
        self.entries = {key: each for key, each in self.entries.items() if each["issue_id"] != number}

    # --- what it shows

    def moment(self, at: float) -> str:
        shown = datetime.datetime.fromtimestamp(at + self.clock_offset, datetime.UTC)
        return shown.strftime("%Y-%m-%dT%H:%M:%SZ")

    def show(self, issue: Json, include: str = "", sees_private: bool = True) -> Json:
        """An issue as Redmine shows it; in a list without journals."""
        number = issue["id"]
        found: Json = {
            "id": number,
            "project": {"id": issue["project_id"], "name": PROJECTS[issue["project_id"]]},
            "tracker": {"id": 1, "name": "Bug"},
            "status": self.status(issue["status_id"]),
            "priority": {"id": issue["priority_id"], "name": PRIORITIES[issue["priority_id"] - 1]},
            "author": person(issue["author"]),
            "subject": issue["subject"],
            "description": issue["description"],
            "start_date": issue["start_date"],
            "due_date": issue["due_date"],
            "spent_hours": sum(each["hours"] for each in self.entries.values() if each["issue_id"] == number),
            "custom_fields": [
                {"id": key, "name": CUSTOMS[key], "value": value} for key, value in issue["customs"].items()
            ],
            "created_on": self.moment(issue["created"]),
            "updated_on": self.moment(issue["updated"]),
        }
        if issue["assigned_to_id"]:
            found["assigned_to"] = person(issue["assigned_to_id"])
        if issue["parent_id"]:
            found["parent"] = {"id": issue["parent_id"]}
        if "journals" in include:
            journals = [each for each in issue["journals"] if sees_private or not each["private"]]
            found["journals"] = [
                {"id": each["id"], "user": person(each["user"]), "notes": each["notes"] or None, "created_on": self.moment(each["at"]),
                 "private_notes": each["private"], "details": each["details"]}
                for each in reversed(journals)  # as an account may have it; their ids say the order
            ]  # fmt: skip
        if "attachments" in include:
            found["attachments"] = [
                {**each, "author": person(each["author"]), "created_on": self.moment(each["at"])}
                for each in issue["attachments"]
            ]
        if "relations" in include:
            found["relations"] = [
                each for each in self.relations.values() if number in (each["issue_id"], each["issue_to_id"])
            ]
        if "children" in include and (
            children := [each["id"] for each in self.issues.values() if each["parent_id"] == number]
        ):
            found["children"] = [
                {"id": child, "tracker": {"id": 1, "name": "Bug"}, "subject": "x"} for child in children
            ]
        return found

    def status(self, number: int) -> Json:
        return {"id": number, "name": STATUSES[number - 1], "is_closed": number in CLOSED}

    def entry(self, entry: Json) -> Json:
        """A time entry as Redmine shows it."""
        project = self.issues[entry["issue_id"]]["project_id"]
        return {
            "id": entry["id"], "project": {"id": project, "name": PROJECTS[project]}, "issue": {"id": entry["issue_id"]},
            "user": person(entry["user"]), "activity": {"id": 9, "name": "Development"}, "hours": entry["hours"],
            "comments": entry["comments"], "spent_on": entry["spent_on"], "created_on": self.moment(entry["at"]),
            "updated_on": self.moment(entry["at"]),
        }  # fmt: skip


def person(number: int) -> Json:
    _, first, last = PEOPLE[number]
    return {"id": number, "name": f"{first} {last}"}


def day(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%d")


def shown(value: object) -> str | None:
    return None if value in (None, "") else str(value)
