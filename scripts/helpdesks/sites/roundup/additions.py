"""What sites add to Roundup's classic schema, as far as the tests need it: schema.py imports it.

Documented in the customisation guide (time logs, permissions with a check). Agents see every message, users those that are not internal.
"""

from typing import Any

from roundup.hyperdb import (
    Boolean,
    Date,
    Interval,
    Multilink,
    String,
)


def issue() -> dict[str, object]:
    """More fields of an issue. New ones each time: Roundup runs its schema whenever it opens the database."""
    return {"extref": String(), "times": Multilink("timelog"), "due": Date()}


def msg() -> dict[str, object]:
    """More fields of a message."""
    return {"internal": Boolean()}


def allow(db: Any, new_class: Any) -> None:
    """The time log, and who may do what."""
    new_class(db, "timelog", period=Interval(), date=Date(), summary=String())
    security = db.security
    security.addRole(name="Agent", description="Staff")
    public = security.addPermission(name="View", klass="msg", check=_is_public, description="Messages for everybody")
    for role in ("User", "Anonymous"):
        security.addPermissionToRole(role, public)
    search = security.addPermission(name="Search", klass="msg")
    for role in ("User", "Anonymous", "Agent"):
        security.addPermissionToRole(role, search)
    for action in ("Edit", "Create"):
        security.addPermissionToRole("User", action, "msg")
    for action in ("View", "Edit", "Create"):
        security.addPermissionToRole("Agent", action, "msg")
        security.addPermissionToRole("Agent", action, "timelog")
    security.addPermissionToRole("User", "View", "timelog")
    # Nobody but the admin may take an issue away in the classic tracker.
    for action in ("Retire", "Restore"):
        permission = security.addPermission(name=action, klass="issue")
        security.addPermissionToRole("Agent", permission)


def _is_public(db: Any, userid: str, itemid: str) -> bool:
    return not db.msg.get(itemid, "internal")
