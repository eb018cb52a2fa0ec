"""Single calls at a Redmine: from a call in the terms of all helpdesks to the request that does it, and what its answer says.

Redmine drops what it does not like without a word; what would do harm that way is refused here before it is sent: a note that would
become public, a file that would, a comment of blanks. All else the engine finds by reading back.
"""

import time
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from chit_sync.errors import AccessError, RemoteError
from chit_sync.helpdesks.base import Call, DoubtError, Outcome, RefusedError, Snapshot, StaleError
from chit_sync.helpdesks.marking import marked, unmarked
from chit_sync.helpdesks.redmine_answers import Part, date_of, file_name, item, line, lines, said
from chit_sync.helpdesks.redmine_issues import Bound, read
from chit_sync.helpdesks.redmine_reading import INCLUDE, snapshot
from chit_sync.helpdesks.redmine_site import NoProjectError, Site
from chit_sync.registers import Value
from chit_sync.remotes.base import UnreachedError
from chit_sync.remotes.received import Answer


class Writing:
    """Writes to a Redmine."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._web = site.web
        self.where = site.where
        self._options = site.address.options

    def perform(self, call: Call, file: BinaryIO | None = None) -> Outcome:
        """Does one call."""
        number = call.number
        match call.verb:
            case "create":
                return self._create(call)
            case "update":
                self._put(call, self._attributes(call))
            case "comment":
                return self._comment(call)
            case "edit-comment":
                self._edit_comment(call, str(call.fields.get("body") or ""))
            case "delete-comment":
                self._edit_comment(call, "")
            case "attach":
                return self._attach(call, file)
            case "delete-attachment":
                self._write("DELETE", f"attachments/{item(call.id)}.json", call)
            case "time":
                answer = self._write("POST", "time_entries.json", call, {"time_entry": self._time(call, number)})
                return Outcome(id=str(self._made(answer, "time_entry").number("id")))
            case "edit-time":
                self._write("PUT", f"time_entries/{item(call.id)}.json", call, {"time_entry": self._time(call, 0)})
            case "delete-time":
                self._write("DELETE", f"time_entries/{item(call.id)}.json", call)
            case "link" | "unlink":
                self._tie(call)
            case "delete":
                self._delete(call)
            case _:
                raise RefusedError(f"{self.where} cannot do that: {call.verb}", "Redmine does not merge issues.")
        return Outcome()

    def _write(
        self, method: str, path: str, call: Call, body: Mapping[str, object] | None = None, *, gone: bool = False
    ) -> Answer:
        """One call that changes something. gone: whether it is well, too, if what it is about is not there any more."""
        answer = self._web.ask(method, path, json=body, accept=(404, 422), repeat=False)
        if answer.status == 404:
            if gone and answer.body.lstrip()[:1] != b"<":
                return answer
            raise RefusedError(f"{self.where} has no such thing (any more): {path.removesuffix('.json')}")
        if answer.status == 422:
            words = said(answer)
            if words or answer.body.lstrip()[:1] == b"<":
                raise RefusedError(f"{self.where} refuses it: {words or answer.said()}")
            message = f"issue {call.number} at {self.where} was changed by somebody else at the same moment"
            raise StaleError(message, "Nothing was done; it is read again.")
        if method != "POST" and answer.body.strip():
            answer.json()
        return answer

    def _put(self, call: Call, attributes: Mapping[str, object]) -> None:
        if attributes:
            self._write("PUT", f"issues/{call.number}.json", call, {"issue": attributes})

    def _made(self, answer: Answer, what: str) -> Part:
        """What a call made, as its answer shows it."""
        try:
            return self._site.part(answer, what).part(what)
        except DoubtError:
            raise
        except RemoteError as error:
            raise DoubtError(error.message, error.hint, settled=True) from None

    def _create(self, call: Call) -> Outcome:
        site = self._site
        queue = call.fields.get("queue")
        if not queue and len(site.projects) > 1 and not site.followed:
            raise RefusedError(f"{self.where} has several projects, and the ticket names none", "Set its queue.")
        project = self._queue(queue) if queue else [*site.followed, *site.projects, 0][0]
        attributes = self._attributes(call, project)
        attributes["project_id"] = project
        if attributes.get("due_date"):
            attributes["start_date"] = ""  # else Redmine sets today's, and refuses to have it due before
        if name := self._options.get("tracker"):
            if name.casefold() not in site.trackers:
                raise RefusedError(f"{self.where} has no tracker {name!r}", f"It has: {', '.join(site.trackers)}.")
            attributes["tracker_id"] = site.trackers[name.casefold()]
        if call.token:
            if reference := site.reference(project):
                custom = attributes.setdefault("custom_fields", [])
                assert isinstance(custom, list)
                custom.append({"id": reference, "value": call.token})
            else:
                attributes["description"] = marked(str(attributes.get("description") or ""), call.token)
        answer = self._write("POST", "issues.json", call, {"issue": attributes})
        issue = self._made(answer, "issue")
        number = issue.number("id")
        wanted = attributes.get("status_id")
        try:
            if wanted and issue.part("status").number("id") != wanted:
                # a new issue begins where its workflow does; from there it may go on
                update = Call("update", number, call.token, {})
                self._put(update, {"status_id": wanted})
                return Outcome(number)
            site.load()
            site.learn({issue.part("author").number("id"): ""} if issue.has("author") else {})
            site.saw(issue)
            return Outcome(number, snapshot=snapshot(issue, site.called(), []))
        except (AccessError, RefusedError, RemoteError):
            return Outcome(number)  # it was made; whoever reads it sees what is missing

    def _attributes(self, call: Call, project: int = 0) -> dict[str, object]:
        """The fields of a call as Redmine wants them. project: the issue's, 0 if it has to be found out."""
        site = self._site
        attributes: dict[str, object] = {}
        customs: list[dict[str, object]] = []
        for path, value in call.fields.items():
            if path == "title":
                attributes["subject"] = str(value or "")
            elif path == "description":
                text = str(value or "")
                mark = self._mark(call.number) if call.number else ""
                attributes["description"] = marked(text, mark) if mark else text
            elif path == "status":
                attributes["status_id"] = self._choice(path, value, site.statuses)
            elif path == "priority":
                attributes["priority_id"] = self._choice(path, value, site.priorities)
            elif path == "due":
                attributes["due_date"] = date_of(value) if type(value) is int else ""
            elif path == "queue" and call.number:
                attributes["project_id"] = self._queue(value)
            elif path == "assignee":
                attributes["assigned_to_id"] = ""
                if value:
                    project = project or self._project(call.number)
                    there = site.person(str(value), project)
                    if there is None:
                        raise RefusedError(f"nobody called {value!r} works in that project at {self.where}")
                    attributes["assigned_to_id"] = there
            elif path.startswith("x."):
                project = project or self._project(call.number)
                number = site.custom(project, path[2:])
                if not number:
                    raise RefusedError(f"issues of that project at {self.where} have no field {path[2:]!r}")
                several = isinstance(value, str) and "\n" in value and number in site.multiple
                customs.append({"id": number, "value": str(value).split("\n") if several else value or ""})
            elif call.number or path not in ("queue", "requester"):
                raise RefusedError(f"Redmine has no {path}")
        if customs:
            attributes["custom_fields"] = customs
        return attributes

    def _queue(self, name: Value) -> int:
        try:
            return self._site.project(str(name)).id
        except NoProjectError as error:
            raise RefusedError(error.message, error.hint) from None

    def _choice(self, path: str, value: Value, choices: Sequence[Part]) -> int:
        for choice in choices:
            if line(choice.text("name")) == value:
                return choice.number("id")
        there = ", ".join(line(choice.text("name")) for choice in choices)
        raise RefusedError(f"{self.where} has no {path} {value!r}", f"There are: {there}.")

    def _issue(self, number: int) -> Part:
        answer = self._site.maybe(f"issues/{number}.json", [("include", INCLUDE)])
        if isinstance(answer, int):
            raise RefusedError(f"{self.where} has no issue {number} (any more) that this account may see")
        issue = answer.part("issue")
        self._site.saw(issue)
        return issue

    def _project(self, number: int) -> int:
        return self._issue(number).part("project").number("id")

    def _mark(self, number: int) -> str:
        """Our ticket's id, if the issue has it in its description."""
        if self._site.unmarked(number):
            return ""
        return unmarked(self._issue(number).text("description"))[1]

    # --- items

    def _comment(self, call: Call) -> Outcome:
        body = str(call.fields.get("body") or "")
        public = call.fields.get("public") is not False
        if not body.strip():
            raise RefusedError("Redmine keeps no comment that is only blanks")
        if not public and not (self._site.private_everywhere or self._private(call.number)):
            raise RefusedError(
                f"this account may not keep notes private at {self.where}; Redmine would publish it",
                "Ask an administrator for the right “Set notes as private”.",
            )
        self._put(call, {"notes": body, "private_notes": not public})
        try:
            (found,), _ = read(self._site, [call.number], Bound(time.time))
        except (AccessError, RemoteError):
            return Outcome()  # it was made; which one it is, reading tells
        if not isinstance(found, Snapshot):
            return Outcome()
        me = self._site.people.get(self._site.me.number("id"))
        same = [
            each.id for each in found.comments if (each.author, each.body, each.public) == (me, lines(body), public)
        ]
        return Outcome(id=same[-1] if same else "", snapshot=found)

    def _private(self, number: int) -> bool:
        """Whether we may keep notes private on that issue."""
        return self._site.may_write_privately(self._project(number))

    def _edit_comment(self, call: Call, body: str) -> None:
        """Rewrites a note. Without a text Redmine deletes it, unless a change of fields hangs on it."""
        if body and not body.strip():
            raise RefusedError("Redmine keeps no comment that is only blanks")
        path = f"journals/{item(call.id)}.json"
        self._write("PUT", path, call, {"journal": {"notes": body}})

    def _attach(self, call: Call, file: BinaryIO | None) -> Outcome:
        if call.fields.get("public") is False:
            raise RefusedError("Redmine shows a file to everybody who sees the issue, so it keeps no internal ones")
        name = file_name(str(call.fields.get("name") or "file"))
        try:
            answer = self._web.ask(
                "POST",
                "uploads.json",
                params=[("filename", name)],
                headers={"Content-Type": "application/octet-stream"},
                content=file if file is not None else b"",
                repeat=False,
                accept=(413,),
            )
            if answer.status == 413:
                raise RefusedError(f"{self.where} takes no file as large as {name}")
            upload = self._made(answer, "upload")
            token = upload.text("token")
        except DoubtError as error:
            # what was uploaded and hangs on no issue is seen by nobody, and swept away by Redmine itself
            raise UnreachedError(
                error.message, "Nothing of the file shows there yet; it is safe to run it again."
            ) from None
        self._put(call, {"uploads": [{"token": token, "filename": name, "content_type": "application/octet-stream"}]})
        return Outcome(id=str(upload.number("id")))

    def _time(self, call: Call, number: int) -> dict[str, object]:
        entry: dict[str, object] = {}
        fields = call.fields
        spent, date = fields.get("minutes"), fields.get("date")
        if "minutes" in fields:
            if type(spent) is not int or spent <= 0:
                raise RefusedError("Redmine tells nothing of a time of no minutes")
            entry["hours"] = round(spent / 60, 2)
        if type(date) is int:
            entry["spent_on"] = date_of(date)
        if "note" in fields:
            entry["comments"] = str(fields["note"] or "")
        if number:
            entry["issue_id"] = number
            if activity := self._activity():
                entry["activity_id"] = activity
        return entry

    def _activity(self) -> int:
        wanted = self._options.get("activity")
        activities = self._site.activities
        if wanted:
            for activity in activities:
                if line(activity.text("name")).casefold() == wanted.casefold():
                    return activity.number("id")
            raise RefusedError(f"{self.where} has no activity {wanted!r} to book time on")
        if any(activity.flag("is_default") for activity in activities):
            return 0
        return activities[0].number("id") if activities else 0

    def _tie(self, call: Call) -> None:
        kind, other = str(call.fields.get("kind")), call.fields.get("other")
        if type(other) is not int or other <= 0:
            raise RefusedError(f"{other!r} is no issue's number")
        if kind == "parent-of":
            parent = self._issue(other)
            held = parent.part("parent").number("id") if parent.has("parent") else 0
            if (held == call.number) == (call.verb == "link"):
                return
            child = call._replace(number=other)
            self._put(child, {"parent_issue_id": call.number if call.verb == "link" else ""})
            return
        if call.verb == "link":
            if kind not in ("relates", "blocks", "duplicates", "follows"):
                raise RefusedError(f"Redmine knows no link like {kind}")
            relation: dict[str, object] = {"issue_to_id": other, "relation_type": kind}
            try:
                self._write("POST", f"issues/{call.number}/relations.json", call, {"relation": relation})
            except RefusedError:
                if not self._relations(call.number, kind, other):
                    raise
            return
        for held_by in self._relations(call.number, kind, other):
            self._write("DELETE", f"relations/{held_by}.json", call, gone=True)

    def _relations(self, number: int, kind: str, other: int) -> list[int]:
        """The ids of those relations; `follows` Redmine keeps the other way round."""
        wanted = ("precedes", other, number) if kind == "follows" else (kind, number, other)
        return [
            relation.number("id")
            for relation in self._issue(number).parts("relations")
            if (relation.text("relation_type"), relation.number("issue_id"), relation.number("issue_to_id")) == wanted
        ]

    def _delete(self, call: Call) -> None:
        answer = self._site.maybe(f"issues/{call.number}.json", [("include", "children")])
        if answer == 404:
            self._site.check()
            return
        if not isinstance(answer, int) and answer.part("issue").parts("children"):
            raise RefusedError(
                f"issue {call.number} at {self.where} has subtasks, which Redmine would delete with it",
                "Delete them first, or give them another parent.",
            )
        self._write("DELETE", f"issues/{call.number}.json", call, gone=True)
