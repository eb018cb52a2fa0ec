"""`chit help`."""

import click

from chit import topics
from chit.context import App
from chit.framework import command, root
from chit_sync.errors import NotFoundError


@command("help")
@click.argument("words", nargs=-1, metavar="[COMMAND|TOPIC]")
def help_(app: App, words: tuple[str, ...]) -> None:
    """Explain a command or a topic.

    Topics: queries, priorities, fields, exit-codes, options, schema.

    \b
    chit help edit
    chit help queries
    """
    if words and words[0] == "schema":
        app.output.lines([topics.json_schema()])
        return
    if len(words) == 1 and words[0] in topics.TOPICS:
        _print(app, words[0], topics.TOPICS[words[0]]())
        return
    found: click.Command = root
    context = click.Context(root, info_name="chit", **root.context_settings)
    for word in words:
        below = found.get_command(context, word) if isinstance(found, click.Group) else None
        if below is None:
            raise NotFoundError(
                f"no command or topic {' '.join(words)!r}", f"Topics: {', '.join((*topics.TOPICS, 'schema'))}."
            )
        context = click.Context(below, info_name=word, parent=context, **below.context_settings)
        found = below
    _print(app, " ".join(words), found.get_help(context))


def _print(app: App, topic: str, text: str) -> None:
    app.output.one({"schema": "chit.help/1", "topic": topic, "text": text}, lambda: text)
