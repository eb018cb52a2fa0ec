"""An adapter for the helpdesk in memory (`memory_server`): the whole protocol without a network, and whatever can go wrong, on order.

Several adapters may work on one Desk, by different accounts. What a helpdesk can do is in its Traits.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, cast

from chit_sync.errors import AccessError, NotFoundError
from chit_sync.helpdesks import base
from chit_sync.helpdesks.base import (
    Call,
    Description,
    Feature,
    Found,
    Gone,
    Outcome,
    Page,
    RefusedError,
    Snapshot,
    StaleError,
)
from chit_sync.registers import Value
from support.memory_server import (
    CUSTOMS,
    NOON,
    PRIORITIES,
    QUEUES,
    STATUSES,
    Desk,
    Record,
    Ticking,
    Traits,
    marked,
    unmarked,
)

__all__ = ["NOON", "Desk", "MemoryDesk", "Ticking", "Traits"]

FEATURE = {
    "comment": "replies",
    "edit-comment": "comment edits",
    "delete-comment": "comment deletions",
    "attach": "attachments",
    "delete-attachment": "attachment deletions",
    "time": "time",
    "edit-time": "time edits",
    "delete-time": "time edits",
    "link": "links",
    "unlink": "links",
    "merge": "merges",
    "delete": "deletions",
}


def feature_of(path: str) -> str:
    """The feature that a field's path belongs to."""
    return "labels" if path.startswith("labels/") else "fields" if path.startswith("x.") else path


