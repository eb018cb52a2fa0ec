"""The real django-helpdesk from the other side: another agent acts there by its REST interface."""

from typing import Any

import httpx

NAMES = {"assignee": "assigned_to", "requester": "submitter_email", "due": "due_date", "token": "custom_extref"}


def as_comment(text: str) -> str:
    """A comment that the server's template engine leaves as it is."""
    return text.replace("{", "\0").replace("%}", "%{{ '}' }}").replace("\0", "{{ '{' }}")


class Site:
    """Acts as agent2. url, secret: for the adapter, which is agent1. client: for what only one test does."""

    def __init__(self, server: dict[str, Any], account: str = "agent2") -> None:
        self.queues = {queue["name"]: queue["id"] for queue in server["queues"]}
        queues = "&".join(f"queue={number}:{name}" for name, number in self.queues.items())
        self.url = f"{server['remote']}?{queues}"
        self.secret = server["accounts"]["agent1"]["token"]
        self.client = httpx.Client(
            base_url=server["url"] + "/api/",
            headers={"Authorization": f"Token {server['accounts'][account]['token']}"},
            timeout=60,
            trust_env=False,
        )
        post = self.client.options("tickets/").raise_for_status().json()["actions"]["POST"]
        self.words = {
            name: {choice["display_name"]: choice["value"] for choice in post[name]["choices"]}
            for name in ("status", "priority")
        }
        self.words["queue"] = self.queues
        self._bytes: dict[str, bytes] = {}

    def _fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {
            NAMES.get(name, name): self.words[name][value] if name in self.words else value
            for name, value in fields.items()
        }

    def add_ticket(self, title: str, description: str = "", **fields: Any) -> int:
        made = {"queue": next(iter(self.queues)), "priority": "3. Normal", **fields}
        body = {"title": title, "description": description or title, **self._fields(made)}
        number = int(self.client.post("tickets/", json=body).raise_for_status().json()["id"])
        if "status" in fields:
            self.edit(number, status=fields["status"])
        return number

    def edit(self, number: int, **fields: Any) -> None:
        self.client.patch(f"tickets/{number}/", json=self._fields(fields)).raise_for_status()

    def say(self, number: int, body: str, public: bool = True, **more: Any) -> str:
        told = {"ticket": number, "comment": as_comment(body), "public": public, **more}
        return str(self.client.post("followups/", json=told).raise_for_status().json()["id"])

    def attach(self, number: int, name: str, data: bytes) -> str:
        followup = self.say(number, "")
        told = {"followup": followup, "filename": name}
        made = self.client.post("followups-attachments/", data=told, files={"file": (name, data)}).raise_for_status()
        return str(made.json()["id"])

    def remove(self, number: int) -> None:
        self.client.delete(f"tickets/{number}/").raise_for_status()

    def tickets(self) -> dict[int, dict[str, Any]]:
        """What is there; of a ticket its followups but the first, with which it was made."""
        listed = self.client.get("tickets/", params={"page_size": "100000"}).raise_for_status().json()["results"]
        statuses = {number: name for name, number in self.words["status"].items()}
        return {
            one["id"]: {
                "title": one["title"],
                "description": one["description"],
                "status": statuses[one["status"]],
                "comments": [(said["comment"], said["public"]) for said in one["followup_set"][1:] if said["comment"]],
                "files": [
                    (file["filename"], self._download(file["file"]))
                    for said in one["followup_set"]
                    for file in said["followupattachment_set"]
                ],
                "token": one["custom_extref"],
            }
            for one in listed
        }

    def close(self) -> None:
        self.client.close()

    def _download(self, url: str) -> bytes:
        if url not in self._bytes:
            self._bytes[url] = httpx.get(url, trust_env=False).raise_for_status().content
        return self._bytes[url]
