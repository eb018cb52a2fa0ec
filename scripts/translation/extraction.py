"""Which texts of the source are messages for people: by the calls that they are given to, and by the tables that they stand in."""

import ast
from collections.abc import Iterable, Iterator
from inspect import cleandoc
from pathlib import Path

from translation.po import HOLE
from translation.variants import Scope, spelled

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (ROOT / "cli" / "chit", ROOT / "sync" / "chit_sync")
LEFT_OUT = ("completion_table.py", "language.py", "catalogue.py")

ARGUMENTS: dict[str, tuple[int, ...]] = {
    "say": (0,), "confirm": (0,), "prompt": (0,), "fail": (0, 2), "Unfit": (0,), "Failure": (1,), "Entry": (2,),
    "_members": (1, 3), "_refuse": (0,), "_too_large": (0,), "_without": (1,), "_write_down": (4,), "check_free": (2,),
    "Feature": (2,), "Left": (2,), "_leave": (2,), "kind": (0, 1), "check_helpdesk": (1,),
}  # fmt: skip
"""Functions whose arguments, by place, are messages."""

KEYWORDS = {"help", "message", "hint", "nothing", "next_step"}
"""Arguments by name that are messages."""

COMMANDS = {"command", "group", "subcommand"}
"""Decorators that make a docstring the help of a command."""

TABLES = {
    "SECTIONS", "MEANINGS", "NOTHING", "HELP", "_HEADERS", "_INSTEAD", "_TABLE", "FIELDS", "ORPHANS", "RULES", "FEATURES",
}  # fmt: skip
"""Module-level names whose texts are messages."""

REASONS = {
    "policy.py": ("refuse", "ahead"), "local.py": ("_check",), "fsck.py": ("_examine",), "lines.py": ("_read_offer",),
    "fields.py": ("suggestion",), "work.py": ("refuse_time", "refuse_charge"),
    "editor.py": ("kept",), "report.py": ("__str__",), "values.py": ("suggestion",), "boundary.py": ("_usage_hint", "_usage_message"),
    "handoffs.py": ("why_not", "what_now"), "rulings.py": ("_refuse", "_refuse_terms", "_overtaken"),
    "sharing.py": ("deletion_refused", "edit_refused", "_offered"), "partner.py": ("_without_bytes",),
    "arriving.py": (
        "from_service", "from_lead", "_author", "_dates", "_fields", "_move", "_shared", "_incomplete", "_not_now",
        "_offer", "_handoff", "_from_lead_item",
    ),
    "shaping.py": ("too_large",),
    "colleagues.py": ("from_colleague", "_without", "_colleagues_handoff", "_colleagues_move"),
}  # fmt: skip
"""Functions, by file, that return messages; in a pair the first is one, and the second in `HINTED`."""

HINTED = ("deletion_refused", "edit_refused", "_offered")
"""Functions of those that return what is the matter and what to do about it."""

NAMED = {"ruling.py": "refusal"}
"""Variables, by file, that hold messages."""

OTHERS = (
    "no such file or directory", "permission denied", "is a directory", "not a directory", "no space left on device",
    "file exists", "read-only file system", "connection refused", "address already in use", "cannot assign requested address",
    "too many open files", "name or service not known", "no route to host", "network is unreachable",
    "connection reset by peer", "less than a minute", "its certificate is not trusted here", "ok", "warning",
    "the map", "{place_} and to {place2_}", "charge", "question", "link",
    "temporary failure in name resolution", "file name too long", "input/output error",
    "Say so under [helpdesk.{remote}.{table}] in config.toml; `chit remote show {remote} --mapping` prints what holds",
)  # fmt: skip
"""What comes as a part of our messages, mostly from the operating system; the last is a hint that goes on without its full stop."""

NOUNS = ("year", "day", "hour", "minute")
"""Nouns that the library counts."""

VALUES = "values\x04"
"""Context of the templates whose values are put in by the program itself: they are not for recognising messages by."""

Places = dict[str, str]
"""Message to the first place where it stands."""


class Found:
    """The messages of the source.

    plurals: nouns that are counted. schema: what the schema says, which has it in German itself. problems: what could not be read.
    """

    def __init__(self) -> None:
        self.messages: Places = {}
        self.plurals: Places = {}
        self.schema: Places = {}
        self.problems: list[str] = []


