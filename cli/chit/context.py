"""What a command works with: the options, the store, the settings, who and when it is. Everything is made when first asked for."""

import os
import sys
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chit.language import translate
from chit_sync.errors import NotFoundError, UsageError
from chit_sync.store.database import DATABASE, Store
from chit_sync.store.discovery import FOLDER, find_store
from chit_sync.store.expiring import expire
from chit_sync.store.opening import open_store

if TYPE_CHECKING:
    from datetime import tzinfo

    from chit.output import Output
    from chit_sync.config import Config


TIDY_BYTES = 1 << 20
"""A write-ahead log of this size is worth the time that it takes to tidy it away."""


class Options:
    """The global options, as given before or after the command's name."""

    def __init__(self) -> None:
        self.directory: str | None = None
        self.settings: list[str] = []
        self.remote: str | None = None
        self.json = False
        self.jsonl = False
        self.fields: str | None = None
        self.format: str | None = None
        self.null = False
        self.quiet = False
        self.verbose = False
        self.debug = False
        self.dry_run = False
        self.yes = False
        self.no_input = False
        self.color: str | None = None
        self.no_pager = False
        self.timeout: float | None = None


class App:
    """One run of the command line."""

    def __init__(self, environ: Mapping[str, str] | None = None, *, ends: bool = False) -> None:
        self.ends = ends
        self.environ = os.environ if environ is None else environ
        self.options = Options()
        self.several = False
        """Whether a command was asked about several tickets: then it answers with an array, however many there are."""
        self._stores: list[Store] = []

    def close(self) -> None:
        """Closes what was opened; a process about to end does so only where the write-ahead log has grown.

        Closing a store's last connection makes SQLite copy that log into the database and wait for the disk several times. Left
        alone, what is in the log is as durable and as visible, but it only grows: the next process has to read it from the start and
        cannot know what was copied already. So it is tidied away every few dozen writes.
        """
        for store in self._stores:
            if not self.ends or _log_bytes(store) > TIDY_BYTES:
                store.close()

    # The store

    @cached_property
    def directory(self) -> str:
        """Where to look for the store: -C, CHIT_DIR, else the working directory."""
        named = self.options.directory or self.environ.get("CHIT_DIR")
        if named:
            return named
        try:
            return os.getcwd()
        except FileNotFoundError:
            raise NotFoundError(
                "the folder that you are in is gone", "Go to another one, or name one with -C."
            ) from None

    @cached_property
    def store_path(self) -> str:
        """The store's folder. Raises NotFoundError."""
        named = self.options.directory or self.environ.get("CHIT_DIR")
        found = find_store(self.directory)
        if found is None and not named:
            found = find_store(user_store())
        if found is None:
            where = f"in {self.directory} or above it" if not named else f"in {named}"
            raise NotFoundError(f"no store {where}", "Make one with `chit init`, or name one with -C DIR.")
        if self.options.verbose:
            self.say(f"the store is {found}")
        return found

    @cached_property
    def store(self) -> Store:
        """The store, to write to."""
        return self._opened(open_store(self.store_path))

    @cached_property
    def reading(self) -> Store:
        """The store, to read from; the same one if it is open to write."""
        if "store" in self.__dict__:
            return self.store
        return self._opened(open_store(self.store_path, write=False))

    def _opened(self, store: Store) -> Store:
        """Offers may have expired while nobody was looking: whoever looks next finds them declined."""
        self._stores.append(store)
        if not self.options.dry_run:
            expire(store)
        return store

    # Settings

    @cached_property
    def config(self) -> "Config":
        """The settings: -c over CHIT_* over the store's file over the user's."""
        from chit_sync.config import SETTINGS, Config, Source, checked, read_file

        given = dict(map(parse_setting, self.options.settings))
        env = {
            key: checked(key, self.environ[name])
            for key in SETTINGS
            if (name := "CHIT_" + key.upper().replace(".", "_")) in self.environ
        }
        sources = [Source("-c", given), Source("environment", env)]
        try:
            local = os.path.join(self.store_path, "config.toml")
        except NotFoundError:
            pass
        else:
            sources.append(Source(local, read_file(local)))
        user = user_config()
        sources.append(Source(user, read_file(user)))
        return Config(sources)

    @cached_property
    def actor(self) -> str:
        """Who is at work: CHIT_USER, the setting user.name, or the name of the operating system's user."""
        name = self.environ.get("CHIT_USER") or self.config.text("user.name")
        if name:
            return name
        name = self.environ.get("LOGNAME") or self.environ.get("USER") or ""
        if not name:
            import getpass

            try:
                name = getpass.getuser()
            except (KeyError, OSError):
                raise UsageError("nobody knows who you are", "`chit config set --user user.name NAME`.") from None
        return name

    @cached_property
    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        if self._stores:
            return self._stores[0].now()
        import time

        return time.time_ns() // 1000

    @cached_property
    def zone(self) -> "tzinfo":
        """The time zone of the person at the terminal."""
        from chit.zone import LocalZone

        return LocalZone()

    # The terminal

    @cached_property
    def terminal(self) -> bool:
        """Whether a person reads standard output."""
        return sys.stdout.isatty()

    @cached_property
    def interactive(self) -> bool:
        """Whether somebody is there to be asked."""
        return not (self.options.no_input or self.environ.get("CI")) and sys.stdin.isatty() and sys.stderr.isatty()

    @cached_property
    def colored(self) -> bool:
        """Whether to use colour on standard output."""
        choice = self.options.color
        if choice is None or choice == "auto":
            if self.environ.get("NO_COLOR") or self.environ.get("TERM") == "dumb":
                return False
            if self.environ.get("CLICOLOR_FORCE", "0") != "0":
                return True
            if choice is None and self.terminal:
                choice = self.config.text("color.ui")
        if choice in ("always", "never"):
            return choice == "always"
        return self.terminal and self.environ.get("CLICOLOR") != "0"

    @cached_property
    def output(self) -> "Output":
        """Where results go."""
        from chit.output import Output

        return Output(self)

    def say(self, message: str, *, as_is: bool = False) -> None:
        """A message for people, on standard error; nothing with --quiet or --json. as_is: it is translated already, or is data."""
        if not (self.options.quiet or self.options.json or self.options.jsonl):
            from chit.text import clean_lines

            sys.stderr.write(clean_lines(message if as_is else translate(message)) + "\n")

    def confirm(self, question: str, flag: str = "--yes") -> None:
        """Asks on a terminal; elsewhere --yes must have been given. Raises UsageError, or Abort for a no."""
        if self.options.yes:
            return
        if not self.interactive:
            raise UsageError(f"{question} There is nobody to ask.", f"Say {flag} to go on.")
        import click

        if not click.confirm(translate(question), err=True):
            self.say("nothing was changed")
            raise click.Abort


