"""From an expression to the texts that it can come to: literals, f-strings and sums, every branch of a conditional, each name that is a
literal. What cannot be told beforehand becomes a hole, `{name}`; a hole whose name ends in `_` holds a message that is known by itself.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

MOST = 64
"""Most texts of one expression; beyond, its conditionals become holes."""

Part = str | ast.expr
Text = list[Part]

_MESSAGES = frozenset(
    (
        "message",
        "reason",
        "hint",
        "said",
        "strerror",
        "question",
        "suggestion",
        "span",
        "warning",
        "why",
        "where",
        "places",
        "purpose",
        "what_now",
        "why_not",
    )
)
"""Names of what holds a message."""


class Scope:
    """What names stand for: the literals assigned in a function, and those of its module."""

    def __init__(self, function: ast.AST | None, module: Mapping[str, ast.expr]) -> None:
        self._own: dict[str, list[ast.expr] | None] = {}
        self._module = module
        self._open: set[str] = set()
        for name, value in _assigned(function) if function is not None else ():
            known = self._own.setdefault(name, [])
            if value is None or known is None:
                self._own[name] = None
            else:
                known.append(value)

    def texts(self, node: ast.expr) -> list[Text] | None:
        """What the expression can come to; None if nothing is known of it."""
        match node:
            case ast.Constant(value=str(text)):
                return [[text]]
            case ast.JoinedStr(values=values):
                return self._joined([self._inside(value) for value in values])
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                sides = [self.texts(left), self.texts(right)]
                if sides == [None, None]:
                    return None
                return self._joined([one or [[side]] for one, side in zip(sides, (left, right), strict=True)])
            case ast.IfExp(body=body, orelse=other):
                both = [self.texts(body), self.texts(other)]
                if both == [None, None]:
                    return None
                return [text for one, side in zip(both, (body, other), strict=True) for text in one or [[side]]]
            case ast.BoolOp(op=ast.Or(), values=values):
                known = [self.texts(value) for value in values]
                if not any(known):
                    return None
                return [text for one, side in zip(known, values, strict=True) for text in one or [[side]]]
            case ast.Call(func=ast.Attribute(value=ast.BinOp() | ast.JoinedStr() as inner, attr="strip" | "rstrip")):
                return self.texts(inner)
            case ast.Subscript(value=ast.BoolOp() | ast.JoinedStr() as inner, slice=ast.Slice()):
                return self.texts(inner)
            case ast.Name(id=name):
                return self._named(name)
        return None

    def _named(self, name: str) -> list[Text] | None:
        if name in self._own:
            values = self._own[name]
            if values is None or name in self._open:
                return None
        elif name in self._module:
            values = [self._module[name]]
        else:
            return None
        self._open.add(name)
        try:
            known = [self.texts(value) for value in values]
        finally:
            self._open.discard(name)
        if not any(known):
            return None
        found = [text for one, value in zip(known, values, strict=True) for text in one or [[value]]]
        if name == "reason" and any(len(text) == 1 and isinstance(text[0], ast.Call) for text in found):
            return None  # a message that comes from elsewhere, or none
        return found

    def _inside(self, node: ast.expr) -> list[Text]:
        if not isinstance(node, ast.FormattedValue):
            return self.texts(node) or [[node]]
        known = self.texts(node.value) if node.conversion == -1 and node.format_spec is None else None
        return known or [[node.value]]

    def _joined(self, parts: Sequence[list[Text]]) -> list[Text]:
        count = 1
        for one in parts:
            count *= len(one)
        if count > MOST:
            raise ValueError("too many variants")
        return [[piece for text in chosen for piece in text] for chosen in product(*parts)]


def _assigned(function: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """The names that a function assigns, with what; None for what is not an expression of its own."""
    if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        arguments = function.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            yield argument.arg, None
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
                yield name, value
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
                for one, value in zip(names, values, strict=True):
                    if isinstance(one, ast.Name):
                        yield one.id, value
            case ast.Assign(targets=targets):
                yield from (
                    (one.id, None) for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)
                )
            case ast.AugAssign(target=ast.Name(id=name)) | ast.For(target=ast.Name(id=name)):
                yield name, None
            case ast.For(target=ast.Tuple(elts=names)):
                yield from ((one.id, None) for one in names if isinstance(one, ast.Name))
            case ast.ExceptHandler(name=str(name)):
                yield name, None


def spelled(text: Text) -> str:
    """The text with its holes named: `no ticket {name}`."""
    names: dict[str, str] = {}
    found: list[str] = []
    has_holes = any(not isinstance(part, str) for part in text)
    for part in text:
        if isinstance(part, str):
            found.append(part.replace("{", "{{").replace("}", "}}") if has_holes else part)
            continue
        source = ast.unparse(part)
        if source not in names:
            name = hole(part)
            bare = name.rstrip("_")
            taken = {one.rstrip("_") for one in names.values()}
            number = 2
            while bare in taken:
                bare, number = f"{name.rstrip('_')}{number}", number + 1
            names[source] = bare + name[len(name.rstrip("_")) :]
        found.append(f"{{{names[source]}}}")
    return "".join(found)


def hole(node: ast.expr) -> str:
    """A name for a value, from the expression that it comes of."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            pass
        case ast.Call(func=ast.Name(id="counted"), args=[_, ast.Constant(value=str(noun))]):
            name = noun.replace(" ", "_") + "s"
        case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]):
            pass
        case ast.Call(func=ast.Name(id="_reason") | ast.Attribute(attr="ahead")):
            name = "reason"
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Name(id=name) | ast.Constant(value=str(name)), *_]):
            pass
        case ast.BoolOp(values=[inner, *_]):
            name = hole(inner)
        case ast.Call(func=ast.Name(id="len"), args=[inner]):
            name = hole(inner).rstrip("_")
        case ast.Call(func=ast.Attribute(attr="join"), args=[inner, *_]) if not isinstance(inner, ast.GeneratorExp):
            name = hole(inner)
        case ast.Call(func=ast.Attribute(attr="join")):
            name = "names"
        case ast.Call(
            func=ast.Name(id="repr" | "str" | "clean" | "sorted" | "short" | "map" | "translate"), args=[*_, inner]
        ):
            name = hole(inner)
        case ast.Call(func=ast.Name(id=name)):
            pass
        case ast.Call(
            func=ast.Attribute(value=inner, attr="hex" | "strip" | "partition" | "lower" | "decode" | "text")
        ):
            name = hole(inner)
        case ast.Call(func=ast.Attribute(attr=name)):
            pass
        case ast.Subscript(value=inner) | ast.BinOp(left=inner) | ast.Starred(value=inner):
            name = hole(inner)
        case _:
            name = "value"
    name = re.sub("[^a-z0-9_]", "", name.lower().strip("_"))
    if not name or not name[0].isalpha():
        name = "value"
    return name + "_" if name in _MESSAGES else name
