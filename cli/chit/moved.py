"""What was done with a partner, in words: moves, rulings, questions, and what was held back or sent on. `wording` asks here."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING

from chit.language import translate
from chit_sync.registers import Value

if TYPE_CHECKING:
    from chit.wording import Step


def told(kind: str, ident: str, named: "Mapping[str, Step]", zone: tzinfo) -> str:
    """A handoff, a move or a question, of which these fields were written."""
    new = {name: step.new for name, step in named.items()}
    if kind == "move":
        return _move(new, zone)
    return _question(ident, new) if kind == "question" else _handoff(named, new, zone)


def held(kind: str, ident: str, named: "Mapping[str, Step]") -> str:
    """An item that is held back from now on, or not any more."""
    name = translate("time entry") if kind == "time" else translate(kind)
    step = named["held"]
    if step.new is not None:
        return translate("held back {kind} {id}", kind=name, id=ident[:8])
    if "visibility" in named and named["visibility"].new == "internal":
        return translate("kept {kind} {id} here", kind=name, id=ident[:8])
    return translate("released {kind} {id}", kind=name, id=ident[:8])


def _move(new: Mapping[str, Value], zone: tzinfo) -> str:
    from chit.terms import phrases
    from chit.wording import brief
    from chit_sync.handoffs import command

    ruling = new.get("ruling")
    ruled = "" if ruling in (None, "taken") else translate("refused: {reason}", reason=brief(translate(str(ruling))))
    if "verb" not in new:
        return ruled or translate("taken by the lead")
    terms = ", ".join(phrases(new, zone))
    name = str(new["verb"])
    if name == "extend":
        text = translate("authorised {terms}", terms=terms)
    elif name == "work":
        text = translate("began to work on it")
    else:
        text = f"{command(name)} ({terms})" if terms else command(name)
    if new.get("reason") is not None:
        text = f"{text}: {brief(new['reason'])}"
    return f"{text}, {ruled}" if ruled else text


def _question(ident: str, new: Mapping[str, Value]) -> str:
    from chit.wording import brief

    if new.get("body") is not None:
        return translate("asked {id}: {words}", id=ident[:8], words=brief(new["body"]))
    if new.get("answer") is not None:
        return translate("answered {id}: {words}", id=ident[:8], words=brief(new["answer"]))
    return translate("question {id}", id=ident[:8])


def _handoff(named: "Mapping[str, Step]", new: Mapping[str, Value], zone: tzinfo) -> str:
    """The handoff itself: what is offered, or what the lead's store decided."""
    from chit.terms import kept, phrases
    from chit.wording import brief

    parts = []
    if "status" in named:
        old, status = named["status"].old, named["status"].new
        if status is None:
            parts.append(translate("draft thrown away"))
        else:
            parts.append(f"{old} → {status}" if old else str(status))
    if "accepted_by" in new and new["accepted_by"] is not None:
        parts.append(translate("by {name}", name=brief(new["accepted_by"])))
    if "status" not in named and new.get("service") is not None:
        parts.append(translate("to {partner}", partner=brief(new["service"])))
    parts += phrases(new, zone)
    parts += [kept(new)] if kept(new) else []
    if new.get("proposal") is not None:
        parts.append(translate("other terms are proposed"))
    if new.get("total") is not None:
        parts.append(translate("in all {amount}", amount=str(new["total"])))
    if not parts and new.get("role") is not None:
        parts.append(translate("we are the lead") if new["role"] == "lead" else translate("we are the service partner"))
    text = translate("handoff {what}", what=", ".join(parts)) if parts else translate("handoff")
    return f"{text}: {brief(new['reason'])}" if new.get("reason") is not None else text
