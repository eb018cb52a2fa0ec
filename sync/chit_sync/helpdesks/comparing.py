"""From what a helpdesk shows of a ticket, and what was agreed on before, to changes. Pure.

Whoever reads the same event makes the same change: its ticket, time, author, values and nonce follow from the helpdesk alone. Where the
helpdesk shows what was written here and has been sent there, the change takes over the text from here, byte for byte, and replaces
it: a receipt. What it shows otherwise replaces only what it showed before, by the rule for changes of one mirror (`registers`), so
that an edit here that it has not seen is in conflict with it, and nothing is lost.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from chit_sync import checks, ids
from chit_sync.change import NONCE_BYTES, Change, nonce
from chit_sync.clock import MAX_STAMP, MINUTE
from chit_sync.errors import UsageError
from chit_sync.helpdesks.agreed import ATTACHMENT, COMMENT, TIME, Agreed, Item, mark, marks
from chit_sync.helpdesks.base import Comment, File, Snapshot, Work
from chit_sync.helpdesks.shaping import fit, of_comment, of_file, of_work, parts, said, too_large
from chit_sync.policy import refuse
from chit_sync.registers import Value, same

AHEAD = 5 * MINUTE
"""How far a helpdesk's clock may be ahead of ours before its times are only shown and no longer order changes."""


_SIGNED = re.compile(r"\A[^\r\n@]{1,200}@[^\r\n]{1,200}:\r?\n\r?\n")
"""How a comment begins that was sent for a partner's person: see `planning.signed`."""

Entry = Comment | File | Work


class Head(NamedTuple):
    """A value at a path here. id: of the change that wrote it, hexadecimal. mirrored: whether that came from this helpdesk."""

    id: str
    value: Value
    mirrored: bool


class Ours(Protocol):
    """The ticket as it stands here."""

    def heads(self, path: str) -> list[Head]:
        """What is at a path of ours, the shown value first; nothing if nobody wrote there."""

    def has(self, key: str) -> bool:
        """Whether there is the item KIND/ID, deleted or not."""

    def written(self, path: str) -> list[Head]:
        """All that was ever written at a path of ours, in no order. Not cheap."""

    def knows(self, change: Change) -> bool:
        """Whether this very change is here."""

    def take(self, change: Change) -> None:
        """From now on the ticket is as this change makes it, which is about to be taken into the log."""


class Words(Protocol):
    """What the helpdesk's words mean here; see `mapping.Mapping`. send, new: what of ours is sent, as in `settings.Tables`."""

    send: str
    new: bool | None

    def reads(self, path: str) -> bool:
        """Whether a path of theirs has one here."""

    def writes(self, path: str) -> bool:
        """Whether a path of ours has one there."""

    def to_ours(self, path: str, raw: Value) -> tuple[str, Value]:
        """Our path and value. Raises UsageError for a value that is not mapped."""

    def to_theirs(self, path: str, value: Value) -> tuple[str, Value]:
        """Their path and value. Raises UsageError for a value that is not mapped."""


class Facing(NamedTuple):
    """The helpdesk that is read. identity: what it is in every store. mirror: the same in changes. name: who did what nobody is named for.

    stored: what it makes of a value (`Helpdesk.stored`). ticket: the id here of the ticket with a number there, if it is here.
    deletions: the kinds of items of which it tells that they were deleted. organisations: names behind an `@` that mean a partner or us.
    """

    identity: str
    mirror: str
    name: str
    words: Words
    stored: Callable[[str, Value], Value]
    ticket: Callable[[int], str | None]
    deletions: frozenset[str]
    now: int
    organisations: frozenset[str] = frozenset()

    def kept(self, path: str, value: Value) -> Value:
        """The mark of what the helpdesk would show after it was given our value; None also for one that it cannot be given."""
        try:
            theirs, raw = self.words.to_theirs(path, value)
        except UsageError:
            return None
        return mark(self.stored(theirs, raw))

    def author(self, name: str) -> str:
        """Who somebody there is here; the helpdesk itself for nobody."""
        name = "".join(char if char.isprintable() else " " for char in name).strip()[: checks.MAX_LINE]
        name = str(self.words.to_ours("author", name)[1]) if name else self.name
        before, at, behind = name.rpartition("@")
        # `anna@globex` is what a partner's people are called here: nobody becomes one by a name in a helpdesk.
        return f"{before} at {behind}" if at and behind in self.organisations else name


