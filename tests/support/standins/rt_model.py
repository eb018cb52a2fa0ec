"""What a Request Tracker holds, and what it does with what it is told: the stand-in's memory, without HTTP."""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

USERS: dict[str, tuple[int, str, str, int]] = {
    "Nobody": (6, "Nobody in particular", "", 1),
    "RT_System": (1, "The RT System itself", "", 1),
    "root": (14, "Helpdesk Admin", "admin@example.com", 1),
    "agent1": (28, "Agent One", "agent1@example.com", 1),
    "agent2": (30, "Agent Two", "agent2@example.com", 1),
    "requester": (32, "Réquester Øne", "requester@example.com", 0),
}
QUEUES = {1: ("General", "default"), 3: ("Support", "default"), 4: ("Billing", "billing")}
FIELDS: dict[int, tuple[str, bool, tuple[str, ...], tuple[int, ...]]] = {
    2: ("ExternalRef", False, (), (3, 4)),
    3: ("Severity", False, ("Low", "Medium", "High"), (3, 4)),
    4: ("Tags", True, (), (3,)),
}
"""Number to name, several values, choices, queues."""

DEFAULT = ("new", "open", "stalled", "resolved", "rejected", "deleted")
BILLING: dict[str, tuple[str, ...]] = {
    "new": ("open", "rejected", "deleted"), "open": ("waiting", "resolved", "deleted"), "waiting": ("open", "resolved"),
    "resolved": ("open",), "rejected": (), "deleted": (),
}  # fmt: skip
NEXT: dict[str, dict[str, tuple[str, ...]]] = {"default": dict.fromkeys(DEFAULT, DEFAULT), "billing": BILLING}
MOVED = {"stalled": "waiting", "waiting": "stalled"}
AT_ONCE = {"default": ("new", "open", "resolved"), "billing": ("new", "open")}
REOPENED = ("new", "resolved", "rejected")
LINKS = {
    "DependsOn": ("depends-on", "depended-on-by"), "DependedOnBy": ("depended-on-by", "depends-on"),
    "RefersTo": ("refers-to", "referred-to-by"), "Parent": ("parent", "child"), "Child": ("child", "parent"),
}  # fmt: skip
TITLE = 200


