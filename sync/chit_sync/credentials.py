"""Where the token for a server comes from, and where one is kept. Given the environment; never prints or logs a token.

Asked in this order: the file that CHIT_TOKEN_FILE names, CHIT_TOKEN, the credential helper of the configuration (git's line
protocol), .netrc, the credentials file. No message holds a token, and no exception a value that was read from a secret place.

For a helpdesk, whose address is `KIND+https://…`, a token is kept and found by the part behind the kind; it may be LOGIN:PASSWORD.
"""

import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from chit_sync.errors import AccessError, UsageError
from chit_sync.helpdesks.address import is_helpdesk

FILE = "credentials.toml"
HELPER_SECONDS = 3.0
MAX_TOKEN = 8_000


class Credential(NamedTuple):
    """A token and where it was found."""

    token: str
    source: str

    def __repr__(self) -> str:
        return f"Credential(source={self.source!r})"


def find(
    url: str, environ: Mapping[str, str], config_dir: str, *, home: str = "", helper: str | None = None
) -> Credential | None:
    """The token for the server or helpdesk at `url`; None if there is none. For a helpdesk a helper or .netrc that also tells a user's
    name gives LOGIN:PASSWORD.

    Raises UsageError or AccessError for a place that should hold one and cannot be used, naming the place.
    """
    file = environ.get("CHIT_TOKEN_FILE")
    if file:
        return _credential(_read(file), f"the file {file} (CHIT_TOKEN_FILE)", url)
    token = environ.get("CHIT_TOKEN")
    if token:
        return _credential(token, "CHIT_TOKEN", url)
    if helper:
        token = _ask_helper(helper, url)
        if token:
            return _credential(token, "the credential helper", url)
    netrc = environ.get("NETRC") or (os.path.join(home, ".netrc") if home else "")
    if netrc and os.path.exists(netrc):
        token = _from_netrc(netrc, url)
        if token:
            return _credential(token, netrc, url)
    path = os.path.join(config_dir, FILE)
    token = _nearest(_load(path), url)
    return _credential(token, path, url) if token else None


def save(config_dir: str, url: str, token: str) -> str:
    """Keeps the token for a server in the credentials file; returns the file's path."""
    path = os.path.join(config_dir, FILE)
    tokens = _load(path)
    tokens[_place(url)] = _credential(token, "the token", url).token
    _store(path, tokens)
    return path


def remove(config_dir: str, url: str) -> bool:
    """Forgets the token for a server; whether there was one."""
    path = os.path.join(config_dir, FILE)
    tokens = _load(path)
    if tokens.pop(_place(url), None) is None:
        return False
    _store(path, tokens)
    return True


def kept(config_dir: str, url: str) -> bool:
    """Whether a token for that very address is in the credentials file."""
    return _place(url) in _load(os.path.join(config_dir, FILE))


class PartnerToken:
    """The token with which this organisation, called `own` there, comes to the store of a lead at an address or path.

    It is kept in the credentials file beside the tokens of persons, and apart from them: whoever also has one for that address keeps
    it, two stores of one person can work for one lead, and what the environment or a helper says is never sent to a partner.
    """

    def __init__(self, config_dir: str, address: str, own: str) -> None:
        self.path = os.path.join(config_dir, FILE)
        self._key = f"{_place(address) if address.lower().startswith(('http://', 'https://')) else address}#{own}"
        self._pending = f"{self._key}#joining"

    def find(self) -> str | None:
        """The token, once the lead's store has taken it."""
        return _load(self.path).get(self._key)

    def known(self) -> list[str]:
        """The token of a joining under way, and that of the last one."""
        tokens = _load(self.path)
        return [tokens[key] for key in (self._pending, self._key) if key in tokens]

    def begin(self, token: str) -> None:
        """Keeps the token that is about to be sent, beside the one that holds until then."""
        _store(self.path, {**_load(self.path), self._pending: token})

    def finish(self, token: str) -> None:
        """Keeps the token as the one that holds."""
        tokens = {**_load(self.path), self._key: token}
        tokens.pop(self._pending, None)
        _store(self.path, tokens)


def _credential(token: str, source: str, url: str) -> Credential:
    token = token.strip()
    if not token:
        raise UsageError(f"{source} holds no token")
    if is_helpdesk(url) and ":" in token and len(token) <= MAX_TOKEN and token.isprintable():
        return Credential(token, source)  # a password may have blanks and any letters
    if len(token) > MAX_TOKEN or not (token.isascii() and token.isprintable()) or " " in token:
        raise UsageError(f"{source} holds something that cannot be a token", "A token is one word of ASCII characters.")
    return Credential(token, source)