def collect() -> Found:
    """All messages of both packages."""
    found = Found()
    trees = {
        file: ast.parse(file.read_text(encoding="utf-8"))
        for source in SOURCES
        for file in sorted(source.rglob("*.py"))
        if file.name not in LEFT_OUT
    }
    errors = _errors(trees.values())
    modules = {
        ".".join(file.with_suffix("").relative_to(file.parents[depth(file)]).parts): trees[file] for file in trees
    }
    for file, tree in trees.items():
        _Reader(found, file, tree, errors, {**_imported(tree, modules), **_constants(tree)}).read()
    for text in OTHERS:
        found.messages.setdefault(text, "the operating system")
    for noun in NOUNS:
        found.plurals.setdefault(noun, "sync/chit_sync/policy.py")
    return found


def depth(file: Path) -> int:
    """How many folders of its package a file is in."""
    return next(len(file.relative_to(source).parts) for source in SOURCES if file.is_relative_to(source))


def _errors(trees: Iterable[ast.Module]) -> set[str]:
    """The names of ChitError and everything below it."""
    known = {"ChitError"}
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    while True:
        more = {
            one.name for one in classes if any(isinstance(base, ast.Name) and base.id in known for base in one.bases)
        }
        if more <= known:
            return known
        known |= more


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=value)
            ):
                if isinstance(value, ast.Constant | ast.JoinedStr | ast.BinOp):
                    found[name] = value
    return found


def _imported(tree: ast.Module, modules: dict[str, ast.Module]) -> dict[str, ast.expr]:
    """The literals that a module imports from others."""
    found: dict[str, ast.expr] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in modules:
            known = _constants(modules[node.module])
            found |= {alias.asname or alias.name: known[alias.name] for alias in node.names if alias.name in known}
    return found


