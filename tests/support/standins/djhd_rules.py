"""django-helpdesk in memory: its tickets and followups, and the rules by which its REST interface takes and shows them.

Knows no HTTP. Whatever an adapter must never send is a Violation, which fails the test.
"""

import itertools
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

ZONE = timezone(timedelta(hours=13))
STATUSES = {1: "Open", 2: "Reopened", 3: "Resolved", 4: "Closed", 5: "Duplicate"}
PRIORITIES = {1: "1. Critical", 2: "2. High", 3: "3. Normal", 4: "4. Low", 5: "5. Very Low"}
QUEUES = {1: "Support", 2: "Billing"}
PEOPLE = {1: "agent1", 2: "agent2", 3: "requester"}
EXTENSIONS = (".txt", ".asc", ".pdf", ".doc", ".docx", ".odt", ".jpg", ".png", ".eml")
MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
TAG = re.compile(r"\{\{ '(.)' \}\}")

Json = dict[str, Any]


class Violation(AssertionError):
    """Something that the adapter must not send."""


class Refusal(Exception):
    """An answer that is no success. body: as JSON."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


class Rules:
    """The data. base: under which address files are shown. clock_offset: seconds by which its clock is wrong."""

    def __init__(self, base: str = "", *, reference: bool = True) -> None:
        self.base = base
        self.reference = reference
        self.clock_offset = 0.0
        self.rows: dict[int, Json] = {}
        self.followups: dict[int, Json] = {}
        self.files: dict[int, tuple[Json, bytes]] = {}
        self._ids = {name: itertools.count(1) for name in ("ticket", "followup", "file")}
        self._last = datetime.now(UTC)

    def now(self) -> datetime:
        """A time that nobody was told before."""
        self._last = max(self._last + timedelta(microseconds=1), datetime.now(UTC))
        return self._last + timedelta(seconds=self.clock_offset)

    # What is shown

    def ticket(self, number: int, followups: list[Json] | None = None) -> Json:
        """A ticket with its followups, as it is shown."""
        if number not in self.rows:
            raise Refusal(404, {"detail": "No Ticket matches the given query."})
        if followups is None:
            followups = [one for one in self._ordered() if one["ticket"] == number]
        said = [self.followup(one["id"]) for one in followups]
        return {**self.rows[number], "followup_set": said}

    def followup(self, number: int) -> Json:
        """A followup with its files, as it is shown."""
        if number not in self.followups:
            raise Refusal(404, {"detail": "No FollowUp matches the given query."})
        files = sorted(
            (one for one, _ in self.files.values() if one["followup"] == number), key=lambda x: x["filename"]
        )
        return {**self.followups[number], "followupattachment_set": files}

    def _ordered(self) -> list[Json]:
        return sorted(self.followups.values(), key=lambda one: (one["date"], one["id"]))

    def listing(self, what: str, query: Mapping[str, str]) -> Json:
        """A page of tickets or followups."""
        unknown = set(query) - {"page", "page_size"}
        if unknown:
            raise Violation(f"{unknown} would be ignored: everything would come")
        ids = sorted(self.rows) if what == "tickets" else [one["id"] for one in self._ordered()]
        size = int(query.get("page_size", "25"))
        pages = max(1, -(-len(ids) // size))
        page = pages if query.get("page") == "last" else int(query.get("page", "1"))
        if not 1 <= page <= pages:
            raise Refusal(404, {"detail": "Invalid page."})
        part = ids[(page - 1) * size : page * size]
        if what == "tickets":
            said: dict[int, list[Json]] = {number: [] for number in ids}
            for one in self._ordered():
                said[one["ticket"]].append(one)
            shown = [self.ticket(number, said[number]) for number in part]
        else:
            shown = [self.followup(number) for number in part]
        return {"count": len(ids), "next": None, "previous": None, "results": shown}

    def options(self) -> Json:
        """What is said of the fields of a ticket."""

        def choices(names: Mapping[int, str]) -> list[Json]:
            return [{"value": number, "display_name": name} for number, name in names.items()]

        post: Json = {
            "title": {"type": "string", "max_length": 200},
            "status": {"type": "choice", "choices": choices(STATUSES)},
            "priority": {"type": "choice", "choices": choices(PRIORITIES)},
        }
        if self.reference:
            post["custom_extref"] = {"type": "string", "max_length": 100}
        return {"name": "Ticket List", "actions": {"POST": post}}

    # What is taken

    def create(self, body: Json, user: int) -> Json:
        """POST /api/tickets/"""
        if "description" not in body:
            raise Violation("a ticket without a description is answered with 500")
        for name in ("queue", "title", "priority"):
            if body.get(name) in (None, ""):
                raise Refusal(400, {name: ["This field is required."]})
        taken = self._taken(
            {key: value for key, value in body.items() if key not in ("status", "resolution", "on_hold")}
        )
        if not taken["description"]:
            raise Refusal(400, {"body": ["This field is required."]})
        number = next(self._ids["ticket"])
        row = {
            "id": number, "resolution": None, "submitter_email": None, "assigned_to": None, "status": 1, "on_hold": False,
            "due_date": None, "merged_to": None, **({"custom_extref": ""} if self.reference else {}), **taken,
        }  # fmt: skip
        self.rows[number] = row
        self._say(number, user, "Ticket Opened", row["description"], public=True)
        return self.ticket(number)

    def change(self, number: int, body: Json) -> Json:
        """PATCH /api/tickets/N/"""
        self.ticket(number)
        for name in body:
            if name.startswith("custom_") and body[name] in ("", None):
                raise Refusal(400, {name: ["This field may not be blank."]})
        self.rows[number].update(self._taken(body))
        return self.ticket(number)

    def _taken(self, body: Json) -> Json:
        taken: Json = {}
        numbered: dict[str, Mapping[int, Any]] = {
            "queue": QUEUES,
            "status": STATUSES,
            "priority": PRIORITIES,
            "assigned_to": PEOPLE,
            "merged_to": self.rows,
        }
        for name, value in body.items():
            if isinstance(value, str):
                value = value.strip()
            if name in numbered and value is not None and value not in numbered[name]:
                raise Refusal(400, {name: [f'Invalid pk "{value}" - object does not exist.']})
            if name == "title" and not (isinstance(value, str) and 0 < len(value) <= 200):
                raise Refusal(400, {name: ["This field may not be blank, nor over 200 characters."]})
            if name == "submitter_email" and value is not None and not MAIL.fullmatch(value):
                raise Refusal(400, {name: ["Enter a valid email address."]})
            if name == "due_date" and value is not None:
                value = datetime.fromisoformat(value).astimezone(ZONE).isoformat(timespec="microseconds")
            if name not in ("id", "followup_set") and (name != "custom_extref" or self.reference):
                taken[name] = value
        return taken

    def _say(self, ticket: int, user: int, title: str, comment: str, *, public: bool, **more: Any) -> Json:
        number = next(self._ids["followup"])
        date = self.now().astimezone(ZONE).isoformat(timespec="microseconds")
        self.followups[number] = {
            "id": number, "ticket": ticket, "user": user, "title": title, "comment": comment, "public": public,
            "new_status": None, "time_spent": None, "date": date, "message_id": None, "email_recipients": [], **more,
        }  # fmt: skip
        return self.followup(number)

    def say(self, body: Json, user: int) -> Json:
        """POST /api/followups/"""
        if "title" in body:
            raise Violation("the title of a followup renames the ticket")
        if body.get("ticket") not in self.rows:
            raise Refusal(400, {"ticket": [f'Invalid pk "{body.get("ticket")}" - object does not exist.']})
        row = self.rows[body["ticket"]]
        comment = _rendered(str(body.get("comment", "")).strip())
        more: Json = {}
        if body.get("new_status") not in (None, row["status"]):
            row["status"] = more["new_status"] = body["new_status"]
        if row["status"] == 4 and row["resolution"] is None:
            row["resolution"] = comment
        if body.get("time_spent"):
            more["time_spent"] = _spent(body["time_spent"])
        return self._say(row["id"], user, row["title"], comment, public=body.get("public") is True, **more)

    def change_followup(self, number: int, body: Json) -> Json:
        """PATCH /api/followups/N/"""
        self.followup(number)
        if set(body) - {"comment", "time_spent"}:
            raise Violation(f"a change of a followup with {set(body)}")
        if "comment" in body:
            body = {**body, "comment": body["comment"].strip()}
        if body.get("time_spent"):
            body = {**body, "time_spent": _spent(body["time_spent"])}
        self.followups[number].update(body)
        return self.followup(number)

    def attach(self, told: Mapping[str, str], name: str, data: bytes) -> Json:
        """POST /api/followups-attachments/"""
        dot = name.rfind(".")
        if dot > 0 and name[dot:].lower() not in EXTENSIONS:
            raise Refusal(400, {"file": [f"Unsupported file extension: {name[dot:]}"]})
        if not data:
            raise Refusal(400, {"file": ["The submitted file is empty."]})
        followup = int(told["followup"])
        if followup not in self.followups:
            raise Refusal(400, {"followup": [f'Invalid pk "{followup}" - object does not exist.']})
        number = next(self._ids["file"])
        shown = {
            "id": number, "followup": followup, "file": f"{self.base}/media/{number}/file", "filename": told.get("filename") or name,
            "mime_type": told.get("mime_type") or "text/plain", "size": len(data),
        }  # fmt: skip
        self.files[number] = (shown, data)
        return shown

    def delete(self, what: str, number: int) -> None:
        """DELETE of a ticket, a followup or a file, with all that hangs on it."""
        if what == "tickets":
            self.ticket(number)
            del self.rows[number]
            for one in [one["id"] for one in self.followups.values() if one["ticket"] == number]:
                self.delete("followups", one)
        elif what == "followups":
            self.followup(number)
            del self.followups[number]
            for one in [one["id"] for one, _ in self.files.values() if one["followup"] == number]:
                del self.files[one]
        elif self.files.pop(number, None) is None:
            raise Refusal(404, {"detail": "No FollowUpAttachment matches the given query."})


def _rendered(comment: str) -> str:
    """A comment after the template engine."""
    rest = TAG.sub("", comment)
    if "{" in rest or "%}" in rest or "X-HELPDESK-COMMENT-" in comment:
        raise Violation(f"a comment that the template engine changes: {comment[:200]!r}")
    return TAG.sub(lambda found: found.group(1), comment)


def _spent(text: str) -> str:
    if not re.fullmatch(r"\d{2,}:\d\d:\d\d", text):
        raise Violation(f"{text!r} is no clear time")
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    days, hours = divmod(hours, 24)
    return (f"{days} " if days else "") + f"{hours:02d}:{minutes:02d}:{seconds:02d}"
