"""What a helpdesk says of itself, for `chit remote show`: as a record, as a page, and the tables that follow from it."""

from typing import Any

from chit.context import App
from chit.helpdesks import check_helpdesk, described, mapping_for, person_record
from chit.language import translate
from chit.output import plain
from chit.text import clean
from chit_sync.helpdesks.address import parse
from chit_sync.helpdesks.base import FEATURES, Feature
from chit_sync.helpdesks.mapping import Mapping, toml
from chit_sync.store import bases
from chit_sync.store.remotes import Remote


def description_record(app: App, remote: Remote) -> dict[str, Any]:
    """What there is to know of a helpdesk. tickets: how many of it are here. troubles: what of them could not be taken in."""
    about = described(app, remote)
    mapping = mapping_for(app, remote)(about)
    return {
        "kind": parse(remote.url).kind,
        "title": about.title,
        "version": about.version,
        "account": person_record(about.account),
        "new": bool(mapping.new),
        "default_queue": about.default_queue or None,
        "send": mapping.send,
        "reference": about.reference or None,
        "tickets": len(bases.known(app.reading, remote.id)),
        "troubles": [one._asdict() for one in bases.troubles(app.reading, remote.id)],
        "limits": dict(about.limits),
        "features": [_feature(name, about.features.get(name)) for name in FEATURES],
    }


def _feature(name: str, how: Feature | None) -> dict[str, Any]:
    how = how or Feature(read=False, write=False)
    return {"name": name, "read": how.read, "write": how.write, "why": how.why or None}


def page(app: App, record: dict[str, Any]) -> str:
    """The record for a person: a line each, then the table of features."""
    account = record["account"]
    has_queues = any(one["name"] == "queue" and one["write"] for one in record["features"])
    anywhere = translate("the queue that they name") if has_queues else translate("made there")
    queue = record["default_queue"] or anywhere
    lines = [
        ("helpdesk", f"{record['title']} {'' if record['version'] == 'unknown' else record['version']}".strip()),
        ("account", f"{account['key']} ({account['name']})" if account["name"] else account["key"]),
        ("new", queue if record["new"] else translate("new tickets are not made there")),
        ("sends", translate("what was written in this store") if record["send"] == "own" else translate("everything")),
        ("tickets", str(record["tickets"])),
        ("troubles", str(len(record["troubles"]))),
        ("limits", ", ".join(f"{name} {plain(limit)}" for name, limit in record["limits"].items()) or "-"),
    ]
    rows = [
        (one["name"], _how(one["read"]), _how(one["write"]), translate(one["why"] or "")) for one in record["features"]
    ]
    table = app.output.table(("FEATURE", "READ", "WRITE", "WHY"), rows)
    return "\n".join([*(f"{key:<8} {clean(value)}" for key, value in lines), "", table])


def _how(able: bool) -> str:
    return "yes" if able else "no"


def show_mapping(app: App, remote: Remote) -> None:
    """Prints the tables that hold for a helpdesk."""
    check_helpdesk(remote, "a mapping is")
    found = mapping_for(app, remote)(described(app, remote))
    app.output.one(_mapping_record(found), lambda: toml(found))


def _mapping_record(found: Mapping) -> dict[str, Any]:
    return {
        "schema": "chit.mapping/1",
        "remote": found.remote,
        "status": found.status,
        "priority": found.priority,
        "people": found.people,
        "queues": found.queues,
        "fields": found.fields,
    }
