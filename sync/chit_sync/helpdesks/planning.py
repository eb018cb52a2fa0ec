"""From a ticket here, and what was agreed on with a helpdesk, to the calls that bring our part there. Pure.

A field is to be sent when what it shows was written here, is in no conflict, and is not what the helpdesk is known to show. An item is
to be sent when the helpdesk does not have it. What the helpdesk cannot carry stays here; what is not mapped, or too long, is refused, and
nothing else with it.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from chit_sync.errors import UsageError
from chit_sync.helpdesks.agreed import ATTACHMENT, COMMENT, TIME, Agreed, mark
from chit_sync.helpdesks.base import Call, Description
from chit_sync.helpdesks.facing import Facing
from chit_sync.helpdesks.shaping import said
from chit_sync.registers import Registers, Value, losers
from chit_sync.ticket import Ticket

IN_CONFLICT = "it is in conflict: `chit resolve` decides"
"""Why something stays here until somebody decides."""

_DELETIONS = {COMMENT: "comment deletions", ATTACHMENT: "attachment deletions", TIME: "time edits"}


class Step(NamedTuple):
    """A call that is to be made. key: the item (KIND/ID) that it carries, or nothing for the ticket itself. seqs: the places in our log
    of the changes that it carries. sha256: of the bytes that go with it."""

    call: Call
    key: str
    seqs: tuple[int, ...]
    sha256: str = ""


class Left(NamedTuple):
    """Something that is not sent. path: what. seq: the change that wrote it. refused: whether somebody has to see to it. waits: whether it
    can be sent as soon as something else is there."""

    path: str
    seq: int
    reason: str
    refused: bool
    waits: bool = False


class Plan(NamedTuple):
    """The calls, in order, and what is left here."""

    steps: list[Step]
    left: list[Left]


class There(NamedTuple):
    """The helpdesk that is written to. sends: whether what a change (by its place in our log) wrote is ours to send. number: what the
    helpdesk calls a ticket of ours. size: of the bytes with that SHA-256, None if they are not here. signed: whether an author is named
    in the text, as the helpdesk cannot know them. makes: whether an item (ticket's number here, KIND/ID) is ours to send as a new one."""

    desk: Facing
    about: Description
    sends: Callable[[int], bool]
    number: Callable[[str], int | None]
    size: Callable[[str], int | None]
    signed: Callable[[str], bool]
    makes: Callable[[int, str], bool]


def plan(
    there: There, ticket: Ticket, number: int, agreed: Agreed | None, wins: Mapping[str, int] | None = None
) -> Plan:
    """What is to be done about a ticket. number: the helpdesk's, 0 if it is to be made; then agreed is None.

    wins: fields, and the changes whose values are sent whatever else is written there (`exchange.mirror.consequences`).
    """
    return _Planning(there, ticket, number, agreed or Agreed(ticket.id), wins or {}).run()


def feature_of(path: str, *, public: bool = True) -> str:
    """The feature of a helpdesk that a path of a ticket needs; empty where no helpdesk has one."""
    if path.startswith("labels/"):
        return "labels"
    if path.startswith("x."):
        return "fields"
    if path in ("title", "description", "status", "priority", "queue", "assignee", "requester", "due"):
        return path
    if path == COMMENT:
        return "replies" if public else "notes"
    return {ATTACHMENT: "attachments", TIME: "time", "link": "links", "merged": "merges", "deleted": "deletions"}.get(
        path, ""
    )


def signed(author: str, body: str, *, known: bool) -> str:
    """A comment's text as it goes out: of somebody whom the helpdesk does not know, with the name."""
    return body if known else f"{author}:\n\n{body}"


class _Planning:
    def __init__(self, there: There, ticket: Ticket, number: int, agreed: Agreed, wins: Mapping[str, int]) -> None:
        self.there = there
        self.wins = wins
        self.desk = there.desk
        self.ticket = ticket
        self.number = number
        self.agreed = agreed
        self.steps: list[Step] = []
        self.left: list[Left] = []

    def run(self) -> Plan:
        ticket = self.ticket
        if not self.number and (ticket.value("deleted") or ticket.value("merged")):
            return Plan([], [])
        fields, seqs = self._fields()
        if not self.number:
            if fields:
                self._step("create", ticket.id, fields, "", seqs)
            return Plan(self.steps, self.left)
        for key, registers in sorted(
            ticket.item_registers.items(), key=lambda one: (ticket.origins[one[0]][1], one[0])
        ):
            kind, _, item = key.partition("/")
            if kind in _DELETIONS:
                self._item(kind, item, registers)
        for key, registers in sorted(ticket.item_registers.items()):
            if key.startswith("link/"):
                self._link(key, registers)
        if fields:
            self._step("update", ticket.id, fields, "", seqs)
        self._end()
        if self.agreed.gone in ("deleted", "merged"):  # some would take it, and bring back what is gone
            reason = (
                f"the ticket is {self.agreed.gone} in {self.there.about.title}; write it to another one, or `chit undo`"
            )
            for step in self.steps:
                self._leave(step.key or ", ".join(step.call.fields), step.seqs[-1], reason, refused=True)
            self.steps = []
        return Plan(self.steps, self.left)

    def _step(
        self, verb: str, token: str, fields: Mapping[str, Value], key: str, seqs: tuple[int, ...], **more: str
    ) -> None:
        call = Call(
            verb, self.number, token, fields, more.get("id", ""), self.agreed.version if verb == "update" else ""
        )
        self.steps.append(Step(call, key, seqs, more.get("sha256", "")))

    def _leave(self, path: str, seq: int, reason: str, *, refused: bool = False, waits: bool = False) -> None:
        self.left.append(Left(path, seq, reason, refused, waits))

    def _may(self, feature: str, path: str, seq: int) -> bool:
        """Whether the helpdesk takes such a thing."""
        told = self.there.about.features.get(feature)
        if told is not None and told.write:
            return True
        self._leave(path, seq, told.why if told and told.why else f"{self.there.about.title} does not keep it")
        return False

    def _filed(self, path: str) -> bool:
        """Whether it goes with a new ticket, though it may be that it cannot be changed later: the story of one that shows it."""
        told = self.there.about.features.get("description")
        return path == "description" and not self.number and told is not None and told.read

    def _unheard(self, path: str) -> bool:
        """Whether the helpdesk has nothing of the kind, so that it need not be told that it is empty again."""
        told = self.there.about.features.get(feature_of(path))
        return told is None or not (told.read or told.write) or not self.desk.words.writes(path)

    def _fits(self, name: str, path: str, seq: int, size: int) -> bool:
        """Whether it is short enough."""
        limit = self.there.about.limits.get(name)
        if limit is None or size <= limit:
            return True
        what = f"a file of {size:,} bytes" if name == ATTACHMENT else f"{name} of {size:,} characters"
        self._leave(path, seq, f"{what}: {self.there.about.title} takes at most {limit:,}", refused=True)
        return False

    def _sent(self, path: str, heads: list[tuple[int, Value]] | None) -> bool:
        """Whether what is shown at a path is ours to send."""
        if not heads or not self.there.sends(heads[0][0]):
            return False
        if losers(heads):
            self._leave(path, heads[0][0], IN_CONFLICT, waits=True)
            return False
        return True

    def _fields(self) -> tuple[dict[str, Value], tuple[int, ...]]:
        """The fields that differ, in the helpdesk's words, and the changes that wrote them."""
        fields: dict[str, Value] = {}
        seqs: set[int] = set()
        for path, shown in sorted(self.ticket.registers.items()):
            heads = [head for head in shown if head[0] == self.wins.get(path)] or shown
            if path in ("merged", "deleted") or not self._sent(path, heads):
                continue
            seq, value = heads[0]
            if value is None and (not self.number or self._unheard(path)):
                continue
            if not self._filed(path) and not self._may(feature_of(path), path, seq):
                continue
            if not self.desk.words.writes(path):
                self._leave(
                    path,
                    seq,
                    f"{self.there.about.title} has no such field; `chit remote show --mapping` lists those it has",
                )
                continue
            try:
                theirs, raw = self.desk.words.to_theirs(path, value)
            except UsageError as error:
                self._leave(path, seq, f"{error.message}. {error.hint}".rstrip(". "), refused=True)
                continue
            if self._there(theirs, raw, value):
                continue
            if isinstance(raw, str) and not self._fits(theirs, path, seq, len(raw)):
                continue
            fields[theirs] = raw
            seqs.add(seq)
        return fields, tuple(sorted(seqs))

    def _there(self, theirs: str, raw: Value, value: Value) -> bool:
        """Whether the helpdesk shows a value already, perhaps by another word that means the same here."""
        shown = self.agreed.fields.get(theirs)
        if shown == mark(self.desk.stored(theirs, raw)):
            return True
        return (
            theirs in ("status", "priority")
            and shown is not None
            and self.desk.words.to_ours(theirs, shown)[1] == value
        )

    def _item(self, kind: str, item: str, registers: Registers[int]) -> None:
        key = f"{kind}/{item}"
        values = {name: heads[0][1] for name, heads in registers.items()}
        there = self.agreed.there(kind, item)
        first = {COMMENT: "body", ATTACHMENT: "name", TIME: "minutes"}[kind]
        if values.get("deleted"):
            heads = registers["deleted"]
            ours = not values.get("same") and self._sent(f"{key}/deleted", heads)
            if there is None:
                if ours and first in registers and not self.there.sends(registers[first][0][0]):
                    # A colleague's: who reads there cannot know yet that what they read is it.
                    self._leave(key, heads[0][0], f"{self.desk.name} is not known to have it yet", waits=True)
            elif ours and self._may(_DELETIONS[kind], key, heads[0][0]):
                self._step(f"delete-{kind}", item, {}, key, (heads[0][0],), id=there or "")
            return
        if not self._sent(f"{key}/{first}", registers.get(first)):
            return
        if there is None and not self.there.makes(self.ticket.number, key):
            self._leave(key, registers[first][0][0], f"{self.desk.name} is not known to have it yet", waits=True)
            return
        seqs = tuple(sorted({heads[0][0] for heads in registers.values() if self.there.sends(heads[0][0])}))
        if kind == COMMENT:
            self._comment(key, item, values, there, seqs)
        elif kind == ATTACHMENT:
            self._file(key, item, values, there, seqs)
        else:
            self._time(key, item, values, there, seqs)

    def _comment(
        self, key: str, item: str, values: Mapping[str, Value], there: str | None, seqs: tuple[int, ...]
    ) -> None:
        author = self.ticket.origins[key][0]
        body = signed(author, str(values.get("body") or ""), known=not self.there.signed(author))
        public = (values.get("visibility") or "public") == "public"
        if not self._may(feature_of(COMMENT, public=public), key, seqs[0]) or not self._fits(
            COMMENT, key, seqs[0], len(body)
        ):
            return
        if there is None:
            self._step("comment", item, {"body": body, "public": public}, key, seqs)
            return
        fields: dict[str, Value] = {"body": body, "public": public}
        if self.agreed.known(COMMENT)[there].mark == said(COMMENT, fields, self.desk.stored):
            return
        if self._may("comment edits", key, seqs[-1]):
            self._step("edit-comment", item, {"body": body}, key, seqs, id=there)

    def _file(self, key: str, item: str, values: Mapping[str, Value], there: str | None, seqs: tuple[int, ...]) -> None:
        sha256 = str(values.get("sha256") or "")
        size = self.there.size(sha256) if sha256 else None
        if there is not None or not self._may("attachments", key, seqs[0]):
            return
        if size is None:
            self._leave(key, seqs[0], "its bytes are not here", waits=True)
            return
        name = str(values.get("name") or "file")
        if self._fits(ATTACHMENT, key, seqs[0], size) and self._fits("filename", key, seqs[0], len(name)):
            public = (values.get("visibility") or "public") == "public"
            fields: dict[str, Value] = {"name": name, "size": size, "public": public}
            self._step("attach", item, fields, key, seqs, sha256=sha256)

    def _time(self, key: str, item: str, values: Mapping[str, Value], there: str | None, seqs: tuple[int, ...]) -> None:
        if not self._may("time", key, seqs[0]):
            return
        date = values.get("date") or self.ticket.origins[key][1]
        fields: dict[str, Value] = {
            "minutes": values.get("minutes") or 0,
            "date": date,
            "note": values.get("note") or "",
        }
        if there is None:
            self._step("time", item, fields, key, seqs)
            return
        known = self.agreed.known(TIME)[there].mark
        if known != said(TIME, fields, self.desk.stored) and self._may("time edits", key, seqs[-1]):
            self._step("edit-time", item, fields, key, seqs, id=there)

    def _link(self, key: str, registers: Registers[int]) -> None:
        values = {name: heads[0][1] for name, heads in registers.items()}
        # One that was taken away and made again is written anew at `deleted` alone.
        names = ("deleted",) if values.get("deleted") else ("deleted", "kind")
        wrote = [name for name in names if name in registers and self.there.sends(registers[name][0][0])]
        if not values.get("kind") or not values.get("target") or not wrote:
            return
        heads = registers[wrote[0]]
        if not self._sent(f"{key}/{wrote[0]}", heads):
            return
        seq = heads[0][0]
        other = self.there.number(str(values["target"]))
        tied = other is not None and f"{values['kind']}:{other}" in self.agreed.ties
        if tied != bool(values.get("deleted")) or self._is_merge(values):
            return
        if other is None:
            self._leave(key, seq, f"the ticket that it {values['kind']} is not in {self.there.about.title}", waits=True)
        elif self._may("links", key, seq):
            self._step("unlink" if tied else "link", key[5:], {"kind": values["kind"], "other": other}, key, (seq,))

    def _is_merge(self, values: Mapping[str, Value]) -> bool:
        """Whether a link says what the merge of the ticket says there."""
        merges = self.there.about.features.get("merges")
        same = values["kind"] == "duplicates" and values["target"] == self.ticket.value("merged")
        return same and merges is not None and merges.write

    def _end(self) -> None:
        """Merging and deleting, after everything else."""
        merged = self.ticket.registers.get("merged")
        if merged and merged[0][1] and not self.agreed.gone and self._sent("merged", merged):
            other = self.there.number(str(merged[0][1]))
            if other is None:
                self._leave(
                    "merged",
                    merged[0][0],
                    f"the ticket that it went into is not in {self.there.about.title}",
                    waits=True,
                )
            elif self._may("merges", "merged", merged[0][0]):
                self._step("merge", self.ticket.id, {"into": other}, "", (merged[0][0],))
        deleted = self.ticket.registers.get("deleted")
        gone = deleted and deleted[0][1] and not self.agreed.gone and self._sent("deleted", deleted)
        if deleted and gone and self._may("deletions", "deleted", deleted[0][0]):
            self._step("delete", self.ticket.id, {}, "", (deleted[0][0],))
