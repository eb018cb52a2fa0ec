"""One small request at a time to a server on loopback, for seeing whether it answers as it should."""

import base64
import json
import urllib.error
import urllib.request
from typing import Any

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback is never behind a proxy


class Unready(Exception):
    """No answer, or not the one that was expected; it may come yet."""


def basic(login: str, password: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


def get(url: str, **headers: str) -> Any:
    """The JSON that a GET answers. Underscores in the names of headers are dashes."""
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with _OPENER.open(request, timeout=20) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(300).decode(errors="replace").strip()
        raise Unready(f"GET {url} answers {error.code} {said}") from error
    except (OSError, ValueError) as error:
        raise Unready(f"GET {url}: {error}") from error


def expect(found: object, wanted: object, url: str) -> None:
    if found != wanted:
        raise Unready(f"GET {url} says {found!r} where {wanted!r} was expected")
