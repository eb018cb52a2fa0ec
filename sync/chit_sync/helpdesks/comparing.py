"""From what a helpdesk shows of a ticket, and what was agreed on before, to changes. Pure.

Whoever reads the same event makes the same change: its ticket, time, author, values and nonce follow from the helpdesk alone. Where the
helpdesk shows what was written here and has been sent there, the change takes over the text from here, byte for byte, and replaces
it: a receipt. What it shows otherwise replaces only what it showed before, by the rule for changes of one mirror (`registers`), so
that an edit here that it has not seen is in conflict with it, and nothing is lost.
"""

from collections.abc import Mapping
from typing import NamedTuple

from chit_sync import ids
from chit_sync.change import Change
from chit_sync.errors import UsageError
from chit_sync.helpdesks.agreed import ATTACHMENT, COMMENT, TIME, Agreed, mark
from chit_sync.helpdesks.base import Snapshot
from chit_sync.helpdesks.drafting import Draft, derived_nonce
from chit_sync.helpdesks.facing import Facing, Ours
from chit_sync.helpdesks.itemizing import Items
from chit_sync.helpdesks.shaping import fit, of_comment, of_file, of_work
from chit_sync.registers import Value, same


class Compared(NamedTuple):
    """What came of it. troubles: path or `KIND:NUMBER` of a link to why it was not taken."""

    changes: list[Change]
    agreed: Agreed
    troubles: dict[str, str]


def compare(desk: Facing, snapshot: Snapshot, agreed: Agreed, ours: Ours) -> Compared:
    """The changes that bring us from what was agreed on to what the helpdesk shows, and what is agreed on then (`agreed` is changed)."""
    return _Comparison(Draft(desk, snapshot, agreed, ours)).run()


def deleted(desk: Facing, number: int, agreed: Agreed, sets: Mapping[str, Value], by: str, time: int) -> Change:
    """The change for a ticket that is gone there."""
    agreed.at = max(min(time or desk.now, desk.now), agreed.at + 1)
    return Change(
        ticket=agreed.ticket, at=agreed.at, by=desk.author(by), set=dict(sorted(sets.items())),
        nonce=derived_nonce(desk.identity, number, "gone", *map(repr, sorted(sets.items()))), mirror=desk.mirror,
    )  # fmt: skip


class _Comparison:
    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.desk = draft.desk
        self.there = draft.there
        self.agreed = draft.agreed
        self.ours = draft.ours

    def run(self) -> Compared:
        there, agreed = self.there, self.agreed
        self._back()
        self._fields()
        items = Items(self.draft)
        if "comments" in there.told:
            items.take(COMMENT, [(one, of_comment(one), "") for one in there.comments])
        if "files" in there.told:
            items.take(ATTACHMENT, [(one, of_file(one), one.ref) for one in there.files])
        if "works" in there.told:
            items.take(TIME, [(one, of_work(one), "") for one in there.works])
        if "ties" in there.told:
            self._ties()
        agreed.modified, agreed.version, agreed.gone = there.modified, there.version, ""
        return Compared(self.draft.changes, agreed, self.draft.troubles)

    def _back(self) -> None:
        """A ticket that was deleted or merged there, and is there again: what told so is taken back."""
        path = self.agreed.gone
        if path not in ("deleted", "merged"):
            return
        heads = self.ours.heads(path)
        if heads and heads[0].value:
            at = self.draft.stamp(self.there.modified)
            over = [head.id for head in heads if not head.mirrored]
            self.draft.change(at, at, self.there.modifier, {path: None}, ("back", path, str(at)), over)
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
            # Without a history the fields are as they were made, or as they are now: to be told after what others have read before.
            since = there.created if self.desk.history else there.modified
            self._write(first, there.created, there.author, "created", since=since)
        taken = set(agreed.events)
        for event in there.events:
            if event.key not in taken:
                agreed.events.append(event.key)
                news = {path: new for path, (_, new) in event.changes.items()}
                self._write(news, event.time, event.author, "event", event.key)
        # What no event tells of, as edits without a history, and whatever events and fields do not agree on.
        rest = {path: fields.get(path) for path in {*fields, *agreed.fields}}
        self._write(rest, there.modified, there.modifier, "state", str(there.modified))

    def _write(self, news: Mapping[str, Value], time: int, by: str, *key: str, since: int = 0) -> None:
        """Takes over those of the values that differ from what was agreed on. since: when they are known to be so, if later than time.

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
                self.draft.troubles[path] = error.message
                continue
            self.draft.troubles.pop(path, None)
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
            at = self.draft.stamp(max(time, since))
            if whole == sets or not all(map(self.ours.knows, self.draft.made(at, time, by, whole, key, over))):
                self.draft.change(at, time, by, sets, key, over)

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
        if self.draft.earlier(path, heads, lambda old: same(old, value) or self.desk.kept(path, old) == kept):
            return value, set(), True
        return value, set(), len(heads) == 1 and same(heads[0].value, value)

    def _ties(self) -> None:
        agreed = self.agreed
        found = {f"{tie.kind}:{tie.number}": tie for tie in self.there.ties}
        for key, tie in found.items():
            if key in agreed.ties:
                continue
            target = self.desk.ticket(tie.number)
            if target is None:
                self.draft.troubles[key] = f"the ticket #{tie.number} that it {tie.kind} is not here"
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
        at = self.draft.stamp(self.there.modified)
        self.draft.change(at, at, self.there.modifier, sets, ("tie", key, str(at)))
