"""`chit doctor`."""

import os
import shutil
import sqlite3
import sys
from contextlib import closing

from chit import __version__
from chit.context import App, user_config
from chit.framework import command
from chit.language import translate
from chit.text import counted
from chit_sync.errors import ChitError, PartialError

OK, WARN, BAD = "ok", "warning", "problem"
Finding = tuple[str, str, str]
"""(severity, what was looked at, what was found)"""


@command()
def doctor(app: App) -> None:
    """Look at the surroundings: versions, permissions, certificates.

    Says what is wrong and what to do; changes nothing. `chit fsck` looks into the store itself.
    """
    found = [*_versions(), *_settings(app), *_store(app), *_certificates(), *_terminal(app)]
    records = [
        {"schema": "chit.finding/1", "severity": severity, "subject": subject, "finding": text}
        for severity, subject, text in found
    ]
    app.output.many(records, lambda: app.output.table(("", "WHAT", "FOUND"), _shown(app, found)))
    bad = [f"{translate(subject)}: {translate(text)}" for severity, subject, text in found if severity == BAD]
    if bad:
        raise PartialError(counted(len(bad), "problem"), bad)


def _shown(app: App, found: list[Finding]) -> list[Finding]:
    """The findings in the language of the person who reads them; what goes to a program stays as it is."""
    if not app.terminal:
        return found
    return [(translate(severity), translate(subject), translate(text)) for severity, subject, text in found]


def _versions() -> list[Finding]:
    found = [(OK, "chit", __version__), (OK, "python", sys.version.split()[0])]
    severity = OK if sqlite3.sqlite_version_info >= (3, 40) else BAD
    found.append(
        (severity, "sqlite", f"{sqlite3.sqlite_version}" + ("" if severity == OK else "; 3.40 or later is needed"))
    )
    with closing(sqlite3.connect(":memory:")) as db:
        options = {row[0] for row in db.execute("PRAGMA compile_options")}
    fts = "ENABLE_FTS5" in options
    found.append((OK if fts else BAD, "full-text search", "there" if fts else "this SQLite has no FTS5"))
    if sys.flags.dont_write_bytecode:
        found.append((WARN, "bytecode", "PYTHONDONTWRITEBYTECODE is set: every start is several times slower"))
    return found


def _settings(app: App) -> list[Finding]:
    try:
        found = [
            (
                OK,
                "settings",
                f"from {', '.join(source.name for source in app.config.sources if source.values) or 'nowhere'}",
            )
        ]
        found.append((OK, "you are", app.actor))
    except ChitError as error:
        found = [(BAD, "settings", f"{error.message} {error.hint}")]
    folder = os.path.dirname(user_config())
    secrets = os.path.join(folder, "credentials.toml")
    if os.path.exists(secrets) and os.stat(secrets).st_mode & 0o077:
        found.append((BAD, secrets, "others can read it: chmod 600"))
    return found


def _store(app: App) -> list[Finding]:
    try:
        path = app.store_path
    except ChitError as error:
        return [(WARN, "store", error.message)]
    found = [
        (OK if os.access(path, os.W_OK) else WARN, "store", path + ("" if os.access(path, os.W_OK) else " (read-only)"))
    ]
    try:
        mode = app.reading.db.execute("PRAGMA journal_mode").fetchone()[0]
    except (ChitError, sqlite3.Error) as error:
        return [*found, (BAD, "store", str(error))]
    found.append((OK if mode == "wal" else WARN, "journal", str(mode)))
    free = shutil.disk_usage(path).free
    found.append((OK if free > 100 << 20 else WARN, "free disk", f"{free >> 20} MiB"))
    copied = app.reading.meta("copy_of")
    if copied:
        found.append((WARN, "identity", f"this store is a copy of {copied[:8]} and has an identity of its own since"))
    ahead = (app.reading.meta("clock", 0) - app.now) // 1_000_000
    if ahead > 3600:
        found.append(
            (
                WARN,
                "clock",
                f"the store holds changes from {ahead // 3600} hours ahead of this machine's clock",
            )
        )
    return found


def _certificates() -> list[Finding]:
    import ssl

    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath:
        return [(OK, "certificates", paths.cafile or paths.capath or "")]
    return [(WARN, "certificates", "none of the system's; chit uses those of certifi")]


def _terminal(app: App) -> list[Finding]:
    if not app.terminal:
        return []
    size = shutil.get_terminal_size()
    return [(OK, "terminal", f"{size.columns}×{size.lines}, {'colour' if app.colored else 'no colour'}")]