class Compared(NamedTuple):
    """What came of it. troubles: path or `KIND:NUMBER` of a link to why it was not taken."""

    changes: list[Change]
    agreed: Agreed
    troubles: dict[str, str]


def compare(desk: Facing, snapshot: Snapshot, agreed: Agreed, ours: Ours) -> Compared:
    """The changes that bring us from what was agreed on to what the helpdesk shows, and what is agreed on then (`agreed` is changed)."""
    return _Comparison(desk, snapshot, agreed, ours).run()


def deleted(desk: Facing, number: int, agreed: Agreed, sets: Mapping[str, Value], by: str, time: int) -> Change:
    """The change for a ticket that is gone there."""
    agreed.at = max(min(time or desk.now, desk.now), agreed.at + 1)
    return Change(
        ticket=agreed.ticket, at=agreed.at, by=desk.author(by), set=dict(sorted(sets.items())),
        nonce=derived_nonce(desk.identity, number, "gone", *map(repr, sorted(sets.items()))), mirror=desk.mirror,
    )  # fmt: skip


def derived_nonce(identity: str, number: int, *key: str) -> str:
    """A nonce that every reader of the same thing comes to."""
    return nonce(ids.derived(NONCE_BYTES, "nonce", identity, str(number), *key))


def item_of(identity: str, number: int, kind: str, ident: str) -> str:
    """The id here of an item that came into being there."""
    return ids.item_id("mirror", identity, str(number), kind, ident)


def ticket_of(identity: str, number: int) -> str:
    """The id here of a ticket that came into being there."""
    return ids.ticket_id("mirror", identity, str(number))


