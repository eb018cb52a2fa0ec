"""The lines of the report, a file a subject. The table says which subjects there are, in the order in which they are measured."""

from typing import NamedTuple


class Subject(NamedTuple):
    """Lines that are measured together. target: `module:function`, called with the Bench."""

    target: str
    help: str


SUBJECTS = {
    "floors": Subject("start:floors", "what the floors are made of"),
    "start": Subject("start:start", "--version and completion"),
    "read": Subject("local:read", "list, show and status at three sizes"),
    "write": Subject("local:write", "new, edit and comment at three sizes"),
    "search": Subject("local:search", "the first page of a full-text search"),
    "tsv": Subject("local:tsv", "all open tickets as tab-separated text"),
    "memory": Subject("local:memory", "what local commands take of memory"),
    "disk": Subject("local:disk", "bytes on disk"),
    "thousand": Subject("local:thousand", "a thousand tickets, a process each"),
    "load": Subject("load:load", "import and clone of a large event log"),
    "git": Subject("load:git", "clone of 10,000 tickets beside git"),
    "pull": Subject("load:pull", "pull of nothing and of ten changes"),
    "board": Subject("outsourcing:board", "what is outsourced, listed"),
    "outsourced": Subject("outsourcing:write", "edit and comment in a store that has partners"),
    "partner": Subject("outsourcing:pull", "a partner's pull of nothing and of ten changes"),
    "helpdesk": Subject("helpdesk:helpdesk", "first pull, pull of nothing and pushes with real helpdesks"),
    "million": Subject("load:million", "memory of both sides in a clone of a million changes"),
    "peers": Subject("peers:peers", "fossil and Taskwarrior (with --peers)"),
}
