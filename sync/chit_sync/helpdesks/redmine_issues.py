"""Whole issues of a Redmine: each with its journals by a request of its own, its time entries, and the logins of all who occur in it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from chit_sync.clock import SECOND
from chit_sync.errors import RemoteError
from chit_sync.helpdesks.base import Found, Gone
from chit_sync.helpdesks.redmine_answers import Part, moment
from chit_sync.helpdesks.redmine_reading import INCLUDE, people_of, snapshot
from chit_sync.helpdesks.redmine_site import PAGE, Site


class Bound:
    """What the server's clock shows at least: the newest change that was seen, and the time that has gone by here since."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._ahead: int | None = None

    def now(self) -> int:
        """Our own clock."""
        return int(self._now() * SECOND)

    def saw(self, when: str, at: int) -> None:
        """Something had changed in that second when our clock was there."""
        ahead = moment(when) - at
        self._ahead = ahead if self._ahead is None else max(self._ahead, ahead)

    def past(self, when: str, at: int) -> bool:
        """Whether that second was over there for certain when our clock was at that time."""
        return self._ahead is not None and at + self._ahead >= moment(when) + SECOND


def read(
    site: Site, numbers: Sequence[int], bound: Bound, works: Mapping[int, list[Part]] | None = None
) -> tuple[list[Found], dict[int, tuple[str, bool]]]:
    """These issues, and for each when it changed last and whether that second was over when it was asked for."""
    if not numbers:
        return [], {}
    sure: dict[int, tuple[str, bool]] = {}

    def whole(number: int) -> Part | int:
        asked = bound.now()
        answer = site.maybe(f"issues/{number}.json", [("include", INCLUDE)])
        if isinstance(answer, int):
            return answer
        issue = answer.part("issue")
        if issue.number("id") != number:
            raise RemoteError(f"{site.where} was asked for issue {number} and answers with another one")
        when = issue.second("updated_on")
        sure[number] = (when, bound.past(when, asked))
        return issue

    site.load()
    answers = dict(zip(numbers, site.web.many([partial(whole, number) for number in numbers]), strict=True))
    if any(isinstance(answer, int) for answer in answers.values()):
        site.check()
    issues = {number: answer for number, answer in answers.items() if not isinstance(answer, int)}
    spent = _spent(site, issues, works)
    people: dict[int, str] = {}
    for number, issue in issues.items():
        site.saw(issue)
        for who, name in people_of(issue, spent[number] or ()).items():
            people[who] = name or people.get(who, "")
    site.learn(people)
    names = site.called()
    found: list[Found] = []
    for number in numbers:
        answer = answers[number]
        if isinstance(answer, int):
            found.append(Gone(number, "deleted" if answer == 404 else "hidden"))
        else:
            found.append(snapshot(answer, names, spent[number]))
    return found, sure


def _spent(
    site: Site, issues: Mapping[int, Part], works: Mapping[int, list[Part]] | None
) -> dict[int, list[Part] | None]:
    """The time entries of each issue; only where time was spent they are asked for."""
    if works is not None:
        return {number: works.get(number, []) for number in issues}
    spent: dict[int, list[Part] | None] = {
        number: [] if issue.has("spent_hours") else None for number, issue in issues.items()
    }
    wanted = [number for number, issue in issues.items() if issue.hours("spent_hours") > 0]
    spent.update(zip(wanted, site.web.many([partial(_works, site, number) for number in wanted]), strict=True))
    return spent


def _works(site: Site, number: int) -> list[Part] | None:
    """The time entries of an issue; None if they are not for us."""
    found: list[Part] = []
    while True:
        params = [("issue_id", str(number)), ("limit", str(PAGE)), ("offset", str(len(found)))]
        answer = site.maybe("time_entries.json", params)
        if isinstance(answer, int):
            return None
        parts = answer.parts("time_entries")
        found += [part for part in parts if part.has("issue") and part.part("issue").number("id") == number]
        if len(parts) < PAGE:
            return sorted(found, key=lambda part: part.number("id"))
