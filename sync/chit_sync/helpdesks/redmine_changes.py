"""What changed in a Redmine since a cursor, and all that is there: lists, pages, cursors. It decides what is read, not how.

Redmine lists issues by when they changed, to the second, and shows no journals there: each changed issue costs one more request. Pages
go on from the last second that was seen, never by counting, so that what changes meanwhile shifts nothing out of sight. An issue that
may have changed again within the second in which it was read, is read once more by the next reading; no other is.

What no list of changes shows: links that came or went, files that were deleted, notes that were edited or deleted, time that was
edited or deleted, deleted issues. All but the last are seen whenever an issue is read for another reason, or by a reading from the
beginning; deleted ones are those that `numbers` misses. New time entries are found by their own list, one request, the newest first.
"""

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl

from chit_sync.clock import SECOND
from chit_sync.errors import RemoteError, UsageError
from chit_sync.helpdesks.base import Found, Page
from chit_sync.helpdesks.redmine_answers import Part, moment, odd, second
from chit_sync.helpdesks.redmine_issues import Bound, read
from chit_sync.helpdesks.redmine_site import PAGE, Filter, Site, filtered, rising

ORDER = "updated_on:asc,id:asc"

# fmt: off
_SEARCHES = frozenset((
    "status_id", "project_id", "subproject_id", "project.status", "tracker_id", "priority_id", "author_id", "assigned_to_id", "category_id",
    "fixed_version_id", "subject", "description", "notes", "any_searchable", "created_on", "closed_on", "start_date", "due_date",
    "done_ratio", "estimated_hours", "spent_time", "is_private", "watcher_id", "parent_id", "child_id", "issue_id", "member_of_group",
    "assigned_to_role", "author.group", "author.role", "updated_by", "last_updated_by", "attachment", "attachment_description",
    "relates", "blocks", "blocked", "duplicates", "duplicated", "precedes", "follows", "copied_to", "copied_from",
))
# fmt: on
"""What Redmine can filter by. A name that it does not know it ignores, and everything would be followed."""


class Place(NamedTuple):
    """How far a reading is: what a cursor holds.

    since: all that changed before that second has been read; seen: of what changed since, the second of its last change and whether it
    cannot have changed again in it. at: our clock when `since` was first seen. first: while everything is read for the first time, the
    second of the newest change when that began. after: in a second with more than a page of changes, the id up to which it has
    been read; over: whether nothing could change in it any more when that began. entry: the newest time entry. closed: projects that a
    visitor without a key sees nothing of.
    """

    since: str = ""
    seen: Mapping[int, tuple[str, bool]] = {}
    at: int = 0
    first: str = ""
    after: int | None = None
    over: bool = False
    entry: int = 0
    closed: tuple[int, ...] = ()

    def text(self) -> str:
        """The cursor."""
        seen: dict[str, list[list[int]]] = {}
        for number, (when, sure) in self.seen.items():
            seen.setdefault(when, [[], []])[sure].append(number)
        return json.dumps({**self._asdict(), "seen": seen}, separators=(",", ":"))


def place_of(cursor: str) -> Place:
    """What a cursor holds. Raises RemoteError for what is none; it comes from our own store."""
    if not cursor:
        return Place()
    try:
        told = json.loads(cursor)
        seen = {
            int(number): (str(when), bool(sure))
            for when, both in told["seen"].items()
            for sure, numbers in enumerate(both)
            for number in numbers
        }
        return Place(**{**told, "seen": seen, "closed": tuple(told["closed"])})
    except (ValueError, TypeError, KeyError, AttributeError):
        raise RemoteError(
            f"{cursor[:80]!r} is no cursor of a reading of Redmine", "Read it from the beginning."
        ) from None


def searched(query: str) -> list[Filter]:
    """The filters of a query, as Redmine's own address line shows them (`f[]=tracker_id&op[tracker_id]==&v[tracker_id][]=2`), or short
    (`tracker_id=2`). Raises UsageError for one that Redmine would ignore."""
    names: list[str] = []
    operators: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for key, value in parse_qsl(query.lstrip("?"), keep_blank_values=True):
        if key == "f[]":
            names += [value] if value else []
        elif key.startswith("op[") and key.endswith("]"):
            operators[key[3:-1]] = value
        elif key.startswith("v[") and key.endswith("][]"):
            values.setdefault(key[2:-3], []).append(value)
        elif key in ("set_filter", "sort", "utf8", "group_by", "c[]", "t[]"):
            continue
        else:
            names.append(key)
            operators[key] = value if value in ("*", "!*", "o", "c") else "="
            values[key] = value.split("|")
    for name in names:
        if name not in _SEARCHES and not (name.startswith("cf_") and name[3:].isdecimal()):
            raise UsageError(
                f"{name!r} is nothing that Redmine can search by together with the time of a change",
                "Make the search in Redmine and copy what its address has after the question mark.",
            )
    return [(name, operators.get(name, "="), values.get(name, [])) for name in names]


