"""A stand-in for Redmine on loopback: answers as Redmine 5.0 does, as far as the adapter asks, and misbehaves when told to.

Kept in `wrong` is what Redmine would silently make nothing of: no wrapper, a filter or an order that it does not know, a wrong content
type. For what it does when told to see `serving`.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from support.standins.redmine_model import (
    CUSTOMS,
    MAX_FILE,
    PEOPLE,
    PRIORITIES,
    PROJECTS,
    STATUSES,
    InvalidError,
    Json,
    Model,
    person,
)
from support.standins.redmine_words import Words
from support.standins.serving import JSON, Asked, Reply, Troubled

KEYS = {"a" * 39 + "1": 5, "a" * 39 + "2": 6, "a" * 39 + "7": 7, "a" * 39 + "0": 1}
OURS, COLLEAGUE = list(KEYS)[:2]
FILTERS = ("project_id", "updated_on", "issue_id", "description", "cf_1", "cf_2", "status_id", "tracker_id", "subject")
ORDERS = ("updated_on:asc,id:asc", "updated_on:desc", "id:asc", "id:desc", "created_on:desc")
Answer = tuple[int, bytes, str]


class Standin(Troubled, Words):
    """See `support.sites.Site`."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.rest = True
        self.url = f"redmine+{self.origin}?queue=Support&queue=Billing"
        self.secret = OURS

    @property
    def clock_offset(self) -> float:
        """Seconds by which its clock is wrong."""
        return self.model.clock_offset

    @clock_offset.setter
    def clock_offset(self, seconds: float) -> None:
        self.model.clock_offset = seconds

    # --- the colleague, who does not go through the network

    def ask(self, method: str, path: str, body: Any = None, data: bytes | None = None) -> Any:
        """One call as the colleague."""
        kind = "application/json" if data is None else "application/octet-stream"
        sent = data if data is not None else json.dumps(body).encode() if body is not None else b""
        path, _, query = path.partition("?")
        with self.lock:
            status, said, _ = self.done(6, method, path, query, kind, sent)
        assert status < 300, f"{method} {path}: {status} {said!r}"
        return json.loads(said) if said else None

    def download(self, number: int) -> bytes:
        """The bytes of a file."""
        return self.model.uploads[number]

    def upload(self, name: str, data: bytes) -> str:
        """Brings a file there."""
        return str(self.ask("POST", "uploads.json?filename=x", data=data)["upload"]["token"])

    def answer(self, asked: Asked) -> Reply:
        """As Redmine."""
        who = KEYS.get(asked.headers.get("HTTP_X_REDMINE_API_KEY", ""), 0) if self.rest else 0
        return Reply(*self.done(who, asked.method, asked.path, asked.query, asked.kind, asked.body))

    # --- Redmine

    def done(self, who: int, method: str, path: str, query: str, kind: str, body: bytes) -> Answer:
        """What Redmine answers to that account, 0 for an anonymous visitor."""
        params = parse_qsl(query, keep_blank_values=True)
        if not self.rest and (method != "GET" or path.startswith("users/")):
            return 403, b"", JSON
        given: Json = {}
        if path == "uploads.json":
            if kind != "application/octet-stream":
                return self._odd(f"{path} with {kind}", 406)
        elif method in ("POST", "PUT") and body:
            given = json.loads(body)
            if not kind.startswith("application/json") or len(given) != 1:
                return self._odd(f"{method} {path} with {kind}, {list(given)}", 422)
        try:
            found = self._route(who, method, path, params, given, body)
        except InvalidError as error:
            return 422, json.dumps({"errors": error.errors}).encode(), JSON
        if isinstance(found, int):
            return found, b"", JSON
        if isinstance(found, bytes):
            return 200, found, "application/octet-stream"
        if isinstance(found, str):
            return 200, found.encode(), "text/csv"
        return 201 if method == "POST" else 200, json.dumps(found).encode(), JSON

    def _odd(self, what: str, status: int) -> Answer:
        self.wrong.append(what)
        return status, b"", JSON

    def _route(
        self, who: int, method: str, path: str, params: list[tuple[str, str]], given: Json, body: bytes
    ) -> Json | int | bytes | str:
        model = self.model
        match path.removesuffix(".json").split("/"):
            case ["issues"] if method == "GET":
                return self._list(who, params)
            case ["time_entries"] if method == "GET":
                return self._entries(who, params)
            case ["projects"]:
                shown = PROJECTS if who or model.public else {}
                return page("projects", [self._project(number) for number in shown], params)
            case _ if not who:
                return 401
            case ["users", "current"]:
                return {"user": self._user(who) | {"api_key": "x"}}
            case ["users", number]:
                return {"user": self._user(int(number))} if int(number) in PEOPLE else 404
            case ["projects", number, "memberships"]:
                members = [{"id": who, "user": person(who), "roles": [{"id": 3}]} for who in (5, 6, 7)]
                return page("memberships", members, params)
            case ["projects", _, "issues.csv"]:
                wanted = {value for name, value in params if name == "c[]"}
                return "\ufeff#," + ",".join(name for key, name in CUSTOMS.items() if f"cf_{key}" in wanted) + "\n"
            case ["roles", "3"]:
                return {"role": {"id": 3, "permissions": ["set_notes_private"] if who in model.may_be_private else []}}
            case ["issue_statuses"]:
                return {"issue_statuses": [model.status(number) for number in range(1, len(STATUSES) + 1)]}
            case ["enumerations", "issue_priorities"]:
                return {
                    "issue_priorities": [
                        {"id": n, "name": name, "active": True} for n, name in enumerate(PRIORITIES, 1)
                    ]
                }
            case ["enumerations", "time_entry_activities"]:
                return {"time_entry_activities": [{"id": 8, "name": "Design"}, {"id": 9, "name": "Development"}]}
            case ["trackers"]:
                return {"trackers": [{"id": 1, "name": "Bug"}]}
            case ["issues"]:
                return {"issue": model.show(model.create(who, self._wrapped(given, "issue")))}
            case ["issues", number]:
                return self._issue(who, method, int(number), params, given)
            case ["issues", number, "relations"]:
                return {"relation": model.relate(int(number), self._wrapped(given, "relation"))}
            case ["relations", number]:
                return 204 if model.relations.pop(int(number), None) else 404
            case ["journals", number]:
                return self._edit_journal(int(number), self._wrapped(given, "journal"))
            case ["uploads"]:
                if len(body) > MAX_FILE:
                    raise InvalidError(
                        f"This file cannot be uploaded because it exceeds the maximum allowed file size ({MAX_FILE})"
                    )
                upload = model.next("upload")
                model.uploads[upload] = body
                return {"upload": {"id": upload, "token": f"{upload}.0123"}}
            case ["attachments", "download", number]:
                there = number.isdecimal() and any(
                    each["id"] == int(number) for issue in model.issues.values() for each in issue["attachments"]
                )
                return model.uploads[int(number)] if there else 404
            case ["attachments", number]:
                return self._delete_file(int(number))
            case ["time_entries"]:
                return {"time_entry": model.entry(model.spend(who, self._wrapped(given, "time_entry")))}
            case ["time_entries", number]:
                if int(number) not in model.entries:
                    return 404
                if method == "DELETE":
                    del model.entries[int(number)]
                else:
                    model.spend(who, self._wrapped(given, "time_entry"), int(number))
                return 204
        return self._odd(f"{method} {path}", 404)[0]

    def _wrapped(self, given: Json, name: str) -> Json:
        if name not in given:
            self.wrong.append(f"a body without its wrapper {name}")
        return dict(given.get(name, {}))

    def _user(self, number: int) -> Json:
        login, first, last = PEOPLE[number]
        projects = [{"project": {"id": each}, "roles": [{"id": 3}]} for each in PROJECTS] if number in (5, 6) else []
        user = {"id": number, "login": login, "firstname": first, "lastname": last}
        return user | {"admin": number == 1, "memberships": projects}

    def _project(self, number: int) -> Json:
        name = PROJECTS[number]
        return {"id": number, "name": name, "identifier": name.lower(), "status": 1, "is_public": self.model.public}

    def _issue(self, who: int, method: str, number: int, params: list[tuple[str, str]], given: Json) -> Json | int:
        if number not in self.model.issues:
            return 404
        if method == "GET":
            include = dict(params).get("include", "")
            return {"issue": self.model.show(self.model.issues[number], include, who in self.model.may_be_private)}
        if method == "DELETE":
            self.model.delete(number)
        else:
            self.model.update(who, number, self._wrapped(given, "issue"))
        return 204

    def _edit_journal(self, number: int, given: Json) -> int:
        for issue in self.model.issues.values():
            for journal in issue["journals"]:
                if journal["id"] == number:
                    journal["notes"] = given["notes"]
                    if not given["notes"] and not journal["details"]:
                        issue["journals"].remove(journal)
                    return 204
        return 404

    def _delete_file(self, number: int) -> int:
        for issue in self.model.issues.values():
            for file in issue["attachments"]:
                if file["id"] == number:
                    issue["attachments"].remove(file)
                    return 204
        return 404

    # --- lists

    def _list(self, who: int, params: list[tuple[str, str]]) -> Json:
        plain = dict(params)
        issues = list(self.model.issues.values()) if who or self.model.public else []
        if plain.get("sort") not in ORDERS:
            self.wrong.append(f"an order that Redmine does not know: {plain.get('sort')}")
        if "f[]" not in plain and plain.get("status_id") != "*":
            self.wrong.append("a list without closed issues")
        for name in [value for key, value in params if key == "f[]" and value]:
            values = [value for key, value in params if key == f"v[{name}][]"]
            if name not in FILTERS:
                self.wrong.append(f"a filter that Redmine does not know: {name}")
                continue
            issues = [issue for issue in issues if self._fits(issue, name, plain[f"op[{name}]"], values)]
        for order in reversed((plain.get("sort") or "").split(",")):
            key, _, way = order.partition(":")
            by = {"updated_on": "updated", "created_on": "created"}.get(key, "id")
            issues.sort(key=lambda issue: issue[by], reverse=way == "desc")
        found = page("issues", [self.model.show(issue) for issue in issues], params)
        if self.shift_pages and found["issues"]:
            self.model.issues[found["issues"][0]["id"]]["updated"] = self.model.tick()
        return found

    def _fits(self, issue: Json, name: str, operator: str, values: list[str]) -> bool:
        if name == "updated_on":
            if not all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value) for value in values):
                raise InvalidError("Updated is invalid")
            # not before T is for Redmine: later than a second before T
            fits = issue["updated"] > self._seconds(values[0]) - 1
            return fits and (operator == ">=" or issue["updated"] <= self._seconds(values[1]))
        if name == "issue_id":
            return issue["id"] >= int(values[0]) if operator == ">=" else str(issue["id"]) in values[0].split(",")
        if name == "description":
            return values[0].lower() in (issue["description"] or "").lower()
        held = issue["customs"][int(name[3:])] if name.startswith("cf_") else issue[name]
        return str(held) in values

    def _seconds(self, text: str) -> float:
        import datetime

        return datetime.datetime.fromisoformat(text).timestamp() - self.model.clock_offset

    def _entries(self, who: int, params: list[tuple[str, str]]) -> Json:
        plain = dict(params)
        entries = list(self.model.entries.values()) if who else []
        if "issue_id" in plain:
            entries = [entry for entry in entries if str(entry["issue_id"]) == plain["issue_id"]]
        if "user_id" in plain:
            entries = [entry for entry in entries if str(entry["user"]) == plain["user_id"]]
        key = "at" if plain.get("sort") == "created_on:desc" else "spent_on"
        entries.sort(key=lambda entry: entry[key], reverse=True)
        return page("time_entries", [self.model.entry(entry) for entry in entries], params)


def page(name: str, items: list[Json], params: list[tuple[str, str]]) -> Json:
    """A part of a list, at most a hundred of it."""
    plain = dict(params)
    limit = min(int(plain.get("limit", 25)) or 25, 100)
    offset = int(plain.get("offset", 0))
    return {name: items[offset : offset + limit], "total_count": len(items), "offset": offset, "limit": limit}
