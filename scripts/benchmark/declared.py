"""How many commands chit has, and how many options they have together: what F1 must declare. Prints both.

Run with the interpreter of the clean environment.
"""

import click

from chit.commands import COMMANDS
from chit.framework import GLOBAL_OPTIONS, root


def main() -> None:
    """Walks the command tree, groups included."""
    context = click.Context(root, info_name="chit")
    pending = [found for name in COMMANDS if (found := root.get_command(context, name)) is not None]
    commands, options = 0, len(GLOBAL_OPTIONS)
    while pending:
        command = pending.pop()
        commands += 1
        options += len(command.params)
        if isinstance(command, click.Group):
            pending += command.commands.values()
    print(commands, options)


if __name__ == "__main__":
    main()
