"""The messages of click, which takes them from our catalogue. Which there are depends on its version, so none is asked for."""

import ast
from pathlib import Path

import click


def messages() -> dict[str, str]:
    """The messages of click, which takes them from our catalogue."""
    found: dict[str, str] = {"required": "click"}
    for file in sorted(Path(click.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="_"), args=[ast.Constant(value=str(text))]):
                    found.setdefault(text, "click")
    return found


def plurals() -> dict[str, str]:
    """The messages of click that have a plural, with it."""
    found: dict[str, str] = {}
    for file in sorted(Path(click.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name(id="ngettext"), args=[ast.Constant(value=str(one)), ast.Constant(value=str(many)), _]
                ):
                    found[one] = many
    return found
