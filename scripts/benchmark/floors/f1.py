"""F1: a command line of click that prints one page of 50 rows from an index.

python f1.py COMMANDS OPTIONS DATABASE: declares that many commands with that many options altogether, as chit has, the plain way,
and runs one of them.
"""

import sqlite3
import sys

import click

COMMANDS = int(sys.argv[1])
OPTIONS = int(sys.argv[2])


@click.group()
@click.version_option("1")
def cli() -> None:
    """A command line."""


def declare(number: int, options: int) -> None:
    """One command that nobody runs."""

    def work(**values: object) -> None:
        """Does something or other."""

    for option in range(options):
        work = click.option(f"--option-{option}", help="What it is for, in a sentence of the usual length.")(work)
    cli.command(f"command-{number}")(work)


for number in range(COMMANDS - 1):
    declare(number, OPTIONS // COMMANDS + (number < OPTIONS % COMMANDS))


@cli.command("list")
@click.argument("path")
@click.option("--limit", default=50)
@click.option("--sort", default="priority")
def list_(path: str, limit: int, sort: str) -> None:
    """Lists one page."""
    db = sqlite3.connect(path)
    rows = db.execute(
        "SELECT num, id, title, status, priority, queue, assignee, updated FROM tickets WHERE state = 0"
        " ORDER BY priority, updated DESC LIMIT ?",
        (limit,),
    )
    click.echo("\n".join("\t".join("" if value is None else str(value) for value in row) for row in rows))


cli(["list", sys.argv[3]])
