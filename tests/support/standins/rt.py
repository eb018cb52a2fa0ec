"""A stand-in for Request Tracker on loopback: answers as RT 5.0 does, as far as the adapter asks, and misbehaves when told to.

Kept in `wrong` is what Request Tracker would silently make nothing of: a field or an order that it does not know, tickets searched by
JSON, a transaction search over all kinds of objects, If-Match with a message. For what else it does when told to see `serving`.

    model.held      transactions that cannot be seen yet, as where numbers are given out before they are committed
"""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from support.standins import rt_model, rt_sql
from support.standins.rt_model import FIELDS, QUEUES, USERS, Json, Model, RefusedError
from support.standins.rt_site import packed
from support.standins.rt_words import Words
from support.standins.serving import Asked, Reply, Troubled

TOKENS = {
    f"1-{USERS[name][0]}-{mark * 32}": name for name, mark in (("agent1", "a"), ("agent2", "b"), ("requester", "c"))
}
OURS = next(iter(TOKENS))
ROOT = "REST/2.0/"
TICKET_FIELDS = frozenset(("id", "Subject", "Status", "Queue", "Creator", "Owner"))
TRANSACTION_FIELDS = frozenset(("id", "ObjectType", "ObjectId", "Type", "Subject"))
SHOWN = {
    "tickets": "id Subject Status Priority TimeWorked Created Creator LastUpdated LastUpdatedBy "
    "Due Queue Owner Requestor CustomFields _hyperlinks",
    "transactions": "id Type Field OldValue NewValue Data Creator Created TimeTaken ObjectId",
    "attachments": "id TransactionId ContentType Content Filename ContentLength",
    "users": "id Name RealName EmailAddress",
    "queues/all": "id Name Lifecycle Disabled Description",
    "customfields": "id Name Type MaxValues",
}  # fmt: skip
Answer = tuple[int, Any, dict[str, str]]


