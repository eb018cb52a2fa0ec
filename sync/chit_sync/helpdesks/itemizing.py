"""The comments, files and time of a ticket, as a helpdesk shows them, against ours: which of ours each is, and what became of it. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping

from chit_sync import ids
from chit_sync.errors import UsageError
from chit_sync.helpdesks.agreed import ATTACHMENT, COMMENT, TIME, Item, mark, marks
from chit_sync.helpdesks.base import Comment, File, Work
from chit_sync.helpdesks.drafting import Draft, item_of
from chit_sync.helpdesks.shaping import fit, said
from chit_sync.registers import Value, same

_SIGNED = re.compile(r"\A[^\r\n@]{1,200}@[^\r\n]{1,200}:\r?\n\r?\n")
"""How a comment begins that was sent for a partner's person: see `planning.signed`."""

Entry = Comment | File | Work


class Items:
    """The comparison of items; what comes of it goes into the draft."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.desk = draft.desk
        self.there = draft.there
        self.agreed = draft.agreed
        self.ours = draft.ours

    def take(self, kind: str, found: Iterable[tuple[Entry, dict[str, Value], str]]) -> None:
        """Compares all items of a kind. found: each with what it says, by its fields here, and what its bytes are asked for by."""
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
                self.draft.change(self.draft.sane(one.time), one.time, one.author, names, (kind, "same", one.id))
        if kind in self.desk.deletions:
            for ident in [ident for ident in known if ident not in seen]:
                key = f"{kind}/{known.pop(ident).item}"
                if not any(head.value for head in self.ours.heads(f"{key}/deleted")):
                    at = self.draft.stamp(self.there.modified)
                    self.draft.change(at, at, self.there.modifier, {f"{key}/deleted": True}, (kind, "gone", ident))

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
            self.draft.troubles[f"{kind}/{one.id}"] = error.message
            return
        self.draft.change(self.draft.sane(one.time), one.time, one.author, sets, (kind, one.id))

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
            elif heads and before is None and self.draft.earlier(path, heads, is_it):
                continue
            elif heads and (had or (before is None and len(self.ours.written(path)) == 1)):
                # What they have rewritten; of what they wrote themselves the latest counts anyway.
                over |= {head.id for head in heads if not head.mirrored and same(head.value, heads[0].value)}
            try:
                sets[path] = fit(path, value)
            except UsageError as error:
                self.draft.troubles[f"{kind}/{one.id}"] = error.message
        if sets:
            self.agreed.at = max(self.agreed.at, self.draft.sane(one.time))  # later than what it replaces
            at = self.draft.stamp(self.there.modified)
            self.draft.change(at, at, self.there.modifier or one.author, sets, (kind, "edit", one.id, str(at)), over)

    def _as_sent(self, kind: str, key: str) -> str:
        """The mark of an item as they would show it if they had what we have now."""
        names = {COMMENT: ("body",), ATTACHMENT: ("name",), TIME: ("minutes", "date", "note")}[kind]
        shown = {name: heads[0].value for name in (*names, "visibility") if (heads := self.ours.heads(f"{key}/{name}"))}
        if any(shown.get(name) is None for name in names if name != "note"):
            return ""
        return said(kind, {**shown, "public": shown.get("visibility", "public") == "public"}, self.desk.stored)