def _read(file: str) -> str:
    try:
        with open(file, encoding="utf-8", errors="replace") as source:
            return source.read(MAX_TOKEN + 1_000)
    except OSError as error:
        raise UsageError(f"cannot read {file}, which CHIT_TOKEN_FILE names: {error.strerror}") from None


def _place(url: str) -> str:
    """The server's address in one spelling: without a user, a query, a slash at the end."""
    parts = urlsplit(_plain(url))
    host = parts.netloc.rpartition("@")[2].lower()
    if not host:
        raise UsageError(f"{url} is no address of a server", "It looks like https://tickets.example.com.")
    return f"{parts.scheme.lower()}://{host}{parts.path.rstrip('/')}"


def _plain(url: str) -> str:
    """The address without a helpdesk's kind."""
    return url.partition("+")[2] if is_helpdesk(url) else url


def _secret(url: str, login: str, password: str) -> str:
    """What is sent there, given a user's name and a password; a chit server knows tokens only."""
    return f"{login}:{password}" if is_helpdesk(url) and login else password


def _nearest(tokens: Mapping[str, str], url: str) -> str | None:
    """The token whose address is that of `url` or, at the same server, the longest that it lies below."""
    place = _place(url)
    fitting = [address for address in tokens if place == address or place.startswith(address + "/")]
    return tokens[max(fitting, key=len)] if fitting else None


def _ask_helper(helper: str, url: str) -> str | None:
    """Asks the helper as git asks its own: `HELPER get`, attributes a line each on standard input, `password=` in the answer."""
    import shlex
    import subprocess

    parts = urlsplit(_plain(url))
    asked = f"protocol={parts.scheme}\nhost={parts.netloc.rpartition('@')[2]}\npath={parts.path.strip('/')}\n\n"
    hint = "Set another one with `chit config set credential.helper COMMAND`."
    try:
        words = shlex.split(helper)
        done = subprocess.run(
            [*words, "get"],
            input=asked.encode(),
            stdout=subprocess.PIPE,
            timeout=HELPER_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AccessError(f"the credential helper did not answer within {HELPER_SECONDS:.0f} seconds", hint) from None
    except (OSError, ValueError, IndexError) as error:
        raise AccessError(f"cannot run the credential helper {helper!r}: {error}", hint) from None
    if done.returncode:
        return None
    answer = dict(line.partition("=")[::2] for line in done.stdout.decode("utf-8", "replace").splitlines())
    password = answer.get("password")
    return _secret(url, answer.get("username", ""), password) if password else None


def _from_netrc(file: str, url: str) -> str | None:
    import netrc

    _refuse_if_open(file)
    host = urlsplit(_plain(url)).hostname or ""
    try:
        entries = netrc.netrc(file)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {getattr(error, 'strerror', None) or 'it is not text'}") from None
    except netrc.NetrcParseError as error:
        raise UsageError(f"cannot read {file}: line {error.lineno} is not understood") from None
    found = entries.hosts.get(host)
    return _secret(url, found[0] or "", found[2]) if found and found[2] else None


def _refuse_if_open(file: str) -> None:
    """Raises AccessError for a file of secrets that others may read or write."""
    mode = os.stat(file).st_mode & 0o777
    if mode & 0o077:
        raise AccessError(
            f"{file} holds tokens and others on this machine may use it (its mode is {mode:04o})",
            f"Close it with `chmod 600 {file}`, and think about making new tokens.",
        )


def _load(path: str) -> dict[str, str]:
    import tomllib

    if not os.path.exists(path):
        return {}
    _refuse_if_open(path)
    try:
        with open(path, "rb") as source:
            tables = tomllib.load(source)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise UsageError(f"{path} is not valid TOML", "Mend it, or remove it and give the tokens again.") from None
    return {
        address: table["token"]
        for address, table in tables.items()
        if isinstance(table, dict) and isinstance(table.get("token"), str)
    }


def _store(path: str, tokens: Mapping[str, str]) -> None:
    """Writes the file anew, closed to others from its first moment, whole or not at all."""
    import tomli_w

    part = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "wb") as target:
            tomli_w.dump({address: {"token": token} for address, token in sorted(tokens.items())}, target)
            target.flush()
            os.fsync(target.fileno())
        os.replace(part, path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
