"""A ticket as a page to read: the fields, the conversation, attachments, links, where else it lives."""

from collections.abc import Callable, Sequence
from textwrap import wrap

from chit.context import App
from chit.language import translate
from chit.output import columns
from chit.text import SHORT_ID, ago, clean, clean_lines, paint, shorten, size
from chit.wording import readable
from chit_sync.schema import FIELDS, PRIORITY_RANK
from chit_sync.ticket import Comment, Ticket
from chit_sync.times import local

PRIORITY_STYLES = {1: "bold red", 2: "yellow", 3: "", 4: "dim", 5: "dim"}
_WIDEST = 100
_LEAST_FACT = 20
_APART = ("title", "description", "status", "priority", "merged", "deleted")


def page(app: App, ticket: Ticket) -> str:
    """The whole ticket, for a person."""
    screen = min(columns() if app.terminal else _WIDEST, _WIDEST)

    def style(text: str, how: str) -> str:
        return paint(text, how) if app.colored else text

    def when(stamp: int) -> str:
        return f"{local(stamp, app.zone)} ({ago(stamp, app.now)})"

    rank = PRIORITY_RANK.get(ticket.text("priority"), 3)
    lines = [
        style(clean(ticket.title) or translate("(no title)"), "bold"),
        " · ".join(
            (
                ticket.id[:SHORT_ID] + (translate(" no {number}", number=ticket.called) if ticket.called else ""),
                ticket.text("status") or translate("no status"),
                style(ticket.text("priority") or translate("no priority"), PRIORITY_STYLES[rank]),
                translate("by {author} {time}", author=clean(ticket.author), time=when(ticket.created)),
            )
        ),
        "",
    ]
    if ticket.value("deleted"):
        lines[2:2] = [style(translate("This ticket was deleted; `chit reopen` brings it back."), "red")]
    if ticket.value("merged"):
        lines[2:2] = [style(translate("Merged into {ticket}.", ticket=ticket.text("merged")[:SHORT_ID]), "yellow")]
    outsourced = any(key.startswith("handoff/") for key in ticket.item_registers)
    if outsourced:
        from chit.handed import block  # few tickets are

        told = block(app, ticket)
        lines += [*told, ""] if told else []
    facts = _facts(ticket, when)
    if facts:
        widest = max(len(name) for name, _ in facts)
        # A list is not the place to read a long value in; piped, nothing is cut.
        room = max(_LEAST_FACT, screen - widest - 2) if app.terminal else 1 << 20
        lines += [f"{style(name.ljust(widest), 'dim')}  {shorten(clean(value), room)}" for name, value in facts] + [""]
    if ticket.conflicts:
        lines.append(style(translate("In conflict"), "bold red"))
        for conflict in ticket.conflicts:
            shown, *others = (readable(conflict.path, value, app.zone) for value in (conflict.shown, *conflict.others))
            values = {"field": conflict.path, "shown": shown, "others": ", ".join(others)}
            lines.append(translate("  {field}: {shown} is shown, but somebody wrote {others}", **values))
        lines += [translate("  `chit resolve {ticket}` decides.", ticket=ticket.id[:SHORT_ID]), ""]
    if ticket.text("description"):
        lines += [*_text(ticket.text("description"), screen), ""]
    for comment in ticket.comments:
        held = _held(ticket, f"comment/{comment.id}")
        lines += [style(_rule(comment, when(comment.time), screen, held), "dim"), *_text(comment.body, screen), ""]
    if ticket.attachments:
        lines.append(style(translate("Attachments"), "bold"))
        for attachment in ticket.attachments:
            where = "" if attachment.here else translate("  (its bytes are not here yet)")
            held = _held(ticket, f"attachment/{attachment.id}")
            lines.append(
                f"  {attachment.id[:SHORT_ID]}  {clean(attachment.name)}  {size(attachment.size)}{where}{held}"
            )
        lines.append("")
    for title, entries in (
        (translate("Time"), _times(app, ticket)),
        (translate("Charges"), _charges(app, ticket)),
    ):
        if entries:
            lines += [style(title, "bold"), *(f"  {entry}".rstrip() for entry in entries), ""]
    if ticket.links:
        lines.append(style(translate("Links"), "bold"))
        lines += [f"  {link.kind} {link.ticket[:SHORT_ID]}  {clean(link.title or '')}" for link in ticket.links] + [""]
    if ticket.elsewhere:
        lines.append(style(translate("Elsewhere"), "bold"))
        lines += [f"  {place.remote}#{place.number}" for place in ticket.elsewhere] + [""]
    return "\n".join(lines[:-1]) + "\n"


