"""The start of a Python process that imports click."""

import click

assert click
