"""How chit uses click: commands imported when they are used, and global options that work before and after the command's name."""

from collections.abc import Callable, Iterable
from importlib import import_module
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

import click

from chit import __version__
from chit.commands import ALIASES, COMMANDS, SECTIONS
from chit.context import App, parse_setting
from chit.language import english, translate

if TYPE_CHECKING:
    from click.parser import _OptionParser


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Callback of a global option: what was given, wherever it stood, is kept in the App."""
    if value is None or value is False or value == () or parameter.name is None:
        return
    options = context.find_root().ensure_object(App).options
    if parameter.name == "settings":
        for setting in value:
            parse_setting(setting)
    if parameter.multiple:
        value = [*getattr(options, parameter.name), *value]
    setattr(options, parameter.name, value)


def _option(*names: str, **attributes: Any) -> click.Option:
    return click.Option(names, expose_value=False, callback=_keep, **attributes)


GLOBAL_OPTIONS: list[click.Parameter] = [
    _option("-C", "directory", metavar="DIR", help="Use the store in DIR, or above it."),
    _option("-c", "settings", metavar="KEY=VALUE", multiple=True, help="Set a configuration value for this command."),
    _option("--remote", "remote", metavar="NAME", help="The remote to work with."),
    _option("--json", "json", is_flag=True, help="Print JSON."),
    _option("--jsonl", "jsonl", is_flag=True, help="Print one JSON object a line."),
    _option("--fields", "fields", metavar="A,B", help="Print these fields only."),
    _option("--format", "format", metavar="TEXT", help="Print each result as TEXT with {field} filled in."),
    _option("-z", "null", is_flag=True, help="End records with NUL, not with a line end."),
    _option("-q", "--quiet", "quiet", is_flag=True, help="No messages, only data and errors."),
    _option("-v", "--verbose", "verbose", is_flag=True, help="Say which store, which remote and whose token is used."),
    _option("--debug", "debug", is_flag=True, help="Show the full report of an unexpected error."),
    _option("-n", "--dry-run", "dry_run", is_flag=True, help="Show what would happen; change nothing."),
    _option("-y", "--yes", "yes", is_flag=True, help="Do not ask."),
    _option("--no-input", "no_input", is_flag=True, help="Never ask, and never start an editor."),
    _option("--color", "color", type=click.Choice(["auto", "always", "never"]), help="When to use colour."),
    _option("--no-pager", "no_pager", is_flag=True, help="Never start a pager."),
    _option(
        "--timeout", "timeout", type=click.FloatRange(min=0.1), metavar="SECONDS", help="How long to wait for a remote."
    ),
]

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


_WHOLE = 200
"""More characters than any first sentence has."""


def help_records(parameters: Iterable[click.Parameter], context: click.Context) -> list[tuple[str, str]]:
    """The options among the parameters as they are typed, with their help."""
    found = []
    for option in parameters:
        record = option.get_help_record(context) if isinstance(option, click.Option) else None
        if record is not None:
            said = getattr(option, "help", None) or ""
            found.append((record[0], record[1].replace(said, translate(said), 1)))
    return found


class Command(click.Command):
    """A command that takes the global options too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("context_settings", _SETTINGS)
        super().__init__(*args, **kwargs)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own parameters, the global options, and --help."""
        own = super().get_params(ctx)
        taken = {name for parameter in self.params for name in parameter.opts}
        return [*own, *(option for option in GLOBAL_OPTIONS if not taken.intersection(option.opts))]

    def make_parser(self, ctx: click.Context) -> "_OptionParser":
        """click looks for `-m` among the long options first, and composes a suggestion for the error that nobody sees: 3 ms."""
        parser = super().make_parser(ctx)
        parser._long_opt.update(parser._short_opt)
        return parser

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first sentence of the help."""
        return super().get_short_help_str(limit) if english() else translate(super().get_short_help_str(_WHOLE))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help, translated by paragraphs."""
        if english() or not self.help:
            super().format_help_text(ctx, formatter)
            return
        parts = [
            part if part.startswith("\b") else " ".join(part.split()) for part in cleandoc(self.help).split("\n\n")
        ]
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text("\n\n".join(map(translate, parts)))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options; the global ones are in `chit --help`."""
        records = help_records(self.params, ctx)
        if records:
            with formatter.section(translate("Options")):
                formatter.write_dl(records)
        with formatter.section(translate("Also")):
            formatter.write_text(translate("the options that every command has: `chit help options`."))


class Group(click.Group, Command):
    """A noun with several commands, such as `remote`."""

    command_class = Command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Options, then commands."""
        Command.format_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)


class Root(Group):
    """`chit` itself: finds commands in the table and imports the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        entry = COMMANDS.get(ALIASES.get(cmd_name, cmd_name))
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        found: click.Command = getattr(import_module(f"chit.commands.{module}"), attribute)
        return found

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Commands by section, then the options that every command has."""
        for section, title in SECTIONS.items():
            entries = [(name, translate(entry.help)) for name, entry in COMMANDS.items() if entry.section == section]
            with formatter.section(translate(title)):
                formatter.write_dl(entries)
        with formatter.section(translate("Options")):
            formatter.write_dl(help_records(self.get_params(ctx), ctx))


@click.command(cls=Root, context_settings=_SETTINGS)
@click.version_option(__version__, message="chit %(version)s")
@click.pass_context
def root(context: click.Context) -> None:
    """Helpdesk tickets on the command line: a complete local store, offline work, push and pull.

    \b
    chit init                              make a store here
    chit new -m "Printer on fire" -p high  write a ticket
    chit list                              what is open, the most urgent first
    chit clone https://desk.example/ desk  work with a team's store
    """
    app = context.ensure_object(App)
    context.call_on_close(app.close)


def command(name: str | None = None, **attributes: Any) -> Callable[[Callable[..., Any]], Command]:
    """Makes a command of a function whose first parameter is the App."""

    def decorate(function: Callable[..., Any]) -> Command:
        return click.command(name, cls=Command, **attributes)(click.pass_obj(function))

    return decorate


def group(name: str | None = None, **attributes: Any) -> Callable[[Callable[..., Any]], Group]:
    """Makes a group of commands; `@GROUP.command()` adds one to it, as `subcommand` does with the App."""
    return click.group(name, cls=Group, context_settings=_SETTINGS, **attributes)


def subcommand(parent: Group, name: str | None = None, **attributes: Any) -> Callable[[Callable[..., Any]], Command]:
    """Makes a command of a group."""

    def decorate(function: Callable[..., Any]) -> Command:
        made = command(name, **attributes)(function)
        parent.add_command(made)
        return made

    return decorate