def _facts(ticket: Ticket, when: Callable[[int], str]) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    for name, field in FIELDS.items():
        value = ticket.value(name)
        if value is None or name in _APART:
            continue
        facts.append(
            (
                translate(name),
                when(value)
                if field.type == "time" and isinstance(value, int)
                else translate("yes")
                if value is True
                else str(value),
            )
        )
    if ticket.labels:
        facts.append((translate("labels"), ", ".join(ticket.labels)))
    facts += [(f"x.{name}", str(value).replace("\n", " ")) for name, value in ticket.custom.items()]
    facts.append((translate("updated"), when(ticket.updated)))
    return facts


def _times(app: App, ticket: Ticket) -> list[str]:
    """The time entries, and what they come to."""
    found = ticket.times
    if not found:
        return []
    from chit_sync.work import spell_span

    total = translate("total {amount}", amount=spell_span(sum(one.minutes for one in found)))
    return [
        *(
            _entry(
                one.id,
                local(one.date, app.zone)[:10],
                spell_span(one.minutes),
                one.author,
                one.visibility,
                one.note,
                one.held,
            )
            for one in found
        ),
        *([total] if len(found) > 1 else []),
    ]


def _charges(app: App, ticket: Ticket) -> list[str]:
    """The charges; what they come to where they are in one currency."""
    found = ticket.charges
    if not found:
        return []
    from chit_sync.money import parse, spell

    lines = [
        _entry(
            one.id, local(one.time, app.zone)[:10], f"{spell(parse(one.amount))} {one.currency}", one.author, one.visibility, one.note,
            one.held,
        )
        for one in found
    ]  # fmt: skip
    if len(found) > 1 and len({one.currency for one in found}) == 1:
        total = spell(sum(parse(one.amount) for one in found))
        lines.append(translate("total {amount}", amount=f"{total} {found[0].currency}"))
    return lines


def _entry(ident: str, day: str, amount: str, author: str, visibility: str, note: str, held: str) -> str:
    mark = ("" if visibility == "public" else f"{visibility}  ") + (translate("(held back)  ") if held else "")
    return f"{ident[:SHORT_ID]}  {day}  {amount}  {clean(author)}  {mark}{clean(' '.join(note.split()))}"


def _held(ticket: Ticket, key: str) -> str:
    """The mark of an item that is held back from a partner."""
    return translate("  (held back)") if ticket.item_registers[key].get("held") and ticket.item(key).get("held") else ""


def _rule(comment: Comment, time: str, screen: int, held: str) -> str:
    mark = ("" if comment.visibility == "public" else f" · {comment.visibility}") + held
    head = f"── {clean(comment.author)} · {time}{mark} · {comment.id[:SHORT_ID]} "
    return head + "─" * max(3, screen - len(head))


def _text(text: str, screen: int) -> list[str]:
    """Prose wrapped to the screen; lines that are indented, tables and code stay as they are."""
    lines: list[str] = []
    fenced = False
    for line in clean_lines(text).split("\n"):
        if line.startswith("```"):
            fenced = not fenced
        if fenced or len(line) <= screen or line[:1] in (" ", "\t", "|"):
            lines.append(line)
        else:
            lines += wrap(line, screen, break_long_words=False, break_on_hyphens=False) or [""]
    return lines


def pages(app: App, tickets: Sequence[Ticket]) -> str:
    """Several tickets, one page after the other."""
    return ("\n" + "═" * 40 + "\n\n").join(page(app, ticket) for ticket in tickets)
