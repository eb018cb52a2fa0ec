"""A Roundup tracker from the other side: what a colleague does there, by the REST interface, without the adapter's help."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import Any, cast

WORDS = {"assignee": "assignedto"}


class Site:
    """The tracker of an entry of servers.json. The remote is agent1's; what is done here, agent2 does."""

    def __init__(self, entry: dict[str, Any]) -> None:
        mine, other = entry["accounts"]["agent1"], entry["accounts"]["agent2"]
        self.url: str = entry["remote"]
        self.secret = f"{mine['login']}:{mine['password']}"
        self._rest = f"{entry['url']}/rest/"
        self._login: str = other["login"]
        self._authorization = "Basic " + base64.b64encode(f"{self._login}:{other['password']}".encode()).decode()
        parts = urllib.parse.urlsplit(entry["url"])
        self._origin = f"{parts.scheme}://{parts.netloc}"

    def add_ticket(self, title: str, description: str = "", **fields: Any) -> int:
        """Files a ticket."""
        body: dict[str, Any] = {"title": title, **self._values(fields, [])}
        if description:
            body["messages"] = [self._message(description)]
        return int(self._post("issue", body))

    def edit(self, number: int, **fields: Any) -> None:
        """Changes fields."""
        if "description" in fields:
            first = self._get(f"issue/{number}", fields="messages")["attributes"]["messages"][0]
            self._put("msg", first, {"content": fields.pop("description")})
        if fields:
            kept = self._get(f"issue/{number}", fields="keyword")["attributes"]["keyword"]
            self._put("issue", number, self._values(fields, kept))

    def say(self, number: int, body: str, public: bool = True) -> str:
        """Comments."""
        made = self._message(body, internal=not public)
        self._link(number, "messages", made)
        return made

    def rewrite(self, comment: str, body: str) -> None:
        """Rewrites a comment."""
        self._put("msg", comment, {"content": body})

    def log(self, number: int, period: str, note: str = "") -> str:
        """Logs time, as Roundup spells it."""
        made = self._post("timelog", {"period": period, "date": "."} | ({"summary": note} if note else {}))
        self._link(number, "times", made)
        return made

    def attach(self, number: int, name: str, data: bytes) -> str:
        """Attaches a file."""
        boundary = uuid.uuid4().hex
        lines = [f'--{boundary}\r\nContent-Disposition: form-data; name="name"\r\n\r\n{name}\r\n'.encode()]
        lines.append(f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="x"\r\n'.encode())
        lines += [b"Content-Type: application/octet-stream\r\n\r\n", data, f"\r\n--{boundary}--\r\n".encode()]
        kind = f"multipart/form-data; boundary={boundary}"
        made: str = self._ask("POST", "data/file", b"".join(lines), {"Content-Type": kind})["id"]
        self._link(number, "files", made)
        return made

    def remove(self, number: int) -> None:
        """Retires a ticket."""
        tag = self._get(f"issue/{number}", fields="id")["@etag"]
        self._ask("DELETE", f"data/issue/{number}", None, {"If-Match": tag})

    def restore(self, number: int) -> None:
        """Takes that back."""
        tag = self._get(f"issue/{number}", fields="id")["@etag"]
        body = {"@op": "action", "@action_name": "restore"}
        self._ask("PATCH", f"data/issue/{number}", json.dumps(body).encode(), {"If-Match": tag})

    def tickets(self) -> dict[int, dict[str, Any]]:
        """What is there. A message is the description if it is a ticket's first, not younger than it, and no comment of ours."""
        wanted = "title,messages,files,creation,extref,status.name"
        rows = self._get("issue", fields=wanted)["collection"]
        told = self._get("msg", fields="content,internal,creation,messageid", verbose=3)["collection"]
        msgs = {row["id"]: row for row in told}
        files = {row["id"]: row["name"] for row in self._get("file", fields="name")["collection"]}
        found: dict[int, dict[str, Any]] = {}
        for row in rows:
            said = [msgs[one] for one in sorted(row["messages"], key=int) if one in msgs]
            ours = bool(said) and len(said[0]["messageid"] or "") == len("<@chit>") + 16
            described = bool(said) and said[0]["creation"] <= row["creation"] and not ours
            found[int(row["id"])] = {
                "title": row["title"],
                "description": said[0]["content"] if described else "",
                "status": row["status.name"],
                "comments": [(one["content"], not one["internal"]) for one in said[described:]],
                "files": [(files[one], self.bytes_of(one)) for one in sorted(row["files"], key=int)],
                "token": row["extref"] or "",
            }
        return found

    def bytes_of(self, file: str) -> bytes:
        """What a file holds."""
        return self._raw("GET", f"data/file/{file}/binary_content", None, {"Accept": "*/*"})

    def _values(self, fields: dict[str, Any], kept: list[str]) -> dict[str, Any]:
        """Fields in the words of all sites, as Roundup takes them. A queue is a keyword that takes the place of all others."""
        names = {row["name"]: row["id"] for row in self._get("keyword", fields="name")["collection"]}
        body: dict[str, Any] = {}
        for name, value in fields.items():
            if name == "queue":
                body["keyword"] = [names[value]]
            elif name.startswith("labels_"):
                label = name.removeprefix("labels_")
                if label not in names:
                    names[label] = self._post("keyword", {"name": label})
                others = [one for one in body.get("keyword", kept) if one != names[label]]
                body["keyword"] = [*others, names[label]] if value else others
            else:
                body[WORDS.get(name, name)] = "" if value is None else value
        return body

    def _message(self, content: str, *, internal: bool = False) -> str:
        body = {"content": content, "author": self._login, "date": ".", "internal": internal}
        return self._post("msg", body)

    def _link(self, number: int, name: str, made: str) -> None:
        """Puts something on a list of a ticket; a status stays what it is, as it does not when Roundup is left alone."""
        row = self._get(f"issue/{number}", fields=f"{name},status")["attributes"]
        self._put("issue", number, {name: [*row[name], made], "status": row["status"] or ""})

    def _get(self, path: str, *, fields: str, verbose: int = 0) -> dict[str, Any]:
        return self._ask("GET", f"data/{path}?@fields={fields}&@verbose={verbose}&@pretty=false")

    def _post(self, klass: str, body: dict[str, Any]) -> str:
        return cast(str, self._ask("POST", f"data/{klass}", json.dumps(body).encode())["id"])

    def _put(self, klass: str, number: int | str, body: dict[str, Any]) -> None:
        tag = self._get(f"{klass}/{number}", fields="id")["@etag"]
        self._ask("PUT", f"data/{klass}/{number}", json.dumps(body).encode(), {"If-Match": tag})

    def _ask(
        self, method: str, path: str, data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        return cast(dict[str, Any], json.loads(self._raw(method, path, data, headers))["data"])

    def _raw(self, method: str, path: str, data: bytes | None, headers: dict[str, str] | None) -> bytes:
        sent = {"Authorization": self._authorization, "Content-Type": "application/json", "Connection": "close"}
        if method != "GET":
            sent |= {"Origin": self._origin, "X-Requested-With": "tests"}
        request = urllib.request.Request(self._rest + path, data, sent | (headers or {}), method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return cast(bytes, answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from None
