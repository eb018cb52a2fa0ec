"""Whether a call was done at a Redmine already, when its answer did not come. Asks; changes nothing.

An issue is found by our ticket's id, in the custom field for it or in the description. Notes, files and time have no place for an id:
they are ours if we made them and they say the same, and are not known as something else.
"""

from collections.abc import Callable, Collection

from chit_sync.helpdesks.base import Call, Outcome
from chit_sync.helpdesks.marking import is_reference
from chit_sync.helpdesks.redmine_answers import Part, line, lines
from chit_sync.helpdesks.redmine_reading import INCLUDE, minutes, token_of
from chit_sync.helpdesks.redmine_site import PAGE, Filter, Site
from chit_sync.registers import Value

Stored = Callable[[str, Value], Value]


def find(site: Site, call: Call, known: Collection[str], stored: Stored) -> Outcome | None:
    """As `base.Helpdesk.find`."""
    match call.verb:
        case "create":
            return _issue(site, call.token, known)
        case "comment":
            return _item(_notes(site, call, stored), known)
        case "attach":
            return _item(_files(site, call, stored), known)
        case "time":
            return _item(_times(site, call, stored), known)
    return None


def _issue(site: Site, token: str, known: Collection[str]) -> Outcome | None:
    """The issue with our ticket's id. What a filter finds is compared, since Redmine ignores those that it does not know."""
    filters: list[Filter] = [("description", "~", [token])]
    references = {
        number for project in _where(site) for name, number in site.customs(project).items() if is_reference(name)
    }
    for number in sorted(references):
        filters.insert(0, (f"cf_{number}", "=", [token]))
    for one in filters:
        issues, _ = site.issues([one], sort="id:desc", limit=PAGE)
        for issue in issues:
            if token_of(issue) == token and str(issue.number("id")) not in known:
                return Outcome(issue.number("id"))
    site.check()
    return None


def _where(site: Site) -> tuple[int, ...]:
    return site.followed or tuple(site.projects)[:PAGE]


def _item(ids: list[int], known: Collection[str]) -> Outcome | None:
    for number in sorted(ids):
        if str(number) not in known:
            return Outcome(id=str(number))
    return None


def _read(site: Site, number: int) -> Part | None:
    answer = site.maybe(f"issues/{number}.json", [("include", INCLUDE)])
    return None if isinstance(answer, int) else answer.part("issue")


def _notes(site: Site, call: Call, stored: Stored) -> list[int]:
    issue = _read(site, call.number)
    return _same_notes(site, call, issue, str(stored("comment", call.fields.get("body")) or "")) if issue else []


def _same_notes(site: Site, call: Call, issue: Part, body: str) -> list[int]:
    me = site.me.number("id")
    private = call.fields.get("public") is False
    text = lines(body)
    return sorted(
        journal.number("id")
        for journal in issue.parts("journals")
        if journal.has("user")
        and journal.part("user").number("id") == me
        and journal.flag("private_notes") == private
        and journal.text("notes") == text
    )


def _files(site: Site, call: Call, stored: Stored) -> list[int]:
    issue = _read(site, call.number)
    me = site.me.number("id")
    name = stored("filename", call.fields.get("name"))
    return [
        part.number("id")
        for part in (issue.parts("attachments") if issue else ())
        if part.has("author")
        and part.part("author").number("id") == me
        and line(part.text("filename")) == name
        and part.number("filesize") == call.fields.get("size")
    ]


def _times(site: Site, call: Call, stored: Stored) -> list[int]:
    me = site.me.number("id")
    params = [("issue_id", str(call.number)), ("user_id", str(me))]
    return [
        part.number("id")
        for part in site.all("time_entries.json", "time_entries", params)
        if part.has("issue")
        and part.part("issue").number("id") == call.number
        and part.part("user").number("id") == me
        and minutes(part.hours("hours")) == call.fields.get("minutes")
        and part.day("spent_on") == stored("time.date", call.fields.get("date"))
        and part.text("comments") == (stored("time.note", call.fields.get("note")) or "")
    ]
