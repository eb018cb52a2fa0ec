"""What a colleague does in a Request Tracker, said in its interface: the same for the real one and for the stand-in."""

import base64
import re
from abc import ABC, abstractmethod
from typing import Any
from urllib.parse import urlencode

from support.standins.looked_up import Tickets

MARK = re.compile(r"(?:\A|\n)\[chit:([k-z]{32})\]\s*\Z")
NAMES = {
    "title": "Subject", "status": "Status", "priority": "Priority", "queue": "Queue", "assignee": "Owner",
    "requester": "Requestor", "due": "Due",
}  # fmt: skip
OURS = re.compile(r"(?:File|Time) .*\[?[k-z]{16}\]")
"""Subjects of messages of ours that bring a file or book time, and say nothing."""


class Words(ABC):
    """Needs `ask` of whoever has the server."""

    @abstractmethod
    def ask(self, method: str, path: str, body: Any = None, file: tuple[str, bytes] | None = None) -> Any:
        """Asks the helpdesk, and gives what it answers."""

    def add_ticket(self, title: str, description: str = "", **fields: Any) -> int:
        """Files a ticket; `x_Severity` stands for the custom field, token for our ticket's id."""
        body = {"Queue": "Support", "Requestor": "requester@example.com"} | attributes({"title": title, **fields})
        if description:
            body |= {"Content": description, "ContentType": "text/plain"}
        return int(self.ask("POST", "ticket", body)["id"])

    def edit(self, number: int, **fields: Any) -> list[str]:
        """Changes a ticket; what the server says to it."""
        return list(self.ask("PUT", f"ticket/{number}", attributes(fields)))

    def put(self, number: int, body: dict[str, Any]) -> list[str]:
        """Changes a ticket, in the server's own words."""
        return list(self.ask("PUT", f"ticket/{number}", body))

    def say(self, number: int, body: str, public: bool = True, **more: Any) -> str:
        """Says something; its id."""
        action = "correspond" if public else "comment"
        message = {"Content": body, "ContentType": "text/plain", **more}
        self.ask("POST", f"ticket/{number}/{action}", message)
        return self._last(number, "Correspond" if public else "Comment")

    def attach(self, number: int, name: str, data: bytes) -> str:
        """Attaches a file; its id."""
        self.ask("POST", f"ticket/{number}/correspond", {"Subject": "A file"}, (name, data))
        return f"{self._last(number, 'Correspond')}.1"

    def remove(self, number: int) -> None:
        """Deletes a ticket."""
        self.ask("DELETE", f"ticket/{number}")

    def transactions(self, number: int) -> list[dict[str, Any]]:
        """What was done to a ticket."""
        query = f"ObjectType='RT::Ticket' AND ObjectId = {number}"
        return self._list("transactions", query=query, fields="Type,Data,Field,OldValue,NewValue,ObjectId")

    def tickets(self) -> dict[int, dict[str, Any]]:
        """What is there."""
        return Tickets(self._numbers(), self._ticket)

    def _last(self, number: int, kind: str) -> str:
        return str(max(int(one["id"]) for one in self.transactions(number) if one["Type"] == kind))

    def _list(self, path: str, **params: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            query = urlencode({**params, "per_page": 100, "orderby": "id", "page": page})
            items = self.ask("GET", f"{path}?{query}")["items"]
            found += items
            page += 1
            if not items:
                return found

    def _numbers(self) -> list[int]:
        return [int(one["id"]) for one in self._list("tickets", query="id > 0")]

    def _ticket(self, number: int) -> dict[str, Any]:
        ticket = self.ask("GET", f"ticket/{number}")
        parts = self._list(f"ticket/{number}/attachments", fields="TransactionId,Filename,ContentType")
        whole = [self.ask("GET", f"attachment/{part['id']}") | part for part in parts]
        words: dict[str, str] = {}
        files = []
        for part in whole:
            data = base64.b64decode(part.get("Content") or "")
            if part["Filename"]:
                files.append((part["Filename"], data))
            elif part["ContentType"].startswith("text/") and data:
                words.setdefault(part["TransactionId"], data.decode())
        done = self.transactions(number)
        text = next((words.get(one["id"], "") for one in done if one["Type"] == "Create"), "")
        mark = MARK.search(text)
        held = [
            value for field in ticket["CustomFields"] if field["name"] == "ExternalRef" for value in field["values"]
        ]
        return {
            "title": ticket["Subject"],
            "description": text[: mark.start()] if mark else text,
            "status": ticket["Status"],
            "comments": [
                (words[one["id"]], one["Type"] == "Correspond")
                for one in done
                if one["Type"] in ("Comment", "Correspond") and one["id"] in words and not OURS.match(one["Data"])
            ],
            "files": files,
            "token": held[0] if held else mark[1] if mark else "",
        }


def attributes(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields in Request Tracker's words."""
    found: dict[str, Any] = {}
    customs: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "token":
            customs["ExternalRef"] = value
        elif name.startswith(("x_", "x.")):
            customs[name[2:]] = value
        else:
            found[NAMES[name]] = value if value is not None else "Nobody" if name == "assignee" else ""
    return found | ({"CustomFields": customs} if customs else {})
