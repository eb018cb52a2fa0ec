"""The real Request Tracker from the other side: agent2 works in it through its interface, as a colleague would in the browser."""

import json
import secrets
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from support.standins.rt_words import Words

PATIENCE = 60


def packed(body: Any, file: tuple[str, bytes] | None) -> tuple[bytes | None, str]:
    """A message, or one with a file, and its media type."""
    if file is None:
        return (json.dumps(body).encode() if body is not None else None), "application/json"
    name, data = file
    edge = secrets.token_hex(16)
    head = f'--{edge}\r\nContent-Disposition: form-data; name="JSON"\r\n\r\n{json.dumps(body)}\r\n--{edge}\r\n'
    head += f'Content-Disposition: form-data; name="Attachments"; filename="{name}"\r\n'
    head += "Content-Type: application/octet-stream\r\n\r\n"
    return head.encode() + data + f"\r\n--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}"


class Site(Words):
    """See `support.sites.Site`. entry: the server's in servers.json."""

    def __init__(self, entry: dict[str, Any], who: str = "agent2", ours: str = "agent1") -> None:
        self.entry = entry
        self.base = f"{entry['url']}/REST/2.0"
        self.url = f"{entry['remote']}?queue=Support"
        self.secret = entry["accounts"][ours]["token"]
        self.key = entry["accounts"][who]["token"]

    def ask(self, method: str, path: str, body: Any = None, file: tuple[str, bytes] | None = None) -> Any:
        """One call as the colleague; what it answers in JSON, if anything."""
        data, kind = packed(body, file)
        headers = {"Authorization": f"token {self.key}", "Content-Type": kind}
        try:
            with urlopen(Request(f"{self.base}/{path}", data, headers, method=method), timeout=PATIENCE) as answer:
                said = answer.read()
        except HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from None
        return json.loads(said) if said.strip() else None
