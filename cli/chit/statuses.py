"""Statuses by what they mean: the store may call them as it likes."""

from collections.abc import Collection

from chit.context import App
from chit_sync.errors import UsageError


def status_of(app: App, name: str | None, category: str, allowed: Collection[str]) -> str:
    """The status of that name, which must be of an allowed category; without a name the first of `category`. Raises UsageError."""
    statuses = app.store.statuses
    if name is None:
        return next(status for status, meaning in statuses.items() if meaning == category)
    if statuses.get(name) not in allowed:
        fitting = ", ".join(status for status, meaning in statuses.items() if meaning in allowed)
        raise UsageError(f"status cannot be {name!r} here", f"It is one of: {fitting}.")
    return name
