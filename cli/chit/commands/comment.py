"""`chit comment`."""

import click

from chit import editor
from chit.context import App
from chit.framework import command
from chit.language import translate
from chit.params import text_options, tickets_argument
from chit.selection import to_write
from chit.written import report, write
from chit_sync import schema
from chit_sync.authoring import Edit, attach_file, comment_paths, record
from chit_sync.errors import NotFoundError, UsageError
from chit_sync.registers import Value
from chit_sync.store.making import new_item
from chit_sync.ticket import Ticket


@command()
@tickets_argument
@text_options
@click.option("-i", "--internal", is_flag=True, help="Only the own organisation reads it.")
@click.option("--partner", is_flag=True, help="Partners read it too, the requester does not.")
@click.option("--public", is_flag=True, help="The requester reads it too; so it is unless you say otherwise.")
@click.option("--to", default="", metavar="PARTNER", help="For this partner, where there are several.")
@click.option("--attach", "files", multiple=True, metavar="FILE", help="Attach a file.")
@click.option("--edit", "rewritten", metavar="COMMENT", help="Write this comment anew instead.")
@click.option("--delete", "removed", metavar="COMMENT", help="Delete this comment instead.")
def comment(
    app: App, tickets: tuple[str, ...], query: str | None, stdin: bool, every: bool, message: tuple[str, ...],
    file: str | None, internal: bool, partner: bool, public: bool, to: str, files: tuple[str, ...], rewritten: str | None,
    removed: str | None,
) -> None:  # fmt: skip
    """Say something about tickets. Without -m or -F an editor opens.

    \b
    chit comment 42 -m "Replaced the fuser."
    chit comment kzxt --internal -F notes.txt
    chit comment 42 --edit vvry --public     lets the requester read it; a partner's comment too
    """
    if internal + partner + public > 1:
        raise UsageError("--internal, --partner and --public contradict each other", "Give one of them.")
    if rewritten and removed:
        raise UsageError("--edit and --delete contradict each other", "Give one of them.")
    if removed and (message or file):
        raise UsageError("--delete takes no text", "Leave -m and -F out, or --edit the comment.")
    if files and (rewritten or removed):
        raise UsageError("--attach goes with a new comment", "`chit attach` attaches a file by itself.")
    if to and (rewritten or removed):
        raise UsageError("--to goes with a new comment", "A comment stays with whom it was for.")
    if removed and (internal or partner or public):
        raise UsageError("--delete and who may read it contradict each other", "Leave one of them out.")
    visibility = "internal" if internal else "partner" if partner else "public"
    chosen = internal or partner or public
    found = to_write(app, tickets, query, stdin, every)
    _check_audience(found, visibility, to)
    if removed:
        write(app, [Edit(ticket, {f"{_key(ticket, removed)}/deleted": True}) for ticket in found], "comment")
        return
    text, buffer = editor.given_text(message, file), ""
    if text is None and rewritten and chosen:
        write(app, [Edit(ticket, {f"{_key(ticket, rewritten)}/visibility": visibility}) for ticket in found], "comment")
        return
    if text is None:
        visibility = _visibility(found[0], rewritten) if rewritten and not chosen else visibility
        names = ", ".join(f"{ticket.id[:8]} {ticket.title}" for ticket in found[:3])
        old = _body(found[0], rewritten) if rewritten else ""
        note = translate("A comment on {tickets}", tickets=names)
        buffer, values, text = editor.edited(app, {"visibility": visibility}, old, note, "-m or -F")
        visibility = str(values.get("visibility", visibility))
    with editor.keeping(buffer):
        if visibility not in [choice.name for choice in schema.VISIBILITIES]:
            raise UsageError(f"there is no visibility {visibility!r}", "It is public, partner or internal.")
        _check_audience(found, visibility, to)
        if rewritten:
            paths: dict[str, Value] = {"visibility": visibility} if chosen or buffer else {}
            paths["body"] = text
            edits = [
                Edit(ticket, {f"{_key(ticket, rewritten)}/{name}": value for name, value in paths.items()})
                for ticket in found
            ]
        else:
            edits = [Edit(ticket, _said(app, text, visibility, files), to=to) for ticket in found]
        results = record(app.store, edits, by=app.actor, command="comment", dry_run=app.options.dry_run)
    report(app, results)


def _check_audience(tickets: list[Ticket], visibility: str, to: str) -> None:
    """Raises UsageError, NotFoundError where the partner of --to is not one to read it."""
    if to:
        from chit.entries import audience

        for ticket in tickets:
            audience(ticket, visibility == "internal", to, False)


def _said(app: App, text: str, visibility: str, files: tuple[str, ...]) -> dict[str, Value]:
    """The paths of a new comment and of the files that go with it."""
    paths = comment_paths(new_item(app.store), text, visibility)
    for name in files:
        paths |= attach_file(app.store, name, visibility, dry_run=app.options.dry_run)
    return paths


def _key(ticket: Ticket, prefix: str) -> str:
    return f"comment/{item(ticket, 'comment', prefix)}"


def _body(ticket: Ticket, prefix: str) -> str:
    key = _key(ticket, prefix)
    return next(comment.body for comment in ticket.comments if key == f"comment/{comment.id}")


def _visibility(ticket: Ticket, prefix: str) -> str:
    key = _key(ticket, prefix)
    return next(comment.visibility for comment in ticket.comments if key == f"comment/{comment.id}")


def item(ticket: Ticket, kind: str, prefix: str) -> str:
    """The id of the ticket's one item of that kind whose id begins so. Raises NotFoundError."""
    live = ticket.comments if kind == "comment" else ticket.attachments
    found = [one.id for one in live if one.id.startswith(prefix)]
    if len(found) != 1:
        problem = f"no {kind} {prefix}" if not found else f"{prefix} could be {len(found)} {kind}s"
        raise NotFoundError(f"{problem} in {ticket.id[:8]}", f"`chit show {ticket.id[:8]}` names them.")
    return found[0]
