"""A Redmine as this account sees it: who we are and what we may, its projects, statuses, people, custom fields. Asked when needed, kept.

Here too is how it is asked: an answer that makes no sense is an error in words, and a key that is not (or no longer) good is an
AccessError, though Redmine answers lists as if an anonymous visitor had asked. It makes no tickets of what it reads and writes nothing.
"""

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import NamedTuple

from chit_sync.errors import AccessError, UsageError
from chit_sync.helpdesks.address import Address
from chit_sync.helpdesks.marking import is_reference, unmarked
from chit_sync.helpdesks.redmine_answers import Part, line, odd
from chit_sync.helpdesks.redmine_reading import Names
from chit_sync.helpdesks.rows import items
from chit_sync.remotes.received import Answer
from chit_sync.remotes.web import Web

PAGE = 100
"""Most things that Redmine puts into one answer."""

MAX_CUSTOM = 200
"""The highest id of a custom field that is looked for where no issue shows it."""

Pairs = list[tuple[str, str]]
Filter = tuple[str, str, Sequence[str]]
"""A field, an operator, values, in Redmine's words."""


class NoProjectError(UsageError):
    """There is no project of that name, or none that we see."""


class Project(NamedTuple):
    """A project. name: what it is called as a queue; with its identifier where several have that name."""

    id: int
    identifier: str
    name: str
    public: bool


