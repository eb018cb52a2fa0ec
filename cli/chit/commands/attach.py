"""`chit attach`."""

import os
import sys

import click

from chit.commands.comment import item
from chit.context import App
from chit.framework import command
from chit.params import TICKET
from chit.selection import one
from chit.text import SHORT_ID, size
from chit.written import write
from chit_sync.authoring import Edit, attach_file
from chit_sync.errors import ConflictError, NotFoundError, UsageError
from chit_sync.registers import Value
from chit_sync.store.reading import blob_path
from chit_sync.ticket import Attachment, Ticket, iso


@command()
@click.argument("ticket", type=TICKET)
@click.argument("files", nargs=-1, metavar="[FILE]…")
@click.option("-i", "--internal", is_flag=True, help="Only the own organisation sees them.")
@click.option("--to", default="", metavar="PARTNER", help="For this partner, where there are several.")
@click.option(
    "--get", "wanted", multiple=True, metavar="ATTACHMENT", help="Write this attachment to a file; by id or by name."
)
@click.option("-o", "--output", "target", metavar="PATH", help="Where --get writes to; - is standard output.")
@click.option("--force", is_flag=True, help="--get may replace a file that is there.")
@click.option("--delete", "removed", multiple=True, metavar="ATTACHMENT", help="Take this attachment away.")
@click.option(
    "--publish",
    "published",
    multiple=True,
    metavar="ATTACHMENT",
    help="Let the requester see this file, your own or a partner's.",
)
def attach(
    app: App, ticket: str, files: tuple[str, ...], internal: bool, to: str, wanted: tuple[str, ...], target: str | None, force: bool,
    removed: tuple[str, ...], published: tuple[str, ...],
) -> None:  # fmt: skip
    """Attach files, list them, or get them out.

    \b
    chit attach 42 screenshot.png log.txt
    chit attach 42                          lists what is attached
    chit attach 42 --get screenshot.png
    """
    if sum(map(bool, (files, wanted, removed, published))) > 1:
        raise UsageError("FILE, --get, --publish and --delete contradict each other", "Do one thing at a time.")
    if to and not files:
        raise UsageError("--to goes with a new attachment", "Name a FILE.")
    found = one(app, ticket)
    if files:
        if to:
            from chit.entries import audience

            audience(found, internal, to, False)
        paths: dict[str, Value] = {}
        for file in files:
            paths |= attach_file(app.store, file, "internal" if internal else "public", dry_run=app.options.dry_run)
        write(app, [Edit(found, paths, to=to)], "attach")
    elif published:
        paths = {f"attachment/{_named(found, name).id}/visibility": "public" for name in published}
        write(app, [Edit(found, paths)], "attach")
    elif removed:
        write(app, [Edit(found, {f"attachment/{_named(found, name).id}/deleted": True for name in removed})], "attach")
    elif wanted:
        if target and len(wanted) > 1 and not os.path.isdir(target):
            raise UsageError(f"{target} is no directory to write {len(wanted)} attachments to")
        for name in wanted:
            _write_out(app, found, _named(found, name), target, force)
    else:
        records = [
            {"schema": "chit.attachment/1", **one._asdict(), "sha256": one.sha256 or None, "time": iso(one.time)}
            for one in found.attachments
        ]
        rows = [
            (
                one.id[:SHORT_ID] if app.terminal else one.id,
                size(one.size) if app.terminal else str(one.size),
                one.author,
                one.name,
            )
            for one in found.attachments
        ]
        app.output.many(records, lambda: app.output.table(("ID", "SIZE", "BY", "NAME"), rows) if rows else "")
        if not rows:
            app.say(f"nothing is attached to {found.id[:SHORT_ID]}")


def _named(ticket: Ticket, name: str) -> Attachment:
    named = [one for one in ticket.attachments if one.name == name]
    if len(named) == 1:
        return named[0]
    ident = item(ticket, "attachment", name)
    return next(one for one in ticket.attachments if one.id == ident)


def _write_out(app: App, ticket: Ticket, attachment: Attachment, target: str | None, force: bool) -> None:
    if not attachment.here and not app.options.dry_run:
        from chit.fetching import get_bytes

        attachment = get_bytes(app, ticket, attachment)
    if not attachment.sha256 and not app.options.dry_run:
        raise NotFoundError(
            f"only the helpdesk that {attachment.name} comes from has its bytes",
            "`chit pull --attachments` brings them, from the store that reads that helpdesk.",
        )
    source = blob_path(app.store_path, attachment.sha256)
    if not os.path.exists(source) and not app.options.dry_run:
        raise NotFoundError(
            f"the bytes of {attachment.name} are not in this store",
            "`chit pull --attachments` brings them from where they are.",
        )
    if target == "-" and app.output.structured:
        raise UsageError("-o - and --json contradict each other", "Write to a file, or leave --json out.")
    if target == "-" and app.options.dry_run:
        return
    if target == "-":
        with open(source, "rb") as file:
            while part := file.read(1 << 20):
                sys.stdout.buffer.write(part)
        return
    # The name comes from somebody else: it may not lead out of the folder.
    name = os.path.basename(attachment.name.replace("\\", "/")).lstrip(".") or attachment.id
    path = os.path.join(target, name) if target and os.path.isdir(target) else target or name
    record = {"schema": "chit.written/1", "path": path, "name": attachment.name, "size": attachment.size}
    if app.options.dry_run:
        app.output.one(record, lambda: path)
        app.say(f"would write {path}, {size(attachment.size)}")
        return
    try:
        with open(source, "rb") as file, open(path, "wb" if force else "xb") as copy:
            while part := file.read(1 << 20):
                copy.write(part)
    except FileExistsError:
        raise ConflictError(f"{path} is there already", "Give another place with -o, or --force.") from None
    app.output.one(record, lambda: path)
    app.say(f"wrote {path}, {size(attachment.size)}")
