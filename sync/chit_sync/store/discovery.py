"""Where the store is: found upward from a folder, as git finds a repository."""

import os

from chit_sync.store.database import DATABASE

FOLDER = ".chit"


def find_store(start: str) -> str | None:
    """The store in `start` or in the nearest folder above it; `start` may be the store's own folder. None if there is none."""
    here = os.path.abspath(start)
    if os.path.exists(os.path.join(here, DATABASE)):
        return here
    while True:
        candidate = os.path.join(here, FOLDER)
        if os.path.exists(os.path.join(candidate, DATABASE)):
            return candidate
        above = os.path.dirname(here)
        if above == here:
            return None
        here = above