class Site:
    """What is known of a Redmine, and how to ask it."""

    def __init__(self, web: Web, address: Address) -> None:
        self.web = web
        self.where = web.where
        self.address = address
        self.people: dict[int, str] = {}
        self.names: dict[int, str] = {}
        self.multiple: set[int] = set()
        self._unmarked: set[int] = set()
        self._complete: set[int] = set()
        self._roles: dict[int, list[object]] = {}
        self._customs: dict[int, dict[str, int]] = {}
        self._me: Part | None = None

    # --- asking

    def get(self, path: str, params: Sequence[tuple[str, str]] = ()) -> Part:
        """An answer to a question."""
        return self.part(self.web.ask("GET", path, params=list(params)), path)

    def maybe(
        self, path: str, params: Sequence[tuple[str, str]] = (), accept: Collection[int] = (403, 404)
    ) -> Part | int:
        """An answer to a question, or the status with which it is refused."""
        answer = self.web.ask("GET", path, params=list(params), accept=accept)
        return self.part(answer, path) if answer.ok else answer.status

    def part(self, answer: Answer, what: str) -> Part:
        """The object that is the answer."""
        return Part(answer.json(), f"the answer to {what.partition('?')[0]}")

    def all(self, path: str, key: str, params: Sequence[tuple[str, str]] = ()) -> list[Part]:
        """All things of a list that has pages."""
        found: list[Part] = []
        while True:
            answer = self.get(path, [*params, ("limit", str(PAGE)), ("offset", str(len(found)))])
            parts = answer.parts(key)
            found += parts
            if len(parts) < PAGE:
                return found

    def issues(
        self, filters: Iterable[Filter], *, sort: str, limit: int = PAGE, include: str = ""
    ) -> tuple[list[Part], int]:
        """A page of issues, closed ones too, and how many there are."""
        params: Pairs = [("set_filter", "1"), ("sort", sort), ("limit", str(limit))]
        if include:
            params.append(("include", include))
        answer = self.get("issues.json", params + filtered(filters))
        return answer.parts("issues"), answer.number("total_count")

    # --- who we are

    @property
    def me(self) -> Part:
        """Our account, with its memberships."""
        return self._me or self.check()

    def check(self) -> Part:
        """Asks who we are. Raises AccessError for a key that is not good."""
        answer = self.web.ask("GET", "users/current.json", params=[("include", "memberships")], accept=(403, 404))
        if not answer.ok:
            raise AccessError(
                f"{self.where} lets nobody use its interface for programs, or not this account",
                "An administrator switches the REST web service on under Administration, Settings, API; "
                "an account that must change its password has to do that first.",
            )
        self._me = self.part(answer, "users/current.json").part("user")
        number = self._me.number("id")
        login = line(self._me.text("login"))
        if login:
            self.people[number] = login
            self.names[number] = full_name(self._me)
        return self._me

    def may_write_privately(self, project: int) -> bool:
        """Whether we may keep notes private in that project; whoever may not, has them published by Redmine without a word."""
        if self.me.flag("admin"):
            return True
        roles = [
            role.number("id")
            for membership in self.me.parts("memberships")
            if membership.has("project") and membership.part("project").number("id") == project
            for role in membership.parts("roles")
        ]
        return any("set_notes_private" in self._rights(role) for role in roles)

    @cached_property
    def private_everywhere(self) -> bool:
        """Whether we may keep notes private in every project that we see, so that it does not matter where an issue is."""
        return all(self.may_write_privately(project) for project in self.projects)

    def _rights(self, role: int) -> list[object]:
        if role not in self._roles:
            self._roles[role] = items(self.get(f"roles/{role}.json").part("role").raw("permissions"))
        return self._roles[role]

    # --- what there is

    @cached_property
    def projects(self) -> dict[int, Project]:
        """The projects that we see, by id."""
        parts = self.all("projects.json", "projects")
        called = [line(part.text("name")).casefold() for part in parts]
        found = {}
        for part in parts:
            name, identifier = line(part.text("name")), line(part.text("identifier"))
            if called.count(name.casefold()) > 1:
                name = f"{name} ({identifier})"
            public = part.raw("is_public") is not False
            found[part.number("id")] = Project(part.number("id"), identifier, name, public)
        return found

    @cached_property
    def followed(self) -> tuple[int, ...]:
        """The projects that the address names; none for all of them."""
        return tuple(self.project(name).id for name in self.address.queues)

    def project(self, name: str) -> Project:
        """The project of that name or identifier."""
        wanted = name.casefold()
        for project in self.projects.values():
            if project.identifier.casefold() == wanted:
                return project
        for project in self.projects.values():
            if project.name.casefold() == wanted:
                return project
        self.check()
        there = ", ".join(sorted(project.name for project in self.projects.values())[:20])
        raise NoProjectError(
            f"{self.where} has no project {name!r} that this account sees", f"There are: {there or 'none'}."
        )

    @cached_property
    def statuses(self) -> list[Part]:
        """The statuses, in Redmine's order."""
        return self.get("issue_statuses.json").parts("issue_statuses")

    @cached_property
    def priorities(self) -> list[Part]:
        """The priorities, the least urgent first."""
        return self.get("enumerations/issue_priorities.json").parts("issue_priorities")

    @cached_property
    def activities(self) -> list[Part]:
        """What time may be spent on."""
        return self.get("enumerations/time_entry_activities.json").parts("time_entry_activities")

    @cached_property
    def trackers(self) -> dict[str, int]:
        """The trackers, by name in small letters."""
        parts = self.get("trackers.json").parts("trackers")
        return {part.text("name").casefold(): part.number("id") for part in parts}

    def called(self) -> Names:
        """What all those ids are called."""
        return Names(
            statuses=named(self.statuses),
            priorities=named(self.priorities),
            projects={project.id: project.name for project in self.projects.values()},
            people=self.people,
        )

    def load(self) -> None:
        """Gets what `called` needs, at the same time."""
        wanted = [name for name in ("statuses", "priorities", "projects") if name not in self.__dict__]
        self.web.many([partial(getattr, self, name) for name in wanted])

    # --- people

    def learn(self, people: Mapping[int, str]) -> None:
        """Finds the logins of those (ids to the names that are shown) whose login is not known yet."""
        new = [number for number in people if number not in self.people]
        for number, login in zip(new, self.web.many([partial(self._login, number) for number in new]), strict=True):
            self.people[number] = login or people[number] or f"#{number}"

    def _login(self, number: int) -> str:
        user = self.maybe(f"users/{number}.json")
        if isinstance(user, int):
            return ""
        told = user.part("user")
        self.names[number] = full_name(told)
        return line(told.text("login"))

    def members(self, projects: Iterable[int]) -> list[int]:
        """The ids of the people in those projects, whose logins are known afterwards."""
        found: dict[int, str] = {}
        for project in projects:
            try:
                parts = self.all(f"projects/{project}/memberships.json", "memberships")
            except AccessError:
                continue
            for part in parts:
                if part.has("user"):
                    found[part.part("user").number("id")] = line(part.part("user").text("name"))
        self.learn(found)
        return [*found]

    def person(self, key: str, project: int) -> int | None:
        """The id of somebody who may work on issues of that project."""
        wanted = key.casefold()
        if wanted == self.me.text("login").casefold():
            return self.me.number("id")
        for number in [*self.people, *self.members([project])]:
            if self.people.get(number, "").casefold() == wanted:
                return number
        return None

    # --- custom fields

    def saw(self, issue: Part) -> None:
        """Remembers which custom fields issues of a project have, and whether this one has our ticket's id in its description."""
        if not unmarked(issue.text("description"))[1]:
            self._unmarked.add(issue.number("id"))
        if issue.has("project"):
            table = self._customs.setdefault(issue.part("project").number("id"), {})
            for custom in issue.parts("custom_fields"):
                if custom.flag("multiple"):
                    self.multiple.add(custom.number("id"))
                table[line(custom.text("name"))] = custom.number("id")

    def unmarked(self, number: int) -> bool:
        """Whether the issue was read and does not have our ticket's id in its description."""
        return number in self._unmarked

    def customs(self, project: int) -> dict[str, int]:
        """Names and ids of the custom fields of that project's issues."""
        if project not in self._customs:
            found, _ = self.issues([("project_id", "=", [str(project)])], sort="id:desc", limit=1)
            for issue in found:
                self.saw(issue)
        return self._customs.get(project) or self._every_custom(project)

    def custom(self, project: int, name: str) -> int:
        """The id of a custom field; 0 if issues of that project have none of that name."""
        return self.customs(project).get(name) or self._every_custom(project).get(name, 0)

    def reference(self, project: int) -> int:
        """The id of the custom field for our tickets' ids; 0 if there is none."""
        for table in (self.customs, self._every_custom):
            for name, number in table(project).items():
                if is_reference(name):
                    return number
        return 0

    def _every_custom(self, project: int) -> dict[str, int]:
        """The custom fields of that project's issues, also those that no issue that was read has."""
        table = self._customs.setdefault(project, {})
        if project not in self._complete:
            self._headings(project, table)
            self._complete.add(project)
        return table

    def _headings(self, project: int, known: dict[str, int]) -> None:
        """Adds the custom fields of a project that no issue has shown: the headings of an empty table that has a column for each.

        Which field a heading is of, is found by asking for fewer and fewer columns; whoever is no administrator is told in no other way.
        """

        def names(first: int, last: int) -> list[str]:
            columns = [("c[]", "id"), *(("c[]", f"cf_{number}") for number in range(first, last + 1))]
            none = filtered([("issue_id", "=", ["0"])])
            params = [("set_filter", "1"), ("encoding", "UTF-8"), *columns, *none]
            answer = self.web.ask("GET", f"projects/{project}/issues.csv", params=params, accept=(403, 404, 406))
            if not answer.ok or not (head := answer.text().lstrip("\ufeff").partition("\n")[0]).startswith("#"):
                return []
            rows = list(csv.reader(io.StringIO(head), delimiter=head[1:2] or ","))
            return [line(name) for name in rows[0][1:]] if rows else []

        def split(first: int, last: int, there: list[str]) -> None:
            if known.keys() >= set(there):
                return
            if first == last:
                known[there[0]] = first
                return
            middle = (first + last) // 2
            lower = names(first, middle)
            split(first, middle, lower)
            split(middle + 1, last, there[len(lower) :])

        split(1, MAX_CUSTOM, names(1, MAX_CUSTOM))


def filtered(filters: Iterable[Filter]) -> Pairs:
    """Filters in Redmine's long form, which takes values literally and does not leave closed issues out."""
    params: Pairs = []
    for name, operator, values in filters:
        params += [("f[]", name), (f"op[{name}]", operator), *((f"v[{name}][]", value) for value in values)]
    return params or [("f[]", "")]


def full_name(user: Part) -> str:
    """What somebody is called."""
    return line(f"{user.text('firstname')} {user.text('lastname')}".strip())


def named(parts: Iterable[Part]) -> dict[int, str]:
    """Ids and names of things in a list."""
    return {part.number("id"): line(part.text("name")) for part in parts}


def rising(issues: Sequence[Part], least: int) -> None:
    """Raises RemoteError unless the ids rise from there on: a filter or an order that was ignored would go unnoticed."""
    for issue in issues:
        if issue.number("id") < least:
            raise odd("a list that is not in the order asked for")
        least = issue.number("id") + 1
