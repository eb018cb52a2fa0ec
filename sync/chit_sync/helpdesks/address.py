"""Addresses of helpdesks: `KIND+https://host/path?queue=NAME`. Pure, light: every command that lists remotes reads it.

The kind says which adapter speaks to it, the path where the helpdesk is on its host, the query what is followed there.
"""

from typing import NamedTuple

from chit_sync.errors import UsageError

KINDS: dict[str, tuple[str, str]] = {
    "rt": ("chit_sync.helpdesks.rt", "RequestTracker"),
    "redmine": ("chit_sync.helpdesks.redmine", "Redmine"),
    "roundup": ("chit_sync.helpdesks.roundup", "Roundup"),
    "djhd": ("chit_sync.helpdesks.djhd", "DjangoHelpdesk"),
}
"""Kind to the module and the class of its adapter, which are imported when they are needed."""


class Address(NamedTuple):
    """A helpdesk's address. base: the http(s) URL without query or final slash. queues: those that are followed, all if none is named.
    query: a search in the helpdesk's own language; empty for none. options: what else the adapter of that kind understands."""

    kind: str
    base: str
    queues: tuple[str, ...]
    query: str
    options: dict[str, str]

    @property
    def identity(self) -> str:
        """What tells this helpdesk from every other, however it is reached: its kind, host, port and path."""
        from urllib.parse import urlsplit

        parts = urlsplit(self.base)
        port = "" if parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme)) else f":{parts.port}"
        return f"{self.kind}://{(parts.hostname or '').lower()}{port}{parts.path}"


def login_of(secret: str | None) -> tuple[str, str] | None:
    """Login and password of a secret that is LOGIN:PASSWORD; None for a token, and where there is none."""
    login, colon, password = (secret or "").partition(":")
    return (login, password) if colon else None


def is_helpdesk(url: str) -> bool:
    """Whether the URL is a helpdesk's."""
    kind, plus, rest = url.partition("+")
    return bool(plus) and kind.isalnum() and rest.lower().startswith(("http://", "https://"))


def parse(url: str) -> Address:
    """The parts of a helpdesk's address. Raises UsageError for an unknown kind, or what is no address."""
    from urllib.parse import (
        parse_qsl,
        urlsplit,
        urlunsplit,
    )  # late: most who ask whether it is a helpdesk's need no more

    kind, _, rest = url.partition("+")
    if kind not in KINDS:
        raise UsageError(f"{kind} is no kind of helpdesk that is known", f"There are: {', '.join(KINDS)}.")
    try:
        parts = urlsplit(rest)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        raise UsageError(
            f"{url} is no address of a helpdesk", f"It looks like {kind}+https://desk.example.com/?queue=Support."
        )
    if parts.username is not None:
        raise UsageError(
            f"the address of {host} holds a user's name or password",
            "Keep them out of the address: `chit auth login` asks for them.",
        )
    queues: list[str] = []
    options: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name == "queue":
            queues.append(value)
        else:
            options[name] = value
    base = urlunsplit((parts.scheme.lower(), parts.netloc, parts.path.rstrip("/"), "", ""))
    return Address(kind, base, tuple(queues), options.pop("query", ""), options)