class _Reader:
    """Reads one module."""

    def __init__(
        self, found: Found, file: Path, tree: ast.Module, errors: set[str], literals: dict[str, ast.expr]
    ) -> None:
        self.found = found
        self.file = file
        self.tree = tree
        self.errors = errors
        self.literals = literals

    def read(self) -> None:
        self._tables()
        self._walk(self.tree, Scope(None, self.literals), False)

    def _walk(self, node: ast.AST, scope: Scope, within: bool) -> None:
        """Looks at all below a node. The names in an inner function are those of the outermost: `within` says whether one is open."""
        for child in ast.iter_child_nodes(node):
            self._look(child, scope)
            if isinstance(child, ast.FunctionDef):
                own = Scope(child, self.literals)
                self._function(child, own)
                self._walk(child, scope if within else own, True)
            else:
                self._walk(child, scope, within)

    def _look(self, node: ast.AST, scope: Scope) -> None:
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                for argument in self._arguments(name, node):
                    self._take(argument, scope)
                if name == "translate" and node.args:
                    self._take(node.args[0], scope, VALUES if node.keywords else "")
                if name == "counted" and len(node.args) == 2 and isinstance(node.args[1], ast.Constant):
                    self.found.plurals.setdefault(str(node.args[1].value), self._place(node))
                if name == "table" and isinstance(node.args[0], ast.Tuple):
                    self._constants_in(node.args[0])
                place = {"Field": 2, "Choice": 1}.get(name) if self.file.name == "schema.py" else None
                if place is not None:
                    self.found.schema.setdefault(ast.literal_eval(node.args[place]), self._place(node))
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id="places"), slice=place)]):
                self._take(place, scope)
            case ast.Assign(targets=[ast.Attribute(attr="hint")], value=value):
                self._take(value, scope)
            case ast.Assign(targets=[ast.Subscript(value=ast.Attribute(attr="troubles"))], value=value):
                self._take(value, scope)
            case ast.Expr(
                value=ast.Call(func=ast.Attribute(value=ast.Name(id="failed")), args=[ast.Tuple(elts=[_, reason])])
            ):
                self._take(reason, scope)
            case ast.Assign(targets=[ast.Attribute(attr="ahead")], value=ast.Tuple(elts=[_, value])):
                self._take(value, scope)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == NAMED.get(self.file.name):
                self._take(value, scope)
            case ast.Tuple(elts=[ast.Name(id="OK" | "WARN" | "BAD") | ast.IfExp(), subject, finding]) if (
                self.file.name == "doctor.py"
            ):
                self._take(subject, scope)
                self._take(finding, scope)

    def _arguments(self, name: str, call: ast.Call) -> Iterator[ast.expr]:
        places: tuple[int, ...] = ARGUMENTS.get(name, ())
        if name in self.errors:
            places = (0, 2) if name in ("QueryError", "AmbiguousError", "PartialError") else (0, 1)
        elif name == "add" and len(call.args) == 4:
            places = (2, 3)
        elif name == "write" and len(call.args) == 4:
            places = (3,)
        elif name == "option" or name == "_option":
            yield from (keyword.value for keyword in call.keywords if keyword.arg == "help")
            return
        elif name == "Problem" and self.file.parent.name == "server":
            places = (2, 4)
        elif name == "edited":
            places = (4,)
        elif name == "refuse" and len(call.args) == 3:
            places = (2,)
        elif name == "set_troubles" and isinstance(call.args[-1], ast.Dict):
            yield from call.args[-1].values
            return
        elif name == "append" and isinstance(call.func, ast.Attribute) and _name(call.func.value) == "warnings":
            places = (0,)
        elif name == "__init__" and self.file.name == "mapping.py":  # of an error that says the same whoever raises it
            places = (0, 1)
        elif name == "field" and self.file.name == "roundup_tracker.py":
            places = (1,)
        elif name == "_replace":
            yield from (keyword.value for keyword in call.keywords if keyword.arg == "why")
            return
        elif not places and name not in ("write", "report"):
            return
        yield from (call.args[place] for place in places if place < len(call.args))
        yield from (keyword.value for keyword in call.keywords if keyword.arg in KEYWORDS)

    def _function(self, function: ast.FunctionDef, scope: Scope) -> None:
        names = [_name(one.func if isinstance(one, ast.Call) else one) for one in function.decorator_list]
        if COMMANDS.intersection(names):
            for paragraph in paragraphs(cleandoc(ast.get_docstring(function, clean=False) or "")):
                self._add(paragraph, function)
        if function.name in REASONS.get(self.file.name, ()):
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
                    for value in values if function.name in HINTED else values[:1]:
                        self._take(value, scope)

    def _tables(self) -> None:
        for node in self.tree.body:
            match node:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=value)
                    | ast.AnnAssign(target=ast.Name(id=name), value=value)
                ) if name in TABLES and value is not None:
                    if name == "FIELDS" or name == "ORPHANS":
                        self._rows(value, 0 if name == "FIELDS" else 2)
                    elif name == "FEATURES":
                        self._features(value)
                    elif isinstance(value, ast.JoinedStr | ast.Constant):
                        self._take(value, Scope(None, {}))
                    elif isinstance(value, ast.Dict):
                        for one in value.values:
                            self._constants_in(one, VALUES if name == "_TABLE" else "")
                    else:
                        self._constants_in(value)

    def _rows(self, table: ast.expr, place: int) -> None:
        """One column of a table: the names of fields, or what a row is."""
        for node in ast.walk(table):
            cells = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else []
            if len(cells) > place and isinstance(cells[place], ast.Constant):
                self._constants_in(cells[place])

    def _features(self, table: ast.expr) -> None:
        """The names of what a helpdesk may carry, and what they mean; what an adapter says of them, its calls of Feature tell."""
        for one in ast.walk(table) if self.file.name == "base.py" else ():
            if isinstance(one, ast.Constant) and isinstance(one.value, str):
                self._add(one.value, one)

    def _constants_in(self, node: ast.AST, context: str = "") -> None:
        """The texts in a table. context: of those that are templates."""
        for one in ast.walk(node):
            if isinstance(one, ast.Constant) and isinstance(one.value, str):
                self._add((context if HOLE.search(one.value) else "") + one.value, one)

    def _take(self, node: ast.expr, scope: Scope, context: str = "") -> None:
        try:
            texts = scope.texts(node)
        except ValueError:
            self.found.problems.append(f"{self._place(node)}: too many variants")
            return
        for text in texts or ():
            told = spelled(text)
            if "helpdesks" in self.file.parts or self.file.name == "judging.py":  # there others say it, in their words
                told = told.replace("{said_}", "{said}")
            self._add(context + told, node)

    def _add(self, text: str, node: ast.AST) -> None:
        if has_words(text):
            self.found.messages.setdefault(text, self._place(node))

    def _place(self, node: ast.AST) -> str:
        return f"{self.file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def has_words(text: str) -> bool:
    """Whether there is anything to translate: a letter outside of the holes, or a message in one of them."""
    bare = HOLE.sub("", text)
    return any(map(str.isalpha, bare)) or ("_}" in text and bool(bare.strip()))


def paragraphs(docstring: str) -> list[str]:
    """The paragraphs of a command's help as `chit.framework` looks them up, and the sentence that stands for the whole in a list."""
    found = []
    for part in docstring.split("\n\n"):
        found.append(part if part.startswith("\b") else " ".join(part.split()))
    first, stop, _ = found[0].partition(". ")
    return [first + ".", *found] if stop else found


def commands(text: str) -> list[str]:
    """The commands in backticks that a message names."""
    return [one for one in text.split("`")[1::2] if one.startswith("chit ")]
