"""What a colleague does in a Redmine, said in its interface: the same for the real one and for the stand-in."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from support.standins.looked_up import Tickets

MARK = re.compile(r"(?:\A|\n)\[chit:([k-z]{32})\]\s*\Z")
STATUSES = {"New": 1, "In Progress": 2, "Resolved": 3, "Feedback": 4, "Closed": 5, "Rejected": 6}
PRIORITIES = {"Low": 1, "Normal": 2, "High": 3, "Urgent": 4, "Immediate": 5}
QUEUES = {"Support": 1, "Billing": 2}
CUSTOMS = {"x.ExternalRef": 1, "x.Severity": 2}


class Words(ABC):
    """Needs `ask`, `download` and `upload` of whoever has the server."""

    @abstractmethod
    def ask(self, method: str, path: str, body: Any = None, data: bytes | None = None) -> Any:
        """Asks the helpdesk, and gives what it answers."""

    @abstractmethod
    def download(self, number: int) -> bytes:
        """The bytes of a file."""

    @abstractmethod
    def upload(self, name: str, data: bytes) -> str:
        """Sends the bytes of a file; what stands for them then."""

    def add_ticket(self, title: str, description: str = "", **fields: Any) -> int:
        """Files an issue; `x_Severity` stands for the custom field, token for our ticket's id."""
        issue = {"project_id": 1, "tracker_id": 1, "subject": title, "description": description, **attributes(fields)}
        return int(self.ask("POST", "issues.json", {"issue": issue})["issue"]["id"])

    def edit(self, number: int, **fields: Any) -> None:
        """Changes an issue."""
        self.ask("PUT", f"issues/{number}.json", {"issue": attributes(fields)})

    def say(self, number: int, body: str, public: bool = True) -> str:
        """Adds a note; its id."""
        self.ask("PUT", f"issues/{number}.json", {"issue": {"notes": body, "private_notes": not public}})
        return str(max(journal["id"] for journal in self.issue(number)["journals"] if journal["notes"] == body))

    def attach(self, number: int, name: str, data: bytes) -> str:
        """Attaches a file; its id."""
        upload = {"token": self.upload(name, data), "filename": name, "content_type": "application/octet-stream"}
        self.ask("PUT", f"issues/{number}.json", {"issue": {"uploads": [upload]}})
        return str(max(part["id"] for part in self.issue(number)["attachments"]))

    def remove(self, number: int) -> None:
        """Deletes an issue."""
        self.ask("DELETE", f"issues/{number}.json")

    def spend(self, number: int, minutes: int, note: str = "", date: str = "2026-02-03") -> int:
        """Books time."""
        entry = {"issue_id": number, "hours": minutes / 60, "comments": note, "spent_on": date, "activity_id": 9}
        return int(self.ask("POST", "time_entries.json", {"time_entry": entry})["time_entry"]["id"])

    def relate(self, number: int, kind: str, other: int) -> int:
        """Links two issues."""
        relation = {"issue_to_id": other, "relation_type": kind}
        made = self.ask("POST", f"issues/{number}/relations.json", {"relation": relation})
        return int(made["relation"]["id"])

    def issue(self, number: int) -> dict[str, Any]:
        """An issue with all that belongs to it."""
        found = self.ask("GET", f"issues/{number}.json?include=journals,attachments,relations,children")["issue"]
        return dict(found)

    def tickets(self) -> dict[int, dict[str, Any]]:
        """What is there."""
        return Tickets(self._numbers(), self._ticket)

    def _numbers(self) -> Iterator[int]:
        offset = 0
        while True:
            path = f"issues.json?status_id=*&sort=id:asc&limit=100&offset={offset}"
            issues = self.ask("GET", path)["issues"]
            yield from (int(issue["id"]) for issue in issues)
            offset += len(issues)
            if len(issues) < 100:
                return

    def _ticket(self, number: int) -> dict[str, Any]:
        issue = self.issue(number)
        text = lines(issue["description"])
        mark = MARK.search(text)
        held = [custom["value"] for custom in issue["custom_fields"] if custom["name"] == "ExternalRef"]
        journals = sorted(issue["journals"], key=lambda journal: int(journal["id"]))
        return {
            "title": issue["subject"],
            "description": text[: mark.start()] if mark else text,
            "status": issue["status"]["name"],
            "comments": [
                (lines(journal["notes"]), not journal["private_notes"]) for journal in journals if journal["notes"]
            ],
            "files": [(part["filename"], self.download(part["id"])) for part in issue["attachments"]],
            "token": held[0] if held and held[0] else mark[1] if mark else "",
        }


def lines(text: str | None) -> str:
    """A text with line feeds."""
    return (text or "").replace("\r\n", "\n").replace("\r", "\n")


def attributes(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields in Redmine's words; ids stand for names."""
    found: dict[str, Any] = {}
    customs: list[dict[str, Any]] = []
    for name, value in fields.items():
        if name == "title":
            found["subject"] = value
        elif name == "description":
            found["description"] = value
        elif name == "status":
            found["status_id"] = STATUSES[value]
        elif name == "priority":
            found["priority_id"] = PRIORITIES[value]
        elif name == "queue":
            found["project_id"] = QUEUES[value]
        elif name == "assignee":
            found["assigned_to_id"] = {"agent1": 5, "agent2": 6, None: ""}[value]
        elif name == "due":
            found |= {"due_date": value, "start_date": ""}
        elif name == "token":
            customs.append({"id": CUSTOMS["x.ExternalRef"], "value": value})
        else:
            customs.append({"id": CUSTOMS[name.replace("x_", "x.", 1)], "value": value})
    return found | ({"custom_fields": customs} if customs else {})
