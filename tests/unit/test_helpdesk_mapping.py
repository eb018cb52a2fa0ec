"""What a helpdesk's words mean here and the other way round, and what may be configured of it."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chit_sync import config
from chit_sync.checks import check, field_of
from chit_sync.errors import UsageError
from chit_sync.helpdesks.base import BOTH, FEATURES, Choice, Custom, Description, Person
from chit_sync.helpdesks.mapping import Mapping, Unmapped, defaults, statuses_for, toml
from chit_sync.helpdesks.settings import Tables
from chit_sync.registers import Value
from chit_sync.schema import CATEGORIES, DEFAULT_STATUSES, PRIORITY_RANK

STATUSES = (
    Choice("New", "new"),
    Choice("In Progress", "open"),
    Choice("Feedback", "pending"),
    Choice("Waiting", "pending"),
    Choice("Resolved", "resolved"),
    Choice("Closed", "closed"),
    Choice("Odd one", ""),
)
PRIORITIES = (Choice("Low", "low"), Choice("Usual", "normal"), Choice("Urgent", "high"), Choice("Now", "critical"))
PEOPLE = (
    Person("aberg", "Anna Berg", "anna@example.com"),
    Person("bclark", "Bob Clark"),
    Person("bclark2", "Bob Clark"),
)


def described(
    statuses: tuple[Choice, ...] = STATUSES,
    priorities: tuple[Choice, ...] = PRIORITIES,
    people: tuple[Person, ...] = PEOPLE,
    queues: tuple[str, ...] = ("Support", "Billing"),
    customs: tuple[str, ...] = ("Severity", "Affected Version", "affected-version"),
) -> Description:
    return Description(
        title="Desk", version="1", account=PEOPLE[0], statuses=statuses, priorities=priorities, people=people, queues=queues,
        customs=[Custom(f"x.{name}") for name in customs], features=dict.fromkeys(FEATURES, BOTH),
    )  # fmt: skip


def mapped(tables: Tables | None = None, statuses: dict[str, str] | None = None) -> Mapping:
    return defaults(described(), statuses or DEFAULT_STATUSES, "desk", tables or Tables())


@pytest.mark.parametrize(
    ("path", "theirs", "ours"),
    [
        ("title", "Printer on fire", "Printer on fire"),
        ("description", "It\nburns", "It\nburns"),
        ("due", 1_700_000_000_000_000, 1_700_000_000_000_000),
        ("labels/fire", True, True),
        ("status", "New", "new"),
        ("status", "In Progress", "open"),
        ("status", "Feedback", "pending"),
        ("status", "Closed", "closed"),
        ("priority", "Usual", "normal"),
        ("priority", "Low", "low"),
        ("priority", "Now", "critical"),
        ("assignee", "aberg", "aberg"),
        ("requester", "bclark", "bclark"),
        ("queue", "Billing", "Billing"),
        ("status", None, None),
        ("priority", None, None),
        ("assignee", None, None),
        ("queue", None, None),
    ],
)
def test_both_ways(path: str, theirs: Value, ours: Value) -> None:
    """What has a counterpart goes there and comes back as it was."""
    mapping = mapped()
    assert mapping.to_ours(path, theirs) == (path, ours)
    assert mapping.to_theirs(path, ours) == (path, theirs)


def test_several_of_theirs_may_mean_one_of_ours() -> None:
    """The first that is listed is written."""
    mapping = mapped()
    assert mapping.to_ours("status", "Waiting") == ("status", "pending")
    assert mapping.to_theirs("status", "pending") == ("status", "Feedback")


def test_the_configuration_goes_before() -> None:
    """What config.toml says of a word holds, and is written before what the helpdesk says of itself."""
    mapping = mapped(Tables(status={"Waiting": "pending", "Odd one": "rejected"}, priority={"Usual": "low"}))
    assert mapping.to_theirs("status", "pending") == ("status", "Waiting")
    assert mapping.to_ours("status", "Odd one") == ("status", "rejected")
    assert mapping.to_theirs("priority", "low") == ("priority", "Usual")
    with pytest.raises(Unmapped):
        mapping.to_theirs("priority", "normal")


def test_a_status_of_the_same_name_goes_before_one_of_the_category() -> None:
    """A store that calls a status as the helpdesk does means the same by it."""
    mapping = mapped(statuses={"new": "new", "open": "open", "in-progress": "review", "done": "closed"})
    assert mapping.to_ours("status", "In Progress") == ("status", "in-progress")
    assert mapping.to_theirs("status", "in-progress") == ("status", "In Progress")


def test_every_store_can_open_and_close() -> None:
    """A status that means new, open or closed here is written where a helpdesk has only the one that stands in for it."""
    statuses = (Choice("Open", "open"), Choice("Resolved", "resolved"))
    mapping = defaults(described(statuses), DEFAULT_STATUSES)
    assert mapping.to_theirs("status", "new") == ("status", "Open")
    assert mapping.to_theirs("status", "closed") == ("status", "Resolved")
    with pytest.raises(Unmapped):
        mapping.to_theirs("status", "review")


@pytest.mark.parametrize(
    ("theirs", "ours"), [("0", "planned"), (0, "planned"), ("49", "low"), ("50", "normal"), (57, "normal"), ("1000", "critical")]
)  # fmt: skip
def test_numbers_mean_what_the_nearest_below_means(theirs: Value, ours: str) -> None:
    """A priority that is a number need not be listed."""
    levels = (Choice("10", "planned"), Choice("20", "low"), Choice("50", "normal"), Choice("90", "critical"))
    mapping = defaults(described(priorities=levels), DEFAULT_STATUSES)
    assert mapping.to_ours("priority", theirs) == ("priority", ours)


@pytest.mark.parametrize(
    ("path", "name", "key"),
    [
        ("assignee", "aberg", "aberg"),
        ("assignee", "Anna Berg", "aberg"),
        ("assignee", "ANNA@example.com", "aberg"),
        ("assignee", "anna", "aberg"),
        ("author", "bclark2", "bclark2"),
        ("requester", "somebody@example.com", "somebody@example.com"),
    ],
)
def test_people_are_found(path: str, name: str, key: str) -> None:
    """By the table, by key, name or address; who asks may be known by an address alone."""
    assert mapped(Tables(people={"aberg": "anna"})).to_theirs(path, name) == (path, key)


def test_who_is_a_number_there_has_a_name_here() -> None:
    """A helpdesk that tells people apart by numbers: here they go by their names, unless two have the same."""
    people = (
        Person("1", "anna"),
        Person("2", "bob"),
        Person("3", "Bob"),
        Person("4", ""),
        Person("dora", "Dora Dietz"),
    )
    mapping = defaults(described(people=people), DEFAULT_STATUSES, tables=Tables(people={"4": "carol"}))
    assert mapping.people == {"4": "carol", "1": "anna"}
    assert mapping.to_ours("assignee", "1") == ("assignee", "anna")
    assert mapping.to_theirs("assignee", "anna") == ("assignee", "1")
    assert mapping.to_ours("author", "2") == ("author", "2")
    assert mapping.to_ours("author", "dora") == ("author", "dora")


@pytest.mark.parametrize("name", ["Bob Clark", "carol", "carol@example.com"])
def test_nobody_is_guessed(name: str) -> None:
    """A name that two people have, or nobody, is not sent."""
    with pytest.raises(Unmapped):
        mapped().to_theirs("assignee", name)


def test_a_helpdesk_that_lists_nobody_takes_any_name() -> None:
    """Where people and queues are not told, their names go as they are."""
    mapping = defaults(described(people=(), queues=()), DEFAULT_STATUSES)
    assert mapping.to_theirs("assignee", "carol") == ("assignee", "carol")
    assert mapping.to_theirs("queue", "Anything") == ("queue", "Anything")


def test_queues() -> None:
    """A queue goes by the table or by its name in whatever case; one that is not there is not sent."""
    mapping = mapped(Tables(queues={"Support": "helpdesk"}))
    assert mapping.to_ours("queue", "Support") == ("queue", "helpdesk")
    assert mapping.to_theirs("queue", "helpdesk") == ("queue", "Support")
    assert mapping.to_theirs("queue", "billing") == ("queue", "Billing")
    with pytest.raises(Unmapped):
        mapping.to_theirs("queue", "Sales")


def test_custom_fields_have_names_that_can_stand_here() -> None:
    """Each field has a name of its own, and comes back under its own."""
    mapping = mapped()
    names = [mapping.to_ours(f"x.{name}", "v")[0] for name in ("Severity", "Affected Version", "affected-version")]
    assert names == ["x.severity", "x.affected-version", "x.affected-version-2"]
    assert [mapping.to_theirs(name, "v")[0] for name in names] == [
        "x.Severity",
        "x.Affected Version",
        "x.affected-version",
    ]
    assert mapping.to_ours("x.Severity", 3) == ("x.severity", "3")
    assert mapping.writes("x.severity")
    assert not mapping.writes("x.serial")


def test_only_the_custom_fields_of_the_table() -> None:
    """A table of fields says which are carried."""
    mapping = mapped(Tables(fields={"Severity": "how.bad"}))
    assert mapping.to_ours("x.Severity", "High") == ("x.how.bad", "High")
    assert mapping.to_theirs("x.how.bad", None) == ("x.Severity", None)
    assert not mapping.reads("x.Affected Version")
    with pytest.raises(Unmapped):
        mapping.to_ours("x.Affected Version", "1.0")


def test_an_unmapped_value_says_what_to_do() -> None:
    """The message names the path, the value and the remote; the hint, the table and the command that shows it."""
    with pytest.raises(Unmapped) as caught:
        mapped().to_ours("status", "Vanished")
    assert caught.value.message == "status is 'Vanished' at desk, and nothing says what that means here"
    assert "[helpdesk.desk.status]" in caught.value.hint
    assert "chit remote show desk --mapping" in caught.value.hint


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=80)


@given(
    st.lists(
        st.tuples(NAMES, st.sampled_from((*CATEGORIES, "", "nonsense"))), max_size=12, unique_by=lambda pair: pair[0]
    )
)
def test_a_clone_loses_no_status(pairs: list[tuple[str, str]]) -> None:
    """A store made from a helpdesk has a status for each of its, goes by them both ways, and can use the list."""
    description = described(tuple(Choice(*pair) for pair in pairs))
    statuses = statuses_for(description)
    assert config.check_statuses(statuses) == statuses
    mapping = defaults(description, statuses)
    met = set()
    for name, _ in pairs:
        _, ours = mapping.to_ours("status", name)
        assert isinstance(ours, str)
        assert ours in statuses
        check("status", ours)
        assert mapping.to_theirs("status", ours) == ("status", name)
        met.add(ours)
    assert len(met) == len(pairs)


@given(st.lists(NAMES, max_size=8, unique=True), st.text(max_size=20))
def test_any_custom_field_can_stand_here(names: list[str], value: str) -> None:
    """Whatever a field is called there, its name here is one that can be, and it finds back."""
    mapping = defaults(described(customs=tuple(names)), DEFAULT_STATUSES)
    for name in names:
        ours, kept = mapping.to_ours(f"x.{name}", value)
        field_of(ours)
        assert mapping.to_theirs(ours, kept) == (f"x.{name}", value)


@given(
    st.dictionaries(NAMES, st.sampled_from(sorted(DEFAULT_STATUSES)), max_size=5),
    st.dictionaries(NAMES, st.sampled_from(sorted(PRIORITY_RANK)), max_size=5),
)
def test_what_is_written_reads_as_it_was(status: dict[str, str], priority: dict[str, str]) -> None:
    """Whatever the tables say: what can be sent means the same when it is read again."""
    mapping = mapped(Tables(status=status, priority=priority))
    for path, values in (("status", set(mapping.status.values())), ("priority", set(mapping.priority.values()))):
        for value in values:
            assert mapping.to_ours(*mapping.to_theirs(path, value)) == (path, value)


def test_the_printed_tables_hold_when_they_are_pasted(tmp_path: Path) -> None:
    """`chit remote show --mapping` prints what config.toml takes, and it changes nothing."""
    mapping = mapped(Tables(people={"aberg": "anna"}))
    path = tmp_path / "config.toml"
    path.write_text(toml(mapping))
    again = mapped(config.helpdesk_tables([str(path)], "desk"))
    assert again.status == mapping.status
    assert list(again.priority.items()) == list(mapping.priority.items())
    assert (again.people, again.fields) == (mapping.people, mapping.fields)
    assert tomllib.loads(toml(mapping))["helpdesk"]["desk"]["status"]["In Progress"] == "open"


def test_the_stores_file_goes_before_the_users(tmp_path: Path) -> None:
    """Word by word, and setting by setting."""
    store, user = tmp_path / "store.toml", tmp_path / "user.toml"
    store.write_text('[helpdesk.desk]\nsend = "all"\n[helpdesk.desk.status]\nA = "open"\n')
    user.write_text('[helpdesk.desk]\nsend = "own"\nnew = false\n[helpdesk.desk.status]\nA = "new"\nB = "new"\n')
    tables = config.helpdesk_tables([str(store), str(user)], "desk")
    assert tables.status == {"A": "open", "B": "new"}
    assert (tables.send, tables.new) == ("all", False)
    assert config.read_file(str(store)) == {"helpdesk.desk.send": "all"}
    assert config.helpdesk_tables([str(tmp_path / "none.toml")], "desk") == Tables()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("helpdesk = 1", "helpdesk is not a section"),
        ("[helpdesk]\ndesk = 1", "helpdesk.desk is not a section"),
        ('[helpdesk."a#b"]', "cannot name a remote"),
        ("[helpdesk.desk]\nstatus = 1", "helpdesk.desk.status is not a table"),
        ('[helpdesk.desk.stati]\nA = "open"', "there is no table helpdesk.desk.stati"),
        ("[helpdesk.desk]\nspeed = 3", "there is no setting 'helpdesk.desk.speed'"),
        ('[helpdesk.desk]\nsend = "some"', "helpdesk.desk.send cannot be 'some'"),
        ('[helpdesk.desk]\nnew = "perhaps"', "helpdesk.desk.new is true or false"),
        ("[helpdesk.desk.status]\nA = 1", "'A' means a text, not 1"),
        ('[helpdesk.desk.status]\nA = ""', "'A' means a text"),
        ('[helpdesk.desk.status]\nA = "o\\u0007k"', "cannot mean"),
        ('[helpdesk.desk.priority]\n9 = "hot"', "'9' cannot mean 'hot'"),
        ('[helpdesk.desk.fields]\nA = "a b"', "cannot name a custom field"),
        ('[helpdesk.desk.fields]\nA = "a"\nB = "a"', "two fields have one name here"),
    ],
)
def test_wrong_tables_are_refused(tmp_path: Path, text: str, said: str) -> None:
    """A mistake in the section on helpdesks is named with its file and place."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        config.read_file(str(path))
    assert said in caught.value.message
    assert str(path) in caught.value.message


def test_the_settings_of_a_helpdesk_can_be_set_and_taken_away(tmp_path: Path) -> None:
    """`helpdesk.NAME.send` and `.new` are settings like others, whatever dots are in the remote's name."""
    path = str(tmp_path / "config.toml")
    config.write_setting(path, "helpdesk.my.desk.new", config.checked("helpdesk.my.desk.new", "false"))
    assert config.read_file(path) == {"helpdesk.my.desk.new": False}
    assert config.Config([]).get("helpdesk.my.desk.send") == "own"
    config.write_setting(path, "helpdesk.my.desk.new", None)
    assert config.read_toml(path) == {}