class RefusedError(Exception):
    """The server refuses, with a status and words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class Model:
    """One Request Tracker. held: transactions that were given a number and cannot be seen yet."""

    def __init__(self) -> None:
        self.tickets: dict[int, Json] = {}
        self.transactions: dict[int, Json] = {}
        self.attachments: dict[int, Json] = {}
        self.held: set[int] = set()
        self.clock_offset = 0.0
        self._number = 50

    def now(self) -> int:
        return int(time.time() + self.clock_offset)

    def done(self, number: int, who: str, kind: str, field: str = "", old: Any = "", new: Any = "", **more: Any) -> int:
        """Writes down what was done to a ticket; its number."""
        self._number += 1
        moment = self.now()
        self.transactions[self._number] = {
            "id": self._number, "ObjectType": "RT::Ticket", "ObjectId": number, "Type": kind, "Field": field,
            "OldValue": str(old), "NewValue": str(new), "Data": "", "Creator": who, "Created": moment, "TimeTaken": "0",
        } | more  # fmt: skip
        if kind != "EmailRecord":
            self.tickets[number] |= {"LastUpdated": moment, "LastUpdatedBy": who}
        return self._number

    def own(self, number: int) -> list[Json]:
        """What was done to a ticket and can be seen."""
        return [one for one in self.transactions.values() if one["ObjectId"] == number and one["id"] not in self.held]

    def ticket(self, number: int) -> Json:
        """A ticket, or the one that it was merged into."""
        if number not in self.tickets:
            raise RefusedError(404, "Resource does not exist; use POST to create")
        return self.tickets[self.tickets[number]["EffectiveId"]]

    def part(self, transaction: int, kind: str, content: bytes, name: str | None = None) -> None:
        """A part of a message."""
        number = len(self.attachments) + 1
        self.attachments[number] = {
            "id": number, "TransactionId": transaction, "ContentType": kind, "Content": content, "Filename": name,
        }  # fmt: skip

    def message(self, transaction: int, body: Mapping[str, Any], files: Iterable[tuple[str, bytes]] = ()) -> None:
        """What a message says and brings."""
        files = [*files]
        if files:
            self.part(transaction, "multipart/mixed", b"")
        if body.get("Content"):
            text = str(body["Content"]).replace("\r\n", "\n")
            self.part(transaction, body["ContentType"], text.encode())
        for name, data in files:
            self.part(transaction, "application/octet-stream", data, name.rpartition("/")[2][:255])

    def create(self, who: str, body: Mapping[str, Any]) -> int:
        """A new ticket. What it does not like it drops."""
        queue = next((ident for ident, (name, _) in QUEUES.items() if name == body.get("Queue")), 0)
        if "Queue" not in body:
            raise RefusedError(400, "Could not create ticket. Queue not set")
        if not queue:
            raise RefusedError(403, f"No permission to create tickets in the queue '{body['Queue']}'")
        status = body.get("Status", "new")
        lifecycle = QUEUES[queue][1]
        if status not in NEXT[lifecycle]:
            raise RefusedError(400, f"Status '{status}' isn't a valid status for tickets in this queue.")
        if status not in AT_ONCE[lifecycle]:
            raise RefusedError(400, f"New tickets can not have status '{status}' in this queue.")
        number = max(self.tickets, default=0) + 1
        owner = body.get("Owner", "Nobody")
        priority = str(body.get("Priority", 0))
        asked = body.get("Requestor") or []
        self.tickets[number] = {
            "id": number, "EffectiveId": number, "Subject": subject(body.get("Subject", "")), "Status": status,
            "Priority": priority if priority.isdecimal() else "0", "TimeWorked": 0, "Queue": queue,
            "Owner": owner if USERS.get(owner, (0, "", "", 0))[3] else "Nobody",
            "Requestor": [*filter(None, map(login, [asked] if isinstance(asked, str) else asked))],
            "Creator": who, "Created": self.now(), "LastUpdated": self.now(), "LastUpdatedBy": who,
            "Due": moment(body.get("Due", "")), "customs": {}, "links": set(),
        }  # fmt: skip
        made = self.done(number, who, "Create")
        self.message(made, body)
        for name, value in body.get("CustomFields", {}).items():
            self._custom(number, who, name, value, quiet=True)
        if self.tickets[number]["Requestor"]:
            self.done(number, "RT_System", "EmailRecord", Data="<mail@rt.example.com>")
        return number

    def say(self, who: str, number: int, kind: str, body: Mapping[str, Any], files: list[tuple[str, bytes]]) -> int:
        """A comment or a reply; a reply reopens."""
        if number not in self.tickets:
            raise RefusedError(400, "Message could not be recorded")
        if body.get("Content") and "ContentType" not in body:
            raise RefusedError(400, "Content requires ContentType")
        if any(not data for _, data in files):
            raise RefusedError(400, "FileContent is a required field")
        ticket = self.ticket(number)
        said = f"{body['Subject']}\n" if body.get("Subject") else ""
        minutes = int(body.get("TimeTaken") or 0)
        made = self.done(ticket["id"], who, kind, Data=said, TimeTaken=str(minutes))
        ticket["TimeWorked"] += minutes
        self.message(made, body, files)
        if kind == "Correspond":
            self.done(ticket["id"], "RT_System", "EmailRecord", Data="<mail@rt.example.com>")
            if ticket["Status"] in REOPENED:
                self._set(ticket, "RT_System", "Status", "open")
        return made

    def delete(self, who: str, number: int) -> None:
        ticket = self.ticket(number)
        if ticket["Status"] == "deleted":
            raise RefusedError(500, "")
        self._set(ticket, who, "Status", "deleted")

    def put(self, who: str, number: int, body: Mapping[str, Any]) -> list[str]:
        """Changes fields, in the order of their names, then custom fields, requesters and links; answers in words."""
        ticket = self.ticket(number)
        said = [
            self._field(ticket, who, name, body[name])
            for name in ("Due", "Owner", "Priority", "Queue", "Status", "Subject", "TimeWorked")
            if name in body
        ]
        for name, value in body.get("CustomFields", {}).items():
            said.append(self._custom(ticket["id"], who, name, value))
        if "Requestor" in body:
            said += self._requestors(ticket, who, body["Requestor"])
        for name, (ref, back) in LINKS.items():
            for how in ("Add", "Delete"):
                for other in body.get(how + name, []):
                    said.append(self._link(ticket, who, how, name, ref, back, int(other)))
        if "MergeInto" in body:
            said.append(self._merge(ticket, who, int(body["MergeInto"])))
        return [words for words in said if words]

    def _set(self, ticket: Json, who: str, field: str, value: Any, shown: Any = None, was: Any = None) -> str:
        old = ticket[field]
        if old == value:
            return ""
        ticket[field] = value
        kind = "Status" if field == "Status" else "Set"
        taken = value - old if field == "TimeWorked" else 0
        olds, news = (old if was is None else was), (value if shown is None else shown)
        self.done(ticket["id"], who, kind, field, olds, news, TimeTaken=str(taken))
        return f"Ticket {ticket['id']}: {field} changed from '{olds}' to '{news}'"

    def _field(self, ticket: Json, who: str, field: str, value: Any) -> str:
        prefix = f"Ticket {ticket['id']}: "
        match field:
            case "Due":
                due = moment(value)
                return self._set(ticket, who, field, due, sql(due), sql(ticket["Due"]))
            case "Owner":
                if value not in USERS:
                    return prefix + "That user does not exist"
                if not USERS[value][3]:
                    return prefix + "That user may not own tickets in that queue"
                return self._set(ticket, who, field, value, USERS[value][0], USERS[ticket["Owner"]][0])
            case "Queue":
                queue = next((ident for ident, (name, _) in QUEUES.items() if name == value), 0)
                if not queue:
                    return prefix + "That queue does not exist"
                other = QUEUES[ticket["Queue"]][1] != QUEUES[queue][1]
                words = self._set(ticket, who, field, queue)
                if other and ticket["Status"] in MOVED:
                    self._set(ticket, "RT_System", "Status", MOVED[ticket["Status"]])
                return words
            case "Status":
                rules = NEXT[QUEUES[ticket["Queue"]][1]]
                if value not in rules:
                    return prefix + f"Status '{value}' isn't a valid status for this ticket."
                if value != ticket["Status"] and value not in rules[ticket["Status"]]:
                    return prefix + f"You can't change status from '{ticket['Status']}' to '{value}'."
            case "Subject":
                value = subject(value)
            case "Priority":
                value = str(value)
            case "TimeWorked":
                value = int(value)
        return self._set(ticket, who, field, value)

    def _custom(self, number: int, who: str, name: str, value: Any, *, quiet: bool = False) -> str:
        ticket = self.tickets[number]
        for ident, (known, several, choices, queues) in FIELDS.items():
            if known != name or ticket["Queue"] not in queues:
                continue
            given = [str(each) for each in (value if isinstance(value, list) else [] if value is None else [value])]
            if choices and not set(given) <= set(choices):
                return "Invalid value for custom field"
            held = ticket["customs"].get(ident, [])
            ticket["customs"][ident] = given
            if quiet or held == given:
                return ""
            if not several:
                self.done(number, who, "CustomField", str(ident), *(held or [""]), *(given or [""]))
            else:
                for new in given:
                    if new not in held:
                        self.done(number, who, "CustomField", str(ident), "", new)
                for old in held:
                    if old not in given:
                        self.done(number, who, "CustomField", str(ident), old, "")
            return f"{name} changed"
        return ""

    def _requestors(self, ticket: Json, who: str, wanted: Any) -> list[str]:
        names = [*filter(None, map(login, [wanted] if isinstance(wanted, str) else wanted))]
        if wanted and not names:
            return []
        held = ticket["Requestor"]
        for name in [name for name in names if name not in held]:
            self.done(ticket["id"], who, "AddWatcher", "Requestor", "", user_id(name))
        for name in [name for name in held if name not in names]:
            self.done(ticket["id"], who, "DelWatcher", "Requestor", user_id(name), "")
        ticket["Requestor"] = [name for name in held if name in names] + [name for name in names if name not in held]
        return ["Requestors changed"]

    def _link(self, ticket: Json, who: str, how: str, name: str, ref: str, back: str, other: int) -> str:
        if other not in self.tickets:
            return f"Couldn't resolve '{other}' into a link."
        there = self.ticket(other)
        change = set.add if how == "Add" else set.discard
        change(ticket["links"], (ref, there["id"]))
        change(there["links"], (back, ticket["id"]))
        for one in (ticket, there):
            self.done(one["id"], who, "AddLink" if how == "Add" else "DeleteLink", name, "", f"ticket/{other}")
        return f"Ticket {ticket['id']} {ref} Ticket {other}."

    def _merge(self, ticket: Json, who: str, into: int) -> str:
        if into == ticket["id"] or into not in self.tickets:
            return "Can't merge a ticket into itself"
        there = self.ticket(into)
        for one in (ticket, there):
            self.done(one["id"], who, "AddLink", "MergedInto", "", f"fsck.com-rt://rt.example.com/ticket/{there['id']}")
        ticket["EffectiveId"] = there["id"]
        return "Merge Successful"


def subject(text: str) -> str:
    """What is kept of a title."""
    return text.replace("\n", "").encode()[:TITLE].decode("utf-8", "ignore")


def login(text: str) -> str:
    """Whoever goes by a login or address; an address that is new makes somebody."""
    if text in USERS:
        return text
    found = next((name for name, (_, _, mail, _) in USERS.items() if mail and mail == text.lower()), "")
    if not found and "@" in text:
        USERS[text] = (max(ident for ident, *_ in USERS.values()) + 1, "", text, 0)
        return text
    return found


def user_id(name: str) -> int:
    return USERS[name][0]


def moment(text: str) -> int:
    """A time that was given in UTC, in seconds; 0 for none."""
    try:
        return int(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0


def sql(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S") if seconds else ""


def iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