class Standin(Troubled, Words):
    """See `support.sites.Site`."""

    root = ROOT

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.url = f"rt+{self.origin}?queue=Support"
        self.secret = OURS

    @property
    def clock_offset(self) -> float:
        """Seconds by which its clock is wrong."""
        return self.model.clock_offset

    @clock_offset.setter
    def clock_offset(self, seconds: float) -> None:
        self.model.clock_offset = seconds

    def ask(self, method: str, path: str, body: Any = None, file: tuple[str, bytes] | None = None) -> Any:
        """One call as the colleague, who does not go through the network."""
        path, _, query = path.partition("?")
        data, kind = packed(body, file)
        with self.lock:
            status, said, _ = self.done("agent2", method, path, query, kind, data or b"", "")
        assert status < 300, f"{method} {path}: {status} {said!r}"
        return json.loads(json.dumps(said))

    # --- the network

    def writes(self, asked: Asked) -> bool:
        """Whether it is to change something; questions are posted, too."""
        searched = asked.path in ("tickets", "transactions", "attachments", "users")
        return asked.method in ("PUT", "DELETE") or (asked.method == "POST" and not searched)

    def nothing_done(self, asked: Asked) -> Reply:
        """Success, whatever became of it."""
        return Reply(201, b'{"id":"1"}') if asked.method == "POST" else Reply(200, b"[]")

    def answer(self, asked: Asked) -> Reply:
        """As Request Tracker."""
        if asked.headers.get("HTTP_COOKIE") or "Mozilla" in asked.headers.get("HTTP_USER_AGENT", ""):
            return Reply(302, headers={"Location": f"{self.origin}/"})
        who = self._who(asked.headers.get("HTTP_AUTHORIZATION", ""))
        if not who:
            return Reply(401, b'{"message":"Unauthorized"}')
        for name in ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"):
            if name in asked.headers:
                self.wrong.append(f"{asked.method} {asked.path}: {name} is answered 500")
        match = asked.headers.get("HTTP_IF_MATCH", "")
        status, said, more = self.done(who, asked.method, asked.path, asked.query, asked.kind, asked.body, match)
        return Reply(status, b"" if status in (204, 500) else json.dumps(said).encode(), headers=more)

    def _who(self, header: str) -> str:
        how, _, secret = header.partition(" ")
        if how == "token":
            return TOKENS.get(secret, "")
        if how == "Basic":
            login, _, password = base64.b64decode(secret).decode().partition(":")
            return login if login in USERS and password == f"secret-{login}" else ""
        return ""

    # --- what it answers

    def done(self, who: str, method: str, path: str, query: str, kind: str, body: bytes, match: str) -> Answer:
        """Status, what is said, headers."""
        params = parse_qsl(query, keep_blank_values=True)
        try:
            if method in ("GET", "DELETE") or kind.startswith("application/x-www-form-urlencoded"):
                return self._read(who, method, path, params + parse_qsl(body.decode(), keep_blank_values=True), match)
            files: list[tuple[str, bytes]] = []
            if kind.startswith("multipart/form-data"):
                body, files = unpacked(kind, body)
            elif not kind.startswith("application/json"):
                return 415, {"message": "Unsupported Media Type"}, {}
            return self._write(who, method, path, params, json.loads(body), files, match)
        except RefusedError as error:
            return error.status, {"message": error.words}, {}
        except rt_sql.QueryError as error:
            return 400, {"message": str(error)}, {}

    def _read(self, who: str, method: str, path: str, params: list[tuple[str, str]], match: str) -> Answer:
        plain = dict(params)
        model = self.model
        name, _, rest = path.partition("/")
        if path == "rt":
            return 200, {"Version": "5.0.3"}, {}
        if path in ("tickets", "transactions"):
            return self._searched(path, plain.get("query", ""), params)
        if path == "users":
            return self._page(path, [person(one) for one in USERS], params)
        if path == "queues/all":
            rows = [
                {"id": str(ident), "Name": one, "Lifecycle": two, "Disabled": "0"}
                for ident, (one, two) in QUEUES.items()
            ]
            return self._page(path, rows, params)
        if name == "queue" and rest.endswith("/customfields"):
            number = int(rest.partition("/")[0])
            rows = [
                {
                    "id": str(ident),
                    "Name": one,
                    "Type": "Select" if choices else "Freeform",
                    "MaxValues": str(int(not many)),
                }
                for ident, (one, many, choices, queues) in FIELDS.items()
                if number in queues
            ]
            return self._page("customfields", rows, params)
        if name == "customfield":
            return 200, {"id": int(rest), "Values": [*FIELDS[int(rest)][2]]}, {}
        if name == "user":
            found = next((one for one in USERS if rest in (one, str(USERS[one][0]))), "")
            return (200, person(found) | {"id": USERS[found][0]}, {}) if found else (404, {"message": "Not Found"}, {})
        if name == "attachment":
            part = model.attachments.get(int(rest) if rest.isdecimal() else 0)
            if part is None:
                return 500, {"message": "Internal Server Error"}, {}
            encoded = base64.encodebytes(part["Content"]).decode()
            return 200, {"Headers": '"Content":"no"', "Content": encoded, "id": int(rest)}, {}
        if name == "ticket" and rest.endswith("/attachments"):
            own = {one["id"] for one in model.own(int(rest.partition("/")[0]))}
            rows = [shown(part) for part in model.attachments.values() if part["TransactionId"] in own]
            return self._page("attachments", rows, params)
        if name == "ticket" and rest.isdecimal():
            if int(rest) not in model.tickets:
                return 404, {"message": "Not Found"}, {}
            ticket = model.ticket(int(rest))
            if method == "DELETE":
                if match and match != self._tag(ticket):
                    return 412, {"message": "Precondition Failed"}, {}
                model.delete(who, int(rest))
                return 204, None, {}
            return 200, self._shown(ticket) | {"id": ticket["id"]}, {"ETag": self._tag(ticket)}
        return 404, {"message": "Not Found"}, {}

    def _write(
        self, who: str, method: str, path: str, params: list[tuple[str, str]], body: Any, files: list[Any], match: str
    ) -> Answer:
        model = self.model
        found = re.fullmatch(r"ticket/([0-9]+)(?:/(comment|correspond))?", path)
        if method == "POST" and path in ("transactions", "attachments", "users"):
            return self._found(path, body, params)
        if method == "POST" and path == "ticket":
            number = model.create(who, body)
            return 201, {"id": str(number), "type": "ticket"}, {"Location": f"/{ROOT}ticket/{number}"}
        if method == "POST" and found and found[2]:
            if match:
                self.wrong.append(f"{path} with If-Match is always answered 412")
                return 412, {"message": "Precondition Failed"}, {}
            made = model.say(who, int(found[1]), "Comment" if found[2] == "comment" else "Correspond", body, files)
            return 201, ["Recorded"], {"Location": f"/{ROOT}transaction/{made}"}
        if method == "PUT" and found and not found[2]:
            ticket = model.ticket(int(found[1]))
            if match and match != self._tag(ticket):
                return 412, {"message": "Precondition Failed"}, {}
            if isinstance(body.get("CustomFields", {}), list):
                self.wrong.append(f"{path}: custom fields as a list are answered 500")
            return 200, model.put(who, int(found[1]), body), {}
        self.wrong.append(f"{method} {path} is nothing that there is")
        return 404, {"message": "Not Found"}, {}

    def _tag(self, ticket: Json) -> str:
        return f'"{max(one["id"] for one in self.model.own(ticket["id"]))}"'

    def _searched(self, path: str, query: str, params: list[tuple[str, str]]) -> Answer:
        """What a query of the query languages finds."""
        model = self.model
        if path == "tickets":
            test = rt_sql.parse(query, TICKET_FIELDS)
            rows = [
                one
                for number, one in model.tickets.items()
                if one["Status"] != "deleted" and one["EffectiveId"] == number and test(self._searchable(one))
            ]
            answer = self._page(path, [self._shown(one) for one in rows], params)
            if self.shift_pages and answer[1]["items"]:
                model.put("agent2", int(answer[1]["items"][0]["id"]), {"TimeWorked": len(model.transactions)})
            return answer
        if "ObjectType='RT::Ticket'" not in query:
            self.wrong.append(f"{query}: transactions of queues and people, too")
        test = rt_sql.parse(query, TRANSACTION_FIELDS)
        done = [one for one in model.transactions.values() if test(one | {"Subject": one["Data"]})]
        return self._page(path, [reference(one) for one in done if one["id"] not in model.held], params)

    def _found(self, path: str, search: list[Json], params: list[tuple[str, str]]) -> Answer:
        """What a search in JSON finds."""
        search = [
            one | {"value": {str(each) for each in one["value"]}} if one.get("operator") == "IN" else one
            for one in search
        ]

        def meets(row: Mapping[str, Any]) -> bool:
            return all(rt_sql.holds(row[one["field"]], one.get("operator", "="), one["value"]) for one in search)

        if path == "users":
            return self._page(path, [one for one in map(person, USERS) if meets(one)], params)
        if path == "transactions":
            done = [one for one in self.model.transactions.values() if one["id"] not in self.model.held and meets(one)]
            return self._page(path, [reference(one) for one in done], params)
        return self._page(path, [shown(part) for part in self.model.attachments.values() if meets(part)], params)

    def _searchable(self, one: Json) -> Json:
        customs = {f"CF.{{{FIELDS[ident][0]}}}": values for ident, values in one["customs"].items()}
        return one | {"Queue": QUEUES[one["Queue"]][0]} | customs

    def _page(self, path: str, rows: list[Json], params: list[tuple[str, str]]) -> Answer:
        """A part of a list. What is not told of a row is empty."""
        plain = dict(params)
        known = SHOWN[path].split()
        wanted = plain.get("fields", "").split(",")
        for name in [*filter(None, wanted), *(value for key, value in params if key == "orderby")]:
            if name not in known:
                self.wrong.append(f"{path}: there is no {name}")
        per, page = min(int(plain.get("per_page", 20)), 100), int(plain.get("page", 1))
        for column in reversed([value for key, value in params if key == "orderby"]):
            rows = sorted(rows, key=lambda row: number_of(row[column]), reverse=plain.get("order") == "DESC")
        part = [
            {name: row.get(name, "") for name in {"id", *filter(None, wanted)}}
            for row in rows[(page - 1) * per : page * per]
        ]
        total = None if path in ("transactions", "attachments") else len(rows)
        return 200, {"count": len(part), "page": page, "per_page": per, "total": total, "items": part}, {}

    def _shown(self, one: Json) -> Json:
        def someone(name: str) -> Json:
            return {"type": "user", "id": name}

        links: list[Json] = [{"ref": ref, "type": "ticket", "id": str(other)} for ref, other in sorted(one["links"])]
        follow = rt_model.NEXT[QUEUES[one["Queue"]][1]][one["Status"]]
        links += [{"ref": "lifecycle", "from": one["Status"], "to": name, "update": "Respond"} for name in follow]
        return {
            "id": str(one["id"]), "Subject": one["Subject"], "Status": one["Status"], "Priority": one["Priority"],
            "TimeWorked": str(one["TimeWorked"]), "Created": rt_model.iso(one["Created"]), "Creator": someone(one["Creator"]),
            "LastUpdated": rt_model.iso(one["LastUpdated"]), "LastUpdatedBy": someone(one["LastUpdatedBy"]),
            "Due": rt_model.iso(one["Due"]), "Owner": someone(one["Owner"]),
            "Queue": {"type": "queue", "id": str(one["Queue"]), "Name": QUEUES[one["Queue"]][0]},
            "Requestor": [someone(name) for name in one["Requestor"]],
            "CustomFields": [
                {"id": str(ident), "name": name, "values": one["customs"].get(ident, [])}
                for ident, (name, _, _, queues) in FIELDS.items() if one["Queue"] in queues
            ],
            "_hyperlinks": [{"ref": "self", "type": "ticket", "id": one["id"]}, *links],
        }  # fmt: skip