class _Comparison:
    def __init__(self, desk: Facing, snapshot: Snapshot, agreed: Agreed, ours: Ours) -> None:
        self.desk = desk
        self.there = snapshot
        self.agreed = agreed
        self.ours = ours
        self.changes: list[Change] = []
        self.troubles: dict[str, str] = {}

    def run(self) -> Compared:
        there, agreed = self.there, self.agreed
        self._back()
        self._fields()
        if "comments" in there.told:
            self._items(COMMENT, [(one, of_comment(one), "") for one in there.comments])
        if "files" in there.told:
            self._items(ATTACHMENT, [(one, of_file(one), one.ref) for one in there.files])
        if "works" in there.told:
            self._items(TIME, [(one, of_work(one), "") for one in there.works])
        if "ties" in there.told:
            self._ties()
        agreed.modified, agreed.version, agreed.gone = there.modified, there.version, ""
        return Compared(self.changes, agreed, self.troubles)

    def _back(self) -> None:
        """A ticket that was deleted or merged there, and is there again: what told so is taken back."""
        path = self.agreed.gone
        if path not in ("deleted", "merged"):
            return
        heads = self.ours.heads(path)
        if heads and heads[0].value:
            at = self._stamp(self.there.modified)
            over = [head.id for head in heads if not head.mirrored]
            self._change(at, at, self.there.modifier, {path: None}, ("back", path, str(at)), over)
        if path == "merged":  # which closed it here
            self.agreed.fields.pop("status", None)

    def _fields(self) -> None:
        there, agreed = self.there, self.agreed
        fields = {path: value for path, value in there.fields.items() if mark(value) is not None}
        if not agreed.modified:
            first = dict(fields)
            for event in reversed(there.events):
                for path, (old, _) in event.changes.items():
                    first[path] = old
            self._write(first, there.created, there.author, "created")
        taken = set(agreed.events)
        for event in there.events:
            if event.key not in taken:
                agreed.events.append(event.key)
                news = {path: new for path, (_, new) in event.changes.items()}
                self._write(news, event.time, event.author, "event", event.key)
        # What no event tells of, as edits without a history, and whatever events and fields do not agree on.
        rest = {path: fields.get(path) for path in {*fields, *agreed.fields}}
        self._write(rest, there.modified, there.modifier, "state", str(there.modified))

    def _write(self, news: Mapping[str, Value], time: int, by: str, *key: str) -> None:
        """Takes over those of the values that differ from what was agreed on.

        A colleague who read the same made one change of all of it; where that is here, nothing is left to say.
        """
        sets: dict[str, Value] = {}
        whole: dict[str, Value] = {}
        over: set[str] = set()
        for path, raw in sorted(news.items()):
            if self.agreed.fields.get(path) == mark(raw) or not self.desk.words.reads(path):
                continue
            try:
                target, value = self.desk.words.to_ours(path, raw)
                value = fit(target, value)
            except UsageError as error:
                self.troubles[path] = error.message
                continue
            self.troubles.pop(path, None)
            if mark(raw) is None:
                self.agreed.fields.pop(path, None)
            else:
                self.agreed.fields[path] = mark(raw)
            value, heard, known = self._heard(target, value, mark(raw))
            over |= heard
            whole[target] = value
            if not known:
                sets[target] = value
        if sets:
            at = self._stamp(time)
            if whole == sets or not all(map(self.ours.knows, self._made(at, time, by, whole, key, over))):
                self._change(at, time, by, sets, key, over)

    def _heard(self, path: str, value: Value, kept: Value) -> tuple[Value, set[str], bool]:
        """The value to take, what of ours it confirms, and whether that is known here already."""
        heads = self.ours.heads(path)
        if not heads:
            return value, set(), value is None
        # Several of their words may mean one of ours.
        heard = [
            head
            for head in heads
            if not head.mirrored and (same(head.value, value) or self.desk.kept(path, head.value) == kept)
        ]
        if heard:
            return heard[0].value, {head.id for head in heard if same(head.value, heard[0].value)}, False
        if self._earlier(path, heads, lambda old: same(old, value) or self.desk.kept(path, old) == kept):
            return value, set(), True
        return value, set(), len(heads) == 1 and same(heads[0].value, value)

    def _earlier(self, path: str, heads: list[Head], is_it: Callable[[Value], bool]) -> bool:
        """Whether what they show is what we had before what we have now: ours got there, and has been rewritten here since.

        That is told once: what they had shown before and show again is a write of theirs.
        """
        if heads[0].mirrored:
            return False
        before = [one for one in self.ours.written(path) if is_it(one.value)]
        return bool(before) and not any(one.mirrored for one in before)

    def _stamp(self, time: int) -> int:
        """The time of a change of fields: later than those before it, never ahead of ours by much."""
        self.agreed.at = max(self._sane(time), self.agreed.at + 1)
        return self.agreed.at

    def _sane(self, time: int) -> int:
        return max(1, time if time <= self.desk.now + AHEAD else self.desk.now)

    def _change(
        self, at: int, time: int, by: str, sets: Mapping[str, Value], key: Iterable[str], over: Iterable[str] = ()
    ) -> None:
        for change in self._made(at, time, by, sets, key, over):
            reason = refuse(change) or too_large(change)
            if reason:  # no store would take it from this one
                self.troubles[next(iter(change.set))] = reason
                continue
            self.changes.append(change)
            self.ours.take(change)

    def _made(
        self, at: int, time: int, by: str, sets: Mapping[str, Value], key: Iterable[str], over: Iterable[str]
    ) -> Iterator[Change]:
        """The change that says it, or several if it is too much for one."""
        for part, some in enumerate(parts(sets)):
            yield Change(
                ticket=self.agreed.ticket, at=at, by=self.desk.author(by), set=some,
                nonce=derived_nonce(self.desk.identity, self.there.number, *key, *([str(part)] if part else [])), over=sorted(over),
                when=min(time, MAX_STAMP) if time > at else None, mirror=self.desk.mirror,
            )  # fmt: skip

    def _items(self, kind: str, found: Iterable[tuple[Entry, dict[str, Value], str]]) -> None:
        known = self.agreed.known(kind)
        taken = {one.item: ident for ident, one in known.items()}
        seen: set[str] = set()
        for one, values, ref in found:
            if one.id in seen:  # of two with one id the first counts, or they would replace each other for ever
                continue
            seen.add(one.id)
            said = marks(*(value for name, value in values.items() if name != "size"))
            own = item_of(self.desk.identity, self.there.number, kind, one.id)
            if taken.get(own, one.id) != one.id:  # somebody has given theirs the id that this one would get
                own = item_of(self.desk.identity, self.there.number, kind, f"{one.id} ")
            before = known.get(one.id)
            if before is None:
                item = self._item(kind, one, own, values, taken)
                taken[item] = one.id
                self._add(kind, one, item, values)
                known[one.id] = Item(item, said, ref)
            else:
                item = before.item
                if item == own:  # a colleague may have told since which one of ours it is
                    item = self._same_as(kind, own, taken) or own
                    taken[item] = one.id
                if before.mark != said:
                    self._rewrite(kind, one, item, values, before)
                known[one.id] = Item(item, said, ref)
            told = item != one.token or self.ours.has(f"{kind}/{own}")
            if item != own and told and not self.ours.heads(f"{kind}/{own}/same"):
                # Whoever reads it there without knowing ours makes it `own`: it is told here that they are the same.
                names: dict[str, Value] = {f"{kind}/{own}/deleted": True, f"{kind}/{own}/same": item}
                self._change(self._sane(one.time), one.time, one.author, names, (kind, "same", one.id))
        if kind in self.desk.deletions:
            for ident in [ident for ident in known if ident not in seen]:
                key = f"{kind}/{known.pop(ident).item}"
                if not any(head.value for head in self.ours.heads(f"{key}/deleted")):
                    at = self._stamp(self.there.modified)
                    self._change(at, at, self.there.modifier, {f"{key}/deleted": True}, (kind, "gone", ident))

    def _item(self, kind: str, one: Entry, own: str, values: Mapping[str, Value], taken: Mapping[str, str]) -> str:
        """Which item here it is. own: a new one's id. taken: the items that others there are.

        A token is in the reach of whoever writes there: it is believed of an item that is not here, and of one that says the same here, or
        did. Any other would be rewritten by it.
        """
        if ids.is_letters(one.token, 2 * ids.ITEM_BYTES) and one.token not in taken:
            name, there = {
                COMMENT: ("body", COMMENT),
                ATTACHMENT: ("name", "filename"),
                TIME: ("minutes", "time.minutes"),
            }[kind]
            path = f"{kind}/{one.token}/{name}"
            is_it = self._is(there, values[name])
            if not self.ours.has(f"{kind}/{one.token}") or any(
                is_it(head.value) for heads in (self.ours.heads, self.ours.written) for head in heads(path)
            ):
                return one.token
        return self._same_as(kind, own, taken) or own

    def _same_as(self, kind: str, own: str, taken: Mapping[str, str]) -> str:
        """Which one of ours it was told that an item there is; empty if nobody told."""
        other = self.ours.heads(f"{kind}/{own}/same")
        same_as = str(other[0].value or "") if other else ""
        return same_as if same_as not in taken else ""

    def _is(self, there: str, value: Value) -> Callable[[Value], bool]:
        """Whether a value of ours is what they show. there: its path in `Helpdesk.stored`."""
        bare = _SIGNED.sub("", value) if there == COMMENT and isinstance(value, str) else value
        kept = mark(value), mark(bare)
        return lambda old: mark(self.desk.stored(there, old)) in kept

    def _add(self, kind: str, one: Entry, item: str, values: Mapping[str, Value]) -> None:
        key = f"{kind}/{item}"
        if self.ours.has(key):  # it came from here, or by way of a colleague
            self._rewrite(kind, one, item, values)
            return
        try:
            sets = {f"{key}/{name}": fit(f"{key}/{name}", value) for name, value in values.items() if value is not None}
        except UsageError as error:
            self.troubles[f"{kind}/{one.id}"] = error.message
            return
        self._change(self._sane(one.time), one.time, one.author, sets, (kind, one.id))

    def _rewrite(
        self, kind: str, one: Entry, item: str, values: Mapping[str, Value], before: Item | None = None
    ) -> None:
        """Takes over what they show of an item that is here. before: what they had shown of it."""
        key = f"{kind}/{item}"
        if before is None and any(head.value for head in self.ours.heads(f"{key}/deleted")):
            return
        had = before is not None and before.mark == self._as_sent(kind, key)
        sets: dict[str, Value] = {}
        over: set[str] = set()
        for name, value in values.items():
            if name == "size" or (kind == TIME and name == "visibility"):
                continue
            path = f"{key}/{name}"
            heads = self.ours.heads(path)
            if heads and same(heads[0].value, value):
                continue
            if heads and name == "visibility" and (heads[0].value == "public") == (value == "public"):
                continue  # internal there may be for partners here
            is_it = self._is({"body": COMMENT, "name": "filename"}.get(name, f"{kind}.{name}"), value)
            heard = {head.id for head in heads if not head.mirrored and is_it(head.value)}
            if heard and before is None and heads[0].id in heard:
                continue  # as it was sent
            if heard:
                over |= heard
                value = next(head.value for head in heads if head.id in heard)
            elif heads and before is None and self._earlier(path, heads, is_it):
                continue
            elif heads and (had or (before is None and len(self.ours.written(path)) == 1)):
                # What they have rewritten; of what they wrote themselves the latest counts anyway.
                over |= {head.id for head in heads if not head.mirrored and same(head.value, heads[0].value)}
            try:
                sets[path] = fit(path, value)
            except UsageError as error:
                self.troubles[f"{kind}/{one.id}"] = error.message
        if sets:
            self.agreed.at = max(self.agreed.at, self._sane(one.time))  # later than what it replaces
            at = self._stamp(self.there.modified)
            self._change(at, at, self.there.modifier or one.author, sets, (kind, "edit", one.id, str(at)), over)

    def _as_sent(self, kind: str, key: str) -> str:
        """The mark of an item as they would show it if they had what we have now."""
        names = {COMMENT: ("body",), ATTACHMENT: ("name",), TIME: ("minutes", "date", "note")}[kind]
        shown = {name: heads[0].value for name in (*names, "visibility") if (heads := self.ours.heads(f"{key}/{name}"))}
        if any(shown.get(name) is None for name in names if name != "note"):
            return ""
        return said(kind, {**shown, "public": shown.get("visibility", "public") == "public"}, self.desk.stored)

    def _ties(self) -> None:
        agreed = self.agreed
        found = {f"{tie.kind}:{tie.number}": tie for tie in self.there.ties}
        for key, tie in found.items():
            if key in agreed.ties:
                continue
            target = self.desk.ticket(tie.number)
            if target is None:
                self.troubles[key] = f"the ticket #{tie.number} that it {tie.kind} is not here"
                continue
            agreed.ties.append(key)
            if target != agreed.ticket:
                self._tie(tie.kind, target, key, gone=False)
        for key in [key for key in agreed.ties if key not in found]:
            agreed.ties.remove(key)
            kind, _, number = key.partition(":")
            target = self.desk.ticket(int(number))
            if target is not None:
                self._tie(kind, target, key, gone=True)

    def _tie(self, kind: str, target: str, key: str, *, gone: bool) -> None:
        item = ids.item_id(kind, target)  # as `authoring.link_paths`
        here = [head for head in self.ours.heads(f"link/{item}/kind") if head.value]
        over = any(head.value for head in self.ours.heads(f"link/{item}/deleted"))
        if (gone and (over or not here)) or (not gone and here and not over):
            return
        sets: dict[str, Value] = {f"link/{item}/deleted": True if gone else None}
        if not gone:
            sets |= {f"link/{item}/kind": kind, f"link/{item}/target": target}
        at = self._stamp(self.there.modified)
        self._change(at, at, self.there.modifier, sets, ("tie", key, str(at)))
