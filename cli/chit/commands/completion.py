"""`chit completion`."""

import click

from chit.context import App
from chit.framework import command, root
from chit_sync.errors import UsageError

SHELLS = ("bash", "zsh", "fish")


@command()
@click.argument("shell", type=click.Choice(SHELLS), metavar="SHELL")
def completion(app: App, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    chit completion bash > ~/.local/share/bash-completion/completions/chit
    chit completion zsh > ~/.zfunc/_chit
    chit completion fish > ~/.config/fish/completions/chit.fish
    """
    text = script(shell)
    app.output.one({"schema": "chit.completion/1", "shell": shell, "script": text}, lambda: text)


def script(shell: str) -> str:
    """The completion script, as the packages ship it."""
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    if made is None:
        raise UsageError(f"no completion for {shell}")
    shell_complete = made(root, {}, "chit", "_CHIT_COMPLETE")
    # Its own source() would start a bash to look at its version.
    return shell_complete.source_template % shell_complete.source_vars()
