"""The real Redmine from the other side: agent2 works in it through its interface, as a colleague would in the browser."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from support.standins.redmine_words import Words

PATIENCE = 60


class Site(Words):
    """See `support.sites.Site`. entry: the server's in servers.json."""

    def __init__(self, entry: dict[str, Any], who: str = "agent2", ours: str = "agent1") -> None:
        self.entry = entry
        self.base = entry["url"]
        self.url = f"{entry['remote']}?queue=Support&queue=Billing"
        self.secret = entry["accounts"][ours]["token"]
        self.key = entry["accounts"][who]["token"]

    def ask(self, method: str, path: str, body: Any = None, data: bytes | None = None) -> Any:
        """One call as the colleague; what it answers in JSON, if anything."""
        kind = "application/json" if data is None else "application/octet-stream"
        if body is not None:
            data = json.dumps(body).encode()
        headers = {"X-Redmine-API-Key": self.key, "Content-Type": kind}
        request = Request(f"{self.base}/{path}", data, headers, method=method)
        try:
            with urlopen(request, timeout=PATIENCE) as answer:
                said = answer.read()
        except HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from None
        return json.loads(said) if said.strip() else None

    def download(self, number: int) -> bytes:
        """The bytes of a file."""
        request = Request(f"{self.base}/attachments/download/{number}", headers={"X-Redmine-API-Key": self.key})
        with urlopen(request, timeout=PATIENCE) as answer:
            return bytes(answer.read())

    def upload(self, name: str, data: bytes) -> str:
        """Brings a file there; the token by which it is attached."""
        return str(self.ask("POST", f"uploads.json?filename={quote(name)}", data=data)["upload"]["token"])
