"""Settings: which there are, where they come from, and what holds. Reads and writes TOML files that it is told the names of.

A setting is named by its section and key, `user.name`. Nothing here comes from another store: a clone brings no settings along but
its list of statuses, which is no file.
"""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from chit_sync.errors import UsageError
from chit_sync.ids import is_name
from chit_sync.schema import CATEGORIES

if TYPE_CHECKING:
    from chit_sync.helpdesks.settings import Tables

FILE = "config.toml"


class Setting(NamedTuple):
    """A setting that there is: its type (text, number, flag), what it holds without any configuration, and what it is for."""

    type: str
    default: str | int | bool | None
    help: str
    choices: tuple[str, ...] = ()


SETTINGS: dict[str, Setting] = {
    "user.name": Setting("text", None, "Who you are: the author of your changes."),
    "core.editor": Setting("text", None, "The editor to write texts with; before VISUAL and EDITOR."),
    "core.pager": Setting("text", None, "The pager for long output; before PAGER. `cat` turns it off."),
    "color.ui": Setting("text", "auto", "When to use colour: auto, always or never.", ("auto", "always", "never")),
    "list.limit": Setting("number", 50, "How many tickets `chit list` shows on a terminal."),
    "remote.timeout": Setting("number", 30, "Seconds to wait for a remote."),
    "credential.helper": Setting("text", None, "A program that knows tokens; speaks git's credential protocol."),
    "charge.currency": Setting("text", "EUR", "The currency of a charge where none is given or agreed."),
    "serve.name": Setting("text", None, "What a served store calls itself."),
    "partner.name": Setting("text", None, "What partners call this organisation."),
    "partner.grace": Setting("text", None, "How long an acceptance may come late: 30m."),
    "partner.url": Setting("text", None, "The address of this store for partners: https://…"),
}

SECTION_OF_HELPDESKS = "helpdesk"

OF_HELPDESKS: dict[str, Setting] = {
    "send": Setting(
        "text",
        "own",
        "What a push sends there by itself: what was written in this store (own), or all.",
        ("own", "all"),
    ),
    "new": Setting("flag", None, "Whether tickets that are made here are made there; so it is for the default remote."),
}
"""The settings `helpdesk.REMOTE.NAME`; the tables beside them are in `helpdesks.settings`."""


class Source(NamedTuple):
    """Where settings come from: a name for people (`-c`, `CHIT_…`, a file's path) and the values by setting."""

    name: str
    values: Mapping[str, Any]


class Config:
    """Settings from several sources, the first that has a value wins."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = sources

    def get(self, key: str) -> Any:
        """What holds for a setting."""
        return self.origin(key)[0]

    def text(self, key: str) -> str:
        """The same as a text, empty if there is none."""
        value = self.get(key)
        return "" if value is None else str(value)

    def origin(self, key: str) -> tuple[Any, str]:
        """What holds for a setting, and where it comes from."""
        for source in self.sources:
            if key in source.values:
                return source.values[key], source.name
        return known(key).default, "default"


def known(key: str) -> Setting:
    """The setting of that name. Raises UsageError for one that there is not."""
    setting = SETTINGS.get(key)
    section, _, rest = key.partition(".")
    remote, _, name = rest.rpartition(".")
    if section == SECTION_OF_HELPDESKS and is_name(remote) and name in OF_HELPDESKS:
        setting = OF_HELPDESKS[name]
    if setting is None:
        raise UsageError(f"there is no setting {key!r}", f"There are: {', '.join(SETTINGS)}.")
    return setting


def checked(key: str, value: object) -> str | int | bool:
    """A value for a setting, given as text or as TOML. Raises UsageError for a setting or a value that there is not."""
    setting = known(key)
    if setting.type == "number":
        try:
            return int(str(value))
        except ValueError:
            raise UsageError(f"{key} is a whole number, not {value!r}") from None
    if setting.type == "flag":
        if str(value).lower() not in ("true", "false"):
            raise UsageError(f"{key} is true or false, not {value!r}")
        return str(value).lower() == "true"
    if setting.choices and value not in setting.choices:
        raise UsageError(f"{key} cannot be {value!r}", f"It is one of: {', '.join(setting.choices)}.")
    return str(value)


def read_file(path: str) -> dict[str, Any]:
    """The settings in a file, none if there is no such file. Raises UsageError for one that cannot be read."""
    document = read_toml(path)
    found: dict[str, Any] = {}
    for section, values in document.items():
        if section == "statuses":
            continue
        if section == SECTION_OF_HELPDESKS:
            values = _of_helpdesks(path, values)
        if not isinstance(values, dict):
            raise UsageError(f"{path}: {section} is not a section")
        for name, value in values.items():
            try:
                found[f"{section}.{name}"] = checked(f"{section}.{name}", value)
            except UsageError as error:
                raise UsageError(f"{path}: {error.message}", error.hint) from None
    return found


def _of_helpdesks(path: str, section: object) -> dict[str, Any]:
    """What is not in tables of the section on helpdesks, which is checked here, by `REMOTE.NAME`."""
    from chit_sync.helpdesks.settings import check

    try:
        return check(section)
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", error.hint) from None


def helpdesk_tables(paths: Sequence[str], remote: str) -> "Tables":
    """What these files say of a helpdesk that is a remote of that name; the first that says something of a word wins."""
    from chit_sync.helpdesks.settings import merged

    for path in paths:
        read_file(path)
    return merged([read_toml(path) for path in paths], remote)


def read_toml(path: str) -> dict[str, Any]:
    """The TOML document in a file, empty if there is no such file. Raises UsageError."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    if not data.strip():
        return {}
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}", "Mend the file, or move it away.") from None


def write_setting(path: str, key: str, value: object | None) -> None:
    """Sets a setting in a file, or takes it out with None. The file is replaced whole or not at all."""
    document = read_toml(path)
    section, _, rest = key.partition(".")
    remote, _, name = rest.rpartition(".")  # a remote's name may have dots
    _write(document, [section, remote] if remote else [section], name, value)
    write_toml(path, document)


def _write(table: dict[str, Any], sections: Sequence[str], name: str, value: object | None) -> None:
    """Sets a value in a section of a section, or takes it out, and with it sections that it leaves empty."""
    if not sections:
        if value is None:
            table.pop(name, None)
        else:
            table[name] = value
        return
    inner = table.setdefault(sections[0], {})
    _write(inner, sections[1:], name, value)
    if not inner:
        del table[sections[0]]


def write_toml(path: str, document: Mapping[str, Any]) -> None:
    """Replaces a TOML file whole or not at all."""
    import tomli_w

    os.makedirs(os.path.dirname(path), exist_ok=True)
    new = f"{path}.new-{os.getpid()}"
    with open(new, "wb") as file:
        tomli_w.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


def check_statuses(statuses: Mapping[str, object]) -> dict[str, str]:
    """A list of statuses: name to category. Raises UsageError unless each has a category and some are open and closed."""
    found: dict[str, str] = {}
    for name, category in statuses.items():
        if category not in CATEGORIES:
            raise UsageError(f"status {name!r} has no category {category!r}", f"It is one of: {', '.join(CATEGORIES)}.")
        if not name or not all(char.isalnum() or char in "-_" for char in name):
            raise UsageError(f"{name!r} cannot name a status", "It has letters, digits, dashes and underscores.")
        found[name] = str(category)
    for category in ("new", "open", "closed"):
        if category not in found.values():
            raise UsageError(f"no status has the category {category}", "new, open and closed are needed.")
    return found