def number_of(value: Any) -> Any:
    return int(value) if str(value).isdecimal() else value


def reference(one: Json) -> Json:
    """A transaction as lists have it."""
    told = {"id": str(one["id"]), "ObjectId": str(one["ObjectId"]), "Created": rt_model.iso(one["Created"])}
    return one | told | {"Creator": {"type": "user", "id": one["Creator"]}}


def shown(part: Json) -> Json:
    """A part of a message as lists have it: binary content arrives as code points."""
    text = part["ContentType"].startswith("text/")
    content = part["Content"].decode("utf-8" if text else "latin-1")
    told = {"id": str(part["id"]), "TransactionId": str(part["TransactionId"]), "Filename": part["Filename"] or ""}
    return part | told | {"Content": content, "ContentLength": str(len(part["Content"]))}


def person(name: str) -> Json:
    _, real, mail, privileged = USERS[name]
    return {"id": name, "Name": name, "RealName": real, "EmailAddress": mail, "Privileged": privileged}


def unpacked(kind: str, body: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The message and the files of a form."""
    edge = b"--" + kind.partition("boundary=")[2].strip('"').encode()
    message, files = b"{}", []
    for part in body.split(b"\r\n" + edge)[:-1]:
        head, _, data = part.removeprefix(edge).lstrip(b"\r\n").partition(b"\r\n\r\n")
        name = re.search(rb'filename="([^"]*)"', head)
        if name is None:
            message = data
            continue
        text = name[1].decode()
        packed_name = re.fullmatch(r"=\?UTF-8\?B\?(.*)\?=", text)
        files.append((base64.b64decode(packed_name[1]).decode() if packed_name else text, data))
    return message, files
