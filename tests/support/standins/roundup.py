"""A stand-in for Roundup: as much of its REST interface as the adapter uses, in memory, on loopback, and whatever can go wrong with it.

It checks what it is asked against Roundup's rules and answers as Roundup does; what no Roundup would forgive fails an assertion. Trouble
is made for the adapter's account only. There are no pages that `shift_pages` could shift: lists come whole.
"""

import base64
import email.parser
import email.policy
import hashlib
import json
import time
from typing import Any
from urllib.parse import parse_qsl

from support.standins.roundup_site import Site
from support.standins.roundup_words import KEYS, Database, Refusal, Row
from support.standins.serving import Asked, Reply, Troubled

ACCOUNTS = {"agent1": "Agent One", "agent2": "Agent Two", "requester": "Réquester Øne"}


class Standin(Troubled, Site):
    """A tracker with the two agents of the real one."""

    root = "helpdesk/rest/"

    def __init__(self) -> None:
        Troubled.__init__(self)
        self.clock_offset = 0
        self.empty_on_bad_token = False
        self.tokens = True
        self.db = Database(lambda: time.time_ns() // 1000 + self.clock_offset)
        for login, name in ACCOUNTS.items():
            self.db.make("user", {"username": login, "realname": name, "address": f"{login}@example.com"}, "1")
        for name in ("Support", "Billing"):
            self.db.make("keyword", {"name": name}, "1")
        accounts = {login: {"login": login, "password": f"secret-{login}"} for login in ACCOUNTS}
        base = f"{self.origin}/helpdesk"
        Site.__init__(self, {"url": base, "remote": f"roundup+{base}", "accounts": accounts})

    # HTTP

    def reply(self, asked: Asked) -> Reply:
        """The other side, who asks by HTTP, too, is never troubled."""
        who = self._who(asked.headers.get("HTTP_AUTHORIZATION", ""))
        ours = who is not None and self.db.classes["user"][who]["username"] == "agent1"
        return super().reply(asked) if ours else self.answer(asked)

    def nothing_done(self, asked: Asked) -> Reply:
        """Success, and nothing that was made."""
        return _json({"data": {"status": "ok"}})

    def answer(self, asked: Asked) -> Reply:
        """As Roundup."""
        who = self._who(asked.headers.get("HTTP_AUTHORIZATION", ""))
        if who is None:
            if self.empty_on_bad_token:
                return _stranger(asked.path.removeprefix("data").strip("/"))
            return Reply(401, b"Invalid Login - Invalid login", "text/plain")
        try:
            return self._done(asked, who)
        except Refusal as error:
            return _json({"error": {"status": error.status, "msg": error.words}}, error.status)
        except AssertionError as error:
            self.wrong.append(f"{asked.method} {asked.path}: {error}")
            return Reply(418, str(error).encode(), "text/plain")

    def _who(self, authorization: str) -> str | None:
        kind, _, value = authorization.partition(" ")
        if kind == "Bearer":
            login, _, password = value.partition(".")
        else:
            login, _, password = base64.b64decode(value).decode().partition(":")
        return self.db.lookup("user", login) if login in ACCOUNTS and password == f"secret-{login}" else None

    def _done(self, asked: Asked, who: str) -> Reply:
        method, path, kind, body = asked.method, asked.path, asked.kind, asked.body
        if method == "GET":
            return self._got(asked)
        if "HTTP_X_REQUESTED_WITH" not in asked.headers or "HTTP_ORIGIN" not in asked.headers:
            raise Refusal(400, "Required Header Missing")
        if asked.headers["HTTP_ORIGIN"] != self.origin:
            raise Refusal(400, "Client is not allowed to use Rest Interface.")
        if path == "jwt/issue":
            if not self.tokens:
                raise Refusal(404, "Path not found")
            assert json.loads(body)["lifetime"].isdecimal()
            return _json({"data": {"jwt": f"{self.db.classes['user'][who]['username']}.secret-agent1"}})
        parts = path.split("/")
        assert parts[0] == "data", path
        if method == "POST" and parts[1:] == ["file"] and kind.startswith("multipart/form-data"):
            return self._uploaded(kind, body, who)
        if body and kind.lower() != "application/json":
            raise Refusal(415, f"Unable to parse {kind}")
        values = json.loads(body) if body else {}
        if method == "POST":
            assert len(parts) == 2, path
            self.db.props(parts[1])
            number = self.db.make(parts[1], values, who)
            return _json({"data": {"id": number, "link": f"{self.origin}/helpdesk/rest/data/{parts[1]}/{number}"}}, 201)
        _, klass, number = parts
        row = self.db.row(klass, number)
        tag = asked.headers.get("HTTP_IF_MATCH") or values.pop("@etag", "")
        if tag != _tag(row):
            raise Refusal(412, "If-Match is missing or does not match. Retrieve asset and retry modification if valid.")
        if method == "DELETE":
            row["retired"] = True
            return _json({"data": {"status": "ok"}})
        if method == "PATCH" and values["@op"] == "remove":
            assert list(values) == ["@op", "messages"], values  # it would take off what it names of every field
            return _json({"data": {"attribute": self.db.remove(number, values["messages"][0], who)}})
        if method == "PATCH":
            assert values == {"@op": "action", "@action_name": "restore"}, values
            row["retired"] = False
            return _json({"data": {"result": None}})
        assert method == "PUT", method
        if not values:
            raise Refusal(400, "No properties found.")
        return _json({"data": {"id": number, "type": klass, "attribute": self.db.set(klass, number, values, who)}})

    def _uploaded(self, kind: str, body: bytes, who: str) -> Reply:
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        found: dict[str, bytes] = {}
        for part in message.iter_parts():
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            found[str(part.get_param("name", header="content-disposition"))] = data
        if not found["content"]:
            raise Refusal(405, "'NoneType' object has no attribute 'upper'")
        number = self.db.make("file", {"name": found["name"].decode()}, who)
        self.db.data[number] = found["content"]
        return _json({"data": {"id": number}}, 201)

    def _got(self, asked: Asked) -> Reply:
        path, params = asked.path, parse_qsl(asked.query, keep_blank_values=True)
        control = {name: value for name, value in params if name.startswith("@")}
        parts = path.split("/")
        assert parts[0] == "data", path
        verbose = int(control.get("@verbose", "1"))
        if len(parts) == 1:
            return _json({"data": {name: {"link": f"data/{name}"} for name in self.db.schema}})
        if len(parts) == 2:
            return self._listed(parts[1], control, [pair for pair in params if not pair[0].startswith("@")], verbose)
        row = self.db.row(parts[1], parts[2])
        if len(parts) == 4:
            assert parts[3] == "binary_content"
            return Reply(200, self.db.data[row["id"]], "application/octet-stream")
        fields = control["@fields"].split(",") if "@fields" in control else list(self.db.schema[parts[1]])
        told = {name: self.db.shown(parts[1], row, name, verbose) for name in fields}
        return _json({"data": {"id": row["id"], "type": parts[1], "attributes": told, "@etag": _tag(row)}})

    def _listed(self, klass: str, control: dict[str, str], filters: list[tuple[str, str]], verbose: int) -> Reply:
        props = self.db.props(klass)
        fields = control["@fields"].split(",") if "@fields" in control else []
        if verbose > 1 and klass in KEYS:
            fields.append(KEYS[klass])
        for name in fields:
            self.db.shown_kind(klass, name)
        rows = [row for row in self.db.classes[klass].values() if not row["retired"]]
        for name in dict(filters):
            rows = self._filtered(klass, rows, name, [value for one, value in filters if one == name], props)
        if "@sort" in control:
            assert control["@sort"] == "-id", control
            rows.reverse()
        if "@page_size" in control:
            rows = rows[: int(control["@page_size"])]
        told = [
            {"id": row["id"], "link": f"data/{klass}/{row['id']}"}
            | {name: self.db.shown(klass, row, name, verbose) for name in fields}
            for row in rows
        ]
        return _json({"data": {"collection": told, "@total_size": len(told)}})

    def _filtered(self, klass: str, rows: list[Row], name: str, values: list[str], props: dict[str, str]) -> list[Row]:
        plain = name.rstrip(":")
        if plain not in props:
            raise Refusal(400, f"Field {plain} is not valid for {klass} class.")
        sort, _, other = props[plain].partition(" ")
        if plain == "id":
            return [row for row in rows if row["id"] in values]
        if sort == "date" and values == ["no such thing"]:
            return rows  # what is no date is no filter
        if sort == "date":
            start, _, bound = values[0].partition(" ")
            assert start == "from", values
            assert bound.endswith("+0000"), values
            return [row for row in rows if row[plain] >= self.db.moment(bound)]
        if sort in ("link", "links"):
            wanted = set()
            for one in ",".join(values).split(","):
                try:
                    wanted.add(one if one.isdecimal() else self.db.lookup(other, one))
                except KeyError:
                    raise Refusal(400, f'\'No key ({KEYS.get(other)}) value "{one}" for "{other}"\'') from None
            return [row for row in rows if wanted & set(row[plain] if sort == "links" else [row[plain]])]
        if name.endswith(":"):
            return [row for row in rows if row[plain] == values[0]]
        return [row for row in rows if values[0].lower() in (row[plain] or "").lower()]


def _stranger(path: str) -> Reply:
    """What somebody gets who may ask and sees nothing."""
    if "/" in path:
        return _json({"error": {"status": 404, "msg": f"no such {path}"}}, 404)
    return _json({"data": {"collection": [], "@total_size": 0} if path else {}})


def _tag(row: Row) -> str:
    return f'"{hashlib.md5(repr(sorted(row.items(), key=str)).encode(), usedforsecurity=False).hexdigest()}"'


def _json(data: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(data, indent=1).encode())
