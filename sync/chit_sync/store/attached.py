"""Checks the bytes of attachments against the hashes that the log names. For `fsck` alone; reads, and changes nothing."""

import json
import os
from collections.abc import Iterator
from hashlib import file_digest

from chit_sync.store.blobs import is_sha256
from chit_sync.store.database import Connection
from chit_sync.store.log import HERE
from chit_sync.store.migrations import ITEM_BITS
from chit_sync.store.problems import Problems
from chit_sync.store.reading import blob_path

ELSEWHERE = "Get it from the helpdesk: `chit pull --attachments`."
FETCH = "Get it from a remote: `chit pull --attachments`."
AGAIN = "Remove the file, then get it from a remote (`chit pull --attachments`) or attach it again."
LEFT = "Nothing depends on it; it may be removed."


def check_attachments(path: str, db: Connection, problems: Problems, *, complete: bool) -> None:
    """Looks for each attachment of the tables in `db`, then reads every file under `blobs`; `path` is the store's folder.

    complete: whether those are all attachments. If not, what nothing names may still be one.
    """
    db.execute("CREATE TEMP TABLE named (sha256 TEXT PRIMARY KEY) WITHOUT ROWID")
    for number, name, sha256, size, seq, deleted in _attachments(db):
        where = f"ticket {number}, attachment {name!r}"
        if not sha256:
            if not deleted:
                problems.add(
                    "missing", where, "only the helpdesk that it comes from has its bytes", ELSEWHERE, harmless=True
                )
            continue
        db.execute("INSERT OR IGNORE INTO named VALUES (?)", (sha256,))
        try:
            bytes_here = os.path.getsize(blob_path(path, sha256))
        except OSError:
            if deleted:
                continue
            row = db.execute("SELECT origin FROM changes WHERE seq = ?", (seq,)).fetchone()
            if row is not None and row[0] == HERE:
                problems.add("attachment", where, "it was made here, and its bytes are gone", FETCH)
            else:
                problems.add("missing", where, "its bytes are not here", FETCH, harmless=True)
            continue
        if size is not None and bytes_here != size:
            problems.add("attachment", where, f"it has {bytes_here} bytes and should have {size}", AGAIN)
    for file, sha256 in _files(os.path.join(path, "blobs")):
        where = os.path.relpath(file, path)
        if not sha256:
            if file.endswith(".part"):
                problems.add("partial", where, "bytes whose arrival was interrupted", LEFT, harmless=True)
            else:
                problems.add("stray", where, "it is not the bytes of an attachment", LEFT, harmless=True)
            continue
        with open(file, "rb") as source:
            good = file_digest(source, "sha256").hexdigest() == sha256
        if not good:
            problems.add("attachment", where, "its bytes do not have the hash that it is named by", AGAIN)
        elif complete and db.execute("SELECT 1 FROM named WHERE sha256 = ?", (sha256,)).fetchone() is None:
            problems.add("stray", where, "no attachment has these bytes", LEFT, harmless=True)


def _attachments(db: Connection) -> Iterator[tuple[int, str, str, int | None, int, bool]]:
    """(ticket's number, name, hash, size, place of the change that named the hash, deleted); no hash where no store has seen the bytes."""
    rows = db.execute("SELECT pk, fields FROM items WHERE key >= 'attachment/' AND key < 'attachment0'")
    for pk, text in rows:
        fields = json.loads(text)
        values = {name: heads[0][1] for name, heads in fields.items()}
        sha256, name, deleted = values.get("sha256"), values.get("name") or "", bool(values.get("deleted"))
        if isinstance(sha256, str) and is_sha256(sha256):
            yield pk >> ITEM_BITS, name, sha256, values.get("size"), fields["sha256"][0][0], deleted
        elif sha256 is None and name:
            yield pk >> ITEM_BITS, name, "", values.get("size"), 0, deleted


def _files(folder: str) -> Iterator[tuple[str, str]]:
    """Every file below the folder, and the hash that its place names; empty if it names none."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            sha256 = os.path.basename(parent) + name
            place = os.path.join(parent, name)
            named = is_sha256(sha256) and os.path.dirname(parent) == folder and os.path.isfile(place)
            yield place, sha256 if named else ""