class Changes:
    """Reads a Redmine: what changed, everything, single issues."""

    def __init__(self, site: Site, now: Callable[[], float] = time.time) -> None:
        self._site = site
        self._now = now
        self._query = searched(site.address.query)
        self.timeless = False  # whether time entries are kept from us

    # --- what is followed

    def _filters(self) -> list[Filter]:
        projects = [str(number) for number in self._site.followed]
        return [*([("project_id", "=", projects)] if projects else []), *self._query]

    def _following(self) -> bool:
        return bool(self._site.address.queues or self._query)

    def _matching(self, issues: Sequence[Part]) -> set[int]:
        """Which of these issues the query follows."""
        if not issues:
            return set()
        if not self._query:
            followed = self._site.followed
            return {
                issue.number("id") for issue in issues if not followed or issue.part("project").number("id") in followed
            }
        ids = {issue.number("id") for issue in issues}
        filters = [("issue_id", "=", [",".join(map(str, sorted(ids)))]), *self._filters()]
        found, _ = self._site.issues(filters, sort="id:asc")
        return {issue.number("id") for issue in found} & ids

    # --- everything

    def numbers(self) -> list[int]:
        """The numbers of all issues that are followed, by rising ids, so that nothing shifts while it is read."""
        found: list[int] = []
        while True:
            least = found[-1] + 1 if found else 1
            filters = [("issue_id", ">=", [str(least)]), *self._filters()]
            issues, _ = self._site.issues(filters, sort="id:asc")
            rising(issues, least)
            found += [issue.number("id") for issue in issues]
            if len(issues) < PAGE:
                self._site.check()
                return found

    # --- what changed

    def changed(self, cursor: str, known: Collection[int]) -> Iterator[Page]:
        """As `base.Helpdesk.changed`."""
        place = place_of(cursor)
        known = frozenset(known)
        bound = Bound(self._now)
        if place.since:
            bound.saw(place.since, place.at)
        else:
            place = place._replace(first=self._newest(bound))
            if not place.first:
                self._site.check()
                yield Page([], "")
                return
        listing = self._listing(place, bound)
        entries = self._entries(place)
        works, timed, place = self._sorted_out(entries, place)
        done = 0
        told: set[int] = set()
        total = listing[1]
        while True:
            issues, _ = listing
            crowded = place.after is not None
            if not crowded and len(issues) == PAGE and issues[-1].second("updated_on") <= place.since:
                self._newest(bound)
                place = place._replace(after=0, over=bound.past(place.since, bound.now()))
                listing = self._listing(place, bound)
                continue
            self._prove(issues, place)
            fresh = [issue for issue in issues if not self._is_known(issue, place, told)]
            if self._following() and not place.first:
                strange = [issue for issue in fresh if issue.number("id") not in known]
                wanted = known | self._matching(strange)
                fresh = [issue for issue in fresh if issue.number("id") in wanted]
            listed = [issue.number("id") for issue in fresh]
            found, seen = read(self._site, [*listed, *sorted((timed & known) - {*listed})], bound, works)
            timed = set()
            done += len(found)
            told |= seen.keys()
            place = place._replace(seen={**place.seen, **seen}, closed=self._closed(place, bool(found)))
            place, more = self._next(place, issues, bound)
            yield Page(found, place.text(), done, max(total, done))
            if not more:
                return
            listing = self._listing(place, bound)

    def _next(self, place: Place, issues: Sequence[Part], bound: Bound) -> tuple[Place, bool]:
        """The place after a page, and whether there is more."""
        full = len(issues) == PAGE
        if place.after is not None:
            if full:
                return place._replace(after=issues[-1].number("id")), True
            place = place._replace(after=None)
            if place.over:
                return self._at(place, second(moment(place.since) + SECOND), bound), True
        elif issues:
            place = self._at(place, max(place.since, issues[-1].second("updated_on")), bound)
            if full:
                return place, True
        if place.first:
            place = self._at(place._replace(first=""), place.first, bound)
        return place, False

    def _at(self, place: Place, since: str, bound: Bound) -> Place:
        """The place with that second as the one to go on from; what changed before is forgotten, unless it will be listed again."""
        if since == place.since:
            return place
        least = min(since, place.first) if place.first else since
        seen = {number: (when, sure) for number, (when, sure) in place.seen.items() if when >= least}
        return place._replace(since=since, seen=seen, at=bound.now())

    def _newest(self, bound: Bound) -> str:
        """The second of the newest change of all that we see; empty if there is nothing."""
        issues, _ = self._site.issues([], sort="updated_on:desc", limit=1)
        for issue in issues:
            bound.saw(issue.second("updated_on"), bound.now())
        return issues[0].second("updated_on") if issues else ""

    def _listing(self, place: Place, bound: Bound) -> tuple[list[Part], int]:
        """The next page of issues, and how many there are from there on."""
        filters: list[Filter] = []
        order = ORDER
        if place.after is not None:
            end = second(moment(place.since) + SECOND)
            filters = [("updated_on", "><", [place.since, end]), ("issue_id", ">=", [str(place.after + 1)])]
            order = "id:asc"
        elif place.since:
            filters = [("updated_on", ">=", [place.since])]
        if self._following() and place.first:
            filters += self._filters()
        issues, total = self._site.issues(filters, sort=order)
        come = bound.now()
        if place.after is not None:
            rising(issues, place.after + 1)
        last = ""
        for issue in issues:
            when = issue.second("updated_on")
            bound.saw(when, come)
            if when < last and place.after is None:
                raise odd("a list that is not in the order asked for")
            last = when
        return issues, total

    def _is_known(self, issue: Part, place: Place, told: Collection[int]) -> bool:
        """Whether it was read and cannot have changed since, or not so that the next reading would miss it."""
        number = issue.number("id")
        when, sure = place.seen.get(number, ("", False))
        now = issue.second("updated_on")
        # what Redmine takes for not before a moment begins up to a second before it
        return now < place.since or (now == when and (sure or number in told))

    def _prove(self, issues: Sequence[Part], place: Place) -> None:
        """Makes sure that a list was made for us and not for an anonymous visitor, as with a key that is not good (any more)."""
        closed = frozenset(place.closed)
        if not any(issue.part("project").number("id") in closed for issue in issues if issue.has("project")):
            self._site.check()

    def _closed(self, place: Place, loaded: bool) -> tuple[int, ...]:
        if not loaded:
            return place.closed
        return tuple(sorted(project.id for project in self._site.projects.values() if not project.public)[:PAGE])

    # --- time entries

    def _entries(self, place: Place) -> tuple[list[Part], bool]:
        """The time entries that are newer than the place, the newest first, and whether those are all that there are."""
        found: list[Part] = []
        filters: list[Filter] = []
        if not place.since and self._site.followed:
            filters = [("project_id", "=", [str(number) for number in self._site.followed])]
        issues = 0
        while not self.timeless:
            params = [
                ("set_filter", "1"),
                ("sort", "created_on:desc"),
                ("limit", str(PAGE)),
                ("offset", str(len(found))),
            ]
            answer = self._site.maybe("time_entries.json", params + filtered(filters))
            if isinstance(answer, int):
                self.timeless = True
                break
            parts = answer.parts("time_entries")
            new = [part for part in parts if part.number("id") > place.entry]
            found += new
            if len(new) < PAGE:
                return found, not place.since
            if not place.since and not issues:
                _, issues = self._site.issues(self._filters(), sort="id:asc", limit=1)
                if answer.number("total_count") > PAGE // 2 * max(issues, 1):
                    return found, False  # asking for the time of each issue costs less
        return found, False

    def _sorted_out(
        self, entries: tuple[list[Part], bool], place: Place
    ) -> tuple[dict[int, list[Part]] | None, set[int], Place]:
        """Time entries by issue, if those are all; the issues that have new ones; the place with the newest."""
        parts, whole = entries
        by_issue: dict[int, list[Part]] = {}
        for part in reversed(parts):
            if part.has("issue"):
                by_issue.setdefault(part.part("issue").number("id"), []).append(part)
        place = place._replace(entry=max([place.entry, *(part.number("id") for part in parts)]))
        return (by_issue if whole else None), (set() if whole else set(by_issue)), place

    # --- single issues

    def read(self, numbers: Sequence[int]) -> list[Found]:
        """As `base.Helpdesk.read`."""
        return read(self._site, numbers, Bound(self._now))[0]