def parse_setting(text: str) -> tuple[str, Any]:
    """A setting as -c takes it. Raises UsageError for one that there is not, or a value that it cannot have."""
    from chit_sync.config import checked

    key, mark, value = text.partition("=")
    if not mark:
        raise UsageError(f"-c takes KEY=VALUE, not {text!r}", "For example -c user.name=anna.")
    return key, checked(key, value)


def user_config() -> str:
    """The user's own configuration file."""
    return os.path.join(_user_folder("XDG_CONFIG_HOME", ".config", "user_config_dir"), "config.toml")


def user_store() -> str:
    """The folder in which the user's own store is looked for when there is none around."""
    return os.path.join(_user_folder("XDG_DATA_HOME", os.path.join(".local", "share"), "user_data_dir"), FOLDER)


def _user_folder(variable: str, default: str, function: str) -> str:
    """The folder that platformdirs names; on Linux without importing it, which would cost every command a tenth of its time."""
    platform = sys.platform
    if platform == "linux":
        base = os.environ.get(variable) or os.path.join(os.path.expanduser("~"), default)
        return os.path.join(base, "chit")
    import platformdirs

    return str(getattr(platformdirs, function)("chit", appauthor=False))


def _log_bytes(store: Store) -> int:
    """The size of the store's write-ahead log."""
    try:
        return os.stat(os.path.join(store.path, DATABASE + "-wal")).st_size
    except OSError:
        return 0
