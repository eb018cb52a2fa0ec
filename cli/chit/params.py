"""Parameters that many commands share: tickets, fields, texts; and how a shell completes them."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from chit_sync import schema

Function = TypeVar("Function", bound=Callable[..., Any])


class TicketParam(click.ParamType[str]):
    """A ticket, by a prefix of its id or by its number."""

    name = "ticket"


TICKET = TicketParam()


def tickets_argument(function: Function) -> Function:
    """TICKET…, --query, --stdin, --all: the tickets that a command is about."""
    for decorate in (
        click.option("--all", "every", is_flag=True, help="With --query: closed tickets too; an empty query is meant."),
        click.option("--stdin", is_flag=True, help="Read tickets from standard input, one a line."),
        click.option("-Q", "--query", metavar="QUERY", help="All tickets that the query finds."),
        click.argument("tickets", nargs=-1, type=TICKET),
    ):
        function = decorate(function)
    return function


def text_options(function: Function) -> Function:
    """-m and -F: a text."""
    for decorate in (
        click.option("-F", "--file", "file", metavar="FILE", help="Take the text from FILE; - is standard input."),
        click.option(
            "-m", "--message", "message", multiple=True, metavar="TEXT", help="The text; several make paragraphs."
        ),
    ):
        function = decorate(function)
    return function


_SHORT = {"priority": "-p", "type": "-t", "assignee": "-a", "queue": "-U"}


def field_options(function: Function) -> Function:
    """One option for every field of the schema that a person may write, labels and custom fields."""
    fields = [
        field
        for field in schema.FIELDS.values()
        if field.writer == "person" and field.name not in ("title", "description")
    ]
    function = click.option(
        "-x", "--set", "custom", multiple=True, metavar="FIELD=VALUE", help="Any field, x.NAME too; empty clears it."
    )(function)
    function = click.option(
        "-l", "--label", "labels", multiple=True, metavar="LABEL", help="A label; -LABEL takes it off."
    )(function)
    for field in reversed(fields):
        function = _field_option(field)(function)
    return function


def _field_option(field: schema.Field) -> Callable[[Function], Function]:
    names = [f"--{field.name}", *([_SHORT[field.name]] if field.name in _SHORT else [])]
    if field.type == "flag":
        return click.option(f"--{field.name}/--no-{field.name}", field.name, default=None, help=field.help)
    metavar = "|".join(choice.name for choice in field.choices) or field.type.upper()
    return click.option(*names, field.name, metavar=metavar, help=field.help)