class MemoryDesk:
    """The adapter. account: who we are there; nobody that the desk does not know gets in. page: most tickets in a page of what changed."""

    kind = "memory"

    def __init__(self, desk: Desk, account: str = "agent1", queues: Sequence[str] = (), page: int = 100) -> None:
        self.desk = desk
        self.account = account
        self.queues = tuple(queues)
        self.page = page
        self.where = f"memory:{desk.name}"

    def _enter(self, name: str, asked: Any, do: Callable[[], Any] | None = None) -> Any:
        """One question or call gets to the server: who asks, what is to go wrong, and what it does."""
        desk = self.desk
        names = {name, "", "perform"} if isinstance(asked, Call) and name != "find" else {name, ""}
        desk.step(f"before {name}")
        desk.asked.append((name, asked))
        if self.account not in desk.accounts:
            raise AccessError(f"{self.where} does not know the token", "Log in again: chit auth login.")
        fault = next((fault for fault in desk.faults if fault.at in names), None)
        if fault is not None and fault.skip:
            fault.skip -= 1
            fault = None
        if fault is not None:
            desk.faults.remove(fault)
            if do is not None and fault.late:
                desk.under_way.append(do)
            elif do is not None and fault.done:
                do()
            raise fault.error
        result = do() if do is not None else None
        desk.step(f"after {name}")
        return result

    # Questions

    def describe(self) -> Description:
        """See base.Helpdesk."""
        self._enter("describe", None)
        traits = self.desk.traits
        features = {}
        for name in base.FEATURES:
            why = "" if traits.writes(name) else f"{self.where} has no way to write this."
            features[name] = Feature(name not in traits.missing, traits.writes(name), why)
        readable = traits.history and "history" not in traits.missing
        features["history"] = Feature(readable, False, "Nobody writes history.")
        limits = {"title": traits.title_limit, "attachment": traits.file_limit}
        return Description(
            title="Desk in memory",
            version="1",
            account=self.desk.accounts[self.account],
            statuses=STATUSES,
            priorities=PRIORITIES,
            people=[*self.desk.accounts.values()],
            queues=QUEUES,
            customs=CUSTOMS,
            features=features,
            limits={name: limit for name, limit in limits.items() if limit},
            reference="chit" if traits.reference else "",
            default_queue=self._default_queue(),
        )

    def changed(self, cursor: str, known: Collection[int]) -> Iterator[Page]:
        """See base.Helpdesk. Each page is asked for when it is wanted, so what is done meanwhile shifts those that follow."""
        state: dict[str, Any] = json.loads(cursor) if cursor else {}
        desk, log = self.desk, self.desk.traits.log
        done = 0
        if "at" not in state:  # the beginning of a run; its time, as the server has it, is where the next one begins
            state = {"since": state.get("next", -1), "next": desk.now(), "at": [state.get("next", -1), -1]}
        while True:
            self._enter("changed", (cursor, frozenset(known)))
            rest = [(self._key(record), record) for record in desk.records.values() if self._followed(record, known)]
            rest = sorted((key, record) for key, record in rest if key > tuple(state["at"]))
            part, left = rest[: self.page], len(rest) - self.page
            if part:
                state["at"] = [*part[-1][0]]
            done += len(part)
            last = left <= 0
            if last:
                state = {
                    "next": state["at"][0] + (state["at"][1] == 0) if log else state["next"]
                }  # behind the last that was read
            cursor = json.dumps(state)
            if part or done == 0:
                yield Page([self._found(record) for _, record in part], cursor, done, done + max(left, 0))
            if last:
                return

    def _key(self, record: Record) -> tuple[int, int]:
        """The order of what changed: no two tickets have the same, and one that changes goes to the end."""
        return (record.seq, 0) if self.desk.traits.log else (record.modified, record.number)

    def _followed(self, record: Record, known: Collection[int]) -> bool:
        if record.gone is not None:
            return self.desk.traits.tells_gone and record.number in known
        return not self.queues or record.fields.get("queue") in self.queues or record.number in known

    def numbers(self) -> Collection[int]:
        """See base.Helpdesk."""
        self._enter("numbers", None)
        return {
            number for number, record in self.desk.records.items() if record.gone is None and self._followed(record, ())
        }

    def read(self, numbers: Sequence[int]) -> list[Found]:
        """See base.Helpdesk."""
        self._enter("read", tuple(numbers))
        records = self.desk.records
        return [self._found(records[number]) if number in records else Gone(number, "hidden") for number in numbers]

    def _found(self, record: Record) -> Found:
        with self.desk.lock:
            return record.gone or self._snapshot(record)

    def _snapshot(self, record: Record) -> Snapshot:
        traits = self.desk.traits
        fields, token = dict(record.fields), record.token
        if not traits.reference:
            text, token = unmarked(str(fields.get("description") or ""))
            fields["description"] = text or None
        told = {"comments": "replies", "files": "attachments", "works": "time", "ties": "links"}
        return Snapshot(
            number=record.number,
            author=record.author,
            created=record.created,
            modified=record.modified,
            fields={path: value for path, value in fields.items() if feature_of(path) not in traits.missing},
            comments=[each for each in record.comments.values() if each.public or "notes" not in traits.missing],
            files=[file for file, _ in record.files.values()],
            works=[*record.works.values()],
            ties=[*record.ties],
            events=[self._event(each) for each in record.events] if traits.history else (),
            token=token,
            version=str(record.seq) if traits.versions else "",
            told=frozenset(part for part, feature in told.items() if feature not in traits.missing),
        )

    def _event(self, event: base.Event) -> base.Event:
        return event._replace(
            changes={
                path: (self._unmarked(path, old), self._unmarked(path, new))
                for path, (old, new) in event.changes.items()
            }
        )

    def _unmarked(self, path: str, value: Value) -> Value:
        if path == "description" and isinstance(value, str) and not self.desk.traits.reference:
            return unmarked(value)[0] or None
        return value

    # Calls

    def perform(self, call: Call, file: BinaryIO | None = None) -> Outcome:
        """See base.Helpdesk."""
        data = file.read() if file is not None else b""
        outcome: Outcome = self._enter(call.verb, call, lambda: self._do(call, data))
        return outcome

    def _do(self, call: Call, data: bytes) -> Outcome:
        desk, traits, me = self.desk, self.desk.traits, self.account
        with desk.lock:
            if reason := desk.refuse(me, call) or self._unable(call):
                raise RefusedError(reason)
            record = desk.record(call.number) if call.verb != "create" else None
            if record is not None and traits.versions and call.version not in ("", str(record.seq)):
                raise StaleError(
                    f"ticket {call.number} in {self.where} has changed meanwhile", "Fetch it and try again."
                )
            dropped = desk.ignore(call)
            fields = {path: value for path, value in call.fields.items() if path not in dropped}
            if "*" in dropped:
                return Outcome(number=call.number)
            outcome = self._verb(call, fields, data, me)
            here = desk.records.get(outcome.number or call.number)
            if traits.answers and here is not None and here.gone is None:
                outcome = outcome._replace(snapshot=self._snapshot(here))
            return outcome

    def _unable(self, call: Call) -> str:
        """Why the helpdesk has no such call."""
        traits = self.desk.traits
        needed = (
            {feature_of(path) for path in call.fields} if call.verb in ("create", "update") else {FEATURE[call.verb]}
        )
        if call.verb in ("comment", "attach") and not call.fields.get("public", True):
            needed |= {"notes"}
            if call.verb == "comment":
                needed -= {"replies"}
        lacking = sorted(feature for feature in needed if not traits.writes(feature))
        return f"{self.where} has no way to write {', '.join(lacking)}" if lacking else ""

    def _verb(self, call: Call, fields: Mapping[str, Value], data: bytes, me: str) -> Outcome:
        desk, number, traits = self.desk, call.number, self.desk.traits
        match call.verb:
            case "create":
                if not traits.reference and call.token:
                    fields = dict(fields) | {
                        "description": self._marked(str(fields.get("description") or ""), call.token)
                    }
                return Outcome(number=desk.create(me, fields, call.token if traits.reference else "").number)
            case "update":
                record = desk.record(number)
                _, token = unmarked(str(record.fields.get("description") or ""))
                if not traits.reference and token and "description" in fields:
                    fields = dict(fields) | {"description": self._marked(fields["description"], token)}
                desk.update(me, number, fields)
                return Outcome(number=number)
            case "comment":
                token = call.token if traits.comment_tokens else ""
                return Outcome(number, desk.comment(me, number, str(fields["body"]), bool(fields.get("public")), token))
            case "attach":
                token = call.token if traits.file_tokens else ""
                return Outcome(
                    number, desk.file(me, number, str(fields["name"]), data, bool(fields.get("public", True)), token)
                )
            case "time":
                token = call.token if traits.time_tokens else ""
                minutes, date = int(fields["minutes"] or 0), int(fields["date"] or 0)
                return Outcome(number, desk.work(me, number, minutes, date, str(fields.get("note") or ""), token))
            case "link" | "unlink":
                return self._tie(call.verb, number, base.Tie(str(fields["kind"]), int(fields["other"] or 0)))
            case "merge":
                desk.merge(number, int(fields["into"] or 0), by=me)
            case "delete":
                desk.delete(me, number)
            case "edit-comment" | "delete-comment" | "delete-attachment" | "edit-time" | "delete-time":
                self._item(call, fields)
            case _:
                raise RefusedError(f"{self.where} knows no {call.verb}")
        return Outcome(number=number)

    def _marked(self, text: Value, token: str) -> str:
        return marked(str(self.desk.kept("description", text) or ""), token)

    def _default_queue(self) -> str:
        return (*self.queues, QUEUES[0])[0]

    def _tie(self, verb: str, number: int, tie: base.Tie) -> Outcome:
        record = self.desk.record(number)
        self.desk.record(tie.number)
        if (tie in record.ties) != (verb == "unlink"):
            return Outcome(number=number)
        (record.ties.remove if verb == "unlink" else record.ties.append)(tie)
        self.desk.touch(record)
        return Outcome(number=number)

    def _item(self, call: Call, fields: Mapping[str, Value]) -> None:
        """What is done to one comment, file or piece of work."""
        record = self.desk.record(call.number)
        kind = call.verb.split("-")[1]
        items: dict[str, Any] = cast(
            "Any", {"comment": record.comments, "attachment": record.files, "time": record.works}
        )[kind]
        if call.id not in items:
            raise RefusedError(f"ticket {call.number} in {self.where} has no {kind} {call.id}")
        if call.verb.startswith("delete"):
            del items[call.id]
        else:
            changed = {
                name: self.desk.kept("comment", value) if name == "body" else value for name, value in fields.items()
            }
            items[call.id] = items[call.id]._replace(**changed)
        self.desk.touch(record)

    def find(self, call: Call, known: Collection[str]) -> Outcome | None:
        """See base.Helpdesk."""
        outcome: Outcome | None = self._enter("find", call, lambda: self._find(call, known))
        return outcome

    def _find(self, call: Call, known: Collection[str]) -> Outcome | None:
        desk, traits = self.desk, self.desk.traits
        if call.verb == "create":
            for record in desk.records.values():
                found = self._found(record)
                if isinstance(found, Snapshot) and found.token == call.token and str(found.number) not in known:
                    return Outcome(number=found.number)
            return None
        record_of = desk.records.get(call.number)
        if record_of is None or record_of.gone is not None:
            return None
        said, items, by_token = call.fields, list[Any](), False
        wanted: Mapping[str, Value] = {}
        match call.verb:
            case "comment":
                items, by_token = [*record_of.comments.values()], traits.comment_tokens
                wanted = {"body": desk.kept("comment", said["body"]), "public": bool(said.get("public"))}
            case "attach":
                items, by_token = [file for file, _ in record_of.files.values()], traits.file_tokens
                wanted = {"name": said["name"], "size": said["size"]}
            case _:
                items, by_token = [*record_of.works.values()], traits.time_tokens
                note = desk.kept("time.note", said.get("note") or "") or ""
                wanted = {"minutes": said["minutes"], "date": said["date"], "note": note}
        for item in items:
            mine = item.author == self.account and item.id not in known and not item.token
            if by_token and item.token == call.token:
                return Outcome(call.number, item.id)
            if not by_token and mine and all(getattr(item, name) == value for name, value in wanted.items()):
                return Outcome(call.number, item.id)
        return None

    def download(self, ref: str) -> Iterator[bytes]:
        """See base.Helpdesk."""
        self._enter("download", ref)
        number, _, ident = ref.partition("/")
        record = self.desk.records.get(int(number)) if number.isdecimal() else None
        if record is None or ident not in record.files:
            raise NotFoundError(f"{self.where} has no file {ref} any more")
        data = record.files[ident][1]
        for start in range(0, len(data), 65536):
            yield data[start : start + 65536]

    def stored(self, path: str, value: Value) -> Value:
        """See base.Helpdesk."""
        return self.desk.kept(path, value)

    def web(self, number: int) -> str:
        """See base.Helpdesk."""
        return f"https://{self.desk.name}.example.com/tickets/{number}"

    def close(self) -> None:
        """See base.Helpdesk."""
